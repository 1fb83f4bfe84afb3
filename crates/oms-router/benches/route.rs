//! Time per plan, in nanoseconds, for 8 and 16 venues in each mode: `cargo bench -p oms-router`.
//!
//! The best of many batches is shown beside the median: what the code costs, and what it costs on this machine.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench reads the clock and prints; it stops on a broken set-up"
)]

use oms_model::instrument::Venue;
use oms_model::market::{Level, Market};
use oms_model::policy::SorPolicy;
use oms_model::{Mic, OrdType, Price, Qty, Side, SorMode, Time, TimeInForce};
use oms_router::{RouteRequest, VenueStats, VenueView, plan};
use std::hint::black_box;
use std::time::Instant;

const BATCHES: usize = 201;
const PLANS_PER_BATCH: u32 = 2_000;
const NOW: Time = Time(1_800_000_000_000_000_000);

fn main() {
    println!("{:<24} {:>8} {:>8}", "ns per plan", "best", "median");
    for count in [8, 16] {
        for mode in [SorMode::SingleBest, SorMode::Split, SorMode::Sweep, SorMode::Named] {
            let (best, median) = measure(mode, count);
            println!("{:<24} {best:>8} {median:>8}", format!("{mode} {count} venues"));
        }
    }
}

fn measure(mode: SorMode, count: i64) -> (u128, u128) {
    let (venues, stats, market) = (venues(count), stats(count), market(count));
    let views: Vec<VenueView<'_>> = venues
        .iter()
        .zip(&stats)
        .map(|(venue, stats)| VenueView {
            venue,
            stats,
            connected: true,
            killed: false,
            halted: false,
            restricted: false,
            maintenance: false,
            in_doubt: false,
        })
        .collect();
    let policy = SorPolicy { mode, ..SorPolicy::default() };
    let request = RouteRequest {
        side: Side::Buy,
        ord_type: OrdType::Limit,
        qty: qty(300 * count),
        price: Some(cents(10_020)),
        time_in_force: TimeInForce::Day,
        lot: qty(1),
        mode,
        named: Some(mic(count / 2)),
        market: &market,
        venues: &views,
        policy: &policy,
        failed: &[],
        now: NOW,
    };
    let mut times: Vec<u128> = (0..BATCHES).map(|_| batch(&request)).collect();
    times.sort_unstable();
    (times.first().copied().unwrap_or(0), times.get(BATCHES / 2).copied().unwrap_or(0))
}

fn batch(request: &RouteRequest<'_>) -> u128 {
    let start = Instant::now();
    for _ in 0..PLANS_PER_BATCH {
        black_box(plan(black_box(request)));
    }
    start.elapsed().as_nanos() / u128::from(PLANS_PER_BATCH)
}

fn mic(at: i64) -> Mic {
    format!("VN{at:02}").parse().expect("a code of four characters")
}

fn cents(cents: i64) -> Price {
    Price::from_raw(cents * 10_000_000)
}

fn qty(units: i64) -> Qty {
    Qty::from_raw(i128::from(units) * 1_000_000_000)
}

/// Fees that differ, so that ranks are not the order of listing.
fn venues(count: i64) -> Vec<Venue> {
    let venue = |at: i64| Venue {
        venue: mic(at),
        maker_fee: Price::from_raw(-(at * 7 % 5) * 500_000),
        taker_fee: Price::from_raw((at * 11 % 7) * 500_000),
        latency_prior_ns: 400_000,
        fill_prior_ppm: 600_000,
        fill_prior_weight: 20,
        enabled: true,
        ..Venue::default()
    };
    (0..count).map(venue).collect()
}

fn stats(count: i64) -> Vec<VenueStats> {
    let measured = |at: i64| {
        let mut stats = VenueStats::default();
        for sample in 0..100 {
            stats.submitted(true);
            stats.acknowledged((150_000 + at * 37 % 16 * 20_000 + sample * 300).unsigned_abs());
            if sample % 7 > at % 4 {
                stats.filled(true);
            }
        }
        stats
    };
    (0..count).map(measured).collect()
}

/// Offers on five levels, three of them within the limit.
fn market(count: i64) -> Market {
    let mut market = Market::default();
    for at in 0..count {
        let level = |price, units| Some(Level { price, size: qty(units), at: NOW });
        market.set_quote(mic(at), true, level(cents(9_990 - at % 3), 500 + 100 * at));
        market.set_quote(mic(at), false, level(cents(10_000 + at * 7 % 5 * 10), 200 + 50 * at));
    }
    market
}
