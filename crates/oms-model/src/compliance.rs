//! What may not be traded, by whom, and what has to be there before it is.

use crate::amount::Qty;
use crate::ids::{AccountId, InstrumentId, OrderId, OverrideId, Time};
use crate::limit::Scope;
use crate::strategy::StrategyId;
use crate::terms::terms;

terms! {
    /// Whether what stands on a list is refused or is all that is taken.
    ListKind {
        /// Restricted: an order that meets it is refused.
        Restricted = 1 "RESTRICTED",
        /// Allowed: once something of its kind is on the list, nothing else of that kind is taken.
        Allowed = 2 "ALLOWED",
    }
    /// What happens where an order would trade against an own working one.
    SelfMatchPolicy {
        /// Nothing: the venue decides.
        Off = 1 "OFF",
        /// The new order is refused.
        CancelNewest = 2 "CANCEL_NEWEST",
        /// The working orders are canceled; the new one waits until they are gone.
        CancelOldest = 3 "CANCEL_OLDEST",
        /// The new order is refused and the working ones are canceled.
        CancelBoth = 4 "CANCEL_BOTH",
        /// The smaller is canceled or refused, and the larger is made smaller by its quantity.
        Decrement = 5 "DECREMENT",
    }
    /// Why an accepted order is not sent yet.
    HoldReason {
        /// It is so large that a second person must agree.
        Approval = 1 "APPROVAL",
        /// Own orders that it would trade against are being canceled.
        SelfMatch = 2 "SELF_MATCH",
    }
}

impl Default for ListKind {
    fn default() -> Self {
        Self::Restricted
    }
}
impl Default for SelfMatchPolicy {
    fn default() -> Self {
        Self::Off
    }
}
impl Default for HoldReason {
    fn default() -> Self {
        Self::Approval
    }
}

/// What an order says for the gate. Most orders say nothing, so it stands apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compliance {
    /// The strategy that sent it.
    pub strategy: Option<StrategyId>,
    /// Whether its sender knows that it is beyond a soft limit and wants it all the same.
    pub acknowledged: bool,
    /// Leaves of a person that it may use, one for each rule that it breaks.
    pub override_ids: Vec<OverrideId>,
}

/// An order that is accepted and waits before it is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hold {
    /// Why.
    pub reason: HoldReason,
    /// Since when.
    pub since: Time,
    /// For whose end it waits, where it waits for orders.
    pub waits_for: Vec<OrderId>,
}

/// An entry of a restricted or an allow list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restriction {
    /// Which list.
    pub list: ListKind,
    /// Whose: the tenant's, an account's, a user's or a strategy's.
    pub scope: Scope,
    /// What: an instrument, a class of them, a venue or an account.
    pub subject: Scope,
    /// Why, in words.
    pub reason: String,
}

/// Shares that somebody has promised to lend (Regulation SHO rule 203(b)(1)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locate {
    /// To whom.
    pub account_id: AccountId,
    /// Of what.
    pub instrument_id: InstrumentId,
    /// How many, for everything that the account sells short until then.
    pub qty: Qty,
    /// Until when they may be sold.
    pub until: Time,
    /// Who lends them, in the desk's words.
    pub source: String,
}
