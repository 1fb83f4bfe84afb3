//! The world: the process, its disk, the venues, the clients, the clock. One thread, one source of chance.

use super::coverage::{Coverage, Mark};
use super::gateway::Outside;
use super::mutant::Mutant;
use super::node::{Answered, Asker, Committed, Node};
use super::notes::Notes;
use super::plan::{Action, Kind, Plan, Rates};
use super::rng::{Rng, Trace};
use super::venue::{Scene, Venue};
use crate::fixture::{OPEN, OTHER_ACCOUNT, TENANT, TestMarkets, VENUES, actor, lent, setup};
use crate::hold;
use crate::reference::{Answers, Gate, Orders, Quotes, Works};
use oms_engine::input::{IdempotencyKey, InputBody};
use oms_model::command::{Actor, Command, CommandOutcome, Placed};
use oms_model::instrument::{Account, Currency};
use oms_model::report::Report;
use oms_model::{Code, CostMethod, ExecId, InstrumentId, Mic, OrderId, Source, Time};
use oms_store::disk::SimDisk;
use oms_store::{ChainHash, JournalError};
use std::collections::{BTreeMap, BTreeSet};

mod books;
mod clients;
mod controls;
mod crash;
mod desk;
mod groups;
mod market;
mod oracle;
mod quiet;
mod quotes;
mod reports;
mod worked;

/// Everything there is.
pub(super) struct World {
    rates: Rates,
    mutant: Option<Mutant>,
    now: Time,
    markets: TestMarkets,
    disk: SimDisk,
    node: Option<Node>,
    venues: BTreeMap<Mic, Venue>,
    orders: Orders,
    answers: Answers,
    /// What was quoted and accepted, as it was decided.
    quotes: Quotes,
    /// What the gate was told, as decided.
    gate: Gate,
    durable_gate: Gate,
    /// What clients know of their dead-man switches.
    controls: controls::Controls,
    /// The gross exposure after the last batch.
    gross: i128,
    /// The same as far as it is durable.
    durable_quotes: Quotes,
    /// What the engine works, as it was decided, and as far as it is durable.
    works: Works,
    durable_works: Works,
    /// Instruments whose market moved since it was last looked at, and those that are watched.
    moved: BTreeSet<InstrumentId>,
    watched: BTreeSet<InstrumentId>,
    /// Executions that the venues reported for orders that are not ours.
    foreign: BTreeSet<(Mic, ExecId)>,
    /// What people booked, or tried to.
    by_hand: Vec<desk::ByHand>,
    /// Executions whose charge a person corrected, or tried to.
    charged_by_hand: BTreeSet<(Mic, ExecId)>,
    /// When somebody tried to close a day.
    closes: Vec<Time>,
    /// Client orders that work again though they were wholly executed, since timers were last served.
    reopened: BTreeSet<OrderId>,
    /// Trees with an execution after an end, or more executed than ordered.
    disturbed: BTreeSet<OrderId>,
    /// The last acknowledged end of the log.
    acked: (u64, Option<ChainHash>),
    serial: u64,
    pub coverage: Coverage,
    pub trace: Trace,
    pub notes: Notes,
}

impl World {
    pub fn new(plan: &Plan, mutant: Option<Mutant>, notes: bool) -> Self {
        let mut world = Self {
            rates: plan.rates,
            mutant,
            now: OPEN,
            markets: TestMarkets::default(),
            disk: SimDisk::new(plan.seed ^ 0xD15C),
            node: None,
            venues: VENUES.into_iter().map(|mic| (mic, Venue::new(mic))).collect(),
            orders: Orders::default(),
            answers: Answers::default(),
            quotes: Quotes::default(),
            gate: Gate::default(),
            durable_gate: Gate::default(),
            controls: controls::Controls::default(),
            gross: 0,
            durable_quotes: Quotes::default(),
            works: Works::default(),
            durable_works: Works::default(),
            moved: BTreeSet::new(),
            watched: BTreeSet::new(),
            foreign: BTreeSet::new(),
            by_hand: Vec::new(),
            charged_by_hand: BTreeSet::new(),
            closes: Vec::new(),
            reopened: BTreeSet::new(),
            disturbed: BTreeSet::new(),
            acked: (0, None),
            serial: 0,
            coverage: Coverage::default(),
            trace: Trace::default(),
            notes: Notes { on: notes, lines: Vec::new() },
        };
        world.disk.tear_sectors(true);
        let average = plan.seed.is_multiple_of(4);
        world.first_start(average);
        world
    }

    /// The first morning: nothing goes wrong before the desk is set up.
    fn first_start(&mut self, average: bool) {
        let mut rng = Rng::new(1);
        let rates = std::mem::take(&mut self.rates);
        self.start(&mut rng, false);
        let mut commands = setup();
        let other =
            Account { account_id: OTHER_ACCOUNT, name: "other".into(), currency: Currency::USD, active: true, ..Account::default() };
        commands.push(Command::OpenAccount(other));
        commands.extend([InstrumentId(0), InstrumentId(1)].map(|instrument| lent(OTHER_ACCOUNT, instrument)));
        if average {
            commands.push(Command::SetCostMethod(CostMethod::AverageCost));
        }
        for command in commands {
            self.enter(actor(), InputBody::Command { command, idempotency: None }, Asker::Nobody);
        }
        for instrument in [InstrumentId(0), InstrumentId(1)] {
            self.quote_all(instrument);
        }
        self.commit();
        for mic in VENUES {
            self.work(mic, &mut rng);
        }
        self.pump_door(usize::MAX, &mut rng);
        self.commit();
        self.follow(&mut rng);
        self.rates = rates;
        self.notes.lines.clear();
    }

    /// Does one action, and what goes on by itself beside it.
    pub fn act(&mut self, action: Action) {
        let mut rng = Rng::new(action.seed);
        self.trace.fold(action.kind as u64);
        self.notes.add(|| format!("{:?}", action.kind));
        self.kind(action.kind, &mut rng);
        self.timers();
        self.go_on(&mut rng);
        let node = self.node.as_ref();
        let waits = node.map_or(0, Node::waiting_bytes) as u64;
        let seq = node.map_or(0, |node| node.engine.state().last_seq().0);
        self.trace.fold(seq);
        self.trace.fold(waits);
        self.trace.fold(self.now.0.unsigned_abs());
    }

    fn kind(&mut self, kind: Kind, rng: &mut Rng) {
        match kind {
            Kind::Place
            | Kind::PlaceMany
            | Kind::Cancel
            | Kind::Replace
            | Kind::MassCancel
            | Kind::Retry
            | Kind::OtherPayload
            | Kind::UsedClOrdId
            | Kind::Engage
            | Kind::Release
            | Kind::Limit
            | Kind::TradingState => self.client(kind, rng),
            Kind::PlaceWorked | Kind::PlaceList | Kind::Suspend => self.worked(kind, rng),
            Kind::Print => self.print(rng),
            Kind::Control => self.control(rng),
            Kind::AskQuote | Kind::DealerQuote | Kind::AcceptQuote => self.quoting(kind, rng),
            Kind::Quote => {
                let instrument = InstrumentId(u32::try_from(rng.below(2)).unwrap_or(0));
                let mic = rng.pick(&VENUES);
                self.quote(instrument, mic, rng);
            }
            Kind::Take | Kind::Trade | Kind::Unasked | Kind::Expire | Kind::Foreign | Kind::Later | Kind::Disconnect => {
                self.venue(kind, rng);
            }
            Kind::Desk => self.desk(rng),
            Kind::Group | Kind::Allocate => self.grouping(kind, rng),
            Kind::CloseDay => self.close_day(rng),
            Kind::Report => self.pump_reports(rng),
            Kind::Work => {
                let mic = rng.pick(&VENUES);
                self.work(mic, rng);
            }
            Kind::Wait => {
                let ns = 1 << rng.below(33);
                self.now = self.now.plus(ns);
                self.keep_alive(rng);
                self.refresh_quotes(rng);
            }
            Kind::LongWait => {
                let minutes = rng.pick(&[1, 10, 61, 200, 420]);
                self.now = self.now.plus(minutes * 60_000_000_000);
                self.refresh_quotes(rng);
            }
            Kind::Commit => self.commit(),
            Kind::Follow => self.follow(rng),
            Kind::Snapshot => self.snapshot(),
            Kind::Kill
            | Kind::PowerLoss
            | Kind::PowerLossInWrite
            | Kind::PowerLossInSnapshot
            | Kind::PowerLossInRecovery
            | Kind::DiskRefuses => self.crash_by(kind, rng),
        }
    }

    /// What goes on by itself after an action.
    fn go_on(&mut self, rng: &mut Rng) {
        if rng.chance(self.rates.commit) {
            self.commit();
        }
        if rng.chance(self.rates.follow) {
            self.follow(rng);
        }
        for mic in VENUES {
            if rng.chance(self.rates.follow) {
                self.work(mic, rng);
            }
            if rng.chance(self.rates.take) {
                self.with_venue(mic, rng, |venue, scene| {
                    if let Some(message) = venue.inbox.pop_front() {
                        venue.take(message, scene);
                    }
                });
            }
        }
        if rng.chance(self.rates.report) {
            self.pump_reports(rng);
        }
        self.pump_door(4, rng);
    }

    fn with_venue<T>(&mut self, mic: Mic, rng: &mut Rng, act: impl FnOnce(&mut Venue, &mut Scene<'_>) -> T) -> Option<T> {
        let venue = self.venues.get_mut(&mic)?;
        let mut scene = Scene { now: self.now, rng, rates: &self.rates, coverage: &mut self.coverage };
        Some(act(venue, &mut scene))
    }

    /// Lets one thing in and holds what follows against the venues' truth.
    fn enter(&mut self, from: Actor, body: InputBody, asker: Asker) {
        let Some(node) = self.node.as_mut() else { return };
        self.coverage.inputs += 1;
        let asked = match &body {
            InputBody::Command { command: command @ Command::Risk(_), .. } => Some(command.clone()),
            _ => None,
        };
        let output = node.decide(from, body, asker, self.now, &self.markets);
        let early = node.early_answers();
        if let Some(command) = asked {
            self.took(&command, output.outcome.as_ref());
        }
        let batch = output.batch;
        if !batch.events.is_empty() {
            self.coverage.events += batch.events.len() as u64;
            self.notes.add(|| Notes::of_batch(&batch));
            self.decided(&batch);
        }
        self.trace.fold(batch.events.len() as u64);
        for answered in early {
            self.answered(answered);
        }
    }

    fn timers(&mut self) {
        for _ in 0..1_000 {
            self.moves();
            let Some(node) = self.node.as_ref() else { return };
            if node.engine.next_deadline().is_none_or(|due| due > self.now) {
                self.quotes.hold_in(node.engine.state(), Some(self.now));
                self.works.hold_in(node.engine.state());
                self.hold_watched();
                self.hold_dead_men();
                return self.hold_reopened();
            }
            let from = Actor { tenant_id: TENANT, source: Source::Timer, ..Actor::default() };
            self.enter(from, InputBody::Timer, Asker::Nobody);
        }
        panic!("invariant 6: timers do not come to rest");
    }

    /// Makes what was decided durable. A log that fails stops the process.
    fn commit(&mut self) {
        let Some(node) = self.node.as_mut() else { return };
        match node.commit() {
            Ok(committed) => self.committed(committed),
            Err(error) => self.stopped(&error),
        }
    }

    fn committed(&mut self, committed: Committed) {
        let Committed { batches, answers, tip } = committed;
        for batch in &batches {
            self.orders.durable(batch);
            self.durable_quotes.decided(batch);
            self.durable_gate.decided(batch);
            self.durable_works.decided(batch);
        }
        if let (Some(tip), false) = (tip, batches.is_empty()) {
            self.acked = (tip.last_seq, Some(tip.last_hash));
            self.trace.bytes(&tip.last_hash.0);
            self.notes.add(|| format!("  durable up to {}", tip.last_seq));
        }
        for answered in answers {
            self.answered(answered);
        }
    }

    fn answered(&mut self, answered: Answered) {
        let Answered { asker, outcome, last_seq, replayed } = answered;
        if replayed {
            self.coverage.mark(Mark::Replayed);
        }
        match asker {
            Asker::Client(at) => {
                self.notes.add(|| format!("  answered {at}: {}", shown(&outcome)));
                self.answers.answered(at, &outcome, last_seq, self.now);
            }
            Asker::Conflict => {
                self.coverage.mark(Mark::KeyConflict);
                Answers::conflicted(&outcome);
            }
            Asker::UsedClOrdId => {
                let refused = matches!(&outcome, CommandOutcome::Orders(placed) if matches!(placed.as_slice(), [Placed::Invalid(refusal)] if refusal.code == Code::DuplicateClOrdId));
                hold!(7, refused, "a cl_ord_id was taken twice: {outcome:?}");
            }
            Asker::Nobody => (),
        }
    }

    /// The gateway reads what is durable.
    fn follow(&mut self, rng: &mut Rng) {
        let Some(mut node) = self.node.take() else { return };
        let most = if rng.chance(700) { usize::MAX } else { 1 + rng.place(3) };
        let mut feed = std::mem::take(&mut node.feed);
        let kill_epoch = node.kill_epoch;
        let mut door = std::mem::take(&mut node.door);
        node.gateway.follow(&mut feed, most, &mut self.outside(rng, &mut door, kill_epoch));
        node.feed = feed;
        node.door = door;
        self.node = Some(node);
    }

    /// One turn of a venue's side of the gateway.
    fn work(&mut self, mic: Mic, rng: &mut Rng) {
        let Some(mut node) = self.node.take() else { return };
        let kill_epoch = node.kill_epoch;
        let mut door = std::mem::take(&mut node.door);
        node.gateway.work(mic, &mut self.outside(rng, &mut door, kill_epoch));
        node.door = door;
        self.node = Some(node);
    }

    fn outside<'a>(&'a mut self, rng: &'a mut Rng, door: &'a mut std::collections::VecDeque<Report>, kill_epoch: u64) -> Outside<'a> {
        Outside {
            venues: &mut self.venues,
            orders: &mut self.orders,
            quotes: &self.quotes,
            door,
            now: self.now,
            rng,
            rates: &self.rates,
            coverage: &mut self.coverage,
            notes: &mut self.notes,
            kill_epoch,
            mutant: self.mutant,
        }
    }

    fn stopped(&mut self, error: &JournalError) {
        self.notes.add(|| format!("  the log stopped: {error}"));
        hold!(32, !matches!(error, JournalError::Damaged(_)), "{error}");
        self.coverage.mark(Mark::DiskRefused);
        // Nothing of the group is answered; the process ends.
        let mut rng = Rng::new(self.trace.get());
        self.restart(true, &mut rng);
    }

    /// A key for what a client asks next.
    fn next_key(&mut self) -> IdempotencyKey {
        self.serial += 1;
        let serial = u128::from(self.serial);
        IdempotencyKey { key: serial << 64 | serial, fingerprint: fingerprint(self.serial) }
    }

    fn command(&mut self, command: Command, key: Option<IdempotencyKey>, asker: Asker) {
        self.enter(actor(), InputBody::Command { command, idempotency: key }, asker);
    }
}

fn fingerprint(of: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    let mut rng = Rng::new(of);
    for chunk in bytes.chunks_mut(8) {
        chunk.copy_from_slice(&rng.next().to_be_bytes());
    }
    bytes
}

fn shown(outcome: &CommandOutcome) -> String {
    match outcome {
        CommandOutcome::Orders(placed) => {
            let shown = placed.iter().map(|placed| match placed {
                Placed::Accepted { order_id } => format!("accepted #{}", Notes::order(*order_id)),
                Placed::Refused { order_id, code } => format!("refused #{} {code}", Notes::order(*order_id)),
                Placed::Invalid(refusal) => format!("invalid {}", refusal.code),
            });
            shown.collect::<Vec<_>>().join(", ")
        }
        CommandOutcome::Pending { orders } => format!("pending {}", orders.len()),
        CommandOutcome::QuoteRequested { .. } => "asked".to_owned(),
        CommandOutcome::QuoteReceived { .. } => "quoted".to_owned(),
        CommandOutcome::Done => "done".to_owned(),
        CommandOutcome::Refused(refusal) => format!("refused {refusal}"),
    }
}
