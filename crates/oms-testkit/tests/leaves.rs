//! Overrides and scheduled limits where scenarios do not reach: batches, snapshots, files beside schedules.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use oms_engine::Output;
use oms_engine::input::InputBody;
use oms_model::command::{Actor, Command, CommandOutcome, NewOrder, OrderRef, Placed, RiskCommand};
use oms_model::event::Event;
use oms_model::limit::{Check, LimitType, RiskLimit};
use oms_model::overrides::OverrideState;
use oms_model::{Code, OverrideId, Side};
use oms_runtime::snapshot;
use oms_testkit::fixture::{Desk, OTHER_USER, VENUES, actor, dec, limit_order};

const SECOND: i64 = 1_000_000_000;

/// A desk with a limit of 100 for one order, and leave for one of 150.
fn desk() -> (Desk, OverrideId) {
    let mut desk = Desk::new();
    desk.quote("XYZ", VENUES[1], Some((dec("20"), dec("300"))), Some((dec("20.02"), dec("300"))));
    desk.command(Command::SetRiskLimit(limit(LimitType::MaxOrderQty, "100")));
    desk.command(Command::CreateOrder(Box::new(large("A1", None))));
    let command = RiskCommand::GrantOverride {
        order: OrderRef::ClOrdId("A1".parse().unwrap()),
        check: Check::OrderQty,
        reason: "block".into(),
        life_s: 60,
    };
    let output = as_other(&mut desk, command);
    let granted = output.batch.events.iter().find_map(|event| match event {
        Event::OverrideGranted(granted) => Some(granted.override_id),
        _ => None,
    });
    (desk, granted.unwrap())
}

fn limit(limit_type: LimitType, value: &str) -> RiskLimit {
    RiskLimit { limit_type, value: dec(value), ..RiskLimit::default() }
}

fn large(id: &str, leave: Option<OverrideId>) -> NewOrder {
    let mut order = limit_order(id, Side::Buy, "150", "XYZ", "20");
    order.compliance.override_ids.extend(leave);
    order
}

fn as_other(desk: &mut Desk, command: RiskCommand) -> Output {
    let command = Command::Risk(Box::new(command));
    desk.input(Actor { user_id: OTHER_USER, ..actor() }, InputBody::Command { command, idempotency: None })
}

fn codes(output: &Output) -> Vec<Option<Code>> {
    let Some(CommandOutcome::Orders(placed)) = &output.outcome else { panic!("{:?}", output.outcome) };
    let code = |placed: &Placed| match placed {
        Placed::Accepted { .. } => None,
        Placed::Refused { code, .. } => Some(*code),
        Placed::Invalid(refusal) => Some(refusal.code),
    };
    placed.iter().map(code).collect()
}

#[test]
fn two_orders_of_a_batch_do_not_share_a_leave() {
    let orders = |leave| vec![large("B1", Some(leave)), large("B2", Some(leave))];
    let (mut desk, leave) = desk();
    let output = desk.command(Command::CreateOrders { orders: orders(leave), atomic: true });
    let Some(CommandOutcome::Refused(refusal)) = &output.outcome else { panic!("{:?}", output.outcome) };
    assert_eq!((refusal.code, output.batch.events.len()), (Code::BatchRefused, 0), "{refusal}");
    assert!(refusal.message.starts_with("order 1 of the batch"), "{refusal}");
    let output = desk.command(Command::CreateOrders { orders: orders(leave), atomic: false });
    assert_eq!(codes(&output), [None, Some(Code::RiskLimitBreach)]);
}

#[test]
fn a_preview_shows_it_and_uses_nothing() {
    let (mut desk, leave) = desk();
    let context = oms_engine::Context { now: desk.now, markets: &desk.markets };
    let preview = desk.engine.preview(&actor(), &large("P1", Some(leave)), &context);
    assert_eq!(preview.refusal, None);
    assert_eq!(desk.engine.state().risk().override_of(leave).unwrap().state, OverrideState::Active);
}

#[test]
fn an_order_names_a_bounded_number_and_the_system_grants_nothing() {
    let (mut desk, leave) = desk();
    let mut order = large("B1", None);
    order.compliance.override_ids = vec![leave; 9];
    assert_eq!(codes(&desk.command(Command::CreateOrder(Box::new(order)))), [Some(Code::ValidationError)]);
    let command = RiskCommand::ConsentOverride { override_id: leave };
    let system = Actor { source: oms_model::Source::System, ..actor() };
    let output = desk.input(system, InputBody::Command { command: Command::Risk(Box::new(command)), idempotency: None });
    assert!(matches!(output.outcome, Some(CommandOutcome::Refused(refusal)) if refusal.code == Code::SecondPersonNeeded));
}

/// What a snapshot holds goes on as if nothing had happened: used stays used, and what is due comes when it is due.
#[test]
fn a_snapshot_keeps_leaves_and_schedules() {
    let (mut desk, leave) = desk();
    desk.command(Command::CreateOrder(Box::new(large("B1", Some(leave)))));
    let schedule = |value: &str, from: i64, until: i64, now: oms_model::Time| RiskCommand::ScheduleLimit {
        limit: limit(LimitType::MaxOpenOrders, value),
        from: (from > 0).then(|| now.plus(from * SECOND)),
        until: Some(now.plus(until * SECOND)),
    };
    let now = desk.now;
    as_other(&mut desk, schedule("7", 0, 10, now));
    as_other(&mut desk, schedule("8", 20, 30, now));
    let bytes = snapshot::encode(desk.engine.state());
    let restored = snapshot::decode(&bytes).unwrap();
    assert_eq!(snapshot::encode(&restored), bytes);
    desk.engine = oms_engine::Engine::new(restored, oms_engine::Config::default());
    assert_eq!(codes(&desk.command(Command::CreateOrder(Box::new(large("B2", Some(leave)))))), [Some(Code::RiskLimitBreach)]);
    let open_orders = |desk: &Desk| desk.engine.state().risk().limit(LimitType::MaxOpenOrders, oms_model::limit::Scope::Tenant);
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(open_orders(&desk).map(|limit| (limit.value, limit.version)));
        desk.advance(10 * SECOND);
    }
    assert_eq!(seen, [Some((dec("7"), 1)), None, Some((dec("8"), 2)), None]);
    desk.advance(20 * SECOND);
    assert_eq!(desk.engine.state().risk().overrides().count(), 0, "its time is over");
}

/// A file takes part in the rule that what somebody changes meanwhile stays.
#[test]
fn what_a_file_says_outlives_a_schedule() {
    let (mut desk, _) = desk();
    let until = desk.now.plus(10 * SECOND);
    as_other(&mut desk, RiskCommand::ScheduleLimit { limit: limit(LimitType::MaxOrderQty, "500"), from: None, until: Some(until) });
    let file = |value: &str| RiskCommand::ImportLimits {
        limits: vec![limit(LimitType::MaxOrderQty, value)],
        replace_all: true,
        if_revision: None,
    };
    let output = as_other(&mut desk, file("300"));
    assert_eq!(output.batch.events.len(), 2, "{:?}", output.batch.events);
    let outputs = desk.advance(10 * SECOND);
    let moved = outputs.iter().flat_map(|output| &output.batch.events).find_map(|event| match event {
        Event::LimitScheduleMoved(moved) => Some(moved.text.clone()),
        _ => None,
    });
    assert!(moved.unwrap().contains("changed meanwhile and stays"));
    let value = desk.engine.state().risk().limit(LimitType::MaxOrderQty, oms_model::limit::Scope::Tenant).map(|limit| limit.value);
    assert_eq!(value, Some(dec("300")));
    // A file that changes nothing says so, and nothing more.
    assert_eq!(as_other(&mut desk, file("300")).batch.events.len(), 1);
    let huge = vec![limit(LimitType::MaxOrderQty, "1"); oms_model::command::MAX_IMPORT + 1];
    let output = as_other(&mut desk, RiskCommand::ImportLimits { limits: huge, replace_all: false, if_revision: None });
    assert!(matches!(output.outcome, Some(CommandOutcome::Refused(refusal)) if refusal.code == Code::ValidationError));
}
