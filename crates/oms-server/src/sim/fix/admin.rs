//! The venues over HTTP: how they stand, and their faults.
//!
//! `GET /venues`, `PUT /venues/{MIC}/faults` and `PUT /faults` (every venue) with a JSON object of switches, `DELETE` of
//! the same for none, `POST /end-of-day`. What is not named stays as it is.

use super::faults::{self, Switches};
use super::{Faults, Mic};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use oms_fix::session::Phase;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::net::TcpListener;

/// Largest body, in bytes.
const BODY: usize = 16 << 10;

type Shared = State<Arc<Switches>>;
type Refused = (StatusCode, Json<Value>);

fn refused(status: StatusCode, message: impl Into<String>) -> Refused {
    (status, Json(json!({"message": message.into()})))
}

/// Serves until the process ends.
pub async fn serve(listener: TcpListener, switches: Arc<Switches>) {
    let app = Router::new()
        .route("/venues", get(venues))
        .route("/venues/{venue}", get(venue))
        .route("/venues/{venue}/faults", put(set).delete(clear))
        .route("/faults", put(set_all).delete(clear_all))
        .route("/end-of-day", post(end_of_day))
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(switches);
    if let Err(error) = axum::serve(listener, app).await {
        tracing::error!(%error, "faults can be switched no more");
    }
}

fn shown(switches: &Switches, venue: Mic) -> Option<Value> {
    let session = switches.sessions.get(&venue)?;
    let (stats, working, faults) = {
        let floor = switches.floor.lock();
        let venue = floor.venue(venue)?;
        (venue.stats(), venue.working_orders(), venue.faults())
    };
    let (next_in, next_out) = session.handle.numbers();
    let count = |figure: &std::sync::atomic::AtomicU64| figure.load(Ordering::Relaxed);
    let faults: Map<String, Value> = faults::all(faults).into_iter().map(|(name, value)| (name.to_owned(), number(value))).collect();
    Some(json!({
        "venue": venue.to_string(),
        "client": session.handle.id().target,
        "logged_on": *session.handle.phase().borrow() == Phase::Up,
        "open": session.handle.is_open(),
        "next_in": next_in,
        "next_out": next_out,
        "received": count(&session.figures.received),
        "told": count(&session.figures.told),
        "refused": count(&session.figures.refused),
        "again": count(&session.figures.again),
        "working": working,
        "accepted": stats.accepted,
        "rejected": stats.rejected,
        "fills": stats.fills,
        "duplicates_seen": stats.duplicates_seen,
        "lost_requests": stats.lost_requests,
        "faults": faults,
    }))
}

fn number(text: String) -> Value {
    text.parse::<u64>().map_or(Value::String(text), Value::from)
}

fn named(switches: &Switches, venue: &str) -> Result<Mic, Refused> {
    let mic = venue.parse().ok().filter(|mic| switches.sessions.contains_key(mic));
    mic.ok_or_else(|| refused(StatusCode::NOT_FOUND, format!("there is no venue {venue:?}")))
}

async fn venues(State(switches): Shared) -> Json<Value> {
    Json(switches.sessions.keys().filter_map(|mic| shown(&switches, *mic)).collect())
}

async fn venue(State(switches): Shared, Path(venue): Path<String>) -> Result<Json<Value>, Refused> {
    let mic = named(&switches, &venue)?;
    Ok(Json(shown(&switches, mic).unwrap_or_default()))
}

/// The switches of a body, laid over those that stand.
fn read(mut faults: Faults, body: &Map<String, Value>) -> Result<Faults, Refused> {
    for (name, value) in body {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        faults::set(&mut faults, name, &value).map_err(|error| refused(StatusCode::BAD_REQUEST, error))?;
    }
    Ok(faults)
}

async fn change(switches: &Switches, venues: &[Mic], body: Option<&Map<String, Value>>) -> Result<Json<Value>, Refused> {
    // All of it is read before any of it is done.
    let mut changes = Vec::new();
    for venue in venues {
        let standing = switches.get(*venue).unwrap_or_default();
        changes.push((*venue, body.map_or(Ok(Faults::none()), |body| read(standing, body))?));
    }
    for (venue, faults) in changes {
        tracing::warn!(%venue, ?faults, "faults are switched");
        switches.set(venue, faults).await.map_err(|error| refused(StatusCode::SERVICE_UNAVAILABLE, error))?;
    }
    Ok(Json(venues.iter().filter_map(|venue| shown(switches, *venue)).collect()))
}

async fn set(State(switches): Shared, Path(venue): Path<String>, Json(body): Json<Map<String, Value>>) -> Result<Json<Value>, Refused> {
    change(&switches, &[named(&switches, &venue)?], Some(&body)).await
}

async fn clear(State(switches): Shared, Path(venue): Path<String>) -> Result<Json<Value>, Refused> {
    change(&switches, &[named(&switches, &venue)?], None).await
}

fn every(switches: &Switches) -> Vec<Mic> {
    switches.sessions.keys().copied().collect()
}

async fn set_all(State(switches): Shared, Json(body): Json<Map<String, Value>>) -> Result<Json<Value>, Refused> {
    change(&switches, &every(&switches), Some(&body)).await
}

async fn clear_all(State(switches): Shared) -> Result<Json<Value>, Refused> {
    change(&switches, &every(&switches), None).await
}

/// DAY orders expire at every venue.
async fn end_of_day(State(switches): Shared) -> StatusCode {
    switches.floor.end_session();
    StatusCode::NO_CONTENT
}
