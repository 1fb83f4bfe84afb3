//! What a venue does with a request that has arrived.

use oms_model::report::ReportBody;
use oms_model::{OrdType, Qty, Time, TimeInForce, WireId};
use oms_runtime::port::{RequestState, VenueState, WireCancel, WireOrder, WireReplace};

use super::ledger::LedgerRecord;
use super::order::{Ahead, Order, broker_order_id};
use super::request::Request;
use super::{MAX_ORDERS, PaperVenue};

impl PaperVenue {
    pub(super) fn decide(&mut self, now: Time, request: Request) {
        self.pass(now);
        if self.broken.is_some() {
            return;
        }
        if self.known.contains_key(request.wire_id()) {
            self.duplicate(&request);
            return;
        }
        match request {
            Request::New(order) => self.new_order(&order),
            Request::Cancel(request) => self.cancel(&request),
            Request::Replace(request) => self.replace(request),
        }
    }

    fn duplicate(&mut self, request: &Request) {
        let (wire_id, text) = (request.wire_id().clone(), "duplicate ClOrdID".to_owned());
        self.record(&LedgerRecord::Duplicate { at: self.clock, wire_id: wire_id.clone(), kind: request.kind() });
        match request {
            Request::New(_) => {
                self.stats.duplicates_seen += 1;
                self.stage(ReportBody::Rejected { wire_id, text });
            }
            Request::Cancel(_) => {
                self.stats.repeated_cancels += 1;
                self.stage(ReportBody::CancelRejected { wire_id, text });
            }
            Request::Replace(_) => {
                self.stats.duplicates_seen += 1;
                self.stage(ReportBody::ReplaceRejected { wire_id, text });
            }
        }
    }

    fn refused_at_random(&mut self) -> Option<&'static str> {
        let refused = self.rng.chance(self.profile.reject_ppm) | self.rng.chance(self.faults.reject_ppm);
        refused.then_some("refused by the venue")
    }

    /// Why a new order is not taken.
    fn objection(&mut self, order: &WireOrder) -> Option<&'static str> {
        let positive = |price: Option<oms_model::Price>| price.is_some_and(|price| price.is_positive());
        if self.orders.len() >= MAX_ORDERS {
            Some("the venue takes no more orders today")
        } else if !self.books.contains_key(&order.symbol) {
            Some("unknown symbol")
        } else if !order.order_qty.is_positive() {
            Some("quantity is not above zero")
        } else if order.ord_type.has_price() && !positive(order.price) {
            Some("price is missing or not above zero")
        } else if order.ord_type.has_stop() && !positive(order.stop_px) {
            Some("stop price is missing or not above zero")
        } else if order.time_in_force == TimeInForce::Gtd && order.expire_at.is_none_or(|at| at <= self.clock) {
            Some("expiry is missing or passed")
        } else {
            self.offer_objection(order).or_else(|| self.refused_at_random())
        }
    }

    fn new_order(&mut self, wire: &WireOrder) {
        let number = self.orders.len() as u64 + 1;
        let mut order = Order::new(number, wire, self.clock);
        let side = super::book::opposite(wire.side);
        let quote = self.books.get(&wire.symbol).and_then(|book| *book.shown.of(side));
        let mut objection = self.objection(wire);
        if objection.is_none() && wire.ord_type == OrdType::Market && quote.is_none() && !self.is_fund(&wire.symbol) {
            objection = Some("no quote to trade against");
        }
        self.known.insert(wire.wire_id.clone(), number);
        if let Some(text) = objection {
            order.state = VenueState::Rejected;
            self.orders.push(order);
            self.stats.rejected += 1;
            let text = text.to_owned();
            let record = LedgerRecord::Rejected { at: self.clock, number, order: wire.clone(), text: text.clone() };
            self.record(&record);
            self.stage(ReportBody::Rejected { wire_id: wire.wire_id.clone(), text });
            return;
        }
        self.stats.accepted += 1;
        self.priorities += 1;
        order.priority = self.priorities;
        self.record(&LedgerRecord::Accepted { at: self.clock, number, order: wire.clone() });
        let broker_order_id = Some(broker_order_id(self.profile.mic, number));
        self.stage(ReportBody::Accepted { wire_id: wire.wire_id.clone(), broker_order_id });
        self.working.insert(number);
        if let Some(at) = order.expire_at {
            self.expiries.insert((at, number));
        }
        self.orders.push(order);
        if self.deal_quoted(number, wire.quote_ref.as_ref()) {
            return;
        }
        self.enter(number);
    }

    /// Puts a working order that is not in the book to work: at once against what is there, then
    /// at rest, as its time in force allows.
    pub(super) fn enter(&mut self, number: u64) {
        let Some(order) = self.order(number) else { return };
        let symbol = order.symbol.clone();
        let last_sale = self.books.get(&symbol).and_then(|book| book.last_sale);
        if order.held {
            if last_sale.is_some_and(|price| order.elected_by(price)) {
                self.elected(number);
            } else if let (Some(order), Some(book)) = (self.orders.get(number as usize - 1), self.books.get_mut(&symbol)) {
                book.insert(order);
            }
            return;
        }
        let now_or_never = match order.time_in_force {
            TimeInForce::Day | TimeInForce::Gtc | TimeInForce::Gtd => false,
            TimeInForce::Ioc | TimeInForce::Fok | TimeInForce::Opg => true,
        };
        let takes = order.time_in_force != TimeInForce::Fok || self.available(number) >= order.leaves();
        if takes {
            self.sweep(number);
        }
        if self.order(number).is_none_or(|order| order.leaves().is_zero()) {
            return;
        }
        if now_or_never {
            self.cancel_unasked(number, "not filled at once");
        } else {
            self.rest(number);
        }
    }

    pub(super) fn cancel_unasked(&mut self, number: u64, text: &str) {
        if let Some(order) = self.end(number, VenueState::Canceled) {
            let wire_id = order.current.clone();
            self.record(&LedgerRecord::Canceled { at: self.clock, number, wire_id: wire_id.clone() });
            self.stage(ReportBody::Canceled { wire_id, text: text.to_owned() });
        }
    }

    /// The order that a cancel or replace names, or why it cannot be touched.
    fn target(&self, orig: &WireId) -> (u64, Option<&'static str>) {
        let number = self.known.get(orig).copied().unwrap_or(0);
        let objection = match self.order(number).map(|order| order.state) {
            None => Some("unknown order"),
            Some(VenueState::Live) => None,
            Some(VenueState::Filled) => Some("too late: filled"),
            Some(VenueState::Canceled) => Some("too late: canceled"),
            Some(VenueState::Rejected) => Some("too late: rejected"),
            Some(VenueState::Expired) => Some("too late: expired"),
        };
        (number, objection)
    }

    /// Remembers a request and what became of it.
    fn settle(&mut self, number: u64, wire_id: &WireId, state: RequestState) {
        self.known.insert(wire_id.clone(), number);
        if let Some(order) = self.order_mut(number) {
            order.set_request(wire_id, state);
        }
    }

    fn cancel(&mut self, request: &WireCancel) {
        let wire_id = request.wire_id.clone();
        let (number, objection) = self.target(&request.orig_wire_id);
        let objection = objection.or_else(|| self.refused_at_random());
        if let Some(text) = objection {
            self.settle(number, &wire_id, RequestState::Rejected);
            let kind = oms_model::IntentKind::Cancel;
            self.record(&LedgerRecord::RequestRejected { at: self.clock, number, wire_id: wire_id.clone(), kind });
            self.stage(ReportBody::CancelRejected { wire_id, text: text.to_owned() });
            return;
        }
        self.settle(number, &wire_id, RequestState::Accepted);
        self.end(number, VenueState::Canceled);
        self.record(&LedgerRecord::Canceled { at: self.clock, number, wire_id: wire_id.clone() });
        self.stage(ReportBody::Canceled { wire_id, text: String::new() });
    }

    /// Why a replace of a working order is not taken.
    fn replace_objection(&mut self, order: &Order, request: &WireReplace) -> Option<&'static str> {
        let positive = |price: Option<oms_model::Price>| price.is_some_and(|price| price.is_positive());
        if request.order_qty <= order.cum {
            Some("quantity is not above what is executed")
        } else if order.ord_type.has_price() && !positive(request.price) {
            Some("price is missing or not above zero")
        } else if order.held && !positive(request.stop_px) {
            Some("stop price is missing or not above zero")
        } else {
            self.refused_at_random()
        }
    }

    fn replace(&mut self, request: WireReplace) {
        let wire_id = request.wire_id.clone();
        let (number, mut objection) = self.target(&request.orig_wire_id);
        let before = self.order(number).cloned();
        if let (None, Some(order)) = (objection, &before) {
            objection = self.replace_objection(order, &request);
        }
        let (None, Some(before)) = (objection, before) else {
            self.settle(number, &wire_id, RequestState::Rejected);
            let kind = oms_model::IntentKind::Replace;
            self.record(&LedgerRecord::RequestRejected { at: self.clock, number, wire_id: wire_id.clone(), kind });
            let text = objection.unwrap_or("unknown order").to_owned();
            self.stage(ReportBody::ReplaceRejected { wire_id, text });
            return;
        };
        self.settle(number, &wire_id, RequestState::Accepted);
        let record = LedgerRecord::Replaced {
            at: self.clock,
            number,
            wire_id: wire_id.clone(),
            order_qty: request.order_qty,
            price: request.price,
            stop_px: request.stop_px,
        };
        self.record(&record);
        self.stage(ReportBody::Replaced { wire_id: wire_id.clone(), order_qty: Some(request.order_qty) });
        if self.amend(number, &wire_id, request.order_qty, request.price, request.stop_px, &before) {
            self.enter(number);
        }
    }

    /// Changes an order's terms. True: it lost its place and must enter again. Less quantity at
    /// the same price keeps the place.
    pub(super) fn amend(
        &mut self,
        number: u64,
        wire_id: &WireId,
        order_qty: Qty,
        price: Option<oms_model::Price>,
        stop_px: Option<oms_model::Price>,
        before: &Order,
    ) -> bool {
        let keeps = !before.held && order_qty <= before.qty && (!before.ord_type.has_price() || price == before.price);
        if !keeps {
            if let Some(book) = self.books.get_mut(&before.symbol) {
                book.remove(before);
            }
            self.priorities += 1;
        }
        let priority = self.priorities;
        if let Some(order) = self.order_mut(number) {
            order.current = wire_id.clone();
            order.qty = order_qty;
            if !keeps {
                order.price = if order.ord_type.has_price() { price } else { None };
                if order.held {
                    order.stop_px = stop_px;
                }
                order.priority = priority;
                order.aggressive = true;
                order.ahead = Ahead::Unseen;
            }
        }
        !keeps
    }
}
