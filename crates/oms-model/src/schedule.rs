//! Changes of limits that take effect at a time.

use crate::amount::Decimal;
use crate::ids::{LimitScheduleId, Time, UserId};
use crate::limit::{LimitKey, LimitType, Period, Scope};
use crate::terms::terms;

terms! {
    /// How far a scheduled change of a limit has come.
    ScheduleState {
        /// Its time has not come.
        Waiting = 1 "WAITING",
        /// It holds until its time is over.
        InForce = 2 "IN_FORCE",
        /// It is over, or holds for good.
        Ended = 3 "ENDED",
        /// Somebody took it away.
        Withdrawn = 4 "WITHDRAWN",
    }
}

impl Default for ScheduleState {
    fn default() -> Self {
        Self::Waiting
    }
}

/// A limit that is to hold from a time on, for good or until another time. Then what was there before holds again,
/// unless somebody has changed the limit meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitSchedule {
    /// Its id.
    pub schedule_id: LimitScheduleId,
    /// What it bounds.
    pub limit_type: LimitType,
    /// To what it applies.
    pub scope: Scope,
    /// See [`LimitKey::period`].
    pub period: Option<Period>,
    /// See [`LimitKey::soft`].
    pub soft: bool,
    /// The bound, in the unit of the type.
    pub value: Decimal,
    /// From when on.
    pub from: Time,
    /// Until when; for good where it is `None`.
    pub until: Option<Time>,
    /// How far it has come.
    pub state: ScheduleState,
    /// The version that the limit got by it, while it is in force.
    pub version: u32,
    /// The bound that was there before, while it is in force; `None` where there was none.
    pub before: Option<Decimal>,
    /// Who scheduled it.
    pub user_id: UserId,
    /// When.
    pub created_at: Time,
}

impl LimitSchedule {
    /// Which limit it is about.
    #[must_use]
    pub const fn key(&self) -> LimitKey {
        LimitKey { limit_type: self.limit_type, scope: self.scope, period: self.period, soft: self.soft }
    }
    /// Whether both want to decide about one limit at one moment.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        let end = |one: &Self| one.until.unwrap_or(Time(one.from.0.saturating_add(1)));
        self.key() == other.key() && self.from < end(other) && other.from < end(self)
    }
    /// When something is to be done about it next; `None` where nothing is any more.
    #[must_use]
    pub fn due(&self) -> Option<Time> {
        match self.state {
            ScheduleState::Waiting => Some(self.from),
            ScheduleState::InForce => self.until,
            ScheduleState::Ended | ScheduleState::Withdrawn => None,
        }
    }
}
