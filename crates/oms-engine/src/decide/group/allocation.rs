//! Sharing out what a group executed.

use crate::decide::{admin, cancel, execution, parent, refused};
use crate::state::Group;
use crate::step::Step;
use oms_model::allocate::{RULE, Share, Weight, allocate};
use oms_model::command::{Actor, CommandOutcome, OrderRef};
use oms_model::event::{Allocation, AllocationApproved, AllocationProposed, AllocationRejected, Event};
use oms_model::{AllocId, AllocMode, Code, EndedBy, ExecId, Notional, Order, OrderId, Pending, Qty, Refusal, Time};
use std::collections::BTreeSet;

/// After anything happened to a group's tree: what it executed is shared out, straight through or as far as it was
/// approved; and members that were to end with it end.
pub(crate) fn follow(step: &mut Step<'_>) {
    if !step.state().has_groups() {
        return;
    }
    let state = step.state();
    let concerned = |order: &Order| order.group_order_id().unwrap_or(order.root_order_id);
    let root = |event: &Event| event.order_id().and_then(|id| state.order(id)).map(concerned);
    let touched: BTreeSet<OrderId> = step.events().iter().filter_map(root).filter(|id| state.group_ever(*id).is_some()).collect();
    for group_order_id in touched {
        rebook(step, group_order_id);
        end_members(step, group_order_id);
    }
}

/// What is to be shared out as things stand: everything, or what was approved, as far as it is still executed.
fn basis(step: &Step<'_>, group_order_id: OrderId) -> Option<(Qty, Notional)> {
    let (group, order) = (step.state().group_ever(group_order_id)?, step.state().order(group_order_id)?);
    let (executed, notional) = shareable(group, order)?;
    // What a dissolved group still executes is nobody's share: its members are worked on their own.
    let qty = match group.mode {
        AllocMode::Stp if !group.dissolved => executed,
        AllocMode::Stp | AllocMode::Manual => group.alloc_qty().min(executed),
    };
    Some((qty, if qty == executed { notional } else { notional.part(qty, executed)? }))
}

/// What of a group's executed quantity its members can take, with its value. What is beyond that stays with the group.
fn shareable(group: &Group, order: &Order) -> Option<(Qty, Notional)> {
    let wanted = group.members.iter().fold(Qty::ZERO, |sum, member| sum.saturating_add(member.remaining));
    if order.cum_qty <= wanted {
        return Some((order.cum_qty, order.cum_notional));
    }
    Some((wanted, order.cum_notional.part(wanted, order.cum_qty)?))
}

fn rebook(step: &mut Step<'_>, group_order_id: OrderId) {
    let Some((qty, notional)) = basis(step, group_order_id) else { return };
    let booked = step.state().group_ever(group_order_id).and_then(|group| group.booked.as_deref());
    let stands = booked.map_or((Qty::ZERO, Notional::ZERO), |booked| (booked.qty, booked.notional));
    if stands == (qty, notional) {
        return;
    }
    if let Some(allocation) = share_out(step, group_order_id, qty, notional) {
        book(step, allocation);
    }
}

/// The allocation of `qty`, executed for `notional`; `None` where a figure leaves its range.
fn share_out(step: &mut Step<'_>, group_order_id: OrderId, qty: Qty, notional: Notional) -> Option<Allocation> {
    let alloc_id = AllocId::from_u128(step.new_order_id().as_u128());
    let transact_time = last_executed(step, group_order_id);
    let (group, order) = (step.state().group_ever(group_order_id)?, step.state().order(group_order_id)?);
    let lot = step.state().instrument(order.instrument_id)?.lot;
    let weights: Vec<Weight> = group.members.iter().map(oms_model::event::Member::weight).collect();
    let shares = allocate(qty, notional, lot, &weights)?;
    Some(Allocation {
        alloc_id,
        group_order_id,
        account_id: order.account_id,
        instrument_id: order.instrument_id,
        side: order.side,
        rule: RULE,
        qty,
        notional,
        lot,
        transact_time,
        members: group.members.clone(),
        shares,
    })
}

/// When the last execution of a group that stands was made. Looks at all of the account's open and last closed day only
/// where something was taken back.
fn last_executed(step: &Step<'_>, group_order_id: OrderId) -> Time {
    let state = step.state();
    let before = state.group_ever(group_order_id).and_then(|group| group.booked.as_deref()).map(|booked| booked.transact_time);
    let of_group = |order_id: OrderId| state.order(order_id).is_some_and(|order| order.root_order_id == group_order_id);
    let mut times = Vec::new();
    for event in step.events() {
        match event {
            Event::ExecutionRecorded(e) if of_group(e.order_id) => times.push(e.transact_time),
            Event::ExecutionBusted(e) | Event::ExecutionWhacked(e) if of_group(e.order_id) => {
                let Some(holding) = state.holding(e.account_id, e.instrument_id) else { return Time(0) };
                let all = holding.day().iter().chain(holding.closed());
                return all.filter(|b| !b.against && of_group(b.order_id)).map(|b| b.transact_time).max().unwrap_or_default();
            }
            _ => (),
        }
    }
    times.into_iter().chain(before).max().unwrap_or_default()
}

/// Books an allocation; every member has more or less than it had by the difference.
fn book(step: &mut Step<'_>, allocation: Allocation) {
    let booked = step.state().group_ever(allocation.group_order_id).and_then(|group| group.booked.as_deref());
    let before: Vec<Share> = booked.map_or_else(Vec::new, |booked| booked.shares.clone());
    let exec_id = ExecId::new(&allocation.alloc_id.to_string()).unwrap_or_default();
    let shares = allocation.shares.clone();
    step.emit(Event::AllocationBooked(Box::new(allocation)));
    for share in shares {
        let order_id = share.order_id;
        let had = before.iter().find(|had| had.order_id == order_id).copied().unwrap_or_default();
        let (qty, notional) = (share.qty.saturating_sub(had.qty), share.notional.saturating_sub(had.notional));
        if qty.is_zero() && notional.is_zero() {
            continue;
        }
        let is_done = |step: &Step<'_>| step.state().order(order_id).is_some_and(|order| order.state.is_done());
        let was_done = is_done(step);
        execution::adjust(step, order_id, &exec_id, qty, notional, true);
        if was_done && !is_done(step) && execution::is_unwanted(step, order_id) {
            cancel::cancel_tree(step, order_id, EndedBy::Router);
        }
        if let Some(order) = step.state().order(order_id).cloned() {
            parent::sync_placed(step, &order);
        }
    }
}

/// Members that were asked to end while they were grouped end once the group is done and shared out.
fn end_members(step: &mut Step<'_>, group_order_id: OrderId) {
    let Some((group, order)) = step.state().group(group_order_id).zip(step.state().order(group_order_id)) else { return };
    if !order.state.is_done() || group.alloc_qty() < order.cum_qty.min(order.order_qty) {
        return;
    }
    let is_waiting = |id: &OrderId| step.state().order(*id).is_some_and(|order| order.pending == Pending::Cancel && !order.state.is_done());
    let waiting: Vec<OrderId> = group.members.iter().map(|member| member.order_id).filter(is_waiting).collect();
    for order_id in waiting {
        cancel::end_canceled(step, order_id);
    }
}

fn out_of_range() -> Refusal {
    Refusal::new(Code::Internal, "the figures leave their range")
}

fn named(step: &Step<'_>, reference: &OrderRef) -> Result<OrderId, Refusal> {
    let order = step.state().find(reference).filter(|order| step.state().group(order.order_id).is_some());
    order.map(|order| order.order_id).ok_or_else(|| Refusal::new(Code::NotFound, "there is no such group"))
}

/// Proposes to share out everything that the group has executed. A second person decides.
pub(crate) fn propose(step: &mut Step<'_>, actor: &Actor, reference: &OrderRef) -> CommandOutcome {
    let group_order_id = match named(step, reference) {
        Ok(id) => id,
        Err(refusal) => return refused(refusal),
    };
    let Some((group, order)) = step.state().group(group_order_id).zip(step.state().order(group_order_id)) else {
        return refused(super::super::create::vanished());
    };
    let Some((qty, notional)) = shareable(group, order) else { return refused(out_of_range()) };
    let user_id = actor.user_id;
    let refusal = match group {
        _ if group.mode == AllocMode::Stp => Some("the group is shared out straight through"),
        _ if group.proposed.is_some() => Some("a proposal waits to be decided"),
        _ if group.booked.as_deref().is_some_and(|b| (b.qty, b.notional) == (qty, notional)) => Some("everything is shared out"),
        _ if qty.is_zero() => Some("the group has executed nothing"),
        _ => None,
    };
    if let Some(text) = refusal {
        return refused(Refusal::new(Code::StateConflict, text).with("group_order_id", group_order_id));
    }
    match share_out(step, group_order_id, qty, notional) {
        Some(allocation) => step.emit(Event::AllocationProposed(Box::new(AllocationProposed { allocation, user_id }))),
        None => return refused(out_of_range()),
    }
    CommandOutcome::Done
}

fn proposal(step: &Step<'_>, alloc_id: AllocId) -> Result<AllocationProposed, Refusal> {
    let mut proposals = step.state().groups().filter_map(|group| group.proposed.as_deref());
    let found = proposals.find(|proposed| proposed.allocation.alloc_id == alloc_id);
    found.cloned().ok_or_else(|| Refusal::new(Code::NotFound, "no such allocation waits to be decided").with("alloc_id", alloc_id))
}

/// Books a proposal; not by the one who made it, and not where something was executed or taken back since.
pub(crate) fn approve(step: &mut Step<'_>, actor: &Actor, alloc_id: AllocId) -> CommandOutcome {
    let proposed = match proposal(step, alloc_id) {
        Ok(proposed) => proposed,
        Err(refusal) => return refused(refusal),
    };
    if proposed.user_id == actor.user_id {
        let text = "the one who proposed an allocation does not approve it";
        return refused(Refusal::new(Code::SecondPersonNeeded, text).with("alloc_id", alloc_id));
    }
    let allocation = proposed.allocation;
    let group_order_id = allocation.group_order_id;
    let known = step.state().group(group_order_id).zip(step.state().order(group_order_id));
    let now = known.and_then(|(group, order)| shareable(group, order));
    if now != Some((allocation.qty, allocation.notional)) {
        let text = "the group has executed more or less since; reject this and propose again";
        return refused(Refusal::new(Code::StateConflict, text).with("alloc_id", alloc_id));
    }
    step.emit(Event::AllocationApproved(AllocationApproved { alloc_id, group_order_id, user_id: actor.user_id }));
    book(step, allocation);
    CommandOutcome::Done
}

/// Turns a proposal down. Whoever made it may do so too.
pub(crate) fn reject(step: &mut Step<'_>, actor: &Actor, alloc_id: AllocId, reason: String) -> CommandOutcome {
    let found = admin::check_reason(&reason).and_then(|()| proposal(step, alloc_id));
    match found {
        Ok(proposed) => {
            let (group_order_id, user_id) = (proposed.allocation.group_order_id, actor.user_id);
            let rejected = AllocationRejected { alloc_id, group_order_id, user_id, reason };
            step.emit(Event::AllocationRejected(Box::new(rejected)));
            CommandOutcome::Done
        }
        Err(refusal) => refused(refusal),
    }
}
