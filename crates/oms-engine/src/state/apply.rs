//! Folding events. Refuses nothing; asserts what the decisions promise.

use super::works::Waits;
use super::{ANSWER_WITHIN_NS, CLOSE_AFTER_NS, Entry, LegPart, Part, RootPart, State, TimerKind};
use crate::input::fingerprint_head;
use oms_model::breaker::BreakerKind;
use oms_model::event::{Batch, Event, IdempotencyRecorded, Mark, OrderCreated, OrderSent, RiskChecked, ShadowRulesSet};
use oms_model::instrument::{Instrument, Venue};
use oms_model::shadow::RuleSet;
use oms_model::{Decimal, IntentKind, Mic, OrdState, Order, OrderId, QuoteReqState, QuoteState, Seq, Time};

impl State {
    /// Folds a stored batch.
    ///
    /// # Panics
    /// Where the batch is not the next one, or holds a step that no decision makes.
    pub fn fold(&mut self, batch: &Batch) {
        assert_eq!(batch.first_seq, self.next_seq(), "batches are folded without a gap");
        for (seq, event) in batch.numbered() {
            self.apply(seq, batch.time, event);
        }
    }

    pub(crate) fn apply(&mut self, seq: Seq, time: Time, event: &Event) {
        assert_eq!(seq, self.next_seq(), "events are folded without a gap");
        assert!(time >= self.time, "time never goes back");
        self.last_seq = seq;
        self.time = time;
        match event {
            Event::OrderCreated(e) => self.created(e, seq, time),
            Event::ExecutionRecorded(e) => self.executed(event, e, time),
            Event::ExecutionBusted(e) | Event::ExecutionWhacked(e) => self.reversed(event, e, time),
            Event::ExecutionCorrected(e) => self.corrected(event, e, time),
            Event::CommissionRecorded(e) => self.commissioned(e, time),
            Event::ExecutionUnmatched(e) => self.unmatched(e),
            Event::SuspenseResolved(e) => self.suspense_resolved(e),
            Event::FxRateSet(e) => self.fx_rate_set(e, time),
            Event::CostMethodSet(e) => self.cost_method = e.method,
            // Where it is not simply the last execution of its position, for whoever has not the executions.
            Event::PositionChanged(_) => (),
            Event::PositionFrozen(e) => {
                if let Some(mark) = e.mark {
                    self.risk.set_prior_close(e.instrument_id, mark);
                    self.marked(&[Mark { instrument_id: e.instrument_id, price: mark }]);
                }
            }
            Event::DayClosed(e) => self.day_closed(*e, time),
            Event::OrdersGrouped(e) => self.grouped(event, e, time),
            Event::OrdersUngrouped(e) => self.ungrouped(event, e, time),
            Event::AllocationBooked(e) => self.allocated(event, e, time),
            Event::AllocationProposed(e) => {
                self.proposed(e);
                self.on_order(e.allocation.group_order_id, event, time);
            }
            Event::AllocationApproved(e) => {
                self.proposal_decided(e.group_order_id);
                self.on_order(e.group_order_id, event, time);
            }
            Event::AllocationRejected(e) => {
                self.proposal_decided(e.group_order_id);
                self.on_order(e.group_order_id, event, time);
            }
            Event::BrokerConnected(e) => self.set_connected(e.venue, true),
            Event::BrokerDisconnected(e) => {
                self.set_connected(e.venue, false);
                self.risk.on_trouble(BreakerKind::Disconnect, e.venue, time);
            }
            Event::KillSwitchEngaged(e) => self.risk.engage(e.scope, time),
            Event::BreakerSet(e) => self.risk.set_breaker(e, time),
            Event::BreakerRemoved(e) => self.risk.remove_breaker(e.kind, e.scope),
            Event::BreakerMoved(e) => self.risk.move_breaker(e.kind, e.scope, e.state, time),
            Event::PriceBandSet(e) => self.risk.set_price_band(e),
            Event::PriceBandRemoved(e) => self.risk.remove_price_band(e.instrument_id),
            Event::ShortSaleTriggered(e) => self.risk.trigger_short_sale(e),
            Event::PriorCloseSet(e) => self.risk.set_prior_close(e.instrument_id, e.price),
            Event::InFlightRuleSet(e) => self.risk.set_in_flight_rule(e.rule),
            Event::DeadManArmed(e) => self.risk.arm_dead_man(e, time),
            Event::DeadManBeat(e) => self.risk.beat_dead_man(e),
            Event::DeadManDisarmed(e) => self.risk.disarm_dead_man(e.scope),
            Event::DeadManFired(e) => self.risk.fire_dead_man(e.scope, seq, time),
            Event::KillSwitchConfirmed(e) => self.risk.confirm_kill(e.scope),
            Event::KillSwitchReleased(e) => self.risk.release(e.scope),
            Event::TradingStateSet(e) if e.by_breaker => self.risk.set_state_by_breaker(e.scope, e.state),
            Event::TradingStateSet(e) => self.risk.set_trading_state(e.scope, e.state),
            Event::RiskLimitSet(e) => self.risk.set_limit(e),
            Event::RiskLimitRemoved(e) => self.risk.remove_limit(e.key()),
            Event::RestrictionSet(e) => self.risk.set_restriction(e),
            Event::RestrictionRemoved(e) => self.risk.remove_restriction(e.list, e.scope, e.subject),
            Event::LocateSet(e) => self.risk.set_locate(e),
            Event::ShortSaleStateSet(e) => self.risk.set_short_sale_state(e.instrument_id, e.restricted),
            Event::SelfMatchRuleSet(e) => self.risk.set_self_match(e.scope, e.policy),
            Event::StrategyEnvelopeSet(e) => self.risk.set_envelope(e),
            Event::ThrottleTripped(e) => self.risk.set_tripped(e.scope, true),
            Event::ThrottleReset(e) => self.risk.set_tripped(e.scope, false),
            Event::PositionsMarked(e) => self.marked(&e.marks),
            Event::RiskCurrencySet(e) => self.risk_currency = e.currency,
            Event::LimitRequired(e) => self.risk.require(e.limit_type, e.required),
            Event::ShadowRulesSet(e) => self.shadowed(e, time),
            Event::ShadowRulesRemoved(e) => drop(self.rule_sets.remove(&e.name)),
            Event::ShadowRulesPromoted(e) => drop(self.rule_sets.remove(&e.name)),
            Event::OverrideGranted(_)
            | Event::OverrideConsented(_)
            | Event::OverrideRevoked(_)
            | Event::OverrideExpired(_)
            | Event::RiskOverridden(_)
            | Event::OverrideRuleSet(_)
            | Event::LimitScheduled(_)
            | Event::LimitScheduleMoved(_)
            | Event::RiskImported(_) => self.leave_changed(event, time),
            Event::SorPolicySet(e) => drop(self.policies.insert(e.name.clone(), (**e).clone())),
            Event::VenueConfigured(e) => self.configured(e),
            Event::InstrumentListed(e) => self.listed(e),
            Event::QuoteRequested(e) => self.quote_requested(e, seq, time),
            Event::QuoteReceived(e) => self.quote_received(e, seq, time),
            Event::QuoteAccepted(e) => self.quote_accepted(e, seq, time),
            Event::QuoteExpired(e) => self.quote_ended(e, QuoteState::Expired, time),
            Event::QuoteWithdrawn(e) => self.quote_ended(e, QuoteState::Withdrawn, time),
            Event::QuoteReplaced(e) => self.quote_replaced(e, time),
            Event::QuoteRequestExpired(e) => self.quote_request_ended(e, QuoteReqState::Expired, seq, time),
            Event::QuoteRequestCanceled(e) => self.quote_request_ended(e, QuoteReqState::Canceled, seq, time),
            Event::NavSet(e) => {
                if let Some(fund) = self.instruments.get_mut(e.instrument_id.0 as usize) {
                    (fund.nav, fund.nav_at) = (Some(e.nav), Some(e.as_of));
                }
            }
            Event::AccountOpened(e) => {
                self.risk.set_capital(e.account_id, e.capital.and_then(Decimal::to_notional));
                self.accounts.insert(e.account_id, e.clone());
            }
            Event::ApiKeyCreated(e) => drop(self.api_keys.insert(e.sha256, (**e).clone())),
            Event::TenantCreated(e) => {
                self.tenant_id = e.tenant_id;
                self.slug.clone_from(&e.slug);
                self.id_salt = e.id_salt;
            }
            Event::IdempotencyRecorded(e) => self.answered(e, seq, time),
            Event::RiskChecked(e) => {
                self.on_order(e.order_id, event, time);
                self.checked(e, time);
            }
            Event::RequestNamed(e) => {
                self.orders.name(&e.cl_ord_id, e.order_id);
                self.on_order(e.order_id, event, time);
            }
            Event::OrderClosed(e) => self.closed(e.order_id),
            Event::RouteDecided(e) => {
                self.released.clone_from(&e.legs);
                self.on_order(e.order_id, event, time);
            }
            Event::OrderRejected(_)
            | Event::OrderSent(_)
            | Event::OrderStateSynced(_)
            | Event::OrderAccepted(_)
            | Event::OrderPartiallyFilled(_)
            | Event::OrderFilled(_)
            | Event::OrderFillAdjusted(_)
            | Event::OrderCancelRequested(_)
            | Event::OrderCanceled(_)
            | Event::CancelRejected(_)
            | Event::OrderReplaceRequested(_)
            | Event::OrderReplaced(_)
            | Event::ReplaceRejected(_)
            | Event::OrderExpired(_)
            | Event::OrderInDoubt(_)
            | Event::OrderOutcomeResolved(_)
            | Event::OrderSized(_)
            | Event::OrderAnomaly(_)
            | Event::CareAccepted(_)
            | Event::CarePassed(_)
            | Event::SagaStepped(_)
            | Event::StageStarted(_)
            | Event::StageEnded(_)
            | Event::OrderTriggered(_)
            | Event::StopMoved(_)
            | Event::SliceReleased(_)
            | Event::AlgoStepped(_)
            | Event::OrderArmed(_)
            | Event::PeerFilled(_)
            | Event::SelfMatchPrevented(_)
            | Event::OrderHeld(_)
            | Event::OrderReleased(_)
            | Event::RiskBreached(_) => {
                if let Some(order_id) = event.order_id() {
                    self.on_order(order_id, event, time);
                }
            }
        }
    }

    fn created(&mut self, event: &OrderCreated, seq: Seq, time: Time) {
        let order = Order::create(event, seq, time);
        self.numbered(event.number, time);
        match event.parent_order_id {
            Some(parent) => {
                if let Some(parent) = self.orders.get_mut(parent) {
                    parent.order.children.push(event.order_id);
                }
            }
            None => {
                self.open_roots += 1;
            }
        }
        // A leg's time in force is its venue's business.
        if let Some(at) = event.expire_at.filter(|_| !order.is_leg()) {
            self.set_timer(at, TimerKind::Expire, event.order_id);
        }
        self.work_began(&order);
        let mut entry = Entry::new(order);
        if let Part::Root(root) = &mut entry.part {
            let valuation = self.risk_valuation(event.instrument_id).0;
            root.change(|reserved| reserved.valuation = valuation);
        }
        self.orders.insert(entry);
    }

    /// Folds an event of one order and what follows from it for indexes, timers, exposure and statistics.
    pub(super) fn on_order(&mut self, order_id: OrderId, event: &Event, time: Time) {
        // Taken out for the moment, so that the rest of the state may change beside it.
        let Some(mut taken) = self.orders.take(order_id) else { return };
        let entry = &mut *taken.entry;
        let (was_unanswered, was_done, had_doubt) =
            (entry.is_unanswered(), entry.order.state.is_done(), entry.order.extras.doubt.is_some());
        let first_fill = entry.order.cum_qty.is_zero();
        let (stage, waited) = (stage_end(&entry.order), Waits::of(&entry.order));
        let held = entry.order.extras.hold.as_deref().map(|hold| hold.waits_for.clone());
        entry.order.apply(event, time);
        let resized =
            matches!(event, Event::OrderPartiallyFilled(_) | Event::OrderFilled(_) | Event::OrderFillAdjusted(_) | Event::OrderReplaced(_));
        if resized && entry.order.is_root() {
            self.index_overfill(order_id, entry.order.over_qty());
        }
        self.work_changed(&entry.order, waited);
        self.hold_changed(&entry.order, held);
        let root_id = entry.order.root_order_id;
        match &mut entry.part {
            Part::Root(root) => {
                if let Some(at) = root.close_at() {
                    // It may work again; whether it leaves is asked below.
                    self.clear_timer(at, TimerKind::Close, order_id);
                    root.set_close_at(None);
                }
                root.change(|reserved| self.risk.follow(&entry.order, reserved));
                match (was_done, entry.order.state.is_done()) {
                    (false, true) => self.open_roots -= 1,
                    (true, false) => self.open_roots += 1,
                    (true, true) | (false, false) => (),
                }
                self.node_changed(&entry.order, event, was_done, stage);
            }
            Part::Node => self.node_changed(&entry.order, event, was_done, stage),
            Part::Leg(leg) => {
                self.leg_changed(&entry.order, leg, event, time, first_fill);
                self.index_leg(&entry.order, leg, was_unanswered, had_doubt);
            }
        }
        self.orders.put_back(taken);
        self.arm_close(root_id, time);
        if self.has_lists() {
            self.arm_list(root_id, time);
        }
    }

    /// The other orders of its list leave the hot state no sooner.
    fn arm_list(&mut self, root_id: OrderId, time: Time) {
        let Some(list_id) = self.orders.get(root_id).and_then(|root| root.order.list_id()) else { return };
        for at in 0..self.list(list_id).len() {
            if let Some(&other) = self.list(list_id).get(at).filter(|id| **id != root_id) {
                self.arm_close(other, time);
            }
        }
    }

    /// Keeps the timers of an order's time in force and of its stage in line with it.
    fn node_changed(&mut self, order: &Order, event: &Event, was_done: bool, stage: Option<Time>) {
        if let Some(at) = order.expire_at.filter(|_| was_done && !order.state.is_done()) {
            // What was executed was taken back, so that it works again until its time in force ends.
            self.set_timer(at, TimerKind::Expire, order.order_id);
        }
        let now = stage_end(order);
        if stage != now {
            if let Some(at) = stage {
                self.clear_timer(at, TimerKind::Stage, order.order_id);
            }
            if let Some(at) = now {
                self.set_timer(at, TimerKind::Stage, order.order_id);
            }
        }
        let by_timer = matches!(event, Event::OrderCancelRequested(e) if e.by == oms_model::EndedBy::Timer);
        if let Some(at) = order.expire_at.filter(|_| order.state.is_done() || by_timer) {
            self.clear_timer(at, TimerKind::Expire, order.order_id);
        }
    }

    fn leg_changed(&mut self, order: &Order, leg: &mut LegPart, event: &Event, time: Time, first_fill: bool) {
        let venue = order.venue.unwrap_or_default();
        let aggressive = leg.aggressive;
        match event {
            Event::OrderSent(e) => {
                if e.intent == IntentKind::Cancel {
                    self.risk.on_kill_asked(time);
                }
                self.sent(order, leg, e, time);
            }
            Event::OrderAccepted(_) => {
                let latency = u64::try_from(time.since(leg.sent_at)).unwrap_or(0);
                // A resolved doubt says nothing about how fast the venue answers.
                if leg.request().is_none() && leg.answer_by.is_some() {
                    self.stats(venue, |stats| stats.acknowledged(latency));
                }
            }
            Event::OrderPartiallyFilled(_) | Event::OrderFilled(_) if first_fill => self.stats(venue, |stats| stats.filled(aggressive)),
            Event::OrderRejected(_) => {
                self.stats(venue, oms_router::VenueStats::rejected);
                self.risk.on_trouble(BreakerKind::RejectStorm, venue, time);
            }
            Event::CancelRejected(_) | Event::ReplaceRejected(_) => leg.set_request(None),
            // A cancel may be under way when a venue tells more of a replace that was known already.
            Event::OrderReplaced(_) => leg.set_request(leg.request().filter(|(intent, _)| *intent == IntentKind::Cancel)),
            _ => (),
        }
        if order.state.is_done() {
            // One that was wholly executed may work again; on which terms, what its venue did with a replace decides.
            leg.set_request(leg.request().filter(|(intent, _)| order.state == OrdState::Filled && *intent == IntentKind::Replace));
        }
    }

    fn sent(&mut self, order: &Order, leg: &mut LegPart, event: &OrderSent, time: Time) {
        leg.sent_at = time;
        let order_id = order.order_id;
        if let Some(at) = leg.answer_by {
            self.clear_timer(at, TimerKind::Answer, order_id);
        }
        let at = event.deadline.plus(ANSWER_WITHIN_NS);
        leg.answer_by = Some(at);
        self.set_timer(at, TimerKind::Answer, order_id);
        match event.intent {
            IntentKind::New => {
                leg.aggressive = self.released_aggressive(order);
                let aggressive = leg.aggressive;
                self.stats(event.venue, |stats| stats.submitted(aggressive));
            }
            IntentKind::Cancel | IntentKind::Replace => leg.set_request(Some((event.intent, event.revision))),
        }
    }

    /// Keeps the index of unanswered legs, their timers and the count of doubts in line with a leg.
    fn index_leg(&mut self, order: &Order, leg: &mut LegPart, was_unanswered: bool, had_doubt: bool) {
        let (order_id, venue) = (order.order_id, order.venue.unwrap_or_default());
        let unanswered = leg.is_unanswered(order);
        if unanswered != was_unanswered {
            if unanswered {
                self.unanswered.insert((venue, order_id));
            } else {
                self.unanswered.remove(&(venue, order_id));
            }
        }
        let in_doubt = order.extras.doubt.is_some();
        if in_doubt != had_doubt {
            if in_doubt {
                self.doubts.insert(order_id);
            } else {
                self.doubts.remove(&order_id);
            }
        }
        if let Some(at) = leg.answer_by.filter(|_| !unanswered || in_doubt) {
            self.clear_timer(at, TimerKind::Answer, order_id);
            leg.answer_by = None;
        }
        if in_doubt != had_doubt
            && let Some(venue) = self.venues.get_mut(&venue)
        {
            venue.in_doubt = if in_doubt { venue.in_doubt + 1 } else { venue.in_doubt.saturating_sub(1) };
        }
    }

    /// A tree leaves the hot state some time after nothing of it works any more.
    pub(super) fn arm_close(&mut self, root_id: OrderId, time: Time) {
        let Some(root) = self.orders.get(root_id) else { return };
        // A group, and what belongs to one, stays until it is dissolved; a list until none of it works.
        let grouped = root.order.group_order_id().is_some() || self.group(root_id).is_some();
        let works = grouped || !root.order.state.is_done() || self.works_below(&root.order) || self.list_works(&root.order);
        let (before, at) = (root.root().and_then(RootPart::close_at), (!works).then(|| time.plus(CLOSE_AFTER_NS)));
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.clear_timer(before, TimerKind::Close, root_id);
        }
        if let Some(at) = at {
            self.set_timer(at, TimerKind::Close, root_id);
        }
        if let Some(Part::Root(root)) = self.orders.get_mut(root_id).map(|entry| &mut entry.part) {
            root.set_close_at(at);
        }
    }

    fn checked(&mut self, event: &RiskChecked, time: Time) {
        if let Some(Entry { order, part: Part::Root(root) }) = self.orders.get_mut(event.order_id) {
            root.change(|reserved| self.risk.on_checked(order, event.worst_price, time, reserved));
        }
    }

    fn shadowed(&mut self, e: &ShadowRulesSet, time: Time) {
        let set = RuleSet { name: e.name.clone(), user_id: e.user_id, since: time, rules: e.rules.clone() };
        self.rule_sets.insert(e.name.clone(), set);
    }

    fn closed(&mut self, order_id: OrderId) {
        let Some(entry) = self.orders.retire(order_id) else { return };
        self.work_closed(&entry.order);
        assert!(!entry.is_working() && entry.reserved().is_empty(), "only an order of which nothing works is closed");
        assert!(entry.order.state == OrdState::Filled || entry.order.state.is_done(), "only a done order is closed");
        self.overfilled.remove(&order_id);
        self.groups.remove(&order_id);
        if let Some(at) = entry.root().and_then(RootPart::close_at) {
            self.clear_timer(at, TimerKind::Close, order_id);
        }
    }

    fn answered(&mut self, event: &IdempotencyRecorded, seq: Seq, time: Time) {
        self.answers.record(time, event.key, fingerprint_head(&event.fingerprint), seq);
    }

    fn set_connected(&mut self, venue: Mic, connected: bool) {
        if let Some(entry) = self.venues.get_mut(&venue) {
            entry.connected = connected;
        }
    }

    fn configured(&mut self, venue: &Venue) {
        self.venues.entry(venue.venue).or_default().venue.clone_from(venue);
    }

    fn listed(&mut self, instrument: &Instrument) {
        let at = instrument.instrument_id.0 as usize;
        self.risk.set_class(instrument.instrument_id, instrument.asset_class);
        self.symbols.insert(instrument.symbol.clone(), instrument.instrument_id);
        match self.instruments.get_mut(at) {
            Some(known) => known.clone_from(instrument),
            None => {
                assert_eq!(at, self.instruments.len(), "instrument ids have no gap");
                self.instruments.push(instrument.clone());
            }
        }
    }

    fn stats(&mut self, venue: Mic, f: impl FnOnce(&mut oms_router::VenueStats)) {
        if let Some(entry) = self.venues.get_mut(&venue) {
            f(&mut entry.stats);
        }
    }

    /// Whether the plan that released a leg priced it to trade at once.
    fn released_aggressive(&self, leg: &Order) -> bool {
        self.released.iter().find(|released| released.order_id == leg.order_id).is_some_and(|released| released.aggressive)
    }
}

/// When the stage that an order is in ends.
pub(super) fn stage_end(order: &Order) -> Option<Time> {
    order.extras.stage.as_deref().map(|stage| stage.until)
}
