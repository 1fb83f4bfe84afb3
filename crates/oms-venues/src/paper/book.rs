//! One instrument at one venue: what the venue displays, and our orders working there.

use std::collections::{BTreeMap, BTreeSet};

use oms_model::{Price, Qty, Side};

use crate::replay::Shown;

use super::order::Order;

/// A value for each side of the market.
#[derive(Clone, Debug, Default)]
pub(super) struct Sides<T> {
    bid: T,
    ask: T,
}

impl<T> Sides<T> {
    pub(super) fn of(&self, side: Side) -> &T {
        if side.is_buy() { &self.bid } else { &self.ask }
    }

    pub(super) fn of_mut(&mut self, side: Side) -> &mut T {
        if side.is_buy() { &mut self.bid } else { &mut self.ask }
    }
}

/// The side that an order of `side` trades against.
pub(super) const fn opposite(side: Side) -> Side {
    match side {
        Side::Buy | Side::Subscribe => Side::Sell,
        Side::Sell | Side::SellShort | Side::SellShortExempt | Side::Redeem => Side::Buy,
    }
}

/// The book.
#[derive(Clone, Debug, Default)]
pub(super) struct Book {
    /// The venue's displayed best, less what we took of it since its last row.
    pub(super) shown: Sides<Option<Shown>>,
    /// Last consolidated sale.
    pub(super) last_sale: Option<Price>,
    /// Our resting orders by rank, as order numbers.
    pub(super) resting: Sides<BTreeMap<(i64, u64), u64>>,
    /// Those of them that are still aggressive.
    pub(super) aggressive: Sides<BTreeSet<u64>>,
    /// Our stops that have not been elected, by their distance: the first is elected first.
    pub(super) held: Sides<BTreeMap<(i64, u64), u64>>,
}

impl Book {
    /// Puts a working order where it belongs.
    pub(super) fn insert(&mut self, order: &Order) {
        if order.held {
            self.held.of_mut(order.side).insert(stop_rank(order), order.number);
            return;
        }
        self.resting.of_mut(order.side).insert(order.rank(), order.number);
        if order.aggressive {
            self.aggressive.of_mut(order.side).insert(order.number);
        }
    }

    /// Takes an order out, wherever it is. Must be called with the terms that it was put in with.
    pub(super) fn remove(&mut self, order: &Order) {
        self.held.of_mut(order.side).remove(&stop_rank(order));
        self.resting.of_mut(order.side).remove(&order.rank());
        self.aggressive.of_mut(order.side).remove(&order.number);
    }

    /// Takes `qty` off the displayed size of `side`; a size of nothing is no quote.
    pub(super) fn consume(&mut self, side: Side, qty: Qty) {
        let slot = self.shown.of_mut(side);
        *slot = slot.and_then(|shown| {
            let size = shown.size.saturating_sub(qty);
            size.is_positive().then_some(Shown { size, ..shown })
        });
    }
}

fn stop_rank(order: &Order) -> (i64, u64) {
    let stop = order.stop_px.map_or(0, Price::raw);
    (if order.side.is_buy() { stop } else { -stop }, order.number)
}
