//! Orders, new terms and cancels on their way out.

use oms_model::report::ReportBody;
use oms_model::{IntentKind, OrderId, WireId};
use oms_runtime::port::{Handed, VenueState, WireCancel, WireOrder, WireReplace};

use super::pace::{Class, Item};
use super::record::Record;
use super::{Action, Connector, Now, terms};
use crate::codec::{CancelOrder, Contract, Decoded, Dialect, OrderCancel, PlaceOrder, Request};

/// Ids that came twice and wait for the first to be over.
const MAX_TWICE: usize = 1_024;

/// Whether the dialect carries every digit of an order. Prices are binary doubles in protobuf.
fn is_exact(place: &PlaceOrder, dialect: Dialect) -> bool {
    let mut frame = Vec::new();
    Request::PlaceOrder(place.clone()).encode(dialect, &mut frame);
    let read = frame.get(4..).and_then(|body| Request::decode(dialect, body).ok());
    matches!(read, Some(Decoded::Message(Request::PlaceOrder(read))) if read.order.quantity == place.order.quantity
        && read.order.limit == place.order.limit && read.order.aux == place.order.aux && read.contract.strike == place.contract.strike)
}

impl Connector {
    /// Why an intent may not leave now.
    fn last_look(&self, deadline: oms_model::Time, is_cancel: bool) -> Result<(), String> {
        if deadline < self.now.wall {
            return Err(format!("deadline passed by {} ns", self.now.wall.since(deadline)));
        }
        self.gate()?;
        if !is_cancel && self.config.window.is_some_and(|window| window.contains(self.now.wall)) {
            return Err("the gateway restarts at this time of day, and what reaches it just before is lost".to_owned());
        }
        if self.pace.has_room() { Ok(()) } else { Err("too much waits for the gateway".to_owned()) }
    }

    /// An order whose every digit reaches the broker.
    pub(super) fn exact(&self, place: PlaceOrder) -> Result<PlaceOrder, String> {
        let is_exact = self.link.dialect.is_some_and(|dialect| is_exact(&place, dialect));
        if is_exact { Ok(place) } else { Err("the broker's protocol does not carry every digit of it".to_owned()) }
    }

    /// Hands a new order over.
    pub fn order(&mut self, now: Now, order: &WireOrder, contract: &Contract) -> Handed {
        self.pass(now);
        if let Err(reason) = self.last_look(order.deadline, false) {
            return Handed::NotSent(reason);
        }
        let place = match terms::new_order(&self.config, order, contract).and_then(|place| self.exact(place)) {
            Ok(place) => place,
            Err(reason) => return Handed::NotSent(reason),
        };
        let wire_id = order.wire_id.clone();
        if self.ledger.get(&wire_id).is_some() || self.pace.waits(&wire_id) {
            // A second order under an id would be new terms of the first. It is refused when the first is over: before
            // that, it would read as a refusal of the first.
            if MAX_TWICE <= self.twice.len() {
                return Handed::Unknown("an order with this id was handed over before".to_owned());
            }
            self.twice.push(wire_id);
            self.refuse_twice();
        } else {
            self.pace.push(Class::Order, Item::Place { wire_id, place: Box::new(place), deadline: order.deadline });
        }
        self.turn(now);
        Handed::Over
    }

    /// Hands a cancel over.
    pub fn cancel(&mut self, now: Now, request: &WireCancel) -> Handed {
        self.pass(now);
        if let Err(reason) = self.last_look(request.deadline, true) {
            return Handed::NotSent(reason);
        }
        let wire_id = request.wire_id.clone();
        let Some((order_id, _)) = wire_id.parts() else { return Handed::NotSent("the id is none of ours".to_owned()) };
        for place in self.pace.take_places(|waiting| waiting == order_id) {
            self.give_up(place, "it was canceled before it left");
        }
        match self.ledger.order(order_id).map(|order| order.ib_id) {
            Some(0) => return Handed::NotSent("the order id that the gateway knows it by is not known".to_owned()),
            Some(_) => self.pace.push(Class::First, Item::Cancel { wire_id, deadline: request.deadline }),
            None => {
                let text = "no such order was ever sent".to_owned();
                self.tell(None, ReportBody::CancelRejected { wire_id, text });
            }
        }
        self.turn(now);
        Handed::Over
    }

    /// Hands new terms over.
    pub fn replace(&mut self, now: Now, request: &WireReplace) -> Handed {
        self.pass(now);
        if let Err(reason) = self.last_look(request.deadline, false) {
            return Handed::NotSent(reason);
        }
        let wire_id = request.wire_id.clone();
        let Some(order) = self.ledger.get(&wire_id) else {
            self.refuse_replace(wire_id, "no such order was ever sent");
            return Handed::Over;
        };
        if order.state != VenueState::Live {
            self.refuse_replace(wire_id, "the order is over");
            return Handed::Over;
        }
        // The gateway would take new terms of an order that it does not know for a new order.
        if !order.heard || order.perms.is_empty() {
            return Handed::NotSent("the broker has not confirmed the order yet".to_owned());
        }
        let is_asked = order.requests.iter().any(|request| request.answer.is_none()) || self.pace.place_waits(order.order_id);
        if is_asked || order.is_doubled() || order.is_ending() {
            return Handed::NotSent("what was asked of the order before is not answered".to_owned());
        }
        let Some(placed) = &order.place else { return Handed::NotSent("the terms of the order are not known".to_owned()) };
        let mut place = match terms::replaced(placed, request).and_then(|place| self.exact(place)) {
            Ok(place) => place,
            Err(reason) => return Handed::NotSent(reason),
        };
        place.order_id = order.ib_id;
        self.pace.push(Class::Order, Item::Place { wire_id, place: Box::new(place), deadline: request.deadline });
        self.turn(now);
        Handed::Over
    }

    fn refuse_replace(&mut self, wire_id: WireId, text: &str) {
        self.ledger.refused_here(&wire_id, IntentKind::Replace);
        self.act(Action::Keep(Record::Refused(wire_id.clone(), IntentKind::Replace, text.to_owned())));
        self.tell(None, ReportBody::ReplaceRejected { wire_id, text: text.to_owned() });
    }

    /// Lets leave what may.
    pub(super) fn leave(&mut self) {
        while self.link.has_begun() {
            let Some(item) = self.pace.next(self.now.mono, self.config.timing.per_second) else { return };
            let deadline = match &item {
                Item::Place { deadline, .. } | Item::Cancel { deadline, .. } => Some(*deadline),
                Item::Look { .. } | Item::WhatIf { .. } | Item::Plain(_) => None,
            };
            if deadline.is_some_and(|deadline| deadline < self.now.wall) {
                self.give_up(item, "its deadline passed while it waited to leave");
                continue;
            }
            match item {
                Item::Place { wire_id, place, .. } => self.leave_place(&wire_id, *place),
                Item::Cancel { wire_id, .. } => self.leave_cancel(&wire_id),
                Item::Look { round, requests } => {
                    self.stamp += 1;
                    self.looks.left(round, self.stamp, self.now.mono, self.config.timing.patience);
                    requests.iter().for_each(|request| self.send_now(request));
                }
                Item::WhatIf { number, place } => self.leave_what_if(number, *place),
                Item::Plain(request) => self.send_now(&request),
            }
        }
    }

    fn leave_place(&mut self, wire_id: &WireId, mut place: PlaceOrder) {
        let Some((order_id, revision)) = wire_id.parts() else { return };
        if revision == 0 {
            // Never lowered, and never one that anybody was seen to use.
            let Some(next) = self.ledger.highest_id.checked_add(1) else {
                return self.not_sent(wire_id.clone(), IntentKind::New, "there are no order ids left");
            };
            (place.order_id, place.order.order_id) = (next, next);
            self.unanswered.insert(order_id, self.now.mono.saturating_add(self.config.timing.acknowledge));
        }
        self.note(order_id);
        self.act(Action::Keep(Record::Placed(wire_id.clone(), Box::new(place.clone()))));
        self.ledger.placed(wire_id, place.clone());
        self.figures.orders += 1;
        self.send_now(&Request::PlaceOrder(place));
    }

    fn leave_cancel(&mut self, wire_id: &WireId) {
        let Some((order_id, _)) = wire_id.parts() else { return };
        let Some(ib_id) = self.ledger.order(order_id).map(|order| order.ib_id) else { return };
        self.note(order_id);
        self.act(Action::Keep(Record::Cancel(wire_id.clone(), ib_id)));
        self.ledger.cancel_left(wire_id, ib_id);
        self.figures.cancels += 1;
        self.send_now(&Request::CancelOrder(CancelOrder { order_id: ib_id, cancel: OrderCancel::default() }));
    }

    /// Something of an order leaves now.
    fn note(&mut self, order_id: OrderId) {
        self.stamp += 1;
        self.left.insert(order_id, self.stamp);
    }

    pub(super) fn send_now(&mut self, request: &Request) {
        let Some(dialect) = self.link.dialect else { return };
        let mut bytes = Vec::new();
        request.encode(dialect, &mut bytes);
        self.act(Action::Send(bytes));
    }

    /// Ids that came twice are refused once the first is over.
    pub(super) fn refuse_twice(&mut self) {
        let over = |wire_id: &WireId, this: &Self| {
            this.ledger.get(wire_id).map_or(!this.pace.waits(wire_id), |order| order.state != VenueState::Live)
        };
        let twice = std::mem::take(&mut self.twice);
        for wire_id in twice {
            if over(&wire_id, self) {
                let text = "an order with this id was sent before".to_owned();
                self.tell(None, ReportBody::Rejected { wire_id, text });
            } else {
                self.twice.push(wire_id);
            }
        }
    }
}
