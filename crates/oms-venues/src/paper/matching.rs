//! How orders are filled against a recorded market.
//!
//! - *Taking.* A marketable order takes the venue's own displayed size at its quote. What was taken
//!   is gone until the venue's next row of that side. Our own resting orders of the other side are
//!   in the book too and trade at their price; at an equal price the displayed size is first.
//! - *Sweeping on.* What lies behind the displayed best is not recorded. The rest of an order that
//!   was marketable on entry stays *aggressive*: it trades at the price of the next quotes of the
//!   other side, as it would have against the next levels, until one comes that it does not cross.
//! - *Resting.* An order joins behind the displayed size at its price. The queue ahead shrinks by
//!   trades printed at this venue at that price and never exceeds the displayed size; it is gone
//!   when the quote moves away. At a price that the quote has not reached, nothing is known until
//!   it does. An order fills when trades print here through its price, at its price once the queue
//!   is gone, and when the opposite quote crosses it: at its own price, which it showed first.
//! - *Stops* are elected by every consolidated last sale at or beyond the stop price.

use oms_model::report::{ReportBody, VenueFill};
use oms_model::{ExecId, Liquidity, Price, Qty, Side, Symbol};
use oms_runtime::port::VenueState;

use crate::replay::Shown;

use super::book::opposite;
use super::ledger::LedgerRecord;
use super::order::Ahead;
use super::{Execution, PaperVenue, index};

/// What an order can trade against next.
enum Contra {
    Displayed(Shown),
    Own { number: u64, price: Price, leaves: Qty },
}

impl PaperVenue {
    /// Trades an order against the book until nothing acceptable is left.
    pub(super) fn sweep(&mut self, number: u64) {
        loop {
            let Some(order) = self.order(number) else { return };
            let (symbol, side, leaves) = (order.symbol.clone(), opposite(order.side), order.leaves());
            if !leaves.is_positive() {
                return;
            }
            match self.best_contra(number) {
                None => return,
                Some(Contra::Displayed(shown)) => {
                    let qty = leaves.min(shown.size);
                    self.take_displayed(&symbol, side, shown.price, qty);
                    self.fill(number, shown.price, qty, Liquidity::Removed);
                }
                Some(Contra::Own { number: maker, price, leaves: offered }) => {
                    let qty = leaves.min(offered);
                    self.fill(maker, price, qty, Liquidity::Added);
                    self.fill(number, price, qty, Liquidity::Removed);
                }
            }
        }
    }

    fn best_contra(&self, number: u64) -> Option<Contra> {
        let order = self.order(number)?;
        let book = self.books.get(&order.symbol)?;
        let side = opposite(order.side);
        let displayed = book.shown.of(side).filter(|shown| order.accepts(shown.price));
        let own = book.resting.of(side).values().find_map(|&number| {
            let maker = self.order(number)?;
            let price = maker.price.filter(|&price| order.accepts(price))?;
            Some((number, price, maker.leaves()))
        });
        match (displayed, own) {
            (Some(shown), Some((_, price, _))) if !better(side, price, shown.price) => Some(Contra::Displayed(shown)),
            (_, Some((number, price, leaves))) => Some(Contra::Own { number, price, leaves }),
            (Some(shown), None) => Some(Contra::Displayed(shown)),
            (None, None) => None,
        }
    }

    /// How much an order could trade at once.
    pub(super) fn available(&self, number: u64) -> Qty {
        let Some(order) = self.order(number) else { return Qty::ZERO };
        let Some(book) = self.books.get(&order.symbol) else { return Qty::ZERO };
        let side = opposite(order.side);
        let displayed = book.shown.of(side).filter(|shown| order.accepts(shown.price)).map_or(Qty::ZERO, |s| s.size);
        let own = book.resting.of(side).values().filter_map(|&number| {
            let maker = self.order(number)?;
            maker.price.filter(|&price| order.accepts(price)).map(|_| maker.leaves())
        });
        own.fold(displayed, Qty::saturating_add)
    }

    /// Takes displayed size; what rests behind it at that price moves up.
    fn take_displayed(&mut self, symbol: &Symbol, side: Side, price: Price, qty: Qty) {
        if let Some(book) = self.books.get_mut(symbol) {
            book.consume(side, qty);
            self.staged.taken.insert((symbol.clone(), side));
        }
        for number in self.at_price(symbol, side, price) {
            if let Some(order) = self.order_mut(number)
                && let Ahead::Known(ahead) = order.ahead
            {
                order.ahead = Ahead::Known(ahead.saturating_sub(qty).max(Qty::ZERO));
            }
        }
    }

    fn at_price(&self, symbol: &Symbol, side: Side, price: Price) -> Vec<u64> {
        let key = if side.is_buy() { -price.raw() } else { price.raw() };
        let Some(book) = self.books.get(symbol) else { return Vec::new() };
        book.resting.of(side).range((key, 0)..=(key, u64::MAX)).map(|(_, &number)| number).collect()
    }

    /// Lets an order rest in the book.
    pub(super) fn rest(&mut self, number: u64) {
        let permille = self.profile.queue_ahead_permille;
        let Some(order) = index(number).and_then(|at| self.orders.get_mut(at)) else { return };
        let Some(book) = self.books.get_mut(&order.symbol) else { return };
        if let Some(price) = order.price {
            order.ahead = match *book.shown.of(order.side) {
                Some(shown) if shown.price == price => Ahead::Known(scaled(shown.size, permille)),
                Some(shown) if better(order.side, price, shown.price) => Ahead::Known(Qty::ZERO),
                Some(_) | None => Ahead::Unseen,
            };
            // A quote that it does not cross stands against it: it rests at its own price.
            let against = *book.shown.of(opposite(order.side));
            order.aggressive = order.aggressive && against.is_none_or(|shown| order.accepts(shown.price));
        }
        book.insert(order);
    }

    /// A row of the venue's quote.
    pub(super) fn quote(&mut self, symbol: &Symbol, side: Side, shown: Option<Shown>) {
        let book = self.books.entry(symbol.clone()).or_default();
        let before = std::mem::replace(book.shown.of_mut(side), shown);
        if book.resting.of(Side::Buy).is_empty() && book.resting.of(Side::Sell).is_empty() {
            return;
        }
        self.move_queue(symbol, side, before, shown);
        if let Some(shown) = shown {
            self.cross(symbol, side, shown);
        }
    }

    fn move_queue(&mut self, symbol: &Symbol, side: Side, before: Option<Shown>, shown: Option<Shown>) {
        // The price up to which (from the best) something is learned by this row.
        let Some(reach) = shown.or(before).map(|shown| shown.price) else { return };
        let key = if side.is_buy() { -reach.raw() } else { reach.raw() };
        let Some(book) = self.books.get(symbol) else { return };
        let reached: Vec<u64> = book.resting.of(side).range(..=(key, u64::MAX)).map(|(_, &n)| n).collect();
        let permille = self.profile.queue_ahead_permille;
        for number in reached {
            let Some(order) = self.order_mut(number) else { continue };
            order.ahead = match shown {
                Some(shown) if order.price == Some(shown.price) => match order.ahead {
                    Ahead::Known(ahead) => Ahead::Known(ahead.min(shown.size)),
                    Ahead::Unseen => Ahead::Known(scaled(shown.size, permille)),
                },
                // The quote went away from its price: nobody is left there before us.
                Some(_) | None => Ahead::Known(Qty::ZERO),
            };
        }
    }

    /// The quote of `side` may cross resting orders of the other side.
    fn cross(&mut self, symbol: &Symbol, side: Side, shown: Shown) {
        let own_side = opposite(side);
        let mut left = shown.size;
        while left.is_positive() {
            let first = self.books.get(symbol).and_then(|book| book.resting.of(own_side).values().next().copied());
            let Some(number) = first else { break };
            let Some(order) = self.order(number).filter(|order| order.accepts(shown.price)) else { break };
            let qty = order.leaves().min(left);
            let (price, liquidity) = match order.price {
                Some(price) if !order.aggressive => (price, Liquidity::Added),
                Some(_) | None => (shown.price, Liquidity::Removed),
            };
            left = left.saturating_sub(qty);
            if let Some(book) = self.books.get_mut(symbol) {
                book.consume(side, qty);
                self.staged.taken.insert((symbol.clone(), side));
            }
            self.fill(number, price, qty, liquidity);
        }
        self.calm(symbol, own_side, shown.price);
    }

    /// Orders that do not cross the opposite quote rest at their own price from here on.
    fn calm(&mut self, symbol: &Symbol, side: Side, against: Price) {
        let Some(book) = self.books.get_mut(symbol) else { return };
        let orders = &mut self.orders;
        book.aggressive.of_mut(side).retain(|&number| {
            let Some(order) = index(number).and_then(|at| orders.get_mut(at)) else { return false };
            order.aggressive = order.accepts(against);
            order.aggressive
        });
    }

    /// A last sale printed at this venue.
    pub(super) fn trade(&mut self, symbol: &Symbol, traded: Shown) {
        for side in [Side::Buy, Side::Sell] {
            self.trade_side(symbol, side, traded);
        }
    }

    fn trade_side(&mut self, symbol: &Symbol, side: Side, traded: Shown) {
        let key = if side.is_buy() { -traded.price.raw() } else { traded.price.raw() };
        let Some(book) = self.books.get(symbol) else { return };
        let reached: Vec<u64> = book.resting.of(side).range(..=(key, u64::MAX)).map(|(_, &n)| n).collect();
        let mut left = traded.size;
        // What of the print went to others who stood before us at its price.
        let mut others = Qty::ZERO;
        for number in reached {
            if !left.is_positive() {
                break;
            }
            let Some(order) = self.order_mut(number) else { continue };
            let at_price = order.price == Some(traded.price);
            if at_price {
                // How much stands ahead of an order in an unseen queue is unknown: all of it.
                let Ahead::Known(ahead) = order.ahead else { continue };
                let before_us = ahead.saturating_sub(others).max(Qty::ZERO).min(left);
                others = others.saturating_add(before_us);
                left = left.saturating_sub(before_us);
                order.ahead = Ahead::Known(ahead.saturating_sub(others).max(Qty::ZERO));
            }
            let qty = order.leaves().min(left);
            let (price, liquidity) = match order.price {
                Some(price) if !order.aggressive => (price, Liquidity::Added),
                Some(_) | None => (traded.price, Liquidity::Removed),
            };
            if qty.is_positive() {
                left = left.saturating_sub(qty);
                self.fill(number, price, qty, liquidity);
            }
        }
    }

    /// A consolidated last sale elects stops.
    pub(super) fn elect(&mut self, symbol: &Symbol, price: Price) {
        let Some(book) = self.books.get_mut(symbol) else { return };
        book.last_sale = Some(price);
        for side in [Side::Buy, Side::Sell] {
            loop {
                let first = self.books.get(symbol).and_then(|book| book.held.of(side).values().next().copied());
                let Some(number) = first else { break };
                if !self.order(number).is_some_and(|order| order.elected_by(price)) {
                    break;
                }
                self.elected(number);
            }
        }
    }

    /// A stop becomes a market or limit order and goes to work.
    pub(super) fn elected(&mut self, number: u64) {
        let Some(order) = index(number).and_then(|at| self.orders.get_mut(at)) else { return };
        if let Some(book) = self.books.get_mut(&order.symbol) {
            book.remove(order);
        }
        order.held = false;
        self.record(&LedgerRecord::Elected { at: self.clock, number });
        self.enter(number);
    }

    pub(super) fn fill(&mut self, number: u64, price: Price, qty: Qty, liquidity: Liquidity) {
        let exec_id = ExecId::new(&format!("{}-X{}", self.profile.mic, self.executions.len() + 1)).unwrap_or_default();
        let fee_per_unit = match liquidity {
            Liquidity::Added => self.profile.maker_fee,
            Liquidity::Removed => self.profile.taker_fee,
        };
        let fill = VenueFill { exec_id, last_qty: qty, last_px: price, liquidity, fee_per_unit };
        let Some(order) = self.order(number) else { return };
        assert!(qty.is_positive() && qty <= order.leaves(), "a fill of {qty} for leaves {}", order.leaves());
        let wire_id = order.current.clone();
        self.record(&LedgerRecord::Filled { at: self.clock, number, wire_id: wire_id.clone(), fill: fill.clone() });
        self.book_fill(number, fill.clone());
        self.stage(ReportBody::Fill { wire_id, fill });
    }

    /// Books an execution; the order ends with its last one.
    pub(super) fn book_fill(&mut self, number: u64, fill: VenueFill) {
        let at = self.clock;
        let position = u32::try_from(self.executions.len()).unwrap_or(u32::MAX);
        self.stats.fills += 1;
        let Some(order) = self.order_mut(number) else { return };
        order.cum = order.cum.saturating_add(fill.last_qty);
        order.fills.push(position);
        let done = order.leaves().is_zero();
        self.executions.push(Execution { at, number, fill });
        if done {
            self.end(number, VenueState::Filled);
        }
    }
}

/// Whether `price` is better than `than` for someone trading against an order of `side`.
fn better(side: Side, price: Price, than: Price) -> bool {
    if side.is_buy() { price > than } else { price < than }
}

fn scaled(size: Qty, permille: u32) -> Qty {
    Qty::from_raw(size.raw().saturating_mul(i128::from(permille)) / 1000)
}
