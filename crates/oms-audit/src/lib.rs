//! What proves that a log was not changed: Merkle trees, signed checkpoints, exports and proofs.
//!
//! - The tree is that of RFC 6962 and RFC 9162 over the log's records; a record is one entry of the log, as stored.
//! - A checkpoint is the signed head of the tree at a size, in the form of C2SP (c2sp.org/tlog-checkpoint,
//!   c2sp.org/signed-note), with Ed25519. Equal logs have equal checkpoints at equal sizes, to the byte.
//! - An [`export`] is the whole log with its checkpoints and the public key; a [`proof`] is the records of one order with
//!   their inclusion proofs. Either needs nothing else to be verified, and every byte of either is bound by a signature.
//! - This crate reads no clock, file or socket and knows no other crate of the workspace, so that whoever verifies has
//!   little to read.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")
)]

pub mod checkpoint;
pub mod consistency;
pub mod export;
mod file;
pub mod merkle;
pub mod note;
pub mod proof;
pub mod record;

use std::io::{self, Read};

pub use checkpoint::Checkpoint;
pub use file::{Finding, Head, Kind, Place, Report, Trusted, write_note};
pub use merkle::Hash;
pub use note::{SignerKey, VerifierKey};
pub use record::{Record, RecordFields};

/// Verifies an export, a proof of an order or a consistency proof, whichever it is. `seen` is called with the place of each record that is right, and with it.
///
/// # Errors
/// Of the input alone; what is wrong with the file is in the report.
pub fn verify(mut input: impl Read, trusted: &Trusted, seen: impl FnMut(u64, &Record<'_>)) -> io::Result<Report> {
    // The first line says which of them it is.
    let mut first = Vec::new();
    input.by_ref().take(file::PROOF.len() as u64).read_to_end(&mut first)?;
    let (is_proof, is_consistency) = (first == file::PROOF.as_bytes(), file::CONSISTENCY.as_bytes().starts_with(&first));
    let whole = first.as_slice().chain(input);
    if is_proof {
        proof::verify(whole, trusted, seen)
    } else if is_consistency {
        consistency::verify(whole, trusted)
    } else {
        export::verify(whole, trusted, seen)
    }
}
