use std::sync::Arc;

use oms_store::MemoryJournal;

use super::*;
use crate::session::config::{Config, Role, SessionId, WhenDown};
use crate::session::outbox::{Outbox, Outgoing};
use crate::session::{Now, Session};
use crate::store::{JournalStore, MessageStore as _};

const SECOND: i64 = 1_000_000_000;

fn id(n: u128) -> OrderId {
    OrderId::from_u128(n)
}

struct Line {
    session: Session,
    store: crate::store::SessionJournal,
}

impl Line {
    fn of(store: &JournalStore, target: &str) -> Self {
        let name = SessionId::fix44("US", target);
        let mut config = Config::new(name.clone(), Role::Acceptor);
        config.when_down = WhenDown::Store;
        let store = store.session(&name);
        Self { session: Session::new(Arc::new(config), store.stored()), store }
    }

    fn send(&mut self, second: i64, kind: &[u8], fields: &[(i32, &str)]) {
        let (mut message, mut out) = (Outgoing::new(kind), Outbox::default());
        for (tag, value) in fields {
            message.body.text(*tag, value);
        }
        self.session.send(message, Now { mono: 1, utc: second * SECOND }, &mut out).unwrap();
        self.store.commit(&out).unwrap().wait_blocking().unwrap();
    }
}

fn wire(n: u128, revision: u32) -> String {
    WireId::derive(id(n), revision).to_string()
}

/// The texts of what is about an order and its leg.
fn texts(store: &JournalStore, about: &About) -> (Vec<String>, bool) {
    let found = store.about(about).unwrap();
    let text = |one: &AboutMessage| one.fields.iter().find(|(tag, _)| *tag == tags::TEXT).unwrap().1.clone();
    (found.messages.iter().map(text).collect(), found.complete)
}

#[test]
fn what_is_about_an_order_is_found_at_both_ends() {
    let store = JournalStore::open(Box::new(MemoryJournal::new(7))).unwrap();
    let (mut client, mut other, mut venue) = (Line::of(&store, "CLIENT"), Line::of(&store, "OTHER"), Line::of(&store, "XNYS"));
    let (root, leg, strange) = (id(1), wire(2, 0), wire(9, 0));
    client.send(100, b"D", &[(11, "mine"), (58, "the order")]);
    other.send(101, b"D", &[(11, "mine"), (58, "another's of the same name")]);
    client.send(102, b"8", &[(37, &root.to_string()), (11, "mine"), (58, "accepted")]);
    venue.send(103, b"D", &[(11, &leg), (58, "the leg")]);
    venue.send(104, b"D", &[(11, &strange), (58, "a leg of another")]);
    venue.send(105, b"G", &[(11, &wire(2, 1)), (41, &leg), (58, "a change of the leg")]);
    client.send(106, b"F", &[(11, "stop"), (41, "mine"), (58, "a cancel")]);
    client.send(107, b"8", &[(37, "mine"), (11, "x"), (58, "its name is no order id")]);
    client.send(108, b"j", &[(379, "mine"), (58, "refused")]);
    let about = About { orders: [root, id(2)].into(), from: 100 * SECOND, until: i64::MAX, most: 100 };
    let all = ["the order", "accepted", "the leg", "a change of the leg", "a cancel", "refused"];
    assert_eq!(texts(&store, &about), (all.map(str::to_owned).to_vec(), true));
    let found = store.about(&about).unwrap();
    assert_eq!((found.messages[2].session.as_str(), found.messages[2].at), ("FIX.4.4:US->XNYS", Some(103 * SECOND)));
    assert!(found.messages[2].bytes.starts_with(b"8=FIX.4.4\x01"));
    // A part of it, by number and by time.
    assert_eq!(texts(&store, &About { most: 2, ..about.clone() }), (all[..2].iter().map(|one| (*one).to_owned()).collect(), false));
    let late = About { from: 103 * SECOND, until: 105 * SECOND, ..about.clone() };
    assert_eq!(texts(&store, &late).0, ["the leg", "a change of the leg"]);
    assert_eq!(texts(&store, &About { orders: [id(77)].into(), ..about }), (Vec::new(), true));
}

#[test]
fn an_empty_log_has_nothing_about_anything() {
    let store = JournalStore::open(Box::new(MemoryJournal::new(7))).unwrap();
    let about = About { orders: [id(1)].into(), from: 0, until: i64::MAX, most: 1 };
    assert_eq!(store.about(&about).unwrap(), Found { messages: Vec::new(), complete: true });
}

#[test]
fn a_time_is_found_among_many_entries() {
    let journal = MemoryJournal::new(7);
    let store = JournalStore::open(Box::new(journal)).unwrap();
    let mut venue = Line::of(&store, "XNYS");
    for second in 1..=300 {
        venue.send(second, b"D", &[(11, &wire(u128::try_from(second).unwrap(), 0)), (58, "one")]);
    }
    for wanted in [1, 2, 150, 299, 300] {
        let about = About { orders: [id(u128::try_from(wanted).unwrap())].into(), from: wanted * SECOND, until: wanted * SECOND, most: 5 };
        let found = store.about(&about).unwrap();
        assert_eq!((found.messages.len(), found.messages[0].at, found.complete), (1, Some(wanted * SECOND), true), "{wanted}");
    }
}
