//! Sessions on tokio: one task for each, TCP or TLS, as acceptor or initiator.
//!
//! - An [`Engine`] holds sessions that can be added and removed at any time, and listens for acceptors.
//! - A connection costs almost nothing before its Logon: one small buffer, a time limit, a limit on how
//!   many there may be.
//! - What is written waits in a bounded buffer; while it is full nothing is read. A counterparty that
//!   does not read is let go after a time.

mod accept;
mod address;
mod clock;
mod connect;
mod connection;
mod driver;
mod engine;
mod stream;
mod task;
mod tls;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

pub use accept::{ListenError, Listener, ListenerConfig};
pub use address::{AddressError, Network};
pub use connect::{Endpoint, Reconnect};
pub use engine::{AddError, Engine};
pub use tls::{TlsError, client_tls, server_tls, server_tls_of};

use crate::codec::scan::View;
use crate::session::config::{Config, SessionId};
use crate::session::outbox::{Acted, Event, Kept, Mark, Outgoing, SendError, Sent};
use crate::session::{Phase, Stored};
use crate::store::MessageStore;

/// What a session serves.
///
/// Its calls are made by the task of the session, one after the other. They must not block: whatever
/// takes time is handed on, and answered later by [`SessionHandle::send`].
pub trait Application: Send {
    /// A message came. What is put into `replies` is stored in the same atomic step as the number of
    /// the message, and sent after it. That step is not durable yet when this is called: what else is
    /// done about the message must be in the same log, or bear to be done again after a crash.
    fn deliver(&mut self, session: &SessionId, message: &View<'_>, replies: &mut Vec<Outgoing>);

    /// Whether messages are kept in the store until the application has dealt with them. Then each is handed to
    /// [`Application::take`] and not to [`Application::deliver`].
    fn keeps(&self) -> bool {
        false
    }

    /// A message came that is kept. What is done about it may have effects at once: after a crash before it is stored
    /// the counterparty sends it again, after one behind that it is found in the store. In both cases it has the same
    /// [`Kept::numbering`] and [`Kept::seq`]. False: it is not taken, and `replies` say so.
    fn take(&mut self, session: &SessionId, kept: &Kept, message: &View<'_>, replies: &mut Vec<Outgoing>) -> bool {
        let _ = (session, kept, message, replies);
        false
    }

    /// Something happened.
    fn event(&mut self, session: &SessionId, event: &Event) {
        let _ = (session, event);
    }
}

/// Limits of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectionLimits {
    /// Bytes that may wait to be written; with more, nothing is read. Default 4 MiB.
    pub write_buffer: usize,
    /// How long nothing may move while bytes wait to be written. Default 30 s.
    pub write_stall: Duration,
    /// Bytes of messages that are read from the store at a time when they are asked for again.
    /// Default 64 KiB.
    pub resend_page: usize,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self { write_buffer: 4 << 20, write_stall: Duration::from_secs(30), resend_page: 64 << 10 }
    }
}

/// A session that is to be run.
pub struct SessionSpec {
    /// Its set-up.
    pub config: Config,
    /// Where its numbers and messages are.
    pub store: Box<dyn MessageStore>,
    /// What it serves.
    pub application: Box<dyn Application>,
    /// Limits of its connection.
    pub limits: ConnectionLimits,
    /// Where an initiator connects to, in turn.
    pub endpoints: Vec<Endpoint>,
    /// How an initiator waits between attempts.
    pub reconnect: Reconnect,
    /// From where an acceptor takes connections; empty: from everywhere.
    pub allowed: Vec<Network>,
    /// SHA-256 of the certificate that a client must show, in DER; `None`: any that the listener takes.
    pub client_certificate: Option<[u8; 32]>,
}

impl SessionSpec {
    /// A session with default limits and no endpoints.
    #[must_use]
    pub fn new(config: Config, store: Box<dyn MessageStore>, application: Box<dyn Application>) -> Self {
        Self {
            config,
            store,
            application,
            limits: ConnectionLimits::default(),
            endpoints: Vec::new(),
            reconnect: Reconnect::default(),
            allowed: Vec::new(),
            client_certificate: None,
        }
    }
}

/// Actions that are remembered of a session.
const ACTED: usize = 64;

pub(crate) enum Command {
    Send(Outgoing, Option<oneshot::Sender<Result<Sent, SendError>>>),
    Post(Vec<Outgoing>, Mark, oneshot::Sender<Result<(), Vec<Outgoing>>>),
    Logout(String),
    SetNextOut(u64),
    SetNextIn(u64),
    Reset,
    Test(String),
    /// Somebody does something to the session.
    Note(Acted, oneshot::Sender<()>),
    /// The connection ends without a Logout.
    Cut,
    /// Log out, and end the task.
    Stop,
}

/// What others may know of a session while it runs.
#[derive(Debug)]
pub(crate) struct Shared {
    next_in: AtomicU64,
    next_out: AtomicU64,
    phase: watch::Sender<Phase>,
    /// Whether an acceptor takes a Logon, and an initiator connects.
    open: watch::Sender<bool>,
    /// Whether nothing is read from the connection or written to it.
    frozen: watch::Sender<bool>,
    /// What was done to it last.
    acted: Mutex<VecDeque<Acted>>,
}

impl Shared {
    fn new(stored: Stored, acted: Vec<Acted>) -> Arc<Self> {
        Arc::new(Self {
            next_in: AtomicU64::new(stored.next_in),
            next_out: AtomicU64::new(stored.next_out),
            phase: watch::Sender::new(Phase::Down),
            open: watch::Sender::new(true),
            frozen: watch::Sender::new(false),
            acted: Mutex::new(acted.into()),
        })
    }
}

impl Shared {
    fn acted(&self) -> MutexGuard<'_, VecDeque<Acted>> {
        // Each change is one insertion; a panic elsewhere leaves the list whole.
        self.acted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what was done.
    fn act(&self, acted: Acted) {
        let mut all = self.acted();
        if all.len() == ACTED {
            all.pop_front();
        }
        all.push_back(acted);
    }
}

/// The session is not run any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the session has ended")]
pub struct Ended;

/// Why a message was not sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SendFailure {
    /// The session did not take it.
    #[error(transparent)]
    Refused(#[from] SendError),
    /// The session ended. If it was asked to send before, whether it did is not known.
    #[error(transparent)]
    Ended(#[from] Ended),
    /// Too much waits for the session already.
    #[error("too much waits for the session")]
    Busy,
}

/// Why messages were not posted.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PostFailure {
    /// Nobody is logged on; nothing was done, and the messages are given back.
    #[error("nobody is logged on")]
    NotLoggedOn(Vec<Outgoing>),
    /// The session ended. Whether it sent them is not known.
    #[error(transparent)]
    Ended(#[from] Ended),
}

/// A way to a running session.
#[derive(Clone, Debug)]
pub struct SessionHandle {
    id: SessionId,
    commands: mpsc::Sender<Command>,
    shared: Arc<Shared>,
}

impl SessionHandle {
    /// Who it is between.
    #[must_use]
    pub fn id(&self) -> &SessionId {
        &self.id
    }

    /// Sends a message, and waits until it is numbered and durable, or refused.
    ///
    /// # Errors
    /// [`SendFailure`].
    pub async fn send(&self, message: Outgoing) -> Result<Sent, SendFailure> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Send(message, Some(reply))).await.map_err(|_| Ended)?;
        Ok(answer.await.map_err(|_| Ended)??)
    }

    /// Sends a message without waiting. What becomes of it is told by events only.
    ///
    /// # Errors
    /// [`SendFailure::Busy`], [`SendFailure::Ended`].
    pub fn try_send(&self, message: Outgoing) -> Result<(), SendFailure> {
        self.commands.try_send(Command::Send(message, None)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SendFailure::Busy,
            mpsc::error::TrySendError::Closed(_) => SendFailure::Ended(Ended),
        })
    }

    /// Hands a message over without waiting for what becomes of it, which events tell: [`Event::Numbered`] or
    /// [`Event::NotSent`] by its token. Waits for room. An error is certain: the message was not taken.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn hand(&self, message: Outgoing) -> Result<(), Ended> {
        self.command(Command::Send(message, None)).await
    }

    /// Asks the counterparty by a TestRequest(1) whether it is there; [`Event::Answered`] tells when it has answered.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn test(&self, id: &str) -> Result<(), Ended> {
        self.command(Command::Test(id.to_owned())).await
    }

    /// Sends messages, all of them or none, and stores how far the application has come with them in one atomic step.
    /// Waits until that is durable. Without messages it may be done while nobody is logged on.
    ///
    /// # Errors
    /// [`PostFailure`].
    pub async fn post(&self, messages: Vec<Outgoing>, mark: Mark) -> Result<(), PostFailure> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Post(messages, mark, reply)).await.map_err(|_| Ended)?;
        answer.await.map_err(|_| Ended)?.map_err(PostFailure::NotLoggedOn)
    }

    async fn command(&self, command: Command) -> Result<(), Ended> {
        self.commands.send(command).await.map_err(|_| Ended)
    }

    /// Logs out. An initiator connects again, where it is [open](Self::open).
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn logout(&self, text: &str) -> Result<(), Ended> {
        self.command(Command::Logout(text.to_owned())).await
    }

    /// Sets the next outbound number; told to the counterparty if it is logged on.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn set_next_out(&self, next: u64) -> Result<(), Ended> {
        self.command(Command::SetNextOut(next)).await
    }

    /// Sets the next inbound number.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn set_next_in(&self, next: u64) -> Result<(), Ended> {
        self.command(Command::SetNextIn(next)).await
    }

    /// Sets both numbers to 1, by agreement if the counterparty is logged on.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn reset(&self) -> Result<(), Ended> {
        self.command(Command::Reset).await
    }

    /// Waits until everything that was asked of it before is carried out.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn settled(&self) -> Result<(), Ended> {
        let (reply, answer) = oneshot::channel();
        self.command(Command::Post(Vec::new(), Mark::default(), reply)).await?;
        answer.await.map(drop).map_err(|_| Ended)
    }

    /// Whether the session is not run any more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.commands.is_closed()
    }

    /// Whether an acceptor takes the next Logon, and an initiator connects. Until it does an acceptor's connections are closed
    /// without a word. A connection that stands is left alone.
    pub fn open(&self, open: bool) {
        self.shared.open.send_replace(open);
    }

    /// Whether an acceptor takes a Logon, and an initiator connects.
    #[must_use]
    pub fn is_open(&self) -> bool {
        *self.shared.open.borrow()
    }

    /// Ends the connection at once, without a Logout, as a line does that breaks.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn cut(&self) -> Result<(), Ended> {
        self.command(Command::Cut).await
    }

    /// Whether nothing is read from the connection or written to it, as on a line that is half open. Commands go on.
    pub fn freeze(&self, frozen: bool) {
        self.shared.frozen.send_replace(frozen);
    }

    /// Waits until the session is not run any more: it was stopped, or its store has failed.
    pub async fn ended(&self) {
        self.commands.closed().await;
    }

    /// Records that somebody does something to the session. Waits until that is durable; it is done after it.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn note(&self, acted: Acted) -> Result<(), Ended> {
        let (reply, answer) = oneshot::channel();
        self.command(Command::Note(acted, reply)).await?;
        answer.await.map_err(|_| Ended)
    }

    /// What was done to it last, oldest first: all of it is in its log.
    #[must_use]
    pub fn acted(&self) -> Vec<Acted> {
        self.shared.acted().iter().cloned().collect()
    }

    /// Whether the connection is frozen.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        *self.shared.frozen.borrow()
    }

    /// The next inbound and outbound number: durable ones, from the moment on that the session is there.
    #[must_use]
    pub fn numbers(&self) -> (u64, u64) {
        (self.shared.next_in.load(Ordering::Acquire), self.shared.next_out.load(Ordering::Acquire))
    }

    /// How far its connection has come, and a way to follow it.
    #[must_use]
    pub fn phase(&self) -> watch::Receiver<Phase> {
        self.shared.phase.subscribe()
    }
}

#[cfg(test)]
mod tests;
