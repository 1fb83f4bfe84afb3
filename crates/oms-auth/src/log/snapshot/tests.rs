use super::*;
use crate::log::{Clock, ControlLog};
use oms_identity::event::{
    ApiKeyCreated, ApiKeyRotated, Invited, MemberSet, ProfileChanged, SessionOpened, SigningKeyAdded, TenantCreated, UserCreated,
};
use oms_identity::{Asked, Command, Joining, Role, Scopes};
use oms_model::{ApiKeyId, InvitationId, SessionId, TenantId, Time, UserId};
use oms_store::{Config, EmbeddedJournal, MemoryJournal};
use proptest::prelude::*;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const OFTEN: Cadence = Cadence { every: 5, at_stop: 1 };
const NEVER: Cadence = Cadence { every: u64::MAX, at_stop: u64::MAX };
const HOUR: i64 = 3_600_000_000_000;

/// A clock that goes an hour further each time it is looked at, so that what has an end comes to it.
fn clock() -> Clock {
    let time = AtomicI64::new(0);
    Arc::new(move || Time(time.fetch_add(HOUR, Ordering::Relaxed)))
}

/// Something that may be asked, about a few tenants, users, sessions and keys; `n` is one that nothing had before.
fn command(kind: u8, a: u128, n: u128) -> Command {
    let (tenant_id, user_id) = (TenantId::from_u128(1 + a % 2), UserId::from_u128(1 + a % 5));
    let (invitation_id, session_id, api_key_id) = (InvitationId::from_u128(n), SessionId::from_u128(n), ApiKeyId::from_u128(n));
    let (one, hash) = (1 + a % 40, |n: u128| {
        let mut hash = [0; 32];
        hash[..16].copy_from_slice(&n.to_be_bytes());
        hash
    });
    let (soon, email) = (Time(i64::try_from(n).unwrap() * HOUR + 20 * HOUR), format!("user{}@example.com", 1 + a % 5));
    let account = hash(a % 7);
    match kind % 19 {
        0 => Command::CreateTenant(TenantCreated { tenant_id, name: format!("tenant {tenant_id}") }),
        1 => Command::CreateUser(UserCreated {
            user_id,
            email: email.into(),
            name: "A".into(),
            password: None,
            break_glass: a.is_multiple_of(2),
        }),
        2 => Command::SetMember(MemberSet { tenant_id, user_id, role: Role::Admin, extra: Scopes::NONE }),
        3 => Command::OpenSession {
            session: SessionOpened { session_id, user_id, tenant_id, cookie: a.is_multiple_of(3), mfa: true, expires_at: soon },
            account,
        },
        4 => Command::RefreshSession { session_id: SessionId::from_u128(one), generation: 1, expires_at: soon },
        5 => Command::RevokeSession { session_id: SessionId::from_u128(one), reason: "x".to_owned() },
        6 => Command::FailSignIn { account },
        7 => Command::CreateApiKey(ApiKeyCreated {
            api_key_id,
            tenant_id,
            user_id,
            name: "bot".to_owned(),
            prefix: "p".to_owned(),
            sha256: hash(n),
            scopes: Role::Viewer.scopes(),
            expires_at: Some(soon),
            nets: vec!["10.0.0.0/8".parse().unwrap()],
        }),
        8 => {
            let api_key_id = ApiKeyId::from_u128(one);
            Command::RotateApiKey(ApiKeyRotated { api_key_id, prefix: "q".to_owned(), sha256: hash(n), old_until: soon })
        }
        9 => Command::RevokeApiKey { api_key_id: ApiKeyId::from_u128(one) },
        10 => Command::UseApiKey { api_key_id: ApiKeyId::from_u128(one) },
        11 => {
            let (role, extra, sha256) = (Role::Trader, Scopes::NONE, hash(n));
            Command::Invite(Invited { invitation_id, tenant_id, email: email.into(), role, extra, sha256, expires_at: soon })
        }
        12 => Command::AcceptInvitation {
            sha256: hash(one),
            joining: Joining::New { user_id, name: "B".to_owned(), password: "$".to_owned() },
        },
        13 => Command::EnrolTotp { user_id, secret: Box::new([7; 40]) },
        14 => Command::ConfirmTotp { user_id, step: 4, recovery: vec![hash(n), hash(a)] },
        15 => Command::ChangeProfile(ProfileChanged { user_id, name: format!("N{n}").into(), time_zone: "Europe/Berlin".to_owned() }),
        16 => Command::RemoveMember { tenant_id, user_id },
        17 => Command::EraseUser { user_id },
        _ => Command::AddSigningKey(SigningKeyAdded {
            kid: format!("k{n}"),
            public: hash(n),
            secret: Box::new([9]),
            sign_from: soon,
            good_until: Time(soon.0 + 30 * HOUR),
        }),
    }
}

fn ask(log: &ControlLog, commands: &[(u8, u8)], from: usize) {
    for (n, (kind, a)) in commands.iter().enumerate() {
        // Refusals are part of it: they leave nothing behind.
        drop(log.execute_blocking(Asked::console(), command(*kind, u128::from(*a), (from + n + 1) as u128)));
    }
}

/// The state that the whole log tells, without any snapshot.
pub(in crate::log) fn whole(journal: &dyn Journal) -> State {
    let mut state = State::default();
    fold(journal.reader().as_mut(), 1, &mut state).unwrap();
    state
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_start_with_a_snapshot_is_a_start_from_the_whole_log(
        first in proptest::collection::vec((any::<u8>(), any::<u8>()), 1..120),
        second in proptest::collection::vec((any::<u8>(), any::<u8>()), 0..40),
    ) {
        let journal = MemoryJournal::new(9);
        let clock = clock();
        let open = |cadence| ControlLog::open_with(Box::new(journal.clone()), Arc::clone(&clock), cadence, None).unwrap();
        ask(&open(OFTEN), &first, 0);
        let kept = Journal::tip(&journal).last_seq;
        // Goes on from the snapshot, and leaves none of its own: what it decides is decided upon what was stored.
        ask(&open(NEVER), &second, first.len());
        let log = open(NEVER);
        let recovery = log.recovery();
        prop_assert_eq!((recovery.snapshot, recovery.entries), (kept, Journal::tip(&journal).last_seq - kept));
        prop_assert!(*log.state() == whole(&journal));
        prop_assert_eq!(encode_control_state(log.state().clone()), encode_control_state(whole(&journal)));
    }
}

fn tenants(log: &ControlLog, numbers: std::ops::Range<u128>) {
    for n in numbers {
        let tenant = TenantCreated { tenant_id: TenantId::from_u128(n + 1), name: format!("tenant {n}") };
        log.execute_blocking(Asked::console(), Command::CreateTenant(tenant)).unwrap();
    }
}

fn stored(dir: &Path) -> EmbeddedJournal {
    EmbeddedJournal::open_dir(dir, Config { segment_bytes: 8 << 10, prepare_ahead: false, ..Config::default() }).unwrap()
}

fn snapshots(dir: &Path) -> Vec<std::path::PathBuf> {
    let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = names.filter(|path| path.extension().is_some_and(|end| end == "snap")).collect();
    found.sort();
    found
}

#[test]
fn a_damaged_snapshot_is_passed_over_for_the_one_before_and_then_for_the_log() {
    let dir = std::env::temp_dir().join(format!("oms-control-damaged-{}", std::process::id()));
    let open = || ControlLog::open_with(Box::new(stored(&dir)), clock(), NEVER, None).unwrap();
    for round in 0..3 {
        tenants(&ControlLog::open_with(Box::new(stored(&dir)), clock(), OFTEN, None).unwrap(), round * 10..round * 10 + 10);
    }
    let files = snapshots(&dir);
    assert_eq!(files.len(), 2);
    let expected = whole(&stored(&dir));
    assert_eq!(open().recovery(), &Recovery { snapshot: 30, refused: None, entries: 0 });
    let damage = |path: &Path, at: usize| {
        let mut bytes = std::fs::read(path).unwrap();
        let at = at % bytes.len();
        bytes[at] ^= 4;
        std::fs::write(path, bytes).unwrap();
    };
    // Anywhere in it; each is mended again.
    let size = usize::try_from(std::fs::metadata(&files[1]).unwrap().len()).unwrap();
    for at in (0..size).step_by(37) {
        damage(&files[1], at);
        let log = open();
        assert!(log.recovery().snapshot < 30, "byte {at}");
        assert!(*log.state() == expected, "byte {at}");
        drop(log);
        damage(&files[1], at);
    }
    // Cut off, as a device may leave it; and the one before too.
    for (file, left) in files.iter().rev().zip([size / 2, 0]) {
        std::fs::OpenOptions::new().write(true).open(file).unwrap().set_len(left as u64).unwrap();
    }
    let log = open();
    assert_eq!(log.recovery(), &Recovery { snapshot: 0, refused: None, entries: 30 });
    assert!(*log.state() == expected);
    drop(log);
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_snapshot_of_another_version_or_of_something_else_is_not_believed() {
    let mut journal = MemoryJournal::new(9);
    tenants(&ControlLog::open_with(Box::new(journal.clone()), clock(), NEVER, None).unwrap(), 0..7);
    let expected = whole(&journal);
    let bytes = encode_control_state(expected.clone());
    let tip = Journal::tip(&journal);
    let good = Snapshot { seq: tip.last_seq, chain_hash: tip.last_hash, state_hash: hash_of(&bytes), schema: CONTROL_STATE_SCHEMA, bytes };
    let open = |journal: &MemoryJournal| ControlLog::open_with(Box::new(journal.clone()), clock(), NEVER, None).unwrap();
    let smaller = encode_control_state(State::default());
    let wrong = [
        (Snapshot { schema: CONTROL_STATE_SCHEMA - 1, ..good.clone() }, None),
        (Snapshot { state_hash: [1; 32], ..good.clone() }, Some("state hash")),
        (Snapshot { state_hash: hash_of(b"\x78\x01"), bytes: b"\x78\x01".to_vec(), ..good.clone() }, Some("StateParts")),
        (Snapshot { state_hash: hash_of(&smaller), bytes: smaller, ..good.clone() }, Some("it says entry 7 but holds 0")),
    ];
    for (snapshot, why) in wrong {
        journal.put_snapshot(&snapshot).unwrap();
        let log = open(&journal);
        let Recovery { snapshot, refused, entries } = log.recovery();
        assert_eq!((*snapshot, *entries), (0, 7));
        assert_eq!(refused.is_some(), why.is_some(), "{refused:?}");
        assert!(refused.as_ref().is_none_or(|said| said.contains(why.unwrap())), "{refused:?}");
        assert!(*log.state() == expected);
    }
    journal.put_snapshot(&good).unwrap();
    let log = open(&journal);
    assert_eq!(log.recovery(), &Recovery { snapshot: 7, refused: None, entries: 0 });
    assert!(*log.state() == expected);
}
