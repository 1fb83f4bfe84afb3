//! Breakers: what turns trading off by itself when a figure goes beyond its bound, and on again when it has calmed down.

use crate::amount::Decimal;
use crate::limit::Scope;
use crate::terms::terms;

terms! {
    /// What a breaker watches. The unit of its threshold is in the description.
    BreakerKind {
        /// Loss of the day of the tenant or an account; risk currency.
        Loss = 1 "LOSS",
        /// Orders that a venue, or any of them, refused within the window; count.
        RejectStorm = 2 "REJECT_STORM",
        /// 95th percentile of a venue's acknowledgements; milliseconds.
        Latency = 3 "LATENCY",
        /// Age of the newest quote of an instrument; seconds.
        Staleness = 4 "STALENESS",
        /// Lost sessions of a venue, or any of them, within the window; count.
        Disconnect = 5 "DISCONNECT",
        /// How far the clock went back behind the log; milliseconds.
        ClockDrift = 6 "CLOCK_DRIFT",
    }
    /// What a breaker does when it trips.
    BreakerAction {
        /// It says so and does nothing else.
        Alert = 1 "ALERT",
        /// The scope takes only what reduces a position.
        Reducing = 2 "REDUCING",
        /// The scope takes nothing.
        Halted = 3 "HALTED",
        /// The scope's kill switch is engaged. A person releases it.
        Kill = 4 "KILL",
    }
    /// How a breaker stands.
    BreakerState {
        /// It watches.
        Closed = 1 "CLOSED",
        /// It has tripped.
        Open = 2 "OPEN",
        /// Trading is tried again; the next time that the figure is beyond its bound it is open at once.
        HalfOpen = 3 "HALF_OPEN",
    }
}

impl Default for BreakerKind {
    fn default() -> Self {
        Self::Loss
    }
}
impl Default for BreakerAction {
    fn default() -> Self {
        Self::Alert
    }
}
impl Default for BreakerState {
    fn default() -> Self {
        Self::Closed
    }
}

/// A breaker as it is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    /// What it watches.
    pub kind: BreakerKind,
    /// Where.
    pub scope: Scope,
    /// Beyond this it trips.
    pub threshold: Decimal,
    /// For how long what it counts is counted, seconds.
    pub window_s: u32,
    /// What it does.
    pub action: BreakerAction,
    /// After so many seconds trading is tried again, and after as many more without a breach it is closed; never where
    /// it is zero, or where the action is KILL.
    pub probe_after_s: u32,
    /// Raised by each change, from 1.
    pub version: u32,
}
