//! What the gate knows besides limits: lists, locates, rules, strategies, orders that wait.

use super::Shape;
use super::Tense::{Answer, Request};

pub(super) const SHAPES: &[Shape] = &[
    (
        "SetRestriction",
        Request,
        &[
            ("list", "ListKind?", "RESTRICTED where absent."),
            ("scope", "Scope?", "Whose list: TENANT, ACCOUNT, USER or STRATEGY; TENANT where absent."),
            ("subject", "Scope", "What is on it: INSTRUMENT, ASSET_CLASS, VENUE or ACCOUNT."),
            ("reason", "string", "1 to 1024 bytes."),
        ],
    ),
    (
        "SetLocate",
        Request,
        &[
            ("account_id", "uuid", ""),
            ("symbol", "string", ""),
            ("qty", "DecimalInput", "For everything that the account sells short until then."),
            ("until", "time", ""),
            ("source", "string", "Who lends."),
        ],
    ),
    ("SetShortSaleState", Request, &[("symbol", "string", ""), ("restricted", "boolean", ""), ("reason", "string", "")]),
    (
        "SetSelfMatchRule",
        Request,
        &[("scope", "Scope?", "TENANT, for all accounts together, or an ACCOUNT alone."), ("policy", "SelfMatchPolicy", "")],
    ),
    (
        "SetStrategyEnvelope",
        Request,
        &[
            ("strategy", "string", "1 to 16 letters, digits, '_', '-' or '.'."),
            ("enabled", "boolean?", "True where absent."),
            ("symbols", "[string]?", "Everything where absent or empty."),
            ("max_notional", "DecimalInput?", "Working and executed since the last close of the day."),
            ("max_order_rate", "integer?", "Orders per second."),
            ("from_s", "integer?", "Seconds after midnight UTC."),
            ("until_s", "integer?", "Seconds after midnight UTC; before `from_s` it is on the next day."),
        ],
    ),
    ("CurrencyNamed", Request, &[("currency", "string", "Three letters (ISO 4217).")]),
    ("RequireLimit", Request, &[("limit_type", "LimitType", ""), ("required", "boolean", "")]),
    (
        "OrderTurnDown",
        Request,
        &[("order_id", "uuid?", ""), ("cl_ord_id", "string?", ""), ("if_version", "integer?", ""), ("reason", "string", "")],
    ),
    (
        "SetBreaker",
        Request,
        &[
            ("kind", "BreakerKind", ""),
            (
                "scope",
                "Scope?",
                "LOSS: TENANT or ACCOUNT; REJECT_STORM, DISCONNECT: TENANT or VENUE; LATENCY: VENUE; STALENESS: INSTRUMENT.",
            ),
            ("threshold", "DecimalInput", "In the unit of the kind."),
            ("window_s", "integer?", "For how long what is counted is counted; 60 where absent."),
            ("action", "BreakerAction", ""),
            ("probe_after_s", "integer?", "Trading is tried again after so many seconds; never where absent or 0."),
        ],
    ),
    ("BreakerNamed", Request, &[("kind", "BreakerKind", ""), ("scope", "Scope?", "TENANT where absent.")]),
    ("CloseBreaker", Request, &[("kind", "BreakerKind", ""), ("scope", "Scope?", "TENANT where absent."), ("reason", "string", "")]),
    (
        "Breaker",
        Answer,
        &[
            ("kind", "BreakerKind", ""),
            ("scope", "Scope", ""),
            ("threshold", "Decimal", ""),
            ("window_s", "integer", ""),
            ("action", "BreakerAction", ""),
            ("probe_after_s", "integer", ""),
            ("version", "integer", ""),
            ("state", "BreakerState", ""),
            ("since", "time", ""),
        ],
    ),
    ("SetAdv", Request, &[("symbol", "string", ""), ("adv_qty", "DecimalInput?", "Not known where absent.")]),
    (
        "SetAccountRisk",
        Request,
        &[
            ("account_id", "uuid", ""),
            ("currencies", "[string]?", "Beside its own; none where absent."),
            ("converts", "boolean?", "Whether it may trade in any currency of which a rate is recorded."),
            ("capital", "DecimalInput?", "Its money at the start, in the risk currency; not known where absent."),
        ],
    ),
    ("Restriction", Answer, &[("list", "ListKind", ""), ("scope", "Scope", ""), ("subject", "Scope", ""), ("reason", "string", "")]),
    (
        "Locate",
        Answer,
        &[
            ("account_id", "uuid", ""),
            ("symbol", "string", ""),
            ("qty", "Decimal", ""),
            ("until", "time", ""),
            ("source", "string", ""),
            ("used", "Decimal", "Sold short since the last close of the day, and working."),
        ],
    ),
    ("SelfMatchRule", Answer, &[("scope", "Scope", ""), ("policy", "SelfMatchPolicy", "")]),
    (
        "StrategyEnvelope",
        Answer,
        &[
            ("strategy", "string", ""),
            ("enabled", "boolean", ""),
            ("symbols", "[string]", ""),
            ("max_notional", "Decimal?", ""),
            ("max_order_rate", "integer?", ""),
            ("from_s", "integer?", ""),
            ("until_s", "integer?", ""),
            ("version", "integer", ""),
            ("traded", "Decimal", "Executed since the last close of the day."),
        ],
    ),
    (
        "RiskRules",
        Answer,
        &[
            ("currency", "string", "Of exposures and limits."),
            ("restrictions", "[Restriction]", ""),
            ("locates", "[Locate]", ""),
            ("short_sale_restricted", "[string]", "Symbols under the short-sale price test."),
            ("self_match", "[SelfMatchRule]", ""),
            ("strategies", "[StrategyEnvelope]", ""),
            ("required_limits", "[LimitType]", ""),
            ("throttled", "[Scope]", "Off because they repeated themselves, until a person says otherwise."),
        ],
    ),
    ("HeldOrders", Answer, &[("data", "[Order]", "")]),
];
