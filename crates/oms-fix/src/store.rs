//! Where sessions keep their numbers and the messages that may be asked for again.

mod archive;
mod checkpoint;
mod index;
mod journal;
mod memory;
pub(crate) mod packed;
mod past;
mod record;

use tokio::sync::oneshot;

pub use archive::{About, AboutMessage, Found};
pub use checkpoint::Fold;
pub use journal::{JournalStore, Recorded, SessionJournal};
pub use memory::MemoryStore;
pub use past::{Direction, Past, PastMessage, past};

use crate::session::Stored;
use crate::session::outbox::{Acted, Fetch, Mark, Outbox, Page};

/// Why a store could not do what was asked.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StoreError {
    /// The device or the log refused; nothing more is stored until it is opened again.
    #[error("the message store has failed: {0}")]
    Failed(String),
    /// The stored bytes are not what was written.
    #[error("the message store is damaged at sequence {seq}: {what}")]
    Damaged {
        /// Where in the log.
        seq: u64,
        /// What is wrong.
        what: String,
    },
}

/// Something that is there now, or will be.
#[derive(Debug)]
pub enum Pending<T> {
    /// It is there.
    Ready(T),
    /// It will be sent. A sender that is gone has failed.
    Later(oneshot::Receiver<Result<T, StoreError>>),
}

impl<T> Pending<T> {
    /// Waits for it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn wait(self) -> Result<T, StoreError> {
        match self {
            Self::Ready(value) => Ok(value),
            Self::Later(receiver) => receiver.await.unwrap_or_else(|_| Err(StoreError::Failed("it has stopped".to_owned()))),
        }
    }

    /// Waits for it on this thread, which must be one that may block.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn wait_blocking(self) -> Result<T, StoreError> {
        match self {
            Self::Ready(value) => Ok(value),
            Self::Later(receiver) => receiver.blocking_recv().unwrap_or_else(|_| Err(StoreError::Failed("it has stopped".to_owned()))),
        }
    }
}

/// How far the application of a session has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Messages kept so far; see [`Kept`](crate::session::outbox::Kept).
    pub taken: u64,
    /// What it has dealt with and sent.
    pub mark: Mark,
}

/// The store of one session.
///
/// One batch of an outbox is one atomic step: the inbound number is consumed together with the
/// messages that answer it, or neither happened.
pub trait MessageStore: Send {
    /// What is stored of the session.
    fn stored(&self) -> Stored;

    /// How far the application has come; a store that is gone with the process knows nothing.
    fn progress(&self) -> Progress {
        Progress::default()
    }

    /// The last things that somebody has done to the session, oldest first.
    fn acted(&self) -> Vec<Acted> {
        Vec::new()
    }

    /// Stores the batch of an outbox. Nothing of the outbox may have effects before it is durable.
    ///
    /// # Errors
    /// [`StoreError`], at once or later: the session must end.
    fn commit(&mut self, outbox: &Outbox) -> Result<Pending<()>, StoreError>;

    /// The next messages of a range, as many as fit into `max_bytes`, but at least one if there is one.
    ///
    /// # Errors
    /// [`StoreError`], at once or later.
    fn fetch(&mut self, fetch: Fetch, max_bytes: usize) -> Result<Pending<Page>, StoreError>;
}

/// Takes a batch's numbers into what is stored.
fn advance(stored: &mut Stored, reset: Option<i64>, next_in: Option<u64>, next_out: Option<u64>) {
    if let Some(created) = reset {
        *stored = Stored { created: Some(created), ..Stored::default() };
    }
    stored.next_in = next_in.unwrap_or(stored.next_in);
    stored.next_out = next_out.unwrap_or(stored.next_out);
}

#[cfg(test)]
mod tests;
