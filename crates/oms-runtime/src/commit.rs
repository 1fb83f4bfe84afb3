//! Makes decided batches durable, many at a time, and only then lets anything out.
//!
//! While one group is being written the loop decides the next; what has gathered by then is one write. A write never
//! waits for more to gather: where nothing is being written, the first decided batch goes at once.

use crate::feed::Feed;
use crate::handle::Answer;
use crate::telemetry::Telemetry;
use oms_engine::engine::outcome_of;
use oms_model::command::CommandOutcome;
use oms_model::{Batch, Code, Refusal, Seq};
use oms_store::{EntryRef, Epoch, Journal, codec};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use std::time::Instant;
use tokio::sync::oneshot;

/// The most bytes in one write.
const MAX_WRITE: usize = 8 << 20;

/// What is let out once everything decided before it is durable.
pub(crate) enum Release {
    Answer {
        reply: oneshot::Sender<Result<Answer, Refusal>>,
        answer: Answer,
    },
    /// The answer stands in the log, at the idempotency record with this sequence.
    Replay {
        reply: oneshot::Sender<Result<Answer, Refusal>>,
        seq: Seq,
    },
    Run(Box<dyn FnOnce() + Send>),
}

/// Batches decided together, with what they release.
#[derive(Default)]
pub(crate) struct Group {
    pub(crate) batches: Vec<Arc<Batch>>,
    pub(crate) releases: Vec<Release>,
}

impl Group {
    pub(crate) fn is_empty(&self) -> bool {
        self.batches.is_empty() && self.releases.is_empty()
    }
}

/// What goes to the log in one write. Encoding is done here and not by the loop, which has enough to decide.
#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    /// End of each batch's bytes.
    ends: Vec<usize>,
}

impl Written {
    fn add(&mut self, group: &Group) {
        for batch in &group.batches {
            codec::encode_batch(batch, &mut self.bytes);
            self.ends.push(self.bytes.len());
        }
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn entries<'a>(&'a self, groups: &'a [Group]) -> impl Iterator<Item = EntryRef<'a>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let batches = groups.iter().flat_map(|group| &group.batches);
        starts.zip(&self.ends).zip(batches).map(|((start, &end), batch)| EntryRef {
            first_seq: batch.first_seq.0,
            count: u32::try_from(batch.events.len()).unwrap_or(u32::MAX),
            time_ns: batch.time.0,
            body: self.bytes.get(start..end).unwrap_or_default(),
        })
    }
}

/// An answer to be read from the log, and who waits for it.
pub(crate) type ReplayJob = (oneshot::Sender<Result<Answer, Refusal>>, Seq);

pub(crate) struct Committer {
    pub(crate) journal: Box<dyn Journal>,
    pub(crate) epoch: Epoch,
    pub(crate) feed: Feed,
    pub(crate) groups: Receiver<Group>,
    /// Groups that were handed over and are not durable yet. Only a hint of when to hand over the next.
    pub(crate) under_way: Arc<AtomicUsize>,
    pub(crate) replays: SyncSender<ReplayJob>,
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) on_fault: Box<dyn Fn(&str) + Send>,
}

impl Committer {
    /// Runs until the loop has ended or the log fails. Gives the journal back.
    pub(crate) fn run(mut self) -> Box<dyn Journal> {
        let mut taken: Vec<Group> = Vec::new();
        let mut written = Written::default();
        while let Ok(group) = self.groups.recv() {
            written.clear();
            written.add(&group);
            taken.push(group);
            while written.bytes.len() < MAX_WRITE {
                let Ok(more) = self.groups.try_recv() else { break };
                written.add(&more);
                taken.push(more);
            }
            if let Err(error) = self.write(&written, &taken) {
                // Nothing of this group was answered, and nothing will be: its askers learn that the engine stopped.
                (self.on_fault)(&error);
                break;
            }
            self.under_way.fetch_sub(taken.len(), Ordering::Relaxed);
            self.feed.publish(taken.iter().flat_map(|group| group.batches.iter().cloned()));
            for group in taken.drain(..) {
                group.releases.into_iter().for_each(|release| self.release(release));
            }
        }
        self.feed.close();
        self.journal
    }

    fn write(&mut self, written: &Written, groups: &[Group]) -> Result<(), String> {
        let entries: Vec<EntryRef<'_>> = written.entries(groups).collect();
        if entries.is_empty() {
            return Ok(());
        }
        let began = Instant::now();
        self.journal.append(self.epoch, &entries).map_err(|error| error.to_string())?;
        self.telemetry.commit.record_ns(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX));
        self.telemetry.groups.add(1);
        self.telemetry.events.add(entries.iter().map(|entry| u64::from(entry.count)).sum());
        Ok(())
    }

    fn release(&self, release: Release) {
        // Whoever asked may have gone away; what it asked for is done all the same.
        match release {
            Release::Answer { reply, answer } => drop(reply.send(Ok(answer))),
            Release::Run(run) => run(),
            Release::Replay { reply, seq } => {
                if let Err(TrySendError::Full((reply, _)) | TrySendError::Disconnected((reply, _))) = self.replays.try_send((reply, seq)) {
                    drop(reply.send(Err(Refusal::new(Code::Overloaded, "too many answers are being read from the log"))));
                }
            }
        }
    }
}

/// Reads earlier answers from the log, off the commit path, until nobody can ask any more.
pub(crate) fn replay_answers(feed: &Feed, jobs: &Receiver<ReplayJob>) {
    while let Ok((reply, seq)) = jobs.recv() {
        drop(reply.send(earlier_answer(feed, seq)));
    }
}

fn earlier_answer(feed: &Feed, seq: Seq) -> Result<Answer, Refusal> {
    let unreadable = |why: String| Refusal::new(Code::Internal, "the earlier answer cannot be read").with("reason", why);
    let batch = feed.batch_at(seq).map_err(|error| unreadable(error.to_string()))?;
    let batch = batch.ok_or_else(|| unreadable(format!("sequence {seq} is not in the log")))?;
    let outcome = outcome_of(&batch).ok_or_else(|| unreadable(format!("sequence {seq} holds no answer")))?;
    Ok(Answer { outcome, batch, replayed: true })
}

/// The answer to a command whose refusal recorded nothing.
pub(crate) fn nothing_recorded(outcome: CommandOutcome, batch: Batch) -> Answer {
    Answer { outcome, batch: Arc::new(batch), replayed: false }
}
