//! Makes the next segment's file ahead of its use, so that starting a segment does not wait for
//! zeros to be written. At most one file is ahead.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::disk::{Disk, DiskFile, Mode};

/// The name of a prepared file until it becomes a segment.
pub(crate) const NAME: &str = "prepared.tmp";

type Prepared = io::Result<Box<dyn DiskFile>>;

/// How far the file may be made.
#[derive(Default)]
struct Pace {
    allowed: Mutex<Allowed>,
    raised: Condvar,
}

#[derive(Default)]
struct Allowed {
    bytes: u64,
    given_up: bool,
}

impl Pace {
    /// Waits until the file may have more than `made` bytes.
    fn wait(&self, made: u64) -> io::Result<()> {
        let allowed = self.allowed.lock().unwrap_or_else(PoisonError::into_inner);
        let short = |allowed: &mut Allowed| allowed.bytes <= made && !allowed.given_up;
        let allowed = self.raised.wait_while(allowed, short).unwrap_or_else(PoisonError::into_inner);
        if allowed.given_up { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
    }

    fn change(&self, change: impl FnOnce(&mut Allowed)) {
        change(&mut self.allowed.lock().unwrap_or_else(PoisonError::into_inner));
        self.raised.notify_one();
    }
}

pub(crate) struct Preparer {
    request: Option<SyncSender<()>>,
    ready: Receiver<Prepared>,
    asked: bool,
    pace: Arc<Pace>,
    /// What the thread was allowed last; it is told of no less than a step more.
    allowed: u64,
    thread: Option<JoinHandle<()>>,
}

/// The thread is not woken for less.
const STEP: u64 = 64 << 10;

impl Preparer {
    /// Starts the thread; each request makes one file of `len` bytes.
    pub fn start(disk: Arc<dyn Disk>, len: u64) -> io::Result<Self> {
        let (request, requests) = sync_channel(1);
        let (done, ready) = sync_channel(1);
        let pace = Arc::new(Pace::default());
        let kept = pace.clone();
        let work = move || {
            while requests.recv().is_ok() {
                if done.send(disk.create_paced(NAME, len, Mode::Durable, &|made| kept.wait(made))).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("journal-prepare".to_owned()).spawn(work)?;
        Ok(Self { request: Some(request), ready, asked: false, pace, allowed: 0, thread: Some(thread) })
    }

    /// Asks for the next file, unless one is asked for already.
    pub fn ask(&mut self) {
        if !self.asked {
            self.allowed = 0;
            self.pace.change(|allowed| allowed.bytes = 0);
            self.asked = self.request.as_ref().is_some_and(|request| request.try_send(()).is_ok());
        }
    }

    /// Lets the file that is asked for have so many bytes, and a little more.
    pub fn allow(&mut self, bytes: u64) {
        if self.allowed == 0 || self.allowed.saturating_add(STEP) <= bytes {
            self.allowed = bytes;
            self.pace.change(|allowed| allowed.bytes = bytes);
        }
    }

    /// The file that was asked for, waiting for it; `None` if none was.
    pub fn take(&mut self) -> Option<Prepared> {
        if !std::mem::take(&mut self.asked) {
            return None;
        }
        self.pace.change(|allowed| allowed.bytes = u64::MAX);
        Some(self.ready.recv().unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into())))
    }
}

impl Drop for Preparer {
    fn drop(&mut self) {
        // The thread must be gone before the lock of the log is: the next owner removes its file.
        self.request = None;
        self.pace.change(|allowed| allowed.given_up = true);
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported on its own.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{NAME, Pace, Preparer};
    use crate::disk::{Disk, DiskFile, DiskLock, LockError, Mode, SimDisk};
    use std::io;
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    /// Works in steps of a byte, and says after each that it has made it.
    struct Stepping {
        inner: SimDisk,
        made: SyncSender<u64>,
    }

    impl Disk for Stepping {
        fn create(&self, name: &str, len: u64, mode: Mode) -> io::Result<Box<dyn DiskFile>> {
            self.inner.create(name, len, mode)
        }
        fn create_paced(&self, name: &str, len: u64, mode: Mode, pace: &dyn Fn(u64) -> io::Result<()>) -> io::Result<Box<dyn DiskFile>> {
            for at in 0..len {
                pace(at)?;
                self.made.send(at + 1).unwrap();
            }
            self.inner.create(name, len, mode)
        }
        fn open(&self, name: &str, mode: Mode) -> io::Result<Box<dyn DiskFile>> {
            self.inner.open(name, mode)
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

    const LEN: u64 = 8;

    fn stepping() -> (SimDisk, Preparer, Receiver<u64>) {
        let (made, seen) = sync_channel(LEN as usize);
        let inner = SimDisk::new(1);
        let disk = Arc::new(Stepping { inner: inner.clone(), made });
        (inner, Preparer::start(disk, LEN).unwrap(), seen)
    }

    #[test]
    fn a_file_is_made_as_far_as_it_is_allowed_and_whole_once_it_is_needed() {
        let (disk, mut preparer, seen) = stepping();
        preparer.ask();
        preparer.allow(3);
        assert_eq!([seen.recv(), seen.recv(), seen.recv()], [Ok(1), Ok(2), Ok(3)]);
        assert!(seen.try_recv().is_err(), "no further for now");
        assert_eq!(preparer.take().unwrap().unwrap().size().unwrap(), LEN);
        assert_eq!(seen.iter().take(5).collect::<Vec<_>>(), [4, 5, 6, 7, 8]);
        assert!(preparer.take().is_none(), "the next one was not asked for");
        disk.remove(NAME).unwrap();
        preparer.ask();
        preparer.allow(1);
        assert_eq!(seen.recv(), Ok(1), "the next one has a pace of its own");
        assert!(seen.try_recv().is_err());
    }

    #[test]
    fn a_file_that_nobody_will_need_is_given_up() {
        let (disk, mut preparer, seen) = stepping();
        preparer.ask();
        preparer.allow(2);
        assert_eq!([seen.recv(), seen.recv()], [Ok(1), Ok(2)]);
        drop(preparer);
        assert!(seen.recv().is_err(), "nothing more was made");
        assert!(disk.list().unwrap().is_empty());
    }

    #[test]
    fn what_is_allowed_is_not_waited_for() {
        let pace = Pace::default();
        pace.change(|allowed| allowed.bytes = 2);
        assert!(pace.wait(0).is_ok() && pace.wait(1).is_ok());
        pace.change(|allowed| allowed.given_up = true);
        assert_eq!(pace.wait(2).unwrap_err().kind(), io::ErrorKind::Interrupted);
    }
}
