//! Facts about executions after they were recorded, about rates, and about days.

use crate::amount::{Decimal, Notional, Price, Qty};
use crate::ids::{AccountId, ExecId, InstrumentId, Mic, OrderId, Time};
use crate::instrument::Currency;
use crate::terms::{CostMethod, OrdState, Side};

/// An execution was taken back: by the market, or because our own booking was wrong. Where `last_qty` is zero, the
/// execution is not in our books; its id is remembered, so that it is not booked if it still comes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecutionReversed {
    /// The execution.
    pub exec_id: ExecId,
    /// Where it was.
    pub venue: Mic,
    /// The order that had been executed; the nil id where it was booked on an account alone.
    pub order_id: OrderId,
    /// The client's order.
    pub root_order_id: OrderId,
    /// Whose.
    pub account_id: AccountId,
    /// In what.
    pub instrument_id: InstrumentId,
    /// Bought or sold, as it had been.
    pub side: Side,
    /// How much it had been.
    pub last_qty: Qty,
    /// At which price.
    pub last_px: Price,
    /// The charge that falls away with it.
    pub fee: Notional,
    /// When it had been, by the venue's clock.
    pub transact_time: Time,
    /// The venue's own id of the reversal.
    pub reference: Option<ExecId>,
    /// Why, in words.
    pub reason: String,
}

/// An execution's figures were corrected; what was told before no longer counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecutionCorrected {
    /// The execution; it keeps its id.
    pub exec_id: ExecId,
    /// Where.
    pub venue: Mic,
    /// The order that was executed; the nil id where it was booked on an account alone.
    pub order_id: OrderId,
    /// The client's order.
    pub root_order_id: OrderId,
    /// Whose.
    pub account_id: AccountId,
    /// In what.
    pub instrument_id: InstrumentId,
    /// Bought or sold.
    pub side: Side,
    /// How much, as it is now.
    pub last_qty: Qty,
    /// At which price, as it is now.
    pub last_px: Price,
    /// Charge, as it is now.
    pub fee: Notional,
    /// When, by the venue's clock; a correction does not move it.
    pub transact_time: Time,
    /// How much it was said to be before.
    pub old_qty: Qty,
    /// At which price it was said to be before.
    pub old_px: Price,
    /// The venue's own id of the correction.
    pub reference: Option<ExecId>,
    /// Why, in words.
    pub reason: String,
}

/// The charge of an execution is known, or was corrected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommissionRecorded {
    /// The execution.
    pub exec_id: ExecId,
    /// Where.
    pub venue: Mic,
    /// The order that was executed.
    pub order_id: OrderId,
    /// Whose.
    pub account_id: AccountId,
    /// In what.
    pub instrument_id: InstrumentId,
    /// The whole charge in the instrument's currency; a rebate is negative.
    pub fee: Notional,
    /// The charge as it was told.
    pub commission: Notional,
    /// In which currency.
    pub currency: Currency,
    /// The rate that brought it to the instrument's currency; `None` where it is the same.
    pub rate: Option<Decimal>,
}

/// What was executed of an order changed without a fill: a reversal, a correction or an allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFillAdjusted {
    /// The order: the one that had been executed, or one above it.
    pub order_id: OrderId,
    /// By which execution.
    pub exec_id: ExecId,
    /// Its state from now on.
    pub state: OrdState,
    /// What comes on top of `cum_qty`; mostly below zero.
    pub qty: Qty,
    /// What comes on top of the exact value executed.
    pub notional: Notional,
    /// It was booked on the order itself, not through its parts: an allocation.
    pub direct: bool,
}

/// Somebody decided about an execution that matched no order. Where it was booked, its `ExecutionRecorded` follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SuspenseResolved {
    /// Where.
    pub venue: Mic,
    /// The execution.
    pub exec_id: ExecId,
    /// The order that it was found to belong to.
    pub order_id: Option<OrderId>,
    /// The account that it was booked on; `None` where it was found not to be ours.
    pub account_id: Option<AccountId>,
    /// Why, in words.
    pub reason: String,
}

/// A rate holds from now on: one unit of `from` is `rate` units of `to`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FxRateSet {
    /// Of this currency.
    pub from: Currency,
    /// In this one.
    pub to: Currency,
    /// How much; above zero.
    pub rate: Decimal,
}

/// A position as a closed day left it, with the profit of that day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PositionFrozen {
    /// The day as a number: 20261121.
    pub day: u32,
    /// Whose.
    pub account_id: AccountId,
    /// In what.
    pub instrument_id: InstrumentId,
    /// How much.
    pub qty: Qty,
    /// What the open quantity cost.
    pub cost: Notional,
    /// Realised since the beginning.
    pub realized: Notional,
    /// Charges since the beginning.
    pub fees: Notional,
    /// Realised on this day.
    pub day_realized: Notional,
    /// Charges of this day.
    pub day_fees: Notional,
    /// The mark; `None` where there was no market.
    pub mark: Option<Price>,
    /// Profit if closed at the mark.
    pub unrealized: Option<Notional>,
    /// The currency of all these figures.
    pub currency: Currency,
    /// The account's base currency.
    pub base_currency: Currency,
    /// The rate from `currency` to `base_currency` that held; `None` where none was recorded.
    pub fx_rate: Option<Decimal>,
}

/// A trading day was closed: positions are frozen, DAY orders end, the open day begins anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayClosed {
    /// The day as a number: 20261121.
    pub day: u32,
    /// How many positions were frozen.
    pub positions: u32,
}

/// Realised profit is worked out in this way from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CostMethodSet {
    /// In which.
    pub method: CostMethod,
}
