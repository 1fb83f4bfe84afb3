//! Licences, bans and sources of what is built in, by cargo-deny. Where it is not installed it is, once, beside what is built.

use crate::cargo::{cargo, root, target};
use crate::step::{self, Done};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// The version that is installed where there is none.
const VERSION: &str = "0.20.2";

/// The step.
#[must_use]
pub fn step() -> Done {
    let program = match program() {
        Ok(program) => program,
        Err(why) => return step::failed("deny", why),
    };
    let mut command = Command::new(program);
    command.current_dir(root()).args(["--workspace", "--locked", "check", "--hide-inclusion-graph", "licenses", "bans", "sources"]);
    step::run("deny", command, Duration::from_secs(300))
}

fn program() -> Result<PathBuf, String> {
    let on_path = Command::new("cargo-deny").arg("--version").output().is_ok_and(|answer| answer.status.success());
    if on_path {
        return Ok(PathBuf::from("cargo-deny"));
    }
    let tools = target().join("tools");
    let program = tools.join("bin").join("cargo-deny");
    if program.is_file() {
        return Ok(program);
    }
    println!("\n== deny: cargo-deny {VERSION} is not here; installing it once into {}", tools.display());
    let mut command = cargo(["install", "--locked", "--no-default-features", "--version", VERSION, "cargo-deny", "--root"]);
    command.arg(&tools).arg("--target-dir").arg(target().join("tools-build"));
    let done = command.status().map_err(|error| format!("cargo install: {error}"))?;
    if done.success() { Ok(program) } else { Err(format!("cargo-deny cannot be installed: {done}")) }
}
