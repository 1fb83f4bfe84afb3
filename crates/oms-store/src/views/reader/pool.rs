//! Reading connections: opened when first needed, bounded in number, given back when dropped.

use std::mem;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use oms_model::Seq;
use rusqlite::Connection;

use crate::views::error::{During as _, ViewError};
use crate::views::schema;

/// Connections at most.
const MAX_CONNECTIONS: usize = 4;
/// How long a read waits for one.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// How long a read may take. With few connections, a question that reads everything would keep the others waiting.
const MAX_READ: Duration = Duration::from_secs(5);
/// Steps of SQLite's machine between two looks at the clock; about a tenth of a millisecond.
const STEPS: i32 = 10_000;

/// A connection whose reads end in time.
struct Reading {
    conn: Connection,
    /// Microseconds since `epoch` after which the read is given up.
    until: Arc<AtomicU64>,
    epoch: Instant,
}

impl Reading {
    fn open(path: &Path) -> Result<Self, ViewError> {
        let mut conn = schema::open_reader(path)?;
        let (until, epoch) = (Arc::new(AtomicU64::new(u64::MAX)), Instant::now());
        let seen = until.clone();
        conn.progress_handler(STEPS, Some(move || micros(epoch.elapsed()) > seen.load(Ordering::Relaxed))).during("watch a reader")?;
        Ok(Self { conn, until, epoch })
    }

    fn begin(&self, within: Duration) -> &Connection {
        self.until.store(micros(self.epoch.elapsed() + within), Ordering::Relaxed);
        &self.conn
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

struct State {
    idle: Vec<Reading>,
    /// Idle or in use.
    open: usize,
    /// No connection is handed out while the file is replaced.
    closed: bool,
    cursor: Seq,
}

/// The connections, and how far the writer has come.
pub(in crate::views) struct Pool {
    path: PathBuf,
    max_read: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

impl Pool {
    pub(in crate::views) fn new(path: &Path, cursor: Seq) -> Self {
        let state = Mutex::new(State { idle: Vec::new(), open: 0, closed: false, cursor });
        Self { path: path.to_owned(), max_read: MAX_READ, state, changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is made whole before the lock is released.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `ready`, at most until `until`; the lock is held at the end either way.
    fn wait<'a>(&self, mut state: MutexGuard<'a, State>, until: Instant, ready: impl Fn(&State) -> bool) -> (MutexGuard<'a, State>, bool) {
        loop {
            if ready(&state) {
                return (state, true);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return (state, false);
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub(in crate::views) fn cursor(&self) -> Seq {
        self.state().cursor
    }

    /// Called by the writer after a commit.
    pub(in crate::views) fn reached(&self, cursor: Seq) {
        self.state().cursor = cursor;
        self.changed.notify_all();
    }

    pub(in crate::views) fn wait_for(&self, asked: Seq, timeout: Duration) -> Result<Seq, ViewError> {
        let (state, ready) = self.wait(self.state(), Instant::now() + timeout, |state| state.cursor >= asked);
        if ready { Ok(state.cursor) } else { Err(ViewError::Behind { asked, reached: state.cursor }) }
    }

    /// Reads with a connection, waiting for one if all are in use.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, ViewError>) -> Result<T, ViewError> {
        let free = |state: &State| !state.closed && (!state.idle.is_empty() || state.open < MAX_CONNECTIONS);
        let (mut state, ready) = self.wait(self.state(), Instant::now() + MAX_WAIT, free);
        if !ready {
            return Err(busy());
        }
        // Counted before it is opened, so that the bound holds without the lock.
        let mut lease = Lease { pool: self, conn: state.idle.pop() };
        state.open += usize::from(lease.conn.is_none());
        drop(state);
        let conn = match lease.conn.take() {
            Some(conn) => conn,
            None => Reading::open(&self.path)?,
        };
        let within = self.max_read;
        read(lease.conn.insert(conn).begin(within)).map_err(|error| match error {
            ViewError::Sqlite { source: rusqlite::Error::SqliteFailure(failure, _), .. }
                if failure.code == rusqlite::ErrorCode::OperationInterrupted =>
            {
                ViewError::TooBroad { within_ms: within.as_millis().try_into().unwrap_or(u64::MAX) }
            }
            other => other,
        })
    }

    /// Closes every connection, waiting for those in use, and hands out none until the answer is dropped.
    pub(in crate::views) fn close(self: &Arc<Self>) -> Result<Closed, ViewError> {
        let mut state = self.state();
        state.closed = true;
        state.open -= state.idle.len();
        drop(mem::take(&mut state.idle));
        let closed = Closed { pool: self.clone() };
        let (state, ready) = self.wait(state, Instant::now() + MAX_WAIT, |state| state.open == 0);
        drop(state);
        if ready { Ok(closed) } else { Err(busy()) }
    }
}

fn busy() -> ViewError {
    ViewError::Busy { connections: MAX_CONNECTIONS, waited_ms: MAX_WAIT.as_millis().try_into().unwrap_or(u64::MAX) }
}

/// No connection is open while this is held.
pub(in crate::views) struct Closed {
    pool: Arc<Pool>,
}

impl Drop for Closed {
    fn drop(&mut self) {
        self.pool.state().closed = false;
        self.pool.changed.notify_all();
    }
}

/// A connection in use, or about to be opened; given back when dropped.
struct Lease<'a> {
    pool: &'a Pool,
    conn: Option<Reading>,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut state = self.pool.state();
        match self.conn.take() {
            Some(conn) if !state.closed => state.idle.push(conn),
            conn => {
                // Closed before it is uncounted: whoever waits for none to be open relies on it.
                drop(conn);
                state.open -= 1;
            }
        }
        drop(state);
        self.pool.changed.notify_all();
    }
}

#[cfg(test)]
mod tests;
