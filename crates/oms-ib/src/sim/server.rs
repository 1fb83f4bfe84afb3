//! The gateway on sockets and on the wall clock.
//!
//! - One task owns the gateway; each connection has a task that cuts, decodes and writes. Every queue between them is
//!   bounded: a client that sends too fast waits, one that does not read is closed.
//! - While the gateway is frozen its task takes nothing from connections, so that they look open and are silent - also
//!   new ones, whose handshake is not answered. The admin port goes on.

mod admin;
mod connection;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use oms_venues::floor::wall_time;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::faults::{Command, Step};
use super::gateway::{Gateway, GatewayConfig, GatewayError, SessionId, Told};
use super::stamp::stamp;
use crate::codec::{Dialect, Request};

/// Messages of connections that wait for the gateway.
const ASKS: usize = 1024;
/// Commands that wait for the gateway.
const COMMANDS: usize = 16;
/// Frames that wait for one connection.
const FRAMES: usize = 16_384;
/// The gateway looks at the clock at least this often.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// What a server is made of.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where clients connect; port 0 takes a free one.
    pub listen: String,
    /// Where faults are asked for, if anywhere; port 0 takes a free one.
    pub admin: Option<String>,
    /// The gateway.
    pub gateway: GatewayConfig,
    /// What happens by itself.
    pub scenario: Vec<Step>,
}

/// Why a server cannot start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A port.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Which.
        address: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// The gateway.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// Its journal, while it ran.
    #[error("{0}")]
    Journal(String),
    /// A task of it panicked.
    #[error("a task of the simulator panicked")]
    Panicked,
}

/// What connections ask the gateway's task.
enum Ask {
    /// A handshake.
    Offer { min: u16, max: u16, frames: mpsc::Sender<Vec<u8>>, answer: oneshot::Sender<Option<Agreed>> },
    /// A message.
    Request(SessionId, Box<Request>),
    /// A message that could not be understood, or whose id is not known.
    NotUnderstood,
    /// The connection ended.
    Gone(SessionId),
}

/// What came of a handshake.
struct Agreed {
    session: SessionId,
    dialect: Dialect,
    time: String,
}

/// A command and where its answer goes.
type Ordered = (Command, oneshot::Sender<Result<String, String>>);

/// A simulator that runs.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    admin: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    commands: mpsc::Sender<Ordered>,
    gateway: JoinHandle<Result<(), ServerError>>,
}

impl Server {
    /// Opens the gateway and its ports.
    ///
    /// # Errors
    /// A port that is taken; a folder that cannot be used or is damaged.
    pub async fn start(config: ServerConfig) -> Result<Self, ServerError> {
        let gateway = Gateway::open(config.gateway)?;
        let listener = bind(&config.listen).await?;
        let admin_listener = match &config.admin {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let (address, admin) = (local(&listener, &config.listen)?, admin_listener.as_ref().map(|l| local(l, "admin")).transpose()?);
        let (stop, stopped) = watch::channel(false);
        let (asks, asked) = mpsc::channel(ASKS);
        let (commands, commanded) = mpsc::channel(COMMANDS);
        tokio::spawn(connection::listen(listener, asks, stopped.clone()));
        if let Some(listener) = admin_listener {
            tokio::spawn(admin::listen(listener, commands.clone(), stopped.clone()));
        }
        let core = Core { gateway, lines: BTreeMap::new(), scenario: config.scenario.into(), begin: wall_time() };
        let gateway = tokio::spawn(core.run(asked, commanded, stopped));
        Ok(Self { address, admin, stop, commands, gateway })
    }

    /// Where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where faults are asked for.
    #[must_use]
    pub fn admin(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// As a line of the admin port.
    ///
    /// # Errors
    /// It cannot be done, or the simulator has ended.
    pub async fn command(&self, command: Command) -> Result<String, String> {
        let (answer, answered) = oneshot::channel();
        let ended = || "the simulator has ended".to_owned();
        self.commands.send((command, answer)).await.map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// Why it ended.
    pub async fn ended(&mut self) -> Result<(), ServerError> {
        (&mut self.gateway).await.unwrap_or(Err(ServerError::Panicked))
    }

    /// Ends it: connections are closed, ports are free.
    ///
    /// # Errors
    /// It had ended already, and why.
    pub async fn stop(self) -> Result<(), ServerError> {
        // Nobody listens any more where it has ended already; the task says why.
        let _ = self.stop.send(true);
        self.gateway.await.unwrap_or(Err(ServerError::Panicked))
    }
}

async fn bind(address: &str) -> Result<TcpListener, ServerError> {
    TcpListener::bind(address).await.map_err(|error| ServerError::Listen { address: address.to_owned(), error })
}

fn local(listener: &TcpListener, address: &str) -> Result<SocketAddr, ServerError> {
    listener.local_addr().map_err(|error| ServerError::Listen { address: address.to_owned(), error })
}

/// The task that owns the gateway.
struct Core {
    gateway: Gateway,
    lines: BTreeMap<SessionId, (Dialect, mpsc::Sender<Vec<u8>>)>,
    scenario: std::collections::VecDeque<Step>,
    begin: oms_model::Time,
}

impl Core {
    async fn run(
        mut self,
        mut asks: mpsc::Receiver<Ask>,
        mut commands: mpsc::Receiver<Ordered>,
        mut stopped: watch::Receiver<bool>,
    ) -> Result<(), ServerError> {
        loop {
            self.turn();
            if let Some(failure) = self.gateway.failure() {
                return Err(ServerError::Journal(failure.to_string()));
            }
            tokio::select! {
                // A sender that is gone means the same.
                _ = stopped.changed() => return Ok(()),
                Some((command, answer)) = commands.recv() => {
                    let done = self.gateway.command(wall_time(), command);
                    // Whoever asked may be gone.
                    let _ = answer.send(done);
                }
                Some(ask) = asks.recv(), if !self.gateway.is_frozen() => {
                    self.ask(ask);
                    // What has gathered is taken in one go; as much at most, so that time goes on.
                    for _ in 0..ASKS {
                        match asks.try_recv() {
                            Ok(ask) if !self.gateway.is_frozen() => self.ask(ask),
                            _ => break,
                        }
                    }
                }
                () = tokio::time::sleep(self.wait()) => (),
            }
        }
    }

    /// Lets time pass and sends what is due.
    fn turn(&mut self) {
        let now = wall_time();
        while let Some(step) = self.scenario.front()
            && self.begin.plus(step.after) <= now
        {
            let Some(step) = self.scenario.pop_front() else { break };
            match self.gateway.command(now, step.command.clone()) {
                Ok(done) => tracing::info!(command = ?step.command, done, "scenario"),
                Err(why) => tracing::warn!(command = ?step.command, why, "scenario"),
            }
        }
        self.gateway.advance(now);
        while let Some(told) = self.gateway.poll() {
            match told {
                Told::Reply(session, reply) | Told::Answer(session, reply) => {
                    let Some((dialect, line)) = self.lines.get(&session) else { continue };
                    let mut frame = Vec::new();
                    reply.encode(*dialect, &mut frame);
                    if line.try_send(frame).is_err() {
                        // It does not read. Without its line the connection's task ends.
                        self.lines.remove(&session);
                        self.gateway.gone(now, session);
                    }
                }
                Told::Close(session) => drop(self.lines.remove(&session)),
            }
        }
    }

    fn ask(&mut self, ask: Ask) {
        let now = wall_time();
        match ask {
            Ask::Offer { min, max, frames, answer } => {
                let agreed = self.gateway.agreed(min, max).map(|dialect| {
                    let session = self.gateway.connected(now);
                    self.lines.insert(session, (dialect, frames));
                    Agreed { session, dialect, time: stamp(now) }
                });
                let session = agreed.as_ref().map(|agreed| agreed.session);
                if answer.send(agreed).is_err()
                    && let Some(session) = session
                {
                    self.lines.remove(&session);
                    self.gateway.gone(now, session);
                }
            }
            Ask::Request(session, request) => self.gateway.request(now, session, *request),
            Ask::NotUnderstood => self.gateway.not_understood(),
            Ask::Gone(session) => {
                self.lines.remove(&session);
                self.gateway.gone(now, session);
            }
        }
        self.turn();
    }

    fn wait(&self) -> Duration {
        let now = wall_time();
        let step = self.scenario.front().map(|step| self.begin.plus(step.after));
        let due = [self.gateway.next_due(), step].into_iter().flatten().min();
        due.map_or(LONGEST_WAIT, |due| Duration::from_nanos(u64::try_from(due.since(now)).unwrap_or(0)).min(LONGEST_WAIT))
    }
}

#[cfg(test)]
mod tests;
