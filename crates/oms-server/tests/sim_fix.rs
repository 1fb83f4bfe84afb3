//! `oms sim fix` as a process: faults switched while it runs, and `kill -9` in the middle of orders.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "../../oms-fix/tests/desk/client.rs"]
mod client;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use client::{Client, NOW};
use oms_fix::session::Phase;
use serde_json::{Value, json};

struct Sim {
    child: Child,
    address: String,
    admin: String,
    data: Home,
}

/// A folder that goes with the test.
struct Home(PathBuf);

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn free() -> String {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().to_string()
}

fn launch(data: &Path, address: &str, admin: &str) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_oms"))
        .args(["sim", "fix", "--client", "C1", "--listen", address, "--admin", admin, "--data"])
        .arg(data)
        .env("OMS_LOG_FILTER", "warn")
        .stdout(Stdio::piped())
        .spawn()
        .expect("oms starts");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("market    recorded")), "it does not open");
    child
}

impl Sim {
    fn start(name: &str) -> Self {
        let data = Home(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sim-{name}-{}", std::process::id())));
        let (address, admin) = (free(), free());
        Self { child: launch(&data.0, &address, &admin), address, admin, data }
    }

    /// `kill -9`, and a new process on what it left.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = launch(&self.data.0, &self.address, &self.admin);
    }

    fn put(&self, path: &str, body: &Value) -> (u16, Value) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
        let mut answer = agent.put(format!("http://{}{path}", self.admin)).send_json(body).unwrap();
        (answer.status().as_u16(), answer.body_mut().read_json().unwrap())
    }

    fn venue(&self, mic: &str) -> Value {
        let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
        agent.get(format!("http://{}/venues/{mic}", self.admin)).call().unwrap().body_mut().read_json().unwrap()
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An order far from the market: it rests.
fn resting(id: &str) -> [(i32, &str); 7] {
    [(11, id), (38, "100"), (40, "2"), (44, "1.00"), (54, "1"), (55, "BAC"), (60, NOW)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_are_switched_while_it_runs() {
    let sim = Sim::start("faults");
    let mut client = Client::connect("C1", "XNAS", &sim.address).await;
    client.send("D", &resting("A1")).await;
    client.report("0", "0").await;
    let (status, shown) = sim.put("/venues/XNAS/faults", &json!({"reject_ppm": 1_000_000}));
    assert_eq!((status, &shown[0]["faults"]["reject_ppm"], &shown[0]["working"]), (200, &json!(1_000_000), &json!(1)), "{shown}");
    client.send("D", &resting("A2")).await;
    client.report("8", "8").await;
    // What is wrong is refused by name, and changes nothing.
    for (path, body, status, what) in [
        ("/venues/XNAS/faults", json!({"lost_ppm": 1_000_001}), 400, "lost_ppm"),
        ("/venues/XNAS/faults", json!({"late_ppm": 1, "nothing": 1}), 400, "nothing"),
        ("/venues/XXXX/faults", json!({}), 404, "XXXX"),
    ] {
        let (found, answer) = sim.put(path, &body);
        assert!(found == status && answer["message"].as_str().unwrap().contains(what), "{answer}");
    }
    assert_eq!(sim.venue("XNAS")["faults"]["late_ppm"], 0);
    assert_eq!(sim.put("/faults", &json!({"reject_ppm": 0, "link": "DOWN"})).0, 200);
    client.phase(Phase::Down).await;
    assert_eq!(sim.put("/venues/XNAS/faults", &json!({"link": "UP"})).0, 200);
    client.send_when_up("D", &resting("A3")).await;
    client.report("0", "0").await;
    assert_eq!(sim.venue("BATS")["open"], false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_it_loses_and_doubles_nothing() {
    const ROUNDS: u32 = 6;
    const ORDERS: u32 = 60;
    let mut sim = Sim::start("kill");
    let mut client = Client::connect("C1", "XNAS", &sim.address).await;
    let mut names = Vec::new();
    for round in 0..ROUNDS {
        for at in 0..ORDERS {
            let id = format!("K{round}-{at}");
            client.send_when_up("D", &resting(&id)).await;
            names.push(id);
            // Each time at another place.
            if at == 7 + round * 9 {
                sim.kill();
            }
        }
    }
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    while told.len() < names.len() {
        let report = client.next().await;
        assert_eq!(report.get(35), "8", "{report:?}");
        told.entry(report.get(11).to_owned()).or_default().push(report.get(150).to_owned());
    }
    for name in &names {
        let said = &told[name];
        assert!(*said == ["0"] || *said == ["8"], "{name}: {said:?}");
    }
    let working = told.values().filter(|said| **said == ["0"]).count();
    client.send("AF", &[(584, "M1"), (585, "7")]).await;
    let mut found = Vec::new();
    loop {
        let report = client.report("I", "0").await;
        assert_eq!(report.get(911), working.to_string());
        found.push(report.get(11).to_owned());
        if report.get(912) == "Y" {
            break;
        }
    }
    found.sort();
    found.dedup();
    assert_eq!(found.len(), working);
    assert!(found.iter().all(|name| told[name] == ["0"]));
    let shown = sim.venue("XNAS");
    assert_eq!((&shown["duplicates_seen"], &shown["again"]), (&json!(0), &json!(0)), "{shown}");
    // What is refused was under way at a kill.
    let last = names.iter().filter(|name| name.starts_with("K5-")).skip(8 + 5 * 9);
    assert!(last.inspect(|name| assert_eq!(told[*name], ["0"], "{name}")).count() > 0);
}
