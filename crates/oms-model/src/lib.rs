//! The words of an order management system: ids, amounts, terms, instruments, orders, executions,
//! positions, commands, reports, events and refusals.
//!
//! - Nothing here reads a clock, a random source, a file or a socket; floats do not occur.
//! - Amounts are exact fixed-point decimals; overflow is a value (`None`), never a wrap.
//! - Three tenses are kept apart: a [`command::Command`] is asked, a [`report::Report`] is claimed,
//!   an [`event::Event`] is so.
//! - The vocabulary is FIX's wherever FIX has a word.
#![allow(clippy::derivable_impls, reason = "the vocabulary macro makes the enums; their defaults stand together where they are meant")]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking"))]

pub mod algo;
pub mod allocate;
pub mod amount;
pub mod asset_class;
pub mod breaker;
pub mod children;
pub mod command;
pub mod compliance;
pub mod dead_man;
pub mod event;
pub mod ids;
pub mod instrument;
pub mod limit;
pub mod logged;
pub mod machine;
pub mod market;
pub mod order;
pub mod overrides;
pub mod policy;
pub mod position;
pub mod quote;
pub mod refusal;
pub mod report;
pub mod schedule;
pub mod seldom;
pub mod shadow;
pub mod strategy;
pub mod terms;
pub mod work;

pub use amount::{Decimal, Notional, Price, Qty};
pub use event::{Batch, Event};
pub use ids::*;
pub use order::Order;
pub use quote::{QuoteReqState, QuoteState};
pub use refusal::{Code, Refusal};
pub use strategy::StrategyId;
pub use terms::*;
