use super::*;
use oms_audit::{Checkpoint, SignerKey, Trusted, VerifierKey};
use oms_store::{EntryRef, Epoch, Journal, JournalReader, MemoryJournal};
use std::path::PathBuf;
use std::time::Duration;

const ORIGIN: &str = "oms.example/desk";
const ORDER: [u8; 16] = *b"sixteen bytes id";

/// A folder of its own for each test.
fn folder(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("oms-audit-{name}-{}", std::process::id()));
    let _gone = std::fs::remove_dir_all(&dir);
    dir
}

/// Appends `records` more; every third speaks of the order.
fn grow(journal: &mut MemoryJournal, records: u64) {
    let epoch = Epoch(Journal::tip(journal).epoch.0.max(1));
    if Journal::tip(journal).epoch.0 == 0 {
        assert_eq!(journal.claim().unwrap(), epoch);
    }
    for _ in 0..records {
        let first_seq = Journal::tip(journal).last_seq + 1;
        let body = if first_seq.is_multiple_of(3) { ORDER.to_vec() } else { first_seq.to_le_bytes().to_vec() };
        let count = u32::try_from(first_seq % 2).unwrap() + 1;
        journal.append(epoch, &[EntryRef { first_seq, count, time_ns: first_seq as i64, body: &body }]).unwrap();
    }
}

fn signing(dir: &Path) -> SignerKey {
    signer(dir, ORIGIN, || Ok([5; 32]), |text| Ok(text.to_owned()), Ok).unwrap()
}

fn follow(dir: &Path, reader: Box<dyn JournalReader>) -> Running {
    let config = Config { dir: dir.to_owned(), partition: 3, schema: 2, interval: Duration::from_secs(3_600) };
    start(config, signing(dir), reader).unwrap()
}

/// What is verified is the export.
fn intact(dir: &Path, journal: &MemoryJournal, key: &VerifierKey) -> oms_audit::Report {
    let checkpoints = Checkpoints::read(dir, key).unwrap();
    let trusted = Trusted { key: Some(key.clone()), checkpoint: None };
    verify(3, journal.reader().as_mut(), &checkpoints, key, &trusted).unwrap()
}

#[test]
fn a_log_is_signed_exported_and_proven() {
    let (dir, mut journal) = (folder("signed"), MemoryJournal::new(3));
    let running = follow(&dir, journal.reader());
    let trail = running.trail();
    assert!(matches!(trail.checkpoint(), Err(AuditError::NoCheckpoint)));
    let mut sizes = Vec::new();
    for records in [1, 299, 5, 700] {
        grow(&mut journal, records);
        sizes.push(trail.checkpoint().unwrap().size);
    }
    assert_eq!(sizes, [1, 300, 305, 1_005]);
    assert_eq!(trail.checkpoint().unwrap().size, 1_005, "nothing new, nothing to sign");
    let status = trail.status();
    assert_eq!((status.checkpoints, status.failed), (4, None));
    let key = public(&dir).unwrap();
    assert_eq!(&key, trail.key());
    let report = intact(&dir, &journal, &key);
    assert_eq!((report.findings, report.records, report.checkpoints.len()), (Vec::new(), 1_005, 4));

    let checkpoints = Checkpoints::read(&dir, &key).unwrap();
    let sequences = speaking_of(ORDER, journal.reader().as_mut(), u64::MAX).unwrap();
    assert!(sequences.len() > 300);
    let mut out = Vec::new();
    let tree = Tree::read(&dir).unwrap();
    // Events of other records than its own are left out.
    let asked = [&sequences[..], &[1, 2]].concat();
    let written = proof(&mut out, (ORDER, &asked), 3, journal.reader().as_mut(), (&checkpoints, &tree), &key).unwrap();
    assert_eq!(written, sequences.len());
    let mut grown = Vec::new();
    let first = checkpoints.note(checkpoints.places()[1]).unwrap();
    let (old, new) = consistency(&mut grown, &first, (&checkpoints, &tree), &key).unwrap();
    assert_eq!((old.size, new.size), (300, 1_005));
    let known = Trusted { key: Some(key.clone()), checkpoint: Some(first) };
    assert_eq!(oms_audit::verify(&grown[..], &known, |_, _| ()).unwrap().findings, []);

    // Whoever holds the checkpoints reads only what was appended.
    let held = std::sync::Arc::new(checkpoints);
    assert!(std::sync::Arc::ptr_eq(&held, &held.grown(&key).unwrap()));
    grow(&mut journal, 3);
    trail.checkpoint().unwrap();
    let later = held.grown(&key).unwrap();
    assert_eq!((later.places().len(), later.last().unwrap().size, held.places().len()), (5, 1_008, 4));
    assert_eq!(later.places(), Checkpoints::read(&dir, &key).unwrap().places());

    let trusted = Trusted { key: Some(key), checkpoint: None };
    let report = oms_audit::proof::verify(&out[..], &trusted, |_, _| ()).unwrap();
    assert_eq!((report.findings, report.records), (Vec::new(), sequences.len() as u64));
    running.stop();
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn the_last_records_are_signed_at_the_stop_and_the_next_start_goes_on() {
    let (dir, mut journal) = (folder("stop"), MemoryJournal::new(3));
    let running = follow(&dir, journal.reader());
    grow(&mut journal, 10);
    running.stop();
    grow(&mut journal, 600);
    let running = follow(&dir, journal.reader());
    let checkpoint = running.trail().checkpoint().unwrap();
    assert_eq!((checkpoint.size, checkpoint.previous), (610, 10));
    running.stop();
    assert!(intact(&dir, &journal, &public(&dir).unwrap()).is_intact());
    std::fs::remove_dir_all(dir).unwrap();
}

/// The signed checkpoints, as they stand in the file.
fn notes(dir: &Path) -> Vec<String> {
    let checkpoints = Checkpoints::read(dir, &public(dir).unwrap()).unwrap();
    checkpoints.places().iter().map(|place| checkpoints.note(*place).unwrap()).collect()
}

#[test]
fn wherever_the_process_dies_the_same_checkpoint_is_made_again() {
    let (dir, mut journal) = (folder("dies"), MemoryJournal::new(3));
    let running = follow(&dir, journal.reader());
    grow(&mut journal, 20);
    running.trail().checkpoint().unwrap();
    let before = std::fs::read(dir.join("checkpoints")).unwrap();
    grow(&mut journal, 300);
    running.stop();
    let (whole, made) = (std::fs::read(dir.join("checkpoints")).unwrap(), notes(&dir));
    assert_eq!(made.len(), 2);
    // The file ends anywhere within the second checkpoint; of the tree any part may have been written.
    for cut in before.len()..whole.len() {
        std::fs::write(dir.join("checkpoints"), &whole[..cut]).unwrap();
        if cut % 7 == 0 {
            let leaves = std::fs::read(dir.join("tree/0")).unwrap();
            std::fs::write(dir.join("tree/0"), &leaves[..(cut * 13) % leaves.len()]).unwrap();
        }
        follow(&dir, journal.reader()).stop();
        assert_eq!(std::fs::read(dir.join("checkpoints")).unwrap(), whole, "cut at {cut}");
    }
    assert!(intact(&dir, &journal, &public(&dir).unwrap()).is_intact());
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_tree_that_is_lost_or_wrong_is_made_again() {
    let (dir, mut journal) = (folder("tree"), MemoryJournal::new(3));
    grow(&mut journal, 700);
    follow(&dir, journal.reader()).stop();
    let good = |file: &str| std::fs::read(dir.join("tree").join(file)).unwrap();
    let (leaves, above) = (good("0"), good("8"));
    assert_eq!((leaves.len(), above.len(), good("16").len()), (700 * 32, 2 * 32, 0));
    let check = |what: &str| {
        follow(&dir, journal.reader()).stop();
        assert!(good("0") == leaves && good("8") == above, "{what}");
    };
    let mut wrong = above.clone();
    wrong[3] ^= 1;
    std::fs::write(dir.join("tree/8"), wrong).unwrap();
    check("a hash that is wrong");
    std::fs::remove_dir_all(dir.join("tree")).unwrap();
    check("no tree at all");
    assert_eq!(notes(&dir).len(), 1);
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn nothing_is_signed_for_a_log_that_is_another() {
    let (dir, mut journal) = (folder("another"), MemoryJournal::new(3));
    grow(&mut journal, 50);
    follow(&dir, journal.reader()).stop();
    let signed = notes(&dir);
    // A log that lost its end, and one that was written anew.
    let mut shorter = MemoryJournal::new(3);
    grow(&mut shorter, 40);
    let mut other = MemoryJournal::new(3);
    other.claim().unwrap();
    let body = b"something else".to_vec();
    other.append(Epoch(1), &[EntryRef { first_seq: 1, count: 2, time_ns: 1, body: &body }]).unwrap();
    grow(&mut other, 90);
    for (wrong, what) in [(shorter, "was signed up to"), (other, "another hash chain")] {
        let running = follow(&dir, wrong.reader());
        let failed = running.trail().checkpoint().unwrap_err().to_string();
        assert!(failed.contains(what), "{failed}");
        assert!(running.trail().status().failed.is_some_and(|failed| failed.contains(what)));
        running.stop();
        assert_eq!(notes(&dir), signed);
    }
    // What was lost is located.
    let mut shorter = MemoryJournal::new(3);
    grow(&mut shorter, 40);
    let report = intact(&dir, &shorter, &public(&dir).unwrap());
    assert!(matches!(report.findings[0].place, oms_audit::Place::Record { index: 40, .. }), "{:?}", report.findings);
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_key_is_made_once_and_lies_where_only_its_owner_reads() {
    use std::os::unix::fs::PermissionsExt;
    let dir = folder("key");
    let first = signing(&dir).verifier();
    let again = signer(&dir, ORIGIN, || panic!("there is a key"), |_| panic!("there is a key"), Ok).unwrap();
    assert_eq!(again.verifier(), first);
    assert_eq!(std::fs::metadata(dir.join("key")).unwrap().permissions().mode() & 0o777, 0o600);
    let other = signer(&dir, "oms.example/other", || Ok([1; 32]), |text| Ok(text.to_owned()), Ok);
    assert!(matches!(other, Err(AuditError::Note { .. })), "a key is of one origin");
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn records_and_chain_are_those_of_the_log() {
    let mut journal = MemoryJournal::new(3);
    grow(&mut journal, 9);
    let mut chain = oms_audit::record::genesis(3);
    assert_eq!(chain, oms_store::ChainHash::genesis(3).0);
    journal
        .reader()
        .scan(1, &mut |stored| {
            chain = record(3, &stored).chain(&chain);
            assert_eq!(chain, stored.hash.0);
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
}

#[test]
#[should_panic(expected = "one root is signed for a size")]
fn a_second_root_for_a_size_is_never_appended() {
    let dir = folder("second");
    std::fs::create_dir_all(&dir).unwrap();
    let key = SignerKey::new(ORIGIN, &[5; 32]).unwrap();
    let mut checkpoints = Checkpoints::open(&dir, &key.verifier()).unwrap();
    let of = |root| Checkpoint {
        origin: ORIGIN.to_owned(),
        size: 1,
        root,
        previous: 0,
        sequence: 1,
        time_ns: 0,
        chain: [0; 32],
        schema: 2,
        partition: 3,
    };
    checkpoints.append(of([1; 32]), &of([1; 32]).sign(&key).unwrap()).unwrap();
    checkpoints.append(of([2; 32]), &of([2; 32]).sign(&key).unwrap()).unwrap();
}

#[test]
fn a_person_who_is_erased_leaves_a_log_that_is_still_what_was_signed() {
    use oms_vault::{Keys, LocalMaster, Owner, Place, Sealed, Secret, VaultError};
    let (dir, mut journal) = (folder("erased"), MemoryJournal::new(3));
    let master = LocalMaster::parse(&LocalMaster::generate(1).unwrap()).unwrap();
    let keys = Keys::open(&dir.join("vault"), std::sync::Arc::new(master)).unwrap();
    let place = |row| Place { tenant: "1", table: "UserInvited", column: "email", row };
    let seal = |person: u128, row, text: &str| keys.seal(Owner::Subject(person), &place(row), &Secret::of(text)).unwrap();
    let bodies = [seal(7, "7", "her@example.org"), seal(9, "9", "his@example.org")];
    journal.claim().unwrap();
    for (body, first_seq) in bodies.iter().zip(1..) {
        journal.append(Epoch(1), &[EntryRef { first_seq, count: 1, time_ns: 1, body: body.bytes() }]).unwrap();
    }
    follow(&dir, journal.reader()).stop();
    let signed = notes(&dir);
    keys.destroy(7).unwrap();

    // The same bytes, the same root; only that nobody can read hers any more.
    let report = intact(&dir, &journal, &public(&dir).unwrap());
    assert_eq!((report.findings, report.records, notes(&dir)), (Vec::new(), 2, signed));
    let mut stored = Vec::new();
    journal.reader().as_mut().read(1, usize::MAX, &mut stored).unwrap();
    let read = |n: usize, person, row| keys.open_sealed(Owner::Subject(person), &place(row), &Sealed::read(&stored[n].body).unwrap());
    assert!(matches!(read(0, 7, "7"), Err(VaultError::Destroyed)));
    assert_eq!(read(1, 9, "9").unwrap().expose(), b"his@example.org");
    std::fs::remove_dir_all(dir).unwrap();
}
