//! Facts of the gate: lists, locates, rules, throttles, holds.

use crate::amount::{Decimal, Price, Qty};
use crate::breaker::{BreakerKind, BreakerState};
use crate::compliance::{HoldReason, ListKind, SelfMatchPolicy};
use crate::ids::{InstrumentId, OrderId, RuleSetName, Time, UserId};
use crate::instrument::Currency;
use crate::limit::{LimitType, Scope};
use crate::shadow::Rule;

/// An entry of a restricted or an allow list was taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestrictionRemoved {
    /// Of which list.
    pub list: ListKind,
    /// Whose.
    pub scope: Scope,
    /// What.
    pub subject: Scope,
    /// Why, in words.
    pub reason: String,
}

/// The short-sale price test of an instrument began or ended (Regulation SHO rule 201).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShortSaleStateSet {
    /// Of which instrument.
    pub instrument_id: InstrumentId,
    /// Whether a short sale must be above the best bid.
    pub restricted: bool,
    /// Why, in words.
    pub reason: String,
}

/// What happens to own orders that meet was decided for a scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SelfMatchRuleSet {
    /// The tenant, for all its accounts together, or one account alone.
    pub scope: Scope,
    /// What happens.
    pub policy: SelfMatchPolicy,
}

/// An order would have traded against an own working one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SelfMatchPrevented {
    /// The new order.
    pub order_id: OrderId,
    /// The working one.
    pub resting: OrderId,
    /// By which rule.
    pub policy: SelfMatchPolicy,
    /// How much of them meets.
    pub qty: Qty,
}

/// What is repeated too often is off until a person says otherwise (RTS 6 article 15(3)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThrottleTripped {
    /// What is off.
    pub scope: Scope,
    /// How often.
    pub value: Decimal,
    /// Of how many.
    pub limit: Decimal,
}

/// A named person put on again what was off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThrottleReset {
    /// What is on again.
    pub scope: Scope,
    /// Who did it.
    pub user_id: UserId,
    /// Why, in words.
    pub reason: String,
}

/// An accepted order waits before it is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderHeld {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    pub reason: HoldReason,
    /// For whose end it waits, where it waits for orders.
    pub waits_for: Vec<OrderId>,
}

/// An order waits no more; what follows is in the same batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderReleased {
    /// The order.
    pub order_id: OrderId,
    /// What it waited for.
    pub reason: HoldReason,
    /// Who agreed to it, where a person had to.
    pub by: Option<UserId>,
    /// In which words.
    pub text: String,
}

/// The price that positions in an instrument are valued at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Of which instrument.
    pub instrument_id: InstrumentId,
    /// The price.
    pub price: Price,
}

/// Positions were valued at the market, so that exposures and losses are those of now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PositionsMarked {
    /// What changed.
    pub marks: Vec<Mark>,
}

/// The currency in which exposures and limits are counted was chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RiskCurrencySet {
    /// Which.
    pub currency: Currency,
}

/// A type of limit must be there for an order to pass, or need not any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitRequired {
    /// Which type.
    pub limit_type: LimitType,
    /// Whether it must.
    pub required: bool,
}

/// The last order of a kill switch's scope is confirmed gone: nothing works there any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KillSwitchConfirmed {
    /// Which.
    pub scope: Scope,
    /// When it was engaged.
    pub engaged_at: Time,
    /// When the last cancel was asked for; when it was engaged, where none was.
    pub last_asked_at: Time,
}

/// A breaker was taken away. What it had turned off stays off until somebody turns it on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BreakerRemoved {
    /// What it watched.
    pub kind: BreakerKind,
    /// Where.
    pub scope: Scope,
}

/// A breaker tripped, tries again, or is closed. What it does about it is in the same batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BreakerMoved {
    /// What it watches.
    pub kind: BreakerKind,
    /// Where.
    pub scope: Scope,
    /// How it stands now.
    pub state: BreakerState,
    /// What was measured; absent where a person closed it.
    pub value: Option<Decimal>,
    /// Why, in words.
    pub text: String,
}

/// Rules run in shadow from here on; they take the place of those of the same name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShadowRulesSet {
    /// Their name.
    pub name: RuleSetName,
    /// Who set them.
    pub user_id: UserId,
    /// The rules.
    pub rules: Vec<Rule>,
}

/// Rules do not run in shadow any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShadowRulesRemoved {
    /// Their name.
    pub name: RuleSetName,
}

/// Rules that ran in shadow became live; each of them is a fact of the same batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShadowRulesPromoted {
    /// Their name.
    pub name: RuleSetName,
    /// Who had set them.
    pub set_by: UserId,
    /// The second person.
    pub user_id: UserId,
    /// Why, in words.
    pub reason: String,
}
