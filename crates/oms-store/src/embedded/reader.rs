//! Reads the durable part of a log while it grows.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::format::segment_name;
use super::index::Shared;
use super::scan::{Position, Scanner, Stop};
use super::segment::damage;
use crate::chain::ChainHash;
use crate::error::JournalError;
use crate::journal::{JournalReader, StoredEntry, Tip, check_range};

/// A reader goes on where it stopped without seeking, and keeps its buffer.
pub(crate) struct Reader {
    shared: Arc<Shared>,
    cursor: Option<Cursor>,
    buffer: Vec<u8>,
}

struct Cursor {
    segment: usize,
    name: String,
    scanner: Scanner,
}

impl Reader {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared, cursor: None, buffer: Vec::new() }
    }

    fn cursor_at(&mut self, segment: usize, from: Position) -> Result<Cursor, JournalError> {
        let (header, end, _) = self.shared.segment(segment)?;
        let file = self.shared.open_segment(&header)?;
        let scanner = Scanner::new(file, &header, from, end, std::mem::take(&mut self.buffer));
        Ok(Cursor { segment, name: segment_name(header.first_seq), scanner })
    }

    /// The cursor before the entry that contains `seq`, or before an earlier one.
    fn seek(&mut self, seq: u64) -> Result<Cursor, JournalError> {
        if let Some(cursor) = self.cursor.take() {
            if cursor.scanner.position().next_seq == seq {
                return Ok(cursor);
            }
            self.buffer = cursor.scanner.into_buffer();
        }
        let (segment, from) = self.shared.locate(seq)?;
        self.cursor_at(segment, from)
    }

    /// The cursor at the start of the segment after `cursor`'s.
    fn follow(&mut self, cursor: Cursor) -> Result<Cursor, JournalError> {
        let segment = cursor.segment + 1;
        self.buffer = cursor.scanner.into_buffer();
        let (header, _, _) = self.shared.segment(segment)?;
        self.cursor_at(segment, Position::start(&header))
    }
}

impl JournalReader for Reader {
    fn tip(&self) -> Tip {
        self.shared.tip()
    }

    fn scan(&mut self, from_seq: u64, visit: &mut dyn FnMut(StoredEntry<'_>) -> ControlFlow<()>) -> Result<(), JournalError> {
        // The end as of now, so that a fast writer cannot keep a scan going for ever.
        let last_seq = self.shared.tip().last_seq;
        check_range(from_seq, last_seq)?;
        if last_seq < from_seq {
            return Ok(());
        }
        let mut cursor = self.seek(from_seq)?;
        loop {
            let (_, end, is_last) = self.shared.segment(cursor.segment)?;
            cursor.scanner.raise_limit(end);
            if scan_segment(&mut cursor, from_seq, last_seq, visit)? {
                break;
            }
            if is_last {
                break;
            }
            cursor = self.follow(cursor)?;
        }
        self.cursor = Some(cursor);
        Ok(())
    }

    fn hash_at(&mut self, seq: u64) -> Result<Option<ChainHash>, JournalError> {
        if seq == 0 {
            return Ok(Some(ChainHash::genesis(self.shared.partition)));
        }
        let last = self.shared.tip().last_seq;
        if last < seq {
            return Err(JournalError::BeyondTip { asked: seq, last });
        }
        let mut hash = None;
        self.scan(seq, &mut |stored| {
            hash = (stored.entry.last_seq() == seq).then_some(stored.hash);
            ControlFlow::Break(())
        })?;
        Ok(hash)
    }
}

/// Visits the entries of one segment from `from_seq` to `last_seq`. Returns whether that is all.
fn scan_segment(
    cursor: &mut Cursor,
    from_seq: u64,
    last_seq: u64,
    visit: &mut dyn FnMut(StoredEntry<'_>) -> ControlFlow<()>,
) -> Result<bool, JournalError> {
    loop {
        let last_good_seq = cursor.scanner.position().next_seq.saturating_sub(1);
        match cursor.scanner.step() {
            Ok(None) => return Ok(false),
            Ok(Some(step)) => {
                let reached = step.stored.entry.last_seq();
                if from_seq <= reached && (visit(step.stored).is_break() || last_seq <= reached) {
                    return Ok(true);
                }
            }
            Err(Stop::Io(error)) => return Err(JournalError::io("read", &cursor.name, error)),
            Err(Stop::Defect { offset, defect, .. }) => {
                return Err(damage(&cursor.name, offset, last_good_seq, defect));
            }
        }
    }
}
