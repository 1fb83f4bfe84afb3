//! The gateway's two sides: the log as it is now, and what the look showed.

use std::collections::{BTreeMap, BTreeSet};

use oms_model::{OrderId, Price};

use super::Rows;
use crate::codec::Dialect;
use crate::connector::config::SECOND;
use crate::connector::ledger::Standing;
use crate::connector::look::DAYS;
use crate::connector::{Connector, moment};
use crate::reconcile::sides::{ContractName, DeskSide, GatewayExecution, GatewayOrder, GatewaySide, HeldView, OrderView, Worth};

/// Executions of the last moments before a look may be pushed after its list was made up.
const MARGIN: i64 = 2 * SECOND;

impl Connector {
    /// The first day of the gateway's whose executions a look lists.
    pub(super) fn covered_since(&self, rows: &Rows) -> i64 {
        let days = if matches!(self.link.dialect, Some(Dialect::Proto(_))) { i64::from(DAYS) } else { 1 };
        moment::day(rows.began, self.ledger.zone.as_ref()) - (days - 1)
    }

    pub(super) fn gather(&self, desk: &DeskSide, rows: &Rows, stamp: u64) -> GatewaySide {
        let ids: BTreeSet<OrderId> = self.ledger.to_compare().map(|order| order.order_id).collect();
        let ids = ids.into_iter().chain(rows.orders.keys().copied()).chain(desk.orders.keys().copied());
        let orders = ids.filter_map(|id| self.ledger.order(id)).map(|order| (order.order_id, self.gathered(order, rows, stamp)));
        let account = &self.config.account;
        GatewaySide {
            orders: orders.collect(),
            foreign: self.ledger.foreign().filter(|order| order.account == *account).map(|order| order.view()).collect(),
            executions: self.gather_executions(desk, rows),
            positions: self.held_by_contract(),
            derived: self.ledger.derived(),
            has_forgotten: self.ledger.has_forgotten(),
        }
    }

    fn gathered(&self, order: &Standing, rows: &Rows, stamp: u64) -> GatewayOrder {
        let id = order.order_id;
        let is_lost = self.lost.contains(&id);
        let ledger = OrderView { is_working: order.view().is_working && !is_lost, ..order.view() };
        let row = rows.orders.get(&id);
        let counted = order.told_cum();
        let broker = match row {
            Some(row) if row.is_open => {
                let cum_qty = counted.max(ledger.cum_qty);
                Some(OrderView { order_qty: row.qty, cum_qty, price: row.price, is_working: true })
            }
            // One that is over is shown without some of its terms; and one of an earlier day not at all, but what was counted
            // of it stands.
            Some(_) => Some(OrderView { cum_qty: counted.max(ledger.cum_qty), price: None, is_working: false, ..ledger }),
            None if ledger.cum_qty < counted => Some(OrderView { cum_qty: counted, price: None, is_working: false, ..ledger }),
            None => None,
        };
        let left_since = self.left.get(&id).is_some_and(|left| stamp <= *left);
        let is_asked = order.requests.iter().any(|request| request.answer.is_none()) && ledger.is_working;
        GatewayOrder {
            ledger,
            broker,
            is_missing: self.missing.contains(&id),
            working: order.perms.iter().filter(|perm| !perm.done).count().min(if ledger.is_working { usize::MAX } else { 0 }),
            is_moving: left_since || is_asked || (!order.heard && !is_lost),
            contract: order.terms().map(|(contract, worth, _)| (contract, worth)),
        }
    }

    fn gather_executions(&self, desk: &DeskSide, rows: &Rows) -> BTreeMap<String, GatewayExecution> {
        let since = self.covered_since(rows);
        let zone = self.ledger.zone.as_ref();
        let mut roots: BTreeSet<&String> = self.ledger.roots_since(since).collect();
        roots.extend(rows.executions.keys());
        roots.extend(desk.executions.keys());
        let of = |root: &String| {
            let known = self.ledger.execution(root);
            let is_covered =
                known.as_ref().is_some_and(|(at, _)| since <= moment::day(*at, zone) && at.0 < rows.began.0.saturating_sub(MARGIN));
            let broker = rows.executions.get(root).map(|(_, view)| view.clone());
            GatewayExecution { ledger: known.map(|(_, view)| view), broker, is_covered }
        };
        roots.into_iter().map(|root| (root.clone(), of(root))).collect()
    }

    fn held_by_contract(&self) -> BTreeMap<ContractName, HeldView> {
        let mut held: BTreeMap<ContractName, HeldView> = BTreeMap::new();
        for row in self.account.held(&self.config.account) {
            // More digits than an amount here has are no position that the books could have.
            let qty = row.quantity.qty().unwrap_or_default();
            let avg_cost = row.avg_cost.price().unwrap_or(Price::ZERO);
            let currency = Worth::of(&row.contract).currency;
            let sum = held.entry(ContractName::of(&row.contract)).or_insert(HeldView { qty: oms_model::Qty::ZERO, avg_cost, currency });
            sum.qty = sum.qty.saturating_add(qty);
        }
        held
    }
}
