//! The process: the real engine on the real log, with what is not durable yet. A crash drops all of it.

use super::disk::disk_for;
use super::gateway::Gateway;
use super::mutant::Mutant;
use crate::fixture::TestMarkets;
use crate::hold;
use oms_engine::engine::outcome_of;
use oms_engine::input::{Input, InputBody};
use oms_engine::state::StateParts;
use oms_engine::{Config, Context, Engine, Output, State};
use oms_model::command::{Actor, CommandOutcome};
use oms_model::compliance::InFlightRule;
use oms_model::event::{Batch, Event};
use oms_model::report::Report;
use oms_model::{CommandId, EndedBy, Qty, QuoteState, Seq, Time, TraceId};
use oms_runtime::snapshot;
use oms_store::codec::{decode_batch, decode_batch_for_replay, encode_batch};
use oms_store::disk::SimDisk;
use oms_store::{ChainHash, Config as LogConfig, EmbeddedJournal, EntryRef, Epoch, Journal, JournalError, Snapshot, Tip};
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;

mod books;
mod gate;

/// Whose question an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// The client of this question.
    Client(usize),
    /// A client that used the key of another question.
    Conflict,
    /// A client that used a `cl_ord_id` again.
    UsedClOrdId,
    /// Nobody waits.
    Nobody,
}

/// An answer that may leave.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    pub asker: Asker,
    pub outcome: CommandOutcome,
    /// The last sequence that the answer stands on; 0 where nothing was recorded.
    pub last_seq: u64,
    pub replayed: bool,
}

enum Release {
    Answer(Answered),
    Replay { asker: Asker, seq: Seq },
}

/// What a commit brought.
#[derive(Default)]
pub(super) struct Committed {
    pub batches: Vec<Arc<Batch>>,
    pub answers: Vec<Answered>,
    pub tip: Option<Tip>,
}

/// What a recovery found.
pub(super) struct Recovered {
    /// Canonical bytes of the state before anything new was decided.
    pub state: Vec<u8>,
    pub snapshot_seq: u64,
    pub segments: usize,
}

/// What a replay of the whole log gave.
pub(super) struct Replayed {
    pub state: State,
    /// The batches behind the sequence that was known.
    pub tail: Vec<Batch>,
    /// The end of each entry with the chain there.
    pub chain: Vec<(u64, ChainHash)>,
}

pub(super) struct Node {
    pub engine: Engine,
    journal: EmbeddedJournal,
    epoch: Epoch,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    batches: Vec<Arc<Batch>>,
    releases: Vec<Release>,
    /// Durable, and not yet read by the gateway.
    pub feed: VecDeque<Arc<Batch>>,
    /// Reports that wait to enter.
    pub door: VecDeque<Report>,
    pub gateway: Gateway,
    /// How many kill switches were engaged; read at the last instant before an order leaves.
    pub kill_epoch: u64,
    mutant: Option<Mutant>,
    command_ids: u128,
}

pub(super) fn log_config() -> LogConfig {
    LogConfig { partition: 3, segment_bytes: 16 << 10, prepare_ahead: false, ..LogConfig::default() }
}

/// Folds the log behind `state` as the runtime's recovery does, on this thread.
fn fold(journal: &EmbeddedJournal, mut state: State, mutant: Option<Mutant>) -> Result<State, JournalError> {
    let from = state.next_seq().0;
    if mutant == Some(Mutant::TailSkipped) && from > 1 {
        return Ok(state);
    }
    let mut last = None;
    journal.reader().scan(from, &mut |stored| {
        match decode_batch_for_replay(stored.entry.body) {
            Ok(batch) => {
                state.fold(&batch);
                last = Some(batch);
            }
            Err(error) => panic!("invariant 32: the entry at {} cannot be decoded: {error}", stored.entry.first_seq),
        }
        ControlFlow::Continue(())
    })?;
    if let (Some(Mutant::TailFoldedTwice), Some(mut batch)) = (mutant, last) {
        let last_seq = state.last_seq();
        batch.first_seq = state.next_seq();
        state.fold(&batch);
        state = State::from_parts(StateParts { last_seq, ..state.parts() });
    }
    Ok(state)
}

/// What a planted bug makes of a recovered state.
fn forget(state: State, mutant: Option<Mutant>) -> State {
    if let Some(forgotten) = mutant.and_then(|mutant| gate::forget(&state, mutant)) {
        return forgotten;
    }
    match mutant {
        Some(mutant) if books::is_forgetful(mutant) => books::forget(&state, mutant),
        Some(Mutant::IdempotencyForgotten) => State::from_parts(StateParts { idempotency: Vec::new(), ..state.parts() }),
        Some(Mutant::KillForgotten) => {
            let mut parts = state.parts();
            parts.risk.killed.clear();
            State::from_parts(parts)
        }
        Some(
            Mutant::TriggerForgotten
            | Mutant::TrailForgotten
            | Mutant::WakeForgotten
            | Mutant::SuspensionForgotten
            | Mutant::TakenForgotten
            | Mutant::ArmedWhole,
        ) => forget_work(&state, mutant),
        Some(Mutant::QuotesForgotten) => State::from_parts(StateParts { quotes: Vec::new(), quote_requests: Vec::new(), ..state.parts() }),
        Some(Mutant::QuoteRevived | Mutant::QuoteLifeStretched) => {
            let mut parts = state.parts();
            for quote in &mut parts.quotes {
                match mutant {
                    Some(Mutant::QuoteRevived) if quote.state == QuoteState::Accepted => quote.state = QuoteState::Live,
                    Some(Mutant::QuoteLifeStretched) => quote.valid_until = quote.valid_until.plus(86_400_000_000_000),
                    _ => (),
                }
            }
            State::from_parts(parts)
        }
        _ => state,
    }
}

/// What a planted bug makes of what the engine works orders by.
fn forget_work(state: &State, mutant: Option<Mutant>) -> State {
    let mut parts = state.parts();
    for entry in &mut parts.orders {
        // Writing through the extras would make room for them.
        if entry.order.extras.work.is_none() || entry.order.state.is_done() {
            continue;
        }
        let Some(work) = entry.order.extras.work.as_deref_mut() else { continue };
        match mutant {
            Some(Mutant::TriggerForgotten) => work.triggered = false,
            Some(Mutant::TrailForgotten) => work.stop_px = None,
            Some(Mutant::WakeForgotten) => (work.wake, work.on_market) = (None, false),
            Some(Mutant::SuspensionForgotten) => work.suspended = false,
            Some(Mutant::TakenForgotten) => work.taken_qty = Qty::ZERO,
            Some(Mutant::ArmedWhole) => work.armed_qty = work.link.map_or(Qty::ZERO, |link| link.list_qty),
            _ => (),
        }
    }
    State::from_parts(parts)
}

impl Node {
    /// Opens the log, recovers the state and takes the partition over. Nothing new is decided yet.
    pub fn open(disk: &SimDisk, mutant: Option<Mutant>) -> Result<(Self, Recovered), JournalError> {
        let mut journal = EmbeddedJournal::open(disk_for(disk, mutant), log_config())?;
        let epoch = journal.claim()?;
        let stored = journal.latest_snapshot(snapshot::SCHEMA)?;
        let snapshot_seq = stored.as_ref().map_or(0, |stored| stored.seq);
        let base = stored.map_or_else(State::default, |stored| {
            hold!(33, snapshot::hash_of(&stored.bytes) == stored.state_hash, "a snapshot does not have its hash");
            snapshot::decode(&stored.bytes).unwrap_or_else(|error| panic!("invariant 33: a snapshot cannot be read: {error}"))
        });
        let state = forget(fold(&journal, base, mutant)?, mutant);
        let names = oms_store::disk::Disk::list(disk).unwrap_or_default();
        let segments = names.iter().filter(|name| name.starts_with("segment-")).count();
        let recovered = Recovered { state: snapshot::encode(&state), snapshot_seq, segments };
        let node = Self {
            gateway: Gateway::start(&state),
            command_ids: u128::from(state.last_seq().0) << 32 | u128::from(epoch.0) << 64,
            engine: Engine::new(state, Config::default()),
            journal,
            epoch,
            bytes: Vec::new(),
            ends: Vec::new(),
            batches: Vec::new(),
            releases: Vec::new(),
            feed: VecDeque::new(),
            door: VecDeque::new(),
            kill_epoch: 0,
            mutant,
        };
        Ok((node, recovered))
    }

    /// The gateway begins with what the state says now.
    pub fn start_gateway(&mut self) {
        self.feed.clear();
        self.gateway = Gateway::start(self.engine.state());
    }

    /// The state that the whole log tells, and the entries behind sequence `known`.
    pub fn replayed(&self, known: u64) -> Result<Replayed, JournalError> {
        let (mut state, mut tail, mut chain) = (State::default(), Vec::new(), Vec::new());
        self.journal.reader().scan(1, &mut |stored| {
            match decode_batch(stored.entry.body) {
                Ok(batch) => {
                    state.fold(&batch);
                    chain.push((stored.entry.last_seq(), stored.hash));
                    if stored.entry.first_seq > known {
                        tail.push(batch);
                    }
                }
                Err(error) => panic!("invariant 32: the entry at {} cannot be decoded: {error}", stored.entry.first_seq),
            }
            ControlFlow::Continue(())
        })?;
        Ok(Replayed { state: forget(state, self.mutant), tail, chain })
    }

    /// Lets one thing in.
    pub fn decide(&mut self, actor: Actor, body: InputBody, asker: Asker, now: Time, markets: &TestMarkets) -> Output {
        self.command_ids += 1;
        let body = gate::swapped(body, self.mutant);
        let is_report = matches!(body, InputBody::Report(_));
        let input = Input { command_id: CommandId::from_u128(self.command_ids), actor, trace_id: TraceId::default(), body };
        // Neither a rule that is turned for a moment nor what it leads to is in the log as it was decided.
        let (record, cancel) = (InFlightRule::Record, InFlightRule::Cancel);
        let turned = self.mutant == Some(Mutant::RestGoesOn) && is_report && gate::turn_rule(&mut self.engine, cancel, record);
        let mut output = self.engine.step(input, &Context { now, markets });
        if turned {
            gate::turn_rule(&mut self.engine, record, cancel);
        }
        let batch = std::mem::take(&mut output.batch);
        let last_seq = if batch.events.is_empty() { 0 } else { batch.last_seq().0 };
        if !batch.events.is_empty() {
            let kills = batch.events.iter().filter(|event| matches!(event, Event::KillSwitchEngaged(_))).count();
            self.kill_epoch += kills as u64;
            encode_batch(&batch, &mut self.bytes);
            self.ends.push(self.bytes.len());
            let shared = Arc::new(batch.clone());
            if self.mutant == Some(Mutant::SendBeforeDurable) {
                self.feed.push_back(shared.clone());
            }
            self.batches.push(shared);
            if self.mutant == Some(Mutant::ReservationKept) {
                self.keep_reservations(&batch);
            }
            if let (Some(Mutant::CalmBreakerOpensAll), Some(state)) = (self.mutant, gate::opened(self.engine.state(), &batch)) {
                self.engine = Engine::new(state, Config::default());
            }
            if let Some(parts) = self.mutant.and_then(|mutant| books::folded_wrongly(self.engine.state(), &batch, mutant)) {
                self.engine = Engine::new(State::from_parts(parts), Config::default());
            }
        }
        match (output.replay_of, &output.outcome) {
            (Some(seq), _) => self.releases.push(Release::Replay { asker, seq }),
            (None, Some(outcome)) => {
                self.releases.push(Release::Answer(Answered { asker, outcome: outcome.clone(), last_seq, replayed: false }));
            }
            (None, None) => (),
        }
        Output { batch, ..output }
    }

    fn keep_reservations(&mut self, batch: &Batch) {
        for event in &batch.events {
            let Event::OrderRejected(e) = event else { continue };
            let root = self.engine.state().order(e.order_id).is_some_and(oms_model::Order::is_root);
            if root && matches!(e.by, EndedBy::Venue | EndedBy::NotSent | EndedBy::Router) {
                let mut parts = self.engine.state().parts();
                for entry in parts.orders.iter_mut().filter(|entry| entry.order.order_id == e.order_id) {
                    entry.reserved.qty = entry.order.order_qty;
                }
                self.engine = Engine::new(State::from_parts(parts), Config::default());
            }
        }
    }

    /// Whether everything decided is durable and answered.
    pub fn is_clean(&self) -> bool {
        self.batches.is_empty() && self.releases.is_empty()
    }

    /// The bytes that wait to be written, for the trace.
    pub fn waiting_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Answers that a planted bug lets out before they are durable.
    pub fn early_answers(&mut self) -> Vec<Answered> {
        if self.mutant != Some(Mutant::AnswerBeforeDurable) {
            return Vec::new();
        }
        let early = std::mem::take(&mut self.releases).into_iter().map(|release| self.answer(release));
        let early: Vec<Option<Answered>> = early.collect();
        early.into_iter().flatten().collect()
    }

    /// Makes everything decided durable, then lets it out.
    pub fn commit(&mut self) -> Result<Committed, JournalError> {
        if !self.batches.is_empty() {
            let mut start = 0;
            let mut entries: Vec<EntryRef<'_>> = Vec::with_capacity(self.batches.len());
            for (batch, end) in self.batches.iter().zip(&self.ends) {
                let count = u32::try_from(batch.events.len()).unwrap_or(u32::MAX);
                let body = &self.bytes[start..*end];
                entries.push(EntryRef { first_seq: batch.first_seq.0, count, time_ns: batch.time.0, body });
                start = *end;
            }
            self.journal.append(self.epoch, &entries)?;
        }
        let batches = std::mem::take(&mut self.batches);
        self.bytes.clear();
        self.ends.clear();
        if self.mutant != Some(Mutant::SendBeforeDurable) {
            self.feed.extend(batches.iter().cloned());
        }
        let releases = std::mem::take(&mut self.releases);
        let answers = releases.into_iter().filter_map(|release| self.answer(release)).collect();
        Ok(Committed { batches, answers, tip: Some(self.journal.tip()) })
    }

    fn answer(&self, release: Release) -> Option<Answered> {
        match release {
            Release::Answer(answered) => Some(answered),
            Release::Replay { asker, seq } => {
                let mut found = Vec::new();
                let read = self.journal.reader().read(seq.0, 1, &mut found);
                let batch = found.first().and_then(|entry| decode_batch(&entry.body).ok());
                let outcome = batch.as_ref().and_then(outcome_of);
                if self.mutant != Some(Mutant::AnswerBeforeDurable) {
                    hold!(7, outcome.is_some(), "the answer at {seq} is not in the log: {read:?}");
                }
                let last_seq = batch.map_or(0, |batch| batch.last_seq().0);
                outcome.map(|outcome| Answered { asker, outcome, last_seq, replayed: true })
            }
        }
    }

    /// Stores a snapshot. Everything decided is durable.
    pub fn store_snapshot(&mut self) -> Result<(), JournalError> {
        let state = self.engine.state();
        let tip = self.journal.tip();
        if state.last_seq().0 == 0 || !self.is_clean() {
            return Ok(());
        }
        let bytes = snapshot::encode(state);
        let same = snapshot::decode(&bytes).map(|read| snapshot::encode(&read) == bytes);
        hold!(33, same == Ok(true), "a snapshot is not read as it was written");
        let state_hash = snapshot::hash_of(&bytes);
        let stored = Snapshot { seq: state.last_seq().0, chain_hash: tip.last_hash, state_hash, schema: snapshot::SCHEMA, bytes };
        self.journal.put_snapshot(&stored)
    }
}
