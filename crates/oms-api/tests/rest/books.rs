//! Groups and their allocations, executions that are booked, corrected and taken back, and what they come to.

use crate::client::Reply;
use crate::desk::Desk;
use oms_model::event::Event;

async fn execute(desk: &Desk, body: &str) -> Reply {
    desk.client.post("/api/v1/commands/execute", &[], body).await
}

/// A care order that a group can take.
async fn staged(desk: &Desk, id: &str, order_qty: u32) -> String {
    let terms = format!(r#""symbol":"AAPL","side":"BUY","ord_type":"LIMIT","order_qty":"{order_qty}","price":"20.10""#);
    let body = format!(r#"{{"type":"OrderCreateCmd","cl_ord_id":"{id}","routing":{{"care":true}},{terms}}}"#);
    execute(desk, &body).await.expect(200).get("/ids/0")
}

async fn order(desk: &Desk, id: &str, field: &str) -> String {
    desk.client.get(&format!("/api/v1/orders/{id}")).await.expect(200).get(&format!("/{field}"))
}

async fn allocations(desk: &Desk, query: &str) -> Vec<serde_json::Value> {
    let page = desk.client.get(&format!("/api/v1/queries/allocations/search?{query}")).await.expect(200);
    page.json()["data"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_is_worked_as_one_and_shared_out_by_commands_alone() {
    let desk = Desk::open().await;
    let (a, b) = (staged(&desk, "A-1", 150).await, staged(&desk, "A-2", 50).await);
    let group = r#"{"type":"OrderGroupCmd","cl_ord_id":"G-1","members":["cl_ord_id:A-1","cl_ord_id:A-2"]}"#;
    let grouped = execute(&desk, group).await.expect(200);
    let group_id = grouped.get("/ids/0");
    desk.until(|event| matches!(event, Event::AllocationBooked(e) if e.qty.to_string() == "200")).await;
    assert_eq!((order(&desk, &a, "cum_qty").await, order(&desk, &b, "cum_qty").await), ("150".into(), "50".into()));
    assert_eq!((order(&desk, &a, "ord_status").await, order(&desk, &b, "avg_px").await), ("FILLED".into(), "20.1".into()));

    let booked = allocations(&desk, &format!("group_order_id={group_id}&status=BOOKED&qty__gte=200")).await;
    assert_eq!(booked.len(), 1, "{booked:?}");
    let shares: Vec<&str> = booked[0]["shares"].as_array().unwrap().iter().map(|share| share["qty"].as_str().unwrap()).collect();
    assert_eq!((shares, booked[0]["avg_px"].as_str()), (vec!["150", "50"], Some("20.1")));
    assert!(allocations(&desk, "status=PROPOSED").await.is_empty());
    let narrow = allocations(&desk, "fields=alloc_id,status").await;
    assert_eq!(narrow[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["alloc_id", "status"]);
    let why = desk.client.get(&format!("/api/v1/orders/{a}/why?format=text")).await.expect(200).text();
    assert!(why.contains(&group_id), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_a_second_person_is_not_approved_by_the_first() {
    let desk = Desk::open().await;
    let a = staged(&desk, "A-1", 70).await;
    staged(&desk, "A-2", 30).await;
    let group = r#"{"type":"OrderGroupCmd","cl_ord_id":"G-1","members":["cl_ord_id:A-1","cl_ord_id:A-2"],"mode":"MANUAL"}"#;
    let group_id = execute(&desk, group).await.expect(200).get("/ids/0");
    desk.until(|event| matches!(event, Event::OrderFilled(e) if e.order_id.to_string() == group_id)).await;
    assert_eq!(order(&desk, &a, "cum_qty").await, "0");
    execute(&desk, r#"{"type":"AllocationProposeCmd","cl_ord_id":"G-1"}"#).await.expect(200);
    let waiting = allocations(&desk, "status=PROPOSED").await;
    let alloc_id = waiting[0]["alloc_id"].as_str().unwrap();
    let approve = format!(r#"{{"type":"AllocationApproveCmd","alloc_id":"{alloc_id}"}}"#);
    execute(&desk, &approve).await.refused(409, "SECOND_PERSON_NEEDED");
    let reject = |reason: &str| format!(r#"{{"type":"AllocationRejectCmd","alloc_id":"{alloc_id}","reason":"{reason}"}}"#);
    execute(&desk, &reject(&"x".repeat(5_000))).await.refused(400, "VALIDATION_ERROR");
    execute(&desk, &reject("the price is wrong")).await.expect(200);
    execute(&desk, &approve).await.refused(404, "NOT_FOUND");
    assert!(allocations(&desk, "status=PROPOSED").await.is_empty());
    execute(&desk, r#"{"type":"OrderUngroupCmd","cl_ord_id":"G-1","reason":"too late"}"#).await.refused(409, "STATE_CONFLICT");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_execution_is_booked_corrected_and_taken_back() {
    let desk = Desk::open().await;
    let position = || async { desk.client.get("/api/v1/positions/AAPL").await.expect(200) };
    let body = r#""symbol":"AAPL","side":"BUY","exec_id":"TEL-1","last_qty":"100","last_px":"19.50","reason":"told by telephone""#;
    execute(&desk, &format!(r#"{{"type":"ExecutionCreateCmd",{body}}}"#)).await.expect(200);
    let first = position().await;
    assert_eq!((first.get("/qty"), first.get("/cost")), ("100".into(), "1950".into()), "{}", first.text());
    let named = r#""symbol":"AAPL","exec_id":"TEL-1","reason":"heard wrong""#;
    execute(&desk, &format!(r#"{{"type":"ExecutionCorrectCmd","last_px":"19.40",{named}}}"#)).await.expect(200);
    assert_eq!(position().await.get("/cost"), "1940");
    execute(&desk, &format!(r#"{{"type":"ExecutionWhackCmd",{named}}}"#)).await.expect(200);
    assert_eq!(position().await.get("/qty"), "0");
    // It no longer stands.
    execute(&desk, &format!(r#"{{"type":"ExecutionBustCmd",{named}}}"#)).await.refused(404, "NOT_FOUND");
    let kinds = desk.client.get("/api/v1/queries/executions/search?symbol=AAPL&sort=seq").await.expect(200);
    assert_eq!(kinds.get("/data/0/order_id"), "null");
    assert_eq!((kinds.get("/data/0/venue"), kinds.get("/data/0/exec_type")), ("XOFF".into(), "TRADE_CANCEL".into()), "{}", kinds.text());
}
