//! What the orders of each strategy made of a position.
//!
//! A strategy's profit must come out of the same executions as the account's, and follow every bust, correction, late
//! execution and closed day as the account's does. So a holding books what it books once more in the share of the
//! strategy, at the same place of the same canonical order, and shares are never folded on their own. A position that no
//! strategy ever traded keeps no shares and pays nothing.

use super::{Booking, Position};
use crate::strategy::StrategyId;
use crate::terms::CostMethod;

/// A strategy's share of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StrategyShare<'a> {
    /// Whose; `None` for the orders of none.
    pub strategy: Option<StrategyId>,
    /// As it stands.
    pub now: &'a Position,
    /// As the last closed day left it.
    pub base: &'a Position,
}

/// A strategy's share of a position as the last closed day left it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StrategyBase {
    /// Whose; `None` for the orders of none.
    pub strategy: Option<StrategyId>,
    /// The share; it names the account and the instrument.
    pub base: Position,
}

#[derive(Clone, Debug)]
struct Share {
    strategy: Option<StrategyId>,
    now: Position,
    base: Position,
    // As `Holding::settled`, and at the same place.
    settled: Position,
}

impl Share {
    fn is_blank(&self) -> bool {
        let Position { account_id, instrument_id, .. } = self.base;
        let flat = Position { account_id, instrument_id, ..Position::default() };
        self.now == flat && self.base == flat
    }
}

/// The shares of a position, by the strategies' names; none where only orders of no strategy were ever executed. There
/// are never more than strategies that have bounds, since the gate refuses the orders of any other.
#[derive(Clone, Debug, Default)]
pub(super) struct Shares(Vec<Share>);

impl Shares {
    pub(super) fn of(bases: impl IntoIterator<Item = StrategyBase>) -> Self {
        let share = |StrategyBase { strategy, base }| Share { strategy, now: base.clone(), settled: base.clone(), base };
        let mut shares: Vec<Share> = bases.into_iter().map(share).collect();
        shares.sort_unstable_by_key(|share| share.strategy);
        Self(shares)
    }

    pub(super) fn is_undivided(&self) -> bool {
        !self.0.iter().any(|share| share.strategy.is_some() && !share.is_blank())
    }

    /// Every share that anything was ever booked in; nothing where the position is not divided.
    pub(super) fn all(&self) -> impl Iterator<Item = StrategyShare<'_>> {
        let shares = if self.is_undivided() { &[] } else { self.0.as_slice() };
        let counts = |share: &&Share| !share.is_blank();
        shares.iter().filter(counts).map(|share| StrategyShare { strategy: share.strategy, now: &share.now, base: &share.base })
    }

    /// Makes room for the share of `strategy`. Until there is a first one, the whole position is the share of none.
    pub(super) fn divide(&mut self, strategy: Option<StrategyId>, [now, base, settled]: [&Position; 3]) {
        if self.0.is_empty() {
            if strategy.is_none() {
                return;
            }
            self.0.push(Share { strategy: None, now: now.clone(), base: base.clone(), settled: settled.clone() });
        }
        if let Err(at) = self.0.binary_search_by_key(&strategy, |share| share.strategy) {
            let flat = Position { account_id: base.account_id, instrument_id: base.instrument_id, ..Position::default() };
            self.0.insert(at, Share { strategy, now: flat.clone(), base: flat.clone(), settled: flat });
        }
    }

    fn share(&mut self, strategy: Option<StrategyId>) -> Option<&mut Share> {
        let at = self.0.binary_search_by_key(&strategy, |share| share.strategy).ok();
        assert!(at.is_some() || self.0.is_empty(), "a share is made before it is booked in");
        at.and_then(|at| self.0.get_mut(at))
    }

    pub(super) fn book(&mut self, method: CostMethod, booking: &Booking) {
        if let Some(share) = self.share(booking.strategy) {
            share.now.book_by(method, booking.is_buy, booking.qty, booking.price, booking.fee);
        }
    }

    pub(super) fn settle(&mut self, method: CostMethod, booking: &Booking) {
        if let Some(share) = self.share(booking.strategy) {
            share.settled.book_by(method, booking.is_buy, booking.qty, booking.price, booking.fee);
        }
    }

    pub(super) fn unsettle(&mut self) {
        self.0.iter_mut().for_each(|share| share.settled.clone_from(&share.base));
    }

    pub(super) fn begin_at_settled(&mut self) {
        self.0.iter_mut().for_each(|share| share.now.clone_from(&share.settled));
    }

    pub(super) fn close_day(&mut self) {
        for share in &mut self.0 {
            share.base.clone_from(&share.now);
            share.settled.clone_from(&share.now);
        }
    }
}
