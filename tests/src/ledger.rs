//! What the paper venues say happened: their ledgers, which outlive the desk.

use oms_model::{IntentKind, Notional, Qty, Side, WireId};
use oms_venues::paper::ledger::{LedgerRecord, read_ledger};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What was bought and sold of one instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Bought.
    pub bought_qty: Qty,
    /// Sold.
    pub sold_qty: Qty,
    /// Paid.
    pub bought_notional: Notional,
    /// Received.
    pub sold_notional: Notional,
    /// Fees.
    pub fees: Notional,
}

impl Sums {
    /// Adds an execution.
    pub fn add(&mut self, is_buy: bool, qty: Qty, notional: Notional, fee: Notional) {
        if is_buy {
            self.bought_qty = self.bought_qty.saturating_add(qty);
            self.bought_notional = self.bought_notional.saturating_add(notional);
        } else {
            self.sold_qty = self.sold_qty.saturating_add(qty);
            self.sold_notional = self.sold_notional.saturating_add(notional);
        }
        self.fees = self.fees.saturating_add(fee);
    }
}

/// Every venue's ledger, summed up.
#[derive(Clone, Debug, Default)]
pub struct Venues {
    /// By symbol.
    pub sums: BTreeMap<String, Sums>,
    /// Every new order's wire id that a venue ever took or refused.
    pub orders: BTreeSet<WireId>,
    /// (venue, execution id) of every fill.
    pub fills: BTreeSet<(String, String)>,
    /// Requests that reached a venue twice.
    pub twice: Vec<String>,
}

impl Venues {
    /// Reads the ledgers of the desk in `dir`.
    ///
    /// # Panics
    /// Where a ledger is damaged, or says something that cannot be.
    #[must_use]
    pub fn read(dir: &Path) -> Self {
        let mut venues = Self::default();
        let Ok(folder) = std::fs::read_dir(dir.join("venues")) else { return venues };
        for entry in folder {
            let path = entry.unwrap().path();
            let venue = path.file_stem().unwrap().to_string_lossy().into_owned();
            let records = read_ledger(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            venues.add(&venue, &records);
        }
        venues
    }

    fn add(&mut self, venue: &str, records: &[LedgerRecord]) {
        let mut orders: BTreeMap<u64, (String, Side)> = BTreeMap::new();
        let mut requests: BTreeSet<&WireId> = BTreeSet::new();
        for record in records {
            match record {
                LedgerRecord::Accepted { number, order, .. } | LedgerRecord::Rejected { number, order, .. } => {
                    if !self.orders.insert(order.wire_id.clone()) {
                        self.twice.push(format!("{venue}: order {}", order.wire_id));
                    }
                    orders.insert(*number, (order.symbol.to_string(), order.side));
                }
                LedgerRecord::Filled { number, fill, .. } => {
                    let (symbol, side) =
                        orders.get(number).unwrap_or_else(|| panic!("{venue}: a fill of order {number}, which it never took"));
                    assert!(self.fills.insert((venue.to_owned(), fill.exec_id.to_string())), "{venue}: execution {} twice", fill.exec_id);
                    let notional = fill.last_px.notional(fill.last_qty).unwrap();
                    let fee = fill.fee_per_unit.notional(fill.last_qty).unwrap();
                    self.sums.entry(symbol.clone()).or_default().add(side.is_buy(), fill.last_qty, notional, fee);
                }
                LedgerRecord::Replaced { wire_id, .. } => {
                    if !requests.insert(wire_id) {
                        self.twice.push(format!("{venue}: replace {wire_id}"));
                    }
                }
                LedgerRecord::Duplicate { wire_id, kind, .. } => self.twice.push(format!("{venue}: {} {wire_id}", name(*kind))),
                LedgerRecord::Canceled { .. }
                | LedgerRecord::RequestRejected { .. }
                | LedgerRecord::Elected { .. }
                | LedgerRecord::Expired { .. } => (),
            }
        }
    }
}

fn name(kind: IntentKind) -> &'static str {
    match kind {
        IntentKind::New => "order",
        IntentKind::Cancel => "cancel",
        IntentKind::Replace => "replace",
    }
}
