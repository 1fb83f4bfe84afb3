//! Dead-man switches, breakers, halts and what orders were told in flight, as the durable log says: a few lines that owe
//! nothing to the engine's own fold.

use crate::hold;
use oms_engine::State;
use oms_model::breaker::{BreakerAction, BreakerKind, BreakerState};
use oms_model::compliance::InFlightRule;
use oms_model::dead_man::DeadManState;
use oms_model::event::{Batch, Event, OrderCreated};
use oms_model::limit::{Check, Scope};
use oms_model::{EndedBy, IntentKind, OrderId, TradingState};
use std::collections::{BTreeMap, BTreeSet};

/// What stops trading by itself.
#[derive(Clone, Debug, Default)]
pub struct Controls {
    dead_men: BTreeMap<Scope, (DeadManState, u32)>,
    in_flight: InFlightRule,
    told: BTreeSet<(OrderId, Check)>,
    breakers: BTreeMap<(BreakerKind, Scope), (BreakerState, BreakerAction)>,
    states: BTreeMap<Scope, TradingState>,
    /// Scopes that an open breaker halts and no person has put on again since.
    halts: BTreeSet<Scope>,
    killed: BTreeSet<Scope>,
}

impl Controls {
    /// A batch was decided.
    pub fn decided(&mut self, batch: &Batch) {
        let mut created: BTreeMap<OrderId, &OrderCreated> = BTreeMap::new();
        for event in &batch.events {
            match event {
                Event::OrderCreated(e) if e.parent_order_id.is_none() => drop(created.insert(e.order_id, e)),
                Event::RiskChecked(e) if e.worst_price.is_some() => {
                    if let Some(order) = created.get(&e.order_id) {
                        self.hold_let_in(order);
                    }
                }
                Event::OrderSent(e) if e.intent == IntentKind::New => {
                    let halted = [Scope::Tenant, Scope::Venue(e.venue)].into_iter().find(|scope| self.halts.contains(scope));
                    hold!(28, halted.is_none(), "{} is sent to {} and a breaker halts {halted:?}", e.order_id, e.venue);
                }
                Event::RiskBreached(e) => {
                    hold!(24, self.told.insert((e.order_id, e.check)), "order {} is told twice that it breaks {}", e.order_id, e.check);
                    let canceled = |event: &Event| matches!(event, Event::OrderCancelRequested(c) if c.order_id == e.order_id && c.by == EndedBy::Risk);
                    let cancels = batch.events.iter().any(canceled);
                    hold!(24, !e.cancels || cancels, "order {} breaks {} and is not canceled with it", e.order_id, e.check);
                    let as_ruled = e.cancels == (!e.soft && self.in_flight == InFlightRule::Cancel);
                    hold!(24, as_ruled, "order {} breaks {} under the rule {}", e.order_id, e.check, self.in_flight);
                }
                Event::OrderClosed(e) => self.told.retain(|(order_id, _)| *order_id != e.order_id),
                other => self.changed(other),
            }
        }
    }

    fn changed(&mut self, event: &Event) {
        match event {
            Event::InFlightRuleSet(e) => self.in_flight = e.rule,
            Event::DeadManArmed(e) => drop(self.dead_men.insert(e.scope, (DeadManState::Armed, e.timeout_s))),
            Event::DeadManDisarmed(e) => drop(self.dead_men.remove(&e.scope)),
            Event::DeadManFired(e) => {
                let was = self.dead_men.insert(e.scope, (DeadManState::Fired, e.timeout_s));
                let armed = was == Some((DeadManState::Armed, e.timeout_s));
                hold!(28, armed, "the dead-man switch of {} fires and was {was:?}", e.scope);
            }
            Event::BreakerSet(e) => {
                self.breakers.insert((e.kind, e.scope), (BreakerState::Closed, e.action));
                self.settle(e.scope);
            }
            Event::BreakerRemoved(e) => {
                self.breakers.remove(&(e.kind, e.scope));
                self.settle(e.scope);
            }
            Event::BreakerMoved(e) => {
                if let Some((state, action)) = self.breakers.get_mut(&(e.kind, e.scope)) {
                    *state = e.state;
                    if (e.state, *action) == (BreakerState::Open, BreakerAction::Halted) {
                        self.halts.insert(e.scope);
                    }
                }
                self.settle(e.scope);
            }
            Event::TradingStateSet(e) => {
                self.states.insert(e.scope, e.state);
                if !e.by_breaker {
                    self.halts.remove(&e.scope);
                }
                let halted = !self.halts.contains(&e.scope) || e.state == TradingState::Halted;
                hold!(28, halted, "{} is {} and an open breaker halts it", e.scope, e.state);
            }
            Event::KillSwitchEngaged(e) => drop(self.killed.insert(e.scope)),
            Event::KillSwitchReleased(e) => drop(self.killed.remove(&e.scope)),
            _ => (),
        }
    }

    /// What no open breaker halts any more is halted by none.
    fn settle(&mut self, scope: Scope) {
        let halts = |(key, standing): (&(BreakerKind, Scope), &(BreakerState, BreakerAction))| {
            key.1 == scope && *standing == (BreakerState::Open, BreakerAction::Halted)
        };
        if !self.breakers.iter().any(halts) {
            self.halts.remove(&scope);
        }
    }

    fn hold_let_in(&self, order: &OrderCreated) {
        let strategy = order.compliance.as_deref().and_then(|said| said.strategy);
        let venue = order.routing.as_deref().and_then(|routing| routing.venue);
        let covers = |scope: &&Scope| match **scope {
            Scope::Tenant => true,
            Scope::Account(id) => id == order.account_id,
            Scope::User(id) => id == order.user_id,
            Scope::Instrument(id) => id == order.instrument_id,
            Scope::Strategy(id) => Some(id) == strategy,
            Scope::Venue(mic) => Some(mic) == venue,
            Scope::AssetClass(class) => class == oms_model::AssetClass::Equity,
        };
        let halt = self.halts.iter().find(covers);
        hold!(28, halt.is_none(), "order {} passed the gate and an open breaker halts {halt:?}", order.order_id);
        let kill = self.killed.iter().find(covers);
        hold!(28, kill.is_none(), "order {} passed the gate and the kill switch of {kill:?} is engaged", order.order_id);
    }

    /// What happens to the rest of an order beyond a limit.
    pub fn in_flight(&self) -> InFlightRule {
        self.in_flight
    }

    /// Every dead-man switch.
    pub fn dead_men(&self) -> impl Iterator<Item = Scope> + '_ {
        self.dead_men.keys().copied()
    }

    /// Those that wait for heartbeats, with their timeouts.
    pub fn armed(&self) -> impl Iterator<Item = (Scope, u32)> + '_ {
        self.dead_men.iter().filter(|(_, (state, _))| *state == DeadManState::Armed).map(|(scope, (_, timeout_s))| (*scope, *timeout_s))
    }

    /// Breakers that have tripped.
    pub fn open_breakers(&self) -> impl Iterator<Item = (BreakerKind, Scope)> + '_ {
        self.breakers.iter().filter(|(_, (state, _))| *state != BreakerState::Closed).map(|(key, _)| *key)
    }

    /// What the state says is what the log told.
    pub fn hold_in(&self, state: &State) {
        let risk = state.risk();
        let men: BTreeMap<_, _> = risk.dead_men().map(|man| (man.scope, (man.state, man.timeout_s))).collect();
        hold!(6, men == self.dead_men, "dead-man switches are {men:?} and not {:?}", self.dead_men);
        hold!(6, risk.in_flight_rule() == self.in_flight, "the rule in flight is {} and not {}", risk.in_flight_rule(), self.in_flight);
        let breakers: BTreeMap<_, _> =
            risk.breakers().map(|one| ((one.breaker.kind, one.breaker.scope), (one.state, one.breaker.action))).collect();
        hold!(6, breakers == self.breakers, "breakers are {breakers:?} and not {:?}", self.breakers);
        for (scope, wanted) in &self.states {
            let found = risk.trading_state(*scope);
            hold!(6, found == *wanted, "the trading state of {scope} is {found} and not {wanted}");
        }
    }
}
