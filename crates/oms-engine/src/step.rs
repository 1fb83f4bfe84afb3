//! One decision in the making.

use crate::config::Config;
use crate::engine::{Context, Engine, Moved};
use crate::state::State;
use oms_model::command::Actor;
use oms_model::event::{Batch, Event};
use oms_model::limit::Scope;
use oms_model::market::Market;
use oms_model::position::Position;
use oms_model::{AccountId, CommandId, CostMethod, EndedBy, ExecId, InstrumentId, OrderId, Seq, Time, TraceId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The events decided so far, each folded as it was appended.
pub(crate) struct Step<'a> {
    state: &'a mut State,
    market: &'a mut Market,
    context: &'a Context<'a>,
    pub(crate) sweeps: &'a mut VecDeque<(Scope, EndedBy)>,
    pub(crate) moved: &'a mut VecDeque<Moved>,
    pub(crate) marking: &'a mut Option<(Time, Option<InstrumentId>)>,
    pub(crate) short_sales: &'a mut Option<(Time, Option<InstrumentId>)>,
    pub(crate) beats: &'a mut BTreeMap<Scope, Time>,
    pub(crate) config: Config,
    /// A kill switch was swept by this input.
    pub(crate) is_sweeping: bool,
    /// Positions were looked at by this input, and breakers are too.
    pub(crate) is_marking: bool,
    drift_ns: i64,
    first_seq: Seq,
    now: Time,
    orders: u16,
    events: Vec<Event>,
}

impl<'a> Step<'a> {
    pub(crate) fn new(engine: &'a mut Engine, context: &'a Context<'a>) -> Self {
        // Time never goes back, whatever the clock outside does.
        let drift_ns = engine.state.time().since(context.now).max(0);
        let now = context.now.max(engine.state.time());
        let first_seq = engine.state.next_seq();
        Self {
            state: &mut engine.state,
            market: &mut engine.market,
            context,
            sweeps: &mut engine.sweeps,
            moved: &mut engine.moved,
            marking: &mut engine.marking,
            short_sales: &mut engine.short_sales,
            beats: &mut engine.beats,
            config: engine.config.clone(),
            is_sweeping: false,
            is_marking: false,
            drift_ns,
            first_seq,
            now,
            orders: 0,
            events: Vec::new(),
        }
    }

    pub(crate) fn state(&self) -> &State {
        self.state
    }

    pub(crate) fn now(&self) -> Time {
        self.now
    }

    /// How far the clock outside stands behind the log, nanoseconds.
    pub(crate) fn drift_ns(&self) -> i64 {
        self.drift_ns
    }

    /// Appends a fact and folds it. Where it is about executions that are not simply the last one of their position,
    /// what the positions came to follows as facts of their own, so that nobody else needs the executions to know them.
    pub(crate) fn emit(&mut self, event: Event) {
        let Reworked { positions: reworked, appended } = Reworked::by(&event);
        self.push(event);
        let fifo = self.state.cost_method() == CostMethod::Fifo;
        for (account_id, instrument_id) in reworked {
            let position = match self.state.holding(account_id, instrument_id) {
                Some(holding) => {
                    let last = holding.day().last().map(|booking| (booking.transact_time, &booking.exec_id));
                    let follows = appended.as_ref().is_some_and(|(time, exec_id)| last == Some((*time, exec_id)));
                    if follows && fifo {
                        return;
                    }
                    holding.now().clone()
                }
                None => Position { account_id, instrument_id, ..Position::default() },
            };
            self.push(Event::PositionChanged(Box::new(position)));
        }
    }

    fn push(&mut self, event: Event) {
        self.state.apply(self.state.next_seq(), self.now, &event);
        self.events.push(event);
    }

    /// Makes room for what a new order mostly leads to.
    pub(crate) fn expect_order(&mut self) {
        self.events.reserve_exact(8);
    }

    /// What was decided so far.
    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    /// An event of this batch, by its place.
    pub(crate) fn event_at(&self, at: usize) -> Option<&Event> {
        self.events.get(at)
    }

    /// How many events this batch has by now.
    pub(crate) fn event_count(&self) -> usize {
        self.events.len()
    }

    /// The id of the next order of this batch.
    pub(crate) fn new_order_id(&mut self) -> OrderId {
        assert!(self.orders < 4096, "a batch creates at most 4096 orders");
        let id = OrderId::derive(self.now, self.state.id_salt(), self.first_seq, self.orders);
        self.orders += 1;
        id
    }

    /// How many orders this batch may still create.
    pub(crate) fn orders_left(&self) -> u16 {
        4096 - self.orders
    }

    /// The market in `instrument` as it is now, with the state.
    pub(crate) fn with_market<T>(&mut self, instrument: InstrumentId, f: impl FnOnce(&State, &Market, Time) -> T) -> T {
        self.context.markets.get_into(instrument, self.market);
        f(self.state, self.market, self.now)
    }

    /// Positions are valued at the market in a while, and prices compared with prior closes, where something depends on it.
    fn arm_marking(&mut self) {
        const EVERY_NS: i64 = 1_000_000_000;
        if self.marking.is_none() && self.state.wants_marks() {
            *self.marking = Some((self.now.plus(EVERY_NS), None));
        }
        if self.short_sales.is_none() && self.state.risk().prior_closes_after(None).next().is_some() {
            *self.short_sales = Some((self.now.plus(EVERY_NS), None));
        }
    }

    pub(crate) fn finish(mut self, command_id: CommandId, actor: Actor, trace_id: TraceId) -> Batch {
        self.arm_marking();
        Batch { first_seq: self.first_seq, time: self.now, command_id, actor, trace_id, events: self.events }
    }
}

/// What an event does to positions.
#[derive(Default)]
struct Reworked {
    positions: BTreeSet<(AccountId, InstrumentId)>,
    /// The execution that it adds, where it does no more.
    appended: Option<(Time, ExecId)>,
}

impl Reworked {
    fn by(event: &Event) -> Self {
        let of = |account_id, instrument_id| BTreeSet::from([(account_id, instrument_id)]);
        match event {
            Event::ExecutionRecorded(e) => {
                Self { positions: of(e.account_id, e.instrument_id), appended: Some((e.transact_time, e.exec_id.clone())) }
            }
            Event::ExecutionBusted(e) | Event::ExecutionWhacked(e) if !e.last_qty.is_zero() => {
                Self { positions: of(e.account_id, e.instrument_id), appended: None }
            }
            Event::ExecutionCorrected(e) => Self { positions: of(e.account_id, e.instrument_id), appended: None },
            Event::CommissionRecorded(e) => Self { positions: of(e.account_id, e.instrument_id), appended: None },
            Event::AllocationBooked(e) => {
                let others = e.members.iter().map(|member| member.account_id).filter(|account| *account != e.account_id);
                let mut positions: BTreeSet<_> = others.map(|account| (account, e.instrument_id)).collect();
                if !positions.is_empty() {
                    positions.insert((e.account_id, e.instrument_id));
                }
                Self { positions, appended: None }
            }
            _ => Self::default(),
        }
    }
}
