//! Logs that released versions wrote stay readable for ever.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::small;
use crate::conformance::read_all;
use crate::disk::{Disk, SimDisk};
use crate::embedded::EmbeddedJournal;
use crate::embedded::verify::verify;
use crate::journal::{EntryRef, Journal, Snapshot};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("test-data/log/v1")
}

/// The log that version 1 of the format keeps as `test-data/log/v1`.
fn write_log() -> SimDisk {
    let disk = SimDisk::new(1);
    let mut journal = EmbeddedJournal::open(Arc::new(disk.clone()), small()).unwrap();
    let entry = |first_seq, count, body| EntryRef { first_seq, count, time_ns: 1_767_225_600_000_000_000, body };
    let epoch = journal.claim().unwrap();
    journal.append(epoch, &[entry(1, 1, b"first"), entry(2, 3, b"second, three events")]).unwrap();
    journal.append(epoch, &[entry(5, 1, &[0xab; 2000])]).unwrap();
    let epoch = journal.claim().unwrap();
    journal.append(epoch, &[entry(6, 2, b""), entry(8, 1, &[0; 1200])]).unwrap();
    let tip = journal.tip();
    let snapshot = Snapshot { seq: tip.last_seq, chain_hash: tip.last_hash, state_hash: [0x5a; 32], schema: 1, bytes: b"state".to_vec() };
    journal.put_snapshot(&snapshot).unwrap();
    disk
}

fn describe(disk: &SimDisk) -> String {
    let journal = EmbeddedJournal::open(Arc::new(disk.clone()), small()).unwrap();
    let mut text = String::new();
    for entry in read_all(journal.reader().as_mut(), 1).unwrap() {
        text += &format!(
            "{}..{} epoch {} time {} body {} bytes {:?} hash {}\n",
            entry.first_seq,
            entry.last_seq(),
            entry.epoch.0,
            entry.time_ns,
            entry.body.len(),
            String::from_utf8_lossy(&entry.body[..entry.body.len().min(20)]),
            entry.hash
        );
    }
    let snapshot = journal.latest_snapshot(1).unwrap().unwrap();
    text += &format!("snapshot {} {:?}\n", snapshot.seq, String::from_utf8_lossy(&snapshot.bytes));
    text
}

fn stored() -> (SimDisk, Vec<String>) {
    let disk = SimDisk::new(1);
    let mut names = Vec::new();
    for file in std::fs::read_dir(golden()).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        if name != "expected.txt" {
            disk.put(&name, &std::fs::read(file.path()).unwrap());
            names.push(name);
        }
    }
    names.sort();
    (disk, names)
}

#[test]
fn version_1_is_read() {
    let (disk, names) = stored();
    assert!(3 <= names.len(), "{names:?}");
    let expected = std::fs::read_to_string(golden().join("expected.txt")).unwrap();
    assert_eq!(describe(&disk), expected);
    let report = verify(&golden()).unwrap();
    assert_eq!((report.entries, report.events, report.last_seq), (5, 8, 8));
    assert_eq!((report.partition, report.epoch.0, report.damage), (3, 2, None));
}

/// The same appends make the same bytes: the format did not change without a new version.
#[test]
fn version_1_is_written() {
    let (disk, names) = stored();
    let written = write_log();
    let files: Vec<String> = written.list().unwrap().into_iter().filter(|name| name != "LOCK").collect();
    assert_eq!(files, names);
    for name in names {
        assert!(written.contents(&name) == disk.contents(&name), "{name}");
    }
}

/// Writes the files of a new format version. Files of a released version are never replaced.
#[test]
#[ignore = "run once for a new format version"]
fn write_golden_files() {
    let dir = golden();
    assert!(!dir.exists(), "{} is there already", dir.display());
    std::fs::create_dir_all(&dir).unwrap();
    let disk = write_log();
    for name in disk.list().unwrap() {
        std::fs::write(dir.join(&name), disk.contents(&name).unwrap()).unwrap();
    }
    std::fs::write(dir.join("expected.txt"), describe(&disk)).unwrap();
}
