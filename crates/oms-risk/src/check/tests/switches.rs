//! Checks 1 to 4.

use super::*;

#[test]
fn nothing_set_lets_a_sound_order_pass() {
    let desk = Desk::new();
    let gate = desk.check(&buy("10", "100"));
    assert_eq!(gate.verdict.as_ref().unwrap().get(), &buy("10", "100"));
    assert_eq!(result(&gate, Check::KillSwitch).verdict, Verdict::Pass);
    let notional = result(&gate, Check::OrderNotional);
    assert_eq!((notional.verdict, notional.value, notional.limit), (Verdict::NotApplicable, Some(dec("1000")), None));
    assert_eq!(gate.worst_price, Some(px("100")));
}

#[test]
fn kill_switch_refuses_in_every_scope_until_released() {
    for scope in SCOPES {
        let mut desk = Desk::new();
        desk.book.engage(scope, Time(0));
        desk.book.engage(scope, Time(0));
        let refused = desk.check(&buy("10", "100")).verdict.unwrap_err();
        assert_eq!((refused.code, refused.check, refused.scope), (Code::KillSwitch, Check::KillSwitch, scope));
        desk.book.release(scope);
        assert_eq!(desk.code(&buy("10", "100")), None);
    }
    let others = [
        Scope::Account(AccountId::from_u128(1)),
        Scope::User(UserId::from_u128(1)),
        Scope::Instrument(InstrumentId(1)),
        Scope::Venue(XNAS),
    ];
    for scope in others {
        let mut desk = Desk::new();
        desk.book.engage(scope, Time(0));
        assert_eq!(desk.code(&buy("10", "100")), None, "{scope} is not the order's");
    }
}

#[test]
fn a_named_venue_is_refused_by_its_kill_switch_and_state() {
    let named = Proposed { named_venue: Some(XNAS), ..buy("10", "100") };
    let mut desk = Desk::new();
    assert_eq!(desk.code(&named), None);
    desk.book.engage(Scope::Venue(XNAS), Time(0));
    assert_eq!(desk.code(&named), Some(Code::KillSwitch));
    desk.book.release(Scope::Venue(XNAS));
    desk.book.set_trading_state(Scope::Venue(XNAS), TradingState::Halted);
    assert_eq!(desk.code(&named), Some(Code::TradingHalted));

    let routing = Routing { mode: Some(SorMode::Named), venue: Some(XNAS), policy: None, care: false };
    let order = Order { extras: Extras { routing: Some(Box::new(routing)), ..Extras::default() }.into(), ..Order::default() };
    assert_eq!(Proposed::of(&order).named_venue, Some(XNAS));
}

#[test]
fn trading_state_halted_refuses_and_reducing_takes_reductions_only() {
    // (position, order, taken while REDUCING)
    let cases = [
        (None, buy("10", "100"), false),
        (Some("100"), buy("10", "100"), false),
        (Some("100"), sell("100", "100"), true),
        (Some("100"), sell("101", "100"), false), // would cross zero
        (Some("-100"), buy("100", "100"), true),
        (Some("-100"), buy("101", "100"), false),
        (Some("-100"), sell("2", "100"), false),
        (None, limit(Side::SellShort, "2", "100"), false),
    ];
    for scope in SCOPES {
        for (held, order, taken) in &cases {
            let mut desk = Desk::new();
            desk.position = held.map(|h| Position { qty: qty(h), ..Position::default() });
            desk.book.set_trading_state(scope, TradingState::Reducing);
            assert_eq!(desk.code(order), (!taken).then_some(Code::ReduceOnly), "{scope} {held:?} {order:?}");
            desk.book.set_trading_state(scope, TradingState::Halted);
            assert_eq!(desk.code(order), Some(Code::TradingHalted));
            desk.book.set_trading_state(scope, TradingState::Active);
            assert_eq!(desk.code(order), None);
        }
    }
}

#[test]
fn reducing_counts_what_already_works() {
    let mut desk = Desk::new().holding("100");
    desk.book.set_trading_state(Scope::Tenant, TradingState::Reducing);
    assert!(desk.place(&sell("60", "100")).is_some());
    assert_eq!(desk.code(&sell("41", "100")), Some(Code::ReduceOnly), "with the first it would be short");
    assert!(desk.place(&sell("40", "100")).is_some());
}

#[test]
fn a_halt_is_told_before_a_reduction() {
    let mut desk = Desk::new();
    desk.book.set_trading_state(Scope::Tenant, TradingState::Reducing);
    desk.book.set_trading_state(Scope::Account(ACCOUNT), TradingState::Halted);
    assert_eq!(desk.code(&buy("10", "100")), Some(Code::TradingHalted));
}

#[test]
fn account_and_instrument_must_take_orders() {
    let mut desk = Desk::new();
    desk.account.active = false;
    assert_eq!(desk.code(&buy("10", "100")), Some(Code::AccountDisabled));
    desk.account.active = true;
    desk.instrument.active = false;
    assert_eq!(desk.code(&buy("10", "100")), Some(Code::InstrumentDisabled));
}
