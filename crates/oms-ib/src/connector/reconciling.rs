//! Runs of the reconciliation: when they are made, what they rest on, and what comes of them.
//!
//! A run takes whole looks with positions that began after it. Once one has ended, and the desk durably has what it was told
//! until then, the desk's books are read and the three sides compared. What would open a break is looked at once more.

mod gather;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use oms_model::{OrderId, Price, Qty, Time, UserId};

use super::record::Record;
use super::{Action, Answered, Connector, Now};
use crate::codec::{Number, Order, Reply};
use crate::reconcile::book::{Asked, Book, Deed, Entry, Key, NotDone, Run};
use crate::reconcile::compare::{Compared, compare};
use crate::reconcile::sides::{ContractName, DeskAsked, DeskSide, ExecutionView, Worth, root};
use crate::reconcile::{Difference, Kind, Outcome, Standing, Subject, Trigger};

/// Runs that persons wait for at once.
const MAX_DEMANDS: usize = 16;
/// How many times as long as a look may take, a step of a run may.
const STEPS: i64 = 3;
/// Nanoseconds of a day.
const DAY_NS: i64 = 86_400 * 1_000_000_000;

/// An order as a look shows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct OrderRow {
    pub(super) qty: Qty,
    pub(super) price: Option<Price>,
    pub(super) is_open: bool,
}

/// What a look shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    /// When it began.
    pub(super) began: Time,
    pub(super) orders: BTreeMap<OrderId, OrderRow>,
    /// By the root of their ids: the highest revision of each.
    pub(super) executions: BTreeMap<String, (u32, ExecutionView)>,
}

/// A person asks for a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Who.
    pub user_id: UserId,
    /// Why.
    pub reason: String,
    /// What makes it repeatable.
    pub key: Option<Key>,
}

/// Why there was no run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunRefused {
    /// The gateway cannot be looked at.
    #[error("{0}")]
    Down(String),
    /// Too many wait for runs.
    #[error("too many wait for runs")]
    Busy,
    /// The same request is being worked on.
    #[error("the request is being worked on")]
    InProgress,
    /// The key was used for something else.
    #[error("the idempotency key was used with another request")]
    Key,
}

/// A run that is under way.
#[derive(Debug)]
struct UnderWay {
    trigger: Trigger,
    demand: Option<(u64, Demand)>,
    began: Time,
    until: i64,
    looks: u32,
    /// Only a look that left after this stamp counts.
    after: u64,
    /// What the look before showed that is no break yet.
    suspected: Option<Vec<Difference>>,
    /// The look by which sides are compared once the desk's books were read, and the number under which they are.
    reading: Option<(u64, u64, Box<Rows>)>,
}

/// Runs and breaks.
#[derive(Debug, Default)]
pub(super) struct Reconciling {
    book: Book,
    shown: Option<Arc<Book>>,
    under_way: Option<UnderWay>,
    demands: VecDeque<(u64, Demand)>,
    /// When the next is due, monotonic; while orders may flow.
    next: i64,
    readings: u64,
}

impl Reconciling {
    pub(super) fn recall(&mut self, entry: Entry) {
        self.book.take(entry);
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// What is shown of runs and breaks.
    pub(super) fn shown(&self) -> Arc<Book> {
        self.shown.clone().unwrap_or_else(|| Arc::new(self.book.clone()))
    }

    fn changed(&mut self) {
        self.shown = Some(Arc::new(self.book.clone()));
    }
}

fn limit(order: &Order) -> Option<Price> {
    order.limit.and_then(Number::price).filter(|limit| *limit != Price::ZERO)
}

impl Connector {
    pub(super) fn reconcile_due(&self) -> Option<i64> {
        match &self.reconciling.under_way {
            Some(run) => Some(run.until),
            None => self.gate().is_ok().then_some(self.reconciling.next),
        }
    }

    pub(super) fn reconcile_turn(&mut self) {
        match &self.reconciling.under_way {
            Some(run) if run.until <= self.now.mono => {
                let reason = if run.reading.is_some() { "the desk's books were not read in time" } else { "no look was whole in time" };
                self.run_failed(reason);
            }
            None if self.gate().is_ok() && self.reconciling.next <= self.now.mono => self.begin_run(Trigger::Schedule, None, self.stamp),
            _ => (),
        }
    }

    fn step_until(&self) -> i64 {
        self.now.mono.saturating_add(self.config.timing.patience.saturating_mul(STEPS))
    }

    fn begin_run(&mut self, trigger: Trigger, demand: Option<(u64, Demand)>, after: u64) {
        let until = self.step_until();
        let began = self.now.wall;
        self.reconciling.under_way = Some(UnderWay { trigger, demand, began, until, looks: 0, after, suspected: None, reading: None });
        if trigger != Trigger::Recovery {
            self.look_now();
            if self.looks.lacks_rows() {
                // One that is about to leave has no positions: another follows it at once.
                self.looks.next = Some(self.now.mono);
            }
        }
    }

    /// The gate has opened: the look that opened it is compared.
    pub(super) fn run_after_recovery(&mut self) {
        if self.reconciling.under_way.is_none() {
            self.begin_run(Trigger::Recovery, None, 0);
        }
    }

    /// A person asks for a run. The number under which it is answered.
    pub fn reconcile(&mut self, now: Now, demand: Demand) -> u64 {
        self.pass(now);
        let number = self.asked.number();
        let is_same = |key: Key, (_, other): &(u64, Demand)| other.key.is_some_and(|other| other.0 == key.0);
        let mut waiting = self.reconciling.under_way.iter().filter_map(|run| run.demand.as_ref()).chain(&self.reconciling.demands);
        let refused = match demand.key {
            Some(key) if waiting.any(|other| is_same(key, other)) => Some(RunRefused::InProgress),
            Some(key) => match self.reconciling.book.run_of(key, self.now.wall) {
                Ok(Some(run)) => {
                    let run = Box::new(run.clone());
                    self.act(Action::Answer(number, Answered::Run(Ok((run, true)))));
                    return number;
                }
                Ok(None) => None,
                Err(_) => Some(RunRefused::Key),
            },
            None => None,
        };
        let refused = refused.or_else(|| self.gate().err().map(RunRefused::Down));
        let refused = refused.or_else(|| (MAX_DEMANDS <= self.reconciling.demands.len()).then_some(RunRefused::Busy));
        if let Some(refused) = refused {
            self.act(Action::Answer(number, Answered::Run(Err(refused))));
            return number;
        }
        self.reconciling.demands.push_back((number, demand));
        self.next_run();
        self.turn(now);
        number
    }

    /// Begins what a person waits for.
    fn next_run(&mut self) {
        if self.reconciling.under_way.is_none()
            && let Some(demand) = self.reconciling.demands.pop_front()
        {
            self.begin_run(Trigger::Demand, Some(demand), self.stamp);
        }
    }

    /// Notes what a look shows that sides are compared by.
    pub(super) fn note_row(&mut self, reply: &Reply, about: Option<OrderId>) {
        let account = self.config.account.as_str();
        let Some(rows) = self.looks.rows() else { return };
        match (reply, about) {
            (Reply::OpenOrder(row), Some(order_id)) => {
                let qty = row.order.quantity.0.qty().unwrap_or_default();
                // Of two orders under one id the first is shown; that there are two is a break of its own.
                rows.orders.entry(order_id).or_insert(OrderRow { qty, price: limit(&row.order), is_open: true });
            }
            (Reply::CompletedOrder(row), Some(order_id)) => {
                let qty = row.order.quantity.0.qty().unwrap_or_default();
                rows.orders.insert(order_id, OrderRow { qty, price: limit(&row.order), is_open: false });
            }
            (Reply::Execution(report), _) if report.execution.account == account => {
                let (base, revision) = root(&report.execution.exec_id);
                let (qty, price) = (report.execution.shares.0.qty(), report.execution.price.price());
                let (Some(qty), Some(price)) = (qty, price) else { return };
                if rows.executions.get(base).is_none_or(|(known, _)| *known <= revision) {
                    let view = ExecutionView {
                        is_buy: report.execution.side == super::ledger::BOUGHT,
                        qty,
                        price,
                        contract: ContractName::of(&report.contract),
                        worth: Worth::of(&report.contract),
                        order_id: about,
                    };
                    rows.executions.insert(base.to_owned(), (revision, view));
                }
            }
            _ => (),
        }
    }

    /// A look that sides are compared by has ended wholly.
    pub(super) fn looked(&mut self, stamp: u64, rows: Box<Rows>) {
        let until = self.step_until();
        let since = self.covered_since(&rows).saturating_sub(1);
        let Some(run) = self.reconciling.under_way.as_mut().filter(|run| run.after < stamp && run.reading.is_none()) else { return };
        run.looks += 1;
        run.until = until;
        self.reconciling.readings += 1;
        let number = self.reconciling.readings;
        run.reading = Some((number, stamp, rows));
        let mut asked = DeskAsked { since: Time(since.saturating_mul(DAY_NS)), ..DeskAsked::default() };
        for Subject { what, .. } in self.reconciling.book.subjects().filter(|subject| subject.kind != Kind::Position) {
            match what.parse::<OrderId>() {
                Ok(order_id) => drop(asked.orders.insert(order_id)),
                Err(_) => drop(asked.roots.insert(what.clone())),
            }
        }
        self.act(Action::ReadDesk(number, Box::new(asked)));
    }

    /// What the desk has booked, or why that could not be read.
    pub fn desk(&mut self, now: Now, number: u64, side: Result<DeskSide, String>) {
        self.pass(now);
        let reading = match &mut self.reconciling.under_way {
            Some(run) if run.reading.as_ref().is_some_and(|(known, ..)| *known == number) => run.reading.take(),
            _ => None,
        };
        if let Some((_, stamp, rows)) = reading {
            match side {
                Ok(side) => self.compare_sides(&side, &rows, stamp),
                Err(reason) => self.run_failed(&format!("the desk's books could not be read: {reason}")),
            }
        }
        self.turn(now);
    }

    fn compare_sides(&mut self, desk: &DeskSide, rows: &Rows, stamp: u64) {
        let gateway = self.gather(desk, rows, stamp);
        let compared = compare(desk, &gateway);
        let news = self.reconciling.book.news(&compared.differences);
        let (until, later) = (self.step_until(), self.now.mono.saturating_add(self.config.timing.second_look));
        let Some(run) = &mut self.reconciling.under_way else { return };
        if run.suspected.is_none() && !news.is_empty() {
            (run.suspected, run.after, run.until) = (Some(news), self.stamp, until);
            self.looks.next = Some(self.looks.next.map_or(later, |next| next.min(later)));
            return;
        }
        let size = |one: usize, other: usize| one.max(other) as u64;
        let counts = [
            size(desk.orders.len(), gateway.orders.len() + gateway.foreign.len()),
            size(desk.executions.len(), gateway.executions.len()),
            size(desk.positions.len(), gateway.positions.len()),
        ];
        self.conclude(&compared, counts);
    }

    fn run_of(&self, under_way: &UnderWay, outcome: Outcome, text: &str) -> Run {
        let demand = under_way.demand.as_ref().map(|(_, demand)| demand);
        Run {
            number: self.reconciling.book.next_run(),
            trigger: under_way.trigger,
            user_id: demand.map(|demand| demand.user_id),
            began: under_way.began,
            ended: self.now.wall,
            outcome,
            text: text.to_owned(),
            looks: under_way.looks,
            compared: [0; 3],
            opened: 0,
            closed: 0,
            open: 0,
            left_out: 0,
            key: demand.and_then(|demand| demand.key),
        }
    }

    fn conclude(&mut self, compared: &Compared, counts: [u64; 3]) {
        let Some(under_way) = self.reconciling.under_way.take() else { return };
        let text = under_way.demand.as_ref().map(|(_, demand)| demand.reason.clone()).unwrap_or_default();
        let run = Run { compared: counts, ..self.run_of(&under_way, Outcome::Complete, &text) };
        let suspected = under_way.suspected.as_deref().unwrap_or_default();
        let entries = self.reconciling.book.conclude(run, compared, suspected);
        self.keep_run(entries, under_way.demand);
    }

    /// A run has no whole look, or no books to compare it with: it is kept as such, and nothing else changes.
    pub(super) fn run_failed(&mut self, reason: &str) {
        let Some(under_way) = self.reconciling.under_way.take() else { return };
        let run = self.run_of(&under_way, Outcome::Incomplete, reason);
        let entry = self.reconciling.book.gave_up(run);
        tracing::warn!(venue = %self.config.venue, reason, "a reconciliation is not complete");
        self.keep_run(vec![entry], under_way.demand);
        if self.gate().is_err() {
            let refused = RunRefused::Down(reason.to_owned());
            for (number, _) in std::mem::take(&mut self.reconciling.demands) {
                self.act(Action::Answer(number, Answered::Run(Err(refused.clone()))));
            }
        }
    }

    fn keep_run(&mut self, entries: Vec<Entry>, demand: Option<(u64, Demand)>) {
        self.reconciling.changed();
        self.reconciling.next = self.now.mono.saturating_add(self.config.timing.reconcile);
        let mut ended = None;
        for entry in entries {
            self.log_entry(&entry);
            if let Entry::Run(run) = &entry {
                ended = Some(run.clone());
            }
            self.act(Action::Keep(Record::Reconciled(entry)));
        }
        if let (Some((number, _)), Some(run)) = (demand, ended) {
            self.act(Action::Answer(number, Answered::Run(Ok((run, false)))));
        }
        if self.gate().is_ok() {
            self.next_run();
        }
    }

    fn log_entry(&self, entry: &Entry) {
        let Entry::Break(one) = entry else { return };
        let (kind, what) = (one.difference.subject.kind.as_str(), &one.difference.subject.what);
        match one.standing {
            Standing::Open if one.version == 1 => {
                tracing::error!(venue = %self.config.venue, number = one.number, kind, what, "the books and the broker differ");
            }
            Standing::Closed => tracing::info!(venue = %self.config.venue, number = one.number, kind, what, "a break is closed"),
            Standing::Open | Standing::Acknowledged => (),
        }
    }

    /// Does what a person wants done to a break. What was done, and whether it had been before.
    ///
    /// # Errors
    /// [`NotDone`]: nothing has changed.
    pub fn act_on_break(&mut self, now: Now, asked: &Asked) -> Result<(Deed, bool), NotDone> {
        self.pass(now);
        let (deed, entry) = self.reconciling.book.act(asked, self.now.wall)?;
        let is_repeated = entry.is_none();
        if let Some(entry) = entry {
            self.reconciling.changed();
            tracing::warn!(venue = %self.config.venue, number = asked.number, user_id = %asked.user_id, "somebody acts on a break");
            self.act(Action::Keep(Record::Reconciled(entry)));
        }
        Ok((deed, is_repeated))
    }
}
