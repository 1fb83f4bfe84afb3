//! `make fix-acceptance`: session acceptance scripts against the echo acceptor.

use crate::cargo::{call, cargo};

/// The project's own scripts.
const OWN: &str = "tests/fix/scenarios";

/// Plays the scripts of these files and directories, or the project's own.
///
/// # Errors
/// One fails.
pub fn run(paths: &[String]) -> Result<(), String> {
    let mut command = cargo(["run", "--release", "--locked", "--quiet", "--package", "oms-fix", "--example", "acceptance", "--"]);
    if paths.is_empty() {
        command.arg(OWN);
    }
    // Paths are those of whoever asks, cargo runs in the root of the workspace.
    for path in paths {
        command.arg(std::path::absolute(path).map_err(|error| format!("{path}: {error}"))?);
    }
    call(command)
}
