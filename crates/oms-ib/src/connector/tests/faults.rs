//! Each fault of the simulator, and what the connector makes of it.

use oms_model::Side;
use oms_runtime::port::{Answer, Handed, VenueOrder, VenuePort as _, VenueState};

use super::super::config::{Offer, SECOND};
use super::play::{MS, Play, px, shares, wire};

/// A desk whose gate is open, five hundred shares shown on each side.
pub(super) fn desk(offer: Offer) -> Play {
    let mut play = Play::new(offer);
    play.up();
    play.show(Side::Sell, Some((px("20"), shares(500))));
    play.show(Side::Buy, Some((px("19.9"), shares(500))));
    play
}

pub(super) fn both(test: impl Fn(Offer)) {
    test(Offer::Proto);
    test(Offer::Text);
}

pub(super) fn known(play: &mut Play, order: u128) -> VenueOrder {
    match play.query(&wire(order, 0)) {
        Answer::Complete(Some(order)) => order,
        other => panic!("{other:?}"),
    }
}

fn never_arrived(play: &mut Play, order: u128) {
    assert_eq!(play.query(&wire(order, 0)), Answer::Complete(None), "order {order}");
}

fn rest(play: &mut Play, order: u128) {
    assert_eq!(play.send(&play.limit(order, Side::Buy, 100, "19.5")), Handed::Over);
}

fn take(play: &mut Play, order: u128) {
    assert_eq!(play.send(&play.limit(order, Side::Buy, 100, "20")), Handed::Over);
}

#[test]
fn an_order_under_which_the_line_broke_is_found_or_proven_never_to_have_arrived() {
    both(|offer| {
        for (line, arrived) in [("drop-before 1", false), ("drop-after 1", true)] {
            let mut play = desk(offer);
            play.order_sim(line);
            rest(&mut play, 1);
            assert_eq!(play.words(), ["down"], "{line}");
            play.up();
            if arrived {
                assert_eq!(known(&mut play, 1).state, VenueState::Live);
                assert_eq!(play.words(), ["accepted"]);
            } else {
                never_arrived(&mut play, 1);
            }
            // It is never sent again.
            play.run(120 * SECOND);
            assert_eq!(play.gateway.taken().len(), usize::from(arrived), "{line}");
        }
    });
}

#[test]
fn a_frozen_gateway_is_found_out_in_ten_seconds_and_what_it_did_with_the_order_is_known_after() {
    both(|offer| {
        let mut play = desk(offer);
        play.run(3 * SECOND);
        play.order_sim("freeze on");
        take(&mut play, 1);
        let after = play.until(11 * SECOND, "the alarm", |play| play.reports.iter().any(|report| report.body.wire_id().is_none()));
        assert!(after <= 10 * SECOND, "{} ms", after / MS);
        assert!(matches!(play.send(&play.limit(2, Side::Buy, 100, "20")), Handed::NotSent(_)));
        assert!(matches!(play.query(&wire(1, 0)), Answer::Failed(_)));
        play.run(20 * SECOND);
        play.order_sim("freeze off");
        play.up();
        play.run(SECOND);
        assert_eq!(known(&mut play, 1).state, VenueState::Filled);
        assert_eq!(play.words(), ["down", "accepted", "fill 100 at 20", "commission 1 USD"]);
        assert_eq!(play.gateway.taken().len(), 1);
    });
}

#[test]
fn while_the_gateway_has_lost_the_broker_nothing_is_sent_and_everything_is_looked_at_after() {
    both(|offer| {
        for back in ["line restored kept", "line restored lost"] {
            let mut play = desk(offer);
            rest(&mut play, 1);
            play.run(SECOND);
            play.order_sim("line lost");
            assert_eq!(play.words(), ["accepted", "down"]);
            assert!(matches!(play.send(&play.limit(2, Side::Buy, 100, "20")), Handed::NotSent(_)));
            assert!(matches!(play.replace(&play.replace_of(1, 1, 50, "19.5")), Handed::NotSent(_)));
            assert!(matches!(play.open_orders(), Answer::Failed(_)));
            play.run(60 * SECOND);
            let looks = play.connector().status().figures.looks;
            play.order_sim(back);
            play.up();
            assert!(looks < play.connector().status().figures.looks);
            assert_eq!(known(&mut play, 1).state, VenueState::Live);
            assert_eq!(play.connector().status().figures.sessions, 1, "the session was kept");
        }
    });
}

#[test]
fn a_client_id_that_lingers_is_waited_for_and_never_changed() {
    both(|offer| {
        let mut play = desk(offer);
        play.order_sim("linger 5000");
        play.cut();
        play.order_sim("linger 0");
        let waited = play.up();
        let status = play.connector().status();
        assert!((5 * SECOND..20 * SECOND).contains(&waited), "{} ms", waited / MS);
        assert!(3 <= status.figures.attempts, "{status:?}");
        assert!(play.order_sim("status").contains("clients 7"));
    });
}

#[test]
fn an_order_id_that_was_used_is_never_used_again_though_the_gateway_goes_back() {
    both(|offer| {
        let mut play = desk(offer);
        rest(&mut play, 1);
        rest(&mut play, 2);
        play.order_sim("rollback 2");
        play.cut();
        play.up();
        rest(&mut play, 3);
        play.run(SECOND);
        assert_eq!(play.gateway.working().len(), 3);
        // Nor after the desk was killed, and the gateway goes back again.
        play.order_sim("rollback 3");
        play.kill();
        play.start();
        play.up();
        rest(&mut play, 4);
        play.run(SECOND);
        assert_eq!(play.gateway.working().len(), 4);
        for order in 1..=4 {
            assert_eq!(known(&mut play, order).state, VenueState::Live);
        }
    });
}

#[test]
fn an_order_that_is_swallowed_is_told_to_be_unknown_in_time_then_proven_and_not_sent_again() {
    both(|offer| {
        let mut play = desk(offer);
        play.order_sim("swallow 1");
        rest(&mut play, 1);
        let waited = play.until(10 * SECOND, "doubt", |play| !play.reports.is_empty());
        assert!(waited < 4 * SECOND, "{} ms", waited / MS);
        assert_eq!(play.words(), ["unknown"]);
        never_arrived(&mut play, 1);
        play.run(120 * SECOND);
        assert!(play.gateway.taken().is_empty() && play.words().is_empty());
        assert_eq!(play.connector().status().figures.never_arrived, 1);
    });
}

#[test]
fn whatever_comes_first_or_twice_or_not_at_all_an_order_is_told_once() {
    both(|offer| {
        for line in ["execution-first on", "duplicate-status on", "no-status on", "perm-zero on", "reset"] {
            let mut play = desk(offer);
            play.order_sim(line);
            play.order_sim("pacing 0");
            take(&mut play, 1);
            play.run(2 * SECOND);
            assert_eq!(play.words(), ["accepted", "fill 100 at 20", "commission 1 USD"], "{line}");
            assert_eq!(known(&mut play, 1).state, VenueState::Filled, "{line}");
            play.order_sim("execution-first off");
            rest(&mut play, 2);
            play.run(SECOND);
            assert_eq!(play.cancel(&play.cancel_of(2, 1)), Handed::Over);
            play.run(2 * SECOND);
            assert_eq!(play.words(), ["accepted", "canceled by 1"], "{line}");
        }
    });
}

#[test]
fn a_commission_comes_late_or_is_found_by_looking() {
    both(|offer| {
        for (line, least, most) in [("commission late 5000", 4, 7), ("commission missing", 10, 90)] {
            let mut play = desk(offer);
            play.order_sim(line);
            take(&mut play, 1);
            play.run(SECOND);
            assert_eq!(play.words(), ["accepted", "fill 100 at 20"], "{line}");
            let waited = play.until(100 * SECOND, "the commission", |play| !play.reports.is_empty());
            assert!((least * SECOND..most * SECOND).contains(&waited), "{line}: {} ms", waited / MS);
            assert_eq!(play.words(), ["commission 1 USD"], "{line}");
        }
    });
}

#[test]
fn a_correction_replaces_the_execution_that_it_corrects() {
    both(|offer| {
        let mut play = desk(offer);
        take(&mut play, 1);
        play.run(SECOND);
        play.words();
        play.order_sim("correct 19.95");
        assert_eq!(play.words(), ["corrected 100 at 19.95"]);
        let order = known(&mut play, 1);
        assert_eq!((order.fills.len(), order.fills[0].1.last_px), (1, px("19.95")));
        // A second one, while the desk is down; the first is not told over it.
        play.kill();
        play.order_sim("correct 19.96");
        play.start();
        play.up();
        assert!(play.words().contains(&"corrected 100 at 19.96".to_owned()));
        let order = known(&mut play, 1);
        assert_eq!((order.state, order.fills.len(), order.fills[0].1.last_px), (VenueState::Filled, 1, px("19.96")));
        // One that takes quantity back leaves an order that neither works nor is whole: a person decides.
        play.order_sim("correct 19.96 90");
        assert_eq!(play.words(), ["corrected 90 at 19.96"]);
        assert!(matches!(play.query(&wire(1, 0)), Answer::Incomplete(Some(_))));
    });
}

#[test]
fn what_is_executed_after_a_cancel_is_booked() {
    both(|offer| {
        let mut play = desk(offer);
        play.order_sim("fill-after-cancel on");
        rest(&mut play, 1);
        play.run(SECOND);
        assert_eq!(play.cancel(&play.cancel_of(1, 1)), Handed::Over);
        play.run(SECOND);
        let words = play.words();
        assert_eq!(words[..2], ["accepted", "canceled by 1"]);
        assert!(words[2].starts_with("fill 100"), "{words:?}");
        assert_eq!(known(&mut play, 1).state, VenueState::Filled);
    });
}

#[test]
fn new_terms_that_are_refused_leave_the_order_as_it_was() {
    both(|offer| {
        let mut play = desk(offer);
        rest(&mut play, 1);
        play.run(SECOND);
        play.order_sim("refuse-modify 1");
        assert_eq!(play.replace(&play.replace_of(1, 1, 200, "19.4")), Handed::Over);
        play.run(SECOND);
        assert_eq!(play.words(), ["accepted", "replace rejected"]);
        let order = known(&mut play, 1);
        assert_eq!((order.state, order.order_qty, order.price), (VenueState::Live, shares(100), Some(px("19.5"))));
        assert_eq!(play.replace(&play.replace_of(1, 2, 200, "19.4")), Handed::Over);
        play.run(SECOND);
        assert_eq!(play.words(), ["replaced"]);
        assert_eq!(known(&mut play, 1).order_qty, shares(200));
    });
}

#[test]
fn an_inactive_order_lives_until_it_is_refused() {
    both(|offer| {
        for line in ["inactive plain 1", "inactive locate 1"] {
            let mut play = desk(offer);
            play.order_sim(line);
            rest(&mut play, 1);
            play.run(10 * SECOND);
            assert!(play.words().is_empty(), "{line}");
            assert_eq!(known(&mut play, 1).state, VenueState::Live, "{line}");
            play.order_sim("activate");
            play.run(SECOND);
            assert_eq!(play.words(), ["accepted"], "{line}");
        }
    });
}

#[test]
fn a_list_without_its_end_is_not_an_empty_list() {
    both(|offer| {
        let mut play = desk(offer);
        rest(&mut play, 1);
        play.run(SECOND);
        play.words();
        play.order_sim("end missing");
        assert!(matches!(play.query(&wire(1, 0)), Answer::Incomplete(Some(_))));
        assert_eq!(play.words(), ["down"]);
        play.run(60 * SECOND);
        assert!(!play.is_up() && matches!(play.send(&play.limit(2, Side::Buy, 100, "20")), Handed::NotSent(_)));
        play.order_sim("end late 2000");
        play.up();
        assert_eq!(known(&mut play, 1).state, VenueState::Live);
        assert!(play.words().is_empty(), "nothing was made of what was not told");
    });
}

#[test]
fn a_second_order_under_the_same_id_is_not_claimed_to_be_the_first_and_is_canceled_with_it() {
    both(|offer| {
        let mut play = desk(offer);
        rest(&mut play, 1);
        play.run(SECOND);
        play.order_sim("second-perm 1");
        assert_eq!(play.replace(&play.replace_of(1, 1, 200, "19.4")), Handed::Over);
        play.run(SECOND);
        assert!(play.words().contains(&"unknown".to_owned()));
        assert_eq!(play.gateway.working().len(), 2);
        assert!(matches!(play.query(&wire(1, 0)), Answer::Incomplete(Some(_))));
        assert!(matches!(play.replace(&play.replace_of(1, 2, 200, "19.3")), Handed::NotSent(_)));
        play.words();
        assert_eq!(play.cancel(&play.cancel_of(1, 3)), Handed::Over);
        play.run(SECOND);
        assert!(play.gateway.working().is_empty());
        assert_eq!(play.words(), ["canceled by 3"]);
        assert_eq!(known(&mut play, 1).state, VenueState::Canceled);
    });
}

#[test]
fn an_order_whose_new_terms_made_a_second_one_unseen_has_not_ended_when_the_first_is_executed() {
    both(|offer| {
        let mut play = desk(offer);
        rest(&mut play, 1);
        play.run(SECOND);
        play.order_sim("second-perm 1");
        // Nothing that is told of the second order arrives.
        play.pushes.lost_ppm = 1_000_000;
        assert_eq!(play.replace(&play.replace_of(1, 1, 200, "19.4")), Handed::Over);
        play.run(SECOND);
        play.pushes.lost_ppm = 0;
        assert_eq!(play.gateway.working().len(), 2);
        play.show(Side::Sell, Some((px("19.5"), shares(100))));
        play.run(SECOND);
        assert_eq!(play.gateway.working().len(), 1);
        // A look was begun at once, and shows the other: the order goes on under its new terms.
        let order = known(&mut play, 1);
        assert_eq!((order.state, order.order_qty), (VenueState::Live, shares(200)));
        assert_eq!(play.cancel(&play.cancel_of(1, 2)), Handed::Over);
        play.run(SECOND);
        assert!(play.gateway.working().is_empty());
        assert_eq!(known(&mut play, 1).state, VenueState::Canceled);
    });
}

#[test]
fn no_second_has_more_messages_than_the_gateway_takes() {
    both(|offer| {
        let mut play = desk(offer);
        play.order_sim("pacing 50");
        for order in 1..=150 {
            rest(&mut play, order);
        }
        assert_eq!(play.cancel(&play.cancel_of(1, 1)), Handed::Over);
        // The cancel waits for no order but the one second's budget.
        play.until(2 * SECOND, "the cancel", |play| play.reports.iter().any(|r| r.body.wire_id() == Some(&wire(1, 1))));
        play.run(6 * SECOND);
        let status = play.connector().status();
        assert_eq!((status.figures.paced, status.figures.sessions), (0, 1));
        assert_eq!(play.gateway.taken().len(), 150);
        // A gateway that takes less says so, and what it did not take is proven not to be there.
        play.words();
        play.order_sim("pacing 10");
        for order in 201..=215 {
            rest(&mut play, order);
        }
        play.run(30 * SECOND);
        play.order_sim("pacing 0");
        play.up();
        assert!(0 < play.connector().status().figures.paced);
        for order in 201..=215 {
            let there = play.gateway.taken().contains(&wire(order, 0).to_string());
            match play.query(&wire(order, 0)) {
                Answer::Complete(found) => assert_eq!(found.is_some(), there, "{order}"),
                other => panic!("{other:?}"),
            }
        }
    });
}

#[test]
fn after_the_daily_restart_day_orders_are_over_and_others_work_on() {
    both(|offer| {
        let mut play = desk(offer);
        rest(&mut play, 1);
        let mut gtc = play.limit(2, Side::Buy, 100, "19.4");
        gtc.time_in_force = oms_model::TimeInForce::Gtc;
        assert_eq!(play.send(&gtc), Handed::Over);
        play.run(SECOND);
        assert_eq!(play.words(), ["accepted", "accepted"]);
        play.refuses = true;
        play.order_sim("restart");
        play.run(180 * SECOND);
        play.refuses = false;
        let waited = play.up();
        assert!(waited < 5 * SECOND, "{} ms", waited / MS);
        assert_eq!(known(&mut play, 1).state, VenueState::Canceled);
        assert_eq!(known(&mut play, 2).state, VenueState::Live);
        assert_eq!(play.words(), ["down", "canceled by 0"]);
    });
}
