//! Limits, their scopes, the checks that use them and what each check found.

use crate::amount::Decimal;
use crate::ids::{AccountId, InstrumentId, Mic, UserId};
use crate::refusal::Code;
use crate::strategy::StrategyId;
use crate::terms::{AssetClass, TradingState, terms};
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
        /// Value of one order; risk currency.
        MaxOrderNotional = 4 "MAX_ORDER_NOTIONAL",
        /// Orders in a period: a second, a minute or a day.
        OrderRate = 5 "ORDER_RATE",
        /// Working client orders; count.
        MaxOpenOrders = 6 "MAX_OPEN_ORDERS",
        /// Value of all working orders; risk currency.
        MaxOpenNotional = 7 "MAX_OPEN_NOTIONAL",
        /// Magnitude of the position if everything working were filled; units.
        MaxPositionQty = 8 "MAX_POSITION_QTY",
        /// Value of that position at the reference price; risk currency.
        MaxPositionNotional = 9 "MAX_POSITION_NOTIONAL",
        /// Age of a quote that a check may lean on; seconds.
        MaxQuoteAge = 10 "MAX_QUOTE_AGE",
        /// An order and an equal one on the other side closer together than this are a round trip; seconds.
        WashWindow = 11 "WASH_WINDOW",
        /// Quantity of one order against the average daily volume of its instrument; percent.
        MaxPctAdv = 12 "MAX_PCT_ADV",
        /// Orders alike (account, instrument, side, quantity) in a period; beyond it the scope is off until a person
        /// says otherwise.
        RepeatedExecution = 13 "REPEATED_EXECUTION",
        /// Value of all positions, long and short added up, if everything working were filled at its worst; risk currency.
        MaxGrossExposure = 14 "MAX_GROSS_EXPOSURE",
        /// Value of long less short positions, if everything working on one side were filled; risk currency.
        MaxNetExposure = 15 "MAX_NET_EXPOSURE",
        /// The gross exposure in one asset class; risk currency.
        MaxAssetClassExposure = 16 "MAX_ASSET_CLASS_EXPOSURE",
        /// Exposure in one instrument against the equity; percent.
        MaxConcentrationPct = 17 "MAX_CONCENTRATION_PCT",
        /// Gross exposure against the equity; times.
        MaxLeverage = 18 "MAX_LEVERAGE",
        /// Money for purchases and short sales, spent and working together; risk currency.
        BuyingPower = 19 "BUYING_POWER",
        /// Realised and unrealised loss since the last close of the day; risk currency.
        DailyLoss = 20 "DAILY_LOSS",
        /// Loss from the highest profit so far; risk currency.
        TrailingDrawdown = 21 "TRAILING_DRAWDOWN",
        /// Above this value an order waits for a second person; risk currency.
        ApprovalNotional = 22 "APPROVAL_NOTIONAL",
        /// Age of a recorded currency rate that a check may lean on; seconds.
        MaxFxRateAge = 23 "MAX_FX_RATE_AGE",
    }
    /// For how long what a limit counts is counted.
    Period {
        /// One second.
        Second = 1 "SECOND",
        /// One minute.
        Minute = 2 "MINUTE",
        /// 24 hours.
        Day = 3 "DAY",
    }
    /// A pre-trade check, in order of precedence.
    Check {
        /// Kill switch of tenant, account, user, strategy, asset class, instrument or venue.
        KillSwitch = 1 "KILL_SWITCH",
        /// Trading state of one of these.
        TradingState = 2 "TRADING_STATE",
        /// The account takes orders.
        AccountActive = 3 "ACCOUNT_ACTIVE",
        /// The instrument takes orders.
        InstrumentActive = 4 "INSTRUMENT_ACTIVE",
        /// Prices lie on the tick table.
        Tick = 5 "TICK",
        /// The quantity is whole lots within the instrument's bounds.
        Lot = 6 "LOT",
        // Sessions and holidays are checked here, once calendars are known.
        /// Nothing of it stands on a restricted list or beside an allow list.
        Restricted = 16 "RESTRICTED",
        /// Somebody lends what is sold short.
        Locate = 17 "LOCATE",
        /// A short sale is above the best bid where that is asked.
        ShortSalePrice = 18 "SHORT_SALE_PRICE",
        /// No equal order a moment ago.
        Duplicate = 7 "DUPLICATE",
        /// It does not meet an own working order.
        SelfMatch = 19 "SELF_MATCH",
        /// It does not undo what was just done.
        WashTrade = 20 "WASH_TRADE",
        /// The price is near the market.
        PriceCollar = 8 "PRICE_COLLAR",
        /// The quantity is not too large.
        OrderQty = 9 "ORDER_QTY",
        /// The value is not too large.
        OrderNotional = 10 "ORDER_NOTIONAL",
        /// It is not too much of what is traded in a day.
        PctAdv = 21 "PCT_ADV",
        /// Not too many orders in a period.
        OrderRate = 11 "ORDER_RATE",
        /// Not the same again and again.
        RepeatedExecution = 22 "REPEATED_EXECUTION",
        /// Not too many working orders.
        OpenOrders = 12 "OPEN_ORDERS",
        /// Not too much value working.
        OpenNotional = 13 "OPEN_NOTIONAL",
        /// The resulting position is not too large.
        PositionQty = 14 "POSITION_QTY",
        /// Its value is not too large.
        PositionNotional = 15 "POSITION_NOTIONAL",
        /// Not too much in its asset class.
        AssetClassExposure = 23 "ASSET_CLASS_EXPOSURE",
        /// Not too much of the equity in one instrument.
        Concentration = 24 "CONCENTRATION",
        /// Not too much long and short together.
        GrossExposure = 25 "GROSS_EXPOSURE",
        /// Not too much long less short.
        NetExposure = 26 "NET_EXPOSURE",
        /// Not too much against the equity.
        Leverage = 27 "LEVERAGE",
        /// There is money for it.
        BuyingPower = 28 "BUYING_POWER",
        /// Not too much was lost today.
        DailyLoss = 29 "DAILY_LOSS",
        /// Not too much was lost since the best moment.
        TrailingDrawdown = 30 "TRAILING_DRAWDOWN",
        /// The account may trade in its currency, and a rate is known.
        Currency = 31 "CURRENCY",
        /// It lies within what its strategy may do.
        StrategyEnvelope = 32 "STRATEGY_ENVELOPE",
        /// It is not so large that a second person must agree.
        Approval = 33 "APPROVAL",
    }
    /// How far a kill switch has come. New orders are refused from the first moment.
    KillState {
        /// Working orders of its scope are being canceled, or one of them is in doubt.
        Engaging = 1 "ENGAGING",
        /// Nothing of its scope works any more.
        Engaged = 2 "ENGAGED",
    }
    /// What a check found.
    Verdict {
        /// Within the limit.
        Pass = 1 "PASS",
        /// Beyond the limit: the order is refused.
        Fail = 2 "FAIL",
        /// No limit is set, or the order is of a kind that the check does not concern.
        NotApplicable = 3 "NOT_APPLICABLE",
        /// Beyond a soft limit, and the sender said that they know.
        Warn = 4 "WARN",
        /// It is taken, and waits before it is sent.
        Hold = 5 "HOLD",
        /// Beyond the limit, and a person had given this order leave to be.
        Overridden = 6 "OVERRIDDEN",
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
impl Default for Period {
    fn default() -> Self {
        Self::Second
    }
}
impl Default for KillState {
    fn default() -> Self {
        Self::Engaging
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
    /// One strategy.
    Strategy(StrategyId),
    /// One class of instruments.
    AssetClass(AssetClass),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant => f.write_str("TENANT"),
            Self::Account(id) => write!(f, "ACCOUNT:{id}"),
            Self::User(id) => write!(f, "USER:{id}"),
            Self::Instrument(id) => write!(f, "INSTRUMENT:{}", id.0),
            Self::Venue(mic) => write!(f, "VENUE:{mic}"),
            Self::Strategy(id) => write!(f, "STRATEGY:{id}"),
            Self::AssetClass(class) => write!(f, "ASSET_CLASS:{class}"),
        }
    }
}

impl Period {
    /// How long it is, nanoseconds.
    #[must_use]
    pub const fn ns(self) -> i64 {
        const SECOND: i64 = 1_000_000_000;
        match self {
            Self::Second => SECOND,
            Self::Minute => 60 * SECOND,
            Self::Day => 86_400 * SECOND,
        }
    }
}

impl LimitType {
    /// The period that a limit of this type has where none is named; `None` for one that bounds each order, or what
    /// stands at a moment, and so has no period.
    #[must_use]
    pub const fn usual_period(self) -> Option<Period> {
        match self {
            Self::OrderRate | Self::RepeatedExecution => Some(Period::Second),
            _ => None,
        }
    }
}

/// Which limit: there is one value for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LimitKey {
    /// What it bounds.
    pub limit_type: LimitType,
    /// To what it applies.
    pub scope: Scope,
    /// For how long it counts; `None` is [`LimitType::usual_period`].
    pub period: Option<Period>,
    /// Whether what is beyond it is taken once its sender says that they know. Beside a hard one, not in place of it.
    pub soft: bool,
}

impl LimitKey {
    /// The hard limit of a type, with its usual period.
    #[must_use]
    pub const fn hard(limit_type: LimitType, scope: Scope) -> Self {
        Self { limit_type, scope, period: None, soft: false }
    }
    /// The same key with its usual period left out, so that one limit has one key.
    #[must_use]
    pub fn normal(self) -> Self {
        Self { period: self.period.filter(|period| Some(*period) != self.limit_type.usual_period()), ..self }
    }
}

impl Check {
    /// The type of limit that the check compares with; `None` for one that has none.
    #[must_use]
    pub const fn limit_type(self) -> Option<LimitType> {
        Some(match self {
            Self::Duplicate => LimitType::DuplicateWindow,
            Self::WashTrade => LimitType::WashWindow,
            Self::PriceCollar => LimitType::PriceCollarPct,
            Self::OrderQty => LimitType::MaxOrderQty,
            Self::OrderNotional => LimitType::MaxOrderNotional,
            Self::PctAdv => LimitType::MaxPctAdv,
            Self::OrderRate => LimitType::OrderRate,
            Self::RepeatedExecution => LimitType::RepeatedExecution,
            Self::OpenOrders => LimitType::MaxOpenOrders,
            Self::OpenNotional => LimitType::MaxOpenNotional,
            Self::PositionQty => LimitType::MaxPositionQty,
            Self::PositionNotional => LimitType::MaxPositionNotional,
            Self::AssetClassExposure => LimitType::MaxAssetClassExposure,
            Self::Concentration => LimitType::MaxConcentrationPct,
            Self::GrossExposure => LimitType::MaxGrossExposure,
            Self::NetExposure => LimitType::MaxNetExposure,
            Self::Leverage => LimitType::MaxLeverage,
            Self::BuyingPower => LimitType::BuyingPower,
            Self::DailyLoss => LimitType::DailyLoss,
            Self::TrailingDrawdown => LimitType::TrailingDrawdown,
            Self::Approval => LimitType::ApprovalNotional,
            _ => return None,
        })
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
    /// Raised by each change of this limit, from 1.
    pub version: u32,
    /// See [`LimitKey::period`].
    pub period: Option<Period>,
    /// See [`LimitKey::soft`].
    pub soft: bool,
}

impl RiskLimit {
    /// Which limit it is.
    #[must_use]
    pub const fn key(&self) -> LimitKey {
        LimitKey { limit_type: self.limit_type, scope: self.scope, period: self.period, soft: self.soft }
    }
    /// A limit of this key.
    #[must_use]
    pub const fn of(key: LimitKey, value: Decimal, version: u32) -> Self {
        Self { limit_type: key.limit_type, scope: key.scope, value, version, period: key.period, soft: key.soft }
    }
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
    /// Whether that limit is a soft one.
    pub soft: bool,
    /// The period of that limit, where it is not the usual one.
    pub period: Option<Period>,
}
