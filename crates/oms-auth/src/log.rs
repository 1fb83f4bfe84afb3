//! The control log: one writer, group commit, and the state that everybody reads.
//!
//! A command is decided upon what was decided before it, made durable with whatever else has gathered, and only then seen by
//! readers and answered. After a failure it is not known what is durable: nothing more is taken until a restart, while what
//! was durable goes on being read.

mod snapshot;

pub use snapshot::{Cadence, Recovery};

use crate::people::People;
use crate::seal::SealError;
use oms_identity::{Asked, Batch, Command, Event, State, Subject, decide};
use oms_model::{Code, Refusal, Time, TraceId};
use oms_store::codec::{DecodeError, encode_control};
use oms_store::{EntryRef, Epoch, Journal, JournalError};
use snapshot::Keeper;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::thread::JoinHandle;
use thiserror::Error;
use tokio::sync::{oneshot, watch};

/// Commands that may wait.
const QUEUE: usize = 4_096;
/// Commands that are made durable together, at most.
const MAX_GROUP: usize = 256;

/// Where the time comes from.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// The system's clock.
#[must_use]
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Time(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    })
}

/// Why a control log cannot be used.
#[derive(Debug, Error)]
pub enum LogError {
    /// The log itself.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// What stands in it.
    #[error("entry {seq} of the control log: {error}")]
    Decode {
        /// Which.
        seq: u64,
        /// What is wrong.
        error: DecodeError,
    },
    /// What says who somebody is cannot be read, though nobody erased it.
    #[error("what the control log says of a person: {0}")]
    Person(#[from] SealError),
    /// No thread for it.
    #[error("no thread for the control log: {0}")]
    Thread(std::io::Error),
}

struct Job {
    asked: Asked,
    trace_id: TraceId,
    command: Command,
    done: oneshot::Sender<Result<Vec<Event>, Refusal>>,
}

/// The control log of an installation. When the last holder lets it go, what was queued is finished and the log is free.
pub struct ControlLog {
    jobs: Option<SyncSender<Job>>,
    state: Arc<RwLock<State>>,
    changed: watch::Sender<u64>,
    recovery: Recovery,
    people: Option<Arc<dyn People>>,
    thread: Option<JoinHandle<()>>,
}

impl ControlLog {
    /// Takes over a log and reads what it holds.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn open(journal: Box<dyn Journal>, clock: Clock) -> Result<Self, LogError> {
        Self::open_with(journal, clock, Cadence::default(), None)
    }

    /// [`ControlLog::open`] with snapshots at this cadence, and with names and addresses sealed by `people`; they stand in the
    /// log as they are where there is nobody for it.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn open_with(
        mut journal: Box<dyn Journal>,
        clock: Clock,
        cadence: Cadence,
        people: Option<Arc<dyn People>>,
    ) -> Result<Self, LogError> {
        let epoch = journal.claim()?;
        let (mut ahead, recovery) = snapshot::recover(journal.as_ref())?;
        if let Some(people) = &people {
            ahead.open(|subject, what, sealed| people.open(subject, what, sealed))?;
        }
        let keeper = Keeper::start(journal.snapshots(), cadence, recovery.snapshot)?;
        let state = Arc::new(RwLock::new(ahead.clone()));
        let changed = watch::Sender::new(ahead.batches());
        let (sender, receiver) = sync_channel(QUEUE);
        let writer = Writer {
            journal,
            epoch,
            clock,
            ahead,
            state: Arc::clone(&state),
            changed: changed.clone(),
            failed: false,
            keeper,
            people: people.clone(),
        };
        let thread =
            std::thread::Builder::new().name("control".to_owned()).spawn(move || writer.run(&receiver)).map_err(LogError::Thread)?;
        Ok(Self { jobs: Some(sender), state, changed, recovery, people, thread: Some(thread) })
    }

    /// Erases for good what was sealed of somebody. It may block. Doing it again changes nothing.
    ///
    /// # Errors
    /// [`SealError`]: then it is not known to be done.
    pub fn erase(&self, subject: Subject) -> Result<(), SealError> {
        self.people.as_ref().map_or(Ok(()), |people| people.erase(subject))
    }

    /// How it was read when it was opened.
    #[must_use]
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// What is durable now. Hold it briefly: the writer waits for it.
    pub fn state(&self) -> RwLockReadGuard<'_, State> {
        // Each change is one whole batch; a panic elsewhere leaves the state whole.
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes with every batch.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Hands a command over.
    ///
    /// # Errors
    /// `OVERLOADED`.
    pub fn submit(&self, asked: Asked, trace_id: TraceId, command: Command) -> Result<Answer, Refusal> {
        let (done, wait) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or_else(stopped)?;
        jobs.try_send(Job { asked, trace_id, command, done }).map_err(|error| match error {
            TrySendError::Full(_) => Refusal::new(Code::Overloaded, "too many changes of accounts wait"),
            TrySendError::Disconnected(_) => stopped(),
        })?;
        Ok(Answer(wait))
    }

    /// Has a command decided: the facts that it led to, once they are durable.
    ///
    /// # Errors
    /// As [`decide()`]; `OVERLOADED` where the log cannot be written.
    pub async fn execute(&self, asked: Asked, trace_id: TraceId, command: Command) -> Result<Vec<Event>, Refusal> {
        self.submit(asked, trace_id, command)?.0.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// [`ControlLog::execute`] for whoever is on no runtime.
    ///
    /// # Errors
    /// As [`ControlLog::execute`].
    pub fn execute_blocking(&self, asked: Asked, command: Command) -> Result<Vec<Event>, Refusal> {
        self.submit(asked, TraceId::default(), command)?.0.blocking_recv().unwrap_or_else(|_| Err(stopped()))
    }
}

/// What is still to come of a command.
pub struct Answer(oneshot::Receiver<Result<Vec<Event>, Refusal>>);

impl Drop for ControlLog {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // If it panicked there is nothing left to do about it here.
            let _ = thread.join();
        }
    }
}

fn stopped() -> Refusal {
    Refusal::new(Code::Overloaded, "the control log cannot be written; it takes no changes until a restart")
}

struct Writer {
    /// Let go of before the log is, which others may take over then.
    keeper: Keeper,
    journal: Box<dyn Journal>,
    epoch: Epoch,
    clock: Clock,
    /// With what is not durable yet.
    ahead: State,
    state: Arc<RwLock<State>>,
    changed: watch::Sender<u64>,
    failed: bool,
    people: Option<Arc<dyn People>>,
}

/// A job that was decided.
type Decided = (oneshot::Sender<Result<Vec<Event>, Refusal>>, Result<Batch, Refusal>);

impl Writer {
    fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            let mut group = vec![job];
            while group.len() < MAX_GROUP {
                let Ok(job) = jobs.try_recv() else { break };
                group.push(job);
            }
            let decided: Vec<Decided> = group.into_iter().map(|job| self.decide(job)).collect();
            let written = self.write(&decided);
            for (done, decided) in decided {
                let answer = match decided {
                    Ok(batch) if written => Ok(batch.events),
                    Ok(_) => Err(stopped()),
                    Err(refusal) => Err(refusal),
                };
                // Whoever has gone away does not need to know.
                drop(done.send(answer));
            }
        }
        // What is decided and not durable is in no snapshot.
        if !self.failed {
            let tip = self.journal.tip();
            self.keeper.stop(self.ahead, tip.last_seq, tip.last_hash);
        }
    }

    fn decide(&mut self, job: Job) -> Decided {
        if self.failed {
            return (job.done, Err(stopped()));
        }
        let time = (self.clock)();
        let decided = decide(&self.ahead, time, &job.asked, job.command).and_then(|events| self.sealed(events)).map(|events| {
            let batch = Batch { time, by: job.asked.by, trace_id: job.trace_id, events };
            if !batch.events.is_empty() {
                self.ahead.apply(&batch);
            }
            batch
        });
        (job.done, decided)
    }

    /// With the names and addresses in them sealed: they are stored so, or not at all.
    fn sealed(&self, mut events: Vec<Event>) -> Result<Vec<Event>, Refusal> {
        let Some(people) = &self.people else { return Ok(events) };
        for event in &mut events {
            event
                .each_personal(|subject, what, personal| {
                    personal.seal(people.seal(subject, what, personal.text())?);
                    Ok(())
                })
                .map_err(|error: SealError| crate::identity::internal(&error))?;
        }
        Ok(events)
    }

    fn write(&mut self, decided: &[Decided]) -> bool {
        let batches: Vec<&Batch> =
            decided.iter().filter_map(|(_, decided)| decided.as_ref().ok()).filter(|b| !b.events.is_empty()).collect();
        if batches.is_empty() {
            return !self.failed;
        }
        let bodies: Vec<Vec<u8>> = batches
            .iter()
            .map(|batch| {
                let mut body = Vec::with_capacity(256);
                encode_control(batch, &mut body);
                body
            })
            .collect();
        let first = self.journal.tip().last_seq + 1;
        let entries: Vec<EntryRef<'_>> = (first..)
            .zip(batches.iter().zip(&bodies))
            .map(|(first_seq, (batch, body))| EntryRef { first_seq, count: 1, time_ns: batch.time.0, body })
            .collect();
        if let Err(error) = self.journal.append(self.epoch, &entries) {
            tracing::error!(%error, "the control log cannot be written; it takes no changes until a restart");
            self.failed = true;
            return false;
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        batches.iter().for_each(|batch| state.apply(batch));
        let made = state.batches();
        drop(state);
        self.changed.send_replace(made);
        // Everything that was decided is durable here, so the state ahead is that of the log's end.
        let tip = self.journal.tip();
        self.keeper.after(&self.ahead, tip.last_seq, tip.last_hash);
        true
    }
}

#[cfg(test)]
mod tests;
