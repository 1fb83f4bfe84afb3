//! Checks 9 to 15, the order of precedence and the bounds of arithmetic.

use super::*;
use oms_model::compliance::PriceBand;

#[test]
fn order_quantity_is_bounded_in_every_scope() {
    for scope in SCOPES {
        let desk = Desk::with(LimitType::MaxOrderQty, scope, "100");
        for (quantity, code) in [("99", None), ("100", None), ("101", Some(Code::RiskLimitBreach))] {
            assert_eq!(desk.code(&buy(quantity, "100")), code, "{scope} {quantity}");
        }
    }
}

#[test]
fn order_value_is_bounded_in_every_scope() {
    for scope in SCOPES {
        let desk = Desk::with(LimitType::MaxOrderNotional, scope, "1000");
        for (price, code) in [("99.99", None), ("100", None), ("100.01", Some(Code::RiskLimitBreach))] {
            assert_eq!(desk.code(&buy("10", price)), code, "{scope} {price}");
        }
    }
}

#[test]
fn order_rate_lets_the_limit_through_and_tells_when_to_come_back() {
    for scope in SCOPES {
        let mut desk = Desk::with(LimitType::OrderRate, scope, "3");
        for ms in [0, 100, 200] {
            desk.now = NOW.plus(ms * 1_000_000);
            assert!(desk.place(&buy("10", "100")).is_some(), "{scope} {ms}");
        }
        desk.now = NOW.plus(250 * 1_000_000);
        let refused = desk.check(&buy("10", "100")).verdict.unwrap_err();
        assert_eq!((refused.code, refused.scope, refused.value), (Code::RateLimited, scope, Some(dec("4"))));
        let wait = refused.retry_after_ns.unwrap();
        assert_eq!(wait, 750 * 1_000_000);
        desk.now = desk.now.plus(wait - 1);
        assert_eq!(desk.check(&buy("10", "100")).verdict.unwrap_err().retry_after_ns, Some(1));
        desk.now = desk.now.plus(1);
        assert!(desk.place(&buy("10", "100")).is_some(), "exactly then it passes");
        assert_eq!(desk.code(&buy("10", "100")), Some(Code::RateLimited));
    }
    let desk = Desk::with(LimitType::OrderRate, Scope::Tenant, "0");
    let refused = desk.check(&buy("10", "100")).verdict.unwrap_err();
    assert_eq!((refused.code, refused.retry_after_ns), (Code::RateLimited, None));
}

#[test]
fn the_slowest_scope_says_when_to_come_back() {
    let mut desk = Desk::with(LimitType::OrderRate, Scope::Tenant, "2");
    desk.limit(LimitType::OrderRate, Scope::Account(ACCOUNT), "1");
    desk.place(&buy("10", "100")).unwrap();
    desk.now = NOW.plus(400);
    let refused = desk.check(&buy("10", "100")).verdict.unwrap_err();
    assert_eq!((refused.scope, refused.retry_after_ns), (Scope::Account(ACCOUNT), Some(SECOND - 400)));
}

#[test]
fn open_orders_are_counted_in_every_scope() {
    for scope in SCOPES {
        let mut desk = Desk::with(LimitType::MaxOpenOrders, scope, "2");
        let mut first = desk.place(&buy("10", "100")).unwrap();
        desk.place(&buy("10", "100")).unwrap();
        assert_eq!(desk.code(&buy("10", "100")), Some(Code::RiskLimitBreach), "{scope}");
        first.0.cum_qty = first.0.order_qty;
        desk.book.follow(&first.0, &mut first.1);
        assert_eq!(desk.code(&buy("10", "100")), None, "{scope}: one was executed");
    }
}

#[test]
fn open_value_is_bounded_in_every_scope() {
    for scope in SCOPES {
        let mut desk = Desk::with(LimitType::MaxOpenNotional, scope, "2000");
        desk.place(&buy("10", "100")).unwrap();
        for (price, code) in [("99.99", None), ("100", None), ("100.01", Some(Code::RiskLimitBreach))] {
            assert_eq!(desk.code(&buy("10", price)), code, "{scope} {price}");
        }
        let refused = desk.check(&sell("11", "100")).verdict.unwrap_err();
        assert_eq!((refused.check, refused.value), (Check::OpenNotional, Some(dec("2100"))), "both sides count");
    }
}

#[test]
fn the_resulting_position_is_bounded_in_every_scope() {
    let breach = Some(Code::RiskLimitBreach);
    for scope in SCOPES {
        let mut desk = Desk::with(LimitType::MaxPositionQty, scope, "100").holding("40");
        desk.place(&buy("30", "100")).unwrap(); // at worst 70
        for (order, code) in [
            (buy("29", "100"), None),
            (buy("30", "100"), None),
            (buy("31", "100"), breach),
            (sell("140", "100"), None),
            (sell("141", "100"), breach),
        ] {
            assert_eq!(desk.code(&order), code, "{scope} {order:?}");
        }
    }
}

#[test]
fn a_reduction_passes_above_a_lowered_limit_unless_it_crosses_zero() {
    let mut desk = Desk::with(LimitType::MaxPositionQty, Scope::Tenant, "50").holding("1000");
    desk.limit(LimitType::MaxPositionNotional, Scope::Tenant, "5000");
    let gate = desk.check(&sell("200", "100"));
    let position = result(&gate, Check::PositionQty);
    assert_eq!((position.verdict, position.value, position.limit), (Verdict::Pass, Some(dec("800")), Some(dec("50"))));
    assert!(gate.verdict.is_ok());
    assert_eq!(desk.code(&sell("1050", "100")), None);
    assert_eq!(desk.code(&sell("1051", "100")), Some(Code::RiskLimitBreach));
    assert_eq!(desk.code(&buy("2", "100")), Some(Code::RiskLimitBreach));
}

#[test]
fn the_value_of_the_position_is_bounded_in_every_scope() {
    for scope in SCOPES {
        let mut desk = Desk::with(LimitType::MaxPositionNotional, scope, "10000").holding("90"); // at 100 each
        for (quantity, code) in [("9", None), ("10", None), ("11", Some(Code::RiskLimitBreach))] {
            assert_eq!(desk.code(&buy(quantity, "1")), code, "{scope} {quantity}: at the reference, not at its limit");
        }
        desk.market = Market::default();
        let refused = desk.check(&buy("9", "100")).verdict.unwrap_err();
        assert_eq!((refused.code, refused.check), (Code::NoReferencePrice, Check::PositionNotional));
        assert_eq!(desk.code(&sell("9", "100")), None, "a reduction needs no price");
    }
}

#[test]
fn the_tightest_scope_is_recorded_and_the_widest_breach_refuses() {
    let mut desk = Desk::with(LimitType::MaxOrderQty, Scope::Tenant, "100");
    desk.limit(LimitType::MaxOrderQty, Scope::User(USER), "50");
    desk.limit(LimitType::MaxOrderQty, Scope::User(USER), "60");
    let passed = result(&desk.check(&buy("10", "100")), Check::OrderQty);
    assert_eq!((passed.verdict, passed.scope, passed.limit, passed.limit_version), (Verdict::Pass, Scope::User(USER), Some(dec("60")), 2));
    let failed = result(&desk.check(&buy("70", "100")), Check::OrderQty);
    assert_eq!((failed.verdict, failed.scope, failed.value), (Verdict::Fail, Scope::User(USER), Some(dec("70"))));
    let failed = result(&desk.check(&buy("101", "100")), Check::OrderQty);
    assert_eq!((failed.verdict, failed.scope, failed.limit_version), (Verdict::Fail, Scope::Tenant, 1));
}

/// The limits that the order below breaks, in the order of the checks.
const BROKEN: [(LimitType, Check); 21] = [
    (LimitType::DuplicateWindow, Check::Duplicate),
    (LimitType::WashWindow, Check::WashTrade),
    (LimitType::PriceCollarPct, Check::PriceCollar),
    (LimitType::MaxOrderQty, Check::OrderQty),
    (LimitType::MaxOrderNotional, Check::OrderNotional),
    (LimitType::MaxPctAdv, Check::PctAdv),
    (LimitType::OrderRate, Check::OrderRate),
    (LimitType::RepeatedExecution, Check::RepeatedExecution),
    (LimitType::MaxOpenOrders, Check::OpenOrders),
    (LimitType::MaxOpenNotional, Check::OpenNotional),
    (LimitType::MaxPositionQty, Check::PositionQty),
    (LimitType::MaxPositionNotional, Check::PositionNotional),
    (LimitType::MaxAssetClassExposure, Check::AssetClassExposure),
    (LimitType::MaxConcentrationPct, Check::Concentration),
    (LimitType::MaxGrossExposure, Check::GrossExposure),
    (LimitType::MaxNetExposure, Check::NetExposure),
    (LimitType::MaxLeverage, Check::Leverage),
    (LimitType::BuyingPower, Check::BuyingPower),
    (LimitType::DailyLoss, Check::DailyLoss),
    (LimitType::TrailingDrawdown, Check::TrailingDrawdown),
    (LimitType::ApprovalNotional, Check::Approval),
];

/// A desk with everything against one order: a short sale of a position that is short and losing, repeated, against an
/// own purchase.
fn against_everything() -> (Desk, Proposed) {
    let mut desk = Desk::new();
    for (limit_type, _) in BROKEN {
        let value = if matches!(limit_type, LimitType::DuplicateWindow | LimitType::WashWindow) { "10" } else { "1" };
        desk.limit(limit_type, Scope::Tenant, value);
    }
    let price = px("49.995");
    let (order_id, time_in_force) = (OrderId::from_u128(3), oms_model::TimeInForce::Ioc);
    let worst = Proposed { price: Some(price), order_id, time_in_force, ..base(Side::SellShort, OrdType::Limit, "2.5") };
    for (number, side) in [(1, Side::SellShort), (2, Side::Buy)] {
        let before = order_of(&Proposed { side, order_id: OrderId::from_u128(number), ..worst });
        desk.book.on_checked(&before, Some(price), desk.now, &mut Reservation::default());
    }
    let mut position = Position { account_id: ACCOUNT, instrument_id: INSTRUMENT, ..Position::default() };
    position.book(false, qty("1000"), px("100"), "200000".parse().unwrap());
    let valued = crate::Valued { valuation: Default::default(), rate: dec("1"), mark: Some(px("101")) };
    desk.book.on_position(&position, valued);
    desk.position = Some(position);
    desk.book.set_capital(ACCOUNT, Some("201001".parse().unwrap())); // all but one of it is lost
    desk.instrument.adv_qty = Some(qty("1"));
    desk.instrument.currency = oms_model::instrument::Currency(*b"EUR");
    desk.book.set_self_match(Scope::Tenant, SelfMatchPolicy::CancelNewest);
    desk.book.set_short_sale_state(INSTRUMENT, true);
    desk.book.set_locate(&Locate { account_id: ACCOUNT, instrument_id: INSTRUMENT, until: NOW, ..Locate::default() });
    let (scope, subject) = (Scope::Tenant, Scope::Instrument(INSTRUMENT));
    desk.book.set_restriction(&Restriction { list: ListKind::Restricted, scope, subject, reason: String::new() });
    desk.book.set_envelope(&StrategyEnvelope { strategy: STRATEGY, ..StrategyEnvelope::default() });
    desk.book.engage(Scope::Tenant, Time(0));
    desk.book.set_trading_state(Scope::Tenant, TradingState::Halted);
    desk.account.active = false;
    desk.instrument.active = false;
    let (lower, upper) = (px("60"), px("70"));
    desk.book.set_price_band(&PriceBand { instrument_id: INSTRUMENT, lower, upper, until: None });
    desk.hours = Hours { market: Opening::Never, maintenance: Some(NOW.plus(1)), on_close: None };
    (desk, worst)
}

/// An order that breaks every rule there is. Fixing the first each time tells the next one, in the order of `Check`.
#[test]
fn the_first_broken_check_gives_the_code_and_all_are_recorded() {
    let (mut desk, worst) = against_everything();
    let gate = desk.check(&worst);
    let held = result(&gate, Check::Approval);
    assert_eq!(held.verdict, Verdict::Hold, "a large order is held, not refused");
    let passed: Vec<_> = gate.results.iter().filter(|r| r.verdict != Verdict::Fail && r.check != Check::Approval).collect();
    assert!(passed.is_empty(), "{passed:?}");
    let mut told = Vec::new();
    let mut first = |desk: &Desk| {
        let refused = desk.check(&worst).verdict.unwrap_err();
        told.push(refused.check);
        (refused.check, refused.code)
    };
    assert_eq!(first(&desk), (Check::KillSwitch, Code::KillSwitch));
    desk.book.release(Scope::Tenant);
    assert_eq!(first(&desk), (Check::TradingState, Code::TradingHalted));
    desk.book.set_trading_state(Scope::Tenant, TradingState::Active);
    assert_eq!(first(&desk), (Check::AccountActive, Code::AccountDisabled));
    desk.account.active = true;
    assert_eq!(first(&desk), (Check::InstrumentActive, Code::InstrumentDisabled));
    desk.instrument.active = true;
    assert_eq!(first(&desk), (Check::Tick, Code::InvalidTick));
    desk.instrument.ticks = vec![TickStep { from: px("0.001"), tick: px("0.001") }];
    assert_eq!(first(&desk), (Check::Lot, Code::InvalidLot));
    desk.instrument.lot = qty("0.5");
    assert_eq!(first(&desk), (Check::MarketHours, Code::MarketClosed));
    desk.hours.market = Opening::Open;
    assert_eq!(first(&desk), (Check::BrokerMaintenance, Code::BrokerMaintenance));
    desk.hours.maintenance = None;
    assert_eq!(first(&desk), (Check::Restricted, Code::ComplianceBlocked));
    desk.book.remove_restriction(ListKind::Restricted, Scope::Tenant, Scope::Instrument(INSTRUMENT));
    assert_eq!(first(&desk), (Check::Locate, Code::LocateRequired));
    let (qty, until) = (qty("1000"), NOW.plus(1));
    desk.book.set_locate(&Locate { account_id: ACCOUNT, instrument_id: INSTRUMENT, qty, until, ..Locate::default() });
    assert_eq!(first(&desk), (Check::ShortSalePrice, Code::ShortSaleRestricted));
    desk.book.set_short_sale_state(INSTRUMENT, false);
    for (limit_type, check) in BROKEN.into_iter().take(20) {
        let expected = first(&desk);
        assert_eq!(expected.0, check, "{limit_type}");
        desk.book.remove_limit(LimitKey::hard(limit_type, Scope::Tenant));
        if limit_type == LimitType::PriceCollarPct {
            assert_eq!(first(&desk), (Check::PriceBand, Code::PriceBand));
            desk.book.remove_price_band(INSTRUMENT);
        }
        if limit_type == LimitType::DuplicateWindow {
            assert_eq!(first(&desk), (Check::SelfMatch, Code::SelfMatch));
            desk.book.set_self_match(Scope::Tenant, SelfMatchPolicy::Off);
        }
    }
    assert_eq!(first(&desk), (Check::Currency, Code::CurrencyMismatch));
    desk.account.converts = true;
    assert_eq!(first(&desk), (Check::StrategyEnvelope, Code::RiskLimitBreach));
    told.push(Check::Approval);
    assert_eq!(told, Check::ALL, "one after the other, and none is left out");
    desk.book.set_envelope(&StrategyEnvelope { strategy: STRATEGY, enabled: true, ..StrategyEnvelope::default() });
    let gate = desk.check(&worst);
    assert!(gate.verdict.is_ok() && gate.hold.is_some());
}

#[test]
fn amounts_out_of_range_are_refused_and_never_panic() {
    let mut desk = Desk::new();
    desk.instrument.max_qty = Qty::MAX;
    desk.instrument.ticks = vec![TickStep { from: Price::from_raw(1), tick: Price::from_raw(1) }];
    let sides = [Side::Buy, Side::Sell, Side::SellShort];
    let quantities = [Qty::MAX, Qty::from_raw(i128::MIN), Qty::from_raw(i128::MAX - 1)];
    let prices = [Price::MAX, Price::from_raw(1), Price::from_raw(i64::MIN), Price::ZERO];
    let types = [OrdType::Market, OrdType::Limit, OrdType::Stop, OrdType::StopLimit];
    for collar in [None, Some("100"), Some("170000000000000000000000000000")] {
        if let Some(collar) = collar {
            desk.limit(LimitType::PriceCollarPct, Scope::Tenant, collar);
        }
        for held in [None, Some(Qty::MAX), Some(Qty::from_raw(i128::MIN))] {
            desk.position = held.map(|qty| Position { qty, ..Position::default() });
            for side in sides {
                for order_qty in quantities {
                    for price in prices {
                        for ord_type in types {
                            let order = Proposed {
                                order_qty,
                                price: ord_type.has_price().then_some(price),
                                stop_px: ord_type.has_stop().then_some(price),
                                ..base(side, ord_type, "1")
                            };
                            assert!(desk.check(&order).verdict.is_err(), "{order:?}");
                        }
                    }
                }
            }
        }
    }
    let huge = Proposed { order_qty: qty("1000000000000"), ..buy("1", "9000000000") };
    let refused = Desk { instrument: Instrument { lot: qty("1"), ..desk.instrument.clone() }, ..Desk::new() }.check(&huge).verdict;
    let refused = refused.unwrap_err();
    assert_eq!((refused.code, refused.check), (Code::RiskLimitBreach, Check::OrderNotional), "{}", refused.text);
}

#[test]
fn sums_out_of_range_are_refused() {
    let mut desk = Desk::new();
    desk.instrument.max_qty = Qty::MAX;
    desk.instrument.ticks = vec![TickStep { from: px("1"), tick: px("1") }];
    let large = buy("100000000000", "900000000"); // 9e19 of the 1.7e20 that fit
    assert!(desk.place(&large).is_some());
    let refused = desk.check(&large).verdict.unwrap_err();
    assert_eq!((refused.code, refused.check), (Code::RiskLimitBreach, Check::OpenNotional));
}

#[test]
fn a_refusal_carries_its_numbers() {
    let desk = Desk::with(LimitType::MaxOrderQty, Scope::Account(ACCOUNT), "100");
    let refused = desk.check(&buy("101", "100")).verdict.unwrap_err();
    assert_eq!(refused.text, format!("ORDER_QTY: 101 against 100 (ACCOUNT:{ACCOUNT})"));
    let refusal = refused.to_refusal();
    assert_eq!(refusal.code, Code::RiskLimitBreach);
    let details: Vec<(&str, &str)> = refusal.details.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(details[0], ("check", "ORDER_QTY"));
    assert_eq!(details[2..], [("value", "101"), ("limit", "100")]);
}
