//! Answers to messages that led to no event of an order: refusals, and what was asked about.

use oms_model::{Code, Order, OrderId, Refusal, Time};

use super::body::Body;
use super::book::Book;
use super::catalog::Catalog;
use super::quotes;
use super::report::{EXECUTION_REPORT, cancel_reject, order_body};
use super::request::Subject;
use super::words;
use crate::session::BusinessReason;
use crate::session::outbox::Outgoing;
use crate::tags;

/// OrderMassCancelReport(r).
const MASS_CANCEL_REPORT: &[u8] = b"r";
/// Orders that an answer to a mass cancel names; of more it has the number alone, lest it be larger than a message may be.
const MOST_NAMED: usize = 200;
/// ExecType(150) of an order status.
const ORDER_STATUS: &[u8] = b"I";

/// A refusal, in the message that the asker waits for.
#[must_use]
pub fn refusal(subject: &Subject, refusal: &Refusal, book: &Book, now: Time) -> Outgoing {
    match subject.msg_type {
        b'D' => order_refused(subject, refusal, now),
        b'F' | b'G' => cancel_refused(subject, refusal, book, now),
        b'q' => mass_cancel_refused(subject, refusal, now),
        b'R' => quotes::refused(subject, refusal),
        b'J' | b'Z' => quotes::response_refused(subject, &words::text(refusal), now),
        _ => business(subject, refusal),
    }
}

fn order_refused(subject: &Subject, refusal: &Refusal, now: Time) -> Outgoing {
    let mut body = Body::new(EXECUTION_REPORT);
    body.put(11, &subject.cl_ord_id).text(37, "NONE").put(150, b"8").put(39, b"8").put(38, &subject.order_qty);
    // Unique as the message is that it answers.
    body.text(17, &format!("{}-{}", subject.numbering, subject.seq));
    body.put(40, &subject.ord_type).put(54, &subject.side).put(55, &subject.symbol).put(6, b"0").put(14, b"0").put(151, b"0");
    body.uint(103, words::ord_rej_reason(refusal.code)).text(58, &words::text(refusal)).time(60, now);
    body.finish()
}

fn cancel_refused(subject: &Subject, refusal: &Refusal, book: &Book, now: Time) -> Outgoing {
    let order = book.named(&subject.orig);
    let done = order.is_some_and(|order| order.state.is_done());
    let pending = order.is_some_and(|order| order.pending != oms_model::Pending::None);
    let reason = words::cxl_rej_reason(refusal.code, done, pending);
    let response_to: &[u8] = if subject.msg_type == b'F' { b"1" } else { b"2" };
    cancel_reject(order, &subject.cl_ord_id, &subject.orig, response_to, reason, &words::text(refusal), now)
}

fn mass_cancel_refused(subject: &Subject, refusal: &Refusal, now: Time) -> Outgoing {
    let mut body = mass_cancel_body(subject, now);
    // MassCancelRejectReason(532): an unknown security, or not supported. FIX 4.4 has 99, other, which its own type, one
    // character, does not allow.
    body.put(531, b"0").put(532, if refusal.code == Code::UnknownSymbol { b"1" } else { b"0" });
    body.text(58, &words::text(refusal));
    body.finish()
}

fn mass_cancel_body(subject: &Subject, now: Time) -> Body {
    let mut body = Body::new(MASS_CANCEL_REPORT);
    body.put(11, &subject.cl_ord_id).text(37, &format!("{}-{}", subject.numbering, subject.seq)).put(530, &subject.req_type);
    body.put(55, &subject.symbol).time(60, now);
    body
}

/// A mass cancel was taken on: the orders that it concerns follow one by one.
#[must_use]
pub fn mass_cancel(subject: &Subject, orders: &[OrderId], book: &Book, now: Time) -> Outgoing {
    let mut body = mass_cancel_body(subject, now);
    body.put(531, &subject.req_type).uint(533, orders.len() as u64);
    let mut message = body.finish();
    if orders.is_empty() || MOST_NAMED < orders.len() {
        return message;
    }
    message.body.uint(534, orders.len() as u64);
    for id in orders {
        // Its first member starts every entry of a group.
        let name = book.get(*id).map_or("NONE", |order| order.current_cl_ord_id().as_str());
        message.body.text(41, name).text(535, &id.to_string());
    }
    message
}

/// How an order stands, as it was told so far.
#[must_use]
pub fn status(subject: &Subject, book: &Book, catalog: &Catalog, now: Time) -> Outgoing {
    // The id of the order, not of a request: FIX 4.4 gives OrderStatusRequest(H) the id of what it asks about.
    match book.named(&subject.cl_ord_id) {
        Some(order) => {
            let mut body = status_body(order, catalog, now);
            body.put(790, &subject.req_id);
            body.finish()
        }
        None => {
            let mut body = unknown(subject, now);
            body.put(790, &subject.req_id).uint(103, 5).text(58, "there is no such order");
            body.finish()
        }
    }
}

fn status_body(order: &Order, catalog: &Catalog, now: Time) -> Body {
    let mut body = order_body(order, catalog, now);
    body.text(11, order.current_cl_ord_id().as_str()).put(150, ORDER_STATUS).text(17, "0");
    body
}

fn unknown(subject: &Subject, now: Time) -> Body {
    let mut body = Body::new(EXECUTION_REPORT);
    body.put(11, &subject.cl_ord_id).text(37, "NONE").put(150, ORDER_STATUS).put(39, b"8").text(17, "0");
    body.put(54, if subject.side.is_empty() { b"1" } else { &subject.side });
    body.put(55, if subject.symbol.is_empty() { b"[N/A]" } else { &subject.symbol });
    body.put(6, b"0").put(14, b"0").put(151, b"0").time(60, now);
    body
}

/// Every order that works, of one instrument or of all.
#[must_use]
pub fn mass_status(subject: &Subject, symbol: Option<&str>, book: &Book, catalog: &Catalog, now: Time) -> Vec<Outgoing> {
    let meant = |order: &&Order| symbol.is_none_or(|symbol| catalog.symbol(order.instrument_id) == symbol);
    let mut bodies: Vec<Body> = book.working().filter(meant).map(|order| status_body(order, catalog, now)).collect();
    if bodies.is_empty() {
        let mut body = unknown(subject, now);
        body.text(58, "no orders work");
        bodies.push(body);
    }
    let count = bodies.len() as u64;
    let last = bodies.len() - 1;
    let finish = |(at, mut body): (usize, Body)| {
        body.put(584, &subject.req_id).uint(911, count).put(912, if at == last { b"Y" } else { b"N" });
        body.finish()
    };
    bodies.into_iter().enumerate().map(finish).collect()
}

/// A BusinessMessageReject(j) of a message.
#[must_use]
pub fn business(subject: &Subject, refusal: &Refusal) -> Outgoing {
    let served = matches!(subject.msg_type, b'D' | b'F' | b'G' | b'H' | b'M' | b'q' | b'R' | b'J' | b'Z');
    let reason = match refusal.code {
        _ if !served => BusinessReason::UnsupportedMessageType,
        Code::Forbidden => BusinessReason::NotAuthorized,
        _ => BusinessReason::Other,
    };
    let text = words::text(refusal);
    let mut reject = Outgoing::new(tags::BUSINESS_MESSAGE_REJECT);
    let msg_type = match subject.msg_type {
        b'M' => b"AF".to_vec(),
        b'J' => b"AJ".to_vec(),
        one => vec![one],
    };
    let body = reject.body.uint(tags::REF_SEQ_NUM, subject.seq).text(tags::TEXT, &text).put(tags::REF_MSG_TYPE, &msg_type);
    if served && !subject.cl_ord_id.is_empty() {
        body.put(tags::BUSINESS_REJECT_REF_ID, &subject.cl_ord_id);
    }
    body.uint(tags::BUSINESS_REJECT_REASON, reason as u64);
    reject
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::book::Whose;
    use crate::session::config::Bounds;

    #[test]
    fn an_answer_to_a_mass_cancel_fits_into_a_message_however_many_orders_it_is_about() {
        let subject = Subject { msg_type: b'q', cl_ord_id: vec![b'A'; 64], req_type: b"7".to_vec(), ..Subject::default() };
        let book = Book::of(&oms_engine::State::default(), Whose::Own(oms_model::UserId::default()), &Catalog::default());
        let all: Vec<OrderId> = (0..100_000).map(OrderId::from_u128).collect();
        let said = |count: usize| {
            let message = mass_cancel(&subject, &all[..count], &book, Time(0));
            String::from_utf8_lossy(message.body.as_bytes()).replace('\u{1}', "|")
        };
        assert!(!said(0).contains("534=") && said(0).contains("|533=0|"));
        assert!(said(MOST_NAMED).contains("|534=200|") && said(MOST_NAMED).matches("|535=").count() == MOST_NAMED);
        assert!(!said(100_000).contains("534=") && said(100_000).contains("|533=100000|"));
        // The longest names that there are.
        assert!(said(MOST_NAMED).len() + MOST_NAMED * 64 < Bounds::default().message);
    }
}
