use super::*;
use oms_model::event::{Candidate, Exclusion, Filled, Leg, OrderCreated, OrderRejected, OrderSent, OrderStateSynced};
use oms_model::limit::{Check, CheckResult, Verdict};
use oms_model::{Code, IntentKind};

const ROOT: OrderId = OrderId::from_u128(1);
const LEG: OrderId = OrderId::from_u128(2);
const XNAS: Mic = Mic::of(b"XNAS");

fn batch(events: Vec<Event>) -> Batch {
    Batch { first_seq: Seq(10), time: Time(1_700_000_000_000_000_000), events, ..Batch::default() }
}

fn created(order_id: OrderId, parent: Option<OrderId>) -> Event {
    Event::OrderCreated(Box::new(OrderCreated {
        order_id,
        parent_order_id: parent,
        root_order_id: ROOT,
        order_qty: "100".parse().unwrap(),
        venue: parent.map(|_| XNAS),
        ..OrderCreated::default()
    }))
}

fn page(batch: &Batch) -> Why {
    let mut why = Why::new(ROOT);
    for (seq, event) in batch.numbered() {
        why.add(seq, batch, event);
    }
    why
}

fn routed() -> Batch {
    let fill = |order_id| {
        Event::OrderFilled(Filled {
            order_id,
            last_qty: "100".parse().unwrap(),
            last_px: "20.5".parse().unwrap(),
            last_notional: "2050".parse().unwrap(),
            ..Filled::default()
        })
    };
    let route = RouteDecided {
        order_id: ROOT,
        attempt: 1,
        candidates: vec![
            Candidate { venue: XNAS, score: 912_300, ..Candidate::default() },
            Candidate { venue: Mic::of(b"XBOS"), excluded: Some(Exclusion::StaleQuote), ..Candidate::default() },
        ],
        legs: vec![Leg { order_id: LEG, venue: XNAS, qty: "100".parse().unwrap(), ..Leg::default() }],
        place_qty: "100".parse().unwrap(),
        ..RouteDecided::default()
    };
    let results = vec![CheckResult {
        check: Check::OrderQty,
        value: Some("100".parse().unwrap()),
        limit: Some("500".parse().unwrap()),
        ..CheckResult::default()
    }];
    batch(vec![
        created(ROOT, None),
        Event::RiskChecked(Box::new(RiskChecked { order_id: ROOT, results, ..RiskChecked::default() })),
        Event::RouteDecided(Box::new(route)),
        created(LEG, Some(ROOT)),
        Event::OrderSent(OrderSent { order_id: LEG, intent: IntentKind::New, venue: XNAS, ..OrderSent::default() }),
        Event::OrderStateSynced(OrderStateSynced { order_id: ROOT, state: OrdState::Unack, place_qty: "100".parse().unwrap() }),
        fill(LEG),
        fill(ROOT),
    ])
}

#[test]
fn a_filled_order_shows_checks_scores_exclusions_and_quantities() {
    let why = page(&routed());
    let text = text::render(&why, &Catalog::default());
    for expected in [
        "Validation: passed",
        "ORDER_QTY",
        "0.9123",
        "left out: STALE_QUOTE",
        "-> XNAS 100",
        "NEW released to XNAS",
        "FILLED: 100 of 100 executed at 20.5",
    ] {
        assert!(text.contains(expected), "{expected} in\n{text}");
    }
    let document: serde_json::Value = serde_json::from_slice(&json(&why, &Catalog::default())).unwrap();
    assert_eq!(document.pointer("/checks/0/results/0/limit").unwrap(), "500");
    assert_eq!(document.pointer("/routes/0/candidates/1/excluded").unwrap(), "STALE_QUOTE");
    assert_eq!(document.pointer("/routes/0/candidates/0/score").unwrap(), "0.9123");
    assert_eq!(document.pointer("/legs/0/order/cum_qty").unwrap(), "100");
    let last = document.pointer("/timeline/7").unwrap();
    assert_eq!((last.pointer("/sequence").unwrap(), last.pointer("/leaves_qty").unwrap()), (&17.into(), &"0".into()));
}

#[test]
fn a_refused_order_shows_the_failed_check() {
    let failed =
        CheckResult { check: Check::OrderQty, verdict: Verdict::Fail, code: Some(Code::RiskLimitBreach), ..CheckResult::default() };
    let until = Some(oms_model::Time(1_700_000_000_000_000_000));
    let waits = CheckResult { check: Check::MarketHours, verdict: Verdict::Hold, until, ..CheckResult::default() };
    let rejected = OrderRejected { order_id: ROOT, by: EndedBy::Risk, code: Code::RiskLimitBreach, text: "too large".into() };
    let why = page(&batch(vec![
        created(ROOT, None),
        Event::RiskChecked(Box::new(RiskChecked { order_id: ROOT, results: vec![waits, failed], ..RiskChecked::default() })),
        Event::OrderRejected(rejected),
    ]));
    let text = text::render(&why, &Catalog::default());
    assert!(text.contains("FAIL           ORDER_QTY"), "{text}");
    let opening = text
        .lines()
        .find(|line| line.contains("HOLD           MARKET_HOURS"))
        .is_some_and(|line| line.ends_with("until 2023-11-14T22:13:20.000000000Z"));
    assert!(opening, "{text}");
    assert!(text.contains("REJECTED: 0 of 100 executed; ended by RISK (RISK_LIMIT_BREACH): too large"), "{text}");
}

#[test]
fn an_invalid_order_says_so() {
    let rejected = OrderRejected { order_id: ROOT, by: EndedBy::Validation, code: Code::ValidationError, text: "needs a price".into() };
    let why = page(&batch(vec![created(ROOT, None), Event::OrderRejected(rejected)]));
    assert!(text::render(&why, &Catalog::default()).contains("Validation: refused with VALIDATION_ERROR at sequence 11: needs a price"));
    let document: serde_json::Value = serde_json::from_slice(&json(&why, &Catalog::default())).unwrap();
    assert_eq!(document.pointer("/validation/passed").unwrap(), false);
}
