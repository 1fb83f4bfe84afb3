//! What time brings: orders expire, answers are overdue, done orders leave the hot state, sweeps go on.

use super::{cancel, day, overrides, quote, report, risk, schedule, staged, work};
use crate::engine::Moved;
use crate::state::TimerKind;
use crate::step::Step;
use oms_model::event::{BrokerSession, Event, OrderClosed};
use oms_model::limit::Scope;
use oms_model::{EndedBy, InstrumentId, LimitScheduleId, Mic, OrderId, OverrideId, Pending, QuoteId, QuoteReqId};

/// How much one timer input does at most; what is left is due at once.
const AT_ONCE: usize = 256;

pub(crate) fn timer(step: &mut Step<'_>) {
    for (due, kind, order_id) in step.state().due(step.now(), AT_ONCE) {
        if !work::has_room(step) {
            // What is left is due at once.
            break;
        }
        match kind {
            TimerKind::Expire => expire(step, order_id),
            TimerKind::Answer => report::doubt_unanswered(step, order_id, "the venue has not answered in time"),
            TimerKind::Stage => staged::over(step, order_id),
            TimerKind::Close => close(step, order_id),
            TimerKind::QuoteLife => quote::expire_quote(step, QuoteId::from_u128(order_id.as_u128()), ""),
            TimerKind::QuoteRequestLife => quote::expire_request(step, QuoteReqId::from_u128(order_id.as_u128())),
            TimerKind::Work => work::woken(step, due, order_id),
            TimerKind::Override => overrides::expire(step, OverrideId::from_u128(order_id.as_u128())),
            TimerKind::LimitSchedule => schedule::due(step, LimitScheduleId::from_u128(order_id.as_u128())),
        }
        assert!(!step.state().is_set(due, kind, order_id), "a timer that was served is set no more");
    }
    sweep(step);
    if let Some((at, after)) = *step.marking
        && at <= step.now()
    {
        step.is_marking = true;
        // What is left is due at once; after the last one it begins again in a while.
        *step.marking = risk::mark(step, after).map(|last| (at, Some(last)));
    }
    if let Some(moved) = step.moved.pop_front() {
        look_on(step, moved);
    }
}

/// The market in an instrument moved: looks at the orders that watch it; those beyond the bound follow at once.
pub(crate) fn market(step: &mut Step<'_>, instrument: InstrumentId) {
    let under_way = step.moved.iter().position(|moved| moved.instrument == instrument);
    let moved = under_way.and_then(|at| step.moved.remove(at)).map(|moved| Moved { again: true, ..moved });
    look_on(step, moved.unwrap_or(Moved { instrument, after: None, again: false }));
}

fn look_on(step: &mut Step<'_>, moved: Moved) {
    match work::market_moved(step, moved.instrument, moved.after) {
        Some(after) => step.moved.push_back(Moved { after, ..moved }),
        None if moved.again && moved.after.is_some() => step.moved.push_back(Moved { after: None, again: false, ..moved }),
        None => (),
    }
}

fn expire(step: &mut Step<'_>, order_id: OrderId) {
    let Some(order) = step.state().order(order_id) else { return };
    if order.state.is_done() {
        return;
    }
    if order.pending == Pending::Cancel {
        // Asked already; the timer of an order fires once.
        step.emit(Event::OrderCancelRequested(oms_model::event::OrderCancelRequested { order_id, by: EndedBy::Timer }));
        return;
    }
    cancel::cancel_tree(step, order_id, EndedBy::Timer);
}

/// A whole tree is closed together, once nothing of it works and nothing is in doubt.
fn close(step: &mut Step<'_>, root_id: OrderId) {
    let Some(root) = step.state().order(root_id) else { return };
    // Parts before what they are parts of.
    let mut ids = vec![root.order_id];
    let mut at = 0;
    while let Some(order) = ids.get(at).and_then(|id| step.state().order(*id)) {
        ids.extend_from_slice(&order.children);
        at += 1;
    }
    for order_id in ids.into_iter().rev() {
        step.emit(Event::OrderClosed(OrderClosed { order_id }));
    }
}

/// Cancels the next orders in the scopes of kill switches.
fn sweep(step: &mut Step<'_>) {
    let Some((scope, by)) = step.sweeps.pop_front() else { return };
    step.is_sweeping = true;
    let found = if by == EndedBy::DayClose { day::day_orders(step, AT_ONCE) } else { cancel::working_in(step, scope, AT_ONCE) };
    if found.len() == AT_ONCE {
        step.sweeps.push_front((scope, by));
    }
    for order_id in found {
        cancel::cancel_tree(step, order_id, by);
    }
}

/// The process has just recovered: no session is up, whatever was not answered is in doubt, and the scopes
/// of engaged kill switches are swept again. Asked again for as long as [`State::has_undoubted`].
///
/// [`State::has_undoubted`]: crate::State::has_undoubted
pub(crate) fn recovered(step: &mut Step<'_>) {
    const REASON: &str = "the process was restarted";
    let connected: Vec<Mic> = step.state().venues().filter(|entry| entry.connected).map(|entry| entry.venue.venue).collect();
    for venue in connected {
        step.emit(Event::BrokerDisconnected(BrokerSession { venue, reason: REASON.to_owned() }));
    }
    let open: Vec<OrderId> = step.state().undoubted(report::MAX_DOUBTS).collect();
    for order_id in open {
        report::doubt_unanswered(step, order_id, REASON);
    }
    let engaged = step.state().risk().kill_switches();
    step.sweeps.clear();
    step.sweeps.extend(engaged.into_iter().map(|one| (one.0, EndedBy::KillSwitch)));
    // DAY orders of the last closed day that were not ended before the restart.
    if !day::day_orders(step, 1).is_empty() {
        step.sweeps.push_back((Scope::Tenant, EndedBy::DayClose));
    }
}
