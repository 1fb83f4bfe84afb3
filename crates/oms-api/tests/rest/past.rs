//! What was known then.

use crate::client::Reply;
use crate::desk::{Desk, RESTING};
use oms_model::event::Event;
use oms_model::{OrderId, Seq};

/// The reply's document.
fn of(reply: Reply) -> serde_json::Value {
    reply.expect(200).json()
}

/// Every place where a batch ends, with the time of the batch.
fn moments(desk: &Desk) -> Vec<(Seq, i64)> {
    let mut follower = desk.handle.feed().follow(Seq(0));
    std::iter::from_fn(|| follower.try_next().unwrap()).map(|batch| (batch.last_seq(), batch.time.0)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_shown_as_it_was_at_every_moment() {
    let desk = Desk::open().await;
    let placed = desk.place(RESTING).await;
    let path = placed.header("location").unwrap().to_owned();
    let id: OrderId = placed.get("/order_id").parse().unwrap();
    let at_once: Seq = Seq(placed.header("x-sequence").unwrap().parse().unwrap());
    desk.until(|event| matches!(event, Event::OrderStateSynced(e) if e.order_id == id && e.state == oms_model::OrdState::Live)).await;
    let live = of(desk.client.get(&path).await);
    let until_live = desk.handle.durable();
    desk.client.post(&format!("{path}/modify"), &[("prefer", "wait=10")], r#"{"price":"19.05"}"#).await.expect(200);
    let modified = of(desk.client.get(&path).await);
    let until_modified = desk.handle.durable();
    desk.client.post(&format!("{path}/cancel"), &[("prefer", "wait=10")], "{}").await.expect(200);
    let now = of(desk.client.get(&path).await);

    let at = |seq: Seq| format!("{path}?as_of={seq}");
    assert_eq!(of(desk.client.get(&at(at_once)).await), placed.json());
    assert_eq!(of(desk.client.get(&at(until_live)).await), live);
    let then = desk.client.get(&at(until_modified)).await.expect(200);
    assert_eq!(then.header("x-sequence"), Some(until_modified.to_string().as_str()));
    assert_eq!(then.header("etag"), None, "the version of then is none to change the order by");
    assert_eq!(then.json(), modified);
    assert_eq!(of(desk.client.get(&at(desk.handle.durable())).await), now);
    // Between two batches nothing was known but the first; the batch that created it holds several events.
    assert_eq!(of(desk.client.get(&at(Seq(at_once.0 + 1))).await), placed.json());
    desk.client.get(&at(Seq(at_once.0 - 1))).await.refused(404, "NOT_FOUND");
    desk.client.get(&at(Seq(0))).await.refused(404, "NOT_FOUND");
    let refused = desk.client.get(&at(Seq(desk.handle.durable().0 + 1))).await.refused(400, "VALIDATION_ERROR");
    assert!(refused.get("/message").contains("has not happened yet"), "{}", refused.text());

    // By time: the moment of the last batch that was decided by then.
    for (seq, time) in moments(&desk) {
        let by_seq = desk.client.get(&at(seq)).await;
        let time = oms_api::json::write::rfc3339(oms_model::Time(time));
        let by_time = desk.client.get(&format!("{path}?as_of={time}")).await;
        assert_eq!(by_time.status, by_seq.status, "{seq} {time}");
        // Each refusal has the trace of its own request.
        assert!(by_seq.status == 404 || by_time.body == by_seq.body, "{seq} {time}: {} {}", by_time.text(), by_seq.text());
    }
    // The tree, the page of reasons and the list agree with it.
    let tree = of(desk.client.get(&format!("{path}/tree?as_of={until_live}")).await);
    assert_eq!((&tree["state"], &tree["children"][0]["state"]), (&"LIVE".into(), &"LIVE".into()));
    let why = of(desk.client.get(&format!("{path}/why?as_of={until_live}")).await);
    assert_eq!(why["order"], live);
    let last = why["timeline"].as_array().unwrap().last().unwrap()["sequence"].as_u64().unwrap();
    assert!(last <= until_live.0);
    let list = of(desk.client.get(&format!("/api/v1/orders?symbol=AAPL&sort=-created_at&as_of={until_live}")).await);
    assert_eq!(list["data"], serde_json::json!([live]));
    assert_eq!(of(desk.client.get("/api/v1/orders?as_of=1").await)["data"], serde_json::json!([]));
    let refused = desk.client.get(&format!("/api/v1/orders?ord_status=LIVE&as_of={until_live}")).await.refused(400, "VALIDATION_ERROR");
    assert!(refused.get("/message").contains("ord_status changes over an order's life"), "{}", refused.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn positions_and_limits_are_shown_as_they_were() {
    let desk = Desk::open().await;
    let mut known = Vec::new();
    let unmarked = |mut document: serde_json::Value| {
        for field in ["mark", "mark_at", "market_value", "unrealized"] {
            document[field] = serde_json::Value::Null;
        }
        document
    };
    for n in 1..=3 {
        desk.place_filled(r#""ord_type":"LIMIT","order_qty":"100","price":"20.10""#).await;
        desk.client.put("/api/v1/risk/limits", &format!(r#"{{"limit_type":"MAX_ORDER_QTY","value":"{n}000"}}"#)).await.expect(200);
        let seq = desk.handle.durable();
        let position = unmarked(of(desk.client.get("/api/v1/positions/AAPL").await));
        known.push((seq, position, of(desk.client.get("/api/v1/risk/limits").await)));
    }
    // Backwards, so that a kept state of a later moment must not be taken for an earlier one.
    for (seq, position, limits) in known.iter().rev().chain(&known) {
        assert_eq!(of(desk.client.get(&format!("/api/v1/positions/AAPL?as_of={seq}")).await), *position);
        let list = of(desk.client.get(&format!("/api/v1/positions?symbol=AAPL&as_of={seq}")).await);
        assert_eq!(list["data"], serde_json::json!([position]));
        assert_eq!(of(desk.client.get(&format!("/api/v1/risk/limits?as_of={seq}")).await), *limits);
    }
    desk.client.post("/api/v1/risk/kill-switch/engage", &[], r#"{"reason":"drill"}"#).await.expect(200);
    let before = known[2].0;
    assert_eq!(of(desk.client.get(&format!("/api/v1/risk/kill-switch?as_of={before}")).await)["engaged"], serde_json::json!([]));
    let status = desk.client.get(&format!("/api/v1/risk/status?as_of={}", desk.handle.durable())).await.expect(200);
    assert_eq!(status.json()["kill_switches"], serde_json::json!(["TENANT"]));
    assert_eq!(status.header("x-sequence"), Some(desk.handle.durable().to_string().as_str()));
    let flat = of(desk.client.get("/api/v1/positions/AAPL?as_of=0").await);
    assert_eq!((&flat["qty"], &flat["lots"]), (&"0".into(), &serde_json::json!([])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_past_moment_is_refused() {
    let desk = Desk::open().await;
    let placed = desk.place(RESTING).await;
    let order = placed.header("location").unwrap();
    for path in [order, "/api/v1/orders", "/api/v1/positions", "/api/v1/positions/AAPL", "/api/v1/risk/limits", "/api/v1/risk/status"] {
        for (as_of, expected) in [
            ("", "must be a sequence, or a time"),
            ("-1", "must be a sequence, or a time"),
            ("yesterday", "must be a sequence, or a time"),
            ("2026-13-01T00:00:00Z", "must be a sequence, or a time"),
            ("99999999999999999999999", "must be a sequence, or a time"),
            ("2200-01-01T00:00:00Z", "lies in the future"),
            ("18446744073709551615", "has not happened yet"),
        ] {
            let refused = desk.client.get(&format!("{path}?as_of={as_of}")).await.refused(400, "VALIDATION_ERROR");
            assert!(refused.get("/message").contains(expected), "{path} {as_of}: {}", refused.text());
        }
    }
}
