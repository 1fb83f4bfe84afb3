//! How long a restart takes.

use crate::world;
use oms_store::{Config, EmbeddedJournal, Journal, OpenCheck};
use std::path::Path;
use std::time::Instant;

pub fn run(dir: &Path, millions: u64) {
    let log = dir.join("log");
    fill(&log, millions * 1_000_000);
    let opened = Instant::now();
    let journal = EmbeddedJournal::open_dir(&log, Config { check: OpenCheck::Tail, ..Config::default() }).unwrap();
    println!("opening: {:.3} s", opened.elapsed().as_secs_f64());
    let (state, report) = oms_runtime::recovery::recover(&journal).unwrap();
    let per_million = report.took.as_secs_f64() / (report.events as f64 / 1e6);
    println!(
        "without snapshot: {} events, {} open orders in {:.3} s; {per_million:.3} s for each million events",
        report.events,
        state.open_roots(),
        report.took.as_secs_f64()
    );
    drop(journal);
    let stopped = world::partition(&log, true).stop().unwrap();
    assert_eq!(stopped.snapshot_failed, None);
    let orders = stopped.engine.state().order_count();
    drop(stopped);
    let journal = EmbeddedJournal::open_dir(&log, Config { check: OpenCheck::Tail, ..Config::default() }).unwrap();
    let events = journal.tip().last_seq;
    let (_, report) = oms_runtime::recovery::recover(&journal).unwrap();
    assert!(report.snapshot_seq > 0, "{report:?}");
    let per_million = report.took.as_secs_f64() / (events as f64 / 1e6);
    println!(
        "with snapshot ({orders} orders in it, {} events behind it): {:.3} s; {per_million:.3} s for each million events of the log",
        report.events,
        report.took.as_secs_f64()
    );
}

fn fill(log: &Path, events: u64) {
    let partition = world::partition(log, false);
    let handle = partition.handle().clone();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut number = 0;
        while handle.durable().0 < events {
            let mut waiting = tokio::task::JoinSet::new();
            for _ in 0..256 {
                number += 1;
                let (handle, request) = (handle.clone(), world::order(number));
                waiting.spawn(async move { handle.execute(request).await.unwrap() });
            }
            waiting.join_all().await;
        }
    });
    drop(partition.stop());
}
