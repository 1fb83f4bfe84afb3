//! Requests for quotes, and quotes.

use crate::amount::{Price, Qty};
use crate::ids::{AccountId, InstrumentId, Mic, OrderId, QuoteId, QuoteRef, QuoteReqId, Time, UserId};
use crate::terms::Side;

/// A client asks dealers for prices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of `QuoteRequest`")]
pub struct QuoteRequested {
    pub quote_req_id: QuoteReqId,
    pub account_id: AccountId,
    pub user_id: UserId,
    pub instrument_id: InstrumentId,
    pub side: Option<Side>,
    pub order_qty: Qty,
    pub dealers: Vec<Mic>,
    pub expire_at: Time,
}

/// A dealer answered; the first answer makes the request QUOTED.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of `Quote`")]
pub struct QuoteReceived {
    pub quote_id: QuoteId,
    pub quote_req_id: QuoteReqId,
    pub dealer: Mic,
    pub quote_ref: QuoteRef,
    pub bid_px: Option<Price>,
    pub bid_size: Qty,
    pub offer_px: Option<Price>,
    pub offer_size: Qty,
    pub valid_until: Time,
}

/// A quote was accepted, and with it its request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuoteAccepted {
    /// Which.
    pub quote_id: QuoteId,
    /// Of which request.
    pub quote_req_id: QuoteReqId,
    /// The order that accepts it.
    pub order_id: OrderId,
}

/// A quote ended without being accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuoteEnded {
    /// Which.
    pub quote_id: QuoteId,
    /// Why, in words; empty where its life was over.
    pub text: String,
}

/// A dealer put another quote in the place of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuoteReplaced {
    /// Which.
    pub quote_id: QuoteId,
    /// The other.
    pub by: QuoteId,
}

/// A request ended without a quote being accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuoteRequestEnded {
    /// Which.
    pub quote_req_id: QuoteReqId,
}
