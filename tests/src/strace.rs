//! Faults at chosen system calls, injected by strace(1).

use crate::server::SIGKILL;
use crate::until;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What happens at the chosen call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The process is killed instead of it.
    KillBefore,
    /// It happens; the process is killed before the thread that made it does anything else.
    KillAfter,
    /// It fails with this error.
    Fails(&'static str),
}

/// The `nth` time that any thread makes this call on one of these files.
#[derive(Clone, Debug)]
pub struct Point {
    /// The system call.
    pub call: &'static str,
    /// The files.
    pub files: Vec<PathBuf>,
    /// From 1.
    pub nth: usize,
    /// What happens.
    pub effect: Effect,
}

/// Whether processes can be traced here; the reason where not.
///
/// # Errors
/// What is missing.
pub fn available() -> Result<(), String> {
    let output = Command::new("strace").args(["-f", "-e", "trace=none", "true"]).output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("strace cannot trace: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => Err(format!("there is no strace: {error}")),
    }
}

impl Point {
    /// The words that make strace do it; what it sees goes to `log`.
    #[must_use]
    pub fn words(&self, log: &Path) -> Vec<String> {
        let mut words: Vec<String> = ["strace", "-f", "-qq", "-s", "8", "-o"].map(str::to_owned).into();
        words.push(log.display().to_string());
        for file in &self.files {
            words.extend(["-P".to_owned(), file.display().to_string()]);
        }
        let what = match self.effect {
            Effect::KillBefore => "signal=SIGKILL".to_owned(),
            // Far longer than the rig takes to see it.
            Effect::KillAfter => "delay_exit=600000000".to_owned(),
            Effect::Fails(error) => format!("error={error}"),
        };
        words.extend(["-e".to_owned(), format!("trace={}", self.call), "-e".to_owned()]);
        words.push(format!("inject={}:{what}:when={}", self.call, self.nth));
        words
    }
}

/// A tracer on a running process.
#[derive(Debug)]
pub struct Tracer {
    child: Child,
    log: PathBuf,
    pid: u32,
}

impl Tracer {
    /// Attaches to every thread of a process; answers when it has.
    ///
    /// # Panics
    /// Where it cannot.
    #[must_use]
    pub fn attach(pid: u32, point: &Point, log: &Path) -> Self {
        let words = point.words(log);
        let mut command = Command::new(&words[0]);
        // Stderr is not read: with -qq nothing is said there.
        command.args(&words[1..]).args(["-p", &pid.to_string()]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("strace");
        until("a tracer on every thread", || {
            assert!(child.try_wait().unwrap().is_none(), "strace ended");
            let untraced = untraced(pid)?;
            if untraced == 0 { Ok(()) } else { Err(format!("{untraced} threads are not traced")) }
        });
        Self { child, log: log.to_owned(), pid }
    }

    /// Whether the call happened that the process is to be killed after.
    #[must_use]
    pub fn is_held(&self) -> bool {
        std::fs::read_to_string(&self.log).is_ok_and(|text| text.contains("(DELAYED)"))
    }

    /// Kills the process that is traced, and then the tracer, which would hold the dead thread for as long as it
    /// was told to delay it.
    pub fn kill_traced(&self) {
        for pid in [self.pid, self.child.id()] {
            let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
            let _gone = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        // It lets go of the process, if there still is one.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Threads of a process without a tracer.
fn untraced(pid: u32) -> Result<usize, String> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).map_err(|error| error.to_string())?;
    let mut untraced = 0;
    for task in tasks {
        let path = task.map_err(|error| error.to_string())?.path().join("status");
        let Ok(status) = std::fs::read_to_string(path) else { continue };
        untraced += usize::from(status.lines().any(|line| line.trim_end() == "TracerPid:\t0"));
    }
    Ok(untraced)
}

/// The exit status of a process that SIGKILL ended.
#[must_use]
pub fn was_killed(status: std::process::ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal() == Some(SIGKILL)
}
