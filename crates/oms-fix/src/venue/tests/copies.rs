//! A drop copy against what the session for orders told.

use std::sync::atomic::Ordering;

use oms_model::Qty;
use oms_model::report::ReportBody;
use oms_runtime::port::{Answer, VenuePort as _};
use oms_venues::conformance::Rig as _;

use super::evidence::{report, send, wire};
use super::rig::{FixRig, PAPER};

fn fill(order: u128, exec_id: &str, qty: &str, px: &str) -> crate::session::outbox::Outgoing {
    report(&[(11, wire(order, 0).as_str()), (17, exec_id), (39, "1"), (150, "F"), (31, px), (32, qty), (38, "100")])
}

fn figures(rig: &mut FixRig) -> (u64, u64) {
    let figures = rig.fix_port().sessions()[1].figures.clone();
    (figures.drop_copy_found.load(Ordering::Relaxed), figures.drop_copy_breaks.load(Ordering::Relaxed))
}

#[test]
fn an_execution_that_was_not_told_is_taken_in_as_found() {
    let mut rig = FixRig::new(1, "order_status no\n");
    send(&mut rig, 1, 100);
    rig.settle();
    rig.copy_raw(fill(1, "X1", "40", "20.00"));
    let told: Vec<_> = rig.settle().into_iter().map(|report| report.body).collect();
    assert!(matches!(told.as_slice(), [ReportBody::Fill { wire_id, fill }] if *wire_id == wire(1, 0) && fill.exec_id.as_str() == "X1"));
    // The session tells it too: the same execution.
    rig.say_raw(fill(1, "X1", "40", "20.00"));
    rig.settle();
    let executed = |rig: &mut FixRig| match rig.fix_port().query(&wire(1, 0)) {
        Answer::Complete(Some(order)) => order.fills.iter().map(|(_, fill)| fill.last_qty).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(executed(&mut rig), [Qty::from_units(40).unwrap()]);
    // One that the session tells first is no find. How orders stand is not the drop copy's to say.
    rig.say_raw(fill(1, "X2", "10", "20.00"));
    rig.settle();
    rig.copy_raw(fill(1, "X2", "10", "20.00"));
    rig.copy_raw(report(&[(11, wire(1, 0).as_str()), (17, "N1"), (39, "4"), (150, "4"), (38, "100")]));
    rig.settle();
    assert_eq!(figures(&mut rig), (1, 0));
    rig.restart();
    assert_eq!(executed(&mut rig).len(), 2, "both are in the logs");
}

#[test]
fn other_figures_are_a_break_that_is_passed_on() {
    let mut rig = FixRig::new(1, PAPER);
    send(&mut rig, 1, 100);
    rig.say_raw(fill(1, "X1", "40", "20.00"));
    rig.settle();
    rig.copy_raw(fill(1, "X1", "40", "20.01"));
    let told: Vec<_> = rig.settle().into_iter().map(|report| report.body).collect();
    assert!(matches!(told.as_slice(), [ReportBody::Fill { fill, .. }] if fill.last_px == "20.01".parse().unwrap()), "{told:?}");
    assert_eq!(figures(&mut rig), (0, 1));
}
