//! An export: a whole log with its checkpoints, up to the last of them.
//!
//! ```text
//! oms-audit-export/1
//! key <public key, as in a signed note>
//! schema 2
//! partition 0
//! records <how many>
//! checkpoints <how many>
//!
//! note <bytes>           for each checkpoint, the oldest first
//! <signed checkpoint>
//! ...                    then for each record, in order:
//!   u32                  bytes of the body, little-endian
//!   40 bytes             the fields
//!   body
//!   32 bytes             the hash chain up to and including it
//! ```

use crate::checkpoint::Checkpoint;
use crate::file::{Framed, Head, Kind, Place, Report, Source, Trusted, read_front, write_note, write_record};
use crate::merkle::{Frontier, Hash};
use crate::note::{NoteError, VerifierKey};
use crate::record::{Record, RecordFields, genesis};
use std::io::{self, Read, Write};

/// Writes everything before the records. As many as the last checkpoint says must follow.
///
/// # Errors
/// Of the output; `InvalidInput` where a checkpoint is not one by `key`.
pub fn begin(out: &mut impl Write, key: &VerifierKey, notes: &[String]) -> io::Result<Checkpoint> {
    let bad = |error: NoteError| io::Error::new(io::ErrorKind::InvalidInput, error);
    let last = notes.last().ok_or_else(|| bad(NoteError::Malformed))?;
    let last = Checkpoint::open(last, key).map_err(bad)?;
    let head = Head {
        kind: Kind::Export,
        key: key.clone(),
        schema: last.schema,
        partition: last.partition,
        records: last.size,
        checkpoints: notes.len() as u64,
    };
    out.write_all(head.text().as_bytes())?;
    notes.iter().try_for_each(|note| write_note(out, note))?;
    Ok(last)
}

/// Writes the next record with the chain up to and including it.
///
/// # Errors
/// Of the output.
pub fn write(out: &mut impl Write, record: &Record<'_>, chain: &Hash) -> io::Result<()> {
    write_record(out, record)?;
    out.write_all(chain)
}

/// Verifies an export. `seen` is called with each record whose place and chain are right.
///
/// # Errors
/// Of the input alone; what is wrong with the export is in the report.
pub fn verify(input: impl Read, trusted: &Trusted, mut seen: impl FnMut(u64, &Record<'_>)) -> io::Result<Report> {
    let mut report = Report::default();
    let mut source = Source::new(input);
    let Some(head) = read_front(&mut source, trusted, &mut report)? else { return Ok(report) };
    if head.kind != Kind::Export {
        report.find(Place::Head, 0, "it is not an export");
        return Ok(report);
    }
    if report.checkpoints.last().is_some_and(|last| last.size != head.records) {
        report.find(Place::Head, 0, "it does not hold as many records as its last checkpoint says");
    }
    let known = known_before(trusted, &head, &mut report);
    let mut walk = Walk::new(&head, &report, known);
    walk.run(&mut source, &mut report, &mut seen)?;
    Ok(report)
}

/// The checkpoint that the verifier had before.
fn known_before(trusted: &Trusted, head: &Head, report: &mut Report) -> Option<Checkpoint> {
    let note = trusted.checkpoint.as_ref()?;
    match Checkpoint::open(note, trusted.key.as_ref().unwrap_or(&head.key)) {
        Ok(known) if known.size > head.records => {
            let what = format!("the log had {} records when the trusted checkpoint was signed; here are {}", known.size, head.records);
            report.find(Place::End, 0, what);
            None
        }
        Ok(known) => Some(known),
        Err(error) => {
            report.find(Place::Head, 0, format!("the trusted checkpoint is not of this log: {error}"));
            None
        }
    }
}

/// The walk over the records.
struct Walk {
    head: Head,
    /// Checkpoints that are still ahead, the next one last.
    ahead: Vec<Checkpoint>,
    /// The size of the one behind.
    behind: u64,
    frontier: Frontier,
    /// The chain as it is stored with the records.
    stored: Hash,
    /// The chain of what was read, from what the checkpoint behind was signed for: so each stretch is judged by itself.
    chain: Hash,
    next_seq: u64,
    /// Findings before the records since the last checkpoint.
    counted: usize,
    /// Whether every record so far is what was signed: behind the first difference no root fits any more.
    tree_fits: bool,
}

impl Walk {
    fn new(head: &Head, report: &Report, known: Option<Checkpoint>) -> Self {
        let mut ahead = report.checkpoints.clone();
        ahead.extend(known);
        ahead.sort_by_key(|one| std::cmp::Reverse(one.size));
        Self {
            head: head.clone(),
            ahead,
            behind: 0,
            frontier: Frontier::default(),
            stored: genesis(head.partition),
            chain: genesis(head.partition),
            next_seq: 1,
            counted: report.findings.len(),
            tree_fits: true,
        }
    }

    fn run<R: Read>(&mut self, source: &mut Source<R>, report: &mut Report, seen: &mut dyn FnMut(u64, &Record<'_>)) -> io::Result<()> {
        let mut body = Vec::new();
        for index in 0..self.head.records {
            let begun = source.offset;
            let place = Place::Record { index, sequence: self.next_seq };
            let mut stored = [0; 32];
            let fields = match source.record(&mut body)? {
                Framed::Whole(fields) if source.fill(&mut stored)? => fields,
                Framed::Whole(_) | Framed::Ends => {
                    let what = format!("the file ends here; {} records are missing", self.head.records - index);
                    report.find(place, begun, what);
                    return Ok(());
                }
                Framed::Length { frame, fields } => {
                    let what = format!("its frame says {frame} bytes and its fields {fields}; what follows cannot be told apart");
                    report.find(place, begun, what);
                    return Ok(());
                }
            };
            let record = Record { fields, body: &body };
            report.records += 1;
            report.events += u64::from(fields.count);
            if self.check(&record, &stored, (place, begun), report) {
                seen(index, &record);
            }
            self.frontier.push(record.leaf(), |_, _, _| ());
            self.chain = record.chain(&self.chain);
            self.pass(fields.last_seq(), source.offset, report);
        }
        if !source.is_at_end()? {
            report.find(Place::End, source.offset - 1, "bytes follow the last record");
        }
        if let Some(missed) = self.ahead.last().filter(|_| self.is_clean(report)) {
            report.find(Place::End, source.offset, format!("the checkpoint of {} records is never reached", missed.size));
        }
        Ok(())
    }

    /// Whether nothing was found since the last checkpoint.
    fn is_clean(&self, report: &Report) -> bool {
        report.findings.len() == self.counted
    }

    /// Whether the record is the one that belongs here.
    fn check(&mut self, record: &Record<'_>, stored: &Hash, (place, begun): (Place, u64), report: &mut Report) -> bool {
        let RecordFields { partition, first_seq, count, .. } = record.fields;
        let expected = self.next_seq;
        self.next_seq = record.fields.last_seq().saturating_add(1);
        let before = std::mem::replace(&mut self.stored, *stored);
        let wrong = if partition != self.head.partition {
            format!("it is of partition {partition}, not {}", self.head.partition)
        } else if first_seq != expected {
            format!("sequence {expected} belongs here, not {first_seq}: a record is missing, doubled, or in another place")
        } else if count == 0 {
            "it holds no event".to_owned()
        } else if record.chain(&before) != *stored {
            "it was changed: it does not have the hash that was stored with it".to_owned()
        } else {
            return true;
        };
        report.find(place, begun, wrong);
        false
    }

    /// Compares with the checkpoints that end here.
    fn pass(&mut self, sequence: u64, offset: u64, report: &mut Report) {
        while let Some(next) = self.ahead.last().filter(|next| next.sequence <= sequence).cloned() {
            self.ahead.pop();
            let place = Place::Records { from: self.behind, to: next.size };
            let chain_fits = next.sequence == sequence && self.chain == next.chain;
            let root_fits = self.frontier.size() == next.size && self.frontier.root() == next.root;
            // What was found already in these records says more than that they are not what was signed.
            if self.is_clean(report) && !(chain_fits && (root_fits || !self.tree_fits)) {
                report.find(place, offset, format!("they are not the records that the checkpoint of {} records was signed for", next.size));
            }
            self.tree_fits = self.tree_fits && root_fits;
            self.chain = next.chain;
            self.behind = next.size;
            self.counted = report.findings.len();
        }
    }
}

#[cfg(test)]
mod tests;
