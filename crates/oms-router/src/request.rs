//! What the router is asked and what it answers.

use crate::stats::VenueStats;
use oms_model::event::Candidate;
use oms_model::instrument::Venue;
use oms_model::market::Market;
use oms_model::policy::SorPolicy;
use oms_model::{Mic, OrdType, Price, Qty, Side, SorMode, Time, TimeInForce};

/// A venue as it stands when the order is planned.
#[derive(Clone, Copy, Debug)]
pub struct VenueView<'a> {
    /// Its configuration: fees, priors, whether it is switched on.
    pub venue: &'a Venue,
    /// What was measured of it.
    pub stats: &'a VenueStats,
    /// Whether its session is up and reconciled.
    pub connected: bool,
    /// Whether a kill switch that covers it is engaged.
    pub killed: bool,
    /// Whether trading there is halted by a person or a breaker.
    pub halted: bool,
    /// Whether a restricted or an allow list keeps the order away from it.
    pub restricted: bool,
    /// Whether it is in maintenance.
    pub maintenance: bool,
    /// Whether more orders are in doubt there than the engine tolerates.
    pub in_doubt: bool,
}

/// An order to be placed, and everything that the decision may depend on.
///
/// The trigger of a stop order is not part of it: it plays no part in where the order goes.
#[derive(Clone, Copy, Debug)]
pub struct RouteRequest<'a> {
    /// FIX 54.
    pub side: Side,
    /// FIX 40.
    pub ord_type: OrdType,
    /// How much to place now: the order's unplaced remainder.
    pub qty: Qty,
    /// The limit; given exactly where `ord_type` carries one.
    pub price: Option<Price>,
    /// FIX 59.
    pub time_in_force: TimeInForce,
    /// Legs are multiples of it; zero or less means that every quantity is.
    pub lot: Qty,
    /// The mode in force: the client's, else the policy's.
    pub mode: SorMode,
    /// The venue that the client names, for [`SorMode::Named`].
    pub named: Option<Mic>,
    /// The market in the order's instrument; its quotes in the order of venues.
    pub market: &'a Market,
    /// Every venue there is, each once, in any order.
    pub venues: &'a [VenueView<'a>],
    /// The policy in force.
    pub policy: &'a SorPolicy,
    /// The venues that failed this order before, and how often.
    pub failed: &'a [(Mic, u32)],
    /// The time of the decision.
    pub now: Time,
}

impl RouteRequest<'_> {
    /// The price that no leg may be worse than.
    pub(crate) fn limit(&self) -> Option<Price> {
        if self.ord_type.has_price() { self.price } else { None }
    }

    /// Whether what does not trade at once may wait at a venue. Venues hold stops themselves.
    pub(crate) fn can_rest(&self) -> bool {
        match self.ord_type {
            OrdType::Market | OrdType::MarketOnClose | OrdType::MarketToLimit | OrdType::PreviouslyQuoted => false,
            OrdType::Stop | OrdType::StopLimit | OrdType::TrailingStop | OrdType::TrailingStopLimit => true,
            OrdType::Limit | OrdType::LimitOnClose | OrdType::Pegged => self.outlives_arrival(),
        }
    }

    /// Whether the time in force goes beyond the moment of arrival.
    pub(crate) fn outlives_arrival(&self) -> bool {
        match self.time_in_force {
            TimeInForce::Ioc | TimeInForce::Fok | TimeInForce::Opg => false,
            TimeInForce::Day | TimeInForce::Gtc | TimeInForce::Gtd => true,
        }
    }

    /// A price or fee as a cost of this side: less is better for buyer and seller alike.
    pub(crate) fn cost_of(&self, price: Price) -> i64 {
        if self.side.is_buy() { price.raw() } else { price.raw().saturating_neg() }
    }

    /// A leg on the order's own terms.
    pub(crate) fn leg(&self, venue: Mic, qty: Qty) -> PlannedLeg {
        PlannedLeg { venue, qty, ord_type: self.ord_type, price: self.limit(), time_in_force: self.time_in_force }
    }
}

/// A part of the order for one venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedLeg {
    /// Where.
    pub venue: Mic,
    /// How much; above zero.
    pub qty: Qty,
    /// The order's own, but LIMIT for the legs that sweep a level.
    pub ord_type: OrdType,
    /// The limit; `None` for a market order. A leg of a sweep carries the price of its level.
    pub price: Option<Price>,
    /// The order's own, but IOC for the legs that sweep a level.
    pub time_in_force: TimeInForce,
}

/// Where an order goes, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoutePlan {
    /// Every venue of the request: the eligible ones best first, then the excluded ones by venue id.
    pub candidates: Vec<Candidate>,
    /// The parts, best first; empty where no place was found.
    pub legs: Vec<PlannedLeg>,
    /// What no leg took; the caller cancels or refuses it, or lets it wait.
    pub unplaced: Qty,
    /// The best bid of all venues.
    pub bid: Option<Price>,
    /// The best offer of all venues.
    pub ask: Option<Price>,
}
