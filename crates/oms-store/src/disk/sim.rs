//! A disk in memory that lies within its contract, from a seed.
//!
//! - A crash loses unsynced sectors in any subset, and unsynced names from some point on.
//! - A write that a crash or an error interrupts leaves any subset of its sectors.
//! - After a failed sync the bytes read as written, and no later sync saves them.

mod state;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Disk, DiskFile, DiskLock, LockError, Mode};
use state::{DirOp, State};

/// What goes wrong in one operation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fault {
    /// The device fails: an interrupted write leaves any subset, a sync saves nothing.
    Eio,
    /// The device is full: nothing is done.
    Enospc,
    /// The first half of a write is done, unsynced, and reported as short.
    ShortWrite,
    /// The power fails in the operation. Everything fails from then on, until [`SimDisk::crash`].
    PowerLoss,
}

/// A simulated disk. A clone is another handle on the same disk.
#[derive(Clone, Debug)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

impl SimDisk {
    /// An empty disk whose every choice follows from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::of(State::new(seed))
    }

    fn of(state: State) -> Self {
        Self { state: Arc::new(Mutex::new(state)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An independent copy of the disk as it is, going on with another seed. Handles and the lock
    /// stay with the original.
    #[must_use]
    pub fn fork(&self, seed: u64) -> Self {
        Self::of(self.state().fork(seed))
    }

    /// From now on a crash may also tear a sector: a run of 16-byte pieces of it stays old.
    pub fn tear_sectors(&self, tear: bool) {
        self.state().tear = tear;
    }

    /// Operations that change the disk so far; the next one has this number.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Makes operation number `operation` fail.
    pub fn fail_at(&self, operation: u64, fault: Fault) {
        self.state().faults.insert(operation, fault);
    }

    /// Makes every operation from number `operation` on fail, until [`SimDisk::crash`] or
    /// [`SimDisk::kill`].
    pub fn fail_from(&self, operation: u64, fault: Fault) {
        self.state().fail_from = Some((operation, fault));
    }

    /// The power fails, and comes back: what was not synced is lost in any subset. Handles and the
    /// lock are gone.
    pub fn crash(&self) {
        self.state().crash();
    }

    /// The process is killed: everything it wrote is still to be read, durable or not. Handles and
    /// the lock are gone.
    pub fn kill(&self) {
        self.state().end_process();
    }

    /// Flips one bit of a file, durably. Returns whether there is such a byte.
    pub fn flip_bit(&self, name: &str, offset: u64, bit: u8) -> bool {
        let mut state = self.state();
        let Some(file) = state.file_mut(name) else {
            return false;
        };
        let Some(byte) = usize::try_from(offset).ok().and_then(|at| file.data.get_mut(at)) else {
            return false;
        };
        *byte ^= 1 << (bit % 8);
        true
    }

    /// The bytes of a file as they would be read now.
    #[must_use]
    pub fn contents(&self, name: &str) -> Option<Vec<u8>> {
        self.state().file_mut(name).map(|file| file.data.clone())
    }

    /// Puts a file there, durably, in place of what has that name.
    pub fn put(&self, name: &str, data: &[u8]) {
        let mut state = self.state();
        let inode = state.add_file(data.to_vec());
        state.names.insert(name.to_owned(), inode);
        state.durable_names.insert(name.to_owned(), inode);
    }

    /// Removes a file, durably.
    pub fn take(&self, name: &str) {
        let mut state = self.state();
        state.names.remove(name);
        state.durable_names.remove(name);
    }
}

fn full() -> io::Error {
    io::Error::from_raw_os_error(rustix::io::Errno::NOSPC.raw_os_error())
}

fn broken() -> io::Error {
    io::Error::from_raw_os_error(rustix::io::Errno::IO.raw_os_error())
}

/// The error of an operation that does nothing when it fails.
fn refuse(fault: Option<Fault>) -> io::Result<()> {
    match fault {
        None => Ok(()),
        Some(Fault::Enospc) => Err(full()),
        Some(Fault::Eio | Fault::ShortWrite | Fault::PowerLoss) => Err(broken()),
    }
}

impl Disk for SimDisk {
    fn create(&self, name: &str, len: u64, mode: Mode) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.state();
        let fault = state.begin()?;
        if state.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        // A failing create may leave an empty file behind, as the real one can.
        let left_behind = fault.is_some() && state.coin();
        if fault.is_none() || left_behind {
            let len = if fault.is_some() { 0 } else { len };
            let len = usize::try_from(len).map_err(|_| full())?;
            let inode = state.add_file(vec![0; len]);
            state.change_name(DirOp::Link { name: name.to_owned(), inode });
        }
        refuse(fault)?;
        drop(state);
        self.open(name, mode)
    }

    fn open(&self, name: &str, mode: Mode) -> io::Result<Box<dyn DiskFile>> {
        let state = self.state();
        state.alive(state.generation)?;
        let inode = *state.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        let generation = state.generation;
        drop(state);
        Ok(Box::new(SimFile { disk: self.clone(), inode, generation, mode }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        let fault = state.begin()?;
        if !state.names.contains_key(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        // The power may fail before or after the directory took the change.
        if fault.is_none() || (fault == Some(Fault::PowerLoss) && state.coin()) {
            state.change_name(DirOp::Rename { from: from.to_owned(), to: to.to_owned() });
        }
        refuse(fault)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        let fault = state.begin()?;
        if !state.names.contains_key(name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        if fault.is_none() || (fault == Some(Fault::PowerLoss) && state.coin()) {
            state.change_name(DirOp::Unlink { name: name.to_owned() });
        }
        refuse(fault)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let state = self.state();
        state.alive(state.generation)?;
        Ok(state.names.keys().cloned().collect())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut state = self.state();
        let fault = state.begin()?;
        if fault.is_none() {
            state.sync_names();
        }
        refuse(fault)
    }

    fn lock(&self, name: &str) -> Result<Box<dyn DiskLock>, LockError> {
        let mut state = self.state();
        state.alive(state.generation)?;
        if !state.locks.insert(name.to_owned()) {
            return Err(LockError::Held { pid: Some(std::process::id()) });
        }
        let generation = state.generation;
        drop(state);
        Ok(Box::new(SimLock { disk: self.clone(), name: name.to_owned(), generation }))
    }
}

struct SimFile {
    disk: SimDisk,
    inode: u64,
    generation: u64,
    mode: Mode,
}

impl DiskFile for SimFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let state = self.disk.state();
        state.alive(self.generation)?;
        let data = &state.files.get(&self.inode).ok_or_else(broken)?.data;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(data.len());
        let read = buf.len().min(data.len() - start);
        buf[..read].copy_from_slice(&data[start..start + read]);
        Ok(read)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.state();
        state.alive(self.generation)?;
        if self.mode == Mode::Read {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let start = usize::try_from(offset).map_err(|_| full())?;
        match state.begin()? {
            None => state.write(self.inode, start, bytes, self.mode == Mode::Durable),
            Some(Fault::Enospc) => Err(full()),
            Some(Fault::ShortWrite) => {
                let half = &bytes[..bytes.len() / 2];
                state.write(self.inode, start, half, false)?;
                Err(io::Error::new(io::ErrorKind::WriteZero, "short write"))
            }
            Some(fault @ (Fault::Eio | Fault::PowerLoss)) => {
                state.write(self.inode, start, bytes, false)?;
                if fault == Fault::Eio {
                    state.orphan(self.inode);
                }
                Err(broken())
            }
        }
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        state.alive(self.generation)?;
        let fault = state.begin()?;
        match fault {
            None => state.sync(self.inode),
            Some(Fault::Eio) => state.orphan(self.inode),
            Some(Fault::Enospc | Fault::ShortWrite | Fault::PowerLoss) => (),
        }
        refuse(fault)
    }

    fn size(&self) -> io::Result<u64> {
        let state = self.disk.state();
        state.alive(self.generation)?;
        Ok(state.files.get(&self.inode).ok_or_else(broken)?.data.len() as u64)
    }
}

struct SimLock {
    disk: SimDisk,
    name: String,
    generation: u64,
}

impl DiskLock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        // A lock of a process that ended is gone already; its name may be held by the next one.
        if state.generation == self.generation {
            state.locks.remove(&self.name);
        }
    }
}
