//! Disks that break their promise, for planted bugs.

use super::mutant::Mutant;
use oms_store::disk::{Disk, DiskFile, DiskLock, LockError, Mode, SimDisk};
use std::io;
use std::sync::Arc;

/// The disk that the log is given.
pub(super) fn disk_for(disk: &SimDisk, mutant: Option<Mutant>) -> Arc<dyn Disk> {
    match mutant {
        Some(Mutant::WritesNotDurable | Mutant::NamesNotDurable) => Arc::new(LyingDisk { disk: disk.clone(), mutant }),
        _ => Arc::new(disk.clone()),
    }
}

struct LyingDisk {
    disk: SimDisk,
    mutant: Option<Mutant>,
}

impl LyingDisk {
    fn mode(&self, mode: Mode) -> Mode {
        if mode == Mode::Durable && self.mutant == Some(Mutant::WritesNotDurable) { Mode::Buffered } else { mode }
    }
}

impl Disk for LyingDisk {
    fn create(&self, name: &str, len: u64, mode: Mode) -> io::Result<Box<dyn DiskFile>> {
        self.disk.create(name, len, self.mode(mode))
    }
    fn open(&self, name: &str, mode: Mode) -> io::Result<Box<dyn DiskFile>> {
        self.disk.open(name, self.mode(mode))
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }
    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }
    fn sync_dir(&self) -> io::Result<()> {
        if self.mutant == Some(Mutant::NamesNotDurable) { Ok(()) } else { self.disk.sync_dir() }
    }
    fn lock(&self, name: &str) -> Result<Box<dyn DiskLock>, LockError> {
        self.disk.lock(name)
    }
}
