//! A paper venue's port as a venue that speaks FIX. Before it answers a question it tells every execution and answer once
//! more, marked as possibly resent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use oms_model::report::{Report, ReportBody, VenueFill};
use oms_model::{ExecId, InstrumentId, Liquidity, Notional, Price, Qty, Time, WireId};
use oms_runtime::port::{Answer, Handed, RequestState, VenueOrder, VenuePort, VenueState, WireCancel, WireOrder, WireReplace};

use super::super::dialect::Dialect;
use super::super::order::Terms;
use super::super::said::Said;
use crate::codec::scan::View;
use crate::desk::body::Body;
use crate::desk::words;
use crate::session::config::SessionId;
use crate::session::outbox::Outgoing;
use crate::session::{BusinessReason, business_reject};
use crate::tags;
use crate::transport::{Application, SessionHandle};

struct Sent {
    terms: Terms,
    broker: Option<String>,
    cum: Qty,
    notional: Notional,
    executed: BTreeSet<ExecId>,
    ended: bool,
}

/// A cancel or replace that was passed on.
#[derive(Clone)]
struct Asked {
    first: WireId,
    orig: WireId,
    replace: Option<(Qty, Option<Price>)>,
}

struct Inside {
    port: Box<dyn VenuePort>,
    dialect: Arc<Dialect>,
    instrument: InstrumentId,
    orders: BTreeMap<WireId, Sent>,
    asked: BTreeMap<WireId, Asked>,
    count: u64,
    /// Every D, F and G that was taken, in order.
    seen: Vec<(u8, WireId)>,
    /// Whether both sides have the same dictionary.
    strict: bool,
    /// DontKnowTrade(Q) by ExecID.
    not_known: Vec<(String, String)>,
}

#[derive(Clone)]
pub(super) struct Edge(Arc<Mutex<Inside>>);

impl Edge {
    pub(super) fn new(port: Box<dyn VenuePort>, dialect: Arc<Dialect>, instrument: InstrumentId, strict: bool) -> Self {
        let (orders, asked, seen, not_known) = (BTreeMap::new(), BTreeMap::new(), Vec::new(), Vec::new());
        Self(Arc::new(Mutex::new(Inside { port, dialect, instrument, orders, asked, count: 0, seen, strict, not_known })))
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap()
    }

    /// Tells what the venue says.
    pub(super) async fn report(&self, session: &SessionHandle, report: &Report) {
        let message = self.lock().report(report);
        if let Some(message) = message {
            session.send(message).await.unwrap();
        }
    }

    pub(super) fn seen(&self) -> Vec<(u8, WireId)> {
        self.lock().seen.clone()
    }

    pub(super) fn not_known(&self) -> Vec<(String, String)> {
        self.lock().not_known.clone()
    }
}

impl Application for Edge {
    fn deliver(&mut self, _: &SessionId, view: &View<'_>, replies: &mut Vec<Outgoing>) {
        let mut inside = self.lock();
        let dialect = inside.dialect.clone();
        let said = Said::new(*view, &dialect);
        match view.msg_type() {
            b"D" | b"F" | b"G" => replies.extend(inside.pass_on(&said)),
            b"H" if dialect.can.order_status => inside.status(&said, replies),
            b"AF" if dialect.can.mass_status => inside.mass_status(&said, replies),
            b"Q" => inside.not_known.push((said.str(17).unwrap().to_owned(), said.str(127).unwrap().to_owned())),
            _ => replies.push(business_reject(view, BusinessReason::UnsupportedMessageType, None)),
        }
    }

    fn event(&mut self, _: &SessionId, event: &crate::session::outbox::Event) {
        use crate::session::outbox::{Event, Reason};
        // Every message of ours must be one that the venue's dictionary has, and no number comes twice.
        let wrong = matches!(event, Event::Rejected { .. } | Event::PeerRejected { .. }) && self.lock().strict;
        let too_low = matches!(event, Event::LoggedOut { reason: Reason::TooLow } | Event::Dropped { reason: Reason::TooLow, .. });
        assert!(!wrong && !too_low && !matches!(event, Event::Garbled(_)), "{event:?}");
    }
}

impl Inside {
    fn first(&self, name: &WireId) -> WireId {
        self.asked.get(name).map_or_else(|| name.clone(), |asked| asked.first.clone())
    }

    fn pass_on(&mut self, said: &Said<'_>) -> Option<Outgoing> {
        let wire_id = said.wire(11).unwrap();
        let deadline = Time(i64::MAX);
        self.seen.push((said.msg_type()[0], wire_id.clone()));
        let (handed, refusal): (Handed, fn(WireId, String) -> ReportBody) = match said.msg_type() {
            b"D" => {
                let terms = Terms::read(said).unwrap();
                let order = wire_order(&wire_id, &terms, self.instrument);
                let (executed, notional) = (BTreeSet::new(), Notional::ZERO);
                self.orders.entry(wire_id.clone()).or_insert(Sent {
                    terms,
                    broker: None,
                    cum: Qty::ZERO,
                    notional,
                    executed,
                    ended: false,
                });
                (self.port.send(&order), |wire_id, text| ReportBody::Rejected { wire_id, text })
            }
            b"F" => {
                let orig_wire_id = said.wire(41).unwrap();
                let first = self.first(&orig_wire_id);
                self.asked.insert(wire_id.clone(), Asked { first, orig: orig_wire_id.clone(), replace: None });
                let request = WireCancel { wire_id: wire_id.clone(), orig_wire_id, deadline };
                (self.port.cancel(&request), |wire_id, text| ReportBody::CancelRejected { wire_id, text })
            }
            _ => {
                let (orig_wire_id, terms) = (said.wire(41).unwrap(), Terms::read(said).unwrap());
                let (first, order_qty) = (self.first(&orig_wire_id), said.qty(38).unwrap());
                let (price, stop_px) = (terms.price, terms.stop_px);
                self.asked.insert(wire_id.clone(), Asked { first, orig: orig_wire_id.clone(), replace: Some((order_qty, price)) });
                let request = WireReplace { wire_id: wire_id.clone(), orig_wire_id, order_qty, price, stop_px, deadline };
                (self.port.replace(&request), |wire_id, text| ReportBody::ReplaceRejected { wire_id, text })
            }
        };
        // What may or may not have arrived is answered by the venue, or by nobody.
        let Handed::NotSent(text) = handed else { return None };
        self.report_body(&refusal(wire_id, text), Time(0))
    }

    fn report(&mut self, report: &Report) -> Option<Outgoing> {
        self.report_body(&report.body, report.transact_time)
    }

    fn finish(&self, mut body: Body, again: bool) -> Outgoing {
        self.dialect.put(&mut body);
        let mut message = body.finish();
        if again {
            message.header.text(tags::POSS_RESEND, "Y");
        }
        message
    }

    fn report_body(&mut self, body: &ReportBody, at: Time) -> Option<Outgoing> {
        let named = body.wire_id()?.clone();
        let first = self.first(&named);
        let asked = self.asked.get(&named).cloned();
        self.count += 1;
        let exec = format!("N{named}-{}", self.count);
        let (kind, text) = match body {
            ReportBody::Accepted { .. } => (b'0', ""),
            ReportBody::Rejected { text, .. } => (b'8', text.as_str()),
            ReportBody::Fill { .. } => (b'F', ""),
            ReportBody::Canceled { text, .. } => (b'4', text.as_str()),
            ReportBody::Replaced { .. } => (b'5', ""),
            ReportBody::Expired { .. } => (b'C', ""),
            ReportBody::CancelRejected { text, .. } => return Some(self.reject(&named, &first, b"1", text, false)),
            ReportBody::ReplaceRejected { text, .. } => return Some(self.reject(&named, &first, b"2", text, false)),
            _ => return None,
        };
        let sent = self.orders.get_mut(&first)?;
        match body {
            ReportBody::Accepted { broker_order_id: Some(id), .. } => sent.broker = Some(id.as_str().to_owned()),
            ReportBody::Fill { fill, .. } => sent.execute(fill),
            ReportBody::Replaced { order_qty, .. } => {
                if let Some((order_qty, price)) = asked.as_ref().and_then(|asked| asked.replace) {
                    (sent.terms.order_qty, sent.terms.price) = (order_qty, price);
                }
                sent.terms.order_qty = order_qty.unwrap_or(sent.terms.order_qty);
            }
            ReportBody::Rejected { .. } if sent.cum.is_positive() => (),
            ReportBody::Rejected { .. } | ReportBody::Canceled { .. } | ReportBody::Expired { .. } => sent.ended = true,
            _ => (),
        }
        let mut message = sent.body(&first, kind);
        message.text(11, named.as_str()).text(17, &exec).text(58, text).time(60, at);
        if let (Some(asked), b'4' | b'5') = (&asked, kind) {
            message.text(41, asked.orig.as_str());
        }
        if let ReportBody::Fill { fill, .. } = body {
            put_fill(&mut message, fill);
        }
        Some(self.finish(message, false))
    }

    fn reject(&self, named: &WireId, first: &WireId, response_to: &[u8], text: &str, again: bool) -> Outgoing {
        let known = self.orders.contains_key(first);
        let orig = self.asked.get(named).map_or_else(|| first.clone(), |asked| asked.orig.clone());
        let mut body = Body::new(b"9");
        body.text(37, if known { first.as_str() } else { "NONE" }).text(11, named.as_str()).text(41, orig.as_str());
        body.put(39, if known { b"0" } else { b"8" }).put(434, response_to).text(58, text).uint(102, u64::from(!known));
        self.finish(body, again)
    }

    // ---- questions

    fn status(&mut self, said: &Said<'_>, replies: &mut Vec<Outgoing>) {
        let (named, id) = (said.wire(11).unwrap(), said.get(790).unwrap());
        let first = self.first(&named);
        let Some((order, whole)) = told(self.port.query(&first)) else { return };
        let mut body = match &order {
            Some(order) => {
                self.repeat(order, replies);
                self.state_of(order)
            }
            None => unknown(),
        };
        body.put(790, id).replace(11, named.as_str().as_bytes());
        count(&mut body, if whole { 1 } else { 2 }, whole);
        replies.push(self.finish(body, false));
    }

    fn mass_status(&mut self, said: &Said<'_>, replies: &mut Vec<Outgoing>) {
        let id = said.get(584).unwrap();
        let (Some((executions, all_executed)), Some((orders, all_open))) =
            (told(self.port.executions_since(Time(i64::MIN))), told(self.port.open_orders()))
        else {
            return;
        };
        let whole = all_executed && all_open;
        for (wire_id, at, fill) in executions {
            replies.push(self.again(&wire_id, at, &fill));
        }
        let mut bodies: Vec<Body> = orders.iter().map(|order| self.state_of(order)).collect();
        if bodies.is_empty() {
            bodies.push(unknown());
        }
        let last = bodies.len();
        for (at, mut body) in bodies.into_iter().enumerate() {
            body.put(584, id);
            count(&mut body, if whole { last } else { last + 1 }, whole && at + 1 == last);
            replies.push(self.finish(body, false));
        }
    }

    /// Everything that was told of an order, once more.
    fn repeat(&mut self, order: &VenueOrder, replies: &mut Vec<Outgoing>) {
        for (at, fill) in &order.fills {
            replies.push(self.again(&order.wire_id, *at, fill));
        }
        for (named, state) in &order.requests {
            let asked = self.asked[named].clone();
            match state {
                RequestState::Pending => (),
                RequestState::Rejected => {
                    let to: &[u8] = if asked.replace.is_some() { b"2" } else { b"1" };
                    replies.push(self.reject(named, &order.wire_id, to, "", true));
                }
                RequestState::Accepted => {
                    let sent = &self.orders[&order.wire_id];
                    let mut body = sent.body(&order.wire_id, if asked.replace.is_some() { b'5' } else { b'4' });
                    body.replace(38, order.order_qty.to_string().as_bytes());
                    if let Some(price) = order.price {
                        body.replace(44, price.to_string().as_bytes());
                    }
                    body.text(11, named.as_str()).text(41, asked.orig.as_str()).text(17, &format!("R{named}")).time(60, Time(0));
                    replies.push(self.finish(body, true));
                }
            }
        }
    }

    fn again(&mut self, wire_id: &WireId, at: Time, fill: &VenueFill) -> Outgoing {
        let sent = self.orders.get_mut(wire_id).unwrap();
        sent.execute(fill);
        let mut body = sent.body(wire_id, b'F');
        put_fill(&mut body, fill);
        body.text(11, wire_id.as_str()).time(60, at);
        self.finish(body, true)
    }

    fn state_of(&self, order: &VenueOrder) -> Body {
        let status: &[u8] = match order.state {
            VenueState::Live => b"0",
            VenueState::Filled => b"2",
            VenueState::Canceled => b"4",
            VenueState::Rejected => b"8",
            VenueState::Expired => b"C",
        };
        let mut body = self.orders[&order.wire_id].body(&order.wire_id, b'I');
        let cum = order.fills.iter().fold(Qty::ZERO, |sum, (_, fill)| sum.saturating_add(fill.last_qty));
        let leaves = if order.state == VenueState::Live { order.order_qty.saturating_sub(cum) } else { Qty::ZERO };
        body.replace(37, order.broker_order_id.as_str().as_bytes());
        body.replace(39, status);
        for (tag, value) in [(38, order.order_qty), (14, cum), (151, leaves)] {
            body.replace(tag, value.to_string().as_bytes());
        }
        body.replace(17, b"0");
        body.text(11, order.wire_id.as_str());
        body
    }
}

fn wire_order(wire_id: &WireId, terms: &Terms, instrument: InstrumentId) -> WireOrder {
    WireOrder {
        wire_id: wire_id.clone(),
        instrument,
        symbol: terms.symbol.clone(),
        side: terms.side,
        ord_type: terms.ord_type,
        order_qty: terms.order_qty,
        cash_order_qty: terms.cash_order_qty,
        quote_ref: terms.quote_ref.clone(),
        price: terms.price,
        stop_px: terms.stop_px,
        time_in_force: terms.time_in_force,
        expire_at: terms.expire_at,
        deadline: Time(i64::MAX),
    }
}

/// What an answer says, and whether that is all; `None` where there is none.
fn told<T>(answer: Answer<T>) -> Option<(T, bool)> {
    match answer {
        Answer::Complete(all) => Some((all, true)),
        Answer::Incomplete(some) => Some((some, false)),
        Answer::Failed(_) => None,
    }
}

/// TotNumReports(911) and LastRptRequested(912).
fn count(body: &mut Body, total: usize, last: bool) {
    body.uint(911, total as u64).put(912, if last { b"Y" } else { b"N" });
}

fn unknown() -> Body {
    let mut body = Body::new(b"8");
    body.text(37, "NONE").text(17, "0").put(150, b"I").put(39, b"8").uint(103, 5).put(54, b"1").text(55, "[N/A]");
    body.put(6, b"0").put(14, b"0").put(151, b"0");
    body
}

fn put_fill(body: &mut Body, fill: &VenueFill) {
    body.replace(17, fill.exec_id.as_str().as_bytes());
    body.amount(32, fill.last_qty).amount(31, fill.last_px);
    body.put(851, if fill.liquidity == Liquidity::Added { b"1" } else { b"2" });
    if fill.fee_per_unit != Price::ZERO {
        body.amount(12, fill.fee_per_unit).put(13, b"1");
    }
}

impl Sent {
    fn execute(&mut self, fill: &VenueFill) {
        if self.executed.insert(fill.exec_id.clone()) {
            self.cum = self.cum.saturating_add(fill.last_qty);
            self.notional = self.notional.saturating_add(fill.last_px.notional(fill.last_qty).unwrap());
        }
    }

    /// What every report says of the order.
    fn body(&self, first: &WireId, exec_type: u8) -> Body {
        let mut body = Body::new(b"8");
        let status = match exec_type {
            b'4' | b'8' | b'C' => exec_type,
            _ if self.terms.order_qty <= self.cum && self.cum.is_positive() => b'2',
            _ if self.ended => b'4',
            _ if self.cum.is_positive() => b'1',
            _ => b'0',
        };
        let leaves = if matches!(status, b'0' | b'1') { self.terms.order_qty.saturating_sub(self.cum) } else { Qty::ZERO };
        body.text(37, self.broker.as_deref().unwrap_or(first.as_str())).put(150, &[exec_type]).put(39, &[status]);
        body.text(55, self.terms.symbol.as_str()).put(54, &[words::side(self.terms.side)]);
        body.amount(38, self.terms.order_qty).amount(14, self.cum).amount(151, leaves);
        body.amount(6, self.notional.avg_px(self.cum).unwrap_or(Price::ZERO));
        if let Some(price) = self.terms.price {
            body.amount(44, price);
        }
        body
    }
}
