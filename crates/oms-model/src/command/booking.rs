//! What is asked about executions, rates and days.

use super::OrderRef;
use crate::amount::{Notional, Price, Qty};
use crate::ids::{AccountId, ExecId, Mic, Symbol, Time};
use crate::terms::{Liquidity, Side};

/// An execution, named by a person: the venue's id alone does not say whose it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecutionRef {
    /// The venue's id of it.
    pub exec_id: ExecId,
    /// In what.
    pub symbol: Symbol,
    /// Whose; the tenant's only account where none is given.
    pub account_id: Option<AccountId>,
    /// Where; looked for at every venue where none is given.
    pub venue: Option<Mic>,
}

/// What an execution is booked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BookOn {
    /// On an order: a part at a venue, or an order of which that much is with no part.
    Order(OrderRef),
    /// On an account alone.
    Account {
        /// Which; the tenant's only one where none is given.
        account_id: Option<AccountId>,
        /// In what.
        symbol: Symbol,
        /// Bought or sold.
        side: Side,
    },
}

/// Where an execution's figures come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Figures {
    /// A person gives them.
    Given {
        /// The venue's id of it; one of ours is made where none is given.
        exec_id: Option<ExecId>,
        /// Where; the part's venue where it is booked on one.
        venue: Option<Mic>,
        /// How much.
        last_qty: Qty,
        /// At which price.
        last_px: Price,
        /// The whole charge, in the instrument's currency.
        fee: Notional,
        /// Added or removed liquidity.
        liquidity: Liquidity,
        /// When; now where it is not given.
        transact_time: Option<Time>,
    },
    /// An execution in suspense has them.
    Suspense {
        /// Where.
        venue: Mic,
        /// The venue's id of it.
        exec_id: ExecId,
    },
}

/// An execution to be booked by a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewExecution {
    /// On what.
    pub on: BookOn,
    /// With which figures.
    pub figures: Figures,
    /// Why, in words.
    pub reason: String,
}

/// New figures of an execution; what is `None` stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Correction {
    /// How much.
    pub last_qty: Option<Qty>,
    /// At which price.
    pub last_px: Option<Price>,
    /// The whole charge, in the instrument's currency.
    pub fee: Option<Notional>,
}
