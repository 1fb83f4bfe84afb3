use super::*;
use crate::identity::{Client, Config, Identity, Registration};
use crate::log::{Cadence, ControlLog, system_clock};
use crate::password::Cost;
use oms_identity::event::{MemberSet, UserCreated};
use oms_identity::state::User;
use oms_identity::{Asked, Command, Principal, Role, Scopes};
use oms_model::{Code, TenantId, UserId};
use oms_store::{ChainHash, EmbeddedJournal, Journal as _};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

const PASSWORD: &str = "correct horse battery staple";
const OFTEN: Cadence = Cadence { every: 1, at_stop: 1 };
const NEVER: Cadence = Cadence { every: u64::MAX, at_stop: u64::MAX };
/// What says who people are, as it is given below.
const PERSONAL: [&str; 4] = ["ada@example.com", "Ada Lovelace", "bob@example.com", "Bob Builder"];

/// An installation on a disk: a vault and a control log.
struct House(PathBuf);

impl House {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("oms-people-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    fn journal(&self) -> EmbeddedJournal {
        let config = oms_store::Config { segment_bytes: 64 << 10, prepare_ahead: false, ..oms_store::Config::default() };
        EmbeddedJournal::open_dir(&self.0.join("log"), config).unwrap()
    }

    fn vault(&self) -> Arc<VaultBox> {
        Arc::new(VaultBox::open_dir(&self.0.join("vault"), &self.0, None).unwrap())
    }

    fn log(&self, cadence: Cadence, people: Option<Arc<dyn People>>) -> ControlLog {
        ControlLog::open_with(Box::new(self.journal()), system_clock(), cadence, people).unwrap()
    }

    async fn open(&self, cadence: Cadence) -> Identity {
        let config = Config { cost: Cost { memory_kib: 64, passes: 1, lanes: 1 }, ..Config::default() };
        let vault = self.vault();
        let log = self.log(cadence, Some(vault.clone()));
        Identity::open(log, Box::new(vault), config, system_clock()).await.unwrap()
    }

    /// Every byte of the log and of its snapshots.
    fn stored(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.0.join("log")).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.is_file()).flat_map(|path| std::fs::read(path).unwrap()).collect()
    }

    fn holds(&self, text: &str) -> bool {
        self.stored().windows(text.len()).any(|bytes| bytes == text.as_bytes())
    }

    /// The chain of the whole log, read and checked from its beginning.
    fn chain(&self) -> Vec<(u64, ChainHash)> {
        let mut chain = Vec::new();
        let visit = &mut |stored: oms_store::StoredEntry<'_>| {
            chain.push((stored.entry.first_seq, stored.hash));
            ControlFlow::Continue(())
        };
        self.journal().reader().scan(1, visit).unwrap();
        chain
    }

    /// What is shown of somebody.
    async fn shown(&self, user_id: UserId, cadence: Cadence) -> (String, String) {
        let identity = self.open(cadence).await;
        let state = identity.state();
        let user: &User = state.user(user_id).unwrap();
        (user.shown_email().to_owned(), user.shown_name().to_owned())
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

/// A tenant with Ada, who made it, and Bob, whom she invited, who joined and gave himself another name.
async fn people(house: &House) -> (TenantId, UserId, UserId) {
    let identity = house.open(OFTEN).await;
    let client = Client::default();
    let registration = |name: &str, email: Option<&str>| Registration {
        name: name.to_owned(),
        password: PASSWORD.to_owned(),
        email: email.map(str::to_owned),
        tenant_name: Some("Desk".to_owned()),
    };
    let token = identity.issue_bootstrap().await.unwrap();
    let ada = identity.register(&client, &token, registration(PERSONAL[1], Some(PERSONAL[0]))).await.unwrap();
    let tenant_id = identity.state().tenants().next().unwrap().0;
    let by = principal(tenant_id, ada);
    let (_, token, _) = identity.invite(&by, &client, (PERSONAL[2], Role::Trader, Scopes::NONE), tenant_id, 600).await.unwrap();
    let bob = identity.register(&client, &token, registration("Bob", None)).await.unwrap();
    let renamed = oms_identity::event::ProfileChanged { user_id: bob, name: PERSONAL[3].into(), time_zone: String::new() };
    identity.execute(&principal(tenant_id, bob), &client, Command::ChangeProfile(renamed)).await.unwrap();
    (tenant_id, ada, bob)
}

fn principal(tenant_id: TenantId, user_id: UserId) -> Principal {
    Principal {
        tenant_id,
        user_id,
        credential: oms_identity::Credential::Nothing,
        scopes: Scopes::ALL,
        step_up: oms_identity::StepUp::NotNeeded,
        source: oms_model::Source::Rest,
        ip: None,
    }
}

#[tokio::test]
async fn who_somebody_is_stands_sealed_in_log_and_snapshots_and_is_read_at_each_start() {
    let house = House::new("sealed");
    let (_, ada, bob) = people(&house).await;
    for text in PERSONAL {
        assert!(!house.holds(text), "{text}");
    }
    assert!(house.holds("Desk"), "what is looked for would be found");
    for cadence in [NEVER, OFTEN] {
        assert_eq!(house.shown(ada, cadence).await, (PERSONAL[0].to_owned(), PERSONAL[1].to_owned()));
        assert_eq!(house.shown(bob, cadence).await, (PERSONAL[2].to_owned(), PERSONAL[3].to_owned()));
    }
    // He still signs in with his address.
    let identity = house.open(OFTEN).await;
    let signed = identity.login(&Client::default(), PERSONAL[2], PASSWORD.to_owned(), None, false).await;
    assert!(signed.is_ok(), "{signed:?}");
}

#[tokio::test]
async fn erasing_somebody_leaves_the_log_as_it_is_and_nobody_reads_who_they_were() {
    let house = House::new("erased");
    let (tenant_id, ada, bob) = people(&house).await;
    let before = house.chain();
    let identity = house.open(OFTEN).await;
    let by = principal(tenant_id, ada);
    let invited = identity.state().user(bob).unwrap().invitations.clone();
    assert_eq!(invited.len(), 1);
    identity.erase_user(&by, &Client::default(), bob).await.unwrap();
    assert_eq!(identity.state().doomed().next(), None, "done, and said to be");
    let refused = identity.login(&Client::default(), PERSONAL[2], PASSWORD.to_owned(), None, false).await;
    assert_eq!(refused.unwrap_err().code, Code::Unauthenticated);
    drop(identity);
    // The chain of what was there is the same, and the whole is intact: it was read and checked to its end.
    let after = house.chain();
    assert_eq!(after[..before.len()], before);
    assert!(after.len() > before.len());
    for cadence in [NEVER, OFTEN] {
        assert_eq!(house.shown(bob, cadence).await, ("erased".to_owned(), "erased".to_owned()));
        assert_eq!(house.shown(ada, cadence).await, (PERSONAL[0].to_owned(), PERSONAL[1].to_owned()));
    }
    // Without its snapshots the log alone tells the same state.
    for entry in std::fs::read_dir(house.0.join("log")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "snap") {
            std::fs::remove_file(path).unwrap();
        }
    }
    assert_eq!(house.shown(bob, NEVER).await, ("erased".to_owned(), "erased".to_owned()));
    // The bytes that are left in the log open with no key that there is.
    let vault = house.vault();
    let mut sealed = 0;
    let visit = &mut |stored: oms_store::StoredEntry<'_>| {
        for mut event in oms_store::codec::decode_control(stored.entry.body).unwrap().events {
            let each = event.each_personal(|subject, what, personal| {
                let is_bobs = subject == bob.into() || subject == invited[0].into();
                sealed += usize::from(is_bobs);
                assert_eq!(vault.open(subject, what, personal.sealed())?.is_none(), is_bobs, "{subject:?} {what}");
                Ok::<(), SealError>(())
            });
            each.unwrap();
        }
        ControlFlow::Continue(())
    };
    house.journal().reader().scan(1, visit).unwrap();
    assert_eq!(sealed, 4, "invitation, address, two names");
}

/// The process dies after it was decided, and before the key was destroyed.
#[tokio::test]
async fn what_was_decided_is_done_by_the_next_start() {
    let house = House::new("crash");
    let (_, _, bob) = people(&house).await;
    let log = house.log(OFTEN, Some(house.vault()));
    log.execute(Asked::console(), oms_model::TraceId::default(), Command::EraseUser { user_id: bob }).await.unwrap();
    drop(log);
    let key = house.0.join("vault").join(format!("subject-{:032x}.keys", bob.as_u128()));
    assert!(!std::fs::read_to_string(&key).unwrap().contains("destroyed"));
    let identity = house.open(OFTEN).await;
    assert!(std::fs::read_to_string(&key).unwrap().contains("destroyed"));
    assert_eq!(identity.state().doomed().next(), None);
}

/// A log from before anything of people was sealed is read as ever; what comes new is sealed; and who is in it as they were is
/// erased from what is shown.
#[tokio::test]
async fn a_log_from_before_is_read_and_goes_on_sealed() {
    let house = House::new("before");
    let (tenant_id, old, new) = (TenantId::from_u128(1), UserId::from_u128(2), UserId::from_u128(3));
    let user = |user_id, email: &str, name: &str| {
        Command::CreateUser(UserCreated { user_id, email: email.into(), name: name.into(), password: None, break_glass: false })
    };
    let log = house.log(OFTEN, None);
    log.execute(Asked::console(), oms_model::TraceId::default(), user(old, PERSONAL[0], PERSONAL[1])).await.unwrap();
    drop(log);
    assert!(house.holds(PERSONAL[0]));
    let identity = house.open(OFTEN).await;
    identity.execute_as_console(user(new, PERSONAL[2], PERSONAL[3])).await.unwrap();
    let tenant = oms_identity::event::TenantCreated { tenant_id, name: "Desk".to_owned() };
    identity.execute_as_console(Command::CreateTenant(tenant)).await.unwrap();
    let member = MemberSet { tenant_id, user_id: old, role: Role::Trader, extra: Scopes::NONE };
    identity.execute_as_console(Command::SetMember(member)).await.unwrap();
    drop(identity);
    assert!(!house.holds(PERSONAL[2]) && !house.holds(PERSONAL[3]));
    assert_eq!(house.shown(old, NEVER).await, (PERSONAL[0].to_owned(), PERSONAL[1].to_owned()));
    house.open(OFTEN).await.erase_user_as_console(old).await.unwrap();
    assert_eq!(house.shown(old, NEVER).await, ("erased".to_owned(), "erased".to_owned()));
    assert_eq!(house.shown(new, NEVER).await, (PERSONAL[2].to_owned(), PERSONAL[3].to_owned()));
}

#[test]
fn a_key_that_is_lost_is_no_erasure() {
    let house = House::new("lost");
    let log = house.log(NEVER, Some(house.vault()));
    let user_id = UserId::from_u128(2);
    let user = UserCreated { user_id, email: PERSONAL[0].into(), name: PERSONAL[1].into(), password: None, break_glass: false };
    log.execute_blocking(Asked::console(), Command::CreateUser(user)).unwrap();
    drop(log);
    std::fs::remove_file(house.0.join("vault").join(format!("subject-{:032x}.keys", user_id.as_u128()))).unwrap();
    let opened = ControlLog::open_with(Box::new(house.journal()), system_clock(), NEVER, Some(house.vault()));
    assert!(matches!(opened, Err(crate::log::LogError::Person(_))));
}
