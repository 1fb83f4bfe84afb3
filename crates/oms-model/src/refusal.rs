//! The closed catalogue of codes, and a refusal with its numbers.

use crate::terms::terms;
use core::fmt;

terms! {
    /// Every code that the system answers with. The edges translate them to HTTP, gRPC and FIX in one place each.
    Code {
        /// The request is malformed or breaks a rule of its type.
        ValidationError = 1 "VALIDATION_ERROR",
        /// No credential, or one that is not valid.
        Unauthenticated = 2 "UNAUTHENTICATED",
        /// The credential lacks the scope.
        Forbidden = 3 "FORBIDDEN",
        /// There is no such thing for this tenant.
        NotFound = 4 "NOT_FOUND",
        /// The state of the thing does not allow it.
        StateConflict = 5 "STATE_CONFLICT",
        /// `If-Match` names a version that is no longer the current one.
        VersionMismatch = 6 "VERSION_MISMATCH",
        /// The idempotency key was used with another payload.
        IdempotencyConflict = 7 "IDEMPOTENCY_CONFLICT",
        /// Too many requests or orders.
        RateLimited = 8 "RATE_LIMITED",
        /// A hard limit would be broken.
        RiskLimitBreach = 9 "RISK_LIMIT_BREACH",
        /// A venue refused the order.
        BrokerReject = 10 "BROKER_REJECT",
        /// No venue can be reached.
        BrokerUnavailable = 11 "BROKER_UNAVAILABLE",
        /// The outcome of an earlier request at the venue is not known.
        OutcomeInDoubt = 12 "OUTCOME_IN_DOUBT",
        /// A queue is full; nothing was done.
        Overloaded = 13 "OVERLOADED",
        /// A fault of ours.
        Internal = 14 "INTERNAL",
        /// A kill switch is engaged.
        KillSwitch = 15 "KILL_SWITCH",
        /// Trading is halted.
        TradingHalted = 16 "TRADING_HALTED",
        /// Only orders that reduce a position are taken.
        ReduceOnly = 17 "REDUCE_ONLY",
        /// The account takes no orders.
        AccountDisabled = 18 "ACCOUNT_DISABLED",
        /// The instrument takes no orders.
        InstrumentDisabled = 19 "INSTRUMENT_DISABLED",
        /// The combination of order type, time in force and fields is not offered.
        OrderTypeUnsupported = 20 "ORDER_TYPE_UNSUPPORTED",
        /// The price is off the tick table.
        InvalidTick = 21 "INVALID_TICK",
        /// The quantity is off the lot or outside the instrument's bounds.
        InvalidLot = 22 "INVALID_LOT",
        /// An equal order was taken a moment ago.
        DuplicateOrder = 23 "DUPLICATE_ORDER",
        /// `cl_ord_id` was used before.
        DuplicateClOrdId = 24 "DUPLICATE_CL_ORD_ID",
        /// The price is too far from the market.
        PriceCollar = 25 "PRICE_COLLAR",
        /// There is no fresh market to compare with.
        NoReferencePrice = 26 "NO_REFERENCE_PRICE",
        /// The symbol is not in the tenant's list.
        UnknownSymbol = 27 "UNKNOWN_SYMBOL",
        /// No venue is eligible.
        NoRoute = 28 "NO_ROUTE",
        /// The idempotency key is being worked on.
        RequestInProgress = 29 "REQUEST_IN_PROGRESS",
        /// The body is larger than allowed.
        PayloadTooLarge = 30 "PAYLOAD_TOO_LARGE",
        /// The method is not offered for this path.
        MethodNotAllowed = 31 "METHOD_NOT_ALLOWED",
        /// The `Content-Type` is not one that the operation takes.
        UnsupportedMediaType = 32 "UNSUPPORTED_MEDIA_TYPE",
        /// An order of an all-or-none batch was refused, so none was placed.
        BatchRefused = 33 "BATCH_REFUSED",
        /// A care order is worked by the one who holds it, and by nobody else.
        NotHolder = 34 "NOT_HOLDER",
        /// The execution was booked before.
        DuplicateExecution = 40 "DUPLICATE_EXECUTION",
        /// There is no recorded rate between two currencies.
        NoFxRate = 41 "NO_FX_RATE",
        /// Another person than the one who proposed must decide.
        SecondPersonNeeded = 42 "SECOND_PERSON_NEEDED",
        /// The moment asked for lies too far from every state that is kept.
        HistoryTooFar = 65 "HISTORY_TOO_FAR",
        /// The question would read too much.
        QueryTooBroad = 66 "QUERY_TOO_BROAD",
        /// A restricted list has it, or an allow list has it not.
        ComplianceBlocked = 70 "COMPLIANCE_BLOCKED",
        /// Nobody has promised to lend what is to be sold short, or not enough of it.
        LocateRequired = 71 "LOCATE_REQUIRED",
        /// The short-sale price test is in force, and the price is not above the best bid.
        ShortSaleRestricted = 72 "SHORT_SALE_RESTRICTED",
        /// It would trade against an own working order.
        SelfMatch = 73 "SELF_MATCH",
        /// It undoes what was done a moment ago, at the same price.
        WashTrade = 74 "WASH_TRADE",
        /// There is no money for it.
        InsufficientBuyingPower = 75 "INSUFFICIENT_BUYING_POWER",
        /// The account does not trade in that currency.
        CurrencyMismatch = 76 "CURRENCY_MISMATCH",
        /// It is beyond a soft limit: it is taken once its sender says that they know.
        SoftLimitBreach = 77 "SOFT_LIMIT_BREACH",
        /// What a check measures against is not known: an average volume, an equity.
        NoReferenceData = 78 "NO_REFERENCE_DATA",
        /// A limit that must be there is not.
        LimitMissing = 79 "LIMIT_MISSING",
        /// A second person did not agree to it.
        ApprovalRefused = 80 "APPROVAL_REFUSED",
        /// The asset class does not take such an order; the text names the rule.
        AssetClassRule = 55 "ASSET_CLASS_RULE",
        /// The option or future has expired.
        InstrumentExpired = 56 "INSTRUMENT_EXPIRED",
        /// The quote, or the request for one, is not live any more.
        QuoteNotLive = 57 "QUOTE_NOT_LIVE",
        /// The market is closed, and the order cannot wait for it to open.
        MarketClosed = 81 "MARKET_CLOSED",
        /// The only venue that it may go to is in maintenance, and the order cannot wait for its end.
        BrokerMaintenance = 82 "BROKER_MAINTENANCE",
        /// It would trade beyond the price band of its instrument.
        PriceBand = 83 "PRICE_BAND",
    }
}

/// A refusal: its code, a sentence, and its numbers by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What kind.
    pub code: Code,
    /// A sentence for people.
    pub message: String,
    /// Names and values for machines.
    pub details: Vec<(String, String)>,
}

impl Default for Refusal {
    fn default() -> Self {
        Self::new(Code::Internal, "")
    }
}

impl Refusal {
    /// A refusal without details.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Vec::new() }
    }
    /// The same with one detail more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.details.push((name.to_owned(), value.to_string()));
        self
    }
}

impl Default for Code {
    fn default() -> Self {
        Self::Internal
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}
