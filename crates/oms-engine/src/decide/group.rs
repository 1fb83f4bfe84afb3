//! Orders that are worked as one, and how what they execute is shared out.

mod allocation;
mod make;

pub(crate) use allocation::{approve, follow, propose, reject};
pub(crate) use make::{group, may_replace, ungroup};
