//! The trading floor: every paper venue on one replayed market.
//!
//! - Sans I/O apart from the venues' ledgers, and deterministic: whoever drives it says what time
//!   it is, and gets what happened until then in order of time. The same seed, recording and calls
//!   give the same events.
//! - At one instant market data comes before reports, and venues come in the order of their MIC.
//! - A venue publishes what it really has: when we take displayed size, its quote shrinks until its
//!   next recorded row. Every [`FloorConfig::refresh_ns`] each standing quote is published again,
//!   as a venue's heartbeat: a quote that stands is not stale because it did not change.
//! - Recorded venues that are not on the floor are published too (they make the best bid and offer)
//!   but take no orders.

mod port;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use oms_model::report::Report;
use oms_model::{InstrumentId, Mic, Side, Symbol, Time};
use oms_runtime::port::{MarketSink, ReportSink, SinkClosed};

use crate::paper::PaperVenue;
use crate::paper::ledger::{FileLedger, LedgerError, MemoryLedger};
use crate::paper::profile::{VENUES, VenueProfile};
use crate::replay::{Recording, Replay, Shown, Speed, Tick, TickKind};

pub(crate) use port::turn_at;
pub use port::{PaperPort, SharedFloor, wall_time};

/// Trades reported off exchange carry this code in the recording.
const OFF_EXCHANGE: Mic = Mic::of(b"FINN");

/// Where the venues keep their ledgers.
#[derive(Clone, Debug)]
pub enum Ledgers {
    /// One file per venue, `<MIC>.ledger`, in this folder.
    Folder(PathBuf),
    /// In memory: venues that are opened again on clones of these remember.
    Memory(BTreeMap<Mic, MemoryLedger>),
}

impl Ledgers {
    /// Empty ledgers in memory for these venues.
    #[must_use]
    pub fn memory(venues: &[VenueProfile]) -> Self {
        Self::Memory(venues.iter().map(|profile| (profile.mic, MemoryLedger::new())).collect())
    }
}

/// What a floor is made of.
#[derive(Clone, Debug)]
pub struct FloorConfig {
    /// The market that is replayed.
    pub recording: Arc<Recording>,
    /// Which of its symbols are traded, and as what. Others are neither published nor traded.
    pub instruments: Vec<(Symbol, InstrumentId)>,
    /// The venues.
    pub venues: Vec<VenueProfile>,
    /// Of all chance on the floor.
    pub seed: u64,
    /// How fast the market is replayed.
    pub speed: Speed,
    /// Whether it begins again at its end.
    pub repeat: bool,
    /// When it begins.
    pub start: Time,
    /// Standing quotes are published again this often, nanoseconds; 0 is never.
    pub refresh_ns: u64,
    /// The venues' memory.
    pub ledgers: Ledgers,
}

impl FloorConfig {
    /// The eight built-in venues on `recording`, endlessly at its own speed, quotes refreshed every
    /// second.
    #[must_use]
    pub fn new(recording: Arc<Recording>, instruments: Vec<(Symbol, InstrumentId)>, start: Time, ledgers: Ledgers) -> Self {
        Self {
            recording,
            instruments,
            venues: VENUES.to_vec(),
            seed: 1,
            speed: Speed::Times(1),
            repeat: true,
            start,
            refresh_ns: 1_000_000_000,
            ledgers,
        }
    }
}

/// Something that happened on the floor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FloorEvent {
    /// A venue's quote of one side.
    Quote {
        /// What.
        instrument: InstrumentId,
        /// Where.
        venue: Mic,
        /// Which side.
        side: Side,
        /// The quote; `None` withdraws it.
        shown: Option<Shown>,
        /// When it is received.
        at: Time,
        /// When it was recorded; `None` where the floor made it.
        source: Option<Time>,
    },
    /// A trade print.
    Trade {
        /// What.
        instrument: InstrumentId,
        /// Where; `None` for off exchange.
        venue: Option<Mic>,
        /// Price and quantity.
        traded: Shown,
        /// Whether it counts as a last sale.
        last_sale: bool,
        /// When it is received.
        at: Time,
        /// When it was recorded.
        source: Time,
    },
    /// A venue's report.
    Report(Report),
}

impl FloorEvent {
    /// Puts it where it belongs. Trades that are no last sale are not passed on.
    ///
    /// # Errors
    /// Nobody takes reports any more.
    pub fn deliver(self, market: &dyn MarketSink, reports: &dyn ReportSink) -> Result<(), SinkClosed> {
        match self {
            Self::Quote { instrument, venue, side, shown, at, .. } => {
                market.quote(instrument, venue, side.is_buy(), shown.map(|shown| (shown.price, shown.size)), at);
            }
            Self::Trade { instrument, venue, traded, last_sale: true, at, .. } => {
                market.trade(instrument, venue, traded.price, traded.size, at);
            }
            Self::Trade { last_sale: false, .. } => (),
            Self::Report(report) => reports.report(report)?,
        }
        Ok(())
    }
}

/// The floor. See the module.
pub struct Floor {
    replay: Replay,
    /// By symbol index of the recording.
    instruments: Vec<Option<InstrumentId>>,
    venues: BTreeMap<Mic, PaperVenue>,
    /// Every published quote that stands, by (symbol index, venue, bid).
    standing: BTreeMap<(usize, Mic, bool), Shown>,
    refresh_ns: u64,
    next_refresh: Time,
    now: Time,
}

impl Floor {
    /// Opens the venues on their ledgers.
    ///
    /// # Errors
    /// A ledger that cannot be opened or is damaged.
    pub fn open(config: FloorConfig) -> Result<Self, LedgerError> {
        let symbols = config.recording.symbols().to_vec();
        let traded = |symbol: &Symbol| config.instruments.iter().find(|(s, _)| s == symbol).map(|(_, id)| *id);
        let instruments: Vec<_> = symbols.iter().map(traded).collect();
        let mut venues = BTreeMap::new();
        for profile in config.venues {
            let mic = profile.mic;
            let mut venue = open_venue(profile, config.seed, &config.ledgers)?;
            for (symbol, _) in symbols.iter().zip(&instruments).filter(|(_, id)| id.is_some()) {
                venue.list(symbol);
            }
            venues.insert(mic, venue);
        }
        Ok(Self {
            replay: Replay::new(config.recording, config.start, config.speed, config.repeat),
            instruments,
            venues,
            standing: BTreeMap::new(),
            refresh_ns: config.refresh_ns,
            next_refresh: config.start.plus(i64::try_from(config.refresh_ns).unwrap_or(i64::MAX)),
            now: config.start,
        })
    }

    /// The latest time that it was told.
    #[must_use]
    pub fn now(&self) -> Time {
        self.now
    }

    /// How fast the market is replayed.
    #[must_use]
    pub fn speed(&self) -> Speed {
        self.replay.speed()
    }

    /// How often the recording has begun again.
    #[must_use]
    pub fn round(&self) -> u64 {
        self.replay.round()
    }

    /// The venues, by MIC.
    pub fn venues(&self) -> impl Iterator<Item = (Mic, &PaperVenue)> {
        self.venues.iter().map(|(mic, venue)| (*mic, venue))
    }

    /// A venue.
    #[must_use]
    pub fn venue(&self, mic: Mic) -> Option<&PaperVenue> {
        self.venues.get(&mic)
    }

    /// Lists an instrument at every venue.
    pub fn list(&mut self, symbol: &Symbol) {
        for venue in self.venues.values_mut() {
            venue.list(symbol);
        }
    }

    /// Trades one more instrument from now on; false where the recording has no such symbol. It is quoted with the next
    /// quote that is replayed.
    pub fn trade(&mut self, symbol: &Symbol, instrument_id: InstrumentId) -> bool {
        let at = self.replay.recording().symbols().iter().position(|known| known == symbol);
        let Some(place) = at.and_then(|at| self.instruments.get_mut(at)) else { return false };
        *place = Some(instrument_id);
        self.list(symbol);
        true
    }

    /// A venue, to ask it or to set its faults.
    pub fn venue_mut(&mut self, mic: Mic) -> Option<&mut PaperVenue> {
        self.venues.get_mut(&mic)
    }

    /// When something happens next; `None`: nothing ever, unless asked.
    #[must_use]
    pub fn next_due(&self) -> Option<Time> {
        let venues = self.venues.values().filter_map(PaperVenue::next_due).min();
        let refresh = (self.refresh_ns > 0 && !self.standing.is_empty()).then_some(self.next_refresh);
        let due = [self.replay.next_due(), venues, refresh].into_iter().flatten().min()?;
        Some(due.max(self.now))
    }

    /// Lets time pass until `now`, or until `limit` events or more are there; answers whether
    /// it got to `now`.
    pub fn advance(&mut self, now: Time, limit: usize, out: &mut Vec<FloorEvent>) -> bool {
        let limit = out.len().saturating_add(limit);
        while let Some(at) = self.next_due().filter(|&at| at <= now) {
            if out.len() >= limit {
                return false;
            }
            self.now = at;
            match self.replay.pop(at) {
                Some(tick) => {
                    self.work_venues(at, out);
                    self.tick(&tick, out);
                }
                None => self.work_venues(at, out),
            }
            self.refresh(at, out);
        }
        self.now = self.now.max(now);
        true
    }

    /// As [`Floor::advance`], but up to `ticks` of the market come at once, however early: the
    /// replay is as fast as its driver. Answers whether the market goes on.
    pub fn advance_unpaced(&mut self, now: Time, ticks: usize, out: &mut Vec<FloorEvent>) -> bool {
        self.now = self.now.max(now);
        let mut goes_on = true;
        for _ in 0..ticks {
            let Some(tick) = self.replay.pop(Time(i64::MAX)) else {
                goes_on = false;
                break;
            };
            self.tick(&Tick { at: self.now, ..tick }, out);
        }
        self.work_venues(self.now, out);
        self.refresh(self.now, out);
        goes_on
    }

    /// Jumps to the next instant at which something happens, at the latest to `until`, and lets it
    /// happen. False: nothing was left until then.
    pub fn step(&mut self, until: Time, out: &mut Vec<FloorEvent>) -> bool {
        match self.next_due().filter(|&at| at <= until) {
            Some(at) => {
                self.advance(at, usize::MAX, out);
                true
            }
            None => {
                self.now = self.now.max(until);
                false
            }
        }
    }

    /// The session ends: DAY orders expire at every venue.
    pub fn end_session(&mut self, now: Time) {
        self.now = self.now.max(now);
        for venue in self.venues.values_mut() {
            venue.end_session(self.now);
        }
    }

    fn tick(&mut self, tick: &Tick, out: &mut Vec<FloorEvent>) {
        let Some(&Some(instrument)) = self.instruments.get(tick.symbol) else { return };
        let Some(symbol) = self.replay.recording().symbols().get(tick.symbol).cloned() else { return };
        let (at, source) = (tick.at, tick.source);
        match tick.kind {
            TickKind::Quote { venue, side, shown } => {
                self.publish(tick.symbol, venue, side, shown);
                out.push(FloorEvent::Quote { instrument, venue, side, shown, at, source: Some(source) });
                if let Some(venue) = self.venues.get_mut(&venue) {
                    venue.on_quote(at, &symbol, side, shown);
                }
            }
            TickKind::Trade { venue, traded, last_sale } => {
                let printed = (venue != OFF_EXCHANGE).then_some(venue);
                out.push(FloorEvent::Trade { instrument, venue: printed, traded, last_sale, at, source });
                if last_sale {
                    for (mic, paper) in &mut self.venues {
                        paper.on_last_sale(at, &symbol, traded, *mic == venue);
                    }
                }
            }
        }
        self.publish_taken(at, out);
    }

    fn work_venues(&mut self, at: Time, out: &mut Vec<FloorEvent>) {
        let mut touched = false;
        for venue in self.venues.values_mut() {
            if venue.next_due().is_some_and(|due| due <= at) {
                touched = true;
                venue.advance(at);
                while let Some(report) = venue.poll(at) {
                    out.push(FloorEvent::Report(report));
                }
            }
        }
        if touched {
            self.publish_taken(at, out);
        }
    }

    fn publish_taken(&mut self, at: Time, out: &mut Vec<FloorEvent>) {
        let mut changes = Vec::new();
        for (mic, venue) in &mut self.venues {
            for (symbol, side, shown) in venue.take_published() {
                let index = self.replay.recording().symbols().iter().position(|known| *known == symbol);
                let Some(index) = index else { continue };
                let Some(&Some(instrument)) = self.instruments.get(index) else { continue };
                changes.push((index, *mic, side, shown));
                out.push(FloorEvent::Quote { instrument, venue: *mic, side, shown, at, source: None });
            }
        }
        for (index, mic, side, shown) in changes {
            self.publish(index, mic, side, shown);
        }
    }

    fn publish(&mut self, symbol: usize, venue: Mic, side: Side, shown: Option<Shown>) {
        let key = (symbol, venue, side.is_buy());
        match shown {
            Some(shown) => self.standing.insert(key, shown),
            None => self.standing.remove(&key),
        };
    }

    fn refresh(&mut self, at: Time, out: &mut Vec<FloorEvent>) {
        if self.refresh_ns == 0 || at < self.next_refresh {
            return;
        }
        for (&(symbol, venue, bid), &shown) in &self.standing {
            let Some(&Some(instrument)) = self.instruments.get(symbol) else { continue };
            let side = if bid { Side::Buy } else { Side::Sell };
            out.push(FloorEvent::Quote { instrument, venue, side, shown: Some(shown), at, source: None });
        }
        self.next_refresh = at.plus(i64::try_from(self.refresh_ns).unwrap_or(i64::MAX));
    }
}

fn open_venue(profile: VenueProfile, seed: u64, ledgers: &Ledgers) -> Result<PaperVenue, LedgerError> {
    match ledgers {
        Ledgers::Folder(folder) => {
            let (ledger, records) = FileLedger::open(&folder.join(format!("{}.ledger", profile.mic)))?;
            PaperVenue::open(profile, seed, Box::new(ledger), &records)
        }
        Ledgers::Memory(ledgers) => {
            let ledger = ledgers.get(&profile.mic).cloned().unwrap_or_default();
            let records = ledger.records()?;
            PaperVenue::open(profile, seed, Box::new(ledger), &records)
        }
    }
}

#[cfg(test)]
mod tests;
