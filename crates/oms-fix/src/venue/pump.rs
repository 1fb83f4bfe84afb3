//! Hands what a venue says to the desk, and notes in the session's log how far the desk has it.
//!
//! - A message is passed on in the venue's order; what the desk has not made durable is passed on again after a restart.
//! - The queue is no more than what is at hand of the session's log: where it is full the rest is read from there.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use oms_model::report::{Report, ReportBody};
use oms_runtime::port::{DurableSink, SinkClosed};

use super::line::Shared;
use super::port::{PortParts, handled};
use crate::codec::scan::{View, scan};
use crate::session::config::SessionId;
use crate::session::outbox::Mark;
use crate::store::JournalStore;
use crate::transport::SessionHandle;

/// Kept messages at hand; the log has the others. What has no place in the log - a message that was given up, a lost
/// session - comes on top: of the first there are no more than a session holds, of the second one at a time.
const AT_HAND: usize = 16_384;
/// Kept messages read from the log in one go.
const PIECE: usize = 1_024;
/// How long what the desk has is left unnoted.
const NOTE_AFTER: Duration = Duration::from_millis(200);
/// How long a message may take to be in the log, before it is looked for there again.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// How many messages the desk has at most that are not noted.
const NOTE_EVERY: usize = 4_096;

/// A message with what it makes to be reported.
pub(super) struct Item {
    /// Its place among the kept messages of its session; `None`: it is not in the log.
    pub(super) ordinal: Option<u64>,
    pub(super) reports: Vec<Report>,
}

#[derive(Default)]
struct Inside {
    items: VecDeque<Item>,
    /// Messages were left in the log, behind what is at hand.
    behind: bool,
    /// Something was taken and is not passed on yet.
    busy: bool,
    /// The last kept message that came.
    last: u64,
}

/// What waits to be passed on.
#[derive(Default)]
pub(super) struct Queue {
    inside: Mutex<Inside>,
    changed: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Inside> {
        // Each change is one push or one take; a panic elsewhere leaves the queue whole.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, item: Item) {
        let mut inside = self.lock();
        inside.last = item.ordinal.unwrap_or(inside.last);
        if item.ordinal.is_some() && (inside.behind || AT_HAND <= inside.items.len()) {
            inside.behind = true;
        } else if !(is_down(&item) && inside.items.back().is_some_and(is_down)) {
            inside.items.push_back(item);
        }
        self.changed.notify_all();
    }

    /// Everything is to be read from the log first.
    pub(super) fn fall_behind(&self) {
        self.lock().behind = true;
    }

    /// Waits until everything that came so far was passed on. False where it was not within that time.
    pub(super) fn drained(&self, within: Duration) -> bool {
        let until = Instant::now() + within;
        let mut inside = self.lock();
        while inside.busy || inside.behind || !inside.items.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            inside = self.changed.wait_timeout(inside, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// What is to be done next; nothing where nothing came within that time.
    fn next(&self, within: Duration) -> Next {
        let until = Instant::now() + within;
        let mut inside = self.lock();
        inside.busy = false;
        self.changed.notify_all();
        loop {
            if let Some(item) = inside.items.pop_front() {
                inside.busy = true;
                return Next::Item(item);
            }
            if inside.behind {
                inside.busy = true;
                return Next::Log;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Next::Nothing;
            }
            inside = self.changed.wait_timeout(inside, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The log has no more: if nothing came meanwhile, what comes from here on is at hand. What came is not durable yet.
    fn caught_up(&self, passed: u64) {
        let mut inside = self.lock();
        if inside.last <= passed {
            inside.behind = false;
        } else {
            drop(self.changed.wait_timeout(inside, LOOK_AGAIN));
        }
    }
}

fn is_down(item: &Item) -> bool {
    matches!(item.reports.as_slice(), [Report { body: ReportBody::SessionDown { .. }, .. }])
}

enum Next {
    Item(Item),
    Log,
    Nothing,
}

/// The thread of one session.
pub(super) struct Pump {
    queue: Arc<Queue>,
    shared: Arc<Shared>,
    session: SessionHandle,
    store: Arc<JournalStore>,
    id: SessionId,
    sink: Arc<dyn DurableSink>,
    runtime: tokio::runtime::Handle,
    /// The last kept message that was passed on, and the last of which this is noted.
    passed: u64,
    noted: u64,
    noted_at: Instant,
}

impl Pump {
    pub(super) fn new(
        queue: Arc<Queue>,
        shared: Arc<Shared>,
        session: SessionHandle,
        parts: &PortParts,
        sink: Arc<dyn DurableSink>,
    ) -> Self {
        let (id, store) = (session.id().clone(), parts.store.clone());
        let passed = handled(&store, &id);
        // What an earlier life did not hand on comes first.
        queue.fall_behind();
        let runtime = parts.runtime.clone();
        Self { queue, shared, session, store, id, sink, runtime, passed, noted: passed, noted_at: Instant::now() }
    }

    /// Runs until the desk takes no more, or the session has ended.
    pub(super) fn run(mut self) {
        while self.turn().is_ok() {}
    }

    fn turn(&mut self) -> Result<(), SinkClosed> {
        let wait = if self.passed == self.noted { NOTE_AFTER } else { NOTE_AFTER.saturating_sub(self.noted_at.elapsed()) };
        match self.queue.next(wait) {
            Next::Item(item) => self.pass(item)?,
            Next::Log => self.pass_from_log()?,
            Next::Nothing if self.session.has_ended() => return Err(SinkClosed),
            Next::Nothing => (),
        }
        let many = NOTE_EVERY as u64 <= self.passed - self.noted;
        if self.passed != self.noted && (many || NOTE_AFTER <= self.noted_at.elapsed()) {
            self.note()?;
        }
        Ok(())
    }

    fn pass(&mut self, item: Item) -> Result<(), SinkClosed> {
        // One that was read from the log before it came to hand was passed on.
        if item.ordinal.is_some_and(|ordinal| ordinal <= self.passed) {
            return Ok(());
        }
        for report in item.reports {
            self.sink.report(report)?;
        }
        self.passed = item.ordinal.unwrap_or(self.passed);
        Ok(())
    }

    /// Passes on what was left in the log.
    fn pass_from_log(&mut self) -> Result<(), SinkClosed> {
        let piece = match self.store.unhandled_after(&self.id, self.passed, PIECE) {
            Ok(piece) => piece,
            Err(error) => {
                // Without its log the session ends too; the next start passes it on.
                tracing::error!(session = %self.id, %error, "what the venue said cannot be read from its log");
                return Err(SinkClosed);
            }
        };
        if piece.is_empty() {
            if self.session.has_ended() {
                return Err(SinkClosed);
            }
            self.queue.caught_up(self.passed);
        }
        let mut spans = Vec::new();
        for (kept, bytes) in piece {
            let readable = scan(&bytes, self.shared.dialect.dictionary, usize::MAX, &mut spans).is_ok();
            let view = View::new(&bytes, if readable { &spans } else { &[] });
            let reports = self.shared.hear(view, true, &mut Vec::new());
            self.pass(Item { ordinal: Some(kept.ordinal), reports })?;
        }
        Ok(())
    }

    /// Notes how far the desk has it, once it is durable there.
    fn note(&mut self) -> Result<(), SinkClosed> {
        self.sink.settled()?;
        let mark = Mark { handled: Some(self.passed), cursor: None };
        // A session that has ended is told at the next start; whatever is passed on again is booked once.
        let _ = self.runtime.block_on(self.session.post(Vec::new(), mark));
        (self.noted, self.noted_at) = (self.passed, Instant::now());
        Ok(())
    }
}
