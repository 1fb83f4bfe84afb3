//! The audit's folder: `key`, `key.pub`, `checkpoints` and `tree/`.
//!
//! - `checkpoints` is only ever appended to. What was begun and not finished when the process died is taken off at the next
//!   start and made again, to the byte: a checkpoint follows from the log and the one before it.
//! - Never are two roots signed for one size: before anything is signed, the log must have the root that the last
//!   checkpoint was signed for. Where it has another one, or has lost records, nothing is signed until a person decides.
//! - `tree/` holds hashes that the log can give again. It is only a shortcut, and never believed without its root.

mod checkpoints;
mod follower;
mod keys;
mod leave;
mod tree;

pub use checkpoints::{Checkpoints, Place};
pub use follower::{AuditTrail, Config, Running, Status, start};
pub use keys::{public, signer};
pub use leave::{consistency, export, proof, speaking_of, verify};
pub use tree::Tree;

use oms_audit::note::NoteError;
use oms_store::{JournalError, StoredEntry};
use std::io;
use std::path::Path;

/// Why the audit cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A file cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// The log cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A key, or a checkpoint that should be one of ours, is none.
    #[error("{path}: {error}")]
    Note {
        /// The file.
        path: String,
        /// Why.
        error: NoteError,
    },
    /// The log is not the one that was signed.
    #[error("the log is not the one that was signed: {0}; nothing is signed any more")]
    Diverged(String),
    /// There is no checkpoint yet.
    #[error("no checkpoint was made yet")]
    NoCheckpoint,
    /// The follower does not answer: it has stopped, or too many ask.
    #[error("the audit does not answer at the moment")]
    Busy,
}

impl AuditError {
    fn file(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.display().to_string();
        move |error| Self::File { path: path.clone(), error }
    }

    fn note(path: &Path) -> impl Fn(NoteError) -> Self + use<> {
        let path = path.display().to_string();
        move |error| Self::Note { path: path.clone(), error }
    }
}

/// An entry of the log as a record of the audit: the same bytes.
#[must_use]
pub fn record<'a>(partition: u32, stored: &StoredEntry<'a>) -> oms_audit::Record<'a> {
    let fields = oms_audit::RecordFields {
        version: oms_store::FORMAT_VERSION,
        partition,
        epoch: stored.epoch.0,
        first_seq: stored.entry.first_seq,
        time_ns: stored.entry.time_ns,
        count: stored.entry.count,
        // The log takes no body that is longer.
        body_len: u32::try_from(stored.entry.body.len()).unwrap_or(u32::MAX),
    };
    oms_audit::Record { fields, body: stored.entry.body }
}

#[cfg(test)]
mod tests;
