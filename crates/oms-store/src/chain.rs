//! The hash chain over the logical content of a log.
//!
//! - `hash(n) = SHA-256(hash(n-1) || fields || body)`; the fields are the 40 bytes of [`Fields`].
//! - Where an entry lies (segment, offset, group) is not part of it, so the same entries have the
//!   same chain in every implementation.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::journal::{EntryRef, Epoch};

/// Version of the entry format, part of every hash.
pub const FORMAT_VERSION: u32 = 1;

/// Bytes of the hashed fields.
pub(crate) const FIELDS_LEN: usize = 40;

/// SHA-256 over an entry and everything before it in its partition.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ChainHash(pub [u8; 32]);

impl ChainHash {
    /// The hash before the first entry. It differs by partition, so chains cannot be swapped.
    #[must_use]
    pub fn genesis(partition: u32) -> Self {
        let hasher = Sha256::new().chain_update(b"oms journal genesis v1");
        Self(hasher.chain_update(partition.to_le_bytes()).finalize().into())
    }

    /// The hash of what follows `self`: `content` is the fields and the body.
    pub(crate) fn link(self, content: &[u8]) -> Self {
        Self(Sha256::new().chain_update(self.0).chain_update(content).finalize().into())
    }

    /// As [`ChainHash::link`], for an entry that is not laid out in one piece.
    pub(crate) fn link_entry(self, partition: u32, epoch: Epoch, entry: &EntryRef<'_>) -> Self {
        let fields = Fields::of(partition, epoch, entry).encode();
        let hasher = Sha256::new().chain_update(self.0).chain_update(fields);
        Self(hasher.chain_update(entry.body).finalize().into())
    }
}

/// A hash as people read it: two digits for each byte.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The hashed fields of an entry, little-endian in this order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fields {
    pub version: u32,
    pub partition: u32,
    pub epoch: u64,
    pub first_seq: u64,
    pub time_ns: i64,
    pub count: u32,
    pub body_len: u32,
}

impl Fields {
    /// `entry.body` is at most [`crate::MAX_ENTRY_BODY`], so its length fits.
    pub fn of(partition: u32, epoch: Epoch, entry: &EntryRef<'_>) -> Self {
        Self {
            version: FORMAT_VERSION,
            partition,
            epoch: epoch.0,
            first_seq: entry.first_seq,
            time_ns: entry.time_ns,
            count: entry.count,
            body_len: u32::try_from(entry.body.len()).unwrap_or(u32::MAX),
        }
    }

    pub fn encode(&self) -> [u8; FIELDS_LEN] {
        let mut out = [0; FIELDS_LEN];
        out[0..4].copy_from_slice(&self.version.to_le_bytes());
        out[4..8].copy_from_slice(&self.partition.to_le_bytes());
        out[8..16].copy_from_slice(&self.epoch.to_le_bytes());
        out[16..24].copy_from_slice(&self.first_seq.to_le_bytes());
        out[24..32].copy_from_slice(&self.time_ns.to_le_bytes());
        out[32..36].copy_from_slice(&self.count.to_le_bytes());
        out[36..40].copy_from_slice(&self.body_len.to_le_bytes());
        out
    }

    pub fn decode(bytes: &[u8; FIELDS_LEN]) -> Self {
        Self {
            version: u32::from_le_bytes(array(bytes, 0)),
            partition: u32::from_le_bytes(array(bytes, 4)),
            epoch: u64::from_le_bytes(array(bytes, 8)),
            first_seq: u64::from_le_bytes(array(bytes, 16)),
            time_ns: i64::from_le_bytes(array(bytes, 24)),
            count: u32::from_le_bytes(array(bytes, 32)),
            body_len: u32::from_le_bytes(array(bytes, 36)),
        }
    }
}

/// `N` bytes of `bytes` from `at`; the caller's layout constants keep it in range.
pub(crate) fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}
