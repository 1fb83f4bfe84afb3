//! What other rules would have decided: a follower of the log that judges every order again, and touches none.
//!
//! - It keeps a state of its own, in which the orders that its rules refuse never were. So the next order is judged
//!   against what would have been there, and not against what was.
//! - It needs the log alone: the gate's record says which market it saw, a route decision what it knew of each venue.
//! - Where it would have let through what was refused, nobody knows what would have come of it: that is told, and the
//!   order stays refused. A replace that it would have refused is told, and followed as it went. Orders of a list stand
//!   and fall together; orders of an atomic batch are judged one by one.
//! - Where an order that never was is worked in a group, the group's executions are left out, and the other members
//!   stay open at their worst.

mod route;

use crate::decide::create::risk_context;
pub use crate::decide::shadow::rules;
use crate::state::{Entry, State};
use foldhash::fast::FixedState;
use hashbrown::HashSet;
use oms_model::compliance::HoldReason;
use oms_model::event::{Batch, Event, Leg, OrderCreated, RiskChecked, RouteDecided, ThrottleTripped};
use oms_model::limit::{Check, Verdict};
use oms_model::order::Terms;
use oms_model::shadow::Rule;
use oms_model::{Code, Order, OrderId, Price, Seq, Time};
pub use oms_risk::Refused;
use oms_risk::{Gate, Hours, Opening, Proposal, Proposed, Reservation, RiskContext};

/// Orders that the rules would have refused, beyond which a shadow judges no more.
pub const MAX_REFUSED: usize = 100_000;

/// What would have been different about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It would have been refused.
    Refused(Box<Refused>),
    /// It would have passed the gate; it was refused with this code.
    Passed(Code),
    /// It would have waited.
    Held(HoldReason),
    /// It would not have waited.
    NotHeld(HoldReason),
    /// The replace to these terms would have been refused.
    ReplaceRefused(Terms, Box<Refused>),
    /// It would have gone elsewhere.
    Routed {
        /// Where it went.
        was: Vec<Leg>,
        /// Where it would have gone; the legs have no ids.
        would: Vec<Leg>,
    },
}

/// An order that would have been treated otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    /// The event that would have been another one.
    pub seq: Seq,
    /// When.
    pub time: Time,
    /// The order as it stood then.
    pub order: Box<Order>,
    /// What would have been different.
    pub difference: Difference,
}

/// Rules beside the log.
#[derive(Clone, Debug)]
pub struct Shadow {
    state: State,
    rules: Vec<Rule>,
    /// Orders that never were, and everything below them.
    gone: HashSet<OrderId, FixedState>,
    last_seq: Seq,
    judged: u64,
    refused: usize,
}

/// One event of a batch, and the batch.
#[derive(Clone, Copy)]
struct Place<'a> {
    batch: &'a Batch,
    seq: Seq,
}

impl Shadow {
    /// Rules that hold from `state` on, as [`rules`] makes them of commands.
    #[must_use]
    pub fn begin(state: State, rules: Vec<Rule>) -> Self {
        let (last_seq, time) = (state.last_seq(), state.time());
        let mut shadow = Self { state, rules, gone: HashSet::default(), last_seq, judged: 0, refused: 0 };
        for rule in shadow.rules.clone() {
            shadow.apply(time, &rule.event());
        }
        shadow
    }

    /// How far in the log it came.
    #[must_use]
    pub fn last_seq(&self) -> Seq {
        self.last_seq
    }
    /// When that was.
    #[must_use]
    pub fn time(&self) -> Time {
        self.state.time()
    }
    /// How many orders and replaces it judged.
    #[must_use]
    pub fn judged(&self) -> u64 {
        self.judged
    }
    /// Whether it would have refused so many orders that it judges no more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.refused >= MAX_REFUSED
    }

    /// Follows the next batch of the log; what would have been different is appended to `found`.
    ///
    /// # Panics
    /// Where the batch is not the next one.
    pub fn follow(&mut self, batch: &Batch, found: &mut Vec<Affected>) {
        assert_eq!(batch.first_seq, self.last_seq.next(), "batches are followed without a gap");
        self.last_seq = batch.last_seq();
        if self.is_full() {
            return;
        }
        let mut passing: Option<(OrderId, Option<Price>)> = None;
        for (seq, event) in batch.numbered() {
            if self.never_was(event) {
                continue;
            }
            let place = Place { batch, seq };
            match event {
                Event::OrderCreated(e) if e.parent_order_id.is_none() => {
                    passing = self.created(place, e, event, found).map(|worst| (e.order_id, worst));
                }
                Event::RiskChecked(e) => match passing.take().filter(|(order_id, _)| *order_id == e.order_id) {
                    Some((order_id, worst_price)) => {
                        let checked = RiskChecked { order_id, worst_price, ..RiskChecked::default() };
                        self.apply(batch.time, &Event::RiskChecked(Box::new(checked)));
                    }
                    None => {
                        self.replaced(place, e, found);
                        self.apply(batch.time, event);
                    }
                },
                Event::RouteDecided(e) => {
                    self.routed(place, e, found);
                    self.apply(batch.time, event);
                }
                // An answer to a client; nothing is decided by it here.
                Event::IdempotencyRecorded(_) => (),
                _ if self.is_covered(event) => (),
                _ => self.apply(batch.time, event),
            }
        }
    }

    /// The state that counts its own events.
    fn apply(&mut self, time: Time, event: &Event) {
        self.state.apply(self.state.next_seq(), time, event);
    }

    /// Whether an event is about an order that never was. What comes to be below one never is either.
    fn never_was(&mut self, event: &Event) -> bool {
        if self.gone.is_empty() {
            return false;
        }
        match event {
            Event::OrderCreated(e) if self.gone.contains(&e.root_order_id) => {
                self.gone.insert(e.order_id);
                true
            }
            Event::OrdersGrouped(e) if e.members.iter().any(|member| self.gone.contains(&member.order_id)) => {
                self.gone.insert(e.group_order_id);
                true
            }
            _ => event.order_id().is_some_and(|order_id| self.gone.contains(&order_id)),
        }
    }

    /// Whether a rule here is about the same thing, so that it holds instead.
    fn is_covered(&self, event: &Event) -> bool {
        // A rule is about no order.
        event.order_id().is_none() && self.rules.iter().any(|rule| rule.covers(event))
    }

    /// Judges a new order. The worst price that it is reserved at, where its own record is to be folded next.
    fn created(&mut self, place: Place<'_>, created: &OrderCreated, event: &Event, found: &mut Vec<Affected>) -> Option<Option<Price>> {
        let Place { batch, seq } = place;
        let Some(checked) = checked(batch, created.order_id) else {
            // It did not come as far as the gate.
            self.apply(batch.time, event);
            return None;
        };
        let order = Order::create(created, seq, batch.time);
        let gate = self.list_gate(place, &order).unwrap_or_else(|| self.gate(self.state.risk(), &order, checked, batch.time));
        self.judged += 1;
        let was = checked.results.iter().find(|result| result.verdict == Verdict::Fail).and_then(|result| result.code);
        let tell = |difference| Affected { seq, time: batch.time, order: Box::new(order.clone()), difference };
        if let Some((scope, value, limit)) = gate.trips {
            self.apply(batch.time, &Event::ThrottleTripped(ThrottleTripped { scope, value, limit }));
        }
        let worst = match (was, gate.verdict) {
            (None, Err(refused)) => {
                found.push(tell(Difference::Refused(Box::new(refused))));
                self.gone.insert(order.order_id);
                self.refused += 1;
                return None;
            }
            (Some(code), Ok(_)) => {
                found.push(tell(Difference::Passed(code)));
                None
            }
            (Some(_), Err(_)) => None,
            (None, Ok(_)) => {
                let held = held(batch, order.order_id);
                match (held, gate.hold) {
                    (None, Some(reason)) => found.push(tell(Difference::Held(reason))),
                    (Some(reason), None) => found.push(tell(Difference::NotHeld(reason))),
                    _ => (),
                }
                gate.worst_price
            }
        };
        self.apply(batch.time, event);
        Some(worst)
    }

    fn gate(&self, book: &oms_risk::RiskBook, order: &Order, checked: &RiskChecked, now: Time) -> Gate {
        let market = checked.seen.unwrap_or_default().to_market();
        let hours = hours(checked);
        book.check(&Proposed::of(order), &RiskContext { hours, ..risk_context(&self.state, order, &market, now) })
    }

    /// For an order of a list: the gate's answer to it, where it takes them all, or to the first of the list that it
    /// does not take.
    fn list_gate(&self, place: Place<'_>, order: &Order) -> Option<Gate> {
        let list_id = order.list_id()?;
        // Where the first of them is gone, none of them was folded.
        let from = if self.gone.contains(&list_id) { place.batch.first_seq } else { place.seq };
        let mut book = self.state.risk().clone();
        let mut own = None;
        for (seq, event) in place.batch.numbered().filter(|(seq, _)| *seq >= from) {
            let Event::OrderCreated(created) = event else { continue };
            if created.parent_order_id.is_some() {
                continue;
            }
            let one = Order::create(created, seq, place.batch.time);
            let Some(checked) = checked(place.batch, one.order_id).filter(|_| one.list_id() == Some(list_id)) else { continue };
            let gate = self.gate(&book, &one, checked, place.batch.time);
            if gate.verdict.is_err() {
                return Some(gate);
            }
            let valuation = self.state.risk_valuation(one.instrument_id).0;
            book.on_checked(&one, gate.worst_price, place.batch.time, &mut Reservation { valuation, ..Reservation::default() });
            own = own.or(Some(gate));
        }
        own
    }

    /// Judges a replace that was let through.
    fn replaced(&mut self, place: Place<'_>, checked: &RiskChecked, found: &mut Vec<Affected>) {
        let Place { batch, seq } = place;
        let (Some(seen), Some(terms)) = (checked.seen, asked_for(batch, checked.order_id)) else { return };
        let Some(entry) = self.state.entry(checked.order_id) else { return };
        self.judged += 1;
        let (order, reserved) = (&entry.order, Entry::reserved(entry));
        let acknowledged = checked.results.iter().any(|result| result.verdict == Verdict::Warn);
        let market = seen.to_market();
        let context = risk_context(&self.state, order, &market, batch.time);
        let gate = self.state.risk().check_replace(order, &reserved, Proposal { terms, acknowledged }, &context);
        if let Err(refused) = gate.verdict {
            let difference = Difference::ReplaceRefused(terms, Box::new(refused));
            found.push(Affected { seq, time: batch.time, order: Box::new(order.clone()), difference });
        }
    }

    /// Decides again where an order goes that is placed for the first time, where the rules say anything about that.
    fn routed(&mut self, place: Place<'_>, decided: &RouteDecided, found: &mut Vec<Affected>) {
        let Some(order) = self.state.order(decided.order_id).filter(|_| route::concerns(&self.rules, decided)) else { return };
        let Some(would) = route::again(&self.state, order, decided, place.batch.time) else { return };
        let legs =
            |legs: &[Leg]| -> Vec<Leg> { legs.iter().map(|leg| Leg { order_id: OrderId::default(), aggressive: false, ..*leg }).collect() };
        if legs(&decided.legs) != would {
            let difference = Difference::Routed { was: decided.legs.clone(), would };
            found.push(Affected { seq: place.seq, time: place.batch.time, order: Box::new(order.clone()), difference });
        }
    }
}

/// The gate's record of an order in the batch that created it.
fn checked(batch: &Batch, order_id: OrderId) -> Option<&RiskChecked> {
    batch.events.iter().find_map(|event| match event {
        Event::RiskChecked(e) if e.order_id == order_id => Some(&**e),
        _ => None,
    })
}

/// The hours that the gate was told: settings of the desk, of which its record has what came of them.
fn hours(checked: &RiskChecked) -> Hours {
    let found = |check: Check| checked.results.iter().find(|result| result.check == check);
    let market = match found(Check::MarketHours).map(|result| (result.verdict, result.until)) {
        Some((_, Some(at))) => Opening::At(at),
        // After the cut-off of orders on the close there is no market for them either.
        Some((Verdict::Fail, None)) => Opening::Never,
        _ => Opening::Open,
    };
    Hours { market, on_close: None, maintenance: found(Check::BrokerMaintenance).and_then(|result| result.until) }
}

/// Why an order of the batch waits.
fn held(batch: &Batch, order_id: OrderId) -> Option<HoldReason> {
    batch.events.iter().find_map(|event| match event {
        Event::OrderHeld(e) if e.order_id == order_id => Some(e.reason),
        _ => None,
    })
}

/// The terms that a replace of the batch asks for.
fn asked_for(batch: &Batch, order_id: OrderId) -> Option<Terms> {
    batch.events.iter().find_map(|event| match event {
        Event::OrderReplaceRequested(e) if e.order_id == order_id => Some(e.terms),
        _ => None,
    })
}
