//! Orders, intents, executions and switches, as the durable facts tell them.

use crate::hold;
use oms_engine::State;
use oms_model::event::{Batch, Event, OrderCreated, OrderSent};
use oms_model::limit::Scope;
use oms_model::{AccountId, ClOrdId, ExecId, InstrumentId, IntentKind, Mic, OrdState, OrderId, Qty, Time, UserId, WireId};
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
    booked: BTreeMap<(Mic, ExecId), Qty>,
    suspense: BTreeMap<(Mic, ExecId), Qty>,
    positions: BTreeMap<(AccountId, InstrumentId), i128>,
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
        for (seq, event) in batch.numbered() {
            self.last_seq = seq.0;
            self.event(event, seq.0);
        }
    }

    fn event(&mut self, event: &Event, seq: u64) {
        match event {
            Event::OrderCreated(e) => self.created(e),
            Event::OrderSent(e) => self.sent(e, seq),
            Event::OrderPartiallyFilled(e) | Event::OrderFilled(e) => self.filled(e.order_id, e.last_qty),
            Event::OrderRejected(e) => self.ended(e.order_id, OrdState::Rejected),
            Event::OrderCanceled(e) => self.ended(e.order_id, OrdState::Canceled),
            Event::OrderExpired(e) => self.ended(e.order_id, OrdState::Expired),
            Event::OrderCancelRequested(e) => self.change(e.order_id, |order| order.canceling = true),
            Event::CancelRejected(e) => self.change(e.order_id, |order| {
                order.canceling = false;
                order.refused_at = seq;
            }),
            Event::OrderReplaced(e) => self.change(e.order_id, |order| {
                hold!(15, e.terms.order_qty >= order.cum || order.disturbed, "replaced to {} below {}", e.terms.order_qty, order.cum);
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
                let known = self.booked.insert((e.venue, e.exec_id.clone()), e.last_qty);
                hold!(16, known.is_none(), "execution {} of {} is booked twice", e.exec_id, e.venue);
                let order = self.by_id.get(&e.order_id);
                hold!(21, order.is_some_and(|order| order.is_buy == e.side.is_buy()), "execution {} is on the wrong side", e.exec_id);
                let signed = if e.side.is_buy() { e.last_qty.raw() } else { -e.last_qty.raw() };
                *self.positions.entry((e.account_id, e.instrument_id)).or_default() += signed;
            }
            Event::ExecutionUnmatched(e) => {
                let known = self.suspense.insert((e.venue, e.exec_id.clone()), e.last_qty);
                hold!(16, known.is_none(), "execution {} of {} is in suspense twice", e.exec_id, e.venue);
            }
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
            ended: None,
            disturbed: false,
            canceling: false,
            refused_at: 0,
            in_doubt: false,
            is_buy: event.side.is_buy(),
            instrument: event.instrument_id,
            account: event.account_id,
            user: event.user_id,
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
        }
    }

    fn sent(&mut self, event: &OrderSent, seq: u64) {
        let Some(leg) = self.by_id.get(&event.order_id) else { return };
        let wire_id = WireId::derive(event.order_id, event.revision);
        if event.intent == IntentKind::New {
            let killed = self.killed.iter().find(|scope| Self::in_scope(leg, **scope));
            hold!(28, killed.is_none(), "order {} is sent although {killed:?} is killed", event.order_id);
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

    fn filled(&mut self, order_id: OrderId, qty: Qty) {
        let Some(order) = self.by_id.get_mut(&order_id) else { return };
        order.cum = order.cum.saturating_add(qty);
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

    /// Whether an execution is booked, or kept for a person.
    #[must_use]
    pub fn knows(&self, venue: Mic, exec_id: &ExecId) -> bool {
        let key = (venue, exec_id.clone());
        self.booked.contains_key(&key) || self.suspense.contains_key(&key)
    }

    /// Whether an execution is booked.
    #[must_use]
    pub fn is_booked(&self, venue: Mic, exec_id: &ExecId) -> bool {
        self.booked.contains_key(&(venue, exec_id.clone()))
    }

    /// How many executions are booked or kept. A repetition that came after its order was cleaned up counts once.
    #[must_use]
    pub fn executions(&self) -> usize {
        self.booked.len() + self.suspense.keys().filter(|key| !self.booked.contains_key(key)).count()
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
        let told = |order: &Kept, since: u64| {
            let root = self.by_id.get(&order.root).map_or(0, |root| root.refused_at);
            but_refused && order.refused_at.max(root) > since
        };
        let covered = |order: &Kept| self.killed.iter().any(|scope| Self::in_scope(order, *scope) && !told(order, engaged(*scope)));
        self.by_id.iter().filter(|(_, order)| order.ended.is_none() && covered(order)).map(|(id, _)| *id).collect()
    }

    /// The engine's state says what the ledger says.
    pub fn hold_in(&self, state: &State) {
        hold!(33, state.last_seq().0 == self.last_seq, "the state is at {}, the log at {}", state.last_seq(), self.last_seq);
        for position in state.positions() {
            let sum = self.positions.get(&(position.account_id, position.instrument_id)).copied().unwrap_or_default();
            hold!(21, position.qty.raw() == sum, "a position is {} and its executions are {sum}", position.qty);
        }
        hold!(21, state.positions().count() == self.positions.len(), "a position is missing");
        hold!(20, state.suspense().count() == self.suspense.len(), "an execution in suspense is missing");
        let killed: BTreeSet<Scope> = state.risk().parts().killed.into_iter().collect();
        hold!(28, killed == self.killed, "kill switches {killed:?}, in the log {:?}", self.killed);
        for (id, kept) in &self.by_id {
            let Some(order) = state.order(*id) else {
                hold!(1, kept.ended.is_some(), "order {id} is gone and has not ended");
                continue;
            };
            hold!(42, order.cum_qty == kept.cum, "order {id} has {} executed, in the log {}", order.cum_qty, kept.cum);
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
}
