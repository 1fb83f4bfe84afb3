//! A person's leave for one order to break one rule.

use crate::amount::{Price, Qty};
use crate::ids::{AccountId, InstrumentId, OrderId, OverrideId, Time, UserId};
use crate::limit::Check;
use crate::terms::{OrdType, Side, terms};

/// The longest life of an override, seconds.
pub const MAX_LIFE_S: u32 = 86_400;
/// The most overrides that one order names.
pub const MAX_NAMED: usize = 8;

terms! {
    /// How an override stands. Once its time is over it is known no more.
    OverrideState {
        /// A second person has to consent before it holds.
        Pending = 1 "PENDING",
        /// An order may use it.
        Active = 2 "ACTIVE",
        /// An order has used it. It goes on holding for that order alone.
        Used = 3 "USED",
        /// Somebody took it back before it was used.
        Revoked = 4 "REVOKED",
    }
}

impl Default for OverrideState {
    fn default() -> Self {
        Self::Pending
    }
}

/// Leave for one order to break one rule. It is granted on an order that was refused, and bounds the one that may use it
/// by that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Override {
    /// Its id, which the order names.
    pub override_id: OverrideId,
    /// The order that was refused.
    pub refused: OrderId,
    /// The check that an order may fail.
    pub check: Check,
    /// For whom.
    pub account_id: AccountId,
    /// What.
    pub instrument_id: InstrumentId,
    /// FIX 54.
    pub side: Side,
    /// FIX 40.
    pub ord_type: OrdType,
    /// The most that the order may be for.
    pub max_qty: Qty,
    /// The price that it may not be worse than, where the type has one.
    pub price: Option<Price>,
    /// FIX 99 of it, where the type has one.
    pub stop_px: Option<Price>,
    /// Why, in words.
    pub reason: String,
    /// Who granted it; never who sends the order.
    pub granted_by: UserId,
    /// When.
    pub granted_at: Time,
    /// From when on it holds no more.
    pub expires_at: Time,
    /// Whether a second person has to consent.
    pub second_person: bool,
    /// Who did.
    pub consented_by: Option<UserId>,
    /// How it stands.
    pub state: OverrideState,
    /// The order that used it.
    pub used_by: Option<OrderId>,
}

/// What the tenant says about overrides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OverrideRule {
    /// Whether a second person has to consent before an override holds.
    pub second_person: bool,
    /// Whether restricted and allow lists may be overridden.
    pub lists: bool,
}
