//! One door for every typed command.

use super::place::{PLACEMENT_ERRORS, last_seq, mark_replay, refuse_recorded, trace_of, unexpected};
use super::{Endpoint, post};
use crate::call::{Access, Call};
use crate::error::{respond, write_refusal};
use crate::json::orders::{fold, recorded_refusal};
use crate::json::{Writer, command};
use crate::reply;
use axum::response::Response;
use core::fmt::Display;
use http::StatusCode;
use oms_model::command::{Command, CommandOutcome, Placed};
use oms_model::event::{Batch, Event};
use oms_model::{Code, OrderId, Refusal};
use oms_runtime::handle::Answer;

pub(super) fn endpoints() -> Vec<Endpoint> {
    // Protected, because some commands cancel or stop trading; `execute` turns the others away itself.
    vec![
        post(
            Access::Command,
            "/api/v1/commands/execute",
            ("executeCommand", "commands", "Execute a typed command; its type says which"),
            execute,
        )
        .body("Command")
        .json(200, "CommandResult", "The command is done and durable.")
        .json(202, "CommandResult", "The command is durable and on its way to the venues.")
        .errors(PLACEMENT_ERRORS)
        .errors(&[Code::NotFound, Code::StateConflict, Code::VersionMismatch, Code::BatchRefused])
        .idempotent(),
    ]
}

/// Executes a typed command.
///
/// # Errors
/// As its operation says.
pub(crate) async fn execute(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.body().await?;
    let mut value = call.parse(&bytes)?;
    let key = call.idempotency("POST /commands/execute", "", &value)?;
    let spec = command::take_type(&mut value)?;
    if !spec.protected && call.api.in_flight().0 > call.api.config().max_requests {
        call.api.metrics().turned_away();
        return Err(Refusal::new(Code::Overloaded, "too many requests are being worked on"));
    }
    let command = match spec.decode(&value, &call.api.catalog()) {
        Ok(command) => command,
        // A name that was made a moment ago may not be known here yet.
        Err(_) => spec.decode(&value, &*call.api.catalog_now().await?)?,
    };
    let one_order = matches!(command, Command::CreateOrder(_));
    let answer = call.execute(command, key).await?;
    let response = match (&answer.outcome, one_order) {
        (CommandOutcome::Orders(placed), true) => match placed.first().ok_or_else(unexpected)? {
            Placed::Accepted { .. } => result(&call, &answer, "APPLIED", placed),
            Placed::Refused { order_id, code } => {
                let order = fold(&answer.batch, *order_id);
                refuse_recorded(&recorded_refusal(*order_id, *code, order.as_ref()), &call, &answer.batch, last_seq(&answer.batch))
            }
            Placed::Invalid(refusal) => respond(refusal, trace_of(&call, &answer.batch)),
        },
        (CommandOutcome::Orders(placed), false) => result(&call, &answer, "APPLIED", placed),
        (CommandOutcome::Pending { orders }, _) => concerned(&call, &answer, orders, spec.at_once),
        (CommandOutcome::Done, _) => match made(&answer.batch) {
            Some(id) => named(&call, &answer, &id),
            None => result(&call, &answer, "APPLIED", &[]),
        },
        (CommandOutcome::QuoteRequested { quote_req_id }, _) => named(&call, &answer, quote_req_id),
        (CommandOutcome::QuoteReceived { quote_id }, _) => named(&call, &answer, quote_id),
        (CommandOutcome::Refused(refusal), _) => respond(refusal, trace_of(&call, &answer.batch)),
    };
    if one_order {
        call.api.metrics().placed(call.began.elapsed());
    }
    Ok(mark_replay(response, &answer))
}

/// The override or the schedule that a command made.
fn made(batch: &Batch) -> Option<String> {
    batch.events.iter().find_map(|event| match event {
        Event::OverrideGranted(e) => Some(e.override_id.to_string()),
        Event::LimitScheduled(e) => Some(e.schedule_id.to_string()),
        _ => None,
    })
}

/// The result's fields that every command has, within an object that is open.
fn head<I: Display>(w: &mut Writer, answer: &Answer, status: &str, ids: &[I]) {
    w.text("command_id", answer.batch.command_id);
    w.text("status", status);
    w.number("sequence", last_seq(&answer.batch).0);
    w.array_at("ids", ids, |w, id| w.item(&id.to_string()));
}

fn result(call: &Call, answer: &Answer, status: &str, placed: &[Placed]) -> Response {
    let ids: Vec<OrderId> = placed.iter().filter_map(order_id).collect();
    let mut w = Writer::with_capacity(256 + 256 * placed.len());
    w.object(|w| {
        head(w, answer, status, &ids);
        w.array_at("results", placed, |w, one| write_result(w, one, &answer.batch));
    });
    let mut response = reply::json(StatusCode::OK, w.finish(), call.trace_id);
    reply::sequence(&mut response, last_seq(&answer.batch));
    response
}

/// The answer to a command that made one thing which is no order.
fn named(call: &Call, answer: &Answer, id: &impl Display) -> Response {
    let mut w = Writer::with_capacity(256);
    w.object(|w| {
        head(w, answer, "APPLIED", &[id]);
        w.array_at("results", &[] as &[Placed], |_, _| ());
    });
    let mut response = reply::json(StatusCode::OK, w.finish(), call.trace_id);
    reply::sequence(&mut response, last_seq(&answer.batch));
    response
}

fn order_id(placed: &Placed) -> Option<OrderId> {
    match placed {
        Placed::Accepted { order_id } | Placed::Refused { order_id, .. } => Some(*order_id),
        Placed::Invalid(_) => None,
    }
}

fn write_result(w: &mut Writer, placed: &Placed, batch: &Batch) {
    w.object(|w| {
        let (status, refusal) = match placed {
            Placed::Accepted { .. } => ("ACCEPTED", None),
            Placed::Refused { order_id, code } => ("REFUSED", Some(recorded_refusal(*order_id, *code, fold(batch, *order_id).as_ref()))),
            Placed::Invalid(refusal) => ("INVALID", Some(refusal.clone())),
        };
        let order = order_id(placed).and_then(|id| fold(batch, id));
        w.text_or_null("id", order_id(placed));
        w.text("status", status);
        match order {
            Some(order) => w.number("version", order.version),
            None => w.null("version"),
        }
        match refusal {
            Some(refusal) => w.object_at("error", |w| write_refusal(w, &refusal)),
            None => w.null("error"),
        }
    });
}

/// Orders that a command is about, with their new versions.
fn concerned(call: &Call, answer: &Answer, orders: &[(OrderId, u32)], at_once: bool) -> Response {
    let (code, status) = if at_once { (StatusCode::OK, "APPLIED") } else { (StatusCode::ACCEPTED, "PENDING") };
    let ids: Vec<OrderId> = orders.iter().map(|(id, _)| *id).collect();
    let mut w = Writer::with_capacity(256 + 160 * orders.len());
    w.object(|w| {
        head(w, answer, status, &ids);
        w.array_at("results", orders, |w, (id, version)| {
            w.object(|w| {
                w.text("id", *id);
                w.text("status", status);
                w.number("version", *version);
                w.null("error");
            });
        });
    });
    let mut response = reply::json(code, w.finish(), call.trace_id);
    reply::sequence(&mut response, last_seq(&answer.batch));
    response
}
