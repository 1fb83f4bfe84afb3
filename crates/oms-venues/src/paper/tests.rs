use oms_model::{InstrumentId, IntentKind, Liquidity, OrdType, OrderId, Price, Qty, TimeInForce};
use oms_runtime::port::{Answer, WireCancel, WireOrder, WireReplace};

use super::ledger::{FileLedger, MemoryLedger, decode, encode, read_ledger};
use super::*;

mod dealt;
mod fills;
mod memory;

/// One venue without latency, and everything it says.
struct Desk {
    venue: PaperVenue,
    ledger: MemoryLedger,
    now: Time,
}

fn symbol() -> Symbol {
    Symbol::new("BAC").unwrap()
}

fn price(cents: i64) -> Price {
    Price::from_raw(cents * 10_000_000)
}

fn qty(shares: i64) -> Qty {
    Qty::from_units(shares).unwrap()
}

fn wire(order: u128, revision: u32) -> WireId {
    WireId::derive(OrderId::from_u128(order), revision)
}

fn profile() -> VenueProfile {
    VenueProfile { latency_ns: 0, jitter_ns: 0, queue_ahead_permille: 1000, ..VenueProfile::of(oms_model::Mic::of(b"XNYS")).unwrap() }
}

fn order(id: u128, side: Side, shares: i64, cents: i64) -> WireOrder {
    WireOrder {
        wire_id: wire(id, 0),
        instrument: InstrumentId(1),
        symbol: symbol(),
        side,
        ord_type: OrdType::Limit,
        order_qty: qty(shares),
        cash_order_qty: None,
        quote_ref: None,
        price: Some(price(cents)),
        stop_px: None,
        time_in_force: TimeInForce::Day,
        expire_at: None,
        deadline: Time(i64::MAX),
    }
}

fn stop(id: u128, side: Side, shares: i64, cents: i64) -> WireOrder {
    WireOrder { ord_type: OrdType::Stop, price: None, stop_px: Some(price(cents)), ..order(id, side, shares, 1) }
}

fn market(id: u128, side: Side, shares: i64) -> WireOrder {
    WireOrder { ord_type: OrdType::Market, price: None, ..order(id, side, shares, 1) }
}

impl Desk {
    fn new() -> Self {
        let ledger = MemoryLedger::new();
        let mut venue = PaperVenue::open(profile(), 1, Box::new(ledger.clone()), &[]).unwrap();
        venue.list(&symbol());
        Self { venue, ledger, now: Time(0) }
    }

    fn told(&mut self) -> Vec<String> {
        self.venue.advance(self.now);
        let mut told = Vec::new();
        while let Some(report) = self.venue.poll(self.now) {
            told.push(words(&report.body));
        }
        self.now = self.now.plus(1_000);
        told
    }

    fn bid(&mut self, cents: i64, size: i64) -> Vec<String> {
        self.row(Side::Buy, Some((cents, size)))
    }

    fn ask(&mut self, cents: i64, size: i64) -> Vec<String> {
        self.row(Side::Sell, Some((cents, size)))
    }

    fn row(&mut self, side: Side, row: Option<(i64, i64)>) -> Vec<String> {
        let shown = row.map(|(cents, size)| Shown { price: price(cents), size: qty(size) });
        self.venue.on_quote(self.now, &symbol(), side, shown);
        self.told()
    }

    fn trade(&mut self, cents: i64, size: i64) -> Vec<String> {
        self.venue.on_last_sale(self.now, &symbol(), Shown { price: price(cents), size: qty(size) }, true);
        self.told()
    }

    fn elsewhere(&mut self, cents: i64) -> Vec<String> {
        self.venue.on_last_sale(self.now, &symbol(), Shown { price: price(cents), size: qty(100) }, false);
        self.told()
    }

    fn send(&mut self, order: WireOrder) -> Vec<String> {
        assert_eq!(self.venue.submit(self.now, Request::New(order)), Handed::Over);
        self.told()
    }

    fn cancel(&mut self, id: u128, revision: u32) -> Vec<String> {
        let request = WireCancel { wire_id: wire(id, revision), orig_wire_id: wire(id, 0), deadline: Time(i64::MAX) };
        assert_eq!(self.venue.submit(self.now, Request::Cancel(request)), Handed::Over);
        self.told()
    }

    fn replace(&mut self, id: u128, revision: u32, shares: i64, cents: i64) -> Vec<String> {
        let request = WireReplace {
            wire_id: wire(id, revision),
            orig_wire_id: wire(id, 0),
            order_qty: qty(shares),
            price: Some(price(cents)),
            stop_px: Some(price(cents)),
            deadline: Time(i64::MAX),
        };
        assert_eq!(self.venue.submit(self.now, Request::Replace(request)), Handed::Over);
        self.told()
    }
}

fn words(body: &ReportBody) -> String {
    let id = |wire_id: &WireId| {
        let (order, revision) = wire_id.parts().unwrap();
        format!("{}-{revision}", order.as_u128())
    };
    match body {
        ReportBody::Accepted { wire_id, .. } => format!("{} accepted", id(wire_id)),
        ReportBody::Rejected { wire_id, text } => format!("{} rejected: {text}", id(wire_id)),
        ReportBody::Fill { wire_id, fill } => {
            let made = if fill.liquidity == Liquidity::Added { "made" } else { "took" };
            format!("{} {made} {} @ {}", id(wire_id), fill.last_qty, fill.last_px)
        }
        ReportBody::Busted { wire_id, exec_ref, .. } => format!("{} busted {exec_ref}", id(wire_id)),
        ReportBody::Corrected { wire_id, exec_ref, .. } => format!("{} corrected {exec_ref}", id(wire_id)),
        ReportBody::Commission { wire_id, exec_id, .. } => format!("{} cost of {exec_id}", id(wire_id)),
        ReportBody::Canceled { wire_id, .. } => format!("{} canceled", id(wire_id)),
        ReportBody::CancelRejected { wire_id, text } => format!("{} cancel rejected: {text}", id(wire_id)),
        ReportBody::Replaced { wire_id, .. } => format!("{} replaced", id(wire_id)),
        ReportBody::ReplaceRejected { wire_id, text } => format!("{} replace rejected: {text}", id(wire_id)),
        ReportBody::Expired { wire_id } => format!("{} expired", id(wire_id)),
        ReportBody::SessionDown { .. } => "down".to_owned(),
        ReportBody::SessionUp | ReportBody::Unknown { .. } | ReportBody::NotSent { .. } | ReportBody::Resolved { .. } => {
            panic!("not a venue's words: {body:?}")
        }
    }
}
