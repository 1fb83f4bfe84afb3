//! Orders, intents, executions and switches, as the durable facts tell them.

use super::{Books, Groups, sagas::Sagas};
use crate::hold;
use oms_engine::State;
use oms_model::event::{Batch, Event, OrderCreated, OrderFillAdjusted, OrderSent};
use oms_model::limit::Scope;
use oms_model::{
    AccountId, ClOrdId, InstrumentId, IntentKind, Mic, Notional, OrdState, OrderId, Qty, StrategyId, Time, TradingState, UserId, WireId,
};
use std::collections::{BTreeMap, BTreeSet};

/// An order in the ledger.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The client's order above it.
    pub root: OrderId,
    /// Where it was sent; only legs.
    pub venue: Option<Mic>,
    /// Ordered.
    pub qty: Qty,
    /// Executed.
    pub cum: Qty,
    /// The exact value of that.
    value: Notional,
    /// Of what was executed, what was not executed through parts.
    direct: Qty,
    /// What it is a part of.
    parent: Option<OrderId>,
    /// How it ended.
    pub ended: Option<OrdState>,
    /// Whether an execution came after the end, or more was executed than ordered, anywhere in its tree.
    pub disturbed: bool,
    /// Whether its cancel was asked and not refused.
    canceling: bool,
    /// The sequence at which a cancel of it was last refused.
    refused_at: u64,
    in_doubt: bool,
    is_buy: bool,
    instrument: InstrumentId,
    account: AccountId,
    user: UserId,
    /// The strategy that the client's order above it was sent for.
    strategy: Option<StrategyId>,
}

/// An intent that is durable.
#[derive(Clone, Debug)]
struct Intent {
    order: OrderId,
    kind: IntentKind,
    qty: Qty,
    deadline: Time,
    seq: u64,
    handed: bool,
}

/// Something that is about to leave.
#[derive(Clone, Copy, Debug)]
pub struct Handing<'a> {
    /// Its id.
    pub wire_id: &'a WireId,
    /// What.
    pub kind: IntentKind,
    /// Quantity; zero for a cancel.
    pub qty: Qty,
    /// When.
    pub now: Time,
}

/// The ledger.
#[derive(Clone, Debug, Default)]
pub struct Orders {
    /// The last sequence that it knows.
    pub last_seq: u64,
    time: Time,
    /// By id.
    pub by_id: BTreeMap<OrderId, Kept>,
    cl_ord_ids: BTreeMap<ClOrdId, OrderId>,
    intents: BTreeMap<WireId, Intent>,
    /// Ids that were handed over; what the venues saw cannot be taken back by a crash.
    handed: BTreeSet<WireId>,
    /// Executions and positions.
    pub books: Books,
    /// Groups and what they share out.
    pub groups: Groups,
    sagas: Sagas,
    halted: bool,
    killed: BTreeSet<Scope>,
    /// Every kill switch that was ever engaged, with its sequence.
    kills: Vec<(Scope, u64)>,
}

impl Orders {
    /// A batch is durable.
    pub fn durable(&mut self, batch: &Batch) {
        hold!(32, batch.first_seq.0 == self.last_seq + 1, "batch {} follows {}", batch.first_seq, self.last_seq);
        hold!(36, batch.time >= self.time, "time went back at {}", batch.first_seq);
        self.time = batch.time;
        self.books.durable(batch);
        self.groups.durable(batch);
        self.sagas.durable(batch);
        for (seq, event) in batch.numbered() {
            self.last_seq = seq.0;
            self.event(event, seq.0);
        }
    }

    fn event(&mut self, event: &Event, seq: u64) {
        match event {
            Event::OrderCreated(e) => self.created(e),
            Event::OrderSent(e) => self.sent(e, seq),
            Event::OrderPartiallyFilled(e) | Event::OrderFilled(e) => self.filled(e.order_id, e.last_qty, e.last_notional),
            Event::OrderFillAdjusted(e) => self.adjusted(e),
            Event::OrderRejected(e) => self.ended(e.order_id, OrdState::Rejected),
            Event::OrderCanceled(e) => self.ended(e.order_id, OrdState::Canceled),
            Event::OrderExpired(e) => self.ended(e.order_id, OrdState::Expired),
            Event::OrderCancelRequested(e) => self.change(e.order_id, |order| order.canceling = true),
            Event::CancelRejected(e) => self.change(e.order_id, |order| {
                order.canceling = false;
                order.refused_at = seq;
            }),
            Event::OrderSized(e) => self.change(e.order_id, |order| order.qty = e.order_qty),
            Event::OrderReplaced(e) => self.change(e.order_id, |order| {
                // A venue may have replaced a part before we hear what it took back: then more is executed here than there.
                let told = order.venue.is_some();
                hold!(
                    15,
                    told || e.terms.order_qty >= order.cum || order.disturbed,
                    "replaced to {} below {}",
                    e.terms.order_qty,
                    order.cum
                );
                order.disturbed |= e.terms.order_qty < order.cum;
                order.qty = e.terms.order_qty;
                if order.ended.is_none() && order.cum.is_positive() && order.cum >= order.qty {
                    order.ended = Some(OrdState::Filled);
                }
            }),
            Event::OrderInDoubt(e) => self.change(e.order_id, |order| {
                hold!(6, !order.in_doubt, "order {} came in doubt twice", e.order_id);
                order.in_doubt = true;
            }),
            Event::OrderOutcomeResolved(e) => self.change(e.order_id, |order| {
                hold!(6, order.in_doubt && !e.evidence.is_empty(), "a doubt of {} ended without evidence", e.order_id);
                order.in_doubt = false;
            }),
            Event::ExecutionRecorded(e) => {
                let on_account = e.order_id == OrderId::default();
                let order = self.by_id.get(&e.order_id);
                let right = order.is_some_and(|order| {
                    (order.is_buy, order.account, order.instrument) == (e.side.is_buy(), e.account_id, e.instrument_id)
                });
                hold!(21, right || (on_account && e.manual), "execution {} is on the wrong side or account", e.exec_id);
                self.booked_directly(e.order_id, e.last_qty);
            }
            Event::ExecutionBusted(e) | Event::ExecutionWhacked(e) => self.booked_directly(e.order_id, e.last_qty.negated()),
            Event::ExecutionCorrected(e) => self.booked_directly(e.order_id, e.last_qty.saturating_sub(e.old_qty)),
            Event::TradingStateSet(e) if e.scope == Scope::Tenant => self.halted = e.state == TradingState::Halted,
            Event::KillSwitchEngaged(e) => {
                self.killed.insert(e.scope);
                self.kills.push((e.scope, seq));
            }
            Event::KillSwitchReleased(e) => drop(self.killed.remove(&e.scope)),
            _ => (),
        }
    }

    fn change(&mut self, order_id: OrderId, change: impl FnOnce(&mut Kept)) {
        if let Some(order) = self.by_id.get_mut(&order_id) {
            change(order);
        }
    }

    fn created(&mut self, event: &OrderCreated) {
        let root = event.root_order_id;
        if event.parent_order_id.is_none() {
            let known = self.cl_ord_ids.insert(event.cl_ord_id.clone(), event.order_id);
            hold!(7, known.is_none(), "{} names two orders: {known:?} and {}", event.cl_ord_id, event.order_id);
        }
        let kept = Kept {
            root,
            venue: event.venue,
            qty: event.order_qty,
            cum: Qty::ZERO,
            value: Notional::ZERO,
            direct: Qty::ZERO,
            parent: event.parent_order_id,
            ended: None,
            disturbed: false,
            canceling: false,
            refused_at: 0,
            in_doubt: false,
            is_buy: event.side.is_buy(),
            instrument: event.instrument_id,
            account: event.account_id,
            user: event.user_id,
            strategy: event.compliance.as_deref().and_then(|said| said.strategy).or_else(|| self.by_id.get(&root)?.strategy),
        };
        hold!(8, self.by_id.insert(event.order_id, kept).is_none(), "order id {} is used twice", event.order_id);
    }

    fn in_scope(order: &Kept, scope: Scope) -> bool {
        match scope {
            Scope::Tenant => true,
            Scope::Account(id) => order.account == id,
            Scope::User(id) => order.user == id,
            Scope::Instrument(id) => order.instrument == id,
            Scope::Venue(mic) => order.venue == Some(mic),
            Scope::AssetClass(class) => class == oms_model::AssetClass::Equity,
            Scope::Strategy(id) => order.strategy == Some(id),
        }
    }

    fn sent(&mut self, event: &OrderSent, seq: u64) {
        let Some(leg) = self.by_id.get(&event.order_id) else { return };
        let wire_id = WireId::derive(event.order_id, event.revision);
        if event.intent == IntentKind::New {
            let killed = self.killed.iter().find(|scope| Self::in_scope(leg, **scope));
            hold!(28, killed.is_none(), "order {} is sent although {killed:?} is killed", event.order_id);
            hold!(25, !self.halted, "order {} is sent although trading is halted", event.order_id);
            let canceling = self.by_id.get(&leg.root).is_some_and(|root| root.canceling || root.ended.is_some());
            hold!(14, !canceling, "a part of {} is sent although it is being canceled or has ended", leg.root);
        }
        let qty = match event.intent {
            IntentKind::New => leg.qty,
            IntentKind::Cancel => Qty::ZERO,
            IntentKind::Replace => event.terms.map_or(Qty::ZERO, |terms| terms.order_qty),
        };
        let intent = Intent { order: event.order_id, kind: event.intent, qty, deadline: event.deadline, seq, handed: false };
        hold!(8, self.intents.insert(wire_id.clone(), intent).is_none(), "wire id {wire_id} is used twice");
    }

    /// Only what is executed of an order itself counts as that; a part at a venue has its own.
    fn booked_directly(&mut self, order_id: OrderId, qty: Qty) {
        self.change(order_id, |order| {
            if order.venue.is_none() {
                order.direct = order.direct.saturating_add(qty);
            }
        });
    }

    /// More or less was executed than was thought. An end by execution goes with what was executed; another one stays.
    fn adjusted(&mut self, e: &OrderFillAdjusted) {
        let order_id = e.order_id;
        let Some(order) = self.by_id.get_mut(&order_id) else { return };
        order.cum = order.cum.saturating_add(e.qty);
        order.value = order.value.saturating_add(e.notional);
        if e.direct {
            order.direct = order.direct.saturating_add(e.qty);
        }
        hold!(10, !order.cum.is_negative(), "order {order_id} has {} executed", order.cum);
        let late = e.qty.is_positive() && !e.direct && order.ended.is_some();
        let whole = order.cum.is_positive() && order.cum >= order.qty;
        let ended = match order.ended {
            None | Some(OrdState::Filled) => whole.then_some(OrdState::Filled),
            ended => ended,
        };
        hold!(
            9,
            e.state.is_done() == ended.is_some(),
            "order {order_id} over {} with {} executed goes to {}",
            order.qty,
            order.cum,
            e.state
        );
        if order.ended.is_some() && ended.is_none() {
            // What was asked of it before it ended is forgotten with its end.
            order.canceling = false;
        }
        order.ended = ended;
        if order.cum > order.qty || late {
            let root = order.root;
            self.change(order_id, |order| order.disturbed = true);
            self.change(root, |order| order.disturbed = true);
        }
    }

    fn filled(&mut self, order_id: OrderId, qty: Qty, value: Notional) {
        let Some(order) = self.by_id.get_mut(&order_id) else { return };
        order.cum = order.cum.saturating_add(qty);
        order.value = order.value.saturating_add(value);
        let disturbed = order.ended.is_some() || order.cum > order.qty;
        if order.ended.is_none() && order.cum >= order.qty {
            order.ended = Some(OrdState::Filled);
        }
        let root = order.root;
        if disturbed {
            self.change(order_id, |order| order.disturbed = true);
            self.change(root, |order| order.disturbed = true);
        }
    }

    fn ended(&mut self, order_id: OrderId, state: OrdState) {
        self.change(order_id, |order| {
            hold!(9, order.ended.is_none(), "order {order_id} went from {:?} to {state}", order.ended);
            order.ended = Some(state);
            order.canceling = false;
        });
    }

    /// Something is about to leave for a venue.
    pub fn handing(&mut self, handing: Handing<'_>) {
        let Handing { wire_id, kind, qty, now } = handing;
        hold!(3, self.handed.insert(wire_id.clone()), "{wire_id} is handed over twice");
        let intent = self.intents.get_mut(wire_id);
        hold!(2, intent.is_some(), "{wire_id} leaves before its intent is durable");
        let Some(intent) = intent else { return };
        intent.handed = true;
        hold!(2, intent.kind == kind, "{wire_id} is {} in the log and leaves as {kind}", intent.kind);
        hold!(13, intent.qty == qty, "{wire_id} has {} in the log and leaves with {qty}", intent.qty);
        hold!(31, now <= intent.deadline, "{wire_id} leaves {} ns after its deadline", now.since(intent.deadline));
        let (order, seq) = (intent.order, intent.seq);
        if let (IntentKind::New, Some(leg)) = (kind, self.by_id.get(&order)) {
            let kill = self.kills.iter().find(|(scope, at)| *at > seq && Self::in_scope(leg, *scope));
            hold!(28, kill.is_none(), "{wire_id} was decided at {seq} and leaves after {kill:?}");
        }
    }

    /// The account of an order, also of one that was cleaned up.
    #[must_use]
    pub fn account_of(&self, order_id: OrderId) -> Option<AccountId> {
        self.by_id.get(&order_id).map(|order| order.account)
    }

    /// Whether a kill switch of this scope is engaged.
    #[must_use]
    pub fn is_killed(&self, scope: Scope) -> bool {
        self.killed.contains(&scope)
    }

    /// The scopes with an engaged kill switch.
    pub fn killed(&self) -> impl Iterator<Item = Scope> + '_ {
        self.killed.iter().copied()
    }

    /// Orders that an engaged kill switch covers and that have not ended. With `but_refused` not those whose cancel
    /// was refused after it was engaged: whoever engaged it was told so.
    #[must_use]
    pub fn open_though_killed(&self, but_refused: bool) -> Vec<OrderId> {
        let engaged = |scope: Scope| self.kills.iter().filter(|(killed, _)| *killed == scope).map(|(_, seq)| *seq).max().unwrap_or(0);
        let told = |id: &OrderId, order: &Kept, since: u64| {
            let refused_at = |id: &OrderId| self.by_id.get(id).map_or(0, |order| order.refused_at);
            let of_group = self.groups.of(*id).map_or(0, |group| refused_at(&group));
            but_refused && order.refused_at.max(refused_at(&order.root)).max(of_group) > since
        };
        let covered =
            |id: &OrderId, order: &Kept| self.killed.iter().any(|scope| Self::in_scope(order, *scope) && !told(id, order, engaged(*scope)));
        self.by_id.iter().filter(|(id, order)| order.ended.is_none() && covered(id, order)).map(|(id, _)| *id).collect()
    }

    /// The engine's state says what the ledger says.
    pub fn hold_in(&self, state: &State) {
        hold!(33, state.last_seq().0 == self.last_seq, "the state is at {}, the log at {}", state.last_seq(), self.last_seq);
        self.books.hold_in(state);
        self.groups.hold_in(state);
        self.sagas.hold_in(state);
        self.hold_sums(state);
        let killed: BTreeSet<Scope> = state.risk().kill_switches().into_iter().map(|(scope, _)| scope).collect();
        hold!(28, killed == self.killed, "kill switches {killed:?}, in the log {:?}", self.killed);
        for (id, kept) in &self.by_id {
            let Some(order) = state.order(*id) else {
                hold!(1, kept.ended.is_some(), "order {id} is gone and has not ended");
                continue;
            };
            hold!(42, order.cum_qty == kept.cum, "order {id} has {} executed, in the log {}", order.cum_qty, kept.cum);
            hold!(42, order.cum_notional == kept.value, "order {id} was executed for {}, in the log {}", order.cum_notional, kept.value);
            hold!(42, order.direct_qty() == kept.direct, "order {id} has {} of its own, in the log {}", order.direct_qty(), kept.direct);
            hold!(42, order.order_qty == kept.qty, "order {id} is over {}, in the log {}", order.order_qty, kept.qty);
            hold!(
                42,
                order.extras.doubt.is_some() == kept.in_doubt,
                "order {id} doubt {:?}, in the log {}",
                order.extras.doubt,
                kept.in_doubt
            );
            let ended = order.state.is_done().then_some(order.state);
            hold!(42, ended == kept.ended, "order {id} is {}, in the log {:?}", order.state, kept.ended);
        }
    }

    /// What an order has executed is what its parts have and what it has of its own; a part at a venue has its executions.
    fn hold_sums(&self, state: &State) {
        let mut sums: BTreeMap<OrderId, (i128, i128)> = BTreeMap::new();
        for kept in self.by_id.values() {
            if let Some(parent) = kept.parent {
                let sum = sums.entry(parent).or_default();
                (sum.0, sum.1) = (sum.0 + kept.cum.raw(), sum.1 + kept.value.raw());
            }
        }
        let mut executed: BTreeMap<OrderId, (i128, i128)> = BTreeMap::new();
        for (_, booked) in self.books.standing_all() {
            let sum = executed.entry(booked.order_id).or_default();
            (sum.0, sum.1) = (sum.0 + booked.qty, sum.1 + booked.value());
        }
        // Of a tree that was cleaned up, only the executions are kept up.
        for (id, kept) in self.by_id.iter().filter(|(id, _)| state.order(**id).is_some()) {
            let (parts, own) = (sums.get(id).copied().unwrap_or_default(), executed.get(id).copied().unwrap_or_default());
            let cum = (kept.cum.raw(), kept.value.raw());
            if kept.venue.is_some() {
                hold!(13, cum == own, "leg {id} has {cum:?} and its executions make {own:?}");
            } else {
                hold!(
                    13,
                    cum.0 == parts.0 + kept.direct.raw(),
                    "order {id} has {} executed, its parts {} and itself {}",
                    cum.0,
                    parts.0,
                    kept.direct
                );
                // Shares come from no execution of the order's own.
                let shared = kept.direct.raw() != own.0;
                hold!(
                    13,
                    shared || cum.1 == parts.1 + own.1,
                    "order {id} was executed for {}, its parts for {} and itself for {}",
                    cum.1,
                    parts.1,
                    own.1
                );
            }
        }
    }
}
