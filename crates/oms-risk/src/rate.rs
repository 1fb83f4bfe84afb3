//! Order rate: an exact sliding window of one second.

use crate::check::{Inquiry, Unit};
use crate::limits::Bound;
use oms_model::amount::ONE;
use oms_model::limit::{Check, CheckResult, LimitType};
use oms_model::{Code, Decimal, Time};
use std::collections::VecDeque;

/// The window, nanoseconds.
pub const RATE_WINDOW_NS: i64 = 1_000_000_000;

/// The highest ORDER_RATE that can be set: the bound of a window's memory (8 bytes each).
pub const MAX_ORDER_RATE: u32 = 100_000;

/// When the last orders of a scope were accepted, oldest first. Kept only where a rate limit is set:
/// a new limit counts from the moment it is set.
#[derive(Clone, Debug, Default)]
pub(crate) struct RateWindow {
    times: VecDeque<Time>,
}

impl RateWindow {
    pub(crate) fn count(&mut self, now: Time) {
        while self.times.front().is_some_and(|&at| now.since(at) >= RATE_WINDOW_NS) {
            self.times.pop_front();
        }
        // The gate lets no more than the limit into a window, so that this only meets a clock that stands still.
        if self.times.len() >= MAX_ORDER_RATE as usize {
            self.times.pop_front();
        }
        self.times.push_back(now);
    }

    /// How many orders of the last second count at `now`.
    pub(crate) fn used(&self, now: Time) -> usize {
        self.times.len() - self.times.partition_point(|&at| now.since(at) >= RATE_WINDOW_NS)
    }

    /// Nanoseconds until one more order would be within `limit`; zero where it is now, `None` where it never is.
    fn retry_after(&self, now: Time, limit: usize) -> Option<i64> {
        if limit == 0 {
            return None;
        }
        let Some(at) = self.times.len().checked_sub(limit) else { return Some(0) };
        let at = self.times.get(at)?;
        Some((RATE_WINDOW_NS.saturating_sub(now.since(*at))).max(0))
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
    let bound =
        Bound { check: Check::OrderRate, limit_type: LimitType::OrderRate, code: Code::RateLimited, unit: Unit::Decimal, tolerated: false };
    inquiry.bound(bound, |scope| {
        let used = scope.map_or(0, |s| s.rate.used(inquiry.ctx.now)) as u64;
        Some(Decimal::from_count(used.saturating_add(1)).raw())
    })
}

/// Nanoseconds until the rate of every scope allows one more; `None` where one of them never does.
pub(crate) fn retry_after(inquiry: &Inquiry<'_>) -> Option<i64> {
    let mut longest = 0;
    for (_, scope) in inquiry.scopes() {
        let Some(limit) = scope.and_then(|s| s.limit(LimitType::OrderRate)) else { continue };
        let Some(window) = scope.map(|s| &s.rate) else { continue };
        longest = longest.max(window.retry_after(inquiry.ctx.now, whole(limit.value))?);
    }
    Some(longest)
}
