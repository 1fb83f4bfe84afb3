//! STAGED routing: one venue at a time. What a venue has not executed when its stage ends is canceled there and, once
//! it has confirmed that, sent to the next one. There are never two live copies: while the outcome at a venue is not
//! known, nothing goes on.

use super::{cancel, route};
use crate::step::Step;
use oms_model::event::{Event, StageEnded, StageStarted};
use oms_model::{EndedBy, Order, OrderId, Pending};

/// A stage of `order` begins with this leg, or goes on with it.
pub(crate) fn start(step: &mut Step<'_>, order_id: OrderId, leg: OrderId) {
    let Some(order) = step.state().order(order_id) else { return };
    let until = step.now().plus(route::stage_timeout(step.state(), order));
    step.emit(Event::StageStarted(StageStarted { order_id, leg, until }));
}

/// A stage's time is over.
pub(crate) fn over(step: &mut Step<'_>, order_id: OrderId) {
    let Some(order) = step.state().order(order_id).cloned() else { return };
    let Some(stage) = order.extras.stage.as_deref().copied() else { return };
    let leg = step.state().entry(stage.leg).filter(|leg| leg.is_working()).map(|leg| leg.order.clone());
    let end = |leg: OrderId, text: String| Event::StageEnded(StageEnded { order_id, leg, text });
    let Some(leg) = leg else { return step.emit(end(stage.leg, "its leg has ended".to_owned())) };
    if order.pending != Pending::None || leg.pending != Pending::None {
        // What the client or a kill switch asked for is answered first.
        return start(step, order_id, stage.leg);
    }
    let venue = leg.venue.unwrap_or_default();
    if !route::has_next_stage(step, &order, venue) {
        return step.emit(end(leg.order_id, format!("no other venue is eligible; the rest stays at {venue}")));
    }
    step.emit(end(leg.order_id, format!("{} of {} executed at {venue}; the rest goes on", leg.cum_qty, leg.order_qty)));
    cancel::cancel_leg(step, leg.order_id, EndedBy::Router);
}

/// The venue would not cancel the leg of a stage that had ended: it works on, and its stage begins again.
pub(crate) fn cancel_refused(step: &mut Step<'_>, order: &Order, leg: OrderId) {
    let works = step.state().entry(leg).is_some_and(|leg| leg.is_working() && leg.order.is_leg());
    if works && order.pending == Pending::None && order.extras.stage.is_none() && route::is_staged(step.state(), order) {
        start(step, order.order_id, leg);
    }
}
