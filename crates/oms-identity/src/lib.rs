//! Who is who, and who may do what: the state of the control partition.
//!
//! Pure: no I/O, no clock, no randomness. Time, ids and the hashes of secrets come in with the commands.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")
)]

pub mod command;
pub mod decide;
pub mod event;
pub mod net;
pub mod personal;
pub mod principal;
pub mod scope;
pub mod state;

pub use command::{asks_step_up, scope_of};
pub use decide::{Asked, Command, Joining, decide};
pub use event::{Batch, By, Event, Hash};
pub use net::Net;
pub use personal::{Personal, Subject};
pub use principal::{Credential, Principal, StepUp};
pub use scope::{Role, Scope, Scopes};
pub use state::State;
