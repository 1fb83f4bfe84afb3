//! What is on the simulated disk, and what of it would survive.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::{Fault, broken};

/// Unit of survival in bytes: a sector is old or new after a crash.
pub(super) const SECTOR: usize = 512;

/// Unit of a torn sector in bytes.
const PIECE: usize = 16;

#[derive(Clone, Debug, Default)]
pub(super) struct SimData {
    /// As it is read now.
    pub data: Vec<u8>,
    /// The durable bytes of every sector that differs, or may differ, from what is read.
    undo: BTreeMap<usize, [u8; SECTOR]>,
    /// Sectors of `undo` that no sync will save.
    orphans: BTreeSet<usize>,
    /// Bytes that are there after a crash in any case.
    durable_len: usize,
}

#[derive(Clone, Debug)]
pub(super) enum DirOp {
    Link { name: String, inode: u64 },
    Unlink { name: String },
    Rename { from: String, to: String },
}

#[derive(Debug)]
pub(super) struct State {
    random: u64,
    pub files: BTreeMap<u64, SimData>,
    next_inode: u64,
    pub names: BTreeMap<String, u64>,
    pub durable_names: BTreeMap<String, u64>,
    pending: Vec<DirOp>,
    pub operations: u64,
    pub faults: BTreeMap<u64, Fault>,
    pub fail_from: Option<(u64, Fault)>,
    pub generation: u64,
    powered: bool,
    pub locks: BTreeSet<String>,
    pub tear: bool,
}

impl State {
    pub fn new(seed: u64) -> Self {
        Self {
            random: seed,
            files: BTreeMap::new(),
            next_inode: 0,
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            pending: Vec::new(),
            operations: 0,
            faults: BTreeMap::new(),
            fail_from: None,
            generation: 0,
            powered: true,
            locks: BTreeSet::new(),
            tear: false,
        }
    }

    pub fn fork(&self, seed: u64) -> Self {
        Self {
            random: seed,
            files: self.files.clone(),
            next_inode: self.next_inode,
            names: self.names.clone(),
            durable_names: self.durable_names.clone(),
            pending: self.pending.clone(),
            operations: self.operations,
            faults: self.faults.clone(),
            fail_from: self.fail_from,
            generation: self.generation,
            powered: self.powered,
            locks: BTreeSet::new(),
            tear: self.tear,
        }
    }

    /// SplitMix64.
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn coin(&mut self) -> bool {
        self.next_random() & 1 == 0
    }

    /// A number below `bound`, which is at least 1.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next_random() % (bound as u64)).unwrap_or(0)
    }

    pub fn alive(&self, generation: u64) -> io::Result<()> {
        if self.powered && generation == self.generation { Ok(()) } else { Err(broken()) }
    }

    /// Counts an operation that changes the disk, and tells what goes wrong in it.
    pub fn begin(&mut self) -> io::Result<Option<Fault>> {
        self.alive(self.generation)?;
        let number = self.operations;
        self.operations += 1;
        let lasting = self.fail_from.filter(|(from, _)| *from <= number).map(|(_, fault)| fault);
        let fault = self.faults.remove(&number).or(lasting);
        if fault == Some(Fault::PowerLoss) {
            self.powered = false;
        }
        Ok(fault)
    }

    pub fn add_file(&mut self, data: Vec<u8>) -> u64 {
        let inode = self.next_inode;
        self.next_inode += 1;
        let file = SimData { durable_len: data.len(), data, ..SimData::default() };
        self.files.insert(inode, file);
        inode
    }

    pub fn file_mut(&mut self, name: &str) -> Option<&mut SimData> {
        let inode = self.names.get(name)?;
        self.files.get_mut(inode)
    }

    pub fn change_name(&mut self, op: DirOp) {
        apply(&mut self.names, &op);
        self.pending.push(op);
    }

    pub fn sync_names(&mut self) {
        self.pending.clear();
        self.durable_names.clone_from(&self.names);
        self.drop_unnamed();
    }

    pub fn write(&mut self, inode: u64, start: usize, bytes: &[u8], durable: bool) -> io::Result<()> {
        let file = self.files.get_mut(&inode).ok_or_else(broken)?;
        let end = start.checked_add(bytes.len()).ok_or_else(broken)?;
        if !durable {
            file.remember(start, end);
        }
        if file.data.len() < end {
            file.data.resize(end, 0);
        }
        file.data[start..end].copy_from_slice(bytes);
        if durable {
            for sector in start / SECTOR..end.div_ceil(SECTOR) {
                file.undo.remove(&sector);
                file.orphans.remove(&sector);
            }
            file.durable_len = file.durable_len.max(end);
        }
        Ok(())
    }

    pub fn sync(&mut self, inode: u64) {
        let Some(file) = self.files.get_mut(&inode) else {
            return;
        };
        let orphans = &file.orphans;
        file.undo.retain(|sector, _| orphans.contains(sector));
        file.durable_len = file.data.len();
    }

    /// The device failed to take the unsynced sectors: they read as written, but no sync counts.
    pub fn orphan(&mut self, inode: u64) {
        let Some(file) = self.files.get_mut(&inode) else {
            return;
        };
        file.orphans.extend(file.undo.keys().copied());
    }

    pub fn end_process(&mut self) {
        self.generation += 1;
        self.locks.clear();
        self.faults.clear();
        self.fail_from = None;
        self.powered = true;
    }

    pub fn crash(&mut self) {
        self.end_process();
        let kept = self.below(self.pending.len() + 1);
        for op in &self.pending[..kept] {
            apply(&mut self.durable_names, op);
        }
        self.pending.clear();
        self.names.clone_from(&self.durable_names);
        self.drop_unnamed();
        let inodes: Vec<u64> = self.files.keys().copied().collect();
        for inode in inodes {
            self.lose_unsynced(inode);
        }
    }

    fn lose_unsynced(&mut self, inode: u64) {
        let Some(mut file) = self.files.remove(&inode) else {
            return;
        };
        // All and nothing are as likely as a mixture: both ends deserve as many seeds.
        let manner = self.below(4);
        for (sector, old) in std::mem::take(&mut file.undo) {
            let lost = match manner {
                0 => true,
                1 => false,
                _ => self.coin(),
            };
            let mut range = 0..SECTOR;
            if self.tear && self.below(8) == 0 {
                let cut = PIECE * (1 + self.below(SECTOR / PIECE - 1));
                range = if self.coin() { 0..cut } else { cut..SECTOR };
            } else if !lost {
                continue;
            }
            let start = sector * SECTOR;
            let end = (start + range.end).min(file.data.len());
            if start + range.start < end {
                let old = &old[range.start..end - start];
                file.data[start + range.start..end].copy_from_slice(old);
            }
        }
        file.orphans.clear();
        if file.durable_len < file.data.len() && self.coin() {
            file.data.truncate(file.durable_len);
        }
        file.durable_len = file.data.len();
        self.files.insert(inode, file);
    }

    fn drop_unnamed(&mut self) {
        let named: BTreeSet<u64> = self.names.values().chain(self.durable_names.values()).copied().collect();
        self.files.retain(|inode, _| named.contains(inode));
    }
}

impl SimData {
    /// Keeps the durable bytes of the sectors of `start..end`, which is about to be overwritten.
    fn remember(&mut self, start: usize, end: usize) {
        for sector in start / SECTOR..end.div_ceil(SECTOR) {
            self.orphans.remove(&sector);
            let data = &self.data;
            self.undo.entry(sector).or_insert_with(|| {
                let mut old = [0; SECTOR];
                let from = (sector * SECTOR).min(data.len());
                let to = (from + SECTOR).min(data.len());
                old[..to - from].copy_from_slice(&data[from..to]);
                old
            });
        }
    }
}

fn apply(names: &mut BTreeMap<String, u64>, op: &DirOp) {
    match op {
        DirOp::Link { name, inode } => {
            names.insert(name.clone(), *inode);
        }
        DirOp::Unlink { name } => {
            names.remove(name);
        }
        DirOp::Rename { from, to } => {
            if let Some(inode) = names.remove(from) {
                names.insert(to.clone(), inode);
            }
        }
    }
}
