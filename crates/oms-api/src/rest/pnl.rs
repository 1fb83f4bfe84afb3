//! Profit and loss: of the open day by account, of closed days by position; and the rates that it is converted with.

use super::positions::no_such_instrument;
use super::{Endpoint, get, query};
use crate::call::{Access, Call};
use crate::json::Writer;
use crate::json::events::frozen_fields;
use crate::query::bad_parameter;
use crate::reply;
use axum::response::Response;
use http::StatusCode;
use oms_engine::State;
use oms_model::instrument::{Instrument, Valuation};
use oms_model::position::{Holding, Position};
use oms_model::{AccountId, Code, Decimal, InstrumentId, Notional, Price, Qty, Refusal, Seq};
use oms_store::views::FrozenFilter;
use std::collections::BTreeMap;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let named = |id, summary| (id, "positions", summary);
    vec![
        get(Access::Key, "/api/v1/pnl/today", named("pnlToday", "Profit and loss since the last closed day, by account"), today).json(
            200,
            "PnlToday",
            "In each account's base currency, at the market as it is now.",
        ),
        get(Access::Key, "/api/v1/pnl/history", named("pnlHistory", "Positions and profit as closed days left them"), history)
            .parameters(&[
                query("account_id", "string", "Of this account alone."),
                query("symbol", "string", "In this instrument alone."),
                query("from", "integer", "Not before this day: 20261121."),
                query("to", "integer", "Not after this day."),
                query("limit", "integer", "1 to 500, 100 where it is not given."),
                query("cursor", "string", "`next` of the page before."),
            ])
            .json(200, "FrozenPage", "A page, the newest day first.")
            .errors(&[Code::NotFound]),
        get(Access::Key, "/api/v1/fx-rates", named("listFxRates", "The recorded currency rates"), rates).json(
            200,
            "FxRateList",
            "Every rate.",
        ),
    ]
}

/// What the sums take of a position; its lots stay where they are.
struct Figures {
    valuation: Valuation,
    account_id: AccountId,
    instrument_id: InstrumentId,
    qty: Qty,
    cost: Notional,
    realized_today: Notional,
    fees_today: Notional,
    fx_rate: Option<Decimal>,
}

fn figures(state: &State, holding: &Holding) -> Figures {
    let (now, base) = (holding.now(), holding.base());
    let valuation = state.instrument(now.instrument_id).map(Instrument::valuation).unwrap_or_default();
    Figures {
        valuation,
        account_id: now.account_id,
        instrument_id: now.instrument_id,
        qty: now.qty,
        cost: now.cost(),
        realized_today: valuation.money(now.realized.saturating_sub(base.realized)).unwrap_or(Notional::MAX),
        fees_today: now.fees.saturating_sub(base.fees),
        fx_rate: rate_to_base(state, now),
    }
}

/// The rate from a position's currency to its account's.
fn rate_to_base(state: &State, position: &Position) -> Option<Decimal> {
    let (instrument, account) = state.instrument(position.instrument_id).zip(state.account(position.account_id))?;
    state.fx_rate(instrument.currency, account.currency)
}

/// The sums of one account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    realized: Notional,
    fees: Notional,
    unrealized: Notional,
    unmarked: u32,
    unconverted: u32,
}

impl Sums {
    fn add(&mut self, figures: &Figures, mark: Option<Price>) {
        let Some(rate) = figures.fx_rate else {
            self.unconverted += 1;
            return;
        };
        let in_base = |money: Notional| money.at_rate(rate).unwrap_or(Notional::MAX);
        self.realized = self.realized.saturating_add(in_base(figures.realized_today));
        self.fees = self.fees.saturating_add(in_base(figures.fees_today));
        if figures.qty.is_zero() {
            return;
        }
        match mark.and_then(|mark| figures.valuation.money(mark.notional(figures.qty)?.checked_sub(figures.cost)?)) {
            Some(unrealized) => self.unrealized = self.unrealized.saturating_add(in_base(unrealized)),
            None => self.unmarked += 1,
        }
    }

    fn net(&self) -> Notional {
        self.realized.saturating_add(self.unrealized).saturating_sub(self.fees)
    }
}

async fn today(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let read = |state: &State| -> (u32, Vec<Figures>) {
        (state.last_close().0, state.holdings_after(None).map(|holding| figures(state, holding)).collect())
    };
    let (last_day, positions) = call.api.handle().inspect(move |state, _| read(state)).await?;
    let catalog = call.api.catalog_now().await?;
    let mut accounts: BTreeMap<AccountId, Sums> = catalog.accounts.keys().map(|id| (*id, Sums::default())).collect();
    for figures in &positions {
        let market = call.api.handle().market().get(figures.instrument_id);
        let mark = market.last.map(|level| level.price).or_else(|| market.mid());
        accounts.entry(figures.account_id).or_default().add(figures, mark);
    }
    let mut w = Writer::with_capacity(256 + 256 * accounts.len());
    w.object(|w| {
        w.text_or_null("last_closed_day", (last_day > 0).then_some(last_day));
        w.array_at("data", &accounts, |w, (account_id, sums)| {
            w.object(|w| {
                let base = catalog.accounts.get(account_id).map(|account| account.currency).unwrap_or_default();
                w.text("account_id", account_id);
                w.text("base_currency", base.as_str());
                w.text("realized", sums.realized);
                w.text("fees", sums.fees);
                w.text("unrealized", sums.unrealized);
                w.text("net", sums.net());
                w.number("unmarked", sums.unmarked);
                w.number("unconverted", sums.unconverted);
            });
        });
    });
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

async fn history(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let account_id: Option<AccountId> = params.parsed("account_id")?;
    let symbol = params.take("symbol");
    let (from, to): (Option<u32>, Option<u32>) = (params.parsed("from")?, params.parsed("to")?);
    let limit = params.limit()?;
    let before: Option<u64> = params.parsed("cursor")?;
    params.end()?;
    let days = (from.unwrap_or(0), to.unwrap_or(u32::MAX));
    if days.0 > days.1 {
        return Err(bad_parameter("from", "is after to"));
    }
    let catalog = call.api.catalog_now().await?;
    let instrument_id = match symbol {
        Some(symbol) => Some(catalog.instrument_named(&symbol).ok_or_else(|| no_such_instrument(&symbol))?.instrument_id),
        None => None,
    };
    let filter = FrozenFilter { account_id, instrument_id, days, before: before.map(Seq), limit };
    let rows = call.api.query(move |views| views.frozen(&filter)).await?;
    let next = rows.last().filter(|_| rows.len() == limit as usize).map(|(seq, _)| *seq);
    let mut w = Writer::with_capacity(256 + 512 * rows.len());
    w.object(|w| {
        w.array_at("data", &rows, |w, (seq, frozen)| {
            w.object(|w| {
                w.number("seq", seq.0);
                frozen_fields(w, frozen, &catalog);
            });
        });
        w.text_or_null("next", next);
    });
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

async fn rates(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let rates = call.api.handle().inspect(|state, _| state.fx_rates().copied().collect::<Vec<_>>()).await?;
    let mut w = Writer::with_capacity(64 + 128 * rates.len());
    w.object(|w| {
        w.array_at("data", &rates, |w, rate| {
            w.object(|w| {
                w.text("from", rate.from.as_str());
                w.text("to", rate.to.as_str());
                w.text("rate", rate.rate);
                w.time("at", rate.at);
            });
        });
    });
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}
