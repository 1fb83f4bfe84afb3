//! Order trees of depth four and more under any interleaving of what clients ask, holders do and venues tell.
//!
//! The invariants (domain.md 5.2.3) hold after every input; a state that is built again from the log, or from its parts,
//! is the same; and once every venue has answered, nothing is left open or reserved.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking, with the place and the reason")]

use oms_engine::State;
use oms_model::command::{Change, Command, NewPart, OrderRef};
use oms_model::event::Batch;
use oms_model::limit::Scope;
use oms_model::order::Routing;
use oms_model::report::{ReportBody, VenueFill};
use oms_model::{ExecId, IntentKind, Liquidity, Mic, OrdState, Order, OrderId, Outcome, Pending, Qty, Side, SorMode, TimeInForce};
use oms_testkit::fixture::{Desk, VENUES, assert_invariants, dec, limit_order};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

struct Forest {
    desk: Desk,
    log: Vec<Batch>,
    orders: u32,
    execs: u32,
}

impl Forest {
    fn new() -> Self {
        let mut desk = Desk::new();
        for venue in VENUES {
            desk.quote("XYZ", venue, Some((dec("20.00"), dec("500"))), Some((dec("20.02"), dec("500"))));
        }
        Self { desk, log: Vec::new(), orders: 0, execs: 0 }
    }

    fn command(&mut self, command: Command) {
        let shown = format!("{command:?}");
        let batch = self.desk.command(command).batch;
        self.note(batch, &shown);
    }

    fn tell(&mut self, venue: Mic, body: ReportBody) {
        let shown = format!("{venue} {body:?}");
        let batch = self.desk.report(venue, body).batch;
        self.note(batch, &shown);
    }

    fn note(&mut self, batch: Batch, shown: &str) {
        if !batch.events.is_empty() {
            self.log.push(batch);
        }
        assert_invariants(self.desk.engine.state(), shown);
    }

    fn nodes(&self, wanted: impl Fn(&Order) -> bool) -> Vec<OrderId> {
        let all = self.desk.engine.state().orders_sorted();
        all.into_iter().map(|entry| &entry.order).filter(|order| wanted(order)).map(|order| order.order_id).collect()
    }

    fn order(&self, id: OrderId) -> Order {
        self.desk.engine.state().order(id).expect("it is there").clone()
    }

    /// One input, as `word` says.
    fn turn(&mut self, word: u64) {
        let (kind, at, size) = (word % 16, usize::try_from(word >> 8 & 0xffff).unwrap(), word >> 24);
        match kind {
            0 => self.place(size),
            1 | 2 => self.work(at, size),
            3 => self.change(at, size),
            4 => {
                let open = self.nodes(|order| !order.is_leg() && !order.state.is_done());
                if let Some(&id) = open.get(at % open.len().max(1)) {
                    self.command(Command::CancelOrder { order: OrderRef::Id(id), if_version: None });
                }
            }
            5 => {
                self.desk.now = self.desk.now.plus(i64::try_from(size % 8).unwrap() * 1_000_000_000);
                for batch in self.desk.advance(0).into_iter().map(|output| output.batch).collect::<Vec<_>>() {
                    self.note(batch, "time");
                }
                for venue in VENUES {
                    self.desk.quote("XYZ", venue, Some((dec("20.00"), dec("500"))), Some((dec("20.02"), dec("500"))));
                }
            }
            _ => {
                // Late executions come too, where the order has ended: before that its quantity may work elsewhere by
                // then, and the two together can be more than was ordered, which is raised and not prevented.
                let late = |order: &Order| size.is_multiple_of(5) && self.order(order.root_order_id).state.is_done();
                let legs = self.nodes(|order| order.is_leg() && (!order.state.is_done() || late(order)));
                if let Some(&id) = legs.get(at % legs.len().max(1)) {
                    self.venue(id, size);
                }
            }
        }
    }

    fn place(&mut self, size: u64) {
        if self.orders == 6 {
            return;
        }
        self.orders += 1;
        let side = if size.is_multiple_of(2) { Side::Buy } else { Side::Sell };
        let mut order = limit_order(&format!("A{}", self.orders), side, "1000", "XYZ", "20.01");
        order.routing.care = !size.is_multiple_of(4);
        order.routing.mode =
            [None, Some(SorMode::Split), Some(SorMode::Staged), Some(SorMode::Sweep)][usize::try_from(size / 4 % 4).unwrap()];
        self.command(Command::CreateOrder(Box::new(order)));
    }

    /// A holder goes on with one of the care orders, at any level.
    fn work(&mut self, at: usize, size: u64) {
        let care = self.nodes(|order| order.extras.care.is_some() && !order.state.is_done());
        let Some(&id) = care.get(at % care.len().max(1)) else { return };
        let order = self.order(id);
        let named = OrderRef::Id(id);
        if order.extras.care.as_deref().is_some_and(|care| care.holder.is_none()) {
            return self.command(Command::ClaimOrder { order: named, if_version: None });
        }
        if size.is_multiple_of(7) {
            return self.command(Command::ReleaseOrder { order: named, if_version: None });
        }
        let part = |n: u64| NewPart {
            order_qty: dec(["50", "100", "200", "300"][usize::try_from(n % 4).unwrap()]),
            time_in_force: (n.is_multiple_of(11)).then_some(TimeInForce::Ioc),
            // Deep trees: most parts are for another hand.
            routing: Routing { care: !n.is_multiple_of(3) && !n.is_multiple_of(11), ..Routing::default() },
            ..NewPart::default()
        };
        let parts = (0..=size % 3).map(|n| part(size / 3 + n * 5)).collect();
        self.command(Command::SplitOrder { order: named, parts, if_version: None });
    }

    fn change(&mut self, at: usize, size: u64) {
        let open = self.nodes(|order| !order.is_leg() && !order.state.is_done());
        let Some(&id) = open.get(at % open.len().max(1)) else { return };
        let order_qty = (!size.is_multiple_of(3)).then(|| dec(["50", "150", "400", "700", "1200"][usize::try_from(size / 3 % 5).unwrap()]));
        let price = (size.is_multiple_of(2)).then(|| dec(["20.00", "20.01", "20.02"][usize::try_from(size / 15 % 3).unwrap()]));
        let change = Change { order_qty, price, ..Change::default() };
        self.command(Command::ReplaceOrder { order: OrderRef::Id(id), change, if_version: None });
    }

    /// What the venue tells of a leg: what fits, and at times what does not.
    fn venue(&mut self, id: OrderId, size: u64) {
        let leg = self.order(id);
        let (venue, own) = (leg.venue.unwrap(), leg.wire_id(0));
        let last = leg.wire_id(leg.revision);
        let request = self.desk.engine.state().entry(id).and_then(oms_engine::state::Entry::request).map(|(kind, _)| kind);
        let text = String::from("so it is");
        let body = match size % 12 {
            0 => ReportBody::Accepted { wire_id: own, broker_order_id: None },
            1 => ReportBody::Rejected { wire_id: own, text },
            2..=4 => return self.fill(&leg, size / 12),
            5 => ReportBody::Canceled { wire_id: own, text },
            6 => ReportBody::Expired { wire_id: own },
            7 => {
                let intent = request.unwrap_or(IntentKind::New);
                ReportBody::Unknown { wire_id: if intent == IntentKind::New { own } else { last }, intent, reason: text }
            }
            n => match request {
                None => ReportBody::Accepted { wire_id: own, broker_order_id: None },
                Some(IntentKind::Replace) if n.is_multiple_of(3) => ReportBody::ReplaceRejected { wire_id: last, text },
                Some(IntentKind::Replace) => ReportBody::Replaced { wire_id: last, order_qty: None },
                Some(_) if n.is_multiple_of(3) => ReportBody::CancelRejected { wire_id: last, text },
                Some(_) => ReportBody::Canceled { wire_id: last, text },
            },
        };
        self.tell(venue, body);
    }

    fn fill(&mut self, leg: &Order, size: u64) {
        let wanted: Qty = dec(["10", "50", "100", "1000"][usize::try_from(size % 4).unwrap()]);
        // A venue does not execute more than it was given; late and repeated executions come all the same.
        let last_qty = wanted.min(leg.open_qty());
        if !last_qty.is_positive() {
            return;
        }
        self.execs += u32::from(!size.is_multiple_of(9));
        let exec_id = ExecId::new(&format!("E{}-{}", leg.order_id, self.execs)).unwrap();
        let fee_per_unit = dec("0.003");
        let fill = VenueFill { exec_id, last_qty, last_px: dec("20.00"), liquidity: Liquidity::Removed, fee_per_unit };
        self.tell(leg.venue.unwrap(), ReportBody::Fill { wire_id: leg.wire_id(0), fill });
    }

    /// Everything is taken back and every venue answers.
    fn wind_down(&mut self) {
        for _ in 0..40 {
            self.command(Command::MassCancel { scope: Scope::Tenant });
            for id in self.nodes(|order| order.is_leg() && (!order.state.is_done() || order.extras.doubt.is_some())) {
                let leg = self.order(id);
                let venue = leg.venue.unwrap();
                let request = self.desk.engine.state().entry(id).and_then(oms_engine::state::Entry::request).map(|(kind, _)| kind);
                let (wire_id, evidence) = (leg.wire_id(leg.revision), String::from("asked"));
                let outcome = Outcome::Canceled;
                let body = match request {
                    Some(IntentKind::Replace) if leg.extras.doubt.is_none() => ReportBody::Replaced { wire_id, order_qty: None },
                    Some(IntentKind::Cancel) if leg.extras.doubt.is_none() => ReportBody::Canceled { wire_id, text: evidence },
                    Some(intent) => ReportBody::Resolved { wire_id, intent, outcome, broker_order_id: None, evidence },
                    None if leg.state == OrdState::Unack => {
                        let (wire_id, intent) = (leg.wire_id(0), IntentKind::New);
                        ReportBody::Resolved { wire_id, intent, outcome: Outcome::Live, broker_order_id: None, evidence }
                    }
                    None => continue,
                };
                self.tell(venue, body);
            }
            if self.desk.engine.state().open_roots() == 0 && self.nodes(|order| !order.state.is_done()).is_empty() {
                return;
            }
        }
        let open: Vec<Order> = self.nodes(|order| !order.state.is_done()).into_iter().map(|id| self.order(id)).collect();
        panic!("these do not come to rest: {open:#?}");
    }
}

fn hold_same(forest: &Forest) {
    let state = forest.desk.engine.state();
    let parts = state.parts();
    assert_eq!(State::from_parts(parts.clone()).parts(), parts, "a state survives its own parts");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn any_interleaving_keeps_the_invariants(words in prop::collection::vec(any::<u64>(), 1..160)) {
        let mut forest = Forest::new();
        let before = forest.desk.engine.state().parts();
        for word in words {
            forest.turn(word);
        }
        hold_same(&forest);
        forest.wind_down();
        let state = forest.desk.engine.state();
        let risk = state.risk().parts();
        let idle = risk.holdings.iter().all(|one| one.held.buy_qty.is_zero() && one.held.sell_qty.is_zero());
        prop_assert!(risk.open.is_empty() && idle, "reserved with nothing open: {:?} {:?}", risk.open, risk.holdings);
        prop_assert!(forest.nodes(|order| order.pending != Pending::None).is_empty(), "something is pending for ever");
        // What the log says is what the state is.
        let mut again = State::from_parts(before);
        for batch in &forest.log {
            again.fold(batch);
        }
        prop_assert!(again.parts() == state.parts(), "the log gives another state");
    }
}

/// The test above reaches trees of four levels and more.
#[test]
fn the_trees_are_deep() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let tape = prop::collection::vec(any::<u64>(), 160);
    let mut deepest = 0;
    for _ in 0..40 {
        let words = tape.new_tree(&mut runner).unwrap().current();
        let mut forest = Forest::new();
        for word in words {
            forest.turn(word);
        }
        let depth = |id: &OrderId| core::iter::successors(Some(*id), |id| forest.order(*id).parent_order_id).count();
        deepest = forest.nodes(Order::is_leg).iter().map(depth).max().unwrap_or(0).max(deepest);
    }
    assert!(deepest >= 4, "the deepest leg is at level {deepest}");
}
