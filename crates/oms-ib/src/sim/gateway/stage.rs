//! For tests and simulations: a small market, one that they move themselves, and what the gateway has, whatever it tells.
//! The product is built without it (feature `stage`).

use std::sync::Arc;

use oms_model::{InstrumentId, Mic, Price, Qty, Side, Time};
use oms_venues::paper::faults::Faults;
use oms_venues::replay::{RawKind, RawTick, Recording, RecordingError, Shown, Slice};

use super::Gateway;
use crate::codec::{Commission, ExecutionReport, Number};
use crate::sim::book::Status;

/// Nanoseconds of a day.
const DAY_NS: u64 = 86_400_000_000_000;

/// An order as the gateway has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing<'o> {
    /// The reference that its client gave it.
    pub order_ref: &'o str,
    /// The permanent id.
    pub perm_id: i64,
    /// The order id of its client.
    pub order_id: i32,
    /// It never works again.
    pub is_done: bool,
    /// It ended wholly executed.
    pub is_filled: bool,
    /// How much it is for.
    pub order_qty: Qty,
    /// Its limit.
    pub limit: Option<Price>,
    /// Executed of it.
    pub cum_qty: Qty,
}

/// A recording of these symbols in which next to nothing happens, for a market that is moved by hand.
///
/// # Errors
/// Symbols that no recording can name.
pub fn quiet(symbols: &[&str]) -> Result<Arc<Recording>, RecordingError> {
    let tick = RawTick { millis: 0, symbol: 0, venue: 0, kind: RawKind::TradeOther, price_e4: 1, size: 1 };
    let symbols = symbols.iter().map(|symbol| (*symbol).to_owned()).collect();
    let slice = Slice { start_ns: 0, length_ns: DAY_NS, symbols, venues: vec![*b"FINN"], ticks: vec![tick] };
    Recording::from_slice(slice).map(Arc::new)
}

/// IBM on one exchange, which moves a tick each second, fifty shares on each side.
#[cfg(test)]
pub(crate) fn ibm(seconds: u32) -> Arc<Recording> {
    use oms_venues::synthetic::{SyntheticBook, slice};
    let symbol = oms_model::Symbol::new("IBM").unwrap();
    let book = SyntheticBook { symbol, venue: *b"XNYS", mid_e4: 1_840_000, tick_e4: 100, half_spread: 1, size: 50 };
    Arc::new(Recording::from_slice(slice(&[book], 7, 0, seconds)).unwrap())
}

impl Gateway {
    /// A venue's own quote of one side; a venue or instrument that there is none of has none.
    pub fn show(&mut self, venue: Mic, instrument: InstrumentId, side: Side, shown: Option<Shown>) {
        let (now, item) = (self.now, self.catalog.get(instrument));
        let (Some(symbol), Some(floor)) = (item.map(|item| item.symbol.clone()), self.floor.venue_mut(venue)) else { return };
        floor.on_quote(now, &symbol, side, shown);
        self.quoted(instrument, venue, side, shown);
    }

    /// A last sale at a venue.
    pub fn print(&mut self, venue: Mic, instrument: InstrumentId, traded: Shown) {
        let (now, item) = (self.now, self.catalog.get(instrument));
        let (Some(symbol), Some(floor)) = (item.map(|item| item.symbol.clone()), self.floor.venue_mut(venue)) else { return };
        floor.on_last_sale(now, &symbol, traded, true);
        self.traded(instrument, traded, true);
    }

    /// What may go wrong at a venue itself.
    pub fn set_venue_faults(&mut self, venue: Mic, faults: Faults) {
        let now = self.now;
        if let Some(venue) = self.floor.venue_mut(venue) {
            venue.set_faults(now, faults);
        }
    }

    /// Says something to the client of an order, about it.
    pub fn remark(&mut self, perm_id: i64, code: i32, text: &str) {
        self.notice_order(perm_id, code, text);
    }

    /// Every order that was ever taken.
    pub fn standing(&self) -> impl Iterator<Item = Standing<'_>> {
        self.orders.by_perm.values().map(|order| Standing {
            order_ref: &order.terms.order_ref,
            perm_id: order.perm,
            order_id: order.order_id,
            is_done: order.done,
            is_filled: order.status == Status::Filled,
            order_qty: order.qty(),
            limit: order.terms.limit.and_then(Number::price),
            cum_qty: order.cum,
        })
    }

    /// Every execution, by its latest figures, and what it cost.
    pub fn executions(&self) -> impl Iterator<Item = (&ExecutionReport, Option<&Commission>)> {
        self.executions.iter().map(|done| (&done.report, done.commission.as_ref()))
    }

    /// Every execution since then, and when it was done.
    pub fn executed_since(&self, since: Time) -> impl Iterator<Item = (&ExecutionReport, Time)> {
        self.executions.iter().filter(move |done| since <= done.at).map(|done| (&done.report, done.at))
    }

    /// What an account holds; short is below zero.
    #[must_use]
    pub fn position(&self, account: &str, instrument: InstrumentId) -> Qty {
        self.account(account).and_then(|account| account.holdings.get(&instrument)).map_or(Qty::ZERO, |holding| holding.qty)
    }

    /// The references of orders that work, and the permanent id of each.
    #[must_use]
    pub fn working(&self) -> Vec<(String, i64)> {
        self.standing().filter(|order| !order.is_done).map(|order| (order.order_ref.to_owned(), order.perm_id)).collect()
    }

    /// The references of every order that was ever taken.
    #[must_use]
    pub fn taken(&self) -> Vec<String> {
        self.standing().map(|order| order.order_ref.to_owned()).collect()
    }

    /// Every execution: the reference of its order, its id, how much.
    #[must_use]
    pub fn executed(&self) -> Vec<(String, String, Qty)> {
        let row = |(report, _): (&ExecutionReport, Option<&Commission>)| {
            let execution = &report.execution;
            (execution.order_ref.clone(), execution.exec_id.clone(), execution.shares.0.qty().unwrap_or_default())
        };
        self.executions().map(row).collect()
    }
}
