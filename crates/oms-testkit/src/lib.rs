//! What every test shares and the product lacks: the scenario script, builders, the reference model, the simulators.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking, with the place and the reason")]

pub mod fixture;
pub mod ib;
pub mod reference;
pub mod script;
pub mod simulator;

pub use script::check;
