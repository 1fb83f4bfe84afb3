//! FIX sessions: how they stand, and what a person may do to them.

use super::orders::find;
use super::{Endpoint, LIMIT, REASON, get, post, reason};
use crate::call::{Access, Call};
use crate::fix::{FixAbout, FixAction, FixDeed, FixMessage, FixMessages, FixSession};
use crate::json::Writer;
use crate::json::decode::Fields;
use crate::reply;
use axum::response::Response;
use http::StatusCode;
use oms_identity::Scope;
use oms_model::{Code, OrderId, Refusal, Time};
use std::collections::BTreeSet;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let named = |id, summary| (id, "fix", summary);
    let session = |endpoint: Endpoint, meaning| endpoint.json(200, "FixSession", meaning).errors(&[Code::NotFound]);
    let acts = |endpoint: Endpoint| session(endpoint, "The session once it was taken on.").parameters(&[REASON]);
    vec![
        get(Access::Scope(Scope::BrokersView), "/api/v1/fix/sessions", named("listFixSessions", "FIX sessions and how they stand"), list)
            .json(200, "FixSessionList", "Every session."),
        session(
            get(Access::Scope(Scope::BrokersView), "/api/v1/fix/sessions/{client}", named("getFixSession", "One FIX session"), one),
            "The session.",
        ),
        get(
            Access::Scope(Scope::BrokersView),
            "/api/v1/fix/sessions/{client}/actions",
            named("listFixActions", "What was done to a FIX session last"),
            deeds,
        )
        .json(200, "FixDeedList", "The last 64, oldest first; all are in the session's log.")
        .errors(&[Code::NotFound]),
        get(
            Access::Scope(Scope::OrdersView),
            "/api/v1/orders/{order_id}/messages",
            named("getOrderMessages", "The FIX messages about an order and its legs: with the client, and with venues"),
            messages,
        )
        .parameters(&[LIMIT])
        .json(200, "OrderMessages", "Oldest first; none where no FIX session had to do with it.")
        .errors(&[Code::NotFound, Code::Overloaded]),
        acts(post(
            Access::Scope(Scope::BrokersConnect),
            "/api/v1/fix/sessions/{client}/logon",
            named("fixLogon", "Take the next Logon"),
            logon,
        )),
        acts(post(
            Access::Protected(Scope::BrokersConnect),
            "/api/v1/fix/sessions/{client}/logout",
            named("fixLogout", "Log out, and take no Logon until told to"),
            logout,
        )),
        acts(post(
            Access::Scope(Scope::BrokersConnect),
            "/api/v1/fix/sessions/{client}/reset",
            named("fixReset", "Begin both numbers anew"),
            reset,
        )),
        acts(post(
            Access::Scope(Scope::BrokersConnect),
            "/api/v1/fix/sessions/{client}/numbers",
            named("fixNumbers", "Set the next numbers"),
            numbers,
        ))
        .body("FixNumbers")
        .errors(&[Code::UnsupportedMediaType]),
    ]
}

fn fields(w: &mut Writer, session: &FixSession) {
    w.text("kind", session.kind);
    w.string("client", &session.client);
    w.string("desk", &session.desk);
    w.text("user_id", session.user_id);
    w.bool("logged_on", session.logged_on);
    w.bool("open", session.open);
    w.number("next_in", session.next_in);
    w.number("next_out", session.next_out);
    session.counts.iter().for_each(|(name, count)| w.number(name, *count));
}

fn shown(call: &Call, session: &FixSession) -> Response {
    let mut w = Writer::with_capacity(512);
    w.object(|w| fields(w, session));
    reply::json(StatusCode::OK, w.finish(), call.trace_id)
}

async fn list(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let all = call.api.fix().map(|fix| fix.all()).unwrap_or_default();
    let mut w = Writer::with_capacity(64 + 512 * all.len());
    w.object(|w| w.array_at("data", &all, |w, session| w.object(|w| fields(w, session))));
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

fn unknown() -> Refusal {
    Refusal::new(Code::NotFound, "there is no such FIX session")
}

async fn one(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let all = call.api.fix().map(|fix| fix.all()).unwrap_or_default();
    let session = all.into_iter().find(|session| session.client == call.id).ok_or_else(unknown)?;
    Ok(shown(&call, &session))
}

async fn act(call: Call, action: FixAction) -> Result<Response, Refusal> {
    let reason = reason(&call)?;
    let acted = call.api.fix().ok_or_else(unknown)?.act(&call.id, action, &call.actor(), reason);
    tracing::warn!(client = %call.id, user_id = %call.principal.user_id, ?action, "somebody acts on a FIX session");
    Ok(shown(&call, &acted.await?))
}

async fn deeds(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let all = call.api.fix().and_then(|fix| fix.deeds(&call.id)).ok_or_else(unknown)?;
    let mut w = Writer::with_capacity(64 + 256 * all.len());
    let deed = |w: &mut Writer, deed: &FixDeed| {
        w.time("at", deed.at);
        w.string("actor", &deed.actor);
        w.string("action", &deed.action);
        w.string("reason", &deed.reason);
    };
    w.object(|w| w.array_at("data", &all, |w, one| w.object(|w| deed(w, one))));
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

/// The time around an order's life in which its messages are looked for: clocks differ, and a report may be late.
const SLACK_NS: i64 = 60_000_000_000;

/// The tree of an order, the time before which it has no messages, and that after which it has none any more.
pub(super) async fn life(call: &Call) -> Result<(BTreeSet<OrderId>, Time, Time), Refusal> {
    let root_id = find(call).await?.root_order_id;
    let tree = call.api.query(move |views| views.tree(root_id)).await?;
    let done = tree.iter().all(|order| order.state.is_done());
    let until = tree.iter().map(|order| order.updated_at).max().filter(|_| done).map_or(Time(i64::MAX), |at| at.plus(SLACK_NS));
    let from = tree.iter().map(|order| order.created_at).min().unwrap_or_default().plus(-SLACK_NS);
    Ok((tree.iter().map(|order| order.order_id).collect(), from, until))
}

async fn messages(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let most = params.limit()? as usize;
    params.end()?;
    let (orders, from, until) = life(&call).await?;
    let about = FixAbout { orders, from, until, most };
    let api = call.api.clone();
    let found = match call.api.fix() {
        // It reads a log from end to end, as an audit does, and so few do at once.
        Some(_) => {
            let _place = call.api.admit_audit().ok_or_else(|| Refusal::new(Code::Overloaded, "too many read the logs at once"))?;
            call.api.blocking(move || api.fix().map(|fix| fix.messages(&about)).unwrap_or_else(|| Err(unknown()))).await?
        }
        None => FixMessages { messages: Vec::new(), complete: true },
    };
    let mut w = Writer::with_capacity(64 + 1_024 * found.messages.len());
    w.object(|w| {
        w.array_at("data", &found.messages, |w, one| w.object(|w| message_fields(w, one)));
        w.bool("complete", found.complete);
    });
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

fn message_fields(w: &mut Writer, message: &FixMessage) {
    w.number("entry", message.entry);
    w.string("client", &message.client);
    w.text("direction", if message.inbound { "IN" } else { "OUT" });
    w.time_or_null("at", message.at);
    w.string("name", &message.name);
    w.array_at("fields", &message.fields, |w, (tag, name, value)| {
        w.object(|w| {
            w.number("tag", *tag);
            w.string("name", name);
            w.string("value", value);
        });
    });
    w.string("raw", &message.raw);
}

async fn logon(call: Call) -> Result<Response, Refusal> {
    act(call, FixAction::Logon).await
}

async fn logout(call: Call) -> Result<Response, Refusal> {
    act(call, FixAction::Logout).await
}

async fn reset(call: Call) -> Result<Response, Refusal> {
    act(call, FixAction::Reset).await
}

async fn numbers(mut call: Call) -> Result<Response, Refusal> {
    let bytes = call.body().await?;
    let value = call.parse(&bytes)?;
    let fields = Fields::of(&value, "", &["next_in", "next_out"])?;
    let (next_in, next_out) = (fields.count("next_in")?, fields.count("next_out")?);
    if next_in == Some(0) || next_out == Some(0) || (next_in, next_out) == (None, None) {
        return Err(fields.bad("next_in", "or next_out must be given, and numbers begin at 1"));
    }
    act(call, FixAction::Numbers { next_in, next_out }).await
}
