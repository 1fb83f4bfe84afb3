//! What the writer of a log and its readers share: where everything is, and how far it is durable.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::format::{SegmentHeader, segment_name};
use super::scan::Position;
use super::segment::{check_finished, push_slot, walk};
use crate::disk::{Disk, DiskFile, Mode};
use crate::error::JournalError;
use crate::journal::Tip;

/// One segment.
#[derive(Debug)]
pub(crate) struct Segment {
    pub header: SegmentHeader,
    /// What is known of its content. The last segment's is always known; an earlier one's is found
    /// by checking all of it, once, when the log was opened with only its tail checked.
    pub content: Option<Content>,
}

/// The verified content of a segment.
#[derive(Debug)]
pub(crate) struct Content {
    /// Group boundaries to start reading from, in order.
    pub slots: Vec<Position>,
    /// Where the durable groups end.
    pub end: u64,
}

#[derive(Debug)]
pub(crate) struct Index {
    /// In order; never empty.
    pub segments: Vec<Segment>,
    pub tip: Tip,
}

/// Shared by the writer, its readers and its snapshots.
pub(crate) struct Shared {
    pub disk: Arc<dyn Disk>,
    pub partition: u32,
    index: Mutex<Index>,
    /// Held while a snapshot is written: they share a temporary name.
    pub snapshots: Mutex<()>,
}

impl Shared {
    pub fn new(disk: Arc<dyn Disk>, partition: u32, index: Index) -> Self {
        Self { disk, partition, index: Mutex::new(index), snapshots: Mutex::new(()) }
    }

    /// Never held during I/O.
    pub fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn tip(&self) -> Tip {
        self.index().tip
    }

    /// A group is durable up to `position`: readers may see it.
    pub fn publish(&self, tip: Tip, position: Position) {
        let mut index = self.index();
        index.tip = tip;
        if let Some(content) = index.segments.last_mut().and_then(|last| last.content.as_mut()) {
            content.end = position.offset;
            push_slot(&mut content.slots, position);
        }
    }

    /// A new last segment is durable, still without groups.
    pub fn add_segment(&self, header: SegmentHeader) {
        let start = Position::start(&header);
        let content = Some(Content { slots: vec![start], end: start.offset });
        self.index().segments.push(Segment { header, content });
    }

    pub fn open_segment(&self, header: &SegmentHeader) -> Result<Arc<dyn DiskFile>, JournalError> {
        let name = segment_name(header.first_seq);
        match self.disk.open(&name, Mode::Read) {
            Ok(file) => Ok(Arc::from(file)),
            Err(error) => Err(JournalError::io("open", &name, error)),
        }
    }

    /// Number of the segment that holds `seq`, and the last slot not after it.
    pub fn locate(&self, seq: u64) -> Result<(usize, Position), JournalError> {
        let number = {
            let index = self.index();
            let after = index.segments.partition_point(|one| one.header.first_seq <= seq);
            after.saturating_sub(1)
        };
        self.check(number)?;
        let index = self.index();
        let Segment { header, content } = &index.segments[number];
        let slot = content.as_ref().and_then(|content| {
            let after = content.slots.partition_point(|slot| slot.next_seq <= seq);
            content.slots.get(after.checked_sub(1)?)
        });
        Ok((number, slot.copied().unwrap_or_else(|| Position::start(header))))
    }

    /// The header of a segment, its durable end, and whether it is the last one.
    pub fn segment(&self, number: usize) -> Result<(SegmentHeader, u64, bool), JournalError> {
        self.check(number)?;
        let index = self.index();
        let Segment { header, content } = &index.segments[number];
        let end = content.as_ref().map_or(super::format::SECTOR, |content| content.end);
        Ok((*header, end, number + 1 == index.segments.len()))
    }

    /// Checks a segment whose content is not known yet.
    fn check(&self, number: usize) -> Result<(), JournalError> {
        let (header, next) = {
            let index = self.index();
            match (&index.segments[number], index.segments.get(number + 1)) {
                (Segment { header, content: None }, Some(next)) => (*header, next.header),
                _ => return Ok(()),
            }
        };
        let file = self.open_segment(&header)?;
        let content = check_segment(&file, &header, &next)?;
        self.index().segments[number].content = Some(content);
        Ok(())
    }
}

/// Checks all of a finished segment.
pub(crate) fn check_segment(file: &Arc<dyn DiskFile>, header: &SegmentHeader, next: &SegmentHeader) -> Result<Content, JournalError> {
    let walked = walk(file, header, Position::start(header), &mut |_| ())
        .map_err(|error| JournalError::io("read", &segment_name(header.first_seq), error))?;
    check_finished(file.as_ref(), header, &walked, next)?;
    Ok(Content { slots: walked.slots, end: walked.good.offset })
}
