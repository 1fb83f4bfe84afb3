//! Breakers: how each stands, and what it has counted.

use crate::book::RiskBook;
use oms_model::breaker::{Breaker, BreakerAction, BreakerKind, BreakerState};
use oms_model::limit::Scope;
use oms_model::{Decimal, Mic, Notional, Time, TradingState};
use std::collections::VecDeque;

/// The most breakers of a tenant.
pub const MAX_BREAKERS: usize = 256;
/// The most that a breaker counts within its window, and so the largest threshold of a count.
pub const MAX_COUNT: usize = 10_000;

/// A breaker with how it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// As it is set.
    pub breaker: Breaker,
    /// How it stands.
    pub state: BreakerState,
    /// Since when.
    pub since: Time,
    /// When what it counts happened, oldest first.
    pub times: VecDeque<Time>,
}

impl Standing {
    fn count(&mut self, now: Time) {
        if self.times.len() == MAX_COUNT {
            self.times.pop_front();
        }
        self.times.push_back(now);
        while self.times.front().is_some_and(|at| now.since(*at) >= self.window_ns()) {
            self.times.pop_front();
        }
    }

    fn window_ns(&self) -> i64 {
        i64::from(self.breaker.window_s) * 1_000_000_000
    }

    /// What it has counted within its window.
    #[must_use]
    pub fn counted(&self, now: Time) -> Decimal {
        let within = self.times.iter().rev().take_while(|at| now.since(**at) < self.window_ns()).count();
        Decimal::from_count(within as u64)
    }

    /// Whether it has stood like this for as long as it waits before it tries again.
    #[must_use]
    pub fn has_waited(&self, now: Time) -> bool {
        self.breaker.probe_after_s > 0 && now.since(self.since) >= i64::from(self.breaker.probe_after_s) * 1_000_000_000
    }
}

/// The trading state that an open breaker asks for.
#[must_use]
pub const fn asked(action: BreakerAction) -> TradingState {
    match action {
        BreakerAction::Alert | BreakerAction::Kill => TradingState::Active,
        BreakerAction::Reducing => TradingState::Reducing,
        BreakerAction::Halted => TradingState::Halted,
    }
}

impl RiskBook {
    /// Every breaker, by kind and scope.
    pub fn breakers(&self) -> impl Iterator<Item = &Standing> {
        self.breakers.values()
    }

    /// One breaker.
    #[must_use]
    pub fn breaker(&self, kind: BreakerKind, scope: Scope) -> Option<&Standing> {
        self.breakers.get(&(kind, scope))
    }

    /// A breaker was set: it watches from now on.
    pub fn set_breaker(&mut self, breaker: &Breaker, now: Time) {
        let standing = Standing { breaker: *breaker, state: BreakerState::Closed, since: now, times: VecDeque::new() };
        self.breakers.insert((breaker.kind, breaker.scope), standing);
    }

    /// A breaker was taken away.
    pub fn remove_breaker(&mut self, kind: BreakerKind, scope: Scope) {
        self.breakers.remove(&(kind, scope));
    }

    /// A breaker moved. What led to it counts no more.
    pub fn move_breaker(&mut self, kind: BreakerKind, scope: Scope, state: BreakerState, now: Time) {
        if let Some(standing) = self.breakers.get_mut(&(kind, scope)) {
            (standing.state, standing.since) = (state, now);
            standing.times.clear();
        }
    }

    /// The trading state that a scope has without the breakers that are calm: what a person last set, or what one that is
    /// open asks for, where that is stricter.
    #[must_use]
    pub fn calm_state(&self, scope: Scope) -> TradingState {
        let person = self.scope(scope).map_or(TradingState::Active, |book| book.person_state);
        let open = self.breakers.values().filter(|one| one.breaker.scope == scope && one.state == BreakerState::Open);
        open.map(|one| asked(one.breaker.action)).fold(person, Ord::max)
    }

    /// A venue refused an order, or lost its session.
    pub fn on_trouble(&mut self, kind: BreakerKind, venue: Mic, now: Time) {
        for scope in [Scope::Tenant, Scope::Venue(venue)] {
            if let Some(standing) = self.breakers.get_mut(&(kind, scope)) {
                standing.count(now);
            }
        }
    }

    /// What a scope has lost since the last close of the day; below zero where it has won.
    #[must_use]
    pub fn day_loss(&self, scope: Scope) -> Notional {
        let sums = self.scope(scope).map_or(crate::holdings::Sums::NONE, |book| book.sums);
        Notional::from_raw(sums.day_start.saturating_sub(sums.pnl))
    }
}
