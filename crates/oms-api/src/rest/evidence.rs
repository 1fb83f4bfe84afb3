//! The evidence pack of a period, and the compliance snapshot of a closed day.

use super::breaches::Beside;
use super::risk::{Status, answer, status_fields};
use super::{Endpoint, get, query};
use crate::call::{Access, Call};
use crate::evidence::Evidence;
use crate::json::Writer;
use crate::json::orders::limit_fields;
use crate::past::{self, refusal};
use crate::query::bad_parameter;
use crate::shadow::day;
use axum::response::Response;
use oms_engine::State;
use oms_model::limit::RiskLimit;
use oms_model::position::Position;
use oms_model::{Code, Refusal};
use oms_runtime::history::{AsOf, History, Moment};
use oms_runtime::snapshot;
use std::fmt::Write as _;
use std::ops::ControlFlow;

/// The most events that one pack is made of.
const MAX_EVENTS: u64 = 50_000_000;
const DAY_NS: i64 = 86_400_000_000_000;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        get(
            Access::Key,
            "/api/v1/risk/evidence",
            ("riskEvidence", "risk", "Limits in force, changes, breaches and stops of a period, or of a closed day"),
            evidence,
        )
        .parameters(&[
            query(
                "day",
                "integer",
                "A trading day such as 20261121: from the close before to its own, or the UTC day where none was closed.",
            ),
            query("from", "string", "A sequence or a time: what is behind it is in the pack."),
            query("to", "string", "A sequence or a time; now where it is absent."),
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
    let number: Option<u32> = params.parsed("day")?;
    let mut at = |name: &str| -> Result<Option<AsOf>, Refusal> {
        let Some(text) = params.take(name) else { return Ok(None) };
        let parsed = past::parse(&text).ok_or_else(|| bad_parameter(name, "must be a sequence, or a time such as 2026-01-31T16:00:00Z"))?;
        Ok(Some(parsed))
    };
    let (from, to) = (at("from")?, at("to")?);
    params.end()?;
    let asked = match (number, from, to) {
        (Some(number), None, None) => {
            day(number).ok_or_else(|| bad_parameter("day", "must be a day such as 20261121"))?;
            Asked::Day(number)
        }
        (None, Some(from), to) => Asked::Between(from, to.unwrap_or(AsOf::Time(past::now()))),
        (Some(_), _, _) => return Err(bad_parameter("day", "excludes from and to")),
        (None, None, _) => return Err(bad_parameter("day", "or from is required")),
    };
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
        w.string_or_null("chain_hash", pack.chain_hash.as_ref().map(|hash| hex(hash)).as_deref());
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string does not fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

enum Asked {
    Day(u32),
    Between(AsOf, AsOf),
}

/// Everything that the answer says.
struct Pack {
    period: Period,
    before: Vec<RiskLimit>,
    status: Status,
    positions: Vec<Position>,
    state_hash: [u8; 32],
    chain_hash: Option<[u8; 32]>,
    evidence: Evidence,
}

impl Pack {
    fn of(history: &History, asked: Asked) -> Result<Self, Refusal> {
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

fn period(history: &History, asked: Asked) -> Result<Period, Refusal> {
    let moment = |as_of| history.moment(as_of).map_err(refusal);
    let (from, to, closed_day) = match asked {
        Asked::Between(from, to) => (moment(from)?, moment(to)?, None),
        Asked::Day(number) => {
            let (begin, end) = day(number).unwrap_or_default();
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
    if to.seq <= from.seq {
        return Err(bad_parameter("to", "is not behind from: nothing happened in between"));
    }
    Ok(Period { from, to, closed_day })
}
