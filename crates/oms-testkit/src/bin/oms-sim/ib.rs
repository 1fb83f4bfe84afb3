//! The simulation of the Interactive Brokers connector over many seeds.

use oms_testkit::ib::{Fault, Mutant, Tally, run};
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

const USAGE: &str =
    "oms-sim ib [--faults N] [--seeds A..B | --seed N] [--mutant NAME] [--mutants] [--threads N] [--keep-going] [--twice] [--verbose]

  Runs seeds until so many faults were injected (a million, unless told), in parallel on all cores. --mutants plants one
  bug after the other and looks for each. Ends with 1 where something broke, or where a planted bug was not found.";

struct Options {
    seeds: Range<u64>,
    faults: u64,
    mutant: Option<Mutant>,
    mutants: bool,
    threads: usize,
    keep_going: bool,
    twice: bool,
    verbose: bool,
}

fn options(words: &[String]) -> Result<Options, String> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut options = Options {
        seeds: 0..u64::MAX,
        faults: 1_000_000,
        mutant: None,
        mutants: false,
        threads,
        keep_going: false,
        twice: false,
        verbose: false,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        let number = |text: &str| text.parse::<u64>().map_err(|error| format!("{text:?}: {error}"));
        match word.as_str() {
            "--seeds" => {
                let (first, end) = value()?.split_once("..").ok_or("--seeds takes A..B")?;
                options.seeds = number(first)?..number(end)?;
            }
            "--seed" => {
                let seed = number(value()?)?;
                options.seeds = seed..seed.saturating_add(1);
            }
            "--faults" => options.faults = number(value()?)?,
            "--mutant" => options.mutant = Some(value()?.parse()?),
            "--mutants" => options.mutants = true,
            "--threads" => options.threads = usize::try_from(number(value()?)?).unwrap_or(1).clamp(1, 256),
            "--keep-going" => options.keep_going = true,
            "--twice" => options.twice = true,
            "--verbose" => options.verbose = true,
            _ => return Err(format!("cannot read {word:?}")),
        }
    }
    Ok(options)
}

/// Runs what the words ask for; `None`: they cannot be read. Otherwise whether all is sound.
pub fn simulate(words: &[String]) -> Option<bool> {
    match options(words) {
        Ok(options) if options.mutants => Some(canary(&options)),
        Ok(options) => Some(many(&options)),
        Err(error) => {
            eprintln!("{error}\n{USAGE}");
            None
        }
    }
}

/// What many seeds came to.
#[derive(Default)]
struct Sum {
    seeds: u64,
    tally: Tally,
    violations: Vec<(u64, String)>,
}

fn sweep(options: &Options) -> Sum {
    let (next, stop, sum) = (AtomicU64::new(options.seeds.start), AtomicBool::new(false), Mutex::new(Sum::default()));
    std::thread::scope(|scope| {
        for _ in 0..options.threads {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if options.seeds.end <= seed {
                        break;
                    }
                    let outcome = run(seed, options.mutant, options.verbose);
                    if options.twice {
                        assert_eq!(outcome.trace, run(seed, options.mutant, false).trace, "seed {seed} ran in two ways");
                    }
                    let mut all = sum.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    outcome.script.iter().for_each(|line| println!("{line}"));
                    all.seeds += 1;
                    all.tally.add(&outcome.tally);
                    if let Some(violation) = outcome.violation {
                        all.violations.push((seed, violation));
                        stop.fetch_or(!options.keep_going, Ordering::Relaxed);
                    }
                    stop.fetch_or(options.faults <= all.tally.faults(), Ordering::Relaxed);
                }
            });
        }
    });
    let mut sum = sum.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    sum.violations.sort();
    sum
}

fn many(options: &Options) -> bool {
    let began = Instant::now();
    let sum = sweep(options);
    let (tally, took) = (&sum.tally, began.elapsed().as_secs_f64());
    println!(
        "{} seeds in {took:.1} s on {} threads: {} faults, and {} messages lost, late, doubled or moved; {} virtual days, {} orders, {} executions, {} sessions",
        sum.seeds,
        options.threads,
        tally.faults(),
        tally.messages,
        tally.days,
        tally.orders,
        tally.executions,
        tally.sessions,
    );
    for fault in Fault::ALL {
        let count = tally.count(*fault);
        let dead = if count == 0 { "  <- never" } else { "" };
        println!("  {:20} {count}{dead}", format!("{fault:?}"));
    }
    println!("{} violations", sum.violations.len());
    for (seed, violation) in sum.violations.iter().take(40) {
        println!("seed {seed}: {violation}");
    }
    if let Some((seed, _)) = sum.violations.first() {
        println!("again: cargo run --release -p oms-testkit --bin oms-sim -- ib --seed {seed} --verbose");
    }
    sum.violations.is_empty()
}

/// Every planted bug must be found.
fn canary(options: &Options) -> bool {
    let mut all = true;
    for mutant in Mutant::ALL {
        let within =
            Options { mutant: Some(*mutant), threads: 1, keep_going: false, faults: u64::MAX, seeds: options.seeds.clone(), ..*options };
        let within = Options { seeds: within.seeds.start..within.seeds.end.min(within.seeds.start.saturating_add(WITHIN)), ..within };
        let sum = sweep(&within);
        match sum.violations.first() {
            Some((seed, violation)) => println!("found at seed {seed:4}  {mutant:24?} {violation}"),
            None => {
                all = false;
                println!("NOT FOUND in {} seeds  {mutant:?}: {}", sum.seeds, mutant.about());
            }
        }
    }
    all
}

/// Seeds within which a planted bug must be found.
const WITHIN: u64 = 1_000;
