//! The `oms` process.

use crate::http::{Client, Connection, request};
use crate::until;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// The most bytes of output that are kept.
const MAX_OUTPUT: usize = 4 << 20;
/// The signal that nothing survives.
pub const SIGKILL: i32 = 9;

/// The binary under test: `OMS_BIN`, or built here once.
///
/// # Panics
/// Where it cannot be built.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match std::env::var_os("OMS_BIN") {
        Some(path) => {
            let path = PathBuf::from(path);
            assert!(path.is_file(), "OMS_BIN: there is no {}", path.display());
            path.canonicalize().unwrap()
        }
        None => build(),
    })
}

/// Built as it is shipped, beside the test or the program that runs.
fn build() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    // target/<profile>/deps/<test>, or target/<profile>/<program>.
    let above = if own.parent().is_some_and(|folder| folder.ends_with("deps")) { 3 } else { 2 };
    let target = own.ancestors().nth(above).expect("a folder of builds").to_owned();
    let here = own.ancestors().nth(above - 1).is_some_and(|profile| profile.join(".cargo-lock").is_file());
    assert!(here, "OMS_BIN must be set where {} was moved", own.display());
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--package", "oms-server", "--bin", "oms", "--target-dir"]).arg(&target);
    let status = command.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo");
    assert!(status.success(), "the binary cannot be built");
    target.join("release").join("oms")
}

/// A folder of its own for one desk. It goes when the test passed, and stays when it failed.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    keep: bool,
}

impl Home {
    /// A new, empty one.
    ///
    /// # Panics
    /// Where it cannot be made.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self::below(&std::env::var_os("OMS_E2E_DIR").map_or_else(std::env::temp_dir, PathBuf::from), name)
    }

    /// A new, empty one in this folder.
    ///
    /// # Panics
    /// Where it cannot be made.
    #[must_use]
    pub fn below(base: &Path, name: &str) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let path = base.join(format!("oms-e2e-{}-{}-{name}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed)));
        std::fs::create_dir_all(&path).unwrap();
        Self { path, keep: std::env::var_os("OMS_KEEP").is_some() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A copy of it.
    ///
    /// # Panics
    /// Where it cannot be made.
    #[must_use]
    pub fn copy(&self, name: &str) -> Self {
        let other = Self::new(name);
        let copied = Command::new("cp").args(["-a", "--sparse=never"]).arg(self.path.join(".")).arg(&other.path).status().unwrap();
        assert!(copied.success(), "{} cannot be copied", self.path.display());
        other
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.keep || std::thread::panicking() {
            eprintln!("kept: {}", self.path.display());
        } else {
            let _gone = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// How a desk is started.
#[derive(Clone, Debug)]
pub struct Launch {
    /// What stands before the command, such as a tracer.
    pub under: Vec<String>,
    /// How fast the market is replayed.
    pub speed: String,
    /// The seed of the venues.
    pub seed: u64,
    /// Settings, as environment variables.
    pub settings: Vec<(String, String)>,
    /// Whether it is the demo desk; else one whose tenants were founded before.
    pub demo: bool,
}

impl Default for Launch {
    fn default() -> Self {
        Self { under: Vec::new(), speed: "10x".to_owned(), seed: 1, settings: Vec::new(), demo: true }
    }
}

impl Launch {
    /// With a setting.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With the market replayed this fast.
    #[must_use]
    pub fn speed(mut self, speed: &str) -> Self {
        speed.clone_into(&mut self.speed);
        self
    }

    /// Of the tenants that were founded in its folder.
    #[must_use]
    pub const fn founded(mut self) -> Self {
        self.demo = false;
        self
    }

    /// With venues of this seed.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

/// A process that was started; whether it serves is not known yet.
#[derive(Debug)]
pub struct Process {
    child: Child,
    dir: PathBuf,
    address: Receiver<SocketAddr>,
    output: Arc<Mutex<String>>,
    /// Ends when everything that the process said was read.
    heard: Receiver<()>,
}

impl Process {
    /// Starts `oms serve` on a free port.
    ///
    /// # Panics
    /// Where it cannot be started.
    #[must_use]
    pub fn start(dir: &Path, launch: &Launch) -> Self {
        let mut words: Vec<std::ffi::OsString> = launch.under.iter().map(Into::into).collect();
        words.push(binary().into());
        words.extend(["serve", "--listen", "127.0.0.1:0", "--speed"].map(Into::into));
        words.extend([launch.speed.clone().into(), "--seed".into(), launch.seed.to_string().into(), "--data".into(), dir.into()]);
        words.extend(launch.demo.then(|| "--demo".into()));
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env_remove("OMS_CONFIG").env_remove("OMS_API_KEY").env_remove("OMS_URL");
        command.envs(launch.settings.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{words:?}: {error}"));
        let output = Arc::new(Mutex::new(String::new()));
        let (found, address) = sync_channel(1);
        let (hearing, heard) = sync_channel::<()>(1);
        let still = hearing.clone();
        let told = output.clone();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let listening = line.trim().strip_prefix("listening on http");
                if let Some(address) = listening.and_then(|rest| rest.trim_start_matches('s').strip_prefix("://")) {
                    let _heard = found.send(address.parse().expect("an address"));
                }
                keep(&told, &line);
            }
            drop(still);
        });
        let told = output.clone();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).for_each(|line| keep(&told, &line));
            drop(hearing);
        });
        Self { child, dir: dir.to_owned(), address, output, heard }
    }

    /// Waits until it says where it listens; `None` where it does not within that time, or ended.
    pub fn greeted(&mut self, within: Duration) -> Option<SocketAddr> {
        self.address.recv_timeout(within).ok()
    }

    /// Waits until it is ready.
    ///
    /// # Panics
    /// Where it does not become ready.
    #[must_use]
    pub fn ready(mut self) -> Server {
        let Some(address) = self.greeted(crate::PATIENCE) else {
            let status = self.child.try_wait();
            panic!("the desk did not open ({status:?}):\n{}", self.output());
        };
        self.ready_at(address).unwrap_or_else(|(process, seen)| panic!("the desk is not ready: {seen}\n{}", process.output()))
    }

    /// As [`Process::ready`], but gives the process back where it ends before it is ready.
    ///
    /// # Errors
    /// The process, and what was seen last.
    ///
    /// # Panics
    /// Where it neither ends nor becomes ready.
    pub fn ready_or_gone(mut self) -> Result<Server, Box<(Self, String)>> {
        let address = until("a desk that opens or ends", || match self.greeted(Duration::from_millis(1)) {
            Some(address) => Ok(Some(address)),
            None if self.child.try_wait().unwrap().is_some() => Ok(None),
            None => Err("neither".to_owned()),
        });
        match address {
            Some(address) => self.ready_at(address).map_err(Box::new),
            None => Err(Box::new((self, "it ended before it listened".to_owned()))),
        }
    }

    fn ready_at(mut self, address: SocketAddr) -> Result<Server, (Self, String)> {
        let mut last = String::new();
        let ready = until("a ready desk", || {
            match ready(address) {
                Ok(()) => return Ok(true),
                Err(seen) => last = seen,
            }
            match self.child.try_wait().unwrap() {
                Some(status) => {
                    last = format!("it ended: {status}");
                    Ok(false)
                }
                None => Err(last.clone()),
            }
        });
        if !ready {
            return Err((self, last));
        }
        // Other desks have keys that only their founders know.
        let key = std::fs::read_to_string(self.dir.join("demo-api-key")).unwrap_or_default().trim().to_owned();
        Ok(Server { process: self, address, key })
    }

    /// Everything that it said.
    #[must_use]
    pub fn output(&self) -> String {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its process id; that of the tracer where it runs under one.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it, at once, and waits until it is gone.
    ///
    /// # Panics
    /// Where the system refuses.
    pub fn kill(mut self) -> ExitStatus {
        self.child.kill().unwrap();
        self.child.wait().unwrap()
    }

    /// Whether it has ended.
    ///
    /// # Panics
    /// Where the system refuses.
    pub fn ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Asks it to stop (SIGTERM), with the process that it traces if it is a tracer, and waits until it is gone.
    ///
    /// # Panics
    /// Where it does not go.
    pub fn terminate(self) {
        let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.id())).unwrap_or_default();
        let pids = children.split_whitespace().filter_map(|pid| pid.parse().ok()).chain(i32::try_from(self.id()).ok());
        for pid in pids.take(1) {
            let pid = rustix::process::Pid::from_raw(pid).unwrap();
            let _gone = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ended = self.wait();
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// Where it does not.
    pub fn wait(mut self) -> (ExitStatus, String) {
        let status = until("the end of the process", || self.child.try_wait().unwrap().ok_or_else(|| "it runs".to_owned()));
        // Its last words may still be on their way through the pipe.
        let _all = self.heard.recv_timeout(std::time::Duration::from_secs(10));
        (status, self.output())
    }
}

fn keep(output: &Mutex<String>, line: &str) {
    let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
    if output.len() < MAX_OUTPUT {
        output.push_str(line);
        output.push('\n');
    }
}

fn ready(address: SocketAddr) -> Result<(), String> {
    let mut connection = Connection::open(address).map_err(|error| error.to_string())?;
    connection.send(&request("GET", "/api/v1/health/ready", &[], None)).map_err(|error| error.to_string())?;
    let reply = connection.answer().map_err(|error| error.to_string())?;
    if reply.status == 200 { Ok(()) } else { Err(reply.text()) }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A test that failed leaves no process behind.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A desk that serves.
#[derive(Debug)]
pub struct Server {
    process: Process,
    address: SocketAddr,
    key: String,
}

impl Server {
    /// Starts a desk on this folder and waits until it is ready.
    #[must_use]
    pub fn start(dir: &Path, launch: &Launch) -> Self {
        Process::start(dir, launch).ready()
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its API key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Its process.
    #[must_use]
    pub const fn process(&self) -> &Process {
        &self.process
    }

    /// The process, to wait for its end.
    #[must_use]
    pub fn into_process(self) -> Process {
        self.process
    }

    /// A client with its key.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(self.address, &self.key)
    }

    /// Whether it says that it is ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        ready(self.address).is_ok()
    }

    /// `kill -9`.
    ///
    /// # Panics
    /// Where it had ended before.
    pub fn kill(self) {
        let output = self.process.output.clone();
        let status = self.process.kill();
        let output = output.lock().unwrap_or_else(PoisonError::into_inner).clone();
        assert_eq!(status.signal(), Some(SIGKILL), "the desk had ended by itself: {status}\n{output}");
    }

    /// Asks it to stop (SIGTERM) and waits until it has, which must be in good order. Answers what it said.
    ///
    /// # Panics
    /// Where it does not stop, or not with exit code 0.
    pub fn stop(self) -> String {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.process.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let (status, output) = self.process.wait();
        assert!(status.success(), "{status}\n{output}");
        output
    }
}

/// Runs the program with these words; answers how it ended and what it said.
///
/// # Panics
/// Where it cannot be run.
#[must_use]
pub fn run(words: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command.args(words).env_remove("OMS_CONFIG").env_remove("OMS_API_KEY").env_remove("OMS_URL").stdin(Stdio::null());
    command.output().unwrap()
}

/// Runs the program, which must succeed; answers what it printed.
///
/// # Panics
/// Where it fails.
#[must_use]
pub fn succeed(words: &[&str]) -> String {
    let output = run(words);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "oms {words:?}: {}\n{out}\n{err}", output.status);
    out.into_owned()
}
