//! What the gate was told, as the durable log says, and what works and was sold short: a few lines that owe nothing to
//! the engine's own fold.

use crate::hold;
use oms_engine::State;
use oms_model::compliance::{ListKind, SelfMatchPolicy};
use oms_model::event::{Batch, Event};
use oms_model::limit::{Check, KillState, LimitKey, LimitType, Scope, Verdict};
use oms_model::overrides::{Override, OverrideRule, OverrideState};
use oms_model::schedule::{LimitSchedule, ScheduleState};
use oms_model::{AccountId, Decimal, InstrumentId, LimitScheduleId, OrderId, OverrideId, Qty, Side, StrategyId, Time, UserId};
use std::collections::{BTreeMap, BTreeSet};

type Holding = (AccountId, InstrumentId);

/// Limits, lists, locates, rules, throttles, kill switches, and short sales of the day.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    limits: BTreeMap<LimitKey, (Decimal, u32)>,
    versions: BTreeMap<LimitKey, u32>,
    lists: BTreeSet<(ListKind, Scope, Scope)>,
    locates: BTreeMap<Holding, (Qty, Time)>,
    price_test: BTreeSet<InstrumentId>,
    self_match: BTreeMap<Scope, SelfMatchPolicy>,
    strategies: BTreeMap<StrategyId, u32>,
    off: BTreeSet<Scope>,
    required: BTreeSet<LimitType>,
    killed: BTreeMap<Scope, KillState>,
    shorted: BTreeMap<Holding, Qty>,
    /// Orders that would have traded with an own one; they may have been made smaller.
    met: BTreeSet<OrderId>,
    /// Orders that were accepted and waited before they were sent.
    waited: BTreeSet<OrderId>,
    overrides: BTreeMap<OverrideId, Override>,
    rule: OverrideRule,
    schedules: BTreeMap<LimitScheduleId, LimitSchedule>,
    /// Who sent each order.
    senders: BTreeMap<OrderId, UserId>,
    /// The last order that the gate refused, with the check that it failed first.
    refused: Option<(OrderId, Check)>,
    /// The last order that failed a check, with the first one.
    failed: Option<(OrderId, Check)>,
}

impl Gate {
    /// A batch was decided.
    pub fn decided(&mut self, batch: &Batch) {
        for event in &batch.events {
            self.configured(event);
            self.left(event, batch.time);
            self.sold(event);
        }
    }

    /// What of the book is off, for whoever turns it on.
    pub fn off(&self) -> Option<Scope> {
        self.off.first().copied()
    }

    /// The last order that the gate refused, with the check that it failed first.
    pub fn refused(&self) -> Option<(OrderId, Check)> {
        self.refused
    }

    /// Every override whose time is not over.
    pub fn overrides(&self) -> impl Iterator<Item = &Override> {
        self.overrides.values()
    }

    /// Every scheduled change of a limit.
    pub fn schedules(&self) -> impl Iterator<Item = LimitScheduleId> + '_ {
        self.schedules.keys().copied()
    }

    /// What the log says of overrides and scheduled limits.
    fn left(&mut self, event: &Event, now: Time) {
        match event {
            Event::OrderCreated(e) if e.parent_order_id.is_none() => drop(self.senders.insert(e.order_id, e.user_id)),
            Event::RiskChecked(e) => {
                let first = e.results.iter().find(|result| result.verdict == Verdict::Fail);
                self.failed = first.map(|result| (e.order_id, result.check)).or(self.failed);
            }
            Event::OrderRejected(e) if e.by == oms_model::EndedBy::Risk => {
                self.refused = self.failed.filter(|(order_id, _)| *order_id == e.order_id).or(self.refused);
            }
            Event::OverrideGranted(e) => {
                hold!(
                    6,
                    self.senders.get(&e.refused) != Some(&e.granted_by),
                    "{} overrides a rule for the own order {}",
                    e.granted_by,
                    e.refused
                );
                let wanted = if self.rule.second_person { OverrideState::Pending } else { OverrideState::Active };
                hold!(6, e.state == wanted, "an override begins as {} where {wanted} is the rule", e.state);
                self.overrides.insert(e.override_id, (**e).clone());
            }
            Event::OverrideConsented(e) => {
                let Some(leave) = self.overrides.get_mut(&e.override_id) else { panic!("invariant 6: nobody granted {}", e.override_id) };
                hold!(6, leave.granted_by != e.user_id, "{} consents to the own grant", e.user_id);
                (leave.consented_by, leave.state) = (Some(e.user_id), OverrideState::Active);
            }
            Event::OverrideRevoked(e) => {
                let Some(leave) = self.overrides.get_mut(&e.override_id) else { panic!("invariant 6: nobody granted {}", e.override_id) };
                hold!(6, leave.used_by.is_none(), "what {:?} used is taken back", leave.used_by);
                leave.state = OverrideState::Revoked;
            }
            Event::OverrideExpired(e) => {
                let leave = self.overrides.remove(&e.override_id);
                hold!(6, leave.as_ref().is_some_and(|leave| leave.expires_at <= now), "{leave:?} is over before its time");
            }
            Event::RiskOverridden(e) => {
                let (sender, rule) = (self.senders.get(&e.order_id).copied(), self.rule);
                let Some(leave) = self.overrides.get_mut(&e.override_id) else { panic!("invariant 6: nobody granted {}", e.override_id) };
                hold!(
                    6,
                    leave.state == OverrideState::Active && leave.used_by.is_none(),
                    "{} uses an override that is {leave:?}",
                    e.order_id
                );
                hold!(6, now < leave.expires_at, "{} uses an override whose time is over: {leave:?}", e.order_id);
                hold!(6, sender != Some(leave.granted_by) && sender != leave.consented_by, "{sender:?} uses the own leave");
                hold!(6, !rule.second_person || leave.consented_by.is_some(), "nobody consented to what {} uses", e.order_id);
                (leave.state, leave.used_by) = (OverrideState::Used, Some(e.order_id));
            }
            Event::OverrideRuleSet(e) => self.rule = *e,
            Event::LimitScheduled(e) => drop(self.schedules.insert(e.schedule_id, **e)),
            Event::LimitScheduleMoved(e) => {
                let Some(known) = self.schedules.get_mut(&e.schedule_id) else {
                    panic!("invariant 6: {} was not scheduled", e.schedule_id)
                };
                let begins = known.state == ScheduleState::Waiting && e.version > 0;
                hold!(6, !begins || known.from <= now, "{known:?} begins before its time");
                let ends = e.state == ScheduleState::Ended && known.state == ScheduleState::InForce;
                hold!(6, !ends || known.until.is_some_and(|until| until <= now), "{known:?} ends before its time");
                known.state = e.state;
                if e.state == ScheduleState::InForce {
                    (known.version, known.before) = (e.version, e.before);
                } else {
                    self.schedules.remove(&e.schedule_id);
                }
            }
            _ => (),
        }
    }

    /// Whether an order would have traded with an own one.
    pub fn has_met(&self, order_id: OrderId) -> bool {
        self.met.contains(&order_id)
    }

    /// Whether an order was accepted and waited before it was sent.
    pub fn has_waited(&self, order_id: OrderId) -> bool {
        self.waited.contains(&order_id)
    }

    fn configured(&mut self, event: &Event) {
        match event {
            Event::OrderHeld(e) => drop(self.waited.insert(e.order_id)),
            Event::SelfMatchPrevented(e) => self.met.extend([e.order_id, e.resting]),
            Event::RiskLimitSet(e) => {
                let last = self.versions.insert(e.key(), e.version).unwrap_or(0);
                hold!(6, e.version == last + 1, "limit {:?} goes from version {last} to {}", e.key(), e.version);
                self.limits.insert(e.key(), (e.value, e.version));
            }
            Event::RiskLimitRemoved(e) => {
                let key = LimitKey { limit_type: e.limit_type, scope: e.scope, period: e.period, soft: e.soft };
                hold!(6, self.limits.remove(&key).is_some(), "limit {key:?} is taken away and is not there");
            }
            Event::RestrictionSet(e) => drop(self.lists.insert((e.list, e.scope, e.subject))),
            Event::RestrictionRemoved(e) => drop(self.lists.remove(&(e.list, e.scope, e.subject))),
            Event::LocateSet(e) => drop(self.locates.insert((e.account_id, e.instrument_id), (e.qty, e.until))),
            Event::ShortSaleStateSet(e) if e.restricted => drop(self.price_test.insert(e.instrument_id)),
            Event::ShortSaleStateSet(e) => drop(self.price_test.remove(&e.instrument_id)),
            Event::SelfMatchRuleSet(e) if e.scope == Scope::Tenant && e.policy == SelfMatchPolicy::Off => {
                self.self_match.remove(&e.scope);
            }
            Event::SelfMatchRuleSet(e) => drop(self.self_match.insert(e.scope, e.policy)),
            Event::StrategyEnvelopeSet(e) => drop(self.strategies.insert(e.strategy, e.version)),
            Event::ThrottleTripped(e) => drop(self.off.insert(e.scope)),
            Event::ThrottleReset(e) => drop(self.off.remove(&e.scope)),
            Event::LimitRequired(e) if e.required => drop(self.required.insert(e.limit_type)),
            Event::LimitRequired(e) => drop(self.required.remove(&e.limit_type)),
            Event::KillSwitchEngaged(e) => drop(self.killed.entry(e.scope).or_insert(KillState::Engaging)),
            Event::KillSwitchReleased(e) => drop(self.killed.remove(&e.scope)),
            Event::KillSwitchConfirmed(e) => {
                let was = self.killed.insert(e.scope, KillState::Engaged);
                hold!(28, was == Some(KillState::Engaging), "the kill switch of {} is confirmed and was {was:?}", e.scope);
            }
            _ => (),
        }
    }

    fn sold(&mut self, event: &Event) {
        let short = |side: Side| matches!(side, Side::SellShort | Side::SellShortExempt);
        let (holding, qty) = match event {
            Event::ExecutionRecorded(e) if short(e.side) => ((e.account_id, e.instrument_id), e.last_qty),
            Event::ExecutionBusted(e) | Event::ExecutionWhacked(e) if short(e.side) => {
                ((e.account_id, e.instrument_id), e.last_qty.negated())
            }
            Event::ExecutionCorrected(e) if short(e.side) => ((e.account_id, e.instrument_id), e.last_qty.saturating_sub(e.old_qty)),
            Event::DayClosed(_) => return self.shorted.clear(),
            _ => return,
        };
        let sum = self.shorted.entry(holding).or_default();
        *sum = sum.saturating_add(qty).max(Qty::ZERO);
        if sum.is_zero() {
            self.shorted.remove(&holding);
        }
    }

    /// What the state says of the gate is what the log told.
    pub fn hold_in(&self, state: &State) {
        let parts = state.risk().parts();
        let limits: BTreeMap<_, _> = parts.limits.iter().map(|limit| (limit.key(), (limit.value, limit.version))).collect();
        hold!(6, limits == self.limits, "limits are {limits:?} and not {:?}", self.limits);
        for (key, version) in &self.versions {
            let next = state.risk().next_version(*key);
            hold!(6, next == version + 1, "the next version of {key:?} is {next}, the last one was {version}");
        }
        let lists: BTreeSet<_> = parts.restrictions.iter().map(|entry| (entry.list, entry.scope, entry.subject)).collect();
        hold!(6, lists == self.lists, "lists are {lists:?} and not {:?}", self.lists);
        let locates: BTreeMap<_, _> =
            parts.locates.iter().map(|locate| ((locate.account_id, locate.instrument_id), (locate.qty, locate.until))).collect();
        hold!(6, locates == self.locates, "locates are {locates:?} and not {:?}", self.locates);
        let price_test: BTreeSet<_> = parts.short_sale_restricted.iter().copied().collect();
        hold!(6, price_test == self.price_test, "the price test is for {price_test:?} and not {:?}", self.price_test);
        let self_match: BTreeMap<_, _> = parts.self_match.iter().map(|rule| (rule.scope, rule.policy)).collect();
        hold!(6, self_match == self.self_match, "rules for own orders are {self_match:?} and not {:?}", self.self_match);
        let strategies: BTreeMap<_, _> = parts.envelopes.iter().map(|envelope| (envelope.strategy, envelope.version)).collect();
        hold!(6, strategies == self.strategies, "strategies are {strategies:?} and not {:?}", self.strategies);
        let off: BTreeSet<_> = parts.tripped.iter().copied().collect();
        hold!(6, off == self.off, "{off:?} is off and not {:?}", self.off);
        let required: BTreeSet<_> = parts.required.iter().copied().collect();
        hold!(6, required == self.required, "{required:?} are required and not {:?}", self.required);
        let killed: BTreeMap<_, _> = parts.killed.iter().map(|one| (one.scope, one.killed.state)).collect();
        hold!(28, killed == self.killed, "kill switches are {killed:?} and not {:?}", self.killed);
        let overrides: BTreeMap<OverrideId, Override> = state.risk().overrides().map(|one| (one.override_id, one.clone())).collect();
        hold!(6, overrides == self.overrides, "overrides are {overrides:?} and not {:?}", self.overrides);
        hold!(6, state.risk().override_rule() == self.rule, "the rule of overrides is not {:?}", self.rule);
        let schedules: BTreeMap<_, _> = state.risk().schedules().map(|one| (one.schedule_id, *one)).collect();
        hold!(6, schedules == self.schedules, "scheduled are {schedules:?} and not {:?}", self.schedules);
        self.hold_working(state, &parts);
    }

    /// What works of each account in each instrument is what its orders reserve.
    fn hold_working(&self, state: &State, parts: &oms_risk::RiskParts) {
        let mut working: BTreeMap<Holding, [Qty; 4]> = BTreeMap::new();
        for entry in state.orders_sorted() {
            let (order, qty) = (&entry.order, entry.reserved().qty);
            if !order.is_root() || qty.is_zero() {
                continue;
            }
            let sums = working.entry((order.account_id, order.instrument_id)).or_default();
            let [buys, sells, shorts, _] = sums;
            let side = if order.side.is_buy() { buys } else { sells };
            *side = side.saturating_add(qty);
            if order.side.is_short() {
                *shorts = shorts.saturating_add(qty);
            }
        }
        for (holding, qty) in &self.shorted {
            let [.., shorted] = working.entry(*holding).or_default();
            *shorted = *qty;
        }
        let kept: BTreeMap<Holding, [Qty; 4]> = parts
            .holdings
            .iter()
            .map(|one| (one.account_id, one.instrument_id, one.held))
            .map(|(account, instrument, held)| ((account, instrument), [held.buy_qty, held.sell_qty, held.short_qty, held.shorted_qty]))
            .filter(|(_, sums)| *sums != [Qty::ZERO; 4])
            .collect();
        hold!(23, kept == working, "the gate counts {kept:?} and orders reserve {working:?}");
    }
}
