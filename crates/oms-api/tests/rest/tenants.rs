//! Two tenants behind one port: neither sees, names or changes anything of the other.

use crate::client::{PATIENCE, Reply};
use crate::desk::Desk;
use crate::socket::Socket;
use crate::wire::{Wire, message};
use oms_api::grpc::schema::{Holds, SCHEMA, Way};
use oms_api::json::command::COMMANDS;
use oms_api::rest::{self, Endpoint};
use oms_api::{Config, auth};
use oms_model::OrderId;
use oms_model::event::Event;
use prost::Message as _;
use prost_reflect::{DynamicMessage, MapKey, MessageDescriptor, Value as Given};
use serde_json::{Value, json};
use tokio::time::timeout;
use tonic::Code;

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
    b.until_taken().await;
    let filled = b.client.post("/api/v1/orders", &[], &filled.to_string()).await.expect(201);
    let filled: OrderId = filled.get("/order_id").parse().unwrap();
    b.until(|event| matches!(event, Event::OrderFilled(e) if e.order_id == filled)).await;
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

/// A message with every text of it naming a thing of B.
fn named(kind: &MessageDescriptor, id: &str) -> DynamicMessage {
    let shape = SCHEMA.shape(kind.full_name()).unwrap();
    let mut message = DynamicMessage::new(kind.clone());
    for field in &shape.fields {
        let value = match &field.holds {
            _ if field.header.is_some() => continue,
            Holds::Text if field.rest == "symbol" => Given::String(SECRET_SYMBOL.to_owned()),
            Holds::Text if field.rest == "scope" => Given::String(format!("ACCOUNT:{id}")),
            Holds::Text if ["order_id", "account_id", "quote_id", "override_ids", "symbols"].contains(&field.rest.as_str()) => {
                Given::String(id.to_owned())
            }
            Holds::Text if field.rest.ends_with("qty") => Given::String("1".to_owned()),
            Holds::Term(_) => Given::EnumNumber(1),
            Holds::Texts => {
                let filter = [("symbol", SECRET_SYMBOL), ("cl_ord_id", SECRET_ORDER)];
                let text = |text: &str| Given::String(text.to_owned());
                Given::Map(filter.iter().map(|(name, value)| (MapKey::String((*name).to_owned()), text(value))).collect())
            }
            _ => continue,
        };
        message.set_field_by_number(field.number, if field.repeated { Given::List(vec![value]) } else { value });
    }
    message
}

/// Every method of gRPC that there is, as A, on every id of B. The list is that of the schemas.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_method_of_grpc_reaches_another_tenant() {
    let Two { a, b, ids } = two().await;
    let before = b.handle.durable();
    let wire = Wire::of(&a.client).await;
    let mut tried = 0;
    let mut methods: Vec<_> = SCHEMA.methods.iter().collect();
    let takes_commands = |way: &Way| matches!(way, Way::Operation(operation) if operation.body.is_some());
    // Commands come last: one of them gives A an instrument of its own by the symbol of B's.
    methods.sort_by_key(|method| takes_commands(&method.way));
    for method in methods {
        let path = method.path.trim_start_matches('/');
        for id in &ids {
            let mut messages = vec![named(&method.input, id)];
            if takes_commands(&method.way) {
                messages = COMMANDS
                    .iter()
                    .map(|command| {
                        let body: Value = serde_json::from_str(&foreign(command.example, id)).unwrap();
                        message("ExecuteRequest", &json!({"command": body}))
                    })
                    .collect();
            }
            if method.asks_on {
                messages = ["NewOrder", "Cancel", "Replace"].map(|name| entry(name, id)).into();
            }
            for message in messages {
                let mut call = wire.open(path, &[]).await;
                call.ask(&message.encode_to_vec(), !method.asks_on || method.answers_on);
                // Streams that go on tell nothing for now; they have a test of their own.
                let goes_on = method.answers_on && !method.asks_on && !path.ends_with("MarketData");
                if goes_on {
                    continue;
                }
                let (told, end) = call.ended().await;
                let (text, why) = (format!("{told:?}"), format!("{end:?}"));
                for secret in [SECRET_SYMBOL, SECRET_ORDER, "a plan of B"] {
                    // What the request itself named may be said back to it where it is refused.
                    let said_back = method.asks_on || text.contains("there is no instrument ZZZB");
                    assert!(said_back || !text.contains(secret), "{path} tells of {secret}: {text}");
                }
                assert!(!text.contains("a plan of B") && !why.contains("a plan of B"), "{path}: {text} {why}");
                if method.asks_on {
                    assert!(told.len() == 1 && told[0].has_field_by_name("error"), "{path}: {text}");
                }
                if let Way::Operation(operation) = &method.way
                    && operation.path.contains("_id}")
                {
                    let code = end.unwrap_err().code;
                    assert!(matches!(code, Code::NotFound | Code::InvalidArgument), "{path}: {code:?}");
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 200, "{tried} tried");
    assert_eq!(b.handle.durable(), before, "nothing happened to B");
}

/// A message of order entry about a thing of B.
fn entry(method: &str, id: &str) -> DynamicMessage {
    let field = match method {
        "NewOrder" => "new_order",
        "Cancel" => "cancel",
        _ => "replace",
    };
    let mut entry = message("OrderEntryRequest", &json!({"request_id": "1"}));
    let inner = SCHEMA.method(&format!("/oms.v1.Ingest/{method}")).unwrap().input.clone();
    entry.set_field_by_name(field, Given::Message(named(&inner, id)));
    entry
}

/// Each stream of gRPC tells its own tenant's things, and nothing of another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_of_grpc_tell_their_own_tenant_only() {
    let Two { a, b, .. } = two().await;
    let wire = Wire::of(&a.client).await;
    let mut streams = Vec::new();
    for method in SCHEMA.methods.iter().filter(|method| method.answers_on && !method.asks_on) {
        let asked = match &method.way {
            Way::Operation(operation) if operation.id == "streamEvents" => json!({"from": 1}),
            Way::Operation(_) | Way::Topic(_) => json!({}),
            Way::Entry => panic!("{} has no test", method.path),
        };
        let name = method.path.trim_start_matches("/oms.v1.");
        let mut stream = wire.stream(name, &message(method.input.name().trim_start_matches("oms.v1."), &asked)).await;
        // Every stream but that of executions tells something at once.
        let first = if name.ends_with("Executions") { None } else { Some(stream.told().await) };
        streams.push((name, stream, first));
    }
    assert!(streams.len() >= 4);
    // An order of B, and then one of A: what A's streams tell goes up to the latter.
    let theirs = json!({"symbol": SECRET_SYMBOL, "side": "BUY", "ord_type": "LIMIT", "order_qty": "3", "price": "20.10"});
    b.client.post("/api/v1/orders", &[], &theirs.to_string()).await.expect(201);
    a.place(r#""ord_type":"LIMIT","order_qty":"41","price":"20.10""#).await;
    a.quote("20.01", "20.09");
    for (name, mut stream, first) in streams {
        let mut seen: Vec<DynamicMessage> = first.into_iter().collect();
        let mark = if name.ends_with("MarketData") { "20.09" } else { "41" };
        while !seen.iter().any(|message| format!("{message:?}").contains(&format!("{mark:?}"))) {
            seen.push(stream.told().await);
        }
        let text = format!("{seen:?}");
        assert!(!text.contains(SECRET_SYMBOL) && !text.contains("a plan of B"), "{name}: {text}");
    }
}

/// A socket whose credential comes in its first message reaches the desk of that credential, whichever it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_says_late_who_it_is_reaches_its_own_tenant() {
    let Two { a, b, .. } = two().await;
    for (desk, others) in [(&a, &b), (&b, &a)] {
        let mut socket = Socket::open(&desk.client, "/api/v1/ws", "").await.unwrap();
        Socket::expect(socket.ask(json!({"op": "auth", "key": desk.client.key})).await, 200);
        let (_, known) = socket.subscribe(json!({"topic": "orders"})).await;
        let symbol = if desk.client.key == b.client.key { SECRET_SYMBOL } else { "AAPL" };
        let order = json!({"symbol": symbol, "side": "BUY", "ord_type": "LIMIT", "order_qty": "7", "price": "19.00"});
        let before = others.handle.durable();
        let placed = Socket::expect(socket.ask(json!({"op": "place", "body": order})).await, 201)["body"].clone();
        assert_eq!(others.handle.durable(), before, "it is no other's order");
        let id = placed["order_id"].as_str().unwrap();
        desk.client.get(&format!("/api/v1/orders/{id}")).await.expect(200);
        others.client.get(&format!("/api/v1/orders/{id}")).await.refused(404, "NOT_FOUND");
        let secret = json!(known).to_string().contains(SECRET_ORDER);
        assert_eq!(secret, symbol == SECRET_SYMBOL, "{known:?}");
        // Who it is, is said once.
        Socket::expect(socket.ask(json!({"op": "auth", "key": others.client.key})).await, 400);
    }
    let mut socket = Socket::open(&a.client, "/api/v1/ws", "").await.unwrap();
    Socket::expect(socket.ask(json!({"op": "auth", "key": auth::new_key([99; 32])})).await, 401);
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
