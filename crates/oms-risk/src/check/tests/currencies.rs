//! Every bound that is money, for an instrument in another currency: the limit is in the risk currency, and the recorded
//! rate decides.

use super::*;
use crate::holdings::Valued;
use oms_model::compliance::HoldReason;
use oms_model::instrument::{Currency, Valuation};

const BREACH: Option<Code> = Some(Code::RiskLimitBreach);
/// Of one euro, in the risk currency.
const RATE: &str = "1.1";

/// A desk whose instrument is in euros, which its account may trade in.
fn in_euros(mut desk: Desk) -> Desk {
    desk.instrument.currency = Currency(*b"EUR");
    desk.account.currencies = vec![desk.instrument.currency];
    desk.rate = Some(Rate { rate: dec(RATE), at: Some(NOW) });
    desk
}

/// Orders of 900, 1,000 and 1,100 euros against a bound of 1,100 in the risk currency: inside, at it, outside.
fn around_the_bound(desk: &Desk, code: Option<Code>, what: &str) {
    for (quantity, code) in [("9", None), ("10", None), ("11", code)] {
        assert_eq!(desk.code(&buy(quantity, "100")), code, "{what} {quantity}");
    }
    // At one to one the last would be within the bound too, and at no rate none is.
    let same = Desk { rate: Some(Rate::same()), ..copy(desk) };
    assert_eq!(same.code(&buy("11", "100")), None, "{what}: the rate decides");
    let unknown = Desk { rate: None, ..copy(desk) };
    assert_eq!(unknown.check(&buy("9", "100")).verdict.map_err(|_| ()), Err(()), "{what}: nothing passes without a rate");
}

fn copy(desk: &Desk) -> Desk {
    Desk {
        book: RiskBook::from_parts(desk.book.parts()),
        now: desk.now,
        market: desk.market.clone(),
        instrument: desk.instrument.clone(),
        account: desk.account.clone(),
        position: desk.position.clone(),
        rate: desk.rate,
        named: desk.named.clone(),
        hours: desk.hours,
    }
}

#[test]
fn what_an_order_adds_is_bounded_in_every_scope() {
    let kept = [Scope::Tenant, Scope::Account(ACCOUNT), Scope::AssetClass(AssetClass::Equity)];
    let tables: [(LimitType, &[Scope], Option<Code>); 7] = [
        (LimitType::MaxOrderNotional, &SCOPES, BREACH),
        (LimitType::MaxOpenNotional, &SCOPES, BREACH),
        (LimitType::MaxPositionNotional, &SCOPES, BREACH),
        (LimitType::MaxGrossExposure, &kept, BREACH),
        (LimitType::MaxNetExposure, &kept, BREACH),
        (LimitType::MaxAssetClassExposure, &kept, BREACH),
        (LimitType::BuyingPower, &[Scope::Tenant, Scope::Account(ACCOUNT)], Some(Code::InsufficientBuyingPower)),
    ];
    for (limit_type, scopes, code) in tables {
        for scope in scopes {
            around_the_bound(&in_euros(Desk::with(limit_type, *scope, "1100")), code, &format!("{limit_type} {scope}"));
        }
    }
}

#[test]
fn what_is_measured_against_the_equity_is_converted_first() {
    for scope in [Scope::Tenant, Scope::Account(ACCOUNT)] {
        for (limit_type, value) in [(LimitType::MaxConcentrationPct, "50"), (LimitType::MaxLeverage, "0.5")] {
            let mut desk = in_euros(Desk::with(limit_type, scope, value));
            desk.book.set_capital(ACCOUNT, Some("2200".parse().unwrap()));
            around_the_bound(&desk, BREACH, &format!("{limit_type} {scope}"));
        }
    }
}

#[test]
fn a_strategy_is_bounded_in_the_risk_currency() {
    let mut desk = in_euros(Desk::new());
    let max_notional = Some(dec("1100"));
    desk.book.set_envelope(&StrategyEnvelope {
        strategy: STRATEGY,
        enabled: true,
        max_notional,
        version: 2,
        ..StrategyEnvelope::default()
    });
    around_the_bound(&desk, BREACH, "STRATEGY_ENVELOPE");
}

#[test]
fn what_waits_for_approval_is_measured_in_the_risk_currency() {
    for scope in SCOPES {
        let desk = in_euros(Desk::with(LimitType::ApprovalNotional, scope, "1100"));
        for (quantity, hold) in [("9", None), ("10", None), ("11", Some(HoldReason::Approval))] {
            let gate = desk.check(&buy(quantity, "100"));
            assert!(gate.verdict.is_ok());
            assert_eq!(gate.hold, hold, "{scope} {quantity}");
        }
    }
}

/// 50 bought at 100 euros, and worth this now.
fn hold(desk: &mut Desk, mark: &str) {
    let mut position = Position { account_id: ACCOUNT, instrument_id: INSTRUMENT, ..Position::default() };
    position.book(true, qty("50"), px("100"), Notional::ZERO);
    let rate = dec(RATE);
    let valuation = Valuation::default().at_rate(rate).unwrap();
    desk.book.on_position(&position, Valued { valuation, rate, mark: Some(px(mark)) });
    desk.position = Some(position);
}

#[test]
fn losses_are_counted_in_the_risk_currency() {
    // 500 euros are 550.
    for scope in [Scope::Tenant, Scope::Account(ACCOUNT)] {
        let mut desk = in_euros(Desk::with(LimitType::DailyLoss, scope, "550"));
        for (mark, code) in [("90.01", None), ("90", None), ("89.99", BREACH)] {
            hold(&mut desk, mark);
            assert_eq!(desk.code(&buy("2", "100")), code, "{scope} {mark}");
        }
        let mut desk = in_euros(Desk::with(LimitType::TrailingDrawdown, scope, "550"));
        hold(&mut desk, "120");
        for (mark, code) in [("110.01", None), ("110", None), ("109.99", BREACH)] {
            hold(&mut desk, mark);
            assert_eq!(desk.code(&buy("2", "100")), code, "{scope} {mark}");
        }
    }
}
