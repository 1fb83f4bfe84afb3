//! What is due when.

use super::State;
use oms_model::{OrderId, Time};

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum TimerKind {
    /// The order's time in force ends.
    Expire = 1,
    /// The venue should have answered by now.
    Answer = 2,
    /// An order that is done leaves the hot state.
    Close = 3,
}

impl TimerKind {
    /// The stored number.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
    /// The kind with this stored number.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Expire),
            2 => Some(Self::Answer),
            3 => Some(Self::Close),
            _ => None,
        }
    }
}

impl State {
    pub(crate) fn next_timer(&self) -> Option<Time> {
        self.timers.first().map(|&(due, _, _)| due)
    }

    /// What is due at `now`, oldest first, at most `limit`.
    pub(crate) fn due(&self, now: Time, limit: usize) -> Vec<(Time, TimerKind, OrderId)> {
        self.timers.iter().take_while(|&&(due, _, _)| due <= now).take(limit).copied().collect()
    }

    pub(crate) fn is_set(&self, due: Time, kind: TimerKind, order: OrderId) -> bool {
        self.timers.contains(&(due, kind, order))
    }

    pub(super) fn set_timer(&mut self, due: Time, kind: TimerKind, order: OrderId) {
        self.timers.insert((due, kind, order));
    }

    pub(super) fn clear_timer(&mut self, due: Time, kind: TimerKind, order: OrderId) {
        self.timers.remove(&(due, kind, order));
    }
}
