use super::*;
use crate::password::Cost;
use crate::totp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oms_identity::event::{AllowListSet, MemberSet};
use oms_identity::{Role, Scope};
use oms_store::{Journal as _, MemoryJournal};
use serde_json::json;
use std::sync::atomic::{AtomicI64, Ordering};

const PASSWORD: &str = "correct horse battery staple";
const EMAIL: &str = "ada@example.com";

/// An installation with one tenant, whose administrator is Ada, and a clock that stands still until it is moved.
struct Desk {
    identity: Identity,
    journal: MemoryJournal,
    time: Arc<AtomicI64>,
    tenant_id: TenantId,
}

fn client() -> Client {
    from("192.0.2.1")
}

fn from(ip: &str) -> Client {
    Client { ip: Some(ip.parse().unwrap()), user_agent: "test".to_owned(), trace_id: TraceId::default() }
}

async fn over(journal: MemoryJournal, time: &Arc<AtomicI64>) -> Identity {
    let config = Config { cost: Cost { memory_kib: 64, passes: 1, lanes: 1 }, ..Config::default() };
    let (clock_time, secrets) = (Arc::clone(time), crate::seal::tests::any());
    let clock: Clock = Arc::new(move || Time(clock_time.load(Ordering::SeqCst)));
    let log = ControlLog::open(Box::new(journal), Arc::clone(&clock)).unwrap();
    Identity::open(log, secrets, config, clock).await.unwrap()
}

impl Desk {
    async fn open() -> Self {
        let (journal, time) = (MemoryJournal::new(9), Arc::new(AtomicI64::new(1_800_000_000 * SECOND)));
        let identity = over(journal.clone(), &time).await;
        let token = identity.issue_bootstrap().await.unwrap();
        let ada = Registration {
            name: "Ada".to_owned(),
            password: PASSWORD.to_owned(),
            email: Some(EMAIL.to_owned()),
            tenant_name: Some("Lovelace".to_owned()),
        };
        identity.register(&client(), &token, ada.clone()).await.unwrap();
        assert_eq!(identity.register(&client(), &token, ada).await.unwrap_err().code, Code::Unauthenticated, "a link is good once");
        let tenant_id = identity.state().tenants().next().unwrap().0;
        Self { identity, journal, time, tenant_id }
    }

    fn pass(&self, seconds: i64) {
        self.time.fetch_add(seconds * SECOND, Ordering::SeqCst);
    }

    async fn login(&self) -> Signed {
        match self.identity.login(&client(), EMAIL, PASSWORD.to_owned(), None, false).await.unwrap() {
            SignIn::Done(signed) => *signed,
            other => panic!("{other:?}"),
        }
    }

    async fn try_login(&self, password: &str, ip: &str) -> Result<SignIn, Refusal> {
        self.identity.login(&from(ip), EMAIL, password.to_owned(), None, false).await
    }

    async fn bearer(&self, token: &str) -> Result<Principal, Refusal> {
        self.identity.authenticate(Presented::Bearer(token), client().ip).await.map(Option::unwrap)
    }

    async fn ada(&self) -> Principal {
        self.bearer(&access(&self.login().await)).await.unwrap()
    }

    fn secret(&self, uri: &str) -> Vec<u8> {
        let text = uri.split("secret=").nth(1).unwrap().split('&').next().unwrap();
        let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
        for c in text.bytes() {
            let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".bytes().position(|b| b == c).unwrap();
            bits = bits << 5 | u32::try_from(value).unwrap();
            held += 5;
            if held >= 8 {
                held -= 8;
                bytes.push(u8::try_from(bits >> held & 0xff).unwrap());
            }
        }
        bytes
    }

    fn code(&self, secret: &[u8]) -> String {
        totp::code(secret, totp::step_at(self.time.load(Ordering::SeqCst) / SECOND))
    }

    /// Ada has a second factor: its secret and recovery codes.
    async fn enrol(&self) -> (Vec<u8>, Vec<String>) {
        let ada = self.ada().await;
        let enrolled = self.identity.enrol_totp(&ada, &client()).await.unwrap();
        let secret = self.secret(&enrolled.uri);
        let codes = self.identity.confirm_totp(&ada, &client(), &self.code(&secret)).await.unwrap();
        (secret, codes)
    }

    async fn challenge(&self) -> String {
        match self.try_login(PASSWORD, "192.0.2.1").await.unwrap() {
            SignIn::TotpNeeded { challenge, .. } => challenge,
            other => panic!("{other:?}"),
        }
    }
}

fn access(signed: &Signed) -> String {
    let Proof::Tokens { access, .. } = &signed.proof else { panic!("no tokens") };
    access.clone()
}

fn refresh(signed: &Signed) -> String {
    let Proof::Tokens { refresh, .. } = &signed.proof else { panic!("no tokens") };
    refresh.clone()
}

fn code_of<T: std::fmt::Debug>(result: Result<T, Refusal>) -> Code {
    result.unwrap_err().code
}

#[tokio::test]
async fn the_first_administrator_signs_in_and_out() {
    let desk = Desk::open().await;
    let signed = desk.login().await;
    let ada = desk.bearer(&access(&signed)).await.unwrap();
    assert_eq!((ada.tenant_id, ada.user_id, ada.session_id()), (desk.tenant_id, signed.user_id, Some(signed.session_id)));
    assert_eq!(ada.scopes, Scopes::ALL);
    desk.pass(15 * 60);
    assert_eq!(code_of(desk.bearer(&access(&signed)).await), Code::Unauthenticated, "a token is good for a quarter of an hour");
    let again = desk.identity.refresh(&client(), &refresh(&signed)).await.unwrap();
    let ada = desk.bearer(&access(&again)).await.unwrap();
    desk.identity.logout(&ada, &client()).await.unwrap();
    assert_eq!(code_of(desk.bearer(&access(&again)).await), Code::Unauthenticated, "a session that is over is over at once");
    assert_eq!(code_of(desk.identity.refresh(&client(), &refresh(&again)).await), Code::Unauthenticated);
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let desk = Desk::open().await;
    let signed = desk.login().await;
    let (secret, _) = desk.enrol().await;
    let (before, jwks) = (desk.identity.state().clone(), desk.identity.jwks());
    let Desk { identity, journal, time, .. } = desk;
    drop(identity);
    let mut plain = false;
    journal
        .reader()
        .scan(1, &mut |stored| {
            let has = |what: &[u8]| stored.entry.body.windows(what.len()).any(|window| window == what);
            plain |= has(&secret) || has(PASSWORD.as_bytes()) || has(refresh(&signed).as_bytes());
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert!(!plain, "no secret stands in the log as it is");
    let identity = over(journal, &time).await;
    assert_eq!((&*identity.state(), identity.jwks()), (&before, jwks));
    let principal = identity.authenticate(Presented::Bearer(&access(&signed)), client().ip).await.unwrap().unwrap();
    assert_eq!(principal.user_id, signed.user_id);
    identity.refresh(&client(), &refresh(&signed)).await.unwrap();
}

#[tokio::test]
async fn a_refresh_token_that_is_used_again_ends_the_session() {
    let desk = Desk::open().await;
    let first = desk.login().await;
    let second = desk.identity.refresh(&client(), &refresh(&first)).await.unwrap();
    desk.pass(9);
    let repeated = desk.identity.refresh(&client(), &refresh(&first)).await.unwrap();
    assert_eq!(refresh(&repeated), refresh(&second), "a lost answer is told again, to the same client, within ten seconds");
    desk.pass(2);
    assert_eq!(code_of(desk.identity.refresh(&client(), &refresh(&first)).await), Code::Unauthenticated);
    assert_eq!(code_of(desk.bearer(&access(&second)).await), Code::Unauthenticated, "the whole session is over");
    assert_eq!(code_of(desk.identity.refresh(&client(), &refresh(&second)).await), Code::Unauthenticated);

    let first = desk.login().await;
    let second = desk.identity.refresh(&client(), &refresh(&first)).await.unwrap();
    assert_eq!(code_of(desk.identity.refresh(&from("203.0.113.9"), &refresh(&first)).await), Code::Unauthenticated, "another client");
    assert_eq!(code_of(desk.bearer(&access(&second)).await), Code::Unauthenticated);
    let third = desk.login().await;
    desk.pass(7 * 24 * 3_600);
    assert_eq!(code_of(desk.identity.refresh(&client(), &refresh(&third)).await), Code::Unauthenticated, "seven days");
}

#[tokio::test]
async fn failures_cost_time_for_one_account_from_one_place() {
    let desk = Desk::open().await;
    for _ in 0..3 {
        assert_eq!(code_of(desk.try_login("wrong password", "192.0.2.66").await), Code::Unauthenticated);
    }
    assert_eq!(code_of(desk.try_login("wrong password", "192.0.2.66").await), Code::Unauthenticated);
    let refused = desk.try_login(PASSWORD, "192.0.2.66").await.unwrap_err();
    assert_eq!((refused.code, refused.details[0].1.as_str()), (Code::RateLimited, "1"), "not even the right one is looked at");
    assert!(desk.try_login(PASSWORD, "192.0.2.1").await.is_ok(), "nobody is locked out by somebody elsewhere");
    desk.pass(1);
    assert_eq!(code_of(desk.try_login("wrong password", "192.0.2.66").await), Code::Unauthenticated);
    assert_eq!(desk.try_login(PASSWORD, "192.0.2.66").await.unwrap_err().details[0].1, "2", "twice as long each time");
    for _ in 0..20 {
        desk.pass(15 * 60);
        assert_eq!(code_of(desk.try_login("wrong password", "192.0.2.66").await), Code::Unauthenticated);
    }
    assert_eq!(desk.try_login(PASSWORD, "192.0.2.66").await.unwrap_err().details[0].1, "900", "never longer than a quarter of an hour");
    desk.pass(15 * 60);
    assert!(desk.try_login(PASSWORD, "192.0.2.66").await.is_ok());
    assert_eq!(code_of(desk.try_login("wrong password", "192.0.2.66").await), Code::Unauthenticated, "and forgotten after that");
    // An account that is not there answers and locks in the same way.
    for _ in 0..4 {
        let attacker = from("192.0.2.66");
        let tried = desk.identity.login(&attacker, "nobody@example.com", "wrong password".to_owned(), None, false);
        assert_eq!(tried.await.unwrap_err(), desk.try_login("wrong password", "192.0.2.77").await.unwrap_err());
    }
    let locked = desk.identity.login(&from("192.0.2.66"), "nobody@example.com", "x".to_owned(), None, false).await;
    assert_eq!(code_of(locked), Code::RateLimited);
}

#[tokio::test]
async fn a_code_of_the_second_factor_counts_once() {
    let desk = Desk::open().await;
    let (secret, codes) = desk.enrol().await;
    let challenge = desk.challenge().await;
    let used = desk.identity.login_totp(&client(), &challenge, &desk.code(&secret)).await;
    assert_eq!(code_of(used), Code::Unauthenticated, "the code that confirmed it was used");
    desk.pass(30);
    let code = desk.code(&secret);
    let signed = desk.identity.login_totp(&client(), &challenge, &code).await.unwrap();
    assert_eq!(desk.bearer(&access(&signed)).await.unwrap().step_up, StepUp::Done);
    assert_eq!(code_of(desk.identity.login_totp(&client(), &challenge, &code).await), Code::Unauthenticated, "the challenge is over");
    let challenge = desk.challenge().await;
    assert_eq!(code_of(desk.identity.login_totp(&client(), &challenge, &code).await), Code::Unauthenticated, "and so is the code");
    let recovered = desk.identity.login_totp(&client(), &challenge, &codes[0].to_uppercase()).await.unwrap();
    assert_eq!(recovered.user_id, signed.user_id);
    let challenge = desk.challenge().await;
    assert_eq!(
        code_of(desk.identity.login_totp(&client(), &challenge, &codes[0]).await),
        Code::Unauthenticated,
        "a recovery code counts once"
    );
}

#[tokio::test]
async fn a_challenge_has_five_tries() {
    let desk = Desk::open().await;
    let (secret, _) = desk.enrol().await;
    let challenge = desk.challenge().await;
    for _ in 0..5 {
        desk.pass(8);
        assert_eq!(code_of(desk.identity.login_totp(&client(), &challenge, "000000").await), Code::Unauthenticated);
    }
    desk.pass(60);
    let late = desk.identity.login_totp(&client(), &challenge, &desk.code(&secret)).await.unwrap_err();
    assert!(late.message.contains("sign in again"), "{late}");
    assert_eq!(code_of(desk.identity.login_totp(&client(), "made up", &desk.code(&secret)).await), Code::Unauthenticated);
}

#[tokio::test]
async fn what_raises_the_stakes_asks_for_the_second_factor_again() {
    let desk = Desk::open().await;
    let (secret, _) = desk.enrol().await;
    desk.pass(30);
    let signed = desk.identity.login_totp(&client(), &desk.challenge().await, &desk.code(&secret)).await.unwrap();
    desk.pass(14 * 60);
    let renewed = desk.identity.refresh(&client(), &refresh(&signed)).await.unwrap();
    desk.pass(2 * 60);
    let ada = desk.bearer(&access(&renewed)).await.unwrap();
    assert_eq!(ada.step_up, StepUp::Needed);
    let asked = KeyAsked { name: "bot".to_owned(), scopes: Scopes::of(&[Scope::OrdersView]), ..KeyAsked::default() };
    let refused = desk.identity.create_key(&ada, &client(), asked.clone()).await.unwrap_err();
    assert_eq!((refused.code, refused.details[0].0.as_str()), (Code::Forbidden, "step_up"));
    desk.identity.step_up(&ada, &client(), &desk.code(&secret)).await.unwrap();
    let ada = desk.bearer(&access(&renewed)).await.unwrap();
    desk.identity.create_key(&ada, &client(), asked).await.unwrap();
}

#[tokio::test]
async fn forged_tokens_are_not_valid() {
    let desk = Desk::open().await;
    let token = access(&desk.login().await);
    let parts: Vec<&str> = token.split('.').collect();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let jwks: Value = serde_json::from_str(&desk.identity.jwks()).unwrap();
    let key = &jwks["keys"][0];
    let public = URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap();
    let none = format!("{}.{}.", encode(&json!({"alg": "none", "typ": "at+jwt", "kid": key["kid"]})), parts[1]);
    let message = format!("{}.{}", encode(&json!({"alg": "HS256", "typ": "at+jwt", "kid": key["kid"]})), parts[1]);
    let mac = ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &public), message.as_bytes());
    let confused = format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac));
    let mut raised = claims.clone();
    raised["sub"] = json!("00000000-0000-7000-8000-000000000001");
    let swapped = format!("{}.{}.{}", parts[0], encode(&raised), parts[2]);
    for bad in [none, confused, swapped, String::new(), "a.b.c".to_owned(), parts[..2].join(".")] {
        assert_eq!(code_of(desk.bearer(&bad).await), Code::Unauthenticated, "{bad}");
    }
    // Signed by us, but no access token, or not for here.
    for (typ, name, value) in
        [("JWT", "jti", json!("x")), ("at+jwt", "aud", json!("other")), ("at+jwt", "iss", json!("other")), ("at+jwt", "sid", json!("x"))]
    {
        let mut other = claims.clone();
        other[name] = value;
        let token = desk.identity.sign(typ, &other).unwrap();
        assert_eq!(code_of(desk.bearer(&token).await), Code::Unauthenticated, "{typ} {name}");
    }
}

#[tokio::test]
async fn signing_keys_follow_one_another() {
    let desk = Desk::open().await;
    let kid = |token: &str| Unproven::read(token).unwrap().kid().unwrap().to_owned();
    let keys = |desk: &Desk| serde_json::from_str::<Value>(&desk.identity.jwks()).unwrap()["keys"].as_array().unwrap().len();
    let first = kid(&access(&desk.login().await));
    assert_eq!(keys(&desk), 1);
    desk.pass(30 * 24 * 3_600 - 3_600);
    desk.identity.tend().await.unwrap();
    assert_eq!(keys(&desk), 2, "the next key is published before it signs");
    let last = access(&desk.login().await);
    assert_eq!(kid(&last), first);
    desk.identity.tend().await.unwrap();
    assert_eq!(keys(&desk), 2);
    desk.pass(3_600);
    let next = access(&desk.login().await);
    assert_ne!(kid(&next), first);
    desk.pass(3 * 3_600);
    assert_eq!(keys(&desk), 1, "the old one is gone when nothing that it signed can be good any more");
    // A key that was given away is taken back at once.
    let signed = access(&desk.login().await);
    assert!(desk.bearer(&signed).await.is_ok());
    desk.identity.execute_as_console(Command::RetireSigningKey { kid: kid(&signed) }).await.unwrap();
    assert_eq!(code_of(desk.bearer(&signed).await), Code::Unauthenticated);
}

#[tokio::test]
async fn a_key_does_what_it_may_from_where_it_may_for_as_long_as_it_may() {
    let desk = Desk::open().await;
    let ada = desk.ada().await;
    let asked = KeyAsked {
        name: "bot".to_owned(),
        scopes: Scopes::of(&[Scope::OrdersPlace, Scope::OrdersView]),
        expires_at: Some(desk.identity.now().plus(3_600 * SECOND)),
        nets: vec!["10.0.0.0/8".parse().unwrap()],
        ..KeyAsked::default()
    };
    let made = desk.identity.create_key(&ada, &client(), asked).await.unwrap();
    let use_from = |key: String, ip: &str| {
        let (identity, ip) = (desk.identity.clone(), ip.parse().unwrap());
        async move { identity.authenticate(Presented::Key(&key), Some(ip)).await }
    };
    let bot = use_from(made.key.clone(), "10.1.2.3").await.unwrap().unwrap();
    assert_eq!((bot.api_key_id(), bot.user_id), (Some(made.api_key_id), ada.user_id));
    assert_eq!(bot.require(Scope::RiskManage).unwrap_err().details[0].1, "risk:manage");
    assert_eq!(code_of(use_from(made.key.clone(), "11.1.2.3").await), Code::Forbidden);
    // A key never does more than its user, whatever becomes of them.
    let demoted = MemberSet { tenant_id: desk.tenant_id, user_id: ada.user_id, role: Role::Viewer, extra: Scopes::NONE };
    assert_eq!(
        code_of(desk.identity.execute(&ada, &client(), Command::SetMember(demoted)).await),
        Code::StateConflict,
        "the last administrator"
    );
    let rotated = desk.identity.rotate_key(&ada, &client(), made.api_key_id, 600).await.unwrap();
    assert!(use_from(made.key.clone(), "10.1.2.3").await.unwrap().is_some(), "the old secret is good for a while");
    assert!(use_from(rotated.key.clone(), "10.1.2.3").await.unwrap().is_some());
    desk.pass(600);
    assert!(use_from(made.key.clone(), "10.1.2.3").await.unwrap().is_none());
    desk.pass(3_000);
    assert!(use_from(rotated.key.clone(), "10.1.2.3").await.unwrap().is_none(), "expired");
    let asked = KeyAsked { name: "other".to_owned(), scopes: Scopes::of(&[Scope::OrdersView]), ..KeyAsked::default() };
    let ada = desk.ada().await;
    let other = desk.identity.create_key(&ada, &client(), asked).await.unwrap();
    let kept = use_from(other.key.clone(), "10.1.2.3").await.unwrap().unwrap();
    desk.identity.execute(&ada, &client(), Command::RevokeApiKey { api_key_id: other.api_key_id }).await.unwrap();
    assert_eq!(code_of(desk.identity.still(&kept)), Code::Unauthenticated, "a connection that stays hears of it");
}

#[tokio::test]
async fn a_cookie_needs_its_csrf_token_to_change_something() {
    let desk = Desk::open().await;
    let SignIn::Done(signed) = desk.identity.login(&client(), EMAIL, PASSWORD.to_owned(), None, true).await.unwrap() else { panic!() };
    let Proof::Cookie { value, csrf, .. } = &signed.proof else { panic!("no cookie") };
    let present = |csrf, changes| Presented::Cookie { value, csrf, changes };
    let (identity, ip) = (&desk.identity, client().ip);
    assert!(identity.authenticate(present(None, false), ip).await.unwrap().is_some());
    assert!(identity.authenticate(present(Some(csrf.as_str()), true), ip).await.unwrap().is_some());
    for bad in [None, Some(""), Some("x"), Some(value.as_str())] {
        assert_eq!(code_of(identity.authenticate(present(bad, true), ip).await), Code::Forbidden);
    }
    let forged = Presented::Cookie { value: "oms_sc_AAAA", csrf: Some(csrf), changes: true };
    assert_eq!(code_of(identity.authenticate(forged, ip).await), Code::Unauthenticated);
    desk.pass(12 * 3_600);
    assert_eq!(code_of(identity.authenticate(present(None, false), ip).await), Code::Unauthenticated);
}

#[tokio::test]
async fn a_tenants_list_of_addresses_holds_for_all_of_its_credentials() {
    let desk = Desk::open().await;
    let token = access(&desk.login().await);
    let ada = desk.bearer(&token).await.unwrap();
    let set = |nets: &[&str]| {
        let nets = nets.iter().map(|net| net.parse().unwrap()).collect();
        Command::SetAllowList(AllowListSet { tenant_id: desk.tenant_id, nets })
    };
    assert_eq!(code_of(desk.identity.execute(&ada, &client(), set(&["10.0.0.0/8"])).await), Code::StateConflict, "it would lock Ada out");
    desk.identity.execute(&ada, &client(), set(&["192.0.2.1", "10.0.0.0/8"])).await.unwrap();
    assert!(desk.bearer(&token).await.is_ok());
    let elsewhere = desk.identity.authenticate(Presented::Bearer(&token), from("203.0.113.1").ip).await;
    assert_eq!(code_of(elsewhere), Code::Forbidden);
    assert_eq!(code_of(desk.try_login(PASSWORD, "203.0.113.1").await), Code::Forbidden);
}

#[tokio::test]
async fn people_join_by_invitation() {
    let desk = Desk::open().await;
    let ada = desk.ada().await;
    let whom = ("Bob@Example.com", Role::Trader, Scopes::NONE);
    let (_, token, _) = desk.identity.invite(&ada, &client(), whom, desk.tenant_id, 3_600).await.unwrap();
    let bob = Registration { name: "Bob".to_owned(), password: "Tr0ub4dor and three".to_owned(), ..Registration::default() };
    let weak = Registration { password: "password1234".to_owned(), ..bob.clone() };
    assert_eq!(code_of(desk.identity.register(&client(), &token, weak).await), Code::ValidationError);
    let bob_id = desk.identity.register(&client(), &token, bob.clone()).await.unwrap();
    assert_eq!(code_of(desk.identity.register(&client(), &token, bob).await), Code::Unauthenticated, "once");
    let SignIn::Done(signed) =
        desk.identity.login(&client(), "bob@example.com", "Tr0ub4dor and three".to_owned(), None, false).await.unwrap()
    else {
        panic!()
    };
    let bob = desk.bearer(&access(&signed)).await.unwrap();
    assert_eq!(bob.scopes, Role::Trader.scopes());
    // A trader gives nothing away.
    let whom = ("eve@example.com", Role::Viewer, Scopes::NONE);
    assert_eq!(code_of(desk.identity.invite(&bob, &client(), whom, desk.tenant_id, 3_600).await), Code::Forbidden);
    // Their role holds from the next request on.
    let viewer = MemberSet { tenant_id: desk.tenant_id, user_id: bob_id, role: Role::Viewer, extra: Scopes::NONE };
    desk.identity.execute(&ada, &client(), Command::SetMember(viewer)).await.unwrap();
    assert_eq!(desk.bearer(&access(&signed)).await.unwrap().scopes, Role::Viewer.scopes());
    let gone = Command::RemoveMember { tenant_id: desk.tenant_id, user_id: bob_id };
    desk.identity.execute(&ada, &client(), gone).await.unwrap();
    assert_eq!(code_of(desk.bearer(&access(&signed)).await), Code::Unauthenticated);
    let (_, late, _) =
        desk.identity.invite(&ada, &client(), ("late@example.com", Role::Viewer, Scopes::NONE), desk.tenant_id, 60).await.unwrap();
    desk.pass(60);
    assert_eq!(code_of(desk.identity.register(&client(), &late, Registration::default()).await), Code::Unauthenticated);
}

#[tokio::test]
async fn another_password_ends_the_other_sessions() {
    let desk = Desk::open().await;
    let (old, here) = (access(&desk.login().await), access(&desk.login().await));
    let ada = desk.bearer(&here).await.unwrap();
    assert_eq!(
        code_of(desk.identity.change_password(&ada, &client(), "wrong".to_owned(), "another good phrase".to_owned()).await),
        Code::Unauthenticated
    );
    assert_eq!(
        code_of(desk.identity.change_password(&ada, &client(), PASSWORD.to_owned(), "ada ada ada ada".to_owned()).await),
        Code::ValidationError
    );
    desk.identity.change_password(&ada, &client(), PASSWORD.to_owned(), "another good phrase".to_owned()).await.unwrap();
    assert!(desk.bearer(&here).await.is_ok());
    assert_eq!(code_of(desk.bearer(&old).await), Code::Unauthenticated);
    assert_eq!(code_of(desk.try_login(PASSWORD, "192.0.2.1").await), Code::Unauthenticated);
}

#[test]
fn ids_are_of_their_time() {
    let id = SessionId::from_u128(new_id(Time(1_800_000_000 * SECOND)).unwrap()).to_string();
    assert_eq!((&id[14..15], matches!(&id[19..20], "8" | "9" | "a" | "b")), ("7", true), "{id}");
    assert!(id.starts_with("01a31"), "{id}");
}
