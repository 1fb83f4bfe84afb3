//! What a desk is made of.

use super::Shape;
use super::Tense::Request;

pub(super) const SHAPES: &[Shape] = &[
    (
        "SetAccount",
        Request,
        &[
            ("name", "string", "Names the account: one with this name is changed, else one is opened."),
            ("currency", "currency?", "Its base currency; USD for a new account."),
            ("active", "boolean?", "Whether orders are taken; true for a new account."),
            ("currencies", "[currency]?", "The currencies beside its own that it may trade in."),
            ("converts", "boolean?", "Whether it may trade in any currency of which a rate is recorded."),
            ("capital", "DecimalInput?", "Its money at the start, in the risk currency."),
        ],
    ),
    (
        "SetTickStep",
        Request,
        &[("from", "DecimalInput?", "The lowest price of the step; 0 where absent."), ("tick", "DecimalInput", "The price increment.")],
    ),
    ("SetExternalId", Request, &[("source", "SecurityIdSource", "Whose list."), ("security_id", "token", "")]),
    (
        "SetInstrument",
        Request,
        &[
            ("symbol", "token", "Names the instrument: one with this ticker is changed, else one is listed."),
            ("listing", "mic?", "Where it is listed; needed for a new one."),
            ("asset_class", "AssetClass?", "EQUITY for a new one."),
            ("currency", "currency?", "Of its prices; USD for a new one."),
            ("ticks", "[SetTickStep]?", "The tick table, lowest step first; needed for a new one."),
            ("lot", "DecimalInput?", "Quantities are multiples of it; 1 for a new one."),
            ("min_qty", "DecimalInput?", "The smallest order; a lot for a new one."),
            ("max_qty", "DecimalInput?", "The largest order; needed for a new one."),
            ("active", "boolean?", "Whether orders are taken; true for a new one."),
            ("multiplier", "DecimalInput?", "Currency units for one point of price."),
            ("underlying", "token?", "What an option or future is on."),
            ("expiry", "time?", "The end of trading of an option or future."),
            ("strike", "DecimalInput?", ""),
            ("right", "OptionRight?", ""),
            ("settl_method", "SettlMethod?", ""),
            ("settl_days", "count?", "T+n."),
            ("base_currency", "currency?", "Of a currency pair."),
            ("tenor", "token?", "When an FX or money-market deal begins, or how long it runs."),
            ("value_date", "time?", ""),
            ("rate_quoted", "boolean?", "Whether its price is a rate, percent a year."),
            ("cut_off_utc_s", "count?", "A fund's cut-off, seconds after midnight UTC."),
            ("adv_qty", "DecimalInput?", "What is traded of it in a day on average."),
            ("external_ids", "[SetExternalId]?", "Its identifiers in other lists; at most 16."),
        ],
    ),
    (
        "SetVenue",
        Request,
        &[
            ("venue", "mic", "Its MIC: that venue is changed, or is new."),
            ("name", "string?", ""),
            ("maker_fee", "DecimalInput?", "Per unit that adds liquidity; a rebate is negative."),
            ("taker_fee", "DecimalInput?", "Per unit that removes liquidity."),
            ("latency_prior_ns", "count?", "Acknowledgement latency expected before any was measured; a millisecond for a new one."),
            ("fill_prior", "DecimalInput?", "Fills per submission expected before any was seen, 0 to 1; 0.5 for a new one."),
            ("fill_prior_weight", "count?", "How many submissions that prior weighs; 10 for a new one."),
            ("enabled", "boolean?", "Whether orders may be routed there; true for a new one."),
            ("lacks_stops", "boolean?", "Whether it has no stop orders of its own: they are kept here."),
            ("lacks_gtd", "boolean?", "Whether it has no GTD: the end is kept here."),
        ],
    ),
];
