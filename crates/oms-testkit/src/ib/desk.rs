//! The desk: what it handed over, and what it was told. It believes reports and complete answers, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use oms_model::report::{Report, ReportBody, VenueFill};
use oms_model::{ExecId, IntentKind, Notional, OrderId, Price, Qty, Time};
use oms_runtime::port::{VenueOrder, VenueState};

use super::world::{MS, SECOND};

/// How long an answer to a question may take, nanoseconds: three times the longest patience with a list, and a moment.
const ANSWER: i64 = 16 * SECOND;

/// How an order stands by what the desk was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It may work.
    Open,
    /// It ended so.
    Ended(VenueState),
    /// It never left, or never arrived.
    Never,
}

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// An order.
    Order(OrderId),
    /// Every execution since then.
    Executions(Time),
}

/// An order of the desk.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub told: Told,
    /// Executions by the id that they were told with first.
    pub fills: BTreeMap<String, (Qty, Price)>,
    pub charges: BTreeMap<String, Notional>,
    /// The last revision of a cancel or replace.
    pub revision: u32,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub orders: BTreeMap<OrderId, Order>,
    /// Executions in the account that are of no order of the desk, by the id that they were told with first.
    pub foreign: BTreeMap<String, (Qty, Price)>,
    /// What they cost.
    pub foreign_charges: BTreeMap<String, Notional>,
    /// Reports that are not durable yet.
    staged: Vec<Report>,
    /// Questions that wait, and since when.
    questions: BTreeMap<u64, (Asked, Time)>,
    /// Something was answered that claims nothing, since this was last taken back.
    pub is_in_doubt: bool,
    /// Orders that were told never to have arrived or left.
    pub never: BTreeSet<OrderId>,
}

impl Desk {
    /// A new order is handed over.
    pub fn hands(&mut self, order_id: OrderId) {
        let order = Order { told: Told::Open, fills: BTreeMap::new(), charges: BTreeMap::new(), revision: 0 };
        self.orders.insert(order_id, order);
    }

    /// It was refused before it left.
    pub fn not_sent(&mut self, order_id: OrderId) {
        self.never.insert(order_id);
        self.end(order_id, Told::Never);
    }

    /// The next revision of an order.
    pub fn revise(&mut self, order_id: OrderId) -> u32 {
        self.orders.get_mut(&order_id).map_or(0, |order| {
            order.revision += 1;
            order.revision
        })
    }

    /// Orders that may work.
    pub fn open(&self) -> Vec<OrderId> {
        self.orders.iter().filter(|(_, order)| order.told == Told::Open).map(|(order_id, _)| *order_id).collect()
    }

    /// A report has come.
    pub fn stage(&mut self, report: Report) {
        self.staged.push(report);
    }

    /// What has come is durable.
    pub fn settle(&mut self) {
        for report in std::mem::take(&mut self.staged) {
            self.fold(report.body);
        }
    }

    /// The process died. What was not durable is gone, unless it had just become so.
    pub fn killed(&mut self, keeps: bool) {
        if keeps {
            self.settle();
        }
        self.staged.clear();
        self.questions.clear();
    }

    pub fn asks(&mut self, number: u64, asked: Asked, now: Time) {
        self.questions.insert(number, (asked, now));
    }

    /// What a question was about.
    pub fn answered(&mut self, number: u64) -> Option<Asked> {
        self.questions.remove(&number).map(|(asked, _)| asked)
    }

    pub fn waits(&self) -> bool {
        !self.questions.is_empty()
    }

    /// Every question is answered in time.
    pub fn patience(&self, now: Time) {
        for (asked, at) in self.questions.values() {
            let waits = now.since(*at);
            assert!(waits <= ANSWER, "invariant answers: {asked:?} was asked {} ms ago", waits / MS);
        }
    }

    fn fold(&mut self, body: ReportBody) {
        let order_id = body.wire_id().and_then(oms_model::WireId::parts).map(|(order_id, _)| order_id);
        match (body, order_id) {
            (ReportBody::Fill { fill, .. }, of) => self.fill(of, &fill.exec_id, &fill),
            (ReportBody::Corrected { exec_ref, fill, .. }, of) => self.corrected(of, &exec_ref, &fill),
            (ReportBody::Commission { exec_id, commission, .. }, None) => {
                self.foreign_charges.insert(exec_id.to_string(), commission);
            }
            (ReportBody::Commission { exec_id, commission, .. }, Some(order_id)) => {
                if let Some(order) = self.orders.get_mut(&order_id) {
                    order.charges.insert(exec_id.to_string(), commission);
                }
            }
            (ReportBody::Rejected { .. }, Some(order_id)) => self.end(order_id, Told::Ended(VenueState::Rejected)),
            (ReportBody::Canceled { .. }, Some(order_id)) => self.end(order_id, Told::Ended(VenueState::Canceled)),
            (ReportBody::Expired { .. }, Some(order_id)) => self.end(order_id, Told::Ended(VenueState::Expired)),
            (ReportBody::NotSent { intent: IntentKind::New, .. }, Some(order_id)) => self.not_sent(order_id),
            _ => (),
        }
    }

    fn end(&mut self, order_id: OrderId, told: Told) {
        if let Some(order) = self.orders.get_mut(&order_id) {
            order.told = told;
        }
    }

    fn fills_of(&mut self, order_id: Option<OrderId>) -> &mut BTreeMap<String, (Qty, Price)> {
        match order_id.and_then(|order_id| self.orders.get_mut(&order_id)) {
            Some(order) => &mut order.fills,
            None => &mut self.foreign,
        }
    }

    fn fill(&mut self, of: Option<OrderId>, exec_id: &ExecId, fill: &VenueFill) {
        let figures = (fill.last_qty, fill.last_px);
        let known = self.fills_of(of).entry(exec_id.to_string()).or_insert(figures);
        assert_eq!(*known, figures, "invariant fills: {exec_id} is told a second time, with other figures");
    }

    fn corrected(&mut self, of: Option<OrderId>, exec_ref: &ExecId, fill: &VenueFill) {
        self.fills_of(of).insert(exec_ref.to_string(), (fill.last_qty, fill.last_px));
    }

    /// A complete answer about an order.
    pub fn believes(&mut self, order_id: OrderId, answer: Option<&VenueOrder>) {
        // What was told before the answer is folded before it.
        self.settle();
        let Some(found) = answer else { return self.not_sent(order_id) };
        let Some(order) = self.orders.get_mut(&order_id) else { return };
        for (_, fill) in &found.fills {
            order.fills.insert(fill.exec_id.to_string(), (fill.last_qty, fill.last_px));
        }
        order.told = if found.state == VenueState::Live { Told::Open } else { Told::Ended(found.state) };
    }
}
