//! Leave for one order to break one rule.

use super::commands::done;
use super::orders::AS_OF;
use super::place::{last_seq, mark_replay, trace_of, unexpected};
use super::risk::{answer, read};
use super::{Endpoint, delete, get, post, put, query};
use crate::call::{Access, Call};
use crate::error::respond;
use crate::json::leaves::{override_fields, override_grant, override_rule_set};
use crate::json::{Fields, Writer};
use crate::query::bad_parameter;
use crate::reply;
use axum::response::Response;
use http::StatusCode;
use oms_identity::Scope;
use oms_model::command::{Command, CommandOutcome, RiskCommand};
use oms_model::event::Event;
use oms_model::overrides::Override;
use oms_model::{Code, OverrideId, Refusal};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let named = |id, summary| (id, "risk", summary);
    let one = |endpoint: Endpoint| endpoint.errors(&[Code::NotFound, Code::StateConflict, Code::SecondPersonNeeded]).idempotent();
    vec![
        get(
            Access::Scope(Scope::PositionsView),
            "/api/v1/risk/overrides",
            named("listOverrides", "Overrides whose time is not over, with what the tenant says about them"),
            list,
        )
        .parameters(&[AS_OF])
        .json(200, "OverrideList", "Used ones too, until their time is over.")
        .errors(&[Code::HistoryTooFar]),
        one(post(
            Access::Scope(Scope::RiskOverride),
            "/api/v1/risk/overrides",
            named("grantOverride", "Give leave for an order like a refused one to break one rule (scope risk:override)"),
            grant,
        )
        .body("GrantOverride")
        .json(201, "Override", "It is granted; the order is sent again with its id among `override_ids`.")
        .errors(&[Code::UnsupportedMediaType])),
        one(post(
            Access::Scope(Scope::RiskOverride),
            "/api/v1/risk/overrides/{override_id}/consent",
            named("consentOverride", "Consent to an override, as a second person (scope risk:override)"),
            consent,
        )
        .optional_body("Empty")
        .json(200, "Done", "It holds.")),
        one(delete(
            Access::Scope(Scope::RiskOverride),
            "/api/v1/risk/overrides/{override_id}",
            named("revokeOverride", "Take an override back that was not used (scope risk:override)"),
            revoke,
        )
        .parameters(&[query("reason", "reason", "Why, in words: 1 to 1000 bytes.").required()])
        .json(200, "Done", "It holds no more.")),
        put(
            Access::Scope(Scope::RiskManage),
            "/api/v1/risk/override-rule",
            named("setOverrideRule", "Say who has to consent to overrides, and whether lists may be overridden"),
            set_rule,
        )
        .body("SetOverrideRule")
        .json(200, "Done", "It holds, for what was granted before too.")
        .errors(&[Code::UnsupportedMediaType])
        .idempotent(),
    ]
}

async fn list(call: Call) -> Result<Response, Refusal> {
    let ((rule, overrides), moment) =
        read(&call, |state, _| (state.risk().override_rule(), state.risk().overrides().cloned().collect::<Vec<Override>>())).await?;
    let catalog = call.api.catalog_now().await?;
    let mut w = Writer::with_capacity(128 + 512 * overrides.len());
    w.object(|w| {
        w.object_at("rule", |w| {
            w.bool("second_person", rule.second_person);
            w.bool("lists", rule.lists);
        });
        w.array_at("data", &overrides, |w, known| w.object(|w| override_fields(w, known, &catalog)));
    });
    Ok(answer(&call, w, moment))
}

async fn grant(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.body().await?;
    let value = call.parse(&bytes)?;
    let command = override_grant(&value, &*call.api.catalog_now().await?)?;
    let key = call.idempotency("POST /risk/overrides", "", &value)?;
    let answer = call.execute(command, key).await?;
    if let CommandOutcome::Refused(refusal) = &answer.outcome {
        return Ok(mark_replay(respond(refusal, trace_of(&call, &answer.batch)), &answer));
    }
    let granted = answer.batch.events.iter().find_map(|event| match event {
        Event::OverrideGranted(granted) => Some(granted),
        _ => None,
    });
    let granted = granted.ok_or_else(unexpected)?;
    let catalog = call.api.catalog_now().await?;
    let mut w = Writer::with_capacity(512);
    w.object(|w| override_fields(w, granted, &catalog));
    let mut response = reply::json(StatusCode::CREATED, w.finish(), call.trace_id);
    reply::sequence(&mut response, last_seq(&answer.batch));
    Ok(mark_replay(response, &answer))
}

fn override_id(call: &Call) -> Result<OverrideId, Refusal> {
    call.id.parse().map_err(|error| bad_parameter("override_id", error))
}

async fn consent(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.optional_body().await?;
    let value = call.parse_or_empty(&bytes)?;
    Fields::of(&value, "", &[])?;
    let override_id = override_id(&call)?;
    let key = call.idempotency("POST /risk/overrides/{override_id}/consent", &call.id, &value)?;
    let answer = call.execute(Command::Risk(Box::new(RiskCommand::ConsentOverride { override_id })), key).await?;
    done(&call, &answer)
}

async fn revoke(call: Call) -> Result<Response, Refusal> {
    let reason = reason(&call)?;
    let override_id = override_id(&call)?;
    let subject = format!("{} {reason}", call.id);
    let key = call.idempotency("DELETE /risk/overrides/{override_id}", &subject, &crate::json::Value::Null)?;
    let answer = call.execute(Command::Risk(Box::new(RiskCommand::RevokeOverride { override_id, reason })), key).await?;
    done(&call, &answer)
}

/// The reason that a request without a body gives.
pub(super) fn reason(call: &Call) -> Result<String, Refusal> {
    let mut params = call.params()?;
    let reason = params.take("reason");
    params.end()?;
    reason.ok_or_else(|| bad_parameter("reason", "is required"))
}

async fn set_rule(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.body().await?;
    let value = call.parse(&bytes)?;
    let command = override_rule_set(&value, &*call.api.catalog_now().await?)?;
    let key = call.idempotency("PUT /risk/override-rule", "", &value)?;
    let answer = call.execute(command, key).await?;
    done(&call, &answer)
}
