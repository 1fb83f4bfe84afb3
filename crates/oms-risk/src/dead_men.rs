//! Dead-man switches: how each stands, and which is due first.

use crate::book::RiskBook;
use oms_model::compliance::InFlightRule;
use oms_model::dead_man::{DeadMan, DeadManState};
use oms_model::event::{DeadManArmed, DeadManBeat};
use oms_model::limit::Scope;
use oms_model::{Seq, Time};
use std::collections::{BTreeMap, BTreeSet};

/// The most dead-man switches of a tenant.
pub const MAX_DEAD_MEN: usize = 256;

/// Every switch, and those that are armed by when they fire.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeadMen {
    all: BTreeMap<Scope, DeadMan>,
    due: BTreeSet<(Time, Scope)>,
}

impl DeadMen {
    /// Puts a switch in the place of what was there.
    pub(crate) fn put(&mut self, man: DeadMan) {
        self.take(man.scope);
        self.due.extend(man.due_at().map(|at| (at, man.scope)));
        self.all.insert(man.scope, man);
    }

    fn take(&mut self, scope: Scope) -> Option<DeadMan> {
        let known = self.all.remove(&scope)?;
        if let Some(at) = known.due_at() {
            self.due.remove(&(at, scope));
        }
        Some(known)
    }

    fn change(&mut self, scope: Scope, change: impl FnOnce(&mut DeadMan)) {
        if let Some(mut man) = self.take(scope) {
            change(&mut man);
            self.put(man);
        }
    }
}

impl RiskBook {
    /// Every dead-man switch, by scope.
    pub fn dead_men(&self) -> impl Iterator<Item = &DeadMan> {
        self.dead_men.all.values()
    }

    /// One dead-man switch.
    #[must_use]
    pub fn dead_man(&self, scope: Scope) -> Option<&DeadMan> {
        self.dead_men.all.get(&scope)
    }

    /// When the first of them fires, if no heartbeat comes.
    #[must_use]
    pub fn next_dead_man(&self) -> Option<Time> {
        self.dead_men.due.first().map(|(at, _)| *at)
    }

    /// Those that fire by `now`, the first one first.
    pub fn dead_men_due(&self, now: Time) -> impl Iterator<Item = &DeadMan> {
        let due = self.dead_men.due.iter().take_while(move |(at, _)| *at <= now);
        due.filter_map(|(_, scope)| self.dead_men.all.get(scope))
    }

    /// A switch was armed, or armed anew, which counts as a heartbeat.
    pub fn arm_dead_man(&mut self, armed: &DeadManArmed, now: Time) {
        let DeadManArmed { scope, timeout_s, action, user_id } = *armed;
        let man = DeadMan { scope, timeout_s, action, user_id, beat_at: now, state: DeadManState::Armed, ..DeadMan::default() };
        self.dead_men.put(man);
    }

    /// A heartbeat was recorded.
    pub fn beat_dead_man(&mut self, beat: &DeadManBeat) {
        self.dead_men.change(beat.scope, |man| man.beat_at = man.beat_at.max(beat.at));
    }

    /// A switch was taken away.
    pub fn disarm_dead_man(&mut self, scope: Scope) {
        self.dead_men.take(scope);
    }

    /// A switch fired.
    pub fn fire_dead_man(&mut self, scope: Scope, seq: Seq, now: Time) {
        self.dead_men.change(scope, |man| (man.state, man.fired_at, man.fired_seq) = (DeadManState::Fired, Some(now), seq));
    }

    /// What happens to the rest of an order that an execution took beyond a limit.
    #[must_use]
    pub fn in_flight_rule(&self) -> InFlightRule {
        self.in_flight_rule
    }

    /// That was decided.
    pub fn set_in_flight_rule(&mut self, rule: InFlightRule) {
        self.in_flight_rule = rule;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oms_model::dead_man::DeadManAction;
    use oms_model::{AccountId, UserId};

    fn armed(account: u128, timeout_s: u32) -> DeadManArmed {
        let scope = Scope::Account(AccountId::from_u128(account));
        DeadManArmed { scope, timeout_s, action: DeadManAction::Cancel, user_id: UserId::from_u128(1) }
    }

    fn at(seconds: i64) -> Time {
        Time(seconds * 1_000_000_000)
    }

    #[test]
    fn the_one_that_is_due_first_is_found_first_and_one_that_fired_is_due_no_more() {
        let mut book = RiskBook::default();
        book.arm_dead_man(&armed(1, 60), at(0));
        book.arm_dead_man(&armed(2, 10), at(5));
        assert_eq!(book.next_dead_man(), Some(at(15)));
        book.beat_dead_man(&DeadManBeat { scope: armed(2, 10).scope, at: at(12), by: None });
        assert_eq!(book.next_dead_man(), Some(at(22)));
        // A heartbeat that came earlier takes nothing back.
        book.beat_dead_man(&DeadManBeat { scope: armed(2, 10).scope, at: at(8), by: None });
        assert_eq!(book.dead_men_due(at(22)).map(|man| man.scope).collect::<Vec<_>>(), [armed(2, 10).scope]);
        book.fire_dead_man(armed(2, 10).scope, Seq(7), at(22));
        assert_eq!(book.next_dead_man(), Some(at(60)));
        assert_eq!(book.dead_man(armed(2, 10).scope).map(|man| (man.state, man.fired_at)), Some((DeadManState::Fired, Some(at(22)))));
        book.arm_dead_man(&armed(2, 10), at(30));
        assert_eq!(book.next_dead_man(), Some(at(40)));
        book.disarm_dead_man(armed(2, 10).scope);
        book.disarm_dead_man(armed(1, 60).scope);
        assert_eq!(book.next_dead_man(), None);
        assert_eq!(book.dead_men().count(), 0);
    }
}
