//! `make sim`: the simulator.

use crate::cargo::{call, cargo};
use crate::step::{self, Done};
use std::process::Command;
use std::time::Duration;

/// Seeds of the simulator in `make test`; `make sim` runs as many as it is told.
const SEEDS: &str = "0..2000";

fn simulator() -> Command {
    cargo(["run", "--release", "--locked", "--quiet", "--package", "oms-testkit", "--bin", "oms-sim", "--"])
}

/// Runs the simulator with these flags.
///
/// # Errors
/// It found something.
pub fn run(flags: &[String]) -> Result<(), String> {
    let mut command = simulator();
    command.args(flags);
    call(command)
}

/// A bounded number of seeds.
#[must_use]
pub fn step() -> Done {
    let mut command = simulator();
    command.args(["--seeds", SEEDS]);
    step::run("sim", command, Duration::from_secs(900))
}
