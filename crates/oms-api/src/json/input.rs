//! The bodies that requests carry.

use super::decode::Fields;
use super::instructions::{contingency, instructions};
use super::read::Value;
use super::risk::compliance;
use crate::catalog::Catalog;
use oms_model::command::{Change, Command, MAX_BATCH, NewOrder, NewPart};
use oms_model::limit::Scope;
use oms_model::order::Routing;
use oms_model::policy::{SorPolicy, Weights};
use oms_model::{Code, Decimal, Mic, PolicyName, Qty, Refusal, TimeInForce};

/// The most bytes of an order's `metadata`.
pub const MAX_METADATA: usize = 8 * 1024;
/// The most bytes of a reason given in words, wherever one is given: what the description says, and the engine takes.
pub const MAX_REASON: usize = 1_000;

/// The fields of a new order.
pub const NEW_ORDER: &[&str] = &[
    "cl_ord_id",
    "account_id",
    "symbol",
    "side",
    "ord_type",
    "order_qty",
    "cash_order_qty",
    "price",
    "stop_px",
    "quote_id",
    "time_in_force",
    "expire_at",
    "routing",
    "metadata",
    "trigger_source",
    "trail",
    "peg",
    "max_floor",
    "good_after",
    "emulate",
    "algo",
    "strategy",
    "acknowledged",
    "override_ids",
];
/// The fields of its `routing`.
pub const ROUTING: &[&str] = &["mode", "venue", "policy", "care"];
/// The fields of a part of a care order.
pub const NEW_PART: &[&str] = &["cl_ord_id", "order_qty", "ord_type", "price", "stop_px", "time_in_force", "expire_at", "routing"];
/// The fields of a change of terms.
pub const CHANGE: &[&str] = &["order_qty", "price", "stop_px", "acknowledged"];
/// The fields of a limit.
pub const LIMIT: &[&str] = &["limit_type", "scope", "value", "period", "soft", "effective_from", "effective_until"];
/// The fields of a routing policy.
pub const POLICY: &[&str] = &[
    "name",
    "mode",
    "weights",
    "price_range_bps",
    "max_quote_age_ms",
    "fee_adjusted",
    "latency_stat",
    "cap_to_displayed",
    "min_leg_qty",
    "max_replans",
    "stage_timeout_ms",
    "exhausted",
    "allow",
    "deny",
];
/// The fields of its `weights`.
pub const WEIGHTS: &[&str] = &["price", "latency", "fill", "fee"];

/// A new order.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn new_order(value: &Value<'_>, at: &str) -> Result<NewOrder, Refusal> {
    let fields = Fields::of(value, at, NEW_ORDER)?;
    let symbol = fields.required("symbol", fields.parsed("symbol")?)?;
    let side = fields.required("side", fields.parsed("side")?)?;
    let ord_type = fields.required("ord_type", fields.parsed("ord_type")?)?;
    let cash_order_qty = fields.amount("cash_order_qty")?;
    let order_qty = match fields.amount("order_qty")? {
        None if cash_order_qty.is_some() => Qty::ZERO,
        given => fields.required("order_qty", given)?,
    };
    Ok(NewOrder {
        cl_ord_id: fields.parsed("cl_ord_id")?,
        account_id: fields.parsed("account_id")?,
        symbol,
        side,
        ord_type,
        order_qty,
        cash_order_qty,
        price: fields.amount("price")?,
        stop_px: fields.amount("stop_px")?,
        quote_id: fields.parsed("quote_id")?,
        time_in_force: fields.parsed("time_in_force")?.unwrap_or(TimeInForce::Day),
        expire_at: fields.time("expire_at")?,
        routing: routing(&fields)?,
        metadata: metadata(&fields)?,
        instructions: instructions(&fields)?,
        compliance: compliance(&fields)?,
    })
}

/// A part of a care order; what is absent is as in the order above it.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn new_part(value: &Value<'_>, at: &str) -> Result<NewPart, Refusal> {
    let fields = Fields::of(value, at, NEW_PART)?;
    Ok(NewPart {
        cl_ord_id: fields.parsed("cl_ord_id")?,
        order_qty: fields.required("order_qty", fields.amount("order_qty")?)?,
        ord_type: fields.parsed("ord_type")?,
        price: fields.amount("price")?,
        stop_px: fields.amount("stop_px")?,
        time_in_force: fields.parsed("time_in_force")?,
        expire_at: fields.time("expire_at")?,
        routing: routing(&fields)?,
    })
}

pub(crate) fn routing(order: &Fields<'_, '_>) -> Result<Routing, Refusal> {
    let Some(value) = order.get("routing") else { return Ok(Routing::default()) };
    let at = order.path("routing.");
    let fields = Fields::of(value, &at, ROUTING)?;
    Ok(Routing {
        mode: fields.parsed("mode")?,
        care: fields.bool("care")?.unwrap_or(false),
        venue: fields.parsed("venue")?,
        policy: fields.parsed("policy")?,
    })
}

fn metadata(order: &Fields<'_, '_>) -> Result<Option<Box<str>>, Refusal> {
    match order.get("metadata") {
        None => Ok(None),
        Some(Value::Object(object)) if object.raw.len() > MAX_METADATA => {
            Err(order.bad("metadata", format_args!("has {} bytes; the most is {MAX_METADATA}", object.raw.len())))
        }
        Some(Value::Object(object)) => Ok(Some(object.raw.into())),
        Some(other) => Err(order.bad("metadata", format_args!("must be an object, not {}", other.kind()))),
    }
}

/// `{"atomic": bool, "contingency": ..., "arm": ..., "orders": [...]}`. With a contingency the orders are a list, which is
/// taken as a whole.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn batch(value: &Value<'_>) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", &["atomic", "contingency", "arm", "orders"])?;
    let items = fields.required("orders", fields.array("orders")?)?;
    if items.is_empty() || items.len() > MAX_BATCH {
        return Err(fields.bad("orders", format_args!("must hold 1 to {MAX_BATCH} orders, not {}", items.len())));
    }
    let orders = items.iter().enumerate().map(|(n, item)| new_order(item, &format!("orders[{n}]."))).collect::<Result<_, _>>()?;
    let atomic = fields.bool("atomic")?;
    match contingency(&fields)? {
        Some(_) if atomic == Some(false) => Err(fields.bad("atomic", "cannot be false: orders with a contingency are all taken or none")),
        Some((contingency, arm)) => Ok(Command::CreateOrderList { orders, contingency, arm }),
        None => Ok(Command::CreateOrders { orders, atomic: atomic.unwrap_or(false) }),
    }
}

/// A change of terms; at least one.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn change(value: &Value<'_>) -> Result<Change, Refusal> {
    change_fields(&Fields::of(value, "", CHANGE)?)
}

/// [`change`] among the fields of an object that has more.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn change_fields(fields: &Fields<'_, '_>) -> Result<Change, Refusal> {
    let change = Change {
        order_qty: fields.amount("order_qty")?,
        price: fields.amount("price")?,
        stop_px: fields.amount("stop_px")?,
        acknowledged: fields.bool("acknowledged")?.unwrap_or(false),
    };
    if change == (Change { acknowledged: change.acknowledged, ..Change::default() }) {
        return Err(Refusal::new(Code::ValidationError, "a modification must change order_qty, price or stop_px"));
    }
    Ok(change)
}

/// A scope from text: `TENANT`, `ACCOUNT:<id>`, `USER:<id>`, `STRATEGY:<name>`,
/// `INSTRUMENT:<symbol>`, `ASSET_CLASS:<class>` or `VENUE:<MIC>`.
///
/// # Errors
/// The sentence that follows the name of the field: what is wrong.
pub fn scope(text: &str, catalog: &Catalog) -> Result<Scope, String> {
    let (kind, id) = text.split_once(':').unwrap_or((text, ""));
    let problem = |error: oms_model::ids::IdError| format!("names something that {error}");
    match (kind, id) {
        ("TENANT", "") => Ok(Scope::Tenant),
        ("ACCOUNT", id) => id.parse().map(Scope::Account).map_err(problem),
        ("USER", id) => id.parse().map(Scope::User).map_err(problem),
        ("VENUE", id) => id.parse().map(Scope::Venue).map_err(problem),
        ("STRATEGY", id) => id.parse().map(Scope::Strategy).map_err(|error| format!("names something that {error}")),
        ("ASSET_CLASS", class) => class.parse().map(Scope::AssetClass).map_err(|error| format!("names a class that {error}")),
        ("INSTRUMENT", symbol) => match catalog.instrument_named(symbol) {
            Some(instrument) => Ok(Scope::Instrument(instrument.instrument_id)),
            None => Err(format!("names the instrument {symbol:?}, which is not in the list")),
        },
        _ => {
            Err("must be TENANT, ACCOUNT:<id>, USER:<id>, STRATEGY:<name>, INSTRUMENT:<symbol>, ASSET_CLASS:<class> or VENUE:<MIC>"
                .to_owned())
        }
    }
}

/// The scope in a body; the tenant where none is given.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn scope_field(fields: &Fields<'_, '_>, catalog: &Catalog) -> Result<Scope, Refusal> {
    match fields.string("scope")? {
        None => Ok(Scope::Tenant),
        Some(text) => scope(text, catalog).map_err(|problem| fields.bad("scope", problem)),
    }
}

/// `{"scope": ..., "reason": ...}`; the reason is required.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn scope_and_reason(fields: &Fields<'_, '_>, catalog: &Catalog) -> Result<(Scope, String), Refusal> {
    let reason = reason(fields)?;
    Ok((scope_field(fields, catalog)?, reason))
}

/// The reason that is required among the fields of an object, without the space around it.
///
/// # Errors
/// `VALIDATION_ERROR` naming it.
pub fn reason(fields: &Fields<'_, '_>) -> Result<String, Refusal> {
    let reason = fields.required("reason", fields.string("reason")?)?.trim();
    if reason.is_empty() || reason.len() > MAX_REASON {
        return Err(fields.bad("reason", format_args!("must have 1 to {MAX_REASON} bytes")));
    }
    Ok(reason.to_owned())
}

/// A routing policy; what is absent has its default.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn policy(value: &Value<'_>) -> Result<SorPolicy, Refusal> {
    let fields = Fields::of(value, "", POLICY)?;
    let default = SorPolicy::default();
    let max_quote_age_ms: Option<u64> = fields.count("max_quote_age_ms")?;
    let policy = SorPolicy {
        name: fields.parsed::<PolicyName>("name")?.unwrap_or(default.name),
        version: 0,
        mode: fields.parsed("mode")?.unwrap_or(default.mode),
        weights: weights(&fields)?,
        price_range_bps: fields.count("price_range_bps")?.unwrap_or(default.price_range_bps),
        max_quote_age_ns: match max_quote_age_ms {
            None => default.max_quote_age_ns,
            Some(ms) => ms.checked_mul(1_000_000).ok_or_else(|| fields.bad("max_quote_age_ms", "is out of range"))?,
        },
        fee_adjusted: fields.bool("fee_adjusted")?.unwrap_or(default.fee_adjusted),
        latency_stat: fields.parsed("latency_stat")?.unwrap_or(default.latency_stat),
        cap_to_displayed: fields.bool("cap_to_displayed")?.unwrap_or(default.cap_to_displayed),
        min_leg_qty: fields.amount::<Qty>("min_leg_qty")?.unwrap_or(default.min_leg_qty),
        max_replans: fields.count("max_replans")?.unwrap_or(default.max_replans),
        stage_timeout_ns: match fields.count::<u64>("stage_timeout_ms")? {
            None => default.stage_timeout_ns,
            Some(ms) => ms.checked_mul(1_000_000).filter(|ns| *ns > 0).ok_or_else(|| fields.bad("stage_timeout_ms", "is out of range"))?,
        },
        exhausted: fields.parsed("exhausted")?.unwrap_or(default.exhausted),
        allow: fields.parsed_list::<Mic>("allow")?,
        deny: fields.parsed_list::<Mic>("deny")?,
    };
    if policy.price_range_bps == 0 {
        return Err(fields.bad("price_range_bps", "must be above zero"));
    }
    if policy.min_leg_qty.is_negative() {
        return Err(fields.bad("min_leg_qty", "must not be below zero"));
    }
    Ok(policy)
}

fn weights(policy: &Fields<'_, '_>) -> Result<Weights, Refusal> {
    let Some(value) = policy.get("weights") else { return Ok(Weights::default()) };
    let at = policy.path("weights.");
    let fields = Fields::of(value, &at, WEIGHTS)?;
    let weight = |name: &str| -> Result<u32, Refusal> {
        let Some(weight) = fields.amount::<Decimal>(name)? else { return Ok(0) };
        let ppm = u32::try_from(weight.raw() / 1_000).ok().filter(|ppm| *ppm <= 1_000_000);
        match ppm {
            Some(ppm) if weight.raw() % 1_000 == 0 => Ok(ppm),
            _ => Err(fields.bad(name, "must lie between 0 and 1, with six fractional digits at most")),
        }
    };
    let weights = Weights { price: weight("price")?, latency: weight("latency")?, fill: weight("fill")?, fee: weight("fee")? };
    if weights.price + weights.latency + weights.fill + weights.fee == 0 {
        return Err(policy.bad("weights", "must not all be zero"));
    }
    Ok(weights)
}

#[cfg(test)]
mod tests;
