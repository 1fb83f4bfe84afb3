use super::*;
use crate::event::{Batch, RecoveryCodeUsed};
use crate::net::Net;
use proptest::prelude::*;

const NOW: Time = Time(1_000_000 * SECOND);
const T: TenantId = TenantId::from_u128(1);
const ADA: UserId = UserId::from_u128(1);
const BOB: UserId = UserId::from_u128(2);

/// A state to which commands are put one after the other.
#[derive(Default)]
struct Desk {
    state: State,
    now: Time,
}

impl Desk {
    /// A tenant with Ada, who runs the installation, and Bob, who trades.
    fn open() -> Self {
        let mut desk = Self { now: NOW, ..Self::default() };
        let console = Asked::console();
        desk.put(&console, Command::CreateTenant(TenantCreated { tenant_id: T, name: "desk".to_owned() })).unwrap();
        for (user_id, email, role) in [(ADA, "ada@x.de", Role::Admin), (BOB, "bob@x.de", Role::Trader)] {
            let user = UserCreated { user_id, email: email.into(), name: "N".into(), password: None, break_glass: false };
            desk.put(&console, Command::CreateUser(user)).unwrap();
            desk.put(&console, Command::SetMember(MemberSet { tenant_id: T, user_id, role, extra: Scopes::NONE })).unwrap();
        }
        desk
    }

    fn put(&mut self, asked: &Asked, command: Command) -> Result<Vec<Event>, Refusal> {
        let events = decide(&self.state, self.now, asked, command)?;
        let batch = Batch { time: self.now, by: asked.by.clone(), events: events.clone(), ..Batch::default() };
        self.state.apply(&batch);
        Ok(events)
    }

    fn code(&mut self, asked: &Asked, command: Command) -> Option<Code> {
        self.put(asked, command).err().map(|refusal| refusal.code)
    }

    fn as_of(&self, user_id: UserId) -> Asked {
        let scopes = self.state.scopes(T, user_id, None).unwrap_or_default();
        Asked { by: By { tenant_id: T, user_id: Some(user_id), ip: "192.0.2.1".parse().ok(), ..By::default() }, scopes }
    }

    fn sign_in(&mut self, user_id: UserId, session: u128) -> Option<Code> {
        let opened = SessionOpened {
            session_id: SessionId::from_u128(session),
            user_id,
            tenant_id: T,
            cookie: false,
            mfa: false,
            expires_at: self.now.plus(1_000 * SECOND),
        };
        let asked = self.as_of(user_id);
        self.code(&asked, Command::OpenSession { session: opened, account: [0; 32] })
    }
}

fn invited(role: Role, extra: Scopes, life: i64) -> Command {
    Command::Invite(Invited {
        invitation_id: InvitationId::from_u128(9),
        tenant_id: T,
        email: "Eve@X.de ".into(),
        role,
        extra,
        sha256: [9; 32],
        expires_at: NOW.plus(life),
    })
}

fn key(user_id: UserId, scopes: &[Scope]) -> ApiKeyCreated {
    ApiKeyCreated {
        api_key_id: ApiKeyId::from_u128(5),
        tenant_id: T,
        user_id,
        name: "bot".to_owned(),
        prefix: "oms_live_abc".to_owned(),
        sha256: [5; 32],
        scopes: Scopes::of(scopes),
        expires_at: None,
        nets: Vec::new(),
    }
}

#[test]
fn who_may_do_what_is_a_table() {
    let member = |user_id, role| Command::SetMember(MemberSet { tenant_id: T, user_id, role, extra: Scopes::NONE });
    let elsewhere = TenantId::from_u128(7);
    let rows: Vec<(UserId, Command, Option<Code>)> = vec![
        (ADA, invited(Role::Admin, Scopes::NONE, SECOND), None),
        (ADA, invited(Role::Viewer, Scopes::of(&[Scope::TenantsAdmin]), SECOND), Some(Code::Forbidden)),
        (ADA, invited(Role::Viewer, Scopes::NONE, 0), Some(Code::ValidationError)),
        (ADA, invited(Role::Viewer, Scopes::NONE, MAX_INVITATION + 1), Some(Code::ValidationError)),
        (BOB, invited(Role::Viewer, Scopes::NONE, SECOND), Some(Code::Forbidden)),
        (ADA, member(BOB, Role::Manager), None),
        (ADA, member(UserId::from_u128(77), Role::Viewer), Some(Code::NotFound)),
        (BOB, member(BOB, Role::Admin), Some(Code::Forbidden)),
        (ADA, member(ADA, Role::Viewer), Some(Code::StateConflict)),
        (ADA, Command::RemoveMember { tenant_id: T, user_id: ADA }, Some(Code::StateConflict)),
        (ADA, Command::RemoveMember { tenant_id: T, user_id: BOB }, None),
        (BOB, Command::RemoveMember { tenant_id: T, user_id: ADA }, Some(Code::Forbidden)),
        (ADA, Command::RemoveMember { tenant_id: elsewhere, user_id: BOB }, Some(Code::NotFound)),
        (ADA, Command::CreateTenant(TenantCreated { tenant_id: elsewhere, name: "x".to_owned() }), Some(Code::Forbidden)),
        (BOB, Command::CreateApiKey(key(BOB, &[Scope::OrdersPlace])), None),
        (BOB, Command::CreateApiKey(key(BOB, &[Scope::RiskManage])), Some(Code::Forbidden)),
        (BOB, Command::CreateApiKey(key(BOB, &[])), Some(Code::ValidationError)),
        (BOB, Command::CreateApiKey(key(ADA, &[Scope::OrdersView])), Some(Code::Forbidden)),
        (ADA, Command::CreateApiKey(key(BOB, &[Scope::RiskManage])), Some(Code::ValidationError)),
        (ADA, Command::CreateApiKey(key(BOB, &[Scope::OrdersView])), None),
        (BOB, Command::RevokeApiKey { api_key_id: ApiKeyId::from_u128(6) }, Some(Code::NotFound)),
        (ADA, Command::IssueBootstrap { sha256: [1; 32], expires_at: NOW.plus(1) }, Some(Code::Forbidden)),
        (ADA, Command::SetAllowList(AllowListSet { tenant_id: elsewhere, nets: Vec::new() }), Some(Code::NotFound)),
        (BOB, Command::SetAllowList(AllowListSet { tenant_id: T, nets: Vec::new() }), Some(Code::Forbidden)),
        (
            ADA,
            Command::ChangeTenant(TenantChanged { tenant_id: T, name: "x".to_owned(), time_zone: "no zone!".to_owned(), enabled: true }),
            Some(Code::ValidationError),
        ),
        (
            ADA,
            Command::ChangeTenant(TenantChanged { tenant_id: T, name: "x".to_owned(), time_zone: String::new(), enabled: false }),
            Some(Code::Forbidden),
        ),
    ];
    for (who, command, expected) in rows {
        let mut desk = Desk::open();
        let asked = desk.as_of(who);
        let shown = format!("{command:?}");
        assert_eq!(desk.code(&asked, command), expected, "{shown}");
    }
}

#[test]
fn an_id_is_given_once() {
    let user = |user_id, email: &str| UserCreated { user_id, email: email.into(), name: "N".into(), password: None, break_glass: false };
    let join = |user_id| Joining::New { user_id, name: "Eve".to_owned(), password: "$".to_owned() };
    let accept = |user_id| Command::AcceptInvitation { sha256: [9; 32], joining: join(user_id) };
    let bootstrap = |user| Command::Bootstrap {
        sha256: [1; 32],
        tenant: TenantCreated { tenant_id: TenantId::from_u128(8), name: "other".to_owned() },
        user,
    };
    let mut desk = Desk::open();
    let link = crate::event::BootstrapIssued { sha256: [1; 32], expires_at: NOW.plus(SECOND) };
    desk.state.apply(&Batch { events: vec![link.into()], ..Batch::default() });
    desk.put(&Asked::console(), invited(Role::Viewer, Scopes::NONE, SECOND)).unwrap();
    desk.put(&Asked::console(), Command::CreateApiKey(key(BOB, &[Scope::OrdersView]))).unwrap();
    assert_eq!(desk.sign_in(BOB, 1), None);
    let before = desk.state.clone();
    let eve = UserId::from_u128(3);
    let taken = [
        Command::CreateUser(user(BOB, "eve@x.de")),
        Command::CreateUser(user(eve, "bob@x.de")),
        accept(BOB),
        bootstrap(user(BOB, "eve@x.de")),
        bootstrap(user(eve, "bob@x.de")),
        invited(Role::Viewer, Scopes::NONE, SECOND),
        Command::CreateApiKey(key(ADA, &[Scope::OrdersView])),
    ];
    for command in taken {
        let shown = format!("{command:?}");
        assert_eq!(desk.code(&Asked::console(), command), Some(Code::StateConflict), "{shown}");
    }
    assert_eq!(desk.sign_in(ADA, 1), Some(Code::StateConflict));
    assert_eq!(desk.state, before);
    assert_eq!(desk.code(&Asked::console(), accept(eve)), None);
}

#[test]
fn a_member_who_goes_takes_sessions_and_keys_along() {
    let mut desk = Desk::open();
    let (ada, bob) = (desk.as_of(ADA), desk.as_of(BOB));
    assert_eq!((desk.sign_in(BOB, 1), desk.sign_in(BOB, 2)), (None, None));
    desk.put(&bob, Command::CreateApiKey(key(BOB, &[Scope::OrdersView]))).unwrap();
    let events = desk.put(&ada, Command::RemoveMember { tenant_id: T, user_id: BOB }).unwrap();
    assert_eq!(events.len(), 4);
    assert_eq!((desk.state.sessions(BOB, desk.now).count(), desk.state.keys(T).count(), desk.state.scopes(T, BOB, None)), (0, 0, None));
    assert!(desk.state.key_opened(&[5; 32], desk.now).is_none());
    assert_eq!(desk.sign_in(BOB, 3), Some(Code::Forbidden));
}

#[test]
fn the_oldest_session_makes_room() {
    let mut desk = Desk::open();
    for n in 0..MAX_SESSIONS as u128 + 3 {
        desk.now = desk.now.plus(SECOND);
        assert_eq!(desk.sign_in(BOB, n + 1), None);
    }
    let open: Vec<u128> = desk.state.sessions(BOB, desk.now).map(|(id, _)| id.as_u128()).collect();
    assert_eq!(open, (4..MAX_SESSIONS as u128 + 4).collect::<Vec<_>>());
}

#[test]
fn a_second_factor_counts_only_forwards() {
    let mut desk = Desk::open();
    let bob = desk.as_of(BOB);
    let confirm = |step| Command::ConfirmTotp { user_id: BOB, step, recovery: vec![[7; 32]] };
    assert_eq!(desk.code(&bob, confirm(5)), Some(Code::StateConflict));
    desk.put(&bob, Command::EnrolTotp { user_id: BOB, secret: Box::new([1]) }).unwrap();
    assert_eq!(desk.sign_in(BOB, 1), None, "it does not count before it is confirmed");
    desk.put(&bob, confirm(5)).unwrap();
    assert_eq!((desk.code(&bob, confirm(6)), desk.sign_in(BOB, 2)), (Some(Code::StateConflict), Some(Code::Unauthenticated)));
    for (step, expected) in
        [(5, Some(Code::Unauthenticated)), (7, None), (6, Some(Code::Unauthenticated)), (7, Some(Code::Unauthenticated))]
    {
        assert_eq!(desk.code(&bob, Command::UseTotp { user_id: BOB, step }), expected, "{step}");
    }
    let recover = || Command::UseRecoveryCode { user_id: BOB, sha256: [7; 32] };
    assert_eq!(desk.put(&bob, recover()).unwrap(), [RecoveryCodeUsed { user_id: BOB, sha256: [7; 32] }.into()]);
    assert_eq!(desk.code(&bob, recover()), Some(Code::Unauthenticated));
}

proptest! {
    /// Whatever tokens come in whatever order and time: a session never has two that renew it, and a token that is not the
    /// newest or its repetition within ten seconds ends it.
    #[test]
    fn refresh_tokens_are_good_once(steps in proptest::collection::vec((0_u64..4, 0_i64..15, any::<bool>()), 1..40)) {
        let mut desk = Desk::open();
        prop_assert_eq!(desk.sign_in(BOB, 1), None);
        let (mut newest, mut renewed, mut alive) = (1_u64, desk.now, true);
        for (back, pass, same_client) in steps {
            desk.now = desk.now.plus(pass * SECOND);
            let mut bob = desk.as_of(BOB);
            if !same_client {
                bob.by.user_agent = "another".to_owned();
            }
            let generation = newest.saturating_sub(back).max(1);
            let expires_at = desk.now.plus(1_000 * SECOND);
            let command = Command::RefreshSession { session_id: SessionId::from_u128(1), generation, expires_at };
            let was = desk.state.session(SessionId::from_u128(1), desk.now).cloned();
            let outcome = desk.put(&bob, command);
            match outcome {
                Err(refusal) => prop_assert!(!alive && refusal.code == Code::Unauthenticated),
                Ok(events) if generation == newest => {
                    prop_assert!(alive && matches!(events.as_slice(), [Event::SessionRefreshed(e)] if e.generation == newest + 1));
                    (newest, renewed) = (newest + 1, desk.now);
                }
                Ok(events) if events.is_empty() => {
                    let was = was.unwrap();
                    prop_assert!(generation + 1 == newest && desk.now < renewed.plus(10 * SECOND));
                    prop_assert!(was.user_agent == bob.by.user_agent && was.ip == bob.by.ip);
                }
                Ok(events) => {
                    prop_assert!(matches!(events.as_slice(), [Event::SessionRevoked(_)]));
                    alive = false;
                }
            }
        }
    }

    /// The wait after failures doubles, never beyond its bound, and is of its place alone.
    #[test]
    fn failures_cost_their_place_alone(failures in 1_u32..60, other in any::<u32>()) {
        let mut desk = Desk::open();
        let mut asked = desk.as_of(BOB);
        asked.by.user_id = None;
        for _ in 0..failures {
            desk.put(&asked, Command::FailSignIn { account: [1; 32] }).unwrap();
        }
        let until = desk.state.locked(&[1; 32], asked.by.ip, desk.now).map_or(0, |until| until.0 - desk.now.0);
        let expected = if failures <= 3 { 0 } else { (SECOND << (failures - 4).min(20)).min(crate::state::MAX_DELAY) };
        prop_assert_eq!(until, expected);
        prop_assert_eq!(desk.state.locked(&[2; 32], asked.by.ip, desk.now), None);
        let elsewhere = core::net::IpAddr::from(other.to_be_bytes());
        prop_assert!(Some(elsewhere) == asked.by.ip || desk.state.locked(&[1; 32], Some(elsewhere), desk.now).is_none());
    }

    /// What somebody was given they never exceed: a key has some of its user's scopes, now and whatever they become.
    #[test]
    fn nobody_gives_more_than_they_have(bits in any::<u32>(), role in 1_u32..=4) {
        let mut desk = Desk::open();
        let role = Role::from_number(role).unwrap();
        let console = Asked::console();
        desk.put(&console, Command::SetMember(MemberSet { tenant_id: T, user_id: BOB, role, extra: Scopes::NONE })).unwrap();
        let bob = desk.as_of(BOB);
        let scopes = Scopes::from_bits(bits);
        let outcome = desk.put(&bob, Command::CreateApiKey(ApiKeyCreated { scopes, ..key(BOB, &[]) }));
        prop_assert_eq!(outcome.is_ok(), !scopes.is_empty() && role.scopes().covers(scopes));
    }
}

#[test]
fn addresses_are_compared_in_one_form() {
    assert_eq!(email(" Ada@Example.COM ").unwrap(), "ada@example.com");
    for bad in ["", "ada", "@x.de", "ada@", "a b@x.de", "a@b@c", "ada@.de", "<a@b.c>", &format!("{}@x.de", "a".repeat(260))] {
        assert_eq!(email(bad).unwrap_err().code, Code::ValidationError, "{bad}");
    }
    let mut desk = Desk::open();
    let ada = desk.as_of(ADA);
    let nets: Vec<Net> = vec!["192.0.2.0/24".parse().unwrap()];
    assert_eq!(desk.code(&ada, Command::SetAllowList(AllowListSet { tenant_id: T, nets })), None);
    let far: Vec<Net> = vec!["10.0.0.0/8".parse().unwrap()];
    assert_eq!(desk.code(&ada, Command::SetAllowList(AllowListSet { tenant_id: T, nets: far })), Some(Code::StateConflict));
    assert_eq!(desk.state.scopes(T, BOB, "10.0.0.1".parse().ok()), None);
}

#[test]
fn somebody_who_is_erased_leaves_that_they_were_there_and_nothing_more() {
    let mut desk = Desk::open();
    let (ada, bob) = (desk.as_of(ADA), desk.as_of(BOB));
    assert_eq!(desk.sign_in(BOB, 1), None);
    desk.put(&bob, Command::CreateApiKey(key(BOB, &[Scope::OrdersPlace]))).unwrap();
    let other = TenantId::from_u128(7);
    desk.put(&Asked::console(), Command::CreateTenant(TenantCreated { tenant_id: other, name: "other".to_owned() })).unwrap();
    let elsewhere = |email: &str| {
        let (invitation_id, sha256, expires_at) = (InvitationId::from_u128(30), [30; 32], NOW.plus(SECOND));
        Command::Invite(Invited {
            invitation_id,
            tenant_id: other,
            email: email.into(),
            role: Role::Viewer,
            extra: Scopes::NONE,
            sha256,
            expires_at,
        })
    };
    desk.put(&Asked::console(), elsewhere("bob@x.de")).unwrap();

    assert_eq!(desk.code(&bob, Command::EraseUser { user_id: BOB }), Some(Code::Forbidden));
    assert_eq!(desk.code(&ada, Command::EraseUser { user_id: ADA }), Some(Code::StateConflict), "the last administrator");
    assert_eq!(desk.code(&ada, Command::EraseUser { user_id: UserId::from_u128(77) }), Some(Code::NotFound));
    let events = desk.put(&ada, Command::EraseUser { user_id: BOB }).unwrap();
    let names: Vec<&str> = events.iter().map(Event::name).collect();
    assert_eq!(names, ["MemberRemoved", "ApiKeyRevoked", "SessionRevoked", "InvitationRevoked", "UserErased"]);
    assert_eq!(desk.put(&ada, Command::EraseUser { user_id: BOB }).unwrap_err().code, Code::NotFound, "no member of the tenant any more");
    assert_eq!(desk.put(&Asked::console(), Command::EraseUser { user_id: BOB }).unwrap(), [], "done already");

    let user = desk.state.user(BOB).unwrap();
    assert_eq!((user.email.text(), user.shown_email(), user.shown_name(), user.erased_at), ("", "erased", "erased", Some(NOW)));
    assert!(desk.state.user_named("bob@x.de").is_none() && desk.state.memberships(BOB).next().is_none());
    for command in [
        Command::SetMember(MemberSet { tenant_id: T, user_id: BOB, role: Role::Viewer, extra: Scopes::NONE }),
        Command::ChangeProfile(ProfileChanged { user_id: BOB, name: "Bob".into(), time_zone: String::new() }),
        Command::SetPassword { user_id: BOB, password: "$".to_owned(), keep: None },
        Command::EnrolTotp { user_id: BOB, secret: Box::default() },
    ] {
        assert_eq!(desk.code(&Asked::console(), command), Some(Code::NotFound));
    }
    // The address may be somebody's again.
    let again =
        UserCreated { user_id: UserId::from_u128(3), email: "bob@x.de".into(), name: "N".into(), password: None, break_glass: false };
    desk.put(&Asked::console(), Command::CreateUser(again)).unwrap();
}

#[test]
fn a_member_of_two_tenants_is_erased_by_whoever_runs_the_installation() {
    let mut desk = Desk::open();
    let (other, ada) = (TenantId::from_u128(7), desk.as_of(ADA));
    desk.put(&Asked::console(), Command::CreateTenant(TenantCreated { tenant_id: other, name: "other".to_owned() })).unwrap();
    for user_id in [ADA, BOB] {
        let member = MemberSet { tenant_id: other, user_id, role: Role::Admin, extra: Scopes::NONE };
        desk.put(&Asked::console(), Command::SetMember(member)).unwrap();
    }
    assert_eq!(desk.code(&ada, Command::EraseUser { user_id: BOB }), Some(Code::StateConflict));
    assert_eq!(desk.code(&Asked::console(), Command::EraseUser { user_id: BOB }), None);
}

/// What of an invitation is sealed goes with whom it made a user, or at once where it made nobody one.
#[test]
fn keys_are_doomed_once_nobody_needs_what_they_sealed() {
    let sealed: fn(&str) -> Box<[u8]> = |text| [&[1], text.as_bytes()].concat().into();
    let plain: fn(&str) -> Box<[u8]> = |_| Box::default();
    for (seal, is_sealed) in [(sealed, true), (plain, false)] {
        let mut desk = Desk::open();
        let invite = |desk: &mut Desk, id: u128, life: i64| {
            let mut events = {
                let (invitation_id, sha256) = (InvitationId::from_u128(id), [id as u8; 32]);
                let (role, extra, expires_at) = (Role::Viewer, Scopes::NONE, desk.now.plus(life));
                let email = format!("eve{id}@x.de").into();
                let invited = Invited { invitation_id, tenant_id: T, email, role, extra, sha256, expires_at };
                decide(&desk.state, desk.now, &Asked::console(), Command::Invite(invited)).unwrap()
            };
            for event in &mut events {
                event
                    .each_personal(|_, _, personal| {
                        personal.seal(seal(personal.text()));
                        Ok::<(), ()>(())
                    })
                    .unwrap();
            }
            desk.state.apply(&Batch { time: desk.now, events, ..Batch::default() });
        };
        let doomed = |desk: &Desk| desk.state.doomed().map(|subject| subject.0).collect::<Vec<_>>();
        for id in [20, 21, 22] {
            invite(&mut desk, id, if id == 22 { SECOND } else { 60 * SECOND });
        }
        let revoke = Command::RevokeInvitation { tenant_id: T, invitation_id: InvitationId::from_u128(20) };
        desk.put(&Asked::console(), revoke).unwrap();
        let eve = UserId::from_u128(40);
        let joining = Joining::New { user_id: eve, name: "Eve".to_owned(), password: "$".to_owned() };
        desk.put(&Asked::console(), Command::AcceptInvitation { sha256: [21; 32], joining }).unwrap();
        desk.now = desk.now.plus(2 * SECOND);
        invite(&mut desk, 23, 60 * SECOND);
        let expected: &[u128] = if is_sealed { &[20, 22] } else { &[] };
        assert_eq!(doomed(&desk), expected, "taken back, and over");
        desk.put(&Asked::console(), Command::EraseUser { user_id: eve }).unwrap();
        let expected: &[u128] = if is_sealed { &[20, 21, 22, 40] } else { &[40] };
        assert_eq!(doomed(&desk), expected, "hers, and that of the invitation that she followed");
        for subject in desk.state.doomed().collect::<Vec<_>>() {
            desk.put(&Asked::console(), Command::ConfirmDestroyed { subject }).unwrap();
            assert_eq!(desk.put(&Asked::console(), Command::ConfirmDestroyed { subject }).unwrap(), [], "once");
        }
        assert_eq!(doomed(&desk), []);
    }
}
