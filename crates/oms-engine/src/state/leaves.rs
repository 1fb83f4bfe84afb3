//! Overrides and scheduled limits, with the times at which something is due about them.

use super::{State, TimerKind};
use oms_model::event::{Event, LimitScheduleMoved};
use oms_model::overrides::Override;
use oms_model::schedule::LimitSchedule;
use oms_model::{LimitScheduleId, OrderId, OverrideId, Time};

fn of_override(override_id: OverrideId) -> OrderId {
    OrderId::from_u128(override_id.as_u128())
}

fn of_schedule(schedule_id: LimitScheduleId) -> OrderId {
    OrderId::from_u128(schedule_id.as_u128())
}

impl State {
    /// Folds what is about an override or a scheduled limit.
    pub(super) fn leave_changed(&mut self, event: &Event, time: Time) {
        match event {
            Event::OverrideGranted(e) => self.granted(e),
            Event::OverrideConsented(e) => self.risk.consent(e.override_id, e.user_id),
            Event::OverrideRevoked(e) => self.risk.revoke(e.override_id),
            Event::OverrideExpired(e) => {
                if let Some(at) = self.risk.override_of(e.override_id).map(|known| known.expires_at) {
                    self.clear_timer(at, TimerKind::Override, of_override(e.override_id));
                }
                self.risk.expire_override(e.override_id);
            }
            Event::RiskOverridden(e) => {
                self.on_order(e.order_id, event, time);
                self.risk.use_override(e.override_id, e.order_id);
            }
            Event::OverrideRuleSet(e) => self.risk.set_override_rule(*e),
            Event::LimitScheduled(e) => self.scheduled(e),
            Event::LimitScheduleMoved(e) => self.schedule_moved(e),
            // What was taken over follows in the same batch, change by change.
            _ => (),
        }
    }

    fn granted(&mut self, granted: &Override) {
        self.risk.grant(granted);
        self.set_timer(granted.expires_at, TimerKind::Override, of_override(granted.override_id));
    }

    fn scheduled(&mut self, schedule: &LimitSchedule) {
        self.risk.schedule(schedule);
        if let Some(at) = schedule.due() {
            self.set_timer(at, TimerKind::LimitSchedule, of_schedule(schedule.schedule_id));
        }
    }

    fn schedule_moved(&mut self, moved: &LimitScheduleMoved) {
        let id = of_schedule(moved.schedule_id);
        if let Some(at) = self.risk.schedule_of(moved.schedule_id).and_then(LimitSchedule::due) {
            self.clear_timer(at, TimerKind::LimitSchedule, id);
        }
        if let Some(at) = self.risk.move_schedule(moved) {
            self.set_timer(at, TimerKind::LimitSchedule, id);
        }
    }

    /// Sets the timers again of what a snapshot holds.
    pub(super) fn restore_leaves(&mut self) {
        let overrides = self.risk.overrides().map(|known| (known.expires_at, TimerKind::Override, of_override(known.override_id)));
        let schedules =
            self.risk.schedules().filter_map(|known| Some((known.due()?, TimerKind::LimitSchedule, of_schedule(known.schedule_id))));
        let timers: Vec<(Time, TimerKind, OrderId)> = overrides.chain(schedules).collect();
        for (at, kind, id) in timers {
            self.set_timer(at, kind, id);
        }
    }
}
