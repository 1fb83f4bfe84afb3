//! A desk on disks whose power fails, a venue that goes on whatever becomes of the desk, and sessions for both.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use oms_fix::desk::{ClientProfile, Clients, CopyFilter, DeskParts, user_of};
use oms_fix::session::config::{Config, Role, SessionId};
use oms_fix::store::{Direction, JournalStore, Past, past};
use oms_fix::transport::{Engine, Listener, ListenerConfig};
use oms_model::command::CommandOutcome;
use oms_model::{Mic, Side, Symbol, TraceId};
use oms_runtime::history::{Bounds, History};
use oms_runtime::port::{MarketSink as _, ReportSink as _, VenuePort};
use oms_runtime::{Clock, Config as DeskConfig, Handle, MarketBook, Partition, Request, SystemClock, gateway};
use oms_store::disk::{Fault, SimDisk};
use oms_store::{Config as LogConfig, EmbeddedJournal, Journal};
use oms_testkit::fixture::{TENANT, actor, dec, setup};
use oms_venues::floor::{Floor, FloorConfig, FloorEvent, Ledgers, SharedFloor, wall_time};
use oms_venues::paper::profile::VENUES;
use oms_venues::replay::{Recording, Shown};

const XNAS: Mic = Mic::of(b"XNAS");

/// Whose disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Disk {
    Desk,
    Fix,
}

/// An order as the desk has it.
pub struct Found {
    pub name: String,
    pub cum: String,
}

/// What ends with the power.
struct Life {
    partition: Partition,
    clients: Clients,
    engine: Engine,
    listener: Listener,
    gateway: gateway::Running,
    failed: Arc<AtomicBool>,
}

pub struct Stage {
    desk: SimDisk,
    fix: SimDisk,
    floor: SharedFloor,
    market: Arc<MarketBook>,
    /// The desk that takes reports.
    sink: Arc<Mutex<Option<Handle>>>,
    stop: Arc<AtomicBool>,
    driver: Option<JoinHandle<()>>,
    address: SocketAddr,
    life: Option<Life>,
    offered: Arc<Mutex<Option<Shown>>>,
    pub crashes: u64,
}

fn log(disk: &SimDisk) -> Box<dyn Journal> {
    let config = LogConfig { segment_bytes: 1 << 20, prepare_ahead: false, ..LogConfig::default() };
    Box::new(EmbeddedJournal::open(Arc::new(disk.clone()), config).unwrap())
}

impl Stage {
    pub async fn open(seed: u64) -> Self {
        let recording = Arc::new(Recording::embedded().unwrap());
        let venues = VENUES.into_iter().filter(|profile| profile.mic == XNAS).collect();
        let config = FloorConfig { venues, ..FloorConfig::new(recording, Vec::new(), wall_time(), Ledgers::memory(&VENUES)) };
        let mut floor = Floor::open(config).unwrap();
        floor.list(&Symbol::new("XYZ").unwrap());
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let mut stage = Self {
            desk: SimDisk::new(seed),
            fix: SimDisk::new(seed ^ 0x5eed),
            floor: SharedFloor::on_wall_clock(floor),
            market: Arc::new(MarketBook::new()),
            sink: Arc::default(),
            stop: Arc::default(),
            driver: None,
            address,
            life: None,
            offered: Arc::default(),
            crashes: 0,
        };
        stage.drive();
        stage.start(true).await;
        stage
    }

    /// Lets time pass at the venue, and shows its market to the desk.
    fn drive(&mut self) {
        let (floor, sink, stop, market, offered) =
            (self.floor.clone(), self.sink.clone(), self.stop.clone(), self.market.clone(), self.offered.clone());
        self.driver = Some(std::thread::spawn(move || {
            let mut events = Vec::new();
            while !stop.load(Ordering::Acquire) {
                floor.lock().advance(wall_time(), 1_024, &mut events);
                let (now, desk) = (wall_time(), sink.lock().unwrap().clone());
                for event in events.drain(..) {
                    if let (FloorEvent::Report(report), Some(desk)) = (event, &desk) {
                        // A desk without power hears nothing.
                        let _ = desk.report(report);
                    }
                }
                let shown = *offered.lock().unwrap();
                let instrument = oms_model::InstrumentId(0);
                market.quote(instrument, XNAS, true, Some((dec("19.95"), dec("9000"))), now);
                market.quote(instrument, XNAS, false, shown.map(|shown| (shown.price, shown.size)), now);
                std::thread::park_timeout(Duration::from_micros(300));
            }
        }));
    }

    async fn start(&mut self, first: bool) {
        let failed = Arc::new(AtomicBool::new(false));
        let journal = log(&self.desk);
        let history = History::of(journal.as_ref(), Bounds { max_events: u64::MAX, ..Bounds::default() });
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (flag, fix) = (failed.clone(), self.fix.clone());
        let fault = Box::new(move |_: &str| {
            // The process stops there and then: nothing more is stored by anybody.
            fix.fail_from(fix.operations(), Fault::PowerLoss);
            flag.store(true, Ordering::Release);
        });
        let partition = oms_runtime::start(journal, DeskConfig::default(), clock.clone(), self.market.clone(), fault).unwrap();
        let handle = partition.handle().clone();
        if first {
            for command in setup() {
                let request = Request { actor: actor(), trace_id: TraceId::default(), idempotency: None, command };
                assert_eq!(handle.execute(request).await.unwrap().outcome, CommandOutcome::Done);
            }
            assert_eq!(handle.inspect(|state, _| state.instruments()[0].instrument_id).await.unwrap(), oms_model::InstrumentId(0));
        }
        *self.sink.lock().unwrap() = Some(handle.clone());
        let mut seen = handle.feed().follow(handle.durable());
        let (telemetry, kills, gate) = (partition.telemetry().clone(), partition.kill_epoch().clone(), handle.clone());
        let ports = self.floor.ports().into_iter().map(|port| Box::new(port) as Box<dyn VenuePort>).collect();
        let gateway = tokio::task::spawn_blocking(move || gateway::start(&gate, ports, &clock, &telemetry, &kills).unwrap()).await.unwrap();
        if first {
            while !seen.next().await.unwrap().events.iter().any(|event| matches!(event, oms_model::Event::BrokerConnected(_))) {}
        }
        let store = JournalStore::open(log(&self.fix)).unwrap();
        let (engine, clients) = (Engine::new(), Clients::default());
        let parts = DeskParts { handle, history, tenant_id: TENANT };
        for name in ["C1", "COPY"] {
            let id = SessionId::fix44("OMS", name);
            let profile = ClientProfile {
                config: Config::new(id.clone(), Role::Acceptor),
                user_id: user_of(&id),
                scopes: ClientProfile::SCOPES,
                copies: (name == "COPY").then(CopyFilter::default),
                account: None,
                allowed: Vec::new(),
                client_certificate: None,
                cancel_after: None,
            };
            // Where the log fails meanwhile, the next look finds it.
            if clients.add(&engine, &store, &parts, profile).is_err() {
                failed.store(true, Ordering::Release);
            }
        }
        let listener = engine.listen(ListenerConfig::new(self.address)).await.unwrap();
        self.life = Some(Life { partition, clients, engine, listener, gateway, failed });
    }

    /// Begins again where the power has failed.
    pub async fn look(&mut self) {
        let Some(life) = &self.life else { return };
        let mut failed = life.failed.load(Ordering::Acquire);
        for session in life.clients.all() {
            failed |= session.handle.settled().await.is_err();
        }
        if failed {
            self.crashes += 1;
            self.end().await;
            self.desk.crash();
            self.fix.crash();
            self.start(false).await;
        }
    }

    /// The power fails for both logs at once, and whatever ran on it ends.
    pub async fn end(&mut self) {
        for disk in [&self.desk, &self.fix] {
            disk.fail_from(disk.operations(), Fault::PowerLoss);
        }
        *self.sink.lock().unwrap() = None;
        let Some(Life { partition, clients, engine, listener, gateway, .. }) = self.life.take() else { return };
        drop(listener);
        clients.stop(&engine).await;
        tokio::task::spawn_blocking(move || {
            let _ = partition.stop();
            gateway.join();
        })
        .await
        .unwrap();
    }

    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Changes of the two disks so far.
    pub fn operations(&self) -> (u64, u64) {
        (self.desk.operations(), self.fix.operations())
    }

    /// The power fails in the operation of a disk that comes so many after now.
    pub fn fail_at(&self, disk: Disk, at: u64) {
        let disk = if disk == Disk::Desk { &self.desk } else { &self.fix };
        disk.fail_at(disk.operations() + at, Fault::PowerLoss);
    }

    /// What the venue offers.
    pub fn offer(&self, price: &str, size: &str) {
        let shown = Shown { price: dec(price), size: dec(size) };
        self.floor.lock().venue_mut(XNAS).unwrap().on_quote(wall_time(), &Symbol::new("XYZ").unwrap(), Side::Sell, Some(shown));
        *self.offered.lock().unwrap() = Some(shown);
    }

    /// Orders and replaces that the venue had before.
    pub fn sent_twice(&self) -> u64 {
        self.floor.lock().venue(XNAS).unwrap().stats().duplicates_seen
    }

    /// The client orders of the desk, by name.
    pub async fn orders(&self) -> Vec<Found> {
        let life = self.life.as_ref().unwrap();
        let found = life.partition.handle().inspect(|state, _| {
            let roots = state.orders_sorted().into_iter().map(|entry| &entry.order).filter(|order| order.is_root());
            roots.map(|order| Found { name: order.cl_ord_id.to_string(), cum: order.cum_qty.to_string() }).collect::<Vec<_>>()
        });
        let mut orders = found.await.unwrap();
        orders.sort_by(|a, b| a.name.cmp(&b.name));
        orders
    }

    /// What the sessions' log has under one number it has once.
    pub fn numbers_are_used_once(&self, crash: &str) {
        // Read as a process that looks into the log while another one writes it.
        let copy = self.fix.fork(1);
        // The power may have failed in the last write, or be about to.
        copy.crash();
        let config = LogConfig { segment_bytes: 1 << 20, prepare_ahead: false, ..LogConfig::default() };
        let journal = match EmbeddedJournal::open(Arc::new(copy.clone()), config) {
            Ok(journal) => Box::new(journal) as Box<dyn Journal>,
            Err(_) => {
                copy.crash();
                log(&copy)
            }
        };
        let mut used = std::collections::BTreeSet::new();
        past(journal.reader().as_mut(), 1, &mut |past| {
            if let Past::Message(message) = past
                && message.direction == Direction::Out
                && message.seq > 0
            {
                assert!(used.insert((message.session.to_owned(), message.seq)), "{crash}: number {} is used twice", message.seq);
            }
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
        assert!(!used.is_empty());
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(driver) = self.driver.take() {
            let _ = driver.join();
        }
    }
}
