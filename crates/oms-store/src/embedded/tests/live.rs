//! One writer, and readers beside it.

use std::io;
use std::process::Command;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use super::{TempDir, small};
use crate::conformance::{append, group, read_all};
use crate::disk::{Disk, DiskFile, DiskLock, LockError, Mode, SimDisk};
use crate::embedded::verify::verify;
use crate::embedded::{Config, EmbeddedJournal};
use crate::error::JournalError;
use crate::journal::Journal;

#[test]
fn a_second_writer_is_refused() {
    let dir = TempDir::new();
    let first = EmbeddedJournal::open_dir(&dir.0, small()).unwrap();
    let second = EmbeddedJournal::open_dir(&dir.0, small()).map(drop);
    let Err(error) = second else { panic!("two writers") };
    assert!(matches!(error, JournalError::Locked { pid: Some(pid) } if pid == std::process::id()));
    assert!(error.to_string().contains(&std::process::id().to_string()));
    drop(first);
    EmbeddedJournal::open_dir(&dir.0, small()).unwrap();
}

/// The lock ends with its process, however that ends: a stale file does not hold it.
#[test]
fn a_stale_lock_file_does_not_hold() {
    let dir = TempDir::new();
    drop(EmbeddedJournal::open_dir(&dir.0, small()).unwrap());
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    std::fs::write(dir.0.join("LOCK"), format!("{}\n", child.id())).unwrap();
    EmbeddedJournal::open_dir(&dir.0, small()).unwrap();
}

type Gates = Arc<Mutex<Option<(SyncSender<()>, Receiver<()>)>>>;

/// Holds every write until it is let through.
struct Gate {
    inner: SimDisk,
    gates: Gates,
}

struct GateFile {
    inner: Box<dyn DiskFile>,
    gates: Gates,
}

impl Gate {
    fn wrap(&self, inner: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        Box::new(GateFile { inner, gates: self.gates.clone() })
    }
}

impl Disk for Gate {
    fn create(&self, name: &str, len: u64, mode: Mode) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.wrap(self.inner.create(name, len, mode)?))
    }
    fn open(&self, name: &str, mode: Mode) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.wrap(self.inner.open(name, mode)?))
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.inner.rename(from, to)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.inner.remove(name)
    }
    fn list(&self) -> io::Result<Vec<String>> {
        self.inner.list()
    }
    fn sync_dir(&self) -> io::Result<()> {
        self.inner.sync_dir()
    }
    fn lock(&self, name: &str) -> Result<Box<dyn DiskLock>, LockError> {
        self.inner.lock(name)
    }
}

impl DiskFile for GateFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.inner.read_at(offset, buf)
    }
    /// The bytes are there to be read before the write is durable, as in a page cache.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let result = self.inner.write_at(offset, bytes);
        if let Some((reached, go)) = self.gates.lock().unwrap().as_ref() {
            reached.send(()).unwrap();
            go.recv().unwrap();
        }
        result
    }
    fn sync(&self) -> io::Result<()> {
        self.inner.sync()
    }
    fn size(&self) -> io::Result<u64> {
        self.inner.size()
    }
}

#[test]
fn nothing_is_visible_before_it_is_durable() {
    let gates = Arc::new(Mutex::new(None));
    let disk = Gate { inner: SimDisk::new(1), gates: gates.clone() };
    let mut journal = EmbeddedJournal::open(Arc::new(disk), small()).unwrap();
    let epoch = journal.claim().unwrap();
    let first = append(&mut journal, &[(1, 100)]);
    let tip = journal.tip();
    let mut reader = journal.reader();

    let (reached_tx, reached) = sync_channel(0);
    let (go, go_rx) = sync_channel(0);
    *gates.lock().unwrap() = Some((reached_tx, go_rx));
    let writer = std::thread::spawn(move || {
        let entries = group(tip, &[(2, 100), (1, 50)]);
        let refs: Vec<_> = entries.iter().map(crate::Entry::as_ref).collect();
        journal.append(epoch, &refs).unwrap();
        journal
    });
    reached.recv().unwrap();
    // The bytes are in the file, the write has not returned.
    assert_eq!(reader.tip(), tip);
    assert_eq!(read_all(reader.as_mut(), 1).unwrap(), first);
    assert_eq!(read_all(reader.as_mut(), 2).unwrap(), []);
    assert!(matches!(read_all(reader.as_mut(), 3), Err(JournalError::BeyondTip { asked: 3, last: 1 })));
    go.send(()).unwrap();
    let journal = writer.join().unwrap();
    assert_eq!(journal.tip().last_seq, 4);
    assert_eq!(read_all(reader.as_mut(), 2).unwrap().len(), 2);
}

/// Verifying a log while it grows, over many segments, finds no damage and only whole groups.
#[test]
fn a_live_log_verifies() {
    let dir = TempDir::new();
    let config = Config { prepare_ahead: true, segment_bytes: 32 << 10, ..small() };
    let mut journal = EmbeddedJournal::open_dir(&dir.0, config).unwrap();
    journal.claim().unwrap();
    append(&mut journal, &[(1, 100)]);
    let path = dir.0.clone();
    let (done, finished) = std::sync::mpsc::channel::<()>();
    let checker = std::thread::spawn(move || {
        let (mut rounds, mut last) = (0, 0);
        loop {
            let last_round = finished.try_recv().is_ok();
            let report = verify(&path).unwrap();
            assert_eq!(report.damage, None);
            assert!(last <= report.last_seq);
            // Groups hold 1, then 3 events.
            assert_eq!(report.last_seq % 3, 1);
            last = report.last_seq;
            rounds += 1;
            if last_round {
                return (rounds, last);
            }
        }
    });
    for round in 0..600 {
        append(&mut journal, &[(1, 200 + round), (2, 700)]);
    }
    done.send(()).unwrap();
    let (rounds, last) = checker.join().unwrap();
    assert!(1 < rounds);
    assert_eq!(last, journal.tip().last_seq);
}

/// What an earlier process left unfinished is removed.
#[test]
fn unfinished_files_are_removed() {
    let dir = TempDir::new();
    let config = Config { prepare_ahead: true, ..small() };
    for round in 0..4 {
        let mut journal = EmbeddedJournal::open_dir(&dir.0, config.clone()).unwrap();
        journal.claim().unwrap();
        append(&mut journal, &[(1, 900), (1, 900 + round)]);
        drop(journal);
        std::fs::write(dir.0.join("repair.tmp"), b"half").unwrap();
        std::fs::write(dir.0.join("snapshot.tmp"), b"half").unwrap();
    }
    drop(EmbeddedJournal::open_dir(&dir.0, small()).unwrap());
    let left = std::fs::read_dir(&dir.0).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().ends_with(".tmp")
    });
    assert_eq!(left.count(), 0);
}

/// The device refuses to prepare a segment: the log stops when it needs it, and not before.
#[test]
fn a_failed_preparation_stops_the_log_when_it_is_needed() {
    let disk = SimDisk::new(1);
    let config = Config { prepare_ahead: true, ..small() };
    let mut journal = EmbeddedJournal::open(Arc::new(disk.clone()), config.clone()).unwrap();
    let epoch = journal.claim().unwrap();
    // The name is taken, so the file cannot be made.
    disk.put("prepared.tmp", b"in the way");
    let expected = append(&mut journal, &[(1, 1000), (1, 1000)]);
    let next = group(journal.tip(), &[(1, 2000)]);
    let failed = journal.append(epoch, &[next[0].as_ref()]);
    let stopped = matches!(failed, Err(JournalError::Failed { during: "starting a segment", .. }));
    assert!(stopped, "{failed:?}");
    assert!(matches!(journal.claim(), Err(JournalError::Failed { .. })));
    drop(journal);
    let mut journal = EmbeddedJournal::open(Arc::new(disk), config).unwrap();
    assert_eq!(read_all(journal.reader().as_mut(), 1).unwrap(), expected);
    journal.claim().unwrap();
    append(&mut journal, &[(1, 2000)]);
}
