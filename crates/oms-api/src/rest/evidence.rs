//! The evidence pack of a period, and the compliance snapshot of a closed day.

use super::breaches::Beside;
use super::risk::{Status, answer, status_fields};
use super::{Endpoint, get, query};
use crate::call::{Access, Call};
use crate::evidence::Evidence;
use crate::json::Writer;
use crate::json::orders::limit_fields;
use crate::past::{self, DAY_NS, Stretch, check_order, refusal};
use crate::query::bad_parameter;
use axum::response::Response;
use oms_engine::State;
use oms_identity::Scope;
use oms_model::limit::RiskLimit;
use oms_model::position::Position;
use oms_model::{Code, Refusal};
use oms_runtime::history::{AsOf, History, Moment};
use oms_runtime::snapshot;
use oms_store::{ChainHash, hex};
use std::ops::ControlFlow;

/// The most events that one pack is made of.
const MAX_EVENTS: u64 = 50_000_000;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        get(
            Access::Scope(Scope::AuditView),
            "/api/v1/risk/evidence",
            ("riskEvidence", "risk", "Limits in force, changes, breaches and stops of a period, or of a closed day"),
            evidence,
        )
        .parameters(&[
            query(
                "day",
                "count",
                "A trading day such as 20261121: from the close before to its own, or the UTC day where none was closed.",
            ),
            query("from", "moment", "A sequence or a time: what is behind it is in the pack."),
            query("to", "moment", "A sequence or a time; now where it is absent."),
        ])
        .json(200, "RiskEvidence", "The pack.")
        .errors(&[Code::HistoryTooFar]),
    ]
}

/// Between which moments, and which day was closed by the second.
struct Period {
    from: Moment,
    to: Moment,
    closed_day: Option<u32>,
}

async fn evidence(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let (day, from, to) = (params.parsed("day")?, params.take("from"), params.take("to"));
    params.end()?;
    let asked = Stretch::of(day, from.as_deref(), to.as_deref(), bad_parameter)?;
    let history = call.api.history().clone();
    let pack = call.api.blocking(move || Pack::of(&history, asked)).await?;
    let catalog = call.api.catalog_now().await?;
    let mut w = Writer::with_capacity(4096);
    w.object(|w| {
        w.time("from", pack.period.from.time);
        w.time("to", pack.period.to.time);
        w.number("from_sequence", pack.period.from.seq.0);
        w.number("to_sequence", pack.period.to.seq.0);
        w.number_or_null("closed_day", pack.period.closed_day);
        w.string("state_hash", &hex(&pack.state_hash));
        w.string_or_null("chain_hash", pack.chain_hash.map(|hash| hash.to_string()).as_deref());
        w.array_at("limits_before", &pack.before, |w, limit| w.object(|w| limit_fields(w, limit, &catalog)));
        w.object_at("closing", |w| status_fields(w, &pack.status, &Beside::default(), &catalog));
        w.array_at("positions", &pack.positions, |w, position| {
            w.object(|w| {
                w.text("account_id", position.account_id);
                w.string("symbol", catalog.symbol(position.instrument_id));
                w.text("qty", position.qty);
                w.text("realized", position.realized);
                w.text("fees", position.fees);
            });
        });
        pack.evidence.write(w, &catalog);
    });
    Ok(answer(&call, w, Some(pack.period.to)))
}

/// Everything that the answer says.
struct Pack {
    period: Period,
    before: Vec<RiskLimit>,
    status: Status,
    positions: Vec<Position>,
    state_hash: [u8; 32],
    chain_hash: Option<ChainHash>,
    evidence: Evidence,
}

impl Pack {
    fn of(history: &History, asked: Stretch) -> Result<Self, Refusal> {
        let period = period(history, asked)?;
        let (from, to) = (period.from, period.to);
        if to.seq.0 - from.seq.0 > MAX_EVENTS {
            let text = format!("{} events lie between from and to; at most {MAX_EVENTS} are read", to.seq.0 - from.seq.0);
            return Err(Refusal::new(Code::HistoryTooFar, text).with("most", MAX_EVENTS));
        }
        let before = history.read(from, |state| state.risk().limits()).map_err(refusal)?;
        let mut evidence = Evidence::default();
        let mut failed = None;
        let visit = |batch: &oms_model::event::Batch| match evidence.take(batch) {
            Ok(()) => ControlFlow::Continue(()),
            Err(refusal) => {
                failed = Some(refusal);
                ControlFlow::Break(())
            }
        };
        history.follow(from.seq, Some(to.seq), visit).map_err(refusal)?;
        if let Some(refusal) = failed {
            return Err(refusal);
        }
        let at_end = |state: &State| (Status::of(state, to.time), state.positions().cloned().collect(), snapshot::state_hash(state));
        let (status, positions, state_hash) = history.read(to, at_end).map_err(refusal)?;
        let chain_hash = history.chain_at(to.seq).map_err(refusal)?;
        Ok(Self { period, before, status, positions, state_hash, chain_hash, evidence })
    }
}

fn period(history: &History, asked: Stretch) -> Result<Period, Refusal> {
    let moment = |as_of| history.moment(as_of).map_err(refusal);
    let (from, to, closed_day) = match asked {
        Stretch::Between(from, to) => (moment(from)?, moment(to)?, None),
        Stretch::Day(number, begin, end) => {
            // A day is closed on the day itself or in the night behind it.
            let late = moment(AsOf::Time(end.plus(DAY_NS).min(past::now())))?;
            let closed = history.read(late, State::last_close).map_err(refusal)?;
            if closed.0 == number {
                let to = moment(AsOf::Time(closed.1))?;
                let before = history.read(moment(AsOf::Time(closed.1.plus(-1)))?, State::last_close).map_err(refusal)?;
                (moment(AsOf::Time(before.1.max(begin.plus(-DAY_NS))))?, to, Some(number))
            } else {
                (moment(AsOf::Time(begin))?, moment(AsOf::Time(end.min(past::now())))?, None)
            }
        }
    };
    check_order(from, to, bad_parameter)?;
    Ok(Period { from, to, closed_day })
}
