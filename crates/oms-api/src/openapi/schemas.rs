//! The shapes of requests and answers.
//!
//! A shape is a list of (field, type, meaning). A type is a base type, a shape's name, `[T]` for a list,
//! `T?` for one that may be null; in requests a field with `?` may be absent too.

use crate::json::command::{COMMANDS, Spec};
use oms_model::algo::{Algo, Leftover, PegPrice};
use oms_model::event::{Event, Exclusion};
use oms_model::limit::{Check, LimitType, Verdict};
use oms_model::policy::{Exhausted, LatencyStat};
use oms_model::work::{ArmRule, ContingencyType, TriggerSource};
use oms_model::{
    AllocMode, AssetClass, Code, CostMethod, EndedBy, ExecType, Liquidity, OptionRight, OrdState, OrdStatus, OrdType, OrderKind, Pending,
    QuoteReqState, QuoteState, SagaPhase, SecurityIdSource, SettlMethod, Side, SorMode, Source, TimeInForce, TradingState,
};
use serde_json::{Map, Value, json};

type Shape = (&'static str, Tense, &'static [(&'static str, &'static str, &'static str)]);

/// Whether a shape is sent or answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tense {
    Request,
    Answer,
}
use Tense::{Answer, Request};

const TERMS: &[(&str, &[&str])] = &[
    ("Side", Side::NAMES),
    ("OrdType", OrdType::NAMES),
    ("AlgoStrategy", Algo::NAMES),
    ("Leftover", Leftover::NAMES),
    ("PegPrice", PegPrice::NAMES),
    ("TriggerSource", TriggerSource::NAMES),
    ("ContingencyType", ContingencyType::NAMES),
    ("ArmRule", ArmRule::NAMES),
    ("TimeInForce", TimeInForce::NAMES),
    ("OrdState", OrdState::NAMES),
    ("OrderKind", OrderKind::NAMES),
    ("SagaPhase", SagaPhase::NAMES),
    ("OrdStatus", OrdStatus::NAMES),
    ("Pending", Pending::NAMES),
    ("Source", Source::NAMES),
    ("EndedBy", EndedBy::NAMES),
    ("SorMode", SorMode::NAMES),
    ("TradingState", TradingState::NAMES),
    ("Liquidity", Liquidity::NAMES),
    ("ExecType", ExecType::NAMES),
    ("AllocMode", AllocMode::NAMES),
    ("CostMethod", CostMethod::NAMES),
    ("AssetClass", AssetClass::NAMES),
    ("OptionRight", OptionRight::NAMES),
    ("QuoteReqState", QuoteReqState::NAMES),
    ("QuoteState", QuoteState::NAMES),
    ("SettlMethod", SettlMethod::NAMES),
    ("SecurityIdSource", SecurityIdSource::NAMES),
    ("Code", Code::NAMES),
    ("LimitType", LimitType::NAMES),
    ("Check", Check::NAMES),
    ("Verdict", Verdict::NAMES),
    ("Exclusion", Exclusion::NAMES),
    ("LatencyStat", LatencyStat::NAMES),
    ("Exhausted", Exhausted::NAMES),
];

/// The schema of a type.
pub(super) fn schema(name: &str) -> Value {
    if let Some(inner) = name.strip_suffix('?') {
        return json!({"anyOf": [schema(inner), {"type": "null"}]});
    }
    if let Some(item) = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        return json!({"type": "array", "items": schema(item)});
    }
    match name {
        "string" | "integer" | "boolean" | "object" => json!({"type": name}),
        "uuid" => json!({"type": "string", "format": "uuid"}),
        "time" => json!({"type": "string", "format": "date-time"}),
        other => json!({"$ref": format!("#/components/schemas/{other}")}),
    }
}

/// Every named schema.
pub(super) fn all() -> Value {
    let mut schemas = Map::new();
    schemas
        .insert("Decimal".to_owned(), json!({"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$", "description": "An exact decimal."}));
    let input = json!({
        "description": "An exact decimal: a string, or a number written without an exponent. It is never rounded.",
        "oneOf": [{"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$"}, {"type": "number"}]
    });
    schemas.insert("DecimalInput".to_owned(), input);
    let scope = "TENANT, ACCOUNT:<id>, USER:<id>, INSTRUMENT:<symbol> or VENUE:<MIC>.";
    schemas.insert(
        "Scope".to_owned(),
        json!({"type": "string", "description": scope, "pattern": "^(TENANT|(ACCOUNT|USER|INSTRUMENT|VENUE):.+)$"}),
    );
    for (name, terms) in TERMS {
        schemas.insert((*name).to_owned(), json!({"type": "string", "enum": terms}));
    }
    let kinds: Vec<&str> = Event::KINDS.iter().map(|(_, name)| *name).collect();
    schemas.insert("EventType".to_owned(), json!({"type": "string", "enum": kinds}));
    for shape in SHAPES {
        schemas.insert(shape.0.to_owned(), object(shape));
    }
    for spec in COMMANDS {
        schemas.insert(spec.name.to_owned(), command(spec));
    }
    schemas.insert("Command".to_owned(), any_command());
    for (page, item, next) in PAGES {
        let next = json!({"anyOf": [{"type": next}, {"type": "null"}], "description": "The cursor of the next page; null where this is the last."});
        let properties = json!({"data": {"type": "array", "items": schema(item)}, "next": next});
        schemas.insert((*page).to_owned(), json!({"type": "object", "required": ["data", "next"], "properties": properties}));
    }
    Value::Object(schemas)
}

/// A command: the fields of its shape, and its name as `type`.
fn command(spec: &Spec) -> Value {
    let mut object = SHAPES.iter().find(|(name, _, _)| *name == spec.shape).map(object).unwrap_or_default();
    if let Some(required) = object.get_mut("required").and_then(Value::as_array_mut) {
        required.insert(0, json!("type"));
    }
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("type".to_owned(), json!({"const": spec.name}));
    }
    if let Some(map) = object.as_object_mut() {
        map.insert("description".to_owned(), json!(spec.summary));
        let example: Value = serde_json::from_str(spec.example).unwrap_or_default();
        map.insert("example".to_owned(), example);
    }
    object
}

fn any_command() -> Value {
    let each = |spec: &Spec| schema(spec.name);
    json!({"oneOf": COMMANDS.iter().map(each).collect::<Vec<_>>(), "discriminator": {"propertyName": "type"}})
}

const PAGES: &[(&str, &str, &str)] = &[
    ("OrderPage", "Order", "string"),
    ("ExecutionPage", "Execution", "string"),
    ("SuspensePage", "Suspended", "string"),
    ("FrozenPage", "FrozenPosition", "string"),
    ("PositionPage", "Position", "string"),
    ("InstrumentPage", "Instrument", "string"),
    ("VenuePage", "Venue", "string"),
    ("QuoteRequestPage", "QuoteRequest", "string"),
    ("QuotePage", "Quote", "string"),
    ("AllocationPage", "Allocation", "string"),
    ("AccountPage", "Account", "string"),
    ("EventPage", "Event", "integer"),
];

fn object((_, tense, fields): &Shape) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, kind, meaning) in *fields {
        let mut property = schema(kind);
        if let (Some(map), false) = (property.as_object_mut(), meaning.is_empty()) {
            map.insert("description".to_owned(), json!(meaning));
        }
        properties.insert((*name).to_owned(), property);
        if *tense == Answer || !kind.ends_with('?') {
            required.push(*name);
        }
    }
    let mut object = json!({"type": "object", "required": required, "properties": properties});
    if let (Request, Some(map)) = (tense, object.as_object_mut()) {
        map.insert("additionalProperties".to_owned(), json!(false));
    }
    object
}

#[rustfmt::skip]
const SHAPES: &[Shape] = &[
    ("Error", Answer, &[
        ("trace_id", "string", "The trace of the request."),
        ("code", "Code", "What kind."),
        ("message", "string", "A sentence for people."),
        ("details", "object", "Names and values, all strings: `order_id`, `field`, `version`, `sequence`, ..."),
        ("hint", "string", "What to do about it."),
    ]),
    ("Empty", Request, &[]),
    ("Routing", Request, &[
        ("mode", "SorMode?", "How the router places it; the policy says where absent."),
        ("venue", "string?", "The venue, with mode NAMED."),
        ("policy", "string?", "The routing policy; `default` where absent."),
        ("care", "boolean?", "Whether it is staged for a person to work: nothing is sent until they say so."),
    ]),
    ("NewOrder", Request, &[
        ("cl_ord_id", "string?", "The client's id, used once only, ever; 1 to 64 printable characters."),
        ("account_id", "uuid?", "The tenant's only account where absent."),
        ("symbol", "string", "What."),
        ("side", "Side", ""),
        ("ord_type", "OrdType", ""),
        ("order_qty", "DecimalInput?", "How much; absent where `cash_order_qty` says it."),
        ("cash_order_qty", "DecimalInput?", "An amount of the instrument's currency, where the asset class takes it (FUND)."),
        ("price", "DecimalInput?", "For LIMIT and STOP_LIMIT."),
        ("stop_px", "DecimalInput?", "For STOP and STOP_LIMIT."),
        ("quote_id", "uuid?", "The live quote that a PREVIOUSLY_QUOTED order accepts."),
        ("time_in_force", "TimeInForce?", "DAY where absent."),
        ("expire_at", "time?", "For GTD."),
        ("routing", "Routing?", ""),
        ("metadata", "object?", "The client's own object, 8 KiB at most; kept as given."),
        ("trigger_source", "TriggerSource?", "Which price triggers a stop; LAST where absent."),
        ("trail", "Trail?", "For TRAILING_STOP and TRAILING_STOP_LIMIT."),
        ("peg", "Peg?", "For PEGGED."),
        ("max_floor", "DecimalInput?", "The quantity displayed of a LIMIT order."),
        ("good_after", "time?", "Nothing is sent before."),
        ("emulate", "boolean?", "Hold a stop here even where a venue has stops of its own."),
        ("algo", "Algo?", "The algorithm that releases a MARKET or LIMIT order in slices."),
    ]),
    ("Trail", Request, &[
        ("amount", "DecimalInput?", "Distance to the best price seen."),
        ("percent", "DecimalInput?", "The same as a percentage of that price; one of the two."),
        ("limit_offset", "DecimalInput?", "TRAILING_STOP_LIMIT: how far the limit lies beyond the stop."),
    ]),
    ("Peg", Request, &[
        ("peg_price", "PegPrice", "Which price is followed."),
        ("offset", "DecimalInput?", "Above zero is more aggressive for either side."),
        ("cap", "DecimalInput?", "The worst price that the peg may go to."),
    ]),
    ("Algo", Request, &[
        ("strategy", "AlgoStrategy", ""),
        ("start_time", "time?", "The time of the order where absent."),
        ("end_time", "time?", "The end of the order where absent."),
        ("slices", "integer?", "TWAP: how many."),
        ("interval_ms", "integer?", "VWAP, POV, ARRIVAL, TIME_SLICED, PEG: time between two slices or prices."),
        ("variance", "DecimalInput?", "0 to 1: how far a slice may be late, or a displayed part vary."),
        ("max_participation", "DecimalInput?", "0 to 1: of what the market traded since the start."),
        ("min_participation", "DecimalInput?", "POV, 0 to 1: below it the spread is crossed."),
        ("urgency", "DecimalInput?", "ARRIVAL, 0 to 1."),
        ("slice_qty", "DecimalInput?", "TIME_SLICED: of a slice. ICEBERG: displayed."),
        ("curve", "[integer]?", "VWAP: weights of equal parts of the time, 512 at most."),
        ("expected_volume", "DecimalInput?", "VWAP: instead of a curve; the live volume over it is the curve."),
        ("peg", "Peg?", "PEG: the price."),
        ("leftover", "Leftover?", "What happens at the end; CANCEL where absent."),
        ("seed", "integer?", "The same seed gives the same slices."),
    ]),
    ("NewOrders", Request, &[
        ("atomic", "boolean?", "Whether one refusal refuses all; false where absent."),
        ("contingency", "ContingencyType?", "What the orders mean for each other; then they are all taken or none."),
        ("arm", "ArmRule?", "When the first one arms the others; FULL_FILL where absent."),
        ("orders", "[NewOrder]", "1 to 100."),
    ]),
    ("Change", Request, &[
        ("order_qty", "DecimalInput?", "New total quantity, executed part included."),
        ("price", "DecimalInput?", ""),
        ("stop_px", "DecimalInput?", ""),
    ]),
    ("OrderNamed", Request, ORDER_NAMED),
    ("OrderReplace", Request, &[
        ("order_id", "uuid?", "This or cl_ord_id."),
        ("cl_ord_id", "string?", "This or order_id."),
        ("if_version", "integer?", "Refused where it is not the current version."),
        ("order_qty", "DecimalInput?", "New total quantity, executed part included."),
        ("price", "DecimalInput?", ""),
        ("stop_px", "DecimalInput?", ""),
    ]),
    ("NewQuoteRequest", Request, &[
        ("account_id", "uuid?", "The tenant's only account where absent."),
        ("symbol", "string", "What."),
        ("side", "Side?", "Both sides where absent."),
        ("order_qty", "DecimalInput", "How much."),
        ("dealers", "[string]?", "The dealers to ask; all of them where absent."),
        ("life_ms", "integer?", "How long it may be answered and accepted; 30000 where absent."),
    ]),
    ("NewQuote", Request, &[
        ("quote_req_id", "uuid", ""),
        ("dealer", "string", "The venue that an order on it goes to."),
        ("quote_ref", "string", "The dealer's own id."),
        ("bid_px", "DecimalInput?", "At what the dealer buys."),
        ("bid_size", "DecimalInput?", ""),
        ("offer_px", "DecimalInput?", "At what the dealer sells."),
        ("offer_size", "DecimalInput?", ""),
        ("life_ms", "integer", "Never longer than its request."),
        ("replaces", "uuid?", "The dealer's live quote that it takes the place of."),
    ]),
    ("Acceptance", Request, &[
        ("side", "Side?", "Needed where the request asked for both sides."),
        ("order_qty", "DecimalInput?", "What was asked for where absent."),
        ("cl_ord_id", "string?", "The client's id of the order."),
    ]),
    ("QuoteAccept", Request, &[
        ("quote_id", "uuid", ""),
        ("side", "Side?", "Needed where the request asked for both sides."),
        ("order_qty", "DecimalInput?", "What was asked for where absent."),
        ("cl_ord_id", "string?", "The client's id of the order."),
    ]),
    ("QuoteWithdraw", Request, &[("quote_id", "uuid", ""), ("dealer", "string", "Whose quote it is."), ("text", "string?", "Why.")]),
    ("QuoteRequestNamed", Request, &[("quote_req_id", "uuid", "")]),
    ("NavSet", Request, &[("symbol", "string", "The fund."), ("nav", "DecimalInput", "Currency per unit."), ("as_of", "time", "The valuation point.")]),
    ("Withdrawal", Request, &[("dealer", "string", "Whose quote it is."), ("text", "string?", "Why.")]),
    ("SetNav", Request, &[("nav", "DecimalInput", "Currency per unit."), ("as_of", "time", "The valuation point.")]),
    ("QuoteRequest", Answer, &[
        ("quote_req_id", "uuid", ""),
        ("account_id", "uuid", ""),
        ("user_id", "uuid", ""),
        ("symbol", "string", ""),
        ("side", "Side?", "Null asks for both sides."),
        ("order_qty", "Decimal", ""),
        ("dealers", "[string]", "All where it is empty."),
        ("expire_at", "time", ""),
        ("state", "QuoteReqState", ""),
        ("quotes", "[uuid]", "Its quotes, oldest first."),
        ("order_id", "uuid?", "The order that accepted one of them."),
        ("version", "integer", ""),
        ("created_seq", "integer", ""),
        ("created_at", "time", ""),
        ("updated_at", "time", ""),
    ]),
    ("Quote", Answer, &[
        ("quote_id", "uuid", ""),
        ("quote_req_id", "uuid", ""),
        ("dealer", "string", ""),
        ("quote_ref", "string", "The dealer's own id."),
        ("bid_px", "Decimal?", "At what the dealer buys."),
        ("bid_size", "Decimal", ""),
        ("offer_px", "Decimal?", "At what the dealer sells."),
        ("offer_size", "Decimal", ""),
        ("valid_until", "time", "It is dead from then on."),
        ("state", "QuoteState", ""),
        ("replaced_by", "uuid?", ""),
        ("order_id", "uuid?", "The order that accepted it."),
        ("text", "string?", "Why it ended."),
        ("created_seq", "integer", ""),
        ("created_at", "time", ""),
        ("updated_at", "time", ""),
    ]),
    ("OrderPass", Request, &[
        ("order_id", "uuid?", "This or cl_ord_id."),
        ("cl_ord_id", "string?", "This or order_id."),
        ("if_version", "integer?", "Refused where it is not the current version."),
        ("to", "uuid?", "The user; put back for anybody to claim where absent."),
        ("text", "string?", "Why, in words."),
    ]),
    ("OrderSplit", Request, &[
        ("order_id", "uuid?", "This or cl_ord_id."),
        ("cl_ord_id", "string?", "This or order_id."),
        ("if_version", "integer?", "Refused where it is not the current version."),
        ("parts", "[NewPart]", "1 to 100, all of them or none."),
    ]),
    ("NewPart", Request, &[
        ("cl_ord_id", "string?", ""),
        ("order_qty", "DecimalInput", "No more than what is unplaced."),
        ("ord_type", "OrdType?", "That of the order above where absent, as all that follows."),
        ("price", "DecimalInput?", "Never worse than that of the order above."),
        ("stop_px", "DecimalInput?", ""),
        ("time_in_force", "TimeInForce?", "Never longer than that of the order above."),
        ("expire_at", "time?", ""),
        ("routing", "Routing?", ""),
    ]),
    ("LimitNamed", Request, &[("limit_type", "LimitType", ""), ("scope", "Scope?", "TENANT where absent.")]),
    ("ExecutionCreate", Request, &[
        ("order_id", "uuid?", "The order that was executed, by our id: a leg, or an order of which that much is with no part."),
        ("cl_ord_id", "string?", "The same, by yours."),
        ("account_id", "uuid?", "Without an order: whose; the only account where absent."),
        ("symbol", "string?", "Without an order."),
        ("side", "Side?", "Without an order."),
        ("exec_id", "string?", "The venue's id of it; one of ours is made where absent."),
        ("venue", "string?", "Where; the leg's venue on a leg."),
        ("last_qty", "Decimal?", "Required unless from_suspense."),
        ("last_px", "Decimal?", "Required unless from_suspense."),
        ("fee", "Decimal?", "The whole charge in the instrument's currency."),
        ("liquidity", "Liquidity?", "REMOVED where absent."),
        ("transact_time", "time?", "Now where absent."),
        ("from_suspense", "boolean?", "true: the figures are those of the execution in suspense that venue and exec_id name."),
        ("reason", "string", "1 to 1000 bytes."),
    ]),
    ("ExecutionNamed", Request, EXECUTION_NAMED),
    ("ExecutionCorrect", Request, &[
        ("exec_id", "string", "The venue's id of it."),
        ("symbol", "string", ""),
        ("account_id", "uuid?", "The only account where absent."),
        ("venue", "string?", "Needed where several venues gave this id."),
        ("last_qty", "Decimal?", "Stays where absent."),
        ("last_px", "Decimal?", "Stays where absent."),
        ("fee", "Decimal?", "Stays where absent."),
        ("reason", "string", "1 to 1000 bytes."),
    ]),
    ("SuspenseNamed", Request, &[("venue", "string", ""), ("exec_id", "string", ""), ("reason", "string", "1 to 1000 bytes.")]),
    ("SetFxRate", Request, &[
        ("from", "string", "A currency code."),
        ("to", "string", "Another one."),
        ("rate", "Decimal", "One unit of `from` in units of `to`; above zero."),
    ]),
    ("CloseDay", Request, &[("day", "integer", "The day that it is, as a number: 20261121.")]),
    ("SetCostMethod", Request, &[("method", "CostMethod", "")]),
    ("ScopeBody", Request, &[("scope", "Scope", "")]),
    ("ScopeAndReason", Request, &[("scope", "Scope?", "TENANT where absent."), ("reason", "string", "1 to 1024 bytes.")]),
    ("SetTradingState", Request, &[
        ("scope", "Scope?", "TENANT where absent."),
        ("state", "TradingState", ""),
        ("reason", "string", "1 to 1024 bytes."),
    ]),
    ("SetLimit", Request, &[
        ("limit_type", "LimitType", ""),
        ("scope", "Scope?", "TENANT where absent."),
        ("value", "DecimalInput", "In the unit of the type."),
    ]),
    ("SetWeights", Request, &[
        ("price", "DecimalInput?", "0 where absent."),
        ("latency", "DecimalInput?", "0 where absent."),
        ("fill", "DecimalInput?", "0 where absent."),
        ("fee", "DecimalInput?", "0 where absent."),
    ]),
    ("SetPolicy", Request, &[
        ("name", "string?", "`default` where absent."),
        ("mode", "SorMode?", ""),
        ("weights", "SetWeights?", "Each 0 to 1; normalised by their sum."),
        ("price_range_bps", "integer?", "So many basis points worse than the best price score zero."),
        ("max_quote_age_ms", "integer?", "Older quotes exclude a venue."),
        ("fee_adjusted", "boolean?", ""),
        ("latency_stat", "LatencyStat?", ""),
        ("cap_to_displayed", "boolean?", ""),
        ("min_leg_qty", "DecimalInput?", ""),
        ("max_replans", "integer?", ""),
        ("stage_timeout_ms", "integer?", "How long a venue has under STAGED routing before the rest goes on; 5000 where absent."),
        ("exhausted", "Exhausted?", "What happens once the re-plans are used up."),
        ("allow", "[string]?", "If not empty, only these venues."),
        ("deny", "[string]?", "Never these venues."),
    ]),
    ("Doubt", Answer, &[("kind", "string", "IN_DOUBT."), ("intent", "string", ""), ("since", "time", ""), ("reason", "string", "")]),
    ("Terms", Answer, &[("order_qty", "Decimal", ""), ("price", "Decimal?", ""), ("stop_px", "Decimal?", "")]),
    ("RoutingAsked", Answer, &[("mode", "SorMode?", ""), ("venue", "string?", ""), ("policy", "string?", ""), ("care", "boolean", "Whether a person works it.")]),
    ("Order", Answer, ORDER),
    ("Work", Answer, WORK),
    ("OrderTree", Answer, &[("children", "[OrderTree]", "Its parts, oldest first; every field of Order stands beside it.")]),
    ("PlacedOrder", Answer, &[
        ("index", "integer", "Its place in the request."),
        ("status", "string", "ACCEPTED; REFUSED (recorded, with `order` and `error`); INVALID (not recorded, with `error`)."),
    ]),
    ("PlacedOrders", Answer, &[
        ("command_id", "uuid", ""),
        ("sequence", "integer", ""),
        ("atomic", "boolean", ""),
        ("results", "[PlacedOrder]", ""),
    ]),
    ("CommandResult", Answer, &[
        ("command_id", "uuid", ""),
        ("status", "string", "APPLIED, or PENDING where venues have to answer."),
        ("sequence", "integer", "The last event that the command led to."),
        ("ids", "[uuid]", "What it created or concerns."),
        ("results", "[CommandItem]", "One for each order, in the order of the request; empty where it is about none."),
    ]),
    ("CommandItem", Answer, &[
        ("id", "uuid?", "Null where nothing was recorded."),
        ("status", "string", "ACCEPTED; APPLIED; PENDING; REFUSED (recorded); INVALID (not recorded)."),
        ("version", "integer?", ""),
        ("error", "Refusal?", ""),
    ]),
    ("ChangeResult", Answer, &[
        ("command_id", "uuid", ""),
        ("status", "string", "PENDING, APPLIED or REFUSED."),
        ("sequence", "integer", ""),
        ("order_id", "uuid", ""),
        ("version", "integer", ""),
        ("text", "string?", "The words of the decision."),
    ]),
    ("OrderVersion", Answer, &[("order_id", "uuid", ""), ("version", "integer", "")]),
    ("Saga", Answer, &[
        ("phase", "SagaPhase", "FORWARD while parts are changed, BACK while they are put back."),
        ("step", "integer", "From 1."),
        ("part", "uuid?", "The part that it waits for."),
        ("text", "string", "Why it goes back."),
    ]),
    ("Stage", Answer, &[("leg", "uuid", "The leg at the stage's venue."), ("until", "time", "When what it has not executed goes on.")]),
    ("Care", Answer, &[
        ("accepted_by", "uuid?", "Who acknowledged it."),
        ("holder", "uuid?", "Who works it; null while it waits for somebody to claim it."),
        ("since", "time", "Since when that is so."),
    ]),
    ("MassCancelResult", Answer, &[
        ("command_id", "uuid", ""),
        ("status", "string", "PENDING."),
        ("sequence", "integer", ""),
        ("count", "integer", ""),
        ("orders", "[OrderVersion]", ""),
    ]),
    ("Done", Answer, &[("command_id", "uuid", ""), ("status", "string", "APPLIED."), ("sequence", "integer", "")]),
    ("Execution", Answer, &[
        ("seq", "integer", ""),
        ("exec_id", "string", ""),
        ("order_id", "uuid?", "The leg; null where it was booked on an account."),
        ("root_order_id", "uuid?", ""),
        ("account_id", "uuid", ""),
        ("symbol", "string", ""),
        ("side", "Side", ""),
        ("venue", "string", "XOFF where it was traded on none."),
        ("last_qty", "Decimal", ""),
        ("last_px", "Decimal", ""),
        ("liquidity", "Liquidity", ""),
        ("fee", "Decimal", "A rebate is negative."),
        ("transact_time", "time", "By the venue's clock."),
        ("recorded_at", "time", ""),
        ("exec_type", "ExecType", "What became of it; the figures are as they are now."),
        ("manual", "boolean", "A person booked it."),
    ]),
    ("Suspended", Answer, &[
        ("seq", "integer", ""),
        ("exec_id", "string", ""),
        ("venue", "string", ""),
        ("wire_id", "string", "The id that the venue gave as ours."),
        ("last_qty", "Decimal", ""),
        ("last_px", "Decimal", ""),
        ("transact_time", "time", "By the venue's clock."),
        ("recorded_at", "time", ""),
        ("exec_ref", "string?", "The execution that it takes back or corrects."),
    ]),
    ("Reason", Request, &[("reason", "string", "Why, in words; kept in the log.")]),
    ("NewGroup", Request, &[
        ("cl_ord_id", "string?", "The id that the group goes by."),
        ("members", "[string]", "2 to 1000 orders: ids, or `cl_ord_id:` and yours. One instrument, side and type; nothing of them at a venue."),
        ("account_id", "uuid?", "The account that it executes in; needed where the members are of several."),
        ("price", "Decimal?", "Its limit; the strictest of the members' where absent."),
        ("mode", "AllocMode?", "STP where absent."),
        ("routing", "Routing?", ""),
    ]),
    ("GroupNamed", Request, &[("order_id", "uuid?", "The group, by its id"), ("cl_ord_id", "string?", "or by yours; exactly one of them.")]),
    ("GroupEnd", Request, &[
        ("order_id", "uuid?", "The group, by its id"),
        ("cl_ord_id", "string?", "or by yours; exactly one of them."),
        ("reason", "string", "Why, in words; kept in the log."),
    ]),
    ("AllocationNamed", Request, &[("alloc_id", "uuid", "")]),
    ("AllocationReject", Request, &[("alloc_id", "uuid", ""), ("reason", "string", "Why, in words; kept in the log.")]),
    ("GroupCreated", Answer, &[("group_order_id", "uuid", ""), ("command_id", "uuid", ""), ("sequence", "integer", "")]),
    ("GroupMember", Answer, &[
        ("order_id", "uuid", ""),
        ("account_id", "uuid", ""),
        ("remaining", "Decimal", "What it had left when it was grouped."),
        ("qty", "Decimal", "What it was given so far."),
        ("notional", "Decimal", "Its exact value."),
    ]),
    ("Group", Answer, &[
        ("group_order_id", "uuid", ""),
        ("cl_ord_id", "string", ""),
        ("account_id", "uuid", "It executes in this account."),
        ("symbol", "string", ""),
        ("side", "Side", ""),
        ("mode", "AllocMode", ""),
        ("ord_status", "OrdStatus", ""),
        ("order_qty", "Decimal", ""),
        ("cum_qty", "Decimal", ""),
        ("alloc_qty", "Decimal", "Of `cum_qty`, what is shared out."),
        ("avg_px", "Decimal?", ""),
        ("member_count", "integer", ""),
        ("members", "[GroupMember]", ""),
    ]),
    ("GroupList", Answer, &[("data", "[Group]", "")]),
    ("AllocShare", Answer, &[
        ("order_id", "uuid", ""),
        ("account_id", "uuid", ""),
        ("created_at", "time", "The older order is first among equals."),
        ("remaining", "Decimal", "What it had left when it was grouped."),
        ("qty", "Decimal", ""),
        ("notional", "Decimal", "Exact."),
    ]),
    ("Allocation", Answer, &[
        ("status", "string", "PROPOSED or BOOKED."),
        ("alloc_id", "uuid", ""),
        ("group_order_id", "uuid", ""),
        ("account_id", "uuid", ""),
        ("symbol", "string", ""),
        ("side", "Side", ""),
        ("rule", "integer", "The version of the rule; with the other fields it gives the shares again."),
        ("qty", "Decimal", "Everything shared out of the group."),
        ("notional", "Decimal", "Exact."),
        ("avg_px", "Decimal?", ""),
        ("lot", "Decimal", ""),
        ("transact_time", "time", "The last execution."),
        ("shares", "[AllocShare]", ""),
    ]),
    ("AllocationList", Answer, &[("data", "[Allocation]", "")]),
    ("Overfill", Answer, &[
        ("order_id", "uuid", ""),
        ("cl_ord_id", "string", ""),
        ("account_id", "uuid", ""),
        ("symbol", "string", ""),
        ("side", "Side", ""),
        ("order_qty", "Decimal", ""),
        ("cum_qty", "Decimal", ""),
        ("over_qty", "Decimal", "Executed beyond what was ordered."),
    ]),
    ("OverfillList", Answer, &[("data", "[Overfill]", "")]),
    ("AccountPnl", Answer, &[
        ("account_id", "uuid", ""),
        ("base_currency", "string", ""),
        ("realized", "Decimal", "Since the last closed day, fees not included; what has a rate."),
        ("fees", "Decimal", "Since the last closed day."),
        ("unrealized", "Decimal", "Of everything that is open, where there is a mark and a rate."),
        ("net", "Decimal", "Realised and unrealised less fees."),
        ("unmarked", "integer", "Open positions without a mark."),
        ("unconverted", "integer", "Positions whose currency has no rate to the base currency; they are not in the sums."),
    ]),
    ("PnlToday", Answer, &[
        ("last_closed_day", "integer?", "The day before, as a number: 20261121."),
        ("data", "[AccountPnl]", "By account."),
    ]),
    ("FrozenPosition", Answer, &[
        ("seq", "integer", ""),
        ("day", "integer", "As a number: 20261121."),
        ("account_id", "uuid", ""),
        ("symbol", "string", ""),
        ("qty", "Decimal", ""),
        ("cost", "Decimal", ""),
        ("realized", "Decimal", "Since the beginning."),
        ("fees", "Decimal", "Since the beginning."),
        ("realized_day", "Decimal", ""),
        ("fees_day", "Decimal", ""),
        ("mark", "Decimal?", ""),
        ("unrealized", "Decimal?", ""),
        ("currency", "string", ""),
        ("base_currency", "string", ""),
        ("fx_rate", "Decimal?", "The rate that held when the day was closed."),
        ("realized_day_base", "Decimal?", ""),
        ("fees_day_base", "Decimal?", ""),
        ("unrealized_base", "Decimal?", ""),
    ]),
    ("FxRate", Answer, &[
        ("from", "string", ""),
        ("to", "string", ""),
        ("rate", "Decimal", "One unit of `from` in units of `to`."),
        ("at", "time", "Since when it holds."),
    ]),
    ("FxRateList", Answer, &[("data", "[FxRate]", "")]),
    ("Lot", Answer, &[("qty", "Decimal", "Below zero for a short lot."), ("price", "Decimal", "")]),
    ("Position", Answer, &[
        ("account_id", "uuid", ""),
        ("symbol", "string", ""),
        ("qty", "Decimal", "Bought less sold."),
        ("avg_cost", "Decimal?", ""),
        ("cost", "Decimal", ""),
        ("bought_qty", "Decimal", ""),
        ("bought_notional", "Decimal", ""),
        ("sold_qty", "Decimal", ""),
        ("sold_notional", "Decimal", ""),
        ("realized", "Decimal", "By the tenant's cost method, fees not included."),
        ("fees", "Decimal", ""),
        ("mark", "Decimal?", "The last trade, or the middle of the best quotes."),
        ("mark_at", "time?", ""),
        ("market_value", "Decimal?", ""),
        ("unrealized", "Decimal?", ""),
        ("lots", "[Lot]", "Open lots, oldest first."),
    ]),
    ("TickStep", Answer, &[("from", "Decimal", ""), ("tick", "Decimal", "")]),
    ("Instrument", Answer, &[
        ("symbol", "string", ""),
        ("instrument_id", "integer", ""),
        ("listing", "string", ""),
        ("asset_class", "AssetClass", ""),
        ("currency", "string", ""),
        ("ticks", "[TickStep]", "From each price upwards, prices are multiples of the tick."),
        ("lot", "Decimal", ""),
        ("min_qty", "Decimal", ""),
        ("max_qty", "Decimal", ""),
        ("active", "boolean", ""),
        ("fractional", "boolean", "Whether fractions of a unit are traded."),
        ("multiplier", "Decimal?", "Currency units for one point of price; one where null."),
        ("underlying", "string?", "What an option or future is on."),
        ("expiry", "time?", "The end of trading of an option or future."),
        ("strike", "Decimal?", ""),
        ("right", "OptionRight?", ""),
        ("settl_method", "SettlMethod?", ""),
        ("settl_days", "integer", "T+n."),
        ("base_currency", "string?", "Of a currency pair."),
        ("tenor", "string?", "When an FX or money-market deal begins, or how long it runs."),
        ("value_date", "time?", ""),
        ("rate_quoted", "boolean", "Whether its price is a rate, percent a year."),
        ("cut_off_utc_s", "integer?", "A fund's cut-off, seconds after midnight UTC."),
        ("nav", "Decimal?", "A fund's last net asset value per unit."),
        ("nav_at", "time?", ""),
        ("external_ids", "[ExternalId]", "Its identifiers in other lists."),
    ]),
    ("ExternalId", Answer, &[("source", "SecurityIdSource", ""), ("security_id", "string", "")]),
    ("Venue", Answer, VENUE),
    ("Account", Answer, &[("account_id", "uuid", ""), ("name", "string", ""), ("currency", "string", ""), ("active", "boolean", "")]),
    ("VenueQuote", Answer, &[
        ("venue", "string", ""),
        ("bid", "Decimal?", ""),
        ("bid_size", "Decimal?", ""),
        ("ask", "Decimal?", ""),
        ("ask_size", "Decimal?", ""),
        ("halted", "boolean", ""),
        ("updated_at", "time?", ""),
    ]),
    ("MarketSnapshot", Answer, &[
        ("symbol", "string", ""),
        ("version", "integer", "Raised by every change."),
        ("bid", "Decimal?", ""),
        ("bid_size", "Decimal?", ""),
        ("ask", "Decimal?", ""),
        ("ask_size", "Decimal?", ""),
        ("mid", "Decimal?", ""),
        ("last", "Decimal?", ""),
        ("last_size", "Decimal?", ""),
        ("last_at", "time?", ""),
        ("updated_at", "time?", ""),
        ("venues", "[VenueQuote]", ""),
    ]),
    ("Actor", Answer, &[("tenant_id", "uuid", ""), ("user_id", "uuid", ""), ("api_key_id", "uuid?", ""), ("source", "Source", "")]),
    ("Event", Answer, &[
        ("sequence", "integer", ""),
        ("type", "EventType", ""),
        ("time", "time", ""),
        ("order_id", "uuid?", ""),
        ("command_id", "uuid", "What caused it."),
        ("trace_id", "string", ""),
        ("actor", "Actor", ""),
        ("data", "object", "What it says; its fields are those of the type."),
    ]),
    ("CheckResult", Answer, &[
        ("check", "Check", ""),
        ("verdict", "Verdict", ""),
        ("code", "Code?", ""),
        ("scope", "Scope", "Whose limit decided."),
        ("value", "Decimal?", ""),
        ("limit", "Decimal?", ""),
        ("limit_version", "integer", "0 where it is not a configured limit."),
    ]),
    ("Candidate", Answer, &[
        ("venue", "string", ""),
        ("excluded", "Exclusion?", "Why it was left out."),
        ("bid", "Decimal?", ""),
        ("bid_size", "Decimal", ""),
        ("ask", "Decimal?", ""),
        ("ask_size", "Decimal", ""),
        ("quote_age_ns", "integer", ""),
        ("latency_ns", "integer", ""),
        ("fill_probability", "Decimal", ""),
        ("fee", "Decimal", ""),
        ("price_score", "Decimal", ""),
        ("latency_score", "Decimal", ""),
        ("fill_score", "Decimal", ""),
        ("fee_score", "Decimal", ""),
        ("score", "Decimal", ""),
    ]),
    ("Leg", Answer, &[
        ("order_id", "uuid?", "Null in a preview."),
        ("venue", "string", ""),
        ("qty", "Decimal", ""),
        ("price", "Decimal?", ""),
        ("time_in_force", "TimeInForce", ""),
        ("aggressive", "boolean", "Whether it was priced to trade at once."),
    ]),
    ("Route", Answer, &[
        ("attempt", "integer", ""),
        ("policy", "string", ""),
        ("policy_version", "integer", ""),
        ("mode", "SorMode", ""),
        ("bid", "Decimal?", ""),
        ("ask", "Decimal?", ""),
        ("replan_reason", "string?", ""),
        ("place_qty", "Decimal", ""),
        ("candidates", "[Candidate]", "Every venue considered."),
        ("legs", "[Leg]", ""),
    ]),
    ("Estimate", Answer, &[
        ("qty", "Decimal", ""),
        ("avg_px", "Decimal?", ""),
        ("notional", "Decimal", ""),
        ("fees", "Decimal", ""),
        ("shortfall", "Decimal?", "Cost against the middle of the best quotes."),
    ]),
    ("Refusal", Answer, &[("code", "Code", ""), ("message", "string", ""), ("details", "object", ""), ("hint", "string", "")]),
    ("Preview", Answer, &[
        ("accepted", "boolean", ""),
        ("refusal", "Refusal?", ""),
        ("checks", "[CheckResult]", ""),
        ("route", "Route?", ""),
        ("estimate", "Estimate?", "If every leg were executed at the quote it was planned with."),
    ]),
    ("Step", Answer, &[
        ("sequence", "integer", ""),
        ("time", "time", ""),
        ("type", "EventType", ""),
        ("order_id", "uuid?", ""),
        ("venue", "string?", ""),
        ("text", "string", ""),
    ]),
    ("WhyValidation", Answer, &[("passed", "boolean", "Where false: `code`, `text` and `sequence` stand beside it.")]),
    ("WhyChecks", Answer, &[("sequence", "integer", ""), ("time", "time", ""), ("order_id", "uuid", ""), ("results", "[CheckResult]", "")]),
    ("WhyLeg", Answer, &[("summary", "string", ""), ("order", "Order", ""), ("answers", "[Step]", "")]),
    ("TaskResult", Answer, &[
        ("task", "string", "VALIDATE_TRANSACTION, VALIDATE_ORDER, BUSINESS_RULES, TRANSITION, RISK, ROUTE, PERSIST or PUBLISH."),
        ("result", "string", "PASSED, FAILED (it refused the order) or SKIPPED (its precondition did not hold)."),
        ("sequence", "integer?", "The event that says so."),
        ("text", "string", ""),
    ]),
    ("Why", Answer, &[
        ("asked_order_id", "uuid", ""),
        ("summary", "string", ""),
        ("order", "Order", "The client order as it stands."),
        ("validation", "WhyValidation", ""),
        ("pipeline", "[TaskResult]", "The way in, task by task."),
        ("checks", "[WhyChecks]", ""),
        ("routes", "[Route]", "Each with its `sequence`, `time` and `order_id`."),
        ("parts", "[WhyLeg]", "What it is worked in on the way to the venues: parts, groups, slices."),
        ("legs", "[WhyLeg]", ""),
        ("timeline", "[Step]", "Each with `state`, `cum_qty`, `leaves_qty` and `place_qty` where it is about an order."),
    ]),
    ("Limit", Answer, &[("limit_type", "LimitType", ""), ("scope", "Scope", ""), ("value", "Decimal", ""), ("version", "integer", "")]),
    ("LimitList", Answer, &[("data", "[Limit]", "")]),
    ("LimitUse", Answer, &[
        ("limit_type", "LimitType", ""),
        ("scope", "Scope", ""),
        ("value", "Decimal", ""),
        ("version", "integer", ""),
        ("used", "Decimal?", "Null where the limit bounds each order by itself."),
        ("headroom", "Decimal?", ""),
    ]),
    ("ScopedState", Answer, &[("scope", "Scope", ""), ("state", "TradingState", "")]),
    ("OpenUse", Answer, &[("scope", "Scope", ""), ("orders", "integer", ""), ("notional", "Decimal", "")]),
    ("RiskStatus", Answer, &[
        ("kill_switches", "[Scope]", ""),
        ("trading_states", "[ScopedState]", "The tenant's, and every other that is not ACTIVE."),
        ("open", "[OpenUse]", ""),
        ("limits", "[LimitUse]", ""),
        ("in_doubt", "integer", "Legs whose outcome is not known."),
    ]),
    ("KillSwitches", Answer, &[("engaged", "[Scope]", "")]),
    ("Weights", Answer, &[("price", "Decimal", ""), ("latency", "Decimal", ""), ("fill", "Decimal", ""), ("fee", "Decimal", "")]),
    ("Policy", Answer, &[
        ("name", "string", ""),
        ("version", "integer", ""),
        ("mode", "SorMode", ""),
        ("weights", "Weights", ""),
        ("price_range_bps", "integer", ""),
        ("max_quote_age_ms", "integer", ""),
        ("fee_adjusted", "boolean", ""),
        ("latency_stat", "LatencyStat", ""),
        ("cap_to_displayed", "boolean", ""),
        ("min_leg_qty", "Decimal", ""),
        ("max_replans", "integer", ""),
        ("stage_timeout_ms", "integer", ""),
        ("exhausted", "Exhausted", ""),
        ("allow", "[string]", ""),
        ("deny", "[string]", ""),
    ]),
    ("PolicyList", Answer, &[("data", "[Policy]", "")]),
    ("FillCount", Answer, &[("submitted", "integer", ""), ("filled", "integer", ""), ("fill_probability", "Decimal", "")]),
    ("VenueStatistic", Answer, &[
        ("venue", "string", ""),
        ("name", "string", ""),
        ("maker_fee", "Decimal", ""),
        ("taker_fee", "Decimal", ""),
        ("latency_prior_ns", "integer", ""),
        ("fill_prior", "Decimal", ""),
        ("fill_prior_weight", "integer", ""),
        ("enabled", "boolean", ""),
        ("lacks_stops", "boolean", "Stops are held here for it."),
        ("lacks_gtd", "boolean", "The end of a GTD order is kept here for it."),
        ("connected", "boolean", "Whether its session is up and reconciled."),
        ("in_doubt", "integer", ""),
        ("acknowledged", "integer", ""),
        ("rejected", "integer", ""),
        ("latency_ewma_ns", "integer", ""),
        ("latency_p95_ns", "integer", ""),
        ("aggressive", "FillCount", ""),
        ("passive", "FillCount", ""),
    ]),
    ("VenueStatistics", Answer, &[("data", "[VenueStatistic]", "")]),
    ("HealthCheck", Answer, &[("name", "string", ""), ("ok", "boolean", ""), ("detail", "string?", "")]),
    ("Health", Answer, &[("status", "string", ""), ("checks", "[HealthCheck]", "")]),
    ("Version", Answer, &[("name", "string", ""), ("version", "string", ""), ("api", "string", "")]),
];

const EXECUTION_NAMED: &[(&str, &str, &str)] = &[
    ("exec_id", "string", "The venue's id of it."),
    ("symbol", "string", ""),
    ("account_id", "uuid?", "The only account where absent."),
    ("venue", "string?", "Needed where several venues gave this id."),
    ("reason", "string", "1 to 1000 bytes."),
];

const ORDER_NAMED: &[(&str, &str, &str)] = &[
    ("order_id", "uuid?", "This or cl_ord_id."),
    ("cl_ord_id", "string?", "This or order_id."),
    ("if_version", "integer?", "Refused where it is not the current version."),
];

const ORDER: &[(&str, &str, &str)] = &[
    ("order_id", "uuid", ""),
    ("root_order_id", "uuid", "The client order at the top of its tree."),
    ("parent_order_id", "uuid?", "Null for a client order."),
    ("kind", "OrderKind", "What it is within its tree."),
    ("cl_ord_id", "string", ""),
    ("account_id", "uuid", ""),
    ("user_id", "uuid", ""),
    ("source", "Source", ""),
    ("symbol", "string", ""),
    ("side", "Side", ""),
    ("ord_type", "OrdType", ""),
    ("order_qty", "Decimal", "An estimate while an order for money was not executed."),
    ("cash_order_qty", "Decimal?", "The money that it is for."),
    ("quote_id", "uuid?", "The quote that it accepts."),
    ("price", "Decimal?", ""),
    ("stop_px", "Decimal?", ""),
    ("time_in_force", "TimeInForce", ""),
    ("expire_at", "time?", ""),
    ("routing", "RoutingAsked?", "How the client wants it placed."),
    ("care", "Care?", "Who takes care of it; null where no person works it."),
    ("venue", "string?", "Where a leg was sent."),
    ("broker_order_id", "string?", ""),
    ("ord_status", "OrdStatus", "The state, or the pending request where there is one."),
    ("state", "OrdState", ""),
    ("pending", "Pending", ""),
    ("uncertainty", "Doubt?", "Set while something was handed to a venue and its outcome is not known."),
    ("cum_qty", "Decimal", ""),
    ("leaves_qty", "Decimal", ""),
    ("avg_px", "Decimal?", ""),
    ("place_qty", "Decimal", "Handed to legs and not come back."),
    ("replacing", "Terms?", "The terms of a pending replace."),
    ("saga", "Saga?", "Set while a replace goes through several parts."),
    ("stage", "Stage?", "Set while a stage of STAGED routing runs."),
    ("ended_by", "EndedBy?", ""),
    ("reject_code", "Code?", ""),
    ("text", "string?", ""),
    ("metadata", "object?", ""),
    ("work", "Work?", "What the engine works it by, and how far it has come."),
    ("version", "integer", "The ETag."),
    ("created_seq", "integer", ""),
    ("created_at", "time", ""),
    ("updated_at", "time", ""),
];

const WORK: &[(&str, &str, &str)] = &[
    ("emulated", "boolean", "No venue offers this; it is emulated here."),
    ("release_at", "time?", "Nothing is released before."),
    ("trigger_source", "TriggerSource?", ""),
    ("triggered", "boolean", "Whether its stop was reached."),
    ("suspended", "boolean", "Whether somebody suspended it: nothing is released until it is resumed."),
    ("stop_px", "Decimal?", "Where the stop of a trailing order stands."),
    ("trail", "object?", ""),
    ("peg", "object?", ""),
    ("max_floor", "Decimal?", ""),
    ("algo", "object?", "The parameters, what was left open filled in."),
    ("list", "object?", "Its list, how much of it is armed, and what others have executed in its place."),
    ("slices", "integer", "Released so far."),
    ("released_qty", "Decimal", "Their quantities together."),
    ("wake", "time?", "When it is looked at again."),
    ("on_market", "boolean", "Whether it is looked at when the market moves."),
    ("volume", "Decimal", "What the market traded since the algorithm's start."),
];

const VENUE: &[(&str, &str, &str)] = &[
    ("venue", "string", "Its market identifier code."),
    ("name", "string", ""),
    ("maker_fee", "Decimal", "Per unit; a rebate is negative."),
    ("taker_fee", "Decimal", "Per unit; a rebate is negative."),
    ("latency_prior_ns", "integer", ""),
    ("fill_prior", "Decimal", ""),
    ("fill_prior_weight", "integer", ""),
    ("enabled", "boolean", ""),
    ("lacks_stops", "boolean", "Stops are held here for it."),
    ("lacks_gtd", "boolean", "The end of a GTD order is kept here for it."),
];

#[cfg(test)]
pub(super) fn shape(name: &str) -> Vec<&'static str> {
    let found = SHAPES.iter().find(|(known, _, _)| *known == name);
    found.map(|(_, _, fields)| fields.iter().map(|(field, _, _)| *field).collect()).unwrap_or_default()
}
