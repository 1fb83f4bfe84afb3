//! The time of the drivers.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::session::Now;

fn base() -> Instant {
    static BASE: OnceLock<Instant> = OnceLock::new();
    // So that no moment is zero.
    *BASE.get_or_init(|| Instant::now().checked_sub(Duration::from_secs(1)).unwrap_or_else(Instant::now))
}

/// The time on both clocks.
pub(super) fn now() -> Now {
    let utc = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now { mono: u64::try_from(base().elapsed().as_nanos()).unwrap_or(u64::MAX), utc: i64::try_from(utc.as_nanos()).unwrap_or(i64::MAX) }
}

/// A moment of the clock that never goes back, as tokio's timers take it. Far away is far enough.
pub(super) fn instant(mono: u64) -> tokio::time::Instant {
    const FAR: Duration = Duration::from_secs(86_400 * 365);
    let at = base() + Duration::from_nanos(mono).min(base().elapsed() + FAR);
    tokio::time::Instant::from_std(at)
}
