//! What the log has of our orders at the gateway, and what the gateway has said of them: the same whether it was heard just
//! now or is read from the log again.
//!
//! - An order is ours by its reference; then by its permanent id; then by client and order id, where instrument and side
//!   agree. Everything else is foreign: shown, and its executions of the account are told.
//! - Executions move quantities, statuses move the life of an order; both may come twice, late, or in any order.
//! - An execution is known by its id without the digits behind the last dot: those count its corrections.

mod executed;
mod foreign;
mod gathered;
mod standing;
mod status;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::tz::TimeZone;
use oms_model::instrument::Currency;
use oms_model::report::{ReportBody, VenueFill};
use oms_model::{ExecId, IntentKind, Notional, OrderId, Time, WireId};
use oms_runtime::port::{RequestState, VenueState};

use super::record::Record;
use crate::codec::{Commission, Contract, Order, PlaceOrder, Reply};
use crate::reconcile::sides::ExecutionView;
pub(super) use executed::BOUGHT;
pub use foreign::ForeignOrder;
use standing::Request;
pub(super) use standing::Standing;

/// Ended orders that are kept; beyond it the oldest are forgotten, and what was executed before then is not known here.
const MAX_ENDED: usize = 1_000_000;
/// Commissions that wait for their execution.
const MAX_EARLY: usize = 1_000;
/// Orders of others that are shown.
const MAX_FOREIGN: usize = 10_000;

/// What is to be reported, and when it happened; without a time it is now.
pub(super) type Dated = (Option<Time>, ReportBody);

/// What comes of a message of the gateway.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// What is to be reported.
    pub(super) reports: Vec<Dated>,
    /// It says something that was not known before, and is to be kept.
    pub(super) is_news: bool,
    /// How the order stands is to be asked.
    pub(super) look: bool,
    /// It is an execution of nobody here, with this root of its id: that the desk has it is kept once it does.
    pub(super) foreign: Option<String>,
    /// The order of ours that it is about.
    pub(super) about: Option<OrderId>,
}

impl Heard {
    fn tell(&mut self, body: ReportBody) {
        self.reports.push((None, body));
    }
}

/// Whose execution it is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Owner {
    Own(OrderId),
    /// Told first under this id, and now of this revision.
    Foreign {
        first: ExecId,
        revision: u32,
        /// When it was done, and what it did.
        view: Box<(Time, ExecutionView)>,
        /// What the broker names its order by.
        wire_id: WireId,
        /// What it cost, as far as that is told.
        charge: Option<(Notional, Currency)>,
    },
}

/// The orders at one gateway.
#[derive(Debug)]
pub(super) struct Ledger {
    client_id: i32,
    account: String,
    /// The gateway's zone, once it has said it.
    pub(super) zone: Option<TimeZone>,
    orders: BTreeMap<OrderId, Standing>,
    by_ib: BTreeMap<i32, OrderId>,
    by_perm: BTreeMap<i64, OrderId>,
    by_exec: BTreeMap<String, Owner>,
    live: BTreeSet<OrderId>,
    ended: VecDeque<OrderId>,
    foreign: BTreeMap<i64, ForeignOrder>,
    early: BTreeMap<String, Commission>,
    /// What was told of executions of nobody here, by the root of their ids, until the log says that the desk has it.
    untold: BTreeMap<String, Vec<Dated>>,
    /// Order ids up to this one were used or seen.
    pub(super) highest_id: i32,
    /// The day until which executions are known, by the gateway's calendar.
    pub(super) covered: Option<i64>,
    /// Executions may be missing that cannot be asked for any more.
    pub(super) has_hole: bool,
    /// Nothing is known of executions up to here.
    horizon: Time,
}

impl Ledger {
    pub(super) fn new(client_id: i32, account: &str) -> Self {
        Self {
            client_id,
            account: account.to_owned(),
            zone: None,
            orders: BTreeMap::new(),
            by_ib: BTreeMap::new(),
            by_perm: BTreeMap::new(),
            by_exec: BTreeMap::new(),
            live: BTreeSet::new(),
            ended: VecDeque::new(),
            foreign: BTreeMap::new(),
            early: BTreeMap::new(),
            untold: BTreeMap::new(),
            highest_id: 0,
            covered: None,
            has_hole: false,
            horizon: Time(i64::MIN),
        }
    }

    /// Takes in an entry of the log.
    pub(super) fn recall(&mut self, record: Record) {
        match record {
            Record::Ids(id) => self.highest_id = self.highest_id.max(id),
            Record::Placed(wire_id, place) => self.placed(&wire_id, *place),
            Record::Cancel(wire_id, ib_id) => self.cancel_left(&wire_id, ib_id),
            Record::Refused(wire_id, kind, _) => self.refused_here(&wire_id, kind),
            Record::Heard(reply) => drop(self.take(&reply, false)),
            Record::Covered(day) => self.covered = Some(day),
            Record::Hole => self.has_hole = true,
            Record::Told(base) => self.told(&base),
            Record::LookedAt(order_id) => drop(self.looked_at(order_id)),
            // Of runs and breaks, not of orders.
            Record::Reconciled(_) => (),
        }
    }

    /// The order that an id is of.
    pub(super) fn get(&self, wire_id: &WireId) -> Option<&Standing> {
        self.orders.get(&wire_id.parts()?.0)
    }

    pub(super) fn order(&self, order_id: OrderId) -> Option<&Standing> {
        self.orders.get(&order_id)
    }

    /// Orders that work there or may come to.
    pub(super) fn live(&self) -> impl Iterator<Item = &Standing> {
        self.live.iter().filter_map(|id| self.orders.get(id))
    }

    /// Orders of others, by permanent id.
    pub(super) fn foreign(&self) -> impl Iterator<Item = &ForeignOrder> {
        self.foreign.values()
    }

    /// Whether anything was forgotten: then that an order is not here proves nothing.
    pub(super) fn has_forgotten(&self) -> bool {
        self.horizon != Time(i64::MIN)
    }

    /// All executions of ours since then, and whether these are all.
    pub(super) fn executions_since(&self, since: Time) -> (Vec<(WireId, Time, VenueFill)>, bool) {
        let of = |order: &Standing| {
            let wire_id = WireId::derive(order.order_id, 0);
            order.executions_since(since).into_iter().map(move |(at, fill)| (wire_id.clone(), at, fill))
        };
        let mut all: Vec<_> = self.orders.values().flat_map(of).collect();
        all.sort_by_key(|(_, at, _)| *at);
        let agree = self.orders.values().all(Standing::agrees);
        (all, agree && !self.has_hole && (!self.has_forgotten() || self.horizon < since))
    }

    fn track(&mut self, order_id: OrderId) {
        let Some(order) = self.orders.get(&order_id) else { return };
        if order.state == VenueState::Live {
            self.live.insert(order_id);
        } else if self.live.remove(&order_id) {
            self.ended.push_back(order_id);
            self.forget();
        }
    }

    fn forget(&mut self) {
        while MAX_ENDED < self.ended.len() {
            let Some(oldest) = self.ended.pop_front() else { return };
            // One that works again after a correction is not over.
            if self.orders.get(&oldest).is_none_or(|order| order.state == VenueState::Live) {
                continue;
            }
            let Some(order) = self.orders.remove(&oldest) else { continue };
            self.by_ib.remove(&order.ib_id);
            for perm in &order.perms {
                self.by_perm.remove(&perm.id);
            }
            for (base, booked) in &order.fills {
                self.by_exec.remove(base);
                self.horizon = self.horizon.max(booked.at);
            }
        }
    }

    // ---- what leaves

    /// An order or new terms of one leave.
    pub(super) fn placed(&mut self, wire_id: &WireId, place: PlaceOrder) {
        let Some((order_id, revision)) = wire_id.parts() else { return };
        let ib_id = place.order_id;
        self.highest_id = self.highest_id.max(ib_id);
        self.by_ib.insert(ib_id, order_id);
        let order = self.orders.entry(order_id).or_insert_with(|| Standing::new(order_id, ib_id));
        if revision == 0 {
            order.order_qty = place.order.quantity.0.qty().unwrap_or_default();
            order.place = Some(Box::new(place));
        } else {
            let (wire_id, kind) = (wire_id.clone(), IntentKind::Replace);
            order.requests.push(Request { wire_id, kind, place: Some(Box::new(place)), answer: None, is_looked_at: false });
        }
        self.track(order_id);
    }

    /// A cancel leaves.
    pub(super) fn cancel_left(&mut self, wire_id: &WireId, ib_id: i32) {
        let Some((order_id, _)) = wire_id.parts() else { return };
        let order = self.orders.entry(order_id).or_insert_with(|| Standing::new(order_id, ib_id));
        let wire_id = wire_id.clone();
        order.requests.push(Request { wire_id, kind: IntentKind::Cancel, place: None, answer: None, is_looked_at: false });
        self.track(order_id);
    }

    /// A request is refused here.
    pub(super) fn refused_here(&mut self, wire_id: &WireId, kind: IntentKind) {
        let Some(order) = wire_id.parts().and_then(|(order_id, _)| self.orders.get_mut(&order_id)) else { return };
        let answer = Some(RequestState::Rejected);
        order.requests.push(Request { wire_id: wire_id.clone(), kind, place: None, answer, is_looked_at: false });
    }

    /// An order that is only held counts as taken from now on.
    pub(super) fn accept_held(&mut self, order_id: OrderId) -> Heard {
        self.on(order_id, 0, |order, heard| {
            if order.state == VenueState::Live && order.is_held {
                status::accept(order, heard);
            }
        })
    }

    /// A whole look has shown every order of the gateway's under an order's id.
    pub(super) fn looked_at(&mut self, order_id: OrderId) -> Heard {
        if self.orders.contains_key(&order_id) { self.on(order_id, 0, status::looked_at) } else { Heard::default() }
    }

    // ---- what the gateway says

    /// Takes in a message about an order or an execution. `again`: executions and what they cost are told although they are known.
    pub(super) fn take(&mut self, reply: &Reply, again: bool) -> Heard {
        match reply {
            Reply::OpenOrder(row) => {
                self.see_id(row.order_id);
                match self.whose(&row.order, row.order.client_id, row.order_id, &row.contract) {
                    Some(order_id) => self.on(order_id, row.order_id, |order, heard| status::open_order(order, row, heard)),
                    None => self.foreign_order(row),
                }
            }
            Reply::OrderStatus(row) => {
                self.see_id(row.order_id);
                match self.by_numbers(row.perm_id, row.client_id, row.order_id) {
                    Some(order_id) => self.on(order_id, row.order_id, |order, heard| status::order_status(order, row, heard)),
                    None => self.foreign_status(row),
                }
            }
            Reply::CompletedOrder(row) => match self.whose(&row.order, row.order.client_id, 0, &row.contract) {
                Some(order_id) => self.on(order_id, 0, |order, heard| status::completed(order, row, heard)),
                None => {
                    self.foreign.remove(&row.order.perm_id);
                    Heard::default()
                }
            },
            Reply::Execution(report) => self.executed(report, again),
            Reply::Commission(commission) => self.charged(commission, again),
            Reply::Notice(notice) => match self.by_ib.get(&notice.id).copied().filter(|_| 0 < notice.id) {
                Some(order_id) => self.on(order_id, notice.id, |order, heard| status::notice(order, notice, heard)),
                None => Heard::default(),
            },
            _ => Heard::default(),
        }
    }

    /// Takes in something about an order of ours.
    fn on(&mut self, order_id: OrderId, ib_id: i32, take: impl FnOnce(&mut Standing, &mut Heard)) -> Heard {
        let order = self.orders.entry(order_id).or_insert_with(|| Standing::new(order_id, ib_id));
        let before = order.clone();
        let mut heard = Heard { about: Some(order_id), ..Heard::default() };
        take(order, &mut heard);
        heard.is_news = *order != before;
        for perm in &order.perms {
            self.by_perm.insert(perm.id, order_id);
        }
        if 0 < ib_id && order.ib_id == 0 {
            order.ib_id = ib_id;
        }
        if 0 < order.ib_id {
            self.by_ib.entry(order.ib_id).or_insert(order_id);
        }
        self.track(order_id);
        heard
    }

    fn see_id(&mut self, ib_id: i32) {
        self.highest_id = self.highest_id.max(ib_id);
    }

    /// Whose an order is.
    fn whose(&self, order: &Order, client_id: i32, ib_id: i32, contract: &Contract) -> Option<OrderId> {
        self.of_reference(&order.order_ref, client_id).or_else(|| {
            let order_id = self.by_numbers(order.perm_id, client_id, ib_id)?;
            let agrees = |place: &PlaceOrder| place.contract.symbol == contract.symbol && place.order.action == order.action;
            self.orders.get(&order_id)?.place.as_ref().is_none_or(|place| agrees(place)).then_some(order_id)
        })
    }

    /// The order that a reference names: one that we know, or one of ours that the log has lost.
    fn of_reference(&self, order_ref: &str, client_id: i32) -> Option<OrderId> {
        let (order_id, _) = WireId::new(order_ref).ok()?.parts()?;
        (self.orders.contains_key(&order_id) || client_id == self.client_id).then_some(order_id)
    }

    fn by_numbers(&self, perm_id: i64, client_id: i32, ib_id: i32) -> Option<OrderId> {
        let by_perm = self.by_perm.get(&perm_id).filter(|_| perm_id != 0);
        by_perm.or_else(|| self.by_ib.get(&ib_id).filter(|_| client_id == self.client_id && ib_id != 0)).copied()
    }
}

#[cfg(test)]
mod tests;
