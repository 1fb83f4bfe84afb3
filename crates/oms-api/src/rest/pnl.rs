//! Profit and loss: of the open day by account, strategy or tenant, of closed days by position; and the rates that it is
//! converted with.

mod today;

use super::orders::AS_OF;
use super::positions::no_such_instrument;
use super::{Endpoint, LIMIT, get, query};
use crate::call::{Access, Call};
use crate::json::Writer;
use crate::json::events::frozen_fields;
use crate::query::bad_parameter;
use crate::reply;
use axum::response::Response;
use http::StatusCode;
use oms_identity::Scope;
use oms_model::{AccountId, Code, Refusal, Seq};
use oms_store::views::FrozenFilter;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let named = |id, summary| (id, "positions", summary);
    vec![
        get(
            Access::Scope(Scope::PnlView),
            "/api/v1/pnl/today",
            named("pnlToday", "Profit and loss since the last closed day, by account, strategy or tenant"),
            today::today,
        )
        .parameters(&[
            query("by", "one(account,strategy,tenant)", "account (the default), strategy or tenant."),
            query("account_id", "uuid", "Of this account alone."),
            AS_OF,
        ])
        .json(200, "PnlToday", "In each currency and in the base currency: at the market as it is now, at the recorded marks with as_of.")
        .errors(&[Code::NotFound, Code::HistoryTooFar]),
        get(
            Access::Scope(Scope::PnlView),
            "/api/v1/pnl/history",
            named("pnlHistory", "Positions and profit as closed days left them"),
            history,
        )
        .parameters(&[
            query("account_id", "uuid", "Of this account alone."),
            query("symbol", "token", "In this instrument alone."),
            query("from", "count", "Not before this day: 20261121."),
            query("to", "count", "Not after this day."),
            LIMIT,
            query("cursor", "string", "`next` of the page before."),
        ])
        .json(200, "FrozenPage", "A page, the newest day first.")
        .errors(&[Code::NotFound]),
        get(Access::Scope(Scope::PnlView), "/api/v1/fx-rates", named("listFxRates", "The recorded currency rates"), rates).json(
            200,
            "FxRateList",
            "Every rate.",
        ),
    ]
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
