use super::*;

fn params(algo: Algo) -> AlgoParams {
    AlgoParams { algo, start: Time(0), end: Time(60_000_000_000), ..AlgoParams::default() }
}

fn words(params: &AlgoParams) -> String {
    params.validate("100".parse().unwrap()).map_or_else(|refusal| refusal.message, |()| "fine".to_owned())
}

#[test]
fn each_algorithm_needs_its_own_parameters() {
    assert_eq!(words(&params(Algo::Twap)), "TWAP needs slices, from 1 to 1000");
    assert_eq!(words(&params(Algo::Vwap)), "VWAP needs either curve or expected_volume");
    assert_eq!(words(&params(Algo::Pov)), "POV needs max_participation");
    assert_eq!(words(&params(Algo::Arrival)), "ARRIVAL needs interval, 10 ms at least");
    assert_eq!(words(&params(Algo::Iceberg)), "ICEBERG needs slice_qty above zero");
    assert_eq!(words(&params(Algo::TimeSliced)), "TIME_SLICED needs slice_qty above zero");
    assert_eq!(words(&params(Algo::Peg)), "PEG needs peg_price");
}

#[test]
fn a_parameter_that_the_algorithm_does_not_take_is_refused_by_name() {
    let with = |change: fn(&mut AlgoParams)| {
        let mut params = AlgoParams { slices: 4, ..params(Algo::Twap) };
        change(&mut params);
        words(&params)
    };
    assert_eq!(with(|_| ()), "fine");
    assert_eq!(with(|p| p.urgency_ppm = 1), "TWAP takes no urgency");
    assert_eq!(with(|p| p.curve = vec![CurvePart { weight: 1 }]), "TWAP takes no curve");
    assert_eq!(with(|p| p.peg = Some(Peg::default())), "TWAP takes no peg_price");
}

#[test]
fn the_number_of_slices_has_a_bound() {
    let twap = AlgoParams { slices: 1_001, ..params(Algo::Twap) };
    assert_eq!(words(&twap), "TWAP needs slices, from 1 to 1000");
    let iceberg = AlgoParams { slice_qty: "0.01".parse().unwrap(), ..params(Algo::Iceberg) };
    assert_eq!(words(&iceberg), "slice_qty would make more than 1000 slices");
    let arrival = AlgoParams { interval_ns: 20_000_000, ..params(Algo::Arrival) };
    assert_eq!(words(&arrival), "interval would make more than 1000 slices");
    let late = AlgoParams { end: Time(0), slices: 1, ..params(Algo::Twap) };
    assert_eq!(words(&late), "end_time must be after start_time, by 31 days at most");
}
