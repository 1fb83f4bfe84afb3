//! One file for each thing that can be asked, claimed or due.

pub(crate) mod admin;
pub(crate) mod breaker;
pub(crate) mod cancel;
pub(crate) mod care;
pub(crate) mod contingency;
pub(crate) mod create;
pub(crate) mod day;
pub(crate) mod dead_man;
pub(crate) mod execution;
pub(crate) mod follow;
pub(crate) mod group;
pub(crate) mod hold;
pub(crate) mod import;
pub(crate) mod in_flight;
pub(crate) mod instruct;
pub(crate) mod kill;
pub(crate) mod named;
pub(crate) mod overrides;
pub(crate) mod parent;
pub(crate) mod quote;
pub(crate) mod replace;
pub(crate) mod report;
pub(crate) mod risk;
pub(crate) mod route;
pub(crate) mod saga;
pub(crate) mod schedule;
pub(crate) mod shadow;
pub(crate) mod short_sale;
pub(crate) mod staged;
pub(crate) mod suspend;
pub(crate) mod timer;
pub(crate) mod tree;
pub(crate) mod trigger;
pub(crate) mod valued;
pub(crate) mod work;

use crate::step::Step;
use oms_model::command::{Actor, CommandOutcome, OrderRef};
use oms_model::{Code, Order, OrderKind, Refusal};

/// The order that a command names, if it may still be changed.
pub(crate) fn changeable(step: &Step<'_>, order: &OrderRef, if_version: Option<u32>) -> Result<Order, Refusal> {
    let state = step.state();
    let Some(order) = state.find(order) else {
        let closed = matches!(order, OrderRef::ClOrdId(id) if state.by_cl_ord_id(id).is_some());
        return Err(if closed {
            Refusal::new(Code::StateConflict, "the order is closed")
        } else {
            Refusal::new(Code::NotFound, "there is no such order")
        });
    };
    if let Some(expected) = if_version.filter(|&version| version != order.version) {
        let text = format!("the order is at version {}, not {expected}", order.version);
        return Err(Refusal::new(Code::VersionMismatch, text).with("version", order.version));
    }
    if !order.is_root() && order.kind() != OrderKind::Child {
        let text = "this is a part of a client order; change the client order";
        return Err(Refusal::new(Code::StateConflict, text).with("root_order_id", order.root_order_id));
    }
    if let Some(group) = order.group_order_id() {
        let text = "the order is worked in a group; change the group, or dissolve it first";
        return Err(Refusal::new(Code::StateConflict, text).with("group_order_id", group));
    }
    if order.state.is_done() {
        let text = format!("the order is {}", order.state);
        return Err(Refusal::new(Code::StateConflict, text).with("ord_status", order.ord_status()));
    }
    Ok(order.clone())
}

/// The same, where `actor` may change it: a part that is worked on its own is the business of the one who holds the
/// nearest care order above it.
pub(crate) fn changeable_by(step: &Step<'_>, actor: &Actor, order: &OrderRef, if_version: Option<u32>) -> Result<Order, Refusal> {
    let order = changeable(step, order, if_version)?;
    let mut above = order.parent_order_id.and_then(|id| step.state().order(id));
    while let Some(node) = above {
        if node.extras.care.is_some() {
            return care::is_holder(node, actor.user_id).map(|()| order);
        }
        above = node.parent_order_id.and_then(|id| step.state().order(id));
    }
    Ok(order)
}

pub(crate) fn refused(refusal: Refusal) -> CommandOutcome {
    CommandOutcome::Refused(refusal)
}
