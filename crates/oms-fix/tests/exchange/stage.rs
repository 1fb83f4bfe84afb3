//! Paper venues that are reached by FIX, on a market that the test makes.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use oms_fix::exchange::{self, Line, VenueSession};
use oms_fix::store::JournalStore;
use oms_fix::transport::{Engine, Listener, ListenerConfig};
use oms_model::{Mic, Side, Symbol};
use oms_runtime::port::{ReportSink as _, VenuePort as _};
use oms_store::MemoryJournal;
use oms_testkit::fixture::dec;
use oms_venues::floor::{Floor, FloorConfig, FloorEvent, Ledgers, SharedFloor, wall_time};
use oms_venues::paper::faults::{Faults, Link};
use oms_venues::paper::profile::VENUES;
use oms_venues::replay::{Recording, Shown};

use crate::client::Client;

pub const XNAS: Mic = Mic::of(b"XNAS");
pub const BATS: Mic = Mic::of(b"BATS");

/// What outlives a crash.
#[derive(Clone)]
pub struct Kept {
    journal: MemoryJournal,
    ledgers: Ledgers,
}

impl Kept {
    pub fn new() -> Self {
        Self { journal: MemoryJournal::new(1), ledgers: Ledgers::memory(&VENUES) }
    }
}

/// The venues, running.
pub struct Venues {
    pub floor: SharedFloor,
    engine: Engine,
    listener: Listener,
    sessions: Vec<VenueSession>,
    stop: Arc<AtomicBool>,
    driver: Option<JoinHandle<()>>,
}

impl Venues {
    /// Opens XNAS and BATS, whose client is C1.
    pub async fn open(kept: &Kept) -> Self {
        let recording = Arc::new(Recording::embedded().unwrap());
        let venues = VENUES.into_iter().filter(|profile| [XNAS, BATS].contains(&profile.mic)).collect();
        let config = FloorConfig { venues, ..FloorConfig::new(recording, Vec::new(), wall_time(), kept.ledgers.clone()) };
        let mut floor = Floor::open(config).unwrap();
        floor.list(&Symbol::new("XYZ").unwrap());
        let floor = SharedFloor::on_wall_clock(floor);
        let (reports, mut out) = exchange::reports(&[XNAS, BATS]);
        let store = JournalStore::open(Box::new(kept.journal.clone())).unwrap();
        let engine = Engine::new();
        let sessions = floor
            .ports()
            .into_iter()
            .map(|port| {
                let config = exchange::session_config(port.venue(), "C1");
                exchange::open(&engine, &store, Box::new(port), &mut out, config).unwrap()
            })
            .collect();
        let listener = engine.listen(ListenerConfig::new((Ipv4Addr::LOCALHOST, 0).into())).await.unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let (driven, ends) = (floor.clone(), stop.clone());
        // Lets time pass at the venues.
        let driver = std::thread::spawn(move || {
            let mut events = Vec::new();
            while !ends.load(Ordering::Acquire) {
                driven.lock().advance(wall_time(), 1_024, &mut events);
                for event in events.drain(..) {
                    if let FloorEvent::Report(report) = event {
                        let _ = reports.report(report);
                    }
                }
                std::thread::park_timeout(Duration::from_micros(200));
            }
        });
        Self { floor, engine, listener, sessions, stop, driver: Some(driver) }
    }

    pub fn address(&self) -> std::net::SocketAddr {
        self.listener.address()
    }

    pub async fn client(&self, venue: Mic) -> Client {
        Client::connect("C1", venue.as_str(), &self.address().to_string()).await
    }

    pub fn session(&self, venue: Mic) -> &VenueSession {
        self.sessions.iter().find(|session| session.venue == venue).unwrap()
    }

    /// What a venue shows on one side.
    pub fn show(&self, venue: Mic, side: Side, price: &str, size: &str) {
        let (now, symbol) = (wall_time(), Symbol::new("XYZ").unwrap());
        self.floor.lock().venue_mut(venue).unwrap().on_quote(now, &symbol, side, Some(Shown { price: dec(price), size: dec(size) }));
    }

    pub async fn faults(&self, venue: Mic, faults: Faults) {
        assert!(self.floor.set_faults(venue, faults));
        let line = match faults.link {
            Link::Up => Line::Up,
            Link::Down => Line::Down,
            Link::HalfOpen => Line::HalfOpen,
        };
        self.session(venue).set_line(line).await.unwrap();
    }

    /// The process is gone: nothing is said or stored any more.
    pub async fn kill(mut self) {
        for session in &self.sessions {
            session.set_line(Line::Down).await.unwrap();
        }
        self.stop();
        for id in self.engine.ids() {
            self.engine.remove(&id).await;
        }
    }

    fn stop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(driver) = self.driver.take() {
            driver.join().unwrap();
        }
    }
}

impl Drop for Venues {
    fn drop(&mut self) {
        self.stop();
    }
}
