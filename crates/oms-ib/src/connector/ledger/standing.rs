//! One order as the connector's log and the gateway have it.

use std::collections::BTreeMap;

use oms_model::instrument::Currency;
use oms_model::report::VenueFill;
use oms_model::{BrokerOrderId, IntentKind, Notional, OrderId, Qty, Time, WireId};
use oms_runtime::port::{RequestState, VenueOrder, VenueState};

use crate::codec::{Contract, PlaceOrder};
use crate::reconcile::sides::{ContractName, Worth};

/// A cancel or replace that left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::connector) struct Request {
    pub(in crate::connector) wire_id: WireId,
    pub(in crate::connector) kind: IntentKind,
    /// What the order is to be, of a replace.
    pub(in crate::connector) place: Option<Box<PlaceOrder>>,
    /// The gateway's answer.
    pub(in crate::connector) answer: Option<RequestState>,
    /// A whole look after it left has shown every order that it may have made.
    pub(in crate::connector) is_looked_at: bool,
}

impl Request {
    /// Whether it may have made a second order that was not shown yet: it was not answered, or was told to be refused, which
    /// a refusal of other terms that is told twice reads like.
    fn may_make_two(&self) -> bool {
        self.kind == IntentKind::Replace && self.place.is_some() && !self.is_looked_at && self.answer != Some(RequestState::Accepted)
    }
}

/// One of the permanent ids of an order: a modification in an outage may leave two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::connector) struct Perm {
    pub(in crate::connector) id: i64,
    /// It never works again.
    pub(in crate::connector) done: bool,
    /// Executed by the gateway's own word.
    pub(in crate::connector) cum: Qty,
    /// Why the broker refused it, if that was its end.
    pub(in crate::connector) refused: Option<String>,
}

/// An execution, by its latest figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::connector) struct Booked {
    /// The revision behind the last dot of its id.
    pub(in crate::connector) revision: u32,
    pub(in crate::connector) at: Time,
    /// It was pushed: what a look found before is not told again when it is.
    pub(in crate::connector) pushed: bool,
    /// Under the id that it was told with first.
    pub(in crate::connector) fill: VenueFill,
    /// What it cost, once that is told.
    pub(in crate::connector) charge: Option<(Notional, Currency)>,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::connector) struct Standing {
    pub(in crate::connector) order_id: OrderId,
    /// The id that the gateway knows it by.
    pub(in crate::connector) ib_id: i32,
    pub(in crate::connector) perms: Vec<Perm>,
    /// As it was placed and changed since; `None` for one that the log does not have.
    pub(in crate::connector) place: Option<Box<PlaceOrder>>,
    /// Whether the gateway has said anything that shows that it has it.
    pub(in crate::connector) heard: bool,
    /// Whether it was reported to be taken.
    pub(in crate::connector) accepted: bool,
    /// The broker has it and holds it, by its last word.
    pub(in crate::connector) is_held: bool,
    /// It was taken and is not worked, by the broker's last word.
    pub(in crate::connector) is_inactive: bool,
    pub(in crate::connector) state: VenueState,
    pub(in crate::connector) order_qty: Qty,
    /// By the part of their id that does not change.
    pub(in crate::connector) fills: BTreeMap<String, Booked>,
    pub(in crate::connector) requests: Vec<Request>,
    /// What the gateway says that it is, of an order whose terms the log has lost; and whether it buys.
    pub(in crate::connector) terms: Option<Box<(ContractName, Worth, bool)>>,
    /// Why it was refused, where that came before the order was told to be.
    pub(in crate::connector) refusal: Option<String>,
}

impl Standing {
    pub(in crate::connector) fn new(order_id: OrderId, ib_id: i32) -> Self {
        Self {
            order_id,
            ib_id,
            perms: Vec::new(),
            place: None,
            heard: false,
            accepted: false,
            is_held: false,
            is_inactive: false,
            state: VenueState::Live,
            order_qty: Qty::ZERO,
            fills: BTreeMap::new(),
            requests: Vec::new(),
            terms: None,
            refusal: None,
        }
    }

    /// Notes what the gateway says that it is, where the log does not have it.
    pub(in crate::connector) fn see_terms(&mut self, contract: &Contract, is_buy: bool) {
        if self.place.is_none() && self.terms.is_none() {
            self.terms = Some(Box::new((ContractName::of(contract), Worth::of(contract), is_buy)));
        }
    }

    /// What it is, and whether it buys; `None` where nobody has said.
    pub(in crate::connector) fn terms(&self) -> Option<(ContractName, Worth, bool)> {
        let placed = |place: &PlaceOrder| (ContractName::of(&place.contract), Worth::of(&place.contract), place.order.action == "BUY");
        self.place.as_deref().map(placed).or_else(|| self.terms.as_deref().cloned())
    }

    pub(in crate::connector) fn traded(&self) -> Qty {
        self.fills.values().fold(Qty::ZERO, |sum, booked| sum.saturating_add(booked.fill.last_qty))
    }

    /// Executed by the gateway's own word.
    pub(in crate::connector) fn told_cum(&self) -> Qty {
        self.perms.iter().fold(Qty::ZERO, |sum, perm| sum.saturating_add(perm.cum))
    }

    /// Whether every execution that the gateway counts was told.
    pub(in crate::connector) fn agrees(&self) -> bool {
        self.told_cum() <= self.traded()
    }

    /// Whether more than one order works at the gateway under this one's id.
    pub(in crate::connector) fn is_doubled(&self) -> bool {
        1 < self.perms.iter().filter(|perm| !perm.done).count()
    }

    /// Whether the gateway has a second order under this one's id, or may have one.
    pub(in crate::connector) fn may_be_two(&self) -> bool {
        1 < self.perms.len() || self.is_doubtful()
    }

    /// Whether new terms may have made a second order that was not shown yet.
    pub(in crate::connector) fn is_doubtful(&self) -> bool {
        self.requests.iter().any(Request::may_make_two)
    }

    /// Whether every order under this one's id that was shown has ended.
    pub(in crate::connector) fn all_done(&self) -> bool {
        self.perms.iter().all(|perm| perm.done)
    }

    /// Whether its end is held back: all that was shown of it has ended or is executed, and new terms may have made another.
    /// A whole look says.
    pub(in crate::connector) fn is_ending(&self) -> bool {
        let is_over = self.all_done() || self.is_doubtful() && self.is_executed();
        self.state == VenueState::Live && self.may_be_two() && is_over
    }

    fn is_executed(&self) -> bool {
        self.order_qty.is_positive() && self.order_qty <= self.traded()
    }

    pub(in crate::connector) fn broker_order_id(&self) -> Option<BrokerOrderId> {
        self.perms.first().and_then(|perm| BrokerOrderId::new(&perm.id.to_string()).ok())
    }

    /// The id that the desk knows it by: that of the last replace that was taken.
    pub(in crate::connector) fn name(&self) -> WireId {
        let taken = |request: &&Request| request.kind == IntentKind::Replace && request.answer == Some(RequestState::Accepted);
        let taken = self.requests.iter().rev().find(taken);
        taken.map_or_else(|| WireId::derive(self.order_id, 0), |request| request.wire_id.clone())
    }

    /// The oldest request of a kind that was not answered.
    pub(in crate::connector) fn open_request(&mut self, kind: IntentKind) -> Option<&mut Request> {
        self.requests.iter_mut().find(|request| request.kind == kind && request.answer.is_none())
    }

    /// Wholly executed, or not any more: an execution came or was corrected, or one of two orders under its id is done.
    pub(in crate::connector) fn settle(&mut self) {
        // Where new terms made a second order, or may have, what the first was for says nothing about the other.
        let is_one = !self.is_doubtful() && (self.perms.len() < 2 || self.all_done());
        let whole = is_one && self.is_executed();
        self.state = match self.state {
            VenueState::Live | VenueState::Canceled | VenueState::Expired if whole => VenueState::Filled,
            VenueState::Filled if !whole => VenueState::Live,
            other => other,
        };
    }

    /// Its executions since then, oldest first.
    pub(in crate::connector) fn executions_since(&self, since: Time) -> Vec<(Time, VenueFill)> {
        let since = self.fills.values().filter(|booked| since <= booked.at);
        let mut fills: Vec<_> = since.map(|booked| (booked.at, booked.fill.clone())).collect();
        fills.sort_by(|(a, one), (b, two)| a.cmp(b).then_with(|| one.exec_id.cmp(&two.exec_id)));
        fills
    }

    /// The order as the gateway has it.
    pub(in crate::connector) fn shown(&self) -> VenueOrder {
        let request = |request: &Request| (request.wire_id.clone(), request.answer.unwrap_or(RequestState::Pending));
        VenueOrder {
            wire_id: WireId::derive(self.order_id, 0),
            broker_order_id: self.broker_order_id().unwrap_or_default(),
            state: self.state,
            order_qty: self.order_qty,
            price: self.place.as_ref().and_then(|place| place.order.limit).and_then(crate::codec::Number::price),
            fills: self.executions_since(Time(i64::MIN)),
            requests: self.requests.iter().map(request).collect(),
        }
    }
}
