//! Orders of a list: what a fill of one means for the others.
//!
//! - The first order of an OTO or OTOCO list arms the others, by the rule that the list declares. Armed is never more
//!   than the first order has executed, so that no protection is larger than what it protects.
//! - An order of the list that is executed takes its quantity from those that stand beside it (OUO, OTOCO) or cancels
//!   them (OCO).
//! - Venues execute before they hear: where both sides were executed, the race is raised.

use super::{cancel, parent, replace, work};
use crate::step::Step;
use oms_model::event::{Event, OrderAnomaly, OrderArmed, PeerFilled};
use oms_model::order::Terms;
use oms_model::work::{ArmRule, ContingencyType, Link, Work};
use oms_model::{Anomaly, EndedBy, OrdState, Order, OrderId, Pending, Qty};

fn link_of(order: &Order) -> Option<(Link, &Work)> {
    let work = order.extras.work.as_deref()?;
    work.link.map(|link| (link, work))
}

/// The other orders of the list, oldest first.
fn others(step: &Step<'_>, link: &Link, order_id: OrderId) -> Vec<Order> {
    let list = step.state().list(link.list_id);
    list.iter().filter(|&&id| id != order_id).filter_map(|id| step.state().order(*id)).cloned().collect()
}

/// A linked order was executed: others are armed, canceled or reduced.
pub(crate) fn executed(step: &mut Step<'_>, order_id: OrderId, last_qty: Qty) {
    let Some(order) = step.state().order(order_id).cloned() else { return };
    let Some((link, work)) = link_of(&order) else { return };
    raise_race(step, &order, work, last_qty);
    for other in others(step, &link, order_id) {
        let Some((to, its_work)) = link_of(&other) else { continue };
        if to.armed_by == Some(order_id) {
            arm(step, &order, &other);
        } else if to.armed_by == link.armed_by && link.contingency != ContingencyType::Oto {
            let taken_qty = its_work.taken_qty.saturating_add(last_qty);
            step.emit(Event::PeerFilled(PeerFilled { order_id: other.order_id, by: order_id, taken_qty }));
            settle(step, other.order_id);
        }
    }
}

/// A linked order has ended: what it would have armed never will be, or is armed for the part that was executed.
pub(crate) fn ended(step: &mut Step<'_>, order_id: OrderId) {
    let Some(order) = step.state().order(order_id).cloned() else { return };
    let Some((link, _)) = link_of(&order) else { return };
    for other in others(step, &link, order_id) {
        if link_of(&other).is_some_and(|(to, _)| to.armed_by == Some(order_id)) {
            arm(step, &order, &other);
            settle(step, other.order_id);
        }
    }
}

fn raise_race(step: &mut Step<'_>, order: &Order, work: &Work, last_qty: Qty) {
    let Some(link) = work.link else { return };
    let both = match link.contingency {
        ContingencyType::Oto => false,
        ContingencyType::Oco => work.taken_qty.is_positive(),
        ContingencyType::Ouo | ContingencyType::Otoco => {
            work.taken_qty.is_positive() && order.cum_qty.saturating_add(work.taken_qty) > link.list_qty
        }
    };
    if both {
        let detail = format!(
            "{last_qty} were executed here after {} were executed by others of its list: {} of {} together",
            work.taken_qty,
            order.cum_qty.saturating_add(work.taken_qty),
            link.list_qty
        );
        step.emit(Event::OrderAnomaly(OrderAnomaly { order_id: order.order_id, anomaly: Anomaly::ContingencyRace, detail }));
    }
}

/// How much of `to` is armed by what `first` has executed.
fn armed(step: &Step<'_>, first: &Order, to: &Order, link: &Link) -> Qty {
    if first.state == OrdState::Filled {
        return link.list_qty.min(first.cum_qty);
    }
    let proportional = || {
        // list_qty * cum / order_qty, in the widest integers there are; both are quantities of the same list.
        let (list, cum, all) = (link.list_qty.raw(), first.cum_qty.raw(), first.order_qty.raw().max(1));
        let share = if list == all { cum } else { list.checked_mul(cum).map_or(0, |product| product / all) };
        let lot = step.state().instrument(to.instrument_id).map_or(Qty::ZERO, |instrument| instrument.lot);
        Qty::from_raw(share).round_down_to(lot).min(first.cum_qty)
    };
    match link.arm {
        ArmRule::ProRata => proportional(),
        // What was executed is protected even where the rest never will be.
        ArmRule::FullFill if first.state.is_done() => proportional(),
        ArmRule::FullFill => Qty::ZERO,
    }
}

fn arm(step: &mut Step<'_>, first: &Order, other: &Order) {
    let Some((link, work)) = link_of(other) else { return };
    let armed_qty = armed(step, first, other, &link);
    if armed_qty > work.armed_qty && !other.state.is_done() {
        let (order_id, by) = (other.order_id, first.order_id);
        step.emit(Event::OrderArmed(OrderArmed { order_id, by, armed_qty }));
        work::drive(step, order_id);
    }
}

/// Brings a linked order down to what its list leaves it: the order first, then slices that hold more than is armed.
/// Where something of it waits for an answer, the answer brings it here again.
pub(crate) fn settle(step: &mut Step<'_>, order_id: OrderId) {
    let Some(order) = step.state().order(order_id).cloned() else { return };
    let Some((link, work)) = link_of(&order) else { return };
    // The order that arms the others, and one that nobody has taken from, is the client's to size.
    let untouched = link.armed_by.is_none() && work.taken_qty.is_zero();
    if order.state.is_done() || order.pending != Pending::None || untouched {
        return;
    }
    let first_done = link.armed_by.is_none_or(|first| step.state().order(first).is_none_or(|first| first.state.is_done()));
    let all = if link.armed_by.is_some() && first_done { work.armed_qty } else { link.list_qty };
    let wanted = all.saturating_sub(work.taken_qty);
    let canceled = link.contingency == ContingencyType::Oco && work.taken_qty.is_positive();
    if canceled || wanted <= order.cum_qty {
        return cancel::cancel_tree(step, order_id, EndedBy::Contingency);
    }
    if wanted < order.order_qty {
        if replace::may_replace(step, order_id) {
            parent::replace_part(step, order_id, Terms { order_qty: wanted, ..order.terms() });
        }
        return;
    }
    cut_slices(step, &order, work.cap(order.order_qty).saturating_sub(order.cum_qty).max(Qty::ZERO));
}

/// Takes from the newest slices what is more than `allowed`.
fn cut_slices(step: &mut Step<'_>, order: &Order, allowed: Qty) {
    let open = order.place_qty.saturating_sub(order.cum_qty);
    let mut surplus = open.saturating_sub(allowed);
    let slices: Vec<Order> = step.state().children(order).map(|slice| slice.order.clone()).collect();
    for slice in slices.iter().rev().filter(|slice| !slice.state.is_done()) {
        if !surplus.is_positive() {
            return;
        }
        if !replace::may_replace(step, slice.order_id) {
            return;
        }
        let cut = surplus.min(slice.open_qty());
        surplus = surplus.saturating_sub(cut);
        if cut == slice.open_qty() {
            cancel::cancel_tree(step, slice.order_id, EndedBy::Contingency);
        } else {
            parent::replace_part(step, slice.order_id, Terms { order_qty: slice.order_qty.saturating_sub(cut), ..slice.terms() });
        }
    }
}

/// A venue refused to reduce: what cannot be reduced is canceled, so that it is never more than what it protects.
pub(crate) fn refused(step: &mut Step<'_>, order_id: OrderId) {
    let Some(order) = step.state().order(order_id).cloned() else { return };
    let Some((_, work)) = link_of(&order) else { return };
    let over = order.place_qty > work.cap(order.order_qty).max(order.cum_qty);
    if !order.state.is_done() && order.pending == Pending::None && over {
        let detail = "a venue refused to reduce it to what its list leaves; it is canceled".to_owned();
        step.emit(Event::OrderAnomaly(OrderAnomaly { order_id, anomaly: Anomaly::ContingencyRace, detail }));
        cancel::cancel_tree(step, order_id, EndedBy::Contingency);
    }
}
