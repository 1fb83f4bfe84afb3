//! Overrides: which checks, for which order, by whom, how often and how long.

use super::*;
use crate::overrides::is_overridable;
use oms_model::overrides::{Override, OverrideRule, OverrideState};

const ID: OverrideId = OverrideId::from_u128(1);
const OTHER: OverrideId = OverrideId::from_u128(2);
const BOSS: UserId = UserId::from_u128(80);
const ORDER: OrderId = OrderId::from_u128(0x100);

/// Leave to buy up to 200 at 100 or better, whatever the check says, for ten seconds.
fn leave(override_id: OverrideId, check: Check) -> Override {
    Override {
        override_id,
        check,
        account_id: ACCOUNT,
        instrument_id: INSTRUMENT,
        side: Side::Buy,
        ord_type: OrdType::Limit,
        max_qty: qty("200"),
        price: Some(px("100")),
        granted_by: BOSS,
        expires_at: NOW.plus(10 * SECOND),
        state: OverrideState::Active,
        ..Override::default()
    }
}

/// A desk whose orders name an override of a limit of 100 for one order.
fn desk() -> Desk {
    let mut desk = Desk::with(LimitType::MaxOrderQty, Scope::Tenant, "100");
    desk.book.grant(&leave(ID, Check::OrderQty));
    desk.named = vec![ID];
    desk
}

fn refusal(desk: &Desk, order: &Proposed) -> String {
    desk.check(order).verdict.unwrap_err().text
}

#[test]
fn only_limits_of_the_firm_can_be_overridden_and_lists_where_the_tenant_says_so() {
    const NEVER: [Check; 12] = [
        Check::KillSwitch,
        Check::TradingState,
        Check::AccountActive,
        Check::InstrumentActive,
        Check::Tick,
        Check::Lot,
        Check::Locate,
        Check::ShortSalePrice,
        Check::SelfMatch,
        Check::RepeatedExecution,
        Check::Currency,
        Check::Approval,
    ];
    for lists in [false, true] {
        let rule = OverrideRule { lists, ..OverrideRule::default() };
        for &check in Check::ALL {
            let wanted = if check == Check::Restricted { lists } else { !NEVER.contains(&check) };
            assert_eq!(is_overridable(check, rule), wanted, "{check}, lists: {lists}");
        }
    }
}

#[test]
fn an_overridden_check_is_recorded_with_its_numbers() {
    let gate = desk().check(&buy("200", "100"));
    let found = result(&gate, Check::OrderQty);
    assert_eq!((found.verdict, found.code), (Verdict::Overridden, None));
    assert_eq!((found.value, found.limit, found.limit_version), (Some(dec("200")), Some(dec("100")), 1));
    assert!(gate.verdict.is_ok());
    let [used] = gate.overridden[..] else { panic!("{:?}", gate.overridden) };
    assert_eq!((used.override_id, used.check, used.value), (ID, Check::OrderQty, Some(dec("200"))));
    // An order that breaks nothing uses nothing.
    let gate = desk().check(&buy("100", "100"));
    assert!(gate.verdict.is_ok() && gate.overridden.is_empty());
    let unnamed = Desk { named: Vec::new(), ..desk() };
    assert_eq!(unnamed.code(&buy("200", "100")), Some(Code::RiskLimitBreach));
}

#[test]
fn an_override_is_for_an_order_like_the_refused_one_and_no_worse() {
    let stop = Proposed { stop_px: Some(px("100")), ..limit(Side::Buy, "200", "100") };
    for (order, words) in [
        (buy("201", "100"), "smaller quantity"),
        (buy("200", "100.01"), "better price"),
        (sell("200", "100"), "another account, instrument, side or type"),
        (base(Side::Buy, OrdType::Market, "200"), "another account, instrument, side or type"),
        (Proposed { ord_type: OrdType::StopLimit, ..stop }, "another account, instrument, side or type"),
        (Proposed { user_id: BOSS, ..buy("200", "100") }, "granted by the one who sends"),
    ] {
        let text = refusal(&desk(), &order);
        assert!(text.contains(words), "{order:?}: {text}");
    }
    for order in [buy("150", "100"), buy("200", "99.99")] {
        assert_eq!(desk().code(&order), None, "{order:?}");
    }
    let mut other_account = desk();
    other_account.book.grant(&Override { account_id: AccountId::from_u128(1), ..leave(ID, Check::OrderQty) });
    assert!(refusal(&other_account, &buy("200", "100")).contains("another account"));
    let mut selling = desk();
    selling.book.grant(&Override { side: Side::Sell, ..leave(ID, Check::OrderQty) });
    assert_eq!(selling.code(&sell("200", "100")), None);
    assert_eq!(selling.code(&sell("200", "100.01")), None, "a seller's higher price is no worse");
    assert!(refusal(&selling, &sell("200", "99.99")).contains("better price"));
}

#[test]
fn it_holds_in_one_state_and_for_its_time() {
    let second = OverrideRule { second_person: true, ..OverrideRule::default() };
    for (state, words) in [
        (OverrideState::Pending, "consent of a second person"),
        (OverrideState::Used, "was used"),
        (OverrideState::Revoked, "was taken back"),
    ] {
        let mut desk = desk();
        desk.book.grant(&Override { state, used_by: Some(ORDER), ..leave(ID, Check::OrderQty) });
        assert!(refusal(&desk, &buy("200", "100")).contains(words), "{state}");
    }
    let mut late = desk();
    late.now = NOW.plus(10 * SECOND - 1);
    late.market.set_quote(XNAS, true, Some(level("99", late.now)));
    assert_eq!(late.code(&buy("200", "100")), None, "a nanosecond before its end");
    late.now = NOW.plus(10 * SECOND);
    assert!(refusal(&late, &buy("200", "100")).contains("its time is over"));
    let mut unknown = desk();
    unknown.named = vec![OTHER];
    assert!(refusal(&unknown, &buy("200", "100")).contains("is not known"));
    // A rule that came after the grant binds it too, and consent lifts it.
    let mut ruled = desk();
    ruled.book.set_override_rule(second);
    assert!(refusal(&ruled, &buy("200", "100")).contains("consent"));
    ruled.book.consent(ID, USER);
    assert!(refusal(&ruled, &buy("200", "100")).contains("granted by the one who sends"), "who consents does not send it");
    ruled.book.consent(ID, UserId::from_u128(81));
    assert_eq!(ruled.code(&buy("200", "100")), None);
}

#[test]
fn each_broken_rule_needs_its_own_and_none_is_used_where_one_is_missing() {
    let mut desk = desk();
    desk.limit(LimitType::MaxOrderNotional, Scope::Account(ACCOUNT), "5000");
    let gate = desk.check(&buy("200", "100"));
    let refused = gate.verdict.unwrap_err();
    assert_eq!((refused.check, refused.code), (Check::OrderNotional, Code::RiskLimitBreach));
    assert!(gate.overridden.is_empty(), "what is refused uses nothing");
    desk.book.grant(&leave(OTHER, Check::OrderNotional));
    desk.named = vec![OTHER, ID];
    let used: Vec<Check> = desk.check(&buy("200", "100")).overridden.iter().map(|used| used.check).collect();
    assert_eq!(used, [Check::OrderQty, Check::OrderNotional]);
}

#[test]
fn switches_lists_and_what_is_not_known_are_not_overridden() {
    let mut killed = desk();
    killed.book.grant(&leave(ID, Check::KillSwitch));
    killed.book.engage(Scope::Tenant, NOW);
    assert_eq!(killed.code(&buy("10", "100")), Some(Code::KillSwitch));
    let mut halted = desk();
    halted.book.grant(&leave(ID, Check::TradingState));
    halted.book.set_trading_state(Scope::Account(ACCOUNT), TradingState::Halted);
    assert_eq!(halted.code(&buy("10", "100")), Some(Code::TradingHalted));
    let mut listed = desk();
    listed.book.grant(&leave(ID, Check::Restricted));
    let (scope, subject) = (Scope::Tenant, Scope::Instrument(INSTRUMENT));
    listed.book.set_restriction(&Restriction { list: ListKind::Restricted, scope, subject, reason: String::new() });
    assert_eq!(listed.code(&buy("10", "100")), Some(Code::ComplianceBlocked));
    listed.book.set_override_rule(OverrideRule { lists: true, ..OverrideRule::default() });
    assert_eq!(listed.code(&buy("10", "100")), None);
    // Nothing to measure against is no breach that somebody could allow.
    let mut blind = Desk::with(LimitType::MaxPctAdv, Scope::Tenant, "10");
    blind.book.grant(&leave(ID, Check::PctAdv));
    blind.named = vec![ID];
    assert_eq!(blind.code(&buy("10", "100")), Some(Code::NoReferenceData));
    blind.instrument.adv_qty = Some(qty("50"));
    assert_eq!(blind.code(&buy("10", "100")), None);
    let mut missing = desk();
    missing.book.grant(&leave(ID, Check::OpenOrders));
    missing.book.require(LimitType::MaxOpenOrders, true);
    assert_eq!(missing.code(&buy("10", "100")), Some(Code::LimitMissing));
}

#[test]
fn it_goes_on_holding_for_the_order_that_used_it_and_for_no_replace() {
    let mut desk = desk();
    desk.book.set_override_rule(OverrideRule { lists: true, ..OverrideRule::default() });
    desk.book.grant(&leave(OTHER, Check::Restricted));
    desk.named = vec![ID, OTHER];
    let (scope, subject) = (Scope::Tenant, Scope::Instrument(INSTRUMENT));
    desk.book.set_restriction(&Restriction { list: ListKind::Restricted, scope, subject, reason: String::new() });
    let (order, reserved) = desk.place(&Proposed { order_id: ORDER, ..buy("150", "100") }).unwrap();
    for id in [ID, OTHER] {
        desk.book.use_override(id, ORDER);
    }
    assert_eq!(desk.code(&buy("150", "100")), Some(Code::ComplianceBlocked), "used once");
    let replan = |desk: &Desk, order: &Order| desk.book.check_replan(order, &reserved, &desk.ctx()).verdict.err().map(|e| e.code);
    assert_eq!(replan(&desk, &order), None, "what was taken by it is placed by it");
    assert!(desk.book.is_overridden(ORDER, &[ID, OTHER], Check::OrderQty, NOW));
    assert!(!desk.book.is_overridden(ORDER, &[OTHER], Check::OrderQty, NOW), "it is for the other check");
    assert!(!desk.book.is_overridden(OrderId::from_u128(0x200), &[ID], Check::OrderQty, NOW));
    assert!(!desk.book.is_overridden(ORDER, &[ID], Check::OrderQty, NOW.plus(10 * SECOND)), "its time is over");
    let other = Order { order_id: OrderId::from_u128(0x200), ..order.clone() };
    assert_eq!(replan(&desk, &other), Some(Code::ComplianceBlocked));
    // A replace is judged anew, by the rules alone: larger is refused, and so is anything that a list forbids.
    desk.book.remove_restriction(ListKind::Restricted, scope, subject);
    let replace = |quantity: &str| {
        let terms = Terms { order_qty: qty(quantity), ..order.terms() };
        desk.book.check_replace(&order, &reserved, &terms, &desk.ctx()).verdict.err().map(|e| e.code)
    };
    assert_eq!(replace("160"), Some(Code::RiskLimitBreach));
    assert_eq!(replace("140"), None, "what a replace does not worsen it may keep");
}

#[test]
fn overrides_schedules_and_revisions_are_part_of_the_state() {
    let mut desk = desk();
    desk.book.set_override_rule(OverrideRule { second_person: true, lists: true });
    desk.book.schedule(&oms_model::schedule::LimitSchedule { value: dec("5"), ..Default::default() });
    desk.limit(LimitType::MaxOrderQty, Scope::Tenant, "101");
    let parts = desk.book.parts();
    assert_eq!(parts.revisions.limits, 2);
    let again = RiskBook::from_parts(parts.clone());
    assert_eq!(again.parts(), parts);
    assert_eq!(again.override_of(ID), desk.book.override_of(ID));
}
