//! Reads one segment in order and believes nothing: checksums, placement, sequence, epoch, chain.
//!
//! - Reads are large and the buffer is reused; an entry is borrowed from it, nothing is allocated.
//! - It stops at the first defect and says where; what it means is for recovery to decide.

use std::io;
use std::sync::Arc;

use super::format::{FILL, Group, HEADER_LEN, Header, SECTOR, SECTOR_BYTES, SegmentHeader, body_crc};
use crate::chain::{ChainHash, array};
use crate::disk::DiskFile;
use crate::error::Defect;
use crate::journal::{EntryRef, Epoch, StoredEntry};

/// Bytes read at once.
const READ_BYTES: usize = 1 << 20;

/// A group boundary from which reading can start, with the chain up to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Position {
    /// Offset in the segment.
    pub offset: u64,
    /// Sequence of the next entry.
    pub next_seq: u64,
    /// The chain before it.
    pub prev_hash: ChainHash,
    /// No later entry has an older epoch.
    pub epoch: Epoch,
}

impl Position {
    /// Before the first entry of a segment.
    pub fn start(header: &SegmentHeader) -> Self {
        Self { offset: SECTOR, next_seq: header.first_seq, prev_hash: header.prev_hash, epoch: header.epoch }
    }
}

/// Why scanning stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    Io(io::Error),
    /// The entry at `offset` is not good; `span` bytes from there were needed to tell.
    Defect {
        offset: u64,
        span: u64,
        defect: Defect,
    },
}

/// What `step` returns: the entry, where it starts, and whether its group is complete with it.
pub(crate) struct Step<'a> {
    pub stored: StoredEntry<'a>,
    pub group_offset: u64,
    pub group_done: bool,
}

pub(crate) struct Scanner {
    file: Arc<dyn DiskFile>,
    partition: u32,
    salt: u32,
    position: Position,
    /// The group being read and how many of its entries are left.
    group: Option<(Group, u32)>,
    /// Nothing at or after this offset is read.
    limit: u64,
    buffer: Vec<u8>,
    /// Where in the buffer `position` is, and where its good bytes end.
    start: usize,
    end: usize,
}

impl Scanner {
    /// Starts at a group boundary. `buffer` is one to reuse, or empty.
    pub fn new(file: Arc<dyn DiskFile>, header: &SegmentHeader, position: Position, limit: u64, buffer: Vec<u8>) -> Self {
        Self { file, partition: header.partition, salt: header.salt(), position, group: None, limit, buffer, start: 0, end: 0 }
    }

    /// Where the next entry is expected.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Allows reading up to a later durable end.
    pub fn raise_limit(&mut self, limit: u64) {
        self.limit = self.limit.max(limit);
    }

    /// The buffer, for the next scanner.
    pub fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// The next entry, or `None` at the limit.
    pub fn step(&mut self) -> Result<Option<Step<'_>>, Stop> {
        let at = self.position.offset;
        if self.limit <= at {
            return Ok(None);
        }
        self.need(HEADER_LEN)?;
        let header = Header::decode(&array(&self.buffer, self.start), self.salt).map_err(|defect| stop(at, HEADER_LEN, defect))?;
        let (group, left) = self.check(&header).map_err(|defect| stop(at, HEADER_LEN, defect))?;
        let entry_len = header.entry_len();
        let end = at + entry_len as u64;
        let group_end = u64::from(group.offset) + u64::from(group.len);
        if group_end < end || (left == 1 && group_end != end) {
            let defect = Defect::Placement { field: "group length", expected: end, found: group_end };
            return Err(stop(at, HEADER_LEN, defect));
        }
        let fill = if left == 1 { usize::try_from(group.end() - end).unwrap_or(0) } else { 0 };
        self.need(entry_len + fill)?;
        let stored = &self.buffer[self.start..self.start + entry_len + fill];
        check_content(stored, &header, self.position.prev_hash, entry_len, at)?;

        let body_at = self.start + HEADER_LEN;
        let (fields, hash) = (header.fields, header.hash);
        self.start += entry_len + fill;
        self.group = (1 < left).then_some((group, left - 1));
        let body = &self.buffer[body_at..body_at + fields.body_len as usize];
        let entry = EntryRef { first_seq: fields.first_seq, count: fields.count, time_ns: fields.time_ns, body };
        let epoch = Epoch(fields.epoch);
        self.position = Position { offset: end + fill as u64, next_seq: entry.last_seq().saturating_add(1), prev_hash: hash, epoch };
        Ok(Some(Step { stored: StoredEntry { entry, epoch, hash }, group_offset: u64::from(group.offset), group_done: left == 1 }))
    }

    /// Checks what a header says against what must follow here. Returns its group and how many
    /// entries of it are left, this one included.
    fn check(&self, header: &Header) -> Result<(Group, u32), Defect> {
        let fields = &header.fields;
        if fields.partition != self.partition {
            return Err(Defect::Partition { expected: self.partition, found: fields.partition });
        }
        if fields.first_seq != self.position.next_seq {
            let (expected, found) = (self.position.next_seq, fields.first_seq);
            return Err(Defect::Sequence { expected, found });
        }
        placed("event count", u64::from(fields.count.max(1)), u64::from(fields.count))?;
        if fields.epoch < self.position.epoch.0 {
            return Err(Defect::Epoch { previous: self.position.epoch.0, found: fields.epoch });
        }
        let group = header.group;
        let Some((current, left)) = self.group else {
            placed("group offset", self.position.offset, u64::from(group.offset))?;
            placed("group first sequence", fields.first_seq, group.first_seq)?;
            placed("group entries", u64::from(group.entries.max(1)), u64::from(group.entries))?;
            return Ok((group, group.entries));
        };
        placed("group offset", u64::from(current.offset), u64::from(group.offset))?;
        placed("group first sequence", current.first_seq, group.first_seq)?;
        placed("group entries", u64::from(current.entries), u64::from(group.entries))?;
        placed("group length", u64::from(current.len), u64::from(group.len))?;
        Ok((current, left))
    }

    /// Makes `need` bytes from the position available in the buffer.
    fn need(&mut self, need: usize) -> Result<(), Stop> {
        if need <= self.end - self.start {
            return Ok(());
        }
        let at = self.position.offset;
        let available = usize::try_from(self.limit - at).unwrap_or(usize::MAX);
        if available < need {
            let (expected, found) = (at.saturating_add(need as u64), self.limit);
            return Err(stop(at, HEADER_LEN, Defect::Truncated { expected, found }));
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let wanted = need.max(READ_BYTES.min(available));
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        let target = &mut self.buffer[self.end..wanted.max(self.end)];
        self.end += self.file.read_at(at + self.end as u64, target).map_err(Stop::Io)?;
        if self.end < need {
            let (expected, found) = (at.saturating_add(need as u64), at + self.end as u64);
            return Err(stop(at, HEADER_LEN, Defect::Truncated { expected, found }));
        }
        Ok(())
    }
}

/// Checks body, chain and fill of an entry of `entry_len` bytes that starts at `at`.
fn check_content(stored: &[u8], header: &Header, prev_hash: ChainHash, entry_len: usize, at: u64) -> Result<(), Stop> {
    let (expected, found) = (header.body_crc, body_crc(&stored[HEADER_LEN..entry_len]));
    if expected != found {
        return Err(stop(at, entry_len, Defect::BodyChecksum { expected, found }));
    }
    let content = &stored[HEADER_LEN - crate::chain::FIELDS_LEN..];
    let content = &content[..crate::chain::FIELDS_LEN + header.fields.body_len as usize];
    let (expected, found) = (prev_hash.link(content), header.hash);
    if expected != found {
        return Err(stop(at, entry_len, Defect::Chain { expected, found }));
    }
    match stored[entry_len..].iter().position(|byte| *byte != FILL) {
        None => Ok(()),
        Some(index) => {
            let offset = at + (entry_len + index) as u64;
            Err(stop(offset, 1, Defect::Padding { found: stored[entry_len + index] }))
        }
    }
}

fn placed(field: &'static str, expected: u64, found: u64) -> Result<(), Defect> {
    if expected == found { Ok(()) } else { Err(Defect::Placement { field, expected, found }) }
}

fn stop(offset: u64, span: usize, defect: Defect) -> Stop {
    Stop::Defect { offset, span: span as u64, defect }
}

/// Offsets of the first and the last byte of `from..to` that is not zero.
pub(crate) fn nonzero(file: &dyn DiskFile, from: u64, to: u64) -> io::Result<Option<(u64, u64)>> {
    let mut found: Option<(u64, u64)> = None;
    let mut buffer = vec![0; READ_BYTES.min(usize::try_from(to.saturating_sub(from)).unwrap_or(0))];
    let mut at = from;
    while at < to {
        let step = buffer.len().min(usize::try_from(to - at).unwrap_or(buffer.len()));
        let read = file.read_at(at, &mut buffer[..step])?;
        if read == 0 {
            break;
        }
        // Whole sectors are compared at once; only one that differs is looked into.
        for (index, sector) in buffer[..read].chunks(SECTOR_BYTES).enumerate() {
            if *sector == ZEROS[..sector.len()] {
                continue;
            }
            let start = at + (index * SECTOR_BYTES) as u64;
            let first = sector.iter().position(|byte| *byte != 0).unwrap_or(0) as u64;
            let last = sector.iter().rposition(|byte| *byte != 0).unwrap_or(0) as u64;
            found = Some((found.map_or(start + first, |(first, _)| first), start + last));
        }
        at += read as u64;
    }
    Ok(found)
}

const ZEROS: [u8; SECTOR_BYTES] = [0; SECTOR_BYTES];
