//! What one ExecutionReport(8) makes of its order.

use oms_model::logged::Quoted;
use oms_model::report::{ReportBody, VenueFill};
use oms_model::{IntentKind, OrdType, Price, TimeInForce, WireId};
use oms_runtime::port::{RequestState, VenueState};

use super::super::order::DontKnow;
use super::super::said::Said;
use super::super::standing::{Request, Sending, Standing};
use super::Heard;
use crate::desk::words;

/// A report about something that is not ours. What moved is reported all the same, and told not to be known.
pub(super) fn stranger(said: &Said<'_>) -> Heard {
    let fill = if said.is(150, b"F") { said.fill() } else { None };
    let Some(fill) = fill else { return Heard::default() };
    let wire_id = said.wire(11).or_else(|| said.wire(37)).unwrap_or_default();
    let reports = vec![(said.at(), ReportBody::Fill { wire_id, fill })];
    // Nothing is kept of it, so whether it came before is not known; that it comes again is rare.
    Heard { reports, dont_know: Some(DontKnow::NoOrder).filter(|_| !said.is_again()), is_news: true }
}

/// Takes in a report about an order, which the venue names `wire_id`.
pub(super) fn report(order: &mut Standing, said: &Said<'_>, wire_id: &WireId) -> Heard {
    let Some(exec_type) = said.get(150) else { return Heard::default() };
    let before = (order.heard, order.state);
    let mut heard = Heard::default();
    let body = match exec_type {
        b"0" => accepted(order, said, wire_id),
        b"8" => rejected(order, said, wire_id),
        b"F" => {
            executed(order, said, wire_id, &mut heard);
            None
        }
        b"4" => {
            let asked = answered(order, wire_id, IntentKind::Cancel);
            heard.is_news |= asked;
            end(order, VenueState::Canceled);
            Some(ReportBody::Canceled { wire_id: wire_id.clone(), text: said.text() })
        }
        b"5" => replaced(order, said, wire_id, &mut heard),
        b"C" => {
            end(order, VenueState::Expired);
            Some(ReportBody::Expired { wire_id: wire_id.clone() })
        }
        b"3" => done_for_day(order, wire_id),
        b"D" => restated(order, said, wire_id),
        b"H" => busted(order, said, wire_id, &mut heard),
        b"G" => corrected(order, said, wire_id, &mut heard),
        // Pending, suspended, calculated, stopped: it works there, and nothing has come of it.
        _ => {
            order.heard = true;
            None
        }
    };
    order.silent = false;
    heard.is_news |= before != (order.heard, order.state);
    heard.reports.extend(body.map(|body| (said.at(), body)));
    heard
}

fn accepted(order: &mut Standing, said: &Said<'_>, wire_id: &WireId) -> Option<ReportBody> {
    order.heard = true;
    Some(ReportBody::Accepted { wire_id: wire_id.clone(), broker_order_id: said.broker_order_id() })
}

fn rejected(order: &mut Standing, said: &Said<'_>, wire_id: &WireId) -> Option<ReportBody> {
    // A second order under the same id is refused without a word about the first.
    if !order.heard {
        end(order, VenueState::Rejected);
    }
    Some(ReportBody::Rejected { wire_id: wire_id.clone(), text: said.text() })
}

fn end(order: &mut Standing, state: VenueState) {
    order.heard = true;
    if order.state == VenueState::Live {
        order.state = state;
    }
}

/// Takes in that a request was granted; whether that is news.
fn answered(order: &mut Standing, wire_id: &WireId, kind: IntentKind) -> bool {
    if *wire_id == WireId::derive(order.order_id, 0) {
        return false;
    }
    if order.request(wire_id).is_none() {
        let fresh = Request { wire_id: wire_id.clone(), kind, sending: Sending::Never, terms: None, answer: None };
        order.requests.push(fresh);
    }
    let request = order.request(wire_id).filter(|request| request.kind == kind);
    request.is_some_and(|request| request.answer.replace(RequestState::Accepted) != Some(RequestState::Accepted))
}

fn replaced(order: &mut Standing, said: &Said<'_>, wire_id: &WireId, heard: &mut Heard) -> Option<ReportBody> {
    order.heard = true;
    heard.is_news |= answered(order, wire_id, IntentKind::Replace);
    let asked = order.request(wire_id).and_then(|request| request.terms.clone());
    if let Some(terms) = asked.or_else(|| order.terms.clone()) {
        order.order_qty = said.qty(38).unwrap_or(terms.order_qty);
        let told = |tag: i32, own: Option<Price>| said.price(tag).or(own);
        let (price, stop_px) = (told(44, terms.price), told(99, terms.stop_px));
        order.terms = Some(super::super::order::Terms { order_qty: order.order_qty, price, stop_px, ..terms });
    }
    order.settle();
    Some(ReportBody::Replaced { wire_id: wire_id.clone(), order_qty: said.qty(38) })
}

fn done_for_day(order: &mut Standing, wire_id: &WireId) -> Option<ReportBody> {
    order.heard = true;
    let for_today = order.terms.as_ref().is_none_or(|terms| terms.time_in_force == TimeInForce::Day);
    for_today.then(|| {
        end(order, VenueState::Expired);
        ReportBody::Expired { wire_id: wire_id.clone() }
    })
}

/// The venue changed the order of its own accord: what it is now is taken in, and that it ended is told.
fn restated(order: &mut Standing, said: &Said<'_>, wire_id: &WireId) -> Option<ReportBody> {
    order.heard = true;
    order.order_qty = said.qty(38).unwrap_or(order.order_qty);
    match said.get(39) {
        Some(b"4") => {
            end(order, VenueState::Canceled);
            Some(ReportBody::Canceled { wire_id: wire_id.clone(), text: said.text() })
        }
        Some(b"C") => {
            end(order, VenueState::Expired);
            Some(ReportBody::Expired { wire_id: wire_id.clone() })
        }
        _ => {
            tracing::warn!(order = %wire_id, text = %Quoted(&said.text()), "the venue restated an order");
            None
        }
    }
}

fn executed(order: &mut Standing, said: &Said<'_>, wire_id: &WireId, heard: &mut Heard) {
    let Some(fill) = said.fill() else {
        tracing::error!(order = %wire_id, "an execution without a usable ExecID, LastQty or LastPx");
        return;
    };
    let at = said.at();
    order.heard = true;
    if order.told.insert(fill.exec_id.clone()) {
        heard.is_news = true;
        order.fills.push((at, fill.clone()));
        order.fills.sort_by(|(a, one), (b, two)| a.cmp(b).then_with(|| one.exec_id.cmp(&two.exec_id)));
        heard.dont_know = dont_know(order, said);
    }
    // An order for money has no quantity before it is over.
    let by_money = order.terms.as_ref().is_some_and(|terms| terms.cash_order_qty.is_some());
    if by_money {
        order.order_qty = if said.is(39, b"2") { order.traded() } else { order.order_qty.max(order.traded()) };
    }
    if !by_money || said.is(39, b"2") {
        order.settle();
    }
    let commission = said.commission();
    let (wire_id, exec_id) = (wire_id.clone(), fill.exec_id.clone());
    heard.reports.push((at, ReportBody::Fill { wire_id: wire_id.clone(), fill }));
    if let Some((commission, currency)) = commission {
        heard.reports.push((at, ReportBody::Commission { wire_id, exec_id, commission, currency }));
    }
}

fn dont_know(order: &Standing, said: &Said<'_>) -> Option<DontKnow> {
    let terms = order.terms.as_ref()?;
    let side = said.get(54).and_then(words::side_of);
    let by_money = terms.cash_order_qty.is_some() || terms.ord_type == OrdType::PreviouslyQuoted;
    if side.is_some_and(|side| side.is_buy() != terms.side.is_buy()) {
        return Some(DontKnow::WrongSide);
    }
    (!by_money && order.most() < order.traded()).then_some(DontKnow::TooMuch)
}

fn busted(order: &mut Standing, said: &Said<'_>, wire_id: &WireId, heard: &mut Heard) -> Option<ReportBody> {
    let exec_ref = said.exec_ref(order.fills.iter().map(|(_, fill)| &fill.exec_id))?;
    let exec_id = said.exec_id()?;
    if order.told.insert(exec_id.clone()) {
        heard.is_news = true;
        order.fills.retain(|(_, fill)| fill.exec_id != exec_ref);
        // Should the execution itself come after all, it was taken back already.
        order.told.insert(exec_ref.clone());
        order.settle();
    }
    Some(ReportBody::Busted { wire_id: wire_id.clone(), exec_ref, exec_id, text: said.text() })
}

fn corrected(order: &mut Standing, said: &Said<'_>, wire_id: &WireId, heard: &mut Heard) -> Option<ReportBody> {
    let exec_ref = said.exec_ref(order.fills.iter().map(|(_, fill)| &fill.exec_id))?;
    let fill = said.fill()?;
    if order.told.insert(fill.exec_id.clone()) {
        heard.is_news = true;
        let known = order.fills.iter().position(|(_, known)| known.exec_id == exec_ref);
        let as_now = VenueFill { exec_id: exec_ref.clone(), ..fill.clone() };
        match known.and_then(|at| order.fills.get_mut(at)) {
            Some((_, known)) => *known = as_now,
            None if order.told.insert(exec_ref.clone()) => order.fills.push((said.at(), as_now)),
            // It was taken back before.
            None => (),
        }
        order.settle();
    }
    Some(ReportBody::Corrected { wire_id: wire_id.clone(), exec_ref, fill, text: said.text() })
}
