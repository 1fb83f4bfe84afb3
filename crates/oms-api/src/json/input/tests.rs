use super::*;
use crate::json::parse;
use oms_model::{OrdType, Price, Side, SorMode};

fn order(text: &str) -> Result<NewOrder, Refusal> {
    new_order(&parse(text.as_bytes(), 32).unwrap(), "")
}

fn with(field: &str) -> Result<NewOrder, Refusal> {
    order(&format!(r#"{{"symbol":"AAPL","side":"BUY","ord_type":"LIMIT","order_qty":"100",{field}}}"#))
}

#[test]
fn a_whole_order() {
    let order = order(
        r#"{"cl_ord_id":"A-1","symbol":"AAPL","side":"SELL_SHORT","ord_type":"STOP_LIMIT","order_qty":100,"price":177.25,"stop_px":"177.5",
           "time_in_force":"GTD","expire_at":"2026-01-31T16:00:00.000000001-05:00","account_id":null,
           "routing":{"mode":"NAMED","venue":"XNYS","policy":"default"},"metadata":{"desk": "a"}}"#,
    )
    .unwrap();
    assert_eq!(order.side, Side::SellShort);
    assert_eq!(order.ord_type, OrdType::StopLimit);
    assert_eq!(order.price, Some("177.25".parse::<Price>().unwrap()));
    assert_eq!(order.expire_at.unwrap().0, 1_769_893_200_000_000_001);
    assert_eq!(order.routing.mode, Some(SorMode::Named));
    assert_eq!(order.metadata.as_deref(), Some(r#"{"desk": "a"}"#));
    assert_eq!(order.account_id, None);
}

#[test]
fn decimals() {
    let price = |text: &str| with(&format!("\"price\":{text}")).map(|order| order.price.unwrap().to_string());
    for (text, expected) in [
        ("\"177.25\"", "177.25"),
        ("177.25", "177.25"),
        ("177.250000000000", "177.25"),
        ("0.1", "0.1"),
        ("\"0.000000001\"", "0.000000001"),
        ("9223372036.854775807", "9223372036.854775807"),
        ("-1", "-1"),
    ] {
        assert_eq!(price(text).unwrap(), expected, "{text}");
    }
    for text in [
        "1e2",
        "1E2",
        "1.5e-3",
        "\"1e2\"",
        "0.0000000001",
        "9223372036.854775808",
        "\"\"",
        "\" 1\"",
        "\"+1\"",
        "\"1,000\"",
        "\"0x1\"",
        "\".5\"",
        "\"5.\"",
        "\"NaN\"",
        "true",
        "[1]",
        "{}",
    ] {
        let refusal = price(text).expect_err(text);
        assert_eq!(refusal.code, Code::ValidationError);
        assert_eq!(refusal.details.first().unwrap(), &("field".to_owned(), "price".to_owned()), "{text}");
    }
}

#[test]
fn unknown_fields_are_named() {
    let refusal = with(r#""proce":"1""#).unwrap_err();
    assert!(refusal.message.contains("proce is not a known field"), "{refusal}");
    let refusal = with(r#""routing":{"modus":"SPLIT"}"#).unwrap_err();
    assert!(refusal.message.contains("routing.modus is not a known field"), "{refusal}");
    let value = parse(br#"{"orders":[{"symbol":"AAPL","side":"BUY","ord_type":"MARKET","order_qty":"1"},{"x":1}]}"#, 32).unwrap();
    assert!(batch(&value).unwrap_err().message.contains("orders[1].x is not a known field"));
}

#[test]
fn missing_and_wrong_fields_are_named() {
    assert!(order("{}").unwrap_err().message.contains("symbol is required"));
    assert!(order("[]").unwrap_err().message.contains("the body must be an object, not an array"));
    let refusal = order(r#"{"symbol":"AAPL","side":"HOLD","ord_type":"LIMIT","order_qty":"1"}"#).unwrap_err();
    assert!(refusal.message.contains("side must be one of BUY, SELL, SELL_SHORT"), "{refusal}");
    let big = format!(r#""metadata":{{"a":"{}"}}"#, "x".repeat(MAX_METADATA));
    assert!(with(&big).unwrap_err().message.contains("metadata has"));
    assert!(with(r#""expire_at":"tomorrow""#).unwrap_err().message.contains("expire_at must be a time"));
}

#[test]
fn a_policy() {
    let read = |text: &str| policy(&parse(text.as_bytes(), 32).unwrap());
    let policy =
        read(r#"{"name":"fast","mode":"SPLIT","weights":{"price":"0.25","latency":0.75},"max_quote_age_ms":500,"deny":["XBOS"]}"#).unwrap();
    assert_eq!(policy.weights, Weights { price: 250_000, latency: 750_000, fill: 0, fee: 0 });
    assert_eq!(policy.max_quote_age_ns, 500_000_000);
    for bad in [
        r#"{"weights":{"price":"2"}}"#,
        r#"{"weights":{"price":"-1"}}"#,
        r#"{"weights":{}}"#,
        r#"{"price_range_bps":0}"#,
        r#"{"max_quote_age_ms":1.5}"#,
        r#"{"deny":["nowhere"]}"#,
        r#"{"max_quote_age_ms":18446744073709551615}"#,
        r#"{"allow":[1]}"#,
    ] {
        assert_eq!(read(bad).expect_err(bad).code, Code::ValidationError);
    }
}
