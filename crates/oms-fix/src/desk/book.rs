//! The orders of one session, followed from the log: what its client was told of them, and by which names it knows them.

use std::collections::BTreeMap;

use oms_engine::State;
use oms_model::event::{Event, OrderCreated};
use oms_model::{ClOrdId, Order, OrderId, Seq, Source, Time, UserId};

/// Whose orders they are.
#[derive(Clone, Debug)]
pub struct Book {
    user_id: UserId,
    orders: BTreeMap<OrderId, Named>,
    names: BTreeMap<ClOrdId, OrderId>,
}

/// An order with every name that it was given.
#[derive(Clone, Debug)]
struct Named {
    order: Order,
    names: Vec<ClOrdId>,
}

impl Book {
    /// The orders that `user_id` has sent by FIX and that are not cleaned up.
    #[must_use]
    pub fn of(state: &State, user_id: UserId) -> Self {
        let mut book = Self { user_id, orders: BTreeMap::new(), names: BTreeMap::new() };
        let own = state.orders_sorted().into_iter().map(|entry| &entry.order);
        own.filter(|order| order.is_root() && order.source == Source::Fix && order.user_id == user_id)
            .for_each(|order| book.insert(order.clone()));
        book
    }

    fn insert(&mut self, order: Order) {
        let names = order.extras.names.as_deref();
        let all = names.into_iter().flat_map(|names| names.current.iter().chain(&names.asked)).chain([&order.cl_ord_id]);
        let names: Vec<ClOrdId> = all.cloned().collect();
        self.names.extend(names.iter().map(|name| (name.clone(), order.order_id)));
        self.orders.insert(order.order_id, Named { order, names });
    }

    /// Whether an order is one of the session's.
    #[must_use]
    pub fn is_own(&self, event: &OrderCreated) -> bool {
        event.parent_order_id.is_none() && event.source == Source::Fix && event.user_id == self.user_id
    }

    /// Follows an event.
    pub fn apply(&mut self, seq: Seq, time: Time, event: &Event) {
        if let Event::OrderCreated(created) = event {
            if self.is_own(created) {
                self.insert(Order::create(created, seq, time));
            }
            return;
        }
        let Some(order_id) = event.order_id() else { return };
        let Some(known) = self.orders.get_mut(&order_id) else { return };
        known.order.apply(event, time);
        match event {
            Event::RequestNamed(e) => {
                known.names.push(e.cl_ord_id.clone());
                self.names.insert(e.cl_ord_id.clone(), order_id);
            }
            Event::OrderClosed(_) => {
                let gone = self.orders.remove(&order_id);
                for name in gone.iter().flat_map(|gone| &gone.names) {
                    self.names.remove(name);
                }
            }
            _ => (),
        }
    }

    /// One of the orders.
    #[must_use]
    pub fn get(&self, order_id: OrderId) -> Option<&Order> {
        self.orders.get(&order_id).map(|known| &known.order)
    }

    /// The order that a name is of: its own, or that of a request about it.
    #[must_use]
    pub fn named(&self, name: &[u8]) -> Option<&Order> {
        let name = str::from_utf8(name).ok().and_then(|text| ClOrdId::new(text).ok())?;
        self.get(*self.names.get(&name)?)
    }

    /// Those that are not done, oldest first.
    pub fn working(&self) -> impl Iterator<Item = &Order> {
        self.orders.values().map(|known| &known.order).filter(|order| !order.state.is_done())
    }
}
