//! Entries laid out and hashed ahead of their commit.
//!
//! The chain is sequential and costs more than the checksums and the copying together, so a group
//! can be filled while the one before it is still being written: what then remains for the commit
//! is the device.

use crate::chain::ChainHash;
use crate::embedded::format;
use crate::error::JournalError;
use crate::journal::{EntryRef, Epoch, MAX_ENTRY_BODY, MAX_GROUP_BYTES, StoredEntry, Tip};

/// Entries that follow each other and will be durable together.
#[derive(Debug)]
pub struct Group {
    partition: u32,
    before: Tip,
    tip: Tip,
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl Group {
    /// An empty group whose first entry will follow `tip`, under the epoch of `tip`. That is the
    /// tip of a log of `partition`, or of a group that will be committed before this one.
    #[must_use]
    pub fn after(partition: u32, tip: Tip) -> Self {
        Self { partition, before: tip, tip, bytes: Vec::new(), starts: Vec::new() }
    }

    /// Empties the group, to be filled again after `tip`. Its memory is kept.
    pub fn restart(&mut self, tip: Tip) {
        self.before = tip;
        self.tip = tip;
        self.bytes.clear();
        self.starts.clear();
    }

    /// Gives memory back above `max_bytes`.
    pub fn shrink(&mut self, max_bytes: usize) {
        self.bytes.shrink_to(max_bytes);
    }

    /// Adds an entry and returns the chain up to it.
    ///
    /// # Errors
    /// [`JournalError::SequenceGap`], [`JournalError::EmptyEntry`],
    /// [`JournalError::EntryTooLarge`], [`JournalError::GroupTooLarge`]: the group is as before.
    pub fn push(&mut self, entry: EntryRef<'_>) -> Result<ChainHash, JournalError> {
        let (first_seq, body) = (entry.first_seq, entry.body.len());
        if self.tip.last_seq.checked_add(1) != Some(first_seq) {
            let expected = self.tip.last_seq.saturating_add(1);
            return Err(JournalError::SequenceGap { expected, found: first_seq });
        }
        if entry.count == 0 {
            return Err(JournalError::EmptyEntry { first_seq });
        }
        if MAX_ENTRY_BODY < body {
            return Err(JournalError::EntryTooLarge { first_seq, bytes: body, max: MAX_ENTRY_BODY });
        }
        let bytes = self.bytes.len() + format::entry_len(body);
        if MAX_GROUP_BYTES < bytes {
            return Err(JournalError::GroupTooLarge { bytes, max: MAX_GROUP_BYTES });
        }
        self.starts.push(self.bytes.len());
        let (epoch, last_hash) = (self.tip.epoch, self.tip.last_hash);
        let hash = format::push_entry(&mut self.bytes, self.partition, epoch, last_hash, &entry);
        self.tip.last_seq = entry.last_seq();
        self.tip.last_hash = hash;
        Ok(hash)
    }

    /// What the tip of the log will be once this group is durable.
    #[must_use]
    pub fn tip(&self) -> Tip {
        self.tip
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Bytes as stored, without the fill to a sector; at most [`MAX_GROUP_BYTES`].
    #[must_use]
    pub fn stored_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The entries, in order.
    pub fn entries(&self) -> impl Iterator<Item = StoredEntry<'_>> {
        self.starts.iter().map(|start| format::entry_at(&self.bytes[*start..]))
    }

    /// May this group be committed to a log of `partition` that ends at `tip`?
    ///
    /// # Errors
    /// [`JournalError::Fenced`], [`JournalError::EmptyGroup`], [`JournalError::SequenceGap`],
    /// [`JournalError::Forked`].
    pub fn check(&self, partition: u32, tip: Tip) -> Result<(), JournalError> {
        let epoch = self.before.epoch;
        if epoch != tip.epoch || epoch == Epoch::default() {
            return Err(JournalError::Fenced { given: epoch, current: tip.epoch });
        }
        if self.is_empty() {
            return Err(JournalError::EmptyGroup);
        }
        if self.before.last_seq != tip.last_seq {
            return Err(JournalError::SequenceGap {
                expected: tip.last_seq.saturating_add(1),
                found: self.before.last_seq.saturating_add(1),
            });
        }
        if self.before.last_hash != tip.last_hash || self.partition != partition {
            return Err(JournalError::Forked { expected: tip.last_hash, found: self.before.last_hash });
        }
        Ok(())
    }

    /// The bytes to store at `offset` of a segment whose checksums start from `salt`.
    pub(crate) fn place(&mut self, offset: u64, salt: u32) -> &[u8] {
        let first_seq = self.before.last_seq.saturating_add(1);
        format::place_group(&mut self.bytes, &self.starts, first_seq, offset, salt);
        &self.bytes
    }
}
