//! `oms admin` while the desk runs and while it does not, and the secrets of accounts under one master key and another.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use oms_e2e::http::{Connection, Reply, request};
use oms_e2e::people::{PASSWORD, admin, administrator};
use oms_e2e::server::{Home, Launch, Server, run, succeed};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

fn ask(server: &Server, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Reply {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
    let mut connection = Connection::open(server.address()).unwrap();
    let body = body.map(Value::to_string);
    connection.send(&request(method, &format!("/api/v1{path}"), &headers, body.as_deref().map(str::as_bytes))).unwrap();
    connection.answer().unwrap()
}

fn signed_in(server: &Server, email: &str) -> String {
    let reply = ask(server, "POST", "/auth/login", None, Some(&json!({"email": email, "password": PASSWORD})));
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn the_console_reaches_a_desk_that_runs_and_the_log_of_one_that_does_not() {
    let home = Home::new("console");
    let server = Server::start(home.path(), &Launch::default());
    let socket = home.path().join("control/admin.sock");
    assert_eq!(socket.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    administrator(&home, "ada@example.com");
    let token = signed_in(&server, "ada@example.com");
    let key = ask(&server, "POST", "/auth/api-keys", Some(&token), Some(&json!({"name": "bot", "scopes": ["orders:view"]})));
    let (id, secret) = (key.json()["api_key_id"].clone(), key.json()["api_key"].as_str().unwrap().to_owned());
    assert_eq!(ask(&server, "GET", "/orders", Some(&secret), None).status, 200);
    assert_eq!(admin(&home, &["key", "list"])[0]["api_key_id"], id);
    admin(&home, &["key", "revoke", id.as_str().unwrap()]);
    assert_eq!(ask(&server, "GET", "/orders", Some(&secret), None).status, 401, "at once");
    let unknown = run(&["admin", "key", "revoke", "nonsense", "--data", home.path().to_str().unwrap()]);
    assert_eq!(unknown.status.code(), Some(2), "what the desk refuses is refused as it is without one");
    admin(&home, &["key", "rotate-signing", "--retire"]);
    assert_eq!(ask(&server, "GET", "/auth/profile", Some(&token), None).status, 401, "its key is retired");
    // A desk that was killed leaves its socket behind, which is nobody's.
    server.kill();
    assert!(socket.exists());
    administrator(&home, "bea@example.com");
    let server = Server::start(home.path(), &Launch::default());
    assert_eq!(admin(&home, &["user", "list"]).as_array().unwrap().len(), 2);
    signed_in(&server, "bea@example.com");
    server.stop();
}

/// Every byte of the files below a folder.
fn bytes_below(folder: &Path) -> Vec<u8> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| match path.is_dir() {
        true => bytes_below(&path),
        false => std::fs::read(&path).unwrap_or_default(),
    };
    entries.flat_map(read).collect()
}

#[test]
fn somebody_is_erased_and_every_log_is_intact() {
    let home = Home::new("erase");
    let data = home.path().to_str().unwrap();
    let server = Server::start(home.path(), &Launch::default());
    administrator(&home, "ada@example.com");
    administrator(&home, "grace.hopper@example.com");
    let token = signed_in(&server, "grace.hopper@example.com");
    let users = admin(&home, &["user", "list"]);
    let grace = users.as_array().unwrap().iter().find(|user| user["email"] == "grace.hopper@example.com").unwrap();
    admin(&home, &["user", "erase", grace["user_id"].as_str().unwrap()]);
    assert_eq!(ask(&server, "GET", "/auth/profile", Some(&token), None).status, 401, "at once");
    let erased = |home: &Home| admin(home, &["user", "list"]).as_array().unwrap().iter().filter(|user| user["name"] == "erased").count();
    assert_eq!(erased(&home), 1);
    server.kill();
    assert_eq!(erased(&home), 1, "without a desk that runs");
    let server = Server::start(home.path(), &Launch::default());
    assert_eq!(erased(&home), 1);
    signed_in(&server, "ada@example.com");
    server.stop();
    let control = home.path().join("control");
    for folder in [data, control.to_str().unwrap()] {
        let verified = succeed(&["journal", "verify", "--data", folder]);
        assert!(verified.contains("intact"), "{verified}");
    }
    let verified = succeed(&["audit", "verify", "--data", data]);
    assert!(verified.contains("intact"), "{verified}");
    for text in ["grace.hopper", "ada@example.com"] {
        assert!(!bytes_below(&control).windows(text.len()).any(|bytes| bytes == text.as_bytes()), "{text}");
    }
}

#[test]
fn secrets_of_accounts_go_on_under_a_master_key_that_is_named_later() {
    let home = Home::new("master");
    let server = Server::start(home.path(), &Launch::default());
    administrator(&home, "ada@example.com");
    let token = signed_in(&server, "ada@example.com");
    server.stop();
    let own = home.path().join("control/master.key");
    assert!(own.exists());
    let line = succeed(&["admin", "master-key"]);
    let file = home.path().join("named");
    std::fs::write(&file, line).unwrap();
    let named = Launch::default().with("OMS_VAULT_MASTER_KEY", &format!("file:{}", file.display()));
    for _ in 0..2 {
        let server = Server::start(home.path(), &named);
        assert_eq!(ask(&server, "GET", "/auth/profile", Some(&token), None).status, 200, "the key that signed it is still there");
        signed_in(&server, "ada@example.com");
        server.stop();
        assert!(!own.exists());
    }
    let without = run(&["admin", "user", "list", "--data", home.path().to_str().unwrap()]);
    assert_eq!(without.status.code(), Some(2), "without the master key nothing opens: {}", String::from_utf8_lossy(&without.stderr));
}
