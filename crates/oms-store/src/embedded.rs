//! The log in files of its own: preallocated segments, one writer, group commit.
//!
//! - One group is one synchronous write, whole or not there; it starts on a sector of its own, so
//!   acknowledged sectors are never written again with other bytes.
//! - The first error of the device stops the log. Nothing is written or acknowledged after it until
//!   the log is opened again, which finds out what is durable.
//! - Files: `LOCK`, `epoch`, `segment-<first sequence>.log`, `snapshot-<sequence>.snap`; names that
//!   end in `.tmp` are unfinished and removed on opening.

mod epoch;
pub(crate) mod format;
mod index;
mod prepare;
mod reader;
mod recover;
mod scan;
mod segment;
mod snapshot;
#[cfg(test)]
mod tests;
pub mod verify;

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::disk::{Disk, DiskFile, DiskLock, RealDisk};
use crate::error::JournalError;
use crate::group::Group;
use crate::journal::{Appended, EntryRef, Epoch, Journal, JournalReader, SnapshotStore, Tip};
use format::{SECTOR, SegmentHeader};
use index::Shared;
use prepare::Preparer;
use reader::Reader;
use scan::Position;
use snapshot::Snapshots;

/// Smallest segment, in bytes.
const MIN_SEGMENT: u64 = 4 << 10;

/// Largest configured segment, in bytes; offsets in a segment are 32 bits wide.
const MAX_SEGMENT: u64 = 1 << 31;

/// A buffer that grew beyond this for one large group is given back, in bytes.
const KEPT_BUFFER: usize = 8 << 20;

/// How much of a log is read and checked when it is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OpenCheck {
    /// All of it: a damaged log does not open.
    #[default]
    Everything,
    /// Every segment's header and all of the last segment. Earlier segments are checked as a whole
    /// before the first entry of theirs is handed out.
    Tail,
}

/// How an embedded log is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// The partition whose log this is. Another partition's log does not open.
    pub partition: u32,
    /// Size of a segment in bytes, rounded up to sectors; 4 KiB to 2 GiB. Default 64 MiB. A group
    /// that does not fit gets a larger segment of its own.
    pub segment_bytes: u64,
    /// Makes the next segment on a thread of its own before it is needed. Default on; off leaves
    /// the log without threads and its operations in one order.
    pub prepare_ahead: bool,
    /// What is checked on opening.
    pub check: OpenCheck,
}

impl Default for Config {
    fn default() -> Self {
        Self { partition: 0, segment_bytes: 64 << 20, prepare_ahead: true, check: OpenCheck::Everything }
    }
}

impl Config {
    fn segment_len(&self) -> u64 {
        self.segment_bytes.clamp(MIN_SEGMENT, MAX_SEGMENT).next_multiple_of(SECTOR)
    }
}

/// The log of one partition in a directory. Dropping it frees the directory for the next writer.
pub struct EmbeddedJournal {
    config: Config,
    shared: Arc<Shared>,
    active: Box<dyn DiskFile>,
    active_len: u64,
    position: Position,
    tip: Tip,
    /// Starts the checksums of the active segment.
    salt: u32,
    group: Option<Group>,
    preparer: Option<Preparer>,
    failed: Option<(&'static str, String)>,
    /// Dropped last, after the preparing thread.
    _lock: Box<dyn DiskLock>,
}

impl EmbeddedJournal {
    /// Opens the log in `dir`, making both if they are not there.
    ///
    /// # Errors
    /// - [`JournalError::Locked`] if another writer has it open.
    /// - [`JournalError::Damaged`] if it is not what was written.
    /// - [`JournalError::Io`] if the device refuses.
    pub fn open_dir(dir: &Path, config: Config) -> Result<Self, JournalError> {
        let disk = RealDisk::create_dir(dir).map_err(|error| JournalError::io("create", &dir.display().to_string(), error))?;
        Self::open(Arc::new(disk), config)
    }

    /// Opens the log on `disk`, making it if it is not there.
    ///
    /// # Errors
    /// As [`EmbeddedJournal::open_dir`].
    pub fn open(disk: Arc<dyn Disk>, config: Config) -> Result<Self, JournalError> {
        let found = recover::recover(&disk, &config)?;
        let preparer = match config.prepare_ahead {
            true => Some(Preparer::start(disk.clone(), config.segment_len()))
                .transpose()
                .map_err(|error| JournalError::io("start thread for", prepare::NAME, error))?,
            false => None,
        };
        let tip = found.index.tip;
        let salt = found.index.segments.last().map_or(0, |last| last.header.salt());
        Ok(Self {
            shared: Arc::new(Shared::new(disk, config.partition, found.index)),
            config,
            active: found.active,
            active_len: found.active_len,
            position: found.position,
            tip,
            salt,
            group: None,
            preparer,
            failed: None,
            _lock: found.lock,
        })
    }

    fn check_running(&self) -> Result<(), JournalError> {
        match &self.failed {
            None => Ok(()),
            Some((during, reason)) => Err(JournalError::Failed { during, reason: reason.clone() }),
        }
    }

    /// Stops the log for good if `result` is an error.
    fn stop_on<T>(&mut self, during: &'static str, result: io::Result<T>) -> Result<T, JournalError> {
        result.map_err(|error| {
            let reason = error.to_string();
            self.failed = Some((during, reason.clone()));
            JournalError::Failed { during, reason }
        })
    }

    /// Starts a segment with room for `group_bytes`.
    fn start_segment(&mut self, group_bytes: u64) -> Result<(), JournalError> {
        let usual = self.config.segment_len();
        let header = SegmentHeader {
            partition: self.config.partition,
            first_seq: self.position.next_seq,
            len: usual.max(SECTOR + group_bytes),
            epoch: self.tip.epoch,
            prev_hash: self.position.prev_hash,
        };
        let prepared = match self.preparer.as_mut().filter(|_| header.len == usual) {
            Some(preparer) => preparer.take().transpose(),
            None => Ok(None),
        };
        let made = prepared.and_then(|file| recover::make_segment(self.shared.disk.as_ref(), &header, file));
        self.active = self.stop_on("starting a segment", made)?;
        self.active_len = header.len;
        self.salt = header.salt();
        self.position = Position::start(&header);
        self.shared.add_segment(header);
        Ok(())
    }

    /// Asks for the next segment once this one is in use, so an idle log keeps none. It is made twice as fast as this one
    /// fills, and not faster: its zeros and the commits are written to one device.
    fn prepare(&mut self) {
        let behind = self.position.offset.saturating_sub(self.active_len / 8);
        if behind > 0
            && let Some(preparer) = &mut self.preparer
        {
            preparer.ask();
            preparer.allow(2 * behind);
        }
    }
}

impl Journal for EmbeddedJournal {
    fn partition(&self) -> u32 {
        self.config.partition
    }

    fn claim(&mut self) -> Result<Epoch, JournalError> {
        self.check_running()?;
        let epoch = Epoch(self.tip.epoch.0.saturating_add(1));
        let stored = epoch::store(self.shared.disk.as_ref(), self.config.partition, epoch);
        self.stop_on("claiming", stored)?;
        self.tip.epoch = epoch;
        self.shared.index().tip.epoch = epoch;
        Ok(epoch)
    }

    fn commit(&mut self, group: &mut Group) -> Result<Appended, JournalError> {
        self.check_running()?;
        group.check(self.config.partition, self.tip)?;
        let room = (group.stored_bytes() as u64).next_multiple_of(SECTOR);
        if self.active_len - self.position.offset < room {
            self.start_segment(room)?;
        }
        let tip = group.tip();
        let bytes = group.place(self.position.offset, self.salt);
        let written = self.active.write_at(self.position.offset, bytes);
        self.stop_on("appending", written)?;
        self.tip = tip;
        self.position = Position {
            offset: self.position.offset + room,
            next_seq: tip.last_seq.saturating_add(1),
            prev_hash: tip.last_hash,
            epoch: tip.epoch,
        };
        self.shared.publish(tip, self.position);
        self.prepare();
        Ok(Appended { last_seq: tip.last_seq, last_hash: tip.last_hash })
    }

    fn append(&mut self, epoch: Epoch, entries: &[EntryRef<'_>]) -> Result<Appended, JournalError> {
        self.check_running()?;
        let tip = Tip { epoch, ..self.tip };
        // One group is kept for its memory.
        let kept = self.group.take();
        let mut group = kept.unwrap_or_else(|| Group::after(self.config.partition, tip));
        group.restart(tip);
        let filled = entries.iter().try_for_each(|entry| group.push(*entry).map(drop));
        let appended = filled.and_then(|()| self.commit(&mut group));
        group.restart(tip);
        group.shrink(KEPT_BUFFER);
        self.group = Some(group);
        appended
    }

    fn reader(&self) -> Box<dyn JournalReader> {
        Box::new(Reader::new(self.shared.clone()))
    }

    fn snapshots(&self) -> Box<dyn SnapshotStore> {
        Box::new(Snapshots::new(self.shared.clone()))
    }

    fn tip(&self) -> Tip {
        self.tip
    }
}
