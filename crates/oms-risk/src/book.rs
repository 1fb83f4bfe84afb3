//! The state of the gate: limits, switches and exposures. It changes by facts, and by nothing else.

use crate::check::{Inquiry, Purpose, evaluate};
use crate::duplicate::Recent;
use crate::exposure::{Exposure, Owner, Reservation};
use crate::gate::{Gate, Proposed, RiskContext};
use crate::limits::Slot;
use crate::parts::{OpenUse, RateUse, RecentOrder, RetiredLimit, RiskParts, WorkingQty};
use crate::rate::RateWindow;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use oms_model::limit::{LimitType, RiskLimit, Scope, ScopedState};
use oms_model::order::Terms;
use oms_model::{AccountId, InstrumentId, Notional, Order, Price, Qty, Time, TradingState};

/// Everything that the gate knows of one scope.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScopeBook {
    pub(crate) slots: [Slot; LimitType::ALL.len()],
    pub(crate) killed: bool,
    pub(crate) trading_state: TradingState,
    pub(crate) open_orders: u64,
    pub(crate) open_notional: Notional,
    pub(crate) rate: RateWindow,
}

/// Quantities working for one account in one instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Working {
    pub(crate) buy_qty: Qty,
    pub(crate) sell_qty: Qty,
}

/// Limits, kill switches, trading states and exposures of one tenant.
///
/// The engine calls the changing methods from its `apply` only, with what the log holds:
/// [`on_checked`](Self::on_checked) for `RiskChecked`, [`follow`](Self::follow) after every event of a client's order,
/// and one method for each configuration event.
#[derive(Clone, Debug, Default)]
pub struct RiskBook {
    tenant: ScopeBook,
    scopes: HashMap<Scope, ScopeBook, FixedState>,
    working: HashMap<(AccountId, InstrumentId), Working, FixedState>,
    recent: Recent,
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
    pub fn check_replace(&self, current: &Order, reserved: &Reservation, terms: &Terms, ctx: &RiskContext<'_>) -> Gate {
        let order = Proposed { order_qty: terms.order_qty, price: terms.price, stop_px: terms.stop_px, ..Proposed::of(current) };
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
        self.count_in_rate(order, now);
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
        if before == after {
            return;
        }
        self.move_exposure(Owner::of(order), before, after);
        reserved.qty = after.qty;
        reserved.price = after.price;
    }

    fn count_in_rate(&mut self, order: &Order, now: Time) {
        let owner = Owner::of(order);
        for scope in owner_scopes(owner) {
            let book = self.scope_mut(scope);
            if book.limit(LimitType::OrderRate).is_some() {
                book.rate.count(now);
            }
        }
    }

    fn move_exposure(&mut self, owner: Owner, before: Exposure, after: Exposure) {
        let working = self.working.entry((owner.account_id, owner.instrument_id)).or_default();
        let side = if owner.side.is_buy() { &mut working.buy_qty } else { &mut working.sell_qty };
        *side = moved(side.raw(), before.qty.raw(), after.qty.raw(), "working quantity").map_or(*side, Qty::from_raw);
        if *working == Working::default() {
            self.working.remove(&(owner.account_id, owner.instrument_id));
        }
        let value = |exposure: Exposure| exposure.notional().unwrap_or(Notional::MAX).raw();
        for scope in owner_scopes(owner) {
            let book = self.scope_mut(scope);
            let sum = moved(book.open_notional.raw(), value(before), value(after), "open notional");
            book.open_notional = sum.map_or(book.open_notional, Notional::from_raw);
            let count = moved(book.open_orders.into(), i128::from(!before.qty.is_zero()), i128::from(!after.qty.is_zero()), "open orders");
            book.open_orders = count.and_then(|n| u64::try_from(n).ok()).unwrap_or(book.open_orders);
        }
    }
}

/// `sum` with `before` taken out and `after` put in. Never below zero, never out of range: the gate refuses what would.
fn moved(sum: i128, before: i128, after: i128, what: &str) -> Option<i128> {
    let rest = sum.checked_sub(before).filter(|rest| *rest >= 0);
    assert!(rest.is_some(), "{what} {sum} cannot give back {before}");
    let moved = rest.and_then(|rest| rest.checked_add(after));
    assert!(moved.is_some(), "{what} {sum} cannot take {after}");
    moved
}

/// Folding facts about configuration.
impl RiskBook {
    /// A limit was set; its version is the one of [`next_version`](Self::next_version). Its value must be one that
    /// [`validate_limit`](crate::validate_limit) takes. What already works is not touched by it.
    pub fn set_limit(&mut self, limit: &RiskLimit) {
        if let Some(slot) = self.scope_mut(limit.scope).slots.get_mut(slot_of(limit.limit_type)) {
            *slot = Slot { value: Some(limit.value), version: limit.version };
        }
        self.retain_recent(limit.limit_type);
    }

    /// A limit was taken away.
    pub fn remove_limit(&mut self, limit_type: LimitType, scope: Scope) {
        let book = self.scope_mut(scope);
        if let Some(slot) = book.slots.get_mut(slot_of(limit_type)) {
            slot.value = None;
        }
        if limit_type == LimitType::OrderRate {
            book.rate.clear();
        }
        self.retain_recent(limit_type);
    }

    /// A kill switch was engaged. Engaging twice is engaging once.
    pub fn engage(&mut self, scope: Scope) {
        self.scope_mut(scope).killed = true;
    }

    /// A kill switch was released.
    pub fn release(&mut self, scope: Scope) {
        self.scope_mut(scope).killed = false;
    }

    /// A trading state was set.
    pub fn set_trading_state(&mut self, scope: Scope, state: TradingState) {
        self.scope_mut(scope).trading_state = state;
    }

    /// Orders are remembered for the longest window in force anywhere.
    fn retain_recent(&mut self, changed: LimitType) {
        if changed != LimitType::DuplicateWindow {
            return;
        }
        let windows = core::iter::once(&self.tenant).chain(self.scopes.values());
        let longest = windows.filter_map(|s| s.limit(LimitType::DuplicateWindow)).map(|l| l.value).max();
        self.recent.retain_for(longest);
    }
}

/// Reading.
impl RiskBook {
    /// The limit in force for a type and a scope.
    #[must_use]
    pub fn limit(&self, limit_type: LimitType, scope: Scope) -> Option<RiskLimit> {
        let in_force = self.scope(scope)?.limit(limit_type)?;
        Some(RiskLimit { limit_type, scope, value: in_force.value, version: in_force.version })
    }

    /// The version that the next limit of this type and scope takes, from 1. Removal does not start it again.
    #[must_use]
    pub fn next_version(&self, limit_type: LimitType, scope: Scope) -> u32 {
        let last = self.scope(scope).and_then(|s| s.slots.get(slot_of(limit_type))).map_or(0, |slot| slot.version);
        last.saturating_add(1)
    }

    /// Whether the kill switch of exactly this scope is engaged.
    #[must_use]
    pub fn is_killed(&self, scope: Scope) -> bool {
        self.scope(scope).is_some_and(|s| s.killed)
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
        let working = self.working(account_id, instrument_id);
        (working.buy_qty, working.sell_qty)
    }

    pub(crate) fn working(&self, account_id: AccountId, instrument_id: InstrumentId) -> Working {
        self.working.get(&(account_id, instrument_id)).copied().unwrap_or_default()
    }

    pub(crate) fn recent(&self) -> &Recent {
        &self.recent
    }

    pub(crate) fn scope(&self, scope: Scope) -> Option<&ScopeBook> {
        if scope == Scope::Tenant { Some(&self.tenant) } else { self.scopes.get(&scope) }
    }

    fn scope_mut(&mut self, scope: Scope) -> &mut ScopeBook {
        if scope == Scope::Tenant { &mut self.tenant } else { self.scopes.entry(scope).or_default() }
    }

    /// Every scope that the book knows, in order.
    fn sorted_scopes(&self) -> Vec<(Scope, &ScopeBook)> {
        let mut all: Vec<(Scope, &ScopeBook)> = self.scopes.iter().map(|(scope, book)| (*scope, book)).collect();
        all.push((Scope::Tenant, &self.tenant));
        all.sort_unstable_by_key(|(scope, _)| *scope);
        all
    }

    pub(crate) fn sorted_working(&self) -> Vec<WorkingQty> {
        let mut all: Vec<WorkingQty> = self
            .working
            .iter()
            .map(|(&(account_id, instrument_id), w)| WorkingQty { account_id, instrument_id, buy_qty: w.buy_qty, sell_qty: w.sell_qty })
            .collect();
        all.sort_unstable_by_key(|w| (w.account_id, w.instrument_id));
        all
    }

    /// Every limit in force, by type and scope.
    #[must_use]
    pub fn limits(&self) -> Vec<RiskLimit> {
        self.parts_of_limits().0
    }

    fn parts_of_limits(&self) -> (Vec<RiskLimit>, Vec<RetiredLimit>) {
        let (mut limits, mut retired) = (Vec::new(), Vec::new());
        let scopes = self.sorted_scopes();
        for &limit_type in LimitType::ALL {
            for (scope, book) in &scopes {
                let Some(slot) = book.slots.get(slot_of(limit_type)) else { continue };
                match slot.value {
                    Some(value) => limits.push(RiskLimit { limit_type, scope: *scope, value, version: slot.version }),
                    None if slot.version > 0 => retired.push(RetiredLimit { limit_type, scope: *scope, version: slot.version }),
                    None => (),
                }
            }
        }
        (limits, retired)
    }
}

/// Snapshots.
impl RiskBook {
    /// The whole state in canonical order: equal books give equal parts, however they came about.
    #[must_use]
    pub fn parts(&self) -> RiskParts {
        let (limits, retired) = self.parts_of_limits();
        let mut parts = RiskParts { limits, retired, working: self.sorted_working(), ..RiskParts::default() };
        for (scope, book) in self.sorted_scopes() {
            if book.killed {
                parts.killed.push(scope);
            }
            if book.trading_state != TradingState::Active {
                parts.trading_states.push(ScopedState { scope, state: book.trading_state });
            }
            if book.open_orders > 0 || !book.open_notional.is_zero() {
                parts.open.push(OpenUse { scope, open_orders: book.open_orders, open_notional: book.open_notional });
            }
            if !book.rate.is_empty() {
                parts.rates.push(RateUse { scope, times: book.rate.times().collect() });
            }
        }
        parts.recent = self.recent.entries().copied().collect::<Vec<RecentOrder>>();
        parts
    }

    /// The book with this state.
    #[must_use]
    pub fn from_parts(parts: RiskParts) -> Self {
        let mut book = Self::default();
        for limit in &parts.limits {
            book.set_limit(limit);
        }
        for retired in &parts.retired {
            if let Some(slot) = book.scope_mut(retired.scope).slots.get_mut(slot_of(retired.limit_type)) {
                slot.version = retired.version;
            }
        }
        for scope in parts.killed {
            book.engage(scope);
        }
        for scoped in parts.trading_states {
            book.set_trading_state(scoped.scope, scoped.state);
        }
        for open in parts.open {
            let scope = book.scope_mut(open.scope);
            scope.open_orders = open.open_orders;
            scope.open_notional = open.open_notional;
        }
        for w in parts.working {
            book.working.insert((w.account_id, w.instrument_id), Working { buy_qty: w.buy_qty, sell_qty: w.sell_qty });
        }
        for rate in parts.rates {
            book.scope_mut(rate.scope).rate = RateWindow::restore(rate.times);
        }
        book.recent.restore(parts.recent);
        book
    }
}

/// The scopes whose limits apply to an order, widest first.
pub(crate) fn owner_scopes(owner: Owner) -> [Scope; 4] {
    [Scope::Tenant, Scope::Account(owner.account_id), Scope::User(owner.user_id), Scope::Instrument(owner.instrument_id)]
}

/// A limit type's place in [`ScopeBook::slots`].
pub(crate) fn slot_of(limit_type: LimitType) -> usize {
    usize::from(limit_type.code()) - 1
}

#[cfg(test)]
mod tests;
