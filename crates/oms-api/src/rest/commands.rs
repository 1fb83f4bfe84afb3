//! Changing orders: cancel, modify, mass cancel.

use super::orders::order_ref;
use super::place::{last_seq, mark_replay, trace_of, unexpected};
use super::{Endpoint, Parameter, header, post};
use crate::call::{Access, Call};
use crate::error::respond;
use crate::json::{Fields, Writer, input};
use crate::reply;
use axum::response::Response;
use http::StatusCode;
use oms_identity::Scope;
use oms_model::command::{Command, CommandOutcome};
use oms_model::event::{Batch, Event};
use oms_model::{Code, CommandId, OrderId, Refusal, Seq};
use oms_runtime::handle::Answer;
use tokio::time::{Instant, timeout_at};

/// The version that a change is meant for.
const IF_MATCH: Parameter = header("If-Match", "etag", "The ETag of the order: refused with 412 where it is no longer the current one.");
/// Waiting for the venue's decision.
const WAIT: Parameter = header("Prefer", "string", "`wait=<seconds>`, 30 at most: 200 once the request is decided, else 202.");

pub(super) fn endpoints() -> Vec<Endpoint> {
    let named = |id, summary| (id, "orders", summary);
    let change = |endpoint: Endpoint| {
        endpoint
            .parameters(&[IF_MATCH, WAIT])
            .json(202, "ChangeResult", "The request is durable and on its way to the venues.")
            .json(200, "ChangeResult", "The request was decided within the wait.")
            .errors(&[Code::NotFound, Code::StateConflict, Code::VersionMismatch])
            .idempotent()
    };
    vec![
        change(
            post(
                Access::Protected(Scope::OrdersCancel),
                "/api/v1/orders/{order_id}/cancel",
                named("cancelOrder", "Cancel an order and all its legs"),
                cancel,
            )
            .optional_body("Empty"),
        ),
        change(
            post(
                Access::Scope(Scope::OrdersModify),
                "/api/v1/orders/{order_id}/modify",
                named("modifyOrder", "Change quantity, price or trigger"),
                modify,
            )
            .body("Change")
            .errors(&[Code::RiskLimitBreach, Code::InvalidTick, Code::InvalidLot, Code::UnsupportedMediaType]),
        ),
        post(
            Access::Protected(Scope::OrdersCancel),
            "/api/v1/orders/mass-cancel",
            named("massCancel", "Cancel every working order in a scope"),
            mass_cancel,
        )
        .body("ScopeBody")
        .json(202, "MassCancelResult", "The cancels are durable and on their way to the venues.")
        .errors(&[Code::UnsupportedMediaType])
        .idempotent(),
    ]
}

/// Cancels the order that the call names.
///
/// # Errors
/// As its operation says.
pub(crate) async fn cancel(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.optional_body().await?;
    let value = call.parse_or_empty(&bytes)?;
    Fields::of(&value, "", &[])?;
    let (order, if_version) = (order_ref(&call.id)?, call.if_match()?);
    let key = call.idempotency("POST /orders/{order_id}/cancel", &subject(&call, if_version), &value)?;
    let answer = call.execute(Command::CancelOrder { order, if_version }, key).await?;
    changed(&call, &answer, cancel_decided).await
}

/// Changes the order that the call names.
///
/// # Errors
/// As its operation says.
pub(crate) async fn modify(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.body().await?;
    let value = call.parse(&bytes)?;
    let change = input::change(&value)?;
    let (order, if_version) = (order_ref(&call.id)?, call.if_match()?);
    let key = call.idempotency("POST /orders/{order_id}/modify", &subject(&call, if_version), &value)?;
    let answer = call.execute(Command::ReplaceOrder { order, change, if_version }, key).await?;
    changed(&call, &answer, modify_decided).await
}

/// What the path and `If-Match` say is part of the payload: the same key for another order is a conflict.
fn subject(call: &Call, if_version: Option<u32>) -> String {
    format!("{} {if_version:?}", call.id)
}

/// Where a request on an order stands.
struct Progress {
    order_id: OrderId,
    version: u32,
    status: &'static str,
    text: Option<String>,
    seq: Seq,
}

/// How a request was decided: its status and the words.
type Decision = (&'static str, Option<String>);

fn words(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn ended(event: &Event) -> Option<Decision> {
    let status = match event {
        Event::OrderFilled(_) => "FILLED",
        Event::OrderCanceled(_) => "CANCELED",
        Event::OrderExpired(_) => "EXPIRED",
        Event::OrderRejected(_) => "REJECTED",
        _ => return None,
    };
    Some(("REFUSED", Some(format!("the order is {status}"))))
}

fn cancel_decided(event: &Event) -> Option<Decision> {
    match event {
        Event::OrderCanceled(e) => Some(("APPLIED", words(&e.text))),
        Event::CancelRejected(e) => Some(("REFUSED", words(&e.text))),
        other => ended(other),
    }
}

fn modify_decided(event: &Event) -> Option<Decision> {
    match event {
        Event::OrderReplaced(_) => Some(("APPLIED", None)),
        Event::ReplaceRejected(e) => Some(("REFUSED", words(&e.text))),
        other => ended(other),
    }
}

async fn changed(call: &Call, answer: &Answer, decided: fn(&Event) -> Option<Decision>) -> Result<Response, Refusal> {
    let response = match &answer.outcome {
        CommandOutcome::Pending { orders } => {
            let &(order_id, version) = orders.first().ok_or_else(unexpected)?;
            let mut progress = Progress { order_id, version, status: "PENDING", text: None, seq: last_seq(&answer.batch) };
            note(&mut progress, &answer.batch, decided, true);
            let mut status = StatusCode::ACCEPTED;
            if let Some(wait) = call.wait() {
                follow(call, &mut progress, decided, Instant::now() + wait).await;
                if progress.status != "PENDING" {
                    status = StatusCode::OK;
                }
            }
            let mut response = reply::json(status, command_result(answer.batch.command_id, &progress), call.trace_id);
            reply::location(&mut response, order_id);
            reply::etag(&mut response, progress.version);
            reply::sequence(&mut response, progress.seq);
            response
        }
        CommandOutcome::Refused(refusal) => respond(refusal, trace_of(call, &answer.batch)),
        _ => return Err(unexpected()),
    };
    Ok(mark_replay(response, answer))
}

async fn follow(call: &Call, progress: &mut Progress, decided: fn(&Event) -> Option<Decision>, until: Instant) {
    let mut follower = call.api.handle().feed().follow(progress.seq);
    while progress.status == "PENDING" {
        let Ok(Ok(batch)) = timeout_at(until, follower.next()).await else { return };
        note(progress, &batch, decided, false);
        progress.seq = batch.last_seq();
    }
}

/// Takes in what a batch says about the request. The version of the command's own batch is known already.
fn note(progress: &mut Progress, batch: &Batch, decided: fn(&Event) -> Option<Decision>, own: bool) {
    for event in batch.events.iter().filter(|event| event.order_id() == Some(progress.order_id)) {
        if !own && !matches!(event, Event::OrderCreated(_) | Event::ExecutionRecorded(_)) {
            progress.version += 1;
        }
        if progress.status == "PENDING"
            && let Some((status, text)) = decided(event)
        {
            progress.status = status;
            progress.text = text;
        }
    }
}

fn command_result(command_id: CommandId, progress: &Progress) -> Vec<u8> {
    let mut w = Writer::with_capacity(256);
    w.object(|w| {
        w.text("command_id", command_id);
        w.text("status", progress.status);
        w.number("sequence", progress.seq.0);
        w.text("order_id", progress.order_id);
        w.number("version", progress.version);
        w.string_or_null("text", progress.text.as_deref());
    });
    w.finish()
}

async fn mass_cancel(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.body().await?;
    let value = call.parse(&bytes)?;
    let fields = Fields::of(&value, "", &["scope"])?;
    fields.required("scope", fields.get("scope"))?;
    let scope = input::scope_field(&fields, &*call.api.catalog_now().await?)?;
    let key = call.idempotency("POST /orders/mass-cancel", "", &value)?;
    let answer = call.execute(Command::MassCancel { scope }, key).await?;
    let response = match &answer.outcome {
        CommandOutcome::Pending { orders } => mass_result(&call, &answer, orders),
        // Nothing worked in the scope.
        CommandOutcome::Done => mass_result(&call, &answer, &[]),
        CommandOutcome::Refused(refusal) => respond(refusal, trace_of(&call, &answer.batch)),
        _ => return Err(unexpected()),
    };
    Ok(mark_replay(response, &answer))
}

fn mass_result(call: &Call, answer: &Answer, orders: &[(OrderId, u32)]) -> Response {
    let seq = last_seq(&answer.batch);
    let mut w = Writer::with_capacity(256 + 80 * orders.len());
    w.object(|w| {
        w.text("command_id", answer.batch.command_id);
        w.text("status", "PENDING");
        w.number("sequence", seq.0);
        w.number("count", orders.len() as u64);
        w.array_at("orders", orders, |w, (order_id, version)| {
            w.object(|w| {
                w.text("order_id", *order_id);
                w.number("version", *version);
            });
        });
    });
    let mut response = reply::json(StatusCode::ACCEPTED, w.finish(), call.trace_id);
    reply::sequence(&mut response, seq);
    response
}

/// The result of a command that is done once it is durable.
pub(super) fn done(call: &Call, answer: &Answer) -> Result<Response, Refusal> {
    let response = match &answer.outcome {
        CommandOutcome::Done => {
            let seq = last_seq(&answer.batch);
            let mut w = Writer::with_capacity(128);
            w.object(|w| {
                w.text("command_id", answer.batch.command_id);
                w.text("status", "APPLIED");
                w.number("sequence", seq.0);
            });
            let mut response = reply::json(StatusCode::OK, w.finish(), call.trace_id);
            reply::sequence(&mut response, seq);
            response
        }
        CommandOutcome::Refused(refusal) => respond(refusal, trace_of(call, &answer.batch)),
        _ => return Err(unexpected()),
    };
    Ok(mark_replay(response, answer))
}
