//! Lists, short sales, own orders that meet, wash trades, average volume, repeated execution.

use super::*;
use oms_model::limit::Period;

fn entry(list: ListKind, scope: Scope, subject: Scope) -> Restriction {
    Restriction { list, scope, subject, reason: "insider list".into() }
}

#[test]
fn a_restricted_list_refuses_symbols_classes_venues_and_accounts_of_every_owner() {
    let named = Proposed { named_venue: Some(XNAS), ..buy("10", "100") };
    let subjects = [Scope::Instrument(INSTRUMENT), Scope::AssetClass(AssetClass::Equity), Scope::Venue(XNAS), Scope::Account(ACCOUNT)];
    for owner in [Scope::Tenant, Scope::Account(ACCOUNT), Scope::User(USER), Scope::Strategy(STRATEGY)] {
        for subject in subjects {
            let mut desk = Desk::new();
            desk.book.set_restriction(&entry(ListKind::Restricted, owner, subject));
            let refused = desk.check(&named).verdict.unwrap_err();
            assert_eq!((refused.code, refused.check, refused.scope), (Code::ComplianceBlocked, Check::Restricted, subject), "{owner}");
            desk.book = RiskBook::from_parts(desk.book.parts());
            assert!(desk.code(&named).is_some(), "{owner} {subject}: after a restart too");
            desk.book.remove_restriction(ListKind::Restricted, owner, subject);
            assert_eq!(desk.code(&named), None, "{owner} {subject}");
        }
    }
    let mut desk = Desk::new();
    desk.book.set_restriction(&entry(ListKind::Restricted, Scope::Account(AccountId::from_u128(1)), subjects[0]));
    assert_eq!(desk.code(&named), None, "another account's list");
}

#[test]
fn an_allow_list_takes_nothing_of_its_kind_beside_it() {
    let other = Scope::Instrument(InstrumentId(1));
    let mut desk = Desk::new();
    desk.book.set_restriction(&entry(ListKind::Allowed, Scope::Tenant, other));
    desk.book.set_restriction(&entry(ListKind::Allowed, Scope::Tenant, other)); // once more is no other entry
    assert_eq!(desk.code(&buy("10", "100")), Some(Code::ComplianceBlocked));
    desk.book.set_restriction(&entry(ListKind::Allowed, Scope::Tenant, Scope::Instrument(INSTRUMENT)));
    assert_eq!(desk.code(&buy("10", "100")), None);
    assert!(desk.book.blocks_venue(&[Scope::Tenant], XNAS).eq(&false), "venues have no allow list");
    desk.book.set_restriction(&entry(ListKind::Allowed, Scope::Tenant, Scope::Venue(Mic::of(b"XNYS"))));
    assert!(desk.book.blocks_venue(&[Scope::Tenant], XNAS));
    desk.book.set_restriction(&entry(ListKind::Restricted, Scope::User(USER), Scope::Instrument(INSTRUMENT)));
    assert_eq!(desk.code(&buy("10", "100")), Some(Code::ComplianceBlocked), "restricted beats allowed");
    desk.book.remove_restriction(ListKind::Restricted, Scope::User(USER), Scope::Instrument(INSTRUMENT));
    desk.book.remove_restriction(ListKind::Allowed, Scope::Tenant, Scope::Instrument(INSTRUMENT));
    desk.book.remove_restriction(ListKind::Allowed, Scope::Tenant, other);
    assert_eq!(desk.code(&buy("10", "100")), None, "an empty list allows everything");
}

#[test]
fn a_short_sale_needs_a_locate_that_lasts_and_is_large_enough() {
    let needed = Some(Code::LocateRequired);
    let mut desk = Desk::new();
    let locate =
        |quantity: &str, until| Locate { account_id: ACCOUNT, instrument_id: INSTRUMENT, qty: qty(quantity), until, ..Locate::default() };
    desk.book.set_locate(&locate("100", NOW.plus(SECOND)));
    desk.place(&limit(Side::SellShort, "40", "100")).unwrap();
    for side in [Side::SellShort, Side::SellShortExempt] {
        for (quantity, code) in [("59", None), ("60", None), ("61", needed)] {
            assert_eq!(desk.code(&limit(side, quantity, "100")), code, "{side} {quantity}");
        }
    }
    assert_eq!(desk.code(&sell("1000", "100")), None, "what is held needs no loan");
    desk.book.on_shorted(ACCOUNT, INSTRUMENT, qty("20"));
    assert_eq!([desk.code(&limit(Side::SellShort, "40", "100")), desk.code(&limit(Side::SellShort, "41", "100"))], [None, needed]);
    desk.book = RiskBook::from_parts(desk.book.parts());
    assert_eq!(desk.code(&limit(Side::SellShort, "41", "100")), needed, "after a restart too");
    desk.book.on_day_closed();
    assert_eq!(desk.code(&limit(Side::SellShort, "60", "100")), None, "what was sold yesterday counts no more");
    desk.now = NOW.plus(SECOND);
    assert_eq!(desk.code(&limit(Side::SellShort, "2", "100")), needed, "the loan is over");
    desk.instrument.asset_class = AssetClass::Future;
    assert_eq!(desk.code(&limit(Side::SellShort, "1000", "100")), None, "a future is not borrowed");
}

#[test]
fn under_the_price_test_a_short_sale_is_above_the_bid() {
    let restricted = Some(Code::ShortSaleRestricted);
    let mut desk = Desk::new();
    assert_eq!(desk.code(&limit(Side::SellShort, "10", "99")), None);
    desk.book.set_short_sale_state(INSTRUMENT, true);
    for (price, code) in [("98.99", restricted), ("99", restricted), ("99.01", None)] {
        assert_eq!(desk.code(&limit(Side::SellShort, "10", price)), code, "{price} against a bid of 99");
        assert_eq!(desk.code(&limit(Side::SellShortExempt, "10", price)), None);
        assert_eq!(desk.code(&sell("10", price)), None);
    }
    assert_eq!(desk.code(&base(Side::SellShort, OrdType::Market, "10")), restricted);
    desk.market.bid = None;
    assert_eq!(desk.code(&limit(Side::SellShort, "10", "150")), restricted, "there is nothing to compare with");
    desk.book.set_short_sale_state(INSTRUMENT, false);
    assert_eq!(desk.code(&limit(Side::SellShort, "10", "99")), None);
}

fn numbered(number: u128, order: Proposed) -> Proposed {
    Proposed { order_id: OrderId::from_u128(number), ..order }
}

#[test]
fn an_order_does_not_meet_an_own_working_one() {
    let meets = Some(Code::SelfMatch);
    let elsewhere = AccountId::from_u128(77);
    for (rule, policy) in [(Scope::Tenant, SelfMatchPolicy::CancelNewest), (Scope::Account(ACCOUNT), SelfMatchPolicy::CancelBoth)] {
        let mut desk = Desk::new();
        let (mut resting, mut reserved) = desk.place(&numbered(1, sell("10", "100"))).unwrap();
        assert_eq!(desk.code(&numbered(2, buy("10", "100"))), None, "there is no rule");
        desk.book.set_self_match(rule, policy);
        for (price, code) in [("99.99", None), ("100", meets), ("100.01", meets)] {
            assert_eq!(desk.code(&numbered(2, buy("10", price))), code, "{rule} {price}");
        }
        assert_eq!(desk.code(&numbered(2, base(Side::Buy, OrdType::Market, "10"))), meets);
        assert_eq!(desk.code(&numbered(2, sell("10", "90"))), None, "two sales do not meet");
        let gate = desk.check(&numbered(2, buy("10", "100")));
        let (of, met) = gate.met.unwrap();
        assert_eq!((of, met[0].order_id, met[0].open_qty), (policy, OrderId::from_u128(1), qty("10")));
        // Another account of the tenant meets it where the rule is the tenant's.
        desk.account.account_id = elsewhere;
        let other = Proposed { account_id: elsewhere, ..numbered(2, buy("10", "100")) };
        assert_eq!(desk.code(&other), if rule == Scope::Tenant { meets } else { None }, "{rule}");
        desk.account.account_id = ACCOUNT;
        resting.cum_qty = qty("10");
        desk.book.follow(&resting, &mut reserved);
        assert_eq!(desk.code(&numbered(2, buy("10", "100"))), None, "{rule}: it was executed");
    }
}

#[test]
fn what_is_not_in_the_market_meets_nobody() {
    let mut desk = Desk::new();
    desk.book.set_self_match(Scope::Tenant, SelfMatchPolicy::CancelNewest);
    let stop = Proposed { stop_px: Some(px("98")), price: Some(px("97")), ..numbered(1, base(Side::Sell, OrdType::StopLimit, "10")) };
    desk.place(&stop).unwrap();
    assert_eq!(desk.code(&numbered(2, buy("10", "100"))), None, "a stop that waits");
    let (mut held, mut reserved) = desk.place(&numbered(3, sell("10", "100"))).unwrap();
    assert!(desk.code(&numbered(2, buy("10", "100"))).is_some());
    held.extras.hold = Some(Box::default());
    desk.book.follow(&held, &mut reserved);
    assert_eq!(desk.code(&numbered(2, buy("10", "100"))), None, "an order that waits");
    held.extras.hold = None;
    desk.book.follow(&held, &mut reserved);
    assert!(desk.code(&numbered(2, buy("10", "100"))).is_some());
    // A pending replace stands at both prices.
    held.extras.replacing = Some(Box::new(Terms { order_qty: qty("10"), price: Some(px("99")), stop_px: None }));
    desk.book.follow(&held, &mut reserved);
    assert!(desk.code(&numbered(2, buy("10", "99"))).is_some());
    held.extras.replacing = None;
    desk.book.follow(&held, &mut reserved);
    assert_eq!(desk.code(&numbered(2, buy("10", "99"))), None);
}

#[test]
fn each_rule_says_who_goes_and_who_waits() {
    // (policy, quantity of the new order against 10 working, refused, held)
    let cases = [
        (SelfMatchPolicy::Off, "10", false, false),
        (SelfMatchPolicy::CancelNewest, "20", true, false),
        (SelfMatchPolicy::CancelOldest, "5", false, true),
        (SelfMatchPolicy::CancelBoth, "20", true, false),
        (SelfMatchPolicy::Decrement, "9", true, false),
        (SelfMatchPolicy::Decrement, "10", true, false),
        (SelfMatchPolicy::Decrement, "11", false, true),
    ];
    for (policy, quantity, refused, held) in cases {
        let mut desk = Desk::new();
        desk.book.set_self_match(Scope::Tenant, policy);
        desk.place(&numbered(1, sell("10", "100"))).unwrap();
        let gate = desk.check(&numbered(2, buy(quantity, "100")));
        assert_eq!((gate.verdict.is_err(), gate.hold.is_some()), (refused, held), "{policy} {quantity}");
        assert_eq!(gate.met.is_some(), policy != SelfMatchPolicy::Off, "{policy}");
        // A replace that would meet it is refused, whatever the rule.
        let (order, reserved) = desk.place(&numbered(3, buy("10", "99"))).unwrap();
        let terms = Terms { order_qty: qty("10"), price: Some(px("100")), stop_px: None };
        let code = desk.book.check_replace(&order, &reserved, &terms, &desk.ctx()).verdict.err().map(|refused| refused.code);
        assert_eq!(code, (policy != SelfMatchPolicy::Off).then_some(Code::SelfMatch), "{policy}");
    }
}

#[test]
fn an_order_that_meets_too_many_is_refused_whatever_the_rule() {
    let mut desk = Desk::new();
    desk.book.set_self_match(Scope::Tenant, SelfMatchPolicy::CancelOldest);
    let most = crate::crossing::MAX_MEETINGS as u128;
    for number in 1..=most {
        desk.place(&numbered(number, sell("2", "100"))).unwrap();
    }
    let new = numbered(1_000, buy("100", "100"));
    let gate = desk.check(&new);
    assert!(gate.hold.is_some() && gate.met.unwrap().1.len() == crate::crossing::MAX_MEETINGS);
    desk.place(&numbered(most + 1, sell("2", "100"))).unwrap();
    let gate = desk.check(&new);
    assert_eq!((gate.verdict.err().map(|refused| refused.code), gate.met), (Some(Code::SelfMatch), None));
}

#[test]
fn the_same_order_on_the_other_side_within_the_window_is_a_wash() {
    for scope in SCOPES {
        let mut desk = Desk::with(LimitType::WashWindow, scope, "2");
        desk.place(&buy("10", "100")).unwrap();
        for (ms, code) in [(1_999, Some(Code::WashTrade)), (2_000, None), (2_001, None)] {
            desk.now = NOW.plus(ms * 1_000_000);
            for side in [Side::Sell, Side::SellShort] {
                assert_eq!(desk.code(&limit(side, "10", "100")), code, "{scope} {ms}");
            }
        }
        desk.now = NOW.plus(SECOND);
        for other in [sell("11", "100"), sell("10", "100.01"), buy("10", "100")] {
            assert_eq!(desk.code(&other), None, "{scope} {other:?}");
        }
        desk.book.set_limit(&RiskLimit { limit_type: LimitType::WashWindow, scope, value: dec("5"), version: 1, period: None, soft: true });
        desk.now = NOW.plus(3 * SECOND);
        let order = sell("10", "100");
        assert_eq!(desk.code(&order), Some(Code::SoftLimitBreach), "{scope}");
        assert_eq!(desk.code(&Proposed { acknowledged: true, ..order }), None, "{scope}");
    }
}

#[test]
fn an_order_is_bounded_by_the_average_volume() {
    for scope in SCOPES {
        let mut desk = Desk::with(LimitType::MaxPctAdv, scope, "5");
        assert_eq!(desk.code(&buy("10", "100")), Some(Code::NoReferenceData), "{scope}: nobody said what it is");
        desk.instrument.adv_qty = Some(qty("1000"));
        for (quantity, code) in [("49", None), ("50", None), ("51", Some(Code::RiskLimitBreach))] {
            assert_eq!(desk.code(&buy(quantity, "100")), code, "{scope} {quantity}");
        }
        // A third of a percent more is not rounded away.
        desk.instrument.adv_qty = Some(qty("999"));
        assert_eq!(desk.code(&buy("50", "100")), Some(Code::RiskLimitBreach), "{scope}");
    }
}

#[test]
fn what_repeats_itself_turns_its_scope_off_until_a_person_says_otherwise() {
    for scope in SCOPES {
        let mut desk = Desk::new();
        let period = Some(Period::Minute);
        let throttle = RiskLimit { limit_type: LimitType::RepeatedExecution, scope, value: dec("3"), version: 1, period, soft: false };
        desk.book.set_limit(&throttle);
        for second in 0..3 {
            desk.now = NOW.plus(second * SECOND);
            desk.place(&buy("10", "100")).unwrap();
        }
        assert_eq!(desk.code(&buy("11", "100")), None, "{scope}: another quantity is another order");
        let gate = desk.check(&buy("10", "100.01"));
        let refused = gate.verdict.unwrap_err();
        assert_eq!((refused.code, refused.check, refused.retry_after_ns), (Code::RateLimited, Check::RepeatedExecution, None));
        assert_eq!(gate.trips, Some((scope, dec("4"), dec("3"))));
        desk.book.set_tripped(scope, true);
        desk.book = RiskBook::from_parts(desk.book.parts());
        desk.now = NOW.plus(3_600 * SECOND);
        let gate = desk.check(&buy("12", "100"));
        assert_eq!((gate.verdict.unwrap_err().code, gate.trips), (Code::RateLimited, None), "{scope}: an hour is no person");
        desk.book.set_tripped(scope, false);
        assert_eq!(desk.code(&buy("10", "100")), None, "{scope}");
    }
    let mut desk = Desk::with(LimitType::RepeatedExecution, Scope::Tenant, "1");
    desk.place(&buy("10", "100")).unwrap();
    desk.now = NOW.plus(SECOND);
    assert_eq!(desk.code(&buy("10", "100")), None, "a second later is outside the period");
}
