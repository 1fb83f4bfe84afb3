//! The order tree: what stands above a node and below it, and how a node gets a part.

use super::create::risk_context;
use super::route;
use crate::state::Entry;
use crate::step::Step;
use oms_model::event::{Event, OrderCreated, OrderStateSynced};
use oms_model::order::Routing;
use oms_model::{ClOrdId, Code, OrdState, OrdType, Order, OrderId, OrderKind, Price, Qty, Refusal, Time, TimeInForce};
use oms_risk::Reservation;

/// The most levels that a tree has, its root and its legs included.
pub const MAX_DEPTH: usize = 16;
/// The most parts that one order has, of all kinds and states.
pub const MAX_CHILDREN: usize = 10_000;

/// What a part is to be. Account, instrument, side, user and source are its parent's.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChildSpec {
    /// SLICE or CHILD; legs come from the router.
    pub(crate) kind: OrderKind,
    pub(crate) order_qty: Qty,
    pub(crate) ord_type: OrdType,
    pub(crate) price: Option<Price>,
    pub(crate) stop_px: Option<Price>,
    pub(crate) time_in_force: TimeInForce,
    pub(crate) expire_at: Option<Time>,
    /// How it is placed; `None` takes it from the next node above that says.
    pub(crate) routing: Option<Box<Routing>>,
    /// The client's id of it. Without one a CHILD gets its own id in text, and what is made by the system repeats its root's.
    pub(crate) cl_ord_id: Option<ClOrdId>,
}

/// The order that `order_id` is a part of.
pub(crate) fn parent_of(step: &Step<'_>, order_id: OrderId) -> Option<OrderId> {
    step.state().order(order_id)?.parent_order_id
}

/// How many levels there are above an order.
fn depth(step: &Step<'_>, order: &Order) -> usize {
    core::iter::successors(order.parent_order_id, |id| parent_of(step, *id)).take(MAX_DEPTH).count()
}

/// The inner nodes of the tree from `order_id` down, itself first and parents before their parts; and the legs below
/// it that still work.
pub(crate) fn below(step: &Step<'_>, order_id: OrderId) -> (Vec<OrderId>, Vec<OrderId>) {
    let (mut inner, mut legs) = (vec![order_id], Vec::new());
    let mut at = 0;
    // Each node is visited once; `create_child` bounds their number.
    while let Some(order) = inner.get(at).and_then(|id| step.state().order(*id)) {
        for part in step.state().children(order) {
            if !part.order.is_leg() {
                inner.push(part.order.order_id);
            } else if part.is_working() {
                legs.push(part.order.order_id);
            }
        }
        at += 1;
    }
    (inner, legs)
}

/// The orders above one, from its parent up.
fn above<'a>(step: &'a Step<'_>, order: &Order) -> impl Iterator<Item = &'a Order> {
    let get = |id: OrderId| step.state().order(id);
    core::iter::successors(order.parent_order_id.and_then(get), move |order| order.parent_order_id.and_then(get))
}

/// Whether no order above one is done or being canceled.
pub(crate) fn is_wanted(step: &Step<'_>, order: &Order) -> bool {
    above(step, order).all(|order| !order.state.is_done() && order.pending != oms_model::Pending::Cancel)
}

/// Whether an order above one is done.
pub(crate) fn is_below_done(step: &Step<'_>, order: &Order) -> bool {
    above(step, order).any(|order| order.state.is_done())
}

/// What of an order is neither executed nor with a part.
pub(crate) fn unplaced(order: &Order) -> Qty {
    order.order_qty.saturating_sub(order.place_qty).max(Qty::ZERO)
}

/// Whether a part of `qty` may be made below `parent`.
///
/// # Errors
/// As [`create_child`].
pub(crate) fn may_have_child(step: &Step<'_>, parent: &Order, qty: Qty) -> Result<(), Refusal> {
    let conflict = |text: &str| Err(Refusal::new(Code::StateConflict, text).with("order_id", parent.order_id));
    if parent.is_leg() {
        return conflict("an order at a venue has no parts");
    }
    if parent.state.is_done() {
        return conflict("the order is done");
    }
    if parent.pending != oms_model::Pending::None {
        return conflict("an earlier cancel or replace of the order is pending");
    }
    if !qty.is_positive() {
        return Err(Refusal::new(Code::ValidationError, "the quantity of a part is above zero"));
    }
    let free = unplaced(parent);
    if qty > free {
        let text = "a part cannot be larger than what is unplaced of the order";
        return Err(Refusal::new(Code::ValidationError, text).with("unplaced_qty", free).with("order_qty", qty));
    }
    // Itself, the part and the legs below it.
    if depth(step, parent) + 3 > MAX_DEPTH {
        return conflict("the order tree has as many levels as are allowed");
    }
    if parent.children.len() >= MAX_CHILDREN || step.orders_left() == 0 {
        return conflict("the order has as many parts as are allowed");
    }
    Ok(())
}

/// Records a part of `parent_id`, in state NEW with nothing sent, and counts it as placed there. [`release`] sends it.
///
/// # Errors
/// Where the parent is a leg, is done or is being canceled, has less than `spec.order_qty` unplaced, or the tree would
/// grow beyond its bounds. Then nothing has changed.
pub(crate) fn create_child(step: &mut Step<'_>, parent_id: OrderId, spec: ChildSpec) -> Result<OrderId, Refusal> {
    let Some(parent) = step.state().order(parent_id).cloned() else { return Err(super::create::vanished()) };
    may_have_child(step, &parent, spec.order_qty)?;
    let order_id = step.new_order_id();
    let cl_ord_id = match spec.cl_ord_id {
        Some(id) => id,
        None if spec.kind == OrderKind::Child => super::create::own_cl_ord_id(order_id),
        None => parent.cl_ord_id.clone(),
    };
    let created = OrderCreated {
        order_id,
        parent_order_id: Some(parent_id),
        root_order_id: parent.root_order_id,
        cl_ord_id,
        account_id: parent.account_id,
        user_id: parent.user_id,
        instrument_id: parent.instrument_id,
        side: parent.side,
        ord_type: spec.ord_type,
        time_in_force: spec.time_in_force,
        source: parent.source,
        order_qty: spec.order_qty,
        price: spec.price,
        stop_px: spec.stop_px,
        expire_at: spec.expire_at,
        routing: spec.routing,
        venue: None,
        metadata: None,
        kind: Some(spec.kind),
        // What money a whole order is for, or which quote it accepts, is not shared out.
        basis: None,
        number: 0,
        work: None,
        compliance: None,
    };
    step.emit(Event::OrderCreated(Box::new(created)));
    let place_qty = parent.place_qty.saturating_add(spec.order_qty);
    step.emit(Event::OrderStateSynced(OrderStateSynced { order_id: parent_id, state: parent.state, place_qty }));
    Ok(order_id)
}

/// Hands what is unplaced of a node to the router. Kill switches, trading states, account and instrument are looked at
/// first, as they are now.
///
/// # Errors
/// Why nothing of it went out.
pub(crate) fn release(step: &mut Step<'_>, order_id: OrderId, reason: &str) -> Result<(), Refusal> {
    let Some(order) = step.state().order(order_id).cloned() else { return Err(super::create::vanished()) };
    let rest = unplaced(&order);
    if order.state.is_done() || order.pending != oms_model::Pending::None || !rest.is_positive() {
        return Err(Refusal::new(Code::StateConflict, "there is nothing of the order to place now").with("order_id", order_id));
    }
    blocked(step, &order)?;
    if route::release_legs(step, &order, rest, Some(reason.into())) {
        return Ok(());
    }
    Err(Refusal::new(Code::NoRoute, "no venue is eligible; the route decision names each one's reason").with("order_id", order_id))
}

/// Whether switches, trading states, account and instrument keep more of an accepted order's tree from going out.
///
/// # Errors
/// What does.
pub(crate) fn blocked(step: &mut Step<'_>, order: &Order) -> Result<(), Refusal> {
    let mut above = order.parent_order_id;
    while let Some(parent) = above.and_then(|id| step.state().order(id)) {
        // A part whose cancel was refused stands, but what is above it is still on its way out.
        if parent.pending == oms_model::Pending::Cancel || parent.state.is_done() {
            let text = "the order above is being canceled, or is done";
            return Err(Refusal::new(Code::StateConflict, text).with("order_id", parent.order_id));
        }
        above = parent.parent_order_id;
    }
    step.with_market(order.instrument_id, |state, market, now| {
        // The gate ran at the root, and what is reserved there covers everything below.
        let Some(root) = state.entry(order.root_order_id) else { return Err(super::create::vanished()) };
        let judged = |order: &Order, reserved: &Reservation| {
            let gate = state.risk().check_replan(order, reserved, &risk_context(state, order, market, now));
            gate.verdict.map(drop).map_err(|refused| refused.to_refusal())
        };
        if root.order.kind() != OrderKind::Group {
            return judged(&root.order, &root.reserved());
        }
        // A group stands for its members: they passed the gate and reserve, and each of them must still be let in.
        let members = state.group(root.order.order_id).into_iter().flat_map(|group| &group.members);
        let members: Vec<&Entry> = members.filter_map(|member| state.entry(member.order_id)).collect();
        let Some(first) = members.first() else {
            return Err(Refusal::new(Code::StateConflict, "the group was dissolved").with("order_id", root.order.order_id));
        };
        judged(&root.order, &first.reserved())?;
        members.iter().try_for_each(|member| judged(&member.order, &member.reserved()))
    })
}

/// Ancestors that nothing was sent for are UNACK once something below them was sent.
pub(crate) fn sent_below(step: &mut Step<'_>, order_id: OrderId) {
    let mut above = parent_of(step, order_id);
    while let Some(id) = above {
        sync_from(step, id, OrdState::New, OrdState::Unack);
        above = parent_of(step, id);
    }
}

/// Ancestors of a leg that the market has acknowledged are LIVE.
pub(crate) fn acknowledged(step: &mut Step<'_>, leg_id: OrderId) {
    let mut above = parent_of(step, leg_id);
    while let Some(id) = above {
        sync_from(step, id, OrdState::Unack, OrdState::Live);
        above = parent_of(step, id);
    }
}

fn sync_from(step: &mut Step<'_>, order_id: OrderId, from: OrdState, to: OrdState) {
    let Some(order) = step.state().order(order_id).filter(|order| order.state == from) else { return };
    let place_qty = order.place_qty;
    step.emit(Event::OrderStateSynced(OrderStateSynced { order_id, state: to, place_qty }));
}
