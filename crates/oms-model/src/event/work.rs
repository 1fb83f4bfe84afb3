//! What a person or the engine works of an order: care orders, replaces step by step, stages, stops, slices, lists.

use crate::amount::{Price, Qty};
use crate::ids::{OrderId, Time, UserId};
use crate::order::Terms;
use crate::terms::SagaPhase;
use crate::work::{AlgoAction, TriggerSource};

/// A care order was acknowledged by the desk: somebody takes care of it. Nothing was sent by that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CareAccepted {
    /// The order.
    pub order_id: OrderId,
    /// Who acknowledged it.
    pub user_id: UserId,
}

/// A care order changed hands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CarePassed {
    /// The order.
    pub order_id: OrderId,
    /// Who held it; `None` where it waited for somebody to claim it.
    pub from: Option<UserId>,
    /// Who holds it now; `None` where it was put back.
    pub to: Option<UserId>,
    /// In which words.
    pub text: String,
}

/// A replace of an order with several working parts went a step on, or back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SagaStepped {
    /// The order.
    pub order_id: OrderId,
    /// In which direction, or that it is over.
    pub phase: SagaPhase,
    /// Which step it is in, from 1.
    pub step: u32,
    /// The part that is changed, put back or has refused.
    pub part: Option<OrderId>,
    /// Its terms before the replace.
    pub before: Option<Terms>,
    /// Why.
    pub text: String,
}

/// A stage of STAGED routing began, or goes on: one venue works the order until then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageStarted {
    /// The order.
    pub order_id: OrderId,
    /// The leg at the stage's venue.
    pub leg: OrderId,
    /// When what it has not executed goes on.
    pub until: Time,
}

/// A stage of STAGED routing is over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StageEnded {
    /// The order.
    pub order_id: OrderId,
    /// The leg at the stage's venue.
    pub leg: OrderId,
    /// What follows.
    pub text: String,
}

/// The trigger of an order was reached. What follows is released in the same batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderTriggered {
    /// The order.
    pub order_id: OrderId,
    /// Which price triggered it.
    pub source: TriggerSource,
    /// The stop that was reached; `None` for an order that waited for a time.
    pub stop_px: Option<Price>,
    /// The price that was seen: at the stop, or beyond it after a gap.
    pub seen_px: Option<Price>,
}

/// The stop of a trailing order followed the market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StopMoved {
    /// The order.
    pub order_id: OrderId,
    /// Where the stop stands now.
    pub stop_px: Price,
    /// The price that was seen.
    pub seen_px: Price,
}

/// A slice of an order was released.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SliceReleased {
    /// The order.
    pub order_id: OrderId,
    /// The slice.
    pub slice_id: OrderId,
    /// How much.
    pub qty: Qty,
    /// At which limit; `None` for a market order.
    pub price: Option<Price>,
    /// Whether it is the leftover of an algorithm.
    pub leftover: bool,
    /// Why, in words.
    pub reason: Box<str>,
}

/// An algorithm decided, or an order waits for a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlgoStepped {
    /// The order.
    pub order_id: OrderId,
    /// What.
    pub action: AlgoAction,
    /// The new price of slices that work.
    pub price: Option<Price>,
    /// When it looks again.
    pub wake: Option<Time>,
    /// Whether it looks again when the market moves.
    pub on_market: bool,
    /// What the market traded since the start.
    pub volume: Qty,
    /// The feed's volume when that was counted.
    pub volume_mark: Qty,
    /// Why, in words.
    pub reason: Box<str>,
}

/// Fills of the first order of a list armed another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderArmed {
    /// The order that is armed.
    pub order_id: OrderId,
    /// The order whose fills arm it.
    pub by: OrderId,
    /// How much of it may work.
    pub armed_qty: Qty,
}

/// Another order of the list was executed in place of this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerFilled {
    /// The order that is canceled or reduced for it.
    pub order_id: OrderId,
    /// The order that was executed.
    pub by: OrderId,
    /// What the others have executed in its place by now.
    pub taken_qty: Qty,
}
