//! What is done to the connector, and how often.

use std::collections::BTreeSet;

use super::wire::Pushes;
use super::world::{MS, SECOND, World};
use crate::simulator::Rng;

macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// A fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault { $($(#[doc = $doc])+ $name,)+ }

        impl Fault {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];
        }
    };
}

faults! {
    /// The connection is cut when an order comes, before it is taken.
    DropBefore,
    /// The connection is cut when an order was taken, before anything is told of it.
    DropAfter,
    /// The gateway drops every connection.
    DropAll,
    /// The line is cut.
    Cut,
    /// The process of the desk dies between two of its steps, and is started again later.
    Kill,
    /// Nobody listens at the gateway's port for a while.
    Refused,
    /// Nothing is read and nothing written: half open.
    Freeze,
    /// The gateway has lost the broker (1100).
    LineLost,
    /// It has the broker again, subscriptions kept (1102); sometimes the loss itself was not told.
    LineBackKept,
    /// It has the broker again, subscriptions lost (1101).
    LineBackLost,
    /// A session goes on holding its client id (326).
    Linger,
    /// The next order id goes back.
    Rollback,
    /// An order leaves no trace.
    Swallow,
    /// Executions come before anything else of their order.
    ExecutionFirst,
    /// Every order status comes twice.
    DuplicateStatus,
    /// No order status comes.
    NoStatus,
    /// Commissions come late.
    CommissionLate,
    /// Commissions do not come.
    CommissionMissing,
    /// The last execution is corrected (.02).
    Correction,
    /// A canceled order is executed nevertheless.
    FillAfterCancel,
    /// New terms are refused (110).
    RefuseModify,
    /// An order is taken and not worked, without a reason.
    Inactive,
    /// An order is taken and not worked: shares are looked for (404).
    Locate,
    /// Ends of lists come late.
    EndLate,
    /// Ends of lists do not come.
    EndMissing,
    /// The permanent id is 0 at first.
    PermZero,
    /// New terms make a second order under the same id.
    SecondPerm,
    /// The gateway takes fewer messages (100).
    Pacing,
    /// Everything comes later.
    Latency,
    /// The daily restart: sessions end, orders for the day expire.
    Restart,
    /// A code that nobody knows, about nothing.
    UnknownNotice,
    /// A code that nobody knows, or a warning, about an order.
    UnknownRemark,
    /// Messages that nobody asked for are lost, late, doubled and out of order.
    Pushes,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// How often each fault was switched on.
    counts: [u64; Fault::ALL.len()],
    /// Messages that were lost, late, doubled or moved, beside these.
    pub messages: u64,
    /// Virtual days.
    pub days: u64,
    /// Orders handed over.
    pub orders: u64,
    /// Executions.
    pub executions: u64,
    /// Sessions that began.
    pub sessions: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self { counts: [0; Fault::ALL.len()], messages: 0, days: 0, orders: 0, executions: 0, sessions: 0 }
    }
}

impl Tally {
    /// All faults that were switched on.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How often one was.
    #[must_use]
    pub fn count(&self, fault: Fault) -> u64 {
        self.counts.get(fault as usize).copied().unwrap_or(0)
    }

    /// Adds another's.
    pub fn add(&mut self, other: &Self) {
        self.counts.iter_mut().zip(other.counts).for_each(|(sum, count)| *sum += count);
        self.messages += other.messages;
        self.days += other.days;
        self.orders += other.orders;
        self.executions += other.executions;
        self.sessions += other.sessions;
    }
}

/// The switches that are on.
#[derive(Debug, Default)]
pub(super) struct Switched(BTreeSet<Fault>);

impl Switched {
    /// Does the next thing: something else goes wrong, or something that does is put right.
    pub fn next(&mut self, world: &mut World, dice: &mut Rng) {
        let fault = dice.pick(Fault::ALL);
        if self.0.remove(&fault) {
            return off(world, fault);
        }
        self.heal(world, dice);
        self.does(world, dice, fault);
    }

    fn heal(&mut self, world: &mut World, dice: &mut Rng) {
        // A gateway that does not answer is put right more often than it goes wrong: a day has to go on.
        let heals = [Fault::Freeze, Fault::LineLost, Fault::EndMissing, Fault::Refused, Fault::EndLate];
        let ill: Vec<Fault> = heals.into_iter().filter(|fault| self.0.contains(fault)).collect();
        if !ill.is_empty() && dice.chance(400) {
            let fault = dice.pick(&ill);
            self.0.remove(&fault);
            off(world, fault);
        }
    }

    /// A fault, now.
    pub fn does(&mut self, world: &mut World, dice: &mut Rng, fault: Fault) {
        world.note(|| format!("* {fault:?}"));
        if on(world, fault, dice) {
            world.tally.counts[fault as usize] += 1;
            if is_switch(fault) {
                self.0.insert(fault);
            }
        }
        if matches!(fault, Fault::LineBackKept | Fault::LineBackLost) {
            self.0.remove(&Fault::LineLost);
        }
    }
}

/// Whether it stays until it is switched off.
const fn is_switch(fault: Fault) -> bool {
    matches!(
        fault,
        Fault::Refused
            | Fault::Freeze
            | Fault::LineLost
            | Fault::Linger
            | Fault::ExecutionFirst
            | Fault::DuplicateStatus
            | Fault::NoStatus
            | Fault::CommissionLate
            | Fault::CommissionMissing
            | Fault::FillAfterCancel
            | Fault::EndLate
            | Fault::EndMissing
            | Fault::PermZero
            | Fault::Pacing
            | Fault::Latency
            | Fault::Pushes
    )
}

/// The line of the simulator that switches a fault on.
fn line(fault: Fault, dice: &mut Rng) -> Option<String> {
    let count = 1 + dice.below(2);
    Some(match fault {
        Fault::DropBefore => format!("drop-before {count}"),
        Fault::DropAfter => format!("drop-after {count}"),
        Fault::DropAll => "drop all".to_owned(),
        Fault::Freeze => "freeze on".to_owned(),
        Fault::LineLost => "line lost".to_owned(),
        Fault::LineBackKept => "line restored kept".to_owned(),
        Fault::LineBackLost => "line restored lost".to_owned(),
        Fault::Linger => format!("linger {}", 200 + dice.below(2_000)),
        Fault::Rollback => format!("rollback {}", 1 + dice.below(6)),
        Fault::Swallow => format!("swallow {count}"),
        Fault::ExecutionFirst => "execution-first on".to_owned(),
        Fault::DuplicateStatus => "duplicate-status on".to_owned(),
        Fault::NoStatus => "no-status on".to_owned(),
        Fault::CommissionLate => format!("commission late {}", 50 + dice.below(3_000)),
        Fault::CommissionMissing => "commission missing".to_owned(),
        Fault::Correction => format!("correct 19.{}", 80 + dice.below(20)),
        Fault::FillAfterCancel => "fill-after-cancel on".to_owned(),
        Fault::RefuseModify => format!("refuse-modify {count}"),
        Fault::Inactive => format!("inactive plain {count}"),
        Fault::Locate => format!("inactive locate {count}"),
        Fault::EndLate => format!("end late {}", 100 + dice.below(3_000)),
        Fault::EndMissing => "end missing".to_owned(),
        Fault::PermZero => "perm-zero on".to_owned(),
        Fault::SecondPerm => "second-perm 1".to_owned(),
        Fault::Pacing => format!("pacing {}", 8 + dice.below(40)),
        Fault::Latency => format!("latency {}", 1 + dice.below(400)),
        Fault::Restart => "restart".to_owned(),
        Fault::UnknownNotice => "notice 7777 nothing in particular".to_owned(),
        Fault::Cut | Fault::Kill | Fault::Refused | Fault::UnknownRemark | Fault::Pushes => return None,
    })
}

/// Switches a fault on. False: there was nothing to do it to.
fn on(world: &mut World, fault: Fault, dice: &mut Rng) -> bool {
    match fault {
        // A text gateway lists what was executed today, so that is what may be corrected.
        Fault::Correction if world.gateway.executions().count() <= world.before => return false,
        // The day goes on.
        Fault::Restart if dice.chance(800) => return false,
        Fault::Cut => world.cut(),
        Fault::Kill => {
            world.dies_in = Some(dice.below(12));
            world.pump();
        }
        Fault::Refused => world.refuses = true,
        Fault::UnknownRemark => {
            let perms: Vec<i64> = world.gateway.standing().filter(|order| !order.is_done).map(|order| order.perm_id).collect();
            if perms.is_empty() {
                return false;
            }
            let code = dice.pick(&[7_777, 666, 399, 2_109, 10_349, 449_999]);
            world.remark(dice.pick(&perms), code);
        }
        Fault::Pushes => {
            let mut rate = || u16::try_from(dice.below(250)).unwrap_or(0);
            world.pushes = Pushes { lost: rate(), late: rate(), duplicate: rate(), reorder: rate() };
        }
        fault => {
            let line = line(fault, dice).expect("every other fault has its line");
            world.order_sim(&line);
        }
    }
    true
}

/// Switches it off.
fn off(world: &mut World, fault: Fault) {
    let line = match fault {
        Fault::Refused => return world.refuses = false,
        Fault::Pushes => return world.pushes = Pushes::default(),
        Fault::Freeze => "freeze off",
        Fault::LineLost => "line restored kept",
        Fault::Linger => "linger 0",
        Fault::ExecutionFirst => "execution-first off",
        Fault::DuplicateStatus => "duplicate-status off",
        Fault::NoStatus => "no-status off",
        Fault::CommissionLate | Fault::CommissionMissing => "commission prompt",
        Fault::FillAfterCancel => "fill-after-cancel off",
        Fault::EndLate | Fault::EndMissing => "end prompt",
        Fault::PermZero => "perm-zero off",
        Fault::Pacing => "pacing 50",
        Fault::Latency => "latency 0",
        _ => return,
    };
    world.order_sim(line);
}

/// Everything works again, and what was held back goes on. Afterwards the connector has what it needs to know everything.
pub(super) fn calm(world: &mut World) {
    (world.refuses, world.pushes, world.dies_in) = (false, Pushes::default(), None);
    world.order_sim("reset");
    world.order_sim("activate");
    world.start();
    up(world);
    // Long enough for a look that was delayed to end or to be given up.
    world.run(20 * SECOND);
    up(world);
}

fn up(world: &mut World) {
    let until = world.now.plus(180 * SECOND);
    while !world.is_up() {
        let status = |world: &World| world.connector.as_ref().map(|connector| (connector.status().reason, connector.status().figures));
        assert!(world.step(until), "invariant recovery: the gate is not open three minutes after everything works: {:?}", status(world));
    }
    world.run(10 * MS);
}
