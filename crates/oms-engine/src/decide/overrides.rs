//! Leave for one order to break one rule: granted by one person, used by another, and where the tenant says so only with
//! a second one's consent.

use super::admin::{check_reason, is_person};
use crate::step::Step;
use oms_model::command::{Actor, OrderRef};
use oms_model::event::{Event, OverrideConsented, OverrideExpired, OverrideRevoked, RiskOverridden};
use oms_model::limit::Check;
use oms_model::overrides::{MAX_LIFE_S, Override, OverrideRule, OverrideState};
use oms_model::{Code, EndedBy, OrdState, Order, OrderId, OverrideId, Refusal};
use oms_risk::overrides::MAX_OVERRIDES;
use oms_risk::{Overridden, is_overridable};

fn refuse<T>(code: Code, text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(code, text))
}

fn by_person(actor: &Actor) -> Result<(), Refusal> {
    if is_person(actor) { Ok(()) } else { refuse(Code::SecondPersonNeeded, "a named person has to decide it") }
}

/// What is asked for.
pub(crate) struct Asked {
    pub(crate) order: OrderRef,
    pub(crate) check: Check,
    pub(crate) reason: String,
    pub(crate) life_s: u32,
}

pub(crate) fn grant(step: &mut Step<'_>, actor: &Actor, asked: Asked) -> Result<(), Refusal> {
    let Asked { order, check, reason, life_s } = asked;
    by_person(actor)?;
    check_reason(&reason)?;
    if life_s == 0 || life_s > MAX_LIFE_S {
        return refuse(Code::ValidationError, format!("life_s is 1 to {MAX_LIFE_S}"));
    }
    let rule = step.state().risk().override_rule();
    if !is_overridable(check, rule) {
        let refusal = Refusal::new(Code::StateConflict, format!("{check} cannot be overridden"));
        return Err(refusal.with("check", check).with("lists", rule.lists));
    }
    let refused = refused_order(step, &order)?;
    if refused.user_id == actor.user_id {
        return refuse(Code::SecondPersonNeeded, "who sends an order does not override a rule for it");
    }
    if step.state().risk().overrides().count() >= MAX_OVERRIDES {
        return refuse(Code::Overloaded, "too many overrides are known");
    }
    let override_id = OverrideId::from_u128(step.new_order_id().as_u128());
    let granted_at = step.now();
    let state = if rule.second_person { OverrideState::Pending } else { OverrideState::Active };
    step.emit(Event::OverrideGranted(Box::new(Override {
        override_id,
        refused: refused.order_id,
        check,
        account_id: refused.account_id,
        instrument_id: refused.instrument_id,
        side: refused.side,
        ord_type: refused.ord_type,
        max_qty: refused.order_qty,
        price: refused.price,
        stop_px: refused.extras.stop_px,
        reason,
        granted_by: actor.user_id,
        granted_at,
        expires_at: granted_at.plus(i64::from(life_s) * 1_000_000_000),
        second_person: rule.second_person,
        consented_by: None,
        state,
        used_by: None,
    })));
    Ok(())
}

/// The order that the gate refused. It is known for as long as it is in the hot state.
fn refused_order(step: &Step<'_>, order: &OrderRef) -> Result<Order, Refusal> {
    let Some(order) = step.state().find(order) else {
        return refuse(Code::NotFound, "there is no such order, or it was refused too long ago");
    };
    let by_gate = order.is_root() && order.state == OrdState::Rejected && order.ended_by == Some(EndedBy::Risk);
    if !by_gate || order.cum_qty.is_positive() {
        let refusal = Refusal::new(Code::StateConflict, "only what the gate has refused can be overridden");
        return Err(refusal.with("ord_status", order.ord_status()));
    }
    Ok(order.clone())
}

fn known(step: &Step<'_>, override_id: OverrideId) -> Result<Override, Refusal> {
    match step.state().risk().override_of(override_id).filter(|known| step.now() < known.expires_at) {
        Some(known) => Ok(known.clone()),
        None => Err(Refusal::new(Code::NotFound, "there is no such override, or its time is over").with("override_id", override_id)),
    }
}

pub(crate) fn consent(step: &mut Step<'_>, actor: &Actor, override_id: OverrideId) -> Result<(), Refusal> {
    by_person(actor)?;
    let known = known(step, override_id)?;
    let waits = matches!(known.state, OverrideState::Pending | OverrideState::Active) && known.consented_by.is_none();
    if !waits {
        return refuse(Code::StateConflict, format!("the override is {} and waits for no consent", known.state));
    }
    let sender = step.state().order(known.refused).map(|order| order.user_id);
    if actor.user_id == known.granted_by || Some(actor.user_id) == sender {
        return refuse(Code::SecondPersonNeeded, "who granted an override, or sent the order, does not consent to it");
    }
    step.emit(Event::OverrideConsented(OverrideConsented { override_id, user_id: actor.user_id }));
    Ok(())
}

pub(crate) fn revoke(step: &mut Step<'_>, actor: &Actor, override_id: OverrideId, reason: String) -> Result<(), Refusal> {
    check_reason(&reason)?;
    let known = known(step, override_id)?;
    match known.state {
        OverrideState::Pending | OverrideState::Active => {
            step.emit(Event::OverrideRevoked(Box::new(OverrideRevoked { override_id, user_id: actor.user_id, reason })));
            Ok(())
        }
        OverrideState::Used => {
            let refusal = Refusal::new(Code::StateConflict, "the override was used; cancel the order that used it");
            Err(refusal.with("order_id", known.used_by.unwrap_or_default()))
        }
        OverrideState::Revoked => refuse(Code::StateConflict, "the override was taken back before"),
    }
}

pub(crate) fn set_rule(step: &mut Step<'_>, rule: OverrideRule) -> Result<(), Refusal> {
    step.emit(Event::OverrideRuleSet(rule));
    Ok(())
}

/// The gate let an order pass by these leaves: they are used up.
pub(crate) fn used(step: &mut Step<'_>, order_id: OrderId, overridden: Vec<Overridden>) {
    for Overridden { override_id, check, scope, value, limit, limit_version } in overridden {
        let Some(known) = step.state().risk().override_of(override_id) else { continue };
        let (granted_by, consented_by, reason) = (known.granted_by, known.consented_by, known.reason.clone());
        step.emit(Event::RiskOverridden(Box::new(RiskOverridden {
            order_id,
            override_id,
            check,
            scope,
            value,
            limit,
            limit_version,
            granted_by,
            consented_by,
            reason,
        })));
    }
}

/// Its time is over.
pub(crate) fn expire(step: &mut Step<'_>, override_id: OverrideId) {
    step.emit(Event::OverrideExpired(OverrideExpired { override_id }));
}
