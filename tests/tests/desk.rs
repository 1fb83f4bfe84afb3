//! A day of a desk: orders of every kind, and afterwards every account of it agrees with every other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use oms_e2e::audit::{self, Audit};
use oms_e2e::server::{Home, Launch, Server, run, succeed};
use oms_e2e::{setting, until};
use serde_json::Value;

/// Orders of the day; `OMS_DESK_ORDERS` for a longer one.
const ORDERS: u64 = 400;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A document without what the log does not know: the market.
fn unmarked(mut positions: Value) -> Value {
    for position in positions.as_array_mut().unwrap() {
        for field in ["mark", "mark_at", "market_value", "unrealized"] {
            position[field] = Value::Null;
        }
    }
    positions
}

#[test]
fn a_day_of_every_kind_of_order_agrees_with_its_log() {
    let home = Home::new("desk");
    let data = home.path().to_str().unwrap();
    let server = Server::start(home.path(), &Launch::default().with("OMS_LOG_FILTER", "error"));
    let url = format!("http://{}", server.address());
    let orders = setting("OMS_DESK_ORDERS", ORDERS).to_string();
    let words = ["load", "--mix", "desk", "--url", &url, "--key", server.key(), "--orders", &orders, "--seed", "7", "--report-json"];
    let report = parsed(&succeed(&words));
    assert_eq!(report["faults"], serde_json::json!([]), "{report}");
    assert!(report["orders"].as_u64().unwrap() >= orders.parse().unwrap(), "{report}");
    let kinds = report["kinds"].as_object().unwrap();
    for kind in ["limit IOC", "limit DAY, GTC", "market", "limit FOK", "limit GTD", "stop", "stop limit", "limit, sweep, split", "batch"]
        .into_iter()
        .chain(["trailing stop", "limit, displayed in part", "pegged", "algorithm", "bracket", "one cancels the other", "grouped"])
    {
        assert!(kinds.get(kind).is_some_and(|kind| kind["accepted"].as_u64() > Some(0)), "{kind}: {report}");
    }
    assert!(kinds["impossible"]["accepted"] == 0, "{report}");

    // Positions, executions and what the venues say agree; then the past is asked for over HTTP and of the log.
    Audit::default().balance(&server, home.path());
    let mut client = server.client();
    let (seq, positions) = until("a moment of rest", || {
        let before = client.read("/risk/limits?as_of=1");
        assert!(before["data"].is_array());
        let page = client.read("/queries/positions/search?limit=500");
        let newest = client.read("/queries/orders/search?sort=-last_seq&limit=1&is_root__ne=true");
        let again = client.read("/queries/positions/search?limit=500");
        if unmarked(page["data"].clone()) != unmarked(again["data"].clone()) {
            return Err("the positions still move".to_owned());
        }
        let seq = newest["data"][0]["created_seq"].as_u64().unwrap();
        Ok((seq, page["data"].clone()))
    });
    assert!(!positions.as_array().unwrap().is_empty());
    let then = client.read(&format!("/positions?as_of={seq}"));
    let orders_then = client.read(&format!("/orders?limit=500&as_of={seq}&fields=order_id,ord_status,cum_qty"));
    server.stop();
    let verified = succeed(&["journal", "verify", "--data", data]);
    assert!(verified.contains("intact"), "{verified}");
    let shared = succeed(&["allocation", "verify", "--data", data]);
    assert!(!shared.trim_start().starts_with("0 allocations"), "{shared}");
    audit::replay_agrees(home.path());
    let as_of = seq.to_string();
    let replayed = parsed(&succeed(&["journal", "replay", "--as-of", &as_of, "--json", "--data", data]));
    assert_eq!(replayed["positions"], then["data"], "the log and the desk remember the same positions at {seq}");
    let hash = parsed(&succeed(&["journal", "hash", "--at", &replayed["sequence"].to_string(), "--json", "--data", data]));
    assert_eq!(replayed["state_hash"], hash["state_hash"]);
    // Every order that the log has as open then, the desk has so too.
    let open = replayed["orders"].as_array().unwrap();
    let known = orders_then["data"].as_array().unwrap();
    for order in known {
        let in_log = open.iter().find(|open| open["order_id"] == order["order_id"]);
        if let Some(in_log) = in_log {
            assert_eq!((&in_log["ord_status"], &in_log["cum_qty"]), (&order["ord_status"], &order["cum_qty"]), "{order}");
        }
    }
    assert!(open.is_empty() || known.iter().any(|order| open.iter().any(|open| open["order_id"] == order["order_id"])));
}

#[test]
fn a_past_that_is_none_is_a_mistake_of_the_caller() {
    let home = Home::new("no-past");
    let server = Server::start(home.path(), &Launch::default().with("OMS_LOG_FILTER", "error"));
    server.stop();
    let data = home.path().to_str().unwrap();
    for (as_of, code, words) in [
        ("99999999", 2, "has not happened yet"),
        ("yesterday", 2, "neither a sequence nor a time"),
        ("1971-01-01T00:00:00Z", 0, "at sequence 0"),
        ("0", 0, "at sequence 0"),
        ("1", 0, "at sequence 1"),
    ] {
        let output = run(&["journal", "replay", "--as-of", as_of, "--data", data]);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{as_of}: {said}");
        assert!(said.contains(words), "{as_of}: {said}");
    }
}
