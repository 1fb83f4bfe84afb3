//! Connector, line, gateway and desk on one clock.

mod line;

use std::collections::{BTreeMap, VecDeque};

use oms_ib::codec::{Contract, Reply};
use oms_ib::connector::config::{Config, Offer, Timing};
use oms_ib::connector::record::Record;
use oms_ib::connector::{Action, Connector, LinkState, Now};
use oms_ib::sim::faults::Command;
use oms_ib::sim::gateway::stage::quiet;
use oms_ib::sim::gateway::{Gateway, GatewayConfig};
use oms_model::report::Report;
use oms_model::{InstrumentId, Mic, Price, Qty, Side, Time};
use oms_runtime::port::{Handed, WireCancel, WireOrder, WireReplace};
use oms_venues::replay::Shown;

use super::desk::{Asked, Desk};
use super::faults::Tally;
use super::guard::Guard;
use super::layer::Layer;
use super::mutant::Mutant;
use super::wire::{Pushes, Wire};
use crate::simulator::{Rng, Trace};

pub(super) const MS: i64 = 1_000_000;
pub(super) const SECOND: i64 = 1_000 * MS;
pub(super) const DAY: i64 = 86_400 * SECOND;
pub(super) const VENUE: Mic = Mic::of(b"IBKR");
/// Where the gateway works what is sent to this exchange.
const EXCHANGE: (&str, Mic) = ("NYSE", Mic::of(b"XNYS"));
pub(super) const SYMBOLS: [&str; 2] = ["IBM", "GE"];
pub(super) const ACCOUNT: &str = "DU1000001";
pub(super) const CLIENT: i32 = 7;
/// Noon of the first day.
const NOON: Time = Time(1_795_780_800 * SECOND);
/// How long a peer of whom nothing comes may stay connected: the connector's own bound, and a moment.
const SILENCE: i64 = 10 * SECOND + 100 * MS;

/// See the module.
pub(super) struct World {
    pub gateway: Gateway,
    pub connector: Option<Connector>,
    pub layer: Layer,
    config: Config,
    pub now: Time,
    wires: Vec<Wire>,
    /// The wire that is the connector's by now.
    current: Option<usize>,
    log: Vec<Vec<u8>>,
    /// What is to be in the log and is not durable yet.
    gathered: Vec<Record>,
    /// What the desk is told once the log has what it follows from.
    untold: Vec<Report>,
    /// What the connector had decided before it heard that the line broke or came back, and that is still to be done.
    decided: VecDeque<Action>,
    pub desk: Desk,
    pub guard: Guard,
    /// Nobody listens at the gateway's port.
    pub refuses: bool,
    pub pushes: Pushes,
    delayed: BTreeMap<(Time, u64), (usize, Reply)>,
    /// The process dies after so many more steps.
    pub dies_in: Option<u64>,
    /// Everything works: answers are exact.
    pub is_calm: bool,
    /// Executions of the days before.
    pub before: usize,
    chance: Rng,
    count: u64,
    pub tally: Tally,
    pub trace: Trace,
    /// The run in lines, where they were asked for.
    pub script: Option<Vec<String>>,
}

impl World {
    pub fn new(seed: u64, mutant: Option<Mutant>, is_told: bool) -> Self {
        let offer = if seed.is_multiple_of(2) { Offer::Proto } else { Offer::Text };
        // Half of the seeds run with what is shipped; the others with less patience, so that more happens in a day.
        let quick = Timing { patience: SECOND, second_look: 50 * MS, first_pause: 100 * MS, longest_pause: SECOND, ..Timing::default() };
        let timing = if (seed / 2).is_multiple_of(2) { quick } else { Timing::default() };
        let layer = Layer::new(mutant);
        let config = layer.config(Config { offer, timing, seed, ..Config::new(VENUE, CLIENT, ACCOUNT) });
        let recording = quiet(&SYMBOLS).expect("a recording of two symbols");
        let gateway = Gateway::open(GatewayConfig { seed, ..GatewayConfig::new(recording, NOON) }).expect("a gateway in memory");
        let mut world = Self {
            gateway,
            connector: None,
            layer,
            config,
            now: NOON,
            wires: Vec::new(),
            current: None,
            log: Vec::new(),
            gathered: Vec::new(),
            untold: Vec::new(),
            decided: VecDeque::new(),
            desk: Desk::default(),
            guard: Guard::default(),
            refuses: false,
            pushes: Pushes::default(),
            delayed: BTreeMap::new(),
            dies_in: None,
            is_calm: false,
            before: 0,
            chance: Rng::new(seed ^ 0x11ce),
            count: 0,
            tally: Tally::default(),
            trace: Trace::default(),
            script: is_told.then(Vec::new),
        };
        world.start();
        world
    }

    /// Adds a line to the script.
    pub fn note(&mut self, line: impl FnOnce() -> String) {
        let ms = (self.now.0 - NOON.0) / MS;
        if let Some(script) = &mut self.script {
            script.push(format!("{ms:>9} {}", line()));
        }
    }

    // ---- the process of the desk

    /// It starts, unless it runs.
    pub fn start(&mut self) {
        if self.connector.is_some() {
            return;
        }
        let log = self.log.iter().map(|bytes| Record::read(bytes).expect("what was written is read")).collect();
        self.note(|| "the desk starts".to_owned());
        self.connector = Some(Connector::new(self.config.clone(), self.layer.recalled(log)));
        self.turn();
    }

    /// It is killed: nothing is said to anybody, and what was not durable is gone.
    pub fn kill(&mut self) {
        if self.connector.take().is_none() {
            return;
        }
        self.note(|| "the desk dies".to_owned());
        self.dies_in = None;
        self.gathered.clear();
        self.untold.clear();
        self.decided.clear();
        let keeps = self.chance.chance(500);
        self.desk.killed(keeps);
        self.layer.killed();
        self.guard.session_over();
        self.close();
    }

    /// How the connector's link stands.
    pub fn is_up(&self) -> bool {
        self.connector.as_ref().is_some_and(|connector| connector.status().state == LinkState::Up)
    }

    pub fn clock(&self) -> Now {
        Now { wall: self.now, mono: self.now.0 - NOON.0 }
    }

    /// The log is durable, then the desk is told.
    fn settle(&mut self) {
        for record in std::mem::take(&mut self.gathered) {
            self.guard.durable(&record);
            self.log.push(record.bytes());
        }
        for report in std::mem::take(&mut self.untold) {
            self.told(report);
        }
    }

    // ---- what the desk wants

    pub fn send(&mut self, order: &WireOrder) -> Handed {
        let (now, contract) = (self.clock(), contract(order.instrument));
        let Some(connector) = &mut self.connector else { return Handed::NotSent("the desk is down".to_owned()) };
        let handed = connector.order(now, order, &contract);
        self.guard.handed(&order.wire_id, &handed);
        self.pump();
        handed
    }

    pub fn cancel(&mut self, request: &WireCancel) -> Handed {
        let now = self.clock();
        let Some(connector) = &mut self.connector else { return Handed::NotSent("the desk is down".to_owned()) };
        let handed = connector.cancel(now, request);
        if handed == Handed::Over {
            self.guard.cancel_waits(&request.wire_id, self.now);
        }
        self.pump();
        handed
    }

    pub fn replace(&mut self, request: &WireReplace) -> Handed {
        let now = self.clock();
        let Some(connector) = &mut self.connector else { return Handed::NotSent("the desk is down".to_owned()) };
        let handed = connector.replace(now, request);
        self.guard.handed(&request.wire_id, &handed);
        self.pump();
        handed
    }

    /// Asks for every execution since then.
    pub fn ask_executions(&mut self, since: Time) {
        let now = self.clock();
        let Some(connector) = &mut self.connector else { return };
        let number = connector.ask(now, oms_ib::connector::Question::Executions(since));
        self.desk.asks(number, Asked::Executions(since), self.now);
        self.pump();
    }

    /// Asks how every order of a list stands.
    pub fn ask(&mut self, orders: impl IntoIterator<Item = oms_model::OrderId>) {
        for order_id in orders {
            let now = self.clock();
            let Some(connector) = &mut self.connector else { return };
            let question = oms_ib::connector::Question::Order(oms_model::WireId::derive(order_id, 0));
            let number = connector.ask(now, question);
            self.desk.asks(number, Asked::Order(order_id), self.now);
        }
        self.pump();
    }

    // ---- the gateway and its market

    /// A fault or an action of the simulator.
    pub fn order_sim(&mut self, line: &str) {
        self.note(|| format!("* {line}"));
        let command: Command = line.parse().expect("a command of the simulator");
        // Some cannot be done now: there is nothing to correct yet.
        let _done = self.gateway.command(self.now, command);
        self.thaw();
        self.pump();
    }

    /// The venue's own quote of one side.
    pub fn show(&mut self, instrument: InstrumentId, side: Side, price: Price, size: Qty) {
        self.gateway.show(EXCHANGE.1, instrument, side, Some(Shown { price, size }));
        self.pump();
    }

    /// The gateway says something about an order.
    pub fn remark(&mut self, perm_id: i64, code: i32) {
        self.gateway.remark(perm_id, code, "nothing that a client has to know");
        self.pump();
    }

    // ---- time

    fn turn(&mut self) {
        let now = self.clock();
        if let Some(connector) = &mut self.connector {
            connector.turn(now);
        }
        self.pump();
    }

    /// Lets everything happen that is due.
    pub fn pump(&mut self) {
        loop {
            self.gateway.advance(self.now);
            self.take_told();
            let due = self.delayed.first_key_value().filter(|((at, _), _)| *at <= self.now).map(|(key, _)| *key);
            if let Some((wire, reply)) = due.and_then(|key| self.delayed.remove(&key)) {
                self.arrive(wire, reply);
                continue;
            }
            if let Some(request) = self.layer.overdue(self.now) {
                self.leave(request);
                continue;
            }
            if let Some(report) = self.layer.made_up_report(self.now, VENUE) {
                self.told(report);
                continue;
            }
            if !self.act_next() {
                break;
            }
        }
        // What was done at one time is durable before time goes on, at the desk as in the log.
        self.settle();
        self.desk.settle();
    }

    /// What the connector has decided next is done. False: there is nothing, or the desk died before it.
    fn act_next(&mut self) -> bool {
        let before = self.decided.pop_front();
        self.guard.was_open = before.is_some();
        let Some(action) = before.or_else(|| self.connector.as_mut()?.next_action()) else { return false };
        match &mut self.dies_in {
            Some(0) => {
                self.kill();
                return false;
            }
            Some(left) => *left -= 1,
            None => (),
        }
        self.act(action);
        true
    }

    fn act(&mut self, action: Action) {
        let now = self.clock();
        match action {
            Action::Connect => {
                let Some(connector) = &mut self.connector else { return };
                if self.refuses {
                    return connector.failed(now, "connection refused", true);
                }
                self.wires.push(Wire::new());
                self.current = Some(self.wires.len() - 1);
                self.guard.connected(self.now);
                connector.connected(now);
            }
            Action::Close => {
                self.layer.session_over();
                self.guard.session_over();
                self.close();
            }
            Action::Keep(record) => self.gathered.extend(self.layer.kept(record)),
            Action::Send(bytes) => {
                self.settle();
                self.write(bytes);
                self.gathered.extend(self.layer.late_records());
            }
            Action::Report(report) if self.layer.tells_before_logged() => self.told(report),
            Action::Report(report) => self.untold.push(report),
            Action::Settle => {
                self.settle();
                self.desk.settle();
            }
            // Books are compared in the storms of `oms-ib`, whose desk keeps them. Here they cannot be read: a run opens nothing.
            Action::ReadDesk(number, _) => {
                self.settle();
                let Some(connector) = &mut self.connector else { return };
                connector.desk(now, number, Err("this desk keeps no books".to_owned()));
            }
            Action::Answer(number, answered) => {
                self.settle();
                self.answered(number, answered);
            }
            Action::Quote(..) | Action::Trade(..) => (),
        }
    }

    /// When anything is due next.
    fn next_due(&self) -> Option<Time> {
        let ours = self.connector.as_ref().and_then(Connector::due).map(|mono| Time(mono.saturating_add(NOON.0)));
        let delayed = self.delayed.first_key_value().map(|((at, _), _)| *at);
        [ours, delayed, self.gateway.next_due(), self.layer.due()].into_iter().flatten().min()
    }

    /// One step of time, at the latest to `until`. False: it has come.
    pub fn step(&mut self, until: Time) -> bool {
        if until <= self.now {
            return false;
        }
        self.now = self.next_due().unwrap_or(until).clamp(self.now.plus(1), until);
        self.turn();
        if self.current.is_some() {
            self.guard.silence(self.now, SILENCE);
        }
        self.guard.cancels_first(self.now);
        self.desk.patience(self.now);
        true
    }

    pub fn run(&mut self, ns: i64) {
        let until = self.now.plus(ns);
        while self.step(until) {}
    }
}

fn contract(instrument: InstrumentId) -> Contract {
    let text = |text: &str| text.to_owned();
    let symbol = SYMBOLS[usize::try_from(instrument.0).unwrap_or(0)];
    Contract { symbol: text(symbol), sec_type: text("STK"), exchange: text(EXCHANGE.0), currency: text("USD"), ..Contract::default() }
}

/// A message without what is unset in it.
fn words(message: &str) -> String {
    let is_set = |field: &&str| {
        let value = field.split_once(": ").map_or("", |(_, value)| value).trim_end_matches(['}', ')', ' ']);
        !matches!(value, "" | "None" | "0" | "\"\"" | "false" | "[]" | "Number { mantissa: 0, scale: 0" | "Size(Number(0")
    };
    message.split(", ").filter(is_set).collect::<Vec<_>>().join(", ")
}
