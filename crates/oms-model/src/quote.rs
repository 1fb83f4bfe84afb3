//! Requests for quotes and the quotes that answer them.
//!
//! A client asks dealers for prices; each dealer may answer, replace its answer and take it back; an answer lives for
//! some milliseconds. Accepting a live one makes an order of type PREVIOUSLY_QUOTED tied to it. What races is decided
//! by the order of events: whatever comes first holds, and what comes later finds the quote dead.

use crate::amount::{Price, Qty};
use crate::event::{QuoteReceived, QuoteRequested};
use crate::ids::{AccountId, InstrumentId, Mic, OrderId, QuoteId, QuoteRef, QuoteReqId, Seq, Time, UserId};
use crate::machine::Machine;
use crate::terms::{Side, terms};

terms! {
    /// Where a request for quotes stands; see [`REQUEST_TRANSITIONS`].
    QuoteReqState {
        /// No dealer has answered.
        New = 1 "NEW",
        /// At least one has.
        Quoted = 2 "QUOTED",
        /// A quote of it was accepted.
        Accepted = 3 "ACCEPTED",
        /// Its time is over.
        Expired = 4 "EXPIRED" | "EXP",
        /// The client has withdrawn it.
        Canceled = 5 "CANCELED" | "CXL",
    }
    /// Where a quote stands (FIX 297); see [`QUOTE_TRANSITIONS`].
    QuoteState {
        /// It can be accepted.
        Live = 1 "LIVE",
        /// It was.
        Accepted = 2 "ACCEPTED",
        /// Its life, or that of its request, is over.
        Expired = 3 "EXPIRED" | "EXP",
        /// The dealer has taken it back.
        Withdrawn = 4 "WITHDRAWN",
        /// The dealer has put another in its place.
        Replaced = 5 "REPLACED",
    }
}

impl Default for QuoteReqState {
    fn default() -> Self {
        Self::New
    }
}

impl Default for QuoteState {
    fn default() -> Self {
        Self::Live
    }
}

/// The state machine of requests.
pub struct QuoteRequestMachine;

/// Every legal step of a request.
pub const REQUEST_TRANSITIONS: &[(QuoteReqState, QuoteReqState)] = &[
    (QuoteReqState::New, QuoteReqState::Quoted),
    (QuoteReqState::New, QuoteReqState::Expired),
    (QuoteReqState::New, QuoteReqState::Canceled),
    (QuoteReqState::Quoted, QuoteReqState::Accepted),
    (QuoteReqState::Quoted, QuoteReqState::Expired),
    (QuoteReqState::Quoted, QuoteReqState::Canceled),
];

impl Machine for QuoteRequestMachine {
    type State = QuoteReqState;
    const INITIAL: QuoteReqState = QuoteReqState::New;
    const STEPS: &'static [(QuoteReqState, QuoteReqState)] = REQUEST_TRANSITIONS;
    const TERMINAL: &'static [QuoteReqState] = &[QuoteReqState::Accepted, QuoteReqState::Expired, QuoteReqState::Canceled];
}

/// The state machine of quotes.
pub struct QuoteMachine;

/// Every legal step of a quote.
pub const QUOTE_TRANSITIONS: &[(QuoteState, QuoteState)] = &[
    (QuoteState::Live, QuoteState::Accepted),
    (QuoteState::Live, QuoteState::Expired),
    (QuoteState::Live, QuoteState::Withdrawn),
    (QuoteState::Live, QuoteState::Replaced),
];

impl Machine for QuoteMachine {
    type State = QuoteState;
    const INITIAL: QuoteState = QuoteState::Live;
    const STEPS: &'static [(QuoteState, QuoteState)] = QUOTE_TRANSITIONS;
    const TERMINAL: &'static [QuoteState] = &[QuoteState::Accepted, QuoteState::Expired, QuoteState::Withdrawn, QuoteState::Replaced];
}

/// A request for quotes as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuoteRequest {
    /// Ours.
    pub quote_req_id: QuoteReqId,
    /// For whom.
    pub account_id: AccountId,
    /// By whom.
    pub user_id: UserId,
    /// What.
    pub instrument_id: InstrumentId,
    /// FIX 54; `None` asks for both sides and tells neither.
    pub side: Option<Side>,
    /// FIX 38.
    pub order_qty: Qty,
    /// The dealers that are asked; all of them where it is empty.
    pub dealers: Vec<Mic>,
    /// FIX 126: no quote of it lives longer.
    pub expire_at: Time,
    /// Where it stands.
    pub state: QuoteReqState,
    /// Its quotes, oldest first.
    pub quotes: Vec<QuoteId>,
    /// The order that accepted one of them.
    pub order_id: Option<OrderId>,
    /// Raised by every event of it.
    pub version: u32,
    /// The sequence of the event that created it.
    pub created_seq: Seq,
    /// When it was created.
    pub created_at: Time,
    /// When an event last changed it.
    pub updated_at: Time,
    /// The sequence of the event that ended it; zero while it is open.
    pub done_seq: Seq,
}

/// A dealer's quote as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quote {
    /// Ours.
    pub quote_id: QuoteId,
    /// What it answers.
    pub quote_req_id: QuoteReqId,
    /// Whose it is: the venue that an order on it is sent to.
    pub dealer: Mic,
    /// The dealer's own id.
    pub quote_ref: QuoteRef,
    /// FIX 132: at what the dealer buys.
    pub bid_px: Option<Price>,
    /// FIX 134: how much.
    pub bid_size: Qty,
    /// FIX 133: at what the dealer sells.
    pub offer_px: Option<Price>,
    /// FIX 135: how much.
    pub offer_size: Qty,
    /// FIX 62: it is dead from then on.
    pub valid_until: Time,
    /// Where it stands.
    pub state: QuoteState,
    /// The quote that stands in its place.
    pub replaced_by: Option<QuoteId>,
    /// The order that accepted it.
    pub order_id: Option<OrderId>,
    /// Why it ended, in words.
    pub text: Option<Box<str>>,
    /// The sequence of the event that created it.
    pub created_seq: Seq,
    /// When it was received.
    pub created_at: Time,
    /// When an event last changed it.
    pub updated_at: Time,
}

impl QuoteRequest {
    /// The request that this event creates.
    #[must_use]
    pub fn create(event: &QuoteRequested, seq: Seq, time: Time) -> Self {
        Self {
            quote_req_id: event.quote_req_id,
            account_id: event.account_id,
            user_id: event.user_id,
            instrument_id: event.instrument_id,
            side: event.side,
            order_qty: event.order_qty,
            dealers: event.dealers.clone(),
            expire_at: event.expire_at,
            version: 1,
            created_seq: seq,
            created_at: time,
            updated_at: time,
            ..Self::default()
        }
    }

    /// Whether it can still be quoted and accepted.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !QuoteRequestMachine::is_terminal(self.state)
    }

    /// Takes a step.
    ///
    /// # Panics
    /// On a step that [`REQUEST_TRANSITIONS`] does not hold: the engine must not have decided it.
    pub fn step(&mut self, to: QuoteReqState, seq: Seq, time: Time) {
        let legal = QuoteRequestMachine::allows(self.state, to);
        assert!(legal, "quote request {} cannot go from {} to {to}", self.quote_req_id, self.state);
        self.state = to;
        self.touch(time);
        if QuoteRequestMachine::is_terminal(to) {
            self.done_seq = seq;
        }
    }

    /// Something about it changed.
    pub fn touch(&mut self, time: Time) {
        self.version += 1;
        self.updated_at = time;
    }
}

impl Quote {
    /// The quote that this event creates.
    #[must_use]
    pub fn create(event: &QuoteReceived, seq: Seq, time: Time) -> Self {
        Self {
            quote_id: event.quote_id,
            quote_req_id: event.quote_req_id,
            dealer: event.dealer,
            quote_ref: event.quote_ref.clone(),
            bid_px: event.bid_px,
            bid_size: event.bid_size,
            offer_px: event.offer_px,
            offer_size: event.offer_size,
            valid_until: event.valid_until,
            created_seq: seq,
            created_at: time,
            updated_at: time,
            ..Self::default()
        }
    }

    /// Whether it can be accepted at `now`.
    #[must_use]
    pub fn is_live(&self, now: Time) -> bool {
        self.state == QuoteState::Live && now < self.valid_until
    }

    /// What an order of `side` that accepts it deals at, and how much at most.
    #[must_use]
    pub fn dealt(&self, side: Side) -> Option<(Price, Qty)> {
        if side.is_buy() { self.offer_px.map(|px| (px, self.offer_size)) } else { self.bid_px.map(|px| (px, self.bid_size)) }
    }

    /// Takes a step.
    ///
    /// # Panics
    /// On a step that [`QUOTE_TRANSITIONS`] does not hold: the engine must not have decided it.
    pub fn step(&mut self, to: QuoteState, time: Time) {
        assert!(QuoteMachine::allows(self.state, to), "quote {} cannot go from {} to {to}", self.quote_id, self.state);
        self.state = to;
        self.updated_at = time;
    }
}

#[cfg(test)]
mod tests;
