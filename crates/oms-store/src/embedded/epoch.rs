//! The newest claim, in a file of its own that is replaced as a whole.

use crate::chain::array;
use crate::disk::{Disk, Mode};
use crate::error::{Defect, JournalError};
use crate::journal::Epoch;

use super::segment::damage;

pub(crate) const NAME: &str = "epoch";
pub(crate) const TEMPORARY: &str = "epoch.tmp";

const MAGIC: [u8; 8] = *b"OMSEPOC1";
const LEN: usize = 24;

/// Makes `epoch` the newest claim, durably.
pub(crate) fn store(disk: &dyn Disk, partition: u32, epoch: Epoch) -> std::io::Result<()> {
    let mut bytes = [0; LEN];
    bytes[0..8].copy_from_slice(&MAGIC);
    bytes[8..16].copy_from_slice(&epoch.0.to_le_bytes());
    bytes[16..20].copy_from_slice(&partition.to_le_bytes());
    let check = crc32fast::hash(&bytes[..20]);
    bytes[20..24].copy_from_slice(&check.to_le_bytes());
    let file = disk.create(TEMPORARY, 0, Mode::Buffered)?;
    file.write_at(0, &bytes)?;
    file.sync()?;
    disk.rename(TEMPORARY, NAME)?;
    disk.sync_dir()
}

/// The newest claim, or `None` if there never was one.
pub(crate) fn load(disk: &dyn Disk, partition: u32, names: &[String]) -> Result<Option<Epoch>, JournalError> {
    if !names.iter().any(|name| name == NAME) {
        return Ok(None);
    }
    let failed = |error| JournalError::io("read", NAME, error);
    let file = disk.open(NAME, Mode::Read).map_err(failed)?;
    let mut bytes = [0; LEN];
    let read = file.read_at(0, &mut bytes).map_err(failed)?;
    let size = file.size().map_err(failed)?;
    let sound =
        read == LEN && size == LEN as u64 && bytes[0..8] == MAGIC && u32::from_le_bytes(array(&bytes, 20)) == crc32fast::hash(&bytes[..20]);
    if !sound {
        return Err(damage(NAME, 0, 0, Defect::EpochFile));
    }
    let found = u32::from_le_bytes(array(&bytes, 16));
    if found != partition {
        return Err(damage(NAME, 16, 0, Defect::Partition { expected: partition, found }));
    }
    Ok(Some(Epoch(u64::from_le_bytes(array(&bytes, 8)))))
}
