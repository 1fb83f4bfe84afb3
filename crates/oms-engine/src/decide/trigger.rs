//! Stops: when the market has reached them, and how they follow it.
//!
//! - LAST looks at the last trade, BID_ASK at the side that the order would trade against, MID at the middle of both.
//! - A stop is reached at its price or beyond it. After a gap the first price seen beyond it triggers: a stop order then
//!   takes what the market gives, a stop limit order rests where its limit is out of reach.
//! - What is beyond the stop when the order comes in triggers at once.
//! - A missing price triggers nothing.

use oms_model::instrument::Instrument;
use oms_model::market::Market;
use oms_model::work::{Trail, TriggerSource};
use oms_model::{OrdType, Order, Price, Side};

/// What the market did to a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    /// Nothing.
    No,
    /// A trailing stop follows.
    Moved { stop_px: Price, seen_px: Price },
    /// It is reached.
    Yes { stop_px: Price, seen_px: Price },
}

/// The price that `source` looks at.
pub(crate) fn seen(source: TriggerSource, side: Side, market: &Market) -> Option<Price> {
    match source {
        TriggerSource::Last => market.last.map(|level| level.price),
        TriggerSource::BidAsk => if side.is_buy() { market.ask } else { market.bid }.map(|level| level.price),
        TriggerSource::Mid => market.mid(),
    }
}

/// Where a trailing stop stands for a price: above it for a buyer, below it for a seller; between two ticks at the one
/// farther away.
pub(crate) fn trailing_stop(trail: &Trail, side: Side, seen: Price, instrument: &Instrument) -> Option<Price> {
    let part = i128::from(seen.raw()) * i128::from(trail.ppm) / i128::from(oms_model::algo::FULL_PPM);
    let part = Price::from_raw(i64::try_from(part).ok()?);
    let distance = trail.amount.checked_add(part)?;
    let stop = if side.is_buy() { seen.checked_add(distance) } else { seen.checked_sub(distance) };
    oms_router::algo::on_tick(stop?, !side.is_buy(), instrument).filter(|stop| stop.is_positive())
}

/// What `market` does to the stop of an order that has one and is not triggered yet.
pub(crate) fn look(order: &Order, market: &Market, instrument: &Instrument) -> Reached {
    let Some(work) = order.extras.work.as_deref() else { return Reached::No };
    let source = work.instructions.trigger_source.unwrap_or_default();
    let Some(seen_px) = seen(source, order.side, market) else { return Reached::No };
    let buy = order.side.is_buy();
    let Some(stop_px) = order.stop_at() else { return Reached::No };
    if (buy && seen_px >= stop_px) || (!buy && seen_px <= stop_px) {
        return Reached::Yes { stop_px, seen_px };
    }
    let follows = work.instructions.trail.filter(|_| order.ord_type.is_trailing());
    match follows.and_then(|trail| trailing_stop(&trail, order.side, seen_px, instrument)) {
        Some(moved) if (buy && moved < stop_px) || (!buy && moved > stop_px) => Reached::Moved { stop_px: moved, seen_px },
        _ => Reached::No,
    }
}

/// Type and limit of what is released once the stop at `stop_px` was reached.
pub(crate) fn released_as(order: &Order, stop_px: Option<Price>, instrument: &Instrument) -> (OrdType, Option<Price>) {
    match order.ord_type {
        OrdType::Stop | OrdType::TrailingStop => (OrdType::Market, None),
        OrdType::StopLimit => (OrdType::Limit, order.price),
        OrdType::TrailingStopLimit => {
            let offset = order.extras.work.as_deref().and_then(|work| work.instructions.trail).map_or(Price::ZERO, |t| t.limit_offset);
            let buy = order.side.is_buy();
            let limit = stop_px.and_then(|stop| if buy { stop.checked_add(offset) } else { stop.checked_sub(offset) });
            (OrdType::Limit, limit.and_then(|limit| oms_router::algo::on_tick(limit, buy, instrument)))
        }
        other => (other, order.price),
    }
}

#[cfg(test)]
mod tests;
