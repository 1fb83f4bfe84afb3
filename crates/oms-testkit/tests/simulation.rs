//! The seeded simulation on every change: sound on its seeds, blind to none of its planted bugs, the same each time.
#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking, with the place and the reason")]

use oms_testkit::simulator::{Coverage, Mark, Mutant, Plan, run, shrink};

/// Runs seeds until one breaks something; with what was counted on the way.
fn first_violation(seeds: std::ops::Range<u64>, mutant: Option<Mutant>) -> (Option<(u64, String)>, Coverage) {
    let mut coverage = Coverage::default();
    for seed in seeds {
        let outcome = run(&Plan::of(seed), mutant, false);
        coverage.add(&outcome.coverage);
        if let Some(violation) = outcome.violation {
            return (Some((seed, violation.message)), coverage);
        }
    }
    (None, coverage)
}

fn explain(seed: u64, mutant: Option<Mutant>) -> String {
    let Some(shrunk) = shrink(&Plan::of(seed), mutant) else { return "it does not fail again".to_owned() };
    let script = shrunk.outcome.script.join("\n");
    let message = shrunk.outcome.violation.map_or_else(String::new, |violation| violation.message);
    format!("{script}\n{message}\nagain: cargo run -p oms-testkit --bin oms-sim -- --seed {seed} --verbose")
}

/// Two halves, so that two cores share the work.
fn sound(seeds: std::ops::Range<u64>) -> Coverage {
    let (violation, coverage) = first_violation(seeds, None);
    if let Some((seed, message)) = violation {
        panic!("seed {seed}: {message}\n{}", explain(seed, None));
    }
    coverage
}

#[test]
fn nothing_breaks_and_rare_branches_are_reached() {
    let coverage = sound(1_000_000..1_002_000);
    // One that dies out here is no longer tested by anything.
    let dead: Vec<&Mark> = Mark::ALL.iter().filter(|mark| coverage.count(**mark) == 0).collect();
    assert!(dead.is_empty(), "never reached in two thousand seeds: {dead:?}");
    assert!(coverage.recoveries > 2_000, "{} recoveries in two thousand seeds", coverage.recoveries);
}

#[test]
fn nothing_breaks_on_other_seeds() {
    sound(2_000_000..2_000_500);
}

#[test]
fn every_planted_bug_is_found() {
    const WITHIN: u64 = 10_000;
    let found = |mutant: &&Mutant| first_violation(0..WITHIN, Some(**mutant)).0.is_none();
    let missed: Vec<&Mutant> = Mutant::ALL.iter().filter(found).collect();
    assert!(missed.is_empty(), "not found within {WITHIN} seeds: {missed:?}");
}

#[test]
fn a_seed_gives_one_trace() {
    for seed in 0..200 {
        let plan = Plan::of(seed);
        assert_eq!(plan, Plan::of(seed), "seed {seed}");
        let (first, second) = (run(&plan, None, false), run(&plan, None, true));
        assert_eq!(first.trace, second.trace, "seed {seed}");
        assert_eq!(first.coverage, second.coverage, "seed {seed}");
    }
}

#[test]
fn traces_differ() {
    let mut traces: Vec<u64> = (0..200).map(|seed| run(&Plan::of(seed), None, false).trace).collect();
    traces.sort_unstable();
    traces.dedup();
    assert_eq!(traces.len(), 200);
}

#[test]
fn a_failing_run_is_made_short() {
    let mutant = Some(Mutant::BrokenSendIsNotSent);
    let (violation, _) = first_violation(0..10_000, mutant);
    let (seed, message) = violation.expect("the planted bug is found");
    let shrunk = shrink(&Plan::of(seed), mutant).expect("it fails again");
    let short = shrunk.outcome.violation.expect("what is left fails still");
    assert!(message.starts_with("invariant 4:") && short.message.starts_with("invariant 4:"), "{message} / {}", short.message);
    assert!(shrunk.plan.actions.len() <= 8, "{} actions are left", shrunk.plan.actions.len());
    assert!(shrunk.outcome.script.len() <= 60, "{} lines are left", shrunk.outcome.script.len());
}
