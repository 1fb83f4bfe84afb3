//! What is asked of the gate itself.

use super::{Command, OrderRef};
use crate::amount::{Decimal, Qty};
use crate::breaker::{Breaker, BreakerKind};
use crate::compliance::{ListKind, Locate, Restriction, SelfMatchPolicy};
use crate::ids::{AccountId, LimitScheduleId, OverrideId, RuleSetName, Symbol, Time};
use crate::instrument::Currency;
use crate::limit::{Check, LimitType, RiskLimit, Scope};
use crate::overrides::OverrideRule;
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
    /// Give leave for one order to break one rule, on an order that was refused.
    GrantOverride {
        /// The refused order, while it is in the hot state.
        order: OrderRef,
        /// The check that an order like it may fail.
        check: Check,
        /// Why, in words.
        reason: String,
        /// For how long, seconds; [`MAX_LIFE_S`](crate::overrides::MAX_LIFE_S) at most.
        life_s: u32,
    },
    /// Consent to an override, as a second person.
    ConsentOverride {
        /// Which.
        override_id: OverrideId,
    },
    /// Take an override back that was not used.
    RevokeOverride {
        /// Which.
        override_id: OverrideId,
        /// Why, in words.
        reason: String,
    },
    /// Say who has to consent to overrides, and whether lists may be overridden.
    SetOverrideRule(OverrideRule),
    /// Set a limit for a time, or from a time on.
    ScheduleLimit {
        /// The limit; its version is assigned when it begins.
        limit: RiskLimit,
        /// From when on; at once where it is `None`.
        from: Option<Time>,
        /// Until when; for good where it is `None`.
        until: Option<Time>,
    },
    /// Take a scheduled change away; one that is in force ends at once.
    UnscheduleLimit {
        /// Which.
        schedule_id: LimitScheduleId,
        /// Why, in words.
        reason: String,
    },
    /// Take limits over from a file: all of them or none.
    ImportLimits {
        /// What is to hold, at most [`MAX_IMPORT`].
        limits: Vec<RiskLimit>,
        /// Whether every other limit is taken away.
        replace_all: bool,
        /// Refuse unless this is the revision of the limits.
        if_revision: Option<u64>,
    },
    /// Take lists over from a file: all of them or none.
    ImportRestrictions {
        /// What is to stand on lists, at most [`MAX_IMPORT`].
        entries: Vec<Restriction>,
        /// Whether every other entry is taken away.
        replace_all: bool,
        /// Refuse unless this is the revision of the lists.
        if_revision: Option<u64>,
    },
}

/// The most limits or entries of lists in one import.
pub const MAX_IMPORT: usize = 10_000;
