//! How many messages a second are written and read, in both dialects: every message of both directions, from
//! `test-data/golden-frames.txt`, and the three that a busy day is made of.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a benchmark fails by panicking")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use oms_ib::codec::{Decoded, Dialect, Reply, Request};

const FRAMES: &str = include_str!("../test-data/golden-frames.txt");
/// How long each figure is measured for.
const SPAN: Duration = Duration::from_millis(500);

#[expect(clippy::large_enum_variant, reason = "there are a few hundred")]
enum Message {
    Request(Request),
    Reply(Reply),
}

fn body(line: &str, dialect: Dialect) -> Option<Vec<u8>> {
    let text = line.strip_prefix(&format!("{} ", dialect.version()))?;
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    Some(match dialect {
        Dialect::Text(_) => text.replace('|', "\0").into_bytes(),
        Dialect::Proto(_) => text.as_bytes().chunks(2).map(byte).collect(),
    })
}

/// Messages a second: rounds of so many until the time is over, the best of five.
fn rate(messages: usize, mut round: impl FnMut()) -> f64 {
    let mut best: f64 = 0.0;
    for _ in 0..5 {
        let (begin, mut rounds) = (Instant::now(), 0_usize);
        while begin.elapsed() < SPAN / 5 {
            round();
            rounds += 1;
        }
        best = best.max((rounds * messages) as f64 / begin.elapsed().as_secs_f64());
    }
    best
}

fn measure(name: &str, dialect: Dialect, which: impl Fn(&Message) -> bool) {
    // The file has requests first; a frame may read in both directions, so each is taken for what it was.
    let frames: Vec<Vec<u8>> = FRAMES.lines().filter_map(|line| body(line, dialect)).collect();
    let requests = frames.iter().take_while(|frame| matches!(Request::decode(dialect, frame), Ok(Decoded::Message(_)))).count();
    let read = |(place, frame): (usize, &Vec<u8>)| {
        let message = if place < requests {
            match Request::decode(dialect, frame) {
                Ok(Decoded::Message(request)) => Message::Request(request),
                _ => return None,
            }
        } else {
            match Reply::decode(dialect, frame) {
                Ok(Decoded::Message(reply)) => Message::Reply(reply),
                _ => return None,
            }
        };
        which(&message).then(|| (frame.clone(), message))
    };
    let messages: Vec<(Vec<u8>, Message)> = frames.iter().enumerate().filter_map(read).collect();
    assert!(!messages.is_empty(), "no frame of {name}");
    let mut out = Vec::new();
    let written = rate(messages.len(), || {
        out.clear();
        for (_, message) in &messages {
            match message {
                Message::Request(request) => request.encode(dialect, &mut out),
                Message::Reply(reply) => reply.encode(dialect, &mut out),
            }
        }
        black_box(&out);
    });
    let decoded = rate(messages.len(), || {
        for (frame, message) in &messages {
            match message {
                Message::Request(_) => drop(black_box(Request::decode(dialect, frame))),
                Message::Reply(_) => drop(black_box(Reply::decode(dialect, frame))),
            }
        }
    });
    println!("{:>8}  {name:<24}{written:>16.0}{decoded:>16.0}", dialect.version());
}

fn main() {
    println!("{:>8}  {:<24}{:>16}{:>16}", "version", "messages", "written/s", "read/s");
    for version in [178, 225] {
        let dialect = Dialect::of(version).unwrap();
        measure("every message", dialect, |_| true);
        measure("new order", dialect, |message| matches!(message, Message::Request(Request::PlaceOrder(_))));
        measure("order status", dialect, |message| matches!(message, Message::Reply(Reply::OrderStatus(_))));
        measure("execution", dialect, |message| matches!(message, Message::Reply(Reply::Execution(_))));
    }
}
