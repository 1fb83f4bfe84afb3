//! Checks a stored log without changing it, also while a writer appends.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::format::{SegmentHeader, parse_segment_name, segment_name};
use super::recover::read_headers;
use super::scan::{Position, Step};
use super::segment::{Tail, Walked, check_finished, damage, first_sector, judge_tail, walk};
use super::{epoch, snapshot};
use crate::chain::ChainHash;
use crate::disk::{Disk, DiskFile, Mode, RealDisk};
use crate::error::{Damage, Defect, JournalError};
use crate::journal::{Epoch, Snapshot, Tip};

/// A writer may be in the middle of a group. A defect stands if it is read this often.
const STRIKES: u32 = 4;

/// What a stored log holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifyReport {
    /// The partition it belongs to.
    pub partition: u32,
    /// Segment files.
    pub segments: u64,
    /// Verified entries.
    pub entries: u64,
    /// Verified events.
    pub events: u64,
    /// First verified sequence; 0 if there is none.
    pub first_seq: u64,
    /// Last verified sequence; 0 if there is none.
    pub last_seq: u64,
    /// The chain at `last_seq`.
    pub chain_head: ChainHash,
    /// The newest claim.
    pub epoch: Epoch,
    /// Bytes after the last complete group: a group being written, or one that a crash interrupted.
    /// It was never acknowledged and is dropped when the log is opened.
    pub incomplete_bytes: u64,
    /// The first damage; what is counted above is before it.
    pub damage: Option<Damage>,
}

/// Checks the log in `dir`, reading only. Works on a live log, up to its last complete group.
///
/// # Errors
/// [`JournalError::Io`] if it cannot be read or there is none. Damage is part of the report.
pub fn verify(dir: &Path) -> Result<VerifyReport, JournalError> {
    let disk = RealDisk::existing(dir).map_err(|error| JournalError::io("open", &dir.display().to_string(), error))?;
    verify_disk(&disk)
}

/// As [`verify`], on any disk.
///
/// # Errors
/// As [`verify`].
pub fn verify_disk(disk: &dyn Disk) -> Result<VerifyReport, JournalError> {
    // Names before content: a snapshot that is listed now is of entries that are there now.
    let names = disk.list().map_err(|error| JournalError::io("list", "", error))?;
    let partition = first_partition(disk, &names)?;
    let mut check = Check {
        snapshots: snapshot::sequences(&names).into_iter().filter_map(|seq| Some((seq, snapshot::load(disk, partition, seq)?))).collect(),
        report: VerifyReport {
            partition,
            segments: names.iter().filter(|name| parse_segment_name(name).is_some()).count() as u64,
            entries: 0,
            events: 0,
            first_seq: 0,
            last_seq: 0,
            chain_head: ChainHash::genesis(partition),
            epoch: Epoch::default(),
            incomplete_bytes: 0,
            damage: None,
        },
    };
    match check.run(disk, &names) {
        Err(JournalError::Damaged(damage)) => check.report.damage = Some(*damage),
        other => other?,
    }
    Ok(check.report)
}

/// The partition that the first segment names; everything else must agree with it.
fn first_partition(disk: &dyn Disk, names: &[String]) -> Result<u32, JournalError> {
    let missing = || JournalError::io("open", &segment_name(1), std::io::ErrorKind::NotFound.into());
    let name = names.iter().find(|name| parse_segment_name(name).is_some()).ok_or_else(missing)?;
    let file = disk.open(name, Mode::Read).map_err(|error| JournalError::io("open", name, error))?;
    Ok(first_sector(file.as_ref(), name)?.map_or(0, |sector| SegmentHeader::peek_partition(&sector)))
}

struct Check {
    snapshots: BTreeMap<u64, Snapshot>,
    report: VerifyReport,
}

impl Check {
    fn run(&mut self, disk: &dyn Disk, names: &[String]) -> Result<(), JournalError> {
        let partition = self.report.partition;
        let headers = read_headers(disk, partition, names)?;
        let mut newest = Epoch::default();
        for (number, header) in headers.iter().enumerate() {
            let name = segment_name(header.first_seq);
            let file = disk.open(&name, Mode::Read).map_err(|error| JournalError::io("open", &name, error))?;
            let file: Arc<dyn DiskFile> = Arc::from(file);
            let walked = match headers.get(number + 1) {
                Some(next) => {
                    let walked = self.walk(&file, header, Position::start(header))?;
                    check_finished(file.as_ref(), header, &walked, next)?;
                    walked
                }
                None => self.walk_last(&file, header)?,
            };
            newest = walked.good.epoch;
        }
        self.check_beside(disk, partition, newest)
    }

    /// Counts complete groups only, and compares the snapshots on the way.
    fn walk(&mut self, file: &Arc<dyn DiskFile>, header: &SegmentHeader, from: Position) -> Result<Walked, JournalError> {
        let report = &mut self.report;
        let snapshots = &mut self.snapshots;
        let (mut entries, mut events) = (0, 0);
        let mut contradiction = None;
        let mut visit = |step: &Step<'_>| {
            let entry = &step.stored.entry;
            entries += 1;
            events += u64::from(entry.count);
            if let Some(kept) = snapshots.remove(&entry.last_seq())
                && let Err(error) = snapshot::check_hash(&kept, Some(step.stored.hash), entry.last_seq())
            {
                contradiction.get_or_insert(error);
            }
            if step.group_done {
                report.entries += std::mem::take(&mut entries);
                report.events += std::mem::take(&mut events);
                report.first_seq = 1;
                report.last_seq = entry.last_seq();
                report.chain_head = step.stored.hash;
            }
        };
        let walked =
            walk(file, header, from, &mut visit).map_err(|error| JournalError::io("read", &segment_name(header.first_seq), error))?;
        contradiction.map_or(Ok(walked), Err)
    }

    /// The last segment may be growing while it is read.
    fn walk_last(&mut self, file: &Arc<dyn DiskFile>, header: &SegmentHeader) -> Result<Walked, JournalError> {
        let mut strikes = 0;
        let mut from = Position::start(header);
        loop {
            let walked = self.walk(file, header, from)?;
            match judge_tail(file.as_ref(), header, &walked) {
                Ok(Tail::Clean) => return Ok(walked),
                Ok(Tail::Torn { to }) => {
                    self.report.incomplete_bytes = to - walked.good.offset;
                    return Ok(walked);
                }
                Err(error) => {
                    // Each round either gets further in a file of bounded length, or is a strike.
                    strikes = if walked.good == from { strikes + 1 } else { 0 };
                    if strikes == STRIKES {
                        return Err(error);
                    }
                    from = walked.good;
                }
            }
        }
    }

    /// The files beside the segments. The epoch only rises, so it is read after the entries.
    fn check_beside(&mut self, disk: &dyn Disk, partition: u32, newest: Epoch) -> Result<(), JournalError> {
        let last_seq = self.report.last_seq;
        let names = disk.list().map_err(|error| JournalError::io("list", "", error))?;
        match epoch::load(disk, partition, &names)? {
            Some(found) if found < newest => {
                let defect = Defect::Epoch { previous: newest.0, found: found.0 };
                return Err(damage(epoch::NAME, 0, last_seq, defect));
            }
            Some(found) => self.report.epoch = found,
            None if newest == Epoch::default() => (),
            None => return Err(damage(epoch::NAME, 0, last_seq, Defect::EpochFile)),
        }
        let tip = Tip { last_seq, last_hash: self.report.chain_head, epoch: self.report.epoch };
        for kept in self.snapshots.values() {
            snapshot::check_seq(kept.seq, tip)?;
            // Its sequence was passed without an entry that ends there.
            snapshot::check_hash(kept, None, last_seq)?;
        }
        Ok(())
    }
}
