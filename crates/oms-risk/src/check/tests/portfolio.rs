//! Exposure, money and losses, currency, strategies and approval.

use super::*;
use crate::holdings::Valued;
use oms_model::compliance::HoldReason;
use oms_model::instrument::Currency;
use oms_model::limit::Period;
use oms_model::strategy::Tradable;

const OTHER: InstrumentId = InstrumentId(10);
const BREACH: Option<Code> = Some(Code::RiskLimitBreach);

/// Books a position bought or sold at one price and marked at another.
fn hold(desk: &mut Desk, instrument_id: InstrumentId, signed: &str, at: &str, mark: &str) {
    let mut position = Position { account_id: ACCOUNT, instrument_id, ..Position::default() };
    let signed = qty(signed);
    position.book(signed.is_positive(), signed.abs(), px(at), Notional::ZERO);
    desk.book.on_position(&position, Valued { valuation: Default::default(), rate: dec("1"), mark: Some(px(mark)) });
    if instrument_id == INSTRUMENT {
        desk.position = Some(position);
    }
}

#[test]
fn gross_exposure_adds_long_and_short_in_every_scope_it_is_kept_for() {
    for scope in [Scope::Tenant, Scope::Account(ACCOUNT), Scope::AssetClass(AssetClass::Equity)] {
        let mut desk = Desk::with(LimitType::MaxGrossExposure, scope, "10000");
        hold(&mut desk, OTHER, "-50", "100", "100"); // 5,000 short elsewhere
        desk.place(&buy("20", "100")).unwrap(); // 2,000 working
        for (quantity, code) in [("29", None), ("30", None), ("31", BREACH)] {
            assert_eq!(desk.code(&buy(quantity, "100")), code, "{scope} {quantity}");
        }
        // The other side counts only where it is the worse outcome: 50 sold against 20 bought are 30 more.
        assert_eq!([desk.code(&sell("50", "100")), desk.code(&sell("51", "100"))], [None, BREACH]);
    }
    let mut desk = Desk::with(LimitType::MaxGrossExposure, Scope::Instrument(INSTRUMENT), "3000");
    hold(&mut desk, OTHER, "-50", "100", "100");
    assert_eq!([desk.code(&buy("30", "100")), desk.code(&buy("31", "100"))], [None, BREACH]);
}

#[test]
fn net_exposure_is_long_less_short_at_the_worse_outcome() {
    for scope in [Scope::Tenant, Scope::Account(ACCOUNT), Scope::AssetClass(AssetClass::Equity)] {
        let mut desk = Desk::with(LimitType::MaxNetExposure, scope, "6000");
        hold(&mut desk, OTHER, "50", "100", "100");
        for (order, code) in [
            (buy("9", "100"), None),
            (buy("10", "100"), None),
            (buy("11", "100"), BREACH),
            (sell("110", "100"), None), // 5,000 less 11,000
            (sell("111", "100"), BREACH),
        ] {
            assert_eq!(desk.code(&order), code, "{scope} {order:?}");
        }
        // Above a lowered limit what brings it closer to balance is taken.
        desk.limit(LimitType::MaxNetExposure, scope, "1000");
        assert_eq!([desk.code(&sell("20", "100")), desk.code(&buy("2", "100"))], [None, BREACH]);
    }
}

#[test]
fn each_asset_class_is_bounded_by_itself() {
    for scope in [Scope::Tenant, Scope::Account(ACCOUNT), Scope::AssetClass(AssetClass::Equity)] {
        let mut desk = Desk::with(LimitType::MaxAssetClassExposure, scope, "5000");
        desk.book.set_class(OTHER, AssetClass::Future);
        hold(&mut desk, OTHER, "50", "100", "100");
        for (quantity, code) in [("49", None), ("50", None), ("51", BREACH)] {
            assert_eq!(desk.code(&buy(quantity, "100")), code, "{scope} {quantity}: a future is no share");
        }
        desk.book.set_class(OTHER, AssetClass::Equity);
        assert_eq!(desk.code(&buy("2", "100")), BREACH, "{scope}: it was listed again as a share");
    }
}

#[test]
fn concentration_and_leverage_are_measured_against_the_equity() {
    let no_equity = Some(Code::NoReferenceData);
    for scope in [Scope::Tenant, Scope::Account(ACCOUNT)] {
        for (limit_type, value) in [(LimitType::MaxConcentrationPct, "50"), (LimitType::MaxLeverage, "0.5")] {
            let mut desk = Desk::with(limit_type, scope, value);
            assert_eq!(desk.code(&buy("2", "100")), no_equity, "{limit_type} {scope}: nobody said what the equity is");
            desk.book.set_capital(ACCOUNT, Some("10000".parse().unwrap()));
            for (quantity, code) in [("49", None), ("50", None), ("51", BREACH)] {
                assert_eq!(desk.code(&buy(quantity, "100")), code, "{limit_type} {scope} {quantity}");
            }
            // 1,000 lost on 20 held: equity 9,000, exposure 1,000.
            hold(&mut desk, INSTRUMENT, "20", "100", "50");
            assert_eq!([desk.code(&buy("35", "100")), desk.code(&buy("36", "100"))], [None, BREACH], "{limit_type} {scope}");
            desk.book.set_capital(ACCOUNT, None);
            assert_eq!(desk.code(&buy("2", "100")), no_equity);
        }
    }
}

#[test]
fn leverage_counts_every_instrument_and_concentration_one() {
    let mut desk = Desk::with(LimitType::MaxConcentrationPct, Scope::Tenant, "50");
    desk.book.set_capital(ACCOUNT, Some("10000".parse().unwrap()));
    hold(&mut desk, OTHER, "40", "100", "100");
    assert_eq!(desk.code(&buy("50", "100")), None);
    desk.limit(LimitType::MaxLeverage, Scope::Account(ACCOUNT), "0.8");
    assert_eq!([desk.code(&buy("40", "100")), desk.code(&buy("41", "100"))], [None, BREACH]);
}

#[test]
fn buying_power_is_spent_by_purchases_and_short_sales_and_freed_by_sales() {
    let no_money = Some(Code::InsufficientBuyingPower);
    for scope in [Scope::Tenant, Scope::Account(ACCOUNT)] {
        let mut desk = Desk::with(LimitType::BuyingPower, scope, "10000");
        hold(&mut desk, OTHER, "50", "100", "10"); // 5,000 spent, whatever it is worth now
        desk.place(&buy("20", "100")).unwrap();
        for (quantity, code) in [("29", None), ("30", None), ("31", no_money)] {
            assert_eq!(desk.code(&buy(quantity, "100")), code, "{scope} {quantity}");
            assert_eq!(desk.code(&limit(Side::SellShort, quantity, "100")), code, "{scope} short {quantity}");
        }
        assert_eq!(desk.code(&sell("100", "100")), None, "{scope}: a sale costs nothing");
        hold(&mut desk, INSTRUMENT, "-30", "100", "100"); // 3,000 came in
        assert_eq!([desk.code(&buy("60", "100")), desk.code(&buy("61", "100"))], [None, no_money], "{scope}");
    }
}

#[test]
fn losses_of_the_day_stop_everything_that_does_not_reduce() {
    for scope in [Scope::Tenant, Scope::Account(ACCOUNT)] {
        let mut desk = Desk::with(LimitType::DailyLoss, scope, "500");
        for (mark, code) in [("91", None), ("90", None), ("89.99", BREACH)] {
            hold(&mut desk, INSTRUMENT, "50", "100", mark);
            assert_eq!(desk.code(&buy("2", "100")), code, "{scope} {mark}");
        }
        assert_eq!(desk.code(&sell("50", "100")), None, "{scope}: the way out is open");
        let restored = RiskBook::from_parts(desk.book.parts());
        desk.book = restored;
        assert_eq!(desk.code(&buy("2", "100")), BREACH, "{scope}: after a restart too");
        desk.book.on_day_closed();
        assert_eq!(desk.code(&buy("2", "100")), None, "{scope}: another day");
        hold(&mut desk, INSTRUMENT, "50", "100", "79.98");
        assert_eq!(desk.code(&buy("2", "100")), BREACH, "{scope}: 500.5 lost since");
    }
}

#[test]
fn a_drawdown_is_counted_from_the_best_moment_over_days() {
    for scope in [Scope::Tenant, Scope::Account(ACCOUNT)] {
        let mut desk = Desk::with(LimitType::TrailingDrawdown, scope, "500");
        hold(&mut desk, INSTRUMENT, "50", "100", "120"); // 1,000 made
        desk.book.on_day_closed();
        for (mark, code) in [("111", None), ("110", None), ("109.99", BREACH)] {
            hold(&mut desk, INSTRUMENT, "50", "100", mark);
            desk.book = RiskBook::from_parts(desk.book.parts());
            assert_eq!(desk.code(&buy("2", "100")), code, "{scope} {mark}");
        }
    }
}

#[test]
fn money_is_counted_in_the_risk_currency() {
    let eur = Currency(*b"EUR");
    let mut desk = Desk::with(LimitType::MaxOrderNotional, Scope::Tenant, "1100");
    desk.instrument.currency = eur;
    assert_eq!(desk.code(&buy("2", "100")), Some(Code::CurrencyMismatch), "the account has no euros");
    desk.account.currencies = vec![eur];
    desk.rate = Some(Rate { rate: dec("1.1"), at: Some(NOW) });
    assert_eq!(desk.code(&buy("10", "99.99")), None);
    assert_eq!(desk.code(&buy("10", "100")), None);
    assert_eq!(desk.code(&buy("10", "100.01")), BREACH);
    let gate = desk.check(&buy("10", "100"));
    assert_eq!(result(&gate, Check::OrderNotional).value, Some(dec("1100")));
    assert_eq!(result(&gate, Check::Currency).value, Some(dec("1.1")), "the rate is recorded");
    desk.rate = None;
    assert_eq!(desk.code(&buy("2", "100")), Some(Code::NoFxRate));
    desk.account.currencies.clear();
    desk.account.converts = true;
    desk.rate = Some(Rate { rate: dec("1.1"), at: Some(NOW) });
    assert_eq!(desk.code(&buy("2", "100")), None, "it may trade in any currency with a rate");
    desk.limit(LimitType::MaxFxRateAge, Scope::Account(ACCOUNT), "60");
    for (age, code) in [(59, None), (60, None), (61, Some(Code::NoFxRate))] {
        desk.rate = Some(Rate { rate: dec("1.1"), at: Some(NOW.plus(-age * SECOND)) });
        assert_eq!(desk.code(&buy("2", "100")), code, "{age}");
    }
}

#[test]
fn a_strategy_stays_within_its_envelope() {
    let envelope = StrategyEnvelope { strategy: STRATEGY, enabled: true, version: 2, ..StrategyEnvelope::default() };
    let mut desk = Desk::new();
    let mut with = |envelope: StrategyEnvelope, order: &Proposed| {
        desk.book.set_envelope(&envelope);
        desk.code(order)
    };
    let order = buy("10", "100");
    assert_eq!(with(envelope.clone(), &order), None);
    assert_eq!(with(StrategyEnvelope { enabled: false, ..envelope.clone() }, &order), BREACH);
    assert_eq!(with(StrategyEnvelope { instruments: vec![Tradable { instrument_id: INSTRUMENT }], ..envelope.clone() }, &order), None);
    assert_eq!(with(StrategyEnvelope { instruments: vec![Tradable { instrument_id: OTHER }], ..envelope.clone() }, &order), BREACH);
    // NOW is 16 minutes and 40 seconds after midnight.
    for (from_s, until_s, code) in [(999, 1_001, None), (1_000, 1_001, None), (1_001, 1_002, BREACH), (999, 1_000, BREACH)] {
        let hours = StrategyEnvelope { from_s: Some(from_s), until_s: Some(until_s), ..envelope.clone() };
        assert_eq!(with(hours, &order), code, "{from_s} {until_s}");
    }
    desk.book.set_envelope(&StrategyEnvelope { max_notional: Some(dec("3000")), ..envelope.clone() });
    desk.place(&order).unwrap();
    desk.book.on_strategy_traded(STRATEGY, "1000".parse().unwrap());
    for (price, code) in [("99.99", None), ("100", None), ("100.01", BREACH)] {
        assert_eq!(desk.code(&buy("10", price)), code, "{price}");
    }
    desk.book.on_day_closed();
    assert_eq!(desk.code(&buy("20", "100")), None, "what was traded yesterday counts no more");
    desk.book.set_envelope(&StrategyEnvelope { max_order_rate: Some(2), ..envelope.clone() });
    for code in [None, None, BREACH] {
        assert_eq!(desk.code(&order), code);
        desk.place(&order);
    }
    let unknown = Proposed { strategy: Some(StrategyId::of(b"X")), ..order };
    assert_eq!(desk.code(&unknown), Some(Code::LimitMissing), "what has no envelope sends nothing");
    assert_eq!(desk.code(&Proposed { strategy: None, ..order }), None);
}

#[test]
fn a_large_order_waits_for_a_second_person() {
    for scope in SCOPES {
        let mut desk = Desk::with(LimitType::ApprovalNotional, scope, "1000");
        for (price, hold) in [("99.99", None), ("100", None), ("100.01", Some(HoldReason::Approval))] {
            let gate = desk.check(&buy("10", price));
            assert!(gate.verdict.is_ok());
            assert_eq!(gate.hold, hold, "{scope} {price}");
        }
        // A replace cannot wait, unless the order waits already.
        let (mut order, reserved) = desk.place(&buy("10", "100")).unwrap();
        let more = Terms { order_qty: qty("11"), price: Some(px("100")), stop_px: None };
        let judge =
            |desk: &Desk, order: &Order| desk.book.check_replace(order, &reserved, &more, &desk.ctx()).verdict.err().map(|r| r.code);
        assert_eq!(judge(&desk, &order), BREACH, "{scope}");
        order.extras.hold = Some(Box::default());
        assert_eq!(judge(&desk, &order), None, "{scope}");
    }
}

#[test]
fn a_soft_limit_warns_whoever_says_that_they_know() {
    for scope in SCOPES {
        let mut desk = Desk::with(LimitType::MaxOrderQty, scope, "200");
        desk.book.set_limit(&RiskLimit {
            limit_type: LimitType::MaxOrderQty,
            scope,
            value: dec("100"),
            version: 7,
            period: None,
            soft: true,
        });
        let knows = |order: Proposed| Proposed { acknowledged: true, ..order };
        assert_eq!(desk.code(&buy("100", "100")), None);
        let gate = desk.check(&buy("101", "100"));
        assert_eq!(gate.verdict.as_ref().unwrap_err().code, Code::SoftLimitBreach, "{scope}");
        let gate = desk.check(&knows(buy("101", "100")));
        assert!(gate.verdict.is_ok());
        let warned = result(&gate, Check::OrderQty);
        assert_eq!((warned.verdict, warned.limit, warned.limit_version, warned.soft), (Verdict::Warn, Some(dec("100")), 7, true));
        assert_eq!(desk.code(&knows(buy("201", "100"))), BREACH, "{scope}: a hard limit refuses whatever they know");
    }
}

#[test]
fn a_rate_may_be_bounded_by_second_minute_and_day_at_once() {
    let mut desk = Desk::with(LimitType::OrderRate, Scope::Tenant, "2");
    for (period, value) in [(Period::Minute, "3"), (Period::Day, "4")] {
        let limit_type = LimitType::OrderRate;
        desk.book.set_limit(&RiskLimit {
            limit_type,
            scope: Scope::Tenant,
            value: dec(value),
            version: 1,
            period: Some(period),
            soft: false,
        });
    }
    let mut place = |seconds: i64| {
        desk.now = NOW.plus(seconds * SECOND);
        desk.market = Market { bid: Some(level("99", desk.now)), ask: Some(level("101", desk.now)), ..Market::default() };
        let gate = desk.check(&buy("10", "100"));
        desk.place(&buy("10", "100"));
        gate.verdict.err().map(|refused| {
            let failed = gate.results.iter().find(|result| result.verdict == Verdict::Fail).unwrap();
            (failed.period, refused.retry_after_ns.unwrap() / SECOND)
        })
    };
    assert_eq!([place(0), place(0), place(0)], [None, None, Some((None, 1))]);
    assert_eq!([place(1), place(2)], [None, Some((Some(Period::Minute), 58))]);
    assert_eq!([place(60), place(61)], [None, Some((Some(Period::Day), 86_339))]);
    assert_eq!(place(86_400), None);
}

#[test]
fn a_limit_that_must_be_there_refuses_where_it_is_not() {
    for limit_type in [LimitType::MaxOrderQty, LimitType::MaxPositionQty, LimitType::PriceCollarPct, LimitType::DuplicateWindow] {
        let mut desk = Desk::new();
        desk.book.require(limit_type, true);
        assert_eq!(desk.code(&buy("10", "100")), Some(Code::LimitMissing), "{limit_type}");
        desk.limit(limit_type, Scope::Account(ACCOUNT), "1000");
        assert_eq!(desk.code(&buy("10", "100")), None, "{limit_type}");
    }
}
