//! Snapshots of the state beside the control log: a start reads the newest and what came after it, not all there ever was.
//!
//! A snapshot is a saving and never a source. It is used only if its bytes have the hash that was stored with it, it is of
//! this version, and its place in the chain is the log's; otherwise the log is folded from its beginning.

use super::LogError;
use oms_identity::State;
use oms_store::codec::{CONTROL_STATE_SCHEMA, decode_control, decode_control_state, encode_control_state};
use oms_store::{ChainHash, Journal, JournalReader, Snapshot, SnapshotStore};
use sha2::{Digest as _, Sha256};
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// When snapshots are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cadence {
    /// After so many entries.
    pub every: u64,
    /// At the stop, where so many entries came since the last one.
    pub at_stop: u64,
}

impl Default for Cadence {
    fn default() -> Self {
        // Some tenths of a second of reading, and as much as a start does without a snapshot unnoticed.
        Self { every: 50_000, at_stop: 1_000 }
    }
}

/// How a control log was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// The entry of the snapshot that was used; 0 where there was none.
    pub snapshot: u64,
    /// Why a snapshot was passed over.
    pub refused: Option<String>,
    /// Entries that were folded after it.
    pub entries: u64,
}

/// The state that a whole log tells.
pub(super) fn recover(journal: &dyn Journal) -> Result<(State, Recovery), LogError> {
    let mut recovery = Recovery::default();
    let mut state = match journal.latest_snapshot(CONTROL_STATE_SCHEMA)? {
        Some(stored) => match of(&stored) {
            Ok(state) => {
                recovery.snapshot = stored.seq;
                state
            }
            Err(why) => {
                tracing::warn!(entry = stored.seq, why, "a snapshot of the accounts is passed over: all of their log is read");
                recovery.refused = Some(why);
                State::default()
            }
        },
        None => State::default(),
    };
    recovery.entries = fold(journal.reader().as_mut(), recovery.snapshot + 1, &mut state)?;
    Ok((state, recovery))
}

fn of(stored: &Snapshot) -> Result<State, String> {
    if hash_of(&stored.bytes) != stored.state_hash {
        return Err("its bytes do not have the state hash that was stored with it".to_owned());
    }
    let state = decode_control_state(&stored.bytes).map_err(|error| error.to_string())?;
    // Every entry of the control log is one batch.
    if state.batches() == stored.seq {
        return Ok(state);
    }
    Err(format!("it says entry {} but holds {}", stored.seq, state.batches()))
}

fn fold(reader: &mut dyn JournalReader, from: u64, state: &mut State) -> Result<u64, LogError> {
    let (mut entries, mut damage) = (0, None);
    reader.scan(from, &mut |stored| match decode_control(stored.entry.body) {
        Ok(batch) => {
            state.apply(&batch);
            entries += 1;
            ControlFlow::Continue(())
        }
        Err(error) => {
            damage = Some(LogError::Decode { seq: stored.entry.first_seq, error });
            ControlFlow::Break(())
        }
    })?;
    damage.map_or(Ok(entries), Err)
}

fn hash_of(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// A state, and the place in the log that it is of.
struct Taken {
    state: State,
    seq: u64,
    chain_hash: ChainHash,
}

/// The thread that stores snapshots, so that no change of accounts waits for one.
pub(super) struct Keeper {
    jobs: Option<SyncSender<Taken>>,
    thread: Option<JoinHandle<()>>,
    cadence: Cadence,
    /// The entry of the last snapshot that was asked for.
    last: u64,
}

impl Keeper {
    pub(super) fn start(mut store: Box<dyn SnapshotStore>, cadence: Cadence, last: u64) -> Result<Self, LogError> {
        // One that waits is enough: the next is of all that there is when its turn comes.
        let (jobs, taken): (_, Receiver<Taken>) = sync_channel(1);
        let run = move || taken.into_iter().for_each(|one| keep(store.as_mut(), one));
        let thread = std::thread::Builder::new().name("control-snapshot".to_owned()).spawn(run).map_err(LogError::Thread)?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), cadence, last })
    }

    /// Has a snapshot made where it is time for one and none waits.
    pub(super) fn after(&mut self, state: &State, seq: u64, chain_hash: ChainHash) {
        if seq < self.last.saturating_add(self.cadence.every) {
            return;
        }
        let Some(jobs) = &self.jobs else { return };
        if jobs.try_send(Taken { state: state.clone(), seq, chain_hash }).is_ok() {
            self.last = seq;
        }
    }

    /// Has a last one made where enough came since, and waits for it.
    pub(super) fn stop(self, state: State, seq: u64, chain_hash: ChainHash) {
        if let Some(jobs) = &self.jobs
            && seq >= self.last.saturating_add(self.cadence.at_stop.max(1))
        {
            // A thread that panicked leaves the log as it was.
            drop(jobs.send(Taken { state, seq, chain_hash }));
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // If it panicked there is nothing left to do about it here.
            let _ = thread.join();
        }
    }
}

fn keep(store: &mut dyn SnapshotStore, taken: Taken) {
    let Taken { state, seq, chain_hash } = taken;
    let bytes = encode_control_state(state);
    let snapshot = Snapshot { seq, chain_hash, state_hash: hash_of(&bytes), schema: CONTROL_STATE_SCHEMA, bytes };
    // The log goes on without one.
    if let Err(error) = store.put(&snapshot) {
        tracing::warn!(%error, "there is no snapshot of the accounts: a start reads more of their log");
    }
}

#[cfg(test)]
pub(super) mod tests;
