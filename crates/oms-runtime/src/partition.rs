//! The loop: one thread decides, one makes durable, and this is the only place where either happens.

use crate::clock::{Clock, IdSource};
use crate::commit::{Committer, Group, Release, nothing_recorded, replay_answers};
use crate::feed::Feed;
use crate::handle::{Answer, Door, Handle, Request};
use crate::market::MarketBook;
use crate::recovery::{self, RecoveryError, RecoveryReport};
use crate::snapshot;
use crate::telemetry::Telemetry;
use oms_engine::input::{Input, InputBody};
use oms_engine::{Context, Engine, Markets};
use oms_model::command::Actor;
use oms_model::event::{Batch, Event};
use oms_model::market::Market;
use oms_model::{InstrumentId, Source, Time, TraceId};
use oms_store::{Journal, JournalError, Snapshot};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How the loop runs.
#[derive(Clone, Debug)]
pub struct Config {
    /// Requests and reports that may wait; beyond it requests are refused with `OVERLOADED`.
    pub queue: usize,
    /// Inputs decided before they are handed to the commit thread.
    pub max_group: usize,
    /// Whether a stop in good order writes a snapshot.
    pub snapshot_on_stop: bool,
    /// Settings of the engine.
    pub engine: oms_engine::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self { queue: 8_192, max_group: 256, snapshot_on_stop: true, engine: oms_engine::Config::default() }
    }
}

/// A partition could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its state could not be recovered.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    /// The log could not be claimed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The operating system gave no randomness or no thread.
    #[error("the operating system refused: {0}")]
    System(String),
}

/// A running partition.
pub struct Partition {
    handle: Handle,
    telemetry: Arc<Telemetry>,
    kill_epoch: Arc<AtomicU64>,
    recovery: RecoveryReport,
    deciding: JoinHandle<Engine>,
    committing: JoinHandle<Box<dyn Journal>>,
    snapshot_on_stop: bool,
}

/// What a stop in good order leaves behind.
pub struct Stopped {
    /// The log.
    pub journal: Box<dyn Journal>,
    /// The engine with its last state.
    pub engine: Engine,
    /// Why no snapshot was written, where one should have been.
    pub snapshot_failed: Option<String>,
}

/// Recovers the state from the log and starts to take inputs. `on_fault` is told when the log fails: the process
/// should then end, because nothing more will be answered.
///
/// # Errors
/// See [`StartError`].
pub fn start(
    mut journal: Box<dyn Journal>,
    config: Config,
    clock: Arc<dyn Clock>,
    market: Arc<MarketBook>,
    on_fault: Box<dyn Fn(&str) + Send>,
) -> Result<Partition, StartError> {
    let system = |error: &dyn std::fmt::Display| StartError::System(error.to_string());
    let ids = IdSource::new().map_err(|error| system(&error))?;
    let epoch = journal.claim()?;
    let (state, recovery) = recovery::recover(journal.as_ref())?;
    let engine = Engine::new(state, config.engine);
    let feed = Feed::new(journal.reader());
    let (door, inputs) = sync_channel(config.queue);
    let (group_tx, groups) = sync_channel(8);
    let (replays, replay_jobs) = sync_channel(1_024);
    let telemetry = Arc::new(Telemetry::default());
    let kill_epoch = Arc::new(AtomicU64::new(0));
    let under_way = Arc::new(AtomicUsize::new(0));
    let committer = Committer {
        journal,
        epoch,
        feed: feed.clone(),
        groups,
        under_way: under_way.clone(),
        replays,
        telemetry: telemetry.clone(),
        on_fault,
    };
    let mut deciding = Loop {
        engine,
        inputs,
        groups: group_tx,
        clock,
        ids,
        market: market.clone(),
        telemetry: telemetry.clone(),
        kill_epoch: kill_epoch.clone(),
        max_group: config.max_group.max(1),
        group: Group::default(),
        under_way,
        watching: BTreeSet::new(),
        watch_epoch: None,
    };
    let notices = door.clone();
    // A full queue means that the loop is awake and looks at the book by itself.
    market.notify_moves(Box::new(move || drop(notices.try_send(Door::Moved))));
    let thread = |name: &str| std::thread::Builder::new().name(name.to_owned());
    let committing = thread("oms-commit").spawn(move || committer.run()).map_err(|error| system(&error))?;
    let replay_feed = feed.clone();
    thread("oms-replay").spawn(move || replay_answers(&replay_feed, &replay_jobs)).map_err(|error| system(&error))?;
    deciding.recovered();
    let deciding = thread("oms-decide").spawn(move || deciding.run()).map_err(|error| system(&error))?;
    let handle = Handle { door, feed, market };
    Ok(Partition { handle, telemetry, kill_epoch, recovery, deciding, committing, snapshot_on_stop: config.snapshot_on_stop })
}

impl Partition {
    /// The door to it.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }
    /// What it counts and times.
    #[must_use]
    pub fn telemetry(&self) -> &Arc<Telemetry> {
        &self.telemetry
    }
    /// How many kill switches were engaged since the start; read by whoever hands intents to venues.
    #[must_use]
    pub fn kill_epoch(&self) -> &Arc<AtomicU64> {
        &self.kill_epoch
    }
    /// How the recovery went.
    #[must_use]
    pub fn recovery(&self) -> &RecoveryReport {
        &self.recovery
    }

    /// Refuses new inputs, makes everything decided durable and ends. Answers what it leaves behind; `None` where a
    /// thread of it had failed.
    #[must_use]
    pub fn stop(self) -> Option<Stopped> {
        // The loop may have ended by itself, because the log failed.
        let _ = self.handle.door.send(Door::Stop);
        let engine = self.deciding.join().ok()?;
        let mut journal = self.committing.join().ok()?;
        let snapshot_failed = if self.snapshot_on_stop { put_snapshot(journal.as_mut(), &engine).err() } else { None };
        Some(Stopped { journal, engine, snapshot_failed })
    }
}

fn put_snapshot(journal: &mut dyn Journal, engine: &Engine) -> Result<(), String> {
    let tip = journal.tip();
    let seq = engine.state().last_seq().0;
    if tip.last_seq != seq {
        return Err(format!("the log ends at {} but the state at {seq}", tip.last_seq));
    }
    let bytes = snapshot::encode(engine.state());
    let state_hash = snapshot::hash_of(&bytes);
    let stored = Snapshot { seq, chain_hash: tip.last_hash, state_hash, schema: snapshot::SCHEMA, bytes };
    journal.put_snapshot(&stored).map_err(|error| error.to_string())
}

struct BookView<'a>(&'a MarketBook);

impl Markets for BookView<'_> {
    fn get_into(&self, instrument: InstrumentId, market: &mut Market) {
        self.0.get_into(instrument, market);
    }
}

struct Loop {
    engine: Engine,
    inputs: Receiver<Door>,
    groups: SyncSender<Group>,
    clock: Arc<dyn Clock>,
    ids: IdSource,
    market: Arc<MarketBook>,
    telemetry: Arc<Telemetry>,
    kill_epoch: Arc<AtomicU64>,
    max_group: usize,
    group: Group,
    under_way: Arc<AtomicUsize>,
    /// The instruments whose market some order watches.
    watching: BTreeSet<InstrumentId>,
    /// Which set of watched instruments that is; `None` before the first.
    watch_epoch: Option<u64>,
}

/// The longest that the loop sleeps; a bound on how late a clock step may make a timer.
const LONGEST_SLEEP: Duration = Duration::from_millis(250);

impl Loop {
    /// What was handed over before the restart and not answered is in doubt.
    fn recovered(&mut self) {
        loop {
            // Each turn puts some of them in doubt, so the turns come to an end.
            self.system(InputBody::Recovered);
            self.flush();
            if !self.engine.state().has_undoubted() {
                return;
            }
        }
    }

    fn run(mut self) -> Engine {
        loop {
            let mut stop = match self.inputs.recv_timeout(self.sleep()) {
                Ok(door) => self.enter(door),
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => true,
            };
            let mut taken = 1;
            while !stop && taken < self.max_group {
                let Ok(door) = self.inputs.try_recv() else { break };
                // What is decided is written while more is decided, rather than after it.
                if self.under_way.load(Ordering::Relaxed) == 0 && !self.flush() {
                    return self.engine;
                }
                stop = self.enter(door);
                taken += 1;
            }
            self.moves();
            self.timers();
            if !self.flush() || stop {
                return self.engine;
            }
        }
    }

    fn sleep(&self) -> Duration {
        match self.engine.next_deadline() {
            None => LONGEST_SLEEP,
            Some(due) => {
                let ns = due.since(self.clock.now()).max(0).unsigned_abs();
                Duration::from_nanos(ns).min(LONGEST_SLEEP)
            }
        }
    }

    /// Lets the moves of watched markets in: one input for each instrument that moved, however often it did.
    fn moves(&mut self) {
        let mut moved = self.watch();
        if self.watching.is_empty() {
            return;
        }
        moved.extend(self.market.take_moved().into_iter().filter(|instrument| self.watching.contains(instrument)));
        for instrument in moved {
            self.system(InputBody::Market(instrument));
        }
    }

    /// Watches the instruments that some order watches. Those that were not watched before: what moved between the
    /// decision to watch and now is looked at.
    fn watch(&mut self) -> BTreeSet<InstrumentId> {
        let epoch = Some(self.engine.state().watch_epoch());
        if epoch == self.watch_epoch {
            return BTreeSet::new();
        }
        self.watch_epoch = epoch;
        let watched: BTreeSet<InstrumentId> = self.engine.state().watched().collect();
        for instrument in self.watching.difference(&watched) {
            self.market.watch(*instrument, false);
        }
        let fresh: BTreeSet<InstrumentId> = watched.difference(&self.watching).copied().collect();
        for instrument in &fresh {
            self.market.watch(*instrument, true);
        }
        self.watching = watched;
        fresh
    }

    fn timers(&mut self) {
        let now = self.clock.now();
        if self.engine.next_deadline().is_some_and(|due| due <= now) {
            self.system(InputBody::Timer);
        }
    }

    /// Lets one thing in. Whether it was the request to stop.
    fn enter(&mut self, door: Door) -> bool {
        match door {
            Door::Command { request, reply } => {
                let Request { actor, trace_id, idempotency, command } = *request;
                let output = self.decide(actor, trace_id, InputBody::Command { command, idempotency });
                let release = match (output.replay_of, output.outcome) {
                    (Some(seq), _) => Release::Replay { reply, seq },
                    (None, Some(outcome)) if output.batch.events.is_empty() => {
                        Release::Answer { reply, answer: nothing_recorded(outcome, output.batch) }
                    }
                    (None, Some(outcome)) => {
                        let batch = self.push(output.batch);
                        Release::Answer { reply, answer: Answer { outcome, batch, replayed: false } }
                    }
                    (None, None) => return false,
                };
                self.group.releases.push(release);
            }
            Door::Report(report) => {
                let actor = Actor { tenant_id: self.engine.state().tenant_id(), source: Source::Venue, ..Actor::default() };
                let output = self.decide(actor, TraceId::default(), InputBody::Report(report));
                if !output.batch.events.is_empty() {
                    self.push(output.batch);
                }
            }
            Door::Preview { actor, order, reply } => {
                let (now, market) = (self.clock.now(), self.market.clone());
                let view = BookView(&market);
                let preview = self.engine.preview(&actor, &order, &Context { now, markets: &view });
                self.group.releases.push(Release::Run(Box::new(move || drop(reply.send(preview)))));
            }
            Door::Inspect(read) => {
                let release = read(self.engine.state(), &self.market);
                self.group.releases.push(Release::Run(release));
            }
            // The moves are read from the book at the end of the turn.
            Door::Moved => (),
            Door::Stop => return true,
        }
        false
    }

    fn system(&mut self, body: InputBody) {
        let command_id = self.ids.command_id(self.clock.now());
        let input = self.engine.system_input(command_id, body);
        let output = self.step(input);
        if !output.batch.events.is_empty() {
            self.push(output.batch);
        }
    }

    fn decide(&mut self, actor: Actor, trace_id: TraceId, body: InputBody) -> oms_engine::Output {
        let began = Instant::now();
        let command_id = self.ids.command_id(self.clock.now());
        let output = self.step(Input { command_id, actor, trace_id, body });
        self.telemetry.decide.record_ns(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX));
        output
    }

    fn step(&mut self, input: Input) -> oms_engine::Output {
        let now: Time = self.clock.now();
        let view = BookView(&self.market);
        self.engine.step(input, &Context { now, markets: &view })
    }

    /// Puts a batch into the group that is being gathered.
    fn push(&mut self, batch: Batch) -> Arc<Batch> {
        self.count(&batch);
        let batch = Arc::new(batch);
        self.group.batches.push(batch.clone());
        batch
    }

    fn count(&self, batch: &Batch) {
        let telemetry = &self.telemetry;
        for event in &batch.events {
            match event {
                Event::OrderCreated(e) if e.parent_order_id.is_none() => telemetry.orders.add(1),
                Event::OrderRejected(_) => telemetry.rejects.add(1),
                Event::ExecutionRecorded(_) => telemetry.fills.add(1),
                Event::ExecutionUnmatched(_) => telemetry.suspense.add(1),
                Event::OrderAnomaly(_) => telemetry.anomalies.add(1),
                Event::OrderCancelRequested(_) => telemetry.cancels.add(1),
                // Read by whoever hands intents over, at the last instant before it does.
                Event::KillSwitchEngaged(_) => drop(self.kill_epoch.fetch_add(1, Ordering::SeqCst)),
                _ => (),
            }
        }
    }

    /// Hands the gathered group to the commit thread. Whether it still takes groups.
    fn flush(&mut self) -> bool {
        self.telemetry.open_orders.set(self.engine.state().open_roots());
        let doubts = self.engine.state().venues().map(|venue| u64::from(venue.in_doubt)).sum();
        self.telemetry.in_doubt.set(doubts);
        if self.group.is_empty() {
            return true;
        }
        self.under_way.fetch_add(1, Ordering::Relaxed);
        self.groups.send(std::mem::take(&mut self.group)).is_ok()
    }
}
