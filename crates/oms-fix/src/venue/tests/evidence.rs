//! What proves that an order never arrived, and what does not.

use oms_model::report::{Report, ReportBody};
use oms_model::{IntentKind, OrdType, OrderId, Price, Qty, Side, TimeInForce, WireId};
use oms_runtime::port::{Answer, Handed, RequestState, VenueOrder, VenuePort as _, VenueState, WireCancel, WireOrder, WireReplace};
use oms_venues::conformance::Rig as _;
use oms_venues::paper::faults::Faults;

use super::rig::{FixRig, PAPER};
use crate::session::outbox::Outgoing;

/// A venue that is not asked about orders.
const PLAIN: &str = "order_status no\n";

pub(super) fn wire(order: u128, revision: u32) -> WireId {
    WireId::derive(OrderId::from_u128(order), revision)
}

pub(super) fn limit(rig: &FixRig, order: u128, qty: i64) -> WireOrder {
    let (instrument, symbol) = rig.instrument();
    WireOrder {
        wire_id: wire(order, 0),
        instrument,
        symbol,
        side: Side::Buy,
        ord_type: OrdType::Limit,
        order_qty: Qty::from_units(qty).unwrap(),
        cash_order_qty: None,
        quote_ref: None,
        price: Some("20.00".parse().unwrap()),
        stop_px: None,
        time_in_force: TimeInForce::Day,
        expire_at: None,
        deadline: rig.now().plus(3_600_000_000_000),
    }
}

/// Hands an order over.
pub(super) fn send(rig: &mut FixRig, order: u128, qty: i64) {
    let order = limit(rig, order, qty);
    assert_eq!(rig.fix_port().send(&order), Handed::Over);
}

/// Hands an order over that the line loses, and lets the line break over it.
fn lose(rig: &mut FixRig, order: u128) {
    rig.arrive();
    rig.line.lose_ours_after(0);
    send(rig, order, 100);
    rig.line_up(false);
    rig.line.lose_nothing();
    rig.line_up(true);
}

fn bodies(reports: Vec<Report>) -> Vec<ReportBody> {
    reports.into_iter().map(|report| report.body).collect()
}

fn known(rig: &mut FixRig, order: u128) -> VenueOrder {
    match rig.fix_port().query(&wire(order, 0)) {
        Answer::Complete(Some(order)) => order,
        other => panic!("{other:?}"),
    }
}

/// An ExecutionReport(8) in the venue's words.
pub(super) fn report(fields: &[(i32, &str)]) -> Outgoing {
    let mut all: std::collections::BTreeMap<i32, String> =
        [(6, "0"), (14, "0"), (37, "B1"), (54, "1"), (55, "BAC"), (60, "20261127-15:00:00.000"), (151, "0")]
            .map(|(tag, value)| (tag, value.to_owned()))
            .into();
    all.extend(fields.iter().map(|(tag, value)| (*tag, (*value).to_owned())));
    let mut message = Outgoing::new(b"8");
    for (tag, value) in &all {
        message.body.text(*tag, value);
    }
    message
}

#[test]
fn a_number_that_is_asked_for_again_proves_that_its_order_never_arrived() {
    let mut rig = FixRig::new(1, PLAIN);
    lose(&mut rig, 1);
    let told = bodies(rig.settle());
    let proof = |body: &ReportBody| matches!(body, ReportBody::NotSent { wire_id, intent: IntentKind::New, .. } if *wire_id == wire(1, 0));
    assert!(told.iter().any(proof), "{told:?}");
    assert_eq!(rig.fix_port().query(&wire(1, 0)), Answer::Complete(None));
    // That the venue asked is in the log: it proves the same after a restart.
    rig.kill();
    rig.start();
    assert_eq!(rig.fix_port().query(&wire(1, 0)), Answer::Complete(None));
    send(&mut rig, 2, 100);
    rig.settle();
    assert_eq!(known(&mut rig, 2).state, VenueState::Live);
    assert_eq!(rig.edge.seen(), [(b'D', wire(2, 0))], "nothing was sent again");
}

#[test]
fn a_cancel_that_never_arrived_is_not_among_what_the_venue_has() {
    let mut rig = FixRig::new(1, PLAIN);
    send(&mut rig, 1, 100);
    rig.settle();
    rig.line.lose_ours_after(0);
    let deadline = rig.now().plus(3_600_000_000_000);
    let cancel = WireCancel { wire_id: wire(1, 1), orig_wire_id: wire(1, 0), deadline };
    assert_eq!(rig.fix_port().cancel(&cancel), Handed::Over);
    rig.line_up(false);
    rig.line.lose_nothing();
    rig.line_up(true);
    let told = bodies(rig.settle());
    assert!(told.iter().any(|body| matches!(body, ReportBody::NotSent { intent: IntentKind::Cancel, .. })), "{told:?}");
    let order = known(&mut rig, 1);
    assert_eq!((order.state, order.requests), (VenueState::Live, Vec::new()));
}

#[test]
fn what_the_venue_took_and_did_not_answer_stays_in_doubt_until_it_says() {
    let mut rig = FixRig::new(1, PLAIN);
    rig.set_faults(Faults { lost_ppm: 1_000_000, ..Faults::none() });
    send(&mut rig, 1, 100);
    rig.settle();
    assert_eq!(rig.fix_port().query(&wire(1, 0)), Answer::Incomplete(None), "it has the number");
    rig.restart();
    assert_eq!(rig.fix_port().query(&wire(1, 0)), Answer::Incomplete(None));
    // What the log does not have never left.
    assert_eq!(rig.fix_port().query(&wire(9, 0)), Answer::Complete(None));
    // The venue says it after all.
    rig.say_raw(report(&[(11, wire(1, 0).as_str()), (17, "N1"), (39, "0"), (150, "0"), (38, "100"), (151, "100")]));
    rig.settle();
    assert_eq!(known(&mut rig, 1).state, VenueState::Live);
}

#[test]
fn a_venue_that_turns_out_to_take_no_questions_is_judged_by_numbers() {
    let mut rig = FixRig::between("mass_status yes\n", PLAIN);
    send(&mut rig, 1, 100);
    rig.settle();
    assert_eq!(known(&mut rig, 1).state, VenueState::Live);
    assert!(matches!(rig.fix_port().open_orders(), Answer::Complete(open) if open.len() == 1));
    assert_eq!(rig.fix_port().query(&wire(9, 0)), Answer::Complete(None));
}

#[test]
fn orders_that_a_venue_cancels_with_the_session_are_not_known_until_it_says() {
    let mut rig = FixRig::new(1, "order_status no\ncancel_on_disconnect yes\n");
    send(&mut rig, 1, 100);
    rig.settle();
    assert_eq!(known(&mut rig, 1).state, VenueState::Live);
    rig.line_up(false);
    rig.line_up(true);
    assert!(matches!(rig.fix_port().query(&wire(1, 0)), Answer::Incomplete(Some(_))));
    rig.say(ReportBody::Canceled { wire_id: wire(1, 0), text: "session lost".to_owned() });
    rig.settle();
    assert_eq!(known(&mut rig, 1).state, VenueState::Canceled);
}

#[test]
fn numbers_that_a_venue_skips_leave_a_hole() {
    let mut rig = FixRig::new(1, PLAIN);
    send(&mut rig, 1, 100);
    rig.settle();
    rig.skip_theirs(50);
    rig.arrive();
    assert!(matches!(rig.fix_port().query(&wire(1, 0)), Answer::Incomplete(Some(_))));
    assert!(matches!(rig.fix_port().open_orders(), Answer::Incomplete(_)));
    rig.restart();
    assert!(matches!(rig.fix_port().open_orders(), Answer::Incomplete(_)));
    // Somebody vouches for what was in it: both begin anew.
    rig.reset();
    rig.arrive();
    assert_eq!(known(&mut rig, 1).state, VenueState::Live);
}

#[test]
fn a_message_that_is_refused_as_a_message_ends_what_it_carried() {
    let mut rig = FixRig::new(1, PLAIN);
    rig.set_faults(Faults { lost_ppm: 1_000_000, ..Faults::none() });
    send(&mut rig, 1, 100);
    rig.arrive();
    // The order, then the question whether it had arrived.
    let number = rig.fix_port().sessions()[0].handle.numbers().1 - 2;
    let mut reject = Outgoing::new(b"j");
    reject.body.uint(45, number).text(58, "not today").text(372, "D").uint(380, 0);
    rig.say_raw(reject);
    assert_eq!(bodies(rig.settle()), [ReportBody::Rejected { wire_id: wire(1, 0), text: "not today".to_owned() }]);
    rig.restart();
    assert_eq!(known(&mut rig, 1).state, VenueState::Rejected);
}

#[test]
fn what_the_venues_dictionary_does_not_have_is_refused_by_its_session() {
    let ours = "field 5001 Desk String\nadd D 5001\nconst D 5001 EQ1\norder_status no\n";
    let mut rig = FixRig::between(ours, PLAIN);
    send(&mut rig, 1, 100);
    let told = bodies(rig.settle());
    assert!(
        matches!(told.as_slice(), [ReportBody::Rejected { wire_id, text }] if *wire_id == wire(1, 0) && text.contains("tag")),
        "{told:?}"
    );
    rig.restart();
    assert_eq!(known(&mut rig, 1).state, VenueState::Rejected, "the refusal is in the log");
    assert!(rig.edge.seen().is_empty());
}

#[test]
fn trades_that_are_not_known_or_too_much_are_told_so_and_booked() {
    let mut rig = FixRig::new(1, PAPER);
    send(&mut rig, 1, 100);
    rig.settle();
    let fill = |exec_id: &str, named: &str, qty: &str| {
        report(&[(11, named), (17, exec_id), (39, "1"), (150, "F"), (31, "20.00"), (32, qty), (38, "100")])
    };
    let (own, other) = (wire(1, 0), wire(77, 0));
    rig.say_raw(fill("X1", own.as_str(), "60"));
    rig.say_raw(fill("X2", own.as_str(), "60"));
    rig.say_raw(fill("X2", own.as_str(), "60"));
    rig.say_raw(fill("X3", other.as_str(), "10"));
    rig.say_raw(fill("X4", "SOMEBODY", "10"));
    let told = bodies(rig.settle());
    let fills = told.iter().filter(|body| matches!(body, ReportBody::Fill { .. })).count();
    assert_eq!(fills, 5, "money that moved is reported: {told:?}");
    rig.arrive();
    let expected = [("X2", "C"), ("X3", "D"), ("X4", "D")].map(|(id, why)| (id.to_owned(), why.to_owned()));
    assert_eq!(rig.edge.not_known(), expected, "each once");
}

#[test]
fn executions_are_taken_back_and_corrected_and_orders_end_unasked() {
    let mut rig = FixRig::new(1, PLAIN);
    send(&mut rig, 1, 100);
    rig.settle();
    let name = wire(1, 0);
    let say = |rig: &FixRig, fields: &[(i32, &str)]| rig.say_raw(report(&[&[(11, name.as_str()), (38, "100")], fields].concat()));
    say(&rig, &[(17, "X1"), (39, "2"), (150, "F"), (31, "20.00"), (32, "100")]);
    rig.settle();
    assert_eq!(known(&mut rig, 1).state, VenueState::Filled);
    say(&rig, &[(17, "Y1"), (19, "X1"), (39, "1"), (150, "G"), (31, "19.99"), (32, "90"), (58, "wrong")]);
    let told = bodies(rig.settle());
    assert!(
        matches!(told.as_slice(), [ReportBody::Corrected { exec_ref, fill, .. }] if exec_ref.as_str() == "X1" && fill.exec_id.as_str() == "Y1"),
        "{told:?}"
    );
    let order = known(&mut rig, 1);
    assert_eq!((order.state, order.fills[0].1.last_px), (VenueState::Live, "19.99".parse::<Price>().unwrap()));
    say(&rig, &[(17, "Y2"), (19, "X1"), (39, "0"), (150, "H"), (58, "erroneous")]);
    let told = bodies(rig.settle());
    assert!(
        matches!(told.as_slice(), [ReportBody::Busted { exec_ref, exec_id, .. }] if exec_ref.as_str() == "X1" && exec_id.as_str() == "Y2")
    );
    // Said once more, in case it had not come: it was taken back.
    say(&rig, &[(17, "X1"), (39, "2"), (150, "F"), (31, "20.00"), (32, "100")]);
    rig.settle();
    assert!(known(&mut rig, 1).fills.is_empty());
    say(&rig, &[(17, "N9"), (39, "4"), (150, "4"), (58, "delisted")]);
    let told = bodies(rig.settle());
    assert_eq!(told, [ReportBody::Canceled { wire_id: wire(1, 0), text: "delisted".to_owned() }]);
    rig.restart();
    assert_eq!(known(&mut rig, 1).state, VenueState::Canceled);
}

#[test]
fn a_replace_of_which_the_answer_was_lost_is_asked_about_by_both_names() {
    let mut rig = FixRig::new(1, PAPER);
    send(&mut rig, 1, 100);
    rig.settle();
    rig.set_faults(Faults { lost_ppm: 1_000_000, ..Faults::none() });
    let deadline = rig.now().plus(3_600_000_000_000);
    let replace = WireReplace {
        wire_id: wire(1, 1),
        orig_wire_id: wire(1, 0),
        order_qty: Qty::from_units(80).unwrap(),
        price: Some("19.99".parse().unwrap()),
        stop_px: None,
        deadline,
    };
    assert_eq!(rig.fix_port().replace(&replace), Handed::Over);
    assert!(bodies(rig.settle()).is_empty());
    let order = known(&mut rig, 1);
    assert_eq!(order.requests, [(wire(1, 1), RequestState::Accepted)]);
    assert_eq!((order.order_qty, order.price), (Qty::from_units(80).unwrap(), Some("19.99".parse().unwrap())));
}

#[test]
fn what_a_venue_does_not_take_is_not_sent_there() {
    let mut rig = FixRig::new(1, "ord_types LIMIT\ntimes_in_force DAY\nsides BUY SELL\nmax_order_qty 500\nmax_open_orders 2\n");
    let base = limit(&rig, 1, 100);
    let (too_large, market) = (Qty::from_units(501).unwrap(), OrdType::Market);
    for (order, what) in [
        (WireOrder { ord_type: market, price: None, ..base.clone() }, "MARKET"),
        (WireOrder { time_in_force: TimeInForce::Ioc, ..base.clone() }, "IOC"),
        (WireOrder { side: Side::SellShort, ..base.clone() }, "SELL_SHORT"),
        (WireOrder { order_qty: too_large, ..base }, "500"),
    ] {
        let handed = rig.fix_port().send(&order);
        assert!(matches!(&handed, Handed::NotSent(reason) if reason.contains(what)), "{handed:?}");
    }
    for order in 1..=2 {
        send(&mut rig, order, 100);
    }
    let third = limit(&rig, 3, 100);
    assert!(matches!(rig.fix_port().send(&third), Handed::NotSent(_)));
    rig.settle();
    rig.say(ReportBody::Canceled { wire_id: wire(1, 0), text: String::new() });
    rig.settle();
    assert_eq!(rig.fix_port().send(&third), Handed::Over);
}
