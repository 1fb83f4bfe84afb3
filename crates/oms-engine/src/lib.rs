//! Decides. Everything enters as an [`input::Input`]; what follows from it is a batch of events.
//!
//! - The engine has no clock, no randomness, no I/O and knows no protocol: the same state, input, time
//!   and market give the same events, bit for bit.
//! - `decide` functions append events, and each event is folded as it is appended, so that the next
//!   decision of the same batch sees it. The batch leaves only once it is durable; if it cannot be made
//!   durable the process stops, and the early fold is never seen.
//! - [`state::State::apply`] is total: it refuses nothing. An illegal step is a fault and stops the process.
#![deny(clippy::float_arithmetic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking"))]

pub mod config;
mod decide;
pub mod engine;
pub mod input;
pub mod pipeline;
pub mod shadow;
pub mod state;
mod step;

pub use config::{Config, Opening};
pub use decide::import::{limit_problems, list_problems};
pub use engine::{Context, Engine, Markets, Output};
pub use oms_risk::{Changes, LimitStatus};
pub use state::State;
