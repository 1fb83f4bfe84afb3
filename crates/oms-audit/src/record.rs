//! A record: one entry of the log, as its hash chain and the tree see it.
//!
//! The 40 bytes of fields and the chain are those of the log itself, so that what is verified is what was stored.

use crate::merkle::{Hash, leaf_hash};
use sha2::{Digest, Sha256};

/// Bytes of the fields.
pub const FIELDS_LEN: usize = 40;
/// The most bytes of a body.
pub const MAX_BODY: u32 = 16 << 20;

/// What stands before the body, little-endian in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordFields {
    /// Version of the log's entry format.
    pub version: u32,
    /// The log.
    pub partition: u32,
    /// The term of ownership that it was written under.
    pub epoch: u64,
    /// Sequence of its first event.
    pub first_seq: u64,
    /// When it was decided, nanoseconds since the Unix epoch.
    pub time_ns: i64,
    /// How many events it holds.
    pub count: u32,
    /// Bytes of the body.
    pub body_len: u32,
}

/// `N` bytes from `at`.
fn array<const N: usize>(bytes: &[u8; FIELDS_LEN], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.iter_mut().zip(bytes.iter().skip(at)).for_each(|(to, from)| *to = *from);
    out
}

impl RecordFields {
    /// Reads the fields; any 40 bytes are some.
    #[must_use]
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

    /// The bytes that are hashed and stored.
    #[must_use]
    pub fn encode(&self) -> [u8; FIELDS_LEN] {
        let mut out = Vec::with_capacity(FIELDS_LEN);
        out.extend_from_slice(&self.version.to_le_bytes());
        out.extend_from_slice(&self.partition.to_le_bytes());
        out.extend_from_slice(&self.epoch.to_le_bytes());
        out.extend_from_slice(&self.first_seq.to_le_bytes());
        out.extend_from_slice(&self.time_ns.to_le_bytes());
        out.extend_from_slice(&self.count.to_le_bytes());
        out.extend_from_slice(&self.body_len.to_le_bytes());
        out.try_into().unwrap_or([0; FIELDS_LEN])
    }

    /// Sequence of its last event.
    #[must_use]
    pub const fn last_seq(&self) -> u64 {
        self.first_seq.saturating_add(self.count as u64).saturating_sub(1)
    }
}

/// A record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// What stands before the body.
    pub fields: RecordFields,
    /// The encoded events: the message `Batch` of `schemas/proto/oms/log/v1`.
    pub body: &'a [u8],
}

impl Record<'_> {
    /// Its leaf of the tree.
    #[must_use]
    pub fn leaf(&self) -> Hash {
        leaf_hash(&[&self.fields.encode(), self.body])
    }

    /// The chain up to and including it, after `before`.
    #[must_use]
    pub fn chain(&self, before: &Hash) -> Hash {
        Sha256::new().chain_update(before).chain_update(self.fields.encode()).chain_update(self.body).finalize().into()
    }
}

/// The chain before the first record of a log.
#[must_use]
pub fn genesis(partition: u32) -> Hash {
    Sha256::new().chain_update(b"oms journal genesis v1").chain_update(partition.to_le_bytes()).finalize().into()
}

/// A hash as people read it.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What [`hex`] writes, and nothing else.
#[must_use]
pub fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut out = [0; N];
    let mut digits = text.bytes();
    for byte in &mut out {
        *byte = digit(digits.next()?)? << 4 | digit(digits.next()?)?;
    }
    digits.next().is_none().then_some(out)
}
