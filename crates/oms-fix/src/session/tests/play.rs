//! A counterparty that types its messages, and a driver without a world.

use std::sync::Arc;

use crate::codec::encode::Fields;
use crate::codec::frame::{Cut, Framer};
use crate::codec::value::{Precision, parse_timestamp, put_timestamp};
use crate::session::config::{Config, Role, SessionId};
use crate::session::outbox::{Event, Fetch, Outbox, Outgoing, Page, Reason, SendError, Sent};
use crate::session::{Input, Now, Phase, Session, Stored};
use crate::store::{MemoryStore, MessageStore as _, Pending};

pub(super) const SECOND: u64 = 1_000_000_000;

pub(super) fn acceptor() -> Config {
    Config::new(SessionId::fix44("US", "THEM"), Role::Acceptor)
}

pub(super) fn order(id: &str) -> String {
    format!("11={id}|21=1|40=1|54=1|55=X|60=20260101-00:00:00|")
}

/// A message of the counterparty.
pub(super) fn message(msg_type: &str, seq: u64, body: &str, header: &str, utc: i64) -> Vec<u8> {
    let mut time = Vec::new();
    put_timestamp(&mut time, utc, Precision::Millis);
    let time = String::from_utf8(time).unwrap();
    let mut out = Vec::new();
    let writer = crate::codec::encode::Writer::begin(&mut out, b"FIX.4.4");
    out.extend(format!("35={msg_type}|34={seq}|49=THEM|52={time}|56=US|{header}{body}").replace('|', "\u{1}").into_bytes());
    writer.end(&mut out);
    out
}

/// A session with its store, and what came of it.
pub(super) struct Peer {
    pub(super) session: Session,
    pub(super) now: Now,
    pub(super) delivered: Vec<u64>,
    pub(super) events: Vec<Event>,
    pub(super) disconnected: Option<Reason>,
    pub(super) pages: usize,
    pub(super) page_bytes: usize,
    pub(super) hold_pages: bool,
    wire: Framer,
    store: MemoryStore,
    out: Outbox,
}

impl Peer {
    pub(super) fn new(config: Config) -> Self {
        Self::at(config, parse_timestamp(b"20261127-15:00:00").unwrap())
    }

    pub(super) fn at(config: Config, utc: i64) -> Self {
        Self {
            session: Session::new(Arc::new(config), Stored::default()),
            now: Now { mono: SECOND, utc },
            delivered: Vec::new(),
            events: Vec::new(),
            disconnected: None,
            pages: 0,
            page_bytes: 1 << 20,
            hold_pages: false,
            wire: Framer::new(1 << 20),
            store: MemoryStore::default(),
            out: Outbox::default(),
        }
    }

    pub(super) fn stored(&self) -> Stored {
        self.store.stored()
    }

    pub(super) fn step(&mut self, input: Input<'_>) {
        self.session.step(input, self.now, &mut self.out);
        self.settle();
    }

    fn settle(&mut self) {
        loop {
            assert!(matches!(self.store.commit(&self.out), Ok(Pending::Ready(()))));
            self.wire.push(&self.out.wire);
            self.delivered.extend(self.out.deliveries.iter().map(|delivery| delivery.seq));
            self.events.append(&mut self.out.events);
            self.disconnected = self.out.disconnect.or(self.disconnected);
            let fetch = self.out.fetch.filter(|_| !self.hold_pages);
            self.out.clear();
            let Some(fetch) = fetch else { return };
            let page = self.page(fetch);
            self.session.step(Input::Page(&page), self.now, &mut self.out);
        }
    }

    fn page(&mut self, fetch: Fetch) -> Page {
        self.pages += 1;
        match self.store.fetch(fetch, self.page_bytes) {
            Ok(Pending::Ready(page)) => page,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn connect(&mut self) {
        self.disconnected = None;
        self.step(Input::Connected);
    }

    pub(super) fn disconnect(&mut self) {
        self.step(Input::Disconnected);
    }

    pub(super) fn logon(&mut self, seq: u64, heart_bt_int: u32) {
        self.connect();
        self.receive("A", seq, &format!("98=0|108={heart_bt_int}|"), "");
        assert_eq!(self.session.phase(), Phase::Up);
    }

    pub(super) fn receive(&mut self, msg_type: &str, seq: u64, body: &str, header: &str) {
        let message = message(msg_type, seq, body, header, self.now.utc);
        self.step(Input::Received(&message));
    }

    /// Lets time pass, deadline by deadline.
    pub(super) fn wait(&mut self, ns: u64) {
        let until = self.now.mono + ns;
        loop {
            let due = self.session.deadline(self.now).filter(|due| *due <= until);
            let next = due.map_or(until, |due| due.max(self.now.mono + 1));
            self.now.utc += i64::try_from(next - self.now.mono).unwrap();
            self.now.mono = next;
            self.step(Input::Timer);
            if until <= next {
                return;
            }
        }
    }

    pub(super) fn send(&mut self, id: &str) -> Result<Sent, SendError> {
        self.send_type(b"D", id)
    }

    pub(super) fn send_type(&mut self, msg_type: &[u8], id: &str) -> Result<Sent, SendError> {
        let mut body = Fields::new();
        body.text(11, id);
        let message = Outgoing { body, ..Outgoing::new(msg_type) };
        let sent = self.session.send(message, self.now, &mut self.out);
        self.settle();
        sent
    }

    /// Sends an order of this name for events, until a time.
    pub(super) fn send_until(&mut self, id: &str, token: u64, last: i64) -> Result<Sent, SendError> {
        let mut body = Fields::new();
        body.text(11, id);
        let message = Outgoing { body, token, not_after: Some(last), ..Outgoing::new(b"D") };
        let sent = self.session.send(message, self.now, &mut self.out);
        self.settle();
        sent
    }

    /// What was sent since the last time: type and number of each message.
    pub(super) fn sent(&mut self) -> Vec<String> {
        let mut sent = Vec::new();
        while let Cut::Message(place) = self.wire.cut() {
            let text = String::from_utf8_lossy(self.wire.bytes(&place)).into_owned();
            let field = |tag: &str| text.split('\u{1}').find_map(|field| field.strip_prefix(tag)).unwrap_or_default().to_owned();
            sent.push(format!("{}{}", field("35="), field("34=")));
        }
        sent
    }
}
