//! A scripted day, ended at every write that makes something durable: before the write, after it but before anybody
//! learns of it, and with the write failing.
//!
//! `OMS_BOUNDARIES` sets how many writes lie between two that are tried: 11 by default, 1 or `all` for every one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use oms_e2e::audit::{self, Audit};
use oms_e2e::http::Client;
use oms_e2e::load::{Ack, Ask, text_of};
use oms_e2e::prng::Prng;
use oms_e2e::server::{Home, Launch, Process, Server};
use oms_e2e::strace::{self, Effect, Point, Tracer, was_killed};
use oms_e2e::until;
use oms_model::Price;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The most writes that the scripted day may take.
const MOST: usize = 2_000;

fn launch() -> Launch {
    Launch::default().speed("1x").with("OMS_JOURNAL_SEGMENT_MIB", "1").with("OMS_LOG_FILTER", "warn")
}

/// Every how many writes one is tried.
fn step() -> usize {
    match std::env::var("OMS_BOUNDARIES").as_deref() {
        Err(_) => 11,
        Ok("all") => 1,
        Ok(step) => step.parse().expect("OMS_BOUNDARIES is a number or \"all\""),
    }
}

/// The day: about thirty requests, the same ones each time. Prices are those of the evening before.
struct Day {
    home: Home,
    /// (bid, ask) of IBM in cents.
    market: (i64, i64),
}

impl Day {
    /// A desk with a past: some orders that rest, some that were filled.
    fn new() -> Self {
        let home = Home::new("day");
        let server = Server::start(home.path(), &launch());
        let mut client = server.client();
        let cents = |market: &Value, side: &str| market[side].as_str().map(|text| text.parse::<Price>().unwrap().raw() / 10_000_000);
        let market = until("a market", || {
            let market = client.read("/marketdata/last/IBM");
            cents(&market, "bid").zip(cents(&market, "ask")).ok_or_else(|| market.to_string())
        });
        let day = Self { home, market };
        until("fresh quotes", || {
            let preview = client
                .post("/orders/preview", &[], &json!({"symbol": "IBM", "side": "BUY", "ord_type": "MARKET", "order_qty": "500"}))
                .json();
            if preview["accepted"] == true { Ok(()) } else { Err(preview.to_string()) }
        });
        for (number, ask) in day.requests("eve").into_iter().enumerate().take(12) {
            let reply = ask.send(&mut client).unwrap();
            assert!(reply.status < 500, "request {number}: {}", reply.text());
        }
        Audit::default().balance(&server, day.home.path());
        server.stop();
        day
    }

    fn requests(&self, name: &str) -> Vec<Ask> {
        let (bid, ask) = self.market;
        let mut asks = Vec::new();
        let mut number = 0;
        let mut add = |path: &str, body: &Value, wait: bool| {
            number += 1;
            let mut ask = Ask::new(path, &format!("{name}-{number}"), body);
            if wait {
                ask.headers.push(("Prefer".to_owned(), "wait=2".to_owned()));
            }
            asks.push(ask);
        };
        let order = |id: &str, side: &str, price: i64, qty: u32| json!({"symbol": "IBM", "side": side, "ord_type": "LIMIT", "order_qty": qty.to_string(), "price": text_of(price), "cl_ord_id": format!("{name}.{id}")});
        let mut swept = order("swept", "BUY", ask + 30, 500);
        swept["routing"] = json!({"policy": "sweep"});
        let mut split = order("split", "BUY", bid - 400, 800);
        split["routing"] = json!({"policy": "split"});
        let market = json!({"symbol": "BAC", "side": "SELL_SHORT", "ord_type": "MARKET", "order_qty": "300", "time_in_force": "IOC", "cl_ord_id": format!("{name}.market")});
        add("/orders", &order("a", "BUY", bid - 300, 100), true);
        add("/orders", &swept, true);
        add("/orders", &split, false);
        add("/orders", &order("b", "BUY", bid - 301, 200), true);
        add(&format!("/orders/cl_ord_id:{name}.a/modify"), &json!({"order_qty": "150"}), true);
        add(&format!("/orders/cl_ord_id:{name}.b/cancel"), &json!({}), true);
        add("/orders", &order("refused", "BUY", bid * 2, 100), false);
        add("/orders", &market, true);
        add(
            "/orders/batch",
            &json!({"atomic": true, "orders": [order("c", "BUY", bid - 310, 10), order("d", "BUY", bid - 311, 11)]}),
            false,
        );
        add("/orders/batch", &json!({"atomic": true, "orders": [order("e", "BUY", bid - 310, 12), order("f", "BUY", bid * 2, 13)]}), false);
        add(
            "/orders/batch",
            &json!({"atomic": false, "orders": [order("g", "BUY", bid - 312, 14), order("h", "BUY", bid * 2, 15)]}),
            false,
        );
        add(&format!("/orders/cl_ord_id:{name}.split/cancel"), &json!({}), false);
        add("/orders", &order("i", "SELL_SHORT", ask + 350, 120), false);
        add("/orders", &order("j", "SELL_SHORT", bid - 20, 130), true);
        add(&format!("/orders/cl_ord_id:{name}.i/modify"), &json!({"price": text_of(ask + 360)}), false);
        add(&format!("/orders/cl_ord_id:{name}.i/cancel"), &json!({}), false);
        add(&format!("/orders/cl_ord_id:{name}.nobody/cancel"), &json!({}), false);
        add("/risk/kill-switch/engage", &json!({"scope": "INSTRUMENT:AIG", "reason": "a drill"}), false);
        add(
            "/orders",
            &json!({"symbol": "AIG", "side": "BUY", "ord_type": "MARKET", "order_qty": "10", "cl_ord_id": format!("{name}.killed")}),
            false,
        );
        add("/risk/kill-switch/release", &json!({"scope": "INSTRUMENT:AIG", "reason": "over"}), false);
        for n in 0..6 {
            add(
                "/orders",
                &order(&format!("k{n}"), "BUY", if n % 2 == 0 { ask + 10 } else { bid - 320 - n }, 20 + u32::try_from(n).unwrap()),
                n % 2 == 0,
            );
        }
        add("/orders/mass-cancel", &json!({"scope": "INSTRUMENT:IBM"}), false);
        add("/orders", &order("last", "BUY", bid - 330, 100), true);
        asks
    }

    /// Lives the day until it ends or the desk is gone. Whether it ended.
    fn live(&self, client: &mut Client, audit: &mut Audit, unanswered: &mut Vec<Ask>) -> bool {
        for ask in self.requests("day") {
            match ask.send(client) {
                Ok(reply) => {
                    assert!(reply.status < 500, "{ask:?}: {}", reply.text());
                    // A repetition may see more than an answer that did not wait long enough for the venue's word.
                    let waited = ask.headers.iter().any(|(name, _)| name == "Prefer");
                    if !waited || !reply.text().contains("UNACK") && !reply.text().contains("PENDING") {
                        audit.acks.push(Ack { ask, reply });
                    }
                }
                Err(_) => {
                    unanswered.push(ask);
                    return false;
                }
            }
        }
        true
    }
}

/// How a day went.
#[derive(Debug)]
struct Outcome {
    /// Whether the fault came before the day was over.
    struck: bool,
    status: Option<ExitStatus>,
    said: String,
}

/// Lives a day with a fault at `point`, which `files` makes for a folder; then checks everything on what it left.
fn day_with(day: &Day, effect: Effect, call: &'static str, nth: usize, files: &dyn Fn(&Path) -> Vec<PathBuf>) -> Outcome {
    let home = day.home.copy("boundary");
    let mut audit = Audit::default();
    let mut unanswered = Vec::new();
    let server = Server::start(home.path(), &launch());
    let point = Point { call, files: files(home.path()), nth, effect };
    let trace = home.path().join("trace");
    let tracer = Tracer::attach(server.process().id(), &point, &trace);
    let mut client = server.client();
    let done = AtomicBool::new(false);
    let over = std::thread::scope(|scope| {
        // Whoever waits for an answer that cannot come is set free by the end of the process.
        let executioner = scope.spawn(|| {
            while effect == Effect::KillAfter && !done.load(Ordering::Relaxed) {
                if tracer.is_held() {
                    tracer.kill_traced();
                    return true;
                }
                std::thread::park_timeout(Duration::from_millis(1));
            }
            false
        });
        let over = day.live(&mut client, &mut audit, &mut unanswered);
        done.store(true, Ordering::Relaxed);
        let killed = executioner.join().unwrap();
        over && !killed
    });
    let mut process = server.into_process();
    // The fault may come behind the last answer.
    let struck = !over || process.ended();
    drop(tracer);
    let (status, said) = if struck {
        let (status, said) = process.wait();
        (Some(status), said)
    } else {
        process.kill();
        (None, String::new())
    };
    check(&home, audit, unanswered);
    Outcome { struck, status, said }
}

/// Everything that must hold after any of it.
fn check(home: &Home, mut audit: Audit, unanswered: Vec<Ask>) {
    let dir = home.path();
    let _report = audit::verify(dir);
    let (seq, hash) = audit::hash(dir, None);
    let server = Server::start(dir, &launch());
    let mut client = server.client();
    audit.read_log(&server);
    audit.ask_again(&mut client, unanswered);
    audit.read_log(&server);
    audit.check_acks(&mut client, 0, &mut Prng::new(1));
    audit.quiesce(&server);
    audit.balance(&server, dir);
    server.stop();
    assert_eq!(audit::hash(dir, Some(seq)), (seq, hash));
    audit::replay_agrees(dir);
}

fn with_extension(folder: PathBuf, kind: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|found| found == kind));
    files.sort();
    files
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut files = with_extension(dir.join("log"), "log");
    files.push(dir.join("log").join("prepared.tmp"));
    files
}

fn ledgers(dir: &Path) -> Vec<PathBuf> {
    with_extension(dir.join("venues"), "ledger")
}

fn views(dir: &Path) -> Vec<PathBuf> {
    ["views.sqlite", "views.sqlite-wal"].map(|name| dir.join(name)).into()
}

fn traced() -> bool {
    match strace::available() {
        Ok(()) => true,
        Err(reason) => {
            println!("not run: {reason}");
            false
        }
    }
}

/// Ends the day at write 1, 1 + step, ... until a day is over before the fault. Answers how many were tried.
fn campaign(day: &Day, effect: Effect, call: &'static str, first: usize, step: usize, files: &dyn Fn(&Path) -> Vec<PathBuf>) -> usize {
    for (tried, nth) in (first..MOST).step_by(step).enumerate() {
        let outcome = day_with(day, effect, call, nth, files);
        if !outcome.struck {
            return tried;
        }
        let status = outcome.status.unwrap();
        assert!(was_killed(status), "write {nth}: {status}\n{}", outcome.said);
    }
    panic!("the day takes more than {MOST} writes");
}

#[test]
fn the_day_survives_its_end_at_any_write_of_the_log() {
    if !traced() {
        return;
    }
    let began = Instant::now();
    let day = Day::new();
    let before = campaign(&day, Effect::KillBefore, "pwrite64", 1, step(), &segments);
    let after = campaign(&day, Effect::KillAfter, "pwrite64", 1.max(step() / 2), step(), &segments);
    assert!(before > 0 && after > 0, "the day writes");
    println!("log: {before} ends before a write, {after} after one, every {}. write, {:.0?}", step(), began.elapsed());
}

#[test]
fn the_day_survives_its_end_at_any_write_of_a_venue_or_of_the_views() {
    if !traced() {
        return;
    }
    let began = Instant::now();
    let day = Day::new();
    let step = step();
    let venues_before = campaign(&day, Effect::KillBefore, "write", 1, step, &ledgers);
    let venues_after = campaign(&day, Effect::KillAfter, "write", 1.max(step / 2), step, &ledgers);
    let views = campaign(&day, Effect::KillBefore, "pwrite64", 2, step * 8, &views);
    assert!(venues_before > 0 && venues_after > 0 && views > 0, "each writes");
    println!("venues: {venues_before} before, {venues_after} after; views: {views}; {:.0?}", began.elapsed());
}

#[test]
fn a_write_of_the_log_that_fails_stops_the_desk_and_loses_nothing() {
    if !traced() {
        return;
    }
    let began = Instant::now();
    let day = Day::new();
    let mut tried = 0;
    for error in ["EIO", "ENOSPC"] {
        for nth in (1..MOST).step_by(step() * 3) {
            let outcome = day_with(&day, Effect::Fails(error), "pwrite64", nth, &segments);
            if !outcome.struck {
                break;
            }
            tried += 1;
            let status = outcome.status.unwrap();
            assert_eq!(status.code(), Some(70), "{error} at write {nth}: {status}\n{}", outcome.said);
            assert!(outcome.said.contains("the log failed"), "{}", outcome.said);
        }
    }
    assert!(tried >= 2, "writes failed");
    println!("{tried} failed writes, {:.0?}", began.elapsed());
}

#[test]
fn the_desk_survives_its_end_at_any_write_of_its_start() {
    if !traced() {
        return;
    }
    let day = Day::new();
    let mut struck = 0;
    for nth in 1..=12 {
        let home = day.home.copy("start");
        let mut files = segments(home.path());
        files.extend(["epoch.tmp", "epoch", "fresh.tmp"].map(|name| home.path().join("log").join(name)));
        let point = Point { call: "pwrite64", files, nth, effect: Effect::KillBefore };
        let under = point.words(&home.path().join("trace"));
        let outcome = Process::start(home.path(), &Launch { under, ..launch() }).ready_or_gone();
        match outcome {
            Ok(server) => server.into_process().terminate(),
            Err(gone) => {
                let (status, said) = gone.0.wait();
                assert!(was_killed(status), "write {nth}: {status}\n{said}");
                struck += 1;
            }
        }
        check(&home, Audit::default(), Vec::new());
    }
    assert!(struck > 0, "the start writes");
    println!("{struck} ends while starting");
}
