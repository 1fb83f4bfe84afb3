//! Health, metrics, version and the document itself.

use super::{Endpoint, get};
use crate::api::Api;
use crate::auth;
use crate::call::{Access, Call};
use crate::json::Writer;
use crate::metrics::{Exposition as _, Page};
use crate::{openapi, reply};
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use oms_model::Refusal;
use std::collections::BTreeSet;
use std::time::Duration;

/// How long the engine may take to answer before it counts as stuck.
const ENGINE_WAIT: Duration = Duration::from_secs(1);

pub(super) fn endpoints() -> Vec<Endpoint> {
    let named = |id, summary| (id, "system", summary);
    vec![
        get(Access::Public, "/api/v1/health", named("health", "Every condition of being ready, with its state"), ready)
            .json(200, "Health", "All are met.")
            .json(503, "Health", "At least one is not known to be met."),
        get(Access::Public, "/api/v1/health/live", named("healthLive", "Whether the process runs"), live).json(200, "Health", "It runs."),
        get(Access::Public, "/api/v1/health/ready", named("healthReady", "Whether orders can be taken and sent"), ready)
            .json(200, "Health", "All conditions are met.")
            .json(503, "Health", "At least one is not known to be met."),
        get(Access::Public, "/api/v1/metrics", named("metrics", "Figures in the Prometheus text format"), metrics).media(
            200,
            "text/plain; version=0.0.4",
            "The figures.",
        ),
        get(Access::Public, "/api/v1/version", named("version", "What is running"), version).json(200, "Version", "Name and version."),
        get(Access::Public, "/api/v1/openapi.json", named("openapi", "This document"), document).json(200, "object", "OpenAPI 3.1."),
    ]
}

async fn live(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    Ok(health(&call, StatusCode::OK, "live", &[]))
}

/// One condition: its name, and what is wrong where it is not met.
type Condition = (String, Result<(), String>);

fn health(call: &Call, status: StatusCode, word: &str, conditions: &[Condition]) -> Response {
    let mut w = Writer::with_capacity(256);
    w.object(|w| {
        w.text("status", word);
        w.array_at("checks", conditions, |w, (name, met)| {
            w.object(|w| {
                w.string("name", name);
                w.bool("ok", met.is_ok());
                w.string_or_null("detail", met.as_ref().err().map(String::as_str));
            });
        });
    });
    reply::json(status, w.finish(), call.trace_id)
}

async fn ready(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let mut all = Vec::new();
    for api in call.api.neighbours().all(&call.api) {
        all.push(conditions(&api).await);
    }
    let conditions = together(all);
    let well = conditions.iter().all(|(_, met)| met.is_ok());
    let (status, word) = if well { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready") };
    Ok(health(&call, status, word, &conditions))
}

async fn conditions(api: &Api) -> Vec<Condition> {
    let mut conditions: Vec<Condition> = Vec::new();
    // The engine answers once everything that it saw is durable, so this tells of the log too.
    let venues = api.handle().inspect(|state, _| {
        let sessions = state.venues().filter(|entry| entry.venue.enabled);
        sessions.map(|entry| (entry.venue.venue, entry.connected)).collect::<Vec<_>>()
    });
    match tokio::time::timeout(ENGINE_WAIT, venues).await {
        Ok(Ok(venues)) => {
            conditions.push(("engine and log".to_owned(), Ok(())));
            for (venue, connected) in venues.into_iter().filter(|(venue, _)| api.venues().contains(venue)) {
                let met = if connected { Ok(()) } else { Err("the session is not known to be up".to_owned()) };
                conditions.push((format!("venue {venue}"), met));
            }
        }
        Ok(Err(refusal)) => conditions.push(("engine and log".to_owned(), Err(refusal.message))),
        Err(_) => conditions.push(("engine and log".to_owned(), Err(format!("no answer within {} ms", ENGINE_WAIT.as_millis())))),
    }
    let (lag, most) = (api.handle().durable().0.saturating_sub(api.views_cursor().0), api.config().max_views_lag);
    let views = if lag <= most { Ok(()) } else { Err(format!("{lag} events behind; the most is {most}")) };
    conditions.push(("views".to_owned(), views));
    conditions.extend(api.probes().iter().map(|probe| (probe.name().to_owned(), probe.check())));
    conditions
}

/// What holds of every tenant. Anybody may ask, so of several nothing is told but how many of them do not meet it.
fn together(all: Vec<Vec<Condition>>) -> Vec<Condition> {
    let tenants = all.len();
    if tenants == 1 {
        return all.into_iter().flatten().collect();
    }
    let kinds = all.iter().flatten().map(|(name, _)| kind(name).to_owned()).collect::<BTreeSet<_>>();
    let of = |name: &String| {
        let unmet = |one: &&Vec<Condition>| one.iter().any(|(known, met)| kind(known) == name && met.is_err());
        match all.iter().filter(unmet).count() {
            0 => Ok(()),
            count => Err(format!("not met at {count} of {tenants} tenants")),
        }
    };
    kinds.into_iter().map(|name| (name.clone(), of(&name))).collect()
}

/// What a condition is about, without whose or which.
fn kind(name: &str) -> &str {
    if name.starts_with("venue ") { "venues" } else { name }
}

async fn metrics(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    // Figures of one tenant are no other's business; where there is one alone, whoever reaches the port may see them.
    if call.api.neighbours().are_several() {
        auth::authenticate(&call.api, &call.headers, call.principal.ip, false).await?;
    }
    let api = &call.api;
    let mut page = Page::default();
    api.telemetry().expose(&mut page);
    api.metrics().expose(&mut page);
    let (requests, streams) = api.in_flight();
    let durable = api.handle().durable().0;
    let lag = durable.saturating_sub(api.views_cursor().0);
    page.gauge("oms_http_requests_in_flight", "Requests worked on at this moment.", [("", requests as u64)]);
    page.gauge("oms_streams", "Event and market-data streams.", [("", streams as u64)]);
    page.gauge("oms_ws_sockets", "WebSockets.", [("", api.sockets() as u64)]);
    let (views, indexes, rows) = api.blotter().sizes();
    page.gauge("oms_order_views", "Views of orders that are open.", [("", views as u64)]);
    page.gauge("oms_order_view_indexes", "Distinct filters and orders of them, each with an index.", [("", indexes as u64)]);
    page.gauge("oms_order_view_rows", "Orders that are held for them.", [("", rows as u64)]);
    page.gauge("oms_log_sequence", "The last durable sequence.", [("", durable)]);
    page.gauge("oms_follower_lag_events", "Events that a follower is behind.", [("follower=\"views\"", lag)]);
    page.counter("oms_ticks_total", "Quotes and trades received.", [("", api.handle().market().ticks())]);
    for exposition in api.expositions() {
        exposition.expose(&mut page);
    }
    Ok(reply::body(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", Body::from(page.finish()), call.trace_id))
}

async fn version(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let mut w = Writer::default();
    w.object(|w| {
        w.text("name", "oms");
        w.text("version", env!("CARGO_PKG_VERSION"));
        w.text("api", "v1");
    });
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

async fn document(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    Ok(reply::body(StatusCode::OK, "application/json", Body::from(openapi::document().as_bytes()), call.trace_id))
}
