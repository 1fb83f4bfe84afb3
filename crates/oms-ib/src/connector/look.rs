//! Looks at what there is at the gateway: lists that end, and what follows from what they do not show.
//!
//! Ends of lists have no number of their own. They come in the order in which lists were asked for, so each is that of the
//! oldest list whose end is due; one that never comes makes every later look of the session unfinished, until the session is
//! given up and begins anew.

use std::collections::{BTreeSet, VecDeque};

use oms_model::report::ReportBody;
use oms_model::{IntentKind, OrderId, WireId};
use oms_runtime::port::VenueState;

use super::link::Phase;
use super::moment;
use super::pace::{Class, Item};
use super::reconciling::Rows;
use super::record::Record;
use super::{Action, Connector};
use crate::codec::{AccountData, AllOpenOrders, CompletedOrders, Dialect, ExecutionFilter, Executions, Positions, Request, RequestTime};

/// Request ids begin here, so that none is an order id.
const FIRST_REQUEST: i32 = 1_500_000_000;
/// Days of executions that are asked for, where the dialect can ask for more than today's.
pub(super) const DAYS: i32 = 7;
/// Looks of a session that may stay unfinished, one after the other.
const MAX_UNFINISHED: u32 = 3;

/// Which lists have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Ends {
    executions: bool,
    completed: bool,
    open: bool,
    positions: bool,
    values: bool,
    time: bool,
}

impl Ends {
    fn all(self) -> bool {
        self.executions && self.completed && self.open && self.positions && self.values && self.time
    }
}

/// A look that is under way.
#[derive(Debug)]
struct Look {
    number: u64,
    req_id: i32,
    /// Since when its requests are out: a stamp, a time; and until when its lists may end.
    out: Option<(u64, i64, i64)>,
    ends: Ends,
    /// Anything came since.
    heard: bool,
    seen: BTreeSet<OrderId>,
    foreign: BTreeSet<i64>,
    /// What it shows, where it is one that sides are compared by: it has positions then.
    rows: Option<Box<Rows>>,
}

/// The last look that ended wholly.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole {
    /// What left before it.
    pub(super) stamp: u64,
    /// When it began.
    pub(super) at: i64,
}

/// The looks of a session.
#[derive(Debug, Default)]
pub(super) struct Looks {
    count: u64,
    current: Option<Look>,
    pub(super) whole: Option<Whole>,
    /// By which look an end is due: open orders, completed orders, positions, the time.
    open: VecDeque<u64>,
    completed: VecDeque<u64>,
    positions: VecDeque<u64>,
    times: VecDeque<u64>,
    /// Values were told wholly in this session.
    has_values: bool,
    /// When one is due without being asked for.
    pub(super) next: Option<i64>,
}

/// Which list has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Executions(i32),
    Completed,
    Open,
    Positions,
    Values,
    Time,
}

impl Looks {
    /// The session is over.
    pub(super) fn clear(&mut self) {
        *self = Self { count: self.count, ..Self::default() };
    }

    /// The time is asked for.
    pub(super) fn expect_time(&mut self, look: u64) {
        self.times.push_back(look);
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.current.is_some()
    }

    /// The requests of a look leave.
    pub(super) fn left(&mut self, number: u64, stamp: u64, now: i64, patience: i64) {
        let Some(look) = self.current.as_mut().filter(|look| look.number == number) else { return };
        look.out = Some((stamp, now, now.saturating_add(patience)));
        self.open.push_back(number);
        self.completed.push_back(number);
        if !look.ends.positions {
            self.positions.push_back(number);
        }
        self.times.push_back(number);
    }

    /// A list has ended.
    fn end(&mut self, end: End) {
        let number = match end {
            End::Open => self.open.pop_front(),
            End::Completed => self.completed.pop_front(),
            End::Positions => self.positions.pop_front(),
            End::Time => self.times.pop_front(),
            End::Executions(_) | End::Values => self.current.as_ref().map(|look| look.number),
        };
        self.has_values |= end == End::Values;
        let Some(look) = self.current.as_mut().filter(|look| Some(look.number) == number) else { return };
        match end {
            End::Executions(req_id) => look.ends.executions |= req_id == look.req_id,
            End::Completed => look.ends.completed = true,
            End::Open => look.ends.open = true,
            End::Positions => look.ends.positions = true,
            End::Values => look.ends.values = true,
            End::Time => look.ends.time = true,
        }
    }

    /// Whether one is under way that sides cannot be compared by.
    pub(super) fn lacks_rows(&self) -> bool {
        self.current.as_ref().is_some_and(|look| look.rows.is_none())
    }

    /// What was shown in a look that sides are compared by.
    pub(super) fn rows(&mut self) -> Option<&mut Rows> {
        self.current.as_mut().and_then(|look| look.rows.as_deref_mut())
    }

    /// An order was shown.
    pub(super) fn saw(&mut self, about: Option<OrderId>, foreign_perm: i64) {
        if let Some(look) = &mut self.current {
            look.seen.extend(about);
            if foreign_perm != 0 {
                look.foreign.insert(foreign_perm);
            }
        }
    }

    /// Something came.
    pub(super) fn is_alive(&mut self) {
        if let Some(look) = self.current.as_mut().filter(|look| look.out.is_some()) {
            look.heard = true;
        }
    }
}

impl Connector {
    pub(super) fn looks_due(&self) -> Option<i64> {
        let until = self.looks.current.as_ref().and_then(|look| look.out).map(|(_, _, until)| until);
        if self.looks.is_under_way() { until } else { self.looks.next }
    }

    /// A look is begun, unless one is about to be.
    pub(super) fn look_now(&mut self) {
        if !self.link.is_working() || self.looks.current.as_ref().is_some_and(|look| look.out.is_none()) {
            return;
        }
        if self.looks.is_under_way() {
            // One that is under way may not show what has left since: another follows it at once.
            self.looks.next = Some(self.now.mono);
            return;
        }
        let recovering = self.link.phase == Phase::Recovering;
        self.looks.count += 1;
        let number = self.looks.count;
        let req_id = FIRST_REQUEST.saturating_add(i32::try_from(number % 100_000_000).unwrap_or(0));
        let last_days = matches!(self.link.dialect, Some(Dialect::Proto(_))).then_some(DAYS);
        let filter = ExecutionFilter { last_days, ..ExecutionFilter::default() };
        let mut requests = vec![
            Request::Executions(Executions { req_id, filter }),
            Request::CompletedOrders(CompletedOrders { api_only: false }),
            Request::AllOpenOrders(AllOpenOrders {}),
        ];
        let with_rows = recovering || self.reconciling.is_under_way();
        if with_rows {
            requests.push(Request::Positions(Positions {}));
        }
        let wants_values = recovering && !self.looks.has_values;
        if wants_values {
            let account = self.config.account.clone();
            requests.push(Request::AccountData(AccountData { subscribe: true, account }));
        }
        requests.push(Request::CurrentTime(RequestTime {}));
        let ends = Ends { positions: !with_rows, values: !wants_values, ..Ends::default() };
        let rows = with_rows.then(|| Box::new(Rows { began: self.now.wall, ..Rows::default() }));
        let (seen, foreign) = (BTreeSet::new(), BTreeSet::new());
        self.looks.current = Some(Look { number, req_id, out: None, ends, heard: false, seen, foreign, rows });
        self.looks.next = None;
        self.figures.looks += 1;
        self.pace.push(Class::Question, Item::Look { round: number, requests });
    }

    pub(super) fn looks_turn(&mut self) {
        let now = self.now.mono;
        let is_over = self.looks.current.as_ref().and_then(|look| look.out).is_some_and(|(_, _, until)| until <= now);
        if is_over {
            self.unfinished();
        }
        if self.looks.next.is_some_and(|at| at <= now) && !self.looks.is_under_way() {
            self.looks.next = None;
            self.look_now();
        }
    }

    /// A list has ended.
    pub(super) fn list_ended(&mut self, end: End) {
        self.looks.end(end);
        if self.looks.current.as_ref().is_some_and(|look| look.ends.all()) {
            self.finished();
        }
    }

    /// A look did not end in time.
    fn unfinished(&mut self) {
        let Some(look) = self.looks.current.take() else { return };
        self.figures.unfinished += 1;
        let lacks = format!("{:?}", look.ends);
        if look.rows.is_some() {
            self.run_failed("the gateway did not finish its lists");
        }
        tracing::warn!(venue = %self.config.venue, heard = look.heard, ends = %lacks, "the gateway did not finish its lists");
        self.answer_unfinished(look.heard);
        if !look.heard {
            // Nothing came at all: whether it is dead the heartbeat decides.
            self.looks.next = Some(self.now.mono.saturating_add(self.config.timing.second_look));
            return;
        }
        self.link.unfinished += 1;
        if MAX_UNFINISHED <= self.link.unfinished {
            return self.drop_link("the gateway does not finish its lists", false);
        }
        self.recover_again("the gateway did not finish its lists");
        self.look_now();
    }

    /// A look ended wholly.
    fn finished(&mut self) {
        let Some(Look { out: Some((stamp, at, _)), seen, foreign, rows, .. }) = self.looks.current.take() else { return };
        self.looks.whole = Some(Whole { stamp, at });
        self.ledger.foreign_seen(&foreign);
        self.compare(stamp, at, &seen);
        let is_due_again = self.ends(stamp);
        self.cover();
        let timing = self.config.timing;
        let second = self.absent.keys().any(|order_id| !self.lost.contains(order_id));
        let pause = if is_due_again {
            0
        } else if second {
            timing.second_look
        } else {
            timing.look_around
        };
        let later = self.now.mono.saturating_add(pause);
        self.looks.next = Some(self.looks.next.map_or(later, |next| next.min(later)));
        if self.link.look_after < stamp {
            self.recovered();
        } else {
            // It began before the line broke, or came back.
            self.looks.next = Some(self.now.mono);
        }
        if let Some(rows) = rows {
            self.looked(stamp, rows);
        }
    }

    /// What follows from what a look does not show.
    fn compare(&mut self, stamp: u64, at: i64, seen: &BTreeSet<OrderId>) {
        let left = |order_id: &OrderId| self.left.get(order_id).copied().unwrap_or(0);
        let before: Vec<(OrderId, bool)> =
            self.ledger.live().map(|order| (order.order_id, order.heard)).filter(|(order_id, _)| left(order_id) < stamp).collect();
        let mut doubtful = Vec::new();
        for (order_id, heard) in before {
            if seen.contains(&order_id) {
                self.missing.remove(&order_id);
                self.absent.remove(&order_id);
            } else if heard {
                if self.missing.insert(order_id) {
                    tracing::error!(venue = %self.config.venue, order = %order_id, "an order that worked at the broker is not among its orders any more");
                }
            } else if let Some(first) = self.absent.get(&order_id) {
                if self.config.timing.second_look <= at.saturating_sub(*first) && self.lost.insert(order_id) {
                    self.figures.never_arrived += 1;
                    self.unanswered.remove(&order_id);
                }
            } else {
                self.absent.insert(order_id, at);
                if self.unanswered.contains_key(&order_id) {
                    doubtful.push(order_id);
                }
            }
        }
        for order_id in doubtful {
            let reason = "the broker did not answer in time, and a whole look at it shows no trace of the order".to_owned();
            self.tell(None, ReportBody::Unknown { wire_id: WireId::derive(order_id, 0), intent: IntentKind::New, reason });
        }
    }

    /// What was held back until a whole look. Whether there is more of it, that has left since this one began.
    fn ends(&mut self, stamp: u64) -> bool {
        if self.link.line_lost {
            // What the gateway shows is not what the broker has; the line that is back is looked behind.
            return false;
        }
        let left = |order_id: &OrderId| self.left.get(order_id).copied().unwrap_or(0);
        let doubtful = self.ledger.live().filter(|order| order.may_be_two());
        let (before, after): (Vec<_>, Vec<_>) =
            doubtful.map(|order| (order.order_id, order.is_ending())).partition(|(order_id, _)| left(order_id) < stamp);
        for (order_id, _) in before {
            let heard = self.ledger.looked_at(order_id);
            if heard.is_news {
                self.act(Action::Keep(Record::LookedAt(order_id)));
                self.book(heard, None);
            }
        }
        after.iter().any(|(_, is_ending)| *is_ending)
    }

    /// Notes until when executions are known, and whether some can have been missed.
    fn cover(&mut self) {
        let today = moment::day(self.now.wall, self.ledger.zone.as_ref());
        let days = if matches!(self.link.dialect, Some(Dialect::Proto(_))) { i64::from(DAYS) } else { 1 };
        if self.ledger.covered.is_some_and(|covered| covered < today - (days - 1)) && !self.ledger.has_hole {
            tracing::error!(venue = %self.config.venue, "executions may be missing: the gateway tells those of fewer days than it was not heard");
            self.ledger.has_hole = true;
            self.act(Action::Keep(Record::Hole));
        }
        if self.ledger.covered != Some(today) {
            self.ledger.covered = Some(today);
            self.act(Action::Keep(Record::Covered(today)));
        }
    }

    /// An order was heard of.
    pub(super) fn heard_of(&mut self, order_id: OrderId) {
        let Some(order) = self.ledger.order(order_id) else { return };
        if order.heard {
            self.unanswered.remove(&order_id);
            self.absent.remove(&order_id);
            self.missing.remove(&order_id);
            if self.lost.remove(&order_id) {
                tracing::error!(venue = %self.config.venue, order = %order_id, "an order that never arrived has arrived");
            }
        }
        if order.state != VenueState::Live {
            self.left.remove(&order_id);
            self.held.remove(&order_id);
        } else if order.is_held && !order.accepted {
            let until = self.now.mono.saturating_add(self.config.timing.held);
            self.held.entry(order_id).or_insert(until);
        } else {
            self.held.remove(&order_id);
        }
    }
}
