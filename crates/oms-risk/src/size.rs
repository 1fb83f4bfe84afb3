//! Ticks, lots, order quantity and order value.

use crate::check::{Inquiry, Unit, pass, refuse};
use crate::limits::Bound;
use crate::portfolio::ratio;
use oms_model::amount::ONE;
use oms_model::limit::{Check, CheckResult, LimitType, Scope};
use oms_model::{Code, Decimal, Notional, Qty};

/// An order has exactly the prices of its type, above zero and on the tick table.
pub(crate) fn check_tick(inquiry: &Inquiry<'_>) -> CheckResult {
    let order = &inquiry.order;
    let scope = Scope::Instrument(order.instrument_id);
    if order.price.is_some() != order.ord_type.has_price() || order.stop_px.is_some() != order.ord_type.has_stop() {
        return refuse(Check::Tick, Code::OrderTypeUnsupported, scope);
    }
    let mut result = inquiry.not_applicable(Check::Tick);
    for price in [order.price, order.stop_px].into_iter().flatten() {
        let tick = inquiry.ctx.instrument.tick_at(price);
        let (value, limit) = (Some(Decimal::from(price)), tick.map(Decimal::from));
        if !price.is_positive() || !inquiry.ctx.instrument.is_on_tick(price) {
            return CheckResult { value, limit, ..refuse(Check::Tick, Code::InvalidTick, scope) };
        }
        result = CheckResult { scope, value, limit, ..pass(Check::Tick) };
    }
    result
}

/// The limit that is recorded is the bound that was broken: the lot, the smallest or the largest quantity.
pub(crate) fn check_lot(inquiry: &Inquiry<'_>) -> CheckResult {
    let (qty, instrument) = (inquiry.order.order_qty, inquiry.ctx.instrument);
    let broken = if !qty.is_positive() {
        Some(Qty::ZERO)
    } else if !qty.is_multiple_of(instrument.lot) {
        Some(instrument.lot)
    } else if qty < instrument.min_qty {
        Some(instrument.min_qty)
    } else if qty > instrument.max_qty {
        Some(instrument.max_qty)
    } else {
        None
    };
    let scope = Scope::Instrument(inquiry.order.instrument_id);
    let (value, limit) = (Some(qty.into()), Some(broken.unwrap_or(instrument.max_qty).into()));
    match broken {
        Some(_) => CheckResult { value, limit, ..refuse(Check::Lot, Code::InvalidLot, scope) },
        None => CheckResult { scope, value, limit, ..pass(Check::Lot) },
    }
}

/// A replace to a smaller or equal quantity passes even above the limit.
pub(crate) fn check_order_qty(inquiry: &Inquiry<'_>) -> CheckResult {
    let qty = inquiry.order.order_qty;
    let bound = Bound {
        check: Check::OrderQty,
        limit_type: LimitType::MaxOrderQty,
        code: Code::RiskLimitBreach,
        unit: Unit::Decimal,
        tolerated: inquiry.current().is_some_and(|(current, _)| qty <= current.order_qty),
    };
    inquiry.bound(bound, |_| Some(Decimal::from(qty).raw()))
}

/// The whole quantity at its worst price. A replace to a smaller or equal value passes even above the limit.
pub(crate) fn check_order_notional(inquiry: &Inquiry<'_>) -> CheckResult {
    let qty = inquiry.order.order_qty;
    let Some(worst) = inquiry.worst_price else { return inquiry.not_applicable(Check::OrderNotional) };
    let value = worst.ok().and_then(|price| inquiry.valuation().notional(price, qty));
    let before = inquiry.current().map(|(current, reserved)| {
        let price = current.price.filter(|_| current.side.is_buy()).unwrap_or(reserved.worst_price);
        reserved.valuation.notional(price, current.order_qty).unwrap_or(Notional::MAX)
    });
    let bound = Bound {
        check: Check::OrderNotional,
        limit_type: LimitType::MaxOrderNotional,
        code: Code::RiskLimitBreach,
        unit: Unit::Notional,
        tolerated: before.is_some_and(|before| value.is_some_and(|value| value <= before)),
    };
    inquiry.bound(bound, |_| value.map(Notional::raw))
}

/// Percent of what is traded in a day on average, rounded up. Where that is not known the limit cannot be kept.
pub(crate) fn check_pct_adv(inquiry: &Inquiry<'_>) -> CheckResult {
    let (qty, limit_type) = (inquiry.order.order_qty, LimitType::MaxPctAdv);
    let Some(adv) = inquiry.ctx.instrument.adv_qty.filter(|adv| adv.is_positive()) else {
        return match inquiry.least(limit_type) {
            Some((scope, limit)) if !inquiry.is_replan() => {
                let refused = refuse(Check::PctAdv, Code::NoReferenceData, scope);
                CheckResult { limit: Some(limit.value), limit_version: limit.version, ..refused }
            }
            _ => inquiry.not_applicable(Check::PctAdv),
        };
    };
    let percent = ratio(qty.raw(), adv.raw(), 100 * i128::from(ONE));
    let tolerated = inquiry.current().is_some_and(|(current, _)| qty <= current.order_qty);
    let bound = Bound { tolerated, ..Bound::decimal(Check::PctAdv, limit_type, Code::RiskLimitBreach) };
    inquiry.bound(bound, |_| Some(percent))
}
