//! Whether a venue may have a part of the order at all.

use crate::request::{RouteRequest, VenueView};
use oms_model::Mic;
use oms_model::event::Exclusion;
use oms_model::market::{Level, VenueQuote};
use oms_model::terms::SorMode;

/// A side of a quote that can be traded against; a level without size is none.
pub(crate) fn shown(level: Option<Level>) -> Option<Level> {
    level.filter(|level| level.size.is_positive())
}

/// The side that says how fresh the venue's quote is: the one that the order would trade against,
/// or the venue's other side where it shows none there.
fn reference(request: &RouteRequest<'_>, quote: &VenueQuote) -> Option<Level> {
    let (near, far) = if request.side.is_buy() { (quote.bid, quote.ask) } else { (quote.ask, quote.bid) };
    shown(far).or(shown(near))
}

/// Age of the venue's quote in nanoseconds; zero where it has none or its time lies ahead of the decision.
pub(crate) fn quote_age_ns(request: &RouteRequest<'_>, quote: &VenueQuote) -> u64 {
    reference(request, quote).map_or(0, |level| u64::try_from(request.now.since(level.at)).unwrap_or(0))
}

/// The first reason, in this order, to leave the venue out: what a person decided, what the connection
/// allows, what the quote allows, and last that the client named another. [`Exclusion::FailedBefore`]
/// depends on the other venues and is decided after all of them are known.
pub(crate) fn exclusion(request: &RouteRequest<'_>, view: &VenueView<'_>, quote: &VenueQuote) -> Option<Exclusion> {
    let venue = view.venue.venue;
    if !view.venue.enabled {
        Some(Exclusion::Disabled)
    } else if view.killed {
        Some(Exclusion::KillSwitch)
    } else if view.halted {
        Some(Exclusion::TradingHalted)
    } else if view.restricted {
        Some(Exclusion::Restricted)
    } else if !allowed(request, venue) {
        Some(Exclusion::NotAllowed)
    } else if request.ord_type.has_stop() && view.venue.lacks_stops {
        Some(Exclusion::OrderTypeLacked)
    } else if view.maintenance {
        Some(Exclusion::Maintenance)
    } else if !view.connected {
        Some(Exclusion::Disconnected)
    } else if view.in_doubt {
        Some(Exclusion::InDoubt)
    } else if quote.halted {
        Some(Exclusion::Halted)
    } else {
        quoted_badly(request, quote).or_else(|| other_named(request, venue))
    }
}

fn allowed(request: &RouteRequest<'_>, venue: Mic) -> bool {
    let policy = request.policy;
    !policy.deny.contains(&venue) && (policy.allow.is_empty() || policy.allow.contains(&venue))
}

/// An order that can rest needs no counterpart yet, but a venue that shows neither side of the instrument
/// gives no sign of trading it.
fn quoted_badly(request: &RouteRequest<'_>, quote: &VenueQuote) -> Option<Exclusion> {
    let quoted = if request.can_rest() { reference(request, quote).is_some() } else { shown(quote.opposite(request.side)).is_some() };
    if !quoted {
        Some(Exclusion::NoQuote)
    } else if quote_age_ns(request, quote) > request.policy.max_quote_age_ns {
        Some(Exclusion::StaleQuote)
    } else {
        let (bid, ask) = (shown(quote.bid)?, shown(quote.ask)?);
        (bid.price >= ask.price).then_some(Exclusion::CrossedQuote)
    }
}

fn other_named(request: &RouteRequest<'_>, venue: Mic) -> Option<Exclusion> {
    (request.mode == SorMode::Named && request.named != Some(venue)).then_some(Exclusion::NotNamed)
}

/// How often `venue` failed this order before.
pub(crate) fn failures(request: &RouteRequest<'_>, venue: Mic) -> u32 {
    request.failed.iter().filter(|(failed, _)| *failed == venue).fold(0, |sum, (_, times)| sum.saturating_add(*times))
}

#[cfg(test)]
mod tests;
