//! The pre-trade risk gate: may this order go out?
//!
//! - [`RiskBook`] holds limits, kill switches, trading states and exposures. It changes by facts only.
//! - [`RiskBook::check`] judges a new order, [`RiskBook::check_replace`] the difference that a replace makes,
//!   [`RiskBook::check_replan`] an accepted order that is to be placed again. They change nothing.
//! - All checks are evaluated and recorded; the first that fails, in the order of [`Check`], gives the code.
//! - Only the gate can make an [`Approved`] value, and only that may be routed.
//! - One check costs the same however many orders are open: exposures are kept as sums.
//! - Cancels never pass through here: risk does not refuse them.
//!
//! [`Check`]: oms_model::limit::Check
#![deny(clippy::float_arithmetic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking"))]

pub mod book;
pub mod breakers;
pub mod changes;
mod check;
mod collar;
pub mod crossing;
pub mod duplicate;
mod envelope;
pub mod exposure;
pub mod gate;
pub mod holdings;
mod kill_switch;
pub mod limits;
pub mod lists;
pub mod overrides;
pub mod parts;
mod portfolio;
mod position;
pub mod rate;
pub mod repeats;
pub mod schedules;
mod size;
mod slots;

pub use book::{Killed, Proposal, RiskBook};
pub use breakers::Standing;
pub use changes::{Changes, Revisions};
pub use crossing::Meeting;
pub use exposure::Reservation;
pub use gate::{Approved, Gate, Proposed, Rate, Refused, RiskContext};
pub use holdings::Valued;
pub use limits::{InvalidLimit, LimitStatus, validate_limit};
pub use overrides::{Overridden, is_overridable};
pub use parts::RiskParts;
