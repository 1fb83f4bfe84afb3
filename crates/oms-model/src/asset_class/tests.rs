use super::*;
use crate::amount::{Decimal, Notional, Price, Qty};
use crate::ids::Time;
use crate::instrument::Valuation;

#[test]
fn every_class_has_exactly_one_row_at_its_place() {
    let classes: Vec<AssetClass> = RULES.iter().map(|rules| rules.asset_class).collect();
    assert_eq!(classes, AssetClass::ALL);
}

#[test]
fn a_refusal_names_the_rule() {
    let broken = |class: AssetClass, order: NewOrder| {
        let refusal = rules_of(class).check(&order).unwrap_err();
        assert_eq!(refusal.code, Code::AssetClassRule);
        refusal.details[0].1.clone()
    };
    let limit = NewOrder { ord_type: Limit, ..NewOrder::default() };
    assert_eq!(broken(AssetClass::Structured, limit.clone()), "STRUCTURED.ord_types");
    assert_eq!(broken(AssetClass::Fund, limit.clone()), "FUND.ord_types");
    assert_eq!(broken(AssetClass::Fund, NewOrder::default()), "FUND.sides");
    assert_eq!(
        broken(AssetClass::MoneyMarket, NewOrder { time_in_force: TimeInForce::Gtc, ..limit.clone() }),
        "MONEY_MARKET.times_in_force"
    );
    assert_eq!(broken(AssetClass::Option, NewOrder { side: SellShort, ..limit.clone() }), "OPTION.sides");
    let cash = NewOrder { cash_order_qty: Some(Decimal::from_count(1)), ..limit };
    assert_eq!(broken(AssetClass::Crypto, cash), "CRYPTO.quantities");
}

#[test]
fn every_combination_that_the_table_holds_is_taken() {
    for rules in RULES {
        for &ord_type in rules.ord_types {
            for &time_in_force in rules.times_in_force {
                for &side in rules.sides {
                    let order = NewOrder { ord_type, time_in_force, side, ..NewOrder::default() };
                    assert_eq!(rules.check(&order), Ok(()), "{} {ord_type} {time_in_force} {side}", rules.asset_class);
                }
            }
        }
    }
}

#[test]
fn an_instrument_says_what_its_class_needs_and_nothing_of_another() {
    let option = Instrument { expiry: Some(Time(1)), strike: Some(Price::from_raw(1)), ..Instrument::default() };
    let refusal = rules_of(AssetClass::Option).check_instrument(&option).unwrap_err();
    assert_eq!(refusal.message, "rule OPTION.needs: an instrument of class OPTION needs right");
    let refusal = rules_of(AssetClass::Equity).check_instrument(&option).unwrap_err();
    assert_eq!(refusal.message, "rule EQUITY.needs: an instrument of class EQUITY has no expiry");
}

fn units(units: i64) -> Qty {
    Qty::from_units(units).unwrap()
}

#[test]
fn a_value_counts_the_multiplier_and_a_rate_does_not_count() {
    let px: Price = "2.5".parse().unwrap();
    let value = |instrument: &Instrument, qty: i64| instrument.valuation().notional(px, units(qty)).unwrap().to_string();
    assert_eq!(value(&Instrument::default(), 3), "7.5");
    let option = Instrument { multiplier: Some(Decimal::from_count(100)), ..Instrument::default() };
    assert_eq!(value(&option, 3), "750");
    let deposit = Instrument { rate_quoted: true, ..Instrument::default() };
    assert_eq!(value(&deposit, 1_000_000), "1000000");
    let tenth = Instrument { multiplier: Some("0.1".parse().unwrap()), ..Instrument::default() };
    assert_eq!(value(&tenth, 3), "0.75");
}

#[test]
fn a_value_is_rounded_away_from_zero_and_overflow_is_seen() {
    let third = Valuation::from_raw(333_333_333);
    let smallest = third.notional(Price::from_raw(1), Qty::from_raw(1)).unwrap();
    assert_eq!(smallest, Notional::from_raw(1));
    assert_eq!(third.notional(Price::from_raw(1), Qty::from_raw(-1)), Some(Notional::from_raw(-1)));
    let hundred = Valuation::from_raw(100 * crate::amount::ONE);
    assert_eq!(hundred.notional(Price::MAX, Qty::MAX), None);
    // Too large only on the way.
    let large = Qty::from_raw(i128::MAX / 1_000_000_000_000);
    assert!(hundred.notional(Price::from_raw(1), large).is_some());
}

#[test]
fn an_order_after_the_cut_off_waits_for_the_next_one() {
    const HOUR: i64 = 3_600_000_000_000;
    let fund = Instrument { cut_off_utc_s: Some(15 * 3600), ..Instrument::default() };
    let day = 20_000 * 24 * HOUR;
    assert_eq!(fund.cut_off_before(Time(day + 16 * HOUR)), Time(day + 15 * HOUR));
    assert_eq!(fund.cut_off_before(Time(day + 15 * HOUR)), Time(day + 15 * HOUR));
    assert_eq!(fund.cut_off_before(Time(day + 14 * HOUR)), Time(day - 9 * HOUR));
}
