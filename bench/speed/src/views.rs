//! Views of many orders while they change: processor time, bytes of each view, and the time from an event to its frame.
//!
//! Every client is a WebSocket with a key, as a screen is. A frame is the state at its sequence, so a row in it shows every
//! event of its order up to there: each of them that the frame before did not show counts, from when it was durable.

use crate::load::{Load, place};
use crate::served::{Durable, Served, processor_time, resident};
use crate::socket::Socket;
use hdrhistogram::Histogram;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const FILTERS: [&str; 10] = [
    "{}",
    r#"{"state__in":"NEW,UNACK,LIVE,PARTIALLY_FILLED"}"#,
    r#"{"state__in":"FILLED,CANCELED,REJECTED,EXPIRED,CLOSED"}"#,
    r#"{"symbol":"XYZ","side":"BUY"}"#,
    r#"{"order_qty__gte":"25"}"#,
    r#"{"price__between":"19.30,19.60"}"#,
    r#"{"cum_qty__gt":"0"}"#,
    r#"{"ord_status":"LIVE"}"#,
    r#"{"leaves_qty__lt":"10","order_qty__gt":"5"}"#,
    r#"{"price__lt":"19.20"}"#,
];
const SORTS: [&str; 5] = ["-created_at", "-updated_at", "price,-order_qty", "symbol,-leaves_qty", "-cum_qty,created_at"];
const COLUMNS: &str = r#"["order_id","created_at","ord_status","side","symbol","ord_type","order_qty","price","cum_qty","leaves_qty","avg_px","time_in_force","updated_at","version","last_seq"]"#;
/// Where `last_seq` stands among the columns.
const LAST_SEQ: u64 = 14;
/// Rows of a window: a screen and what is prefetched of it.
const ROWS: usize = 40;

/// Said now and then: a client of which nothing is heard is dropped.
const PING: &str = r#"{"id":"2","op":"ping"}"#;
const SPEAK: Duration = Duration::from_secs(5);

/// What one client saw.
struct Seen {
    latencies: Histogram<u64>,
    bytes: u64,
    frames: u64,
}

pub fn run(dir: &Path, orders: u64, views: usize, rate: u64, seconds: u64) {
    let served = Served::start(dir);
    let handle = served.handle().clone();
    let reading = tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("clients").enable_all().build().unwrap();
    reading.block_on(place(&handle, orders));
    served.caught_up();
    let before = resident();
    let load = Load::start(&handle, orders, rate);
    let (durable, clock) = Durable::follow(&handle, (rate * (seconds + 120) * 2) as usize);
    let measuring = Arc::new(AtomicBool::new(false));
    let (done, begun) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (mut clients, began) = (Vec::new(), Instant::now());
    for number in 0..views {
        let (filter, sort) = (FILTERS[number % FILTERS.len()], SORTS[number / FILTERS.len() % SORTS.len()]);
        let (measuring, done, durable, begun) = (measuring.clone(), done.clone(), durable.clone(), begun.clone());
        let (address, key) = (served.address, served.key.clone());
        clients.push(reading.spawn(async move {
            let mut socket = Socket::open(address, &key).await;
            let asked = format!(
                r#"{{"id":"1","op":"view.open","table":"orders","filter":{filter},"sort":"{sort}","columns":{COLUMNS},"size":{ROWS}}}"#
            );
            socket.send(&asked).await;
            let answer: Value = serde_json::from_slice(&socket.next().await).unwrap();
            assert_eq!(answer["status"], 200, "{answer}");
            // Heartbeats come while the orders are read; who answers none of them is taken for gone.
            loop {
                let message: Value = serde_json::from_slice(&socket.next().await).unwrap();
                match message["type"].as_str() {
                    Some("snapshot") => break,
                    Some("heartbeat") => socket.send(PING).await,
                    _ => (),
                }
            }
            begun.fetch_add(1, Ordering::Relaxed);
            watch(socket, &durable, &measuring, &done).await
        }));
    }
    while begun.load(Ordering::Relaxed) < views {
        std::thread::sleep(Duration::from_millis(5));
    }
    println!("{views} views have their first rows after {:.2} s", began.elapsed().as_secs_f64());
    // Every index is there; what opening them held up has passed.
    std::thread::sleep(Duration::from_secs(3));
    let (times, events, since) = (processor_time(), load.events.load(Ordering::Relaxed), Instant::now());
    measuring.store(true, Ordering::Relaxed);
    std::thread::sleep(Duration::from_secs(seconds));
    measuring.store(false, Ordering::Relaxed);
    let (took, after) = (since.elapsed().as_secs_f64(), processor_time());
    let events = (load.events.load(Ordering::Relaxed) - events) as f64 / took;
    let with_views = resident();
    done.store(true, Ordering::Relaxed);
    let seen: Vec<Seen> = reading.block_on(async {
        let mut seen = Vec::new();
        for client in clients {
            seen.push(client.await.unwrap());
        }
        seen
    });
    load.end();
    durable.stop();
    clock.join().unwrap();
    report(&seen, took);
    let share = |name: &str| (after.get(name).unwrap_or(&0.0) - times.get(name).unwrap_or(&0.0)) / took * 100.0;
    println!("{orders} orders, {views} views, {events:.0} events/s over {took:.0} s");
    println!(
        "of one core: views {:.1} %, interface {:.1} %; beside them clients {:.1} %, all threads: {}",
        share("oms-blotter"),
        share("api"),
        share("clients"),
        after.keys().map(|name| format!("{name} {:.0}", share(name))).collect::<Vec<_>>().join(", ")
    );
    println!("memory: {} MB before the views, {} MB with them", before >> 20, with_views >> 20);
    served.end();
}

async fn watch(mut socket: Socket, durable: &Durable, measuring: &AtomicBool, done: &AtomicBool) -> Seen {
    let mut seen = Seen { latencies: Histogram::new(3).unwrap(), bytes: 0, frames: 0 };
    let (mut told, mut spoke) = (u64::MAX, Instant::now());
    socket.send(PING).await;
    while !done.load(Ordering::Relaxed) {
        if spoke.elapsed() > SPEAK {
            socket.send(PING).await;
            spoke = Instant::now();
        }
        let bytes = socket.bytes;
        let message = socket.next().await;
        let now = durable.now();
        let frame: Value = serde_json::from_slice(&message).unwrap();
        let Some(sequence) = frame["sequence"].as_u64().filter(|_| frame["subscription"] == 1) else { continue };
        let counts = measuring.load(Ordering::Relaxed);
        if counts {
            seen.bytes += socket.bytes - bytes;
            seen.frames += 1;
        }
        let whole = frame["rows"].as_array().into_iter().flatten().filter_map(|row| row[LAST_SEQ as usize + 1].as_u64());
        let partly = frame["cells"].as_array().into_iter().flatten().filter_map(|cells| {
            let cells = cells.as_array()?;
            cells[1..].chunks(2).find(|pair| pair[0] == LAST_SEQ).and_then(|pair| pair[1].as_u64())
        });
        for mut seq in whole.chain(partly) {
            while seq > told && counts {
                if let Some(since) = durable.since(seq, now) {
                    seen.latencies.record(since.max(1)).unwrap();
                }
                seq = durable.before(seq);
            }
        }
        told = sequence;
    }
    seen
}

fn report(seen: &[Seen], took: f64) {
    let mut all = Histogram::<u64>::new(3).unwrap();
    seen.iter().for_each(|one| all.add(&one.latencies).unwrap());
    let ms = |q: f64| all.value_at_quantile(q) as f64 / 1e6;
    println!(
        "from an event to its frame: p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms; {} events shown",
        ms(0.5),
        ms(0.95),
        ms(0.99),
        all.len()
    );
    let mut rates: Vec<f64> = seen.iter().map(|one| one.bytes as f64 / took / 1e3).collect();
    rates.sort_by(f64::total_cmp);
    let frames: u64 = seen.iter().map(|one| one.frames).sum();
    println!(
        "bytes of a view: mean {:.1} kB/s, most {:.1} kB/s; {:.1} frames/s",
        rates.iter().sum::<f64>() / rates.len() as f64,
        rates[rates.len() - 1],
        frames as f64 / took / seen.len() as f64
    );
}
