//! A position with what it is made of, so that a reversal, a correction or a late execution gives what would have been
//! had it come in its time.

mod strategies;

use super::Position;
use crate::amount::{Notional, Price, Qty};
use crate::ids::{AccountId, ExecId, InstrumentId, Mic, OrderId, Time};
use crate::instrument::Currency;
use crate::strategy::StrategyId;
use crate::terms::CostMethod;
use strategies::Shares;
pub use strategies::{StrategyBase, StrategyShare};

/// So many of the newest executions are booked again where one comes out of order; the ones before are summed up.
const WINDOW: usize = 64;

/// So many corrections of one execution are remembered.
const MAX_CORRECTIONS: usize = 32;

/// An execution as a position keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Booking {
    /// When, by the venue's clock. The first part of the canonical order.
    pub transact_time: Time,
    /// The venue's id of it, without the suffix of corrections.
    pub exec_id: ExecId,
    /// Where.
    pub venue: Mic,
    /// The order that was executed; the nil id where it was booked on an account alone.
    pub order_id: OrderId,
    /// Bought, not sold.
    pub is_buy: bool,
    /// How much.
    pub qty: Qty,
    /// At which price.
    pub price: Price,
    /// Charge; a rebate is negative.
    pub fee: Notional,
    /// The charge as the venue told it, in `commission_currency`. Told once more it is no news, whatever the rate is by then.
    pub commission: Notional,
    /// Set once a charge was told apart from the execution.
    pub commission_currency: Option<Currency>,
    /// Booked by a person, not told by a venue.
    pub manual: bool,
    /// An entry of the open day against one of a closed day. It cannot itself be reversed.
    pub against: bool,
    /// The venue's ids of its last corrections, the newest last. Told once more they are no news, whatever a person made of
    /// the figures since.
    pub corrections: Vec<ExecId>,
    /// The strategy that the client's order was sent for.
    pub strategy: Option<StrategyId>,
}

impl Booking {
    /// The canonical order: however executions arrive, they are folded in this one.
    fn key(&self) -> (Time, &ExecId, Mic, OrderId, bool) {
        (self.transact_time, &self.exec_id, self.venue, self.order_id, self.is_buy)
    }
    fn is(&self, exec_id: &ExecId, venue: Mic, order_id: Option<OrderId>) -> bool {
        !self.against && self.exec_id == *exec_id && self.venue == venue && order_id.is_none_or(|id| id == self.order_id)
    }
    /// Remembers a correction by the venue.
    pub fn corrected_by(&mut self, reference: &ExecId) {
        if self.corrections.len() == MAX_CORRECTIONS {
            self.corrections.remove(0);
        }
        self.corrections.push(reference.clone());
    }
    /// What takes it back, at `at`.
    #[must_use]
    pub fn reversed(&self, at: Time) -> Self {
        Self { is_buy: !self.is_buy, fee: self.fee.negated(), transact_time: at, against: true, ..self.clone() }
    }
}

/// Which day an execution was booked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Day {
    /// The one that is open: it can be taken out again.
    Open,
    /// The last one that was closed: what is frozen stays, and a reversal is an entry of the open day.
    Closed,
}

/// A position, the frozen one of the last closed day, and the executions since.
#[derive(Clone, Debug, Default)]
pub struct Holding {
    now: Position,
    base: Position,
    day: Vec<Booking>,
    closed: Vec<Booking>,
    // The base with the first `settled_len` executions of the day: a starting point that is near.
    settled: Position,
    settled_len: usize,
    shares: Shares,
}

/// Two holdings are equal where they hold the same, however they came about.
impl PartialEq for Holding {
    fn eq(&self, other: &Self) -> bool {
        (&self.now, &self.base, &self.day, &self.closed) == (&other.now, &other.base, &other.day, &other.closed)
            && self.strategies().eq(other.strategies())
    }
}

impl Eq for Holding {}

impl Holding {
    /// Nothing held yet.
    #[must_use]
    pub fn flat(account_id: AccountId, instrument_id: InstrumentId) -> Self {
        Self::from_parts(
            CostMethod::Fifo,
            Position { account_id, instrument_id, ..Position::default() },
            Vec::new(),
            Vec::new(),
            Vec::new(),
        )
    }

    /// From what was frozen, whole and by strategy, and what was booked since, in canonical order.
    #[must_use]
    pub fn from_parts(
        method: CostMethod,
        base: Position,
        day: Vec<Booking>,
        closed: Vec<Booking>,
        strategies: impl IntoIterator<Item = StrategyBase>,
    ) -> Self {
        let shares = Shares::of(strategies);
        let mut holding = Self { now: base.clone(), settled: base.clone(), base, day, closed, settled_len: 0, shares };
        holding.rebuild(method, 0);
        holding
    }

    /// The position as it stands.
    #[must_use]
    pub fn now(&self) -> &Position {
        &self.now
    }
    /// The position as the last closed day left it.
    #[must_use]
    pub fn base(&self) -> &Position {
        &self.base
    }
    /// The executions of the open day, in canonical order.
    #[must_use]
    pub fn day(&self) -> &[Booking] {
        &self.day
    }
    /// The executions of the last closed day that can still be reversed.
    #[must_use]
    pub fn closed(&self) -> &[Booking] {
        &self.closed
    }
    /// Whether nothing was ever booked that counts.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        let Position { account_id, instrument_id, .. } = self.base;
        self.day.is_empty() && self.closed.is_empty() && self.base == Position { account_id, instrument_id, ..Position::default() }
    }

    /// What each strategy's orders made of the position, and the orders of none; in the order of their names. A share is
    /// a position of its own with its own cost: what one strategy sold may close what another bought, which the whole
    /// position counts as realised and the shares do not yet. Quantities, fees and the sum of realised and unrealised
    /// profit at any price add up to those of the whole position.
    pub fn strategies(&self) -> impl Iterator<Item = StrategyShare<'_>> {
        let undivided = StrategyShare { strategy: None, now: &self.now, base: &self.base };
        self.shares.is_undivided().then_some(undivided).into_iter().chain(self.shares.all())
    }

    /// What each strategy's share was as the last closed day left it; nothing where no order was ever sent for one.
    pub fn strategy_bases(&self) -> impl Iterator<Item = StrategyBase> + '_ {
        self.shares.all().map(|share| StrategyBase { strategy: share.strategy, base: share.base.clone() })
    }

    /// The execution with this id, and whether its day is open. Looks at the newest first.
    #[must_use]
    pub fn find(&self, exec_id: &ExecId, venue: Mic, order_id: Option<OrderId>) -> Option<(&Booking, Day)> {
        let open = self.day.iter().rev().find(|booking| booking.is(exec_id, venue, order_id)).map(|booking| (booking, Day::Open));
        open.or_else(|| self.closed.iter().rev().find(|booking| booking.is(exec_id, venue, order_id)).map(|b| (b, Day::Closed)))
    }

    /// Books an execution in its place.
    pub fn book(&mut self, method: CostMethod, booking: Booking) {
        self.divide(booking.strategy);
        let at = match self.day.last() {
            Some(last) if booking.key() < last.key() => self.day.partition_point(|known| known.key() <= booking.key()),
            _ => self.day.len(),
        };
        if at == self.day.len() {
            self.now.book_by(method, booking.is_buy, booking.qty, booking.price, booking.fee);
            self.shares.book(method, &booking);
            self.day.push(booking);
            self.settle(method);
        } else {
            self.day.insert(at, booking);
            self.rebuild(method, at);
        }
    }

    /// Takes an execution back: out of the open day, or by an entry against the closed one. Whether it was there.
    pub fn reverse(&mut self, method: CostMethod, exec_id: &ExecId, venue: Mic, order_id: OrderId, now: Time) -> bool {
        if let Some(at) = self.day.iter().rposition(|booking| booking.is(exec_id, venue, Some(order_id))) {
            self.day.remove(at);
            self.rebuild(method, at);
            return true;
        }
        let Some(at) = self.closed.iter().rposition(|booking| booking.is(exec_id, venue, Some(order_id))) else { return false };
        let reversed = self.closed.remove(at).reversed(now);
        self.book(method, reversed);
        true
    }

    /// Replaces figures of an execution; of a closed day by an entry against it and a new one. Whether it was there.
    pub fn correct(&mut self, method: CostMethod, corrected: &Booking, now: Time) -> bool {
        let (exec_id, venue, order_id) = (&corrected.exec_id, corrected.venue, corrected.order_id);
        if let Some(at) = self.day.iter().rposition(|booking| booking.is(exec_id, venue, Some(order_id))) {
            if let Some(booking) = self.day.get_mut(at) {
                booking.clone_from(corrected);
            }
            self.rebuild(method, at);
            return true;
        }
        if let Some(old) = self.closed.iter_mut().rev().find(|booking| booking.is(exec_id, venue, Some(order_id)))
            && (old.qty, old.price) == (corrected.qty, corrected.price)
        {
            // A late charge moves no quantity.
            let fee = corrected.fee.saturating_sub(old.fee);
            old.clone_from(corrected);
            self.book(method, Booking { qty: Qty::ZERO, fee, transact_time: now, against: true, ..corrected.clone() });
            return true;
        }
        if !self.reverse(method, exec_id, venue, order_id, now) {
            return false;
        }
        self.book(method, Booking { transact_time: now, ..corrected.clone() });
        true
    }

    /// Freezes the position and begins a new day.
    pub fn close_day(&mut self) {
        self.base.clone_from(&self.now);
        self.settled.clone_from(&self.now);
        self.settled_len = 0;
        self.shares.close_day();
        self.closed = std::mem::take(&mut self.day);
    }

    /// Makes room for a strategy's share before its first execution is counted.
    fn divide(&mut self, strategy: Option<StrategyId>) {
        self.shares.divide(strategy, [&self.now, &self.base, &self.settled]);
    }

    /// Works the position out again after something changed at `at`.
    fn rebuild(&mut self, method: CostMethod, at: usize) {
        if at < self.settled_len {
            self.settled.clone_from(&self.base);
            self.settled_len = 0;
            self.shares.unsettle();
        }
        for at in at..self.day.len() {
            self.divide(self.day.get(at).and_then(|booking| booking.strategy));
        }
        self.settle(method);
        self.now.clone_from(&self.settled);
        self.shares.begin_at_settled();
        for booking in self.day.iter().skip(self.settled_len) {
            self.now.book_by(method, booking.is_buy, booking.qty, booking.price, booking.fee);
            self.shares.book(method, booking);
        }
    }

    /// Moves the near starting point on, so that about [`WINDOW`] executions lie behind it.
    fn settle(&mut self, method: CostMethod) {
        if self.day.len() < self.settled_len + 2 * WINDOW {
            return;
        }
        let to = self.day.len() - WINDOW;
        for booking in self.day.iter().take(to).skip(self.settled_len) {
            self.settled.book_by(method, booking.is_buy, booking.qty, booking.price, booking.fee);
            self.shares.settle(method, booking);
        }
        self.settled_len = to;
    }
}

#[cfg(test)]
mod tests;
