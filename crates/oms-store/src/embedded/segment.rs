//! Checks one segment: its header, its groups, and how it ends.
//!
//! A bad group at the end of the log is either *torn* (a crash came before it was durable, so it was
//! never acknowledged) or *damaged* (it was acknowledged and changed since). It is torn only if
//!
//! - nothing after it shows that a later group was started, for that happens only after it was
//!   acknowledged: no later segment, and no header of a group that starts further on; and
//! - the bad entry shows a lost sector: one that begins or ends in fresh zeros. Bytes that were
//!   written and then changed show none.
//!
//! Everything else is refused. In doubt (zeros of the body where a sector begins or ends) the last
//! group counts as torn.

use std::io;
use std::sync::Arc;

use super::format::{ENTRY_ALIGN, HEADER_LEN, Header, SECTOR, SECTOR_BYTES, SegmentHeader, segment_name};
use super::scan::{Position, Scanner, Step, Stop, nonzero};
use crate::chain::array;
use crate::disk::{Disk, DiskFile, Mode};
use crate::error::{Damage, Defect, JournalError};

/// A run of zeros this long at an end of a sector is taken for a lost write.
const LOST_RUN: usize = 16;

/// Distance of the index slots in bytes.
const SLOT_BYTES: u64 = 64 << 10;

/// Reads and checks the header of the segment that its name says starts at `first_seq`.
pub(crate) fn read_header(disk: &dyn Disk, first_seq: u64, partition: u32) -> Result<SegmentHeader, JournalError> {
    let name = segment_name(first_seq);
    let damaged = |offset, defect| damage(&name, offset, first_seq.saturating_sub(1), defect);
    let file = disk.open(&name, Mode::Read).map_err(|error| JournalError::io("open", &name, error))?;
    let size = file.size().map_err(|error| JournalError::io("size of", &name, error))?;
    let sector = first_sector(file.as_ref(), &name)?;
    let Some(sector) = sector else {
        let defect = Defect::Truncated { expected: SECTOR, found: size };
        return Err(damaged(size, defect));
    };
    let header = SegmentHeader::decode(&sector, partition).map_err(|defect| damaged(0, defect))?;
    if header.first_seq != first_seq {
        let defect = Defect::Sequence { expected: first_seq, found: header.first_seq };
        return Err(damaged(0, defect));
    }
    if size < header.len {
        return Err(damaged(size, Defect::Truncated { expected: header.len, found: size }));
    }
    if header.len < size {
        let defect = Defect::Placement { field: "file length", expected: header.len, found: size };
        return Err(damaged(header.len, defect));
    }
    Ok(header)
}

/// The first sector of a segment, or `None` if the file is shorter.
pub(crate) fn first_sector(file: &dyn DiskFile, name: &str) -> Result<Option<[u8; SECTOR_BYTES]>, JournalError> {
    let mut sector = [0; SECTOR_BYTES];
    let read = file.read_at(0, &mut sector).map_err(|error| JournalError::io("read", name, error))?;
    Ok((read == SECTOR_BYTES).then_some(sector))
}

/// The complete groups of a segment, and where they end.
#[derive(Debug)]
pub(crate) struct Walked {
    /// Group boundaries to start reading from, about [`SLOT_BYTES`] apart.
    pub slots: Vec<Position>,
    /// After the last complete group.
    pub good: Position,
    /// Where the last complete group starts.
    pub last_group: Option<u64>,
    /// The defect after `good`, and the bytes it was found in; none at the end of the file.
    pub stop: Option<(u64, u64, Defect)>,
}

/// Reads the groups of a segment from `from`, calling `visit` with every entry. An entry of an
/// incomplete last group is visited too, so what was counted holds only up to the last
/// `group_done`.
pub(crate) fn walk(
    file: &Arc<dyn DiskFile>,
    header: &SegmentHeader,
    from: Position,
    visit: &mut dyn FnMut(&Step<'_>),
) -> io::Result<Walked> {
    let mut scanner = Scanner::new(file.clone(), header, from, header.len, Vec::new());
    let mut walked = Walked { slots: vec![from], good: from, last_group: None, stop: None };
    loop {
        let group_offset = match scanner.step() {
            Ok(None) => return Ok(walked),
            Ok(Some(step)) => {
                visit(&step);
                if !step.group_done {
                    continue;
                }
                step.group_offset
            }
            Err(Stop::Io(error)) => return Err(error),
            Err(Stop::Defect { offset, span, defect }) => {
                walked.stop = Some((offset, span, defect));
                return Ok(walked);
            }
        };
        walked.good = scanner.position();
        walked.last_group = Some(group_offset);
        push_slot(&mut walked.slots, walked.good);
    }
}

/// Adds a slot if the last one is far enough away.
pub(crate) fn push_slot(slots: &mut Vec<Position>, position: Position) {
    if slots.last().is_none_or(|last| SLOT_BYTES <= position.offset - last.offset) {
        slots.push(position);
    }
}

/// Checks that a walked segment ends exactly where the next one starts.
pub(crate) fn check_finished(
    file: &dyn DiskFile,
    header: &SegmentHeader,
    walked: &Walked,
    next: &SegmentHeader,
) -> Result<(), JournalError> {
    let (name, good) = (segment_name(header.first_seq), &walked.good);
    let last_good_seq = good.next_seq.saturating_sub(1);
    let whole = walked.stop.as_ref().is_none_or(|(offset, _, _)| *offset == good.offset);
    if (good.next_seq < next.first_seq || !whole)
        && let Some((offset, _, defect)) = &walked.stop
    {
        return Err(damage(&name, *offset, last_good_seq, defect.clone()));
    }
    let next_name = segment_name(next.first_seq);
    let in_next = |defect| Err(damage(&next_name, 0, last_good_seq, defect));
    if good.next_seq != next.first_seq {
        let (expected, found) = (good.next_seq, next.first_seq);
        return in_next(Defect::Sequence { expected, found });
    }
    if good.prev_hash != next.prev_hash {
        let (expected, found) = (good.prev_hash, next.prev_hash);
        return in_next(Defect::Chain { expected, found });
    }
    if next.epoch < good.epoch {
        return in_next(Defect::Epoch { previous: good.epoch.0, found: next.epoch.0 });
    }
    let rest = nonzero(file, good.offset, header.len).map_err(|error| JournalError::io("read", &name, error))?;
    if let Some((offset, _)) = rest {
        let mut byte = [0];
        file.read_at(offset, &mut byte).map_err(|error| JournalError::io("read", &name, error))?;
        return Err(damage(&name, offset, last_good_seq, Defect::NotZero { found: byte[0] }));
    }
    Ok(())
}

/// What follows the last complete group of the last segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tail {
    /// Fresh space.
    Clean,
    /// A group that was never acknowledged; its bytes end before `to`.
    Torn { to: u64 },
}

/// Tells a torn tail from damage; see the module's text.
pub(crate) fn judge_tail(file: &dyn DiskFile, header: &SegmentHeader, walked: &Walked) -> Result<Tail, JournalError> {
    let (name, start) = (segment_name(header.first_seq), walked.good.offset);
    let failed = |error| JournalError::io("read", &name, error);
    let Some((offset, span, defect)) = &walked.stop else {
        return Ok(Tail::Clean);
    };
    let Some((_, last)) = nonzero(file, start, header.len).map_err(failed)? else {
        return Ok(Tail::Clean);
    };
    let to = (last + 1).next_multiple_of(SECTOR);
    let mut tail = vec![0; usize::try_from(to - start).unwrap_or(0)];
    file.read_at(start, &mut tail).map_err(failed)?;

    let could_be_lost =
        matches!(defect, Defect::Magic { .. } | Defect::HeaderChecksum { .. } | Defect::BodyChecksum { .. } | Defect::Padding { .. });
    let torn = could_be_lost && !later_group(&tail, start, header.salt()) && shows_loss(&tail, offset - start, *span);
    if torn {
        return Ok(Tail::Torn { to });
    }
    let last_good_seq = walked.good.next_seq.saturating_sub(1);
    Err(damage(&name, *offset, last_good_seq, defect.clone()))
}

/// Is there, in the bytes after `start`, a header of a group that does not start there? The header
/// is proof enough; its body may itself be torn.
fn later_group(tail: &[u8], start: u64, salt: u32) -> bool {
    let header_at = |at: usize| {
        let bytes = tail.get(at..at + HEADER_LEN)?;
        Some(Header::decode(&array(bytes, 0), salt))
    };
    // If the group's extent is known, what lies within is its own, whatever it looks like.
    let extent = match header_at(0) {
        Some(Ok(header)) => header.group.end().saturating_sub(start),
        _ => 0,
    };
    let mut at = usize::try_from(extent).unwrap_or(usize::MAX);
    while at < tail.len() {
        match header_at(at) {
            Some(Ok(header)) if u64::from(header.group.offset) != start => return true,
            Some(Err(Defect::Version { .. })) => return true,
            Some(Ok(_) | Err(_)) | None => at += ENTRY_ALIGN,
        }
    }
    false
}

/// Does a sector that holds any of `span` bytes from `at` begin or end in fresh zeros?
fn shows_loss(tail: &[u8], at: u64, span: u64) -> bool {
    let sector = |offset: u64| usize::try_from(offset / SECTOR).unwrap_or(usize::MAX);
    let (first, last) = (sector(at), sector(at + span.max(1) - 1));
    let sectors = tail.chunks(SECTOR_BYTES).skip(first);
    let lost =
        |bytes: &[u8]| bytes.iter().take(LOST_RUN).all(|byte| *byte == 0) || bytes.iter().rev().take(LOST_RUN).all(|byte| *byte == 0);
    // Beyond the last byte that is not zero there is nothing but zeros.
    tail.len().div_ceil(SECTOR_BYTES) <= last || sectors.take(last - first + 1).any(lost)
}

pub(crate) fn damage(file: &str, offset: u64, last_good_seq: u64, defect: Defect) -> JournalError {
    Damage { file: file.to_owned(), offset, last_good_seq, defect }.into()
}
