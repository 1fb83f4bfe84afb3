//! What the log says of its sessions, kept at a place of the log: a start reads it and the rest of the log, not all of it.
//!
//! A checkpoint is a saving and never a source. It is made by the same reading as a start, from the last one on, so that
//! it says what a reading of the whole log would. One that cannot be read, or that is of something else than what is asked
//! for now, is passed over, and the whole log is read.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use oms_store::{ChainHash, JournalReader, Snapshot, SnapshotStore};
use sha2::{Digest as _, Sha256};

use super::StoreError;
use super::index::SessionIndex;
use super::journal::{Recorded, take_in};
use super::packed::{Pack as _, Packed};
use super::record;

/// "FIX", and a version: a higher one wherever what is kept, or what a fold makes of a message, is another. Checkpoints of
/// another version are not read: the log is.
const SCHEMA: u32 = 0x4649_5801;
/// Entries of the log from one checkpoint to the next: some seconds of reading.
pub const EVERY: u64 = 500_000;

/// Something that is made of all that the log has of some sessions. It depends on that alone.
pub trait Fold: Clone + Send + 'static {
    /// What it is made of, and how: what is kept under another name is not taken for it.
    fn name(&self) -> String;

    /// Takes in what the log has next of a session.
    fn take(&mut self, session: &str, past: Recorded<'_>);

    /// Appends all of it.
    fn save(&self, out: &mut Vec<u8>);

    /// Takes what was saved; `None` where it cannot be read.
    fn load(&mut self, saved: &[u8]) -> Option<()>;
}

/// For logs of which nothing is made.
#[derive(Clone, Copy, Debug)]
pub(super) enum Nothing {}

impl Fold for Nothing {
    fn name(&self) -> String {
        match *self {}
    }

    fn take(&mut self, _: &str, _: Recorded<'_>) {
        match *self {}
    }

    fn save(&self, _: &mut Vec<u8>) {
        match *self {}
    }

    fn load(&mut self, _: &[u8]) -> Option<()> {
        match *self {}
    }
}

/// What the log says up to an entry.
pub(super) struct Known<F> {
    pub(super) sessions: BTreeMap<String, SessionIndex>,
    pub(super) folds: Vec<F>,
    /// The last entry that is in it, and the chain up to there.
    pub(super) at: Option<(u64, ChainHash)>,
    /// The entry of the checkpoint that it began with; 0 without one.
    pub(super) since: u64,
}

impl<F: Fold> Known<F> {
    /// Reads what there is: the last checkpoint and what came after it. `empty` are the folds without anything. `None`
    /// where it was stopped.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn read(
        reader: &mut dyn JournalReader,
        checkpoints: &mut dyn SnapshotStore,
        empty: &[F],
        stop: &AtomicBool,
    ) -> Result<Option<Self>, StoreError> {
        let none = || Self { sessions: BTreeMap::new(), folds: empty.to_vec(), at: None, since: 0 };
        let mut known = match checkpoints.latest(SCHEMA)? {
            Some(kept) => Self::of(&kept, empty).unwrap_or_else(|| {
                tracing::warn!(entry = kept.seq, "a checkpoint of the FIX messages is of something else: all of them are read");
                none()
            }),
            None => none(),
        };
        let mut damage = None;
        reader.scan(known.since + 1, &mut |stored| {
            if stop.load(Ordering::Relaxed) {
                return ControlFlow::Break(());
            }
            let entry = stored.entry.first_seq;
            match record::read(entry, stored.entry.body) {
                Ok(record) => {
                    take_in(&mut known.sessions, &record, entry);
                    record.visit(&mut |past| known.folds.iter_mut().for_each(|fold| fold.take(record.session, past)));
                    known.at = Some((entry, stored.hash));
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    damage = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        match damage {
            Some(error) => Err(error),
            None => Ok((!stop.load(Ordering::Relaxed)).then_some(known)),
        }
    }

    /// What a checkpoint has, where it is of these folds.
    fn of(kept: &Snapshot, empty: &[F]) -> Option<Self> {
        if kept.state_hash != hash_of(&kept.bytes) {
            return None;
        }
        let mut packed = Packed(&kept.bytes);
        let sessions = packed.many(|packed| Some((packed.text()?.to_owned(), SessionIndex::load(packed)?)))?;
        let saved: BTreeMap<&str, &[u8]> = packed.many(|packed| Some((packed.text()?, packed.bytes()?)))?;
        let mut folds = empty.to_vec();
        for fold in &mut folds {
            fold.load(saved.get(fold.name().as_str())?)?;
        }
        packed.is_over().then_some(Self { sessions, folds, at: Some((kept.seq, kept.chain_hash)), since: kept.seq })
    }

    /// As it is kept; `None` where there is nothing to keep.
    fn checkpoint(&self) -> Option<Snapshot> {
        let (seq, chain_hash) = self.at?;
        let mut bytes = Vec::new();
        bytes.many(self.sessions.iter(), |bytes, (name, session)| {
            bytes.text(name);
            session.save(bytes);
        });
        let mut saved = Vec::new();
        bytes.many(self.folds.iter(), |bytes, fold| {
            saved.clear();
            fold.save(&mut saved);
            bytes.text(&fold.name());
            bytes.bytes(&saved);
        });
        Some(Snapshot { seq, chain_hash, state_hash: hash_of(&bytes), schema: SCHEMA, bytes })
    }
}

fn hash_of(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The thread that makes checkpoints. It reads the log for itself: sessions never wait for it.
pub(super) struct Keeper {
    wake: Option<SyncSender<()>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Starts it.
    ///
    /// # Errors
    /// [`StoreError::Failed`] where there is no thread for it.
    pub(super) fn start<F: Fold>(
        mut reader: Box<dyn JournalReader>,
        mut checkpoints: Box<dyn SnapshotStore>,
        empty: Vec<F>,
    ) -> Result<Self, StoreError> {
        // One that waits is enough: it is of all that there is when its turn comes.
        let (wake, woken): (_, Receiver<()>) = sync_channel(1);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let run = move || {
            while woken.recv().is_ok() {
                // The log goes on without one; what is wrong with it the sessions find out.
                if let Err(error) = keep(reader.as_mut(), checkpoints.as_mut(), &empty, &stopped) {
                    tracing::warn!(%error, "there is no checkpoint of the FIX messages: a start reads more of them");
                }
            }
        };
        let thread = std::thread::Builder::new().name("fix-checkpoint".to_owned()).spawn(run);
        let thread = thread.map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(Self { wake: Some(wake), stop, thread: Some(thread) })
    }

    /// Has one made, unless one waits already.
    pub(super) fn wake(&self) -> Option<SyncSender<()>> {
        self.wake.clone()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(self.wake.take());
        if let Some(thread) = self.thread.take() {
            // If it panicked there is nothing left to do about it here.
            let _ = thread.join();
        }
    }
}

/// Makes a checkpoint of the log as it is now.
fn keep<F: Fold>(
    reader: &mut dyn JournalReader,
    checkpoints: &mut dyn SnapshotStore,
    empty: &[F],
    stop: &AtomicBool,
) -> Result<(), StoreError> {
    let Some(known) = Known::read(reader, checkpoints, empty, stop)? else { return Ok(()) };
    match known.checkpoint().filter(|checkpoint| known.since < checkpoint.seq) {
        Some(checkpoint) => Ok(checkpoints.put(&checkpoint)?),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
