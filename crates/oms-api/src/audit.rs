//! The audit as the interface shows it. Whoever keeps it implements [`Audit`]; the interface knows no tree and no key.

use oms_model::Refusal;
use std::io::Write;

/// A signed checkpoint, with what it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditCheckpoint {
    /// How many records of the log it was signed for.
    pub size: u64,
    /// Sequence of the last event in them.
    pub sequence: u64,
    /// When that was decided, nanoseconds since the Unix epoch.
    pub time_ns: i64,
    /// The root of their Merkle tree, in hexadecimal digits.
    pub root: String,
    /// The signed note.
    pub note: String,
}

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// Records that were read.
    pub records: u64,
    /// Events in them.
    pub events: u64,
    /// Checkpoints whose signatures fit.
    pub checkpoints: u64,
    /// Sequence of the last event that is signed.
    pub sequence: u64,
    /// Where something is wrong, and what.
    pub findings: Vec<(String, String)>,
}

/// The audit of a desk. Its methods block.
pub trait Audit: Send + Sync {
    /// The public key, in the form of signed notes.
    fn key(&self) -> String;
    /// The checkpoints behind `after` records, the oldest first, at most `limit`.
    ///
    /// # Errors
    /// `INTERNAL` where they cannot be read.
    fn checkpoints(&self, after: u64, limit: usize) -> Result<Vec<AuditCheckpoint>, Refusal>;
    /// Signs what is durable now, and answers the newest checkpoint.
    ///
    /// # Errors
    /// `OVERLOADED`; `INTERNAL` where nothing can be signed.
    fn sign(&self) -> Result<AuditCheckpoint, Refusal>;
    /// Writes the whole log up to its newest checkpoint.
    ///
    /// # Errors
    /// `INTERNAL`.
    fn export(&self, out: &mut dyn Write) -> Result<(), Refusal>;
    /// Writes the records that hold these events of an order, with their inclusion proofs.
    ///
    /// # Errors
    /// `INTERNAL`.
    fn proof(&self, order: [u8; 16], sequences: &[u64], out: &mut dyn Write) -> Result<(), Refusal>;
    /// Verifies the whole log as whoever gets its export would.
    ///
    /// # Errors
    /// `INTERNAL` where the log cannot be read.
    fn verify(&self) -> Result<AuditReport, Refusal>;
}
