//! Rates, the cost method, and the end of the trading day.

use super::refused;
use crate::step::Step;
use oms_model::command::CommandOutcome;
use oms_model::event::{CostMethodSet, DayClosed, Event, FxRateSet, PositionFrozen};
use oms_model::instrument::Currency;
use oms_model::limit::Scope;
use oms_model::position::Holding;
use oms_model::{Code, CostMethod, Decimal, EndedBy, Notional, Order, OrderId, Pending, Refusal, TimeInForce};

/// The most positions that one day's end freezes, so that its batch fits into one entry of the log.
const MAX_FROZEN: usize = 40_000;

pub(crate) fn set_fx_rate(step: &mut Step<'_>, from: Currency, to: Currency, rate: Decimal) -> CommandOutcome {
    if from == to || !rate.is_positive() {
        return refused(Refusal::new(Code::ValidationError, "a rate is between two currencies and above zero"));
    }
    step.emit(Event::FxRateSet(FxRateSet { from, to, rate }));
    CommandOutcome::Done
}

pub(crate) fn set_cost_method(step: &mut Step<'_>, method: CostMethod) -> CommandOutcome {
    if method == step.state().cost_method() {
        return CommandOutcome::Done;
    }
    if step.state().positions().next().is_some() {
        let text = "the cost method is chosen before the first execution; lots and averages cannot be told from each other later";
        return refused(Refusal::new(Code::StateConflict, text));
    }
    step.emit(Event::CostMethodSet(CostMethodSet { method }));
    CommandOutcome::Done
}

/// Closes the day that it is. What is still executed belongs to the next one.
pub(crate) fn close(step: &mut Step<'_>, day: u32) -> CommandOutcome {
    let today = step.now().day();
    if day != today {
        return refused(Refusal::new(Code::ValidationError, format!("the day is {today}, not {day}")).with("day", today));
    }
    let (last, _) = step.state().last_close();
    if day <= last {
        return refused(Refusal::new(Code::StateConflict, format!("the day {last} is closed")).with("day", last));
    }
    let moved = |holding: &&Holding| !holding.now().qty.is_zero() || !holding.day().is_empty();
    let keys: Vec<_> = step.state().holdings_after(None).filter(moved).map(|h| (h.now().account_id, h.now().instrument_id)).collect();
    if keys.len() > MAX_FROZEN {
        let text = format!("more than {MAX_FROZEN} positions are open or were traded; the day cannot be closed in one entry of the log");
        return refused(Refusal::new(Code::Overloaded, text).with("positions", keys.len()));
    }
    let mut positions = 0;
    for (account_id, instrument_id) in keys {
        let frozen = step.with_market(instrument_id, |state, market, _| {
            let holding = state.holding(account_id, instrument_id)?;
            let (account, instrument) = (state.account(account_id)?, state.instrument(instrument_id)?);
            let mark = market.last.map(|level| level.price).or_else(|| market.mid());
            let (now, base) = (holding.now(), holding.base());
            let money = |plain: Notional| instrument.valuation().money(plain).unwrap_or(Notional::MAX);
            Some(PositionFrozen {
                day,
                account_id,
                instrument_id,
                qty: now.qty,
                cost: money(now.cost()),
                realized: money(now.realized),
                fees: now.fees,
                day_realized: money(now.realized.saturating_sub(base.realized)),
                day_fees: now.fees.saturating_sub(base.fees),
                mark,
                unrealized: mark.and_then(|mark| now.unrealized(mark)).map(money),
                currency: instrument.currency,
                base_currency: account.currency,
                fx_rate: state.fx_rate(instrument.currency, account.currency),
            })
        });
        if let Some(frozen) = frozen {
            step.emit(Event::PositionFrozen(Box::new(frozen)));
            positions += 1;
        }
    }
    step.emit(Event::DayClosed(DayClosed { day, positions }));
    step.sweeps.push_back((Scope::Tenant, EndedBy::DayClose));
    CommandOutcome::Done
}

/// Client orders for the day that was last closed and that still work, in order of their ids, at most `limit`.
pub(crate) fn day_orders(step: &Step<'_>, limit: usize) -> Vec<OrderId> {
    if step.state().last_close().0 == 0 {
        return Vec::new();
    }
    let mut found = step.state().pick(|entry| {
        let order = &entry.order;
        order.is_root() && is_over(step, order) && !order.state.is_done() && order.pending != Pending::Cancel
    });
    found.truncate(limit);
    found
}

/// Whether it is an order for a day that was closed since.
pub(crate) fn is_over(step: &Step<'_>, order: &Order) -> bool {
    let (day, closed_at) = step.state().last_close();
    day > 0 && order.time_in_force == TimeInForce::Day && order.created_at <= closed_at
}
