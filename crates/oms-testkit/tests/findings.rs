//! What the simulation has found, each as the shortest scenario that shows it.

use oms_testkit::check;

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
