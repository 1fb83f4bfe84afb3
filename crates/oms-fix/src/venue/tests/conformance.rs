//! The suite of the venue port, over FIX.

use super::rig::{FixRig, PAPER};
use oms_venues::conformance::every_fault_at_once;

oms_venues::venue_port_suite!(fix, FixRig::new(1, PAPER));

#[test]
fn the_storm_finds_nothing_on_several_seeds() {
    for seed in 2..5 {
        if let Err(violation) = every_fault_at_once(&mut FixRig::new(seed, PAPER)) {
            panic!("seed {seed}: {violation}");
        }
    }
}
