//! ARRIVAL: early rather than late, so that the price moves away from the arrival price as little as may be
//! (implementation shortfall).
//!
//! The part that is still to come at time t, with x the part of the time that is left, is
//! `(1 - u) * x + u * x^4` for urgency u: with urgency 0 it is TWAP, with urgency 1 half of it is done in the first
//! sixth of the time. A polynomial and not Almgren and Chriss' hyperbolic sine, because it is exact in integers; the
//! shape is the same.

use super::schedule::{Schedule, follow};
use super::{AlgoRequest, Decision, part};
use oms_model::Qty;
use oms_model::algo::FULL_PPM;

pub(super) fn next(request: &AlgoRequest<'_>) -> Decision {
    let params = request.params;
    let schedule = Schedule::of(request, params.interval_ns);
    follow(request, &schedule, |passed| {
        let life = i128::from(params.end.since(params.start)).max(1);
        let gone = i128::from(params.interval_ns).saturating_mul(i128::from(passed)).clamp(0, life);
        let left_ppm = u64::try_from((life - gone).saturating_mul(1_000_000) / life).unwrap_or(0);
        let order_qty = request.progress.order_qty;
        order_qty.saturating_sub(to_come(order_qty, left_ppm, u64::from(params.urgency_ppm)))
    })
}

/// What is still to come when `left` millionths of the time are.
fn to_come(order_qty: Qty, left: u64, urgency: u64) -> Qty {
    let full = u64::from(FULL_PPM);
    let square = left * left / full;
    let fourth = square * square / full;
    let ppm = ((full - urgency) * left + urgency * fourth) / full;
    part(order_qty, ppm, full)
}

#[cfg(test)]
mod tests {
    use crate::algo::fixture::{case, minutes, run};
    use oms_model::algo::Algo;

    fn arrival(urgency_ppm: u32) -> crate::algo::fixture::Case {
        case(Algo::Arrival).with(|p| (p.urgency_ppm, p.interval_ns) = (urgency_ppm, 60_000_000_000))
    }

    #[test]
    fn without_urgency_it_is_even() {
        assert_eq!(run(&arrival(0), minutes(4)).slices(), "0s 25, 60s 25, 120s 25, 180s 25");
    }

    #[test]
    fn with_urgency_it_is_early() {
        assert_eq!(run(&arrival(500_000), minutes(4)).slices(), "0s 46, 60s 25, 120s 16, 180s 13");
        assert_eq!(run(&arrival(1_000_000), minutes(4)).slices(), "0s 68, 60s 25, 120s 6, 180s 1");
    }
}
