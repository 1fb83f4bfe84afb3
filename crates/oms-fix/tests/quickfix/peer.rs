//! The QuickFIX program: built once, started, told what to do, listened to.
#![allow(dead_code, reason = "the benchmark uses less of it than the tests")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);
/// Where its source is, seen from this crate and from the end-to-end tests.
const SOURCES: [&str; 2] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peer/peer.cpp"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/oms-fix/tests/peer/peer.cpp"),
];
const HEADER: &str = "/usr/include/quickfix/Application.h";

/// Builds the peer, installing what it needs where that is missing.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if !Path::new(HEADER).is_file() {
            println!("QuickFIX is not installed; trying apt-get install libquickfix-dev g++");
            let install = "apt-get install -y libquickfix-dev g++ || (apt-get update && apt-get install -y libquickfix-dev g++)";
            let done = Command::new("sh").args(["-c", install]).status();
            assert!(
                done.is_ok_and(|done| done.success()) && Path::new(HEADER).is_file(),
                "this test needs QuickFIX: install Debian's libquickfix-dev and g++"
            );
        }
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("quickfix-peer-{}", std::process::id()));
        let source = SOURCES.into_iter().find(|path| Path::new(path).is_file()).expect("the source of the peer");
        // Its headers use what later standards removed.
        let built = Command::new("g++")
            .args(["-std=c++14", "-O2", "-w", "-o"])
            .arg(&program)
            .arg(source)
            .args(["-lquickfix", "-lpthread"])
            .status();
        assert!(built.is_ok_and(|built| built.success()), "g++ cannot build {source}");
        program
    })
}

pub struct Peer {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    _store: Store,
}

/// A directory of its own, gone at the end.
struct Store(PathBuf);

impl Drop for Store {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Peer {
    /// With its messages in files, and telling everything.
    pub fn start(role: &str, port: u16, sender: &str, target: &str) -> Self {
        Self::launch(role, port, sender, target, false, false)
    }

    /// Starts it; with its messages in memory, and telling only of its session, if it is to.
    pub fn launch(role: &str, port: u16, sender: &str, target: &str, memory: bool, quiet: bool) -> Self {
        Self::spawn(role, port, (sender, target), memory, quiet, None)
    }

    /// Starts it with the hours of a session, in UTC: `HH:MM:SS-HH:MM:SS`.
    pub fn with_hours(role: &str, port: u16, sender: &str, target: &str, hours: &str) -> Self {
        Self::spawn(role, port, (sender, target), false, false, Some(hours))
    }

    fn spawn(role: &str, port: u16, (sender, target): (&str, &str), memory: bool, quiet: bool, hours: Option<&str>) -> Self {
        let store = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("quickfix-{role}-{port}-{}", std::process::id()));
        std::fs::create_dir_all(&store).unwrap();
        let mut child = Command::new(program())
            .args([role, &port.to_string(), sender, target])
            .arg(if memory { Path::new("memory") } else { &store })
            .args(quiet.then_some("quiet"))
            .envs(hours.map(|hours| ("PEER_HOURS", hours)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the peer starts");
        let (said, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| said.send(line)));
        Self { input: child.stdin.take().unwrap(), child, lines, _store: Store(store) }
    }

    pub fn say(&mut self, command: &str) {
        writeln!(self.input, "{command}").unwrap();
    }

    /// Waits for a line that starts so; returns all lines up to it.
    pub fn until(&mut self, start: &str) -> Vec<String> {
        let (until, mut seen) = (Instant::now() + PATIENCE, Vec::new());
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("{start} did not come; {seen:?}"));
            let found = line.starts_with(start);
            seen.push(line);
            if found {
                return seen;
            }
        }
    }

    pub fn quit(mut self) {
        self.say("quit");
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
