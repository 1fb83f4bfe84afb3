//! How the router may place orders. Versioned; a decision names the version it used.

use crate::amount::Qty;
use crate::ids::{Mic, PolicyName};
use crate::terms::{SorMode, terms};

terms! {
    /// Which measured latency a policy scores on.
    LatencyStat {
        /// Exponentially weighted mean.
        Ewma = 1 "EWMA",
        /// 95th percentile.
        P95 = 2 "P95",
    }
    /// What happens when the bound on re-plans is reached.
    Exhausted {
        /// The rest of the order is refused.
        Reject = 1 "REJECT",
        /// The rest waits in the order, unplaced, until it is canceled, replaced or expires.
        Rest = 2 "REST",
    }
}

impl Default for LatencyStat {
    fn default() -> Self {
        Self::Ewma
    }
}
impl Default for Exhausted {
    fn default() -> Self {
        Self::Reject
    }
}

/// Weights of the score's components; normalised by their sum, which is above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weights {
    /// Price, parts of the sum.
    pub price: u32,
    /// Latency, parts of the sum.
    pub latency: u32,
    /// Fill probability, parts of the sum.
    pub fill: u32,
    /// Fees, parts of the sum.
    pub fee: u32,
}

impl Default for Weights {
    fn default() -> Self {
        Self { price: 500_000, latency: 200_000, fill: 200_000, fee: 100_000 }
    }
}

/// A routing policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SorPolicy {
    /// Its name; `default` applies where an order names none.
    pub name: PolicyName,
    /// Raised by each change, from 1.
    pub version: u32,
    /// How orders are placed unless they say otherwise.
    pub mode: SorMode,
    /// Weights of the score.
    pub weights: Weights,
    /// How many basis points worse than the best reachable price score zero.
    pub price_range_bps: u32,
    /// Quotes older than this exclude a venue; nanoseconds.
    pub max_quote_age_ns: u64,
    /// Whether the price component is net of fees.
    pub fee_adjusted: bool,
    /// Which latency is scored.
    pub latency_stat: LatencyStat,
    /// Whether SPLIT caps a leg at the displayed size.
    pub cap_to_displayed: bool,
    /// Smallest leg of a SPLIT.
    pub min_leg_qty: Qty,
    /// How often the rest of an order is planned again after a leg failed.
    pub max_replans: u32,
    /// What happens then.
    pub exhausted: Exhausted,
    /// How long a venue has under STAGED routing before the rest goes on; nanoseconds, zero for the default.
    pub stage_timeout_ns: u64,
    /// If not empty, only these venues; under STAGED routing in this order.
    pub allow: Vec<Mic>,
    /// Never these venues.
    pub deny: Vec<Mic>,
}

impl SorPolicy {
    /// How long a stage lasts where the policy does not say; nanoseconds.
    pub const DEFAULT_STAGE_TIMEOUT_NS: u64 = 5_000_000_000;

    /// How long a venue has under STAGED routing, nanoseconds.
    #[must_use]
    pub const fn stage_timeout_ns(&self) -> u64 {
        if self.stage_timeout_ns == 0 { Self::DEFAULT_STAGE_TIMEOUT_NS } else { self.stage_timeout_ns }
    }
}

impl Default for SorPolicy {
    fn default() -> Self {
        Self {
            name: PolicyName::new("default").unwrap_or_default(),
            version: 1,
            mode: SorMode::SingleBest,
            weights: Weights::default(),
            price_range_bps: 10,
            max_quote_age_ns: 10_000_000_000,
            fee_adjusted: false,
            latency_stat: LatencyStat::Ewma,
            cap_to_displayed: true,
            min_leg_qty: Qty::ZERO,
            max_replans: 3,
            exhausted: Exhausted::Reject,
            stage_timeout_ns: 0,
            allow: Vec::new(),
            deny: Vec::new(),
        }
    }
}
