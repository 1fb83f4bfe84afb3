//! Three-way reconciliation: what the desk has booked, what the connector's log has, and what the broker shows.
//!
//! Everything here is pure. Sides, times and who asks come in as values; what comes out is kept by the connector's log.
//!
//! - Only a whole look at the broker is compared. One whose lists did not end opens nothing and closes nothing.
//! - What is on its way looks like a difference for a moment. So a break opens only where two looks show it alike.
//! - A break ends with evidence: the run that did not show it any more, or a person's word about these very figures. Other
//!   figures are another break.

pub mod book;
pub mod compare;
mod record;
pub mod sides;

use oms_model::instrument::Currency;
use oms_model::{Notional, OrderId};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $code:literal $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$each])* $variant = $code,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// Each as it is written.
            pub const NAMES: &'static [&'static str] = &[$($text),*];

            /// As it is written.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// Its number in the log.
            #[must_use]
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The one with this number.
            #[must_use]
            pub fn from_code(code: u8) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.code() == code)
            }
        }
    };
}
words! {
    /// What kind of difference it is.
    Kind {
        /// The desk or the log has an order at work that no list of the broker's shows.
        MissingAtBroker = 1 "MISSING_AT_BROKER",
        /// The broker works an order, or has done an execution, that the desk does not have: other clients', a person's.
        UnknownAtDesk = 2 "UNKNOWN_AT_DESK",
        /// An order or an execution has another quantity.
        Quantity = 3 "QUANTITY_MISMATCH",
        /// An order or an execution has another price.
        Price = 4 "PRICE_MISMATCH",
        /// Another quantity of an order was executed.
        Cumulative = 5 "CUMULATIVE_MISMATCH",
        /// Another quantity is held.
        Position = 6 "POSITION_MISMATCH",
        /// One side lacks an execution that another has.
        ExecutionMissing = 7 "EXECUTION_MISSING",
        /// Two orders work where one should, or an execution was booked twice.
        Duplicate = 8 "DUPLICATE",
    }
}

words! {
    /// How a break stands.
    Standing {
        /// Nobody has taken it on.
        Open = 1 "OPEN",
        /// Somebody has.
        Acknowledged = 2 "ACKNOWLEDGED",
        /// It is over, with the evidence of it.
        Closed = 3 "CLOSED",
    }
}

words! {
    /// Why a run was made.
    Trigger {
        /// A session has begun, or the line to the broker is back: 1101, 1102.
        Recovery = 1 "RECOVERY",
        /// It was time.
        Schedule = 2 "SCHEDULE",
        /// A person asked for it.
        Demand = 3 "DEMAND",
    }
}

words! {
    /// What came of a run.
    Outcome {
        /// The look was whole and all sides were compared.
        Complete = 1 "COMPLETE",
        /// It was not: nothing was opened and nothing closed.
        Incomplete = 2 "INCOMPLETE",
    }
}

/// What a break is about: one kind of difference of one thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// Which kind.
    pub kind: Kind,
    /// The order's id, the root of the execution's id, `perm.` and a permanent id, or the contract.
    pub what: String,
}

/// A difference between the sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is about.
    pub subject: Subject,
    /// The contract in the broker's words.
    pub contract: String,
    /// The order, where it is one of the desk's.
    pub order_id: Option<OrderId>,
    /// The desk's figure; `None` where it has none.
    pub desk: Option<String>,
    /// The figure of the connector's log.
    pub ledger: Option<String>,
    /// The broker's figure.
    pub broker: Option<String>,
    /// By how much they differ: two looks show a difference alike where this is the same.
    pub gap: String,
    /// The money at stake, never below zero; `None` where there is no price to value it at.
    pub value: Option<Notional>,
    /// In which currency.
    pub currency: Currency,
}
