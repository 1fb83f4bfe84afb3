//! A client that speaks FIX to a desk, remembers everything that it is told, and holds the desk to it.

pub mod lives;

use oms_fix::codec::scan::View;
use oms_fix::session::Phase;
use oms_fix::session::config::{Config, Role, SessionId};
use oms_fix::session::outbox::{Event, Outgoing};
use oms_fix::store::MemoryStore;
use oms_fix::transport::{Application, Endpoint, Engine, Reconnect, SessionHandle, SessionSpec};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// When orders say that they were made; the desk has its own clock.
pub(crate) const TRANSACT_TIME: &str = "20261127-10:00:00.000";

/// A port that nobody listened on a moment ago, so that a desk has the same one in every life.
///
/// # Panics
/// Where there is none.
#[must_use]
pub fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

/// A message as it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The first value of each tag.
    pub fields: BTreeMap<i32, String>,
    /// When it came.
    pub at: Instant,
}

impl Told {
    /// A field; empty where it is not there.
    #[must_use]
    pub fn get(&self, tag: i32) -> &str {
        self.fields.get(&tag).map_or("", String::as_str)
    }

    /// MsgSeqNum(34).
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.get(34).parse().unwrap()
    }

    /// Whether it is an ExecutionReport with this ExecType(150).
    #[must_use]
    pub fn is(&self, exec_type: &str) -> bool {
        self.get(35) == "8" && self.get(150) == exec_type
    }
}

#[derive(Default)]
struct Heard {
    told: Mutex<Vec<Told>>,
    grown: Condvar,
}

struct Listening(Arc<Heard>);

impl Application for Listening {
    fn deliver(&mut self, _: &SessionId, message: &View<'_>, _: &mut Vec<Outgoing>) {
        let mut fields = BTreeMap::new();
        for span in message.spans() {
            fields.entry(span.tag).or_insert_with(|| String::from_utf8_lossy(message.value(span)).into_owned());
        }
        self.0.told.lock().unwrap_or_else(PoisonError::into_inner).push(Told { fields, at: Instant::now() });
        self.0.grown.notify_all();
    }

    fn event(&mut self, _: &SessionId, event: &Event) {
        // Every message of the desk is one that FIX 4.4 knows, and none of ours is refused by its session.
        assert!(!matches!(event, Event::Rejected { .. } | Event::PeerRejected { .. } | Event::Garbled(_)), "{event:?}");
    }
}

/// A session as `name` with whoever listens there. It connects again by itself, whatever becomes of the desk.
pub(crate) async fn session(name: &str, address: &str, application: Box<dyn Application>) -> (Engine, SessionHandle) {
    let engine = Engine::new();
    let mut config = Config::new(SessionId::fix44(name, "OMS"), Role::Initiator);
    config.timeouts.logout = 1_000_000_000;
    // What was lost on the way is asked for again soon.
    config.timeouts.resend = 2_000_000_000;
    let mut spec = SessionSpec::new(config, Box::<MemoryStore>::default(), application);
    spec.endpoints = vec![Endpoint::plain(address)];
    spec.reconnect = Reconnect { first: Duration::from_millis(20), longest: Duration::from_millis(200), ..Reconnect::default() };
    let session = engine.add(spec).unwrap();
    (engine, session)
}

/// The client. It connects again by itself, whatever becomes of the desk.
pub struct FixClient {
    runtime: Runtime,
    _engine: Engine,
    session: SessionHandle,
    heard: Arc<Heard>,
    /// When each ClOrdID was sent.
    pub sent: BTreeMap<String, Instant>,
}

impl FixClient {
    /// Connects as `name` to whoever listens there.
    ///
    /// # Panics
    /// Where the client cannot be started.
    #[must_use]
    pub fn connect(name: &str, address: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let heard = Arc::new(Heard::default());
        let (engine, session) = runtime.block_on(session(name, address, Box::new(Listening(heard.clone()))));
        Self { runtime, _engine: engine, session, heard, sent: BTreeMap::new() }
    }

    /// Waits until it is logged on, or not any more.
    ///
    /// # Panics
    /// Where it does not come so far.
    pub fn until_phase(&self, wanted: Phase) {
        let mut phase = self.session.phase();
        self.runtime.block_on(async {
            tokio::time::timeout(crate::PATIENCE, phase.wait_for(|phase| *phase == wanted))
                .await
                .expect("in time")
                .expect("the session runs");
        });
    }

    /// Logs out; it comes back by itself.
    ///
    /// # Panics
    /// Where the session has ended.
    pub fn logout(&self) {
        self.runtime.block_on(self.session.logout("")).unwrap();
    }

    /// Sends a message. False where nobody is logged on: then it was not sent, and never will be.
    pub fn send(&mut self, msg_type: &str, fields: &[(i32, &str)]) -> bool {
        let mut message = Outgoing::new(msg_type.as_bytes());
        for (tag, value) in fields {
            message.body.text(*tag, value);
        }
        let began = Instant::now();
        let sent = self.runtime.block_on(self.session.send(message)).is_ok();
        if let Some((_, id)) = fields.iter().find(|(tag, _)| *tag == 11).filter(|_| sent) {
            self.sent.insert((*id).to_owned(), began);
        }
        sent
    }

    /// Sends many messages in one go, without waiting for any. As [`FixClient::send`].
    ///
    /// # Panics
    /// Where the session has ended or takes no more.
    pub fn send_all(&mut self, msg_type: &str, all: impl Iterator<Item = Vec<(i32, String)>>) {
        for fields in all {
            let mut message = Outgoing::new(msg_type.as_bytes());
            for (tag, value) in &fields {
                message.body.text(*tag, value);
            }
            let id = fields.iter().find(|(tag, _)| *tag == 11).map(|(_, id)| id.clone()).unwrap_or_default();
            self.sent.insert(id, Instant::now());
            self.session.try_send(message).unwrap();
        }
    }

    /// A limit order, with these fields beside or instead; an empty one is left out.
    pub fn order(&mut self, id: &str, more: &[(i32, &str)]) -> bool {
        let mut fields: BTreeMap<i32, &str> = [(11, id), (38, "100"), (40, "2"), (54, "1"), (60, TRANSACT_TIME)].into();
        fields.extend(more.iter().copied());
        let fields: Vec<(i32, &str)> = fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        self.send("D", &fields)
    }

    /// A cancel.
    pub fn cancel(&mut self, id: &str, orig: &str, symbol: &str) -> bool {
        self.send("F", &[(11, id), (38, "100"), (41, orig), (54, "1"), (55, symbol), (60, TRANSACT_TIME)])
    }

    fn told(&self) -> MutexGuard<'_, Vec<Told>> {
        self.heard.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that it was told so far.
    #[must_use]
    pub fn all(&self) -> Vec<Told> {
        self.told().clone()
    }

    /// Waits until it was told something like this.
    ///
    /// # Panics
    /// Where that does not come.
    pub fn until(&self, what: &str, wanted: impl Fn(&Told) -> bool) -> Told {
        self.until_all(what, |all| all.iter().rev().find(|told| wanted(told)).cloned())
    }

    /// Waits until everything that it was told answers something.
    ///
    /// # Panics
    /// Where it does not.
    pub fn until_all<T>(&self, what: &str, look: impl Fn(&[Told]) -> Option<T>) -> T {
        let deadline = Instant::now() + crate::PATIENCE;
        let mut told = self.told();
        loop {
            if let Some(found) = look(&told) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let last: Vec<Told> = told.iter().rev().take(5).cloned().collect();
                drop(told);
                panic!("{what}: not within {:?}; told last: {last:#?}", crate::PATIENCE);
            }
            told = self.heard.grown.wait_timeout(told, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What holds whatever happened on the way: no number told two things, no execution was told twice, and the quantities
    /// of each order add up. Answers the last report of each OrderID(37).
    ///
    /// # Panics
    /// Where it does not hold.
    pub fn audit(&self) -> BTreeMap<String, Told> {
        let all = self.all();
        let mut numbers: BTreeMap<u64, &Told> = BTreeMap::new();
        for told in &all {
            let earlier = numbers.insert(told.seq(), told);
            assert!(earlier.is_none(), "the number {} was told twice: {earlier:?} {told:?}", told.seq());
        }
        let (mut ids, mut cum): (BTreeMap<&str, &Told>, BTreeMap<&str, f64>) = (BTreeMap::new(), BTreeMap::new());
        let mut last = BTreeMap::new();
        for told in all.iter().filter(|told| told.get(35) == "8" && !told.is("I")) {
            let earlier = ids.insert(told.get(17), told);
            assert!(earlier.is_none(), "the execution {} was told twice: {earlier:?} {told:?}", told.get(17));
            if told.get(37) == "NONE" {
                continue;
            }
            let sum = cum.entry(told.get(37)).or_default();
            if told.is("F") {
                *sum += told.get(32).parse::<f64>().unwrap();
            }
            assert_eq!(told.get(14).parse::<f64>().unwrap(), *sum, "{told:?}");
            last.insert(told.get(37).to_owned(), told.clone());
        }
        last
    }
}
