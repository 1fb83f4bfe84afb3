//! What was quoted and accepted, as the durable log says: a few lines that owe nothing to the engine's own fold.

use crate::hold;
use oms_engine::State;
use oms_model::event::{Batch, Event};
use oms_model::quote::{QuoteReqState, QuoteState};
use oms_model::{Mic, OrderId, Price, QuoteId, QuoteReqId, Time};
use std::collections::BTreeMap;

/// A quote that was given.
#[derive(Clone, Copy, Debug)]
struct Given {
    request: QuoteReqId,
    dealer: Mic,
    bid: Option<Price>,
    offer: Option<Price>,
    until: Time,
    /// How it ended; `None` while it can be accepted.
    ended: Option<QuoteState>,
}

/// Quotes, requests and what was dealt on them.
#[derive(Clone, Debug, Default)]
pub struct Quotes {
    given: BTreeMap<QuoteId, Given>,
    /// Until when an open request runs; `None` where it has ended.
    requests: BTreeMap<QuoteReqId, Option<Time>>,
    /// The quote that each order accepts.
    orders: BTreeMap<OrderId, QuoteId>,
}

impl Quotes {
    /// Quotes by id, newest last; dead ones too.
    pub fn ids(&self) -> Vec<QuoteId> {
        self.given.keys().copied().collect()
    }

    /// Requests by id, newest last; those that have ended too.
    pub fn requests(&self) -> Vec<QuoteReqId> {
        self.requests.keys().copied().collect()
    }

    /// The dealer of a quote.
    pub fn dealer(&self, id: QuoteId) -> Option<Mic> {
        self.given.get(&id).map(|given| given.dealer)
    }

    /// The quote that the dealer has standing in a request.
    pub fn standing(&self, request: QuoteReqId, dealer: Mic) -> Option<QuoteId> {
        let stands = |given: &Given| given.request == request && given.dealer == dealer && given.ended.is_none();
        self.given.iter().find(|(_, given)| stands(given)).map(|(id, _)| *id)
    }

    /// A batch was decided: what it says of quotes fits what was so before.
    pub fn decided(&mut self, batch: &Batch) {
        for event in &batch.events {
            self.event(event, batch.time);
        }
    }

    fn event(&mut self, event: &Event, time: Time) {
        match event {
            Event::QuoteRequested(e) => drop(self.requests.insert(e.quote_req_id, Some(e.expire_at))),
            Event::QuoteReceived(e) => {
                let open = self.requests.get(&e.quote_req_id).copied().flatten();
                hold!(9, open.is_some_and(|until| time < until), "quote {} is taken for a request that is over", e.quote_id);
                let (request, dealer, until) = (e.quote_req_id, e.dealer, e.valid_until);
                let given = Given { request, dealer, bid: e.bid_px, offer: e.offer_px, until, ended: None };
                self.given.insert(e.quote_id, given);
            }
            Event::QuoteAccepted(e) => {
                let given = self.given.get(&e.quote_id).copied();
                let live = given.is_some_and(|given| given.ended.is_none() && time < given.until);
                hold!(9, live, "quote {} is accepted and was {given:?} at {time:?}", e.quote_id);
                let open = self.requests.get(&e.quote_req_id).copied().flatten();
                hold!(9, open.is_some(), "a quote of request {} is accepted and the request is over", e.quote_req_id);
                self.end(e.quote_id, QuoteState::Accepted);
                self.requests.insert(e.quote_req_id, None);
                self.orders.insert(e.order_id, e.quote_id);
            }
            Event::QuoteExpired(e) => self.end(e.quote_id, QuoteState::Expired),
            Event::QuoteWithdrawn(e) => self.end(e.quote_id, QuoteState::Withdrawn),
            Event::QuoteReplaced(e) => self.end(e.quote_id, QuoteState::Replaced),
            Event::QuoteRequestExpired(e) => drop(self.requests.insert(e.quote_req_id, None)),
            Event::QuoteRequestCanceled(e) => drop(self.requests.insert(e.quote_req_id, None)),
            _ => (),
        }
    }

    fn end(&mut self, id: QuoteId, how: QuoteState) {
        let Some(given) = self.given.get_mut(&id) else { return };
        hold!(9, given.ended.is_none(), "quote {id} ends as {how} and had ended as {:?}", given.ended);
        given.ended = Some(how);
    }

    /// What the state says of quotes is what the log told, and nothing outlives its time once timers were served.
    pub fn hold_in(&self, state: &State, served: Option<Time>) {
        for (id, given) in &self.given {
            let found = state.quote(*id).map(|quote| quote.state);
            let wanted = given.ended.unwrap_or(QuoteState::Live);
            // What has ended may have been cleaned up.
            hold!(6, found == Some(wanted) || (found.is_none() && given.ended.is_some()), "quote {id} is {found:?} and not {wanted}");
            let over = given.ended.is_none() && served.is_some_and(|now| given.until <= now);
            hold!(9, !over, "quote {id} lives after its end");
        }
        for (id, until) in &self.requests {
            let open = state.quote_request(*id).is_some_and(|request| matches!(request.state, QuoteReqState::New | QuoteReqState::Quoted));
            hold!(6, open == until.is_some(), "request {id} is open: {open}, and should be open: {}", until.is_some());
            let over = until.is_some_and(|until| served.is_some_and(|now| until <= now));
            hold!(9, !over, "request {id} lives after its end");
        }
    }

    /// What a dealer is handed for `order` is what it quoted.
    pub fn hold_dealt(&self, order: OrderId, dealer: Mic, is_buy: bool, price: Option<Price>) {
        let given = self.orders.get(&order).and_then(|id| self.given.get(id));
        let quoted = given.filter(|given| given.dealer == dealer).and_then(|given| if is_buy { given.offer } else { given.bid });
        hold!(21, quoted.is_some() && quoted == price, "order {order} reaches {dealer} at {price:?}, quoted was {quoted:?}");
    }
}
