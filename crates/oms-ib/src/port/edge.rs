//! The thread of one connector: socket, log and clock.
//!
//! Waiting is done in a runtime of its own; everything else outside of it, since the desk may let a report wait.

use std::collections::BTreeMap;
use std::future::pending;
use std::io;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use oms_model::report::Report;
use oms_runtime::Clock;
use oms_runtime::port::{DurableSink, MarketSink};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::journal::Log;
use super::{Books, Command};
use crate::codec::frame::{Framer, MAX_REPLY};
use crate::connector::{Action, Answered, Connector, Now, Status};
use crate::reconcile::sides::{DeskAsked, DeskSide};

/// Bytes that are read at a time.
const CHUNK: usize = 64 << 10;
/// Bytes that wait for a peer that does not read, at most.
const MAX_UNWRITTEN: usize = 4 << 20;
/// What is shown is as old at most.
const SHOWN_AFTER: Duration = Duration::from_millis(100);

/// Whom it tells: the clock it goes by, the desk, the market; and the desk's books.
type Told = (Arc<dyn Clock>, Arc<dyn DurableSink>, Option<Arc<dyn MarketSink>>, Arc<dyn Books>);
/// What the desk has booked, under the number of the question.
type BooksRead = (u64, Result<DeskSide, String>);

/// The connection.
enum Socket {
    None,
    Connecting(JoinHandle<io::Result<TcpStream>>),
    Open { stream: TcpStream, framer: Framer, unwritten: Vec<u8> },
}

/// What woke it.
enum Woken {
    Command(Command),
    /// Nobody can command it any more.
    Left,
    Connected(io::Result<TcpStream>),
    Read(io::Result<usize>),
    Written(io::Result<usize>),
    Books(BooksRead),
    Time,
}

/// Why it ends.
enum End {
    /// It was told to, or nobody is there any more.
    Told,
    /// Its log cannot be written.
    Log(oms_store::JournalError),
}

pub(super) struct Edge {
    connector: Connector,
    address: String,
    log: Log,
    clock: Arc<dyn Clock>,
    reports: Arc<dyn DurableSink>,
    /// What the desk is told once the log has what it follows from.
    untold: Vec<Report>,
    market: Option<Arc<dyn MarketSink>>,
    commands: mpsc::Receiver<Command>,
    shown: Arc<Mutex<Status>>,
    shown_at: Instant,
    is_shown: bool,
    runtime: Runtime,
    socket: Socket,
    questions: BTreeMap<u64, SyncSender<Answered>>,
    books: Arc<dyn Books>,
    reading: Option<JoinHandle<BooksRead>>,
    begin: Instant,
    chunk: Vec<u8>,
}

/// A connection without delay: small frames would wait for each other.
async fn connect(address: String) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(&address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Edge {
    pub(super) fn new(
        connector: Connector,
        address: &str,
        log: Log,
        (clock, reports, market, books): Told,
        (commands, shown): (mpsc::Receiver<Command>, Arc<Mutex<Status>>),
    ) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (begin, address) = (Instant::now(), address.to_owned());
        let (questions, chunk) = (BTreeMap::new(), vec![0; CHUNK]);
        let (shown_at, is_shown, socket) = (begin, false, Socket::None);
        Ok(Self {
            connector,
            address,
            log,
            clock,
            reports,
            untold: Vec::new(),
            market,
            commands,
            shown,
            shown_at,
            is_shown,
            runtime,
            socket,
            questions,
            books,
            reading: None,
            begin,
            chunk,
        })
    }

    /// Runs until it is told to stop, or nobody takes its reports.
    pub(super) fn run(mut self) {
        match self.work() {
            End::Told => (),
            End::Log(error) => {
                // Without its log nothing may leave. What is in doubt is asked about at the next start.
                tracing::error!(venue = %self.connector.config().venue, %error, "the connector ends: its log cannot be written");
                let now = self.now();
                self.connector.park(now, "its log cannot be written");
                for report in std::mem::take(&mut self.untold) {
                    let _ = self.reports.report(report);
                }
                while let Some(action) = self.connector.next_action() {
                    if let Action::Report(report) = action {
                        let _ = self.reports.report(report);
                    }
                }
                self.show(true);
            }
        }
    }

    fn work(&mut self) -> End {
        loop {
            let now = self.now();
            self.connector.turn(now);
            if let Err(end) = self.perform() {
                return end;
            }
            self.show(false);
            let woken = self.wait();
            if let Err(end) = self.take(woken) {
                return end;
            }
        }
    }

    /// Nanoseconds since it began.
    fn mono(&self) -> i64 {
        i64::try_from(self.begin.elapsed().as_nanos()).unwrap_or(i64::MAX)
    }

    fn now(&self) -> Now {
        Now { wall: self.clock.now(), mono: self.mono() }
    }

    // ---- what the connector wants done

    fn perform(&mut self) -> Result<(), End> {
        while let Some(action) = self.connector.next_action() {
            self.is_shown &= matches!(action, Action::Quote(..) | Action::Trade(..));
            match action {
                Action::Connect => {
                    let (address, _entered) = (self.address.clone(), self.runtime.enter());
                    self.socket = Socket::Connecting(tokio::spawn(connect(address)));
                }
                Action::Close => self.close(),
                Action::Keep(record) => self.log.gather(&record),
                Action::Send(bytes) => {
                    self.tell()?;
                    self.write(&bytes);
                }
                Action::Report(report) => self.untold.push(report),
                Action::Settle => {
                    self.tell()?;
                    self.reports.settled().map_err(|_| End::Told)?;
                }
                Action::ReadDesk(number, asked) => {
                    self.tell()?;
                    self.read_books(number, *asked);
                }
                Action::Answer(number, answered) => {
                    // Whoever is answered finds it, also after a kill.
                    self.tell()?;
                    if matches!(answered, Answered::Run(_)) {
                        self.show(true);
                    }
                    self.answer(number, answered);
                }
                Action::Quote(instrument, is_bid, level) => {
                    if let Some(market) = &self.market {
                        market.quote(instrument, self.connector.config().venue, is_bid, level, self.clock.now());
                    }
                }
                Action::Trade(instrument, price, qty) => {
                    if let Some(market) = &self.market {
                        market.trade(instrument, Some(self.connector.config().venue), price, qty, self.clock.now());
                    }
                }
            }
        }
        self.tell()
    }

    /// Makes durable what has gathered for the log, then tells the desk what followed from it: an execution that the desk
    /// knows and the log does not would be told as another one, if it is corrected before the next start.
    fn tell(&mut self) -> Result<(), End> {
        self.log.settle(self.clock.now()).map_err(End::Log)?;
        for report in std::mem::take(&mut self.untold) {
            // The desk has stopped: there is nobody to trade for.
            self.reports.report(report).map_err(|_| End::Told)?;
        }
        Ok(())
    }

    fn close(&mut self) {
        if let Socket::Connecting(task) = std::mem::replace(&mut self.socket, Socket::None) {
            task.abort();
        }
    }

    /// Writes what the peer takes now; the rest waits.
    fn write(&mut self, bytes: &[u8]) {
        let Socket::Open { unwritten, .. } = &mut self.socket else { return };
        unwritten.extend_from_slice(bytes);
        if MAX_UNWRITTEN < unwritten.len() {
            self.broken("the gateway does not read");
        }
    }

    fn answer(&mut self, number: u64, answered: Answered) {
        if let Some(asker) = self.questions.remove(&number) {
            // Whoever asked may have lost patience.
            let _ = asker.try_send(answered);
        }
    }

    /// Reads the desk's books beside this thread: it may take longer than an order may wait.
    fn read_books(&mut self, number: u64, asked: DeskAsked) {
        if self.reading.is_some() {
            // One that lost patience is still being answered.
            let now = self.now();
            return self.connector.desk(now, number, Err("they are being read for an earlier run".to_owned()));
        }
        let (reports, books) = (self.reports.clone(), self.books.clone());
        let read = move || {
            // First the desk has durably what it was told of the look.
            let side = reports.settled().map_err(|_| "the desk has stopped".to_owned()).and_then(|()| books.read(&asked));
            (number, side)
        };
        self.reading = Some(self.runtime.spawn_blocking(read));
    }

    fn broken(&mut self, reason: &str) {
        self.socket = Socket::None;
        let now = self.now();
        self.connector.lost(now, reason);
    }

    // ---- what happens

    /// Waits for whatever comes first.
    fn wait(&mut self) -> Woken {
        let now = self.mono();
        let due = self.connector.due().map(|due| Duration::from_nanos(u64::try_from(due.saturating_sub(now)).unwrap_or(0)));
        let show = (!self.is_shown).then(|| SHOWN_AFTER.saturating_sub(self.shown_at.elapsed()));
        let wait = [due, show].into_iter().flatten().min();
        let (commands, chunk, socket, reading) = (&mut self.commands, &mut self.chunk, &mut self.socket, &mut self.reading);
        self.runtime.block_on(async {
            let time = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => pending().await,
                }
            };
            let wire = async {
                match socket {
                    Socket::None => pending().await,
                    // A task that panicked has no connection.
                    Socket::Connecting(task) => Woken::Connected(task.await.unwrap_or_else(|error| Err(io::Error::other(error)))),
                    Socket::Open { stream, unwritten, .. } => {
                        let wants_write = !unwritten.is_empty();
                        tokio::select! {
                            ready = stream.readable() => Woken::Read(ready.and_then(|()| stream.try_read(chunk))),
                            ready = stream.writable(), if wants_write => Woken::Written(ready.and_then(|()| stream.try_write(unwritten))),
                        }
                    }
                }
            };
            let books = async {
                match reading {
                    Some(task) => task.await.unwrap_or_else(|error| (0, Err(error.to_string()))),
                    None => pending().await,
                }
            };
            tokio::select! {
                read = books => Woken::Books(read),
                command = commands.recv() => command.map_or(Woken::Left, Woken::Command),
                woken = wire => woken,
                () = time => Woken::Time,
            }
        })
    }

    fn take(&mut self, woken: Woken) -> Result<(), End> {
        let now = self.now();
        match woken {
            Woken::Time => (),
            Woken::Left | Woken::Command(Command::Stop) => {
                // What had gathered was settled before the wait.
                self.close();
                return Err(End::Told);
            }
            Woken::Books((number, side)) => {
                self.reading = None;
                self.connector.desk(now, number, side);
            }
            Woken::Command(command) => self.command(now, command)?,
            Woken::Connected(Ok(stream)) => {
                self.socket = Socket::Open { stream, framer: Framer::client(MAX_REPLY), unwritten: Vec::new() };
                self.connector.connected(now);
            }
            Woken::Connected(Err(error)) => {
                self.socket = Socket::None;
                self.connector.failed(now, &error.to_string(), error.kind() == io::ErrorKind::ConnectionRefused);
            }
            Woken::Read(Ok(0)) => self.broken("the gateway closed the connection"),
            Woken::Read(Ok(count)) => self.read(now, count),
            Woken::Written(Ok(count)) => {
                if let Socket::Open { unwritten, .. } = &mut self.socket {
                    unwritten.drain(..count.min(unwritten.len()));
                }
            }
            Woken::Read(Err(error)) | Woken::Written(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => (),
            Woken::Read(Err(error)) | Woken::Written(Err(error)) => self.broken(&error.to_string()),
        }
        Ok(())
    }

    fn read(&mut self, now: Now, count: usize) {
        let Socket::Open { framer, .. } = &mut self.socket else { return };
        self.is_shown = false;
        framer.push(self.chunk.get(..count).unwrap_or_default());
        loop {
            // What the connector lets go of is not read any further.
            let Socket::Open { framer, .. } = &mut self.socket else { return };
            match framer.cut() {
                Ok(Some(place)) => {
                    let body = framer.bytes(&place);
                    self.connector.received(now, body);
                }
                Ok(None) => return,
                Err(fault) => return self.broken(&fault.to_string()),
            }
        }
    }

    fn command(&mut self, now: Now, command: Command) -> Result<(), End> {
        // Whoever commands may have lost patience.
        match command {
            Command::Order(order, contract, reply) => drop(reply.try_send(self.connector.order(now, &order, &contract))),
            Command::Cancel(request, reply) => drop(reply.try_send(self.connector.cancel(now, &request))),
            Command::Replace(request, reply) => drop(reply.try_send(self.connector.replace(now, &request))),
            Command::Ask(question, reply) => {
                let number = self.connector.ask(now, question);
                self.questions.insert(number, reply);
            }
            Command::Reconcile(demand, reply) => {
                let number = self.connector.reconcile(now, demand);
                self.questions.insert(number, reply);
            }
            Command::WhatIf(order, contract, reply) => {
                let number = self.connector.what_if(now, &order, &contract);
                self.questions.insert(number, reply);
            }
            Command::OnBreak(asked, reply) => {
                let done = self.connector.act_on_break(now, &asked);
                self.perform()?;
                self.show(true);
                drop(reply.try_send(done));
            }
            Command::Subscribe(more) => self.connector.subscribe(now, more),
            Command::Park(reason) => self.connector.park(now, &reason),
            Command::Unpark => self.connector.unpark(now),
            Command::Stop => (),
        }
        Ok(())
    }

    /// Shows how it stands, not more often than anybody looks.
    fn show(&mut self, at_once: bool) {
        if at_once || (!self.is_shown && SHOWN_AFTER <= self.shown_at.elapsed()) {
            *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = self.connector.status();
            (self.shown_at, self.is_shown) = (Instant::now(), true);
        }
    }
}
