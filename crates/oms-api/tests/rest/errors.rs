//! Bad input: a clear error each time, and nothing half done.

use crate::client::Client;
use crate::desk::{Desk, RESTING, order};
use oms_api::auth;
use oms_api::rest::endpoints;

/// A path with something in the place of every name.
fn filled(path: &str) -> String {
    path.replace("{order_id}", "00000000-0000-7000-8000-000000000001").replace("{symbol}", "AAPL")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_operation_answers_without_a_valid_key() {
    let desk = Desk::open().await;
    let stranger = Client { key: auth::new_key([8; 32]), ..desk.client.clone() };
    for endpoint in endpoints().iter().filter(|endpoint| !endpoint.access.is_open()) {
        let (method, path) = (endpoint.method.to_uppercase(), filled(endpoint.path));
        let body = (method != "GET").then_some(&b"{}"[..]);
        stranger.send(&method, &path, &[], body).await.refused(401, "UNAUTHENTICATED");
        let mistyped = desk.client.key.replace("oms_test_", "oms_text_");
        let refused = stranger.send(&method, &path, &[("x-api-key", &mistyped)], body).await.refused(401, "UNAUTHENTICATED");
        assert!(refused.header("www-authenticate").is_some());
    }
    let bearer = format!("Bearer {}", desk.client.key);
    let keyless = desk.client.send("GET", "/api/v1/orders", &[("x-api-key", ""), ("authorization", &bearer)], None).await;
    keyless.refused(401, "UNAUTHENTICATED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_operation_ignores_an_unknown_parameter() {
    let desk = Desk::open().await;
    let before = desk.handle.durable();
    let placed = [("POST", "/api/v1/orders"), ("POST", "/v1/orders")];
    // Whoever runs the installation is none of a desk's keys.
    let others = |endpoint: &oms_api::rest::Endpoint| endpoint.access.scope() == Some(oms_identity::Scope::TenantsAdmin);
    for endpoint in endpoints().into_iter().filter(|endpoint| !others(endpoint)) {
        let (method, path) = (endpoint.method.to_uppercase(), filled(endpoint.path));
        let body = order(RESTING);
        let body = (method != "GET").then_some(body.as_bytes());
        let reply = desk.client.send(&method, &format!("{path}?no_such_parameter=1"), &[], body).await;
        // Executions of an order are looked for before their filters are.
        if !(path.ends_with("/executions") && reply.status == 404) {
            assert_eq!(reply.status, 400, "{method} {path}: {}", reply.text());
        }
        assert!(!placed.contains(&(&method, &path)) || reply.text().contains("no_such_parameter"), "{}", reply.text());
    }
    assert_eq!(desk.handle.durable(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_a_request_is_refused_in_the_envelope() {
    let desk = Desk::open().await;
    let client = &desk.client;
    client.get("/api/v1/nothing").await.refused(404, "NOT_FOUND");
    client.get("/api/v1/orders/00000000-0000-7000-8000-000000000001").await.refused(404, "NOT_FOUND");
    client.get("/api/v1/orders/not-an-id").await.refused(400, "VALIDATION_ERROR");
    let refused = client.send("DELETE", "/api/v1/orders", &[], None).await.refused(405, "METHOD_NOT_ALLOWED");
    let allow = refused.header("allow").unwrap();
    assert!(allow.contains("GET") && allow.contains("POST"), "{allow}");
    client.send("POST", "/api/v1/orders", &[("content-type", "text/xml")], Some(b"<order/>")).await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    let large = vec![b' '; (1 << 20) + 1];
    client.send("POST", "/api/v1/orders", &[], Some(&large)).await.refused(413, "PAYLOAD_TOO_LARGE");
    client
        .send("POST", "/api/v1/orders", &[("idempotency-key", "")], Some(order(RESTING).as_bytes()))
        .await
        .refused(400, "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_body_says_what_is_wrong_and_nothing_is_done() {
    let desk = Desk::open().await;
    let before = desk.handle.durable();
    let deep = format!(r#"{{"metadata":{}1{}}}"#, "[".repeat(64), "]".repeat(64));
    let cases = [
        ("{", "ends too early"),
        ("[]", "must be an object"),
        ("", "ends too early"),
        (r#"{"symbol":"AAPL","symbol":"AAPL"}"#, "occurs twice"),
        (&deep, "nested deeper than 32"),
        (&order(r#""ord_type":"LIMIT","order_qty":"1","price":1e2"#), "price must be written without an exponent"),
        (&order(r#""ord_type":"LIMIT","order_qty":"1","price":"0.0000000001""#), "price has more than 9 fractional digits"),
        (&order(r#""ord_type":"LIMIT","order_qty":"1","price":"99999999999""#), "price is out of range"),
        (&order(r#""ord_type":"LIMIT","order_qty":"1","proce":"1""#), "proce is not a known field"),
        (&order(r#""ord_type":"LEMON","order_qty":"1""#), "ord_type must be one of"),
        (&order(r#""ord_type":"MARKET""#), "order_qty is required"),
        (&order(r#""ord_type":"MARKET","order_qty":"1","cl_ord_id":"a b""#), "cl_ord_id must be"),
    ];
    for (body, expected) in cases {
        let refused = desk.client.post("/api/v1/orders", &[], body).await.refused(400, "VALIDATION_ERROR");
        assert!(refused.get("/message").contains(expected), "{body}: {}", refused.text());
    }
    assert_eq!(desk.handle.durable(), before);
}

/// Mutations of a good request: whatever comes, the answer is an answer, and never a fault of ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mutated_requests_never_cause_a_server_error() {
    let desk = Desk::open().await;
    let good = order(r#""cl_ord_id":"M","ord_type":"LIMIT","order_qty":"100","price":"19.00","metadata":{"a":[1,{"b":null}]}"#);
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    for _ in 0..300 {
        let mut body = good.clone().into_bytes();
        for _ in 0..=random(4) {
            let at = random(body.len());
            match random(3) {
                0 => body[at] = u8::try_from(random(256)).unwrap(),
                1 => drop(body.remove(at)),
                _ => body.insert(at, b"{}[]\",:0e-."[random(11)]),
            }
        }
        let reply = desk.client.send("POST", "/api/v1/orders", &[], Some(&body)).await;
        assert!(reply.status < 500, "{}: {}", String::from_utf8_lossy(&body), reply.text());
        assert!(reply.json().is_object());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_requests_at_once_are_turned_away() {
    let desk = Desk::open_with(oms_api::Config { max_requests: 0, protected_requests: 1, ..oms_api::Config::default() }).await;
    let refused = desk.client.post("/api/v1/orders", &[], &order(RESTING)).await.refused(503, "OVERLOADED");
    assert_eq!(refused.header("retry-after"), Some("1"));
    let cancel = desk.client.post("/api/v1/orders/mass-cancel", &[], r#"{"scope":"TENANT"}"#).await;
    assert_eq!(cancel.expect(202).get("/count"), "0");
}
