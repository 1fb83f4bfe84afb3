//! Group commit against the device itself.
//!
//! `append` hashes and writes in one call, as a simple owner does. `commit` takes groups that
//! another thread filled while the one before was written, as the running system does. `raw` writes
//! as many bytes with plain `O_DSYNC` writes into a file of zeros. The three take turns in the same
//! run, in blocks. Then a million events are read back.
//!
//! `cargo bench -p oms-store --bench journal [-- DIRECTORY]`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a measurement: it fails by panicking")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use oms_store::disk::{Disk, DiskFile, Mode, RealDisk};
use oms_store::{Config, EmbeddedJournal, EntryRef, Group, Journal, Tip};

const BODY: usize = 1200;
const EVENTS: u32 = 5;
const SEGMENT: u64 = 64 << 20;

/// Blocks per batch size; commits per block, and most bytes of one block.
const BLOCKS: usize = 40;
const COMMITS: usize = 100;
const BLOCK_BYTES: usize = 12 << 20;

fn main() {
    let base = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let base = base.map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = base.join(format!("oms-bench-{}", std::process::id()));
    println!("bodies of {BODY} bytes, {EVENTS} events each; one commit in us");
    println!("batch  way      events/s     p50     p99  of raw: total    p50");
    for batch in [8, 64, 512] {
        commits(&dir.join(batch.to_string()), batch);
    }
    recovery(&dir.join("scan"));
    std::fs::remove_dir_all(&dir).unwrap();
}

fn body(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8 + 1).collect()
}

fn entries(first_seq: u64, count: usize, body: &[u8]) -> Vec<EntryRef<'_>> {
    let entry = |at: usize| EntryRef { first_seq: first_seq + at as u64 * u64::from(EVENTS), count: EVENTS, time_ns: 0, body };
    (0..count).map(entry).collect()
}

fn open(dir: &Path) -> EmbeddedJournal {
    let config = Config { segment_bytes: SEGMENT, ..Config::default() };
    let mut journal = EmbeddedJournal::open_dir(dir, config).unwrap();
    journal.claim().unwrap();
    journal
}

/// Commits of one way: how long each took, and all of them with what was between them.
#[derive(Default)]
struct Times {
    each: Vec<Duration>,
    total: Duration,
}

impl Times {
    /// How long a commit took that `part` of a hundred did not exceed; after sorting.
    fn part(&self, part: usize) -> Duration {
        self.each[(self.each.len() - 1) * part / 100]
    }

    fn report(&self, way: &str, batch: usize, raw: &Times) {
        let events = (batch * self.each.len() * EVENTS as usize) as f64;
        println!(
            "{batch:5}  {way:6} {:10.0} {:7} {:7} {:14.2} {:6.2}",
            events / self.total.as_secs_f64(),
            self.part(50).as_micros(),
            self.part(99).as_micros(),
            raw.total.as_secs_f64() / self.total.as_secs_f64(),
            raw.part(50).as_secs_f64() / self.part(50).as_secs_f64(),
        );
    }
}

fn commits(dir: &Path, batch: usize) {
    let body = body(BODY);
    let mut appending = open(&dir.join("append"));
    let mut committing = open(&dir.join("commit"));
    let raw_disk = RealDisk::create_dir(&dir.join("raw")).unwrap();
    let raw = raw_disk.create("raw", SEGMENT, Mode::Durable).unwrap();
    // As the log stores it: a header of 104 bytes with every body, filled to a sector.
    let bytes = vec![0x5a; (batch * (BODY + 104)).next_multiple_of(512)];
    let rounds = COMMITS.min(BLOCK_BYTES / bytes.len());
    let (mut append, mut commit, mut plain) = (Times::default(), Times::default(), Times::default());
    let mut at = 0;
    for _ in 0..BLOCKS {
        append_block(&mut appending, &body, batch, rounds, &mut append);
        commit_block(&mut committing, &body, batch, rounds, &mut commit);
        raw_block(raw.as_ref(), &bytes, &mut at, rounds, &mut plain);
    }
    for times in [&mut append, &mut commit, &mut plain] {
        times.each.sort();
    }
    append.report("append", batch, &plain);
    commit.report("commit", batch, &plain);
    plain.report("raw", batch, &plain);
}

fn append_block(journal: &mut EmbeddedJournal, body: &[u8], batch: usize, rounds: usize, times: &mut Times) {
    let block = Instant::now();
    for _ in 0..rounds {
        let group = entries(journal.tip().last_seq + 1, batch, body);
        let start = Instant::now();
        journal.append(journal.tip().epoch, &group).unwrap();
        times.each.push(start.elapsed());
    }
    times.total += block.elapsed();
}

fn commit_block(journal: &mut EmbeddedJournal, body: &[u8], batch: usize, rounds: usize, times: &mut Times) {
    let tip = journal.tip();
    // Two groups: one is written while the other is filled.
    let (filled_tx, filled) = sync_channel(2);
    let (empty, empty_rx) = sync_channel(2);
    let block = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(move || fill(tip, body, batch, rounds, &empty_rx, &filled_tx));
        for _ in 0..2 {
            empty.send(Group::after(0, tip)).unwrap();
        }
        for _ in 0..rounds {
            let mut group = filled.recv().unwrap();
            let start = Instant::now();
            journal.commit(&mut group).unwrap();
            times.each.push(start.elapsed());
            // The filling thread is done when nobody takes it.
            let _ = empty.send(group);
        }
    });
    times.total += block.elapsed();
}

fn fill(mut tip: Tip, body: &[u8], batch: usize, rounds: usize, empty: &Receiver<Group>, filled: &SyncSender<Group>) {
    for _ in 0..rounds {
        let mut group = empty.recv().unwrap();
        group.restart(tip);
        for entry in entries(tip.last_seq + 1, batch, body) {
            group.push(entry).unwrap();
        }
        tip = group.tip();
        filled.send(group).unwrap();
    }
}

fn raw_block(file: &dyn DiskFile, bytes: &[u8], at: &mut u64, rounds: usize, times: &mut Times) {
    let block = Instant::now();
    for _ in 0..rounds {
        if SEGMENT < *at + bytes.len() as u64 {
            *at = 0;
        }
        let start = Instant::now();
        file.write_at(*at, bytes).unwrap();
        times.each.push(start.elapsed());
        *at += bytes.len() as u64;
    }
    times.total += block.elapsed();
}

/// Opens and scans a log of a million events.
fn recovery(dir: &Path) {
    let body = body(250 * EVENTS as usize);
    let mut journal = open(dir);
    let epoch = journal.tip().epoch;
    while journal.tip().last_seq < 1_000_000 {
        let group = entries(journal.tip().last_seq + 1, 2000, &body);
        journal.append(epoch, &group).unwrap();
    }
    drop(journal);
    let start = Instant::now();
    let journal = EmbeddedJournal::open_dir(dir, Config::default()).unwrap();
    println!("open with everything checked: {:?}", start.elapsed());
    let mut reader = journal.reader();
    for _ in 0..3 {
        let (mut events, mut bytes) = (0_u64, 0);
        let start = Instant::now();
        reader
            .scan(1, &mut |stored| {
                events += u64::from(stored.entry.count);
                bytes += stored.entry.body.len();
                ControlFlow::Continue(())
            })
            .unwrap();
        let seconds = start.elapsed().as_secs_f64();
        println!("scan: {events} events, {:.2} M events/s, {:.0} MB/s", events as f64 / seconds / 1e6, bytes as f64 / seconds / 1e6);
    }
}
