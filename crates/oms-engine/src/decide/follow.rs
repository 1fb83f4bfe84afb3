//! What follows for orders that the engine works from what was just decided: a slice that ended asks its algorithm, a
//! fill arms the others of a list.

use super::{contingency, work};
use crate::step::Step;
use oms_model::event::Event;
use oms_model::{Order, OrderId, Qty};

/// What an event means for orders that are worked.
enum Sign {
    Executed(OrderId, Qty),
    Ended(OrderId),
    Asked(OrderId),
    Refused(OrderId),
}

/// Reads every event of the batch once, those that follow from others too.
///
/// It comes to an end: each turn reads one event, and what follows appends events only where an order changed, a slice
/// was released (bounded for each order) or something was asked of a venue (which answers in another batch).
pub(crate) fn follow(step: &mut Step<'_>) {
    let mut at = 0;
    while step.state().works() > 0 {
        let Some(event) = step.event_at(at) else { return };
        at += 1;
        let sign = match event {
            Event::OrderPartiallyFilled(e) | Event::OrderFilled(e) => Sign::Executed(e.order_id, e.last_qty),
            Event::OrderRejected(e) => Sign::Ended(e.order_id),
            Event::OrderCanceled(e) | Event::OrderExpired(e) => Sign::Ended(e.order_id),
            Event::RiskChecked(e) => Sign::Asked(e.order_id),
            Event::OrderReplaced(e) => Sign::Asked(e.order_id),
            Event::CancelRejected(e) => Sign::Asked(e.order_id),
            Event::ReplaceRejected(e) => Sign::Refused(e.order_id),
            _ => continue,
        };
        match sign {
            Sign::Executed(order_id, last_qty) => {
                contingency::executed(step, order_id, last_qty);
                let done = step.state().order(order_id).is_some_and(|order| order.state.is_done());
                if done {
                    ended(step, order_id);
                }
            }
            Sign::Ended(order_id) => ended(step, order_id),
            Sign::Asked(order_id) => answered(step, order_id, false),
            Sign::Refused(order_id) => answered(step, order_id, true),
        }
    }
}

fn ended(step: &mut Step<'_>, order_id: OrderId) {
    contingency::ended(step, order_id);
    let Some(parent_id) = step.state().order(order_id).and_then(|order| order.parent_order_id) else { return };
    work::drive(step, parent_id);
    contingency::settle(step, root_of(step, order_id));
}

fn answered(step: &mut Step<'_>, order_id: OrderId, refused: bool) {
    let root_id = root_of(step, order_id);
    if refused {
        contingency::refused(step, root_id);
    }
    contingency::settle(step, root_id);
    if step.state().order(order_id).is_some_and(Order::is_root) {
        work::drive(step, order_id);
    }
}

fn root_of(step: &Step<'_>, order_id: OrderId) -> OrderId {
    step.state().order(order_id).map_or(order_id, |order| order.root_order_id)
}
