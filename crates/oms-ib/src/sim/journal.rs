//! What survives a kill: one line for each thing that happened, in one file.
//!
//! Orders, executions and commissions are kept as the frames that tell them. A last line without its end was being
//! written when the process was killed: what it says was told to nobody, and it is dropped.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use crate::codec::{Decoded, Dialect, Reply};

/// In which dialect the lines are: the one that carries most.
const DIALECT: Dialect = Dialect::Proto(225);
/// Largest journal that is read.
const MAX_BYTES: u64 = 1 << 30;

/// A line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Line {
    /// An order as it stands: venue, requests made about it, the last that the venue took, whether it is done.
    Order { venue: String, revision: u32, current: u32, triggered: bool, done: bool, row: Reply },
    /// An execution, with the venue's own id of it.
    Execution { venue_id: String, row: Reply },
    /// A commission.
    Commission(Reply),
    /// Order ids up to this one were given out.
    Ids(i32),
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The system.
    #[error("journal of the simulator: {0}")]
    Io(#[from] io::Error),
    /// A line that is none.
    #[error("journal of the simulator: line {0} is damaged")]
    Damaged(usize),
}

/// The file; without one nothing survives.
#[derive(Debug)]
pub(super) struct Journal(Option<File>);

impl Journal {
    /// Keeps nothing.
    pub(super) const fn none() -> Self {
        Self(None)
    }

    /// Opens the file and reads what is there.
    pub(super) fn open(path: &Path) -> Result<(Self, Vec<Line>), JournalError> {
        let mut text = String::new();
        match File::open(path) {
            Ok(file) => drop(io::Read::read_to_string(&mut io::Read::take(file, MAX_BYTES), &mut text)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (),
            Err(error) => return Err(error.into()),
        }
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let mut lines = Vec::new();
        for (at, line) in text.get(..whole).unwrap_or_default().lines().enumerate() {
            lines.push(read(line).ok_or(JournalError::Damaged(at + 1))?);
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        file.set_len(whole as u64)?;
        Ok((Self(Some(file)), lines))
    }

    /// Appends a line. It has reached the system when this returns, so that a killed process loses nothing.
    pub(super) fn write(&mut self, line: &Line) -> Result<(), JournalError> {
        let Some(file) = &mut self.0 else { return Ok(()) };
        let mut text = match line {
            Line::Order { venue, revision, current, triggered, done, row } => {
                let venue = if venue.is_empty() { "-" } else { venue };
                format!("order {venue} {revision} {current} {} {} {}", u8::from(*triggered), u8::from(*done), hex(row))
            }
            Line::Execution { venue_id, row } => format!("execution {venue_id} {}", hex(row)),
            Line::Commission(row) => format!("commission {}", hex(row)),
            Line::Ids(order_id) => format!("ids {order_id}"),
        };
        text.push('\n');
        file.write_all(text.as_bytes())?;
        Ok(())
    }
}

fn hex(row: &Reply) -> String {
    let mut frame = Vec::new();
    row.encode(DIALECT, &mut frame);
    let mut text = String::with_capacity(2 * frame.len());
    // Behind the length.
    for byte in frame.iter().skip(4) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn unhex(text: &str) -> Option<Reply> {
    let pairs = text.as_bytes().chunks(2);
    let bytes: Vec<u8> = pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect::<Option<_>>()?;
    match Reply::decode(DIALECT, &bytes) {
        Ok(Decoded::Message(reply)) => Some(reply),
        _ => None,
    }
}

fn read(line: &str) -> Option<Line> {
    let words: Vec<&str> = line.split(' ').collect();
    Some(match *words {
        ["order", venue, revision, current, triggered, done, row] => Line::Order {
            venue: if venue == "-" { String::new() } else { venue.to_owned() },
            revision: revision.parse().ok()?,
            current: current.parse().ok()?,
            triggered: triggered == "1",
            done: done == "1",
            row: unhex(row)?,
        },
        ["execution", venue_id, row] => Line::Execution { venue_id: venue_id.to_owned(), row: unhex(row)? },
        ["commission", row] => Line::Commission(unhex(row)?),
        ["ids", order_id] => Line::Ids(order_id.parse().ok()?),
        _ => return None,
    })
}
