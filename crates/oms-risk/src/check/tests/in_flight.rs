//! What is left of an order after an execution: inside a limit, at it and beyond it.

use super::*;
use crate::holdings::Valued;
use proptest::prelude::*;

/// Books a position, as the engine does after an execution.
fn hold(desk: &mut Desk, signed: &str, at: &str, mark: &str, fees: &str) {
    let mut position = Position { account_id: ACCOUNT, instrument_id: INSTRUMENT, ..Position::default() };
    let signed = qty(signed);
    position.book(signed.is_positive(), signed.abs(), px(at), fees.parse().unwrap());
    desk.book.on_position(&position, Valued { valuation: Default::default(), rate: dec("1"), mark: Some(px(mark)) });
    desk.position = Some(position);
}

/// An order of 10 at 100 of which 4 were executed at a price, and what it is told.
fn executed(desk: &mut Desk, side: Side, at: &str, fees: &str) -> Vec<CheckResult> {
    let (mut order, mut reserved) = desk.place(&limit(side, "10", "100")).unwrap();
    order.cum_qty = qty("4");
    desk.book.follow(&order, &mut reserved);
    hold(desk, if side.is_buy() { "4" } else { "-4" }, at, at, fees);
    desk.book.check_in_flight(&order, &reserved, desk.position.as_ref().unwrap().qty, Some(px(at)))
}

fn told(results: &[CheckResult]) -> Vec<(Check, Verdict)> {
    results.iter().map(|result| (result.check, result.verdict)).collect()
}

#[test]
fn an_execution_as_it_was_reserved_breaks_nothing() {
    for scope in [Scope::Tenant, Scope::Account(ACCOUNT)] {
        for (limit_type, value) in [
            (LimitType::MaxPositionQty, "10"),
            (LimitType::MaxPositionNotional, "1000"),
            (LimitType::MaxAssetClassExposure, "1000"),
            (LimitType::MaxGrossExposure, "1000"),
            (LimitType::MaxNetExposure, "1000"),
            (LimitType::MaxConcentrationPct, "100"),
            (LimitType::MaxLeverage, "1"),
            (LimitType::BuyingPower, "1000"),
            (LimitType::DailyLoss, "0"),
            (LimitType::TrailingDrawdown, "0"),
        ] {
            let mut desk = Desk::with(limit_type, scope, value);
            desk.book.set_capital(ACCOUNT, Some("1000".parse().unwrap()));
            assert_eq!(told(&executed(&mut desk, Side::Buy, "100", "0")), [], "{limit_type} {scope}");
        }
    }
}

#[test]
fn a_worse_execution_a_fee_or_a_loss_breaks_what_bounds_it() {
    let fail = |check| vec![(check, Verdict::Fail)];
    for (limit_type, value, at, fees, found) in [
        // 4 at 101 and 6 to go at 100: 1,004 where 1,000 were accepted.
        (LimitType::MaxGrossExposure, "1003.99", "101", "0", fail(Check::GrossExposure)),
        (LimitType::MaxGrossExposure, "1004", "101", "0", vec![]),
        (LimitType::MaxNetExposure, "1003.99", "101", "0", fail(Check::NetExposure)),
        (LimitType::MaxNetExposure, "1004", "101", "0", vec![]),
        (LimitType::MaxAssetClassExposure, "1003.99", "101", "0", fail(Check::AssetClassExposure)),
        (LimitType::BuyingPower, "1003.99", "101", "0", fail(Check::BuyingPower)),
        (LimitType::BuyingPower, "1000", "100", "0.01", fail(Check::BuyingPower)),
        (LimitType::MaxPositionNotional, "1009.99", "101", "0", fail(Check::PositionNotional)),
        (LimitType::MaxPositionNotional, "1010", "101", "0", vec![]),
        (LimitType::DailyLoss, "1", "100", "1", vec![]),
        (LimitType::DailyLoss, "1", "100", "1.01", fail(Check::DailyLoss)),
        (LimitType::TrailingDrawdown, "1", "100", "1.01", fail(Check::TrailingDrawdown)),
    ] {
        let mut desk = Desk::with(limit_type, Scope::Account(ACCOUNT), value);
        let results = executed(&mut desk, Side::Buy, at, fees);
        assert_eq!(told(&results), found, "{limit_type} {value}: {results:?}");
        let all = results.iter().all(|result| result.limit == Some(dec(value)) && result.scope == Scope::Account(ACCOUNT) && !result.soft);
        assert!(all && results.iter().all(|result| result.value > result.limit && result.limit_version == 1));
    }
}

#[test]
fn a_limit_that_was_lowered_meanwhile_holds_for_the_rest() {
    let mut desk = Desk::with(LimitType::MaxPositionQty, Scope::Instrument(INSTRUMENT), "10");
    let (mut order, mut reserved) = desk.place(&buy("10", "100")).unwrap();
    order.cum_qty = qty("4");
    desk.book.follow(&order, &mut reserved);
    hold(&mut desk, "4", "100", "100", "0");
    for (value, broken) in [("10", false), ("9.99", true)] {
        desk.limit(LimitType::MaxPositionQty, Scope::Instrument(INSTRUMENT), value);
        let found = desk.book.check_in_flight(&order, &reserved, qty("4"), Some(px("100")));
        assert_eq!(!found.is_empty(), broken, "{value}");
    }
    // What would be bought brings a short position closer to zero: it is not its fault.
    assert_eq!(desk.book.check_in_flight(&order, &reserved, qty("-30"), Some(px("100"))), []);
}

#[test]
fn a_rest_that_brings_the_position_closer_to_zero_may_go_on_in_a_loss() {
    let mut desk = Desk::with(LimitType::DailyLoss, Scope::Tenant, "5");
    hold(&mut desk, "20", "100", "100", "0");
    let (mut order, mut reserved) = desk.place(&sell("10", "100")).unwrap();
    order.cum_qty = qty("4");
    desk.book.follow(&order, &mut reserved);
    // 16 left, marked at 90.
    hold(&mut desk, "16", "100", "90", "0");
    assert_eq!(desk.book.check_in_flight(&order, &reserved, qty("16"), Some(px("90"))), []);
    let (bought, reserved) = {
        desk.limit(LimitType::DailyLoss, Scope::Tenant, "500");
        let (mut order, mut reserved) = desk.place(&buy("10", "90")).unwrap();
        order.cum_qty = qty("1");
        desk.book.follow(&order, &mut reserved);
        desk.limit(LimitType::DailyLoss, Scope::Tenant, "5");
        (order, reserved)
    };
    let found = desk.book.check_in_flight(&bought, &reserved, qty("17"), Some(px("90")));
    assert_eq!(told(&found), [(Check::DailyLoss, Verdict::Fail)]);
}

#[test]
fn a_soft_limit_warns_unless_its_sender_knows_and_a_hard_one_goes_before_it() {
    let soft = |desk: &mut Desk, value: &str| {
        let (limit_type, scope, version) = (LimitType::BuyingPower, Scope::Tenant, 1);
        desk.book.set_limit(&RiskLimit { limit_type, scope, value: dec(value), version, soft: true, ..RiskLimit::default() });
    };
    let mut desk = Desk::new();
    soft(&mut desk, "1000");
    let found = executed(&mut desk, Side::Buy, "101", "0");
    assert_eq!(told(&found), [(Check::BuyingPower, Verdict::Warn)]);
    assert!(found[0].soft && found[0].code.is_none());
    let mut desk = Desk::with(LimitType::BuyingPower, Scope::Account(ACCOUNT), "1001");
    soft(&mut desk, "1000");
    assert_eq!(told(&executed(&mut desk, Side::Buy, "101", "0")), [(Check::BuyingPower, Verdict::Fail)]);
    let mut desk = Desk::new();
    soft(&mut desk, "1000");
    let (mut order, mut reserved) = desk.place(&Proposed { acknowledged: true, ..buy("10", "100") }).unwrap();
    order.cum_qty = qty("4");
    desk.book.follow(&order, &mut reserved);
    hold(&mut desk, "4", "101", "101", "0");
    assert_eq!(desk.book.check_in_flight(&order, &reserved, qty("4"), Some(px("101"))), []);
}

#[test]
fn a_short_sale_is_measured_on_its_own_side() {
    let mut desk = Desk::with(LimitType::MaxNetExposure, Scope::Account(ACCOUNT), "1000");
    // Sold short at 102: what is held is worth more, and so is what is left to sell.
    assert_eq!(told(&executed(&mut desk, Side::SellShort, "102", "0")), [(Check::NetExposure, Verdict::Fail)]);
    let mut desk = Desk::with(LimitType::MaxPositionQty, Scope::Account(ACCOUNT), "10");
    assert_eq!(told(&executed(&mut desk, Side::SellShort, "100", "0")), []);
}

const MEASURED: [(Check, LimitType); 10] = [
    (Check::PositionQty, LimitType::MaxPositionQty),
    (Check::PositionNotional, LimitType::MaxPositionNotional),
    (Check::AssetClassExposure, LimitType::MaxAssetClassExposure),
    (Check::Concentration, LimitType::MaxConcentrationPct),
    (Check::GrossExposure, LimitType::MaxGrossExposure),
    (Check::NetExposure, LimitType::MaxNetExposure),
    (Check::Leverage, LimitType::MaxLeverage),
    (Check::BuyingPower, LimitType::BuyingPower),
    (Check::DailyLoss, LimitType::DailyLoss),
    (Check::TrailingDrawdown, LimitType::TrailingDrawdown),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The rest is canceled only where the gate would not let it in as an order of its own, by the same figure; and where
    /// it adds to the position in every way, always.
    #[test]
    fn the_rest_is_told_what_the_gate_would_tell_it_as_a_new_order(
        nth in 0..MEASURED.len(), value in 0..2_500_i64, position in -20..20_i64, fees in 0..30_i64,
        buys in 0..10_i64, sells in 0..10_i64, total in 2..20_i64, left in 1..20_i64, side in 0..3_usize,
    ) {
        let (check, limit_type) = MEASURED[nth];
        let side = [Side::Buy, Side::Sell, Side::SellShort][side];
        let rest = left.min(total - 1);
        let mut desk = Desk::new();
        desk.book.set_capital(ACCOUNT, Some("1000".parse().unwrap()));
        desk.instrument.min_qty = Qty::ZERO;
        for (side, quantity) in [(Side::Buy, buys), (Side::Sell, sells)] {
            if quantity > 0 {
                desk.place(&limit(side, &quantity.to_string(), "100")).unwrap();
            }
        }
        let (mut order, mut reserved) = desk.place(&limit(side, &total.to_string(), "100")).unwrap();
        order.cum_qty = qty(&(total - rest).to_string());
        desk.book.follow(&order, &mut reserved);
        if position != 0 {
            hold(&mut desk, &position.to_string(), "100", "100", &fees.to_string());
        }
        // Limits of a ratio are small figures, those of a quantity too.
        let scale = match limit_type {
            LimitType::MaxPositionQty => 50,
            LimitType::MaxConcentrationPct => 10,
            LimitType::MaxLeverage => 500,
            LimitType::DailyLoss | LimitType::TrailingDrawdown => 50,
            _ => 1,
        };
        desk.limit(limit_type, Scope::Account(ACCOUNT), &(value / scale).to_string());
        if matches!(limit_type, LimitType::MaxPositionQty | LimitType::MaxPositionNotional) {
            desk.book.remove_limit(LimitKey::hard(limit_type, Scope::Account(ACCOUNT)));
            desk.limit(limit_type, Scope::Instrument(INSTRUMENT), &(value / scale).to_string());
        }
        let held = qty(&position.to_string());
        let found = desk.book.check_in_flight(&order, &reserved, held, Some(px("100")));
        prop_assert!(found.iter().all(|told| told.check == check));
        order.state = oms_model::OrdState::Canceled;
        desk.book.follow(&order, &mut reserved);
        prop_assert!(reserved.is_empty());
        let gate = desk.book.check(&limit(side, &rest.to_string(), "100"), &desk.ctx());
        let fresh = result(&gate, check);
        if let Some(told) = found.first() {
            prop_assert_eq!((fresh.verdict, fresh.value, fresh.limit), (Verdict::Fail, told.value, told.limit));
        }
        let adds = if side.is_buy() { position >= 0 && sells == 0 } else { position <= 0 && buys == 0 };
        if adds {
            prop_assert_eq!(fresh.verdict == Verdict::Fail, !found.is_empty(), "{:?}", fresh);
        }
    }
}
