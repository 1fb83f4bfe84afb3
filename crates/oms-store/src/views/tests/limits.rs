//! Changes of limits and breaches, as the views tell them.

use super::*;
use oms_model::event::{Batch, OrderCreated, RiskChecked, RiskLimitRemoved};
use oms_model::limit::{Check, CheckResult, LimitKey, LimitType, Period, RiskLimit, Scope, Verdict};
use oms_model::{AccountId, Code, Event, OrderId};

const DAY_NS: i64 = 86_400_000_000_000;

fn batch(first_seq: u64, time: i64, events: Vec<Event>) -> Arc<Batch> {
    let command_id = CommandId::from_u128(u128::from(first_seq));
    Arc::new(Batch { first_seq: Seq(first_seq), time: Time(time), command_id, events, ..Batch::default() })
}

fn limit(scope: Scope, soft: bool, version: u32) -> RiskLimit {
    RiskLimit { limit_type: LimitType::MaxOrderQty, scope, soft, version, ..RiskLimit::default() }
}

fn checked(order: u128, check: Check, verdict: Verdict, code: Option<Code>, soft: bool) -> Event {
    let result = CheckResult { check, verdict, code, limit_version: 1, soft, ..CheckResult::default() };
    let results = vec![CheckResult::default(), result];
    Event::RiskChecked(Box::new(RiskChecked { order_id: OrderId::from_u128(order), results, ..RiskChecked::default() }))
}

#[test]
fn each_limit_has_its_changes_and_its_last_breach() {
    let scratch = Scratch::new();
    let mut views = Views::open(scratch.file("views")).unwrap();
    let account = Scope::Account(AccountId::from_u128(7));
    let (hard, soft) = (limit(Scope::Tenant, false, 1), limit(Scope::Tenant, true, 1));
    let removed = RiskLimitRemoved { limit_type: hard.limit_type, scope: account, period: None, soft: false };
    let mut batches = vec![batch(
        1,
        0,
        vec![
            Event::RiskLimitSet(hard),
            Event::RiskLimitSet(soft),
            Event::RiskLimitSet(limit(account, false, 1)),
            Event::RiskLimitSet(RiskLimit { version: 2, ..hard }),
            Event::RiskLimitRemoved(removed),
        ],
    )];
    let mut seq = 6;
    let mut order = |time: i64, check: Check, verdict: Verdict, code: Option<Code>, soft: bool| {
        let id = u128::from(seq);
        let order_id = OrderId::from_u128(id);
        let created = OrderCreated { order_id, root_order_id: order_id, ..OrderCreated::default() };
        batches.push(batch(seq, time, vec![Event::OrderCreated(Box::new(created)), checked(id, check, verdict, code, soft)]));
        seq += 2;
        order_id
    };
    let breach = Some(Code::RiskLimitBreach);
    order(DAY_NS - 2, Check::OrderQty, Verdict::Fail, breach, false);
    order(DAY_NS - 1, Check::OrderQty, Verdict::Overridden, None, false);
    order(DAY_NS, Check::OrderQty, Verdict::Fail, breach, false);
    let last = order(DAY_NS + 1, Check::OrderQty, Verdict::Fail, breach, false);
    order(DAY_NS + 2, Check::OrderQty, Verdict::Pass, None, false);
    order(DAY_NS + 3, Check::PctAdv, Verdict::Fail, Some(Code::NoReferenceData), false);
    let warned = order(DAY_NS + 4, Check::OrderQty, Verdict::Warn, None, true);
    views.apply(&batches).unwrap();

    let reader = views.reader();
    let changes = |key: Option<LimitKey>, before: Option<u64>, most| -> Vec<u64> {
        reader.limit_changes(key, before.map(Seq), most).unwrap().into_iter().map(|seq| seq.0).collect()
    };
    assert_eq!(changes(None, None, 100), [5, 4, 3, 2, 1]);
    assert_eq!(changes(None, Some(4), 2), [3, 2]);
    assert_eq!(changes(Some(hard.key()), None, 100), [4, 1]);
    assert_eq!(changes(Some(LimitKey { scope: account, ..hard.key() }), None, 100), [5, 3]);
    assert_eq!(changes(Some(LimitKey { period: Some(Period::Day), ..hard.key() }), None, 100), [] as [u64; 0]);
    let found: Vec<_> = reader.limit_breaches().unwrap().into_iter().map(|one| (one.limit_key.clone(), one.count, one.order_id)).collect();
    let mut wanted = vec![(limit_key(hard.key()), 2, last), (limit_key(soft.key()), 1, warned)];
    wanted.sort();
    assert_eq!(found, wanted, "only the day of the last one counts, and only what was measured");
    let hard_one = reader.limit_breaches().unwrap().into_iter().find(|one| one.order_id == last).unwrap();
    assert_eq!((hard_one.count_on(Time(2 * DAY_NS - 1)), hard_one.count_on(Time(2 * DAY_NS))), (2, 0));
}
