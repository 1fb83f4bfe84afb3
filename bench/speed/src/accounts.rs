//! How long the accounts take to be there at a start: a control log of many entries, with and without a snapshot.

use oms_auth::{Cadence, ControlLog, system_clock};
use oms_identity::event::{By, MemberSet, SessionOpened, SessionRefreshed, SessionRevoked, SignInFailed, TenantCreated, UserCreated};
use oms_identity::{Batch, Event, Role, Scopes};
use oms_model::{SessionId, TenantId, Time, TraceId, UserId};
use oms_store::codec::encode_control;
use oms_store::{Config, EmbeddedJournal, EntryRef, Journal, OpenCheck};
use std::path::Path;
use std::time::Instant;

/// Users of the installation; what they do is spread over them.
const USERS: u128 = 10_000;
/// Entries that are written at once.
const GROUP: usize = 256;
const SECOND: i64 = 1_000_000_000;
const NEVER: Cadence = Cadence { every: u64::MAX, at_stop: u64::MAX };

pub fn run(dir: &Path, entries: u64) {
    let log = dir.join("control");
    fill(&log, entries);
    for (what, check) in [("everything is checked", OpenCheck::Everything), ("the tail is checked", OpenCheck::Tail)] {
        let (opening, reading) = start(&log, check, NEVER);
        println!("without snapshot, {what}: {opening:.3} s to open the log, {reading:.3} s to read {entries} entries");
    }
    // Leaves a snapshot as it stops.
    start(&log, OpenCheck::Tail, Cadence { every: u64::MAX, at_stop: 1 });
    for (what, check) in [("everything is checked", OpenCheck::Everything), ("the tail is checked", OpenCheck::Tail)] {
        let (opening, reading) = start(&log, check, NEVER);
        println!("with a snapshot, {what}: {opening:.3} s to open the log, {reading:.3} s to read it");
    }
}

/// Seconds that it takes to open the log, and to have the state.
fn start(log: &Path, check: OpenCheck, cadence: Cadence) -> (f64, f64) {
    let began = Instant::now();
    let journal =
        EmbeddedJournal::open_dir(log, Config { check, segment_bytes: 1 << 20, prepare_ahead: false, ..Config::default() }).unwrap();
    let opening = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let accounts = ControlLog::open_with(Box::new(journal), system_clock(), cadence, None).unwrap();
    let reading = began.elapsed().as_secs_f64();
    assert!(accounts.recovery().refused.is_none());
    assert_eq!(accounts.state().users().count() as u128, USERS);
    (opening, reading)
}

/// What happens in an installation: users, then people who sign in, mistype, renew their tokens and sign out.
fn fill(log: &Path, entries: u64) {
    let mut journal = EmbeddedJournal::open_dir(log, Config { segment_bytes: 1 << 20, prepare_ahead: false, ..Config::default() }).unwrap();
    let epoch = journal.claim().unwrap();
    let mut bodies: Vec<(i64, Vec<u8>)> = Vec::with_capacity(GROUP);
    for n in 0..entries {
        let batch = entry(u128::from(n));
        let mut body = Vec::new();
        encode_control(&batch, &mut body);
        bodies.push((batch.time.0, body));
        if bodies.len() == GROUP || n + 1 == entries {
            let first = journal.tip().last_seq + 1;
            let group: Vec<EntryRef<'_>> = (first..)
                .zip(&bodies)
                .map(|(first_seq, (time_ns, body))| EntryRef { first_seq, count: 1, time_ns: *time_ns, body })
                .collect();
            journal.append(epoch, &group).unwrap();
            bodies.clear();
        }
    }
}

fn entry(n: u128) -> Batch {
    let (tenant_id, user_id) = (TenantId::from_u128(1), UserId::from_u128(1 + n % USERS));
    let time = Time(n as i64 * SECOND);
    let session_id = SessionId::from_u128(n / 4);
    let expires_at = Time(time.0 + 7 * 24 * 3_600 * SECOND);
    let events: Vec<Event> = if n < USERS {
        let user = UserCreated {
            user_id,
            email: format!("user{n}@example.com").into(),
            name: format!("User {n}").into(),
            password: Some("$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g".to_owned()),
            break_glass: false,
        };
        let member = MemberSet { tenant_id, user_id, role: Role::Trader, extra: Scopes::NONE };
        let tenant = TenantCreated { tenant_id, name: "desk".to_owned() };
        let first = (n == 0).then(|| tenant.into());
        first.into_iter().chain([user.into(), member.into()]).collect()
    } else {
        match n % 4 {
            0 => vec![SessionOpened { session_id, user_id, tenant_id, cookie: false, mfa: false, expires_at }.into()],
            1 => vec![SessionRefreshed { session_id, generation: 2, expires_at }.into()],
            2 => vec![SignInFailed { account: [(n % 251) as u8; 32], ip: "192.0.2.1".parse().ok() }.into()],
            _ => vec![SessionRevoked { session_id, reason: "signed out".to_owned() }.into()],
        }
    };
    let by = By { tenant_id, user_id: Some(user_id), ip: "192.0.2.1".parse().ok(), user_agent: "Mozilla/5.0".to_owned(), ..By::default() };
    Batch { time, by, trace_id: TraceId::from_u128(n + 1), events }
}
