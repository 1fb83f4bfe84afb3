//! `make fmt` and `make clean`.

use crate::cargo::{call, cargo};

/// Formats the code.
///
/// # Errors
/// It cannot be parsed.
pub fn fmt(_: &[String]) -> Result<(), String> {
    call(cargo(["fmt", "--all"]))
}

/// Takes away what was built.
///
/// # Errors
/// Something cannot be removed.
pub fn clean(_: &[String]) -> Result<(), String> {
    call(cargo(["clean"]))
}
