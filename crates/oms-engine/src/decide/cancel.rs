//! A cancel: down the tree, to every part that still works.

use super::{changeable_by, day, parent, refused, route, tree};
use crate::state::{Entry, State};
use crate::step::Step;
use oms_model::command::{Actor, CommandOutcome, OrderRef};
use oms_model::event::{Event, OrderCancelRequested, OrderEnded};
use oms_model::limit::Scope;
use oms_model::{Code, EndedBy, IntentKind, Order, OrderId, Pending, Refusal, Time};

/// The most orders that one mass cancel takes; a larger set needs a narrower scope or a kill switch.
const MAX_MASS_CANCEL: usize = 10_000;

pub(crate) fn cancel(step: &mut Step<'_>, actor: &Actor, order: &OrderRef, if_version: Option<u32>) -> CommandOutcome {
    let order = match changeable_by(step, actor, order, if_version) {
        Ok(order) => order,
        Err(refusal) => return refused(refusal),
    };
    if order.pending == Pending::Replace {
        return refused(Refusal::new(Code::StateConflict, "a replace is pending; cancel once the venue has answered it"));
    }
    if order.pending != Pending::Cancel {
        cancel_tree(step, order.order_id, EndedBy::Client);
    }
    let version = step.state().order(order.order_id).map_or(order.version, |order| order.version);
    CommandOutcome::Pending { orders: vec![(order.order_id, version)] }
}

pub(crate) fn mass_cancel(step: &mut Step<'_>, scope: Scope) -> CommandOutcome {
    let found = working_in(step, scope, MAX_MASS_CANCEL + 1);
    cancel_all(step, found)
}

/// Those of `orders` that are a client's and still work.
pub(crate) fn cancel_orders(step: &mut Step<'_>, mut orders: Vec<OrderId>) -> CommandOutcome {
    orders.sort_unstable();
    orders.dedup();
    orders.retain(|id| step.state().order(*id).is_some_and(is_free));
    cancel_all(step, orders)
}

fn is_free(order: &Order) -> bool {
    order.is_root() && !order.state.is_done() && order.pending != Pending::Cancel
}

fn cancel_all(step: &mut Step<'_>, found: Vec<OrderId>) -> CommandOutcome {
    if found.len() > MAX_MASS_CANCEL {
        let text = format!("more than {MAX_MASS_CANCEL} orders work in this scope; narrow it or engage its kill switch");
        return refused(Refusal::new(Code::ValidationError, text));
    }
    if found.is_empty() {
        // A stored answer without orders reads as done, so that is what is answered at once too.
        return CommandOutcome::Done;
    }
    let mut orders = Vec::with_capacity(found.len());
    for order_id in found {
        cancel_tree(step, order_id, EndedBy::Client);
        let version = step.state().order(order_id).map_or(0, |order| order.version);
        orders.push((order_id, version));
    }
    CommandOutcome::Pending { orders }
}

/// Client orders in `scope` that work and are not being canceled, in order of their ids, at most `limit`.
pub(crate) fn working_in(step: &Step<'_>, scope: Scope, limit: usize) -> Vec<OrderId> {
    working_where(step, limit, |state, order| state.is_in(order, scope))
}

/// The same, of those that `concerns` picks.
pub(crate) fn working_where(step: &Step<'_>, limit: usize, concerns: impl Fn(&State, &Order) -> bool) -> Vec<OrderId> {
    let state = step.state();
    let mut found = state.pick(|entry| is_free(&entry.order) && concerns(state, &entry.order));
    found.truncate(limit);
    found
}

/// Takes a cancel on for an order and everything below it: each working leg is asked to be canceled, and what has
/// none below it ends at once. The order stays PENDING_CANCEL until every leg has answered.
pub(crate) fn cancel_tree(step: &mut Step<'_>, order_id: OrderId, by: EndedBy) {
    step.emit(Event::OrderCancelRequested(OrderCancelRequested { order_id, by }));
    if let Some(group) = step.state().order(order_id).and_then(Order::group_order_id) {
        // It ends with the group that it is worked in, once that is shared out.
        let works = |group: &Order| !group.state.is_done() && group.pending != Pending::Cancel;
        if step.state().order(group).is_some_and(works) {
            cancel_tree(step, group, by);
        }
        return;
    }
    let (inner, legs) = tree::below(step, order_id);
    // All are marked before the first one ends, so that no parent takes a part that was not asked yet for a refusal.
    for &id in inner.iter().skip(1) {
        let free = step.state().order(id).is_some_and(|order| !order.state.is_done() && order.pending != Pending::Cancel);
        if free {
            step.emit(Event::OrderCancelRequested(OrderCancelRequested { order_id: id, by }));
        }
    }
    for leg in legs {
        cancel_leg(step, leg, by);
    }
    for &id in inner.iter().rev() {
        let Some(order) = step.state().order(id) else { continue };
        if !order.state.is_done() && order.pending == Pending::Cancel && !step.state().works_below(order) {
            end_canceled(step, id);
        }
    }
}

/// Cancels what still works below an order that is done: it could only overfill it.
pub(crate) fn recall(step: &mut Step<'_>, done_id: OrderId) {
    let (inner, legs) = tree::below(step, done_id);
    for &id in inner.iter().skip(1) {
        if step.state().order(id).is_some_and(|order| !order.state.is_done() && order.pending != Pending::Cancel) {
            cancel_tree(step, id, EndedBy::Router);
        }
    }
    for leg in legs {
        cancel_leg(step, leg, EndedBy::Router);
    }
}

/// Asks the venue to cancel a leg, or notes that it will be asked once the doubt or the pending replace has ended, or
/// the session is up again.
pub(crate) fn cancel_leg(step: &mut Step<'_>, leg_id: OrderId, by: EndedBy) {
    let Some(entry) = step.state().entry(leg_id) else { return };
    if entry.order.pending == Pending::Cancel {
        return;
    }
    let waits = entry.order.extras.doubt.is_some() || entry.request().is_some() || !is_connected(step, &entry.order);
    step.emit(Event::OrderCancelRequested(OrderCancelRequested { order_id: leg_id, by }));
    if !waits {
        route::send(step, leg_id, IntentKind::Cancel);
    }
}

/// Whether the session of a leg's venue is up; without one nothing can be asked.
pub(crate) fn is_connected(step: &Step<'_>, leg: &Order) -> bool {
    leg.venue.and_then(|mic| step.state().venue(mic)).is_some_and(|venue| venue.connected)
}

/// Ends an order whose cancel was asked and of which nothing works any more. The order above it follows.
pub(crate) fn end_canceled(step: &mut Step<'_>, order_id: OrderId) {
    let Some(order) = step.state().order(order_id) else { return };
    let expired = |at: Time| at <= step.now();
    if day::is_over(step, order) {
        step.emit(Event::OrderExpired(OrderEnded { order_id, by: EndedBy::DayClose, text: "the day was closed".to_owned() }));
    } else if order.expire_at.is_some_and(expired) {
        step.emit(Event::OrderExpired(OrderEnded { order_id, by: EndedBy::Timer, text: String::new() }));
    } else {
        step.emit(Event::OrderCanceled(OrderEnded { order_id, by: EndedBy::Client, text: String::new() }));
    }
    parent::part_ended(step, order_id);
}

/// Cancels that wait at a venue for a session are sent now.
pub(crate) fn resume_waiting(step: &mut Step<'_>, venue: oms_model::Mic) {
    let waiting = |entry: &Entry| {
        let order = &entry.order;
        order.venue == Some(venue)
            && order.pending == Pending::Cancel
            && !order.state.is_done()
            && order.extras.doubt.is_none()
            && entry.request().is_none()
    };
    for leg in step.state().pick(waiting).into_iter().take(MAX_MASS_CANCEL) {
        route::send(step, leg, IntentKind::Cancel);
    }
    // What an order above that is done has no use for, and could not be canceled before.
    let state = step.state();
    let surplus = |entry: &Entry| {
        let order = &entry.order;
        order.venue == Some(venue) && !order.state.is_done() && tree::is_below_done(step, order)
    };
    for leg in state.pick(surplus).into_iter().take(MAX_MASS_CANCEL) {
        cancel_leg(step, leg, EndedBy::Router);
    }
}
