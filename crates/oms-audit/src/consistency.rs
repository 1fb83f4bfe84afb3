//! A consistency proof: that a log which was signed twice only grew in between. It shows no record.
//!
//! ```text
//! oms-audit-consistency/1
//! key, schema, partition, records 0, checkpoints 2: as in an export
//!
//! note <bytes>           the earlier one
//! <signed checkpoint>
//! note <bytes>           the later one
//! <signed checkpoint>
//!   u8                   hashes of the proof (RFC 9162 section 2.1.4), which follow
//! ```

use crate::checkpoint::Checkpoint;
use crate::file::{Head, Kind, Place, Report, Source, Trusted, read_front, write_note};
use crate::merkle::{Hash, MAX_PROOF, is_consistent};
use crate::note::{NoteError, VerifierKey};
use std::io::{self, Read, Write};

/// Writes a proof between two checkpoints, the earlier one first.
///
/// # Errors
/// Of the output; `InvalidInput` where a checkpoint is not one by `key`, or the proof is too long to be one.
pub fn write(out: &mut impl Write, key: &VerifierKey, (old, new): (&str, &str), proof: &[Hash]) -> io::Result<()> {
    let bad = |error: NoteError| io::Error::new(io::ErrorKind::InvalidInput, error);
    Checkpoint::open(old, key).map_err(bad)?;
    let Checkpoint { schema, partition, .. } = Checkpoint::open(new, key).map_err(bad)?;
    let length = u8::try_from(proof.len()).ok().filter(|_| proof.len() <= MAX_PROOF).ok_or(io::ErrorKind::InvalidInput)?;
    let head = Head { kind: Kind::Consistency, key: key.clone(), schema, partition, records: 0, checkpoints: 2 };
    out.write_all(head.text().as_bytes())?;
    write_note(out, old)?;
    write_note(out, new)?;
    out.write_all(&[length])?;
    proof.iter().try_for_each(|hash| out.write_all(hash))
}

/// Verifies a proof.
///
/// # Errors
/// Of the input alone; what is wrong with the proof is in the report.
pub fn verify(input: impl Read, trusted: &Trusted) -> io::Result<Report> {
    let mut report = Report::default();
    let mut source = Source::new(input);
    let Some(head) = read_front(&mut source, trusted, &mut report)? else { return Ok(report) };
    let (Kind::Consistency, [old, new]) = (head.kind, report.checkpoints.as_slice()) else {
        report.find(Place::Head, 0, "it is not a proof between two checkpoints");
        return Ok(report);
    };
    let (old, new) = (old.clone(), new.clone());
    if head.records != 0 {
        report.find(Place::Head, 0, "it says that it holds records");
    }
    let known = trusted.checkpoint.as_ref();
    if known.is_some_and(|known| !matches!(Checkpoint::open(known, &head.key), Ok(known) if known == old || known == new)) {
        report.find(Place::Head, 0, "the checkpoint that is trusted is neither of the two");
    }
    let begun = source.offset;
    let Some(proof) = hashes(&mut source)? else {
        report.find(Place::End, begun, "the file ends within the proof");
        return Ok(report);
    };
    if !is_consistent(old.size, new.size, &old.root, &new.root, &proof) {
        let what = format!("the log of {} records is not the beginning of the log of {}", old.size, new.size);
        report.find(Place::Records { from: 0, to: old.size }, begun, what);
    }
    if !source.is_at_end()? {
        report.find(Place::End, source.offset - 1, "bytes follow the proof");
    }
    Ok(report)
}

fn hashes<R: Read>(source: &mut Source<R>) -> io::Result<Option<Vec<Hash>>> {
    let mut length = [0];
    if !source.fill(&mut length)? {
        return Ok(None);
    }
    let count = usize::from(length[0]);
    let mut proof = vec![[0; 32]; count.min(MAX_PROOF)];
    for hash in &mut proof {
        if !source.fill(hash)? {
            return Ok(None);
        }
    }
    Ok((count <= MAX_PROOF).then_some(proof))
}

#[cfg(test)]
mod tests;
