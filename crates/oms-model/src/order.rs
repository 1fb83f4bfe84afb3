//! An order: a node of an order tree, its state machine and how events change it.
//!
//! - Facts are stored (quantities, state, pending request, doubt); what is shown is derived.
//! - [`Order::apply`] refuses nothing. An illegal step is an engine fault and stops the process.

use crate::amount::{Decimal, Notional, Price, Qty};
use crate::children::Children;
use crate::compliance::{Compliance, Hold};
use crate::event::{Event, OrderCreated, OrderFillAdjusted, SagaStepped};
use crate::ids::{AccountId, BrokerOrderId, ClOrdId, InstrumentId, Mic, OrderId, PolicyName, QuoteId, QuoteRef, Seq, Time, UserId, WireId};
use crate::machine::Machine;
use crate::refusal::Code;
use crate::seldom::{Seldom, Unset};
use crate::strategy::StrategyId;
use crate::terms::{
    EndedBy, IntentKind, OrdState, OrdStatus, OrdType, OrderKind, Outcome, Pending, SagaPhase, Side, SorMode, Source, TimeInForce,
};
use crate::work::Work;

/// The state machine of orders.
pub struct OrderMachine;

use OrdState::{Canceled, Closed, Expired, Filled, Live, New, PartiallyFilled, Rejected, Unack};

/// Every legal step of an order.
///
/// The steps marked `bust` undo a fill; `late` is a venue that refuses what it had acknowledged.
pub const TRANSITIONS: &[(OrdState, OrdState)] = &[
    (New, Unack),
    (New, Canceled),
    (New, Rejected),
    (New, Expired),
    (Unack, Live),
    (Unack, PartiallyFilled),
    (Unack, Filled),
    (Unack, Canceled),
    (Unack, Rejected),
    (Unack, Expired),
    (Live, PartiallyFilled),
    (Live, Filled),
    (Live, Canceled),
    (Live, Rejected), // late
    (Live, Expired),
    (PartiallyFilled, Live), // bust
    (PartiallyFilled, PartiallyFilled),
    (PartiallyFilled, Filled),
    (PartiallyFilled, Canceled),
    (PartiallyFilled, Rejected), // late
    (PartiallyFilled, Expired),
    (Filled, Live),            // bust
    (Filled, PartiallyFilled), // bust, or a replace to a larger quantity
    (Filled, Closed),
    (Canceled, Closed),
    (Rejected, Closed),
    (Expired, Closed),
];

impl Machine for OrderMachine {
    type State = OrdState;
    const INITIAL: OrdState = New;
    const STEPS: &'static [(OrdState, OrdState)] = TRANSITIONS;
    const TERMINAL: &'static [OrdState] = &[Closed];
}

impl OrdState {
    /// Whether nothing more can be executed in the ordinary course.
    #[must_use]
    pub const fn is_done(self) -> bool {
        match self {
            New | Unack | Live | PartiallyFilled => false,
            Filled | Canceled | Rejected | Expired | Closed => true,
        }
    }
}

/// How the client wants the order placed. What is not said comes from the policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routing {
    /// The mode.
    pub mode: Option<SorMode>,
    /// The venue, for [`SorMode::Named`].
    pub venue: Option<Mic>,
    /// The policy.
    pub policy: Option<PolicyName>,
    /// CARE: it is staged, and a person works it.
    pub care: bool,
}

/// What the quantity or the price of an order rests on, where it is not simply said. Rare, so it stands apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Basis {
    /// FIX 152: how much money is to be invested or raised. `order_qty` is then what that bought at the last known
    /// price, rounded up to a lot, until an execution says what it does buy.
    pub cash_order_qty: Option<Decimal>,
    /// FIX 117: the quote that the order accepts.
    pub quote_id: Option<QuoteId>,
    /// The dealer's own id of that quote.
    pub quote_ref: Option<QuoteRef>,
}

/// The terms that a replace changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Total quantity, executed part included.
    pub order_qty: Qty,
    /// Limit.
    pub price: Option<Price>,
    /// Trigger.
    pub stop_px: Option<Price>,
}

/// Who takes care of an order that a person works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Care {
    /// Who acknowledged it; `None` while nobody has.
    pub accepted_by: Option<UserId>,
    /// Who works it, and nobody else; `None` while it waits for somebody to claim it.
    pub holder: Option<UserId>,
    /// Since when that is so.
    pub since: Time,
}

/// A part that a replace has changed, with what it was before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SagaPart {
    /// The part.
    pub order_id: OrderId,
    /// Its terms before.
    pub before: Terms,
}

/// Where a replace of an order with several working parts stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saga {
    /// In which direction it goes.
    pub phase: SagaPhase,
    /// Which step it is in, from 1.
    pub step: u32,
    /// The part that it waits for.
    pub part: Option<OrderId>,
    /// Why it goes back.
    pub text: String,
    /// What was changed so far, oldest first; what was put back is taken out.
    pub done: Vec<SagaPart>,
}

/// The stage that an order under STAGED routing is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// The leg at the stage's venue.
    pub leg: OrderId,
    /// When what it has not executed goes on.
    pub until: Time,
}

/// Something was handed to a venue and its outcome is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doubt {
    /// What was handed over.
    pub intent: IntentKind,
    /// Its revision; with the order it gives the [`WireId`].
    pub revision: u32,
    /// Since when.
    pub since: Time,
    /// Why the outcome is not known.
    pub reason: String,
}

/// What few working orders have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// Set while IN_DOUBT.
    pub doubt: Option<Box<Doubt>>,
    /// FIX 99.
    pub stop_px: Option<Price>,
    /// The terms asked for by the pending replace.
    pub replacing: Option<Box<Terms>>,
    /// The terms of a replace that the venue had not answered when the order was wholly executed; only legs. They matter
    /// where an execution is taken back.
    pub unanswered: Option<Box<Terms>>,
    /// How the client wants it placed; only roots.
    pub routing: Option<Box<Routing>>,
    /// The words that it was refused or ended with.
    pub text: Option<Box<str>>,
    /// The client's own JSON object, kept as given.
    pub metadata: Option<Box<str>>,
    /// Set where a person works it.
    pub care: Option<Box<Care>>,
    /// Set while a replace goes through several parts.
    pub saga: Option<Box<Saga>>,
    /// Set while a stage of STAGED routing runs.
    pub stage: Option<Box<Stage>>,
    /// What its quantity or price rests on, where that is not simply said.
    pub basis: Option<Box<Basis>>,
    /// What was booked on it otherwise than through its parts.
    pub booked: Option<Box<Booked>>,
    /// What the engine works it by.
    pub work: Option<Box<Work>>,
    /// What it says for the gate.
    pub compliance: Option<Box<Compliance>>,
    /// Set while it is accepted and waits before it is sent.
    pub hold: Option<Box<Hold>>,
}

/// What was booked on an order otherwise than through its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Booked {
    /// Of `cum_qty`, what a person booked on the order itself, or an allocation gave it.
    pub direct_qty: Qty,
    /// The group that it is worked in.
    pub group_order_id: Option<OrderId>,
    /// How many orders it stands for; zero where it is no group.
    pub member_count: u32,
    /// Of a group's `cum_qty`, what is shared out.
    pub alloc_qty: Qty,
}

impl Unset for Extras {
    const UNSET: &'static Self = &Self {
        doubt: None,
        stop_px: None,
        replacing: None,
        unanswered: None,
        routing: None,
        text: None,
        metadata: None,
        care: None,
        saga: None,
        stage: None,
        basis: None,
        booked: None,
        work: None,
        compliance: None,
        hold: None,
    };
}

/// An order as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// Ours.
    pub order_id: OrderId,
    /// The order that this one is a part of.
    pub parent_order_id: Option<OrderId>,
    /// The client's order at the top of the tree; itself where it is that.
    pub root_order_id: OrderId,
    /// The client's id; a leg has none of its own and repeats its root's.
    pub cl_ord_id: ClOrdId,
    /// For whom.
    pub account_id: AccountId,
    /// By whom.
    pub user_id: UserId,
    /// What.
    pub instrument_id: InstrumentId,
    /// FIX 54.
    pub side: Side,
    /// FIX 40.
    pub ord_type: OrdType,
    /// FIX 59.
    pub time_in_force: TimeInForce,
    /// Through which door it came.
    pub source: Source,
    /// Where it stands.
    pub state: OrdState,
    /// The request that is not answered.
    pub pending: Pending,
    /// FIX 38.
    pub order_qty: Qty,
    /// FIX 14.
    pub cum_qty: Qty,
    /// Of `order_qty`, what was handed to children and has not come back: their cum and leaves.
    pub place_qty: Qty,
    /// Exact value of what was executed.
    pub cum_notional: Notional,
    /// FIX 44.
    pub price: Option<Price>,
    /// End of a GTD or DAY order.
    pub expire_at: Option<Time>,
    /// Where a leg was sent.
    pub venue: Option<Mic>,
    /// FIX 37, once the venue told it.
    pub broker_order_id: Option<BrokerOrderId>,
    /// The last revision used at the venue: 0 the order itself, then one for each cancel or replace request.
    pub revision: u32,
    /// The revision under which the venue knows the order: 0, or the last replace it accepted.
    pub venue_revision: u32,
    /// Routing attempts so far; only roots.
    pub attempts: u32,
    /// What ended or refused it.
    pub ended_by: Option<EndedBy>,
    /// The code it was refused with.
    pub reject_code: Option<Code>,
    /// Raised by every event of this order; the ETag.
    pub version: u32,
    /// The sequence of the event that created it.
    pub created_seq: Seq,
    /// When it was created.
    pub created_at: Time,
    /// When an event last changed it.
    pub updated_at: Time,
    /// The parts it was placed as, oldest first.
    pub children: Children,
    /// Its kind where it is not the usual one; see [`Order::kind`].
    pub own_kind: Option<OrderKind>,
    /// Its number on the day that it was created, from 1; 0 for a part.
    pub number: u32,
    /// What few working orders have. It stands apart so that the others need no room for it.
    pub extras: Seldom<Extras>,
}

impl Order {
    /// The order that this event creates.
    #[must_use]
    pub fn create(event: &OrderCreated, seq: Seq, time: Time) -> Self {
        let care = event.routing.as_deref().is_some_and(|routing| routing.care);
        Self {
            order_id: event.order_id,
            parent_order_id: event.parent_order_id,
            root_order_id: event.root_order_id,
            cl_ord_id: event.cl_ord_id.clone(),
            account_id: event.account_id,
            user_id: event.user_id,
            instrument_id: event.instrument_id,
            side: event.side,
            ord_type: event.ord_type,
            time_in_force: event.time_in_force,
            source: event.source,
            order_qty: event.order_qty,
            price: event.price,
            expire_at: event.expire_at,
            venue: event.venue,
            own_kind: event.kind,
            number: event.number,
            version: 1,
            created_seq: seq,
            created_at: time,
            updated_at: time,
            extras: Seldom::from(Extras {
                stop_px: event.stop_px,
                routing: event.routing.clone(),
                metadata: event.metadata.clone(),
                care: care.then(|| Box::new(Care { since: time, ..Care::default() })),
                basis: event.basis.clone(),
                work: event.work.clone(),
                compliance: event.compliance.clone(),
                ..Extras::default()
            }),
            ..Self::default()
        }
    }

    /// FIX 151: what can still be executed; nothing once the order is done.
    #[must_use]
    pub fn leaves_qty(&self) -> Qty {
        if self.state.is_done() { Qty::ZERO } else { self.open_qty() }
    }

    /// Ordered and not executed, whatever the state; never below zero.
    #[must_use]
    pub fn open_qty(&self) -> Qty {
        self.order_qty.saturating_sub(self.cum_qty).max(Qty::ZERO)
    }

    /// FIX 6; `None` before the first fill.
    #[must_use]
    pub fn avg_px(&self) -> Option<Price> {
        self.cum_notional.avg_px(self.cum_qty)
    }

    /// What is shown: FIX precedence, pending cancel before pending replace before the state.
    #[must_use]
    pub fn ord_status(&self) -> OrdStatus {
        if self.state.is_done() {
            return self.state.into();
        }
        match self.pending {
            Pending::Cancel => OrdStatus::PendingCancel,
            Pending::Replace => OrdStatus::PendingReplace,
            Pending::None => self.state.into(),
        }
    }

    /// FIX 152: the money that the order is for, where it names that and not a quantity.
    #[must_use]
    pub fn cash_order_qty(&self) -> Option<Decimal> {
        self.extras.basis.as_deref()?.cash_order_qty
    }

    /// What it is within its tree: a client's order at the top and a leg below, unless it says otherwise.
    #[must_use]
    pub fn kind(&self) -> OrderKind {
        let usual = if self.is_root() { OrderKind::Client } else { OrderKind::Market };
        self.own_kind.unwrap_or(usual)
    }

    /// Whether it is one instruction to one venue.
    #[must_use]
    pub fn is_leg(&self) -> bool {
        self.kind() == OrderKind::Market
    }

    /// Whether somebody works it or has to agree to it, so that what is not with its parts waits for them and not for the
    /// router.
    #[must_use]
    pub fn is_worked(&self) -> bool {
        self.extras.care.is_some() || self.extras.work.is_some() || self.extras.hold.is_some()
    }

    /// The strategy that it was sent for.
    #[must_use]
    pub fn strategy(&self) -> Option<StrategyId> {
        self.extras.compliance.as_deref().and_then(|said| said.strategy)
    }

    /// Whether its `cl_ord_id` names it alone: it does for a client's order and for a part that is worked on its own.
    #[must_use]
    pub fn has_own_id(&self) -> bool {
        matches!(self.kind(), OrderKind::Client | OrderKind::Group | OrderKind::Child)
    }

    /// Whether it is at the top of a tree.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.parent_order_id.is_none()
    }

    /// Whether a move of the market is a reason to look at it.
    #[must_use]
    pub fn is_watching(&self) -> bool {
        !self.state.is_done() && self.extras.work.as_deref().is_some_and(|work| work.on_market)
    }

    /// Where its stop stands: that of a trailing order where it has followed the market to.
    #[must_use]
    pub fn stop_at(&self) -> Option<Price> {
        self.extras.work.as_deref().and_then(|work| work.stop_px).or(self.extras.stop_px)
    }

    /// The list that it belongs to.
    #[must_use]
    pub fn list_id(&self) -> Option<OrderId> {
        self.extras.work.as_deref()?.link.map(|link| link.list_id)
    }

    /// When time is a reason to look at it.
    #[must_use]
    pub fn wake(&self) -> Option<Time> {
        self.extras.work.as_deref().filter(|_| !self.state.is_done()).and_then(|work| work.wake)
    }

    /// The id under which the venue knows `revision` of it.
    #[must_use]
    pub fn wire_id(&self, revision: u32) -> WireId {
        WireId::derive(self.order_id, revision)
    }

    /// The terms as they stand.
    #[must_use]
    pub fn terms(&self) -> Terms {
        Terms { order_qty: self.order_qty, price: self.price, stop_px: self.extras.stop_px }
    }

    /// What may be executed at worst: the larger of the standing and the pending quantity, less what was executed.
    #[must_use]
    pub fn worst_open_qty(&self) -> Qty {
        if self.state.is_done() && self.extras.doubt.is_none() {
            return Qty::ZERO;
        }
        let asked = self.extras.replacing.as_deref().map_or(self.order_qty, |t| t.order_qty.max(self.order_qty));
        asked.saturating_sub(self.cum_qty).max(Qty::ZERO)
    }

    /// Folds one event of this order.
    ///
    /// # Panics
    /// On a step that [`TRANSITIONS`] does not hold: the engine must not have decided it.
    pub fn apply(&mut self, event: &Event, time: Time) {
        self.version += 1;
        self.updated_at = time;
        match event {
            Event::OrderRejected(e) => self.end(Rejected, e.by, Some(e.code), &e.text),
            Event::OrderSent(e) => self.sent(e.intent, e.revision),
            Event::OrderStateSynced(e) => {
                self.step(e.state);
                self.place_qty = e.place_qty;
            }
            Event::OrderAccepted(e) => {
                if self.state == Unack {
                    self.step(Live);
                }
                self.broker_order_id.clone_from(&e.broker_order_id);
            }
            Event::OrderPartiallyFilled(e) | Event::OrderFilled(e) => self.filled(e.last_qty, e.last_notional),
            Event::OrderCancelRequested(_) => self.pending = Pending::Cancel,
            Event::OrderCanceled(e) => self.end(Canceled, e.by, None, &e.text),
            Event::OrderExpired(e) => self.end(Expired, e.by, None, &e.text),
            Event::CancelRejected(_) => self.settle(Pending::Cancel),
            Event::ReplaceRejected(_) => self.settle(Pending::Replace),
            Event::OrderReplaceRequested(e) => {
                self.pending = Pending::Replace;
                self.extras.replacing = Some(Box::new(e.terms));
            }
            Event::OrderReplaced(e) => self.replaced(&e.terms, e.revision),
            Event::OrderInDoubt(e) => {
                let (intent, revision) = (e.intent, e.revision);
                self.extras.doubt = Some(Box::new(Doubt { intent, revision, since: time, reason: e.reason.clone() }));
            }
            Event::OrderOutcomeResolved(e) => self.resolved(e.intent, e.outcome),
            Event::OrderClosed(_) => self.step(Closed),
            Event::RouteDecided(e) => {
                self.attempts = e.attempt;
                self.place_qty = e.place_qty;
            }
            Event::SagaStepped(e) => self.saga_stepped(e),
            Event::StageStarted(e) => self.extras.stage = Some(Box::new(Stage { leg: e.leg, until: e.until })),
            Event::StageEnded(_) => self.extras.clear_with(|extras| extras.stage = None),
            Event::CareAccepted(e) => self.care_changed(time, |care| care.accepted_by = Some(e.user_id)),
            Event::CarePassed(e) => self.care_changed(time, |care| care.holder = e.to),
            Event::OrderSized(e) => {
                self.order_qty = e.order_qty;
                // What was estimated to be with its only part is with it exactly.
                if self.place_qty.is_positive() {
                    self.place_qty = e.order_qty;
                }
            }
            Event::OrderFillAdjusted(e) => self.adjusted(e),
            Event::OrdersGrouped(e) if e.group_order_id == self.order_id => {
                self.book(|booked| booked.member_count = u32::try_from(e.members.len()).unwrap_or(u32::MAX));
            }
            Event::OrdersGrouped(e) => self.book(|booked| booked.group_order_id = Some(e.group_order_id)),
            Event::OrdersUngrouped(_) => self.book(|booked| booked.group_order_id = None),
            Event::AllocationBooked(e) => self.book(|booked| booked.alloc_qty = e.qty),
            Event::AllocationProposed(_) | Event::AllocationApproved(_) | Event::AllocationRejected(_) => (),
            Event::ExecutionRecorded(e) => self.booked_directly(e.last_qty),
            Event::ExecutionBusted(e) | Event::ExecutionWhacked(e) => self.booked_directly(e.last_qty.negated()),
            Event::ExecutionCorrected(e) => self.booked_directly(e.last_qty.saturating_sub(e.old_qty)),
            Event::OrderTriggered(e) => self.work(|work| work.triggered(e)),
            Event::StopMoved(e) => self.work(|work| work.stop_moved(e)),
            Event::SliceReleased(e) => self.work(|work| work.released(e, time)),
            Event::AlgoStepped(e) => self.work(|work| work.stepped(e, time)),
            Event::OrderArmed(e) => self.work(|work| work.armed(e)),
            Event::PeerFilled(e) => self.work(|work| work.peer_filled(e)),
            Event::OrderHeld(e) => {
                self.extras.hold = Some(Box::new(Hold { reason: e.reason, since: time, waits_for: e.waits_for.clone() }));
            }
            Event::OrderReleased(_) => self.extras.clear_with(|extras| extras.hold = None),
            Event::RiskChecked(_) | Event::OrderAnomaly(_) | Event::SelfMatchPrevented(_) => (),
            Event::OrderCreated(_)
            | Event::CommissionRecorded(_)
            | Event::SuspenseResolved(_)
            | Event::PositionChanged(_)
            | Event::FxRateSet(_)
            | Event::PositionFrozen(_)
            | Event::DayClosed(_)
            | Event::CostMethodSet(_)
            | Event::ExecutionUnmatched(_)
            | Event::BrokerConnected(_)
            | Event::BrokerDisconnected(_)
            | Event::KillSwitchEngaged(_)
            | Event::KillSwitchReleased(_)
            | Event::TradingStateSet(_)
            | Event::RiskLimitSet(_)
            | Event::RiskLimitRemoved(_)
            | Event::SorPolicySet(_)
            | Event::VenueConfigured(_)
            | Event::InstrumentListed(_)
            | Event::AccountOpened(_)
            | Event::ApiKeyCreated(_)
            | Event::IdempotencyRecorded(_)
            | Event::QuoteRequested(_)
            | Event::QuoteReceived(_)
            | Event::QuoteAccepted(_)
            | Event::QuoteExpired(_)
            | Event::QuoteWithdrawn(_)
            | Event::QuoteReplaced(_)
            | Event::QuoteRequestExpired(_)
            | Event::QuoteRequestCanceled(_)
            | Event::NavSet(_)
            | Event::RestrictionSet(_)
            | Event::RestrictionRemoved(_)
            | Event::LocateSet(_)
            | Event::ShortSaleStateSet(_)
            | Event::SelfMatchRuleSet(_)
            | Event::StrategyEnvelopeSet(_)
            | Event::ThrottleTripped(_)
            | Event::ThrottleReset(_)
            | Event::PositionsMarked(_)
            | Event::RiskCurrencySet(_)
            | Event::LimitRequired(_)
            | Event::KillSwitchConfirmed(_)
            | Event::BreakerSet(_)
            | Event::BreakerRemoved(_)
            | Event::BreakerMoved(_)
            | Event::TenantCreated(_) => self.version -= 1,
        }
    }

    fn saga_stepped(&mut self, event: &SagaStepped) {
        if matches!(event.phase, SagaPhase::Done | SagaPhase::Undone) {
            return self.extras.clear_with(|extras| extras.saga = None);
        }
        let saga = self.extras.saga.get_or_insert_default();
        (saga.step, saga.part) = (event.step, event.part);
        if event.phase == SagaPhase::Back {
            if saga.phase != SagaPhase::Back {
                saga.text.clone_from(&event.text);
            }
            // A part that was changed twice is put back twice.
            if let Some(at) = saga.done.iter().rposition(|part| Some(part.order_id) == event.part) {
                saga.done.remove(at);
            }
        } else if let (Some(order_id), Some(before)) = (event.part, event.before) {
            saga.done.push(SagaPart { order_id, before });
        }
        saga.phase = event.phase;
    }

    fn care_changed(&mut self, time: Time, change: impl FnOnce(&mut Care)) {
        if self.extras.care.is_some()
            && let Some(care) = self.extras.care.as_deref_mut()
        {
            change(care);
            care.since = time;
        }
    }

    fn work(&mut self, change: impl FnOnce(&mut Work)) {
        // Looked at first: writing through the extras makes room for them.
        if self.extras.work.is_some()
            && let Some(work) = self.extras.work.as_deref_mut()
        {
            change(work);
        }
    }

    fn step(&mut self, to: OrdState) {
        if self.state == to {
            return;
        }
        assert!(OrderMachine::allows(self.state, to), "order {} cannot go from {} to {to}", self.order_id, self.state);
        self.state = to;
    }

    fn sent(&mut self, intent: IntentKind, revision: u32) {
        self.revision = revision;
        if intent == IntentKind::New {
            self.step(Unack);
        }
    }

    fn filled(&mut self, qty: Qty, notional: Notional) {
        self.cum_qty = self.cum_qty.saturating_add(qty);
        self.cum_notional = self.cum_notional.saturating_add(notional);
        if self.state.is_done() {
            return; // Money that moved is booked; an order that had ended stays ended.
        }
        if self.cum_qty >= self.order_qty {
            self.step(Filled);
            self.settle_filled();
        } else {
            self.step(PartiallyFilled);
        }
    }

    /// A reversal, a correction or an allocation changed what was executed.
    fn adjusted(&mut self, event: &OrderFillAdjusted) {
        self.cum_qty = self.cum_qty.saturating_add(event.qty);
        self.cum_notional = self.cum_notional.saturating_add(event.notional);
        if event.direct {
            self.book(|booked| booked.direct_qty = booked.direct_qty.saturating_add(event.qty));
        }
        self.step(event.state);
        if self.state == Filled {
            self.settle_filled();
        }
    }

    /// The state that the order has with this much executed. An end other than FILLED stays.
    #[must_use]
    pub fn state_with(&self, cum_qty: Qty) -> OrdState {
        match self.state {
            Live | PartiallyFilled | Filled if cum_qty >= self.order_qty => Filled,
            Live | PartiallyFilled | Filled if cum_qty.is_positive() => PartiallyFilled,
            Live | PartiallyFilled | Filled => Live,
            Unack if cum_qty >= self.order_qty => Filled,
            Unack if cum_qty.is_positive() => PartiallyFilled,
            New | Unack | Canceled | Rejected | Expired | Closed => self.state,
        }
    }

    /// An execution of the order itself; one of a part at a venue counts there.
    ///
    /// What follows for the quantity is an event of its own, so this one does not raise the version.
    fn booked_directly(&mut self, qty: Qty) {
        self.version -= 1;
        if self.venue.is_some() || qty.is_zero() {
            return;
        }
        self.book(|booked| booked.direct_qty = booked.direct_qty.saturating_add(qty));
    }

    fn book(&mut self, change: impl FnOnce(&mut Booked)) {
        let mut booked = self.extras.booked.take().unwrap_or_default();
        change(&mut booked);
        // Nothing is left of it where it was taken back, so that the order is as it was.
        self.extras.booked = (*booked != Booked::default()).then_some(booked);
        self.extras.tidy();
    }

    /// The group that it is worked in.
    #[must_use]
    pub fn group_order_id(&self) -> Option<OrderId> {
        self.extras.booked.as_deref().and_then(|booked| booked.group_order_id)
    }

    /// How many orders it stands for; zero where it is no group.
    #[must_use]
    pub fn member_count(&self) -> u32 {
        self.extras.booked.as_deref().map_or(0, |booked| booked.member_count)
    }

    /// Of a group's `cum_qty`, what is shared out.
    #[must_use]
    pub fn alloc_qty(&self) -> Qty {
        self.extras.booked.as_deref().map_or(Qty::ZERO, |booked| booked.alloc_qty)
    }

    /// Of `cum_qty`, what was not executed through parts.
    #[must_use]
    pub fn direct_qty(&self) -> Qty {
        self.extras.booked.as_deref().map_or(Qty::ZERO, |booked| booked.direct_qty)
    }

    /// Executed beyond what was ordered.
    #[must_use]
    pub fn over_qty(&self) -> Qty {
        self.cum_qty.saturating_sub(self.order_qty).max(Qty::ZERO)
    }

    fn end(&mut self, state: OrdState, by: EndedBy, code: Option<Code>, text: &str) {
        self.step(state);
        self.settle_pending();
        self.ended_by = Some(by);
        self.reject_code = code;
        if text.is_empty() {
            self.extras.clear_with(|extras| extras.text = None);
        } else {
            self.extras.text = Some(text.into());
        }
    }

    fn replaced(&mut self, terms: &Terms, revision: u32) {
        self.order_qty = terms.order_qty;
        self.price = terms.price;
        if self.extras.stop_px != terms.stop_px {
            self.extras.stop_px = terms.stop_px;
            // A stop that was set anew follows the market from there.
            self.work(|work| work.stop_px = None);
            self.extras.tidy();
        }
        self.venue_revision = revision;
        self.settle(Pending::Replace);
        if self.state.is_done() {
            return;
        }
        if self.cum_qty >= self.order_qty && self.cum_qty.is_positive() {
            // The step table has no way from LIVE to FILLED without a fill that PARTIALLY_FILLED did not see.
            self.step(Filled);
            // A cancel that came meanwhile has nothing left to cancel.
            self.settle_pending();
        }
    }

    fn resolved(&mut self, intent: IntentKind, outcome: Outcome) {
        self.extras.clear_with(|extras| extras.doubt = None);
        if intent == IntentKind::New && outcome == Outcome::Live && self.state == Unack {
            self.step(Live);
        }
    }

    /// A request was answered. A cancel that was asked while a replace was pending stays pending.
    fn settle(&mut self, answered: Pending) {
        if answered == Pending::Replace {
            self.extras.clear_with(|extras| (extras.replacing, extras.unanswered) = (None, None));
        }
        if self.pending == answered {
            self.pending = Pending::None;
        }
    }

    fn settle_pending(&mut self) {
        self.pending = Pending::None;
        self.extras.clear_with(|extras| {
            (extras.replacing, extras.unanswered, extras.saga, extras.stage) = (None, None, None, None);
        });
        if self.state.is_done() {
            self.extras.clear_with(|extras| extras.hold = None);
        }
    }

    /// Wholly executed. What its venue was still asked to make of it is kept, for an execution may be taken back.
    fn settle_filled(&mut self) {
        let is_leg = self.is_leg();
        self.pending = Pending::None;
        self.extras.clear_with(|extras| {
            let asked = extras.replacing.take().filter(|_| is_leg);
            extras.unanswered = asked.or(extras.unanswered.take());
            (extras.saga, extras.stage, extras.hold) = (None, None, None);
        });
    }
}

#[cfg(test)]
mod tests;
