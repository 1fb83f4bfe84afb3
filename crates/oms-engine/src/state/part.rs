//! What is kept beside an order.
//!
//! An allocator gives room by classes, and an order with its part fits into one of 384 bytes; see the test.

use oms_model::instrument::Valuation;
use oms_model::seldom::Seldom;
use oms_model::{ExecId, IntentKind, Order, Price, Qty, Time};
use oms_risk::Reservation;

/// What is kept beside an order, by its place in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Root(RootPart),
    /// Between the two: the order says all of it.
    Node,
    Leg(LegPart),
}

/// What is kept beside a client's order: what is reserved for it, and when its tree leaves the hot state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RootPart {
    qty: Qty,
    price: Price,
    worst_price: Price,
    valuation: Valuation,
    stands: Stands,
}

/// Where a client's order stands: one that rests is not about to leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stands {
    #[default]
    Nowhere,
    /// Among the working orders; see [`Reservation::resting`].
    Rests(i64),
    /// Nothing of its tree works, and then it leaves.
    Closes(Time),
}

impl RootPart {
    pub(crate) fn new(reserved: Reservation, close_at: Option<Time>) -> Self {
        let mut part = Self::default();
        part.keep(reserved);
        part.set_close_at(close_at);
        part
    }

    /// What is reserved for it.
    pub(crate) fn reserved(&self) -> Reservation {
        let Self { qty, price, worst_price, valuation, stands } = *self;
        let resting = match stands {
            Stands::Rests(rank) => Some(rank),
            Stands::Nowhere | Stands::Closes(_) => None,
        };
        Reservation { qty, price, worst_price, valuation, resting }
    }

    /// Changes what is reserved for it.
    ///
    /// # Panics
    /// Where it rests then and is about to leave.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Reservation)) {
        let mut reserved = self.reserved();
        change(&mut reserved);
        self.keep(reserved);
    }

    fn keep(&mut self, reserved: Reservation) {
        let Reservation { qty, price, worst_price, valuation, resting } = reserved;
        assert!(resting.is_none() || self.close_at().is_none(), "an order rests that leaves the hot state");
        let stands = match (resting, self.stands) {
            (Some(rank), _) => Stands::Rests(rank),
            (None, Stands::Rests(_)) => Stands::Nowhere,
            (None, stands) => stands,
        };
        *self = Self { qty, price, worst_price, valuation, stands };
    }

    /// When the tree leaves the hot state; set once nothing of it works.
    pub(crate) fn close_at(&self) -> Option<Time> {
        match self.stands {
            Stands::Closes(at) => Some(at),
            Stands::Nowhere | Stands::Rests(_) => None,
        }
    }

    /// # Panics
    /// Where it rests and is to leave.
    pub(crate) fn set_close_at(&mut self, at: Option<Time>) {
        assert!(at.is_none() || !matches!(self.stands, Stands::Rests(_)), "an order that rests is to leave the hot state");
        self.stands = match (at, self.stands) {
            (Some(at), _) => Stands::Closes(at),
            (None, Stands::Closes(_)) => Stands::Nowhere,
            (None, stands) => stands,
        };
    }
}

/// What is kept beside a leg.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LegPart {
    /// The executions that were booked on it, their reversals and corrections, sorted, so that each is booked once.
    pub(crate) execs: Seldom<Vec<ExecId>>,
    /// See [`LegPart::request`]; apart from its revision, so that both fit beside `aggressive`.
    pub(super) request: Option<IntentKind>,
    pub(super) request_revision: u32,
    /// When the last intent was decided.
    pub(crate) sent_at: Time,
    /// Whether it was priced to trade at once.
    pub(crate) aggressive: bool,
    /// When the venue should have answered by; set while it should.
    pub(crate) answer_by: Option<Time>,
}

impl LegPart {
    /// The cancel or replace that the venue has not answered, and its revision.
    pub(crate) fn request(&self) -> Option<(IntentKind, u32)> {
        self.request.map(|kind| (kind, self.request_revision))
    }

    pub(crate) fn set_request(&mut self, request: Option<(IntentKind, u32)>) {
        self.request = request.map(|(kind, _)| kind);
        self.request_revision = request.map_or(0, |(_, revision)| revision);
    }

    /// Whether something was handed to the venue that it has not answered.
    pub(crate) fn is_unanswered(&self, leg: &Order) -> bool {
        leg.state == oms_model::OrdState::Unack || (self.request.is_some() && !leg.state.is_done())
    }
}

#[cfg(test)]
mod tests;
