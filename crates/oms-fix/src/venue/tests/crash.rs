//! The power fails at every write of our session's log in a scripted day, with a venue on the other side that goes on: no
//! order is lost, none is there twice, no number is used twice, and whatever the venue executed is told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use oms_model::report::{ReportBody, VenueFill};
use oms_model::{ExecId, Price, Qty, Side, Time};
use oms_runtime::port::{Answer, Handed, VenueOrder, VenuePort as _, VenueState, WireCancel, WireReplace};
use oms_store::disk::{Fault, SimDisk};
use oms_store::{Config as LogConfig, EmbeddedJournal, Journal};

use super::evidence::{limit, wire};
use super::rig::{FixRig, PAPER, WITHIN};
use crate::session::Phase;

fn log(disk: &SimDisk) -> Box<dyn Journal> {
    let config = LogConfig { segment_bytes: 1 << 20, prepare_ahead: false, ..LogConfig::default() };
    Box::new(EmbeddedJournal::open(Arc::new(disk.clone()), config).unwrap())
}

struct Day {
    rig: FixRig,
    disk: SimDisk,
    crashes: u64,
    handed: BTreeMap<u128, Handed>,
    told: BTreeMap<ExecId, VenueFill>,
}

impl Day {
    fn begin(seed: u64) -> Self {
        let disk = SimDisk::new(seed);
        let own = disk.clone();
        let rig = FixRig::with_journal(seed, PAPER, Box::new(move || log(&own)));
        Self { rig, disk, crashes: 0, handed: BTreeMap::new(), told: BTreeMap::new() }
    }

    /// Starts again where the log has failed, or comes to.
    fn look(&mut self) {
        let phase = *self.rig.fix_port().sessions()[0].handle.phase().borrow();
        if phase == Phase::Down {
            // Either it ends now, or it connects again.
            self.rig.ends_or_comes_up();
        }
        if self.rig.is_alive() {
            return;
        }
        self.crashes += 1;
        self.rig.end();
        self.disk.crash();
        self.rig.start();
    }

    /// Lets everything that is under way arrive and be answered, as far as the log allows.
    fn settle(&mut self) {
        for _ in 0..4 {
            if self.rig.fix_port().barrier().is_ok() {
                self.rig.drive();
                if self.rig.fix_port().barrier().is_ok() && self.rig.fix_port().drained(WITHIN) {
                    break;
                }
            }
            self.look();
        }
        let reports = std::mem::take(&mut *self.rig.reports.0.lock().unwrap());
        for report in reports {
            if let ReportBody::Fill { fill, .. } = report.body {
                let known = self.told.insert(fill.exec_id.clone(), fill.clone());
                assert!(known.is_none_or(|known| known == fill), "an execution is told in two ways");
            }
        }
    }

    fn offer(&mut self, qty: i64) {
        let shown = Some(("20.00".parse::<Price>().unwrap(), Qty::from_units(qty).unwrap()));
        self.rig.show(Side::Sell, shown);
    }

    fn order(&mut self, order: u128, qty: i64) {
        let wire = limit(&self.rig, order, qty);
        let handed = self.rig.fix_port().send(&wire);
        self.handed.insert(order, handed);
    }

    fn play(&mut self) {
        let deadline = Time(i64::MAX);
        self.offer(100);
        self.order(1, 300);
        self.settle();
        self.order(2, 100);
        self.order(3, 200);
        self.settle();
        let price = Some("19.99".parse().unwrap());
        let order_qty = Qty::from_units(150).unwrap();
        let replace = WireReplace { wire_id: wire(3, 1), orig_wire_id: wire(3, 0), order_qty, price, stop_px: None, deadline };
        let _ = self.rig.fix_port().replace(&replace);
        let _ = self.rig.fix_port().cancel(&WireCancel { wire_id: wire(2, 1), orig_wire_id: wire(2, 0), deadline });
        self.settle();
        self.offer(250);
        self.settle();
        self.order(4, 100);
        self.settle();
        self.look();
        self.settle();
    }

    /// What a complete answer says of an order.
    fn ask(&mut self, order: u128) -> Option<VenueOrder> {
        let mut last = None;
        for _ in 0..4 {
            match self.rig.fix_port().query(&wire(order, 0)) {
                Answer::Complete(found) => return found,
                other => last = Some(other),
            }
            // The log may fail over the question itself.
            self.look();
        }
        panic!("order {order}: {last:?}")
    }

    fn check(&mut self) {
        let seen = self.rig.edge.seen();
        let unique: BTreeSet<_> = seen.iter().collect();
        assert_eq!(unique.len(), seen.len(), "something was sent twice: {seen:?}");
        let mut executed = BTreeMap::new();
        for (order, handed) in self.handed.clone() {
            let there = seen.contains(&(b'D', wire(order, 0)));
            let found = self.ask(order);
            assert_eq!(found.is_some(), there, "order {order}, {handed:?}: {found:?}");
            assert!(!(there && matches!(handed, Handed::NotSent(_))), "order {order} was not sent and is there");
            let Some(order) = found else { continue };
            let whole = order.fills.iter().fold(Qty::ZERO, |sum, (_, fill)| sum.saturating_add(fill.last_qty)) == order.order_qty;
            assert_eq!(whole, order.state == VenueState::Filled, "{order:?}");
            executed.extend(order.fills.into_iter().map(|(_, fill)| (fill.exec_id.clone(), fill)));
        }
        self.settle();
        assert_eq!(self.told, executed, "what was told and what the venue has");
    }
}

#[test]
fn the_power_fails_at_every_write_of_a_day() {
    let mut whole = Day::begin(1);
    let begin = whole.disk.operations();
    whole.play();
    whole.check();
    assert!(!whole.told.is_empty() && whole.crashes == 0);
    let writes = whole.disk.operations() - begin;
    assert!(10 < writes, "{writes} writes");
    drop(whole);
    let mut crashed = 0;
    for write in 0..writes {
        let mut day = Day::begin(1 + write);
        day.disk.fail_from(day.disk.operations() + write, Fault::PowerLoss);
        day.play();
        day.check();
        crashed += day.crashes;
    }
    println!("{writes} writes, {crashed} crashes");
    assert!(writes / 2 < crashed, "{crashed} crashes in {writes} days");
}
