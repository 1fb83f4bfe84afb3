//! A proof: the records of one order, each with the proof that a signed checkpoint vouches for it. It shows nothing of the
//! rest of the log.
//!
//! ```text
//! oms-audit-proof/1
//! order <the 16 bytes of its id, in hexadecimal digits>
//! key, schema, partition, records, checkpoints 1: as in an export
//!
//! note <bytes>
//! <signed checkpoint>
//! ...                    then for each record, in order:
//!   u32                  bytes of the body, little-endian
//!   40 bytes             the fields
//!   body
//!   u64                  its place in the log, counted from 0, little-endian
//!   u8                   hashes of its inclusion proof (RFC 9162 section 2.1.3), which follow
//! ```
//!
//! It shows that these records were in the log. That no other record speaks of the order is shown by a whole export alone.

use crate::checkpoint::Checkpoint;
use crate::file::{Framed, Head, Kind, Place, Report, Source, Trusted, read_front, write_note, write_record};
use crate::merkle::{Hash, MAX_PROOF, is_included};
use crate::note::{NoteError, VerifierKey};
use crate::record::Record;
use std::io::{self, Read, Write};

/// Writes everything before the records.
///
/// # Errors
/// Of the output; `InvalidInput` where the checkpoint is not one by `key`.
pub fn begin(out: &mut impl Write, key: &VerifierKey, note: &str, order: [u8; 16], records: u64) -> io::Result<Checkpoint> {
    let bad = |error: NoteError| io::Error::new(io::ErrorKind::InvalidInput, error);
    let checkpoint = Checkpoint::open(note, key).map_err(bad)?;
    let Checkpoint { schema, partition, .. } = checkpoint;
    let head = Head { kind: Kind::Proof { order }, key: key.clone(), schema, partition, records, checkpoints: 1 };
    out.write_all(head.text().as_bytes())?;
    write_note(out, note)?;
    Ok(checkpoint)
}

/// Writes the next record with its place and its inclusion proof.
///
/// # Errors
/// Of the output; `InvalidInput` for a proof that is too long to be one.
pub fn write(out: &mut impl Write, record: &Record<'_>, index: u64, proof: &[Hash]) -> io::Result<()> {
    let length = u8::try_from(proof.len()).ok().filter(|_| proof.len() <= MAX_PROOF).ok_or(io::ErrorKind::InvalidInput)?;
    write_record(out, record)?;
    out.write_all(&index.to_le_bytes())?;
    out.write_all(&[length])?;
    proof.iter().try_for_each(|hash| out.write_all(hash))
}

/// Verifies a proof. `seen` is called with each record that the checkpoint vouches for.
///
/// # Errors
/// Of the input alone; what is wrong with the proof is in the report.
pub fn verify(input: impl Read, trusted: &Trusted, mut seen: impl FnMut(u64, &Record<'_>)) -> io::Result<Report> {
    let mut report = Report::default();
    let mut source = Source::new(input);
    let Some(head) = read_front(&mut source, trusted, &mut report)? else { return Ok(report) };
    let (Kind::Proof { order }, [checkpoint]) = (head.kind, report.checkpoints.as_slice()) else {
        report.find(Place::Head, 0, "it is not a proof with one checkpoint");
        return Ok(report);
    };
    let checkpoint = checkpoint.clone();
    if trusted.checkpoint.as_ref().is_some_and(|known| Checkpoint::open(known, &head.key).as_ref() != Ok(&checkpoint)) {
        report.find(Place::Head, 0, "it is proven against another checkpoint than the one that is trusted");
    }
    if head.records == 0 {
        report.find(Place::Head, 0, "it holds no record");
    }
    let (mut body, mut least) = (Vec::new(), 0);
    for number in 0..head.records {
        let begun = source.offset;
        let place = Place::Record { index: number, sequence: least };
        let (framed, tail) = (source.record(&mut body)?, tail(&mut source)?);
        let (Framed::Whole(fields), Some((index, proof))) = (framed, tail) else {
            report.find(place, begun, "it is not a record with its proof, or the file ends within it");
            return Ok(report);
        };
        let record = Record { fields, body: &body };
        let place = Place::Record { index, sequence: fields.first_seq };
        report.records += 1;
        report.events += u64::from(fields.count);
        if !is_included(record.leaf(), index, checkpoint.size, &proof, &checkpoint.root) {
            report.find(place, begun, "the checkpoint does not vouch for it: it was changed, or is not of this log");
        } else if index < least {
            report.find(place, begun, "it is not in its order");
        } else if fields.partition != head.partition {
            report.find(place, begun, "it is of another partition");
        } else if !body.windows(order.len()).any(|bytes| bytes == order) {
            report.find(place, begun, "it does not speak of the order");
        } else {
            seen(index, &record);
        }
        least = index.saturating_add(1);
    }
    if !source.is_at_end()? {
        report.find(Place::End, source.offset - 1, "bytes follow the last record");
    }
    Ok(report)
}

/// Place and inclusion proof of the record before.
fn tail<R: Read>(source: &mut Source<R>) -> io::Result<Option<(u64, Vec<Hash>)>> {
    let (mut index, mut length) = ([0; 8], [0]);
    if !source.fill(&mut index)? || !source.fill(&mut length)? {
        return Ok(None);
    }
    let [length] = length;
    let mut proof = Vec::new();
    for _ in 0..length {
        let mut hash = [0; 32];
        if usize::from(length) > MAX_PROOF || !source.fill(&mut hash)? {
            return Ok(None);
        }
        proof.push(hash);
    }
    Ok(Some((u64::from_le_bytes(index), proof)))
}

#[cfg(test)]
mod tests;
