//! The typed commands of `POST /commands/execute`: one list, which the dispatcher, the OpenAPI document and the
//! tests share. A command is an object whose `type` is its wire name; its other fields are those of its shape.

mod list;

use super::decode::{Fields, bad_field};
use super::read::Value;
use super::{booking, imports, input, leaves, quotes, risk, setup, shadow};
use crate::catalog::Catalog;
use core::fmt::Display;
use core::str::FromStr;
use oms_model::command::{Command, MAX_BATCH, OrderRef};
use oms_model::{Code, OrderId, Refusal};

pub use list::COMMANDS;

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
