//! What follows for orders that the engine works from what was just decided: a slice that ended asks its algorithm, a
//! fill arms the others of a list.

use super::{contingency, work};
use crate::step::Step;
use oms_model::event::Event;
use oms_model::{OrderId, OrderKind, Qty};

/// What an event means for orders that are worked.
enum Sign {
    /// An execution; none where one was taken back, corrected or booked by hand.
    Executed(Option<Qty>),
    Ended,
    Answered,
    NotReplaced,
    NotCanceled,
}

/// Reads every event of the batch from `at` on once, those that follow from others too. Where it came to.
///
/// It comes to an end: each turn reads one event, and what follows appends events only where an order changed, a slice
/// was released (bounded for each order) or something was asked of a venue (which answers in another batch).
pub(crate) fn follow(step: &mut Step<'_>, mut at: usize) -> usize {
    while step.state().works() > 0 {
        let Some(event) = step.event_at(at) else { return at };
        at += 1;
        let (order_id, sign) = match event {
            Event::OrderPartiallyFilled(e) | Event::OrderFilled(e) => (e.order_id, Sign::Executed(Some(e.last_qty))),
            Event::OrderFillAdjusted(e) => (e.order_id, Sign::Executed(None)),
            Event::OrderRejected(e) => (e.order_id, Sign::Ended),
            Event::OrderCanceled(e) | Event::OrderExpired(e) => (e.order_id, Sign::Ended),
            Event::RiskChecked(e) => (e.order_id, Sign::Answered),
            Event::OrderReplaced(e) => (e.order_id, Sign::Answered),
            Event::OrderOutcomeResolved(e) => (e.order_id, Sign::Answered),
            Event::CancelRejected(e) => (e.order_id, Sign::NotCanceled),
            Event::ReplaceRejected(e) => (e.order_id, Sign::NotReplaced),
            _ => continue,
        };
        let Some(order) = step.state().order(order_id) else { continue };
        let (root_id, is_root, is_slice) = (order.root_order_id, order.is_root(), order.kind() == OrderKind::Slice);
        if step.state().order(root_id).is_none_or(|root| root.extras.work.is_none()) {
            continue;
        }
        match sign {
            Sign::Executed(last_qty) => {
                contingency::executed(step, order_id, last_qty);
                if step.state().order(order_id).is_some_and(|order| order.state.is_done()) {
                    ended(step, order_id);
                } else if last_qty.is_none() {
                    // There is more to do than there was.
                    work::drive(step, order_id);
                }
                continue;
            }
            Sign::Ended => {
                ended(step, order_id);
                continue;
            }
            Sign::Answered => (),
            Sign::NotReplaced => contingency::not_reduced(step, root_id),
            Sign::NotCanceled => {
                if is_slice {
                    contingency::not_canceled(step, root_id);
                }
                if is_slice || is_root {
                    work::not_canceled(step, root_id);
                }
                continue;
            }
        }
        contingency::settle(step, root_id);
        if is_root {
            work::drive(step, order_id);
        }
    }
    at
}

fn ended(step: &mut Step<'_>, order_id: OrderId) {
    contingency::ended(step, order_id);
    // What is done waits for nothing; what works below it is an order's above it that is not.
    let mut next = step.state().order(order_id).and_then(|order| order.parent_order_id);
    while let Some(above) = next.and_then(|id| step.state().order(id)) {
        let (above_id, root_id) = (above.order_id, above.root_order_id);
        if !above.state.is_done() {
            work::drive(step, above_id);
            return contingency::settle(step, root_id);
        }
        next = above.parent_order_id;
    }
}
