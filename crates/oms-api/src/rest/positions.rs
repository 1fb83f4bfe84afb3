//! Positions: now, marked to the market; or as they were.

use super::orders::{AS_OF, FIELDS};
use super::{Endpoint, LIMIT, get, query};
use crate::call::{Access, Call};
use crate::json::Writer;
use crate::json::orders::position_fields;
use crate::query::bad_parameter;
use crate::{past, reply};
use axum::response::Response;
use http::StatusCode;
use oms_identity::Scope;
use oms_model::market::Market;
use oms_model::position::Position;
use oms_model::{AccountId, Code, InstrumentId, Refusal};
use oms_runtime::history::{AsOf, Moment};
use oms_store::views::PositionFilter;

/// The fields of a position.
pub const POSITION_FIELDS: &[&str] = &[
    "account_id",
    "symbol",
    "qty",
    "avg_cost",
    "cost",
    "bought_qty",
    "bought_notional",
    "sold_qty",
    "sold_notional",
    "realized",
    "fees",
    "mark",
    "mark_at",
    "market_value",
    "unrealized",
    "lots",
];

pub(super) fn endpoints() -> Vec<Endpoint> {
    let account = query("account_id", "uuid", "Of this account alone.");
    vec![
        get(Access::Scope(Scope::PositionsView), "/api/v1/positions", ("listPositions", "positions", "List positions"), list)
            .parameters(&[
                account,
                query("symbol", "token", "In this instrument alone."),
                query("open", "boolean", "true: without those that are flat."),
                LIMIT,
                query("cursor", "string", "`next` of the page before."),
                FIELDS,
                AS_OF,
            ])
            .json(200, "PositionPage", "A page of positions.")
            .errors(&[Code::NotFound, Code::HistoryTooFar]),
        get(
            Access::Scope(Scope::PositionsView),
            "/api/v1/positions/{symbol}",
            ("getPosition", "positions", "The position in an instrument"),
            one,
        )
        .parameters(&[account, FIELDS, AS_OF])
        .json(200, "Position", "The position; flat where nothing was ever executed.")
        .errors(&[Code::NotFound, Code::HistoryTooFar]),
    ]
}

async fn list(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let fields = params.fields(POSITION_FIELDS)?;
    let account_id: Option<AccountId> = params.parsed("account_id")?;
    let symbol = params.take("symbol");
    let open_only = params.parsed("open")?.unwrap_or(false);
    let limit = params.limit()?;
    let after = params.take("cursor").map(|text| cursor(&text)).transpose()?;
    let as_of = past::as_of(&mut params)?;
    params.end()?;
    let catalog = call.api.catalog_now().await?;
    let instrument_id = match symbol {
        Some(symbol) => Some(catalog.instrument_named(&symbol).ok_or_else(|| no_such_instrument(&symbol))?.instrument_id),
        None => None,
    };
    let filter = PositionFilter { account_id, instrument_id, open_only, after, limit };
    let (positions, moment) = positions(&call, filter, as_of).await?;
    let next = positions.last().filter(|_| positions.len() == limit as usize);
    let mut w = Writer::with_capacity(256 + 512 * positions.len());
    w.select(&fields);
    w.object(|w| {
        w.array_at("data", &positions, |w, position| {
            let market = mark(&call, position.instrument_id, moment);
            w.selected(|w| position_fields(w, position, &market, &catalog));
        });
        w.text_or_null("next", next.map(|last| format!("{}.{}", last.account_id, last.instrument_id.0)));
    });
    Ok(answer(&call, w, moment))
}

/// These positions: as they are, or as they were at the moment that is answered with them.
async fn positions(call: &Call, filter: PositionFilter, as_of: Option<AsOf>) -> Result<(Vec<Position>, Option<Moment>), Refusal> {
    if as_of.is_none() {
        return Ok((call.api.query(move |views| views.positions(&filter)).await?, None));
    }
    let wanted = move |position: &&Position| {
        filter.account_id.is_none_or(|id| id == position.account_id)
            && filter.instrument_id.is_none_or(|id| id == position.instrument_id)
            && !(filter.open_only && position.qty.is_zero())
            && filter.after.is_none_or(|after| (position.account_id, position.instrument_id) > after)
    };
    call.api.state_as_of(as_of, move |state, _| state.positions().filter(wanted).take(filter.limit as usize).cloned().collect()).await
}

/// The market that marks a position. The log does not hold the markets of the past, so there is none for a past moment.
pub(super) fn mark(call: &Call, instrument_id: InstrumentId, moment: Option<Moment>) -> Market {
    if moment.is_some() { Market::default() } else { call.api.handle().market().get(instrument_id) }
}

pub(super) fn answer(call: &Call, w: Writer, moment: Option<Moment>) -> Response {
    let mut response = reply::json(StatusCode::OK, w.finish(), call.trace_id);
    if let Some(moment) = moment {
        reply::sequence(&mut response, moment.seq);
    }
    response
}

fn cursor(text: &str) -> Result<(AccountId, InstrumentId), Refusal> {
    let parts = text.split_once('.').and_then(|(account, instrument)| {
        let account: AccountId = account.parse().ok()?;
        Some((account, InstrumentId(instrument.parse().ok()?)))
    });
    parts.ok_or_else(|| bad_parameter("cursor", "is not one of ours"))
}

/// There is no such instrument.
pub(super) fn no_such_instrument(symbol: &str) -> Refusal {
    Refusal::new(Code::NotFound, format!("there is no instrument {symbol:?}")).with("symbol", symbol)
}

async fn one(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let fields = params.fields(POSITION_FIELDS)?;
    let account_id: Option<AccountId> = params.parsed("account_id")?;
    let as_of = past::as_of(&mut params)?;
    params.end()?;
    let catalog = call.api.catalog_now().await?;
    let instrument_id = catalog.instrument_named(&call.id).ok_or_else(|| no_such_instrument(&call.id))?.instrument_id;
    let account_id = match account_id {
        Some(id) if catalog.accounts.contains_key(&id) => id,
        Some(id) => return Err(Refusal::new(Code::NotFound, "there is no such account").with("account_id", id)),
        None => match (catalog.accounts.keys().next(), catalog.accounts.len()) {
            (Some(only), 1) => *only,
            _ => return Err(bad_parameter("account_id", "is needed: the tenant has not exactly one account")),
        },
    };
    let filter = PositionFilter { account_id: Some(account_id), instrument_id: Some(instrument_id), limit: 1, ..PositionFilter::default() };
    let (found, moment) = positions(&call, filter, as_of).await?;
    let position = found.into_iter().next().unwrap_or(Position { account_id, instrument_id, ..Position::default() });
    let market = mark(&call, instrument_id, moment);
    let mut w = Writer::with_capacity(512);
    w.select(&fields);
    w.selected(|w| position_fields(w, &position, &market, &catalog));
    Ok(answer(&call, w, moment))
}
