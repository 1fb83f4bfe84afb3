//! Limits, their scopes, the checks that use them and what each check found.

use crate::amount::Decimal;
use crate::ids::{AccountId, InstrumentId, Mic, UserId};
use crate::refusal::Code;
use crate::terms::{TradingState, terms};
use core::fmt;

terms! {
    /// What a limit bounds. Its unit is in the description.
    LimitType {
        /// Equal orders (account, instrument, side, quantity, price) closer together than this are refused; seconds.
        DuplicateWindow = 1 "DUPLICATE_WINDOW",
        /// Distance of a price from the reference; percent.
        PriceCollarPct = 2 "PRICE_COLLAR_PCT",
        /// Quantity of one order; units.
        MaxOrderQty = 3 "MAX_ORDER_QTY",
        /// Value of one order; account currency.
        MaxOrderNotional = 4 "MAX_ORDER_NOTIONAL",
        /// Orders per second.
        OrderRate = 5 "ORDER_RATE",
        /// Working client orders; count.
        MaxOpenOrders = 6 "MAX_OPEN_ORDERS",
        /// Value of all working orders; account currency.
        MaxOpenNotional = 7 "MAX_OPEN_NOTIONAL",
        /// Magnitude of the position if everything working were filled; units.
        MaxPositionQty = 8 "MAX_POSITION_QTY",
        /// Value of that position at the reference price; account currency.
        MaxPositionNotional = 9 "MAX_POSITION_NOTIONAL",
        /// Age of a quote that a check may lean on; seconds.
        MaxQuoteAge = 10 "MAX_QUOTE_AGE",
    }
    /// A pre-trade check, in order of precedence.
    Check {
        /// Kill switch of tenant, account, user, instrument or venue.
        KillSwitch = 1 "KILL_SWITCH",
        /// Trading state of tenant, account or instrument.
        TradingState = 2 "TRADING_STATE",
        /// The account takes orders.
        AccountActive = 3 "ACCOUNT_ACTIVE",
        /// The instrument takes orders.
        InstrumentActive = 4 "INSTRUMENT_ACTIVE",
        /// Prices lie on the tick table.
        Tick = 5 "TICK",
        /// The quantity is whole lots within the instrument's bounds.
        Lot = 6 "LOT",
        /// No equal order a moment ago.
        Duplicate = 7 "DUPLICATE",
        /// The price is near the market.
        PriceCollar = 8 "PRICE_COLLAR",
        /// The quantity is not too large.
        OrderQty = 9 "ORDER_QTY",
        /// The value is not too large.
        OrderNotional = 10 "ORDER_NOTIONAL",
        /// Not too many orders per second.
        OrderRate = 11 "ORDER_RATE",
        /// Not too many working orders.
        OpenOrders = 12 "OPEN_ORDERS",
        /// Not too much value working.
        OpenNotional = 13 "OPEN_NOTIONAL",
        /// The resulting position is not too large.
        PositionQty = 14 "POSITION_QTY",
        /// Its value is not too large.
        PositionNotional = 15 "POSITION_NOTIONAL",
    }
    /// What a check found.
    Verdict {
        /// Within the limit.
        Pass = 1 "PASS",
        /// Beyond the limit: the order is refused.
        Fail = 2 "FAIL",
        /// No limit is set, or the order is of a kind that the check does not concern.
        NotApplicable = 3 "NOT_APPLICABLE",
    }
}

impl Default for LimitType {
    fn default() -> Self {
        Self::MaxOrderQty
    }
}
impl Default for Check {
    fn default() -> Self {
        Self::KillSwitch
    }
}
impl Default for Verdict {
    fn default() -> Self {
        Self::Pass
    }
}

/// To what a limit, a kill switch or a trading state applies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Everything of the tenant.
    #[default]
    Tenant,
    /// One account.
    Account(AccountId),
    /// One user.
    User(UserId),
    /// One instrument.
    Instrument(InstrumentId),
    /// One venue.
    Venue(Mic),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant => f.write_str("TENANT"),
            Self::Account(id) => write!(f, "ACCOUNT:{id}"),
            Self::User(id) => write!(f, "USER:{id}"),
            Self::Instrument(id) => write!(f, "INSTRUMENT:{}", id.0),
            Self::Venue(mic) => write!(f, "VENUE:{mic}"),
        }
    }
}

/// A limit in force. The most specific scope of a type applies, and every wider one too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RiskLimit {
    /// What it bounds.
    pub limit_type: LimitType,
    /// To what it applies.
    pub scope: Scope,
    /// The bound, in the unit of the type.
    pub value: Decimal,
    /// Raised by each change of this (type, scope), from 1.
    pub version: u32,
}

/// A trading state in force for a scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScopedState {
    /// To what it applies.
    pub scope: Scope,
    /// The state.
    pub state: TradingState,
}

/// What one check found about one order; all of them are recorded, passed or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckResult {
    /// The check.
    pub check: Check,
    /// What it found.
    pub verdict: Verdict,
    /// The code it refuses with, where it failed.
    pub code: Option<Code>,
    /// The scope whose limit decided: the one that failed, or the tightest one that passed.
    pub scope: Scope,
    /// What was measured.
    pub value: Option<Decimal>,
    /// What it was measured against.
    pub limit: Option<Decimal>,
    /// The version of that limit; 0 where it is not a configured one.
    pub limit_version: u32,
}
