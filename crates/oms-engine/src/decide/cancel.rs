//! A cancel: down the tree, to every part that still works.

use super::{changeable, refused, route};
use crate::state::Entry;
use crate::step::Step;
use oms_model::command::{CommandOutcome, OrderRef};
use oms_model::event::{Event, OrderCancelRequested, OrderEnded};
use oms_model::limit::Scope;
use oms_model::{Code, EndedBy, IntentKind, Order, OrderId, Pending, Refusal, Time};

/// The most orders that one mass cancel takes; a larger set needs a narrower scope or a kill switch.
const MAX_MASS_CANCEL: usize = 10_000;

pub(crate) fn cancel(step: &mut Step<'_>, order: &OrderRef, if_version: Option<u32>) -> CommandOutcome {
    let order = match changeable(step, order, if_version) {
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
    let state = step.state();
    let in_scope = |order: &Order| match scope {
        Scope::Tenant => true,
        Scope::Account(id) => order.account_id == id,
        Scope::User(id) => order.user_id == id,
        Scope::Instrument(id) => order.instrument_id == id,
        Scope::Venue(mic) => state.children(order).any(|leg| leg.is_working() && leg.order.venue == Some(mic)),
    };
    let free = |order: &Order| order.is_root() && !order.state.is_done() && order.pending != Pending::Cancel;
    let mut found = state.pick(|entry| free(&entry.order) && in_scope(&entry.order));
    found.truncate(limit);
    found
}

/// Takes a cancel on for a client order and passes it to its working parts; ends it at once where there is none.
pub(crate) fn cancel_tree(step: &mut Step<'_>, order_id: OrderId, by: EndedBy) {
    step.emit(Event::OrderCancelRequested(OrderCancelRequested { order_id, by }));
    let Some(order) = step.state().order(order_id) else { return };
    let working: Vec<OrderId> = step.state().children(order).filter(|leg| leg.is_working()).map(|leg| leg.order.order_id).collect();
    if working.is_empty() {
        return end_canceled(step, order_id);
    }
    for leg in working {
        cancel_leg(step, leg, by);
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

/// Ends a client order whose cancel was asked and of which nothing works any more.
pub(crate) fn end_canceled(step: &mut Step<'_>, order_id: OrderId) {
    let Some(order) = step.state().order(order_id) else { return };
    let expired = |at: Time| at <= step.now();
    if order.expire_at.is_some_and(expired) {
        step.emit(Event::OrderExpired(OrderEnded { order_id, by: EndedBy::Timer, text: String::new() }));
    } else {
        step.emit(Event::OrderCanceled(OrderEnded { order_id, by: EndedBy::Client, text: String::new() }));
    }
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
    // What an order that is done has no use for, and could not be canceled before.
    let state = step.state();
    let is_done = |root: OrderId| state.order(root).is_some_and(|root| root.state.is_done());
    let surplus = |entry: &Entry| {
        let order = &entry.order;
        !order.is_root() && order.venue == Some(venue) && !order.state.is_done() && is_done(order.root_order_id)
    };
    for leg in state.pick(surplus).into_iter().take(MAX_MASS_CANCEL) {
        cancel_leg(step, leg, EndedBy::Router);
    }
}
