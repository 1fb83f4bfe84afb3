//! Last quotes and trades.

use super::positions::no_such_instrument;
use super::{Endpoint, LIMIT, get, query};
use crate::call::{Access, Call};
use crate::json::Writer;
use crate::json::orders::{market_fields, venue_quotes};
use crate::query::bad_parameter;
use crate::reply;
use axum::response::Response;
use http::StatusCode;
use oms_identity::Scope;
use oms_model::{Code, Refusal};
use oms_runtime::market::Span;

/// The spans of bars, as the description has them.
pub(crate) const SPANS: &str = "one(1m,5m,1d)";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        get(
            Access::Scope(Scope::MarketdataSubscribe),
            "/api/v1/marketdata/last/{symbol}",
            ("getLast", "marketdata", "The market in an instrument as it is now: the best, and each venue's own quote"),
            last,
        )
        .json(200, "MarketSnapshot", "The market.")
        .errors(&[Code::NotFound]),
        get(
            Access::Scope(Scope::MarketdataSubscribe),
            "/api/v1/marketdata/bars/{symbol}",
            ("getBars", "marketdata", "How the price of an instrument moved: the newest 500 bars at most, over restarts of the desk"),
            bars,
        )
        .parameters(&[query("span", SPANS, "A day is one of UTC; 1m where it is not given."), LIMIT])
        .json(200, "BarList", "The newest bars, oldest first; a stretch in which nothing was received has none.")
        .errors(&[Code::NotFound]),
    ]
}

async fn bars(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let limit = params.limit()? as usize;
    let named = params.take("span");
    params.end()?;
    let span = named.as_deref().map_or(Some(Span::Minute), |text| Span::ALL.into_iter().find(|span| span.name() == text));
    let span = span.ok_or_else(|| bad_parameter("span", "is 1m, 5m or 1d"))?;
    let catalog = call.api.catalog_now().await?;
    let instrument = catalog.instrument_named(&call.id).ok_or_else(|| no_such_instrument(&call.id))?;
    let found = call.api.handle().market().bars(instrument.instrument_id, span, limit);
    let mut w = Writer::with_capacity(64 + 160 * found.len());
    w.object(|w| {
        w.string("symbol", instrument.symbol.as_str());
        w.text("span", span.name());
        w.array_at("data", &found, |w, bar| {
            w.object(|w| {
                w.time("at", bar.at);
                w.text("open", bar.open);
                w.text("high", bar.high);
                w.text("low", bar.low);
                w.text("close", bar.close);
                w.text("volume", bar.volume);
            });
        });
    });
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

async fn last(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let catalog = call.api.catalog_now().await?;
    let instrument = catalog.instrument_named(&call.id).ok_or_else(|| no_such_instrument(&call.id))?;
    let book = call.api.handle().market();
    // The version is read first: what is shown is that old at most.
    let version = book.version(instrument.instrument_id);
    let market = book.get(instrument.instrument_id);
    let mut w = Writer::with_capacity(2_048);
    w.object(|w| {
        market_fields(w, instrument.symbol.as_str(), version, &market);
        venue_quotes(w, &market);
    });
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_has_every_span() {
        assert_eq!(SPANS, format!("one({})", Span::ALL.map(Span::name).join(",")));
    }
}
