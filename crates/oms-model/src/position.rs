//! Positions: a fold over executions, with FIFO lots and realised profit.

use crate::amount::{Notional, Price, Qty};
use crate::ids::{AccountId, InstrumentId};
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
    /// Realised profit, first in first out, fees not included.
    pub realized: Notional,
    /// Fees paid; rebates are negative.
    pub fees: Notional,
    /// Open lots, oldest first; neighbours at one price are one lot.
    pub lots: VecDeque<Lot>,
}

impl Position {
    /// Books an execution. Figures that leave the range of the type are held at its bounds;
    /// the risk gate keeps orders far below them.
    pub fn book(&mut self, is_buy: bool, qty: Qty, price: Price, fee: Notional) {
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
        self.close_lots(is_buy, qty, price);
        assert_eq!(self.qty, self.bought_qty.saturating_sub(self.sold_qty), "a position is the sum of its executions");
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

    /// What the open lots cost; below zero for a short position.
    #[must_use]
    pub fn cost(&self) -> Notional {
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
