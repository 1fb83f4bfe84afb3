//! Followers of the log whose work leaves the house.
//!
//! - [`audit`]: the Merkle tree of the log, its signed checkpoints, exports and proofs.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")
)]

pub mod audit;
