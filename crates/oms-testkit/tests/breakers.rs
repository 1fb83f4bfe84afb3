//! The breakers that watch times: a venue's acknowledgements, and the clock.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use oms_engine::Output;
use oms_model::breaker::{Breaker, BreakerAction, BreakerKind, BreakerState};
use oms_model::command::{Command, RiskCommand};
use oms_model::limit::Scope;
use oms_model::report::ReportBody;
use oms_model::{Event, Mic, Side, TradingState, WireId};
use oms_testkit::fixture::{Desk, dec, limit_order};

const XNAS: Mic = Mic::of(b"XNAS");
const MS: i64 = 1_000_000;
const SECOND: i64 = 1_000 * MS;
/// After so many seconds trading is tried again.
const PROBE_S: u32 = 10;

/// A desk with a breaker that trips beyond two milliseconds.
fn desk(kind: BreakerKind, scope: Scope) -> Desk {
    let mut desk = Desk::new();
    desk.quote("XYZ", XNAS, Some((dec("20.00"), dec("900"))), Some((dec("20.02"), dec("900"))));
    let (threshold, action) = (dec("2"), BreakerAction::Halted);
    let breaker = Breaker { kind, scope, threshold, action, probe_after_s: PROBE_S, ..Breaker::default() };
    desk.command(Command::Risk(Box::new(RiskCommand::SetBreaker(breaker))));
    assert_eq!(standing(&desk), (BreakerState::Closed, TradingState::Active));
    desk
}

/// How the only breaker stands, and what its scope takes.
fn standing(desk: &Desk) -> (BreakerState, TradingState) {
    let risk = desk.engine.state().risk();
    let standing = risk.breakers().next().expect("there is one");
    (standing.state, risk.trading_state(standing.breaker.scope))
}

/// What the outputs say that the breaker measured where it moved.
fn moved<'o>(outputs: impl IntoIterator<Item = &'o Output>) -> Vec<(BreakerState, String)> {
    let events = outputs.into_iter().flat_map(|output| &output.batch.events);
    let moves = events.filter_map(|event| match event {
        Event::BreakerMoved(e) => Some((e.state, e.value.map(|value| value.to_string()).unwrap_or_default())),
        _ => None,
    });
    moves.collect()
}

/// An order to a venue that acknowledges it after so long.
fn acknowledged_after(desk: &mut Desk, id: &str, ns: i64) -> Output {
    desk.quote("XYZ", XNAS, Some((dec("20.00"), dec("900"))), Some((dec("20.02"), dec("900"))));
    let output = desk.command(Command::CreateOrder(Box::new(limit_order(id, Side::Buy, "100", "XYZ", "20.00"))));
    let leg = output.batch.events.iter().find_map(|event| match event {
        Event::OrderCreated(e) if e.parent_order_id.is_some() => Some(e.order_id),
        _ => None,
    });
    desk.now = desk.now.plus(ns);
    let wire_id = WireId::derive(leg.expect("it is sent to the venue"), 0);
    desk.report(XNAS, ReportBody::Accepted { wire_id, broker_order_id: None })
}

/// An input while the clock stands so far behind the log; afterwards it is right again.
fn clock_behind(desk: &mut Desk, id: &str, ns: i64) -> Output {
    let right = desk.now;
    desk.now = desk.engine.state().time().plus(-ns);
    let output = desk.command(Command::CreateOrder(Box::new(limit_order(id, Side::Buy, "100", "XYZ", "20.00"))));
    desk.now = right;
    output
}

/// What happens, to a desk, under an id of its own; and for how long.
type Happening = fn(&mut Desk, &str, i64) -> Output;
const WATCHED: [(BreakerKind, Scope, Happening); 2] =
    [(BreakerKind::Latency, Scope::Venue(XNAS), acknowledged_after), (BreakerKind::ClockDrift, Scope::Tenant, clock_behind)];
const OPEN: (BreakerState, TradingState) = (BreakerState::Open, TradingState::Halted);
const HALF_OPEN: (BreakerState, TradingState) = (BreakerState::HalfOpen, TradingState::Active);
const CLOSED: (BreakerState, TradingState) = (BreakerState::Closed, TradingState::Active);

#[test]
fn it_trips_beyond_its_threshold_and_not_at_it() {
    for (kind, scope, happens) in WATCHED {
        for (ns, trips) in [(MS, false), (2 * MS - 1, false), (2 * MS, false), (2 * MS + 1, true), (3 * MS, true)] {
            let mut desk = desk(kind, scope);
            let output = happens(&mut desk, "A1", ns);
            let value = if ns == 3 * MS { "3" } else { "2.000001" };
            let wanted = if trips { vec![(BreakerState::Open, value.to_owned())] } else { Vec::new() };
            assert_eq!(moved([&output]), wanted, "{kind}: {ns} ns");
            assert_eq!(standing(&desk), if trips { OPEN } else { CLOSED }, "{kind}: {ns} ns");
        }
    }
}

#[test]
fn it_is_tried_again_closes_where_it_stays_calm_and_trips_anew() {
    for (kind, scope, happens) in WATCHED {
        let mut desk = desk(kind, scope);
        happens(&mut desk, "A1", 3 * MS);
        assert_eq!(standing(&desk), OPEN, "{kind}");
        // It waits for as long as it is told to.
        desk.advance(i64::from(PROBE_S) * SECOND - SECOND);
        assert_eq!(standing(&desk), OPEN, "{kind}");
        assert_eq!(moved(&desk.advance(SECOND)), [(BreakerState::HalfOpen, "0".to_owned())], "{kind}");
        assert_eq!(standing(&desk), HALF_OPEN, "{kind}");

        // While it is tried, what lies at the threshold passes, and one beyond it is enough.
        happens(&mut desk, "A2", 2 * MS);
        assert_eq!(standing(&desk), HALF_OPEN, "{kind}");
        let again = happens(&mut desk, "A3", 2 * MS + 1);
        assert_eq!(moved([&again]), [(BreakerState::Open, "2.000001".to_owned())], "{kind}");
        assert_eq!(standing(&desk), OPEN, "{kind}");

        desk.advance(i64::from(PROBE_S + 1) * SECOND);
        assert_eq!(standing(&desk), HALF_OPEN, "{kind}");
        happens(&mut desk, "A4", MS);
        assert_eq!(standing(&desk), HALF_OPEN, "{kind}: once is not calm yet");
        desk.advance(i64::from(PROBE_S + 1) * SECOND);
        assert_eq!(standing(&desk), CLOSED, "{kind}");

        // What was slow before it closed is over: neither time nor what lies within brings it back.
        for _ in 0..3 {
            assert_eq!(moved(&desk.advance(SECOND)), [], "{kind}");
        }
        assert_eq!(moved([&happens(&mut desk, "A5", MS)]), [], "{kind}");
        assert_eq!(standing(&desk), CLOSED, "{kind}");
        happens(&mut desk, "A6", 3 * MS);
        assert_eq!(standing(&desk), OPEN, "{kind}");
    }
}

#[test]
fn a_person_closes_it_and_what_was_before_does_not_open_it() {
    for (kind, scope, happens) in WATCHED {
        let mut desk = desk(kind, scope);
        happens(&mut desk, "A1", 3 * MS);
        let reason = "it was maintenance".to_owned();
        desk.command(Command::Risk(Box::new(RiskCommand::CloseBreaker { kind, scope, reason })));
        assert_eq!(standing(&desk), CLOSED, "{kind}");
        desk.advance(2 * SECOND);
        assert_eq!(standing(&desk), CLOSED, "{kind}");
    }
}
