//! The market as it is now: one book for all readers, written by feeds.
//!
//! A reader takes a copy of one instrument's market; nobody waits for a slow reader. Streams are told
//! *that* something changed and read the latest, so a slow client sees fewer, never older, prices.

mod bars;
mod keeper;

pub use bars::{Bar, MAX_BARRED, MAX_BARS, Span};
pub use keeper::BarKeeper;

use crate::port::MarketSink;
use bars::Bars;
use oms_model::market::{Level, Market};
use oms_model::{InstrumentId, Mic, Price, Qty, Time};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use tokio::sync::Notify;

/// The most instruments in one book.
pub const MAX_INSTRUMENTS: usize = 65_536;

/// Told that a watched instrument has moved.
pub type Notifier = Box<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct Slot {
    market: Market,
    bars: Bars,
    version: u64,
    watched: bool,
    // Whether it is in the list of those that moved.
    listed: bool,
}

/// Every instrument's market.
#[derive(Default)]
pub struct MarketBook {
    slots: RwLock<Vec<RwLock<Slot>>>,
    ticks: AtomicU64,
    changed: Notify,
    // The watched instruments that moved until the loop that watches takes them: however many ticks, each of them once.
    moved: Mutex<Vec<InstrumentId>>,
    notify: RwLock<Option<Notifier>>,
}

impl MarketBook {
    /// An empty book.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The market in `instrument`; empty where nothing was received.
    #[must_use]
    pub fn get(&self, instrument: InstrumentId) -> Market {
        self.read(instrument, |slot| slot.market.clone()).unwrap_or_default()
    }

    /// Copies the market in `instrument` into `market`, keeping its memory.
    pub fn get_into(&self, instrument: InstrumentId, market: &mut Market) {
        if self.read(instrument, |slot| market.clone_from(&slot.market)).is_none() {
            market.clone_from(&Market::default());
        }
    }

    /// How often the market in `instrument` has changed.
    #[must_use]
    pub fn version(&self, instrument: InstrumentId) -> u64 {
        self.read(instrument, |slot| slot.version).unwrap_or(0)
    }

    /// The newest bars of `instrument`, at most so many, oldest first.
    #[must_use]
    pub fn bars(&self, instrument: InstrumentId, span: Span, most: usize) -> Vec<Bar> {
        self.read(instrument, |slot| slot.bars.last(span, most)).unwrap_or_default()
    }

    /// Takes back bars of before, oldest first, where `instrument` has none of that span yet.
    pub fn restore_bars(&self, instrument: InstrumentId, span: Span, bars: &[Bar]) {
        if !bars.is_empty() && (instrument.0 as usize) < MAX_BARRED {
            self.change(instrument, |slot| slot.bars.restore(span, bars));
        }
    }

    /// The bars that have changed since this was last asked, or all of them.
    #[must_use]
    pub fn unkept_bars(&self, all: bool) -> Vec<(InstrumentId, Span, Bar)> {
        let mut found = Vec::new();
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        for (instrument, slot) in (0..).map(InstrumentId).zip(slots.iter().take(MAX_BARRED)) {
            let mut slot = slot.write().unwrap_or_else(PoisonError::into_inner);
            slot.bars.unkept(all, |span, bar| found.push((instrument, span, bar)));
        }
        found
    }

    /// Quotes and trades received.
    #[must_use]
    pub fn ticks(&self) -> u64 {
        self.ticks.load(Ordering::Relaxed)
    }

    /// Waits for the next change of any instrument.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Calls `notify` when a watched instrument has moved, once until [`MarketBook::take_moved`]. The last caller is the
    /// one that is told; `notify` must not block.
    pub fn notify_moves(&self, notify: Notifier) {
        *self.notify.write().unwrap_or_else(PoisonError::into_inner) = Some(notify);
    }

    /// The watched instruments that have moved since this was last asked.
    pub fn take_moved(&self) -> Vec<InstrumentId> {
        let moved = std::mem::take(&mut *self.moved.lock().unwrap_or_else(PoisonError::into_inner));
        for instrument in &moved {
            // Before anybody reads its market: what moves from here on is listed again.
            self.change(*instrument, |slot| slot.listed = false);
        }
        moved
    }

    /// Begins or ends to watch an instrument.
    pub fn watch(&self, instrument: InstrumentId, watched: bool) {
        self.change(instrument, |slot| slot.watched = watched);
    }

    fn read<T>(&self, instrument: InstrumentId, f: impl FnOnce(&Slot) -> T) -> Option<T> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let slot = slots.get(instrument.0 as usize)?.read().unwrap_or_else(PoisonError::into_inner);
        Some(f(&slot))
    }

    /// Changes a slot, which is made where there is none. `None` beyond [`MAX_INSTRUMENTS`].
    fn change<T>(&self, instrument: InstrumentId, f: impl FnOnce(&mut Slot) -> T) -> Option<T> {
        let index = instrument.0 as usize;
        if index >= MAX_INSTRUMENTS {
            return None;
        }
        let known = self.slots.read().unwrap_or_else(PoisonError::into_inner).len();
        if index >= known {
            let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
            while slots.len() <= index {
                slots.push(RwLock::default());
            }
        }
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let mut slot = slots.get(index)?.write().unwrap_or_else(PoisonError::into_inner);
        Some(f(&mut slot))
    }

    fn write(&self, instrument: InstrumentId, traded: Qty, at: Time, f: impl FnOnce(&mut Market)) {
        let news = self.change(instrument, |slot| {
            f(&mut slot.market);
            if (instrument.0 as usize) < MAX_BARRED {
                slot.bars.take(&slot.market, traded, at);
            }
            slot.version += 1;
            let news = slot.watched && !slot.listed;
            slot.listed |= news;
            news
        });
        let Some(news) = news else { return };
        self.ticks.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_waiters();
        if news {
            self.list(instrument);
        }
    }

    /// Lists a watched instrument as moved. The first one of a list is told of.
    fn list(&self, instrument: InstrumentId) {
        let is_first = {
            let mut moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
            moved.push(instrument);
            moved.len() == 1
        };
        if is_first && let Some(notify) = &*self.notify.read().unwrap_or_else(PoisonError::into_inner) {
            notify();
        }
    }
}

impl MarketSink for MarketBook {
    fn quote(&self, instrument: InstrumentId, venue: Mic, bid_side: bool, level: Option<(Price, Qty)>, received_at: Time) {
        let level = level.map(|(price, size)| Level { price, size, at: received_at });
        self.write(instrument, Qty::ZERO, received_at, |market| market.set_quote(venue, bid_side, level));
    }

    fn trade(&self, instrument: InstrumentId, _venue: Option<Mic>, price: Price, qty: Qty, received_at: Time) {
        self.write(instrument, qty.max(Qty::ZERO), received_at, |market| market.set_last(price, qty, received_at));
    }
}
