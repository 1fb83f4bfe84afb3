//! New orders, modifications and cancels.

use oms_model::{InstrumentId, Notional, Price, Qty, Time};
use oms_runtime::port::{WireCancel, WireReplace};
use oms_venues::paper::request::Request as VenueRequest;

use super::{Gateway, MAX_ORDERS, SessionId};
use crate::codec::{Number, OpenOrder, Order, OrderState, PlaceOrder, Reply};
use crate::sim::account::number;
use crate::sim::book::{Held, Status, Trigger};
use crate::sim::catalog::{Item, SMART};
use crate::sim::faults::Idle;
use crate::sim::stamp;

/// A refusal: code and text.
pub(super) type No = (i32, String);

/// Order types that are worked here.
const ORDER_TYPES: [&str; 11] = ["MKT", "LMT", "STP", "STP LMT", "TRAIL", "TRAIL LIMIT", "MOC", "LOC", "MTL", "MIT", "LIT"];
const TIMES_IN_FORCE: [&str; 7] = ["", "DAY", "GTC", "IOC", "FOK", "GTD", "OPG"];
const OFF_TICK: &str = "The price does not conform to the minimum price variation for this contract.";

impl Gateway {
    /// A new order, or new terms of one.
    pub(super) fn place(&mut self, session: SessionId, client: i32, place: PlaceOrder) {
        if take(&mut self.faults.drop_before) {
            self.close(session);
            return;
        }
        let order_id = place.order_id;
        let Some(item) = self.catalog.find(&place.contract).cloned() else {
            self.notice(session, order_id, 200, "No security definition has been found for the request");
            return;
        };
        let mut terms = settled(place.order, client, order_id, &self.named(""));
        if let Some(known) = self.orders.of_client(client, order_id) {
            let perm = known.perm;
            self.modify(session, perm, &item, terms);
            return;
        }
        if let Err((code, text)) = self.objection(&item, &terms) {
            self.use_id(order_id);
            self.notice(session, order_id, code, &text);
            return;
        }
        if terms.what_if && take(&mut self.faults.what_if_placed) {
            terms.what_if = false;
        }
        if terms.what_if {
            self.preview(session, order_id, &item, terms);
            return;
        }
        self.use_id(order_id);
        if take(&mut self.faults.swallow) {
            return;
        }
        let cut = take(&mut self.faults.drop_after);
        if cut {
            self.close(session);
        }
        let exchange = if place.contract.exchange.is_empty() { SMART.to_owned() } else { place.contract.exchange };
        self.take_order(client, order_id, item.instrument, exchange, terms);
    }

    /// An order that nothing is said against.
    pub(super) fn take_order(&mut self, client: i32, order_id: i32, instrument: InstrumentId, exchange: String, terms: Order) -> i64 {
        let perm = self.orders.next_perm();
        let mut order = Held {
            perm,
            client,
            order_id,
            instrument,
            exchange,
            trigger: Trigger::None,
            terms,
            status: Status::PreSubmitted,
            done: false,
            cum: Qty::ZERO,
            spent: Notional::ZERO,
            last: Price::ZERO,
            fees: Notional::ZERO,
            why_held: "",
            reject_reason: String::new(),
            completed: String::new(),
            venue: None,
            revision: 0,
            current: 0,
            asked: None,
            told: 0,
        };
        order.trigger = self.trigger_of(&order);
        let idle = match &mut self.faults.idle {
            Some((idle, left)) if *left > 0 => {
                *left -= 1;
                Some(*idle)
            }
            _ => None,
        };
        if let Some(idle) = idle {
            order.status = Status::Inactive;
            order.why_held = if idle == Idle::Locate { "locate" } else { "" };
        } else if !order.terms.transmit {
            order.status = Status::Inactive;
        }
        let works = order.status != Status::Inactive;
        self.orders.insert(order);
        self.tell_order(perm);
        if idle == Some(Idle::Locate) {
            self.notice_order(perm, 404, "Shares for this order are not immediately available for short sale.");
        }
        if works {
            self.transmit_family(perm);
            self.work(perm);
        }
        perm
    }

    /// What is wrong with an order's terms.
    pub(super) fn objection(&self, item: &Item, terms: &Order) -> Result<(), No> {
        let no = |code, text: &str| Err((code, text.to_owned()));
        if self.orders.by_perm.len() >= MAX_ORDERS {
            return no(201, "Order rejected - reason:the simulator keeps no more orders");
        }
        if self.account(&terms.account).is_none() {
            return no(321, "Error validating request.-'bW' : cause - Invalid account code");
        }
        if !matches!(terms.action.as_str(), "BUY" | "SELL" | "SSHORT") {
            return no(321, "Error validating request.-'bW' : cause - Please enter a valid action");
        }
        if !ORDER_TYPES.contains(&terms.order_type.as_str()) {
            return no(387, "Unsupported order type for this exchange and security type.");
        }
        if !TIMES_IN_FORCE.contains(&terms.tif.as_str()) {
            return no(391, "The time-in-force is not valid for this order.");
        }
        let at_close = matches!(terms.order_type.as_str(), "MOC" | "LOC");
        if at_close && !matches!(terms.tif.as_str(), "" | "DAY") {
            return no(113, "The Time-in-Force should be set to DAY for MOC and LOC orders.");
        }
        if !terms.conditions.is_empty() || !terms.algo_strategy.is_empty() {
            return no(201, "Order rejected - reason:conditions and algorithms are not simulated");
        }
        if !terms.good_after.is_empty() && stamp::read(&terms.good_after).is_none()
            || terms.tif == "GTD" && stamp::read(&terms.good_till).is_none_or(|until| until <= self.now)
        {
            return no(391, "The date, time, or time-zone entered is invalid or passed.");
        }
        match terms.quantity.0.qty() {
            Some(qty) if qty.is_positive() && qty.is_multiple_of(Qty::from_units(1).unwrap_or_default()) => (),
            Some(qty) if qty.is_positive() => return no(10318, "This order doesn't support fractional quantity trading"),
            _ => return no(434, "The order size cannot be zero."),
        }
        self.price_objection(item, terms)
    }

    fn price_objection(&self, item: &Item, terms: &Order) -> Result<(), No> {
        let no = |code, text: &str| Err((code, text.to_owned()));
        let needs_limit = matches!(terms.order_type.as_str(), "LMT" | "STP LMT" | "LOC" | "LIT");
        let needs_stop = matches!(terms.order_type.as_str(), "STP" | "STP LMT" | "MIT" | "LIT");
        if needs_limit && terms.limit.is_none() || needs_stop && terms.aux.is_none() {
            return no(321, "Error validating request.-'bW' : cause - The price of the order is missing");
        }
        let trails = matches!(terms.order_type.as_str(), "TRAIL" | "TRAIL LIMIT");
        if trails && terms.aux.is_none() && terms.trailing_percent.is_none() {
            return no(321, "Error validating request.-'bW' : cause - The trailing amount of the order is missing");
        }
        if terms.order_type == "TRAIL LIMIT" && terms.limit_offset.is_none() && (terms.limit.is_none() || terms.trail_stop.is_none()) {
            return no(321, "Error validating request.-'bW' : cause - The limit of the order is missing");
        }
        let on_tick = |number: &Number| number.price().is_some_and(|price| price.is_positive() && price.raw() % item.tick.raw() == 0);
        let prices = [&terms.limit, &terms.aux, &terms.trail_stop];
        if prices.into_iter().flatten().all(on_tick) { Ok(()) } else { no(110, OFF_TICK) }
    }

    /// What an order would cost; nothing is placed.
    fn preview(&mut self, session: SessionId, order_id: i32, item: &Item, terms: Order) {
        let qty = terms.quantity.0.qty().unwrap_or_default();
        let price = terms.limit.and_then(Number::price).unwrap_or_else(|| self.mark(item.instrument));
        let value = price.notional(qty).unwrap_or_default();
        let margin = Notional::from_raw(value.raw() / 2);
        let (before, equity) = self.account(&terms.account).map_or((Notional::ZERO, Notional::ZERO), |account| {
            let gross = account
                .holdings
                .iter()
                .fold(Notional::ZERO, |sum, (instrument, holding)| sum.saturating_add(holding.value(self.mark(*instrument)).abs()));
            let net = account
                .holdings
                .iter()
                .fold(account.cash, |sum, (instrument, holding)| sum.saturating_add(holding.value(self.mark(*instrument))));
            (Notional::from_raw(gross.raw() / 2), net)
        });
        let fee = self.fees.of(qty);
        let after = before.saturating_add(margin);
        let state = OrderState {
            status: Status::PreSubmitted.word().to_owned(),
            init_margin_before: Some(number(before)),
            maint_margin_before: Some(number(before)),
            equity_before: Some(number(equity)),
            init_margin_change: Some(number(margin)),
            maint_margin_change: Some(number(margin)),
            equity_change: Some(number(fee.negated())),
            init_margin_after: Some(number(after)),
            maint_margin_after: Some(number(after)),
            equity_after: Some(number(equity.saturating_sub(fee))),
            commission: Some(number(fee)),
            min_commission: Some(number(fee)),
            max_commission: Some(number(fee)),
            commission_currency: "USD".to_owned(),
            ..OrderState::default()
        };
        let row = OpenOrder { order_id, contract: item.contract.clone(), order: terms, state };
        self.tell(session, Reply::OpenOrder(row));
    }

    /// New terms of an order that is known.
    fn modify(&mut self, session: SessionId, perm: i64, item: &Item, terms: Order) {
        let Some(order) = self.orders.by_perm.get(&perm).cloned() else { return };
        let order_id = order.order_id;
        let no = |gateway: &mut Self, code, text: &str| gateway.notice(session, order_id, code, text);
        if order.done {
            let (code, text) =
                if order.status == Status::Filled { (104, "Cannot modify a filled order.") } else { (103, "Duplicate order id") };
            return no(self, code, text);
        }
        if take(&mut self.faults.refuse_modify) {
            return no(self, 110, OFF_TICK);
        }
        let same = order.instrument == item.instrument && order.terms.action == terms.action && order.terms.order_type == terms.order_type;
        if !same || order.terms.account != terms.account {
            return no(self, 105, "Order being modified does not match original order.");
        }
        if let Err((code, text)) = self.objection(item, &terms) {
            return no(self, code, &text);
        }
        if take(&mut self.faults.second_perm) {
            self.take_order(order.client, order_id, order.instrument, order.exchange.clone(), terms);
            return;
        }
        if terms.quantity.0.qty().unwrap_or_default() <= order.cum {
            return no(self, 104, "Cannot modify a filled order.");
        }
        match order.venue {
            None => self.modify_held(perm, terms),
            Some(_) if order.asked.is_some() || order.status == Status::PendingCancel => {
                no(self, 2102, "Unable to modify this order as it is still being processed.");
            }
            Some(_) => self.modify_working(perm, terms),
        }
    }

    fn modify_held(&mut self, perm: i64, terms: Order) {
        let Some(order) = self.orders.by_perm.get_mut(&perm) else { return };
        let begins = !order.terms.transmit && terms.transmit;
        order.terms = terms;
        let mut fresh = order.clone();
        fresh.trigger = Trigger::None;
        fresh.trigger = self.trigger_of(&fresh);
        if begins {
            fresh.status = Status::PreSubmitted;
        }
        let works = fresh.status != Status::Inactive;
        self.orders.insert(fresh);
        self.tell_order(perm);
        if begins {
            self.transmit_family(perm);
        }
        if works {
            self.work(perm);
        }
    }

    pub(super) fn modify_working(&mut self, perm: i64, terms: Order) {
        let Some(order) = self.orders.by_perm.get_mut(&perm) else { return };
        order.revision += 1;
        let request = WireReplace {
            wire_id: order.wire(order.revision),
            orig_wire_id: order.wire(order.current),
            order_qty: terms.quantity.0.qty().unwrap_or_default(),
            price: terms.limit.and_then(Number::price),
            stop_px: None,
            deadline: Time(i64::MAX),
        };
        order.asked = Some(Box::new(terms));
        let venue = order.venue;
        self.keep_order(perm);
        self.submit(perm, venue, VenueRequest::Replace(request));
    }

    /// A cancel that a client asks for.
    pub(super) fn cancel_asked(&mut self, session: SessionId, client: i32, order_id: i32) {
        let Some(order) = self.orders.of_client(client, order_id) else {
            self.notice(session, order_id, 10147, &format!("OrderId {order_id} that needs to be cancelled is not found."));
            return;
        };
        if order.done {
            let text = format!("OrderId {order_id} that needs to be cancelled cannot be cancelled, state: {}.", order.status.word());
            self.notice(session, order_id, 10148, &text);
            return;
        }
        // A modification in an outage may have left two orders under one id; the client means both.
        let (client, order_id) = (order.client, order.order_id);
        for perm in self.orders.live(|order| order.client == client && order.order_id == order_id) {
            self.cancel(perm);
        }
    }

    /// Cancels an order: at its venue, or here.
    pub(super) fn cancel(&mut self, perm: i64) {
        let Some(order) = self.orders.by_perm.get_mut(&perm) else { return };
        if order.done || order.status == Status::PendingCancel {
            return;
        }
        let Some(venue) = order.venue else {
            self.finish_cancel(perm);
            return;
        };
        order.revision += 1;
        order.status = Status::PendingCancel;
        let request = WireCancel { wire_id: order.wire(order.revision), orig_wire_id: order.wire(order.current), deadline: Time(i64::MAX) };
        self.keep_order(perm);
        self.submit(perm, Some(venue), VenueRequest::Cancel(request));
    }
}

/// Uses up one of a count.
fn take(count: &mut u32) -> bool {
    let left = *count > 0;
    *count = count.saturating_sub(1);
    left
}

/// Terms as they are worked: what clients leave out or echo without meaning it.
fn settled(mut terms: Order, client: i32, order_id: i32, account: &str) -> Order {
    (terms.client_id, terms.order_id) = (client, order_id);
    if terms.account.is_empty() {
        account.clone_into(&mut terms.account);
    }
    if terms.tif.is_empty() {
        "DAY".clone_into(&mut terms.tif);
    }
    // Clients echo what they were told, zero for what is not set.
    let unset = |number: Option<Number>| number.filter(|number| !number.is_zero());
    terms.aux = unset(terms.aux);
    terms.limit = unset(terms.limit);
    terms.trail_stop = unset(terms.trail_stop);
    terms.trailing_percent = unset(terms.trailing_percent);
    terms.limit_offset = unset(terms.limit_offset);
    if matches!(terms.order_type.as_str(), "MKT" | "MOC" | "MTL" | "STP" | "MIT" | "TRAIL") {
        terms.limit = None;
    }
    if matches!(terms.order_type.as_str(), "MKT" | "MOC" | "MTL" | "LMT" | "LOC") {
        terms.aux = None;
    }
    if !matches!(terms.order_type.as_str(), "TRAIL" | "TRAIL LIMIT") {
        (terms.trail_stop, terms.trailing_percent, terms.limit_offset) = (None, None, None);
    }
    terms
}
