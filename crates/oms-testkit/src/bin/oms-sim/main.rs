//! Runs the simulation over many seeds, or one seed in words.
//!
//! `oms-sim --seeds A..B [--mutant NAME] [--threads N] [--minutes M]`, `oms-sim --seed N [--mutant NAME] [--verbose]`,
//! `oms-sim --mutants [--seeds A..B]`; `oms-sim ib ...` runs that of the Interactive Brokers connector; `--twice` runs each seed twice and compares. Ends with 1 where something broke, or where a planted bug was not found.

mod ib;

use oms_testkit::simulator::{Coverage, Mark, Mutant, Plan, Shrunk, Violation, run, shrink};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const USAGE: &str =
    "oms-sim (--seeds A..B | --seed N) [--mutant NAME] [--mutants] [--threads N] [--minutes M] [--verbose] [--keep-going] [--twice]";

struct Options {
    seeds: std::ops::Range<u64>,
    one: bool,
    mutant: Option<Mutant>,
    mutants: bool,
    threads: usize,
    within: Option<Duration>,
    verbose: bool,
    keep_going: bool,
    twice: bool,
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        seeds: 0..10_000,
        one: false,
        mutant: None,
        mutants: false,
        threads: 1,
        within: None,
        verbose: false,
        keep_going: false,
        twice: false,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        let number = |text: String| text.parse::<u64>().map_err(|error| format!("{text:?}: {error}"));
        match word.as_str() {
            "--seeds" => {
                let text = value()?;
                let (first, end) = text.split_once("..").ok_or("--seeds takes A..B")?;
                options.seeds = number(first.to_owned())?..number(end.to_owned())?;
            }
            "--seed" => {
                let seed = number(value()?)?;
                options.seeds = seed..seed.saturating_add(1);
                options.one = true;
            }
            "--mutant" => options.mutant = Some(value()?.parse()?),
            "--mutants" => options.mutants = true,
            "--threads" => options.threads = usize::try_from(number(value()?)?).unwrap_or(1).clamp(1, 256),
            "--minutes" => options.within = Some(Duration::from_secs(number(value()?)? * 60)),
            "--verbose" => options.verbose = true,
            "--keep-going" => options.keep_going = true,
            "--twice" => options.twice = true,
            _ => return Err(format!("cannot read {word:?}")),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Some((word, rest)) = words.split_first()
        && word == "ib"
    {
        return ib::simulate(rest).map_or(ExitCode::from(2), |sound| if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let options = match options() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let sound = if options.mutants {
        canary(&options)
    } else if options.one {
        one(options.seeds.start, &options)
    } else {
        many(&options)
    };
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn one(seed: u64, options: &Options) -> bool {
    let plan = Plan::of(seed);
    let outcome = run(&plan, options.mutant, options.verbose);
    outcome.script.iter().for_each(|line| println!("{line}"));
    println!("seed {seed}: {} actions, trace {:016x}", plan.actions.len(), outcome.trace);
    if outcome.violation.is_some() {
        tell(seed, options.mutant);
        return false;
    }
    true
}

/// Makes a failing run short and prints it.
fn tell(seed: u64, mutant: Option<Mutant>) {
    let Some(Shrunk { plan, outcome, runs }) = shrink(&Plan::of(seed), mutant) else { return };
    let planted = mutant.map(|mutant| format!(" --mutant {mutant:?}")).unwrap_or_default();
    println!("seed {seed} shrunk to {} actions in {runs} runs:", plan.actions.len());
    outcome.script.iter().for_each(|line| println!("    {line}"));
    println!("  {:?}", plan.rates);
    println!("  {}", outcome.violation.map_or_else(String::new, |violation| violation.message));
    println!("  again: cargo run -p oms-testkit --bin oms-sim -- --seed {seed}{planted} --verbose");
}

/// What many runs came to.
#[derive(Default)]
struct Sum {
    seeds: u64,
    coverage: Coverage,
    violations: Vec<(u64, Violation)>,
}

fn sweep(options: &Options) -> (Sum, Duration) {
    let (next, stop, sum) = (AtomicU64::new(options.seeds.start), AtomicBool::new(false), Mutex::new(Sum::default()));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..options.threads {
            scope.spawn(|| {
                let mut mine = Sum::default();
                while !stop.load(Ordering::Relaxed) && options.within.is_none_or(|within| began.elapsed() < within) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= options.seeds.end {
                        break;
                    }
                    let outcome = run(&Plan::of(seed), options.mutant, false);
                    if options.twice {
                        assert_eq!(outcome.trace, run(&Plan::of(seed), options.mutant, false).trace, "seed {seed} ran in two ways");
                    }
                    mine.seeds += 1;
                    mine.coverage.add(&outcome.coverage);
                    if let Some(violation) = outcome.violation {
                        mine.violations.push((seed, violation));
                        stop.store(!options.keep_going, Ordering::Relaxed);
                    }
                }
                let mut all = sum.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                all.seeds += mine.seeds;
                all.coverage.add(&mine.coverage);
                all.violations.append(&mut mine.violations);
            });
        }
    });
    let mut sum = sum.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    sum.violations.sort_by_key(|(seed, _)| *seed);
    (sum, began.elapsed())
}

fn many(options: &Options) -> bool {
    let (sum, took) = sweep(options);
    print_sum(&sum, took, options);
    for (seed, violation) in sum.violations.iter().take(40) {
        println!("seed {seed} at action {}: {}", violation.at, violation.message);
    }
    if let Some((seed, _)) = sum.violations.first() {
        tell(*seed, options.mutant);
    }
    sum.violations.is_empty()
}

fn print_sum(sum: &Sum, took: Duration, options: &Options) {
    let (seeds, coverage, seconds) = (sum.seeds, &sum.coverage, took.as_secs_f64());
    println!(
        "{seeds} seeds from {} in {seconds:.1} s on {} threads: {} crash and recovery cycles ({:.0}/s), {} faults, {} inputs, {} events, {} intents handed over, {} executions",
        options.seeds.start,
        options.threads,
        coverage.recoveries,
        coverage.recoveries as f64 / seconds,
        coverage.faults,
        coverage.inputs,
        coverage.events,
        coverage.handed,
        coverage.fills,
    );
    for mark in Mark::ALL {
        let count = coverage.count(*mark);
        let dead = if count == 0 { "  <- never reached" } else { "" };
        println!("  {:24} {count}{dead}", format!("{mark:?}"));
    }
    println!("{} violations", sum.violations.len());
}

/// Every planted bug must be found.
fn canary(options: &Options) -> bool {
    let mut all = true;
    for mutant in Mutant::ALL {
        let within = Options { mutant: Some(*mutant), keep_going: false, threads: 1, seeds: options.seeds.clone(), ..*options };
        let (sum, _) = sweep(&within);
        match sum.violations.first() {
            Some((seed, violation)) => println!("found at seed {seed:5}  {mutant:24?} {}", violation.message),
            None => {
                all = false;
                println!("NOT FOUND in {} seeds  {mutant:?}: {}", sum.seeds, mutant.about());
            }
        }
    }
    all
}
