//! Dead-man switches: arm, beat, disarm, show.

use super::commands::done;
use super::orders::AS_OF;
use super::risk::{answer, read};
use super::{Endpoint, delete, get, post, put, query};
use crate::call::{Access, Call};
use crate::json::{Value, Writer, input, risk};
use crate::query::bad_parameter;
use axum::response::Response;
use oms_identity::Scope;
use oms_model::command::{Command, RiskCommand};
use oms_model::dead_man::DeadMan;
use oms_model::{Code, Refusal};

const PATH: &str = "/api/v1/risk/dead-man";

pub(super) fn endpoints() -> Vec<Endpoint> {
    let named = |id, summary| (id, "risk", summary);
    vec![
        get(Access::Scope(Scope::PositionsView), PATH, named("listDeadMen", "The dead-man switches, and how each stands"), list)
            .parameters(&[AS_OF])
            .json(200, "DeadMen", "Every switch.")
            .errors(&[Code::HistoryTooFar]),
        put(Access::Scope(Scope::OrdersCancel), PATH, named("armDeadMan", "Arm a dead-man switch, or arm it anew"), arm)
            .body("ArmDeadMan")
            .json(200, "Done", "It waits for heartbeats.")
            .errors(&[Code::NotFound, Code::UnsupportedMediaType])
            .idempotent(),
        // One that is turned away under load would stop trading, so it goes where cancels go.
        post(Access::Protected(Scope::OrdersCancel), PATH, named("beatDeadMan", "A heartbeat"), beat)
            .body("DeadManNamed")
            .json(200, "Done", "It waits from now on. A heartbeat without an idempotency key is mostly not recorded.")
            .errors(&[Code::NotFound, Code::StateConflict, Code::UnsupportedMediaType])
            .idempotent(),
        delete(Access::Scope(Scope::OrdersCancel), PATH, named("disarmDeadMan", "Take a dead-man switch away"), disarm)
            .parameters(&[query("scope", "Scope", "Which.").required()])
            .json(200, "Done", "It is gone.")
            .errors(&[Code::NotFound])
            .idempotent(),
    ]
}

async fn list(call: Call) -> Result<Response, Refusal> {
    let (men, moment) = read(&call, |state, _| state.risk().dead_men().copied().collect::<Vec<DeadMan>>()).await?;
    let catalog = call.api.catalog_now().await?;
    let mut w = Writer::with_capacity(64 + 256 * men.len());
    w.object(|w| {
        w.array_at("data", &men, |w, man| {
            w.object(|w| {
                w.string("scope", &catalog.scope_text(man.scope));
                w.number("timeout_s", man.timeout_s);
                w.text("action", man.action);
                w.text("user_id", man.user_id);
                w.text("state", man.state);
                w.time("beat_at", man.beat_at);
                w.time_or_null("due_at", man.due_at());
                w.time_or_null("fired_at", man.fired_at);
            });
        });
    });
    Ok(answer(&call, w, moment))
}

/// Arms a switch.
///
/// # Errors
/// As its operation says.
pub(crate) async fn arm(call: Call) -> Result<Response, Refusal> {
    act(call, "PUT /risk/dead-man", risk::dead_man_arm).await
}

/// Takes a heartbeat.
///
/// # Errors
/// As its operation says.
pub(crate) async fn beat(call: Call) -> Result<Response, Refusal> {
    act(call, "POST /risk/dead-man", risk::dead_man_beat).await
}

async fn act(
    mut call: Call,
    endpoint: &str,
    command: fn(&Value<'_>, &crate::catalog::Catalog) -> Result<Command, Refusal>,
) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.body().await?;
    let value = call.parse(&bytes)?;
    let command = command(&value, &*call.api.catalog_now().await?)?;
    let key = call.idempotency(endpoint, "", &value)?;
    let answer = call.execute(command, key).await?;
    done(&call, &answer)
}

async fn disarm(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let scope = params.take("scope").ok_or_else(|| bad_parameter("scope", "is required"))?;
    params.end()?;
    let parsed = input::scope(&scope, &*call.api.catalog_now().await?).map_err(|problem| bad_parameter("scope", problem))?;
    let key = call.idempotency("DELETE /risk/dead-man", &scope, &Value::Null)?;
    let answer = call.execute(Command::Risk(Box::new(RiskCommand::DisarmDeadMan { scope: parsed })), key).await?;
    done(&call, &answer)
}
