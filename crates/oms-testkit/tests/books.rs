//! However executions, corrections and busts interleave, the same of them give the same books.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use oms_engine::input::InputBody;
use oms_model::command::{Actor, Command};
use oms_model::report::{Report, ReportBody, VenueFill};
use oms_model::{ExecId, Liquidity, Mic, Notional, OrdState, OrderId, Qty, Side, Source, Time, WireId};
use oms_testkit::fixture::{Desk, OPEN, TENANT, assert_invariants, dec, limit_order};
use oms_testkit::simulator::Rng;
use std::fmt::Write as _;

const XNAS: Mic = Mic::of(b"XNAS");

fn shuffle<T>(random: &mut Rng, all: &mut [T]) {
    for at in (1..all.len()).rev() {
        all.swap(at, random.place(at + 1));
    }
}

/// A desk with two client orders at one venue, acknowledged; the legs.
fn desk() -> (Desk, [OrderId; 2]) {
    let mut desk = Desk::new();
    desk.quote("XYZ", XNAS, Some((dec("20.00"), dec("900"))), Some((dec("20.02"), dec("900"))));
    for (id, side, price) in [("A1", Side::Buy, "20.00"), ("A2", Side::Sell, "20.02")] {
        desk.command(Command::CreateOrder(Box::new(limit_order(id, side, "100", "XYZ", price))));
    }
    let state = desk.engine.state();
    let legs: Vec<OrderId> = state.orders_sorted().iter().filter(|e| !e.order.is_root()).map(|e| e.order.order_id).collect();
    let legs: [OrderId; 2] = legs.try_into().expect("one leg each");
    for leg in legs {
        desk.report(XNAS, ReportBody::Accepted { wire_id: WireId::derive(leg, 0), broker_order_id: None });
    }
    (desk, legs)
}

fn fill(exec_id: &str, qty: u64, cents: u64) -> VenueFill {
    VenueFill {
        exec_id: ExecId::new(exec_id).unwrap(),
        last_qty: Qty::from_units(qty as i64).unwrap(),
        last_px: format!("20.{cents:02}").parse().unwrap(),
        liquidity: Liquidity::Removed,
        fee_per_unit: dec("0.003"),
    }
}

/// Executions of both legs, some of them corrected, some busted: what the venue tells in all.
fn told(random: &mut Rng, legs: [OrderId; 2]) -> Vec<(Time, ReportBody)> {
    let mut told = Vec::new();
    for nth in 0..1 + random.below(12) {
        let wire_id = WireId::derive(legs[random.below(2) as usize], 0);
        // Times repeat and run against the ids.
        let at = Time(OPEN.0 - random.below(5) as i64);
        let exec = format!("X{nth}");
        let exec_ref = ExecId::new(&exec).unwrap();
        let text = "erroneous".to_owned();
        told.push((at, ReportBody::Fill { wire_id: wire_id.clone(), fill: fill(&exec, 1 + random.below(40), random.below(90)) }));
        if random.below(3) == 0 {
            let fill = fill(&format!("C{nth}"), 1 + random.below(40), random.below(90));
            told.push((at, ReportBody::Corrected { wire_id: wire_id.clone(), exec_ref: exec_ref.clone(), fill, text: text.clone() }));
        }
        if random.below(3) == 0 {
            let exec_id = ExecId::new(&format!("B{nth}")).unwrap();
            told.push((at, ReportBody::Busted { wire_id, exec_ref, exec_id, text }));
        }
    }
    told
}

fn deliver(desk: &mut Desk, told: &[(Time, ReportBody)]) {
    for (transact_time, body) in told {
        let actor = Actor { tenant_id: TENANT, source: Source::Venue, ..Actor::default() };
        let report = Report { venue: XNAS, transact_time: *transact_time, body: body.clone() };
        desk.input(actor, InputBody::Report(report));
        assert_invariants(desk.engine.state(), "while they come");
    }
}

/// Everything that the executions should decide.
fn books(desk: &Desk) -> String {
    let state = desk.engine.state();
    let mut parts = state.parts();
    for booking in parts.holdings.iter_mut().flat_map(|holding| holding.day.iter_mut().chain(&mut holding.closed)) {
        // By which reports the figures came to be depends on which of them came first.
        booking.corrections.clear();
    }
    // What positions are worth depends on the price that was told last; what works does not.
    let working: Vec<_> =
        parts.risk.holdings.iter().map(|one| (one.account_id, one.instrument_id, one.held.buy_qty, one.held.sell_qty)).collect();
    let mut text = format!("{:#?}\n{:#?}\n{:?}\n{working:?}\n", parts.positions, parts.holdings, parts.risk.open);
    for entry in state.orders_sorted() {
        let order = &entry.order;
        // What is with the parts of an order counts while it works.
        let placed = (!order.state.is_done()).then_some(order.place_qty);
        let figures = (order.state, order.cum_qty, order.cum_notional, placed, order.leaves_qty(), order.direct_qty());
        writeln!(text, "{} {figures:?} {:?}", order.order_id, entry.reserved()).unwrap();
    }
    writeln!(text, "{:?} {}", state.overfilled().collect::<Vec<_>>(), state.open_roots()).unwrap();
    text
}

#[test]
fn any_order_of_delivery_gives_the_same_books() {
    let mut random = Rng::new(11);
    let (mut reopened, mut corrected) = (0, 0);
    for case in 0..400 {
        let (mut one, legs) = desk();
        let (mut two, same) = desk();
        assert_eq!(legs, same);
        let mut all = told(&mut random, legs);
        deliver(&mut one, &all);
        shuffle(&mut random, &mut all);
        // Some of it twice.
        for _ in 0..random.below(4) {
            let again = all[random.below(all.len() as u64) as usize].clone();
            all.push(again);
        }
        deliver(&mut two, &all);
        assert_eq!(books(&one), books(&two), "case {case}: {all:#?}");
        reopened += u32::from(all.iter().any(|(_, body)| matches!(body, ReportBody::Busted { .. })));
        corrected += u32::from(all.iter().any(|(_, body)| matches!(body, ReportBody::Corrected { .. })));
    }
    assert!(reopened > 100 && corrected > 100, "{reopened} {corrected}");
}

#[test]
fn an_execution_and_its_bust_leave_the_state_bit_for_bit() {
    let mut random = Rng::new(12);
    let mut from_filled = 0;
    for case in 0..400 {
        let (mut desk, legs) = desk();
        let all = told(&mut random, legs);
        deliver(&mut desk, &all);
        let before = books(&desk);
        let wire_id = WireId::derive(legs[random.below(2) as usize], 0);
        let fill = fill("NEW", 1 + random.below(120), random.below(90));
        let (exec_ref, exec_id) = (fill.exec_id.clone(), ExecId::new("BUST").unwrap());
        let at = Time(OPEN.0 - random.below(5) as i64);
        deliver(&mut desk, &[(at, ReportBody::Fill { wire_id: wire_id.clone(), fill })]);
        assert_ne!(books(&desk), before);
        from_filled += u32::from(desk.engine.state().orders_sorted().iter().any(|entry| entry.order.state == OrdState::Filled));
        deliver(&mut desk, &[(at, ReportBody::Busted { wire_id, exec_ref, exec_id, text: String::new() })]);
        assert_eq!(books(&desk), before, "case {case}");
    }
    assert!(from_filled > 50, "{from_filled}");
}

#[test]
fn what_was_taken_back_is_worth_nothing() {
    let (mut desk, legs) = desk();
    let wire_id = WireId::derive(legs[0], 0);
    let fill = fill("X1", 100, 0);
    let (exec_ref, exec_id) = (fill.exec_id.clone(), ExecId::new("B1").unwrap());
    deliver(&mut desk, &[(OPEN, ReportBody::Fill { wire_id: wire_id.clone(), fill })]);
    deliver(&mut desk, &[(OPEN, ReportBody::Busted { wire_id, exec_ref, exec_id, text: String::new() })]);
    assert_eq!(desk.engine.state().positions().count(), 0);
    let value = desk.engine.state().orders_sorted().iter().fold(Notional::ZERO, |sum, entry| sum.saturating_add(entry.order.cum_notional));
    assert_eq!(value, Notional::ZERO);
}
