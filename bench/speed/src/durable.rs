//! Orders in process: decided, made durable, answered.

use crate::{raw, world};
use hdrhistogram::Histogram;
use oms_model::command::{CommandOutcome, Placed};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub fn run(dir: &Path, outstanding: usize, seconds: u64) {
    let partition = world::partition(&dir.join("log"), false);
    let handle = partition.handle().clone();
    let telemetry = partition.telemetry().clone();
    let next = Arc::new(AtomicU64::new(0));
    let latencies = Arc::new(Mutex::new(Histogram::<u64>::new(3).unwrap()));
    let events_before = telemetry.events.get();
    let began = Instant::now();
    let until = began + Duration::from_secs(seconds);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..outstanding {
            let (handle, next, latencies) = (handle.clone(), next.clone(), latencies.clone());
            tasks.spawn(async move {
                let mut own = Histogram::<u64>::new(3).unwrap();
                while Instant::now() < until {
                    let request = world::order(next.fetch_add(1, Ordering::Relaxed));
                    let sent = Instant::now();
                    let answer = handle.execute(request).await.unwrap();
                    own.record(sent.elapsed().as_nanos() as u64).unwrap();
                    let CommandOutcome::Orders(placed) = answer.outcome else { panic!("an order") };
                    assert!(matches!(placed[0], Placed::Accepted { .. }), "{placed:?}");
                }
                latencies.lock().unwrap().add(own).unwrap();
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    });
    let took = began.elapsed().as_secs_f64();
    let orders = next.load(Ordering::Relaxed);
    let each = bytes_each(&handle);
    let latencies = latencies.lock().unwrap();
    let us = |q: f64| latencies.value_at_quantile(q) as f64 / 1e3;
    let rate = orders as f64 / took;
    println!(
        "in process, {outstanding} outstanding: {rate:.0} orders/s durable, p50 {:.0} us, p99 {:.0} us, p99.9 {:.0} us",
        us(0.5),
        us(0.99),
        us(0.999)
    );
    println!(
        "events/s {:.0}; groups {}; bytes of log for each order {each}",
        (telemetry.events.get() - events_before) as f64 / took,
        telemetry.groups.get()
    );
    let batch = 64;
    let raw::Writes { count, p50, p99 } = raw::writes(dir, batch * each, Duration::from_secs(2));
    let floor = count as f64 * batch as f64 / 2.0;
    println!("raw O_DSYNC appends of {batch} orders' bytes: {floor:.0} orders/s, p50 {p50:.0} us, p99 {p99:.0} us for each write");
    println!("ratio {:.2}", rate / floor);
}

/// Bytes of log for each order: the mean over the last orders of the log, with the entry's header.
fn bytes_each(handle: &oms_runtime::Handle) -> usize {
    const HEADER: usize = 128;
    let mut follower = handle.feed().follow(oms_model::Seq(handle.durable().0.saturating_sub(700)));
    let (mut bytes, mut orders) = (Vec::new(), 0);
    while let Some(batch) = follower.try_next().unwrap() {
        oms_store::codec::encode_batch(&batch, &mut bytes);
        orders += 1;
    }
    bytes.len() / orders + HEADER
}
