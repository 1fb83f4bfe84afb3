//! Damaged frames and streams against the decoders of both dialects, a bounded number that are the same in every run.
//! `OMS_IB_FUZZ_INPUTS` asks for more of each dialect, and `OMS_IB_FUZZ_SEED` for others.
//!
//! Frames come from `test-data/golden-frames.txt`, which holds every message of both directions in both dialects.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use oms_ib::codec::frame::{Framer, MAX_REQUEST};
use oms_ib::codec::{Decoded, Dialect, Reply, Request};

const FRAMES: &str = include_str!("../test-data/golden-frames.txt");
const INPUTS: u64 = 300_000;
const MAX_INPUT: usize = 4_096;

/// An xorshift generator (Marsaglia 2003).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// The bodies of the frames of some server versions.
fn corpus(versions: &[u16]) -> Vec<(Dialect, Vec<u8>)> {
    let body = |line: &str| {
        let (version, text) = line.split_once(' ')?;
        let version = version.parse().ok().filter(|version| versions.contains(version))?;
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        let bytes = match Dialect::of(version)? {
            Dialect::Text(_) => text.replace('|', "\0").into_bytes(),
            Dialect::Proto(_) => text.as_bytes().chunks(2).map(byte).collect(),
        };
        Some((Dialect::of(version)?, bytes))
    };
    FRAMES.lines().filter_map(body).collect()
}

/// Pieces that mutations are made of, beside those of the corpus.
const WORDS: [&[u8]; 16] = [
    b"\0",
    b"\0\0\0\0",
    b"9223372036854775807\0",
    b"-1\0",
    b"1.7976931348623157E308\0",
    b"2147483648\0",
    b"1e-320\0",
    b"NaN\0",
    b"99999\0",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\xff\xff\xff\xff\x0f",
    b"\x0a\xff\x7f",
    b"\x12\x00",
    b"\x0b\x0b\x0b\x0b\x0b\x0b",
    b"\xc3\x28",
    b"\x7f\xf8\x00\x00\x00\x00\x00\x00",
];

fn damaged(chance: &mut Chance, corpus: &[(Dialect, Vec<u8>)], input: &mut Vec<u8>) -> Dialect {
    let (dialect, whole) = &corpus[chance.below(corpus.len())];
    input.clear();
    input.extend_from_slice(whole);
    for _ in 0..=chance.below(6) {
        let at = chance.below(input.len() + 1);
        let end = (at + chance.below(12)).min(input.len());
        match chance.below(6) {
            0 => drop(input.drain(at..end)),
            1 => drop(input.splice(at..at, WORDS[chance.below(WORDS.len())].iter().copied())),
            2 => {
                let piece = input[at..end].to_vec();
                let to = chance.below(input.len() + 1);
                drop(input.splice(to..to, piece));
            }
            3 => input.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << chance.below(8)),
            4 => input.truncate(at),
            _ => {
                let (_, other) = &corpus[chance.below(corpus.len())];
                let from = chance.below(other.len());
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
        }
        input.truncate(MAX_INPUT);
    }
    *dialect
}

/// Reads a frame in both directions. What was read can be written. How many of the two were read.
fn read(dialect: Dialect, body: &[u8], out: &mut Vec<u8>) -> u64 {
    out.clear();
    let mut count = 0;
    if let Ok(Decoded::Message(request)) = Request::decode(dialect, body) {
        request.encode(dialect, out);
        count += 1;
    }
    if let Ok(Decoded::Message(reply)) = Reply::decode(dialect, body) {
        reply.encode(dialect, out);
        count += 1;
    }
    // Nothing is made larger than what came by more than its unset fields and the digits of its numbers.
    assert!(out.len() <= 64 * body.len() + (64 << 10), "{} bytes are read into {}", body.len(), out.len());
    count
}

/// A stream is cut into frames, or is refused; it is never believed further than bytes have come.
fn cut(input: &[u8]) {
    for mut framer in [Framer::client(MAX_REQUEST), Framer::server()] {
        framer.push(input);
        let mut bytes = 0;
        while let Ok(Some(place)) = framer.cut() {
            bytes += framer.bytes(&place).len();
            assert!(bytes <= input.len(), "more was cut than came");
        }
    }
}

fn run(name: &str, versions: &[u16]) {
    let corpus = corpus(versions);
    assert!(50 <= corpus.len(), "{} frames of {name}", corpus.len());
    let (mut input, mut out) = (Vec::new(), Vec::new());
    let whole: u64 = corpus.iter().map(|(dialect, body)| read(*dialect, body, &mut out).min(1)).sum();
    assert_eq!(whole, u64::try_from(corpus.len()).unwrap(), "whole frames are read");
    let (inputs, mut chance) = (number("OMS_IB_FUZZ_INPUTS", INPUTS), Chance(number("OMS_IB_FUZZ_SEED", 0x2545_f491_4f6c_dd1d) | 1));
    let mut survivors = 0;
    for count in 0..inputs {
        let dialect = damaged(&mut chance, &corpus, &mut input);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            cut(&input);
            read(dialect, &input, &mut out)
        }));
        match outcome {
            Ok(read) => survivors += read,
            Err(_) => panic!("input {count} of {name}: {dialect:?} {input:02x?}"),
        }
    }
    // A harness whose damage nothing survives tests the first check only.
    assert!(inputs / 50 < survivors && survivors < inputs * 2, "{survivors} of {inputs} inputs were read");
    println!("{name}: {inputs} inputs, {survivors} read");
}

#[test]
fn no_text_harms_the_codec() {
    run("text", &[176, 178]);
}

#[test]
fn no_protocol_buffer_harms_the_codec() {
    run("protobuf", &[225]);
}
