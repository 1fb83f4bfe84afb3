//! The topic of orders: each client order as REST shows it, after every batch of the log that changed it.

use super::{Filter, Topic, message, pieces, too_broad};
use crate::api::Api;
use crate::call::Call;
use crate::catalog::Catalog;
use crate::json::orders::write_order;
use crate::owners::Owner;
use oms_engine::State;
use oms_model::event::{Batch, Event};
use oms_model::{OrdState, Order, OrderId, Refusal, Seq};
use oms_runtime::history::Moment;
use std::collections::{BTreeMap, BTreeSet};

/// The orders as they were last told.
#[derive(Default)]
pub(super) struct Orders {
    known: BTreeMap<OrderId, Order>,
}

struct Open {
    orders: Vec<Order>,
    seq: Seq,
}

fn open(state: &State, filter: &Filter, most: usize) -> Open {
    let mut open = Open { orders: Vec::new(), seq: state.last_seq() };
    for order in state.orders().map(|entry| &entry.order) {
        if order.state.is_done() || open.orders.len() > most {
            continue;
        }
        if order.is_root() && filter.takes(order.account_id, order.instrument_id) {
            open.orders.push(order.clone());
        }
    }
    // What is told is in the order of ids. Only that is sorted: the engine waits for this.
    open.orders.sort_unstable_by_key(|order| order.order_id);
    open
}

impl Orders {
    /// The client orders that are not done, at one sequence.
    ///
    /// # Errors
    /// `OVERLOADED`, `QUERY_TOO_BROAD`.
    pub(super) async fn snapshot(call: &Call, number: u32, filter: &Filter) -> Result<(Topic, Seq, Vec<Vec<u8>>), Refusal> {
        let (wanted, most) = (filter.clone(), call.api.config().sockets.max_snapshot);
        let found = call.api.handle().inspect(move |state, _| open(state, &wanted, most)).await?;
        if found.orders.len() > most {
            return Err(too_broad(most));
        }
        let catalog = call.api.catalog_now().await?;
        let pieces = pieces(number, found.seq, &found.orders, |w, order| write_order(w, order, &catalog));
        let known = found.orders.into_iter().map(|order| (order.order_id, order)).collect();
        Ok((Topic::Orders(Self { known }), found.seq, pieces))
    }

    /// The orders that a batch changed, as they are after it; `None` where it changed none.
    ///
    /// # Errors
    /// Where the past of an order cannot be read.
    pub(super) async fn delta(
        &mut self,
        api: &Api,
        number: u32,
        filter: &Filter,
        batch: &Batch,
        catalog: &Catalog,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        if !self.may_touch(api, filter, batch) {
            return Ok(None);
        }
        self.look_up(api, filter, batch).await?;
        let mut touched: BTreeSet<OrderId> = BTreeSet::new();
        for (seq, event) in batch.numbered() {
            match event {
                Event::OrderCreated(created) => {
                    if let Some(parent) = created.parent_order_id.and_then(|parent| self.known.get_mut(&parent)) {
                        parent.children.push(created.order_id);
                    }
                    let order = Order::create(created, seq, batch.time);
                    if order.is_root() && filter.takes(order.account_id, order.instrument_id) {
                        touched.insert(order.order_id);
                        self.known.insert(order.order_id, order);
                    }
                }
                event => {
                    if let Some(order) = event.order_id().and_then(|id| self.known.get_mut(&id)) {
                        order.apply(event, batch.time);
                        touched.insert(order.order_id);
                    }
                }
            }
        }
        let told = (!touched.is_empty()).then(|| {
            message(number, "delta", batch.last_seq(), true, |w| {
                w.array_at("data", touched.iter().filter_map(|id| self.known.get(id)), |w, order| write_order(w, order, catalog));
            })
        });
        self.forget(api.config().sockets.max_snapshot, &touched);
        Ok(told)
    }

    /// Whether a batch may have changed an order that is told here. Most have not where the filter is narrow, and nothing is made
    /// for them.
    fn may_touch(&self, api: &Api, filter: &Filter, batch: &Batch) -> bool {
        let known = |id: &OrderId| self.known.contains_key(id);
        let here = batch.events.iter().any(|event| match event {
            Event::OrderCreated(created) => {
                filter.takes(created.account_id, created.instrument_id) || created.parent_order_id.as_ref().is_some_and(known)
            }
            event => event.order_id().as_ref().is_some_and(known),
        });
        let others = batch.events.iter().filter(|event| !matches!(event, Event::OrderCreated(_))).filter_map(Event::order_id);
        here || api.owners().any(others, |owner| owner.is_root && filter.takes(owner.account_id, owner.instrument_id))
    }

    /// Learns the orders that a batch is about and that are from before this subscription.
    async fn look_up(&mut self, api: &Api, filter: &Filter, batch: &Batch) -> Result<(), Refusal> {
        let created: BTreeSet<OrderId> =
            batch.events.iter().filter_map(|event| if let Event::OrderCreated(e) = event { Some(e.order_id) } else { None }).collect();
        let named = batch.events.iter().filter_map(Event::order_id);
        let unknown: BTreeSet<OrderId> = named.filter(|id| !created.contains(id) && !self.known.contains_key(id)).collect();
        // Legs, and orders that the filter does not take, are told by nobody.
        let takes = |owner: Owner| owner.is_root && filter.takes(owner.account_id, owner.instrument_id);
        let unknown = api.owners().filter(unknown.into_iter(), takes);
        if unknown.is_empty() {
            return Ok(());
        }
        let before = Moment { seq: Seq(batch.first_seq.0.saturating_sub(1)), time: batch.time };
        let found = api.orders_at(unknown, before).await?;
        api.owners().looked_up(&found);
        for order in found {
            if order.is_root() && filter.takes(order.account_id, order.instrument_id) {
                self.known.insert(order.order_id, order);
            }
        }
        Ok(())
    }

    /// What is closed is not kept; and no more is kept than bounds allow: the log tells it again.
    fn forget(&mut self, most: usize, touched: &BTreeSet<OrderId>) {
        for id in touched {
            if self.known.get(id).is_some_and(|order| order.state == OrdState::Closed) {
                self.known.remove(id);
            }
        }
        if self.known.len() > most.saturating_mul(2) {
            self.known.clear();
        }
    }
}
