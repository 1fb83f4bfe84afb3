//! What venues say, and what it means for orders and accounts.

use oms_model::report::{Report, ReportBody, VenueFill};
use oms_model::{Liquidity, Mic, Notional, Price, Qty, WireId};

use super::{Done, Gateway};
use crate::codec::{Commission, Execution, ExecutionReport, Number, Order, Reply};
use crate::sim::account::number;
use crate::sim::book::{Status, size};
use crate::sim::catalog::exchange_of;
use crate::sim::faults::Telling;
use crate::sim::journal::Line;
use crate::sim::stamp::{seconds, stamp};

impl Gateway {
    pub(super) fn reported(&mut self, report: Report) {
        let venue = report.venue;
        match report.body {
            ReportBody::Accepted { wire_id, .. } => self.accepted(&wire_id),
            ReportBody::Rejected { wire_id, text } => {
                if let Some((perm, _)) = parts(&wire_id) {
                    self.reject(perm, &text);
                }
            }
            ReportBody::Fill { wire_id, fill } => {
                if let Some((perm, _)) = parts(&wire_id) {
                    self.filled(perm, venue, &fill);
                }
            }
            ReportBody::Canceled { wire_id, .. } | ReportBody::Expired { wire_id } => {
                if let Some((perm, _)) = parts(&wire_id) {
                    self.finish_cancel(perm);
                }
            }
            ReportBody::CancelRejected { wire_id, text } => self.cancel_refused(&wire_id, &text),
            ReportBody::Replaced { wire_id, .. } => self.replaced(&wire_id),
            ReportBody::ReplaceRejected { wire_id, text } => self.replace_refused(&wire_id, &text),
            // The venues of the simulator are in its own process: their lines do not break, nothing of theirs is in doubt,
            // and nothing is busted or corrected there.
            _ => (),
        }
    }

    fn accepted(&mut self, wire_id: &WireId) {
        let Some((perm, _)) = parts(wire_id) else { return };
        let Some(order) = self.orders.by_perm.get_mut(&perm).filter(|order| !order.done) else { return };
        if order.status == Status::PreSubmitted || order.status == Status::PendingSubmit {
            order.status = Status::Submitted;
            // A market order is executed at once: as at the real gateway, nothing is told in between.
            if order.terms.order_type == "MKT" {
                self.keep_order(perm);
            } else {
                self.tell_order(perm);
            }
        }
    }

    /// An order is refused.
    pub(super) fn reject(&mut self, perm: i64, text: &str) {
        let at = stamp(self.now);
        let Some(order) = self.orders.by_perm.get_mut(&perm).filter(|order| !order.done) else { return };
        (order.status, order.done, order.completed) = (Status::Inactive, true, at);
        text.clone_into(&mut order.reject_reason);
        self.tell_order(perm);
        self.notice_order(perm, 201, &format!("Order rejected - reason:{text}"));
    }

    fn filled(&mut self, perm: i64, venue: Mic, fill: &VenueFill) {
        if self.venue_executions.insert(fill.exec_id.to_string()) {
            self.execute(perm, venue, fill.exec_id.as_str(), fill.last_qty, fill.last_px, fill.liquidity);
        }
    }

    /// An order was executed.
    pub(super) fn execute(&mut self, perm: i64, venue: Mic, venue_id: &str, qty: Qty, price: Price, liquidity: Liquidity) {
        let (at, fees) = (stamp(self.now), self.fees);
        let Some(order) = self.orders.by_perm.get_mut(&perm) else { return };
        let fee = order.fee_for(qty, fees);
        order.cum = order.cum.saturating_add(qty);
        order.spent = order.spent.saturating_add(price.notional(qty).unwrap_or_default());
        (order.last, order.fees) = (price, order.fees.saturating_add(fee));
        let whole = order.cum >= order.qty();
        if whole && !order.done {
            (order.status, order.done, order.completed) = (Status::Filled, true, at);
        } else if !order.done && order.status != Status::PendingCancel {
            order.status = Status::Submitted;
        }
        let order = order.clone();
        let report = self.execution_row(&order, venue, qty, price, liquidity);
        let signed = if order.is_buy() { qty } else { qty.negated() };
        let account = order.terms.account.clone();
        let realized =
            self.accounts.iter_mut().find(|held| held.name == account).and_then(|held| held.book(order.instrument, signed, price, fee));
        let commission = self.commission_row(&report, fee, realized);
        self.keep(&Line::Execution { venue_id: venue_id.to_owned(), row: Reply::Execution(report.clone()) });
        self.keep(&Line::Commission(Reply::Commission(commission.clone())));
        self.keep_order(perm);
        self.executions.push(Done {
            at: self.now,
            instrument: order.instrument,
            report: report.clone(),
            commission: Some(commission.clone()),
        });
        if let Some(session) = self.session_of(order.client) {
            self.tell(session, Reply::Execution(report));
        }
        if !self.faults.fill_after_cancel || order.status != Status::Cancelled {
            self.tell_order(perm);
        }
        self.tell_commission(order.client, commission);
        self.tell_account(&account, order.instrument);
        self.family_after_fill(perm, qty);
    }

    fn execution_row(
        &mut self,
        order: &crate::sim::book::Held,
        venue: Mic,
        qty: Qty,
        price: Price,
        liquidity: Liquidity,
    ) -> ExecutionReport {
        let number = self.next_execution;
        self.next_execution += 1;
        let execution = Execution {
            order_id: order.order_id,
            exec_id: format!("{:08x}.{:08x}.01.01", seconds(self.now).unsigned_abs() & 0xffff_ffff, number),
            time: stamp(self.now),
            account: order.terms.account.clone(),
            exchange: exchange_of(venue).to_owned(),
            side: if order.is_buy() { "BOT" } else { "SLD" }.to_owned(),
            shares: size(qty),
            price: Number::from(price),
            perm_id: order.perm,
            client_id: order.client,
            cum_qty: size(order.cum),
            avg_price: Number::from(order.avg()),
            order_ref: order.terms.order_ref.clone(),
            liquidity: if liquidity == Liquidity::Added { 1 } else { 2 },
            ..Execution::default()
        };
        ExecutionReport { req_id: -1, contract: self.contract(order.instrument), execution }
    }

    fn commission_row(&self, report: &ExecutionReport, fee: Notional, realized: Option<Notional>) -> Commission {
        Commission {
            exec_id: report.execution.exec_id.clone(),
            amount: number(fee),
            currency: report.contract.currency.clone(),
            realized_pnl: realized.map(number),
            bond_yield: None,
            redemption_date: String::new(),
        }
    }

    fn tell_commission(&mut self, client: i32, commission: Commission) {
        let Some(session) = self.session_of(client) else { return };
        let reply = Reply::Commission(commission);
        match self.faults.commission {
            Telling::Prompt => self.tell(session, reply),
            Telling::Late(ns) => self.tell_at(self.now.plus(ns), session, reply),
            Telling::Missing => (),
        }
    }

    /// An order is canceled.
    pub(super) fn finish_cancel(&mut self, perm: i64) {
        let at = stamp(self.now);
        let Some(order) = self.orders.by_perm.get_mut(&perm).filter(|order| !order.done) else { return };
        (order.status, order.done, order.completed, order.asked) = (Status::Cancelled, true, at, None);
        let order = order.clone();
        self.tell_order(perm);
        self.notice_order(perm, 202, "Order Canceled - reason:");
        if order.order_id != 0 {
            for child in self.orders.live(|other| other.client == order.client && other.terms.parent_id == order.order_id) {
                self.cancel(child);
            }
        }
        if self.faults.fill_after_cancel && order.left().is_positive() {
            let price = order.terms.limit.and_then(Number::price).unwrap_or_else(|| self.mark(order.instrument));
            let venue = order.venue.unwrap_or(Mic::of(b"XNYS"));
            let id = format!("after-cancel-{perm}");
            self.execute(perm, venue, &id, order.left(), price, Liquidity::Removed);
        }
    }

    fn cancel_refused(&mut self, wire_id: &WireId, text: &str) {
        let Some((perm, _)) = parts(wire_id) else { return };
        let Some(order) = self.orders.by_perm.get_mut(&perm).filter(|order| !order.done) else { return };
        order.status = Status::Submitted;
        self.keep_order(perm);
        self.notice_order(perm, 161, &format!("Cancel attempted when order is not in a cancellable state: {text}"));
    }

    fn replaced(&mut self, wire_id: &WireId) {
        let Some((perm, revision)) = parts(wire_id) else { return };
        let Some(order) = self.orders.by_perm.get_mut(&perm) else { return };
        order.current = revision;
        if let Some(terms) = order.asked.take() {
            order.terms = *terms;
        }
        if !order.done {
            self.tell_order(perm);
        }
    }

    fn replace_refused(&mut self, wire_id: &WireId, text: &str) {
        let Some((perm, _)) = parts(wire_id) else { return };
        let Some(order) = self.orders.by_perm.get_mut(&perm) else { return };
        order.asked = None;
        let code = if text.contains("filled") || text.contains("executed") { 104 } else { 105 };
        self.keep_order(perm);
        self.notice_order(perm, code, &format!("Order cannot be modified: {text}"));
    }

    /// An order at a venue gets less quantity because its group was executed.
    pub(super) fn reduce_working(&mut self, perm: i64, terms: Order) {
        if self.orders.by_perm.get(&perm).is_some_and(|order| order.asked.is_none() && order.status != Status::PendingCancel) {
            self.modify_working(perm, terms);
        }
    }

    /// The last execution was not what was told.
    pub(super) fn correct(&mut self, price: Price, qty: Option<Qty>) -> Result<String, &'static str> {
        let done = self.executions.last_mut().ok_or("nothing was executed")?;
        let execution = &mut done.report.execution;
        let (before_qty, before_price) = (execution.shares.0.qty().unwrap_or_default(), execution.price.price().unwrap_or_default());
        let qty = qty.unwrap_or(before_qty);
        let (base, number) = execution.exec_id.rsplit_once('.').ok_or("its id has no number")?;
        let next = number.parse::<u32>().map_err(|_| "its id has no number")? + 1;
        execution.exec_id = format!("{base}.{next:02}");
        (execution.shares, execution.price) = (size(qty), Number::from(price));
        let (perm, instrument, account) = (execution.perm_id, done.instrument, execution.account.clone());
        let sign = |qty: Qty| if execution.side == "BOT" { qty } else { qty.negated() };
        let (undone, redone) = (sign(before_qty).negated(), sign(qty));
        if let Some(held) = self.accounts.iter_mut().find(|held| held.name == account) {
            held.book(instrument, undone, before_price, Notional::ZERO);
            held.book(instrument, redone, price, Notional::ZERO);
        }
        if let Some(order) = self.orders.by_perm.get_mut(&perm) {
            order.cum = order.cum.saturating_sub(before_qty).saturating_add(qty);
            let was = before_price.notional(before_qty).unwrap_or_default();
            order.spent = order.spent.saturating_sub(was).saturating_add(price.notional(qty).unwrap_or_default());
            (done.report.execution.cum_qty, done.report.execution.avg_price) = (size(order.cum), Number::from(order.avg()));
        }
        let (report, client) = (done.report.clone(), done.report.execution.client_id);
        let told = format!("execution {} is corrected", report.execution.exec_id);
        self.keep(&Line::Execution { venue_id: report.execution.exec_id.clone(), row: Reply::Execution(report.clone()) });
        if let Some(session) = self.session_of(client) {
            self.tell(session, Reply::Execution(report));
        }
        self.tell_account(&account, instrument);
        Ok(told)
    }
}

/// The permanent id and revision of a request to a venue.
pub(super) fn parts(wire_id: &WireId) -> Option<(i64, u32)> {
    let (order, revision) = wire_id.parts()?;
    Some((i64::try_from(order.as_u128()).ok()?, revision))
}
