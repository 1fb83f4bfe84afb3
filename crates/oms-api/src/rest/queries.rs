//! The query API: one search for each resource, all with the same grammar of filters, order, pages and fields.

use super::orders::{FIELDS, LIST, list_query};
use super::positions::POSITION_FIELDS;
use super::{Endpoint, executions, get, orders};
use crate::call::{Access, Call};
use crate::json::Writer;
use crate::json::orders::position_fields;
use crate::reply;
use axum::response::Response;
use http::StatusCode;
use oms_model::Refusal;
use oms_store::views::Resource;

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
        .parameters(&[FIELDS])
        .filters(Resource::Orders)
        .json(200, "OrderPage", "A page of orders."),
        get(Access::Key, "/api/v1/queries/executions/search", named("searchExecutions", "Search executions"), executions::list)
            .parameters(LIST)
            .parameters(&[FIELDS])
            .filters(Resource::Executions)
            .json(200, "ExecutionPage", "A page of executions."),
        get(Access::Key, "/api/v1/queries/positions/search", named("searchPositions", "Search positions"), search_positions)
            .parameters(LIST)
            .parameters(&[FIELDS])
            .filters(Resource::Positions)
            .json(200, "PositionPage", "A page of positions, marked to the market as it is now."),
    ]
}

async fn search_positions(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let fields = params.fields(POSITION_FIELDS)?;
    let asked = list_query(params)?;
    let page = call.api.query(move |views| views.search_positions(&asked)).await?;
    let catalog = call.api.catalog_now().await?;
    let mut w = Writer::with_capacity(256 + 512 * page.items.len());
    w.select(&fields);
    w.object(|w| {
        w.array_at("data", &page.items, |w, position| {
            let market = call.api.handle().market().get(position.instrument_id);
            w.selected(|w| position_fields(w, position, &market, &catalog));
        });
        w.string_or_null("next", page.next.as_deref());
    });
    let mut response = reply::json(StatusCode::OK, w.finish(), call.trace_id);
    reply::sequence(&mut response, page.seq);
    Ok(response)
}
