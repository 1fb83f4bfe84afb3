//! One order as the session's log and the venue have it.

use std::collections::BTreeSet;

use oms_model::report::VenueFill;
use oms_model::{BrokerOrderId, ExecId, IntentKind, OrderId, Qty, Time, WireId};
use oms_runtime::port::{RequestState, VenueOrder, VenueState};

use super::order::Terms;

/// What became of handing a message over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sending {
    /// The session's log does not have it, and so it never left.
    #[default]
    Never,
    /// It waits for the session.
    Handed,
    /// It is in the session's log, under a number.
    Numbered,
    /// The venue asked for its number again, and was told that there is nothing: it never arrived and never will.
    Skipped,
}

impl Sending {
    /// Whether it is certain that the venue does not have it.
    pub(super) fn is_certainly_not_there(self) -> bool {
        matches!(self, Self::Never | Self::Skipped)
    }
}

/// A cancel or replace.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Request {
    pub(super) wire_id: WireId,
    pub(super) kind: IntentKind,
    pub(super) sending: Sending,
    /// What the order is to be, of a replace.
    pub(super) terms: Option<Terms>,
    /// The venue's answer.
    pub(super) answer: Option<RequestState>,
}

/// An order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Standing {
    pub(super) order_id: OrderId,
    /// As it was sent and replaced since; `None` for one that the log does not have.
    pub(super) terms: Option<Terms>,
    pub(super) sending: Sending,
    /// Whether the venue has said anything of it that shows that it has it.
    pub(super) heard: bool,
    /// The session was lost since the venue last said something of it.
    pub(super) silent: bool,
    pub(super) broker_order_id: BrokerOrderId,
    pub(super) state: VenueState,
    /// FIX 38 by the venue.
    pub(super) order_qty: Qty,
    pub(super) fills: Vec<(Time, VenueFill)>,
    pub(super) requests: Vec<Request>,
    /// Every id of an execution, a reversal or a correction that was told.
    pub(super) told: BTreeSet<ExecId>,
}

impl Standing {
    pub(super) fn new(order_id: OrderId) -> Self {
        Self {
            order_id,
            terms: None,
            sending: Sending::Never,
            heard: false,
            silent: false,
            broker_order_id: BrokerOrderId::default(),
            state: VenueState::Live,
            order_qty: Qty::ZERO,
            fills: Vec::new(),
            requests: Vec::new(),
            told: BTreeSet::new(),
        }
    }

    /// The order as the venue has it; requests that certainly never reached it are not among its own.
    pub(super) fn shown(&self) -> VenueOrder {
        let request = |request: &Request| {
            let state = request.answer.or((!request.sending.is_certainly_not_there()).then_some(RequestState::Pending))?;
            Some((request.wire_id.clone(), state))
        };
        VenueOrder {
            wire_id: WireId::derive(self.order_id, 0),
            broker_order_id: self.broker_order_id.clone(),
            state: self.state,
            order_qty: self.order_qty,
            price: self.terms.as_ref().and_then(|terms| terms.price),
            fills: self.fills.clone(),
            requests: self.requests.iter().filter_map(request).collect(),
        }
    }

    pub(super) fn traded(&self) -> Qty {
        self.fills.iter().fold(Qty::ZERO, |sum, (_, fill)| sum.saturating_add(fill.last_qty))
    }

    /// The most that the venue may execute: what was ordered, or what a replace asked for that it may have taken.
    pub(super) fn most(&self) -> Qty {
        let asked = self.requests.iter().filter(|request| request.answer != Some(RequestState::Rejected));
        let asked = asked.filter_map(|request| request.terms.as_ref()).map(|terms| terms.order_qty);
        asked.chain([self.order_qty]).max().unwrap_or_default()
    }

    /// The id that the venue knows it by: that of the last replace that it took.
    pub(super) fn name(&self) -> WireId {
        let taken = |request: &&Request| request.kind == IntentKind::Replace && request.answer == Some(RequestState::Accepted);
        let taken = self.requests.iter().rev().find(taken);
        taken.map_or_else(|| WireId::derive(self.order_id, 0), |request| request.wire_id.clone())
    }

    /// Every id that it may know it by, the likeliest first.
    pub(super) fn names(&self) -> Vec<WireId> {
        let open = |request: &&Request| {
            request.kind == IntentKind::Replace && request.answer.is_none() && !request.sending.is_certainly_not_there()
        };
        let open = self.requests.iter().rev().filter(open).map(|request| request.wire_id.clone());
        std::iter::once(self.name()).chain(open).collect()
    }

    /// Whether the venue has said anything that shows that it has what went out under this id.
    pub(super) fn has_spoken_of(&self, wire_id: &WireId) -> bool {
        let request = self.requests.iter().find(|request| request.wire_id == *wire_id);
        request.map_or(self.heard, |request| request.answer.is_some())
    }

    pub(super) fn request(&mut self, wire_id: &WireId) -> Option<&mut Request> {
        self.requests.iter_mut().find(|request| request.wire_id == *wire_id)
    }

    /// Wholly executed, or not any more: an execution came, was taken back or corrected.
    pub(super) fn settle(&mut self) {
        let whole = self.order_qty.is_positive() && self.order_qty <= self.traded();
        self.state = match self.state {
            VenueState::Live if whole => VenueState::Filled,
            VenueState::Filled if !whole => VenueState::Live,
            other => other,
        };
    }
}
