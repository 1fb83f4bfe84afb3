//! The seeded simulation of the Interactive Brokers connector on every change: sound on its seeds, blind to none of its
//! planted bugs, the same each time. `make sim ARGS=ib` runs a million faults.
#![allow(clippy::panic, reason = "tests fail by panicking, with the place and the reason")]

use oms_testkit::ib::{Fault, Mutant, Tally, run};

/// Seeds within which a planted bug must be found.
const WITHIN: u64 = 1_000;

fn sound(seeds: std::ops::Range<u64>) -> Tally {
    let mut tally = Tally::default();
    for seed in seeds {
        let outcome = run(seed, None, false);
        if let Some(violation) = outcome.violation {
            panic!("seed {seed}: {violation}\nagain: cargo run --release -p oms-testkit --bin oms-sim -- ib --seed {seed}");
        }
        tally.add(&outcome.tally);
    }
    tally
}

#[test]
fn nothing_breaks_and_every_fault_is_injected() {
    let tally = sound(1_000_000..1_000_060);
    let dead: Vec<&Fault> = Fault::ALL.iter().filter(|fault| tally.count(**fault) == 0).collect();
    assert!(dead.is_empty(), "never injected: {dead:?}");
    assert!(2_000 < tally.faults(), "{} faults are too few", tally.faults());
}

#[test]
fn every_planted_bug_is_found() {
    let missed: Vec<&Mutant> =
        Mutant::ALL.iter().filter(|mutant| (0..WITHIN).all(|seed| run(seed, Some(**mutant), false).violation.is_none())).collect();
    assert!(missed.is_empty(), "not found within {WITHIN} seeds: {missed:?}");
}

#[test]
fn a_seed_gives_one_trace() {
    let traces: Vec<u64> = (0..6).map(|seed| run(seed, None, false).trace).collect();
    assert_eq!(traces, (0..6).map(|seed| run(seed, None, false).trace).collect::<Vec<_>>());
    let distinct: std::collections::BTreeSet<_> = traces.iter().collect();
    assert_eq!(distinct.len(), traces.len());
}
