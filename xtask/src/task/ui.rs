//! `cargo xtask ui`: the desk in a browser, built for the binary to embed; and its tests.

use crate::cargo::{call, cargo, oms, root};
use crate::step::{self, Done};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};
use std::{fs, io};

/// What a build is made of, below `ui`.
const SOURCES: [&str; 7] = ["src", "public", "scripts", "index.html", "package-lock.json", "vite.config.ts", "tsconfig.json"];

fn npm<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(root().join("ui"));
    command
}

fn has_node() -> bool {
    Command::new("npm").arg("--version").output().is_ok_and(|done| done.status.success())
}

/// The latest change below a path; `None` where it is not there.
fn changed(path: &Path) -> io::Result<Option<SystemTime>> {
    let Ok(meta) = fs::metadata(path) else { return Ok(None) };
    let mut latest = meta.modified()?;
    if meta.is_dir() {
        for entry in fs::read_dir(path)? {
            latest = latest.max(changed(&entry?.path())?.unwrap_or(latest));
        }
    }
    Ok(Some(latest))
}

/// Whether what was built is of these sources.
fn is_current() -> io::Result<bool> {
    let ui = root().join("ui");
    let Some(built) = changed(&ui.join("dist/desk/index.html"))? else { return Ok(false) };
    let sources = SOURCES.iter().map(|name| ui.join(name)).chain([root().join("schemas/openapi")]);
    for source in sources {
        if changed(&source)?.is_some_and(|at| at > built) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Installs what the lock file names, where that is not done yet.
fn install() -> Result<(), String> {
    let ui = root().join("ui");
    let at = |path: PathBuf| changed(&path).map_err(|error| format!("{}: {error}", path.display()));
    let (locked, installed) = (at(ui.join("package-lock.json"))?, at(ui.join("node_modules/.package-lock.json"))?);
    if installed.is_some() && installed >= locked {
        return Ok(());
    }
    call(npm(["ci"]))
}

/// Builds the desk, unless what is there is current.
///
/// # Errors
/// Node is missing, or a build fails.
pub fn run(_: &[String]) -> Result<(), String> {
    if is_current().map_err(|error| error.to_string())? {
        return Ok(());
    }
    if !has_node() {
        return Err("the desk needs Node 20 or newer (npm) to be built; the program builds without it, and says so in its place".to_owned());
    }
    install()?;
    call(npm(["run", "--silent", "build"]))
}

/// Builds the desk where there is Node. Without, the program is what it is without the desk, and that is told.
///
/// # Errors
/// A build fails.
pub fn where_possible() -> Result<(), String> {
    if has_node() {
        return run(&[]);
    }
    eprintln!("Node is not installed: the program is built without its desk");
    Ok(())
}

/// Builds it as a step: before the program, which embeds it.
pub fn build() -> Done {
    match run(&[]).and_then(|()| install()) {
        Ok(()) => step::run("desk", npm(["run", "--silent", "client:check"]), Duration::from_secs(120)),
        Err(why) => step::failed("desk", why),
    }
}

/// Measures the desk under load, in a real browser against the program as it is shipped.
///
/// # Errors
/// Node is missing, a build or the measurement fails.
pub fn bench(_: &[String]) -> Result<(), String> {
    run(&[])?;
    install()?;
    call(cargo(["build", "--release", "--locked", "--package", "oms-server"]))?;
    let mut measure = npm(["run", "--silent", "bench"]);
    measure.env("OMS_BIN", oms());
    call(measure)
}

/// Types, lints and unit tests; then the desk of the real program in a real browser.
pub fn tests() -> Vec<Done> {
    let quick = step::run("desk units", npm(["run", "--silent", "quick"]), Duration::from_secs(300));
    let mut browser = npm(["run", "--silent", "e2e"]);
    browser.env("OMS_BIN", oms());
    vec![quick, step::run("browser", browser, Duration::from_secs(1_200))]
}
