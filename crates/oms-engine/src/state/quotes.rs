//! Requests for quotes and their quotes, as a fold of events.

use super::{State, TimerKind};
use oms_model::event::{QuoteAccepted, QuoteEnded, QuoteReceived, QuoteReplaced, QuoteRequestEnded, QuoteRequested};
use oms_model::quote::{Quote, QuoteReqState, QuoteRequest, QuoteState};
use oms_model::{OrderId, QuoteId, QuoteReqId, Seq, Time};
use std::collections::{BTreeMap, VecDeque};

/// The most requests that have ended and are kept with their quotes; the log and the views have them all.
pub const MAX_DONE_REQUESTS: usize = 1_000;

/// What is asked and quoted.
#[derive(Clone, Debug, Default)]
pub(crate) struct QuoteBook {
    requests: BTreeMap<QuoteReqId, QuoteRequest>,
    quotes: BTreeMap<QuoteId, Quote>,
    /// Requests that have ended, in the order of their ends.
    done: VecDeque<QuoteReqId>,
}

/// A timer's key: quotes and orders take their ids from one sequence.
fn key(id: u128) -> OrderId {
    OrderId::from_u128(id)
}

impl State {
    /// A request for quotes; `None` where it is unknown or was cleaned up.
    #[must_use]
    pub fn quote_request(&self, id: QuoteReqId) -> Option<&QuoteRequest> {
        self.quotes.requests.get(&id)
    }

    /// A quote; `None` where it is unknown or was cleaned up.
    #[must_use]
    pub fn quote(&self, id: QuoteId) -> Option<&Quote> {
        self.quotes.quotes.get(&id)
    }

    /// Every request in the hot state, by id.
    pub fn quote_requests(&self) -> impl Iterator<Item = &QuoteRequest> {
        self.quotes.requests.values()
    }

    /// Every quote in the hot state, by id.
    pub fn quotes(&self) -> impl Iterator<Item = &Quote> {
        self.quotes.quotes.values()
    }

    /// The quotes of a request, oldest first.
    pub fn quotes_of<'a>(&'a self, request: &'a QuoteRequest) -> impl Iterator<Item = &'a Quote> {
        request.quotes.iter().filter_map(|id| self.quote(*id))
    }

    /// Requests that can still be quoted.
    pub(crate) fn open_quote_requests(&self) -> usize {
        self.quotes.requests.len() - self.quotes.done.len()
    }

    pub(super) fn quote_requested(&mut self, event: &QuoteRequested, seq: Seq, time: Time) {
        self.set_timer(event.expire_at, TimerKind::QuoteRequestLife, key(event.quote_req_id.as_u128()));
        let known = self.quotes.requests.insert(event.quote_req_id, QuoteRequest::create(event, seq, time));
        assert!(known.is_none(), "quote request id {} is used twice", event.quote_req_id);
    }

    pub(super) fn quote_received(&mut self, event: &QuoteReceived, seq: Seq, time: Time) {
        self.set_timer(event.valid_until, TimerKind::QuoteLife, key(event.quote_id.as_u128()));
        let known = self.quotes.quotes.insert(event.quote_id, Quote::create(event, seq, time));
        assert!(known.is_none(), "quote id {} is used twice", event.quote_id);
        let Some(request) = self.quotes.requests.get_mut(&event.quote_req_id) else {
            unreachable!("a quote is received only for a request that is open")
        };
        request.quotes.push(event.quote_id);
        if request.state == QuoteReqState::New {
            request.step(QuoteReqState::Quoted, seq, time);
        } else {
            request.touch(time);
        }
    }

    pub(super) fn quote_accepted(&mut self, event: &QuoteAccepted, seq: Seq, time: Time) {
        if let Some(quote) = self.end_quote(event.quote_id, QuoteState::Accepted, time) {
            quote.order_id = Some(event.order_id);
        }
        if let Some(request) = self.quotes.requests.get_mut(&event.quote_req_id) {
            request.order_id = Some(event.order_id);
        }
        self.end_request(event.quote_req_id, QuoteReqState::Accepted, seq, time);
    }

    pub(super) fn quote_ended(&mut self, event: &QuoteEnded, to: QuoteState, time: Time) {
        if let Some(quote) = self.end_quote(event.quote_id, to, time) {
            quote.text = if event.text.is_empty() { None } else { Some(event.text.as_str().into()) };
        }
    }

    pub(super) fn quote_replaced(&mut self, event: &QuoteReplaced, time: Time) {
        if let Some(quote) = self.end_quote(event.quote_id, QuoteState::Replaced, time) {
            quote.replaced_by = Some(event.by);
        }
    }

    pub(super) fn quote_request_ended(&mut self, event: &QuoteRequestEnded, to: QuoteReqState, seq: Seq, time: Time) {
        self.end_request(event.quote_req_id, to, seq, time);
    }

    fn end_quote(&mut self, id: QuoteId, to: QuoteState, time: Time) -> Option<&mut Quote> {
        let quote = self.quotes.quotes.get_mut(&id)?;
        quote.step(to, time);
        let at = quote.valid_until;
        self.clear_timer(at, TimerKind::QuoteLife, key(id.as_u128()));
        self.quotes.quotes.get_mut(&id)
    }

    fn end_request(&mut self, id: QuoteReqId, to: QuoteReqState, seq: Seq, time: Time) {
        let Some(request) = self.quotes.requests.get_mut(&id) else { return };
        request.step(to, seq, time);
        let at = request.expire_at;
        self.clear_timer(at, TimerKind::QuoteRequestLife, key(id.as_u128()));
        self.quotes.done.push_back(id);
        if self.quotes.done.len() > MAX_DONE_REQUESTS {
            self.forget_oldest_request();
        }
    }

    fn forget_oldest_request(&mut self) {
        let Some(request) = self.quotes.done.pop_front().and_then(|id| self.quotes.requests.remove(&id)) else { return };
        for id in request.quotes {
            let quote = self.quotes.quotes.remove(&id);
            assert!(quote.is_none_or(|quote| quote.state != QuoteState::Live), "a quote outlives its request");
        }
    }

    /// Puts what a snapshot holds back in place.
    pub(super) fn restore_quotes(&mut self, requests: Vec<QuoteRequest>, quotes: Vec<Quote>) {
        for quote in &quotes {
            if quote.state == QuoteState::Live {
                self.set_timer(quote.valid_until, TimerKind::QuoteLife, key(quote.quote_id.as_u128()));
            }
        }
        let mut done: Vec<(Seq, QuoteReqId)> = Vec::new();
        for request in &requests {
            if request.is_open() {
                self.set_timer(request.expire_at, TimerKind::QuoteRequestLife, key(request.quote_req_id.as_u128()));
            } else {
                done.push((request.done_seq, request.quote_req_id));
            }
        }
        done.sort_unstable();
        self.quotes = QuoteBook {
            requests: requests.into_iter().map(|request| (request.quote_req_id, request)).collect(),
            quotes: quotes.into_iter().map(|quote| (quote.quote_id, quote)).collect(),
            done: done.into_iter().map(|(_, id)| id).collect(),
        };
    }
}
