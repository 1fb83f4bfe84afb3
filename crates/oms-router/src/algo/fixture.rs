//! What tests run algorithms on: a market that moves and trades on a clock, and slices that fill or do not.

use super::{Action, AlgoRequest, Blocked, Decision, Progress, Slice, next};
use core::fmt::Write as _;
use oms_model::algo::{Algo, AlgoParams, CurvePart, Leftover};
use oms_model::instrument::{Instrument, TickStep};
use oms_model::market::{Level, Market};
use oms_model::{Price, Qty, Side, Time};

/// The start; tests say seconds from it.
pub(crate) const START: Time = Time(1_000_000_000_000);

pub(crate) const fn minutes(count: i64) -> i64 {
    count * 60_000_000_000
}

/// An order with the world it meets.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) params: AlgoParams,
    pub(crate) side: Side,
    pub(crate) limit: Option<Price>,
    pub(crate) order_qty: Qty,
    pub(crate) lot: Qty,
    /// Traded by the market each second.
    pub(crate) per_second: Qty,
    pub(crate) never_filled: bool,
    pub(crate) all_unfilled: bool,
    /// The slice that comes back unfilled.
    pub(crate) unfilled: Option<u32>,
    /// (from, until) in nanoseconds from the start.
    pub(crate) halted: Option<(i64, i64)>,
    pub(crate) killed_at: Option<i64>,
    /// How far bid and ask rise, and how often.
    pub(crate) drift: (Price, i64),
}

/// 100 to buy within four minutes, lots of one, bid 99 and ask 101.
pub(crate) fn case(algo: Algo) -> Case {
    let params = AlgoParams { algo, start: START, end: START.plus(minutes(4)), ..AlgoParams::default() };
    Case {
        params,
        side: Side::Buy,
        limit: None,
        order_qty: "100".parse().unwrap(),
        lot: "1".parse().unwrap(),
        per_second: Qty::ZERO,
        never_filled: false,
        all_unfilled: false,
        unfilled: None,
        halted: None,
        killed_at: None,
        drift: (Price::ZERO, 1),
    }
}

pub(crate) fn curve(weights: &[u32]) -> Vec<CurvePart> {
    weights.iter().map(|&weight| CurvePart { weight }).collect()
}

pub(crate) fn twap(slices: u32) -> Case {
    case(Algo::Twap).with(|p| p.slices = slices)
}

impl Case {
    pub(crate) fn with(mut self, change: impl FnOnce(&mut AlgoParams)) -> Self {
        change(&mut self.params);
        self
    }
    pub(crate) fn leftover(self, leftover: Leftover) -> Self {
        self.with(|p| p.leftover = leftover)
    }
    pub(crate) fn limit(mut self, price: &str) -> Self {
        self.limit = Some(price.parse().unwrap());
        self
    }
    pub(crate) fn side(mut self, side: Side) -> Self {
        self.side = side;
        self
    }
    pub(crate) fn trading(mut self, per_second: &str) -> Self {
        self.per_second = per_second.parse().unwrap();
        self
    }
    pub(crate) fn never_filled(mut self) -> Self {
        self.never_filled = true;
        self
    }
    pub(crate) fn ending_unfilled(mut self, slice: u32) -> Self {
        self.unfilled = Some(slice);
        self
    }
    pub(crate) fn halted(mut self, from_s: i64, until_s: i64) -> Self {
        self.halted = Some((from_s * 1_000_000_000, until_s * 1_000_000_000));
        self
    }
    pub(crate) fn killed_at(mut self, second: i64) -> Self {
        self.killed_at = Some(second * 1_000_000_000);
        self
    }
    pub(crate) fn drifting(mut self, by: &str, every_ns: i64) -> Self {
        self.drift = (by.parse().unwrap(), every_ns);
        self
    }

    fn market(&self, at: i64) -> Market {
        let moved = self.drift.0.raw() * (at / self.drift.1);
        let level = |px: i64| Some(Level { price: Price::from_raw(px * 1_000_000_000 + moved), size: self.order_qty, at: START.plus(at) });
        Market { bid: level(99), ask: level(101), volume: self.volume(at), ..Market::default() }
    }
    fn volume(&self, at: i64) -> Qty {
        Qty::from_raw(self.per_second.raw() * i128::from(at / 1_000_000_000))
    }
    fn blocked(&self, at: i64) -> Option<Blocked> {
        if self.killed_at.is_some_and(|killed| at >= killed) {
            return Some(Blocked::Killed);
        }
        self.halted.filter(|&(from, until)| at >= from && at < until).map(|_| Blocked::Halted)
    }
}

/// What happened, in nanoseconds from the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tape {
    pub(crate) events: Vec<(i64, Action)>,
    pub(crate) cum_qty: Qty,
    pub(crate) open_qty: Qty,
    /// At each release: what was with slices, and the market's volume.
    pub(crate) placed: Vec<(Qty, Qty, bool)>,
}

/// Runs a case on a clock with ticks of half a second until `until` nanoseconds from the start, and past the end.
pub(crate) fn run(case: &Case, until: i64) -> Tape {
    let ticks = vec![TickStep { from: Price::ZERO, tick: "0.01".parse().unwrap() }];
    let instrument = Instrument { lot: case.lot, ticks, ..Instrument::default() };
    let mut tape = Tape::default();
    let mut progress = Progress { order_qty: case.order_qty, ..Progress::default() };
    let (mut at, mut wake, mut on_market) = (0, Some(START), false);
    let mut ended = false;
    while at <= until && !ended {
        // At one time several things may follow from each other; the bound shows an endless loop.
        let mut turns = 0;
        // A kill switch asks at once, the market where the last decision waits for it.
        let mut asked = on_market || case.killed_at.is_some_and(|killed| at >= killed);
        while !ended && (asked || wake.is_some_and(|due| due <= START.plus(at))) {
            turns += 1;
            assert!(turns < 1_100, "it does not come to rest at {at}");
            progress.volume = case.volume(at);
            let (market, now) = (case.market(at), START.plus(at));
            let decision = next(&AlgoRequest {
                params: &case.params,
                side: case.side,
                limit: case.limit,
                progress,
                instrument: &instrument,
                market: &market,
                blocked: case.blocked(at),
                now,
            });
            let Decision { action, .. } = decision;
            (wake, on_market, asked) = (decision.wake, decision.on_market, false);
            match action {
                Action::Wait => (),
                Action::Release(slice) => {
                    tape.events.push((at, action));
                    let placed = progress.cum_qty.saturating_add(progress.open_qty).saturating_add(slice.qty);
                    tape.placed.push((placed, progress.volume, slice.leftover));
                    filled(case, &mut progress, slice, now);
                    wake = Some(now); // A slice that ended, or was released, is a reason to ask again.
                }
                Action::Reprice(price) => {
                    tape.events.push((at, action));
                    (progress.slice_px, progress.acted_at) = (Some(price), Some(now));
                }
                Action::Recall => {
                    tape.events.push((at, action));
                    (progress.open_qty, wake) = (Qty::ZERO, Some(now));
                }
                Action::Cancel => {
                    tape.events.push((at, action));
                    ended = true;
                }
            }
        }
        at += 500_000_000;
        let due = wake.map_or(at, |wake| wake.since(START));
        if due < at && due > at - 500_000_000 {
            at = due; // Timers are served when they are due, not on the tick.
        }
    }
    (tape.cum_qty, tape.open_qty) = (progress.cum_qty, progress.open_qty);
    tape
}

fn filled(case: &Case, progress: &mut Progress, slice: Slice, now: Time) {
    let nth = progress.slices;
    progress.slices += 1;
    progress.acted_at = Some(now);
    progress.left |= slice.leftover;
    if case.all_unfilled || case.unfilled == Some(nth) || (case.never_filled && slice.at_once) {
        progress.failed += 1;
        return;
    }
    progress.failed = 0;
    if case.never_filled {
        progress.open_qty = progress.open_qty.saturating_add(slice.qty);
        progress.slice_px = slice.price;
    } else {
        progress.cum_qty = progress.cum_qty.saturating_add(slice.qty);
        progress.slice_px = None;
    }
}

impl Tape {
    fn each(&self, show: impl Fn(i64, &Slice) -> String) -> String {
        let slices = self.events.iter().filter_map(|(at, action)| match action {
            Action::Release(slice) => Some(show(*at, slice)),
            _ => None,
        });
        slices.collect::<Vec<_>>().join(", ")
    }
    pub(crate) fn slices(&self) -> String {
        self.each(|at, slice| format!("{} {}", seconds(at), slice.qty))
    }
    pub(crate) fn quantities(&self) -> String {
        self.each(|_, slice| slice.qty.to_string())
    }
    pub(crate) fn priced_slices(&self) -> String {
        self.each(|at, slice| format!("{} {}", seconds(at), priced(slice)))
    }
    pub(crate) fn actions(&self) -> String {
        let mut out = String::new();
        for (at, action) in &self.events {
            let comma = if out.is_empty() { "" } else { ", " };
            let words = match action {
                Action::Release(slice) => priced(slice),
                Action::Reprice(price) => format!("reprice {price}"),
                Action::Recall => "recall".to_owned(),
                Action::Cancel => "cancel".to_owned(),
                Action::Wait => continue,
            };
            write!(out, "{comma}{} {words}", seconds(*at)).unwrap();
        }
        out
    }
}

fn priced(slice: &Slice) -> String {
    let price = slice.price.map_or(String::new(), |price| format!(" @ {price}"));
    let ioc = if slice.at_once { " IOC" } else { "" };
    format!("{}{price}{ioc}", slice.qty)
}

fn seconds(at: i64) -> String {
    let (whole, rest) = (at / 1_000_000_000, at % 1_000_000_000);
    if rest == 0 { format!("{whole}s") } else { format!("{whole}.{rest:09}s") }
}
