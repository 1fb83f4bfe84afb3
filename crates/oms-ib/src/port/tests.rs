//! The port over sockets on loopback, against the simulator as it is run.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use oms_model::report::{Report, ReportBody};
use oms_model::{OrdType, OrderId, Qty, Side, TimeInForce};
use oms_runtime::SystemClock;
use oms_runtime::port::{ReportSink, SinkClosed, VenueState};
use oms_store::MemoryJournal;
use oms_venues::floor::wall_time;
use tokio::runtime::Runtime;

use super::*;
use crate::connector::LinkState;
use crate::connector::config::Offer;
use crate::sim::faults::Command as Fault;
use crate::sim::gateway::{GatewayConfig, stage};
use crate::sim::server::{Server, ServerConfig};

/// Whatever is waited for comes within this time, or the test has failed.
const WITHIN: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Reports(Mutex<Vec<Report>>);

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

/// A side and what it shows.
type Quote = (bool, Option<(oms_model::Price, Qty)>);

#[derive(Default)]
struct Quotes(Mutex<Vec<Quote>>);

impl MarketSink for Quotes {
    fn quote(&self, _: InstrumentId, _: Mic, bid_side: bool, level: Option<(oms_model::Price, Qty)>, _: Time) {
        self.0.lock().unwrap().push((bid_side, level));
    }
    fn trade(&self, _: InstrumentId, _: Option<Mic>, _: oms_model::Price, _: Qty, _: Time) {}
}

fn ibm() -> Contract {
    let text = |text: &str| text.to_owned();
    Contract { symbol: text("IBM"), sec_type: text("STK"), exchange: text("NYSE"), currency: text("USD"), ..Contract::default() }
}

/// A desk that has booked nothing.
struct Blank;

impl Books for Blank {
    fn read(&self, _: &DeskAsked) -> Result<DeskSide, String> {
        Ok(DeskSide::default())
    }
}

struct OnlyIbm;

impl Contracts for OnlyIbm {
    fn contract(&self, _: InstrumentId, symbol: &Symbol) -> Result<Contract, String> {
        if symbol.as_str() == "IBM" { Ok(ibm()) } else { Err("no such contract".to_owned()) }
    }
}

/// The simulator and a port to it.
struct Stage {
    runtime: Runtime,
    server: Option<Server>,
    folder: PathBuf,
    address: String,
    port: Option<IbPort>,
    journal: MemoryJournal,
    reports: Arc<Reports>,
    quotes: Arc<Quotes>,
    offer: Offer,
}

impl Stage {
    fn new(offer: Offer) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("oms-ib-port-{}-{number}", std::process::id()));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (reports, quotes, journal) = (Arc::default(), Arc::default(), MemoryJournal::new(1));
        let address = "127.0.0.1:0".to_owned();
        let mut stage = Self { runtime, server: None, folder, address, port: None, journal, reports, quotes, offer };
        stage.open_sim();
        stage.open_port();
        stage
    }

    fn open_sim(&mut self) {
        let gateway = GatewayConfig { folder: Some(self.folder.clone()), ..GatewayConfig::new(stage::ibm(600), wall_time()) };
        let config = ServerConfig { listen: self.address.clone(), admin: None, gateway, scenario: Vec::new() };
        // The one before it lets go of its port a moment after it has stopped.
        let until = Instant::now() + WITHIN;
        let server = loop {
            match self.runtime.block_on(Server::start(config.clone())) {
                Ok(server) => break server,
                Err(error) => assert!(Instant::now() < until, "{error}"),
            }
        };
        self.address = server.address().to_string();
        self.server = Some(server);
    }

    fn close_sim(&mut self) {
        self.runtime.block_on(self.server.take().unwrap().stop()).unwrap();
    }

    fn fault(&self, line: &str) {
        let command: Fault = line.parse().unwrap();
        self.runtime.block_on(self.server.as_ref().unwrap().command(command)).unwrap();
    }

    fn open_port(&mut self) {
        let mut config = Config { offer: self.offer, ..Config::new(Mic::of(b"IBKR"), 7, "DU1000001") };
        // A kill and a start within a second: the gateway has noticed.
        config.timing.first_pause = 200_000_000;
        let parts = PortParts {
            journal: Box::new(self.journal.clone()),
            clock: Arc::new(SystemClock),
            reports: self.reports.clone(),
            market: Some(self.quotes.clone()),
            contracts: Arc::new(OnlyIbm),
            books: Arc::new(Blank),
        };
        self.port = Some(IbPort::open(config, &self.address, parts).unwrap());
    }

    /// The desk's process ends, without a word to anybody.
    fn kill_port(&mut self) {
        let port = self.port.take().unwrap();
        port.handle().stop();
        let until = Instant::now() + WITHIN;
        while !port.handle().has_ended() {
            assert!(Instant::now() < until, "the connector does not end");
            std::thread::yield_now();
        }
    }

    fn port(&mut self) -> &mut IbPort {
        self.port.as_mut().unwrap()
    }

    fn wait(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) -> Duration {
        let begin = Instant::now();
        while !is_so(self) {
            assert!(begin.elapsed() < WITHIN, "{what} did not come about; {:?}", self.reports.0.lock().unwrap());
            std::thread::yield_now();
        }
        begin.elapsed()
    }

    /// Asks as the desk does until the gateway is reconciled.
    fn up(&mut self) -> Duration {
        self.wait("an open gate", |stage| matches!(stage.port().open_orders(), Answer::Complete(_)))
    }

    fn order(&self, order: u128, price: &str, symbol: &str) -> WireOrder {
        WireOrder {
            wire_id: WireId::derive(OrderId::from_u128(order), 0),
            instrument: InstrumentId(1),
            symbol: Symbol::new(symbol).unwrap(),
            side: Side::Buy,
            ord_type: OrdType::Limit,
            order_qty: Qty::from_units(10).unwrap(),
            cash_order_qty: None,
            quote_ref: None,
            price: Some(price.parse().unwrap()),
            stop_px: None,
            time_in_force: TimeInForce::Gtc,
            expire_at: None,
            deadline: SystemClock.now().plus(60_000_000_000),
        }
    }

    fn state(&mut self, order: u128) -> VenueState {
        match self.port().query(&WireId::derive(OrderId::from_u128(order), 0)) {
            Answer::Complete(Some(order)) => order.state,
            other => panic!("order {order}: {other:?}"),
        }
    }

    fn fills(&self, order: u128) -> usize {
        let is = |report: &&Report| matches!(&report.body, ReportBody::Fill { wire_id, .. } if wire_id.parts() == Some((OrderId::from_u128(order), 0)));
        self.reports.0.lock().unwrap().iter().filter(is).count()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Left behind where it cannot be removed; it is in the folder for such.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn both(test: impl Fn(Stage)) {
    test(Stage::new(Offer::Proto));
    test(Stage::new(Offer::Text));
}

#[test]
fn orders_go_there_and_what_becomes_of_them_comes_back() {
    both(|mut stage| {
        stage.up();
        let (taken, resting) = (stage.order(1, "190", "IBM"), stage.order(2, "150", "IBM"));
        assert_eq!(stage.port().send(&taken), Handed::Over);
        assert_eq!(stage.port().send(&resting), Handed::Over);
        let unknown = stage.order(3, "150", "BAC");
        assert!(matches!(stage.port().send(&unknown), Handed::NotSent(_)));
        stage.wait("a fill", |stage| 0 < stage.fills(1));
        assert_eq!(stage.state(1), VenueState::Filled);
        assert_eq!(stage.state(2), VenueState::Live);
        let deadline = SystemClock.now().plus(60_000_000_000);
        let (wire_id, orig_wire_id) = (WireId::derive(OrderId::from_u128(2), 1), resting.wire_id);
        assert_eq!(stage.port().cancel(&WireCancel { wire_id, orig_wire_id, deadline }), Handed::Over);
        stage.wait("the cancel", |stage| stage.state(2) == VenueState::Canceled);
    });
}

#[test]
fn what_an_order_would_cost_is_asked_without_placing_it() {
    both(|mut stage| {
        stage.up();
        let (handle, asked) = (stage.port().handle(), stage.order(1, "150", "IBM"));
        for _ in 0..3 {
            let said = handle.what_if(&asked).unwrap();
            let figure = |number: Option<crate::codec::Number>| number.map(|number| number.to_string()).unwrap_or_default();
            // Ten at 150, half of it as margin; a dollar at least.
            assert_eq!((figure(said.init_margin_change), figure(said.maint_margin_change)), ("750".to_owned(), "750".to_owned()));
            assert_eq!((figure(said.init_margin_after), figure(said.equity_after)), ("750".to_owned(), "999999".to_owned()));
            assert_eq!((figure(said.commission), figure(said.max_commission)), ("1".to_owned(), "1".to_owned()));
            assert_eq!((said.commission_currency.as_str(), said.warning.as_str()), ("USD", ""));
        }
        // A price that the broker does not take, and something that it does not trade.
        assert!(handle.what_if(&stage.order(1, "150.005", "IBM")).unwrap_err().starts_with("110 "));
        assert_eq!(handle.what_if(&stage.order(1, "150", "BAC")).unwrap_err(), "no such contract");
        assert!(matches!(stage.port().open_orders(), Answer::Complete(open) if open.is_empty()), "nothing was placed");
        assert!(stage.reports.0.lock().unwrap().iter().all(|report| !matches!(report.body, ReportBody::Accepted { .. })));
        // The order itself gets an id of its own, also after a start that has nothing but the log.
        stage.kill_port();
        stage.open_port();
        stage.up();
        assert_eq!(stage.port().send(&asked), Handed::Over);
        stage.wait("the order", |stage| stage.state(1) == VenueState::Live);
        assert!(stage.port().handle().what_if(&asked).is_ok());
        // A gateway that does not answer is waited for so long and no longer; what it says later is of nothing.
        stage.fault("freeze on");
        let begin = Instant::now();
        let why = stage.port().handle().what_if(&stage.order(2, "151", "IBM")).unwrap_err();
        assert!(why == "the gateway did not answer in time" && begin.elapsed() < WITHIN, "{why}");
        stage.fault("freeze off");
        stage.up();
        assert!(stage.port().handle().what_if(&asked).is_ok());
        assert_eq!(stage.state(1), VenueState::Live);
        let status = stage.port().handle().status();
        assert_eq!((status.live_orders, status.foreign.len()), (1, 0), "{status:?}");
    });
}

#[test]
fn a_killed_gateway_and_a_killed_desk_lose_nothing_and_nothing_is_told_twice() {
    both(|mut stage| {
        stage.up();
        let mut waits = Vec::new();
        for round in 0..4_u128 {
            let (taken, resting) = (stage.order(10 + round, "190", "IBM"), stage.order(20 + round, "150", "IBM"));
            assert_eq!(stage.port().send(&taken), Handed::Over);
            assert_eq!(stage.port().send(&resting), Handed::Over);
            stage.wait("a fill", |stage| 0 < stage.fills(10 + round));
            stage.close_sim();
            stage.wait("the loss", |stage| matches!(stage.port().open_orders(), Answer::Failed(_)));
            let late = stage.order(30 + round, "150", "IBM");
            assert!(matches!(stage.port().send(&late), Handed::NotSent(_)));
            stage.open_sim();
            waits.push(stage.up());
            assert_eq!((stage.state(10 + round), stage.state(20 + round)), (VenueState::Filled, VenueState::Live));
        }
        waits.sort_unstable();
        assert!(waits[3] < Duration::from_secs(5), "{waits:?}");
        assert!((0..4).all(|round| stage.fills(10 + round) == 1), "an execution was told twice");
        stage.kill_port();
        stage.open_port();
        stage.up();
        for round in 0..4 {
            assert_eq!((stage.state(10 + round), stage.state(20 + round)), (VenueState::Filled, VenueState::Live));
        }
        let open = match stage.port().open_orders() {
            Answer::Complete(open) => open.len(),
            other => panic!("{other:?}"),
        };
        assert_eq!(open, 4);
    });
}

#[test]
fn quotes_come_and_the_desk_may_take_it_down_and_up() {
    both(|mut stage| {
        stage.up();
        let handle = stage.port().handle();
        assert!(handle.subscribe(vec![Subscribed { instrument: InstrumentId(1), contract: ibm() }]));
        stage.wait("quotes", |stage| {
            let quotes = stage.quotes.0.lock().unwrap();
            [true, false].into_iter().all(|bid| quotes.iter().any(|(side, level)| *side == bid && level.is_some()))
        });
        assert!(handle.disconnect("asked"));
        stage.wait("it to be down", |_| handle.status().state == LinkState::Disconnected);
        assert!(matches!(stage.port().open_orders(), Answer::Failed(_)));
        let quotes = stage.quotes.0.lock().unwrap().clone();
        assert!(quotes.iter().rev().take(2).all(|(_, level)| level.is_none()), "without the gateway there are no quotes");
        assert!(handle.connect());
        stage.up();
        stage.fault("notice 2104 fine");
        assert_eq!(handle.status().accounts, ["DU1000001"]);
        assert!(handle.is_paper());
    });
}
