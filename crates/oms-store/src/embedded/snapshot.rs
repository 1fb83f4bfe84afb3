//! Snapshots beside the log, each a file with a digest over all of it.
//!
//! A snapshot is a saving, never a source: one that cannot be read is passed over. One that can be
//! read and contradicts the log shows that the log is not what it was, and is refused.

use std::io;
use std::sync::{Arc, PoisonError};

use sha2::{Digest, Sha256};

use super::index::Shared;
use super::reader::Reader;
use super::segment::damage;
use crate::chain::{ChainHash, array};
use crate::disk::{Disk, Mode};
use crate::error::{Defect, JournalError};
use crate::journal::{JournalReader, KEPT_SNAPSHOTS, Snapshot, SnapshotStore, Tip};

pub(crate) const TEMPORARY: &str = "snapshot.tmp";

const MAGIC: [u8; 8] = *b"OMSSNAP1";
const HEADER_LEN: usize = 128;
const DIGEST_AT: usize = 96;

/// Snapshots of one embedded log.
pub(crate) struct Snapshots {
    shared: Arc<Shared>,
}

impl Snapshots {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    fn write(&self, snapshot: &Snapshot) -> io::Result<()> {
        let disk = self.shared.disk.as_ref();
        let _one_at_a_time = self.shared.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
        let names = disk.list()?;
        if names.iter().any(|name| name == TEMPORARY) {
            disk.remove(TEMPORARY)?;
        }
        let file = disk.create(TEMPORARY, 0, Mode::Buffered)?;
        file.write_at(0, &encode_header(self.shared.partition, snapshot))?;
        file.write_at(HEADER_LEN as u64, &snapshot.bytes)?;
        file.sync()?;
        disk.rename(TEMPORARY, &name(snapshot.seq))?;
        disk.sync_dir()?;
        for old in sequences(&disk.list()?).iter().rev().skip(KEPT_SNAPSHOTS) {
            disk.remove(&name(*old))?;
        }
        Ok(())
    }
}

impl SnapshotStore for Snapshots {
    fn put(&mut self, snapshot: &Snapshot) -> Result<(), JournalError> {
        let mismatch = JournalError::SnapshotMismatch { seq: snapshot.seq };
        if snapshot.seq == 0 || self.shared.tip().last_seq < snapshot.seq {
            return Err(mismatch);
        }
        if Reader::new(self.shared.clone()).hash_at(snapshot.seq)? != Some(snapshot.chain_hash) {
            return Err(mismatch);
        }
        self.write(snapshot).map_err(|error| JournalError::io("write", &name(snapshot.seq), error))
    }

    fn latest_until(&mut self, schema: u32, until: u64) -> Result<Option<Snapshot>, JournalError> {
        let disk = self.shared.disk.as_ref();
        let names = disk.list().map_err(|error| JournalError::io("list", "", error))?;
        for seq in sequences(&names).into_iter().rev().filter(|seq| *seq <= until) {
            let Some(snapshot) = load(disk, self.shared.partition, seq) else {
                continue;
            };
            if snapshot.schema != schema {
                continue;
            }
            let tip = self.shared.tip();
            check_seq(seq, tip)?;
            let hash = Reader::new(self.shared.clone()).hash_at(seq)?;
            check_hash(&snapshot, hash, tip.last_seq)?;
            return Ok(Some(snapshot));
        }
        Ok(None)
    }
}

/// A snapshot is taken of durable state only, so the log cannot end before it.
pub(crate) fn check_seq(seq: u64, tip: Tip) -> Result<(), JournalError> {
    if seq <= tip.last_seq {
        return Ok(());
    }
    Err(damage(&name(seq), 0, tip.last_seq, Defect::SnapshotBeyondTip { seq }))
}

pub(crate) fn check_hash(snapshot: &Snapshot, hash: Option<ChainHash>, last_good_seq: u64) -> Result<(), JournalError> {
    if hash == Some(snapshot.chain_hash) {
        return Ok(());
    }
    let seq = snapshot.seq;
    Err(damage(&name(seq), 0, last_good_seq, Defect::SnapshotChain { seq }))
}

/// The file of the snapshot at `seq`.
pub(crate) fn name(seq: u64) -> String {
    format!("snapshot-{seq:020}.snap")
}

/// The sequences of the snapshots among `names`, rising.
pub(crate) fn sequences(names: &[String]) -> Vec<u64> {
    let parse = |name: &String| name.strip_prefix("snapshot-")?.strip_suffix(".snap")?.parse::<u64>().ok();
    let mut found: Vec<u64> = names.iter().filter_map(parse).collect();
    found.sort_unstable();
    found
}

fn encode_header(partition: u32, snapshot: &Snapshot) -> [u8; HEADER_LEN] {
    let mut head = [0; HEADER_LEN];
    head[0..8].copy_from_slice(&MAGIC);
    head[8..12].copy_from_slice(&partition.to_le_bytes());
    head[12..16].copy_from_slice(&snapshot.schema.to_le_bytes());
    head[16..24].copy_from_slice(&snapshot.seq.to_le_bytes());
    head[24..32].copy_from_slice(&(snapshot.bytes.len() as u64).to_le_bytes());
    head[32..64].copy_from_slice(&snapshot.chain_hash.0);
    head[64..96].copy_from_slice(&snapshot.state_hash);
    let check = digest(&head, &snapshot.bytes);
    head[DIGEST_AT..].copy_from_slice(&check);
    head
}

fn digest(head: &[u8; HEADER_LEN], bytes: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(&head[..DIGEST_AT]).chain_update(bytes).finalize().into()
}

/// The snapshot at `seq`, if it is intact.
pub(crate) fn load(disk: &dyn Disk, partition: u32, seq: u64) -> Option<Snapshot> {
    let file = disk.open(&name(seq), Mode::Read).ok()?;
    let size = usize::try_from(file.size().ok()?).ok()?;
    let mut head = [0; HEADER_LEN];
    if file.read_at(0, &mut head).ok()? != HEADER_LEN || head[0..8] != MAGIC {
        return None;
    }
    let len = usize::try_from(u64::from_le_bytes(array(&head, 24))).ok()?;
    if len.checked_add(HEADER_LEN) != Some(size) {
        return None;
    }
    let mut bytes = vec![0; len];
    if file.read_at(HEADER_LEN as u64, &mut bytes).ok()? != len {
        return None;
    }
    let sound = digest(&head, &bytes) == array(&head, DIGEST_AT)
        && u32::from_le_bytes(array(&head, 8)) == partition
        && u64::from_le_bytes(array(&head, 16)) == seq;
    sound.then(|| Snapshot {
        seq,
        chain_hash: ChainHash(array(&head, 32)),
        state_hash: array(&head, 64),
        schema: u32::from_le_bytes(array(&head, 12)),
        bytes,
    })
}
