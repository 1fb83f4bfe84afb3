//! Makes the next segment's file ahead of its use, so that starting a segment does not wait for
//! zeros to be written. At most one file is ahead.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::disk::{Disk, DiskFile, Mode};

/// The name of a prepared file until it becomes a segment.
pub(crate) const NAME: &str = "prepared.tmp";

type Prepared = io::Result<Box<dyn DiskFile>>;

pub(crate) struct Preparer {
    request: Option<SyncSender<()>>,
    ready: Receiver<Prepared>,
    asked: bool,
    thread: Option<JoinHandle<()>>,
}

impl Preparer {
    /// Starts the thread; each request makes one file of `len` bytes.
    pub fn start(disk: Arc<dyn Disk>, len: u64) -> io::Result<Self> {
        let (request, requests) = sync_channel(1);
        let (done, ready) = sync_channel(1);
        let work = move || {
            while requests.recv().is_ok() {
                if done.send(disk.create(NAME, len, Mode::Durable)).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("journal-prepare".to_owned()).spawn(work)?;
        Ok(Self { request: Some(request), ready, asked: false, thread: Some(thread) })
    }

    /// Asks for the next file, unless one is asked for already.
    pub fn ask(&mut self) {
        if !self.asked {
            self.asked = self.request.as_ref().is_some_and(|request| request.try_send(()).is_ok());
        }
    }

    /// The file that was asked for, waiting for it; `None` if none was.
    pub fn take(&mut self) -> Option<Prepared> {
        if !std::mem::take(&mut self.asked) {
            return None;
        }
        Some(self.ready.recv().unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into())))
    }
}

impl Drop for Preparer {
    fn drop(&mut self) {
        // The thread must be gone before the lock of the log is: the next owner removes its file.
        self.request = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported on its own.
            let _ = thread.join();
        }
    }
}
