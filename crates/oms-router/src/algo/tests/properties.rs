use crate::algo::Action;
use crate::algo::fixture::{Case, case, minutes, run};
use oms_model::algo::{Algo, Leftover, Peg, PegPrice};
use oms_model::{Price, Qty, Side};
use proptest::prelude::*;

fn units(count: i64) -> Qty {
    Qty::from_units(count).unwrap()
}

prop_compose! {
    fn any_case()(
        algo in prop::sample::select(Algo::ALL),
        leftover in prop::sample::select(Leftover::ALL),
        reference in prop::sample::select(PegPrice::ALL),
        (quantity, lot, per_second) in (1_i64..5_000, prop::sample::select(&[1_i64, 10, 100]), 0_i64..50),
        (slices, interval_s, slice_lots) in (1_u32..40, 1_i64..60, 1_i64..30),
        (variance_ppm, urgency_ppm, seed) in (0_u32..=1_000_000, 0_u32..=1_000_000, any::<u64>()),
        (bounded, most, least) in (any::<bool>(), 1_u32..=1_000_000, 0_u32..=1_000_000),
        curve in prop::collection::vec(1_u32..100, 1..12),
        (live, sell, limit) in (any::<bool>(), any::<bool>(), prop::option::of(98_i64..103)),
        (never_filled, unfilled) in (any::<bool>(), prop::option::of(0_u32..8)),
        halted in prop::option::of((0_i64..200, 1_i64..60)),
        killed in prop::option::of(1_i64..400),
    ) -> Case {
        let mut case = case(algo).leftover(leftover).with(|p| {
            (p.variance_ppm, p.seed) = (variance_ppm, seed);
            (p.interval_ns, p.slice_qty) = (interval_s * 1_000_000_000, units(slice_lots * lot * 10));
            match algo {
                Algo::Twap => p.slices = slices,
                Algo::Arrival => p.urgency_ppm = urgency_ppm,
                Algo::Vwap if live => p.expected_volume = units(5_000),
                Algo::Vwap => p.curve = crate::algo::fixture::curve(&curve),
                Algo::Peg => p.peg = Some(Peg { reference, offset: Price::ZERO, cap: None }),
                Algo::Pov | Algo::Iceberg | Algo::TimeSliced => (),
            }
            if algo == Algo::Pov || (bounded && !matches!(algo, Algo::Peg | Algo::Iceberg)) {
                p.max_participation_ppm = most;
            }
            if algo == Algo::Pov {
                p.min_participation_ppm = least.min(most);
            }
        });
        case.order_qty = units(quantity * lot);
        case.lot = units(lot);
        case.per_second = units(per_second);
        case.side = if sell { Side::Sell } else { Side::Buy };
        case.limit = limit.and_then(Price::from_units);
        (case.never_filled, case.unfilled) = (never_filled, unfilled);
        case.halted = halted.map(|(from, length)| (from * 1_000_000_000, (from + length) * 1_000_000_000));
        case.killed_at = killed.map(|second| second * 1_000_000_000);
        case
    }
}

fn slices(tape: &crate::algo::fixture::Tape) -> impl Iterator<Item = (i64, crate::algo::Slice)> + '_ {
    tape.events.iter().filter_map(|(at, action)| match action {
        Action::Release(slice) => Some((*at, *slice)),
        _ => None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn slices_that_fill_add_up_to_no_more_than_the_order_and_each_is_something(case in any_case()) {
        let tape = run(&case, minutes(5));
        prop_assert!(tape.cum_qty.saturating_add(tape.open_qty) <= case.order_qty);
        prop_assert!(slices(&tape).all(|(_, slice)| slice.qty.is_positive()));
        if case.unfilled.is_none() && !case.never_filled {
            let sum = slices(&tape).fold(Qty::ZERO, |sum, (_, slice)| sum.saturating_add(slice.qty));
            prop_assert_eq!(sum, tape.cum_qty);
        }
    }

    #[test]
    fn a_schedule_without_bounds_is_done_exactly(case in any_case()) {
        let timed = matches!(case.params.algo, Algo::Twap | Algo::Arrival) || !case.params.curve.is_empty();
        if !timed {
            return Ok(());
        }
        let mut free = case.with(|p| p.max_participation_ppm = 0);
        (free.unfilled, free.halted, free.killed_at, free.never_filled) = (None, None, None, false);
        let tape = run(&free, minutes(5));
        prop_assert_eq!(tape.cum_qty, free.order_qty);
    }

    #[test]
    fn participation_is_never_above_its_bound_before_the_leftover(case in any_case()) {
        let ppm = i128::from(case.params.max_participation_ppm);
        if ppm == 0 {
            return Ok(()); // it has no bound
        }
        for (placed, volume, leftover) in run(&case, minutes(5)).placed {
            prop_assert!(leftover || placed.raw() * 1_000_000 <= volume.raw() * ppm, "{placed} of {volume}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_slices(case in any_case()) {
        prop_assert_eq!(run(&case, minutes(5)), run(&case, minutes(5)));
    }

    #[test]
    fn no_slice_is_outside_the_limit_in_a_halt_or_after_a_kill(case in any_case()) {
        let tape = run(&case, minutes(5));
        for (at, action) in &tape.events {
            let price = match action {
                Action::Release(slice) => slice.price,
                Action::Reprice(price) => Some(*price),
                _ => None,
            };
            if let (Some(limit), Some(price)) = (case.limit, price) {
                let within = if case.side.is_buy() { price <= limit } else { price >= limit };
                prop_assert!(within);
            }
            let acts = matches!(action, Action::Release(_) | Action::Reprice(_));
            prop_assert!(!acts || case.halted.is_none_or(|(from, until)| *at < from || *at >= until));
            prop_assert!(!acts || case.killed_at.is_none_or(|killed| *at < killed));
        }
    }

    #[test]
    fn slices_are_whole_lots_but_for_the_last(case in any_case()) {
        let tape = run(&case, minutes(5));
        let odd = slices(&tape).filter(|(_, slice)| !slice.qty.is_multiple_of(case.lot)).count();
        prop_assert!(odd == 0, "the order itself is in whole lots");
    }
}
