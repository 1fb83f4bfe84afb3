//! The suite, run on the paper ports.

use std::collections::BTreeMap;
use std::sync::Arc;

use oms_model::Mic;

use super::*;
use crate::floor::{Floor, FloorConfig, FloorEvent, Ledgers, PaperPort, SharedFloor};
use crate::paper::profile::VENUES;
use crate::replay::{RawKind, RawTick, Recording, Shown, Slice};

/// One venue on an empty market that the rig moves by hand.
struct PaperRig {
    config: FloorConfig,
    floor: SharedFloor,
    port: PaperPort,
    quotes: BTreeMap<bool, Option<Shown>>,
}

const VENUE: Mic = Mic::of(b"XNAS");
const SYMBOL: &str = "BAC";

fn silent_market() -> Arc<Recording> {
    let tick = RawTick { millis: 0, symbol: 0, venue: 0, kind: RawKind::TradeOther, price_e4: 1, size: 1 };
    let slice = Slice { start_ns: 0, length_ns: 1_000_000, symbols: vec![SYMBOL.to_owned()], venues: vec![*b"FINN"], ticks: vec![tick] };
    Arc::new(Recording::from_slice(slice).unwrap())
}

fn open(config: &FloorConfig) -> (SharedFloor, PaperPort) {
    let floor = SharedFloor::driven(Floor::open(config.clone()).unwrap());
    let port = floor.ports().pop().unwrap();
    (floor, port)
}

impl PaperRig {
    fn new(seed: u64) -> Self {
        let venues: Vec<_> = VENUES.into_iter().filter(|profile| profile.mic == VENUE).collect();
        let instruments = vec![(Symbol::new(SYMBOL).unwrap(), InstrumentId(7))];
        let ledgers = Ledgers::memory(&venues);
        let config = FloorConfig {
            venues,
            seed,
            repeat: false,
            refresh_ns: 0,
            ..FloorConfig::new(silent_market(), instruments, Time(1_000), ledgers)
        };
        let (floor, port) = open(&config);
        let mut rig = Self { config, floor, port, quotes: BTreeMap::new() };
        rig.settle();
        rig
    }

    fn show(&mut self, side: Side, shown: Option<Shown>) {
        let symbol = self.instrument().1;
        let mut floor = self.floor.lock();
        let now = floor.now();
        floor.venue_mut(VENUE).unwrap().on_quote(now, &symbol, side, shown);
    }
}

impl Rig for PaperRig {
    fn port(&mut self) -> &mut dyn VenuePort {
        &mut self.port
    }

    fn instrument(&self) -> (InstrumentId, Symbol) {
        (InstrumentId(7), Symbol::new(SYMBOL).unwrap())
    }

    fn now(&self) -> Time {
        self.floor.lock().now()
    }

    fn quote(&mut self, side: Side, shown: Option<(Price, Qty)>) {
        let shown = shown.map(|(price, size)| Shown { price, size });
        self.quotes.insert(side.is_buy(), shown);
        self.show(side, shown);
    }

    fn trade(&mut self, price: Price, qty: Qty) {
        let symbol = self.instrument().1;
        let mut floor = self.floor.lock();
        let now = floor.now();
        floor.venue_mut(VENUE).unwrap().on_last_sale(now, &symbol, Shown { price, size: qty }, true);
    }

    fn settle(&mut self) -> Vec<Report> {
        let mut events = Vec::new();
        let mut floor = self.floor.lock();
        let until = floor.now().plus(60_000_000_000);
        while floor.step(until, &mut events) {}
        let report = |event| match event {
            FloorEvent::Report(report) => Some(report),
            FloorEvent::Quote { .. } | FloorEvent::Trade { .. } => None,
        };
        events.into_iter().filter_map(report).collect()
    }

    fn set_faults(&mut self, faults: Faults) {
        assert!(self.floor.set_faults(VENUE, faults));
    }

    fn restart(&mut self) {
        self.config.start = self.now();
        (self.floor, self.port) = open(&self.config);
        for (bid, shown) in self.quotes.clone() {
            // The market goes on at the next row, which is a new one.
            if let Some(shown) = shown {
                self.show(if bid { Side::Buy } else { Side::Sell }, Some(Shown { price: cents(3000), ..shown }));
            }
        }
    }
}

crate::venue_port_suite!(paper_one, PaperRig::new(1));
crate::venue_port_suite!(paper_two, PaperRig::new(0xfeed));

#[test]
fn the_storm_finds_nothing_on_many_seeds() {
    for seed in 0..40 {
        if let Err(violation) = every_fault_at_once(&mut PaperRig::new(seed)) {
            panic!("seed {seed}: {violation}");
        }
    }
}
