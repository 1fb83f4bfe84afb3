//! What a desk has booked, folded from what it sent and what it was told: the desk's side in tests.

use std::collections::{BTreeMap, BTreeSet};

use oms_model::report::{ReportBody, VenueFill};
use oms_model::{IntentKind, OrderId, Price, Qty, WireId};
use oms_runtime::port::{Handed, WireOrder, WireReplace};

use super::play::contract;
use crate::reconcile::sides::{ContractName, DeskAsked, DeskOrder, DeskPosition, DeskSide, ExecutionView, OrderView, Worth, root};

#[derive(Clone, Debug)]
struct Booked {
    view: OrderView,
    is_buy: bool,
    /// What was handed over and not answered, and what a replace asks for.
    waiting: BTreeMap<WireId, Option<(Qty, Option<Price>)>>,
    in_doubt: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct DeskBooks {
    orders: BTreeMap<OrderId, Booked>,
    pub(super) executions: BTreeMap<String, ExecutionView>,
    pub(super) suspense: BTreeSet<String>,
    pub(super) dismissed: BTreeSet<String>,
}

fn id(wire_id: &WireId) -> OrderId {
    wire_id.parts().map(|(order_id, _)| order_id).unwrap_or_default()
}

impl DeskBooks {
    pub(super) fn sends(&mut self, order: &WireOrder) {
        let view = OrderView { order_qty: order.order_qty, cum_qty: Qty::ZERO, price: order.price, is_working: true };
        let waiting = BTreeMap::from([(order.wire_id.clone(), None)]);
        self.orders.entry(id(&order.wire_id)).or_insert(Booked { view, is_buy: order.side.is_buy(), waiting, in_doubt: false });
    }

    pub(super) fn asks(&mut self, wire_id: &WireId, replace: Option<&WireReplace>) {
        if let Some(order) = self.orders.get_mut(&id(wire_id)) {
            order.waiting.insert(wire_id.clone(), replace.map(|asked| (asked.order_qty, asked.price)));
        }
    }

    pub(super) fn handed(&mut self, wire_id: &WireId, handed: &Handed) {
        match handed {
            Handed::NotSent(_) => self.not_sent(wire_id),
            Handed::Unknown(_) => self.doubt(wire_id),
            Handed::Over => (),
        }
    }

    fn not_sent(&mut self, wire_id: &WireId) {
        let is_new = wire_id.parts().is_some_and(|(_, revision)| revision == 0);
        if let Some(order) = self.orders.get_mut(&id(wire_id)) {
            order.waiting.remove(wire_id);
            order.view.is_working &= !is_new;
        }
    }

    fn doubt(&mut self, wire_id: &WireId) {
        if let Some(order) = self.orders.get_mut(&id(wire_id)) {
            order.in_doubt = true;
        }
    }

    pub(super) fn told(&mut self, body: &ReportBody) {
        match body {
            ReportBody::Fill { wire_id, fill } => self.filled(wire_id, fill),
            ReportBody::Corrected { exec_ref, fill, .. } => {
                if let Some(known) = self.executions.get_mut(root(exec_ref.as_str()).0) {
                    (known.qty, known.price) = (fill.last_qty, fill.last_px);
                }
            }
            ReportBody::Accepted { wire_id, .. }
            | ReportBody::CancelRejected { wire_id, .. }
            | ReportBody::ReplaceRejected { wire_id, .. } => {
                self.answered(wire_id, |_, _| ());
            }
            ReportBody::Replaced { wire_id, order_qty } => self.answered(wire_id, |order, asked| {
                if let Some((qty, price)) = asked {
                    (order.view.order_qty, order.view.price) = (order_qty.unwrap_or(qty), price);
                }
            }),
            ReportBody::Rejected { wire_id, .. } | ReportBody::Canceled { wire_id, .. } | ReportBody::Expired { wire_id, .. } => {
                self.answered(wire_id, |order, _| {
                    order.view.is_working = false;
                    order.waiting.clear();
                });
            }
            ReportBody::NotSent { wire_id, intent, .. } => {
                assert!(*intent != IntentKind::New || wire_id.parts().is_some_and(|(_, revision)| revision == 0));
                self.not_sent(wire_id);
            }
            ReportBody::Unknown { wire_id, .. } => self.doubt(wire_id),
            _ => (),
        }
        self.settle();
    }

    fn answered(&mut self, wire_id: &WireId, take: impl FnOnce(&mut Booked, Option<(Qty, Option<Price>)>)) {
        if let Some(order) = self.orders.get_mut(&id(wire_id)) {
            let asked = order.waiting.remove(wire_id).flatten();
            take(order, asked);
        }
    }

    fn filled(&mut self, wire_id: &WireId, fill: &VenueFill) {
        let (base, _) = root(fill.exec_id.as_str());
        let order = self.orders.get(&id(wire_id));
        let Some(order) = order else {
            self.suspense.insert(base.to_owned());
            return;
        };
        let view = ExecutionView {
            is_buy: order.is_buy,
            qty: fill.last_qty,
            price: fill.last_px,
            contract: ContractName::of(&contract()),
            worth: Worth::of(&contract()),
            order_id: Some(id(wire_id)),
        };
        self.executions.entry(base.to_owned()).or_insert(view);
    }

    /// Quantities follow from executions; an order that is wholly executed is over.
    fn settle(&mut self) {
        for (order_id, order) in &mut self.orders {
            let own = self.executions.values().filter(|view| view.order_id == Some(*order_id));
            order.view.cum_qty = own.fold(Qty::ZERO, |sum, view| sum.saturating_add(view.qty));
            if order.view.order_qty <= order.view.cum_qty {
                order.view.is_working = false;
                order.waiting.clear();
            }
        }
    }

    /// The desk has never booked an execution: its order works on, as far as it knows.
    pub(super) fn forget_execution(&mut self) -> String {
        let (base, view) = self.executions.pop_first().unwrap();
        self.orders.get_mut(&view.order_id.unwrap()).unwrap().view.is_working = true;
        self.settle();
        base
    }

    pub(super) fn side(&self, _: &DeskAsked) -> DeskSide {
        let contract_name = ContractName::of(&contract());
        let worth = Worth::of(&contract());
        let order = |order: &Booked| DeskOrder {
            view: order.view,
            contract: contract_name.clone(),
            worth,
            is_moving: order.in_doubt || !order.waiting.is_empty(),
        };
        let mut side = DeskSide {
            orders: self.orders.iter().map(|(id, booked)| (*id, order(booked))).collect(),
            executions: self.executions.iter().map(|(root, view)| (root.clone(), vec![view.clone()])).collect(),
            suspense: self.suspense.iter().cloned().collect(),
            dismissed: self.dismissed.iter().cloned().collect(),
            positions: BTreeMap::new(),
        };
        if let Some(last) = self.executions.values().last() {
            let signed = |view: &ExecutionView| if view.is_buy { view.qty } else { view.qty.negated() };
            let qty = self.executions.values().fold(Qty::ZERO, |sum, view| sum.saturating_add(signed(view)));
            side.positions.insert(contract_name, DeskPosition { qty, last_px: last.price, worth });
        }
        side
    }
}
