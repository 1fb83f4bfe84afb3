//! An order: a node of an order tree, its state machine and how events change it.
//!
//! - Facts are stored (quantities, state, pending request, doubt); what is shown is derived.
//! - [`Order::apply`] refuses nothing. An illegal step is an engine fault and stops the process.

mod extras;
mod fold;

use crate::amount::{Decimal, Notional, Price, Qty};
use crate::children::Children;
use crate::event::OrderCreated;
use crate::ids::{AccountId, BrokerOrderId, ClOrdId, InstrumentId, Mic, OrderId, Seq, Time, UserId, WireId};
use crate::machine::Machine;
use crate::refusal::Code;
use crate::seldom::Seldom;
use crate::strategy::StrategyId;
use crate::terms::{EndedBy, OrdState, OrdStatus, OrdType, OrderKind, Pending, Side, Source, TimeInForce};
pub use extras::{Basis, Booked, Care, Doubt, Extras, Names, Routing, Saga, SagaPart, Stage, Terms};

/// The state machine of orders.
pub struct OrderMachine;

use OrdState::{Canceled, Closed, Expired, Filled, Live, New, PartiallyFilled, Rejected, Unack};

/// Every legal step of an order.
///
/// The steps marked `bust` undo a fill; `late` is a venue that refuses what it had acknowledged.
pub const TRANSITIONS: &[(OrdState, OrdState)] = &[
    (New, Unack),
    (New, Canceled),
    (New, Rejected),
    (New, Expired),
    (Unack, Live),
    (Unack, PartiallyFilled),
    (Unack, Filled),
    (Unack, Canceled),
    (Unack, Rejected),
    (Unack, Expired),
    (Live, PartiallyFilled),
    (Live, Filled),
    (Live, Canceled),
    (Live, Rejected), // late
    (Live, Expired),
    (PartiallyFilled, Live), // bust
    (PartiallyFilled, PartiallyFilled),
    (PartiallyFilled, Filled),
    (PartiallyFilled, Canceled),
    (PartiallyFilled, Rejected), // late
    (PartiallyFilled, Expired),
    (Filled, Live),            // bust
    (Filled, PartiallyFilled), // bust, or a replace to a larger quantity
    (Filled, Closed),
    (Canceled, Closed),
    (Rejected, Closed),
    (Expired, Closed),
];

impl Machine for OrderMachine {
    type State = OrdState;
    const INITIAL: OrdState = New;
    const STEPS: &'static [(OrdState, OrdState)] = TRANSITIONS;
    const TERMINAL: &'static [OrdState] = &[Closed];
}

impl OrdState {
    /// Whether nothing more can be executed in the ordinary course.
    #[must_use]
    pub const fn is_done(self) -> bool {
        match self {
            New | Unack | Live | PartiallyFilled => false,
            Filled | Canceled | Rejected | Expired | Closed => true,
        }
    }
}
/// An order as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// Ours.
    pub order_id: OrderId,
    /// The order that this one is a part of.
    pub parent_order_id: Option<OrderId>,
    /// The client's order at the top of the tree; itself where it is that.
    pub root_order_id: OrderId,
    /// The client's id; a leg has none of its own and repeats its root's.
    pub cl_ord_id: ClOrdId,
    /// For whom.
    pub account_id: AccountId,
    /// By whom.
    pub user_id: UserId,
    /// What.
    pub instrument_id: InstrumentId,
    /// FIX 54.
    pub side: Side,
    /// FIX 40.
    pub ord_type: OrdType,
    /// FIX 59.
    pub time_in_force: TimeInForce,
    /// Through which door it came.
    pub source: Source,
    /// Where it stands.
    pub state: OrdState,
    /// The request that is not answered.
    pub pending: Pending,
    /// FIX 38.
    pub order_qty: Qty,
    /// FIX 14.
    pub cum_qty: Qty,
    /// Of `order_qty`, what was handed to children and has not come back: their cum and leaves.
    pub place_qty: Qty,
    /// Exact value of what was executed.
    pub cum_notional: Notional,
    /// FIX 44.
    pub price: Option<Price>,
    /// End of a GTD or DAY order.
    pub expire_at: Option<Time>,
    /// Where a leg was sent.
    pub venue: Option<Mic>,
    /// FIX 37, once the venue told it.
    pub broker_order_id: Option<BrokerOrderId>,
    /// The last revision used at the venue: 0 the order itself, then one for each cancel or replace request.
    pub revision: u32,
    /// The revision under which the venue knows the order: 0, or the last replace it accepted.
    pub venue_revision: u32,
    /// Routing attempts so far; only roots.
    pub attempts: u32,
    /// What ended or refused it.
    pub ended_by: Option<EndedBy>,
    /// The code it was refused with.
    pub reject_code: Option<Code>,
    /// Raised by every event of this order; the ETag.
    pub version: u32,
    /// The sequence of the event that created it.
    pub created_seq: Seq,
    /// When it was created.
    pub created_at: Time,
    /// When an event last changed it.
    pub updated_at: Time,
    /// The parts it was placed as, oldest first.
    pub children: Children,
    /// Its kind where it is not the usual one; see [`Order::kind`].
    pub own_kind: Option<OrderKind>,
    /// Its number on the day that it was created, from 1; 0 for a part.
    pub number: u32,
    /// What few working orders have. It stands apart so that the others need no room for it.
    pub extras: Seldom<Extras>,
}

impl Order {
    /// The order that this event creates.
    #[must_use]
    pub fn create(event: &OrderCreated, seq: Seq, time: Time) -> Self {
        Self {
            order_id: event.order_id,
            parent_order_id: event.parent_order_id,
            root_order_id: event.root_order_id,
            cl_ord_id: event.cl_ord_id.clone(),
            account_id: event.account_id,
            user_id: event.user_id,
            instrument_id: event.instrument_id,
            side: event.side,
            ord_type: event.ord_type,
            time_in_force: event.time_in_force,
            source: event.source,
            order_qty: event.order_qty,
            price: event.price,
            expire_at: event.expire_at,
            venue: event.venue,
            own_kind: event.kind,
            number: event.number,
            version: 1,
            created_seq: seq,
            created_at: time,
            updated_at: time,
            extras: Self::created_extras(event, time),
            ..Self::default()
        }
    }

    fn created_extras(event: &OrderCreated, time: Time) -> Seldom<Extras> {
        let OrderCreated { stop_px, routing, metadata, basis, work, compliance, .. } = event;
        // Most orders have none of it, and need not be compared with one that has none.
        let plain = (stop_px.is_none(), routing.is_none(), metadata.is_none(), basis.is_none(), work.is_none(), compliance.is_none());
        if plain == (true, true, true, true, true, true) {
            return Seldom::default();
        }
        let care = routing.as_deref().is_some_and(|routing| routing.care);
        Seldom::from(Extras {
            stop_px: *stop_px,
            routing: routing.clone(),
            metadata: metadata.clone(),
            care: care.then(|| Box::new(Care { since: time, ..Care::default() })),
            basis: basis.clone(),
            work: work.clone(),
            compliance: compliance.clone(),
            ..Extras::default()
        })
    }

    /// FIX 151: what can still be executed; nothing once the order is done.
    #[must_use]
    pub fn leaves_qty(&self) -> Qty {
        if self.state.is_done() { Qty::ZERO } else { self.open_qty() }
    }

    /// Ordered and not executed, whatever the state; never below zero.
    #[must_use]
    pub fn open_qty(&self) -> Qty {
        self.order_qty.saturating_sub(self.cum_qty).max(Qty::ZERO)
    }

    /// FIX 6; `None` before the first fill.
    #[must_use]
    pub fn avg_px(&self) -> Option<Price> {
        self.cum_notional.avg_px(self.cum_qty)
    }

    /// What is shown: FIX precedence, pending cancel before pending replace before the state.
    #[must_use]
    pub fn ord_status(&self) -> OrdStatus {
        if self.state.is_done() {
            return self.state.into();
        }
        match self.pending {
            Pending::Cancel => OrdStatus::PendingCancel,
            Pending::Replace => OrdStatus::PendingReplace,
            Pending::None => self.state.into(),
        }
    }

    /// What its client calls it by now: the id of the last replace that holds, or its own.
    #[must_use]
    pub fn current_cl_ord_id(&self) -> &ClOrdId {
        self.extras.names.as_deref().and_then(|names| names.current.as_ref()).unwrap_or(&self.cl_ord_id)
    }

    /// FIX 152: the money that the order is for, where it names that and not a quantity.
    #[must_use]
    pub fn cash_order_qty(&self) -> Option<Decimal> {
        self.extras.basis.as_deref()?.cash_order_qty
    }

    /// What it is within its tree: a client's order at the top and a leg below, unless it says otherwise.
    #[must_use]
    pub fn kind(&self) -> OrderKind {
        let usual = if self.is_root() { OrderKind::Client } else { OrderKind::Market };
        self.own_kind.unwrap_or(usual)
    }

    /// Whether it is one instruction to one venue.
    #[must_use]
    pub fn is_leg(&self) -> bool {
        self.kind() == OrderKind::Market
    }

    /// Whether somebody works it or has to agree to it, so that what is not with its parts waits for them and not for the
    /// router.
    #[must_use]
    pub fn is_worked(&self) -> bool {
        self.extras.care.is_some() || self.extras.work.is_some() || self.extras.hold.is_some()
    }

    /// The strategy that it was sent for.
    #[must_use]
    pub fn strategy(&self) -> Option<StrategyId> {
        self.extras.compliance.as_deref().and_then(|said| said.strategy)
    }

    /// Whether its `cl_ord_id` names it alone: it does for a client's order and for a part that is worked on its own.
    #[must_use]
    pub fn has_own_id(&self) -> bool {
        matches!(self.kind(), OrderKind::Client | OrderKind::Group | OrderKind::Child)
    }

    /// Whether it is at the top of a tree.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.parent_order_id.is_none()
    }

    /// Whether a move of the market is a reason to look at it.
    #[must_use]
    pub fn is_watching(&self) -> bool {
        !self.state.is_done() && self.extras.work.as_deref().is_some_and(|work| work.on_market)
    }

    /// Where its stop stands: that of a trailing order where it has followed the market to.
    #[must_use]
    pub fn stop_at(&self) -> Option<Price> {
        self.extras.work.as_deref().and_then(|work| work.stop_px).or(self.extras.stop_px)
    }

    /// The list that it belongs to.
    #[must_use]
    pub fn list_id(&self) -> Option<OrderId> {
        self.extras.work.as_deref()?.link.map(|link| link.list_id)
    }

    /// When time is a reason to look at it.
    #[must_use]
    pub fn wake(&self) -> Option<Time> {
        self.extras.work.as_deref().filter(|_| !self.state.is_done()).and_then(|work| work.wake)
    }

    /// The id under which the venue knows `revision` of it.
    #[must_use]
    pub fn wire_id(&self, revision: u32) -> WireId {
        WireId::derive(self.order_id, revision)
    }

    /// The terms as they stand.
    #[must_use]
    pub fn terms(&self) -> Terms {
        Terms { order_qty: self.order_qty, price: self.price, stop_px: self.extras.stop_px }
    }

    /// What may be executed at worst: the larger of the standing and the pending quantity, less what was executed.
    #[must_use]
    pub fn worst_open_qty(&self) -> Qty {
        if self.state.is_done() && self.extras.doubt.is_none() {
            return Qty::ZERO;
        }
        let asked = self.extras.replacing.as_deref().map_or(self.order_qty, |t| t.order_qty.max(self.order_qty));
        asked.saturating_sub(self.cum_qty).max(Qty::ZERO)
    }

    /// The state that the order has with this much executed. An end other than FILLED stays.
    #[must_use]
    pub fn state_with(&self, cum_qty: Qty) -> OrdState {
        match self.state {
            Live | PartiallyFilled | Filled if cum_qty >= self.order_qty => Filled,
            Live | PartiallyFilled | Filled if cum_qty.is_positive() => PartiallyFilled,
            Live | PartiallyFilled | Filled => Live,
            Unack if cum_qty >= self.order_qty => Filled,
            Unack if cum_qty.is_positive() => PartiallyFilled,
            New | Unack | Canceled | Rejected | Expired | Closed => self.state,
        }
    }

    /// The group that it is worked in.
    #[must_use]
    pub fn group_order_id(&self) -> Option<OrderId> {
        self.extras.booked.as_deref().and_then(|booked| booked.group_order_id)
    }

    /// How many orders it stands for; zero where it is no group.
    #[must_use]
    pub fn member_count(&self) -> u32 {
        self.extras.booked.as_deref().map_or(0, |booked| booked.member_count)
    }

    /// Of a group's `cum_qty`, what is shared out.
    #[must_use]
    pub fn alloc_qty(&self) -> Qty {
        self.extras.booked.as_deref().map_or(Qty::ZERO, |booked| booked.alloc_qty)
    }

    /// Of `cum_qty`, what was not executed through parts.
    #[must_use]
    pub fn direct_qty(&self) -> Qty {
        self.extras.booked.as_deref().map_or(Qty::ZERO, |booked| booked.direct_qty)
    }

    /// Executed beyond what was ordered.
    #[must_use]
    pub fn over_qty(&self) -> Qty {
        self.cum_qty.saturating_sub(self.order_qty).max(Qty::ZERO)
    }
}

#[cfg(test)]
mod tests;
