//! Placing orders: one, or a batch.

use super::{Endpoint, header, post};
use crate::call::{Access, Call};
use crate::error::{IDEMPOTENT_REPLAY, respond, respond_as};
use crate::json::orders::{fold, order_fields, recorded_refusal, write_placed};
use crate::json::{Writer, input};
use crate::reply;
use axum::response::Response;
use http::{HeaderValue, StatusCode};
use oms_engine::input::IdempotencyKey;
use oms_identity::Scope;
use oms_model::command::{Command, CommandOutcome, Placed};
use oms_model::event::{Batch, Event};
use oms_model::order::Doubt;
use oms_model::{Code, OrdState, Order, OrderId, Refusal, Seq, TraceId};
use oms_runtime::handle::Answer;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// What every placement may be refused with.
pub const PLACEMENT_ERRORS: &[Code] =
    &[Code::UnsupportedMediaType, Code::PayloadTooLarge, Code::DuplicateClOrdId, Code::RiskLimitBreach, Code::BrokerReject];

pub(super) fn endpoints() -> Vec<Endpoint> {
    let wait =
        header("Prefer", "string", "`wait=<seconds>`, 30 at most: answer once the venue has said its first word, or the time is over.");
    let named = |id, summary| (id, "orders", summary);
    vec![
        post(Access::Scope(Scope::OrdersPlace), "/api/v1/orders", named("placeOrder", "Place an order"), place)
            .body("NewOrder")
            .parameters(&[wait])
            .json(201, "Order", "The order is recorded and durable.")
            .errors(PLACEMENT_ERRORS)
            .idempotent(),
        post(
            Access::Scope(Scope::OrdersPlace),
            "/v1/orders",
            named("placeOrderAlias", "Place an order (alias that answers 202)"),
            place_alias,
        )
        .body("NewOrder")
        .parameters(&[wait])
        .json(202, "Order", "The order is recorded and durable.")
        .errors(PLACEMENT_ERRORS)
        .idempotent(),
        post(
            Access::Scope(Scope::OrdersPlace),
            "/api/v1/orders/batch",
            named("placeOrders", "Place up to 100 orders, all or none or each for itself"),
            batch,
        )
        .body("NewOrders")
        .json(200, "PlacedOrders", "What came of each order, in the order of the request.")
        .errors(&[Code::UnsupportedMediaType, Code::PayloadTooLarge, Code::BatchRefused])
        .idempotent(),
    ]
}

/// Places an order.
///
/// # Errors
/// What it is refused with before it is recorded.
pub(crate) async fn place(call: Call) -> Result<Response, Refusal> {
    place_as(call, StatusCode::CREATED).await
}

async fn place_alias(call: Call) -> Result<Response, Refusal> {
    place_as(call, StatusCode::ACCEPTED).await
}

async fn place_as(mut call: Call, accepted: StatusCode) -> Result<Response, Refusal> {
    call.no_params()?;
    let (command, key) = read_order(&mut call).await?;
    let wait = call.wait();
    let answer = call.execute(command, key).await?;
    let response = placed(&call, &answer, wait, accepted).await?;
    call.api.metrics().placed(call.began.elapsed());
    Ok(response)
}

/// What came of a command that places one order.
pub(super) async fn placed(call: &Call, answer: &Answer, wait: Option<Duration>, accepted: StatusCode) -> Result<Response, Refusal> {
    let response = match &answer.outcome {
        CommandOutcome::Orders(placed) => match placed.first() {
            Some(Placed::Accepted { order_id }) => accept(call, answer, *order_id, wait, accepted).await?,
            Some(Placed::Refused { order_id, code }) => {
                let order = fold(&answer.batch, *order_id);
                refuse_recorded(&recorded_refusal(*order_id, *code, order.as_ref()), call, &answer.batch, last_seq(&answer.batch))
            }
            Some(Placed::Invalid(refusal)) => respond(refusal, trace_of(call, &answer.batch)),
            None => return Err(unexpected()),
        },
        CommandOutcome::Refused(refusal) => respond(refusal, trace_of(call, &answer.batch)),
        _ => return Err(unexpected()),
    };
    Ok(mark_replay(response, answer))
}

async fn read_order(call: &mut Call) -> Result<(Command, Option<IdempotencyKey>), Refusal> {
    let bytes = call.body().await?;
    let value = call.parse(&bytes)?;
    let order = input::new_order(&value, "")?;
    Ok((Command::CreateOrder(Box::new(order)), call.idempotency("POST /orders", "", &value)?))
}

async fn accept(call: &Call, answer: &Answer, order_id: OrderId, wait: Option<Duration>, status: StatusCode) -> Result<Response, Refusal> {
    let mut order = fold(&answer.batch, order_id).ok_or_else(unexpected)?;
    let mut seq = last_seq(&answer.batch);
    if let Some(wait) = wait {
        seq = Box::pin(first_word(call, &mut order, &answer.batch, wait)).await;
        if order.state == OrdState::Rejected {
            let code = order.reject_code.unwrap_or(Code::BrokerReject);
            return Ok(refuse_recorded(&recorded_refusal(order_id, code, Some(&order)), call, &answer.batch, seq));
        }
    }
    let catalog = call.api.catalog();
    // An instrument that was listed a moment ago may not be known here yet.
    let catalog = if catalog.symbol(order.instrument_id).is_empty() { call.api.catalog_now().await? } else { catalog };
    let mut w = Writer::with_capacity(1_024);
    w.object(|w| order_fields(w, &order, &catalog));
    let mut response = reply::json(status, w.finish(), call.trace_id);
    reply::location(&mut response, order_id);
    reply::etag(&mut response, order.version);
    reply::sequence(&mut response, seq);
    Ok(response)
}

/// An order that was recorded and refused.
pub(super) fn refuse_recorded(refusal: &Refusal, call: &Call, batch: &Batch, seq: Seq) -> Response {
    let mut response = respond_as(StatusCode::UNPROCESSABLE_ENTITY, refusal, trace_of(call, batch));
    reply::sequence(&mut response, seq);
    response
}

/// Follows the log until the venue has said something about `order`, which is folded on, or `wait` is over.
/// Answers the last sequence that was looked at.
async fn first_word(call: &Call, order: &mut Order, batch: &Batch, wait: Duration) -> Seq {
    let mut seq = last_seq(batch);
    if order.state != OrdState::Unack {
        return seq;
    }
    let until = Instant::now() + wait;
    let mut follower = call.api.handle().feed().follow(seq);
    while order.state == OrdState::Unack && order.extras.doubt.is_none() {
        let Ok(Ok(next)) = timeout_at(until, follower.next()).await else { break };
        fold_on(order, &next);
        seq = next.last_seq();
    }
    seq
}

/// Folds what a batch says about `order` and its legs; a leg in doubt puts the order in doubt.
fn fold_on(order: &mut Order, batch: &Batch) {
    for event in &batch.events {
        match event {
            Event::OrderCreated(leg) if leg.parent_order_id == Some(order.order_id) => order.children.push(leg.order_id),
            Event::OrderInDoubt(e) if order.children.contains(&e.order_id) => {
                let (intent, revision, reason) = (e.intent, e.revision, e.reason.clone());
                order.extras.doubt = Some(Box::new(Doubt { intent, revision, since: batch.time, reason }));
            }
            event if event.order_id() == Some(order.order_id) => order.apply(event, batch.time),
            _ => (),
        }
    }
}

async fn batch(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.body().await?;
    let value = call.parse(&bytes)?;
    let command = input::batch(&value)?;
    let atomic = !matches!(command, Command::CreateOrders { atomic: false, .. });
    let key = call.idempotency("POST /orders/batch", "", &value)?;
    let answer = call.execute(command, key).await?;
    let response = match &answer.outcome {
        CommandOutcome::Orders(placed) => {
            let catalog = call.api.catalog_now().await?;
            let mut w = Writer::with_capacity(1_024 * placed.len());
            w.object(|w| {
                w.text("command_id", answer.batch.command_id);
                w.number("sequence", last_seq(&answer.batch).0);
                w.bool("atomic", atomic);
                w.array_at("results", placed.iter().enumerate(), |w, (at, one)| write_placed(w, at, one, &answer.batch, &catalog));
            });
            let mut response = reply::json(StatusCode::OK, w.finish(), call.trace_id);
            reply::sequence(&mut response, last_seq(&answer.batch));
            response
        }
        CommandOutcome::Refused(refusal) => respond(refusal, trace_of(&call, &answer.batch)),
        _ => return Err(unexpected()),
    };
    Ok(mark_replay(response, &answer))
}

/// The last event that an answer rests on: of its batch, or of the log before it where it recorded nothing.
pub(super) fn last_seq(batch: &Batch) -> Seq {
    if batch.events.is_empty() { Seq(batch.first_seq.0.saturating_sub(1)) } else { batch.last_seq() }
}

/// The trace of the request that an answer was first given to, so that its repetition has the same bytes.
pub(super) fn trace_of(call: &Call, batch: &Batch) -> TraceId {
    if batch.events.is_empty() { call.trace_id } else { batch.trace_id }
}

pub(super) fn mark_replay(mut response: Response, answer: &Answer) -> Response {
    if answer.replayed {
        response.headers_mut().insert(IDEMPOTENT_REPLAY, HeaderValue::from_static("true"));
    }
    response
}

pub(super) fn unexpected() -> Refusal {
    Refusal::new(Code::Internal, "the engine gave an answer of another kind")
}
