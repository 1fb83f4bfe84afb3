use super::*;

fn measured(samples: &[u64]) -> VenueStats {
    let mut stats = VenueStats::default();
    samples.iter().for_each(|sample| stats.acknowledged(*sample));
    stats
}

#[test]
fn latency_is_the_prior_until_it_is_measured() {
    let stats = VenueStats::default();
    assert_eq!(stats.latency_ns(LatencyStat::Ewma, 77), 77);
    assert_eq!(stats.latency_ns(LatencyStat::P95, 77), 77);
    assert_eq!(measured(&[5_000]).latency_ns(LatencyStat::Ewma, 77), 5_000);
}

#[test]
fn mean_moves_an_eighth_of_the_way() {
    // 8000, then 8000 + (16000 - 8000) / 8 = 9000, then 9000 + (1000 - 9000) / 8 = 8000.
    assert_eq!(measured(&[8_000, 16_000]).latency_ns(LatencyStat::Ewma, 0), 9_000);
    assert_eq!(measured(&[8_000, 16_000, 1_000]).latency_ns(LatencyStat::Ewma, 0), 8_000);
}

#[test]
fn mean_reaches_a_steady_latency() {
    let mut stats = measured(&[1_000_000]);
    (0..200).for_each(|_| stats.acknowledged(100_000));
    let mean = stats.latency_ns(LatencyStat::Ewma, 0);
    assert!((100_000..=100_008).contains(&mean), "{mean}");
}

#[test]
fn p95_is_the_upper_edge_of_its_bucket() {
    // 100 us lies in 98304..114688 (octave 65536, third quarter 2^14 wide), 5 ms in 4194304..5242880.
    let mut samples = vec![100_000; 95];
    samples.extend([5_000_000; 5]);
    assert_eq!(measured(&samples).latency_ns(LatencyStat::P95, 0), 114_688);
    samples.push(5_000_000);
    // 95 % of 101 samples, rounded up, are 96: one of the slow ones.
    assert_eq!(measured(&samples).latency_ns(LatencyStat::P95, 0), 5_242_880);
}

#[test]
fn buckets_cover_every_latency_in_order() {
    let mut last = 0;
    for row in 0..LATENCY_ROWS {
        for column in 0..LATENCY_COLUMNS {
            let edge = upper_edge(row, column);
            assert!(edge > last);
            assert_eq!(bucket(edge - 1), (row, column));
            last = edge;
        }
    }
    assert_eq!(bucket(0), (0, 0));
    assert_eq!(bucket(u64::MAX), (LATENCY_ROWS - 1, LATENCY_COLUMNS - 1));
}

#[test]
fn p95_forgets() {
    let mut stats = measured(&[5_000_000; 400]);
    (0..2_000).for_each(|_| stats.acknowledged(100_000));
    assert_eq!(stats.latency_ns(LatencyStat::P95, 0), 114_688);
}

#[test]
fn longest_latency_is_held_at_the_bound() {
    let stats = measured(&[u64::MAX; 1_000]);
    assert_eq!(stats.latency_ns(LatencyStat::Ewma, 0), MAX_LATENCY_NS);
    assert_eq!(stats.latency_ns(LatencyStat::P95, 0), upper_edge(LATENCY_ROWS - 1, LATENCY_COLUMNS - 1));
}

#[test]
fn fill_probability_is_smoothed_by_the_prior() {
    let mut stats = VenueStats::default();
    assert_eq!(stats.fill_ppm(true, 600_000, 10), 600_000);
    (0..5).for_each(|_| stats.submitted(true));
    (0..2).for_each(|_| stats.filled(true));
    // (2 + 0.6 * 10) / (5 + 10) = 0.5333...
    assert_eq!(stats.fill_ppm(true, 600_000, 10), 533_333);
    assert_eq!(stats.fill_ppm(true, 600_000, 0), 400_000);
    // Passive orders are counted apart.
    assert_eq!(stats.fill_ppm(false, 600_000, 10), 600_000);
    assert_eq!(stats.fill_ppm(false, 2_000_000, 0), FULL_PPM);
}

#[test]
fn fills_never_exceed_submissions() {
    let mut stats = VenueStats::default();
    stats.submitted(false);
    (0..3).for_each(|_| stats.filled(false));
    assert_eq!(stats.to_parts().passive, FillCount { submitted: 1, filled: 1 });
    assert_eq!(stats.fill_ppm(false, 0, 0), FULL_PPM);
}

#[test]
fn fills_forget() {
    let mut stats = VenueStats::default();
    for _ in 0..FILL_WINDOW - 1 {
        stats.submitted(true);
        stats.filled(true);
    }
    stats.submitted(true);
    assert_eq!(stats.to_parts().aggressive, FillCount { submitted: 2_048, filled: 2_047 });
}

#[test]
fn refusals_are_counted() {
    let mut stats = VenueStats::default();
    stats.rejected();
    stats.rejected();
    assert_eq!(stats.to_parts().rejected, 2);
}

#[test]
fn parts_give_the_same_statistics_back() {
    let mut stats = measured(&[100_000, 3_000_000, 90_000, 40]);
    (0..9).for_each(|_| stats.submitted(true));
    stats.submitted(false);
    stats.filled(true);
    stats.rejected();
    let back = VenueStats::from_parts(stats.to_parts());
    assert_eq!(back, stats);
    assert_eq!(VenueStats::from_parts(VenueStatsParts::default()), VenueStats::default());
}

#[test]
fn parts_out_of_bounds_are_brought_into_them() {
    let parts = VenueStatsParts {
        acknowledged: 1,
        latency_sum_ns: u64::MAX,
        latency: [[u16::MAX; LATENCY_COLUMNS]; LATENCY_ROWS],
        aggressive: FillCount { submitted: u32::MAX, filled: u32::MAX },
        passive: FillCount { submitted: 1, filled: 9 },
        ..VenueStatsParts::default()
    };
    let mut stats = VenueStats::from_parts(parts);
    (0..10_000).for_each(|_| stats.acknowledged(u64::MAX));
    stats.submitted(true);
    assert_eq!(stats.fill_ppm(false, 0, 0), FULL_PPM);
    assert!(stats.latency_ns(LatencyStat::Ewma, 0) <= MAX_LATENCY_NS);
}
