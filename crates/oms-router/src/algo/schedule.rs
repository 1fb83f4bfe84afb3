//! Points in time, equally far from each other, each a little late where the client asks for it.
//!
//! At each point there is one decision. A slice that comes back before the next point waits for it, so that a market
//! that takes nothing is not asked over and over.

use super::random::ppm;
use super::{AlgoRequest, Decision, part};
use oms_model::algo::FULL_PPM;
use oms_model::{Qty, Time};

/// Points in time from the start on.
pub(super) struct Schedule {
    start: Time,
    end: Time,
    interval_ns: i64,
    variance_ppm: u32,
    seed: u64,
}

impl Schedule {
    pub(super) fn of(request: &AlgoRequest<'_>, interval_ns: i64) -> Self {
        let params = request.params;
        let interval_ns = interval_ns.max(1);
        Self { start: params.start, end: params.end, interval_ns, variance_ppm: params.variance_ppm, seed: params.seed }
    }

    /// When point `k` is due. Its delay is less than the interval, so points keep their order, and never takes it to
    /// the end.
    pub(super) fn due(&self, k: u64) -> Time {
        let late = part(Qty::from_raw(i128::from(self.interval_ns)), u64::from(self.variance_ppm), u64::from(FULL_PPM));
        let late = part(late, ppm(self.seed, k), u64::from(FULL_PPM)).raw();
        let at = |ns: i128| self.start.plus(i64::try_from(ns).unwrap_or(i64::MAX));
        let nominal = i128::from(self.interval_ns).saturating_mul(i128::from(k));
        let latest = self.end.plus(-1).max(at(nominal));
        at(nominal.saturating_add(late)).min(latest)
    }

    /// How many points have passed at `now`.
    pub(super) fn passed(&self, now: Time) -> u64 {
        let whole = u64::try_from(now.since(self.start) / self.interval_ns).unwrap_or(0);
        // Every point before interval `whole` has passed; its own point may still be to come.
        whole + u64::from(self.due(whole) <= now)
    }
}

/// A slice toward `target`, which is what the points that have passed stand for.
pub(super) fn follow(request: &AlgoRequest<'_>, schedule: &Schedule, target: impl FnOnce(u64) -> Qty) -> Decision {
    match schedule.point(request) {
        Ok((passed, next)) => request.toward(target(passed), request.limit, Some(next)),
        Err(next) => Decision::wait(Some(next), "between two points in time"),
    }
}

impl Schedule {
    /// How many points have passed, and when the next is due, where the last of them was not acted on yet; else only
    /// when the next is due.
    pub(super) fn point(&self, request: &AlgoRequest<'_>) -> Result<(u64, Time), Time> {
        let passed = self.passed(request.now);
        let next = self.due(passed);
        let acted = request.progress.acted_at.is_some_and(|at| self.passed(at) == passed);
        if passed == 0 || acted { Err(next) } else { Ok((passed, next)) }
    }
}
