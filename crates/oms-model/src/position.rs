//! Positions: a fold over executions, with open lots and realised profit.

mod holding;

use crate::amount::{Notional, Price, Qty};
use crate::ids::{AccountId, InstrumentId};
use crate::terms::CostMethod;
pub use holding::{Booking, Day, Holding, StrategyBase, StrategyShare};
use std::collections::VecDeque;

/// A quantity bought or sold at one price and not yet closed. Signed: short lots are below zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lot {
    /// What is left of it.
    pub qty: Qty,
    /// Its price.
    pub price: Price,
}

/// A position in one instrument of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Whose.
    pub account_id: AccountId,
    /// In what.
    pub instrument_id: InstrumentId,
    /// Signed: bought less sold.
    pub qty: Qty,
    /// Everything bought.
    pub bought_qty: Qty,
    /// Everything sold.
    pub sold_qty: Qty,
    /// Paid for what was bought.
    pub bought_notional: Notional,
    /// Received for what was sold.
    pub sold_notional: Notional,
    /// Realised profit by the tenant's cost method, fees not included.
    pub realized: Notional,
    /// Fees paid; rebates are negative.
    pub fees: Notional,
    /// Open lots, oldest first; neighbours at one price are one lot.
    pub lots: VecDeque<Lot>,
    /// At average cost: what the open quantity cost, exactly; below zero for a short position. `lots` then holds one
    /// lot whose price is rounded. `None` at FIFO.
    pub carried: Option<Notional>,
}

impl Position {
    /// Books an execution, first in first out. Figures that leave the range of the type are held at its bounds;
    /// the risk gate keeps orders far below them.
    pub fn book(&mut self, is_buy: bool, qty: Qty, price: Price, fee: Notional) {
        self.add(is_buy, qty, price, fee);
        self.close_lots(is_buy, qty, price);
        assert_eq!(self.qty, self.bought_qty.saturating_sub(self.sold_qty), "a position is the sum of its executions");
    }

    /// Books an execution by a cost method.
    pub fn book_by(&mut self, method: CostMethod, is_buy: bool, qty: Qty, price: Price, fee: Notional) {
        match method {
            CostMethod::Fifo => self.book(is_buy, qty, price, fee),
            CostMethod::AverageCost => self.book_average(is_buy, qty, price, fee),
        }
    }

    /// What is closed leaves at the average cost; the part is rounded towards zero and the rest stays, so that cost
    /// and realised profit always add up to what was paid and received.
    fn book_average(&mut self, is_buy: bool, qty: Qty, price: Price, fee: Notional) {
        let (open, cost) = (self.qty, self.cost());
        self.add(is_buy, qty, price, fee);
        let signed = if is_buy { qty } else { qty.negated() };
        let opens = open.is_zero() || open.is_negative() == signed.is_negative();
        let cost = if opens {
            cost.saturating_add(price.notional(signed).unwrap_or(Notional::MAX))
        } else if qty < open.abs() {
            cost.saturating_sub(cost.part(qty, open.abs()).unwrap_or(Notional::ZERO))
        } else {
            price.notional(self.qty).unwrap_or(Notional::MAX)
        };
        self.carried = Some(cost);
        self.realized = self.sold_notional.saturating_sub(self.bought_notional).saturating_add(cost);
        self.lots.clear();
        if !self.qty.is_zero() {
            self.lots.push_back(Lot { qty: self.qty, price: cost.avg_px(self.qty).unwrap_or_default() });
        }
    }

    /// Adds up what does not depend on the order of executions.
    fn add(&mut self, is_buy: bool, qty: Qty, price: Price, fee: Notional) {
        let value = price.notional(qty).unwrap_or(Notional::MAX);
        self.fees = self.fees.saturating_add(fee);
        if is_buy {
            self.qty = self.qty.saturating_add(qty);
            self.bought_qty = self.bought_qty.saturating_add(qty);
            self.bought_notional = self.bought_notional.saturating_add(value);
        } else {
            self.qty = self.qty.saturating_sub(qty);
            self.sold_qty = self.sold_qty.saturating_add(qty);
            self.sold_notional = self.sold_notional.saturating_add(value);
        }
    }

    fn close_lots(&mut self, is_buy: bool, qty: Qty, price: Price) {
        let mut rest = qty;
        while rest.is_positive() {
            let Some(lot) = self.lots.front_mut() else { break };
            if lot.qty.is_positive() == is_buy {
                break;
            }
            let closed = lot.qty.abs().min(rest);
            let gain = if is_buy { lot.price.saturating_sub(price) } else { price.saturating_sub(lot.price) };
            self.realized = self.realized.saturating_add(gain.notional(closed).unwrap_or(Notional::MAX));
            rest = rest.saturating_sub(closed);
            lot.qty = if is_buy { lot.qty.saturating_add(closed) } else { lot.qty.saturating_sub(closed) };
            if lot.qty.is_zero() {
                self.lots.pop_front();
            }
        }
        if rest.is_positive() {
            self.open_lot(if is_buy { rest } else { Qty::ZERO.saturating_sub(rest) }, price);
        }
    }

    fn open_lot(&mut self, qty: Qty, price: Price) {
        match self.lots.back_mut() {
            Some(lot) if lot.price == price => lot.qty = lot.qty.saturating_add(qty),
            _ => self.lots.push_back(Lot { qty, price }),
        }
    }

    /// What the open quantity cost; below zero for a short position.
    #[must_use]
    pub fn cost(&self) -> Notional {
        if let Some(carried) = self.carried {
            return carried;
        }
        self.lots.iter().fold(Notional::ZERO, |sum, lot| sum.saturating_add(lot.price.notional(lot.qty).unwrap_or(Notional::MAX)))
    }

    /// Average price of the open lots; `None` where the position is flat.
    #[must_use]
    pub fn avg_cost(&self) -> Option<Price> {
        self.cost().avg_px(self.qty)
    }

    /// Profit if the position were closed at `mark`.
    #[must_use]
    pub fn unrealized(&self, mark: Price) -> Option<Notional> {
        mark.notional(self.qty)?.checked_sub(self.cost())
    }
}

#[cfg(test)]
mod tests;
