//! A log in memory: for tests, and for a session that shall leave nothing behind.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::chain::ChainHash;
use crate::error::JournalError;
use crate::group::Group;
use crate::journal::{
    Appended, Entry, Epoch, Journal, JournalReader, KEPT_SNAPSHOTS, Snapshot, SnapshotStore, StoredEntry, Tip, check_range,
};

/// A log in memory. A clone is another handle on the same log, so claims fence each other.
#[derive(Clone, Debug)]
pub struct MemoryJournal {
    partition: u32,
    log: Arc<Mutex<Log>>,
}

#[derive(Debug)]
struct Log {
    entries: Vec<Arc<Entry>>,
    snapshots: Vec<Snapshot>,
    tip: Tip,
}

impl MemoryJournal {
    /// An empty log of `partition`.
    #[must_use]
    pub fn new(partition: u32) -> Self {
        let tip = Tip { last_seq: 0, last_hash: ChainHash::genesis(partition), epoch: Epoch::default() };
        let log = Log { entries: Vec::new(), snapshots: Vec::new(), tip };
        Self { partition, log: Arc::new(Mutex::new(log)) }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // Every change is made after all checks, so a panic elsewhere leaves the log whole.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    /// Index of the entry that contains `seq`, or the number of entries.
    fn position(&self, seq: u64) -> usize {
        self.entries.partition_point(|entry| entry.last_seq() < seq)
    }

    fn hash_at(&self, seq: u64, partition: u32) -> Option<ChainHash> {
        if seq == 0 {
            return Some(ChainHash::genesis(partition));
        }
        let entry = self.entries.get(self.position(seq))?;
        (entry.last_seq() == seq).then_some(entry.hash)
    }
}

impl Journal for MemoryJournal {
    fn partition(&self) -> u32 {
        self.partition
    }

    fn claim(&mut self) -> Result<Epoch, JournalError> {
        let mut log = self.log();
        log.tip.epoch.0 += 1;
        Ok(log.tip.epoch)
    }

    fn commit(&mut self, group: &mut Group) -> Result<Appended, JournalError> {
        let mut log = self.log();
        group.check(self.partition, log.tip)?;
        log.entries.extend(group.entries().map(|stored| Arc::new(stored.into())));
        log.tip = group.tip();
        Ok(Appended { last_seq: log.tip.last_seq, last_hash: log.tip.last_hash })
    }

    fn reader(&self) -> Box<dyn JournalReader> {
        Box::new(self.clone())
    }

    fn snapshots(&self) -> Box<dyn SnapshotStore> {
        Box::new(self.clone())
    }

    fn tip(&self) -> Tip {
        self.log().tip
    }
}

impl JournalReader for MemoryJournal {
    fn tip(&self) -> Tip {
        self.log().tip
    }

    fn scan(&mut self, from_seq: u64, visit: &mut dyn FnMut(StoredEntry<'_>) -> ControlFlow<()>) -> Result<(), JournalError> {
        let mut at = {
            let log = self.log();
            check_range(from_seq, log.tip.last_seq)?;
            log.position(from_seq)
        };
        // The visitor runs without the lock: it may append to this very log.
        loop {
            let Some(entry) = self.log().entries.get(at).cloned() else {
                return Ok(());
            };
            let stored = StoredEntry { entry: (*entry).as_ref(), epoch: entry.epoch, hash: entry.hash };
            if visit(stored).is_break() {
                return Ok(());
            }
            at += 1;
        }
    }

    fn hash_at(&mut self, seq: u64) -> Result<Option<ChainHash>, JournalError> {
        let log = self.log();
        if log.tip.last_seq < seq {
            return Err(JournalError::BeyondTip { asked: seq, last: log.tip.last_seq });
        }
        Ok(log.hash_at(seq, self.partition))
    }
}

impl SnapshotStore for MemoryJournal {
    fn put(&mut self, snapshot: &Snapshot) -> Result<(), JournalError> {
        let mut log = self.log();
        if snapshot.seq == 0 || log.hash_at(snapshot.seq, self.partition) != Some(snapshot.chain_hash) {
            return Err(JournalError::SnapshotMismatch { seq: snapshot.seq });
        }
        log.snapshots.retain(|kept| kept.seq != snapshot.seq);
        log.snapshots.push(snapshot.clone());
        log.snapshots.sort_by_key(|kept| kept.seq);
        let surplus = log.snapshots.len().saturating_sub(KEPT_SNAPSHOTS);
        log.snapshots.drain(..surplus);
        Ok(())
    }

    fn latest_until(&mut self, schema: u32, seq: u64) -> Result<Option<Snapshot>, JournalError> {
        let log = self.log();
        Ok(log.snapshots.iter().rev().find(|kept| kept.schema == schema && kept.seq <= seq).cloned())
    }
}

#[cfg(test)]
mod tests;
