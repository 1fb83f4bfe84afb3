//! What every log offers, wherever it is kept.

use std::ops::ControlFlow;

use crate::chain::ChainHash;
use crate::error::JournalError;
use crate::group::Group;

/// Largest body of one entry, in bytes.
pub const MAX_ENTRY_BODY: usize = 16 << 20;

/// Largest group of one append, in bytes as stored (headers and padding included).
pub const MAX_GROUP_BYTES: usize = 64 << 20;

/// A term of ownership of a partition. Each claim makes a higher one; only the newest may append.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Epoch(pub u64);

/// An entry to append: the atomic batch of events that one input produced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EntryRef<'a> {
    /// Sequence of the first event; the last entry's last sequence plus one. The first is 1.
    pub first_seq: u64,
    /// Number of events, each with its own sequence; at least 1.
    pub count: u32,
    /// Time of the input in nanoseconds since the Unix epoch, as the owner of the log stamped it.
    pub time_ns: i64,
    /// The encoded events, opaque to the log.
    pub body: &'a [u8],
}

impl EntryRef<'_> {
    /// Sequence of the last event.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.first_seq.saturating_add(u64::from(self.count)).saturating_sub(1)
    }
}

/// An entry as it was read and verified, borrowed from the reader's buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StoredEntry<'a> {
    /// What was appended.
    pub entry: EntryRef<'a>,
    /// The epoch it was appended under.
    pub epoch: Epoch,
    /// The chain up to and including it.
    pub hash: ChainHash,
}

/// An entry as it was read and verified, owned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Sequence of the first event.
    pub first_seq: u64,
    /// Number of events.
    pub count: u32,
    /// Time of the input in nanoseconds since the Unix epoch.
    pub time_ns: i64,
    /// The epoch it was appended under.
    pub epoch: Epoch,
    /// The chain up to and including it.
    pub hash: ChainHash,
    /// The encoded events.
    pub body: Vec<u8>,
}

impl Entry {
    /// As it would be appended.
    #[must_use]
    pub fn as_ref(&self) -> EntryRef<'_> {
        EntryRef { first_seq: self.first_seq, count: self.count, time_ns: self.time_ns, body: &self.body }
    }

    /// Sequence of the last event.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.as_ref().last_seq()
    }
}

impl From<StoredEntry<'_>> for Entry {
    fn from(stored: StoredEntry<'_>) -> Self {
        Self {
            first_seq: stored.entry.first_seq,
            count: stored.entry.count,
            time_ns: stored.entry.time_ns,
            epoch: stored.epoch,
            hash: stored.hash,
            body: stored.entry.body.to_vec(),
        }
    }
}

/// Where a durable append ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Appended {
    /// Sequence of the last event of the group.
    pub last_seq: u64,
    /// The chain up to and including it.
    pub last_hash: ChainHash,
}

/// The durable end of a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tip {
    /// Sequence of the last durable event; 0 for an empty log.
    pub last_seq: u64,
    /// The chain up to and including it; [`ChainHash::genesis`] for an empty log.
    pub last_hash: ChainHash,
    /// The newest claim; 0 if the log was never claimed.
    pub epoch: Epoch,
}

/// State of the owner of a log after `seq`, to start from instead of sequence 1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// Sequence of the last event folded in; the end of an entry.
    pub seq: u64,
    /// The chain at `seq`.
    pub chain_hash: ChainHash,
    /// Hash of the state, as its owner computes it.
    pub state_hash: [u8; 32],
    /// Version of the encoding of `bytes`. Another one is not migrated but rebuilt from the log.
    pub schema: u32,
    /// The encoded state, opaque to the log.
    pub bytes: Vec<u8>,
}

/// The log of one partition. One writer appends; any number of readers follow.
pub trait Journal: Send {
    /// The partition this log belongs to.
    fn partition(&self) -> u32;

    /// Takes ownership: raises the epoch durably. Every older epoch is fenced from then on.
    ///
    /// # Errors
    /// [`JournalError::Failed`] if the claim could not be made durable.
    fn claim(&mut self) -> Result<Epoch, JournalError>;

    /// Makes a group durable, all or nothing. Returns only after it is. The group is then to be
    /// restarted after the new tip, or after the tip of a group filled in the meantime.
    ///
    /// # Errors
    /// - [`JournalError::Fenced`] if its epoch is not the newest claim.
    /// - [`JournalError::EmptyGroup`], [`JournalError::SequenceGap`], [`JournalError::Forked`]:
    ///   nothing was written and the log goes on.
    /// - [`JournalError::Failed`]: the device refused. It is unknown whether the group is durable;
    ///   this log accepts nothing more until it is opened again.
    fn commit(&mut self, group: &mut Group) -> Result<Appended, JournalError>;

    /// Fills a group with `entries` and commits it. Hashing is part of the call here: to have it
    /// done while the previous group is written, fill groups elsewhere and [`Journal::commit`].
    ///
    /// # Errors
    /// As [`Journal::commit`] and [`Group::push`].
    fn append(&mut self, epoch: Epoch, entries: &[EntryRef<'_>]) -> Result<Appended, JournalError> {
        let tip = Tip { epoch, ..self.tip() };
        let mut group = Group::after(self.partition(), tip);
        for entry in entries {
            group.push(*entry)?;
        }
        self.commit(&mut group)
    }

    /// A reader of its own, usable from another thread while this one appends.
    fn reader(&self) -> Box<dyn JournalReader>;

    /// The snapshots of this log, usable from another thread while this one appends.
    fn snapshots(&self) -> Box<dyn SnapshotStore>;

    /// The durable end.
    fn tip(&self) -> Tip;

    /// Stores a snapshot; see [`SnapshotStore::put`].
    ///
    /// # Errors
    /// As [`SnapshotStore::put`].
    fn put_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), JournalError> {
        self.snapshots().put(snapshot)
    }

    /// The newest snapshot of `schema`; see [`SnapshotStore::latest`].
    ///
    /// # Errors
    /// As [`SnapshotStore::latest`].
    fn latest_snapshot(&self, schema: u32) -> Result<Option<Snapshot>, JournalError> {
        self.snapshots().latest(schema)
    }
}

/// Reads the durable part of a log, checking every checksum and the chain on the way.
pub trait JournalReader: Send {
    /// The durable end, as of now.
    fn tip(&self) -> Tip;

    /// Calls `visit` with every entry from the one that contains `from_seq` to the durable end, or
    /// until it breaks. `from_seq` one past the end visits nothing.
    ///
    /// # Errors
    /// - [`JournalError::BeforeFirst`] for 0, [`JournalError::BeyondTip`] for more than one past
    ///   the end.
    /// - [`JournalError::Damaged`], [`JournalError::Io`]: what was visited before is good.
    fn scan(&mut self, from_seq: u64, visit: &mut dyn FnMut(StoredEntry<'_>) -> ControlFlow<()>) -> Result<(), JournalError>;

    /// Appends to `out` whole entries from the one that contains `from_seq`, until their bodies
    /// reach `max_bytes` or the log ends. Returns how many; at least one if there is one.
    ///
    /// # Errors
    /// As [`JournalReader::scan`].
    fn read(&mut self, from_seq: u64, max_bytes: usize, out: &mut Vec<Entry>) -> Result<usize, JournalError> {
        let (mut entries, mut bytes) = (0, 0_usize);
        self.scan(from_seq, &mut |stored| {
            entries += 1;
            bytes = bytes.saturating_add(stored.entry.body.len());
            out.push(stored.into());
            if bytes < max_bytes { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(entries)
    }

    /// The chain at `seq`, or `None` if no entry ends there. 0 is the genesis.
    ///
    /// # Errors
    /// As [`JournalReader::scan`].
    fn hash_at(&mut self, seq: u64) -> Result<Option<ChainHash>, JournalError>;
}

/// The snapshots of one log.
pub trait SnapshotStore: Send {
    /// Stores a snapshot durably. Only the two newest are kept.
    ///
    /// # Errors
    /// - [`JournalError::SnapshotMismatch`] if no entry ends at its sequence with its chain hash.
    /// - [`JournalError::Io`] if it could not be written. The log itself is not affected.
    fn put(&mut self, snapshot: &Snapshot) -> Result<(), JournalError>;

    /// The newest readable snapshot of `schema` that was taken at `seq` or before. Unreadable ones and other schemas
    /// are passed over: they are rebuilt from the log.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] if an intact snapshot contradicts the log.
    fn latest_until(&mut self, schema: u32, seq: u64) -> Result<Option<Snapshot>, JournalError>;

    /// The newest readable snapshot of `schema`.
    ///
    /// # Errors
    /// As [`SnapshotStore::latest_until`].
    fn latest(&mut self, schema: u32) -> Result<Option<Snapshot>, JournalError> {
        self.latest_until(schema, u64::MAX)
    }
}

/// Snapshots kept: the newest, and the one before it should the newest prove unreadable.
pub(crate) const KEPT_SNAPSHOTS: usize = 2;

/// A reader may ask for 1 to one past the end.
pub(crate) fn check_range(from_seq: u64, last_seq: u64) -> Result<(), JournalError> {
    if from_seq == 0 {
        return Err(JournalError::BeforeFirst { asked: 0, first: 1 });
    }
    if last_seq < from_seq - 1 {
        return Err(JournalError::BeyondTip { asked: from_seq, last: last_seq });
    }
    Ok(())
}
