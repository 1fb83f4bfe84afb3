//! The cases; each opens a fresh log and says in its name what holds.

use std::ops::ControlFlow;
use std::sync::mpsc::channel;

use super::{Fixture, append, body, group, read_all};
use crate::chain::ChainHash;
use crate::error::JournalError;
use crate::group::Group;
use crate::journal::{Entry, EntryRef, Epoch, Journal, MAX_ENTRY_BODY, Snapshot, Tip};

fn try_append(journal: &mut dyn Journal, epoch: Epoch, entries: &[Entry]) -> Result<u64, JournalError> {
    let refs: Vec<EntryRef<'_>> = entries.iter().map(Entry::as_ref).collect();
    journal.append(epoch, &refs).map(|appended| appended.last_seq)
}

pub fn an_empty_log_has_the_genesis(fixture: &mut dyn Fixture) {
    let mut journal = fixture.open();
    let genesis = ChainHash::genesis(journal.partition());
    let tip = Tip { last_seq: 0, last_hash: genesis, epoch: Epoch(0) };
    assert_eq!(journal.tip(), tip);
    let mut reader = journal.reader();
    assert_eq!(reader.tip(), tip);
    assert_eq!(reader.hash_at(0).unwrap(), Some(genesis));
    assert_eq!(read_all(reader.as_mut(), 1).unwrap(), []);
    assert!(matches!(reader.hash_at(1), Err(JournalError::BeyondTip { asked: 1, last: 0 })));
    assert_eq!(journal.latest_snapshot(1).unwrap(), None);
    // Nobody owns it yet.
    let entries = group(tip, &[(1, 8)]);
    let refused = try_append(journal.as_mut(), Epoch(0), &entries);
    assert!(matches!(refused, Err(JournalError::Fenced { .. })), "{refused:?}");
}

pub fn what_is_appended_is_read_back(fixture: &mut dyn Fixture) {
    let mut journal = fixture.open();
    journal.claim().unwrap();
    let mut expected = Vec::new();
    // Empty bodies, bodies around a sector, several entries to a group.
    for shape in [
        vec![(1, 0)],
        vec![(5, 1), (1, 7), (3, 8)],
        vec![(2, 511), (2, 512), (2, 513)],
        vec![(1, 407), (1, 408), (1, 409)],
        vec![(u32::MAX, 1200)],
        vec![(1, 3000)],
    ] {
        expected.extend(append(journal.as_mut(), &shape));
    }
    assert_eq!(read_all(journal.reader().as_mut(), 1).unwrap(), expected);
}

pub fn the_chain_follows_the_content(fixture: &mut dyn Fixture) {
    let mut journal = fixture.open();
    journal.claim().unwrap();
    let mut expected = append(journal.as_mut(), &[(2, 100), (1, 50)]);
    // Another claim changes the content, the grouping does not.
    journal.claim().unwrap();
    expected.extend(append(journal.as_mut(), &[(1, 20)]));
    let mut hash = ChainHash::genesis(journal.partition());
    let mut reader = journal.reader();
    for entry in &expected {
        hash = hash.link_entry(journal.partition(), entry.epoch, &entry.as_ref());
        assert_eq!(entry.hash, hash);
        assert_eq!(reader.hash_at(entry.last_seq()).unwrap(), Some(hash));
    }
    assert_eq!(reader.hash_at(1).unwrap(), None, "no entry ends at 1");
}

pub fn sequences_are_gapless(fixture: &mut dyn Fixture) {
    let mut journal = fixture.open();
    let epoch = journal.claim().unwrap();
    let first = append(journal.as_mut(), &[(3, 10)]);
    for wrong in [0, 1, 3, 5, u64::MAX] {
        let mut entries = group(journal.tip(), &[(1, 10)]);
        entries[0].first_seq = wrong;
        let refused = try_append(journal.as_mut(), epoch, &entries);
        let gap = matches!(refused,
            Err(JournalError::SequenceGap { expected: 4, found }) if found == wrong);
        assert!(gap, "{wrong}: {refused:?}");
    }
    // A gap within a group is one as well.
    let mut entries = group(journal.tip(), &[(1, 10), (1, 10)]);
    entries[1].first_seq += 1;
    let refused = try_append(journal.as_mut(), epoch, &entries);
    let gap = matches!(refused, Err(JournalError::SequenceGap { expected: 5, found: 6 }));
    assert!(gap, "{refused:?}");
    let second = append(journal.as_mut(), &[(1, 10)]);
    assert_eq!(read_all(journal.reader().as_mut(), 1).unwrap(), [first, second].concat());
}

pub fn a_refused_group_leaves_nothing(fixture: &mut dyn Fixture) {
    let mut journal = fixture.open();
    let epoch = journal.claim().unwrap();
    let first = append(journal.as_mut(), &[(1, 10)]);
    let tip = journal.tip();
    let refused = journal.append(epoch, &[]);
    assert!(matches!(refused, Err(JournalError::EmptyGroup)), "{refused:?}");
    let mut entries = group(tip, &[(1, 10), (2, 10)]);
    entries[1].count = 0;
    let refused = try_append(journal.as_mut(), epoch, &entries);
    assert!(matches!(refused, Err(JournalError::EmptyEntry { first_seq: 3 })), "{refused:?}");
    assert_eq!(journal.tip(), tip);
    assert_eq!(journal.reader().tip(), tip);
    drop(journal);
    let journal = fixture.open();
    assert_eq!(journal.tip(), tip);
    assert_eq!(read_all(journal.reader().as_mut(), 1).unwrap(), first);
}

pub fn older_claims_are_fenced(fixture: &mut dyn Fixture) {
    let mut journal = fixture.open();
    let old = journal.claim().unwrap();
    append(journal.as_mut(), &[(1, 10)]);
    let new = journal.claim().unwrap();
    assert!(old < new);
    for given in [Epoch(0), old, Epoch(new.0 + 1)] {
        let entries = group(journal.tip(), &[(1, 10)]);
        let refused = try_append(journal.as_mut(), given, &entries);
        let fenced = matches!(refused,
            Err(JournalError::Fenced { given: g, current }) if g == given && current == new);
        assert!(fenced, "{given:?}: {refused:?}");
    }
    append(journal.as_mut(), &[(1, 10)]);
    drop(journal);
    let mut journal = fixture.open();
    assert_eq!(journal.tip().epoch, new, "a claim is durable");
    let newer = journal.claim().unwrap();
    assert!(new < newer);
    let entries = group(journal.tip(), &[(1, 10)]);
    let refused = try_append(journal.as_mut(), new, &entries);
    assert!(matches!(refused, Err(JournalError::Fenced { .. })), "{refused:?}");
    drop(journal);
    assert_eq!(fixture.open().tip().epoch, newer, "also without an entry");
}

pub fn groups_are_filled_ahead(fixture: &mut dyn Fixture) {
    let mut journal = fixture.open();
    journal.claim().unwrap();
    let mut expected = append(journal.as_mut(), &[(1, 10)]);
    let partition = journal.partition();
    let fill = |tip, shape: &[(u32, usize)]| {
        let mut filled = Group::after(partition, tip);
        let mut entries = group(tip, shape);
        for entry in &mut entries {
            entry.hash = filled.push(entry.as_ref()).unwrap();
        }
        assert!(filled.entries().map(Entry::from).eq(entries.iter().cloned()));
        (filled, entries)
    };
    let (mut first, first_entries) = fill(journal.tip(), &[(2, 300), (1, 1000)]);
    let (mut second, second_entries) = fill(first.tip(), &[(1, 50)]);
    // The same sequences after another history.
    let elsewhere = Tip { last_hash: ChainHash([1; 32]), ..journal.tip() };
    let (mut forked, _) = fill(elsewhere, &[(2, 300), (1, 1000)]);
    let refused = journal.commit(&mut second);
    let gap = matches!(refused, Err(JournalError::SequenceGap { expected: 2, found: 5 }));
    assert!(gap, "{refused:?}");
    let refused = journal.commit(&mut forked);
    assert!(matches!(refused, Err(JournalError::Forked { .. })), "{refused:?}");
    let mut foreign = Group::after(partition + 1, journal.tip());
    foreign.push(first_entries[0].as_ref()).unwrap();
    let refused = journal.commit(&mut foreign);
    assert!(matches!(refused, Err(JournalError::Forked { .. })), "{refused:?}");

    journal.commit(&mut first).unwrap();
    let refused = journal.commit(&mut first);
    assert!(matches!(refused, Err(JournalError::SequenceGap { .. })), "twice: {refused:?}");
    journal.commit(&mut second).unwrap();
    assert_eq!(journal.tip(), second.tip());
    expected.extend(first_entries);
    expected.extend(second_entries);
    assert_eq!(read_all(journal.reader().as_mut(), 1).unwrap(), expected);

    // A group that was filled before another claim belongs to the old owner.
    second.restart(journal.tip());
    second.push(group(journal.tip(), &[(1, 10)])[0].as_ref()).unwrap();
    journal.claim().unwrap();
    let refused = journal.commit(&mut second);
    assert!(matches!(refused, Err(JournalError::Fenced { .. })), "{refused:?}");
    drop(journal);
    let journal = fixture.open();
    assert_eq!(read_all(journal.reader().as_mut(), 1).unwrap(), expected);
}

pub fn readers_see_the_durable_end(fixture: &mut dyn Fixture) {
    let mut journal = fixture.open();
    journal.claim().unwrap();
    let mut reader = journal.reader();
    let (mut next, mut seen, mut expected) = (1, Vec::new(), Vec::new());
    for round in 0..40 {
        assert_eq!(reader.read(next, usize::MAX, &mut seen).unwrap(), 0);
        expected.extend(append(journal.as_mut(), &[(2, 200), (1, 30 * round)]));
        assert_eq!(reader.tip(), journal.tip());
        assert_eq!(reader.read(next, usize::MAX, &mut seen).unwrap(), 2);
        next = seen.last().unwrap().last_seq() + 1;
    }
    assert_eq!(seen, expected);
}

pub fn a_follower_sees_every_entry_once(fixture: &mut dyn Fixture) {
    const GROUPS: u64 = 300;
    let mut journal = fixture.open();
    journal.claim().unwrap();
    let mut reader = journal.reader();
    let (done, finished) = channel::<()>();
    let follower = std::thread::spawn(move || {
        let (mut seen, mut next) = (Vec::new(), 1);
        loop {
            // Asked before reading: what was appended until then is read in this round.
            let last_round = finished.try_recv().is_ok();
            while 0 < reader.read(next, 4096, &mut seen).unwrap() {
                next = seen.last().unwrap().last_seq() + 1;
            }
            if last_round {
                return seen;
            }
            std::thread::yield_now();
        }
    });
    let mut expected = Vec::new();
    for round in 0..GROUPS {
        let len = usize::try_from(round % 17 * 40).unwrap();
        expected.extend(append(journal.as_mut(), &[(1, len), (3, 100)]));
    }
    done.send(()).unwrap();
    assert_eq!(follower.join().unwrap(), expected);
}

pub fn reopening_finds_everything(fixture: &mut dyn Fixture) {
    let mut expected = Vec::new();
    let mut tip = None;
    for round in 0..6 {
        let mut journal = fixture.open();
        if let Some(tip) = tip {
            assert_eq!(journal.tip(), tip);
        }
        assert_eq!(read_all(journal.reader().as_mut(), 1).unwrap(), expected);
        journal.claim().unwrap();
        for size in 0..round {
            expected.extend(append(journal.as_mut(), &[(1, 900 + size), (4, 77)]));
        }
        assert_eq!(read_all(journal.reader().as_mut(), 1).unwrap(), expected);
        tip = Some(journal.tip());
    }
}

pub fn scanning_starts_anywhere(fixture: &mut dyn Fixture) {
    let mut journal = fixture.open();
    journal.claim().unwrap();
    let mut expected = Vec::new();
    for round in 0..30 {
        expected.extend(append(journal.as_mut(), &[(3, 100 + round), (1, 500), (2, 1)]));
    }
    let last = journal.tip().last_seq;
    let mut reader = journal.reader();
    // Back and forth, so that nothing depends on where the reader stood before.
    for seq in (1..=last).rev().chain(1..=last) {
        let from = expected.iter().position(|entry| seq <= entry.last_seq()).unwrap();
        let mut seen = Vec::new();
        reader
            .scan(seq, &mut |stored| {
                seen.push(Entry::from(stored));
                if seen.len() < 4 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })
            .unwrap();
        let to = expected.len().min(from + 4);
        assert_eq!(seen, expected[from..to], "from {seq}");
    }
    assert_eq!(read_all(reader.as_mut(), last + 1).unwrap(), []);
    let before = read_all(reader.as_mut(), 0);
    assert!(matches!(before, Err(JournalError::BeforeFirst { asked: 0, first: 1 })), "{before:?}");
    let beyond = read_all(reader.as_mut(), last + 2);
    let refused = matches!(beyond,
        Err(JournalError::BeyondTip { asked, last: l }) if asked == last + 2 && l == last);
    assert!(refused, "{beyond:?}");
}

pub fn reads_are_bounded(fixture: &mut dyn Fixture) {
    let mut journal = fixture.open();
    journal.claim().unwrap();
    let expected = append(journal.as_mut(), &[(1, 100); 10]);
    let mut reader = journal.reader();
    for (max_bytes, entries) in [(0, 1), (1, 1), (100, 1), (101, 2), (350, 4), (usize::MAX, 10)] {
        let mut seen = Vec::new();
        assert_eq!(reader.read(1, max_bytes, &mut seen).unwrap(), entries, "{max_bytes}");
        assert_eq!(seen, expected[..entries]);
    }
}

pub fn large_entries_fit(fixture: &mut dyn Fixture) {
    let mut journal = fixture.open();
    journal.claim().unwrap();
    let mut expected = append(journal.as_mut(), &[(1, 10)]);
    for len in [3 << 10, 10, 40 << 10, 3 << 20, 10, MAX_ENTRY_BODY] {
        expected.extend(append(journal.as_mut(), &[(2, len)]));
    }
    expected.extend(append(journal.as_mut(), &[(1, 1 << 20), (1, 10), (1, 1 << 20)]));
    assert_eq!(read_all(journal.reader().as_mut(), 1).unwrap(), expected);
    drop(journal);
    let mut journal = fixture.open();
    assert_eq!(read_all(journal.reader().as_mut(), 1).unwrap(), expected);
    journal.claim().unwrap();
    expected.extend(append(journal.as_mut(), &[(1, 10)]));
    assert_eq!(read_all(journal.reader().as_mut(), 1).unwrap(), expected);
}

pub fn limits_are_refused(fixture: &mut dyn Fixture) {
    let mut journal = fixture.open();
    let epoch = journal.claim().unwrap();
    let large = body(1, MAX_ENTRY_BODY + 1);
    let entry = |first_seq, body| EntryRef { first_seq, count: 1, time_ns: 0, body };
    let refused = journal.append(epoch, &[entry(1, b"fits"), entry(2, &large)]);
    let too_large = matches!(refused,
        Err(JournalError::EntryTooLarge { first_seq: 2, bytes, max: MAX_ENTRY_BODY })
            if bytes == MAX_ENTRY_BODY + 1);
    assert!(too_large, "{refused:?}");
    let entries: Vec<EntryRef<'_>> = (1..=5).map(|seq| entry(seq, &large[..MAX_ENTRY_BODY])).collect();
    let refused = journal.append(epoch, &entries);
    assert!(matches!(refused, Err(JournalError::GroupTooLarge { .. })), "{refused:?}");
    assert_eq!(journal.tip().last_seq, 0);
    let expected = append(journal.as_mut(), &[(1, 10)]);
    assert_eq!(read_all(journal.reader().as_mut(), 1).unwrap(), expected);
}

fn snapshot(entry: &Entry, schema: u32, len: usize) -> Snapshot {
    Snapshot { seq: entry.last_seq(), chain_hash: entry.hash, state_hash: [7; 32], schema, bytes: body(entry.first_seq, len) }
}

pub fn snapshots_belong_to_the_chain(fixture: &mut dyn Fixture) {
    let mut journal = fixture.open();
    journal.claim().unwrap();
    let entries = append(journal.as_mut(), &[(3, 100), (2, 100), (1, 100)]);
    let good = snapshot(&entries[1], 1, 5000);
    for wrong in [
        Snapshot { seq: 0, ..good.clone() },
        Snapshot { seq: good.seq - 1, ..good.clone() },
        Snapshot { seq: good.seq + 1, ..good.clone() },
        Snapshot { seq: good.seq + 9, ..good.clone() },
        Snapshot { chain_hash: entries[0].hash, ..good.clone() },
    ] {
        let refused = journal.put_snapshot(&wrong);
        let mismatch = matches!(refused,
            Err(JournalError::SnapshotMismatch { seq }) if seq == wrong.seq);
        assert!(mismatch, "{refused:?}");
    }
    assert_eq!(journal.latest_snapshot(1).unwrap(), None);
    journal.put_snapshot(&good).unwrap();
    assert_eq!(journal.latest_snapshot(1).unwrap(), Some(good.clone()));
    assert_eq!(journal.latest_snapshot(2).unwrap(), None, "another schema is not for us");
    drop(journal);
    let journal = fixture.open();
    assert_eq!(journal.latest_snapshot(1).unwrap(), Some(good));
}

pub fn snapshots_are_kept_by_twos(fixture: &mut dyn Fixture) {
    let mut journal = fixture.open();
    journal.claim().unwrap();
    let mut snapshots = Vec::new();
    for schema in [1, 2, 2, 3] {
        let entries = append(journal.as_mut(), &[(2, 100)]);
        snapshots.push(snapshot(&entries[0], schema, 10));
        journal.put_snapshot(&snapshots[snapshots.len() - 1]).unwrap();
    }
    assert_eq!(journal.latest_snapshot(1).unwrap(), None, "only the last two are kept");
    assert_eq!(journal.latest_snapshot(2).unwrap().as_ref(), Some(&snapshots[2]));
    assert_eq!(journal.latest_snapshot(3).unwrap().as_ref(), Some(&snapshots[3]));
    let mut store = journal.snapshots();
    for (schema, until, expected) in
        [(3, snapshots[3].seq, Some(&snapshots[3])), (3, snapshots[3].seq - 1, None), (2, u64::MAX, Some(&snapshots[2]))]
    {
        assert_eq!(store.latest_until(schema, until).unwrap().as_ref(), expected, "schema {schema} until {until}");
    }
    // The same place again, with another state: the newer one counts.
    let again = Snapshot { state_hash: [8; 32], ..snapshots[3].clone() };
    journal.snapshots().put(&again).unwrap();
    assert_eq!(journal.latest_snapshot(3).unwrap(), Some(again));
}
