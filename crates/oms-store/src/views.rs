//! The views: orders, executions, positions and what happened to them, in SQLite, for queries.
//!
//! - They are a cache. A follower of the log fills them off the hot path, and the log can make them again:
//!   on any doubt the file is deleted and folded from sequence 0 ([`Views::open_or_rebuild`]).
//! - What a reader sees is always exactly the fold of the first [`ViewReader::cursor`] events of the log:
//!   rows and cursor change in one transaction.
//! - They are not synced while they are written, so that the log's own syncs do not wait for them; a mark beside the file
//!   tells whether the system went down in between. Such a file is not read but made again.
//! - One writer ([`Views`]), a bounded number of reading connections ([`ViewReader`]). Neither waits for the other.
//! - Values are bound, never written into statements. Fields come from a whitelist ([`query::Resource`]).

mod error;
mod fold;
mod hot;
mod mark;
mod page;
pub mod query;
mod reader;
mod rfc3339;
mod rows;
mod schema;
mod sortable;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use oms_model::{Batch, Seq};
use rusqlite::{Connection, TransactionBehavior};

pub use error::ViewError;
pub use query::{Field, Filter, Kind, ListQuery, MAX_VALUE, Op, QueryError, Resource, Sort};
pub use reader::limits::{LimitBreach, limit_key};
pub use reader::{AnomalyRow, EventRef, ExecutionRow, FrozenFilter, Page, PositionFilter, SuspenseRow, ViewReader};

use error::During;
use fold::Fold;
use reader::Pool;
use rows::Rows;
use schema::Position;

/// Orders, and positions, that are kept in memory beside their rows: those that changed last.
const HOT: usize = 131_072;

/// The writing end of the views. There is one, held by the follower.
pub struct Views {
    path: PathBuf,
    conn: Connection,
    fold: Fold,
    position: Position,
    pool: Arc<Pool>,
    /// Whether the memory may differ from the rows: a fold was begun and not ended.
    torn: bool,
}

impl Views {
    /// Opens the views, or makes empty ones where there is no file.
    ///
    /// # Errors
    /// - [`ViewError::Schema`], [`ViewError::Damaged`], [`ViewError::Unsynced`]: rebuild them.
    /// - [`ViewError::Foreign`]: the file belongs to another program.
    /// - [`ViewError::Sqlite`], [`ViewError::Io`]: the file cannot be opened or written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ViewError> {
        Self::open_hot(path.as_ref(), HOT)
    }

    fn open_hot(path: &Path, hot: usize) -> Result<Self, ViewError> {
        let (conn, position) = schema::open_writer(path)?;
        let fold = Fold::new(&conn, hot)?;
        let pool = Arc::new(Pool::new(path, position.last_seq));
        Ok(Self { path: path.to_owned(), conn, fold, position, pool, torn: false })
    }

    /// Deletes the views at `path` and makes empty ones. No connection to them may be open.
    ///
    /// # Errors
    /// As [`Views::open`], without those that ask for a rebuild.
    pub fn rebuild(path: impl AsRef<Path>) -> Result<Self, ViewError> {
        schema::delete(path.as_ref())?;
        Self::open(path)
    }

    /// Opens the views if they are a fold of this log, and makes empty ones otherwise. Says why it did.
    ///
    /// `tip` is the last durable sequence; `batch_at` reads the batch that holds a sequence, to tell this log from another.
    ///
    /// # Errors
    /// As [`Views::rebuild`], and what `batch_at` refuses.
    pub fn open_or_rebuild<E: From<ViewError>>(
        path: impl AsRef<Path>,
        tip: Seq,
        batch_at: impl FnOnce(Seq) -> Result<Option<Arc<Batch>>, E>,
    ) -> Result<(Self, Option<ViewError>), E> {
        let path = path.as_ref();
        let doubt = match Self::open(path) {
            Ok(views) if views.cursor() == Seq(0) => return Ok((views, None)),
            Ok(views) => {
                let batch = if views.cursor() <= tip { batch_at(views.cursor())? } else { None };
                match views.confirm(tip, batch.as_deref()) {
                    Ok(()) => return Ok((views, None)),
                    Err(doubt) => doubt,
                }
            }
            Err(doubt) if doubt.wants_rebuild() => doubt,
            Err(error) => return Err(error.into()),
        };
        Ok((Self::rebuild(path)?, Some(doubt)))
    }

    fn confirm(&self, tip: Seq, batch: Option<&Batch>) -> Result<(), ViewError> {
        let Position { last_seq, command_id, time } = self.position;
        match batch {
            Some(batch) if (batch.last_seq(), batch.command_id, batch.time) == (last_seq, command_id, time) => Ok(()),
            _ => Err(ViewError::OtherLog { cursor: last_seq, tip }),
        }
    }

    /// Deletes everything and starts from sequence 0, under the readers that there are: they wait for it and go on.
    ///
    /// # Errors
    /// As [`Views::rebuild`]; [`ViewError::Busy`] where a reading connection is not given back in time.
    pub fn reset(&mut self) -> Result<(), ViewError> {
        let closed = self.pool.close()?;
        // The old connection has to be gone before the file is: closing it touches the files by their names.
        self.conn = Connection::open_in_memory().during("close the views")?;
        schema::delete(&self.path)?;
        let (conn, position) = schema::open_writer(&self.path)?;
        (self.conn, self.position) = (conn, position);
        self.torn = true;
        self.pool.reached(Seq(0));
        drop(closed);
        Ok(())
    }

    /// The last event that was folded in; the follower goes on with the next one.
    #[must_use]
    pub fn cursor(&self) -> Seq {
        self.position.last_seq
    }

    /// A reading end; clones share its connections.
    #[must_use]
    pub fn reader(&self) -> ViewReader {
        ViewReader::new(self.pool.clone())
    }

    /// Folds these batches in, in one transaction: all of them are visible afterwards, or none.
    /// Batches that were folded in before, and batches without events, are passed over.
    ///
    /// # Errors
    /// Nothing was changed then.
    /// - [`ViewError::Gap`]: the batches do not continue what is here.
    /// - [`ViewError::Damaged`], [`ViewError::UnknownOrder`]: reset the views and follow from 0.
    /// - [`ViewError::Sqlite`]: the file cannot be written, for example because the disk is full.
    ///
    /// # Panics
    /// On a step of an order that the table of steps does not hold, as [`oms_model::Order::apply`] does.
    pub fn apply(&mut self, batches: &[Arc<Batch>]) -> Result<(), ViewError> {
        let Self { conn, fold, position, torn, .. } = self;
        if *torn {
            fold.forget(conn)?;
        }
        // Stays so where the fold is refused or panics: the transaction is undone, the memory is not.
        *torn = true;
        *position = Self::transact(conn, fold, *position, batches)?;
        *torn = false;
        fold.trim();
        self.pool.reached(self.position.last_seq);
        Ok(())
    }

    fn transact(conn: &mut Connection, fold: &mut Fold, from: Position, batches: &[Arc<Batch>]) -> Result<Position, ViewError> {
        let mut position = from;
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).during("begin")?;
        {
            let mut rows = Rows::new(&tx)?;
            for batch in batches.iter().filter(|batch| !batch.events.is_empty()) {
                if batch.last_seq() <= position.last_seq {
                    continue;
                }
                let expected = position.last_seq.next();
                if batch.first_seq != expected {
                    return Err(ViewError::Gap { expected, found: batch.first_seq });
                }
                fold.batch(batch, &mut rows)?;
                position = Position { last_seq: batch.last_seq(), command_id: batch.command_id, time: batch.time };
            }
            fold.write(&mut rows)?;
        }
        schema::set_position(&tx, &position)?;
        tx.commit().during("commit")?;
        Ok(position)
    }

    /// Closes the views and syncs them, so that they need not be made again whatever happens to the system from here on.
    /// Without it they are good for as long as the system stays up. Their readers may go on.
    ///
    /// # Errors
    /// [`ViewError::Io`], [`ViewError::Sqlite`]: where the disk refused a write of them, the next opening rebuilds them.
    pub fn close(self) -> Result<(), ViewError> {
        let Self { path, conn, .. } = self;
        conn.close().map_err(|(_, error)| error).during("close the views")?;
        schema::unmark(&path)
    }

    /// Reads the whole file and checks that its pages and indexes agree. Takes long on a large one.
    ///
    /// # Errors
    /// [`ViewError::Damaged`] with what was found first.
    pub fn verify(&self) -> Result<(), ViewError> {
        let found: String = self.conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).during("verify the views")?;
        if found == "ok" { Ok(()) } else { Err(ViewError::damaged("verify the views", found)) }
    }
}

#[cfg(test)]
pub(crate) mod tests;
