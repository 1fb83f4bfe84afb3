//! The mark beside the views: written without being synced, and since which start of the system.
//!
//! The views are written at the system's leisure, because a sync of theirs would hold up the log's own on the same disk.
//! What was written outlives the process, but not the system: after a power loss the file may be any mixture. So it is
//! marked, durably and before its first such write, with the start ("boot") of the system under which it is written:
//!
//! - no mark: the file was synced when it was closed, or never written;
//! - the mark of this boot: every write of it is still in the system's memory or on the disk;
//! - anything else: the system went down in between, or the disk refused a write. The file is made again from the log.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Where Linux tells one boot from the next.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// The mark of a file that the disk failed to take; no boot is called so.
const REFUSED: &str = "refused by the disk";

/// The boot of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Boot(String);

impl Boot {
    /// The one that runs; `None` where the system does not tell. Nothing is written without syncs there.
    pub(super) fn current() -> Option<Self> {
        let id = fs::read_to_string(BOOT_ID).ok()?;
        Some(Self(id.trim().to_owned())).filter(|boot| !boot.0.is_empty())
    }

    #[cfg(test)]
    pub(super) fn named(name: &str) -> Self {
        Self(name.to_owned())
    }
}

/// How a file was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// As it is on the disk.
    Synced,
    /// Not synced, but under the boot that still runs.
    ThisBoot,
    /// Not synced, and what of it reached the disk is not known.
    Unknown,
}

/// The mark of the views at one path.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    views: PathBuf,
    path: PathBuf,
}

impl Mark {
    pub(super) fn of(views: &Path) -> Self {
        let mut name = OsString::from(views);
        name.push("-unsynced");
        Self { views: views.to_owned(), path: name.into() }
    }

    /// How the views were left, as seen under `boot`.
    pub(super) fn left(&self, boot: Option<&Boot>) -> io::Result<Left> {
        match fs::read(&self.path) {
            Ok(mark) if boot.is_some_and(|boot| mark == boot.0.as_bytes()) => Ok(Left::ThisBoot),
            // A mark that was itself torn stands for a boot that is over.
            Ok(_) => Ok(Left::Unknown),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Left::Synced),
            Err(error) => Err(error),
        }
    }

    /// From here on the views are written without syncs. Durable when it returns.
    pub(super) fn set(&self, boot: &Boot) -> io::Result<()> {
        self.write(&boot.0)
    }

    /// Syncs those of the views' files that are there, and which there are. Where the disk refuses, the mark says so from
    /// then on: the system tells of a lost write once, and may have dropped it by now.
    pub(super) fn sync(&self, files: &[PathBuf]) -> io::Result<()> {
        let synced = files.iter().try_for_each(|file| match File::open(file) {
            Ok(file) => file.sync_all(),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        });
        if let Err(error) = synced.and_then(|()| self.sync_folder()) {
            self.write(REFUSED)?;
            return Err(error);
        }
        Ok(())
    }

    /// Takes the mark away. What it was about has to be synced.
    pub(super) fn clear(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            removed => removed?,
        }
        self.sync_folder()
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let mut file = File::create(&self.path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        self.sync_folder()
    }

    fn sync_folder(&self) -> io::Result<()> {
        let folder = self.views.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Scratch;
    use super::*;

    #[test]
    fn only_the_mark_of_the_boot_that_runs_vouches_for_the_views() {
        let scratch = Scratch::new();
        let (first, second) = (Boot::named("first"), Boot::named("second"));
        let mark = Mark::of(&scratch.file("views"));
        assert_eq!(mark.left(Some(&first)).unwrap(), Left::Synced);
        mark.set(&first).unwrap();
        assert_eq!(mark.left(Some(&first)).unwrap(), Left::ThisBoot);
        assert_eq!(mark.left(Some(&second)).unwrap(), Left::Unknown);
        assert_eq!(mark.left(None).unwrap(), Left::Unknown, "a system that does not tell its boots vouches for nothing");
        fs::write(scratch.file("views-unsynced"), "fir").unwrap();
        assert_eq!(mark.left(Some(&first)).unwrap(), Left::Unknown, "torn");
        mark.sync(&[scratch.file("views")]).unwrap();
        mark.clear().unwrap();
        assert_eq!(mark.left(Some(&second)).unwrap(), Left::Synced);
    }

    #[test]
    fn views_that_the_disk_refused_are_not_vouched_for() {
        let scratch = Scratch::new();
        let boot = Boot::named("first");
        let mark = Mark::of(&scratch.file("views"));
        mark.set(&boot).unwrap();
        // What cannot be opened cannot be synced either: its folder is a file.
        fs::write(scratch.file("plain"), "").unwrap();
        assert!(mark.sync(&[scratch.file("plain").join("views")]).is_err());
        assert_eq!(mark.left(Some(&boot)).unwrap(), Left::Unknown);
    }

    #[test]
    fn the_system_tells_its_boot() {
        assert_eq!(Boot::current(), Boot::current());
        assert_eq!(Boot::current().is_some(), Path::new(BOOT_ID).exists());
    }
}
