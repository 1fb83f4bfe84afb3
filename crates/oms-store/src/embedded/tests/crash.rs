//! Power loss, a killed process and failing devices, at every operation and from many seeds.

use std::sync::Arc;

use super::{open, small};
use crate::chain::ChainHash;
use crate::conformance::{group, read_all};
use crate::disk::{Fault, Operation, RecordingDisk, SimDisk};
use crate::embedded::verify::verify_disk;
use crate::embedded::{Config, EmbeddedJournal, OpenCheck};
use crate::error::JournalError;
use crate::journal::{Entry, EntryRef, Epoch, Journal, Snapshot};

/// What must be there, and what may be.
#[derive(Clone, Default)]
struct Expected {
    acked: Vec<Entry>,
    in_flight: Vec<Entry>,
    epoch: Epoch,
    snapshot: u64,
}

impl Expected {
    /// Checks an opened log, and takes what it holds as what must be there from now on.
    fn check(&mut self, journal: &EmbeddedJournal, context: &str) {
        let tip = journal.tip();
        let found = read_all(journal.reader().as_mut(), 1).unwrap();
        let acked = self.acked.len();
        assert_eq!(found[..acked.min(found.len())], self.acked, "acknowledged, {context}");
        let rest = &found[acked..];
        assert!(rest.is_empty() || rest == self.in_flight, "an unacknowledged group is there whole or not at all, {context}");
        assert_eq!(tip.last_seq, found.last().map_or(0, Entry::last_seq), "{context}");
        let mut hash = ChainHash::genesis(3);
        for entry in &found {
            hash = hash.link_entry(3, entry.epoch, &entry.as_ref());
            assert_eq!(entry.hash, hash, "{context}");
        }
        assert_eq!(tip.last_hash, hash, "{context}");
        assert!(self.epoch <= tip.epoch, "a claim was lost, {context}");
        let snapshot = journal.latest_snapshot(1).unwrap();
        assert!(self.snapshot <= snapshot.map_or(0, |kept| kept.seq), "snapshot, {context}");
        self.epoch = tip.epoch;
        self.acked = found;
        self.in_flight.clear();
    }

    fn append(&mut self, journal: &mut EmbeddedJournal, shape: &[(u32, usize)]) -> Result<(), JournalError> {
        let tip = journal.tip();
        let mut entries = group(tip, shape);
        let mut hash = tip.last_hash;
        for entry in &mut entries {
            hash = hash.link_entry(3, tip.epoch, &entry.as_ref());
            entry.hash = hash;
        }
        let refs: Vec<EntryRef<'_>> = entries.iter().map(Entry::as_ref).collect();
        self.in_flight.clone_from(&entries);
        journal.append(tip.epoch, &refs)?;
        self.in_flight.clear();
        self.acked.extend(entries);
        Ok(())
    }
}

/// The script: claims, groups of many shapes over several segments, snapshots.
fn script(journal: &mut EmbeddedJournal, expected: &mut Expected, seed: u64, groups: u64) -> Result<(), JournalError> {
    expected.epoch = journal.claim()?;
    for round in 0..groups {
        let pick = (seed.wrapping_mul(7).wrapping_add(round * 13)) % 11;
        let shape: &[(u32, usize)] = match pick {
            0 => &[(1, 0)],
            1 | 2 => &[(5, 300)],
            3 => &[(2, 150), (1, 700), (3, 40)],
            4 => &[(1, 400), (1, 400), (1, 400), (1, 400)],
            5 => &[(1, 5000)],
            6 => &[(1, 408)],
            7 => &[(2, 1100)],
            8 => &[(1, 60), (1, 60)],
            9 => &[(1, 900), (1, 1)],
            _ => &[(4, 2000)],
        };
        expected.append(journal, shape)?;
        if round % 5 == 4 {
            let tip = journal.tip();
            let snapshot = Snapshot { seq: tip.last_seq, chain_hash: tip.last_hash, state_hash: [1; 32], schema: 1, bytes: vec![9; 1500] };
            journal.put_snapshot(&snapshot)?;
            expected.snapshot = tip.last_seq;
        }
    }
    Ok(())
}

fn run(disk: &SimDisk, expected: &mut Expected, seed: u64, groups: u64, context: &str) -> Result<(), JournalError> {
    let mut journal = EmbeddedJournal::open(Arc::new(disk.clone()), small())?;
    expected.check(&journal, context);
    script(&mut journal, expected, seed, groups)
}

/// A fault shows as a failure of the device, never as damage or as anything else.
fn assert_fault(result: Result<(), JournalError>, context: &str) {
    match result {
        Ok(()) | Err(JournalError::Failed { .. } | JournalError::Io { .. }) => (),
        Err(other) => panic!("{other}, {context}"),
    }
}

fn reopen(disk: &SimDisk, expected: &mut Expected, context: &str) {
    let before = verify_disk(disk);
    if let Ok(report) = &before {
        assert_eq!(report.damage, None, "{context}");
    }
    let journal = EmbeddedJournal::open(Arc::new(disk.clone()), small()).unwrap_or_else(|error| panic!("{error}, {context}"));
    expected.check(&journal, context);
    if let Ok(report) = before {
        assert_eq!(report.last_seq, journal.tip().last_seq, "{context}");
        assert_eq!(report.chain_head, journal.tip().last_hash, "{context}");
    }
}

/// Every boundary of a scripted run, and of the recovery after it.
#[test]
fn every_boundary_survives_power_loss() {
    let plain = SimDisk::new(0);
    let recording = RecordingDisk::new(Arc::new(plain.clone()));
    let mut journal = EmbeddedJournal::open(Arc::new(recording.clone()), small()).unwrap();
    script(&mut journal, &mut Expected::default(), 1, 16).unwrap();
    drop(journal);
    let boundaries = recording.boundaries();
    assert_eq!(boundaries.len() as u64, plain.operations());
    for operation in [Operation::Create, Operation::Write, Operation::Sync, Operation::Rename, Operation::Remove, Operation::SyncDir] {
        assert!(boundaries.iter().any(|one| one.operation == operation), "{operation:?}");
    }
    for (number, boundary) in boundaries.iter().enumerate() {
        for seed in 0..24 {
            let context = format!("seed {seed}, power lost in {number}: {boundary:?}");
            let disk = SimDisk::new(seed);
            disk.tear_sectors(seed % 2 == 1);
            disk.fail_at(number as u64, Fault::PowerLoss);
            let mut expected = Expected::default();
            let result = run(&disk, &mut expected, 1, 16, &context);
            assert_fault(result, &context);
            disk.crash();
            crash_in_recovery(&disk, &expected, seed, &context);
            reopen(&disk, &mut expected, &context);
            run(&disk, &mut expected, seed, 4, &context).unwrap();
            disk.crash();
            reopen(&disk, &mut expected, &context);
        }
    }
}

/// Recovers copies of the disk, with power lost at each operation of the recovery.
fn crash_in_recovery(disk: &SimDisk, expected: &Expected, seed: u64, context: &str) {
    for step in 0.. {
        let copy = disk.fork(seed + 1000 + step);
        copy.fail_at(copy.operations() + step, Fault::PowerLoss);
        let opened = EmbeddedJournal::open(Arc::new(copy.clone()), small());
        let finished = opened.is_ok();
        assert_fault(opened.map(drop), context);
        copy.crash();
        let context = format!("{context}, power lost again in recovery step {step}");
        reopen(&copy, &mut expected.clone(), &context);
        if finished {
            return;
        }
    }
}

/// The device fails at each operation. The log stops at once and for good; what was acknowledged
/// is there after the process is started again, and after a power loss as well.
#[test]
fn every_failing_operation_stops_the_log() {
    let plain = SimDisk::new(0);
    run(&plain, &mut Expected::default(), 2, 12, "plain").unwrap();
    let mut stopped = 0;
    for number in 0..plain.operations() {
        for fault in [Fault::Eio, Fault::Enospc, Fault::ShortWrite] {
            for seed in 0..8 {
                let context = format!("seed {seed}, {fault:?} in operation {number}");
                let disk = SimDisk::new(seed);
                disk.fail_at(number, fault);
                let mut expected = Expected::default();
                match EmbeddedJournal::open(Arc::new(disk.clone()), small()) {
                    Err(error) => assert_fault(Err(error), &context),
                    Ok(mut journal) => {
                        let result = script(&mut journal, &mut expected, 2, 12);
                        if let Err(JournalError::Failed { .. }) = result {
                            stopped += 1;
                            assert_stopped(&mut journal, &disk, &expected, &context);
                        }
                        assert_fault(result, &context);
                    }
                }
                if seed % 2 == 0 {
                    disk.crash()
                } else {
                    disk.kill()
                }
                crash_in_recovery(&disk, &expected, seed, &context);
                reopen(&disk, &mut expected, &context);
                run(&disk, &mut expected, seed, 4, &context).unwrap();
                disk.crash();
                reopen(&disk, &mut expected, &context);
            }
        }
    }
    assert!(200 < stopped, "{stopped}");
}

fn assert_stopped(journal: &mut EmbeddedJournal, disk: &SimDisk, expected: &Expected, context: &str) {
    let tip = journal.tip();
    let entries = group(tip, &[(1, 10)]);
    let operations = disk.operations();
    for _ in 0..3 {
        let refused = journal.append(tip.epoch, &[entries[0].as_ref()]);
        assert!(matches!(refused, Err(JournalError::Failed { .. })), "{refused:?}, {context}");
        let refused = journal.claim();
        assert!(matches!(refused, Err(JournalError::Failed { .. })), "{refused:?}, {context}");
    }
    assert_eq!(disk.operations(), operations, "nothing is tried again, {context}");
    let readable = read_all(journal.reader().as_mut(), 1).unwrap();
    assert_eq!(readable, expected.acked, "readers go on, {context}");
}

/// The process is killed at each operation, then the power fails before the kernel wrote anything
/// back: what recovery read from memory must not have been taken for durable.
#[test]
fn a_killed_process_and_then_power_loss() {
    let plain = SimDisk::new(0);
    run(&plain, &mut Expected::default(), 3, 10, "plain").unwrap();
    for number in 0..plain.operations() {
        for seed in 0..16 {
            let context = format!("seed {seed}, killed in operation {number}");
            let disk = SimDisk::new(seed);
            disk.fail_at(number, Fault::PowerLoss);
            let mut expected = Expected::default();
            let result = run(&disk, &mut expected, 3, 10, &context);
            assert_fault(result, &context);
            disk.kill();
            // What opening showed counts, whether or not anything was appended after it.
            reopen(&disk, &mut expected, &context);
            if seed % 2 == 0 {
                run(&disk, &mut expected, seed, 2, &context).unwrap();
            }
            disk.crash();
            reopen(&disk, &mut expected, &context);
        }
    }
}

#[test]
fn ten_thousand_seeds_of_crashes() {
    for seed in 0..10_000_u64 {
        let disk = SimDisk::new(seed);
        disk.tear_sectors(seed % 3 == 0);
        let mut expected = Expected::default();
        for round in 0..4 {
            let context = format!("seed {seed}, round {round}");
            let at = seed.wrapping_mul(0x9e37_79b9).wrapping_add(round * 0x85eb_ca6b) >> 7;
            let fault = [Fault::PowerLoss, Fault::PowerLoss, Fault::Eio, Fault::Enospc][usize::try_from(at % 4).unwrap()];
            disk.fail_at(disk.operations() + at % 40, fault);
            let result = run(&disk, &mut expected, seed + round, 8, &context);
            assert_fault(result, &context);
            if at % 5 == 0 { disk.kill() } else { disk.crash() }
        }
        reopen(&disk, &mut expected, &format!("seed {seed}"));
    }
}

/// A device that stays full refuses every start, and loses nothing.
#[test]
fn a_full_device_loses_nothing() {
    let disk = SimDisk::new(5);
    let mut expected = Expected::default();
    run(&disk, &mut expected, 5, 6, "fill").unwrap();
    disk.fail_from(disk.operations(), Fault::Enospc);
    let opened = EmbeddedJournal::open(Arc::new(disk.clone()), small());
    assert!(matches!(opened.map(drop), Err(JournalError::Io { .. })));
    disk.kill();
    reopen(&disk, &mut expected, "with space again");
}

/// A group that the device failed to take is not acknowledged, not visible, and not lost halfway.
#[test]
fn a_failed_group_is_not_visible() {
    let disk = SimDisk::new(5);
    let mut journal = open(&disk, small());
    let mut expected = Expected { epoch: journal.claim().unwrap(), ..Expected::default() };
    expected.append(&mut journal, &[(1, 100)]).unwrap();
    let tip = journal.tip();
    disk.fail_at(disk.operations(), Fault::Eio);
    let failed = expected.append(&mut journal, &[(1, 100)]);
    assert!(matches!(failed, Err(JournalError::Failed { .. })), "{failed:?}");
    assert_eq!(journal.tip(), tip);
    assert_eq!(read_all(journal.reader().as_mut(), 1).unwrap(), expected.acked);
}

/// With only the tail checked, crashes are survived as well.
#[test]
fn the_tail_check_survives_power_loss() {
    let config = Config { check: OpenCheck::Tail, ..small() };
    for seed in 0..500 {
        let disk = SimDisk::new(seed);
        disk.fail_at(20 + seed % 30, Fault::PowerLoss);
        let mut expected = Expected::default();
        let context = format!("seed {seed}");
        assert_fault(run(&disk, &mut expected, seed, 12, &context), &context);
        disk.crash();
        expected.check(&open(&disk, config.clone()), &context);
    }
}
