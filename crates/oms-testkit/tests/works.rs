//! Many orders that the engine works at once: what one batch has no room for follows with the next. And protection under
//! any order of executions, executions taken back, and answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking, with the place and the reason")]

use oms_model::algo::{Algo, AlgoParams};
use oms_model::command::{Command, CommandOutcome, NewOrder, OrderRef};
use oms_model::report::{ReportBody, VenueFill};
use oms_model::work::{ArmRule, ContingencyType};
use oms_model::{Anomaly, ExecId, IntentKind, Liquidity, Mic, OrdState, OrdType, Order, OrderId, Qty, Side, SorMode, TimeInForce};
use oms_testkit::fixture::{Desk, VENUES, assert_invariants, assert_invariants_told, configured, dec, limit_order};
use proptest::prelude::*;

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

/// A bracket under any order of executions, executions taken back, and answers.
struct Bracket {
    desk: Desk,
    execs: Vec<(OrderId, ExecId)>,
}

impl Bracket {
    fn new(arm: ArmRule) -> Self {
        let mut desk = Desk::new();
        for venue in VENUES {
            desk.quote("XYZ", venue, Some((dec("20.00"), dec("500"))), Some((dec("20.02"), dec("500"))));
        }
        let mut orders = vec![limit_order("E", Side::Buy, "100", "XYZ", "20.02")];
        orders.push(limit_order("T", Side::Sell, "100", "XYZ", "21.00"));
        let mut stop = limit_order("S", Side::Sell, "100", "XYZ", "19.00");
        (stop.ord_type, stop.price, stop.stop_px) = (OrdType::Stop, None, Some(dec("19.00")));
        orders.push(stop);
        for order in &mut orders {
            order.routing.mode = Some(SorMode::SingleBest);
            order.time_in_force = TimeInForce::Gtc;
        }
        let output = desk.command(Command::CreateOrderList { orders, contingency: ContingencyType::Otoco, arm });
        assert!(matches!(output.outcome, Some(CommandOutcome::Orders(_))), "{output:?}");
        Self { desk, execs: Vec::new() }
    }

    fn legs(&self) -> Vec<Order> {
        let all = self.desk.engine.state().orders_sorted();
        all.into_iter().map(|entry| &entry.order).filter(|order| order.is_leg()).cloned().collect()
    }

    fn tell(&mut self, leg: &Order, body: ReportBody) {
        self.desk.report(leg.venue.unwrap(), body);
        assert_invariants_told(self.desk.engine.state(), &self.desk.raised, "after a report");
    }

    fn turn(&mut self, word: u64) {
        let legs = self.legs();
        let leg = legs[usize::try_from(word >> 8 & 0xff).unwrap() % legs.len()].clone();
        let (size, text) = (word >> 16, String::from("so it is"));
        match word % 8 {
            0..=2 if !leg.state.is_done() => {
                let last_qty = dec::<Qty>(["10", "30", "100"][usize::try_from(size % 3).unwrap()]).min(leg.open_qty());
                let exec_id = ExecId::new(&format!("E{}", self.execs.len())).unwrap();
                self.execs.push((leg.order_id, exec_id.clone()));
                let fee_per_unit = dec("0.003");
                let fill = VenueFill { exec_id, last_qty, last_px: dec("20.00"), liquidity: Liquidity::Removed, fee_per_unit };
                self.tell(&leg, ReportBody::Fill { wire_id: leg.wire_id(0), fill });
            }
            3 if !self.execs.is_empty() => {
                let (id, exec_ref) = self.execs.swap_remove(usize::try_from(size).unwrap() % self.execs.len());
                let leg = self.desk.engine.state().order(id).unwrap().clone();
                let exec_id = ExecId::new(&format!("B-{exec_ref}")).unwrap();
                self.tell(&leg, ReportBody::Busted { wire_id: leg.wire_id(0), exec_ref, exec_id, text });
            }
            4 => drop(self.answer(&leg, size % 4 != 0)),
            _ => drop(self.answer(&leg, true)),
        }
    }

    /// The venue answers what it was asked about a leg.
    fn answer(&mut self, leg: &Order, takes: bool) -> bool {
        let request = self.desk.engine.state().entry(leg.order_id).and_then(oms_engine::state::Entry::request);
        let (wire_id, text) = (leg.wire_id(leg.revision), String::from("so it is"));
        let body = match request {
            Some((IntentKind::Replace, _)) if takes => ReportBody::Replaced { wire_id, order_qty: None },
            Some((IntentKind::Replace, _)) => ReportBody::ReplaceRejected { wire_id, text },
            Some(_) if takes => ReportBody::Canceled { wire_id, text },
            Some(_) => ReportBody::CancelRejected { wire_id, text },
            None if leg.state == OrdState::Unack => ReportBody::Accepted { wire_id: leg.wire_id(0), broker_order_id: None },
            None => return false,
        };
        self.tell(leg, body);
        true
    }

    /// Every venue answers until nothing is asked any more.
    fn rest(&mut self) {
        for _ in 0..200 {
            let legs = self.legs();
            let mut any = false;
            for leg in legs {
                let leg = self.desk.engine.state().order(leg.order_id).unwrap().clone();
                any |= self.answer(&leg, true);
            }
            if !any {
                return;
            }
        }
        panic!("the list does not come to rest");
    }
}

/// How many brackets are tried: more of them by `OMS_BRACKETS`.
fn brackets() -> u32 {
    std::env::var("OMS_BRACKETS").map_or(1_500, |number| number.parse().expect("OMS_BRACKETS is a number"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: brackets(), ..ProptestConfig::default() })]

    #[test]
    fn protection_is_never_larger_than_what_it_protects(
        words in prop::collection::vec(any::<u64>(), 1..60),
        arm in prop::sample::select(ArmRule::ALL),
    ) {
        let mut bracket = Bracket::new(arm);
        for word in words {
            bracket.turn(word);
        }
        bracket.rest();
        let state = bracket.desk.engine.state();
        let named = |id: &str| state.find(&OrderRef::ClOrdId(id.parse().unwrap())).unwrap();
        let (entry, target, stop) = (named("E"), named("T"), named("S"));
        let closed = target.cum_qty.saturating_add(stop.cum_qty);
        let left = entry.cum_qty.saturating_sub(closed).max(Qty::ZERO);
        for protection in [target, stop] {
            let open = state.children(protection).filter(|slice| slice.is_working()).fold(Qty::ZERO, |sum, slice| {
                sum.saturating_add(slice.order.open_qty())
            });
            // A venue may refuse to cancel; then somebody knows.
            let told = bracket.desk.raised.contains(&(protection.order_id, Anomaly::ContingencyRace));
            prop_assert!(open <= left || told, "{} protects {open} of {left}", protection.cl_ord_id);
        }
    }
}
