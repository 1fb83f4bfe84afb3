//! Two sessions with each other, cut and crashed at every place: nothing is lost, nothing doubled.

use std::collections::VecDeque;
use std::sync::Arc;

use proptest::prelude::*;

use super::play::SECOND;
use crate::codec::encode::Fields;
use crate::codec::frame::{Cut, Framer};
use crate::session::config::{Config, Role, SessionId, WhenDown};
use crate::session::outbox::{Outbox, Outgoing, Page};
use crate::session::{Input, Now, Phase, Session};
use crate::store::{MemoryStore, MessageStore as _, Pending};
use crate::tags;

/// One side: what survives a crash is its store, and what its application has taken in durably.
struct Side {
    config: Arc<Config>,
    store: MemoryStore,
    session: Session,
    framer: Framer,
    out: Outbox,
    taken: Vec<String>,
    sent: Vec<String>,
    /// Every message that left, by number: none may change.
    numbers: std::collections::BTreeMap<u64, String>,
}

/// Where a crash falls in carrying out a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Crash {
    Never,
    BeforeStore,
    AfterStore,
}

impl Side {
    fn new(role: Role, sender: &str, target: &str) -> Self {
        let mut config = Config::new(SessionId::fix44(sender, target), role);
        config.when_down = WhenDown::Store;
        config.heart_bt_int = 5;
        config.sending_time_window = None;
        config.resend_chunk = (role == Role::Acceptor).then_some(3);
        let (config, store) = (Arc::new(config), MemoryStore::default());
        let session = Session::new(config.clone(), store.stored());
        Self {
            config,
            store,
            session,
            framer: Framer::new(1 << 16),
            out: Outbox::default(),
            taken: Vec::new(),
            sent: Vec::new(),
            numbers: std::collections::BTreeMap::new(),
        }
    }

    fn restart(&mut self) {
        self.session = Session::new(self.config.clone(), self.store.stored());
        self.framer = Framer::new(1 << 16);
        self.out.clear();
    }

    /// Carries out what was decided; the bytes that left. `Err`: the side crashed, or let go.
    fn settle(&mut self, now: Now, crash: Crash) -> Result<Vec<u8>, ()> {
        let mut wire = Vec::new();
        loop {
            if crash == Crash::BeforeStore {
                self.restart();
                return Err(());
            }
            assert!(matches!(self.store.commit(&self.out), Ok(Pending::Ready(()))));
            for delivery in &self.out.deliveries {
                let id = self.out.delivered(delivery).get(tags::CL_ORD_ID).unwrap();
                self.taken.push(String::from_utf8(id.to_vec()).unwrap());
            }
            for (seq, message) in self.out.stored() {
                let text = String::from_utf8_lossy(message).into_owned();
                assert_eq!(self.numbers.insert(seq, text), None, "a number was used twice");
            }
            if crash == Crash::AfterStore {
                self.restart();
                return Err(());
            }
            wire.append(&mut self.out.wire);
            let (fetch, gone) = (self.out.fetch, self.out.disconnect.is_some());
            self.out.clear();
            if gone {
                return Err(());
            }
            let Some(fetch) = fetch else { return Ok(wire) };
            let Ok(Pending::Ready(page)) = self.store.fetch(fetch, 300) else { return Err(()) };
            let page: Page = page;
            self.session.step(Input::Page(&page), now, &mut self.out);
        }
    }

    fn take_in(&mut self, bytes: &[u8], now: Now) {
        self.framer.push(bytes);
        while let Cut::Message(place) = self.framer.cut() {
            self.session.step(Input::Received(self.framer.bytes(&place)), now, &mut self.out);
        }
    }
}

struct World {
    sides: [Side; 2],
    /// Bytes under way to each side.
    pipes: [VecDeque<u8>; 2],
    connected: bool,
    now: Now,
    count: u32,
}

#[derive(Clone, Debug)]
enum Happening {
    Send(usize),
    /// So many bytes arrive at a side, which may crash over them.
    Arrive(usize, usize, Crash),
    Cut,
    Connect,
    Pass(u64),
}

impl World {
    fn new() -> Self {
        Self {
            sides: [Side::new(Role::Initiator, "A", "B"), Side::new(Role::Acceptor, "B", "A")],
            pipes: [VecDeque::new(), VecDeque::new()],
            connected: false,
            now: Now { mono: SECOND, utc: 1_795_780_800_000_000_000 },
            count: 0,
        }
    }

    fn settle(&mut self, side: usize, crash: Crash) {
        let settled = self.sides[side].settle(self.now, crash);
        match settled {
            Ok(wire) if self.connected => self.pipes[1 - side].extend(wire),
            Ok(_) => (),
            Err(()) => self.cut(),
        }
    }

    fn cut(&mut self) {
        self.connected = false;
        self.pipes = [VecDeque::new(), VecDeque::new()];
        for side in 0..2 {
            let now = self.now;
            self.sides[side].session.step(Input::Disconnected, now, &mut self.sides[side].out);
            assert!(
                self.sides[side].settle(now, Crash::Never).is_ok_and(|wire| wire.is_empty())
                    || self.sides[side].session.phase() == Phase::Down
            );
            self.sides[side].framer = Framer::new(1 << 16);
        }
    }

    fn happen(&mut self, happening: &Happening) {
        let now = self.now;
        match *happening {
            Happening::Send(side) => {
                self.count += 1;
                let id = format!("{side}-{}", self.count);
                let mut body = Fields::new();
                body.text(11, &id).text(21, "1").text(40, "1").text(54, "1").text(55, "X").text(60, "20260101-00:00:00");
                let own = &mut self.sides[side];
                let message = Outgoing { body, ..Outgoing::new(b"D") };
                if own.session.send(message, now, &mut own.out).is_ok() {
                    own.sent.push(id);
                }
                self.settle(side, Crash::Never);
            }
            Happening::Arrive(side, bytes, crash) => {
                if self.connected {
                    let count = bytes.min(self.pipes[side].len());
                    let bytes: Vec<u8> = self.pipes[side].drain(..count).collect();
                    self.sides[side].take_in(&bytes, now);
                    self.settle(side, crash);
                }
            }
            Happening::Cut => self.cut(),
            Happening::Connect => {
                if !self.connected {
                    self.connected = true;
                    for side in [1, 0] {
                        self.sides[side].session.step(Input::Connected, now, &mut self.sides[side].out);
                        self.settle(side, Crash::Never);
                    }
                }
            }
            Happening::Pass(ns) => {
                self.now.mono += ns;
                self.now.utc += i64::try_from(ns).unwrap();
                for side in 0..2 {
                    let now = self.now;
                    self.sides[side].session.step(Input::Timer, now, &mut self.sides[side].out);
                    self.settle(side, Crash::Never);
                }
            }
        }
    }

    /// Lets both sides come to rest.
    fn rest(&mut self) {
        for _ in 0..200 {
            self.happen(&Happening::Connect);
            for side in 0..2 {
                self.happen(&Happening::Arrive(side, usize::MAX, Crash::Never));
            }
            let still = |world: &Self| world.sides[0].taken == world.sides[1].sent && world.sides[1].taken == world.sides[0].sent;
            if self.connected && still(self) && self.pipes.iter().all(VecDeque::is_empty) {
                return;
            }
            self.happen(&Happening::Pass(SECOND));
        }
    }
}

fn happening() -> impl Strategy<Value = Happening> {
    let crash = prop_oneof![8 => Just(Crash::Never), 1 => Just(Crash::BeforeStore), 1 => Just(Crash::AfterStore)];
    prop_oneof![
        6 => (0_usize..2).prop_map(Happening::Send),
        12 => (0_usize..2, 1_usize..2000, crash).prop_map(|(side, bytes, crash)| Happening::Arrive(side, bytes, crash)),
        1 => Just(Happening::Cut),
        3 => Just(Happening::Connect),
        1 => (0..3 * SECOND).prop_map(Happening::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_message_arrives_once_and_in_order(happenings in prop::collection::vec(happening(), 1..120)) {
        let mut world = World::new();
        for happening in &happenings {
            world.happen(happening);
        }
        world.rest();
        prop_assert_eq!(&world.sides[1].taken, &world.sides[0].sent);
        prop_assert_eq!(&world.sides[0].taken, &world.sides[1].sent);
    }
}
