mod properties;

use super::fixture::{case, curve, minutes, run, twap};
use oms_model::algo::{Algo, Leftover, Peg};

#[test]
fn before_the_start_nothing_is_released() {
    let late = twap(2).with(|p| p.start = p.start.plus(minutes(2)));
    assert_eq!(run(&late, minutes(4)).slices(), "120s 50, 180s 50");
}

#[test]
fn what_is_left_at_the_end_is_canceled() {
    let tape = run(&twap(2).limit("100").never_filled(), minutes(5));
    assert_eq!(tape.actions(), "0s 50 @ 100, 120s 50 @ 100, 240s cancel");
}

#[test]
fn what_is_left_at_the_end_is_crossed() {
    let crossing = twap(2).limit("102").never_filled().leftover(Leftover::Cross);
    let tape = run(&crossing, minutes(5));
    assert_eq!(tape.actions(), "0s 50 @ 102, 120s 50 @ 102, 240s recall, 240s 100 @ 101 IOC, 240s cancel");
    let out_of_reach = twap(2).limit("100").never_filled().leftover(Leftover::Cross);
    assert_eq!(run(&out_of_reach, minutes(5)).actions(), "0s 50 @ 100, 120s 50 @ 100, 240s recall, 240s cancel");
}

#[test]
fn what_is_left_at_the_end_stays() {
    let leaving = twap(2).limit("100").ending_unfilled(1).leftover(Leftover::Leave);
    let tape = run(&leaving, minutes(5));
    assert_eq!(tape.actions(), "0s 50 @ 100, 120s 50 @ 100, 240s 50 @ 100");
    let held_back = twap(2).limit("100").with(|p| p.max_participation_ppm = 1).leftover(Leftover::Leave);
    assert_eq!(run(&held_back, minutes(5)).actions(), "240s 100 @ 100");
}

#[test]
fn a_halt_holds_slices_back_and_the_next_one_makes_up_for_it() {
    assert_eq!(run(&twap(4).halted(30, 130), minutes(4)).slices(), "0s 25, 130s 50, 180s 25");
    let at_the_end = twap(4).halted(30, 500).leftover(Leftover::Cross);
    assert_eq!(run(&at_the_end, minutes(5)).actions(), "0s 25, 240s cancel");
}

#[test]
fn a_kill_switch_ends_it_whatever_the_leftover_says() {
    for leftover in [Leftover::Cancel, Leftover::Cross, Leftover::Leave] {
        assert_eq!(run(&twap(4).killed_at(90).leftover(leftover), minutes(5)).actions(), "0s 25, 60s 25, 90s cancel");
    }
}

#[test]
fn participation_holds_a_schedule_back_until_the_market_has_traded() {
    let bound = twap(4).with(|p| p.max_participation_ppm = 100_000).trading("2");
    // 10 % of 2 a second is 12 a minute.
    assert_eq!(run(&bound, minutes(4)).slices(), "60s 12, 120s 12, 180s 12");
}

#[test]
fn parts_that_nobody_takes_are_not_shown_for_ever() {
    let mut refused = case(Algo::Iceberg).with(|p| p.slice_qty = "30".parse().unwrap());
    refused.all_unfilled = true;
    assert_eq!(run(&refused, minutes(5)).actions(), "0s 30, 0s 30, 0s 30, 0s cancel");
}

#[test]
fn every_algorithm_comes_to_its_end() {
    for &algo in Algo::ALL {
        let any = case(algo).limit("102").with(|p| {
            p.slices = u32::from(algo == Algo::Twap) * 4;
            p.interval_ns = 30_000_000_000;
            p.slice_qty = "30".parse().unwrap();
            p.max_participation_ppm = u32::from(algo == Algo::Pov) * 100_000;
            p.curve = if algo == Algo::Vwap { curve(&[1, 2]) } else { Vec::new() };
            p.peg = (algo == Algo::Peg).then(Peg::default);
        });
        let tape = run(&any.clone().trading("100"), minutes(5));
        assert_eq!(tape.cum_qty.to_string(), "100", "{algo}");
        let tape = run(&any.never_filled().trading("100"), minutes(5));
        assert!(tape.actions().ends_with("240s cancel"), "{algo}: {}", tape.actions());
    }
}
