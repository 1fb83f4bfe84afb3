//! One file for each task.

pub mod bench;
pub mod check;
pub mod deny;
pub mod fix;
pub mod load;
pub mod run;
pub mod schemathesis;
pub mod sim;
pub mod test;
pub mod tidy;
pub mod ui;
