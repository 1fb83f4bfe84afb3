//! Many clients at once: one half follows orders of one instrument over WebSockets, the other the log's cancels as event
//! streams. Memory of each, processor time, and the time from an event to its arrival; beside them, where that is asked for,
//! one that asks for everything and reads nothing.

use crate::load::{Load, place};
use crate::served::{Durable, Served, processor_time, resident};
use crate::socket::Socket;
use hdrhistogram::Histogram;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Orders that there are before.
const ORDERS: u64 = 20_000;
/// How long a client waits for something before it looks whether it is to end.
const LOOK: Duration = Duration::from_millis(200);

/// What the clients have in common.
struct Shared {
    durable: Arc<Durable>,
    measuring: AtomicBool,
    done: AtomicBool,
    open: AtomicUsize,
}

pub fn run(dir: &Path, clients: usize, rate: u64, seconds: u64, stalled: bool) {
    let served = Served::start(dir);
    let handle = served.handle().clone();
    let reading = tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("clients").enable_all().build().unwrap();
    reading.block_on(place(&handle, ORDERS));
    served.caught_up();
    let (durable, clock) = Durable::follow(&handle, (rate * (seconds + 60) * 2) as usize);
    let flag = || AtomicBool::new(false);
    let shared = Arc::new(Shared { durable, measuring: flag(), done: flag(), open: AtomicUsize::new(0) });
    let before = resident();
    let mut tasks = Vec::new();
    for number in 0..clients {
        let (shared, address, key) = (shared.clone(), served.address, served.key.clone());
        tasks.push(reading.spawn(async move {
            if number % 2 == 0 { socket(address, &key, &shared).await } else { stream(address, &key, &shared).await }
        }));
    }
    while shared.open.load(Ordering::Relaxed) < clients {
        std::thread::sleep(Duration::from_millis(5));
    }
    let open = resident();
    // It never reads; that it is still connected is its business.
    let deaf = stalled.then(|| reading.block_on(asks_for_everything(served.address, &served.key)));
    let load = Load::start(&handle, ORDERS, rate);
    std::thread::sleep(Duration::from_secs(3));
    let (times, events, since) = (processor_time(), load.events.load(Ordering::Relaxed), Instant::now());
    shared.measuring.store(true, Ordering::Relaxed);
    std::thread::sleep(Duration::from_secs(seconds));
    shared.measuring.store(false, Ordering::Relaxed);
    let (took, after, loaded) = (since.elapsed().as_secs_f64(), processor_time(), resident());
    let events = (load.events.load(Ordering::Relaxed) - events) as f64 / took;
    shared.done.store(true, Ordering::Relaxed);
    let mut all = [Histogram::<u64>::new(3).unwrap(), Histogram::<u64>::new(3).unwrap()];
    reading.block_on(async {
        for (number, task) in tasks.into_iter().enumerate() {
            all[number % 2].add(task.await.unwrap()).unwrap();
        }
    });
    drop(deaf);
    load.end();
    shared.durable.stop();
    clock.join().unwrap();
    for (what, seen) in ["WebSockets", "event streams"].iter().zip(&all) {
        let ms = |q: f64| seen.value_at_quantile(q) as f64 / 1e6;
        let each = seen.len() as f64 / took / (clients as f64 / 2.0);
        println!(
            "{what}: p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms from the event to the client; {each:.1} arrivals/s at each",
            ms(0.5),
            ms(0.99),
            ms(0.999)
        );
    }
    let share = |name: &str| (after.get(name).unwrap_or(&0.0) - times.get(name).unwrap_or(&0.0)) / took * 100.0;
    println!("{clients} clients, {events:.0} events/s over {took:.0} s{}", if stalled { ", and one that reads nothing" } else { "" });
    println!("of one core: interface {:.0} %; beside it clients {:.0} %", share("api"), share("clients"));
    // Both ends are in this process.
    println!(
        "memory: {} kB for each open client, both ends; {} MB in all under load",
        (open - before) / 1_024 / clients as u64,
        loaded >> 20
    );
    served.end();
}

impl Shared {
    fn record(&self, seen: &mut Histogram<u64>, seq: Option<u64>) {
        let now = self.durable.now();
        if let Some(since) = seq.filter(|_| self.measuring.load(Ordering::Relaxed)).and_then(|seq| self.durable.since(seq, now)) {
            seen.record(since.max(1)).unwrap();
        }
    }

    fn is_done(&self) -> bool {
        self.done.load(Ordering::Relaxed)
    }
}

/// A WebSocket that follows the orders of one instrument, of which there are few.
async fn socket(address: SocketAddr, key: &str, shared: &Shared) -> Histogram<u64> {
    let mut socket = Socket::open(address, key).await;
    socket.send(r#"{"id":"1","op":"subscribe","topic":"orders","filter":{"symbol":"ABC"}}"#).await;
    let answer: Value = serde_json::from_slice(&socket.next().await).unwrap();
    assert_eq!(answer["status"], 200, "{answer}");
    shared.open.fetch_add(1, Ordering::Relaxed);
    let mut seen = Histogram::new(3).unwrap();
    while !shared.is_done() {
        let Ok(message) = timeout(LOOK, socket.next()).await else { continue };
        let message: Value = serde_json::from_slice(&message).unwrap();
        if message["type"] == "delta" {
            shared.record(&mut seen, message["sequence"].as_u64());
        }
    }
    seen
}

async fn ask(address: SocketAddr, key: &str, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: desk\r\nX-API-Key: {key}\r\nAccept: text/event-stream\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// A stream of one kind of event.
async fn stream(address: SocketAddr, key: &str, shared: &Shared) -> Histogram<u64> {
    let mut stream = ask(address, key, "/api/v1/events/stream?types=OrderCancelRequested").await;
    let (mut text, mut seen, mut begun) = (Vec::new(), Histogram::new(3).unwrap(), false);
    while !shared.is_done() {
        let Ok(read) = timeout(LOOK, stream.read_buf(&mut text)).await else { continue };
        assert!(read.unwrap() > 0, "the stream ended");
        if !begun {
            assert!(text.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&text));
            (begun, _) = (true, shared.open.fetch_add(1, Ordering::Relaxed));
        }
        let complete = text.windows(2).rposition(|two| two == b"\n\n").map_or(0, |at| at + 2);
        for line in text[..complete].split(|byte| *byte == b'\n') {
            let seq = std::str::from_utf8(line).ok().and_then(|line| line.strip_prefix("id: ")?.trim().parse().ok());
            shared.record(&mut seen, seq);
        }
        text.drain(..complete);
    }
    seen
}

/// A stream of everything from the beginning, and a socket of all orders; nobody reads either.
async fn asks_for_everything(address: SocketAddr, key: &str) -> (TcpStream, Socket) {
    let stream = ask(address, key, "/api/v1/events/stream?from=1").await;
    let mut socket = Socket::open(address, key).await;
    socket.send(r#"{"id":"1","op":"subscribe","topic":"orders","from":1}"#).await;
    (stream, socket)
}
