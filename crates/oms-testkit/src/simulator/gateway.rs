//! What the gateway decides, without its threads: the rules of `oms_runtime::gateway` and its worker, step by step
//! on virtual time.
//!
//! It is stricter than those in three places, which are planted bugs here: an order that was decided before a kill
//! switch is not handed over after it; a venue is reconciled for every leg that works there, doubted or not; and a
//! replace that a venue took is told before the executions that followed it.

use super::coverage::{Coverage, Mark};
use super::mutant::Mutant;
use super::notes::Notes;
use super::plan::Rates;
use super::rng::Rng;
use super::venue::{Message, Scene, Venue};
use crate::reference::{Handing, Orders, Quotes};
use oms_engine::State;
use oms_model::event::{Batch, Event, OrderSent};
use oms_model::report::{Report, ReportBody};
use oms_model::{EndedBy, InstrumentId, IntentKind, Mic, OrdState, OrdType, Order, OrderId, Qty, Seq, Symbol, Time, WireId};
use oms_runtime::port::{Answer, Handed, VenueOrder, WireCancel, WireOrder, WireReplace};
use std::collections::{BTreeMap, VecDeque};

mod resolve;
pub(super) use resolve::Resolve;

/// First pause between two questions about the same leg; it doubles up to [`LONGEST_PAUSE`]. Nanoseconds.
const FIRST_PAUSE: i64 = 50_000_000;
/// Longest pause between two questions about the same leg, nanoseconds.
const LONGEST_PAUSE: i64 = 5_000_000_000;

/// A leg as the gateway keeps it while it works.
#[derive(Clone)]
struct WorkingLeg {
    order: Order,
    symbol: Symbol,
    request: Option<(IntentKind, u32)>,
    whole_qty: Qty,
}

impl WorkingLeg {
    fn doubtful(&self) -> Option<Resolve> {
        self.order.extras.doubt.as_ref()?;
        Some(self.question())
    }

    fn question(&self) -> Resolve {
        // What a person booked of an order in doubt is no answer of its venue.
        let doubted = self.order.extras.doubt.as_deref().is_some_and(|doubt| doubt.intent == IntentKind::New);
        let new_unanswered = self.order.state == OrdState::Unack || doubted;
        let doubted = self.order.extras.doubt.as_deref().map(|doubt| (doubt.intent, doubt.revision));
        let request = self.request.or(doubted.filter(|(intent, _)| *intent != IntentKind::New));
        Resolve::new(self.order.order_id, self.order.wire_id(0), new_unanswered, request)
    }
}

/// Something to be done at a venue.
enum Work {
    /// With the kill switches that were engaged when it was decided.
    Send(WireOrder, u64),
    Cancel(WireCancel),
    Replace(WireReplace),
    Resolve(Resolve),
    /// Says to the engine what is not so: planted bugs only.
    Claim(ReportBody),
    Reconcile,
}

/// One venue's side.
struct Link {
    work: VecDeque<Work>,
    doubts: Vec<Resolve>,
    up: bool,
    barrier_pause: i64,
    next_barrier: Time,
}

/// What lies outside of the process, as the gateway reaches it.
pub(super) struct Outside<'a> {
    pub venues: &'a mut BTreeMap<Mic, Venue>,
    pub quotes: &'a Quotes,
    pub orders: &'a mut Orders,
    pub door: &'a mut VecDeque<Report>,
    pub now: Time,
    pub rng: &'a mut Rng,
    pub rates: &'a Rates,
    pub coverage: &'a mut Coverage,
    pub notes: &'a mut Notes,
    pub kill_epoch: u64,
    pub mutant: Option<Mutant>,
}

impl Outside<'_> {
    fn report(&mut self, venue: Mic, body: ReportBody) {
        self.report_of(venue, self.now, body);
    }

    /// With the time that the venue gave.
    fn report_of(&mut self, venue: Mic, transact_time: Time, body: ReportBody) {
        self.notes.add(|| format!("  gateway at {venue}: {}", Notes::of_report(&body)));
        self.door.push_back(Report { venue, transact_time, body });
    }

    fn with_venue<T>(&mut self, mic: Mic, act: impl FnOnce(&mut Venue, &mut Scene<'_>) -> T) -> Option<T> {
        let venue = self.venues.get_mut(&mic)?;
        let mut scene = Scene { now: self.now, rng: &mut *self.rng, rates: self.rates, coverage: &mut *self.coverage };
        Some(act(venue, &mut scene))
    }

    /// Hands something over, if the line carries it.
    fn hand(&mut self, mic: Mic, message: Message) -> Handed {
        let Some(venue) = self.venues.get_mut(&mic) else { return Handed::NotSent("no such venue".into()) };
        if !venue.line {
            return Handed::NotSent("the line is down".to_owned());
        }
        let (kind, qty) = match &message {
            Message::New(order) => (IntentKind::New, order.order_qty),
            Message::Cancel(_) => (IntentKind::Cancel, Qty::ZERO),
            Message::Replace(request) => (IntentKind::Replace, request.order_qty),
        };
        self.orders.handing(Handing { wire_id: message.wire_id(), kind, qty, now: self.now });
        self.coverage.handed += 1;
        let wire_id = message.wire_id().clone();
        let broken = self.rng.chance(self.rates.broken);
        if !broken || self.rng.chance(500) {
            venue.inbox.push_back(message);
        }
        self.notes.add(|| format!("  {kind} {} leaves for {mic}{}", Notes::short(&wire_id), if broken { ", broken" } else { "" }));
        if broken {
            self.coverage.faults += 1;
            return Handed::Unknown("the send broke off".to_owned());
        }
        Handed::Over
    }

    /// Asks about one order. The question travels behind everything that was handed over before.
    fn query(&mut self, mic: Mic, wire_id: &WireId) -> Answer<Option<VenueOrder>> {
        let waits = self.mutant != Some(Mutant::AskedWithoutBarrier);
        let found = self.ask(mic, |venue, scene| {
            if waits {
                venue.take_all(scene);
            }
            venue.held(wire_id).map(super::venue::Held::told)
        });
        match found {
            Answer::Complete(order) => Answer::Complete(order),
            Answer::Incomplete(_) if self.mutant == Some(Mutant::IncompleteIsEmpty) => Answer::Complete(None),
            Answer::Incomplete(_) => Answer::Incomplete(None),
            Answer::Failed(reason) => Answer::Failed(reason),
        }
    }

    fn ask<T>(&mut self, mic: Mic, question: impl FnOnce(&mut Venue, &mut Scene<'_>) -> T) -> Answer<T> {
        if !self.venues.get(&mic).is_some_and(|venue| venue.line) || self.rng.chance(self.rates.unanswered) {
            return Answer::Failed("no answer".to_owned());
        }
        let Some(answer) = self.with_venue(mic, question) else { return Answer::Failed("no such venue".to_owned()) };
        if self.rng.chance(self.rates.incomplete) {
            self.coverage.faults += 1;
            self.coverage.mark(Mark::Incomplete);
            return Answer::Incomplete(answer);
        }
        Answer::Complete(answer)
    }
}

/// Follows the log for intents.
pub(super) struct Gateway {
    kills_seen: u64,
    legs: BTreeMap<OrderId, WorkingLeg>,
    symbols: BTreeMap<InstrumentId, Symbol>,
    links: BTreeMap<Mic, Link>,
    ready: BTreeMap<Mic, Vec<Work>>,
}

impl Gateway {
    /// Begins with the working legs of `state`. Every venue is reconciled first.
    pub fn start(state: &State) -> Self {
        let symbols: BTreeMap<InstrumentId, Symbol> = state.instruments().iter().map(|i| (i.instrument_id, i.symbol.clone())).collect();
        // One that has ended may work again: its executions can be taken back.
        let working = state.orders_sorted().into_iter().filter(|entry| entry.order.is_leg());
        let legs: BTreeMap<OrderId, WorkingLeg> = working
            .map(|entry| {
                let symbol = symbols.get(&entry.order.instrument_id).cloned().unwrap_or_default();
                let whole_qty = state.order(entry.order.root_order_id).map_or(Qty::ZERO, |root| root.order_qty);
                (entry.order.order_id, WorkingLeg { order: entry.order.clone(), symbol, request: entry.request(), whole_qty })
            })
            .collect();
        let link = |mic: Mic| {
            let doubts = legs.values().filter(|leg| leg.order.venue == Some(mic)).filter_map(WorkingLeg::doubtful).collect();
            Link { work: VecDeque::new(), doubts, up: false, barrier_pause: FIRST_PAUSE, next_barrier: Time(i64::MIN) }
        };
        let links = crate::fixture::VENUES.into_iter().map(|mic| (mic, link(mic))).collect();
        Self { kills_seen: 0, legs, symbols, links, ready: BTreeMap::new() }
    }

    /// Hands every unanswered intent over again: a planted bug.
    pub fn resend(&mut self, state: &State, outside: &mut Outside<'_>) {
        let unanswered: Vec<OrderId> = state.unanswered().map(|(_, order_id)| order_id).collect();
        for leg in unanswered.iter().filter_map(|order_id| self.legs.get(order_id)) {
            let deadline = outside.now;
            let sent = OrderSent { order_id: leg.order.order_id, deadline, ..OrderSent::default() };
            let Some(Work::Send(order, _)) = intent(leg, &sent, 0) else { continue };
            if leg.order.state == OrdState::Unack {
                let mic = leg.order.venue.unwrap_or_default();
                drop(outside.hand(mic, Message::New(order)));
            }
        }
    }

    /// Whether a venue's session counts as up.
    pub fn is_up(&self, mic: Mic) -> bool {
        self.links.get(&mic).is_some_and(|link| link.up)
    }

    /// Whether nothing is left to be asked or handed over.
    pub fn is_idle(&self) -> bool {
        self.links.values().all(|link| link.up && link.work.is_empty() && link.doubts.is_empty())
    }

    /// Reads what is durable, then hands out.
    pub fn follow(&mut self, feed: &mut VecDeque<std::sync::Arc<Batch>>, most: usize, outside: &mut Outside<'_>) {
        for batch in feed.drain(..most.min(feed.len())) {
            for (seq, event) in batch.numbered() {
                self.event(event, seq, batch.time, outside);
            }
        }
        self.hand_out(outside);
    }

    fn event(&mut self, event: &Event, seq: Seq, time: Time, outside: &Outside<'_>) {
        match event {
            Event::OrderCreated(e) => {
                let whole_qty = e.parent_order_id.and_then(|id| self.legs.get(&id)).map_or(e.order_qty, |root| root.order.order_qty);
                let symbol = self.symbols.get(&e.instrument_id).cloned().unwrap_or_default();
                // Roots are kept only by the planted bug that confuses their quantities.
                if e.parent_order_id.is_some() || outside.mutant == Some(Mutant::ReplanOverplaced) {
                    let leg = WorkingLeg { order: Order::create(e, seq, time), symbol, request: None, whole_qty };
                    self.legs.insert(e.order_id, leg);
                }
                return;
            }
            Event::InstrumentListed(e) => drop(self.symbols.insert(e.instrument_id, e.symbol.clone())),
            Event::KillSwitchEngaged(_) => self.kills_seen += 1,
            Event::BrokerDisconnected(e) => self.push(e.venue, Work::Reconcile),
            _ => (),
        }
        let Some(order_id) = event.order_id() else { return };
        let kills = self.kills_seen;
        let Some(leg) = self.legs.get_mut(&order_id) else { return };
        leg.order.apply(event, time);
        let Some(venue) = leg.order.venue else { return };
        let mut work = None;
        match event {
            Event::OrderSent(e) => {
                if e.intent != IntentKind::New {
                    leg.request = Some((e.intent, e.revision));
                }
                work = intent(leg, e, kills);
                if let (Some(Mutant::ReplanOverplaced), Some(Work::Send(order, _))) = (outside.mutant, work.as_mut()) {
                    order.order_qty = leg.whole_qty;
                }
                if let Some(Work::Send(order, _)) = work.as_mut()
                    && order.ord_type == OrdType::PreviouslyQuoted
                {
                    if outside.mutant == Some(Mutant::QuotedPriceMoved) {
                        order.price = order.price.and_then(|price| price.checked_add(crate::fixture::dec("0.01")));
                    }
                    outside.quotes.hold_dealt(leg.order.root_order_id, venue, order.side.is_buy(), order.price);
                }
            }
            Event::CancelRejected(_) | Event::OrderReplaced(_) | Event::ReplaceRejected(_) => leg.request = None,
            // It works again as far as we know; whether it does at its venue is asked.
            Event::OrderFillAdjusted(e) if e.qty.is_negative() && !e.state.is_done() && leg.request.is_none() => {
                work = Some(Work::Resolve(leg.question()));
            }
            Event::OrderInDoubt(e) => {
                let timeout = e.intent == IntentKind::New && e.reason.contains("in time");
                work = if timeout && outside.mutant == Some(Mutant::TimeoutIsReject) {
                    Some(Work::Claim(ReportBody::Rejected { wire_id: leg.order.wire_id(0), text: "no answer".into() }))
                } else {
                    leg.doubtful().map(Work::Resolve)
                };
            }
            _ => (),
        }
        if leg.order.state.is_done() {
            // The end of the order answers whatever was asked; but a whole execution can be taken back.
            leg.request = leg.request.filter(|(intent, _)| leg.order.state == OrdState::Filled && *intent == IntentKind::Replace);
        }
        let done = leg.order.state.is_done() && leg.order.extras.doubt.is_none();
        let not_sent = matches!(event, Event::OrderRejected(e) if e.by == EndedBy::NotSent);
        let forgets = outside.mutant == Some(Mutant::EndedLegForgotten);
        if matches!(event, Event::OrderClosed(_)) || (done && !not_sent && forgets) {
            self.legs.remove(&order_id);
        }
        if let Some(work) = work {
            self.push(venue, work);
        }
    }

    fn push(&mut self, venue: Mic, work: Work) {
        self.ready.entry(venue).or_default().push(work);
    }

    /// What was read goes to the venues' sides; a kill switch that is decided and not yet seen here stops new orders.
    fn hand_out(&mut self, outside: &mut Outside<'_>) {
        let killed = outside.kill_epoch != self.kills_seen;
        for (venue, work) in std::mem::take(&mut self.ready) {
            let Some(link) = self.links.get_mut(&venue) else { continue };
            for work in work {
                match work {
                    Work::Send(order, _) if killed => keep_back(venue, order.wire_id, outside),
                    work => link.work.push_back(work),
                }
            }
        }
    }

    /// One turn of a venue's side: reconcile, hand over, ask.
    pub fn work(&mut self, mic: Mic, outside: &mut Outside<'_>) {
        // A doubt that was answered and is not settled here yet counts too: the session may have broken in between.
        let working = |leg: &&WorkingLeg| leg.order.venue == Some(mic) && !leg.order.state.is_done();
        let live: Vec<Resolve> = self.legs.values().filter(working).map(WorkingLeg::question).collect();
        let Some(link) = self.links.get_mut(&mic) else { return };
        if !link.up {
            link.reconcile(mic, &live, outside);
        }
        while let Some(work) = link.work.pop_front() {
            link.handle(mic, work, outside);
        }
        if link.up {
            link.ask_due(mic, outside);
        }
    }
}

fn keep_back(venue: Mic, wire_id: WireId, outside: &mut Outside<'_>) {
    outside.coverage.mark(Mark::KeptBack);
    let reason = "a kill switch was engaged".to_owned();
    outside.report(venue, ReportBody::NotSent { wire_id, intent: IntentKind::New, reason });
}

/// What a venue is handed for an intent.
fn intent(leg: &WorkingLeg, sent: &OrderSent, kills: u64) -> Option<Work> {
    let order = &leg.order;
    let (wire_id, deadline) = (order.wire_id(sent.revision), sent.deadline);
    let orig_wire_id = order.wire_id(order.venue_revision);
    Some(match sent.intent {
        IntentKind::New => {
            let (side, ord_type, order_qty, price, stop_px) =
                (order.side, order.ord_type, order.order_qty, order.price, order.extras.stop_px);
            let (instrument, symbol, time_in_force) = (order.instrument_id, leg.symbol.clone(), order.time_in_force);
            let expire_at = order.expire_at;
            let (cash_order_qty, quote_ref) =
                (order.cash_order_qty(), order.extras.basis.as_deref().and_then(|basis| basis.quote_ref.clone()));
            let order = WireOrder {
                wire_id,
                instrument,
                symbol,
                side,
                ord_type,
                order_qty,
                cash_order_qty,
                quote_ref,
                price,
                stop_px,
                time_in_force,
                expire_at,
                deadline,
            };
            Work::Send(order, kills)
        }
        IntentKind::Cancel => Work::Cancel(WireCancel { wire_id, orig_wire_id, deadline }),
        IntentKind::Replace => {
            let terms = sent.terms?;
            let (order_qty, price, stop_px) = (terms.order_qty, terms.price, terms.stop_px);
            Work::Replace(WireReplace { wire_id, orig_wire_id, order_qty, price, stop_px, deadline })
        }
    })
}
