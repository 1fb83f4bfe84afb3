//! The orders of a venue's client: what it asked, and what it was told of it.
//!
//! Everything here follows from the messages of the session, both ways: whoever reads them again has the same book.

use std::collections::{BTreeMap, VecDeque};

use oms_model::report::{Report, ReportBody};
use oms_model::{Mic, Refusal, Time, WireId};
use oms_runtime::port::{WireCancel, WireOrder, WireReplace};

use super::order::{Asked, End, Order, Request};
use super::{read, tell};
use crate::codec::scan::View;
use crate::desk::request::tag;
use crate::desk::words;
use crate::session::outbox::Outgoing;
use crate::tags;

/// Orders that may work at once; more are refused.
const WORKING: usize = 1_000_000;
/// Orders that are done and remembered; the oldest are forgotten first, and asked of the venue when somebody wants to know.
const DONE: usize = 65_536;

/// What follows from a message of the client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// The venue is to have it.
    New(WireOrder),
    /// The venue is to have it.
    Cancel(WireCancel),
    /// The venue is to have it.
    Replace(WireReplace),
    /// It is answered at once.
    Answer(Outgoing),
    /// Its ClOrdID(11) was used before; it is answered at once.
    Again(Outgoing),
    /// The client gives it in case it had not come: it is told how the order stands.
    Status,
}

/// The book. See the module.
#[derive(Debug)]
pub(super) struct Book {
    venue: Mic,
    orders: BTreeMap<WireId, Order>,
    /// Every id, and the order that it is of.
    names: BTreeMap<WireId, WireId>,
    /// Requests about orders that nobody knows, until they are answered.
    strays: BTreeMap<WireId, Request>,
    done: VecDeque<WireId>,
}

impl Book {
    pub(super) fn new(venue: Mic) -> Self {
        Self { venue, orders: BTreeMap::new(), names: BTreeMap::new(), strays: BTreeMap::new(), done: VecDeque::new() }
    }

    /// The order that a ClOrdID is of: its own, or that of a request about it.
    pub(super) fn named(&self, name: &WireId) -> Option<&Order> {
        self.orders.get(self.names.get(name)?)
    }

    fn named_mut(&mut self, name: &WireId) -> Option<&mut Order> {
        self.orders.get_mut(self.names.get(name)?)
    }

    /// Orders and requests of which the outcome was not told.
    pub(super) fn open(&self) -> impl Iterator<Item = &Order> {
        self.orders.values().filter(|order| !order.is_done() || order.requests.iter().any(|request| !request.answered))
    }

    /// Requests about unknown orders that were not answered.
    pub(super) fn strays(&self) -> impl Iterator<Item = &Request> {
        self.strays.values()
    }

    // ---- what is asked

    /// Takes in NewOrderSingle(D), OrderCancelRequest(F) or OrderCancelReplaceRequest(G). `seq` names the message.
    pub(super) fn take(&mut self, view: &View<'_>, seq: &str, now: Time) -> Step {
        match view.msg_type() {
            b"D" => self.take_order(view, seq, now),
            kind => {
                let cancel = kind == b"F";
                self.take_request(view, cancel, now).unwrap_or_else(|refusal| Step::Answer(self.unread(view, cancel, &refusal, now)))
            }
        }
    }

    fn take_order(&mut self, view: &View<'_>, seq: &str, now: Time) -> Step {
        let (order, wire) = match read::new_order(view) {
            Ok(read) => read,
            Err(refusal) => {
                let reason = words::ord_rej_reason(refusal.code);
                return Step::Answer(tell::refused(view, seq, reason, &refusal.to_string(), now));
            }
        };
        if self.names.contains_key(&order.first) {
            let again = view.get(tags::POSS_RESEND) == Some(b"Y");
            return if again { Step::Status } else { Step::Again(tell::refused(view, seq, 6, "duplicate ClOrdID", now)) };
        }
        if WORKING <= self.orders.len().saturating_sub(self.done.len()) {
            return Step::Answer(tell::refused(view, seq, 0, "the venue takes no more orders", now));
        }
        self.names.insert(order.first.clone(), order.first.clone());
        self.orders.insert(order.first.clone(), order);
        Step::New(wire)
    }

    fn take_request(&mut self, view: &View<'_>, cancel: bool, now: Time) -> Result<Step, Refusal> {
        let (wire_id, orig, asked, step) = if cancel {
            let wire = read::cancel(view)?;
            (wire.wire_id.clone(), wire.orig_wire_id.clone(), Asked::Cancel, Step::Cancel(wire))
        } else {
            let (wire, terms) = read::replace(view)?;
            (wire.wire_id.clone(), wire.orig_wire_id.clone(), Asked::Replace(terms), Step::Replace(wire))
        };
        let order = self.names.get(&orig).cloned();
        if self.names.contains_key(&wire_id) || self.strays.contains_key(&wire_id) {
            let order = order.and_then(|first| self.orders.get(&first));
            return Ok(Step::Again(tell::cancel_reject(order, &wire_id, &orig, cancel, "duplicate ClOrdID", now)));
        }
        if WORKING <= self.strays.len() {
            return Ok(Step::Answer(tell::cancel_reject(None, &wire_id, &orig, cancel, "the venue takes no more requests", now)));
        }
        let request = Request { wire_id: wire_id.clone(), orig, asked, answered: false };
        match order {
            Some(first) => {
                if let Some(order) = self.orders.get_mut(&first) {
                    order.requests.push(request);
                }
                self.names.insert(wire_id, first);
            }
            None => drop(self.strays.insert(wire_id, request)),
        }
        Ok(step)
    }

    /// A request that could not be read.
    fn unread(&self, view: &View<'_>, cancel: bool, refusal: &Refusal, now: Time) -> Outgoing {
        let name = |tag: i32| read::id(view, tag).unwrap_or_default();
        let orig = name(tag::ORIG_CL_ORD_ID);
        tell::cancel_reject(self.named(&orig), &name(tags::CL_ORD_ID), &orig, cancel, &refusal.to_string(), now)
    }

    /// The client was told that the venue does not know the order, and it never will.
    pub(super) fn is_unknown(&mut self, name: &WireId) {
        if let Some(order) = self.named_mut(name).filter(|order| !order.acked && !order.is_done()) {
            order.end = Some(End::Rejected);
            let first = order.first.clone();
            self.forget_oldest(first);
        }
    }

    // ---- what is told

    /// Takes in a report of the venue, and says what the client is told. `None`: nothing that it is about is known.
    pub(super) fn report(&mut self, report: &Report) -> Option<Outgoing> {
        let (at, venue) = (report.transact_time, self.venue);
        let name = report.body.wire_id()?;
        if let Some(stray) = self.strays.remove(name) {
            let (ReportBody::CancelRejected { text, .. } | ReportBody::ReplaceRejected { text, .. }) = &report.body else { return None };
            return Some(tell::cancel_reject(None, name, &stray.orig, stray.asked == Asked::Cancel, text, at));
        }
        let order = self.named_mut(name)?;
        let was_done = order.is_done();
        let told = tell_report(venue, order, &report.body, at);
        let first = order.first.clone();
        if !was_done && order.is_done() {
            self.forget_oldest(first);
        }
        told
    }

    /// An order was done: of those that are, the oldest are forgotten.
    fn forget_oldest(&mut self, first: WireId) {
        self.done.push_back(first);
        while DONE < self.done.len() {
            let gone = self.done.pop_front().and_then(|first| self.orders.remove(&first));
            let Some(order) = gone else { continue };
            self.names.remove(&order.first);
            for request in &order.requests {
                self.names.remove(&request.wire_id);
            }
        }
    }
}

/// Takes a report into its order.
fn tell_report(venue: Mic, order: &mut Order, body: &ReportBody, at: Time) -> Option<Outgoing> {
    let current = order.current.clone();
    let told = |order: &Order, name: &WireId, exec_type: u8, exec_id: &str| tell::report(venue, order, name, exec_type, exec_id, at);
    Some(match body {
        ReportBody::Accepted { wire_id, broker_order_id } => {
            order.acked = true;
            order.broker_order_id = broker_order_id.clone().or(order.broker_order_id.take());
            told(order, &current, b'0', &format!("N-{wire_id}")).finish()
        }
        ReportBody::Rejected { wire_id, text } => {
            order.end = Some(End::Rejected);
            tell::with_reason(told(order, &current, b'8', &format!("J-{wire_id}")), text)
        }
        ReportBody::Fill { fill, .. } => {
            order.execute(&fill.exec_id, Some((fill.last_qty, fill.last_px)));
            let mut body = told(order, &current, b'F', fill.exec_id.as_str());
            tell::fill(&mut body, fill, None);
            body.finish()
        }
        ReportBody::Corrected { exec_ref, fill, text, .. } => {
            order.execute(exec_ref, Some((fill.last_qty, fill.last_px)));
            let mut body = told(order, &current, b'G', fill.exec_id.as_str());
            tell::fill(&mut body, fill, Some(exec_ref));
            body.text(58, text);
            body.finish()
        }
        ReportBody::Busted { exec_ref, exec_id, text, .. } => {
            order.execute(exec_ref, None);
            let mut body = told(order, &current, b'H', exec_id.as_str());
            body.text(19, exec_ref.as_str()).text(58, text);
            body.finish()
        }
        ReportBody::Canceled { wire_id, text } => {
            order.end = Some(End::Canceled);
            order.answer(wire_id);
            let mut body = told(order, wire_id, b'4', &format!("C-{wire_id}"));
            body.text(58, text);
            body.finish()
        }
        ReportBody::Expired { wire_id } => {
            order.end = Some(End::Expired);
            told(order, &current, b'C', &format!("E-{wire_id}")).finish()
        }
        ReportBody::Replaced { wire_id, order_qty } => {
            let again = order.answer(wire_id);
            let (orig, asked) = order.request(wire_id).map(|request| (request.orig.clone(), request.asked.clone()))?;
            if let (false, Asked::Replace(terms)) = (again, asked) {
                order.terms = terms;
                order.terms.qty = order_qty.unwrap_or(terms.qty);
                order.current = wire_id.clone();
            }
            let mut body = told(order, wire_id, b'5', &format!("R-{wire_id}"));
            body.replace(41, orig.as_str().as_bytes());
            body.finish()
        }
        ReportBody::CancelRejected { wire_id, text } | ReportBody::ReplaceRejected { wire_id, text } => {
            order.answer(wire_id);
            let (orig, cancel) = order.request(wire_id).map(|request| (request.orig.clone(), request.asked == Asked::Cancel))?;
            tell::cancel_reject(Some(order), wire_id, &orig, cancel, text, at)
        }
        // What only the desk's own end of a line says, and charges told later: a venue on FIX has no message for them.
        ReportBody::Commission { .. }
        | ReportBody::Unknown { .. }
        | ReportBody::NotSent { .. }
        | ReportBody::Resolved { .. }
        | ReportBody::SessionUp
        | ReportBody::SessionDown { .. } => return None,
    })
}
