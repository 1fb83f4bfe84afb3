use super::*;
use crate::json::parse;

type Decode = fn(&Value<'_>, &Catalog) -> Result<Command, Refusal>;

fn read(decode: Decode, body: &str) -> Result<Command, Refusal> {
    decode(&parse(body.as_bytes(), 8).unwrap(), &Catalog::default())
}

#[test]
fn executions_are_read_with_everything_that_they_say() {
    let body = r#"{"cl_ord_id":"A-1","last_qty":"100","last_px":20.25,"exec_id":"TEL-1","reason":"told by telephone"}"#;
    let Command::CreateExecution(new) = read(execution_create, body).unwrap() else { panic!("{body}") };
    assert_eq!(new.on, BookOn::Order(OrderRef::ClOrdId("A-1".parse().unwrap())));
    let Figures::Given { last_px, fee, exec_id, venue, .. } = &new.figures else { panic!("{new:?}") };
    assert_eq!((last_px.to_string(), *fee, *venue), ("20.25".to_owned(), Notional::ZERO, None));
    assert_eq!(exec_id.as_ref().unwrap().as_str(), "TEL-1");

    let body = r#"{"symbol":"XYZ","side":"SELL","from_suspense":true,"venue":"XNAS","exec_id":"S1","reason":"ours"}"#;
    let Command::CreateExecution(new) = read(execution_create, body).unwrap() else { panic!("{body}") };
    assert!(matches!(&new.on, BookOn::Account { account_id: None, symbol, .. } if symbol.as_str() == "XYZ"));
    assert!(matches!(&new.figures, Figures::Suspense { exec_id, .. } if exec_id.as_str() == "S1"));
}

#[test]
fn bad_bodies_are_refused_by_field() {
    let cases: &[(Decode, &str, &str)] = &[
        (execution_create, r#"{"reason":"x"}"#, "symbol is required"),
        (execution_create, r#"{"symbol":"XYZ","reason":"x"}"#, "side is required"),
        (execution_create, r#"{"cl_ord_id":"A","reason":"x"}"#, "last_qty is required"),
        (execution_create, r#"{"cl_ord_id":"A","last_qty":"1","last_px":"1"}"#, "reason is required"),
        (execution_create, r#"{"cl_ord_id":"A","side":"BUY","last_qty":"1","last_px":"1","reason":"x"}"#, "side is the order's"),
        (execution_create, r#"{"cl_ord_id":"A","from_suspense":true,"exec_id":"S","reason":"x"}"#, "venue is required"),
        (execution_create, r#"{"cl_ord_id":"A","from_suspense":true,"last_qty":"1","reason":"x"}"#, "last_qty comes from suspense"),
        (execution_create, r#"{"cl_ord_id":"A","colour":"red"}"#, "colour is not a known field"),
        (execution_correct, r#"{"exec_id":"E","symbol":"XYZ","reason":"x"}"#, "last_qty or last_px or fee is required"),
        (execution_correct, r#"{"symbol":"XYZ","last_qty":"1","reason":"x"}"#, "exec_id is required"),
        (execution_bust, r#"{"exec_id":"E","reason":"x"}"#, "symbol is required"),
        (execution_whack, r#"{"exec_id":"E","symbol":"XYZ"}"#, "reason is required"),
        (suspense_dismiss, r#"{"exec_id":"E","reason":"x"}"#, "venue is required"),
        (fx_rate, r#"{"from":"EUR","to":"usd","rate":"1.1"}"#, "to is not a currency code"),
        (fx_rate, r#"{"from":"EUR","to":"USD","rate":"1e2"}"#, "rate"),
        (cost_method, r#"{"method":"LIFO"}"#, "method must be one of FIFO, AVERAGE_COST"),
        (day_close, "{}", "day is required"),
        (day_close, r#"{"day":"today"}"#, "day must be a whole number"),
    ];
    for (decode, body, expected) in cases {
        let refusal = read(*decode, body).unwrap_err();
        assert!(refusal.message.contains(expected), "{body}: {refusal}");
    }
}

#[test]
fn the_others_become_what_they_say() {
    let named = r#"{"exec_id":"E1","symbol":"XYZ","venue":"XNAS","reason":"erroneous"}"#;
    for (decode, expected) in [(execution_bust as Decode, Reversal::Bust), (execution_whack, Reversal::Whack)] {
        let Command::ReverseExecution { execution, reversal, .. } = read(decode, named).unwrap() else { panic!("{named}") };
        assert_eq!((execution.exec_id.as_str(), reversal), ("E1", expected));
    }
    let body = r#"{"from":"EUR","to":"USD","rate":"1.0853"}"#;
    let expected = Command::SetFxRate { from: Currency(*b"EUR"), to: Currency::USD, rate: "1.0853".parse().unwrap() };
    assert_eq!(read(fx_rate, body).unwrap(), expected);
    assert_eq!(read(cost_method, r#"{"method":"AVERAGE_COST"}"#).unwrap(), Command::SetCostMethod(oms_model::CostMethod::AverageCost));
    assert_eq!(read(day_close, r#"{"day":20261121}"#).unwrap(), Command::CloseDay { day: 20_261_121 });
}
