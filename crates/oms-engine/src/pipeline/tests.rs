use super::*;
use oms_model::Code;
use oms_model::event::{OrderCreated, OrderRejected, RiskChecked, RouteDecided};

const ORDER: OrderId = OrderId::from_u128(7);

fn batch(events: Vec<Event>) -> Batch {
    Batch { first_seq: Seq(10), events, ..Batch::default() }
}

fn created() -> Event {
    Event::OrderCreated(Box::new(OrderCreated { order_id: ORDER, root_order_id: ORDER, ..OrderCreated::default() }))
}

fn refused(by: EndedBy) -> Event {
    Event::OrderRejected(OrderRejected { order_id: ORDER, by, code: Code::ValidationError, text: "no".into() })
}

fn outcomes(events: Vec<Event>) -> Vec<(TaskOutcome, Option<u64>)> {
    results(&batch(events), ORDER).into_iter().map(|result| (result.outcome, result.seq.map(|seq| seq.0))).collect()
}

use TaskOutcome::{Failed, Passed, Skipped};

#[test]
fn each_task_points_at_the_event_that_says_it() {
    let checked = Event::RiskChecked(Box::new(RiskChecked { order_id: ORDER, ..RiskChecked::default() }));
    let routed = Event::RouteDecided(Box::new(RouteDecided { order_id: ORDER, attempt: 1, ..RouteDecided::default() }));
    let at = |seq| (Passed, Some(seq));
    assert_eq!(outcomes(vec![created(), checked, routed]), [at(10), at(10), at(10), at(10), at(11), at(12), at(12), at(12)]);
}

#[test]
fn what_comes_after_a_refusal_is_skipped_and_the_record_is_made_all_the_same() {
    let by_validation = outcomes(vec![created(), refused(EndedBy::Validation)]);
    let (passed, skipped) = (|seq| (Passed, Some(seq)), (Skipped, None));
    assert_eq!(by_validation[..4], [passed(10), (Failed, Some(11)), skipped, passed(10)]);
    assert_eq!(by_validation[4..], [skipped, skipped, passed(11), passed(11)]);
    let by_rules = outcomes(vec![created(), refused(EndedBy::Rules)]);
    assert_eq!(by_rules[1..6], [passed(10), (Failed, Some(11)), passed(10), skipped, skipped]);
}

#[test]
fn an_order_that_waits_is_not_routed_and_one_of_another_batch_has_no_tasks() {
    let checked = Event::RiskChecked(Box::new(RiskChecked { order_id: ORDER, ..RiskChecked::default() }));
    assert_eq!(outcomes(vec![created(), checked])[5], (Skipped, None));
    assert_eq!(results(&batch(vec![refused(EndedBy::Risk)]), ORDER), []);
}
