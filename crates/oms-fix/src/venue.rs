//! Venues that speak FIX 4.4: this side as an initiator behind the runtime's venue port.
//!
//! - An order or request is numbered and stored in the session's log before the first byte of it leaves, and is never sent
//!   again: where the venue asks for its number, a gap fill takes its place, and that the venue asked is stored first. It is
//!   the proof that the order never arrived.
//! - What the venue says is stored in the same atomic step as its number, until the desk has it in its own log.
//! - An answer to a question comes behind everything that the venue said before it; it is whole where the venue's own
//!   figures agree with every execution that was told ([ADR 11](../../../docs/adr/0011-fix-venues-prove-by-numbers.md)).
//! - What differs from one venue to the next is data: a [`Dialect`].

mod cl_ord_id;
mod dialect;
mod drop_copy;
mod exec_id;
mod figures;
mod ledger;
mod line;
mod order;
mod port;
mod pump;
mod recall;
mod said;
mod sample;
mod standing;

pub use dialect::{Capabilities, Dialect, DialectError};
pub use drop_copy::{DropCopy, DropCopyProfile};
pub use exec_id::ExecIdScope;
pub use figures::VenueFigures;
pub use port::{FixPort, OpenError, PortParts, VenueProfile, VenueSession};
pub use recall::Recall;

#[cfg(test)]
mod tests;
