//! Order rate: an exact sliding window of a second, a minute or 24 hours.

use crate::check::Inquiry;
use crate::limits::Bound;
use oms_model::amount::ONE;
use oms_model::limit::{Check, CheckResult, LimitType};
use oms_model::{Code, Decimal, Time};
use std::collections::VecDeque;

/// The highest ORDER_RATE that can be set: the bound of a window's memory (8 bytes each).
pub const MAX_ORDER_RATE: u32 = 100_000;

/// When the last orders of a scope were accepted, oldest first. Kept only where a rate limit is set:
/// a new limit counts from the moment it is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RateWindow {
    times: VecDeque<Time>,
}

impl RateWindow {
    /// Counts an order; what is as old as the longest period counts no more.
    pub(crate) fn count(&mut self, now: Time, longest: i64) {
        while self.times.front().is_some_and(|&at| now.since(at) >= longest) {
            self.times.pop_front();
        }
        // The gate lets no more than the limit into a window, so that this only meets a clock that stands still.
        if self.times.len() >= MAX_ORDER_RATE as usize {
            self.times.pop_front();
        }
        self.times.push_back(now);
    }

    /// How many orders of the last `period` nanoseconds count at `now`.
    pub(crate) fn used(&self, now: Time, period: i64) -> usize {
        self.times.len() - self.too_old(now, period)
    }

    /// How many are as old as the period. Those stand in front, and mostly there are few: looked for in steps that double.
    fn too_old(&self, now: Time, period: i64) -> usize {
        let is_old = |at: usize| self.times.get(at).is_some_and(|&at| now.since(at) >= period);
        let mut high = 1;
        while is_old(high - 1) {
            high *= 2;
        }
        let (mut low, mut high) = (high / 2, high - 1);
        // All before `low` are, and `high` is not.
        while low < high {
            let middle = low + (high - low) / 2;
            if is_old(middle) { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Nanoseconds until one more order would be within `limit`; zero where it is now, `None` where it never is.
    fn retry_after(&self, now: Time, period: i64, limit: usize) -> Option<i64> {
        if limit == 0 {
            return None;
        }
        let Some(at) = self.times.len().checked_sub(limit) else { return Some(0) };
        let at = self.times.get(at)?;
        Some(period.saturating_sub(now.since(*at)).max(0))
    }

    pub(crate) fn times(&self) -> impl Iterator<Item = Time> + '_ {
        self.times.iter().copied()
    }

    pub(crate) fn restore(times: Vec<Time>) -> Self {
        Self { times: times.into() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.times = VecDeque::new();
    }
}

/// Whole orders in a limit; a fraction is dropped.
fn whole(limit: Decimal) -> usize {
    usize::try_from((limit.raw() / i128::from(ONE)).clamp(0, i128::from(MAX_ORDER_RATE))).unwrap_or(0)
}

/// Check 11. New orders and replaces count, refused ones do not.
pub(crate) fn check(inquiry: &Inquiry<'_>) -> CheckResult {
    if inquiry.is_replan() {
        return inquiry.not_applicable(Check::OrderRate);
    }
    inquiry.bound(Bound::decimal(Check::OrderRate, LimitType::OrderRate, Code::RateLimited), |at| {
        let used = at.book.map_or(0, |book| book.rate.used(inquiry.ctx.now, at.period_ns)) as u64;
        Some(Decimal::from_count(used.saturating_add(1)).raw())
    })
}

/// Nanoseconds until the rate of every scope allows one more; `None` where one of them never does.
pub(crate) fn retry_after(inquiry: &Inquiry<'_>) -> Option<i64> {
    let mut longest = 0;
    for (_, book) in inquiry.scopes() {
        let Some(book) = book else { continue };
        for limit in book.limits.each(LimitType::OrderRate).filter(|limit| !limit.soft) {
            let period = limit.period.unwrap_or_default().ns();
            longest = longest.max(book.rate.retry_after(inquiry.ctx.now, period, whole(limit.value))?);
        }
    }
    Some(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_old_is_counted_as_a_walk_counts_it() {
        for len in 0..40_i64 {
            let window = RateWindow { times: (0..len).map(|at| Time(at * 10)).collect() };
            for now in 0..60_i64 {
                for period in [1, 5, 10, 95, 400] {
                    let walked = window.times.iter().filter(|&&at| Time(now * 10).since(at) < period).count();
                    assert_eq!(window.used(Time(now * 10), period), walked, "{len} at {now} within {period}");
                }
            }
        }
    }
}
