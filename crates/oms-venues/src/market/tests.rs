use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use oms_model::report::{Report, ReportBody};
use oms_model::{InstrumentId, OrdType, OrderId, Price, Qty, Side, Symbol, Time, TimeInForce, WireId};
use oms_runtime::port::{Handed, SinkClosed, WireOrder};

use super::*;
use crate::floor::{Ledgers, wall_time};
use crate::paper::ledger::read_ledger;
use crate::paper::profile::VENUES;
use crate::replay::Recording;

/// Longer than any test takes; not waited for when things go well.
const PATIENCE: Duration = Duration::from_secs(20);

struct Reports(Mutex<SyncSender<Report>>);

impl ReportSink for Reports {
    fn report(&self, report: Report) -> Result<(), SinkClosed> {
        self.0.lock().unwrap().send(report).map_err(|_| SinkClosed)
    }
}

/// Offers as they are published.
struct Offers(Mutex<SyncSender<(Mic, Price)>>);

impl MarketSink for Offers {
    fn quote(&self, instrument: InstrumentId, venue: Mic, bid_side: bool, level: Option<(Price, Qty)>, received_at: Time) {
        assert!(wall_time().since(received_at).abs() < 10_000_000_000, "ticks carry the current time");
        if let (InstrumentId(1), false, Some((price, _))) = (instrument, bid_side, level) {
            // A full channel means that enough were seen.
            let _ = self.0.lock().unwrap().try_send((venue, price));
        }
    }

    fn trade(&self, _: InstrumentId, _: Option<Mic>, _: Price, _: Qty, _: Time) {}
}

struct Running {
    market: PaperMarket,
    offers: Receiver<(Mic, Price)>,
    reports: Receiver<Report>,
}

fn start(speed: Speed, ledgers: Ledgers) -> Running {
    let recording = Arc::new(Recording::embedded().unwrap());
    let instruments = vec![(Symbol::new("BAC").unwrap(), InstrumentId(1))];
    let config = FloorConfig { speed, ..FloorConfig::new(recording, instruments, wall_time(), ledgers) };
    let (offer_sender, offers) = sync_channel(64);
    let (report_sender, reports) = sync_channel(64);
    let market = PaperMarket::start(config, Arc::new(Offers(Mutex::new(offer_sender))), Arc::new(Reports(Mutex::new(report_sender))));
    Running { market: market.unwrap(), offers, reports }
}

fn buy(venue_price: Price) -> WireOrder {
    WireOrder {
        wire_id: WireId::derive(OrderId::from_u128(1), 0),
        instrument: InstrumentId(1),
        symbol: Symbol::new("BAC").unwrap(),
        side: Side::Buy,
        ord_type: OrdType::Limit,
        order_qty: Qty::from_units(100).unwrap(),
        cash_order_qty: None,
        quote_ref: None,
        price: Price::from_units(1).and_then(|more| venue_price.checked_add(more)),
        stop_px: None,
        time_in_force: TimeInForce::Day,
        expire_at: None,
        deadline: wall_time().plus(60_000_000_000),
    }
}

/// Sends one order to a venue that shows an offer, and waits for its fill.
fn trade_once(running: &Running) -> Mic {
    let paper = |venue: &Mic| VENUES.iter().any(|profile| profile.mic == *venue);
    let (venue, price) = std::iter::from_fn(|| running.offers.recv_timeout(PATIENCE).ok()).find(|(v, _)| paper(v)).unwrap();
    let mut port = running.market.ports().into_iter().find(|port| port.venue() == venue).unwrap();
    assert_eq!(port.send(&buy(price)), Handed::Over);
    let mut told = std::iter::from_fn(|| running.reports.recv_timeout(PATIENCE).ok());
    let fill = told.find(|report| matches!(report.body, ReportBody::Fill { .. }));
    assert_eq!(fill.map(|report| report.venue), Some(venue));
    venue
}

#[test]
fn an_order_is_filled_on_the_wall_clock_and_the_ledger_knows() {
    let folder = std::env::temp_dir().join(format!("oms-market-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let running = start(Speed::Times(10), Ledgers::Folder(folder.clone()));
    let venue = trade_once(&running);
    let stats = running.market.stats();
    assert!(stats.iter().any(|(mic, stats)| *mic == venue && stats.fills > 0 && stats.duplicates_seen == 0));
    running.market.stop();
    assert!(read_ledger(&folder.join(format!("{venue}.ledger"))).unwrap().len() >= 2);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn unpaced_the_recording_begins_again_and_orders_are_filled() {
    let running = start(Speed::AsFastAsPossible, Ledgers::memory(&VENUES));
    trade_once(&running);
    let deadline = std::time::Instant::now() + PATIENCE;
    while running.market.floor().lock().round() < 2 {
        assert!(std::time::Instant::now() < deadline, "the recording does not end");
        std::thread::yield_now();
    }
    running.market.stop();
}

#[test]
fn a_closed_sink_ends_the_thread_and_a_full_one_does_not_block_handing_over() {
    let running = start(Speed::Times(1), Ledgers::memory(&VENUES));
    // Nobody reads reports: the thread waits in a full channel, ports still answer.
    let mut ports = running.market.ports();
    for id in 0..400 {
        let order = WireOrder { wire_id: WireId::derive(OrderId::from_u128(id), 0), ..buy(Price::ZERO) };
        assert_eq!(ports[0].send(&order), Handed::Over);
    }
    drop(running.reports);
    running.market.stop();
}

/// The newest quote that the thread which opens the market was given.
struct Newest(std::thread::ThreadId, Mutex<Time>);

impl MarketSink for Newest {
    fn quote(&self, _: InstrumentId, _: Mic, _: bool, _: Option<(Price, Qty)>, received_at: Time) {
        if std::thread::current().id() == self.0 {
            let mut newest = self.1.lock().unwrap();
            *newest = received_at.max(*newest);
        }
    }

    fn trade(&self, _: InstrumentId, _: Option<Mic>, _: Price, _: Qty, _: Time) {}
}

#[test]
fn a_market_that_began_before_it_opens_has_no_quotes_of_back_then() {
    let began = wall_time().plus(-90_000_000_000);
    let config = || {
        let instruments = ["AIG", "BAC", "IBM"].into_iter().zip(1..).map(|(symbol, id)| (Symbol::new(symbol).unwrap(), InstrumentId(id)));
        let recording = Arc::new(Recording::embedded().unwrap());
        FloorConfig { speed: Speed::Times(1), ..FloorConfig::new(recording, instruments.collect(), began, Ledgers::memory(&VENUES)) }
    };
    let mut shown = Vec::new();
    assert!(Floor::open(config()).unwrap().advance(began.plus(90_000_000_000), usize::MAX, &mut shown));
    assert!(BATCH < shown.len(), "{}: all of it fits into one batch", shown.len());
    let due = shown.iter().filter_map(|event| if let FloorEvent::Quote { at, .. } = event { Some(*at) } else { None }).max();
    let newest = Arc::new(Newest(std::thread::current().id(), Mutex::new(Time(0))));
    let (reports, _told) = sync_channel(64);
    let market = PaperMarket::start(config(), Arc::clone(&newest) as Arc<dyn MarketSink>, Arc::new(Reports(Mutex::new(reports)))).unwrap();
    let given = *newest.1.lock().unwrap();
    assert!(due <= Some(given), "given up to {given:?}; due {due:?}");
    market.stop();
}
