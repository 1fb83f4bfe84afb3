mod crash;
mod damage;
mod golden;
mod live;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Config, EmbeddedJournal, OpenCheck};
use crate::conformance::Fixture;
use crate::disk::SimDisk;
use crate::journal::Journal;

/// Small segments and no thread: every operation of the disk comes in one order.
fn small() -> Config {
    Config { partition: 3, segment_bytes: 4 << 10, prepare_ahead: false, ..Config::default() }
}

fn open(disk: &SimDisk, config: Config) -> EmbeddedJournal {
    EmbeddedJournal::open(Arc::new(disk.clone()), config).unwrap()
}

struct Simulated {
    disk: SimDisk,
    config: Config,
}

impl Simulated {
    fn new(config: Config) -> Self {
        Self { disk: SimDisk::new(1), config }
    }
}

impl Fixture for Simulated {
    fn open(&mut self) -> Box<dyn Journal> {
        Box::new(open(&self.disk, self.config.clone()))
    }
}

/// A directory that is removed afterwards.
struct TempDir(PathBuf);

impl TempDir {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("oms-store-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct OnFiles {
    dir: TempDir,
    config: Config,
}

impl Fixture for OnFiles {
    fn open(&mut self) -> Box<dyn Journal> {
        Box::new(EmbeddedJournal::open_dir(&self.dir.0, self.config.clone()).unwrap())
    }
}

crate::journal_conformance!(small_segments: Simulated::new(small()));
crate::journal_conformance!(tail_checked: Simulated::new(Config {
    check: OpenCheck::Tail,
    ..small()
}));
crate::journal_conformance!(one_segment: Simulated::new(Config {
    segment_bytes: 128 << 20,
    ..small()
}));
crate::journal_conformance!(prepared_ahead: Simulated::new(Config {
    prepare_ahead: true,
    ..small()
}));
crate::journal_conformance!(files: OnFiles {
    dir: TempDir::new(),
    config: Config { prepare_ahead: true, segment_bytes: 64 << 10, ..small() },
});
