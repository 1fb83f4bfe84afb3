//! Replaces and re-plans.

use super::*;

fn terms(quantity: &str, price: &str) -> Terms {
    Terms { order_qty: qty(quantity), price: Some(px(price)), stop_px: None }
}

#[test]
fn a_replace_is_judged_by_the_difference_it_makes() {
    let mut desk = Desk::new();
    let (mut order, mut reserved) = desk.place(&buy("100", "100")).unwrap();
    order.cum_qty = qty("40");
    desk.book.follow(&order, &mut reserved);
    desk.position = Some(Position { qty: qty("40"), ..Position::default() });
    assert_eq!(desk.book.open(Scope::Tenant), (1, "6000".parse().unwrap()));
    let cases = [
        (LimitType::MaxOrderQty, "120", terms("120", "100"), terms("121", "100")),
        (LimitType::MaxOrderNotional, "10200", terms("102", "100"), terms("102", "100.01")),
        (LimitType::MaxOpenNotional, "8000", terms("120", "100"), terms("121", "100")),
        (LimitType::MaxOpenNotional, "6060", terms("100", "101"), terms("100", "101.01")),
        (LimitType::MaxPositionQty, "120", terms("120", "100"), terms("121", "100")),
        (LimitType::MaxPositionNotional, "12000", terms("120", "100"), terms("121", "100")),
        (LimitType::PriceCollarPct, "2", terms("100", "102"), terms("100", "102.01")),
    ];
    for scope in SCOPES {
        for (limit_type, value, at, beyond) in &cases {
            desk.limit(*limit_type, scope, value);
            let judge = |terms| desk.book.check_replace(&order, &reserved, terms, &desk.ctx()).verdict.map_err(Box::new);
            assert!(judge(at).is_ok(), "{limit_type} {scope}: {:?}", judge(at));
            let refused = judge(beyond).unwrap_err();
            assert_eq!((refused.scope, refused.limit), (scope, Some(dec(value))), "{limit_type}");
            desk.book.remove_limit(LimitKey::hard(*limit_type, scope));
        }
    }
}

#[test]
fn a_pending_replace_counts_at_its_worst() {
    let mut desk = Desk::new();
    let (mut order, mut reserved) = desk.place(&buy("100", "100")).unwrap();
    for (new, worst) in [(terms("50", "110"), "11000"), (terms("200", "90"), "20000"), (terms("50", "90"), "10000")] {
        let gate = desk.book.check_replace(&order, &reserved, &new, &desk.ctx());
        desk.book.on_checked(&order, gate.worst_price, desk.now, &mut reserved);
        order.extras.replacing = Some(Box::new(new));
        desk.book.follow(&order, &mut reserved);
        assert_eq!(desk.book.open(Scope::Tenant), (1, worst.parse().unwrap()), "{new:?}");
        order.extras.replacing = None; // refused by the venue
        desk.book.follow(&order, &mut reserved);
        assert_eq!(desk.book.open(Scope::Tenant).1, "10000".parse().unwrap());
    }
}

#[test]
fn a_replaced_market_order_keeps_the_worst_price_it_had() {
    let mut desk = Desk::new();
    let (order, mut reserved) = desk.place(&base(Side::Buy, OrdType::Market, "10")).unwrap();
    desk.market.ask = Some(level("100", NOW));
    let fewer = Terms { order_qty: qty("5"), ..Terms::default() };
    let gate = desk.book.check_replace(&order, &reserved, &fewer, &desk.ctx());
    assert!(gate.verdict.is_ok());
    desk.book.on_checked(&order, gate.worst_price, desk.now, &mut reserved);
    assert_eq!(reserved.worst_price, px("101"), "the venue may still refuse the replace");
}

#[test]
fn a_replace_that_worsens_nothing_passes_lowered_limits() {
    let mut desk = Desk::new();
    let (order, reserved) = desk.place(&buy("100", "100")).unwrap();
    for limit_type in [
        LimitType::MaxOrderQty,
        LimitType::MaxOrderNotional,
        LimitType::MaxOpenOrders,
        LimitType::MaxOpenNotional,
        LimitType::MaxPositionQty,
        LimitType::MaxPositionNotional,
    ] {
        desk.limit(limit_type, Scope::Tenant, "1");
    }
    desk.limit(LimitType::DuplicateWindow, Scope::Tenant, "60");
    let gate = desk.book.check_replace(&order, &reserved, &terms("50", "100"), &desk.ctx());
    assert!(gate.verdict.is_ok(), "{:?}", gate.verdict);
    assert_eq!(result(&gate, Check::Duplicate).verdict, Verdict::NotApplicable);
    let gate = desk.book.check_replace(&order, &reserved, &terms("101", "100"), &desk.ctx());
    assert_eq!(gate.verdict.unwrap_err().check, Check::OrderQty);
}

#[test]
fn a_replace_is_stopped_by_switches_ticks_and_lots() {
    let mut desk = Desk::new();
    let (order, reserved) = desk.place(&buy("100", "100")).unwrap();
    let judge = |desk: &Desk, terms: Terms| desk.book.check_replace(&order, &reserved, &terms, &desk.ctx()).verdict.err().map(|r| r.code);
    assert_eq!(judge(&desk, terms("100.5", "100")), Some(Code::InvalidLot));
    assert_eq!(judge(&desk, terms("100", "100.001")), Some(Code::InvalidTick));
    desk.book.set_trading_state(Scope::Tenant, TradingState::Reducing);
    assert_eq!(judge(&desk, terms("101", "100")), Some(Code::ReduceOnly));
    assert_eq!(judge(&desk, terms("99", "100")), None);
    desk.book.engage(Scope::User(USER), NOW);
    assert_eq!(judge(&desk, terms("99", "100")), Some(Code::KillSwitch));
}

#[test]
fn replaces_count_in_the_order_rate() {
    let mut desk = Desk::with(LimitType::OrderRate, Scope::Tenant, "2");
    let (order, mut reserved) = desk.place(&buy("100", "100")).unwrap();
    let gate = desk.book.check_replace(&order, &reserved, &terms("90", "100"), &desk.ctx());
    desk.book.on_checked(&order, gate.worst_price, desk.now, &mut reserved);
    assert_eq!(desk.code(&buy("10", "100")), Some(Code::RateLimited));
    let again = desk.book.check_replace(&order, &reserved, &terms("80", "100"), &desk.ctx()).verdict.unwrap_err();
    assert_eq!(again.code, Code::RateLimited);
}

#[test]
fn a_replan_meets_switches_only() {
    let mut desk = Desk::with(LimitType::OrderRate, Scope::Tenant, "1");
    let (order, reserved) = desk.place(&base(Side::Buy, OrdType::Market, "100")).unwrap();
    for limit_type in [LimitType::MaxOrderQty, LimitType::MaxOpenNotional, LimitType::MaxPositionQty, LimitType::MaxOpenOrders] {
        desk.limit(limit_type, Scope::Tenant, "1");
    }
    desk.market = Market::default();
    let gate = desk.book.check_replan(&order, &reserved, &desk.ctx());
    assert_eq!(gate.verdict.as_ref().unwrap().get(), &Proposed::of(&order));
    desk.book.set_trading_state(Scope::Tenant, TradingState::Reducing);
    assert!(desk.book.check_replan(&order, &reserved, &desk.ctx()).verdict.is_ok());
    desk.book.engage(Scope::Instrument(INSTRUMENT), NOW);
    assert_eq!(desk.book.check_replan(&order, &reserved, &desk.ctx()).verdict.unwrap_err().code, Code::KillSwitch);
}
