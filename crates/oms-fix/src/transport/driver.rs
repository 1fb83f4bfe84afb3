//! A session with its store and its application: what a step decides is carried out here.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::clock;
use super::connection::Connection;
use super::{Application, Command, ConnectionLimits, Shared};
use crate::codec::frame::Cut;
use crate::session::config::WhenDown;
use crate::session::outbox::{Event, Fetch, Kept, Mark, Outbox, Outgoing, Reason, SendError, Sent};
use crate::session::{Input, Phase, Session};
use crate::store::MessageStore;
use tokio::sync::{oneshot, watch};

type Answer = (oneshot::Sender<Result<Sent, SendError>>, Result<Sent, SendError>);

pub(super) struct Driver {
    pub(super) session: Session,
    pub(super) limits: ConnectionLimits,
    store: Box<dyn MessageStore>,
    application: Box<dyn Application>,
    shared: Arc<Shared>,
    out: Outbox,
    /// Deliveries and events that the application has seen.
    delivered: usize,
    told: usize,
    replies: Vec<Outgoing>,
    answers: Vec<Answer>,
    posted: Vec<oneshot::Sender<Result<(), Vec<Outgoing>>>>,
    noted: Vec<oneshot::Sender<()>>,
    /// Messages kept so far.
    taken: u64,
    fetch: Option<Fetch>,
    failed: bool,
}

/// Whether a session goes on with its connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Flow {
    GoOn,
    Close,
}

impl Driver {
    pub(super) fn new(
        session: Session,
        limits: ConnectionLimits,
        store: Box<dyn MessageStore>,
        application: Box<dyn Application>,
        shared: Arc<Shared>,
    ) -> Self {
        let (out, taken) = (Outbox::default(), store.progress().taken);
        Self {
            session,
            limits,
            store,
            application,
            shared,
            out,
            delivered: 0,
            told: 0,
            replies: Vec::new(),
            answers: Vec::new(),
            posted: Vec::new(),
            noted: Vec::new(),
            taken,
            fetch: None,
            failed: false,
        }
    }

    /// One step, without carrying it out yet.
    pub(super) fn step(&mut self, input: Input<'_>) {
        self.session.step(input, clock::now(), &mut self.out);
        self.deliver();
    }

    /// Takes in a command. False for the one to stop.
    pub(super) fn command(&mut self, command: Command) -> bool {
        match command {
            Command::Send(message, reply) => {
                let token = message.token;
                let result = self.session.send(message, clock::now(), &mut self.out);
                match reply {
                    Some(reply) => self.answers.push((reply, result)),
                    None => match result {
                        Ok(Sent::Numbered(seq)) => self.out.events.push(Event::Numbered { token, seq }),
                        Ok(Sent::Held) => (),
                        Err(_) => self.out.events.push(Event::NotSent { token }),
                    },
                }
                self.deliver();
            }
            Command::Post(messages, mark, reply) => self.post(messages, mark, reply),
            Command::Logout(text) => self.step(Input::Logout(&text)),
            Command::SetNextOut(next) => self.step(Input::SetNextOut(next)),
            Command::SetNextIn(next) => self.step(Input::SetNextIn(next)),
            Command::Reset => self.step(Input::Reset),
            Command::Test(id) => self.step(Input::Test(&id)),
            Command::Note(acted, reply) => {
                self.out.batch.actions.push(acted);
                self.noted.push(reply);
            }
            Command::Cut => self.step(Input::Abort(Reason::Asked)),
            Command::Stop => return false,
        }
        true
    }

    /// Sends all of the messages or none.
    fn post(&mut self, messages: Vec<Outgoing>, mark: Mark, reply: oneshot::Sender<Result<(), Vec<Outgoing>>>) {
        let stores = self.session.config().when_down == WhenDown::Store;
        let may = messages.is_empty() || stores || self.session.phase() == Phase::Up;
        if !may {
            // Whoever asked may have gone away.
            let _ = reply.send(Err(messages));
            return;
        }
        for message in messages {
            let token = message.token;
            if self.session.send(message, clock::now(), &mut self.out).is_err() {
                // Too large: it would never get out, however often it is tried.
                self.out.events.push(Event::NotSent { token });
            }
        }
        let stored = &mut self.out.batch.mark;
        *stored = Mark { handled: mark.handled.or(stored.handled), cursor: mark.cursor.or(stored.cursor) };
        self.posted.push(reply);
        self.deliver();
    }

    /// Hands deliveries and events to the application; its replies go into the same batch.
    fn deliver(&mut self) {
        while self.delivered < self.out.deliveries.len() || self.told < self.out.events.len() {
            while let Some(event) = self.out.events.get(self.told) {
                self.application.event(self.session.id(), event);
                self.told += 1;
            }
            let Some(delivery) = self.out.deliveries.get(self.delivered) else { break };
            self.delivered += 1;
            let message = self.out.delivered(delivery);
            if self.application.keeps() {
                let (seq, numbering) = (delivery.seq, self.session.numbering());
                let kept = Kept { ordinal: self.taken + 1, seq, numbering, received_at: clock::now().utc };
                if self.application.take(self.session.id(), &kept, &message, &mut self.replies) {
                    self.taken += 1;
                    let delivery = delivery.clone();
                    self.out.keep(kept, &delivery);
                }
            } else {
                self.application.deliver(self.session.id(), &message, &mut self.replies);
            }
            for reply in std::mem::take(&mut self.replies) {
                let token = reply.token;
                if self.session.send(reply, clock::now(), &mut self.out).is_err() {
                    self.out.events.push(Event::NotSent { token });
                }
            }
        }
    }

    /// Cuts and takes in all messages that are there; stops when the session ends.
    pub(super) fn take_in(&mut self, connection: &mut Connection) {
        while self.out.disconnect.is_none() {
            match connection.framer.cut() {
                Cut::Message(place) => {
                    self.session.step(Input::Received(connection.framer.bytes(&place)), clock::now(), &mut self.out);
                    self.deliver();
                }
                Cut::Garbled(why) => self.step(Input::Garbled(why)),
                Cut::More => break,
            }
        }
    }

    /// Makes durable what was decided, then lets it out.
    pub(super) async fn settle(&mut self, connection: Option<&mut Connection>) -> Flow {
        if self.failed || !self.commit().await {
            return Flow::Close;
        }
        // Whoever sees the other side's answer sees these.
        self.shared.next_in.store(self.session.next_in(), Ordering::Release);
        self.shared.next_out.store(self.session.next_out(), Ordering::Release);
        match connection {
            Some(connection) => connection.write(&mut self.out.wire),
            None => self.out.wire.clear(),
        }
        let flow = if self.out.disconnect.is_some() { Flow::Close } else { Flow::GoOn };
        let phase = self.session.phase();
        self.shared.phase.send_if_modified(|known| std::mem::replace(known, phase) != phase);
        for (reply, result) in self.answers.drain(..) {
            // Whoever asked may have gone away.
            let _ = reply.send(result);
        }
        for acted in self.out.batch.actions.drain(..) {
            self.shared.act(acted);
        }
        for reply in self.noted.drain(..) {
            let _ = reply.send(());
        }
        for reply in self.posted.drain(..) {
            let _ = reply.send(Ok(()));
        }
        self.fetch = self.out.fetch.take().or(self.fetch).filter(|_| flow == Flow::GoOn);
        self.clear();
        flow
    }

    /// Whether nothing is read from the connection or written to it, to be followed.
    pub(super) fn frozen(&self) -> watch::Receiver<bool> {
        self.shared.frozen.subscribe()
    }

    /// Whether an initiator connects, to be followed.
    pub(super) fn open(&self) -> watch::Receiver<bool> {
        self.shared.open.subscribe()
    }

    /// Whether messages are to be read from the store and sent again.
    pub(super) fn has_page(&self) -> bool {
        self.fetch.is_some()
    }

    /// Whether the store has failed; the session does not go on then.
    pub(super) fn failed(&self) -> bool {
        self.failed
    }

    /// Reads the next messages that were asked for, and takes them in.
    pub(super) async fn page(&mut self) {
        let Some(fetch) = self.fetch.take() else { return };
        let page = match self.store.fetch(fetch, self.limits.resend_page) {
            Ok(pending) => pending.wait().await,
            Err(error) => Err(error),
        };
        match page {
            Ok(page) => self.step(Input::Page(&page)),
            Err(_) => self.fail(),
        }
    }

    async fn commit(&mut self) -> bool {
        if self.out.batch.is_empty() {
            return true;
        }
        let stored = match self.store.commit(&self.out) {
            Ok(pending) => pending.wait().await,
            Err(error) => Err(error),
        };
        if stored.is_err() {
            // It is not known what is durable: nothing of this may get out.
            self.fail();
        }
        stored.is_ok()
    }

    fn fail(&mut self) {
        self.clear();
        self.answers.clear();
        self.posted.clear();
        self.noted.clear();
        self.session.step(Input::Abort(Reason::StoreFailed), clock::now(), &mut self.out);
        self.deliver();
        self.clear();
        self.failed = true;
        self.shared.phase.send_replace(Phase::Down);
    }

    fn clear(&mut self) {
        self.out.clear();
        (self.delivered, self.told) = (0, 0);
    }
}
