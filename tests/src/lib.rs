//! The rig of the end-to-end tests: the real `oms` binary as a process with a folder of its own, talked to over real
//! sockets, killed, started again and audited from outside.
//!
//! ```text
//! server    the process: start, wait until ready, kill -9, stop, its output and exit code
//! http      a small HTTP/1.1 client that sends any bytes, the well-formed and the others
//! sse       a client of event streams
//! ledger    what the paper venues say happened
//! fix       a client that speaks FIX
//! venue     venues that speak FIX
//! audit     what must hold after every restart
//! load      clients that place, cancel and modify orders and remember every answer
//! through   orders at a rate through a desk to venues in processes of their own, all by FIX
//! people    people who sign in with a password
//! strace    faults at chosen system calls
//! prng      seeded chance
//! ```
//!
//! Nothing here waits for a time to pass: conditions are polled until they hold or a deadline is over.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test rig fails by panicking")]

pub mod audit;
pub mod fix;
pub mod grpc;
pub mod http;
pub mod ledger;
pub mod load;
pub mod people;
pub mod prng;
pub mod server;
pub mod sse;
pub mod strace;
pub mod through;
pub mod venue;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The longest that anything is waited for; far above what it takes on a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Polls until `look` answers something.
///
/// # Panics
/// After [`PATIENCE`], naming `what` and what was seen last.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + PATIENCE;
    let mut pause = Duration::from_millis(1);
    loop {
        let seen = match look() {
            Ok(found) => return found,
            Err(seen) => seen,
        };
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}; last seen: {seen}");
        std::thread::park_timeout(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// A number from the environment, for campaigns that are longer than a test.
#[must_use]
pub fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text:?} is not a number")),
        Err(_) => default,
    }
}

/// Nanoseconds since 1970 of `2026-11-21T05:22:09.582980712Z`, as the interface writes times.
///
/// # Panics
/// Where it is not such a time.
#[must_use]
pub fn nanos(text: &str) -> i128 {
    let number = |from: usize, to: usize| text[from..to].parse::<i64>().unwrap();
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    // Days from civil, Howard Hinnant.
    let y = if month <= 2 { year - 1 } else { year };
    let (era, yoe) = (y.div_euclid(400), y.rem_euclid(400));
    let doy = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468;
    let seconds = days * 86_400 + number(11, 13) * 3_600 + number(14, 16) * 60 + number(17, 19);
    i128::from(seconds) * 1_000_000_000 + text.get(20..29).map_or(0, |fraction| fraction.parse::<i128>().unwrap())
}

/// Nanoseconds since 1970 at this moment.
///
/// # Panics
/// Where the clock stands before 1970.
#[must_use]
pub fn now() -> i128 {
    i128::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}

#[cfg(test)]
mod tests {
    use super::nanos;

    #[test]
    fn times_are_read() {
        assert_eq!(nanos("1970-01-01T00:00:00.000000001Z"), 1);
        assert_eq!(nanos("2024-02-29T12:00:00.500000000Z"), 1_709_208_000_500_000_000);
    }
}
