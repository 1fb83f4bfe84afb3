//! Crashes, and what must be so after each.

use super::World;
use crate::fixture::{TENANT, VENUES};
use crate::hold;
use crate::simulator::coverage::Mark;
use crate::simulator::mutant::Mutant;
use crate::simulator::node::{Asker, Node, Recovered, Replayed};
use crate::simulator::plan::Kind;
use crate::simulator::rng::Rng;
use oms_engine::input::InputBody;
use oms_model::Source;
use oms_model::command::Actor;
use oms_runtime::snapshot;
use oms_store::JournalError;
use oms_store::disk::Fault;

/// A recovery that fails by design is tried again so often.
const MOST_STARTS: u32 = 8;

impl World {
    pub(super) fn crash_by(&mut self, kind: Kind, rng: &mut Rng) {
        match kind {
            Kind::Kill => {
                self.coverage.mark(Mark::Kill);
                self.restart(false, rng);
            }
            Kind::PowerLossInWrite => {
                self.coverage.mark(Mark::PowerLossInWrite);
                self.arm(rng.below(3), Fault::PowerLoss);
                self.fail_in_commit(rng);
            }
            Kind::PowerLossInSnapshot => {
                self.commit();
                self.arm(rng.below(6), Fault::PowerLoss);
                let stored = self.node.as_mut().map(Node::store_snapshot);
                self.notes.add(|| format!("  a snapshot, {}", if matches!(stored, Some(Ok(()))) { "stored" } else { "not stored" }));
                self.coverage.mark(Mark::PowerLoss);
                self.restart(true, rng);
            }
            Kind::PowerLossInRecovery => {
                self.coverage.mark(Mark::PowerLossInRecovery);
                self.lose_process(true, rng);
                self.arm(rng.below(8), Fault::PowerLoss);
                self.start(rng, true);
            }
            Kind::DiskRefuses => {
                let fault = rng.pick(&[Fault::Eio, Fault::Enospc, Fault::ShortWrite]);
                self.arm(rng.below(3), fault);
                self.fail_in_commit(rng);
            }
            _ => {
                self.coverage.mark(Mark::PowerLoss);
                self.restart(true, rng);
            }
        }
    }

    /// The fault meets the `after`th operation of the disk from now.
    fn arm(&self, after: u64, fault: Fault) {
        self.disk.fail_at(self.disk.operations() + after, fault);
    }

    /// The armed fault meets the next write. Where nothing waits to be written, the power just fails.
    fn fail_in_commit(&mut self, rng: &mut Rng) {
        let Some(node) = self.node.as_mut() else { return };
        match node.commit() {
            Ok(committed) => {
                self.committed(committed);
                self.restart(true, rng);
            }
            Err(error) => {
                self.notes.add(|| format!("  the log stopped: {error}"));
                hold!(32, !matches!(error, JournalError::Damaged(_)), "{error}");
                // From here on nothing is answered; the process ends.
                let again = self.node.as_mut().map(|node| node.commit().is_ok());
                hold!(37, again != Some(true) || self.mutant.is_some(), "the log goes on after an error");
                self.coverage.mark(Mark::DiskRefused);
                let power = rng.chance(700);
                self.restart(power, rng);
            }
        }
    }

    /// Stores a snapshot of what is durable.
    pub(super) fn snapshot(&mut self) {
        self.commit();
        let Some(node) = self.node.as_mut() else { return };
        match node.store_snapshot() {
            Ok(()) => (),
            // A power loss that was meant for a recovery comes only now.
            Err(error @ JournalError::Io { .. }) => self.stopped(&error),
            Err(error) => panic!("invariant 33: a snapshot was not taken: {error}"),
        }
    }

    /// The process ends, and starts again.
    pub(super) fn restart(&mut self, power: bool, rng: &mut Rng) {
        self.lose_process(power, rng);
        self.start(rng, true);
    }

    fn lose_process(&mut self, power: bool, rng: &mut Rng) {
        self.notes.add(|| if power { "  power fails".to_owned() } else { "  the process ends".to_owned() });
        self.coverage.faults += 1;
        if power {
            self.disk.crash();
        } else {
            self.disk.kill();
        }
        self.node = None;
        self.watched.clear();
        for mic in VENUES {
            // The venue sees its session end; it takes the next one.
            self.with_venue(mic, rng, |venue, scene| {
                venue.break_line(scene);
                venue.line = true;
            });
        }
    }

    /// Starts the process. A fault that was armed may end it again on the way.
    pub(super) fn start(&mut self, rng: &mut Rng, after_crash: bool) {
        for _ in 0..MOST_STARTS {
            match Node::open(&self.disk, self.mutant) {
                Ok((node, recovered)) => {
                    self.node = Some(node);
                    if after_crash {
                        self.hold_recovered(&recovered);
                    }
                    if self.begin(rng) {
                        self.coverage.recoveries += u64::from(after_crash);
                        return;
                    }
                }
                Err(JournalError::Failed { .. } | JournalError::Io { .. }) => (),
                Err(error) => panic!("invariant 32: the log does not open: {error}"),
            }
            // Only an armed fault comes here; the power comes back without it.
            self.node = None;
            self.disk.crash();
        }
        panic!("invariant 32: the log does not open");
    }

    /// What was handed over and not answered is in doubt before anything else is decided. Whether that is durable.
    fn begin(&mut self, rng: &mut Rng) -> bool {
        self.unreachable();
        let skipped = self.mutant == Some(Mutant::RecoveredStepSkipped);
        loop {
            if !skipped {
                let from = Actor { tenant_id: TENANT, source: Source::System, ..Actor::default() };
                self.enter(from, InputBody::Recovered, Asker::Nobody);
            }
            let Some(node) = self.node.as_mut() else { return false };
            let Ok(committed) = node.commit() else { return false };
            self.committed(committed);
            if skipped || self.node.as_ref().is_none_or(|node| !node.engine.state().has_undoubted()) {
                break;
            }
        }
        let Some(mut node) = self.node.take() else { return false };
        let state = node.engine.state();
        for (venue, order_id) in state.unanswered() {
            let doubted = state.order(order_id).is_some_and(|leg| leg.extras.doubt.is_some());
            hold!(6, doubted, "leg {order_id} at {venue} was not answered before the crash and is not in doubt");
        }
        for venue in state.venues() {
            hold!(3, !venue.connected, "the session of {} counts as up before it was reconciled", venue.venue.venue);
        }
        node.start_gateway();
        if self.mutant == Some(Mutant::ResentAfterRestart) {
            let (state, mut door, kills) = (node.engine.state().clone(), std::mem::take(&mut node.door), node.kill_epoch);
            node.gateway.resend(&state, &mut self.outside(rng, &mut door, kills));
            node.door = door;
        }
        self.node = Some(node);
        true
    }

    /// Everything acknowledged is there, nothing is there that was not decided, and every way to the state is one.
    fn hold_recovered(&mut self, recovered: &Recovered) {
        let Some(node) = self.node.as_ref() else { return };
        if recovered.snapshot_seq > 0 {
            self.coverage.mark(Mark::FromSnapshot);
        }
        if recovered.segments > 1 {
            self.coverage.mark(Mark::Segments);
        }
        let Replayed { state, tail, chain } = match node.replayed(self.orders.last_seq) {
            Ok(replayed) => replayed,
            Err(error) => panic!("invariant 32: the log cannot be read: {error}"),
        };
        let (acked, hash) = self.acked;
        let found = chain.iter().find(|(seq, _)| *seq == acked).map(|(_, hash)| *hash);
        hold!(32, found == hash, "acknowledged up to {acked}, but the log that ends at {} has not this entry", state.last_seq());
        self.coverage.mark(if tail.is_empty() { Mark::TailLost } else { Mark::TailKept });
        for batch in &tail {
            self.orders.durable(batch);
            self.durable_quotes.decided(batch);
            self.durable_gate.decided(batch);
            self.durable_works.decided(batch);
        }
        // What was decided and is not durable never was.
        self.quotes = self.durable_quotes.clone();
        self.quotes.hold_in(&state, None);
        self.gate = self.durable_gate.clone();
        self.gate.hold_in(&state);
        self.gross = state.risk().gross_exposure(oms_model::limit::Scope::Tenant).raw();
        self.works = self.durable_works.clone();
        self.works.hold_in(&state);
        if let Some(last) = chain.last() {
            self.acked = (last.0, Some(last.1));
            self.trace.bytes(&last.1.0);
        }
        let bytes = snapshot::encode(&state);
        hold!(33, bytes == recovered.state, "a replay of the whole log is not the snapshot at {} and its tail", recovered.snapshot_seq);
        self.notes.add(|| format!("  recovered up to {} (snapshot {})", state.last_seq(), recovered.snapshot_seq));
        self.orders.hold_in(&state);
        self.answers.hold_in(&state, &self.gate);
    }

    /// The state in memory is what the log tells.
    pub(super) fn hold_live(&mut self) {
        self.commit();
        let Some(node) = self.node.as_ref() else { return };
        let replayed = node.replayed(u64::MAX).unwrap_or_else(|error| panic!("invariant 32: the log cannot be read: {error}"));
        let state = replayed.state;
        let same = snapshot::encode(&state) == snapshot::encode(node.engine.state());
        hold!(33, same, "the state in memory at {} is not a replay of the log", state.last_seq());
    }
}
