//! Hands durable intents to venues, each at most once, and finds out what became of those in doubt.
//!
//! - An intent is handed over only when it is durable, its deadline has not passed, its venue's session is up
//!   and no kill switch has been engaged that this follower has not seen.
//! - What cannot be handed over is reported as not sent, which is evidence. What may have left is reported as
//!   unknown, which is not. Nothing is ever handed over twice.
//! - A venue is reconciled before its session counts as up: every leg in doubt there has its evidence first.

mod worker;

use crate::clock::Clock;
use crate::feed::{Feed, FeedError};
use crate::handle::Handle;
use crate::port::{ReportSink, VenuePort, WireCancel, WireOrder, WireReplace};
use crate::telemetry::Telemetry;
use foldhash::fast::RandomState;
use oms_engine::state::State;
use oms_model::event::{Event, OrderSent};
use oms_model::report::{Report, ReportBody};
use oms_model::{InstrumentId, IntentKind, Mic, OrdState, Order, OrderId, Refusal, Seq, Symbol, Time};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use worker::{Resolve, Work, Worker};

/// Pieces of work that may wait for one venue; beyond it intents are not handed over.
const WORK_QUEUE: usize = 1_024;

// Every event of every leg is looked up here, by ids that we gave ourselves.
type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;

/// A leg as the gateway keeps it while it works.
struct WorkingLeg {
    order: Order,
    symbol: Symbol,
    request: Option<(IntentKind, u32)>,
    /// The last sequence that `order` shows.
    as_of: Seq,
}

/// Follows the log for intents.
pub struct Gateway {
    handle: Handle,
    clock: Arc<dyn Clock>,
    kills_seen: u64,
    queues: BTreeMap<Mic, SyncSender<Vec<Work>>>,
    // Boxed, so that a growing table moves pointers: the orders themselves would hold up those that are to be handed over.
    legs: HashMap<OrderId, Box<WorkingLeg>>,
    symbols: HashMap<InstrumentId, Symbol>,
    ready: BTreeMap<Mic, Vec<Work>>,
}

/// The running threads of a gateway; they end once the log has ended.
pub struct Running {
    venues: Vec<Mic>,
    threads: Vec<JoinHandle<()>>,
}

impl Running {
    /// The venues that it has a session with, or tries to.
    #[must_use]
    pub fn venues(&self) -> &[Mic] {
        &self.venues
    }

    /// Waits until all of them have ended.
    pub fn join(self) {
        for thread in self.threads {
            // A thread that panicked has nothing left to wait for.
            drop(thread.join());
        }
    }
}

/// Where the gateway begins: the working legs as of a sequence.
struct Start {
    after: Seq,
    legs: HashMap<OrderId, Box<WorkingLeg>>,
    symbols: HashMap<InstrumentId, Symbol>,
}

fn start_of(state: &State) -> Start {
    let symbols: HashMap<InstrumentId, Symbol> = state.instruments().iter().map(|i| (i.instrument_id, i.symbol.clone())).collect();
    let working = state.orders_sorted().into_iter().filter(|entry| entry.order.is_leg() && entry.is_working());
    let legs = working.map(|entry| {
        let symbol = symbols.get(&entry.order.instrument_id).cloned().unwrap_or_default();
        let leg = WorkingLeg { order: entry.order.clone(), symbol, request: entry.request(), as_of: state.last_seq() };
        (entry.order.order_id, Box::new(leg))
    });
    Start { after: state.last_seq(), legs: legs.collect(), symbols: symbols.clone() }
}

/// Starts a gateway for `ports`. Reconciles every venue first; nothing is handed to one before that.
///
/// # Errors
/// Where the partition does not answer or a thread cannot be started.
pub fn start(
    handle: &Handle,
    ports: Vec<Box<dyn VenuePort>>,
    clock: &Arc<dyn Clock>,
    telemetry: &Arc<Telemetry>,
    kill_epoch: &Arc<AtomicU64>,
) -> Result<Running, Refusal> {
    let epoch = kill_epoch.clone();
    // Read where kill switches are counted, so that none lies between the count and the state.
    let (start, kills_seen) = handle.inspect_blocking(move |state, _| (start_of(state), epoch.load(Ordering::SeqCst)))?;
    let venues = ports.iter().map(|port| port.venue()).collect();
    let mut queues = BTreeMap::new();
    let mut threads = Vec::new();
    let spawn = |name: String, run: Box<dyn FnOnce() + Send>| {
        let refused = |error: std::io::Error| Refusal::new(oms_model::Code::Internal, format!("no thread could be started: {error}"));
        std::thread::Builder::new().name(name).spawn(run).map_err(refused)
    };
    for port in ports {
        let venue = port.venue();
        let (queue, work) = sync_channel(WORK_QUEUE);
        // Whatever the venue said while nobody listened is lost, so every working leg is asked about, not only the doubtful.
        let doubts: Vec<Resolve> = start.legs.values().filter(|leg| leg.order.venue == Some(venue)).map(|leg| leg.question()).collect();
        let worker = Worker::new(port, handle.clone(), clock.clone(), telemetry.clone(), kill_epoch.clone(), work, doubts);
        queues.insert(venue, queue);
        threads.push(spawn(format!("oms-{venue}"), Box::new(move || worker.run()))?);
    }
    let feed = handle.feed().clone();
    let mut gateway = Gateway {
        handle: handle.clone(),
        clock: clock.clone(),
        kills_seen,
        queues,
        legs: start.legs,
        symbols: start.symbols,
        ready: BTreeMap::new(),
    };
    let after = start.after;
    threads.push(spawn("oms-gateway".to_owned(), Box::new(move || gateway.follow(&feed, after)))?);
    Ok(Running { venues, threads })
}

impl WorkingLeg {
    /// What is to be found out about it, if something is in doubt.
    fn doubtful(&self) -> Option<Resolve> {
        self.order.extras.doubt.as_ref()?;
        Some(self.question())
    }

    /// What is to be found out about it after a time in which the venue was not heard.
    fn question(&self) -> Resolve {
        // What a person booked of an order in doubt is no answer of its venue.
        let doubted = self.order.extras.doubt.as_deref().is_some_and(|doubt| doubt.intent == IntentKind::New);
        let new_unanswered = self.order.state == OrdState::Unack || doubted;
        let current = self.order.wire_id(self.order.venue_revision);
        // One that was wholly executed and works again has its request in doubt only.
        let doubted = self.order.extras.doubt.as_deref().map(|doubt| (doubt.intent, doubt.revision));
        let request = self.request.or(doubted.filter(|(intent, _)| *intent != IntentKind::New));
        Resolve::new(self.order.order_id, self.order.wire_id(0), current, new_unanswered, request)
    }
}

impl Gateway {
    fn follow(&mut self, feed: &Feed, after: Seq) {
        let mut follower = feed.follow(after);
        loop {
            match follower.next_timeout(Duration::from_millis(500)) {
                Ok(Some(batch)) => {
                    self.batch(&batch.events, batch.first_seq, batch.time);
                    // What is there already goes out together.
                    for _ in 0..255 {
                        let Ok(Some(batch)) = follower.try_next() else { break };
                        self.batch(&batch.events, batch.first_seq, batch.time);
                    }
                    self.hand_out();
                }
                Ok(None) => (),
                Err(FeedError::Closed) => return,
                Err(error) => {
                    // Without the log there is nothing that may be sent. Legs stay unanswered and come in doubt.
                    tracing::error!(%error, "the gateway cannot follow the log; nothing more is sent");
                    return;
                }
            }
        }
    }

    fn batch(&mut self, events: &[Event], first_seq: Seq, time: Time) {
        for (at, event) in events.iter().enumerate() {
            self.event(event, Seq(first_seq.0 + at as u64), time);
        }
    }

    fn event(&mut self, event: &Event, seq: Seq, time: Time) {
        match event {
            Event::OrderCreated(e) => {
                if e.parent_order_id.is_some() {
                    let symbol = self.symbols.get(&e.instrument_id).cloned().unwrap_or_default();
                    let leg = WorkingLeg { order: Order::create(e, seq, time), symbol, request: None, as_of: seq };
                    self.legs.insert(e.order_id, Box::new(leg));
                }
                return;
            }
            Event::InstrumentListed(e) => drop(self.symbols.insert(e.instrument_id, e.symbol.clone())),
            Event::VenueConfigured(e) => self.push(e.venue, Work::Introduce),
            Event::KillSwitchEngaged(_) => self.kills_seen += 1,
            Event::BrokerDisconnected(e) => {
                self.push(e.venue, Work::Reconcile);
                let at_venue = self.legs.values().filter(|leg| leg.order.venue == Some(e.venue) && !leg.order.state.is_done());
                let questions: Vec<Work> = at_venue.map(|leg| Work::Resolve(leg.question())).collect();
                self.ready.entry(e.venue).or_default().extend(questions);
            }
            _ => (),
        }
        let Some(order_id) = event.order_id() else { return };
        if matches!(event, Event::OrderFillAdjusted(e) if !e.state.is_done()) && !self.legs.contains_key(&order_id) {
            self.take_up(order_id);
        }
        let Some(leg) = self.legs.get_mut(&order_id) else { return };
        if seq > leg.as_of {
            leg.order.apply(event, time);
        }
        match event {
            Event::OrderSent(e) => {
                if e.intent != IntentKind::New {
                    leg.request = Some((e.intent, e.revision));
                }
                if let Some(work) = intent(leg, e, self.kills_seen) {
                    self.push(e.venue, work);
                }
            }
            Event::CancelRejected(_) | Event::OrderReplaced(_) | Event::ReplaceRejected(_) => leg.request = None,
            Event::OrderInDoubt(_) => {
                let (venue, work) = (leg.order.venue, leg.doubtful().map(Work::Resolve));
                if let (Some(venue), Some(work)) = (venue, work) {
                    self.push(venue, work);
                }
            }
            _ => (),
        }
        let done = self.legs.get(&order_id).is_some_and(|leg| leg.order.state.is_done() && leg.order.extras.doubt.is_none());
        // An order that was resolved as not sent and then appears is canceled; it is kept for that.
        let not_sent = matches!(event, Event::OrderRejected(e) if e.by == oms_model::EndedBy::NotSent);
        if done && !not_sent {
            self.legs.remove(&order_id);
        }
    }

    /// A leg that had ended works again, because an execution of it was taken back: the partition still has it.
    fn take_up(&mut self, order_id: OrderId) {
        let known = self.handle.inspect_blocking(move |state, _| {
            let entry = state.entry(order_id).filter(|entry| entry.order.is_leg())?;
            Some((entry.order.clone(), entry.request(), state.last_seq()))
        });
        if let Ok(Some((order, request, as_of))) = known {
            let symbol = self.symbols.get(&order.instrument_id).cloned().unwrap_or_default();
            let mut leg = WorkingLeg { order, symbol, request: None, as_of };
            // Whether it works at its venue too is asked; what is asked of it now goes out by itself.
            let (venue, question) = (leg.order.venue, leg.question());
            leg.request = request;
            self.legs.insert(order_id, Box::new(leg));
            if let Some(venue) = venue {
                self.push(venue, Work::Resolve(question));
            }
        }
    }

    fn push(&mut self, venue: Mic, work: Work) {
        self.ready.entry(venue).or_default().push(work);
    }

    fn hand_out(&mut self) {
        for (venue, work) in std::mem::take(&mut self.ready) {
            let Some(queue) = self.queues.get(&venue) else {
                self.refuse(venue, &work, "no connection to this venue is configured");
                continue;
            };
            match queue.try_send(work) {
                Ok(()) => (),
                Err(TrySendError::Full(work)) => self.refuse(venue, &work, "too much waits for this venue"),
                Err(TrySendError::Disconnected(work)) => self.refuse(venue, &work, "the connection to this venue has ended"),
            }
        }
    }

    /// Work that no one will do: intents provably never left.
    fn refuse(&self, venue: Mic, work: &[Work], reason: &str) {
        for work in work {
            let (wire_id, intent) = match work {
                Work::Send(order, _) => (&order.wire_id, IntentKind::New),
                Work::Cancel(request) => (&request.wire_id, IntentKind::Cancel),
                Work::Replace(request) => (&request.wire_id, IntentKind::Replace),
                Work::Resolve(_) | Work::Reconcile | Work::Introduce => continue,
            };
            not_sent(&self.handle, venue, self.clock.now(), wire_id, intent, reason);
        }
    }
}

fn not_sent(handle: &Handle, venue: Mic, now: Time, wire_id: &oms_model::WireId, intent: IntentKind, reason: &str) {
    let body = ReportBody::NotSent { wire_id: wire_id.clone(), intent, reason: reason.to_owned() };
    // A partition that has stopped finds the intent unanswered at its next start.
    let _ = handle.report(Report { venue, transact_time: now, body });
}

/// What a venue is handed for an intent.
fn intent(leg: &WorkingLeg, sent: &OrderSent, kills_seen: u64) -> Option<Work> {
    let order = &leg.order;
    let (wire_id, deadline) = (order.wire_id(sent.revision), sent.deadline);
    let orig_wire_id = order.wire_id(order.venue_revision);
    Some(match sent.intent {
        IntentKind::New => Work::Send(
            WireOrder {
                wire_id,
                instrument: order.instrument_id,
                symbol: leg.symbol.clone(),
                side: order.side,
                ord_type: order.ord_type,
                order_qty: order.order_qty,
                cash_order_qty: order.cash_order_qty(),
                quote_ref: order.extras.basis.as_deref().and_then(|basis| basis.quote_ref.clone()),
                price: order.price,
                stop_px: order.extras.stop_px,
                time_in_force: order.time_in_force,
                expire_at: order.expire_at,
                deadline,
            },
            kills_seen,
        ),
        IntentKind::Cancel => Work::Cancel(WireCancel { wire_id, orig_wire_id, deadline }),
        IntentKind::Replace => {
            let terms = sent.terms?;
            let (order_qty, price, stop_px) = (terms.order_qty, terms.price, terms.stop_px);
            Work::Replace(WireReplace { wire_id, orig_wire_id, order_qty, price, stop_px, deadline })
        }
    })
}
