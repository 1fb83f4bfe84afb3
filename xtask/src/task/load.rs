//! `make load`: orders at a rate against a running desk.

use super::run::build;
use crate::cargo::{call, oms};
use std::process::Command;

/// Runs `oms load`.
///
/// # Errors
/// It cannot be built, or it fails.
pub fn run(flags: &[String]) -> Result<(), String> {
    build()?;
    let mut command = Command::new(oms());
    command.arg("load").args(flags);
    call(command)
}
