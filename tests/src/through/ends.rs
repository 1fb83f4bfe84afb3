//! What client, desk and venues have in the end.

use super::client::Heard;
use super::venues::{self, Books};
use oms_model::event::Event;
use oms_model::{EndedBy, Source};
use oms_store::{EmbeddedJournal, Journal as _, codec};
use std::collections::HashMap;
use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long something took, many times.
#[derive(Clone, Debug, Default)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    fn of(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        Self(all)
    }

    /// What so many of a thousand took at most.
    #[must_use]
    pub fn share(&self, permille: usize) -> Duration {
        self.0.get((self.0.len() * permille / 1000).min(self.0.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p90, p99, p999] = [500, 900, 990, 999].map(|share| self.share(share).as_secs_f64() * 1e3);
        let (count, most) = (self.0.len(), self.0.last().copied().unwrap_or_default().as_secs_f64() * 1e3);
        write!(f, "p50 {p50:.2} p90 {p90:.2} p99 {p99:.2} p99.9 {p999:.2} most {most:.1} ms, of {count}")
    }
}

/// What the ends have. That it is made says that they agree.
#[derive(Debug, Default)]
pub struct Ends {
    /// Client orders at the desk, which are those that were sent.
    pub orders: usize,
    /// Orders that the venues took or refused.
    pub at_venues: usize,
    /// Executions.
    pub executions: usize,
    /// Shares executed.
    pub shares: i64,
    /// Orders for a venue that were given up before they left.
    pub not_sent: usize,
    /// From when an order was due to when its venue received it; the longest way where it went to several.
    pub to_venue: Latencies,
    /// From the desk's decision, which is the time in its log, to when the venue received it.
    pub decided_to_venue: Latencies,
    /// From when an order was due to its first report.
    pub to_report: Latencies,
    /// From when an order was due to the report of its first execution.
    pub to_execution: Latencies,
}

impl fmt::Display for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { orders, at_venues, executions, shares, not_sent, .. } = self;
        write!(f, "  all ends agree: {orders} orders, {at_venues} at venues ({not_sent} given up before they left), ")?;
        write!(f, "{executions} executions of {shares} shares")
    }
}

/// What the desk's log has.
#[derive(Default)]
struct Desk {
    /// Client orders, by ClOrdID.
    roots: HashMap<String, u128>,
    /// Orders for venues: the client's order, when they were decided, what was executed.
    legs: HashMap<u128, (u128, i64, i64)>,
    executions: usize,
    not_sent: usize,
}

impl Desk {
    fn read(dir: &Path) -> Self {
        let journal = EmbeddedJournal::open_dir(dir, oms_store::Config::default()).unwrap();
        let mut desk = Self::default();
        let read = journal.reader().scan(1, &mut |stored| {
            let batch = codec::decode_batch(stored.entry.body).unwrap();
            batch.events.iter().for_each(|event| desk.event(event, batch.time.0));
            ControlFlow::Continue(())
        });
        read.unwrap();
        desk
    }

    fn event(&mut self, event: &Event, time: i64) {
        match event {
            Event::OrderCreated(e) if e.parent_order_id.is_some() => {
                self.legs.insert(e.order_id.as_u128(), (e.root_order_id.as_u128(), time, 0));
            }
            Event::OrderCreated(e) if e.source == Source::Fix => {
                let known = self.roots.insert(e.cl_ord_id.to_string(), e.order_id.as_u128());
                assert!(known.is_none(), "the desk has {} twice", e.cl_ord_id);
            }
            Event::ExecutionRecorded(e) => {
                self.executions += 1;
                let (_, _, cum) = self.legs.get_mut(&e.order_id.as_u128()).expect("an execution of a leg");
                *cum += e.last_qty.to_string().parse::<i64>().unwrap();
            }
            Event::ExecutionUnmatched(e) => panic!("an execution of no order: {e:?}"),
            Event::OrderRejected(e) if e.by == EndedBy::NotSent => self.not_sent += 1,
            _ => (),
        }
    }
}

impl Ends {
    /// Reads what is there and compares it.
    ///
    /// # Panics
    /// Where it is not the same at all ends.
    #[must_use]
    pub fn read(desk: &Path, venues: &[(String, PathBuf)], heard: &Heard) -> Self {
        let told = heard.audit();
        let desk = Desk::read(&desk.join("log"));
        let books: Vec<(&str, Books)> = venues.iter().map(|(mic, dir)| (mic.as_str(), venues::read(mic, dir))).collect();
        // The client and the desk: every order that was sent is one order, and none is there that was not.
        assert_eq!(desk.roots.len(), heard.sent.len(), "orders at the desk, and orders that were sent");
        for number in heard.sent.keys() {
            let root = desk.roots.get(&format!("L{number}"));
            assert!(root.is_some_and(|root| told.contains_key(root)), "L{number} was sent, and is not at the desk or not told of");
        }
        // The desk and the venues: what was executed of each leg, and each execution once.
        let mut ends = Self { orders: desk.roots.len(), not_sent: desk.not_sent, ..Self::default() };
        let mut there: HashMap<u128, i64> = HashMap::new();
        let mut came: HashMap<u128, i64> = HashMap::new();
        let mut decided_to_venue = Vec::new();
        for (mic, books) in &books {
            ends.at_venues += books.orders.len();
            ends.executions += books.executions;
            for (name, cum) in &books.orders {
                let leg = leg_of(name);
                assert!(desk.legs.contains_key(&leg), "{mic} has {name}, which the desk does not have");
                assert!(there.insert(leg, *cum).is_none(), "{mic} has {name}, which another venue has too");
            }
            for (name, at) in &books.came {
                let (root, decided, _) = desk.legs[&leg_of(name)];
                decided_to_venue.push(nanos(*at - decided));
                let last = came.entry(root).or_insert(*at);
                *last = (*last).max(*at);
            }
        }
        assert_eq!(ends.executions, desk.executions, "executions at the venues, and at the desk");
        let mut of_root: HashMap<u128, i64> = HashMap::new();
        for (leg, (root, _, cum)) in &desk.legs {
            assert_eq!(there.get(leg).copied().unwrap_or(0), *cum, "executed of the leg {leg:032x} at its venue, and at the desk");
            *of_root.entry(*root).or_default() += cum;
        }
        for (order_id, (cum, number)) in &told {
            assert_eq!(of_root.get(order_id).copied().unwrap_or(0), *cum, "executed of L{number} at the desk, and as the client was told");
            ends.shares += cum;
        }
        ends.measure(heard, &desk, &came);
        ends.decided_to_venue = Latencies::of(decided_to_venue);
        ends
    }

    fn measure(&mut self, heard: &Heard, desk: &Desk, came: &HashMap<u128, i64>) {
        let began = i64::try_from(heard.began.1.as_nanos()).unwrap();
        let to_venue = heard.sent.iter().filter_map(|(number, due)| {
            let at = came.get(desk.roots.get(&format!("L{number}"))?)?;
            Some(nanos(at - began).saturating_sub(*due))
        });
        self.to_venue = Latencies::of(to_venue.collect());
        let first = |wanted: &dyn Fn(u8) -> bool| {
            let mut first: HashMap<u64, Duration> = HashMap::new();
            for told in heard.told.iter().filter(|told| wanted(told.exec_type)) {
                if let Some(number) = told.number {
                    first.entry(number).or_insert(told.at);
                }
            }
            Latencies::of(first.iter().filter_map(|(number, at)| Some(at.saturating_sub(*heard.sent.get(number)?))).collect())
        };
        self.to_report = first(&|_| true);
        self.to_execution = first(&|kind| kind == b'F');
    }
}

/// The leg of a wire id: 32 hexadecimal digits, a hyphen, a revision.
fn leg_of(wire_id: &str) -> u128 {
    u128::from_str_radix(wire_id.split('-').next().unwrap_or_default(), 16).unwrap()
}

fn nanos(ns: i64) -> Duration {
    Duration::from_nanos(u64::try_from(ns).unwrap_or(0))
}
