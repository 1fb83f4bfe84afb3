//! Executions.

use super::orders::{FIELDS, LIST, list_query};
use super::{Endpoint, get};
use crate::call::{Access, Call};
use crate::json::Writer;
use crate::reply;
use axum::response::Response;
use http::StatusCode;
use oms_model::Refusal;
use oms_store::views::{ExecutionRow, Filter, Resource};

/// The fields of an execution.
pub const EXECUTION_FIELDS: &[&str] = &[
    "seq",
    "exec_id",
    "order_id",
    "root_order_id",
    "account_id",
    "symbol",
    "side",
    "venue",
    "last_qty",
    "last_px",
    "liquidity",
    "fee",
    "transact_time",
    "recorded_at",
];

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        get(Access::Key, "/api/v1/executions", ("listExecutions", "executions", "List executions"), list)
            .parameters(LIST)
            .parameters(&[FIELDS])
            .filters(Resource::Executions)
            .json(200, "ExecutionPage", "A page of executions."),
    ]
}

pub(super) async fn list(call: Call) -> Result<Response, Refusal> {
    page(call, None).await
}

/// A page of the executions that the request asks for and that meet `also`.
pub(super) async fn page(call: Call, also: Option<Filter>) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let fields = params.fields(EXECUTION_FIELDS)?;
    let mut asked = list_query(params)?;
    asked.filters.extend(also);
    let page = call.api.query(move |views| views.executions(&asked)).await?;
    let mut w = Writer::with_capacity(256 + 512 * page.items.len());
    w.select(&fields);
    w.object(|w| {
        w.array_at("data", &page.items, write_execution);
        w.string_or_null("next", page.next.as_deref());
    });
    let mut response = reply::json(StatusCode::OK, w.finish(), call.trace_id);
    reply::sequence(&mut response, page.seq);
    Ok(response)
}

fn write_execution(w: &mut Writer, row: &ExecutionRow) {
    let execution = &row.execution;
    w.selected(|w| {
        w.number("seq", row.seq.0);
        w.string("exec_id", execution.exec_id.as_str());
        w.text("order_id", execution.order_id);
        w.text("root_order_id", execution.root_order_id);
        w.text("account_id", execution.account_id);
        w.string("symbol", &row.symbol);
        w.text("side", execution.side);
        w.text("venue", execution.venue);
        w.text("last_qty", execution.last_qty);
        w.text("last_px", execution.last_px);
        w.text("liquidity", execution.liquidity);
        w.text("fee", execution.fee);
        w.time("transact_time", execution.transact_time);
        w.time("recorded_at", row.recorded_at);
    });
}
