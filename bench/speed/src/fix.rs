//! Orders of a FIX client through the whole desk to four FIX venues, and back: every process the one that is shipped.

use oms_e2e::through::{Plan, run as load};
use std::path::Path;

pub fn run(dir: &Path, rate: u64, seconds: u64, kill: bool) {
    let outcome = load(&Plan { rate, seconds, kill, dir: Some(dir.to_owned()) });
    println!("{outcome}");
    // A line that was never cut misses no number.
    assert!(kill || !outcome.has_gaps(), "numbers were missed: {:?}", outcome.gaps);
}
