//! The shapes of requests and answers.
//!
//! A shape is a list of (field, type, meaning). A type is a base type, a shape's name, `[T]` for a list,
//! `T?` for one that may be null; in requests a field with `?` may be absent too.

mod accounts;
mod books;
mod desk;
mod leaves;
mod market;
mod orders;
mod quotes;
mod risk;
mod setup;
mod shadow;
mod system;
mod why;

use super::types;
use crate::json::command::{COMMANDS, Spec};
use oms_identity::Role;
use oms_model::algo::{Algo, Leftover, PegPrice};
use oms_model::breaker::{BreakerAction, BreakerKind, BreakerState};
use oms_model::compliance::{HoldReason, InFlightRule, ListKind, SelfMatchPolicy};
use oms_model::dead_man::{DeadManAction, DeadManState};
use oms_model::event::{Event, Exclusion};
use oms_model::limit::{Check, KillState, LimitType, Period, Verdict};
use oms_model::overrides::OverrideState;
use oms_model::policy::{Exhausted, LatencyStat};
use oms_model::schedule::ScheduleState;
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
    ("Role", Role::NAMES),
    ("ScopeName", oms_identity::Scope::NAMES),
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
    ("Period", Period::NAMES),
    ("KillState", KillState::NAMES),
    ("BreakerKind", BreakerKind::NAMES),
    ("BreakerAction", BreakerAction::NAMES),
    ("BreakerState", BreakerState::NAMES),
    ("ListKind", ListKind::NAMES),
    ("SelfMatchPolicy", SelfMatchPolicy::NAMES),
    ("HoldReason", HoldReason::NAMES),
    ("OverrideState", OverrideState::NAMES),
    ("ScheduleState", ScheduleState::NAMES),
    ("InFlightRule", InFlightRule::NAMES),
    ("DeadManAction", DeadManAction::NAMES),
    ("DeadManState", DeadManState::NAMES),
    ("Check", Check::NAMES),
    ("Verdict", Verdict::NAMES),
    ("Exclusion", Exclusion::NAMES),
    ("ShadowDifferenceKind", crate::shadow::KINDS),
    ("BreakKind", crate::rest::breaks::KINDS),
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
    types::base(name).unwrap_or_else(|| json!({"$ref": format!("#/components/schemas/{name}")}))
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
    let scope = "TENANT, ACCOUNT:<id>, USER:<id>, STRATEGY:<name>, INSTRUMENT:<symbol>, ASSET_CLASS:<class> or VENUE:<MIC>.";
    schemas.insert(
        "Scope".to_owned(),
        json!({"type": "string", "description": scope, "pattern": "^(TENANT|(ACCOUNT|USER|STRATEGY|INSTRUMENT|ASSET_CLASS|VENUE):.+)$"}),
    );
    for (name, terms) in TERMS {
        schemas.insert((*name).to_owned(), json!({"type": "string", "enum": terms}));
    }
    let kinds: Vec<&str> = Event::KINDS.iter().map(|(_, name)| *name).collect();
    schemas.insert("EventType".to_owned(), json!({"type": "string", "enum": kinds}));
    for shape in shapes() {
        schemas.insert(shape.0.to_owned(), object(shape));
    }
    for spec in COMMANDS {
        schemas.insert(spec.name.to_owned(), command(spec));
    }
    schemas.insert("Command".to_owned(), any_command());
    schemas.insert("SignedIn".to_owned(), signed_in());
    schemas.insert("ServerSentEvent".to_owned(), server_sent_event());
    for (page, item, next) in PAGES {
        let next = json!({"anyOf": [{"type": next}, {"type": "null"}], "description": "The cursor of the next page; null where this is the last."});
        let properties = json!({"data": {"type": "array", "items": schema(item)}, "next": next});
        schemas.insert((*page).to_owned(), json!({"type": "object", "required": ["data", "next"], "properties": properties}));
    }
    Value::Object(schemas)
}

/// A command: the fields of its shape, and its name as `type`.
fn command(spec: &Spec) -> Value {
    let mut object = shapes().find(|(name, _, _)| *name == spec.shape).map(object).unwrap_or_default();
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

/// What signing in answers: which fields there are depends on what was asked for.
fn signed_in() -> Value {
    let text = |meaning: &str| json!({"type": "string", "description": meaning});
    json!({
        "type": "object",
        "required": ["status", "expires_in"],
        "properties": {
            "status": {"type": "string", "enum": ["SIGNED_IN", "TOTP_REQUIRED"]},
            "challenge": text("With TOTP_REQUIRED: to be sent to login/totp."),
            "expires_in": {"type": "integer", "description": "Seconds: of the challenge, the access token or the session."},
            "user_id": {"type": "string", "format": "uuid"},
            "tenant_id": {"type": "string", "format": "uuid"},
            "session_id": {"type": "string", "format": "uuid"},
            "scope": text("Separated by spaces."),
            "token_type": text("Bearer."),
            "access_token": text("A JWT."),
            "refresh_token": text("Good once."),
            "refresh_expires_in": {"type": "integer"},
            "csrf_token": text("With a cookie: for the header X-CSRF-Token.")
        }
    })
}

/// One event of a stream; the schema of such an answer is that of each event.
fn server_sent_event() -> Value {
    let text = |meaning: &str| json!({"type": "string", "description": meaning});
    json!({
        "type": "object",
        "required": ["event", "data"],
        "properties": {
            "id": text("Where to resume: Last-Event-ID."),
            "event": text("The kind of event."),
            "data": {"type": "string", "contentMediaType": "application/json"}
        }
    })
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
/// The shapes, by what they are about.
const SHAPES: &[&[Shape]] = &[accounts::SHAPES, system::SHAPES, orders::SHAPES, quotes::SHAPES, books::SHAPES, market::SHAPES, desk::SHAPES, risk::SHAPES, setup::SHAPES, leaves::SHAPES, shadow::SHAPES, why::SHAPES];

fn shapes() -> impl Iterator<Item = &'static Shape> {
    SHAPES.iter().copied().flatten()
}

const EXECUTION_NAMED: &[(&str, &str, &str)] = &[
    ("exec_id", "token", "The venue's id of it."),
    ("symbol", "token", ""),
    ("account_id", "uuid?", "The only account where absent."),
    ("venue", "mic?", "Needed where several venues gave this id."),
    ("reason", "reason", "1 to 1000 bytes."),
];

const ORDER_NAMED: &[(&str, &str, &str)] = &[
    ("order_id", "uuid?", "This or cl_ord_id."),
    ("cl_ord_id", "token?", "This or order_id."),
    ("if_version", "count?", "Refused where it is not the current version."),
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
    ("strategy", "string?", "The strategy that it was sent for."),
    ("held", "HoldReason?", "Set while it is accepted and waits before it is sent."),
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

/// The fields of a shape, or of the items of a page of it.
pub(super) fn item_fields(name: &str) -> Vec<&'static str> {
    let item = PAGES.iter().find(|(page, _, _)| *page == name).map_or(name, |(_, item, _)| item);
    shape(item)
}

pub(super) fn shape(name: &str) -> Vec<&'static str> {
    let found = shapes().find(|(known, _, _)| *known == name);
    found.map(|(_, _, fields)| fields.iter().map(|(field, _, _)| *field).collect()).unwrap_or_default()
}
