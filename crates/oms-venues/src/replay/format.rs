//! The slice file: recorded quotes and trades, small enough to ship inside the binary.
//!
//! One zstd frame (with content checksum) around:
//!
//! ```text
//! magic    8 bytes "OMSTICK1"
//! start    u64 LE, nanoseconds since 1970-01-01 UTC of the first instant of the slice
//! length   u64 LE, nanoseconds covered; a tick's time is in [start, start + length)
//! symbols  u8 count, then per symbol: u8 length, ASCII bytes
//! venues   u8 count, then per venue: 4 ASCII bytes (its MIC)
//! ticks    u32 LE count, then per tick:
//!            u8 kind (low 2 bits: 0 bid, 1 ask, 2 trade, 3 trade outside the last sale) and
//!               symbol index (high 6 bits)
//!            u8 venue index
//!            varint milliseconds since the previous tick (the first: since start)
//!            zigzag varint change of price since the last tick of the same symbol and kind,
//!               in units of 10^-4 currency
//!            varint size in whole units (shares)
//! ```
//!
//! Facts only: what the tape printed, in its order. What follows from it (a quote that the tape
//! contradicts) is derived on replay. The reader has a bound for everything and says where a
//! damaged file is wrong.

use std::fmt;
use std::io::Read;

const MAGIC: &[u8; 8] = b"OMSTICK1";
/// Largest decompressed size that is read: a defence against a file that is not ours.
const MAX_BYTES: u64 = 64 << 20;
const MAX_SYMBOLS: usize = 64;
const MAX_VENUES: usize = 64;
const MAX_TICKS: u32 = 8_000_000;
const NANOS_PER_MILLI: u64 = 1_000_000;

/// What one recorded tick says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawKind {
    /// The consolidated best bid, and the venue that showed it.
    Bid,
    /// The consolidated best offer, and the venue that showed it.
    Ask,
    /// A trade that counts as a last sale (regular, sweep or trade-through exempt).
    Trade,
    /// A trade that does not (average price, derivatively priced, late, cash, next day ...).
    TradeOther,
}

impl RawKind {
    const ALL: [Self; 4] = [Self::Bid, Self::Ask, Self::Trade, Self::TradeOther];

    const fn code(self) -> u8 {
        match self {
            Self::Bid => 0,
            Self::Ask => 1,
            Self::Trade => 2,
            Self::TradeOther => 3,
        }
    }
}

/// One recorded tick as it stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawTick {
    /// Milliseconds since the start of the slice.
    pub millis: u32,
    /// Index into [`Slice::symbols`].
    pub symbol: u8,
    /// Index into [`Slice::venues`].
    pub venue: u8,
    /// What it says.
    pub kind: RawKind,
    /// Price in 10^-4 currency units.
    pub price_e4: u32,
    /// Whole units (shares).
    pub size: u32,
}

/// A decoded slice file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// Nanoseconds since 1970-01-01 UTC of the first instant.
    pub start_ns: u64,
    /// Nanoseconds covered.
    pub length_ns: u64,
    /// Symbols by index.
    pub symbols: Vec<String>,
    /// Venues by index, as MIC.
    pub venues: Vec<[u8; 4]>,
    /// Ticks in time order.
    pub ticks: Vec<RawTick>,
}

/// Why a slice file cannot be read, or a slice not be written. Offsets count decompressed bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SliceError {
    /// The zstd frame is damaged or not one.
    Compression {
        /// What the decompressor said.
        detail: String,
    },
    /// More than [`MAX_BYTES`] after decompression.
    TooLarge {
        /// The bound in bytes.
        limit: u64,
    },
    /// The first eight bytes are not the magic.
    NotASlice,
    /// The file ends inside an item.
    Truncated {
        /// Where the item begins.
        offset: usize,
        /// What was being read.
        item: &'static str,
    },
    /// A value that the format does not allow.
    Bad {
        /// Where the value begins.
        offset: usize,
        /// What it is.
        item: &'static str,
        /// The value found.
        value: u64,
        /// The largest allowed.
        limit: u64,
    },
    /// Bytes after the last tick.
    Trailing {
        /// Where they begin.
        offset: usize,
    },
    /// A tick is earlier than the one before it (writing only).
    OutOfOrder {
        /// Index of the tick.
        tick: usize,
    },
}

impl fmt::Display for SliceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compression { detail } => write!(f, "slice: cannot decompress: {detail}"),
            Self::TooLarge { limit } => write!(f, "slice: more than {limit} bytes"),
            Self::NotASlice => f.write_str("slice: not a tick slice (magic differs)"),
            Self::Truncated { offset, item } => {
                write!(f, "slice: ends inside {item} that begins at byte {offset}")
            }
            Self::Bad { offset, item, value, limit } => {
                write!(f, "slice: {item} at byte {offset} is {value}, allowed is up to {limit}")
            }
            Self::Trailing { offset } => write!(f, "slice: bytes after the last tick at {offset}"),
            Self::OutOfOrder { tick } => {
                write!(f, "slice: tick {tick} is earlier than its predecessor")
            }
        }
    }
}

impl std::error::Error for SliceError {}

impl Slice {
    /// Reads a slice file.
    ///
    /// # Errors
    /// [`SliceError`] naming the place; nothing is guessed or skipped.
    pub fn decode(compressed: &[u8]) -> Result<Self, SliceError> {
        let mut plain = Vec::new();
        let broken = |error: std::io::Error| SliceError::Compression { detail: error.to_string() };
        let decoder = zstd::stream::read::Decoder::new(compressed).map_err(broken)?;
        decoder.take(MAX_BYTES + 1).read_to_end(&mut plain).map_err(broken)?;
        if plain.len() as u64 > MAX_BYTES {
            return Err(SliceError::TooLarge { limit: MAX_BYTES });
        }
        Self::decode_plain(&plain)
    }

    fn decode_plain(bytes: &[u8]) -> Result<Self, SliceError> {
        let mut input = Cursor { bytes, at: 0 };
        if input.array::<8>("magic")? != *MAGIC {
            return Err(SliceError::NotASlice);
        }
        let start_ns = u64::from_le_bytes(input.array("start")?);
        let length_ns = u64::from_le_bytes(input.array("length")?);
        let symbols = input.symbols()?;
        let venues = input.venues()?;
        let ticks = input.ticks(length_ns, symbols.len(), venues.len())?;
        if input.at != bytes.len() {
            return Err(SliceError::Trailing { offset: input.at });
        }
        Ok(Self { start_ns, length_ns, symbols, venues, ticks })
    }

    /// Writes the slice as a compressed file at the given zstd level.
    ///
    /// # Errors
    /// A count above the format's bounds, ticks out of order, or a compressor failure.
    pub fn encode(&self, level: i32) -> Result<Vec<u8>, SliceError> {
        let plain = self.encode_plain()?;
        let broken = |error: std::io::Error| SliceError::Compression { detail: error.to_string() };
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), level).map_err(broken)?;
        encoder.include_checksum(true).map_err(broken)?;
        std::io::Write::write_all(&mut encoder, &plain).map_err(broken)?;
        encoder.finish().map_err(broken)
    }

    fn encode_plain(&self) -> Result<Vec<u8>, SliceError> {
        let mut out = Vec::with_capacity(self.ticks.len() * 8 + 256);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&self.start_ns.to_le_bytes());
        out.extend_from_slice(&self.length_ns.to_le_bytes());
        out.push(bounded(self.symbols.len(), MAX_SYMBOLS, "symbol count")? as u8);
        for symbol in &self.symbols {
            out.push(bounded(symbol.len(), 255, "symbol length")? as u8);
            out.extend_from_slice(symbol.as_bytes());
        }
        out.push(bounded(self.venues.len(), MAX_VENUES, "venue count")? as u8);
        for mic in &self.venues {
            out.extend_from_slice(mic);
        }
        let count = bounded(self.ticks.len(), MAX_TICKS as usize, "tick count")? as u32;
        out.extend_from_slice(&count.to_le_bytes());
        self.encode_ticks(&mut out)?;
        Ok(out)
    }

    fn encode_ticks(&self, out: &mut Vec<u8>) -> Result<(), SliceError> {
        let mut previous = 0_u32;
        let mut last_price = [[0_i64; 4]; MAX_SYMBOLS];
        for (index, tick) in self.ticks.iter().enumerate() {
            let symbol = bounded(usize::from(tick.symbol), self.symbols.len().saturating_sub(1), "symbol")?;
            let venue = bounded(usize::from(tick.venue), self.venues.len().saturating_sub(1), "venue")?;
            let Some(delta) = tick.millis.checked_sub(previous) else {
                return Err(SliceError::OutOfOrder { tick: index });
            };
            previous = tick.millis;
            let code = tick.kind.code();
            out.push((symbol as u8) << 2 | code);
            out.push(venue as u8);
            put_varint(out, u64::from(delta));
            let price = i64::from(tick.price_e4);
            if let Some(last) = last_price.get_mut(symbol).and_then(|row| row.get_mut(usize::from(code))) {
                put_varint(out, zigzag(price - *last));
                *last = price;
            }
            put_varint(out, u64::from(tick.size));
        }
        Ok(())
    }
}

fn bounded(value: usize, limit: usize, item: &'static str) -> Result<usize, SliceError> {
    if value <= limit {
        return Ok(value);
    }
    Err(SliceError::Bad { offset: 0, item, value: value as u64, limit: limit as u64 })
}

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn array<const N: usize>(&mut self, item: &'static str) -> Result<[u8; N], SliceError> {
        let found = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<N>());
        let Some(found) = found else {
            return Err(SliceError::Truncated { offset: self.at, item });
        };
        self.at += N;
        Ok(*found)
    }

    fn byte(&mut self, item: &'static str, limit: usize) -> Result<usize, SliceError> {
        let offset = self.at;
        let [value] = self.array::<1>(item)?;
        self.within(offset, item, u64::from(value), limit as u64).map(|value| value as usize)
    }

    fn within(&self, offset: usize, item: &'static str, value: u64, limit: u64) -> Result<u64, SliceError> {
        if value <= limit {
            return Ok(value);
        }
        Err(SliceError::Bad { offset, item, value, limit })
    }

    fn varint(&mut self, item: &'static str, limit: u64) -> Result<u64, SliceError> {
        let offset = self.at;
        let mut value = 0_u64;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array::<1>(item)?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return self.within(offset, item, value, limit);
            }
        }
        Err(SliceError::Bad { offset, item, value, limit })
    }

    fn symbols(&mut self) -> Result<Vec<String>, SliceError> {
        let count = self.byte("symbol count", MAX_SYMBOLS)?;
        let mut symbols = Vec::with_capacity(count);
        for _ in 0..count {
            let length = self.byte("symbol length", 255)?;
            let mut symbol = String::with_capacity(length);
            for _ in 0..length {
                symbol.push(char::from(self.byte("symbol character", 127)? as u8));
            }
            symbols.push(symbol);
        }
        Ok(symbols)
    }

    fn venues(&mut self) -> Result<Vec<[u8; 4]>, SliceError> {
        let count = self.byte("venue count", MAX_VENUES)?;
        (0..count).map(|_| self.array("venue MIC")).collect()
    }

    fn ticks(&mut self, length_ns: u64, symbols: usize, venues: usize) -> Result<Vec<RawTick>, SliceError> {
        let offset = self.at;
        let count = u32::from_le_bytes(self.array("tick count")?);
        self.within(offset, "tick count", u64::from(count), u64::from(MAX_TICKS))?;
        // A tick takes five bytes at least: an inflated count cannot make us reserve more.
        let mut ticks = Vec::with_capacity((count as usize).min(self.bytes.len() / 5));
        let last_milli = (length_ns / NANOS_PER_MILLI).saturating_sub(1).min(u64::from(u32::MAX));
        let mut millis = 0_u64;
        let mut last_price = [[0_i64; 4]; MAX_SYMBOLS];
        for _ in 0..count {
            let offset = self.at;
            let head = self.byte("tick kind", 255)?;
            let kind = RawKind::ALL.get(head & 3).copied().unwrap_or(RawKind::Bid);
            let symbol = self.within(offset, "symbol", (head >> 2) as u64, symbols.saturating_sub(1) as u64)?;
            let venue = self.byte("venue", venues.saturating_sub(1))?;
            millis += self.varint("time delta", last_milli)?;
            self.within(offset, "tick time", millis, last_milli)?;
            let change = unzigzag(self.varint("price change", u64::from(u32::MAX) * 2)?);
            let cell = last_price.get_mut(symbol as usize).and_then(|row| row.get_mut(head & 3));
            let price = cell.map_or(0, |last| {
                *last += change;
                *last
            });
            let price = u64::try_from(price).unwrap_or(u64::MAX);
            let price_e4 = self.within(offset, "price", price, u64::from(u32::MAX))? as u32;
            let size = self.varint("size", u64::from(u32::MAX))? as u32;
            ticks.push(RawTick { millis: millis as u32, symbol: symbol as u8, venue: venue as u8, kind, price_e4, size });
        }
        Ok(ticks)
    }
}
