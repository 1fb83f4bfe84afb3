//! Last quotes and trades.

use super::positions::no_such_instrument;
use super::{Endpoint, get};
use crate::call::{Access, Call};
use crate::json::Writer;
use crate::json::orders::{market_fields, venue_quotes};
use crate::reply;
use axum::response::Response;
use http::StatusCode;
use oms_identity::Scope;
use oms_model::{Code, Refusal};

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
    ]
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
