//! Exposure of whole accounts, the money that there is, and losses: what an order would make of the sums.
//!
//! Positions count at their last recorded mark, what works at its worst price, both in the risk currency.

use crate::check::{Inquiry, refuse};
use crate::exposure::worst_of;
use crate::holdings::Held;
use crate::limits::{At, Bound};
use crate::position::reduces;
use oms_model::amount::{ONE, mul_div};
use oms_model::limit::{Check, CheckResult, LimitType, Scope};
use oms_model::{Code, Notional, Qty};

/// No sum is let beyond this, limit or not, so that marks can still move it.
const MOST: i128 = 1 << 126;

/// What the order makes of its holding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Impact {
    /// The worst outcome of the holding without it and with it.
    pub(crate) before: i128,
    pub(crate) after: i128,
    buy: i128,
    sell: i128,
    short: i128,
}

impl Impact {
    /// What it adds to a gross exposure; below zero where it reduces one.
    fn gross(&self) -> i128 {
        self.after.saturating_sub(self.before)
    }
}

/// `None` where the order has no price, or its value leaves the range.
pub(crate) fn impact(inquiry: &Inquiry<'_>) -> Option<Impact> {
    let order = &inquiry.order;
    let held = inquiry.book.held(order.account_id, order.instrument_id);
    let added = match inquiry.added_notional()? {
        Ok(added) => added.raw(),
        Err(_) => return None,
    };
    let is_buy = order.side.is_buy();
    let (buy, sell) = if is_buy { (added, 0) } else { (0, added) };
    let short = if order.side.is_short() { added } else { 0 };
    let plus = |sum: Notional, more: i128| sum.raw().checked_add(more).map(Notional::from_raw);
    let with = Held { buy: plus(held.buy, buy)?, sell: plus(held.sell, sell)?, ..held };
    let (before, after) = (held.worst(), with.worst());
    (after < MOST).then_some(Impact { before, after, buy, sell, short })
}

fn within(sum: i128) -> Option<i128> {
    (sum.saturating_abs() < MOST).then_some(sum)
}

/// A check of a sum of money. An order that adds nothing to it, or brings its position closer to zero, passes above it.
fn money(inquiry: &Inquiry<'_>, check: Check, limit_type: LimitType, measure: impl Fn(&At<'_>, &Impact) -> Option<i128>) -> CheckResult {
    let Some(impact) = inquiry.impact else {
        // Without a price, or out of range, an earlier check has failed; a limit is not kept by looking away.
        return match inquiry.least(limit_type) {
            Some((scope, _)) => refuse(check, Code::RiskLimitBreach, scope),
            None => inquiry.not_applicable(check),
        };
    };
    let tolerated = impact.gross() <= 0 && (!inquiry.is_new() || reduces(inquiry));
    let bound = Bound { tolerated, ..Bound::notional(check, limit_type, Code::RiskLimitBreach) };
    inquiry.bound(bound, |at| measure(at, &impact))
}

/// Long and short added up.
pub(crate) fn check_gross(inquiry: &Inquiry<'_>) -> CheckResult {
    money(inquiry, Check::GrossExposure, LimitType::MaxGrossExposure, |at, impact| within(at.sums().gross.checked_add(impact.gross())?))
}

/// The same in the order's asset class alone.
pub(crate) fn check_asset_class(inquiry: &Inquiry<'_>) -> CheckResult {
    let class = inquiry.ctx.instrument.asset_class;
    money(inquiry, Check::AssetClassExposure, LimitType::MaxAssetClassExposure, |at, impact| {
        within(at.sums().class_gross(class).checked_add(impact.gross())?)
    })
}

/// Long less short, at the worse of the two outcomes. An order on the lighter side does not worsen it.
pub(crate) fn check_net(inquiry: &Inquiry<'_>) -> CheckResult {
    let limit_type = LimitType::MaxNetExposure;
    let Some(impact) = inquiry.impact else {
        return money(inquiry, Check::NetExposure, limit_type, |_, _| None);
    };
    let net = |at: &At<'_>, buy: i128, sell: i128| {
        let sums = at.sums();
        let long = sums.value.checked_add(sums.buy)?.checked_add(buy)?;
        let short = sums.value.checked_sub(sums.sell)?.checked_sub(sell)?;
        within(long.saturating_abs().max(short.saturating_abs()))
    };
    let bound = Bound::notional(Check::NetExposure, limit_type, Code::RiskLimitBreach);
    // What the order does not worsen in a scope is not its fault there.
    let worsens = |at: &At<'_>| net(at, impact.buy, impact.sell) > net(at, 0, 0);
    inquiry.bound_where(bound, |at| net(at, impact.buy, impact.sell), |at| !worsens(at) || reduces(inquiry))
}

/// `part` of `whole` in units of `of`, rounded up; the largest figure where there is no whole.
pub(crate) fn ratio(part: i128, whole: i128, of: i128) -> i128 {
    if part <= 0 {
        return 0;
    }
    let whole = u128::try_from(whole).unwrap_or(0);
    let found = mul_div(part.unsigned_abs(), of.unsigned_abs(), whole);
    let up = found.and_then(|(quotient, rest)| quotient.checked_add(u128::from(rest != 0)));
    up.and_then(|up| i128::try_from(up).ok()).unwrap_or(i128::MAX)
}

/// A check of an exposure against the equity, which has to be known.
fn against_equity(
    inquiry: &Inquiry<'_>,
    check: Check,
    limit_type: LimitType,
    of: i128,
    part: impl Fn(&At<'_>, &Impact) -> Option<i128>,
) -> CheckResult {
    if !inquiry.scopes().any(|(_, book)| book.is_some_and(|book| book.limits.has(limit_type))) {
        // Without a limit nobody needs to say what the equity is.
        return inquiry.required(limit_type, inquiry.not_applicable(check));
    }
    for (scope, book) in inquiry.scopes() {
        let Some(limit) = book.and_then(|book| book.limits.each(limit_type).next()) else { continue };
        if book.is_none_or(|book| book.sums.capital.is_none()) {
            let refused = refuse(check, Code::NoReferenceData, scope);
            return CheckResult { limit: Some(limit.value), limit_version: limit.version, ..refused };
        }
    }
    let Some(impact) = inquiry.impact else { return money(inquiry, check, limit_type, |_, _| None) };
    let tolerated = impact.gross() <= 0 && (!inquiry.is_new() || reduces(inquiry));
    let bound = Bound { tolerated, ..Bound::decimal(check, limit_type, Code::RiskLimitBreach) };
    inquiry.bound(bound, |at| Some(ratio(part(at, &impact)?, at.sums().equity().unwrap_or(0), of)))
}

/// Exposure in the order's instrument, percent of the equity.
pub(crate) fn check_concentration(inquiry: &Inquiry<'_>) -> CheckResult {
    let instrument = inquiry.book.scope(Scope::Instrument(inquiry.order.instrument_id)).map_or(0, |book| book.sums.gross);
    let percent = 100 * i128::from(ONE);
    against_equity(inquiry, Check::Concentration, LimitType::MaxConcentrationPct, percent, |at, impact| match at.scope {
        Scope::Account(_) => Some(impact.after),
        _ => within(instrument.checked_add(impact.gross())?),
    })
}

/// Gross exposure, times the equity.
pub(crate) fn check_leverage(inquiry: &Inquiry<'_>) -> CheckResult {
    against_equity(inquiry, Check::Leverage, LimitType::MaxLeverage, i128::from(ONE), |at, impact| {
        within(at.sums().gross.checked_add(impact.gross())?)
    })
}

/// What was spent, what working purchases and short sales may cost, and this order. A sale of what is held costs nothing.
pub(crate) fn check_buying_power(inquiry: &Inquiry<'_>) -> CheckResult {
    let side = inquiry.order.side;
    if !side.is_buy() && !side.is_short() {
        return inquiry.not_applicable(Check::BuyingPower);
    }
    let limit_type = LimitType::BuyingPower;
    let Some(impact) = inquiry.impact else { return money(inquiry, Check::BuyingPower, limit_type, |_, _| None) };
    let added = impact.buy.saturating_add(impact.short);
    let bound = Bound::notional(Check::BuyingPower, limit_type, Code::InsufficientBuyingPower);
    let bound = Bound { tolerated: added == 0 && !inquiry.is_new(), ..bound };
    inquiry.bound(bound, |at| {
        let sums = at.sums();
        within(sums.spent.checked_add(sums.buy)?.checked_add(sums.short)?.checked_add(added)?)
    })
}

/// What was lost since the last close of the day, realised or not, fees included. Orders that reduce a position pass, so
/// that one can get out.
pub(crate) fn check_daily_loss(inquiry: &Inquiry<'_>) -> CheckResult {
    loss(inquiry, Check::DailyLoss, LimitType::DailyLoss, |at| at.sums().day_start)
}

/// What was lost since the best moment.
pub(crate) fn check_drawdown(inquiry: &Inquiry<'_>) -> CheckResult {
    loss(inquiry, Check::TrailingDrawdown, LimitType::TrailingDrawdown, |at| at.sums().peak)
}

fn loss(inquiry: &Inquiry<'_>, check: Check, limit_type: LimitType, from: impl Fn(&At<'_>) -> i128) -> CheckResult {
    let bound = Bound { tolerated: reduces(inquiry), ..Bound::notional(check, limit_type, Code::RiskLimitBreach) };
    inquiry.bound(bound, |at| Some(from(at).saturating_sub(at.sums().pnl)))
}

/// The whole order at its worst price against the threshold. Above it the order waits for a second person. A replace
/// cannot wait: one that makes a working order that large is refused.
pub(crate) fn check_approval(inquiry: &Inquiry<'_>) -> CheckResult {
    let limit_type = LimitType::ApprovalNotional;
    if inquiry.is_replan() {
        return inquiry.not_applicable(Check::Approval);
    }
    let order = &inquiry.order;
    let Some(Ok(worst)) = inquiry.worst_price else { return inquiry.not_applicable(Check::Approval) };
    let price = worst_of(order.side, [order.price, None], worst);
    let value = inquiry.valuation().notional(price, order.order_qty);
    let held = inquiry.current().is_some_and(|(current, _)| current.extras.hold.is_some());
    let shrinks = inquiry.current().is_some_and(|(current, reserved)| {
        let before = reserved.valuation.notional(reserved.price, current.order_qty).unwrap_or(Notional::MAX);
        value.is_some_and(|value| value <= before) && order.order_qty > Qty::ZERO
    });
    let bound = Bound { tolerated: held || shrinks, ..Bound::notional(Check::Approval, limit_type, Code::RiskLimitBreach) };
    let result = inquiry.bound(bound, |_| value.map(Notional::raw));
    let above = result.verdict == oms_model::limit::Verdict::Fail && result.limit.is_some();
    if above && inquiry.is_new() {
        return CheckResult { verdict: oms_model::limit::Verdict::Hold, code: None, ..result };
    }
    result
}
