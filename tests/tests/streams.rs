//! Many clients of the streams at once: market data while the market runs at a hundred times its speed, and the
//! events for clients that come and go, and for one that takes nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use oms_e2e::http::{Client, Connection, request};
use oms_e2e::load::{Load, SYMBOLS};
use oms_e2e::prng::Prng;
use oms_e2e::server::{Home, Launch, Server};
use oms_e2e::sse::Stream;
use oms_e2e::{nanos, now, setting, until};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What one client of market data saw.
#[derive(Default)]
struct Seen {
    updates: usize,
    versions: BTreeMap<String, u64>,
    latencies: Vec<i128>,
}

/// Takes in one update; versions of a symbol only grow.
fn take(seen: &mut Seen, data: &serde_json::Value) {
    let symbol = data["symbol"].as_str().unwrap().to_owned();
    let version = data["version"].as_u64().unwrap();
    if let Some(before) = seen.versions.insert(symbol, version) {
        assert!(version > before, "{data} after version {before}");
        if let Some(at) = data["updated_at"].as_str() {
            seen.latencies.push(now() - nanos(at));
        }
    }
    seen.updates += 1;
}

#[test]
fn a_hundred_clients_follow_a_fast_market_and_a_stalled_one_holds_nobody_up() {
    let clients = usize::try_from(setting("OMS_STREAMS", 100)).unwrap();
    let each = usize::try_from(setting("OMS_UPDATES", 150)).unwrap();
    let home = Home::new("market");
    let server = Server::start(home.path(), &Launch::default().speed("100x"));
    // It asks for everything and takes nothing.
    let mut stalled = Connection::open(server.address()).unwrap();
    stalled.send(&request("GET", "/api/v1/marketdata/stream", &[("X-API-Key", server.key())], None)).unwrap();
    assert_eq!(stalled.head().unwrap().0, 200);

    let done = Arc::new(AtomicUsize::new(0));
    let follow = |number: usize| {
        let path = if number.is_multiple_of(4) {
            format!("/marketdata/stream?symbols={}", SYMBOLS[number % 3])
        } else {
            "/marketdata/stream".to_owned()
        };
        let mut stream = Stream::open(server.address(), server.key(), &path, None).unwrap();
        let done = done.clone();
        std::thread::spawn(move || {
            let mut seen = Seen::default();
            while seen.updates < each {
                let event = stream.expect();
                assert_eq!(event.kind, "quote");
                take(&mut seen, &event.json());
            }
            done.fetch_add(1, Ordering::Relaxed);
            seen
        })
    };
    let began = Instant::now();
    let threads: Vec<_> = (0..clients).map(follow).collect();
    // Orders are answered meanwhile.
    let mut client = server.client();
    let mut slowest = Duration::ZERO;
    let mut placed = 0;
    while done.load(Ordering::Relaxed) < clients && threads.iter().any(|thread| !thread.is_finished()) {
        let asked = Instant::now();
        let order =
            json!({"symbol": "BAC", "side": "BUY", "ord_type": "LIMIT", "order_qty": (100 + placed % 500).to_string(), "price": "13.10"});
        let reply = client.post("/orders", &[], &order);
        assert!([201, 422].contains(&reply.status), "{}", reply.text());
        slowest = slowest.max(asked.elapsed());
        placed += 1;
    }
    let seen: Vec<Seen> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let took = began.elapsed();
    let mut latencies: Vec<i128> = seen.iter().flat_map(|seen| seen.latencies.iter().copied()).collect();
    latencies.sort_unstable();
    let at = |share: usize| latencies[(latencies.len() - 1) * share / 1_000] as f64 / 1e6;
    let updates: usize = seen.iter().map(|seen| seen.updates).sum();
    println!(
        "{clients} clients, {updates} updates in {took:.1?}; from the market to the client p50 {:.2} ms, p95 {:.2} ms, p99 {:.2} ms; \
         {placed} orders meanwhile, the slowest answer {slowest:.0?}; {} ticks",
        at(500),
        at(950),
        at(990),
        client.metric("oms_ticks_total"),
    );
    assert!(at(500) < 1_000.0, "half of all updates are there within a second, whatever else the machine does");

    // The stalled one is still served when it reads again: never backwards, and up to the present.
    let symbol = SYMBOLS[1];
    let present = client.read(&format!("/marketdata/last/{symbol}"))["version"].as_u64().unwrap();
    let mut seen = Seen::default();
    let mut text = String::new();
    until("the stalled client to reach the present", || {
        let chunk = stalled.chunk().map_err(|error| error.to_string())?.ok_or("the end")?;
        text.push_str(std::str::from_utf8(&chunk).unwrap());
        while let Some(end) = text.find("\n\n") {
            if let Some(data) = text[..end].lines().find_map(|line| line.strip_prefix("data: ")) {
                take(&mut seen, &serde_json::from_str(data).unwrap());
            }
            text.drain(..end + 2);
        }
        let version = seen.versions.get(symbol).copied().unwrap_or(0);
        if version >= present { Ok(()) } else { Err(format!("version {version} of {present}")) }
    });
    server.stop();
}

#[test]
fn a_client_that_comes_and_goes_sees_each_event_once() {
    let home = Home::new("events");
    let server = Server::start(home.path(), &Launch::default());
    let load = Load::start(&server, 2, "events", 11);
    let wanted = 400;
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..8_u64)
            .map(|number| {
                let (address, key, over) = (server.address(), server.key(), &over);
                scope.spawn(move || come_and_go(address, key, number, over))
            })
            .collect();
        load.until(wanted);
        let seen = load.finish();
        over.store(true, Ordering::Relaxed);
        assert!(seen.iter().map(|seen| seen.acks.len()).sum::<usize>() + 20 >= wanted / 2, "the load was answered");
        let logs: Vec<Vec<u64>> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
        let all = logs[0].len();
        assert!(logs.iter().all(|log| log.len() + 50 >= all), "all readers got as far");
    });
    server.stop();
}

/// Reads a few events, goes away, comes back where it was. Answers what it saw, when the load is over and the end reached.
fn come_and_go(address: SocketAddr, key: &str, number: u64, over: &AtomicBool) -> Vec<u64> {
    let mut prng = Prng::new(number);
    let mut client = Client::new(address, key);
    let mut after = 0;
    let mut digest = Vec::new();
    loop {
        let last = over.load(Ordering::Relaxed);
        let durable = client.durable();
        let mut stream = Stream::open(address, key, "/events/stream", Some(after)).unwrap();
        let upto = if last { durable } else { durable.min(after + 1 + prng.below(400) as u64) };
        while after < upto {
            let event = stream.expect();
            assert_eq!(event.id, Some(after + 1), "each once, without a gap");
            after += 1;
            digest.push(after);
        }
        if last {
            return digest;
        }
    }
}

/// A client that takes nothing for longer than it may is told where to go on, and loses nothing by it.
#[test]
fn a_client_too_slow_for_the_events_is_sent_away_with_its_place() {
    let home = Home::new("slow");
    let server = Server::start(home.path(), &Launch::default().with("OMS_LOG_FILTER", "warn"));
    let mut client = server.client();
    let mut slow = Stream::open(server.address(), server.key(), "/events/stream?from=1", None).unwrap();
    // More than all buffers on the way hold.
    let megabytes = 24;
    fill(&mut client, megabytes << 20);
    let upto = client.durable();
    // It is the server's bound (10 s) that is waited for: the stream must have ended by then, whether it is read or not.
    let stopped = Instant::now();
    let mut seen = 0;
    let mut sent_away = None;
    let mut others = Stream::open(server.address(), server.key(), "/events/stream", Some(upto - 1)).unwrap();
    until("the bound on slow clients", || {
        assert_eq!(client.get("/health/ready").status, 200);
        if stopped.elapsed() > Duration::from_secs(12) { Ok(()) } else { Err("not yet".to_owned()) }
    });
    assert_eq!(others.expect().id, Some(upto), "others are served");
    slow.patience(Duration::from_secs(20)).unwrap();
    loop {
        match slow.read() {
            Ok(Some(event)) if event.kind == "disconnected" => {
                sent_away = event.json()["last_event_id"].as_u64();
                break;
            }
            Ok(Some(event)) => {
                assert_eq!(event.id, Some(seen + 1));
                seen += 1;
            }
            Ok(None) => break,
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof) => break,
            Err(error) => panic!("the slow client is neither served nor sent away: {error}, at {seen} of {upto}"),
        }
        if seen == upto {
            break;
        }
    }
    assert!(seen < upto, "it was sent away");
    assert_eq!(sent_away.unwrap_or(seen), seen, "it is told its place");
    let mut again = Stream::open(server.address(), server.key(), "/events/stream", Some(seen)).unwrap();
    while seen < upto {
        seen += 1;
        assert_eq!(again.expect().id, Some(seen), "it goes on without a gap");
    }
    server.stop();
}

/// A client that never reads again must not keep its place among the streams for ever.
#[test]
fn a_client_that_never_reads_again_gives_its_place_back() {
    let home = Home::new("stalled");
    let server = Server::start(home.path(), &Launch::default().with("OMS_LOG_FILTER", "warn"));
    let mut client = server.client();
    let stalled = Stream::open(server.address(), server.key(), "/events/stream?from=1", None).unwrap();
    assert_eq!(client.metric("oms_streams"), 1);
    fill(&mut client, 24 << 20);
    until("its place to be free", || match client.metric("oms_streams") {
        0 => Ok(()),
        streams => Err(format!("{streams} streams")),
    });
    drop(stalled);
    server.stop();
}

/// Writes about this many bytes of events.
fn fill(client: &mut Client, bytes: usize) {
    // About 700 bytes an event, and the metadata that an order carries is not shown in it; ten events an order.
    let orders = bytes / 7_000;
    let order = |number: usize| json!({"symbol": "BAC", "side": "BUY", "ord_type": "LIMIT", "order_qty": (1 + number % 900).to_string(), "price": "13.20", "time_in_force": "GTC"});
    for batch in 0..orders / 100 + 1 {
        let items: Vec<_> = (0..100).map(|nth| order(batch * 100 + nth)).collect();
        let reply = client.post("/orders/batch", &[], &json!({"orders": items}));
        assert_eq!(reply.status, 200, "{:.300}", reply.text());
    }
}
