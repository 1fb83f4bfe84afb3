//! The task of one session.

use std::future::{Future, pending};
use std::ops::Range;
use std::pin::Pin;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, Sleep, sleep_until};

use super::Command;
use super::clock;
use super::connect::Dialer;
use super::connection::{Connection, Io};
use super::driver::{Driver, Flow};
use super::stream::Stream;
use crate::codec::frame::Framer;
use crate::session::config::Role;
use crate::session::{Input, Phase};

/// Commands taken in one go.
const COMMANDS: usize = 64;
/// Reads after which a page of a resend has its turn, however much comes in.
const READS_PER_PAGE: u32 = 8;

/// A connection whose first message is the Logon of a session.
pub(super) struct Attached {
    pub(super) stream: Stream,
    pub(super) framer: Framer,
    pub(super) first: Range<usize>,
}

pub(super) struct Task {
    driver: Driver,
    commands: mpsc::Receiver<Command>,
    stopping: bool,
    timer: Pin<Box<Sleep>>,
    /// Whether an initiator connects.
    open: watch::Receiver<bool>,
}

impl Task {
    pub(super) fn new(driver: Driver, commands: mpsc::Receiver<Command>) -> Self {
        let open = driver.open();
        Self { driver, commands, stopping: false, timer: Box::pin(sleep_until(Instant::now())), open }
    }

    /// Runs until the session is stopped, or its store fails.
    pub(super) async fn run(mut self, mut attached: mpsc::Receiver<Attached>, mut dialer: Dialer) {
        self.driver.step(Input::Timer);
        self.driver.settle(None).await;
        while !self.stopping && !self.driver.failed() {
            let connection = match self.driver.session.config().role {
                Role::Acceptor => match self.down(attached.recv()).await {
                    Some(Some(Attached { stream, framer, first })) => Some((Connection::new(stream, framer), Some(first))),
                    // The engine is gone: nobody will ever connect.
                    Some(None) => return,
                    None => None,
                },
                Role::Initiator if self.driver.session.may_connect() && *self.open.borrow_and_update() => {
                    self.down(dialer.dial()).await.map(|stream| {
                        let framer = Framer::new(self.driver.session.config().bounds.message);
                        (Connection::new(stream, framer), None)
                    })
                }
                Role::Initiator => {
                    // Until the schedule opens, or somebody opens it.
                    self.tick().await;
                    None
                }
            };
            let Some((connection, first)) = connection else { continue };
            self.connected(connection, first, &mut attached, &mut dialer).await;
        }
    }

    /// Waits for `future` without a connection; commands and the schedule go on. `None`: to stop, or
    /// to look again at what to wait for.
    async fn down<T>(&mut self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = std::pin::pin!(future);
        loop {
            let deadline = self.deadline(None);
            tokio::select! {
                biased;
                command = self.commands.recv() => self.command(command),
                // What is waited for may be another connection, or none.
                _ = self.open.changed() => return None,
                result = &mut future => return Some(result),
                () = wait(self.timer.as_mut(), deadline) => self.driver.step(Input::Timer),
            }
            self.driver.settle(None).await;
            if self.stopping || self.driver.failed() {
                return None;
            }
        }
    }

    async fn tick(&mut self) {
        let deadline = self.deadline(None);
        tokio::select! {
            biased;
            command = self.commands.recv() => self.command(command),
            _ = self.open.changed() => (),
            () = wait(self.timer.as_mut(), deadline) => self.driver.step(Input::Timer),
        }
        self.driver.settle(None).await;
    }

    fn command(&mut self, command: Option<Command>) {
        let go_on = command.is_some_and(|command| self.driver.command(command));
        if !go_on && !self.stopping {
            self.stopping = true;
            self.driver.step(Input::Logout(""));
        }
    }

    fn deadline(&self, stall: Option<Instant>) -> Option<Instant> {
        let session = self.driver.session.deadline(clock::now()).map(clock::instant);
        [session, stall].into_iter().flatten().min()
    }

    async fn connected(
        &mut self,
        mut connection: Connection,
        first: Option<Range<usize>>,
        attached: &mut mpsc::Receiver<Attached>,
        dialer: &mut Dialer,
    ) {
        let limits = self.driver.limits;
        connection.framer.set_max_message(self.driver.session.config().bounds.message);
        self.driver.step(Input::Connected);
        if let Some(first) = first {
            self.driver.step(Input::Received(connection.framer.bytes(&first)));
        }
        self.driver.take_in(&mut connection);
        let mut reads = 0;
        let mut frozen = self.driver.frozen();
        let mut flow = self.driver.settle(Some(&mut connection)).await;
        while flow == Flow::GoOn {
            if self.driver.session.phase() == Phase::Up {
                dialer.succeeded();
            }
            if !self.stopping && *frozen.borrow_and_update() {
                tokio::select! {
                    // The sender lives as long as the session.
                    _ = frozen.changed() => (),
                    command = self.commands.recv() => self.command(command),
                    Some(_) = attached.recv() => (),
                }
                flow = self.driver.settle(Some(&mut connection)).await;
                continue;
            }
            let room = connection.waiting() < limits.write_buffer;
            let page = room && self.driver.has_page();
            let deadline = self.deadline(connection.stall_deadline(limits.write_stall));
            let turn = page && READS_PER_PAGE <= reads;
            tokio::select! {
                biased;
                () = std::future::ready(()), if turn => (reads, ()) = (0, self.driver.page().await),
                io = connection.io(room) => match io {
                    Io::Read => {
                        reads += 1;
                        self.driver.take_in(&mut connection);
                        self.drain(room);
                    }
                    Io::Wrote => (),
                    Io::Ended => break,
                },
                command = self.commands.recv(), if room => {
                    self.command(command);
                    self.drain(room);
                }
                // Whoever comes second is let go.
                Some(_) = attached.recv() => (),
                _ = frozen.changed() => (),
                () = std::future::ready(()), if page => (reads, ()) = (0, self.driver.page().await),
                () = wait(self.timer.as_mut(), deadline) => {
                    if connection.stall_deadline(limits.write_stall).is_some_and(|stall| stall <= Instant::now()) {
                        break;
                    }
                    self.driver.step(Input::Timer);
                }
            }
            flow = self.driver.settle(Some(&mut connection)).await;
        }
        if flow == Flow::GoOn {
            self.driver.step(Input::Disconnected);
            self.driver.settle(None).await;
        } else {
            // What is left to write does not keep the session from its next connection.
            tokio::spawn(connection.close());
        }
    }

    /// Takes in what commands wait, so that a busy connection does not hold them up.
    fn drain(&mut self, room: bool) {
        for _ in 0..if room { COMMANDS } else { 0 } {
            let Ok(command) = self.commands.try_recv() else { break };
            self.command(Some(command));
        }
    }
}

/// Waits for a deadline, if there is one. A timer that was set to an earlier moment is left as it is
/// until then: most deadlines move on with every message.
async fn wait(mut timer: Pin<&mut Sleep>, deadline: Option<Instant>) {
    let Some(deadline) = deadline else { return pending().await };
    loop {
        if deadline < timer.deadline() || (timer.is_elapsed() && Instant::now() < deadline) {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().await;
        if deadline <= Instant::now() {
            return;
        }
    }
}
