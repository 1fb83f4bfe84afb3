//! A desk with one venue that does as it is told, and a client that speaks FIX to it over a socket.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use oms_fix::codec::scan::View;
use oms_fix::desk::{ClientProfile, Clients, DeskParts, user_of};
use oms_fix::session::Phase;
use oms_fix::session::config::{Config, Role, SessionId};
use oms_fix::session::outbox::{Event as SessionEvent, Outgoing};
use oms_fix::store::{JournalStore, MemoryStore};
use oms_fix::transport::{Application, Endpoint, Engine, Listener, ListenerConfig, Reconnect, SessionHandle, SessionSpec};
use oms_model::command::{Command, CommandOutcome};
use oms_model::report::{Report, ReportBody, VenueFill};
use oms_model::{IntentKind, Mic, Time, TraceId, WireId};
use oms_runtime::history::{Bounds, History};
use oms_runtime::port::{Answer, Handed, MarketSink as _, ReportSink as _, VenueOrder, VenuePort, WireCancel, WireOrder, WireReplace};
use oms_runtime::{Clock, Config as DeskConfig, MarketBook, Partition, Request, SystemClock, gateway};
use oms_store::MemoryJournal;
use oms_testkit::fixture::{TENANT, actor, dec, setup};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Whatever is waited for comes within this time, or the test has failed.
pub const WITHIN: Duration = Duration::from_secs(20);
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
        let store = JournalStore::open(Box::new(MemoryJournal::new(1))).unwrap();
        Self { partition, handed, clients: Clients::default(), engine, store, parts, listener }
    }

    /// Opens the desk's side of a session, and the client's.
    pub async fn client(&self, name: &str, change: impl FnOnce(&mut ClientProfile)) -> Client {
        let id = SessionId::fix44("OMS", name);
        let mut config = Config::new(id.clone(), Role::Acceptor);
        config.timeouts.logout = 1_000_000_000;
        let mut profile = ClientProfile {
            config,
            user_id: user_of(&id),
            account: None,
            allowed: Vec::new(),
            client_certificate: None,
            cancel_after: None,
        };
        change(&mut profile);
        self.clients.add(&self.engine, &self.store, &self.parts, profile).unwrap();
        Client::connect(name, &self.listener.address().to_string()).await
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

/// A message as the client got it.
#[derive(Clone, Debug)]
pub struct Message(pub BTreeMap<i32, String>);

impl Message {
    pub fn get(&self, tag: i32) -> &str {
        self.0.get(&tag).map_or("", String::as_str)
    }

    /// ExecType(150) and OrdStatus(39).
    pub fn pair(&self) -> (&str, &str) {
        (self.get(150), self.get(39))
    }
}

struct Listening {
    messages: UnboundedSender<Message>,
}

impl Application for Listening {
    fn deliver(&mut self, _: &SessionId, message: &View<'_>, _: &mut Vec<Outgoing>) {
        let text = |span| String::from_utf8_lossy(message.value(span)).into_owned();
        // The test may have ended.
        let _ = self.messages.send(Message(message.spans().iter().map(|span| (span.tag, text(span))).collect()));
    }

    fn event(&mut self, _: &SessionId, event: &SessionEvent) {
        // Every message of the desk must be one that FIX knows.
        assert!(!matches!(event, SessionEvent::Rejected { .. } | SessionEvent::Garbled(_)), "{event:?}");
    }
}

pub struct Client {
    _engine: Engine,
    pub session: SessionHandle,
    messages: UnboundedReceiver<Message>,
}

impl Client {
    async fn connect(name: &str, address: &str) -> Self {
        let engine = Engine::new();
        let (messages, received) = unbounded_channel();
        let mut config = Config::new(SessionId::fix44(name, "OMS"), Role::Initiator);
        config.timeouts.logout = 1_000_000_000;
        let mut spec = SessionSpec::new(config, Box::<MemoryStore>::default(), Box::new(Listening { messages }));
        spec.endpoints = vec![Endpoint::plain(address)];
        spec.reconnect = Reconnect { first: Duration::from_millis(20), longest: Duration::from_millis(100), ..Reconnect::default() };
        let session = engine.add(spec).unwrap();
        let client = Self { _engine: engine, session, messages: received };
        client.phase(Phase::Up).await;
        client
    }

    pub async fn phase(&self, wanted: Phase) {
        let mut phase = self.session.phase();
        tokio::time::timeout(WITHIN, phase.wait_for(|phase| *phase == wanted)).await.expect("in time").expect("the session runs");
    }

    pub async fn send(&self, msg_type: &str, fields: &[(i32, &str)]) {
        let mut message = Outgoing::new(msg_type.as_bytes());
        for (tag, value) in fields {
            message.body.text(*tag, value);
        }
        self.session.send(message).await.unwrap();
    }

    /// A limit order to buy XYZ at 20.00, with these fields beside or instead.
    pub async fn order(&self, id: &str, qty: &str, more: &[(i32, &str)]) {
        let mut fields: BTreeMap<i32, &str> = [(11, id), (38, qty), (40, "2"), (44, "20.00"), (54, "1"), (55, "XYZ"), (60, NOW)].into();
        fields.extend(more.iter().copied());
        let fields: Vec<(i32, &str)> = fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        self.send("D", &fields).await;
    }

    pub async fn cancel(&self, id: &str, orig: &str) {
        self.send("F", &[(11, id), (38, "100"), (41, orig), (54, "1"), (55, "XYZ"), (60, NOW)]).await;
    }

    pub async fn replace(&self, id: &str, orig: &str, qty: &str, price: &str) {
        self.send("G", &[(11, id), (38, qty), (40, "2"), (41, orig), (44, price), (54, "1"), (55, "XYZ"), (60, NOW)]).await;
    }

    /// The next message.
    pub async fn next(&mut self) -> Message {
        tokio::time::timeout(WITHIN, self.messages.recv()).await.expect("in time").expect("the session runs")
    }

    /// The next report, whose type of execution and status these are.
    pub async fn report(&mut self, exec_type: &str, ord_status: &str) -> Message {
        let message = self.next().await;
        assert_eq!((message.get(35), message.pair()), ("8", (exec_type, ord_status)), "{message:?}");
        message
    }
}

pub const NOW: &str = "20261127-10:00:00.000";
