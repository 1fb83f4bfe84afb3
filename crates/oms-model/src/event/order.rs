//! What becomes of an order.

use crate::amount::{Price, Qty};
use crate::compliance::Compliance;
use crate::ids::{AccountId, BrokerOrderId, ClOrdId, InstrumentId, Mic, OrderId, Time, UserId};
use crate::limit::CheckResult;
use crate::market::Seen;
use crate::order::{Basis, Routing, Terms};
use crate::refusal::Code;
use crate::terms::{Anomaly, EndedBy, IntentKind, OrdState, OrdType, OrderKind, Outcome, Side, Source, TimeInForce};
use crate::work::Work;

/// An order was recorded: a client's, or a part of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of `Order`")]
pub struct OrderCreated {
    pub order_id: OrderId,
    pub parent_order_id: Option<OrderId>,
    pub root_order_id: OrderId,
    pub cl_ord_id: ClOrdId,
    pub account_id: AccountId,
    pub user_id: UserId,
    pub instrument_id: InstrumentId,
    pub side: Side,
    pub ord_type: OrdType,
    pub time_in_force: TimeInForce,
    pub source: Source,
    pub order_qty: Qty,
    pub price: Option<Price>,
    pub stop_px: Option<Price>,
    pub expire_at: Option<Time>,
    pub routing: Option<Box<Routing>>,
    pub venue: Option<Mic>,
    pub metadata: Option<Box<str>>,
    pub kind: Option<OrderKind>,
    pub work: Option<Box<Work>>,
    pub basis: Option<Box<Basis>>,
    pub number: u32,
    pub compliance: Option<Box<Compliance>>,
}

/// The gate looked at an order, or at the change that a replace would make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RiskChecked {
    /// The order.
    pub order_id: OrderId,
    /// The worst price that the order is reserved at; `None` where it was refused.
    pub worst_price: Option<Price>,
    /// Every check in order of precedence.
    pub results: Vec<CheckResult>,
    /// The market that it was judged against; absent where the order was looked at again before it was sent.
    pub seen: Option<Seen>,
}

/// An order was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderRejected {
    /// The order.
    pub order_id: OrderId,
    /// Who refused it.
    pub by: EndedBy,
    /// With which code.
    pub code: Code,
    /// In which words.
    pub text: String,
}

/// An intent is durable: the venue follower will hand it over, once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderSent {
    /// The leg.
    pub order_id: OrderId,
    /// What is handed over.
    pub intent: IntentKind,
    /// With the order it gives the wire id.
    pub revision: u32,
    /// Where.
    pub venue: Mic,
    /// Not handed over after this time.
    pub deadline: Time,
    /// Terms of a replace.
    pub terms: Option<Terms>,
}

/// A parent's state or placed quantity follows its children.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderStateSynced {
    /// The parent.
    pub order_id: OrderId,
    /// Its state.
    pub state: OrdState,
    /// Its quantity with children.
    pub place_qty: Qty,
}

/// The venue works the order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderAccepted {
    /// The leg.
    pub order_id: OrderId,
    /// The venue's id.
    pub broker_order_id: Option<BrokerOrderId>,
}

/// A cancel was taken on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderCancelRequested {
    /// The order.
    pub order_id: OrderId,
    /// Who asked.
    pub by: EndedBy,
}

/// An order ended without being wholly executed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderEnded {
    /// The order.
    pub order_id: OrderId,
    /// What ended it.
    pub by: EndedBy,
    /// In which words.
    pub text: String,
}

/// A cancel or replace was refused; the order works on as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestRejected {
    /// The order.
    pub order_id: OrderId,
    /// Who refused.
    pub by: EndedBy,
    /// In which words.
    pub text: String,
}

/// A replace was taken on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderReplaceRequested {
    /// The order.
    pub order_id: OrderId,
    /// The terms asked for.
    pub terms: Terms,
}

/// A cancel or replace that was taken on has an id of its client's (FIX 11 of F and G).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestNamed {
    /// The order.
    pub order_id: OrderId,
    /// What was asked.
    pub intent: IntentKind,
    /// The client's id of the request; the order's too once a replace holds.
    pub cl_ord_id: ClOrdId,
}

/// New terms hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderReplaced {
    /// The order.
    pub order_id: OrderId,
    /// The terms.
    pub terms: Terms,
    /// The revision under which the venue now knows the order.
    pub revision: u32,
}

/// The outcome of an intent is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderInDoubt {
    /// The leg.
    pub order_id: OrderId,
    /// What was handed over.
    pub intent: IntentKind,
    /// Its revision.
    pub revision: u32,
    /// Why it is not known.
    pub reason: String,
}

/// Evidence ended the doubt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderOutcomeResolved {
    /// The leg.
    pub order_id: OrderId,
    /// What was in doubt.
    pub intent: IntentKind,
    /// Its revision.
    pub revision: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// The evidence.
    pub evidence: String,
}

/// The order was cleaned up and leaves the hot state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderClosed {
    /// The order.
    pub order_id: OrderId,
}

/// Something a person should look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderAnomaly {
    /// The order.
    pub order_id: OrderId,
    /// What kind.
    pub anomaly: Anomaly,
    /// What was seen.
    pub detail: String,
}

/// An execution told how much the money of an order buys or raises; its quantity is no estimate any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderSized {
    /// The order.
    pub order_id: OrderId,
    /// Its quantity.
    pub order_qty: Qty,
}
