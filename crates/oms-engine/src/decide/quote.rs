//! Asking for quotes, quoting, and accepting: races are decided by who comes first.

use super::{create, refused};
use crate::state::State;
use crate::step::Step;
use oms_model::asset_class::rules_of;
use oms_model::command::{Actor, CommandOutcome, NewOrder, NewQuote, NewQuoteRequest};
use oms_model::event::{Event, QuoteAccepted, QuoteEnded, QuoteReceived, QuoteReplaced, QuoteRequestEnded, QuoteRequested};
use oms_model::instrument::Instrument;
use oms_model::market::{Level, Market};
use oms_model::quote::{Quote, QuoteRequest, QuoteState};
use oms_model::{
    AccountId, ClOrdId, Code, Mic, OrdType, Order, OrderId, Price, Qty, QuoteId, QuoteReqId, Refusal, Side, SorMode, Time, TimeInForce,
};

/// The most requests that may be open at once.
pub(crate) const MAX_OPEN_REQUESTS: usize = 10_000;
/// The most quotes of one request, dead ones included.
pub(crate) const MAX_QUOTES: usize = 256;
/// The most dealers that one request names.
const MAX_DEALERS: usize = 32;
/// The longest life of a request or a quote, milliseconds: a day.
const MAX_LIFE_MS: u32 = 86_400_000;

fn refuse(code: Code, text: impl Into<String>) -> CommandOutcome {
    refused(Refusal::new(code, text))
}

fn dead(what: &str, state: impl core::fmt::Display) -> Refusal {
    Refusal::new(Code::QuoteNotLive, format!("the {what} is {state}")).with("state", state)
}

/// The end of a life that begins now.
fn life(step: &Step<'_>, ms: u32) -> Result<Time, Refusal> {
    if ms == 0 || ms > MAX_LIFE_MS {
        return Err(Refusal::new(Code::ValidationError, format!("life_ms is 1 to {MAX_LIFE_MS}")));
    }
    Ok(step.now().plus(i64::from(ms) * 1_000_000))
}

pub(crate) fn request(step: &mut Step<'_>, actor: &Actor, new: &NewQuoteRequest) -> CommandOutcome {
    let checked = check_request(step.state(), new, step.now()).and_then(|ids| life(step, new.life_ms).map(|until| (ids, until)));
    let ((account_id, instrument_id), expire_at) = match checked {
        Ok(checked) => checked,
        Err(refusal) => return refused(refusal),
    };
    if step.state().open_quote_requests() >= MAX_OPEN_REQUESTS {
        return refuse(Code::Overloaded, format!("{MAX_OPEN_REQUESTS} requests for quotes are open"));
    }
    let quote_req_id = QuoteReqId::from_u128(step.new_order_id().as_u128());
    step.emit(Event::QuoteRequested(Box::new(QuoteRequested {
        quote_req_id,
        account_id,
        user_id: actor.user_id,
        instrument_id,
        side: new.side,
        order_qty: new.order_qty,
        dealers: new.dealers.clone(),
        expire_at,
    })));
    CommandOutcome::QuoteRequested { quote_req_id }
}

fn check_request(state: &State, new: &NewQuoteRequest, now: Time) -> Result<(AccountId, oms_model::InstrumentId), Refusal> {
    let Some(instrument) = state.by_symbol(&new.symbol) else {
        return Err(Refusal::new(Code::UnknownSymbol, format!("there is no instrument {}", new.symbol)).with("symbol", &new.symbol));
    };
    let account_id = create::account_of(state, new.account_id)?;
    if !instrument.active {
        return Err(Refusal::new(Code::InstrumentDisabled, "the instrument takes no orders"));
    }
    if instrument.is_expired(now) {
        return Err(Refusal::new(Code::InstrumentExpired, format!("{} has expired", instrument.symbol)));
    }
    // What an accepting order would be refused for is refused at once.
    let side = new.side.or_else(|| rules_of(instrument.asset_class).sides.first().copied()).unwrap_or_default();
    let (ord_type, time_in_force) = (OrdType::PreviouslyQuoted, TimeInForce::Fok);
    rules_of(instrument.asset_class).check(&NewOrder { side, ord_type, time_in_force, ..NewOrder::default() })?;
    let qty = new.order_qty;
    let fits = qty.is_positive() && qty.is_multiple_of(instrument.lot) && qty >= instrument.min_qty && qty <= instrument.max_qty;
    if !fits {
        let refusal = Refusal::new(Code::InvalidLot, "the quantity is off the lot or outside the instrument's bounds");
        return Err(refusal.with("order_qty", qty).with("lot", instrument.lot));
    }
    if new.dealers.len() > MAX_DEALERS {
        return Err(Refusal::new(Code::ValidationError, format!("a request names at most {MAX_DEALERS} dealers")));
    }
    if let Some(unknown) = new.dealers.iter().find(|mic| state.venue(**mic).is_none()) {
        return Err(Refusal::new(Code::NotFound, format!("there is no dealer {unknown}")));
    }
    Ok((account_id, instrument.instrument_id))
}

/// The request that a command names, if it is open. One whose time is over ends here, before its timer is served.
fn open_request(step: &mut Step<'_>, id: QuoteReqId) -> Result<QuoteRequest, Refusal> {
    let Some(request) = step.state().quote_request(id).cloned() else {
        return Err(Refusal::new(Code::NotFound, "there is no such request for quotes").with("quote_req_id", id));
    };
    if request.is_open() && request.expire_at <= step.now() {
        expire_request(step, id);
        return Err(dead("request", oms_model::quote::QuoteReqState::Expired));
    }
    if request.is_open() { Ok(request) } else { Err(dead("request", request.state)) }
}

/// The quote that a command names, if it is live. One whose life is over ends here, before its timer is served.
fn live_quote(step: &mut Step<'_>, id: QuoteId) -> Result<Quote, Refusal> {
    let Some(quote) = step.state().quote(id).cloned() else {
        return Err(Refusal::new(Code::NotFound, "there is no such quote").with("quote_id", id));
    };
    if quote.state == QuoteState::Live && !quote.is_live(step.now()) {
        expire_quote(step, id, "");
        return Err(dead("quote", QuoteState::Expired));
    }
    if quote.state == QuoteState::Live { Ok(quote) } else { Err(dead("quote", quote.state)) }
}

pub(crate) fn submit(step: &mut Step<'_>, new: &NewQuote) -> CommandOutcome {
    match checked_quote(step, new) {
        Ok(valid_until) => {
            let quote_id = QuoteId::from_u128(step.new_order_id().as_u128());
            step.emit(Event::QuoteReceived(Box::new(QuoteReceived {
                quote_id,
                quote_req_id: new.quote_req_id,
                dealer: new.dealer,
                quote_ref: new.quote_ref.clone(),
                bid_px: new.bid_px,
                bid_size: new.bid_size,
                offer_px: new.offer_px,
                offer_size: new.offer_size,
                valid_until,
            })));
            if let Some(replaced) = new.replaces {
                step.emit(Event::QuoteReplaced(QuoteReplaced { quote_id: replaced, by: quote_id }));
            }
            CommandOutcome::QuoteReceived { quote_id }
        }
        Err(refusal) => refused(refusal),
    }
}

/// Until when a new quote lives, or why it is not taken.
fn checked_quote(step: &mut Step<'_>, new: &NewQuote) -> Result<Time, Refusal> {
    let request = open_request(step, new.quote_req_id)?;
    let until = life(step, new.life_ms)?.min(request.expire_at);
    let state = step.state();
    let conflict = |text: &str| Err(Refusal::new(Code::StateConflict, text));
    if state.venue(new.dealer).is_none() {
        return Err(Refusal::new(Code::NotFound, format!("there is no dealer {}", new.dealer)));
    }
    if !request.dealers.is_empty() && !request.dealers.contains(&new.dealer) {
        return conflict("this dealer was not asked");
    }
    if request.quotes.len() >= MAX_QUOTES {
        return Err(Refusal::new(Code::Overloaded, format!("a request has at most {MAX_QUOTES} quotes")));
    }
    let standing = state.quotes_of(&request).find(|quote| quote.dealer == new.dealer && quote.state == QuoteState::Live);
    match (new.replaces, standing.map(|quote| quote.quote_id)) {
        (None, Some(_)) => return conflict("the dealer has a live quote; replace it"),
        (Some(asked), Some(standing)) if asked == standing => (),
        (Some(_), _) => return Err(Refusal::new(Code::QuoteNotLive, "the quote to be replaced is not the dealer's live one")),
        (None, None) => (),
    }
    let Some(instrument) = state.instrument(request.instrument_id) else { return Err(create::vanished()) };
    check_prices(instrument, request.side, new)?;
    Ok(until)
}

fn check_prices(instrument: &Instrument, side: Option<Side>, new: &NewQuote) -> Result<(), Refusal> {
    let sides = [(new.bid_px, new.bid_size), (new.offer_px, new.offer_size)];
    for (px, size) in sides {
        let Some(px) = px else { continue };
        if !px.is_positive() || !instrument.is_on_tick(px) {
            return Err(Refusal::new(Code::InvalidTick, "a quoted price is off the tick table").with("price", px));
        }
        if !size.is_positive() || !size.is_multiple_of(instrument.lot) {
            return Err(Refusal::new(Code::InvalidLot, "a quoted size is not a whole number of lots").with("size", size));
        }
    }
    let asked = match side {
        Some(side) if side.is_buy() => new.offer_px.is_some(),
        Some(_) => new.bid_px.is_some(),
        None => new.bid_px.is_some() || new.offer_px.is_some(),
    };
    if !asked {
        return Err(Refusal::new(Code::ValidationError, "the quote has no price for the side that was asked"));
    }
    if let (Some(bid), Some(offer)) = (new.bid_px, new.offer_px)
        && bid > offer
    {
        return Err(Refusal::new(Code::ValidationError, "the bid is above the offer"));
    }
    Ok(())
}

pub(crate) fn withdraw(step: &mut Step<'_>, quote_id: QuoteId, dealer: Mic, text: &str) -> CommandOutcome {
    match live_quote(step, quote_id) {
        Err(refusal) => refused(refusal),
        Ok(quote) if quote.dealer != dealer => refuse(Code::StateConflict, "this is another dealer's quote"),
        Ok(_) => {
            step.emit(Event::QuoteWithdrawn(QuoteEnded { quote_id, text: text.chars().take(200).collect() }));
            CommandOutcome::Done
        }
    }
}

pub(crate) fn cancel_request(step: &mut Step<'_>, quote_req_id: QuoteReqId) -> CommandOutcome {
    if let Err(refusal) = open_request(step, quote_req_id) {
        return refused(refusal);
    }
    expire_quotes(step, quote_req_id, "the request was canceled");
    step.emit(Event::QuoteRequestCanceled(QuoteRequestEnded { quote_req_id }));
    CommandOutcome::Done
}

/// Accepts a quote: places the order that does.
pub(crate) fn accept(
    step: &mut Step<'_>,
    actor: &Actor,
    quote_id: QuoteId,
    side: Option<Side>,
    order_qty: Option<Qty>,
    cl_ord_id: Option<ClOrdId>,
) -> CommandOutcome {
    let quote = match live_quote(step, quote_id) {
        Ok(quote) => quote,
        Err(refusal) => return refused(refusal),
    };
    let request = match open_request(step, quote.quote_req_id) {
        Ok(request) => request,
        Err(refusal) => return refused(refusal),
    };
    let Some(side) = request.side.or(side) else {
        return refuse(Code::ValidationError, "side is needed: the request asked for both");
    };
    let Some((price, _)) = quote.dealt(side) else {
        return refuse(Code::ValidationError, format!("the quote has no price to {side} at"));
    };
    let Some(instrument) = step.state().instrument(request.instrument_id) else { return refused(create::vanished()) };
    let order = NewOrder {
        cl_ord_id,
        account_id: Some(request.account_id),
        symbol: instrument.symbol.clone(),
        side,
        ord_type: OrdType::PreviouslyQuoted,
        order_qty: order_qty.unwrap_or(request.order_qty),
        price: Some(price),
        time_in_force: TimeInForce::Fok,
        quote_id: Some(quote_id),
        ..NewOrder::default()
    };
    CommandOutcome::Orders(vec![create::create(step, actor, &order)])
}

/// The rules of an order that accepts a quote.
///
/// # Errors
/// What is wrong with it; `QUOTE_NOT_LIVE` where the quote cannot be accepted any more.
pub(crate) fn validate(state: &State, new: &NewOrder, account_id: AccountId, instrument: &Instrument, now: Time) -> Result<(), Refusal> {
    let invalid = |text: &str| Err(Refusal::new(Code::ValidationError, text));
    let quoted = new.ord_type == OrdType::PreviouslyQuoted;
    let Some(quote_id) = new.quote_id else {
        return if quoted { invalid("a PREVIOUSLY_QUOTED order needs a quote_id") } else { Ok(()) };
    };
    if !quoted {
        return invalid("only a PREVIOUSLY_QUOTED order takes a quote_id");
    }
    if new.time_in_force != TimeInForce::Fok {
        return Err(Refusal::new(Code::OrderTypeUnsupported, "an order that accepts a quote is FOK"));
    }
    let Some(quote) = state.quote(quote_id) else {
        return Err(Refusal::new(Code::NotFound, "there is no such quote").with("quote_id", quote_id));
    };
    let request = state.quote_request(quote.quote_req_id);
    if !quote.is_live(now) || !request.is_some_and(QuoteRequest::is_open) {
        let state = if quote.state == QuoteState::Live { QuoteState::Expired } else { quote.state };
        return Err(dead("quote", state));
    }
    let Some(request) = request else { return Err(create::vanished()) };
    if request.instrument_id != instrument.instrument_id || request.account_id != account_id {
        return invalid("the quote is for another instrument or account");
    }
    if request.side.is_some_and(|side| side != new.side) {
        return invalid("the quote was asked for the other side");
    }
    let Some((price, size)) = quote.dealt(new.side) else { return invalid("the quote has no price for this side") };
    if new.price != Some(price) {
        return Err(Refusal::new(Code::ValidationError, "the price is not the quoted one").with("quoted", price));
    }
    if new.order_qty > size {
        return Err(Refusal::new(Code::ValidationError, "the quantity is more than was quoted").with("quoted", size));
    }
    let routing = &new.routing;
    if routing.care {
        return invalid("an order that accepts a quote is not staged");
    }
    if routing.mode.is_some_and(|mode| mode != SorMode::Named) || routing.venue.is_some_and(|venue| venue != quote.dealer) {
        return invalid("an order that accepts a quote goes to the dealer that gave it");
    }
    Ok(())
}

/// The order that accepts a quote has been placed: the quote is used up, and with it the request.
pub(crate) fn accepted(step: &mut Step<'_>, quote_id: QuoteId, order_id: OrderId) {
    let Some(quote_req_id) = step.state().quote(quote_id).map(|quote| quote.quote_req_id) else { return };
    step.emit(Event::QuoteAccepted(QuoteAccepted { quote_id, quote_req_id, order_id }));
    expire_quotes(step, quote_req_id, "another quote of the request was accepted");
}

fn quote_of<'a>(state: &'a State, order: &Order) -> Option<&'a Quote> {
    state.quote(order.extras.basis.as_deref()?.quote_id?)
}

/// Whether the quote that an order accepts, where it accepts one, can still be accepted.
pub(crate) fn is_there(step: &Step<'_>, order: &Order) -> bool {
    if order.extras.basis.as_deref().is_none_or(|basis| basis.quote_id.is_none()) {
        return true;
    }
    let live =
        |quote: &&Quote| quote.is_live(step.now()) && step.state().quote_request(quote.quote_req_id).is_some_and(QuoteRequest::is_open);
    quote_of(step.state(), order).is_some_and(|quote| live(&quote))
}

/// The market that the gate holds an order on a quote against. Where venues show one it is theirs; what is dealt on
/// quotes only has no market but the live quotes of its request.
pub(crate) fn gate_market(state: &State, order: &Order, venues: &Market, now: Time) -> Option<Market> {
    let quote = quote_of(state, order)?;
    if venues.bid.is_some() || venues.ask.is_some() || venues.last.is_some() {
        return None;
    }
    let request = state.quote_request(quote.quote_req_id)?;
    let mut market = Market::default();
    for quote in state.quotes_of(request).filter(|quote| quote.is_live(now)) {
        let level = |px: Option<Price>, size| px.map(|price| Level { price, size, at: now });
        market.set_quote(quote.dealer, true, level(quote.bid_px, quote.bid_size));
        market.set_quote(quote.dealer, false, level(quote.offer_px, quote.offer_size));
    }
    let (price, size) = quote.dealt(order.side)?;
    market.set_last(price, size, now);
    Some(market)
}

/// The market that the router sees of an order on a quote: the quote, once. An order that the dealer refused is not
/// sent to it again.
pub(crate) fn route_market(state: &State, order: &Order, now: Time) -> Option<(Market, Mic)> {
    let quote = quote_of(state, order)?;
    let mut market = Market::default();
    if order.attempts == 0
        && let Some((price, size)) = quote.dealt(order.side)
    {
        market.set_quote(quote.dealer, !order.side.is_buy(), Some(Level { price, size, at: now }));
    }
    Some((market, quote.dealer))
}

/// The life of a quote is over.
pub(crate) fn expire_quote(step: &mut Step<'_>, quote_id: QuoteId, text: &str) {
    if step.state().quote(quote_id).is_some_and(|quote| quote.state == QuoteState::Live) {
        step.emit(Event::QuoteExpired(QuoteEnded { quote_id, text: text.to_owned() }));
    }
}

fn expire_quotes(step: &mut Step<'_>, quote_req_id: QuoteReqId, text: &str) {
    let Some(request) = step.state().quote_request(quote_req_id) else { return };
    for quote_id in request.quotes.clone() {
        expire_quote(step, quote_id, text);
    }
}

/// The time of a request is over.
pub(crate) fn expire_request(step: &mut Step<'_>, quote_req_id: QuoteReqId) {
    if step.state().quote_request(quote_req_id).is_some_and(QuoteRequest::is_open) {
        expire_quotes(step, quote_req_id, "the request has expired");
        step.emit(Event::QuoteRequestExpired(QuoteRequestEnded { quote_req_id }));
    }
}
