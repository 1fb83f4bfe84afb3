//! Interactive Brokers' socket interface (TWS and Gateway), both ways: a codec of its own for both dialects.
//!
//! - The wire is described by what it carries, from our own structs: no file of the broker's is used.
//! - Nothing grows with what a peer sends: every frame, list and queue has a limit.
//! - Amounts are decimals from end to end. Where the wire itself carries binary doubles, the shortest decimal that
//!   means the same double is taken, at the edge, once.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")
)]

pub mod archive;
pub mod codec;
pub mod connector;
pub mod port;
pub mod reconcile;
pub mod sim;
mod stamp;
