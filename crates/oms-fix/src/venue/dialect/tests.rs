use super::*;
use crate::codec::scan::{View, scan};
use crate::session::outbox::Outgoing;
use crate::venue::order::{Scribe, Terms};
use crate::venue::said::Said;
use oms_model::{OrderId, Time, WireId};

fn order(dialect: &Dialect) -> String {
    let scribe = Scribe { dialect, account: Some("ACC"), now: Time(1_795_780_800_000_000_000) };
    let terms = Terms { order_qty: "100".parse().unwrap(), price: Some("20.5".parse().unwrap()), ..Terms::unknown() };
    shown(&scribe.new_order(&WireId::derive(OrderId::from_u128(1), 0), &terms))
}

fn shown(message: &Outgoing) -> String {
    String::from_utf8_lossy(message.body.as_bytes()).replace('\u{1}', "|")
}

#[test]
fn the_standard_is_the_default() {
    let text = "1=ACC|11=00000000000000000000000000000001-0|21=1|38=100|40=2|44=20.5|54=1|55=[N/A]|59=0|60=20261127-12:00:00.000|";
    assert_eq!(order(&Dialect::default()), text);
    assert_eq!(order(&Dialect::parse("\n# nothing differs\n").unwrap()), text);
}

#[test]
fn each_rule_does_what_it_says() {
    for (rule, has, has_not) in [
        ("const D,G 57 DMA DESK", "57=DMA DESK|", ""),
        ("const * 21 2", "|21=2|", "21=1"),
        ("omit D 21", "38=100", "21="),
        ("omit F 21", "21=1|", "XX"),
        ("tag D,8 44 423", "|423=2", "44=20.5"),
        ("value 55 [N/A] NONE", "55=NONE|", "[N/A]"),
        ("value 59 0 6", "|59=6|", "59=0"),
        ("field 5001 Desk String\nadd D 5001\nconst D 5001 X", "|5001=X|", ""),
        ("max_cl_ord_id 36", "|11=00000000000000000000000000000001-0|", ""),
        ("max_cl_ord_id 35", "|11=0000000000000000000001-0|", ""),
    ] {
        // What is tried here is how a message is changed, not whether a venue would take it.
        let mut dialect = Dialect::default();
        for line in rule.lines().filter(|line| !dialect.is_dictionary(line)).collect::<Vec<_>>() {
            dialect.rule(line).unwrap();
        }
        let text = order(&dialect);
        assert!(text.contains(has) && (has_not.is_empty() || !text.contains(has_not)), "{rule}: {text}");
    }
}

#[test]
fn what_the_venue_says_is_read_through_it() {
    let dialect = Dialect::parse(
        "field 5044 LimitPx Price\nadd D 5044\nadd G 5044\nadd 8 5044\nomit G 44\ntag D,G,8 44 5044\nvalue 39 C Z\nfield 39 OrdStatus char 0|1|2|4|8|Z\nvalue 150 F 1\nfield 150 ExecType char 0|1|4|5|8|I",
    )
    .unwrap();
    let bytes = b"8=FIX.4.4\x019=5\x0135=8\x0139=Z\x0144=1\x01150=1\x015044=20.5\x0110=000\x01";
    let mut spans = Vec::new();
    scan(bytes, dialect.dictionary, usize::MAX, &mut spans).unwrap();
    let said = Said::new(View::new(bytes, &spans), &dialect);
    assert_eq!((said.get(39), said.get(150), said.price(44)), (Some(b"C".as_slice()), Some(b"F".as_slice()), "20.5".parse().ok()));
}

#[test]
fn a_shorter_id_is_the_same_order() {
    let dialect = Dialect::parse("max_cl_ord_id 26").unwrap();
    let bytes = b"8=FIX.4.4\x019=5\x0135=8\x0111=0000000000000000000001-2\x0141=0000000000000000000001-0\x0110=000\x01";
    let mut spans = Vec::new();
    scan(bytes, dialect.dictionary, usize::MAX, &mut spans).unwrap();
    let said = Said::new(View::new(bytes, &spans), &dialect);
    assert_eq!([said.wire(11), said.wire(41)], [2, 0].map(|revision| Some(WireId::derive(OrderId::from_u128(1), revision))));
}

#[test]
fn capabilities_are_read() {
    let text = "ord_types LIMIT MARKET\ntimes_in_force DAY IOC\nsides BUY SELL\nmax_order_qty 10000\nmax_open_orders 50\norder_status no\n\
                mass_status yes\nrepeats_executions yes\ncancel_on_disconnect yes\ndont_know_trade no\nexec_id_unique day\nlogon 464 Y";
    let dialect = Dialect::parse(text).unwrap();
    let expected = Capabilities {
        ord_types: vec![OrdType::Limit, OrdType::Market],
        times_in_force: vec![TimeInForce::Day, TimeInForce::Ioc],
        sides: vec![Side::Buy, Side::Sell],
        max_order_qty: "10000".parse().ok(),
        max_open_orders: Some(50),
        order_status: false,
        mass_status: true,
        repeats_executions: true,
        cancel_on_disconnect: true,
        dont_know_trade: false,
        exec_ids: ExecIdScope::Day,
    };
    assert_eq!(dialect.can, expected);
    assert_eq!(dialect.logon.as_bytes(), b"464=Y\x01");
}

#[test]
fn what_makes_no_sense_is_refused_with_its_line_or_its_message() {
    for (text, what) in [
        ("ord_types LIMIT\nprices up", "line 2: there is no rule \"prices\""),
        ("const D x 1", "line 1: \"x\" is not a tag"),
        ("const A 58 x", "line 1: \"A\" is not the type of an application message"),
        ("const ZZ 58 x", "line 1: \"ZZ\" is not the type"),
        ("const D 58", "line 1: the value is missing"),
        ("omit D 21 22", "line 1: nothing is known of \"22\" here"),
        ("order_status perhaps", "line 1: \"perhaps\" is neither yes nor no"),
        ("ord_types LIMITED", "line 1: \"LIMITED\" is not an order type"),
        ("max_order_qty 0", "line 1: \"0\" is not a quantity"),
        ("max_open_orders none", "line 1: \"none\" is not a number of orders"),
        ("max_cl_ord_id 20", "line 1: ids of the desk take 26 characters at the least"),
        ("max_cl_ord_id some", "line 1: \"some\" is not a number of characters"),
        ("exec_id_unique week", "line 1: \"week\" is none of venue, day, symbol"),
        ("\nfield 5001 Desk Strong", "field 5001: Strong is no type"),
        // These are read, and make messages that the venue's dictionary does not have.
        ("const D 5001 X", "refuses a BUY MARKET DAY order for tag 5001 (a tag that it does not have)"),
        ("omit D 54", "refuses a BUY MARKET DAY order for tag 54 (Side): Required tag missing"),
        ("value 40 2 Q", "LIMIT DAY order for tag 40 (OrdType): Value is incorrect"),
        ("tag F 41 5041", "refuses a cancel for tag 41 (OrigClOrdID): Required tag missing"),
        ("logon 40 2", "refuses the Logon for tag 40 (OrdType): Tag not defined"),
    ] {
        let error = Dialect::parse(text).unwrap_err().to_string();
        assert!(error.contains(what), "{text}: {error}");
    }
}

#[test]
fn ids_of_executions_are_unique_within_the_venue() {
    let at = Time(1_795_780_800_000_000_000);
    let id = |scope: ExecIdScope, day: Option<&str>| scope.id("7", "BAC", day, at).unwrap();
    assert_eq!(id(ExecIdScope::Venue, None).as_str(), "7");
    assert_eq!(id(ExecIdScope::Day, None).as_str(), "20261127.7");
    assert_eq!(id(ExecIdScope::Day, Some("20261126")).as_str(), "20261126.7");
    assert_eq!(id(ExecIdScope::Symbol, None).as_str(), "BAC.7");
    assert!(ExecIdScope::Day.is(&id(ExecIdScope::Day, Some("20261126")), "7"));
    assert!(!ExecIdScope::Day.is(&id(ExecIdScope::Day, None), "77"));
}
