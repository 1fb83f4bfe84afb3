//! The orders of a venue as a checkpoint of the log keeps them: all that is known of them, so that what comes after it
//! finds what it would have found.

use std::str::FromStr;

use oms_model::report::VenueFill;
use oms_model::{
    BrokerOrderId, ExecId, IntentKind, Liquidity, OrdType, OrderId, Price, Qty, QuoteRef, Side, Symbol, Time, TimeInForce, WireId,
};
use oms_runtime::port::{RequestState, VenueState};

use super::super::order::Terms;
use super::super::standing::{Request, Sending, Standing};
use super::{Ledger, Subject};
use crate::store::packed::{Pack as _, Packed};

const SENDINGS: [Sending; 4] = [Sending::Never, Sending::Handed, Sending::Numbered, Sending::Skipped];
const STATES: [VenueState; 5] = [VenueState::Live, VenueState::Filled, VenueState::Canceled, VenueState::Rejected, VenueState::Expired];
const ANSWERS: [RequestState; 3] = [RequestState::Pending, RequestState::Accepted, RequestState::Rejected];

/// The place of a value among all that there are, which is never changed.
fn put_one<T: PartialEq>(out: &mut Vec<u8>, all: &[T], one: &T) {
    let place = all.iter().position(|known| known == one);
    assert!(place.is_some(), "every value of the vocabulary has a place");
    out.number(place.unwrap_or_default() as u64);
}

fn one<T: Copy>(saved: &mut Packed<'_>, all: &[T]) -> Option<T> {
    all.get(usize::try_from(saved.number()?).ok()?).copied()
}

fn term<T>(saved: &mut Packed<'_>, of: impl FnOnce(u8) -> Option<T>) -> Option<T> {
    of(u8::try_from(saved.number()?).ok()?)
}

fn text<T: FromStr>(saved: &mut Packed<'_>) -> Option<T> {
    saved.text()?.parse().ok()
}

fn put_order_id(out: &mut Vec<u8>, order_id: OrderId) {
    out.wide(order_id.as_u128());
}

fn order_id(saved: &mut Packed<'_>) -> Option<OrderId> {
    saved.wide().map(OrderId::from_u128)
}

fn put_qty(out: &mut Vec<u8>, qty: Qty) {
    out.wide(qty.raw().cast_unsigned());
}

fn qty(saved: &mut Packed<'_>) -> Option<Qty> {
    saved.wide().map(|raw| Qty::from_raw(raw.cast_signed()))
}

fn put_price(out: &mut Vec<u8>, price: Price) {
    out.signed(price.raw());
}

fn price(saved: &mut Packed<'_>) -> Option<Price> {
    saved.signed().map(Price::from_raw)
}

fn time(saved: &mut Packed<'_>) -> Option<Time> {
    saved.signed().map(Time)
}

fn wire_id(saved: &mut Packed<'_>) -> Option<WireId> {
    WireId::new(saved.text()?).ok()
}

fn broker_order_id(saved: &mut Packed<'_>) -> Option<BrokerOrderId> {
    match saved.text()? {
        "" => Some(BrokerOrderId::default()),
        text => BrokerOrderId::new(text).ok(),
    }
}

fn put_terms(out: &mut Vec<u8>, terms: &Terms) {
    out.text(terms.symbol.as_str());
    [terms.side.code(), terms.ord_type.code(), terms.time_in_force.code()].into_iter().for_each(|code| out.number(code.into()));
    put_qty(out, terms.order_qty);
    out.maybe(terms.cash_order_qty, |out, cash| out.text(&cash.to_string()));
    out.maybe(terms.price, put_price);
    out.maybe(terms.stop_px, put_price);
    out.maybe(terms.expire_at, |out, at| out.signed(at.0));
    out.maybe(terms.quote_ref.as_ref(), |out, quote| out.text(quote.as_str()));
}

fn terms(saved: &mut Packed<'_>) -> Option<Terms> {
    Some(Terms {
        symbol: Symbol::new(saved.text()?).ok()?,
        side: term(saved, Side::from_code)?,
        ord_type: term(saved, OrdType::from_code)?,
        time_in_force: term(saved, TimeInForce::from_code)?,
        order_qty: qty(saved)?,
        cash_order_qty: saved.maybe(text)?,
        price: saved.maybe(price)?,
        stop_px: saved.maybe(price)?,
        expire_at: saved.maybe(time)?,
        quote_ref: saved.maybe(|saved| QuoteRef::new(saved.text()?).ok())?,
    })
}

fn put_fill(out: &mut Vec<u8>, at: Time, fill: &VenueFill) {
    out.signed(at.0);
    out.text(fill.exec_id.as_str());
    put_qty(out, fill.last_qty);
    put_price(out, fill.last_px);
    out.number(fill.liquidity.code().into());
    put_price(out, fill.fee_per_unit);
}

fn fill(saved: &mut Packed<'_>) -> Option<(Time, VenueFill)> {
    let at = time(saved)?;
    let fill = VenueFill {
        exec_id: ExecId::new(saved.text()?).ok()?,
        last_qty: qty(saved)?,
        last_px: price(saved)?,
        liquidity: term(saved, Liquidity::from_code)?,
        fee_per_unit: price(saved)?,
    };
    Some((at, fill))
}

fn put_request(out: &mut Vec<u8>, request: &Request) {
    out.text(request.wire_id.as_str());
    out.number(request.kind.code().into());
    put_one(out, &SENDINGS, &request.sending);
    out.maybe(request.terms.as_ref(), put_terms);
    out.maybe(request.answer, |out, answer| put_one(out, &ANSWERS, &answer));
}

fn request(saved: &mut Packed<'_>) -> Option<Request> {
    Some(Request {
        wire_id: wire_id(saved)?,
        kind: term(saved, IntentKind::from_code)?,
        sending: one(saved, &SENDINGS)?,
        terms: saved.maybe(terms)?,
        answer: saved.maybe(|saved| one(saved, &ANSWERS))?,
    })
}

fn put_standing(out: &mut Vec<u8>, order: &Standing) {
    put_order_id(out, order.order_id);
    out.maybe(order.terms.as_ref(), put_terms);
    put_one(out, &SENDINGS, &order.sending);
    out.flag(order.heard);
    out.flag(order.silent);
    out.text(order.broker_order_id.as_str());
    put_one(out, &STATES, &order.state);
    put_qty(out, order.order_qty);
    out.many(order.fills.iter(), |out, (at, fill)| put_fill(out, *at, fill));
    out.many(order.requests.iter(), put_request);
    out.many(order.told.iter(), |out, exec_id| out.text(exec_id.as_str()));
}

fn standing(saved: &mut Packed<'_>) -> Option<Standing> {
    Some(Standing {
        order_id: order_id(saved)?,
        terms: saved.maybe(terms)?,
        sending: one(saved, &SENDINGS)?,
        heard: saved.flag()?,
        silent: saved.flag()?,
        broker_order_id: broker_order_id(saved)?,
        state: one(saved, &STATES)?,
        order_qty: qty(saved)?,
        fills: saved.many(fill)?,
        requests: saved.many(request)?,
        told: saved.many(|saved| ExecId::new(saved.text()?).ok())?,
    })
}

fn put_subject(out: &mut Vec<u8>, subject: &Subject) {
    let (is_intent, text) = match subject {
        Subject::Intent(wire_id) => (true, wire_id.as_str()),
        Subject::Question(id) => (false, id.as_str()),
    };
    out.flag(is_intent);
    out.text(text);
}

fn subject(saved: &mut Packed<'_>) -> Option<Subject> {
    Some(if saved.flag()? { Subject::Intent(wire_id(saved)?) } else { Subject::Question(saved.text()?.to_owned()) })
}

impl Ledger {
    /// Appends all of it.
    pub(in super::super) fn save(&self, out: &mut Vec<u8>) {
        out.many(self.orders.values(), put_standing);
        out.many(self.brokers.iter(), |out, (broker, order_id)| {
            out.text(broker.as_str());
            put_order_id(out, *order_id);
        });
        out.many(self.by_number.iter(), |out, (seq, subject)| {
            out.number(*seq);
            put_subject(out, subject);
        });
        out.many(self.live.iter(), |out, id| put_order_id(out, *id));
        out.many(self.ended.iter(), |out, id| put_order_id(out, *id));
        out.signed(self.horizon.0);
        out.flag(self.has_hole);
    }

    /// What was saved; `None` where it cannot be read.
    pub(in super::super) fn load(saved: &[u8]) -> Option<Self> {
        let mut saved = Packed(saved);
        let ledger = Self {
            orders: saved.many(|saved| standing(saved).map(|order| (order.order_id, order)))?,
            brokers: saved.many(|saved| Some((broker_order_id(saved)?, order_id(saved)?)))?,
            by_number: saved.many(|saved| Some((saved.number()?, subject(saved)?)))?,
            live: saved.many(order_id)?,
            ended: saved.many(order_id)?,
            horizon: time(&mut saved)?,
            has_hole: saved.flag()?,
        };
        saved.is_over().then_some(ledger)
    }
}
