//! Opens a log: finds its durable end, drops a torn tail, refuses damage.
//!
//! - What is read may be in memory only (the process was killed in a write, or the device refused
//!   one), so the names and the last group are made durable before anything builds on them.
//! - A torn segment is not written to. A clean copy replaces it: however often that fails, what was
//!   acknowledged stays where it is.

use std::io;
use std::sync::Arc;

use super::format::{SECTOR, SegmentHeader, parse_segment_name, segment_name};
use super::index::{Content, Index, Segment, check_segment};
use super::scan::Position;
use super::segment::{Tail, Walked, damage, judge_tail, read_header, walk};
use super::{Config, OpenCheck, epoch, prepare, snapshot};
use crate::chain::ChainHash;
use crate::disk::{Disk, DiskFile, DiskLock, LockError, Mode};
use crate::error::{Defect, JournalError};
use crate::journal::{Epoch, Tip};

/// Held by the one writer.
const LOCK: &str = "LOCK";

/// A new segment that is made when it is needed.
pub(crate) const FRESH: &str = "segment.tmp";

/// The clean copy of a torn segment.
const COPY: &str = "repair.tmp";

const COPY_BYTES: usize = 1 << 20;

pub(crate) struct Recovered {
    pub index: Index,
    pub active: Box<dyn DiskFile>,
    pub active_len: u64,
    pub position: Position,
    pub lock: Box<dyn DiskLock>,
}

pub(crate) fn recover(disk: &Arc<dyn Disk>, config: &Config) -> Result<Recovered, JournalError> {
    let lock = disk.lock(LOCK).map_err(|error| match error {
        LockError::Held { pid } => JournalError::Locked { pid },
        LockError::Io(error) => JournalError::io("lock", LOCK, error),
    })?;
    let names = tidy(disk.as_ref()).map_err(|error| JournalError::io("open", "", error))?;
    let mut headers = read_headers(disk.as_ref(), config.partition, &names)?;
    if headers.is_empty() {
        let header = first_header(config);
        let made = make_segment(disk.as_ref(), &header, None);
        made.map_err(|error| JournalError::io("create", &segment_name(1), error))?;
        headers.push(header);
    }
    let mut segments = Vec::with_capacity(headers.len());
    for (number, header) in headers.iter().enumerate() {
        let content = match headers.get(number + 1) {
            Some(next) if config.check == OpenCheck::Everything => {
                let file = open(disk.as_ref(), header, Mode::Read)?;
                Some(check_segment(&file, header, next)?)
            }
            _ => None,
        };
        segments.push(Segment { header: *header, content });
    }
    let header = headers.last().copied().unwrap_or_else(|| first_header(config));
    let walked = recover_tail(disk.as_ref(), &header)?;
    let position = walked.good;
    if let Some(last) = segments.last_mut() {
        last.content = Some(Content { slots: walked.slots, end: position.offset });
    }
    let tip = Tip {
        last_seq: position.next_seq.saturating_sub(1),
        last_hash: position.prev_hash,
        epoch: newest_epoch(disk.as_ref(), config.partition, &names, &position)?,
    };
    for seq in snapshot::sequences(&names) {
        if tip.last_seq < seq && snapshot::load(disk.as_ref(), config.partition, seq).is_some() {
            snapshot::check_seq(seq, tip)?;
        }
    }
    let name = segment_name(header.first_seq);
    let active = disk.open(&name, Mode::Durable).map_err(|error| JournalError::io("open", &name, error))?;
    let index = Index { segments, tip };
    Ok(Recovered { index, active, active_len: header.len, position, lock })
}

/// Removes what an earlier process left unfinished and makes all names durable.
fn tidy(disk: &dyn Disk) -> io::Result<Vec<String>> {
    for name in disk.list()? {
        if [prepare::NAME, FRESH, COPY, epoch::TEMPORARY, snapshot::TEMPORARY].contains(&name.as_str()) {
            disk.remove(&name)?;
        }
    }
    disk.sync_dir()?;
    disk.list()
}

fn first_header(config: &Config) -> SegmentHeader {
    SegmentHeader {
        partition: config.partition,
        first_seq: 1,
        len: config.segment_len(),
        epoch: Epoch::default(),
        prev_hash: ChainHash::genesis(config.partition),
    }
}

/// The headers of all segments, in order. Whether each continues the one before is checked with
/// its content.
pub(crate) fn read_headers(disk: &dyn Disk, partition: u32, names: &[String]) -> Result<Vec<SegmentHeader>, JournalError> {
    let mut first_seqs: Vec<u64> = names.iter().filter_map(|name| parse_segment_name(name)).collect();
    first_seqs.sort_unstable();
    let begun = names.iter().any(|name| name == epoch::NAME) || !snapshot::sequences(names).is_empty() || !first_seqs.is_empty();
    if begun && first_seqs.first() != Some(&1) {
        return Err(damage(&segment_name(1), 0, 0, Defect::MissingSegment { first_seq: 1 }));
    }
    let mut headers = Vec::with_capacity(first_seqs.len());
    for first_seq in first_seqs {
        headers.push(read_header(disk, first_seq, partition)?);
    }
    if let Some(first) = headers.first() {
        let (expected, found) = (ChainHash::genesis(partition), first.prev_hash);
        if expected != found {
            return Err(damage(&segment_name(1), 0, 0, Defect::Chain { expected, found }));
        }
    }
    Ok(headers)
}

fn open(disk: &dyn Disk, header: &SegmentHeader, mode: Mode) -> Result<Arc<dyn DiskFile>, JournalError> {
    let name = segment_name(header.first_seq);
    let file = disk.open(&name, mode).map_err(|error| JournalError::io("open", &name, error))?;
    Ok(Arc::from(file))
}

/// Finds the end of the last segment and makes it durable.
fn recover_tail(disk: &dyn Disk, header: &SegmentHeader) -> Result<Walked, JournalError> {
    let name = segment_name(header.first_seq);
    let file = open(disk, header, Mode::Durable)?;
    let walked = walk(&file, header, Position::start(header), &mut |_| ()).map_err(|error| JournalError::io("read", &name, error))?;
    match judge_tail(file.as_ref(), header, &walked)? {
        Tail::Clean => {
            let start = walked.last_group.unwrap_or(walked.good.offset);
            copy(file.as_ref(), file.as_ref(), start, walked.good.offset)
        }
        Tail::Torn { .. } => replace(disk, header, file.as_ref(), walked.good.offset),
    }
    .map_err(|error| JournalError::io("repair", &name, error))?;
    Ok(walked)
}

/// Copies bytes from one file to another, or to itself.
fn copy(from: &dyn DiskFile, to: &dyn DiskFile, start: u64, end: u64) -> io::Result<()> {
    let len = usize::try_from(end - start).unwrap_or(usize::MAX).min(COPY_BYTES);
    let mut buffer = vec![0; len];
    let mut at = start;
    while at < end {
        let step = len.min(usize::try_from(end - at).unwrap_or(len));
        if from.read_at(at, &mut buffer[..step])? != step {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        to.write_at(at, &buffer[..step])?;
        at += step as u64;
    }
    Ok(())
}

/// Replaces a torn segment by a copy of its good bytes.
fn replace(disk: &dyn Disk, header: &SegmentHeader, torn: &dyn DiskFile, good: u64) -> io::Result<()> {
    let clean = disk.create(COPY, header.len, Mode::Buffered)?;
    copy(torn, clean.as_ref(), 0, good)?;
    clean.sync()?;
    disk.rename(COPY, &segment_name(header.first_seq))?;
    disk.sync_dir()
}

fn newest_epoch(disk: &dyn Disk, partition: u32, names: &[String], position: &Position) -> Result<Epoch, JournalError> {
    let last_seq = position.next_seq.saturating_sub(1);
    match epoch::load(disk, partition, names)? {
        Some(epoch) if epoch < position.epoch => {
            let defect = Defect::Epoch { previous: position.epoch.0, found: epoch.0 };
            Err(damage(epoch::NAME, 0, last_seq, defect))
        }
        Some(epoch) => Ok(epoch),
        None if position.epoch == Epoch::default() => Ok(Epoch::default()),
        None => Err(damage(epoch::NAME, 0, last_seq, Defect::EpochFile)),
    }
}

/// Makes a segment without groups durable under its name. `prepared` is a file of its length under
/// [`prepare::NAME`]; without one it is made here.
pub(crate) fn make_segment(disk: &dyn Disk, header: &SegmentHeader, prepared: Option<Box<dyn DiskFile>>) -> io::Result<Box<dyn DiskFile>> {
    let (file, name) = match prepared {
        Some(file) => (file, prepare::NAME),
        None => (disk.create(FRESH, header.len, Mode::Durable)?, FRESH),
    };
    assert!(SECTOR < header.len, "a segment has room after its header");
    file.write_at(0, &header.encode())?;
    disk.rename(name, &segment_name(header.first_seq))?;
    disk.sync_dir()?;
    Ok(file)
}
