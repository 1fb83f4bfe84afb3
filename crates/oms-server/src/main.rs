//! The `oms` binary.
fn main() {}
