//! The smart order router: where an order goes, how much of it, and why.
//!
//! - A plan is a function of the request alone: the same request gives the same plan, bit for bit,
//!   in whatever order the venues are listed.
//! - Every venue of the request is among the candidates, with its scores or with the reason that it was left out.
//! - The legs and what was not placed add up to the requested quantity exactly.
//! - No leg goes to an excluded venue, and none is priced outside the order's limit.
//! - Scores are integers in parts per million; floats do not occur.
#![deny(clippy::float_arithmetic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking"))]

pub mod algo;
mod eligibility;
mod mode;
mod plan;
mod request;
mod score;
mod stats;

#[cfg(test)]
mod fixture;

pub use plan::plan;
pub use request::{PlannedLeg, RoutePlan, RouteRequest, VenueView};
pub use score::is_aggressive;
pub use stats::{FillCount, LATENCY_COLUMNS, LATENCY_ROWS, VenueStats, VenueStatsParts};

/// One, in parts per million: the best score there is.
pub const FULL_PPM: u32 = 1_000_000;
