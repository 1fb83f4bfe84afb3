//! Live controls: dead-man switches, breakers, and limits that are lowered under what works.

use super::World;
use crate::fixture::{ACCOUNT, USER, VENUES, dec};
use crate::hold;
use crate::simulator::rng::Rng;
use oms_engine::State;
use oms_model::breaker::{Breaker, BreakerAction, BreakerKind};
use oms_model::command::{Command, CommandOutcome, RiskCommand};
use oms_model::compliance::InFlightRule;
use oms_model::dead_man::DeadManAction;
use oms_model::event::{Batch, Event};
use oms_model::limit::{Check, LimitKey, LimitType, RiskLimit, Scope};
use oms_model::{Decimal, Notional, OrderKind, Pending, Qty, Seq, StrategyId, Time};
use std::collections::BTreeMap;

/// What clients know of their dead-man switches: when the desk last answered a heartbeat.
#[derive(Default)]
pub(super) struct Controls {
    beats: BTreeMap<Scope, Time>,
    /// Switches that fired, whose orders are to be canceled before timers come to rest.
    fired: Vec<(Scope, Seq)>,
}

impl World {
    pub(super) fn control(&mut self, rng: &mut Rng) {
        let scope = rng.pick(&[Scope::Account(ACCOUNT), Scope::User(USER), Scope::Strategy(StrategyId::of(b"MM-1"))]);
        let known: Vec<Scope> = self.gate.controls.dead_men().collect();
        let armed = if known.is_empty() { scope } else { rng.pick(&known) };
        let reason = "drill".to_owned();
        let breaker = breaker(rng);
        let open: Vec<(BreakerKind, Scope)> = self.gate.controls.open_breakers().collect();
        if rng.chance(120) {
            return self.band(rng);
        }
        let command = match rng.below(14) {
            0 | 1 => {
                let action = rng.pick(&[DeadManAction::Cancel, DeadManAction::Cancel, DeadManAction::Kill]);
                RiskCommand::ArmDeadMan { scope, timeout_s: rng.pick(&[1, 2, 4, 60]), action }
            }
            2..=4 => RiskCommand::BeatDeadMan { scope: armed },
            5 => RiskCommand::DisarmDeadMan { scope: armed },
            6 => RiskCommand::SetInFlightRule(rng.pick(&[InFlightRule::Cancel, InFlightRule::Cancel, InFlightRule::Record])),
            7 | 8 => RiskCommand::SetBreaker(breaker),
            9 => match open.first() {
                Some((kind, scope)) => RiskCommand::CloseBreaker { kind: *kind, scope: *scope, reason },
                None => RiskCommand::SetBreaker(breaker),
            },
            10 => RiskCommand::RemoveBreaker { kind: breaker.kind, scope: breaker.scope },
            _ => {
                let (limit_type, value) = rng.pick(&[
                    (LimitType::MaxPositionQty, "100"),
                    (LimitType::MaxPositionQty, "400"),
                    (LimitType::BuyingPower, "3000"),
                    (LimitType::DailyLoss, "0.5"),
                ]);
                let scope = rng.pick(&[Scope::Tenant, Scope::Account(ACCOUNT)]);
                let command = if rng.chance(350) {
                    Command::RemoveRiskLimit(LimitKey::hard(limit_type, scope))
                } else {
                    Command::SetRiskLimit(RiskLimit { limit_type, scope, value: dec(value), ..RiskLimit::default() })
                };
                return self.ask(command, rng);
            }
        };
        self.ask(Command::Risk(Box::new(command)), rng);
    }

    /// A client that armed a switch is mostly there while time passes.
    pub(super) fn keep_alive(&mut self, rng: &mut Rng) {
        let armed: Vec<Scope> = self.gate.controls.armed().map(|(scope, _)| scope).collect();
        if !armed.is_empty() && rng.chance(600) {
            let scope = rng.pick(&armed);
            self.ask(Command::Risk(Box::new(RiskCommand::BeatDeadMan { scope })), rng);
        }
    }

    /// What is known of prices: bands, and a prior close from which the market has fallen, or not.
    fn band(&mut self, rng: &mut Rng) {
        let symbol = rng.pick(&["XYZ", "ABC"]).parse().unwrap_or_default();
        let until = rng.chance(700).then(|| self.now.plus(1 << (30 + rng.below(8))));
        let command = match rng.below(4) {
            0 | 1 => {
                RiskCommand::SetPriceBand { symbol, lower: dec(rng.pick(&["19.95", "19"])), upper: dec(rng.pick(&["20.05", "21"])), until }
            }
            2 => RiskCommand::RemovePriceBand { symbol },
            _ => RiskCommand::SetPriorClose { symbol, price: dec(rng.pick(&["20", "20", "25"])) },
        };
        self.ask(Command::Risk(Box::new(command)), rng);
    }

    /// A heartbeat, or the arming of a switch, was taken.
    pub(super) fn took(&mut self, command: &Command, outcome: Option<&CommandOutcome>) {
        let (Command::Risk(command), Some(CommandOutcome::Done)) = (command, outcome) else { return };
        if let RiskCommand::ArmDeadMan { scope, .. } | RiskCommand::BeatDeadMan { scope } = &**command {
            self.controls.beats.insert(*scope, self.now);
        }
    }

    /// The process has recovered: no heartbeat could reach it.
    pub(super) fn unreachable(&mut self) {
        let now = self.now;
        self.controls.beats.values_mut().for_each(|at| *at = now);
        let state = self.node.as_ref().map(|node| node.engine.state());
        let men = state.into_iter().flat_map(|state| state.risk().dead_men());
        let fired = men.filter(|man| man.fired_at.is_some() && man.action == DeadManAction::Cancel);
        self.controls.fired = fired.map(|man| (man.scope, man.fired_seq)).collect();
    }

    /// No switch fires before its whole timeout was silent.
    pub(super) fn hold_fired(&mut self, batch: &Batch) {
        for (seq, event) in batch.numbered() {
            let Event::DeadManFired(e) = event else { continue };
            let last = self.controls.beats.get(&e.scope).copied().unwrap_or(e.beat_at);
            let silent = batch.time.since(last);
            let wanted = i64::from(e.timeout_s) * 1_000_000_000;
            hold!(28, silent >= wanted, "the dead-man switch of {} fires {silent} ns after a heartbeat", e.scope);
            if e.action == DeadManAction::Cancel {
                self.controls.fired.push((e.scope, seq));
            }
        }
    }

    /// Timers are at rest: whoever was silent for too long has fired, and what a switch was to cancel is on its way out.
    pub(super) fn hold_dead_men(&mut self) {
        let Some(node) = self.node.as_ref() else { return };
        let state = node.engine.state();
        for (scope, timeout_s) in self.gate.controls.armed() {
            let Some(last) = self.controls.beats.get(&scope) else { continue };
            let due = last.plus(i64::from(timeout_s) * 1_000_000_000);
            hold!(28, due > self.now, "the dead-man switch of {scope} was due at {} and has not fired", due.0);
        }
        for (scope, seq) in std::mem::take(&mut self.controls.fired) {
            let works = |order: &oms_model::Order| {
                order.is_root() && order.created_seq < seq && !order.state.is_done() && order.pending != Pending::Cancel
            };
            let left = state.orders_sorted().into_iter().find(|entry| works(&entry.order) && state.is_in(&entry.order, scope));
            let left = left.map(|entry| entry.order.order_id);
            hold!(28, left.is_none(), "the dead-man switch of {scope} fired at {} and {left:?} works on", seq.0);
        }
    }

    /// What is left of an order after an execution is within what bounds positions and money, or on its way out.
    pub(super) fn hold_rest(&self, state: &State, batch: &Batch) {
        if self.gate.controls.in_flight() != InFlightRule::Cancel {
            return;
        }
        for event in &batch.events {
            let Event::OrderPartiallyFilled(e) = event else { continue };
            let Some(entry) = state.entry(e.order_id).filter(|entry| entry.order.is_root()) else { continue };
            let order = &entry.order;
            let ends = order.state.is_done() || order.pending == Pending::Cancel;
            if ends || order.kind() == OrderKind::Group || entry.reserved().is_empty() {
                continue;
            }
            let position = state.position(order.account_id, order.instrument_id).map_or(Qty::ZERO, |position| position.qty);
            let (buys, sells) = state.risk().working_qty(order.account_id, order.instrument_id);
            let rest = entry.reserved().qty;
            let (with, without) = if order.side.is_buy() {
                (position.saturating_add(buys), position.saturating_add(buys).saturating_sub(rest))
            } else {
                (position.saturating_sub(sells), position.saturating_sub(sells).saturating_add(rest))
            };
            let named = order.extras.compliance.as_deref().map_or(&[][..], |said| &said.override_ids);
            let by_leave = |check: Check| state.risk().is_overridden(order.order_id, named, check, batch.time);
            for scope in [Scope::Tenant, Scope::Account(order.account_id), Scope::Instrument(order.instrument_id)] {
                let id = order.order_id;
                if let Some(limit) = state.risk().limit(LimitType::MaxPositionQty, scope).filter(|_| !by_leave(Check::PositionQty)) {
                    let within = Decimal::from(with.abs()) <= limit.value || with.abs() <= without.abs();
                    hold!(24, within, "the rest of order {id} takes the position to {with}, at most {} may be", limit.value);
                }
                let reduces = with.abs() < without.abs() && (with.is_zero() || with.is_positive() == without.is_positive());
                if let Some(limit) = state.risk().limit(LimitType::DailyLoss, scope).filter(|_| !reduces && !by_leave(Check::DailyLoss)) {
                    let loss = state.risk().day_loss(scope);
                    let most = limit.value.to_notional().unwrap_or(Notional::MAX);
                    hold!(24, loss <= most, "order {id} works on after a loss of {loss}, at most {most} may be");
                }
            }
        }
    }
}

fn breaker(rng: &mut Rng) -> Breaker {
    let venue = Scope::Venue(rng.pick(&VENUES));
    let (kind, scope, threshold) = rng.pick(&[
        (BreakerKind::RejectStorm, Scope::Tenant, "0"),
        (BreakerKind::RejectStorm, venue, "1"),
        (BreakerKind::Disconnect, Scope::Tenant, "0"),
        (BreakerKind::Disconnect, venue, "0"),
        (BreakerKind::Loss, Scope::Tenant, "0.5"),
        (BreakerKind::Loss, Scope::Account(ACCOUNT), "0.5"),
        (BreakerKind::Latency, venue, "1"),
    ]);
    let action =
        rng.pick(&[BreakerAction::Halted, BreakerAction::Halted, BreakerAction::Reducing, BreakerAction::Alert, BreakerAction::Kill]);
    let (window_s, probe_after_s) = (rng.pick(&[1, 10]), rng.pick(&[0, 1, 1, 5]));
    Breaker { kind, scope, threshold: dec(threshold), window_s, action, probe_after_s, version: 0 }
}
