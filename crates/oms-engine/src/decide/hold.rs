//! Orders that wait before they are sent: large ones for a second person, and those that would trade against own working
//! ones until these are gone.

use super::create::{risk_context, vanished};
use super::{cancel, changeable, parent, quote, refused, replace, route, saga, work};
use crate::step::Step;
use oms_model::command::{Actor, CommandOutcome, OrderRef, Placed};
use oms_model::compliance::{HoldReason, SelfMatchPolicy};
use oms_model::event::{Event, OrderEnded, OrderHeld, OrderRejected, OrderReleased, OrderSized, RiskChecked, SelfMatchPrevented};
use oms_model::order::Terms;
use oms_model::{Code, EndedBy, Order, OrderId, Qty, Refusal};
use oms_risk::{Approved, Meeting, Proposed};

/// The most bytes of a reason.
const MAX_TEXT: usize = 1000;

/// An accepted order waits.
pub(crate) fn hold(step: &mut Step<'_>, order_id: OrderId, reason: HoldReason, met: Option<(SelfMatchPolicy, Vec<Meeting>)>) {
    let mut waits_for = Vec::new();
    if let (HoldReason::SelfMatch, Some((policy, meetings))) = (reason, met) {
        let open = meetings.iter().fold(Qty::ZERO, |sum, meeting| sum.saturating_add(meeting.open_qty));
        waits_for = meetings.iter().map(|meeting| meeting.order_id).collect();
        prevent(step, order_id, policy, &meetings, Qty::MAX);
        // The larger of the two is made smaller by what the others had.
        let rest = step.state().order(order_id).map(|order| order.order_qty.saturating_sub(open));
        if let Some(order_qty) = rest.filter(|rest| policy == SelfMatchPolicy::Decrement && rest.is_positive()) {
            step.emit(Event::OrderSized(OrderSized { order_id, order_qty }));
        }
    }
    step.emit(Event::OrderHeld(Box::new(OrderHeld { order_id, reason, waits_for })));
}

/// An order was refused because it would trade against own working ones; the rule may touch these too.
pub(crate) fn refused_for(step: &mut Step<'_>, order_id: OrderId, order_qty: Qty, met: Option<(SelfMatchPolicy, Vec<Meeting>)>) {
    let Some((policy, meetings)) = met else { return };
    match policy {
        SelfMatchPolicy::CancelBoth => prevent(step, order_id, policy, &meetings, Qty::MAX),
        SelfMatchPolicy::Decrement => prevent(step, order_id, policy, &meetings, order_qty),
        SelfMatchPolicy::Off | SelfMatchPolicy::CancelNewest | SelfMatchPolicy::CancelOldest => (),
    }
}

/// Cancels working orders up to `qty`; the one that has more is made smaller by what is left of it.
fn prevent(step: &mut Step<'_>, order_id: OrderId, policy: SelfMatchPolicy, meetings: &[Meeting], qty: Qty) {
    let mut left = qty;
    for meeting in meetings {
        if !left.is_positive() {
            return;
        }
        let (resting, meets) = (meeting.order_id, meeting.open_qty.min(left));
        step.emit(Event::SelfMatchPrevented(SelfMatchPrevented { order_id, resting, policy, qty: meets }));
        let Some(order) = step.state().order(resting).filter(|order| !order.state.is_done()).cloned() else { continue };
        if meets < meeting.open_qty && order.group_order_id().is_none() && replace::may_replace(step, resting) {
            let terms = Terms { order_qty: order.order_qty.saturating_sub(meets), ..order.terms() };
            saga::begin(step, resting, terms);
        } else if order.pending != oms_model::Pending::Cancel {
            cancel::cancel_tree(step, resting, EndedBy::Risk);
        }
        left = left.saturating_sub(meets);
    }
}

/// Orders of this batch, from its event `at` on, that ended or were made smaller may be what others waited for. Where it
/// came to.
pub(crate) fn follow(step: &mut Step<'_>, mut at: usize) -> usize {
    if !step.state().has_held() {
        return at;
    }
    // Each turn reads one event; a release appends events of an order that is held no more.
    while let Some(event) = step.event_at(at) {
        at += 1;
        let moved = matches!(
            event,
            Event::OrderCanceled(_)
                | Event::OrderFilled(_)
                | Event::OrderExpired(_)
                | Event::OrderRejected(_)
                | Event::OrderReplaced(_)
                | Event::OrderOutcomeResolved(_)
                | Event::OrderHeld(_)
        );
        let Some(order) = event.order_id().filter(|_| moved).and_then(|id| step.state().order(id)) else { continue };
        let (root, own) = (order.root_order_id, order.extras.hold.is_some().then_some(order.order_id));
        let waiting = step.state().waiting_for(root);
        for order_id in waiting.into_iter().chain(own) {
            if is_free(step, order_id) {
                release(step, order_id, None, "the own orders that it would have met are gone".to_owned());
            }
        }
    }
    at
}

/// Whether nothing that an order waits for works any more.
fn is_free(step: &Step<'_>, order_id: OrderId) -> bool {
    let state = step.state();
    let hold = state.order(order_id).and_then(|order| order.extras.hold.as_deref());
    let works = |id: &OrderId| state.order(*id).is_some_and(|order| !order.state.is_done() || state.works_below(order));
    hold.is_some_and(|hold| hold.reason == HoldReason::SelfMatch && !hold.waits_for.iter().any(works))
}

/// Ends the wait of an order: it is looked at once more, and sent.
fn release(step: &mut Step<'_>, order_id: OrderId, by: Option<oms_model::UserId>, text: String) {
    let Some(order) = step.state().order(order_id).cloned() else { return };
    let Some(hold) = order.extras.hold.as_deref() else { return };
    let gate = step.with_market(order.instrument_id, |state, market, now| {
        let reserved = state.entry(order_id).map(crate::state::Entry::reserved).unwrap_or_default();
        let own = super::valued::own_market(state, &order, now);
        let market = own.as_ref().map_or(market, |own| &own.market);
        state.risk().check_replan(&order, &reserved, &risk_context(state, &order, market, now))
    });
    step.emit(Event::OrderReleased(Box::new(OrderReleased { order_id, reason: hold.reason, by, text })));
    match gate.verdict {
        Ok(approved) => drop(send(step, approved, order_id)),
        Err(refused) => {
            // What it was refused for now, not when it was accepted.
            step.emit(Event::RiskChecked(Box::new(RiskChecked { order_id, results: gate.results, ..RiskChecked::default() })));
            let Refusal { code, message: text, .. } = refused.to_refusal();
            let by = EndedBy::Risk;
            step.emit(if order.cum_qty.is_positive() {
                Event::OrderCanceled(OrderEnded { order_id, by, text })
            } else {
                Event::OrderRejected(OrderRejected { order_id, by, code, text })
            });
        }
    }
}

/// An order that passed the gate goes to whoever works it, or to its venues.
pub(crate) fn send(step: &mut Step<'_>, approved: Approved<Proposed>, order_id: OrderId) -> Placed {
    let Some(order) = step.state().order(order_id) else { return Placed::Invalid(vanished()) };
    if order.is_worked() {
        // Nothing is sent of an order that a person works until they say so. One that the engine works is looked at now.
        work::drive(step, order_id);
        return Placed::Accepted { order_id };
    }
    if order.place_qty.is_positive() {
        // Some of it was booked while it waited.
        parent::place_rest(step, order_id, "released");
        return Placed::Accepted { order_id };
    }
    let quote_id = order.extras.basis.as_deref().and_then(|basis| basis.quote_id);
    let placed = route::place(step, approved, order_id);
    if let (Placed::Accepted { order_id }, Some(quote_id)) = (&placed, quote_id) {
        quote::accepted(step, quote_id, *order_id);
    }
    placed
}

/// The order that waits for a person, where `actor` may decide it.
fn waiting(step: &Step<'_>, actor: &Actor, order: &OrderRef, if_version: Option<u32>) -> Result<Order, Refusal> {
    let order = changeable(step, order, if_version)?;
    let waits = order.extras.hold.as_deref().is_some_and(|hold| hold.reason == HoldReason::Approval);
    if !waits {
        return Err(Refusal::new(Code::StateConflict, "the order does not wait for approval"));
    }
    if order.user_id == actor.user_id {
        return Err(Refusal::new(Code::SecondPersonNeeded, "who sent the order cannot approve it or turn it down"));
    }
    Ok(order)
}

pub(crate) fn approve(step: &mut Step<'_>, actor: &Actor, order: &OrderRef, if_version: Option<u32>) -> CommandOutcome {
    let order_id = match waiting(step, actor, order, if_version) {
        Ok(order) => order.order_id,
        Err(refusal) => return refused(refusal),
    };
    release(step, order_id, Some(actor.user_id), "approved".to_owned());
    pending(step, order_id)
}

pub(crate) fn turn_down(step: &mut Step<'_>, actor: &Actor, order: &OrderRef, reason: &str, if_version: Option<u32>) -> CommandOutcome {
    let order_id = match waiting(step, actor, order, if_version) {
        Ok(order) => order.order_id,
        Err(refusal) => return refused(refusal),
    };
    if reason.trim().is_empty() || reason.len() > MAX_TEXT {
        return refused(Refusal::new(Code::ValidationError, format!("a reason of 1 to {MAX_TEXT} bytes is needed")));
    }
    let text = format!("turned down by user {}: {reason}", actor.user_id);
    step.emit(Event::OrderRejected(OrderRejected { order_id, by: EndedBy::Risk, code: Code::ApprovalRefused, text }));
    pending(step, order_id)
}

fn pending(step: &Step<'_>, order_id: OrderId) -> CommandOutcome {
    let version = step.state().order(order_id).map_or(0, |order| order.version);
    CommandOutcome::Pending { orders: vec![(order_id, version)] }
}
