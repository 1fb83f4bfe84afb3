//! Requests for quotes over REST: ask, quote, accept, and every refusal on the way.

use crate::desk::Desk;

const ASK: &str = r#"{"symbol":"AAPL","side":"BUY","order_qty":"100","life_ms":60000}"#;

fn quote(request: &str, reference: &str, px: &str) -> String {
    format!(
        r#"{{"quote_req_id":"{request}","dealer":"XNAS","quote_ref":"{reference}","offer_px":"{px}","offer_size":"500","life_ms":30000}}"#
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quote_is_asked_given_and_accepted() {
    let desk = Desk::open().await;
    let asked = desk.client.post("/api/v1/quote-requests", &[("idempotency-key", "q-1")], ASK).await.expect(201);
    assert_eq!((asked.get("/state"), asked.get("/side"), asked.get("/order_qty")), ("NEW".into(), "BUY".into(), "100".into()));
    let again = desk.client.post("/api/v1/quote-requests", &[("idempotency-key", "q-1")], ASK).await.expect(201);
    assert_eq!((again.header("idempotent-replay"), &again.body), (Some("true"), &asked.body));
    let request = asked.get("/quote_req_id");

    let quoted = desk.client.post("/api/v1/quotes", &[("idempotency-key", "q-2")], &quote(&request, "D-1", "20.10")).await.expect(201);
    let again = desk.client.post("/api/v1/quotes", &[("idempotency-key", "q-2")], &quote(&request, "D-1", "20.10")).await.expect(201);
    assert_eq!(again.body, quoted.body);
    let quote_id = quoted.get("/quote_id");
    let live = desk.client.get(&format!("/api/v1/quotes?quote_req_id={request}&state=LIVE&dealer=XNAS")).await.expect(200);
    assert_eq!(
        (live.get("/data/0/quote_id"), live.get("/data/0/offer_px"), live.get("/next")),
        (quote_id.clone(), "20.1".into(), "null".into())
    );
    let open = desk.client.get("/api/v1/quote-requests?state=QUOTED&symbol=AAPL").await.expect(200);
    assert_eq!((open.get("/data/0/quote_req_id"), open.get("/data/0/quotes/0")), (request.clone(), quote_id.clone()));

    let path = format!("/api/v1/quotes/{quote_id}/accept");
    let order = desk.client.post(&path, &[("prefer", "wait=10")], r#"{"cl_ord_id":"Q-1"}"#).await.expect(201);
    for (field, value) in [("/ord_type", "PREVIOUSLY_QUOTED"), ("/quote_id", quote_id.as_str()), ("/price", "20.1"), ("/order_qty", "100")]
    {
        assert_eq!(order.get(field), value, "{field}");
    }
    let accepted = desk.client.get(&format!("/api/v1/quotes/{quote_id}")).await.expect(200);
    assert_eq!((accepted.get("/state"), accepted.get("/order_id")), ("ACCEPTED".into(), order.get("/order_id")));
    let done = desk.client.get(&format!("/api/v1/quote-requests/{request}")).await.expect(200);
    assert_eq!((done.get("/state"), done.get("/order_id")), ("ACCEPTED".into(), order.get("/order_id")));
    desk.client.post(&path, &[], "{}").await.refused(409, "QUOTE_NOT_LIVE");
    desk.client.post(&format!("/api/v1/quote-requests/{request}/cancel"), &[], "{}").await.refused(409, "QUOTE_NOT_LIVE");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_is_refused_by_name() {
    let desk = Desk::open().await;
    let post = |path: &'static str, body: &'static str| desk.client.post(path, &[], body);
    post("/api/v1/quote-requests", r#"{"symbol":"NONE","order_qty":1}"#).await.refused(422, "UNKNOWN_SYMBOL");
    post("/api/v1/quote-requests", r#"{"symbol":"AAPL","order_qty":1,"colour":"red"}"#).await.refused(400, "VALIDATION_ERROR");
    post("/api/v1/quote-requests", r#"{"symbol":"AAPL","order_qty":1.5}"#).await.refused(422, "INVALID_LOT");
    post("/api/v1/quote-requests", r#"{"symbol":"AAPL","order_qty":1,"life_ms":0}"#).await.refused(400, "VALIDATION_ERROR");
    let nobody = "01920000-0000-7000-8000-000000000000";
    desk.client.post("/api/v1/quotes", &[], &quote(nobody, "D-1", "20")).await.refused(404, "NOT_FOUND");
    desk.client.post(&format!("/api/v1/quotes/{nobody}/accept"), &[], "{}").await.refused(404, "NOT_FOUND");
    post("/api/v1/quotes/nonsense/accept", "{}").await.refused(404, "NOT_FOUND");
    desk.client.get("/api/v1/quotes?state=DEAD").await.refused(400, "VALIDATION_ERROR");
    desk.client.get("/api/v1/quotes?colour=red").await.refused(400, "VALIDATION_ERROR");

    let request = desk.client.post("/api/v1/quote-requests", &[], ASK).await.expect(201).get("/quote_req_id");
    desk.client.post("/api/v1/quotes", &[], &quote(&request, "D-1", "20.105")).await.refused(422, "INVALID_TICK");
    let quote_id = desk.client.post("/api/v1/quotes", &[], &quote(&request, "D-1", "20.10")).await.expect(201).get("/quote_id");
    desk.client.post("/api/v1/quotes", &[], &quote(&request, "D-2", "20.09")).await.refused(409, "STATE_CONFLICT");
    let withdraw = format!("/api/v1/quotes/{quote_id}/withdraw");
    desk.client.post(&withdraw, &[], r#"{"dealer":"BATS"}"#).await.refused(409, "STATE_CONFLICT");
    desk.client.post(&withdraw, &[], r#"{"dealer":"XNAS"}"#).await.expect(200);
    desk.client.post(&format!("/api/v1/quotes/{quote_id}/accept"), &[], "{}").await.refused(409, "QUOTE_NOT_LIVE");
    // As an order that names a dead quote: recorded, and refused.
    let order = format!(
        r#"{{"symbol":"AAPL","side":"BUY","ord_type":"PREVIOUSLY_QUOTED","order_qty":100,"price":"20.10","time_in_force":"FOK","quote_id":"{quote_id}"}}"#
    );
    desk.client.post("/api/v1/orders", &[], &order).await.refused(422, "QUOTE_NOT_LIVE");
    desk.client.post(&format!("/api/v1/quote-requests/{request}/cancel"), &[], "{}").await.expect(200);
    desk.client
        .post("/api/v1/instruments/AAPL/nav", &[], r#"{"nav":"1","as_of":"2020-01-01T00:00:00Z"}"#)
        .await
        .refused(422, "ASSET_CLASS_RULE");
}
