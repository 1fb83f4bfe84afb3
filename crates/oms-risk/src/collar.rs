//! The price collar, and the prices that other checks lean on.
//!
//! The reference is the middle of the best bid and offer, or the last trade where a side is missing, none older than
//! MAX_QUOTE_AGE where that is set. The collar is symmetric: a price as far below the market as above it is a mistake
//! of the same kind. Controls: SEC Rule 15c3-5(c)(1)(ii), RTS 6 article 15(1)(a).

use crate::check::{Inquiry, OutOfRange, Purpose, Unit, refuse};
use crate::gate::Opening;
use crate::limits::Bound;
use oms_model::amount::ONE;
use oms_model::limit::{Check, CheckResult, LimitType, Scope, Verdict};
use oms_model::market::Level;
use oms_model::{Code, Decimal, OrdType, Price};

/// One hundred percent, as a [`Decimal`] counts it.
const HUNDRED: i128 = 100 * ONE as i128;

/// Whether a level may be leaned on.
fn fresh(inquiry: &Inquiry<'_>, level: Option<Level>) -> Option<Level> {
    let level = level.filter(|l| l.price.is_positive())?;
    let age = i128::from(inquiry.ctx.now.since(level.at));
    inquiry.max_quote_age.is_none_or(|most| age <= most.raw()).then_some(level)
}

/// The market price that the order is measured against.
pub(crate) fn reference(inquiry: &Inquiry<'_>) -> Option<Price> {
    let market = inquiry.ctx.market;
    let both = fresh(inquiry, market.bid).and(fresh(inquiry, market.ask));
    both.and_then(|_| market.mid()).or_else(|| fresh(inquiry, market.last).map(|l| l.price))
}

impl Inquiry<'_> {
    /// The best bid, where it may be leaned on.
    pub(crate) fn fresh_bid(&self) -> Option<Price> {
        fresh(self, self.ctx.market.bid).map(|level| level.price)
    }
}

/// The quote that the order would trade against.
pub(crate) fn opposite(inquiry: &Inquiry<'_>) -> Option<Level> {
    let market = inquiry.ctx.market;
    if inquiry.order.side.is_buy() { market.ask } else { market.bid }
}

/// The highest price at which the order may count: a limit for what it says, an order without one at the quote (or
/// trigger) that it would meet, worsened by the collar for a purchase. A sale counts at the bid where that is higher.
/// An accepted order that is routed again counts as before. `None` where there is no price to go by; then an earlier
/// check has failed.
pub(crate) fn worst_price(inquiry: &Inquiry<'_>) -> Option<Result<Price, OutOfRange>> {
    let order = &inquiry.order;
    if let Purpose::Replan { reserved, .. } = inquiry.purpose {
        return reserved.is_accepted().then_some(Ok(reserved.worst_price));
    }
    let quote = || fresh(inquiry, opposite(inquiry)).map(|l| l.price);
    let met = match order.ord_type {
        OrdType::Limit | OrdType::StopLimit | OrdType::LimitOnClose | OrdType::Pegged | OrdType::PreviouslyQuoted
            if order.side.is_buy() =>
        {
            return order.price.filter(|p| p.is_positive()).map(Ok);
        }
        OrdType::Limit | OrdType::StopLimit | OrdType::LimitOnClose | OrdType::Pegged | OrdType::PreviouslyQuoted => {
            return order.price.filter(|p| p.is_positive()).map(|p| Ok(quote().map_or(p, |q| q.max(p))));
        }
        OrdType::Stop | OrdType::TrailingStop | OrdType::TrailingStopLimit => {
            order.stop_px.filter(|p| p.is_positive()).map(|p| quote().map_or(p, |q| q.max(p)))?
        }
        OrdType::Market | OrdType::MarketToLimit | OrdType::MarketOnClose => match (quote(), inquiry.current()) {
            (Some(quote), _) => quote,
            // What is not measured again keeps the price that it was accepted at.
            (None, Some((_, reserved))) if reserved.is_accepted() => return Some(Ok(reserved.worst_price)),
            (None, _) => return None,
        },
    };
    let percent = inquiry.least(LimitType::PriceCollarPct).map_or(Decimal::ZERO, |(_, limit)| limit.value);
    let worst = if order.side.is_buy() { worsened(met, percent).ok_or(OutOfRange) } else { Ok(met) };
    // Beyond its price band nothing is traded. One that waits, for a trigger, the close or the opening, meets another band.
    let at_once = matches!(order.ord_type, OrdType::Market | OrdType::MarketToLimit)
        && inquiry.ctx.hours.market == Opening::Open
        && inquiry.ctx.hours.maintenance.is_none();
    let band = inquiry.book.price_band(order.instrument_id, inquiry.ctx.now).filter(|_| at_once);
    Some(worst.map(|price| band.map_or(price, |band| price.min(band.upper).max(band.lower))))
}

/// `price` and `percent` of it, rounded up.
fn worsened(price: Price, percent: Decimal) -> Option<Price> {
    let raw = i128::from(price.raw());
    let more = raw.checked_mul(percent.raw())?.checked_add(HUNDRED - 1)?.checked_div(HUNDRED)?;
    i64::try_from(raw.checked_add(more)?).ok().map(Price::from_raw)
}

/// Distance of `price` from `reference`, percent of the reference, rounded up so that no breach is hidden.
fn distance(price: Price, reference: Price) -> Option<i128> {
    let (price, reference) = (i128::from(price.raw()), i128::from(reference.raw()));
    let scaled = (price - reference).abs().checked_mul(HUNDRED)?;
    scaled.checked_add(reference - 1)?.checked_div(reference)
}

/// Whether the order's prices, or more quantity at them, come to the market now.
pub(crate) fn concerns(inquiry: &Inquiry<'_>) -> bool {
    if inquiry.is_replan() {
        return false;
    }
    let order = &inquiry.order;
    inquiry.current().is_none_or(|(current, _)| {
        order.price != current.price || order.stop_px != current.extras.stop_px || order.order_qty > current.order_qty
    })
}

/// A market order is measured by the quote that it would meet and needs a fresh one even without a collar;
/// a stop order by its trigger; a stop limit order by the farther of trigger and limit.
pub(crate) fn check(inquiry: &Inquiry<'_>) -> CheckResult {
    if !concerns(inquiry) {
        return inquiry.not_applicable(Check::PriceCollar);
    }
    let order = &inquiry.order;
    let prices = match order.ord_type {
        OrdType::Market | OrdType::MarketToLimit | OrdType::MarketOnClose => match fresh(inquiry, opposite(inquiry)) {
            Some(quote) => [Some(quote.price), None],
            None => return no_quote(inquiry),
        },
        OrdType::Limit | OrdType::LimitOnClose | OrdType::Pegged | OrdType::PreviouslyQuoted => [order.price, None],
        OrdType::Stop | OrdType::TrailingStop | OrdType::TrailingStopLimit => [order.stop_px, None],
        OrdType::StopLimit => [order.price, order.stop_px],
    };
    if !prices.iter().flatten().all(|p| p.is_positive()) || prices == [None, None] {
        return inquiry.not_applicable(Check::PriceCollar);
    }
    let Some(reference) = inquiry.reference else {
        return match inquiry.least(LimitType::PriceCollarPct) {
            Some((scope, limit)) => CheckResult {
                limit: Some(limit.value),
                limit_version: limit.version,
                ..refuse(Check::PriceCollar, Code::NoReferencePrice, scope)
            },
            None => inquiry.not_applicable(Check::PriceCollar),
        };
    };
    let farthest = prices.iter().flatten().try_fold(0, |far, price| distance(*price, reference).map(|d| d.max(far)));
    let bound = Bound {
        check: Check::PriceCollar,
        limit_type: LimitType::PriceCollarPct,
        code: Code::PriceCollar,
        unit: Unit::Decimal,
        tolerated: false,
    };
    inquiry.bound(bound, |_| farthest)
}

/// A market order with no quote to meet, or one that is too old: then its age and the limit are told.
fn no_quote(inquiry: &Inquiry<'_>) -> CheckResult {
    let age = opposite(inquiry).map(|l| Decimal::from_raw(inquiry.ctx.now.since(l.at).into()));
    let limit = inquiry.least(LimitType::MaxQuoteAge).filter(|_| age.is_some());
    CheckResult {
        verdict: Verdict::Fail,
        value: age,
        limit: limit.map(|(_, l)| l.value),
        limit_version: limit.map_or(0, |(_, l)| l.version),
        ..refuse(Check::PriceCollar, Code::NoReferencePrice, limit.map_or(Scope::Tenant, |(scope, _)| scope))
    }
}
