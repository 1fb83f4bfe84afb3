//! Limits, kill switches, trading states.

use super::breaches::{Beside, TREND, trend_s};
use super::commands::done;
use super::orders::AS_OF;
use super::place::{last_seq, mark_replay, trace_of, unexpected};
use super::{Endpoint, delete, get, post, put, query};
use crate::call::{Access, Call};
use crate::catalog::Catalog;
use crate::error::respond;
use crate::json::leaves::{limit_set, schedule_fields};
use crate::json::orders::limit_fields;
use crate::json::risk::breaker_fields;
use crate::json::{Fields, Writer, input};
use crate::query::bad_parameter;
use crate::{past, reply};
use axum::response::Response;
use http::StatusCode;
use oms_engine::State;
use oms_engine::state::Entry;
use oms_identity::Scope as Allowed;
use oms_model::breaker::{Breaker, BreakerState};
use oms_model::command::{Command, CommandOutcome};
use oms_model::event::Event;
use oms_model::limit::{KillState, LimitKey, LimitType, Period, RiskLimit, Scope};
use oms_model::{AssetClass, Code, Decimal, Mic, Notional, OrderId, Qty, Refusal, Seq, Time, TradingState};
use oms_runtime::history::Moment;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let named = |id, summary| (id, "risk", summary);
    vec![
        get(
            Access::Scope(Allowed::PositionsView),
            "/api/v1/risk/limits",
            named("listLimits", "The limits in force, and the scheduled ones"),
            limits,
        )
        .parameters(&[AS_OF])
        .json(200, "LimitList", "Every limit, and every change that waits for its time or is to go back.")
        .errors(&[Code::HistoryTooFar]),
        put(Access::Scope(Allowed::RiskManage), "/api/v1/risk/limits", named("setLimit", "Set a limit"), set_limit)
            .body("SetLimit")
            .json(200, "Limit", "The limit with its new version.")
            .json(202, "ScheduledLimit", "It holds at the times that it names; at once where no `effective_from` is given.")
            .errors(&[Code::StateConflict, Code::UnsupportedMediaType])
            .idempotent(),
        delete(Access::Scope(Allowed::RiskManage), "/api/v1/risk/limits", named("removeLimit", "Take a limit away"), remove_limit)
            .parameters(&[
                query("limit_type", "LimitType", "Which.").required(),
                query("scope", "Scope", "Whose; the tenant's where it is not given."),
                query("period", "Period", "Its period; the usual one of the type where it is not given."),
                query("soft", "boolean", "Whether it is a soft one; hard where it is not given."),
            ])
            .json(200, "Done", "It is gone.")
            .errors(&[Code::NotFound])
            .idempotent(),
        get(
            Access::Scope(Allowed::PositionsView),
            "/api/v1/risk/status",
            named("riskStatus", "Switches, trading states, and each limit with its use"),
            status,
        )
        .parameters(&[AS_OF, TREND])
        .json(200, "RiskStatus", "The state of the gate.")
        .errors(&[Code::HistoryTooFar]),
        get(
            Access::Scope(Allowed::PositionsView),
            "/api/v1/risk/kill-switch",
            named("listKillSwitches", "The kill switches that are engaged"),
            kill_switches,
        )
        .parameters(&[AS_OF])
        .json(200, "KillSwitches", "The scopes that take no orders.")
        .errors(&[Code::HistoryTooFar]),
        post(
            Access::Protected(Allowed::RiskKill),
            "/api/v1/risk/kill-switch/engage",
            named("engageKillSwitch", "Refuse new orders in a scope and cancel the working ones"),
            engage,
        )
        .body("ScopeAndReason")
        .json(200, "Done", "It is engaged.")
        .errors(&[Code::StateConflict, Code::UnsupportedMediaType])
        .idempotent(),
        post(
            Access::Scope(Allowed::RiskKill),
            "/api/v1/risk/kill-switch/release",
            named("releaseKillSwitch", "Take orders in a scope again"),
            release,
        )
        .body("ScopeAndReason")
        .json(200, "Done", "It is released.")
        .errors(&[Code::NotFound, Code::StateConflict, Code::UnsupportedMediaType])
        .idempotent(),
        put(
            Access::Protected(Allowed::RiskManage),
            "/api/v1/risk/trading-state",
            named("setTradingState", "Set the trading state of a scope"),
            trading_state,
        )
        .body("SetTradingState")
        .json(200, "Done", "It holds.")
        .errors(&[Code::UnsupportedMediaType])
        .idempotent(),
    ]
}

/// Reads the state of the gate: now, or as it was where `as_of` asks for it.
pub(super) async fn read<T: Send + 'static>(
    call: &Call,
    read: impl FnOnce(&State, Time) -> T + Send + 'static,
) -> Result<(T, Option<Moment>), Refusal> {
    let mut params = call.params()?;
    let as_of = past::as_of(&mut params)?;
    params.end()?;
    call.api.state_as_of(as_of, read).await
}

pub(super) fn answer(call: &Call, w: Writer, moment: Option<Moment>) -> Response {
    let mut response = reply::json(StatusCode::OK, w.finish(), call.trace_id);
    if let Some(moment) = moment {
        reply::sequence(&mut response, moment.seq);
    }
    response
}

async fn limits(call: Call) -> Result<Response, Refusal> {
    let ((limits, schedules, revision), moment) = read(&call, |state, _| {
        let risk = state.risk();
        (risk.limits(), risk.schedules().copied().collect::<Vec<_>>(), risk.revisions().limits)
    })
    .await?;
    let catalog = call.api.catalog_now().await?;
    let mut w = Writer::with_capacity(64 + 128 * limits.len());
    w.object(|w| {
        w.array_at("data", &limits, |w, limit| w.object(|w| limit_fields(w, limit, &catalog)));
        w.array_at("scheduled", &schedules, |w, schedule| w.object(|w| schedule_fields(w, schedule, &catalog)));
        w.number("revision", revision);
    });
    Ok(answer(&call, w, moment))
}

async fn set_limit(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.body().await?;
    let value = call.parse(&bytes)?;
    let command = limit_set(&value, &*call.api.catalog_now().await?)?;
    let key = call.idempotency("PUT /risk/limits", "", &value)?;
    let answer = call.execute(command, key).await?;
    if let CommandOutcome::Refused(refusal) = &answer.outcome {
        return Ok(mark_replay(respond(refusal, trace_of(&call, &answer.batch)), &answer));
    }
    let scheduled = answer.batch.events.iter().find_map(|event| match event {
        Event::LimitScheduled(schedule) => Some(schedule),
        _ => None,
    });
    if let Some(schedule) = scheduled {
        let catalog = call.api.catalog_now().await?;
        let mut w = Writer::with_capacity(256);
        w.object(|w| schedule_fields(w, schedule, &catalog));
        let mut response = reply::json(StatusCode::ACCEPTED, w.finish(), call.trace_id);
        reply::sequence(&mut response, last_seq(&answer.batch));
        return Ok(mark_replay(response, &answer));
    }
    let set = answer.batch.events.iter().find_map(|event| match event {
        Event::RiskLimitSet(limit) => Some(limit),
        _ => None,
    });
    let set = set.ok_or_else(unexpected)?;
    let catalog = call.api.catalog_now().await?;
    let mut w = Writer::with_capacity(128);
    w.object(|w| limit_fields(w, set, &catalog));
    let mut response = reply::json(StatusCode::OK, w.finish(), call.trace_id);
    reply::sequence(&mut response, last_seq(&answer.batch));
    Ok(mark_replay(response, &answer))
}

async fn remove_limit(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let limit_type: Option<LimitType> = params.parsed("limit_type")?;
    let limit_type = limit_type.ok_or_else(|| bad_parameter("limit_type", "is required"))?;
    let scope = params.take("scope").unwrap_or_else(|| "TENANT".to_owned());
    let period: Option<Period> = params.parsed("period")?;
    let soft: Option<bool> = params.parsed("soft")?;
    params.end()?;
    let parsed = input::scope(&scope, &*call.api.catalog_now().await?).map_err(|problem| bad_parameter("scope", problem))?;
    let key = call.idempotency("DELETE /risk/limits", &format!("{limit_type} {scope} {period:?} {soft:?}"), &crate::json::Value::Null)?;
    let answer =
        call.execute(Command::RemoveRiskLimit(LimitKey { limit_type, scope: parsed, period, soft: soft.unwrap_or(false) }), key).await?;
    done(&call, &answer)
}

async fn engage(call: Call) -> Result<Response, Refusal> {
    switch(call, "POST /risk/kill-switch/engage", |scope, reason| Command::EngageKillSwitch { scope, reason }).await
}

async fn release(call: Call) -> Result<Response, Refusal> {
    switch(call, "POST /risk/kill-switch/release", |scope, reason| Command::ReleaseKillSwitch { scope, reason }).await
}

async fn switch(mut call: Call, endpoint: &str, command: fn(Scope, String) -> Command) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.body().await?;
    let value = call.parse(&bytes)?;
    let fields = Fields::of(&value, "", &["scope", "reason"])?;
    let (scope, reason) = input::scope_and_reason(&fields, &*call.api.catalog_now().await?)?;
    let key = call.idempotency(endpoint, "", &value)?;
    let answer = call.execute(command(scope, reason), key).await?;
    done(&call, &answer)
}

async fn trading_state(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.body().await?;
    let value = call.parse(&bytes)?;
    let fields = Fields::of(&value, "", &["scope", "state", "reason"])?;
    let state: TradingState = fields.required("state", fields.parsed("state")?)?;
    let (scope, reason) = input::scope_and_reason(&fields, &*call.api.catalog_now().await?)?;
    let key = call.idempotency("PUT /risk/trading-state", "", &value)?;
    let answer = call.execute(Command::SetTradingState { scope, state, reason }, key).await?;
    done(&call, &answer)
}

/// Every scope that something can be set for.
fn scopes(state: &State) -> Vec<Scope> {
    let mut scopes = vec![Scope::Tenant];
    scopes.extend(state.accounts().map(|account| Scope::Account(account.account_id)));
    let mut users: Vec<Scope> = state.api_keys().map(|key| Scope::User(key.user_id)).collect();
    users.sort_unstable();
    users.dedup();
    scopes.extend(users);
    scopes.extend(AssetClass::ALL.iter().map(|class| Scope::AssetClass(*class)));
    scopes.extend(state.risk().envelopes().map(|(envelope, _)| Scope::Strategy(envelope.strategy)));
    scopes.extend(state.instruments().iter().map(|instrument| Scope::Instrument(instrument.instrument_id)));
    scopes.extend(state.venues().map(|entry| Scope::Venue(entry.venue.venue)));
    scopes
}

/// An engaged kill switch, and what keeps it from being confirmed.
struct Switch {
    scope: Scope,
    state: KillState,
    since: Time,
    last_asked_at: Time,
    /// Client orders of the scope that still work; `None` for a venue, whose orders are counted by no sum.
    working: Option<u64>,
    in_doubt: u64,
}

/// Every engaged kill switch.
fn switches(state: &State) -> Vec<Switch> {
    let engaged = state.risk().kill_switches().into_iter();
    let engaged = engaged.map(|(scope, killed)| {
        let working = (!matches!(scope, Scope::Venue(_))).then(|| state.risk().open(scope).0);
        let in_doubt = state.in_doubt().filter(|leg| state.is_in(&leg.order, scope)).count() as u64;
        Switch { scope, state: killed.state, since: killed.since, last_asked_at: killed.last_asked_at, working, in_doubt }
    });
    engaged.collect()
}

fn write_switches(w: &mut Writer, switches: &[Switch], catalog: &Catalog) {
    w.array_at("engaged", switches, |w, switch| w.item(&catalog.scope_text(switch.scope)));
    w.array_at("switches", switches, |w, switch| {
        w.object(|w| {
            w.string("scope", &catalog.scope_text(switch.scope));
            w.text("state", switch.state);
            w.time("since", switch.since);
            w.time("last_asked_at", switch.last_asked_at);
            w.number_or_null("working", switch.working);
            w.number("in_doubt", switch.in_doubt);
            w.bool("alarm", switch.in_doubt > 0);
        });
    });
}

async fn kill_switches(call: Call) -> Result<Response, Refusal> {
    let (switches, moment) = read(&call, |state, _| switches(state)).await?;
    let catalog = call.api.catalog_now().await?;
    let mut w = Writer::with_capacity(128 + 256 * switches.len());
    w.object(|w| write_switches(w, &switches, &catalog));
    Ok(answer(&call, w, moment))
}

/// The most legs in doubt that the status page names; it counts all of them.
const MAX_DOUBTS: usize = 200;

/// A leg whose outcome is not known, at its worst.
struct Doubtful {
    order_id: OrderId,
    root_order_id: OrderId,
    venue: Mic,
    since: Time,
    reason: String,
    qty: Qty,
    /// What of it could still be executed, at the price that its client order is reserved at.
    worst: Notional,
}

impl Doubtful {
    fn of(state: &State, leg: &Entry) -> Option<Self> {
        let doubt = leg.order.extras.doubt.as_deref()?;
        let reserved = state.entry(leg.order.root_order_id).map(Entry::reserved).unwrap_or_default();
        let qty = leg.order.worst_open_qty();
        Some(Self {
            order_id: leg.order.order_id,
            root_order_id: leg.order.root_order_id,
            venue: leg.order.venue.unwrap_or_default(),
            since: doubt.since,
            reason: doubt.reason.clone(),
            qty,
            worst: reserved.valuation.notional(reserved.worst_price, qty).unwrap_or(Notional::MAX),
        })
    }
}

/// What the status page says.
pub(super) struct Status {
    switches: Vec<Switch>,
    states: Vec<(Scope, TradingState)>,
    open: Vec<(Scope, (u64, Notional))>,
    /// Each with its use and what is left.
    limits: Vec<(RiskLimit, Option<Decimal>, Option<Decimal>)>,
    in_doubt: u64,
    doubts: Vec<Doubtful>,
    breakers: Vec<(Breaker, BreakerState, Time)>,
    held: u64,
    suspense: u64,
    throttled: Vec<Scope>,
}

impl Status {
    pub(super) fn of(state: &State, now: Time) -> Self {
        let risk = state.risk();
        let scopes = scopes(state);
        let states = scopes.iter().map(|scope| (*scope, risk.trading_state(*scope)));
        let open = scopes.iter().map(|scope| (*scope, risk.open(*scope)));
        Self {
            switches: switches(state),
            states: states.filter(|(scope, state)| *scope == Scope::Tenant || *state != TradingState::Active).collect(),
            open: open.filter(|(scope, (orders, _))| *scope == Scope::Tenant || *orders > 0).collect(),
            limits: risk.status(now, state.positions()).into_iter().map(|status| (status.limit, status.used, status.headroom)).collect(),
            in_doubt: state.venues().map(|entry| u64::from(entry.in_doubt)).sum(),
            doubts: state.in_doubt().filter_map(|leg| Doubtful::of(state, leg)).take(MAX_DOUBTS).collect(),
            breakers: risk.breakers().map(|one| (one.breaker, one.state, one.since)).collect(),
            held: state.held().count() as u64,
            suspense: state.suspense().count() as u64,
            throttled: risk.tripped(),
        }
    }
}

/// The status page as it is now, and the sequence that it is of.
///
/// # Errors
/// `OVERLOADED`.
pub(crate) async fn status_now(call: &Call) -> Result<(Vec<u8>, Seq), Refusal> {
    let now = past::now();
    let (status, seq) = call.api.handle().inspect(move |state, _| (Status::of(state, now), state.last_seq())).await?;
    let beside = Beside::of(call, true, None, Vec::new()).await?;
    let catalog = call.api.catalog_now().await?;
    let mut w = Writer::with_capacity(1_024);
    w.object(|w| status_fields(w, &status, &beside, &catalog));
    Ok((w.finish(), seq))
}

async fn status(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let as_of = past::as_of(&mut params)?;
    let trend_s = trend_s(&mut params, as_of.is_some())?;
    params.end()?;
    let (status, moment) = call.api.state_as_of(as_of, Status::of).await?;
    let beside = Beside::of(&call, as_of.is_none(), trend_s, status.limits.iter().map(|(limit, _, _)| *limit).collect()).await?;
    let catalog = call.api.catalog_now().await?;
    let mut w = Writer::with_capacity(1_024);
    w.object(|w| status_fields(w, &status, &beside, &catalog));
    Ok(answer(&call, w, moment))
}

/// The page's fields, within an object that is open.
pub(super) fn status_fields(w: &mut Writer, status: &Status, beside: &Beside, catalog: &Catalog) {
    let Status { switches, states, open, limits, in_doubt, doubts, breakers, held, suspense, throttled } = status;
    w.array_at("kill_switches", switches, |w, switch| w.item(&catalog.scope_text(switch.scope)));
    w.object_at("kills", |w| write_switches(w, switches, catalog));
    w.array_at("trading_states", states, |w, (scope, state)| {
        w.object(|w| {
            w.string("scope", &catalog.scope_text(*scope));
            w.text("state", *state);
        });
    });
    w.array_at("open", open, |w, (scope, (orders, notional))| {
        w.object(|w| {
            w.string("scope", &catalog.scope_text(*scope));
            w.number("orders", *orders);
            w.text("notional", *notional);
        });
    });
    w.array_at("limits", limits, |w, (limit, used, headroom)| {
        w.object(|w| {
            limit_fields(w, limit, catalog);
            w.text_or_null("used", *used);
            w.text_or_null("headroom", *headroom);
            beside.write(w, limit, *used);
        });
    });
    w.number("in_doubt", *in_doubt);
    w.array_at("doubts", doubts, |w, doubt| {
        w.object(|w| {
            w.text("order_id", doubt.order_id);
            w.text("root_order_id", doubt.root_order_id);
            w.text("venue", doubt.venue);
            w.time("since", doubt.since);
            w.string("reason", &doubt.reason);
            w.text("qty", doubt.qty);
            w.text("worst_notional", doubt.worst);
        });
    });
    w.array_at("breakers", breakers, |w, (breaker, state, since)| {
        w.object(|w| {
            breaker_fields(w, breaker, catalog);
            w.text("state", *state);
            w.time("since", *since);
        });
    });
    w.number("held", *held);
    w.number("suspense", *suspense);
    w.array_at("throttled", throttled, |w, scope| w.item(&catalog.scope_text(*scope)));
}
