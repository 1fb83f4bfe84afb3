//! What was acknowledged and changed since is refused, with its place.

use std::sync::Arc;

use super::{open, small};
use crate::conformance::{append, read_all};
use crate::disk::{Disk, SimDisk};
use crate::embedded::format::{entry_len, parse_segment_name, segment_name};
use crate::embedded::verify::verify_disk;
use crate::embedded::{Config, EmbeddedJournal, OpenCheck};
use crate::error::{Damage, Defect, JournalError};
use crate::journal::{Entry, Journal, Snapshot};

/// A log of several segments, the last one holding several groups.
fn log() -> (SimDisk, Vec<Entry>) {
    let disk = SimDisk::new(1);
    let mut journal = open(&disk, small());
    journal.claim().unwrap();
    let mut entries = Vec::new();
    for shape in [
        vec![(2, 300)],
        vec![(1, 900), (3, 60), (1, 500)],
        vec![(1, 1200)],
        vec![(1, 700)],
        vec![(2, 100), (2, 100)],
        vec![(1, 1500)],
        vec![(1, 900)],
        vec![(1, 30), (1, 800)],
        vec![(1, 333)],
        vec![(1, 100), (1, 650), (4, 40)],
    ] {
        entries.extend(append(&mut journal, &shape));
    }
    (disk, entries)
}

fn segments(disk: &SimDisk) -> Vec<String> {
    let names = disk.list().unwrap();
    names.into_iter().filter(|name| parse_segment_name(name).is_some()).collect()
}

fn refused(disk: &SimDisk) -> Option<Damage> {
    match EmbeddedJournal::open(Arc::new(disk.clone()), small()) {
        Ok(_) => None,
        Err(JournalError::Damaged(damage)) => Some(*damage),
        Err(other) => panic!("{other}"),
    }
}

/// Refused by opening and by verifying, at the same place.
fn refused_by_both(disk: &SimDisk) -> Damage {
    let report = verify_disk(disk).unwrap();
    let damage = refused(disk).expect("a damaged log opened");
    assert_eq!(report.damage.as_ref(), Some(&damage));
    damage
}

/// Where the groups of the last segment end.
fn end_of_groups(disk: &SimDisk, name: &str) -> usize {
    let data = disk.contents(name).unwrap();
    let last = data.iter().rposition(|byte| *byte != 0).unwrap();
    (last + 1).next_multiple_of(512)
}

#[test]
fn every_flipped_bit_is_found_where_it_is() {
    let (disk, entries) = log();
    let names = segments(&disk);
    assert!(3 <= names.len(), "{names:?}");
    let last_name = names.last().unwrap();
    for name in &names {
        let end = match name == last_name {
            true => end_of_groups(&disk, name),
            false => disk.contents(name).unwrap().len(),
        };
        for at in 0..end as u64 {
            let flipped = disk.fork(1);
            assert!(flipped.flip_bit(name, at, (at % 8) as u8));
            let damage = refused_by_both(&flipped);
            assert_eq!(&damage.file, name, "byte {at}: {damage}");
            assert!(damage.offset <= at, "byte {at}: {damage}");
            // The place is the start of the entry, the header or the fill that holds the byte.
            assert!(at - damage.offset < entry_len(1500) as u64, "byte {at}: {damage}");
            let good = damage.last_good_seq;
            assert!(good == 0 || entries.iter().any(|entry| entry.last_seq() == good));
        }
    }
}

/// A bit in fresh space after the last group belongs to no entry: nothing is lost by dropping it.
#[test]
fn a_flipped_bit_after_the_end_changes_nothing() {
    let (disk, entries) = log();
    let name = segments(&disk).pop().unwrap();
    let len = disk.contents(&name).unwrap().len();
    for at in (end_of_groups(&disk, &name)..len).step_by(97) {
        let flipped = disk.fork(1);
        assert!(flipped.flip_bit(&name, at as u64, 3));
        assert_eq!(verify_disk(&flipped).unwrap().damage, None);
        let mut journal = open(&flipped, small());
        assert_eq!(read_all(journal.reader().as_mut(), 1).unwrap(), entries);
        assert_eq!(flipped.contents(&name).unwrap()[at], 0, "fresh space is zero again");
        journal.claim().unwrap();
        append(&mut journal, &[(1, 300)]);
    }
}

/// With only the tail checked the damage is found before anything of its segment is handed out.
#[test]
fn the_tail_check_finds_earlier_damage_on_reading() {
    let (disk, entries) = log();
    let config = Config { check: OpenCheck::Tail, ..small() };
    let names = segments(&disk);
    for at in (512..3000).step_by(37) {
        let flipped = disk.fork(1);
        assert!(flipped.flip_bit(&names[1], at, 0));
        let journal = open(&flipped, config.clone());
        let second = parse_segment_name(&names[1]).unwrap();
        let mut reader = journal.reader();
        let mut seen = Vec::new();
        let result = reader.scan(1, &mut |stored| {
            seen.push(Entry::from(stored));
            std::ops::ControlFlow::Continue(())
        });
        assert!(matches!(result, Err(JournalError::Damaged(_))), "byte {at}: {result:?}");
        let before = entries.iter().filter(|entry| entry.first_seq < second).count();
        assert_eq!(seen, entries[..before]);
        let last = journal.tip().last_seq;
        assert_eq!(read_all(reader.as_mut(), last).unwrap().len(), 1, "the tail is good");
    }
}

/// Reading checks again: damage that comes after opening is not handed out either.
#[test]
fn damage_after_opening_is_found_on_reading() {
    let (disk, _) = log();
    let journal = open(&disk, small());
    let name = segment_name(1);
    assert!(disk.flip_bit(&name, 700, 1));
    let result = read_all(journal.reader().as_mut(), 1);
    let Err(JournalError::Damaged(damage)) = result else { panic!("{result:?}") };
    assert_eq!((damage.file.as_str(), damage.offset, damage.last_good_seq), (name.as_str(), 512, 0));
    assert!(matches!(damage.defect, Defect::BodyChecksum { .. }), "{damage}");
}

/// Sectors of an acknowledged group that turn to zero are damage, not a torn tail.
#[test]
fn a_lost_sector_before_the_last_group_is_refused() {
    let (disk, _) = log();
    for name in segments(&disk) {
        let data = disk.contents(&name).unwrap();
        let is_last = segments(&disk).last() == Some(&name);
        // The last group starts with its entry of 100 bytes and takes three sectors.
        let end = end_of_groups(&disk, &name) - if is_last { 3 * 512 } else { 0 };
        for sector in (0..end).step_by(512) {
            let mut data = data.clone();
            data[sector..sector + 512].fill(0);
            let copy = disk.fork(1);
            copy.put(&name, &data);
            let damage = refused_by_both(&copy);
            assert_eq!(damage.file, name);
        }
    }
}

/// Sectors of the last group that are zero were never written: it is dropped, whole.
#[test]
fn a_lost_sector_of_the_last_group_is_a_torn_tail() {
    let (disk, entries) = log();
    let name = segments(&disk).pop().unwrap();
    let data = disk.contents(&name).unwrap();
    let end = end_of_groups(&disk, &name);
    for sector in (end - 3 * 512..end).step_by(512) {
        let mut data = data.clone();
        data[sector..sector + 512].fill(0);
        let copy = disk.fork(1);
        copy.put(&name, &data);
        let report = verify_disk(&copy).unwrap();
        assert_eq!(report.damage, None);
        assert!(0 < report.incomplete_bytes);
        let journal = open(&copy, small());
        let kept = entries.len() - 3;
        assert_eq!(read_all(journal.reader().as_mut(), 1).unwrap(), entries[..kept]);
        let data = copy.contents(&name).unwrap();
        assert!(data[end - 3 * 512..].iter().all(|byte| *byte == 0), "fresh space is zero again");
    }
}

#[test]
fn missing_shortened_and_exchanged_files_are_refused() {
    let (disk, _) = log();
    let names = segments(&disk);
    for name in &names[..names.len() - 1] {
        let copy = disk.fork(1);
        copy.take(name);
        refused_by_both(&copy);
    }
    for name in &names {
        let data = disk.contents(name).unwrap();
        for len in [0, 100, 512, data.len() - 512, data.len() - 1] {
            let copy = disk.fork(1);
            copy.put(name, &data[..len]);
            let damage = match len {
                // A first segment without a header names no partition to verify.
                0..512 => refused(&copy).unwrap(),
                _ => refused_by_both(&copy),
            };
            assert_eq!(&damage.file, name);
            assert!(matches!(damage.defect, Defect::Truncated { .. }), "{damage}");
        }
        let copy = disk.fork(1);
        copy.put(name, &[data.as_slice(), &[0; 512]].concat());
        assert!(matches!(refused_by_both(&copy).defect, Defect::Placement { .. }));
    }
    let copy = disk.fork(1);
    copy.put(&names[1], &disk.contents(&names[2]).unwrap());
    assert!(matches!(refused_by_both(&copy).defect, Defect::Sequence { .. }));
}

/// An entry from another log, whole and with good checksums, does not continue this one.
#[test]
fn another_history_is_refused() {
    let (disk, _) = log();
    let other = SimDisk::new(2);
    let mut journal = open(&other, small());
    journal.claim().unwrap();
    // The same shapes with one byte of history changed.
    append(&mut journal, &[(2, 299)]);
    for shape in [vec![(1, 900), (3, 60), (1, 500)], vec![(1, 1200)], vec![(1, 700)]] {
        append(&mut journal, &shape);
    }
    drop(journal);
    let mut data = disk.contents(&segment_name(1)).unwrap();
    let foreign = other.contents(&segment_name(1)).unwrap();
    data[1024..2048].copy_from_slice(&foreign[1024..2048]);
    let copy = disk.fork(1);
    copy.put(&segment_name(1), &data);
    let damage = refused_by_both(&copy);
    assert!(matches!(damage.defect, Defect::Chain { .. }), "{damage}");
    assert_eq!((damage.offset, damage.last_good_seq), (1024, 2));
    // Another partition's log does not open at all.
    let config = Config { partition: 4, ..small() };
    let opened = EmbeddedJournal::open(Arc::new(disk), config).map(drop);
    let Err(JournalError::Damaged(damage)) = opened else { panic!("{opened:?}") };
    assert_eq!(damage.defect, Defect::Partition { expected: 4, found: 3 });
}

/// Bytes in a body that look like a later group do not turn a torn tail into damage.
#[test]
fn entry_like_bytes_in_a_body_are_not_entries() {
    let disk = SimDisk::new(1);
    let mut journal = open(&disk, Config { segment_bytes: 64 << 10, ..small() });
    let epoch = journal.claim().unwrap();
    append(&mut journal, &[(1, 100)]);
    append(&mut journal, &[(1, 100)]);
    // A whole later group of this very segment, as a body that then is torn.
    let bait = disk.contents(&segment_name(1)).unwrap()[1024..1536].repeat(4);
    let entry = crate::EntryRef { first_seq: 3, count: 1, time_ns: 0, body: &bait };
    journal.append(epoch, &[entry]).unwrap();
    drop(journal);
    let mut data = disk.contents(&segment_name(1)).unwrap();
    data[2048..2560].fill(0);
    disk.put(&segment_name(1), &data);
    assert_eq!(open(&disk, small()).tip().last_seq, 2);
}

#[test]
fn a_lost_or_changed_epoch_is_refused() {
    let (disk, _) = log();
    for at in 0..24 {
        let copy = disk.fork(1);
        assert!(copy.flip_bit("epoch", at, 0));
        assert_eq!(refused_by_both(&copy).file, "epoch");
    }
    let copy = disk.fork(1);
    copy.take("epoch");
    assert_eq!(refused_by_both(&copy).defect, Defect::EpochFile);
    // An old epoch file put back.
    let copy = disk.fork(1);
    let old = copy.contents("epoch").unwrap();
    let mut journal = open(&copy, small());
    journal.claim().unwrap();
    append(&mut journal, &[(1, 1)]);
    drop(journal);
    copy.put("epoch", &old);
    assert_eq!(refused_by_both(&copy).defect, Defect::Epoch { previous: 2, found: 1 });
}

#[test]
fn snapshots_are_a_saving_and_a_witness() {
    let (disk, entries) = log();
    let mut journal = open(&disk, small());
    for entry in [&entries[5], entries.last().unwrap()] {
        let snapshot = Snapshot { seq: entry.last_seq(), chain_hash: entry.hash, state_hash: [0; 32], schema: 1, bytes: vec![5; 100] };
        journal.put_snapshot(&snapshot).unwrap();
    }
    drop(journal);
    let names: Vec<String> = disk.list().unwrap().into_iter().filter(|name| name.ends_with(".snap")).collect();
    // An unreadable one is passed over.
    for at in 0..228 {
        let copy = disk.fork(1);
        assert!(copy.flip_bit(&names[1], at, 0));
        let found = open(&copy, small()).latest_snapshot(1).unwrap().unwrap();
        assert_eq!(found.seq, entries[5].last_seq(), "byte {at}");
    }
    // A log that ends before an intact one has lost entries, however sound it looks.
    let name = segments(&disk).pop().unwrap();
    let end = end_of_groups(&disk, &name);
    let mut data = disk.contents(&name).unwrap();
    data[end - 3 * 512..].fill(0);
    let copy = disk.fork(1);
    copy.put(&name, &data);
    let seq = entries.last().unwrap().last_seq();
    assert_eq!(refused_by_both(&copy).defect, Defect::SnapshotBeyondTip { seq });
    // One of another history is not used.
    let other = SimDisk::new(9);
    let mut journal = open(&other, small());
    journal.claim().unwrap();
    for _ in 0..30 {
        append(&mut journal, &[(1, 10)]);
    }
    drop(journal);
    other.put(&names[0], &disk.contents(&names[0]).unwrap());
    let found = open(&other, small()).latest_snapshot(1);
    assert!(matches!(found, Err(JournalError::Damaged(_))), "{found:?}");
    assert!(matches!(verify_disk(&other).unwrap().damage, Some(Damage { defect: Defect::SnapshotChain { .. }, .. })));
}

#[test]
fn verifying_counts_what_is_there() {
    let (disk, entries) = log();
    let before: Vec<_> = disk.list().unwrap().into_iter().map(|name| (disk.contents(&name), name)).collect();
    let operations = disk.operations();
    let report = verify_disk(&disk).unwrap();
    assert_eq!(report.partition, 3);
    assert_eq!(report.segments, segments(&disk).len() as u64);
    assert_eq!(report.entries, entries.len() as u64);
    assert_eq!(report.events, entries.iter().map(|entry| u64::from(entry.count)).sum::<u64>());
    assert_eq!((report.first_seq, report.last_seq), (1, entries.last().unwrap().last_seq()));
    assert_eq!(report.chain_head, entries.last().unwrap().hash);
    assert_eq!((report.epoch.0, report.incomplete_bytes, report.damage), (1, 0, None));
    assert_eq!(disk.operations(), operations, "verifying changes nothing");
    for (data, name) in before {
        assert_eq!(disk.contents(&name), data);
    }
    assert!(matches!(verify_disk(&SimDisk::new(0)), Err(JournalError::Io { .. })));
}
