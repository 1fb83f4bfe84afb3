//! The way to a venue and back: latency, order of arrival, and what is lost on it.

use std::collections::{BTreeMap, VecDeque};

use oms_model::Time;
use oms_model::report::Report;

use super::faults::{Faults, Link};
use super::prng::Prng;
use super::profile::VenueProfile;
use super::request::Request;

/// Requests under way to one venue at most; beyond it handing over is refused.
pub(super) const MAX_IN_FLIGHT: usize = 8192;

/// Requests on their way to the venue and answers on their way back.
#[derive(Debug, Default)]
pub(super) struct Courier {
    inbox: VecDeque<(Time, Request)>,
    outbox: BTreeMap<(Time, u64), Report>,
    /// What our end of the line knows by itself; it does not travel.
    local: VecDeque<Report>,
    last_in: Time,
    last_out: Time,
    sent: u64,
}

impl Courier {
    pub(super) fn is_full(&self) -> bool {
        self.inbox.len() >= MAX_IN_FLIGHT
    }

    /// Starts a request on its way. Requests never overtake each other.
    pub(super) fn send(&mut self, now: Time, request: Request, way_ns: u64) {
        let arrival = plus(now, way_ns).max(self.last_in);
        self.last_in = arrival;
        self.inbox.push_back((arrival, request));
    }

    /// The next request that has arrived at `now`.
    pub(super) fn arrived(&mut self, now: Time) -> Option<(Time, Request)> {
        if self.inbox.front()?.0 > now {
            return None;
        }
        self.inbox.pop_front()
    }

    /// Every request that is under way, in order.
    pub(super) fn take_in_flight(&mut self) -> VecDeque<(Time, Request)> {
        std::mem::take(&mut self.inbox)
    }

    /// Starts an answer on its way back, with the faults that befall it.
    pub(super) fn answer(&mut self, now: Time, report: Report, way_ns: u64, faults: &Faults, rng: &mut Prng) {
        if faults.link != Link::Up || rng.chance(faults.lost_ppm) {
            return;
        }
        let mut due = plus(now, way_ns).max(self.last_out);
        if rng.chance(faults.late_ppm) {
            due = plus(due, faults.late_ns);
        }
        let duplicate = rng.chance(faults.duplicate_ppm);
        if rng.chance(faults.reorder_ppm) {
            // It alone is held up; what follows overtakes it.
            due = plus(due, way_ns.saturating_mul(1 + rng.below(8)));
        } else {
            self.last_out = due;
        }
        if duplicate {
            self.put(plus(due, rng.below(way_ns.saturating_mul(4).max(1))), report.clone());
        }
        self.put(due, report);
    }

    /// Tells what our end of the line knows by itself.
    pub(super) fn tell(&mut self, report: Report) {
        self.local.push_back(report);
    }

    /// The line breaks: no answer that is under way arrives.
    pub(super) fn lose_answers(&mut self) {
        self.outbox.clear();
    }

    fn put(&mut self, due: Time, report: Report) {
        self.sent += 1;
        self.outbox.insert((due, self.sent), report);
    }

    /// The next answer that is due at `now`.
    pub(super) fn due(&mut self, now: Time) -> Option<Report> {
        if let Some(report) = self.local.pop_front() {
            return Some(report);
        }
        let entry = self.outbox.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }

    /// When a request arrives or an answer is due next. `Some(Time(i64::MIN))`: at once.
    pub(super) fn next_due(&self) -> Option<Time> {
        if !self.local.is_empty() {
            return Some(Time(i64::MIN));
        }
        let inbound = self.inbox.front().map(|(at, _)| *at);
        let outbound = self.outbox.first_key_value().map(|((at, _), _)| *at);
        [inbound, outbound].into_iter().flatten().min()
    }
}

/// One way's latency.
pub(super) fn way_ns(profile: &VenueProfile, faults: &Faults, rng: &mut Prng) -> u64 {
    let spread = rng.below(profile.jitter_ns.saturating_mul(2).saturating_add(1));
    let round_trip = profile.latency_ns.saturating_add(spread).saturating_sub(profile.jitter_ns);
    (round_trip / 2).saturating_add(faults.spike_ns)
}

fn plus(time: Time, ns: u64) -> Time {
    time.plus(i64::try_from(ns).unwrap_or(i64::MAX))
}
