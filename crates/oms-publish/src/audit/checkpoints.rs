//! The file of signed checkpoints.

use super::AuditError;
use oms_audit::checkpoint::MAX_NOTE;
use oms_audit::{Checkpoint, VerifierKey, write_note};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a checkpoint stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    offset: u64,
    len: usize,
}

/// See the module.
#[derive(Clone)]
pub struct Checkpoints {
    path: PathBuf,
    file: Arc<File>,
    end: u64,
    places: Vec<Place>,
    last: Option<Checkpoint>,
}

impl Checkpoints {
    /// Opens the file to append to it; what was not finished at its end is taken off.
    ///
    /// # Errors
    /// [`AuditError::File`]; [`AuditError::Note`] where its last checkpoint is not one by `key`.
    pub fn open(dir: &Path, key: &VerifierKey) -> Result<Self, AuditError> {
        let path = dir.join("checkpoints");
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(&path).map_err(AuditError::file(&path))?;
        let found = Self::of(path, file, key)?;
        let failed = AuditError::file(&found.path);
        let len = found.file.metadata().map_err(&failed)?.len();
        if found.end < len {
            tracing::warn!(bytes = len - found.end, "a checkpoint was not finished; it is made again");
            found.file.set_len(found.end).and_then(|()| found.file.sync_all()).map_err(&failed)?;
        }
        Ok(found)
    }

    /// Opens the file to read it; the process that appends to it may be running.
    ///
    /// # Errors
    /// As [`Checkpoints::open`].
    pub fn read(dir: &Path, key: &VerifierKey) -> Result<Self, AuditError> {
        let path = dir.join("checkpoints");
        let file = File::open(&path).map_err(AuditError::file(&path))?;
        Self::of(path, file, key)
    }

    fn of(path: PathBuf, file: File, key: &VerifierKey) -> Result<Self, AuditError> {
        let (places, end) = frames(&file, 0).map_err(AuditError::file(&path))?;
        let mut found = Self { path, file: Arc::new(file), end, places, last: None };
        found.last = found.newest(key)?;
        Ok(found)
    }

    fn newest(&self, key: &VerifierKey) -> Result<Option<Checkpoint>, AuditError> {
        let Some(place) = self.places.last() else { return Ok(None) };
        Checkpoint::open(&self.note(*place)?, key).map(Some).map_err(AuditError::note(&self.path))
    }

    /// The same with what was appended since; only that is read.
    ///
    /// # Errors
    /// As [`Checkpoints::open`].
    pub fn grown(self: &Arc<Self>, key: &VerifierKey) -> Result<Arc<Self>, AuditError> {
        let (more, end) = frames(&self.file, self.end).map_err(AuditError::file(&self.path))?;
        if more.is_empty() {
            return Ok(Arc::clone(self));
        }
        let mut grown = Self::clone(self);
        grown.places.extend(more);
        grown.end = end;
        grown.last = grown.newest(key)?;
        Ok(Arc::new(grown))
    }

    /// The newest.
    #[must_use]
    pub fn last(&self) -> Option<&Checkpoint> {
        self.last.as_ref()
    }

    /// Where each stands, the oldest first.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// A signed checkpoint.
    ///
    /// # Errors
    /// [`AuditError::File`].
    pub fn note(&self, place: Place) -> Result<String, AuditError> {
        let failed = AuditError::file(&self.path);
        let mut bytes = vec![0; place.len];
        self.file.read_exact_at(&mut bytes, place.offset).map_err(&failed)?;
        String::from_utf8(bytes).map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidData, error)))
    }

    /// Appends one, durably.
    ///
    /// # Errors
    /// [`AuditError::File`]: nothing may be appended after it.
    ///
    /// # Panics
    /// Where it is not of more records than the last: that would be a second root for a size.
    pub fn append(&mut self, checkpoint: Checkpoint, note: &str) -> Result<(), AuditError> {
        assert!(self.last.as_ref().map_or(0, |last| last.size) < checkpoint.size, "one root is signed for a size");
        let mut frame = Vec::with_capacity(note.len() + 16);
        // Writing to memory does not fail.
        let _written = write_note(&mut frame, note);
        let failed = AuditError::file(&self.path);
        self.file.write_all_at(&frame, self.end).and_then(|()| self.file.sync_all()).map_err(failed)?;
        self.end += frame.len() as u64;
        self.places.push(Place { offset: self.end - note.len() as u64, len: note.len() });
        self.last = Some(checkpoint);
        Ok(())
    }
}

/// A file from an offset on; others may read it at the same time.
struct Onward<'f> {
    file: &'f File,
    offset: u64,
}

impl Read for Onward<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(bytes, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

/// Where the whole frames of a file stand from an offset on, and where the last of them ends.
fn frames(file: &File, from: u64) -> io::Result<(Vec<Place>, u64)> {
    let mut reader = BufReader::with_capacity(64 << 10, Onward { file, offset: from });
    let (mut places, mut end) = (Vec::new(), from);
    let mut line = Vec::new();
    let mut note = Vec::new();
    loop {
        line.clear();
        reader.by_ref().take(16).read_until(b'\n', &mut line)?;
        let text = std::str::from_utf8(&line).ok();
        let len = text.and_then(|text| text.strip_prefix("note ")?.strip_suffix('\n')?.parse::<usize>().ok());
        let Some(len) = len.filter(|len| *len <= MAX_NOTE) else { return Ok((places, end)) };
        note.clear();
        reader.by_ref().take(len as u64).read_to_end(&mut note)?;
        // A frame whose bytes never reached the disk has its length and not its end.
        if note.len() < len || note.last() != Some(&b'\n') {
            return Ok((places, end));
        }
        let offset = end + line.len() as u64;
        places.push(Place { offset, len });
        end = offset + len as u64;
    }
}
