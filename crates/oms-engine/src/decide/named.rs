//! A cancel or replace that has an id of its client's.

use super::{cancel, changeable, refused, replace};
use crate::step::Step;
use oms_model::command::{Actor, Command, CommandOutcome};
use oms_model::event::{Event, RequestNamed};
use oms_model::{ClOrdId, Code, IntentKind, Refusal};

/// Decides the request, and records its id where it was taken on: an id of a request that came to nothing stays free.
pub(crate) fn named(step: &mut Step<'_>, actor: &Actor, cl_ord_id: ClOrdId, request: Command) -> CommandOutcome {
    let (order, intent) = match &request {
        Command::CancelOrder { order, .. } => (order.clone(), IntentKind::Cancel),
        Command::ReplaceOrder { order, .. } => (order.clone(), IntentKind::Replace),
        _ => return refused(Refusal::new(Code::ValidationError, "only a cancel or replace of one order has an id of its own")),
    };
    // An order that cannot be changed is the better answer, also where the id was used.
    let order_id = match changeable(step, &order, None) {
        Ok(order) => order.order_id,
        Err(refusal) => return refused(refusal),
    };
    if let Some(original) = step.state().by_cl_ord_id(&cl_ord_id) {
        return refused(Refusal::new(Code::DuplicateClOrdId, "cl_ord_id was used before").with("order_id", original));
    }
    let outcome = match request {
        Command::CancelOrder { order, if_version } => cancel::cancel(step, actor, &order, if_version),
        Command::ReplaceOrder { order, change, if_version } => replace::replace(step, actor, &order, &change, if_version),
        _ => return refused(Refusal::new(Code::Internal, "a request changed while it was decided")),
    };
    if matches!(outcome, CommandOutcome::Pending { .. }) {
        step.emit(Event::RequestNamed(Box::new(RequestNamed { order_id, intent, cl_ord_id })));
    }
    outcome
}
