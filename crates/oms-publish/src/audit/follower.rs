//! The follower: takes each durable record into the tree, and signs its head at each interval.

use super::checkpoints::Checkpoints;
use super::tree::Tree;
use super::{AuditError, record};
use oms_audit::{Checkpoint, Hash, SignerKey, VerifierKey};
use oms_store::JournalReader;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How many may ask at once.
const ASKS: usize = 16;
/// How long one who asks waits.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often new records are taken into the tree, so that signing finds little left to do.
const PACE: Duration = Duration::from_secs(1);

/// What a follower is made with.
#[derive(Clone, Debug)]
pub struct Config {
    /// The audit's folder.
    pub dir: PathBuf,
    /// The partition of the log.
    pub partition: u32,
    /// Version of the events' schema that this program writes.
    pub schema: u32,
    /// Time between two checkpoints, where there is something new to sign.
    pub interval: Duration,
}

/// How the audit stands.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// The newest checkpoint.
    pub last: Option<Checkpoint>,
    /// How many there are.
    pub checkpoints: u64,
    /// Records in the tree, signed or not yet.
    pub records: u64,
    /// Why nothing is signed any more.
    pub failed: Option<String>,
}

enum Ask {
    Checkpoint(SyncSender<Result<Option<Checkpoint>, String>>),
    Stop,
}

struct Shared {
    asks: SyncSender<Ask>,
    status: Mutex<Status>,
    config: Config,
    key: VerifierKey,
}

impl Shared {
    fn status<T>(&self, with: impl FnOnce(&mut Status) -> T) -> T {
        with(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The audit of a running desk. Cheap to clone.
#[derive(Clone)]
pub struct AuditTrail {
    shared: Arc<Shared>,
}

impl AuditTrail {
    /// How it stands.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.status(|status| status.clone())
    }

    /// The public key.
    #[must_use]
    pub fn key(&self) -> &VerifierKey {
        &self.shared.key
    }

    /// The audit's folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.shared.config.dir
    }

    /// The partition of the log.
    #[must_use]
    pub fn partition(&self) -> u32 {
        self.shared.config.partition
    }

    /// Signs what is durable now, and answers the newest checkpoint. It blocks.
    ///
    /// # Errors
    /// [`AuditError::Busy`], [`AuditError::NoCheckpoint`] for an empty log, [`AuditError::Diverged`] with what had failed.
    pub fn checkpoint(&self) -> Result<Checkpoint, AuditError> {
        let (reply, answer) = sync_channel(1);
        self.shared.asks.try_send(Ask::Checkpoint(reply)).map_err(|_| AuditError::Busy)?;
        match answer.recv_timeout(PATIENCE) {
            Ok(Ok(checkpoint)) => checkpoint.ok_or(AuditError::NoCheckpoint),
            Ok(Err(failed)) => Err(AuditError::Diverged(failed)),
            Err(_) => Err(AuditError::Busy),
        }
    }
}

/// A follower that runs.
pub struct Running {
    trail: AuditTrail,
    thread: JoinHandle<()>,
}

impl Running {
    /// What others see of it.
    #[must_use]
    pub fn trail(&self) -> AuditTrail {
        self.trail.clone()
    }

    /// Signs what is durable, and ends.
    pub fn stop(self) {
        let stopped = self.trail.shared.asks.send(Ask::Stop).is_err() || self.thread.join().is_err();
        if stopped && self.trail.status().failed.is_none() {
            tracing::error!("the audit had ended before the stop");
        }
    }
}

/// Begins to follow the log that `reader` reads.
///
/// # Errors
/// Where there is no thread for it. What is wrong with files or log is told by [`AuditTrail::status`].
pub fn start(config: Config, signer: SignerKey, reader: Box<dyn JournalReader>) -> std::io::Result<Running> {
    let (asks, asked) = sync_channel(ASKS);
    let shared = Arc::new(Shared { asks, status: Mutex::default(), config, key: signer.verifier() });
    let trail = AuditTrail { shared: shared.clone() };
    let thread = std::thread::Builder::new().name("audit".to_owned()).spawn(move || run(&shared, &signer, reader, &asked))?;
    Ok(Running { trail, thread })
}

fn run(shared: &Shared, signer: &SignerKey, reader: Box<dyn JournalReader>, asked: &Receiver<Ask>) {
    let mut work = Work::open(shared, reader);
    let mut due = Instant::now() + shared.config.interval;
    loop {
        tell(shared, &work);
        let now = Instant::now();
        let ask = asked.recv_timeout(PACE.min(due.saturating_duration_since(now)));
        let sign = !matches!(ask, Err(RecvTimeoutError::Timeout)) || due <= Instant::now();
        if sign {
            due = Instant::now() + shared.config.interval;
        }
        // What failed once is not tried again: what is on the disk is known only after it was read anew.
        if let Ok(working) = &mut work
            && let Err(error) = if sign { working.seal(shared, signer) } else { working.fold(shared) }
        {
            work = Err(error);
        }
        match ask {
            Ok(Ask::Checkpoint(reply)) => {
                let answer = work.as_ref().map(|work| work.checkpoints.last().cloned()).map_err(ToString::to_string);
                // Whoever asked may have gone.
                let _told = reply.try_send(answer);
            }
            Ok(Ask::Stop) | Err(RecvTimeoutError::Disconnected) => return tell(shared, &work),
            Err(RecvTimeoutError::Timeout) => (),
        }
    }
}

fn tell(shared: &Shared, work: &Result<Work, AuditError>) {
    shared.status(|status| match work {
        Ok(work) => {
            let (last, checkpoints) = (work.checkpoints.last().cloned(), work.checkpoints.places().len() as u64);
            *status = Status { last, checkpoints, records: work.tree.frontier().size(), failed: None };
        }
        Err(error) if status.failed.is_none() => {
            tracing::error!(%error, "the audit signs nothing any more");
            status.failed = Some(error.to_string());
        }
        Err(_) => (),
    });
}

/// The end of what is in the tree.
#[derive(Clone, Copy)]
struct Edge {
    sequence: u64,
    time_ns: i64,
    chain: Hash,
}

struct Work {
    reader: Box<dyn JournalReader>,
    checkpoints: Checkpoints,
    tree: Tree,
    edge: Edge,
}

impl Work {
    /// Goes on behind the last checkpoint, once the log was seen to be the one that it was signed for.
    fn open(shared: &Shared, reader: Box<dyn JournalReader>) -> Result<Self, AuditError> {
        let Config { dir, partition, .. } = &shared.config;
        std::fs::create_dir_all(dir).map_err(AuditError::file(dir))?;
        let checkpoints = Checkpoints::open(dir, &shared.key)?;
        let Some(last) = checkpoints.last().cloned() else {
            let edge = Edge { sequence: 0, time_ns: 0, chain: oms_audit::record::genesis(*partition) };
            return Ok(Self { reader, tree: Tree::open(dir, 0)?, checkpoints, edge });
        };
        let edge = Edge { sequence: last.sequence, time_ns: last.time_ns, chain: last.chain };
        let tree = Tree::open(dir, last.size)?;
        let mut work = Self { reader, checkpoints, tree, edge };
        let ends = work.reader.tip().last_seq;
        if ends < last.sequence {
            return Err(AuditError::Diverged(format!("it ends at sequence {ends}, and was signed up to {}", last.sequence)));
        }
        // The chain covers every record up to there.
        if last.partition != *partition || work.reader.hash_at(last.sequence)?.map(|hash| hash.0) != Some(last.chain) {
            return Err(AuditError::Diverged(format!("up to sequence {} it has another hash chain", last.sequence)));
        }
        if (work.tree.frontier().size(), work.tree.frontier().root()) != (last.size, last.root) {
            tracing::warn!(records = last.size, "the audit's tree is made again from the log");
            work.tree.clear()?;
            work.edge = Edge { sequence: 0, time_ns: 0, chain: oms_audit::record::genesis(*partition) };
            work.fold_until(shared, last.sequence)?;
            if (work.tree.frontier().size(), work.tree.frontier().root()) != (last.size, last.root) {
                return Err(AuditError::Diverged(format!("its first {} records have another root", last.size)));
            }
            work.tree.sync()?;
        }
        Ok(work)
    }

    /// Takes everything durable into the tree.
    fn fold(&mut self, shared: &Shared) -> Result<(), AuditError> {
        self.fold_until(shared, u64::MAX)
    }

    fn fold_until(&mut self, shared: &Shared, until: u64) -> Result<(), AuditError> {
        let (tree, edge) = (&mut self.tree, &mut self.edge);
        let mut pushed = Ok(());
        self.reader.scan(edge.sequence.saturating_add(1), &mut |stored| {
            if stored.entry.first_seq > until {
                return ControlFlow::Break(());
            }
            pushed = tree.push(stored.entry.first_seq, record(shared.config.partition, &stored).leaf());
            *edge = Edge { sequence: stored.entry.last_seq(), time_ns: stored.entry.time_ns, chain: stored.hash.0 };
            if pushed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        pushed
    }

    /// Signs everything durable, where there is something new.
    fn seal(&mut self, shared: &Shared, signer: &SignerKey) -> Result<(), AuditError> {
        self.fold(shared)?;
        let (size, previous) = (self.tree.frontier().size(), self.checkpoints.last().map_or(0, |last| last.size));
        if size <= previous {
            return Ok(());
        }
        // A proof against the checkpoint finds its hashes.
        self.tree.sync()?;
        let Edge { sequence, time_ns, chain } = self.edge;
        let checkpoint = Checkpoint {
            origin: shared.key.name().to_owned(),
            size,
            root: self.tree.frontier().root(),
            previous,
            sequence,
            time_ns,
            chain,
            schema: shared.config.schema,
            partition: shared.config.partition,
        };
        let note = checkpoint.sign(signer).map_err(AuditError::note(&shared.config.dir))?;
        self.checkpoints.append(checkpoint, &note)
    }
}
