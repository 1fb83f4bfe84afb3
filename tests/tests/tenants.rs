//! Two firms on one desk: founded, set up, trading, killed and found again, and neither ever sees the other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use oms_e2e::audit;
use oms_e2e::fix::{FixClient, free_address};
use oms_e2e::http::Client;
use oms_e2e::server::{Home, Launch, Server, run, succeed};
use oms_e2e::until;
use oms_fix::session::Phase;
use serde_json::{Value, json};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/desk.json");

fn founded(home: &Home, name: &str) -> String {
    let told = succeed(&["tenant", "create", name, "--json", "--data", home.path().to_str().unwrap()]);
    let told: Value = serde_json::from_str(&told).unwrap();
    told["api_key"].as_str().unwrap().to_owned()
}

fn orders(client: &mut Client) -> Vec<Value> {
    client.read("/orders?limit=500")["data"].as_array().unwrap().clone()
}

/// Buys shares of BAC at the market, once there is one.
fn buy(client: &mut Client, name: &str, account_id: &Value) -> String {
    let order = json!({"symbol": "BAC", "side": "BUY", "ord_type": "MARKET", "order_qty": "100", "cl_ord_id": name,
        "account_id": account_id});
    until("a market for BAC", || {
        let market = client.read("/marketdata/last/BAC");
        if market["ask"].is_string() { Ok(()) } else { Err(market.to_string()) }
    });
    let placed = client.post("/orders", &[], &order);
    assert_eq!(placed.status, 201, "{}", placed.text());
    let id = placed.json()["order_id"].as_str().unwrap().to_owned();
    until("a fill", || {
        let order = client.read(&format!("/orders/{id}"));
        if order["ord_status"] == "FILLED" { Ok(()) } else { Err(order.to_string()) }
    });
    id
}

#[test]
fn two_firms_share_a_process_and_nothing_else() {
    let home = Home::new("tenants");
    let data = home.path().to_str().unwrap();
    let nobody = run(&["serve", "--listen", "127.0.0.1:0", "--data", data]);
    assert_eq!(nobody.status.code(), Some(2), "a desk without a tenant does not open");
    let (alpha, beta) = (founded(&home, "alpha"), founded(&home, "beta"));
    assert_eq!(run(&["tenant", "create", "beta", "--data", data]).status.code(), Some(2), "a name is taken once");
    let launch = Launch::default().founded();
    let server = Server::start(home.path(), &launch);
    let url = format!("http://{}", server.address());
    for (key, set) in [(&alpha, "12 set"), (&beta, "12 set")] {
        for _ in 0..2 {
            let told = succeed(&["setup", "apply", EXAMPLE, "--url", &url, "--key", key]);
            assert_eq!(told.trim(), set);
        }
    }
    let (mut a, mut b) = (Client::new(server.address(), &alpha), Client::new(server.address(), &beta));
    let account = |client: &mut Client| client.read("/accounts")["data"][0]["account_id"].clone();
    let (of_a, of_b) = (account(&mut a), account(&mut b));
    assert_ne!(of_a, of_b);
    let order = buy(&mut a, "A-1", &of_a);
    assert_eq!(orders(&mut b), Vec::<Value>::new());
    assert_eq!(b.get(&format!("/orders/{order}")).status, 404);
    // The same id of a client is another's too.
    let theirs = buy(&mut b, "A-1", &of_b);
    assert_ne!(order, theirs);
    let foreign = json!({"symbol": "BAC", "side": "BUY", "ord_type": "MARKET", "order_qty": "1", "account_id": of_a});
    assert!((400..500).contains(&b.post("/orders", &[], &foreign).status), "an account of another is none");

    server.kill();
    let server = Server::start(home.path(), &launch);
    let (mut a, mut b) = (Client::new(server.address(), &alpha), Client::new(server.address(), &beta));
    assert_eq!(a.read(&format!("/orders/{order}"))["ord_status"], "FILLED");
    assert_eq!((a.get(&format!("/orders/{theirs}")).status, b.get(&format!("/orders/{order}")).status), (404, 404));
    assert_eq!(b.read(&format!("/orders/{theirs}"))["ord_status"], "FILLED");
    server.stop();
    for log in [home.path().to_owned(), home.path().join("tenants/beta")] {
        let verified = succeed(&["journal", "verify", "--data", log.to_str().unwrap()]);
        assert!(verified.contains("intact"), "{verified}");
        audit::replay_agrees(&log);
    }
}

/// Signs in with a password; a client whose key is the token.
fn person(server: &Server, email: &str, tenant_id: Option<&str>) -> Client {
    let mut nobody = Client::new(server.address(), "");
    let signed = nobody.post("/auth/login", &[], &json!({"email": email, "password": PASSWORD, "tenant_id": tenant_id}));
    assert_eq!(signed.status, 200, "{}", signed.text());
    Client::new(server.address(), signed.json()["access_token"].as_str().unwrap())
}

const PASSWORD: &str = "correct horse battery staple";

/// A tenant that is made over the interface has a desk like any other, at once and after a kill.
#[test]
fn a_firm_is_founded_while_others_trade() {
    let home = Home::new("founded");
    let data = home.path().to_str().unwrap();
    founded(&home, "alpha");
    let link: Value = serde_json::from_str(&succeed(&["admin", "bootstrap", "--json", "--data", data])).unwrap();
    let launch = Launch::default().founded();
    let server = Server::start(home.path(), &launch);
    let mut nobody = Client::new(server.address(), "");
    let ada = json!({"token": link[0]["token"], "email": "ada@example.com", "name": "Ada", "password": PASSWORD, "tenant_name": "alpha"});
    assert_eq!(nobody.post("/auth/register", &[], &ada).status, 201);
    let mut ada = person(&server, "ada@example.com", None);
    let made = ada.post("/tenants", &[], &json!({"name": "Gamma Fund"}));
    assert_eq!(made.status, 201, "{}", made.text());
    let tenant_id = made.json()["tenant_id"].as_str().unwrap().to_owned();
    assert_eq!(ada.post("/tenants", &[], &json!({"name": "Gamma Fund"})).status, 409, "a name is taken once");
    assert_eq!(ada.post("/tenants", &[], &json!({"name": "another", "slug": "gamma-fund"})).status, 409, "and so is a folder");
    assert_eq!(ada.post("/tenants", &[], &json!({"name": "one more", "slug": "../x"})).status, 400);
    assert!(home.path().join("tenants/gamma-fund/log").is_dir());
    let invited = ada.post(&format!("/tenants/{tenant_id}/invite"), &[], &json!({"email": "grace@example.com", "role": "ADMIN"}));
    assert_eq!(invited.status, 201, "{}", invited.text());
    let grace = json!({"token": invited.json()["token"], "name": "Grace", "password": PASSWORD});
    assert_eq!(nobody.post("/auth/register", &[], &grace).status, 201);
    let mut grace = person(&server, "grace@example.com", Some(&tenant_id));
    assert_eq!(orders(&mut grace), Vec::<Value>::new());
    let key = grace.post("/auth/api-keys", &[], &json!({"name": "desk", "scopes": ["orders:place", "orders:view", "positions:view", "risk:manage", "brokers:view", "brokers:connect", "system:admin", "marketdata:subscribe"]}));
    assert_eq!(key.status, 201, "{}", key.text());
    let key = key.json()["api_key"].as_str().unwrap().to_owned();
    let url = format!("http://{}", server.address());
    assert_eq!(succeed(&["setup", "apply", EXAMPLE, "--url", &url, "--key", &key]).trim(), "12 set");
    let mut desk = Client::new(server.address(), &key);
    let account_id = desk.read("/accounts")["data"][0]["account_id"].clone();
    let order = buy(&mut desk, "C-1", &account_id);
    assert_eq!(ada.get(&format!("/orders/{order}")).status, 404);

    server.kill();
    let server = Server::start(home.path(), &launch);
    let mut desk = Client::new(server.address(), &key);
    assert_eq!(desk.read(&format!("/orders/{order}"))["ord_status"], "FILLED", "the ids of the desk and of the accounts agree");
    server.stop();
    let log = home.path().join("tenants/gamma-fund");
    let verified = succeed(&["journal", "verify", "--data", log.to_str().unwrap()]);
    assert!(verified.contains("intact"), "{verified}");
}

/// The desk dies while it founds a firm, at whatever it does just then. The same request, sent once more, finishes it.
#[test]
fn a_founding_that_is_cut_short_is_finished_by_the_same_request() {
    let home = Home::new("cut-short");
    let data = home.path().to_str().unwrap();
    founded(&home, "alpha");
    let link: Value = serde_json::from_str(&succeed(&["admin", "bootstrap", "--json", "--data", data])).unwrap();
    let launch = Launch::default().founded();
    let mut server = Server::start(home.path(), &launch);
    let ada = json!({"token": link[0]["token"], "email": "ada@example.com", "name": "Ada", "password": PASSWORD, "tenant_name": "alpha"});
    assert_eq!(Client::new(server.address(), "").post("/auth/register", &[], &ada).status, 201);
    // How long it lives on is all that differs; none of these is needed for what is asserted.
    for (round, millis) in [0_u64, 3, 8, 15, 25, 40, 70, 400].into_iter().enumerate() {
        let mut ada = person(&server, "ada@example.com", None);
        let (key, body) = (format!("found-{round}"), json!({"name": format!("Fund {round}"), "slug": format!("fund-{round}")}));
        let asking = (key.clone(), body.clone());
        let first = std::thread::spawn(move || {
            ada.call("POST", "/api/v1/tenants", &[("Idempotency-Key", &asking.0)], Some(&asking.1.to_string())).ok()
        });
        std::thread::sleep(std::time::Duration::from_millis(millis));
        server.kill();
        let first = first.join().unwrap();
        server = Server::start(home.path(), &launch);
        let mut ada = person(&server, "ada@example.com", None);
        let made = ada.post("/tenants", &[("Idempotency-Key", &key)], &body);
        assert_eq!(made.status, 201, "after {millis} ms: {}", made.text());
        if let Some(first) = first.filter(|first| first.status == 201) {
            assert_eq!(first.body, made.body, "after {millis} ms");
        }
        let again = ada.post("/tenants", &[("Idempotency-Key", &key)], &body);
        assert_eq!((again.status, again.header("idempotent-replay"), &again.body), (201, Some("true"), &made.body));
        let tenants = ada.read("/tenants");
        let called = |name: &str| tenants["data"].as_array().unwrap().iter().filter(|one| one["name"] == name).count();
        assert_eq!(called(&format!("Fund {round}")), 1, "{tenants}");
        // It is served: somebody joins, and sees its orders.
        let tenant_id = made.json()["tenant_id"].as_str().unwrap().to_owned();
        let email = format!("grace{round}@example.com");
        let invited = ada.post(&format!("/tenants/{tenant_id}/invite"), &[], &json!({"email": email, "role": "ADMIN"}));
        let grace = json!({"token": invited.json()["token"], "name": "Grace", "password": PASSWORD});
        assert_eq!(Client::new(server.address(), "").post("/auth/register", &[], &grace).status, 201);
        assert_eq!(orders(&mut person(&server, &email, Some(&tenant_id))), Vec::<Value>::new());
    }
    server.stop();
}

#[test]
fn clients_of_two_firms_speak_fix_by_one_door() {
    let (home, address) = (Home::new("tenants-fix"), free_address().to_string());
    let (alpha, beta) = (founded(&home, "alpha"), founded(&home, "beta"));
    let session = |name: &str, tenant: &str, scopes: &str| {
        format!("[[fix.sessions]]\ncomp_id = \"{name}\"\ntenant = \"{tenant}\"\naccount = \"growth\"\nscopes = [{scopes}]\n")
    };
    let settings = home.path().join("settings.toml");
    let nowhere = [session("A", "", ""), session("C", "gamma", "")].concat();
    std::fs::write(&settings, nowhere).unwrap();
    let words = ["serve", "--listen", "127.0.0.1:0", "--data", home.path().to_str().unwrap(), "--config", settings.to_str().unwrap()];
    let refused = run(&words);
    assert!(refused.status.code() == Some(2) && String::from_utf8_lossy(&refused.stderr).contains("gamma"), "{refused:?}");
    std::fs::write(&settings, [session("A", "", ""), session("B", "beta", ""), session("V", "beta", "\"VIEWER\"")].concat()).unwrap();
    let launch = Launch::default().founded().with("OMS_CONFIG", settings.to_str().unwrap()).with("OMS_FIX_LISTEN", &address);
    let mut server = Server::start(home.path(), &launch);
    let url = format!("http://{}", server.address());
    for key in [&alpha, &beta] {
        assert_eq!(succeed(&["setup", "apply", EXAMPLE, "--url", &url, "--key", key]).trim(), "12 set");
        let mut client = Client::new(server.address(), key);
        until("a market for BAC", || {
            let market = client.read("/marketdata/last/BAC");
            if market["ask"].is_string() { Ok(()) } else { Err(market.to_string()) }
        });
    }
    let mut clients = ["A", "B", "V"].map(|name| FixClient::connect(name, &address));
    for life in 0..2 {
        let id = format!("ONE-{life}");
        for client in &mut clients[..2] {
            client.until_phase(Phase::Up);
            // The same id is another order at each firm. Before a venue has been heard of there is no way to go.
            let mut tries = 0;
            until("an order that is taken", || {
                tries += 1;
                let id = format!("{id}-{tries}");
                assert!(client.order(&id, &[(55, "BAC"), (40, "1"), (38, &(100 + tries).to_string())]));
                let first = client.until("the first report", |told| told.get(11) == id);
                if first.is("0") { Ok(()) } else { Err(first.get(58).to_owned()) }
            });
            client.until("it is executed", |told| told.get(11).starts_with(&id) && told.is("F"));
        }
        let looks = &mut clients[2];
        looks.until_phase(Phase::Up);
        assert!(looks.order(&id, &[(55, "BAC"), (40, "1")]));
        let refused = looks.until("a refusal", |told| told.get(11) == id);
        assert!(refused.is("8") && refused.get(58).contains("orders:place"), "{refused:?}");
        if life == 0 {
            server.kill();
            server = Server::start(home.path(), &launch);
        }
    }
    // Each firm sees its own sessions and orders, and steers no other's.
    let url = format!("http://{}", server.address());
    for (key, names, other) in [(&alpha, vec!["A"], "B"), (&beta, vec!["B", "V"], "A")] {
        let mut client = Client::new(server.address(), key);
        let page = client.read("/fix/sessions");
        let shown: Vec<&str> = page["data"].as_array().unwrap().iter().map(|session| session["client"].as_str().unwrap()).collect();
        assert_eq!(shown, names);
        assert!(!run(&["fix", "logout", other, "--url", &url, "--key", key]).status.success());
        let roots = client.read("/queries/orders/search?limit=500&is_root=true");
        let filled = roots["data"].as_array().unwrap().iter().filter(|order| order["ord_status"] == "FILLED").count();
        assert_eq!(filled, 2, "{roots}");
    }
    clients.iter().for_each(|client| drop(client.audit()));
    server.stop();
}
