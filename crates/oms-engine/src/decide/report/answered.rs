//! What venues answer to replaces of legs, and what shows that they took one.

use super::super::{cancel, parent, route};
use super::{anomaly, is_request, send_waiting_cancel, settle_doubt};
use crate::step::Step;
use oms_model::event::{Event, OrderReplaced, RequestRejected};
use oms_model::order::Terms;
use oms_model::{Anomaly, EndedBy, IntentKind, Order, OrderId, Outcome, Qty};

/// The venue took a replace of a leg, where it was asked for.
pub(crate) fn replaced(step: &mut Step<'_>, leg: &Order, revision: u32, told_qty: Option<Qty>) {
    let entry = step.state().entry(leg.order_id);
    let request = entry.and_then(crate::state::Entry::request);
    let asked = leg.extras.unanswered.as_deref().map_or(leg.order_qty, |asked| asked.order_qty);
    let works_there = leg.state.is_done() && told_qty.unwrap_or(asked) > leg.cum_qty;
    if works_there && entry.and_then(crate::state::Entry::unanswered_replace) == Some(revision) {
        return replaced_after_all(step, leg, revision, told_qty);
    }
    if request != Some((IntentKind::Replace, revision)) {
        // Where another replace is under way, its own answer tells the quantity.
        if request.is_none_or(|(intent, _)| intent != IntentKind::Replace) {
            quantity_told(step, leg, revision, told_qty);
        }
        return;
    }
    let order_id = leg.order_id;
    let Some(terms) = leg.extras.replacing.as_deref().copied() else { return replaced_after_all(step, leg, revision, told_qty) };
    settle_doubt(step, order_id, IntentKind::Replace, Outcome::Live, "the venue answered the replace");
    // What was executed meanwhile cannot be ordered away; the venue amends the quantity to it.
    let executed = step.state().order(order_id).map_or(leg.cum_qty, |leg| leg.cum_qty);
    let order_qty = told_qty.unwrap_or_else(|| terms.order_qty.max(executed));
    replaced_to(step, order_id, Terms { order_qty, ..terms }, revision, executed);
    after_replace_answer(step, leg, None);
}

/// More than a leg was for is executed only of what an unanswered replace made of it, whatever id the execution comes under.
pub(super) fn taken_by(step: &mut Step<'_>, leg: &Order, last_qty: Qty) {
    let Some(asked) = leg.extras.replacing.as_deref() else { return };
    let cum = leg.cum_qty.saturating_add(last_qty);
    let request = step.state().entry(leg.order_id).and_then(crate::state::Entry::request);
    if let Some((IntentKind::Replace, revision)) = request
        && leg.order_qty < cum
        && cum <= asked.order_qty
    {
        replaced(step, leg, revision, None);
    }
}

fn replaced_to(step: &mut Step<'_>, order_id: OrderId, terms: Terms, revision: u32, executed: Qty) {
    if executed > terms.order_qty {
        let detail = format!("the venue replaced it to {}, and {executed} are executed here", terms.order_qty);
        anomaly(step, order_id, Anomaly::Overfill, detail);
    }
    step.emit(Event::OrderReplaced(OrderReplaced { order_id, terms, revision }));
}

/// The venue answers a replace of which an execution under its id had told before, which says no quantity: the venue's
/// own holds, also where the leg was wholly executed by ours and an execution is taken back later.
fn quantity_told(step: &mut Step<'_>, leg: &Order, revision: u32, told_qty: Option<Qty>) {
    let is_known = revision > 0 && revision == leg.venue_revision;
    let Some(order_qty) = told_qty.filter(|qty| is_known && *qty != leg.order_qty) else { return };
    let order_id = leg.order_id;
    replaced_to(step, order_id, Terms { order_qty, ..leg.terms() }, revision, leg.cum_qty);
    if leg.state.is_done() {
        return;
    }
    if step.state().order(order_id).is_some_and(|leg| leg.state.is_done()) {
        return parent::part_ended(step, order_id);
    }
    parent::sync_above(step, order_id);
    if let Some(parent_id) = leg.parent_order_id {
        parent::place_rest(step, parent_id, "the venue told the quantity that it works");
    }
}

/// The venue took a replace that was over once the leg had been wholly executed. What the order asked for has been decided
/// without it, so the leg may not work on there, whether it does here too because an execution was taken back.
fn replaced_after_all(step: &mut Step<'_>, leg: &Order, revision: u32, told_qty: Option<Qty>) {
    let order_id = leg.order_id;
    let asked = leg.extras.unanswered.as_deref().copied().unwrap_or_else(|| leg.terms());
    settle_doubt(step, order_id, IntentKind::Replace, Outcome::Live, "the venue answered the replace");
    let order_qty = told_qty.unwrap_or_else(|| asked.order_qty.max(leg.cum_qty));
    let works_there_alone = leg.state.is_done();
    // What is whole here stays so.
    let kept = if works_there_alone { leg.cum_qty } else { order_qty };
    replaced_to(step, order_id, Terms { order_qty: kept, ..asked }, revision, leg.cum_qty);
    let detail = format!("the venue took replace {revision} after the order was wholly executed and works again; it is canceled");
    anomaly(step, order_id, Anomaly::NotPutBack, detail);
    if works_there_alone {
        route::send(step, order_id, IntentKind::Cancel);
    }
    if step.state().order(order_id).is_some_and(|leg| leg.state.is_done()) {
        return parent::part_ended(step, order_id);
    }
    parent::sync_above(step, order_id);
    send_waiting_cancel(step, order_id);
    cancel::cancel_leg(step, order_id, EndedBy::Router);
}

pub(super) fn replace_rejected(step: &mut Step<'_>, leg: &Order, revision: u32, by: EndedBy, text: String) {
    let order_id = leg.order_id;
    if !is_request(step, order_id, IntentKind::Replace, revision) {
        if by == EndedBy::Venue && revision > 0 && revision == leg.venue_revision && !leg.state.is_done() {
            let detail = format!("the venue refuses replace {revision}, which its executions show that it took: {text}");
            anomaly(step, order_id, Anomaly::UnexpectedReport, detail);
        }
        return;
    }
    settle_doubt(step, order_id, IntentKind::Replace, Outcome::Rejected, "the venue answered the replace");
    step.emit(Event::ReplaceRejected(RequestRejected { order_id, by, text: text.clone() }));
    after_replace_answer(step, leg, Some(&text));
}

fn after_replace_answer(step: &mut Step<'_>, leg: &Order, refusal: Option<&str>) {
    send_waiting_cancel(step, leg.order_id);
    if step.state().order(leg.order_id).is_some_and(|leg| leg.state.is_done()) {
        parent::part_ended(step, leg.order_id);
    } else if let Some(text) = refusal {
        parent::replace_refused(step, leg.order_id, text);
    } else {
        parent::replace_answered(step, leg.order_id);
    }
}
