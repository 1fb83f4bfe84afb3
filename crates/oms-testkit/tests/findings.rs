//! What the simulation has found, each as the shortest scenario that shows it.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use oms_model::command::Command;
use oms_model::event::Event;
use oms_model::instrument::Currency;
use oms_model::report::{ReportBody, VenueFill};
use oms_model::{Anomaly, ExecId, Mic, Notional, Order, Side};
use oms_testkit::check;
use oms_testkit::fixture::{Desk, dec, limit_order};

/// A cancel in doubt, and then the order is wholly executed: nothing is left to be found out.
#[test]
fn the_end_of_an_order_ends_its_doubt() {
    check(
        "quote XNAS XYZ 20.00 x 300 / 20.02 x 500
        submit A1 buy 100 XYZ @ 20.00 at XNAS   -> UNACK
        ack A1.1                                -> LIVE
        cancel A1                               -> PENDING_CANCEL
        unknown A1.1 cancel                     -> legs XNAS:100:PENDING_CANCEL?
        fill A1.1 100 @ 20.00                   -> FILLED legs XNAS:100:FILLED
        submit A2 buy 100 XYZ @ 20.00 at XNAS   -> UNACK
        cancel A2                               -> PENDING_CANCEL
        unknown A2.1 cancel                     -> legs XNAS:100:PENDING_CANCEL?
        not-sent A2.1 new                       -> legs XNAS:100:REJECTED
        order A2                                -> CANCELED",
    );
}

/// A fill answers an order in doubt, and in the same breath the venue tells that the rest was canceled.
#[test]
fn an_end_found_by_asking_counts_after_its_fills() {
    check(
        "quote XNAS XYZ 20.00 x 300 / 20.02 x 500
        submit A1 buy 100 XYZ @ 20.02 IOC at XNAS -> UNACK
        restart
        fill A1.1 40 @ 20.02                      -> PARTIALLY_FILLED cum 40
        resolve A1.1 new CANCELED                 -> CANCELED cum 40 leaves 0",
    );
}

/// One part refuses its cancel, then the others end: the order's cancel is refused too, and can be asked again.
#[test]
fn a_refused_part_does_not_leave_the_cancel_pending_for_ever() {
    check(
        "quote XNAS XYZ 20.00 x 300 / 20.02 x 500
        quote ARCX XYZ 20.00 x 300 / 20.02 x 500
        policy default SPLIT replans 0 rest
        submit A1 buy 600 XYZ @ 20.02            -> UNACK
        ack A1.1
        ack A1.2
        cancel A1                                -> PENDING_CANCEL
        cancel-reject A1.1 too late              -> PENDING_CANCEL
        cancel-ack A1.2                          -> LIVE
        cancel A1                                -> PENDING_CANCEL
        cancel-ack A1.1                          -> CANCELED",
    );
}

/// Without a session a cancel waits for the next one; it is not handed over to be refused.
#[test]
fn a_cancel_waits_for_the_session() {
    check(
        "quote XNAS XYZ 20.00 x 300 / 20.02 x 500
        submit A1 buy 100 XYZ @ 20.00 at XNAS   -> UNACK
        ack A1.1                                -> LIVE
        down XNAS
        cancel A1                               -> PENDING_CANCEL
        not-sent A1.1 cancel                    -> PENDING_CANCEL
        up XNAS
        cancel-ack A1.1                         -> CANCELED",
    );
}

/// What a kill switch covers and a venue would not cancel is asked for again at its next session.
#[test]
fn a_kill_switch_asks_again_at_the_next_session() {
    check(
        "quote XNAS XYZ 20.00 x 300 / 20.02 x 500
        submit A1 buy 100 XYZ @ 20.00 at XNAS   -> UNACK
        ack A1.1                                -> LIVE
        kill
        order A1                                -> PENDING_CANCEL
        cancel-reject A1.1 not now              -> LIVE
        down XNAS
        up XNAS
        wait 0
        order A1                                -> PENDING_CANCEL
        cancel-ack A1.1                         -> CANCELED",
    );
}

/// A cancel that comes while a replace is pending does not keep the replace from being settled: what is executed
/// under the new quantity is no overfill.
#[test]
fn a_replace_is_settled_though_a_cancel_waits() {
    check(
        "quote XNAS XYZ 20.00 x 300 / 20.02 x 500
        submit A1 buy 100 XYZ @ 20.00 at XNAS   -> UNACK
        ack A1.1                                -> LIVE
        replace A1 qty 300                      -> PENDING_REPLACE
        kill
        order A1                                -> PENDING_CANCEL qty 100
        replace-ack A1.1                        -> PENDING_CANCEL qty 300
        fill A1.1 200 @ 20.00                   -> PENDING_CANCEL cum 200 leaves 100
        cancel-ack A1.1                         -> CANCELED cum 200",
    );
}

/// What a group's leg gives back is placed again through the gate that its members passed.
#[test]
fn a_group_whose_leg_is_refused_is_placed_again() {
    check(
        "quote XNAS XYZ 20.00 x 900 / 20.02 x 900
        quote ARCX XYZ 20.00 x 900 / 20.03 x 900
        submit A1 buy 70 XYZ @ 20.05 CARE for main -> NEW
        submit A2 buy 30 XYZ @ 20.05 CARE for main -> NEW
        group G1 A1 A2                             -> UNACK legs XNAS:100:UNACK
        reject G1.1 not here                       -> UNACK legs XNAS:100:REJECTED ARCX:100:UNACK",
    );
}

/// A group is for no more than its members had left, and at no price that one of them would not take.
#[test]
fn a_group_keeps_to_its_members_terms() {
    check(
        "quote XNAS XYZ 20.00 x 900 / 20.02 x 900
        submit A1 buy 70 XYZ @ 20.05 CARE for main -> NEW
        submit A2 buy 30 XYZ @ 20.03 CARE for main -> NEW
        group G1 A1 A2                             -> UNACK
        ack G1.1                                   -> LIVE
        replace G1 price 20.04                     -> refused VALIDATION_ERROR
        replace G1 qty 200                         -> refused VALIDATION_ERROR
        replace G1 price 20.02                     -> PENDING_REPLACE",
    );
}

/// A member is not worked singly: what a person books goes on the group.
#[test]
fn nothing_is_booked_on_a_grouped_order() {
    check(
        "quote XNAS XYZ 20.00 x 900 / 20.02 x 900
        submit A1 buy 70 XYZ @ 20.05 CARE for main -> NEW
        submit A2 buy 30 XYZ @ 20.05 CARE for main -> NEW
        group G1 A1 A2                             -> UNACK
        book A1 10 @ 20.00                         -> refused STATE_CONFLICT",
    );
}

/// A reversal takes back what was shared out, also once the group is dissolved; nobody wants the group to work again.
#[test]
fn a_bust_after_a_group_was_dissolved_takes_the_shares_back() {
    check(
        "quote XNAS XYZ 20.00 x 900 / 20.02 x 900
        submit A1 buy 70 XYZ @ 20.05 CARE for main -> NEW
        submit A2 buy 30 XYZ @ 20.05 CARE for main -> NEW
        group G1 A1 A2                             -> UNACK
        ack G1.1                                   -> LIVE
        fill G1.1 100 @ 20.02 exec X1              -> FILLED cum 100
        ungroup G1
        order A1                                   -> FILLED cum 70
        bust G1.1 X1                               -> PENDING_CANCEL cum 0 alloc 0
        order A1                                   -> LIVE cum 0
        held main XYZ                              -> 0
        cancel-ack G1.1                            -> CANCELED",
    );
}

/// What a reversal brings back under a kill switch is canceled at once.
#[test]
fn a_bust_under_a_kill_switch_leaves_nothing_working() {
    check(
        "quote XNAS XYZ 20.00 x 300 / 20.02 x 500
        submit A1 buy 100 XYZ @ 20.00              -> UNACK
        ack A1.1                                   -> LIVE
        fill A1.1 100 @ 20.00 exec X1              -> FILLED
        kill
        bust A1.1 X1                               -> PENDING_CANCEL legs XNAS:100:PENDING_CANCEL
        cancel-ack A1.1                            -> CANCELED cum 0",
    );
}

/// The day of the order was closed: what a reversal brings back ends with it.
#[test]
fn a_bust_after_the_day_was_closed_leaves_nothing_working() {
    check(
        "quote XNAS XYZ 20.00 x 300 / 20.02 x 500
        submit A1 buy 100 XYZ @ 20.00              -> UNACK
        ack A1.1                                   -> LIVE
        fill A1.1 100 @ 20.00 exec X1              -> FILLED
        close-day
        bust A1.1 X1                               -> PENDING_CANCEL cum 0
        cancel-ack A1.1                            -> EXPIRED cum 0",
    );
}

/// A charge that comes after its order left the hot state is booked.
#[test]
fn a_late_charge_finds_an_order_that_was_cleaned_up() {
    let venue = Mic::of(b"XNAS");
    let mut desk = Desk::new();
    desk.quote("XYZ", venue, Some((dec("20.00"), dec("300"))), Some((dec("20.02"), dec("500"))));
    desk.command(Command::CreateOrder(Box::new(limit_order("A1", Side::Buy, "100", "XYZ", "20.00"))));
    let legs: Vec<_> = desk.engine.state().orders_sorted().iter().map(|entry| entry.order.clone()).filter(Order::is_leg).collect();
    let (wire_id, exec_id) = (legs[0].wire_id(0), "X1".parse::<ExecId>().unwrap());
    let fill = VenueFill { exec_id: exec_id.clone(), last_qty: dec("100"), last_px: dec("20.00"), ..VenueFill::default() };
    desk.report(venue, ReportBody::Fill { wire_id: wire_id.clone(), fill });
    desk.advance(3_601_000_000_000);
    assert_eq!(desk.engine.state().order_count(), 0, "it was cleaned up");
    desk.report(venue, ReportBody::Commission { wire_id, exec_id, commission: dec("2"), currency: Currency::USD });
    let fees: Vec<Notional> = desk.engine.state().positions().map(|position| position.fees).collect();
    assert_eq!(fees, [dec::<Notional>("2")]);
}

/// A person books on a part in doubt; the venue's answer still ends the doubt.
#[test]
fn a_booking_by_hand_leaves_a_doubt_to_the_venue() {
    check(
        "quote XNAS XYZ 20.00 x 300 / 20.02 x 500
        submit A1 buy 100 XYZ @ 20.00              -> UNACK
        restart
        order A1                                   -> legs XNAS:100:UNACK?
        book A1.1 10 @ 20.00 exec TEL1             -> PARTIALLY_FILLED legs XNAS:100:PARTIALLY_FILLED?
        resolve A1.1 new LIVE                      -> PARTIALLY_FILLED legs XNAS:100:PARTIALLY_FILLED",
    );
}

/// The only part that is left takes the whole replace on, though it was changed before; then both changes go back.
#[test]
fn a_part_that_was_changed_twice_goes_back_to_what_it_was_at_first() {
    check(
        "quote ARCX XYZ 19.99 x 100 / 20.01 x 100
        quote XNAS XYZ 20.00 x 100 / 20.02 x 200
        policy default SPLIT replans 0 rest
        submit A1 buy 300 XYZ @ 20.02 SWEEP        -> UNACK legs ARCX:100:UNACK XNAS:200:UNACK
        ack A1.1
        ack A1.2
        replace A1 price 20.05                     -> PENDING_REPLACE
        replace-ack A1.2                           -> PENDING_REPLACE
        cancel-unasked A1.1                        -> PENDING_REPLACE
        replace-reject A1.2 no                     -> PENDING_REPLACE
        replace-ack A1.2                           -> LIVE",
    );
}

/// A charge in another currency is told once more, as at every new session, after the rate has changed: it stays as booked.
#[test]
fn a_repeated_charge_is_not_booked_at_the_new_rate() {
    check(
        "quote XNAS XYZ 20.00 x 300 / 20.02 x 500
        rate EUR USD 1.1
        submit A1 buy 100 XYZ @ 20.00 at XNAS      -> UNACK
        fill A1.1 100 @ 20.00 exec X1              -> FILLED
        commission A1.1 X1 2 EUR
        held main XYZ                              -> 100 fees 2.2
        rate EUR USD 1.25
        commission A1.1 X1 2 EUR
        held main XYZ                              -> 100 fees 2.2",
    );
}

/// A replace that the whole execution had settled was taken by the venue all the same, which shows once an execution was
/// taken back: the leg is canceled under its new id, for its terms are not the order's.
#[test]
fn a_replace_that_an_end_had_settled_is_found_out_after_a_bust() {
    check(
        "quote XNAS XYZ 20.00 x 300 / 20.02 x 500
        submit A1 buy 100 XYZ @ 20.00 at XNAS      -> UNACK
        ack A1.1                                   -> LIVE
        replace A1 qty 300                         -> PENDING_REPLACE
        fill A1.1 100 @ 20.00 exec X1              -> FILLED
        bust A1.1 X1                               -> LIVE qty 100 legs XNAS:100:LIVE?
        replace-ack A1.1                           -> LIVE qty 100 legs XNAS:300:PENDING_CANCEL
        cancel-ack A1.1                            -> LIVE legs XNAS:300:CANCELED XNAS:100:UNACK",
    );
}

/// A group works again by a bust, and one of its members is on its way out: the group is canceled for it.
#[test]
fn a_bust_does_not_bring_back_a_group_with_a_member_to_end() {
    check(
        "quote XNAS XYZ 20.00 x 900 / 20.02 x 900
        open-account
        submit A1 buy 70 XYZ @ 20.05 CARE for main -> NEW
        submit A2 buy 30 XYZ @ 20.05 CARE for main -> NEW
        group G1 A1 A2 in other MANUAL             -> UNACK
        ack G1.1                                   -> LIVE
        fill G1.1 100 @ 20.02 exec X1              -> FILLED cum 100
        kill account
        order A1                                   -> PENDING_CANCEL
        bust G1.1 X1                               -> PENDING_CANCEL cum 0
        cancel-ack G1.1                            -> CANCELED
        order A1                                   -> CANCELED",
    );
}

/// An execution of an order that has ended is corrected to more. What the order gave back may work elsewhere by now, so that is
/// raised like an execution after the end.
#[test]
fn a_correction_to_more_after_the_end_is_raised() {
    let venue = Mic::of(b"XNAS");
    let mut desk = Desk::new();
    desk.quote("XYZ", venue, Some((dec("20.00"), dec("300"))), Some((dec("20.02"), dec("500"))));
    desk.command(Command::CreateOrder(Box::new(limit_order("A1", Side::Buy, "200", "XYZ", "20.00"))));
    let wire_id = desk.engine.state().orders_sorted().iter().find(|entry| entry.order.is_leg()).unwrap().order.wire_id(0);
    let fill = |exec_id: &str, last_qty: &str| VenueFill {
        exec_id: exec_id.parse().unwrap(),
        last_qty: dec(last_qty),
        last_px: dec("20.00"),
        ..VenueFill::default()
    };
    desk.report(venue, ReportBody::Fill { wire_id: wire_id.clone(), fill: fill("X1", "97") });
    desk.report(venue, ReportBody::Expired { wire_id: wire_id.clone() });
    let exec_ref = "X1".parse().unwrap();
    let corrected = ReportBody::Corrected { wire_id, exec_ref, fill: fill("C1", "182"), text: "misreported".to_owned() };
    let output = desk.report(venue, corrected);
    let raised = |event: &&Event| matches!(event, Event::OrderAnomaly(e) if e.anomaly == Anomaly::FillAfterEnd);
    assert_eq!(output.batch.events.iter().filter(raised).count(), 2, "of the part and of the order: {:?}", output.batch.events);
    assert!(desk.engine.state().orders_sorted().iter().all(|entry| entry.order.cum_qty == dec("182")));
}

/// A pending replace gave what was unplaced of an order to its part: there is no room for a booking by hand.
#[test]
fn a_booking_by_hand_leaves_room_for_a_pending_replace() {
    check(
        "quote XNAS XYZ 20.00 x 300 / 20.02 x 500
        policy default SINGLE_BEST replans 0 rest
        submit A1 buy 200 XYZ @ 20.00 at XNAS      -> UNACK
        ack A1.1                                   -> LIVE
        replace A1 qty 500                         -> PENDING_REPLACE
        book A1 50 @ 20.00                         -> refused STATE_CONFLICT",
    );
}

/// A group goes through the gate that its members passed: trading is halted, so nothing of it is sent.
#[test]
fn a_group_is_not_sent_while_trading_is_halted() {
    check(
        "quote XNAS XYZ 20.00 x 900 / 20.02 x 900
        submit A1 buy 70 XYZ @ 20.05 CARE for main -> NEW
        submit A2 buy 30 XYZ @ 20.05 CARE for main -> NEW
        state HALTED
        group G1 A1 A2                             -> REJECTED",
    );
}

/// The venue would not cancel a group: its members stand too, and can be asked to end again.
#[test]
fn a_refused_cancel_of_a_group_does_not_leave_its_members_pending() {
    check(
        "quote XNAS XYZ 20.00 x 900 / 20.02 x 900
        submit A1 buy 70 XYZ @ 20.05 CARE for main -> NEW
        submit A2 buy 30 XYZ @ 20.05 CARE for main -> NEW
        group G1 A1 A2                             -> UNACK
        ack G1.1                                   -> LIVE
        kill
        order A1                                   -> PENDING_CANCEL
        cancel-reject G1.1 not now                 -> LIVE
        order A1                                   -> UNACK
        kill
        order A1                                   -> PENDING_CANCEL
        cancel-ack G1.1                            -> CANCELED
        order A1                                   -> CANCELED",
    );
}

/// A part refused its cancel and then ended by itself: it is not placed again, for the order above it is on its way out.
#[test]
fn a_part_is_not_placed_again_while_its_root_is_canceled() {
    check(
        "quote XNAS XYZ 20.00 x 900 / 20.02 x 900
        quote ARCX XYZ 20.00 x 900 / 20.03 x 900
        submit A1 buy 200 XYZ @ 20.05 CARE         -> NEW
        claim A1 by bob                            -> NEW
        split A1 100 id P1 + 100 id P2 by bob      -> UNACK place 200
        ack P1.1                                   -> LIVE
        ack P2.1                                   -> LIVE
        cancel A1                                  -> PENDING_CANCEL
        cancel-reject P1.1 not now                 -> LIVE
        cancel-unasked P1.1                        -> CANCELED
        cancel-ack P2.1                            -> CANCELED
        order A1                                   -> CANCELED",
    );
}

/// A part works again under an order that has ended, and its cancel is refused: with the next session it is asked again.
#[test]
fn what_works_below_an_order_that_ended_is_canceled_with_the_next_session() {
    check(
        "quote XNAS XYZ 20.00 x 900 / 20.02 x 900
        submit A1 buy 200 XYZ @ 20.00 CARE         -> NEW
        claim A1 by bob                            -> NEW
        split A1 100 id P1 by bob                  -> UNACK place 100
        fill P1.1 100 @ 20.00 exec X1              -> FILLED
        cancel A1                                  -> CANCELED cum 100
        bust P1.1 X1                               -> PENDING_CANCEL
        order A1                                   -> CANCELED cum 0
        cancel-reject P1.1 not now                 -> LIVE
        down XNAS
        up XNAS
        order P1                                   -> LIVE legs XNAS:100:PENDING_CANCEL
        cancel-ack P1.1                            -> CANCELED",
    );
}

/// A part works again below a part that has ended: its quantity is not placed a second time before its cancel is through.
#[test]
fn what_works_below_a_part_that_ended_is_not_placed_twice() {
    check(
        "quote XNAS XYZ 20.00 x 900 / 20.02 x 900
        submit A1 buy 200 XYZ @ 20.00 CARE         -> NEW
        claim A1 by bob                            -> NEW
        split A1 200 id P1 CARE by bob             -> NEW place 200
        claim P1 by bob                            -> NEW
        split P1 100 id Q1 by bob                  -> UNACK place 100
        fill Q1.1 100 @ 20.00 exec X1              -> FILLED
        order P1                                   -> PARTIALLY_FILLED place 100
        cancel P1 by bob                           -> CANCELED cum 100
        order A1                                   -> PARTIALLY_FILLED place 100
        bust Q1.1 X1                               -> PENDING_CANCEL
        order A1                                   -> LIVE cum 0 place 100
        cancel-ack Q1.1                            -> CANCELED
        order A1                                   -> LIVE cum 0 place 0",
    );
}

/// A replace goes back while a kill switch cancels the order: it is refused, although what is left would fit it by now.
#[test]
fn a_replace_that_goes_back_is_refused_also_where_a_cancel_overtakes_it() {
    check(
        "quote ARCX XYZ 19.97 x 300 / 19.98 x 100
        quote XNAS XYZ 19.97 x 300 / 19.99 x 500
        quote XNYS XYZ 19.97 x 300 / 20.00 x 100
        submit A1 buy 700 XYZ @ 20.01 SWEEP        -> UNACK legs ARCX:100:UNACK XNAS:500:UNACK XNYS:100:UNACK
        ack A1.1                                   -> LIVE
        ack A1.2
        ack A1.3
        replace A1 qty 100                         -> PENDING_REPLACE saga FORWARD:1
        cancel-unasked A1.2                        -> PENDING_REPLACE
        cancel-ack A1.3                            -> PENDING_REPLACE saga FORWARD:2
        kill
        order A1                                   -> PENDING_CANCEL
        replace-reject A1.1 no                     -> PENDING_CANCEL saga - qty 700
        cancel-ack A1.1                            -> CANCELED",
    );
}

/// A replace has changed the only working part when a bust brings back another one, which refuses: the first is put back.
#[test]
fn a_part_that_works_again_in_the_middle_of_a_replace_is_a_step_of_it() {
    check(
        "quote XNAS XYZ 20.00 x 900 / 20.02 x 900
        quote ARCX XYZ 20.00 x 900 / 20.02 x 900
        submit A1 buy 400 XYZ @ 20.00 CARE         -> NEW
        claim A1                                   -> NEW
        split A1 200 + 200                         -> UNACK
        ack A1.1.1                                 -> LIVE
        fill A1.2.1 200 @ 20.00 exec X1            -> PARTIALLY_FILLED
        replace A1 price 19.99                     -> PENDING_REPLACE saga FORWARD:1
        bust A1.2.1 X1                             -> PENDING_REPLACE cum 0
        replace-ack A1.1.1                         -> PENDING_REPLACE saga FORWARD:2
        replace-reject A1.2.1 no                   -> PENDING_REPLACE saga BACK:2
        replace-ack A1.1.1                         -> LIVE saga - price 20",
    );
}

/// A cancel is in doubt, and then a correction makes the part whole: nothing is left to be found out.
#[test]
fn a_correction_that_makes_an_order_whole_ends_its_doubt() {
    check(
        "quote XNAS XYZ 20.00 x 300 / 20.02 x 500
        submit A1 buy 100 XYZ @ 20.00 at XNAS      -> UNACK
        ack A1.1                                   -> LIVE
        fill A1.1 40 @ 20.00 exec X1               -> PARTIALLY_FILLED
        cancel A1                                  -> PENDING_CANCEL
        unknown A1.1 cancel                        -> legs XNAS:100:PENDING_CANCEL?
        correct A1.1 X1 100 @ 20.00 by C1          -> FILLED legs XNAS:100:FILLED",
    );
}

/// An order that accepts a quote waits for a second person, and the quote does not wait for it: then it is refused.
#[test]
fn a_quote_that_is_gone_is_not_accepted_by_an_order_that_waited() {
    check(
        "list STRUCTURED NOTE
        limit APPROVAL_NOTIONAL 1
        ask R1 buy 10 NOTE for 30000                    -> NEW
        bid Q1 R1 XNAS 98.00 x 50 / 99.50 x 50 for 5000 -> LIVE
        take Q1 A1                                      -> NEW held APPROVAL
        wait 6
        dealt Q1                                        -> EXPIRED
        agree A1                                        -> REJECTED code QUOTE_NOT_LIVE
        bid Q2 R1 XNAS 98.00 x 50 / 99.50 x 50 for 5000 -> LIVE
        take Q2 A2                                      -> NEW held APPROVAL
        agree A2                                        -> UNACK held -
        dealt Q2                                        -> ACCEPTED",
    );
}

/// All that a group executed is taken back while a proposal to share it out waits: the group can be dissolved, and the
/// proposal lapses with it.
#[test]
fn a_proposal_lapses_with_its_group() {
    check(
        "quote XNAS XYZ 20.00 x 900 / 20.02 x 900
        submit A1 buy 60 XYZ @ 20.05 GTC CARE       -> NEW
        submit A2 buy 40 XYZ @ 20.05 GTC CARE       -> NEW
        group G1 A1 A2 MANUAL                       -> UNACK qty 100
        fill G1.1 50 @ 20.02 exec X1                -> PARTIALLY_FILLED cum 50
        propose G1
        cancel G1                                   -> PENDING_CANCEL
        cancel-ack G1.1                             -> CANCELED cum 50
        ungroup G1                                  -> refused STATE_CONFLICT
        bust G1.1 X1                                -> CANCELED cum 0
        ungroup G1
        approve G1 by other                         -> refused NOT_FOUND",
    );
}

/// An execution under the id of a replace shows that the venue took it, and not for how many: what the venue says later
/// holds, as if it had come first, also of a part that seemed to be whole and works again by a bust. The order then is for
/// what its client had asked for: what was executed beyond that, and is taken back, is not placed anew.
#[test]
fn the_quantity_that_a_venue_tells_late_is_the_one_that_works() {
    let begun = "quote XNAS XYZ 20.00 x 900 / 20.02 x 900
        submit A1 buy 700 XYZ @ 20.00 GTC at XNAS    -> UNACK
        ack A1.1                                     -> LIVE
        replace A1 qty 100                           -> PENDING_REPLACE
        fill A1.1 271 @ 20.00 exec X1                -> PENDING_REPLACE
        ";
    let whole = "fill A1.1 24 @ 20.00 exec X2 replaced   -> FILLED qty 271 legs XNAS:271:FILLED
        ";
    let told = "replace-ack A1.1 at 100                  -> legs XNAS:100:FILLED
        ";
    let bust = "bust A1.1 X1
        ";
    let end = "order A1                                  -> PARTIALLY_FILLED qty 100 cum 24 legs XNAS:100:PARTIALLY_FILLED
        replace-ack A1.1 at 100                          -> legs XNAS:100:PARTIALLY_FILLED
        cancel A1                                        -> PENDING_CANCEL
        replace-ack A1.1 of 1 at 90                      -> legs XNAS:90:PENDING_CANCEL
        cancel-ack A1.1                                  -> CANCELED cum 24";
    let answered = "replace-ack A1.1 at 100              -> FILLED qty 271
        fill A1.1 24 @ 20.00 exec X2 replaced
        ";
    check(&format!("{begun}{answered}{bust}{end}"));
    check(&format!("{begun}{whole}{told}{bust}{end}"));
    check(&format!("{begun}{whole}{bust}replace-ack A1.1 at 100\n{end}"));
}
