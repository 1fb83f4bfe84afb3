//! What a venue tells its clients: ExecutionReport(8) and OrderCancelReject(9), with the pairs of FIX 4.4 Volume 4,
//! Appendix D.

use oms_model::report::VenueFill;
use oms_model::{ExecId, Liquidity, Mic, Notional, Qty, Time, WireId};
use oms_runtime::port::{VenueOrder, VenueState};

use super::order::Order;
use crate::codec::scan::View;
use crate::desk::body::Body;
use crate::desk::request::tag;
use crate::session::outbox::Outgoing;
use crate::tags;

/// CommType(13): a charge per unit.
const PER_UNIT: &[u8] = b"1";

/// OrdRejReason(103), by the venue's words.
fn ord_rej_reason(text: &str) -> u64 {
    match text {
        "unknown symbol" => 1,
        "duplicate ClOrdID" => 6,
        _ => 0,
    }
}

/// An ExecutionReport of an order as it stands. `name` is the ClOrdID(11) that it is told under.
pub(super) fn report(venue: Mic, order: &Order, name: &WireId, exec_type: u8, exec_id: &str, at: Time) -> Body {
    let mut body = Body::new(b"8");
    let broker = order.broker_order_id.as_ref().map_or("NONE", |id| id.as_str());
    body.text(37, broker).text(11, name.as_str()).text(17, exec_id).put(150, &[exec_type]).put(39, &[order.status()]);
    if *name != order.current {
        body.text(41, order.current.as_str());
    }
    body.put(1, &order.account).text(55, order.symbol.as_str()).put(54, &order.side).put(40, &order.ord_type);
    body.put(59, &order.time_in_force).amount(38, order.terms.qty);
    for (tag, price) in [(44, order.terms.price), (99, order.terms.stop_px)] {
        if let Some(price) = price {
            body.amount(tag, price);
        }
    }
    if let Some(cash) = order.cash {
        body.amount(152, cash);
    }
    body.amount(14, order.cum).amount(151, order.leaves()).amount(6, order.avg_px()).text(30, venue.as_str()).time(60, at);
    body
}

/// An execution, its correction (with `replaces`).
pub(super) fn fill(body: &mut Body, fill: &VenueFill, replaces: Option<&ExecId>) {
    body.amount(32, fill.last_qty).amount(31, fill.last_px).amount(12, fill.fee_per_unit).put(13, PER_UNIT);
    body.put(851, if fill.liquidity == Liquidity::Added { b"1" } else { b"2" });
    if let Some(exec_id) = replaces {
        body.text(19, exec_id.as_str());
    }
}

/// An order was refused before anybody kept it: told with what was asked.
pub(super) fn refused(view: &View<'_>, exec_id: &str, reason: u64, text: &str, at: Time) -> Outgoing {
    let mut body = Body::new(b"8");
    let get = |tag: i32| view.get_filled(tag).unwrap_or_default();
    body.text(37, "NONE").put(11, get(tags::CL_ORD_ID)).text(17, exec_id).put(150, b"8").put(39, b"8");
    for tag in [tag::ACCOUNT, tag::ORDER_QTY, tag::ORD_TYPE, tag::SIDE, tag::SYMBOL] {
        body.put(tag, get(tag));
    }
    body.put(6, b"0").put(14, b"0").put(151, b"0").uint(103, reason).text(58, text).time(60, at);
    body.finish()
}

/// Ends a report of a refusal.
pub(super) fn with_reason(mut body: Body, text: &str) -> Outgoing {
    body.uint(103, ord_rej_reason(text)).text(58, text);
    body.finish()
}

/// An OrderCancelReject. `cancel` says which kind of request is refused.
pub(super) fn cancel_reject(order: Option<&Order>, wire_id: &WireId, orig: &WireId, cancel: bool, text: &str, at: Time) -> Outgoing {
    let mut body = Body::new(b"9");
    let broker = order.and_then(|order| order.broker_order_id.as_ref()).map_or("NONE", |id| id.as_str());
    let status = order.map_or(b'8', Order::status);
    // CxlRejReason(102): unknown order, too late, a ClOrdID that was used before, or the venue's own.
    let reason = match order {
        _ if text == "duplicate ClOrdID" => 6,
        None => 1,
        Some(order) if order.is_done() => 0,
        Some(_) => 2,
    };
    body.text(37, broker).text(11, wire_id.as_str()).text(41, orig.as_str()).put(39, &[status]);
    body.put(434, if cancel { b"1" } else { b"2" }).uint(102, reason).text(58, text).time(60, at);
    body.finish()
}

/// How an order stands by the venue itself. `order` is what is kept of it here; what is not is repeated from the question.
pub(super) fn status(venue: Mic, found: &VenueOrder, order: Option<&Order>, view: &View<'_>, at: Time) -> Body {
    let mut body = Body::new(b"8");
    let sum = |(qty, notional): (Qty, Notional), (_, fill): &(Time, VenueFill)| {
        (qty.saturating_add(fill.last_qty), notional.saturating_add(fill.last_px.notional(fill.last_qty).unwrap_or_default()))
    };
    let (cum, notional) = found.fills.iter().fold((Qty::ZERO, Notional::ZERO), sum);
    let (status, works) = match found.state {
        VenueState::Live if cum.is_positive() => (b'1', true),
        VenueState::Live => (b'0', true),
        VenueState::Filled => (b'2', false),
        VenueState::Canceled => (b'4', false),
        VenueState::Rejected => (b'8', false),
        VenueState::Expired => (b'C', false),
    };
    body.text(37, found.broker_order_id.as_str()).text(17, "0").put(150, b"I").put(39, &[status]);
    let get = |tag: i32| view.get_filled(tag).unwrap_or_default();
    match order {
        Some(order) => {
            body.text(11, order.current.as_str()).put(1, &order.account).text(55, order.symbol.as_str()).put(54, &order.side);
            body.put(40, &order.ord_type).put(59, &order.time_in_force);
            if order.current != order.first {
                body.text(41, order.first.as_str());
            }
        }
        None => {
            let side = Some(get(tag::SIDE)).filter(|side| !side.is_empty()).unwrap_or(b"1");
            let symbol = Some(get(tag::SYMBOL)).filter(|symbol| !symbol.is_empty()).unwrap_or(b"[N/A]");
            body.text(11, found.wire_id.as_str()).put(55, symbol).put(54, side);
        }
    }
    body.amount(38, found.order_qty);
    if let Some(price) = found.price {
        body.amount(44, price);
    }
    let leaves = if works { found.order_qty.saturating_sub(cum) } else { Qty::ZERO };
    let avg_px = notional.avg_px(cum).unwrap_or_default();
    body.amount(14, cum).amount(151, leaves).amount(6, avg_px).text(30, venue.as_str()).time(60, at);
    body
}

/// An order that the venue does not know.
pub(super) fn unknown(view: &View<'_>, name: Option<&[u8]>, text: &str, at: Time) -> Body {
    let mut body = Body::new(b"8");
    let get = |tag: i32| view.get_filled(tag).unwrap_or_default();
    let or = |value: &'static [u8], tag: i32| Some(get(tag)).filter(|given| !given.is_empty()).unwrap_or(value).to_vec();
    body.text(37, "NONE").put(11, name.unwrap_or_default()).text(17, "0").put(150, b"I").put(39, b"8");
    body.put(55, &or(b"[N/A]", tag::SYMBOL)).put(54, &or(b"1", tag::SIDE));
    body.put(6, b"0").put(14, b"0").put(151, b"0").text(58, text).time(60, at);
    body
}
