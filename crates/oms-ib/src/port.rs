//! The port to a TWS or Gateway: the [`Connector`] on a socket, a log and the clock, in a thread of its own.
//!
//! What is handed over goes to that thread, which answers at once; questions wait for their answer. Reports go from there to
//! the desk, and market data to the market book.

mod edge;
mod journal;

use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use oms_model::report::VenueFill;
use oms_model::{InstrumentId, Mic, Symbol, Time, WireId};
use oms_runtime::Clock;
use oms_runtime::port::{Answer, DurableSink, Handed, MarketSink, VenueOrder, VenuePort, WireCancel, WireOrder, WireReplace};
use oms_store::{Journal, JournalError, JournalReader};
use tokio::sync::mpsc;

use crate::archive::{self, About, ArchiveError, Found};
use crate::codec::Contract;
use crate::connector::config::{Config, is_paper};
use crate::connector::{Answered, Connector, Demand, Question, RunRefused, Status, Subscribed, WhatIf};
use crate::reconcile::book::{Asked, Deed, NotDone, Run};
use crate::reconcile::sides::{DeskAsked, DeskSide};
use edge::Edge;

/// What waits for the connector's thread.
const QUEUE: usize = 1_024;

/// What the broker calls the desk's instruments.
pub trait Contracts: Send + Sync {
    /// The contract of an instrument.
    ///
    /// # Errors
    /// Why there is none: then nothing is sent.
    fn contract(&self, instrument: InstrumentId, symbol: &Symbol) -> Result<Contract, String>;
}

/// What the desk has booked at the broker.
pub trait Books: Send + Sync {
    /// Reads it. May take its time: it is called where that holds up no order.
    ///
    /// # Errors
    /// Why it cannot be read: then nothing is compared.
    fn read(&self, asked: &DeskAsked) -> Result<DeskSide, String>;
}

/// What a port needs of its surroundings.
pub struct PortParts {
    /// Where the connector's log is kept.
    pub journal: Box<dyn Journal>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Who is told what the broker says.
    pub reports: Arc<dyn DurableSink>,
    /// Who is told what the market does.
    pub market: Option<Arc<dyn MarketSink>>,
    /// What the broker calls things.
    pub contracts: Arc<dyn Contracts>,
    /// What the desk has booked there.
    pub books: Arc<dyn Books>,
}

/// Why a port was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The connector's log.
    #[error("the log of the connector: {0}")]
    Journal(#[from] JournalError),
    /// An entry of it.
    #[error("the log of the connector: {0}")]
    Damaged(#[from] crate::connector::record::Damaged),
    /// No thread for it.
    #[error("no thread could be started: {0}")]
    Thread(std::io::Error),
}

/// What the connector's thread is asked to do.
enum Command {
    Order(Box<WireOrder>, Box<Contract>, SyncSender<Handed>),
    Cancel(WireCancel, SyncSender<Handed>),
    Replace(WireReplace, SyncSender<Handed>),
    Ask(Question, SyncSender<Answered>),
    Reconcile(Demand, SyncSender<Answered>),
    WhatIf(Box<WireOrder>, Box<Contract>, SyncSender<Answered>),
    OnBreak(Asked, SyncSender<Result<(Deed, bool), NotDone>>),
    Subscribe(Vec<Subscribed>),
    Park(String),
    Unpark,
    Stop,
}

/// A way to a connector, for whoever shows or steers it.
#[derive(Clone)]
pub struct IbHandle {
    /// What the desk calls it.
    pub venue: Mic,
    /// Where it connects to.
    pub address: String,
    /// The account of its orders.
    pub account: String,
    /// Its client id.
    pub client_id: i32,
    commands: mpsc::Sender<Command>,
    contracts: Arc<dyn Contracts>,
    shown: Arc<Mutex<Status>>,
    /// Longer than any question may take there.
    patience: Duration,
    /// Reads its log beside it.
    past: Arc<Mutex<Box<dyn JournalReader>>>,
}

/// Why a person's request to a connector was not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered<E> {
    /// The connector says no.
    #[error("{0}")]
    Refused(E),
    /// It has ended, or too much waits for it: nothing was done.
    #[error("the connection has ended, or too much waits for it")]
    Ended,
    /// It did not answer in time: it may be done yet.
    #[error("the connector does not answer")]
    Late,
}

impl IbHandle {
    /// How it stands.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether its account is a paper account.
    #[must_use]
    pub fn is_paper(&self) -> bool {
        is_paper(&self.account)
    }

    /// Whether its thread runs.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.commands.is_closed()
    }

    /// Takes it down, until it is taken up. False: it has ended, or too much waits for it.
    #[must_use]
    pub fn disconnect(&self, reason: &str) -> bool {
        self.commands.try_send(Command::Park(reason.to_owned())).is_ok()
    }

    /// Takes it up, or tries at once. False: as above.
    #[must_use]
    pub fn connect(&self) -> bool {
        self.commands.try_send(Command::Unpark).is_ok()
    }

    /// Compares the three sides now. Blocks until that is done: as long as two looks may take. The run, and whether the
    /// request had been made before.
    ///
    /// # Errors
    /// [`RunRefused`], or no answer.
    pub fn reconcile(&self, demand: Demand) -> Result<(Run, bool), Unanswered<RunRefused>> {
        let (reply, answer) = sync_channel(1);
        self.commands.try_send(Command::Reconcile(demand, reply)).map_err(|_| Unanswered::Ended)?;
        // Two looks, each after one that is under way, and the books between them.
        match answer.recv_timeout(self.patience.saturating_mul(4)) {
            Ok(Answered::Run(Ok((run, repeated)))) => Ok((*run, repeated)),
            Ok(Answered::Run(Err(refused))) => Err(Unanswered::Refused(refused)),
            Ok(_) | Err(_) => Err(Unanswered::Late),
        }
    }

    /// What the broker says that an order would cost and bind, without placing it. Blocks until it says so, or until its
    /// patience is over.
    ///
    /// # Errors
    /// Why it does not say so, in words.
    pub fn what_if(&self, order: &WireOrder) -> Result<WhatIf, String> {
        let contract = self.contracts.contract(order.instrument, &order.symbol)?;
        let (reply, answer) = sync_channel(1);
        let command = Command::WhatIf(Box::new(order.clone()), Box::new(contract), reply);
        self.commands.try_send(command).map_err(|_| "the connection has ended, or too much waits for it".to_owned())?;
        match answer.recv_timeout(self.patience) {
            Ok(Answered::WhatIf(answer)) => answer.map(|what_if| *what_if),
            Ok(_) | Err(_) => Err("the connector does not answer".to_owned()),
        }
    }

    /// Does what a person wants done to a break, durably. What was done, and whether it had been before.
    ///
    /// # Errors
    /// [`NotDone`], or no answer.
    pub fn on_break(&self, asked: Asked) -> Result<(Deed, bool), Unanswered<NotDone>> {
        let (reply, answer) = sync_channel(1);
        self.commands.try_send(Command::OnBreak(asked, reply)).map_err(|_| Unanswered::Ended)?;
        answer.recv_timeout(self.patience).map_err(|_| Unanswered::Late)?.map_err(Unanswered::Refused)
    }

    /// Subscribes to market data. False: as above.
    #[must_use]
    pub fn subscribe(&self, more: Vec<Subscribed>) -> bool {
        self.commands.try_send(Command::Subscribe(more)).is_ok()
    }

    /// The messages about an order. Reads up to [`archive::MAX_LOOKED_AT`] entries of its log twice: not for a thread that
    /// may not block.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub fn messages(&self, about: &About) -> Result<Found, ArchiveError> {
        archive::about(self.past.lock().unwrap_or_else(PoisonError::into_inner).as_mut(), self.client_id, about)
    }

    /// Ends its thread.
    pub fn stop(&self) {
        // It has ended already where nobody takes it.
        let _ = self.commands.blocking_send(Command::Stop);
    }
}

/// The port to one gateway.
pub struct IbPort {
    handle: IbHandle,
}

impl IbPort {
    /// Reads the connector's log and starts its thread, which connects.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(config: Config, address: &str, parts: PortParts) -> Result<Self, OpenError> {
        let PortParts { mut journal, clock, reports, market, contracts, books } = parts;
        let epoch = journal.claim()?;
        let log = journal::read(journal.as_ref())?;
        let patience = Duration::from_nanos(u64::try_from(config.timing.patience).unwrap_or(0)).saturating_mul(4);
        let (commands, commanded) = mpsc::channel(QUEUE);
        let (venue, account, client_id) = (config.venue, config.account.clone(), config.client_id);
        let connector = Connector::new(config, log);
        let shown = Arc::new(Mutex::new(connector.status()));
        let past = Arc::new(Mutex::new(journal.reader()));
        let handle =
            IbHandle { venue, address: address.to_owned(), account, client_id, commands, contracts, shown: shown.clone(), patience, past };
        let log = journal::Log::new(journal, epoch);
        let edge = Edge::new(connector, address, log, (clock, reports, market, books), (commanded, shown)).map_err(OpenError::Thread)?;
        std::thread::Builder::new().name(format!("oms-ib-{venue}")).spawn(move || edge.run()).map_err(OpenError::Thread)?;
        Ok(Self { handle })
    }

    /// A way to the connector.
    #[must_use]
    pub fn handle(&self) -> IbHandle {
        self.handle.clone()
    }

    /// Hands something to the connector's thread and waits for what it says of it.
    fn hand(&self, command: impl FnOnce(SyncSender<Handed>) -> Command) -> Handed {
        let (reply, answer) = sync_channel(1);
        if self.handle.commands.blocking_send(command(reply)).is_err() {
            return Handed::NotSent("the connector has ended".to_owned());
        }
        answer.recv_timeout(self.handle.patience).unwrap_or_else(|_| Handed::Unknown("the connector does not answer".to_owned()))
    }

    /// Asks the connector's thread, and takes the answer to that question out of what it says.
    fn ask<T>(&self, question: Question, of: impl FnOnce(Answered) -> Option<Answer<T>>) -> Answer<T> {
        let (reply, answer) = sync_channel(1);
        if self.handle.commands.blocking_send(Command::Ask(question, reply)).is_err() {
            return Answer::Failed("the connector has ended".to_owned());
        }
        match answer.recv_timeout(self.handle.patience) {
            Ok(answered) => of(answered).unwrap_or_else(|| Answer::Failed("another question was answered".to_owned())),
            Err(_) => Answer::Failed("the connector does not answer".to_owned()),
        }
    }
}

impl VenuePort for IbPort {
    fn venue(&self) -> Mic {
        self.handle.venue
    }

    fn send(&mut self, order: &WireOrder) -> Handed {
        match self.handle.contracts.contract(order.instrument, &order.symbol) {
            Ok(contract) => self.hand(|reply| Command::Order(Box::new(order.clone()), Box::new(contract), reply)),
            Err(reason) => Handed::NotSent(reason),
        }
    }

    fn cancel(&mut self, request: &WireCancel) -> Handed {
        self.hand(|reply| Command::Cancel(request.clone(), reply))
    }

    fn replace(&mut self, request: &WireReplace) -> Handed {
        self.hand(|reply| Command::Replace(request.clone(), reply))
    }

    fn query(&mut self, order: &WireId) -> Answer<Option<VenueOrder>> {
        self.ask(Question::Order(order.clone()), |answered| if let Answered::Order(answer) = answered { Some(answer) } else { None })
    }

    fn open_orders(&mut self) -> Answer<Vec<VenueOrder>> {
        self.ask(Question::Open, |answered| if let Answered::Open(answer) = answered { Some(answer) } else { None })
    }

    fn executions_since(&mut self, since: Time) -> Answer<Vec<(WireId, Time, VenueFill)>> {
        self.ask(Question::Executions(since), |answered| if let Answered::Executions(answer) = answered { Some(answer) } else { None })
    }
}

#[cfg(test)]
mod tests;
