//! What a client of the venue asks, read from its messages; and what it was told, read back from them.

use oms_model::command::NewOrder;
use oms_model::report::{ReportBody, VenueFill};
use oms_model::{Code, InstrumentId, Liquidity, Price, Qty, QuoteRef, Refusal, Symbol, Time, WireId};
use oms_runtime::port::{WireCancel, WireOrder, WireReplace};

use super::order::{Order, Terms};
use crate::codec::scan::View;
use crate::codec::value::{parse_decimal, parse_price, parse_qty, parse_timestamp};
use crate::desk::request::tag;
use crate::desk::words;
use crate::tags;

/// A venue knows no deadline but the order's own.
const NEVER: Time = Time(i64::MAX);

fn refuse<T>(text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(Code::ValidationError, text))
}

fn field<T>(view: &View<'_>, tag: i32, parse: impl FnOnce(&[u8]) -> Option<T>) -> Result<Option<T>, Refusal> {
    let Some(value) = view.get_filled(tag) else { return Ok(None) };
    parse(value).map(Some).ok_or_else(|| Refusal::new(Code::ValidationError, format!("the value of tag {tag} cannot be kept exactly")))
}

fn text<T>(parse: impl FnOnce(&str) -> Option<T>) -> impl FnOnce(&[u8]) -> Option<T> {
    |value| str::from_utf8(value).ok().and_then(parse)
}

/// The id in a tag.
pub(super) fn id(view: &View<'_>, tag: i32) -> Result<WireId, Refusal> {
    let id = field(view, tag, text(|id| WireId::new(id).ok()))?;
    id.ok_or_else(|| Refusal::new(Code::ValidationError, format!("tag {tag} is missing")))
}

fn symbol(view: &View<'_>) -> Result<Symbol, Refusal> {
    let symbol = field(view, tag::SYMBOL, text(|symbol| Symbol::new(symbol).ok())).ok().flatten();
    symbol.ok_or_else(|| Refusal::new(Code::UnknownSymbol, "Symbol(55) names no instrument"))
}

fn terms(view: &View<'_>) -> Result<Terms, Refusal> {
    Ok(Terms {
        qty: field(view, tag::ORDER_QTY, |value| parse_qty(value).ok())?.unwrap_or_default(),
        price: field(view, tag::PRICE, |value| parse_price(value).ok())?,
        stop_px: field(view, tag::STOP_PX, |value| parse_price(value).ok())?,
    })
}

/// NewOrderSingle(D): the order as it is kept, and as the venue gets it.
pub(super) fn new_order(view: &View<'_>) -> Result<(Order, WireOrder), Refusal> {
    let get = |tag: i32| view.get_filled(tag).unwrap_or_default().to_vec();
    let wire_id = id(view, tags::CL_ORD_ID)?;
    let Some(side) = words::side_of(&get(tag::SIDE)) else { return refuse("this Side(54) is not traded") };
    let mut kind = NewOrder::default();
    words::read_type(&mut kind, &get(tag::ORD_TYPE), view.get_filled(tag::TIME_IN_FORCE), false)?;
    let (terms, cash) = (terms(view)?, field(view, tag::CASH_ORDER_QTY, |value| parse_decimal(value).ok())?);
    if view.get_filled(tag::EXEC_INST).is_some() {
        return Err(Refusal::new(Code::OrderTypeUnsupported, "ExecInst(18) is not offered"));
    }
    let wire = WireOrder {
        wire_id: wire_id.clone(),
        instrument: InstrumentId::default(),
        symbol: symbol(view)?,
        side,
        ord_type: kind.ord_type,
        // The estimate of an order for money is its client's; the venue goes by the money.
        order_qty: if cash.is_some() && terms.qty.is_zero() { Qty::from_units(1).unwrap_or_default() } else { terms.qty },
        cash_order_qty: cash,
        quote_ref: field(view, tag::QUOTE_ID, text(|id| QuoteRef::new(id).ok()))?,
        price: terms.price,
        stop_px: terms.stop_px,
        time_in_force: kind.time_in_force,
        expire_at: field(view, tag::EXPIRE_TIME, |value| parse_timestamp(value).map(Time))?,
        deadline: NEVER,
    };
    let order = Order {
        first: wire_id.clone(),
        current: wire_id,
        account: get(tag::ACCOUNT),
        symbol: wire.symbol.clone(),
        side: get(tag::SIDE),
        ord_type: get(tag::ORD_TYPE),
        time_in_force: get(tag::TIME_IN_FORCE),
        terms,
        cash,
        ..Order::default()
    };
    Ok((order, wire))
}

/// OrderCancelRequest(F).
pub(super) fn cancel(view: &View<'_>) -> Result<WireCancel, Refusal> {
    Ok(WireCancel { wire_id: id(view, tags::CL_ORD_ID)?, orig_wire_id: id(view, tag::ORIG_CL_ORD_ID)?, deadline: NEVER })
}

/// OrderCancelReplaceRequest(G).
pub(super) fn replace(view: &View<'_>) -> Result<(WireReplace, Terms), Refusal> {
    let terms = terms(view)?;
    let wire = WireReplace {
        wire_id: id(view, tags::CL_ORD_ID)?,
        orig_wire_id: id(view, tag::ORIG_CL_ORD_ID)?,
        order_qty: terms.qty,
        price: terms.price,
        stop_px: terms.stop_px,
        deadline: NEVER,
    };
    Ok((wire, terms))
}

/// What an ExecutionReport(8) or OrderCancelReject(9) of ours told: the venue's report that it was made of. `None` where it
/// was the answer to a question.
pub(super) fn told(view: &View<'_>) -> Option<ReportBody> {
    let wire_id = id(view, tags::CL_ORD_ID).ok()?;
    let said = || view.get(tags::TEXT).map(|text| String::from_utf8_lossy(text).into_owned()).unwrap_or_default();
    if view.msg_type() == b"9" {
        return Some(match view.get(434) {
            Some(b"1") => ReportBody::CancelRejected { wire_id, text: said() },
            _ => ReportBody::ReplaceRejected { wire_id, text: said() },
        });
    }
    let exec_id = |tag: i32| field(view, tag, text(|id| id.parse().ok())).ok().flatten();
    let number = |tag: i32| field(view, tag, |value| parse_qty(value).ok()).ok().flatten().unwrap_or_default();
    let fill = |exec_id| VenueFill {
        exec_id,
        last_qty: number(32),
        last_px: field(view, 31, |value| parse_price(value).ok()).ok().flatten().unwrap_or_default(),
        liquidity: if view.get(851) == Some(b"1") { Liquidity::Added } else { Liquidity::Removed },
        fee_per_unit: Price::ZERO,
    };
    Some(match view.get(150)? {
        b"0" => ReportBody::Accepted { wire_id, broker_order_id: field(view, 37, text(|id| id.parse().ok())).ok().flatten() },
        b"8" => ReportBody::Rejected { wire_id, text: said() },
        b"F" => ReportBody::Fill { wire_id, fill: fill(exec_id(17)?) },
        b"G" => ReportBody::Corrected { wire_id, exec_ref: exec_id(19)?, fill: fill(exec_id(17)?), text: said() },
        b"H" => ReportBody::Busted { wire_id, exec_ref: exec_id(19)?, exec_id: exec_id(17)?, text: said() },
        b"4" => ReportBody::Canceled { wire_id, text: said() },
        b"5" => ReportBody::Replaced { wire_id, order_qty: Some(number(tag::ORDER_QTY)).filter(|qty| qty.is_positive()) },
        b"C" => ReportBody::Expired { wire_id },
        _ => return None,
    })
}

/// Whether a message of ours said that an order is not known here: it never will be.
pub(super) fn told_unknown(view: &View<'_>) -> Option<WireId> {
    let unknown = view.msg_type() == b"8" && view.get(150) == Some(b"I") && view.get(39) == Some(b"8") && view.get(37) == Some(b"NONE");
    if unknown { id(view, tags::CL_ORD_ID).ok() } else { None }
}
