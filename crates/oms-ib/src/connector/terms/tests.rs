use oms_model::{Decimal, InstrumentId, Mic, OrderId, Symbol, Time};

use super::*;

fn order() -> WireOrder {
    WireOrder {
        wire_id: WireId::derive(OrderId::from_u128(7), 0),
        instrument: InstrumentId(1),
        symbol: Symbol::new("IBM").unwrap(),
        side: Side::Buy,
        ord_type: OrdType::Limit,
        order_qty: Qty::from_units(100).unwrap(),
        cash_order_qty: None,
        quote_ref: None,
        price: Some("184.5".parse().unwrap()),
        stop_px: None,
        time_in_force: TimeInForce::Day,
        expire_at: None,
        deadline: Time(0),
    }
}

fn config() -> Config {
    Config::new(Mic::of(b"IBKR"), 7, "DU1")
}

fn made(order: &WireOrder) -> Result<Order, String> {
    new_order(&config(), order, &Contract::default()).map(|place| place.order)
}

#[test]
fn each_type_of_order_has_the_prices_that_it_needs() {
    let at = |text: &str| Some(text.parse::<Price>().unwrap());
    for (ord_type, price, stop_px, word) in [
        (OrdType::Market, None, None, "MKT"),
        (OrdType::Limit, at("1"), None, "LMT"),
        (OrdType::Stop, None, at("2"), "STP"),
        (OrdType::StopLimit, at("1"), at("2"), "STP LMT"),
        (OrdType::MarketOnClose, None, None, "MOC"),
        (OrdType::LimitOnClose, at("1"), None, "LOC"),
        (OrdType::MarketToLimit, None, None, "MTL"),
    ] {
        let good = WireOrder { ord_type, price, stop_px, ..order() };
        let told = made(&good).unwrap();
        assert_eq!((told.order_type.as_str(), told.limit, told.aux), (word, price.map(Number::from), stop_px.map(Number::from)));
        assert_eq!((told.account.as_str(), told.order_ref.as_str(), told.transmit), ("DU1", good.wire_id.as_str(), true));
        // One price more or less is another order.
        let (more, less) = (WireOrder { price: at("3"), ..good.clone() }, WireOrder { price: None, ..good.clone() });
        assert!(price.is_some() || made(&more).is_err(), "{ord_type}");
        assert!(price.is_none() || made(&less).is_err(), "{ord_type}");
        assert!(stop_px.is_some() || made(&WireOrder { stop_px: at("3"), ..good.clone() }).is_err(), "{ord_type}");
    }
}

#[test]
fn what_the_mapping_does_not_carry_is_not_sent() {
    let base = order();
    for (wrong, why) in [
        (WireOrder { ord_type: OrdType::TrailingStop, ..base.clone() }, "TRAILING_STOP"),
        (WireOrder { ord_type: OrdType::Pegged, ..base.clone() }, "PEGGED"),
        (WireOrder { cash_order_qty: Some("5".parse::<Decimal>().unwrap()), ..base.clone() }, "amount of money"),
        (WireOrder { side: Side::SellShort, ..base.clone() }, "SELL_SHORT"),
        (WireOrder { side: Side::Subscribe, ..base.clone() }, "SUBSCRIBE"),
        (WireOrder { time_in_force: TimeInForce::Gtd, ..base.clone() }, "needs the time"),
        (WireOrder { time_in_force: TimeInForce::Gtd, expire_at: Some(Time(1_500_000_000)), ..base.clone() }, "fractions"),
        (WireOrder { ord_type: OrdType::MarketOnClose, price: None, time_in_force: TimeInForce::Ioc, ..base.clone() }, "for the day"),
        (WireOrder { order_qty: Qty::ZERO, ..base.clone() }, "quantity"),
    ] {
        let error = made(&wrong).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
    let short = WireOrder { side: Side::SellShort, ..base };
    let told = new_order(&Config { short_as_sell: true, ..config() }, &short, &Contract::default()).unwrap();
    assert_eq!(told.order.action, "SELL");
}

#[test]
fn a_replace_changes_quantity_and_prices_and_nothing_else() {
    let placed = new_order(&config(), &order(), &Contract::default()).unwrap();
    let wire_id = WireId::derive(OrderId::from_u128(7), 1);
    let orig_wire_id = WireId::derive(OrderId::from_u128(7), 0);
    let request = WireReplace {
        wire_id,
        orig_wire_id,
        order_qty: Qty::from_units(50).unwrap(),
        price: Some("185".parse().unwrap()),
        stop_px: None,
        deadline: Time(0),
    };
    let changed = replaced(&placed, &request).unwrap();
    assert!(!same_terms(&changed.order, &placed.order) && same_terms(&changed.order, &changed.order));
    let back = Order { quantity: placed.order.quantity, limit: placed.order.limit, ..changed.order.clone() };
    assert_eq!(back, placed.order);
    assert!(replaced(&placed, &WireReplace { stop_px: request.price, ..request }).is_err());
}
