//! The audit of the real desk: signed, exported, proven, and found out by a verifier that is built alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use oms_e2e::server::{Home, Launch, Server, run};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The verifier, built alone: what it is made of is its own crate, the audit's, and nothing else of the workspace.
fn verifier() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(path) = std::env::var_os("OMS_VERIFY_BIN") {
            return PathBuf::from(path);
        }
        let test = std::env::current_exe().unwrap();
        let target = test.ancestors().nth(3).expect("target/<profile>/deps/<test>").to_owned();
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["build", "--release", "--package", "oms-verify", "--target-dir"]).arg(&target);
        assert!(command.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success(), "the verifier cannot be built");
        target.join("release").join("oms-verify")
    })
}

fn verify(arguments: &[&Path]) -> Output {
    Command::new(verifier()).args(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A desk's own verification of its log.
fn own(home: &Path) -> (bool, Value) {
    let output = run(&["audit", "verify", "--json", "--data", home.to_str().unwrap()]);
    (output.status.success(), serde_json::from_slice(&output.stdout).unwrap())
}

/// Places orders and answers the id of the last.
fn trade(server: &Server, orders: u32) -> String {
    let mut id = String::new();
    for n in 0..orders {
        let order = json!({"symbol": "IBM", "side": "BUY", "ord_type": "MARKET", "order_qty": (10 + n).to_string()});
        let placed = server.client().post("/orders", &[], &order);
        // One that is refused is recorded too.
        let document = placed.json();
        let named = [&document["order_id"], &document["details"]["order_id"]];
        id = named.iter().find_map(|id| id.as_str()).unwrap_or_else(|| panic!("{}", placed.text())).to_owned();
    }
    id
}

#[test]
fn a_desk_is_verified_by_whoever_has_its_export_and_its_key() {
    let home = Home::new("audit");
    let data = home.path().to_str().unwrap().to_owned();
    let file = |name: &str| home.path().join(name);
    let mut server = Server::start(home.path(), &Launch::default().with("OMS_AUDIT_INTERVAL_S", "1"));
    let order = trade(&server, 20);

    // Over the interface: an export and a proof against a checkpoint of now.
    for (path, name) in [("/audit/export".to_owned(), "served.export"), (format!("/audit/proof/{order}"), "served.proof")] {
        let answer = server.client().get(&path);
        assert_eq!(answer.status, 200, "{}", answer.text());
        std::fs::write(file(name), &answer.body).unwrap();
        let output = verify(&[&file(name), Path::new("--key"), &file("audit/key.pub")]);
        assert!(output.status.success(), "{name}: {}", text(&output));
        assert!(text(&output).contains("intact: every record is what was signed"), "{}", text(&output));
    }
    let report = server.client().get("/audit/verify").json();
    assert_eq!((&report["intact"], &report["findings"]), (&Value::from(true), &Value::from(Vec::<Value>::new())));
    let listed = server.client().get("/audit/checkpoints").json();
    let first = listed["data"][0]["note"].as_str().unwrap().to_owned();
    std::fs::write(file("first.note"), &first).unwrap();

    // Killed at once, and again: what was signed stays, and one root is signed for a size.
    for _ in 0..3 {
        server.kill();
        let (intact, report) = own(home.path());
        assert!(intact, "{report}");
        server = Server::start(home.path(), &Launch::default().with("OMS_AUDIT_INTERVAL_S", "1"));
        trade(&server, 5);
        assert_eq!(server.client().get(&format!("/audit/proof/{order}")).status, 200, "which signs what is durable");
        assert_eq!(server.client().get("/audit/verify").json()["intact"], true);
    }
    server.stop();
    let (intact, report) = own(home.path());
    assert!(intact && report["unsigned_events"] == 0, "a stop in good order signs everything: {report}");
    let sizes: Vec<u64> = sizes(&file("audit/checkpoints"));
    assert!(sizes.windows(2).all(|pair| pair[0] < pair[1]) && sizes.len() >= 4, "{sizes:?}");

    // Offline: an export and a proof, verified without the desk and against a checkpoint of long ago.
    let (export, proof) = (file("desk.export"), file("desk.proof"));
    let exported = run(&["audit", "export", "--out", export.to_str().unwrap(), "--data", &data]);
    assert!(exported.status.success(), "{}", text(&exported));
    let proven = run(&["audit", "proof", &order, "--out", proof.to_str().unwrap(), "--data", &data]);
    assert!(proven.status.success(), "{}", text(&proven));
    let known = [Path::new("--key"), &file("audit/key.pub"), Path::new("--checkpoint"), &file("first.note")];
    let output = verify(&[&[export.as_path()], &known[..]].concat());
    assert!(output.status.success(), "{}", text(&output));
    let bodies = file("bodies");
    let output = verify(&[&proof, Path::new("--bodies"), &bodies]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(std::fs::read_dir(&bodies).unwrap().count() > 1);

    // Any byte of the export: it is seen, and told where.
    let good = std::fs::read(&export).unwrap();
    let bad = file("bad.export");
    for at in (0..good.len()).step_by(good.len() / 150) {
        let mut changed = good.clone();
        changed[at] ^= 0x20;
        std::fs::write(&bad, &changed).unwrap();
        let output = verify(&[&bad, Path::new("--key"), &file("audit/key.pub")]);
        assert_eq!(output.status.code(), Some(1), "byte {at}: {}", text(&output));
        assert!(text(&output).contains("NOT INTACT: "), "byte {at}: {}", text(&output));
    }
    std::fs::write(&bad, &good[..good.len() / 2]).unwrap();
    assert!(text(&verify(&[&bad])).contains("records are missing"));
}

/// Of the checkpoints in a file, as their third line of text says.
fn sizes(path: &Path) -> Vec<u64> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let begins = lines.iter().enumerate().filter(|(_, line)| line.starts_with("note "));
    begins.map(|(at, _)| lines[at + 2].parse().unwrap()).collect()
}

#[test]
fn the_verifier_is_made_of_its_own_crate_and_the_audits_alone() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let words = ["tree", "--package", "oms-verify", "--edges", "normal", "--prefix", "none"];
    let output = Command::new(cargo).args(words).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success());
    let ours: Vec<String> = text(&output)
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| name.starts_with("oms-"))
        .map(str::to_owned)
        .collect();
    assert_eq!(ours, ["oms-verify", "oms-audit"]);
}
