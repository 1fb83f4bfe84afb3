//! Reading orders.

use super::{Endpoint, Parameter, get, query};
use crate::call::{Access, Call};
use crate::catalog::Catalog;
use crate::json::Writer;
use crate::json::orders::{ORDER_FIELDS, order_fields, write_order};
use crate::past;
use crate::query::Params;
use crate::reply;
use axum::response::Response;
use http::StatusCode;
use oms_identity::Scope;
use oms_model::command::OrderRef;
use oms_model::{Code, Order, OrderId, Refusal};
use oms_runtime::history::{AsOf, Moment};
use oms_store::views::{Filter, ListQuery, Op, Resource, Sort};
use std::collections::BTreeMap;

/// Parameters of every list.
pub(super) const LIST: &[Parameter] = &[
    query("limit", "integer(1..500)", "Items of a page: 1 to 500, 100 where it is not given."),
    query("cursor", "string", "`next` of the page before, of the same query."),
    query("sort", "string", "Fields, the most important first, a minus for descending: `-created_at,symbol`."),
];
/// The past that is meant.
pub(super) const AS_OF: Parameter = query("as_of", "moment", "What was known then: a time, or a sequence.");
/// Which fields are shown.
pub(super) const FIELDS: Parameter = query("fields", "string", "Only these fields, separated by commas.");

pub(super) fn endpoints() -> Vec<Endpoint> {
    let named = |id, summary| (id, "orders", summary);
    let list = |path, id| {
        get(Access::Scope(Scope::OrdersView), path, named(id, "List orders; client orders unless is_root or a parent is asked for"), list)
            .parameters(LIST)
            .parameters(&[FIELDS, AS_OF])
            .filters(Resource::Orders)
            .json(200, "OrderPage", "A page of orders.")
            .errors(&[Code::HistoryTooFar, Code::QueryTooBroad])
    };
    vec![
        list("/api/v1/orders", "listOrders"),
        list("/v1/orders", "listOrdersAlias"),
        get(
            Access::Scope(Scope::OrdersView),
            "/api/v1/orders/{order_id}",
            named("getOrder", "An order, by its id or as cl_ord_id:<id>"),
            one,
        )
        .parameters(&[FIELDS, AS_OF])
        .json(200, "Order", "The order as it stands.")
        .errors(&[Code::NotFound, Code::HistoryTooFar]),
        get(
            Access::Scope(Scope::OrdersView),
            "/api/v1/orders/{order_id}/tree",
            named("getOrderTree", "The whole tree that an order belongs to"),
            tree,
        )
        .parameters(&[AS_OF])
        .json(200, "OrderTree", "The client order with its legs.")
        .errors(&[Code::NotFound, Code::HistoryTooFar]),
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
    let as_of = past::as_of(&mut params)?;
    let mut asked = list_query(params)?;
    let about_tree = |filter: &Filter| matches!(filter.field.as_str(), "is_root" | "parent_order_id" | "root_order_id" | "order_id");
    if !asked.filters.iter().any(about_tree) {
        asked.filters.push(Filter::new("is_root", Op::Eq, "true"));
    }
    let moment = match as_of {
        None => None,
        Some(as_of) => {
            only_what_never_changes(&asked)?;
            let moment = call.api.moment(as_of).await?;
            asked.filters.push(Filter::new("created_seq", Op::Lte, moment.seq.to_string()));
            Some(moment)
        }
    };
    let mut page = call.api.query(move |views| views.orders(&asked)).await?;
    if let Some(moment) = moment {
        let ids = page.items.iter().map(|order| order.order_id).collect();
        page.items = call.api.orders_at(ids, moment).await?;
        page.seq = moment.seq;
    }
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

/// What an order has from its beginning to its end, so that it can be asked for in any past.
const NEVER_CHANGES: &[&str] = &[
    "order_id",
    "parent_order_id",
    "root_order_id",
    "is_root",
    "cl_ord_id",
    "account_id",
    "user_id",
    "instrument_id",
    "symbol",
    "side",
    "ord_type",
    "time_in_force",
    "source",
    "venue",
    "created_at",
    "created_seq",
];

/// The views know the orders as they are, so a question about the past may not depend on what has changed since.
fn only_what_never_changes(asked: &ListQuery) -> Result<(), Refusal> {
    let filtered = asked.filters.iter().map(|filter| &filter.field);
    match filtered.chain(asked.sort.iter().map(|sort| &sort.field)).find(|field| !NEVER_CHANGES.contains(&field.as_str())) {
        None => Ok(()),
        Some(field) => {
            let message =
                format!("{field} changes over an order's life, so a list as_of a past moment can neither be filtered nor sorted by it");
            Err(Refusal::new(Code::ValidationError, message).with("parameter", field).with("known", NEVER_CHANGES.join(", ")))
        }
    }
}

/// The order that a path names, as it was; the moment with it.
async fn find_at(call: &Call, as_of: AsOf) -> Result<(Order, Moment), Refusal> {
    let moment = call.api.moment(as_of).await?;
    let order = find(call).await?;
    if order.created_seq > moment.seq {
        return Err(no_such_order(&call.id).with("as_of", moment.seq));
    }
    let order = call.api.orders_at(vec![order.order_id], moment).await?.pop();
    Ok((order.ok_or_else(|| no_such_order(&call.id))?, moment))
}

async fn one(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let fields = params.fields(ORDER_FIELDS)?;
    let as_of = past::as_of(&mut params)?;
    params.end()?;
    let (order, moment) = match as_of {
        None => (find(&call).await?, None),
        Some(as_of) => find_at(&call, as_of).await.map(|(order, moment)| (order, Some(moment)))?,
    };
    let catalog = call.api.catalog_now().await?;
    let mut w = Writer::with_capacity(1_024);
    w.select(&fields);
    write_order(&mut w, &order, &catalog);
    let mut response = reply::json(StatusCode::OK, w.finish(), call.trace_id);
    match moment {
        // The version of then is no version to change the order by.
        Some(moment) => reply::sequence(&mut response, moment.seq),
        None => reply::etag(&mut response, order.version),
    }
    Ok(response)
}

async fn tree(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let as_of = past::as_of(&mut params)?;
    params.end()?;
    if let Some(as_of) = as_of {
        let moment = call.api.moment(as_of).await?;
        let root_id = find(&call).await?.root_order_id;
        let mut response = write_tree(&call, &call.api.tree_at(root_id, moment).await?).await?;
        response.headers_mut().remove(http::header::ETAG);
        reply::sequence(&mut response, moment.seq);
        return Ok(response);
    }
    let order = order_ref(&call.id)?;
    let orders = call
        .api
        .query(move |views| match views.order(&order)? {
            Some(order) => views.tree(order.root_order_id),
            None => Ok(Vec::new()),
        })
        .await?;
    write_tree(&call, &orders).await
}

/// A tree with its root at the top.
async fn write_tree(call: &Call, orders: &[Order]) -> Result<Response, Refusal> {
    let root = orders.iter().find(|order| order.is_root()).ok_or_else(|| no_such_order(&call.id))?;
    let catalog = call.api.catalog_now().await?;
    let mut children: BTreeMap<OrderId, Vec<&Order>> = BTreeMap::new();
    for order in orders {
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
