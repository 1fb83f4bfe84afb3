//! A log's folder as it was at one moment, to be read and never written.
//!
//! Opening a log repairs its torn end. Here that happens in memory: what is written lies in pages above the files,
//! and is gone with the process. No lock is taken, so that a desk may be running on the folder.

use oms_store::disk::{Disk, DiskFile, DiskLock, LockError, Mode, RealDisk};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of a page.
const PAGE: u64 = 4_096;

/// See the module.
pub struct FrozenDisk {
    files: Mutex<BTreeMap<String, FrozenFile>>,
}

#[derive(Clone)]
struct FrozenFile {
    layer: Arc<Mutex<Layer>>,
}

/// A file and what was written over it.
struct Layer {
    below: Option<Box<dyn DiskFile>>,
    len: u64,
    pages: BTreeMap<u64, Vec<u8>>,
}

struct NoLock;

impl DiskLock for NoLock {}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn not_found(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, name.to_owned())
}

impl FrozenDisk {
    /// The folder as it is now.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn of(dir: &Path) -> io::Result<Self> {
        let real = RealDisk::existing(dir)?;
        let mut files = BTreeMap::new();
        for name in real.list()? {
            match real.open(&name, Mode::Read) {
                Ok(below) => {
                    let len = below.size()?;
                    files.insert(name, FrozenFile::new(Some(below), len));
                }
                // It was removed a moment ago: an unfinished file, or an old snapshot.
                Err(error) if error.kind() == io::ErrorKind::NotFound => (),
                Err(error) => return Err(error),
            }
        }
        // Without this an empty folder would be opened as a new log.
        if files.keys().any(|name| name.starts_with("segment-")) {
            Ok(Self { files: Mutex::new(files) })
        } else {
            Err(not_found("no segment"))
        }
    }
}

impl Disk for FrozenDisk {
    fn create(&self, name: &str, len: u64, _mode: Mode) -> io::Result<Box<dyn DiskFile>> {
        let mut files = locked(&self.files);
        if files.contains_key(name) {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, name.to_owned()));
        }
        let file = FrozenFile::new(None, len);
        files.insert(name.to_owned(), file.clone());
        Ok(Box::new(file))
    }

    fn open(&self, name: &str, _mode: Mode) -> io::Result<Box<dyn DiskFile>> {
        locked(&self.files).get(name).cloned().map(|file| Box::new(file) as Box<dyn DiskFile>).ok_or_else(|| not_found(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut files = locked(&self.files);
        let file = files.remove(from).ok_or_else(|| not_found(from))?;
        files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        locked(&self.files).remove(name).map(drop).ok_or_else(|| not_found(name))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(locked(&self.files).keys().cloned().collect())
    }

    fn sync_dir(&self) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, _name: &str) -> Result<Box<dyn DiskLock>, LockError> {
        Ok(Box::new(NoLock))
    }
}

impl FrozenFile {
    fn new(below: Option<Box<dyn DiskFile>>, len: u64) -> Self {
        Self { layer: Arc::new(Mutex::new(Layer { below, len, pages: BTreeMap::new() })) }
    }
}

impl Layer {
    /// The page with this number: as it was written, else as it lies below.
    fn page(&self, number: u64) -> io::Result<Vec<u8>> {
        if let Some(page) = self.pages.get(&number) {
            return Ok(page.clone());
        }
        let mut page = vec![0; usize::try_from(PAGE).unwrap_or(4_096)];
        if let Some(below) = &self.below {
            below.read_at(number * PAGE, &mut page)?;
        }
        Ok(page)
    }

    fn read(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let wanted = buf.len().min(usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX));
        let Some(buf) = buf.get_mut(..wanted) else { return Ok(0) };
        let read = match &self.below {
            Some(below) => below.read_at(offset, buf)?,
            None => 0,
        };
        if let Some(rest) = buf.get_mut(read..) {
            rest.fill(0);
        }
        let end = offset + wanted as u64;
        for (&number, page) in self.pages.range(offset / PAGE..end.div_ceil(PAGE)) {
            lay(page, number * PAGE, buf, offset);
        }
        Ok(wanted)
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let end = offset + bytes.len() as u64;
        for number in offset / PAGE..end.div_ceil(PAGE) {
            let mut page = self.page(number)?;
            lay(bytes, offset, &mut page, number * PAGE);
            self.pages.insert(number, page);
        }
        self.len = self.len.max(end);
        Ok(())
    }
}

/// Copies what `over`, which begins at `over_at`, has of the range of `under`, which begins at `under_at`.
fn lay(over: &[u8], over_at: u64, under: &mut [u8], under_at: u64) {
    let start = over_at.max(under_at);
    let end = (over_at + over.len() as u64).min(under_at + under.len() as u64);
    let len = usize::try_from(end.saturating_sub(start)).unwrap_or(0);
    let part = |at: u64| usize::try_from(start.saturating_sub(at)).unwrap_or(usize::MAX);
    let from = over.get(part(over_at)..).and_then(|over| over.get(..len));
    let to = under.get_mut(part(under_at)..).and_then(|under| under.get_mut(..len));
    if let (Some(from), Some(to)) = (from, to) {
        to.copy_from_slice(from);
    }
}

impl DiskFile for FrozenFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        locked(&self.layer).read(offset, buf)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        locked(&self.layer).write(offset, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(locked(&self.layer).len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_written_is_read_and_the_folder_stays_as_it_was() {
        let dir = std::env::temp_dir().join(format!("oms-frozen-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let below: Vec<u8> = (0..10_000_u32).map(|n| n as u8).collect();
        fs::write(dir.join("segment-1.log"), &below).unwrap();
        let disk = FrozenDisk::of(&dir).unwrap();
        let file = disk.open("segment-1.log", Mode::Durable).unwrap();
        let patch = vec![0xEE; 5_000];
        file.write_at(3_000, &patch).unwrap();
        let mut expected = below.clone();
        expected[3_000..8_000].copy_from_slice(&patch);
        let mut read = vec![0; 20_000];
        assert_eq!(file.read_at(0, &mut read).unwrap(), 10_000);
        assert_eq!(read[..10_000], expected);
        let mut part = [0; 100];
        assert_eq!(file.read_at(7_950, &mut part).unwrap(), 100);
        assert_eq!(part[..], expected[7_950..8_050]);
        let made = disk.create("new.tmp", 9_000, Mode::Durable).unwrap();
        made.write_at(8_990, &[1; 10]).unwrap();
        disk.rename("new.tmp", "segment-1.log").unwrap();
        let mut tail = [9; 20];
        assert_eq!(disk.open("segment-1.log", Mode::Read).unwrap().read_at(8_980, &mut tail).unwrap(), 20);
        assert_eq!((tail[..10].to_vec(), tail[10..].to_vec()), (vec![0; 10], vec![1; 10]));
        assert_eq!(fs::read(dir.join("segment-1.log")).unwrap(), below);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn an_empty_folder_is_no_log() {
        let dir = std::env::temp_dir().join(format!("oms-frozen-empty-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        assert_eq!(FrozenDisk::of(&dir).err().unwrap().kind(), io::ErrorKind::NotFound);
        fs::remove_dir_all(&dir).unwrap();
    }
}
