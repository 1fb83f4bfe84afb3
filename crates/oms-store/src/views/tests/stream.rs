//! Random logs of legal events with the state that they lead to, folded beside them.

use std::collections::BTreeMap;
use std::sync::Arc;

use oms_model::command::Actor;
use oms_model::event::{
    CommissionRecorded, ExecutionCorrected, ExecutionRecorded, ExecutionReversed, ExecutionUnmatched, Filled, OrderAccepted, OrderAnomaly,
    OrderCancelRequested, OrderClosed, OrderCreated, OrderEnded, OrderFillAdjusted, OrderInDoubt, OrderOutcomeResolved, OrderRejected,
    OrderReplaceRequested, OrderReplaced, OrderSent, OrderStateSynced, PositionFrozen, RequestRejected, RouteDecided, SuspenseResolved,
};
use oms_model::instrument::{Currency, Instrument};
use oms_model::machine::Machine;
use oms_model::order::{OrderMachine, Terms};
use oms_model::position::{Lot, Position};
use oms_model::*;

/// SplitMix64.
pub(crate) struct Random(pub u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// Everything that the views should hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Expected {
    pub orders: BTreeMap<OrderId, Order>,
    pub events: Vec<(Seq, OrderId, u16)>,
    pub executions: Vec<(Seq, Time, ExecutionRecorded, ExecType)>,
    pub suspense: Vec<(Seq, Time, ExecutionUnmatched)>,
    pub anomalies: Vec<(Seq, Time, OrderAnomaly)>,
    pub frozen: Vec<(Seq, PositionFrozen)>,
    pub positions: BTreeMap<(AccountId, InstrumentId), Position>,
    pub symbols: BTreeMap<InstrumentId, Symbol>,
    pub cursor: Seq,
}

impl Expected {
    /// The fold, written a second time and without the views.
    fn apply(&mut self, seq: Seq, time: Time, event: &Event) {
        self.cursor = seq;
        if let Some(order_id) = event.order_id() {
            self.events.push((seq, order_id, event.code()));
        }
        match event {
            Event::OrderCreated(e) => {
                self.orders.insert(e.order_id, Order::create(e, seq, time));
                if let Some(parent) = e.parent_order_id {
                    self.orders.get_mut(&parent).unwrap().children.push(e.order_id);
                }
                return;
            }
            Event::ExecutionRecorded(e) => {
                self.executions.push((seq, time, (**e).clone(), ExecType::Trade));
                let position = self.positions.entry((e.account_id, e.instrument_id)).or_insert_with(|| Position {
                    account_id: e.account_id,
                    instrument_id: e.instrument_id,
                    ..Position::default()
                });
                position.book(e.side.is_buy(), e.last_qty, e.last_px, e.fee);
            }
            Event::PositionChanged(e) => drop(self.positions.insert((e.account_id, e.instrument_id), (**e).clone())),
            Event::ExecutionBusted(e) | Event::ExecutionWhacked(e) if !e.last_qty.is_zero() => {
                self.execution(&e.exec_id).3 = ExecType::TradeCancel;
            }
            Event::ExecutionCorrected(e) => {
                let (_, _, execution, exec_type) = self.execution(&e.exec_id);
                (execution.last_qty, execution.last_px, execution.fee) = (e.last_qty, e.last_px, e.fee);
                *exec_type = ExecType::TradeCorrect;
            }
            Event::CommissionRecorded(e) => self.execution(&e.exec_id).2.fee = e.fee,
            Event::SuspenseResolved(e) => self.suspense.retain(|(_, _, known)| (&known.exec_id, known.venue) != (&e.exec_id, e.venue)),
            Event::PositionFrozen(e) => self.frozen.push((seq, (**e).clone())),
            Event::ExecutionUnmatched(e) => self.suspense.push((seq, time, (**e).clone())),
            Event::OrderAnomaly(e) => self.anomalies.push((seq, time, e.clone())),
            Event::InstrumentListed(e) => {
                self.symbols.insert(e.instrument_id, e.symbol.clone());
            }
            _ => (),
        }
        if let Some(order) = event.order_id().and_then(|id| self.orders.get_mut(&id)) {
            order.apply(event, time);
        }
    }

    /// Ids of executions are made once.
    fn execution(&mut self, exec_id: &ExecId) -> &mut (Seq, Time, ExecutionRecorded, ExecType) {
        self.executions.iter_mut().find(|(_, _, e, _)| e.exec_id == *exec_id).unwrap()
    }

    pub(crate) fn symbol(&self, instrument: InstrumentId) -> &str {
        self.symbols.get(&instrument).map_or("", Symbol::as_str)
    }
}

/// Makes a log, batch by batch.
pub(crate) struct Stream {
    pub random: Random,
    pub expected: Expected,
    time: i64,
    made: u64,
}

const VENUES: [Mic; 3] = [Mic::of(b"XNAS"), Mic::of(b"XNYS"), Mic::of(b"BATS")];

fn ids(kind: u128, n: usize) -> u128 {
    kind << 100 | n as u128
}

pub(crate) fn account(n: usize) -> AccountId {
    AccountId::from_u128(ids(0xA, n))
}

impl Stream {
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: Random(seed), expected: Expected::default(), time: 1_700_000_000_000_000_000, made: 0 }
    }

    /// The next batch.
    pub(crate) fn batch(&mut self) -> Arc<Batch> {
        let mut batch = Batch {
            first_seq: self.expected.cursor.next(),
            time: Time(self.time),
            command_id: CommandId::from_u128(u128::from(self.random.next())),
            actor: Actor::default(),
            ..Batch::default()
        };
        for _ in 0..=self.random.below(3) {
            self.step(&mut batch);
        }
        // Not every batch has a time of its own.
        self.time += self.random.below(3) as i64 * 1_000_000;
        Arc::new(batch)
    }

    pub(crate) fn batches(&mut self, count: usize) -> Vec<Arc<Batch>> {
        (0..count).map(|_| self.batch()).collect()
    }

    fn push(&mut self, batch: &mut Batch, event: Event) {
        self.expected.apply(self.expected.cursor.next(), batch.time, &event);
        batch.events.push(event);
    }

    fn step(&mut self, batch: &mut Batch) {
        if self.expected.symbols.len() < 2 || self.random.one_in(40) {
            let instrument_id = InstrumentId(1 + self.random.below(4) as u32);
            let name = *self.random.pick(&["AAPL", "AAL", "MSFT", "A_B%C"]);
            let symbol = Symbol::new(name).unwrap();
            self.push(batch, Event::InstrumentListed(Box::new(Instrument { instrument_id, symbol, ..Instrument::default() })));
        } else if self.random.one_in(30) {
            let exec_id = ExecId::new(&format!("stray-{}", self.expected.cursor)).unwrap();
            let (wire_id, last_qty) = ("not ours".to_owned(), Qty::from_units(5).unwrap());
            let venue = *self.random.pick(&VENUES);
            let mut body = ExecutionUnmatched { exec_id, venue, wire_id, last_qty, ..ExecutionUnmatched::default() };
            if self.random.one_in(3) {
                body.exec_ref = Some(body.exec_id.clone());
                (body.commission, body.commission_currency) = ("-0.35".parse().unwrap(), Some(Currency(*b"EUR")));
            }
            self.push(batch, Event::ExecutionUnmatched(Box::new(body)));
        } else if self.random.one_in(30) {
            self.settle(batch);
        } else if self.random.one_in(12) && !self.expected.executions.is_empty() {
            self.later(batch);
        } else if self.expected.orders.is_empty() || self.random.one_in(4) {
            self.create(batch, None);
        } else {
            self.change(batch);
        }
        if self.random.one_in(5) {
            self.push(batch, Event::IdempotencyRecorded(Box::default()));
        }
    }

    /// A decision about an execution in suspense, a position that was worked out again, or a frozen one.
    fn settle(&mut self, batch: &mut Batch) {
        if self.random.one_in(3) {
            let qty = Qty::from_units(self.random.below(900) as i64).unwrap();
            let changed = Position {
                account_id: account(self.random.below(3)),
                instrument_id: InstrumentId(1 + self.random.below(5) as u32),
                qty,
                bought_qty: qty,
                lots: [Lot { qty, price: Price::from_raw(5) }].into(),
                ..Position::default()
            };
            return self.push(batch, Event::PositionChanged(Box::new(changed)));
        }
        if self.random.one_in(2)
            && let Some((_, _, stray)) = self.expected.suspense.first()
        {
            let (exec_id, venue) = (stray.exec_id.clone(), stray.venue);
            let resolved = SuspenseResolved { exec_id, venue, reason: "not ours".to_owned(), ..SuspenseResolved::default() };
            return self.push(batch, Event::SuspenseResolved(Box::new(resolved)));
        }
        let frozen = PositionFrozen {
            day: 20_261_100 + self.random.below(30) as u32,
            account_id: account(self.random.below(3)),
            instrument_id: InstrumentId(1 + self.random.below(5) as u32),
            realized: Notional::from_raw(i128::from(self.random.next() as i64)),
            ..PositionFrozen::default()
        };
        self.push(batch, Event::PositionFrozen(Box::new(frozen)));
    }

    /// Something becomes of an execution that stands.
    fn later(&mut self, batch: &mut Batch) {
        let at = self.random.below(self.expected.executions.len());
        let (_, _, e, exec_type) = self.expected.executions[at].clone();
        if exec_type == ExecType::TradeCancel {
            // Nothing more becomes of it; a batch is never empty all the same.
            self.create(batch, None);
            return;
        }
        let (exec_id, venue, order_id) = (e.exec_id.clone(), e.venue, e.order_id);
        let old = e.last_px.notional(e.last_qty).unwrap();
        let (event, qty, notional) = match self.random.below(3) {
            0 => {
                let fee = Notional::from_raw(i128::from(self.random.next() as i64));
                let body = CommissionRecorded { exec_id, venue, order_id, fee, ..CommissionRecorded::default() };
                return self.push(batch, Event::CommissionRecorded(Box::new(body)));
            }
            1 => {
                let reason = "taken back".to_owned();
                let (last_qty, last_px) = (e.last_qty, e.last_px);
                let body = ExecutionReversed { exec_id, venue, order_id, last_qty, last_px, reason, ..ExecutionReversed::default() };
                let event = if self.random.one_in(2) { Event::ExecutionBusted } else { Event::ExecutionWhacked };
                (event(Box::new(body)), e.last_qty.negated(), old.negated())
            }
            _ => {
                let last_qty = Qty::from_raw(e.last_qty.raw() / 2 + 1);
                let (last_px, fee) = (Price::from_raw(7_000_000), Notional::from_raw(5));
                let (old_qty, old_px) = (e.last_qty, e.last_px);
                let body = ExecutionCorrected { exec_id, venue, order_id, last_qty, last_px, fee, old_qty, old_px, ..Default::default() };
                let notional = last_px.notional(last_qty).unwrap().saturating_sub(old);
                (Event::ExecutionCorrected(Box::new(body)), last_qty.saturating_sub(e.last_qty), notional)
            }
        };
        self.push(batch, event);
        let order = &self.expected.orders[&order_id];
        let state = order.state_with(order.cum_qty.saturating_add(qty));
        let body = OrderFillAdjusted { order_id, exec_id: e.exec_id, state, qty, notional, direct: false };
        self.push(batch, Event::OrderFillAdjusted(Box::new(body)));
    }

    fn create(&mut self, batch: &mut Batch, parent: Option<&Order>) -> OrderId {
        self.made += 1;
        let order_id = OrderId::derive(batch.time, 7, batch.first_seq, self.made as u16);
        let random = &mut self.random;
        let price = |random: &mut Random| match random.below(6) {
            0 => None,
            1 => Some(Price::from_raw(-(random.below(5_000) as i64))),
            2 => Some(Price::from_raw(*random.pick(&[i64::MIN, i64::MAX, 0, 1]))),
            _ => Some(Price::from_raw(random.next() as i64 % 1_000_000_000_000)),
        };
        let event = OrderCreated {
            order_id,
            parent_order_id: parent.map(|parent| parent.order_id),
            root_order_id: parent.map_or(order_id, |parent| parent.root_order_id),
            cl_ord_id: parent.map_or_else(|| ClOrdId::new(&format!("c-{}", self.made)).unwrap(), |parent| parent.cl_ord_id.clone()),
            account_id: account(random.below(3)),
            user_id: UserId::from_u128(ids(0xB, random.below(2))),
            instrument_id: InstrumentId(1 + random.below(5) as u32),
            side: *random.pick(Side::ALL),
            ord_type: *random.pick(OrdType::ALL),
            time_in_force: *random.pick(TimeInForce::ALL),
            source: *random.pick(Source::ALL),
            order_qty: match random.below(8) {
                0 => Qty::from_raw(i128::from(random.next()) << 50),
                1 => Qty::from_raw(1),
                _ => Qty::from_units(1 + random.below(500) as i64).unwrap(),
            },
            price: price(random),
            stop_px: price(random),
            venue: if random.one_in(3) { None } else { Some(*random.pick(&VENUES)) },
            metadata: random.one_in(5).then(|| "{\"desk\":\"x\"}".into()),
            kind: None,
            work: None,
            ..OrderCreated::default()
        };
        self.push(batch, Event::OrderCreated(Box::new(event)));
        order_id
    }

    fn change(&mut self, batch: &mut Batch) {
        let at = self.random.below(self.expected.orders.len());
        let order = self.expected.orders.values().nth(at).unwrap().clone();
        let order_id = order.order_id;
        let may = |to| order.state == to || OrderMachine::allows(order.state, to);
        let by = *self.random.pick(EndedBy::ALL);
        let text = if self.random.one_in(2) { String::new() } else { "words".to_owned() };
        let terms = Terms {
            order_qty: Qty::from_units(1 + self.random.below(900) as i64).unwrap(),
            price: Some(Price::from_raw(self.random.next() as i64)),
            stop_px: None,
        };
        let intent = *self.random.pick(IntentKind::ALL);
        let revision = order.revision + 1;
        let event = match self.random.below(18) {
            0 | 1 if !order.state.is_done() && self.expected.orders.len() < 400 => {
                let route = RouteDecided { order_id, attempt: order.attempts + 1, ..RouteDecided::default() };
                if self.random.one_in(2) {
                    self.push(batch, Event::RouteDecided(Box::new(route)));
                }
                let leg = self.create(batch, Some(&order));
                Event::OrderSent(OrderSent { order_id: leg, ..OrderSent::default() })
            }
            2 if may(OrdState::Unack) => Event::OrderSent(OrderSent { order_id, revision: 0, ..OrderSent::default() }),
            3 | 4 if may(OrdState::Live) => {
                let broker_order_id = if self.random.one_in(2) { BrokerOrderId::new("B-1").ok() } else { None };
                Event::OrderAccepted(OrderAccepted { order_id, broker_order_id })
            }
            5..=8 if order.state != OrdState::New => return self.fill(batch, &order),
            9 if !order.state.is_done() => Event::OrderCancelRequested(OrderCancelRequested { order_id, by }),
            10 if may(OrdState::Canceled) => Event::OrderCanceled(OrderEnded { order_id, by, text }),
            11 if may(OrdState::Rejected) => Event::OrderRejected(OrderRejected { order_id, by, code: *self.random.pick(Code::ALL), text }),
            12 if may(OrdState::Expired) => Event::OrderExpired(OrderEnded { order_id, by, text }),
            13 if !order.state.is_done() => Event::OrderReplaceRequested(OrderReplaceRequested { order_id, terms }),
            14 if !matches!(order.state, OrdState::New) => Event::OrderReplaced(OrderReplaced { order_id, terms, revision }),
            14 => Event::ReplaceRejected(RequestRejected { order_id, by, text }),
            15 => Event::OrderInDoubt(OrderInDoubt { order_id, intent, revision, reason: text }),
            16 => {
                let outcome = *self.random.pick(Outcome::ALL);
                Event::OrderOutcomeResolved(OrderOutcomeResolved { order_id, intent, revision, outcome, evidence: text })
            }
            17 if order.state.is_done() && may(OrdState::Closed) => Event::OrderClosed(OrderClosed { order_id }),
            17 => {
                let place_qty = terms.order_qty;
                Event::OrderStateSynced(OrderStateSynced { order_id, state: order.state, place_qty })
            }
            _ => Event::OrderAnomaly(OrderAnomaly { order_id, anomaly: *self.random.pick(Anomaly::ALL), detail: text }),
        };
        self.push(batch, event);
    }

    fn fill(&mut self, batch: &mut Batch, order: &Order) {
        // Some orders are larger than what money can be counted for; their fills are not.
        let open = order.open_qty().min(Qty::from_raw(1 << 60));
        let whole = open.is_zero() || self.random.one_in(3);
        let last_qty = if whole { open.max(Qty::from_raw(1)) } else { Qty::from_raw(open.raw() / 3 + 1) };
        let last_px = Price::from_raw(1 + self.random.below(1_000) as i64 * 1_000_000);
        let exec_id = ExecId::new(&format!("e-{}", self.expected.cursor)).unwrap();
        let execution = ExecutionRecorded {
            exec_id: exec_id.clone(),
            order_id: order.order_id,
            root_order_id: order.root_order_id,
            account_id: order.account_id,
            instrument_id: order.instrument_id,
            side: order.side,
            venue: *self.random.pick(&VENUES),
            last_qty,
            last_px,
            liquidity: *self.random.pick(Liquidity::ALL),
            fee: Notional::from_raw(i128::from(self.random.next() as i64)),
            transact_time: Time(batch.time.0 - self.random.below(1000) as i64),
            manual: self.random.one_in(10),
        };
        self.push(batch, Event::ExecutionRecorded(Box::new(execution)));
        let last_notional = last_px.notional(last_qty).unwrap();
        let filled = Filled { order_id: order.order_id, exec_id, last_qty, last_px, last_notional };
        let done = order.cum_qty.saturating_add(last_qty) >= order.order_qty;
        self.push(batch, if done { Event::OrderFilled(filled) } else { Event::OrderPartiallyFilled(filled) });
    }
}
