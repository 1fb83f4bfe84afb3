//! The fuzzer's harness on a stable toolchain: the corpus, and a bounded number of mutations of it that
//! are the same in every run. `OMS_FIX_FUZZ_INPUTS` asks for more, and `OMS_FIX_FUZZ_SEED` for others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "../fuzz/harness.rs"]
mod harness;

use std::path::Path;

const INPUTS: u64 = 60_000;
const MAX_INPUT: usize = 4096;

/// An xorshift generator.
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

/// Pieces that mutations are made of, beside those of the corpus.
const WORDS: [&[u8]; 20] = [
    b"34=@|",
    b"43=Y|",
    b"\n",
    b"!c\n",
    b"!d\n",
    b"!tz\n",
    b"!s\n",
    b"35=4|34=@|~36=9|123=Y|\n",
    b"35=2|34=@|~7=1|16=0|\n",
    b"=",
    b"\x01",
    b"|",
    b"8=FIX.4.4\x01",
    b"9=",
    b"10=000\x01",
    b"141=Y|",
    b"18446744073709551615",
    b"-1",
    b"35=A|34=@|~98=0|108=30|\n",
    b"122=20261127-11:00:00|",
];

fn mutate(chance: &mut Chance, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut input = corpus[chance.below(corpus.len())].clone();
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
            3 if at < input.len() => input[at] ^= 1 << chance.below(8),
            4 if at < input.len() => input[at] = b"0123456789|=@~\n!"[chance.below(16)],
            _ => {
                let other = &corpus[chance.below(corpus.len())];
                let from = chance.below(other.len());
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
        }
        input.truncate(MAX_INPUT);
    }
    input
}

fn run(target: fn(&[u8]), name: &str) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let corpus: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    corpus.iter().for_each(|input| target(input));
    let (inputs, mut chance) = (number("OMS_FIX_FUZZ_INPUTS", INPUTS), Chance(number("OMS_FIX_FUZZ_SEED", 0x2545_f491_4f6c_dd1d) | 1));
    for count in 0..inputs {
        let input = mutate(&mut chance, &corpus);
        if std::panic::catch_unwind(|| target(&input)).is_err() {
            panic!("input {count} of {name}: {:?}", String::from_utf8_lossy(&input));
        }
    }
    println!("{name}: {inputs} inputs");
}

#[test]
fn no_stream_of_bytes_harms_the_codec() {
    run(harness::codec, "codec");
}

#[test]
fn no_counterparty_harms_the_session() {
    run(harness::session, "session");
}
