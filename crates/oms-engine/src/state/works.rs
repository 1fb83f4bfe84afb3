//! Orders that the engine works: which of them watch the market, and which belong to a list.

use super::{State, TimerKind};
use oms_model::{InstrumentId, Order, OrderId, Time};
use std::collections::{BTreeMap, BTreeSet};

/// Indexes of worked orders. They follow from the orders, so a snapshot has none of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Works {
    count: usize,
    watching: BTreeMap<InstrumentId, BTreeSet<OrderId>>,
    lists: BTreeMap<OrderId, Vec<OrderId>>,
}

/// What an order waited for before something changed it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Waits {
    wake: Option<Time>,
    watching: bool,
}

impl Waits {
    pub(super) fn of(order: &Order) -> Self {
        Self { wake: order.wake(), watching: order.is_watching() }
    }
}

impl State {
    /// Orders in the hot state that the engine works.
    pub(crate) fn works(&self) -> usize {
        self.works.count
    }

    /// The orders that watch the market in an instrument, oldest first.
    pub(crate) fn watching(&self, instrument: InstrumentId) -> Vec<OrderId> {
        self.works.watching.get(&instrument).map(|orders| orders.iter().copied().collect()).unwrap_or_default()
    }

    /// The instruments whose market some order watches.
    pub fn watched(&self) -> impl Iterator<Item = InstrumentId> + '_ {
        self.works.watching.keys().copied()
    }

    /// The orders of a list, oldest first; nothing where it is unknown.
    #[must_use]
    pub fn list(&self, list_id: OrderId) -> &[OrderId] {
        self.works.lists.get(&list_id).map_or(&[], Vec::as_slice)
    }

    /// An order came into the hot state.
    pub(super) fn work_began(&mut self, order: &Order) {
        let Some(work) = order.extras.work.as_deref() else { return };
        self.works.count += 1;
        if let Some(link) = &work.link {
            self.works.lists.entry(link.list_id).or_default().push(order.order_id);
        }
        self.work_changed(order, Waits::default());
    }

    /// Keeps timers and watches in line with an order.
    pub(super) fn work_changed(&mut self, order: &Order, before: Waits) {
        let (order_id, now) = (order.order_id, Waits::of(order));
        if now.wake != before.wake {
            if let Some(at) = before.wake {
                self.clear_timer(at, TimerKind::Work, order_id);
            }
            if let Some(at) = now.wake {
                self.set_timer(at, TimerKind::Work, order_id);
            }
        }
        if now.watching == before.watching {
            return;
        }
        let watching = self.works.watching.entry(order.instrument_id).or_default();
        if now.watching {
            watching.insert(order_id);
        } else {
            watching.remove(&order_id);
        }
        if watching.is_empty() {
            self.works.watching.remove(&order.instrument_id);
        }
    }

    /// An order left the hot state.
    pub(super) fn work_closed(&mut self, order: &Order) {
        let Some(work) = order.extras.work.as_deref() else { return };
        self.works.count -= 1;
        let Some(link) = &work.link else { return };
        if let Some(list) = self.works.lists.get_mut(&link.list_id) {
            list.retain(|id| *id != order.order_id);
            if list.is_empty() {
                self.works.lists.remove(&link.list_id);
            }
        }
    }
}
