//! Executions that a person books, corrects or takes back, and what venues say about executions later.

mod charge;
mod effect;
mod manual;
mod venue;

pub(crate) use charge::{commission, commission_later, unmatched_charge};
pub(crate) use effect::{adjust, is_unwanted};
pub(crate) use manual::{correct, create, dismiss, reverse};
pub(crate) use venue::{busted, busted_later, corrected, corrected_later, told_again};
