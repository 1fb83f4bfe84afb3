//! The venue port onto the floor.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use oms_model::report::VenueFill;
use oms_model::{InstrumentId, Mic, Symbol, Time, WireId};
use oms_runtime::port::{Answer, Handed, VenueOrder, VenuePort, WireCancel, WireOrder, WireReplace};

use super::Floor;
use crate::paper::PaperVenue;
use crate::paper::faults::Faults;
use crate::paper::request::Request;

/// The driver on the wall clock has no more turns than one in this time, nanoseconds. A venue takes some hundred
/// microseconds to answer, and each turn wakes two threads.
const TURN_NS: i64 = 100_000;

/// Whose time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    /// The floor's own: it stands until someone drives it.
    Floor,
    /// The system's.
    Wall,
}

struct Shared {
    floor: Mutex<Floor>,
    /// Something is due earlier than the driver would look again.
    earlier: Condvar,
    /// When the driver looks again by itself; the smallest time while it does not wait. Read and written under the lock.
    looks_at: AtomicI64,
    clock: Clock,
}

/// A floor that several ports and one driver share.
#[derive(Clone)]
pub struct SharedFloor {
    shared: Arc<Shared>,
}

impl fmt::Debug for SharedFloor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedFloor").field("clock", &self.shared.clock).finish_non_exhaustive()
    }
}

impl SharedFloor {
    /// A floor on its own clock, for whoever drives it step by step.
    #[must_use]
    pub fn driven(floor: Floor) -> Self {
        Self::on(floor, Clock::Floor)
    }

    /// A floor on the system's clock.
    #[must_use]
    pub fn on_wall_clock(floor: Floor) -> Self {
        Self::on(floor, Clock::Wall)
    }

    fn on(floor: Floor, clock: Clock) -> Self {
        let looks_at = AtomicI64::new(i64::MIN);
        Self { shared: Arc::new(Shared { floor: Mutex::new(floor), earlier: Condvar::new(), looks_at, clock }) }
    }

    /// The floor itself.
    pub fn lock(&self) -> MutexGuard<'_, Floor> {
        self.shared.floor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What time it is for a floor, by its clock.
    #[must_use]
    pub fn now(&self, floor: &Floor) -> Time {
        match self.shared.clock {
            Clock::Floor => floor.now(),
            // The system's clock may be set back; the floor's time does not follow.
            Clock::Wall => wall_time().max(floor.now()),
        }
    }

    /// Waits from `now` until `at`, or until something is due earlier.
    pub(crate) fn wait<'a>(&self, floor: MutexGuard<'a, Floor>, now: Time, at: Time) -> MutexGuard<'a, Floor> {
        let wait = Duration::from_nanos(u64::try_from(at.since(now)).unwrap_or(0));
        self.shared.looks_at.store(at.0, Ordering::Relaxed);
        let floor = self.shared.earlier.wait_timeout(floor, wait).unwrap_or_else(PoisonError::into_inner).0;
        self.shared.looks_at.store(i64::MIN, Ordering::Relaxed);
        floor
    }

    /// Lets a waiting driver look again.
    pub(crate) fn wake(&self) {
        self.shared.earlier.notify_all();
    }

    /// A port for each venue.
    #[must_use]
    pub fn ports(&self) -> Vec<PaperPort> {
        self.lock().venues().map(|(mic, _)| PaperPort { floor: self.clone(), mic }).collect()
    }

    /// Lists instruments at every venue, besides those of the recording: what is dealt without a book.
    pub fn list_everywhere<'a>(&self, symbols: impl Iterator<Item = &'a Symbol>) {
        let mut floor = self.lock();
        for symbol in symbols {
            floor.list(symbol);
        }
    }

    /// Trades one more instrument of the recording from now on; false where it has none of that name.
    pub fn trade(&self, symbol: &Symbol, instrument_id: InstrumentId) -> bool {
        self.lock().trade(symbol, instrument_id)
    }

    /// Lists a fund at its transfer agent; false where there is no such venue.
    pub fn list_fund(&self, venue: Mic, symbol: &Symbol) -> bool {
        self.with(venue, |venue, _| venue.list_fund(symbol)).is_some()
    }

    /// Sets a venue's fault switches; false where there is no such venue.
    pub fn set_faults(&self, venue: Mic, faults: Faults) -> bool {
        self.with(venue, |venue, now| venue.set_faults(now, faults)).is_some()
    }

    /// The session ends: DAY orders expire at every venue.
    pub fn end_session(&self) {
        let mut floor = self.lock();
        let now = self.now(&floor);
        floor.end_session(now);
        self.wake();
    }

    pub(crate) fn with<T>(&self, venue: Mic, act: impl FnOnce(&mut PaperVenue, Time) -> T) -> Option<T> {
        let mut floor = self.lock();
        let now = self.now(&floor);
        let venue = floor.venue_mut(venue)?;
        let result = act(venue, now);
        // A driver that was woken takes a while to come: what is handed over meanwhile does not wake it again.
        let is_earlier =
            venue.next_due().map(|due| turn_at(due).0).is_some_and(|turn| turn < self.shared.looks_at.fetch_min(turn, Ordering::Relaxed));
        drop(floor);
        // One that waits for something before that finds this too.
        if is_earlier {
            self.wake();
        }
        Some(result)
    }
}

/// When a driver on the wall clock does what is due at `due`: together with all that is due in the same [`TURN_NS`].
pub(crate) fn turn_at(due: Time) -> Time {
    match due.0.rem_euclid(TURN_NS) {
        0 => due,
        past => due.plus(TURN_NS - past),
    }
}

/// The time by the system's clock.
#[must_use]
pub fn wall_time() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// The port to one paper venue. Handing over never waits for the venue; queries are answered at
/// once, after everything that was handed over before.
#[derive(Clone, Debug)]
pub struct PaperPort {
    floor: SharedFloor,
    mic: Mic,
}

impl PaperPort {
    fn hand(&self, request: Request) -> Handed {
        let handed = self.floor.with(self.mic, |venue, now| {
            if now > request.deadline() {
                return Handed::NotSent(format!("deadline passed by {} ns", now.since(request.deadline())));
            }
            venue.submit(now, request)
        });
        handed.unwrap_or_else(|| Handed::NotSent("no such venue".to_owned()))
    }

    fn ask<T>(&self, question: impl FnOnce(&mut PaperVenue, Time) -> Answer<T>) -> Answer<T> {
        self.floor.with(self.mic, question).unwrap_or_else(|| Answer::Failed("no such venue".to_owned()))
    }
}

impl VenuePort for PaperPort {
    fn venue(&self) -> Mic {
        self.mic
    }

    fn send(&mut self, order: &WireOrder) -> Handed {
        self.hand(Request::New(order.clone()))
    }

    fn cancel(&mut self, request: &WireCancel) -> Handed {
        self.hand(Request::Cancel(request.clone()))
    }

    fn replace(&mut self, request: &WireReplace) -> Handed {
        self.hand(Request::Replace(request.clone()))
    }

    fn query(&mut self, order: &WireId) -> Answer<Option<VenueOrder>> {
        self.ask(|venue, now| venue.query(now, order))
    }

    fn open_orders(&mut self) -> Answer<Vec<VenueOrder>> {
        self.ask(PaperVenue::open_orders)
    }

    fn executions_since(&mut self, since: Time) -> Answer<Vec<(WireId, Time, VenueFill)>> {
        self.ask(|venue, now| venue.executions_since(now, since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::floor::{FloorConfig, Ledgers};
    use crate::paper::profile::VENUES;
    use crate::replay::Recording;

    const LONG_NS: i64 = 20_000_000_000;

    #[test]
    fn a_driver_that_waits_is_woken_by_what_is_due_earlier_and_by_nothing_else() {
        let recording = Arc::new(Recording::embedded().unwrap());
        let config = FloorConfig::new(recording, Vec::new(), wall_time(), Ledgers::memory(&VENUES));
        let floor = SharedFloor::on_wall_clock(Floor::open(config).unwrap());
        let (began, driven) = (wall_time(), floor.clone());
        let driver = std::thread::spawn(move || {
            let held = driven.lock();
            drop(driven.wait(held, began, began.plus(LONG_NS)));
            wall_time()
        });
        while floor.shared.looks_at.load(Ordering::Relaxed) == i64::MIN {
            std::thread::yield_now();
        }
        let mut port = floor.ports().remove(0);
        assert!(matches!(port.open_orders(), Answer::Complete(_)), "after which nothing is due");
        assert_eq!(floor.shared.looks_at.load(Ordering::Relaxed), began.plus(LONG_NS).0, "it still waits");
        let id = WireId::new("unknown").unwrap();
        let request = WireCancel { wire_id: id.clone(), orig_wire_id: id, deadline: Time(i64::MAX) };
        assert_eq!(port.cancel(&request), Handed::Over);
        assert!(driver.join().unwrap() < began.plus(LONG_NS));
    }

    #[test]
    fn what_is_due_within_one_turn_is_done_in_one() {
        let turns = [0, 1, TURN_NS - 1, TURN_NS, TURN_NS + 1, i64::MIN, i64::MAX].map(|due| turn_at(Time(due)).0);
        assert_eq!(turns, [0, TURN_NS, TURN_NS, TURN_NS, 2 * TURN_NS, i64::MIN + (TURN_NS - i64::MIN.rem_euclid(TURN_NS)), i64::MAX]);
        assert!(turn_at(Time(-1)) == Time(0) && turn_at(Time(-TURN_NS)) == Time(-TURN_NS), "the time before 1970 too");
    }
}
