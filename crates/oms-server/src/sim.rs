//! `oms sim`: the other side of a desk.

pub mod fix;
pub mod ib;
