//! Scenarios as text: a trading day, a line for each thing that happens, with what it should come to.
//!
//! ```text
//! quote XNAS XYZ 20.00 x 300 / 20.02 x 500
//! submit A1 buy 100 XYZ @ 20.00        -> UNACK leaves 100 legs XNAS:100
//! ack A1.1                             -> LIVE
//! fill A1.1 40 @ 20.00                 -> PARTIALLY_FILLED cum 40 leaves 60 avg 20
//! cancel A1                            -> PENDING_CANCEL
//! cancel-ack A1.1                      -> CANCELED cum 40 leaves 0
//! position XYZ                         -> 40
//! ```
//!
//! `A1` is the client's order, `A1.2` its second leg. An expectation is about the client's order, except in lines
//! that name something else. Everything that a line may say is in [`parse`](mod@self::parse).

mod books;
mod expect;
mod gate;
mod leaves;
mod orders;
mod parse;
mod quotes;
mod run;
mod venue;

use crate::fixture::Desk;

/// Runs a script and checks each line's expectation. Every invariant of the tree is checked after every line.
///
/// # Panics
/// With the line and the difference.
pub fn check(script: &str) {
    run::Run::new(Desk::new()).script(script);
}
