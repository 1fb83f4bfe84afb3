//! Venues that speak FIX, against the real desk: a client's orders come in by FIX, are routed, go out by FIX, and what is executed
//! comes back, with `kill -9` in the middle of it.
//!
//! `OMS_KILLS` sets how many kills (4 by default), `OMS_SEED` where chance begins, `OMS_RATE` and `OMS_SECONDS` how much the load is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use oms_e2e::fix::lives::{self, Lives};
use oms_e2e::fix::{FixClient, free_address};
use oms_e2e::http::Client;
use oms_e2e::prng::Prng;
use oms_e2e::server::{Home, Launch, Server, succeed};
use oms_e2e::venue::Venues;
use oms_e2e::{setting, through, until};
use std::collections::BTreeMap;

/// Every venue of the recording, so that whatever the router chooses goes out by FIX.
const NAMES: [&str; 8] = ["ARCX", "BATS", "BATY", "EDGA", "EDGX", "XBOS", "XNAS", "XNYS"];

fn launch(home: &Home, venues: &Venues, address: &str) -> Launch {
    let settings = home.path().join("settings.toml");
    std::fs::write(&settings, venues.settings()).unwrap();
    let launch = Launch::default().with("OMS_CONFIG", settings.to_str().unwrap()).with("OMS_FIX_LISTEN", address);
    // How old quotes may be is not what is looked at here, and a recording has quiet stretches.
    launch.with("OMS_LOG_FILTER", "warn").with("OMS_DEMO_LIMITS_MAX_QUOTE_AGE", "3600").with("OMS_DEMO_LIMITS_DUPLICATE_WINDOW", "")
}

/// What was executed of each leg at the desk, by the hexadecimal digits of its id.
fn legs(client: &mut Client) -> BTreeMap<String, i64> {
    let (mut legs, mut cursor) = (BTreeMap::new(), String::new());
    loop {
        let page = client.read(&format!("/queries/orders/search?limit=500&is_root=false{cursor}"));
        for order in page["data"].as_array().unwrap() {
            let id = order["order_id"].as_str().unwrap().replace('-', "");
            legs.insert(id, order["cum_qty"].as_str().unwrap().parse().unwrap());
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return legs,
        }
    }
}

/// The desk and the venues say the same of every order that the venues took, and each was there once.
fn agree(venues: &Venues, rest: &mut Client) -> i64 {
    let at_the_desk = legs(rest);
    let mut executed = 0;
    for name in NAMES {
        let books = venues.books(name);
        assert_eq!((books.duplicates, books.not_known), (0, 0), "{name}");
        for (id, order) in &books.orders {
            let leg = id.split('-').next().unwrap();
            assert_eq!(at_the_desk.get(leg), Some(&order.cum_qty), "{name} {id}: {order:?}");
            executed += order.cum_qty;
        }
    }
    let all: i64 = at_the_desk.values().sum();
    assert_eq!(all, executed, "what the desk has, and what the venues have");
    executed
}

#[test]
fn orders_go_through_the_desk_to_venues_and_back_over_kills() {
    let (home, address) = (Home::new("fix-venues"), free_address().to_string());
    let venues = Venues::open(&NAMES);
    let settings = launch(&home, &venues, &address);
    let mut prng = Prng::new(setting("OMS_SEED", 1));
    let server = Server::start(home.path(), &settings);
    // Ready means that every session is known to be good.
    assert!(venues.all_up());
    let mut client = FixClient::connect("CLIENT", &address);
    let lives = Lives { kills: setting("OMS_KILLS", 4), orders: 60..180, spread: 20, cancels: 5 };
    let (server, sent) = lives.run(server, &mut client, &mut prng, |_| Server::start(home.path(), &settings));
    // What a kill left in doubt is settled, and whatever still works is taken back.
    lives::take_back(&mut client, &sent);
    let mut rest = server.client();
    let last = client.audit();
    let executed = agree(&venues, &mut rest);
    let told: f64 = last.values().map(|told| told.get(14).parse::<f64>().unwrap()).sum();
    assert_eq!(told, executed as f64, "what the client was told, and what the venues have");
    assert!(0 < executed);
    let asked: u64 = venues.names().map(|name| venues.books(name).asked).sum();
    let (url, key) = (format!("http://{}", server.address()), server.key().to_owned());
    let sessions: serde_json::Value = serde_json::from_str(&succeed(&["fix", "sessions", "--url", &url, "--key", &key, "--json"])).unwrap();
    let shown = sessions["data"].as_array().unwrap().iter().filter(|one| one["kind"] == "VENUE" && one["logged_on"] == true).count();
    assert_eq!(shown, NAMES.len(), "{sessions}");
    // A session that is logged out stays out until it is told to log on, and it is known who did so and why.
    let fix = |words: &[&str]| succeed(&[["fix"].as_slice(), words, &["--url", &url, "--key", &key, "--json"]].concat());
    assert!(fix(&["logout", "V-XNAS", "--reason", "a drill"]).contains(r#""open":false"#));
    let up = |wanted: bool| {
        until("the session is as it was told", || {
            let shown = fix(&["status", "V-XNAS"]);
            if shown.contains(&format!(r#""logged_on":{wanted}"#)) { Ok(()) } else { Err(shown) }
        });
    };
    up(false);
    assert!(fix(&["reset", "V-XNAS", "--next-out", "9000"]).contains(r#""logged_on":false"#), "it is not back for that");
    assert!(fix(&["logon", "V-XNAS"]).contains(r#""open":true"#));
    up(true);
    let actions = fix(&["actions", "V-XNAS"]);
    assert!(["Logout", "a drill", "Numbers", "Logon"].iter().all(|word| actions.contains(word)), "{actions}");
    println!("{} orders, {executed} shares executed, {asked} questions, {} kills", sent.len(), lives.kills);
    server.stop();
}

/// Orders at a rate to venues in processes of their own, with the desk killed in the middle: what client, desk and venues have
/// in the end is the same. How fast they went is reported, not judged; `oms-speed fix` is the long run.
#[test]
fn orders_at_a_rate_are_the_same_at_all_ends_over_a_kill() {
    for kill in [false, true] {
        let plan = through::Plan { rate: setting("OMS_RATE", 300), seconds: setting("OMS_SECONDS", 4), kill, dir: None };
        let outcome = through::run(&plan);
        println!("{outcome}");
        assert!(kill || (!outcome.has_gaps() && outcome.not_sent == 0), "{:?}", outcome.gaps);
        assert!(0 < outcome.ends.executions && 0 < outcome.ends.orders);
    }
}
