//! The file system.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, FlockOperation};

use super::{Disk, DiskFile, DiskLock, LockError, Mode};

/// Data-only synchronous writes. `rustix` maps its `DSYNC` to `O_SYNC`, which also commits the
/// file's times with every write, so the kernel's own value stands here.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))]
const O_DSYNC: i32 = 0o10000;

/// Zeros are written and synced in steps, so that preparing a file does not fill the device's
/// queue in front of somebody's commit: it waits for one step at most.
const ZERO_STEP: usize = 256 << 10;

/// One directory of the file system.
#[derive(Clone, Debug)]
pub struct RealDisk {
    dir: PathBuf,
}

impl RealDisk {
    /// Uses `dir`, making it (durably) if it is not there.
    ///
    /// # Errors
    /// The directory can be neither found nor made.
    pub fn create_dir(dir: &Path) -> io::Result<Self> {
        let mut missing: Vec<&Path> = Vec::new();
        let mut at = Some(dir);
        while let Some(path) = at.filter(|path| !path.as_os_str().is_empty() && !path.exists()) {
            missing.push(path);
            at = path.parent();
        }
        std::fs::create_dir_all(dir)?;
        for path in missing {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            File::open(parent.unwrap_or_else(|| Path::new(".")))?.sync_all()?;
        }
        Self::existing(dir)
    }

    /// Uses `dir`, which must be there.
    ///
    /// # Errors
    /// It is not a directory.
    pub fn existing(dir: &Path) -> io::Result<Self> {
        if !std::fs::metadata(dir)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self { dir: dir.to_owned() })
    }

    fn path(&self, name: &str) -> io::Result<PathBuf> {
        let plain = !name.is_empty() && !name.contains('/') && name != "." && name != "..";
        if plain { Ok(self.dir.join(name)) } else { Err(io::ErrorKind::InvalidFilename.into()) }
    }
}

impl Disk for RealDisk {
    fn create(&self, name: &str, len: u64, mode: Mode) -> io::Result<Box<dyn DiskFile>> {
        self.create_paced(name, len, mode, &|_| Ok(()))
    }

    fn create_paced(&self, name: &str, len: u64, mode: Mode, pace: &dyn Fn(u64) -> io::Result<()>) -> io::Result<Box<dyn DiskFile>> {
        let path = self.path(name)?;
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        if 0 < len {
            // Allocating first keeps the file in few pieces and finds a full device early. Where
            // it is not offered the zeros below do it alone.
            match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, len) {
                Ok(()) | Err(rustix::io::Errno::OPNOTSUPP) => (),
                Err(error) => return Err(error.into()),
            }
        }
        let zeros = vec![0; ZERO_STEP.min(usize::try_from(len).unwrap_or(ZERO_STEP))];
        let mut at = 0;
        while at < len {
            pace(at)?;
            let step = zeros.len().min(usize::try_from(len - at).unwrap_or(zeros.len()));
            file.write_all_at(&zeros[..step], at)?;
            file.sync_data()?;
            at += step as u64;
        }
        file.sync_all()?;
        drop(file);
        self.open(name, mode)
    }

    fn open(&self, name: &str, mode: Mode) -> io::Result<Box<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(mode != Mode::Read);
        if mode == Mode::Durable {
            options.custom_flags(O_DSYNC);
        }
        Ok(Box::new(RealFile(options.open(self.path(name)?)?)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.path(from)?, self.path(to)?)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.path(name)?)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.dir)? {
            // A name that is not UTF-8 is none of ours.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn sync_dir(&self) -> io::Result<()> {
        File::open(&self.dir)?.sync_all()
    }

    fn lock(&self, name: &str) -> Result<Box<dyn DiskLock>, LockError> {
        let path = self.path(name)?;
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => (),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut text = String::new();
                file.read_to_string(&mut text)?;
                return Err(LockError::Held { pid: text.trim().parse().ok() });
            }
            Err(error) => return Err(LockError::Io(error.into())),
        }
        file.set_len(0)?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Box::new(RealLock { _file: file }))
    }
}

struct RealFile(File);

impl DiskFile for RealFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buf.len() {
            match self.0.read_at(&mut buf[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        // Never continued or repeated: after a failed synchronous write the kernel may hold pages
        // as clean that never reached the device.
        let written = self.0.write_at(bytes, offset)?;
        if written == bytes.len() {
            return Ok(());
        }
        let message = format!("short write: {written} of {} bytes", bytes.len());
        Err(io::Error::new(io::ErrorKind::WriteZero, message))
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}

/// The open description holds the lock; closing it frees it.
struct RealLock {
    _file: File,
}

impl DiskLock for RealLock {}
