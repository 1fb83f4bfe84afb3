//! The floor on the wall clock: one thread replays the market, works the venues and delivers what
//! happens.
//!
//! - The floor is locked while time passes and never while something is delivered: a slow reader of
//!   reports makes the venues wait, and requests under way to them are bounded.
//! - [`PaperMarket::stop`] ends the thread between two deliveries; nothing is sent after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use oms_model::{Mic, Time};
use oms_runtime::port::{MarketSink, ReportSink, VenuePort};

use crate::floor::{Floor, FloorConfig, FloorEvent, SharedFloor, turn_at};
use crate::paper::VenueStats;
use crate::paper::faults::Faults;
use crate::paper::ledger::LedgerError;
use crate::replay::Speed;

/// Events that are made before they are delivered.
const BATCH: usize = 1024;
/// Ticks that an unpaced market gives before it looks at the requests again.
const UNPACED_TICKS: usize = 256;
/// The thread looks at the clock at least this often.
const LONGEST_WAIT_NS: i64 = 1_000_000_000;

/// Why the market cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A venue's ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The system gave no thread.
    #[error("cannot start the market thread: {0}")]
    Thread(std::io::Error),
}

/// Paper venues on a replayed market, running.
#[derive(Debug)]
pub struct PaperMarket {
    floor: SharedFloor,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl PaperMarket {
    /// Opens the floor, delivers what the market shows already and starts its thread: an order that comes as soon as
    /// this has returned finds the opening quotes.
    ///
    /// # Errors
    /// A ledger that cannot be opened or is damaged; no thread.
    pub fn start(config: FloorConfig, market: Arc<dyn MarketSink>, reports: Arc<dyn ReportSink>) -> Result<Self, StartError> {
        let floor = SharedFloor::on_wall_clock(Floor::open(config)?);
        let stopping = Arc::new(AtomicBool::new(false));
        open(&floor, &*market, &*reports);
        let (shared, stop) = (floor.clone(), Arc::clone(&stopping));
        let thread = std::thread::Builder::new()
            .name("paper-market".to_owned())
            .spawn(move || run(&shared, &stop, &*market, &*reports))
            .map_err(StartError::Thread)?;
        Ok(Self { floor, stopping, thread: Some(thread) })
    }

    /// A port for each venue, in the order of their MICs.
    #[must_use]
    pub fn ports(&self) -> Vec<Box<dyn VenuePort>> {
        self.floor.ports().into_iter().map(|port| Box::new(port) as Box<dyn VenuePort>).collect()
    }

    /// The floor, to set faults or look at venues.
    #[must_use]
    pub fn floor(&self) -> &SharedFloor {
        &self.floor
    }

    /// Sets a venue's fault switches; false where there is no such venue.
    pub fn set_faults(&self, venue: Mic, faults: Faults) -> bool {
        self.floor.set_faults(venue, faults)
    }

    /// Each venue's counts, for metrics.
    #[must_use]
    pub fn stats(&self) -> Vec<(Mic, VenueStats)> {
        self.floor.lock().venues().map(|(mic, venue)| (mic, venue.stats())).collect()
    }

    /// Stops replaying and delivering, and waits until it has stopped.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stopping.store(true, Ordering::Release);
        // Under the lock, so that the thread cannot miss it between looking and waiting.
        let floor = self.floor.lock();
        self.floor.wake();
        drop(floor);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the market thread panicked");
        }
    }
}

impl Drop for PaperMarket {
    fn drop(&mut self) {
        self.end();
    }
}

/// Delivers all that is due at the start, batch by batch: a recording begins some time before the opening, and a part of
/// it would leave quotes of back then as the newest ones. Of an unpaced market, whose due never ends, the first batch.
fn open(shared: &SharedFloor, market: &dyn MarketSink, reports: &dyn ReportSink) {
    let mut events: Vec<FloorEvent> = Vec::with_capacity(BATCH);
    let mut floor = shared.lock();
    let (opened, paced) = (shared.now(&floor), floor.speed() != Speed::AsFastAsPossible);
    loop {
        let behind = advance(&mut floor, opened, &mut events);
        drop(floor);
        for event in events.drain(..) {
            if event.deliver(market, reports).is_err() {
                return; // The thread learns it too, and ends.
            }
        }
        if !(behind && paced) {
            return;
        }
        floor = shared.lock();
    }
}

fn run(floor: &SharedFloor, stopping: &AtomicBool, market: &dyn MarketSink, reports: &dyn ReportSink) {
    let mut events: Vec<FloorEvent> = Vec::with_capacity(BATCH);
    while gather(floor, stopping, &mut events) {
        for event in events.drain(..) {
            if stopping.load(Ordering::Acquire) || event.deliver(market, reports).is_err() {
                return;
            }
        }
    }
}

/// Lets the market come up to `now`, a batch at most; answers whether more is due already.
fn advance(floor: &mut Floor, now: Time, events: &mut Vec<FloorEvent>) -> bool {
    if floor.speed() == Speed::AsFastAsPossible {
        floor.advance_unpaced(now, UNPACED_TICKS, events)
    } else {
        !floor.advance(now, BATCH, events)
    }
}

/// Waits until something happens, and takes it. False: it is time to stop.
fn gather(shared: &SharedFloor, stopping: &AtomicBool, events: &mut Vec<FloorEvent>) -> bool {
    let mut floor = shared.lock();
    loop {
        if stopping.load(Ordering::Acquire) {
            return false;
        }
        let now = shared.now(&floor);
        let behind = advance(&mut floor, now, events);
        if behind || !events.is_empty() {
            return true;
        }
        let longest = now.plus(LONGEST_WAIT_NS);
        let at = floor.next_due().map_or(longest, |due| turn_at(due).min(longest));
        floor = shared.wait(floor, now, at);
    }
}

#[cfg(test)]
mod tests;
