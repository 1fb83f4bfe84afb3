//! Orders that are accepted and wait before they are sent, and for whose end they wait.

use super::State;
use oms_model::{Order, OrderId};
use std::collections::{BTreeMap, BTreeSet};

/// The orders that wait. It follows from the orders, so a snapshot has none of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Holds {
    held: BTreeSet<OrderId>,
    /// Who waits for the end of an order.
    waiting: BTreeMap<OrderId, BTreeSet<OrderId>>,
}

impl State {
    /// Orders that are accepted and wait before they are sent, by id.
    pub fn held(&self) -> impl Iterator<Item = &Order> {
        self.holds.held.iter().filter_map(|id| self.order(*id))
    }

    /// Whether any order waits.
    pub(crate) fn has_held(&self) -> bool {
        !self.holds.held.is_empty()
    }

    /// Who waits for the end of an order.
    pub(crate) fn waiting_for(&self, order_id: OrderId) -> Vec<OrderId> {
        self.holds.waiting.get(&order_id).map(|ids| ids.iter().copied().collect()).unwrap_or_default()
    }

    /// Brings the index in line with an order that was held, was released, or ended; `before` is for whom it waited.
    pub(super) fn hold_changed(&mut self, order: &Order, before: Option<Vec<OrderId>>) {
        let now = order.extras.hold.as_deref().map(|hold| &hold.waits_for);
        if before.as_ref() == now {
            return;
        }
        for other in before.unwrap_or_default() {
            if let Some(ids) = self.holds.waiting.get_mut(&other) {
                ids.remove(&order.order_id);
                if ids.is_empty() {
                    self.holds.waiting.remove(&other);
                }
            }
        }
        match now {
            Some(waits_for) => {
                self.holds.held.insert(order.order_id);
                for other in waits_for {
                    self.holds.waiting.entry(*other).or_default().insert(order.order_id);
                }
            }
            None => drop(self.holds.held.remove(&order.order_id)),
        }
    }
}
