//! People who sign in with a password, made from the console of the machine.

use crate::server::{Home, binary, succeed};
use serde_json::Value;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// The password of everybody.
pub const PASSWORD: &str = "a long tail of red herrings";

/// `oms admin` with these words on this folder; what it answers.
///
/// # Panics
/// Where it fails.
pub fn admin(home: &Home, words: &[&str]) -> Value {
    let words = [&["admin"], words, &["--json", "--data", home.path().to_str().unwrap()]].concat();
    serde_json::from_str(&succeed(&words)).unwrap()
}

/// A new administrator of the desk's tenant.
///
/// # Panics
/// Where the desk refuses.
pub fn administrator(home: &Home, email: &str) {
    let mut child = Command::new(binary())
        .args(["admin", "user", "create", email, "--name", "Ada", "--json", "--data", home.path().to_str().unwrap()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes()).unwrap();
    let made = child.wait_with_output().unwrap();
    assert!(made.status.success());
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let tenant = admin(home, &["tenant", "list"])[0]["tenant_id"].as_str().unwrap().to_owned();
    admin(home, &["user", "member", made[0]["user_id"].as_str().unwrap(), &tenant, "ADMIN"]);
}
