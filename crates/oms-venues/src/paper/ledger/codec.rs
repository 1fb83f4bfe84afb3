//! The payload of a ledger record: a tag, then the fields in the order of their declaration.

use oms_model::report::VenueFill;
use oms_model::{
    Decimal, ExecId, InstrumentId, IntentKind, Liquidity, OrdType, Price, Qty, QuoteRef, Side, Symbol, Time, TimeInForce, WireId,
};
use oms_runtime::port::WireOrder;

use super::LedgerRecord;

const ACCEPTED: u8 = 1;
const REJECTED: u8 = 2;
const FILLED: u8 = 3;
const CANCELED: u8 = 4;
const REPLACED: u8 = 5;
const REQUEST_REJECTED: u8 = 6;
const ELECTED: u8 = 7;
const EXPIRED: u8 = 8;
const DUPLICATE: u8 = 9;

/// Longest text that is kept, bytes.
const MAX_TEXT: usize = 255;

pub(super) fn payload(record: &LedgerRecord) -> Vec<u8> {
    let mut out = Writer(Vec::with_capacity(160));
    match record {
        LedgerRecord::Accepted { at, number, order } => {
            out.head(ACCEPTED, *at, *number);
            out.order(order);
            out.basis(order);
        }
        LedgerRecord::Rejected { at, number, order, text } => {
            out.head(REJECTED, *at, *number);
            out.order(order);
            out.text(text);
            out.basis(order);
        }
        LedgerRecord::Filled { at, number, wire_id, fill } => {
            out.head(FILLED, *at, *number);
            out.text(wire_id.as_str());
            out.text(fill.exec_id.as_str());
            out.qty(fill.last_qty);
            out.price(fill.last_px);
            out.0.push(fill.liquidity.code());
            out.price(fill.fee_per_unit);
        }
        LedgerRecord::Canceled { at, number, wire_id } => {
            out.head(CANCELED, *at, *number);
            out.text(wire_id.as_str());
        }
        LedgerRecord::Replaced { at, number, wire_id, order_qty, price, stop_px } => {
            out.head(REPLACED, *at, *number);
            out.text(wire_id.as_str());
            out.qty(*order_qty);
            out.maybe(price.map(Price::raw));
            out.maybe(stop_px.map(Price::raw));
        }
        LedgerRecord::RequestRejected { at, number, wire_id, kind } => {
            out.head(REQUEST_REJECTED, *at, *number);
            out.text(wire_id.as_str());
            out.0.push(kind.code());
        }
        LedgerRecord::Elected { at, number } => out.head(ELECTED, *at, *number),
        LedgerRecord::Expired { at, number } => out.head(EXPIRED, *at, *number),
        LedgerRecord::Duplicate { at, wire_id, kind } => {
            out.head(DUPLICATE, *at, 0);
            out.text(wire_id.as_str());
            out.0.push(kind.code());
        }
    }
    out.0
}

/// `None`: not the payload of a record.
pub(super) fn record(bytes: &[u8]) -> Option<LedgerRecord> {
    let mut input = Reader(bytes);
    let [tag] = input.array()?;
    let at = Time(i64::from_le_bytes(input.array()?));
    let number = u64::from_le_bytes(input.array()?);
    let record = match tag {
        ACCEPTED => {
            let mut order = input.order()?;
            input.basis(&mut order)?;
            LedgerRecord::Accepted { at, number, order }
        }
        REJECTED => {
            let (mut order, text) = (input.order()?, input.text()?.to_owned());
            input.basis(&mut order)?;
            LedgerRecord::Rejected { at, number, order, text }
        }
        FILLED => LedgerRecord::Filled { at, number, wire_id: input.wire_id()?, fill: input.fill()? },
        CANCELED => LedgerRecord::Canceled { at, number, wire_id: input.wire_id()? },
        REPLACED => LedgerRecord::Replaced {
            at,
            number,
            wire_id: input.wire_id()?,
            order_qty: input.qty()?,
            price: input.maybe()?.map(Price::from_raw),
            stop_px: input.maybe()?.map(Price::from_raw),
        },
        REQUEST_REJECTED => LedgerRecord::RequestRejected { at, number, wire_id: input.wire_id()?, kind: input.kind()? },
        ELECTED => LedgerRecord::Elected { at, number },
        EXPIRED => LedgerRecord::Expired { at, number },
        DUPLICATE => LedgerRecord::Duplicate { at, wire_id: input.wire_id()?, kind: input.kind()? },
        _ => return None,
    };
    input.0.is_empty().then_some(record)
}

struct Writer(Vec<u8>);

impl Writer {
    fn head(&mut self, tag: u8, at: Time, number: u64) {
        self.0.push(tag);
        self.0.extend_from_slice(&at.0.to_le_bytes());
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        let mut end = text.len().min(MAX_TEXT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let kept = text.get(..end).unwrap_or_default();
        self.0.push(u8::try_from(kept.len()).unwrap_or(u8::MAX));
        self.0.extend_from_slice(kept.as_bytes());
    }

    fn qty(&mut self, qty: Qty) {
        self.0.extend_from_slice(&qty.raw().to_le_bytes());
    }

    fn price(&mut self, price: Price) {
        self.0.extend_from_slice(&price.raw().to_le_bytes());
    }

    fn maybe(&mut self, value: Option<i64>) {
        self.0.push(u8::from(value.is_some()));
        self.0.extend_from_slice(&value.unwrap_or(0).to_le_bytes());
    }

    fn order(&mut self, order: &WireOrder) {
        self.text(order.wire_id.as_str());
        self.0.extend_from_slice(&order.instrument.0.to_le_bytes());
        self.text(order.symbol.as_str());
        self.0.extend_from_slice(&[order.side.code(), order.ord_type.code(), order.time_in_force.code()]);
        self.qty(order.order_qty);
        self.maybe(order.price.map(Price::raw));
        self.maybe(order.stop_px.map(Price::raw));
        self.maybe(order.expire_at.map(|time| time.0));
        self.0.extend_from_slice(&order.deadline.0.to_le_bytes());
    }

    /// Nothing for an ordinary order, so that older ledgers are read and written as before.
    fn basis(&mut self, order: &WireOrder) {
        if order.cash_order_qty.is_some() || order.quote_ref.is_some() {
            self.0.extend_from_slice(&order.cash_order_qty.map_or(0, Decimal::raw).to_le_bytes());
            self.text(order.quote_ref.as_ref().map_or("", QuoteRef::as_str));
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn text(&mut self) -> Option<&'a str> {
        let [length] = self.array()?;
        let (head, rest) = self.0.split_at_checked(usize::from(length))?;
        self.0 = rest;
        std::str::from_utf8(head).ok()
    }

    fn wire_id(&mut self) -> Option<WireId> {
        WireId::new(self.text()?).ok()
    }

    fn kind(&mut self) -> Option<IntentKind> {
        let [code] = self.array()?;
        IntentKind::from_code(code)
    }

    fn qty(&mut self) -> Option<Qty> {
        Some(Qty::from_raw(i128::from_le_bytes(self.array()?)))
    }

    fn price(&mut self) -> Option<Price> {
        Some(Price::from_raw(i64::from_le_bytes(self.array()?)))
    }

    fn maybe(&mut self) -> Option<Option<i64>> {
        let [given] = self.array()?;
        let value = i64::from_le_bytes(self.array()?);
        match given {
            0 => Some(None),
            1 => Some(Some(value)),
            _ => None,
        }
    }

    fn fill(&mut self) -> Option<VenueFill> {
        let exec_id = ExecId::new(self.text()?).ok()?;
        let (last_qty, last_px) = (self.qty()?, self.price()?);
        let [liquidity] = self.array()?;
        let liquidity = Liquidity::from_code(liquidity)?;
        Some(VenueFill { exec_id, last_qty, last_px, liquidity, fee_per_unit: self.price()? })
    }

    fn basis(&mut self, order: &mut WireOrder) -> Option<()> {
        if !self.0.is_empty() {
            let cash = Decimal::from_raw(i128::from_le_bytes(self.array()?));
            order.cash_order_qty = cash.is_positive().then_some(cash);
            order.quote_ref = match self.text()? {
                "" => None,
                text => Some(QuoteRef::new(text).ok()?),
            };
        }
        Some(())
    }

    fn order(&mut self) -> Option<WireOrder> {
        let wire_id = self.wire_id()?;
        let instrument = InstrumentId(u32::from_le_bytes(self.array()?));
        let symbol = Symbol::new(self.text()?).ok()?;
        let [side, ord_type, time_in_force] = self.array()?;
        Some(WireOrder {
            wire_id,
            instrument,
            symbol,
            side: Side::from_code(side)?,
            ord_type: OrdType::from_code(ord_type)?,
            order_qty: self.qty()?,
            cash_order_qty: None,
            quote_ref: None,
            price: self.maybe()?.map(Price::from_raw),
            stop_px: self.maybe()?.map(Price::from_raw),
            time_in_force: TimeInForce::from_code(time_in_force)?,
            expire_at: self.maybe()?.map(Time),
            deadline: Time(i64::from_le_bytes(self.array()?)),
        })
    }
}
