//! The reconciliation of a broker: its runs, and the breaks that they found with who has taken them on and what closed them.

use super::brokers::{require_live, unknown};
use super::{Endpoint, LIMIT, REASON, get, header, post, query};
use crate::brokers::{BreakAsked, BreakDeed, BrokerBreak, BrokerRun};
use crate::call::{Access, Call};
use crate::error::IDEMPOTENT_REPLAY;
use crate::json::decode::Fields;
use crate::json::{Writer, input};
use crate::query::bad_parameter;
use crate::reply;
use axum::response::Response;
use http::{HeaderValue, StatusCode};
use oms_identity::Scope;
use oms_model::{Code, Refusal};

/// The kinds of differences.
pub const KINDS: &[&str] = &[
    "MISSING_AT_BROKER",
    "UNKNOWN_AT_DESK",
    "QUANTITY_MISMATCH",
    "PRICE_MISMATCH",
    "CUMULATIVE_MISMATCH",
    "POSITION_MISMATCH",
    "EXECUTION_MISSING",
    "DUPLICATE",
];
/// How a break stands.
pub const STATUSES: &[&str] = &["OPEN", "ACKNOWLEDGED", "CLOSED"];
/// What may be asked of the list of breaks besides its page.
const FILTERS: [&str; 4] = ["status", "kind", "owner", "order_id"];

pub(super) fn endpoints() -> Vec<Endpoint> {
    let named = |id, summary| (id, "brokers", summary);
    let before = query("before", "digits", "Only those in front of this one: the `next` of the page before.");
    let if_match = header("If-Match", "etag", "Only if the break has this version.");
    let acts = |endpoint: Endpoint| {
        endpoint
            .parameters(&[if_match])
            .json(200, "BreakAction", "What was done; the ETag is the version of the break since.")
            .errors(&[Code::NotFound, Code::StateConflict, Code::VersionMismatch, Code::UnsupportedMediaType])
            .errors(&[Code::Overloaded, Code::OutcomeInDoubt])
            .idempotent()
    };
    vec![
        get(
            Access::Scope(Scope::BrokersView),
            "/api/v1/brokers/{broker}/reconciliations",
            named("listReconciliations", "Runs in which books, log and broker were compared"),
            runs,
        )
        .parameters(&[LIMIT, before])
        .json(200, "ReconciliationList", "The newest first; the last 200 are kept.")
        .errors(&[Code::NotFound]),
        post(
            Access::Scope(Scope::BrokersConnect),
            "/api/v1/brokers/{broker}/reconciliations",
            named("reconcileBroker", "Compare books, log and broker now, and wait for what comes of it"),
            reconcile,
        )
        .parameters(&[REASON])
        .json(200, "Reconciliation", "The run. One that is INCOMPLETE has opened nothing and closed nothing.")
        .errors(&[Code::NotFound, Code::BrokerUnavailable, Code::RequestInProgress, Code::Overloaded, Code::OutcomeInDoubt])
        .idempotent(),
        get(
            Access::Scope(Scope::BrokersView),
            "/api/v1/brokers/{broker}/breaks",
            named("listBreaks", "Differences between books, log and broker"),
            list,
        )
        .parameters(&[
            query("status", "one(OPEN,ACKNOWLEDGED,CLOSED)", "Only these."),
            query("kind", "BreakKind", "Only these."),
            query("owner", "uuid", "Only those that this user has taken on."),
            query("order_id", "uuid", "Only those about this order."),
            LIMIT,
            before,
        ])
        .json(200, "BreakList", "The newest first.")
        .errors(&[Code::NotFound]),
        get(Access::Scope(Scope::BrokersView), "/api/v1/brokers/{broker}/breaks/{break}", named("getBreak", "One break"), one)
            .json(200, "Break", "The break; its version is the ETag.")
            .errors(&[Code::NotFound]),
        acts(post(
            Access::Scope(Scope::OrdersApprove),
            "/api/v1/brokers/{broker}/breaks/{break}/assign",
            named("assignBreak", "Give a break to somebody, who has taken it on from then; a live account needs brokers:live besides"),
            assign,
        ))
        .body("AssignBreak"),
        acts(post(
            Access::Scope(Scope::OrdersApprove),
            "/api/v1/brokers/{broker}/breaks/{break}/close",
            named(
                "closeBreak",
                "Say why these figures are no break; other figures open another. A live account needs brokers:live besides",
            ),
            close,
        ))
        .body("Reason"),
    ]
}

fn run_fields(w: &mut Writer, run: &BrokerRun) {
    w.number("run", run.run);
    w.text("trigger", run.trigger);
    w.text_or_null("user_id", run.user_id);
    w.time("began_at", run.began_at);
    w.time("ended_at", run.ended_at);
    w.text("outcome", run.outcome);
    w.string("reason", &run.reason);
    w.number("looks", run.looks);
    let [orders, executions, positions] = run.compared;
    w.number("orders", orders);
    w.number("executions", executions);
    w.number("positions", positions);
    w.number("opened", run.opened);
    w.number("closed", run.closed);
    w.number("open", run.open);
    w.number("left_out", run.left_out);
}

fn deed_fields(w: &mut Writer, number: u64, deed: &BreakDeed) {
    w.number("break", number);
    w.text("action", if deed.owner.is_some() { "ASSIGN" } else { "CLOSE" });
    w.time("at", deed.at);
    w.text("user_id", deed.user_id);
    w.text_or_null("owner", deed.owner);
    w.string("note", &deed.note);
    w.number("version", deed.version);
}

fn break_fields(w: &mut Writer, one: &BrokerBreak) {
    w.number("break", one.number);
    w.text("kind", one.kind);
    w.text("status", one.status);
    w.string("subject", &one.subject);
    w.string("contract", &one.contract);
    w.text_or_null("order_id", one.order_id);
    w.string_or_null("desk", one.desk.as_deref());
    w.string_or_null("ledger", one.ledger.as_deref());
    w.string_or_null("broker", one.shown.as_deref());
    w.string_or_null("value", one.value.as_deref());
    w.string("currency", &one.currency);
    w.text_or_null("owner", one.owner);
    w.time("first_seen", one.first_seen);
    w.time("last_seen", one.last_seen);
    w.number("first_run", one.first_run);
    w.number("version", one.version);
    w.time_or_null("closed_at", one.closed_at);
    w.number_or_null("closing_run", one.closing_run);
    w.text_or_null("closed_by", one.closed_by);
    w.string_or_null("closing_note", one.closing_note.as_deref());
    w.array_at("actions", &one.deeds, |w, deed| w.object(|w| deed_fields(w, one.number, deed)));
}

/// A page of what has numbers, the newest first, and the number that the next page begins before.
fn page<T>(all: Vec<T>, number: impl Fn(&T) -> u64, before: Option<u64>, limit: usize) -> (Vec<T>, Option<u64>) {
    let mut left = all.into_iter().rev().filter(|one| before.is_none_or(|before| number(one) < before));
    let page: Vec<T> = left.by_ref().take(limit).collect();
    let next = left.next().and_then(|_| page.last()).map(number);
    (page, next)
}

fn answer<T>(call: &Call, (page, next): (Vec<T>, Option<u64>), fields: impl Fn(&mut Writer, &T)) -> Response {
    let mut w = Writer::with_capacity(64 + 768 * page.len());
    w.object(|w| {
        w.array_at("data", &page, |w, one| w.object(|w| fields(w, one)));
        w.number_or_null("next", next);
    });
    reply::json(StatusCode::OK, w.finish(), call.trace_id)
}

async fn runs(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let (before, limit) = (params.parsed::<u64>("before")?, params.limit()? as usize);
    params.end()?;
    let all = call.api.brokers().and_then(|brokers| brokers.runs(&call.id)).ok_or_else(unknown)?;
    Ok(answer(&call, page(all, |run| run.run, before, limit), run_fields))
}

async fn reconcile(call: Call) -> Result<Response, Refusal> {
    let reason = super::reason(&call)?;
    let subject = format!("{}\n{reason}", call.id);
    let key = call.idempotency("POST /brokers/reconciliations", &subject, &crate::json::Value::Null)?;
    let (api, broker, actor) = (call.api.clone(), call.id.clone(), call.actor());
    let (run, replayed) = call.api.blocking(move || api.brokers().ok_or_else(unknown)?.reconcile(&broker, &actor, &reason, key)).await?;
    let mut w = Writer::with_capacity(512);
    w.object(|w| run_fields(w, &run));
    Ok(replay(reply::json(StatusCode::OK, w.finish(), call.trace_id), replayed))
}

fn replay(mut response: Response, replayed: bool) -> Response {
    if replayed {
        response.headers_mut().insert(IDEMPOTENT_REPLAY, HeaderValue::from_static("true"));
    }
    response
}

/// Takes a parameter that is one of these words.
fn word(name: &str, given: Option<String>, words: &[&str]) -> Result<Option<String>, Refusal> {
    match given {
        Some(text) if !words.contains(&text.as_str()) => Err(bad_parameter(name, format_args!("is none of {}", words.join(", ")))),
        given => Ok(given),
    }
}

async fn list(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let [status, kind, owner, order_id] = FILTERS;
    let status = word(status, params.take(status), STATUSES)?;
    let kind = word(kind, params.take(kind), KINDS)?;
    let (owner, order_id) = (params.parsed(owner)?, params.parsed(order_id)?);
    let (before, limit) = (params.parsed::<u64>("before")?, params.limit()? as usize);
    params.end()?;
    let mut all = call.api.brokers().and_then(|brokers| brokers.breaks(&call.id)).ok_or_else(unknown)?;
    all.retain(|one| {
        status.as_deref().is_none_or(|status| one.status == status)
            && kind.as_deref().is_none_or(|kind| one.kind == kind)
            && (owner.is_none() || one.owner == owner)
            && (order_id.is_none() || one.order_id == order_id)
    });
    Ok(answer(&call, page(all, |one| one.number, before, limit), break_fields))
}

fn no_break() -> Refusal {
    Refusal::new(Code::NotFound, "there is no such break")
}

async fn one(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let all = call.api.brokers().and_then(|brokers| brokers.breaks(&call.id)).ok_or_else(unknown)?;
    let number: u64 = call.second.parse().map_err(|_| no_break())?;
    let found = all.iter().find(|one| one.number == number).ok_or_else(no_break)?;
    let mut w = Writer::with_capacity(1024);
    w.object(|w| break_fields(w, found));
    let mut response = reply::json(StatusCode::OK, w.finish(), call.trace_id);
    reply::etag(&mut response, found.version);
    Ok(response)
}

async fn assign(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.body().await?;
    let value = call.parse(&bytes)?;
    let fields = Fields::of(&value, "", &["owner", "reason"])?;
    let owner = fields.required("owner", fields.parsed("owner")?)?;
    let note = input::reason(&fields)?;
    act(&call, "POST /brokers/breaks/assign", &value, Some(owner), note).await
}

async fn close(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.body().await?;
    let value = call.parse(&bytes)?;
    let note = input::reason(&Fields::of(&value, "", &["reason"])?)?;
    act(&call, "POST /brokers/breaks/close", &value, None, note).await
}

async fn act(
    call: &Call,
    endpoint: &str,
    body: &crate::json::Value<'_>,
    owner: Option<oms_model::UserId>,
    note: String,
) -> Result<Response, Refusal> {
    require_live(call)?;
    let number: u64 = call.second.parse().map_err(|_| no_break())?;
    let version = call.if_match()?;
    let subject = format!("{}\n{number}\n{version:?}", call.id);
    let key = call.idempotency(endpoint, &subject, body)?;
    let (api, broker, actor) = (call.api.clone(), call.id.clone(), call.actor());
    let asked = BreakAsked { number, owner, note, version, key };
    let (deed, replayed) = call.api.blocking(move || api.brokers().ok_or_else(unknown)?.on_break(&broker, &actor, asked)).await?;
    let mut w = Writer::with_capacity(512);
    w.object(|w| deed_fields(w, number, &deed));
    let mut response = reply::json(StatusCode::OK, w.finish(), call.trace_id);
    reply::etag(&mut response, deed.version);
    Ok(replay(response, replayed))
}
