//! Executions, their corrections, and what they cost.

use oms_model::instrument::Currency;
use oms_model::report::{ReportBody, VenueFill};
use oms_model::{ExecId, Liquidity, Notional, OrderId, Time, WireId};

use super::standing::{Booked, Standing};
use super::{Heard, Ledger, MAX_EARLY, Owner, status};
use crate::codec::{Commission, Execution, ExecutionReport, Number};
use crate::connector::moment;
use crate::reconcile::sides::root;

/// The liquidity that was added.
const ADDED: i32 = 1;
/// The broker's word for an execution that bought.
pub(in crate::connector) const BOUGHT: &str = "BOT";

/// Adds up: an amount of the wire as money of the books, eighteen digits.
fn notional(amount: Number) -> Option<Notional> {
    amount.decimal()?.raw().checked_mul(1_000_000_000).map(Notional::from_raw)
}

/// A charge as money; nothing where it is none.
pub(super) fn money(commission: &Commission) -> Option<(Notional, Currency)> {
    let found = notional(commission.amount).zip(Currency::of(&commission.currency));
    if found.is_none() {
        tracing::error!(exec_id = %commission.exec_id, "a commission without a usable amount or currency");
    }
    found
}

impl Ledger {
    fn fill(&self, execution: &Execution) -> Option<(Option<Time>, VenueFill)> {
        let fill = VenueFill {
            exec_id: ExecId::new(&execution.exec_id).ok()?,
            last_qty: execution.shares.0.qty().filter(|qty| qty.is_positive())?,
            last_px: execution.price.price()?,
            liquidity: if execution.liquidity == ADDED { Liquidity::Added } else { Liquidity::Removed },
            ..VenueFill::default()
        };
        Some((moment::read(&execution.time, self.zone.as_ref()), fill))
    }

    /// An execution. It is never passed over, whatever the order's state.
    pub(super) fn executed(&mut self, report: &ExecutionReport, again: bool) -> Heard {
        let execution = &report.execution;
        self.highest_id = self.highest_id.max(execution.order_id);
        let Some((at, fill)) = self.fill(execution) else {
            tracing::error!(exec_id = %execution.exec_id, "an execution without a usable id, quantity or price");
            return Heard { look: true, ..Heard::default() };
        };
        let (base, revision) = root(&execution.exec_id);
        let owner = self.by_exec.get(base).and_then(|owner| match owner {
            Owner::Own(order_id) => Some(*order_id),
            Owner::Foreign { .. } => None,
        });
        let owner = owner
            .or_else(|| self.of_reference(&execution.order_ref, execution.client_id))
            .or_else(|| self.by_numbers(execution.perm_id, execution.client_id, execution.order_id));
        let Some(order_id) = owner else {
            let mut heard = self.foreign_execution(report, base, revision, at, fill);
            self.charged_early(base, &mut heard);
            return heard;
        };
        self.by_exec.insert(base.to_owned(), Owner::Own(order_id));
        let mut heard = self.on(order_id, execution.order_id, |order, heard| {
            status::perm_of(order, execution.perm_id);
            order.see_terms(&report.contract, execution.side == BOUGHT);
            book(order, (base, revision), (at, fill), (report.req_id < 0, again), heard);
        });
        self.charged_early(base, &mut heard);
        heard
    }

    /// What an execution cost, where that was told before it.
    fn charged_early(&mut self, base: &str, heard: &mut Heard) {
        if let Some(commission) = self.early.remove(base) {
            heard.reports.extend(self.charged(&commission, true).reports);
        }
    }

    /// What an execution cost.
    pub(super) fn charged(&mut self, commission: &Commission, again: bool) -> Heard {
        let (base, _) = root(&commission.exec_id);
        let order_id = match self.by_exec.get(base) {
            Some(Owner::Own(order_id)) => *order_id,
            Some(Owner::Foreign { .. }) => return self.foreign_charge(base, commission),
            None => {
                // Its execution is still to come.
                self.early.insert(base.to_owned(), commission.clone());
                while MAX_EARLY < self.early.len() {
                    self.early.pop_first();
                }
                return Heard::default();
            }
        };
        self.charge(order_id, base, commission, again)
    }

    fn charge(&mut self, order_id: OrderId, base: &str, commission: &Commission, again: bool) -> Heard {
        let Some(booked) = self.orders.get_mut(&order_id).and_then(|order| order.fills.get_mut(base)) else { return Heard::default() };
        let Some((amount, currency)) = money(commission) else { return Heard::default() };
        let is_news = booked.charge.replace((amount, currency)) != Some((amount, currency));
        let mut heard = Heard { is_news, about: Some(order_id), ..Heard::default() };
        if is_news || again {
            let wire_id = WireId::derive(order_id, 0);
            heard.tell(ReportBody::Commission { wire_id, exec_id: booked.fill.exec_id.clone(), commission: amount, currency });
        }
        heard
    }
}

/// Books an execution of an order, or the correction of one. It is told where it is news, where it is pushed as often as it
/// is, and where everything is to be told `again`.
fn book(
    order: &mut Standing,
    (base, revision): (&str, u32),
    (at, fill): (Option<Time>, VenueFill),
    (pushed, again): (bool, bool),
    heard: &mut Heard,
) {
    status::accept(order, heard);
    let wire_id = order.name();
    let text = "the broker corrected it".to_owned();
    match order.fills.get_mut(base) {
        None => {
            let booked = Booked { revision, at: at.unwrap_or_default(), pushed, fill: fill.clone(), charge: None };
            order.fills.insert(base.to_owned(), booked);
            heard.reports.push((at, ReportBody::Fill { wire_id, fill }));
        }
        Some(known) if known.revision < revision => {
            let exec_ref = known.fill.exec_id.clone();
            (known.revision, known.pushed) = (revision, pushed);
            known.fill = VenueFill { exec_id: exec_ref.clone(), ..fill.clone() };
            heard.reports.push((at, ReportBody::Corrected { wire_id, exec_ref, fill, text }));
        }
        Some(known) if known.revision == revision => {
            let tell = again || pushed && known.pushed;
            known.pushed |= pushed;
            let exec_ref = known.fill.exec_id.clone();
            if tell && root(exec_ref.as_str()).1 == revision {
                heard.reports.push((at, ReportBody::Fill { wire_id, fill: known.fill.clone() }));
            } else if tell {
                heard.reports.push((at, ReportBody::Corrected { wire_id, exec_ref, fill, text }));
            }
        }
        // One that was corrected since.
        Some(_) => (),
    }
    order.settle();
    // Told wholly executed, while new terms may have made another: it is asked.
    heard.look |= pushed && order.is_ending();
}
