//! Execution venues: paper venues on replayed markets, their ports, and the suite that every
//! implementation of the venue port passes.
//!
//! ```text
//! replay   a recorded market, tick by tick, at any speed
//! paper    one venue: matching, latency, faults, ledger             (no clock, no threads)
//! floor    every venue on one replay; the ports                     (no clock, no threads)
//! market   the floor on the wall clock: one thread
//! dealer   what a paper dealer answers to a request for quotes       (no clock, no threads)
//! otc      dealers and funds on the log: one thread
//! synthetic  markets that nobody recorded, from a seed
//! ```
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")
)]

pub mod conformance;
pub mod dealer;
pub mod floor;
pub mod market;
pub mod otc;
pub mod paper;
pub mod replay;
pub mod synthetic;
