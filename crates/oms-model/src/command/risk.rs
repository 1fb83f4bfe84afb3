//! What is asked of the gate itself.

use super::{Command, OrderRef};
use crate::amount::{Decimal, Qty};
use crate::breaker::{Breaker, BreakerKind};
use crate::compliance::{ListKind, Locate, Restriction, SelfMatchPolicy};
use crate::ids::{AccountId, RuleSetName, Symbol};
use crate::instrument::Currency;
use crate::limit::{LimitType, Scope};
use crate::strategy::StrategyEnvelope;

/// A change of what the gate knows besides limits and switches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RiskCommand {
    /// Put something on a restricted or an allow list.
    SetRestriction(Restriction),
    /// Take it away.
    RemoveRestriction {
        /// From which list.
        list: ListKind,
        /// Whose.
        scope: Scope,
        /// What.
        subject: Scope,
        /// Why, in words.
        reason: String,
    },
    /// Record that somebody lends what is to be sold short; takes the place of what was recorded before.
    SetLocate(Locate),
    /// Begin or end the short-sale price test of an instrument.
    SetShortSaleState {
        /// Of which instrument.
        symbol: Symbol,
        /// Whether a short sale must be above the best bid.
        restricted: bool,
        /// Why, in words.
        reason: String,
    },
    /// Decide what happens to own orders that meet.
    SetSelfMatchRule {
        /// The tenant, for all its accounts together, or one account alone.
        scope: Scope,
        /// What happens.
        policy: SelfMatchPolicy,
    },
    /// Set the bounds of a strategy; their version is assigned.
    SetStrategyEnvelope(StrategyEnvelope),
    /// Put on again what was repeated too often.
    ResetThrottle {
        /// What.
        scope: Scope,
        /// Why, in words.
        reason: String,
    },
    /// Agree to a large order that waits, as a second person.
    ApproveOrder {
        /// Which.
        order: OrderRef,
        /// Refuse unless this is its version.
        if_version: Option<u32>,
    },
    /// Turn it down.
    TurnOrderDown {
        /// Which.
        order: OrderRef,
        /// Why, in words.
        reason: String,
        /// Refuse unless this is its version.
        if_version: Option<u32>,
    },
    /// Say what is traded of an instrument in a day on average.
    SetAdv {
        /// Of which instrument.
        symbol: Symbol,
        /// How much; `None` where it is not known any more.
        adv_qty: Option<Qty>,
    },
    /// Say in what an account may trade, and what it has.
    SetAccountRisk {
        /// Which account.
        account_id: AccountId,
        /// The currencies beside its own that it holds and may trade in.
        currencies: Vec<Currency>,
        /// Whether it may trade in any currency of which a rate is recorded.
        converts: bool,
        /// Its money at the start, in the risk currency.
        capital: Option<Decimal>,
    },
    /// Set a breaker; its version is assigned.
    SetBreaker(Breaker),
    /// Take a breaker away.
    RemoveBreaker {
        /// What it watches.
        kind: BreakerKind,
        /// Where.
        scope: Scope,
    },
    /// Close a breaker that has tripped, as a person.
    CloseBreaker {
        /// What it watches.
        kind: BreakerKind,
        /// Where.
        scope: Scope,
        /// Why, in words.
        reason: String,
    },
    /// Choose the currency of exposures and limits; while nothing is held and nothing works.
    SetRiskCurrency(Currency),
    /// Say whether a type of limit must be there for an order to pass.
    RequireLimit {
        /// Which type.
        limit_type: LimitType,
        /// Whether it must.
        required: bool,
    },
    /// Run rules in shadow, from here on, beside those in force.
    SetShadowRules {
        /// Their name; rules of that name are replaced.
        name: RuleSetName,
        /// The rules, as the commands that would make them live.
        rules: Vec<Command>,
    },
    /// Run them no more.
    RemoveShadowRules {
        /// Their name.
        name: RuleSetName,
    },
    /// Make them live, as a second person.
    PromoteShadowRules {
        /// Their name.
        name: RuleSetName,
        /// Why, in words.
        reason: String,
    },
}
