//! Accounts over HTTP: signing in, and every way in which somebody might get further than they may.

mod founding;

use crate::client::{Client, Reply};
use crate::desk::{Desk, RESTING, order};
use crate::socket::{Got, Socket};
use crate::wire::{Wire, get as get_field, message};
use oms_api::call::Access;
use oms_api::grpc::schema::{SCHEMA, Way};
use oms_api::json::command::COMMANDS;
use oms_api::rate::Rates;
use oms_api::rest::endpoints;
use oms_api::ws::CLOSE_UNAUTHENTICATED;
use oms_api::{Config, auth};
use oms_auth::identity::Registration;
use oms_auth::password::Cost;
use oms_auth::{ControlLog, Identity, SecretBox, VaultBox, system_clock};
use oms_identity::event::TenantCreated;
use oms_identity::{Command, Role, Scope, Scopes};
use oms_model::TenantId;
use oms_store::MemoryJournal;
use prost::Message as _;
use prost_reflect::{DynamicMessage, Value};
use serde_json::json;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tonic::Code;

const PASSWORD: &str = "correct horse battery staple";

/// A desk with accounts: Ada is its administrator, and runs the installation.
struct House {
    desk: Desk,
    identity: Identity,
    ada: Client,
}

fn no_limits() -> Config {
    Config { rates: Rates { read: 0, write: 0, cancel: 0, entrance: 0, tenant: 0 }, ..Config::default() }
}

/// The vault's box; its keys lie in the tests' own folder.
fn secrets() -> Box<dyn SecretBox> {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let name = format!("accounts-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&dir).unwrap();
    let secrets = VaultBox::open_dir(&dir, &dir, None).unwrap();
    // Its key is read once and held from then on.
    secrets.seal("first", b"use").unwrap();
    std::fs::remove_dir_all(dir).unwrap();
    Box::new(secrets)
}

impl House {
    async fn open(config: Config) -> Self {
        let log = ControlLog::open(Box::new(MemoryJournal::new(9)), system_clock()).unwrap();
        let cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
        let accounts = oms_auth::Config { cost, ..oms_auth::Config::default() };
        let identity = Identity::open(log, secrets(), accounts, system_clock()).await.unwrap();
        // The desk is there before its users are.
        let tenant = TenantCreated { tenant_id: TenantId::from_u128(1), name: "desk".to_owned() };
        identity.execute_as_console(Command::CreateTenant(tenant)).await.unwrap();
        let token = identity.issue_bootstrap().await.unwrap();
        let desk = Desk::open_of(config, Some(identity.clone())).await;
        let nobody = Client { key: String::new(), ..desk.client.clone() };
        let body = json!({"token": token, "name": "Ada", "password": PASSWORD, "email": "ada@example.com", "tenant_name": "desk"});
        anybody(&nobody, "/api/v1/auth/register", &body).await.expect(201);
        let ada = signed_in(&nobody, "ada@example.com").await;
        Self { desk, identity, ada }
    }

    fn nobody(&self) -> Client {
        Client { key: String::new(), ..self.desk.client.clone() }
    }

    /// A new member with this role.
    async fn member(&self, name: &str, role: Role) -> Client {
        let email = format!("{name}@example.com");
        let body = json!({"email": email, "role": role.as_str()});
        let invited = post(&self.ada, "/api/v1/tenants/00000000-0000-0000-0000-000000000001/invite", &body).await.expect(201);
        let body = json!({"token": invited.get("/token"), "name": name, "password": PASSWORD});
        anybody(&self.nobody(), "/api/v1/auth/register", &body).await.expect(201);
        signed_in(&self.nobody(), &email).await
    }
}

async fn login(nobody: &Client, email: &str, password: &str) -> Reply {
    anybody(nobody, "/api/v1/auth/login", &json!({"email": email, "password": password})).await
}

/// A client whose key is an access token.
async fn signed_in(nobody: &Client, email: &str) -> Client {
    let reply = login(nobody, email, PASSWORD).await.expect(200);
    Client { key: reply.get("/access_token"), ..nobody.clone() }
}

async fn anybody(client: &Client, path: &str, body: &serde_json::Value) -> Reply {
    client.bare("POST", path, &[("content-type", "application/json")], Some(body.to_string().as_bytes())).await
}

async fn send(client: &Client, method: &str, path: &str, body: Option<&str>) -> Reply {
    let bearer = format!("Bearer {}", client.key);
    client.bare(method, path, &[("authorization", &bearer), ("content-type", "application/json")], body.map(str::as_bytes)).await
}

async fn post(client: &Client, path: &str, body: &serde_json::Value) -> Reply {
    send(client, "POST", path, Some(&body.to_string())).await
}

async fn get(client: &Client, path: &str) -> Reply {
    send(client, "GET", path, None).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_trade_with_what_they_may() {
    let house = House::open(no_limits()).await;
    let trader = house.member("tom", Role::Trader).await;
    let placed = send(&trader, "POST", "/api/v1/orders", Some(&order(RESTING))).await.expect(201);
    let profile = get(&trader, "/api/v1/auth/profile").await.expect(200);
    let shown = get(&trader, &format!("/api/v1/orders/{}", placed.get("/order_id"))).await.expect(200);
    assert_eq!(shown.get("/user_id"), profile.get("/user_id"), "the log says who it was");
    let refused = send(&trader, "PUT", "/api/v1/risk/limits", Some("{}")).await.refused(403, "FORBIDDEN");
    assert_eq!(refused.get("/details/scope"), "risk:manage");
    let viewer = house.member("vic", Role::Viewer).await;
    get(&viewer, "/api/v1/orders").await.expect(200);
    let refused = send(&viewer, "POST", "/api/v1/orders", Some(&order(RESTING))).await.refused(403, "FORBIDDEN");
    assert_eq!(refused.get("/details/scope"), "orders:place");
}

/// The documented table is `Role::scopes`: each role gets past the door of exactly the operations whose scope it has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_gets_past_the_doors_that_the_table_says() {
    let house = House::open(no_limits()).await;
    let mut looked = 0;
    for &role in Role::ALL {
        let client = house.member(&role.as_str().to_lowercase(), role).await;
        for endpoint in endpoints().iter().filter(|endpoint| !endpoint.access.is_open()) {
            let scope = endpoint.access.scope();
            let path = filled(endpoint.path);
            let method = endpoint.method.to_uppercase();
            // A parameter that no operation has: what gets past the door is refused before it does anything.
            let reply = send(&client, &method, &format!("{path}?no_such_parameter=1"), (method != "GET").then_some("{}")).await;
            let may = scope.is_none_or(|scope| role.scopes().has(scope));
            assert_eq!(reply.status == 403, !may, "{role} {method} {path}: {}", reply.text());
            if let (false, Some(scope)) = (may, scope) {
                assert_eq!(reply.get("/details/scope"), scope.as_str());
            }
            looked += 1;
        }
    }
    assert!(looked > 400, "{looked}");
}

/// The same doors, by gRPC.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_gets_past_the_doors_of_grpc_that_the_table_says() {
    let house = House::open(no_limits()).await;
    let mut looked = 0;
    for &role in Role::ALL {
        let client = house.member(&role.as_str().to_lowercase(), role).await;
        let wire = Wire::of(&client).await;
        for method in &SCHEMA.methods {
            let scope = match &method.way {
                Way::Operation(operation) => operation.access.scope(),
                Way::Topic(_) => Some(Scope::OrdersView),
                Way::Entry => None,
            };
            let mut asked = DynamicMessage::new(method.input.clone());
            // What names nothing is refused before the door is looked at.
            for name in ["order_id", "symbol"] {
                if let Some(field) = method.input.get_field_by_name(name) {
                    asked.set_field(&field, Value::String("none".to_owned()));
                }
            }
            let mut call = wire.open(method.path.trim_start_matches('/'), &[]).await;
            call.ask(&asked.encode_to_vec(), true);
            let may = scope.is_none_or(|scope| role.scopes().has(scope));
            // Whoever gets into a stream is not told anything yet.
            if may && method.answers_on {
                continue;
            }
            let (_, end) = call.ended().await;
            let refused = end.err().filter(|refused| refused.code == Code::PermissionDenied);
            assert_eq!(refused.is_some(), !may, "{role} {}", method.path);
            if let (Some(refused), Some(scope)) = (refused, scope) {
                assert_eq!((refused.reason.as_str(), refused.details["scope"].as_str()), ("FORBIDDEN", scope.as_str()));
            }
            looked += 1;
        }
    }
    assert!(looked > 40, "{looked}");
}

/// What a stream lives by may be taken away while it is open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_its_credential() {
    let house = House::open(no_limits()).await;
    let made = post(&house.ada, "/api/v1/auth/api-keys", &json!({"name": "bot", "scopes": ["orders:place", "orders:view", "audit:view"]}))
        .await
        .expect(201);
    let bot = Client { key: made.get("/api_key"), ..house.nobody() };
    let wire = Wire::of(&bot).await;
    let mut events = wire.stream("Stream/StreamEvents", &message("StreamEventsRequest", &json!({"from": 1}))).await;
    let mut orders = wire.stream("Stream/StreamOrders", &message("StreamOrdersRequest", &json!({}))).await;
    let mut entry = wire.open("oms.v1.Ingest/OrderEntry", &[]).await;
    events.told().await;
    orders.told().await;
    let first = json!({"request_id": "1", "new_order": {"symbol": "AAPL", "side": "SIDE_BUY", "type": "ORD_TYPE_LIMIT", "qty": "1", "price": "19.00"}});
    entry.ask(&message("OrderEntryRequest", &first).encode_to_vec(), false);
    assert_eq!(get_field(&entry.told().await, "request_id"), "1");
    send(&house.ada, "DELETE", &format!("/api/v1/auth/api-keys/{}", made.get("/api_key_id")), None).await.expect(200);
    for mut stream in [events, orders, entry] {
        let (_, end) = stream.ended().await;
        assert_eq!(end.unwrap_err().code, Code::Unauthenticated);
    }
}

/// A live account needs a scope of its own beside that of the action, which an administrator has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_acts_on_a_live_account_may_do_so_by_name() {
    let house = House::open(no_limits()).await;
    let (manager, admin) = (house.member("mia", Role::Manager).await, house.member("ada2", Role::Admin).await);
    let assign = r#"{"reason":"so"}"#;
    for (path, body) in [("/connect", "{}"), ("/breaks/3/close", assign)] {
        let refused = send(&manager, "POST", &format!("/api/v1/brokers/IBLV{path}"), Some(body)).await.refused(403, "FORBIDDEN");
        assert_eq!(refused.get("/details/scope"), "brokers:live", "{path}");
        assert_ne!(send(&admin, "POST", &format!("/api/v1/brokers/IBLV{path}"), Some(body)).await.status, 403, "{path}");
        assert_ne!(send(&manager, "POST", &format!("/api/v1/brokers/IBKR{path}"), Some(body)).await.status, 403, "{path}");
    }
}

/// The typed commands have one door, and each its own scope behind it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_gets_its_commands_done_and_no_others() {
    let house = House::open(no_limits()).await;
    let seldom = house.member("seldom", Role::Viewer).await;
    let before = house.desk.handle.durable();
    for command in COMMANDS {
        let reply = send(&seldom, "POST", "/api/v1/commands/execute", Some(command.example)).await;
        // Some examples name what this desk has not.
        assert!(matches!(reply.status, 400 | 403), "{}: {}", command.name, reply.text());
    }
    assert_eq!(house.desk.handle.durable(), before, "nothing was done");
    let trader = house.member("tom", Role::Trader).await;
    let kill = r#"{"type":"KillSwitchEngageCmd","scope":"TENANT","reason":"x"}"#;
    let named = COMMANDS.iter().any(|command| kill.contains(command.name));
    if named {
        assert_eq!(
            send(&trader, "POST", "/api/v1/commands/execute", Some(kill)).await.refused(403, "FORBIDDEN").get("/details/scope"),
            "risk:kill"
        );
    }
    let sockets = order(RESTING);
    send(&trader, "POST", "/api/v1/orders", Some(&sockets)).await.expect(201);
}

fn filled(path: &str) -> String {
    let id = "00000000-0000-7000-8000-000000000001";
    let parts = path.split('/').map(|part| match part {
        "{symbol}" => "AAPL",
        "{tenant_id}" => "00000000-0000-0000-0000-000000000001",
        part if part.starts_with('{') => id,
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refresh_tokens_are_good_once() {
    let house = House::open(no_limits()).await;
    let first = login(&house.nobody(), "ada@example.com", PASSWORD).await.expect(200);
    let renew = |token: String| {
        let nobody = house.nobody();
        async move { anybody(&nobody, "/api/v1/auth/refresh", &json!({"refresh_token": token})).await }
    };
    let second = renew(first.get("/refresh_token")).await.expect(200);
    assert_ne!(first.get("/refresh_token"), second.get("/refresh_token"));
    let third = renew(second.get("/refresh_token")).await.expect(200);
    renew(first.get("/refresh_token")).await.refused(401, "UNAUTHENTICATED");
    renew(third.get("/refresh_token")).await.refused(401, "UNAUTHENTICATED");
    let stolen = Client { key: third.get("/access_token"), ..house.nobody() };
    get(&stolen, "/api/v1/orders").await.refused(401, "UNAUTHENTICATED");
    renew("oms_rt_".to_owned()).await.refused(401, "UNAUTHENTICATED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_gets_slower() {
    let house = House::open(no_limits()).await;
    let mut codes = Vec::new();
    for _ in 0..5 {
        let reply = login(&house.nobody(), "ada@example.com", "not the password").await;
        codes.push(reply.status);
        if reply.status == 429 {
            assert!(reply.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
        }
    }
    assert_eq!(codes, [401, 401, 401, 401, 429]);
    login(&house.nobody(), "ada@example.com", PASSWORD).await.refused(429, "RATE_LIMITED");
    get(&house.ada, "/api/v1/auth/profile").await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_of_a_browser_needs_its_csrf_token() {
    let house = House::open(no_limits()).await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD, "cookie": true});
    let reply = anybody(&house.nobody(), "/api/v1/auth/login", &body).await.expect(200);
    let line = reply.header("set-cookie").unwrap();
    assert!(line.contains("HttpOnly") && line.contains("SameSite=Strict") && line.contains("Path=/"), "{line}");
    let cookie = line.split(';').next().unwrap().to_owned();
    let csrf = reply.get("/csrf_token");
    let nobody = house.nobody();
    let body = order(RESTING);
    let place = async |headers: &[(&str, &str)]| {
        let headers: Vec<(&str, &str)> = [("content-type", "application/json")].iter().chain(headers).copied().collect();
        nobody.bare("POST", "/api/v1/orders", &headers, Some(body.as_bytes())).await
    };
    nobody.bare("GET", "/api/v1/orders", &[("cookie", &cookie)], None).await.expect(200);
    // A page that was opened anew learns it; a token of another kind is of no session with a cookie.
    assert_eq!(nobody.bare("GET", "/api/v1/auth/profile", &[("cookie", &cookie)], None).await.get("/csrf_token"), csrf);
    assert_eq!(get(&house.ada, "/api/v1/auth/profile").await.get("/csrf_token"), "null");
    place(&[("cookie", &cookie)]).await.refused(403, "FORBIDDEN");
    place(&[("cookie", &cookie), ("x-csrf-token", "made up")]).await.refused(403, "FORBIDDEN");
    place(&[("cookie", &cookie), ("x-csrf-token", &csrf)]).await.expect(201);
    place(&[("x-csrf-token", &csrf)]).await.refused(401, "UNAUTHENTICATED");
    let other = anybody(&nobody, "/api/v1/auth/login", &json!({"email": "ada@example.com", "password": PASSWORD, "cookie": true})).await;
    place(&[("cookie", &cookie), ("x-csrf-token", &other.get("/csrf_token"))]).await.refused(403, "FORBIDDEN");
    let out = nobody.bare("POST", "/api/v1/auth/logout", &[("cookie", &cookie), ("x-csrf-token", &csrf)], None).await.expect(200);
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    nobody.bare("GET", "/api/v1/orders", &[("cookie", &cookie)], None).await.refused(401, "UNAUTHENTICATED");
    // A browser goes on to send the cookie, and hears nothing of a socket that is refused: it is told on an open one.
    let mut late = Socket::open(&nobody, "/api/v1/ws", &format!("cookie: {cookie}\r\n")).await.unwrap();
    late.send(json!({"op": "subscribe", "topic": "orders"})).await;
    assert!(matches!(late.end().await, Got::Closed(CLOSE_UNAUTHENTICATED, _)));
    let mut with_key = Socket::open(&nobody, "/api/v1/ws", &format!("cookie: {cookie}\r\n")).await.unwrap();
    let answer = with_key.ask(json!({"op": "auth", "key": house.ada.key})).await;
    assert_eq!(answer["status"], 200, "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_credential_says_who_asks_and_from_where() {
    let house = House::open(no_limits()).await;
    let trader = house.member("tom", Role::Trader).await;
    let own = get(&trader, "/api/v1/auth/profile").await.get("/user_id");
    let bearer = format!("Bearer {}", trader.key);
    let claims = [
        ("x-user-id", "00000000-0000-7000-8000-000000000001"),
        ("x-tenant-id", "00000000-0000-7000-8000-000000000001"),
        ("x-scopes", "risk:manage"),
        ("x-forwarded-user", "ada@example.com"),
    ];
    for claim in claims {
        let reply = trader.bare("GET", "/api/v1/auth/profile", &[("authorization", &bearer), claim], None).await.expect(200);
        assert_eq!(reply.get("/user_id"), own);
    }
    let desk_key = house.desk.client.key.clone();
    for two in [
        [("authorization", bearer.as_str()), ("x-api-key", desk_key.as_str())],
        [("authorization", bearer.as_str()), ("authorization", bearer.as_str())],
        [("x-api-key", desk_key.as_str()), ("x-api-key", desk_key.as_str())],
    ] {
        trader.bare("GET", "/api/v1/auth/profile", &two, None).await.refused(401, "UNAUTHENTICATED");
    }
    // An address that a stranger writes into a header opens no list.
    let key = json!({"name": "bot", "scopes": ["orders:view"], "nets": ["10.0.0.0/8"]});
    let key = post(&trader, "/api/v1/auth/api-keys", &key).await.expect(201).get("/api_key");
    let forwarded = [("x-api-key", key.as_str()), ("x-forwarded-for", "10.1.2.3")];
    let refused = trader.bare("GET", "/api/v1/orders", &forwarded, None).await.refused(403, "FORBIDDEN");
    assert_eq!(refused.get("/details/address"), "127.0.0.1");

    let behind = House::open(Config { trusted_proxies: vec!["127.0.0.1".parse().unwrap()], ..no_limits() }).await;
    let key = json!({"name": "bot", "scopes": ["orders:view"], "nets": ["10.0.0.0/8"]});
    let key = post(&behind.ada, "/api/v1/auth/api-keys", &key).await.expect(201).get("/api_key");
    let ask =
        async |said: &str| behind.nobody().bare("GET", "/api/v1/orders", &[("x-api-key", &key), ("x-forwarded-for", said)], None).await;
    ask("10.1.2.3").await.expect(200);
    ask("10.1.2.3, 203.0.113.9").await.refused(403, "FORBIDDEN");
    ask("nonsense").await.refused(403, "FORBIDDEN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_made_rotated_and_taken_back() {
    let house = House::open(no_limits()).await;
    let trader = house.member("tom", Role::Trader).await;
    let beyond = json!({"name": "bot", "scopes": ["risk:manage"]});
    post(&trader, "/api/v1/auth/api-keys", &beyond).await.refused(403, "FORBIDDEN");
    post(&trader, "/api/v1/auth/api-keys", &json!({"name": "bot", "scopes": ["orders:fly"]})).await.refused(400, "VALIDATION_ERROR");
    let made = post(&trader, "/api/v1/auth/api-keys", &json!({"name": "bot", "scopes": ["orders:view"]})).await.expect(201);
    let with = |key: &str| Client { key: key.to_owned(), ..house.nobody() };
    let bot = with(&made.get("/api_key"));
    bot.get("/api/v1/orders").await.expect(200);
    bot.post("/api/v1/orders", &[], &order(RESTING)).await.refused(403, "FORBIDDEN");
    bot.get("/api/v1/auth/api-keys").await.refused(403, "FORBIDDEN");
    let rotated = bot.post("/api/v1/auth/rotate-api-key", &[], r#"{"overlap_s":0}"#).await.expect(200);
    bot.get("/api/v1/orders").await.refused(401, "UNAUTHENTICATED");
    let bot = with(&rotated.get("/api_key"));
    bot.get("/api/v1/orders").await.expect(200);
    let listed = get(&trader, "/api/v1/auth/api-keys").await.expect(200);
    assert!(!listed.text().contains(&bot.key) && bot.key.starts_with(&listed.get("/data/0/prefix")), "{}", listed.text());
    let viewer = house.member("vic", Role::Viewer).await;
    let path = format!("/api/v1/auth/api-keys/{}", made.get("/api_key_id"));
    send(&viewer, "DELETE", &path, None).await.refused(404, "NOT_FOUND");
    send(&house.ada, "DELETE", &path, None).await.expect(200);
    bot.get("/api/v1/orders").await.refused(401, "UNAUTHENTICATED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_is_not_there_for_another() {
    let house = House::open(no_limits()).await;
    let other = post(&house.ada, "/api/v1/tenants", &json!({"name": "other"})).await.expect(201);
    let tenant_id = other.get("/tenant_id");
    let (path, eve) = (format!("/api/v1/tenants/{tenant_id}/invite"), json!({"email": "eve@example.com", "role": "ADMIN"}));
    let token = post(&house.ada, &path, &eve).await.expect(201).get("/token");
    anybody(&house.nobody(), "/api/v1/auth/register", &json!({"token": token, "name": "Eve", "password": PASSWORD})).await.expect(201);
    let eve = signed_in(&house.nobody(), "eve@example.com").await;
    assert_eq!(get(&eve, "/api/v1/auth/profile").await.get("/tenant_id"), tenant_id);
    // Her credential selects her tenant, which has no desk here: every operation of this desk is none of hers.
    let before = house.desk.handle.durable();
    let mut looked = 0;
    for endpoint in endpoints().iter().filter(|endpoint| !endpoint.access.is_open() && !matches!(endpoint.access, Access::Account(_))) {
        let method = endpoint.method.to_uppercase();
        let reply = send(&eve, &method, &filled(endpoint.path), (method != "GET").then_some("{}")).await;
        assert!(matches!(reply.status, 404), "{method} {}: {}", endpoint.path, reply.text());
        looked += 1;
    }
    assert_eq!((house.desk.handle.durable(), looked > 80), (before, true));
    let mut accounts = 0;
    for endpoint in endpoints().iter().filter(|endpoint| endpoint.tag == "tenants" && endpoint.path.contains("{tenant_id}")) {
        let method = endpoint.method.to_uppercase();
        let body = match endpoint.id {
            "invite" => r#"{"email":"x@example.com","role":"ADMIN"}"#,
            "setMember" => r#"{"role":"ADMIN"}"#,
            "setAllowList" => r#"{"nets":[]}"#,
            _ => "{}",
        };
        let reply = send(&eve, &method, &filled(endpoint.path), (method != "GET").then_some(body)).await;
        assert_eq!(reply.status, 404, "{method} {}: {}", endpoint.path, reply.text());
        accounts += 1;
    }
    assert!(accounts >= 10);
    assert_eq!(get(&eve, "/api/v1/tenants").await.json()["data"].as_array().unwrap().len(), 1);
    post(&eve, "/api/v1/tenants", &json!({"name": "third"})).await.refused(403, "FORBIDDEN");
    // Nor does she give more than she has.
    let own = format!("/api/v1/tenants/{tenant_id}/invite");
    let more = json!({"email": "x@example.com", "role": "VIEWER", "scopes": ["tenants:admin"]});
    post(&eve, &own, &more).await.refused(403, "FORBIDDEN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_back_is_gone_from_open_connections() {
    let house = House::open(no_limits()).await;
    let ada = &house.ada;
    let made = post(ada, "/api/v1/auth/api-keys", &json!({"name": "stream", "scopes": ["audit:view"]})).await.expect(201);
    let bot = Client { key: made.get("/api_key"), ..house.nobody() };
    let mut stream = bot.stream("/api/v1/events/stream", &[]).await;
    let began = std::time::Instant::now();
    send(ada, "DELETE", &format!("/api/v1/auth/api-keys/{}", made.get("/api_key_id")), None).await.expect(200);
    assert_eq!(stream.next().await, None, "the stream ends");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn budgets_are_told_and_kept() {
    let rates = Rates { read: 2, write: 2, cancel: 5, entrance: 0, tenant: 10 };
    let house = House::open(Config { rates, ..Config::default() }).await;
    let first = get(&house.ada, "/api/v1/orders").await.expect(200);
    assert_eq!((first.header("ratelimit-limit"), first.header("ratelimit-remaining")), (Some("4"), Some("3")));
    let mut last = first;
    for _ in 0..50 {
        last = get(&house.ada, "/api/v1/orders").await;
        if last.status == 429 {
            break;
        }
    }
    let refused = last.refused(429, "RATE_LIMITED");
    assert_eq!(refused.header("retry-after"), Some("1"));
    let cancel = send(&house.ada, "POST", "/api/v1/orders/mass-cancel", Some(r#"{"scope":"TENANT"}"#)).await;
    assert_eq!(cancel.expect(202).get("/count"), "0", "cancels have a budget of their own");
    let few = House::open(Config { rates: Rates { entrance: 4, ..rates }, ..Config::default() }).await;
    let mut codes = Vec::new();
    for n in 0..4 {
        codes.push(login(&few.nobody(), &format!("n{n}@example.com"), "x").await.status);
    }
    assert_eq!(codes, [401, 401, 429, 429], "registration and first login were two");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_other_origins_ask_only_where_they_may() {
    let house = House::open(Config { allowed_origins: vec!["https://desk.example.com".to_owned()], secure: true, ..no_limits() }).await;
    let bearer = format!("Bearer {}", house.ada.key);
    let ask = async |origin: &str| house.ada.bare("GET", "/api/v1/orders", &[("authorization", &bearer), ("origin", origin)], None).await;
    let good = ask("https://desk.example.com").await;
    assert_eq!(good.header("access-control-allow-origin"), Some("https://desk.example.com"));
    assert_eq!(good.header("strict-transport-security"), Some("max-age=63072000; includeSubDomains"));
    assert_eq!(good.header("content-security-policy"), Some("default-src 'none'; frame-ancestors 'none'"));
    for other in ["https://evil.example.com", "null", "https://desk.example.com.evil.com"] {
        assert_eq!(ask(other).await.header("access-control-allow-origin"), None, "{other}");
    }
    let preflight = async |origin: &str| house.nobody().bare("OPTIONS", "/api/v1/orders", &[("origin", origin)], None).await;
    let allowed = preflight("https://desk.example.com").await.expect(204);
    assert!(allowed.header("access-control-allow-headers").unwrap().contains("X-CSRF-Token"));
    preflight("https://evil.example.com").await.refused(405, "METHOD_NOT_ALLOWED");
    let body = json!({"email": "ada@example.com", "password": PASSWORD, "cookie": true});
    let line = anybody(&house.nobody(), "/api/v1/auth/login", &body).await.expect(200);
    let cookie = line.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-oms_session=") && cookie.ends_with("; Secure"), "{cookie}");
    let socket = [("cookie", cookie.split(';').next().unwrap()), ("origin", "https://evil.example.com")];
    house.nobody().bare("GET", "/api/v1/ws", &socket, None).await.refused(403, "FORBIDDEN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keys_of_the_desks_own_log_still_open_it() {
    let house = House::open(no_limits()).await;
    house.desk.client.get("/api/v1/orders").await.expect(200);
    let stranger = Client { key: auth::new_key([8; 32]), ..house.desk.client.clone() };
    stranger.get("/api/v1/orders").await.refused(401, "UNAUTHENTICATED");
    let jwks = house.nobody().bare("GET", "/.well-known/jwks.json", &[], None).await.expect(200);
    assert_eq!((jwks.get("/keys/0/alg"), jwks.get("/keys/0/kty")), ("EdDSA".to_owned(), "OKP".to_owned()));
    assert!(house.identity.state().users().count() == 1 && Scopes::ALL.has(Scope::TenantsAdmin));
    let again = house.identity.register(&Default::default(), "oms_boot_x", Registration::default()).await;
    assert!(again.is_err());
}
