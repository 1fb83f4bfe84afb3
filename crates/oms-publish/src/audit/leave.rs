//! What leaves the house: exports and proofs.

use super::checkpoints::Checkpoints;
use super::tree::Tree;
use super::{AuditError, record};
use oms_audit::merkle::{prove_consistency, prove_inclusion};
use oms_audit::{Checkpoint, Hash, Report, Trusted, VerifierKey};
use oms_store::{Entry, JournalReader, StoredEntry};
use std::collections::BTreeSet;
use std::io::{self, BufReader, BufWriter, Write};
use std::ops::ControlFlow;

/// Writes the whole log up to its last checkpoint, with every checkpoint.
///
/// # Errors
/// [`AuditError::NoCheckpoint`]; of the log and of the output.
pub fn export(
    out: &mut impl Write,
    partition: u32,
    reader: &mut dyn JournalReader,
    checkpoints: &Checkpoints,
    key: &VerifierKey,
) -> Result<Checkpoint, AuditError> {
    let failed = |error| AuditError::File { path: "export".to_owned(), error };
    let last = checkpoints.last().ok_or(AuditError::NoCheckpoint)?;
    let notes = checkpoints.places().iter().map(|place| checkpoints.note(*place)).collect::<Result<Vec<_>, _>>()?;
    oms_audit::export::begin(out, key, &notes).map_err(failed)?;
    let mut written = Ok(());
    reader.scan(1, &mut |stored| {
        if stored.entry.first_seq > last.sequence {
            return ControlFlow::Break(());
        }
        written = oms_audit::export::write(out, &record(partition, &stored), &stored.hash.0);
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    written.and_then(|()| out.flush()).map_err(failed)?;
    Ok(last.clone())
}

/// The first sequences of the records up to `until` that speak of an order: its id is in their bytes.
///
/// # Errors
/// Of the log.
pub fn speaking_of(order: [u8; 16], reader: &mut dyn JournalReader, until: u64) -> Result<Vec<u64>, AuditError> {
    let finder = memchr::memmem::Finder::new(&order);
    let mut found = Vec::new();
    reader.scan(1, &mut |stored| {
        if stored.entry.first_seq > until {
            return ControlFlow::Break(());
        }
        if finder.find(stored.entry.body).is_some() {
            found.push(stored.entry.first_seq);
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// A record that is to be proven.
struct Leaf {
    index: u64,
    entry: Entry,
    proof: Vec<Hash>,
}

/// Writes the records that hold these events of an order, with their inclusion proofs against the last checkpoint; those
/// that do not speak of it, or are behind the checkpoint, are left out. Returns how many were written.
///
/// # Errors
/// [`AuditError::NoCheckpoint`]; of the log, the tree and the output.
pub fn proof(
    out: &mut impl Write,
    (order, sequences): ([u8; 16], &[u64]),
    partition: u32,
    reader: &mut dyn JournalReader,
    (checkpoints, tree): (&Checkpoints, &Tree),
    key: &VerifierKey,
) -> Result<usize, AuditError> {
    let failed = |error| AuditError::File { path: "proof".to_owned(), error };
    let last = checkpoints.last().ok_or(AuditError::NoCheckpoint)?;
    let note = checkpoints.places().last().map(|place| checkpoints.note(*place)).ok_or(AuditError::NoCheckpoint)??;
    let finder = memchr::memmem::Finder::new(&order);
    let mut indices = BTreeSet::new();
    for sequence in sequences.iter().filter(|sequence| **sequence <= last.sequence) {
        indices.extend(tree.index_of(*sequence, last.size)?.map(|index| (index, *sequence)));
    }
    // Several events of one record are one leaf.
    let mut leaves: Vec<Leaf> = Vec::new();
    for (index, sequence) in indices {
        if leaves.last().is_some_and(|leaf| leaf.index == index) {
            continue;
        }
        let mut entries = Vec::new();
        reader.read(sequence, 1, &mut entries)?;
        let Some(entry) = entries.pop().filter(|entry| finder.find(&entry.body).is_some()) else { continue };
        leaves.push(Leaf { index, entry, proof: prove_inclusion(&mut tree.nodes(), index, last.size)? });
    }
    let write = |mut out: &mut dyn Write| -> io::Result<()> {
        oms_audit::proof::begin(&mut out, key, &note, order, leaves.len() as u64)?;
        for Leaf { index, entry, proof } in &leaves {
            let stored = StoredEntry { entry: entry.as_ref(), epoch: entry.epoch, hash: entry.hash };
            oms_audit::proof::write(&mut out, &record(partition, &stored), *index, proof)?;
        }
        out.flush()
    };
    write(out).map_err(failed)?;
    Ok(leaves.len())
}

/// Writes the proof that the log only grew from an earlier checkpoint, which somebody holds, to the last one. Returns the two.
///
/// # Errors
/// [`AuditError::NoCheckpoint`]; [`AuditError::Note`] where the earlier one is not of this log, [`AuditError::Diverged`] where it
/// is of more records than the last; of the tree and the output.
pub fn consistency(
    out: &mut impl Write,
    earlier: &str,
    (checkpoints, tree): (&Checkpoints, &Tree),
    key: &VerifierKey,
) -> Result<(Checkpoint, Checkpoint), AuditError> {
    let failed = |error| AuditError::File { path: "proof".to_owned(), error };
    let new = checkpoints.last().ok_or(AuditError::NoCheckpoint)?;
    let note = checkpoints.places().last().map(|place| checkpoints.note(*place)).ok_or(AuditError::NoCheckpoint)??;
    let old = Checkpoint::open(earlier, key).map_err(|error| AuditError::Note { path: "the earlier checkpoint".to_owned(), error })?;
    if old.size > new.size {
        return Err(AuditError::Diverged(format!("the earlier checkpoint is of {} records, the last one of {}", old.size, new.size)));
    }
    let proof = prove_consistency(&mut tree.nodes(), old.size, new.size)?;
    oms_audit::consistency::write(out, key, (earlier, &note), &proof).and_then(|()| out.flush()).map_err(failed)?;
    Ok((old, new.clone()))
}

/// Verifies the log as whoever gets its export would: it is exported, and what comes out is verified.
///
/// # Errors
/// As [`export`].
pub fn verify(
    partition: u32,
    reader: &mut dyn JournalReader,
    checkpoints: &Checkpoints,
    key: &VerifierKey,
    trusted: &Trusted,
) -> Result<Report, AuditError> {
    let failed = |error| AuditError::File { path: "export".to_owned(), error };
    let (from, into) = io::pipe().map_err(failed)?;
    let (verified, exported) = std::thread::scope(|scope| {
        let verifying = scope.spawn(|| oms_audit::export::verify(BufReader::with_capacity(1 << 16, from), trusted, |_, _| ()));
        let mut into = BufWriter::with_capacity(1 << 16, into);
        let exported = export(&mut into, partition, reader, checkpoints, key);
        drop(into);
        (verifying.join().unwrap_or_else(|fault| std::panic::resume_unwind(fault)), exported)
    });
    let report = verified.map_err(failed)?;
    // A verifier that has found where an export ends wrongly reads no further.
    match exported {
        Err(AuditError::File { error, .. }) if error.kind() == io::ErrorKind::BrokenPipe && !report.is_intact() => Ok(report),
        Err(error) => Err(error),
        Ok(_) => Ok(report),
    }
}
