//! What statuses, open and completed orders and notices make of their order.

use oms_model::report::ReportBody;
use oms_model::{IntentKind, Qty, WireId};
use oms_runtime::port::{RequestState, VenueState};

use super::Heard;
use super::standing::{Perm, Standing};
use crate::codec::{CompletedOrder, Notice, Number, OpenOrder, Order, OrderStatus};
use crate::connector::codes::{Meaning, meaning};
use crate::connector::terms::{rests_held, same_terms};

/// Notes a permanent id; zero is one that is not given yet.
pub(super) fn perm_of(order: &mut Standing, id: i64) -> Option<&mut Perm> {
    if id != 0 && !order.perms.iter().any(|perm| perm.id == id) {
        order.perms.push(Perm { id, done: false, cum: Qty::ZERO, refused: None });
    }
    order.perms.iter_mut().find(|perm| id == 0 || perm.id == id)
}

/// The order is reported to be taken, once.
pub(super) fn accept(order: &mut Standing, heard: &mut Heard) {
    order.heard = true;
    if !order.accepted {
        order.accepted = true;
        heard.tell(ReportBody::Accepted { wire_id: WireId::derive(order.order_id, 0), broker_order_id: order.broker_order_id() });
    }
}

fn rejected(order: &mut Standing, text: &str, heard: &mut Heard) {
    order.heard = true;
    if order.state == VenueState::Live {
        order.state = VenueState::Rejected;
        heard.tell(ReportBody::Rejected { wire_id: order.name(), text: text.to_owned() });
    }
    answer_rest(order);
}

/// The end of an order is the end of what was asked of it.
fn answer_rest(order: &mut Standing) {
    let canceled = order.state == VenueState::Canceled;
    for request in order.requests.iter_mut().filter(|request| request.answer.is_none()) {
        let granted = canceled && request.kind == IntentKind::Cancel;
        request.answer = Some(if granted { RequestState::Accepted } else { RequestState::Rejected });
    }
    order.requests.iter_mut().for_each(|request| request.is_looked_at = true);
}

fn canceled(order: &mut Standing, text: &str, heard: &mut Heard) {
    order.heard = true;
    if order.state != VenueState::Live {
        return;
    }
    order.state = VenueState::Canceled;
    let asked = order.open_request(IntentKind::Cancel).map(|request| request.wire_id.clone());
    let wire_id = asked.unwrap_or_else(|| order.name());
    answer_rest(order);
    order.settle();
    heard.tell(ReportBody::Canceled { wire_id, text: text.to_owned() });
}

/// One of the orders under this id has ended; the order has when all of them have. New terms may have made one that was not
/// shown yet: then a whole look says, which is asked for.
fn ended(order: &mut Standing, perm: i64, refused: Option<&str>, heard: &mut Heard) {
    order.heard = true;
    if perm == 0 && order.may_be_two() {
        // Of which of two orders under this id that is the end, it does not say: the broker's lists do.
        heard.look |= order.state == VenueState::Live;
        return;
    }
    if let Some(perm) = perm_of(order, perm) {
        perm.done = true;
        perm.refused = perm.refused.take().or_else(|| refused.map(str::to_owned));
    }
    if order.is_doubtful() {
        heard.look |= order.is_ending();
    } else if order.all_done() {
        over(order, refused, heard);
    }
}

/// All orders under this id have ended, and there is no other.
fn over(order: &mut Standing, refused: Option<&str>, heard: &mut Heard) {
    let all_refused = order.perms.iter().all(|perm| perm.refused.is_some());
    let first = order.perms.first().and_then(|perm| perm.refused.clone());
    match first.or_else(|| refused.map(str::to_owned)).filter(|_| all_refused) {
        Some(text) => rejected(order, &text, heard),
        None => canceled(order, "the broker tells that it is canceled", heard),
    }
}

/// A whole look that began after everything of the order had left has shown every order under its id: what was told to be
/// refused made no other, and an end that was held back is one.
pub(super) fn looked_at(order: &mut Standing, heard: &mut Heard) {
    let is_ending = order.is_ending();
    let is_over = is_ending && order.all_done() && order.agrees();
    for request in order.requests.iter_mut().filter(|request| request.kind == IntentKind::Replace) {
        // One that is on its way to the market may still be answered.
        request.is_looked_at |= is_over || request.answer.is_some();
    }
    order.settle();
    if is_over && order.state == VenueState::Live {
        over(order, None, heard);
    } else if is_over {
        answer_rest(order);
    }
}

/// Takes in the word for how an order stands.
fn stands(order: &mut Standing, word: &str, perm: i64, reason: &str, heard: &mut Heard) {
    order.heard = true;
    order.is_held = word == "PreSubmitted";
    let was_inactive = std::mem::replace(&mut order.is_inactive, word == "Inactive");
    let order_type = order.place.as_ref().map(|place| place.order.order_type.clone()).unwrap_or_default();
    match word {
        "PreSubmitted" if rests_held(&order_type) => accept(order, heard),
        "Submitted" => accept(order, heard),
        "Cancelled" | "ApiCancelled" => ended(order, perm, None, heard),
        "Filled" if perm == 0 && order.may_be_two() => heard.look |= order.state == VenueState::Live,
        "Filled" => {
            if let Some(perm) = perm_of(order, perm) {
                perm.done = true;
            }
            heard.look |= !order.agrees() || order.is_ending();
        }
        "Inactive" => {
            let refusal = order.refusal.take().or_else(|| (!reason.is_empty()).then(|| reason.to_owned()));
            match refusal {
                Some(text) => ended(order, perm, Some(&text), heard),
                // Held, or refused with the reason still to come: how it stands is asked, once.
                None => heard.look |= order.state == VenueState::Live && !was_inactive,
            }
        }
        // On its way, held without being a type that is, or a cancel is on its way: it lives.
        _ => (),
    }
}

/// New terms that were asked for are those that the gateway tells.
fn replaced(order: &mut Standing, told: &Order, heard: &mut Heard) {
    // One that was executed beyond its old quantity has its new one.
    if !matches!(order.state, VenueState::Live | VenueState::Filled) {
        return;
    }
    if 1 < order.perms.len() && order.all_done() {
        // One of two that have ended: whether the order had got new terms, or a second one, is nothing that is told any more.
        return;
    }
    let is_doubled = order.is_doubled();
    let Some(request) = order.open_request(IntentKind::Replace) else { return };
    let Some(asked) = request.place.clone().filter(|asked| same_terms(&asked.order, told)) else { return };
    if told.perm_id == 0 {
        // Whether the order has these terms, or a second one under its id, it does not say. Unless that is told soon, it is asked.
        return;
    }
    let wire_id = request.wire_id.clone();
    if is_doubled {
        // Two orders work where one was to be changed. Nothing is claimed: the desk asks, and is told that it is not known.
        let reason = "the broker shows a second order under the same id".to_owned();
        heard.tell(ReportBody::Unknown { wire_id, intent: IntentKind::Replace, reason });
        return;
    }
    request.answer = Some(RequestState::Accepted);
    order.order_qty = told.quantity.0.qty().unwrap_or(order.order_qty);
    order.place = Some(asked);
    order.settle();
    let order_qty = Some(order.order_qty);
    heard.tell(ReportBody::Replaced { wire_id, order_qty });
}

/// An open order.
pub(super) fn open_order(order: &mut Standing, row: &OpenOrder, heard: &mut Heard) {
    perm_of(order, row.order.perm_id);
    if order.place.is_none() {
        // The log has lost it; the gateway has its terms.
        order.order_qty = row.order.quantity.0.qty().unwrap_or_default();
        order.see_terms(&row.contract, row.order.action == "BUY");
    }
    stands(order, &row.state.status, row.order.perm_id, &row.state.reject_reason, heard);
    replaced(order, &row.order, heard);
    order.settle();
}

/// An order status.
pub(super) fn order_status(order: &mut Standing, row: &OrderStatus, heard: &mut Heard) {
    let filled = row.filled.0.qty().unwrap_or_default();
    let is_of_one = row.perm_id != 0 || !order.may_be_two();
    if let Some(perm) = perm_of(order, row.perm_id).filter(|_| is_of_one) {
        perm.cum = perm.cum.max(filled);
    }
    stands(order, &row.status, row.perm_id, "", heard);
    order.settle();
}

/// An order that is done.
pub(super) fn completed(order: &mut Standing, row: &CompletedOrder, heard: &mut Heard) {
    let filled = row.filled.and_then(|filled| filled.0.qty()).or_else(|| told_filled(&row.state.completed_status));
    if let (Some(perm), Some(filled)) = (perm_of(order, row.order.perm_id), filled) {
        perm.cum = perm.cum.max(filled);
    }
    replaced(order, &row.order, heard);
    let words = row.state.completed_status.as_str();
    match row.state.status.as_str() {
        "Inactive" => {
            let reason = words.strip_prefix("Rejected:").map_or(words, str::trim_start);
            let reason = if reason.is_empty() { "refused by the broker" } else { reason };
            ended(order, row.order.perm_id, Some(reason), heard);
        }
        word => stands(order, word, row.order.perm_id, "", heard),
    }
    order.settle();
    // It is told because it was asked for, after the executions: asking again would say the same.
    heard.look = false;
}

/// `Filled Size: 100`.
fn told_filled(words: &str) -> Option<Qty> {
    words.strip_prefix("Filled Size:")?.trim().parse::<Number>().ok()?.qty()
}

/// A notice about an order.
pub(super) fn notice(order: &mut Standing, notice: &Notice, heard: &mut Heard) {
    let text = format!("{} {}", notice.code, notice.text);
    match meaning(notice.code) {
        Meaning::Canceled => {
            // It comes with a status or without one; it does not say which of two orders it is about.
            if order.may_be_two() {
                heard.look |= order.state == VenueState::Live;
            } else {
                order.perms.iter_mut().for_each(|perm| perm.done = true);
                canceled(order, &text, heard);
            }
        }
        Meaning::CancelRefused => {
            if let Some(request) = order.open_request(IntentKind::Cancel) {
                request.answer = Some(RequestState::Rejected);
                let wire_id = request.wire_id.clone();
                heard.tell(ReportBody::CancelRejected { wire_id, text });
            }
            heard.look |= order.state == VenueState::Live;
        }
        Meaning::ModifyRefused => replace_refused(order, text, heard),
        Meaning::DuplicateId | Meaning::Refused => refused(order, text, heard),
        Meaning::Warning | Meaning::Data => order.heard = true,
        _ => heard.look = true,
    }
}

fn replace_refused(order: &mut Standing, text: String, heard: &mut Heard) {
    if let Some(request) = order.open_request(IntentKind::Replace) {
        request.answer = Some(RequestState::Rejected);
        let wire_id = request.wire_id.clone();
        heard.tell(ReportBody::ReplaceRejected { wire_id, text });
    }
}

/// A refusal is of what was asked last: new terms, or the order itself.
fn refused(order: &mut Standing, text: String, heard: &mut Heard) {
    let was_replaced = order.requests.iter().any(|request| request.kind == IntentKind::Replace);
    if order.open_request(IntentKind::Replace).is_some() {
        replace_refused(order, text, heard);
        heard.look = true;
    } else if !order.heard || !was_replaced && is_inactive_refusal(order) {
        rejected(order, &text, heard);
    } else if order.state == VenueState::Live {
        // The order was taken, and is inactive or will be told to be: its status decides. Where new terms were asked for,
        // this may be their refusal, told twice; then the broker's lists decide alone.
        order.refusal = Some(text).filter(|_| !was_replaced);
        heard.look = true;
    }
}

/// Nothing of it was executed and it was never told to work: a refusal is its end.
fn is_inactive_refusal(order: &Standing) -> bool {
    !order.accepted && order.fills.is_empty()
}
