//! Days on which everything goes wrong at once, by seed: what the connector claims is held against what the gateway did.

use std::collections::{BTreeMap, BTreeSet};

use oms_model::report::ReportBody;
use oms_model::{IntentKind, OrderId, Qty, Side, UserId};
use oms_runtime::port::{Answer, Handed, VenuePort as _, VenueState};
use oms_venues::paper::prng::Prng;

use super::super::Demand;
use super::super::config::{Config, Offer, SECOND, Timing};
use super::play::{MS, Play, Pushes, config, px, shares, wire};
use crate::reconcile::book::Break;
use crate::reconcile::{Kind, Outcome, Standing};

/// Faults and actions of the simulator that a day is made of.
const LINES: [&str; 33] = [
    "drop-before 1",
    "drop-after 1",
    "drop all",
    "freeze on",
    "freeze off",
    "freeze off",
    "line lost",
    "line restored kept",
    "line restored lost",
    "linger 900",
    "linger 0",
    "rollback 3",
    "swallow 1",
    "execution-first on",
    "execution-first off",
    "duplicate-status on",
    "duplicate-status off",
    "no-status on",
    "no-status off",
    "commission late 700",
    "commission missing",
    "commission prompt",
    "fill-after-cancel on",
    "fill-after-cancel off",
    "refuse-modify 1",
    "inactive plain 1",
    "activate",
    "end late 900",
    "end missing",
    "end prompt",
    "perm-zero on",
    "perm-zero off",
    "notice 666 nothing in particular",
];

struct Storm {
    play: Play,
    dice: Prng,
    handed: BTreeMap<u128, Handed>,
    revisions: BTreeMap<u128, u32>,
    faults: u64,
}

fn root(exec_id: &str) -> String {
    exec_id.rsplit_once('.').map_or(exec_id, |(base, _)| base).to_owned()
}

impl Storm {
    fn new(offer: Offer, seed: u64) -> Self {
        let timing = Timing { patience: SECOND, second_look: 50 * MS, first_pause: 100 * MS, longest_pause: SECOND, ..Timing::default() };
        let mut play = Play::with(Config { timing, seed, ..config(offer) }, seed);
        play.up();
        Self { play, dice: Prng::new(seed ^ 0x0005_70a1), handed: BTreeMap::new(), revisions: BTreeMap::new(), faults: 0 }
    }

    fn one(&mut self, upto: u64) -> u64 {
        self.dice.below(upto)
    }

    fn fault(&mut self) {
        self.faults += 1;
        match self.one(12) {
            0 => self.play.cut(),
            1 => {
                self.play.kill();
                let pause = i64::try_from(self.one(2_000)).unwrap();
                self.play.run(pause * MS);
                self.play.start();
            }
            2 => self.play.refuses = self.one(3) == 0,
            3 => {
                let ppm = |dice: &mut Prng| u32::try_from(dice.below(200_000)).unwrap();
                self.play.pushes = Pushes {
                    lost_ppm: ppm(&mut self.dice),
                    late_ppm: ppm(&mut self.dice),
                    late_ns: 3 * MS,
                    duplicate_ppm: ppm(&mut self.dice),
                    reorder_ppm: ppm(&mut self.dice),
                };
            }
            _ => {
                let line = LINES[usize::try_from(self.dice.below(LINES.len() as u64)).unwrap()];
                self.play.order_sim(line);
            }
        }
    }

    fn trade(&mut self, order: u128) {
        let tick = i64::try_from(self.one(20)).unwrap();
        let size = 1 + i64::try_from(self.one(300)).unwrap();
        self.play.show(Side::Sell, Some((oms_model::Price::from_raw(19_900_000_000 + tick * 10_000_000), shares(size))));
        let wanted = self.play.limit(order, Side::Buy, 200, "20");
        let handed = self.play.send(&wanted);
        self.handed.insert(order, handed);
        let about = 1 + u128::from(self.dice.below(u64::try_from(order).unwrap()));
        let revision = self.revisions.entry(about).or_default();
        *revision += 1;
        let revision = *revision;
        // Whatever they are answered, their order is asked about in the end.
        if self.one(3) == 0 {
            let _ = self.play.cancel(&self.play.cancel_of(about, revision));
        } else if self.one(3) == 0 {
            let _ = self.play.replace(&self.play.replace_of(about, revision, 300, "19.95"));
        }
    }

    fn day(&mut self, orders: u128) {
        for order in 1..=orders {
            while self.one(2) == 0 {
                self.fault();
            }
            self.trade(order);
            let pause = i64::try_from(self.one(1_500)).unwrap();
            self.play.run(pause * MS);
        }
    }

    /// Everything works again, and everything is looked at.
    fn calm(&mut self) {
        (self.play.refuses, self.play.pushes) = (false, Pushes::default());
        self.play.order_sim("reset");
        self.play.order_sim("pacing 0");
        self.play.order_sim("activate");
        self.play.up();
        self.play.run(5 * SECOND);
        self.play.up();
    }

    fn check(&mut self, what: &str) {
        let taken = self.play.gateway.taken();
        let working: BTreeSet<String> = self.play.gateway.working().into_iter().map(|(order_ref, _)| order_ref).collect();
        let mut done: BTreeMap<String, BTreeMap<String, Qty>> = BTreeMap::new();
        for (order_ref, exec_id, qty) in self.play.gateway.executed() {
            done.entry(order_ref).or_default().insert(root(&exec_id), qty);
        }
        for (order, handed) in self.handed.clone() {
            let name = wire(order, 0).to_string();
            let times = taken.iter().filter(|order_ref| **order_ref == name).count();
            assert!(times <= 1, "{what}: order {order} was sent {times} times");
            let not_sent = matches!(handed, Handed::NotSent(_)) || self.told_not_sent(order);
            assert!(!not_sent || times == 0, "{what}: order {order} was told not to be sent, and is there");
            let executed = done.remove(&name).unwrap_or_default();
            match self.play.query(&wire(order, 0)) {
                Answer::Complete(None) => assert_eq!(times, 0, "{what}: order {order} is there, and is told never to have arrived"),
                Answer::Complete(Some(found)) => {
                    assert_eq!(times, 1, "{what}: order {order}: {found:?}");
                    assert_eq!(found.state == VenueState::Live, working.contains(&name), "{what}: order {order}: {found:?}");
                    let fills: BTreeMap<String, Qty> =
                        found.fills.iter().map(|(_, fill)| (root(fill.exec_id.as_str()), fill.last_qty)).collect();
                    assert_eq!(fills, executed, "{what}: order {order}");
                }
                other => panic!("{what}: order {order}: {other:?}"),
            }
            for base in executed.keys() {
                assert!(self.was_told(order, base), "{what}: execution {base} of order {order} was never told");
            }
        }
    }

    /// What the desk was told, the log and the gateway are the same: no break is open. Two orders under one id are the only
    /// thing that stays.
    fn reconciled(&mut self, what: &str) {
        let demand = Demand { user_id: UserId::from_u128(1), reason: String::new(), key: None };
        let run = self.play.reconcile(demand).unwrap();
        assert_eq!(run.outcome, Outcome::Complete, "{what}: {run:?}");
        let book = self.play.connector().status().book;
        let open = book.breaks().filter(|one| one.standing != Standing::Closed && one.difference.subject.kind != Kind::Duplicate);
        assert_eq!(open.collect::<Vec<_>>(), Vec::<&Break>::new(), "{what}");
    }

    fn told_not_sent(&self, order: u128) -> bool {
        let is =
            |body: &ReportBody| matches!(body, ReportBody::NotSent { wire_id, intent: IntentKind::New, .. } if *wire_id == wire(order, 0));
        self.play.reports.iter().any(|report| is(&report.body))
    }

    fn was_told(&self, order: u128, base: &str) -> bool {
        let order_id = OrderId::from_u128(order);
        self.play.reports.iter().any(|report| match &report.body {
            ReportBody::Fill { wire_id, fill } => {
                wire_id.parts().is_some_and(|(id, _)| id == order_id) && root(fill.exec_id.as_str()) == base
            }
            _ => false,
        })
    }
}

#[test]
fn whatever_goes_wrong_what_is_claimed_is_what_happened() {
    let (seeds, orders) = (40, 60);
    let mut faults = 0;
    for seed in 1..=seeds {
        for offer in [Offer::Proto, Offer::Text] {
            let mut storm = Storm::new(offer, seed);
            storm.play.show(Side::Buy, Some((px("19.8"), shares(500))));
            storm.day(orders);
            storm.calm();
            storm.check(&format!("seed {seed}, {offer:?}"));
            storm.reconciled(&format!("seed {seed}, {offer:?}"));
            faults += storm.faults;
        }
    }
    assert!(2_000 < faults, "{faults} faults are too few");
}
