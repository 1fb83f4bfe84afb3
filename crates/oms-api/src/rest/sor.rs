//! The router: policies, venue statistics.

use super::instruments::venue_fields;
use super::place::{last_seq, mark_replay, trace_of, unexpected};
use super::{Endpoint, get, post};
use crate::call::{Access, Call};
use crate::error::respond;
use crate::json::orders::{policy_fields, share};
use crate::json::{Writer, input};
use crate::reply;
use axum::response::Response;
use http::StatusCode;
use oms_engine::state::VenueEntry;
use oms_identity::Scope;
use oms_model::command::{Command, CommandOutcome};
use oms_model::event::Event;
use oms_model::policy::{LatencyStat, SorPolicy};
use oms_model::{Code, Refusal};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let named = |id, summary| (id, "sor", summary);
    let set = |path, id| {
        post(Access::Scope(Scope::SystemAdmin), path, named(id, "Set a routing policy; what is absent has its default"), set_policy)
            .body("SetPolicy")
            .json(200, "Policy", "The policy with its new version.")
            .errors(&[Code::NotFound, Code::UnsupportedMediaType])
            .idempotent()
    };
    let list = |path, id| {
        get(Access::Scope(Scope::OrdersView), path, named(id, "The routing policies in force"), policies).json(
            200,
            "PolicyList",
            "Every policy.",
        )
    };
    vec![
        set("/api/v1/admin/sor/config", "setPolicy"),
        set("/v1/admin/sor/config", "setPolicyAlias"),
        list("/api/v1/admin/sor/config", "getSorConfig"),
        list("/v1/admin/sor/config", "getSorConfigAlias"),
        list("/api/v1/sor/policies", "listPolicies"),
        get(Access::Scope(Scope::OrdersView), "/api/v1/sor/venues", named("venueStatistics", "What was measured of each venue"), venues)
            .json(200, "VenueStatistics", "Every venue with its session and statistics."),
    ]
}

async fn policies(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let policies = call.api.handle().inspect(|state, _| state.policies().cloned().collect::<Vec<SorPolicy>>()).await?;
    let mut w = Writer::with_capacity(64 + 512 * policies.len());
    w.object(|w| w.array_at("data", &policies, |w, policy| w.object(|w| policy_fields(w, policy))));
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

async fn set_policy(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.body().await?;
    let value = call.parse(&bytes)?;
    let policy = input::policy(&value)?;
    let key = call.idempotency("POST /admin/sor/config", "", &value)?;
    let answer = call.execute(Command::SetSorPolicy(Box::new(policy)), key).await?;
    if let CommandOutcome::Refused(refusal) = &answer.outcome {
        return Ok(mark_replay(respond(refusal, trace_of(&call, &answer.batch)), &answer));
    }
    let set = answer.batch.events.iter().find_map(|event| match event {
        Event::SorPolicySet(policy) => Some(policy),
        _ => None,
    });
    let set = set.ok_or_else(unexpected)?;
    let mut w = Writer::with_capacity(512);
    w.object(|w| policy_fields(w, set));
    let mut response = reply::json(StatusCode::OK, w.finish(), call.trace_id);
    reply::sequence(&mut response, last_seq(&answer.batch));
    Ok(mark_replay(response, &answer))
}

async fn venues(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let venues = call.api.handle().inspect(|state, _| state.venues().cloned().collect::<Vec<VenueEntry>>()).await?;
    let mut w = Writer::with_capacity(64 + 512 * venues.len());
    w.object(|w| w.array_at("data", &venues, |w, entry| w.object(|w| statistics(w, entry))));
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

fn statistics(w: &mut Writer, entry: &VenueEntry) {
    let VenueEntry { venue, stats, connected, in_doubt } = entry;
    let parts = stats.to_parts();
    let fill = |aggressive| share(stats.fill_ppm(aggressive, venue.fill_prior_ppm, venue.fill_prior_weight));
    venue_fields(w, venue);
    w.bool("connected", *connected);
    w.number("in_doubt", *in_doubt);
    w.number("acknowledged", parts.acknowledged);
    w.number("rejected", parts.rejected);
    w.number("latency_ewma_ns", stats.latency_ns(LatencyStat::Ewma, venue.latency_prior_ns));
    w.number("latency_p95_ns", stats.latency_ns(LatencyStat::P95, venue.latency_prior_ns));
    for (key, count, aggressive) in [("aggressive", parts.aggressive, true), ("passive", parts.passive, false)] {
        w.object_at(key, |w| {
            w.number("submitted", count.submitted);
            w.number("filled", count.filled);
            w.text("fill_probability", fill(aggressive));
        });
    }
}
