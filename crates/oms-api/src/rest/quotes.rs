//! Requests for quotes: ask, quote, accept, withdraw; and a fund's value.
//!
//! Lists show what the engine holds: every open request, and the last thousand that have ended, with their quotes.

use super::commands::done;
use super::place::{last_seq, mark_replay, placed, trace_of, unexpected};
use super::{Endpoint, Parameter, get, post, query};
use crate::call::{Access, Call};
use crate::error::respond;
use crate::json::quotes::{acceptance, new_quote, new_request, quote_fields, quote_id, request_fields, request_id, withdrawal};
use crate::json::{Fields, Writer};
use crate::reply;
use axum::response::Response;
use http::StatusCode;
use oms_identity::Scope;
use oms_model::command::{Command, CommandOutcome};
use oms_model::event::Event;
use oms_model::quote::{Quote, QuoteReqState, QuoteRequest, QuoteState};
use oms_model::{Code, Mic, QuoteReqId, Refusal, Symbol};
use oms_runtime::handle::Answer;

const LIMIT: Parameter = query("limit", "integer(1..500)", "Items of a page: 1 to 500, 100 where it is not given.");
const CURSOR: Parameter = query("cursor", "string", "`next` of the page before.");
const DEAD: &[Code] = &[Code::NotFound, Code::QuoteNotLive, Code::StateConflict];

pub(super) fn endpoints() -> Vec<Endpoint> {
    let named = |id, summary| (id, "quotes", summary);
    vec![
        post(Access::Scope(Scope::OrdersPlace), "/api/v1/quote-requests", named("requestQuote", "Ask dealers for quotes"), ask)
            .body("NewQuoteRequest")
            .json(201, "QuoteRequest", "The request is durable; dealers see it.")
            .errors(&[Code::UnknownSymbol, Code::AssetClassRule, Code::InvalidLot, Code::UnsupportedMediaType])
            .idempotent(),
        get(
            Access::Scope(Scope::OrdersView),
            "/api/v1/quote-requests",
            named("listQuoteRequests", "List requests for quotes, newest first"),
            requests,
        )
        .parameters(&[LIMIT, CURSOR, query("state", "QuoteReqState", "In this state."), query("symbol", "string", "In this instrument.")])
        .json(200, "QuoteRequestPage", "A page of requests."),
        get(
            Access::Scope(Scope::OrdersView),
            "/api/v1/quote-requests/{quote_req_id}",
            named("getQuoteRequest", "A request for quotes"),
            one_request,
        )
        .json(200, "QuoteRequest", "The request.")
        .errors(&[Code::NotFound]),
        post(
            Access::Scope(Scope::OrdersPlace),
            "/api/v1/quote-requests/{quote_req_id}/cancel",
            named("cancelQuoteRequest", "Withdraw a request for quotes"),
            cancel,
        )
        .optional_body("Empty")
        .json(200, "Done", "It is over, and its quotes with it.")
        .errors(DEAD)
        .idempotent(),
        post(Access::Scope(Scope::OrdersPlace), "/api/v1/quotes", named("submitQuote", "Answer a request, for a dealer"), submit)
            .body("NewQuote")
            .json(201, "Quote", "The quote is durable and can be accepted.")
            .errors(DEAD)
            .errors(&[Code::InvalidTick, Code::InvalidLot, Code::UnsupportedMediaType])
            .idempotent(),
        get(Access::Scope(Scope::OrdersView), "/api/v1/quotes", named("listQuotes", "List quotes, newest first"), quotes)
            .parameters(&[
                LIMIT,
                CURSOR,
                query("state", "QuoteState", "In this state."),
                query("quote_req_id", "uuid", "Of this request."),
                query("dealer", "mic", "Of this dealer."),
            ])
            .json(200, "QuotePage", "A page of quotes."),
        get(Access::Scope(Scope::OrdersView), "/api/v1/quotes/{quote_id}", named("getQuote", "A quote"), one_quote)
            .json(200, "Quote", "The quote.")
            .errors(&[Code::NotFound]),
        post(Access::Scope(Scope::OrdersPlace), "/api/v1/quotes/{quote_id}/accept", named("acceptQuote", "Accept a live quote"), accept)
            .optional_body("Acceptance")
            .json(201, "Order", "The order that accepts it is durable and on its way to the dealer.")
            .errors(DEAD)
            .errors(super::place::PLACEMENT_ERRORS)
            .idempotent(),
        post(
            Access::Scope(Scope::OrdersPlace),
            "/api/v1/quotes/{quote_id}/withdraw",
            named("withdrawQuote", "Take a live quote back, for its dealer"),
            withdraw,
        )
        .body("Withdrawal")
        .json(200, "Done", "It is dead.")
        .errors(DEAD)
        .idempotent(),
        post(
            Access::Scope(Scope::SystemAdmin),
            "/api/v1/instruments/{symbol}/nav",
            ("setNav", "instruments", "Publish a fund's net asset value"),
            set_nav,
        )
        .body("SetNav")
        .json(200, "Done", "It holds; the fund's venue prices the orders that it covers.")
        .errors(&[Code::UnknownSymbol, Code::AssetClassRule, Code::StateConflict, Code::UnsupportedMediaType])
        .idempotent(),
    ]
}

/// What a command that creates something came to: written from its own batch, so that a repetition has the same bytes.
fn created(call: &Call, answer: &Answer, write: impl FnOnce(&mut Writer) -> Option<()>) -> Result<Response, Refusal> {
    let response = match &answer.outcome {
        CommandOutcome::Refused(refusal) => respond(refusal, trace_of(call, &answer.batch)),
        CommandOutcome::QuoteRequested { .. } | CommandOutcome::QuoteReceived { .. } => {
            let mut w = Writer::with_capacity(512);
            let mut written = None;
            w.object(|w| written = write(w));
            written.ok_or_else(unexpected)?;
            let mut response = reply::json(StatusCode::CREATED, w.finish(), call.trace_id);
            reply::sequence(&mut response, last_seq(&answer.batch));
            response
        }
        _ => return Err(unexpected()),
    };
    Ok(mark_replay(response, answer))
}

async fn ask(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.body().await?;
    let value = call.parse(&bytes)?;
    let command = new_request(&value)?;
    let key = call.idempotency("POST /quote-requests", "", &value)?;
    let answer = call.execute(command, key).await?;
    let catalog = call.api.catalog_now().await?;
    created(&call, &answer, |w| {
        let (seq, event) = answer.batch.numbered().find(|(_, event)| matches!(event, Event::QuoteRequested(_)))?;
        let Event::QuoteRequested(event) = event else { return None };
        request_fields(w, &QuoteRequest::create(event, seq, answer.batch.time), &catalog);
        Some(())
    })
}

async fn submit(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.body().await?;
    let value = call.parse(&bytes)?;
    let command = new_quote(&value)?;
    let key = call.idempotency("POST /quotes", "", &value)?;
    let answer = call.execute(command, key).await?;
    created(&call, &answer, |w| {
        let (seq, event) = answer.batch.numbered().find(|(_, event)| matches!(event, Event::QuoteReceived(_)))?;
        let Event::QuoteReceived(event) = event else { return None };
        quote_fields(w, &Quote::create(event, seq, answer.batch.time));
        Some(())
    })
}

async fn accept(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.optional_body().await?;
    let value = call.parse_or_empty(&bytes)?;
    let command = acceptance(&value, quote_id(&call.id)?)?;
    let key = call.idempotency("POST /quotes/{quote_id}/accept", &call.id, &value)?;
    let answer = call.execute(command, key).await?;
    placed(&call, &answer, call.wait(), StatusCode::CREATED).await
}

async fn cancel(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.optional_body().await?;
    let value = call.parse_or_empty(&bytes)?;
    Fields::of(&value, "", &[])?;
    let quote_req_id = request_id(&call.id)?;
    let key = call.idempotency("POST /quote-requests/{quote_req_id}/cancel", &call.id, &value)?;
    let answer = call.execute(Command::CancelQuoteRequest { quote_req_id }, key).await?;
    done(&call, &answer)
}

async fn withdraw(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.body().await?;
    let value = call.parse(&bytes)?;
    let command = withdrawal(&value, quote_id(&call.id)?)?;
    let key = call.idempotency("POST /quotes/{quote_id}/withdraw", &call.id, &value)?;
    let answer = call.execute(command, key).await?;
    done(&call, &answer)
}

async fn set_nav(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.body().await?;
    let value = call.parse(&bytes)?;
    let fields = Fields::of(&value, "", &["nav", "as_of"])?;
    let nav = fields.required("nav", fields.amount("nav")?)?;
    let as_of = fields.required("as_of", fields.time("as_of")?)?;
    let unknown = |_| Refusal::new(Code::UnknownSymbol, format!("there is no instrument {}", call.id));
    let symbol: Symbol = call.id.parse().map_err(unknown)?;
    let key = call.idempotency("POST /instruments/{symbol}/nav", &call.id, &value)?;
    let answer = call.execute(Command::SetNav { symbol, nav, as_of }, key).await?;
    done(&call, &answer)
}

/// A page of what the engine holds, newest first: ids rise with time.
fn page<T>(call: &Call, items: &[T], next: Option<String>, write: impl Fn(&mut Writer, &T)) -> Response {
    let mut w = Writer::with_capacity(64 + 512 * items.len());
    w.object(|w| {
        w.array_at("data", items, |w, item| w.object(|w| write(w, item)));
        w.string_or_null("next", next.as_deref());
    });
    reply::json(StatusCode::OK, w.finish(), call.trace_id)
}

/// The first `limit` of what was found, and the cursor where there is more.
fn cut<T>(mut found: Vec<T>, limit: usize, id: impl Fn(&T) -> String) -> (Vec<T>, Option<String>) {
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(id);
    (found, next)
}

async fn requests(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let limit = params.limit()? as usize;
    let before: Option<QuoteReqId> = params.parsed("cursor")?;
    let state: Option<QuoteReqState> = params.parsed("state")?;
    let symbol: Option<Symbol> = params.parsed("symbol")?;
    params.end()?;
    let found = call.api.handle().inspect(move |engine, _| {
        let instrument = symbol.as_ref().map(|symbol| engine.by_symbol(symbol).map(|one| one.instrument_id));
        let wanted = |request: &&QuoteRequest| {
            before.is_none_or(|before| request.quote_req_id < before)
                && state.is_none_or(|state| request.state == state)
                && instrument.is_none_or(|id| Some(request.instrument_id) == id)
        };
        let mut found: Vec<QuoteRequest> = engine.quote_requests().filter(wanted).cloned().collect();
        found.reverse();
        found.truncate(limit + 1);
        found
    });
    let (items, next) = cut(found.await?, limit, |request| request.quote_req_id.to_string());
    let catalog = call.api.catalog_now().await?;
    Ok(page(&call, &items, next, |w, request| request_fields(w, request, &catalog)))
}

async fn quotes(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let limit = params.limit()? as usize;
    let before: Option<oms_model::QuoteId> = params.parsed("cursor")?;
    let state: Option<QuoteState> = params.parsed("state")?;
    let request: Option<QuoteReqId> = params.parsed("quote_req_id")?;
    let dealer: Option<Mic> = params.parsed("dealer")?;
    params.end()?;
    let found = call.api.handle().inspect(move |engine, _| {
        let wanted = |quote: &&Quote| {
            before.is_none_or(|before| quote.quote_id < before)
                && state.is_none_or(|state| quote.state == state)
                && request.is_none_or(|id| quote.quote_req_id == id)
                && dealer.is_none_or(|dealer| quote.dealer == dealer)
        };
        let mut found: Vec<Quote> = engine.quotes().filter(wanted).cloned().collect();
        found.reverse();
        found.truncate(limit + 1);
        found
    });
    let (items, next) = cut(found.await?, limit, |quote| quote.quote_id.to_string());
    Ok(page(&call, &items, next, quote_fields))
}

async fn one_request(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let id = request_id(&call.id)?;
    let found = call.api.handle().inspect(move |state, _| state.quote_request(id).cloned()).await?;
    let request = found.ok_or_else(|| Refusal::new(Code::NotFound, "there is no such request for quotes"))?;
    let catalog = call.api.catalog_now().await?;
    let mut w = Writer::with_capacity(512);
    w.object(|w| request_fields(w, &request, &catalog));
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

async fn one_quote(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let id = quote_id(&call.id)?;
    let found = call.api.handle().inspect(move |state, _| state.quote(id).cloned()).await?;
    let quote = found.ok_or_else(|| Refusal::new(Code::NotFound, "there is no such quote"))?;
    let mut w = Writer::with_capacity(512);
    w.object(|w| quote_fields(w, &quote));
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}
