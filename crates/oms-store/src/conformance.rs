//! What holds for every log. An implementation runs all of it:
//!
//! ```ignore
//! oms_store::journal_conformance!(memory: MemoryFixture::default());
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test suite: it fails by panicking, and the names of its cases say what holds"
)]

mod cases;

use std::ops::ControlFlow;

pub use cases::*;

use crate::chain::ChainHash;
use crate::error::JournalError;
use crate::journal::{Entry, EntryRef, Journal, JournalReader, Tip};

/// A log that can be closed and opened again.
pub trait Fixture {
    /// Opens the log; the one opened before has been dropped.
    fn open(&mut self) -> Box<dyn Journal>;
}

/// Makes one test of every case, each with a fresh fixture.
#[macro_export]
macro_rules! journal_conformance {
    ($name:ident: $fixture:expr) => {
        mod $name {
            #[allow(unused_imports, reason = "the fixture may need none")]
            use super::*;
            $crate::journal_conformance!(@cases $fixture;
                an_empty_log_has_the_genesis
                what_is_appended_is_read_back
                the_chain_follows_the_content
                sequences_are_gapless
                a_refused_group_leaves_nothing
                older_claims_are_fenced
                groups_are_filled_ahead
                readers_see_the_durable_end
                a_follower_sees_every_entry_once
                reopening_finds_everything
                scanning_starts_anywhere
                reads_are_bounded
                large_entries_fit
                limits_are_refused
                snapshots_belong_to_the_chain
                snapshots_are_kept_by_twos
            );
        }
    };
    (@cases $fixture:expr; $($case:ident)*) => {
        $(#[test]
        fn $case() {
            $crate::conformance::$case(&mut $fixture);
        })*
    };
}

/// A body without zeros whose bytes depend on `seed`.
#[must_use]
pub fn body(seed: u64, len: usize) -> Vec<u8> {
    let byte = |at: usize| (seed.wrapping_mul(31).wrapping_add(at as u64) % 251) as u8 + 1;
    (0..len).map(byte).collect()
}

/// Entries after `tip` with these counts of events and lengths of body.
#[must_use]
pub fn group(tip: Tip, shape: &[(u32, usize)]) -> Vec<Entry> {
    let mut first_seq = tip.last_seq + 1;
    let mut entries = Vec::new();
    for (count, len) in shape {
        entries.push(Entry {
            first_seq,
            count: *count,
            time_ns: 1_700_000_000_000_000_000 + i64::try_from(first_seq).unwrap(),
            epoch: tip.epoch,
            hash: ChainHash::default(),
            body: body(first_seq, *len),
        });
        first_seq += u64::from(*count);
    }
    entries
}

/// Appends a group under the newest claim and returns it with the hashes it must be read with.
pub fn append(journal: &mut dyn Journal, shape: &[(u32, usize)]) -> Vec<Entry> {
    let tip = journal.tip();
    let mut entries = group(tip, shape);
    let refs: Vec<EntryRef<'_>> = entries.iter().map(Entry::as_ref).collect();
    let appended = journal.append(tip.epoch, &refs).unwrap();
    let mut hash = tip.last_hash;
    for entry in &mut entries {
        hash = hash.link_entry(journal.partition(), tip.epoch, &entry.as_ref());
        entry.hash = hash;
    }
    assert_eq!(appended.last_seq, entries.last().unwrap().last_seq());
    assert_eq!(appended.last_hash, hash);
    assert_eq!(journal.tip(), Tip { last_seq: appended.last_seq, last_hash: hash, epoch: tip.epoch });
    entries
}

/// Everything from `from_seq` to the end.
pub fn read_all(reader: &mut dyn JournalReader, from_seq: u64) -> Result<Vec<Entry>, JournalError> {
    let mut out = Vec::new();
    reader.scan(from_seq, &mut |stored| {
        out.push(stored.into());
        ControlFlow::Continue(())
    })?;
    Ok(out)
}
