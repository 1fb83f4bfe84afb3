//! Changes of limits that wait for their time, or whose time runs.

use crate::book::RiskBook;
use oms_model::event::LimitScheduleMoved;
use oms_model::limit::RiskLimit;
use oms_model::schedule::{LimitSchedule, ScheduleState};
use oms_model::{LimitScheduleId, Time};

/// The most scheduled changes that are known at once.
pub const MAX_SCHEDULES: usize = 1_000;

impl RiskBook {
    /// A change was scheduled.
    pub fn schedule(&mut self, schedule: &LimitSchedule) {
        self.schedules.insert(schedule.schedule_id, *schedule);
    }

    /// A scheduled change came further; one that is over is known no more. When it is due next.
    pub fn move_schedule(&mut self, moved: &LimitScheduleMoved) -> Option<Time> {
        let known = self.schedules.get_mut(&moved.schedule_id)?;
        known.state = moved.state;
        if moved.state == ScheduleState::InForce {
            (known.version, known.before) = (moved.version, moved.before);
        }
        let due = known.due();
        if due.is_none() {
            self.schedules.remove(&moved.schedule_id);
        }
        due
    }

    /// A scheduled change that is not over.
    #[must_use]
    pub fn schedule_of(&self, schedule_id: LimitScheduleId) -> Option<&LimitSchedule> {
        self.schedules.get(&schedule_id)
    }

    /// Every scheduled change that is not over, by id.
    pub fn schedules(&self) -> impl Iterator<Item = &LimitSchedule> {
        self.schedules.values()
    }

    /// Whether the limit is still as a scheduled change made it.
    #[must_use]
    pub fn is_of_schedule(&self, schedule: &LimitSchedule) -> bool {
        let limit: Option<RiskLimit> = self.limit_of(schedule.key());
        schedule.state == ScheduleState::InForce && limit.is_some_and(|limit| limit.version == schedule.version)
    }
}
