//! `make bench`: the benchmarks.

use crate::cargo::{call, cargo};

const PACKAGES: [&str; 6] = ["oms-engine", "oms-router", "oms-risk", "oms-store", "oms-fix", "oms-ib"];

/// Runs them; arguments choose some by name.
///
/// # Errors
/// One fails.
pub fn run(filters: &[String]) -> Result<(), String> {
    let packages = PACKAGES.iter().flat_map(|package| ["--package", package]);
    let mut command = cargo(["bench", "--locked", "--benches"]);
    command.args(packages);
    if !filters.is_empty() {
        command.arg("--").args(filters);
    }
    call(command)
}
