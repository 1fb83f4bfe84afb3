//! Where an order goes, and why.

use crate::amount::{Price, Qty};
use crate::ids::{Mic, OrderId, PolicyName};
use crate::terms::{SorMode, TimeInForce, terms};

terms! {
    /// Why the router left a venue out.
    Exclusion {
        /// It is switched off in the configuration.
        Disabled = 1 "DISABLED",
        /// Its session is down.
        Disconnected = 2 "DISCONNECTED",
        /// The policy or the client does not allow it.
        NotAllowed = 3 "NOT_ALLOWED",
        /// It shows no quote on the side that the order would trade against, and the order cannot rest.
        NoQuote = 4 "NO_QUOTE",
        /// Its quote is too old.
        StaleQuote = 5 "STALE_QUOTE",
        /// Its own bid is at or above its own offer.
        CrossedQuote = 6 "CROSSED_QUOTE",
        /// It has halted the instrument or is closed.
        Halted = 7 "HALTED",
        /// It is not the venue that the client named.
        NotNamed = 8 "NOT_NAMED",
        /// It failed this order before.
        FailedBefore = 9 "FAILED_BEFORE",
        /// A kill switch is engaged for it.
        KillSwitch = 10 "KILL_SWITCH",
        /// Orders there are in doubt; nothing more is sent until they are resolved.
        InDoubt = 11 "IN_DOUBT",
        /// It has no order of this type.
        OrderTypeLacked = 12 "ORDER_TYPE_LACKED",
        /// Trading there is halted by a person or a breaker.
        TradingHalted = 13 "TRADING_HALTED",
        /// A restricted list has it, or an allow list has it not.
        Restricted = 14 "RESTRICTED",
        /// It is in maintenance.
        Maintenance = 15 "MAINTENANCE",
    }
}

/// What the router saw of a venue and how it scored it. Scores are parts per million.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Candidate {
    /// The venue.
    pub venue: Mic,
    /// Why it was left out; `None` where it was eligible.
    pub excluded: Option<Exclusion>,
    /// Its bid.
    pub bid: Option<Price>,
    /// Displayed at the bid.
    pub bid_size: Qty,
    /// Its offer.
    pub ask: Option<Price>,
    /// Displayed at the offer.
    pub ask_size: Qty,
    /// Age of the quote on the side that the order would trade against, nanoseconds.
    pub quote_age_ns: u64,
    /// Latency that was scored, nanoseconds.
    pub latency_ns: u64,
    /// Fill probability that was scored.
    pub fill_ppm: u32,
    /// Fee per unit that was scored; a rebate is negative.
    pub fee: Price,
    /// Price component.
    pub price_score: u32,
    /// Latency component.
    pub latency_score: u32,
    /// Fill component.
    pub fill_score: u32,
    /// Fee component.
    pub fee_score: u32,
    /// Weighted sum, less the penalty for earlier failures of this order.
    pub score: u32,
}

/// One leg of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leg {
    /// The order that it became.
    pub order_id: OrderId,
    /// Where.
    pub venue: Mic,
    /// How much.
    pub qty: Qty,
    /// At which limit; `None` for a market order.
    pub price: Option<Price>,
    /// For how long.
    pub time_in_force: TimeInForce,
    /// Whether it was priced to trade at once against the quote that was seen.
    pub aggressive: bool,
}

/// The router's decision with everything it saw. Nothing is looked up again later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteDecided {
    /// The order that was placed.
    pub order_id: OrderId,
    /// 1 for the first plan, then one more for each re-plan.
    pub attempt: u32,
    /// Under which policy.
    pub policy: PolicyName,
    /// Which version of it.
    pub policy_version: u32,
    /// In which mode.
    pub mode: SorMode,
    /// Best bid seen.
    pub bid: Option<Price>,
    /// Best offer seen.
    pub ask: Option<Price>,
    /// Every venue considered.
    pub candidates: Vec<Candidate>,
    /// The plan; empty where no place was found.
    pub legs: Vec<Leg>,
    /// The order's `place_qty` with these legs.
    pub place_qty: Qty,
    /// Why it was planned again.
    pub replan_reason: Option<Box<str>>,
}
