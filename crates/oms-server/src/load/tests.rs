use super::*;
use crate::cli::{Cli, Command};
use clap::Parser as _;
use std::io::Read as _;
use std::net::TcpListener;
use tally::Sent;

fn flags(line: &str) -> Load {
    match Cli::try_parse_from(line.split(' ')).unwrap().command {
        Command::Load(flags) => flags,
        other => panic!("{other:?}"),
    }
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn quotes() -> Vec<Quote> {
    vec![Quote { symbol: "BAC".to_owned(), bid: 1370, ask: 1371 }, Quote { symbol: "IBM".to_owned(), bid: 18_000, ask: 18_005 }]
}

/// A desk that answers at once but stands still for 100 ms, and one connection: with a schedule of 1,000 per second a
/// hundred orders should have gone out meanwhile. Each of them is charged with its own wait.
#[test]
fn a_stall_is_charged_to_every_order_that_had_to_wait() {
    let schedule = Schedule::new(Some(1_000), Duration::ZERO, ms(1_000), None);
    let mut tally = Tally::new(None).unwrap();
    for n in 0..1_000 {
        let due = schedule.due(n, Duration::ZERO).unwrap();
        assert_eq!(due, ms(n));
        let at = due.max(ms(100));
        let sent = Sent { n, due, at, measured: true };
        tally.sent(&sent);
        tally.answered(&sent, at + ms(1), 201, b"id", b"{}").unwrap();
    }
    let report = tally.json(&flags("oms load"), "u");
    let near = |at: &str, expected: f64| {
        let found = report.pointer(at).unwrap().as_f64().unwrap();
        assert!((found - expected).abs() <= expected / 100.0, "{at} is {found}, not about {expected}");
    };
    near("/latency_us/max", 101_000.0);
    // A tenth of the orders waited between 1 and 101 ms: the 90th percentile is at its begin, the 99th at its end.
    near("/latency_us/p90", 1_000.0);
    near("/latency_us/p99", 91_000.0);
    near("/service_us/max", 1_000.0);
    assert_eq!(schedule.due(1_000, Duration::ZERO), None);
    assert_eq!(schedule.planned(), Some(1_000));
}

#[test]
fn what_is_sent_to_warm_up_does_not_count() {
    let schedule = Schedule::new(Some(10), ms(500), ms(1_000), None);
    let mut tally = Tally::new(None).unwrap();
    for n in 0..schedule.planned().unwrap() {
        let due = schedule.due(n, Duration::ZERO).unwrap();
        let sent = Sent { n, due, at: due, measured: schedule.is_measured(due) };
        tally.sent(&sent);
        tally.answered(&sent, due + ms(1), if n == 14 { 422 } else { 201 }, b"id", b"{}").unwrap();
    }
    let report = tally.json(&flags("oms load"), "u");
    assert_eq!((report["sent"].as_u64(), report["acknowledged"].as_u64()), (Some(10), Some(9)));
    assert_eq!(report["refused"]["422"].as_u64(), Some(1));
}

#[test]
fn a_closed_loop_ends_with_its_time() {
    let schedule = Schedule::new(None, Duration::ZERO, ms(10), Some(3));
    assert_eq!(schedule.due(0, ms(9)), Some(ms(9)));
    assert_eq!(schedule.due(0, ms(10)), None);
    assert_eq!(schedule.due(3, ms(1)), None);
}

#[test]
fn orders_differ_and_are_what_was_asked_for() {
    let orders = Orders::new(quotes(), 10, 7);
    let mut seen = std::collections::BTreeSet::new();
    let (mut marketable, mut bought) = (0, 0);
    for n in 0..8_000 {
        let mut body = Vec::new();
        orders.body(n, &mut body);
        let order: Value = serde_json::from_slice(&body).unwrap();
        let field = |name: &str| order[name].as_str().unwrap().to_owned();
        let trades = field("time_in_force") == "IOC";
        // Of those that trade each hundredth is like an earlier one; a desk sees them far enough apart.
        assert!(trades || seen.insert((field("symbol"), field("side"), field("order_qty"), field("price"))), "{n} is like an earlier one");
        if trades {
            marketable += 1;
            bought += u32::from(field("side") == "BUY");
        } else if field("symbol") == "BAC" && field("side") == "BUY" {
            let price = order::cents(&field("price")).unwrap();
            assert!((1288..=1301).contains(&price), "{price} is about five percent below");
        }
    }
    // Of 2,000 orders on each side of two instruments.
    assert_eq!((marketable, bought), (800, 400));
    assert_eq!((order::cents("13.7"), order::cents("180"), order::cents("x")), (Some(1370), Some(18_000), None));
}

#[test]
fn an_answer_is_taken_once_it_is_whole() {
    let whole = b"HTTP/1.1 201 Created\r\nContent-Type: x\r\ncontent-length: 15\r\n\r\n{\"order_id\":\"a\"}";
    let (end, body) = (whole.len() - 1, whole.len() - 16);
    for cut in 0..end {
        assert_eq!(wire::parse(&whole[..cut]), Ok(None), "{cut} bytes");
    }
    assert_eq!(wire::parse(whole), Ok(Some(wire::Parsed { status: 201, body, end })));
    assert_eq!(wire::order_id(b"{\"x\":1,\"order_id\":\"a-b\"}"), Some("a-b"));
    assert_eq!(wire::parse(b"HTTP/1.1 200 OK\r\n\r\n"), Err(wire::Malformed), "an answer without a length");
    assert_eq!(wire::parse(b"SSH-2.0\r\n\r\n"), Err(wire::Malformed));
}

/// Answers `answers` requests and then closes the connection without a word.
fn desk(answers: usize) -> (SocketAddr, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut keys = Vec::new();
        let mut buffer = [0; 4_096];
        while keys.len() <= answers {
            let read = stream.read(&mut buffer).unwrap();
            if read == 0 {
                break;
            }
            let text = String::from_utf8_lossy(&buffer[..read]).into_owned();
            keys.push(text.lines().find_map(|line| line.strip_prefix("Idempotency-Key: ")).unwrap().to_owned());
            if keys.len() <= answers {
                let body = format!("{{\"order_id\":\"o{}\"}}", keys.len());
                write!(stream, "HTTP/1.1 201 Created\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
            }
        }
        keys
    });
    (address, thread)
}

#[test]
fn acknowledged_orders_are_written_down_and_lost_ones_are_errors() {
    let (address, thread) = desk(3);
    let path = std::env::temp_dir().join(format!("oms-acks-{}", std::process::id()));
    let file = OpenOptions::new().create(true).append(true).open(&path).unwrap();
    let mut tally = Tally::new(Some(file)).unwrap();
    let schedule = Schedule::new(None, Duration::ZERO, Duration::from_secs(60), None);
    let orders = Orders::new(quotes(), 0, 1);
    let connections = drive::connect(address, 1).unwrap();
    let ended = drive::drive(connections, &wire::Template::new("h", "k", false), &orders, &schedule, &mut tally);
    assert_eq!(ended.unwrap_err().code(), 3, "the only connection was lost");
    let keys = thread.join().unwrap();
    let report = tally.json(&flags("oms load --closed"), "u");
    assert_eq!((report["sent"].as_u64(), report["acknowledged"].as_u64(), report["errors"].as_u64()), (Some(4), Some(3), Some(1)));
    let written = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<Vec<&str>> = written.lines().map(|line| line.split(' ').collect()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!((lines[0][0], lines[0][1], lines[0][2]), ("o1", keys[0].as_str(), keys[0].as_str()));
    assert_eq!(lines[0][3].len(), 64);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_schedule_is_kept_over_the_wire() {
    let (address, thread) = desk(20);
    let mut tally = Tally::new(None).unwrap();
    let schedule = Schedule::new(Some(1_000), Duration::ZERO, ms(20), None);
    let orders = Orders::new(quotes(), 50, 1);
    drive::drive(drive::connect(address, 1).unwrap(), &wire::Template::new("h", "k", false), &orders, &schedule, &mut tally).unwrap();
    let report = tally.json(&flags("oms load"), "u");
    assert_eq!((report["sent"].as_u64(), report["acknowledged"].as_u64(), report["unsent"].as_u64()), (Some(20), Some(20), Some(0)));
    assert_eq!(thread.join().unwrap().len(), 20, "the connection is closed after the last answer");
}

#[test]
fn only_plain_http_is_spoken() {
    assert_eq!(address("http://127.0.0.1:8080/").unwrap().1, "127.0.0.1:8080");
    assert_eq!(address("https://127.0.0.1").unwrap_err().code(), 2);
    assert_eq!(address("desk").unwrap_err().code(), 2);
}
