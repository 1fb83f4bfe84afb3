//! A partition with eight venues and quotes, and orders for it.

use oms_engine::input::IdempotencyKey;
use oms_model::command::{Command, CommandOutcome};
use oms_model::limit::{LimitType, RiskLimit, Scope};
use oms_model::report::{Report, ReportBody};
use oms_model::{Mic, Side, Time, TraceId};
use oms_runtime::port::{MarketSink, ReportSink};
use oms_runtime::{Clock, Config, MarketBook, Partition, Request, start};
use oms_store::{EmbeddedJournal, Journal, OpenCheck};
use oms_testkit::fixture::{OPEN, actor, configured, dec, limit_order, setup};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The venues of the demo.
pub const VENUES: [&[u8; 4]; 8] = [b"ARCX", b"BATS", b"BATY", b"EDGA", b"EDGX", b"XBOS", b"XNAS", b"XNYS"];

/// How far the clock moves each time it is read, nanoseconds. It is read at least twice for an order, so that a second of
/// it holds fewer orders than the highest order rate that can be set.
const TICK_NS: i64 = 10_000;

/// A clock that moves by a tick each time it is read, however long a bench takes.
struct BenchClock(AtomicI64);

impl Clock for BenchClock {
    fn now(&self) -> Time {
        Time(self.0.fetch_add(TICK_NS, Ordering::Relaxed))
    }
}

/// A partition over a log in `dir`, set up if the log is empty.
pub fn partition(dir: &Path, snapshot_on_stop: bool) -> Partition {
    let journal = EmbeddedJournal::open_dir(dir, oms_store::Config { check: OpenCheck::Tail, ..oms_store::Config::default() }).unwrap();
    over(Box::new(journal), Arc::new(MarketBook::new()), snapshot_on_stop)
}

/// A partition over this log, with this market.
pub fn over(journal: Box<dyn Journal>, market: Arc<MarketBook>, snapshot_on_stop: bool) -> Partition {
    with_clock(journal, market, snapshot_on_stop, Arc::new(BenchClock(AtomicI64::new(OPEN.0))))
}

/// A partition over this log, with this market and this clock.
pub fn with_clock(journal: Box<dyn Journal>, market: Arc<MarketBook>, snapshot_on_stop: bool, clock: Arc<dyn Clock>) -> Partition {
    // Nobody hands these orders over, and none of them is overdue for it while a bench runs.
    let engine = oms_engine::Config { send_within_ns: 3_600_000_000_000, ..oms_engine::Config::default() };
    let config = Config { snapshot_on_stop, engine, ..Config::default() };
    let partition = start(journal, config, clock, market.clone(), Box::new(|fault| panic!("{fault}"))).unwrap();
    if partition.recovery().events + partition.recovery().snapshot_seq == 0 {
        set_up(&partition, &market);
    }
    partition
}

fn set_up(partition: &Partition, market: &MarketBook) {
    for command in setup() {
        admin(partition, command);
    }
    for code in VENUES {
        let venue = Mic::of(code);
        admin(partition, Command::ConfigureVenue(Box::new(configured(venue))));
        partition.handle().report(Report { venue, transact_time: OPEN, body: ReportBody::SessionUp }).unwrap();
    }
    for (limit_type, value) in [
        (LimitType::PriceCollarPct, "90"),
        (LimitType::MaxOrderQty, "1000000"),
        (LimitType::MaxOrderNotional, "100000000"),
        (LimitType::OrderRate, "100000"),
        (LimitType::MaxOpenOrders, "100000000"),
        (LimitType::MaxPositionQty, "1000000000000"),
    ] {
        admin(partition, Command::SetRiskLimit(RiskLimit { limit_type, scope: Scope::Tenant, value: dec(value), ..RiskLimit::default() }));
    }
    let instruments = partition.handle().inspect_blocking(|state, _| state.instruments().to_vec()).unwrap();
    for instrument in instruments {
        for code in VENUES {
            // Dated ahead, so that quotes stay fresh for as long as a bench takes.
            let at = Time(OPEN.0 + 3_600_000_000_000);
            market.quote(instrument.instrument_id, Mic::of(code), true, Some((dec("20.00"), dec("500"))), at);
            market.quote(instrument.instrument_id, Mic::of(code), false, Some((dec("20.02"), dec("700"))), at);
        }
    }
}

/// A command of the desk that must be done.
pub fn admin(partition: &Partition, command: Command) {
    let request = Request { actor: actor(), trace_id: TraceId::default(), idempotency: None, command };
    assert_eq!(partition.handle().execute_blocking(request).unwrap().outcome, CommandOutcome::Done);
}

/// The `number`th order, with an idempotency key of its own.
pub fn order(number: u64) -> Request {
    let price = format!("19.{:02}", number % 90 + 10);
    // One in a hundred is of the other instrument.
    let symbol = if number % 100 == 99 { "ABC" } else { "XYZ" };
    let order = limit_order(&format!("C{number:015}"), Side::Buy, &(number % 50 + 1).to_string(), symbol, &price);
    let idempotency = Some(IdempotencyKey { key: u128::from(number) << 64 | 7, fingerprint: [7; 32] });
    Request { actor: actor(), trace_id: TraceId::default(), idempotency, command: Command::CreateOrder(Box::new(order)) }
}
