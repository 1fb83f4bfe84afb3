//! A kill switch under load: how fast the gate closes, and how long until nothing works any more.
//!
//! Real log, real gateway, venues that answer at once. Orders come at a rate, 50,000 of them work, and then the tenant's
//! kill switch is engaged.

use crate::world;
use oms_model::command::{Command, CommandOutcome, Placed};
use oms_model::event::Event;
use oms_model::limit::Scope;
use oms_model::report::{Report, ReportBody};
use oms_model::{BrokerOrderId, Mic, Time, TraceId, WireId};
use oms_runtime::port::{Answer, Handed, ReportSink, VenueOrder, VenuePort, WireCancel, WireOrder, WireReplace};
use oms_runtime::{Clock, Handle, MarketBook, Request, gateway};
use oms_store::EmbeddedJournal;
use oms_testkit::fixture::{OPEN, actor};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The market's morning, and the real time that has passed since.
struct Morning(Instant);

impl Clock for Morning {
    fn now(&self) -> Time {
        OPEN.plus(self.0.elapsed().as_nanos() as i64)
    }
}

/// When venues were handed something last, nanoseconds since the beginning, and how often.
struct Seen {
    began: Instant,
    last_new: AtomicU64,
    last_cancel: AtomicU64,
    cancels: AtomicU64,
}

impl Seen {
    fn now(&self) -> u64 {
        self.began.elapsed().as_nanos() as u64
    }
}

/// A venue that takes everything and answers at once.
struct Prompt {
    venue: Mic,
    handle: Handle,
    seen: Arc<Seen>,
}

impl Prompt {
    fn tell(&self, body: ReportBody) -> Handed {
        let report = Report { venue: self.venue, transact_time: OPEN, body };
        if self.handle.report(report).is_ok() { Handed::Over } else { Handed::Unknown("the desk has stopped".into()) }
    }
}

impl VenuePort for Prompt {
    fn venue(&self) -> Mic {
        self.venue
    }
    fn send(&mut self, order: &WireOrder) -> Handed {
        self.seen.last_new.fetch_max(self.seen.now(), Ordering::Relaxed);
        let broker_order_id = BrokerOrderId::new(order.wire_id.as_str()).ok();
        self.tell(ReportBody::Accepted { wire_id: order.wire_id.clone(), broker_order_id })
    }
    fn cancel(&mut self, request: &WireCancel) -> Handed {
        self.seen.last_cancel.fetch_max(self.seen.now(), Ordering::Relaxed);
        self.seen.cancels.fetch_add(1, Ordering::Relaxed);
        self.tell(ReportBody::Canceled { wire_id: request.wire_id.clone(), text: "asked for".into() })
    }
    fn replace(&mut self, _: &WireReplace) -> Handed {
        panic!("nothing is replaced here")
    }
    fn query(&mut self, _: &WireId) -> Answer<Option<VenueOrder>> {
        Answer::Complete(None)
    }
    fn open_orders(&mut self) -> Answer<Vec<VenueOrder>> {
        Answer::Complete(Vec::new())
    }
    fn executions_since(&mut self, _: Time) -> Answer<Vec<(WireId, Time, oms_model::report::VenueFill)>> {
        Answer::Complete(Vec::new())
    }
}

pub fn run(dir: &Path, working: u64, rate: u64) {
    let began = Instant::now();
    let clock: Arc<dyn Clock> = Arc::new(Morning(began));
    let journal = EmbeddedJournal::open_dir(&dir.join("log"), oms_store::Config::default()).unwrap();
    let partition = world::with_clock(Box::new(journal), Arc::new(MarketBook::new()), false, clock.clone());
    let handle = partition.handle().clone();
    let seen = Arc::new(Seen { began, last_new: AtomicU64::new(0), last_cancel: AtomicU64::new(0), cancels: AtomicU64::new(0) });
    let ports = world::VENUES
        .iter()
        .map(|code| Box::new(Prompt { venue: Mic::of(code), handle: handle.clone(), seen: seen.clone() }) as Box<dyn VenuePort>)
        .collect();
    drop(gateway::start(&handle, ports, &clock, partition.telemetry(), partition.kill_epoch()).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    runtime.block_on(measure(handle, seen, working, rate));
}

async fn measure(handle: Handle, seen: Arc<Seen>, working: u64, rate: u64) {
    let next = AtomicU64::new(0);
    // The book that is to be swept, 64 orders at a time.
    while next.load(Ordering::Relaxed) < working {
        let mut some = tokio::task::JoinSet::new();
        for _ in 0..64 {
            let (handle, request) = (handle.clone(), world::order(next.fetch_add(1, Ordering::Relaxed)));
            some.spawn(async move { handle.execute(request).await });
        }
        while let Some(answer) = some.join_next().await {
            assert!(accepted(&answer.unwrap().unwrap().outcome));
        }
    }
    let open = handle.inspect(|state, _| state.open_roots()).await.unwrap();
    let mut follower = handle.feed().follow(handle.durable());

    // Orders at a rate; the switch is engaged in the middle of them.
    let (sender, mut answers) = tokio::sync::mpsc::unbounded_channel();
    let (load, first) = (handle.clone(), next.load(Ordering::Relaxed));
    let loading = tokio::spawn(async move {
        let start = Instant::now();
        for number in 0..2 * rate {
            tokio::time::sleep_until((start + Duration::from_nanos(number * 1_000_000_000 / rate)).into()).await;
            let (handle, sender) = (load.clone(), sender.clone());
            tokio::spawn(async move {
                let answer = handle.execute(world::order(first + number)).await.unwrap();
                // Where nobody listens the figures are made already.
                let _told = sender.send(accepted(&answer.outcome));
            });
        }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let command = Command::EngageKillSwitch { scope: Scope::Tenant, reason: "under load".into() };
    let asked = seen.now();
    let answer = handle.execute(Request { actor: actor(), trace_id: TraceId::default(), idempotency: None, command }).await.unwrap();
    let durable = seen.now();
    assert_eq!(answer.outcome, CommandOutcome::Done);

    // The log says what was accepted behind the switch, and when the last order was gone.
    let kill_seq = answer.batch.last_seq();
    let (mut behind, confirmed) = (
        0,
        loop {
            let batch = follower.next().await.unwrap();
            if batch.events.iter().any(|event| matches!(event, Event::KillSwitchConfirmed(_))) {
                break seen.now();
            }
        },
    );
    loading.await.unwrap();
    let (mut taken, mut refused) = (0_u64, 0_u64);
    while let Some(accepted) = answers.recv().await {
        if accepted { taken += 1 } else { refused += 1 }
    }
    let mut again = handle.feed().follow(kill_seq);
    while let Some(batch) = again.try_next().unwrap() {
        behind += batch.events.iter().filter(|event| matches!(event, Event::RiskChecked(e) if e.worst_price.is_some())).count();
    }
    let ms = |at: u64| (at as f64 - durable as f64) / 1e6;
    println!("{open} orders worked, {rate} orders/s came; {taken} taken before, {refused} refused after");
    println!("kill switch durable {:.3} ms after it was asked for", (durable - asked) as f64 / 1e6);
    println!(
        "accepted behind it: {behind}; last new order handed over {:.3} ms after it was durable",
        ms(seen.last_new.load(Ordering::Relaxed))
    );
    println!(
        "{} cancels; last handed over {:.0} ms after",
        seen.cancels.load(Ordering::Relaxed),
        ms(seen.last_cancel.load(Ordering::Relaxed))
    );
    println!("confirmed that nothing works: {:.0} ms after", ms(confirmed));
    assert_eq!(behind, 0, "nothing passes the gate behind the switch");
    std::process::exit(0);
}

fn accepted(outcome: &CommandOutcome) -> bool {
    match outcome {
        CommandOutcome::Orders(placed) => matches!(placed[..], [Placed::Accepted { .. }]),
        other => panic!("{other:?}"),
    }
}
