//! Venues that speak FIX, against the real desk: a client's orders come in by FIX, are routed, go out by FIX, and what is executed
//! comes back, with `kill -9` in the middle of it.
//!
//! `OMS_KILLS` sets how many kills (4 by default), `OMS_SEED` where chance begins, `OMS_ORDERS` how many orders the measurement sends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use oms_e2e::fix::{FixClient, Told, free_address};
use oms_e2e::http::Client;
use oms_e2e::prng::Prng;
use oms_e2e::server::{Home, Launch, Server, succeed};
use oms_e2e::venue::Venues;
use oms_e2e::{setting, until};
use oms_fix::session::Phase;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Every venue of the recording, so that whatever the router chooses goes out by FIX.
const NAMES: [&str; 8] = ["ARCX", "BATS", "BATY", "EDGA", "EDGX", "XBOS", "XNAS", "XNYS"];

fn launch(home: &Home, venues: &Venues, address: &str) -> Launch {
    let settings = home.path().join("settings.toml");
    std::fs::write(&settings, venues.settings()).unwrap();
    let launch = Launch::default().with("OMS_CONFIG", settings.to_str().unwrap()).with("OMS_FIX_LISTEN", address);
    // How old quotes may be is not what is looked at here, and a recording has quiet stretches.
    launch.with("OMS_LOG_FILTER", "warn").with("OMS_DEMO_LIMITS_MAX_QUOTE_AGE", "3600").with("OMS_DEMO_LIMITS_DUPLICATE_WINDOW", "")
}

/// The best offer, in cents.
fn offer(client: &mut Client, symbol: &str) -> i64 {
    until("a quote", || {
        let market = client.read(&format!("/marketdata/last/{symbol}"));
        let cents = market["ask"].as_str().and_then(|text| text.parse::<f64>().ok()).map(|price| (price * 100.0).round() as i64);
        cents.ok_or_else(|| market.to_string())
    })
}

fn price(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
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

fn nothing_works(all: &[Told]) -> Option<()> {
    let mut last: BTreeMap<&str, &str> = BTreeMap::new();
    all.iter().filter(|told| told.get(35) == "8" && told.get(37) != "NONE").for_each(|told| {
        last.insert(told.get(37), told.get(39));
    });
    last.values().all(|status| matches!(*status, "2" | "4" | "8" | "C")).then_some(())
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
    let mut server = Server::start(home.path(), &settings);
    // Ready means that every session is known to be good.
    assert!(venues.all_up());
    let ask = offer(&mut server.client(), "BAC");
    let mut client = FixClient::connect("CLIENT", &address);
    let (mut number, kills) = (0_u64, setting("OMS_KILLS", 4));
    for _ in 0..kills {
        client.until_phase(Phase::Up);
        for _ in 0..60 + prng.below(120) {
            number += 1;
            let (id, limit) = (format!("k{number}"), price(ask + i64::try_from(prng.below(40)).unwrap() - 20));
            let qty = (100 * (1 + prng.below(9))).to_string();
            client.order(&id, &[(55, "BAC"), (44, &limit), (38, &qty)]);
            if prng.below(5) == 0 {
                client.cancel(&format!("c{number}"), &id, "BAC");
            }
        }
        let told = client.all().len();
        client.until_all("some of it is told", |all| (told / 2 < all.len()).then_some(()));
        server.kill();
        server = Server::start(home.path(), &settings);
    }
    client.until_phase(Phase::Up);
    let sent: Vec<String> = client.sent.keys().filter(|id| id.starts_with('k')).cloned().collect();
    client.until_all("every order is answered", |all| {
        let answered: std::collections::BTreeSet<&str> =
            all.iter().filter(|told| told.is("0") || told.is("8")).map(|told| told.get(11)).collect();
        sent.iter().all(|id| answered.contains(id.as_str())).then_some(())
    });
    // What a kill left in doubt is settled, and whatever still works is taken back.
    let mut rest = server.client();
    assert!(client.send("q", &[(11, "all"), (530, "7"), (60, "20261127-10:00:00")]));
    client.until("an answer to the mass cancel", |told| told.get(35) == "r");
    client.until_all("nothing works any more", nothing_works);
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
    println!("{} orders, {executed} shares executed, {asked} questions, {kills} kills", sent.len());
    server.stop();
}

/// How long an order takes from the client to its venue and back; reported, not judged.
#[test]
fn how_fast_orders_go_through() {
    let orders = usize::try_from(setting("OMS_ORDERS", 2_000)).unwrap();
    let (home, address) = (Home::new("fix-through"), free_address().to_string());
    let venues = Venues::open(&NAMES);
    let server = Server::start(home.path(), &launch(&home, &venues, &address).speed("1x"));
    let deep = price(offer(&mut server.client(), "BAC") * 97 / 100);
    let mut client = FixClient::connect("CLIENT", &address);
    client.until_phase(Phase::Up);
    let (began, mut next) = (Instant::now(), 0);
    // So many outstanding.
    while next < orders {
        let upto = (next + 100).min(orders);
        let fields = |n: usize| {
            vec![
                (11, format!("t{n}")),
                (38, "100".to_owned()),
                (40, "2".to_owned()),
                (44, deep.clone()),
                (54, "1".to_owned()),
                (55, "BAC".to_owned()),
                (60, "20261127-10:00:00.000".to_owned()),
            ]
        };
        client.send_all("D", (next..upto).map(fields));
        next = upto;
        let done = next.saturating_sub(200);
        client.until_all("orders are answered", |all| (done <= all.iter().filter(|told| told.is("0")).count()).then_some(()));
    }
    until("the venues have them", || {
        let there: usize = venues.names().map(|name| venues.books(name).orders.len()).sum();
        if orders <= there { Ok(()) } else { Err(there.to_string()) }
    });
    let took = began.elapsed();
    println!("{orders} orders through the desk in {took:?}: {:.0}/s", orders as f64 / took.max(Duration::from_millis(1)).as_secs_f64());
    server.stop();
}
