//! TIME_SLICED: a fixed quantity each interval, until it is used up or the end has come.

use super::schedule::{Schedule, follow};
use super::{AlgoRequest, Decision};
use oms_model::Qty;

pub(super) fn next(request: &AlgoRequest<'_>) -> Decision {
    let slice = request.params.slice_qty;
    let schedule = Schedule::of(request, request.params.interval_ns);
    follow(request, &schedule, |passed| {
        let target = slice.raw().saturating_mul(i128::from(passed));
        Qty::from_raw(target).min(request.progress.order_qty)
    })
}

#[cfg(test)]
mod tests {
    use crate::algo::fixture::{case, minutes, run};
    use oms_model::algo::Algo;

    #[test]
    fn the_same_quantity_each_interval_and_the_rest_at_last() {
        let sliced = case(Algo::TimeSliced).with(|p| (p.slice_qty, p.interval_ns) = ("30".parse().unwrap(), 10_000_000_000));
        assert_eq!(run(&sliced, minutes(4)).slices(), "0s 30, 10s 30, 20s 30, 30s 10");
    }

    #[test]
    fn a_late_point_is_still_within_its_interval() {
        let sliced = case(Algo::TimeSliced).with(|p| {
            (p.slice_qty, p.interval_ns, p.variance_ppm, p.seed) = ("25".parse().unwrap(), 10_000_000_000, 1_000_000, 7);
        });
        let tape = run(&sliced, minutes(4));
        assert_eq!(tape.events.len(), 4);
        for (nth, (at, _)) in (0..).zip(&tape.events) {
            assert_eq!(at / 10_000_000_000, nth, "slice {nth} at {at} ns");
        }
        assert!(tape.events.iter().any(|(at, _)| at % 10_000_000_000 != 0));
    }
}
