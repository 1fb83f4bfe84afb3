//! Many orders that the engine works at once: what one batch has no room for follows with the next.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking, with the place and the reason")]

use oms_model::algo::{Algo, AlgoParams};
use oms_model::command::{Command, NewOrder};
use oms_model::report::ReportBody;
use oms_model::{Mic, OrdState, OrdType, Side, SorMode};
use oms_testkit::fixture::{Desk, assert_invariants, configured, dec, limit_order};

/// A desk with so many venues that the legs of 256 orders are more than a batch holds.
fn desk() -> Desk {
    let mut desk = Desk::new();
    for nth in 0..20 {
        let venue: Mic = format!("VN{nth:02}").parse().unwrap();
        desk.command(Command::ConfigureVenue(Box::new(configured(venue))));
        desk.report(venue, ReportBody::SessionUp);
        desk.quote("XYZ", venue, Some((dec("20.00"), dec("50000"))), Some((dec("20.02"), dec("50000"))));
    }
    desk
}

fn place(desk: &mut Desk, number: usize, change: impl Fn(&mut NewOrder)) {
    let mut order = limit_order(&format!("A{number}"), Side::Sell, "1000", "XYZ", "19.90");
    order.routing.mode = Some(SorMode::Split);
    // No two of them are alike.
    order.order_qty = dec(&(1000 + number).to_string());
    change(&mut order);
    desk.command(Command::CreateOrder(Box::new(order)));
}

fn states(desk: &Desk) -> Vec<OrdState> {
    let all = desk.engine.state().orders_sorted();
    all.into_iter().map(|entry| &entry.order).filter(|order| order.is_root()).map(|order| order.state).collect()
}

#[test]
fn every_stop_that_a_gap_reaches_is_triggered() {
    let mut desk = desk();
    for number in 0..400 {
        place(&mut desk, number, |order| {
            (order.ord_type, order.stop_px, order.instructions.emulate) = (OrdType::StopLimit, Some(dec("19.95")), true);
        });
    }
    assert_eq!(states(&desk), vec![OrdState::New; 400]);
    desk.trade("XYZ", dec("19.94"), dec("100"));
    assert_eq!(states(&desk), vec![OrdState::Unack; 400]);
    assert_eq!(desk.engine.state().watched().count(), 0, "nothing waits any more");
    assert_invariants(desk.engine.state(), "after the gap");
}

#[test]
fn every_algorithm_that_is_due_at_once_is_asked() {
    let mut desk = desk();
    let (start, end) = (desk.now.plus(10_000_000_000), desk.now.plus(70_000_000_000));
    for number in 0..400 {
        place(&mut desk, number, |order| {
            order.instructions.algo = Some(AlgoParams { algo: Algo::Twap, slices: 2, start, end, ..AlgoParams::default() });
        });
    }
    assert_eq!(states(&desk), vec![OrdState::New; 400]);
    desk.advance(10_000_000_000);
    assert_eq!(states(&desk), vec![OrdState::Unack; 400]);
    assert_invariants(desk.engine.state(), "after the first slices");
}
