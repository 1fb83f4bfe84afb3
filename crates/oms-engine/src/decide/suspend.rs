//! Suspending an order that the engine works, and resuming it.

use super::{cancel, changeable_by, refused, work};
use crate::step::Step;
use oms_model::command::{Actor, CommandOutcome, OrderRef};
use oms_model::event::{AlgoStepped, Event};
use oms_model::work::AlgoAction;
use oms_model::{Code, EndedBy, Order, Pending, Refusal};

/// Suspends an order that the engine works: its slices are taken back, and none is released until it is resumed. Time goes
/// on meanwhile: an algorithm makes up for what it missed, within its bounds.
pub(crate) fn suspend(step: &mut Step<'_>, actor: &Actor, order: &OrderRef, if_version: Option<u32>) -> CommandOutcome {
    let order = match worked(step, actor, order, if_version, false) {
        Ok(order) => order,
        Err(refusal) => return refused(refusal),
    };
    switch(step, &order, AlgoAction::Suspend);
    for slice_id in work::working_slices(step.state(), &order) {
        cancel::cancel_tree(step, slice_id, EndedBy::Client);
    }
    pending(step, &order)
}

/// Resumes an order that was suspended.
pub(crate) fn resume(step: &mut Step<'_>, actor: &Actor, order: &OrderRef, if_version: Option<u32>) -> CommandOutcome {
    let order = match worked(step, actor, order, if_version, true) {
        Ok(order) => order,
        Err(refusal) => return refused(refusal),
    };
    switch(step, &order, AlgoAction::Resume);
    work::drive(step, order.order_id);
    pending(step, &order)
}

/// An order that the engine works and that is suspended or not, as `suspended` says.
fn worked(step: &Step<'_>, actor: &Actor, order: &OrderRef, if_version: Option<u32>, suspended: bool) -> Result<Order, Refusal> {
    let order = changeable_by(step, actor, order, if_version)?;
    let conflict = |text: &str| Err(Refusal::new(Code::StateConflict, text).with("order_id", order.order_id));
    match order.extras.work.as_deref() {
        None => conflict("the order is not worked here; cancel it instead"),
        Some(work) if work.suspended != suspended => {
            conflict(if suspended { "the order is not suspended" } else { "the order is suspended" })
        }
        Some(_) if order.pending != Pending::None => conflict("an earlier cancel or replace of the order is pending"),
        Some(_) => Ok(order),
    }
}

fn switch(step: &mut Step<'_>, order: &Order, action: AlgoAction) {
    let Some(work) = order.extras.work.as_deref() else { return };
    let (order_id, volume, volume_mark, reason) = (order.order_id, work.volume, work.volume_mark, "asked for".into());
    let stepped = AlgoStepped { order_id, action, price: None, wake: None, on_market: false, volume, volume_mark, reason };
    step.emit(Event::AlgoStepped(Box::new(stepped)));
}

fn pending(step: &Step<'_>, order: &Order) -> CommandOutcome {
    let version = step.state().order(order.order_id).map_or(order.version, |order| order.version);
    CommandOutcome::Pending { orders: vec![(order.order_id, version)] }
}
