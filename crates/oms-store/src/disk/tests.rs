use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Disk, Fault, LockError, Mode, Operation, RealDisk, RecordingDisk, SimDisk};

/// What holds for every disk while nothing fails.
fn check(disk: &dyn Disk) {
    let file = disk.create("a", 1000, Mode::Durable).unwrap();
    assert_eq!(file.size().unwrap(), 1000);
    assert!(disk.create("a", 0, Mode::Durable).is_err(), "it exists");
    file.write_at(990, b"abcdefghijklmno").unwrap();
    assert_eq!(file.size().unwrap(), 1005);
    let mut buf = [7; 20];
    assert_eq!(file.read_at(988, &mut buf).unwrap(), 17);
    assert_eq!(&buf[..17], b"\0\0abcdefghijklmno");
    assert_eq!(file.read_at(5000, &mut buf).unwrap(), 0);

    let buffered = disk.create("b", 0, Mode::Buffered).unwrap();
    buffered.write_at(0, b"xyz").unwrap();
    buffered.sync().unwrap();
    disk.rename("b", "c").unwrap();
    disk.sync_dir().unwrap();
    assert!(disk.open("b", Mode::Read).is_err());
    assert_eq!(disk.open("c", Mode::Read).unwrap().read_at(1, &mut buf).unwrap(), 2);
    assert!(disk.open("c", Mode::Read).unwrap().write_at(0, b"no").is_err());
    disk.rename("c", "a").unwrap();
    assert_eq!(disk.open("a", Mode::Read).unwrap().size().unwrap(), 3);
    disk.remove("a").unwrap();
    assert!(disk.remove("a").is_err());

    let lock = disk.lock("LOCK").unwrap();
    let held = disk.lock("LOCK").map(drop);
    let pid = std::process::id();
    assert!(matches!(held, Err(LockError::Held { pid: Some(found) }) if found == pid), "{held:?}");
    drop(lock);
    drop(disk.lock("LOCK").unwrap());
}

#[test]
fn the_simulated_disk_is_a_disk() {
    check(&SimDisk::new(0));
}

#[test]
fn the_file_system_is_a_disk() {
    let dir = std::env::temp_dir().join(format!("oms-disk-{}/deep/er", std::process::id()));
    let disk = RealDisk::create_dir(&dir).unwrap();
    check(&disk);
    assert_eq!(disk.list().unwrap(), ["LOCK"]);
    for name in ["", ".", "..", "../x", "/etc/x"] {
        assert!(disk.create(name, 0, Mode::Buffered).is_err(), "{name:?}");
    }
    assert!(RealDisk::existing(&dir.join("LOCK")).is_err());
    std::fs::remove_dir_all(dir.parent().unwrap().parent().unwrap()).unwrap();
}

#[test]
fn the_recording_disk_is_a_disk() {
    let disk = RecordingDisk::new(Arc::new(SimDisk::new(0)));
    check(&disk);
    let recorded = disk.boundaries();
    assert_eq!(recorded[0].operation, Operation::Create);
    assert!(recorded.iter().any(|one| one.operation == Operation::Write && one.bytes == 15));
    assert!(recorded.iter().any(|one| !one.done), "refused operations are listed as such");
}

/// Runs `change` on a disk with a durable file of four sectors of `o`, crashes, and returns what
/// was found over many seeds.
fn outcomes(tear: bool, change: impl Fn(&SimDisk)) -> BTreeSet<Option<Vec<u8>>> {
    (0..400)
        .map(|seed| {
            let disk = SimDisk::new(seed);
            disk.tear_sectors(tear);
            disk.put("f", &[b'o'; 2048]);
            change(&disk);
            disk.crash();
            disk.contents("f")
        })
        .collect()
}

fn sectors(data: &[u8]) -> String {
    data.chunks(512).map(|sector| char::from(sector[0])).collect()
}

#[test]
fn what_is_durable_survives() {
    let durable = outcomes(true, |disk| {
        disk.open("f", Mode::Durable).unwrap().write_at(0, &[b'n'; 2048]).unwrap();
    });
    assert_eq!(durable, BTreeSet::from([Some(vec![b'n'; 2048])]));
    let synced = outcomes(true, |disk| {
        let file = disk.open("f", Mode::Buffered).unwrap();
        file.write_at(0, &[b'n'; 2048]).unwrap();
        file.sync().unwrap();
    });
    assert_eq!(synced, durable);
}

#[test]
fn unsynced_sectors_are_lost_in_any_subset() {
    let write = |disk: &SimDisk| {
        disk.open("f", Mode::Buffered).unwrap().write_at(0, &[b'n'; 2048]).unwrap();
    };
    let interrupted = |disk: &SimDisk| {
        disk.fail_at(disk.operations(), Fault::PowerLoss);
        assert!(disk.open("f", Mode::Durable).unwrap().write_at(0, &[b'n'; 2048]).is_err());
        assert!(disk.list().is_err(), "the power is off");
    };
    // A failed sync loses what a later one reports as done.
    let failed_sync = |disk: &SimDisk| {
        let file = disk.open("f", Mode::Buffered).unwrap();
        file.write_at(0, &[b'n'; 2048]).unwrap();
        disk.fail_at(disk.operations(), Fault::Eio);
        assert!(file.sync().is_err());
        file.sync().unwrap();
        assert_eq!(disk.contents("f").unwrap(), [b'n'; 2048], "it reads as written");
    };
    let all: BTreeSet<String> = outcomes(false, write)
        .into_iter()
        .map(|data| data.unwrap())
        .inspect(|data| {
            assert!(data.chunks(512).all(|sector| sector.iter().all(|byte| *byte == sector[0])));
        })
        .map(|data| sectors(&data))
        .collect();
    assert_eq!(all.len(), 16);
    let names = |found: BTreeSet<Option<Vec<u8>>>| -> BTreeSet<String> { found.into_iter().map(|data| sectors(&data.unwrap())).collect() };
    assert_eq!(names(outcomes(false, interrupted)), all);
    assert_eq!(names(outcomes(false, failed_sync)), all);
    let torn =
        outcomes(true, write).into_iter().flatten().any(|data| data.chunks(512).any(|sector| sector.iter().any(|byte| *byte != sector[0])));
    assert!(torn);
}

#[test]
fn names_are_durable_after_the_directory_is_synced() {
    let lost = outcomes(false, |disk| disk.remove("f").unwrap());
    assert_eq!(lost.len(), 2, "with and without");
    let gone = outcomes(false, |disk| {
        disk.remove("f").unwrap();
        disk.sync_dir().unwrap();
    });
    assert_eq!(gone, BTreeSet::from([None]));
    let replaced = outcomes(false, |disk| {
        disk.create("g", 10, Mode::Durable).unwrap();
        disk.rename("g", "f").unwrap();
    });
    assert_eq!(replaced, BTreeSet::from([Some(vec![b'o'; 2048]), Some(vec![0; 10])]));
}

#[test]
fn a_killed_process_leaves_what_it_wrote() {
    let disk = SimDisk::new(1);
    disk.put("f", &[b'o'; 512]);
    let file = disk.open("f", Mode::Buffered).unwrap();
    let _lock = disk.lock("LOCK").unwrap();
    file.write_at(0, &[b'n'; 512]).unwrap();
    disk.kill();
    assert_eq!(disk.contents("f").unwrap(), [b'n'; 512]);
    assert!(file.write_at(0, b"x").is_err(), "its handles are gone");
    drop(disk.lock("LOCK").unwrap());
}

#[test]
fn faults_do_what_they_say() {
    let disk = SimDisk::new(1);
    disk.put("f", &[b'o'; 512]);
    let file = disk.open("f", Mode::Durable).unwrap();
    disk.fail_at(disk.operations(), Fault::Enospc);
    assert_eq!(file.write_at(0, b"nn").unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    assert_eq!(disk.contents("f").unwrap(), [b'o'; 512]);
    disk.fail_at(disk.operations(), Fault::ShortWrite);
    assert_eq!(file.write_at(0, b"nn").unwrap_err().kind(), std::io::ErrorKind::WriteZero);
    assert_eq!(disk.contents("f").unwrap()[..3], *b"noo");
    file.write_at(0, b"mm").unwrap();
    disk.crash();
    assert_eq!(disk.contents("f").unwrap()[..3], *b"mmo");
}
