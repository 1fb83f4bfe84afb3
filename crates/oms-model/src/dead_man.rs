//! Dead-man switches: what a client arms so that its orders do not outlive it (heartbeat or cancel).

use crate::ids::{Seq, Time, UserId};
use crate::limit::Scope;
use crate::terms::terms;

/// The shortest that a dead-man switch waits, seconds.
pub const MIN_TIMEOUT_S: u32 = 1;
/// The longest that it waits, seconds.
pub const MAX_TIMEOUT_S: u32 = 3600;

terms! {
    /// What a dead-man switch does once its client is silent for too long.
    DeadManAction {
        /// What works in its scope is canceled. New orders are taken.
        Cancel = 1 "CANCEL",
        /// The kill switch of its scope is engaged. A person releases it.
        Kill = 2 "KILL",
    }
    /// How a dead-man switch stands.
    DeadManState {
        /// It waits for the next heartbeat.
        Armed = 1 "ARMED",
        /// No heartbeat came in time, and it did what it does. It stays so until it is armed again.
        Fired = 2 "FIRED",
    }
}

impl Default for DeadManAction {
    fn default() -> Self {
        Self::Cancel
    }
}
impl Default for DeadManState {
    fn default() -> Self {
        Self::Armed
    }
}

/// A dead-man switch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeadMan {
    /// Whose orders: an account's, a user's or a strategy's.
    pub scope: Scope,
    /// After so many seconds without a heartbeat it fires.
    pub timeout_s: u32,
    /// What it does then.
    pub action: DeadManAction,
    /// Who armed it. Heartbeats are this user's.
    pub user_id: UserId,
    /// The last heartbeat that was recorded; arming is one.
    pub beat_at: Time,
    /// How it stands.
    pub state: DeadManState,
    /// When it fired.
    pub fired_at: Option<Time>,
    /// The event that says so; zero where it has not. What came later it does not touch.
    pub fired_seq: Seq,
}

impl DeadMan {
    /// How long it waits, nanoseconds.
    #[must_use]
    pub const fn timeout_ns(&self) -> i64 {
        self.timeout_s as i64 * 1_000_000_000
    }

    /// When it fires, if no heartbeat comes; `None` where it has.
    #[must_use]
    pub fn due_at(&self) -> Option<Time> {
        (self.state == DeadManState::Armed).then(|| self.beat_at.plus(self.timeout_ns()))
    }
}
