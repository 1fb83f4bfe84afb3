use super::*;
use crate::codec::encode::Writer;
use crate::codec::scan::scan;
use crate::dictionary::{Checks, RejectReason, validate};
use oms_model::algo::{Algo, AlgoParams, CurvePart, Leftover};
use oms_model::{OrdType, Side, TimeInForce};

/// Reads a message with these fields, which stand where `|` separates them.
fn ask(msg_type: &str, fields: &str) -> Result<Ask, Refusal> {
    let mut bytes = Vec::new();
    let writer = Writer::begin(&mut bytes, b"FIX.4.4");
    bytes.extend(format!("35={msg_type}\u{1}").bytes());
    fields.split('|').for_each(|field| bytes.extend(format!("{field}\u{1}").bytes()));
    writer.end(&mut bytes);
    let mut spans = Vec::new();
    scan(&bytes, crate::desk::dictionary(), 100, &mut spans).unwrap();
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

#[test]
fn strategies_are_read_with_their_parameters() {
    let algo = |fields: &str| order(&format!("38=1000|40=1|{fields}")).instructions.algo.unwrap();
    assert_eq!(order("38=1|40=1").instructions.algo, None);
    let twap = algo("847=1001|957=3|958=slices|959=1|960=10|958=end_time|959=19|960=20261127-20:00:00|958=leftover|960=CROSS");
    let expected = AlgoParams { slices: 10, end: Time(1_795_809_600_000_000_000), leftover: Leftover::Cross, ..AlgoParams::default() };
    assert_eq!(twap, expected);
    let pov = algo("847=2|849=0.1|957=2|958=interval_ms|960=500|958=min_participation|960=0.05");
    assert_eq!((pov.algo, pov.max_participation_ppm, pov.min_participation_ppm), (Algo::Pov, 100_000, 50_000));
    assert_eq!(pov.interval_ns, 500_000_000);
    let vwap = algo("847=1|957=2|958=curve|960=1,2,3|958=seed|960=7");
    assert_eq!((vwap.algo, vwap.seed), (Algo::Vwap, 7));
    assert_eq!(vwap.curve, [1, 2, 3].map(|weight| CurvePart { weight }));
    let peg = algo("847=1007|957=4|958=peg_price|960=MID|958=peg_offset|960=0.01|958=peg_cap|960=21|958=interval_ms|960=50");
    assert_eq!(peg.peg, Some(Peg { reference: PegPrice::Mid, offset: "0.01".parse().unwrap(), cap: Some("21".parse().unwrap()) }));
    assert_eq!(algo("847=3|957=1|958=urgency|960=0.5").urgency_ppm, 500_000);
    assert_eq!(algo("847=1006|957=1|958=slice_qty|960=50").algo, Algo::TimeSliced);
    assert_eq!(algo("847=1005|957=1|958=slice_qty|960=50").slice_qty, "50".parse().unwrap());
}

#[test]
fn strategies_that_are_not_known_wholly_are_refused() {
    for fields in ["847=4", "847=1002", "848=fast", "847=1001|848=fast"] {
        assert_eq!(code(&format!("38=1|40=1|{fields}")), Code::OrderTypeUnsupported, "{fields}");
    }
    for fields in [
        "849=0.1",
        "957=1|958=slices|960=1",
        "847=1001|957=1|958=slices",
        "847=1001|957=1|958=slices|960=",
        "847=1001|957=1|958=slices|960=many",
        "847=1001|957=1|958=speed|960=1",
        "847=1001|957=2|958=slices|960=1|958=slices|960=1",
        "847=2|849=1.5",
        "847=2|849=0.1|957=1|958=max_participation|960=0.1",
        "847=1007|957=1|958=peg_offset|960=0.01",
        "847=1|957=1|958=curve|960=1,,2",
    ] {
        assert_eq!(code(&format!("38=1|40=1|{fields}")), Code::ValidationError, "{fields}");
    }
    let change = ask("G", "11=A2|41=A1|55=XYZ|54=1|38=1|40=1|847=1001").unwrap_err();
    assert_eq!(change.code, Code::OrderTypeUnsupported);
}

#[test]
fn the_dictionary_holds_the_group_of_parameters_to_its_count() {
    let check = |fields: &str| {
        let body = format!(
            "35=D\u{1}34=1\u{1}49=A\u{1}52=20261127-10:00:00\u{1}56=B\u{1}11=A1\u{1}38=1\u{1}40=1\u{1}54=1\u{1}55=X\u{1}60=20261127-10:00:00\u{1}{fields}"
        );
        let mut bytes = Vec::new();
        let writer = Writer::begin(&mut bytes, b"FIX.4.4");
        bytes.extend(body.replace('|', "\u{1}").bytes());
        writer.end(&mut bytes);
        let mut spans = Vec::new();
        scan(&bytes, crate::desk::dictionary(), 100, &mut spans).unwrap();
        validate(crate::desk::dictionary(), Checks::default(), &View::new(&bytes, &spans)).map_err(|invalid| invalid.reason)
    };
    assert_eq!(check("847=1001|957=1|958=slices|959=1|960=9|"), Ok(()));
    assert_eq!(check("847=1001|957=2|958=slices|960=9|"), Err(RejectReason::IncorrectNumInGroup));
}
