//! The log: one gapless, hash-chained sequence of entries per partition, and what is kept beside it.
//!
//! - An *entry* is the atomic batch of events that one input produced. Its body is opaque here.
//! - [`Journal::append`] returns only after the whole group of entries is durable. Nothing that is
//!   not durable is ever visible to a reader.
//! - After a crash every acknowledged entry is there. An unacknowledged group is there whole or not
//!   at all. Damage is refused with its place; it is never skipped.
//! - One conformance suite ([`conformance`]) holds for every implementation.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking"))]

pub mod bars;
mod chain;
pub mod codec;
#[doc(hidden)]
pub mod conformance;
pub mod disk;
pub mod embedded;
mod error;
mod group;
mod journal;
mod memory;
pub mod views;

pub use chain::{ChainHash, FORMAT_VERSION, hex};
pub use embedded::verify::{VerifyReport, verify, verify_disk};
pub use embedded::{Config, EmbeddedJournal, OpenCheck};
pub use error::{Damage, Defect, JournalError};
pub use group::Group;
pub use journal::{
    Appended, Entry, EntryRef, Epoch, Journal, JournalReader, MAX_ENTRY_BODY, MAX_GROUP_BYTES, Snapshot, SnapshotStore, StoredEntry, Tip,
};
pub use memory::MemoryJournal;
