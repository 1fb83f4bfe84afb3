//! A disk that lists every boundary at which a crash can fall.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Disk, DiskFile, DiskLock, LockError, Mode};

/// What was done to the disk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Operation {
    /// [`Disk::create`]
    Create,
    /// [`DiskFile::write_at`]
    Write,
    /// [`DiskFile::sync`]
    Sync,
    /// [`Disk::rename`]
    Rename,
    /// [`Disk::remove`]
    Remove,
    /// [`Disk::sync_dir`]
    SyncDir,
}

/// One change of the disk. A crash can fall before it, in it, or after it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Boundary {
    /// What was done.
    pub operation: Operation,
    /// To which file; empty for the directory.
    pub name: String,
    /// Bytes written or allocated.
    pub bytes: u64,
    /// Whether it was reported as done.
    pub done: bool,
}

type Log = Arc<Mutex<Vec<Boundary>>>;

/// Passes everything on to another disk and lists the changes, in order.
#[derive(Clone)]
pub struct RecordingDisk {
    inner: Arc<dyn Disk>,
    log: Log,
}

impl RecordingDisk {
    /// Records what is done to `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Disk>) -> Self {
        Self { inner, log: Log::default() }
    }

    /// The changes so far.
    #[must_use]
    pub fn boundaries(&self) -> Vec<Boundary> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn wrap(&self, name: &str, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        Box::new(RecordingFile { inner: file, name: name.to_owned(), log: self.log.clone() })
    }
}

fn record<T>(log: &Log, operation: Operation, name: &str, bytes: u64, result: io::Result<T>) -> io::Result<T> {
    let boundary = Boundary { operation, name: name.to_owned(), bytes, done: result.is_ok() };
    log.lock().unwrap_or_else(PoisonError::into_inner).push(boundary);
    result
}

impl Disk for RecordingDisk {
    fn create(&self, name: &str, len: u64, mode: Mode) -> io::Result<Box<dyn DiskFile>> {
        let file = self.inner.create(name, len, mode);
        record(&self.log, Operation::Create, name, len, file).map(|file| self.wrap(name, file))
    }

    fn open(&self, name: &str, mode: Mode) -> io::Result<Box<dyn DiskFile>> {
        self.inner.open(name, mode).map(|file| self.wrap(name, file))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        record(&self.log, Operation::Rename, to, 0, self.inner.rename(from, to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        record(&self.log, Operation::Remove, name, 0, self.inner.remove(name))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.inner.list()
    }

    fn sync_dir(&self) -> io::Result<()> {
        record(&self.log, Operation::SyncDir, "", 0, self.inner.sync_dir())
    }

    fn lock(&self, name: &str) -> Result<Box<dyn DiskLock>, LockError> {
        self.inner.lock(name)
    }
}

struct RecordingFile {
    inner: Box<dyn DiskFile>,
    name: String,
    log: Log,
}

impl DiskFile for RecordingFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.inner.read_at(offset, buf)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let result = self.inner.write_at(offset, bytes);
        record(&self.log, Operation::Write, &self.name, bytes.len() as u64, result)
    }

    fn sync(&self) -> io::Result<()> {
        record(&self.log, Operation::Sync, &self.name, 0, self.inner.sync())
    }

    fn size(&self) -> io::Result<u64> {
        self.inner.size()
    }
}
