//! What was executed.

use crate::amount::{Notional, Price, Qty};
use crate::ids::{AccountId, ExecId, InstrumentId, Mic, OrderId, Time};
use crate::instrument::Currency;
use crate::terms::{Liquidity, Side};

/// An order's executed quantity rose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// The order: the leg, or one above it.
    pub order_id: OrderId,
    /// By which execution.
    pub exec_id: ExecId,
    /// By how much.
    pub last_qty: Qty,
    /// At which price.
    pub last_px: Price,
    /// Price times quantity, exact.
    pub last_notional: Notional,
}

/// An execution was booked; the position follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecutionRecorded {
    /// The venue's id of it.
    pub exec_id: ExecId,
    /// The order that was executed: a leg, or where `manual` any; the nil id where it is booked on an account alone.
    pub order_id: OrderId,
    /// The client's order.
    pub root_order_id: OrderId,
    /// Whose.
    pub account_id: AccountId,
    /// In what.
    pub instrument_id: InstrumentId,
    /// Bought or sold.
    pub side: Side,
    /// Where.
    pub venue: Mic,
    /// How much.
    pub last_qty: Qty,
    /// At which price.
    pub last_px: Price,
    /// Added or removed liquidity.
    pub liquidity: Liquidity,
    /// Charge; a rebate is negative.
    pub fee: Notional,
    /// When, by the venue's clock.
    pub transact_time: Time,
    /// A person booked it; no venue told it.
    pub manual: bool,
}

/// An execution that belongs to no order we know: kept in suspense for a person, never dropped. So are a reversal, a
/// correction and a charge of an execution that is not in the books.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecutionUnmatched {
    /// The venue's id of it.
    pub exec_id: ExecId,
    /// Where.
    pub venue: Mic,
    /// The id that the venue gave as ours.
    pub wire_id: String,
    /// How much.
    pub last_qty: Qty,
    /// At which price.
    pub last_px: Price,
    /// When, by the venue's clock.
    pub transact_time: Time,
    /// The execution that it takes back, corrects or charges for; `None` where it is a trade of its own.
    pub exec_ref: Option<ExecId>,
    /// What the execution cost, in `commission_currency`.
    pub commission: Notional,
    /// `None` where it is no charge.
    pub commission_currency: Option<Currency>,
}

impl ExecutionUnmatched {
    /// Whether it is what an execution cost.
    #[must_use]
    pub const fn is_charge(&self) -> bool {
        self.commission_currency.is_some()
    }

    /// Whether it is what this execution cost, told at this amount.
    #[must_use]
    pub fn is_charge_of(&self, venue: Mic, exec_id: &ExecId, commission: Notional, currency: Currency) -> bool {
        let of = (self.venue, self.exec_ref.as_ref(), self.commission, self.commission_currency);
        of == (venue, Some(exec_id), commission, Some(currency))
    }
}
