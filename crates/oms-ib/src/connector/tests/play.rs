//! A connector, a line, and the simulated gateway, in one thread and on one clock.

use std::collections::{BTreeMap, VecDeque};

use oms_model::report::{Report, ReportBody};
use oms_model::{InstrumentId, Mic, OrdType, OrderId, Price, Qty, Side, Symbol, Time, TimeInForce, WireId};
use oms_runtime::port::{Answer, Handed, VenueOrder, VenuePort, WireCancel, WireOrder, WireReplace};
use oms_venues::paper::prng::Prng;
use oms_venues::replay::Shown;

pub(super) use super::super::config::MS;
use super::super::config::{Config, Offer, SECOND};
use super::super::record::Record;
use super::super::{Action, Answered, Connector, Demand, Now, Question, RunRefused, WhatIf};
use super::books::DeskBooks;
use crate::codec::frame::{Framer, MAX_REPLY, MAX_REQUEST, put_agreement, read_offer};
use crate::codec::{Contract, Decoded, Dialect, Reply, Request};
use crate::reconcile::book::Run;
use crate::sim::faults::Command;
use crate::sim::gateway::stage::quiet;
use crate::sim::gateway::{Gateway, GatewayConfig, SessionId, Told};
use crate::stamp;

pub(super) const VENUE: Mic = Mic::of(b"IBKR");
/// Where the simulator works what is sent to this exchange.
pub(super) const EXCHANGE: (&str, Mic) = ("NYSE", Mic::of(b"XNYS"));
pub(super) const SYMBOL: &str = "IBM";
pub(super) const ACCOUNT: &str = "DU1000001";
/// Noon of a day, so that no test runs over midnight.
const NOON: Time = Time(1_795_780_800 * SECOND);

/// What happens to what the gateway pushes. What it answers to a question is spared.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pushes {
    pub(super) lost_ppm: u32,
    pub(super) late_ppm: u32,
    pub(super) late_ns: i64,
    pub(super) duplicate_ppm: u32,
    pub(super) reorder_ppm: u32,
}

/// The connection.
struct Wire {
    /// What we send, as the gateway cuts it.
    ours: Framer,
    /// What the gateway sends, as we cut it.
    theirs: Framer,
    session: Option<(SessionId, Dialect)>,
    /// It had a session once: what comes behind its end is of no interest.
    shaken: bool,
    /// What waits while the gateway is frozen, and whether our end is closed.
    unread: Vec<u8>,
    closed: bool,
}

pub(super) struct Play {
    pub(super) gateway: Gateway,
    connector: Option<Connector>,
    config: Config,
    pub(super) now: Time,
    wires: Vec<Wire>,
    /// The wire that is ours by now.
    current: Option<usize>,
    log: Vec<Vec<u8>>,
    pub(super) reports: Vec<Report>,
    pub(super) quotes: Vec<Action>,
    answers: BTreeMap<u64, Answered>,
    /// What the desk has booked, and whether that cannot be read.
    pub(super) books: DeskBooks,
    pub(super) books_fail: bool,
    /// Nobody listens there.
    pub(super) refuses: bool,
    /// Frames of ours that still go through before they are lost; theirs are lost from then on too.
    pub(super) deaf_after: Option<u64>,
    pub(super) pushes: Pushes,
    delayed: BTreeMap<(Time, u64), (usize, Vec<u8>)>,
    chance: Prng,
    count: u64,
}

pub(super) fn config(offer: Offer) -> Config {
    Config { offer, ..Config::new(VENUE, 7, ACCOUNT) }
}

pub(super) fn contract() -> Contract {
    let text = |text: &str| text.to_owned();
    Contract { symbol: text(SYMBOL), sec_type: text("STK"), exchange: text(EXCHANGE.0), currency: text("USD"), ..Contract::default() }
}

pub(super) fn wire(order: u128, revision: u32) -> WireId {
    WireId::derive(OrderId::from_u128(order), revision)
}

pub(super) fn shares(shares: i64) -> Qty {
    Qty::from_units(shares).unwrap()
}

pub(super) fn px(text: &str) -> Price {
    text.parse().unwrap()
}

impl Play {
    pub(super) fn new(offer: Offer) -> Self {
        Self::with(config(offer), 1)
    }

    pub(super) fn with(config: Config, seed: u64) -> Self {
        let gateway = GatewayConfig { seed, ..GatewayConfig::new(quiet(&[SYMBOL]).unwrap(), NOON) };
        let gateway = Gateway::open(gateway).unwrap();
        let mut play = Self {
            gateway,
            connector: None,
            config,
            now: NOON,
            wires: Vec::new(),
            current: None,
            log: Vec::new(),
            reports: Vec::new(),
            quotes: Vec::new(),
            answers: BTreeMap::new(),
            books: DeskBooks::default(),
            books_fail: false,
            refuses: false,
            deaf_after: None,
            pushes: Pushes::default(),
            delayed: BTreeMap::new(),
            chance: Prng::new(seed ^ 0xface),
            count: 0,
        };
        play.order_sim("pacing 0");
        play.start();
        play
    }

    /// The process of the desk starts.
    pub(super) fn start(&mut self) {
        let log: Vec<Record> = self.log.iter().map(|bytes| Record::read(bytes).unwrap()).collect();
        self.connector = Some(Connector::new(self.config.clone(), log));
        self.turn();
    }

    /// Takes out of the log what the process was killed before it had there.
    pub(super) fn unlog(&mut self, which: impl Fn(&Record) -> bool) {
        self.log.retain(|bytes| !which(&Record::read(bytes).unwrap()));
    }

    /// It is killed: nothing is said to anybody.
    pub(super) fn kill(&mut self) {
        self.connector = None;
        self.close();
        self.answers.clear();
    }

    pub(super) fn connector(&mut self) -> &mut Connector {
        self.connector.as_mut().unwrap()
    }

    pub(super) fn clock(&self) -> Now {
        Now { wall: self.now, mono: self.now.0 - NOON.0 }
    }

    /// A fault or an action of the simulator.
    pub(super) fn order_sim(&mut self, line: &str) -> String {
        let command: Command = line.parse().unwrap();
        let done = self.gateway.command(self.now, command).unwrap();
        self.thaw();
        self.pump();
        done
    }

    fn turn(&mut self) {
        let now = self.clock();
        if let Some(connector) = &mut self.connector {
            connector.turn(now);
        }
        self.pump();
    }

    /// Lets everything happen that is due.
    fn pump(&mut self) {
        loop {
            self.gateway.advance(self.now);
            self.take_told();
            let due = self.delayed.first_key_value().filter(|((at, _), _)| *at <= self.now).map(|(key, _)| *key);
            if let Some((wire, bytes)) = due.and_then(|key| self.delayed.remove(&key)) {
                self.arrive(wire, &bytes);
                continue;
            }
            let Some(action) = self.connector.as_mut().and_then(Connector::next_action) else { return };
            self.act(action);
        }
    }

    fn act(&mut self, action: Action) {
        let now = self.clock();
        match action {
            Action::Connect if self.refuses => self.connector().failed(now, "connection refused", true),
            Action::Connect => {
                let (ours, theirs) = (Framer::server(), Framer::client(MAX_REPLY));
                self.wires.push(Wire { ours, theirs, session: None, shaken: false, unread: Vec::new(), closed: false });
                self.current = Some(self.wires.len() - 1);
                self.connector().connected(now);
            }
            Action::Close => self.close(),
            Action::Keep(record) => self.log.push(record.bytes()),
            Action::Send(bytes) => self.send(&bytes),
            Action::Report(report) => {
                self.books.told(&report.body);
                self.reports.push(report);
            }
            Action::ReadDesk(number, asked) => {
                let side = if self.books_fail { Err("no books".to_owned()) } else { Ok(self.books.side(&asked)) };
                self.connector().desk(now, number, side);
            }
            Action::Settle => (),
            Action::Answer(number, answered) => drop(self.answers.insert(number, answered)),
            Action::Quote(..) | Action::Trade(..) => self.quotes.push(action),
        }
    }

    fn close(&mut self) {
        let Some(at) = self.current.take() else { return };
        self.wires[at].closed = true;
        if !self.gateway.is_frozen() {
            self.gone(at);
        }
    }

    /// The gateway notices that a connection has ended.
    fn gone(&mut self, at: usize) {
        if let Some((session, _)) = self.wires[at].session.take() {
            self.gateway.gone(self.now, session);
        }
    }

    /// The line is cut; both sides notice.
    pub(super) fn cut(&mut self) {
        if let Some(at) = self.current.take() {
            self.wires[at].closed = true;
            self.gone(at);
            let now = self.clock();
            self.connector().lost(now, "the line was cut");
        }
        self.pump();
    }

    fn send(&mut self, bytes: &[u8]) {
        let Some(at) = self.current else { return };
        if let Some(left) = &mut self.deaf_after {
            if *left == 0 {
                return;
            }
            *left -= 1;
        }
        self.wires[at].unread.extend_from_slice(bytes);
        self.read(at);
    }

    /// The gateway reads what has come.
    fn read(&mut self, at: usize) {
        if self.gateway.is_frozen() {
            return;
        }
        let bytes = std::mem::take(&mut self.wires[at].unread);
        if self.wires[at].shaken && self.wires[at].session.is_none() {
            return;
        }
        self.wires[at].ours.push(&bytes);
        while let Some(place) = self.wires[at].ours.cut().unwrap() {
            let body = self.wires[at].ours.bytes(&place).to_vec();
            match self.wires[at].session {
                None if self.wires[at].shaken => return,
                None => self.shake(at, &body),
                Some((session, dialect)) => match Request::decode(dialect, &body).unwrap() {
                    Decoded::Message(request) => self.request(session, request),
                    Decoded::Unknown(id) => panic!("the connector sends a message of id {id}"),
                },
            }
        }
    }

    fn shake(&mut self, at: usize, body: &[u8]) {
        let (min, max) = read_offer(body).unwrap();
        let Some(dialect) = self.gateway.agreed(min, max) else { return self.cut() };
        let session = self.gateway.connected(self.now);
        (self.wires[at].session, self.wires[at].shaken) = (Some((session, dialect)), true);
        self.wires[at].ours.set_max(MAX_REQUEST);
        let mut bytes = Vec::new();
        put_agreement(dialect, &stamp::stamp(self.now), &mut bytes);
        self.arrive(at, &bytes);
    }

    fn request(&mut self, session: SessionId, request: Request) {
        self.take_told();
        self.gateway.request(self.now, session, request);
        self.take_told();
    }

    /// What was read of nobody while it was frozen is read now.
    fn thaw(&mut self) {
        for at in 0..self.wires.len() {
            self.read(at);
            if self.wires[at].closed && !self.gateway.is_frozen() {
                self.gone(at);
            }
        }
    }

    /// Takes what the gateway tells.
    fn take_told(&mut self) {
        while let Some(told) = self.gateway.poll() {
            let is_pushed = matches!(told, Told::Reply(..));
            match told {
                Told::Reply(session, ref reply) | Told::Answer(session, ref reply) => {
                    let Some(at) = self.wires.iter().position(|wire| wire.session.is_some_and(|(id, _)| id == session)) else { continue };
                    let dialect = self.wires[at].session.unwrap().1;
                    let mut bytes = Vec::new();
                    reply.encode(dialect, &mut bytes);
                    let is_flow = matches!(
                        **reply,
                        Reply::OpenOrder(_) | Reply::OrderStatus(_) | Reply::Execution(_) | Reply::Commission(_) | Reply::Notice(_)
                    );
                    if is_pushed && is_flow { self.push(at, bytes) } else { self.arrive(at, &bytes) }
                }
                Told::Close(session) => {
                    let at = self.wires.iter().position(|wire| wire.session.is_some_and(|(id, _)| id == session));
                    let Some(at) = at else { continue };
                    (self.wires[at].session, self.wires[at].closed) = (None, true);
                    if self.current == Some(at) {
                        self.current = None;
                        let now = self.clock();
                        if let Some(connector) = &mut self.connector {
                            connector.lost(now, "the gateway closed the connection");
                        }
                    }
                }
            }
        }
    }

    fn push(&mut self, at: usize, bytes: Vec<u8>) {
        let faults = self.pushes;
        if self.chance.chance(faults.lost_ppm) {
            return;
        }
        let last = self.delayed.last_key_value().map_or(self.now, |((at, _), _)| *at).max(self.now);
        let mut due = self.now;
        if self.chance.chance(faults.late_ppm) {
            due = last.plus(faults.late_ns);
        } else if self.chance.chance(faults.reorder_ppm) {
            due = self.now.plus(MS);
        }
        if self.chance.chance(faults.duplicate_ppm) {
            self.count += 1;
            self.delayed.insert((due.plus(MS / 4), self.count), (at, bytes.clone()));
        }
        if due == self.now {
            return self.arrive(at, &bytes);
        }
        self.count += 1;
        self.delayed.insert((due, self.count), (at, bytes));
    }

    fn arrive(&mut self, at: usize, bytes: &[u8]) {
        if self.deaf_after.is_some() || self.current != Some(at) {
            return;
        }
        self.wires[at].theirs.push(bytes);
        while let Some(place) = self.wires[at].theirs.cut().unwrap() {
            let body = self.wires[at].theirs.bytes(&place).to_vec();
            let now = self.clock();
            if let Some(connector) = &mut self.connector {
                connector.received(now, &body);
            }
        }
    }

    /// When anything is due next.
    fn next_due(&self) -> Option<Time> {
        let ours = self.connector.as_ref().and_then(Connector::due).map(|mono| Time(mono.saturating_add(NOON.0)));
        let delayed = self.delayed.first_key_value().map(|((at, _), _)| *at);
        [ours, delayed, self.gateway.next_due()].into_iter().flatten().min()
    }

    /// One step of time, at the latest to `until`. False: it has come.
    pub(super) fn step(&mut self, until: Time) -> bool {
        if until <= self.now {
            return false;
        }
        let next = self.next_due().unwrap_or(until).clamp(self.now.plus(1), until);
        self.now = next;
        self.turn();
        true
    }

    pub(super) fn run(&mut self, ns: i64) {
        let until = self.now.plus(ns);
        while self.step(until) {}
    }

    /// Runs until something is so; fails when it is not within that time.
    pub(super) fn until(&mut self, ns: i64, what: &str, is_so: impl Fn(&mut Self) -> bool) -> i64 {
        let (begin, until) = (self.now, self.now.plus(ns));
        while !is_so(self) {
            assert!(self.step(until), "{what} did not come about within {} ms; reports: {:?}", ns / MS, self.reports);
        }
        self.now.since(begin)
    }

    pub(super) fn is_up(&mut self) -> bool {
        self.connector().status().state == super::super::LinkState::Up
    }

    pub(super) fn up(&mut self) -> i64 {
        self.until(120 * SECOND, "an open gate", Self::is_up)
    }

    /// A question, until its answer.
    fn answer(&mut self, question: Question) -> Answered {
        let now = self.clock();
        let number = self.connector().ask(now, question);
        self.pump();
        self.awaited(number)
    }

    fn awaited(&mut self, number: u64) -> Answered {
        let until = self.now.plus(60 * SECOND);
        loop {
            if let Some(answered) = self.answers.remove(&number) {
                return answered;
            }
            assert!(self.step(until), "no answer");
        }
    }

    /// Asks what an order would cost: the number of the question.
    pub(super) fn ask_what_if(&mut self, order: &WireOrder) -> u64 {
        let now = self.clock();
        let number = self.connector().what_if(now, order, &contract());
        self.pump();
        number
    }

    /// The answer to such a question.
    pub(super) fn said(&mut self, number: u64) -> Result<Box<WhatIf>, String> {
        match self.awaited(number) {
            Answered::WhatIf(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    /// A person asks for a run, until it has ended.
    pub(super) fn reconcile(&mut self, demand: Demand) -> Result<Box<Run>, RunRefused> {
        let now = self.clock();
        let number = self.connector().reconcile(now, demand);
        self.pump();
        match self.awaited(number) {
            Answered::Run(run) => run.map(|(run, _)| run),
            other => panic!("{other:?}"),
        }
    }

    /// The venue's own quote of one side.
    pub(super) fn show(&mut self, side: Side, shown: Option<(Price, Qty)>) {
        self.gateway.show(EXCHANGE.1, InstrumentId(0), side, shown.map(|(price, size)| Shown { price, size }));
        self.pump();
    }

    pub(super) fn limit(&self, order: u128, side: Side, qty: i64, price: &str) -> WireOrder {
        WireOrder {
            wire_id: wire(order, 0),
            instrument: InstrumentId(0),
            symbol: Symbol::new(SYMBOL).unwrap(),
            side,
            ord_type: OrdType::Limit,
            order_qty: shares(qty),
            cash_order_qty: None,
            quote_ref: None,
            price: Some(px(price)),
            stop_px: None,
            time_in_force: TimeInForce::Day,
            expire_at: None,
            deadline: self.now.plus(3_600 * SECOND),
        }
    }

    pub(super) fn cancel_of(&self, order: u128, revision: u32) -> WireCancel {
        WireCancel { wire_id: wire(order, revision), orig_wire_id: wire(order, 0), deadline: self.now.plus(3_600 * SECOND) }
    }

    pub(super) fn replace_of(&self, order: u128, revision: u32, qty: i64, price: &str) -> WireReplace {
        let (wire_id, orig_wire_id) = (wire(order, revision), wire(order, 0));
        WireReplace {
            wire_id,
            orig_wire_id,
            order_qty: shares(qty),
            price: Some(px(price)),
            stop_px: None,
            deadline: self.now.plus(3_600 * SECOND),
        }
    }

    /// The reports so far, in words, those of one order: kind and text.
    pub(super) fn words(&mut self) -> Vec<String> {
        let word = |report: &Report| match &report.body {
            ReportBody::Accepted { .. } => "accepted".to_owned(),
            ReportBody::Rejected { text, .. } => format!("rejected {text}"),
            ReportBody::Fill { fill, .. } => format!("fill {} at {}", fill.last_qty, fill.last_px),
            ReportBody::Busted { .. } => "busted".to_owned(),
            ReportBody::Corrected { fill, .. } => format!("corrected {} at {}", fill.last_qty, fill.last_px),
            ReportBody::Commission { commission, currency, .. } => format!("commission {commission} {}", currency.as_str()),
            ReportBody::Canceled { wire_id, .. } => format!("canceled by {}", wire_id.parts().unwrap().1),
            ReportBody::CancelRejected { .. } => "cancel rejected".to_owned(),
            ReportBody::Replaced { .. } => "replaced".to_owned(),
            ReportBody::ReplaceRejected { .. } => "replace rejected".to_owned(),
            ReportBody::Expired { .. } => "expired".to_owned(),
            ReportBody::Unknown { .. } => "unknown".to_owned(),
            ReportBody::NotSent { .. } => "not sent".to_owned(),
            ReportBody::Resolved { .. } => "resolved".to_owned(),
            ReportBody::SessionUp => "up".to_owned(),
            ReportBody::SessionDown { .. } => "down".to_owned(),
        };
        self.reports.drain(..).map(|report| word(&report)).collect::<VecDeque<_>>().into()
    }
}

impl VenuePort for Play {
    fn venue(&self) -> Mic {
        VENUE
    }

    fn send(&mut self, order: &WireOrder) -> Handed {
        let now = self.clock();
        self.books.sends(order);
        let handed = self.connector().order(now, order, &contract());
        self.books.handed(&order.wire_id, &handed);
        self.pump();
        handed
    }

    fn cancel(&mut self, request: &WireCancel) -> Handed {
        let now = self.clock();
        self.books.asks(&request.wire_id, None);
        let handed = self.connector().cancel(now, request);
        self.books.handed(&request.wire_id, &handed);
        self.pump();
        handed
    }

    fn replace(&mut self, request: &WireReplace) -> Handed {
        let now = self.clock();
        self.books.asks(&request.wire_id, Some(request));
        let handed = self.connector().replace(now, request);
        self.books.handed(&request.wire_id, &handed);
        self.pump();
        handed
    }

    fn query(&mut self, order: &WireId) -> Answer<Option<VenueOrder>> {
        match self.answer(Question::Order(order.clone())) {
            Answered::Order(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    fn open_orders(&mut self) -> Answer<Vec<VenueOrder>> {
        match self.answer(Question::Open) {
            Answered::Open(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    fn executions_since(&mut self, since: Time) -> Answer<Vec<(WireId, Time, oms_model::report::VenueFill)>> {
        match self.answer(Question::Executions(since)) {
            Answered::Executions(answer) => answer,
            other => panic!("{other:?}"),
        }
    }
}
