//! Committed batches, in order, to whoever follows the log.
//!
//! - Only what is durable is here; nothing is ever taken back.
//! - A follower has its own cursor. One that falls behind the window reads on from the journal: a slow
//!   follower costs nobody anything and misses nothing.

use oms_model::Seq;
use oms_model::event::Batch;
use oms_store::codec;
use oms_store::{Entry, JournalReader};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How many batches are held for followers that keep up.
const WINDOW: usize = 16_384;
/// How many bytes a follower that catches up reads at a time.
const CATCH_UP_BYTES: usize = 1 << 20;

/// A follower could not read on.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The journal could not be read.
    #[error("the journal cannot be read: {0}")]
    Journal(String),
    /// A stored batch could not be decoded.
    #[error("the batch at sequence {seq} cannot be decoded: {reason}")]
    Decode {
        /// Its first sequence.
        seq: u64,
        /// Why.
        reason: String,
    },
    /// The process is stopping.
    #[error("the log is closed")]
    Closed,
}

#[derive(Default)]
struct Window {
    batches: VecDeque<Arc<Batch>>,
    closed: bool,
}

struct Shared {
    window: Mutex<Window>,
    durable: AtomicU64,
    /// The window's, for whoever waits without looking into it.
    closed: AtomicBool,
    grown: Condvar,
    grown_async: Notify,
    // One for all: only followers that are far behind need it.
    reader: Mutex<Box<dyn JournalReader>>,
}

/// The committed log as followers see it.
#[derive(Clone)]
pub struct Feed {
    shared: Arc<Shared>,
}

impl Feed {
    /// A feed of the log that `reader` reads; what is durable in it now comes from there.
    #[must_use]
    pub fn new(reader: Box<dyn JournalReader>) -> Self {
        let durable = Seq(reader.tip().last_seq);
        let shared = Shared {
            window: Mutex::default(),
            durable: AtomicU64::new(durable.0),
            closed: AtomicBool::new(false),
            grown: Condvar::new(),
            grown_async: Notify::new(),
            reader: Mutex::new(reader),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The last durable sequence.
    #[must_use]
    pub fn durable(&self) -> Seq {
        Seq(self.shared.durable.load(Ordering::Acquire))
    }

    /// Publishes batches that have become durable. Only the commit thread calls it.
    pub(crate) fn publish(&self, batches: impl Iterator<Item = Arc<Batch>>) {
        // What leaves the window is given back once followers can look into it again.
        let mut left = Vec::new();
        let mut window = self.shared.window.lock().unwrap_or_else(PoisonError::into_inner);
        let mut durable = self.shared.durable.load(Ordering::Acquire);
        for batch in batches {
            assert_eq!(batch.first_seq.0, durable + 1, "committed batches have no gap");
            durable = batch.last_seq().0;
            if window.batches.len() == WINDOW {
                left.extend(window.batches.pop_front());
            }
            window.batches.push_back(batch);
        }
        self.shared.durable.store(durable, Ordering::Release);
        drop(window);
        self.shared.grown.notify_all();
        self.shared.grown_async.notify_waiters();
    }

    /// No more batches will come; followers end once they have read what there is.
    pub(crate) fn close(&self) {
        self.shared.window.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.shared.closed.store(true, Ordering::Release);
        self.shared.grown.notify_all();
        self.shared.grown_async.notify_waiters();
    }

    /// A follower whose first batch is the one that holds the event after `after`.
    #[must_use]
    pub fn follow(&self, after: Seq) -> Follower {
        Follower { feed: self.clone(), next: after.next(), read_ahead: VecDeque::new() }
    }

    /// Waits until something after `seq` is durable. It looks at a number alone: thousands may wait so.
    ///
    /// # Errors
    /// [`FeedError::Closed`] once the log has ended and there is nothing.
    pub async fn beyond(&self, seq: Seq) -> Result<(), FeedError> {
        loop {
            let grown = self.shared.grown_async.notified();
            if self.durable() > seq {
                return Ok(());
            }
            if self.shared.closed.load(Ordering::Acquire) {
                return Err(FeedError::Closed);
            }
            grown.await;
        }
    }

    /// The batch that holds `seq`; `None` where it is not durable.
    ///
    /// # Errors
    /// See [`FeedError`].
    pub fn batch_at(&self, seq: Seq) -> Result<Option<Arc<Batch>>, FeedError> {
        if seq > self.durable() || seq.0 == 0 {
            return Ok(None);
        }
        if let Some(batch) = self.in_window(seq) {
            return Ok(Some(batch));
        }
        // One byte: the entry that holds the sequence and no more.
        Ok(self.read_from(seq, 1)?.into_iter().next().map(Arc::new))
    }

    fn in_window(&self, seq: Seq) -> Option<Arc<Batch>> {
        let window = self.shared.window.lock().unwrap_or_else(PoisonError::into_inner);
        window.batches.front().filter(|first| first.first_seq <= seq)?;
        let at = window.batches.partition_point(|batch| batch.last_seq() < seq);
        window.batches.get(at).cloned()
    }

    /// Stored batches from the one that holds `seq`, until their bodies reach so many bytes.
    fn read_from(&self, seq: Seq, bytes: usize) -> Result<Vec<Batch>, FeedError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut reader = self.shared.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.read(seq.0, bytes, &mut entries).map_err(|e| FeedError::Journal(e.to_string()))?;
        drop(reader);
        let decode =
            |entry: &Entry| codec::decode_batch(&entry.body).map_err(|e| FeedError::Decode { seq: entry.first_seq, reason: e.to_string() });
        entries.iter().map(decode).collect()
    }
}

/// A cursor in the committed log.
pub struct Follower {
    feed: Feed,
    next: Seq,
    read_ahead: VecDeque<Arc<Batch>>,
}

impl Follower {
    /// The sequence that the next batch will hold.
    #[must_use]
    pub fn next_seq(&self) -> Seq {
        self.next
    }

    /// The next batch if it is durable.
    ///
    /// # Errors
    /// See [`FeedError`].
    pub fn try_next(&mut self) -> Result<Option<Arc<Batch>>, FeedError> {
        if let Some(batch) = self.read_ahead.pop_front() {
            return Ok(Some(self.advance(batch)));
        }
        let found = {
            let window = self.feed.shared.window.lock().unwrap_or_else(PoisonError::into_inner);
            match window.batches.front() {
                Some(first) if first.first_seq <= self.next => {
                    let at = window.batches.partition_point(|batch| batch.last_seq() < self.next);
                    // Many at once, so that a follower that is behind takes the lock less often.
                    self.read_ahead.extend(window.batches.range(at..).take(256).cloned());
                    true
                }
                _ => false,
            }
        };
        if !found && self.next <= self.feed.durable() {
            self.catch_up()?;
        }
        Ok(self.read_ahead.pop_front().map(|batch| self.advance(batch)))
    }

    /// The next batch, waiting for it at most `timeout`.
    ///
    /// # Errors
    /// [`FeedError::Closed`] once the log has ended and everything was read.
    pub fn next_timeout(&mut self, timeout: Duration) -> Result<Option<Arc<Batch>>, FeedError> {
        let until = Instant::now() + timeout;
        loop {
            if let Some(batch) = self.try_next()? {
                return Ok(Some(batch));
            }
            let shared = self.feed.shared.clone();
            let window = shared.window.lock().unwrap_or_else(PoisonError::into_inner);
            if self.next <= self.feed.durable() {
                continue;
            }
            if window.closed {
                return Err(FeedError::Closed);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            drop(shared.grown.wait_timeout(window, left));
        }
    }

    /// The next batch, however long it takes.
    ///
    /// # Errors
    /// [`FeedError::Closed`] once the log has ended and everything was read.
    pub async fn next(&mut self) -> Result<Arc<Batch>, FeedError> {
        loop {
            let shared = self.feed.shared.clone();
            let grown = shared.grown_async.notified();
            if let Some(batch) = self.try_next()? {
                return Ok(batch);
            }
            if shared.window.lock().unwrap_or_else(PoisonError::into_inner).closed {
                return Err(FeedError::Closed);
            }
            grown.await;
        }
    }

    fn advance(&mut self, batch: Arc<Batch>) -> Arc<Batch> {
        self.next = batch.last_seq().next();
        batch
    }

    fn catch_up(&mut self) -> Result<(), FeedError> {
        self.read_ahead.extend(self.feed.read_from(self.next, CATCH_UP_BYTES)?.into_iter().map(Arc::new));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
