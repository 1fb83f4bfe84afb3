//! Tries a dialect out: every kind of message that it could have us send is held against its dictionary, at the start of the
//! desk and not when the first order of that kind is refused.

use oms_model::{BrokerOrderId, OrdType, OrderId, Price, Qty, Side, Symbol, Time, TimeInForce, WireId};
use oms_runtime::port::{WireCancel, WireReplace};

use super::dialect::{Dialect, DialectError};
use super::order::{Scribe, Terms};
use crate::codec::encode::{Fields, Writer};
use crate::codec::scan::{View, scan};
use crate::dictionary::{Checks, validate};
use crate::session::outbox::Outgoing;

/// Holds samples of all messages against the venue's dictionary.
///
/// # Errors
/// The first message that it refuses, with the tag and the reason.
pub(super) fn try_out(dialect: &Dialect) -> Result<(), DialectError> {
    let scribe = Scribe { dialect, account: Some("SAMPLE"), now: Time(1_795_780_800_000_000_000) };
    let (first, next) = (WireId::derive(OrderId::from_u128(1), 0), WireId::derive(OrderId::from_u128(1), 1));
    let broker = BrokerOrderId::new("B1").unwrap_or_default();
    for &ord_type in &dialect.can.ord_types {
        for &time_in_force in &dialect.can.times_in_force {
            for &side in &dialect.can.sides {
                let terms = terms(ord_type, time_in_force, side);
                let what = format!("a {side} {ord_type} {time_in_force} order");
                hold(dialect, &scribe.new_order(&first, &terms), &what)?;
                let (order_qty, price, stop_px, deadline) = (terms.order_qty, terms.price, terms.stop_px, scribe.now);
                let replace = WireReplace { wire_id: next.clone(), orig_wire_id: first.clone(), order_qty, price, stop_px, deadline };
                hold(dialect, &scribe.replace(&replace, &terms, &broker), &format!("a replace of {what}"))?;
            }
        }
    }
    let terms = terms(OrdType::Limit, TimeInForce::Day, Side::Buy);
    let cancel = WireCancel { wire_id: next, orig_wire_id: first.clone(), deadline: scribe.now };
    hold(dialect, &scribe.cancel(&cancel, &terms, &broker), "a cancel")?;
    if dialect.can.order_status {
        hold(dialect, &scribe.status("Q1", &first, &terms, &broker), "a question about an order")?;
    }
    if dialect.can.mass_status {
        hold(dialect, &scribe.mass_status("Q1"), "a question about all orders")?;
    }
    let mut logon = Outgoing::new(b"A");
    logon.body.uint(98, 0).uint(108, 30).raw(dialect.logon.as_bytes());
    hold(dialect, &logon, "the Logon")
}

fn terms(ord_type: OrdType, time_in_force: TimeInForce, side: Side) -> Terms {
    let price = Some(Price::from_raw(20_010_000_000));
    Terms {
        symbol: Symbol::new("SAMPLE").unwrap_or_default(),
        side,
        ord_type,
        time_in_force,
        order_qty: Qty::from_units(100).unwrap_or_default(),
        cash_order_qty: None,
        price: price.filter(|_| ord_type.has_price()),
        stop_px: price.filter(|_| ord_type.has_stop()),
        expire_at: Some(Time(1_795_867_200_000_000_000)).filter(|_| time_in_force == TimeInForce::Gtd),
        quote_ref: None,
    }
}

fn hold(dialect: &Dialect, message: &Outgoing, what: &str) -> Result<(), DialectError> {
    let wrong = |what: String| DialectError { line: 0, what };
    let (mut bytes, mut header) = (Vec::new(), Fields::new());
    let writer = Writer::begin(&mut bytes, b"FIX.4.4");
    header.put(35, &message.msg_type).uint(34, 1).text(49, "A").text(52, "20261127-12:00:00").text(56, "B");
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(message.body.as_bytes());
    writer.end(&mut bytes);
    let mut spans = Vec::new();
    scan(&bytes, dialect.dictionary, usize::MAX, &mut spans).map_err(|error| wrong(format!("{what} cannot be read again: {error}")))?;
    validate(dialect.dictionary, Checks::default(), &View::new(&bytes, &spans)).map_err(|invalid| {
        let tag = invalid.tag.map_or_else(String::new, |tag| {
            let name = dialect.dictionary.field(tag).map_or_else(|| "a tag that it does not have".to_owned(), |field| field.name.clone());
            format!(" for tag {tag} ({name})")
        });
        wrong(format!("the venue's dictionary refuses {what}{tag}: {}", invalid.reason.text()))
    })
}
