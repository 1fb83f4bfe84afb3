//! Two tenants behind one port: neither sees, names or changes anything of the other.

use crate::client::{PATIENCE, Reply};
use crate::desk::Desk;
use crate::socket::Socket;
use oms_api::json::command::COMMANDS;
use oms_api::rest::{self, Endpoint};
use oms_api::{Config, auth};
use serde_json::{Value, json};
use tokio::time::timeout;

/// What the other tenant has and nobody else may read.
const SECRET_SYMBOL: &str = "ZZZB";
const SECRET_ORDER: &str = "KEEP-THIS-TO-B";

/// Streams do not end by themselves; they have a test of their own.
const STREAMS: [&str; 3] = ["/api/v1/events/stream", "/api/v1/marketdata/stream", "/api/v1/ws"];

struct Two {
    a: Desk,
    b: Desk,
    /// Ids of things of B.
    ids: Vec<String>,
}

async fn two() -> Two {
    let mut desks = Desk::open_all(Config::default(), &["AAPL", SECRET_SYMBOL]).await;
    let (b, a) = (desks.pop().unwrap(), desks.pop().unwrap());
    let order = json!({"symbol": SECRET_SYMBOL, "side": "BUY", "ord_type": "LIMIT", "order_qty": "100", "price": "19.00",
        "cl_ord_id": SECRET_ORDER, "metadata": {"note": "a plan of B"}});
    let placed = b.client.post("/api/v1/orders", &[], &order.to_string()).await.expect(201);
    let filled = json!({"symbol": SECRET_SYMBOL, "side": "BUY", "ord_type": "LIMIT", "order_qty": "70", "price": "20.10"});
    b.client.post("/api/v1/orders", &[], &filled.to_string()).await.expect(201);
    let asked = json!({"symbol": SECRET_SYMBOL, "side": "BUY", "order_qty": "5", "life_ms": 60000});
    let rfq = b.client.post("/api/v1/quote-requests", &[], &asked.to_string()).await.expect(201);
    let accounts = b.client.get("/api/v1/accounts").await.expect(200);
    let account = accounts.get("/data/0/account_id");
    let ids = vec![placed.get("/order_id"), account, SECRET_SYMBOL.to_owned(), rfq.get("/quote_req_id")];
    Two { a, b, ids }
}

/// What a request as A to a thing of B may answer.
#[track_caller]
fn says_nothing(reply: &Reply, what: &str, named: &str) {
    let text = reply.text();
    assert!(reply.status < 500, "{what}: {text}");
    for secret in [SECRET_SYMBOL, SECRET_ORDER, "a plan of B"] {
        // What the request itself named may be said back to it.
        assert!(secret == named || !text.contains(secret), "{what} tells of {secret}: {text}");
    }
}

fn path_of(endpoint: &Endpoint, id: &str) -> String {
    let mut path = String::new();
    let mut parts = endpoint.path.split('{');
    path += parts.next().unwrap();
    for part in parts {
        path += id;
        path += part.split_once('}').unwrap().1;
    }
    path
}

/// A body with every id of the example exchanged for one of B.
fn foreign(example: &str, id: &str) -> String {
    fn exchange(value: &mut Value, id: &str) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value {
                        Value::String(text) if name.ends_with("_id") && text.len() > 20 => *text = id.to_owned(),
                        Value::String(text) if name == "symbol" => *text = SECRET_SYMBOL.to_owned(),
                        other => exchange(other, id),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| exchange(item, id)),
            _ => (),
        }
    }
    let mut body: Value = serde_json::from_str(example).unwrap();
    exchange(&mut body, id);
    body.to_string()
}

/// Every operation that there is, as A, on every id of B: nothing of B is told, found or changed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_operation_of_one_tenant_reaches_another() {
    let Two { a, b, ids } = two().await;
    let before = b.handle.durable();
    let mut tried = 0;
    for endpoint in rest::endpoints().iter().filter(|endpoint| !STREAMS.contains(&endpoint.path)) {
        let names = endpoint.path.contains('{');
        for id in &ids {
            let (path, method) = (path_of(endpoint, id), endpoint.method.to_uppercase());
            let body = (method != "GET").then(|| format!(r#"{{"order_id":"{id}","account_id":"{id}"}}"#));
            let what = format!("{method} {path}");
            let reply = a.client.send(&method, &path, &[], body.as_deref().map(str::as_bytes)).await;
            says_nothing(&reply, &what, id);
            // A set of rules is named by whoever makes it, a FIX client by its session.
            if names && !endpoint.path.contains("{name}") && !endpoint.path.contains("/fix/") {
                assert!(matches!(reply.status, 400 | 404 | 409 | 415 | 422), "{what}: {} {}", reply.status, reply.text());
            }
            if names && method == "GET" && endpoint.path.contains("_id}") {
                assert!(matches!(reply.status, 400 | 404), "{what}: {} {}", reply.status, reply.text());
            }
            tried += 1;
        }
    }
    for command in COMMANDS {
        for id in &ids[..2] {
            let reply = a.client.post("/api/v1/commands/execute", &[], &foreign(command.example, id)).await;
            says_nothing(&reply, command.name, SECRET_SYMBOL);
            tried += 1;
        }
    }
    for filter in ["symbol=ZZZB", "cl_ord_id=KEEP-THIS-TO-B"] {
        let reply = a.client.get(&format!("/api/v1/orders?{filter}")).await;
        assert!(!reply.text().contains("order_id\":"), "{filter}: {}", reply.text());
    }
    assert!(tried > 300, "{tried} tried");
    assert_eq!(b.handle.durable(), before, "nothing happened to B");
    // And B is where it was, whatever A did to itself.
    b.client.get(&format!("/api/v1/orders/{}", ids[0])).await.expect(200);
}

/// The order of one tenant is told on its own streams only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_and_sockets_tell_their_own_tenant_only() {
    let Two { a, b, ids } = two().await;
    let mut of_a = a.client.stream("/api/v1/events/stream?from=1", &[]).await;
    let mut of_b = b.client.stream("/api/v1/events/stream?from=1", &[]).await;
    let mut socket = Socket::of(&a.client).await;
    let (_, known) = socket.subscribe(json!({"topic": "orders"})).await;
    assert_eq!(known, Vec::<Value>::new(), "it has no orders yet");
    // Views of everything, and of what only B has: by symbol, by id, by word.
    let mut viewing = Socket::of(&a.client).await;
    let open = |filter: Value, search: &[&str]| {
        let columns = ["order_id", "symbol", "cl_ord_id", "order_qty", "metadata"];
        json!({"op": "view.open", "table": "orders", "columns": columns, "filter": filter, "search": search, "size": 100})
    };
    let order_of_b = json!({"order_id": ids[0]});
    let asked = [open(json!({}), &[]), open(json!({"symbol": SECRET_SYMBOL}), &[]), open(order_of_b, &[]), open(json!({}), &["keep-this"])];
    for request in asked {
        Socket::expect(viewing.ask(request).await, 200);
    }
    let mut begun = 0;
    while begun < 4 {
        let frame = viewing.told().await;
        assert_eq!(frame["total"], 0, "{frame}");
        begun += i32::from(frame["type"] == "snapshot");
    }
    let theirs = json!({"symbol": SECRET_SYMBOL, "side": "BUY", "ord_type": "LIMIT", "order_qty": "3", "price": "19.00"});
    b.client.post("/api/v1/orders", &[], &theirs.to_string()).await.expect(201);
    let own = json!({"symbol": "AAPL", "side": "BUY", "ord_type": "LIMIT", "order_qty": "41", "price": "19.00"});
    a.client.post("/api/v1/orders", &[], &own.to_string()).await.expect(201);
    // Everything up to its own order, and none of it is of B.
    let mut seen = 0;
    loop {
        let sent = timeout(PATIENCE, of_a.next()).await.unwrap().unwrap();
        assert!(!sent.data.to_string().contains(SECRET_SYMBOL), "{sent:?}");
        seen += 1;
        if sent.event == "OrderCreated" && sent.data.to_string().contains("\"41\"") {
            break;
        }
    }
    assert!(seen > 5);
    let told = socket.told().await;
    assert!(told.to_string().contains("\"41\"") && !told.to_string().contains(SECRET_SYMBOL), "{told}");
    let own_seq = a.handle.durable().0;
    loop {
        let frame = viewing.told().await;
        assert!(!frame.to_string().contains(SECRET_SYMBOL) && !frame.to_string().contains(SECRET_ORDER), "{frame}");
        assert!(frame["subscription"] == 1 || frame["total"] == 0, "{frame}");
        if frame["subscription"] == 1 && frame["total"] == 1 && frame["sequence"].as_u64() >= Some(own_seq) {
            break;
        }
    }
    while timeout(PATIENCE, of_b.next()).await.unwrap().unwrap().event != "OrderCreated" {}
    a.client.get("/api/v1/marketdata/stream?symbols=ZZZB").await.refused(422, "UNKNOWN_SYMBOL");
}

/// A key that nobody has, and none at all, reach nobody; what is public tells nothing of a tenant.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_credential_nothing_of_a_tenant_is_told() {
    let Two { a, .. } = two().await;
    let unknown = auth::new_key([99; 32]);
    a.client.send("GET", "/api/v1/orders", &[("x-api-key", &unknown)], None).await.refused(401, "UNAUTHENTICATED");
    a.client.send("GET", "/api/v1/metrics", &[("x-api-key", &unknown)], None).await.refused(401, "UNAUTHENTICATED");
    a.client.get("/api/v1/metrics").await.expect(200);
    let ready = a.client.send("GET", "/api/v1/health/ready", &[("x-api-key", &unknown)], None).await.expect(200);
    let names: Vec<String> = ready.json()["checks"].as_array().unwrap().iter().map(|check| check["name"].to_string()).collect();
    assert_eq!(names, ["\"engine and log\"", "\"venues\"", "\"views\""]);
}
