//! What positions are worth in the risk currency, so that the gate knows exposures and losses.

use super::State;
use oms_model::event::{ExecutionRecorded, Mark};
use oms_model::instrument::{Currency, Valuation};
use oms_model::{AccountId, Decimal, InstrumentId, Notional, OrderId, Price, Qty, Side};
use oms_risk::{Rate, Valued};

impl State {
    /// The currency of exposures and limits.
    #[must_use]
    pub fn risk_currency(&self) -> Currency {
        self.risk_currency
    }

    /// Whether something depends on what positions are worth.
    pub(crate) fn wants_marks(&self) -> bool {
        self.risk.breakers().next().is_some() || (!self.holders.is_empty() && self.risk.wants_marks())
    }

    /// The last recorded price that positions in an instrument are valued at.
    #[must_use]
    pub fn mark(&self, instrument: InstrumentId) -> Option<Price> {
        self.marks.get(&instrument).copied()
    }

    /// Every recorded mark, by instrument.
    pub fn marks(&self) -> impl Iterator<Item = Mark> + '_ {
        self.marks.iter().map(|(&instrument_id, &price)| Mark { instrument_id, price })
    }

    /// Instruments that somebody holds, from behind `after`.
    pub(crate) fn held_after(&self, after: Option<InstrumentId>) -> impl Iterator<Item = InstrumentId> + '_ {
        let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        self.holders.range((from, std::ops::Bound::Unbounded)).map(|(id, _)| *id)
    }

    /// The recorded rate from an instrument's currency to the risk currency.
    #[must_use]
    pub fn risk_rate(&self, from: Currency) -> Option<Rate> {
        if from == self.risk_currency {
            return Some(Rate::same());
        }
        let to = self.risk_currency;
        let at = [(from, to), (to, from)].into_iter().find_map(|pair| self.fx_rates.get(&pair)).map(|rate| rate.at);
        self.fx_rate(from, to).map(|rate| Rate { rate, at })
    }

    /// How deals in an instrument are valued in the risk currency. Without a rate they count one to one: the gate refuses
    /// orders in it, and what is held already is better seen wrong than not at all.
    pub(crate) fn risk_valuation(&self, instrument: InstrumentId) -> (Valuation, Decimal) {
        let Some(instrument) = self.instrument(instrument) else { return (Valuation::default(), Decimal::from_count(1)) };
        let rate = self.risk_rate(instrument.currency).map_or(Decimal::from_count(1), |rate| rate.rate);
        let plain = instrument.valuation();
        (plain.at_rate(rate).unwrap_or(plain), rate)
    }

    /// A position changed, or what it is worth.
    pub(super) fn revalue(&mut self, account_id: AccountId, instrument_id: InstrumentId) {
        let (valuation, rate) = self.risk_valuation(instrument_id);
        let valued = Valued { valuation, rate, mark: self.marks.get(&instrument_id).copied() };
        let holders = self.holders.entry(instrument_id).or_default();
        match self.holdings.get(&(account_id, instrument_id)) {
            Some(holding) => {
                self.risk.on_position(holding.now(), valued);
                if holding.now().qty.is_zero() {
                    holders.remove(&account_id);
                } else {
                    holders.insert(account_id);
                }
            }
            None => {
                let flat = oms_model::position::Position { account_id, instrument_id, ..Default::default() };
                self.risk.on_position(&flat, valued);
                holders.remove(&account_id);
            }
        }
        if holders.is_empty() {
            self.holders.remove(&instrument_id);
        }
    }

    /// Prices that positions are valued at from now on.
    pub(super) fn marked(&mut self, marks: &[Mark]) {
        for mark in marks {
            self.marks.insert(mark.instrument_id, mark.price);
            let accounts: Vec<AccountId> = self.holders.get(&mark.instrument_id).into_iter().flatten().copied().collect();
            for account_id in accounts {
                self.revalue(account_id, mark.instrument_id);
            }
        }
    }

    /// A rate changed: what is held in these currencies is worth something else.
    pub(super) fn revalue_currencies(&mut self, pair: [Currency; 2]) {
        let concerned = |id: &InstrumentId| self.instrument(*id).is_some_and(|instrument| pair.contains(&instrument.currency));
        let keys: Vec<(AccountId, InstrumentId)> = self.holdings.keys().filter(|(_, id)| concerned(id)).copied().collect();
        for (account_id, instrument_id) in keys {
            self.revalue(account_id, instrument_id);
        }
    }

    /// An execution is the last price of its instrument; a short sale uses what is lent, and a strategy its bounds.
    pub(super) fn executed_at(&mut self, e: &ExecutionRecorded) {
        self.marks.insert(e.instrument_id, e.last_px);
        self.revalue(e.account_id, e.instrument_id);
        let value = self.risk_value(e.instrument_id, e.last_px, e.last_qty);
        self.traded(e.root_order_id, (e.account_id, e.instrument_id), e.side, e.last_qty, value);
    }

    /// What a quantity is worth in the risk currency.
    pub(super) fn risk_value(&self, instrument_id: InstrumentId, price: Price, qty: Qty) -> Notional {
        self.risk_valuation(instrument_id).0.notional(price, qty).unwrap_or(Notional::MAX)
    }

    /// What an execution counts for besides the position; below zero where it was taken back or corrected to less. A
    /// correction counts by its difference, so that one of a closed day adds nothing to the open one that was not there.
    pub(super) fn traded(
        &mut self,
        root: OrderId,
        (account_id, instrument_id): (AccountId, InstrumentId),
        side: Side,
        qty: Qty,
        value: Notional,
    ) {
        if side.is_short() {
            self.risk.on_shorted(account_id, instrument_id, qty);
        }
        if let Some(strategy) = self.strategy_of(root) {
            self.risk.on_strategy_traded(strategy, value);
        }
    }
}
