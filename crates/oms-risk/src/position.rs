//! Checks 14 and 15: the position that would result. A limit bounds each position (one account, one instrument)
//! of its scope, counted with everything that works on the order's side.

use crate::check::{Inquiry, Unit, refuse};
use crate::limits::Bound;
use oms_model::limit::{Check, CheckResult, LimitType};
use oms_model::{Code, Decimal};

/// Whether the order brings the worst position closer to zero without crossing it, or leaves it as it is.
pub(crate) fn reduces(inquiry: &Inquiry<'_>) -> bool {
    if !inquiry.is_new() && inquiry.added_qty().is_zero() {
        return true;
    }
    let Some((before, after)) = inquiry.worst_positions() else { return false };
    let same_side = after.is_zero() || after.is_positive() == before.is_positive();
    same_side && after.abs() < before.abs()
}

/// An order that reduces the position passes even above the limit.
pub(crate) fn check_qty(inquiry: &Inquiry<'_>) -> CheckResult {
    let after = inquiry.worst_positions().map(|(_, after)| Decimal::from(after.abs()).raw());
    let bound = Bound {
        check: Check::PositionQty,
        limit_type: LimitType::MaxPositionQty,
        code: Code::RiskLimitBreach,
        unit: Unit::Decimal,
        tolerated: reduces(inquiry),
    };
    inquiry.bound(bound, |_| after)
}

/// At the reference price. Without one the limit cannot be kept, and the order is refused unless it reduces.
pub(crate) fn check_notional(inquiry: &Inquiry<'_>) -> CheckResult {
    let tolerated = reduces(inquiry);
    let Some(reference) = inquiry.reference else {
        return match inquiry.least(LimitType::MaxPositionNotional) {
            Some((scope, limit)) if !tolerated => CheckResult {
                limit: Some(limit.value),
                limit_version: limit.version,
                ..refuse(Check::PositionNotional, Code::NoReferencePrice, scope)
            },
            _ => inquiry.not_applicable(Check::PositionNotional),
        };
    };
    let after = inquiry.worst_positions().and_then(|(_, after)| inquiry.valuation().notional(reference, after)).map(|n| n.abs().raw());
    let bound = Bound {
        check: Check::PositionNotional,
        limit_type: LimitType::MaxPositionNotional,
        code: Code::RiskLimitBreach,
        unit: Unit::Notional,
        tolerated,
    };
    inquiry.bound(bound, |_| after)
}
