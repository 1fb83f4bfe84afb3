//! Instruments, venues and accounts.

use super::place::{last_seq, mark_replay, trace_of, unexpected};
use super::positions::no_such_instrument;
use super::{Endpoint, Parameter, get, post, query};
use crate::call::{Access, Call};
use crate::catalog::Catalog;
use crate::error::respond;
use crate::json::Writer;
use crate::json::decode::time;
use crate::json::orders::{account_fields, instrument_fields, share};
use crate::json::read::Value;
use crate::json::setup;
use crate::past::now;
use crate::query::bad_parameter;
use crate::reply;
use axum::response::Response;
use http::StatusCode;
use oms_identity::Scope;
use oms_model::command::{Command, CommandOutcome};
use oms_model::event::Event;
use oms_model::instrument::Venue;
use oms_model::{Code, Refusal};
use std::future::Future;
use std::pin::Pin;

const PAGE: &[Parameter] = &[
    query("limit", "integer(1..500)", "Items of a page: 1 to 500, 100 where it is not given."),
    query("cursor", "string", "`next` of the page before."),
];

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        get(
            Access::Scope(Scope::OrdersView),
            "/api/v1/instruments",
            ("listInstruments", "instruments", "List instruments by symbol"),
            instruments,
        )
        .parameters(PAGE)
        .json(200, "InstrumentPage", "A page of instruments."),
        get(
            Access::Scope(Scope::OrdersView),
            "/api/v1/instruments/{symbol}",
            ("getInstrument", "instruments", "An instrument"),
            instrument,
        )
        .json(200, "Instrument", "The instrument.")
        .errors(&[Code::NotFound]),
        get(
            Access::Scope(Scope::OrdersView),
            "/api/v1/calendars",
            ("listCalendars", "instruments", "When markets are open, by where instruments are listed"),
            calendars,
        )
        .parameters(&[query("at", "time", "At this time instead of now.")])
        .json(200, "CalendarList", "Instruments that are listed elsewhere trade around the clock."),
        get(Access::Scope(Scope::BrokersView), "/api/v1/venues", ("listVenues", "venues", "List venues as they are configured"), venues)
            .parameters(PAGE)
            .json(200, "VenuePage", "A page of venues."),
        get(Access::Scope(Scope::BrokersView), "/api/v1/accounts", ("listAccounts", "accounts", "List accounts"), accounts)
            .parameters(PAGE)
            .json(200, "AccountPage", "A page of accounts."),
    ]
    .into_iter()
    .chain(setup())
    .collect()
}

/// What a desk is made of is set by whoever administers it.
fn setup() -> [Endpoint; 3] {
    let set = |path, named, body: &'static str, answer, handler: fn(Call) -> Setting| {
        post(Access::Scope(Scope::SystemAdmin), path, named, handler)
            .body(body)
            .json(200, answer, "As it is now.")
            .errors(&[Code::AssetClassRule, Code::UnsupportedMediaType])
            .idempotent()
    };
    [
        set(
            "/api/v1/instruments",
            ("setInstrument", "instruments", "List an instrument, or change one"),
            "SetInstrument",
            "Instrument",
            |call| Box::pin(set_up(call, "POST /instruments", setup::instrument_set)),
        ),
        set("/api/v1/venues", ("setVenue", "venues", "Tell the router of a venue, or change it"), "SetVenue", "Venue", |call| {
            Box::pin(set_up(call, "POST /venues", setup::venue_set))
        }),
        set("/api/v1/accounts", ("setAccount", "accounts", "Open an account, or change one"), "SetAccount", "Account", |call| {
            Box::pin(set_up(call, "POST /accounts", setup::account_set))
        }),
    ]
}

type Setting = Pin<Box<dyn Future<Output = Result<Response, Refusal>> + Send>>;

/// Does what the body asks for and answers the thing as it is then, from the command's own batch.
async fn set_up(mut call: Call, route: &str, read: fn(&Value<'_>, &Catalog) -> Result<Command, Refusal>) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.body().await?;
    let value = call.parse(&bytes)?;
    let command = read(&value, &*call.api.catalog_now().await?)?;
    let key = call.idempotency(route, "", &value)?;
    let answer = call.execute(command, key).await?;
    if let CommandOutcome::Refused(refusal) = &answer.outcome {
        return Ok(mark_replay(respond(refusal, trace_of(&call, &answer.batch)), &answer));
    }
    let mut w = Writer::with_capacity(512);
    let set = answer.batch.events.iter().find(|event| thing_fields(event).is_some());
    let write = set.and_then(thing_fields).ok_or_else(unexpected)?;
    w.object(write);
    let mut response = reply::json(StatusCode::OK, w.finish(), trace_of(&call, &answer.batch));
    reply::sequence(&mut response, last_seq(&answer.batch));
    Ok(mark_replay(response, &answer))
}

type Fields<'e> = Box<dyn FnOnce(&mut Writer) + 'e>;

/// How the thing that an event set is written; `None` where it set none.
fn thing_fields(event: &Event) -> Option<Fields<'_>> {
    match event {
        Event::InstrumentListed(instrument) => Some(Box::new(|w| instrument_fields(w, instrument))),
        Event::VenueConfigured(venue) => Some(Box::new(|w| venue_fields(w, venue))),
        Event::AccountOpened(account) => Some(Box::new(|w| account_fields(w, account))),
        _ => None,
    }
}

/// A page of things that are held in memory, by their names.
fn page<T>(call: &Call, mut items: Vec<(String, T)>, write: impl Fn(&mut Writer, &T)) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let limit = params.limit()? as usize;
    let after = params.take("cursor");
    params.end()?;
    items.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let from = after.map_or(0, |after| items.partition_point(|(name, _)| *name <= after));
    let page: Vec<&(String, T)> = items.iter().skip(from).take(limit).collect();
    let more = items.len() > from + page.len();
    let mut w = Writer::with_capacity(64 + 256 * page.len());
    w.object(|w| {
        w.array_at("data", &page, |w, (_, item)| w.object(|w| write(w, item)));
        w.string_or_null("next", page.last().filter(|_| more).map(|(name, _)| name.as_str()));
    });
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

async fn instruments(call: Call) -> Result<Response, Refusal> {
    let catalog = call.api.catalog_now().await?;
    let all = catalog.instruments.values().map(|one| (one.symbol.to_string(), one)).collect();
    page(&call, all, |w, instrument| instrument_fields(w, instrument))
}

async fn instrument(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let catalog = call.api.catalog_now().await?;
    let instrument = catalog.instrument_named(&call.id).ok_or_else(|| no_such_instrument(&call.id))?;
    let mut w = Writer::with_capacity(512);
    w.object(|w| instrument_fields(w, instrument));
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

async fn venues(call: Call) -> Result<Response, Refusal> {
    let catalog = call.api.catalog_now().await?;
    let all = catalog.venues.values().map(|one| (one.venue.to_string(), one)).collect();
    page(&call, all, |w, venue| venue_fields(w, venue))
}

/// A venue's configuration, within an object that is open.
pub(super) fn venue_fields(w: &mut Writer, venue: &Venue) {
    w.text("venue", venue.venue);
    w.string("name", &venue.name);
    w.text("maker_fee", venue.maker_fee);
    w.text("taker_fee", venue.taker_fee);
    w.number("latency_prior_ns", venue.latency_prior_ns);
    w.text("fill_prior", share(venue.fill_prior_ppm));
    w.number("fill_prior_weight", venue.fill_prior_weight);
    w.bool("enabled", venue.enabled);
    w.bool("lacks_stops", venue.lacks_stops);
    w.bool("lacks_gtd", venue.lacks_gtd);
}

async fn accounts(call: Call) -> Result<Response, Refusal> {
    let catalog = call.api.catalog_now().await?;
    let all = catalog.accounts.values().map(|one| (one.account_id.to_string(), one)).collect();
    page(&call, all, |w, account| account_fields(w, account))
}

async fn calendars(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let at = match params.take("at") {
        Some(text) => time(&text).ok_or_else(|| bad_parameter("at", "must be a time such as 2026-01-31T16:00:00Z"))?,
        None => now(),
    };
    params.end()?;
    let all: Vec<_> = call.api.config().calendars.iter().collect();
    let mut w = Writer::with_capacity(64 + 256 * all.len());
    w.object(|w| {
        w.time("at", at);
        w.array_at("data", &all, |w, (listing, calendar)| {
            w.object(|w| {
                let day = calendar.day(at);
                w.text("listing", listing);
                w.text("calendar", calendar.id());
                w.text("name", calendar.name());
                w.text("time_zone", calendar.zone());
                w.text("phase", calendar.phase(at).as_str());
                w.time_or_null("next_open", calendar.next_open(at));
                w.number_or_null("trading_day", day.map(|day| day.date));
                w.time_or_null("day_open", day.map(|day| day.open));
                w.time_or_null("day_close", day.map(|day| day.close));
            });
        });
    });
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}
