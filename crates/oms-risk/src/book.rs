//! The state of the gate: limits, switches and exposures. It changes by facts, and by nothing else.

use crate::breakers::Standing;
use crate::changes::Revisions;
use crate::check::{Inquiry, Purpose, evaluate};
use crate::crossing::{Crossing, resting_rank};
use crate::duplicate::Recent;
use crate::envelope::Running;
use crate::exposure::{Exposure, Owner, Reservation};
use crate::gate::{Gate, Proposed, RiskContext};
use crate::holdings::{Held, Sums, moved};
use crate::lists::{Lists, Locates};
use crate::overrides::Overrides;
use crate::rate::RateWindow;
use crate::repeats::Repeats;
use crate::slots::{Slot, Slots};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use oms_model::breaker::BreakerKind;
use oms_model::compliance::SelfMatchPolicy;
use oms_model::limit::{KillState, LimitKey, LimitType, RiskLimit, Scope};
use oms_model::order::Terms;
use oms_model::schedule::LimitSchedule;
use oms_model::{AccountId, AssetClass, InstrumentId, LimitScheduleId, Notional, Order, Price, Qty, StrategyId, Time, TradingState};
use std::collections::{BTreeMap, BTreeSet};

/// An engaged kill switch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Killed {
    /// Since when.
    pub since: Time,
    /// When the last cancel was asked for.
    pub last_asked_at: Time,
    /// How far it has come.
    pub state: KillState,
}

/// Everything that the gate knows of one scope.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScopeBook {
    pub(crate) limits: Slots,
    pub(crate) killed: Option<Killed>,
    pub(crate) trading_state: TradingState,
    pub(crate) open_orders: u64,
    pub(crate) open_notional: Notional,
    pub(crate) rate: RateWindow,
    pub(crate) repeats: Repeats,
    /// It repeated itself too often and is off until a person says otherwise.
    pub(crate) tripped: bool,
    pub(crate) sums: Sums,
}

/// Limits, kill switches, trading states and exposures of one tenant.
///
/// The engine calls the changing methods from its `apply` only, with what the log holds:
/// [`on_checked`](Self::on_checked) for `RiskChecked`, [`follow`](Self::follow) after every event of a client's order,
/// and one method for each configuration event.
#[derive(Clone, Debug, Default)]
pub struct RiskBook {
    pub(crate) tenant: ScopeBook,
    pub(crate) scopes: HashMap<Scope, ScopeBook, FixedState>,
    pub(crate) holdings: HashMap<(AccountId, InstrumentId), Held, FixedState>,
    pub(crate) accounts_with_capital: u32,
    pub(crate) recent: Recent,
    /// The asset class of each instrument, by its place.
    pub(crate) classes: Vec<AssetClass>,
    pub(crate) lists: Lists,
    pub(crate) locates: Locates,
    pub(crate) short_sale_restricted: BTreeSet<InstrumentId>,
    pub(crate) self_match: BTreeMap<Scope, SelfMatchPolicy>,
    pub(crate) crossing: Crossing,
    pub(crate) envelopes: BTreeMap<StrategyId, Running>,
    pub(crate) breakers: BTreeMap<(BreakerKind, Scope), Standing>,
    /// The kill switches of which something may still work.
    pub(crate) engaging: BTreeSet<Scope>,
    /// The types of limits that must be there, by the bits of their numbers.
    pub(crate) required: u64,
    /// How many limits depend on what positions are worth.
    pub(crate) on_marks: u32,
    pub(crate) overrides: Overrides,
    pub(crate) schedules: BTreeMap<LimitScheduleId, LimitSchedule>,
    pub(crate) revisions: Revisions,
}

/// What a replace asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proposal {
    /// The terms.
    pub terms: Terms,
    /// Whether its sender knows that it is beyond a soft limit.
    pub acknowledged: bool,
}

impl From<&Terms> for Proposal {
    fn from(terms: &Terms) -> Self {
        Self { terms: *terms, acknowledged: false }
    }
}

/// Judging. Nothing here changes the book.
impl RiskBook {
    /// Judges a new order. Orders of one batch are judged one by one, each after the one before it was applied.
    #[must_use]
    pub fn check(&self, order: &Proposed, ctx: &RiskContext<'_>) -> Gate {
        evaluate(&Inquiry::new(self, ctx, *order, Purpose::New))
    }

    /// Judges the difference that a replace makes. `reserved` is what is reserved for `current`.
    /// A breach that the replace does not worsen does not refuse it.
    #[must_use]
    pub fn check_replace(&self, current: &Order, reserved: &Reservation, change: impl Into<Proposal>, ctx: &RiskContext<'_>) -> Gate {
        let Proposal { terms, acknowledged } = change.into();
        let of = Proposed::of(current);
        let acknowledged = acknowledged || of.acknowledged;
        let order = Proposed { order_qty: terms.order_qty, price: terms.price, stop_px: terms.stop_px, acknowledged, ..of };
        evaluate(&Inquiry::new(self, ctx, order, Purpose::Replace { current, reserved: *reserved }))
    }

    /// Judges an accepted order whose unplaced rest is to be routed again: switches, trading states, account and
    /// instrument as they are now. It adds no exposure and counts in no rate.
    #[must_use]
    pub fn check_replan(&self, current: &Order, reserved: &Reservation, ctx: &RiskContext<'_>) -> Gate {
        evaluate(&Inquiry::new(self, ctx, Proposed::of(current), Purpose::Replan { current, reserved: *reserved }))
    }
}

/// Folding facts about orders.
impl RiskBook {
    /// Folds `RiskChecked` of a client's order. `worst_price` is the gate's, `None` where it refused: then nothing
    /// happens. Otherwise the order counts in the rate, a new one in the duplicate window too, and its exposure is reserved.
    pub fn on_checked(&mut self, order: &Order, worst_price: Option<Price>, now: Time, reserved: &mut Reservation) {
        let Some(worst_price) = worst_price else { return };
        let is_new = !reserved.is_accepted();
        reserved.worst_price = reserved.worst_price.max(worst_price);
        self.count_in_rate(order, now, is_new);
        if is_new {
            self.recent.on_accepted(order, now);
        }
        self.follow(order, reserved);
    }

    /// Brings the exposure in line with a client's order. Called after every event of it; calls that change nothing
    /// cost nothing. An order that the gate has not accepted reserves nothing.
    ///
    /// # Panics
    /// Where a sum would leave its range or fall below zero: a reservation was released twice.
    pub fn follow(&mut self, order: &Order, reserved: &mut Reservation) {
        let (before, after) = (reserved.exposure(), reserved.wanted(order));
        if before != after {
            self.move_exposure(Owner::of(order), before, after);
            reserved.qty = after.qty;
            reserved.price = after.price;
        } else if resting_rank(order, reserved.qty) == reserved.resting {
            return;
        }
        self.crossing.follow(order, reserved);
    }

    /// Puts a working order of a snapshot in its place among the others. What it reserves is in the snapshot.
    pub fn restore_resting(&mut self, order: &Order, reserved: &mut Reservation) {
        self.crossing.follow(order, reserved);
    }

    fn count_in_rate(&mut self, order: &Order, now: Time, is_new: bool) {
        let owner = Owner::of(order);
        for scope in owner_scopes(owner, self.class_of(owner.instrument_id)).into_iter().flatten() {
            let counted = self.counted_ns(scope);
            let book = self.scope_mut(scope);
            if let Some(longest) = counted {
                book.rate.count(now, longest);
            }
            if let Some(longest) = book.limits.longest_period(LimitType::RepeatedExecution).filter(|_| is_new) {
                book.repeats.count(order, now, longest);
            }
        }
    }

    fn move_exposure(&mut self, owner: Owner, before: Exposure, after: Exposure) {
        self.move_held(owner, before, after);
        let value = |exposure: Exposure| exposure.notional().unwrap_or(Notional::MAX).raw();
        let (value_before, value_after) = (value(before), value(after));
        for scope in owner_scopes(owner, self.class_of(owner.instrument_id)).into_iter().flatten() {
            let book = self.scope_mut(scope);
            book.open_notional = Notional::from_raw(moved(book.open_notional.raw(), value_before, value_after, "open notional"));
            let count = moved(book.open_orders.into(), i128::from(!before.qty.is_zero()), i128::from(!after.qty.is_zero()), "open orders");
            book.open_orders = u64::try_from(count).unwrap_or(book.open_orders);
        }
    }
}

/// Folding facts about configuration.
impl RiskBook {
    /// A limit was set; its version is the one of [`next_version`](Self::next_version). Its value must be one that
    /// [`validate_limit`](crate::validate_limit) takes. What already works is not touched by it.
    pub fn set_limit(&mut self, limit: &RiskLimit) {
        self.revisions.limits += 1;
        let before = self.limit_of(limit.key()).is_some();
        if let Some(slot) = self.scope_mut(limit.scope).limits.slot_mut(limit.key()) {
            *slot = Slot { value: Some(limit.value), version: limit.version };
        }
        self.on_marks += u32::from(!before && depends_on_marks(limit.limit_type));
        self.retain_recent(limit.limit_type);
    }

    /// A limit was taken away.
    pub fn remove_limit(&mut self, key: LimitKey) {
        self.revisions.limits += 1;
        let before = self.limit_of(key).is_some();
        self.on_marks -= u32::from(before && depends_on_marks(key.limit_type));
        let book = self.scope_mut(key.scope);
        if let Some(slot) = book.limits.slot_mut(key) {
            slot.value = None;
        }
        if key.limit_type == LimitType::RepeatedExecution && book.limits.longest_period(key.limit_type).is_none() {
            book.repeats.clear();
        }
        if key.limit_type == LimitType::OrderRate && self.counted_ns(key.scope).is_none() {
            self.scope_mut(key.scope).rate.clear();
        }
        self.retain_recent(key.limit_type);
    }

    /// Whether some limit depends on what positions are worth.
    #[must_use]
    pub fn wants_marks(&self) -> bool {
        self.on_marks > 0
    }

    /// A type of limit must be there for an order to pass, or need not any more.
    pub fn require(&mut self, limit_type: LimitType, required: bool) {
        let bit = 1_u64 << limit_type.code();
        self.required = if required { self.required | bit } else { self.required & !bit };
    }

    /// Whether a type of limit must be there.
    #[must_use]
    pub fn requires(&self, limit_type: LimitType) -> bool {
        self.required & (1_u64 << limit_type.code()) != 0
    }

    /// A scope repeated itself too often: it is off. Or a named person put it on again.
    pub fn set_tripped(&mut self, scope: Scope, tripped: bool) {
        let book = self.scope_mut(scope);
        book.tripped = tripped;
        book.repeats.clear();
    }

    /// Whether exactly this scope is off because it repeated itself.
    #[must_use]
    pub fn is_tripped(&self, scope: Scope) -> bool {
        self.scope(scope).is_some_and(|book| book.tripped)
    }

    /// Every scope that is off because it repeated itself, in order. Looks at all scopes.
    #[must_use]
    pub fn tripped(&self) -> Vec<Scope> {
        self.sorted_scopes().into_iter().filter(|(_, book)| book.tripped).map(|(scope, _)| scope).collect()
    }

    /// What happens to own orders that meet was decided for a scope.
    pub fn set_self_match(&mut self, scope: Scope, policy: SelfMatchPolicy) {
        if policy == SelfMatchPolicy::Off && scope == Scope::Tenant {
            self.self_match.remove(&scope);
        } else {
            // An account's OFF is a rule too: it takes the place of the tenant's.
            self.self_match.insert(scope, policy);
        }
    }

    /// The rules for own orders that meet, by scope.
    pub fn self_match_rules(&self) -> impl Iterator<Item = (Scope, SelfMatchPolicy)> + '_ {
        self.self_match.iter().map(|(scope, policy)| (*scope, *policy))
    }

    /// An instrument was listed, or its class changed.
    pub fn set_class(&mut self, instrument_id: InstrumentId, class: AssetClass) {
        let at = instrument_id.0 as usize;
        if self.class_of(instrument_id) != class {
            self.move_class(instrument_id, class);
        }
        if self.classes.len() <= at {
            self.classes.resize(at + 1, AssetClass::default());
        }
        if let Some(known) = self.classes.get_mut(at) {
            *known = class;
        }
    }

    pub(crate) fn class_of(&self, instrument_id: InstrumentId) -> AssetClass {
        self.classes.get(instrument_id.0 as usize).copied().unwrap_or_default()
    }

    /// A kill switch was engaged. Engaging twice is engaging once.
    pub fn engage(&mut self, scope: Scope, since: Time) {
        let fresh = Killed { since, last_asked_at: since, state: KillState::Engaging };
        self.scope_mut(scope).killed.get_or_insert(fresh);
        if self.is_engaging(scope) {
            self.engaging.insert(scope);
        }
    }

    /// A cancel was asked for while kill switches are being engaged.
    pub fn on_kill_asked(&mut self, now: Time) {
        for scope in self.engaging.clone() {
            if let Some(killed) = &mut self.scope_mut(scope).killed {
                killed.last_asked_at = now;
            }
        }
    }

    /// Nothing of the scope works any more.
    pub fn confirm_kill(&mut self, scope: Scope) {
        if let Some(killed) = &mut self.scope_mut(scope).killed {
            killed.state = KillState::Engaged;
        }
        self.engaging.remove(&scope);
    }

    /// A kill switch was released.
    pub fn release(&mut self, scope: Scope) {
        self.scope_mut(scope).killed = None;
        self.engaging.remove(&scope);
    }

    /// A trading state was set.
    pub fn set_trading_state(&mut self, scope: Scope, state: TradingState) {
        self.scope_mut(scope).trading_state = state;
    }

    /// Orders are remembered for the longest window in force anywhere.
    fn retain_recent(&mut self, changed: LimitType) {
        const WINDOWS: [LimitType; 2] = [LimitType::DuplicateWindow, LimitType::WashWindow];
        if !WINDOWS.contains(&changed) {
            return;
        }
        let books = core::iter::once(&self.tenant).chain(self.scopes.values());
        let windows = books.flat_map(|book| WINDOWS.into_iter().flat_map(|limit_type| book.limits.each(limit_type)));
        let longest = windows.map(|limit| limit.value).max();
        self.recent.retain_for(longest);
    }
}

/// Reading.
impl RiskBook {
    /// The limit of a key, where it is in force.
    #[must_use]
    pub fn limit_of(&self, key: LimitKey) -> Option<RiskLimit> {
        let slot = self.scope(key.scope)?.limits.slot(key)?;
        slot.value.map(|value| RiskLimit::of(key, value, slot.version))
    }

    /// The hard limit in force for a type and a scope, with its usual period.
    #[must_use]
    pub fn limit(&self, limit_type: LimitType, scope: Scope) -> Option<RiskLimit> {
        self.limit_of(LimitKey::hard(limit_type, scope))
    }

    /// The version that the next limit of this key takes, from 1. Removal does not start it again.
    #[must_use]
    pub fn next_version(&self, key: LimitKey) -> u32 {
        let last = self.scope(key.scope).and_then(|book| book.limits.slot(key)).map_or(0, |slot| slot.version);
        last.saturating_add(1)
    }

    /// Whether the kill switch of exactly this scope is engaged.
    #[must_use]
    pub fn is_killed(&self, scope: Scope) -> bool {
        self.killed(scope).is_some()
    }

    /// The kill switch of exactly this scope, where it is engaged.
    #[must_use]
    pub fn killed(&self, scope: Scope) -> Option<Killed> {
        self.scope(scope).and_then(|book| book.killed)
    }

    /// Every engaged kill switch, by scope. Looks at all scopes.
    #[must_use]
    pub fn kill_switches(&self) -> Vec<(Scope, Killed)> {
        self.sorted_scopes().into_iter().filter_map(|(scope, book)| book.killed.map(|killed| (scope, killed))).collect()
    }

    /// The kill switches of which something may still work, by scope.
    pub fn engaging(&self) -> impl Iterator<Item = (Scope, Killed)> + '_ {
        self.engaging.iter().filter_map(|scope| Some((*scope, self.killed(*scope)?)))
    }

    fn is_engaging(&self, scope: Scope) -> bool {
        self.killed(scope).is_some_and(|killed| killed.state == KillState::Engaging)
    }

    /// The trading state of exactly this scope.
    #[must_use]
    pub fn trading_state(&self, scope: Scope) -> TradingState {
        self.scope(scope).map_or(TradingState::Active, |s| s.trading_state)
    }

    /// Working client orders of a scope and their value at their worst prices.
    #[must_use]
    pub fn open(&self, scope: Scope) -> (u64, Notional) {
        self.scope(scope).map_or((0, Notional::ZERO), |s| (s.open_orders, s.open_notional))
    }

    /// What works for an account in an instrument: to be bought, and to be sold.
    #[must_use]
    pub fn working_qty(&self, account_id: AccountId, instrument_id: InstrumentId) -> (Qty, Qty) {
        let held = self.held(account_id, instrument_id);
        (held.buy_qty, held.sell_qty)
    }

    pub(crate) fn recent(&self) -> &Recent {
        &self.recent
    }

    pub(crate) fn scope(&self, scope: Scope) -> Option<&ScopeBook> {
        if scope == Scope::Tenant { Some(&self.tenant) } else { self.scopes.get(&scope) }
    }

    pub(crate) fn scope_mut(&mut self, scope: Scope) -> &mut ScopeBook {
        if scope == Scope::Tenant { &mut self.tenant } else { self.scopes.entry(scope).or_default() }
    }

    /// Every scope that the book knows, in order.
    pub(crate) fn sorted_scopes(&self) -> Vec<(Scope, &ScopeBook)> {
        let mut all: Vec<(Scope, &ScopeBook)> = self.scopes.iter().map(|(scope, book)| (*scope, book)).collect();
        all.push((Scope::Tenant, &self.tenant));
        all.sort_unstable_by_key(|(scope, _)| *scope);
        all
    }
}

/// Whether a limit is compared with what positions are worth.
fn depends_on_marks(limit_type: LimitType) -> bool {
    matches!(
        limit_type,
        LimitType::MaxGrossExposure
            | LimitType::MaxNetExposure
            | LimitType::MaxAssetClassExposure
            | LimitType::MaxConcentrationPct
            | LimitType::MaxLeverage
            | LimitType::DailyLoss
            | LimitType::TrailingDrawdown
    )
}

/// How many scopes an order has at most.
pub(crate) const SCOPES: usize = 6;

/// The scopes whose limits apply to an order, widest first.
pub(crate) fn owner_scopes(owner: Owner, class: AssetClass) -> [Option<Scope>; SCOPES] {
    [
        Some(Scope::Tenant),
        Some(Scope::AssetClass(class)),
        Some(Scope::Account(owner.account_id)),
        owner.strategy.map(Scope::Strategy),
        Some(Scope::User(owner.user_id)),
        Some(Scope::Instrument(owner.instrument_id)),
    ]
}

#[cfg(test)]
mod tests;
