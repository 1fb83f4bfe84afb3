//! A paper venue: takes orders, matches them against a replayed market, answers like a venue.
//!
//! - Sans I/O and deterministic: time comes in, reports come out, chance is seeded. The same seed
//!   and the same calls give the same reports. Only the [`ledger`] touches the outside, before an
//!   answer leaves.
//! - A ClOrdID is taken once, for ever. The second is refused and counted as a duplicate.
//! - Every request is recorded before its answer leaves, so a query is answered truthfully also
//!   after the process was killed.
//! - What was decided here stands, whatever the line does to the answer.
//!
//! How orders are filled is described in `paper/matching.rs`; what is dealt without a book - funds and accepted quotes -
//! in `paper/dealt.rs`.

mod answer;
mod book;
mod courier;
mod dealt;
mod decide;
pub mod faults;
pub mod ledger;
mod matching;
mod order;
pub mod prng;
pub mod profile;
pub mod request;
mod restore;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::quality::FixedState;
use oms_model::report::{Report, ReportBody, VenueFill};
use oms_model::{QuoteRef, Side, Symbol, Time, WireId};
use oms_runtime::port::{Handed, VenueState};

use crate::replay::Shown;
use book::Book;
use courier::{Courier, way_ns};
pub use dealt::Offer;
use faults::{Faults, Link};
use ledger::{Ledger, LedgerError, LedgerRecord};
use order::Order;
use prng::Prng;
use profile::VenueProfile;
use request::Request;

/// Orders that a venue keeps at most; beyond it new ones are refused.
pub const MAX_ORDERS: usize = 8_000_000;

/// Counts since the ledger began, except where said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VenueStats {
    /// New orders taken.
    pub accepted: u64,
    /// New orders refused.
    pub rejected: u64,
    /// Executions.
    pub fills: u64,
    /// New orders and replaces whose ClOrdID had been seen before. Above zero means that
    /// something was sent twice.
    pub duplicates_seen: u64,
    /// Cancel requests whose ClOrdID had been seen before: harmless, but not silent.
    pub repeated_cancels: u64,
    /// Requests that the line lost before the venue took them, since start.
    pub lost_requests: u64,
}

/// An execution as the venue keeps it.
#[derive(Clone, Debug)]
struct Execution {
    at: Time,
    number: u64,
    fill: VenueFill,
}

/// A paper venue. See the module.
pub struct PaperVenue {
    profile: VenueProfile,
    faults: Faults,
    rng: Prng,
    courier: Courier,
    ledger: Box<dyn Ledger>,
    /// Set when the ledger could not be written: the venue stands still, as if unplugged.
    broken: Option<String>,
    /// A half-open line has lost a request: what follows on it is lost too.
    half_open_lost: bool,
    books: BTreeMap<Symbol, Book>,
    /// Funds: their orders wait for a valuation and meet no quote.
    funds: BTreeSet<Symbol>,
    /// What was offered to us and not taken yet, by the dealer's own id of the quote.
    offers: BTreeMap<QuoteRef, Offer>,
    /// By number - 1.
    orders: Vec<Order>,
    /// Every ClOrdID ever seen, with the number of its order; 0 where the order is unknown.
    known: HashMap<WireId, u64, FixedState>,
    working: BTreeSet<u64>,
    expiries: BTreeSet<(Time, u64)>,
    executions: Vec<Execution>,
    priorities: u64,
    stats: VenueStats,
    /// The venue's clock: the latest time it was told.
    clock: Time,
    staged: Staged,
}

/// What the request at hand has led to, not yet recorded.
#[derive(Debug, Default)]
struct Staged {
    records: Vec<u8>,
    reports: Vec<Report>,
    /// Sides of which we took displayed size.
    taken: BTreeSet<(Symbol, Side)>,
    published: Vec<(Symbol, Side, Option<Shown>)>,
}

impl PaperVenue {
    /// Opens a venue on its ledger, with what the ledger holds.
    ///
    /// # Errors
    /// Records that do not follow from each other.
    pub fn open(profile: VenueProfile, seed: u64, ledger: Box<dyn Ledger>, records: &[LedgerRecord]) -> Result<Self, LedgerError> {
        // Differs by venue, so that eight venues on one seed do not stumble at the same moment,
        // and by restart, so that a restarted venue does not repeat its luck.
        let seed = seed ^ u64::from(profile.mic.as_u32()) << 20 ^ records.len() as u64;
        let mut venue = Self {
            profile,
            faults: Faults::none(),
            rng: Prng::new(seed),
            courier: Courier::default(),
            ledger,
            broken: None,
            half_open_lost: false,
            books: BTreeMap::new(),
            funds: BTreeSet::new(),
            offers: BTreeMap::new(),
            orders: Vec::new(),
            known: HashMap::default(),
            working: BTreeSet::new(),
            expiries: BTreeSet::new(),
            executions: Vec::new(),
            priorities: 0,
            stats: VenueStats::default(),
            clock: Time(i64::MIN),
            staged: Staged::default(),
        };
        venue.restore(records)?;
        Ok(venue)
    }

    /// Its parameters.
    #[must_use]
    pub fn profile(&self) -> &VenueProfile {
        &self.profile
    }

    /// Its counts.
    #[must_use]
    pub fn stats(&self) -> VenueStats {
        self.stats
    }

    /// Orders that work.
    #[must_use]
    pub fn working_orders(&self) -> usize {
        self.working.len()
    }

    /// The fault switches as they stand.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.faults
    }

    /// Whether the session can be used, and why not.
    ///
    /// # Errors
    /// The reason.
    pub fn session(&self) -> Result<(), String> {
        if let Some(reason) = &self.broken {
            return Err(reason.clone());
        }
        match self.faults.link {
            Link::Up | Link::HalfOpen => Ok(()),
            Link::Down => Err("session down".to_owned()),
        }
    }

    /// Lists an instrument: orders in others are refused.
    pub fn list(&mut self, symbol: &Symbol) {
        self.books.entry(symbol.clone()).or_default();
    }

    /// Hands a request over. It arrives after half of the venue's latency.
    pub fn submit(&mut self, now: Time, request: Request) -> Handed {
        if let Err(reason) = self.session() {
            return Handed::NotSent(reason);
        }
        if request.wire_id().as_str().is_empty() {
            return Handed::NotSent("no ClOrdID".to_owned());
        }
        if self.courier.is_full() {
            return Handed::NotSent("too many requests under way".to_owned());
        }
        let half_open = self.faults.link == Link::HalfOpen;
        let broken = self.rng.chance(self.faults.broken_send_ppm);
        let arrives = !(half_open && self.half_open_lost) && (!(half_open || broken) || self.rng.chance(self.faults.accepted_in_doubt_ppm));
        if arrives {
            let way = way_ns(&self.profile, &self.faults, &mut self.rng);
            self.courier.send(now, request, way);
        } else {
            self.stats.lost_requests += 1;
            self.half_open_lost |= half_open;
        }
        if broken { Handed::Unknown("connection broke while sending".to_owned()) } else { Handed::Over }
    }

    /// Sets the fault switches. When the line breaks, requests under way are lost from some point
    /// on, and answers under way altogether.
    pub fn set_faults(&mut self, now: Time, faults: Faults) {
        let before = std::mem::replace(&mut self.faults, faults).link;
        if before == faults.link {
            return;
        }
        self.courier.lose_answers();
        let mut lost = self.half_open_lost;
        for (_, request) in self.courier.take_in_flight() {
            // Those on a half-open line have had their draw when they were sent.
            let certain = before == Link::HalfOpen;
            lost |= !certain && !self.rng.chance(faults.accepted_in_doubt_ppm);
            if lost {
                self.stats.lost_requests += 1;
            } else {
                self.decide(now, request);
                self.commit_unheard();
            }
        }
        self.half_open_lost = false;
        // That it is up again is not for the port to say: whoever uses it reconciles first.
        let reason = match (before, faults.link) {
            (_, Link::Down) => "connection lost",
            (Link::HalfOpen, Link::Up) => "heartbeat missed",
            (Link::Up | Link::Down, Link::Up | Link::HalfOpen) | (Link::HalfOpen, Link::HalfOpen) => return,
        };
        self.tell(now, ReportBody::SessionDown { reason: reason.to_owned() });
    }

    /// A row of the venue's own quote.
    pub fn on_quote(&mut self, now: Time, symbol: &Symbol, side: Side, shown: Option<Shown>) {
        self.pass(now);
        self.quote(symbol, side, shown);
        // The row itself is published by whoever replays it; only what we take of it is news.
        self.commit();
    }

    /// A consolidated last sale; `here` when it was printed at this venue. Every last sale elects
    /// stops, those printed here fill resting orders.
    pub fn on_last_sale(&mut self, now: Time, symbol: &Symbol, traded: Shown, here: bool) {
        self.pass(now);
        if here {
            self.trade(symbol, traded);
        }
        self.elect(symbol, traded.price);
        self.commit();
    }

    /// Lets time pass: requests arrive, GTD orders expire.
    pub fn advance(&mut self, now: Time) {
        while let Some((at, request)) = self.courier.arrived(now) {
            self.expire_until(at);
            self.decide(at, request);
            self.answer_staged();
        }
        // What has arrived by now is recorded together: none of its answers is polled before.
        self.record_staged();
        self.expire_until(now);
    }

    /// The session ends: DAY orders expire.
    pub fn end_session(&mut self, now: Time) {
        self.advance(now);
        self.pass(now);
        let day = |number: &u64| self.order(*number).is_some_and(|o| o.time_in_force == oms_model::TimeInForce::Day);
        let ended: Vec<u64> = self.working.iter().copied().filter(day).collect();
        for number in ended {
            self.expire(number);
        }
        self.commit();
    }

    /// The next report that is due at `now`.
    pub fn poll(&mut self, now: Time) -> Option<Report> {
        self.courier.due(now)
    }

    /// When [`PaperVenue::advance`], [`PaperVenue::poll`] or [`PaperVenue::take_published`] have
    /// something next; `Time(i64::MIN)` is at once.
    #[must_use]
    pub fn next_due(&self) -> Option<Time> {
        if !self.staged.published.is_empty() {
            return Some(Time(i64::MIN));
        }
        let expiry = self.expiries.first().map(|(at, _)| *at);
        [self.courier.next_due(), expiry].into_iter().flatten().min()
    }

    /// Displayed quotes that we changed by taking from them, since last asked.
    pub fn take_published(&mut self) -> Vec<(Symbol, Side, Option<Shown>)> {
        std::mem::take(&mut self.staged.published)
    }

    fn expire_until(&mut self, now: Time) {
        while let Some(&(at, number)) = self.expiries.first() {
            if at > now {
                break;
            }
            self.pass(at);
            self.expire(number);
            self.commit();
        }
    }

    fn expire(&mut self, number: u64) {
        if let Some(order) = self.end(number, VenueState::Expired) {
            let wire_id = order.current.clone();
            self.record(&LedgerRecord::Expired { at: self.clock, number });
            self.stage(ReportBody::Expired { wire_id });
        }
    }

    /// The clock never goes back, whatever the order in which events are fed.
    fn pass(&mut self, now: Time) {
        self.clock = self.clock.max(now);
    }

    fn tell(&mut self, now: Time, body: ReportBody) {
        self.courier.tell(Report { venue: self.profile.mic, transact_time: now, body });
    }

    fn record(&mut self, record: &LedgerRecord) {
        ledger::encode(record, &mut self.staged.records);
    }

    fn stage(&mut self, body: ReportBody) {
        self.staged.reports.push(Report { venue: self.profile.mic, transact_time: self.clock, body });
    }

    /// Records what was staged. Where that fails the answers to it are lost with all others on their way.
    fn record_staged(&mut self) {
        if self.staged.records.is_empty() {
            return;
        }
        let outcome = match self.broken {
            None => self.ledger.append(&self.staged.records),
            Some(_) => Ok(()),
        };
        self.staged.records.clear();
        if let Err(error) = outcome {
            // Nothing of it has left, and nothing will: after a restart it never happened.
            tracing::error!(venue = %self.profile.mic, %error, "paper venue stops");
            let reason = error.to_string();
            self.broken = Some(reason.clone());
            self.courier.lose_answers();
            self.tell(self.clock, ReportBody::SessionDown { reason });
        }
    }

    /// Starts the answers to what was staged on their way, before it is recorded: whoever calls it records it before
    /// anybody polls.
    fn answer_staged(&mut self) {
        self.publish_staged();
        for report in std::mem::take(&mut self.staged.reports) {
            if self.broken.is_none() {
                let way = way_ns(&self.profile, &self.faults, &mut self.rng);
                self.courier.answer(self.clock, report, way, &self.faults, &mut self.rng);
            }
        }
    }

    fn publish_staged(&mut self) {
        for (symbol, side) in std::mem::take(&mut self.staged.taken) {
            let shown = self.books.get(&symbol).and_then(|book| *book.shown.of(side));
            self.staged.published.push((symbol, side, shown));
        }
    }

    fn commit(&mut self) {
        self.answer_staged();
        self.record_staged();
    }

    /// As [`PaperVenue::commit`], on a line that no answer comes back on.
    fn commit_unheard(&mut self) {
        self.publish_staged();
        self.record_staged();
        self.staged.reports.clear();
    }

    fn order(&self, number: u64) -> Option<&Order> {
        self.orders.get(index(number)?)
    }

    fn order_mut(&mut self, number: u64) -> Option<&mut Order> {
        self.orders.get_mut(index(number)?)
    }

    /// Ends a working order. `None` where it does not work any more.
    fn end(&mut self, number: u64, state: VenueState) -> Option<&Order> {
        self.working.remove(&number).then_some(())?;
        let order = self.orders.get_mut(index(number)?)?;
        if let Some(book) = self.books.get_mut(&order.symbol) {
            book.remove(order);
        }
        if let Some(at) = order.expire_at {
            self.expiries.remove(&(at, number));
        }
        order.state = state;
        Some(order)
    }
}

fn index(number: u64) -> Option<usize> {
    usize::try_from(number.checked_sub(1)?).ok()
}

#[cfg(test)]
mod tests;
