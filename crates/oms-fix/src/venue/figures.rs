//! What a venue's sessions count.

use std::sync::atomic::{AtomicU64, Ordering};

/// What is counted of one venue. Each only ever rises.
#[derive(Debug, Default)]
pub struct VenueFigures {
    /// Orders and requests that were handed over.
    pub sent: AtomicU64,
    /// Messages taken from the venue.
    pub received: AtomicU64,
    /// Those that were given up before they left: late, too many, not logged on.
    pub not_sent: AtomicU64,
    /// Messages of ours that the venue refused without saying what they were.
    pub peer_refused: AtomicU64,
    /// Messages of the venue that were refused.
    pub refused: AtomicU64,
    /// Times it was logged on.
    pub logons: AtomicU64,
    /// Gaps found in what the venue sent.
    pub gaps: AtomicU64,
    /// Times it asked for messages again.
    pub resends: AtomicU64,
    /// Orders and requests that it proved never to have had.
    pub never_arrived: AtomicU64,
    /// Questions that were not answered in time, or not wholly.
    pub unanswered: AtomicU64,
    /// Trades that were told to the venue not to be known.
    pub dont_know: AtomicU64,
    /// Executions that its drop copy told first.
    pub drop_copy_found: AtomicU64,
    /// Executions that its drop copy tells with other figures.
    pub drop_copy_breaks: AtomicU64,
}

pub(super) fn count(figure: &AtomicU64) {
    figure.fetch_add(1, Ordering::Relaxed);
}
