//! A venue with a truth of its own, which outlives every crash on our side, and the line to it.

use super::coverage::Coverage;
use super::plan::Rates;
use super::rng::Rng;
use crate::fixture::dec;
use oms_model::report::{Report, ReportBody, VenueFill};
use oms_model::{BrokerOrderId, ExecId, Liquidity, Mic, Price, Qty, Side, Symbol, Time, TimeInForce, WireId};
use oms_runtime::port::{RequestState, VenueOrder, VenueState, WireCancel, WireOrder, WireReplace};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

mod later;
pub(super) use later::Charge;

/// Something that is under way to a venue.
#[derive(Clone, Debug)]
pub(super) enum Message {
    New(WireOrder),
    Cancel(WireCancel),
    Replace(WireReplace),
}

impl Message {
    pub fn wire_id(&self) -> &WireId {
        match self {
            Self::New(order) => &order.wire_id,
            Self::Cancel(request) => &request.wire_id,
            Self::Replace(request) => &request.wire_id,
        }
    }
}

/// An order as the venue has it.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub first: WireId,
    current: WireId,
    pub symbol: Symbol,
    pub side: Side,
    pub qty: Qty,
    price: Option<Price>,
    pub cum: Qty,
    pub state: VenueState,
    /// The executions that stand, as they are.
    pub fills: Vec<(Time, VenueFill)>,
    /// Every execution as it ever was.
    pub ever: Vec<VenueFill>,
    /// What it does not execute at once ends.
    at_once: bool,
    requests: Vec<(WireId, RequestState)>,
}

impl Held {
    pub fn is_live(&self) -> bool {
        self.state == VenueState::Live
    }

    fn open(&self) -> Qty {
        self.qty.saturating_sub(self.cum)
    }

    /// As it answers a query.
    pub fn told(&self) -> VenueOrder {
        VenueOrder {
            wire_id: self.first.clone(),
            broker_order_id: broker_id(&self.first),
            state: self.state,
            order_qty: self.qty,
            price: self.price,
            fills: self.fills.clone(),
            requests: self.requests.clone(),
        }
    }
}

fn broker_id(first: &WireId) -> BrokerOrderId {
    BrokerOrderId::new(&format!("B{}", first.as_str())).unwrap_or_default()
}

/// A venue.
#[derive(Debug)]
pub(super) struct Venue {
    pub mic: Mic,
    /// Whether our line to it works.
    pub line: bool,
    /// Under way to it.
    pub inbox: VecDeque<Message>,
    /// Under way from it.
    pub outbox: VecDeque<Report>,
    /// Requests that it has and has not decided.
    undecided: Vec<Message>,
    pub book: Vec<Held>,
    by_wire: BTreeMap<WireId, usize>,
    execs: u64,
    said_later: Vec<Report>,
    busted: BTreeSet<ExecId>,
    corrected: BTreeSet<ExecId>,
    charged: BTreeMap<ExecId, Charge>,
}

/// What a venue needs to act.
pub(super) struct Scene<'a> {
    pub now: Time,
    pub rng: &'a mut Rng,
    pub rates: &'a Rates,
    pub coverage: &'a mut Coverage,
}

impl Venue {
    pub fn new(mic: Mic) -> Self {
        Self {
            mic,
            line: true,
            inbox: VecDeque::new(),
            outbox: VecDeque::new(),
            undecided: Vec::new(),
            book: Vec::new(),
            by_wire: BTreeMap::new(),
            execs: 0,
            said_later: Vec::new(),
            busted: BTreeSet::new(),
            corrected: BTreeSet::new(),
            charged: BTreeMap::new(),
        }
    }

    /// The order that was first sent as `first`.
    pub fn held(&self, first: &WireId) -> Option<&Held> {
        self.by_wire.get(first).and_then(|at| self.book.get(*at)).filter(|held| held.first == *first)
    }

    /// Whether a message with this id is still under way.
    pub fn expects(&self, wire_id: &WireId) -> bool {
        self.inbox.iter().any(|message| message.wire_id() == wire_id)
    }

    fn tell(&mut self, now: Time, body: ReportBody) {
        if self.line {
            self.outbox.push_back(Report { venue: self.mic, transact_time: now, body });
        }
    }

    /// Takes everything that is under way: what a question travels behind.
    pub fn take_all(&mut self, scene: &mut Scene<'_>) {
        while let Some(message) = self.inbox.pop_front() {
            self.take(message, scene);
        }
    }

    /// The line breaks. What was under way had arrived up to some point, the rest is lost; no answer arrives.
    pub fn break_line(&mut self, scene: &mut Scene<'_>) {
        self.line = false;
        self.outbox.clear();
        while let Some(message) = self.inbox.pop_front() {
            if !scene.rng.chance(scene.rates.arrived) {
                break;
            }
            self.take(message, scene);
        }
        scene.coverage.faults += 1;
        self.inbox.clear();
    }

    /// Takes one message.
    pub fn take(&mut self, message: Message, scene: &mut Scene<'_>) {
        match message {
            Message::New(order) => self.take_order(order, scene),
            Message::Cancel(_) | Message::Replace(_) => {
                if scene.rng.chance(scene.rates.undecided) {
                    self.note_request(&message, RequestState::Pending);
                    self.undecided.push(message);
                } else {
                    self.decide(&message, scene);
                }
            }
        }
    }

    /// Decides every request that it has left undecided.
    pub fn decide_all(&mut self, scene: &mut Scene<'_>) {
        for message in std::mem::take(&mut self.undecided) {
            self.decide(&message, scene);
        }
    }

    fn take_order(&mut self, order: WireOrder, scene: &mut Scene<'_>) {
        let at = self.book.len();
        self.by_wire.insert(order.wire_id.clone(), at);
        let wire_id = order.wire_id.clone();
        let rejected = scene.rng.chance(scene.rates.reject);
        let at_once = matches!(order.time_in_force, TimeInForce::Ioc | TimeInForce::Fok);
        self.book.push(Held {
            at_once,
            first: wire_id.clone(),
            current: wire_id.clone(),
            symbol: order.symbol,
            side: order.side,
            qty: order.order_qty,
            price: order.price,
            cum: Qty::ZERO,
            state: if rejected { VenueState::Rejected } else { VenueState::Live },
            fills: Vec::new(),
            ever: Vec::new(),
            requests: Vec::new(),
        });
        if rejected {
            scene.coverage.faults += 1;
            return self.tell(scene.now, ReportBody::Rejected { wire_id, text: "refused".into() });
        }
        let accepted = ReportBody::Accepted { wire_id: wire_id.clone(), broker_order_id: Some(broker_id(&wire_id)) };
        let fill_first = scene.rng.chance(scene.rates.fill_first);
        if !fill_first {
            self.tell(scene.now, accepted.clone());
        }
        if scene.rng.chance(scene.rates.at_once) {
            let all = order.time_in_force == TimeInForce::Fok || scene.rng.chance(400);
            self.execute(at, all, scene);
        }
        if fill_first {
            self.tell(scene.now, accepted);
        }
        if at_once && self.book[at].is_live() {
            self.end(at, VenueState::Canceled, scene);
        }
    }

    /// Executes a live order, wholly or in part.
    pub fn execute(&mut self, at: usize, all: bool, scene: &mut Scene<'_>) {
        let open = self.book[at].open();
        let units = u64::try_from(open.raw() / 1_000_000_000).unwrap_or(0);
        let part = i64::try_from(1 + scene.rng.below(units)).unwrap_or(1);
        let qty = if all { open } else { Qty::from_units(part).unwrap_or(open).min(open) };
        if !qty.is_positive() {
            return;
        }
        self.execs += 1;
        scene.coverage.fills += 1;
        let fill = VenueFill {
            exec_id: ExecId::new(&format!("{}-{}", self.mic, self.execs)).unwrap_or_default(),
            last_qty: qty,
            last_px: self.book[at].price.unwrap_or_else(|| dec("20")),
            liquidity: if scene.rng.chance(500) { Liquidity::Added } else { Liquidity::Removed },
            fee_per_unit: dec("0.003"),
        };
        let held = &mut self.book[at];
        held.fills.push((scene.now, fill.clone()));
        held.ever.push(fill.clone());
        held.cum = held.cum.saturating_add(qty);
        if held.is_live() && held.cum >= held.qty {
            held.state = VenueState::Filled;
        }
        let wire_id = held.current.clone();
        self.tell(scene.now, ReportBody::Fill { wire_id, fill });
    }

    /// Ends a live order unasked, or by its time in force.
    pub fn end(&mut self, at: usize, state: VenueState, scene: &mut Scene<'_>) {
        let held = &mut self.book[at];
        held.state = state;
        let wire_id = held.current.clone();
        let body = match state {
            VenueState::Expired => ReportBody::Expired { wire_id },
            _ => ReportBody::Canceled { wire_id, text: "unasked".into() },
        };
        self.tell(scene.now, body);
    }

    /// An execution of an order that never was ours.
    pub fn foreign(&mut self, scene: &mut Scene<'_>) -> VenueFill {
        self.execs += 1;
        let fill = VenueFill {
            exec_id: ExecId::new(&format!("{}-{}", self.mic, self.execs)).unwrap_or_default(),
            last_qty: dec("7"),
            last_px: dec("20"),
            liquidity: Liquidity::Removed,
            fee_per_unit: dec("0"),
        };
        let wire_id = WireId::new(&format!("other-{}", self.execs)).unwrap_or_default();
        let charge = scene.rng.chance(400).then(|| self.charge_of_foreign(wire_id.clone(), &fill, scene));
        let fill_first = scene.rng.chance(700);
        let told = ReportBody::Fill { wire_id, fill: fill.clone() };
        for body in if fill_first { [Some(told), charge] } else { [charge, Some(told)] }.into_iter().flatten() {
            self.tell(scene.now, body);
        }
        fill
    }

    fn note_request(&mut self, message: &Message, state: RequestState) {
        let orig = match message {
            Message::New(_) => return,
            Message::Cancel(request) => &request.orig_wire_id,
            Message::Replace(request) => &request.orig_wire_id,
        };
        let Some(at) = self.by_wire.get(orig).copied() else { return };
        let requests = &mut self.book[at].requests;
        match requests.iter_mut().find(|(id, _)| id == message.wire_id()) {
            Some((_, known)) => *known = state,
            None => requests.push((message.wire_id().clone(), state)),
        }
    }

    fn decide(&mut self, message: &Message, scene: &mut Scene<'_>) {
        let refused = scene.rng.chance(scene.rates.refuse);
        scene.coverage.faults += u64::from(refused);
        let done = match message {
            Message::New(_) => return,
            Message::Cancel(request) => !refused && self.do_cancel(request, scene),
            Message::Replace(request) => !refused && self.do_replace(request, scene),
        };
        self.note_request(message, if done { RequestState::Accepted } else { RequestState::Rejected });
        if !done {
            let (wire_id, text) = (message.wire_id().clone(), "refused".to_owned());
            let body = match message {
                Message::Cancel(_) => ReportBody::CancelRejected { wire_id, text },
                Message::New(_) | Message::Replace(_) => ReportBody::ReplaceRejected { wire_id, text },
            };
            self.tell(scene.now, body);
        }
    }

    /// The live order that a request names by the id under which it stands now.
    fn named(&self, orig: &WireId) -> Option<usize> {
        let at = self.by_wire.get(orig).copied()?;
        self.book.get(at).filter(|held| held.is_live() && held.current == *orig).map(|_| at)
    }

    fn do_cancel(&mut self, request: &WireCancel, scene: &mut Scene<'_>) -> bool {
        let Some(at) = self.named(&request.orig_wire_id) else { return false };
        self.book[at].state = VenueState::Canceled;
        self.tell(scene.now, ReportBody::Canceled { wire_id: request.wire_id.clone(), text: String::new() });
        if scene.rng.chance(scene.rates.late_fill) {
            scene.coverage.faults += 1;
            self.execute(at, false, scene);
        }
        true
    }

    fn do_replace(&mut self, request: &WireReplace, scene: &mut Scene<'_>) -> bool {
        let Some(at) = self.named(&request.orig_wire_id) else { return false };
        let held = &mut self.book[at];
        if request.order_qty <= held.cum {
            return false;
        }
        held.qty = request.order_qty;
        held.price = request.price;
        held.current = request.wire_id.clone();
        self.by_wire.insert(request.wire_id.clone(), at);
        self.tell(scene.now, ReportBody::Replaced { wire_id: request.wire_id.clone(), order_qty: Some(request.order_qty) });
        true
    }

    /// A live order, by chance.
    pub fn any_live(&self, rng: &mut Rng) -> Option<usize> {
        let live: Vec<usize> = (0..self.book.len()).filter(|at| self.book[*at].is_live()).collect();
        (!live.is_empty()).then(|| rng.pick(&live))
    }
}
