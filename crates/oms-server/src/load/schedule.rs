//! When each order should go out.

use std::time::Duration;

/// The plan of a run; times count from its begin.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// Orders per second; `None`: as soon as a connection is free.
    rate: Option<u32>,
    warmup: Duration,
    end: Duration,
    most: u64,
}

impl Schedule {
    /// A plan of `duration` after `warmup`, and of `most` orders at most.
    #[must_use]
    pub fn new(rate: Option<u32>, warmup: Duration, duration: Duration, most: Option<u64>) -> Self {
        let end = warmup + duration;
        let planned = rate.map_or(u64::MAX, |rate| u64::try_from(end.as_nanos() * u128::from(rate) / 1_000_000_000).unwrap_or(u64::MAX));
        Self { rate, warmup, end, most: planned.min(most.unwrap_or(u64::MAX)) }
    }

    /// When the `n`th order, counted from 0, should go out if it is `now`; `None` where there is no such order.
    #[must_use]
    pub fn due(&self, n: u64, now: Duration) -> Option<Duration> {
        if n >= self.most {
            return None;
        }
        match self.rate {
            Some(rate) => {
                let ns = u128::from(n) * 1_000_000_000 / u128::from(rate.max(1));
                Some(Duration::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX)))
            }
            None => (now < self.end).then_some(now),
        }
    }

    /// How many orders the plan has; `None` in a closed loop, which has as many as there is time for.
    #[must_use]
    pub fn planned(&self) -> Option<u64> {
        self.rate.map(|_| self.most)
    }

    /// Whether an order that was due then is measured.
    #[must_use]
    pub fn is_measured(&self, due: Duration) -> bool {
        due >= self.warmup
    }

    /// When the last order is due.
    #[must_use]
    pub fn end(&self) -> Duration {
        self.end
    }
}
