//! A desk with one venue that does as it is told, and a client that speaks FIX to it over a socket.

use std::net::Ipv4Addr;
use std::sync::Arc;

use oms_fix::desk::{ClientProfile, Clients, DeskParts, user_of};
use oms_fix::session::config::{Config, Role, SessionId};
use oms_fix::store::JournalStore;
use oms_fix::transport::{Engine, Listener, ListenerConfig};
use oms_model::command::{Command, CommandOutcome};
use oms_model::report::{Report, ReportBody, VenueFill};
use oms_model::{IntentKind, Mic, Time, TraceId, WireId};
use oms_runtime::history::{Bounds, History};
use oms_runtime::port::{Answer, Handed, MarketSink as _, ReportSink as _, VenueOrder, VenuePort, WireCancel, WireOrder, WireReplace};
use oms_runtime::{Clock, Config as DeskConfig, MarketBook, Partition, Request, SystemClock, gateway};
use oms_store::MemoryJournal;
use oms_testkit::fixture::{TENANT, actor, dec, setup};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::client::{Client, WITHIN};

pub const XNAS: Mic = Mic::of(b"XNAS");

struct Told(UnboundedSender<(IntentKind, WireId)>);

impl VenuePort for Told {
    fn venue(&self) -> Mic {
        XNAS
    }
    fn send(&mut self, order: &WireOrder) -> Handed {
        self.0.send((IntentKind::New, order.wire_id.clone())).unwrap();
        Handed::Over
    }
    fn cancel(&mut self, request: &WireCancel) -> Handed {
        self.0.send((IntentKind::Cancel, request.wire_id.clone())).unwrap();
        Handed::Over
    }
    fn replace(&mut self, request: &WireReplace) -> Handed {
        self.0.send((IntentKind::Replace, request.wire_id.clone())).unwrap();
        Handed::Over
    }
    fn query(&mut self, _: &WireId) -> Answer<Option<VenueOrder>> {
        Answer::Failed("it does not answer".to_owned())
    }
    fn open_orders(&mut self) -> Answer<Vec<VenueOrder>> {
        Answer::Complete(Vec::new())
    }
    fn executions_since(&mut self, _: Time) -> Answer<Vec<(WireId, Time, VenueFill)>> {
        Answer::Complete(Vec::new())
    }
}

pub struct Desk {
    partition: Partition,
    handed: UnboundedReceiver<(IntentKind, WireId)>,
    pub clients: Clients,
    engine: Engine,
    store: JournalStore,
    log: MemoryJournal,
    parts: DeskParts,
    listener: Listener,
}

impl Desk {
    pub async fn open() -> Self {
        let market = Arc::new(MarketBook::new());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let journal = Box::new(MemoryJournal::new(0));
        let history = History::of(journal.as_ref(), Bounds::default());
        let partition =
            oms_runtime::start(journal, DeskConfig::default(), clock.clone(), market.clone(), Box::new(|fault| panic!("{fault}"))).unwrap();
        let (told, handed) = unbounded_channel();
        let handle = partition.handle().clone();
        for command in setup() {
            let request = Request { actor: actor(), trace_id: TraceId::default(), idempotency: None, command };
            assert_eq!(handle.execute(request).await.unwrap().outcome, CommandOutcome::Done);
        }
        let mut seen = handle.feed().follow(handle.durable());
        let (telemetry, kills, gate) = (partition.telemetry().clone(), partition.kill_epoch().clone(), handle.clone());
        let begin = clock.clone();
        tokio::task::spawn_blocking(move || drop(gateway::start(&gate, vec![Box::new(Told(told))], &begin, &telemetry, &kills).unwrap()))
            .await
            .unwrap();
        while !seen.next().await.unwrap().events.iter().any(|event| matches!(event, oms_model::Event::BrokerConnected(_))) {}
        let id = handle.inspect(|state, _| state.instruments()[0].instrument_id).await.unwrap();
        for (bid, price) in [(true, "20.00"), (false, "20.02")] {
            market.quote(id, XNAS, bid, Some((dec(price), dec("9000"))), clock.now());
        }
        let engine = Engine::new();
        let listener = engine.listen(ListenerConfig::new((Ipv4Addr::LOCALHOST, 0).into())).await.unwrap();
        let parts = DeskParts { handle, history, tenant_id: TENANT };
        let log = MemoryJournal::new(1);
        let store = JournalStore::open(Box::new(log.clone())).unwrap();
        Self { partition, handed, clients: Clients::default(), engine, store, log, parts, listener }
    }

    /// Opens the desk's side of a session, and the client's.
    pub async fn client(&self, name: &str, change: impl FnOnce(&mut ClientProfile)) -> Client {
        self.session(name, change);
        Client::connect(name, "OMS", &self.listener.address().to_string()).await
    }

    /// Opens both sides, the client's set up as the test wants it.
    pub async fn client_as(&self, name: &str, change: impl FnOnce(&mut ClientProfile), own: impl FnOnce(&mut Config)) -> Client {
        self.session(name, change);
        Client::connect_as(name, "OMS", &self.listener.address().to_string(), own).await
    }

    /// What is stored of sessions.
    pub fn log(&self) -> MemoryJournal {
        self.log.clone()
    }

    /// The desk's side ends, and begins where it ended.
    pub async fn again(&self, name: &str) {
        self.again_with(name, |_| ()).await;
    }

    pub async fn again_with(&self, name: &str, change: impl FnOnce(&mut ClientProfile)) {
        assert!(self.engine.remove(&SessionId::fix44("OMS", name)).await);
        self.session(name, change);
    }

    fn session(&self, name: &str, change: impl FnOnce(&mut ClientProfile)) {
        let id = SessionId::fix44("OMS", name);
        let mut config = Config::new(id.clone(), Role::Acceptor);
        config.timeouts.logout = 1_000_000_000;
        let mut profile = ClientProfile {
            config,
            user_id: user_of(&id),
            scopes: ClientProfile::SCOPES,
            copies: None,
            account: None,
            allowed: Vec::new(),
            client_certificate: None,
            cancel_after: None,
        };
        change(&mut profile);
        self.clients.add(&self.engine, &self.store, &self.parts, profile).unwrap();
    }

    /// Asks by another door than FIX.
    pub async fn run(&self, command: Command) -> CommandOutcome {
        let request = Request { actor: actor(), trace_id: TraceId::default(), idempotency: None, command };
        self.partition.handle().execute(request).await.unwrap().outcome
    }

    pub fn report(&self, body: ReportBody) {
        self.partition.handle().report(Report { venue: XNAS, transact_time: SystemClock.now(), body }).unwrap();
    }

    /// What the venue is handed next.
    pub async fn taken(&mut self, kind: IntentKind) -> WireId {
        let (handed, wire_id) =
            tokio::time::timeout(WITHIN, self.handed.recv()).await.expect("in time").expect("the venue is handed something");
        assert_eq!(handed, kind);
        wire_id
    }

    pub fn ack(&self, wire_id: &WireId) {
        self.report(ReportBody::Accepted { wire_id: wire_id.clone(), broker_order_id: None });
    }

    pub fn fill(&self, wire_id: &WireId, exec_id: &str, qty: &str, price: &str) {
        let fill = VenueFill { exec_id: exec_id.parse().unwrap(), last_qty: dec(qty), last_px: dec(price), ..VenueFill::default() };
        self.report(ReportBody::Fill { wire_id: wire_id.clone(), fill });
    }
}
