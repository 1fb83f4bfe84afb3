//! A replace: checked as the difference it makes, then passed to the parts as a [`saga`].

use super::create::risk_context;
use super::{changeable_by, group, parent, refused, saga, tree};
use crate::step::Step;
use oms_model::command::{Actor, Change, CommandOutcome, OrderRef, changed};
use oms_model::event::{Event, RequestRejected, RiskChecked};
use oms_model::order::Terms;
use oms_model::{Code, EndedBy, Order, OrderId, OrderKind, Pending, Refusal};
use oms_risk::Proposal;

pub(crate) fn replace(step: &mut Step<'_>, actor: &Actor, order: &OrderRef, change: &Change, if_version: Option<u32>) -> CommandOutcome {
    let order = match changeable_by(step, actor, order, if_version) {
        Ok(order) => order,
        Err(refusal) => return refused(refusal),
    };
    let terms = changed(order.terms(), change);
    if let Err(refusal) = validate(step, &order, &terms) {
        return refused(refusal);
    }
    let order_id = order.order_id;
    if let Some(parent_id) = order.parent_order_id {
        if let Err(refusal) = within_parent(step, &order, parent_id, &terms) {
            return refused(refusal);
        }
        saga::begin(step, order_id, terms);
        parent::sync_above(step, order_id);
        return pending(step, &order);
    }
    if order.kind() == OrderKind::Group {
        if let Err(refusal) = group::may_replace(step, &order, &terms) {
            return refused(refusal);
        }
        saga::begin(step, order_id, terms);
        return pending(step, &order);
    }
    let gate = step.with_market(order.instrument_id, |state, market, now| {
        let reserved = state.entry(order_id).map(crate::state::Entry::reserved).unwrap_or_default();
        let own = super::valued::own_market(state, &order, now);
        let market = own.as_ref().map_or(market, |own| &own.market);
        let proposal = Proposal { terms, acknowledged: change.acknowledged };
        state.risk().check_replace(&order, &reserved, proposal, &risk_context(state, &order, market, now))
    });
    let (worst_price, results, seen) = (gate.worst_price, gate.results, Some(gate.seen));
    step.emit(Event::RiskChecked(Box::new(RiskChecked { order_id, worst_price, results, seen })));
    if let Err(reason) = gate.verdict {
        let refusal = reason.to_refusal();
        let rejected = RequestRejected { order_id, by: EndedBy::Risk, text: refusal.to_string() };
        step.emit(Event::ReplaceRejected(rejected));
        return refused(refusal.with("order_id", order_id));
    }
    saga::begin(step, order_id, terms);
    pending(step, &order)
}

fn pending(step: &Step<'_>, order: &Order) -> CommandOutcome {
    let version = step.state().order(order.order_id).map_or(order.version, |order| order.version);
    CommandOutcome::Pending { orders: vec![(order.order_id, version)] }
}

/// A part that is replaced on its own stays within what the order above has left, and within its limit. What the gate
/// reserved for the root covers it then.
fn within_parent(step: &mut Step<'_>, order: &Order, parent_id: OrderId, terms: &Terms) -> Result<(), Refusal> {
    let Some(above) = step.state().order(parent_id).cloned() else { return Err(super::create::vanished()) };
    if above.pending != Pending::None {
        return Err(Refusal::new(Code::StateConflict, "a cancel or replace of the order above is pending"));
    }
    let free = tree::unplaced(&above);
    if terms.order_qty.saturating_sub(order.order_qty) > free {
        let refusal = Refusal::new(Code::ValidationError, "a part cannot grow by more than what is unplaced of the order above");
        return Err(refusal.with("unplaced_qty", free));
    }
    super::care::within(step, &above, order.ord_type, terms)?;
    tree::blocked(step, &above)
}

fn validate(step: &Step<'_>, order: &Order, terms: &Terms) -> Result<(), Refusal> {
    let refuse = |code: Code, text: &str| Err(Refusal::new(code, text));
    if order.pending != Pending::None {
        return refuse(Code::StateConflict, "an earlier cancel or replace of the order is pending");
    }
    if order.extras.basis.is_some() {
        return refuse(Code::OrderTypeUnsupported, "an order for money or on a quote has no terms to change; cancel it");
    }
    if *terms == order.terms() {
        return refuse(Code::ValidationError, "the replace changes nothing");
    }
    if terms.price.is_some() != order.ord_type.has_price() || terms.stop_px.is_some() != order.ord_type.has_stop() {
        return refuse(Code::ValidationError, "the order's type does not take that price");
    }
    if terms.order_qty <= order.cum_qty {
        let refusal = Refusal::new(Code::StateConflict, "order_qty must be above what was executed; cancel the rest instead");
        return Err(refusal.with("cum_qty", order.cum_qty));
    }
    if let Some(work) = order.extras.work.as_deref() {
        if work.triggered && terms.stop_px != order.extras.stop_px {
            return refuse(Code::StateConflict, "the stop was reached; it cannot be moved any more");
        }
        if let Some(link) = work.link.filter(|link| link.armed_by.is_some() && terms.order_qty > link.list_qty) {
            let refusal = Refusal::new(Code::ValidationError, "an order of a list is not made larger than what it was armed for");
            return Err(refusal.with("list_qty", link.list_qty));
        }
    }
    let (inner, legs) = tree::below(step, order.order_id);
    if inner.iter().skip(1).filter_map(|id| step.state().order(*id)).any(|part| !part.state.is_done() && part.pending != Pending::None) {
        return refuse(Code::StateConflict, "a cancel or replace of a part of the order is pending");
    }
    for leg in legs.iter().filter_map(|id| step.state().entry(*id)) {
        if let Some(doubt) = &leg.order.extras.doubt {
            let refusal = Refusal::new(Code::OutcomeInDoubt, "the outcome of a part of the order at its venue is not known");
            return Err(refusal.with("leg", leg.order.order_id).with("reason", &doubt.reason));
        }
        if leg.request().is_some() {
            return refuse(Code::StateConflict, "a part of the order has an unanswered request at its venue");
        }
    }
    Ok(())
}

/// Whether an order and everything below it can be replaced now: nothing of it is asked, unanswered or in doubt.
pub(crate) fn may_replace(step: &Step<'_>, order_id: OrderId) -> bool {
    let (inner, legs) = tree::below(step, order_id);
    let free = |order: &Order| order.state.is_done() || order.pending == Pending::None;
    inner.iter().all(|id| step.state().order(*id).is_some_and(free))
        && legs
            .iter()
            .filter_map(|id| step.state().entry(*id))
            .all(|leg| free(&leg.order) && leg.order.extras.doubt.is_none() && leg.request().is_none())
}
