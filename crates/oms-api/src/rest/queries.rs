//! The query API: one search for each resource, all with the same grammar of filters, order, pages and fields.

use super::orders::{AS_OF, FIELDS, LIST, list_query};
use super::positions::{POSITION_FIELDS, answer, mark};
use super::{Endpoint, executions, get, orders};
use crate::call::{Access, Call};
use crate::catalog::Catalog;
use crate::json::Writer;
use crate::json::orders::position_fields;
use crate::past;
use axum::response::Response;
use oms_model::position::Position;
use oms_model::{Code, Refusal};
use oms_store::views::Resource;
use oms_store::views::query::{Cell, search};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let named = |id, summary| (id, "queries", summary);
    vec![
        get(
            Access::Key,
            "/api/v1/queries/orders/search",
            named("searchOrders", "Search orders; client orders unless is_root or a parent is asked for"),
            orders::list,
        )
        .parameters(LIST)
        .parameters(&[FIELDS, AS_OF])
        .filters(Resource::Orders)
        .json(200, "OrderPage", "A page of orders."),
        get(Access::Key, "/api/v1/queries/executions/search", named("searchExecutions", "Search executions"), executions::list)
            .parameters(LIST)
            .parameters(&[FIELDS])
            .filters(Resource::Executions)
            .json(200, "ExecutionPage", "A page of executions."),
        get(Access::Key, "/api/v1/queries/positions/search", named("searchPositions", "Search positions"), search_positions)
            .parameters(LIST)
            .parameters(&[FIELDS, AS_OF])
            .filters(Resource::Positions)
            .json(200, "PositionPage", "A page of positions, marked to the market as it is now; not marked where a past is asked for."),
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
