//! `make test`: everything that must hold before a change is taken.

use super::{check, deny, sim, ui};
use crate::cargo::{cargo, oms};
use crate::step::{self, Done};
use std::time::Duration;

/// Runs all steps, also after one that failed, and sums up.
///
/// # Errors
/// Something does not hold.
pub fn run(_: &[String]) -> Result<(), String> {
    // The desk comes first: the program embeds it.
    let mut steps = vec![ui::build()];
    steps.extend(check::steps());
    steps.extend([tests(), docs(), deny::step(), build(), end_to_end()]);
    steps.extend(ui::tests());
    steps.push(sim::step());
    step::summary(&steps)
}

/// Unit tests, scenarios, conformance suites, and whatever guards a file that is made from the code (OpenAPI document,
/// protobuf schemas, golden events, the command line's help) against drift.
fn tests() -> Done {
    let command = cargo(["test", "--workspace", "--exclude", "oms-e2e", "--locked", "--no-fail-fast", "--quiet"]);
    step::run("tests", command, Duration::from_secs(2_400))
}

/// The documentation has no broken link.
fn docs() -> Done {
    let mut command = cargo(["doc", "--workspace", "--no-deps", "--locked", "--quiet"]);
    // A link to something private is of use to whoever reads the source.
    command.env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links");
    step::run("docs", command, Duration::from_secs(900))
}

fn build() -> Done {
    let command = cargo(["build", "--release", "--locked", "--package", "oms-server"]);
    step::run("build", command, Duration::from_secs(1_800))
}

/// The real program: over HTTP, against bad input, and killed under load.
fn end_to_end() -> Done {
    let mut command = cargo(["test", "--package", "oms-e2e", "--locked", "--no-fail-fast"]);
    command.env("OMS_BIN", oms());
    step::run("end to end", command, Duration::from_secs(1_800))
}
