//! Folding what was executed: holdings, reversals, rates and days.

use super::{MAX_SUSPENSE, Part, State};
use oms_model::event::{
    CommissionRecorded, DayClosed, ExecutionCorrected, ExecutionRecorded, ExecutionReversed, ExecutionUnmatched, FxRateSet,
    SuspenseResolved,
};
use oms_model::instrument::Currency;
use oms_model::position::{Booking, Day, Holding, Position};
use oms_model::{AccountId, CostMethod, Decimal, Event, ExecId, InstrumentId, Mic, Order, OrderId, Qty, StrategyId, Time};

/// A recorded rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FxRate {
    /// Of this currency.
    pub from: Currency,
    /// In this one.
    pub to: Currency,
    /// One unit of `from` in units of `to`.
    pub rate: Decimal,
    /// Since when it holds.
    pub at: Time,
}

/// Reading.
impl State {
    /// Whether a person decided that an execution is not ours; of the last [`MAX_SUSPENSE`] decisions.
    #[must_use]
    pub fn is_dismissed(&self, venue: Mic, exec_id: &ExecId) -> bool {
        self.dismissed.iter().any(|known| known.venue == venue && known.exec_id == *exec_id)
    }
    /// What persons decided to book nowhere, the last [`MAX_SUSPENSE`] of it, oldest first.
    pub fn dismissals(&self) -> impl Iterator<Item = &ExecutionUnmatched> {
        self.dismissed.iter()
    }
    /// A position; `None` where nothing was ever executed.
    #[must_use]
    pub fn position(&self, account: AccountId, instrument: InstrumentId) -> Option<&Position> {
        self.holding(account, instrument).map(Holding::now)
    }
    /// Every position, by account and instrument.
    pub fn positions(&self) -> impl Iterator<Item = &Position> {
        self.holdings.values().map(|holding| holding.now())
    }
    /// A position with what it is made of.
    #[must_use]
    pub fn holding(&self, account: AccountId, instrument: InstrumentId) -> Option<&Holding> {
        self.holdings.get(&(account, instrument)).map(|holding| &**holding)
    }
    /// Every position with what it is made of, by account and instrument, from behind `after`.
    pub fn holdings_after(&self, after: Option<(AccountId, InstrumentId)>) -> impl Iterator<Item = &Holding> {
        let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        self.holdings.range((from, std::ops::Bound::Unbounded)).map(|(_, holding)| &**holding)
    }
    /// Where an execution of an order that left the hot state was booked. Looks at everything; only for what is rare.
    pub(crate) fn find_execution(&self, exec_id: &ExecId, venue: Mic) -> Option<(AccountId, InstrumentId, &Booking, Day)> {
        self.holdings.iter().find_map(|(&(account, instrument), holding)| {
            let (booking, day) = holding.find(exec_id, venue, None)?;
            Some((account, instrument, booking, day))
        })
    }
    /// How realised profit is worked out.
    #[must_use]
    pub fn cost_method(&self) -> CostMethod {
        self.cost_method
    }
    /// The rate from one currency to another: one where they are the same, the recorded one, or the reciprocal of the
    /// recorded one rounded down at 10^-9.
    #[must_use]
    pub fn fx_rate(&self, from: Currency, to: Currency) -> Option<Decimal> {
        const ONE: u128 = oms_model::amount::ONE as u128;
        if from == to {
            return Some(Decimal::from_count(1));
        }
        if let Some(known) = self.fx_rates.get(&(from, to)) {
            return Some(known.rate);
        }
        let known = self.fx_rates.get(&(to, from))?.rate.raw().unsigned_abs();
        let (reciprocal, _) = oms_model::amount::mul_div(ONE, ONE, known)?;
        i128::try_from(reciprocal).ok().filter(|raw| *raw > 0).map(Decimal::from_raw)
    }
    /// Every recorded rate, by currencies.
    pub fn fx_rates(&self) -> impl Iterator<Item = &FxRate> {
        self.fx_rates.values()
    }
    /// The last day that was closed, as a number like 20261121, and when; zeros before the first.
    #[must_use]
    pub fn last_close(&self) -> (u32, Time) {
        (self.closed_day, self.closed_at)
    }
    /// Orders that were executed beyond what was ordered, by id.
    pub fn overfilled(&self) -> impl Iterator<Item = OrderId> + '_ {
        self.overfilled.iter().copied()
    }
    /// The number that the next client order created at `now` takes on its day.
    pub(crate) fn next_number(&self, now: Time) -> u32 {
        if now.day() == self.number_day { self.number.saturating_add(1) } else { 1 }
    }
}

/// Folding.
impl State {
    pub(super) fn numbered(&mut self, number: u32, time: Time) {
        if number > 0 {
            self.number = number;
            self.number_day = time.day();
        }
    }

    pub(super) fn executed(&mut self, event: &Event, e: &ExecutionRecorded, time: Time) {
        self.remember_exec(e.order_id, &e.exec_id);
        self.on_booked(e.order_id, event, time);
        let (method, strategy) = (self.cost_method, self.strategy_of(e.root_order_id));
        self.holding_mut(e.account_id, e.instrument_id).book(
            method,
            Booking {
                transact_time: e.transact_time,
                exec_id: e.exec_id.clone(),
                venue: e.venue,
                order_id: e.order_id,
                is_buy: e.side.is_buy(),
                qty: e.last_qty,
                price: e.last_px,
                fee: e.fee,
                manual: e.manual,
                strategy,
                ..Booking::default()
            },
        );
        self.executed_at(e);
    }

    pub(super) fn reversed(&mut self, event: &Event, e: &ExecutionReversed, time: Time) {
        self.remember_exec(e.order_id, &e.exec_id);
        if let Some(reference) = &e.reference {
            self.remember_exec(e.order_id, reference);
        }
        if e.last_qty.is_zero() {
            return;
        }
        self.on_booked(e.order_id, event, time);
        let key = (e.account_id, e.instrument_id);
        let method = self.cost_method;
        let holding = self.holding_mut(e.account_id, e.instrument_id);
        let was_there = holding.reverse(method, &e.exec_id, e.venue, e.order_id, time);
        assert!(was_there, "only what was booked is taken back: {}", e.exec_id);
        if holding.is_blank() {
            self.holdings.remove(&key);
        }
        self.revalue(e.account_id, e.instrument_id);
        let value = self.risk_value(e.instrument_id, e.last_px, e.last_qty);
        self.traded(e.root_order_id, key, e.side, e.last_qty.negated(), value.negated());
    }

    pub(super) fn corrected(&mut self, event: &Event, e: &ExecutionCorrected, time: Time) {
        if let Some(reference) = &e.reference {
            self.remember_exec(e.order_id, reference);
        }
        self.on_booked(e.order_id, event, time);
        self.rebook(e.account_id, e.instrument_id, (&e.exec_id, e.venue, e.order_id), time, |booking| {
            let mut corrected = Booking { qty: e.last_qty, price: e.last_px, fee: e.fee, ..booking };
            if let Some(reference) = &e.reference {
                corrected.corrected_by(reference);
            }
            corrected
        });
        let (old, new) = (self.risk_value(e.instrument_id, e.old_px, e.old_qty), self.risk_value(e.instrument_id, e.last_px, e.last_qty));
        let qty = e.last_qty.saturating_sub(e.old_qty);
        self.traded(e.root_order_id, (e.account_id, e.instrument_id), e.side, qty, new.saturating_sub(old));
    }

    pub(super) fn commissioned(&mut self, e: &CommissionRecorded, time: Time) {
        let (fee, commission, commission_currency) = (e.fee, e.commission, Some(e.currency));
        let charged = |booking| Booking { fee, commission, commission_currency, ..booking };
        self.rebook(e.account_id, e.instrument_id, (&e.exec_id, e.venue, e.order_id), time, charged);
    }

    fn rebook(
        &mut self,
        account_id: AccountId,
        instrument_id: InstrumentId,
        (exec_id, venue, order_id): (&ExecId, Mic, OrderId),
        time: Time,
        change: impl FnOnce(Booking) -> Booking,
    ) {
        let method = self.cost_method;
        let holding = self.holding_mut(account_id, instrument_id);
        let found = holding.find(exec_id, venue, Some(order_id)).map(|(booking, _)| booking.clone());
        assert!(found.is_some(), "only what was booked is corrected: {exec_id}");
        if let Some(booking) = found {
            holding.correct(method, &change(booking), time);
        }
        self.revalue(account_id, instrument_id);
    }

    /// The strategy that a client's order was sent for. What is booked for an order that has left the state counts as of none.
    pub(super) fn strategy_of(&self, root: OrderId) -> Option<StrategyId> {
        self.order(root).and_then(Order::strategy)
    }

    pub(super) fn holding_mut(&mut self, account_id: AccountId, instrument_id: InstrumentId) -> &mut Holding {
        self.holdings.entry((account_id, instrument_id)).or_insert_with(|| Box::new(Holding::flat(account_id, instrument_id)))
    }

    /// Remembers an id at the leg, so that what it stands for is booked once.
    fn remember_exec(&mut self, order_id: OrderId, exec_id: &ExecId) {
        if let Some(Part::Leg(leg)) = self.orders.get_mut(order_id).map(|entry| &mut entry.part)
            && let Err(at) = leg.execs.binary_search(exec_id)
        {
            leg.execs.insert(at, exec_id.clone());
        }
    }

    /// The order of an execution takes note of it; for a leg that changes nothing.
    fn on_booked(&mut self, order_id: OrderId, event: &Event, time: Time) {
        if let Some(entry) = self.orders.get_mut(order_id)
            && entry.order.venue.is_none()
        {
            entry.order.apply(event, time);
        }
    }

    /// Keeps the index of orders that were executed beyond their quantity.
    pub(super) fn index_overfill(&mut self, order_id: OrderId, over: Qty) {
        if over.is_positive() {
            self.overfilled.insert(order_id);
        } else if !self.overfilled.is_empty() {
            self.overfilled.remove(&order_id);
        }
    }

    pub(super) fn unmatched(&mut self, e: &ExecutionUnmatched) {
        if self.suspense.len() == MAX_SUSPENSE {
            self.suspense.pop_front();
        }
        self.suspense.push_back(e.clone());
    }

    pub(super) fn suspense_resolved(&mut self, e: &SuspenseResolved) {
        let at = self.suspense.iter().position(|known| known.venue == e.venue && known.exec_id == e.exec_id);
        let known = at.and_then(|at| self.suspense.remove(at));
        if e.account_id.is_none() {
            if self.dismissed.len() == MAX_SUSPENSE {
                self.dismissed.pop_front();
            }
            let unknown = || ExecutionUnmatched { venue: e.venue, exec_id: e.exec_id.clone(), ..ExecutionUnmatched::default() };
            self.dismissed.push_back(known.unwrap_or_else(unknown));
        }
    }

    pub(super) fn fx_rate_set(&mut self, e: &FxRateSet, at: Time) {
        self.fx_rates.insert((e.from, e.to), FxRate { from: e.from, to: e.to, rate: e.rate, at });
        // The other direction follows from the newest rate.
        self.fx_rates.remove(&(e.to, e.from));
        self.revalue_currencies([e.from, e.to]);
    }

    pub(super) fn day_closed(&mut self, e: DayClosed, time: Time) {
        self.closed_day = e.day;
        self.closed_at = time;
        for holding in self.holdings.values_mut() {
            holding.close_day();
        }
        self.risk.on_day_closed();
    }
}
