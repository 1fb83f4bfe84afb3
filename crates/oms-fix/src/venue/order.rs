//! Orders, requests and questions as messages to a venue.

use oms_model::command::NewOrder;
use oms_model::{BrokerOrderId, Decimal, OrdType, Price, Qty, QuoteRef, Side, Symbol, Time, TimeInForce, WireId};
use oms_runtime::port::{WireCancel, WireOrder, WireReplace};

use super::dialect::Dialect;
use super::said::Said;
use crate::codec::value::{parse_decimal, parse_timestamp};
use crate::desk::body::Body;
use crate::desk::words;
use crate::session::outbox::Outgoing;

/// What an order asks of its venue, by its last replace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) symbol: Symbol,
    pub(super) side: Side,
    pub(super) ord_type: OrdType,
    pub(super) time_in_force: TimeInForce,
    pub(super) order_qty: Qty,
    pub(super) cash_order_qty: Option<Decimal>,
    pub(super) price: Option<Price>,
    pub(super) stop_px: Option<Price>,
    pub(super) expire_at: Option<Time>,
    pub(super) quote_ref: Option<QuoteRef>,
}

impl Terms {
    pub(super) fn of(order: &WireOrder) -> Self {
        Self {
            symbol: order.symbol.clone(),
            side: order.side,
            ord_type: order.ord_type,
            time_in_force: order.time_in_force,
            order_qty: order.order_qty,
            cash_order_qty: order.cash_order_qty,
            price: order.price,
            stop_px: order.stop_px,
            expire_at: order.expire_at,
            quote_ref: order.quote_ref.clone(),
        }
    }

    /// What a replace asks for, of an order with these terms: what a replace does not say stays.
    pub(super) fn over(self, own: Self) -> Self {
        Self { order_qty: self.order_qty, price: self.price, stop_px: self.stop_px, ..own }
    }

    /// For a request about an order that is not known here: the venue will say so.
    pub(super) fn unknown() -> Self {
        Self {
            symbol: Symbol::new("[N/A]").unwrap_or_default(),
            side: Side::Buy,
            ord_type: OrdType::Limit,
            time_in_force: TimeInForce::Day,
            order_qty: Qty::from_units(1).unwrap_or_default(),
            cash_order_qty: None,
            price: None,
            stop_px: None,
            expire_at: None,
            quote_ref: None,
        }
    }

    /// What NewOrderSingle(D) or OrderCancelReplaceRequest(G) says of an order; `None` where it cannot be read.
    pub(super) fn read(said: &Said<'_>) -> Option<Self> {
        let mut order = NewOrder::default();
        words::read_type(&mut order, said.get(40)?, said.get(59), false).ok()?;
        Some(Self {
            symbol: Symbol::new(said.str(55)?).ok()?,
            side: words::side_of(said.get(54)?)?,
            ord_type: order.ord_type,
            time_in_force: order.time_in_force,
            order_qty: said.qty(38).unwrap_or_default(),
            cash_order_qty: said.get(152).and_then(|value| parse_decimal(value).ok()),
            price: said.price(44),
            stop_px: said.price(99),
            expire_at: said.get(126).and_then(parse_timestamp).map(Time),
            quote_ref: said.str(117).and_then(|text| QuoteRef::new(text).ok()),
        })
    }
}

/// Puts messages together as one venue wants them.
#[derive(Clone, Copy)]
pub(super) struct Scribe<'d> {
    pub(super) dialect: &'d Dialect,
    /// Account(1) of every order, if the venue wants one.
    pub(super) account: Option<&'d str>,
    pub(super) now: Time,
}

impl Scribe<'_> {
    fn finish(&self, mut body: Body) -> Outgoing {
        self.dialect.put(&mut body);
        body.finish()
    }

    /// Our id as the venue is told it. What is too long for it is not handed over.
    fn name(&self, wire_id: &WireId) -> String {
        self.dialect.names.tell(wire_id).unwrap_or_else(|| wire_id.as_str().to_owned())
    }

    fn common(&self, msg_type: &[u8], terms: &Terms) -> Body {
        let mut body = Body::new(msg_type);
        body.text(55, terms.symbol.as_str()).put(54, &[words::side(terms.side)]).time(60, self.now);
        body.text(1, self.account.unwrap_or_default());
        body
    }

    fn priced(body: &mut Body, terms: &Terms) {
        let (ord_type, tif) = words::ord_type(terms.ord_type, terms.time_in_force);
        // Worked by the venue's own machines; nobody there is asked to do anything.
        body.put(40, &[ord_type]).put(59, &[tif]).put(21, b"1");
        for (tag, value) in [(44, terms.price), (99, terms.stop_px)] {
            if let Some(value) = value {
                body.amount(tag, value);
            }
        }
        if let Some(at) = terms.expire_at.filter(|_| terms.time_in_force == TimeInForce::Gtd) {
            body.time(126, at);
        }
    }

    /// NewOrderSingle(D).
    pub(super) fn new_order(&self, wire_id: &WireId, terms: &Terms) -> Outgoing {
        let mut body = self.common(b"D", terms);
        Self::priced(&mut body, terms);
        body.text(11, &self.name(wire_id));
        match terms.cash_order_qty {
            Some(money) => body.amount(152, money),
            None => body.amount(38, terms.order_qty),
        };
        if let Some(quote) = &terms.quote_ref {
            body.text(117, quote.as_str());
        }
        self.finish(body)
    }

    /// OrderCancelRequest(F).
    pub(super) fn cancel(&self, request: &WireCancel, terms: &Terms, broker: &BrokerOrderId) -> Outgoing {
        let mut body = self.common(b"F", terms);
        body.text(11, &self.name(&request.wire_id)).text(41, &self.name(&request.orig_wire_id)).amount(38, terms.order_qty);
        body.text(37, broker.as_str());
        self.finish(body)
    }

    /// OrderCancelReplaceRequest(G); `changed` is what the order is to be.
    pub(super) fn replace(&self, request: &WireReplace, changed: &Terms, broker: &BrokerOrderId) -> Outgoing {
        let mut body = self.common(b"G", changed);
        Self::priced(&mut body, changed);
        body.text(11, &self.name(&request.wire_id)).text(41, &self.name(&request.orig_wire_id)).amount(38, request.order_qty);
        body.text(37, broker.as_str());
        self.finish(body)
    }

    /// OrderStatusRequest(H) of the order that the venue knows as `name`.
    pub(super) fn status(&self, id: &str, name: &WireId, terms: &Terms, broker: &BrokerOrderId) -> Outgoing {
        let mut body = self.common(b"H", terms);
        body.replace(60, b"");
        body.text(11, &self.name(name)).text(790, id).text(37, broker.as_str());
        self.finish(body)
    }

    /// OrderMassStatusRequest(AF) for everything.
    pub(super) fn mass_status(&self, id: &str) -> Outgoing {
        let mut body = Body::new(b"AF");
        body.text(584, id).put(585, b"7").text(1, self.account.unwrap_or_default());
        self.finish(body)
    }
}

/// Why a trade is not known (DKReason(127)).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum DontKnow {
    /// The side is not that of the order.
    WrongSide,
    /// More than was ordered.
    TooMuch,
    /// There is no such order.
    NoOrder,
}

/// DontKnowTrade(Q) about an execution, with what the venue said of it.
pub(super) fn dont_know(dialect: &Dialect, said: &Said<'_>, why: DontKnow) -> Outgoing {
    let mut body = Body::new(b"Q");
    let (reason, text): (&[u8], &str) = match why {
        DontKnow::WrongSide => (b"B", "the order is of the other side"),
        DontKnow::TooMuch => (b"C", "more than was ordered"),
        DontKnow::NoOrder => (b"D", "no order of ours has this ClOrdID"),
    };
    // What the report must have is there, or its own session would have refused it.
    for tag in [37, 17, 55, 54, 38, 32, 31] {
        body.put(tag, said.get(tag).unwrap_or_default());
    }
    if said.get(38).is_none() {
        body.put(38, said.get(32).unwrap_or(b"0"));
    }
    body.put(127, reason).text(58, text);
    dialect.put(&mut body);
    body.finish()
}
