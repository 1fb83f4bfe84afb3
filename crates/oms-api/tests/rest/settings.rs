//! Limits, switches, policies, lists, health.

use crate::desk::{Desk, RESTING, TRADING, order};
use oms_model::event::Event;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_is_set_used_and_taken_away() {
    let desk = Desk::open().await;
    let limit = r#"{"limit_type":"MAX_ORDER_QTY","scope":"INSTRUMENT:AAPL","value":50}"#;
    let set = desk.client.put("/api/v1/risk/limits", limit).await.expect(200);
    assert_eq!((set.get("/scope"), set.get("/version")), ("INSTRUMENT:AAPL".into(), "1".into()));
    assert_eq!(desk.client.get("/api/v1/risk/limits").await.expect(200).get("/data/0/value"), "50");
    let refused = desk.client.post("/api/v1/orders", &[], &order(TRADING)).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    let why = desk.client.get(&format!("/api/v1/orders/{}/why", refused.get("/details/order_id"))).await.expect(200).json();
    let failed = why["checks"][0]["results"].as_array().unwrap().iter().find(|check| check["verdict"] == "FAIL").unwrap().clone();
    assert_eq!((&failed["check"], &failed["value"], &failed["limit"]), (&"ORDER_QTY".into(), &"100".into(), &"50".into()));
    let path = "/api/v1/risk/limits?limit_type=MAX_ORDER_QTY&scope=INSTRUMENT:AAPL";
    desk.client.send("DELETE", path, &[], None).await.expect(200);
    desk.place(TRADING).await;
    desk.client.put("/api/v1/risk/limits", &limit.replace("50", "\"-1\"")).await.refused(400, "VALIDATION_ERROR");
    desk.client.put("/api/v1/risk/limits", &limit.replace("AAPL", "NONE")).await.refused(400, "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_switch_stops_and_cancels() {
    let desk = Desk::open().await;
    let placed = desk.place(RESTING).await;
    let id: oms_model::OrderId = placed.get("/order_id").parse().unwrap();
    desk.until(|event| matches!(event, Event::OrderStateSynced(e) if e.order_id == id && e.state == oms_model::OrdState::Live)).await;
    desk.client.post("/api/v1/risk/kill-switch/engage", &[], r#"{"scope":"TENANT"}"#).await.refused(400, "VALIDATION_ERROR");
    let body = r#"{"scope":"TENANT","reason":"drill"}"#;
    desk.client.post("/api/v1/risk/kill-switch/engage", &[], body).await.expect(200);
    assert_eq!(desk.client.get("/api/v1/risk/kill-switch").await.expect(200).json()["engaged"], serde_json::json!(["TENANT"]));
    desk.until(|event| matches!(event, Event::OrderCanceled(e) if e.order_id == id)).await;
    desk.client.post("/api/v1/orders", &[], &order(RESTING)).await.refused(422, "KILL_SWITCH");
    let status = desk.client.get("/api/v1/risk/status").await.expect(200);
    assert_eq!((status.get("/kill_switches/0"), status.get("/open/0/orders")), ("TENANT".into(), "0".into()));
    desk.client.post("/api/v1/risk/kill-switch/release", &[], body).await.expect(200);
    desk.place(RESTING).await;
    let halted = r#"{"state":"HALTED","reason":"news"}"#;
    desk.client.put("/api/v1/risk/trading-state", halted).await.expect(200);
    desk.client.post("/api/v1/orders", &[], &order(RESTING)).await.refused(422, "TRADING_HALTED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_man_switch_cancels_when_its_client_is_silent() {
    let desk = Desk::open().await;
    let (path, key) = ("/api/v1/risk/dead-man", desk.client.get("/api/v1/accounts").await.expect(200).get("/data/0/account_id"));
    let scope = format!("ACCOUNT:{key}");
    let placed = desk.place(RESTING).await;
    let id: oms_model::OrderId = placed.get("/order_id").parse().unwrap();
    let named = format!(r#"{{"scope":"{scope}"}}"#);
    desk.client.post(path, &[], &named).await.refused(404, "NOT_FOUND");
    desk.client.put(path, r#"{"scope":"TENANT","timeout_s":60}"#).await.refused(400, "VALIDATION_ERROR");
    desk.client.put(path, &format!(r#"{{"scope":"{scope}","timeout_s":0}}"#)).await.refused(400, "VALIDATION_ERROR");
    desk.client.put(path, &format!(r#"{{"scope":"{scope}","timeout_s":3600,"action":"KILL"}}"#)).await.expect(200);
    desk.client.post(path, &[], &named).await.expect(200);
    let shown = desk.client.get(path).await.expect(200);
    let at = |field: &str| shown.get(&format!("/data/0/{field}"));
    assert_eq!([at("scope"), at("state"), at("timeout_s"), at("action"), at("fired_at")], [&*scope, "ARMED", "3600", "KILL", "null"]);
    // The client says nothing for a second.
    desk.client.put(path, &format!(r#"{{"scope":"{scope}","timeout_s":1}}"#)).await.expect(200);
    desk.until(|event| matches!(event, Event::DeadManFired(e) if e.timeout_s == 1)).await;
    desk.until(|event| matches!(event, Event::OrderCanceled(e) if e.order_id == id)).await;
    let why = desk.client.get(&format!("/api/v1/orders/{id}/why")).await.expect(200).text();
    assert!(why.contains("cancel asked by DEAD_MAN"), "{why}");
    desk.client.post(path, &[], &named).await.refused(409, "STATE_CONFLICT");
    assert_eq!(desk.client.get(path).await.expect(200).get("/data/0/state"), "FIRED");
    desk.client.send("DELETE", path, &[], None).await.refused(400, "VALIDATION_ERROR");
    desk.client.send("DELETE", &format!("{path}?scope={scope}"), &[], None).await.expect(200);
    assert_eq!(desk.client.get(path).await.expect(200).json()["data"], serde_json::json!([]));
    desk.place(RESTING).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_of_an_order_beyond_a_limit_is_a_rule_of_the_tenant() {
    let desk = Desk::open().await;
    assert_eq!(desk.client.get("/api/v1/risk/rules").await.expect(200).get("/in_flight"), "CANCEL");
    let record = r#"{"type":"InFlightRuleSetCmd","rule":"RECORD"}"#;
    desk.client.post("/api/v1/commands/execute", &[], record).await.expect(200);
    assert_eq!(desk.client.get("/api/v1/risk/rules").await.expect(200).get("/in_flight"), "RECORD");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_price_band_is_recorded_shown_and_told_by_the_page_of_reasons() {
    let desk = Desk::open().await;
    let execute = async |command: &str| desk.client.post("/api/v1/commands/execute", &[], command).await;
    let band = r#"{"type":"PriceBandSetCmd","symbol":"AAPL","lower":"1","upper":"2","until":"2100-01-01T00:00:00Z"}"#;
    execute(band).await.expect(200);
    execute(&band.replace("AAPL", "NONE")).await.refused(422, "UNKNOWN_SYMBOL");
    execute(&band.replace("2100", "2000")).await.refused(400, "VALIDATION_ERROR");
    let rules = desk.client.get("/api/v1/risk/rules").await.expect(200);
    assert_eq!([rules.get("/price_bands/0/symbol"), rules.get("/price_bands/0/upper")], ["AAPL", "2"]);
    let refused = desk.client.post("/api/v1/orders", &[], &order(TRADING)).await;
    assert_eq!((refused.status, refused.get("/code")), (422, "PRICE_BAND".into()), "{}", refused.text());
    let why = desk.client.get(&format!("/api/v1/orders/{}/why", refused.get("/details/order_id"))).await.expect(200).json();
    let results = why["checks"][0]["results"].as_array().unwrap().clone();
    let found = |name: &str| results.iter().find(|check| check["check"] == name).unwrap().clone();
    assert_eq!((&found("PRICE_BAND")["verdict"], &found("PRICE_BAND")["limit"]), (&"FAIL".into(), &"2".into()));
    assert!(found("PRICE_BAND")["until"].as_str().is_some_and(|until| until.starts_with("2100-01-01")));
    assert_eq!((&found("MARKET_HOURS")["verdict"], &found("BROKER_MAINTENANCE")["verdict"]), (&"PASS".into(), &"PASS".into()));
    execute(r#"{"type":"PriceBandRemoveCmd","symbol":"AAPL"}"#).await.expect(200);
    desk.place(TRADING).await;
    execute(r#"{"type":"PriorCloseSetCmd","symbol":"AAPL","price":"0"}"#).await.refused(400, "VALIDATION_ERROR");
    execute(r#"{"type":"PriorCloseSetCmd","symbol":"AAPL","price":"200"}"#).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mass_cancel_cancels_its_scope() {
    let desk = Desk::open().await;
    let placed = desk.place(RESTING).await;
    let id: oms_model::OrderId = placed.get("/order_id").parse().unwrap();
    desk.client.post("/api/v1/orders/mass-cancel", &[], "{}").await.refused(400, "VALIDATION_ERROR");
    let canceled = desk.client.post("/api/v1/orders/mass-cancel", &[], r#"{"scope":"INSTRUMENT:AAPL"}"#).await.expect(202);
    assert_eq!((canceled.get("/count"), canceled.get("/orders/0/order_id")), ("1".into(), id.to_string()));
    desk.until(|event| matches!(event, Event::OrderCanceled(e) if e.order_id == id)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_is_set_and_named_by_the_next_route() {
    let desk = Desk::open().await;
    let policy = r#"{"name":"fast","mode":"SPLIT","weights":{"price":"0.25","latency":"0.75"},"deny":["BATS"]}"#;
    let set = desk.client.post("/api/v1/admin/sor/config", &[("idempotency-key", "p")], policy).await.expect(200);
    assert_eq!((set.get("/version"), set.get("/weights/latency")), ("1".into(), "0.75".into()));
    let again = desk.client.post("/v1/admin/sor/config", &[("idempotency-key", "p")], policy).await.expect(200);
    assert_eq!((set.body, again.header("idempotent-replay")), (again.body.clone(), Some("true")));
    let names = desk.client.get("/api/v1/sor/policies").await.expect(200).json();
    assert!(names["data"].as_array().unwrap().iter().any(|policy| policy["name"] == "fast"));
    let placed = desk.place(&format!(r#""routing":{{"policy":"fast"}},{TRADING}"#)).await;
    let why = desk.client.get(&format!("{}/why", placed.header("location").unwrap())).await.expect(200);
    assert_eq!((why.get("/routes/0/policy"), why.get("/routes/0/policy_version")), ("fast".into(), "1".into()));
    let candidates = why.json()["routes"][0]["candidates"].clone();
    assert!(candidates.as_array().unwrap().iter().any(|one| one["venue"] == "BATS" && one["excluded"] == "NOT_ALLOWED"), "{candidates}");
    let venues = desk.client.get("/api/v1/sor/venues").await.expect(200).json();
    assert!(venues["data"].as_array().unwrap().iter().all(|venue| venue["connected"] == true), "{venues}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_and_markets_can_be_read() {
    let desk = Desk::open().await;
    assert_eq!(desk.client.get("/api/v1/instruments").await.expect(200).get("/data/0/ticks/0/tick"), "0.01");
    assert_eq!(desk.client.get("/api/v1/instruments/AAPL").await.expect(200).get("/max_qty"), "1000000");
    desk.client.get("/api/v1/instruments/NONE").await.refused(404, "NOT_FOUND");
    let first = desk.client.get("/api/v1/venues?limit=1").await.expect(200);
    assert_eq!((first.get("/data/0/venue"), first.get("/next")), ("BATS".into(), "BATS".into()));
    let second = desk.client.get("/api/v1/venues?limit=1&cursor=BATS").await.expect(200);
    assert_eq!((second.get("/data/0/venue"), second.get("/next")), ("XNAS".into(), "null".into()));
    assert_eq!(desk.client.get("/api/v1/accounts").await.expect(200).get("/data/0/name"), "main");
    let last = desk.client.get("/api/v1/marketdata/last/AAPL").await.expect(200);
    assert_eq!(
        (last.get("/bid"), last.get("/ask"), last.get("/mid"), last.get("/venues/1/ask_size")),
        ("20".into(), "20.1".into(), "20.05".into(), "300".into())
    );
    assert_eq!(desk.client.get("/api/v1/positions/AAPL").await.expect(200).get("/qty"), "0");
    let bars = desk.client.get("/api/v1/marketdata/bars/AAPL?span=1d&limit=1").await.expect(200);
    assert_eq!((bars.get("/span"), bars.get("/data/0/close")), ("1d".into(), last.get("/mid")));
    desk.client.get("/api/v1/marketdata/bars/AAPL?span=7m").await.refused(400, "VALIDATION_ERROR");
    desk.client.get("/api/v1/marketdata/bars/NONE").await.refused(404, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_figures_and_the_document_are_public() {
    let desk = Desk::open().await;
    desk.place_filled(TRADING).await;
    let stranger = crate::client::Client { key: String::new(), ..desk.client.clone() };
    assert_eq!(stranger.get("/api/v1/health/live").await.expect(200).get("/status"), "live");
    let ready = stranger.get("/api/v1/health/ready").await.expect(200).json();
    assert!(ready["checks"].as_array().unwrap().iter().any(|check| check["name"] == "venue XNAS" && check["ok"] == true), "{ready}");
    let metrics = stranger.get("/api/v1/metrics").await.expect(200).text();
    for figure in ["oms_orders_total 1", "oms_fills_total 1", "oms_place_seconds_count 1", "oms_stage_seconds_count{stage=\"journal\"}"] {
        assert!(metrics.contains(figure), "{figure} in {metrics}");
    }
    assert_eq!(stranger.get("/api/v1/version").await.expect(200).get("/name"), "oms");
    assert_eq!(stranger.get("/api/v1/openapi.json").await.expect(200).body, oms_api::openapi::document().as_bytes());
}
