//! The gateway with its threads, between a partition and a venue that does as it is told.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use oms_model::command::{BookOn, Command, CommandOutcome, Figures, NewExecution, OrderRef, Placed};
use oms_model::event::Event;
use oms_model::report::{Report, ReportBody, VenueFill};
use oms_model::{EndedBy, IntentKind, Liquidity, Mic, Notional, OrderId, Side, Time, TraceId, WireId};
use oms_runtime::port::{Answer, Handed, MarketSink, ReportSink, VenueOrder, VenuePort, VenueState, WireCancel, WireOrder, WireReplace};
use oms_runtime::{Clock, Config, Follower, MarketBook, Partition, Request, SystemClock, gateway};
use oms_store::MemoryJournal;
use oms_testkit::fixture::{actor, dec, limit_order, setup};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Whatever is waited for comes within this time, or the test has failed.
const WITHIN: Duration = Duration::from_secs(20);

/// What a venue was handed, and how it answers.
struct Told {
    handed: Sender<(IntentKind, WireId)>,
    /// How a new order leaves.
    sends: Handed,
    /// Whether it answers questions.
    answers: Arc<AtomicBool>,
    /// What it has.
    held: Arc<Mutex<Option<VenueOrder>>>,
    /// How often it was asked for everything that it has.
    barriers: Arc<AtomicUsize>,
}

const XNAS: Mic = Mic::of(b"XNAS");

impl VenuePort for Told {
    fn venue(&self) -> Mic {
        XNAS
    }
    fn send(&mut self, order: &WireOrder) -> Handed {
        self.handed.send((IntentKind::New, order.wire_id.clone())).unwrap();
        self.sends.clone()
    }
    fn cancel(&mut self, request: &WireCancel) -> Handed {
        self.handed.send((IntentKind::Cancel, request.wire_id.clone())).unwrap();
        Handed::Over
    }
    fn replace(&mut self, request: &WireReplace) -> Handed {
        self.handed.send((IntentKind::Replace, request.wire_id.clone())).unwrap();
        Handed::Over
    }
    fn query(&mut self, _: &WireId) -> Answer<Option<VenueOrder>> {
        if self.answers.load(Ordering::SeqCst) {
            return Answer::Complete(self.held.lock().unwrap().clone());
        }
        Answer::Failed("not now".to_owned())
    }
    fn open_orders(&mut self) -> Answer<Vec<VenueOrder>> {
        self.barriers.fetch_add(1, Ordering::SeqCst);
        Answer::Complete(Vec::new())
    }
    fn executions_since(&mut self, _: Time) -> Answer<Vec<(WireId, Time, VenueFill)>> {
        Answer::Complete(Vec::new())
    }
}

struct Desk {
    partition: Partition,
    seen: Follower,
    handed: Receiver<(IntentKind, WireId)>,
    answers: Arc<AtomicBool>,
    held: Arc<Mutex<Option<VenueOrder>>>,
    barriers: Arc<AtomicUsize>,
}

impl Desk {
    fn open(sends: Handed) -> Self {
        let mut desk = Self::open_with(sends, setup());
        desk.until("the session is up", |event| matches!(event, Event::BrokerConnected(_)));
        desk
    }

    fn open_with(sends: Handed, setup: Vec<Command>) -> Self {
        let market = Arc::new(MarketBook::new());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let journal = Box::new(MemoryJournal::new(0));
        let fault = Box::new(|fault: &str| panic!("{fault}"));
        let partition = oms_runtime::start(journal, Config::default(), clock.clone(), market.clone(), fault).unwrap();
        let (handed, taken) = channel();
        let (answers, held) = (Arc::new(AtomicBool::new(true)), Arc::new(Mutex::new(None)));
        let port = Told { handed, sends, answers: answers.clone(), held: held.clone(), barriers: Arc::default() };
        let barriers = port.barriers.clone();
        let handle = partition.handle().clone();
        let seen = handle.feed().follow(oms_model::Seq(0));
        let desk = Self { partition, seen, handed: taken, answers, held, barriers };
        for command in setup {
            assert_eq!(desk.run(command), CommandOutcome::Done);
        }
        let (telemetry, kill_epoch) = (desk.partition.telemetry().clone(), desk.partition.kill_epoch().clone());
        drop(gateway::start(&handle, vec![Box::new(port)], &clock, &telemetry, &kill_epoch).unwrap());
        let id = handle.inspect_blocking(|state, _| state.instruments()[0].instrument_id).unwrap();
        market.quote(id, XNAS, true, Some((dec("20.00"), dec("500"))), clock.now());
        market.quote(id, XNAS, false, Some((dec("20.02"), dec("500"))), clock.now());
        desk
    }

    fn run(&self, command: Command) -> CommandOutcome {
        let request = Request { actor: actor(), trace_id: TraceId::default(), idempotency: None, command };
        self.partition.handle().execute_blocking(request).unwrap().outcome
    }

    fn report(&self, body: ReportBody) {
        self.partition.handle().report(Report { venue: XNAS, transact_time: SystemClock.now(), body }).unwrap();
    }

    /// Reads the log until something is in it.
    fn until(&mut self, what: &str, wanted: impl Fn(&Event) -> bool) {
        let end = Instant::now() + WITHIN;
        while Instant::now() < end {
            if let Some(batch) = self.seen.next_timeout(Duration::from_millis(100)).unwrap()
                && batch.events.iter().any(&wanted)
            {
                return;
            }
        }
        panic!("not within {WITHIN:?}: {what}");
    }

    /// Places an order for 100 and gives it with the id under which it was handed over.
    fn place(&self) -> (OrderId, WireId) {
        let outcome = self.run(Command::CreateOrder(Box::new(limit_order("A1", Side::Buy, "100", "XYZ", "20.00"))));
        let CommandOutcome::Orders(placed) = &outcome else { panic!("{outcome:?}") };
        let Placed::Accepted { order_id } = placed[0] else { panic!("{outcome:?}") };
        (order_id, self.taken(IntentKind::New))
    }

    /// What the venue is handed next.
    fn taken(&self, kind: IntentKind) -> WireId {
        let (handed, wire_id) = self.handed.recv_timeout(WITHIN).expect("the venue is handed something");
        assert_eq!(handed, kind);
        wire_id
    }
}

/// A venue that the desk gets to know while its session is up is connected from then on.
#[test]
fn a_venue_may_be_configured_after_its_session_came_up() {
    let (late, first): (Vec<Command>, Vec<Command>) =
        setup().into_iter().partition(|command| matches!(command, Command::ConfigureVenue(venue) if venue.venue == XNAS));
    assert_eq!(late.len(), 1);
    let mut desk = Desk::open_with(Handed::Over, first);
    // The session is up before anybody knows the venue.
    let end = Instant::now() + WITHIN;
    while desk.barriers.load(Ordering::SeqCst) == 0 {
        assert!(Instant::now() < end, "the barrier is never asked");
        std::thread::yield_now();
    }
    for command in late {
        assert_eq!(desk.run(command), CommandOutcome::Done);
    }
    desk.until("the session is up", |event| matches!(event, Event::BrokerConnected(e) if e.venue == XNAS));
    desk.place();
}

/// A leg that was wholly executed is kept no longer; a bust makes it work again, and then its cancel must leave.
#[test]
fn a_leg_that_works_again_after_a_bust_can_be_canceled() {
    let mut desk = Desk::open(Handed::Over);
    let (order_id, wire_id) = desk.place();
    let exec_id = "X1".parse().unwrap();
    let fill = VenueFill { exec_id, last_qty: dec("100"), last_px: dec("20.00"), ..VenueFill::default() };
    desk.report(ReportBody::Accepted { wire_id: wire_id.clone(), broker_order_id: None });
    desk.report(ReportBody::Fill { wire_id: wire_id.clone(), fill });
    *desk.held.lock().unwrap() = Some(VenueOrder {
        wire_id: wire_id.clone(),
        broker_order_id: "B1".parse().unwrap(),
        state: VenueState::Live,
        order_qty: dec("100"),
        price: Some(dec("20.00")),
        fills: Vec::new(),
        requests: Vec::new(),
    });
    let (exec_ref, exec_id) = ("X1".parse().unwrap(), "B1".parse().unwrap());
    desk.report(ReportBody::Busted { wire_id, exec_ref, exec_id, text: "erroneous".to_owned() });
    desk.until("the order works again", |event| matches!(event, Event::OrderFillAdjusted(e) if !e.state.is_done()));
    let outcome = desk.run(Command::CancelOrder { order: OrderRef::Id(order_id), if_version: None });
    assert!(matches!(outcome, CommandOutcome::Pending { .. }), "{outcome:?}");
    let wire_id = desk.taken(IntentKind::Cancel);
    desk.report(ReportBody::Canceled { wire_id, text: String::new() });
    desk.until("the order has ended", |event| matches!(event, Event::OrderCanceled(e) if e.order_id == order_id));
}

/// A person booked on a leg in doubt, and then a session began: the venue is asked for the order itself all the same.
#[test]
fn a_booking_by_hand_does_not_hide_a_doubt_from_the_next_session() {
    let mut desk = Desk::open(Handed::Unknown("it broke off".to_owned()));
    desk.answers.store(false, Ordering::SeqCst);
    let (_, wire_id) = desk.place();
    desk.until("the leg is in doubt", |event| matches!(event, Event::OrderInDoubt(_)));
    let (leg, _) = wire_id.parts().unwrap();
    let figures = Figures::Given {
        exec_id: None,
        venue: None,
        last_qty: dec("10"),
        last_px: dec("20.00"),
        fee: Notional::ZERO,
        liquidity: Liquidity::Removed,
        transact_time: None,
    };
    let booked = NewExecution { on: BookOn::Order(OrderRef::Id(leg)), figures, reason: "told by telephone".to_owned() };
    assert_eq!(desk.run(Command::CreateExecution(Box::new(booked))), CommandOutcome::Done);
    desk.report(ReportBody::SessionDown { reason: "line lost".to_owned() });
    desk.until("the session is down", |event| matches!(event, Event::BrokerDisconnected(_)));
    desk.answers.store(true, Ordering::SeqCst);
    desk.until("what became of the leg", |event| matches!(event, Event::OrderRejected(e) if e.order_id == leg && e.by == EndedBy::NotSent));
}
