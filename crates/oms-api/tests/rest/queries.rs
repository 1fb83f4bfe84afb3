//! Searches: every field with every operator, and what is no question.

use crate::desk::{Desk, RESTING};
use oms_store::views::query::Kind;
use oms_store::views::{Op, Resource};

const RESOURCES: [(&str, Resource); 6] = [
    ("orders", Resource::Orders),
    ("executions", Resource::Executions),
    ("positions", Resource::Positions),
    ("quote-requests", Resource::QuoteRequests),
    ("quotes", Resource::Quotes),
    ("allocations", Resource::Allocations),
];

fn search(resource: &str, query: &str) -> String {
    format!("/api/v1/queries/{resource}/search?{query}")
}

/// A value of the kind.
fn good(kind: Kind) -> &'static str {
    match kind {
        Kind::Uuid => "00000000-0000-7000-8000-000000000001",
        Kind::Mic => "XNAS",
        Kind::Bool { .. } => "true",
        Kind::Time => "2026-01-31T16:00:00Z",
        Kind::Int => "7",
        Kind::Price | Kind::Qty | Kind::Notional => "1.5",
        Kind::Text => "AAPL",
        // Terms differ; one that all vocabularies of the fields under test refuse or take is not needed here.
        Kind::Term { .. } => "",
    }
}

fn key(field: &str, op: Op) -> String {
    if op == Op::Eq { field.to_owned() } else { format!("{field}__{op}") }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_field_takes_its_operators_and_refuses_the_others() {
    let desk = Desk::open().await;
    desk.place(RESTING).await;
    for (name, resource) in RESOURCES {
        for field in resource.fields() {
            for (_, op) in Op::ALL {
                let value = match (op, field.kind) {
                    (Op::IsNull, _) => "false".to_owned(),
                    (Op::Between, kind) => format!("{0},{0}", good(kind)),
                    (_, kind) => good(kind).to_owned(),
                };
                let reply = desk.client.get(&search(name, &format!("{}={value}", key(field.name, *op)))).await;
                let takes = field.kind.ops().contains(op);
                if takes && !(matches!(field.kind, Kind::Term { .. }) && *op != Op::IsNull) {
                    assert_eq!(reply.status, 200, "{name} {} {op}: {}", field.name, reply.text());
                } else {
                    let refused = reply.refused(400, "VALIDATION_ERROR");
                    assert!(refused.get("/message").contains(field.name), "{}", refused.text());
                }
            }
            let sorted = desk.client.get(&search(name, &format!("sort=-{}", field.name))).await;
            assert_eq!(sorted.status == 200, field.kind.is_sortable(), "{name} {}: {}", field.name, sorted.text());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_question_is_refused_by_name() {
    let desk = Desk::open().await;
    let many: Vec<String> = (0..33).map(|n| format!("symbol__ne=S{n}")).collect();
    let values = vec!["A"; 201].join(",");
    let long = "x".repeat(129);
    for (query, expected) in [
        ("colour=red", "there is no field \"colour\""),
        ("symbol__near=AAPL", "there is no operator \"near\""),
        ("symbol__gt=AAPL", "cannot be compared with gt"),
        ("symbol=", "is empty"),
        ("symbol__like=%25a%25b%25c%25d%25e", "at most 4"),
        ("symbol__like=a%5C", "escapes nothing"),
        (&format!("symbol__in={values}"), "201 values"),
        (&format!("symbol={long}"), "129 bytes"),
        (&many.join("&"), "is given twice"),
        ("sort=is_root", "true or false"),
        ("sort=colour", "there is no field"),
        ("sort=symbol,-symbol", "named twice"),
        ("sort=symbol,side,price,venue,order_qty", "at most 4"),
        ("limit=0", "limit must be 1 to 500"),
        ("limit=501", "limit must be 1 to 500"),
        ("limit=ten", "limit must be 1 to 500"),
        ("cursor=zzz", "cursor"),
        ("fields=order_id,colour", "names colour"),
        ("order_qty__between=1", "takes two values"),
        ("order_qty=lots", "order_qty"),
        ("price=1.0000000001", "price"),
        ("created_at__gte=tomorrow", "is not a time"),
        ("ord_status=ASLEEP", "ord_status"),
        ("in_doubt=maybe", "must be true or false"),
        ("price__isnull=perhaps", "must be true or false"),
        ("order_id=1", "order_id"),
        ("venue=TOOLONG", "venue"),
    ] {
        let refused = desk.client.get(&search("orders", query)).await.refused(400, "VALIDATION_ERROR");
        assert!(refused.get("/message").contains(expected), "{query}: {}", refused.text());
    }
    for name in ["orders", "executions", "positions"] {
        desk.client.get(&search(name, "side__like=B%25")).await.refused(400, "VALIDATION_ERROR");
        desk.client.get(&search(name, "surprise=1")).await.refused(400, "VALIDATION_ERROR");
    }
    desk.client.get("/api/v1/queries/nothing/search").await.refused(404, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aliases_pages_and_fields_do_what_they_say() {
    let desk = Desk::open().await;
    for n in 0..5 {
        desk.place(&format!(r#""cl_ord_id":"Q-{n}","ord_type":"LIMIT","order_qty":"100","price":"19.0{n}""#)).await;
    }
    for _ in 0..5 {
        desk.place_filled(r#""ord_type":"LIMIT","order_qty":"10","price":"20.10""#).await;
    }
    desk.client.post("/api/v1/orders/cl_ord_id:Q-0/cancel", &[("prefer", "wait=10")], "{}").await.expect(200);
    let count = |reply: crate::client::Reply| reply.expect(200).json()["data"].as_array().unwrap().len();
    for (alias, canonical, expected) in [("ROUTED", "LIVE", 4), ("CXL", "CANCELED", 1), ("REJ", "REJECTED", 0), ("EXP", "EXPIRED", 0)] {
        let one = desk.client.get(&search("orders", &format!("ord_status={alias}"))).await;
        let other = desk.client.get(&search("orders", &format!("ord_status={canonical}"))).await;
        assert_eq!(one.body, other.body, "{alias}");
        assert_eq!(count(one), expected, "{alias}");
    }
    let query = "symbol=AAPL&side=BUY&sort=-price&fields=order_id,price&limit=3";
    let (mut prices, mut next) = (Vec::new(), String::new());
    loop {
        let page = desk.client.get(&search("orders", &format!("{query}{next}"))).await.expect(200).json();
        for order in page["data"].as_array().unwrap() {
            assert_eq!(order.as_object().unwrap().len(), 2);
            prices.push(order["price"].as_str().unwrap().to_owned());
        }
        let Some(cursor) = page["next"].as_str() else { break };
        next = format!("&cursor={cursor}");
    }
    assert_eq!(prices, ["20.1", "20.1", "20.1", "20.1", "20.1", "19.04", "19.03", "19.02", "19.01", "19"]);
    assert_eq!(count(desk.client.get(&search("executions", "last_px__between=20,21&symbol=AAPL")).await), 5);
    let position = desk.client.get(&search("positions", "symbol=AAPL&is_open=true&qty__gte=50&fields=qty,symbol")).await.expect(200);
    assert_eq!(position.json()["data"], serde_json::json!([{"symbol": "AAPL", "qty": "50"}]));
}
