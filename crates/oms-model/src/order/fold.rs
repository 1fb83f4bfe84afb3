//! How an order follows its events.

use super::{Booked, Care, Doubt, Order, OrderMachine, SagaPart, Stage, Terms};
use crate::amount::{Notional, Qty};
use crate::compliance::Hold;
use crate::event::{Event, OrderFillAdjusted, RequestNamed, SagaStepped};
use crate::ids::Time;
use crate::machine::Machine as _;
use crate::refusal::Code;
use crate::terms::{EndedBy, IntentKind, OrdState, Outcome, Pending, SagaPhase};
use crate::work::Work;
use OrdState::{Canceled, Closed, Expired, Filled, Live, PartiallyFilled, Rejected, Unack};

impl Order {
    /// Folds one event of this order.
    ///
    /// # Panics
    /// On a step that [`TRANSITIONS`](super::TRANSITIONS) does not hold: the engine must not have decided it.
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
            Event::OrderCancelRequested(_) => {
                self.forget_asked();
                self.pending = Pending::Cancel;
            }
            Event::OrderCanceled(e) => self.end(Canceled, e.by, None, &e.text),
            Event::OrderExpired(e) => self.end(Expired, e.by, None, &e.text),
            Event::CancelRejected(_) => {
                self.unname(Pending::Cancel);
                self.settle(Pending::Cancel);
            }
            Event::ReplaceRejected(_) => {
                self.unname(Pending::Replace);
                self.settle(Pending::Replace);
            }
            Event::RequestNamed(e) => self.named(e),
            Event::OrderReplaceRequested(e) => {
                self.forget_asked();
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
            Event::RiskBreached(e) => self.extras.breached |= 1 << e.check.code(),
            Event::RiskChecked(_) | Event::OrderAnomaly(_) | Event::SelfMatchPrevented(_) | Event::RiskOverridden(_) => (),
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
            | Event::ShadowRulesSet(_)
            | Event::ShadowRulesRemoved(_)
            | Event::ShadowRulesPromoted(_)
            | Event::OverrideGranted(_)
            | Event::OverrideConsented(_)
            | Event::OverrideRevoked(_)
            | Event::OverrideExpired(_)
            | Event::OverrideRuleSet(_)
            | Event::LimitScheduled(_)
            | Event::LimitScheduleMoved(_)
            | Event::RiskImported(_)
            | Event::InFlightRuleSet(_)
            | Event::DeadManArmed(_)
            | Event::DeadManBeat(_)
            | Event::DeadManDisarmed(_)
            | Event::DeadManFired(_)
            | Event::PriceBandSet(_)
            | Event::PriceBandRemoved(_)
            | Event::ShortSaleTriggered(_)
            | Event::PriorCloseSet(_)
            | Event::TenantCreated(_) => self.version -= 1,
        }
    }

    /// A request has a name. Where it was done at once, it is not pending any more.
    fn named(&mut self, event: &RequestNamed) {
        let (names, cl_ord_id) = (self.extras.names.get_or_insert_default(), Some(event.cl_ord_id.clone()));
        if event.intent == IntentKind::Replace && self.pending != Pending::Replace {
            names.current = cl_ord_id;
        } else {
            names.asked = cl_ord_id;
        }
    }

    /// The request that was pending was refused: its name means nothing any more.
    fn unname(&mut self, refused: Pending) {
        if self.pending == refused {
            self.forget_asked();
        }
    }

    /// The name of an earlier request; that of a new one follows behind it.
    fn forget_asked(&mut self) {
        self.extras.clear_with(|extras| extras.names.iter_mut().for_each(|names| names.asked = None));
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
        let asked = self.extras.replacing.as_deref().map_or(self.extras.asked_qty, |asked| asked.order_qty);
        let asked_qty = if !self.is_leg() && asked < terms.order_qty { asked } else { Qty::ZERO };
        if self.extras.asked_qty != asked_qty {
            self.extras.asked_qty = asked_qty;
            self.extras.tidy();
        }
        self.order_qty = terms.order_qty;
        self.price = terms.price;
        if self.extras.stop_px != terms.stop_px {
            self.extras.stop_px = terms.stop_px;
            // A stop that was set anew follows the market from there.
            self.work(|work| work.stop_px = None);
            self.extras.tidy();
        }
        self.venue_revision = revision;
        if self.pending == Pending::Replace {
            self.extras.clear_with(|extras| {
                if let Some(names) = &mut extras.names {
                    names.current = names.asked.take().or(names.current.take());
                }
            });
        }
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
