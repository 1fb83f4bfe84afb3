use super::*;
use oms_identity::event::TenantCreated;
use oms_model::TenantId;
use oms_store::disk::{Disk, Fault, SimDisk};
use oms_store::{Config, EmbeddedJournal, EntryRef, MemoryJournal};

fn create(n: u128) -> Command {
    Command::CreateTenant(TenantCreated { tenant_id: TenantId::from_u128(n), name: format!("tenant {n}") })
}

fn clock() -> Clock {
    Arc::new(|| Time(7))
}

#[test]
fn commands_see_what_was_decided_before_them_and_readers_what_is_durable() {
    let log = ControlLog::open(Box::new(MemoryJournal::new(9)), clock()).unwrap();
    let answers: Vec<Answer> = [1, 1, 2].map(|n| log.submit(Asked::console(), TraceId::default(), create(n)).unwrap()).into();
    let codes: Vec<Option<Code>> =
        answers.into_iter().map(|answer| answer.0.blocking_recv().unwrap().err().map(|refusal| refusal.code)).collect();
    assert_eq!(codes, [None, Some(Code::StateConflict), None]);
    assert_eq!((log.state().tenants().count(), log.state().batches()), (2, 2));
}

#[test]
fn a_log_of_something_else_is_refused() {
    let mut journal = MemoryJournal::new(9);
    let epoch = journal.claim().unwrap();
    journal.append(epoch, &[EntryRef { first_seq: 1, count: 1, time_ns: 0, body: b"\x08\x02" }]).unwrap();
    assert!(matches!(ControlLog::open(Box::new(journal), clock()), Err(LogError::Decode { seq: 1, .. })));
}

#[test]
fn a_log_that_fails_takes_nothing_more_and_is_still_read() {
    let mut journal = MemoryJournal::new(9);
    let log = ControlLog::open(Box::new(journal.clone()), clock()).unwrap();
    log.execute_blocking(Asked::console(), create(1)).unwrap();
    // Somebody else takes the log over.
    journal.claim().unwrap();
    for n in [2, 3] {
        assert_eq!(log.execute_blocking(Asked::console(), create(n)).unwrap_err().code, Code::Overloaded);
    }
    assert_eq!(log.state().tenants().count(), 1);
}

/// The power fails at every operation of the disk, also at those that store a snapshot: what was answered is there, whole, and
/// a start with the snapshot that is left tells what the log tells.
#[test]
fn what_was_answered_survives_a_crash_anywhere() {
    for (cadence, least) in [(Cadence::default(), 30), (Cadence { every: 3, at_stop: 1 }, 60)] {
        let mut crashes = 0;
        while crash_at(crashes, cadence) {
            crashes += 1;
        }
        assert!(crashes > least, "{crashes}");
    }
}

/// Whether the power failed before all was done.
fn crash_at(operation: u64, cadence: Cadence) -> bool {
    let config = Config { segment_bytes: 8 << 10, prepare_ahead: false, ..Config::default() };
    let journal = |disk: &SimDisk| {
        let disk: Arc<dyn Disk> = Arc::new(disk.clone());
        EmbeddedJournal::open(disk, config.clone())
    };
    let open = |disk: &SimDisk| ControlLog::open_with(Box::new(journal(disk)?), clock(), cadence, None);
    let disk = SimDisk::new(operation);
    disk.fail_from(operation, Fault::PowerLoss);
    let mut answered = 0;
    if let Ok(log) = open(&disk) {
        while answered < 30 && log.execute_blocking(Asked::console(), create(answered + 1)).is_ok() {
            answered += 1;
        }
    }
    if disk.operations() <= operation {
        return false;
    }
    disk.crash();
    let log = open(&disk).unwrap();
    let found = log.state().tenants().count() as u128;
    assert!((answered..=answered + 1).contains(&found), "operation {operation}: {answered} answered, {found} found");
    let told = log.state().clone();
    drop(log);
    assert!(told == snapshot::tests::whole(&journal(&disk).unwrap()), "operation {operation}");
    true
}
