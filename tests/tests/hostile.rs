//! Bad input of every kind: a clear refusal each time, never a failure of ours, nothing half done.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use oms_e2e::audit::{self, Audit};
use oms_e2e::http::{Client, Connection, Reply, request};
use oms_e2e::prng::Prng;
use oms_e2e::server::{Home, Launch, Server};
use oms_e2e::{setting, until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

/// The refusal is one of ours: the envelope with a code, words and a hint.
fn envelope(reply: &Reply) -> String {
    let body = reply.json();
    let names: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["code", "details", "hint", "message", "trace_id"], "{}", reply.text());
    assert!(!body["message"].as_str().unwrap().is_empty() && !body["hint"].as_str().unwrap().is_empty(), "{body}");
    assert_eq!(body["trace_id"].as_str().unwrap().len(), 32, "{body}");
    assert_eq!(reply.header("x-trace-id"), body["trace_id"].as_str());
    body["code"].as_str().unwrap().to_owned()
}

/// How many client orders an answer says were recorded.
fn recorded(path: &str, reply: &Reply) -> usize {
    if reply.header("idempotent-replay").is_some() || reply.body.is_empty() {
        return 0;
    }
    let path = path.split('?').next().unwrap_or_default();
    match (path, reply.status) {
        ("/api/v1/orders", 201) | ("/v1/orders", 202) => 1,
        ("/api/v1/orders" | "/v1/orders", 422) => {
            let details = &reply.json()["details"];
            // A duplicate names the order that was there before.
            usize::from(details["order_id"].is_string() && details["ord_status"].is_string())
        }
        ("/api/v1/orders/batch", 200) => {
            let body = reply.json();
            body["results"].as_array().unwrap().iter().filter(|result| result["status"] != "INVALID").count()
        }
        _ => 0,
    }
}

fn post(client: &mut Client, path: &str, body: &str) -> Reply {
    client.call("POST", path, &[], Some(body)).unwrap_or_else(|error| panic!("{path}: {error}; {:.200}", body))
}

fn launch() -> Launch {
    Launch::default().with("OMS_LOG_FILTER", "error").with("OMS_API_HEAD_TIMEOUT_MS", "1500").with("OMS_API_BODY_TIMEOUT_MS", "800")
}

const ORDERS: &str = "/api/v1/orders";

fn order() -> Value {
    json!({"symbol": "IBM", "side": "BUY", "ord_type": "LIMIT", "order_qty": "100", "price": "175.00", "time_in_force": "DAY"})
}

fn with(name: &str, value: &str) -> String {
    let mut order = order();
    order[name] = "@@".into();
    order.to_string().replace("\"@@\"", value)
}

#[test]
fn what_is_malformed_is_refused_with_400_and_never_recorded() {
    let home = Home::new("malformed");
    let server = Server::start(home.path(), &launch());
    let mut client = server.client();
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let valid = order().to_string();
    let twice = valid.replace("{", "{\"symbol\":\"BAC\",");
    let bodies: Vec<String> = vec![
        String::new(),
        " ".to_owned(),
        "{".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        "\"x\"".to_owned(),
        "{}".to_owned(),
        valid.replace('}', ",}"),
        format!("{valid}{valid}"),
        format!("{valid} x"),
        valid.replace('"', "'"),
        format!("\u{feff}{valid}"),
        twice,
        deep.clone(),
        with("metadata", &deep),
        with("metadata", "[1]"),
        with("metadata", &format!("{{\"a\":\"{}\"}}", "x".repeat(10_000))),
        with("surprise", "1"),
        with("symbol", "7"),
        with("symbol", "\"\""),
        with("symbol", "\"IBM\\u0000\""),
        with("symbol", "\"\\ud800\""),
        with("symbol", &format!("\"{}\"", "X".repeat(100))),
        with("side", "\"HOLD\""),
        with("side", "null"),
        with("ord_type", "\"limit \""),
        with("order_qty", "NaN"),
        with("order_qty", "Infinity"),
        with("order_qty", "1e2"),
        with("order_qty", "\"1e2\""),
        with("order_qty", "\"\""),
        with("order_qty", "\"+5\""),
        with("order_qty", "\" 5\""),
        with("order_qty", "\"0x10\""),
        with("order_qty", "\"1,000\""),
        with("order_qty", "\"١\""),
        with("order_qty", "01"),
        with("order_qty", "true"),
        with("order_qty", "[100]"),
        with("order_qty", &"9".repeat(400)),
        with("order_qty", "\"0.0000000001\""),
        with("price", &format!("\"{}\"", i64::MAX)),
        with("price", "\"9223372036.854775808\""),
        with("price", "\"175.0000000001\""),
        with("price", "-"),
        with("cl_ord_id", "\"has space\""),
        with("cl_ord_id", &format!("\"{}\"", "x".repeat(65))),
        with("account_id", "\"not-a-uuid\""),
        with("expire_at", "\"tomorrow\""),
        with("time_in_force", "\"FOREVER\""),
        with("routing", "{\"mode\":\"TELEPATHY\"}"),
        with("routing", "{\"venue\":\"TOOLONG\"}"),
        with("routing", "{\"polcy\":\"sweep\"}"),
    ];
    for body in &bodies {
        let reply = post(&mut client, ORDERS, body);
        assert_eq!(reply.status, 400, "{body:.200} was answered with {}: {}", reply.status, reply.text());
        assert_eq!(envelope(&reply), "VALIDATION_ERROR", "{body:.200}");
    }
    for (name, value) in [("surprise", "1"), ("order_qty", "1e2"), ("price", "\"x\"")] {
        let message = post(&mut client, ORDERS, &with(name, value)).json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(name), "the field {name} is named: {message}");
    }
    let mut audit = Audit::default();
    audit.read_log(&server);
    assert_eq!(audit.orders(), 0, "nothing of it was recorded");
    server.stop();
}

#[test]
fn what_makes_no_sense_is_refused_with_its_code() {
    let home = Home::new("nonsense");
    let server = Server::start(home.path(), &launch());
    let mut client = server.client();
    until("a market", || {
        let market = client.read("/marketdata/last/IBM");
        if market["bid"].is_string() && market["ask"].is_string() { Ok(()) } else { Err(market.to_string()) }
    });
    let mut expected = 0;
    for (body, codes) in [
        (with("price", "\"175.001\""), ["INVALID_TICK", ""]),
        (with("price", "\"0\""), ["INVALID_TICK", "VALIDATION_ERROR"]),
        (with("price", "\"-175.00\""), ["INVALID_TICK", "VALIDATION_ERROR"]),
        (with("price", "\"9223372036.85\""), ["PRICE_COLLAR", "RISK_LIMIT_BREACH"]),
        (with("order_qty", "\"0\""), ["INVALID_LOT", "VALIDATION_ERROR"]),
        (with("order_qty", "\"-5\""), ["INVALID_LOT", "VALIDATION_ERROR"]),
        (with("order_qty", "\"0.5\""), ["INVALID_LOT", ""]),
        (with("order_qty", "\"170141183460469231731687303715\""), ["INVALID_LOT", "RISK_LIMIT_BREACH"]),
        (with("order_qty", "\"999999\""), ["RISK_LIMIT_BREACH", ""]),
        (with("symbol", "\"NOPE\""), ["UNKNOWN_SYMBOL", ""]),
        (with("account_id", "\"01a1fc8e-0a2e-7000-943a-7f49629e0362\""), ["VALIDATION_ERROR", "NOT_FOUND"]),
        (with("price", "null"), ["VALIDATION_ERROR", ""]),
        (with("stop_px", "\"170.00\""), ["VALIDATION_ERROR", ""]),
        (with("time_in_force", "\"GTD\""), ["VALIDATION_ERROR", ""]),
        (with("expire_at", "\"2000-01-01T00:00:00Z\""), ["VALIDATION_ERROR", ""]),
        (with("ord_type", "\"MARKET\""), ["VALIDATION_ERROR", ""]),
        (with("routing", "{\"mode\":\"NAMED\"}"), ["VALIDATION_ERROR", ""]),
        (with("routing", "{\"mode\":\"NAMED\",\"venue\":\"XXXX\"}"), ["VALIDATION_ERROR", "NO_ROUTE"]),
        (with("routing", "{\"policy\":\"nope\"}"), ["NOT_FOUND", ""]),
    ] {
        let reply = post(&mut client, ORDERS, &body);
        assert!((400..500).contains(&reply.status), "{body} was answered with {}: {}", reply.status, reply.text());
        let code = envelope(&reply);
        assert!(codes.contains(&code.as_str()), "{body} was refused with {code}: {}", reply.text());
        expected += recorded(ORDERS, &reply);
    }
    let mut audit = Audit::default();
    audit.read_log(&server);
    assert_eq!(audit.orders(), expected, "exactly what the answers say was recorded");
    audit.balance(&server, home.path());
    server.stop();
}

#[test]
fn what_does_not_fit_the_protocol_is_refused() {
    let home = Home::new("protocol");
    let server = Server::start(home.path(), &launch());
    let mut client = server.client();
    let key = server.key();
    let valid = order().to_string();
    let huge = with("metadata", &format!("{{\"a\":\"{}\"}}", "x".repeat(2 << 20)));
    let chunked_huge = {
        let mut bytes =
            request("POST", ORDERS, &[("X-API-Key", key), ("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")], None);
        bytes.extend_from_slice(format!("{:x}\r\n{huge}\r\n0\r\n\r\n", huge.len()).as_bytes());
        bytes
    };
    let json = ("Content-Type", "application/json");
    let long_key = "k".repeat(256);
    let cases: Vec<(Vec<u8>, u16, &str)> = vec![
        (request("POST", ORDERS, &[json], Some(valid.as_bytes())), 401, "UNAUTHENTICATED"),
        (request("POST", ORDERS, &[json, ("X-API-Key", "oms_test_nonsense")], Some(valid.as_bytes())), 401, "UNAUTHENTICATED"),
        (request("POST", ORDERS, &[json, ("Authorization", "Basic eDp5")], Some(valid.as_bytes())), 401, "UNAUTHENTICATED"),
        (request("POST", ORDERS, &[("X-API-Key", key)], Some(valid.as_bytes())), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (
            request("POST", ORDERS, &[("X-API-Key", key), ("Content-Type", "text/xml")], Some(valid.as_bytes())),
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        (request("PATCH", ORDERS, &[("X-API-Key", key), json], Some(valid.as_bytes())), 405, "METHOD_NOT_ALLOWED"),
        (request("DELETE", ORDERS, &[("X-API-Key", key)], None), 405, "METHOD_NOT_ALLOWED"),
        (request("GET", "/api/v1/nothing", &[("X-API-Key", key)], None), 404, "NOT_FOUND"),
        (request("GET", "/api/v2/orders", &[("X-API-Key", key)], None), 404, "NOT_FOUND"),
        (request("GET", "/api/v1/orders/../../etc/passwd", &[("X-API-Key", key)], None), 404, "NOT_FOUND"),
        (request("GET", "/api/v1/orders/nonsense", &[("X-API-Key", key)], None), 400, "VALIDATION_ERROR"),
        (request("GET", "/api/v1/orders/%ff%fe", &[("X-API-Key", key)], None), 400, "VALIDATION_ERROR"),
        (request("GET", "/api/v1/orders/00000000-0000-0000-0000-000000000000", &[("X-API-Key", key)], None), 404, "NOT_FOUND"),
        (request("GET", "/api/v1/orders?surprise=1", &[("X-API-Key", key)], None), 400, "VALIDATION_ERROR"),
        (request("GET", "/api/v1/orders?limit=0", &[("X-API-Key", key)], None), 400, "VALIDATION_ERROR"),
        (request("GET", "/api/v1/orders?limit=501", &[("X-API-Key", key)], None), 400, "VALIDATION_ERROR"),
        (request("GET", "/api/v1/orders?cursor=AAAA", &[("X-API-Key", key)], None), 400, "VALIDATION_ERROR"),
        (request("GET", "/api/v1/orders?sort=nope", &[("X-API-Key", key)], None), 400, "VALIDATION_ERROR"),
        (request("GET", "/api/v1/orders?symbol__like=%25%27;DROP%20TABLE%20orders;--", &[("X-API-Key", key)], None), 200, ""),
        (request("POST", "/api/v1/orders?x=1", &[("X-API-Key", key), json], Some(valid.as_bytes())), 400, "VALIDATION_ERROR"),
        (request("POST", ORDERS, &[("X-API-Key", key), json, ("Idempotency-Key", "")], Some(valid.as_bytes())), 400, "VALIDATION_ERROR"),
        (
            request("POST", ORDERS, &[("X-API-Key", key), json, ("Idempotency-Key", &long_key)], Some(valid.as_bytes())),
            400,
            "VALIDATION_ERROR",
        ),
        (
            request("POST", "/api/v1/orders/cl_ord_id:x/cancel", &[("X-API-Key", key), json, ("If-Match", "one")], Some(b"{}")),
            400,
            "VALIDATION_ERROR",
        ),
        (request("POST", "/api/v1/orders/cl_ord_id:x/cancel", &[("X-API-Key", key), json], Some(b"{}")), 404, "NOT_FOUND"),
        (request("GET", "/api/v1/events/stream", &[("X-API-Key", key), ("Last-Event-ID", "x")], None), 400, "VALIDATION_ERROR"),
        (request("GET", "/api/v1/events/stream?from=99999999999", &[("X-API-Key", key)], None), 400, "VALIDATION_ERROR"),
        (request("GET", "/api/v1/marketdata/stream?symbols=NOPE", &[("X-API-Key", key)], None), 422, "UNKNOWN_SYMBOL"),
        (request("POST", ORDERS, &[("X-API-Key", key), json], Some(huge.as_bytes())), 413, "PAYLOAD_TOO_LARGE"),
        (chunked_huge, 413, "PAYLOAD_TOO_LARGE"),
    ];
    for (bytes, status, code) in cases {
        let mut connection = Connection::open(server.address()).unwrap();
        // A refusal may come before all of it was sent.
        let _sent = connection.send(&bytes);
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).into_owned();
        let reply = connection.answer().unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert_eq!(reply.status, status, "{shown} was answered with {}", reply.text());
        if !code.is_empty() {
            assert_eq!(envelope(&reply), code, "{shown}");
        }
    }
    // The same key for another payload.
    let first = client.post("/orders", &[("Idempotency-Key", "one")], &order());
    assert!([201, 422].contains(&first.status), "{}", first.text());
    let mut other = order();
    other["order_qty"] = "101".into();
    let second = client.post("/orders", &[("Idempotency-Key", "one")], &other);
    assert_eq!((second.status, envelope(&second).as_str()), (422, "IDEMPOTENCY_CONFLICT"));
    // The same cl_ord_id under another key.
    let mut named = order();
    named["cl_ord_id"] = "mine".into();
    named["order_qty"] = "102".into();
    let one = client.post("/orders", &[], &named);
    named["order_qty"] = "103".into();
    let two = client.post("/orders", &[], &named);
    assert_eq!((two.status, envelope(&two).as_str()), (409, "DUPLICATE_CL_ORD_ID"), "{} then {}", one.text(), two.text());
    let original = if one.status == 201 { one.json()["order_id"].clone() } else { one.json()["details"]["order_id"].clone() };
    assert_eq!(two.json()["details"]["order_id"], original, "it names the original order");
    let mut audit = Audit::default();
    audit.read_log(&server);
    assert_eq!(audit.orders(), 2, "the two that were meant");
    server.stop();
}

#[test]
fn half_a_request_holds_nobody_up() {
    let home = Home::new("half");
    let server = Server::start(home.path(), &launch());
    let mut client = server.client();
    let whole =
        request("POST", ORDERS, &[("X-API-Key", server.key()), ("Content-Type", "application/json")], Some(order().to_string().as_bytes()));
    // A hundred clients that stop in the middle: of the head, of the body, before the first byte, and at each byte.
    let mut slow: Vec<Connection> = Vec::new();
    for at in (0..whole.len()).step_by((whole.len() / 100).max(1)) {
        let mut connection = Connection::open(server.address()).unwrap();
        connection.send(&whole[..at]).unwrap();
        slow.push(connection);
    }
    let began = Instant::now();
    for n in 0..20 {
        let mut order = order();
        order["order_qty"] = (200 + n).to_string().into();
        let reply = client.post("/orders", &[], &order);
        assert!([201, 422].contains(&reply.status), "{}", reply.text());
    }
    assert!(began.elapsed() < Duration::from_secs(20), "others are served meanwhile");
    for (number, mut connection) in slow.into_iter().enumerate() {
        connection.patience(Duration::from_secs(20)).unwrap();
        match connection.answer() {
            Ok(reply) => assert!((400..500).contains(&reply.status), "half request {number}: {} {}", reply.status, reply.text()),
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => (),
            Err(error) => panic!("half request {number} is held open: {error}"),
        }
    }
    let mut audit = Audit::default();
    audit.read_log(&server);
    assert_eq!(audit.orders(), 20, "no half of a request placed an order");
    assert!(server.is_ready());
    server.stop();
}

/// What is mutated.
struct Valid {
    method: &'static str,
    path: String,
    body: String,
    /// Another idempotency key each time, or the same one.
    key: bool,
}

fn corpus(working: &str) -> Vec<Valid> {
    let valid = |method, path: &str, body: Value, key| Valid { method, path: path.to_owned(), body: body.to_string(), key };
    let far = |qty: u32| json!({"symbol": "BAC", "side": "BUY", "ord_type": "LIMIT", "order_qty": qty.to_string(), "price": "13.20", "cl_ord_id": "@id", "time_in_force": "GTC", "metadata": {"a": [1, "x"]}});
    vec![
        valid("POST", ORDERS, order(), true),
        valid("POST", ORDERS, far(100), true),
        valid(
            "POST",
            ORDERS,
            json!({"symbol": "AIG", "side": "SELL_SHORT", "ord_type": "STOP_LIMIT", "order_qty": 50, "price": "45.00", "stop_px": "46.00", "cl_ord_id": "@id", "routing": {"mode": "NAMED", "venue": "XNYS"}}),
            true,
        ),
        valid("POST", "/v1/orders", far(101), true),
        valid(
            "POST",
            "/api/v1/orders/batch",
            json!({"atomic": false, "orders": [far(7), {"symbol": "IBM", "side": "SELL", "ord_type": "MARKET", "order_qty": "3", "time_in_force": "IOC"}]}),
            true,
        ),
        valid("POST", "/api/v1/orders/preview", order(), false),
        valid("POST", &format!("{ORDERS}/{working}/modify"), json!({"order_qty": "120", "price": "13.10"}), true),
        valid("POST", &format!("{ORDERS}/{working}/cancel"), json!({}), true),
        valid("PUT", "/api/v1/risk/limits", json!({"limit_type": "MAX_ORDER_QTY", "scope": "INSTRUMENT:AIG", "value": "90000"}), true),
        valid(
            "POST",
            "/api/v1/admin/sor/config",
            json!({"name": "mutant", "mode": "SPLIT", "weights": {"price": "0.5", "fill": "0.2"}, "max_replans": 2, "allow": ["XNYS"]}),
            true,
        ),
        valid("GET", "/api/v1/orders?symbol=IBM&order_qty__gt=5&sort=-created_at&fields=order_id,price&limit=3", json!(null), false),
        valid("GET", "/api/v1/executions?last_qty__between=1,5&limit=2", json!(null), false),
        valid("GET", "/api/v1/positions?open=true", json!(null), false),
    ]
}

const TOKENS: [&str; 34] = [
    "null",
    "true",
    "[]",
    "{}",
    "NaN",
    "-0",
    "1e400",
    "1E5",
    "-1",
    "0",
    "\"\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "9999999999999999999999999999999999999999",
    "\"170141183460469231731687303715884105727\"",
    "\"0.000000000000000000001\"",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
    "\"BUY\"",
    "\"MARKET\"",
    "\"STOP\"",
    "\"GTD\"",
    "\"2026-13-01T00:00:00Z\"",
    "\"XNYS\"",
    "\"IBM\"",
    "{\"symbol\":\"IBM\",\"symbol\":\"BAC\"}",
    "//",
    "\"\u{1F980}\"",
    ",",
    "\"price\":",
    "\"order_qty\":\"1\"",
    "\u{0}",
    "\\",
    "\"unknown\":1",
    ":",
];

/// Changes a text a little: letters, pieces, tokens.
fn mutate(prng: &mut Prng, text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=prng.below(3) {
        let at = prng.below(bytes.len() + 1);
        let span = at..(at + prng.below(12)).min(bytes.len());
        match prng.below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << prng.below(8),
            1 => drop(bytes.drain(span)),
            2 => {
                let piece = bytes[span].to_vec();
                bytes.splice(at..at, piece);
            }
            3 => bytes.insert(at, u8::try_from(prng.below(256)).unwrap()),
            4 => bytes.truncate(at),
            // In the place of a value.
            _ => {
                let token = prng.pick(&TOKENS).as_bytes().to_vec();
                let value = bytes.iter().skip(at).position(|byte| *byte == b':').map(|colon| at + colon + 1);
                let begin = value.unwrap_or(at);
                let end = bytes.iter().skip(begin).position(|byte| b",}]".contains(byte)).map_or(begin, |end| begin + end);
                bytes.splice(begin..end, token);
            }
        }
    }
    bytes
}

#[test]
fn ten_thousand_mutations_are_answered_clearly_and_nothing_is_half_done() {
    let count = usize::try_from(setting("OMS_MUTATIONS", 10_000)).unwrap();
    let seed = setting("OMS_SEED", 7);
    let home = Home::new("mutations");
    let server = Server::start(home.path(), &launch());
    let mut client = server.client();
    let mut orders = 0;
    let working = until("an order that works", || {
        let body =
            json!({"symbol": "BAC", "side": "BUY", "ord_type": "LIMIT", "order_qty": "100", "price": "13.00", "time_in_force": "GTC"});
        let reply = client.post("/orders", &[], &body);
        orders += recorded(ORDERS, &reply);
        if reply.status == 201 { Ok(reply.json()["order_id"].as_str().unwrap().to_owned()) } else { Err(reply.text()) }
    });
    let corpus = corpus(&working);
    let mut prng = Prng::new(seed);
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    for number in 0..count {
        let valid = prng.pick(&corpus);
        let key = format!("m{}", if prng.chance(90) { number } else { prng.below(number + 1) });
        let whole = prng.chance(5);
        let body = valid.body.replace("@id", &format!("c{number}"));
        let (path, body) = match (valid.method, whole) {
            ("GET", false) => (String::from_utf8_lossy(&mutate(&mut prng, &valid.path)).into_owned(), Vec::new()),
            ("GET", true) => (valid.path.clone(), Vec::new()),
            (_, false) => (valid.path.clone(), mutate(&mut prng, &body)),
            (_, true) => (valid.path.clone(), body.into_bytes()),
        };
        // What cannot stand in a request line is for the test below.
        let path: String = path.chars().filter(|c| c.is_ascii_graphic() && *c != '#').collect();
        let path = if path.starts_with('/') { path } else { format!("/{path}") };
        let mut headers = vec![("X-API-Key", server.key()), ("Content-Type", "application/json")];
        if valid.key {
            headers.push(("Idempotency-Key", &key));
        }
        let body = (valid.method != "GET").then_some(body.as_slice());
        let bytes = request(valid.method, &path, &headers, body);
        let reply = exchange(&server, &bytes);
        *statuses.entry(reply.status).or_default() += 1;
        let shown = || {
            format!(
                "seed {seed}, mutation {number}: {}\nwas answered with {} {}",
                String::from_utf8_lossy(&bytes),
                reply.status,
                reply.text()
            )
        };
        match reply.status {
            200..300 => (),
            // A path that is no path: hyper refuses it before anybody of ours sees it.
            400 if reply.body.is_empty() && valid.method == "GET" => (),
            400..500 => drop(envelope(&reply)),
            503 => assert_eq!(envelope(&reply), "OVERLOADED", "{}", shown()),
            _ => panic!("{}", shown()),
        }
        orders += recorded(&path, &reply);
    }
    let mut audit = Audit::default();
    audit.read_log(&server);
    assert_eq!(audit.orders(), orders, "as many orders as the answers say: {statuses:?}");
    assert!(server.is_ready());
    audit.quiesce(&server);
    audit.balance(&server, home.path());
    server.stop();
    audit::replay_agrees(home.path());
    println!("seed {seed}: {count} mutations, answers {statuses:?}, {orders} orders");
}

/// One request on the connection of this thread.
fn exchange(server: &Server, bytes: &[u8]) -> Reply {
    thread_local! {
        static CONNECTION: std::cell::RefCell<Option<Connection>> = const { std::cell::RefCell::new(None) };
    }
    CONNECTION.with_borrow_mut(|kept| {
        let mut connection = kept.take().unwrap_or_else(|| Connection::open(server.address()).unwrap());
        connection.send(bytes).unwrap();
        let reply = connection.answer().unwrap_or_else(|error| panic!("{error} after {}", String::from_utf8_lossy(bytes)));
        if reply.header("connection") != Some("close") {
            *kept = Some(connection);
        }
        reply
    })
}

#[test]
fn mutated_bytes_of_whole_requests_harm_nobody() {
    let count = usize::try_from(setting("OMS_MUTATIONS", 10_000)).unwrap() / 10;
    let seed = setting("OMS_SEED", 7);
    let home = Home::new("bytes");
    let server = Server::start(home.path(), &launch());
    let corpus = corpus("cl_ord_id:nobody");
    let mut prng = Prng::new(seed ^ 0xB17E5);
    let mut orders = 0;
    let mut answers: BTreeMap<String, usize> = BTreeMap::new();
    // Those that wait for more are waited for together, at the end.
    let mut waiting: Vec<(Connection, Vec<u8>)> = Vec::new();
    for number in 0..count {
        let valid = prng.pick(&corpus);
        let key = format!("b{number}");
        let body = valid.body.replace("@id", &format!("b{number}"));
        let mut headers = vec![("X-API-Key", server.key()), ("Content-Type", "application/json")];
        if valid.key {
            headers.push(("Idempotency-Key", &key));
        }
        let whole = request(valid.method, &valid.path, &headers, (valid.method != "GET").then_some(body.as_bytes()));
        let bytes = mutate(&mut prng, &String::from_utf8(whole).unwrap());
        let mut connection = Connection::open(server.address()).unwrap();
        let _sent = connection.send(&bytes);
        connection.patience(Duration::from_millis(40)).unwrap();
        match connection.answer() {
            Ok(reply) => orders += judge(&bytes, &reply, &mut answers),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => waiting.push((connection, bytes)),
            Err(error) => *answers.entry(format!("{:?}", error.kind())).or_default() += 1,
        }
    }
    let waited = waiting.len();
    for (mut connection, bytes) in waiting {
        connection.patience(Duration::from_secs(20)).unwrap();
        match connection.answer() {
            Ok(reply) => orders += judge(&bytes, &reply, &mut answers),
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
                *answers.entry(format!("{:?}", error.kind())).or_default() += 1;
            }
            Err(error) => panic!("held open ({error}): {}", String::from_utf8_lossy(&bytes)),
        }
    }
    assert!(server.is_ready(), "the desk lives");
    let mut audit = Audit::default();
    audit.read_log(&server);
    assert_eq!(audit.orders(), orders, "as many orders as the answers say: {answers:?}");
    server.stop();
    println!("seed {seed}: {count} mutated requests, {waited} of them incomplete, answers {answers:?}, {orders} orders");
}

/// What may be answered to any bytes: something valid, a refusal of ours, or a refusal of the protocol without a body.
fn judge(bytes: &[u8], reply: &Reply, answers: &mut BTreeMap<String, usize>) -> usize {
    *answers.entry(reply.status.to_string()).or_default() += 1;
    let shown = || format!("{}\nwas answered with {} {}", String::from_utf8_lossy(bytes), reply.status, reply.text());
    match reply.status {
        200..300 => (),
        // hyper refuses what is not HTTP before anybody of ours sees it.
        400 | 414 | 431 if reply.body.is_empty() => (),
        400..500 => drop(envelope(reply)),
        503 => assert_eq!(envelope(reply), "OVERLOADED", "{}", shown()),
        _ => panic!("{}", shown()),
    }
    let line = String::from_utf8_lossy(bytes);
    let path = line.split(' ').nth(1).unwrap_or_default();
    recorded(path, reply)
}
