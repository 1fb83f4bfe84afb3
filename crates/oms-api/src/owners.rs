//! Whose an order is: what a subscription has to know of the orders that it does not tell.
//!
//! Most events do not say it. All subscriptions of a tenant share what the log said when the order was created, or what was
//! looked up for one of them.

use oms_model::event::OrderCreated;
use oms_model::{AccountId, InstrumentId, Order, OrderId};
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// Orders that are remembered at most; beyond it the older half is forgotten, and looked up where it is asked for.
const MOST: usize = 1_000_000;

/// Whose an order is, and whether a client placed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) account_id: AccountId,
    pub(crate) instrument_id: InstrumentId,
    pub(crate) is_root: bool,
}

impl Owner {
    fn of(order: &Order) -> Self {
        Self { account_id: order.account_id, instrument_id: order.instrument_id, is_root: order.is_root() }
    }

    fn created(order: &OrderCreated) -> Self {
        Self { account_id: order.account_id, instrument_id: order.instrument_id, is_root: order.parent_order_id.is_none() }
    }
}

#[derive(Default)]
struct Known {
    young: HashMap<OrderId, Owner>,
    old: HashMap<OrderId, Owner>,
}

/// The orders that were created or looked up last.
#[derive(Default)]
pub(crate) struct Owners {
    known: RwLock<Known>,
}

impl Owners {
    fn put_all(&self, orders: impl Iterator<Item = (OrderId, Owner)>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.young.extend(orders);
        if known.young.len() > MOST / 2 {
            known.old = std::mem::take(&mut known.young);
        }
    }

    /// Remembers orders that are created.
    pub(crate) fn created<'a>(&self, orders: impl Iterator<Item = &'a OrderCreated>) {
        let mut orders = orders.map(|order| (order.order_id, Owner::created(order))).peekable();
        // Most batches create none.
        if orders.peek().is_some() {
            self.put_all(orders);
        }
    }

    /// Remembers orders that were looked up.
    pub(crate) fn looked_up(&self, orders: &[Order]) {
        self.put_all(orders.iter().map(|order| (order.order_id, Owner::of(order))));
    }

    /// Whether one of these orders is such that `takes`, or one that nobody knows.
    pub(crate) fn any(&self, mut orders: impl Iterator<Item = OrderId>, takes: impl Fn(Owner) -> bool) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        orders.any(|id| known.young.get(&id).or_else(|| known.old.get(&id)).copied().is_none_or(&takes))
    }

    /// Of these orders those that `takes`, and those that nobody knows.
    pub(crate) fn filter(&self, orders: impl Iterator<Item = OrderId>, takes: impl Fn(Owner) -> bool) -> Vec<OrderId> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let owner = |id: &OrderId| known.young.get(id).or_else(|| known.old.get(id)).copied();
        orders.filter(|id| owner(id).is_none_or(&takes)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_not_asked_for_and_what_is_not_is() {
        let owners = Owners::default();
        let order = |id: u128, instrument: u32| OrderCreated {
            order_id: OrderId::from_u128(id),
            instrument_id: InstrumentId(instrument),
            ..OrderCreated::default()
        };
        owners.created([order(1, 1), order(2, 2)].iter());
        let wanted = |ids: &[u128]| {
            let ids = ids.iter().map(|id| OrderId::from_u128(*id));
            owners.filter(ids, |owner| owner.is_root && owner.instrument_id == InstrumentId(2))
        };
        assert_eq!(wanted(&[1, 2, 3]), [2, 3].map(OrderId::from_u128));
        for ids in [&[][..], &[1], &[1, 1], &[2], &[1, 3], &[1, 2]] {
            let any =
                owners.any(ids.iter().map(|id| OrderId::from_u128(*id)), |owner| owner.is_root && owner.instrument_id == InstrumentId(2));
            assert_eq!(any, !wanted(ids).is_empty(), "{ids:?}");
        }
        // So many that the older half goes: what was in it is asked for again.
        for id in 10..(MOST as u128 + 20) {
            owners.created(std::iter::once(&order(id, 1)));
        }
        assert_eq!(wanted(&[1, MOST as u128 + 15]), [OrderId::from_u128(1)]);
        let held = owners.known.read().unwrap();
        assert!(held.young.len() + held.old.len() <= MOST + 1);
    }
}
