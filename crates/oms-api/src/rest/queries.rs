//! The query API: one search for each resource, all with the same grammar of filters, order, pages and fields.

use super::orders::{AS_OF, FIELDS, LIST, list_query};
use super::positions::{POSITION_FIELDS, answer, mark};
use super::{Endpoint, executions, get, groups, orders};
use crate::call::{Access, Call};
use crate::catalog::Catalog;
use crate::json::Writer;
use crate::json::orders::position_fields;
use crate::json::quotes::{quote_fields, request_fields};
use crate::past;
use axum::response::Response;
use oms_engine::State;
use oms_identity::Scope;
use oms_model::position::Position;
use oms_model::quote::{Quote, QuoteRequest};
use oms_model::{Code, Refusal};
use oms_store::views::Resource;
use oms_store::views::query::{Cell, search};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let named = |id, summary| (id, "queries", summary);
    vec![
        get(
            Access::Scope(Scope::OrdersView),
            "/api/v1/queries/orders/search",
            named("searchOrders", "Search orders; client orders unless is_root or a parent is asked for"),
            orders::list,
        )
        .parameters(LIST)
        .parameters(&[FIELDS, AS_OF])
        .filters(Resource::Orders)
        .json(200, "OrderPage", "A page of orders."),
        get(
            Access::Scope(Scope::OrdersView),
            "/api/v1/queries/executions/search",
            named("searchExecutions", "Search executions"),
            executions::list,
        )
        .parameters(LIST)
        .parameters(&[FIELDS])
        .filters(Resource::Executions)
        .json(200, "ExecutionPage", "A page of executions."),
        get(
            Access::Scope(Scope::PositionsView),
            "/api/v1/queries/positions/search",
            named("searchPositions", "Search positions"),
            search_positions,
        )
        .parameters(LIST)
        .parameters(&[FIELDS, AS_OF])
        .filters(Resource::Positions)
        .json(200, "PositionPage", "A page of positions, marked to the market as it is now; not marked where a past is asked for."),
        get(
            Access::Scope(Scope::OrdersView),
            "/api/v1/queries/quote-requests/search",
            named("searchQuoteRequests", "Search requests for quotes: the open ones and the last that have ended"),
            search_requests,
        )
        .parameters(LIST)
        .parameters(&[FIELDS, AS_OF])
        .filters(Resource::QuoteRequests)
        .json(200, "QuoteRequestPage", "A page of requests."),
        get(
            Access::Scope(Scope::OrdersView),
            "/api/v1/queries/quotes/search",
            named("searchQuotes", "Search quotes: those of the requests that can be searched"),
            search_quotes,
        )
        .parameters(LIST)
        .parameters(&[FIELDS, AS_OF])
        .filters(Resource::Quotes)
        .json(200, "QuotePage", "A page of quotes."),
        get(
            Access::Scope(Scope::OrdersView),
            "/api/v1/queries/allocations/search",
            named("searchAllocations", "Search allocations: what is shared out of the groups that are kept, and what waits to be approved"),
            search_allocations,
        )
        .parameters(LIST)
        .parameters(&[FIELDS, AS_OF])
        .filters(Resource::Allocations)
        .json(200, "AllocationPage", "A page of allocations."),
    ]
}

async fn search_positions(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let fields = params.fields(POSITION_FIELDS)?;
    let as_of = past::as_of(&mut params)?;
    let asked = list_query(params)?;
    let catalog = call.api.catalog_now().await?;
    let (all, moment) = call.api.state_as_of(as_of, |state, _| state.positions().cloned().collect::<Vec<_>>()).await?;
    let found = search(Resource::Positions, &asked, all, |position, field| cell(position, field, &catalog));
    let (found, next) = found.map_err(|error| Refusal::new(Code::ValidationError, error.to_string()))?;
    let mut w = Writer::with_capacity(256 + 512 * found.len());
    w.select(&fields);
    w.object(|w| {
        w.array_at("data", &found, |w, position| {
            let market = mark(&call, position.instrument_id, moment);
            w.selected(|w| position_fields(w, position, &market, &catalog));
        });
        w.string_or_null("next", next.as_deref());
    });
    Ok(answer(&call, w, moment))
}

/// What a position has in a field that it can be asked by.
fn cell(position: &Position, field: &str, catalog: &Catalog) -> Cell {
    match field {
        "account_id" => Cell::id(position.account_id.as_u128()),
        "instrument_id" => Cell::int(position.instrument_id.0),
        "symbol" => Cell::text(catalog.symbol(position.instrument_id)),
        "is_open" => Cell::bool(!position.qty.is_zero()),
        "qty" => Cell::qty(position.qty),
        "bought_qty" => Cell::qty(position.bought_qty),
        "sold_qty" => Cell::qty(position.sold_qty),
        "realized" => Cell::money(position.realized),
        "fees" => Cell::money(position.fees),
        _ => Cell::missing(),
    }
}

/// Searches what the state holds, now or in the past, and writes the page.
async fn search_state<T: Clone + Send + 'static>(
    call: &Call,
    (resource, known): (Resource, &[&str]),
    all: fn(&State) -> Vec<T>,
    cell: impl Fn(&T, &str, &Catalog) -> Cell,
    write: impl Fn(&mut Writer, &T, &Catalog),
) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let fields = params.fields(known)?;
    let as_of = past::as_of(&mut params)?;
    let asked = list_query(params)?;
    let catalog = call.api.catalog_now().await?;
    let (all, moment) = call.api.state_as_of(as_of, move |state, _| all(state)).await?;
    let found = search(resource, &asked, all, |row, field| cell(row, field, &catalog));
    let (found, next) = found.map_err(|error| Refusal::new(Code::ValidationError, error.to_string()))?;
    let mut w = Writer::with_capacity(256 + 512 * found.len());
    w.select(&fields);
    w.object(|w| {
        w.array_at("data", &found, |w, row| w.selected(|w| write(w, row, &catalog)));
        w.string_or_null("next", next.as_deref());
    });
    Ok(answer(call, w, moment))
}

async fn search_requests(call: Call) -> Result<Response, Refusal> {
    let known = (Resource::QuoteRequests, REQUEST_FIELDS);
    search_state(&call, known, |state| state.quote_requests().cloned().collect(), request_cell, request_fields).await
}

async fn search_quotes(call: Call) -> Result<Response, Refusal> {
    let known = (Resource::Quotes, QUOTE_FIELDS);
    search_state(&call, known, |state| state.quotes().cloned().collect(), quote_cell, |w, quote, _| quote_fields(w, quote)).await
}

async fn search_allocations(call: Call) -> Result<Response, Refusal> {
    search_state(&call, (Resource::Allocations, ALLOCATION_FIELDS), groups::allocations, allocation_cell, groups::allocation_row).await
}

/// The fields of an allocation.
const ALLOCATION_FIELDS: &[&str] = &[
    "status",
    "alloc_id",
    "group_order_id",
    "account_id",
    "symbol",
    "side",
    "rule",
    "qty",
    "notional",
    "avg_px",
    "lot",
    "transact_time",
    "shares",
];

fn allocation_cell((status, allocation): &groups::Listed, field: &str, catalog: &Catalog) -> Cell {
    match field {
        "alloc_id" => Cell::id(allocation.alloc_id.as_u128()),
        "group_order_id" => Cell::id(allocation.group_order_id.as_u128()),
        "account_id" => Cell::id(allocation.account_id.as_u128()),
        "symbol" => Cell::text(catalog.symbol(allocation.instrument_id)),
        "side" => Cell::int(allocation.side.code()),
        "status" => Cell::text(status),
        "qty" => Cell::qty(allocation.qty),
        "notional" => Cell::money(allocation.notional),
        "transact_time" => Cell::time(allocation.transact_time),
        _ => Cell::missing(),
    }
}

/// The fields of a request for quotes.
const REQUEST_FIELDS: &[&str] = &[
    "quote_req_id",
    "account_id",
    "user_id",
    "symbol",
    "side",
    "order_qty",
    "dealers",
    "expire_at",
    "state",
    "quotes",
    "order_id",
    "version",
    "created_seq",
    "created_at",
    "updated_at",
];

/// The fields of a quote.
const QUOTE_FIELDS: &[&str] = &[
    "quote_id",
    "quote_req_id",
    "dealer",
    "quote_ref",
    "bid_px",
    "bid_size",
    "offer_px",
    "offer_size",
    "valid_until",
    "state",
    "replaced_by",
    "order_id",
    "text",
    "created_seq",
    "created_at",
    "updated_at",
];

fn request_cell(request: &QuoteRequest, field: &str, catalog: &Catalog) -> Cell {
    match field {
        "quote_req_id" => Cell::id(request.quote_req_id.as_u128()),
        "account_id" => Cell::id(request.account_id.as_u128()),
        "user_id" => Cell::id(request.user_id.as_u128()),
        "symbol" => Cell::text(catalog.symbol(request.instrument_id)),
        "side" => Cell::maybe(request.side.map(|side| Cell::int(side.code()))),
        "order_qty" => Cell::qty(request.order_qty),
        "state" => Cell::int(request.state.code()),
        "order_id" => Cell::maybe(request.order_id.map(|id| Cell::id(id.as_u128()))),
        "expire_at" => Cell::time(request.expire_at),
        "created_seq" => Cell::seq(request.created_seq),
        "created_at" => Cell::time(request.created_at),
        "updated_at" => Cell::time(request.updated_at),
        _ => Cell::missing(),
    }
}

fn quote_cell(quote: &Quote, field: &str, _: &Catalog) -> Cell {
    match field {
        "quote_id" => Cell::id(quote.quote_id.as_u128()),
        "quote_req_id" => Cell::id(quote.quote_req_id.as_u128()),
        "dealer" => Cell::text(quote.dealer.as_str()),
        "quote_ref" => Cell::text(quote.quote_ref.as_str()),
        "bid_px" => Cell::maybe(quote.bid_px.map(Cell::price)),
        "bid_size" => Cell::qty(quote.bid_size),
        "offer_px" => Cell::maybe(quote.offer_px.map(Cell::price)),
        "offer_size" => Cell::qty(quote.offer_size),
        "state" => Cell::int(quote.state.code()),
        "order_id" => Cell::maybe(quote.order_id.map(|id| Cell::id(id.as_u128()))),
        "valid_until" => Cell::time(quote.valid_until),
        "created_seq" => Cell::seq(quote.created_seq),
        "created_at" => Cell::time(quote.created_at),
        "updated_at" => Cell::time(quote.updated_at),
        _ => Cell::missing(),
    }
}
