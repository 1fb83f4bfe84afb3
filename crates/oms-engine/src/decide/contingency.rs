//! Orders of a list: what a fill of one means for the others.
//!
//! - The first order of an OTO or OTOCO list arms the others, by the rule that the list declares. Armed is never more
//!   than the first order's executions stand for, so that no protection is larger than the position that it protects;
//!   where an execution is taken back, so is what it armed.
//! - An order of the list that is executed takes its quantity from those that stand beside it (OUO, OTOCO) or cancels
//!   them (OCO).
//! - Venues execute before they hear: where both sides were executed, the race is raised. So is a venue's refusal to
//!   cancel or reduce what the list leaves no room for; it is asked again when something of the list is executed.

use super::{cancel, parent, replace, report, work};
use crate::step::Step;
use oms_model::event::{Event, OrderArmed, PeerFilled};
use oms_model::order::Terms;
use oms_model::work::{ArmRule, ContingencyType, Link, Work};
use oms_model::{Anomaly, EndedBy, Order, OrderId, Pending, Qty};

fn link_of(order: &Order) -> Option<(Link, &Work)> {
    let work = order.extras.work.as_deref()?;
    work.link.map(|link| (link, work))
}

/// An order of a list; `None` for others, which are most.
fn listed(step: &Step<'_>, order_id: OrderId) -> Option<(Order, Link)> {
    let order = step.state().order(order_id)?;
    let (link, _) = link_of(order)?;
    Some((order.clone(), link))
}

/// The other orders of the list, oldest first.
fn others<'a>(step: &'a Step<'_>, link: &Link, order_id: OrderId) -> impl Iterator<Item = &'a Order> {
    step.state().list(link.list_id).iter().filter(move |id| **id != order_id).filter_map(|id| step.state().order(*id))
}

/// Whether two orders of one list stand in for each other.
fn excludes(one: &Link, other: &Link) -> bool {
    one.contingency != ContingencyType::Oto && one.armed_by == other.armed_by
}

/// A linked order was executed, or an execution of it changed: others are armed, canceled or reduced.
pub(crate) fn executed(step: &mut Step<'_>, order_id: OrderId, last_qty: Option<Qty>) {
    let Some((order, link)) = listed(step, order_id) else { return };
    match last_qty {
        Some(last_qty) => raise_race(step, &order, &link, last_qty),
        None => rearm(step, &order, &link),
    }
    let others: Vec<OrderId> = others(step, &link, order_id).map(|other| other.order_id).collect();
    for other_id in others {
        let Some((other, to)) = listed(step, other_id) else { continue };
        if to.armed_by == Some(order_id) {
            arm(step, &order, &link, &other, &to);
        } else if excludes(&link, &to) {
            take_from(step, order_id, &other, &to);
        }
    }
}

/// An order that was done works again: what arms it may have changed meanwhile.
fn rearm(step: &mut Step<'_>, order: &Order, link: &Link) {
    if let Some((first, list)) = link.armed_by.and_then(|first| listed(step, first)) {
        arm(step, &first, &list, order, link);
    }
    settle(step, order.order_id);
}

/// What the others have executed in place of an order, all of it counted anew.
fn take_from(step: &mut Step<'_>, by: OrderId, order: &Order, link: &Link) {
    let order_id = order.order_id;
    let beside = others(step, link, order_id).filter(|other| link_of(other).is_some_and(|(to, _)| excludes(link, &to)));
    let taken_qty = beside.fold(Qty::ZERO, |sum, other| sum.saturating_add(other.cum_qty));
    if link_of(order).is_some_and(|(_, work)| work.taken_qty != taken_qty) {
        step.emit(Event::PeerFilled(PeerFilled { order_id, by, taken_qty }));
    }
    settle(step, order_id);
}

/// A linked order has ended: what it would have armed never will be, or is armed for the part that was executed.
pub(crate) fn ended(step: &mut Step<'_>, order_id: OrderId) {
    let Some((order, link)) = listed(step, order_id) else { return };
    let others: Vec<OrderId> = others(step, &link, order_id).map(|other| other.order_id).collect();
    for other_id in others {
        let Some((other, to)) = listed(step, other_id) else { continue };
        if to.armed_by == Some(order_id) {
            arm(step, &order, &link, &other, &to);
            settle(step, other_id);
            work::drive(step, other_id);
        }
    }
}

fn raise_race(step: &mut Step<'_>, order: &Order, link: &Link, last_qty: Qty) {
    let Some((_, work)) = link_of(order) else { return };
    let together = order.cum_qty.saturating_add(work.taken_qty);
    let wanted = if link.armed_by.is_some() { work.armed_qty } else { link.list_qty };
    let both = match link.contingency {
        ContingencyType::Oto => false,
        ContingencyType::Oco => true,
        ContingencyType::Ouo | ContingencyType::Otoco => together > wanted,
    };
    if both && work.taken_qty.is_positive() {
        let detail = format!(
            "{last_qty} were executed here after {} were executed by others of its list: {together} of {wanted} together",
            work.taken_qty
        );
        report::anomaly(step, order.order_id, Anomaly::ContingencyRace, detail);
    }
}

/// How much of `to` is armed by what `first` has executed: the same part of it as was executed of what `first` was for
/// when the list was made, in whole lots.
fn armed(step: &Step<'_>, first: &Order, list: &Link, other: &Order, to: &Link) -> Qty {
    let is_armed = link_of(other).is_some_and(|(_, work)| work.armed_qty.is_positive());
    // What was executed is protected even where the rest never will be, and stays so.
    if to.arm == ArmRule::FullFill && !first.state.is_done() && !is_armed {
        return Qty::ZERO;
    }
    let all = list.list_qty;
    if first.cum_qty >= all || to.list_qty == all {
        return to.list_qty.min(first.cum_qty);
    }
    let (list, cum, all) = (to.list_qty.raw(), first.cum_qty.raw(), all.raw().max(1));
    let share = list.checked_mul(cum).map_or(0, |product| product / all);
    let lot = step.state().instrument(other.instrument_id).map_or(Qty::ZERO, |instrument| instrument.lot);
    Qty::from_raw(share).round_down_to(lot).min(first.cum_qty)
}

fn arm(step: &mut Step<'_>, first: &Order, list: &Link, other: &Order, to: &Link) {
    let armed_qty = armed(step, first, list, other, to);
    let before = link_of(other).map_or(Qty::ZERO, |(_, work)| work.armed_qty);
    if armed_qty == before || other.state.is_done() {
        return;
    }
    let (order_id, by) = (other.order_id, first.order_id);
    step.emit(Event::OrderArmed(OrderArmed { order_id, by, armed_qty }));
    if armed_qty > before {
        work::drive(step, order_id);
    } else {
        settle(step, order_id);
    }
}

/// What a list asks of one of its orders.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Due {
    Nothing,
    Cancel,
    /// Be over this much.
    Replace(Qty),
    /// Have no more than this with slices, beside what was executed.
    Cut(Qty),
}

fn due(step: &Step<'_>, order: &Order) -> Due {
    let Some((link, work)) = link_of(order) else { return Due::Nothing };
    // The order that arms the others, and one that nobody has taken from, is the client's to size.
    let untouched = link.armed_by.is_none() && work.taken_qty.is_zero();
    if order.state.is_done() || untouched {
        return Due::Nothing;
    }
    let first_done = link.armed_by.is_none_or(|first| step.state().order(first).is_none_or(|first| first.state.is_done()));
    let all = if link.armed_by.is_some() && first_done { work.armed_qty } else { link.list_qty };
    let wanted = all.saturating_sub(work.taken_qty);
    if (link.contingency == ContingencyType::Oco && work.taken_qty.is_positive()) || wanted <= order.cum_qty {
        return Due::Cancel;
    }
    if wanted < order.order_qty {
        return Due::Replace(wanted);
    }
    let allowed = work.cap(order.order_qty).saturating_sub(order.cum_qty).max(Qty::ZERO);
    let open = order.place_qty.saturating_sub(order.cum_qty);
    if open > allowed { Due::Cut(allowed) } else { Due::Nothing }
}

/// Brings a linked order down to what its list leaves it: the order first, then slices that hold more than is armed.
/// Where something of it waits for an answer, the answer brings it here again.
pub(crate) fn settle(step: &mut Step<'_>, order_id: OrderId) {
    let Some((order, _)) = listed(step, order_id) else { return };
    if order.pending != Pending::None {
        return;
    }
    match due(step, &order) {
        Due::Nothing => (),
        Due::Cancel => cancel::cancel_tree(step, order_id, EndedBy::Contingency),
        Due::Replace(order_qty) if replace::may_replace(step, order_id) => {
            parent::replace_part(step, order_id, Terms { order_qty, ..order.terms() });
        }
        Due::Replace(_) => (),
        Due::Cut(allowed) => cut_slices(step, &order, allowed),
    }
}

/// Takes from the newest slices what is more than `allowed`.
fn cut_slices(step: &mut Step<'_>, order: &Order, allowed: Qty) {
    let open = order.place_qty.saturating_sub(order.cum_qty);
    let mut surplus = open.saturating_sub(allowed);
    let slices: Vec<Order> = step.state().children(order).map(|slice| slice.order.clone()).collect();
    for slice in slices.iter().rev().filter(|slice| !slice.state.is_done()) {
        if !surplus.is_positive() || !replace::may_replace(step, slice.order_id) {
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
pub(crate) fn not_reduced(step: &mut Step<'_>, order_id: OrderId) {
    let Some((order, _)) = listed(step, order_id) else { return };
    if order.pending == Pending::None && matches!(due(step, &order), Due::Replace(_) | Due::Cut(_)) {
        let detail = "a venue refused to reduce it to what its list leaves; it is canceled".to_owned();
        report::anomaly(step, order_id, Anomaly::ContingencyRace, detail);
        cancel::cancel_tree(step, order_id, EndedBy::Contingency);
    }
}

/// A venue refused to cancel: it is not asked again for as long as nothing more happens, so that the two of them do not
/// talk for ever; somebody has to know.
pub(crate) fn not_canceled(step: &mut Step<'_>, order_id: OrderId) {
    let Some((order, _)) = listed(step, order_id) else { return };
    // What works below an order that is done works for nobody.
    if order.state.is_done() || due(step, &order) != Due::Nothing {
        let detail = "a venue refused to cancel what its list leaves no room for".to_owned();
        report::anomaly(step, order_id, Anomaly::ContingencyRace, detail);
    }
}
