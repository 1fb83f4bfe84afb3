//! Steps: commands with a bound on their time, and what came of them.

use crate::cargo;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Tests, as a test runner counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// That held.
    pub passed: u64,
    /// That did not.
    pub failed: u64,
    /// That were left out.
    pub ignored: u64,
}

/// What came of a step.
#[derive(Clone, Debug)]
pub struct Done {
    name: String,
    counts: Counts,
    took: Duration,
    failure: Option<String>,
}

/// Runs a command within `bound`: when the time is over it is ended with everything that it started. Test results in its output are counted.
#[must_use]
pub fn run(name: &str, command: Command, bound: Duration) -> Done {
    let began = Instant::now();
    let shown = cargo::shown(&command);
    println!("\n== {name}: {shown}   (at most {} s)", bound.as_secs());
    let mut counts = Counts::default();
    let failure = match bounded(command, bound, &mut counts, &mut std::io::stdout()) {
        Ok(None) => None,
        Ok(Some(why)) => Some(why),
        Err(error) => Some(error.to_string()),
    };
    Done { name: name.to_owned(), counts, took: began.elapsed(), failure }
}

/// A step that never came to run.
#[must_use]
pub fn failed(name: &str, why: String) -> Done {
    println!("\n== {name}: {why}");
    Done { name: name.to_owned(), counts: Counts::default(), took: Duration::ZERO, failure: Some(why) }
}

fn bounded(command: Command, bound: Duration, counts: &mut Counts, out: &mut dyn Write) -> std::io::Result<Option<String>> {
    // The system's own tool ends a whole group of processes, and reports 124 when it had to.
    let mut timed = Command::new("timeout");
    timed.args(["--kill-after=10", &bound.as_secs().to_string()]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => timed.env(name, value),
            None => timed.env_remove(name),
        };
    }
    if let Some(dir) = command.get_current_dir() {
        timed.current_dir(dir);
    }
    let mut child = timed.stdout(Stdio::piped()).spawn()?;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line?;
            out.write_all(&line)?;
            out.write_all(b"\n")?;
            count(&String::from_utf8_lossy(&line), counts);
        }
    }
    let status = child.wait()?;
    Ok(match status.code() {
        Some(0) => None,
        Some(124 | 137) => Some(format!("not done after {} s", bound.as_secs())),
        _ => Some(status.to_string()),
    })
}

/// Takes in a line such as `test result: ok. 43 passed; 0 failed; 1 ignored; ...`.
fn count(line: &str, counts: &mut Counts) {
    let Some(result) = line.trim_start().strip_prefix("test result: ") else { return };
    for part in result.split([';', '.']) {
        let mut words = part.split_whitespace();
        let (Some(Ok(number)), Some(what)) = (words.next().map(str::parse::<u64>), words.next()) else { continue };
        match what {
            "passed" => counts.passed += number,
            "failed" => counts.failed += number,
            "ignored" => counts.ignored += number,
            _ => (),
        }
    }
}

/// The table of what ran, and the one line that sums it up.
///
/// # Errors
/// Something failed.
pub fn summary(steps: &[Done]) -> Result<(), String> {
    println!("\n{}", table(steps));
    let (passed, failed) = totals(steps);
    println!("{passed} passed, {failed} failed");
    if failed == 0 { Ok(()) } else { Err("not everything holds".to_owned()) }
}

fn table(steps: &[Done]) -> String {
    let mut text = format!("{:<12}{:<8}{:>8}{:>9}{:>9}{:>9}\n", "step", "result", "time", "passed", "failed", "ignored");
    for step in steps {
        let result = if step.failure.is_none() { "ok" } else { "FAILED" };
        let tests = |number: u64| if step.counts == Counts::default() { "-".to_owned() } else { number.to_string() };
        let Counts { passed, failed, ignored } = step.counts;
        let row = (tests(passed), tests(failed), tests(ignored));
        text.push_str(&format!("{:<12}{result:<8}{:>7.1}s{:>9}{:>9}{:>9}", step.name, step.took.as_secs_f64(), row.0, row.1, row.2));
        if let Some(why) = &step.failure {
            text.push_str(&format!("   {why}"));
        }
        text.push('\n');
    }
    text
}

/// Tests that passed and failed; a step without tests counts as one.
fn totals(steps: &[Done]) -> (u64, u64) {
    let of = |step: &Done| {
        let Counts { passed, failed, .. } = step.counts;
        match (&step.failure, passed + failed) {
            (None, 0) => (1, 0),
            (None, _) => (passed, failed),
            // A step may fail without a failing test: it did not compile, or took too long.
            (Some(_), _) => (passed, failed.max(1)),
        }
    };
    steps.iter().map(of).fold((0, 0), |(passed, failed), (p, f)| (passed + p, failed + f))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(passed: u64, failed: u64, failure: Option<&str>) -> Done {
        let counts = Counts { passed, failed, ignored: 0 };
        Done { name: "step".to_owned(), counts, took: Duration::ZERO, failure: failure.map(str::to_owned) }
    }

    #[test]
    fn results_of_test_runners_are_counted() {
        let mut counts = Counts::default();
        count("test result: ok. 43 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.87s", &mut counts);
        count("test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured", &mut counts);
        count("running 43 tests", &mut counts);
        assert_eq!(counts, Counts { passed: 45, failed: 3, ignored: 1 });
    }

    #[test]
    fn a_step_without_tests_counts_as_one() {
        assert_eq!(
            totals(&[done(0, 0, None), done(5, 0, None), done(4, 2, Some("exit 101")), done(3, 0, Some("did not compile"))]),
            (13, 3)
        );
    }

    #[test]
    fn a_step_ends_in_time_and_says_what_it_counted() {
        let (mut counts, mut out) = (Counts::default(), Vec::new());
        let mut command = Command::new("sh");
        command.args(["-c", "echo 'test result: ok. 2 passed; 0 failed; 0 ignored'; exit 3"]);
        let failure = bounded(command, Duration::from_secs(20), &mut counts, &mut out).unwrap();
        assert_eq!((counts.passed, failure.as_deref()), (2, Some("exit status: 3")));
        assert!(out.starts_with(b"test result"), "what a step says is passed on");
        let mut endless = Command::new("sh");
        endless.args(["-c", "sleep 600"]);
        let failure = bounded(endless, Duration::from_secs(1), &mut counts, &mut out).unwrap();
        assert_eq!(failure.as_deref(), Some("not done after 1 s"));
    }
}
