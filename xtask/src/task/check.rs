//! `make check`: format, lints, types.

use crate::cargo::cargo;
use crate::step::{self, Done};
use std::time::Duration;

/// The steps of it.
#[must_use]
pub fn steps() -> Vec<Done> {
    vec![format(), lint()]
}

/// Runs them.
///
/// # Errors
/// Something does not hold.
pub fn run(_: &[String]) -> Result<(), String> {
    step::summary(&steps())
}

fn format() -> Done {
    step::run("format", cargo(["fmt", "--all", "--check"]), Duration::from_secs(120))
}

fn lint() -> Done {
    let command = cargo(["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]);
    step::run("lint", command, Duration::from_secs(1_800))
}
