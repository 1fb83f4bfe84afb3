//! A partition over a real log in a folder: what is answered is durable, what was durable is there after a restart.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use oms_engine::input::IdempotencyKey;
use oms_model::command::{Command, CommandOutcome, OrderRef, Placed};
use oms_model::report::{Report, ReportBody};
use oms_model::{Code, Event, OrdState, OrdType, OrderId, Side, Time, TraceId, WireId};
use oms_runtime::port::{MarketSink, ReportSink};
use oms_runtime::{Clock, Config, MarketBook, Partition, Request, snapshot, start};
use oms_store::EmbeddedJournal;
use oms_testkit::fixture::{OPEN, VENUES, actor, dec, limit_order, setup};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Time {
        Time(self.0.fetch_add(1_000, Ordering::SeqCst))
    }
}

fn open(dir: &Path, snapshot_on_stop: bool) -> (Partition, Arc<MarketBook>) {
    let config = oms_store::Config { segment_bytes: 1 << 20, ..oms_store::Config::default() };
    let journal = EmbeddedJournal::open_dir(dir, config).unwrap();
    let market = Arc::new(MarketBook::new());
    let clock = Arc::new(TestClock(AtomicI64::new(OPEN.0)));
    let config = Config { snapshot_on_stop, ..Config::default() };
    let partition = start(Box::new(journal), config, clock, market.clone(), Box::new(|fault| panic!("{fault}"))).unwrap();
    (partition, market)
}

fn run(partition: &Partition, command: Command, key: Option<u128>) -> oms_runtime::Answer {
    let idempotency = key.map(|key| IdempotencyKey { key, fingerprint: [7; 32] });
    let request = Request { actor: actor(), trace_id: TraceId::default(), idempotency, command };
    partition.handle().execute_blocking(request).unwrap()
}

fn set_up(partition: &Partition, market: &MarketBook) {
    for command in setup() {
        assert_eq!(run(partition, command, None).outcome, CommandOutcome::Done);
    }
    let id = partition.handle().inspect_blocking(|state, _| state.instruments()[0].instrument_id).unwrap();
    for venue in VENUES {
        partition.handle().report(Report { venue, transact_time: OPEN, body: ReportBody::SessionUp }).unwrap();
        market.quote(id, venue, true, Some((dec("20.00"), dec("100"))), OPEN);
        market.quote(id, venue, false, Some((dec("20.02"), dec("100"))), OPEN);
    }
}

fn place(partition: &Partition, id: &str, key: Option<u128>) -> oms_runtime::Answer {
    run(partition, Command::CreateOrder(Box::new(limit_order(id, Side::Buy, "100", "XYZ", "20.00"))), key)
}

fn placed(answer: &oms_runtime::Answer) -> OrderId {
    match &answer.outcome {
        CommandOutcome::Orders(placed) => match placed[0] {
            Placed::Accepted { order_id } => order_id,
            ref other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn hash(partition: &Partition) -> [u8; 32] {
    partition.handle().inspect_blocking(|state, _| snapshot::state_hash(state)).unwrap()
}

#[test]
fn an_answer_survives_a_restart_and_is_given_again() {
    for snapshot_on_stop in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let (partition, market) = open(dir.path(), snapshot_on_stop);
        set_up(&partition, &market);
        let first = place(&partition, "A1", Some(99));
        let order_id = placed(&first);
        let again = place(&partition, "A1", Some(99));
        assert!(again.replayed && !first.replayed);
        assert_eq!((again.outcome, again.batch), (first.outcome.clone(), first.batch.clone()));
        let before = hash(&partition);
        let stopped = partition.stop().unwrap();
        assert_eq!(stopped.snapshot_failed, None);
        drop(stopped);

        let (partition, _market) = open(dir.path(), snapshot_on_stop);
        assert_eq!(partition.recovery().snapshot_seq > 0, snapshot_on_stop);
        assert_ne!(before, hash(&partition), "the restart itself is in the log");
        let again = place(&partition, "A1", Some(99));
        assert!(again.replayed);
        assert_eq!((again.outcome, again.batch), (first.outcome, first.batch));
        let leg = partition
            .handle()
            .inspect_blocking(move |state, _| state.children(state.order(order_id).unwrap()).next().unwrap().order.clone());
        let leg = leg.unwrap();
        assert_eq!(leg.state, OrdState::Unack);
        assert!(leg.extras.doubt.is_some(), "what was not answered before the restart is in doubt");
        let dup = place(&partition, "A1", None);
        assert!(
            matches!(&dup.outcome, CommandOutcome::Orders(placed) if matches!(&placed[0], Placed::Invalid(r) if r.code == Code::DuplicateClOrdId))
        );
        let report = ReportBody::Accepted { wire_id: WireId::derive(leg.order_id, 0), broker_order_id: None };
        partition.handle().report(Report { venue: leg.venue.unwrap(), transact_time: OPEN, body: report }).unwrap();
        let live = partition.handle().inspect_blocking(move |state, _| state.order(order_id).unwrap().state).unwrap();
        assert_eq!(live, OrdState::Live);
    }
}

#[test]
fn the_log_replays_to_the_live_state_hash() {
    let dir = tempfile::tempdir().unwrap();
    let (partition, market) = open(dir.path(), false);
    set_up(&partition, &market);
    for n in 0..200 {
        let order_id = placed(&place(&partition, &format!("A{n}"), Some(n)));
        if n % 3 == 0 {
            run(&partition, Command::CancelOrder { order: OrderRef::Id(order_id), if_version: None }, None);
        }
    }
    let live = hash(&partition);
    let journal = partition.stop().unwrap().journal;
    let (state, events) = oms_runtime::recovery::fold(journal.reader().as_mut(), oms_engine::State::default(), None).unwrap();
    assert_eq!(events, journal.tip().last_seq);
    assert_eq!(snapshot::state_hash(&state), live);
    let restored = snapshot::decode(&snapshot::encode(&state)).unwrap();
    assert_eq!(restored.parts(), state.parts());
}

#[test]
fn another_payload_under_the_same_key_is_refused_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (partition, market) = open(dir.path(), false);
    set_up(&partition, &market);
    place(&partition, "A1", Some(5));
    let before = hash(&partition);
    let idempotency = Some(IdempotencyKey { key: 5, fingerprint: [8; 32] });
    let command = Command::CreateOrder(Box::new(limit_order("A2", Side::Buy, "100", "XYZ", "20.00")));
    let request = Request { actor: actor(), trace_id: TraceId::default(), idempotency, command };
    let answer = partition.handle().execute_blocking(request).unwrap();
    assert!(matches!(answer.outcome, CommandOutcome::Refused(refusal) if refusal.code == Code::IdempotencyConflict));
    assert_eq!(before, hash(&partition));
}

/// However many ticks come, the loop is told once; it looks at the book and triggers what is due.
#[test]
fn a_market_that_is_watched_triggers_a_stop_that_is_held_here() {
    let dir = tempfile::tempdir().unwrap();
    let (partition, market) = open(dir.path(), false);
    set_up(&partition, &market);
    let mut stop = limit_order("S1", Side::Sell, "100", "XYZ", "20.00");
    (stop.ord_type, stop.price, stop.stop_px) = (OrdType::Stop, None, Some(dec("19.50")));
    stop.instructions.emulate = true;
    let order_id = placed(&run(&partition, Command::CreateOrder(Box::new(stop)), None));
    let id = partition.handle().inspect_blocking(|state, _| state.watched().next().unwrap()).unwrap();
    let mut log = partition.handle().feed().follow(partition.handle().durable());
    for last in ["19.90", "19.70", "19.51", "19.40"] {
        market.trade(id, None, dec(last), dec("100"), OPEN);
    }
    let triggered = loop {
        let batch = log.next_timeout(Duration::from_secs(30)).unwrap().expect("the stop is triggered");
        let found = batch.events.iter().find_map(|event| match event {
            Event::OrderTriggered(e) => Some(*e),
            _ => None,
        });
        if let Some(triggered) = found {
            break triggered;
        }
    };
    assert_eq!((triggered.order_id, triggered.seen_px), (order_id, Some(dec("19.40"))));
    let watched = partition.handle().inspect_blocking(|state, _| state.watched().count()).unwrap();
    assert_eq!(watched, 0, "nothing is watched any more");
}
