//! Keeps the views in line with the log, off the hot path.

use crate::feed::{Feed, FeedError};
use oms_model::{Batch, Seq};
use oms_store::views::{ViewError, Views};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;

/// The most batches folded in one transaction.
const MAX_BATCHES: usize = 2_048;

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
    pub cursor: watch::Receiver<u64>,
    thread: JoinHandle<()>,
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

/// Follows `feed` into `views`.
///
/// # Errors
/// Where no thread can be started.
pub fn start(feed: &Feed, mut views: Views) -> std::io::Result<ViewFollower> {
    let (told, cursor) = watch::channel(views.cursor().0);
    let feed = feed.clone();
    let thread = std::thread::Builder::new().name("oms-views".to_owned()).spawn(move || {
        let mut follower = feed.follow(views.cursor());
        let mut batches: Vec<Arc<Batch>> = Vec::new();
        loop {
            match follower.next_timeout(Duration::from_millis(500)) {
                Ok(Some(batch)) => batches.push(batch),
                Ok(None) => continue,
                Err(FeedError::Closed) => return,
                Err(error) => return tracing::error!(%error, "the views cannot follow the log"),
            }
            while batches.len() < MAX_BATCHES {
                match follower.try_next() {
                    Ok(Some(batch)) => batches.push(batch),
                    // An error shows itself again at the next turn.
                    Ok(None) | Err(_) => break,
                }
            }
            if let Err(error) = views.apply(&batches) {
                // Readers that wait for the cursor are told in time that the views are behind.
                return tracing::error!(%error, "the views cannot be written; they are made again at the next start");
            }
            batches.clear();
            // Nobody may be reading.
            told.send_replace(views.cursor().0);
        }
    })?;
    Ok(ViewFollower { cursor, thread })
}
