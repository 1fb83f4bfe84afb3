//! What a log refuses, with its numbers.

use std::fmt;
use std::io;

use crate::chain::ChainHash;
use crate::journal::Epoch;

/// Why a log could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process has the log open for writing.
    #[error("the log is locked by {}", holder(*pid))]
    Locked {
        /// The holder, if it could be read from the lock file.
        pid: Option<u32>,
    },
    /// The claim behind this append is not the newest one: somebody else owns the log now.
    #[error("epoch {} is fenced: the log is at epoch {}", given.0, current.0)]
    Fenced {
        /// The epoch of the append.
        given: Epoch,
        /// The newest claim.
        current: Epoch,
    },
    /// The entry does not continue the log.
    #[error("entry starts at sequence {found}, expected {expected}")]
    SequenceGap {
        /// The sequence that comes next.
        expected: u64,
        /// The sequence of the entry.
        found: u64,
    },
    /// The group was filled after another entry than the last one of the log, or for another
    /// partition.
    #[error("the group follows {found}, the log ends at {expected}")]
    Forked {
        /// The chain at the end of the log.
        expected: ChainHash,
        /// The chain before the group.
        found: ChainHash,
    },
    /// An append of no entries.
    #[error("a group needs at least one entry")]
    EmptyGroup,
    /// An entry of no events.
    #[error("entry at sequence {first_seq} has no events")]
    EmptyEntry {
        /// The sequence of the entry.
        first_seq: u64,
    },
    /// The body is larger than [`crate::MAX_ENTRY_BODY`].
    #[error("entry at sequence {first_seq} has {bytes} bytes, at most {max}")]
    EntryTooLarge {
        /// The sequence of the entry.
        first_seq: u64,
        /// Bytes of its body.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The group is larger than [`crate::MAX_GROUP_BYTES`].
    #[error("group has {bytes} bytes, at most {max}")]
    GroupTooLarge {
        /// Bytes of the group as stored.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The asked sequence is past the durable end by more than one.
    #[error("sequence {asked} is beyond the end of the log at {last}")]
    BeyondTip {
        /// What was asked for.
        asked: u64,
        /// The last durable sequence.
        last: u64,
    },
    /// The asked sequence is before the first one of the log.
    #[error("sequence {asked} is before the start of the log at {first}")]
    BeforeFirst {
        /// What was asked for.
        asked: u64,
        /// The first sequence of the log.
        first: u64,
    },
    /// The snapshot does not belong to this log.
    #[error("no entry of the log ends at sequence {seq} with the snapshot's chain hash")]
    SnapshotMismatch {
        /// The sequence of the snapshot.
        seq: u64,
    },
    /// The stored log is not what was written. It has to be restored, not repaired.
    #[error("the log is damaged: {0}")]
    Damaged(Box<Damage>),
    /// A write or sync failed before; nothing more is accepted until the log is opened again.
    #[error("the log has stopped: {during} failed: {reason}")]
    Failed {
        /// The operation that failed.
        during: &'static str,
        /// What the device said.
        reason: String,
    },
    /// Reading, opening or writing beside the log failed.
    #[error("{during} {file}: {source}")]
    Io {
        /// The operation.
        during: &'static str,
        /// The file, relative to the log's directory.
        file: String,
        /// What the device said.
        source: io::Error,
    },
}

impl JournalError {
    pub(crate) fn io(during: &'static str, file: &str, source: io::Error) -> Self {
        Self::Io { during, file: file.to_owned(), source }
    }
}

impl From<Damage> for JournalError {
    fn from(damage: Damage) -> Self {
        Self::Damaged(Box::new(damage))
    }
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

/// One place where the stored log is not what was written.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{file} at byte {offset}: {defect}; last good sequence {last_good_seq}")]
pub struct Damage {
    /// The file, relative to the log's directory.
    pub file: String,
    /// Byte offset in the file.
    pub offset: u64,
    /// Sequence of the last event before the damage that was verified.
    pub last_good_seq: u64,
    /// What is wrong there.
    pub defect: Defect,
}

/// What is wrong at one place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Defect {
    /// There is no entry where one must be.
    Magic {
        /// The four bytes found.
        found: u32,
    },
    /// The checksum of a header does not match.
    HeaderChecksum {
        /// Stored.
        expected: u32,
        /// Computed.
        found: u32,
    },
    /// The checksum of a body does not match.
    BodyChecksum {
        /// Stored.
        expected: u32,
        /// Computed.
        found: u32,
    },
    /// Written by a version of the format that this program does not know.
    Version {
        /// The version known.
        expected: u32,
        /// The version found.
        found: u32,
    },
    /// Belongs to another partition.
    Partition {
        /// This log's.
        expected: u32,
        /// The stored one.
        found: u32,
    },
    /// A sequence is missing or repeated.
    Sequence {
        /// The next one.
        expected: u64,
        /// The stored one.
        found: u64,
    },
    /// The epoch goes back, or was never claimed.
    Epoch {
        /// The newest one before.
        previous: u64,
        /// The stored one.
        found: u64,
    },
    /// The chain is broken: an entry before this one, or this one, was replaced.
    Chain {
        /// As computed from what is before.
        expected: ChainHash,
        /// As stored.
        found: ChainHash,
    },
    /// A field that places the entry in its group or file has an impossible value.
    Placement {
        /// The field.
        field: &'static str,
        /// The only possible value.
        expected: u64,
        /// The stored one.
        found: u64,
    },
    /// The bytes between two groups are not the fill byte.
    Padding {
        /// The first wrong byte.
        found: u8,
    },
    /// A file ends before its content does.
    Truncated {
        /// Bytes needed.
        expected: u64,
        /// Bytes there.
        found: u64,
    },
    /// The space after the last group of a finished segment is not zero.
    NotZero {
        /// The first wrong byte.
        found: u8,
    },
    /// A segment is missing.
    MissingSegment {
        /// Its first sequence.
        first_seq: u64,
    },
    /// The epoch file is missing or unreadable, though entries were written under a claim.
    EpochFile,
    /// An intact snapshot is newer than the log: durable entries were lost.
    SnapshotBeyondTip {
        /// The sequence of the snapshot.
        seq: u64,
    },
    /// An intact snapshot names another chain hash than the log.
    SnapshotChain {
        /// The sequence of the snapshot.
        seq: u64,
    },
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic { found } => write!(f, "no entry, found {found:#010x}"),
            Self::HeaderChecksum { expected, found } => {
                write!(f, "header checksum expected {expected:#010x}, found {found:#010x}")
            }
            Self::BodyChecksum { expected, found } => {
                write!(f, "body checksum expected {expected:#010x}, found {found:#010x}")
            }
            Self::Version { expected, found } => {
                write!(f, "format version {found}, this program reads {expected}")
            }
            Self::Partition { expected, found } => {
                write!(f, "partition expected {expected}, found {found}")
            }
            Self::Sequence { expected, found } => {
                write!(f, "sequence expected {expected}, found {found}")
            }
            Self::Epoch { previous, found } => write!(f, "epoch {found} after {previous}"),
            Self::Chain { expected, found } => {
                write!(f, "chain hash expected {expected}, found {found}")
            }
            Self::Placement { field, expected, found } => {
                write!(f, "{field} expected {expected}, found {found}")
            }
            Self::Padding { found } => write!(f, "padding byte {found:#04x}"),
            Self::Truncated { expected, found } => {
                write!(f, "file ends at {found} of {expected} bytes")
            }
            Self::NotZero { found } => write!(f, "byte {found:#04x} after the last group"),
            Self::MissingSegment { first_seq } => {
                write!(f, "the segment from sequence {first_seq} is missing")
            }
            Self::EpochFile => write!(f, "the epoch file is missing or unreadable"),
            Self::SnapshotBeyondTip { seq } => {
                write!(f, "snapshot at sequence {seq} is newer than the log")
            }
            Self::SnapshotChain { seq } => {
                write!(f, "snapshot at sequence {seq} contradicts the chain")
            }
        }
    }
}
