//! The simulated gateway: sessions, orders, accounts and market data, without sockets, threads or a clock.
//!
//! - Time comes in, messages come out. The same seed, recording and calls give the same messages.
//! - Whatever changes an order is in the journal before anything is told of it.
//! - Orders that were released work at the paper venues ([`oms_venues::floor`]); stops, trailing stops, orders for the
//!   close, children of a bracket and orders that are not transmitted are held here.
//!
//! ```text
//! session  who is connected, and how much each may ask
//! place    new orders, modifications, cancels            work     what is held, released and elected
//! report   what venues say                               tell     what sessions are told
//! query    what sessions ask                             market   quotes, trades, ticks
//! command  faults and actions
//! ```

mod command;
mod market;
mod place;
mod query;
mod report;
mod restore;
mod session;
#[cfg(any(test, feature = "stage"))]
pub mod stage;
mod tell;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use oms_model::{InstrumentId, Time};
use oms_venues::floor::{Floor, FloorConfig, FloorEvent, Ledgers};
use oms_venues::paper::ledger::LedgerError;
use oms_venues::replay::{Recording, Speed};

use super::account::Account;
pub use super::book::FeeSchedule;
use super::book::Orders;
use super::catalog::Catalog;
use super::faults::Faults;
use super::journal::{Journal, JournalError, Line};
use crate::codec::{Commission, Dialect, ExecutionReport, Reply, Request};
use market::{Board, Subscription};
use session::Session;

/// Events of the floor that are taken at a time.
const BATCH: usize = 4096;
/// Orders that are kept at most; beyond it new ones are refused.
const MAX_ORDERS: usize = 200_000;
/// Messages that wait to be told at most; a session whose messages would be more is closed.
const MAX_WAITING: usize = 50_000;
/// The number of the first execution.
const FIRST_EXECUTION: u64 = 1;

/// What the simulator is made of.
#[derive(Clone, Debug)]
pub struct GatewayConfig {
    /// The market that is replayed; its symbols are the stocks that can be traded.
    pub recording: Arc<Recording>,
    /// How fast, [`Speed::Times`] only.
    pub speed: Speed,
    /// Of all chance.
    pub seed: u64,
    /// When it begins.
    pub start: Time,
    /// The accounts, one at least.
    pub accounts: Vec<String>,
    /// Where orders, executions and the venues' ledgers are kept; without it nothing survives a restart.
    pub folder: Option<PathBuf>,
    /// Ticks are told this often at most, nanoseconds.
    pub tick_ns: i64,
    /// What orders cost.
    pub fees: FeeSchedule,
}

impl GatewayConfig {
    /// One account, the recording at its own speed, nothing kept.
    #[must_use]
    pub fn new(recording: Arc<Recording>, start: Time) -> Self {
        Self {
            recording,
            speed: Speed::Times(1),
            seed: 1,
            start,
            accounts: vec!["DU1000001".to_owned()],
            folder: None,
            tick_ns: 100_000_000,
            fees: FeeSchedule::default(),
        }
    }
}

/// Why the simulator cannot start.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// A venue's ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The settings.
    #[error("{0}")]
    Settings(&'static str),
}

/// A connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionId(pub u64);

/// What goes out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Told {
    /// A message to a session that it did not ask for.
    Reply(SessionId, Box<Reply>),
    /// A message to a session that it asked for: of a list, an end, an answer.
    Answer(SessionId, Box<Reply>),
    /// The connection is closed from here.
    Close(SessionId),
}

/// An execution that happened.
#[derive(Debug)]
struct Done {
    at: Time,
    instrument: InstrumentId,
    report: ExecutionReport,
    commission: Option<Commission>,
}

/// The simulated gateway. See the module.
pub struct Gateway {
    floor: Floor,
    catalog: Catalog,
    boards: Vec<Board>,
    accounts: Vec<Account>,
    orders: Orders,
    executions: Vec<Done>,
    venue_executions: BTreeSet<String>,
    sessions: BTreeMap<SessionId, Session>,
    next_session: u64,
    /// Client ids that are held although nobody is connected, and until when.
    lingering: BTreeMap<i32, Time>,
    subscriptions: BTreeMap<(SessionId, i32), Subscription>,
    next_flush: Option<Time>,
    tick_ns: i64,
    fees: FeeSchedule,
    /// Order ids up to this one were given out or used.
    order_ids: i32,
    next_execution: u64,
    faults: Faults,
    journal: Journal,
    failure: Option<JournalError>,
    waiting: BTreeMap<(Time, u64), Told>,
    told: u64,
    /// What is told now was asked for.
    answers: bool,
    /// Messages that could not be understood, and of ids that are not known.
    unknown_requests: u64,
    now: Time,
    events: Vec<FloorEvent>,
}

impl Gateway {
    /// Opens the gateway and its venues, with what the folder holds.
    ///
    /// # Errors
    /// A ledger or journal that cannot be opened or is damaged; settings that make no sense.
    pub fn open(config: GatewayConfig) -> Result<Self, GatewayError> {
        if config.accounts.is_empty() || config.accounts.iter().any(String::is_empty) {
            return Err(GatewayError::Settings("there must be an account"));
        }
        if config.speed == Speed::AsFastAsPossible {
            return Err(GatewayError::Settings("a gateway has clients, who need a market that keeps time"));
        }
        let catalog = Catalog::stocks(config.recording.symbols());
        let instruments = catalog.iter().map(|item| (item.symbol.clone(), item.instrument)).collect();
        let (ledgers, journal, lines) = match &config.folder {
            Some(folder) => {
                std::fs::create_dir_all(folder).map_err(JournalError::Io)?;
                let (journal, lines) = Journal::open(&folder.join("gateway.journal"))?;
                (Ledgers::Folder(folder.clone()), journal, lines)
            }
            None => (Ledgers::memory(&oms_venues::paper::profile::VENUES), Journal::none(), Vec::new()),
        };
        let mut floor = FloorConfig::new(config.recording, instruments, config.start, ledgers);
        (floor.seed, floor.speed) = (config.seed, config.speed);
        let boards = catalog.iter().map(|_| Board::default()).collect();
        let mut gateway = Self {
            floor: Floor::open(floor)?,
            catalog,
            boards,
            accounts: config.accounts.into_iter().map(Account::new).collect(),
            orders: Orders::default(),
            executions: Vec::new(),
            venue_executions: BTreeSet::new(),
            sessions: BTreeMap::new(),
            next_session: 1,
            lingering: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            next_flush: None,
            tick_ns: config.tick_ns.max(1),
            fees: config.fees,
            order_ids: 0,
            next_execution: FIRST_EXECUTION,
            faults: Faults::default(),
            journal,
            failure: None,
            waiting: BTreeMap::new(),
            told: 0,
            answers: false,
            unknown_requests: 0,
            now: config.start,
            events: Vec::new(),
        };
        gateway.restore(lines);
        Ok(gateway)
    }

    /// The dialect for a client that offers `min` to `max`; `None`: it is turned away.
    #[must_use]
    pub fn agreed(&self, min: u16, max: u16) -> Option<Dialect> {
        Dialect::agreed(min, max)
    }

    /// A connection that finished its handshake.
    pub fn connected(&mut self, now: Time) -> SessionId {
        self.pass(now);
        let session = SessionId(self.next_session);
        self.next_session += 1;
        self.sessions.insert(session, Session::new(now));
        session
    }

    /// A connection that ended from the other side.
    pub fn gone(&mut self, now: Time, session: SessionId) {
        self.pass(now);
        self.forget(session);
    }

    /// What a session asks.
    pub fn request(&mut self, now: Time, session: SessionId, request: Request) {
        self.pass(now);
        let Some(client) = self.sessions.get(&session).map(|session| session.client) else { return };
        if !self.is_paced(session) {
            return;
        }
        match (client, request) {
            (None, Request::StartApi(start)) => self.start(session, start.client_id),
            // Nothing is answered before the session has begun, and it begins once.
            (None, _) | (Some(_), Request::StartApi(_)) => (),
            (Some(client), request) => {
                self.answers = !matches!(request, Request::PlaceOrder(_) | Request::CancelOrder(_) | Request::GlobalCancel(_));
                self.serve(session, client, request);
                self.answers = false;
            }
        }
    }

    /// A message that could not be understood, or whose id is not known: it is counted, and nothing else.
    pub fn not_understood(&mut self) {
        self.unknown_requests += 1;
    }

    /// Lets time pass.
    pub fn advance(&mut self, now: Time) {
        loop {
            let mut events = std::mem::take(&mut self.events);
            let arrived = self.floor.advance(now, BATCH, &mut events);
            for event in events.drain(..) {
                self.happened(event);
            }
            self.events = events;
            if arrived {
                break;
            }
        }
        self.pass(now);
        self.orders.prune();
        self.release_due();
        if self.next_flush.is_some_and(|due| due <= self.now) {
            self.flush();
        }
        let now = self.now;
        self.lingering.retain(|_, until| *until > now);
    }

    /// The next message that is due; nothing while the gateway is frozen.
    pub fn poll(&mut self) -> Option<Told> {
        let (key, _) = self.waiting.first_key_value()?;
        if self.faults.frozen || key.0 > self.now {
            return None;
        }
        self.waiting.pop_first().map(|(_, told)| told)
    }

    /// When [`Gateway::advance`] or [`Gateway::poll`] have something next.
    #[must_use]
    pub fn next_due(&self) -> Option<Time> {
        let told = self.waiting.first_key_value().map(|((at, _), _)| *at).filter(|_| !self.faults.frozen);
        [self.floor.next_due(), told, self.next_flush, self.next_release()].into_iter().flatten().min()
    }

    /// Whether nothing is read: what clients send waits.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.faults.frozen
    }

    /// Why the simulator must stop: its journal cannot be written.
    #[must_use]
    pub fn failure(&self) -> Option<&JournalError> {
        self.failure.as_ref()
    }

    fn happened(&mut self, event: FloorEvent) {
        match event {
            FloorEvent::Quote { instrument, venue, side, shown, at, .. } => {
                self.pass(at);
                self.quoted(instrument, venue, side, shown);
            }
            FloorEvent::Trade { instrument, traded, last_sale, at, .. } => {
                self.pass(at);
                self.traded(instrument, traded, last_sale);
            }
            FloorEvent::Report(report) => {
                self.pass(report.transact_time.max(self.now));
                self.reported(report);
            }
        }
    }

    fn pass(&mut self, now: Time) {
        self.now = self.now.max(now);
    }

    fn keep(&mut self, line: &Line) {
        if self.failure.is_none()
            && let Err(error) = self.journal.write(line)
        {
            self.failure = Some(error);
        }
    }

    /// Raises the order ids that were used.
    fn use_id(&mut self, order_id: i32) {
        if order_id > self.order_ids {
            self.order_ids = order_id;
            self.keep(&Line::Ids(order_id));
        }
    }
}

#[cfg(test)]
mod tests;
