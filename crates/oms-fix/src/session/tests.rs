//! The session alone: time, crashes and cuts are played. What the wire looks like is held by the
//! acceptance scripts.

mod crash;
mod hostile;
mod play;

use super::config::{ResetOn, WhenDown};
use super::outbox::{SendError, Sent};
use super::schedule::{Pattern, Schedule};
use super::throttle::Rate;
use super::*;
use crate::codec::value::parse_timestamp;
use jiff::civil::{Weekday, time};
use play::{Peer, SECOND, acceptor, order};

#[test]
fn a_logon_is_answered_and_heartbeats_follow() {
    let mut peer = Peer::new(acceptor());
    peer.logon(1, 10);
    assert_eq!(peer.sent(), ["A1"]);
    peer.wait(10 * SECOND);
    assert_eq!(peer.sent(), ["02"]);
    peer.wait(2 * SECOND);
    assert_eq!(peer.sent(), ["13"], "after 1.2 times HeartBtInt");
    peer.wait(11 * SECOND);
    assert_eq!(peer.sent(), Vec::<String>::new(), "the TestRequest stands for the Heartbeat");
    peer.wait(SECOND);
    assert_eq!((peer.session.phase(), peer.disconnected), (Phase::Down, Some(Reason::Silent)));
}

#[test]
fn a_message_is_delivered_once_whatever_comes_again() {
    let mut peer = Peer::new(acceptor());
    peer.logon(1, 30);
    peer.receive("D", 2, &order("A"), "");
    for again in ["43=Y|122=20260101-00:00:00|", "43=Y|122=20260101-00:00:00|97=Y|"] {
        peer.receive("D", 2, &order("A"), again);
    }
    assert_eq!(peer.delivered, [2]);
    assert_eq!(peer.session.phase(), Phase::Up);
}

#[test]
fn what_waits_above_a_gap_is_bounded_and_comes_again() {
    let mut config = acceptor();
    config.bounds.stash = 3;
    let mut peer = Peer::new(config);
    peer.logon(1, 0);
    for seq in 3..10 {
        peer.receive("D", seq, &order("A"), "");
    }
    assert_eq!(peer.sent(), ["A1", "22"], "one ResendRequest");
    assert!(peer.session.stashed_bytes() < 1000);
    for seq in 2..10 {
        peer.receive("D", seq, &order("A"), "43=Y|122=20260101-00:00:00|");
    }
    assert_eq!(peer.delivered, (2..10).collect::<Vec<_>>());
    assert_eq!(peer.session.stashed_bytes(), 0);
}

#[test]
fn a_store_is_asked_page_by_page() {
    let mut peer = Peer::new(acceptor());
    peer.logon(1, 0);
    for seq in 0..100 {
        peer.send(&format!("id{seq}")).unwrap();
    }
    peer.sent();
    peer.page_bytes = 500;
    peer.receive("2", 2, "7=1|16=0|", "");
    let sent = peer.sent();
    assert_eq!((sent.len(), sent[0].as_str(), sent[100].as_str()), (101, "41", "D101"));
    assert!(10 < peer.pages, "{}", peer.pages);
}

#[test]
fn many_resend_requests_at_once_cost_nothing_but_their_number() {
    let mut config = acceptor();
    config.bounds.resends = 4;
    let mut peer = Peer::new(config);
    peer.logon(1, 0);
    peer.send("A").unwrap();
    peer.hold_pages = true;
    for seq in 2..22 {
        peer.receive("2", seq, "7=1|16=0|", "");
    }
    let ignored = peer.events.iter().filter(|event| **event == Event::ResendIgnored).count();
    assert_eq!((ignored, peer.session.asked.len()), (15, 4));
}

#[test]
fn orders_that_wait_for_the_throttle_let_cancels_pass() {
    let mut config = acceptor();
    config.throttles.out = Some(Rate { per_second: 1, burst: 1 });
    config.throttles.out_cancels = Some(Rate { per_second: 100, burst: 10 });
    config.bounds.held = 2;
    let mut peer = Peer::new(config);
    peer.logon(1, 0);
    assert_eq!(peer.send("A"), Ok(Sent::Numbered(2)));
    assert_eq!((peer.send("B"), peer.send("C"), peer.send("D")), (Ok(Sent::Held), Ok(Sent::Held), Err(SendError::Throttled)));
    assert_eq!(peer.send_type(b"F", "X"), Ok(Sent::Numbered(3)), "a cancel has a budget of its own");
    assert_eq!(peer.sent(), ["A1", "D2", "F3"]);
    peer.wait(SECOND);
    assert_eq!(peer.sent(), ["D4"]);
    peer.disconnect();
    let not_sent = peer.events.iter().filter(|event| matches!(event, Event::NotSent { .. })).count();
    assert_eq!(not_sent, 1, "what was held and not sent is told");
}

#[test]
fn over_its_rate_a_counterparty_is_refused_but_its_cancels_are_not() {
    let mut config = acceptor();
    config.throttles.inbound = Some(Rate { per_second: 1, burst: 2 });
    let mut peer = Peer::new(config);
    peer.logon(1, 0);
    for seq in 2..6 {
        peer.receive("D", seq, &order("A"), "");
    }
    peer.receive("F", 6, "41=A|11=B|54=1|55=X|60=20260101-00:00:00|", "");
    assert_eq!(peer.delivered, [2, 3, 6]);
    assert_eq!(peer.sent(), ["A1", "j2", "j3"]);
}

#[test]
fn nothing_is_sent_while_nobody_is_there_unless_it_may_wait() {
    let mut peer = Peer::new(acceptor());
    assert_eq!(peer.send("A"), Err(SendError::NotLoggedOn));
    let mut config = acceptor();
    config.when_down = WhenDown::Store;
    let mut peer = Peer::new(config);
    assert_eq!(peer.send("A"), Ok(Sent::Numbered(1)));
    peer.logon(1, 0);
    assert_eq!(peer.sent(), ["A2"]);
    assert_eq!(peer.send_type(b"5", ""), Err(SendError::Admin));
    assert_eq!(peer.send(&"x".repeat(70_000)), Err(SendError::TooLarge));
}

fn scheduled() -> config::Config {
    let mut config = acceptor();
    let days = vec![Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];
    let pattern = Pattern::Daily { start: time(7, 0, 0, 0), end: time(17, 0, 0, 0), days };
    config.schedule = Some(Schedule::new("America/New_York", pattern, []).unwrap());
    config
}

#[test]
fn a_scheduled_session_ends_with_the_day_and_starts_at_one_once() {
    let mut peer = Peer::at(scheduled(), parse_timestamp(b"20261127-21:59:00").unwrap());
    peer.logon(1, 0);
    peer.receive("1", 2, "112=A|", "");
    assert_eq!(peer.sent(), ["A1", "02"]);
    peer.wait(60 * SECOND);
    assert_eq!(peer.sent(), ["53"], "the day ends at 17:00 in New York");
    peer.receive("5", 3, "", "");
    assert_eq!((peer.session.next_in(), peer.session.next_out()), (4, 4));
    peer.connect();
    assert_eq!(peer.disconnected, Some(Reason::Closed), "nobody gets in at night");
    peer.wait((2 * 24 + 18) * 3_600 * SECOND);
    assert_eq!((peer.session.next_in(), peer.session.next_out()), (1, 1), "Monday's session starts anew");
    peer.logon(1, 0);
    peer.receive("1", 2, "112=A|", "");
    peer.disconnect();
    peer.wait(60 * SECOND);
    peer.logon(3, 0);
    assert_eq!((peer.session.next_in(), peer.session.next_out()), (4, 4), "and goes on after a cut");
    let resets = peer.events.iter().filter(|event| **event == Event::Reset).count();
    assert_eq!(resets, 2, "once each day");
}

#[test]
fn a_session_over_the_boundary_is_ended_even_without_an_answer() {
    let mut peer = Peer::at(scheduled(), parse_timestamp(b"20261127-21:59:59").unwrap());
    peer.logon(1, 0);
    peer.wait(SECOND);
    peer.wait(5 * SECOND);
    assert_eq!(peer.disconnected, Some(Reason::LogoutTimeout));
}

#[test]
fn a_reset_after_logout_or_disconnect_is_stored() {
    for (reset_on, logout) in
        [(ResetOn { logout: true, ..ResetOn::default() }, true), (ResetOn { disconnect: true, ..ResetOn::default() }, false)]
    {
        let mut config = acceptor();
        config.reset_on = reset_on;
        let mut peer = Peer::new(config);
        peer.logon(1, 0);
        if logout {
            peer.receive("5", 2, "", "")
        } else {
            peer.disconnect()
        }
        assert_eq!((peer.session.next_in(), peer.session.next_out()), (1, 1));
        let stored = peer.stored();
        assert_eq!((stored.next_in, stored.next_out), (1, 1));
    }
}

#[test]
fn garbled_bytes_are_borne_up_to_a_bound() {
    let mut peer = Peer::new(acceptor());
    peer.logon(1, 0);
    for _ in 0..100 {
        peer.step(Input::Garbled(Garbled::CheckSum));
    }
    assert_eq!(peer.session.phase(), Phase::Up);
    peer.step(Input::Garbled(Garbled::CheckSum));
    assert_eq!(peer.disconnected, Some(Reason::Garbled));
}

#[test]
fn a_logon_must_come_in_time() {
    let mut peer = Peer::new(acceptor());
    peer.connect();
    peer.wait(10 * SECOND);
    assert_eq!(peer.disconnected, Some(Reason::LogonTimeout));
}

#[test]
fn secrets_are_not_shown() {
    let secret = config::Secret::new("hunter2");
    assert_eq!(format!("{secret:?}"), "***");
    assert!(secret.is(b"hunter2") && !secret.is(b"hunter") && !secret.is(b"hunter3"));
}

#[test]
fn what_is_late_is_not_sent_also_where_a_rate_held_it() {
    let mut config = acceptor();
    config.throttles.out = Some(Rate { per_second: 1, burst: 1 });
    let mut peer = Peer::new(config);
    peer.logon(1, 30);
    peer.sent();
    let now = peer.now.utc;
    assert_eq!(peer.send_until("A", 1, now - 1), Err(SendError::Late));
    assert_eq!(peer.send_until("B", 2, now), Ok(Sent::Numbered(2)));
    // One may wait for a second and a half, the other for five.
    assert_eq!(peer.send_until("C", 3, now + 1_500_000_000), Ok(Sent::Held));
    assert_eq!(peer.send_until("D", 4, now + 1_600_000_000), Ok(Sent::Held));
    assert_eq!(peer.send_until("E", 5, now + 5_000_000_000), Ok(Sent::Held));
    peer.events.clear();
    peer.wait(4 * SECOND);
    assert_eq!(peer.sent(), ["D2", "D3", "D4"]);
    let told: Vec<_> = peer.events.iter().filter(|event| !matches!(event, Event::ResendAsked { .. })).cloned().collect();
    assert_eq!(told, [Event::Released { token: 3, seq: 3 }, Event::NotSent { token: 4 }, Event::Released { token: 5, seq: 4 }]);
}

#[test]
fn a_test_of_ones_own_is_told_when_it_is_answered() {
    let mut peer = Peer::new(acceptor());
    peer.step(Input::Test("Q0"));
    peer.logon(1, 30);
    peer.sent();
    peer.step(Input::Test("Q1"));
    assert_eq!(peer.sent(), ["12"]);
    peer.events.clear();
    peer.receive("0", 2, "", "");
    peer.receive("0", 3, "112=Q1|", "");
    assert_eq!(peer.events, [Event::Answered { test_req_id: "Q1".to_owned() }]);
}

#[test]
fn messages_of_the_session_that_are_evidence_are_delivered_where_they_are_wanted() {
    for keeps in [false, true] {
        let mut config = acceptor();
        config.keeps_evidence = keeps;
        config.never_resend = vec![b"D".to_vec()];
        let mut peer = Peer::new(config);
        peer.logon(1, 30);
        peer.send("A").unwrap();
        peer.receive("2", 2, "7=2|16=0|", "");
        peer.receive("3", 3, "45=2|58=no|", "");
        // A gap fill says that there was nothing; a reset does not.
        peer.receive("4", 4, "36=6|123=Y|", "");
        peer.receive("4", 6, "36=9|", "");
        peer.receive("0", 9, "", "");
        assert_eq!(peer.delivered, if keeps { vec![2, 3, 6] } else { Vec::new() });
        assert_eq!(peer.sent(), ["A1", "D2", "42"], "the order is passed over");
        peer.disconnect();
        peer.delivered.clear();
        // A Logon tells of what is missing too.
        peer.connect();
        peer.receive("A", 10, "98=0|108=30|789=2|", "");
        assert_eq!(peer.delivered, if keeps { vec![10] } else { Vec::new() });
    }
}
