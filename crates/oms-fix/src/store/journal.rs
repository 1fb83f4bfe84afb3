//! A store in a log: one log for any number of sessions, and one write for whatever has gathered.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use oms_store::{EntryRef, Epoch, Journal, JournalError, JournalReader};
use tokio::sync::oneshot;

use super::archive::{self, About, Found};
use super::checkpoint::{EVERY, Fold, Keeper, Known, Nothing};
use super::index::SessionIndex;
use super::past::{PastMessage, visit_messages};
use super::record::{self, Record};
use super::{MessageStore, Pending, Progress, StoreError, advance};
use crate::session::Stored;
use crate::session::config::SessionId;
use crate::session::outbox::{Acted, Fetch, Kept, Outbox, Page};

/// Batches that wait for the log; each session has one at most, so this is a bound on sessions at once.
const QUEUE: usize = 4096;
/// Most bytes of one write.
const MAX_WRITE: usize = 4 << 20;

type Index = Arc<Mutex<BTreeMap<String, SessionIndex>>>;

fn lock(index: &Index) -> MutexGuard<'_, BTreeMap<String, SessionIndex>> {
    // Each change is one whole batch; a panic elsewhere leaves the index whole.
    index.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Something that the log has of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recorded<'m> {
    /// Both numbers began anew.
    Reset,
    /// A message of the counterparty was kept.
    Came(Kept, &'m [u8]),
    /// A message was sent under this number, or was about to be.
    Sent(u64, &'m [u8]),
}

struct Job {
    time_ns: i64,
    body: Vec<u8>,
    done: oneshot::Sender<Result<(), StoreError>>,
}

impl From<JournalError> for StoreError {
    fn from(error: JournalError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The log and the thread that writes it. When the last session is done with it, the thread ends after
/// what was queued, and the log is free.
pub struct JournalStore {
    log: Arc<Log>,
}

struct Log {
    jobs: Option<SyncSender<Job>>,
    index: Index,
    reader: Arc<Mutex<Box<dyn JournalReader>>>,
    // People who look into the log do not keep sessions waiting that resend.
    archive: Mutex<Box<dyn JournalReader>>,
    thread: Option<JoinHandle<()>>,
    // Ends after the thread that wakes it.
    _keeper: Keeper,
}

impl JournalStore {
    /// Takes over a log and reads what it holds.
    ///
    /// # Errors
    /// [`StoreError`]: the log cannot be claimed or read, or holds something else.
    pub fn open(journal: Box<dyn Journal>) -> Result<Self, StoreError> {
        Self::open_with(journal, Vec::<Nothing>::new()).map(|(store, _)| store)
    }

    /// Takes over a log, and makes of what it holds also what is asked for, all in one reading from the last checkpoint on.
    ///
    /// # Errors
    /// As [`JournalStore::open`].
    pub fn open_with<F: Fold>(journal: Box<dyn Journal>, folds: Vec<F>) -> Result<(Self, Vec<F>), StoreError> {
        Self::open_every(journal, folds, EVERY)
    }

    /// As [`JournalStore::open_with`], with a checkpoint after each so many entries.
    pub(crate) fn open_every<F: Fold>(mut journal: Box<dyn Journal>, empty: Vec<F>, every: u64) -> Result<(Self, Vec<F>), StoreError> {
        let epoch = journal.claim()?;
        let (mut own, mut checkpoints) = (journal.reader(), journal.snapshots());
        let stopped = || StoreError::Failed("it has stopped".to_owned());
        let read = Known::read(own.as_mut(), checkpoints.as_mut(), &empty, &AtomicBool::new(false))?;
        let Known { sessions, folds, since, .. } = read.ok_or_else(stopped)?;
        let index: Index = Arc::new(Mutex::new(sessions));
        let keeper = Keeper::start(own, checkpoints, empty)?;
        let reader = Arc::new(Mutex::new(journal.reader()));
        let archive = Mutex::new(journal.reader());
        let (sender, receiver) = sync_channel(QUEUE);
        let due = Due { wake: keeper.wake(), at: since.saturating_add(every), every };
        let mut committer = Committer { journal, epoch, index: index.clone(), failed: None, due };
        committer.due.look(committer.journal.tip().last_seq);
        let thread = std::thread::Builder::new().name("fix-store".to_owned()).spawn(move || committer.run(&receiver));
        let thread = thread.map_err(|error| StoreError::Failed(error.to_string()))?;
        let log = Log { jobs: Some(sender), index, reader, archive, thread: Some(thread), _keeper: keeper };
        Ok((Self { log: Arc::new(log) }, folds))
    }

    /// The store of one session. There must be one at a time.
    #[must_use]
    pub fn session(&self, id: &SessionId) -> SessionJournal {
        SessionJournal { name: id.to_string(), log: self.log.clone() }
    }
}

impl JournalStore {
    /// The kept messages of a session that were not dealt with, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn unhandled(&self, id: &SessionId) -> Result<Vec<(Kept, Vec<u8>)>, StoreError> {
        self.unhandled_after(id, 0, usize::MAX)
    }

    /// The kept messages of a session that were not dealt with and come after one, oldest first, up to a number of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn unhandled_after(&self, id: &SessionId, after: u64, most: usize) -> Result<Vec<(Kept, Vec<u8>)>, StoreError> {
        let name = id.to_string();
        let (start, handled) = {
            let index = lock(&self.log.index);
            let Some(session) = index.get(&name) else { return Ok(Vec::new()) };
            let handled = session.mark.handled.unwrap_or_default().max(after);
            let Some(start) = session.waiting_after(handled) else { return Ok(Vec::new()) };
            (start, handled)
        };
        let mut found = Vec::new();
        self.scan(start, |record| {
            let kept = record.kept.iter().filter(|(kept, _)| record.session == name && handled < kept.ordinal);
            found.extend(kept.map(|(kept, bytes)| (*kept, bytes.to_vec())));
            if found.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(found)
    }

    /// Every application message of a session, both ways, in the order in which they were stored, with the
    /// name of each that came.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn messages(
        &self,
        id: &SessionId,
        mut visit: impl FnMut(PastMessage<'_>, Option<Kept>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let name = id.to_string();
        self.scan(1, |record| {
            if record.session != name {
                return ControlFlow::Continue(());
            }
            visit_messages(0, record, &mut visit)
        })
    }

    /// The messages about an order, of every session. Reads up to 200 000 entries of the log: not for a thread that may not
    /// block.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn about(&self, about: &About) -> Result<Found, StoreError> {
        let mut reader = self.log.archive.lock().unwrap_or_else(PoisonError::into_inner);
        archive::about(reader.as_mut(), about)
    }

    fn scan(&self, from: u64, mut read: impl FnMut(&Record<'_>) -> ControlFlow<()>) -> Result<(), StoreError> {
        let mut damage = None;
        let mut reader = self.log.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.scan(from, &mut |stored| match record::read(stored.entry.first_seq, stored.entry.body) {
            Ok(record) => read(&record),
            Err(error) => {
                damage = Some(error);
                ControlFlow::Break(())
            }
        })?;
        damage.map_or(Ok(()), Err)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // If it panicked there is nothing left to do about it here.
            let _ = thread.join();
        }
    }
}

/// Takes an entry of the log into what is known of its session.
pub(super) fn take_in(sessions: &mut BTreeMap<String, SessionIndex>, record: &Record<'_>, entry: u64) {
    if !sessions.contains_key(record.session) {
        sessions.insert(record.session.to_owned(), SessionIndex::default());
    }
    let Some(session) = sessions.get_mut(record.session) else { return };
    if record.reset.is_some() {
        session.reset();
    }
    advance(&mut session.stored, record.reset, record.next_in, record.next_out);
    for (seq, _) in &record.messages {
        session.add(*seq, entry);
    }
    for (kept, _) in &record.kept {
        session.keep(kept.ordinal, entry);
    }
    record.acted.iter().for_each(|acted| session.act(acted));
    session.advance(record.mark);
}

struct Committer {
    journal: Box<dyn Journal>,
    epoch: Epoch,
    index: Index,
    failed: Option<StoreError>,
    due: Due,
}

/// When the next checkpoint is made.
struct Due {
    wake: Option<SyncSender<()>>,
    at: u64,
    every: u64,
}

impl Due {
    /// The log has come to this entry.
    fn look(&mut self, entry: u64) {
        if self.at <= entry {
            self.at = entry.saturating_add(self.every);
            // One that waits is of this entry too.
            let _ = self.wake.as_ref().map(|wake| wake.try_send(()));
        }
    }
}

impl Committer {
    fn run(mut self, jobs: &Receiver<Job>) {
        let mut taken = Vec::new();
        while let Ok(job) = jobs.recv() {
            let mut bytes = job.body.len();
            taken.push(job);
            while bytes < MAX_WRITE {
                let Ok(job) = jobs.try_recv() else { break };
                bytes += job.body.len();
                taken.push(job);
            }
            let written = self.write(&taken);
            for job in taken.drain(..) {
                // A session that has gone away does not need to know.
                drop(job.done.send(written.clone()));
            }
        }
    }

    fn write(&mut self, jobs: &[Job]) -> Result<(), StoreError> {
        // After a failure it is not known what is durable: nothing more is written.
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let first = self.journal.tip().last_seq + 1;
        let entries: Vec<EntryRef<'_>> =
            (first..).zip(jobs).map(|(first_seq, job)| EntryRef { first_seq, count: 1, time_ns: job.time_ns, body: &job.body }).collect();
        let written = self.journal.append(self.epoch, &entries).map_err(StoreError::from).and_then(|_| {
            let mut index = lock(&self.index);
            entries.iter().try_for_each(|entry| {
                let record = record::read(entry.first_seq, entry.body)?;
                take_in(&mut index, &record, entry.first_seq);
                Ok(())
            })
        });
        self.failed = written.clone().err();
        self.due.look(self.journal.tip().last_seq);
        written
    }
}

/// The store of one session in a log.
pub struct SessionJournal {
    name: String,
    log: Arc<Log>,
}

impl SessionJournal {
    #[cfg(test)]
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl MessageStore for SessionJournal {
    fn progress(&self) -> Progress {
        let index = lock(&self.log.index);
        index.get(&self.name).map(|session| Progress { taken: session.taken, mark: session.mark }).unwrap_or_default()
    }

    fn acted(&self) -> Vec<Acted> {
        lock(&self.log.index).get(&self.name).map(|session| session.acted.iter().cloned().collect()).unwrap_or_default()
    }

    fn stored(&self) -> Stored {
        lock(&self.log.index).get(&self.name).map(|session| session.stored).unwrap_or_default()
    }

    fn commit(&mut self, outbox: &Outbox) -> Result<Pending<()>, StoreError> {
        if outbox.batch.is_empty() {
            return Ok(Pending::Ready(()));
        }
        let mut body = Vec::with_capacity(outbox.wire.len() + 128);
        record::put(&mut body, &self.name, outbox);
        let (done, wait) = oneshot::channel();
        let job = Job { time_ns: outbox.batch.reset.unwrap_or_default(), body, done };
        let stopped = || StoreError::Failed("it has stopped".to_owned());
        let jobs = self.log.jobs.as_ref().ok_or_else(stopped)?;
        jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Failed("too many sessions wait for it".to_owned()),
            TrySendError::Disconnected(_) => stopped(),
        })?;
        Ok(Pending::Later(wait))
    }

    fn fetch(&mut self, fetch: Fetch, max_bytes: usize) -> Result<Pending<Page>, StoreError> {
        let start = lock(&self.log.index).get(&self.name).and_then(|session| session.start(fetch.from));
        let Some(start) = start else { return Ok(Pending::Ready(Page { messages: Vec::new(), to: fetch.to })) };
        let (done, wait) = oneshot::channel();
        let (reader, index, name) = (self.log.reader.clone(), self.log.index.clone(), self.name.clone());
        let read = move || {
            let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
            let page = read_page(reader.as_mut(), &index, &name, start, fetch, max_bytes);
            // A session that has gone away does not need it.
            drop(done.send(page));
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(read)),
            Err(_) => read(),
        }
        Ok(Pending::Later(wait))
    }
}

fn read_page(
    reader: &mut dyn JournalReader,
    index: &Index,
    name: &str,
    start: u64,
    fetch: Fetch,
    max_bytes: usize,
) -> Result<Page, StoreError> {
    let mut found: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    let (mut bytes, mut full, mut damage) = (0, false, None);
    let session = lock(index).get(name).cloned().unwrap_or_default();
    reader.scan(start, &mut |stored| {
        let entry = stored.entry.first_seq;
        let record = match record::read(entry, stored.entry.body) {
            Ok(record) => record,
            Err(error) => {
                damage = Some(error);
                return ControlFlow::Break(());
            }
        };
        if record.session != name {
            return ControlFlow::Continue(());
        }
        for (seq, message) in record.messages {
            if !session.counts(seq, entry) || seq < fetch.from {
                continue;
            }
            if fetch.to < seq || (max_bytes <= bytes && !found.is_empty()) {
                full = seq <= fetch.to;
                return ControlFlow::Break(());
            }
            bytes += message.len();
            found.insert(seq, message.to_vec());
        }
        ControlFlow::Continue(())
    })?;
    if let Some(error) = damage {
        return Err(error);
    }
    let last = found.last_key_value().map_or(fetch.to, |(seq, _)| *seq);
    Ok(Page { messages: found.into_iter().collect(), to: if full { last } else { fetch.to } })
}
