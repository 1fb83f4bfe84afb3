//! The seeded simulation: the real engine on the real log over a lying disk, with faulty venues, clients that retry,
//! operators that pull switches, and a process that dies at any step.
//!
//! - One thread, one source of chance, virtual time: the same seed gives the same run, bit for bit.
//! - A seed draws its own rates of faults, zero for most of them, and a list of actions. Each action carries its own
//!   chance, so a failing list can be made shorter.
//! - What must never break is held after every decision, after every crash and once the faults have stopped. The
//!   numbers in the messages are those of the project's list of invariants.
//! - Planted bugs ([`Mutant`]) show that the simulation finds what it is there to find.

mod coverage;
mod disk;
mod gateway;
mod mutant;
mod node;
mod notes;
mod plan;
mod rng;
mod shrink;
mod venue;
mod world;

pub use coverage::{Coverage, Mark};
pub use mutant::Mutant;
pub(crate) use mutant::mutants;
pub use plan::{Action, Kind, Plan, Rates};
pub use rng::{Rng, Trace};
pub use shrink::{Shrunk, shrink};

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use world::World;

/// Something that must never break did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What, beginning with the number of the invariant where an oracle found it.
    pub message: String,
    /// The action at which it was found, counted from 0; the number of actions where it was after the last.
    pub at: usize,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Everything that was decided, as one number.
    pub trace: u64,
    /// What broke.
    pub violation: Option<Violation>,
    /// How often things happened.
    pub coverage: Coverage,
    /// The run in lines, where they were asked for.
    pub script: Vec<String>,
}

/// Runs a plan. `mutant` plants a bug; `script` keeps the lines.
#[must_use]
pub fn run(plan: &Plan, mutant: Option<Mutant>, script: bool) -> Outcome {
    let mut world = None;
    let mut at = 0;
    let result = caught(|| {
        let world = world.insert(World::new(plan, mutant, script));
        for action in &plan.actions {
            world.act(*action);
            at += 1;
        }
        world.quiet();
    });
    let violation = result.err().map(|message| Violation { message, at });
    let Some(world) = world else {
        return Outcome { trace: 0, violation, coverage: Coverage::default(), script: Vec::new() };
    };
    Outcome { trace: world.trace.get(), violation, coverage: world.coverage, script: world.notes.lines }
}

/// Runs something whose panics are findings.
///
/// # Errors
/// The words of the panic.
pub(crate) fn caught(run: impl FnOnce()) -> Result<(), String> {
    quiet_panics();
    IN_RUN.set(true);
    let result = catch_unwind(AssertUnwindSafe(run));
    IN_RUN.set(false);
    result.map_err(|_| MESSAGE.take())
}

thread_local! {
    static IN_RUN: Cell<bool> = const { Cell::new(false) };
    static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A panic inside a run is a finding: it is kept and not printed. Others are printed as ever.
fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !IN_RUN.get() {
                return before(info);
            }
            let text = info.payload_as_str().unwrap_or("a panic without words");
            let place = info.location().map(|place| format!(" ({}:{})", place.file(), place.line()));
            // An oracle names its invariant; a panic of the parts themselves names its place.
            let place = if text.starts_with("invariant") { None } else { place };
            MESSAGE.set(format!("{text}{}", place.unwrap_or_default()));
        }));
    });
}
