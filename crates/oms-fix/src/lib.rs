//! FIX 4.4, both ways: a bounded codec with a dictionary of its own, a session engine without input
//! or output, message stores, and a transport on tokio.
//!
//! - The session ([`session`]) is a pure state machine: `(state, input, now) -> actions`. It has no
//!   clock, socket or disk, so that every script, crash and hostile peer can be played deterministically.
//! - What a step decides is stored as one batch before any byte of it is sent ([`store`]).
//! - Nothing grows with what a peer sends: every buffer, queue and loop has a limit.
//! - What clients ask of the desk and are told by it is in [`desk`], what the desk asks of venues and is told by them in
//!   [`venue`]; a venue whose sessions these are is in [`exchange`]. All the rest knows none of them.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking"))]

pub mod codec;
pub mod desk;
pub mod dictionary;
pub mod exchange;
pub mod session;
pub mod store;
pub mod tags;
pub mod transport;
pub mod venue;
