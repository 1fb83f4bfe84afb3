//! Placing, reading, changing and explaining orders.

use crate::desk::{Desk, REFUSED_QTY, RESTING, TRADING, order};
use oms_model::OrderId;
use oms_model::event::Event;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_placed_routed_filled_and_explained() {
    let desk = Desk::open().await;
    let placed = desk.place_filled(r#""cl_ord_id":"A-1","ord_type":"LIMIT","order_qty":100,"price":20.1,"metadata":{"desk":"one"}"#).await;
    assert_eq!(placed.header("etag"), Some(format!("\"{}\"", placed.get("/version"))).as_deref());
    assert!(placed.header("x-sequence").unwrap().parse::<u64>().unwrap() > 6);
    let location = placed.header("location").unwrap().to_owned();
    assert_eq!(location, format!("/api/v1/orders/{}", placed.get("/order_id")));
    assert_eq!(placed.get("/metadata/desk"), "one");
    assert_eq!(placed.get("/leaves_qty"), "100");

    let read = desk.client.get(&location).await.expect(200);
    for (field, value) in [("/ord_status", "FILLED"), ("/cum_qty", "100"), ("/avg_px", "20.1"), ("/leaves_qty", "0"), ("/symbol", "AAPL")] {
        assert_eq!(read.get(field), value, "{field}");
    }
    assert_eq!(read.header("etag"), Some(format!("\"{}\"", read.get("/version"))).as_deref());
    assert_eq!(desk.client.get("/api/v1/orders/cl_ord_id:A-1").await.expect(200).body, read.body);

    let tree = desk.client.get(&format!("{location}/tree")).await.expect(200);
    assert_eq!(tree.get("/children/0/state"), "FILLED");
    let executions = desk.client.get(&format!("{location}/executions")).await.expect(200);
    assert_eq!((executions.get("/data/0/last_px"), executions.get("/data/0/fee")), ("20.1".into(), "0.3".into()));
    let position = desk.client.get("/api/v1/positions/AAPL").await.expect(200);
    for (field, value) in [("/qty", "100"), ("/avg_cost", "20.1"), ("/fees", "0.3"), ("/mark", "20.05"), ("/unrealized", "-5")] {
        assert_eq!(position.get(field), value, "{field}");
    }

    let events = desk.client.get(&format!("{location}/events")).await.expect(200).json();
    let kinds: Vec<&str> = events["data"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds[..3], ["OrderCreated", "RiskChecked", "RouteDecided"]);
    assert!(kinds.contains(&"ExecutionRecorded") && kinds.contains(&"OrderFilled"), "{kinds:?}");
    let first = desk.client.get(&format!("{location}/events?limit=2")).await.expect(200);
    let second = desk.client.get(&format!("{location}/events?limit=500&after={}", first.get("/next"))).await.expect(200).json();
    assert_eq!(events["data"].as_array().unwrap()[2..], second["data"].as_array().unwrap()[..]);

    let why = desk.client.get(&format!("{location}/why")).await.expect(200);
    assert_eq!(why.get("/validation/passed"), "true");
    assert!(why.json()["checks"][0]["results"].as_array().unwrap().len() > 10);
    assert_eq!(why.json()["routes"][0]["candidates"].as_array().unwrap().len(), 2);
    assert_eq!(why.get("/legs/0/order/state"), "FILLED");
    let text = desk.client.send("GET", &format!("{location}/why"), &[("accept", "text/plain")], None).await.expect(200);
    assert!(text.header("content-type").unwrap().starts_with("text/plain"));
    assert!(text.text().contains("FILLED: 100 of 100 executed at 20.1 on average"), "{}", text.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_gives_the_same_bytes() {
    let desk = Desk::open().await;
    let key = [("idempotency-key", "k-1")];
    let body = order(r#""ord_type":"LIMIT","order_qty":"100","price":"19.00""#);
    let first = desk.client.post("/api/v1/orders", &key, &body).await.expect(201);
    assert_eq!(first.header("idempotent-replay"), None);
    // The order moves on meanwhile: the answer does not.
    desk.until(|event| matches!(event, Event::OrderAccepted(_))).await;
    let again = r#"{ "price":"19.00", "order_qty":"100", "ord_type":"LIMIT", "side":"BUY", "symbol":"AAPL", "account_id":null }"#;
    let second = desk.client.post("/api/v1/orders", &key, again).await.expect(201);
    assert_eq!(second.header("idempotent-replay"), Some("true"));
    assert_eq!(first.body, second.body);
    for header in ["etag", "location", "x-sequence", "content-type"] {
        assert_eq!(first.header(header), second.header(header), "{header}");
    }
    let other = desk.client.post("/api/v1/orders", &key, &body.replace("19.00", "19.01")).await;
    other.refused(422, "IDEMPOTENCY_CONFLICT");
    assert_eq!(desk.client.get("/api/v1/orders").await.expect(200).json()["data"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_refusal_has_the_same_bytes_too() {
    let desk = Desk::open().await;
    let off_tick = order(r#""ord_type":"LIMIT","order_qty":"100","price":"19.001""#);
    let unknown = off_tick.replace("AAPL", "NONE");
    for (key, body, code, recorded) in [("t", &off_tick, "INVALID_TICK", true), ("u", &unknown, "UNKNOWN_SYMBOL", false)] {
        let first = desk.client.post("/api/v1/orders", &[("idempotency-key", key)], body).await.refused(422, code);
        let trace = ("traceparent", "00-000000000000000000000000000000ff-00f067aa0ba902b7-01");
        let second = desk.client.post("/api/v1/orders", &[("idempotency-key", key), trace], body).await.refused(422, code);
        assert_eq!(first.body, second.body, "{code}");
        assert_eq!(second.header("idempotent-replay"), Some("true"));
        assert_eq!(first.json()["details"]["order_id"].is_string(), recorded, "{code}");
    }
    let refused = desk.client.get("/api/v1/orders?reject_code=INVALID_TICK").await.expect(200);
    let why = desk.client.get(&format!("/api/v1/orders/{}/why?format=text", refused.get("/data/0/order_id"))).await.expect(200);
    assert!(why.text().contains("FAIL           TICK"), "{}", why.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_meant_for_another_version_is_refused() {
    let desk = Desk::open().await;
    let placed = desk.place(RESTING).await;
    let path = placed.header("location").unwrap().to_owned();
    let id: OrderId = placed.get("/order_id").parse().unwrap();
    desk.until(|event| matches!(event, Event::OrderStateSynced(e) if e.order_id == id && e.state == oms_model::OrdState::Live)).await;
    let current = desk.client.get(&path).await.expect(200).header("etag").unwrap().to_owned();
    let stale = placed.header("etag").unwrap().to_owned();
    assert_ne!(stale, current);

    let refused = desk.client.post(&format!("{path}/modify"), &[("if-match", &stale)], r#"{"price":"19.05"}"#).await;
    assert_eq!(format!("\"{}\"", refused.refused(412, "VERSION_MISMATCH").get("/details/version")), current);
    let wait = ("prefer", "wait=10");
    let modified = desk.client.post(&format!("{path}/modify"), &[("if-match", &current), wait], r#"{"price":"19.05"}"#).await.expect(200);
    assert_eq!(modified.get("/status"), "APPLIED");
    let read = desk.client.get(&path).await.expect(200);
    assert_eq!((read.get("/price"), read.header("etag")), ("19.05".into(), modified.header("etag")));

    desk.client.post(&format!("{path}/cancel"), &[("if-match", &current)], "{}").await.refused(412, "VERSION_MISMATCH");
    let pending = desk.client.send("POST", &format!("{path}/cancel"), &[("idempotency-key", "c")], None).await.expect(202);
    assert_eq!(pending.get("/status"), "PENDING");
    desk.until(|event| matches!(event, Event::OrderCanceled(e) if e.order_id == id)).await;
    let again = desk.client.send("POST", &format!("{path}/cancel"), &[("idempotency-key", "c")], None).await.expect(202);
    assert_eq!((again.body, again.headers.iter().any(|(name, _)| name == "idempotent-replay")), (pending.body, true));
    desk.client.post(&format!("{path}/cancel"), &[], "{}").await.refused(409, "STATE_CONFLICT");
    assert_eq!(desk.client.get(&path).await.expect(200).get("/ord_status"), "CANCELED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_placement_answers_with_the_venues_word() {
    let desk = Desk::open().await;
    let wait = [("prefer", "respond-async, wait=10")];
    let live = desk.client.post("/api/v1/orders", &wait, &order(RESTING)).await.expect(201);
    assert_eq!(live.get("/state"), "LIVE");
    let refused = format!(r#""ord_type":"LIMIT","order_qty":"{REFUSED_QTY}","price":"20.10""#);
    let refused = desk.client.post("/api/v1/orders", &wait, &order(&refused)).await.refused(422, "BROKER_REJECT");
    assert_eq!(desk.client.get(&format!("/api/v1/orders/{}", refused.get("/details/order_id"))).await.get("/state"), "REJECTED");
    assert_eq!(desk.client.post("/v1/orders", &[], &order(TRADING)).await.expect(202).get("/order_qty"), "100");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_id_is_used_once_only() {
    let desk = Desk::open().await;
    let body = order(&format!(r#""cl_ord_id":"X",{RESTING}"#));
    let placed = desk.client.post("/api/v1/orders", &[], &body).await.expect(201);
    let refused = desk.client.post("/api/v1/orders", &[], &body).await.refused(409, "DUPLICATE_CL_ORD_ID");
    assert_eq!(refused.get("/details/order_id"), placed.get("/order_id"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_answers_for_each_order_or_places_none() {
    let desk = Desk::open().await;
    let body = |atomic: bool| {
        let (good, bad) = (order(RESTING), order(r#""ord_type":"LIMIT","order_qty":"100","price":"19.001""#));
        format!(r#"{{"atomic":{atomic},"orders":[{good},{bad},{}]}}"#, good.replace("AAPL", "NONE"))
    };
    desk.client.post("/api/v1/orders/batch", &[], &body(true)).await.refused(422, "BATCH_REFUSED");
    assert_eq!(desk.client.get("/api/v1/orders").await.json()["data"].as_array().unwrap().len(), 0);
    let key = [("idempotency-key", "b")];
    let placed = desk.client.post("/api/v1/orders/batch", &key, &body(false)).await.expect(200);
    let statuses = ["/results/0/status", "/results/1/status", "/results/2/status"].map(|at| placed.get(at));
    assert_eq!(statuses, ["ACCEPTED", "REFUSED", "INVALID"]);
    assert_eq!(placed.get("/results/1/error/code"), "INVALID_TICK");
    let again = desk.client.post("/api/v1/orders/batch", &key, &body(false)).await.expect(200);
    assert_eq!(placed.body, again.body);
    assert_eq!(desk.client.get("/api/v1/orders").await.json()["data"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_shows_what_would_happen_and_records_nothing() {
    let desk = Desk::open().await;
    let before = desk.handle.durable();
    let preview = desk.client.post("/api/v1/orders/preview", &[], &order(TRADING)).await.expect(200);
    for (field, value) in [("/accepted", "true"), ("/estimate/avg_px", "20.1"), ("/estimate/fees", "0.3"), ("/estimate/shortfall", "5")] {
        assert_eq!(preview.get(field), value, "{field}");
    }
    assert_eq!(preview.get("/route/legs/0/qty"), "100");
    let refused = desk.client.post("/api/v1/sor/preview", &[], &order(r#""ord_type":"LIMIT","order_qty":"1","price":"19.001""#)).await;
    assert_eq!(refused.expect(200).get("/refusal/code"), "INVALID_TICK");
    assert_eq!(desk.handle.durable(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_have_pages_filters_and_fields() {
    let desk = Desk::open().await;
    for price in ["19.01", "19.02", "19.03"] {
        desk.place(&RESTING.replace("19.00", price)).await;
    }
    let page = desk.client.get("/api/v1/orders?limit=2&sort=price&fields=price,symbol").await.expect(200);
    assert_eq!(page.json()["data"], serde_json::json!([{"symbol": "AAPL", "price": "19.01"}, {"symbol": "AAPL", "price": "19.02"}]));
    let next = desk.client.get(&format!("/api/v1/orders?limit=2&sort=price&cursor={}", page.get("/next"))).await.expect(200);
    assert_eq!((next.get("/data/0/price"), next.get("/next")), ("19.03".into(), "null".into()));
    for (query, count) in
        [("price__gte=19.02", 2), ("price__between=19.02,19.02", 1), ("is_root=false", 3), ("symbol=NONE", 0), ("side__in=BUY,SELL", 3)]
    {
        let found = desk.client.get(&format!("/api/v1/orders?{query}")).await.expect(200);
        assert_eq!(found.json()["data"].as_array().unwrap().len(), count, "{query}");
    }
    for query in ["colour=red", "price__near=1", "price=cheap", "limit=0", "sort=colour", "cursor=x", "fields=colour", "side=HOLD"] {
        desk.client.get(&format!("/api/v1/orders?{query}")).await.refused(400, "VALIDATION_ERROR");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aliases_say_that_they_go_and_what_takes_their_place() {
    let desk = Desk::open().await;
    let said = |reply: &crate::client::Reply| ["deprecation", "sunset", "link"].map(|name| reply.header(name).map(str::to_owned));
    let placed = desk.client.post("/v1/orders", &[], &order(RESTING)).await.expect(202);
    let refused = desk.client.post("/v1/orders", &[], "{}").await.refused(400, "VALIDATION_ERROR");
    for reply in [&placed, &refused] {
        let [since, until, instead] = said(reply).map(Option::unwrap);
        assert_eq!((since.as_str(), until.as_str()), ("@1793491200", "Mon, 01 Nov 2027 00:00:00 GMT"));
        assert_eq!(instead, "</api/v1/orders>; rel=\"successor-version\"");
    }
    let lasting = desk.client.get("/api/v1/orders").await.expect(200);
    assert_eq!(said(&lasting), [None, None, None]);
}
