//! The bodies of commands about executions, rates and days: `ExecutionCreateCmd`, `ExecutionCorrectCmd`,
//! `ExecutionBustCmd`, `ExecutionWhackCmd`, `SuspenseDismissCmd`, `FxRateSetCmd`, `CostMethodSetCmd`, `DayCloseCmd`.

use super::command::order_ref;
use super::decode::Fields;
use super::read::Value;
use crate::catalog::Catalog;
use oms_model::command::{BookOn, Command, Correction, ExecutionRef, Figures, NewExecution, NewGroup, OrderRef};
use oms_model::instrument::Currency;
use oms_model::{Liquidity, Notional, OrderId, Refusal, Reversal};

/// The fields of an execution that a person books.
pub const EXECUTION_CREATE: &[&str] = &[
    "order_id",
    "cl_ord_id",
    "account_id",
    "symbol",
    "side",
    "exec_id",
    "venue",
    "last_qty",
    "last_px",
    "fee",
    "liquidity",
    "transact_time",
    "from_suspense",
    "reason",
];
/// The fields that name an execution, with a reason.
pub const EXECUTION_NAMED: &[&str] = &["exec_id", "symbol", "account_id", "venue", "reason"];
/// The fields of a correction.
pub const EXECUTION_CORRECT: &[&str] = &["exec_id", "symbol", "account_id", "venue", "last_qty", "last_px", "fee", "reason"];
/// The fields that name an execution in suspense.
pub const SUSPENSE_NAMED: &[&str] = &["venue", "exec_id", "reason"];
/// The fields of a rate.
pub const FX_RATE: &[&str] = &["from", "to", "rate"];
/// The fields of a day's end.
pub const DAY_CLOSE: &[&str] = &["day"];
/// The fields of a choice of cost method.
pub const COST_METHOD: &[&str] = &["method"];

/// The fields of a group.
pub const NEW_GROUP: &[&str] = &["cl_ord_id", "members", "account_id", "price", "mode", "routing"];

/// A reason given in words.
///
/// # Errors
/// `VALIDATION_ERROR` where there is none.
pub fn reason(fields: &Fields<'_, '_>) -> Result<String, Refusal> {
    let reason = fields.required("reason", fields.string("reason")?)?;
    if reason.len() > super::input::MAX_REASON {
        return Err(fields.bad("reason", format_args!("has {} bytes; the most is {}", reason.len(), super::input::MAX_REASON)));
    }
    Ok(reason.to_owned())
}

/// `ExecutionCreateCmd`: on an order (`order_id` or `cl_ord_id`) or an account (`symbol`, `side`, `account_id`), with
/// figures or, where `from_suspense` is true, those of the execution in suspense that `venue` and `exec_id` name.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn execution_create(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", EXECUTION_CREATE)?;
    let on = match (fields.parsed::<OrderId>("order_id")?, fields.parsed("cl_ord_id")?) {
        (Some(id), None) => BookOn::Order(OrderRef::Id(id)),
        (None, Some(id)) => BookOn::Order(OrderRef::ClOrdId(id)),
        (Some(_), Some(_)) => return Err(fields.bad("order_id", "and cl_ord_id are given; name the order by one of them")),
        (None, None) => BookOn::Account {
            account_id: fields.parsed("account_id")?,
            symbol: fields.required("symbol", fields.parsed("symbol")?)?,
            side: fields.required("side", fields.parsed("side")?)?,
        },
    };
    if matches!(on, BookOn::Order(_))
        && let Some(name) = ["account_id", "symbol", "side"].into_iter().find(|name| fields.get(name).is_some())
    {
        return Err(fields.bad(name, "is the order's; give it only where there is no order"));
    }
    Ok(Command::CreateExecution(Box::new(NewExecution { on, figures: figures(&fields)?, reason: reason(&fields)? })))
}

fn figures(fields: &Fields<'_, '_>) -> Result<Figures, Refusal> {
    if !fields.bool("from_suspense")?.unwrap_or(false) {
        return Ok(Figures::Given {
            exec_id: fields.parsed("exec_id")?,
            venue: fields.parsed("venue")?,
            last_qty: fields.required("last_qty", fields.amount("last_qty")?)?,
            last_px: fields.required("last_px", fields.amount("last_px")?)?,
            fee: fields.amount("fee")?.unwrap_or(Notional::ZERO),
            liquidity: fields.parsed("liquidity")?.unwrap_or(Liquidity::Removed),
            transact_time: fields.time("transact_time")?,
        });
    }
    let told = ["last_qty", "last_px", "fee", "liquidity", "transact_time"];
    if let Some(name) = told.into_iter().find(|name| fields.get(name).is_some()) {
        return Err(fields.bad(name, "comes from suspense"));
    }
    let venue = fields.required("venue", fields.parsed("venue")?)?;
    Ok(Figures::Suspense { venue, exec_id: fields.required("exec_id", fields.parsed("exec_id")?)? })
}

fn execution_ref(fields: &Fields<'_, '_>) -> Result<Box<ExecutionRef>, Refusal> {
    Ok(Box::new(ExecutionRef {
        exec_id: fields.required("exec_id", fields.parsed("exec_id")?)?,
        symbol: fields.required("symbol", fields.parsed("symbol")?)?,
        account_id: fields.parsed("account_id")?,
        venue: fields.parsed("venue")?,
    }))
}

/// `ExecutionCorrectCmd`.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn execution_correct(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", EXECUTION_CORRECT)?;
    let correction = Correction { last_qty: fields.amount("last_qty")?, last_px: fields.amount("last_px")?, fee: fields.amount("fee")? };
    if correction == Correction::default() {
        return Err(fields.bad("last_qty", "or last_px or fee is required"));
    }
    Ok(Command::CorrectExecution { execution: execution_ref(&fields)?, correction, reason: reason(&fields)? })
}

/// `ExecutionBustCmd`: the market took it back.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn execution_bust(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    reverse(value, Reversal::Bust)
}

/// `ExecutionWhackCmd`: we had booked wrongly.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn execution_whack(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    reverse(value, Reversal::Whack)
}

fn reverse(value: &Value<'_>, reversal: Reversal) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", EXECUTION_NAMED)?;
    Ok(Command::ReverseExecution { execution: execution_ref(&fields)?, reversal, reason: reason(&fields)? })
}

/// `SuspenseDismissCmd`: it is not ours.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn suspense_dismiss(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", SUSPENSE_NAMED)?;
    Ok(Command::DismissSuspense {
        venue: fields.required("venue", fields.parsed("venue")?)?,
        exec_id: fields.required("exec_id", fields.parsed("exec_id")?)?,
        reason: reason(&fields)?,
    })
}

/// `FxRateSetCmd`.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn fx_rate(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", FX_RATE)?;
    let (from, to) = (currency(&fields, "from")?, currency(&fields, "to")?);
    Ok(Command::SetFxRate { from, to, rate: fields.required("rate", fields.amount("rate")?)? })
}

pub(super) fn currency(fields: &Fields<'_, '_>, name: &str) -> Result<Currency, Refusal> {
    let text = fields.required(name, fields.string(name)?)?;
    Currency::of(text).ok_or_else(|| fields.bad(name, "is not a currency code (three upper-case letters)"))
}

/// `CostMethodSetCmd`.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn cost_method(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", COST_METHOD)?;
    Ok(Command::SetCostMethod(fields.required("method", fields.parsed("method")?)?))
}

/// `OrdersGroupCmd`: `members` are ids of orders, or `cl_ord_id:` and the client's id.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn group_orders(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", NEW_GROUP)?;
    let names: Vec<String> = fields.parsed_list("members")?;
    let member = |text: &String| match text.strip_prefix("cl_ord_id:") {
        Some(id) => id.parse().map(OrderRef::ClOrdId).map_err(|error| fields.bad("members", format_args!("holds an item that {error}"))),
        None => text.parse().map(OrderRef::Id).map_err(|error| fields.bad("members", format_args!("holds an item that {error}"))),
    };
    Ok(Command::GroupOrders(Box::new(NewGroup {
        cl_ord_id: fields.parsed("cl_ord_id")?,
        members: names.iter().map(member).collect::<Result<_, _>>()?,
        account_id: fields.parsed("account_id")?,
        price: fields.amount("price")?,
        mode: fields.parsed("mode")?.unwrap_or_default(),
        routing: super::input::routing(&fields)?,
    })))
}

/// The fields of the end of a group.
pub const GROUP_END: &[&str] = &["order_id", "cl_ord_id", "reason"];
/// The fields that name a group.
pub const GROUP_NAMED: &[&str] = &["order_id", "cl_ord_id"];
/// The fields that name an allocation.
pub const ALLOC_NAMED: &[&str] = &["alloc_id"];
/// The fields of a proposal that is turned down.
pub const ALLOC_REJECT: &[&str] = &["alloc_id", "reason"];

/// `OrderUngroupCmd`.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn ungroup(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", GROUP_END)?;
    Ok(Command::UngroupOrders { group: order_ref(&fields)?, reason: reason(&fields)? })
}

/// `AllocationProposeCmd`.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn propose(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    Ok(Command::ProposeAllocation { group: order_ref(&Fields::of(value, "", GROUP_NAMED)?)? })
}

/// `AllocationApproveCmd`.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn approve(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", ALLOC_NAMED)?;
    Ok(Command::ApproveAllocation { alloc_id: fields.required("alloc_id", fields.parsed("alloc_id")?)? })
}

/// `AllocationRejectCmd`.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn disapprove(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", ALLOC_REJECT)?;
    let alloc_id = fields.required("alloc_id", fields.parsed("alloc_id")?)?;
    Ok(Command::RejectAllocation { alloc_id, reason: reason(&fields)? })
}

/// `DayCloseCmd`.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn day_close(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", DAY_CLOSE)?;
    Ok(Command::CloseDay { day: fields.required("day", fields.count("day")?)? })
}

#[cfg(test)]
mod tests;
