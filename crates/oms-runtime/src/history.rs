//! The state as it was: rebuilt from the nearest state that is kept and the log behind it.
//!
//! - Off the hot path: it has a reader of its own, and nothing that decides ever waits for it.
//! - The work is bounded: events folded for one question, questions that wait, states kept for the next ones.
//! - A moment is the end of a batch: what one input led to was never seen in parts.

use crate::recovery::{self, RecoveryError};
use crate::snapshot;
use oms_engine::State;
use oms_model::event::Batch;
use oms_model::{Seq, Time};
use oms_store::codec::decode_batch;
use oms_store::{ChainHash, Entry, Journal, JournalError, JournalReader, SnapshotStore};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Which past is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// After this event.
    Seq(Seq),
    /// At this time.
    Time(Time),
}

/// The end of a batch, or the beginning of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// The last event that is known; 0 at the beginning.
    pub seq: Seq,
    /// When it was decided.
    pub time: Time,
}

/// Bounds of the work.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Events folded for one question.
    pub max_events: u64,
    /// Questions that wait at once, the one that is worked on included.
    pub max_waiting: usize,
    /// States kept for questions about the same time or a little later.
    pub max_kept: usize,
    /// Orders in the hot state beyond which it is not kept, because of its memory.
    pub max_kept_orders: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { max_events: 10_000_000, max_waiting: 8, max_kept: 2, max_kept_orders: 200_000 }
    }
}

/// Why the past cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// It is not past yet.
    #[error("sequence {asked} has not happened yet; the log ends at {last}")]
    NotYet {
        /// As asked.
        asked: Seq,
        /// Where the log ends.
        last: Seq,
    },
    /// More events lie between the nearest kept state and the moment than one question may fold.
    #[error("{events} events would have to be folded from the nearest kept state, at most {most} are")]
    TooFar {
        /// How many.
        events: u64,
        /// The most.
        most: u64,
    },
    /// Too many ask at once.
    #[error("{waiting} questions about the past are waiting already")]
    Busy {
        /// How many.
        waiting: usize,
    },
    /// The log does not give a state.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
}

impl From<JournalError> for HistoryError {
    fn from(error: JournalError) -> Self {
        Self::Recovery(RecoveryError::Journal(error))
    }
}

/// The moment that is meant: the last batch that had ended by then.
///
/// # Errors
/// [`HistoryError::NotYet`] for a sequence behind the end of the log; [`HistoryError::Recovery`] where it cannot be read.
pub fn moment(reader: &mut dyn JournalReader, as_of: AsOf) -> Result<Moment, HistoryError> {
    let last = Seq(reader.tip().last_seq);
    let time = match as_of {
        AsOf::Seq(asked) if asked > last => return Err(HistoryError::NotYet { asked, last }),
        AsOf::Seq(asked) => return before(reader, asked.0, |entry| entry.last_seq() <= asked.0),
        AsOf::Time(time) => time,
    };
    // Time never goes back in a log, so the entries that were decided by then are its beginning.
    let (mut from, mut to) = (1, last.0);
    while from <= to {
        let entry = entry_at(reader, from + (to - from) / 2)?;
        if entry.time_ns <= time.0 {
            from = entry.last_seq() + 1;
        } else {
            to = entry.first_seq - 1;
        }
    }
    before(reader, from - 1, |_| true)
}

/// The entry that holds `seq` where `ended` says that it is meant, else the one before it.
fn before(reader: &mut dyn JournalReader, seq: u64, ended: impl Fn(&Entry) -> bool) -> Result<Moment, HistoryError> {
    if seq == 0 {
        return Ok(Moment::default());
    }
    let mut entry = entry_at(reader, seq)?;
    if !ended(&entry) {
        if entry.first_seq == 1 {
            return Ok(Moment::default());
        }
        entry = entry_at(reader, entry.first_seq - 1)?;
    }
    Ok(Moment { seq: Seq(entry.last_seq()), time: Time(entry.time_ns) })
}

fn entry_at(reader: &mut dyn JournalReader, seq: u64) -> Result<Entry, HistoryError> {
    let mut entries = Vec::with_capacity(1);
    // One byte: the entry that holds the sequence and no more.
    reader.read(seq, 1, &mut entries)?;
    entries.pop().ok_or(HistoryError::NotYet { asked: Seq(seq), last: Seq(reader.tip().last_seq) })
}

struct Inside {
    reader: Box<dyn JournalReader>,
    snapshots: Box<dyn SnapshotStore>,
    /// The last used one is the last.
    kept: Vec<State>,
}

/// The past of one log. Cheap to clone. Its methods block: call them where that is allowed.
#[derive(Clone)]
pub struct History {
    inside: Arc<Mutex<Inside>>,
    waiting: Arc<AtomicUsize>,
    bounds: Bounds,
}

/// A place among those who wait; given back when dropped.
struct Waiting<'h>(&'h AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl History {
    /// The past of `journal`.
    #[must_use]
    pub fn of(journal: &dyn Journal, bounds: Bounds) -> Self {
        let inside = Inside { reader: journal.reader(), snapshots: journal.snapshots(), kept: Vec::new() };
        Self { inside: Arc::new(Mutex::new(inside)), waiting: Arc::new(AtomicUsize::new(0)), bounds }
    }

    /// The same past with bounds of its own and nothing kept yet; it waits for those who ask the other.
    #[must_use]
    pub fn with_bounds(&self, bounds: Bounds) -> Self {
        Self { inside: self.inside.clone(), waiting: Arc::new(AtomicUsize::new(0)), bounds }
    }

    fn enter<T>(&self, work: impl FnOnce(&mut Inside) -> Result<T, HistoryError>) -> Result<T, HistoryError> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _place = Waiting(&self.waiting);
        if before >= self.bounds.max_waiting {
            return Err(HistoryError::Busy { waiting: before });
        }
        // A state is kept only once it is whole, so what a panic left behind is good.
        work(&mut self.inside.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The moment that is meant; see [`moment`].
    ///
    /// # Errors
    /// As [`moment`], and [`HistoryError::Busy`].
    pub fn moment(&self, as_of: AsOf) -> Result<Moment, HistoryError> {
        self.enter(|inside| moment(inside.reader.as_mut(), as_of))
    }

    /// Reads the state as it was at a moment of this log.
    ///
    /// # Errors
    /// [`HistoryError::TooFar`], [`HistoryError::Busy`], [`HistoryError::Recovery`].
    pub fn read<T>(&self, moment: Moment, read: impl FnOnce(&State) -> T) -> Result<T, HistoryError> {
        self.enter(|inside| {
            let state = inside.state(moment.seq, &self.bounds)?;
            let answer = read(&state);
            if state.order_count() <= self.bounds.max_kept_orders {
                if inside.kept.len() >= self.bounds.max_kept {
                    inside.kept.remove(0);
                }
                inside.kept.push(state);
            }
            Ok(answer)
        })
    }
}

/// The chain of hashes over the log.
impl History {
    /// The hash of everything up to `seq`; `None` where no batch ends there.
    ///
    /// # Errors
    /// [`HistoryError::Busy`], [`HistoryError::Recovery`].
    pub fn chain_at(&self, seq: Seq) -> Result<Option<ChainHash>, HistoryError> {
        self.enter(|inside| Ok(inside.reader.hash_at(seq.0)?))
    }
}

/// Bytes of the log read at a time, so that others who ask wait for no more than that.
const PIECE: usize = 256 << 10;

impl History {
    /// Hands what was decided behind `after` to `visit`, batch by batch, up to `until` or the end of the log, or until it
    /// breaks. Answers how far that came.
    ///
    /// # Errors
    /// [`HistoryError::Busy`], [`HistoryError::Recovery`].
    pub fn follow(&self, after: Seq, until: Option<Seq>, mut visit: impl FnMut(&Batch) -> ControlFlow<()>) -> Result<Seq, HistoryError> {
        let mut last = after;
        loop {
            let mut entries = Vec::new();
            self.enter(|inside| {
                let tip = Seq(inside.reader.tip().last_seq);
                if last < until.map_or(tip, |until| until.min(tip)) {
                    inside.reader.read(last.0 + 1, PIECE, &mut entries)?;
                }
                Ok(())
            })?;
            if entries.is_empty() {
                return Ok(last);
            }
            for entry in entries {
                if until.is_some_and(|until| entry.last_seq() > until.0) {
                    return Ok(last);
                }
                let batch = decode_batch(&entry.body).map_err(|error| RecoveryError::Decode { seq: entry.first_seq, error })?;
                last = batch.last_seq();
                if visit(&batch).is_break() {
                    return Ok(last);
                }
            }
        }
    }
}

impl Inside {
    /// The state after `seq`, no longer among the kept ones.
    fn state(&mut self, seq: Seq, bounds: &Bounds) -> Result<State, HistoryError> {
        if let Some(at) = self.kept.iter().position(|state| state.last_seq() == seq) {
            return Ok(self.kept.remove(at));
        }
        let nearest = self.kept.iter().filter(|state| state.last_seq() < seq).max_by_key(|state| state.last_seq());
        let mut from = nearest.map_or(Seq(0), State::last_seq);
        let stored = self.snapshots.latest_until(snapshot::SCHEMA, seq.0)?.filter(|stored| stored.seq > from.0);
        let stored = stored.filter(|stored| snapshot::hash_of(&stored.bytes) == stored.state_hash);
        let stored = stored.and_then(|stored| snapshot::decode(&stored.bytes).ok());
        from = stored.as_ref().map_or(from, State::last_seq);
        let events = seq.0.saturating_sub(from.0);
        if events > bounds.max_events {
            return Err(HistoryError::TooFar { events, most: bounds.max_events });
        }
        let base = stored.or_else(|| nearest.cloned()).unwrap_or_default();
        if events == 0 {
            return Ok(base);
        }
        Ok(recovery::fold(self.reader.as_mut(), base, Some(seq.0))?.0)
    }
}
