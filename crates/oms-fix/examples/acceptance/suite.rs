//! All scripts of some directories.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::engine::Running;
use crate::runner::{Place, play};
use crate::script::Script;

/// Scripts that are played at once; most of the time each waits.
const AT_ONCE: usize = 12;

/// What came of a script.
pub type Outcome = (PathBuf, Result<(), String>);

/// Plays the scripts that `paths` are or contain, in the order of their names.
///
/// # Errors
/// A path cannot be read.
pub fn run(paths: &[PathBuf], connect: Option<SocketAddr>) -> Result<Vec<Outcome>, String> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, &mut files).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    files.sort();
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..if connect.is_some() { 1 } else { AT_ONCE } {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = one(file, connect);
                    results.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((file.clone(), result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    results.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(results)
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        if path.is_dir() || path.extension().is_some_and(|extension| extension == "def") {
            collect(&path, files)?;
        }
    }
    Ok(())
}

fn one(file: &Path, connect: Option<SocketAddr>) -> Result<(), String> {
    let text = std::fs::read(file).map_err(|error| error.to_string())?;
    let script = Script::parse(&text).map_err(|error| error.to_string())?;
    let started = |settings, dial| Running::start(settings, dial);
    let (place, engine) = match connect {
        Some(address) => (Place::Connect(address), None),
        None if script.engine_dials() => {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| error.to_string())?;
            let address = listener.local_addr().map_err(|error| error.to_string())?;
            (Place::Listen(listener), Some(started(&script.settings, Some(address))?))
        }
        None => {
            let engine = started(&script.settings, None)?;
            (Place::Connect(engine.address().ok_or("the engine does not listen")?), Some(engine))
        }
    };
    play(&script, &place, engine.as_ref()).map_err(|failure| format!("line {}: {}", failure.line, failure.why))
}
