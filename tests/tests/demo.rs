//! What a user does first: an order by HTTP, routed over the venues of the replayed market, filled, explained.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use oms_e2e::audit::{self, Audit, positions};
use oms_e2e::http::{Client, Reply};
use oms_e2e::load::{Ack, Ask};
use oms_e2e::server::{Home, Launch, Server, run, succeed};
use oms_e2e::sse::Stream;
use oms_e2e::{nanos, now, until};
use oms_model::Qty;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The market at its own speed: what is quoted stands long enough to be taken.
fn desk() -> Launch {
    Launch::default().speed("1x")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list"))
}

fn qty(value: &Value) -> Qty {
    text(value).parse().unwrap()
}

/// Waits until the market has both sides of a symbol and every venue's quote was renewed a moment ago: the first ones
/// after a start are those of before the recording begins.
fn market(client: &mut Client, symbol: &str) -> Value {
    until("a fresh market", || {
        let market = client.read(&format!("/marketdata/last/{symbol}"));
        let fresh = |quote: &Value| quote["updated_at"].as_str().is_none_or(|at| now() - nanos(at) < 1_500_000_000);
        let whole = market["bid"].is_string() && market["ask"].is_string();
        if whole && list(&market["venues"]).iter().all(fresh) { Ok(market) } else { Err(market.to_string()) }
    })
}

/// Waits until an order has this status.
fn order_is(client: &mut Client, order_id: &str, status: &str) -> Value {
    until(status, || {
        let order = client.read(&format!("/orders/{order_id}"));
        if order["ord_status"] == status { Ok(order) } else { Err(order.to_string()) }
    })
}

/// A market order for more than any venue shows, and less than all show together, swept over them.
fn sweep(client: &mut Client) -> (Value, Reply) {
    let wanted = until("a market on several venues", || {
        let market = market(client, "AIG");
        let shown: Vec<Qty> =
            list(&market["venues"]).iter().filter(|quote| quote["ask_size"].is_string()).map(|quote| qty(&quote["ask_size"])).collect();
        let most = shown.iter().copied().max().unwrap_or(Qty::ZERO);
        let all = shown.iter().fold(Qty::ZERO, |sum, size| sum.saturating_add(*size));
        // The market may move a little meanwhile.
        let wanted = Qty::from_raw(most.raw() * 5 / 4).round_down_to(qty(&json!("100"))).saturating_add(qty(&json!("100")));
        if wanted.raw() * 3 < all.raw() * 2 { Ok(wanted) } else { Err(market.to_string()) }
    });
    let order = json!({
        "symbol": "AIG", "side": "BUY", "ord_type": "MARKET", "order_qty": wanted.to_string(), "cl_ord_id": "first", "routing": {"policy": "sweep"},
    });
    until("fresh quotes on several venues", || {
        let preview = client.post("/sor/preview", &[], &order);
        if preview.json()["route"]["legs"].as_array().is_some_and(|legs| legs.len() >= 2) { Ok(()) } else { Err(preview.text()) }
    });
    let placed = client.post("/orders", &[("Prefer", "wait=5"), ("Idempotency-Key", "first")], &order);
    (order, placed)
}

#[test]
fn an_order_is_checked_routed_over_several_venues_filled_and_explained() {
    let home = Home::new("demo");
    let server = Server::start(home.path(), &desk());
    let mut client = server.client();
    let (asked, placed) = sweep(&mut client);
    let wanted = qty(&asked["order_qty"]);
    assert_eq!(placed.status, 201, "{}", placed.text());
    let order = placed.json();
    let order_id = text(&order["order_id"]).to_owned();
    assert_eq!(placed.header("location"), Some(format!("/api/v1/orders/{order_id}").as_str()));
    assert_eq!(placed.header("etag"), Some(format!("\"{}\"", order["version"]).as_str()));
    assert_ne!(order["state"], "UNACK", "the answer waited for the venue's word: {order}");

    let order = order_is(&mut client, &order_id, "FILLED");
    assert_eq!(qty(&order["cum_qty"]), wanted, "{order}");
    legs_and_executions(&mut client, &order_id, wanted);
    why(&mut client, &order_id);

    let held = client.read("/positions/AIG");
    assert_eq!(qty(&held["qty"]), wanted, "{held}");
    assert!(held["market_value"].is_string() && held["unrealized"].is_string(), "{held}");
    Audit::default().balance(&server, home.path());

    // The same request again, also after a restart: the first answer, byte for byte.
    let ask = Ask { headers: vec![("Prefer".to_owned(), "wait=5".to_owned())], ..Ask::new("/orders", "first", &asked) };
    let ack = Ack { ask, reply: placed };
    ack.repeat(&mut client);
    server.stop();
    audit::replay_agrees(home.path());
    let server = Server::start(home.path(), &desk());
    ack.repeat(&mut server.client());
    assert_eq!(positions(&mut server.client())["AIG"].bought_qty, wanted);
    server.stop();
}

fn legs_and_executions(client: &mut Client, order_id: &str, wanted: Qty) {
    let tree = client.read(&format!("/orders/{order_id}/tree"));
    let venues: BTreeSet<&str> = list(&tree["children"]).iter().map(|leg| text(&leg["venue"])).collect();
    assert!(venues.len() >= 2, "several venues: {venues:?}");
    let executions = client.read(&format!("/orders/{order_id}/executions?limit=500"));
    let filled = list(&executions["data"]).iter().fold(Qty::ZERO, |sum, execution| sum.saturating_add(qty(&execution["last_qty"])));
    assert_eq!(filled, wanted, "{executions}");
    let filled_at: BTreeSet<&str> = list(&executions["data"]).iter().map(|execution| text(&execution["venue"])).collect();
    assert!(filled_at.len() >= 2, "filled on several venues: {filled_at:?}");
    let listed = client.read("/orders?symbol=AIG&ord_status__in=FILLED,NEW&sort=-created_at&fields=order_id,ord_status");
    assert_eq!(listed["data"], json!([{"order_id": order_id, "ord_status": "FILLED"}]), "{listed}");
    let events = client.read(&format!("/orders/{order_id}/events?limit=500"));
    let sequences: Vec<u64> = list(&events["data"]).iter().map(|event| event["sequence"].as_u64().unwrap()).collect();
    assert!(sequences.is_sorted() && !sequences.is_empty(), "{sequences:?}");
}

fn why(client: &mut Client, order_id: &str) {
    let why = client.read(&format!("/orders/{order_id}/why"));
    assert_eq!(why["validation"]["passed"], true);
    let checks: BTreeSet<&str> = list(&why["checks"][0]["results"]).iter().map(|result| text(&result["check"])).collect();
    assert!(checks.len() >= 9, "every check is shown: {checks:?}");
    assert!(list(&why["checks"][0]["results"]).iter().all(|result| result["code"].is_null()), "{}", why["checks"]);
    let route = &why["routes"][0];
    let candidates = list(&route["candidates"]);
    assert_eq!(candidates.len(), 16, "every venue is shown");
    assert!(candidates.iter().all(|venue| venue["excluded"].is_string() || venue["score"].is_string()), "{route}");
    assert!(candidates.iter().filter(|venue| venue["excluded"].is_null() && text(&venue["score"]) != "0").count() >= 3, "{route}");
    assert!(list(&route["legs"]).len() >= 2, "{route}");
    assert!(list(&why["legs"]).iter().all(|leg| !list(&leg["answers"]).is_empty()), "what each venue answered");
    let page = client.call("GET", &format!("/api/v1/orders/{order_id}/why"), &[("Accept", "text/plain")], None).unwrap().text();
    for word in ["PRICE_COLLAR", "XNYS", "BATS", "FILLED"] {
        assert!(page.contains(word), "{word} in\n{page}");
    }
}

#[test]
fn a_refused_order_is_recorded_and_explained() {
    let home = Home::new("refused");
    let server = Server::start(home.path(), &desk());
    let mut client = server.client();
    market(&mut client, "IBM");
    let order = |price: &str, qty: &str| json!({"symbol": "IBM", "side": "BUY", "ord_type": "LIMIT", "order_qty": qty, "price": price});
    for (price, qty, code, by) in [
        ("900.00", "10", "PRICE_COLLAR", "RISK"),
        ("180.005", "10", "INVALID_TICK", "RISK"),
        ("180.00", "900000", "RISK_LIMIT_BREACH", "RISK"),
    ] {
        let refused = client.post("/orders", &[], &order(price, qty));
        assert_eq!(refused.status, 422, "{}", refused.text());
        let envelope = refused.json();
        assert_eq!(envelope["code"], code, "{envelope}");
        assert!(
            !text(&envelope["message"]).is_empty() && !text(&envelope["hint"]).is_empty() && text(&envelope["trace_id"]).len() == 32,
            "{envelope}"
        );
        let order_id = text(&envelope["details"]["order_id"]).to_owned();
        let recorded = client.read(&format!("/orders/{order_id}"));
        assert_eq!((&recorded["ord_status"], &recorded["reject_code"]), (&json!("REJECTED"), &json!(code)), "{recorded}");
        assert!([by, "VALIDATION"].contains(&text(&recorded["ended_by"])), "{recorded}");
        let why = client.read(&format!("/orders/{order_id}/why"));
        let failed = list(&why["checks"]).iter().flat_map(|check| list(&check["results"])).any(|result| result["code"] == code);
        assert!(failed || why["validation"]["code"] == code, "{why}");
        assert!(list(&why["legs"]).is_empty(), "nothing was sent");
    }
    // The kill switch refuses everything, and says so.
    let engaged = client.post("/risk/kill-switch/engage", &[], &json!({"scope": "TENANT", "reason": "a drill"}));
    assert_eq!(engaged.status, 200, "{}", engaged.text());
    let refused = client.post("/orders", &[], &order("180.00", "10"));
    assert_eq!((refused.status, &refused.json()["code"]), (422, &json!("KILL_SWITCH")));
    let released = client.post("/risk/kill-switch/release", &[], &json!({"scope": "TENANT", "reason": "the drill is over"}));
    assert_eq!(released.status, 200, "{}", released.text());
    Audit::default().balance(&server, home.path());
    assert!(oms_e2e::ledger::Venues::read(home.path()).orders.is_empty(), "no venue ever saw any of it");
    server.stop();
}

#[test]
fn an_order_at_the_market_can_be_modified_and_canceled() {
    let home = Home::new("change");
    let server = Server::start(home.path(), &desk());
    let mut client = server.client();
    let bid: oms_model::Price = text(&market(&mut client, "AIG")["bid"]).parse().unwrap();
    let away = oms_e2e::load::text_of(bid.raw() / 10_000_000 * 95 / 100);
    let order = json!({"symbol": "AIG", "side": "BUY", "ord_type": "LIMIT", "order_qty": "200", "price": away});
    until("fresh quotes", || {
        let preview = client.post("/orders/preview", &[], &order).json();
        if preview["accepted"] == true { Ok(()) } else { Err(preview.to_string()) }
    });
    let placed = client.post("/orders", &[("Prefer", "wait=5")], &order);
    assert_eq!(placed.status, 201, "{}", placed.text());
    let order_id = text(&placed.json()["order_id"]).to_owned();
    let etag = order_is(&mut client, &order_id, "LIVE")["version"].to_string();
    let stale = client.post(&format!("/orders/{order_id}/cancel"), &[("If-Match", "\"0\"")], &json!({}));
    assert_eq!((stale.status, &stale.json()["code"]), (412, &json!("VERSION_MISMATCH")), "{}", stale.text());
    let quoted = format!("\"{etag}\"");
    let changed =
        client.post(&format!("/orders/{order_id}/modify"), &[("Prefer", "wait=5"), ("If-Match", &quoted)], &json!({"order_qty": "300"}));
    assert_eq!((changed.status, &changed.json()["status"]), (200, &json!("APPLIED")), "{}", changed.text());
    assert_eq!(qty(&client.read(&format!("/orders/{order_id}"))["order_qty"]), qty(&json!("300")));
    let canceled = client.post(&format!("/orders/{order_id}/cancel"), &[("Prefer", "wait=5")], &json!({}));
    assert_eq!((canceled.status, &canceled.json()["status"]), (200, &json!("APPLIED")), "{}", canceled.text());
    let order = order_is(&mut client, &order_id, "CANCELED");
    assert_eq!(canceled.header("etag"), Some(format!("\"{}\"", order["version"]).as_str()), "the ETag is the order's version: {order}");
    let again = client.post(&format!("/orders/{order_id}/cancel"), &[], &json!({}));
    assert_eq!(again.status, 409, "{}", again.text());
    Audit::default().balance(&server, home.path());
    server.stop();
}

#[test]
fn the_event_stream_goes_on_from_any_past_sequence() {
    let home = Home::new("resume");
    let server = Server::start(home.path(), &desk());
    let mut client = server.client();
    let (_, placed) = sweep(&mut client);
    order_is(&mut client, text(&placed.json()["order_id"]), "FILLED");
    let last = client.durable();
    let read = |path: &str, after: Option<u64>, upto: u64| -> Vec<(u64, String)> {
        let mut stream = Stream::open(server.address(), server.key(), path, after).unwrap();
        let mut seen: Vec<(u64, String)> = Vec::new();
        while seen.last().is_none_or(|(seq, _)| *seq < upto) {
            let event = stream.expect();
            seen.push((event.id.unwrap(), event.data));
        }
        seen
    };
    let all = read("/events/stream?from=1", None, last);
    let sequences: Vec<u64> = all.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(sequences, (1..=last).collect::<Vec<u64>>(), "every sequence once, in order");
    for after in (0..last).step_by(3) {
        let tail = &all[usize::try_from(after).unwrap()..];
        assert_eq!(read("/events/stream", Some(after), last), tail, "after {after}");
    }
    let filled: Vec<u64> = all.iter().filter(|(_, data)| data.contains("\"type\":\"OrderFilled\"")).map(|(seq, _)| *seq).collect();
    let only = read("/events/stream?types=OrderFilled&from=1", None, *filled.last().unwrap());
    assert_eq!(only.iter().map(|(seq, _)| *seq).collect::<Vec<u64>>(), filled);
    // Beyond the end there is nothing to go on from.
    assert!(Stream::open(server.address(), server.key(), "/events/stream", Some(last + 1_000_000)).is_err());
    // After a restart the past is the same.
    server.kill();
    let server = Server::start(home.path(), &desk());
    let mut stream = Stream::open(server.address(), server.key(), "/events/stream?from=1", None).unwrap();
    for (seq, data) in &all {
        let event = stream.expect();
        assert_eq!((event.id, &event.data), (Some(*seq), data));
    }
    server.stop();
}

#[test]
fn the_command_line_does_it_all() {
    let home = Home::new("cli");
    let server = Server::start(home.path(), &desk());
    let mut client = server.client();
    until("fresh quotes", || {
        let order = json!({"symbol": "BAC", "side": "BUY", "ord_type": "MARKET", "order_qty": "4000"});
        let preview = client.post("/orders/preview", &[], &order).json();
        if preview["accepted"] == true { Ok(()) } else { Err(preview.to_string()) }
    });
    let url = format!("http://{}", server.address());
    let desk = ["--url", &url, "--key", server.key()];
    let oms = |words: &[&str]| succeed(&[words, &desk].concat());
    let placed: Value = serde_json::from_str(&oms(&[
        "order",
        "place",
        "buy",
        "4000",
        "BAC",
        "--policy",
        "sweep",
        "--wait",
        "5",
        "--cl-ord-id",
        "cli-1",
        "--json",
    ]))
    .unwrap();
    let order_id = text(&placed["order_id"]);
    order_is(&mut client, order_id, "FILLED");
    for (words, expected) in [
        (vec!["order", "show", order_id], vec!["FILLED", "cli-1", "BAC"]),
        (vec!["order", "show", "cl_ord_id:cli-1"], vec!["FILLED", order_id]),
        (vec!["order", "why", order_id], vec!["PRICE_COLLAR", "XNYS", "FILLED"]),
        (vec!["order", "tree", order_id], vec!["client", "FILLED"]),
        (vec!["order", "list", "--filter", "symbol=BAC"], vec!["BAC", "FILLED", "cli-1"]),
        (vec!["order", "tail", "--from", "1", "--count", "30"], vec!["TenantCreated"]),
        (vec!["position", "list"], vec!["BAC", "4000"]),
        (vec!["risk", "status"], vec!["MAX_ORDER_QTY", "kill switches engaged: none"]),
        (vec!["sor", "preview", "sell", "100", "IBM"], vec!["accepted", "XNAS"]),
    ] {
        let out = oms(&words);
        for word in expected {
            assert!(out.contains(word), "{word} in the answer to {words:?}:\n{out}");
        }
    }
    by_hand(&oms, order_id);
    let resting: Value =
        serde_json::from_str(&oms(&["order", "place", "buy", "100", "BAC", "--price", "13.00", "--wait", "5", "--json"])).unwrap();
    let resting = text(&resting["order_id"]);
    assert!(oms(&["order", "modify", resting, "--qty", "150", "--wait", "5"]).contains("APPLIED"));
    assert!(oms(&["order", "cancel", resting, "--wait", "5"]).contains("APPLIED"));
    assert!(oms(&["risk", "kill", "--reason", "a drill"]).contains("APPLIED"));
    let refused = run(&[&["order", "place", "buy", "1", "BAC"][..], &desk].concat());
    assert_eq!(refused.status.code(), Some(1), "refused has an exit code of its own");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("KILL_SWITCH"), "{}", String::from_utf8_lossy(&refused.stderr));
    assert!(oms(&["risk", "release", "--reason", "the drill is over"]).contains("APPLIED"));
    assert_eq!(run(&[&["order", "show", "no-such-order"][..], &desk].concat()).status.code(), Some(1));
    assert_eq!(run(&["order", "frobnicate"]).status.code(), Some(2), "usage has another");

    // The log can be read while the desk runs on it, and afterwards.
    let dir = home.path().to_str().unwrap();
    let running = audit::hash(home.path(), None);
    assert!(succeed(&["journal", "show", "--data", dir, "--limit", "5"]).contains("TenantCreated"));
    assert!(succeed(&["journal", "verify", "--data", dir]).contains("intact"));
    server.stop();
    assert_eq!(run(&["order", "list", "--url", &url, "--key", "k"]).status.code(), Some(3), "nobody there has a third");
    assert_eq!(audit::hash(home.path(), Some(running.0)), running, "the state at a sequence never changes");
    let _report = audit::verify(home.path());
    audit::replay_agrees(home.path());
}

/// A person books, corrects and takes back, all from the command line.
fn by_hand(oms: &impl Fn(&[&str]) -> String, order_id: &str) {
    let why = ["--reason", "told by telephone"];
    let does = |words: &[&str]| assert!(oms(&[words, &why].concat()).starts_with("APPLIED, sequence "), "{words:?}");
    let executed = oms(&["execution", "list", "--order", order_id]);
    assert!(executed.contains("TRADE") && executed.contains("XNYS"), "{executed}");
    let listed = |expected: &[&str]| {
        let list = oms(&["execution", "list", "--symbol", "IBM"]);
        assert!(expected.iter().all(|word| list.contains(word)), "{expected:?} in\n{list}");
    };
    let booking = ["execution", "book", "--symbol", "IBM", "--side", "buy", "--qty", "7", "--price", "190.5", "--fee", "0.35"];
    let with_id = ["--venue", "xnas", "--exec-id", "HAND-1"];
    does(&[&booking[..], &with_id].concat());
    listed(&["HAND-1", "190.5", "0.35"]);
    does(&["execution", "correct", "HAND-1", "IBM", "--qty", "5"]);
    listed(&["HAND-1", "TRADE_CORRECT"]);
    does(&["execution", "whack", "HAND-1", "IBM"]);
    listed(&["HAND-1", "TRADE_CANCEL"]);
    for (nothing, word) in [("suspense", "commission"), ("overfills", "over qty")] {
        let list = oms(&["execution", nothing]);
        assert!(list.contains(word) && list.trim().lines().count() == 2, "{nothing}:\n{list}");
    }
}

#[test]
fn two_desks_never_share_a_folder_and_damage_is_refused_with_its_place() {
    let home = Home::new("damage");
    let server = Server::start(home.path(), &desk());
    sweep(&mut server.client());
    let second = run(&["serve", "--demo", "--listen", "127.0.0.1:0", "--data", home.path().to_str().unwrap()]);
    assert_eq!(second.status.code(), Some(1), "{}", String::from_utf8_lossy(&second.stderr));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains(&server.process().id().to_string()), "it says who has the log: {said}");
    server.stop();

    let segment = std::fs::read_dir(home.path().join("log")).unwrap().map(|entry| entry.unwrap().path());
    let segment = segment.filter(|path| path.extension().is_some_and(|kind| kind == "log")).min().unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[3_000] ^= 1;
    std::fs::write(&segment, &bytes).unwrap();
    let verified = run(&["journal", "verify", "--json", "--data", home.path().to_str().unwrap()]);
    assert_eq!(verified.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!(report["damage"]["file"], segment.file_name().unwrap().to_string_lossy().as_ref(), "{report}");
    assert!(report["damage"]["offset"].as_u64().is_some_and(|at| at <= 3_000), "{report}");
    let started = run(&["serve", "--demo", "--listen", "127.0.0.1:0", "--data", home.path().to_str().unwrap()]);
    assert_eq!(started.status.code(), Some(1), "a damaged log is not served");
}
