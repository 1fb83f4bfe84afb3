use oms_store::{Entry, Journal, JournalError, MemoryJournal, StoredEntry, Tip};
use proptest::prelude::*;

use super::super::index::SessionIndex;
use super::super::journal::JournalStore;
use super::super::{MessageStore as _, SessionJournal};
use super::*;
use crate::session::config::SessionId;
use crate::session::outbox::{Acted, Kept, Outbox};

/// Remembers all that it was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Tape {
    name: &'static str,
    lines: Vec<String>,
}

impl Fold for Tape {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn take(&mut self, session: &str, past: Recorded<'_>) {
        self.lines.push(format!("{session} {past:?}"));
    }

    fn save(&self, out: &mut Vec<u8>) {
        out.many(self.lines.iter(), |out, line| out.text(line));
    }

    fn load(&mut self, saved: &[u8]) -> Option<()> {
        let mut saved = Packed(saved);
        self.lines = saved.many(|saved| saved.text().map(str::to_owned))?;
        saved.is_over().then_some(())
    }
}

fn tapes() -> Vec<Tape> {
    ["one", "other"].map(|name| Tape { name, lines: Vec::new() }).into()
}

/// A log without checkpoints.
struct Without;

impl SnapshotStore for Without {
    fn put(&mut self, _: &Snapshot) -> Result<(), JournalError> {
        Ok(())
    }

    fn latest_until(&mut self, _: u32, _: u64) -> Result<Option<Snapshot>, JournalError> {
        Ok(None)
    }
}

/// A reader that counts the entries that it gives.
struct Counting(Box<dyn JournalReader>, u64);

impl JournalReader for Counting {
    fn tip(&self) -> Tip {
        self.0.tip()
    }

    fn scan(&mut self, from: u64, visit: &mut dyn FnMut(StoredEntry<'_>) -> ControlFlow<()>) -> Result<(), JournalError> {
        let Self(reader, count) = self;
        reader.scan(from, &mut |stored| {
            *count += 1;
            visit(stored)
        })
    }

    fn read(&mut self, from: u64, max_bytes: usize, out: &mut Vec<Entry>) -> Result<usize, JournalError> {
        self.0.read(from, max_bytes, out)
    }

    fn hash_at(&mut self, seq: u64) -> Result<Option<ChainHash>, JournalError> {
        self.0.hash_at(seq)
    }
}

static GO_ON: AtomicBool = AtomicBool::new(false);

type Content = (BTreeMap<String, SessionIndex>, Vec<Tape>, Option<(u64, ChainHash)>);

/// What is known at a start, and how many entries were read for it.
fn known(journal: &MemoryJournal, checkpoints: &mut dyn SnapshotStore, empty: &[Tape]) -> (Content, u64) {
    let mut reader = Counting(journal.reader(), 0);
    let known = Known::read(&mut reader, checkpoints, empty, &GO_ON).unwrap().unwrap();
    ((known.sessions, known.folds, known.at), reader.1)
}

fn whole(journal: &MemoryJournal) -> Content {
    known(journal, &mut Without, &tapes()).0
}

fn checkpoint(journal: &MemoryJournal) {
    keep(journal.reader().as_mut(), journal.snapshots().as_mut(), &tapes(), &GO_ON).unwrap();
}

/// A step of a session.
#[derive(Clone, Debug)]
enum Step {
    Sends(u64, Vec<u8>),
    Keeps(u64, Vec<u8>),
    Moves(u64),
    Resets(i64),
    Handles(u64),
    Acts(String),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1_u64..400, prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(seq, bytes)| Step::Sends(seq, bytes)),
        3 => (1_u64..40, prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(ordinal, bytes)| Step::Keeps(ordinal, bytes)),
        2 => (1_u64..400).prop_map(Step::Moves),
        1 => any::<i64>().prop_map(Step::Resets),
        2 => (0_u64..40).prop_map(Step::Handles),
        1 => "[a-z]{0,8}".prop_map(Step::Acts),
    ]
}

fn outbox(step: &Step) -> Outbox {
    let mut outbox = Outbox::default();
    match step {
        Step::Sends(seq, bytes) => {
            outbox.store_bytes(*seq, bytes);
            outbox.batch.next_out = Some(seq + 1);
        }
        Step::Keeps(ordinal, bytes) => outbox.keep_bytes(Kept { ordinal: *ordinal, seq: 3, numbering: -1, received_at: 9 }, bytes),
        Step::Moves(next_in) => outbox.batch.next_in = Some(*next_in),
        Step::Resets(at) => outbox.batch.reset = Some(*at),
        Step::Handles(handled) => outbox.batch.mark.handled = Some(*handled),
        Step::Acts(action) => {
            let acted = Acted { at: 5, actor: "someone".into(), action: action.clone(), reason: "why".into() };
            outbox.batch.actions.push(acted);
        }
    }
    outbox
}

fn sessions(store: &JournalStore) -> [SessionJournal; 2] {
    ["A", "B"].map(|target| store.session(&SessionId::fix44("US", target)))
}

fn write(sessions: &mut [SessionJournal; 2], steps: &[(bool, Step)]) {
    for (second, step) in steps {
        sessions[usize::from(*second)].commit(&outbox(step)).unwrap().wait_blocking().unwrap();
    }
}

/// So many messages of one session.
fn messages(count: u64) -> Vec<(bool, Step)> {
    (1..=count).map(|seq| (false, Step::Sends(seq, format!("message {seq}").into_bytes()))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Wherever there were checkpoints, and whichever of them is left: a start knows what a reading of all would tell it.
    #[test]
    fn a_start_knows_what_the_whole_log_says(
        pieces in prop::collection::vec(prop::collection::vec((any::<bool>(), step()), 0..40), 1..6),
    ) {
        let journal = MemoryJournal::new(7);
        let store = JournalStore::open(Box::new(journal.clone())).unwrap();
        let mut both = sessions(&store);
        for piece in &pieces {
            write(&mut both, piece);
            let (found, read) = known(&journal, journal.snapshots().as_mut(), &tapes());
            prop_assert_eq!(&found, &whole(&journal));
            prop_assert_eq!(read, piece.len() as u64, "what came since the last checkpoint and nothing else");
            checkpoint(&journal);
        }
        // Another process knows the same of the sessions.
        drop((both, store));
        let (again, folds) = JournalStore::open_with(Box::new(journal.clone()), tapes()).unwrap();
        let all = whole(&journal);
        prop_assert_eq!(&folds, &all.1);
        for session in sessions(&again) {
            prop_assert_eq!(session.stored(), all.0.get(session.name()).map(|one| one.stored).unwrap_or_default());
        }
    }
}

#[test]
fn a_checkpoint_that_is_damaged_or_of_something_else_is_passed_over_and_all_is_read() {
    let journal = MemoryJournal::new(7);
    let store = JournalStore::open(Box::new(journal.clone())).unwrap();
    write(&mut sessions(&store), &messages(30));
    checkpoint(&journal);
    let good = journal.snapshots().latest(SCHEMA).unwrap().unwrap();
    write(&mut sessions(&store), &messages(5));
    let expected = whole(&journal);
    let empty = tapes();
    assert_eq!(known(&journal, journal.snapshots().as_mut(), &empty), (expected.clone(), 5));

    let mut flipped = good.clone();
    *flipped.bytes.last_mut().unwrap() ^= 1;
    let mut cut = good.clone();
    cut.bytes.pop();
    cut.state_hash = hash_of(&cut.bytes);
    let mut longer = good.clone();
    longer.bytes.push(0);
    longer.state_hash = hash_of(&longer.bytes);
    let older = Snapshot { schema: SCHEMA - 1, ..good.clone() };
    for damaged in [flipped, cut, longer, older] {
        journal.snapshots().put(&damaged).unwrap();
        assert_eq!(known(&journal, journal.snapshots().as_mut(), &empty), (expected.clone(), 35));
    }
    journal.snapshots().put(&good).unwrap();
    // Another venue, or another dialect of one.
    let others = vec![Tape { name: "third", lines: Vec::new() }];
    let (found, read) = known(&journal, journal.snapshots().as_mut(), &others);
    assert_eq!((found.1[0].lines.len(), read), (35, 35));
    // The next checkpoint is of what there is now.
    keep(journal.reader().as_mut(), journal.snapshots().as_mut(), &others, &GO_ON).unwrap();
    assert_eq!(known(&journal, journal.snapshots().as_mut(), &others), (found, 0));
}

#[test]
fn the_keeper_makes_one_when_it_is_woken_and_ends_when_it_is_told() {
    let journal = MemoryJournal::new(7);
    let store = JournalStore::open(Box::new(journal.clone())).unwrap();
    write(&mut sessions(&store), &messages(3));
    let keeper = Keeper::start(journal.reader(), journal.snapshots(), tapes()).unwrap();
    let wake = keeper.wake().unwrap();
    // One is served, one waits, and there is room for the third only once the first is done.
    (0..3).for_each(|_| wake.send(()).unwrap());
    drop(wake);
    drop(keeper);
    assert_eq!(journal.snapshots().latest(SCHEMA).unwrap().unwrap().seq, 3);
}

#[test]
fn one_that_is_stopped_keeps_nothing() {
    let journal = MemoryJournal::new(7);
    let store = JournalStore::open(Box::new(journal.clone())).unwrap();
    write(&mut sessions(&store), &messages(3));
    keep(journal.reader().as_mut(), journal.snapshots().as_mut(), &tapes(), &AtomicBool::new(true)).unwrap();
    assert_eq!(journal.snapshots().latest(SCHEMA).unwrap(), None);
}
