//! What a venue claims. A report may be late, twice, out of order or wrong; each is booked once or raised.

mod answered;

use super::{cancel, execution, parent, route, tree, valued};
use crate::step::Step;
use oms_model::event::{
    BrokerSession, Event, ExecutionRecorded, ExecutionUnmatched, Filled, OrderAccepted, OrderAnomaly, OrderEnded, OrderInDoubt,
    OrderOutcomeResolved, OrderRejected, RequestRejected,
};
use oms_model::report::{Report, ReportBody, VenueFill};
use oms_model::{
    Anomaly, BrokerOrderId, Code, EndedBy, ExecId, IntentKind, Mic, Notional, OrdState, Order, OrderId, Outcome, Pending, Price, Qty, Time,
    TimeInForce, WireId,
};

use answered::replace_rejected;
pub(crate) use answered::replaced;

/// The most legs that one input puts in doubt, so that its batch stays small. At a lost session the rest follows
/// when their answers are overdue.
pub(crate) const MAX_DOUBTS: usize = 20_000;
/// The longest text of a venue that is kept; the rest is cut off.
const MAX_TEXT: usize = 500;

pub(crate) fn report(step: &mut Step<'_>, report: Report) {
    let Report { venue, transact_time, body } = report;
    match body {
        ReportBody::SessionUp => return session_up(step, venue),
        ReportBody::SessionDown { reason } => return session_down(step, venue, &reason),
        _ => (),
    }
    let Some((leg, revision)) = body.wire_id().and_then(|wire_id| leg_of(step, wire_id, venue)) else {
        return unmatched(step, venue, transact_time, &body);
    };
    match body {
        ReportBody::Accepted { broker_order_id, .. } => accepted(step, &leg, broker_order_id),
        ReportBody::Rejected { text, .. } => rejected(step, &leg, clip(text)),
        ReportBody::Fill { fill, .. } => filled(step, &leg, revision, transact_time, fill),
        ReportBody::Busted { exec_ref, exec_id, text, .. } => execution::busted(step, &leg, exec_ref, exec_id, clip(text)),
        ReportBody::Corrected { exec_ref, fill, text, .. } => {
            execution::corrected(step, &leg, revision, transact_time, exec_ref, fill, clip(text));
        }
        ReportBody::Commission { exec_id, commission, currency, .. } => execution::commission(step, &leg, exec_id, commission, currency),
        ReportBody::Canceled { text, .. } => canceled(step, &leg, revision, clip(text)),
        ReportBody::CancelRejected { text, .. } => cancel_rejected(step, &leg, revision, EndedBy::Venue, clip(text)),
        ReportBody::Replaced { order_qty, .. } => replaced(step, &leg, revision, order_qty),
        ReportBody::ReplaceRejected { text, .. } => replace_rejected(step, &leg, revision, EndedBy::Venue, clip(text)),
        ReportBody::Expired { .. } => expired(step, &leg),
        ReportBody::Unknown { intent, reason, .. } => in_doubt(step, leg.order_id, intent, revision, clip(reason)),
        ReportBody::NotSent { intent, reason, .. } => not_sent(step, &leg, intent, revision, clip(reason)),
        ReportBody::Resolved { intent, outcome, broker_order_id, evidence, .. } => {
            resolved(step, &leg, intent, revision, outcome, broker_order_id, clip(evidence));
        }
        ReportBody::SessionUp | ReportBody::SessionDown { .. } => (),
    }
}

fn clip(mut text: String) -> String {
    if text.len() > MAX_TEXT {
        let end = (0..=MAX_TEXT).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

/// The leg that a wire id names, if it was sent to this venue; with the revision.
fn leg_of(step: &Step<'_>, wire_id: &WireId, venue: Mic) -> Option<(Order, u32)> {
    let (order_id, revision) = wire_id.parts()?;
    let leg = step.state().order(order_id)?;
    let ours = leg.venue == Some(venue) && revision <= leg.revision && leg.state != OrdState::New;
    ours.then(|| (leg.clone(), revision))
}

/// A fill that matches no order is kept in suspense, and so is a reversal, correction or charge that matches no execution.
/// Other reports about orders that were cleaned up, or that were never ours, change nothing.
fn unmatched(step: &mut Step<'_>, venue: Mic, transact_time: Time, body: &ReportBody) {
    let (wire_id, exec_id, exec_ref, last_qty, last_px) = match body {
        ReportBody::Fill { wire_id, fill } => (wire_id, &fill.exec_id, None, fill.last_qty, fill.last_px),
        ReportBody::Busted { wire_id, exec_ref, exec_id, text } => {
            if execution::busted_later(step, venue, exec_ref, exec_id, text) {
                return;
            }
            (wire_id, exec_id, Some(exec_ref), Qty::ZERO, Price::ZERO)
        }
        ReportBody::Corrected { wire_id, exec_ref, fill, text } => {
            if execution::corrected_later(step, venue, exec_ref, fill, text) {
                return;
            }
            (wire_id, &fill.exec_id, Some(exec_ref), fill.last_qty, fill.last_px)
        }
        ReportBody::Commission { wire_id, exec_id, commission, currency } => {
            if !execution::commission_later(step, venue, exec_id, *commission, *currency) {
                execution::unmatched_charge(step, venue, wire_id, transact_time, exec_id, (*commission, *currency));
            }
            return;
        }
        _ => return,
    };
    let state = step.state();
    if state.suspense().any(|known| known.venue == venue && known.exec_id == *exec_id) || state.is_dismissed(venue, exec_id) {
        return;
    }
    step.emit(Event::ExecutionUnmatched(Box::new(ExecutionUnmatched {
        exec_id: exec_id.clone(),
        venue,
        wire_id: wire_id.as_str().to_owned(),
        last_qty,
        last_px,
        transact_time,
        exec_ref: exec_ref.cloned(),
        ..ExecutionUnmatched::default()
    })));
}

pub(crate) fn anomaly(step: &mut Step<'_>, order_id: OrderId, anomaly: Anomaly, detail: String) {
    step.emit(Event::OrderAnomaly(OrderAnomaly { order_id, anomaly, detail }));
}

/// Direct evidence about an intent that was in doubt ends the doubt first.
fn settle_doubt(step: &mut Step<'_>, leg_id: OrderId, intent: IntentKind, outcome: Outcome, evidence: &str) {
    let Some(doubt) = step.state().order(leg_id).and_then(|leg| leg.extras.doubt.as_deref()) else { return };
    if doubt.intent != intent {
        return;
    }
    let resolved = OrderOutcomeResolved { order_id: leg_id, intent, revision: doubt.revision, outcome, evidence: evidence.to_owned() };
    step.emit(Event::OrderOutcomeResolved(resolved));
}

/// The end of the order answers whatever was in doubt about it.
pub(crate) fn settle_any_doubt(step: &mut Step<'_>, leg_id: OrderId, outcome: Outcome, evidence: &str) {
    if let Some(intent) = step.state().order(leg_id).and_then(|leg| leg.extras.doubt.as_deref()).map(|doubt| doubt.intent) {
        settle_doubt(step, leg_id, intent, outcome, evidence);
    }
}

/// A cancel that had to wait for a doubt or a pending replace is sent now.
fn send_waiting_cancel(step: &mut Step<'_>, leg_id: OrderId) {
    let Some(entry) = step.state().entry(leg_id) else { return };
    let asked = entry.order.pending == Pending::Cancel && entry.request().is_none() && cancel::is_connected(step, &entry.order);
    if asked && entry.order.extras.doubt.is_none() && !entry.order.state.is_done() {
        route::send(step, leg_id, IntentKind::Cancel);
    }
}

fn accepted(step: &mut Step<'_>, leg: &Order, broker_order_id: Option<BrokerOrderId>) {
    let order_id = leg.order_id;
    if leg.state != OrdState::Unack {
        let told = leg.broker_order_id.is_none() && broker_order_id.is_some();
        if told && !leg.state.is_done() {
            // A fill came first; the venue's id is news all the same.
            step.emit(Event::OrderAccepted(OrderAccepted { order_id, broker_order_id }));
        }
        return not_sent_tripwire(step, leg, "acknowledged");
    }
    settle_doubt(step, order_id, IntentKind::New, Outcome::Live, "acknowledged by the venue");
    step.emit(Event::OrderAccepted(OrderAccepted { order_id, broker_order_id }));
    tree::acknowledged(step, order_id);
    send_waiting_cancel(step, order_id);
}

/// An order that was resolved as never sent must not appear. If it does, it is canceled and raised.
fn not_sent_tripwire(step: &mut Step<'_>, leg: &Order, what: &str) {
    if leg.ended_by != Some(EndedBy::NotSent) {
        return;
    }
    anomaly(step, leg.order_id, Anomaly::NotSentAppeared, format!("{what} by the venue after it was resolved as not sent"));
    route::send(step, leg.order_id, IntentKind::Cancel);
    if let Some(venue) = leg.venue {
        let reason = format!("order {} appeared after it was resolved as not sent", leg.order_id);
        step.emit(Event::BrokerDisconnected(BrokerSession { venue, reason }));
    }
}

fn rejected(step: &mut Step<'_>, leg: &Order, text: String) {
    if leg.state.is_done() {
        return;
    }
    settle_any_doubt(step, leg.order_id, Outcome::Rejected, "refused by the venue");
    let order_id = leg.order_id;
    step.emit(Event::OrderRejected(OrderRejected { order_id, by: EndedBy::Venue, code: Code::BrokerReject, text }));
    parent::part_ended(step, order_id);
}

pub(crate) fn filled(step: &mut Step<'_>, leg: &Order, revision: u32, transact_time: Time, fill: VenueFill) {
    let order_id = leg.order_id;
    // A fill under the id of a replace shows that the venue took the replace; its quantity holds first.
    replaced(step, leg, revision, None);
    let known = step.state().entry(order_id).is_some_and(|entry| entry.execs().binary_search(&fill.exec_id).is_ok());
    let (Some(last_notional), true) = (fill.last_px.notional(fill.last_qty), fill.last_qty.is_positive()) else {
        return anomaly(step, order_id, Anomaly::UnexpectedReport, format!("execution {} has no usable quantity or price", fill.exec_id));
    };
    if known {
        return execution::told_again(step, leg, &fill);
    }
    answered::taken_by(step, leg, fill.last_qty);
    settle_doubt(step, order_id, IntentKind::New, Outcome::Live, "executed by the venue");
    let was_done = leg.state.is_done();
    step.emit(Event::ExecutionRecorded(Box::new(ExecutionRecorded {
        exec_id: fill.exec_id.clone(),
        order_id,
        root_order_id: leg.root_order_id,
        account_id: leg.account_id,
        instrument_id: leg.instrument_id,
        side: leg.side,
        venue: leg.venue.unwrap_or_default(),
        last_qty: fill.last_qty,
        last_px: fill.last_px,
        liquidity: fill.liquidity,
        fee: fill.fee_per_unit.notional(fill.last_qty).unwrap_or(Notional::ZERO),
        transact_time,
        manual: false,
    })));
    after_execution(step, leg, was_done, &fill.exec_id, fill.last_qty, fill.last_px, last_notional);
}

/// What follows from an execution of a part that was just recorded: for it, and for the orders above it.
pub(crate) fn after_execution(
    step: &mut Step<'_>,
    leg: &Order,
    was_done: bool,
    exec_id: &ExecId,
    last_qty: Qty,
    last_px: Price,
    last_notional: Notional,
) {
    let order_id = leg.order_id;
    valued::size(step, order_id, last_px);
    fill_one(step, order_id, exec_id, last_qty, last_px, last_notional);
    let mut whole_above = Vec::new();
    let mut above = leg.parent_order_id;
    while let Some(id) = above {
        valued::size(step, id, last_px);
        if fill_one(step, id, exec_id, last_qty, last_px, last_notional) {
            whole_above.push(id);
        }
        above = tree::parent_of(step, id);
    }
    if was_done {
        not_sent_tripwire(step, leg, "executed");
    } else {
        tree::acknowledged(step, order_id);
        send_waiting_cancel(step, order_id);
    }
    let whole = step.state().order(order_id).is_some_and(|leg| leg.state == OrdState::Filled);
    if whole {
        settle_any_doubt(step, order_id, Outcome::Filled, "wholly executed by the venue");
    }
    if let Some(highest) = whole_above.last() {
        cancel::recall(step, *highest);
    }
    if was_done {
        parent::sync_above(step, order_id);
    }
    if whole {
        parent::part_ended(step, order_id);
    }
    for id in whole_above {
        parent::part_ended(step, id);
    }
}

/// Books a fill on one level. Whether it made the order whole.
pub(crate) fn fill_one(
    step: &mut Step<'_>,
    order_id: OrderId,
    exec_id: &ExecId,
    last_qty: Qty,
    last_px: Price,
    last_notional: Notional,
) -> bool {
    let Some(order) = step.state().order(order_id) else { return false };
    let (state, cum) = (order.state, order.cum_qty.saturating_add(last_qty));
    let (whole, over) = (cum >= order.order_qty, cum > order.order_qty);
    let filled = Filled { order_id, exec_id: exec_id.clone(), last_qty, last_px, last_notional };
    if whole && !state.is_done() {
        step.emit(Event::OrderFilled(filled));
    } else {
        step.emit(Event::OrderPartiallyFilled(filled));
    }
    if over {
        anomaly(step, order_id, Anomaly::Overfill, format!("execution {exec_id} takes cum_qty to {cum}"));
    } else if state.is_done() {
        anomaly(step, order_id, Anomaly::FillAfterEnd, format!("execution {exec_id} after the order was {state}"));
    }
    whole && !state.is_done()
}

fn canceled(step: &mut Step<'_>, leg: &Order, revision: u32, text: String) {
    if leg.state.is_done() {
        return;
    }
    let order_id = leg.order_id;
    let asked = leg.pending == Pending::Cancel && revision > 0;
    settle_any_doubt(step, order_id, Outcome::Canceled, "canceled by the venue");
    let by = if asked { EndedBy::Client } else { EndedBy::Venue };
    step.emit(Event::OrderCanceled(OrderEnded { order_id, by, text: text.clone() }));
    let at_once = matches!(leg.time_in_force, TimeInForce::Ioc | TimeInForce::Fok);
    if !asked && !at_once && leg.pending != Pending::Cancel {
        anomaly(step, order_id, Anomaly::UnsolicitedEnd, format!("the venue canceled it unasked: {text}"));
    }
    parent::part_ended(step, order_id);
}

fn cancel_rejected(step: &mut Step<'_>, leg: &Order, revision: u32, by: EndedBy, text: String) {
    let order_id = leg.order_id;
    if !is_request(step, order_id, IntentKind::Cancel, revision) {
        return;
    }
    settle_doubt(step, order_id, IntentKind::Cancel, Outcome::Rejected, "the venue answered the cancel");
    step.emit(Event::CancelRejected(RequestRejected { order_id, by, text: text.clone() }));
    parent::cancel_refused(step, order_id, &text);
}

fn expired(step: &mut Step<'_>, leg: &Order) {
    if leg.state.is_done() {
        return;
    }
    let order_id = leg.order_id;
    settle_any_doubt(step, order_id, Outcome::Expired, "expired at the venue");
    step.emit(Event::OrderExpired(OrderEnded { order_id, by: EndedBy::Venue, text: String::new() }));
    parent::part_ended(step, order_id);
}

/// Whether the venue has not answered this intent of the leg.
fn is_outstanding(step: &Step<'_>, order_id: OrderId, intent: IntentKind, revision: u32) -> bool {
    let Some(entry) = step.state().entry(order_id) else { return false };
    match intent {
        // What a person booked of a part in doubt is no answer of its venue.
        IntentKind::New => {
            let doubted = entry.order.extras.doubt.as_deref().is_some_and(|doubt| doubt.intent == IntentKind::New);
            entry.order.state == OrdState::Unack || doubted
        }
        IntentKind::Cancel | IntentKind::Replace => is_request(step, order_id, intent, revision) && !entry.order.state.is_done(),
    }
}

/// Whether this is the cancel or replace of a leg that its venue has not answered, also where the leg has ended since.
fn is_request(step: &Step<'_>, order_id: OrderId, intent: IntentKind, revision: u32) -> bool {
    step.state().entry(order_id).and_then(crate::state::Entry::request) == Some((intent, revision))
}

pub(crate) fn in_doubt(step: &mut Step<'_>, order_id: OrderId, intent: IntentKind, revision: u32, reason: String) {
    let free = step.state().order(order_id).is_some_and(|leg| leg.extras.doubt.is_none());
    if free && is_outstanding(step, order_id, intent, revision) {
        step.emit(Event::OrderInDoubt(OrderInDoubt { order_id, intent, revision, reason }));
    }
}

fn not_sent(step: &mut Step<'_>, leg: &Order, intent: IntentKind, revision: u32, reason: String) {
    if !is_outstanding(step, leg.order_id, intent, revision) {
        return;
    }
    settle_doubt(step, leg.order_id, intent, Outcome::NotSent, &reason);
    match intent {
        IntentKind::New => {
            // What was asked about an order that never was has no outcome of its own.
            settle_any_doubt(step, leg.order_id, Outcome::NotSent, &reason);
            let (order_id, by, code) = (leg.order_id, EndedBy::NotSent, Code::BrokerUnavailable);
            step.emit(Event::OrderRejected(OrderRejected { order_id, by, code, text: reason }));
            parent::part_ended(step, order_id);
        }
        IntentKind::Cancel => cancel_rejected(step, leg, revision, EndedBy::NotSent, reason),
        IntentKind::Replace => replace_rejected(step, leg, revision, EndedBy::NotSent, reason),
    }
}

fn resolved(
    step: &mut Step<'_>,
    leg: &Order,
    intent: IntentKind,
    revision: u32,
    outcome: Outcome,
    broker_order_id: Option<BrokerOrderId>,
    evidence: String,
) {
    // That an order has ended is evidence even where a fill, reported just before, has answered the intent.
    let ended = matches!(outcome, Outcome::Canceled | Outcome::Expired);
    if !ended && !is_outstanding(step, leg.order_id, intent, revision) {
        return;
    }
    if outcome == Outcome::NotSent {
        return not_sent(step, leg, intent, revision, evidence);
    }
    settle_doubt(step, leg.order_id, intent, outcome, &evidence);
    match (intent, outcome) {
        (IntentKind::New, Outcome::Live) => {
            step.emit(Event::OrderAccepted(OrderAccepted { order_id: leg.order_id, broker_order_id }));
            tree::acknowledged(step, leg.order_id);
            send_waiting_cancel(step, leg.order_id);
        }
        (_, Outcome::Canceled) => canceled(step, leg, revision, evidence),
        (_, Outcome::Expired) => expired(step, leg),
        (IntentKind::New, Outcome::Rejected) => rejected(step, leg, evidence),
        (IntentKind::New, Outcome::Filled) => {
            // Its fills are reported before it; one that claims to be filled without them is raised, not believed.
            anomaly(step, leg.order_id, Anomaly::UnexpectedReport, format!("resolved as filled without its executions: {evidence}"));
        }
        (IntentKind::Cancel, Outcome::Live | Outcome::Filled | Outcome::Rejected) => {
            cancel_rejected(step, leg, revision, EndedBy::Venue, evidence);
        }
        (IntentKind::Replace, Outcome::Live | Outcome::Filled | Outcome::Rejected) => {
            replace_rejected(step, leg, revision, EndedBy::Venue, evidence);
        }
        (_, Outcome::NotSent) => (),
    }
}

/// A session that is lost leaves everything unanswered in doubt.
fn session_down(step: &mut Step<'_>, venue: Mic, reason: &str) {
    if step.state().venue(venue).is_some_and(|entry| entry.connected) {
        step.emit(Event::BrokerDisconnected(BrokerSession { venue, reason: reason.to_owned() }));
    }
    let open: Vec<OrderId> = step.state().unanswered().filter(|(mic, _)| *mic == venue).map(|(_, id)| id).take(MAX_DOUBTS).collect();
    for order_id in open {
        doubt_unanswered(step, order_id, reason);
    }
}

/// Puts whatever a leg waits for in doubt.
pub(crate) fn doubt_unanswered(step: &mut Step<'_>, order_id: OrderId, reason: &str) {
    let Some(entry) = step.state().entry(order_id) else { return };
    let (intent, revision) = match entry.request() {
        _ if entry.order.state == OrdState::Unack => (IntentKind::New, 0),
        Some(request) => request,
        None => return,
    };
    in_doubt(step, order_id, intent, revision, reason.to_owned());
}

/// Puts the replace that a leg waits for in doubt, or the cancel.
pub(crate) fn doubt_request(step: &mut Step<'_>, order_id: OrderId, reason: &str) {
    if let Some((intent, revision)) = step.state().entry(order_id).and_then(crate::state::Entry::request) {
        in_doubt(step, order_id, intent, revision, reason.to_owned());
    }
}

fn session_up(step: &mut Step<'_>, venue: Mic) {
    if step.state().venue(venue).is_some_and(|entry| !entry.connected) {
        step.emit(Event::BrokerConnected(BrokerSession { venue, reason: "session up and reconciled".to_owned() }));
    }
    cancel::resume_waiting(step, venue);
    // What a kill switch covers and could not be canceled before is asked for again.
    for (scope, _) in step.state().risk().kill_switches() {
        if !step.sweeps.iter().any(|(swept, _)| *swept == scope) {
            step.sweeps.push_back((scope, EndedBy::KillSwitch));
        }
    }
}
