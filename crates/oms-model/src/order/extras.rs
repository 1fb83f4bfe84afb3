//! What few orders have, and what orders are made with.

use crate::amount::{Decimal, Price, Qty};
use crate::compliance::{Compliance, Hold};
use crate::ids::{ClOrdId, Mic, OrderId, PolicyName, QuoteId, QuoteRef, Time, UserId};
use crate::seldom::Unset;
use crate::terms::{IntentKind, SagaPhase, SorMode};
use crate::work::Work;

/// How the client wants the order placed. What is not said comes from the policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routing {
    /// The mode.
    pub mode: Option<SorMode>,
    /// The venue, for [`SorMode::Named`].
    pub venue: Option<Mic>,
    /// The policy.
    pub policy: Option<PolicyName>,
    /// CARE: it is staged, and a person works it.
    pub care: bool,
}

/// What the quantity or the price of an order rests on, where it is not simply said. Rare, so it stands apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Basis {
    /// FIX 152: how much money is to be invested or raised. `order_qty` is then what that bought at the last known
    /// price, rounded up to a lot, until an execution says what it does buy.
    pub cash_order_qty: Option<Decimal>,
    /// FIX 117: the quote that the order accepts.
    pub quote_id: Option<QuoteId>,
    /// The dealer's own id of that quote.
    pub quote_ref: Option<QuoteRef>,
}

/// The terms that a replace changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Total quantity, executed part included.
    pub order_qty: Qty,
    /// Limit.
    pub price: Option<Price>,
    /// Trigger.
    pub stop_px: Option<Price>,
}

/// Who takes care of an order that a person works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Care {
    /// Who acknowledged it; `None` while nobody has.
    pub accepted_by: Option<UserId>,
    /// Who works it, and nobody else; `None` while it waits for somebody to claim it.
    pub holder: Option<UserId>,
    /// Since when that is so.
    pub since: Time,
}

/// A part that a replace has changed, with what it was before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SagaPart {
    /// The part.
    pub order_id: OrderId,
    /// Its terms before.
    pub before: Terms,
}

/// Where a replace of an order with several working parts stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saga {
    /// In which direction it goes.
    pub phase: SagaPhase,
    /// Which step it is in, from 1.
    pub step: u32,
    /// The part that it waits for.
    pub part: Option<OrderId>,
    /// Why it goes back.
    pub text: String,
    /// What was changed so far, oldest first; what was put back is taken out.
    pub done: Vec<SagaPart>,
}

/// The stage that an order under STAGED routing is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// The leg at the stage's venue.
    pub leg: OrderId,
    /// When what it has not executed goes on.
    pub until: Time,
}

/// Something was handed to a venue and its outcome is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doubt {
    /// What was handed over.
    pub intent: IntentKind,
    /// Its revision; with the order it gives the [`WireId`](crate::WireId).
    pub revision: u32,
    /// Since when.
    pub since: Time,
    /// Why the outcome is not known.
    pub reason: String,
}

/// What few working orders have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// Set while IN_DOUBT.
    pub doubt: Option<Box<Doubt>>,
    /// FIX 99.
    pub stop_px: Option<Price>,
    /// The terms asked for by the pending replace.
    pub replacing: Option<Box<Terms>>,
    /// The terms of a replace that the venue had not answered when the order was wholly executed; only legs. They matter
    /// where an execution is taken back.
    pub unanswered: Option<Box<Terms>>,
    /// What the last replace asked for, where more was executed by then and the order was amended to that; zero otherwise.
    /// What is taken back of it is not placed anew.
    pub asked_qty: Qty,
    /// How the client wants it placed; only roots.
    pub routing: Option<Box<Routing>>,
    /// The words that it was refused or ended with.
    pub text: Option<Box<str>>,
    /// The client's own JSON object, kept as given.
    pub metadata: Option<Box<str>>,
    /// Set where a person works it.
    pub care: Option<Box<Care>>,
    /// Set while a replace goes through several parts.
    pub saga: Option<Box<Saga>>,
    /// Set while a stage of STAGED routing runs.
    pub stage: Option<Box<Stage>>,
    /// What its quantity or price rests on, where that is not simply said.
    pub basis: Option<Box<Basis>>,
    /// What was booked on it otherwise than through its parts.
    pub booked: Option<Box<Booked>>,
    /// What the engine works it by.
    pub work: Option<Box<Work>>,
    /// What it says for the gate.
    pub compliance: Option<Box<Compliance>>,
    /// Set while it is accepted and waits before it is sent.
    pub hold: Option<Box<Hold>>,
    /// What its client calls it besides its `cl_ord_id`.
    pub names: Option<Box<Names>>,
    /// The checks that its rest was told to break, by the bits of their numbers; only roots.
    pub breached: u64,
}

/// The ids that a client gave its requests about an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// That of the last replace that holds: what the client calls the order by now.
    pub current: Option<ClOrdId>,
    /// That of the request that is pending, or that ended the order.
    pub asked: Option<ClOrdId>,
}

/// What was booked on an order otherwise than through its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Booked {
    /// Of `cum_qty`, what a person booked on the order itself, or an allocation gave it.
    pub direct_qty: Qty,
    /// The group that it is worked in.
    pub group_order_id: Option<OrderId>,
    /// How many orders it stands for; zero where it is no group.
    pub member_count: u32,
    /// Of a group's `cum_qty`, what is shared out.
    pub alloc_qty: Qty,
}

impl Unset for Extras {
    const UNSET: &'static Self = &Self {
        doubt: None,
        stop_px: None,
        replacing: None,
        unanswered: None,
        asked_qty: Qty::ZERO,
        routing: None,
        text: None,
        metadata: None,
        care: None,
        saga: None,
        stage: None,
        basis: None,
        booked: None,
        work: None,
        compliance: None,
        hold: None,
        breached: 0,
        names: None,
    };
}
