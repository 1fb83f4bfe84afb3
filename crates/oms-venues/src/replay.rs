//! A recorded market, replayed.
//!
//! - The shipped slice is thirty minutes of AIG, BAC and IBM on 2013-10-08, see
//!   `data/ATTRIBUTION.md`. A file of the same format replays any other day.
//! - Ticks come in the order of the tape. A recorded quote is the *consolidated best* of its side
//!   and the venue that showed it; a venue's own quote is its last row. When the tape moves its
//!   best to a worse price, a venue whose last row was better has evidently left that price: the
//!   [`Board`] withdraws it. Without this the rows left standing would cross the market.
//! - Every tick carries two times: when it was recorded (`source`), and when it is due in this
//!   replay (`at`). Receivers judge staleness by the latter.

mod board;
mod clock;
mod format;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use oms_model::{Mic, Price, Qty, Side, Symbol, Time};

pub use board::Board;
pub use clock::{ReplayClock, Speed, SpeedError};
pub use format::{RawKind, RawTick, Slice, SliceError};

/// The slice that ships with the product.
const EMBEDDED: &[u8] = include_bytes!("../data/us-equity-20131008.slice.zst");
/// 10^-4 currency in units of [`Price`].
const PRICE_UNIT: i64 = 100_000;
const WHOLE_UNIT: i128 = 1_000_000_000;

/// A price and the quantity shown or traded at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Price per unit.
    pub price: Price,
    /// Quantity.
    pub size: Qty,
}

/// What a tick says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TickKind {
    /// A venue's own quote of one side.
    Quote {
        /// The venue.
        venue: Mic,
        /// [`Side::Buy`] for the bid, [`Side::Sell`] for the offer.
        side: Side,
        /// The quote; `None` when it was withdrawn.
        shown: Option<Shown>,
    },
    /// A trade print.
    Trade {
        /// Where it was printed; `FINN` for trades off exchange.
        venue: Mic,
        /// Price and quantity.
        traded: Shown,
        /// Whether it counts as a last sale. Others (average price, late, derivatively priced)
        /// neither fill resting orders nor trigger stops.
        last_sale: bool,
    },
}

/// One tick of a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// When it is due in this replay.
    pub at: Time,
    /// When it was recorded.
    pub source: Time,
    /// Index into [`Recording::symbols`].
    pub symbol: usize,
    /// What it says.
    pub kind: TickKind,
}

/// Why a recording cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file cannot be read.
    #[error("cannot read {path}: {error}")]
    Read {
        /// The file.
        path: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// The file is damaged or not a slice.
    #[error(transparent)]
    Slice(#[from] SliceError),
    /// A symbol in it is not one that the model can hold.
    #[error("symbol {symbol:?} of the recording is not valid")]
    BadSymbol {
        /// The symbol.
        symbol: String,
    },
    /// A venue in it is not a MIC.
    #[error("venue {venue:?} of the recording is not a market identifier code")]
    BadVenue {
        /// The four bytes.
        venue: [u8; 4],
    },
    /// It has no ticks or no duration, so it cannot be repeated.
    #[error("the recording has {ticks} ticks over {length_ns} ns")]
    Empty {
        /// Ticks in it.
        ticks: usize,
        /// Its duration, nanoseconds.
        length_ns: u64,
    },
}

/// A recorded market, decoded.
#[derive(Debug)]
pub struct Recording {
    slice: Slice,
    symbols: Vec<Symbol>,
    venues: Vec<Mic>,
}

impl Recording {
    /// The recording that ships with the product.
    ///
    /// # Errors
    /// None in a sound build: the file is compiled in and tested.
    pub fn embedded() -> Result<Self, RecordingError> {
        Self::from_bytes(EMBEDDED)
    }

    /// Reads a slice file.
    ///
    /// # Errors
    /// An unreadable or damaged file, with the place of the damage.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let bytes = std::fs::read(path).map_err(|error| RecordingError::Read { path: path.display().to_string(), error })?;
        Self::from_bytes(&bytes)
    }

    /// Decodes the bytes of a slice file.
    ///
    /// # Errors
    /// Damage, with its place.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordingError> {
        Self::from_slice(Slice::decode(bytes)?)
    }

    /// From a slice in memory.
    ///
    /// # Errors
    /// Symbols or venues that the model cannot hold; nothing to replay.
    pub fn from_slice(slice: Slice) -> Result<Self, RecordingError> {
        let symbol = |text: &String| Symbol::new(text).map_err(|_| RecordingError::BadSymbol { symbol: text.clone() });
        let venue = |mic: &[u8; 4]| {
            std::str::from_utf8(mic).ok().and_then(|text| text.parse().ok()).ok_or(RecordingError::BadVenue { venue: *mic })
        };
        let symbols = slice.symbols.iter().map(symbol).collect::<Result<_, _>>()?;
        let venues = slice.venues.iter().map(venue).collect::<Result<_, _>>()?;
        if slice.ticks.is_empty() || slice.length_ns == 0 {
            return Err(RecordingError::Empty { ticks: slice.ticks.len(), length_ns: slice.length_ns });
        }
        Ok(Self { slice, symbols, venues })
    }

    /// The symbols, by index.
    #[must_use]
    pub fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// The venues that occur.
    #[must_use]
    pub fn venues(&self) -> &[Mic] {
        &self.venues
    }

    /// The recorded ticks as they stand in the file.
    #[must_use]
    pub fn ticks(&self) -> &[RawTick] {
        &self.slice.ticks
    }

    /// The first recorded instant.
    #[must_use]
    pub fn start(&self) -> Time {
        Time(i64::try_from(self.slice.start_ns).unwrap_or(i64::MAX))
    }

    /// Nanoseconds covered.
    #[must_use]
    pub fn length_ns(&self) -> u64 {
        self.slice.length_ns
    }
}

/// A position in a recording: hands out ticks when they are due.
#[derive(Debug)]
pub struct Replay {
    recording: Arc<Recording>,
    clock: ReplayClock,
    repeat: bool,
    /// Index of the next raw tick.
    next: usize,
    board: Board,
    /// Ticks that are due at once: what the board derived, and the raw tick behind them.
    ready: VecDeque<Tick>,
}

impl Replay {
    /// Starts a replay at `start`. With `repeat` it begins again at the end, after withdrawing
    /// every quote (a session roll), for ever.
    #[must_use]
    pub fn new(recording: Arc<Recording>, start: Time, speed: Speed, repeat: bool) -> Self {
        let clock = ReplayClock::new(start, recording.length_ns(), speed);
        let board = Board::new(recording.symbols().len(), recording.venues());
        Self { recording, clock, repeat, next: 0, board, ready: VecDeque::new() }
    }

    /// What is replayed.
    #[must_use]
    pub fn recording(&self) -> &Arc<Recording> {
        &self.recording
    }

    /// How fast.
    #[must_use]
    pub fn speed(&self) -> Speed {
        self.clock.speed()
    }

    /// How often the recording has begun again.
    #[must_use]
    pub fn round(&self) -> u64 {
        self.clock.round()
    }

    /// When the next tick is due; `None` at the end of a replay that does not repeat.
    #[must_use]
    pub fn next_due(&self) -> Option<Time> {
        if let Some(tick) = self.ready.front() {
            return Some(tick.at);
        }
        match self.recording.ticks().get(self.next) {
            Some(raw) => Some(self.clock.due(offset_ns(raw))),
            None => self.repeat.then(|| self.clock.round_end()),
        }
    }

    /// The next tick that is due at `now`, if any.
    pub fn pop(&mut self, now: Time) -> Option<Tick> {
        loop {
            if self.next_due()? > now {
                return None;
            }
            if let Some(tick) = self.ready.pop_front() {
                return Some(tick);
            }
            match self.recording.ticks().get(self.next).copied() {
                Some(raw) => self.read(raw),
                None => self.roll(),
            }
        }
    }

    fn read(&mut self, raw: RawTick) {
        self.next += 1;
        let Some(&venue) = self.recording.venues().get(usize::from(raw.venue)) else { return };
        let offset = offset_ns(&raw);
        let (at, source) = (self.clock.due(offset), self.recording.start().plus(saturating_i64(offset)));
        let symbol = usize::from(raw.symbol);
        let shown =
            Shown { price: Price::from_raw(i64::from(raw.price_e4) * PRICE_UNIT), size: Qty::from_raw(i128::from(raw.size) * WHOLE_UNIT) };
        let side = match raw.kind {
            RawKind::Bid => Side::Buy,
            RawKind::Ask => Side::Sell,
            RawKind::Trade | RawKind::TradeOther => {
                let last_sale = raw.kind == RawKind::Trade;
                let kind = TickKind::Trade { venue, traded: shown, last_sale };
                self.ready.push_back(Tick { at, source, symbol, kind });
                return;
            }
        };
        for contradicted in self.board.show(symbol, venue, side, shown) {
            let kind = TickKind::Quote { venue: contradicted, side, shown: None };
            self.ready.push_back(Tick { at, source, symbol, kind });
        }
        let shown = shown.size.is_positive().then_some(shown);
        self.ready.push_back(Tick { at, source, symbol, kind: TickKind::Quote { venue, side, shown } });
    }

    /// The end of the recording: every quote is withdrawn, then the first tick follows again.
    fn roll(&mut self) {
        let at = self.clock.round_end();
        let source = self.recording.start().plus(saturating_i64(self.recording.length_ns()));
        for (symbol, venue, side) in self.board.clear() {
            let kind = TickKind::Quote { venue, side, shown: None };
            self.ready.push_back(Tick { at, source, symbol, kind });
        }
        self.clock.roll();
        self.next = 0;
    }
}

fn offset_ns(raw: &RawTick) -> u64 {
    u64::from(raw.millis) * 1_000_000
}

fn saturating_i64(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
