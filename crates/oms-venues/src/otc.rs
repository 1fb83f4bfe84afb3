//! Who deals off exchange: paper dealers that answer requests for quotes, and funds that are valued.
//!
//! One thread follows the log and asks for nothing that any client could not ask for: quotes, withdrawals and net
//! asset values enter by the same door. A dealer's offer is known at its venue before anybody can accept it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use oms_model::command::{Actor, Command, CommandOutcome, NewQuote};
use oms_model::event::{Batch, Event, NavSet, QuoteRequested};
use oms_model::instrument::Instrument;
use oms_model::{AssetClass, InstrumentId, Mic, Price, QuoteId, QuoteRef, Refusal, Source, Symbol, Time, TraceId};
use oms_runtime::feed::FeedError;
use oms_runtime::{Clock, Handle, Request};

use crate::dealer::Dealer;
use crate::floor::SharedFloor;
use crate::paper::Offer;
use crate::paper::prng::Prng;

/// The thread looks at the clock at least this often.
const LONGEST_WAIT: Duration = Duration::from_millis(200);
/// From one look into the log to the next: most of what is there is none of the dealers' business, and none of them
/// answers within less.
const PACE: Duration = Duration::from_millis(2);
/// The most batches that are read at one look; then what is due is done.
const MAX_BATCHES: usize = 4_096;
/// An order that accepts a quote in its last moment is on its way for some time; the dealer stands by it so long.
const GRACE_NS: i64 = 5_000_000_000;
/// What may wait to be done at most; beyond it requests are not answered.
const MAX_TASKS: usize = 100_000;
/// Parts of a million that a fund's value moves by at most from one valuation to the next.
const NAV_STEP_PPM: i64 = 2_000;

/// A fund that is valued again and again.
#[derive(Clone, Debug)]
pub struct ValuedFund {
    /// Which.
    pub symbol: Symbol,
    /// How often, nanoseconds.
    pub every_ns: u64,
}

/// Who takes part.
#[derive(Clone, Debug, Default)]
pub struct OtcConfig {
    /// The dealers.
    pub dealers: Vec<Dealer>,
    /// The funds that are valued here.
    pub funds: Vec<ValuedFund>,
    /// Of the funds' walks.
    pub seed: u64,
}

/// The running thread; it ends with the log or when it is told to.
pub struct Otc {
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Otc {
    /// Ends it.
    pub fn stop(mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to wait for.
            drop(thread.join());
        }
    }
}

enum Task {
    Answer { dealer: usize, request: QuoteRequested },
    Withdraw { quote_id: QuoteId, dealer: Mic, quote_ref: QuoteRef },
    Value { fund: usize },
}

struct Desk {
    handle: Handle,
    floor: SharedFloor,
    clock: Arc<dyn Clock>,
    config: OtcConfig,
    actor: Actor,
    instruments: BTreeMap<InstrumentId, Instrument>,
    tasks: BTreeMap<(Time, u64), Task>,
    serial: u64,
    rng: Prng,
}

/// Starts the thread. Funds that were valued while nobody listened are priced first.
///
/// # Errors
/// Where the partition does not answer or no thread can be started.
pub fn start(handle: &Handle, floor: SharedFloor, clock: &Arc<dyn Clock>, config: OtcConfig) -> Result<Otc, Refusal> {
    let (tenant_id, instruments, after) =
        handle.inspect_blocking(|state, _| (state.tenant_id(), state.instruments().to_vec(), state.last_seq()))?;
    let rng = Prng::new(config.seed);
    let mut desk = Desk {
        handle: handle.clone(),
        floor,
        clock: clock.clone(),
        config,
        actor: Actor { tenant_id, source: Source::System, ..Actor::default() },
        instruments: instruments.into_iter().map(|instrument| (instrument.instrument_id, instrument)).collect(),
        tasks: BTreeMap::new(),
        serial: 0,
        rng,
    };
    let now = desk.clock.now();
    for instrument in desk.instruments.values() {
        if let (Some(nav), Some(at)) = (instrument.nav, instrument.nav_at) {
            desk.price(instrument, nav, instrument.cut_off_before(at));
        }
    }
    for fund in 0..desk.config.funds.len() {
        desk.later(now, Task::Value { fund });
    }
    let stopping = Arc::new(AtomicBool::new(false));
    let stop = stopping.clone();
    let feed = handle.feed().clone();
    let run = move || {
        let mut follower = feed.follow(after);
        while !stop.load(Ordering::SeqCst) {
            desk.work();
            match follower.next_timeout(desk.wait()) {
                Ok(Some(batch)) => {
                    desk.batch(&batch);
                    for _ in 0..MAX_BATCHES {
                        let Ok(Some(batch)) = follower.try_next() else { break };
                        desk.batch(&batch);
                    }
                    std::thread::sleep(PACE);
                }
                Ok(None) => (),
                Err(FeedError::Closed) => return,
                Err(error) => return tracing::error!(%error, "dealers cannot follow the log; nothing more is quoted"),
            }
        }
    };
    let thread = std::thread::Builder::new().name("oms-otc".to_owned()).spawn(run);
    let thread = thread.map_err(|error| Refusal::new(oms_model::Code::Internal, format!("no thread could be started: {error}")))?;
    Ok(Otc { stopping, thread: Some(thread) })
}

impl Desk {
    fn batch(&mut self, batch: &Batch) {
        batch.events.iter().for_each(|event| self.event(event));
    }

    fn later(&mut self, at: Time, task: Task) {
        if self.tasks.len() < MAX_TASKS {
            self.serial += 1;
            self.tasks.insert((at, self.serial), task);
        }
    }

    fn wait(&self) -> Duration {
        let due = self.tasks.first_key_value().map(|((at, _), _)| at.since(self.clock.now()).max(0).unsigned_abs());
        due.map_or(LONGEST_WAIT, |ns| Duration::from_nanos(ns).min(LONGEST_WAIT))
    }

    /// Does what is due.
    fn work(&mut self) {
        let now = self.clock.now();
        while let Some(first) = self.tasks.first_entry().filter(|first| first.key().0 <= now) {
            match first.remove() {
                Task::Answer { dealer, request } => self.answer(dealer, &request, now),
                Task::Withdraw { quote_id, dealer, quote_ref } => {
                    // Taken back at the venue first: what was accepted meanwhile is refused there.
                    self.floor.with(dealer, |venue, _| venue.withdraw(&quote_ref));
                    self.ask(Command::WithdrawQuote { quote_id, dealer, text: "the dealer took it back".to_owned() });
                }
                Task::Value { fund } => self.publish(fund, now),
            }
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::InstrumentListed(e) => drop(self.instruments.insert(e.instrument_id, (**e).clone())),
            Event::NavSet(e) => self.valued(e),
            Event::QuoteRequested(e) => {
                let now = self.clock.now();
                for dealer in 0..self.config.dealers.len() {
                    let Some(asked) = self.config.dealers.get(dealer).filter(|one| one.is_asked(e)) else { continue };
                    let at = now.plus(i64::try_from(asked.profile.think_ns).unwrap_or(i64::MAX));
                    self.later(at, Task::Answer { dealer, request: (**e).clone() });
                }
            }
            _ => (),
        }
    }

    fn valued(&mut self, event: &NavSet) {
        let Some(fund) = self.instruments.get_mut(&event.instrument_id) else { return };
        (fund.nav, fund.nav_at) = (Some(event.nav), Some(event.as_of));
        let fund = fund.clone();
        self.price(&fund, event.nav, event.cut_off);
    }

    /// The fund's venue executes the orders that the valuation covers.
    fn price(&self, fund: &Instrument, nav: Price, cut_off: Time) {
        if fund.asset_class == AssetClass::Fund {
            self.floor.with(fund.listing, |venue, now| venue.value(now, &fund.symbol, nav, cut_off, fund.lot));
        }
    }

    fn ask(&self, command: Command) -> Option<CommandOutcome> {
        let request = Request { actor: self.actor, trace_id: TraceId::default(), idempotency: None, command };
        let outcome = self.handle.execute_blocking(request).map(|answer| answer.outcome);
        match outcome {
            Ok(CommandOutcome::Refused(refusal)) | Err(refusal) => {
                // The request may be over, or another dealer was faster: nothing is wrong with that.
                tracing::debug!(%refusal, "what a dealer asked was refused");
                None
            }
            Ok(outcome) => Some(outcome),
        }
    }

    fn answer(&mut self, dealer: usize, request: &QuoteRequested, now: Time) {
        let Some(instrument) = self.instruments.get(&request.instrument_id) else { return };
        let market = self.handle.market().get(request.instrument_id);
        let middle = market.mid().or_else(|| market.last.map(|last| last.price));
        let Some(answer) = self.config.dealers.get(dealer).and_then(|one| one.answer(request, instrument, middle)) else { return };
        let NewQuote { dealer, quote_ref, life_ms, .. } = &answer.quote;
        let (dealer, quote_ref, life_ns) = (*dealer, quote_ref.clone(), i64::from(*life_ms) * 1_000_000);
        let side = |px: Option<Price>, size| px.map(|px| (px, size));
        let offer = Offer {
            symbol: instrument.symbol.clone(),
            bid: side(answer.quote.bid_px, answer.quote.bid_size),
            offer: side(answer.quote.offer_px, answer.quote.offer_size),
            until: now.plus(life_ns).plus(GRACE_NS),
        };
        self.floor.with(dealer, |venue, _| venue.offer(quote_ref.clone(), offer));
        match self.ask(Command::SubmitQuote(Box::new(answer.quote))) {
            Some(CommandOutcome::QuoteReceived { quote_id }) if answer.withdraws => {
                self.later(now.plus(life_ns / 2), Task::Withdraw { quote_id, dealer, quote_ref });
            }
            Some(_) => (),
            None => drop(self.floor.with(dealer, |venue, _| venue.withdraw(&quote_ref))),
        }
    }

    /// Publishes a fund's next value, a small step from the last, and comes back.
    fn publish(&mut self, fund: usize, now: Time) {
        let Some(valued) = self.config.funds.get(fund).cloned() else { return };
        self.later(now.plus(i64::try_from(valued.every_ns).unwrap_or(i64::MAX)), Task::Value { fund });
        let Some(nav) = self.instruments.values().find(|one| one.symbol == valued.symbol).and_then(|one| one.nav) else { return };
        let step = i64::try_from(self.rng.below(2 * NAV_STEP_PPM.unsigned_abs() + 1)).unwrap_or(NAV_STEP_PPM) - NAV_STEP_PPM;
        let moved = i128::from(nav.raw()) * i128::from(1_000_000 + step) / 1_000_000;
        // Four decimals, as funds publish.
        let rounded = i64::try_from(moved).map_or(nav.raw(), |raw| raw - raw.rem_euclid(100_000)).max(100_000);
        self.ask(Command::SetNav { symbol: valued.symbol, nav: Price::from_raw(rounded), as_of: now });
    }
}
