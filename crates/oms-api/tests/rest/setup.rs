//! Setting a desk up over the interface: accounts, instruments, venues.

use crate::desk::{Desk, XNAS};
use oms_model::InstrumentId;
use oms_runtime::clock::{Clock as _, SystemClock};
use oms_runtime::port::MarketSink as _;
use serde_json::json;

const MSFT: &str = r#"{"symbol":"MSFT","listing":"XNAS","ticks":[{"tick":"0.0001"},{"from":"1","tick":"0.01"}],"max_qty":"1000000"}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_set_up_can_be_traded() {
    let desk = Desk::open().await;
    let set = desk.client.post("/api/v1/instruments", &[("idempotency-key", "one")], MSFT).await.expect(200);
    assert_eq!((set.get("/currency"), set.get("/lot"), set.get("/min_qty")), ("USD".into(), "1".into(), "1".into()));
    let again = desk.client.post("/api/v1/instruments", &[("idempotency-key", "one")], MSFT).await.expect(200);
    assert_eq!((again.header("idempotent-replay"), &again.body), (Some("true"), &set.body));
    let account = desk.client.post("/api/v1/accounts", &[], r#"{"name":"growth","capital":"5000"}"#).await.expect(200);
    let (ask, size, now) = ("20.10".parse().unwrap(), "300".parse().unwrap(), SystemClock.now());
    desk.market.quote(InstrumentId(1), XNAS, false, Some((ask, size)), now);
    let order = json!({"symbol": "MSFT", "account_id": account.get("/account_id"), "side": "BUY", "ord_type": "LIMIT",
        "order_qty": "10", "price": "20.10", "routing": {"mode": "NAMED", "venue": "XNAS"}});
    desk.client.post("/api/v1/orders", &[], &order.to_string()).await.expect(201);
    let venue = desk.client.post("/api/v1/venues", &[], r#"{"venue":"IEXG","name":"IEX","fill_prior":"0.25"}"#).await.expect(200);
    assert_eq!((venue.get("/fill_prior"), venue.get("/enabled")), ("0.25".into(), "true".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_given_keeps_what_is_known() {
    let desk = Desk::open().await;
    desk.client.post("/api/v1/instruments", &[], MSFT).await.expect(200);
    let changed = desk.client.post("/api/v1/instruments", &[], r#"{"symbol":"MSFT","active":false}"#).await.expect(200);
    assert_eq!((changed.get("/active"), changed.get("/ticks/1/from")), ("false".into(), "1".into()));
    let first = desk.client.post("/api/v1/accounts", &[], r#"{"name":"growth","capital":"5000"}"#).await.expect(200);
    let second = desk.client.post("/api/v1/accounts", &[], r#"{"name":"growth","converts":true}"#).await.expect(200);
    assert_eq!(first.get("/account_id"), second.get("/account_id"), "a name is one account");
    assert_eq!((second.get("/capital"), second.get("/converts")), ("5000".into(), "true".into()));
    let accounts = desk.client.get("/api/v1/accounts").await.expect(200);
    assert_eq!(accounts.json()["data"].as_array().unwrap().len(), 2);
    // The same by a typed command.
    let command = r#"{"type":"VenueSetCmd","venue":"XNAS","enabled":false}"#;
    desk.client.post("/api/v1/commands/execute", &[], command).await.expect(200);
    let venues = desk.client.get("/api/v1/venues").await.expect(200);
    let xnas = venues.json()["data"].as_array().unwrap().iter().find(|venue| venue["venue"] == "XNAS").unwrap().clone();
    assert_eq!((&xnas["enabled"], &xnas["taker_fee"]), (&json!(false), &json!("0.003")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_makes_no_sense_is_refused_by_name() {
    let desk = Desk::open().await;
    let before = desk.handle.durable();
    for (path, body, field) in [
        ("instruments", r#"{"symbol":"MSFT"}"#, "listing"),
        ("instruments", r#"{"symbol":"MSFT","listing":"XNAS","ticks":[{"from":"1"}],"max_qty":"10"}"#, "tick"),
        ("instruments", r#"{"symbol":"MSFT","listing":"XNAS","ticks":[{"tick":"0.01"}]}"#, "max_qty"),
        ("instruments", r#"{"symbol":"AAPL","currency":"usd"}"#, "currency"),
        ("instruments", r#"{"symbol":"AAPL","external_ids":[{"source":"ISIN"}]}"#, "security_id"),
        ("accounts", r#"{"currency":"USD"}"#, "name"),
        ("accounts", r#"{"name":" "}"#, "name"),
        ("venues", r#"{"venue":"TOOLONG"}"#, "venue"),
        ("venues", r#"{"venue":"XNAS","fill_prior":"1.5"}"#, "fill_prior"),
        ("venues", r#"{"venue":"XNAS","fill_prior":"0.0000001"}"#, "fill_prior"),
    ] {
        let refused = desk.client.post(&format!("/api/v1/{path}"), &[], body).await.refused(400, "VALIDATION_ERROR");
        assert!(refused.get("/message").contains(field), "{body}: {}", refused.text());
    }
    assert_eq!(desk.handle.durable(), before);
    // What only the engine knows, it refuses: and it is recorded.
    desk.client.post("/api/v1/instruments", &[], r#"{"symbol":"AAPL","lot":"0"}"#).await.refused(400, "VALIDATION_ERROR");
    desk.client.post("/api/v1/venues", &[], r#"{"venue":"XNAS","latency_prior_ns":0}"#).await.refused(400, "VALIDATION_ERROR");
}
