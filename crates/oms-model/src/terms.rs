//! Closed vocabularies. Each term has its text (JSON, CLI, logs) and a number that is stored and never reused.

use core::fmt;

/// The text is not one of the terms of the vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownTerm {
    /// Every term of the vocabulary, in its order.
    pub expected: &'static [&'static str],
}

impl fmt::Display for UnknownTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "must be one of {}", self.expected.join(", "))
    }
}

macro_rules! terms {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal $text:literal $(| $alias:literal)*,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$vdoc])* $variant = $code,)* }
        impl $name {
            /// Every term, in its order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// Every term's text, in its order.
            pub const NAMES: &'static [&'static str] = &[$($text,)*];
            /// The term as text.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $text,)* } }
            /// The stored number.
            #[must_use]
            pub const fn code(self) -> u8 { self as u8 }
            /// The term with this stored number.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> { match code { $($code => Some(Self::$variant),)* _ => None } }
        }
        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result { f.pad(self.as_str()) }
        }
        impl ::core::str::FromStr for $name {
            type Err = $crate::terms::UnknownTerm;
            fn from_str(text: &str) -> Result<Self, $crate::terms::UnknownTerm> {
                match text { $($text $(| $alias)* => Ok(Self::$variant),)* _ => Err($crate::terms::UnknownTerm { expected: Self::NAMES }) }
            }
        }
    )*};
}
pub(crate) use terms;

terms! {
    /// FIX 54.
    Side {
        /// Buys.
        Buy = 1 "BUY",
        /// Sells what is held.
        Sell = 2 "SELL",
        /// Sells what is borrowed.
        SellShort = 5 "SELL_SHORT",
        /// Sells what is borrowed, exempt from the short-sale price test (Regulation SHO rule 201(d)).
        SellShortExempt = 6 "SELL_SHORT_EXEMPT",
        /// Buys newly issued units of a fund (FIX D).
        Subscribe = 13 "SUBSCRIBE",
        /// Gives units of a fund back (FIX E).
        Redeem = 14 "REDEEM",
    }
    /// FIX 40.
    OrdType {
        /// At the best price there is.
        Market = 1 "MARKET",
        /// At `price` or better.
        Limit = 2 "LIMIT",
        /// A market order once the market trades at `stop_px` or beyond.
        Stop = 3 "STOP",
        /// A limit order once the market trades at `stop_px` or beyond.
        StopLimit = 4 "STOP_LIMIT",
        /// A stop that follows the market at a distance, and then a market order.
        TrailingStop = 5 "TRAILING_STOP",
        /// A stop that follows the market at a distance, and then a limit order.
        TrailingStopLimit = 6 "TRAILING_STOP_LIMIT",
        /// A market order shortly before the end of the session.
        MarketOnClose = 7 "MARKET_ON_CLOSE",
        /// A limit order shortly before the end of the session.
        LimitOnClose = 8 "LIMIT_ON_CLOSE",
        /// At the best price of the other side; what that does not get rests there as a limit order.
        MarketToLimit = 9 "MARKET_TO_LIMIT",
        /// A limit order whose price follows the market, never beyond `price`.
        Pegged = 10 "PEGGED",
        /// At the price of a live quote that it accepts (FIX D).
        PreviouslyQuoted = 13 "PREVIOUSLY_QUOTED",
    }
    /// FIX 59.
    TimeInForce {
        /// Until the end of the session.
        Day = 1 "DAY",
        /// Until canceled.
        Gtc = 2 "GTC",
        /// At once what can be had, the rest canceled.
        Ioc = 3 "IOC",
        /// All at once or nothing.
        Fok = 4 "FOK",
        /// Until `expire_at`.
        Gtd = 5 "GTD",
        /// At the opening of the session; what that does not get is canceled.
        Opg = 6 "OPG",
    }
    /// Where an order stands; see [`crate::order::TRANSITIONS`].
    OrdState {
        /// Accepted here, not sent.
        New = 1 "NEW",
        /// Sent, no answer yet.
        Unack = 2 "UNACK",
        /// Acknowledged by the market.
        Live = 3 "LIVE" | "ROUTED",
        /// Partly executed and working.
        PartiallyFilled = 4 "PARTIALLY_FILLED",
        /// Wholly executed.
        Filled = 5 "FILLED",
        /// Ended by a cancel.
        Canceled = 6 "CANCELED" | "CXL",
        /// Refused, by us or by the market.
        Rejected = 7 "REJECTED" | "REJ",
        /// Ended by its time in force.
        Expired = 8 "EXPIRED" | "EXP",
        /// Cleaned up; nothing more can happen to it.
        Closed = 9 "CLOSED",
    }
    /// What an order is within its tree.
    OrderKind {
        /// What a client asked for; the top of a tree.
        Client = 1 "CLIENT",
        /// Several clients' orders worked as one; the top of a tree of its own.
        Group = 2 "GROUP",
        /// One instruction to one venue: a leg.
        Market = 3 "MARKET",
        /// A piece that an algo released.
        Slice = 4 "SLICE",
        /// A part of an order that is worked on its own.
        Child = 5 "CHILD",
    }
    /// Where a change in several steps stands.
    SagaPhase {
        /// Its parts are being changed, one after another.
        Forward = 1 "FORWARD",
        /// A part has refused; those that were changed before are put back.
        Back = 2 "BACK",
        /// Every part was changed.
        Done = 3 "DONE",
        /// Every part was put back, or has ended.
        Undone = 4 "UNDONE",
    }
    /// A request that the market has not answered; orthogonal to [`OrdState`].
    Pending {
        /// None.
        None = 1 "NONE",
        /// A cancel was asked.
        Cancel = 2 "PENDING_CANCEL",
        /// A replace was asked.
        Replace = 3 "PENDING_REPLACE",
    }
    /// What is shown: the state, or the pending request where there is one (FIX precedence).
    OrdStatus {
        /// See [`OrdState::New`].
        New = 1 "NEW",
        /// See [`OrdState::Unack`].
        Unack = 2 "UNACK",
        /// See [`OrdState::Live`].
        Live = 3 "LIVE" | "ROUTED",
        /// See [`OrdState::PartiallyFilled`].
        PartiallyFilled = 4 "PARTIALLY_FILLED",
        /// See [`OrdState::Filled`].
        Filled = 5 "FILLED",
        /// See [`OrdState::Canceled`].
        Canceled = 6 "CANCELED" | "CXL",
        /// See [`OrdState::Rejected`].
        Rejected = 7 "REJECTED" | "REJ",
        /// See [`OrdState::Expired`].
        Expired = 8 "EXPIRED" | "EXP",
        /// See [`OrdState::Closed`].
        Closed = 9 "CLOSED",
        /// See [`Pending::Cancel`].
        PendingCancel = 10 "PENDING_CANCEL",
        /// See [`Pending::Replace`].
        PendingReplace = 11 "PENDING_REPLACE" | "PENDING_MODIFY",
    }
    /// What was handed to a venue.
    IntentKind {
        /// A new order.
        New = 1 "NEW",
        /// A cancel request.
        Cancel = 2 "CANCEL",
        /// A replace request.
        Replace = 3 "REPLACE",
    }
    /// How an IN_DOUBT intent was found to have ended.
    Outcome {
        /// It works at the venue.
        Live = 1 "LIVE",
        /// It was wholly executed.
        Filled = 2 "FILLED",
        /// It was canceled at the venue.
        Canceled = 3 "CANCELED",
        /// The venue refused it.
        Rejected = 4 "REJECTED",
        /// It provably never arrived.
        NotSent = 5 "NOT_SENT",
        /// It ended at the venue by its time in force.
        Expired = 6 "EXPIRED",
    }
    /// Through which door an input came.
    Source {
        /// REST.
        Rest = 1 "REST",
        /// The command line.
        Cli = 2 "CLI",
        /// A FIX session.
        Fix = 3 "FIX",
        /// A WebSocket.
        Ws = 4 "WS",
        /// gRPC.
        Grpc = 5 "GRPC",
        /// A venue's report.
        Venue = 6 "VENUE",
        /// The engine's own timer.
        Timer = 7 "TIMER",
        /// Start-up, recovery and other acts of the system itself.
        System = 8 "SYSTEM",
    }
    /// What kind of thing is traded.
    AssetClass {
        /// Shares.
        Equity = 1 "EQUITY",
        /// Listed options.
        Option = 2 "OPTION",
        /// Futures.
        Future = 3 "FUTURE",
        /// Units of a fund, issued and taken back at its net asset value.
        Fund = 4 "FUND",
        /// Products made to measure, traded on request for quote only.
        Structured = 5 "STRUCTURED",
        /// Foreign exchange; the quantity is of the base currency.
        Fx = 6 "FX",
        /// Deposits and bills, quoted as a rate for a term.
        MoneyMarket = 7 "MONEY_MARKET",
        /// Crypto-assets, in fractions and around the clock.
        Crypto = 8 "CRYPTO",
    }
    /// Whether an option is to sell or to buy; FIX 201 counts from zero.
    OptionRight {
        /// To sell.
        Put = 1 "PUT",
        /// To buy.
        Call = 2 "CALL",
    }
    /// How a contract is settled (FIX 1193).
    SettlMethod {
        /// The thing itself changes hands.
        Physical = 1 "PHYSICAL",
        /// The difference is paid.
        Cash = 2 "CASH",
    }
    /// Whose identifier of an instrument it is (FIX 22, 456).
    SecurityIdSource {
        /// CUSIP.
        Cusip = 1 "CUSIP",
        /// ISIN (ISO 6166).
        Isin = 4 "ISIN",
        /// FIGI (FIX S).
        Figi = 5 "FIGI",
        /// Interactive Brokers' conId.
        IbConId = 6 "IB_CON_ID",
    }
    /// How the router places an order; see `oms-router`.
    SorMode {
        /// The whole quantity to the venue with the best score.
        SingleBest = 1 "SINGLE_BEST",
        /// In proportion to the scores.
        Split = 2 "SPLIT",
        /// Displayed liquidity level by level up to the limit; the rest rests at the best venue.
        Sweep = 3 "SWEEP",
        /// The venue that the client names.
        Named = 4 "NAMED",
        /// One venue at a time: what it has not executed in time is canceled there and goes to the next.
        Staged = 5 "STAGED",
    }
    /// Whether orders may go out in a scope.
    TradingState {
        /// They may.
        Active = 1 "ACTIVE",
        /// Only orders that reduce a position may.
        Reducing = 2 "REDUCING",
        /// None may.
        Halted = 3 "HALTED",
    }
    /// How realised profit is worked out.
    CostMethod {
        /// What was opened first is closed first.
        Fifo = 1 "FIFO",
        /// What is closed leaves at the average cost of what is open.
        AverageCost = 2 "AVERAGE_COST",
    }
    /// FIX 150 of an execution: what became of it.
    ExecType {
        /// It stands as it was told (F).
        Trade = 1 "TRADE",
        /// It stands with corrected figures (G).
        TradeCorrect = 2 "TRADE_CORRECT",
        /// It was reversed (H).
        TradeCancel = 3 "TRADE_CANCEL",
    }
    /// When what a group executed is shared out to its members.
    AllocMode {
        /// Straight through: at once, with every execution.
        Stp = 1 "STP",
        /// Once a second person has approved it.
        Manual = 2 "MANUAL",
    }
    /// Why an execution was reversed.
    Reversal {
        /// The market took the trade back.
        Bust = 1 "BUST",
        /// Our own booking was wrong.
        Whack = 2 "WHACK",
    }
    /// FIX 851: whether an execution added or removed liquidity.
    Liquidity {
        /// Added.
        Added = 1 "ADDED",
        /// Removed.
        Removed = 2 "REMOVED",
    }
    /// Something happened that should not have; the facts are kept, a person looks.
    Anomaly {
        /// A fill after the order had ended.
        FillAfterEnd = 1 "FILL_AFTER_END",
        /// More was filled than was ordered.
        Overfill = 2 "OVERFILL",
        /// The venue ended an order that we had not asked to end.
        UnsolicitedEnd = 3 "UNSOLICITED_END",
        /// An intent that was resolved NOT_SENT is at the venue after all.
        NotSentAppeared = 4 "NOT_SENT_APPEARED",
        /// The venue's report does not fit the state of the order.
        UnexpectedReport = 5 "UNEXPECTED_REPORT",
        /// A part of an order could not be given its old terms again after a replace had failed.
        NotPutBack = 6 "NOT_PUT_BACK",
        /// A bust or correction of an execution that is not in our books.
        UnknownExecution = 7 "UNKNOWN_EXECUTION",
        /// Orders of a list that exclude each other were both executed.
        ContingencyRace = 9 "CONTINGENCY_RACE",
    }
    /// What ended or refused an order.
    EndedBy {
        /// The client's request.
        Client = 1 "CLIENT",
        /// The risk gate.
        Risk = 2 "RISK",
        /// The router found no place for it.
        Router = 3 "ROUTER",
        /// The venue.
        Venue = 4 "VENUE",
        /// The engine's timer.
        Timer = 5 "TIMER",
        /// A kill switch.
        KillSwitch = 6 "KILL_SWITCH",
        /// Evidence that it never reached the venue.
        NotSent = 7 "NOT_SENT",
        /// Validation before the risk gate: its own terms do not agree with each other.
        Validation = 8 "VALIDATION",
        /// The trading day was closed.
        DayClose = 11 "DAY_CLOSE",
        /// Another order of its list.
        Contingency = 13 "CONTINGENCY",
        /// The algorithm that releases it.
        Algo = 14 "ALGO",
        /// The rules of its asset class, of the quote that it accepts, or of what the engine is to work.
        Rules = 15 "RULES",
        /// A dead-man switch whose client was silent for too long.
        DeadMan = 20 "DEAD_MAN",
    }
}

impl Side {
    /// Whether it adds to a position.
    #[must_use]
    pub const fn is_buy(self) -> bool {
        match self {
            Self::Buy | Self::Subscribe => true,
            Self::Sell | Self::SellShort | Self::SellShortExempt | Self::Redeem => false,
        }
    }
    /// Whether it sells what is borrowed.
    #[must_use]
    pub const fn is_short(self) -> bool {
        matches!(self, Self::SellShort | Self::SellShortExempt)
    }
}

impl OrdType {
    /// Whether it carries a limit `price`.
    #[must_use]
    pub const fn has_price(self) -> bool {
        match self {
            Self::Limit | Self::StopLimit | Self::LimitOnClose | Self::Pegged | Self::PreviouslyQuoted => true,
            Self::Market | Self::Stop | Self::TrailingStop | Self::TrailingStopLimit | Self::MarketOnClose | Self::MarketToLimit => false,
        }
    }
    /// Whether it carries a `stop_px`.
    #[must_use]
    pub const fn has_stop(self) -> bool {
        match self {
            Self::Stop | Self::StopLimit | Self::TrailingStop | Self::TrailingStopLimit => true,
            Self::Market
            | Self::Limit
            | Self::MarketOnClose
            | Self::LimitOnClose
            | Self::MarketToLimit
            | Self::Pegged
            | Self::PreviouslyQuoted => false,
        }
    }
    /// Whether its stop follows the market.
    #[must_use]
    pub const fn is_trailing(self) -> bool {
        matches!(self, Self::TrailingStop | Self::TrailingStopLimit)
    }
    /// Whether venues may have it themselves. The others are always emulated.
    #[must_use]
    pub const fn is_native(self) -> bool {
        matches!(self, Self::Market | Self::Limit | Self::Stop | Self::StopLimit | Self::PreviouslyQuoted)
    }
}

impl From<OrdState> for OrdStatus {
    fn from(state: OrdState) -> Self {
        match state {
            OrdState::New => Self::New,
            OrdState::Unack => Self::Unack,
            OrdState::Live => Self::Live,
            OrdState::PartiallyFilled => Self::PartiallyFilled,
            OrdState::Filled => Self::Filled,
            OrdState::Canceled => Self::Canceled,
            OrdState::Rejected => Self::Rejected,
            OrdState::Expired => Self::Expired,
            OrdState::Closed => Self::Closed,
        }
    }
}

macro_rules! default_terms {
    ($($name:ident :: $variant:ident),*) => {$(
        impl Default for $name { fn default() -> Self { Self::$variant } }
    )*};
}
default_terms!(
    Side::Buy,
    OrdType::Market,
    TimeInForce::Day,
    OrderKind::Client,
    OrdState::New,
    Pending::None,
    SagaPhase::Forward,
    IntentKind::New,
    Outcome::Live,
    Source::System,
    AssetClass::Equity,
    OptionRight::Put,
    SettlMethod::Physical,
    SecurityIdSource::Isin,
    SorMode::SingleBest,
    TradingState::Active,
    Liquidity::Removed,
    Anomaly::UnexpectedReport,
    EndedBy::Client,
    OrdStatus::New,
    CostMethod::Fifo,
    ExecType::Trade,
    Reversal::Bust,
    AllocMode::Stp
);
