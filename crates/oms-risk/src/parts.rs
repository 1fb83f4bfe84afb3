//! The whole state of a [`RiskBook`](crate::RiskBook) in canonical order, for snapshots and state hashes.

use oms_model::limit::{LimitType, RiskLimit, Scope, ScopedState};
use oms_model::{AccountId, InstrumentId, Notional, Price, Qty, Side, Time};

/// A limit that was taken away. Its version lives on, so that a version never means two values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetiredLimit {
    /// What it bounded.
    pub limit_type: LimitType,
    /// To what it applied.
    pub scope: Scope,
    /// The last version it had.
    pub version: u32,
}

/// What is working in a scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenUse {
    /// The scope.
    pub scope: Scope,
    /// Working client orders.
    pub open_orders: u64,
    /// Their value at their worst prices.
    pub open_notional: Notional,
}

/// Quantities working for one account in one instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkingQty {
    /// For whom.
    pub account_id: AccountId,
    /// In what.
    pub instrument_id: InstrumentId,
    /// To be bought.
    pub buy_qty: Qty,
    /// To be sold, short or not.
    pub sell_qty: Qty,
}

/// The orders that a rate limit may still count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RateUse {
    /// The scope.
    pub scope: Scope,
    /// When they were accepted, oldest first.
    pub times: Vec<Time>,
}

/// An accepted order that the duplicate check remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecentOrder {
    /// When it was accepted.
    pub at: Time,
    /// For whom.
    pub account_id: AccountId,
    /// What.
    pub instrument_id: InstrumentId,
    /// Which way.
    pub side: Side,
    /// How much.
    pub order_qty: Qty,
    /// Its limit.
    pub price: Option<Price>,
    /// Its trigger.
    pub stop_px: Option<Price>,
}

/// Everything that a risk book holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RiskParts {
    /// Limits in force, by type and scope.
    pub limits: Vec<RiskLimit>,
    /// Limits taken away, by type and scope.
    pub retired: Vec<RetiredLimit>,
    /// Scopes with an engaged kill switch, in order.
    pub killed: Vec<Scope>,
    /// Trading states other than ACTIVE, by scope.
    pub trading_states: Vec<ScopedState>,
    /// Uses above zero, by scope.
    pub open: Vec<OpenUse>,
    /// Working quantities above zero, by account and instrument.
    pub working: Vec<WorkingQty>,
    /// Rate windows that are not empty, by scope.
    pub rates: Vec<RateUse>,
    /// Orders that the duplicate check remembers, oldest first.
    pub recent: Vec<RecentOrder>,
}
