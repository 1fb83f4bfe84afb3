//! What exports and proofs have in common: a head of text, signed checkpoints, then records; and what is found wrong with them.

use crate::checkpoint::{Checkpoint, MAX_NOTE};
use crate::note::VerifierKey;
use crate::record::{FIELDS_LEN, MAX_BODY, RecordFields, from_hex, hex};
use std::fmt;
use std::io::{self, Read, Write};

/// The most bytes of a line of the head.
const MAX_LINE: usize = 1024;
/// The most findings that are told; one is enough to refuse a file.
const MAX_FINDINGS: usize = 32;

/// Where something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the lines before everything else.
    Head,
    /// In a checkpoint, counted from 0.
    Checkpoint(u64),
    /// In a record.
    Record {
        /// Its place, counted from 0.
        index: u64,
        /// The sequence that its first event has, or should have.
        sequence: u64,
    },
    /// Somewhere in these records: what they say holds together, and is not what was signed.
    Records {
        /// The first.
        from: u64,
        /// The one behind the last.
        to: u64,
    },
    /// Where the file ends.
    End,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head => f.write_str("head"),
            Self::Checkpoint(number) => write!(f, "checkpoint {number}"),
            Self::Record { index, sequence } => write!(f, "record {index} (sequence {sequence})"),
            Self::Records { from, to } => write!(f, "records {from} to {}", to.saturating_sub(1)),
            Self::End => f.write_str("end"),
        }
    }
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// The byte of the file where what is wrong begins.
    pub offset: u64,
    /// What.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, byte {}: {}", self.place, self.offset, self.what)
    }
}

/// What a file holds, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Its head, where it could be read.
    pub head: Option<Head>,
    /// The checkpoints whose signatures fit.
    pub checkpoints: Vec<Checkpoint>,
    /// Records that were read.
    pub records: u64,
    /// Events in them.
    pub events: u64,
    /// What is wrong, in the order of the file; at most 32.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.findings.is_empty()
    }

    pub(crate) fn find(&mut self, place: Place, offset: u64, what: impl Into<String>) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(Finding { place, offset, what: what.into() });
        }
    }
}

/// What the verifier knows from elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Trusted {
    /// The key of the log. Without it the key in the file is taken, which shows that the file agrees with itself, not whose it is.
    pub key: Option<VerifierKey>,
    /// A signed checkpoint that was received before: the log must hold everything that it held then.
    pub checkpoint: Option<String>,
}

/// Which of them a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole log.
    Export,
    /// The records of one order.
    Proof {
        /// The 16 bytes of the order's id.
        order: [u8; 16],
    },
    /// That a log only grew between two checkpoints.
    Consistency,
}

const EXPORT: &str = "oms-audit-export/1";
pub(crate) const PROOF: &str = "oms-audit-proof/1";
pub(crate) const CONSISTENCY: &str = "oms-audit-consistency/1";

/// The lines before everything else. They say nothing that is not signed too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// What the file is.
    pub kind: Kind,
    /// The key that the checkpoints are signed with.
    pub key: VerifierKey,
    /// Version of the events' schema.
    pub schema: u32,
    /// The partition of the log.
    pub partition: u32,
    /// How many records follow.
    pub records: u64,
    /// How many checkpoints stand before them.
    pub checkpoints: u64,
}

impl Head {
    /// The lines.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { kind, key, schema, partition, records, checkpoints } = self;
        let first = match kind {
            Kind::Export => format!("{EXPORT}\n"),
            Kind::Proof { order } => format!("{PROOF}\norder {}\n", hex(order)),
            Kind::Consistency => format!("{CONSISTENCY}\n"),
        };
        format!("{first}key {key}\nschema {schema}\npartition {partition}\nrecords {records}\ncheckpoints {checkpoints}\n\n")
    }

    pub(crate) fn read<R: Read>(source: &mut Source<R>) -> io::Result<Option<Self>> {
        let mut text = String::new();
        loop {
            let Some(line) = source.line()? else { return Ok(None) };
            text.push_str(&line);
            text.push('\n');
            if line.is_empty() || text.len() > MAX_LINE {
                break;
            }
        }
        Ok(Self::parse(&text).filter(|head| head.text() == text))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        let kind = match lines.next()? {
            EXPORT => Kind::Export,
            CONSISTENCY => Kind::Consistency,
            PROOF => Kind::Proof { order: from_hex(lines.next()?.strip_prefix("order ")?)? },
            _ => return None,
        };
        let mut named = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        Some(Self {
            kind,
            key: VerifierKey::parse(named("key")?).ok()?,
            schema: named("schema")?.parse().ok()?,
            partition: named("partition")?.parse().ok()?,
            records: named("records")?.parse().ok()?,
            checkpoints: named("checkpoints")?.parse().ok()?,
        })
    }
}

/// Bytes with the place they came from.
pub(crate) struct Source<R> {
    inner: R,
    pub offset: u64,
}

impl<R: Read> Source<R> {
    pub fn new(inner: R) -> Self {
        Self { inner, offset: 0 }
    }

    /// The next `out.len()` bytes; false where the file ends before.
    pub fn fill(&mut self, out: &mut [u8]) -> io::Result<bool> {
        match self.inner.read_exact(out) {
            Ok(()) => {
                self.offset += out.len() as u64;
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub fn is_at_end(&mut self) -> io::Result<bool> {
        Ok(!self.fill(&mut [0])?)
    }

    /// A line of text without its end; `None` where there is none.
    pub fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        let mut byte = [0];
        while line.len() <= MAX_LINE && self.fill(&mut byte)? {
            match byte {
                [b'\n'] => return Ok(String::from_utf8(line).ok()),
                [other] => line.push(other),
            }
        }
        Ok(None)
    }

    /// A signed checkpoint in its frame.
    pub fn note(&mut self) -> io::Result<Option<String>> {
        let Some(line) = self.line()? else { return Ok(None) };
        let Some(length) = line.strip_prefix("note ").and_then(|text| text.parse::<usize>().ok()) else { return Ok(None) };
        if length > MAX_NOTE || line != format!("note {length}") {
            return Ok(None);
        }
        let mut bytes = vec![0; length];
        Ok(if self.fill(&mut bytes)? { String::from_utf8(bytes).ok() } else { None })
    }

    /// A record's fields and body, in `body`.
    pub fn record(&mut self, body: &mut Vec<u8>) -> io::Result<Framed> {
        let (mut length, mut fields) = ([0; 4], [0; FIELDS_LEN]);
        if !self.fill(&mut length)? || !self.fill(&mut fields)? {
            return Ok(Framed::Ends);
        }
        let (length, fields) = (u32::from_le_bytes(length), RecordFields::decode(&fields));
        if fields.body_len > MAX_BODY || length != fields.body_len {
            return Ok(Framed::Length { frame: length, fields: fields.body_len });
        }
        body.clear();
        body.resize(usize::try_from(length).unwrap_or(0), 0);
        Ok(if self.fill(body)? { Framed::Whole(fields) } else { Framed::Ends })
    }
}

/// What was found where a record should be.
pub(crate) enum Framed {
    /// One.
    Whole(RecordFields),
    /// The file ends within it.
    Ends,
    /// The two lengths that it has are not one.
    Length { frame: u32, fields: u32 },
}

/// Writes a signed checkpoint in its frame, as it stands in every file of the audit.
///
/// # Errors
/// Of the output.
pub fn write_note(out: &mut impl Write, note: &str) -> io::Result<()> {
    write!(out, "note {}\n{note}", note.len())
}

pub(crate) fn write_record(out: &mut impl Write, record: &crate::record::Record<'_>) -> io::Result<()> {
    out.write_all(&record.fields.body_len.to_le_bytes())?;
    out.write_all(&record.fields.encode())?;
    out.write_all(record.body)
}

/// Reads a file's head and checkpoints, and checks what they say against each other and against what is trusted.
/// `None` where nothing can be read behind them.
pub(crate) fn read_front<R: Read>(source: &mut Source<R>, trusted: &Trusted, report: &mut Report) -> io::Result<Option<Head>> {
    let Some(head) = Head::read(source)? else {
        report.find(Place::Head, 0, "it is not the head of an export or a proof");
        return Ok(None);
    };
    report.head = Some(head.clone());
    if trusted.key.as_ref().is_some_and(|key| *key != head.key) {
        report.find(Place::Head, 0, format!("it is signed with the key {}, which is not the one that is trusted", head.key));
    }
    let mut previous = 0;
    for number in 0..head.checkpoints {
        let begun = source.offset;
        let Some(note) = source.note()? else {
            report.find(Place::Checkpoint(number), begun, "it is not a checkpoint");
            return Ok(None);
        };
        match Checkpoint::open(&note, &head.key) {
            Err(error) => report.find(Place::Checkpoint(number), begun, error.to_string()),
            Ok(checkpoint) => {
                if head.kind == Kind::Export && checkpoint.previous != previous {
                    let what = format!("it follows a checkpoint of {} records, which is not the one before it", checkpoint.previous);
                    report.find(Place::Checkpoint(number), begun, what);
                }
                previous = checkpoint.size;
                report.checkpoints.push(checkpoint);
            }
        }
    }
    match report.checkpoints.last() {
        Some(last) if (last.schema, last.partition) == (head.schema, head.partition) => (),
        Some(_) => report.find(Place::Head, 0, "schema and partition are not those of its last checkpoint"),
        None => report.find(Place::Head, 0, "no checkpoint vouches for anything"),
    }
    Ok(Some(head))
}
