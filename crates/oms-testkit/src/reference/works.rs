//! Triggers, lists and suspensions, as the durable log says: a few lines that owe nothing to the engine's own fold.

use crate::hold;
use oms_engine::State;
use oms_model::event::{Batch, Event, OrderCreated};
use oms_model::work::{AlgoAction, ContingencyType, Link};
use oms_model::{OrderId, OrderKind, Price, Qty};
use std::collections::BTreeMap;

/// An order that the engine works.
#[derive(Clone, Debug)]
struct Worked {
    is_buy: bool,
    qty: Qty,
    cum: Qty,
    link: Option<Link>,
    triggered: bool,
    suspended: bool,
    /// Where its stop followed the market to.
    stop_px: Option<Price>,
}

/// A slice of one.
#[derive(Clone, Debug)]
struct Sliced {
    of: OrderId,
    qty: Qty,
    cum: Qty,
    ended: bool,
}

/// What the engine works, and how far it has come.
#[derive(Clone, Debug, Default)]
pub struct Works {
    orders: BTreeMap<OrderId, Worked>,
    slices: BTreeMap<OrderId, Sliced>,
}

impl Works {
    /// Orders that the engine works, oldest first, those that have ended too.
    pub fn ids(&self) -> Vec<OrderId> {
        self.orders.keys().copied().collect()
    }

    /// Whether somebody suspended the order.
    #[must_use]
    pub fn is_suspended(&self, id: OrderId) -> bool {
        self.orders.get(&id).is_some_and(|order| order.suspended)
    }

    /// A batch was decided: what it says of worked orders fits what was so before.
    pub fn decided(&mut self, batch: &Batch) {
        for event in &batch.events {
            self.event(event);
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::OrderCreated(e) => self.created(e),
            Event::OrderPartiallyFilled(e) | Event::OrderFilled(e) => self.executed(e.order_id, e.last_qty),
            Event::OrderFillAdjusted(e) => self.executed(e.order_id, e.qty),
            Event::OrderRejected(e) => self.ended(e.order_id),
            Event::OrderCanceled(e) | Event::OrderExpired(e) => self.ended(e.order_id),
            Event::OrderReplaced(e) => {
                if let Some(slice) = self.slices.get_mut(&e.order_id) {
                    slice.qty = e.terms.order_qty;
                }
                if let Some(order) = self.orders.get_mut(&e.order_id) {
                    order.qty = e.terms.order_qty;
                }
            }
            Event::OrderTriggered(e) => {
                let Some(order) = self.orders.get_mut(&e.order_id) else { return };
                hold!(9, !order.triggered, "order {} is triggered twice", e.order_id);
                hold!(14, !order.suspended, "order {} is triggered while it is suspended", e.order_id);
                order.triggered = true;
                let (Some(stop), Some(seen)) = (e.stop_px, e.seen_px) else { return };
                let reached = if order.is_buy { seen >= stop } else { seen <= stop };
                hold!(9, reached, "order {} is triggered at {stop} by {seen}", e.order_id);
                let stands = order.stop_px.is_none_or(|followed| followed == stop);
                hold!(9, stands, "the stop of order {} followed to {:?} and triggers at {stop}", e.order_id, order.stop_px);
            }
            Event::StopMoved(e) => {
                let Some(order) = self.orders.get_mut(&e.order_id) else { return };
                let back = order.stop_px.is_some_and(|stop| if order.is_buy { e.stop_px >= stop } else { e.stop_px <= stop });
                hold!(9, !back && !order.triggered, "the stop of order {} goes back from {:?} to {}", e.order_id, order.stop_px, e.stop_px);
                order.stop_px = Some(e.stop_px);
            }
            Event::AlgoStepped(e) => {
                let Some(order) = self.orders.get_mut(&e.order_id) else { return };
                match e.action {
                    AlgoAction::Suspend => order.suspended = true,
                    AlgoAction::Resume => order.suspended = false,
                    _ => (),
                }
            }
            Event::OrderArmed(e) => {
                let executed = self.orders.get(&e.by).map_or(Qty::ZERO, |first| first.cum);
                hold!(14, e.armed_qty <= executed, "order {} is armed for {} by {executed} executed", e.order_id, e.armed_qty);
            }
            Event::PeerFilled(e) => {
                let taken = self.taken_from(e.order_id);
                hold!(42, e.taken_qty == taken, "{} of order {} are said to be taken, the others have {taken}", e.taken_qty, e.order_id);
            }
            _ => (),
        }
    }

    fn created(&mut self, event: &OrderCreated) {
        let id = event.order_id;
        if let Some(work) = event.work.as_deref() {
            let (link, is_buy, qty) = (work.link, event.side.is_buy(), event.order_qty);
            let (cum, triggered, suspended, stop_px) = (Qty::ZERO, false, false, None);
            self.orders.insert(id, Worked { is_buy, qty, cum, link, triggered, suspended, stop_px });
        }
        let (Some(OrderKind::Slice), Some(of)) = (event.kind, event.parent_order_id) else { return };
        let Some(order) = self.orders.get(&of) else { return };
        hold!(14, !order.suspended, "a slice of order {of} is released while it is suspended");
        let with_slices = self.slices.values().filter(|slice| slice.of == of).fold(event.order_qty, |sum, slice| {
            let open = if slice.ended { Qty::ZERO } else { slice.qty.saturating_sub(slice.cum) };
            sum.saturating_add(slice.cum).saturating_add(open)
        });
        if let Some(first) = order.link.and_then(|link| link.armed_by).and_then(|first| self.orders.get(&first)) {
            // Together with what the others beside it have executed: never more protection than there is to protect.
            let all = with_slices.saturating_add(self.taken_from(of));
            hold!(14, all <= first.cum, "order {of} protects {all} of {} executed", first.cum);
        }
        self.slices.insert(id, Sliced { of, qty: event.order_qty, cum: Qty::ZERO, ended: false });
    }

    fn executed(&mut self, id: OrderId, qty: Qty) {
        if let Some(order) = self.orders.get_mut(&id) {
            order.cum = order.cum.saturating_add(qty);
        }
        if let Some(slice) = self.slices.get_mut(&id) {
            slice.cum = slice.cum.saturating_add(qty);
        }
    }

    fn ended(&mut self, id: OrderId) {
        if let Some(slice) = self.slices.get_mut(&id) {
            slice.ended = true;
        }
    }

    /// What the orders that stand in for this one have executed.
    fn taken_from(&self, id: OrderId) -> Qty {
        let Some(link) = self.orders.get(&id).and_then(|order| order.link) else { return Qty::ZERO };
        if link.contingency == ContingencyType::Oto {
            return Qty::ZERO;
        }
        let beside = |other: &Worked| other.link.is_some_and(|to| to.list_id == link.list_id && to.armed_by == link.armed_by);
        let others = self.orders.iter().filter(|(other, order)| **other != id && beside(order));
        others.fold(Qty::ZERO, |sum, (_, other)| sum.saturating_add(other.cum))
    }

    /// The engine's state says what the log says.
    pub fn hold_in(&self, state: &State) {
        for (id, known) in &self.orders {
            let Some(order) = state.order(*id) else { continue };
            let Some(work) = order.extras.work.as_deref() else { panic!("invariant 42: order {id} is worked no more") };
            hold!(42, work.triggered == known.triggered, "order {id} is triggered: {}, in the log {}", work.triggered, known.triggered);
            hold!(42, work.suspended == known.suspended, "order {id} is suspended: {}, in the log {}", work.suspended, known.suspended);
            let taken = self.taken_from(*id);
            hold!(42, work.taken_qty == taken, "{} of order {id} are taken, in the log {taken}", work.taken_qty);
            if !known.triggered && known.stop_px.is_some() && !order.state.is_done() {
                let stop = order.stop_at();
                hold!(42, stop == known.stop_px, "the stop of order {id} stands at {stop:?}, in the log {:?}", known.stop_px);
            }
            if let Some(first) = known.link.and_then(|link| link.armed_by).and_then(|first| self.orders.get(&first)) {
                let armed = work.armed_qty;
                hold!(14, order.state.is_done() || armed <= first.cum, "order {id} is armed for {armed} by {} executed", first.cum);
            }
        }
    }
}
