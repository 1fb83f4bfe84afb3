//! Ticks of a market to many streams at once: from the tick to its arrival at each client.
//!
//! A client that is sent a later state of an instrument has every tick up to it, so each tick counts once for each client,
//! also where several became one update.

use crate::served::Served;
use crate::world;
use hdrhistogram::Histogram;
use oms_model::{InstrumentId, Mic};
use oms_runtime::port::MarketSink;
use oms_runtime::{Clock, MarketBook, SystemClock};
use oms_testkit::fixture::dec;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The instruments of the world.
const SYMBOLS: [&str; 2] = ["XYZ", "ABC"];

/// When each version of each instrument's market was made, nanoseconds since the beginning; 0: not yet.
struct Made {
    began: Instant,
    first: [u64; SYMBOLS.len()],
    at: [Vec<AtomicU64>; SYMBOLS.len()],
}

impl Made {
    fn now(&self) -> u64 {
        self.began.elapsed().as_nanos() as u64
    }

    fn slot(&self, instrument: usize, version: u64) -> Option<&AtomicU64> {
        self.at[instrument].get(version.checked_sub(self.first[instrument] + 1)? as usize)
    }
}

pub fn run(dir: &Path, clients: usize, rate: u64, seconds: u64) {
    let served = Served::start(dir);
    let (market, address, key) = (served.market.clone(), served.address, served.key.clone());
    let total = rate * seconds;
    let versions = |_| (0..total).map(|_| AtomicU64::new(0)).collect();
    let first = [0, 1].map(|at| market.version(InstrumentId(at)));
    let made = Arc::new(Made { began: Instant::now(), first, at: [0, 1].map(versions) });
    let reading = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (latencies, updates) = reading.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..clients {
            let stream = open(address, &key).await;
            tasks.spawn(follow(stream, made.clone()));
        }
        let ticking = (market, made.clone());
        let ticks = std::thread::spawn(move || tick(&ticking.0, &ticking.1, rate, total));
        let (mut all, mut updates) = (Histogram::<u64>::new(3).unwrap(), 0);
        while let Some(done) = tasks.join_next().await {
            let (own, seen) = done.unwrap();
            all.add(own).unwrap();
            updates += seen;
        }
        ticks.join().unwrap();
        (all, updates)
    });
    let ms = |q: f64| latencies.value_at_quantile(q) as f64 / 1e6;
    println!(
        "{rate} ticks/s to {clients} streams: p50 {:.2} ms, p95 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms from the tick to the client; {} arrivals in {updates} updates",
        ms(0.5),
        ms(0.95),
        ms(0.99),
        ms(0.999),
        latencies.len(),
    );
    served.end();
}

/// Ticks on schedule, each to the next venue, side and instrument.
fn tick(market: &MarketBook, made: &Made, rate: u64, total: u64) {
    let began = Instant::now();
    for n in 0..total {
        let due = Duration::from_nanos(n * 1_000_000_000 / rate);
        // Several that are due go out together, as from a feed that is read in packets.
        if let Some(early) = due.checked_sub(began.elapsed()) {
            std::thread::sleep(early);
        }
        let at = n as usize % SYMBOLS.len();
        let instrument = InstrumentId(at as u32);
        let venue = Mic::of(world::VENUES[n as usize / 4 % world::VENUES.len()]);
        let version = market.version(instrument) + 1;
        made.slot(at, version).unwrap().store(made.now().max(1), Ordering::Release);
        let is_bid = n / 2 % 2 == 0;
        let price = if is_bid { dec("20.00") } else { dec("20.02") };
        market.quote(instrument, venue, is_bid, Some((price, dec("500"))), SystemClock.now());
    }
}

/// A stream that has begun, with what was read of it.
async fn open(address: SocketAddr, key: &str) -> (TcpStream, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("GET /api/v1/marketdata/stream HTTP/1.1\r\nHost: desk\r\nX-API-Key: {key}\r\nAccept: text/event-stream\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = Vec::new();
    while !text.windows(2).any(|two| two == b"\n\n") {
        assert!(stream.read_buf(&mut text).await.unwrap() > 0, "the stream ended");
    }
    (stream, text)
}

/// Reads until the last tick of every instrument has arrived. Latencies of all ticks, and how many updates brought them.
async fn follow((mut stream, mut text): (TcpStream, Vec<u8>), made: Arc<Made>) -> (Histogram<u64>, u64) {
    let mut own = Histogram::<u64>::new(3).unwrap();
    let mut updates = 0;
    let each = made.at[0].len() as u64 / SYMBOLS.len() as u64;
    let mut seen = made.first;
    while seen != made.first.map(|first| first + each) {
        assert!(stream.read_buf(&mut text).await.unwrap() > 0, "the stream ended");
        let now = made.now();
        let complete = text.windows(2).rposition(|two| two == b"\n\n").map_or(0, |at| at + 2);
        for (at, version) in text[..complete].split(|byte| *byte == b'\n').filter_map(update) {
            updates += 1;
            for version in seen[at] + 1..=version {
                let since = made.slot(at, version).unwrap().load(Ordering::Acquire);
                assert!(since > 0, "a tick arrived before it was made");
                own.record(now.saturating_sub(since).max(1)).unwrap();
            }
            seen[at] = seen[at].max(version);
        }
        text.drain(..complete);
    }
    (own, updates)
}

/// The instrument and version of one line of data.
fn update(line: &[u8]) -> Option<(usize, u64)> {
    let line = std::str::from_utf8(line).ok()?.strip_prefix("data: ")?;
    let data: serde_json::Value = serde_json::from_str(line).ok()?;
    let at = SYMBOLS.iter().position(|symbol| data["symbol"] == *symbol)?;
    Some((at, data["version"].as_u64()?))
}
