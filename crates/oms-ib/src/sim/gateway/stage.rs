//! For tests: a small market, and one that they move themselves.

use std::sync::Arc;

use oms_model::{InstrumentId, Mic, Side, Symbol};
use oms_venues::paper::faults::Faults;
use oms_venues::replay::{Recording, Shown};
use oms_venues::synthetic::{SyntheticBook, slice};

use super::Gateway;

/// IBM on one exchange, which moves a tick each second, fifty shares on each side.
pub(crate) fn ibm(seconds: u32) -> Arc<Recording> {
    let symbol = Symbol::new("IBM").unwrap();
    let book = SyntheticBook { symbol, venue: *b"XNYS", mid_e4: 1_840_000, tick_e4: 100, half_spread: 1, size: 50 };
    Arc::new(Recording::from_slice(slice(&[book], 7, 0, seconds)).unwrap())
}

impl Gateway {
    /// A venue's own quote of one side.
    pub(crate) fn show(&mut self, venue: Mic, instrument: InstrumentId, side: Side, shown: Option<Shown>) {
        let symbol = self.catalog.get(instrument).unwrap().symbol.clone();
        let now = self.now;
        self.floor.venue_mut(venue).unwrap().on_quote(now, &symbol, side, shown);
        self.quoted(instrument, venue, side, shown);
    }

    /// A last sale at a venue.
    pub(crate) fn print(&mut self, venue: Mic, instrument: InstrumentId, traded: Shown) {
        let symbol = self.catalog.get(instrument).unwrap().symbol.clone();
        let now = self.now;
        self.floor.venue_mut(venue).unwrap().on_last_sale(now, &symbol, traded, true);
        self.traded(instrument, traded, true);
    }

    /// What may go wrong at a venue itself.
    pub(crate) fn set_venue_faults(&mut self, venue: Mic, faults: Faults) {
        let now = self.now;
        self.floor.venue_mut(venue).unwrap().set_faults(now, faults);
    }

    /// Orders that work, as the gateway has them: the reference and the permanent id of each.
    pub(crate) fn working(&self) -> Vec<(String, i64)> {
        self.orders.working().map(|order| (order.terms.order_ref.clone(), order.perm)).collect()
    }

    /// Every order that was ever taken.
    pub(crate) fn taken(&self) -> Vec<String> {
        self.orders.by_perm.values().map(|order| order.terms.order_ref.clone()).collect()
    }

    /// Every execution: the reference of its order, its id, how much.
    pub(crate) fn executed(&self) -> Vec<(String, String, oms_model::Qty)> {
        let row = |done: &super::Done| {
            let execution = &done.report.execution;
            (execution.order_ref.clone(), execution.exec_id.clone(), execution.shares.0.qty().unwrap())
        };
        self.executions.iter().map(row).collect()
    }
}
