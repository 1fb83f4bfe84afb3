//! What the session's log has of our orders at a venue, and what the venue has said of them: the same whether it was heard
//! just now or is read from the log again.

mod booked;
mod saved;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use oms_model::report::{ReportBody, VenueFill};
use oms_model::{BrokerOrderId, IntentKind, OrderId, Qty, Time, WireId};
use oms_runtime::port::{RequestState, VenueOrder, VenueState};

use super::order::{DontKnow, Terms};
use super::said::Said;
use super::standing::{Request, Sending, Standing};

/// Ended orders that are kept; beyond it the oldest are forgotten, and what was executed before then is not known here.
const MAX_ENDED: usize = 1_000_000;
/// Numbers of which it is kept what they carried; beyond it nothing can be proven of the oldest.
const MAX_NUMBERS: usize = 1_000_000;

/// What comes of a message of the venue.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// What is to be reported.
    pub(super) reports: Vec<(Time, ReportBody)>,
    /// The trade is not known, or too much.
    pub(super) dont_know: Option<DontKnow>,
    /// It says something that was not known before.
    pub(super) is_news: bool,
}

/// What a number of ours carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// An order or a request.
    Intent(WireId),
    /// A question, by its id.
    Question(String),
}

/// How an order stands by the venue's own status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    /// By what name.
    pub(super) wire_id: WireId,
    /// `None`: the venue does not know it.
    pub(super) state: Option<VenueState>,
    pub(super) broker_order_id: Option<BrokerOrderId>,
    pub(super) order_qty: Option<Qty>,
    pub(super) cum_qty: Qty,
}

/// The orders of one venue.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ledger {
    orders: BTreeMap<OrderId, Standing>,
    brokers: BTreeMap<BrokerOrderId, OrderId>,
    by_number: BTreeMap<u64, Subject>,
    /// Those that work there or may come to.
    live: BTreeSet<OrderId>,
    ended: VecDeque<OrderId>,
    /// Nothing is known of executions up to here.
    horizon: Time,
    /// The venue skipped numbers of its own without saying what they had carried.
    has_hole: bool,
}

impl Ledger {
    /// An empty one.
    pub(super) fn new() -> Self {
        Self { horizon: Time(i64::MIN), ..Self::default() }
    }

    /// The order that an id is of.
    pub(super) fn get(&self, wire_id: &WireId) -> Option<&Standing> {
        self.orders.get(&wire_id.parts()?.0)
    }

    fn standing(&mut self, order_id: OrderId) -> &mut Standing {
        self.orders.entry(order_id).or_insert_with(|| Standing::new(order_id))
    }

    /// Whether the venue's numbers, one after the other, told everything that it ever said.
    pub(super) fn is_whole(&self) -> bool {
        !self.has_hole
    }

    /// Orders that work there, as far as it is known.
    pub(super) fn open(&self) -> impl Iterator<Item = &Standing> {
        self.live.iter().filter_map(|id| self.orders.get(id)).filter(|order| order.heard)
    }

    /// Orders that work there or may come to.
    pub(super) fn may_work(&self) -> usize {
        self.live.len()
    }

    /// Whether anything was forgotten: then that an order is not here proves nothing.
    pub(super) fn has_forgotten(&self) -> bool {
        self.horizon != Time(i64::MIN)
    }

    /// Takes in how an order stands now.
    fn track(&mut self, order_id: OrderId) {
        let Some(order) = self.orders.get(&order_id) else { return };
        let there = order.heard || !order.sending.is_certainly_not_there();
        if there && order.state == VenueState::Live {
            self.live.insert(order_id);
        } else if self.live.remove(&order_id) {
            self.end(order_id);
        }
    }

    /// All executions since then, and whether nothing older was forgotten.
    pub(super) fn executions_since(&self, since: Time) -> (Vec<(WireId, Time, VenueFill)>, bool) {
        let of = |order: &Standing| {
            let wire_id = WireId::derive(order.order_id, 0);
            order.fills.clone().into_iter().map(move |(at, fill)| (wire_id.clone(), at, fill))
        };
        let mut all: Vec<_> = self.orders.values().flat_map(of).filter(|(_, at, _)| since <= *at).collect();
        all.sort_by_key(|(_, at, _)| *at);
        (all, !self.has_forgotten() || self.horizon < since)
    }

    // ---- what is sent

    /// An order is handed over.
    pub(super) fn hand_order(&mut self, wire_id: &WireId, terms: Terms) {
        let Some((order_id, _)) = wire_id.parts() else { return };
        let order = self.standing(order_id);
        if order.sending == Sending::Never {
            order.sending = Sending::Handed;
        }
        if order.terms.is_none() {
            order.order_qty = terms.order_qty;
            order.terms = Some(terms);
        }
        self.track(order_id);
    }

    /// A cancel or replace is handed over.
    pub(super) fn hand_request(&mut self, wire_id: &WireId, kind: IntentKind, terms: Option<Terms>) {
        let Some((order_id, _)) = wire_id.parts() else { return };
        let order = self.standing(order_id);
        if order.request(wire_id).is_none() {
            order.requests.push(Request { wire_id: wire_id.clone(), kind, sending: Sending::Handed, terms, answer: None });
        }
    }

    /// What is known of how an id was sent.
    pub(super) fn sending(&mut self, wire_id: &WireId) -> Option<&mut Sending> {
        let (order_id, revision) = wire_id.parts()?;
        let order = self.orders.get_mut(&order_id)?;
        if revision == 0 { Some(&mut order.sending) } else { order.request(wire_id).map(|request| &mut request.sending) }
    }

    /// What an id stands for.
    pub(super) fn kind(&self, wire_id: &WireId) -> IntentKind {
        let request = self.get(wire_id).and_then(|order| order.requests.iter().find(|request| request.wire_id == *wire_id));
        request.map_or(IntentKind::New, |request| request.kind)
    }

    /// A message has this number.
    pub(super) fn number(&mut self, seq: u64, subject: Subject) {
        if let Subject::Intent(wire_id) = &subject
            && let Some(sending) = self.sending(wire_id)
        {
            *sending = Sending::Numbered;
        }
        self.by_number.insert(seq, subject);
        if MAX_NUMBERS < self.by_number.len() {
            self.by_number.pop_first();
        }
    }

    /// A message was given up before it had a number.
    pub(super) fn not_sent(&mut self, wire_id: &WireId) {
        // The second with the same id is given up, the first may have gone.
        if let Some(sending) = self.sending(wire_id).filter(|sending| **sending == Sending::Handed) {
            *sending = Sending::Never;
        }
        self.track_id(wire_id);
    }

    fn track_id(&mut self, wire_id: &WireId) {
        if let Some((order_id, _)) = wire_id.parts() {
            self.track(order_id);
        }
    }

    /// What a number carried.
    pub(super) fn carried(&self, seq: u64) -> Option<&Subject> {
        self.by_number.get(&seq)
    }

    /// The venue asks for numbers again, of which it will be told that they carry nothing. The orders and requests that
    /// they had carried.
    pub(super) fn skipped(&mut self, begin: u64, end: u64) -> Vec<WireId> {
        if end < begin {
            return Vec::new();
        }
        let carried = |subject: &Subject| match subject {
            Subject::Intent(wire_id) => Some(wire_id.clone()),
            Subject::Question(_) => None,
        };
        let mut asked: Vec<WireId> = self.by_number.range(begin..=end).filter_map(|(_, subject)| carried(subject)).collect();
        // One of which the venue has spoken had come, by whatever number.
        asked.retain(|wire_id| {
            let spoken = self.get(wire_id).is_some_and(|order| order.has_spoken_of(wire_id));
            match self.sending(wire_id).filter(|sending| !spoken && **sending == Sending::Numbered) {
                Some(sending) => {
                    *sending = Sending::Skipped;
                    true
                }
                None => false,
            }
        });
        asked.iter().for_each(|wire_id| self.track_id(wire_id));
        asked
    }

    /// Both numbers begin anew: what was sent before has no number any more.
    pub(super) fn begin_anew(&mut self) {
        self.by_number.clear();
        self.has_hole = false;
    }

    /// The venue set its numbers without saying what those between had carried.
    pub(super) fn hole(&mut self) {
        self.has_hole = true;
    }

    /// The session was lost.
    pub(super) fn lost(&mut self) {
        for id in &self.live {
            if let Some(order) = self.orders.get_mut(id) {
                order.silent = true;
            }
        }
    }

    // ---- what the venue says

    /// The order that a message is about: by ClOrdID(11), or by the venue's own OrderID(37).
    fn about(&self, said: &Said<'_>) -> Option<(WireId, OrderId)> {
        let named = said.wire(11).and_then(|wire_id| wire_id.parts().map(|(order_id, _)| (wire_id, order_id)));
        named.or_else(|| {
            let order_id = *self.brokers.get(&said.broker_order_id()?)?;
            Some((self.orders.get(&order_id)?.name(), order_id))
        })
    }

    /// Takes in an ExecutionReport(8) or OrderCancelReject(9).
    pub(super) fn take(&mut self, said: &Said<'_>) -> Heard {
        let Some((wire_id, order_id)) = self.about(said) else { return booked::stranger(said) };
        if said.msg_type() == b"9" {
            return self.refused(said, &wire_id, order_id);
        }
        let known = self.orders.get(&order_id).is_some_and(|order| order.terms.is_some());
        let order = self.standing(order_id);
        if order.terms.is_none() {
            order.order_qty = said.qty(38).unwrap_or(order.order_qty);
        }
        let mut heard = booked::report(order, said, &wire_id);
        if !known && heard.dont_know.is_none() && matches!(said.get(150), Some(b"F")) {
            heard.dont_know = Some(DontKnow::NoOrder).filter(|_| heard.is_news);
        }
        if let Some(id) = said.broker_order_id() {
            order.broker_order_id = id.clone();
            self.brokers.insert(id, order_id);
        }
        self.track(order_id);
        heard
    }

    fn refused(&mut self, said: &Said<'_>, wire_id: &WireId, order_id: OrderId) -> Heard {
        let replace = said.is(434, b"2");
        let kind = if replace { IntentKind::Replace } else { IntentKind::Cancel };
        self.hand_request(wire_id, kind, None);
        let order = self.standing(order_id);
        let Some(request) = order.request(wire_id) else { return Heard::default() };
        let is_news = request.answer.replace(RequestState::Rejected) != Some(RequestState::Rejected);
        let (wire_id, text) = (wire_id.clone(), said.text());
        let body = if replace { ReportBody::ReplaceRejected { wire_id, text } } else { ReportBody::CancelRejected { wire_id, text } };
        Heard { reports: vec![(said.at(), body)], is_news, dont_know: None }
    }

    /// The venue refused a message of ours as a message: Reject(3), BusinessMessageReject(j).
    pub(super) fn refused_message(&mut self, wire_id: &WireId, text: String) -> ReportBody {
        let wire_id = wire_id.clone();
        match self.kind(&wire_id) {
            IntentKind::New => {
                if let Some(order) = wire_id.parts().and_then(|(order_id, _)| self.orders.get_mut(&order_id)).filter(|order| !order.heard) {
                    (order.heard, order.state) = (true, VenueState::Rejected);
                }
                self.track_id(&wire_id);
                return ReportBody::Rejected { wire_id, text };
            }
            IntentKind::Cancel | IntentKind::Replace => (),
        }
        let mut replace = false;
        if let Some(request) = wire_id.parts().and_then(|(id, _)| self.orders.get_mut(&id)).and_then(|order| order.request(&wire_id)) {
            request.answer = Some(RequestState::Rejected);
            replace = request.kind == IntentKind::Replace;
        }
        if replace { ReportBody::ReplaceRejected { wire_id, text } } else { ReportBody::CancelRejected { wire_id, text } }
    }

    fn end(&mut self, order_id: OrderId) {
        self.ended.push_back(order_id);
        while MAX_ENDED < self.ended.len() {
            let Some(oldest) = self.ended.pop_front() else { return };
            // One that works again after a bust is not over.
            if self.orders.get(&oldest).is_some_and(|order| order.state != VenueState::Live)
                && let Some(order) = self.orders.remove(&oldest)
            {
                self.brokers.remove(&order.broker_order_id);
                let last = order.fills.iter().map(|(at, _)| *at).max();
                self.horizon = self.horizon.max(last.unwrap_or(self.horizon));
            }
        }
    }

    // ---- what it answers

    /// The venue's own status in an ExecutionReport(8) of type I.
    pub(super) fn status(&self, said: &Said<'_>) -> Option<Status> {
        let broker_order_id = said.broker_order_id();
        let refused_as_unknown = said.is(39, b"8") && (broker_order_id.is_none() || said.is(103, b"5"));
        let state = match said.get(39)? {
            _ if refused_as_unknown => None,
            b"2" => Some(VenueState::Filled),
            b"4" => Some(VenueState::Canceled),
            b"8" => Some(VenueState::Rejected),
            b"C" => Some(VenueState::Expired),
            _ => Some(VenueState::Live),
        };
        let cum_qty = said.qty(14).unwrap_or_default();
        let wire_id = self.about(said).map_or_else(|| said.wire(11).unwrap_or_default(), |(wire_id, _)| wire_id);
        Some(Status { wire_id, state, broker_order_id, order_qty: said.qty(38), cum_qty })
    }

    /// The order as the venue's status has it, with what was told of it. Whether the two agree: every execution is known.
    pub(super) fn agreed(&mut self, status: &Status) -> Option<(VenueOrder, bool)> {
        let (state, (order_id, _)) = (status.state?, status.wire_id.parts()?);
        let order = self.standing(order_id);
        (order.heard, order.silent) = (true, false);
        order.order_qty = status.order_qty.filter(|qty| qty.is_positive()).unwrap_or(order.order_qty);
        order.state = state;
        if let Some(id) = &status.broker_order_id {
            order.broker_order_id = id.clone();
        }
        let (shown, agree) = (order.shown(), order.traded() == status.cum_qty);
        if let Some(id) = &status.broker_order_id {
            self.brokers.insert(id.clone(), order_id);
        }
        self.track(order_id);
        Some((shown, agree))
    }
}

#[cfg(test)]
mod tests;
