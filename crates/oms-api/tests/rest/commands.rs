//! Typed commands through one door.

use crate::client::Reply;
use crate::desk::{Desk, RESTING, TRADING};
use oms_model::OrderId;
use oms_model::event::Event;

const EXECUTE: &str = "/api/v1/commands/execute";

fn create(fields: &str) -> String {
    format!(r#"{{"type":"OrderCreateCmd","symbol":"AAPL","side":"BUY",{fields}}}"#)
}

async fn execute(desk: &Desk, body: &str) -> Reply {
    desk.client.post(EXECUTE, &[], body).await
}

async fn state_of(desk: &Desk, id: &str) -> String {
    desk.client.get(&format!("/api/v1/orders/{id}")).await.expect(200).get("/ord_status")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_lives_by_commands_alone() {
    let desk = Desk::open().await;
    let created = execute(&desk, &create(&format!(r#""cl_ord_id":"C-1",{RESTING}"#))).await.expect(200);
    assert_eq!((created.get("/status"), created.get("/results/0/status")), ("APPLIED".into(), "ACCEPTED".into()));
    let id = created.get("/ids/0");
    assert_eq!(created.get("/results/0/id"), id);
    assert_eq!(created.header("x-sequence"), Some(created.get("/sequence").as_str()));
    let order_id: OrderId = id.parse().unwrap();
    desk.until(|event| matches!(event, Event::OrderAccepted(_))).await;

    let stale = execute(&desk, r#"{"type":"OrderReplaceCmd","cl_ord_id":"C-1","if_version":1,"price":"19.05"}"#).await;
    let version = stale.refused(412, "VERSION_MISMATCH").get("/details/version");
    let body = format!(r#"{{"type":"OrderReplaceCmd","cl_ord_id":"C-1","if_version":{version},"price":"19.05"}}"#);
    let replaced = execute(&desk, &body).await.expect(202);
    assert_eq!((replaced.get("/status"), replaced.get("/ids/0")), ("PENDING".into(), id.clone()));
    desk.until(|event| matches!(event, Event::OrderReplaced(e) if e.order_id == order_id)).await;
    assert_eq!(desk.client.get(&format!("/api/v1/orders/{id}")).await.expect(200).get("/price"), "19.05");

    let canceled = execute(&desk, &format!(r#"{{"type":"OrderCancelCmd","order_id":"{id}"}}"#)).await.expect(202);
    assert_eq!(canceled.get("/results/0/status"), "PENDING");
    desk.until(|event| matches!(event, Event::OrderCanceled(e) if e.order_id == order_id)).await;
    assert_eq!(state_of(&desk, &id).await, "CANCELED");
    execute(&desk, &format!(r#"{{"type":"OrderCancelCmd","order_id":"{id}"}}"#)).await.refused(409, "STATE_CONFLICT");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_house_is_run_by_commands_too() {
    let desk = Desk::open().await;
    let set = execute(&desk, r#"{"type":"RiskLimitSetCmd","limit_type":"MAX_ORDER_QTY","value":"50"}"#).await.expect(200);
    assert_eq!((set.get("/status"), set.get("/ids")), ("APPLIED".into(), "[]".into()));
    let refused = execute(&desk, &create(RESTING)).await.refused(422, "RISK_LIMIT_BREACH");
    assert_eq!(state_of(&desk, &refused.get("/details/order_id")).await, "REJECTED");
    execute(&desk, r#"{"type":"RiskLimitRemoveCmd","limit_type":"MAX_ORDER_QTY"}"#).await.expect(200);
    execute(&desk, r#"{"type":"RiskLimitRemoveCmd","limit_type":"MAX_ORDER_QTY"}"#).await.refused(404, "NOT_FOUND");
    let batch = format!(
        r#"{{"type":"OrderBatchCreateCmd","orders":[{{"symbol":"AAPL","side":"BUY",{RESTING}}},{{"symbol":"NONE","side":"BUY",{TRADING}}}]}}"#
    );
    let placed = execute(&desk, &batch).await.expect(200).json();
    assert_eq!(placed["ids"].as_array().unwrap().len(), 1);
    assert_eq!(placed["results"][0]["status"], "ACCEPTED");
    assert_eq!((&placed["results"][1]["status"], &placed["results"][1]["error"]["code"]), (&"INVALID".into(), &"UNKNOWN_SYMBOL".into()));
    execute(&desk, r#"{"type":"SorPolicySetCmd","name":"calm","mode":"SWEEP"}"#).await.expect(200);
    execute(&desk, r#"{"type":"TradingStateSetCmd","state":"HALTED","reason":"drill"}"#).await.expect(200);
    execute(&desk, &create(RESTING)).await.refused(422, "TRADING_HALTED");
    execute(&desk, r#"{"type":"KillSwitchEngageCmd","reason":"drill"}"#).await.expect(200);
    execute(&desk, &create(RESTING)).await.refused(422, "KILL_SWITCH");
    execute(&desk, r#"{"type":"KillSwitchReleaseCmd","reason":"over"}"#).await.expect(200);
    let swept = execute(&desk, r#"{"type":"OrderMassCancelCmd","scope":"TENANT"}"#).await;
    assert!(swept.status == 202 || swept.status == 200, "{}", swept.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_care_order_is_worked_by_commands() {
    let desk = Desk::open().await;
    let staged = execute(&desk, &create(&format!(r#""cl_ord_id":"CARE","routing":{{"care":true}},{RESTING}"#))).await.expect(200);
    let id = staged.get("/ids/0");
    let command = |name: &str, more: &str| format!(r#"{{"type":"{name}","cl_ord_id":"CARE"{more}}}"#);
    execute(&desk, &command("OrderReleaseCmd", "")).await.refused(409, "NOT_HOLDER");
    let accepted = execute(&desk, &command("OrderAcceptCmd", "")).await.expect(200);
    assert_eq!((accepted.get("/status"), accepted.get("/ids/0")), ("APPLIED".into(), id.clone()));
    execute(&desk, &command("OrderAcceptCmd", "")).await.refused(409, "STATE_CONFLICT");
    execute(&desk, &command("OrderClaimCmd", "")).await.expect(200);
    let parts = r#","parts":[{"order_qty":"40"},{"order_qty":"60","price":"18.50"}]"#;
    let split = execute(&desk, &command("OrderSplitCmd", parts)).await;
    assert!(split.status == 200 || split.status == 202, "{}", split.text());
    let tree = desk.client.get(&format!("/api/v1/orders/{id}/tree")).await.expect(200).json();
    let quantities: Vec<&str> = tree["children"].as_array().unwrap().iter().map(|part| part["order_qty"].as_str().unwrap()).collect();
    assert_eq!(quantities, ["40", "60"]);
    let why = desk.client.get(&format!("/api/v1/orders/{id}/why?format=text")).await.expect(200).text();
    assert!(why.contains("claimed by user") && why.contains("acknowledged by user"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_is_worked_is_suspended_and_resumed() {
    let desk = Desk::open().await;
    let algo = r#""algo":{"strategy":"ICEBERG","slice_qty":"30"}"#;
    let placed = execute(&desk, &create(&format!(r#""cl_ord_id":"W-1",{algo},{RESTING}"#))).await.expect(200);
    let id = placed.get("/ids/0");
    desk.until(|event| matches!(event, Event::OrderAccepted(_))).await;
    let order = desk.client.get(&format!("/api/v1/orders/{id}")).await.expect(200);
    assert_eq!(
        (order.get("/work/slices"), order.get("/work/released_qty"), order.get("/place_qty")),
        ("1".into(), "30".into(), "30".into())
    );
    assert_eq!((order.get("/work/algo/strategy"), order.get("/work/suspended")), ("ICEBERG".into(), "false".into()));

    let command = |name: &str| format!(r#"{{"type":"{name}","cl_ord_id":"W-1"}}"#);
    execute(&desk, &command("OrderResumeCmd")).await.refused(409, "STATE_CONFLICT");
    assert_eq!(execute(&desk, &command("OrderSuspendCmd")).await.expect(202).get("/status"), "PENDING");
    desk.until(|event| matches!(event, Event::OrderCanceled(_))).await;
    execute(&desk, &command("OrderSuspendCmd")).await.refused(409, "STATE_CONFLICT");
    let order = desk.client.get(&format!("/api/v1/orders/{id}")).await.expect(200);
    assert_eq!(
        (order.get("/work/suspended"), order.get("/place_qty"), order.get("/ord_status")),
        ("true".into(), "0".into(), "LIVE".into())
    );
    assert_eq!(execute(&desk, &command("OrderResumeCmd")).await.expect(200).get("/status"), "APPLIED");
    assert_eq!(desk.client.get(&format!("/api/v1/orders/{id}")).await.expect(200).get("/work/slices"), "2");
    let why = desk.client.get(&format!("/api/v1/orders/{id}/why?format=text")).await.expect(200).text();
    for words in ["SUSPEND: asked for", "RESUME: asked for", "slice of 30 at 19: "] {
        assert!(why.contains(words), "{words:?} is not in {why}");
    }
    execute(&desk, &format!(r#"{{"type":"OrderCreateCmd","symbol":"AAPL","side":"BUY","cl_ord_id":"W-2",{RESTING}}}"#)).await.expect(200);
    execute(&desk, r#"{"type":"OrderSuspendCmd","cl_ord_id":"W-2"}"#).await.refused(409, "STATE_CONFLICT");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_of_a_list_say_what_they_wait_for() {
    let desk = Desk::open().await;
    let one = |id: &str, side: &str, terms: &str| format!(r#"{{"symbol":"AAPL","side":"{side}","cl_ord_id":"{id}",{terms}}}"#);
    let stop = r#""ord_type":"STOP","order_qty":"100","stop_px":"18.00""#;
    let orders =
        [one("E", "BUY", RESTING), one("S", "SELL", stop), one("T", "SELL", r#""ord_type":"LIMIT","order_qty":"100","price":"21.00""#)];
    let list = |orders: &[String], more: &str| format!(r#"{{"type":"OrderBatchCreateCmd",{more},"orders":[{}]}}"#, orders.join(","));
    execute(&desk, &list(&orders, r#""arm":"PRO_RATA""#)).await.refused(400, "VALIDATION_ERROR");
    execute(&desk, &list(&orders, r#""contingency":"OTOCO","atomic":false"#)).await.refused(400, "VALIDATION_ERROR");
    let placed = execute(&desk, &list(&orders, r#""contingency":"OTOCO","arm":"PRO_RATA""#)).await.expect(200).json();
    let ids: Vec<&str> = placed["ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(ids.len(), 3);
    let stop = desk.client.get(&format!("/api/v1/orders/{}", ids[1])).await.expect(200);
    assert_eq!((stop.get("/ord_status"), stop.get("/place_qty"), stop.get("/work/list/armed_qty")), ("NEW".into(), "0".into(), "0".into()));
    assert_eq!((stop.get("/work/list/armed_by"), stop.get("/work/list/arm")), (ids[0].into(), "PRO_RATA".into()));
    // The entry ends without an execution, and so does what it would have armed.
    execute(&desk, r#"{"type":"OrderCancelCmd","cl_ord_id":"E"}"#).await.expect(202);
    let last: OrderId = ids[2].parse().unwrap();
    desk.until(|event| matches!(event, Event::OrderCanceled(e) if e.order_id == last)).await;
    assert_eq!(state_of(&desk, ids[1]).await, "CANCELED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_command_has_the_same_bytes_and_is_done_once() {
    let desk = Desk::open().await;
    let key = [("idempotency-key", "c-1")];
    let first = desk.client.post(EXECUTE, &key, &create(RESTING)).await.expect(200);
    desk.until(|event| matches!(event, Event::OrderAccepted(_))).await;
    let again = desk.client.post(EXECUTE, &key, &create(RESTING)).await.expect(200);
    assert_eq!((again.header("idempotent-replay"), &again.body), (Some("true"), &first.body));
    let other = format!(r#"{{"type":"OrderCancelCmd","order_id":"{}"}}"#, first.get("/ids/0"));
    desk.client.post(EXECUTE, &key, &other).await.refused(422, "IDEMPOTENCY_CONFLICT");
    assert_eq!(desk.client.get("/api/v1/orders").await.expect(200).json()["data"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_ordinary_commands_are_turned_away_cancels_are_not() {
    let config = oms_api::Config { max_requests: 0, protected_requests: 1, ..oms_api::Config::default() };
    let desk = Desk::open_with(config).await;
    let refused = execute(&desk, &create(RESTING)).await.refused(503, "OVERLOADED");
    assert_eq!(refused.header("retry-after"), Some("1"));
    execute(&desk, r#"{"type":"OrderMassCancelCmd","scope":"TENANT"}"#).await.expect(200);
    execute(&desk, r#"{"type":"OrderCancelCmd","cl_ord_id":"NONE"}"#).await.refused(404, "NOT_FOUND");
}

/// Every command, mutated: an answer each time, never a fault of ours, and each order that was recorded is answered for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mutated_commands_never_cause_a_server_error() {
    let desk = Desk::open().await;
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let mut recorded = 0;
    for spec in oms_api::json::command::COMMANDS {
        for _ in 0..60 {
            let mut body = spec.example.as_bytes().to_vec();
            for _ in 0..=random(4) {
                let at = random(body.len());
                match random(3) {
                    0 => body[at] = u8::try_from(random(256)).unwrap(),
                    1 => drop(body.remove(at)),
                    _ => body.insert(at, b"{}[]\",:0e-."[random(11)]),
                }
            }
            let reply = desk.client.send("POST", EXECUTE, &[], Some(&body)).await;
            assert!(reply.status < 500, "{}: {}: {}", spec.name, String::from_utf8_lossy(&body), reply.text());
            let answer = reply.json();
            if answer["results"].as_array().is_some_and(|results| results.iter().any(|result| result["status"] == "ACCEPTED")) {
                recorded += answer["ids"].as_array().unwrap().len();
            }
            recorded += usize::from(answer["details"]["ord_status"].is_string() && answer["code"] != "DUPLICATE_CL_ORD_ID");
        }
    }
    let mut stored = 0;
    let mut next = String::new();
    loop {
        let page = desk.client.get(&format!("/api/v1/queries/orders/search?limit=500{next}")).await.expect(200).json();
        stored += page["data"].as_array().unwrap().len();
        let Some(cursor) = page["next"].as_str() else { break };
        next = format!("&cursor={cursor}");
    }
    assert_eq!(stored, recorded, "nothing was recorded that was not answered for");
}
