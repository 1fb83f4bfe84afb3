//! The handshake and what may be wrong with it.

use super::super::config::{Config, Offer, SECOND};
use super::super::{Action, Connector, LinkState, Now};
use super::play::{Play, VENUE, config};
use crate::codec::frame::{Framer, MAX_REPLY, put_agreement};
use crate::codec::{Dialect, ManagedAccounts, NextValidId, Reply};

fn at(seconds: i64) -> Now {
    Now { wall: oms_model::Time(seconds * SECOND), mono: seconds * SECOND }
}

/// A connector whose offer is out.
fn shaking(config: Config) -> Connector {
    let mut connector = Connector::new(config, []);
    connector.turn(at(0));
    assert_eq!(connector.next_action(), Some(Action::Connect));
    connector.connected(at(0));
    assert!(matches!(connector.next_action(), Some(Action::Send(bytes)) if bytes.starts_with(b"API\0")));
    connector
}

fn body(put: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let (mut bytes, mut framer) = (Vec::new(), Framer::client(MAX_REPLY));
    put(&mut bytes);
    framer.push(&bytes);
    let place = framer.cut().unwrap().unwrap();
    framer.bytes(&place).to_vec()
}

fn refused(mut connector: Connector) -> String {
    let closed = std::iter::from_fn(|| connector.next_action()).any(|action| action == Action::Close);
    assert!(closed, "the socket is not let go");
    assert_eq!(connector.status().state, LinkState::Connecting);
    connector.status().reason
}

#[test]
fn a_gateway_of_another_version_is_named_and_not_probed() {
    let mut connector = shaking(config(Offer::Proto));
    connector.received(at(1), &body(|out| put_agreement(Dialect::Text(178), "20261113 14:30:00 UTC", out)));
    let reason = refused(connector);
    assert!(reason.contains("version 178") && reason.contains("213 to 225"), "{reason}");
    let mut connector = shaking(config(Offer::Text));
    connector.received(at(1), b"garbage");
    assert!(refused(connector).contains("no version"));
}

#[test]
fn connecting_and_the_handshake_are_bounded_together() {
    let mut connector = shaking(config(Offer::Proto));
    assert_eq!(connector.due(), Some(10 * SECOND));
    connector.turn(at(10));
    assert!(refused(connector).contains("no handshake in time"));
}

fn begun(config: Config, accounts: &str) -> Connector {
    let mut connector = shaking(config);
    let dialect = Dialect::Proto(225);
    connector.received(at(1), &body(|out| put_agreement(dialect, "20261113 14:30:00 UTC", out)));
    let accounts = Reply::ManagedAccounts(ManagedAccounts { accounts: accounts.to_owned() });
    let next = Reply::NextValidId(NextValidId { order_id: 5 });
    for reply in [next, accounts] {
        connector.received(at(1), &body(|out| reply.encode(dialect, out)));
    }
    connector
}

#[test]
fn an_account_that_the_login_lacks_and_a_live_one_that_is_not_allowed_are_refused() {
    assert!(refused(begun(config(Offer::Proto), "DU9,DU8")).contains("does not have the account DU1000001"));
    let live = Config::new(VENUE, 7, "U1234567");
    assert!(refused(begun(live.clone(), "U1234567")).contains("live account"));
    let allowed = begun(Config { is_live: true, ..live }, "U1234567");
    assert_eq!(allowed.status().state, LinkState::Reconciling);
    assert_eq!(allowed.status().next_order_id, 5);
}

#[test]
fn pauses_between_attempts_grow_to_a_minute_and_differ() {
    let mut connector = Connector::new(config(Offer::Proto), []);
    let (mut now, mut pauses) = (0, Vec::new());
    for _ in 0..12 {
        connector.turn(Now { wall: oms_model::Time(now), mono: now });
        while connector.next_action().is_some() {}
        connector.failed(Now { wall: oms_model::Time(now), mono: now }, "closed at once", false);
        while connector.next_action().is_some() {}
        let due = connector.due().unwrap();
        pauses.push(due - now);
        now = due;
    }
    assert!(pauses[0] <= SECOND, "{pauses:?}");
    assert!(pauses.iter().all(|pause| *pause <= 60 * SECOND) && 20 * SECOND < pauses[11], "{pauses:?}");
    let distinct: std::collections::BTreeSet<_> = pauses.iter().collect();
    assert_eq!(distinct.len(), pauses.len());
}

#[test]
fn a_quiet_session_is_kept_by_its_heartbeat() {
    let mut play = Play::new(Offer::Proto);
    play.up();
    play.run(600 * SECOND);
    let status = play.connector().status();
    assert_eq!((status.state, status.figures.sessions, status.figures.frozen), (LinkState::Up, 1, 0));
}

#[test]
fn what_the_desk_takes_down_stays_down_until_it_takes_it_up() {
    let mut play = Play::new(Offer::Proto);
    play.up();
    let now = play.clock();
    play.connector().park(now, "asked");
    play.run(120 * SECOND);
    assert_eq!(play.connector().status().state, LinkState::Disconnected);
    assert_eq!(play.words(), ["down"]);
    let now = play.clock();
    play.connector().unpark(now);
    play.up();
}
