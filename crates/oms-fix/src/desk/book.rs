//! The orders of one session, followed from the log: what its client was told of them, and by which names it knows them.

use std::collections::BTreeMap;

use oms_engine::State;
use oms_model::event::Event;
use oms_model::{AccountId, ClOrdId, Order, OrderId, Seq, Source, Time, UserId};

use super::catalog::Catalog;
use super::profile::CopyFilter;

/// Whose orders they are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Whose {
    /// Those that this user sends by FIX.
    Own(UserId),
    /// Those that the filter of a drop copy lets pass.
    Copies(CopyFilter),
}

impl Whose {
    fn takes(&self, source: Source, account_id: AccountId, user_id: UserId, catalog: &Catalog) -> bool {
        match self {
            Self::Own(own) => source == Source::Fix && user_id == *own,
            Self::Copies(filter) => filter.takes(account_id, user_id, catalog),
        }
    }
}

/// Orders of a session.
#[derive(Clone, Debug)]
pub struct Book {
    whose: Whose,
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
    /// The orders that are the session's and that are not cleaned up.
    #[must_use]
    pub fn of(state: &State, whose: Whose, catalog: &Catalog) -> Self {
        let mut book = Self { whose, orders: BTreeMap::new(), names: BTreeMap::new() };
        for order in state.orders_sorted().into_iter().map(|entry| &entry.order).filter(|order| order.is_root()) {
            if book.whose.takes(order.source, order.account_id, order.user_id, catalog) {
                book.insert(order.clone());
            }
        }
        book
    }

    /// Whether they are those of a drop copy.
    #[must_use]
    pub fn is_copy(&self) -> bool {
        matches!(self.whose, Whose::Copies(_))
    }

    fn insert(&mut self, order: Order) {
        let names = order.extras.names.as_deref();
        let all = names.into_iter().flat_map(|names| names.current.iter().chain(&names.asked)).chain([&order.cl_ord_id]);
        let names: Vec<ClOrdId> = all.cloned().collect();
        self.names.extend(names.iter().map(|name| (name.clone(), order.order_id)));
        self.orders.insert(order.order_id, Named { order, names });
    }

    /// Follows an event.
    pub fn apply(&mut self, seq: Seq, time: Time, event: &Event, catalog: &Catalog) {
        if let Event::OrderCreated(created) = event {
            let root = created.parent_order_id.is_none();
            if root && self.whose.takes(created.source, created.account_id, created.user_id, catalog) {
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
