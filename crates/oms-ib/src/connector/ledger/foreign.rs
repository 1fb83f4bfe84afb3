//! Orders of other clients and of people. They are shown, and what they execute in the account is told.

use oms_model::report::{ReportBody, VenueFill};
use oms_model::{Price, Qty, Time, WireId};

use super::executed::{BOUGHT, money};
use super::{Dated, Heard, Ledger, MAX_FOREIGN, Owner};
use crate::codec::{Commission, Contract, ExecutionReport, Number, OpenOrder, OrderStatus};
use crate::reconcile::sides::{ContractName, ExecutionView, ForeignView, OrderView, Worth};

/// An order that is not the desk's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForeignOrder {
    /// The broker's permanent id.
    pub perm_id: i64,
    /// Whose; 0 with order id 0 is a person's.
    pub client_id: i32,
    /// Of its client.
    pub order_id: i32,
    /// In which account.
    pub account: String,
    /// Its reference, if it has one.
    pub order_ref: String,
    /// What.
    pub symbol: String,
    /// `BUY`, `SELL`.
    pub action: String,
    /// The broker's word for its type.
    pub order_type: String,
    /// How much, as told.
    pub quantity: String,
    /// Executed of it, as told.
    pub filled: String,
    /// The broker's word for how it stands.
    pub status: String,
    /// Its limit, if it has one.
    pub limit: Option<Price>,
    /// What, as the broker describes it.
    pub contract: Contract,
}

impl ForeignOrder {
    /// As it is compared.
    pub(in crate::connector) fn view(&self) -> ForeignView {
        let qty = |text: &str| text.parse::<Number>().ok().and_then(Number::qty).unwrap_or(Qty::ZERO);
        let (order_qty, cum_qty) = (qty(&self.quantity), qty(&self.filled));
        ForeignView {
            perm_id: self.perm_id,
            view: OrderView { order_qty, cum_qty, price: self.limit, is_working: true },
            action: self.action.clone(),
            contract: ContractName::of(&self.contract),
            worth: Worth::of(&self.contract),
        }
    }
}

fn is_over(status: &str) -> bool {
    matches!(status, "Filled" | "Cancelled" | "ApiCancelled")
}

impl Ledger {
    pub(super) fn foreign_order(&mut self, row: &OpenOrder) -> Heard {
        let perm_id = row.order.perm_id;
        if perm_id == 0 {
            return Heard::default();
        }
        if is_over(&row.state.status) {
            self.foreign.remove(&perm_id);
            return Heard::default();
        }
        let filled = self.foreign.get(&perm_id).map(|known| known.filled.clone()).unwrap_or_default();
        let order = ForeignOrder {
            perm_id,
            client_id: row.order.client_id,
            order_id: row.order_id,
            account: row.order.account.clone(),
            order_ref: row.order.order_ref.clone(),
            symbol: row.contract.symbol.clone(),
            action: row.order.action.clone(),
            order_type: row.order.order_type.clone(),
            quantity: row.order.quantity.to_string(),
            filled,
            status: row.state.status.clone(),
            limit: row.order.limit.and_then(Number::price).filter(|limit| *limit != Price::ZERO),
            contract: row.contract.clone(),
        };
        if self.foreign.insert(perm_id, order).is_none() {
            tracing::warn!(perm_id, symbol = %row.contract.symbol, client = row.order.client_id, "an order that is not the desk's works in the account");
        }
        while MAX_FOREIGN < self.foreign.len() {
            self.foreign.pop_first();
        }
        Heard::default()
    }

    pub(super) fn foreign_status(&mut self, row: &OrderStatus) -> Heard {
        if is_over(&row.status) {
            self.foreign.remove(&row.perm_id);
        } else if let Some(known) = self.foreign.get_mut(&row.perm_id) {
            known.filled = row.filled.to_string();
            known.status.clone_from(&row.status);
        }
        Heard::default()
    }

    /// Forgets those that a whole look at open orders did not show.
    pub(in crate::connector) fn foreign_seen(&mut self, seen: &std::collections::BTreeSet<i64>) {
        self.foreign.retain(|perm_id, _| seen.contains(perm_id));
    }

    /// What the log does not say that the desk has of executions of nobody here, by the root of their ids.
    pub(in crate::connector) fn untold(&self) -> Vec<(String, Vec<Dated>)> {
        self.untold.iter().map(|(base, reports)| (base.clone(), reports.clone())).collect()
    }

    /// The desk has what was told of one.
    pub(in crate::connector) fn told(&mut self, base: &str) {
        self.untold.remove(base);
    }

    /// An execution of nobody here. In the desk's account it is told, once: it waits there for a person.
    pub(super) fn foreign_execution(
        &mut self,
        report: &ExecutionReport,
        base: &str,
        revision: u32,
        at: Option<Time>,
        fill: VenueFill,
    ) -> Heard {
        let execution = &report.execution;
        if execution.account != self.account {
            return Heard::default();
        }
        let known = self.by_exec.get(base).and_then(|owner| match owner {
            Owner::Foreign { first, revision, charge, .. } => Some((first.clone(), *revision, *charge)),
            Owner::Own(_) => None,
        });
        if known.as_ref().is_some_and(|(_, known, _)| revision <= *known) {
            return Heard::default();
        }
        let first = known.as_ref().map_or_else(|| fill.exec_id.clone(), |(first, ..)| first.clone());
        let view = ExecutionView {
            is_buy: execution.side == BOUGHT,
            qty: fill.last_qty,
            price: fill.last_px,
            contract: ContractName::of(&report.contract),
            worth: Worth::of(&report.contract),
            order_id: None,
        };
        let named = WireId::new(&execution.order_ref).or_else(|_| WireId::new(&format!("perm.{}", execution.perm_id)));
        let wire_id = named.unwrap_or_default();
        let owner = Owner::Foreign {
            first: first.clone(),
            revision,
            view: Box::new((at.unwrap_or_default(), view)),
            wire_id: wire_id.clone(),
            charge: known.as_ref().and_then(|(.., charge)| *charge),
        };
        self.by_exec.insert(base.to_owned(), owner);
        let body = match known {
            Some(_) => ReportBody::Corrected { wire_id, exec_ref: first, fill, text: "the broker corrected it".to_owned() },
            None => ReportBody::Fill { wire_id, fill },
        };
        self.foreign_said(base, at, body)
    }

    /// What an execution of nobody here cost: told once for each amount, and it waits with the execution.
    pub(super) fn foreign_charge(&mut self, base: &str, commission: &Commission) -> Heard {
        let (Some(Owner::Foreign { first, view, wire_id, charge, .. }), Some(told)) = (self.by_exec.get_mut(base), money(commission))
        else {
            return Heard::default();
        };
        if charge.replace(told) == Some(told) {
            return Heard::default();
        }
        let at = Some(view.0).filter(|at| *at != Time::default());
        let (commission, currency) = told;
        let body = ReportBody::Commission { wire_id: wire_id.clone(), exec_id: first.clone(), commission, currency };
        self.foreign_said(base, at, body)
    }

    fn foreign_said(&mut self, base: &str, at: Option<Time>, body: ReportBody) -> Heard {
        self.untold.entry(base.to_owned()).or_default().push((at, body.clone()));
        Heard { reports: vec![(at, body)], is_news: true, foreign: Some(base.to_owned()), ..Heard::default() }
    }
}
