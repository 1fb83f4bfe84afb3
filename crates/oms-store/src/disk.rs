//! The files a log is made of, by name, in one directory.
//!
//! - [`RealDisk`] is the file system, [`SimDisk`] one that loses what was not synced and fails on
//!   demand, [`RecordingDisk`] lists every boundary at which a crash can fall.
//! - A name is durable only after [`Disk::sync_dir`]; bytes are durable after a write in
//!   [`Mode::Durable`] or after [`DiskFile::sync`]. Nothing else is promised.

mod real;
mod recording;
mod sim;
#[cfg(test)]
mod tests;

use std::io;

pub use real::RealDisk;
pub use recording::{Boundary, Operation, RecordingDisk};
pub use sim::{Fault, SimDisk};

/// How a file is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Only read.
    Read,
    /// Every write returns only when its bytes are durable (`O_DSYNC`).
    Durable,
    /// Writes are durable after [`DiskFile::sync`].
    Buffered,
}

/// A directory of files. Object-safe, shared between threads.
pub trait Disk: Send + Sync {
    /// Makes a new file of `len` zero bytes; the bytes are allocated, written and durable on
    /// return, the name is not. Overwriting them later needs no change of metadata.
    ///
    /// # Errors
    /// The name exists, or the device refuses.
    fn create(&self, name: &str, len: u64, mode: Mode) -> io::Result<Box<dyn DiskFile>>;

    /// [`Disk::create`] in steps, where the device works in steps: `pace` is told before each how many bytes there are, and
    /// may take its time, so that others find the device free in between. Its error gives the file up, unfinished.
    ///
    /// # Errors
    /// As [`Disk::create`], and what `pace` refuses.
    fn create_paced(&self, name: &str, len: u64, mode: Mode, pace: &dyn Fn(u64) -> io::Result<()>) -> io::Result<Box<dyn DiskFile>> {
        pace(0)?;
        self.create(name, len, mode)
    }

    /// Opens a file that exists.
    ///
    /// # Errors
    /// It does not exist, or the device refuses.
    fn open(&self, name: &str, mode: Mode) -> io::Result<Box<dyn DiskFile>>;

    /// Renames atomically, replacing `to`. Durable after [`Disk::sync_dir`].
    ///
    /// # Errors
    /// `from` does not exist, or the device refuses.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a name. Durable after [`Disk::sync_dir`].
    ///
    /// # Errors
    /// It does not exist, or the device refuses.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// The names, in order.
    ///
    /// # Errors
    /// The device refuses.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Makes all names durable.
    ///
    /// # Errors
    /// The device refuses.
    fn sync_dir(&self) -> io::Result<()>;

    /// Takes the lock of one writer on the file `name`, until the result is dropped or the process
    /// ends. Does not wait.
    ///
    /// # Errors
    /// [`LockError`].
    fn lock(&self, name: &str) -> Result<Box<dyn DiskLock>, LockError>;
}

/// An open file.
pub trait DiskFile: Send + Sync {
    /// Fills `buf` from `offset`; returns fewer bytes only at the end of the file.
    ///
    /// # Errors
    /// The device refuses.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;

    /// Writes all of `bytes` at `offset`, in one operation. A short write is an error.
    ///
    /// # Errors
    /// The device refuses; any part of the bytes may then be there, now or after a crash.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes all bytes durable.
    ///
    /// # Errors
    /// The device refuses; bytes written before may be lost for good, so it is never repeated.
    fn sync(&self) -> io::Result<()>;

    /// Bytes in the file.
    ///
    /// # Errors
    /// The device refuses.
    fn size(&self) -> io::Result<u64>;
}

/// A held lock; dropping it frees it.
pub trait DiskLock: Send {}

/// Why a lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody holds it.
    #[error("held by process {pid:?}")]
    Held {
        /// The holder, if it is known.
        pid: Option<u32>,
    },
    /// The device refuses.
    #[error(transparent)]
    Io(#[from] io::Error),
}
