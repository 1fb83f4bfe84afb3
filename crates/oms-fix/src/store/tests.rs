use std::sync::Arc;

use oms_store::disk::{Disk, Fault, SimDisk};
use oms_store::{Config as LogConfig, EmbeddedJournal, EntryRef, Journal, MemoryJournal};
use proptest::prelude::*;

use super::*;
use crate::session::config::{Config, Role, SessionId, WhenDown};
use crate::session::outbox::Outgoing;
use crate::session::{Input, Now, Session};

/// A session that stores what it is given, as one that nobody is logged on to.
fn session(id: &SessionId, stored: Stored) -> Session {
    let mut config = Config::new(id.clone(), Role::Acceptor);
    config.when_down = WhenDown::Store;
    Session::new(Arc::new(config), stored)
}

fn id(target: &str) -> SessionId {
    SessionId::fix44("US", target)
}

fn wait<T>(pending: Result<Pending<T>, StoreError>) -> Result<T, StoreError> {
    match pending? {
        Pending::Ready(value) => Ok(value),
        Pending::Later(receiver) => receiver.blocking_recv().unwrap_or_else(|_| Err(StoreError::Failed("gone".to_owned()))),
    }
}

fn send(session: &mut Session, out: &mut Outbox, text: &str) {
    let mut message = Outgoing::new(b"D");
    message.body.text(58, text);
    session.send(message, Now { mono: 1, utc: 1_000 }, out).unwrap();
}

/// The texts of the messages from `from` to `to`, read in pages of `page` bytes.
fn texts(store: &mut dyn MessageStore, from: u64, to: u64, page: usize) -> Vec<(u64, String)> {
    let (mut found, mut from) = (Vec::new(), from);
    while from <= to {
        let page = wait(store.fetch(Fetch { from, to }, page)).unwrap();
        assert!(from <= page.to && page.to <= to);
        found.extend(page.messages.iter().map(|(seq, message)| {
            let text = String::from_utf8_lossy(message).into_owned();
            (*seq, text.split('\u{1}').find_map(|field| field.strip_prefix("58=")).unwrap().to_owned())
        }));
        from = page.to + 1;
    }
    found
}

fn numbered(range: std::ops::RangeInclusive<u64>) -> Vec<(u64, String)> {
    range.map(|seq| (seq, format!("text{seq}"))).collect()
}

fn fill(store: &mut dyn MessageStore, session: &mut Session, count: u64) {
    let mut out = Outbox::default();
    for _ in 0..count {
        let text = format!("text{}", session.next_out());
        send(session, &mut out, &text);
        wait(store.commit(&out)).unwrap();
        out.clear();
    }
}

#[test]
fn both_stores_give_back_what_they_took() {
    let journal = JournalStore::open(Box::new(MemoryJournal::new(7))).unwrap();
    let stores: [Box<dyn MessageStore>; 2] = [Box::new(MemoryStore::default()), Box::new(journal.session(&id("A")))];
    for mut store in stores {
        let mut session = session(&id("A"), store.stored());
        fill(store.as_mut(), &mut session, 200);
        assert_eq!((store.stored().next_in, store.stored().next_out), (1, 201));
        assert_eq!(texts(store.as_mut(), 1, 200, 500), numbered(1..=200));
        assert_eq!(texts(store.as_mut(), 77, 130, 1), numbered(77..=130), "a page has at least one message");
        assert_eq!(texts(store.as_mut(), 201, 300, 500), []);
        let mut out = Outbox::default();
        session.step(Input::Reset, Now { mono: 2, utc: 2_000 }, &mut out);
        wait(store.commit(&out)).unwrap();
        assert_eq!(store.stored(), Stored { next_in: 1, next_out: 1, created: Some(2_000) });
        assert_eq!(texts(store.as_mut(), 1, 200, 500), [], "what was before a reset is void");
    }
}

#[test]
fn numbers_that_were_set_back_are_given_again() {
    let journal = JournalStore::open(Box::new(MemoryJournal::new(7))).unwrap();
    let stores: [Box<dyn MessageStore>; 2] = [Box::new(MemoryStore::default()), Box::new(journal.session(&id("A")))];
    for mut store in stores {
        let mut session = session(&id("A"), store.stored());
        fill(store.as_mut(), &mut session, 100);
        let mut out = Outbox::default();
        session.step(Input::SetNextOut(51), Now { mono: 2, utc: 2_000 }, &mut out);
        send(&mut session, &mut out, "again");
        wait(store.commit(&out)).unwrap();
        assert_eq!(store.stored().next_out, 52);
        let mut expected = numbered(40..=50);
        expected.push((51, "again".to_owned()));
        assert_eq!(texts(store.as_mut(), 40, 51, 300), expected);
    }
}

#[test]
fn a_log_is_read_again_when_it_is_opened() {
    let log = MemoryJournal::new(7);
    let (a, b) = (id("A"), id("B"));
    let journal = JournalStore::open(Box::new(log.clone())).unwrap();
    let (mut store_a, mut store_b) = (journal.session(&a), journal.session(&b));
    let (mut session_a, mut session_b) = (session(&a, Stored::default()), session(&b, Stored::default()));
    for _ in 0..100 {
        fill(&mut store_a, &mut session_a, 2);
        fill(&mut store_b, &mut session_b, 1);
    }
    drop((journal, store_a, store_b));
    let journal = JournalStore::open(Box::new(log)).unwrap();
    let (mut store_a, mut store_b) = (journal.session(&a), journal.session(&b));
    assert_eq!((store_a.stored().next_out, store_b.stored().next_out), (201, 101));
    assert_eq!(texts(&mut store_a, 1, 200, 1000), numbered(1..=200));
    assert_eq!(texts(&mut store_b, 50, 100, 1000), numbered(50..=100));
    assert_eq!(journal.session(&id("C")).stored(), Stored::default());
}

#[test]
fn a_log_of_something_else_is_refused() {
    let mut log = MemoryJournal::new(7);
    let epoch = log.claim().unwrap();
    log.append(epoch, &[EntryRef { first_seq: 1, count: 1, time_ns: 0, body: b"\xff\xff" }]).unwrap();
    assert!(matches!(JournalStore::open(Box::new(log)), Err(StoreError::Damaged { seq: 1, .. })));
}

#[test]
fn a_log_that_fails_takes_nothing_more() {
    let mut log = MemoryJournal::new(7);
    let journal = JournalStore::open(Box::new(log.clone())).unwrap();
    let mut store = journal.session(&id("A"));
    // Somebody else takes the log over.
    log.claim().unwrap();
    let mut session = session(&id("A"), Stored::default());
    let mut out = Outbox::default();
    send(&mut session, &mut out, "lost");
    for _ in 0..2 {
        assert!(matches!(wait(store.commit(&out)), Err(StoreError::Failed(_))));
    }
}

/// The power fails at every operation of the log's disk: what was acknowledged is there, with its
/// number, and what was not is there whole or not at all.
#[test]
fn acknowledged_batches_survive_a_crash_anywhere() {
    let log = LogConfig { segment_bytes: 8 << 10, prepare_ahead: false, ..LogConfig::default() };
    let open = |disk: &SimDisk| {
        let disk: Arc<dyn Disk> = Arc::new(disk.clone());
        JournalStore::open(Box::new(EmbeddedJournal::open(disk, log.clone()).map_err(StoreError::from)?))
    };
    let mut crashes = 0;
    for operation in 0.. {
        let disk = SimDisk::new(operation);
        disk.fail_from(operation, Fault::PowerLoss);
        let mut acknowledged = 0;
        let finished = open(&disk).is_ok_and(|journal| {
            let (mut store, mut session, mut out) = (journal.session(&id("A")), session(&id("A"), Stored::default()), Outbox::default());
            while acknowledged < 40 {
                let text = format!("text{}", session.next_out());
                send(&mut session, &mut out, &text);
                if wait(store.commit(&out)).is_err() {
                    return false;
                }
                out.clear();
                acknowledged += 1;
            }
            true
        });
        if finished {
            break;
        }
        crashes += 1;
        disk.crash();
        let journal = open(&disk).unwrap();
        let mut store = journal.session(&id("A"));
        let next = store.stored().next_out;
        assert!(acknowledged < next && next <= acknowledged + 2, "operation {operation}: {acknowledged} acknowledged, next {next}");
        assert_eq!(texts(&mut store, 1, next - 1, 400), numbered(1..=next - 1));
    }
    assert!(40 < crashes, "{crashes}");
}

/// Bytes that were stored once are read for ever.
#[test]
fn a_record_is_written_as_ever() {
    let log = MemoryJournal::new(7);
    let journal = JournalStore::open(Box::new(log.clone())).unwrap();
    let mut store = journal.session(&id("A"));
    let mut session = session(&id("A"), Stored::default());
    let mut out = Outbox::default();
    send(&mut session, &mut out, "x");
    wait(store.commit(&out)).unwrap();
    let mut entries = Vec::new();
    log.reader().read(1, 1 << 20, &mut entries).unwrap();
    let message = b"8=FIX.4.4\x019=51\x0135=D\x0134=1\x0149=US\x0152=19700101-00:00:00.000\x0156=A\x0158=x\x0110=213\x01";
    let mut golden = b"\x08\x01\x12\x0dFIX.4.4:US->A\x18\xe8\x07\x28\x02\x32\x4d\x08\x01\x12\x49".to_vec();
    golden.extend_from_slice(message);
    assert_eq!(String::from_utf8_lossy(&entries[0].body), String::from_utf8_lossy(&golden));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let _ = record::read(1, &bytes);
    }
}

#[test]
fn what_came_is_kept_until_it_was_dealt_with() {
    use crate::session::outbox::{Kept, Mark};
    let disk = SimDisk::new(3);
    let open = || JournalStore::open(Box::new(EmbeddedJournal::open(Arc::new(disk.clone()), LogConfig::default()).unwrap())).unwrap();
    let (own, other) = (id("A"), id("B"));
    {
        let journal = open();
        for id in [&own, &other] {
            let (mut store, mut session) = (journal.session(id), session(id, Stored::default()));
            for ordinal in 1..=5_u64 {
                let mut out = Outbox::default();
                send(&mut session, &mut out, &format!("text{ordinal}"));
                let kept = Kept { ordinal, seq: ordinal + 10, numbering: -7, received_at: 9 };
                out.keep_bytes(kept, format!("{id} {ordinal}").as_bytes());
                // How far it has come is told now and then.
                out.batch.mark = if ordinal == 4 { Mark { handled: Some(2), cursor: Some(99) } } else { Mark::default() };
                wait(store.commit(&out)).unwrap();
            }
        }
    }
    let journal = open();
    assert_eq!(journal.session(&own).progress(), Progress { taken: 5, mark: Mark { handled: Some(2), cursor: Some(99) } });
    let kept = journal.unhandled(&own).unwrap();
    let expected: Vec<(Kept, Vec<u8>)> = (3..=5)
        .map(|ordinal| (Kept { ordinal, seq: ordinal + 10, numbering: -7, received_at: 9 }, format!("{own} {ordinal}").into_bytes()))
        .collect();
    assert_eq!(kept, expected);
    // A reset of the numbers takes nothing of it away.
    let mut store = journal.session(&own);
    let mut session = session(&own, store.stored());
    let mut out = Outbox::default();
    session.step(Input::Reset, Now { mono: 2, utc: 2_000 }, &mut out);
    wait(store.commit(&out)).unwrap();
    assert_eq!(journal.unhandled(&own).unwrap(), expected);
    let mut out = Outbox::default();
    out.batch.mark.handled = Some(5);
    wait(store.commit(&out)).unwrap();
    assert_eq!(journal.unhandled(&own).unwrap(), []);
    assert_eq!(journal.unhandled(&other).unwrap().len(), 3);
    assert_eq!(journal.unhandled(&id("C")).unwrap(), []);
}
