//! From a log back to the state that it tells.
//!
//! - A snapshot is a shortcut, never a source: it is used only if its bytes have the hash that was stored with
//!   it and its place in the chain is the log's. Otherwise the log is folded from its beginning.
//! - The log is read and decoded on one thread and folded on another.

use crate::snapshot;
use oms_engine::state::State;
use oms_model::Batch;
use oms_store::codec::{self, DecodeError};
use oms_store::{Journal, JournalError, JournalReader, Snapshot};
use std::ops::ControlFlow;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

/// How many batches go to the folding thread at a time.
const CHUNK: usize = 512;
/// How many chunks may wait for it.
const WAITING: usize = 16;

/// The log does not give a state.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// It cannot be read, or is damaged.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// An entry holds something that this version does not understand.
    #[error("the entry at sequence {seq} cannot be decoded: {error}")]
    Decode {
        /// Its first sequence.
        seq: u64,
        /// Why.
        error: DecodeError,
    },
    /// The sequence asked for is not the end of an entry.
    #[error("no entry ends at sequence {seq}")]
    NotABoundary {
        /// The sequence.
        seq: u64,
    },
}

/// How a recovery went.
#[derive(Clone, Debug, Default)]
pub struct RecoveryReport {
    /// The sequence of the snapshot that was used; 0 where there was none.
    pub snapshot_seq: u64,
    /// Why a snapshot was passed over.
    pub snapshot_refused: Option<String>,
    /// Events folded after it.
    pub events: u64,
    /// How long all of it took.
    pub took: Duration,
    /// SHA-256 of the state's canonical bytes, where it was asked for.
    pub state_hash: Option<[u8; 32]>,
}

/// The state that the whole log tells.
///
/// # Errors
/// See [`RecoveryError`].
pub fn recover(journal: &dyn Journal) -> Result<(State, RecoveryReport), RecoveryError> {
    let began = Instant::now();
    let mut report = RecoveryReport::default();
    let state = match journal.latest_snapshot(snapshot::SCHEMA)? {
        Some(stored) => from_snapshot(&stored, &mut report),
        None => State::default(),
    };
    let (state, events) = fold(journal.reader().as_mut(), state, None)?;
    report.events = events;
    report.took = began.elapsed();
    Ok((state, report))
}

fn from_snapshot(stored: &Snapshot, report: &mut RecoveryReport) -> State {
    if snapshot::hash_of(&stored.bytes) != stored.state_hash {
        report.snapshot_refused = Some("its bytes do not have the state hash that was stored with it".to_owned());
        return State::default();
    }
    match snapshot::decode(&stored.bytes) {
        Ok(state) if state.last_seq().0 == stored.seq => {
            report.snapshot_seq = stored.seq;
            state
        }
        Ok(state) => {
            report.snapshot_refused = Some(format!("it says sequence {} but holds {}", stored.seq, state.last_seq()));
            State::default()
        }
        Err(error) => {
            report.snapshot_refused = Some(error.to_string());
            State::default()
        }
    }
}

/// Folds the log behind `state` into it, up to and including sequence `until`, or to the end. Returns how many events.
///
/// # Errors
/// See [`RecoveryError`].
pub fn fold(reader: &mut dyn JournalReader, mut state: State, until: Option<u64>) -> Result<(State, u64), RecoveryError> {
    let from = state.next_seq().0;
    let before = state.last_seq().0;
    let (chunks, made) = sync_channel::<Vec<Batch>>(WAITING);
    let (done, spent) = sync_channel::<Vec<Batch>>(WAITING);
    let read = std::thread::scope(|scope| {
        let folding = scope.spawn(move || {
            for chunk in made {
                for batch in &chunk {
                    state.fold(batch);
                }
                // Freed where it was made, which is cheaper, and off the thread that the other one waits for. Where it
                // has no place there, it is freed here.
                drop(done.try_send(chunk));
            }
            state
        });
        let read = read_into(reader, from, until, |chunk| {
            spent.try_iter().for_each(drop);
            chunks.send(chunk).is_ok()
        });
        drop(chunks);
        (read, folding.join())
    });
    let (result, state) = read;
    result?;
    // A fold that panicked met a step that no decision makes; that fault is not to be survived.
    let state = state.unwrap_or_else(|fault| std::panic::resume_unwind(fault));
    if let Some(seq) = until.filter(|&seq| seq != state.last_seq().0) {
        return Err(RecoveryError::NotABoundary { seq });
    }
    let events = state.last_seq().0 - before;
    Ok((state, events))
}

fn read_into(
    reader: &mut dyn JournalReader,
    from: u64,
    until: Option<u64>,
    mut send: impl FnMut(Vec<Batch>) -> bool,
) -> Result<(), RecoveryError> {
    let mut chunk = Vec::with_capacity(CHUNK);
    let mut failed = None;
    reader.scan(from, &mut |stored| {
        if until.is_some_and(|last| stored.entry.first_seq > last) {
            return ControlFlow::Break(());
        }
        match codec::decode_batch_for_replay(stored.entry.body) {
            Ok(batch) => chunk.push(batch),
            Err(error) => {
                failed = Some(RecoveryError::Decode { seq: stored.entry.first_seq, error });
                return ControlFlow::Break(());
            }
        }
        if chunk.len() == CHUNK && !send(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK))) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    send(chunk);
    Ok(())
}
