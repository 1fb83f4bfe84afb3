//! The whole state of a [`RiskBook`] in canonical order, for snapshots and state hashes.

use crate::book::{Killed, RiskBook, ScopeBook};
use crate::breakers::Standing;
use crate::changes::Revisions;
use crate::holdings::Held;
use crate::rate::RateWindow;
use oms_model::compliance::{Locate, Restriction, SelfMatchPolicy};
use oms_model::limit::{KillState, LimitKey, LimitType, Period, RiskLimit, Scope, ScopedState};
use oms_model::overrides::{Override, OverrideRule};
use oms_model::schedule::LimitSchedule;
use oms_model::strategy::{StrategyEnvelope, StrategyUse};
use oms_model::{AccountId, AssetClass, InstrumentId, Notional, Price, Qty, Side, Time, TradingState};

/// A limit that was taken away. Its version lives on, so that a version never means two values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetiredLimit {
    /// What it bounded.
    pub limit_type: LimitType,
    /// To what it applied.
    pub scope: Scope,
    /// The last version it had.
    pub version: u32,
    /// Its period, where it was not the usual one.
    pub period: Option<Period>,
    /// Whether it was a soft one.
    pub soft: bool,
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

/// An engaged kill switch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KilledScope {
    /// Of which scope.
    pub scope: Scope,
    /// How far it has come.
    pub killed: Killed,
}

/// What an account has and works in an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldParts {
    /// For whom.
    pub account_id: AccountId,
    /// In what.
    pub instrument_id: InstrumentId,
    /// What.
    pub held: Held,
}

/// From where losses of a scope are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PnlMarks {
    /// The scope.
    pub scope: Scope,
    /// Profit at the last close of the day.
    pub day_start: Notional,
    /// The highest profit so far.
    pub peak: Notional,
}

/// When orders alike were accepted in a scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepeatUse {
    /// The scope.
    pub scope: Scope,
    /// What they have in common, hashed.
    pub alike: u64,
    /// When, oldest first.
    pub times: Vec<Time>,
}

/// What happens to own orders that meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SelfMatchRule {
    /// For whom.
    pub scope: Scope,
    /// What.
    pub policy: SelfMatchPolicy,
}

/// An account's money at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capital {
    /// Whose.
    pub account_id: AccountId,
    /// How much.
    pub capital: Notional,
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
    /// Engaged kill switches, by scope.
    pub killed: Vec<KilledScope>,
    /// Trading states other than ACTIVE, by scope.
    pub trading_states: Vec<ScopedState>,
    /// Uses above zero, by scope.
    pub open: Vec<OpenUse>,
    /// What is held and works, by account and instrument.
    pub holdings: Vec<HeldParts>,
    /// Rate windows that are not empty, by scope.
    pub rates: Vec<RateUse>,
    /// Orders that the duplicate check remembers, oldest first.
    pub recent: Vec<RecentOrder>,
    /// From where losses are counted, by scope; where it is not zero.
    pub pnl_marks: Vec<PnlMarks>,
    /// Orders alike that a limit may still count, by scope and kind.
    pub repeats: Vec<RepeatUse>,
    /// Scopes that are off because they repeated themselves, in order.
    pub tripped: Vec<Scope>,
    /// Restricted and allow lists, by list, owner and subject.
    pub restrictions: Vec<Restriction>,
    /// Lent shares, by account and instrument.
    pub locates: Vec<Locate>,
    /// Instruments under the short-sale price test, by id.
    pub short_sale_restricted: Vec<InstrumentId>,
    /// Rules for own orders that meet, by scope.
    pub self_match: Vec<SelfMatchRule>,
    /// Bounds of strategies, by name.
    pub envelopes: Vec<StrategyEnvelope>,
    /// What strategies have traded today, by name; where it is not zero.
    pub strategy_uses: Vec<StrategyUse>,
    /// Types of limits that must be there, by number.
    pub required: Vec<LimitType>,
    /// Money at the start, by account.
    pub capitals: Vec<Capital>,
    /// Breakers, by kind and scope.
    pub breakers: Vec<Standing>,
    /// The asset class of each instrument, by its place.
    pub classes: Vec<AssetClass>,
    /// Overrides whose time is not over, by id.
    pub overrides: Vec<Override>,
    /// See [`RiskBook::override_rule`].
    pub override_rule: OverrideRule,
    /// Scheduled changes of limits, by id.
    pub schedules: Vec<LimitSchedule>,
    /// See [`RiskBook::revisions`].
    pub revisions: Revisions,
}

impl RiskBook {
    /// The whole state in canonical order: equal books give equal parts, however they came about.
    #[must_use]
    pub fn parts(&self) -> RiskParts {
        let (limits, retired) = self.parts_of_limits();
        let held = |(&(account_id, instrument_id), held): (&(AccountId, InstrumentId), &Held)| HeldParts {
            account_id,
            instrument_id,
            held: *held,
        };
        let mut holdings: Vec<HeldParts> = self.holdings.iter().map(held).collect();
        holdings.sort_unstable_by_key(|parts| (parts.account_id, parts.instrument_id));
        let uses = self.envelopes.iter().filter(|(_, running)| !running.traded.is_zero());
        let mut parts = RiskParts {
            limits,
            retired,
            holdings,
            recent: self.recent.entries().copied().collect(),
            restrictions: self.restrictions(),
            locates: self.locates().cloned().collect(),
            short_sale_restricted: self.short_sale_restricted().collect(),
            self_match: self.self_match_rules().map(|(scope, policy)| SelfMatchRule { scope, policy }).collect(),
            envelopes: self.envelopes().map(|(envelope, _)| envelope.clone()).collect(),
            strategy_uses: uses.map(|(strategy, running)| StrategyUse { strategy: *strategy, traded: running.traded }).collect(),
            required: LimitType::ALL.iter().copied().filter(|limit_type| self.requires(*limit_type)).collect(),
            classes: self.classes.clone(),
            breakers: self.breakers().cloned().collect(),
            overrides: self.overrides().cloned().collect(),
            override_rule: self.override_rule(),
            schedules: self.schedules().copied().collect(),
            revisions: self.revisions,
            ..RiskParts::default()
        };
        for (scope, book) in self.sorted_scopes() {
            parts.add_scope(scope, book);
        }
        parts
    }

    /// Every limit in force, by type and scope.
    #[must_use]
    pub fn limits(&self) -> Vec<RiskLimit> {
        self.parts_of_limits().0
    }

    fn parts_of_limits(&self) -> (Vec<RiskLimit>, Vec<RetiredLimit>) {
        let (mut limits, mut retired) = (Vec::new(), Vec::new());
        for (scope, book) in self.sorted_scopes() {
            for (key, slot) in book.limits.all(scope) {
                match slot.value {
                    Some(value) => limits.push(RiskLimit::of(key, value, slot.version)),
                    None if slot.version > 0 => {
                        let LimitKey { limit_type, scope, period, soft } = key;
                        retired.push(RetiredLimit { limit_type, scope, version: slot.version, period, soft });
                    }
                    None => (),
                }
            }
        }
        limits.sort_by_key(|limit| limit.key());
        retired.sort_by_key(|limit| (limit.limit_type, limit.scope, limit.period, limit.soft));
        (limits, retired)
    }

    /// The book with this state, but for the places of working orders: see [`restore_resting`](Self::restore_resting).
    #[must_use]
    pub fn from_parts(parts: RiskParts) -> Self {
        let mut book = Self { classes: parts.classes, ..Self::default() };
        for limit in &parts.limits {
            book.set_limit(limit);
        }
        for retired in &parts.retired {
            let key = LimitKey { limit_type: retired.limit_type, scope: retired.scope, period: retired.period, soft: retired.soft };
            if let Some(slot) = book.scope_mut(retired.scope).limits.slot_mut(key) {
                slot.version = retired.version;
            }
        }
        for one in parts.killed {
            book.scope_mut(one.scope).killed = Some(one.killed);
            if one.killed.state == KillState::Engaging {
                book.engaging.insert(one.scope);
            }
        }
        for scoped in parts.trading_states {
            book.set_trading_state(scoped.scope, scoped.state);
        }
        for open in parts.open {
            let scope = book.scope_mut(open.scope);
            scope.open_orders = open.open_orders;
            scope.open_notional = open.open_notional;
        }
        for HeldParts { account_id, instrument_id, held } in parts.holdings {
            book.restore_held(account_id, instrument_id, held);
        }
        for capital in parts.capitals {
            book.set_capital(capital.account_id, Some(capital.capital));
        }
        for (_, scope) in book.scopes.iter_mut() {
            (scope.sums.day_start, scope.sums.peak) = (0, 0);
        }
        (book.tenant.sums.day_start, book.tenant.sums.peak) = (0, 0);
        for marks in parts.pnl_marks {
            let sums = &mut book.scope_mut(marks.scope).sums;
            (sums.day_start, sums.peak) = (marks.day_start.raw(), marks.peak.raw());
        }
        for rate in parts.rates {
            book.scope_mut(rate.scope).rate = RateWindow::restore(rate.times);
        }
        for repeats in parts.repeats {
            book.scope_mut(repeats.scope).repeats.restore(repeats.alike, repeats.times);
        }
        for scope in parts.tripped {
            book.scope_mut(scope).tripped = true;
        }
        book.recent.restore(parts.recent);
        for entry in &parts.restrictions {
            book.set_restriction(entry);
        }
        for locate in &parts.locates {
            book.set_locate(locate);
        }
        book.short_sale_restricted = parts.short_sale_restricted.into_iter().collect();
        book.self_match = parts.self_match.into_iter().map(|rule| (rule.scope, rule.policy)).collect();
        for envelope in &parts.envelopes {
            book.set_envelope(envelope);
        }
        for used in parts.strategy_uses {
            book.on_strategy_traded(used.strategy, used.traded);
        }
        book.breakers = parts.breakers.into_iter().map(|one| ((one.breaker.kind, one.breaker.scope), one)).collect();
        for limit_type in parts.required {
            book.require(limit_type, true);
        }
        parts.overrides.iter().for_each(|granted| book.grant(granted));
        book.set_override_rule(parts.override_rule);
        parts.schedules.iter().for_each(|schedule| book.schedule(schedule));
        book.revisions = parts.revisions;
        book
    }
}

impl RiskParts {
    fn add_scope(&mut self, scope: Scope, book: &ScopeBook) {
        if let Some(killed) = book.killed {
            self.killed.push(KilledScope { scope, killed });
        }
        if book.trading_state != TradingState::Active {
            self.trading_states.push(ScopedState { scope, state: book.trading_state });
        }
        if book.open_orders > 0 || !book.open_notional.is_zero() {
            self.open.push(OpenUse { scope, open_orders: book.open_orders, open_notional: book.open_notional });
        }
        if !book.rate.is_empty() {
            self.rates.push(RateUse { scope, times: book.rate.times().collect() });
        }
        if (book.sums.day_start, book.sums.peak) != (0, 0) {
            let (day_start, peak) = (Notional::from_raw(book.sums.day_start), Notional::from_raw(book.sums.peak));
            self.pnl_marks.push(PnlMarks { scope, day_start, peak });
        }
        self.repeats.extend(book.repeats.kinds().map(|(alike, times)| RepeatUse { scope, alike, times }));
        if book.tripped {
            self.tripped.push(scope);
        }
        if let (Scope::Account(account_id), Some(capital)) = (scope, book.sums.capital) {
            self.capitals.push(Capital { account_id, capital });
        }
    }
}
