//! Replaces that go through several parts, as the durable facts tell them: all of it or nothing.

use crate::hold;
use oms_engine::State;
use oms_model::event::{Batch, Event};
use oms_model::order::Terms;
use oms_model::{Anomaly, OrderId, SagaPhase};
use std::collections::{BTreeMap, BTreeSet};

/// A replace that is under way.
#[derive(Clone, Debug, Default)]
struct Running {
    back: bool,
    /// The parts that were changed, with what they were before.
    changed: Vec<(OrderId, Terms)>,
    /// The part that it waits for.
    last: Option<OrderId>,
}

/// An order as far as its terms go.
#[derive(Clone, Debug, Default)]
struct Known {
    terms: Terms,
    asked: Option<Terms>,
    /// What was still asked when it ended.
    unanswered: Option<Terms>,
    /// What the replace had asked for that was answered last.
    answered: Option<Terms>,
    cum: i128,
    canceling: bool,
    ended: bool,
}

/// Terms of every order, and the replaces that are under way.
#[derive(Clone, Debug, Default)]
pub struct Sagas {
    orders: BTreeMap<OrderId, Known>,
    running: BTreeMap<OrderId, Running>,
    /// Orders of which a part could not be put back, which was raised.
    raised: BTreeSet<OrderId>,
}

impl Sagas {
    /// A batch is durable.
    pub fn durable(&mut self, batch: &Batch) {
        for event in &batch.events {
            self.event(event);
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::OrderCreated(e) => {
                let parent = e.parent_order_id.and_then(|id| self.orders.get(&id));
                let beyond = parent.filter(|order| order.answered.is_some_and(|asked| asked.order_qty < order.terms.order_qty));
                hold!(15, beyond.is_none(), "order {} is part of one that was to be smaller: {beyond:?}", e.order_id);
                let terms = Terms { order_qty: e.order_qty, price: e.price, stop_px: e.stop_px };
                self.orders.insert(e.order_id, Known { terms, ..Known::default() });
            }
            Event::OrderReplaceRequested(e) => self.change(e.order_id, |known| known.asked = Some(e.terms)),
            Event::OrderSized(e) => {
                if let Some(known) = self.orders.get_mut(&e.order_id) {
                    known.terms.order_qty = e.order_qty;
                }
            }
            Event::OrderReplaced(e) => {
                let known = self.orders.get(&e.order_id).cloned().unwrap_or_default();
                // One that its order's end had settled, and that the venue took after all, holds where the order works again.
                // One that an execution had shown may be answered later, with the quantity that the venue had made of it.
                let asked = known.asked.or(known.unanswered).or(known.answered).unwrap_or(known.terms);
                let amended = (known.ended || e.terms.order_qty > asked.order_qty) && e.terms.order_qty.raw() == known.cum;
                // What was executed beyond what had been asked for was taken back: nobody asks anew.
                let smaller = known.asked.is_none() && known.answered.is_some_and(|answered| answered.order_qty <= e.terms.order_qty);
                let smaller = smaller && e.terms.order_qty < known.terms.order_qty;
                let same = (e.terms.price, e.terms.stop_px) == (asked.price, asked.stop_px)
                    && (e.terms.order_qty == asked.order_qty || amended || smaller);
                hold!(15, same, "order {} has {:?} and {asked:?} was asked for", e.order_id, e.terms);
                hold!(15, !self.running.contains_key(&e.order_id), "order {} was replaced while its parts are not", e.order_id);
                self.change(e.order_id, |known| {
                    (known.terms, known.asked, known.unanswered, known.answered) = (e.terms, None, None, Some(asked));
                });
            }
            Event::ReplaceRejected(e) => self.change(e.order_id, |known| (known.asked, known.unanswered) = (None, None)),
            Event::OrderCancelRequested(e) => self.change(e.order_id, |known| known.canceling = true),
            Event::CancelRejected(e) => self.change(e.order_id, |known| known.canceling = false),
            Event::OrderPartiallyFilled(e) | Event::OrderFilled(e) => self.change(e.order_id, |known| {
                known.cum += e.last_qty.raw();
                known.ended |= known.cum >= known.terms.order_qty.raw();
            }),
            Event::OrderFillAdjusted(e) => self.change(e.order_id, |known| {
                known.cum += e.qty.raw();
                known.canceling &= !known.ended;
                known.ended = e.state.is_done();
            }),
            Event::OrderRejected(e) => self.change(e.order_id, |known| known.ended = true),
            Event::OrderCanceled(e) | Event::OrderExpired(e) => self.change(e.order_id, |known| known.ended = true),
            Event::OrderAnomaly(e) if e.anomaly == Anomaly::NotPutBack => drop(self.raised.insert(e.order_id)),
            Event::SagaStepped(e) => self.stepped(e.order_id, e.phase, e.part),
            _ => (),
        }
    }

    fn change(&mut self, order_id: OrderId, change: impl FnOnce(&mut Known)) {
        if let Some(known) = self.orders.get_mut(&order_id) {
            change(known);
            if known.ended {
                known.unanswered = known.asked.take().or(known.unanswered);
                self.running.remove(&order_id);
            }
        }
    }

    fn stepped(&mut self, order_id: OrderId, phase: SagaPhase, part: Option<OrderId>) {
        match phase {
            SagaPhase::Forward => {
                let terms = part.and_then(|part| self.orders.get(&part)).map(|known| known.terms).unwrap_or_default();
                let running = self.running.entry(order_id).or_default();
                hold!(15, !running.back, "the replace of {order_id} goes on after it went back");
                // One that is changed twice goes back to what it was at first.
                let known = running.changed.iter().any(|(changed, _)| Some(*changed) == part);
                running.changed.extend(part.filter(|_| !known).map(|part| (part, terms)));
                running.last = part;
            }
            SagaPhase::Back => {
                let running = self.running.get_mut(&order_id);
                hold!(15, running.is_some(), "the replace of {order_id} goes back and was not under way");
                if let Some(running) = running {
                    running.back = true;
                }
            }
            SagaPhase::Done => {
                let back = self.running.remove(&order_id).is_none_or(|running| running.back);
                hold!(15, !back, "the replace of {order_id} is done and had gone back");
            }
            SagaPhase::Undone => self.undone(order_id),
        }
    }

    /// Every part that still works has the terms that it had, or is on its way out.
    fn undone(&mut self, order_id: OrderId) {
        let Some(running) = self.running.remove(&order_id) else { return };
        for (part, before) in running.changed {
            let Some(known) = self.orders.get(&part) else { continue };
            let out = known.ended || known.canceling || before.order_qty.raw() <= known.cum;
            let back = known.terms == before && known.asked.is_none();
            // Without a step back it did not get as far as to change what refused.
            let as_it_was = !running.back && Some(part) == running.last;
            let raised = self.raised.contains(&order_id);
            hold!(
                15,
                out || back || as_it_was || raised,
                "the replace of {order_id} is undone and its part {part} has {:?}, before {before:?}",
                known.terms
            );
        }
    }

    /// The state says what the log says.
    pub fn hold_in(&self, state: &State) {
        for (id, known) in &self.orders {
            let Some(order) = state.order(*id) else { continue };
            // What money buys is not known before it has bought it.
            let sized = order.cash_order_qty().is_some();
            hold!(42, sized || order.terms() == known.terms, "order {id} has {:?}, by the log {:?}", order.terms(), known.terms);
            let asked = order.extras.replacing.as_deref().copied();
            hold!(42, asked == known.asked, "of order {id} {asked:?} is asked, by the log {:?}", known.asked);
            let running = self.running.get(id).map(|running| running.back);
            let saga = order.extras.saga.as_deref().map(|saga| saga.phase == SagaPhase::Back);
            hold!(42, saga == running, "the replace of {id} goes back: {saga:?}, by the log {running:?}");
        }
    }
}
