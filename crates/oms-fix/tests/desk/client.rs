//! A client that speaks FIX over a socket.
#![allow(dead_code, reason = "each test uses its part of it")]

use std::collections::BTreeMap;
use std::time::Duration;

use oms_fix::codec::scan::View;
use oms_fix::session::Phase;
use oms_fix::session::config::{Config, Role, SessionId};
use oms_fix::session::outbox::{Event as SessionEvent, Outgoing};
use oms_fix::store::MemoryStore;
use oms_fix::transport::{Application, Endpoint, Engine, Reconnect, SessionHandle, SessionSpec};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Whatever is waited for comes within this time, or the test has failed.
pub const WITHIN: Duration = Duration::from_secs(20);

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
    /// Logs on.
    pub async fn connect(name: &str, target: &str, address: &str) -> Self {
        Self::connect_as(name, target, address, |_| ()).await
    }

    /// Logs on with a session set up as the test wants it.
    pub async fn connect_as(name: &str, target: &str, address: &str, change: impl FnOnce(&mut Config)) -> Self {
        let engine = Engine::new();
        let (messages, received) = unbounded_channel();
        let mut config = Config::new(SessionId::fix44(name, target), Role::Initiator);
        config.timeouts.logout = 1_000_000_000;
        change(&mut config);
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

    /// Sends, if the session takes it now.
    pub async fn try_send(&self, msg_type: &str, fields: &[(i32, &str)]) -> bool {
        let mut message = Outgoing::new(msg_type.as_bytes());
        for (tag, value) in fields {
            message.body.text(*tag, value);
        }
        self.session.send(message).await.is_ok()
    }

    /// What has come, or comes in a moment.
    pub async fn soon(&mut self) -> Vec<Message> {
        let mut found = Vec::new();
        if let Ok(Some(first)) = tokio::time::timeout(Duration::from_millis(5), self.messages.recv()).await {
            found.push(first);
            while let Ok(more) = self.messages.try_recv() {
                found.push(more);
            }
        }
        found
    }

    /// Sends once the session takes it: the connection that it seems to have may be gone already.
    pub async fn send_when_up(&self, msg_type: &str, fields: &[(i32, &str)]) {
        let mut message = Outgoing::new(msg_type.as_bytes());
        for (tag, value) in fields {
            message.body.text(*tag, value);
        }
        tokio::time::timeout(WITHIN, async {
            while self.session.send(message.clone()).await.is_err() {
                self.phase(Phase::Up).await;
                tokio::task::yield_now().await;
            }
        })
        .await
        .expect("in time");
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
