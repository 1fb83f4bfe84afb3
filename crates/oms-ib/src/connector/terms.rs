//! An order of the desk as the broker wants it. What the mapping does not carry exactly is not sent.

use oms_model::{OrdType, Price, Qty, Side, TimeInForce, WireId};
use oms_runtime::port::{WireOrder, WireReplace};

use super::config::{Config, SECOND};
use crate::codec::{Contract, Number, Order, PlaceOrder, Size};
use crate::stamp;

/// The broker's word for an order type.
fn type_word(ord_type: OrdType) -> Option<&'static str> {
    Some(match ord_type {
        OrdType::Market => "MKT",
        OrdType::Limit => "LMT",
        OrdType::Stop => "STP",
        OrdType::StopLimit => "STP LMT",
        OrdType::MarketOnClose => "MOC",
        OrdType::LimitOnClose => "LOC",
        OrdType::MarketToLimit => "MTL",
        // An order to a venue has no trailing amount, no peg, and no quote of this broker.
        OrdType::TrailingStop | OrdType::TrailingStopLimit | OrdType::Pegged | OrdType::PreviouslyQuoted => return None,
    })
}

fn tif_word(time_in_force: TimeInForce) -> &'static str {
    match time_in_force {
        TimeInForce::Day => "DAY",
        TimeInForce::Gtc => "GTC",
        TimeInForce::Ioc => "IOC",
        TimeInForce::Fok => "FOK",
        TimeInForce::Gtd => "GTD",
        TimeInForce::Opg => "OPG",
    }
}

fn action(side: Side, short_as_sell: bool) -> Result<&'static str, String> {
    match side {
        Side::Buy => Ok("BUY"),
        Side::Sell => Ok("SELL"),
        Side::SellShort if short_as_sell => Ok("SELL"),
        Side::SellShort | Side::SellShortExempt | Side::Subscribe | Side::Redeem => {
            Err(format!("an order to {side} is not mapped to this broker"))
        }
    }
}

fn quantity(qty: Qty) -> Result<Size, String> {
    let fits = qty.is_positive().then(|| Number::try_from(qty).ok()).flatten();
    fits.map(Size).ok_or_else(|| format!("the quantity {qty} cannot be told to the broker"))
}

/// A price that must be there or must not.
fn price(what: &str, wanted: bool, given: Option<Price>) -> Result<Option<Number>, String> {
    match (wanted, given) {
        (true, Some(price)) if !price.is_zero() => Ok(Some(Number::from(price))),
        (true, _) => Err(format!("this type of order needs a {what}")),
        (false, None) => Ok(None),
        (false, Some(_)) => Err(format!("this type of order has no {what}")),
    }
}

fn needs_limit(order_type: &str) -> bool {
    matches!(order_type, "LMT" | "STP LMT" | "LOC")
}

fn needs_stop(order_type: &str) -> bool {
    matches!(order_type, "STP" | "STP LMT")
}

/// Whether an order of this type rests with the broker until something happens: then being held is how it works.
pub(super) fn rests_held(order_type: &str) -> bool {
    matches!(order_type, "STP" | "STP LMT" | "MOC" | "LOC")
}

/// A new order, without its order id.
pub(super) fn new_order(config: &Config, order: &WireOrder, contract: &Contract) -> Result<PlaceOrder, String> {
    let order_type =
        type_word(order.ord_type).ok_or_else(|| format!("an order of type {} is not mapped to this broker", order.ord_type))?;
    if order.cash_order_qty.is_some() {
        return Err("an order for an amount of money is not mapped to this broker".to_owned());
    }
    if order.quote_ref.is_some() {
        return Err("this broker gives no quotes that an order could accept".to_owned());
    }
    if matches!(order_type, "MOC" | "LOC") && order.time_in_force != TimeInForce::Day {
        return Err(format!("an order for the close must be for the day, not {}", order.time_in_force));
    }
    let good_till = match (order.time_in_force, order.expire_at) {
        // Good-till times have no finer part than a second.
        (TimeInForce::Gtd, Some(at)) if at.0 % SECOND == 0 => stamp::stamp(at),
        (TimeInForce::Gtd, Some(_)) => return Err("the broker takes no fractions of a second in an expiry time".to_owned()),
        (TimeInForce::Gtd, None) => return Err("an order until a time needs the time".to_owned()),
        _ => String::new(),
    };
    let terms = Order {
        client_id: config.client_id,
        action: action(order.side, config.short_as_sell)?.to_owned(),
        quantity: quantity(order.order_qty)?,
        order_type: order_type.to_owned(),
        limit: price("limit price", needs_limit(order_type), order.price)?,
        aux: price("stop price", needs_stop(order_type), order.stop_px)?,
        tif: tif_word(order.time_in_force).to_owned(),
        good_till,
        account: config.account.clone(),
        order_ref: WireId::derive(order.wire_id.parts().ok_or("the id is none of ours")?.0, 0).to_string(),
        transmit: true,
        ..Order::default()
    };
    Ok(PlaceOrder { order_id: 0, contract: contract.clone(), order: terms })
}

/// New terms of an order that was placed: quantity and prices only.
pub(super) fn replaced(placed: &PlaceOrder, request: &WireReplace) -> Result<PlaceOrder, String> {
    let mut changed = placed.clone();
    let order_type = placed.order.order_type.as_str();
    changed.order.quantity = quantity(request.order_qty)?;
    changed.order.limit = price("limit price", needs_limit(order_type), request.price)?;
    changed.order.aux = price("stop price", needs_stop(order_type), request.stop_px)?;
    Ok(changed)
}

/// Whether what the broker tells of an order is what was asked for.
pub(super) fn same_terms(asked: &Order, told: &Order) -> bool {
    // Gateways tell zero for a price that is not set.
    let given = |number: Option<Number>| number.filter(|number| !number.is_zero());
    let limit = !needs_limit(&asked.order_type) || given(asked.limit) == given(told.limit);
    let stop = !needs_stop(&asked.order_type) || given(asked.aux) == given(told.aux);
    asked.quantity == told.quantity && limit && stop
}

#[cfg(test)]
mod tests;
