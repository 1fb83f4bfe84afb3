//! What must hold at the wire itself, from nothing but what goes over it and what the desk handed over.

use std::collections::{BTreeMap, VecDeque};

use oms_ib::codec::{PlaceOrder, Reply, Request};
use oms_ib::connector::record::Record;
use oms_model::{OrderId, Time, WireId};
use oms_runtime::port::Handed;

use super::world::{CLIENT, MS, SECOND};

/// Messages that a gateway takes in any one second.
const PER_SECOND: usize = 50;
/// How long a cancel may wait to leave: its second's budget may be spent.
const CANCEL_WAITS: i64 = SECOND + 100 * MS;

/// What is known of an order from the wire.
#[derive(Debug, Default)]
struct Sent {
    /// New orders and new terms that the desk handed over.
    handed: u64,
    /// Of these, durable in the log.
    logged: u64,
    /// Frames that left.
    frames: u64,
    /// The order id of the first.
    order_id: i32,
}

/// Lists that were asked for, and those of which the end has come: open orders, completed orders, executions.
type Lists = [u64; 3];

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Guard {
    sent: BTreeMap<String, Sent>,
    /// Order ids, by the log.
    ids: BTreeMap<i32, OrderId>,
    /// Order ids up to this one have left, or were told to be ours.
    highest: i32,
    asked: Lists,
    ended: Lists,
    /// The executions that were asked for, by request.
    executions: BTreeMap<i32, u64>,
    /// What had been asked when the session began, or the line behind the gateway broke or came back.
    since: Lists,
    is_line_lost: bool,
    /// What is done now was decided while everything had been looked at.
    pub was_open: bool,
    left: VecDeque<Time>,
    heard_at: Time,
    cancels: VecDeque<(OrderId, Time)>,
}

impl Guard {
    /// The desk handed a new order or new terms over.
    pub fn handed(&mut self, wire_id: &WireId, handed: &Handed) {
        if !matches!(handed, Handed::NotSent(_)) {
            self.sent.entry(order_ref(wire_id)).or_default().handed += 1;
        }
    }

    /// A record is durable in the connector's log.
    pub fn durable(&mut self, record: &Record) {
        if let Record::Placed(wire_id, place) = record {
            self.sent.entry(order_ref(wire_id)).or_default().logged += 1;
            self.ids.extend(wire_id.parts().map(|(order_id, _)| (place.order_id, order_id)));
        }
    }

    /// A cancel was handed over.
    pub fn cancel_waits(&mut self, wire_id: &WireId, now: Time) {
        let Some((order_id, _)) = wire_id.parts() else { return };
        self.cancels.push_back((order_id, now));
    }

    /// A cancel does not leave after all.
    pub fn cancel_is_answered(&mut self, order_id: OrderId) {
        if let Some(at) = self.cancels.iter().position(|(id, _)| *id == order_id) {
            self.cancels.remove(at);
        }
    }

    /// A connection is there.
    pub fn connected(&mut self, now: Time) {
        self.heard_at = now;
    }

    /// It is over.
    pub fn session_over(&mut self) {
        self.cancels.clear();
    }

    /// Something came.
    pub fn heard(&mut self, now: Time) {
        self.heard_at = now;
    }

    /// Whether a reply shuts the gate until everything was looked at again.
    pub fn is_about_the_line(reply: &Reply) -> bool {
        matches!(reply, Reply::Notice(notice) if matches!(notice.code, 1100 | 1101 | 1102 | 2110))
    }

    /// What a reply says about the lists, the line and order ids.
    pub fn came(&mut self, reply: &Reply) {
        match reply {
            Reply::OpenOrdersEnd(_) => self.ended[0] += 1,
            Reply::CompletedEnd(_) => self.ended[1] += 1,
            Reply::ExecutionsEnd(end) => self.ended[2] = self.ended[2].max(self.executions.get(&end.req_id).copied().unwrap_or(0)),
            Reply::Notice(notice) if matches!(notice.code, 1100 | 2110) => (self.is_line_lost, self.since) = (true, self.asked),
            Reply::Notice(notice) if matches!(notice.code, 1101 | 1102) => (self.is_line_lost, self.since) = (false, self.asked),
            Reply::OpenOrder(row) if row.order.client_id == CLIENT => self.highest = self.highest.max(row.order_id),
            _ => (),
        }
    }

    /// Whether everything was looked at since the session began, or the line came back.
    pub fn is_looked(&self) -> bool {
        !self.is_line_lost && self.ended.iter().zip(&self.since).all(|(ended, since)| since < ended)
    }

    /// A request leaves.
    pub fn leaves(&mut self, now: Time, request: &Request) {
        if let Request::StartApi(start) = request {
            assert_eq!(start.client_id, CLIENT, "invariant client id: a session began under another one");
            (self.asked, self.ended, self.since, self.is_line_lost) = <(Lists, Lists, Lists, bool)>::default();
            self.executions.clear();
            self.left.clear();
            return;
        }
        while self.left.front().is_some_and(|at| SECOND <= now.since(*at)) {
            self.left.pop_front();
        }
        self.left.push_back(now);
        assert!(self.left.len() <= PER_SECOND, "invariant pacing: {} messages left in one second", self.left.len());
        match request {
            Request::AllOpenOrders(_) => self.asked[0] += 1,
            Request::CompletedOrders(_) => self.asked[1] += 1,
            Request::Executions(which) => {
                self.asked[2] += 1;
                self.executions.insert(which.req_id, self.asked[2]);
            }
            Request::PlaceOrder(place) => self.places(place),
            Request::CancelOrder(cancel) => {
                if let Some(order_id) = self.ids.get(&cancel.order_id) {
                    self.cancel_is_answered(*order_id);
                }
            }
            _ => (),
        }
    }

    fn places(&mut self, place: &PlaceOrder) {
        let (name, order_id) = (&place.order.order_ref, place.order_id);
        assert!(self.was_open || self.is_looked(), "invariant gate: {name} left before everything at the gateway was looked at");
        let highest = self.highest;
        let sent = self.sent.entry(name.clone()).or_default();
        if sent.frames == 0 {
            assert!(highest < order_id, "invariant order ids: {name} left under {order_id}, and {highest} was used");
            sent.order_id = order_id;
        }
        sent.frames += 1;
        assert_eq!(sent.order_id, order_id, "invariant sent once: {name} left under a second order id");
        assert!(sent.frames <= sent.handed, "invariant sent once: {name} left {} times, handed over {}", sent.frames, sent.handed);
        assert!(sent.frames <= sent.logged, "invariant log: {name} left before it was durable in the log");
        self.highest = highest.max(order_id);
    }

    /// Nothing comes while time goes by on a connection that stands.
    pub fn silence(&self, now: Time, most: i64) {
        let silent = now.since(self.heard_at);
        assert!(silent <= most, "invariant heartbeat: a peer that was silent for {} ms is still taken for alive", silent / MS);
    }

    /// No cancel waits behind anything but cancels.
    pub fn cancels_first(&self, now: Time) {
        let Some((order_id, at)) = self.cancels.front() else { return };
        // So many cancels at once have the budget for themselves.
        let waits = now.since(*at);
        let is_alone = self.cancels.len() <= PER_SECOND / 2;
        assert!(!is_alone || waits <= CANCEL_WAITS, "invariant cancels first: that of {order_id} waits for {} ms", waits / MS);
    }
}

/// The reference of an order: its first wire id.
pub(super) fn order_ref(wire_id: &WireId) -> String {
    wire_id.parts().map_or_else(|| wire_id.to_string(), |(order_id, _)| WireId::derive(order_id, 0).to_string())
}

/// The order of a reference.
pub(super) fn order_of(order_ref: &str) -> Option<OrderId> {
    WireId::new(order_ref).ok()?.parts().map(|(order_id, _)| order_id)
}
