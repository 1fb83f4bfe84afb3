//! What a client asks, read from its messages. What asks for something that is not offered is refused, never passed over.

use oms_model::algo::{Peg, PegPrice};
use oms_model::command::{Change, NewOrder, NewQuoteRequest};
use oms_model::work::{Instructions, Trail};
use oms_model::{ClOrdId, Code, Price, Qty, QuoteId, Refusal, Side, SorMode, Symbol, Time};

use super::catalog::Catalog;
use super::{strategy, words};
use crate::codec::scan::View;
use crate::codec::value::{parse_decimal, parse_price, parse_qty, parse_timestamp};
use crate::tags;

/// FIX's tags that the desk speaks of, beside those of the session.
pub mod tag {
    #![allow(missing_docs, reason = "the names are those of the FIX dictionary")]
    pub const ACCOUNT: i32 = 1;
    pub const CURRENCY: i32 = 15;
    pub const EXEC_INST: i32 = 18;
    pub const HANDL_INST: i32 = 21;
    pub const ORDER_QTY: i32 = 38;
    pub const ORD_TYPE: i32 = 40;
    pub const ORIG_CL_ORD_ID: i32 = 41;
    pub const PRICE: i32 = 44;
    pub const SIDE: i32 = 54;
    pub const SYMBOL: i32 = 55;
    pub const TIME_IN_FORCE: i32 = 59;
    pub const VALID_UNTIL_TIME: i32 = 62;
    pub const STOP_PX: i32 = 99;
    pub const EX_DESTINATION: i32 = 100;
    pub const MAX_FLOOR: i32 = 111;
    pub const QUOTE_ID: i32 = 117;
    pub const EXPIRE_TIME: i32 = 126;
    pub const QUOTE_REQ_ID: i32 = 131;
    pub const CASH_ORDER_QTY: i32 = 152;
    pub const NO_RELATED_SYM: i32 = 146;
    pub const EFFECTIVE_TIME: i32 = 168;
    pub const PEG_OFFSET_VALUE: i32 = 211;
    pub const MASS_CANCEL_REQUEST_TYPE: i32 = 530;
    pub const MASS_STATUS_REQ_ID: i32 = 584;
    pub const MASS_STATUS_REQ_TYPE: i32 = 585;
    pub const QUOTE_RESP_ID: i32 = 693;
    pub const QUOTE_RESP_TYPE: i32 = 694;
    pub const ORD_STATUS_REQ_ID: i32 = 790;
    pub const PEG_OFFSET_TYPE: i32 = 836;
}

/// One, as a price is kept.
const SCALE: i64 = 1_000_000_000;

/// Fields that would change what an order means, and that the desk does not offer.
const NOT_OFFERED: [(i32, &str); 11] = [
    (78, "NoAllocs(78)"),
    (110, "MinQty(110)"),
    (210, "MaxShow(210)"),
    (386, "NoTradingSessions(386)"),
    (388, "DiscretionInst(388)"),
    (423, "PriceType(423)"),
    (432, "ExpireDate(432): give ExpireTime(126)"),
    (480, "CancellationRights(480)"),
    (516, "OrderPercent(516)"),
    (640, "Price2(640)"),
    (837, "PegLimitType(837)"),
];

/// What the answer to a message repeats of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// MsgType(35).
    pub msg_type: u8,
    /// MsgSeqNum(34).
    pub seq: u64,
    /// When the numbers last were 1.
    pub numbering: i64,
    /// ClOrdID(11), as it came.
    pub cl_ord_id: Vec<u8>,
    /// OrigClOrdID(41), as it came.
    pub orig: Vec<u8>,
    /// Symbol(55), as it came.
    pub symbol: Vec<u8>,
    /// Side(54), as it came.
    pub side: Vec<u8>,
    /// OrderQty(38), as it came.
    pub order_qty: Vec<u8>,
    /// OrdType(40), as it came.
    pub ord_type: Vec<u8>,
    /// The id of a request: MassStatusReqID(584), OrdStatusReqID(790), QuoteReqID(131) or QuoteRespID(693).
    pub req_id: Vec<u8>,
    /// MassCancelRequestType(530) or MassStatusReqType(585).
    pub req_type: Vec<u8>,
    /// QuoteID(117), as it came.
    pub quote_id: Vec<u8>,
    /// PossResend(97).
    pub again: bool,
}

impl Subject {
    /// Reads it; nothing of it is checked.
    #[must_use]
    pub fn of(view: &View<'_>, seq: u64, numbering: i64) -> Self {
        let mut subject = Self { msg_type: kind(view.msg_type()), seq, numbering, ..Self::default() };
        for span in view.spans() {
            let value = view.value(span);
            let place = match span.tag {
                tags::CL_ORD_ID => &mut subject.cl_ord_id,
                tag::ORIG_CL_ORD_ID => &mut subject.orig,
                tag::SYMBOL => &mut subject.symbol,
                tag::SIDE => &mut subject.side,
                tag::ORDER_QTY => &mut subject.order_qty,
                tag::ORD_TYPE => &mut subject.ord_type,
                tag::MASS_STATUS_REQ_ID | tag::ORD_STATUS_REQ_ID | tag::QUOTE_REQ_ID | tag::QUOTE_RESP_ID => &mut subject.req_id,
                tag::QUOTE_ID => &mut subject.quote_id,
                tag::MASS_CANCEL_REQUEST_TYPE | tag::MASS_STATUS_REQ_TYPE => &mut subject.req_type,
                tags::POSS_RESEND => {
                    subject.again = value == b"Y";
                    continue;
                }
                _ => continue,
            };
            *place = value.to_vec();
        }
        subject
    }
}

/// A message type of the desk: its letter, `M` for OrderMassStatusRequest(AF), `J` for QuoteResponse(AJ).
fn kind(msg_type: &[u8]) -> u8 {
    match msg_type {
        b"AF" => b'M',
        b"AJ" => b'J',
        [one] => *one,
        _ => 0,
    }
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// NewOrderSingle(D).
    Create(Box<NewOrder>),
    /// OrderCancelRequest(F).
    Cancel {
        /// The id of the request.
        cl_ord_id: ClOrdId,
        /// The order.
        orig: ClOrdId,
    },
    /// OrderCancelReplaceRequest(G).
    Replace {
        /// The id of the request.
        cl_ord_id: ClOrdId,
        /// The order.
        orig: ClOrdId,
        /// To what.
        change: Change,
    },
    /// OrderStatusRequest(H).
    Status,
    /// OrderMassStatusRequest(AF); `None`: everything.
    MassStatus(Option<Symbol>),
    /// OrderMassCancelRequest(q); `None`: everything.
    MassCancel(Option<Symbol>),
    /// QuoteRequest(R).
    Quote(Box<NewQuoteRequest>),
    /// QuoteResponse(AJ) that takes a quote.
    Accept {
        /// Which.
        quote_id: QuoteId,
        /// On which side.
        side: Option<Side>,
        /// How much.
        order_qty: Option<Qty>,
        /// The id of the order that does.
        cl_ord_id: ClOrdId,
    },
    /// QuoteResponse(AJ) that does not.
    Pass,
    /// QuoteCancel(Z): the request is taken back.
    Withdraw,
}

fn refuse<T>(code: Code, text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(code, text))
}

fn invalid(text: impl Into<String>) -> Refusal {
    Refusal::new(Code::ValidationError, text)
}

/// Reads a message.
///
/// # Errors
/// Why it is refused, before anybody has decided about it.
pub fn read(view: &View<'_>, subject: &Subject, catalog: &Catalog, now: Time) -> Result<Ask, Refusal> {
    match subject.msg_type {
        b'D' => create(view, catalog).map(|order| Ask::Create(Box::new(order))),
        b'F' => Ok(Ask::Cancel { cl_ord_id: id(&subject.cl_ord_id, "ClOrdID(11)")?, orig: id(&subject.orig, "OrigClOrdID(41)")? }),
        b'G' => replace(view, subject),
        b'H' => Ok(Ask::Status),
        b'M' => scope(subject, b"7").map(Ask::MassStatus),
        b'q' => scope(subject, b"7").map(Ask::MassCancel),
        b'R' => quote(view, subject, catalog, now).map(|request| Ask::Quote(Box::new(request))),
        b'J' => response(view, subject),
        b'Z' => Ok(Ask::Withdraw),
        _ => refuse(Code::MethodNotAllowed, "this MsgType(35) is not served"),
    }
}

/// Fields of a QuoteRequest that would change what it means, and that the desk does not offer.
const NOT_QUOTED: [(i32, &str); 6] = [
    (44, "Price(44)"),
    (152, "CashOrderQty(152)"),
    (453, "NoPartyIDs(453): every dealer is asked"),
    (555, "NoLegs(555)"),
    (640, "Price2(640)"),
    (735, "NoQuoteQualifiers(735)"),
];
/// How long a request lives that does not say it, in milliseconds.
const QUOTE_LIFE_MS: u32 = 30_000;

fn quote(view: &View<'_>, subject: &Subject, catalog: &Catalog, now: Time) -> Result<NewQuoteRequest, Refusal> {
    if let Some((_, name)) = NOT_QUOTED.iter().find(|(tag, _)| view.get_filled(*tag).is_some()) {
        return refuse(Code::OrderTypeUnsupported, format!("{name} is not offered"));
    }
    if view.get(tag::NO_RELATED_SYM) != Some(b"1") {
        return refuse(Code::ValidationError, "a request is for one security: NoRelatedSym(146) must be 1");
    }
    let until = match time(view, tag::EXPIRE_TIME)? {
        Some(at) => Some(at),
        None => time(view, tag::VALID_UNTIL_TIME)?,
    };
    let life_ms = until.map_or(Some(QUOTE_LIFE_MS), |at| u32::try_from(at.since(now) / 1_000_000).ok().filter(|ms| *ms > 0));
    Ok(NewQuoteRequest {
        account_id: view.get_filled(tag::ACCOUNT).map(|name| catalog.account(name)).transpose()?,
        symbol: symbol(&subject.symbol)?,
        side: super::quotes::side(subject)?,
        order_qty: qty(view, tag::ORDER_QTY)?.unwrap_or_default(),
        dealers: Vec::new(),
        life_ms: life_ms.ok_or_else(|| invalid("ExpireTime(126) is past, or too far away"))?,
    })
}

fn response(view: &View<'_>, subject: &Subject) -> Result<Ask, Refusal> {
    match view.get(tag::QUOTE_RESP_TYPE) {
        Some(b"1") => Ok(Ask::Accept {
            quote_id: str::from_utf8(&subject.quote_id).ok().and_then(|id| id.parse().ok()).ok_or_else(no_quote)?,
            side: super::quotes::side(subject)?,
            order_qty: qty(view, tag::ORDER_QTY)?,
            cl_ord_id: id(&subject.cl_ord_id, "ClOrdID(11)")?,
        }),
        Some(b"6") => Ok(Ask::Pass),
        _ => refuse(Code::OrderTypeUnsupported, "QuoteRespType(694) must be 1 (hit or lift) or 6 (pass)"),
    }
}

/// A quote that is none of the session's.
pub(super) fn no_quote() -> Refusal {
    Refusal::new(Code::NotFound, "there is no such quote of this session")
}

/// Everything, or one security: what mass requests are taken for.
fn scope(subject: &Subject, everything: &[u8]) -> Result<Option<Symbol>, Refusal> {
    match subject.req_type.as_slice() {
        all if all == everything => Ok(None),
        b"1" => symbol(&subject.symbol).map(Some),
        _ => refuse(Code::ValidationError, "only all orders (7) or those of one security (1) can be meant"),
    }
}

fn id(value: &[u8], name: &str) -> Result<ClOrdId, Refusal> {
    let id = str::from_utf8(value).ok().and_then(|text| ClOrdId::new(text).ok());
    id.ok_or_else(|| invalid(format!("{name} must be 1 to 64 printable ASCII characters without spaces")))
}

fn symbol(value: &[u8]) -> Result<Symbol, Refusal> {
    let symbol = str::from_utf8(value).ok().and_then(|text| Symbol::new(text).ok());
    symbol.ok_or_else(|| Refusal::new(Code::UnknownSymbol, "Symbol(55) names no instrument"))
}

/// The value of a tag, read by `parse`.
fn field<T>(view: &View<'_>, tag: i32, parse: impl FnOnce(&[u8]) -> Option<T>) -> Result<Option<T>, Refusal> {
    let Some(value) = view.get_filled(tag) else { return Ok(None) };
    parse(value).map(Some).ok_or_else(|| invalid(format!("the value of tag {tag} is not one that can be kept exactly")))
}

fn price(view: &View<'_>, tag: i32) -> Result<Option<Price>, Refusal> {
    field(view, tag, |value| parse_price(value).ok())
}

fn qty(view: &View<'_>, tag: i32) -> Result<Option<Qty>, Refusal> {
    field(view, tag, |value| parse_qty(value).ok())
}

fn time(view: &View<'_>, tag: i32) -> Result<Option<Time>, Refusal> {
    field(view, tag, |value| parse_timestamp(value).map(Time))
}

fn only_offered(view: &View<'_>) -> Result<(), Refusal> {
    match NOT_OFFERED.iter().find(|(tag, _)| view.get_filled(*tag).is_some()) {
        Some((_, name)) => refuse(Code::OrderTypeUnsupported, format!("{name} is not offered")),
        None => Ok(()),
    }
}

fn create(view: &View<'_>, catalog: &Catalog) -> Result<NewOrder, Refusal> {
    only_offered(view)?;
    let get = |tag: i32| view.get_filled(tag).unwrap_or_default();
    let Some(side) = words::side_of(get(tag::SIDE)) else {
        return refuse(Code::OrderTypeUnsupported, "this Side(54) is not offered");
    };
    let peg = peg_of(view)?;
    let mut order = NewOrder {
        cl_ord_id: Some(id(get(tags::CL_ORD_ID), "ClOrdID(11)")?),
        account_id: view.get_filled(tag::ACCOUNT).map(|name| catalog.account(name)).transpose()?,
        symbol: symbol(get(tag::SYMBOL))?,
        side,
        order_qty: qty(view, tag::ORDER_QTY)?.unwrap_or_default(),
        cash_order_qty: field(view, tag::CASH_ORDER_QTY, |value| parse_decimal(value).ok())?,
        price: price(view, tag::PRICE)?,
        stop_px: price(view, tag::STOP_PX)?,
        expire_at: time(view, tag::EXPIRE_TIME)?,
        quote_id: field(view, tag::QUOTE_ID, |value| str::from_utf8(value).ok()?.parse().ok())?,
        ..NewOrder::default()
    };
    let trails = peg == Some(PegKind::Trailing);
    words::read_type(&mut order, get(tag::ORD_TYPE), view.get_filled(tag::TIME_IN_FORCE), trails)?;
    if let Some(currency) = view.get_filled(tag::CURRENCY) {
        catalog.is_in(&order.symbol, currency)?;
    }
    if let Some(venue) = view.get_filled(tag::EX_DESTINATION) {
        let venue = str::from_utf8(venue).ok().and_then(|text| text.parse().ok());
        order.routing.venue = Some(venue.ok_or_else(|| invalid("ExDestination(100) is not a market identifier code"))?);
        order.routing.mode = Some(SorMode::Named);
    }
    order.routing.care = get(tag::HANDL_INST) == b"3";
    order.instructions = Instructions {
        max_floor: qty(view, tag::MAX_FLOOR)?,
        good_after: time(view, tag::EFFECTIVE_TIME)?,
        algo: strategy::read(view)?,
        ..Instructions::default()
    };
    match peg {
        Some(PegKind::Trailing) => order.instructions.trail = Some(trail(view)?),
        Some(PegKind::Price(reference)) => {
            let offset = price(view, tag::PEG_OFFSET_VALUE)?.unwrap_or_default();
            order.instructions.peg = Some(Peg { reference, offset, cap: None });
        }
        None => (),
    }
    Ok(order)
}

/// What ExecInst(18) makes of a pegged order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum PegKind {
    Trailing,
    Price(PegPrice),
}

fn peg_of(view: &View<'_>) -> Result<Option<PegKind>, Refusal> {
    let mut found = None;
    for one in view.get_filled(tag::EXEC_INST).unwrap_or_default().split(|byte| *byte == b' ').filter(|one| !one.is_empty()) {
        let kind = match one {
            b"a" => PegKind::Trailing,
            b"M" => PegKind::Price(PegPrice::Mid),
            b"P" => PegKind::Price(PegPrice::Market),
            b"R" => PegKind::Price(PegPrice::Primary),
            _ => return refuse(Code::OrderTypeUnsupported, "this ExecInst(18) is not offered"),
        };
        if found.replace(kind).is_some() {
            return refuse(Code::ValidationError, "ExecInst(18) says two things of the price");
        }
    }
    match (found, view.get(tag::ORD_TYPE) == Some(b"P")) {
        (None, true) => refuse(Code::ValidationError, "a pegged order needs ExecInst(18): a, M, P or R"),
        (Some(_), false) => refuse(Code::ValidationError, "ExecInst(18) a, M, P and R are for OrdType(40)=P"),
        (found, _) => Ok(found),
    }
}

/// How a trailing stop follows: PegOffsetValue(211) as a price, or in basis points where PegOffsetType(836) is 1. Its
/// sign says nothing: a stop is always behind the market.
fn trail(view: &View<'_>) -> Result<Trail, Refusal> {
    let Some(offset) = price(view, tag::PEG_OFFSET_VALUE)? else {
        return refuse(Code::ValidationError, "a trailing stop needs PegOffsetValue(211)");
    };
    match view.get_filled(tag::PEG_OFFSET_TYPE) {
        None | Some(b"0") => Ok(Trail { amount: offset.abs(), ..Trail::default() }),
        Some(b"1") => {
            // A basis point is a hundred parts per million.
            let (ppm, rest) = (offset.abs().raw() / (SCALE / 100), offset.raw() % (SCALE / 100));
            let ppm = u32::try_from(ppm).ok().filter(|_| rest == 0);
            Ok(Trail { ppm: ppm.ok_or_else(|| invalid("PegOffsetValue(211) is no whole part in a million"))?, ..Trail::default() })
        }
        Some(_) => refuse(Code::OrderTypeUnsupported, "PegOffsetType(836) must be 0 or 1"),
    }
}

fn replace(view: &View<'_>, subject: &Subject) -> Result<Ask, Refusal> {
    only_offered(view)?;
    if strategy::is_asked(view) {
        let text = "the strategy of an order cannot be changed: leave TargetStrategy(847) and its parameters out";
        return refuse(Code::OrderTypeUnsupported, text);
    }
    let change = Change {
        order_qty: qty(view, tag::ORDER_QTY)?,
        price: price(view, tag::PRICE)?,
        stop_px: price(view, tag::STOP_PX)?,
        acknowledged: false,
    };
    Ok(Ask::Replace { cl_ord_id: id(&subject.cl_ord_id, "ClOrdID(11)")?, orig: id(&subject.orig, "OrigClOrdID(41)")?, change })
}

#[cfg(test)]
mod tests;
