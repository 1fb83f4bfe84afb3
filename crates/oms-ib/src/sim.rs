//! A TWS or Gateway that was never there: it takes real clients, trades on a replayed market, and misbehaves when told.
//!
//! ```text
//! gateway   sessions, orders, accounts, market data     (no sockets, no clock)
//! faults    what can go wrong, and how it is asked for
//! server    the gateway on sockets and on the wall clock
//! ```

mod account;
mod book;
mod catalog;
pub mod faults;
pub mod gateway;
mod journal;
pub mod server;

use crate::stamp;

pub use journal::JournalError;
