//! The tree's hashes in files, so that a proof needs few of them and not the log.
//!
//! `tree/0` holds the leaves, `tree/8`, `tree/16` and so on every complete subtree of that level, 32 bytes each;
//! `tree/sequences` the first sequence of each record, 8 bytes each, little-endian.

use super::AuditError;
use oms_audit::Hash;
use oms_audit::merkle::{Frontier, Nodes};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Levels that are kept: what lies between them is worked out from at most 256 hashes.
const STEP: u32 = 8;
/// How many are kept; the last serves for everything above.
const KEPT: u32 = 5;
/// Bytes that wait to be written.
const BUFFERED: usize = 1 << 20;

/// A file that grows at its end.
struct Growing {
    path: PathBuf,
    file: File,
    len: u64,
    waiting: Vec<u8>,
}

impl Growing {
    fn open(path: PathBuf, write: bool) -> Result<Self, AuditError> {
        let mut options = OpenOptions::new();
        options.read(true).write(write).create(write).truncate(false);
        let file = options.open(&path).map_err(AuditError::file(&path))?;
        let len = file.metadata().map_err(AuditError::file(&path))?.len();
        Ok(Self { path, file, len, waiting: Vec::new() })
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), AuditError> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() < BUFFERED { Ok(()) } else { self.write() }
    }

    fn write(&mut self) -> Result<(), AuditError> {
        self.file.write_all_at(&self.waiting, self.len).map_err(AuditError::file(&self.path))?;
        self.len += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }

    fn sync(&mut self) -> Result<(), AuditError> {
        self.write()?;
        self.file.sync_data().map_err(AuditError::file(&self.path))
    }

    /// Takes off what is behind `len`; false where there is less.
    fn cut(&mut self, len: u64) -> Result<bool, AuditError> {
        self.waiting.clear();
        if self.len < len {
            return Ok(false);
        }
        self.file.set_len(len).map_err(AuditError::file(&self.path))?;
        self.len = len;
        Ok(true)
    }

    fn read(&self, at: u64, out: &mut [u8]) -> Result<(), AuditError> {
        self.file.read_exact_at(out, at).map_err(AuditError::file(&self.path))
    }
}

/// See the module.
pub struct Tree {
    levels: Vec<Growing>,
    sequences: Growing,
    frontier: Frontier,
}

impl Tree {
    /// Opens the files to append to them, at most as far as `size` records.
    ///
    /// # Errors
    /// [`AuditError::File`].
    pub fn open(dir: &Path, size: u64) -> Result<Self, AuditError> {
        let dir = dir.join("tree");
        std::fs::create_dir_all(&dir).map_err(AuditError::file(&dir))?;
        let mut tree = Self::files(&dir, true)?;
        let mut whole = tree.sequences.cut(size * 8)?;
        for (level, file) in (0..).step_by(STEP as usize).zip(&mut tree.levels) {
            whole &= file.cut((size >> level) * 32)?;
        }
        if whole {
            tree.frontier = Frontier::of(&mut tree.nodes(), size)?;
        } else {
            tree.clear()?;
        }
        Ok(tree)
    }

    /// Opens the files to read them; the process that appends to them may be running.
    ///
    /// # Errors
    /// [`AuditError::File`].
    pub fn read(dir: &Path) -> Result<Self, AuditError> {
        Self::files(&dir.join("tree"), false)
    }

    fn files(dir: &Path, write: bool) -> Result<Self, AuditError> {
        let levels = (0..KEPT).map(|kept| Growing::open(dir.join((kept * STEP).to_string()), write)).collect::<Result<_, _>>()?;
        Ok(Self { levels, sequences: Growing::open(dir.join("sequences"), write)?, frontier: Frontier::default() })
    }

    /// Forgets everything, to be made again from the log.
    ///
    /// # Errors
    /// [`AuditError::File`].
    pub fn clear(&mut self) -> Result<(), AuditError> {
        self.frontier = Frontier::default();
        self.levels.iter_mut().chain([&mut self.sequences]).try_for_each(|file| file.cut(0).map(drop))
    }

    /// The right edge: how many records there are, and their root.
    #[must_use]
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Takes the next record in.
    ///
    /// # Errors
    /// [`AuditError::File`].
    pub fn push(&mut self, first_seq: u64, leaf: Hash) -> Result<(), AuditError> {
        let levels = &mut self.levels;
        let mut pushed = Ok(());
        self.frontier.push(leaf, |level, _, hash| {
            if level % STEP == 0
                && let (Ok(()), Some(file)) = (&pushed, levels.get_mut((level / STEP) as usize))
            {
                pushed = file.push(hash);
            }
        });
        pushed?;
        self.sequences.push(&first_seq.to_le_bytes())
    }

    /// Makes everything durable.
    ///
    /// # Errors
    /// [`AuditError::File`].
    pub fn sync(&mut self) -> Result<(), AuditError> {
        self.levels.iter_mut().chain([&mut self.sequences]).try_for_each(Growing::sync)
    }

    /// The hashes, as far as they were written.
    #[must_use]
    pub fn nodes(&self) -> StoredNodes<'_> {
        StoredNodes(self)
    }

    /// Which of the first `size` records holds the event with this sequence.
    ///
    /// # Errors
    /// [`AuditError::File`].
    pub fn index_of(&self, sequence: u64, size: u64) -> Result<Option<u64>, AuditError> {
        let first = |index: u64| -> Result<u64, AuditError> {
            let mut bytes = [0; 8];
            self.sequences.read(index * 8, &mut bytes)?;
            Ok(u64::from_le_bytes(bytes))
        };
        let (mut from, mut to) = (0, size);
        while from < to {
            let middle = from + (to - from) / 2;
            if first(middle)? <= sequence {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        Ok(from.checked_sub(1))
    }
}

/// See [`Tree::nodes`].
pub struct StoredNodes<'t>(&'t Tree);

impl Nodes for StoredNodes<'_> {
    type Error = AuditError;

    fn subtree(&mut self, level: u32, index: u64) -> Result<Hash, AuditError> {
        let kept = (level / STEP).min(KEPT - 1);
        let above = level - kept * STEP;
        let Some(file) = self.0.levels.get(kept as usize) else { return Err(AuditError::NoCheckpoint) };
        let mut frontier = Frontier::default();
        let mut bytes = [0; 32];
        for at in index << above..(index + 1) << above {
            file.read(at * 32, &mut bytes)?;
            frontier.push(bytes, |_, _, _| ());
        }
        Ok(frontier.root())
    }
}
