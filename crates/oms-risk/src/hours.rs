//! Whether there is a market now: its hours, and the maintenance of the only venue that an order may go to.
//!
//! The hours are settings of the desk and come with the question; what came of them stands in the result, so that the log
//! tells it without them.

use crate::check::{Inquiry, pass, refuse};
use crate::gate::{Opening, Proposed};
use oms_model::limit::{Check, CheckResult, Scope, Verdict};
use oms_model::{Code, OrdType, Time, TimeInForce};

/// Whether an order is still there at `at`, and nobody expects it to be executed before.
fn can_wait(order: &Proposed, at: Time) -> bool {
    !matches!(order.time_in_force, TimeInForce::Ioc | TimeInForce::Fok) && order.expire_at.is_none_or(|end| end > at)
}

/// A market, or a venue, that takes orders from `at` on. A person who works an order sees that it is closed and is not held
/// back.
fn waits(order: &Proposed, check: Check, code: Code, scope: Scope, at: Time) -> CheckResult {
    let until = Some(at);
    if !can_wait(order, at) {
        return CheckResult { until, ..refuse(check, code, scope) };
    }
    let verdict = if order.is_care { Verdict::Pass } else { Verdict::Hold };
    CheckResult { check, verdict, scope, until, ..CheckResult::default() }
}

/// Sessions, holidays, early closes, and the cut-off of orders on the close. What can wait is held until the opening.
/// A working order is not asked again.
pub(crate) fn check_market(inquiry: &Inquiry<'_>) -> CheckResult {
    if !inquiry.is_new() {
        return inquiry.not_applicable(Check::MarketHours);
    }
    let (order, hours, now) = (&inquiry.order, &inquiry.ctx.hours, inquiry.ctx.now);
    let scope = Scope::Instrument(order.instrument_id);
    let on_close = matches!(order.ord_type, OrdType::MarketOnClose | OrdType::LimitOnClose);
    if on_close && hours.on_close.is_some_and(|cut_off| now >= cut_off) {
        return refuse(Check::MarketHours, Code::MarketClosed, scope);
    }
    match hours.market {
        Opening::Open => pass(Check::MarketHours),
        Opening::At(at) => waits(order, Check::MarketHours, Code::MarketClosed, scope, at),
        Opening::Never => refuse(Check::MarketHours, Code::MarketClosed, scope),
    }
}

/// Where every venue that the order may go to is in maintenance, as a broker's nightly reset is.
pub(crate) fn check_maintenance(inquiry: &Inquiry<'_>) -> CheckResult {
    let Some(at) = inquiry.ctx.hours.maintenance.filter(|_| inquiry.is_new()) else {
        return if inquiry.is_new() { pass(Check::BrokerMaintenance) } else { inquiry.not_applicable(Check::BrokerMaintenance) };
    };
    let scope = inquiry.order.named_venue.map_or(Scope::Tenant, Scope::Venue);
    waits(&inquiry.order, Check::BrokerMaintenance, Code::BrokerMaintenance, scope, at)
}

/// Why an order was refused for its time, in words; `None` for another check.
pub(crate) fn words(inquiry: &Inquiry<'_>, result: &CheckResult) -> Option<String> {
    let order = &inquiry.order;
    let what = match result.check {
        Check::MarketHours => "the market is closed",
        Check::BrokerMaintenance => "the venue is in maintenance",
        _ => return None,
    };
    Some(match result.until {
        None if matches!(inquiry.ctx.hours.market, Opening::Never) => "the market does not open within a month".to_owned(),
        None => "the cut-off of orders on close has passed".to_owned(),
        Some(_) if matches!(order.time_in_force, TimeInForce::Ioc | TimeInForce::Fok) => {
            format!("{what}, and the order is to be executed at once")
        }
        Some(_) => format!("{what}, and the order ends before that does"),
    })
}
