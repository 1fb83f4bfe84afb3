//! What a venue answers when it is asked.
//!
//! A question travels behind every request that was handed over before it: the answer knows them
//! all, so "never seen" means that they never arrived and never will.

use oms_model::report::VenueFill;
use oms_model::{Time, WireId};
use oms_runtime::port::{Answer, VenueOrder, VenueState};

use super::PaperVenue;
use super::faults::Link;
use super::order::{Order, broker_order_id};

impl PaperVenue {
    /// The order that was first sent as `wire_id`.
    pub fn query(&mut self, now: Time, wire_id: &WireId) -> Answer<Option<VenueOrder>> {
        if let Err(reason) = self.barrier(now) {
            return Answer::Failed(reason);
        }
        let number = self.known.get(wire_id).copied().unwrap_or(0);
        let found = self.order(number).filter(|order| order.first == *wire_id).map(|order| self.told(order));
        if self.rng.chance(self.faults.incomplete_ppm) {
            return Answer::Incomplete(None);
        }
        Answer::Complete(found)
    }

    /// Every order that works here.
    pub fn open_orders(&mut self, now: Time) -> Answer<Vec<VenueOrder>> {
        if let Err(reason) = self.barrier(now) {
            return Answer::Failed(reason);
        }
        let mut open: Vec<_> = self.working.iter().filter_map(|&n| self.order(n)).map(|o| self.told(o)).collect();
        if self.rng.chance(self.faults.incomplete_ppm) {
            open.truncate(open.len() / 2);
            return Answer::Incomplete(open);
        }
        Answer::Complete(open)
    }

    /// Every execution since `since`, that instant included.
    pub fn executions_since(&mut self, now: Time, since: Time) -> Answer<Vec<(WireId, Time, VenueFill)>> {
        if let Err(reason) = self.barrier(now) {
            return Answer::Failed(reason);
        }
        let first = self.executions.partition_point(|execution| execution.at < since);
        let told = |execution: &super::Execution| {
            let order = self.order(execution.number)?;
            Some((order.first.clone(), execution.at, execution.fill.clone()))
        };
        let mut found: Vec<_> = self.executions.iter().skip(first).filter_map(told).collect();
        if self.rng.chance(self.faults.incomplete_ppm) {
            found.truncate(found.len() / 2);
            return Answer::Incomplete(found);
        }
        Answer::Complete(found)
    }

    /// Lets everything that was handed over before arrive.
    fn barrier(&mut self, now: Time) -> Result<(), String> {
        self.session()?;
        if self.faults.link == Link::HalfOpen {
            return Err("no answer".to_owned());
        }
        self.expire_until(now);
        for (_, request) in self.courier.take_in_flight() {
            self.decide(now, request);
            self.commit();
        }
        // Deciding may have broken the venue (its ledger).
        self.session()
    }

    fn told(&self, order: &Order) -> VenueOrder {
        let fill = |&at: &u32| {
            let execution = self.executions.get(usize::try_from(at).ok()?)?;
            Some((execution.at, execution.fill.clone()))
        };
        VenueOrder {
            wire_id: order.first.clone(),
            broker_order_id: broker_order_id(self.profile.mic, order.number),
            state: order.state,
            order_qty: order.qty,
            price: order.price,
            fills: order.fills.iter().filter_map(fill).collect(),
            requests: order.requests.clone(),
        }
    }

    /// Whether the order first sent as `wire_id` works here; for rigs that look behind the line.
    #[must_use]
    pub fn state_of(&self, wire_id: &WireId) -> Option<VenueState> {
        let number = *self.known.get(wire_id)?;
        self.order(number).filter(|order| order.first == *wire_id).map(|order| order.state)
    }
}
