use super::*;
use crate::codec::encode::Writer;
use crate::codec::scan::scan;
use crate::dictionary::fix44;
use oms_model::{OrdType, Side, TimeInForce};

/// Reads a message with these fields, which stand where `|` separates them.
fn ask(msg_type: &str, fields: &str) -> Result<Ask, Refusal> {
    let mut bytes = Vec::new();
    let writer = Writer::begin(&mut bytes, b"FIX.4.4");
    bytes.extend(format!("35={msg_type}\u{1}").bytes());
    fields.split('|').for_each(|field| bytes.extend(format!("{field}\u{1}").bytes()));
    writer.end(&mut bytes);
    let mut spans = Vec::new();
    scan(&bytes, fix44(), 100, &mut spans).unwrap();
    let view = View::new(&bytes, &spans);
    read(&view, &Subject::of(&view, 1, 0), &Catalog::default(), Time(0))
}

fn order(fields: &str) -> NewOrder {
    match ask("D", &format!("11=A1|55=XYZ|54=1|{fields}")) {
        Ok(Ask::Create(order)) => *order,
        other => panic!("{other:?}"),
    }
}

fn code(fields: &str) -> Code {
    ask("D", &format!("11=A1|55=XYZ|54=1|{fields}")).unwrap_err().code
}

#[test]
fn orders_of_each_type_are_read() {
    let limit = order("38=100|40=2|44=020.50|59=3|100=XNAS|111=10|18=");
    assert_eq!((limit.ord_type, limit.time_in_force, limit.side), (OrdType::Limit, TimeInForce::Ioc, Side::Buy));
    assert_eq!((limit.price, limit.order_qty), (Some("20.5".parse().unwrap()), "100".parse().unwrap()));
    assert_eq!((limit.routing.mode, limit.routing.venue), (Some(SorMode::Named), Some("XNAS".parse().unwrap())));
    assert_eq!(limit.instructions.max_floor, Some("10".parse().unwrap()));
    let money = order("152=1000.50|40=1");
    assert_eq!((money.ord_type, money.cash_order_qty, money.order_qty), (OrdType::Market, Some("1000.5".parse().unwrap()), Qty::ZERO));
    let stop = order("38=1|40=4|44=20|99=21|59=6|126=20261127-20:00:00");
    assert_eq!((stop.ord_type, stop.time_in_force, stop.stop_px), (OrdType::StopLimit, TimeInForce::Gtd, Some("21".parse().unwrap())));
    assert_eq!(stop.expire_at, Some(Time(1_795_809_600_000_000_000)));
    assert_eq!(order("38=1|40=1|59=7").ord_type, OrdType::MarketOnClose);
    assert_eq!(order("38=1|40=2|44=1|59=7").ord_type, OrdType::LimitOnClose);
    assert_eq!(order("38=1|40=K|59=2").time_in_force, TimeInForce::Opg);
    let quote = "0190b2a6-0000-7000-8000-000000000001";
    assert_eq!(order(&format!("38=1|40=D|44=1|117={quote}")).quote_id, quote.parse().ok());
    assert!(order("38=1|40=1|21=3").routing.care);
}

#[test]
fn pegs_and_trails_are_read() {
    let trail = |fields: &str| order(&format!("38=1|40=P|18=a|99=19|{fields}")).instructions.trail.unwrap();
    assert_eq!(trail("211=-0.25"), Trail { amount: "0.25".parse().unwrap(), ..Trail::default() });
    assert_eq!(trail("211=12.5|836=1"), Trail { ppm: 1_250, ..Trail::default() });
    let pegged = order("38=1|40=P|18=M|44=21|211=0.01");
    assert_eq!(pegged.ord_type, OrdType::Pegged);
    assert_eq!(pegged.instructions.peg, Some(Peg { reference: PegPrice::Mid, offset: "0.01".parse().unwrap(), cap: None }));
}

#[test]
fn what_is_not_offered_or_not_exact_is_refused() {
    for fields in ["38=1|40=1|110=1", "38=1|40=1|18=G", "38=1|40=9", "38=1|40=1|59=5", "38=1|40=3|59=7|99=1", "38=1|40=P|18=a|211=1|836=2"]
    {
        assert_eq!(code(fields), Code::OrderTypeUnsupported, "{fields}");
    }
    for fields in [
        "38=1.0000000001|40=1",
        "38=1|40=P|211=1",
        "38=1|40=1|18=a",
        "38=1|40=P|18=a",
        "38=1|40=P|18=a|211=0.001|836=1",
        "38=1|40=P|18=a M|211=1",
    ] {
        assert_eq!(code(fields), Code::ValidationError, "{fields}");
    }
    assert_eq!(ask("D", "11=A 1|55=XYZ|54=1|38=1|40=1").unwrap_err().code, Code::ValidationError);
    assert_eq!(ask("q", "11=A1|530=3").unwrap_err().code, Code::ValidationError);
    assert_eq!(ask("AF", "584=A1|585=1|55=XYZ"), Ok(Ask::MassStatus(Some("XYZ".parse().unwrap()))));
}
