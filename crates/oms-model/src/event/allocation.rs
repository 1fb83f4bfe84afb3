//! Facts about grouped orders and how what they executed is shared out.

use crate::allocate::{Share, Weight};
use crate::amount::{Notional, Qty};
use crate::ids::{AccountId, AllocId, InstrumentId, OrderId, Time, UserId};
use crate::terms::{AllocMode, Side};

/// An order that is worked together with others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// The order.
    pub order_id: OrderId,
    /// Whose.
    pub account_id: AccountId,
    /// When it was created; among equals the older one is served first.
    pub created_at: Time,
    /// What it had left when it was grouped.
    pub remaining: Qty,
}

impl Member {
    /// The member as the allocation rule sees it.
    #[must_use]
    pub const fn weight(&self) -> Weight {
        Weight { order_id: self.order_id, created_at: self.created_at, remaining: self.remaining }
    }
}

/// Orders are worked as one from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrdersGrouped {
    /// The order that stands for them.
    pub group_order_id: OrderId,
    /// When what it executes is shared out.
    pub mode: AllocMode,
    /// In the order in which they were named.
    pub members: Vec<Member>,
}

/// Orders are worked on their own again. A proposal that waits lapses: the group has shared out everything that it executed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrdersUngrouped {
    /// The order that stood for them.
    pub group_order_id: OrderId,
    /// The orders.
    pub members: Vec<OrderId>,
    /// Why, in words.
    pub reason: String,
}

/// What of a group's executed quantity goes to whom: the inputs of the rule and what it gave. Anyone can do it again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allocation {
    /// Its id.
    pub alloc_id: AllocId,
    /// The group.
    pub group_order_id: OrderId,
    /// Whose account the group executes in.
    pub account_id: AccountId,
    /// In what.
    pub instrument_id: InstrumentId,
    /// Bought or sold.
    pub side: Side,
    /// The version of the rule.
    pub rule: u32,
    /// The quantity shared out; everything of the group so far, not only what is new.
    pub qty: Qty,
    /// Its exact value.
    pub notional: Notional,
    /// Quantities are shared in multiples of it.
    pub lot: Qty,
    /// When the last of it was executed, by the venue's clock.
    pub transact_time: Time,
    /// The members, with what they had left.
    pub members: Vec<Member>,
    /// What each gets of quantity and value, in the same order.
    pub shares: Vec<Share>,
}

/// An allocation waits for a second person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllocationProposed {
    /// What is proposed.
    pub allocation: Allocation,
    /// By whom.
    pub user_id: UserId,
}

/// A second person agreed; the booking follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllocationApproved {
    /// What.
    pub alloc_id: AllocId,
    /// Of which group.
    pub group_order_id: OrderId,
    /// Who.
    pub user_id: UserId,
}

/// A proposal was turned down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllocationRejected {
    /// What.
    pub alloc_id: AllocId,
    /// Of which group.
    pub group_order_id: OrderId,
    /// Who.
    pub user_id: UserId,
    /// Why, in words.
    pub reason: String,
}
