//! VWAP: in proportion to a volume curve.
//!
//! - A curve that is given has a weight for each of equal parts of the time from start to end; within a part the
//!   volume is even.
//! - The live curve is the market's volume since the start over the volume that is expected until the end. Where more
//!   is traded than was expected, the order is done early; where less, the leftover action takes the rest.

use super::schedule::{Schedule, follow};
use super::{AlgoRequest, Decision, part};
use oms_model::{Qty, Time};

pub(super) fn next(request: &AlgoRequest<'_>) -> Decision {
    let schedule = Schedule::of(request, request.params.interval_ns);
    if request.params.curve.is_empty() {
        return follow(request, &schedule, |_| live(request));
    }
    // A slice holds what the curve gives its interval, ahead of it, as a TWAP slice does.
    follow(request, &schedule, |passed| {
        let until = i128::from(request.params.interval_ns).saturating_mul(i128::from(passed));
        curve(request, request.params.start.plus(i64::try_from(until).unwrap_or(i64::MAX)))
    })
}

fn live(request: &AlgoRequest<'_>) -> Qty {
    let (seen, expected) = (request.progress.volume.max(Qty::ZERO), request.params.expected_volume);
    if seen >= expected {
        return request.progress.order_qty;
    }
    // In millionths of the order: a quantity times a quantity may not fit.
    let ppm = seen.raw().saturating_mul(1_000_000) / expected.raw().max(1);
    part(request.progress.order_qty, u64::try_from(ppm).unwrap_or(0), 1_000_000)
}

/// What the curve gives from the start until `at`.
fn curve(request: &AlgoRequest<'_>, at: Time) -> Qty {
    let params = request.params;
    let total: u64 = params.curve.iter().map(|part| u64::from(part.weight)).sum();
    let life = i128::from(params.end.since(params.start)).max(1);
    let gone = i128::from(at.since(params.start)).clamp(0, life);
    if gone == life || total == 0 {
        return request.progress.order_qty;
    }
    let parts = i128::try_from(params.curve.len()).unwrap_or(1).max(1);
    let place = gone.saturating_mul(parts);
    let (whole, within) = (usize::try_from(place / life).unwrap_or(0), place % life);
    let before: u64 = params.curve.iter().take(whole).map(|part| u64::from(part.weight)).sum();
    let current = params.curve.get(whole).map_or(0, |part| i128::from(part.weight));
    // Weights in millionths, so that the part of a part counts.
    let weight = i128::from(before).saturating_mul(1_000_000).saturating_add(current * (within.saturating_mul(1_000_000) / life));
    part(request.progress.order_qty, u64::try_from(weight).unwrap_or(u64::MAX), total.saturating_mul(1_000_000))
}

#[cfg(test)]
mod tests {
    use crate::algo::fixture::{case, curve, minutes, run};
    use oms_model::algo::Algo;

    #[test]
    fn a_given_curve_is_followed_part_by_part() {
        let vwap = case(Algo::Vwap).with(|p| (p.curve, p.interval_ns) = (curve(&[50, 10, 10, 30]), 60_000_000_000));
        assert_eq!(run(&vwap, minutes(4)).slices(), "0s 50, 60s 10, 120s 10, 180s 30");
    }

    #[test]
    fn a_part_of_the_curve_is_even_within() {
        let vwap = case(Algo::Vwap).with(|p| (p.curve, p.interval_ns) = (curve(&[60, 40]), 60_000_000_000));
        assert_eq!(run(&vwap, minutes(4)).slices(), "0s 30, 60s 30, 120s 20, 180s 20");
    }

    #[test]
    fn the_live_curve_follows_the_markets_volume() {
        let vwap = case(Algo::Vwap).with(|p| (p.expected_volume, p.interval_ns) = ("2400".parse().unwrap(), 60_000_000_000)).trading("10"); // each second
        assert_eq!(run(&vwap, minutes(4)).slices(), "60s 25, 120s 25, 180s 25");
    }
}
