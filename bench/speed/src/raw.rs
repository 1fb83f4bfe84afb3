//! The floor: the same bytes, appended with `O_DSYNC` to a zero-filled file, and nothing else.

use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How fast the disk is.
pub struct Writes {
    /// How many were made.
    pub count: u64,
    /// Their median, microseconds.
    pub p50: f64,
    /// What one in a hundred exceeds, microseconds: no log on this disk is better.
    pub p99: f64,
}

/// Writes of `bytes` each, one after the other, for `time`.
pub fn writes(dir: &Path, bytes: usize, time: Duration) -> Writes {
    let path = dir.join("raw");
    let size: usize = 64 << 20;
    File::create(&path).and_then(|mut file| file.write_all(&vec![0; size]).and_then(|()| file.sync_all())).unwrap();
    let opened = rustix::fs::open(&path, OFlags::RDWR | OFlags::DSYNC, Mode::empty()).unwrap();
    let file = File::from(opened);
    let data = vec![0x5A; bytes];
    let mut took = Vec::new();
    let began = Instant::now();
    let mut at = 0;
    while began.elapsed() < time {
        if at + bytes > size {
            at = 0;
        }
        let write = Instant::now();
        file.write_all_at(&data, at as u64).unwrap();
        took.push(write.elapsed().as_secs_f64() * 1e6);
        at += bytes;
    }
    took.sort_by(f64::total_cmp);
    std::fs::remove_file(path).unwrap();
    Writes { count: took.len() as u64, p50: took[took.len() / 2], p99: took[took.len() * 99 / 100] }
}
