//! TWAP: equal parts at equal distances from start to end.

use super::schedule::{Schedule, follow};
use super::{AlgoRequest, Decision, part};

pub(super) fn next(request: &AlgoRequest<'_>) -> Decision {
    let params = request.params;
    let slices = u64::from(params.slices.max(1));
    let interval_ns = params.end.since(params.start) / i64::from(params.slices.max(1));
    let schedule = Schedule::of(request, interval_ns);
    follow(request, &schedule, |passed| match passed {
        all if all >= slices => request.progress.order_qty,
        some => part(request.progress.order_qty, some, slices),
    })
}

#[cfg(test)]
mod tests {
    use crate::algo::fixture::{minutes, run, twap};

    #[test]
    fn equal_parts_at_equal_distances() {
        let tape = run(&twap(4), minutes(4));
        assert_eq!(tape.slices(), "0s 25, 60s 25, 120s 25, 180s 25");
    }

    #[test]
    fn what_does_not_divide_comes_with_later_slices() {
        let tape = run(&twap(3), minutes(4));
        assert_eq!(tape.slices(), "0s 33, 80s 33, 160s 34");
    }

    #[test]
    fn a_slice_that_came_back_is_made_up_for_by_the_next() {
        let tape = run(&twap(4).ending_unfilled(1), minutes(4));
        assert_eq!(tape.slices(), "0s 25, 60s 25, 120s 50, 180s 25");
    }
}
