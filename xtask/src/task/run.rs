//! `make run`: the program as it is shipped, on recorded markets.

use super::ui;
use crate::cargo::{call, cargo, oms};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// Builds the program as it is shipped, with its desk where there is Node.
///
/// # Errors
/// It cannot be built.
pub fn build() -> Result<(), String> {
    ui::where_possible()?;
    call(cargo(["build", "--release", "--locked", "--package", "oms-server"]))
}

/// Where the demo's FIX client connects to, unless a flag says otherwise.
const FIX: [&str; 2] = ["--fix", "127.0.0.1:9880"];

/// Opens a demo desk in the place of this process, so that signals reach it.
///
/// # Errors
/// It cannot be built or started.
pub fn run(flags: &[String]) -> Result<(), String> {
    eprintln!("building the program as it is shipped; the first time takes some minutes");
    build()?;
    let fix = if flags.iter().any(|flag| flag.starts_with("--fix")) { &[] } else { FIX.as_slice() };
    let error = Command::new(oms()).args(["serve", "--demo"]).args(fix).args(flags).exec();
    Err(format!("{}: {error}", oms().display()))
}
