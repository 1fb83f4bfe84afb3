//! Token buckets.

/// A rate with room for a burst.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Messages per second; at least 1.
    pub per_second: u32,
    /// Messages at once after a pause; at least 1.
    pub burst: u32,
}

const SECOND: u64 = 1_000_000_000;

/// What a rate still allows.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    interval: u64,
    burst: u64,
    /// When the bucket will be full again. Each message moves it by one interval.
    full_at: u64,
}

impl Bucket {
    pub(super) fn new(rate: Rate) -> Self {
        let interval = SECOND / u64::from(rate.per_second.max(1));
        Self { interval, burst: u64::from(rate.burst.max(1)), full_at: 0 }
    }

    /// When the next message may pass.
    pub(super) fn free_at(&self) -> u64 {
        self.full_at.saturating_sub(self.interval * (self.burst - 1))
    }

    /// Lets a message pass, or not.
    pub(super) fn take(&mut self, now: u64) -> bool {
        if now < self.free_at() {
            return false;
        }
        self.full_at = self.full_at.max(now).saturating_add(self.interval);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let mut bucket = Bucket::new(Rate { per_second: 10, burst: 3 });
        let start = 5 * SECOND;
        assert_eq!((0..5).map(|_| bucket.take(start)).collect::<Vec<_>>(), [true, true, true, false, false]);
        assert_eq!(bucket.free_at(), start + SECOND / 10);
        assert!(bucket.take(start + SECOND / 10) && !bucket.take(start + SECOND / 10));
        // In ten seconds a hundred more, whatever the steps in which they are tried.
        let passed = (0..100_000).filter(|step| bucket.take(start + SECOND / 10 + step * 100_000)).count();
        assert!((99..=103).contains(&passed), "{passed}");
    }
}
