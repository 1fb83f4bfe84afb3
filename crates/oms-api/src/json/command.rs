//! The typed commands of `POST /commands/execute`: one list, which the dispatcher, the OpenAPI document and the
//! tests share. A command is an object whose `type` is its wire name; its other fields are those of its shape.

use super::decode::{Fields, bad_field};
use super::read::Value;
use super::{booking, imports, input, leaves, quotes, risk, setup, shadow};
use crate::catalog::Catalog;
use core::fmt::Display;
use core::str::FromStr;
use oms_model::command::{Command, MAX_BATCH, OrderRef};
use oms_model::{Code, OrderId, Refusal};

/// The fields that name an order and the version that is meant.
pub const ORDER_NAMED: &[&str] = &["order_id", "cl_ord_id", "if_version"];
/// The fields of a replace.
pub const ORDER_REPLACE: &[&str] = &["order_id", "cl_ord_id", "if_version", "order_qty", "price", "stop_px", "acknowledged"];
/// The fields of a pass from hand to hand.
pub const ORDER_PASS: &[&str] = &["order_id", "cl_ord_id", "if_version", "to", "text"];
/// The fields of a split.
pub const ORDER_SPLIT: &[&str] = &["order_id", "cl_ord_id", "if_version", "parts"];
/// The fields of a fund's value.
pub const NAV_SET: &[&str] = &["symbol", "nav", "as_of"];
/// The fields that name a limit.
pub const LIMIT_NAMED: &[&str] = &["limit_type", "scope", "period", "soft"];

/// One command: its name and how it is read.
pub struct Spec {
    /// Its wire name.
    pub name: &'static str,
    /// The schema of its fields, of those that [`crate::openapi`] knows.
    pub shape: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// A good request.
    pub example: &'static str,
    /// Whether it cancels or stops trading: it is taken even where ordinary requests are turned away.
    pub protected: bool,
    /// Whether it is done once it is durable, even where it is about an order: no venue has to answer.
    pub at_once: bool,
    decode: fn(&Value<'_>, &Catalog) -> Result<Command, Refusal>,
}

impl Spec {
    /// The command that `fields`, the object without its `type`, asks for.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` naming the field.
    pub fn decode(&self, fields: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
        (self.decode)(fields, catalog)
    }
}

type Decode = fn(&Value<'_>, &Catalog) -> Result<Command, Refusal>;

const fn spec(name: &'static str, shape: &'static str, summary: &'static str, example: &'static str, decode: Decode) -> Spec {
    Spec { name, shape, summary, example, protected: false, at_once: false, decode }
}

const fn protected(spec: Spec) -> Spec {
    Spec { protected: true, ..spec }
}

const fn at_once(spec: Spec) -> Spec {
    Spec { at_once: true, ..spec }
}

/// Every command, by subject.
pub const COMMANDS: &[Spec] = &[
    spec(
        "OrderCreateCmd",
        "NewOrder",
        "Place an order.",
        r#"{"type":"OrderCreateCmd","symbol":"AAPL","side":"BUY","ord_type":"LIMIT","order_qty":"100","price":"19.05"}"#,
        |fields, _| Ok(Command::CreateOrder(Box::new(input::new_order(fields, "")?))),
    ),
    spec(
        "OrderBatchCreateCmd",
        "NewOrders",
        "Place up to 100 orders: each for itself, all or none, or a list of orders that mean something for each other.",
        r#"{"type":"OrderBatchCreateCmd","atomic":true,"orders":[{"symbol":"AAPL","side":"BUY","ord_type":"MARKET","order_qty":"100"}]}"#,
        batch,
    ),
    protected(spec(
        "OrderCancelCmd",
        "OrderNamed",
        "Cancel an order and everything below it.",
        r#"{"type":"OrderCancelCmd","order_id":"00000000-0000-7000-8000-000000000001","if_version":3}"#,
        cancel,
    )),
    spec(
        "OrderReplaceCmd",
        "OrderReplace",
        "Change quantity, price or trigger of an order.",
        r#"{"type":"OrderReplaceCmd","cl_ord_id":"A-1","price":"20.1"}"#,
        replace,
    ),
    spec(
        "QuoteRequestCmd",
        "NewQuoteRequest",
        "Ask dealers for quotes.",
        r#"{"type":"QuoteRequestCmd","symbol":"AAPL","side":"BUY","order_qty":"100","life_ms":5000}"#,
        |fields, _| quotes::new_request(fields),
    ),
    spec(
        "QuoteSubmitCmd",
        "NewQuote",
        "Answer a request for quotes, for a dealer.",
        r#"{"type":"QuoteSubmitCmd","quote_req_id":"00000000-0000-7000-8000-000000000001","dealer":"DEAL","quote_ref":"Q-1","offer_px":"20.1","offer_size":"100","life_ms":1000}"#,
        |fields, _| quotes::new_quote(fields),
    ),
    spec(
        "QuoteAcceptCmd",
        "QuoteAccept",
        "Accept a live quote.",
        r#"{"type":"QuoteAcceptCmd","quote_id":"00000000-0000-7000-8000-000000000001","order_qty":"100"}"#,
        |fields, _| {
            let (quote_id, rest) = take_id(fields, "quote_id")?;
            quotes::acceptance(&rest, quote_id)
        },
    ),
    spec(
        "QuoteWithdrawCmd",
        "QuoteWithdraw",
        "Take a live quote back, for its dealer.",
        r#"{"type":"QuoteWithdrawCmd","quote_id":"00000000-0000-7000-8000-000000000001","dealer":"DEAL"}"#,
        |fields, _| {
            let (quote_id, rest) = take_id(fields, "quote_id")?;
            quotes::withdrawal(&rest, quote_id)
        },
    ),
    protected(spec(
        "QuoteRequestCancelCmd",
        "QuoteRequestNamed",
        "Withdraw a request for quotes.",
        r#"{"type":"QuoteRequestCancelCmd","quote_req_id":"00000000-0000-7000-8000-000000000001"}"#,
        |fields, _| {
            let (quote_req_id, rest) = take_id(fields, "quote_req_id")?;
            Fields::of(&rest, "", &[])?;
            Ok(Command::CancelQuoteRequest { quote_req_id })
        },
    )),
    spec(
        "NavSetCmd",
        "NavSet",
        "Publish a fund's net asset value.",
        r#"{"type":"NavSetCmd","symbol":"AAPL","nav":"101.25","as_of":"2026-01-31T16:00:00Z"}"#,
        |fields, _| {
            let fields = Fields::of(fields, "", NAV_SET)?;
            let symbol = fields.required("symbol", fields.parsed("symbol")?)?;
            let nav = fields.required("nav", fields.amount("nav")?)?;
            Ok(Command::SetNav { symbol, nav, as_of: fields.required("as_of", fields.time("as_of")?)? })
        },
    ),
    at_once(spec(
        "OrderAcceptCmd",
        "OrderNamed",
        "Acknowledge a care order.",
        r#"{"type":"OrderAcceptCmd","cl_ord_id":"A-1"}"#,
        |fields, _| named(fields).map(|(order, if_version)| Command::AcceptOrder { order, if_version }),
    )),
    at_once(spec(
        "OrderClaimCmd",
        "OrderNamed",
        "Take a care order that nobody holds, to work it.",
        r#"{"type":"OrderClaimCmd","cl_ord_id":"A-1"}"#,
        |fields, _| named(fields).map(|(order, if_version)| Command::ClaimOrder { order, if_version }),
    )),
    at_once(spec(
        "OrderPassCmd",
        "OrderPass",
        "Hand a care order to another user, or put it back for anybody to claim.",
        r#"{"type":"OrderPassCmd","cl_ord_id":"A-1","text":"to whom it may concern"}"#,
        pass,
    )),
    spec(
        "OrderSplitCmd",
        "OrderSplit",
        "Work parts of a care order, each with its own terms and routing.",
        r#"{"type":"OrderSplitCmd","cl_ord_id":"A-1","parts":[{"order_qty":"40","price":"19.05"},{"order_qty":"60"}]}"#,
        split,
    ),
    spec(
        "OrderReleaseCmd",
        "OrderNamed",
        "Hand what is unplaced of a care order to the router.",
        r#"{"type":"OrderReleaseCmd","cl_ord_id":"A-1"}"#,
        |fields, _| named(fields).map(|(order, if_version)| Command::ReleaseOrder { order, if_version }),
    ),
    protected(spec(
        "OrderSuspendCmd",
        "OrderNamed",
        "Take the slices of an order that is worked here back, and release none until it is resumed.",
        r#"{"type":"OrderSuspendCmd","cl_ord_id":"A-1"}"#,
        |fields, _| named(fields).map(|(order, if_version)| Command::SuspendOrder { order, if_version }),
    )),
    at_once(spec(
        "OrderResumeCmd",
        "OrderNamed",
        "Go on with an order that was suspended.",
        r#"{"type":"OrderResumeCmd","cl_ord_id":"A-1"}"#,
        |fields, _| named(fields).map(|(order, if_version)| Command::ResumeOrder { order, if_version }),
    )),
    protected(spec(
        "OrderMassCancelCmd",
        "ScopeBody",
        "Cancel every working order in a scope.",
        r#"{"type":"OrderMassCancelCmd","scope":"TENANT"}"#,
        mass_cancel,
    )),
    protected(spec(
        "KillSwitchEngageCmd",
        "ScopeAndReason",
        "Refuse new orders in a scope and cancel the working ones.",
        r#"{"type":"KillSwitchEngageCmd","scope":"TENANT","reason":"drill"}"#,
        engage,
    )),
    spec(
        "KillSwitchReleaseCmd",
        "ScopeAndReason",
        "Take orders in a scope again.",
        r#"{"type":"KillSwitchReleaseCmd","scope":"TENANT","reason":"the drill is over"}"#,
        release,
    ),
    protected(spec(
        "TradingStateSetCmd",
        "SetTradingState",
        "Set the trading state of a scope.",
        r#"{"type":"TradingStateSetCmd","state":"HALTED","reason":"drill"}"#,
        trading_state,
    )),
    spec(
        "RiskLimitSetCmd",
        "SetLimit",
        "Set a limit.",
        r#"{"type":"RiskLimitSetCmd","limit_type":"MAX_ORDER_QTY","scope":"TENANT","value":"5000"}"#,
        leaves::limit_set,
    ),
    spec(
        "LimitScheduleRemoveCmd",
        "ScheduleEnd",
        "Take a scheduled limit away; one that is in force ends at once.",
        r#"{"type":"LimitScheduleRemoveCmd","schedule_id":"00000000-0000-7000-8000-000000000001","reason":"not needed"}"#,
        leaves::schedule_end,
    ),
    spec(
        "RiskLimitsImportCmd",
        "ImportLimits",
        "Take limits over from a list: all of them or none.",
        r#"{"type":"RiskLimitsImportCmd","data":[{"limit_type":"MAX_ORDER_QTY","value":"5000"}],"replace_all":false}"#,
        imports::limits_import,
    ),
    spec(
        "RestrictionsImportCmd",
        "ImportRestrictions",
        "Take restricted and allow lists over: all entries or none.",
        r#"{"type":"RestrictionsImportCmd","data":[{"subject":"INSTRUMENT:AAPL","reason":"insider list"}],"if_revision":3}"#,
        imports::restrictions_import,
    ),
    spec(
        "OverrideGrantCmd",
        "GrantOverride",
        "Give leave for an order like a refused one to break one rule.",
        r#"{"type":"OverrideGrantCmd","cl_ord_id":"A-1","check":"ORDER_QTY","reason":"block trade agreed","life_s":600}"#,
        leaves::override_grant,
    ),
    spec(
        "OverrideConsentCmd",
        "OverrideNamed",
        "Consent to an override, as a second person.",
        r#"{"type":"OverrideConsentCmd","override_id":"00000000-0000-7000-8000-000000000001"}"#,
        leaves::override_consent,
    ),
    protected(spec(
        "OverrideRevokeCmd",
        "OverrideEnd",
        "Take an override back that was not used.",
        r#"{"type":"OverrideRevokeCmd","override_id":"00000000-0000-7000-8000-000000000001","reason":"the deal is off"}"#,
        leaves::override_revoke,
    )),
    spec(
        "OverrideRuleSetCmd",
        "SetOverrideRule",
        "Say who has to consent to overrides, and whether lists may be overridden.",
        r#"{"type":"OverrideRuleSetCmd","second_person":true,"lists":false}"#,
        leaves::override_rule_set,
    ),
    spec(
        "RiskLimitRemoveCmd",
        "LimitNamed",
        "Take a limit away.",
        r#"{"type":"RiskLimitRemoveCmd","limit_type":"MAX_ORDER_QTY","scope":"TENANT"}"#,
        remove_limit,
    ),
    protected(spec(
        "RestrictionSetCmd",
        "SetRestriction",
        "Put an instrument, a class, a venue or an account on a restricted or an allow list.",
        r#"{"type":"RestrictionSetCmd","list":"RESTRICTED","scope":"TENANT","subject":"INSTRUMENT:AAPL","reason":"insider list"}"#,
        risk::restriction_set,
    )),
    spec(
        "RestrictionRemoveCmd",
        "SetRestriction",
        "Take it from the list.",
        r#"{"type":"RestrictionRemoveCmd","list":"RESTRICTED","subject":"INSTRUMENT:AAPL","reason":"published"}"#,
        risk::restriction_remove,
    ),
    spec(
        "LocateSetCmd",
        "SetLocate",
        "Record shares that somebody lends, for short sales of an account.",
        r#"{"type":"LocateSetCmd","account_id":"00000000-0000-7000-8000-000000000001","symbol":"AAPL","qty":"5000","until":"2030-01-02T21:00:00Z","source":"prime broker"}"#,
        risk::locate_set,
    ),
    spec(
        "ShortSaleStateSetCmd",
        "SetShortSaleState",
        "Begin or end the short-sale price test of an instrument.",
        r#"{"type":"ShortSaleStateSetCmd","symbol":"AAPL","restricted":true,"reason":"down ten percent"}"#,
        risk::short_sale_state_set,
    ),
    spec(
        "SelfMatchRuleSetCmd",
        "SetSelfMatchRule",
        "Decide what happens to own orders that would trade against each other.",
        r#"{"type":"SelfMatchRuleSetCmd","scope":"TENANT","policy":"CANCEL_NEWEST"}"#,
        risk::self_match_rule_set,
    ),
    spec(
        "StrategyEnvelopeSetCmd",
        "SetStrategyEnvelope",
        "Set the bounds of a strategy.",
        r#"{"type":"StrategyEnvelopeSetCmd","strategy":"MM-1","symbols":["AAPL"],"max_notional":"1000000","max_order_rate":50}"#,
        risk::strategy_envelope_set,
    ),
    spec(
        "ThrottleResetCmd",
        "ScopeAndReason",
        "Put on again what was turned off because it repeated itself.",
        r#"{"type":"ThrottleResetCmd","scope":"TENANT","reason":"the loop is fixed"}"#,
        risk::throttle_reset,
    ),
    spec(
        "RiskCurrencySetCmd",
        "CurrencyNamed",
        "Choose the currency of exposures and limits.",
        r#"{"type":"RiskCurrencySetCmd","currency":"USD"}"#,
        risk::risk_currency_set,
    ),
    spec(
        "LimitRequireCmd",
        "RequireLimit",
        "Say whether a type of limit must be there for an order to pass.",
        r#"{"type":"LimitRequireCmd","limit_type":"MAX_ORDER_NOTIONAL","required":true}"#,
        risk::limit_require,
    ),
    at_once(spec(
        "OrderApproveCmd",
        "OrderNamed",
        "Agree to a large order that waits, as a second person.",
        r#"{"type":"OrderApproveCmd","cl_ord_id":"A-1","if_version":3}"#,
        risk::order_approve,
    )),
    at_once(protected(spec(
        "OrderTurnDownCmd",
        "OrderTurnDown",
        "Turn a large order that waits down, as a second person.",
        r#"{"type":"OrderTurnDownCmd","cl_ord_id":"A-1","reason":"too large"}"#,
        risk::order_turn_down,
    ))),
    spec(
        "AdvSetCmd",
        "SetAdv",
        "Say what is traded of an instrument in a day on average.",
        r#"{"type":"AdvSetCmd","symbol":"AAPL","adv_qty":"55000000"}"#,
        risk::adv_set,
    ),
    spec(
        "AccountRiskSetCmd",
        "SetAccountRisk",
        "Say in what an account may trade, and what it has.",
        r#"{"type":"AccountRiskSetCmd","account_id":"00000000-0000-7000-8000-000000000001","currencies":["EUR"],"capital":"2500000"}"#,
        risk::account_risk_set,
    ),
    spec(
        "BreakerSetCmd",
        "SetBreaker",
        "Set a breaker: it turns trading off by itself when a figure goes beyond its bound.",
        r#"{"type":"BreakerSetCmd","kind":"LOSS","scope":"TENANT","threshold":"50000","action":"HALTED","probe_after_s":300}"#,
        risk::breaker_set,
    ),
    spec(
        "BreakerRemoveCmd",
        "BreakerNamed",
        "Take a breaker away.",
        r#"{"type":"BreakerRemoveCmd","kind":"LOSS","scope":"TENANT"}"#,
        risk::breaker_remove,
    ),
    spec(
        "BreakerCloseCmd",
        "CloseBreaker",
        "Close a breaker that has tripped, as a person.",
        r#"{"type":"BreakerCloseCmd","kind":"LOSS","scope":"TENANT","reason":"the feed was wrong"}"#,
        risk::breaker_close,
    ),
    spec(
        "ShadowRulesSetCmd",
        "ShadowRulesNamed",
        "Run rules in shadow, beside those in force.",
        r#"{"type":"ShadowRulesSetCmd","name":"tighter","rules":[{"type":"RiskLimitSetCmd","limit_type":"MAX_ORDER_QTY","value":"500"}]}"#,
        shadow::rules_set,
    ),
    spec(
        "ShadowRulesRemoveCmd",
        "ShadowNamed",
        "Run them no more.",
        r#"{"type":"ShadowRulesRemoveCmd","name":"tighter"}"#,
        shadow::rules_remove,
    ),
    spec(
        "ShadowRulesPromoteCmd",
        "ShadowPromote",
        "Make them live, as a second person.",
        r#"{"type":"ShadowRulesPromoteCmd","name":"tighter","reason":"a week without surprises"}"#,
        shadow::rules_promote,
    ),
    spec(
        "PriceBandSetCmd",
        "SetPriceBand",
        "Record between which prices an instrument may be traded (limit up, limit down).",
        r#"{"type":"PriceBandSetCmd","symbol":"AAPL","lower":"190.00","upper":"210.00","until":"2030-01-02T21:00:00Z"}"#,
        risk::price_band_set,
    ),
    spec(
        "PriceBandRemoveCmd",
        "SymbolNamed",
        "Take a price band away.",
        r#"{"type":"PriceBandRemoveCmd","symbol":"AAPL"}"#,
        risk::price_band_remove,
    ),
    spec(
        "PriorCloseSetCmd",
        "SetPriorClose",
        "Record the closing price of an instrument's last trading day; a fall of a tenth from it begins the short-sale price test.",
        r#"{"type":"PriorCloseSetCmd","symbol":"AAPL","price":"200.00"}"#,
        risk::prior_close_set,
    ),
    spec(
        "InFlightRuleSetCmd",
        "SetInFlightRule",
        "Decide what happens to the rest of an order that an execution took beyond a limit.",
        r#"{"type":"InFlightRuleSetCmd","rule":"RECORD"}"#,
        risk::in_flight_rule_set,
    ),
    spec(
        "DeadManArmCmd",
        "ArmDeadMan",
        "Arm a dead-man switch: without heartbeats working orders of its scope are canceled, or its kill switch is engaged.",
        r#"{"type":"DeadManArmCmd","scope":"STRATEGY:MM-1","timeout_s":30,"action":"CANCEL"}"#,
        risk::dead_man_arm,
    ),
    protected(spec(
        "DeadManBeatCmd",
        "DeadManNamed",
        "A heartbeat for a dead-man switch.",
        r#"{"type":"DeadManBeatCmd","scope":"STRATEGY:MM-1"}"#,
        risk::dead_man_beat,
    )),
    spec(
        "DeadManDisarmCmd",
        "DeadManNamed",
        "Take a dead-man switch away.",
        r#"{"type":"DeadManDisarmCmd","scope":"STRATEGY:MM-1"}"#,
        risk::dead_man_disarm,
    ),
    spec(
        "SorPolicySetCmd",
        "SetPolicy",
        "Set a routing policy.",
        r#"{"type":"SorPolicySetCmd","name":"calm","mode":"SWEEP"}"#,
        |fields, _| Ok(Command::SetSorPolicy(Box::new(input::policy(fields)?))),
    ),
    spec(
        "ExecutionCreateCmd",
        "ExecutionCreate",
        "Book an execution by hand, or one in suspense.",
        r#"{"type":"ExecutionCreateCmd","cl_ord_id":"A-1","last_qty":"100","last_px":"19.05","reason":"told by telephone"}"#,
        booking::execution_create,
    ),
    spec(
        "ExecutionCorrectCmd",
        "ExecutionCorrect",
        "Correct an execution's figures.",
        r#"{"type":"ExecutionCorrectCmd","exec_id":"XNAS-1","symbol":"AAPL","last_px":"19.04","reason":"corrected by the venue"}"#,
        booking::execution_correct,
    ),
    spec(
        "ExecutionBustCmd",
        "ExecutionNamed",
        "Take an execution back, because the market did.",
        r#"{"type":"ExecutionBustCmd","exec_id":"XNAS-1","symbol":"AAPL","reason":"clearly erroneous"}"#,
        booking::execution_bust,
    ),
    spec(
        "ExecutionWhackCmd",
        "ExecutionNamed",
        "Undo a wrong booking of ours.",
        r#"{"type":"ExecutionWhackCmd","exec_id":"OWN-7","symbol":"AAPL","reason":"booked twice"}"#,
        booking::execution_whack,
    ),
    spec(
        "SuspenseDismissCmd",
        "SuspenseNamed",
        "Decide that an execution in suspense is not ours.",
        r#"{"type":"SuspenseDismissCmd","venue":"XNAS","exec_id":"XNAS-9","reason":"of another firm"}"#,
        booking::suspense_dismiss,
    ),
    spec(
        "AccountSetCmd",
        "SetAccount",
        "Open an account, or change one.",
        r#"{"type":"AccountSetCmd","name":"growth","currency":"USD"}"#,
        setup::account_set,
    ),
    spec(
        "InstrumentSetCmd",
        "SetInstrument",
        "List an instrument, or change one.",
        r#"{"type":"InstrumentSetCmd","symbol":"MSFT","listing":"XNAS","ticks":[{"from":"0","tick":"0.0001"},{"from":"1","tick":"0.01"}],"max_qty":"1000000"}"#,
        setup::instrument_set,
    ),
    spec(
        "VenueSetCmd",
        "SetVenue",
        "Tell the router of a venue, or change what it knows.",
        r#"{"type":"VenueSetCmd","venue":"IEXG","name":"IEX","taker_fee":"0.0009"}"#,
        setup::venue_set,
    ),
    spec(
        "FxRateSetCmd",
        "SetFxRate",
        "Record a currency rate.",
        r#"{"type":"FxRateSetCmd","from":"EUR","to":"USD","rate":"1.0853"}"#,
        booking::fx_rate,
    ),
    spec(
        "CostMethodSetCmd",
        "SetCostMethod",
        "Choose how realised profit is worked out, before the first execution.",
        r#"{"type":"CostMethodSetCmd","method":"AVERAGE_COST"}"#,
        booking::cost_method,
    ),
    spec(
        "DayCloseCmd",
        "CloseDay",
        "Close the trading day: freeze positions and profit, end DAY orders.",
        r#"{"type":"DayCloseCmd","day":20261121}"#,
        booking::day_close,
    ),
    spec(
        "OrderGroupCmd",
        "NewGroup",
        "Work orders as one.",
        r#"{"type":"OrderGroupCmd","members":["cl_ord_id:A-1","cl_ord_id:A-2"],"mode":"STP"}"#,
        booking::group_orders,
    ),
    at_once(spec(
        "OrderUngroupCmd",
        "GroupEnd",
        "Work the members of a group on their own again.",
        r#"{"type":"OrderUngroupCmd","cl_ord_id":"G-1","reason":"one of them changed their mind"}"#,
        booking::ungroup,
    )),
    at_once(spec(
        "AllocationProposeCmd",
        "GroupNamed",
        "Propose to share out what a MANUAL group has executed; a second person approves.",
        r#"{"type":"AllocationProposeCmd","cl_ord_id":"G-1"}"#,
        booking::propose,
    )),
    at_once(spec(
        "AllocationApproveCmd",
        "AllocationNamed",
        "Approve a proposal as a second person.",
        r#"{"type":"AllocationApproveCmd","alloc_id":"00000000-0000-7000-8000-000000000001"}"#,
        booking::approve,
    )),
    at_once(spec(
        "AllocationRejectCmd",
        "AllocationReject",
        "Turn a proposal down; nothing is booked.",
        r#"{"type":"AllocationRejectCmd","alloc_id":"00000000-0000-7000-8000-000000000001","reason":"the price is wrong"}"#,
        booking::disapprove,
    )),
];

/// Takes `type` out of a request and answers the command that it names; what is left are the command's fields.
///
/// # Errors
/// `VALIDATION_ERROR` where it is absent or unknown; the known ones are listed.
pub fn take_type(value: &mut Value<'_>) -> Result<&'static Spec, Refusal> {
    let bad = |problem: String| {
        let known: Vec<&str> = COMMANDS.iter().map(|spec| spec.name).collect();
        Refusal::new(Code::ValidationError, problem).with("field", "type").with("known", known.join(", "))
    };
    let Value::Object(object) = value else {
        return Err(bad(format!("the body must be an object with a type, not {}", value.kind())));
    };
    let at = object.fields.iter().position(|(name, _)| name == "type").ok_or_else(|| bad("type is required".to_owned()))?;
    match object.fields.remove(at).1 {
        Value::String(name) => COMMANDS.iter().find(|spec| spec.name == name).ok_or_else(|| {
            let shown: String = name.chars().take(64).collect();
            let known: Vec<&str> = COMMANDS.iter().map(|spec| spec.name).collect();
            bad(format!("type {shown:?} is not a command; the commands are {}", known.join(", ")))
        }),
        other => Err(bad(format!("type must be a string, not {}", other.kind()))),
    }
}

/// Takes the id under `name` out of a command; what is left are its other fields.
fn take_id<'a, T: FromStr<Err: Display>>(value: &Value<'a>, name: &str) -> Result<(T, Value<'a>), Refusal> {
    let mut rest = value.clone();
    let found = match &mut rest {
        Value::Object(object) => object.fields.iter().position(|(field, _)| field == name).map(|at| object.fields.remove(at).1),
        _ => None,
    };
    match found {
        Some(Value::String(text)) => Ok((text.parse().map_err(|error| bad_field("", name, error))?, rest)),
        Some(other) if other != Value::Null => Err(bad_field("", name, format_args!("must be a string, not {}", other.kind()))),
        _ => Err(bad_field("", name, "is required")),
    }
}

/// The order that a command names, by exactly one of its ids.
///
/// # Errors
/// `VALIDATION_ERROR` where it names none or two, or the id is none.
pub fn order_ref(fields: &Fields<'_, '_>) -> Result<OrderRef, Refusal> {
    match (fields.parsed::<OrderId>("order_id")?, fields.parsed("cl_ord_id")?) {
        (Some(id), None) => Ok(OrderRef::Id(id)),
        (None, Some(id)) => Ok(OrderRef::ClOrdId(id)),
        (None, None) => Err(fields.bad("order_id", "or cl_ord_id is required")),
        (Some(_), Some(_)) => Err(fields.bad("order_id", "and cl_ord_id are given; name the order by one of them")),
    }
}

fn batch(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    input::batch(value)
}

/// An order and the version that is meant, and nothing else.
fn named(value: &Value<'_>) -> Result<(OrderRef, Option<u32>), Refusal> {
    let fields = Fields::of(value, "", ORDER_NAMED)?;
    Ok((order_ref(&fields)?, fields.count("if_version")?))
}

fn cancel(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    named(value).map(|(order, if_version)| Command::CancelOrder { order, if_version })
}

fn pass(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", ORDER_PASS)?;
    let text = fields.string("text")?.unwrap_or_default();
    if text.len() > input::MAX_REASON {
        return Err(fields.bad("text", format_args!("has {} bytes; the most is {}", text.len(), input::MAX_REASON)));
    }
    Ok(Command::PassOrder {
        order: order_ref(&fields)?,
        to: fields.parsed("to")?,
        text: text.to_owned(),
        if_version: fields.count("if_version")?,
    })
}

fn split(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", ORDER_SPLIT)?;
    let items = fields.required("parts", fields.array("parts")?)?;
    if items.is_empty() || items.len() > MAX_BATCH {
        return Err(fields.bad("parts", format_args!("must hold 1 to {MAX_BATCH} parts, not {}", items.len())));
    }
    let parts = items.iter().enumerate().map(|(n, item)| input::new_part(item, &format!("parts[{n}]."))).collect::<Result<_, _>>()?;
    Ok(Command::SplitOrder { order: order_ref(&fields)?, parts, if_version: fields.count("if_version")? })
}

fn replace(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", ORDER_REPLACE)?;
    let change = input::change_fields(&fields)?;
    Ok(Command::ReplaceOrder { order: order_ref(&fields)?, change, if_version: fields.count("if_version")? })
}

fn mass_cancel(value: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", &["scope"])?;
    fields.required("scope", fields.get("scope"))?;
    Ok(Command::MassCancel { scope: input::scope_field(&fields, catalog)? })
}

const SCOPE_AND_REASON: &[&str] = &["scope", "reason"];

fn engage(value: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
    let (scope, reason) = input::scope_and_reason(&Fields::of(value, "", SCOPE_AND_REASON)?, catalog)?;
    Ok(Command::EngageKillSwitch { scope, reason })
}

fn release(value: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
    let (scope, reason) = input::scope_and_reason(&Fields::of(value, "", SCOPE_AND_REASON)?, catalog)?;
    Ok(Command::ReleaseKillSwitch { scope, reason })
}

fn trading_state(value: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", &["scope", "state", "reason"])?;
    let state = fields.required("state", fields.parsed("state")?)?;
    let (scope, reason) = input::scope_and_reason(&fields, catalog)?;
    Ok(Command::SetTradingState { scope, state, reason })
}

fn remove_limit(value: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", LIMIT_NAMED)?;
    Ok(Command::RemoveRiskLimit(risk::limit_key(&fields, catalog)?))
}

#[cfg(test)]
mod tests;
