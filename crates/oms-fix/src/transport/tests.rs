use std::net::Ipv4Addr;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;
use crate::session::config::{Role, WhenDown};
use crate::session::outbox::Reason;
use crate::store::{MemoryStore, Pending, StoreError};
use crate::tags;

const PATIENCE: Duration = Duration::from_secs(20);

/// Sends orders back, and tells what comes and happens.
struct Mirror {
    answers: bool,
    seen: mpsc::UnboundedSender<String>,
}

impl Application for Mirror {
    fn deliver(&mut self, _: &SessionId, message: &View<'_>, replies: &mut Vec<Outgoing>) {
        let id = message.get(tags::CL_ORD_ID).unwrap_or_default();
        if self.answers {
            replies.push(order(&String::from_utf8_lossy(id)));
        }
        let _ = self.seen.send(String::from_utf8_lossy(id).into_owned());
    }

    fn event(&mut self, _: &SessionId, event: &Event) {
        if let Event::LoggedOut { reason } | Event::Dropped { reason, .. } = event {
            let _ = self.seen.send(format!("{reason:?}"));
        }
    }
}

fn order(id: &str) -> Outgoing {
    let mut order = Outgoing::new(b"D");
    order.body.text(11, id).text(21, "1").text(40, "1").text(54, "1").text(55, "X").text(60, "20260101-00:00:00");
    order
}

fn spec(role: Role, sender: &str, target: &str) -> (SessionSpec, UnboundedReceiver<String>) {
    let (seen, received) = unbounded_channel();
    let mut config = Config::new(SessionId::fix44(sender, target), role);
    config.timeouts.logout = 1_000_000_000;
    let mirror = Mirror { answers: role == Role::Acceptor, seen };
    let mut spec = SessionSpec::new(config, Box::<MemoryStore>::default(), Box::new(mirror));
    spec.reconnect = Reconnect { first: Duration::from_millis(20), longest: Duration::from_millis(100), ..Reconnect::default() };
    (spec, received)
}

fn anywhere() -> ListenerConfig {
    ListenerConfig::new((Ipv4Addr::LOCALHOST, 0).into())
}

async fn phase(handle: &SessionHandle, wanted: Phase) {
    let mut phase = handle.phase();
    tokio::time::timeout(PATIENCE, phase.wait_for(|phase| *phase == wanted)).await.expect("in time").expect("the session runs");
}

async fn next(seen: &mut UnboundedReceiver<String>) -> String {
    tokio::time::timeout(PATIENCE, seen.recv()).await.expect("in time").expect("the session runs")
}

/// An acceptor and an initiator on a line of their own.
struct Both {
    engine: Engine,
    acceptor: SessionHandle,
    initiator: SessionHandle,
    seen: UnboundedReceiver<String>,
    _accepted: UnboundedReceiver<String>,
    _listener: Listener,
}

async fn both(
    listener: ListenerConfig,
    tls: Option<(Arc<rustls::ClientConfig>, ServerName<'static>)>,
    change: impl FnOnce(&mut SessionSpec, &mut SessionSpec),
) -> Both {
    let engine = Engine::new();
    let (mut accepts, accepted) = spec(Role::Acceptor, "B", "A");
    let (mut dials, seen) = spec(Role::Initiator, "A", "B");
    change(&mut accepts, &mut dials);
    let acceptor = engine.add(accepts).unwrap();
    let listener = engine.listen(listener).await.unwrap();
    // A dead endpoint first: it is passed over.
    let dead = Endpoint::plain("127.0.0.1:1");
    dials.endpoints = vec![dead, Endpoint { tls, ..Endpoint::plain(&listener.address().to_string()) }];
    let initiator = engine.add(dials).unwrap();
    Both { engine, acceptor, initiator, seen, _accepted: accepted, _listener: listener }
}

#[tokio::test]
async fn orders_go_there_and_back() {
    let mut both = both(anywhere(), None, |_, _| ()).await;
    phase(&both.initiator, Phase::Up).await;
    for id in 0..50 {
        both.initiator.send(order(&id.to_string())).await.unwrap();
    }
    for id in 0..50 {
        assert_eq!(next(&mut both.seen).await, id.to_string());
    }
    assert_eq!(both.initiator.numbers(), (52, 52));
}

#[tokio::test]
async fn sessions_come_and_go_while_others_run() {
    let both = both(anywhere(), None, |_, _| ()).await;
    phase(&both.initiator, Phase::Up).await;
    let again = both.engine.add(spec(Role::Acceptor, "B", "A").0);
    assert!(matches!(again, Err(AddError::Duplicate(_))));
    assert!(matches!(both.engine.add(spec(Role::Initiator, "X", "Y").0), Err(AddError::NoEndpoint(_))));
    let (more, _seen) = spec(Role::Acceptor, "B", "C");
    let more = both.engine.add(more).unwrap();
    assert_eq!(both.engine.ids().len(), 3);
    assert!(both.engine.remove(more.id()).await && !both.engine.remove(more.id()).await);
    assert_eq!(more.logout("").await, Err(Ended));
    // The acceptor goes: the initiator is logged out, and the acceptor can be added again.
    assert!(both.engine.remove(both.acceptor.id()).await);
    phase(&both.initiator, Phase::Down).await;
    let (mut back, _seen) = spec(Role::Acceptor, "B", "A");
    back.config.reset_on.logon = true;
    let (numbers, _) = both.initiator.numbers();
    assert!(1 < numbers);
    both.engine.add(back).unwrap();
    both.initiator.set_next_in(1).await.unwrap();
    phase(&both.initiator, Phase::Up).await;
}

#[tokio::test]
async fn numbers_are_those_of_the_store_from_the_start() {
    let journal = oms_store::MemoryJournal::new(1);
    let engine = Engine::new();
    let open = || {
        let (mut accepts, _) = spec(Role::Acceptor, "B", "A");
        let store = crate::store::JournalStore::open(Box::new(journal.clone())).unwrap();
        accepts.store = Box::new(store.session(&accepts.config.id));
        engine.add(accepts).unwrap()
    };
    let session = open();
    session.set_next_out(7).await.unwrap();
    session.set_next_in(5).await.unwrap();
    session.settled().await.unwrap();
    assert!(engine.remove(session.id()).await);
    // The session's own task has not had its turn yet.
    assert_eq!(open().numbers(), (5, 7));
}

#[tokio::test]
async fn an_initiator_that_is_closed_stays_away() {
    let mut both = both(anywhere(), None, |_, _| ()).await;
    phase(&both.initiator, Phase::Up).await;
    both.initiator.open(false);
    assert!(!both.initiator.is_open());
    assert_eq!(*both.initiator.phase().borrow(), Phase::Up, "a connection that stands is left alone");
    both.initiator.logout("").await.unwrap();
    assert_eq!(next(&mut both.seen).await, "LoggedOut");
    // Its numbers can be changed meanwhile, and it does not come back for that.
    both.initiator.set_next_out(7).await.unwrap();
    both.initiator.settled().await.unwrap();
    phase(&both.acceptor, Phase::Down).await;
    let mut logged_on = both.acceptor.phase();
    let back = tokio::time::timeout(Duration::from_millis(400), logged_on.wait_for(|phase| *phase == Phase::Up)).await;
    assert!(back.is_err(), "it connects again");
    both.initiator.open(true);
    phase(&both.initiator, Phase::Up).await;
    assert!(7 < both.initiator.numbers().1);
}

#[tokio::test]
async fn only_listed_addresses_get_in() {
    let refused = ListenerConfig { allowed: vec!["10.0.0.0/8".parse().unwrap()], ..anywhere() };
    for (listener, session) in [(refused, None), (anywhere(), Some("10.0.0.0/8"))] {
        let mut both =
            both(listener, None, |accepts, _| accepts.allowed = session.iter().map(|text| text.parse().unwrap()).collect()).await;
        assert_eq!(next(&mut both.seen).await, "Lost");
        assert_eq!(*both.acceptor.phase().borrow(), Phase::Down);
    }
}

#[tokio::test]
async fn messages_wait_for_the_counterparty_if_they_may() {
    let engine = Engine::new();
    let (mut accepts, _accepted) = spec(Role::Acceptor, "B", "A");
    accepts.config.when_down = WhenDown::Store;
    let acceptor = engine.add(accepts).unwrap();
    for id in 0..3 {
        acceptor.send(order(&format!("early{id}"))).await.unwrap();
    }
    let listener = engine.listen(anywhere()).await.unwrap();
    let (mut dials, mut seen) = spec(Role::Initiator, "A", "B");
    dials.endpoints = vec![Endpoint::plain(&listener.address().to_string())];
    let initiator = engine.add(dials).unwrap();
    for id in 0..3 {
        assert_eq!(next(&mut seen).await, format!("early{id}"));
    }
    assert_eq!(initiator.numbers().0, 5);
}

/// A store that fails at its tenth batch.
struct Failing(MemoryStore, u32);

impl MessageStore for Failing {
    fn stored(&self) -> crate::session::Stored {
        self.0.stored()
    }

    fn commit(&mut self, outbox: &crate::session::outbox::Outbox) -> Result<Pending<()>, StoreError> {
        self.1 += 1;
        if self.1 < 10 { self.0.commit(outbox) } else { Err(StoreError::Failed("full".to_owned())) }
    }

    fn fetch(
        &mut self,
        fetch: crate::session::outbox::Fetch,
        max_bytes: usize,
    ) -> Result<Pending<crate::session::outbox::Page>, StoreError> {
        self.0.fetch(fetch, max_bytes)
    }
}

#[tokio::test]
async fn a_store_that_fails_ends_the_session_and_nothing_gets_out() {
    let mut both = both(anywhere(), None, |_, dials| dials.store = Box::new(Failing(MemoryStore::default(), 0))).await;
    phase(&both.initiator, Phase::Up).await;
    let mut sent = 0;
    while both.initiator.send(order(&sent.to_string())).await.is_ok() {
        sent += 1;
    }
    assert!(sent < 10);
    let mut told = Vec::new();
    while let Some(text) = both.seen.recv().await {
        told.push(text);
    }
    assert_eq!(told.last().map(String::as_str), Some(format!("{:?}", Reason::StoreFailed).as_str()));
    phase(&both.acceptor, Phase::Down).await;
    assert_eq!(both.acceptor.numbers().0, sent + 2, "the Logon and the orders that were acknowledged");
    assert!(matches!(both.initiator.send(order("x")).await, Err(SendFailure::Ended(Ended))));
}

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn roots(&self) -> Arc<rustls::RootCertStore> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        Arc::new(roots)
    }

    fn issue(&self) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

#[tokio::test]
async fn tls_binds_a_certificate_to_a_session() {
    use sha2::{Digest as _, Sha256};
    let authority = Authority::new();
    let (server, client, stranger) = (authority.issue(), authority.issue(), authority.issue());
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(authority.roots(), provider()).build().unwrap();
    let tls = rustls::ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let tls = Arc::new(tls.with_client_cert_verifier(verifier).with_single_cert(vec![server.0], server.1).unwrap());
    let known: [u8; 32] = Sha256::digest(client.0.as_ref()).into();
    for (shown, taken) in [(client, true), (stranger, false)] {
        let own = rustls::ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
        let own = own.with_root_certificates(authority.roots()).with_client_auth_cert(vec![shown.0], shown.1).unwrap();
        let listener = ListenerConfig { tls: Some(tls.clone()), ..anywhere() };
        let name = ServerName::try_from("localhost").unwrap();
        let mut both = both(listener, Some((Arc::new(own), name)), |accepts, _| accepts.client_certificate = Some(known)).await;
        if taken {
            phase(&both.initiator, Phase::Up).await;
            both.initiator.send(order("secret")).await.unwrap();
            assert_eq!(next(&mut both.seen).await, "secret");
        } else {
            assert_eq!(next(&mut both.seen).await, "Lost");
            assert_eq!(*both.acceptor.phase().borrow(), Phase::Down);
        }
    }
}
