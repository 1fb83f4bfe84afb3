//! A position worked out from nothing, in plain integers: what the engine's own arithmetic is held against.

use crate::hold;
use oms_model::CostMethod;
use oms_model::position::Position;
use std::collections::VecDeque;

/// A position in raw units: quantities and prices in 10^-9, values in 10^-18.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plain {
    bought: i128,
    sold: i128,
    bought_value: i128,
    sold_value: i128,
    pub(super) realized: i128,
    pub(super) fees: i128,
    /// FIFO: what is open, oldest first, with its price; short is below zero.
    lots: VecDeque<(i128, i128)>,
    /// Average cost: what is open cost so much.
    cost: i128,
}

impl Plain {
    pub(super) fn qty(&self) -> i128 {
        self.bought - self.sold
    }

    /// What is open cost so much; below zero for a short position.
    pub(super) fn open_cost(&self, method: CostMethod) -> i128 {
        match method {
            CostMethod::Fifo => self.lots.iter().map(|(qty, price)| qty * price).sum(),
            CostMethod::AverageCost => self.cost,
        }
    }

    pub(super) fn book(&mut self, method: CostMethod, is_buy: bool, qty: i128, price: i128, fee: i128) {
        let signed = if is_buy { qty } else { -qty };
        match method {
            CostMethod::Fifo => self.first_in_first_out(signed, price),
            CostMethod::AverageCost => self.average(signed, price),
        }
        self.fees += fee;
        if is_buy {
            self.bought += qty;
            self.bought_value += qty * price;
        } else {
            self.sold += qty;
            self.sold_value += qty * price;
        }
    }

    fn first_in_first_out(&mut self, signed: i128, price: i128) {
        let mut rest = signed;
        while let Some(lot) = self.lots.front_mut().filter(|lot| rest != 0 && (lot.0 > 0) != (rest > 0)) {
            let closed = lot.0.abs().min(rest.abs()) * lot.0.signum();
            self.realized += closed * (price - lot.1);
            (lot.0, rest) = (lot.0 - closed, rest + closed);
            if lot.0 == 0 {
                self.lots.pop_front();
            }
        }
        if rest != 0 {
            self.lots.push_back((rest, price));
        }
    }

    fn average(&mut self, signed: i128, price: i128) {
        let open = self.qty();
        if open == 0 || (open > 0) == (signed > 0) {
            self.cost += signed * price;
        } else if signed.abs() < open.abs() {
            // What leaves takes its part of the cost along; division rounds towards zero.
            let leaves = self.cost * signed.abs() / open.abs();
            self.realized += -signed * price - leaves;
            self.cost -= leaves;
        } else {
            self.realized += open * price - self.cost;
            self.cost = (open + signed) * price;
        }
    }

    /// The figures that the engine has are these.
    pub(super) fn hold_same(&self, method: CostMethod, position: &Position, place: &str) {
        let whose = (position.account_id, position.instrument_id);
        let (ours, theirs) = ((self.qty(), self.bought, self.sold), (position.qty, position.bought_qty, position.sold_qty));
        hold!(
            21,
            ours == (theirs.0.raw(), theirs.1.raw(), theirs.2.raw()),
            "{place}: position {whose:?} is {theirs:?}, its executions are {ours:?}"
        );
        let ours = (self.bought_value, self.sold_value, self.realized, self.fees, self.open_cost(method));
        let money = (position.bought_notional, position.sold_notional, position.realized, position.fees, position.cost());
        let theirs = (money.0.raw(), money.1.raw(), money.2.raw(), money.3.raw(), money.4.raw());
        hold!(22, ours == theirs, "{place}: bought, sold, realised, fees and cost of {whose:?} are {theirs:?}, by the executions {ours:?}");
        // Profit is what came in less what went out, with what is open at its cost: for any mark the two parts add up.
        hold!(
            22,
            self.realized == self.sold_value - self.bought_value + self.open_cost(method),
            "{place}: profit of {whose:?} does not add up"
        );
        if method == CostMethod::Fifo {
            let ours = merged(self.lots.iter().copied());
            let theirs = merged(position.lots.iter().map(|lot| (lot.qty.raw(), i128::from(lot.price.raw()))));
            hold!(21, ours == theirs, "{place}: open lots of {whose:?} are {theirs:?}, by the executions {ours:?}");
        }
    }
}

/// Neighbours at one price as one.
fn merged(lots: impl Iterator<Item = (i128, i128)>) -> Vec<(i128, i128)> {
    let mut all: Vec<(i128, i128)> = Vec::new();
    for (qty, price) in lots {
        match all.last_mut() {
            Some(last) if last.1 == price => last.0 += qty,
            _ => all.push((qty, price)),
        }
    }
    all
}
