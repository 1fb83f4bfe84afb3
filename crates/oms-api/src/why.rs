//! Why an order is as it is: one causal page, read from the events of its tree.
//!
//! Nothing is looked up again: checks, scores and exclusions are those that the log recorded when it was decided.

pub mod text;

use crate::catalog::Catalog;
use crate::json::Writer;
use crate::json::orders::{order_fields, route_fields, write_check};
use oms_engine::pipeline::{self, TaskResult};
use oms_model::event::{Batch, Event, RiskChecked, RouteDecided, SagaStepped};
use oms_model::limit::Verdict;
use oms_model::{EndedBy, Mic, OrdState, Order, OrderId, OrderKind, Qty, SagaPhase, Seq, Time};
use std::collections::BTreeMap;

/// What is known of an order and how it came about.
pub struct Why {
    /// The order that was asked for.
    pub asked: OrderId,
    /// Everything that happened, oldest first.
    pub steps: Vec<Step>,
    /// The orders of its tree as they stand after it.
    folded: BTreeMap<OrderId, Order>,
    /// In the order of their creation.
    created: Vec<OrderId>,
    /// The tasks of the client order's way in.
    tasks: Vec<TaskResult>,
}

/// One event, and the order after it.
pub struct Step {
    /// Its sequence.
    pub seq: Seq,
    /// When it was decided.
    pub time: Time,
    /// What happened.
    pub event: Event,
    /// The order's venue, where it is a leg.
    pub venue: Option<Mic>,
    /// The order after it; `None` where the event is not about one.
    pub after: Option<Quantities>,
}

/// Where an order stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantities {
    /// Its state.
    pub state: OrdState,
    /// Executed.
    pub cum_qty: Qty,
    /// Still to be executed.
    pub leaves_qty: Qty,
    /// With legs.
    pub place_qty: Qty,
}

impl Quantities {
    fn of(order: &Order) -> Self {
        Self { state: order.state, cum_qty: order.cum_qty, leaves_qty: order.leaves_qty(), place_qty: order.place_qty }
    }
}

impl Why {
    /// A page about `asked`; the events of its tree are still to be taken in.
    #[must_use]
    pub fn new(asked: OrderId) -> Self {
        Self { asked, steps: Vec::new(), folded: BTreeMap::new(), created: Vec::new(), tasks: Vec::new() }
    }

    /// Takes in the next event of the tree.
    pub fn add(&mut self, seq: Seq, batch: &Batch, event: &Event) {
        let order = match event {
            Event::OrderCreated(created) => {
                if created.parent_order_id.is_none() {
                    self.tasks = pipeline::results(batch, created.order_id);
                }
                self.created.push(created.order_id);
                self.folded.insert(created.order_id, Order::create(created, seq, batch.time));
                self.folded.get(&created.order_id)
            }
            Event::ExecutionRecorded(execution) => self.folded.get(&execution.order_id),
            other => other.order_id().and_then(|id| self.folded.get_mut(&id)).map(|order| {
                order.apply(other, batch.time);
                &*order
            }),
        };
        let (venue, after) = (order.and_then(|order| order.venue), order.map(Quantities::of));
        self.steps.push(Step { seq, time: batch.time, event: event.clone(), venue, after });
    }

    /// The orders of the tree, oldest first.
    pub fn tree(&self) -> impl Iterator<Item = &Order> {
        self.created.iter().filter_map(|order_id| self.folded.get(order_id))
    }

    /// The tasks of the client order's way in, with what came of each.
    #[must_use]
    pub fn tasks(&self) -> &[TaskResult] {
        &self.tasks
    }

    /// The client order.
    #[must_use]
    pub fn root(&self) -> Option<&Order> {
        self.tree().find(|order| order.is_root())
    }

    /// What it is worked in on the way to the venues: parts, groups, slices; oldest first.
    pub fn parts(&self) -> impl Iterator<Item = &Order> {
        self.tree().filter(|order| !order.is_root() && !order.is_leg())
    }

    /// The legs, oldest first.
    pub fn legs(&self) -> impl Iterator<Item = &Order> {
        self.tree().filter(|order| !order.is_root() && order.is_leg())
    }

    /// Every judgement of the gate.
    pub fn checks(&self) -> impl Iterator<Item = (&Step, &RiskChecked)> {
        self.steps.iter().filter_map(|step| match &step.event {
            Event::RiskChecked(checked) => Some((step, &**checked)),
            _ => None,
        })
    }

    /// Every decision of the router.
    pub fn routes(&self) -> impl Iterator<Item = (&Step, &RouteDecided)> {
        self.steps.iter().filter_map(|step| match &step.event {
            Event::RouteDecided(route) => Some((step, &**route)),
            _ => None,
        })
    }

    /// What is said about one order, oldest first.
    pub fn steps_of(&self, order_id: OrderId) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(move |step| step.event.order_id() == Some(order_id))
    }

    /// Why validation refused the client order; `None` where it passed.
    #[must_use]
    pub fn invalid(&self) -> Option<&Step> {
        self.steps
            .iter()
            .find(|step| matches!(&step.event, Event::OrderRejected(e) if matches!(e.by, EndedBy::Validation | EndedBy::Rules)))
    }
}

/// Where an order stands, in a sentence.
#[must_use]
pub fn summary(order: &Order) -> String {
    let mut text = format!("{}: {} of {} executed", order.ord_status(), order.cum_qty, order.order_qty);
    if let Some(px) = order.avg_px() {
        text += &format!(" at {px} on average");
    }
    if order.leaves_qty().is_positive() {
        text += &format!(", {} to go", order.leaves_qty());
    }
    if let (Some(by), true) = (order.ended_by, order.state.is_done()) {
        text += &format!("; ended by {by}");
        if let Some(code) = order.reject_code {
            text += &format!(" ({code})");
        }
    }
    if let Some(words) = order.extras.text.as_deref() {
        text += &format!(": {words}");
    }
    text
}

/// What an event says, in a sentence.
#[must_use]
pub fn sentence(event: &Event) -> String {
    match event {
        Event::OrderCreated(e) if e.parent_order_id.is_none() => {
            format!("recorded: {} {} {}{}, {}", e.side, e.order_qty, e.ord_type, at(e.price), e.time_in_force)
        }
        Event::OrderCreated(e) => {
            // Nodes that were recorded before kinds were are legs.
            let kind = e.kind.map_or("leg", |kind| if kind == OrderKind::Market { "leg" } else { kind.as_str() });
            format!("{kind}: {} {} {}{}, {}", e.side, e.order_qty, e.ord_type, at(e.price), e.time_in_force)
        }
        Event::RiskChecked(e) => match e.results.iter().find(|result| result.code.is_some()) {
            Some(failed) => format!("checked: {} failed", failed.check),
            None => match e.results.iter().filter(|result| result.verdict == Verdict::Overridden).count() {
                0 => format!("checked: {} checks, none failed", e.results.len()),
                overridden => format!("checked: {} checks, {overridden} overridden", e.results.len()),
            },
        },
        Event::OrderRejected(e) => format!("refused by {}: {} ({})", e.by, e.text, e.code),
        Event::RouteDecided(e) if e.legs.is_empty() => format!("routed, attempt {}: no venue is eligible", e.attempt),
        Event::RouteDecided(e) => {
            let legs: Vec<String> = e.legs.iter().map(|leg| format!("{} {}{}", leg.venue, leg.qty, at(leg.price))).collect();
            format!("routed, attempt {}: {}", e.attempt, legs.join(", "))
        }
        Event::OrderSent(e) => format!("{} released to {}", e.intent, e.venue),
        Event::OrderStateSynced(e) => format!("{}, {} with legs", e.state, e.place_qty),
        Event::OrderAccepted(e) => match &e.broker_order_id {
            Some(id) => format!("acknowledged as {id}"),
            None => "acknowledged".to_owned(),
        },
        Event::OrderPartiallyFilled(e) => format!("{} executed at {} ({})", e.last_qty, e.last_px, e.exec_id),
        Event::OrderFilled(e) => format!("{} executed at {} ({}), wholly executed", e.last_qty, e.last_px, e.exec_id),
        Event::OrderCancelRequested(e) => format!("cancel asked by {}", e.by),
        Event::OrderCanceled(e) => worded(format!("canceled by {}", e.by), &e.text),
        Event::OrderExpired(e) => worded(format!("expired, told by {}", e.by), &e.text),
        Event::CancelRejected(e) => worded(format!("cancel refused by {}", e.by), &e.text),
        Event::ReplaceRejected(e) => worded(format!("replace refused by {}", e.by), &e.text),
        Event::OrderReplaceRequested(e) => format!("replace asked: {}{}", e.terms.order_qty, at(e.terms.price)),
        Event::OrderReplaced(e) => format!("replaced: {}{}", e.terms.order_qty, at(e.terms.price)),
        Event::RequestNamed(e) => format!("its client calls the {} {}", e.intent, e.cl_ord_id),
        Event::OrderInDoubt(e) => format!("{} in doubt: {}", e.intent, e.reason),
        Event::OrderOutcomeResolved(e) => format!("{} found to be {}: {}", e.intent, e.outcome, e.evidence),
        Event::OrderClosed(_) => "closed".to_owned(),
        Event::SagaStepped(e) => stepped(e),
        Event::StageStarted(_) => "a stage began".to_owned(),
        Event::StageEnded(e) => worded("the stage is over".to_owned(), &e.text),
        Event::CareAccepted(e) => format!("acknowledged by user {}", e.user_id),
        Event::CarePassed(e) => match (e.from, e.to) {
            (None, Some(to)) => worded(format!("claimed by user {to}"), &e.text),
            (_, Some(to)) => worded(format!("passed to user {to}"), &e.text),
            (_, None) => worded("put back for anybody to claim".to_owned(), &e.text),
        },
        Event::OrderAnomaly(e) => format!("anomaly {}: {}", e.anomaly, e.detail),
        Event::ExecutionRecorded(e) => {
            format!(
                "execution {} booked: {} {} at {} on {}, {} liquidity, fee {}",
                e.exec_id, e.side, e.last_qty, e.last_px, e.venue, e.liquidity, e.fee
            )
        }
        other => booked(other),
    }
}

/// What was booked, corrected, taken back or shared out.
fn booked(event: &Event) -> String {
    match event {
        Event::ExecutionBusted(e) => {
            worded(format!("execution {} taken back by {}: {} at {}", e.exec_id, e.venue, e.last_qty, e.last_px), &e.reason)
        }
        Event::ExecutionWhacked(e) => worded(format!("booking {} undone: {} at {}", e.exec_id, e.last_qty, e.last_px), &e.reason),
        Event::ExecutionCorrected(e) => worded(
            format!("execution {} corrected: {} at {}, before {} at {}", e.exec_id, e.last_qty, e.last_px, e.old_qty, e.old_px),
            &e.reason,
        ),
        Event::CommissionRecorded(e) => format!("commission of execution {}: {} {}", e.exec_id, e.commission, e.currency.as_str()),
        Event::OrderFillAdjusted(e) => {
            let by = if e.direct { "allocation" } else { "execution" };
            format!("executed quantity changed by {}, its value by {}, with {by} {}", e.qty, e.notional, e.exec_id)
        }
        Event::SuspenseResolved(e) => worded(format!("execution {} of {} taken out of suspense", e.exec_id, e.venue), &e.reason),
        Event::OrdersGrouped(e) => format!("worked with {} orders as {}, {}", e.members.len(), e.group_order_id, e.mode),
        Event::OrdersUngrouped(e) => worded(format!("{} is dissolved", e.group_order_id), &e.reason),
        Event::AllocationProposed(e) => {
            format!("allocation {} of {} proposed by user {}", e.allocation.alloc_id, e.allocation.qty, e.user_id)
        }
        Event::AllocationApproved(e) => format!("allocation {} approved by user {}", e.alloc_id, e.user_id),
        Event::AllocationRejected(e) => worded(format!("allocation {} turned down by user {}", e.alloc_id, e.user_id), &e.reason),
        Event::AllocationBooked(e) => {
            let shares: Vec<String> =
                e.members.iter().zip(&e.shares).map(|(member, share)| format!("{} to {}", share.qty, member.order_id)).collect();
            format!("allocation {}: {} shared out, {}", e.alloc_id, e.qty, shares.join(", "))
        }
        other => crate::json::instructions::sentence(other)
            .or_else(|| crate::json::risk::sentence(other))
            .unwrap_or_else(|| other.name().to_owned()),
    }
}

/// A step of a replace that goes through several parts.
fn stepped(e: &SagaStepped) -> String {
    let part = e.part.map_or_else(String::new, |part| format!(" of part {part}"));
    let what = match e.phase {
        SagaPhase::Forward => format!("replace, step {}: change{part}", e.step),
        SagaPhase::Back => format!("replace goes back at step {}: terms{part}", e.step),
        SagaPhase::Done => format!("replace done after {} steps", e.step),
        SagaPhase::Undone => format!("replace undone after {} steps", e.step),
    };
    worded(what, &e.text)
}

fn at(price: Option<oms_model::Price>) -> String {
    price.map_or_else(String::new, |price| format!(" at {price}"))
}

fn worded(what: String, words: &str) -> String {
    if words.is_empty() { what } else { format!("{what}: {words}") }
}

/// The page as JSON.
#[must_use]
pub fn json(why: &Why, catalog: &Catalog) -> Vec<u8> {
    let mut w = Writer::with_capacity(16 * 1024);
    w.object(|w| {
        w.text("asked_order_id", why.asked);
        if let Some(root) = why.root() {
            w.string("summary", &summary(root));
            w.object_at("order", |w| order_fields(w, root, catalog));
        }
        validation(w, why);
        w.array_at("pipeline", why.tasks(), |w, task| {
            w.object(|w| {
                w.string("task", task.task.as_str());
                w.string("result", task.outcome.as_str());
                w.number_or_null("sequence", task.seq.map(|seq| seq.0));
                w.string("text", &task.text);
            });
        });
        w.array_at("checks", why.checks(), |w, (step, checked)| {
            w.object(|w| {
                w.number("sequence", step.seq.0);
                w.time("time", step.time);
                w.text("order_id", checked.order_id);
                w.array_at("results", &checked.results, |w, result| write_check(w, result, catalog));
            });
        });
        w.array_at("routes", why.routes(), |w, (step, route)| {
            w.object(|w| {
                w.number("sequence", step.seq.0);
                w.time("time", step.time);
                w.text("order_id", route.order_id);
                route_fields(w, route);
            });
        });
        w.array_at("parts", why.parts(), |w, part| write_node(w, why, part, catalog));
        w.array_at("legs", why.legs(), |w, leg| write_node(w, why, leg, catalog));
        w.array_at("timeline", &why.steps, write_step);
    });
    w.finish()
}

/// A node below the client order, with what is said about it.
fn write_node(w: &mut Writer, why: &Why, node: &Order, catalog: &Catalog) {
    w.object(|w| {
        w.string("summary", &summary(node));
        w.object_at("order", |w| order_fields(w, node, catalog));
        w.array_at("answers", why.steps_of(node.order_id), write_step);
    });
}

fn validation(w: &mut Writer, why: &Why) {
    w.object_at("validation", |w| {
        w.bool("passed", why.invalid().is_none());
        if let Some(step) = why.invalid()
            && let Event::OrderRejected(refused) = &step.event
        {
            w.text("code", refused.code);
            w.string("text", &refused.text);
            w.number("sequence", step.seq.0);
        }
    });
}

fn write_step(w: &mut Writer, step: &Step) {
    w.object(|w| {
        w.number("sequence", step.seq.0);
        w.time("time", step.time);
        w.text("type", step.event.name());
        w.text_or_null("order_id", step.event.order_id());
        w.text_or_null("venue", step.venue);
        w.string("text", &sentence(&step.event));
        if let Some(after) = step.after {
            w.text("state", after.state);
            w.text("cum_qty", after.cum_qty);
            w.text("leaves_qty", after.leaves_qty);
            w.text("place_qty", after.place_qty);
        }
    });
}

#[cfg(test)]
mod tests;
