//! Checks 5 to 8, and the prices at which orders count.

use super::*;

#[test]
fn prices_lie_on_the_tick_table() {
    let cases = [
        ("100", None),
        ("100.01", None),
        ("100.001", Some(Code::InvalidTick)),
        ("0.5001", None),
        ("0.50005", Some(Code::InvalidTick)),
        ("0.00005", Some(Code::InvalidTick)), // below the first step
        ("0", Some(Code::InvalidTick)),
        ("-1", Some(Code::InvalidTick)),
    ];
    for (price, code) in cases {
        let desk = Desk::new();
        assert_eq!(desk.code(&buy("10", price)), code, "limit {price}");
        let stop = Proposed { stop_px: Some(px(price)), ..base(Side::Buy, OrdType::Stop, "10") };
        assert_eq!(desk.code(&stop), code, "stop {price}");
        let stop_limit = Proposed { ord_type: OrdType::StopLimit, stop_px: Some(px(price)), ..buy("10", "100") };
        assert_eq!(desk.code(&stop_limit), code, "stop limit {price}");
    }
    let mut desk = Desk::new();
    desk.instrument.ticks.clear();
    assert_eq!(desk.code(&buy("10", "100")), Some(Code::InvalidTick), "no tick table, no order");
}

#[test]
fn an_order_has_the_prices_of_its_type() {
    let desk = Desk::new();
    let market = base(Side::Buy, OrdType::Market, "10");
    assert_eq!(desk.code(&market), None);
    for wrong in [
        Proposed { price: Some(px("100")), ..market },
        Proposed { stop_px: Some(px("100")), ..market },
        base(Side::Buy, OrdType::Limit, "10"),
        base(Side::Buy, OrdType::Stop, "10"),
        Proposed { ord_type: OrdType::StopLimit, ..buy("10", "100") },
    ] {
        assert_eq!(desk.code(&wrong), Some(Code::OrderTypeUnsupported), "{wrong:?}");
    }
}

#[test]
fn quantities_are_whole_lots_within_the_bounds() {
    let cases = [
        ("2", None),
        ("1", Some("2")),
        ("2.5", Some("1")),
        ("1000000", None),
        ("1000001", Some("1000000")),
        ("0", Some("0")),
        ("-5", Some("0")),
    ];
    for (quantity, bound) in cases {
        let gate = Desk::new().check(&buy(quantity, "100"));
        let lot = result(&gate, Check::Lot);
        assert_eq!(lot.code, bound.map(|_| Code::InvalidLot), "{quantity}");
        assert_eq!(lot.limit, Some(dec(bound.unwrap_or("1000000"))));
        assert_eq!(gate.verdict.is_err(), bound.is_some());
    }
}

#[test]
fn equal_orders_within_the_window_are_refused_in_every_scope() {
    for scope in SCOPES {
        let mut desk = Desk::with(LimitType::DuplicateWindow, scope, "2");
        assert!(desk.place(&buy("10", "100")).is_some());
        for (later, code) in [(0, Some(Code::DuplicateOrder)), (2 * SECOND - 1, Some(Code::DuplicateOrder)), (2 * SECOND, None)] {
            desk.now = NOW.plus(later);
            assert_eq!(desk.code(&buy("10", "100")), code, "{scope} after {later}");
        }
        desk.now = NOW;
        for other in [buy("11", "100"), buy("10", "100.01"), sell("10", "100"), base(Side::Buy, OrdType::Market, "10")] {
            assert_eq!(desk.code(&other), None, "{other:?} is another order");
        }
    }
}

#[test]
fn the_last_equal_order_counts_and_refused_ones_do_not() {
    let mut desk = Desk::with(LimitType::DuplicateWindow, Scope::Tenant, "2");
    for step in 0..5 {
        desk.now = NOW.plus(step * SECOND);
        assert_eq!(desk.place(&buy("10", "100")).is_some(), step % 2 == 0, "second {step}");
    }
    desk.limit(LimitType::DuplicateWindow, Scope::Account(ACCOUNT), "5");
    desk.now = NOW.plus(7 * SECOND);
    let refused = desk.check(&buy("10", "100")).verdict.unwrap_err();
    assert_eq!((refused.scope, refused.value, refused.limit), (Scope::Account(ACCOUNT), Some(dec("3")), Some(dec("5"))));
}

#[test]
fn of_two_equal_orders_the_later_counts() {
    let mut desk = Desk::with(LimitType::DuplicateWindow, Scope::Tenant, "2");
    desk.limit(LimitType::DuplicateWindow, Scope::User(UserId::from_u128(1)), "60"); // keeps both in memory
    for second in [0, 2] {
        desk.now = NOW.plus(second * SECOND);
        assert!(desk.place(&buy("10", "100")).is_some());
    }
    desk.now = NOW.plus(3 * SECOND);
    assert_eq!(desk.check(&buy("10", "100")).verdict.unwrap_err().value, Some(dec("1")));
}

#[test]
fn prices_near_the_market_pass_in_every_scope() {
    for scope in SCOPES {
        let desk = Desk::with(LimitType::PriceCollarPct, scope, "5");
        let collar = Some(Code::PriceCollar);
        let cases = [("104.99", None), ("105", None), ("105.01", collar), ("95.01", None), ("95", None), ("94.99", collar)];
        for (price, code) in cases {
            assert_eq!(desk.code(&buy("10", price)), code, "{scope} buy {price}");
            assert_eq!(desk.code(&sell("10", price)), code, "{scope} sell {price}");
            let stop = Proposed { stop_px: Some(px(price)), ..base(Side::Sell, OrdType::Stop, "10") };
            assert_eq!(desk.code(&stop), code, "{scope} stop {price}");
            let stop_limit = Proposed { ord_type: OrdType::StopLimit, stop_px: Some(px(price)), ..buy("10", "100") };
            assert_eq!(desk.code(&stop_limit), code, "{scope} stop limit {price}");
        }
        let refused = desk.check(&buy("10", "106")).verdict.unwrap_err();
        assert_eq!((refused.value, refused.limit, refused.scope), (Some(dec("6")), Some(dec("5")), scope));
    }
}

#[test]
fn a_distance_is_rounded_against_the_order() {
    let mut desk = Desk::with(LimitType::PriceCollarPct, Scope::Tenant, "33.333333333");
    (desk.market.bid, desk.market.ask) = (Some(level("2.99", NOW)), Some(level("3.01", NOW)));
    let refused = desk.check(&buy("10", "4")).verdict.unwrap_err(); // one third away
    assert_eq!(refused.value, Some(dec("33.333333334")));
}

#[test]
fn the_reference_is_the_middle_then_the_last_trade_then_nothing() {
    let mut desk = Desk::with(LimitType::PriceCollarPct, Scope::Tenant, "1");
    desk.market.bid = None;
    assert_eq!(desk.code(&buy("10", "100")), Some(Code::NoReferencePrice));
    desk.market.last = Some(level("50", NOW));
    assert_eq!(desk.code(&buy("10", "50.5")), None);
    assert_eq!(desk.code(&buy("10", "50.51")), Some(Code::PriceCollar));
    desk.book.remove_limit(LimitKey::hard(LimitType::PriceCollarPct, Scope::Tenant));
    desk.market = Market::default();
    assert_eq!(desk.code(&buy("10", "100")), None, "no collar, no reference needed");
}

#[test]
fn market_orders_need_a_fresh_quote_to_meet_in_every_scope() {
    let market = base(Side::Buy, OrdType::Market, "10");
    let mut desk = Desk::new();
    desk.market.ask = None;
    assert_eq!(desk.code(&market), Some(Code::NoReferencePrice));
    assert_eq!(desk.code(&Proposed { side: Side::Sell, ..market }), None, "a sale meets the bid");
    for scope in SCOPES {
        let mut desk = Desk::with(LimitType::MaxQuoteAge, scope, "3");
        for (age, code) in [(3 * SECOND, None), (3 * SECOND + 1, Some(Code::NoReferencePrice))] {
            desk.now = NOW.plus(age);
            assert_eq!(desk.code(&market), code, "{scope} {age}");
            assert_eq!(desk.code(&buy("10", "100")), None, "a limit order leans on no quote where no collar is set");
        }
        desk.limit(LimitType::PriceCollarPct, Scope::Tenant, "5");
        assert_eq!(desk.code(&buy("10", "100")), Some(Code::NoReferencePrice), "a collar does");
    }
}

#[test]
fn a_market_order_into_an_absurd_offer_is_refused() {
    let mut desk = Desk::with(LimitType::PriceCollarPct, Scope::Tenant, "5");
    desk.market.ask = Some(level("199", NOW)); // the middle is 149
    assert_eq!(desk.code(&base(Side::Buy, OrdType::Market, "10")), Some(Code::PriceCollar));
}

#[test]
fn orders_are_valued_at_their_worst_price() {
    let stop = |side, at: &str| Proposed { stop_px: Some(px(at)), ..base(side, OrdType::Stop, "10") };
    // Bid 99, offer 101, collar 10 percent.
    let cases = [
        (buy("10", "95"), "95"),
        (sell("10", "95"), "99"), // brings at least the bid
        (sell("10", "105"), "105"),
        (base(Side::Buy, OrdType::Market, "10"), "111.1"),
        (base(Side::Sell, OrdType::Market, "10"), "99"),
        (stop(Side::Buy, "105"), "115.5"),
        (stop(Side::Buy, "95"), "111.1"), // triggers at once
        (stop(Side::Sell, "95"), "99"),
        (stop(Side::Sell, "105"), "105"),
    ];
    for (order, worst) in cases {
        let mut desk = Desk::with(LimitType::PriceCollarPct, Scope::Tenant, "10");
        let gate = desk.check(&order);
        assert!(gate.verdict.is_ok(), "{:?}", gate.verdict);
        assert_eq!(gate.worst_price, Some(px(worst)), "{order:?}");
        desk.place(&order).unwrap();
        assert_eq!(desk.book.open(Scope::User(USER)), (1, px(worst).notional(qty("10")).unwrap()), "{order:?}");
    }
}

#[test]
fn a_worst_price_is_rounded_up() {
    let mut desk = Desk::with(LimitType::PriceCollarPct, Scope::Tenant, "33.333333333");
    (desk.market.bid, desk.market.ask) = (Some(level("0.0001", NOW)), Some(level("0.0001", NOW)));
    let gate = desk.check(&base(Side::Buy, OrdType::Market, "10"));
    assert_eq!(gate.worst_price, Some(px("0.000133334")));
}
