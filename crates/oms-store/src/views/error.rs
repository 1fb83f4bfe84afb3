//! What the views refuse, with its numbers.

use oms_model::{OrderId, Seq};
use rusqlite::ErrorCode;

use super::query::QueryError;

/// Why the views could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The question is malformed; the client has to change it.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The file is not what was written. [`super::Views::rebuild`] makes it anew from the log.
    #[error("the views are damaged: {during}: {reason}")]
    Damaged {
        /// The operation that found it.
        during: &'static str,
        /// What was found.
        reason: String,
    },
    /// The file was written by another version of this program; rebuild it.
    #[error("the views have schema {found}, this program writes {expected}")]
    Schema {
        /// The version that this program writes.
        expected: i64,
        /// The stored one.
        found: i64,
    },
    /// The file is an intact database of some other program. It is never deleted.
    #[error("{path} is a database of another program (application id {found:#010x})")]
    Foreign {
        /// The file.
        path: String,
        /// Its application id.
        found: i64,
    },
    /// The views hold more than the log does, or another log's history; rebuild them.
    #[error("the views stand at sequence {cursor}, which the log (ending at {tip}) does not confirm")]
    OtherLog {
        /// Where the views stand.
        cursor: Seq,
        /// Where the log ends.
        tip: Seq,
    },
    /// The views were written without syncs and the system went down since, or the disk refused a write of theirs;
    /// rebuild them.
    #[error("what of the views reached the disk is not known: {reason}")]
    Unsynced {
        /// Why.
        reason: String,
    },
    /// The batch does not continue what was folded so far.
    #[error("batch starts at sequence {found}, expected {expected}")]
    Gap {
        /// The sequence that comes next.
        expected: Seq,
        /// The sequence of the batch.
        found: Seq,
    },
    /// An event of an order that has no row. The engine folded the log before, so a row is missing; rebuild the views.
    #[error("the event at sequence {seq} is about order {order_id}, which was never created")]
    UnknownOrder {
        /// The event.
        seq: Seq,
        /// The order.
        order_id: OrderId,
    },
    /// Every reading connection is in use and none came free in time.
    #[error("{connections} reading connections were busy for {waited_ms} ms")]
    Busy {
        /// How many there are.
        connections: usize,
        /// How long was waited.
        waited_ms: u64,
    },
    /// The question reads more than it may take time for.
    #[error("the question was not answered within {within_ms} ms: it reads too much")]
    TooBroad {
        /// How long it may take.
        within_ms: u64,
    },
    /// The views did not reach the asked sequence in time.
    #[error("the views stand at sequence {reached}, asked for {asked}")]
    Behind {
        /// The asked sequence.
        asked: Seq,
        /// Where the views stand.
        reached: Seq,
    },
    /// The file could not be read, written or deleted.
    #[error("{during}: {source}")]
    Io {
        /// The operation.
        during: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// SQLite refused.
    #[error("{during}: {source}")]
    Sqlite {
        /// The operation.
        during: &'static str,
        /// What it said.
        source: rusqlite::Error,
    },
}

impl ViewError {
    /// Whether the answer is to make the views again from the log: [`super::Views::open_or_rebuild`] where opening said
    /// so, [`super::Views::reset`] and following from 0 where [`super::Views::apply`] did.
    #[must_use]
    pub fn wants_rebuild(&self) -> bool {
        match self {
            Self::Damaged { .. } | Self::Schema { .. } | Self::OtherLog { .. } | Self::Unsynced { .. } | Self::UnknownOrder { .. } => true,
            Self::Query(_)
            | Self::Foreign { .. }
            | Self::Gap { .. }
            | Self::Busy { .. }
            | Self::TooBroad { .. }
            | Self::Behind { .. }
            | Self::Io { .. }
            | Self::Sqlite { .. } => false,
        }
    }

    pub(super) fn damaged(during: &'static str, reason: impl ToString) -> Self {
        Self::Damaged { during, reason: reason.to_string() }
    }
}

/// Names the operation of an SQLite error, and tells damage from refusal.
pub(super) trait During<T> {
    fn during(self, during: &'static str) -> Result<T, ViewError>;
}

impl<T> During<T> for rusqlite::Result<T> {
    fn during(self, during: &'static str) -> Result<T, ViewError> {
        self.map_err(|source| if is_damage(&source) { ViewError::damaged(during, source) } else { ViewError::Sqlite { during, source } })
    }
}

impl<T> During<T> for std::io::Result<T> {
    fn during(self, during: &'static str) -> Result<T, ViewError> {
        self.map_err(|source| ViewError::Io { during, source })
    }
}

/// A value of the wrong type in a STRICT table of ours is damage as much as a broken page is.
fn is_damage(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => matches!(failure.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase),
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..)
        | rusqlite::Error::InvalidColumnType(..) => true,
        _ => false,
    }
}
