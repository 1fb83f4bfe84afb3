//! Executions.

use super::orders::{FIELDS, LIST, list_query};
use super::{Endpoint, LIMIT, get, query};
use crate::call::{Access, Call};
use crate::json::Writer;
use crate::json::events::write_unmatched_charge;
use crate::reply;
use axum::response::Response;
use http::StatusCode;
use oms_engine::State;
use oms_identity::Scope;
use oms_model::{Order, Refusal, Seq};
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
    "exec_type",
    "manual",
];
/// The fields of an execution in suspense.
pub const SUSPENSE_FIELDS: &[&str] =
    &["seq", "exec_id", "venue", "wire_id", "last_qty", "last_px", "transact_time", "recorded_at", "exec_ref", "commission", "currency"];
/// The fields of an order that was executed beyond its quantity.
pub const OVERFILL_FIELDS: &[&str] = &["order_id", "cl_ord_id", "account_id", "symbol", "side", "order_qty", "cum_qty", "over_qty"];

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        get(Access::Scope(Scope::OrdersView), "/api/v1/executions", ("listExecutions", "executions", "List executions"), list)
            .parameters(LIST)
            .parameters(&[FIELDS])
            .filters(Resource::Executions)
            .json(200, "ExecutionPage", "A page of executions."),
        get(
            Access::Scope(Scope::OrdersView),
            "/api/v1/executions/suspense",
            ("listSuspense", "executions", "List executions that match no order and about which nobody has decided"),
            suspense,
        )
        .parameters(&[LIMIT, query("cursor", "string", "`next` of the page before.")])
        .json(200, "SuspensePage", "A page of executions, the newest first."),
        get(
            Access::Scope(Scope::OrdersView),
            "/api/v1/executions/overfills",
            ("listOverfills", "executions", "List orders that were executed beyond their quantity"),
            overfills,
        )
        .json(200, "OverfillList", "At most 500 orders; a bust, a correction or a larger quantity takes one out."),
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

async fn suspense(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let limit = params.limit()?;
    let before: Option<u64> = params.parsed("cursor")?;
    params.end()?;
    let rows = call.api.query(move |views| views.suspense(before.map(Seq), limit)).await?;
    let next = rows.last().filter(|_| rows.len() == limit as usize).map(|row| row.seq);
    let mut w = Writer::with_capacity(128 + 256 * rows.len());
    w.object(|w| {
        w.array_at("data", &rows, |w, row| {
            w.object(|w| {
                let execution = &row.execution;
                w.number("seq", row.seq.0);
                w.string("exec_id", execution.exec_id.as_str());
                w.text("venue", execution.venue);
                w.string("wire_id", &execution.wire_id);
                w.text("last_qty", execution.last_qty);
                w.text("last_px", execution.last_px);
                w.time("transact_time", execution.transact_time);
                w.time("recorded_at", row.recorded_at);
                w.string_or_null("exec_ref", execution.exec_ref.as_ref().map(oms_model::ExecId::as_str));
                write_unmatched_charge(w, execution);
            });
        });
        w.text_or_null("next", next);
    });
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

async fn overfills(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let found = |state: &State| -> Vec<Order> {
        state.overfilled().filter_map(|id| state.order(id).cloned()).take(crate::query::MAX_LIMIT as usize).collect()
    };
    let orders = call.api.handle().inspect(move |state, _| found(state)).await?;
    let catalog = call.api.catalog_now().await?;
    let mut w = Writer::with_capacity(128 + 256 * orders.len());
    w.object(|w| {
        w.array_at("data", &orders, |w, order| {
            w.object(|w| {
                w.text("order_id", order.order_id);
                w.string("cl_ord_id", order.cl_ord_id.as_str());
                w.text("account_id", order.account_id);
                w.string("symbol", catalog.symbol(order.instrument_id));
                w.text("side", order.side);
                w.text("order_qty", order.order_qty);
                w.text("cum_qty", order.cum_qty);
                w.text("over_qty", order.over_qty());
            });
        });
    });
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

/// An execution.
pub(crate) fn write_execution(w: &mut Writer, row: &ExecutionRow) {
    let execution = &row.execution;
    w.selected(|w| {
        w.number("seq", row.seq.0);
        w.string("exec_id", execution.exec_id.as_str());
        w.text_or_null("order_id", oms_model::event::named(execution.order_id));
        w.text_or_null("root_order_id", oms_model::event::named(execution.root_order_id));
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
        w.text("exec_type", row.exec_type);
        w.bool("manual", execution.manual);
    });
}
