//! `cargo xtask slice`: cuts the market data slice that the product ships.
//!
//! Reads QuantConnect Lean's sample ticks (one zip per symbol and kind, see
//! `crates/oms-venues/data/ATTRIBUTION.md`) and writes one compressed file. The board as it stood
//! when the window opens is written as ticks at the first instant, so that a replay does not
//! begin with an empty market. Needs `unzip` in the path.

#[path = "../../crates/oms-venues/src/replay/format.rs"]
#[allow(dead_code, missing_docs, reason = "the reader's half is used by the product only")]
mod format;

use std::path::{Path, PathBuf};
use std::process::Command;

use format::{RawKind, RawTick, Slice};

const SYMBOLS: [&str; 3] = ["AIG", "BAC", "IBM"];
const DAY: &str = "20131008";
/// 2013-10-08 00:00 New York (daylight saving, UTC-4) in nanoseconds since 1970 UTC.
const MIDNIGHT_NS: u64 = (1_381_190_400 + 4 * 3600) * 1_000_000_000;
/// The regular session: quotes before it say nothing about the board at the window's start.
const SESSION_OPEN_MS: u32 = 34_200_000;
const WINDOW_START_MS: u32 = 36_000_000;
const WINDOW_MS: u32 = 30 * 60 * 1000;
/// Regular, intermarket sweep, trade-through exempt: what may set the last sale.
const LAST_SALE_FLAGS: u32 = 0x1 | 0x20 | 0x2000_0000;
const OUTPUT: &str = "crates/oms-venues/data/us-equity-20131008.slice.zst";

/// Exchange letters of the recording.
const EXCHANGES: [(&str, &[u8; 4]); 15] = [
    ("A", b"XASE"),
    ("B", b"XBOS"),
    ("C", b"XCIS"),
    ("D", b"FINN"),
    ("J", b"EDGA"),
    ("K", b"EDGX"),
    ("M", b"XCHI"),
    ("N", b"XNYS"),
    ("P", b"ARCX"),
    ("Q", b"XNAS"),
    ("T", b"XNAS"),
    ("W", b"CBSX"),
    ("X", b"XPHL"),
    ("Y", b"BATY"),
    ("Z", b"BATS"),
];

type Failure = Box<dyn std::error::Error>;

/// Runs the tool: `slice [INPUT_DIR [OUTPUT_FILE]]`.
///
/// # Errors
/// A missing input, a line that is not in the documented form (named), or a failed write.
pub fn run(args: &[String]) -> Result<(), Failure> {
    let input = args.first().map_or_else(|| PathBuf::from("../shared/data/us-equity-ticks"), PathBuf::from);
    let output = args.get(1).map_or_else(|| PathBuf::from(OUTPUT), PathBuf::from);
    let mut venues: Vec<[u8; 4]> = Vec::new();
    let mut ticks: Vec<RawTick> = Vec::new();
    for (symbol, name) in SYMBOLS.iter().enumerate() {
        // Trades first: at equal times the stable sort below keeps the print before the quote
        // that it changed.
        for kind in ["trade", "quote"] {
            let file = input.join(format!("{DAY}_{}_{kind}.zip", name.to_lowercase()));
            read_file(&file, kind == "quote", symbol as u8, &mut venues, &mut ticks)?;
        }
    }
    ticks.sort_by_key(|tick| tick.millis);
    let slice = Slice {
        start_ns: MIDNIGHT_NS + u64::from(WINDOW_START_MS) * 1_000_000,
        length_ns: u64::from(WINDOW_MS) * 1_000_000,
        symbols: SYMBOLS.iter().map(|&symbol| symbol.to_owned()).collect(),
        venues,
        ticks: window(&ticks),
    };
    let bytes = slice.encode(19)?;
    if Slice::decode(&bytes)? != slice {
        return Err("the written slice does not read back equal".into());
    }
    std::fs::write(&output, &bytes)?;
    println!("{}: {} ticks, {} bytes", output.display(), slice.ticks.len(), bytes.len());
    Ok(())
}

/// The ticks of the window, times relative to it, led by the board at its start: the last bid and
/// ask of every venue and symbol in the order in which they were shown.
fn window(ticks: &[RawTick]) -> Vec<RawTick> {
    let mut opening: Vec<RawTick> = Vec::new();
    let mut inside = Vec::new();
    for tick in ticks {
        let quote = matches!(tick.kind, RawKind::Bid | RawKind::Ask);
        match tick.millis.checked_sub(WINDOW_START_MS) {
            None if quote && tick.millis >= SESSION_OPEN_MS => {
                opening.retain(|old| (old.symbol, old.venue, old.kind) != (tick.symbol, tick.venue, tick.kind));
                opening.push(RawTick { millis: 0, ..*tick });
            }
            Some(millis) if millis < WINDOW_MS => inside.push(RawTick { millis, ..*tick }),
            None | Some(_) => (),
        }
    }
    opening.extend(inside);
    opening
}

fn read_file(file: &Path, quotes: bool, symbol: u8, venues: &mut Vec<[u8; 4]>, ticks: &mut Vec<RawTick>) -> Result<(), Failure> {
    let output = Command::new("unzip").arg("-p").arg(file).output()?;
    if !output.status.success() {
        return Err(format!("unzip -p {}: {}", file.display(), String::from_utf8_lossy(&output.stderr)).into());
    }
    let text = String::from_utf8(output.stdout)?;
    for (number, line) in text.lines().enumerate() {
        let parsed = if quotes { quote(line, symbol, venues) } else { trade(line, symbol, venues) };
        let Some(tick) = parsed else {
            return Err(format!("{}:{}: not in the documented form: {line}", file.display(), number + 1).into());
        };
        ticks.extend(tick);
    }
    Ok(())
}

fn venue_index(letter: &str, venues: &mut Vec<[u8; 4]>) -> Option<u8> {
    let (_, mic) = EXCHANGES.iter().find(|(known, _)| *known == letter)?;
    let index = venues.iter().position(|known| known == *mic).unwrap_or_else(|| {
        venues.push(**mic);
        venues.len() - 1
    });
    u8::try_from(index).ok()
}

/// `None`: not in the documented form. `Some(None)`: a row to leave out (marked suspicious).
fn quote(line: &str, symbol: u8, venues: &mut Vec<[u8; 4]>) -> Option<Option<RawTick>> {
    let fields: Vec<&str> = line.split(',').collect();
    let [time, bid, bid_size, ask, ask_size, exchange, _condition, suspicious] = fields[..] else {
        return None;
    };
    let (kind, price, size) = match (bid.parse().ok()?, ask.parse().ok()?) {
        (price, 0_u32) => (RawKind::Bid, price, bid_size),
        (0_u32, price) => (RawKind::Ask, price, ask_size),
        _ => return None,
    };
    let venue = venue_index(exchange, venues)?;
    let tick = RawTick { millis: time.parse().ok()?, symbol, venue, kind, price_e4: price, size: size.parse().ok()? };
    Some((suspicious == "0").then_some(tick))
}

/// As [`quote`].
fn trade(line: &str, symbol: u8, venues: &mut Vec<[u8; 4]>) -> Option<Option<RawTick>> {
    let fields: Vec<&str> = line.split(',').collect();
    let [time, price, size, exchange, condition, suspicious] = fields[..] else {
        return None;
    };
    let flags = u32::from_str_radix(condition, 16).ok()?;
    let kind = if flags & !LAST_SALE_FLAGS == 0 { RawKind::Trade } else { RawKind::TradeOther };
    let venue = venue_index(exchange, venues)?;
    let tick = RawTick { millis: time.parse().ok()?, symbol, venue, kind, price_e4: price.parse().ok()?, size: size.parse().ok()? };
    Some((suspicious == "0").then_some(tick))
}
