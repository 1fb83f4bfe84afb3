//! Clients that speak FIX, against the real desk: a day of orders, `kill -9` in the middle of it, QuickFIX as the client.
//!
//! `OMS_KILLS` sets how many kills (6 by default), `OMS_SEED` where chance begins, `OMS_ORDERS` how many orders the
//! measurement sends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "../../crates/oms-fix/tests/quickfix/peer.rs"]
mod peer;

use oms_e2e::fix::lives::{self, Lives, offer, price};
use oms_e2e::fix::{FixClient, Told, free_address};
use oms_e2e::http::Client;
use oms_e2e::prng::Prng;
use oms_e2e::server::{Home, Launch, Server, succeed};
use oms_e2e::{setting, until};
use oms_fix::session::Phase;
use peer::Peer;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

fn launch(address: &str) -> Launch {
    // How old quotes may be is not what is looked at here, and a recording has quiet stretches.
    Launch::default().with("OMS_FIX_LISTEN", address).with("OMS_LOG_FILTER", "warn").with("OMS_DEMO_LIMITS_MAX_QUOTE_AGE", "3600")
}

/// Client orders of the desk that came by FIX, by ClOrdID: state and executed quantity.
fn at_the_desk(client: &mut Client) -> BTreeMap<String, (String, f64)> {
    let mut orders = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = client.read(&format!("/queries/orders/search?limit=500&is_root=true{cursor}"));
        for order in page["data"].as_array().unwrap().iter().filter(|order| order["source"] == "FIX") {
            let field = |name: &str| order[name].as_str().unwrap_or_default().to_owned();
            let known = orders.insert(field("cl_ord_id"), (field("ord_status"), field("cum_qty").parse().unwrap()));
            assert!(known.is_none(), "{order}");
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return orders,
        }
    }
}

/// An order's id, its fields, and whether it rests.
type Kind<'k> = (&'k str, Vec<(i32, &'k str)>, bool);

#[test]
fn a_day_of_orders_of_every_kind() {
    let (home, address) = (Home::new("fix-day"), free_address().to_string());
    let server = Server::start(home.path(), &launch(&address));
    let mut rest = server.client();
    let ask = offer(&mut rest, "BAC");
    let (deep, through, high) = (price(ask * 95 / 100), price(ask * 105 / 100), price(ask * 108 / 100));
    let mut client = FixClient::connect("CLIENT", &address);
    client.until_phase(Phase::Up);
    let bac = (55, "BAC");
    // A recording has quiet stretches, in which no venue shows a quote that is new enough.
    let mut tries = 0..;
    until("a market that takes orders", || {
        let id = format!("try{}", tries.next().unwrap());
        client.order(&id, &[bac, (40, "1"), (38, &(1_000 + id.len()).to_string())]);
        let first = client.until("the first report", |told| told.get(11) == id);
        if first.is("0") { Ok(()) } else { Err(first.get(58).to_owned()) }
    });
    // One of each type.
    let kinds: [Kind<'_>; 10] = [
        ("market", vec![(40, "1")], false),
        ("limit", vec![(44, &deep)], true),
        ("ioc", vec![(44, &through), (59, "3")], false),
        ("fok", vec![(44, &through), (59, "4")], false),
        ("stop", vec![(40, "3"), (99, &high), (59, "1")], true),
        ("stop-limit", vec![(40, "4"), (99, &high), (44, &high), (59, "1")], true),
        ("trailing", vec![(40, "P"), (18, "a"), (99, &high), (211, "0.50"), (59, "1")], true),
        ("pegged", vec![(40, "P"), (18, "R"), (44, &deep)], true),
        ("to-limit", vec![(40, "K")], false),
        ("displayed", vec![(44, &deep), (38, "1000"), (111, "100")], true),
    ];
    for (at, (id, more, rests)) in kinds.iter().enumerate() {
        // Equal orders in one second are refused as duplicates.
        let qty = (100 + at).to_string();
        let fields: Vec<(i32, &str)> = [(38, qty.as_str()), bac].into_iter().chain(more.iter().copied()).collect();
        assert!(client.order(id, &fields));
        let first = client.until("the first report", |told| told.get(11) == *id);
        assert!(first.is("0"), "{id}: {first:?}");
        if !rests {
            client.until("the end of it", |told| told.get(11) == *id && matches!(told.get(39), "2" | "4"));
        }
    }
    let bought = client.until("an execution", |told| told.get(11) == "market" && told.is("F"));
    assert!(!bought.get(30).is_empty() && !bought.get(31).is_empty(), "{bought:?}");
    // A large order is executed in parts, and then changed and canceled.
    // A market that moves fast may fill all of it before: then another.
    let mut tries = 0..10;
    let (large, replaced) = loop {
        let try_number = tries.next().expect("a large order that is still working");
        let (large, smaller) = (format!("large{try_number}"), format!("smaller{try_number}"));
        let qty = (100_000 - try_number).to_string();
        assert!(client.order(&large, &[bac, (44, &price(ask)), (38, &qty)]));
        client.until("a part of it", |told| told.get(11) == large && told.is("F"));
        client.send("G", &[(11, &smaller), (38, "90000"), (40, "2"), (41, &large), (44, &deep), (54, "1"), bac, (60, "20261127-10:00:00")]);
        let answer =
            client.until("the replace holds, or is too late", |told| told.get(11) == smaller && (told.is("5") || told.get(35) == "9"));
        if answer.is("5") {
            client.until("the replace was taken on", |told| told.get(11) == smaller && told.is("E"));
            break (large, answer);
        }
        assert_eq!(answer.get(102), "0", "too late to change: {answer:?}");
    };
    let smaller = replaced.get(11).to_owned();
    assert_eq!(
        (replaced.get(41), replaced.get(38), replaced.get(44)),
        (large.as_str(), "90000", price(ask * 95 / 100).trim_end_matches('0'))
    );
    assert!(client.cancel("no-more", &smaller, "BAC"));
    client.until("the cancel is taken on", |told| told.get(11) == "no-more" && told.is("6"));
    let canceled = client.until("it is canceled", |told| told.get(11) == "no-more" && told.is("4"));
    assert_eq!((canceled.get(41), canceled.get(151), canceled.get(39)), (smaller.as_str(), "0", "4"));
    // Refused: by the gate, for its symbol, for its name.
    for (id, more, reason) in
        [("far", (44, "0.05"), "PRICE_COLLAR"), ("odd", (55, "NOSUCH"), "UNKNOWN_SYMBOL"), (large.as_str(), bac, "DUPLICATE_CL_ORD_ID")]
    {
        assert!(client.order(id, &[bac, (44, &deep), more]));
        let refused = client.until("a refusal", |told| told.get(11) == id && told.is("8"));
        assert!(refused.get(58).starts_with(reason), "{refused:?}");
    }
    client.send("H", &[(11, "limit"), (54, "1"), bac]);
    assert_eq!(client.until("a status", |told| told.is("I")).get(39), "0");
    // A cut: what happens meanwhile is told afterwards.
    client.logout();
    let order = at_the_desk(&mut rest);
    assert_eq!(order["limit"].0, "LIVE");
    rest.post("/risk/kill-switch/engage", &[], &serde_json::json!({"scope": "TENANT", "reason": "a test"}));
    let unasked = client.until("the order is gone", |told| told.get(11) == "limit" && told.is("4"));
    assert!(unasked.get(41).is_empty(), "{unasked:?}");
    client.until_all("all of them are", |all| ["stop", "trailing", "pegged", "displayed"].iter().all(|id| is_over(all, id)).then_some(()));
    assert!(client.order("late", &[bac, (44, &deep)]));
    assert!(client.until("a refusal", |told| told.get(11) == "late" && told.is("8")).get(58).starts_with("KILL_SWITCH"));
    rest.post("/risk/kill-switch/release", &[], &serde_json::json!({"scope": "TENANT", "reason": "a test"}));
    for (id, qty) in [("m1", "300"), ("m2", "400")] {
        assert!(client.order(id, &[bac, (44, &deep), (38, qty)]));
    }
    client.send("q", &[(11, "all"), (530, "7"), (60, "20261127-10:00:00")]);
    let taken = client.until("an answer to the mass cancel", |told| told.get(35) == "r");
    assert_eq!((taken.get(531), taken.get(533)), ("7", "2"), "{taken:?}");
    client.until_all("both are canceled", |all| ["m1", "m2"].iter().all(|id| is_over(all, id)).then_some(()));
    client.audit();
    server.stop();
}

fn is_over(all: &[Told], id: &str) -> bool {
    all.iter().any(|told| told.get(11) == id && matches!(told.get(39), "2" | "4" | "8" | "C"))
}

#[test]
fn nothing_is_lost_or_doubled_when_the_desk_is_killed() {
    let (home, address) = (Home::new("fix-kill"), free_address().to_string());
    let mut prng = Prng::new(setting("OMS_SEED", 1));
    let server = Server::start(home.path(), &launch(&address).speed("20x"));
    let mut client = FixClient::connect("CLIENT", &address);
    let lives = Lives { kills: setting("OMS_KILLS", 6), orders: 40..160, spread: 30, cancels: 4 };
    let (server, sent) = lives.run(server, &mut client, &mut prng, |life| {
        Server::start(home.path(), &launch(&address).speed(if life % 2 == 0 { "20x" } else { "1x" }))
    });
    assert!(u64::try_from(sent.len()).unwrap() > 20 * lives.kills, "only {} orders", sent.len());
    // Everything that was sent is answered, and whatever still works is taken back.
    lives::take_back(&mut client, &sent);
    // An order that was taken may be refused later, where its venue proves not to know it: each is told once.
    let answers = |all: &[Told]| {
        let mut first: BTreeMap<String, [u32; 2]> = BTreeMap::new();
        for (kind, word) in ["0", "8"].into_iter().enumerate() {
            all.iter().filter(|told| told.is(word)).for_each(|told| first.entry(told.get(11).to_owned()).or_default()[kind] += 1);
        }
        first
    };
    let last = client.audit();
    // The desk has what was sent and was told of, each once, and says the same of it.
    let mut rest = server.client();
    let known = at_the_desk(&mut rest);
    for (id, count) in answers(&client.all()) {
        assert!(count.iter().all(|times| *times <= 1), "{id} was told as new and as refused {count:?} times");
    }
    assert_eq!(known.keys().collect::<Vec<_>>(), sent.iter().collect::<Vec<_>>(), "each order is at the desk once");
    let mut filled = 0;
    for told in last.values() {
        let report = client.all().into_iter().find(|first| first.get(37) == told.get(37) && (first.is("0") || first.is("8"))).unwrap();
        let (_, cum) = &known[report.get(11)];
        assert_eq!(told.get(14).parse::<f64>().unwrap(), *cum, "{told:?}");
        filled += u32::from(told.get(39) == "2");
    }
    println!("{} orders, {filled} of them filled, {} messages told, {} kills", sent.len(), client.all().len(), lives.kills);
    server.stop();
}

#[test]
fn quickfix_is_a_client_over_a_kill() {
    let (home, address) = (Home::new("fix-quickfix"), free_address());
    let settings = launch(&address.to_string()).speed("1x");
    let server = Server::start(home.path(), &settings);
    let ask = offer(&mut server.client(), "BAC");
    let deep = price(ask * 95 / 100);
    let mut quickfix = Peer::start("initiator", address.port(), "CLIENT", "OMS");
    quickfix.until("logon");
    let order = |id: &str, more: &str| format!("send D 11={id}|38=100|54=1|55=BAC|60=20261127-10:00:00.000|{more}");
    quickfix.say(&order("q1", "40=1"));
    quickfix.until("received 8 q1  ");
    quickfix.say(&order("q2", &format!("40=2|44={deep}")));
    quickfix.until("received 8 q2  0/0");
    quickfix.say(&format!("send G 11=q3|41=q2|38=200|40=2|44={deep}|54=1|55=BAC|60=20261127-10:00:00.000"));
    quickfix.until("received 8 q3  5/0");
    quickfix.say("send F 11=q4|41=q9|38=100|54=1|55=BAC|60=20261127-10:00:00.000");
    quickfix.until("received 9 q4  /8");
    server.kill();
    quickfix.until("logout");
    let server = Server::start(home.path(), &settings);
    quickfix.until("logon");
    quickfix.say("send H 11=q3|54=1|55=BAC");
    let said = quickfix.until("received 8 q3  I/0");
    assert!(!said.iter().any(|line| line.starts_with("received 8 q1") || line.starts_with("received 8 q2")), "told again: {said:?}");
    quickfix.say("send F 11=q5|41=q3|38=200|54=1|55=BAC|60=20261127-10:00:00.000");
    quickfix.until("received 8 q5  6/6");
    quickfix.until("received 8 q5  4/4");
    // Looked at and steered from outside: messages while the desk runs, the session, its end and its beginning.
    let (url, data) = (format!("http://{}", server.address()), home.path().to_str().unwrap());
    let desk = |words: &[&str]| succeed(&[["fix"].as_slice(), words, &["--url", &url, "--key", server.key(), "--json"]].concat());
    let sessions: serde_json::Value = serde_json::from_str(&desk(&["sessions"])).unwrap();
    let session = &sessions["data"][0];
    assert_eq!((&session["client"], &session["logged_on"], &session["refused"]), (&"CLIENT".into(), &true.into(), &0.into()), "{sessions}");
    let log = succeed(&["fix", "log", "CLIENT", "--find", "q3", "--data", data]);
    for line in
        ["<- CLIENT", "OrderCancelReplaceRequest(G)", "-> CLIENT", "ExecutionReport(8)", "OrigClOrdID(41) = q2", "ExecType(150) = 5"]
    {
        assert!(log.contains(line), "{line}: {log}");
    }
    desk(&["logout", "CLIENT"]);
    quickfix.until("logout");
    assert!(desk(&["status", "CLIENT"]).contains(r#""open":false"#));
    desk(&["reset", "CLIENT", "--next-out", "5000"]);
    assert!(desk(&["logon", "CLIENT"]).contains(r#""next_out":5000"#));
    quickfix.until("logon");
    // It finds the gap, and is told that there is nothing in it.
    quickfix.until("admin 4");
    quickfix.quit();
    server.stop();
}

/// Orders a second, and how long an order takes to its first report; reported, not judged.
#[test]
fn how_fast_orders_come_in() {
    let orders = setting("OMS_ORDERS", 2_000);
    let (home, address) = (Home::new("fix-speed"), free_address().to_string());
    let server = Server::start(home.path(), &launch(&address).speed("1x").with("OMS_DEMO_LIMITS_DUPLICATE_WINDOW", ""));
    let deep = price(offer(&mut server.client(), "BAC") * 95 / 100);
    let mut client = FixClient::connect("CLIENT", &address);
    client.until_phase(Phase::Up);
    let waited = |client: &FixClient, prefix: &str| {
        let mut all: Vec<Duration> = client
            .all()
            .iter()
            .filter(|told| told.is("0") && told.get(11).starts_with(prefix))
            .map(|told| told.at.duration_since(client.sent[told.get(11)]))
            .collect();
        all.sort_unstable();
        all
    };
    let of = |all: &[Duration], share: usize| all[(all.len() * share / 1000).min(all.len() - 1)];
    // One after the other.
    for number in 0..300 {
        let id = format!("p{number}");
        assert!(client.order(&id, &[(55, "BAC"), (44, &deep)]));
        client.until("its report", |told| told.get(11) == id && told.is("0"));
    }
    let one = waited(&client, "p");
    println!("one at a time: D to 8(New) p50 {:?}, p99 {:?}", of(&one, 500), of(&one, 990));
    // So many outstanding.
    for outstanding in [64_u64, 256] {
        let prefix = format!("w{outstanding}-");
        let began = Instant::now();
        for from in (0..orders).step_by(usize::try_from(outstanding).unwrap()) {
            let until_number = (from + outstanding).min(orders);
            client.send_all(
                "D",
                (from..until_number).map(|number| {
                    let fields = [(11, format!("{prefix}{number}")), (38, "100".to_owned()), (40, "2".to_owned()), (44, deep.clone())];
                    fields
                        .into_iter()
                        .chain([(54, "1".to_owned()), (55, "BAC".to_owned()), (60, "20261127-10:00:00.000".to_owned())])
                        .collect()
                }),
            );
            let last = format!("{prefix}{}", until_number - 1);
            client.until("the last report", |told| told.get(11) == last && told.is("0"));
        }
        let (took, all) = (began.elapsed(), waited(&client, &prefix));
        assert_eq!(u64::try_from(all.len()).unwrap(), orders, "every order is taken");
        let rate = orders as f64 / took.as_secs_f64();
        println!("{outstanding} outstanding: {rate:.0} orders/s, D to 8(New) p50 {:?}, p99 {:?}", of(&all, 500), of(&all, 990));
    }
    server.stop();
}
