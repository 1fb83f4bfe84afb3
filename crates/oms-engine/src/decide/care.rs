//! Care orders: staged, and worked by the person who holds them.
//!
//! - Nothing of a care order is sent until its holder splits it or releases it to the router.
//! - Its quantity and limit are the client's: no part is larger than what is unplaced, none is priced worse, none lives
//!   longer. The gate has judged the whole, so that a part makes nothing worse.

use super::create::{self, validate_part};
use super::tree::{self, ChildSpec};
use super::{changeable, refused};
use crate::step::Step;
use oms_model::command::{Actor, CommandOutcome, MAX_BATCH, NewOrder, NewPart, OrderRef, Placed};
use oms_model::event::{CareAccepted, CarePassed, Event, OrderRejected};
use oms_model::order::Terms;
use oms_model::{Code, EndedBy, OrdType, Order, OrderId, OrderKind, Pending, Qty, Refusal, Time, TimeInForce, UserId};

/// The most bytes of the words that go with a care order from hand to hand.
const MAX_TEXT: usize = 1000;

/// The care order that a command names.
fn care_order(step: &Step<'_>, order: &OrderRef, if_version: Option<u32>) -> Result<Order, Refusal> {
    let order = changeable(step, order, if_version)?;
    if order.extras.care.is_none() {
        let text = "the order is not a care order";
        return Err(Refusal::new(Code::StateConflict, text).with("order_id", order.order_id));
    }
    Ok(order)
}

/// The same, where the actor holds it.
fn held(step: &Step<'_>, actor: &Actor, order: &OrderRef, if_version: Option<u32>) -> Result<Order, Refusal> {
    let order = care_order(step, order, if_version)?;
    is_holder(&order, actor.user_id).map(|()| order)
}

/// Whether `user` holds a care order.
///
/// # Errors
/// `NOT_HOLDER`, naming who does.
pub(crate) fn is_holder(order: &Order, user: UserId) -> Result<(), Refusal> {
    match order.extras.care.as_deref().and_then(|care| care.holder) {
        Some(holder) if holder == user => Ok(()),
        Some(holder) => Err(Refusal::new(Code::NotHolder, "another user holds the care order").with("holder", holder)),
        None => Err(Refusal::new(Code::NotHolder, "nobody holds the care order; claim it first")),
    }
}

fn pending(step: &Step<'_>, order_id: OrderId) -> CommandOutcome {
    let version = step.state().order(order_id).map_or(0, |order| order.version);
    CommandOutcome::Pending { orders: vec![(order_id, version)] }
}

pub(crate) fn accept(step: &mut Step<'_>, actor: &Actor, order: &OrderRef, if_version: Option<u32>) -> CommandOutcome {
    let order = match care_order(step, order, if_version) {
        Ok(order) => order,
        Err(refusal) => return refused(refusal),
    };
    if let Some(by) = order.extras.care.as_deref().and_then(|care| care.accepted_by) {
        return refused(Refusal::new(Code::StateConflict, "the care order was acknowledged before").with("accepted_by", by));
    }
    let order_id = order.order_id;
    step.emit(Event::CareAccepted(CareAccepted { order_id, user_id: actor.user_id }));
    pending(step, order_id)
}

pub(crate) fn claim(step: &mut Step<'_>, actor: &Actor, order: &OrderRef, if_version: Option<u32>) -> CommandOutcome {
    let order = match care_order(step, order, if_version) {
        Ok(order) => order,
        Err(refusal) => return refused(refusal),
    };
    let Some(care) = order.extras.care.as_deref() else { return refused(super::create::vanished()) };
    if let Some(holder) = care.holder {
        return refused(Refusal::new(Code::StateConflict, "the care order is held already").with("holder", holder));
    }
    let (order_id, user_id) = (order.order_id, actor.user_id);
    if care.accepted_by.is_none() {
        step.emit(Event::CareAccepted(CareAccepted { order_id, user_id }));
    }
    step.emit(Event::CarePassed(CarePassed { order_id, from: None, to: Some(user_id), text: String::new() }));
    pending(step, order_id)
}

pub(crate) fn pass(
    step: &mut Step<'_>,
    actor: &Actor,
    order: &OrderRef,
    to: Option<UserId>,
    text: String,
    if_version: Option<u32>,
) -> CommandOutcome {
    let order = match held(step, actor, order, if_version) {
        Ok(order) => order,
        Err(refusal) => return refused(refusal),
    };
    if text.len() > MAX_TEXT {
        return refused(Refusal::new(Code::ValidationError, format!("text has at most {MAX_TEXT} bytes")));
    }
    if to == Some(actor.user_id) {
        return refused(Refusal::new(Code::ValidationError, "the care order is passed to the one who holds it"));
    }
    let order_id = order.order_id;
    step.emit(Event::CarePassed(CarePassed { order_id, from: Some(actor.user_id), to, text }));
    pending(step, order_id)
}

pub(crate) fn split(step: &mut Step<'_>, actor: &Actor, order: &OrderRef, parts: &[NewPart], if_version: Option<u32>) -> CommandOutcome {
    let order = match held(step, actor, order, if_version).and_then(|order| may_place(step, &order).map(|()| order)) {
        Ok(order) => order,
        Err(refusal) => return refused(refusal),
    };
    let specs = match specs(step, &order, parts) {
        Ok(specs) => specs,
        Err(refusal) => return refused(refusal),
    };
    // All of them stand before the first one is sent, so that a refusal leaves nothing half done.
    let mut placed = Vec::with_capacity(specs.len());
    for spec in specs {
        match tree::create_child(step, order.order_id, spec) {
            Ok(order_id) => placed.push(order_id),
            Err(refusal) => unreachable!("a part that was checked is created: {refusal}"),
        }
    }
    CommandOutcome::Orders(placed.into_iter().map(|order_id| place_part(step, order_id)).collect())
}

/// Sends a part unless it is for a person. One that finds no place is refused, and its quantity comes back.
fn place_part(step: &mut Step<'_>, order_id: OrderId) -> Placed {
    if step.state().order(order_id).is_some_and(Order::is_worked) {
        return Placed::Accepted { order_id };
    }
    match tree::release(step, order_id, "split") {
        Ok(()) => Placed::Accepted { order_id },
        Err(refusal) => {
            let (by, code) = (if refusal.code == Code::NoRoute { EndedBy::Router } else { EndedBy::Risk }, refusal.code);
            step.emit(Event::OrderRejected(OrderRejected { order_id, by, code, text: refusal.message }));
            super::parent::part_ended(step, order_id);
            Placed::Refused { order_id, code }
        }
    }
}

pub(crate) fn release(step: &mut Step<'_>, actor: &Actor, order: &OrderRef, if_version: Option<u32>) -> CommandOutcome {
    let order = match held(step, actor, order, if_version) {
        Ok(order) => order,
        Err(refusal) => return refused(refusal),
    };
    match tree::release(step, order.order_id, "released by its holder") {
        Ok(()) => pending(step, order.order_id),
        Err(refusal) => refused(refusal),
    }
}

/// Whether more of a care order may go out at all now.
fn may_place(step: &mut Step<'_>, order: &Order) -> Result<(), Refusal> {
    if order.pending != Pending::None {
        return Err(Refusal::new(Code::StateConflict, "an earlier cancel or replace of the order is pending"));
    }
    let above = step.state().order(order.root_order_id).unwrap_or(order);
    if let Some(hold) = above.extras.hold.as_deref() {
        return Err(Refusal::new(Code::StateConflict, "the order is accepted and waits before it is sent").with("held", hold.reason));
    }
    tree::blocked(step, order)
}

/// What the parts are to be, each checked, and all of them together.
fn specs(step: &Step<'_>, order: &Order, parts: &[NewPart]) -> Result<Vec<ChildSpec>, Refusal> {
    if parts.is_empty() || parts.len() > MAX_BATCH || order.children.len() + parts.len() > tree::MAX_CHILDREN {
        let text = format!("an order is split into 1 to {MAX_BATCH} parts at once, and has {} at most", tree::MAX_CHILDREN);
        return Err(Refusal::new(Code::ValidationError, text).with("parts", parts.len()));
    }
    let named = |at: usize| move |refusal: Refusal| refusal.with("part", at);
    let specs = parts.iter().enumerate().map(|(at, part)| spec(step, order, part).map_err(named(at)));
    let specs = specs.collect::<Result<Vec<ChildSpec>, Refusal>>()?;
    for (at, part) in parts.iter().enumerate() {
        let again = parts.iter().take(at).any(|earlier| part.cl_ord_id.is_some() && earlier.cl_ord_id == part.cl_ord_id);
        if again {
            return Err(named(at)(Refusal::new(Code::DuplicateClOrdId, "cl_ord_id occurs twice among the parts")));
        }
    }
    let sum = specs.iter().try_fold(Qty::ZERO, |sum, spec| sum.checked_add(spec.order_qty));
    let Some(sum) = sum else { return Err(Refusal::new(Code::ValidationError, "the parts are too large")) };
    tree::may_have_child(step, order, sum)?;
    Ok(specs)
}

fn spec(step: &Step<'_>, order: &Order, part: &NewPart) -> Result<ChildSpec, Refusal> {
    let ord_type = part.ord_type.unwrap_or(order.ord_type);
    let time_in_force = part.time_in_force.unwrap_or(order.time_in_force);
    let price = part.price.or(if ord_type.has_price() { order.price } else { None });
    let stop_px = part.stop_px.or(if ord_type.has_stop() { order.extras.stop_px } else { None });
    let mut expire_at = part.expire_at;
    if time_in_force == order.time_in_force && expire_at.is_none() && time_in_force == TimeInForce::Gtd {
        expire_at = order.expire_at;
    }
    let routing = part.routing.clone();
    if let Some(policy) = &routing.policy
        && step.state().policy(policy).is_none()
    {
        return Err(Refusal::new(Code::NotFound, "there is no such routing policy").with("policy", policy));
    }
    if let Some(original) = part.cl_ord_id.as_ref().and_then(|id| step.state().by_cl_ord_id(id)) {
        return Err(Refusal::new(Code::DuplicateClOrdId, "cl_ord_id was used before").with("order_id", original));
    }
    let order_qty = part.order_qty;
    let side = order.side;
    let as_order = NewOrder { side, ord_type, order_qty, price, stop_px, time_in_force, expire_at, routing, ..NewOrder::default() };
    if ord_type == OrdType::PreviouslyQuoted {
        return Err(Refusal::new(Code::OrderTypeUnsupported, "a part does not accept a quote; accept it as an order of its own"));
    }
    validate_part(step.state(), order.instrument_id, &as_order, step.now())?;
    within(step, order, ord_type, &Terms { order_qty, price, stop_px })?;
    let expire_at = create::expire_at(step, &as_order, step.state().instrument(order.instrument_id));
    outlives(order, expire_at, time_in_force)?;
    let plain = as_order.routing == oms_model::order::Routing::default();
    Ok(ChildSpec {
        kind: OrderKind::Child,
        order_qty,
        ord_type,
        price,
        stop_px,
        time_in_force,
        expire_at,
        routing: (!plain).then(|| Box::new(as_order.routing)),
        cl_ord_id: part.cl_ord_id.clone(),
    })
}

/// A part stays within what the client allowed and what can be traded.
///
/// # Errors
/// What it breaks.
pub(crate) fn within(step: &Step<'_>, order: &Order, ord_type: OrdType, part: &Terms) -> Result<(), Refusal> {
    let Some(instrument) = step.state().instrument(order.instrument_id) else { return Err(super::create::vanished()) };
    if !part.order_qty.is_positive() || !part.order_qty.is_multiple_of(instrument.lot) {
        let text = "the quantity of a part is above zero and a multiple of the lot";
        return Err(Refusal::new(Code::InvalidLot, text).with("lot", instrument.lot));
    }
    for price in [part.price, part.stop_px].into_iter().flatten() {
        if !price.is_positive() || !instrument.is_on_tick(price) {
            return Err(Refusal::new(Code::InvalidTick, "the price is off the tick table").with("price", price));
        }
    }
    let Some(limit) = order.price else { return Ok(()) };
    let kept = ord_type.has_price() && part.price.is_some_and(|price| if order.side.is_buy() { price <= limit } else { price >= limit });
    if kept {
        return Ok(());
    }
    Err(Refusal::new(Code::ValidationError, "a part is not priced worse than the order's own limit").with("price", limit))
}

/// No part lives longer than what it is a part of.
fn outlives(order: &Order, expire_at: Option<Time>, tif: TimeInForce) -> Result<(), Refusal> {
    let longer = match (order.expire_at, expire_at) {
        (Some(end), Some(at)) => at > end,
        (Some(_), None) => tif == TimeInForce::Gtc,
        (None, _) => false,
    };
    if longer { Err(Refusal::new(Code::ValidationError, "a part does not live longer than the order above it")) } else { Ok(()) }
}
