//! The project's own session scenarios, for every number of the official list of FIX session test
//! cases, against the echo acceptor and an initiator.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "../examples/acceptance/engine.rs"]
mod engine;
#[path = "../examples/acceptance/runner.rs"]
mod runner;
#[path = "../examples/acceptance/script.rs"]
mod script;
#[path = "../examples/echo/server.rs"]
mod server;
#[path = "../examples/acceptance/suite.rs"]
mod suite;

use std::path::PathBuf;

fn scenarios() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fix/scenarios"))
}

#[test]
fn every_scenario_passes() {
    let results = suite::run(&[scenarios()], None).unwrap();
    let failed: Vec<String> =
        results.iter().filter_map(|(path, result)| result.as_ref().err().map(|why| format!("{}: {why}", path.display()))).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(100 <= results.len());
}

#[test]
fn there_is_a_scenario_for_every_number() {
    let names: Vec<String> =
        std::fs::read_dir(scenarios()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let numbers = ["01B", "01S"].map(str::to_owned).into_iter().chain((2..=20).map(|number| format!("{number:02}")));
    for number in numbers {
        assert!(names.iter().any(|name| name.starts_with(&format!("{number}_"))), "{number}");
    }
}

#[test]
fn a_script_that_expects_something_else_fails() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("wrong-{}.def", std::process::id()));
    let logon = "iCONNECT\nI8=FIX.4.4|35=A|34=1|49=TW44|52=<TIME>|56=ISLD|98=0|108=30|\n";
    for (answer, why) in [
        ("E8=FIX.4.4|35=A|34=1|49=ISLD|52=0|56=TW44|98=0|108=31|\n", "108=31"),
        ("E8=FIX.4.4|35=A|34=1|52=0|49=ISLD|56=TW44|98=0|108=30|\n", "field 5"),
        ("E8=FIX.4.4|35=A|34=1|49=ISLD|52=0|56=TW44|98=0|\n", "field 9"),
        ("E8=FIX.4.4|9=99|35=A|34=1|49=ISLD|52=0|56=TW44|98=0|108=30|\n", "9=99"),
        ("eDISCONNECT\n", "expected the end"),
        ("nonsense\n", "line 3"),
    ] {
        std::fs::write(&path, format!("{logon}{answer}")).unwrap();
        let results = suite::run(std::slice::from_ref(&path), None).unwrap();
        let told = results[0].1.as_ref().unwrap_err();
        assert!(told.contains(why), "{told}");
    }
    std::fs::remove_file(&path).unwrap();
}
