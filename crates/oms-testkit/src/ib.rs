//! The seeded simulation of the Interactive Brokers connector: the real connector and the simulated gateway, byte for byte
//! and in virtual time, over a line that loses, delays, repeats and reorders, with every fault that the gateway has, a
//! broker's line that breaks, and a process that dies between any two of its steps.
//!
//! - One thread, one source of chance: the same seed gives the same days, bit for bit. Even seeds speak protobuf, odd ones text.
//! - What must never break is held while it runs, at the wire ([`guard`]) and at every report and answer, against what the
//!   gateway really did ([`oracle`]); and after each day, once the faults have stopped.
//! - Planted bugs ([`Mutant`]) are layers around the connector: what it writes, hears, logs and tells is falsified, the
//!   connector itself is never changed.

mod day;
mod desk;
mod faults;
mod guard;
mod layer;
mod mutant;
mod oracle;
mod wire;
mod world;

pub use faults::{Fault, Tally};
pub use mutant::Mutant;

use world::World;

use crate::simulator::{Rng, caught};

/// What came of a seed.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Everything that was told, as one number.
    pub trace: u64,
    /// The invariant that broke, and how.
    pub violation: Option<String>,
    /// What was done to it.
    pub tally: Tally,
    /// The run in lines, where they were asked for.
    pub script: Vec<String>,
}

/// Runs the days of a seed. `mutant` plants a bug; `script` keeps the lines.
#[must_use]
pub fn run(seed: u64, mutant: Option<Mutant>, script: bool) -> Outcome {
    let mut world = None;
    let violation = caught(|| {
        let world = world.insert(World::new(seed, mutant, script));
        day::days(world, &mut Rng::new(seed ^ 0x1b1b));
    });
    let Some(mut world) = world else {
        return Outcome { trace: 0, violation: violation.err(), tally: Tally::default(), script: Vec::new() };
    };
    let script = world.script.take().unwrap_or_default();
    Outcome { trace: world.trace.get(), violation: violation.err(), tally: world.tally, script }
}
