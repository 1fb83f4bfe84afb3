//! The port, a line, and a paper venue behind FIX, all over sockets on loopback.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oms_model::report::{Report, ReportBody};
use oms_model::{InstrumentId, Mic, Price, Qty, Side, Symbol, Time};
use oms_runtime::port::{DurableSink, ReportSink, SinkClosed, VenuePort};
use oms_runtime::{Clock, SystemClock};
use oms_store::{Journal, MemoryJournal};
use oms_venues::conformance::Rig;
use oms_venues::floor::{Floor, FloorConfig, FloorEvent, Ledgers, SharedFloor};
use oms_venues::paper::faults::{Faults, Link};
use oms_venues::paper::prng::Prng;
use oms_venues::paper::profile::VENUES;
use oms_venues::replay::{RawKind, RawTick, Recording, Shown, Slice};
use tokio::runtime::Runtime;

use super::super::dialect::Dialect;
use super::super::drop_copy::DropCopyProfile;
use super::super::port::{FixPort, PortParts, VenueProfile};
use super::super::recall::Recall;
use super::edge::Edge;
use super::line::Cuttable;
use crate::session::Phase;
use crate::session::config::{Config, Role, SessionId, WhenDown};
use crate::store::{JournalStore, MemoryStore};
use crate::transport::{Endpoint, Engine, ListenerConfig, Reconnect, SessionHandle, SessionSpec};

pub(super) const VENUE: Mic = Mic::of(b"XNAS");
const SYMBOL: &str = "BAC";
/// Whatever is waited for comes within this time, or the test has failed.
pub(super) const WITHIN: Duration = Duration::from_secs(20);

/// What the venue said, as the desk would get it.
#[derive(Default)]
pub(super) struct Reports(pub(super) Mutex<Vec<Report>>);

impl ReportSink for Reports {
    fn report(&self, report: Report) -> Result<(), SinkClosed> {
        self.0.lock().unwrap().push(report);
        Ok(())
    }
}

impl DurableSink for Reports {
    fn settled(&self) -> Result<(), SinkClosed> {
        Ok(())
    }
}

struct FloorClock(SharedFloor);

impl Clock for FloorClock {
    fn now(&self) -> Time {
        self.0.lock().now()
    }
}

pub(super) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

pub(super) async fn reach(session: &SessionHandle, wanted: Phase) {
    let mut phase = session.phase();
    tokio::time::timeout(WITHIN, phase.wait_for(|phase| *phase == wanted)).await.expect("in time").expect("the session runs");
}

/// Our end: what dies with the process.
struct Ours {
    runtime: Runtime,
    port: FixPort,
}

pub(super) struct FixRig {
    floor: SharedFloor,
    venue: Runtime,
    pub(super) line: Cuttable,
    pub(super) edge: Edge,
    pub(super) theirs: SessionHandle,
    /// The venue's drop copy.
    pub(super) copy: SessionHandle,
    copies_to: String,
    _engine: Engine,
    _listener: crate::transport::Listener,
    ours: Option<Ours>,
    journal: Box<dyn Fn() -> Box<dyn Journal>>,
    checkpoints: u64,
    pub(super) reports: Arc<Reports>,
    dialect: Arc<Dialect>,
    link: Link,
    chance: Prng,
}

fn floor(seed: u64) -> SharedFloor {
    let tick = RawTick { millis: 0, symbol: 0, venue: 0, kind: RawKind::TradeOther, price_e4: 1, size: 1 };
    let slice = Slice { start_ns: 0, length_ns: 1_000_000, symbols: vec![SYMBOL.to_owned()], venues: vec![*b"FINN"], ticks: vec![tick] };
    let market = Arc::new(Recording::from_slice(slice).unwrap());
    let venues: Vec<_> = VENUES.into_iter().filter(|profile| profile.mic == VENUE).collect();
    let instruments = vec![(Symbol::new(SYMBOL).unwrap(), InstrumentId(7))];
    let ledgers = Ledgers::memory(&venues);
    let now = SystemClock.now();
    let config = FloorConfig { venues, seed, repeat: false, refresh_ns: 0, ..FloorConfig::new(market, instruments, now, ledgers) };
    SharedFloor::driven(Floor::open(config).unwrap())
}

/// Entries from one checkpoint to the next: so few that a run has some in the middle of everything.
const OFTEN: u64 = 24;
/// What the paper venue does over FIX.
pub(super) const PAPER: &str = "mass_status yes\nrepeats_executions yes\n";

impl FixRig {
    pub(super) fn new(seed: u64, dialect: &str) -> Self {
        let journal = MemoryJournal::new(1);
        Self::open_all(seed, dialect, dialect, Box::new(move || Box::new(journal.clone())), OFTEN)
    }

    /// A venue that offers other than what its dialect says.
    pub(super) fn between(ours: &str, theirs: &str) -> Self {
        let journal = MemoryJournal::new(1);
        Self::open_all(1, ours, theirs, Box::new(move || Box::new(journal.clone())), OFTEN)
    }

    /// `journal` opens our session log; again after each restart. It has no checkpoints: every write of it is the session's.
    pub(super) fn with_journal(seed: u64, dialect: &str, journal: Box<dyn Fn() -> Box<dyn Journal>>) -> Self {
        Self::open_all(seed, dialect, dialect, journal, u64::MAX)
    }

    fn open_all(seed: u64, text: &str, theirs: &str, journal: Box<dyn Fn() -> Box<dyn Journal>>, checkpoints: u64) -> Self {
        let (floor, venue, dialect) = (floor(seed), runtime(), Arc::new(Dialect::parse(text).unwrap()));
        let offered = Arc::new(Dialect::parse(theirs).unwrap());
        let their_dictionary = offered.dictionary;
        let edge = Edge::new(Box::new(floor.ports().pop().unwrap()), offered, InstrumentId(7), text == theirs);
        let (engine, theirs, copy, listener, line) = venue.block_on(async {
            let engine = Engine::new();
            let mut config = Config::new(SessionId::fix44("VENUE", "DESK"), Role::Acceptor);
            (config.when_down, config.dictionary) = (WhenDown::Store, their_dictionary);
            let spec = SessionSpec::new(config, Box::<MemoryStore>::default(), Box::new(edge.clone()));
            let theirs = engine.add(spec).unwrap();
            let mut config = Config::new(SessionId::fix44("COPIES", "DESK"), Role::Acceptor);
            (config.when_down, config.dictionary) = (WhenDown::Store, dialect.dictionary);
            let copy = engine.add(SessionSpec::new(config, Box::<MemoryStore>::default(), Box::new(edge.clone()))).unwrap();
            let listener = engine.listen(ListenerConfig::new((Ipv4Addr::LOCALHOST, 0).into())).await.unwrap();
            let line = Cuttable::start(listener.address().port()).await;
            (engine, theirs, copy, listener, line)
        });
        let mut rig = Self {
            floor,
            venue,
            line,
            edge,
            theirs,
            copy,
            copies_to: listener.address().to_string(),
            _engine: engine,
            _listener: listener,
            ours: None,
            journal,
            checkpoints,
            reports: Arc::default(),
            dialect,
            link: Link::Up,
            chance: Prng::new(seed ^ 0xface),
        };
        rig.start();
        rig.settle();
        rig
    }

    /// Starts our end, and waits until both sides are logged on.
    pub(super) fn start(&mut self) {
        let ours = self.open();
        self.ours = Some(ours);
        if self.link == Link::Up {
            self.both(Phase::Up);
        }
    }

    fn open(&self) -> Ours {
        let runtime = runtime();
        let mut config = Config::new(SessionId::fix44("DESK", "VENUE"), Role::Initiator);
        config.timeouts.resend = 1_000_000_000;
        let dialect = (*self.dialect).clone();
        let mut profile = VenueProfile::new(VENUE, config, Endpoint::plain(&self.line.address()), dialect);
        profile.reconnect = Reconnect { first: Duration::from_millis(4), longest: Duration::from_millis(40), ..Reconnect::default() };
        profile.drop_copy = Some(DropCopyProfile {
            config: Config::new(SessionId::fix44("DESK", "COPIES"), Role::Initiator),
            endpoints: vec![Endpoint::plain(&self.copies_to)],
            reconnect: profile.reconnect,
        });
        profile.patience = Duration::from_millis(if self.link == Link::Up { 2_000 } else { 100 });
        let empty = vec![Recall::of(&profile)];
        let (store, mut recalls) = JournalStore::open_every((self.journal)(), empty, self.checkpoints).unwrap();
        let clock = Arc::new(FloorClock(self.floor.clone()));
        let parts = PortParts { engine: Engine::new(), runtime: runtime.handle().clone(), store: Arc::new(store), clock };
        Ours { port: FixPort::open(profile, recalls.remove(0), &parts, self.reports.clone()).unwrap(), runtime }
    }

    /// Our process is killed: nothing is said to anybody.
    pub(super) fn kill(&mut self) {
        self.end();
    }

    /// Our end ceases to be. Its threads are gone when this returns, so that its log can be opened again.
    pub(super) fn end(&mut self) {
        if let Some(Ours { runtime, port }) = self.ours.take() {
            drop(port);
            runtime.shutdown_timeout(WITHIN);
        }
        self.venue.block_on(reach(&self.theirs, Phase::Down));
    }

    /// Waits until our session has ended, or is logged on again.
    pub(super) fn ends_or_comes_up(&mut self) {
        let session = self.fix_port().sessions()[0].handle.clone();
        self.venue.block_on(async {
            tokio::select! {
                () = reach(&session, Phase::Up) => (),
                () = session.ended() => (),
            }
        });
    }

    /// Whether our session still runs: it ends with its log.
    pub(super) fn is_alive(&mut self) -> bool {
        !self.fix_port().sessions()[0].handle.has_ended()
    }

    pub(super) fn fix_port(&mut self) -> &mut FixPort {
        &mut self.ours.as_mut().unwrap().port
    }

    pub(super) fn both(&mut self, wanted: Phase) {
        let session = self.fix_port().sessions()[0].handle.clone();
        self.venue.block_on(async {
            reach(&session, wanted).await;
            reach(&self.theirs, wanted).await;
        });
    }

    /// Lets what is under way arrive on both sides.
    pub(super) fn arrive(&mut self) {
        if self.link == Link::Up {
            self.fix_port().barrier().unwrap();
        }
        assert!(self.fix_port().drained(WITHIN), "what the venue said was not passed on");
    }

    /// The line is cut and kept so, or let up again.
    pub(super) fn line_up(&mut self, up: bool) {
        self.line.close(!up);
        if up {
            self.both(Phase::Up);
        } else {
            self.line.cut();
            self.both(Phase::Down);
        }
    }

    /// Says something in the venue's name.
    pub(super) fn say(&self, body: ReportBody) {
        let report = Report { venue: VENUE, transact_time: self.floor.lock().now(), body };
        self.venue.block_on(self.edge.report(&self.theirs, &report));
    }

    /// Says it word by word.
    pub(super) fn say_raw(&self, message: crate::session::outbox::Outgoing) {
        self.venue.block_on(self.theirs.send(message)).unwrap();
    }

    /// The venue's next number jumps, without a word about those between.
    pub(super) fn skip_theirs(&self, by: u64) {
        let next = self.theirs.numbers().1 + by;
        self.venue.block_on(self.theirs.set_next_out(next)).unwrap();
        self.venue.block_on(self.theirs.settled()).unwrap();
    }

    /// Both numbers begin anew, by agreement.
    pub(super) fn reset(&mut self) {
        let ours = self.fix_port().sessions()[0].handle.clone();
        self.venue.block_on(ours.reset()).unwrap();
        self.venue.block_on(ours.settled()).unwrap();
    }

    /// Lets the drop copy say something, and waits until it has come.
    pub(super) fn copy_raw(&mut self, message: crate::session::outbox::Outgoing) {
        let ours = self.fix_port().sessions()[1].handle.clone();
        let sent = self.venue.block_on(async {
            reach(&ours, Phase::Up).await;
            self.copy.send(message).await.unwrap()
        });
        let crate::session::outbox::Sent::Numbered(seq) = sent else { panic!("{sent:?}") };
        let until = std::time::Instant::now() + WITHIN;
        while ours.numbers().0 <= seq {
            assert!(std::time::Instant::now() < until, "the drop copy has not come");
            std::thread::yield_now();
        }
        assert!(self.fix_port().drained(WITHIN));
    }

    /// Sets the venue's own quote of one side.
    pub(super) fn show(&mut self, side: Side, shown: Option<(Price, Qty)>) {
        let (mut floor, symbol) = (self.floor.lock(), self.instrument().1);
        let now = floor.now();
        floor.venue_mut(VENUE).unwrap().on_quote(now, &symbol, side, shown.map(|(price, size)| Shown { price, size }));
    }

    /// The venue does what is due.
    pub(super) fn drive(&mut self) {
        let mut events = Vec::new();
        {
            let mut floor = self.floor.lock();
            let until = floor.now().plus(60_000_000_000);
            while floor.step(until, &mut events) {}
        }
        for event in events {
            if let FloorEvent::Report(report) = event {
                self.venue.block_on(self.edge.report(&self.theirs, &report));
            }
        }
    }
}

impl Rig for FixRig {
    fn port(&mut self) -> &mut dyn VenuePort {
        self.fix_port()
    }

    fn instrument(&self) -> (InstrumentId, Symbol) {
        (InstrumentId(7), Symbol::new(SYMBOL).unwrap())
    }

    fn now(&self) -> Time {
        self.floor.lock().now()
    }

    fn quote(&mut self, side: Side, shown: Option<(Price, Qty)>) {
        // What was handed over before the quote meets the one before it.
        self.arrive();
        self.show(side, shown);
    }

    fn trade(&mut self, price: Price, qty: Qty) {
        self.arrive();
        let (mut floor, symbol) = (self.floor.lock(), self.instrument().1);
        let now = floor.now();
        floor.venue_mut(VENUE).unwrap().on_last_sale(now, &symbol, Shown { price, size: qty }, true);
    }

    fn settle(&mut self) -> Vec<Report> {
        self.arrive();
        self.drive();
        self.arrive();
        std::mem::take(&mut *self.reports.0.lock().unwrap())
    }

    fn set_faults(&mut self, faults: Faults) {
        if self.link == faults.link {
            assert!(self.floor.set_faults(VENUE, Faults { link: Link::Up, ..faults }));
            return;
        }
        // A line that fails takes with it what is under way; one that hung is cut before it works again.
        if faults.link != Link::Up {
            self.arrive();
        }
        if faults.link == Link::Down {
            assert!(self.floor.set_faults(VENUE, faults));
        }
        if self.link != Link::Down && faults.link != Link::HalfOpen || faults.link == Link::Down {
            self.line_up(false);
        }
        self.link = faults.link;
        self.line.lose_nothing();
        match faults.link {
            Link::Up => self.line_up(true),
            Link::Down => (),
            Link::HalfOpen => {
                self.line.close(false);
                self.both(Phase::Up);
                let after = i64::try_from(self.chance.below(8)).unwrap();
                self.line.lose_ours_after(after);
                self.line.lose_theirs_after(0);
            }
        }
        let patience = Duration::from_millis(if faults.link == Link::Up { 2_000 } else { 100 });
        self.fix_port().set_patience(patience);
        if faults.link != Link::Down {
            assert!(self.floor.set_faults(VENUE, Faults { link: Link::Up, ..faults }));
        }
    }

    fn restart(&mut self) {
        let link = self.link;
        if link == Link::HalfOpen {
            self.line.cut();
        }
        self.kill();
        self.start();
        if link == Link::Up {
            self.arrive();
        }
    }
}

impl Drop for FixRig {
    fn drop(&mut self) {
        if let Some(Ours { runtime, port }) = self.ours.take() {
            drop(port);
            runtime.shutdown_background();
        }
    }
}
