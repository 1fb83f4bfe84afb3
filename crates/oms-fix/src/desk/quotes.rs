//! Requests for quotes of one session, followed from the log: QuoteRequest(R), QuoteResponse(AJ) and QuoteCancel(Z) in,
//! Quote(S), QuoteStatusReport(AI) and QuoteRequestReject(AG) out.
//!
//! The log knows a request by its own id and not by the client's. What the client is told first of a request -
//! QuoteStatus(297) "pending", under both ids - is also what a later start reads the client's id back from.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use oms_engine::State;
use oms_model::event::{Batch, Event, QuoteReceived};
use oms_model::quote::QuoteRequest;
use oms_model::{Code, Mic, QuoteId, QuoteReqId, Refusal, Side, Time, TraceId, UserId};

use super::body::Body;
use super::catalog::Catalog;
use super::request::Subject;
use super::words;
use crate::codec::scan::{View, scan};
use crate::dictionary::fix44;
use crate::session::config::SessionId;
use crate::session::outbox::Outgoing;
use crate::store::{Direction, JournalStore, StoreError};

/// QuoteStatus(297).
mod status {
    pub const ACCEPTED: &[u8] = b"0";
    pub const CANCELED: &[u8] = b"4";
    pub const REJECTED: &[u8] = b"5";
    pub const REMOVED: &[u8] = b"6";
    pub const EXPIRED: &[u8] = b"7";
    pub const PENDING: &[u8] = b"10";
    pub const PASS: &[u8] = b"11";
}

/// A request as the client knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Known {
    /// QuoteReqID(131), as it came.
    req_id: Vec<u8>,
    symbol: Vec<u8>,
    side: Vec<u8>,
    over: bool,
}

/// The requests of a session, and the quotes that answer them.
#[derive(Clone, Debug, Default)]
pub struct Quotes {
    /// Asked, and not found in the log so far.
    asked: BTreeMap<TraceId, Known>,
    requests: BTreeMap<QuoteReqId, Known>,
    /// Live quotes, and of which request.
    live: BTreeMap<QuoteId, QuoteReqId>,
}

impl Quotes {
    /// The requests of a user that are open; by which names the client knows them is read from what it was told.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn of(open: &[QuoteRequest], live: &[(QuoteId, QuoteReqId)], store: &JournalStore, id: &SessionId) -> Result<Self, StoreError> {
        let mut quotes = Self::default();
        if open.is_empty() {
            return Ok(quotes);
        }
        let mut told = BTreeMap::new();
        store.messages(id, |message, _| {
            if message.direction == Direction::Out {
                told.extend(pending(message.bytes));
            }
            ControlFlow::Continue(())
        })?;
        quotes.requests = open.iter().filter_map(|request| Some((request.quote_req_id, told.remove(&request.quote_req_id)?))).collect();
        quotes.live = live.iter().filter(|(_, request)| quotes.requests.contains_key(request)).copied().collect();
        Ok(quotes)
    }

    /// What the state has of a user's open requests.
    #[must_use]
    pub fn open(state: &State, user_id: UserId) -> (Vec<QuoteRequest>, Vec<(QuoteId, QuoteReqId)>) {
        let open: Vec<QuoteRequest> =
            state.quote_requests().filter(|request| request.user_id == user_id && request.is_open()).cloned().collect();
        let quotes = open.iter().flat_map(|request| state.quotes_of(request));
        let live =
            quotes.filter(|quote| quote.state == oms_model::QuoteState::Live).map(|quote| (quote.quote_id, quote.quote_req_id)).collect();
        (open, live)
    }

    /// A request goes to the desk; `trace` is how its event is known.
    pub fn ask(&mut self, trace: TraceId, subject: &Subject) {
        let known = Known { req_id: subject.req_id.clone(), symbol: subject.symbol.clone(), side: subject.side.clone(), over: false };
        self.asked.insert(trace, known);
    }

    /// A request was refused, or what it came to was followed.
    pub fn answered(&mut self, trace: TraceId) {
        self.asked.remove(&trace);
    }

    /// The open request that the client calls so.
    #[must_use]
    pub fn request(&self, req_id: &[u8]) -> Option<QuoteReqId> {
        self.requests.iter().find(|(_, known)| known.req_id == req_id).map(|(id, _)| *id)
    }

    /// Whether a request is called so already.
    #[must_use]
    pub fn is_taken(&self, req_id: &[u8]) -> bool {
        self.request(req_id).is_some() || self.asked.values().any(|known| known.req_id == req_id)
    }

    /// Whether a quote answers a request of the session and lives, as far as the client was told.
    #[must_use]
    pub fn is_live(&self, quote_id: QuoteId) -> bool {
        self.live.contains_key(&quote_id)
    }

    /// Follows a batch, and adds the messages about it to `out`.
    pub fn follow(&mut self, catalog: &Catalog, batch: &Batch, out: &mut Vec<Outgoing>) {
        let mut ended = false;
        for event in &batch.events {
            match event {
                Event::QuoteRequested(e) => {
                    let Some(known) = self.asked.remove(&batch.trace_id) else { continue };
                    let mut body = report(&known, &e.quote_req_id.to_string(), status::PENDING, batch.time);
                    out.push(body.amount(38, e.order_qty).finish_mut());
                    self.requests.insert(e.quote_req_id, known);
                }
                Event::QuoteReceived(e) => {
                    let Some(known) = self.requests.get(&e.quote_req_id) else { continue };
                    out.push(quote(known, e, catalog, batch.time));
                    self.live.insert(e.quote_id, e.quote_req_id);
                }
                Event::QuoteAccepted(e) => {
                    out.extend(self.quote_ended(e.quote_id, status::ACCEPTED, "", batch.time));
                    ended |= self.over(e.quote_req_id);
                }
                Event::QuoteExpired(e) => out.extend(self.quote_ended(e.quote_id, status::EXPIRED, &e.text, batch.time)),
                Event::QuoteWithdrawn(e) => out.extend(self.quote_ended(e.quote_id, status::REMOVED, &e.text, batch.time)),
                Event::QuoteReplaced(e) => out.extend(self.quote_ended(e.quote_id, status::REMOVED, "replaced", batch.time)),
                Event::QuoteRequestExpired(e) => {
                    out.extend(self.request_ended(e.quote_req_id, status::EXPIRED, batch.time));
                    ended |= self.over(e.quote_req_id);
                }
                Event::QuoteRequestCanceled(e) => {
                    out.extend(self.request_ended(e.quote_req_id, status::CANCELED, batch.time));
                    ended |= self.over(e.quote_req_id);
                }
                _ => (),
            }
        }
        if ended {
            // Its quotes ended in the same batch.
            self.requests.retain(|_, known| !known.over);
            self.live.retain(|_, request| self.requests.contains_key(request));
        }
    }

    fn over(&mut self, id: QuoteReqId) -> bool {
        self.requests.get_mut(&id).map(|known| known.over = true).is_some()
    }

    fn quote_ended(&mut self, quote_id: QuoteId, status: &[u8], text: &str, at: Time) -> Option<Outgoing> {
        let known = self.requests.get(&self.live.remove(&quote_id)?)?;
        Some(report(known, &quote_id.to_string(), status, at).text(58, text).finish_mut())
    }

    fn request_ended(&self, id: QuoteReqId, status: &[u8], at: Time) -> Option<Outgoing> {
        self.requests.get(&id).map(|known| report(known, &id.to_string(), status, at).finish_mut())
    }
}

/// A QuoteStatusReport(AI).
fn report(known: &Known, id: &str, status: &[u8], at: Time) -> Body {
    let mut body = Body::new(b"AI");
    body.put(131, &known.req_id).text(117, id).put(55, &known.symbol).put(54, &known.side).put(297, status).time(60, at);
    body
}

/// What a QuoteStatusReport said that a request is called.
fn pending(bytes: &[u8]) -> Option<(QuoteReqId, Known)> {
    let mut spans = Vec::new();
    scan(bytes, fix44(), usize::MAX, &mut spans).ok()?;
    let view = View::new(bytes, &spans);
    let get = |tag: i32| view.get(tag).unwrap_or_default().to_vec();
    if view.msg_type() != b"AI" || view.get(297) != Some(status::PENDING) {
        return None;
    }
    let id = str::from_utf8(view.get(117)?).ok()?.parse().ok()?;
    Some((id, Known { req_id: get(131), symbol: get(55), side: get(54), over: false }))
}

/// A Quote(S).
fn quote(known: &Known, quote: &QuoteReceived, catalog: &Catalog, at: Time) -> Outgoing {
    let mut body = Body::new(b"S");
    body.put(131, &known.req_id).text(117, &quote.quote_id.to_string()).put(55, &known.symbol).put(54, &known.side);
    // QuoteType(537): it can be traded on.
    body.put(537, b"1").time(62, quote.valid_until).time(60, at).text(15, catalog.currency_of(&known.symbol));
    for (price_tag, size_tag, price, size) in [(132, 134, quote.bid_px, quote.bid_size), (133, 135, quote.offer_px, quote.offer_size)] {
        if let Some(price) = price {
            body.amount(price_tag, price).amount(size_tag, size);
        }
    }
    with_dealer(body.finish(), quote.dealer)
}

/// Whose quote it is. PartyIDSource(447) G: a market identifier code; PartyRole(452) 35: who provides liquidity.
fn with_dealer(mut message: Outgoing, dealer: Mic) -> Outgoing {
    message.body.put(453, b"1").text(448, dealer.as_str()).put(447, b"G").put(452, b"35");
    message
}

/// QuoteRequestReject(AG).
#[must_use]
pub fn refused(subject: &Subject, refusal: &Refusal) -> Outgoing {
    let reason = match refusal.code {
        Code::UnknownSymbol => 1,
        Code::MarketClosed | Code::TradingHalted => 2,
        Code::Overloaded | Code::RateLimited | Code::RiskLimitBreach => 3,
        Code::Forbidden | Code::AccountDisabled => 6,
        _ => 99,
    };
    let mut message = Body::new(b"AG").put(131, &subject.req_id).uint(658, reason).finish_mut();
    message.body.put(146, b"1").put(55, &subject.symbol).text(58, &words::text(refusal));
    message
}

/// An answer to a QuoteResponse(AJ) or QuoteCancel(Z) that led to no event.
#[must_use]
pub fn response_refused(subject: &Subject, text: &str, at: Time) -> Outgoing {
    response(subject, status::REJECTED, text, at)
}

/// A QuoteResponse that says no.
#[must_use]
pub fn passed(subject: &Subject, at: Time) -> Outgoing {
    response(subject, status::PASS, "", at)
}

fn response(subject: &Subject, status: &[u8], text: &str, at: Time) -> Outgoing {
    let mut body = Body::new(b"AI");
    let or = |given: &[u8], other: &'static [u8]| if given.is_empty() { other.to_vec() } else { given.to_vec() };
    body.put(if subject.msg_type == b'Z' { 131 } else { 693 }, &subject.req_id).put(117, &or(&subject.quote_id, b"NONE"));
    body.put(55, &or(&subject.symbol, b"[N/A]")).put(54, &subject.side).put(297, status).text(58, text).time(60, at);
    body.finish()
}

/// The side that was asked for, in the words of the log.
///
/// # Errors
/// `VALIDATION_ERROR`: one that is not traded.
pub fn side(subject: &Subject) -> Result<Option<Side>, Refusal> {
    match subject.side.as_slice() {
        b"" => Ok(None),
        side => match words::side_of(side) {
            Some(side) => Ok(Some(side)),
            None => Err(Refusal::new(Code::ValidationError, "this Side(54) is not traded")),
        },
    }
}
