//! What the runtime counts and times. Readers take it as it is; nobody waits.

use std::sync::atomic::{AtomicU64, Ordering};

/// Upper bounds of the latency buckets, microseconds; one more bucket holds what is above.
pub const BOUNDS_US: [u64; 16] = [5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 500_000, 1_000_000];

/// A histogram of durations.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    sum_ns: AtomicU64,
}

impl Histogram {
    /// Records one duration.
    pub fn record_ns(&self, ns: u64) {
        let at = BOUNDS_US.partition_point(|&bound| bound.saturating_mul(1_000) < ns);
        if let Some(bucket) = self.buckets.get(at) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.sum_ns.fetch_add(ns, Ordering::Relaxed);
    }

    /// How many fell into each bucket, in the order of [`BOUNDS_US`], then those above.
    #[must_use]
    pub fn counts(&self) -> [u64; BOUNDS_US.len() + 1] {
        core::array::from_fn(|at| self.buckets.get(at).map_or(0, |bucket| bucket.load(Ordering::Relaxed)))
    }

    /// The sum of everything recorded, nanoseconds.
    #[must_use]
    pub fn sum_ns(&self) -> u64 {
        self.sum_ns.load(Ordering::Relaxed)
    }
}

/// A number that rises, or stands for what is.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds to it.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }
    /// Sets it.
    pub fn set(&self, n: u64) {
        self.0.store(n, Ordering::Relaxed);
    }
    /// As it is.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Everything that one partition counts and times.
#[derive(Debug, Default)]
pub struct Telemetry {
    /// Client orders recorded.
    pub orders: Count,
    /// Orders refused by us or by venues, legs included.
    pub rejects: Count,
    /// Executions booked.
    pub fills: Count,
    /// Cancels taken on.
    pub cancels: Count,
    /// Events made durable.
    pub events: Count,
    /// Groups made durable: the writes that the log took.
    pub groups: Count,
    /// Client orders that are not done.
    pub open_orders: Count,
    /// Legs in doubt.
    pub in_doubt: Count,
    /// Executions that match no order.
    pub suspense: Count,
    /// Anomalies raised.
    pub anomalies: Count,
    /// Deciding one input.
    pub decide: Histogram,
    /// Making one group durable.
    pub commit: Histogram,
    /// From the durable intent to its being handed to the venue.
    pub send: Histogram,
}
