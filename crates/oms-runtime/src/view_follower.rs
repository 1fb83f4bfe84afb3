//! Keeps the views in line with the log, off the hot path.

use crate::feed::{Feed, FeedError};
use oms_model::{Batch, Seq};
use oms_store::views::{ViewError, Views};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The most batches folded in one transaction.
const MAX_BATCHES: usize = 2_048;
/// From the beginning of one transaction to that of the next, while nobody waits for it. One order touches some twenty
/// pages of the file, and a hundred orders together touch few more; and an order that was answered for by its venue
/// meanwhile has its rows written once.
const PACE: Duration = Duration::from_millis(25);

/// The views cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum ViewFollowerError {
    /// The views' own store.
    #[error(transparent)]
    Views(#[from] ViewError),
    /// The log.
    #[error(transparent)]
    Feed(#[from] FeedError),
}

/// Views that follow a log.
pub struct ViewFollower {
    /// How far they are; a reader that needs its own writes waits for it.
    pub watermark: Watermark,
    thread: JoinHandle<()>,
}

/// How far the views are.
#[derive(Clone)]
pub struct Watermark {
    cursor: watch::Receiver<u64>,
    wanted: Arc<Wanted>,
}

impl Watermark {
    /// The last event that they hold.
    #[must_use]
    pub fn cursor(&self) -> Seq {
        Seq(*self.cursor.borrow())
    }

    /// Waits until they hold the event `seq`, and lets them not rest before. False where nobody fills them any more.
    pub async fn reached(&self, seq: Seq) -> bool {
        if self.cursor() >= seq {
            return true;
        }
        self.wanted.ask(seq);
        self.cursor.clone().wait_for(|&cursor| cursor >= seq.0).await.is_ok()
    }
}

/// The furthest event that somebody waits for.
#[derive(Default)]
struct Wanted {
    seq: Mutex<Seq>,
    raised: Condvar,
}

impl Wanted {
    fn ask(&self, seq: Seq) {
        let mut wanted = self.seq.lock().unwrap_or_else(PoisonError::into_inner);
        *wanted = (*wanted).max(seq);
        self.raised.notify_one();
    }

    /// Waits until then, or until somebody wants more than what is there.
    fn rest(&self, until: Instant, there: Seq) {
        let wanted = self.seq.lock().unwrap_or_else(PoisonError::into_inner);
        let left = until.saturating_duration_since(Instant::now());
        drop(self.raised.wait_timeout_while(wanted, left, |wanted| *wanted <= there));
    }
}

impl ViewFollower {
    /// Waits until the log has ended and everything of it is in the views.
    pub fn join(self) {
        // A thread that panicked has nothing left to wait for.
        drop(self.thread.join());
    }
}

/// Opens the views of this log at `path`, or makes them again from it where they are of another one.
///
/// # Errors
/// See [`ViewFollowerError`].
pub fn open(feed: &Feed, path: &Path) -> Result<Views, ViewFollowerError> {
    let at = |seq: Seq| feed.batch_at(seq).map_err(ViewFollowerError::from);
    let (views, doubt) = Views::open_or_rebuild(path, feed.durable(), at)?;
    if let Some(doubt) = doubt {
        tracing::warn!(%doubt, "the views are made again from the log");
    }
    Ok(views)
}

/// Follows `feed` into `views`. Views that cannot be written any more are made again from the log, under their readers.
///
/// # Errors
/// Where no thread can be started.
pub fn start(feed: &Feed, views: Views) -> std::io::Result<ViewFollower> {
    let (told, cursor) = watch::channel(views.cursor().0);
    let (feed, wanted) = (feed.clone(), Arc::new(Wanted::default()));
    let following = Following { views, told, wanted: wanted.clone(), failed_at: Seq(0), resets: 0 };
    let thread = std::thread::Builder::new().name("oms-views".to_owned()).spawn(move || following.run(&feed))?;
    Ok(ViewFollower { watermark: Watermark { cursor, wanted }, thread })
}

/// How often in a row the views are made again without having come further; a disk that is full stays full.
const MAX_RESETS: u32 = 3;

struct Following {
    views: Views,
    told: watch::Sender<u64>,
    wanted: Arc<Wanted>,
    /// The last event of the batches that failed furthest on.
    failed_at: Seq,
    resets: u32,
}

impl Following {
    fn run(mut self, feed: &Feed) {
        let mut follower = feed.follow(self.views.cursor());
        let mut batches: Vec<Arc<Batch>> = Vec::new();
        let mut next = Instant::now();
        loop {
            self.wanted.rest(next, self.views.cursor());
            match follower.next_timeout(Duration::from_millis(500)) {
                Ok(Some(batch)) => batches.push(batch),
                Ok(None) => continue,
                Err(FeedError::Closed) => return self.close(),
                Err(error) => return tracing::error!(%error, "the views cannot follow the log"),
            }
            next = Instant::now() + PACE;
            while batches.len() < MAX_BATCHES {
                match follower.try_next() {
                    Ok(Some(batch)) => batches.push(batch),
                    // An error shows itself again at the next turn.
                    Ok(None) | Err(_) => break,
                }
            }
            if let Err(error) = self.views.apply(&batches) {
                if !self.start_again(&error, batches.last().map_or(Seq(0), |batch| batch.last_seq())) {
                    // Readers that wait for the cursor are told in time that the views are behind.
                    return tracing::error!("the views cannot be kept; they are made again at the next start");
                }
                follower = feed.follow(self.views.cursor());
            }
            batches.clear();
            // Nobody may be reading.
            self.told.send_replace(self.views.cursor().0);
        }
    }

    fn close(self) {
        // They are a cache: what is lost of them is made again from the log.
        if let Err(error) = self.views.close() {
            tracing::warn!(%error, "the views were not closed in good order; they may be made again at the next start");
        }
    }

    /// Whether the views are empty again and can be filled from the log's beginning.
    fn start_again(&mut self, error: &ViewError, failed_at: Seq) -> bool {
        if failed_at > self.failed_at {
            (self.failed_at, self.resets) = (failed_at, 0);
        }
        self.resets += 1;
        if self.resets > MAX_RESETS {
            return false;
        }
        tracing::warn!(%error, "the views are damaged and are made again from the log");
        match self.views.reset() {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "the views cannot be emptied");
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
