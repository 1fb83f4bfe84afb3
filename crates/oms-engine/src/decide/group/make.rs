//! Making a group and dissolving it.

use crate::decide::{admin, parent, refused, route, tree};
use crate::step::Step;
use oms_model::allocate::MAX_MEMBERS;
use oms_model::command::{Actor, CommandOutcome, NewGroup, OrderRef, Placed};
use oms_model::event::{Event, Member, OrderCreated, OrderRejected, OrderStateSynced, OrdersGrouped, OrdersUngrouped};
use oms_model::order::Terms;
use oms_model::{AccountId, Code, EndedBy, OrdState, Order, OrderId, OrderKind, Pending, Price, Qty, Refusal, Side, TimeInForce};

fn conflict(text: &str, order: &Order) -> Refusal {
    Refusal::new(Code::StateConflict, text).with("order_id", order.order_id).with("cl_ord_id", &order.cl_ord_id)
}

/// Works orders as one. Nothing of them works singly, and they want the same.
pub(crate) fn group(step: &mut Step<'_>, actor: &Actor, new: &NewGroup) -> CommandOutcome {
    let checked = members(step, &new.members).and_then(|members| {
        let created = created(step, actor, new, &members)?;
        Ok((members, created))
    });
    let (orders, created) = match checked {
        Ok(checked) => checked,
        Err(refusal) => return refused(refusal),
    };
    let order_id = step.new_order_id();
    let cl_ord_id = created.cl_ord_id.clone();
    let cl_ord_id = if cl_ord_id.as_str().is_empty() { super::super::create::own_cl_ord_id(order_id) } else { cl_ord_id };
    step.emit(Event::OrderCreated(Box::new(OrderCreated { order_id, root_order_id: order_id, cl_ord_id, ..created })));
    let member = |order: &Order| Member {
        order_id: order.order_id,
        account_id: order.account_id,
        created_at: order.created_at,
        remaining: order.open_qty(),
    };
    let members = orders.iter().map(member).collect();
    step.emit(Event::OrdersGrouped(Box::new(OrdersGrouped { group_order_id: order_id, mode: new.mode, members })));
    for order in orders.iter().filter(|order| order.state == OrdState::New) {
        let (order_id, place_qty) = (order.order_id, order.place_qty);
        step.emit(Event::OrderStateSynced(OrderStateSynced { order_id, state: OrdState::Unack, place_qty }));
    }
    let Some(order) = step.state().order(order_id).cloned() else { return refused(super::super::create::vanished()) };
    let (by, code, text) = match tree::blocked(step, &order) {
        Err(refusal) => (EndedBy::Risk, refusal.code, refusal.message),
        Ok(()) if route::release_legs(step, &order, order.order_qty, None) => {
            return CommandOutcome::Orders(vec![Placed::Accepted { order_id }]);
        }
        Ok(()) => (EndedBy::Router, Code::NoRoute, "no venue is eligible; the route decision names each one's reason".to_owned()),
    };
    // Nothing went out, so nothing holds the members together.
    step.emit(Event::OrderRejected(OrderRejected { order_id, by, code, text }));
    dissolve(step, order_id, "the group found no place");
    CommandOutcome::Orders(vec![Placed::Refused { order_id, code }])
}

/// The orders that are to be grouped, if each of them may be.
fn members(step: &Step<'_>, references: &[OrderRef]) -> Result<Vec<Order>, Refusal> {
    if !(2..=MAX_MEMBERS).contains(&references.len()) {
        let text = format!("a group has 2 to {MAX_MEMBERS} members");
        return Err(Refusal::new(Code::ValidationError, text).with("members", references.len()));
    }
    let mut found: Vec<Order> = Vec::with_capacity(references.len());
    for reference in references {
        let order = super::super::changeable(step, reference, None)?;
        if order.pending != Pending::None || step.state().works_below(&order) {
            return Err(conflict("the order works at a venue; cancel its parts before it is grouped", &order));
        }
        if !order.is_root() || order.kind() != OrderKind::Client {
            return Err(conflict("only a client's order can be grouped", &order));
        }
        if order.extras.hold.is_some() {
            return Err(conflict("an order that waits before it is sent cannot be grouped", &order));
        }
        if order.ord_type.has_stop() || order.extras.work.is_some() {
            return Err(conflict("an order that waits for a trigger, its list or its algorithm cannot be grouped", &order));
        }
        if found.iter().any(|known| known.order_id == order.order_id) {
            return Err(Refusal::new(Code::ValidationError, "an order is named twice").with("order_id", order.order_id));
        }
        if let Some(first) = found.first()
            && (first.instrument_id, first.side, first.ord_type) != (order.instrument_id, order.side, order.ord_type)
        {
            return Err(conflict("members are of one instrument, side and order type", &order));
        }
        found.push(order);
    }
    Ok(found)
}

fn created(step: &Step<'_>, actor: &Actor, new: &NewGroup, members: &[Order]) -> Result<OrderCreated, Refusal> {
    let Some(first) = members.first() else { return Err(super::super::create::vanished()) };
    let account_id = account(step, new, members, first)?;
    if let Some(id) = &new.cl_ord_id
        && let Some(original) = step.state().by_cl_ord_id(id)
    {
        return Err(Refusal::new(Code::DuplicateClOrdId, "cl_ord_id was used before").with("order_id", original));
    }
    let price = price(new, members, first)?;
    let order_qty = members.iter().fold(Qty::ZERO, |sum, order| sum.saturating_add(order.open_qty()));
    let plain = new.routing == oms_model::order::Routing::default();
    Ok(OrderCreated {
        cl_ord_id: new.cl_ord_id.clone().unwrap_or_default(),
        account_id,
        user_id: actor.user_id,
        instrument_id: first.instrument_id,
        side: first.side,
        ord_type: first.ord_type,
        time_in_force: TimeInForce::Day,
        source: actor.source,
        order_qty,
        price,
        expire_at: Some(step.config.day_end(step.state().instrument(first.instrument_id), step.now())),
        routing: (!plain).then(|| Box::new(new.routing.clone())),
        kind: Some(OrderKind::Group),
        number: step.state().next_number(step.now()),
        ..OrderCreated::default()
    })
}

fn account(step: &Step<'_>, new: &NewGroup, members: &[Order], first: &Order) -> Result<AccountId, Refusal> {
    match new.account_id {
        Some(id) if step.state().account(id).is_some_and(|account| account.active) => Ok(id),
        Some(id) => Err(Refusal::new(Code::NotFound, "there is no such account that takes orders").with("account_id", id)),
        None if members.iter().all(|order| order.account_id == first.account_id) => Ok(first.account_id),
        None => Err(Refusal::new(Code::ValidationError, "account_id is needed: the members are of several accounts")),
    }
}

/// The group's limit: at least as strict as every member's.
fn price(new: &NewGroup, members: &[Order], first: &Order) -> Result<Option<Price>, Refusal> {
    let limits = members.iter().filter_map(|order| order.price);
    let strictest = if first.side == Side::Buy { limits.min() } else { limits.max() };
    let Some(given) = new.price else { return Ok(strictest) };
    let Some(strictest) = strictest else {
        return Err(Refusal::new(Code::ValidationError, "the members have no limit, so the group takes none"));
    };
    let fits = if first.side == Side::Buy { given <= strictest } else { given >= strictest };
    if fits && given.is_positive() {
        return Ok(Some(given));
    }
    let text = format!("the group's limit must satisfy every member's: {strictest} is the strictest");
    Err(Refusal::new(Code::ValidationError, text).with("price", strictest))
}

/// New terms of a group stay within what its members want: no more than they had left, and nobody's limit is broken.
/// What they reserve covers it then.
pub(crate) fn may_replace(step: &mut Step<'_>, group: &Order, terms: &Terms) -> Result<(), Refusal> {
    let Some(known) = step.state().group(group.order_id) else { return Err(conflict("the group was dissolved", group)) };
    let whole = known.members.iter().fold(Qty::ZERO, |sum, member| sum.saturating_add(member.remaining));
    if terms.order_qty > whole {
        let text = "a group is for no more than its members had left when they were grouped";
        return Err(Refusal::new(Code::ValidationError, text).with("order_qty", whole));
    }
    let members = known.members.iter().filter_map(|member| step.state().order(member.order_id));
    let limits: Vec<Price> = members.filter_map(|member| member.price).collect();
    let keeps = |limit: &Price| terms.price.is_some_and(|price| if group.side.is_buy() { price <= *limit } else { price >= *limit });
    if !limits.iter().all(keeps) {
        return Err(Refusal::new(Code::ValidationError, "the group's limit must satisfy every member's"));
    }
    tree::blocked(step, group)
}

/// Works the members on their own again, once nothing of the group works and all it executed is shared out.
pub(crate) fn ungroup(step: &mut Step<'_>, reference: &OrderRef, reason: String) -> CommandOutcome {
    let found = admin::check_reason(&reason).and_then(|()| {
        let order = step.state().find(reference).filter(|order| step.state().group(order.order_id).is_some());
        order.cloned().ok_or_else(|| Refusal::new(Code::NotFound, "there is no such group"))
    });
    let order = match found {
        Ok(order) => order,
        Err(refusal) => return refused(refusal),
    };
    let allocated = step.state().group(order.order_id).map_or(Qty::ZERO, crate::state::Group::alloc_qty);
    if !order.state.is_done() || step.state().works_below(&order) {
        return refused(conflict("the group works; cancel it first", &order));
    }
    if allocated < order.cum_qty.min(order.order_qty) {
        return refused(conflict("not all that the group executed is shared out", &order));
    }
    dissolve(step, order.order_id, &reason);
    CommandOutcome::Done
}

/// Dissolves a group; what its members have left is placed for each on its own.
fn dissolve(step: &mut Step<'_>, group_order_id: OrderId, reason: &str) {
    let Some(group) = step.state().group(group_order_id) else { return };
    let members: Vec<OrderId> = group.members.iter().map(|member| member.order_id).collect();
    let ungrouped = OrdersUngrouped { group_order_id, members: members.clone(), reason: reason.to_owned() };
    step.emit(Event::OrdersUngrouped(Box::new(ungrouped)));
    for order_id in members {
        parent::place_rest(step, order_id, "replaced");
    }
}
