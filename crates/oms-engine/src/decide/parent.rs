//! What becomes of a client order when something happened to one of its parts.

use super::cancel::end_canceled;
use super::create::risk_context;
use super::route;
use crate::step::Step;
use oms_model::event::{Event, OrderEnded, OrderRejected, OrderReplaced, OrderStateSynced, RequestRejected};
use oms_model::policy::Exhausted;
use oms_model::{Code, EndedBy, OrdState, Order, OrderId, Pending, Qty, TimeInForce};

/// The quantity that is with an order's parts: what they executed and what they still may.
fn placed(step: &Step<'_>, order: &Order) -> Qty {
    step.state().children(order).fold(Qty::ZERO, |sum, leg| {
        let open = if leg.is_working() { leg.order.worst_open_qty() } else { Qty::ZERO };
        sum.saturating_add(leg.order.cum_qty).saturating_add(open)
    })
}

/// The first acknowledgement of a part makes its parent LIVE.
pub(crate) fn acknowledged(step: &mut Step<'_>, root_id: OrderId) {
    let Some(root) = step.state().order(root_id) else { return };
    if root.state == OrdState::Unack {
        let place_qty = root.place_qty;
        step.emit(Event::OrderStateSynced(OrderStateSynced { order_id: root_id, state: OrdState::Live, place_qty }));
    }
}

/// A part ended. Its parent ends too, or the rest is planned again.
pub(crate) fn part_ended(step: &mut Step<'_>, leg_id: OrderId) {
    let Some(leg) = step.state().order(leg_id).cloned() else { return };
    let Some(root) = step.state().order(leg.root_order_id).cloned() else { return };
    if root.state.is_done() {
        return;
    }
    sync_placed(step, &root);
    let working = step.state().children(&root).any(crate::state::Entry::is_working);
    match root.pending {
        // Where the parts that still work have refused their cancels, so has the order.
        Pending::Cancel if working => cancel_refused(step, leg_id, "a part of it could not be canceled"),
        Pending::Cancel => end_canceled(step, root.order_id),
        Pending::Replace => settle_replace(step, root.order_id),
        Pending::None if leg.state == OrdState::Expired && !working => {
            step.emit(Event::OrderExpired(OrderEnded { order_id: root.order_id, by: EndedBy::Venue, text: String::new() }));
        }
        Pending::None => replan(step, root.order_id, &leg, working),
    }
}

fn sync_placed(step: &mut Step<'_>, root: &Order) {
    let place_qty = placed(step, root);
    if place_qty != root.place_qty {
        step.emit(Event::OrderStateSynced(OrderStateSynced { order_id: root.order_id, state: root.state, place_qty }));
    }
}

/// Plans what came back from a part that ended; within the policy's bound.
fn replan(step: &mut Step<'_>, root_id: OrderId, leg: &Order, working: bool) {
    let Some(root) = step.state().order(root_id).cloned() else { return };
    let rest = root.order_qty.saturating_sub(root.place_qty);
    if !rest.is_positive() {
        return;
    }
    let at_once = matches!(root.time_in_force, TimeInForce::Ioc | TimeInForce::Fok);
    let refused = leg.state == OrdState::Rejected;
    let (max_replans, exhausted) = route::replan_bounds(step.state(), &root);
    let killed = is_blocked(step, &root);
    let expired = root.expire_at.is_some_and(|at| at <= step.now());
    // What an immediate order did not get at once it does not get later; a refusal was no attempt at all.
    if (refused || !at_once) && root.attempts <= max_replans && !killed && !expired {
        let why = format!("{} at {} after {} executed: {}", leg.state, leg.venue.unwrap_or_default(), leg.cum_qty, words(leg));
        if route::release_legs(step, &root, rest, Some(why.into())) {
            return;
        }
    }
    if working {
        return;
    }
    match exhausted {
        Exhausted::Rest if !at_once && !killed && !expired => (),
        Exhausted::Rest | Exhausted::Reject => end_unplaced(step, &root, leg),
    }
}

/// Whether switches, trading states, account and instrument keep the rest of an accepted order from going out.
fn is_blocked(step: &mut Step<'_>, root: &Order) -> bool {
    step.with_market(root.instrument_id, |state, market, now| {
        let reserved = state.entry(root.order_id).map(crate::state::Entry::reserved).unwrap_or_default();
        state.risk().check_replan(root, &reserved, &risk_context(state, root, market, now)).verdict.is_err()
    })
}

fn words(leg: &Order) -> &str {
    leg.extras.text.as_deref().unwrap_or("no reason given")
}

/// Nothing works any more and the rest finds no place.
fn end_unplaced(step: &mut Step<'_>, root: &Order, leg: &Order) {
    let order_id = root.order_id;
    if root.cum_qty.is_positive() || leg.state != OrdState::Rejected {
        let text = format!("the rest of {} was not executed at once and found no other place", root.open_qty());
        let by = if leg.state == OrdState::Rejected { EndedBy::Router } else { EndedBy::Venue };
        step.emit(Event::OrderCanceled(OrderEnded { order_id, by, text }));
        return;
    }
    let code = leg.reject_code.unwrap_or(Code::BrokerReject);
    let by = leg.ended_by.unwrap_or(EndedBy::Venue);
    let text = format!("{}: {}", leg.venue.unwrap_or_default(), words(leg));
    step.emit(Event::OrderRejected(OrderRejected { order_id, by, code, text }));
}

/// Decides a client order's pending replace once no part has one pending.
pub(crate) fn settle_replace(step: &mut Step<'_>, root_id: OrderId) {
    let Some(root) = step.state().order(root_id).cloned() else { return };
    let Some(terms) = root.extras.replacing.as_deref().copied() else { return };
    // A cancel that came meanwhile waits for the answers to the replace, not the other way round.
    let canceling = root.pending == Pending::Cancel;
    let asked = |leg: &Order| leg.extras.replacing.is_some() || (!canceling && leg.pending != Pending::None);
    let undecided = |leg: &crate::state::Entry| leg.is_working() && asked(&leg.order);
    if step.state().children(&root).any(undecided) {
        return;
    }
    let fits =
        |leg: &crate::state::Entry| !leg.is_working() || (leg.order.price == terms.price && leg.order.extras.stop_px == terms.stop_px);
    let sizes_fit = placed(step, &root) <= terms.order_qty;
    let prices_fit = root.terms().price == terms.price && root.terms().stop_px == terms.stop_px;
    let all_fit = prices_fit || step.state().children(&root).all(fits);
    if sizes_fit && all_fit && root.cum_qty <= terms.order_qty {
        step.emit(Event::OrderReplaced(OrderReplaced { order_id: root_id, terms, revision: 0 }));
        place_rest(step, root_id);
        return;
    }
    let text = "not every part could be replaced; the order stands as it was".to_owned();
    step.emit(Event::ReplaceRejected(RequestRejected { order_id: root_id, by: EndedBy::Venue, text }));
    place_rest(step, root_id);
}

/// Places what is ordered and with no part, where the order may wait for it.
pub(crate) fn place_rest(step: &mut Step<'_>, root_id: OrderId) {
    let Some(root) = step.state().order(root_id).cloned() else { return };
    sync_placed(step, &root);
    let Some(root) = step.state().order(root_id).cloned() else { return };
    if root.state.is_done() || root.pending != Pending::None {
        return;
    }
    if is_blocked(step, &root) {
        return;
    }
    let rest = root.order_qty.saturating_sub(root.place_qty);
    if rest.is_positive() && !route::release_legs(step, &root, rest, Some("replaced".into())) {
        let working = step.state().children(&root).any(crate::state::Entry::is_working);
        let (_, exhausted) = route::replan_bounds(step.state(), &root);
        if !working && exhausted == Exhausted::Reject {
            let text = "the rest found no place".to_owned();
            step.emit(Event::OrderCanceled(OrderEnded { order_id: root_id, by: EndedBy::Router, text }));
        }
    }
}

/// A part's cancel was refused: where no part is being canceled any more, the client's cancel is refused too.
pub(crate) fn cancel_refused(step: &mut Step<'_>, leg_id: OrderId, text: &str) {
    let Some(leg) = step.state().order(leg_id) else { return };
    let Some(root) = step.state().order(leg.root_order_id) else { return };
    if root.pending != Pending::Cancel || root.state.is_done() {
        return;
    }
    let waits = step.state().children(root).any(|leg| leg.is_working() && leg.order.pending == Pending::Cancel);
    if !waits {
        let rejected = RequestRejected { order_id: root.order_id, by: EndedBy::Venue, text: text.to_owned() };
        step.emit(Event::CancelRejected(rejected));
    }
}
