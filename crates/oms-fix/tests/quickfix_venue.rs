//! QuickFIX as a venue: the port's orders, what comes of them over cuts and restarts, and what proves that one never arrived.
//!
//! Needs what `quickfix.rs` needs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "quickfix/cut.rs"]
#[allow(dead_code, reason = "the other tests use more of it")]
mod cut;
#[path = "quickfix/peer.rs"]
mod peer;

use std::net::{Ipv4Addr, TcpListener};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cut::Cuttable;
use oms_fix::session::Phase;
use oms_fix::session::config::{Config, Role, SessionId};
use oms_fix::store::JournalStore;
use oms_fix::transport::{Endpoint, Engine, Reconnect};
use oms_fix::venue::{Dialect, FixPort, PortParts, Recall, VenueProfile};
use oms_model::report::{Report, ReportBody};
use oms_model::{InstrumentId, IntentKind, Mic, OrdType, OrderId, Qty, Side, Symbol, TimeInForce, WireId};
use oms_runtime::port::{Answer, DurableSink, Handed, ReportSink, SinkClosed, VenuePort as _, VenueState, WireCancel, WireOrder};
use oms_runtime::{Clock as _, SystemClock};
use oms_store::MemoryJournal;
use peer::Peer;
use tokio::runtime::Runtime;

const PATIENCE: Duration = Duration::from_secs(20);

struct Reports(Mutex<Sender<ReportBody>>);

impl ReportSink for Reports {
    fn report(&self, report: Report) -> Result<(), SinkClosed> {
        self.0.lock().unwrap().send(report.body).map_err(|_| SinkClosed)
    }
}

impl DurableSink for Reports {
    fn settled(&self) -> Result<(), SinkClosed> {
        Ok(())
    }
}

/// Our end, which can be ended as a process is.
struct Ours {
    runtime: Runtime,
    port: FixPort,
    reports: Receiver<ReportBody>,
}

impl Ours {
    fn open(journal: &MemoryJournal, address: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let config = Config::new(SessionId::fix44("OMS", "QF"), Role::Initiator);
        let dialect = Dialect::parse("order_status no\n").unwrap();
        let mut profile = VenueProfile::new(Mic::of(b"XNAS"), config, Endpoint::plain(address), dialect);
        profile.reconnect = Reconnect { first: Duration::from_millis(100), longest: Duration::from_millis(400), ..Reconnect::default() };
        let (told, reports) = channel();
        let (store, mut recalls) = JournalStore::open_with(Box::new(journal.clone()), vec![Recall::of(&profile)]).unwrap();
        let store = Arc::new(store);
        let parts = PortParts { engine: Engine::new(), runtime: runtime.handle().clone(), store, clock: Arc::new(SystemClock) };
        let port = FixPort::open(profile, recalls.remove(0), &parts, Arc::new(Reports(Mutex::new(told)))).unwrap();
        let ours = Self { runtime, port, reports };
        ours.until_up();
        ours
    }

    fn until_up(&self) {
        let mut phase = self.port.sessions()[0].handle.phase();
        let up = async { tokio::time::timeout(PATIENCE, phase.wait_for(|phase| *phase == Phase::Up)).await.map(|up| up.map(drop)) };
        self.runtime.block_on(up).expect("in time").expect("the session runs");
    }

    fn kill(self) {
        drop(self.port);
        self.runtime.shutdown_timeout(PATIENCE);
    }

    fn send(&mut self, order: u128) -> WireId {
        let wire_id = WireId::derive(OrderId::from_u128(order), 0);
        let order = WireOrder {
            wire_id: wire_id.clone(),
            instrument: InstrumentId(1),
            symbol: Symbol::new("IBM").unwrap(),
            side: Side::Buy,
            ord_type: OrdType::Limit,
            order_qty: Qty::from_units(100).unwrap(),
            cash_order_qty: None,
            quote_ref: None,
            price: Some("10.25".parse().unwrap()),
            stop_px: None,
            time_in_force: TimeInForce::Day,
            expire_at: None,
            deadline: SystemClock.now().plus(60_000_000_000),
        };
        assert_eq!(self.port.send(&order), Handed::Over);
        wire_id
    }

    fn until(&self, what: &str, wanted: impl Fn(&ReportBody) -> bool) -> ReportBody {
        let (deadline, mut seen) = (Instant::now() + PATIENCE, Vec::new());
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.reports.recv_timeout(left) {
                Ok(body) if wanted(&body) => return body,
                Ok(body) => seen.push(body),
                Err(_) => panic!("{what}: not in time; {seen:?}"),
            }
        }
    }

    fn state(&mut self, wire_id: &WireId) -> Option<VenueState> {
        match self.port.query(wire_id) {
            Answer::Complete(found) => found.map(|order| order.state),
            other => panic!("{other:?}"),
        }
    }
}

fn report(wire_id: &WireId, fields: &str) -> String {
    format!("send 8 6=0|11={wire_id}|37=O{wire_id}|54=1|55=IBM|38=100|{fields}")
}

#[test]
fn orders_over_cuts_and_restarts() {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let mut quickfix = Peer::start("acceptor", port, "QF", "OMS");
    quickfix.until("ready");
    let lines = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let line = lines.block_on(Cuttable::start(port));
    let journal = MemoryJournal::new(1);
    let mut ours = Ours::open(&journal, &line.address());
    assert!(matches!(ours.port.open_orders(), Answer::Complete(open) if open.is_empty()));
    let first = ours.send(1);
    ours.until("an acknowledgement", |body| matches!(body, ReportBody::Accepted { wire_id, .. } if *wire_id == first));
    quickfix.say(&report(&first, "14=40|17=X1|31=10.25|32=40|39=1|150=F|151=60"));
    ours.until("an execution", |body| matches!(body, ReportBody::Fill { fill, .. } if fill.exec_id.as_str() == "X1"));
    assert_eq!(ours.state(&first), Some(VenueState::Live));

    // An order is lost on the way and the line breaks: QuickFIX asks for its number, and is told that there is nothing.
    line.lose_from_client(true);
    let lost = ours.send(2);
    lines.block_on(line.lost_from_client(1));
    lines.block_on(line.cut());
    line.lose_from_client(false);
    let proof = |body: &ReportBody| matches!(body, ReportBody::NotSent { wire_id, intent: IntentKind::New, .. } if *wire_id == lost);
    ours.until("the proof", proof);
    ours.until_up();
    assert_eq!(ours.state(&lost), None);
    let next = ours.send(3);
    ours.until("an acknowledgement", |body| matches!(body, ReportBody::Accepted { wire_id, .. } if *wire_id == next));

    // Our process dies, and the venue executes meanwhile: it is told of it when it is back, and knows what it knew.
    ours.kill();
    quickfix.until("logout");
    quickfix.say(&report(&first, "14=100|17=X2|31=10.25|32=60|39=2|150=F|151=0"));
    let mut ours = Ours::open(&journal, &line.address());
    ours.until("what happened meanwhile", |body| matches!(body, ReportBody::Fill { fill, .. } if fill.exec_id.as_str() == "X2"));
    assert_eq!((ours.state(&first), ours.state(&lost), ours.state(&next)), (Some(VenueState::Filled), None, Some(VenueState::Live)));
    let cancel = WireCancel {
        wire_id: WireId::derive(OrderId::from_u128(3), 1),
        orig_wire_id: next.clone(),
        deadline: SystemClock.now().plus(60_000_000_000),
    };
    assert_eq!(ours.port.cancel(&cancel), Handed::Over);
    quickfix.until(&format!("received F {}", cancel.wire_id));
    quickfix.say(&report(&cancel.wire_id, &format!("14=0|17=N3|39=4|41={next}|150=4|151=0")));
    ours.until("the cancel", |body| matches!(body, ReportBody::Canceled { wire_id, .. } if *wire_id == cancel.wire_id));
    assert_eq!(ours.state(&next), Some(VenueState::Canceled));
    quickfix.quit();
}
