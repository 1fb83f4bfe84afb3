//! Secrets that were planted wherever a desk is given one. None may come out again: in no line that it logs, at the most
//! talkative level, in no answer, event, figure or file. And what people and clients wrote of their own: it is in the desk's
//! data, and in no line of the log of the process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use oms_e2e::fix::free_address;
use oms_e2e::grpc::v1::GetRiskStatusRequest;
use oms_e2e::grpc::{self, Client};
use oms_e2e::http::Connection;
use oms_e2e::server::{Home, Launch, Server, run};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use tonic::Code;
use tonic::transport::Channel;

/// Well formed as a key of the interface, with its checksum, and nobody's.
const STRANGERS_KEY: &str = "oms_test_CanaryCanaryCanaryCanaryCanar";

/// What was planted, and what it stands for.
const CANARIES: [(&str, &str); 20] = [
    ("a wrong API key", STRANGERS_KEY),
    ("a malformed API key", "canary-02-malformed-key"),
    ("a bearer token", "eyJhbGciOiJFZERTQSJ9.Y2FuYXJ5LTAz.c2lnbmF0dXJl"),
    ("basic credentials", "Y2FuYXJ5LTA0OnBhc3N3b3Jk"),
    ("a session cookie", "canary-05-session"),
    ("a secret in a parameter", "canary-06-parameter"),
    ("the password of a FIX session", "canary-07-fix-password"),
    ("a wrong password in a FIX Logon", "canary-08-wrong-password"),
    ("a new password in a FIX Logon", "canary-09-new-password"),
    ("a TOTP secret in a field that is not known", "KNQW4YLSPEWTCMBNORXXI4A"),
    ("a password in the body of a login", "canary-11-login-password"),
    ("a secret in a body that is no JSON", "canary-12-no-json"),
    ("a key over the WebSocket", "oms_test_canary13canary13canary13canary"),
    ("proxy credentials", "canary-14-proxy"),
    ("the token of the transit engine", "s.canary-15-transit"),
    ("the older master key", "Y2FuYXJ5LTE2LW1hc3Rlci1rZXktb2YtMzItYnl0ZSE="),
    ("the newer master key", "Y2FuYXJ5LTE3LW1hc3Rlci1rZXktb2YtMzItYnl0ZSE="),
    ("the key of the command line", "canary-18-client-key"),
    ("a secret as a value of the wrong type", "canary-19-wrong-type"),
    ("a key over gRPC", "oms_test_canary20canary20canary20canary"),
];

/// What people and clients wrote, which is no secret of the program's.
const WRITTEN: [(&str, &str); 9] = [
    ("a note of an order", "canary-w1-the-plan-of-a-fund"),
    ("the reason of a kill switch", "canary-w2-somebody-is-ill"),
    ("the reason of its release", "canary-w3-somebody-is-well"),
    ("the reason of a deed at a session of FIX", "canary-w4-a-call-of-theirs"),
    ("Text of an order of FIX", "canary-w5-for-a-customer"),
    ("Text of a Reject of FIX", "canary-w6-not-understood"),
    ("Text of a Logout of FIX", "canary-w7-good-night"),
    ("the e-mail address of a login", "canary-w8@example.com"),
    ("what a client calls itself", "canary-w9-laptop-of-ada"),
];

/// A FIX Logon that begins the numbers anew.
fn logon(fields: &[(&str, &str)]) -> Vec<u8> {
    fix("A", 1, &[&[("98", "0"), ("108", "30"), ("141", "Y")], fields].concat())
}

/// A FIX message of the client, with its length and checksum.
fn fix(msg_type: &str, number: u32, fields: &[(&str, &str)]) -> Vec<u8> {
    let time = Command::new("date").args(["-u", "+%Y%m%d-%H:%M:%S"]).output().unwrap();
    let time = String::from_utf8(time.stdout).unwrap();
    let mut body = format!("35={msg_type}\u{1}49=CLIENT\u{1}56=OMS\u{1}34={number}\u{1}52={}\u{1}", time.trim());
    fields.iter().for_each(|(tag, value)| body.push_str(&format!("{tag}={value}\u{1}")));
    let whole = format!("8=FIX.4.4\u{1}9={}\u{1}{body}", body.len());
    let sum = whole.bytes().fold(0_u8, u8::wrapping_add);
    format!("{whole}10={sum:03}\u{1}").into_bytes()
}

/// Says something over a socket and hears what comes until it ends, or nothing more comes.
fn say(address: &str, bytes: &[u8]) -> Vec<u8> {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(std::time::Duration::from_secs(2))).unwrap();
    socket.write_all(bytes).unwrap();
    let mut heard = Vec::new();
    let _ended = socket.read_to_end(&mut heard);
    heard
}

fn contains(bytes: &[u8], canary: &str) -> bool {
    bytes.windows(canary.len()).any(|window| window == canary.as_bytes())
}

/// Everything that was said and written, with where.
#[derive(Default)]
struct Heard(Vec<(String, Vec<u8>)>);

impl Heard {
    fn add(&mut self, place: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.push((place.into(), bytes.into()));
    }

    fn folder(&mut self, dir: &Path) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.folder(&path);
            } else if path.is_file() && path.file_name().is_some_and(|name| name != "demo-api-key") {
                // A socket is no file: it keeps nothing.
                self.add(path.display().to_string(), std::fs::read(&path).unwrap());
            }
        }
    }

    fn run(&mut self, words: &[&str]) {
        let output = run(words);
        self.add(format!("oms {words:?}"), [output.stdout, output.stderr].concat());
    }
}

/// Requests that carry secrets where the interface looks for them, and where it does not.
fn ask(server: &Server, heard: &mut Heard) {
    let mut tell = |what: &str, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>| {
        let mut connection = Connection::open(server.address()).unwrap();
        connection.send(&oms_e2e::http::request(method, path, headers, body)).unwrap();
        let answer = connection.answer().unwrap();
        let headers = answer.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect::<String>();
        heard.add(format!("the answer to {what}"), [headers.as_bytes(), &answer.body].concat());
        assert!((400..500).contains(&answer.status), "{what}: {}", answer.status);
    };
    let c = |at: usize| CANARIES[at].1;
    let orders = "/api/v1/orders";
    for (what, key) in &CANARIES[..2] {
        tell(what, "GET", orders, &[("x-api-key", key)], None);
    }
    tell("a bearer token", "GET", orders, &[("authorization", &format!("Bearer {}", c(2)))], None);
    tell("basic credentials", "GET", orders, &[("authorization", &format!("Basic {}", c(3)))], None);
    tell("a cookie", "GET", orders, &[("cookie", &format!("session={}", c(4)))], None);
    let key = server.key().to_owned();
    let keyed: [(&str, &str); 2] = [("x-api-key", &key), ("content-type", "application/json")];
    tell("a parameter", "GET", &format!("{orders}?api_key={}", c(5)), &keyed, None);
    let body = |text: String| text.into_bytes();
    tell("an unknown field", "POST", orders, &keyed, Some(&body(json!({"totp": c(9)}).to_string())));
    tell("a login", "POST", "/api/v1/login", &keyed, Some(&body(json!({"password": c(10)}).to_string())));
    tell("no JSON", "POST", orders, &keyed, Some(&body(format!("password={}", c(11)))));
    tell("proxy credentials", "GET", orders, &[("proxy-authorization", c(13))], None);
    tell("a wrong type", "POST", orders, &keyed, Some(&body(json!({"symbol": {"secret": c(18)}}).to_string())));
}

/// Whatever people and clients may say in words of their own.
fn write(server: &Server, fix_address: &str) {
    let mut client = server.client();
    let order = json!({"symbol": "IBM", "side": "BUY", "ord_type": "MARKET", "order_qty": "10", "metadata": {"note": WRITTEN[0].1}});
    assert_eq!(client.post("/orders", &[], &order).status, 201);
    for (path, at) in [("engage", 1), ("release", 2)] {
        let said = client.post(&format!("/risk/kill-switch/{path}"), &[], &json!({"scope": "INSTRUMENT:AIG", "reason": WRITTEN[at].1}));
        assert_eq!(said.status, 200, "{}", said.text());
    }
    let time = Command::new("date").args(["-u", "+%Y%m%d-%H:%M:%S"]).output().unwrap();
    let time = String::from_utf8(time.stdout).unwrap();
    let order = [("11", "w5"), ("55", "IBM"), ("54", "1"), ("38", "10"), ("40", "1"), ("60", time.trim()), ("58", WRITTEN[4].1)];
    let known = logon(&[("553", "u"), ("554", CANARIES[6].1)]);
    let reported = say(fix_address, &[&known[..], &fix("D", 2, &order)].concat());
    assert!(contains(&reported, "35=8"), "the order is taken: {}", String::from_utf8_lossy(&reported));
    let (reject, logout) = (fix("3", 2, &[("45", "1"), ("58", WRITTEN[5].1)]), fix("5", 3, &[("58", WRITTEN[6].1)]));
    say(fix_address, &[known, reject, logout].concat());
    let deed = client.post("/fix/sessions/CLIENT/logout", &[], &json!({"reason": WRITTEN[3].1}));
    assert_eq!(deed.status, 200, "{}", deed.text());
    let named = [("user-agent", WRITTEN[8].1)];
    let login = client.post("/auth/login", &named, &json!({"email": WRITTEN[7].1, "password": CANARIES[10].1}));
    assert_eq!(login.status, 401, "{}", login.text());
}

/// What a stranger's key is answered over gRPC.
fn ask_grpc(server: &Server, key: &str) -> String {
    let address = grpc::address(server.process());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        let refused = Client::over(&channel, key).risk.get_status(GetRiskStatusRequest {}).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated);
        format!("{refused:?}")
    })
}

#[test]
fn nothing_that_was_planted_comes_out_again() {
    let home = Home::new("canary");
    let file = |name: &str, text: &str| {
        let path = home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let planted = home.path().join("planted");
    std::fs::create_dir(&planted).unwrap();
    let plant = |name: &str, text: &str| file(&format!("planted/{name}"), text);
    let master = plant("master", &format!("1:{}\n2:{}\n", CANARIES[15].1, CANARIES[16].1));
    let password = plant("password", CANARIES[6].1);
    let fix_address = free_address().to_string();
    let config = plant(
        "config.toml",
        &format!(
            "[fix]\nlisten = \"{fix_address}\"\n[[fix.sessions]]\ncomp_id = \"CLIENT\"\nusername = \"u\"\npassword = \"file:{password}\"\n\
             [vault]\nmaster_key = \"file:{master}\"\ntransit_token = \"{}\"\n[client]\napi_key = \"{}\"\n",
            CANARIES[14].1, CANARIES[17].1
        ),
    );
    let data = home.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let log = home.path().join("stderr");
    let mut launch = Launch::default().with("OMS_CONFIG", &config).with("OMS_LOG_FILTER", "trace").with("OMS_GRPC_LISTEN", "127.0.0.1:0");
    launch.under = vec!["sh".to_owned(), "-c".to_owned(), format!("exec \"$0\" \"$@\" 2>'{}'", log.display())];
    let server = Server::start(&data, &launch);
    let mut heard = Heard::default();

    ask(&server, &mut heard);
    heard.add("the answer over gRPC", ask_grpc(&server, CANARIES[19].1));
    heard.add(
        "the answer to a FIX Logon of another version",
        say(&fix_address, &logon(&[("553", "u"), ("554", CANARIES[6].1), ("925", CANARIES[8].1)])),
    );
    let wrong = say(&fix_address, &logon(&[("553", "u"), ("554", CANARIES[7].1)]));
    assert!(!contains(&wrong, "35=A"), "the wrong password is refused");
    heard.add("the answer to a wrong FIX Logon", wrong);
    let right = say(&fix_address, &logon(&[("553", "u"), ("554", CANARIES[6].1)]));
    assert!(contains(&right, "35=A"), "the right password is taken: {}", String::from_utf8_lossy(&right));
    heard.add("the answer to a FIX Logon", right);
    let upgrade = b"GET /api/v1/ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let message = json!({"id": "1", "op": "auth", "key": CANARIES[12].1}).to_string().into_bytes();
    // One text frame, masked with zeros, so that it is as it stands.
    let frame = [&[0x81, 0x80 | u8::try_from(message.len()).unwrap(), 0, 0, 0, 0][..], &message].concat();
    heard.add("the answer to a WebSocket", say(&server.address().to_string(), &[&upgrade[..], &frame].concat()));
    write(&server, &fix_address);
    let placed = server.client().post("/orders", &[], &json!({"symbol": "IBM", "side": "BUY", "ord_type": "MARKET", "order_qty": "10"}));
    heard.add("an order", placed.body);
    for path in ["/audit?limit=500", "/metrics", "/fix/sessions", "/health/ready"] {
        heard.add(path, server.client().get(path).body);
    }
    let key = server.key().to_owned();
    server.stop();
    let data_text = data.to_str().unwrap();
    heard.run(&["--config", &config, "config", "show"]);
    heard.run(&["--config", &config, "config", "show", "--json"]);
    heard.run(&["--config", &config, "journal", "show", "--limit", "100000", "--json", "--data", data_text]);
    heard.run(&["--config", &config, "fix", "log", "--data", data_text]);
    heard.run(&["--config", &config, "order", "list", "--url", "http://127.0.0.1:1"]);
    heard.run(&["--config", &config, "admin", "rewrap", "--data", data_text]);
    let broken = plant("broken", &format!("1:{}x\n", CANARIES[15].1));
    let text = std::fs::read_to_string(&config).unwrap().replace(&master, &broken);
    let broken = plant("broken.toml", &text);
    heard.run(&["--config", &broken, "config", "check"]);
    let logged = std::fs::read(&log).unwrap();
    for told in ["the client refused a message", "somebody acts on a FIX session", "(24 characters)"] {
        assert!(contains(&logged, told), "the log says that there was something: {told}");
    }
    let told: Vec<_> = WRITTEN.iter().filter(|(_, text)| contains(&logged, text)).collect();
    assert!(told.is_empty(), "{told:?} in the log");
    heard.add("the log", logged.clone());
    heard.folder(&data);

    // The trap works: what is not planted but said is found.
    assert!(heard.0.iter().any(|(_, bytes)| contains(bytes, "OrderCreated")) && !logged.is_empty());
    let key_file = std::fs::read_to_string(data.join("audit/key")).unwrap();
    assert!(key_file.starts_with("sealed:"), "the key of the audit does not lie open");
    let all = CANARIES.iter().copied().chain([("the desk's own API key", key.as_str()), ("the private key of the audit", "PRIVATE+KEY")]);
    let mut found = Vec::new();
    for (what, canary) in all {
        found.extend(heard.0.iter().filter(|(_, bytes)| contains(bytes, canary)).map(|(place, _)| format!("{what} in {place}")));
    }
    assert!(found.is_empty(), "{found:#?}");
}
