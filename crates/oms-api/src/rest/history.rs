//! What happened to an order: its events, its executions, and why.

use super::executions;
use super::orders::{AS_OF, FIELDS, LIST, find, no_such_order};
use super::{Endpoint, LIMIT, get, query};
use crate::call::{Access, Call};
use crate::json::Writer;
use crate::json::events::write_event;
use crate::past::{self, Found, batches};
use crate::query::bad_parameter;
use crate::{reply, why};
use axum::response::Response;
use http::StatusCode;
use http::header::ACCEPT;
use oms_identity::Scope;
use oms_model::{Code, OrderId, Refusal, Seq};
use oms_store::views::{Filter, Op, Resource};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let named = |id, summary| (id, "orders", summary);
    vec![
        get(
            Access::Scope(Scope::OrdersView),
            "/api/v1/orders/{order_id}/events",
            named("getOrderEvents", "The events of an order, oldest first"),
            events,
        )
        .parameters(&[
            query("tree", "boolean", "Whether events of the whole tree are shown; true where it is not given."),
            query("after", "count", "Only events after this sequence."),
            LIMIT,
        ])
        .json(200, "EventPage", "A page of events.")
        .errors(&[Code::NotFound]),
        get(
            Access::Scope(Scope::OrdersView),
            "/api/v1/orders/{order_id}/executions",
            named("getOrderExecutions", "The executions of an order and its legs"),
            order_executions,
        )
        .parameters(LIST)
        .parameters(&[FIELDS])
        .filters(Resource::Executions)
        .json(200, "ExecutionPage", "A page of executions.")
        .errors(&[Code::NotFound]),
        get(
            Access::Scope(Scope::OrdersView),
            "/api/v1/orders/{order_id}/why",
            named("explainOrder", "Why the order is as it is: every check, every route, every answer"),
            explain,
        )
        .parameters(&[query("format", "one(json,text)", "`json` or `text`; the Accept header decides where it is not given."), AS_OF])
        .json(200, "Why", "The causal page.")
        .media(200, "text/plain", "The same for people.")
        .errors(&[Code::NotFound]),
    ]
}

async fn events(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let whole_tree = params.parsed("tree")?.unwrap_or(true);
    let after = Seq(params.parsed("after")?.unwrap_or(0));
    let limit = params.limit()?;
    params.end()?;
    let order_id = find(&call).await?.order_id;
    let refs = call.api.query(move |views| views.event_seqs(order_id, whole_tree, after, limit)).await?;
    let next = (refs.len() == limit as usize).then(|| refs.last().map(|event| event.seq)).flatten();
    let api = call.api.clone();
    let found = call.api.blocking(move || batches(&api, &refs)).await?;
    let catalog = call.api.catalog_now().await?;
    let mut w = Writer::with_capacity(4_096);
    w.object(|w| {
        let all = found.iter().flat_map(|(batch, seqs)| seqs.iter().map(move |seq| (batch, *seq)));
        w.array_at("data", all, |w, (batch, seq)| {
            if let Some((_, event)) = batch.numbered().find(|(at, _)| *at == seq) {
                write_event(w, seq, batch, event, &catalog);
            }
        });
        match next {
            Some(seq) => w.number("next", seq.0),
            None => w.null("next"),
        }
    });
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

async fn order_executions(call: Call) -> Result<Response, Refusal> {
    let order = find(&call).await?;
    let field = if order.is_root() { "root_order_id" } else { "order_id" };
    executions::page(call, Some(Filter::new(field, Op::Eq, order.order_id.to_string()))).await
}

async fn explain(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let format = params.take("format");
    let as_of = past::as_of(&mut params)?;
    params.end()?;
    let as_text = match format.as_deref() {
        Some("text") => true,
        Some("json") => false,
        Some(_) => return Err(bad_parameter("format", "must be json or text")),
        None => {
            call.headers.get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.trim().starts_with("text/plain"))
        }
    };
    let asked = find(&call).await?;
    let (root_id, order_id) = (asked.root_order_id, asked.order_id);
    let until = match as_of {
        None => Seq(u64::MAX),
        Some(as_of) => call.api.moment(as_of).await?.seq,
    };
    if asked.created_seq > until {
        return Err(no_such_order(&call.id));
    }
    let found = call.api.events_of_tree(root_id, until).await?;
    let catalog = call.api.catalog_now().await?;
    let page = page_of(order_id, &found);
    if as_text {
        return Ok(reply::text(StatusCode::OK, why::text::render(&page, &catalog), call.trace_id));
    }
    Ok(reply::json(StatusCode::OK, why::json(&page, &catalog), call.trace_id))
}

fn page_of(asked: OrderId, found: &[Found]) -> why::Why {
    let mut page = why::Why::new(asked);
    for (batch, seqs) in found {
        for (seq, event) in batch.numbered().filter(|(seq, _)| seqs.contains(seq)) {
            page.add(seq, batch, event);
        }
    }
    page
}
