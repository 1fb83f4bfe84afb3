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

/// The power fails at every operation of the disk: what was answered is there, whole.
#[test]
fn what_was_answered_survives_a_crash_anywhere() {
    let config = Config { segment_bytes: 8 << 10, prepare_ahead: false, ..Config::default() };
    let open = |disk: &SimDisk| {
        let disk: Arc<dyn Disk> = Arc::new(disk.clone());
        ControlLog::open(Box::new(EmbeddedJournal::open(disk, config.clone())?), clock())
    };
    let mut crashes = 0;
    for operation in 0.. {
        let disk = SimDisk::new(operation);
        disk.fail_from(operation, Fault::PowerLoss);
        let mut answered = 0;
        let finished = open(&disk).is_ok_and(|log| {
            while answered < 30 {
                if log.execute_blocking(Asked::console(), create(answered + 1)).is_err() {
                    return false;
                }
                answered += 1;
            }
            true
        });
        if finished {
            break;
        }
        crashes += 1;
        disk.crash();
        let log = open(&disk).unwrap();
        let found = log.state().tenants().count() as u128;
        assert!((answered..=answered + 1).contains(&found), "operation {operation}: {answered} answered, {found} found");
    }
    assert!(crashes > 30, "{crashes}");
}
