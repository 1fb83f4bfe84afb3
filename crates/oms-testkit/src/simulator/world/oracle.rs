//! What must be so after every decision, held against the venues' own truth.

use super::World;
use crate::hold;
use crate::simulator::coverage::Mark;
use oms_engine::State;
use oms_model::breaker::BreakerState;
use oms_model::event::{Batch, Event, OrderAnomaly, OrderFillAdjusted};
use oms_model::limit::{Check, LimitType, Scope};
use oms_model::report::VenueFill;
use oms_model::work::AlgoAction;
use oms_model::{
    Anomaly, EndedBy, ExecId, Mic, OrdState, Order, OrderId, OrderKind, Outcome, Pending, Qty, SagaPhase, TimeInForce, WireId,
};
use oms_runtime::port::VenueState;
use std::collections::BTreeSet;

impl World {
    /// A batch was decided.
    pub(super) fn decided(&mut self, batch: &Batch) {
        let mut roots = BTreeSet::new();
        self.quotes.decided(batch);
        self.gate.decided(batch);
        self.works.decided(batch);
        self.hold_fired(batch);
        for event in &batch.events {
            self.count(event);
            let root = event.order_id().and_then(|id| self.root_of(id));
            if let (Event::OrderAnomaly(e), Some(root)) = (event, root)
                && (matches!(e.anomaly, Anomaly::FillAfterEnd | Anomaly::Overfill) || self.is_larger_at_venue(e))
            {
                self.disturbed.insert(root);
            }
            if let (Event::OrderFillAdjusted(e), Some(root)) = (event, root)
                && root == e.order_id
                && self.was_whole(e)
            {
                self.reopened.insert(root);
            }
            roots.extend(root);
        }
        for event in &batch.events {
            self.hold_true(event);
        }
        let Some(node) = self.node.as_ref() else { return };
        let state = node.engine.state();
        for root in roots {
            if let Some(order) = state.order(root) {
                hold_tree(state, order, self.disturbed.contains(&root));
            }
        }
        self.hold_rest(state, batch);
        hold_exposure(state);
        hold_limits(state, batch);
        hold_confirmed(state, batch);
        hold_gross(state, batch, self.gross);
        self.gate.hold_in(state);
        self.gross = state.risk().gross_exposure(Scope::Tenant).raw();
    }

    fn root_of(&self, id: OrderId) -> Option<OrderId> {
        self.node.as_ref().and_then(|node| node.engine.state().order(id)).map(|order| order.root_order_id)
    }

    fn is_of_closed_day(&self, venue: Mic, exec_id: &ExecId) -> bool {
        let books = &self.orders.books;
        books.standing(venue, exec_id).is_some_and(|booked| !books.is_open(booked))
    }

    fn count(&mut self, event: &Event) {
        let state = self.node.as_ref().map(|node| node.engine.state());
        let leg = event.order_id().and_then(|id| state.and_then(|state| state.order(id))).filter(|order| !order.is_root());
        let level = |id: OrderId| core::iter::successors(Some(id), |id| state?.order(*id)?.parent_order_id).count();
        let mark = match event {
            Event::RiskBreached(e) if e.cancels => Mark::RestCanceled,
            Event::RiskBreached(_) => Mark::BreachRecorded,
            Event::DeadManFired(_) => Mark::DeadManFired,
            Event::DeadManBeat(e) if e.by.is_none() => Mark::DeadManGranted,
            Event::DeadManBeat(_) => Mark::Heartbeat,
            Event::BreakerMoved(e) => match e.state {
                BreakerState::Open => Mark::BreakerTripped,
                BreakerState::HalfOpen => Mark::BreakerProbes,
                BreakerState::Closed => Mark::BreakerClosed,
            },
            Event::RouteDecided(e) if e.attempt > 1 => Mark::Replanned,
            Event::RouteDecided(e) if e.legs.len() > 1 => Mark::Legs,
            Event::RouteDecided(_) => Mark::Accepted,
            Event::OrderRejected(e) if e.by == EndedBy::Risk => Mark::Refused,
            Event::OrderInDoubt(_) => Mark::InDoubt,
            Event::RiskOverridden(_) => Mark::Overridden,
            Event::OverrideExpired(_) => Mark::OverrideExpired,
            Event::LimitScheduleMoved(e) if e.state == oms_model::schedule::ScheduleState::Ended && e.version == 0 => Mark::LimitBack,
            Event::OrderOutcomeResolved(e) => match e.outcome {
                Outcome::Live | Outcome::Filled => Mark::FoundLive,
                Outcome::Canceled => Mark::FoundCanceled,
                Outcome::Rejected => Mark::FoundRejected,
                Outcome::NotSent => Mark::FoundNotSent,
                Outcome::Expired => Mark::FoundExpired,
            },
            Event::OrderAnomaly(e) => match e.anomaly {
                Anomaly::FillAfterEnd => Mark::FillAfterEnd,
                Anomaly::Overfill => Mark::Overfill,
                Anomaly::UnsolicitedEnd => Mark::Unasked,
                Anomaly::ContingencyRace => Mark::Race,
                Anomaly::NotSentAppeared | Anomaly::NotPutBack | Anomaly::UnexpectedReport | Anomaly::UnknownExecution => return,
            },
            Event::ExecutionUnmatched(e) if e.is_charge() => Mark::ChargeUnmatched,
            Event::ExecutionUnmatched(_) => Mark::Suspense,
            Event::QuoteAccepted(_) => Mark::QuoteAccepted,
            Event::QuoteExpired(_) => Mark::QuoteExpired,
            Event::QuoteWithdrawn(_) => Mark::QuoteWithdrawn,
            Event::QuoteReplaced(_) => Mark::QuoteReplaced,
            Event::QuoteRequestExpired(_) => Mark::QuoteRequestExpired,
            Event::QuoteRequestCanceled(_) => Mark::QuoteRequestCanceled,
            Event::CarePassed(_) => Mark::Claimed,
            Event::OrderCreated(e) if e.venue.is_some() && level(e.order_id) >= 4 => Mark::Deep,
            Event::OrderCreated(e) if e.kind == Some(OrderKind::Child) => Mark::Split,
            Event::ExecutionBusted(e) if e.last_qty.is_zero() => Mark::BustOfNothing,
            Event::ExecutionBusted(e) if self.is_of_closed_day(e.venue, &e.exec_id) => Mark::ClosedDayChanged,
            Event::ExecutionCorrected(e) if self.is_of_closed_day(e.venue, &e.exec_id) => Mark::ClosedDayChanged,
            Event::ExecutionBusted(_) => Mark::Busted,
            Event::ExecutionWhacked(_) => Mark::Whacked,
            Event::ExecutionCorrected(_) => Mark::Corrected,
            Event::CommissionRecorded(_) => Mark::Commission,
            Event::ExecutionRecorded(e) if e.manual => Mark::BookedByHand,
            Event::SuspenseResolved(e) if e.account_id.is_some() => Mark::OutOfSuspense,
            Event::SuspenseResolved(_) => Mark::Dismissed,
            Event::FxRateSet(_) => Mark::Rate,
            Event::PositionChanged(_) => Mark::Reworked,
            Event::DayClosed(_) => Mark::DayClosed,
            Event::OrdersGrouped(_) => Mark::Grouped,
            Event::OrdersUngrouped(_) => Mark::Ungrouped,
            Event::AllocationBooked(e) if self.orders.groups.shared(e.group_order_id) > e.qty.raw() => Mark::SharedBack,
            Event::AllocationBooked(_) => Mark::SharedOut,
            Event::AllocationProposed(_) => Mark::Proposed,
            Event::AllocationApproved(_) => Mark::Approved,
            Event::AllocationRejected(_) => Mark::TurnedDown,
            Event::OrderFillAdjusted(e) if self.was_whole(e) => Mark::Reopened,
            Event::SagaStepped(e) if e.phase == SagaPhase::Back => Mark::SagaBack,
            Event::StageEnded(_) => Mark::StageEnded,
            Event::OrderTriggered(_) => Mark::Triggered,
            Event::StopMoved(_) => Mark::StopFollowed,
            Event::SliceReleased(e) if e.leftover => Mark::LeftoverCrossed,
            Event::SliceReleased(_) => Mark::SliceReleased,
            Event::AlgoStepped(e) => match e.action {
                AlgoAction::Reprice => Mark::Repriced,
                AlgoAction::Cancel => Mark::LeftoverCanceled,
                AlgoAction::Suspend => Mark::Suspended,
                AlgoAction::Resume => Mark::Resumed,
                AlgoAction::Wait | AlgoAction::Release | AlgoAction::Recall => return,
            },
            Event::OrderArmed(_) => Mark::Armed,
            Event::PeerFilled(_) => Mark::Taken,
            Event::OrderCancelRequested(e) if e.by == EndedBy::Contingency => Mark::CanceledForList,
            Event::OrderReplaced(_) if leg.is_some() => Mark::Replaced,
            Event::ReplaceRejected(_) => Mark::ReplaceRejected,
            Event::CancelRejected(_) => Mark::CancelRejected,
            Event::OrderExpired(_) => Mark::Expired,
            Event::OrderClosed(_) => Mark::Closed,
            Event::OrderPartiallyFilled(_) | Event::OrderFilled(_) if leg.is_some_and(|leg| leg.broker_order_id.is_none()) => {
                Mark::FillBeforeAck
            }
            _ => return,
        };
        self.coverage.mark(mark);
    }

    /// Whether an order was wholly executed before this change, and is no more.
    fn was_whole(&self, e: &OrderFillAdjusted) -> bool {
        let order = self.node.as_ref().and_then(|node| node.engine.state().order(e.order_id));
        let was = order.is_some_and(|order| order.cum_qty.saturating_sub(e.qty) >= order.order_qty);
        e.qty.is_negative() && !e.state.is_done() && was
    }

    /// What works again because an execution was taken back does so only where it would be let in: not under a kill
    /// switch, and not for a day that was closed.
    pub(super) fn hold_reopened(&mut self) {
        let Some(node) = self.node.as_ref() else { return };
        let state = node.engine.state();
        let killed: Vec<Scope> = state.risk().kill_switches().into_iter().map(|(scope, _)| scope).collect();
        let (closed_day, closed_at) = state.last_close();
        for id in std::mem::take(&mut self.reopened) {
            let Some(order) = state.order(id).filter(|order| !order.state.is_done() && order.pending != Pending::Cancel) else { continue };
            let covers = |scope: &Scope| match scope {
                Scope::Tenant => true,
                Scope::Account(account) => *account == order.account_id,
                Scope::User(user) => *user == order.user_id,
                Scope::Instrument(instrument) => *instrument == order.instrument_id,
                Scope::AssetClass(class) => *class == oms_model::AssetClass::Equity,
                Scope::Venue(_) | Scope::Strategy(_) => false,
            };
            let kill = killed.iter().find(|scope| covers(scope));
            hold!(28, kill.is_none(), "order {id} works again although {kill:?} is killed");
            let over = closed_day > 0 && order.time_in_force == TimeInForce::Day && order.created_at <= closed_at;
            hold!(9, !over, "order {id} works again although its day {closed_day} was closed");
        }
    }

    /// Whether a leg works at its venue for more than its order is for: the venue took a replace that was over.
    fn is_larger_at_venue(&self, e: &OrderAnomaly) -> bool {
        let leg = self.node.as_ref().and_then(|node| node.engine.state().order(e.order_id));
        e.anomaly == Anomaly::NotPutBack && leg.is_some_and(Order::is_leg)
    }

    /// What an event says of a venue is so at the venue. The venue's truth is always the older one.
    fn hold_true(&self, event: &Event) {
        let Some(node) = self.node.as_ref() else { return };
        let Some(leg) = event.order_id().and_then(|id| node.engine.state().order(id)).filter(|order| !order.is_root()) else { return };
        let Some(venue) = leg.venue.and_then(|mic| self.venues.get(&mic)) else { return };
        let first = WireId::derive(leg.order_id, 0);
        let held = venue.held(&first);
        let (id, there) = (leg.order_id, held.map(|held| held.state));
        match event {
            Event::OrderRejected(e) if e.by == EndedBy::NotSent => {
                hold!(4, held.is_none() && !venue.expects(&first), "leg {id} is resolved as not sent and is at {}", venue.mic);
            }
            Event::OrderRejected(e) if e.by == EndedBy::Venue => {
                hold!(5, there == Some(VenueState::Rejected), "leg {id} is rejected and {} has it as {there:?}", venue.mic);
            }
            Event::OrderCanceled(_) | Event::OrderExpired(_) => {
                let ended = held.is_some_and(|held| !held.is_live());
                hold!(5, ended, "leg {id} is {} and {} has it as {there:?}", leg.state, venue.mic);
            }
            Event::ExecutionRecorded(e) => {
                let real = held.is_some_and(|held| held.ever.iter().any(|fill| is_same(fill, &e.exec_id, e.last_qty)));
                hold!(21, real || e.manual, "execution {} of leg {id} is not one of {}", e.exec_id, venue.mic);
            }
            _ => (),
        }
    }
}

fn is_same(fill: &VenueFill, exec_id: &ExecId, qty: Qty) -> bool {
    fill.exec_id == *exec_id && fill.last_qty == qty
}

/// The larger of the quantity that stands and the one that is asked for, less what was executed.
fn worst(order: &Order) -> Qty {
    let asked = order.extras.replacing.as_deref().map_or(order.order_qty, |terms| terms.order_qty.max(order.order_qty));
    asked.saturating_sub(order.cum_qty).max(Qty::ZERO)
}

/// A node and everything below it.
fn hold_tree(state: &State, node: &Order, disturbed: bool) {
    let id = node.order_id;
    let (mut cum, mut working) = (node.direct_qty(), Qty::ZERO);
    for part in state.children(node) {
        if part.order.is_leg() {
            hold_order(&part.order, disturbed);
        } else {
            hold_tree(state, &part.order, disturbed);
        }
        cum = cum.saturating_add(part.order.cum_qty);
        if part.order.extras.doubt.is_some() || !part.order.state.is_done() {
            working = working.saturating_add(worst(&part.order));
        }
    }
    hold_order(node, disturbed);
    hold!(13, cum == node.cum_qty, "order {id} has {} executed and its parts {cum}", node.cum_qty);
    let (most, asked) = (cum.saturating_add(working), node.cum_qty.saturating_add(worst(node)));
    hold!(13, disturbed || node.state.is_done() || most <= asked, "order {id} over {asked} has {most} with its parts");
    let Some(entry) = state.entry(id).filter(|_| node.is_root()) else { return };
    let open = if node.state.is_done() { Qty::ZERO } else { worst(node) };
    let wanted = if entry.reserved().is_accepted() { open } else { Qty::ZERO };
    let reserved = entry.reserved().qty;
    hold!(23, reserved == wanted, "order {id} ({}) reserves {reserved} and exposes {wanted}", node.state);
}

fn hold_order(order: &Order, disturbed: bool) {
    let id = order.order_id;
    hold!(10, !order.cum_qty.is_negative() && !order.place_qty.is_negative(), "order {id} is below zero");
    let over = order.cum_qty > order.order_qty;
    hold!(10, disturbed || !over, "order {id} over {} has {} executed and no alarm", order.order_qty, order.cum_qty);
    let leaves = if order.state.is_done() { Qty::ZERO } else { order.order_qty.saturating_sub(order.cum_qty) };
    hold!(11, disturbed || order.leaves_qty() == leaves, "order {id} leaves {} and not {leaves}", order.leaves_qty());
    hold!(9, order.state != OrdState::Closed, "order {id} is closed and still there");
}

fn hold_exposure(state: &State) {
    let (mut count, mut sum) = (0, 0_i128);
    for entry in state.orders_sorted() {
        if entry.order.is_root() && !entry.reserved().is_empty() {
            count += 1;
            sum += entry.reserved().notional().raw();
        }
    }
    let (open, notional) = state.risk().open(Scope::Tenant);
    hold!(23, (open, notional.raw()) == (count, sum), "{open} orders over {notional} are reserved, the orders say {count} over {sum}");
}

/// A kill switch is confirmed only once nothing of its scope works any more, nor may without our knowing.
fn hold_confirmed(state: &State, batch: &Batch) {
    for event in &batch.events {
        let Event::KillSwitchConfirmed(e) = event else { continue };
        let left = state.orders_sorted().into_iter().find(|entry| entry.is_working() && state.is_in(&entry.order, e.scope));
        hold!(28, left.is_none(), "the kill switch of {} is confirmed and {:?} works", e.scope, left.map(|entry| entry.order.order_id));
    }
}

/// Whether an order of the batch failed a check by a person's leave.
fn is_overridden(batch: &Batch, check: Check) -> bool {
    batch.events.iter().any(|event| matches!(event, Event::RiskOverridden(e) if e.check == check))
}

/// No new order took the gross exposure beyond the limit in force.
fn hold_gross(state: &State, batch: &Batch, before: i128) {
    let Some(limit) = state.risk().limit(LimitType::MaxGrossExposure, Scope::Tenant) else { return };
    let accepted = |event: &Event| matches!(event, Event::RiskChecked(e) if e.worst_price.is_some());
    let moved = |event: &Event| matches!(event, Event::ExecutionRecorded(_) | Event::PositionsMarked(_) | Event::RiskLimitSet(_));
    if !batch.events.iter().any(accepted) || batch.events.iter().any(moved) || is_overridden(batch, Check::GrossExposure) {
        return;
    }
    let after = state.risk().gross_exposure(Scope::Tenant).raw();
    let most = limit.value.to_notional().unwrap_or(oms_model::Notional::MAX).raw();
    hold!(24, after <= most || after <= before, "the gross exposure goes from {before} to {after}, at most {most} may be");
}

/// No order was accepted beyond the limit in force.
fn hold_limits(state: &State, batch: &Batch) {
    let accepted = batch.events.iter().any(|event| {
        let Event::OrderCreated(e) = event else { return false };
        state.entry(e.order_id).is_some_and(|entry| entry.order.kind() == OrderKind::Client && entry.reserved().is_accepted())
    });
    let Some(limit) = state.risk().limit(LimitType::MaxOpenOrders, Scope::Tenant).filter(|_| accepted) else { return };
    if is_overridden(batch, Check::OpenOrders) {
        return;
    }
    let most = u64::try_from(limit.value.raw() / 1_000_000_000).unwrap_or(0);
    let (open, _) = state.risk().open(Scope::Tenant);
    hold!(24, open <= most, "{open} orders are open, at most {most} may be");
}
