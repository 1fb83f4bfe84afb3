//! The interface from its own description: schemathesis (`PyPI`) makes requests of every operation, valid and not, alone and
//! one after another, and holds each answer to the document. `make schemathesis` runs more of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use oms_e2e::people::{PASSWORD, administrator};
use oms_e2e::server::{Home, Launch, Server, succeed};
use oms_e2e::{audit, setting};
use serde_json::Value;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PACKAGE: &str = "schemathesis==4.32.5";
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemathesis");
const EMAIL: &str = "fuzz@example.com";

/// The program: the one that `OMS_SCHEMATHESIS` names, or one that the test installs for itself.
fn program() -> PathBuf {
    if let Some(program) = std::env::var_os("OMS_SCHEMATHESIS") {
        return program.into();
    }
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schemathesis-venv");
    let program = home.join("bin/st");
    let version = format!("version {}", PACKAGE.rsplit('=').next().unwrap_or_default());
    let has = |program: &Path| {
        let said = Command::new(program).arg("--version").stderr(Stdio::null()).output();
        said.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).contains(&version))
    };
    if !has(&program) {
        let made = Command::new("python3").args(["-m", "venv"]).arg(&home).status().unwrap();
        assert!(made.success(), "python3 -m venv; or let OMS_SCHEMATHESIS name the program of {PACKAGE}");
        let got = Command::new(home.join("bin/python")).args(["-m", "pip", "install", "--quiet", PACKAGE]).status().unwrap();
        assert!(got.success(), "pip install {PACKAGE}; or let OMS_SCHEMATHESIS name the program of {PACKAGE}");
    }
    program
}

/// How it asks.
struct Asks<'a> {
    name: &'a str,
    config: &'a str,
    words: &'a [&'a str],
    examples: u64,
}

/// Has it ask a desk; answers how many cases there were. It fails where one check of one case fails.
fn ask(home: &Home, server: &Server, asks: &Asks<'_>) -> u64 {
    let report = home.path().join(format!("{}.json", asks.name));
    let log = home.path().join(format!("{}.txt", asks.name));
    let said = File::create(&log).unwrap();
    let mut command = Command::new(program());
    command.args(["--config-file", asks.config, "run"]).arg(format!("http://{}/api/v1/openapi.json", server.address()));
    command.args(["--seed", &setting("OMS_SEED", 1).to_string(), "--max-examples", &asks.examples.to_string()]);
    command.args(["--report", "json", "--report-json-path"]).arg(&report).args(asks.words);
    command.env("OMS_EMAIL", EMAIL).env("OMS_PASSWORD", PASSWORD);
    let ended = command.current_dir(FOLDER).stdout(said.try_clone().unwrap()).stderr(said).status().unwrap();
    let words = || std::fs::read_to_string(&log).unwrap_or_default();
    let report: Value = serde_json::from_slice(&std::fs::read(&report).unwrap_or_else(|error| panic!("{error}\n{}", words()))).unwrap();
    let clean = ended.success() && report["complete"] == true && report["failures"] == Value::Array(Vec::new());
    assert!(clean && report["errors"] == Value::Array(Vec::new()), "{}: {ended}\n{}", asks.name, words());
    let cases = report["test_cases"]["generated"].as_u64().unwrap();
    println!("{}: {cases} cases", asks.name);
    cases
}

#[test]
fn every_operation_keeps_to_its_description_whoever_asks() {
    let home = Home::new("schemathesis");
    // Budgets that nobody runs into here: they have tests of their own.
    let much = ["READS_PER_S", "WRITES_PER_S", "CANCELS_PER_S", "SIGN_INS_PER_MIN"].map(|name| format!("OMS_API_{name}"));
    let launch = much.iter().fold(Launch::default().with("OMS_LOG_FILTER", "warn"), |launch, name| launch.with(name, "1000000"));
    Server::start(home.path(), &launch).stop();
    administrator(&home, EMAIL);
    let server = Server::start(home.path(), &launch);
    let examples = setting("OMS_SCHEMATHESIS_EXAMPLES", 4);
    let key = format!("X-API-Key: {}", server.key());
    let with_key = Asks { name: "with a key", config: "schemathesis.toml", words: &["-H", &key], examples };
    let cases = ask(&home, &server, &with_key);
    assert!(cases >= 20_000, "only {cases} cases");
    let own = ["--include-tag", "auth", "--include-tag", "tenants"];
    ask(&home, &server, &Asks { name: "signed in", config: "signed-in.toml", words: &own, examples: 2 * examples });
    let few = ["--phases", "examples,fuzzing,stateful"];
    ask(&home, &server, &Asks { name: "without a credential", config: "schemathesis.toml", words: &few, examples });
    // Nothing of it hurt the desk: it is ready, its log is whole, and a replay comes to the same state.
    assert!(server.is_ready(), "{}", server.process().output());
    assert_eq!(server.client().get("/version").status, 200);
    let said = server.stop();
    assert!(!said.contains("panicked"), "{said}");
    let verified = succeed(&["journal", "verify", "--data", home.path().to_str().unwrap()]);
    assert!(verified.contains("intact"), "{verified}");
    audit::replay_agrees(home.path());
}
