//! What a reversal or a correction changes: the books, then the order that had been executed, then every order above it.

use crate::decide::{cancel, day, parent, report, route, tree};
use crate::step::Step;
use oms_model::event::{Event, ExecutionCorrected, ExecutionReversed, OrderEnded, OrderFillAdjusted};
use oms_model::limit::Scope;
use oms_model::policy::Exhausted;
use oms_model::position::Booking;
use oms_model::{AccountId, Anomaly, EndedBy, ExecId, InstrumentId, Notional, OrderId, Outcome, Pending, Qty, Reversal, Side, TimeInForce};

/// An execution with whose it is.
pub(super) struct Booked {
    pub(super) account_id: AccountId,
    pub(super) instrument_id: InstrumentId,
    pub(super) booking: Booking,
}

impl Booked {
    fn side(&self, step: &Step<'_>) -> Side {
        let plain = if self.booking.is_buy { Side::Buy } else { Side::Sell };
        step.state().order(self.booking.order_id).map_or(plain, |order| order.side)
    }

    fn root(&self, step: &Step<'_>) -> OrderId {
        let order_id = self.booking.order_id;
        step.state().order(order_id).map_or(order_id, |order| order.root_order_id)
    }

    fn value(&self) -> Notional {
        self.booking.price.notional(self.booking.qty).unwrap_or(Notional::MAX)
    }
}

/// Takes an execution back everywhere it counted.
pub(super) fn reverse(step: &mut Step<'_>, booked: &Booked, reversal: Reversal, reference: Option<ExecId>, reason: String) {
    let booking = &booked.booking;
    let reversed = Box::new(ExecutionReversed {
        exec_id: booking.exec_id.clone(),
        venue: booking.venue,
        order_id: booking.order_id,
        root_order_id: booked.root(step),
        account_id: booked.account_id,
        instrument_id: booked.instrument_id,
        side: booked.side(step),
        last_qty: booking.qty,
        last_px: booking.price,
        fee: booking.fee,
        transact_time: booking.transact_time,
        reference,
        reason,
    });
    step.emit(match reversal {
        Reversal::Bust => Event::ExecutionBusted(reversed),
        Reversal::Whack => Event::ExecutionWhacked(reversed),
    });
    adjust_tree(step, booking.order_id, &booking.exec_id, booking.qty.negated(), booked.value().negated());
}

/// Puts corrected figures in the place of those that an execution has.
pub(super) fn correct(step: &mut Step<'_>, booked: &Booked, corrected: &Booking, reference: Option<ExecId>, reason: String) {
    let booking = &booked.booking;
    let value = corrected.price.notional(corrected.qty).unwrap_or(Notional::MAX);
    step.emit(Event::ExecutionCorrected(Box::new(ExecutionCorrected {
        exec_id: booking.exec_id.clone(),
        venue: booking.venue,
        order_id: booking.order_id,
        root_order_id: booked.root(step),
        account_id: booked.account_id,
        instrument_id: booked.instrument_id,
        side: booked.side(step),
        last_qty: corrected.qty,
        last_px: corrected.price,
        fee: corrected.fee,
        transact_time: booking.transact_time,
        old_qty: booking.qty,
        old_px: booking.price,
        reference,
        reason,
    })));
    let qty = corrected.qty.saturating_sub(booking.qty);
    adjust_tree(step, booking.order_id, &booking.exec_id, qty, value.saturating_sub(booked.value()));
}

/// Changes what was executed of an order and of every one above it; then what follows for those that work again.
fn adjust_tree(step: &mut Step<'_>, order_id: OrderId, exec_id: &ExecId, qty: Qty, notional: Notional) {
    if qty.is_zero() && notional.is_zero() {
        return;
    }
    let chain = chain(step, order_id);
    let is_open = |step: &Step<'_>, id: &OrderId| step.state().order(*id).is_some_and(|order| !order.state.is_done());
    let open: Vec<OrderId> = chain.iter().copied().filter(|id| is_open(step, id)).collect();
    for id in &chain {
        adjust(step, *id, exec_id, qty, notional, false);
        if !open.contains(id) && is_open(step, id) {
            // It ended before its venue had answered what was asked of it, if anything was.
            report::doubt_request(step, *id, "an execution was taken back before the venue had answered");
        }
    }
    let whole: Vec<OrderId> = open.iter().copied().filter(|id| !is_open(step, id)).collect();
    if let Some(highest) = whole.last() {
        // A correction made it whole: what still works below could only overfill it.
        cancel::recall(step, *highest);
    }
    for id in whole {
        report::settle_any_doubt(step, id, Outcome::Filled, "wholly executed by the venue");
        parent::part_ended(step, id);
    }
    for id in &chain {
        if !open.contains(id) && is_open(step, id) && is_unwanted(step, *id) {
            // It works again, and nobody wants it to.
            cancel::cancel_tree(step, *id, EndedBy::Router);
        } else {
            after(step, *id);
        }
    }
}

/// An order and those above it, from the bottom up. None of them where it left the hot state.
fn chain(step: &Step<'_>, order_id: OrderId) -> Vec<OrderId> {
    let mut chain = Vec::new();
    let mut next = step.state().order(order_id);
    while let Some(order) = next {
        chain.push(order.order_id);
        next = order.parent_order_id.and_then(|parent| step.state().order(parent));
    }
    chain
}

/// Changes what was executed of one order. `direct`: of the order itself, not of its parts.
pub(crate) fn adjust(step: &mut Step<'_>, order_id: OrderId, exec_id: &ExecId, qty: Qty, notional: Notional, direct: bool) {
    let Some(order) = step.state().order(order_id) else { return };
    let cum = order.cum_qty.saturating_add(qty);
    let (before, state, over) = (order.state, order.state_with(cum), cum > order.order_qty && qty.is_positive());
    step.emit(Event::OrderFillAdjusted(Box::new(OrderFillAdjusted { order_id, exec_id: exec_id.clone(), state, qty, notional, direct })));
    if over {
        report::anomaly(step, order_id, Anomaly::Overfill, format!("{exec_id} takes cum_qty to {cum}"));
    } else if before.is_done() && qty.is_positive() && !direct {
        // What it gave back when it ended may have been placed again since.
        report::anomaly(step, order_id, Anomaly::FillAfterEnd, format!("{exec_id} is corrected to more after the order was {before}"));
    }
}

/// Whether an order that works again would be let in no more: a kill switch covers it, its day was closed, it stands for
/// a group that was dissolved or has a member to which one of these applies, or what it is a part of is on its way out.
pub(crate) fn is_unwanted(step: &Step<'_>, order_id: OrderId) -> bool {
    let state = step.state();
    let Some(order) = state.order(order_id).filter(|order| !order.is_leg() && order.pending != Pending::Cancel) else { return false };
    if let Some(parent) = order.parent_order_id {
        return state.order(parent).is_some_and(|parent| parent.state.is_done() || parent.pending == Pending::Cancel);
    }
    let class = state.instrument(order.instrument_id).map_or(oms_model::AssetClass::default(), |instrument| instrument.asset_class);
    let scopes = [
        Some(Scope::Tenant),
        Some(Scope::Account(order.account_id)),
        Some(Scope::User(order.user_id)),
        Some(Scope::Instrument(order.instrument_id)),
        Some(Scope::AssetClass(class)),
        order.strategy().map(Scope::Strategy),
    ];
    let killed = scopes.into_iter().flatten().any(|scope| state.risk().is_killed(scope));
    let Some(group) = state.group_ever(order_id) else { return killed || day::is_over(step, order) };
    // A group works only as long as every member may; one that is to end takes the group with it.
    let is_ending = |id: OrderId| state.order(id).is_some_and(|order| order.pending == Pending::Cancel && !order.state.is_done());
    let stops = |id: OrderId| is_ending(id) || is_unwanted(step, id);
    killed || day::is_over(step, order) || group.dissolved || group.members.iter().any(|member| stops(member.order_id))
}

/// What an order does about having more or less executed than it was thought.
fn after(step: &mut Step<'_>, order_id: OrderId) {
    let Some(order) = step.state().order(order_id).cloned() else { return };
    if !order.state.is_done() && order.pending != Pending::Cancel && !tree::is_wanted(step, &order) {
        // It works again, and nobody wants it to.
        return match order.venue {
            Some(_) => cancel::cancel_leg(step, order_id, EndedBy::Router),
            None => cancel::cancel_tree(step, order_id, EndedBy::Router),
        };
    }
    if order.venue.is_none() && !order.state.is_done() {
        parent::sync_placed(step, &order);
        parent::make_smaller(step, order_id);
        place_again(step, order_id);
    }
}

/// Places what came back, where the order may still wait for it.
fn place_again(step: &mut Step<'_>, order_id: OrderId) {
    let Some(order) = step.state().order(order_id).cloned() else { return };
    let rest = order.order_qty.saturating_sub(order.place_qty);
    // An order that was never routed is worked by a person, who sees that there is something left.
    if order.pending != Pending::None || !rest.is_positive() || order.attempts == 0 || order.is_worked() || order.group_order_id().is_some()
    {
        return;
    }
    let working = step.state().works_below(&order);
    let at_once = matches!(order.time_in_force, TimeInForce::Ioc | TimeInForce::Fok);
    let expired = order.expire_at.is_some_and(|at| at <= step.now());
    let may_wait = !at_once && !expired && tree::is_wanted(step, &order) && tree::blocked(step, &order).is_ok();
    if may_wait && route::release_legs(step, &order, rest, Some("an execution was taken back".into())) {
        return;
    }
    let (_, exhausted) = route::replan_bounds(step.state(), &order);
    if !working && (!may_wait || exhausted == Exhausted::Reject) {
        let text = format!("{rest} came back by the reversal of an execution and found no other place");
        step.emit(Event::OrderCanceled(OrderEnded { order_id, by: EndedBy::Router, text }));
        parent::part_ended(step, order_id);
    }
}
