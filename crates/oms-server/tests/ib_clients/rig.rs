//! The simulator as a process on a market of its own, and the environments of Python clients.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use oms_model::Symbol;
use oms_venues::synthetic::{SyntheticBook, slice};

/// Seconds of the market, which repeats.
const SECONDS: u32 = 600;

/// A simulator with a folder that goes with it.
pub struct Simulator {
    child: Child,
    client: SocketAddr,
    admin: SocketAddr,
    folder: PathBuf,
    scenario: Vec<String>,
}

impl Simulator {
    /// One IBM on one exchange, fifty shares shown on each side, ten seconds of it in one.
    pub fn start(name: &str, scenario: &[&str]) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sim-ib-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let book = SyntheticBook {
            symbol: Symbol::new("IBM").unwrap(),
            venue: *b"XNYS",
            mid_e4: 1_840_000,
            tick_e4: 100,
            half_spread: 1,
            size: 50,
        };
        let market = slice(&[book], 7, 1_381_238_400_000_000_000, SECONDS);
        std::fs::write(folder.join("market.slice"), market.encode(3).unwrap()).unwrap();
        std::fs::write(folder.join("scenario"), scenario.join("\n")).unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let scenario = scenario.iter().map(|line| (*line).to_owned()).collect();
        let (child, client, admin) = launch(&folder, any, any);
        Self { child, client, admin, folder, scenario }
    }

    /// Where clients connect.
    #[allow(dead_code, reason = "not every test that has this rig asks")]
    pub fn port(&self) -> u16 {
        self.client.port()
    }

    /// Kills it in the middle of whatever it does, and starts it again on what it left.
    #[allow(dead_code, reason = "not every test that has this rig kills")]
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        assert!(self.scenario.is_empty(), "a scenario would play again");
        (self.child, self.client, self.admin) = launch(&self.folder, self.client, self.admin);
    }

    /// A line to the admin port, and its answer.
    pub fn order(&self, line: &str) -> String {
        let mut stream = TcpStream::connect(self.admin).unwrap();
        writeln!(stream, "{line}").unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // A process that has ended already needs no end.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

fn launch(folder: &Path, client: SocketAddr, admin: SocketAddr) -> (Child, SocketAddr, SocketAddr) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_oms"))
        .args(["sim", "ib", "--speed", "10x", "--seed", "7", "--listen", &client.to_string(), "--admin", &admin.to_string()])
        .arg("--data")
        .arg(folder.join("data"))
        .arg("--market")
        .arg(folder.join("market.slice"))
        .arg("--scenario")
        .arg(folder.join("scenario"))
        .env("OMS_LOG_FILTER", "warn")
        .stdout(Stdio::piped())
        .spawn()
        .expect("oms starts");
    let (mut found, mut lines) = ([None, None], BufReader::new(child.stdout.take().unwrap()).lines());
    while found.iter().any(Option::is_none) {
        let line = lines.next().expect("it says where it listens").unwrap();
        for (place, word) in found.iter_mut().zip(["clients ", "admin "]) {
            if let Some(address) = line.strip_prefix(word) {
                *place = Some(address.trim().parse().unwrap());
            }
        }
    }
    let [client, admin] = found.map(Option::unwrap);
    (child, client, admin)
}

/// The interpreter of an environment that has one client, made where there is none yet.
#[allow(dead_code, reason = "not every test that has this rig speaks Python")]
pub fn python(client: &str) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let wanted = format!("{}/tests/ib_clients/requirements-{client}.txt", env!("CARGO_MANIFEST_DIR"));
    let requirements = std::fs::read_to_string(&wanted).unwrap();
    // Beside what is built, where it outlives the test.
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).ancestors().nth(1).unwrap().join("tools").join(client);
    let (python, mark) = (home.join("bin/python"), home.join("installed.txt"));
    if std::fs::read_to_string(&mark).is_ok_and(|installed| installed == requirements) {
        return python;
    }
    let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home).status().expect("python3 with venv is needed");
    assert!(made.success(), "no environment for {client}");
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", wanted.as_str()];
    let installed = Command::new(&python).args(pip).status().unwrap();
    assert!(installed.success(), "{client} cannot be installed");
    std::fs::write(mark, requirements).unwrap();
    python
}
