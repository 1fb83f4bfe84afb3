//! What is claimed, against what the gateway really did.

use std::collections::{BTreeMap, BTreeSet};

use oms_ib::codec::ExecutionReport;
use oms_ib::connector::Answered;
use oms_ib::sim::gateway::stage::Standing;
use oms_model::report::{Report, ReportBody, VenueFill};
use oms_model::{InstrumentId, IntentKind, Notional, OrderId, Price, Qty, Time, WireId};
use oms_runtime::port::{Answer, VenueOrder, VenueState};

use super::desk::{Asked, Told};
use super::guard::order_of;
use super::world::{ACCOUNT, CLIENT, SYMBOLS, World};

/// The part of an execution's id that does not change when it is corrected.
fn root(exec_id: &str) -> &str {
    exec_id.rsplit_once('.').map_or(exec_id, |(base, _)| base)
}

fn figures(report: &ExecutionReport) -> (Qty, Price) {
    let execution = &report.execution;
    (execution.shares.0.qty().unwrap_or_default(), execution.price.price().unwrap_or_default())
}

fn by_root(fills: &BTreeMap<String, (Qty, Price)>) -> BTreeMap<String, (Qty, Price)> {
    fills.iter().map(|(exec_id, figures)| (root(exec_id).to_owned(), *figures)).collect()
}

impl World {
    /// The orders that the gateway has under an order of the desk: one, or two where new terms made a second.
    fn real(&self, order_id: OrderId) -> Vec<Standing<'_>> {
        let name = WireId::derive(order_id, 0).to_string();
        self.gateway.standing().filter(|order| order.order_ref == name).collect()
    }

    fn is_live(&self, order_id: OrderId) -> bool {
        self.real(order_id).iter().any(|order| !order.is_done)
    }

    /// A report: held against the truth, then the desk's.
    pub(super) fn told(&mut self, report: Report) {
        self.trace.bytes(format!("{report:?}").as_bytes());
        self.note(|| format!("= {:?}", report.body));
        let order_id = report.body.wire_id().and_then(WireId::parts).map(|(order_id, _)| order_id);
        if let Some(order_id) = order_id {
            self.check_report(&report.body, order_id);
        } else {
            self.check_foreign(&report.body);
        }
        self.desk.stage(report);
    }

    fn check_report(&mut self, body: &ReportBody, order_id: OrderId) {
        match body {
            ReportBody::Accepted { .. } => {
                assert!(!self.real(order_id).is_empty(), "invariant evidence: {order_id} is told to be taken, and is not there")
            }
            ReportBody::Rejected { .. } | ReportBody::Canceled { .. } | ReportBody::Expired { .. } => {
                assert!(!self.is_live(order_id), "invariant evidence: {order_id} works, and is told to have ended: {body:?}");
            }
            ReportBody::NotSent { intent: IntentKind::New, .. } => {
                assert!(self.real(order_id).is_empty(), "invariant evidence: {order_id} is there, and is told not to have been sent");
            }
            ReportBody::Fill { fill, .. } | ReportBody::Corrected { fill, .. } => {
                let name = WireId::derive(order_id, 0).to_string();
                let of = |(report, _): &(&ExecutionReport, _)| report.execution.order_ref == name;
                let is_real =
                    self.gateway.executions().filter(of).any(|(report, _)| root(&report.execution.exec_id) == root(fill.exec_id.as_str()));
                assert!(is_real, "invariant fills: {} of {order_id} is told, and never happened", fill.exec_id);
            }
            ReportBody::Replaced { order_qty: Some(qty), .. } => {
                let real = self.real(order_id);
                let has = real.iter().any(|order| order.order_qty == *qty);
                assert!(has, "invariant evidence: {order_id} is told to be for {qty}, and is not: {real:?}");
            }
            ReportBody::CancelRejected { .. } | ReportBody::NotSent { intent: IntentKind::Cancel, .. } => {
                self.guard.cancel_is_answered(order_id)
            }
            _ => (),
        }
    }

    fn check_foreign(&self, body: &ReportBody) {
        if let ReportBody::Fill { fill, .. } | ReportBody::Corrected { fill, .. } = body {
            let is_real = self.gateway.executions().any(|(report, _)| root(&report.execution.exec_id) == root(fill.exec_id.as_str()));
            assert!(is_real, "invariant fills: {} of nobody here is told, and never happened", fill.exec_id);
        }
    }

    /// An answer: held against the truth, then believed.
    pub(super) fn answered(&mut self, number: u64, answered: Answered) {
        match (self.desk.answered(number), answered) {
            (Some(Asked::Order(order_id)), Answered::Order(Answer::Complete(found))) => self.order_answered(order_id, found),
            (Some(Asked::Executions(since)), Answered::Executions(Answer::Complete(found))) => self.executions_answered(since, &found),
            // It claims nothing: it is asked again.
            _ => self.desk.is_in_doubt = true,
        }
    }

    /// Every execution of the desk's orders since then, as answered.
    fn executions_answered(&self, since: Time, found: &[(WireId, Time, VenueFill)]) {
        let told: BTreeSet<String> = found.iter().map(|(_, _, fill)| root(fill.exec_id.as_str()).to_owned()).collect();
        for (report, at) in self.gateway.executed_since(since) {
            let (name, exec_id) = (&report.execution.order_ref, root(&report.execution.exec_id));
            assert!(order_of(name).is_none() || told.contains(exec_id), "invariant fills: {exec_id} of {name} at {at:?} is not answered");
        }
    }

    fn order_answered(&mut self, order_id: OrderId, found: Option<VenueOrder>) {
        self.trace.bytes(format!("{found:?}").as_bytes());
        self.note(|| format!("= {order_id}: {found:?}"));
        let real = self.real(order_id);
        match &found {
            None => assert!(real.is_empty(), "invariant evidence: {order_id} is there, and is told never to have arrived"),
            Some(found) => {
                assert!(!real.is_empty(), "invariant evidence: {order_id} is told to stand so, and is not there: {found:?}");
                let live = real.iter().filter(|order| !order.is_done).count();
                assert!(live < 2, "invariant evidence: two orders work under the id of {order_id}, and one is told of");
                assert!(
                    found.state == VenueState::Live || live == 0,
                    "invariant evidence: {order_id} works, and is told to have ended: {found:?} {real:?}"
                );
            }
        }
        if let (true, Some(found)) = (self.is_calm, &found) {
            self.check_terms(order_id, found);
        }
        self.desk.believes(order_id, found.as_ref());
    }

    // ---- after a day

    /// Everything that the desk believes is so, and all that is so it was told.
    pub(super) fn check(&mut self) {
        let fills = self.real_fills();
        for (order_id, order) in &self.desk.orders {
            let real = self.real(*order_id);
            let ids: BTreeSet<i32> = real.iter().map(|order| order.order_id).collect();
            assert!(ids.len() <= 1, "invariant sent once: {order_id} is there under {ids:?}");
            let live = real.iter().filter(|order| !order.is_done).count();
            match order.told {
                Told::Never => assert!(real.is_empty(), "invariant evidence: {order_id} never arrived, as was told, and is there"),
                Told::Ended(state) => assert_eq!(live, 0, "invariant evidence: {order_id} works, and was told to be {state:?}"),
                Told::Open => assert!(1 <= live, "invariant evidence: {order_id} has ended at the gateway, and nobody says so: {real:?}"),
            }
            let (told, happened) = (by_root(&order.fills), fills.get(order_id).cloned().unwrap_or_default());
            assert_eq!(told, happened, "invariant fills: what was told of {order_id}, and what happened");
        }
        for order_id in &self.desk.never {
            assert!(self.real(*order_id).is_empty(), "invariant evidence: {order_id} never arrived, as was told, and has arrived");
        }
        self.check_charges();
        self.check_foreigners();
        self.check_positions();
    }

    fn real_fills(&self) -> BTreeMap<OrderId, BTreeMap<String, (Qty, Price)>> {
        let mut fills: BTreeMap<OrderId, BTreeMap<String, (Qty, Price)>> = BTreeMap::new();
        for (report, _) in self.gateway.executions() {
            if let Some(order_id) = order_of(&report.execution.order_ref) {
                fills.entry(order_id).or_default().insert(root(&report.execution.exec_id).to_owned(), figures(report));
            }
        }
        fills
    }

    /// What every execution cost was told, others' too.
    fn check_charges(&self) {
        for (report, commission) in self.gateway.executions() {
            let Some(commission) = commission else { continue };
            let order_id = order_of(&report.execution.order_ref);
            let charges = match order_id {
                Some(order_id) => self.desk.orders.get(&order_id).map(|order| &order.charges),
                None => Some(&self.desk.foreign_charges).filter(|_| report.execution.client_id != CLIENT),
            };
            let Some(charges) = charges else { continue };
            let exec_id = root(&report.execution.exec_id);
            let told = charges.iter().find(|(told, _)| root(told) == exec_id).map(|(_, charge)| *charge);
            let cost: Option<Notional> = commission.amount.to_string().parse().ok();
            assert_eq!(told, cost, "invariant charges: what {exec_id} of {order_id:?} cost");
        }
    }

    /// What others executed in the account was told.
    fn check_foreigners(&self) {
        let foreign = self.gateway.executions().filter(|(report, _)| report.execution.client_id != CLIENT);
        let happened: BTreeMap<String, (Qty, Price)> =
            foreign.map(|(report, _)| (root(&report.execution.exec_id).to_owned(), figures(report))).collect();
        assert_eq!(by_root(&self.desk.foreign), happened, "invariant fills: what others executed in the account");
    }

    /// What the desk was told adds up to what the account holds.
    fn check_positions(&self) {
        let mut told: BTreeMap<i32, Qty> = BTreeMap::new();
        let all = self.desk.orders.values().flat_map(|order| &order.fills).chain(&self.desk.foreign);
        let of: BTreeMap<&str, &ExecutionReport> =
            self.gateway.executions().map(|(report, _)| (root(&report.execution.exec_id), report)).collect();
        for (exec_id, (qty, _)) in all {
            let Some(report) = of.get(root(exec_id)) else { continue };
            let signed = if report.execution.side == "BOT" { *qty } else { qty.negated() };
            let place = SYMBOLS.iter().position(|symbol| *symbol == report.contract.symbol).unwrap_or(0);
            let sum = told.entry(i32::try_from(place).unwrap_or(0)).or_default();
            *sum = sum.saturating_add(signed);
        }
        for (place, symbol) in SYMBOLS.iter().enumerate() {
            let instrument = InstrumentId(place.try_into().unwrap_or(0));
            let sum = told.get(&i32::try_from(place).unwrap_or(0)).copied().unwrap_or_default();
            assert_eq!(sum, self.gateway.position(ACCOUNT, instrument), "invariant positions: {symbol}");
        }
    }

    /// The terms of an order that works, as answered.
    fn check_terms(&self, order_id: OrderId, found: &VenueOrder) {
        if let [real] = self.real(order_id).as_slice()
            && !real.is_done
        {
            assert_eq!((found.order_qty, found.price), (real.order_qty, real.limit), "invariant terms: {order_id}");
        }
    }
}
