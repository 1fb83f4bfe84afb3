//! Dead-man switches: a client that is silent for too long has its orders canceled, or its kill switch engaged.
//!
//! A heartbeat is recorded at most four times in a timeout. Those between are kept beside the state, which is therefore
//! what the log says and nothing else; when a switch is due, a heartbeat that came meanwhile is recorded with its own time
//! in place of firing. So the log carries few heartbeats, and no switch fires before its whole timeout was silent.
//!
//! After a restart each gets one full timeout: while the desk was down no heartbeat could reach it, and what was kept
//! beside the state is gone. What was working when the desk went down is in doubt by then and is asked about first.

use super::admin::check_scope;
use super::cancel;
use crate::step::Step;
use oms_model::command::Actor;
use oms_model::dead_man::{DeadMan, DeadManAction, DeadManState, MAX_TIMEOUT_S, MIN_TIMEOUT_S};
use oms_model::event::{DeadManArmed, DeadManBeat, DeadManDisarmed, DeadManFired, Event, KillSwitchChanged};
use oms_model::limit::Scope;
use oms_model::{Code, EndedBy, OrderId, Refusal};
use oms_risk::dead_men::MAX_DEAD_MEN;

/// Into how many parts a timeout is divided, of which each has one recorded heartbeat at most.
const PARTS: i64 = 4;

pub(crate) fn arm(step: &mut Step<'_>, actor: &Actor, scope: Scope, timeout_s: u32, action: DeadManAction) -> Result<(), Refusal> {
    check_scope(step, scope)?;
    if !matches!(scope, Scope::Account(_) | Scope::User(_) | Scope::Strategy(_)) {
        return Err(Refusal::new(Code::ValidationError, "a dead-man switch is an account's, a user's or a strategy's"));
    }
    if !(MIN_TIMEOUT_S..=MAX_TIMEOUT_S).contains(&timeout_s) {
        return Err(Refusal::new(Code::ValidationError, format!("timeout_s is {MIN_TIMEOUT_S} to {MAX_TIMEOUT_S}")));
    }
    let risk = step.state().risk();
    if risk.dead_man(scope).is_none() && risk.dead_men().count() >= MAX_DEAD_MEN {
        return Err(Refusal::new(Code::Overloaded, "there are too many dead-man switches"));
    }
    step.beats.remove(&scope);
    step.emit(Event::DeadManArmed(Box::new(DeadManArmed { scope, timeout_s, action, user_id: actor.user_id })));
    Ok(())
}

fn known(step: &Step<'_>, scope: Scope) -> Result<DeadMan, Refusal> {
    let man = step.state().risk().dead_man(scope).copied();
    man.ok_or_else(|| Refusal::new(Code::NotFound, format!("there is no dead-man switch of {scope}")))
}

pub(crate) fn beat(step: &mut Step<'_>, actor: &Actor, scope: Scope) -> Result<(), Refusal> {
    let man = known(step, scope)?;
    if man.user_id != actor.user_id {
        return Err(Refusal::new(Code::Forbidden, "another user armed it, whose heartbeat it waits for"));
    }
    if man.state == DeadManState::Fired {
        return Err(Refusal::new(Code::StateConflict, "the dead-man switch has fired; arm it again"));
    }
    let now = step.now();
    if now.since(man.beat_at) >= man.timeout_ns() / PARTS {
        step.beats.remove(&scope);
        step.emit(Event::DeadManBeat(Box::new(DeadManBeat { scope, at: now, by: Some(actor.user_id) })));
    } else {
        // There are no more of them than switches.
        step.beats.insert(scope, now);
    }
    Ok(())
}

pub(crate) fn disarm(step: &mut Step<'_>, actor: &Actor, scope: Scope) -> Result<(), Refusal> {
    known(step, scope)?;
    step.beats.remove(&scope);
    step.emit(Event::DeadManDisarmed(Box::new(DeadManDisarmed { scope, user_id: actor.user_id })));
    Ok(())
}

/// Serves every switch that is due.
pub(crate) fn due(step: &mut Step<'_>) {
    let now = step.now();
    // There are no more of them than `MAX_DEAD_MEN`.
    let due: Vec<DeadMan> = step.state().risk().dead_men_due(now).copied().collect();
    for man in due {
        let scope = man.scope;
        let last = step.beats.remove(&scope).map_or(man.beat_at, |at| at.max(man.beat_at));
        if last.plus(man.timeout_ns()) > now {
            step.emit(Event::DeadManBeat(Box::new(DeadManBeat { scope, at: last, by: Some(man.user_id) })));
        } else {
            fire(step, &DeadMan { beat_at: last, ..man });
        }
    }
}

fn fire(step: &mut Step<'_>, man: &DeadMan) {
    let DeadMan { scope, timeout_s, action, user_id, beat_at, .. } = *man;
    step.emit(Event::DeadManFired(Box::new(DeadManFired { scope, action, user_id, timeout_s, beat_at })));
    match action {
        DeadManAction::Cancel => step.sweeps.push_back((scope, EndedBy::DeadMan)),
        DeadManAction::Kill => {
            if !step.state().risk().is_killed(scope) {
                let reason = format!("dead-man switch: no heartbeat for {timeout_s} s");
                step.emit(Event::KillSwitchEngaged(KillSwitchChanged { scope, reason }));
            }
            step.sweeps.push_back((scope, EndedBy::KillSwitch));
        }
    }
}

/// Working orders that a switch which fired is to cancel: those that were there when it did.
pub(crate) fn orders(step: &Step<'_>, scope: Scope, limit: usize) -> Vec<OrderId> {
    let Some(man) = step.state().risk().dead_man(scope).copied() else { return Vec::new() };
    cancel::working_where(step, limit, |state, order| order.created_seq < man.fired_seq && state.is_in(order, scope))
}

/// The process has just recovered.
pub(crate) fn recovered(step: &mut Step<'_>) {
    let now = step.now();
    let all: Vec<DeadMan> = step.state().risk().dead_men().copied().collect();
    for man in all {
        match man.state {
            DeadManState::Armed if man.beat_at < now => {
                step.emit(Event::DeadManBeat(Box::new(DeadManBeat { scope: man.scope, at: now, by: None })));
            }
            DeadManState::Armed => (),
            // What it had not come to before the restart.
            DeadManState::Fired if man.action == DeadManAction::Cancel && !orders(step, man.scope, 1).is_empty() => {
                step.sweeps.push_back((man.scope, EndedBy::DeadMan));
            }
            DeadManState::Fired => (),
        }
    }
}
