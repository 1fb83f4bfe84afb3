//! What becomes of an order when something happened to one of its parts. Every level follows the one below it by the
//! same rules, up to the client's order.

use super::cancel::end_canceled;
use super::saga::{self, Decided};
use super::{contingency, route, staged, tree};
use crate::step::Step;
use oms_model::event::{Event, OrderEnded, OrderRejected, OrderReplaced, OrderStateSynced, RequestRejected};
use oms_model::order::Terms;
use oms_model::policy::Exhausted;
use oms_model::{Code, EndedBy, OrdState, Order, OrderId, Pending, Price, Qty, SagaPhase, TimeInForce};

/// The quantity that is with an order's parts, what they executed and what they still may, and what was booked on the
/// order itself.
pub(crate) fn placed(step: &Step<'_>, order: &Order) -> Qty {
    let direct = order.direct_qty().saturating_add(step.state().open_below(order));
    step.state().children(order).fold(direct, |sum, part| sum.saturating_add(part.order.cum_qty))
}

/// A part ended. Its parent ends too, or what came back is planned again or waits for whoever works the parent.
pub(crate) fn part_ended(step: &mut Step<'_>, part_id: OrderId) {
    let Some(part) = step.state().order(part_id).cloned() else { return };
    let Some(parent) = part.parent_order_id.and_then(|id| step.state().order(id)).cloned() else { return };
    if parent.state.is_done() {
        // It ended before its parts did; what is above it may have waited for them all the same.
        return answered_below(step, parent.order_id);
    }
    sync_placed(step, &parent);
    let working = step.state().works_below(&parent);
    match parent.pending {
        // Where the parts that still work have refused their cancels, so has the order.
        Pending::Cancel if working => cancel_refused(step, part_id, "a part of it could not be canceled"),
        Pending::Cancel => end_canceled(step, parent.order_id),
        Pending::Replace => settle_replace(step, parent.order_id),
        Pending::None if part.state == OrdState::Expired && !working && !parent.is_worked() => {
            step.emit(Event::OrderExpired(OrderEnded { order_id: parent.order_id, by: EndedBy::Venue, text: String::new() }));
            part_ended(step, parent.order_id);
        }
        Pending::None => replan(step, parent.order_id, &part, working),
    }
}

/// The last thing that worked below an order that is done has ended: whatever above waits for it may go on.
fn answered_below(step: &mut Step<'_>, done_id: OrderId) {
    let mut done = step.state().order(done_id).cloned();
    while let Some(part) = done {
        let Some(id) = part.parent_order_id else { return };
        let Some(order) = step.state().order(id).filter(|order| !order.state.is_done()).cloned() else {
            done = step.state().order(id).cloned();
            continue;
        };
        sync_placed(step, &order);
        match order.pending {
            Pending::Cancel if !step.state().works_below(&order) => end_canceled(step, id),
            Pending::Replace => settle_replace(step, id),
            Pending::Cancel => (),
            Pending::None => {
                let working = step.state().works_below(&order);
                replan(step, id, &part, working);
            }
        }
        return;
    }
}

pub(crate) fn sync_placed(step: &mut Step<'_>, order: &Order) {
    let place_qty = placed(step, order);
    if place_qty != order.place_qty {
        step.emit(Event::OrderStateSynced(OrderStateSynced { order_id: order.order_id, state: order.state, place_qty }));
    }
}

/// Something was executed that was not counted as placed any more: the levels above count it.
pub(crate) fn sync_above(step: &mut Step<'_>, leg_id: OrderId) {
    let mut above = tree::parent_of(step, leg_id);
    while let Some(order) = above.and_then(|id| step.state().order(id)).cloned() {
        sync_placed(step, &order);
        above = order.parent_order_id;
    }
}

/// Plans what came back from a leg that ended, at the order that released it; within the policy's bound.
fn replan(step: &mut Step<'_>, order_id: OrderId, part: &Order, working: bool) {
    make_smaller(step, order_id);
    let Some(order) = step.state().order(order_id).cloned() else { return };
    let rest = order.order_qty.saturating_sub(order.place_qty);
    if !rest.is_positive() {
        return;
    }
    if !tree::is_wanted(step, &order) {
        // Its own cancel was refused by a part that has ended since; that of an order above it goes on.
        if !working {
            end_canceled(step, order_id);
        }
        return;
    }
    let at_once = matches!(order.time_in_force, TimeInForce::Ioc | TimeInForce::Fok);
    let refused = part.state == OrdState::Rejected;
    let (max_replans, exhausted) = route::replan_bounds(step.state(), &order);
    let killed = tree::blocked(step, &order).is_err();
    let expired = order.expire_at.is_some_and(|at| at <= step.now());
    // What an immediate order did not get at once it does not get later; a refusal was no attempt at all.
    // What a part of another kind gives back, whoever made the part places again.
    if part.is_leg() && (refused || !at_once) && order.attempts <= max_replans && !killed && !expired {
        let why = format!("{} at {} after {} executed: {}", part.state, part.venue.unwrap_or_default(), part.cum_qty, words(part));
        if route::release_legs(step, &order, rest, Some(why.into())) {
            return;
        }
    }
    if working || order.is_worked() {
        return;
    }
    match exhausted {
        Exhausted::Rest if part.is_leg() && !at_once && !killed && !expired => (),
        Exhausted::Rest | Exhausted::Reject => end_unplaced(step, &order, part),
    }
}

fn words(part: &Order) -> &str {
    part.extras.text.as_deref().unwrap_or("no reason given")
}

/// Nothing works any more and the rest finds no place.
pub(crate) fn end_unplaced(step: &mut Step<'_>, order: &Order, part: &Order) {
    let order_id = order.order_id;
    if order.cum_qty.is_positive() || part.state != OrdState::Rejected {
        let text = format!("the rest of {} was not executed at once and found no other place", order.open_qty());
        let by = if part.state == OrdState::Rejected { EndedBy::Router } else { EndedBy::Venue };
        step.emit(Event::OrderCanceled(OrderEnded { order_id, by, text }));
    } else {
        let code = part.reject_code.unwrap_or(Code::BrokerReject);
        let by = part.ended_by.unwrap_or(EndedBy::Venue);
        let text = match part.venue {
            Some(venue) => format!("{venue}: {}", words(part)),
            None => words(part).to_owned(),
        };
        step.emit(Event::OrderRejected(OrderRejected { order_id, by, code, text }));
    }
    part_ended(step, order_id);
}

/// A part's replace was accepted: its parent's may be decided by that.
pub(crate) fn replace_answered(step: &mut Step<'_>, part_id: OrderId) {
    let Some(parent) = tree::parent_of(step, part_id).and_then(|id| step.state().order(id)).cloned() else { return };
    if parent.extras.replacing.is_some() {
        settle_replace(step, parent.order_id);
    } else if step.state().order(part_id).is_some_and(|part| !part.is_leg()) {
        // It was replaced on its own.
        sync_above(step, part_id);
    }
}

/// A part's replace, or the cancel that its parent's replace asked of it, was refused.
pub(crate) fn replace_refused(step: &mut Step<'_>, part_id: OrderId, text: &str) {
    let Some(parent) = tree::parent_of(step, part_id).and_then(|id| step.state().order(id)).cloned() else { return };
    if parent.extras.replacing.is_none() {
        return replace_answered(step, part_id);
    }
    let decided = saga::refused_below(step, parent.order_id, part_id, text);
    pass_on(step, parent.order_id, decided);
}

/// Whether `price` is no worse for the order than `limit`.
pub(crate) fn within(side: oms_model::Side, price: Option<Price>, limit: Option<Price>) -> bool {
    match (price, limit) {
        (Some(price), Some(limit)) if side.is_buy() => price <= limit,
        (Some(price), Some(limit)) => price >= limit,
        _ => true,
    }
}

/// A part is replaced on its own: by its algorithm or for its list.
pub(crate) fn replace_part(step: &mut Step<'_>, part_id: OrderId, terms: Terms) {
    let decided = saga::begin(step, part_id, terms);
    pass_on(step, part_id, decided);
}

/// Goes on with an order's pending replace; the order above hears how it was decided.
pub(crate) fn settle_replace(step: &mut Step<'_>, order_id: OrderId) {
    let decided = saga::advance(step, order_id);
    pass_on(step, order_id, decided);
}

fn pass_on(step: &mut Step<'_>, order_id: OrderId, decided: Decided) {
    let is_filled = step.state().order(order_id).is_some_and(|order| order.state == OrdState::Filled);
    match decided {
        Decided::No => (),
        // Replaced to what was executed by then.
        Decided::Replaced if is_filled => part_ended(step, order_id),
        Decided::Replaced => replace_answered(step, order_id),
        Decided::Refused(text) => replace_refused(step, order_id, &text),
    }
}

/// Places what is ordered and with no part, where the order may wait for it.
pub(crate) fn place_rest(step: &mut Step<'_>, order_id: OrderId, reason: &str) {
    let Some(order) = step.state().order(order_id).cloned() else { return };
    sync_placed(step, &order);
    make_smaller(step, order_id);
    let Some(order) = step.state().order(order_id).cloned() else { return };
    if order.state.is_done() || order.pending != Pending::None || order.is_worked() {
        return;
    }
    if tree::blocked(step, &order).is_err() {
        return;
    }
    let rest = order.order_qty.saturating_sub(order.place_qty);
    if rest.is_positive() && !route::release_legs(step, &order, rest, Some(reason.into())) {
        let working = step.state().works_below(&order);
        let (_, exhausted) = route::replan_bounds(step.state(), &order);
        if !working && exhausted == Exhausted::Reject {
            let text = "the rest found no place".to_owned();
            step.emit(Event::OrderCanceled(OrderEnded { order_id, by: EndedBy::Router, text }));
            part_ended(step, order_id);
        }
    }
}

/// A replace had asked for less than was executed then. Where some of that was taken back since, the order is for what was
/// asked, or for what its parts have and work: what its client did not want any more is not placed anew.
pub(crate) fn make_smaller(step: &mut Step<'_>, order_id: OrderId) {
    let Some(order) = step.state().order(order_id) else { return };
    let asked = order.extras.asked_qty;
    let order_qty = asked.max(order.place_qty);
    let is_its_own = order.pending == Pending::None && !order.state.is_done() && step.state().group_ever(order_id).is_none();
    if !is_its_own || order.group_order_id().is_some() || !asked.is_positive() || order.order_qty <= order_qty {
        return;
    }
    let terms = Terms { order_qty, ..order.terms() };
    step.emit(Event::OrderReplaced(OrderReplaced { order_id, terms, revision: 0 }));
    if step.state().order(order_id).is_some_and(|order| order.state.is_done()) {
        part_ended(step, order_id);
    }
}

/// A part's cancel was refused: where nothing below an order is being canceled any more, its own cancel is refused too.
pub(crate) fn cancel_refused(step: &mut Step<'_>, part_id: OrderId, text: &str) {
    let Some(parent) = tree::parent_of(step, part_id).and_then(|id| step.state().order(id)) else { return };
    if parent.pending == Pending::Replace {
        // A replace took the part's whole rest away.
        let is_back = parent.extras.saga.as_deref().is_some_and(|saga| saga.phase == SagaPhase::Back);
        let parent_id = parent.order_id;
        return if is_back { settle_replace(step, parent_id) } else { replace_refused(step, part_id, text) };
    }
    if parent.pending == Pending::None {
        let parent = parent.clone();
        if step.state().order(part_id).is_some_and(Order::is_leg) {
            contingency::not_canceled(step, parent.root_order_id);
        }
        return staged::cancel_refused(step, &parent, part_id);
    }
    if parent.pending != Pending::Cancel || parent.state.is_done() || step.state().is_canceling_below(parent) {
        return;
    }
    let order_id = parent.order_id;
    step.emit(Event::CancelRejected(RequestRejected { order_id, by: EndedBy::Venue, text: text.to_owned() }));
    // Members that were to end with their group stand too, and can be asked to end again.
    let members = step.state().group(order_id).into_iter().flat_map(|group| &group.members).map(|member| member.order_id);
    let waits = |id: &OrderId| step.state().order(*id).is_some_and(|member| !member.state.is_done() && member.pending == Pending::Cancel);
    let waiting: Vec<OrderId> = members.filter(waits).collect();
    for order_id in waiting {
        step.emit(Event::CancelRejected(RequestRejected { order_id, by: EndedBy::Venue, text: text.to_owned() }));
    }
    cancel_refused(step, order_id, text);
}
