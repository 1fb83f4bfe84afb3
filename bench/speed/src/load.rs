//! Orders that come, are acknowledged, filled in parts and canceled, at so many events a second.

use crate::world;
use oms_model::command::{Command, OrderRef};
use oms_model::event::Event;
use oms_model::report::{Report, ReportBody, VenueFill};
use oms_model::{ExecId, IntentKind, Mic, OrderId, Seq, TraceId};
use oms_runtime::port::ReportSink as _;
use oms_runtime::{Handle, Request};
use oms_testkit::fixture::{OPEN, actor, dec};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Legs that are known to work at most; the others are left alone.
const MAX_LEGS: usize = 100_000;

/// A leg at a venue, with its client order.
#[derive(Clone, Copy)]
struct Leg {
    root: OrderId,
    leg: OrderId,
    venue: Mic,
    accepted: bool,
    fills: u32,
}

/// Places orders until there are so many, many at a time.
pub async fn place(handle: &Handle, orders: u64) {
    let began = Instant::now();
    let mut number = 0;
    while number < orders {
        let mut some = tokio::task::JoinSet::new();
        for _ in 0..256.min(orders - number) {
            number += 1;
            let (handle, request) = (handle.clone(), world::order(number));
            some.spawn(async move { handle.execute(request).await.unwrap() });
        }
        some.join_all().await;
    }
    println!("{orders} orders placed in {:.1} s", began.elapsed().as_secs_f64());
}

/// Drives a log.
pub struct Load {
    pub events: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Load {
    /// Begins: numbers of orders from `next` on, so many events a second.
    pub fn start(handle: &Handle, next: u64, rate: u64) -> Self {
        let (events, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let mut driver = Driver { handle: handle.clone(), legs: known(handle), next, turn: 0, seen: handle.durable() };
        let (told, ended) = (events.clone(), stop.clone());
        let thread = std::thread::Builder::new().name("load".into()).spawn(move || {
            let (began, first) = (Instant::now(), driver.handle.durable().0);
            let mut steps = 0_u64;
            while !ended.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(2));
                let made = driver.handle.durable().0 - first;
                told.store(made, Ordering::Relaxed);
                let due = began.elapsed().as_micros() as u64 * rate / 1_000_000;
                // What a step led to on the average says how many more there may be.
                let each = if steps < 50 { 6 } else { (made / steps).max(1) };
                while steps * each < due && steps * each < made + rate / 10 {
                    driver.step();
                    steps += 1;
                }
            }
        });
        Self { events, stop, thread: thread.unwrap() }
    }

    pub fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
    }
}

/// Legs that were sent, of the last orders of the log.
fn known(handle: &Handle) -> Vec<Leg> {
    let mut legs = Vec::new();
    let mut follower = handle.feed().follow(Seq(handle.durable().0.saturating_sub(1_000_000)));
    while let Some(batch) = follower.try_next().unwrap() {
        learn(&batch, &mut legs);
    }
    legs
}

fn learn(batch: &oms_model::Batch, legs: &mut Vec<Leg>) {
    let Some(root) = batch.events.iter().find_map(|event| match event {
        Event::OrderCreated(created) if created.parent_order_id.is_none() => Some(created.order_id),
        _ => None,
    }) else {
        return;
    };
    for event in &batch.events {
        if let Event::OrderSent(sent) = event
            && sent.intent == IntentKind::New
            && legs.len() < MAX_LEGS
        {
            legs.push(Leg { root, leg: sent.order_id, venue: sent.venue, accepted: false, fills: 0 });
        }
    }
}

struct Driver {
    handle: Handle,
    legs: Vec<Leg>,
    next: u64,
    turn: u64,
    seen: Seq,
}

impl Driver {
    fn step(&mut self) {
        self.turn += 1;
        if self.turn.is_multiple_of(256) {
            let mut follower = self.handle.feed().follow(self.seen);
            while let Some(batch) = follower.try_next().unwrap() {
                self.seen = batch.last_seq();
                learn(&batch, &mut self.legs);
            }
        }
        match self.turn % 4 {
            0 => {
                self.next += 1;
                // The answer is not waited for.
                drop(self.handle.submit(world::order(self.next)).unwrap());
            }
            1 | 2 => self.at_venue(),
            _ => self.cancel(),
        }
    }

    fn pick(&self) -> Option<usize> {
        let spread = self.turn.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        (!self.legs.is_empty()).then(|| spread as usize % self.legs.len())
    }

    fn at_venue(&mut self) {
        let Some(at) = self.pick() else { return };
        let leg = &mut self.legs[at];
        let wire_id = oms_model::WireId::derive(leg.leg, 0);
        let body = if leg.accepted {
            leg.fills += 1;
            let exec_id = ExecId::new(&format!("{wire_id}-{}", leg.fills)).unwrap();
            let fill = VenueFill { exec_id, last_qty: dec("1"), last_px: dec("19.10"), ..VenueFill::default() };
            ReportBody::Fill { wire_id, fill }
        } else {
            leg.accepted = true;
            ReportBody::Accepted { wire_id, broker_order_id: None }
        };
        let (venue, done) = (leg.venue, leg.fills >= 12);
        self.handle.report(Report { venue, transact_time: OPEN, body }).unwrap();
        if done {
            self.legs.swap_remove(at);
        }
    }

    fn cancel(&mut self) {
        // Every other time: a cancel leads to fewer events than it takes orders away.
        let Some(at) = self.pick().filter(|_| self.turn % 8 == 3) else { return self.at_venue() };
        let leg = self.legs.swap_remove(at);
        let command = Command::CancelOrder { order: OrderRef::Id(leg.root), if_version: None };
        drop(self.handle.submit(Request { actor: actor(), trace_id: TraceId::default(), idempotency: None, command }).unwrap());
        let body = ReportBody::Canceled { wire_id: oms_model::WireId::derive(leg.leg, 1), text: "asked for".into() };
        self.handle.report(Report { venue: leg.venue, transact_time: OPEN, body }).unwrap();
    }
}
