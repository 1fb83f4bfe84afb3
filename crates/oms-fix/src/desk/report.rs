//! What happened to a session's orders, as its client is told: ExecutionReport(8) and OrderCancelReject(9).
//!
//! Each message follows from one event and everything before it in the log, and from nothing else: whoever reads the log
//! again says the same again. Status and type of execution are the pairs of FIX 4.4 Volume 4, Appendix D.

use std::collections::BTreeMap;

use oms_model::event::{
    Batch, Event, ExecutionCorrected, ExecutionRecorded, ExecutionReversed, Filled, OrderFillAdjusted, RequestRejected,
};
use oms_model::{ClOrdId, Code, EndedBy, ExecId, Liquidity, Mic, Notional, Order, OrderId, Pending, Price, Seq, Time};

use super::body::Body;
use super::book::Book;
use super::catalog::Catalog;
use super::words;
use crate::codec::value::Precision;
use crate::session::outbox::Outgoing;

/// ExecutionReport(8).
pub(super) const EXECUTION_REPORT: &[u8] = b"8";
/// OrderCancelReject(9).
pub(super) const ORDER_CANCEL_REJECT: &[u8] = b"9";

/// Follows a batch, and adds the messages about its events to `out`.
pub fn follow(book: &mut Book, catalog: &mut Catalog, batch: &Batch, out: &mut Vec<Outgoing>) {
    let frame = Frame::of(batch);
    for (seq, event) in batch.numbered() {
        catalog.apply(event);
        let before = event.order_id().and_then(|id| book.get(id)).map(Before::of);
        book.apply(seq, batch.time, event, catalog);
        let Some(order) = event.order_id().and_then(|id| book.get(id)) else { continue };
        let telling = Telling { frame: &frame, catalog, seq, order, before: before.unwrap_or_default() };
        let told = telling.tell(event);
        out.extend(if book.is_copy() { told.map(|message| copy_of(message, order)) } else { told });
    }
}

/// A report as a drop copy has it: it says that it is one, and whose the order is.
fn copy_of(mut message: Outgoing, order: &Order) -> Outgoing {
    if message.msg_type == EXECUTION_REPORT {
        // CopyMsgIndicator(797). PartyIDSource(447) D: an own code; PartyRole(452) 11: who gave the order.
        message.body.put(797, b"Y").put(453, b"1").text(448, &order.user_id.to_string()).put(447, b"D").put(452, b"11");
    }
    message
}

/// What a batch says of its events beside themselves.
struct Frame<'b> {
    time: Time,
    batch: &'b Batch,
    names: BTreeMap<OrderId, &'b ClOrdId>,
}

impl<'b> Frame<'b> {
    fn of(batch: &'b Batch) -> Self {
        let named = |event: &'b Event| match event {
            Event::RequestNamed(named) => Some((named.order_id, &named.cl_ord_id)),
            _ => None,
        };
        Self { time: batch.time, batch, names: batch.events.iter().filter_map(named).collect() }
    }

    fn any(&self, wanted: impl Fn(&Event) -> bool) -> bool {
        self.batch.events.iter().any(wanted)
    }

    fn recorded(&self, root: OrderId, exec_id: &ExecId) -> Option<&'b ExecutionRecorded> {
        self.batch.events.iter().find_map(|event| match event {
            Event::ExecutionRecorded(e) if e.exec_id == *exec_id && e.root_order_id == root => Some(e.as_ref()),
            _ => None,
        })
    }

    fn reversed(&self, root: OrderId, exec_id: &ExecId) -> Option<&'b ExecutionReversed> {
        self.batch.events.iter().find_map(|event| match event {
            Event::ExecutionBusted(e) | Event::ExecutionWhacked(e) if e.exec_id == *exec_id && e.root_order_id == root => Some(e.as_ref()),
            _ => None,
        })
    }

    fn corrected(&self, root: OrderId, exec_id: &ExecId) -> Option<&'b ExecutionCorrected> {
        self.batch.events.iter().find_map(|event| match event {
            Event::ExecutionCorrected(e) if e.exec_id == *exec_id && e.root_order_id == root => Some(e.as_ref()),
            _ => None,
        })
    }
}

/// What an order was before an event.
#[derive(Default)]
struct Before {
    pending: Option<Pending>,
    current: Option<ClOrdId>,
    asked: Option<ClOrdId>,
}

impl Before {
    fn of(order: &Order) -> Self {
        let asked = order.extras.names.as_deref().and_then(|names| names.asked.clone());
        Self { pending: Some(order.pending), current: Some(order.current_cl_ord_id().clone()), asked }
    }
}

struct Telling<'t> {
    frame: &'t Frame<'t>,
    catalog: &'t Catalog,
    seq: Seq,
    order: &'t Order,
    before: Before,
}

impl Telling<'_> {
    fn tell(&self, event: &Event) -> Option<Outgoing> {
        let order = self.order;
        match event {
            Event::OrderCreated(_) => self.created(),
            Event::OrderReleased(_) if !order.state.is_done() => Some(self.report(b'0').finish()),
            Event::OrderRejected(e) => {
                let mut body = self.report(b'8');
                body.uint(103, words::ord_rej_reason(e.code)).text(58, &format!("{}: {}", e.code, e.text));
                Some(body.finish())
            }
            Event::OrderPartiallyFilled(e) | Event::OrderFilled(e) => Some(self.filled(e)),
            Event::OrderFillAdjusted(e) => self.adjusted(e),
            Event::RequestNamed(_) => match order.pending {
                Pending::Cancel => Some(self.named_report(b'6').finish()),
                Pending::Replace => Some(self.named_report(b'E').finish()),
                Pending::None => None,
            },
            Event::OrderCancelRequested(e) if e.by == EndedBy::KillSwitch && order.pending == Pending::Cancel => Some(self.killed()),
            Event::OrderCanceled(e) => Some(self.ended(b'4', &e.text, e.by)),
            Event::OrderExpired(e) => Some(self.ended(b'C', &e.text, e.by)),
            Event::OrderReplaced(_) => Some(self.replaced()),
            Event::CancelRejected(e) if self.before.pending == Some(Pending::Cancel) => self.refused(e, b"1"),
            Event::ReplaceRejected(e) if self.before.pending == Some(Pending::Replace) => self.refused(e, b"2"),
            _ => None,
        }
    }

    /// Accepted, or accepted and waiting for somebody; what was refused at once is told as that.
    fn created(&self) -> Option<Outgoing> {
        let id = self.order.order_id;
        if self.frame.any(|event| matches!(event, Event::OrderRejected(e) if e.order_id == id)) {
            return None;
        }
        let held = self.frame.any(|event| matches!(event, Event::OrderHeld(e) if e.order_id == id));
        let mut body = self.report(if held { b'A' } else { b'0' });
        if held {
            body.replace(39, b"A");
        }
        Some(body.finish())
    }

    /// The name of the request that was pending before the event, or that this batch gave it.
    fn asked(&self) -> Option<&ClOrdId> {
        self.frame.names.get(&self.order.order_id).copied().or(self.before.asked.as_ref())
    }

    fn current(&self) -> &ClOrdId {
        self.before.current.as_ref().unwrap_or(&self.order.cl_ord_id)
    }

    /// A report under the order's own name.
    fn report(&self, exec_type: u8) -> Body {
        let mut body = order_body(self.order, self.catalog, self.frame.time);
        body.text(17, &self.seq.to_string()).put(150, &[exec_type]).text(11, self.current().as_str());
        body
    }

    /// A report under the name of the request that it answers.
    fn named_report(&self, exec_type: u8) -> Body {
        let mut body = self.report(exec_type);
        if let Some(asked) = self.asked() {
            body.text(41, self.current().as_str());
            body.replace(11, asked.as_str().as_bytes());
        }
        body
    }

    fn filled(&self, fill: &Filled) -> Outgoing {
        let mut body = self.report(b'F');
        body.amount(32, fill.last_qty).amount(31, fill.last_px);
        if let Some(execution) = self.frame.recorded(self.order.root_order_id, &fill.exec_id) {
            body.replace(17, trade_id(execution.venue, &execution.exec_id).as_bytes());
            body.text(30, execution.venue.as_str());
            body.put(851, if execution.liquidity == Liquidity::Added { b"1" } else { b"2" });
            body.replace_time(60, execution.transact_time);
        }
        body.finish()
    }

    /// A reversal, a correction, or the share of what a group has executed.
    fn adjusted(&self, change: &OrderFillAdjusted) -> Option<Outgoing> {
        let root = self.order.root_order_id;
        if let Some(reversed) = self.frame.reversed(root, &change.exec_id) {
            let mut body = self.report(b'H');
            body.text(19, &trade_id(reversed.venue, &reversed.exec_id)).amount(32, reversed.last_qty).amount(31, reversed.last_px);
            body.text(58, &reversed.reason);
            return Some(body.finish());
        }
        if let Some(corrected) = self.frame.corrected(root, &change.exec_id) {
            let mut body = self.report(b'G');
            body.text(19, &trade_id(corrected.venue, &corrected.exec_id)).amount(32, corrected.last_qty).amount(31, corrected.last_px);
            body.text(58, &corrected.reason);
            return Some(body.finish());
        }
        if change.qty.is_zero() && change.notional == Notional::ZERO {
            return None;
        }
        let share = change.notional.avg_px(change.qty).filter(|_| change.qty.is_positive());
        let mut body = self.report(if share.is_some() { b'F' } else { b'D' });
        match share {
            Some(price) => body.amount(32, change.qty).amount(31, price),
            // ExecRestatementReason(378) "other": an allocation was made anew.
            None => body.uint(378, 99),
        };
        Some(body.finish())
    }

    /// A kill switch takes the order back: said when it is asked, since whoever confirms it does not know why.
    fn killed(&self) -> Outgoing {
        let mut body = self.report(b'6');
        body.uint(378, words::BROKER_OPTION).text(58, EndedBy::KillSwitch.as_str());
        body.finish()
    }

    fn ended(&self, exec_type: u8, text: &str, by: EndedBy) -> Outgoing {
        let asked = self.before.pending == Some(Pending::Cancel);
        let mut body = if asked { self.named_report(exec_type) } else { self.report(exec_type) };
        if exec_type == b'4' && !(asked && self.asked().is_some()) {
            // Nobody asked by FIX: the reason of an unsolicited cancel. What the desk asked for itself the venue only confirms.
            body.uint(378, if asked { words::BROKER_OPTION } else { words::restatement_reason(by) });
        }
        match (by, text) {
            (EndedBy::Client, "") => (),
            (by, "") => drop(body.text(58, by.as_str())),
            (by, text) => drop(body.text(58, &format!("{by}: {text}"))),
        }
        body.finish()
    }

    /// By the client's own request, or by somebody else's: then it is a restatement.
    fn replaced(&self) -> Outgoing {
        if self.before.pending == Some(Pending::Replace) && self.asked().is_some() {
            return self.named_report(b'5').finish();
        }
        let mut body = self.report(b'D');
        // ExecRestatementReason(378) "verbal change": it was asked through another door; or "partial decline of OrderQty":
        // what was executed beyond an earlier request was taken back, and is not placed anew.
        body.uint(378, if self.before.pending == Some(Pending::Replace) { 2 } else { 5 });
        body.finish()
    }

    fn refused(&self, refusal: &RequestRejected, response_to: &[u8]) -> Option<Outgoing> {
        let asked = self.asked()?;
        let done = self.order.state.is_done();
        let text = format!("{}: {}", Code::BrokerReject, refusal.text);
        let reason = if done { 0 } else { 2 };
        Some(cancel_reject(
            Some(self.order),
            asked.as_str().as_bytes(),
            self.current().as_str().as_bytes(),
            response_to,
            reason,
            &text,
            self.frame.time,
        ))
    }
}

/// ExecID(17) of a trade: the venue's own, told apart by the venue. A bust or correction refers to it.
fn trade_id(venue: Mic, exec_id: &ExecId) -> String {
    format!("{venue}-{exec_id}")
}

/// What every report says of an order.
pub(super) fn order_body(order: &Order, catalog: &Catalog, time: Time) -> Body {
    let mut body = Body::new(EXECUTION_REPORT);
    let (ord_type, tif) = words::ord_type(order.ord_type, order.time_in_force);
    body.text(1, catalog.account_name(order.account_id)).text(37, &order.order_id.to_string());
    body.put(39, &[words::ord_status(order.ord_status())]).put(40, &[ord_type]).put(54, &[words::side(order.side)]).put(59, &[tif]);
    body.text(55, catalog.symbol(order.instrument_id))
        .amount(38, order.order_qty)
        .amount(14, order.cum_qty)
        .amount(151, order.leaves_qty());
    body.amount(6, order.avg_px().unwrap_or(Price::ZERO)).time(60, time);
    for (tag, value) in [(44, order.price), (99, order.extras.stop_px)] {
        if let Some(value) = value {
            body.amount(tag, value);
        }
    }
    if let Some(money) = order.cash_order_qty() {
        body.amount(152, money);
    }
    if let Some(at) = order.expire_at.filter(|_| tif == b'6') {
        body.time(126, at);
    }
    body
}

/// An OrderCancelReject(9); of an order that is not known here, all that can be said is that.
pub(super) fn cancel_reject(
    order: Option<&Order>,
    cl_ord_id: &[u8],
    orig: &[u8],
    response_to: &[u8],
    reason: u64,
    text: &str,
    time: Time,
) -> Outgoing {
    let mut body = Body::new(ORDER_CANCEL_REJECT);
    let order_id = order.map_or_else(|| "NONE".to_owned(), |order| order.order_id.to_string());
    let status = order.map_or(b'8', |order| words::ord_status(order.ord_status()));
    body.text(37, &order_id).put(11, cl_ord_id).put(41, orig).put(39, &[status]).put(434, response_to);
    body.uint(102, reason).text(58, text).time(60, time);
    body.finish()
}

/// The times of messages: what every counterparty reads.
pub(super) const PRECISION: Precision = Precision::Millis;
