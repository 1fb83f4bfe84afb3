//! One order through the engine: checks with every limit set, route over eight venues, fold; with 1 thousand,
//! 100 thousand and 1 million orders open. Prints nanoseconds for each and bytes of memory for each open order; then a
//! move of the market with as many stops held here, which reaches none of them or one.
//!
//! `cargo bench -p oms-engine`

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::float_arithmetic,
    clippy::disallowed_methods,
    reason = "a bench"
)]

use oms_engine::input::{IdempotencyKey, InputBody};
use oms_model::command::{Command, CommandOutcome, NewOrder, Placed};
use oms_model::instrument::Venue;
use oms_model::limit::{LimitType, RiskLimit, Scope};
use oms_model::report::ReportBody;
use oms_model::{Mic, OrdType, Side, WireId};
use oms_testkit::fixture::{ACCOUNT, Desk, actor, dec, limit_order};
use std::time::Instant;

// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EIGHT: [&[u8; 4]; 8] = [b"ARCX", b"BATS", b"BATY", b"EDGA", b"EDGX", b"XBOS", b"XNAS", b"XNYS"];
const SYMBOLS: [&str; 2] = ["XYZ", "ABC"];

fn main() {
    println!("{:>12} {:>12} {:>12} {:>12} {:>16}", "open orders", "ns p50", "ns p99", "ns mean", "bytes per order");
    for open in [1_000, 100_000, 1_000_000] {
        measure(open);
    }
    println!("{:>12} {:>12} {:>12} {:>12} {:>16}", "held stops", "ns none p50", "ns none p99", "ns one p50", "ns order p50");
    for held in [1_000, 100_000, 1_000_000] {
        measure_moves(held);
    }
}

/// A move of the market with so many stops held here: one that reaches none of them, and one that triggers one.
fn measure_moves(held: u64) {
    let mut desk = desk();
    let mut number = 0;
    let price = |cents: u64| dec(&format!("{}.{:02}", cents / 100, cents % 100));
    while desk.engine.state().open_roots() < held {
        number += 1;
        let mut stop = new_order(number);
        (stop.symbol, stop.side, stop.ord_type, stop.price) = ("XYZ".parse().unwrap(), Side::Sell, OrdType::Stop, None);
        // Far below the market, and each a little away from the one before.
        stop.stop_px = Some(price(500 + number % 1_000));
        stop.instructions.emulate = true;
        let output = submit(&mut desk, stop, number);
        let Some(CommandOutcome::Orders(placed)) = output.outcome else { panic!("an order is placed") };
        assert!(matches!(placed[0], Placed::Accepted { .. }), "{placed:?}");
    }
    let timed = |desk: &mut Desk, step: &mut dyn FnMut(&mut Desk)| {
        let began = Instant::now();
        step(desk);
        began.elapsed().as_nanos()
    };
    let median = |mut times: Vec<u128>| {
        times.sort_unstable();
        (times[times.len() / 2], times[times.len() * 99 / 100])
    };
    let none = (0..20_000).map(|at| timed(&mut desk, &mut |desk| desk.trade("XYZ", price(1_900 + at % 100), dec("100")))).collect();
    let (none, none_p99) = median(none);
    let one = (0..1_000)
        .map(|_| {
            number += 1;
            let mut stop = new_order(number);
            (stop.symbol, stop.side, stop.ord_type, stop.price) = ("XYZ".parse().unwrap(), Side::Sell, OrdType::Stop, None);
            (stop.stop_px, stop.instructions.emulate) = (Some(price(1_800)), true);
            desk.trade("XYZ", price(1_950), dec("100"));
            submit(&mut desk, stop, number);
            timed(&mut desk, &mut |desk| desk.trade("XYZ", price(1_800), dec("100")))
        })
        .collect();
    let (one, _) = median(one);
    let order = (0..5_000)
        .map(|_| {
            number += 1;
            let order = new_order(number);
            timed(&mut desk, &mut |desk| drop(submit(desk, order.clone(), number)))
        })
        .collect();
    let (order, _) = median(order);
    println!("{held:>12} {none:>12} {none_p99:>12} {one:>12} {order:>16}");
}

fn measure(open: u64) {
    let before = resident();
    let mut desk = desk();
    let mut number = 0;
    while desk.engine.state().open_roots() < open {
        number += 1;
        place(&mut desk, number);
        acknowledge(&mut desk);
    }
    let each = resident().saturating_sub(before) / open;
    let mut times: Vec<u128> = (0..20_000)
        .map(|_| {
            number += 1;
            let order = new_order(number);
            let began = Instant::now();
            submit(&mut desk, order, number);
            began.elapsed().as_nanos()
        })
        .collect();
    times.sort_unstable();
    let mean = times.iter().sum::<u128>() / times.len() as u128;
    println!("{open:>12} {:>12} {:>12} {mean:>12} {each:>16}", times[times.len() / 2], times[times.len() * 99 / 100]);
}

fn desk() -> Desk {
    let mut desk = Desk::new();
    for (at, code) in EIGHT.into_iter().enumerate() {
        let venue = Mic::of(code);
        desk.command(Command::ConfigureVenue(Box::new(Venue {
            venue,
            name: venue.to_string(),
            maker_fee: dec("-0.002"),
            taker_fee: dec("0.003"),
            latency_prior_ns: 300_000 + 50_000 * at as u64,
            fill_prior_ppm: 500_000,
            fill_prior_weight: 10,
            enabled: true,
            lacks_stops: false,
            lacks_gtd: false,
        })));
        desk.report(venue, ReportBody::SessionUp);
        for symbol in SYMBOLS {
            desk.quote(symbol, venue, Some((dec("20.00"), dec("500"))), Some((dec("20.02"), dec("700"))));
        }
    }
    let bounds = [
        (LimitType::DuplicateWindow, "0.001"),
        (LimitType::PriceCollarPct, "90"),
        (LimitType::MaxOrderQty, "1000000"),
        (LimitType::MaxOrderNotional, "100000000"),
        (LimitType::OrderRate, "100000"),
        (LimitType::MaxOpenOrders, "100000000"),
        (LimitType::MaxOpenNotional, "1000000000000000"),
        (LimitType::MaxPositionQty, "1000000000000"),
        (LimitType::MaxPositionNotional, "1000000000000000"),
        (LimitType::MaxQuoteAge, "86400"),
    ];
    for (limit_type, value) in bounds {
        for scope in [Scope::Tenant, Scope::Account(ACCOUNT)] {
            let limit = RiskLimit { limit_type, scope, value: dec(value), ..RiskLimit::default() };
            let output = desk.command(Command::SetRiskLimit(limit));
            assert_eq!(output.outcome, Some(CommandOutcome::Done));
        }
    }
    desk
}

fn new_order(number: u64) -> NewOrder {
    // Quotes stay fresh because the clock moves by little; every order differs from the one before it.
    let price = format!("19.{:02}", number % 90 + 10);
    let id = format!("C{number:015}");
    limit_order(&id, Side::Buy, &(number % 50 + 1).to_string(), SYMBOLS[(number % 2) as usize], &price)
}

fn submit(desk: &mut Desk, order: NewOrder, number: u64) -> oms_engine::Output {
    desk.now = desk.now.plus(20_000);
    let key = IdempotencyKey { key: u128::from(number) << 64 | 7, fingerprint: [number as u8; 32] };
    let command = Command::CreateOrder(Box::new(order));
    desk.input(actor(), InputBody::Command { command, idempotency: Some(key) })
}

fn place(desk: &mut Desk, number: u64) {
    let output = submit(desk, new_order(number), number);
    let Some(CommandOutcome::Orders(placed)) = output.outcome else { panic!("an order is placed") };
    assert!(matches!(placed[0], Placed::Accepted { .. }), "{placed:?}");
    if number.is_multiple_of(4_096) {
        for code in EIGHT {
            for symbol in SYMBOLS {
                desk.quote(symbol, Mic::of(code), Some((dec("20.00"), dec("500"))), Some((dec("20.02"), dec("700"))));
            }
        }
    }
}

fn acknowledge(desk: &mut Desk) {
    let sent: Vec<_> = desk.engine.state().unanswered().collect();
    for (venue, leg) in sent {
        desk.report(venue, ReportBody::Accepted { wire_id: WireId::derive(leg, 0), broker_order_id: None });
    }
}

/// Resident memory of this process, bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4096
}
