//! After something of an order was executed, taken back or corrected, its rest is measured against the limits again. Beyond
//! a hard one it is canceled; beyond a soft one that is recorded.
//!
//! A mark, or a limit that is lowered, ends no order by itself: breakers watch the market, and a person who lowers a limit
//! has mass cancel. Both count with the next execution of each order that they concern.

use super::cancel;
use crate::step::Step;
use oms_model::compliance::InFlightRule;
use oms_model::event::{Event, RiskBreached};
use oms_model::limit::{CheckResult, Verdict};
use oms_model::{EndedBy, OrderId, OrderKind, Pending};

/// Reads every event of the batch from `at` on once. Where it came to.
pub(crate) fn follow(step: &mut Step<'_>, mut at: usize) -> usize {
    // Each turn reads one event; what follows is a cancel, after which the order is looked at no more.
    while let Some(event) = step.event_at(at) {
        at += 1;
        let order_id = match event {
            // Of an execution that made it whole nothing is left.
            Event::OrderPartiallyFilled(e) => e.order_id,
            Event::OrderFillAdjusted(e) => e.order_id,
            _ => continue,
        };
        look(step, order_id);
    }
    at
}

/// Looks at an order that has just been executed, where it is a client's.
fn look(step: &mut Step<'_>, order_id: OrderId) {
    let Some(order) = step.state().order(order_id).filter(|order| order.is_root()) else { return };
    if order.kind() != OrderKind::Group {
        return measure(step, order_id);
    }
    // A group stands for its members: what is reserved is theirs, and the cancel of one takes the group with it.
    let members = step.state().group(order_id).into_iter().flat_map(|group| &group.members);
    let members: Vec<OrderId> = members.map(|member| member.order_id).collect();
    for member in members {
        measure(step, member);
    }
}

fn measure(step: &mut Step<'_>, order_id: OrderId) {
    let state = step.state();
    let Some(entry) = state.entry(order_id) else { return };
    let order = &entry.order;
    if order.state.is_done() || order.pending == Pending::Cancel {
        return;
    }
    let position = state.position(order.account_id, order.instrument_id).map_or(oms_model::Qty::ZERO, |position| position.qty);
    let mut found = state.risk().check_in_flight(order, &entry.reserved(), position, state.mark(order.instrument_id));
    // What a person gave leave for at the gate is not held against its rest.
    let named = order.extras.compliance.as_deref().map_or(&[][..], |said| &said.override_ids);
    found.retain(|result| !state.risk().is_overridden(order_id, named, result.check, step.now()));
    if found.is_empty() {
        return;
    }
    let (told, cancels) = (order.extras.breached, state.risk().in_flight_rule() == InFlightRule::Cancel);
    for result in found.iter().filter(|result| told & (1 << result.check.code()) == 0) {
        let is_hard = result.verdict == Verdict::Fail;
        step.emit(Event::RiskBreached(Box::new(breached(order_id, result, cancels && is_hard))));
    }
    // One whose cancel was refused is asked to end again by its next execution.
    if cancels && found.iter().any(|result| result.verdict == Verdict::Fail) {
        cancel::cancel_tree(step, order_id, EndedBy::Risk);
    }
}

fn breached(order_id: OrderId, result: &CheckResult, cancels: bool) -> RiskBreached {
    RiskBreached {
        order_id,
        check: result.check,
        scope: result.scope,
        value: result.value.unwrap_or_default(),
        limit: result.limit.unwrap_or_default(),
        limit_version: result.limit_version,
        soft: result.soft,
        cancels,
    }
}
