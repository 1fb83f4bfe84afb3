//! Limits that hold for a time, or from a time on. Time carries them out; what was there before comes back.

use super::admin::{self, check_reason};
use crate::step::Step;
use oms_model::command::Actor;
use oms_model::event::{Event, LimitScheduleMoved, RiskLimitRemoved};
use oms_model::limit::RiskLimit;
use oms_model::schedule::{LimitSchedule, ScheduleState};
use oms_model::{Code, LimitScheduleId, Refusal, Time, UserId};
use oms_risk::schedules::MAX_SCHEDULES;

/// How far ahead a change is scheduled, and how long it holds, at most: nanoseconds.
const MAX_AHEAD_NS: i64 = 366 * 86_400_000_000_000;

fn invalid<T>(text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(Code::ValidationError, text))
}

pub(crate) fn schedule(
    step: &mut Step<'_>,
    actor: &Actor,
    limit: RiskLimit,
    from: Option<Time>,
    until: Option<Time>,
) -> Result<(), Refusal> {
    let now = step.now();
    let limit = admin::limit(step.state(), limit)?;
    if from.is_none() && until.is_none() {
        return invalid("a scheduled limit needs effective_from or effective_until");
    }
    let begin = from.unwrap_or(now);
    if begin < now || begin > now.plus(MAX_AHEAD_NS) {
        return invalid("effective_from is not past, and at most 366 days ahead");
    }
    if until.is_some_and(|until| until <= begin || until > begin.plus(MAX_AHEAD_NS)) {
        return invalid("effective_until is after effective_from, and at most 366 days after it");
    }
    if step.state().risk().schedules().count() >= MAX_SCHEDULES {
        return Err(Refusal::new(Code::Overloaded, "too many changes of limits are scheduled"));
    }
    let RiskLimit { limit_type, scope, value, period, soft, .. } = limit;
    let schedule_id = LimitScheduleId::from_u128(step.new_order_id().as_u128());
    let (user_id, created_at) = (actor.user_id, now);
    let one = LimitSchedule {
        schedule_id,
        limit_type,
        scope,
        period,
        soft,
        value,
        from: begin,
        until,
        user_id,
        created_at,
        ..LimitSchedule::default()
    };
    if let Some(other) = step.state().risk().schedules().find(|other| other.meets(&one)) {
        let refusal = Refusal::new(Code::StateConflict, "another scheduled change of this limit falls into that time");
        return Err(refusal.with("schedule_id", other.schedule_id));
    }
    step.emit(Event::LimitScheduled(Box::new(one)));
    if begin <= now {
        due(step, schedule_id);
    }
    Ok(())
}

/// The time of a scheduled change has come: it begins, or ends.
pub(crate) fn due(step: &mut Step<'_>, schedule_id: LimitScheduleId) {
    let Some(schedule) = step.state().risk().schedule_of(schedule_id).copied() else { return };
    match schedule.state {
        ScheduleState::Waiting if schedule.until.is_some_and(|until| until <= step.now()) => {
            // The desk was down all the while.
            moved(step, &schedule, ScheduleState::Ended, None, "its time was over before it could begin");
        }
        ScheduleState::Waiting => begin(step, &schedule),
        ScheduleState::InForce => end(step, &schedule, ScheduleState::Ended, None, "its time is over"),
        ScheduleState::Ended | ScheduleState::Withdrawn => (),
    }
}

pub(crate) fn withdraw(step: &mut Step<'_>, actor: &Actor, schedule_id: LimitScheduleId, reason: &str) -> Result<(), Refusal> {
    check_reason(reason)?;
    let Some(schedule) = step.state().risk().schedule_of(schedule_id).copied() else {
        return Err(Refusal::new(Code::NotFound, "there is no such scheduled change, or it is over").with("schedule_id", schedule_id));
    };
    let by = Some(actor.user_id);
    match schedule.state {
        ScheduleState::InForce => end(step, &schedule, ScheduleState::Withdrawn, by, reason),
        _ => moved(step, &schedule, ScheduleState::Withdrawn, by, reason),
    }
    Ok(())
}

fn moved(step: &mut Step<'_>, schedule: &LimitSchedule, state: ScheduleState, user_id: Option<UserId>, text: &str) {
    let (schedule_id, scheduled_by, text) = (schedule.schedule_id, schedule.user_id, text.to_owned());
    step.emit(Event::LimitScheduleMoved(Box::new(LimitScheduleMoved {
        schedule_id,
        state,
        user_id,
        scheduled_by,
        text,
        ..LimitScheduleMoved::default()
    })));
}

fn begin(step: &mut Step<'_>, schedule: &LimitSchedule) {
    let risk = step.state().risk();
    let (before, version) = (risk.limit_of(schedule.key()).map(|limit| limit.value), risk.next_version(schedule.key()));
    let (state, text) = match schedule.until {
        Some(_) => (ScheduleState::InForce, "its time has come"),
        None => (ScheduleState::Ended, "its time has come, and it holds for good"),
    };
    let (schedule_id, scheduled_by, text) = (schedule.schedule_id, schedule.user_id, text.to_owned());
    step.emit(Event::LimitScheduleMoved(Box::new(LimitScheduleMoved {
        schedule_id,
        state,
        version,
        before,
        user_id: None,
        scheduled_by,
        text,
    })));
    step.emit(Event::RiskLimitSet(RiskLimit::of(schedule.key(), schedule.value, version)));
}

/// What was there before holds again, unless somebody has changed the limit meanwhile: what they said holds.
fn end(step: &mut Step<'_>, schedule: &LimitSchedule, state: ScheduleState, by: Option<UserId>, text: &str) {
    let key = schedule.key();
    if !step.state().risk().is_of_schedule(schedule) {
        return moved(step, schedule, state, by, &format!("{text}; the limit was changed meanwhile and stays"));
    }
    moved(step, schedule, state, by, text);
    match schedule.before {
        Some(value) => {
            let version = step.state().risk().next_version(key);
            step.emit(Event::RiskLimitSet(RiskLimit::of(key, value, version)));
        }
        None => step.emit(Event::RiskLimitRemoved(RiskLimitRemoved::of(key))),
    }
}
