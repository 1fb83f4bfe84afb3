//! Time and ids, as the edges hand them to the engine.

use oms_model::{CommandId, Time};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// UTC now.
    fn now(&self) -> Time;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    }
}

/// Makes ids that no other process makes: 64 random bits of this process and a count.
pub struct IdSource {
    process: u64,
    count: AtomicU64,
}

impl IdSource {
    /// A source with random bits of the operating system.
    ///
    /// # Errors
    /// Where the operating system has none.
    pub fn new() -> Result<Self, getrandom::Error> {
        Ok(Self { process: getrandom::u64()?, count: AtomicU64::new(0) })
    }

    /// The next id, a UUIDv7 (RFC 9562).
    pub fn command_id(&self, now: Time) -> CommandId {
        let count = u128::from(self.count.fetch_add(1, Ordering::Relaxed));
        let ms = u128::from((now.0 / 1_000_000).max(0).unsigned_abs() & 0xFFFF_FFFF_FFFF);
        let random = u128::from(self.process);
        let low = (random << 24 ^ count) & 0x3FFF_FFFF_FFFF_FFFF;
        CommandId::from_u128(ms << 80 | 0x7 << 76 | (random >> 52 & 0xFFF) << 64 | 0b10 << 62 | low)
    }
}
