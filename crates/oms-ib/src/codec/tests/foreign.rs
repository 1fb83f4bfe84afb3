//! Requests as unmodified clients write them, and our own beside them: a codec that is wrong the same way at both ends
//! would pass every other test.

use super::*;

const FOREIGN: &str = include_str!("../../../test-data/foreign-requests.txt");

fn rows() -> impl Iterator<Item = (Dialect, &'static str, String)> {
    FOREIGN.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut words = line.splitn(3, ' ');
        let version = words.next().unwrap().parse().unwrap();
        (Dialect::Text(version), words.next().unwrap(), words.next().unwrap().replace('|', "\0"))
    })
}

fn read(dialect: Dialect, text: &str) -> Request {
    match Request::decode(dialect, text.as_bytes()) {
        Ok(Decoded::Message(request)) => request,
        other => panic!("{text:?}: {other:?}"),
    }
}

/// The terms of an order that are set.
fn terms(order: &Order) -> String {
    let mut words = vec![format!("{} {} {}", order.action, order.quantity, order.order_type)];
    let mut say = |name: &str, value: String| {
        if !matches!(value.as_str(), "" | "0" | "false" | "None" | "[]") {
            words.push(format!("{name}={value}"));
        }
    };
    let number = |number: Option<Number>| number.map(|n| n.to_string()).unwrap_or_default();
    say("limit", number(order.limit));
    say("aux", number(order.aux));
    say("tif", order.tif.clone());
    say("account", order.account.clone());
    say("ref", order.order_ref.clone());
    say("parent", order.parent_id.to_string());
    say("group", order.oca_group.clone());
    say("group_type", order.oca_type.to_string());
    say("held", (!order.transmit).to_string());
    say("display", order.display_size.map(|n| n.to_string()).unwrap_or_default());
    say("outside", order.outside_rth.to_string());
    say("until", order.good_till.clone());
    say("trail_stop", number(order.trail_stop));
    say("trail_percent", number(order.trailing_percent));
    say("algo", order.algo_strategy.clone());
    say("params", order.algo_params.iter().map(|(tag, value)| format!("{tag}:{value}")).collect());
    say("conditions", order.conditions.iter().map(|c| format!("({} {})", c.kind, c.fields.join(" "))).collect());
    say("ignore_rth", order.conditions_ignore_rth.to_string());
    say("cancel", order.conditions_cancel.to_string());
    say("what_if", order.what_if.to_string());
    say("cash", number(order.cash_qty));
    words.join(" ")
}

#[test]
fn orders_of_other_clients_are_read_as_they_were_meant() {
    let expected = |name: &str| match name {
        "limit" => "BUY 100 LMT limit=20.05 tif=DAY account=DU1 ref=a-1",
        "market" => "SELL 5 MKT",
        "stop" => "SELL 10 STP aux=19.5",
        "stop_limit" => "SELL 10 STP LMT limit=19.4 aux=19.5",
        "trail" => "SELL 10 TRAIL trail_stop=19 trail_percent=1.5",
        "bracket_child" => "SELL 10 LMT limit=25 parent=6 group=g group_type=1 held=true",
        "iceberg" => "BUY 1000 LMT limit=20 display=100 outside=true until=20261230 16:00:00 UTC",
        "algo" => "BUY 1000 LMT limit=20 algo=Adaptive params=adaptivePriority:Normal",
        "conditions" => "BUY 1 MKT conditions=(1 a 1 20 8314 SMART 0)(3 a 1 20261230 16:00:00 UTC) ignore_rth=true cancel=true",
        "what_if" => "BUY 1 LMT limit=20 what_if=true cash=500",
        "scale" => "BUY 100 LMT limit=20 ref=s",
        "peg_mid" => "BUY 1 PEG MID",
        "peg_bench" => "BUY 1 PEG BENCH cash=3",
        "bag" => "BUY 1 LMT limit=0.5 ref=b",
        "delta_neutral" => "BUY 1 VOL trail_stop=5 what_if=true",
        other => panic!("no order is called {other}"),
    };
    let mut seen = 0;
    for (dialect, name, text) in rows() {
        if let Request::PlaceOrder(place) = read(dialect, &text) {
            assert_eq!((place.order_id, terms(&place.order).as_str()), (7, expected(name)), "{name} at {dialect:?}");
            assert_eq!(place.contract.symbol, "IBM");
            seen += 1;
        }
    }
    assert_eq!(seen, 30);
}

/// Where nothing is set that we do not carry, our own row has the same meaning in every field.
#[test]
fn our_requests_are_those_of_other_clients_field_by_field() {
    let not_carried = ["scale", "bag", "delta_neutral", "data_bag", "peg_mid"];
    for (dialect, name, text) in rows().filter(|(_, name, _)| !not_carried.contains(name)) {
        let mut out = Vec::new();
        read(dialect, &text).encode(dialect, &mut out);
        let ours = String::from_utf8(body(&out).to_vec()).unwrap();
        let meaning = |field: &str| match field.strip_suffix(".0").unwrap_or(field) {
            "" | "0" | "-1" => String::new(),
            set => set.to_owned(),
        };
        let meanings = |text: &str| text.split('\0').map(meaning).collect::<Vec<_>>();
        assert_eq!(meanings(&ours), meanings(&text), "{name} at {dialect:?}");
    }
}
