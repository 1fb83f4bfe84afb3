//! Damaged frames against the decoders, and how fast whole ones are written and read:
//! `cargo run --release -p oms-ib --example fuzz -- INPUTS`.
//!
//! Frames come from `test-data/golden-frames.txt`, which holds every message of both directions in both dialects.

use oms_ib::codec::{Decoded, Dialect, Reply, Request};
use std::time::Instant;

const FRAMES: &str = include_str!("../test-data/golden-frames.txt");

fn main() -> Result<(), String> {
    let inputs: u64 = std::env::args().nth(1).map_or(Ok(1_000_000), |text| text.parse()).map_err(|error| format!("inputs: {error}"))?;
    for version in [178, 225] {
        let dialect = Dialect::of(version).ok_or("a version that is not spoken")?;
        let frames: Vec<Vec<u8>> = FRAMES.lines().filter_map(|line| body(line, version)).collect();
        let (read, refused, unknown) = fuzz(dialect, &frames, inputs);
        println!("{version}: {inputs} damaged frames: {read} read, {refused} refused, {unknown} of unknown ids, no panic");
        speed(dialect, &frames);
    }
    Ok(())
}

fn body(line: &str, version: u16) -> Option<Vec<u8>> {
    let text = line.strip_prefix(&format!("{version} "))?;
    if version < 201 {
        return Some(text.replace('|', "\0").into_bytes());
    }
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    text.as_bytes().chunks(2).map(byte).collect()
}

/// Damages one frame after the other and reads it in both directions.
fn fuzz(dialect: Dialect, frames: &[Vec<u8>], inputs: u64) -> (u64, u64, u64) {
    let (mut read, mut refused, mut unknown) = (0, 0, 0);
    let mut seed = 0x1234_5678_9abc_def1_u64;
    let mut roll = |bound: usize| {
        // Marsaglia 2003: xorshift.
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % (bound.max(1) as u64)).unwrap_or_default()
    };
    let mut bytes = Vec::new();
    for _ in 0..inputs {
        bytes.clear();
        bytes.extend_from_slice(&frames[roll(frames.len())]);
        for _ in 0..=roll(4) {
            let at = roll(bytes.len());
            match roll(4) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, u8::try_from(roll(256)).unwrap_or_default()),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << roll(8)),
            }
        }
        for outcome in [Request::decode(dialect, &bytes).map(|m| is_known(&m)), Reply::decode(dialect, &bytes).map(|m| is_known(&m))] {
            match outcome {
                Ok(true) => read += 1,
                Ok(false) => unknown += 1,
                Err(_) => refused += 1,
            }
        }
    }
    (read, refused, unknown)
}

fn is_known<M>(decoded: &Decoded<M>) -> bool {
    matches!(decoded, Decoded::Message(_))
}

/// Writes and reads every reply over and over for a second or so.
fn speed(dialect: Dialect, frames: &[Vec<u8>]) {
    let replies: Vec<Reply> = frames
        .iter()
        .filter_map(|frame| match Reply::decode(dialect, frame) {
            Ok(Decoded::Message(reply)) => Some(reply),
            _ => None,
        })
        .collect();
    let rounds = 20_000;
    let (mut out, begin) = (Vec::new(), Instant::now());
    for _ in 0..rounds {
        out.clear();
        for reply in &replies {
            reply.encode(dialect, &mut out);
        }
    }
    let written = begin.elapsed();
    let (mut bytes, begin) = (0, Instant::now());
    for _ in 0..rounds {
        for frame in frames {
            bytes += usize::from(Reply::decode(dialect, frame).is_ok());
        }
    }
    let read = begin.elapsed();
    let rate = |messages: usize, took: std::time::Duration| messages as f64 / took.as_secs_f64();
    println!(
        "{}: {:.0} messages/s written, {:.0} messages/s read ({} kinds, {} bytes a round)",
        dialect.version(),
        rate(rounds * replies.len(), written),
        rate(bytes, read),
        replies.len(),
        out.len()
    );
}
