//! Reading orders.

use super::{Endpoint, Parameter, get, query};
use crate::call::{Access, Call};
use crate::catalog::Catalog;
use crate::json::Writer;
use crate::json::orders::{ORDER_FIELDS, order_fields, write_order};
use crate::query::Params;
use crate::reply;
use axum::response::Response;
use http::StatusCode;
use oms_model::command::OrderRef;
use oms_model::{Code, Order, OrderId, Refusal};
use oms_store::views::{Filter, ListQuery, Op, Resource, Sort};
use std::collections::BTreeMap;

/// Parameters of every list.
pub(super) const LIST: &[Parameter] = &[
    query("limit", "integer", "Items of a page: 1 to 500, 100 where it is not given."),
    query("cursor", "string", "`next` of the page before, of the same query."),
    query("sort", "string", "Fields, the most important first, a minus for descending: `-created_at,symbol`."),
];
/// Which fields are shown.
pub(super) const FIELDS: Parameter = query("fields", "string", "Only these fields, separated by commas.");

pub(super) fn endpoints() -> Vec<Endpoint> {
    let named = |id, summary| (id, "orders", summary);
    let list = |path, id| {
        get(Access::Key, path, named(id, "List orders; client orders unless is_root or a parent is asked for"), list)
            .parameters(LIST)
            .parameters(&[FIELDS])
            .filters(Resource::Orders)
            .json(200, "OrderPage", "A page of orders.")
    };
    vec![
        list("/api/v1/orders", "listOrders"),
        list("/v1/orders", "listOrdersAlias"),
        get(Access::Key, "/api/v1/orders/{order_id}", named("getOrder", "An order, by its id or as cl_ord_id:<id>"), one)
            .parameters(&[FIELDS])
            .json(200, "Order", "The order as it stands.")
            .errors(&[Code::NotFound]),
        get(Access::Key, "/api/v1/orders/{order_id}/tree", named("getOrderTree", "The whole tree that an order belongs to"), tree)
            .json(200, "OrderTree", "The client order with its legs.")
            .errors(&[Code::NotFound]),
    ]
}

/// The order that a path names.
///
/// # Errors
/// `VALIDATION_ERROR` where it is neither an id nor `cl_ord_id:<id>`.
pub(super) fn order_ref(text: &str) -> Result<OrderRef, Refusal> {
    let refusal = |problem: &dyn std::fmt::Display| Refusal::new(Code::ValidationError, format!("the order {text:?} {problem}"));
    match text.strip_prefix("cl_ord_id:") {
        Some(id) => id.parse().map(OrderRef::ClOrdId).map_err(|error| refusal(&error)),
        None => text.parse().map(OrderRef::Id).map_err(|error| refusal(&error)),
    }
}

/// There is no such order.
pub(super) fn no_such_order(text: &str) -> Refusal {
    Refusal::new(Code::NotFound, "there is no such order").with("order", text)
}

/// The order that a path names, as the views know it.
pub(super) async fn find(call: &Call) -> Result<Order, Refusal> {
    let order = order_ref(&call.id)?;
    let found = call.api.query(move |views| views.order(&order)).await?;
    found.ok_or_else(|| no_such_order(&call.id))
}

/// The question of a list: what is neither a page's nor a field's parameter is a filter.
pub(super) fn list_query(mut params: Params) -> Result<ListQuery, Refusal> {
    let limit = Some(params.limit()?);
    let cursor = params.take("cursor");
    let sort = params.take("sort").map(|text| Sort::parse(&text)).unwrap_or_default();
    let filter = |(key, value): (String, String)| {
        Filter::from_pair(&key, &value).map_err(|error| Refusal::new(Code::ValidationError, error.to_string()).with("parameter", key))
    };
    let filters = params.rest().into_iter().map(filter).collect::<Result<_, _>>()?;
    Ok(ListQuery { filters, sort, limit, cursor })
}

pub(super) async fn list(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let fields = params.fields(ORDER_FIELDS)?;
    let mut asked = list_query(params)?;
    let about_tree = |filter: &Filter| matches!(filter.field.as_str(), "is_root" | "parent_order_id" | "root_order_id" | "order_id");
    if !asked.filters.iter().any(about_tree) {
        asked.filters.push(Filter::new("is_root", Op::Eq, "true"));
    }
    let page = call.api.query(move |views| views.orders(&asked)).await?;
    let catalog = call.api.catalog_now().await?;
    let mut w = Writer::with_capacity(256 + 1_024 * page.items.len());
    w.select(&fields);
    w.object(|w| {
        w.array_at("data", &page.items, |w, order| write_order(w, order, &catalog));
        w.string_or_null("next", page.next.as_deref());
    });
    let mut response = reply::json(StatusCode::OK, w.finish(), call.trace_id);
    reply::sequence(&mut response, page.seq);
    Ok(response)
}

async fn one(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let fields = params.fields(ORDER_FIELDS)?;
    params.end()?;
    let order = find(&call).await?;
    let catalog = call.api.catalog_now().await?;
    let mut w = Writer::with_capacity(1_024);
    w.select(&fields);
    write_order(&mut w, &order, &catalog);
    let mut response = reply::json(StatusCode::OK, w.finish(), call.trace_id);
    reply::etag(&mut response, order.version);
    Ok(response)
}

async fn tree(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let order = order_ref(&call.id)?;
    let orders = call
        .api
        .query(move |views| match views.order(&order)? {
            Some(order) => views.tree(order.root_order_id),
            None => Ok(Vec::new()),
        })
        .await?;
    let root = orders.iter().find(|order| order.is_root()).ok_or_else(|| no_such_order(&call.id))?;
    let catalog = call.api.catalog_now().await?;
    let mut children: BTreeMap<OrderId, Vec<&Order>> = BTreeMap::new();
    for order in &orders {
        if let Some(parent) = order.parent_order_id {
            children.entry(parent).or_default().push(order);
        }
    }
    let mut w = Writer::with_capacity(1_024 * orders.len());
    w.object(|w| node(w, root, &children, &catalog, MAX_DEPTH));
    let mut response = reply::json(StatusCode::OK, w.finish(), call.trace_id);
    reply::etag(&mut response, root.version);
    Ok(response)
}

/// How deep a tree is shown.
const MAX_DEPTH: u32 = 16;

fn node(w: &mut Writer, order: &Order, children: &BTreeMap<OrderId, Vec<&Order>>, catalog: &Catalog, depth: u32) {
    order_fields(w, order, catalog);
    let below = children.get(&order.order_id).filter(|_| depth > 0);
    w.array_at("children", below.into_iter().flatten(), |w, child| w.object(|w| node(w, child, children, catalog, depth - 1)));
}
