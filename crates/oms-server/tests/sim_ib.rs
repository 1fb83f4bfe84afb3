//! `oms sim ib` as a process, and clients of other people's making that were not changed for it: `ib_async` and
//! `ib_insync` from PyPI speak the text dialect. Each is installed once, beside what is built.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "ib_clients/rig.rs"]
mod rig;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use rig::{Simulator, python};

/// A whole day with a client; what its decoder cannot read fails it.
fn day_with(client: &str) {
    let mut simulator = Simulator::start(client, &[]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ib_clients/desk.py");
    let mut child = Command::new(python(client))
        .args(["-u", script, client, &simulator.port().to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python starts");
    let (mut stdin, mut said) = (child.stdin.take().unwrap(), Vec::new());
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if line == "KILL" {
            all_understood(&simulator);
            simulator.kill();
            writeln!(stdin, "BACK").unwrap();
        }
        said.push(line);
    }
    let status = child.wait().unwrap();
    assert!(status.success() && said.last().is_some_and(|line| line == "PASSED"), "{status}: {said:?}");
    all_understood(&simulator);
}

/// Nothing that the client sent was beyond the simulator.
fn all_understood(simulator: &Simulator) {
    let status = simulator.order("status");
    assert!(status.contains(" not understood 0 "), "{status}");
}

#[test]
fn a_day_with_ib_async_in_text_178() {
    day_with("ib_async");
}

#[test]
fn a_day_with_ib_insync_in_text_176() {
    day_with("ib_insync");
}

#[test]
fn the_admin_port_answers_each_line_and_a_scenario_plays_by_itself() {
    let simulator = Simulator::start("admin", &["0 perm-zero on", "0 linger 500"]);
    let status = simulator.order("status");
    assert!(status.starts_with("ok clients none orders 0 working 0 executions 0 next id 1"), "{status}");
    assert!(status.contains("perm_zero: true") && status.contains("linger: 500000000"), "{status}");
    assert!(simulator.order("no such thing").starts_with("error \"no such thing\" is no command"));
    assert_eq!(simulator.order("correct 5"), "error nothing was executed");
    assert!(simulator.order("manual BUY 10 IBM 150").starts_with("ok order 19"));
    assert_eq!(simulator.order("manual BUY 10 NOSUCH 150"), "error no such symbol");
    assert!(simulator.order("status").contains("orders 1 working 1"));
}
