//! What is held here, and how it is released to the venues.

use std::cmp::Ordering;

use oms_model::amount::mul_div;
use oms_model::{InstrumentId, Mic, OrdType, Price, Qty, Side, Time, TimeInForce};
use oms_runtime::port::{Handed, WireOrder};
use oms_venues::paper::request::Request as VenueRequest;

use super::Gateway;
use crate::codec::{Number, Order, Size};
use crate::sim::book::{Held, Status, Trigger};
use crate::sim::catalog::mic_of;
use crate::sim::faults::Line;
use crate::sim::stamp;

/// Nanoseconds after which an order that found no quote is tried again.
const RETRY_NS: i64 = 100_000_000;

impl Gateway {
    /// What an order waits for.
    pub(super) fn trigger_of(&self, order: &Held) -> Trigger {
        let aux = order.terms.aux.and_then(Number::price);
        match order.terms.order_type.as_str() {
            "STP" | "STP LMT" => aux.map_or(Trigger::None, Trigger::Stop),
            "MIT" | "LIT" => aux.map_or(Trigger::None, Trigger::Touch),
            "MOC" | "LOC" => Trigger::Close,
            "TRAIL" | "TRAIL LIMIT" => {
                let given = order.terms.trail_stop.and_then(Number::price);
                Trigger::Stop(given.unwrap_or_else(|| self.trailed(order, self.mark(order.instrument))))
            }
            _ => Trigger::None,
        }
    }

    /// Where a trailing stop stands when the market is at `price`.
    fn trailed(&self, order: &Held, price: Price) -> Price {
        let tick = self.catalog.get(order.instrument).map_or(1, |item| item.tick.raw());
        let percent = order.terms.trailing_percent.and_then(Number::decimal).map(|percent| {
            let hundred = 100 * oms_model::amount::ONE;
            let part = mul_div(u128::from(price.raw().unsigned_abs()), percent.raw().unsigned_abs(), hundred.unsigned_abs().into());
            part.and_then(|(part, _)| i64::try_from(part).ok()).unwrap_or(0)
        });
        let amount = percent.or_else(|| order.terms.aux.and_then(Number::price).map(Price::raw)).unwrap_or(0);
        let at = if order.is_buy() { price.raw().saturating_add(amount) } else { price.raw().saturating_sub(amount) };
        Price::from_raw((at - at.rem_euclid(tick)).max(tick))
    }

    /// Orders that waited for this one to be transmitted.
    pub(super) fn transmit_family(&mut self, perm: i64) {
        let Some(order) = self.orders.by_perm.get(&perm) else { return };
        let (client, order_id, parent) = (order.client, order.order_id, order.terms.parent_id);
        let root = if parent == 0 { order_id } else { parent };
        let family = self.orders.live(|other| {
            other.client == client
                && other.perm != perm
                && !other.terms.transmit
                && (other.order_id == root || other.terms.parent_id == root)
        });
        for member in &family {
            if let Some(order) = self.orders.by_perm.get_mut(member) {
                order.terms.transmit = true;
                order.status = Status::PreSubmitted;
            }
            self.tell_order(*member);
        }
        for member in family {
            self.work(member);
        }
    }

    /// Whether an order may go to a venue now.
    fn is_ready(&self, order: &Held) -> bool {
        let after = stamp::read(&order.terms.good_after).is_none_or(|after| after <= self.now);
        let parent = order.terms.parent_id == 0
            || self.orders.of_client(order.client, order.terms.parent_id).is_none_or(|parent| parent.status == Status::Filled);
        !order.done
            && order.venue.is_none()
            && order.status != Status::Inactive
            && order.trigger == Trigger::None
            && after
            && parent
            && self.faults.line == Line::Up
    }

    /// Lets an order work, if it is ready.
    pub(super) fn work(&mut self, perm: i64) {
        let Some(order) = self.orders.by_perm.get(&perm) else { return };
        if let Trigger::Stop(_) | Trigger::Touch(_) = order.trigger
            && let Some(last) = self.board(order.instrument).and_then(|board| board.last)
        {
            let (instrument, price) = (order.instrument, last.price);
            self.elect(instrument, price);
        }
        let Some(order) = self.orders.by_perm.get(&perm) else { return };
        if self.is_ready(order) {
            self.release(perm);
        }
    }

    /// Sends an order to its venue.
    fn release(&mut self, perm: i64) {
        let Some(order) = self.orders.by_perm.get(&perm) else { return };
        let against = self.board(order.instrument).and_then(|board| board.against(order.is_buy(), |mic| self.floor.venue(mic).is_some()));
        let named = mic_of(&order.exchange);
        let Some(venue) = named.or(against.map(|(venue, _)| venue)) else {
            // No quote anywhere: the order waits for one.
            return;
        };
        let (ord_type, price) = match released_limit(&order.terms) {
            Some(limit) => (OrdType::Limit, Some(limit)),
            None if order.terms.order_type == "MTL" => (OrdType::Limit, against.map(|(_, shown)| shown.price)),
            None => (OrdType::Market, None),
        };
        let Some(wire) = self.wire_order(order, ord_type, price) else { return };
        self.send_to(perm, venue, wire);
    }

    fn wire_order(&self, order: &Held, ord_type: OrdType, price: Option<Price>) -> Option<WireOrder> {
        let item = self.catalog.get(order.instrument)?;
        let time_in_force = match order.terms.tif.as_str() {
            "GTC" => TimeInForce::Gtc,
            "IOC" => TimeInForce::Ioc,
            "FOK" => TimeInForce::Fok,
            "OPG" => TimeInForce::Opg,
            "GTD" => TimeInForce::Gtd,
            _ => TimeInForce::Day,
        };
        Some(WireOrder {
            wire_id: order.wire(0),
            instrument: order.instrument,
            symbol: item.symbol.clone(),
            side: if order.is_buy() { Side::Buy } else { Side::Sell },
            ord_type,
            order_qty: order.left(),
            cash_order_qty: None,
            quote_ref: None,
            price,
            stop_px: None,
            time_in_force,
            expire_at: stamp::read(&order.terms.good_till).filter(|_| time_in_force == TimeInForce::Gtd),
            deadline: Time(i64::MAX),
        })
    }

    fn send_to(&mut self, perm: i64, venue: Mic, wire: WireOrder) {
        if let Some(order) = self.orders.by_perm.get_mut(&perm) {
            order.venue = Some(venue);
        }
        // The journal says where it went before it goes, so that a restart asks the right venue.
        self.keep_order(perm);
        self.submit(perm, Some(venue), VenueRequest::New(wire));
    }

    /// Hands a request to a venue.
    pub(super) fn submit(&mut self, perm: i64, venue: Option<Mic>, request: VenueRequest) {
        let now = self.now;
        let handed = venue.and_then(|mic| self.floor.venue_mut(mic)).map(|venue| venue.submit(now, request));
        if let Some(Handed::NotSent(reason) | Handed::Unknown(reason)) = handed {
            self.notice_order(perm, 399, &format!("Order Message: the venue cannot be reached: {reason}"));
        }
    }

    /// A last sale moves trailing stops and elects what waits for it.
    pub(super) fn elect(&mut self, instrument: InstrumentId, price: Price) {
        let waiting = self.orders.live(|order| {
            order.instrument == instrument
                && order.status != Status::Inactive
                && matches!(order.trigger, Trigger::Stop(_) | Trigger::Touch(_))
                && self.parent_is_filled(order)
        });
        for perm in waiting {
            let Some(order) = self.orders.by_perm.get(&perm).cloned() else { continue };
            let trigger = self.moved_trigger(&order, price);
            let reached = match (trigger, order.is_buy()) {
                (Trigger::Stop(at), true) | (Trigger::Touch(at), false) => price.cmp(&at) != Ordering::Less,
                (Trigger::Stop(at), false) | (Trigger::Touch(at), true) => price.cmp(&at) != Ordering::Greater,
                (Trigger::None | Trigger::Close, _) => false,
            };
            let Some(order) = self.orders.by_perm.get_mut(&perm) else { continue };
            order.trigger = trigger;
            if reached {
                if let (Trigger::Stop(at), "TRAIL LIMIT") = (trigger, order.terms.order_type.as_str()) {
                    order.terms.limit = Some(Number::from(trailed_limit(&order.terms, at)));
                }
                order.trigger = Trigger::None;
                if self.orders.by_perm.get(&perm).is_some_and(|order| self.is_ready(order)) {
                    self.release(perm);
                }
            }
        }
    }

    fn parent_is_filled(&self, order: &Held) -> bool {
        order.terms.parent_id == 0
            || self.orders.of_client(order.client, order.terms.parent_id).is_none_or(|parent| parent.status == Status::Filled)
    }

    fn moved_trigger(&self, order: &Held, price: Price) -> Trigger {
        let Trigger::Stop(at) = order.trigger else { return order.trigger };
        if !matches!(order.terms.order_type.as_str(), "TRAIL" | "TRAIL LIMIT") {
            return order.trigger;
        }
        let follows = self.trailed(order, price);
        Trigger::Stop(if order.is_buy() { at.min(follows) } else { at.max(follows) })
    }

    /// Orders that may be ready by now: those with a time, those that found no quote, children of orders that are filled.
    pub(super) fn release_due(&mut self) {
        for perm in self.orders.live(|order| order.venue.is_none() && self.is_ready(order)) {
            self.release(perm);
        }
    }

    /// When an order has to be looked at again without anything having happened.
    pub(super) fn next_release(&self) -> Option<Time> {
        let dated = |order: &Held| stamp::read(&order.terms.good_after).filter(|after| *after > self.now);
        let dates = self.orders.working().filter_map(dated).min();
        let waits = self.orders.working().any(|order| self.is_ready(order));
        [dates, waits.then(|| self.now.plus(RETRY_NS))].into_iter().flatten().min()
    }

    /// What an execution of an order means for others: children of a parent that is filled, others of its group.
    pub(super) fn family_after_fill(&mut self, perm: i64, qty: Qty) {
        let Some(order) = self.orders.by_perm.get(&perm).cloned() else { return };
        if !order.terms.oca_group.is_empty() {
            let group = order.terms.oca_group.clone();
            let others = self
                .orders
                .live(|other| other.perm != perm && other.terms.oca_group == group && other.terms.account == order.terms.account);
            for other in others {
                if order.terms.oca_type <= 1 { self.cancel(other) } else { self.reduce(other, qty) }
            }
        }
        if order.status == Status::Filled && order.order_id != 0 {
            let children = self.orders.live(|other| other.client == order.client && other.terms.parent_id == order.order_id);
            for child in children {
                self.work(child);
            }
        }
    }

    /// Takes executed quantity of the group off an order.
    fn reduce(&mut self, perm: i64, qty: Qty) {
        let Some(order) = self.orders.by_perm.get(&perm) else { return };
        let left = order.qty().saturating_sub(qty);
        if left <= order.cum {
            self.cancel(perm);
            return;
        }
        let mut terms = order.terms.clone();
        terms.quantity = Size(Number::try_from(left).unwrap_or_default());
        if order.venue.is_some() {
            self.reduce_working(perm, terms);
        } else if let Some(order) = self.orders.by_perm.get_mut(&perm) {
            order.terms = terms;
            self.tell_order(perm);
        }
    }

    /// What waits for the close is worked, what is for the day ends.
    pub(super) fn close_market(&mut self) {
        for perm in self.orders.live(|order| order.trigger == Trigger::Close) {
            if let Some(order) = self.orders.by_perm.get_mut(&perm) {
                order.trigger = Trigger::None;
            }
            self.work(perm);
        }
        // What was released arrives before the session ends.
        let now = self.now.plus(RETRY_NS);
        self.advance(now);
        self.expire_day_orders();
    }

    pub(super) fn expire_day_orders(&mut self) {
        let (now, is_day) = (self.now, |order: &Held| matches!(order.terms.tif.as_str(), "" | "DAY"));
        for perm in self.orders.live(|order| order.venue.is_none() && is_day(order)) {
            self.finish_cancel(perm);
        }
        self.floor.end_session(now);
    }
}

/// The limit under which an order is released; `None` for the market.
fn released_limit(terms: &Order) -> Option<Price> {
    match terms.order_type.as_str() {
        "LMT" | "STP LMT" | "LOC" | "LIT" | "TRAIL LIMIT" => terms.limit.and_then(Number::price),
        _ => None,
    }
}

/// The limit of a trailing stop limit order that was elected at `stop`.
fn trailed_limit(terms: &Order, stop: Price) -> Price {
    let given = |number: Option<Number>| number.and_then(Number::price);
    let distance = given(terms.limit_offset)
        .or_else(|| Some(Price::from_raw((given(terms.limit)?.raw() - given(terms.trail_stop)?.raw()).abs())))
        .unwrap_or_default();
    if terms.action == "BUY" { stop.saturating_add(distance) } else { stop.saturating_sub(distance) }
}
