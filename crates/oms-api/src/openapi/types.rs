//! The words that shapes and parameters name types with, and the schemas that they stand for.
//!
//! A schema says as much as the code checks, so that whoever keeps to it is refused by a rule of the desk and by nothing else.

use crate::json::input::MAX_REASON;
use oms_model::ids::MAX_TEXT_ID;
use oms_model::strategy::MAX_STRATEGY_ID;
use oms_store::views::{Field, Kind, MAX_VALUE, Op};
use serde_json::{Value, json};

/// A UUID, as all ids of ours are written.
const UUID: &str = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";
/// A market identifier code (ISO 10383).
const MIC: &str = "[A-Z0-9]{4}";
/// An exact decimal; no more places than the model holds, and no more digits before the point than a price has.
const DECIMAL: &str = "-?[0-9]{1,9}(\\.[0-9]{1,9})?";
/// A whole number that a sequence or a count can be.
const WHOLE: &str = "[0-9]{1,18}";
/// A name of the model: printable, without spaces.
const TOKEN: &str = "[!-~]";

fn pattern(text: &str) -> Value {
    json!({"type": "string", "pattern": format!("^{text}$")})
}

/// The schema of a base type; `None` where it is the name of a shape or of a list of terms.
pub(super) fn base(name: &str) -> Option<Value> {
    if let Some((kind, bounds)) = name.strip_suffix(')').and_then(|name| name.split_once('(')) {
        return bounded(kind, bounds);
    }
    Some(match name {
        "string" | "integer" | "boolean" | "object" => json!({"type": name}),
        "uuid" => json!({"type": "string", "format": "uuid"}),
        "time" => json!({"type": "string", "format": "date-time"}),
        "count" => json!({"type": "integer", "minimum": 0}),
        "digits" => pattern(WHOLE),
        "token" => pattern(&format!("{TOKEN}{{1,{MAX_TEXT_ID}}}")),
        "mic" => pattern(MIC),
        "currency" => pattern("[A-Z]{3}"),
        "strategy" => pattern(&format!("[A-Za-z0-9_.-]{{1,{MAX_STRATEGY_ID}}}")),
        "reason" => json!({"type": "string", "minLength": 1, "maxLength": MAX_REASON}),
        "email" => pattern("[^@\\s<>\",;]{1,64}@[^@\\s<>\",;.][^@\\s<>\",;]{0,180}"),
        "net" => json!({"type": "string", "minLength": 2, "maxLength": 43, "description": "An address, or a range such as 10.0.0.0/8."}),
        "zone" => json!({"type": "string", "pattern": "^[A-Za-z0-9/_+-]{0,64}$", "description": "Such as Europe/Berlin."}),
        "etag" => json!({"type": "string", "pattern": "^([*]|\"[0-9]{1,9}\")$"}),
        "order_id" => json!({"anyOf": [{"type": "string", "format": "uuid"}, pattern(&format!("cl_ord_id:{TOKEN}{{1,{MAX_TEXT_ID}}}"))]}),
        "moment" => json!({"anyOf": [pattern(WHOLE), {"type": "string", "format": "date-time"}]}),
        _ => return None,
    })
}

/// `integer(1..500)`, `one(csv,json)`, `fields(a,b)`, `sort(a,b)`.
fn bounded(kind: &str, bounds: &str) -> Option<Value> {
    let names = || bounds.replace(',', "|");
    Some(match kind {
        "integer" => {
            let (low, high) = bounds.split_once("..")?;
            json!({"type": "integer", "minimum": low.parse::<u64>().ok()?, "maximum": high.parse::<u64>().ok()?})
        }
        "one" => json!({"type": "string", "enum": bounds.split(',').collect::<Vec<_>>()}),
        // Names between commas; what is empty between two of them is passed over.
        "fields" => pattern(&format!(",*(({0}),+)*({0})?", names())),
        "sort" => pattern(&format!(",*(-?({0}),+)*(-?({0}))?", names())),
        _ => return None,
    })
}

/// What a filter's value looks like.
pub(super) fn filter(field: &Field, op: Op) -> Value {
    if op == Op::IsNull {
        return json!({"type": "boolean"});
    }
    let text = || json!({"type": "string", "minLength": 1, "maxLength": MAX_VALUE});
    let one = match field.kind {
        Kind::Text => return text(),
        Kind::Bool { .. } => return json!({"type": "boolean"}),
        Kind::Time if matches!(op, Op::In | Op::Between) => return text(),
        Kind::Time => {
            return json!({"anyOf": [pattern(WHOLE), {"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]});
        }
        Kind::Uuid => UUID.to_owned(),
        Kind::Mic => MIC.to_owned(),
        Kind::Int => format!("-?{WHOLE}"),
        Kind::Price | Kind::Qty | Kind::Notional => DECIMAL.to_owned(),
        Kind::Term { names, .. } => format!("({})", names.join("|")),
    };
    match op {
        Op::In => pattern(&format!("{one}(,{one}){{0,20}}")),
        Op::Between => pattern(&format!("{one},{one}")),
        _ => pattern(&one),
    }
}

/// The schema of what a path names.
pub(super) fn in_path(name: &str) -> Value {
    let kind = match name {
        "order_id" => "order_id",
        "symbol" | "name" => "token",
        id if id.ends_with("_id") => "uuid",
        _ => "string",
    };
    base(kind).unwrap_or_default()
}
