//! POV: a part of what the market trades.
//!
//! - Up to `max_participation` is with slices. They join the near side of the market, within the limit.
//! - While less than `min_participation` was executed, slices cross the spread instead, and those that wait are
//!   repriced to the far side.
//! - It acts once an interval.

use super::schedule::Schedule;
use super::{Action, AlgoRequest, Decision, part};
use oms_model::algo::FULL_PPM;

pub(super) fn next(request: &AlgoRequest<'_>) -> Decision {
    let (params, progress) = (request.params, request.progress);
    let next = match Schedule::of(request, params.interval_ns).point(request) {
        Ok((_, next)) => next,
        Err(next) => return Decision::wait(Some(next), "between two points in time"),
    };
    let least = part(progress.volume, u64::from(params.min_participation_ppm), u64::from(FULL_PPM)).min(progress.order_qty);
    let behind = progress.cum_qty < least;
    let price = if behind { request.crossing().or_else(|| request.joining()) } else { request.joining() };
    if let (true, Some(price)) = (progress.open_qty.is_positive() && behind, request.crossing())
        && progress.slice_px.is_some_and(|px| px != price)
    {
        let reason = "behind min_participation: slices cross the spread";
        return Decision { action: Action::Reprice(price), wake: Some(next), on_market: false, reason };
    }
    let mut decision = request.toward(request.most(), price, Some(next));
    if behind && matches!(decision.action, Action::Release(_)) {
        decision.reason = "behind min_participation: a slice crosses the spread";
    }
    decision
}

#[cfg(test)]
mod tests {
    use crate::algo::fixture::{case, minutes, run};
    use oms_model::algo::Algo;

    fn pov() -> crate::algo::fixture::Case {
        case(Algo::Pov).with(|p| (p.max_participation_ppm, p.interval_ns) = (100_000, 60_000_000_000)).trading("5")
    }

    #[test]
    fn a_tenth_of_the_volume_joins_the_near_side() {
        let tape = run(&pov(), minutes(4));
        assert_eq!(tape.priced_slices(), "60s 30 @ 99, 120s 30 @ 99, 180s 30 @ 99");
    }

    #[test]
    fn below_the_least_it_crosses_the_spread() {
        let tape = run(&pov().with(|p| p.min_participation_ppm = 50_000), minutes(4));
        assert_eq!(tape.priced_slices(), "60s 30 @ 101, 120s 30 @ 99, 180s 30 @ 99");
        let resting = pov().with(|p| p.min_participation_ppm = 50_000).never_filled().drifting("0.01", 60_000_000_000);
        assert_eq!(run(&resting, minutes(3)).actions(), "60s 30 @ 101.01, 120s reprice 101.02, 180s reprice 101.03");
    }

    #[test]
    fn it_never_pays_more_than_the_limit() {
        let tape = run(&pov().limit("98.5"), minutes(4));
        assert_eq!(tape.priced_slices(), "60s 30 @ 98.5, 120s 30 @ 98.5, 180s 30 @ 98.5");
    }
}
