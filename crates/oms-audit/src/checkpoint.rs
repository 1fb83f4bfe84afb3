//! A checkpoint: the head of the tree at a size, signed.
//!
//! ```text
//! oms.example/desk
//! 1203
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//! previous 1180
//! sequence 5120
//! time 1764275045000000000
//! chain 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//! schema 2
//! partition 0
//! ```
//!
//! The first three lines are those of c2sp.org/tlog-checkpoint. The others are extensions of ours, and every one follows
//! from the log and the checkpoint before: no clock is in it, so that it can be made again to the byte.

use crate::merkle::Hash;
use crate::note::{self, NoteError, SignerKey, VerifierKey};
use crate::record::{from_hex, hex};
use std::fmt::{self, Write as _};
use std::str::FromStr;

/// The most bytes of a signed checkpoint.
pub const MAX_NOTE: usize = 8 << 10;

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log: the name of its key.
    pub origin: String,
    /// How many records there are.
    pub size: u64,
    /// The root of their tree.
    pub root: Hash,
    /// The size of the checkpoint before; 0 for the first. So none can be left out unseen.
    pub previous: u64,
    /// Sequence of the last event.
    pub sequence: u64,
    /// When the last record was decided, nanoseconds since the Unix epoch.
    pub time_ns: i64,
    /// The hash chain up to and including the last record.
    pub chain: Hash,
    /// Version of the events' schema that the program which made it writes.
    pub schema: u32,
    /// The partition of the log.
    pub partition: u32,
}

/// A number as it is written: no sign but a minus, no leading zero.
fn number<T: FromStr + fmt::Display>(text: &str) -> Option<T> {
    text.parse().ok().filter(|number: &T| number.to_string() == text)
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { origin, size, root, previous, sequence, time_ns, chain, schema, partition } = self;
        let mut text = format!("{origin}\n{size}\n{}\n", note::to_base64(root));
        // Writing to a string does not fail.
        let _written = write!(
            text,
            "previous {previous}\nsequence {sequence}\ntime {time_ns}\nchain {}\nschema {schema}\npartition {partition}\n",
            hex(chain)
        );
        text
    }

    /// Reads the text of a checkpoint.
    ///
    /// # Errors
    /// [`NoteError::Malformed`] for whatever [`Checkpoint::text`] does not write.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        Self::read(text).filter(|checkpoint| checkpoint.text() == text).ok_or(NoteError::Malformed)
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        let origin = lines.next()?.to_owned();
        let size = number(lines.next()?)?;
        let root = note::base64(lines.next()?)?.try_into().ok()?;
        let mut named = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        Some(Self {
            origin,
            size,
            root,
            previous: number(named("previous")?)?,
            sequence: number(named("sequence")?)?,
            time_ns: number(named("time")?)?,
            chain: from_hex(named("chain")?)?,
            schema: number(named("schema")?)?,
            partition: number(named("partition")?)?,
        })
    }

    /// Signs it.
    ///
    /// # Errors
    /// [`NoteError::BadKey`] where the key is that of another origin.
    pub fn sign(&self, key: &SignerKey) -> Result<String, NoteError> {
        if key.verifier().name() != self.origin {
            return Err(NoteError::BadKey);
        }
        key.sign(&self.text())
    }

    /// Verifies and reads a signed checkpoint.
    ///
    /// # Errors
    /// See [`NoteError`].
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, NoteError> {
        let checkpoint = Self::parse(key.open(note)?)?;
        if checkpoint.origin == key.name() && checkpoint.previous < checkpoint.size { Ok(checkpoint) } else { Err(NoteError::Malformed) }
    }
}

#[cfg(test)]
mod tests;
