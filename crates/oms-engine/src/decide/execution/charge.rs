//! What executions cost.

use super::effect::Booked;
use super::venue::{anywhere, booked};
use crate::decide::report;
use crate::step::Step;
use oms_model::event::{CommissionRecorded, Event, ExecutionUnmatched, SuspenseResolved};
use oms_model::instrument::Currency;
use oms_model::{Anomaly, ExecId, Mic, Notional, Order, OrderId, Time, WireId};

/// A charge for an execution whose order left the hot state. Whether the execution was found.
pub(crate) fn commission_later(step: &mut Step<'_>, venue: Mic, exec_id: &ExecId, commission: Notional, currency: Currency) -> bool {
    let Some(booked) = anywhere(step, venue, exec_id) else { return false };
    charge(step, &booked, commission, currency)
}

/// What an execution cost is known, or known better.
pub(crate) fn commission(step: &mut Step<'_>, leg: &Order, exec_id: ExecId, commission: Notional, currency: Currency) {
    let Some(booked) = booked(step, leg, &exec_id) else {
        let detail = format!("a commission of {commission} {} for execution {exec_id}, which is not in the books", currency.as_str());
        return report::anomaly(step, leg.order_id, Anomaly::UnknownExecution, detail);
    };
    if !charge(step, &booked, commission, currency) {
        let text = format!("a commission of {commission} {} for execution {exec_id}, and no rate to book it at", currency.as_str());
        report::anomaly(step, leg.order_id, Anomaly::UnexpectedReport, text);
    }
}

/// Books what an execution cost. Whether there is a rate for it, or it was booked before: told once more it keeps the rate
/// that it was booked at.
fn charge(step: &mut Step<'_>, booked: &Booked, commission: Notional, currency: Currency) -> bool {
    if (booked.booking.commission, booked.booking.commission_currency) == (commission, Some(currency)) {
        return true;
    }
    let own = step.state().instrument(booked.instrument_id).map_or(currency, |instrument| instrument.currency);
    let rate = step.state().fx_rate(currency, own);
    let Some((rate, fee)) = rate.and_then(|rate| Some((rate, commission.at_rate(rate)?))) else { return false };
    if booked.booking.fee != fee {
        step.emit(Event::CommissionRecorded(Box::new(CommissionRecorded {
            exec_id: booked.booking.exec_id.clone(),
            venue: booked.booking.venue,
            order_id: booked.booking.order_id,
            account_id: booked.account_id,
            instrument_id: booked.instrument_id,
            fee,
            commission,
            currency,
            rate: (currency != own).then_some(rate),
        })));
    }
    true
}

/// A charge for an execution that is not in the books, or not any more, waits for a person: once for each amount.
pub(crate) fn unmatched_charge(
    step: &mut Step<'_>,
    venue: Mic,
    wire_id: &WireId,
    transact_time: Time,
    exec_id: &ExecId,
    (commission, currency): (Notional, Currency),
) {
    let state = step.state();
    // It waits, or somebody has decided about it.
    if state.suspense().chain(state.dismissals()).any(|one| one.is_charge_of(venue, exec_id, commission, currency)) {
        return;
    }
    // A charge has no id of its own.
    let own = ExecId::new(&format!("FEE-{}", state.next_seq())).unwrap_or_default();
    step.emit(Event::ExecutionUnmatched(Box::new(ExecutionUnmatched {
        exec_id: own,
        venue,
        wire_id: wire_id.as_str().to_owned(),
        transact_time,
        exec_ref: Some(exec_id.clone()),
        commission,
        commission_currency: Some(currency),
        ..ExecutionUnmatched::default()
    })));
}

/// What waits in suspense of an execution's cost is booked with it.
pub(super) fn book_waiting(step: &mut Step<'_>, venue: Mic, exec_id: &ExecId, order_id: Option<OrderId>, reason: &str) {
    let is_of = |one: &&ExecutionUnmatched| one.is_charge() && one.venue == venue && one.exec_ref.as_ref() == Some(exec_id);
    let waiting: Vec<ExecutionUnmatched> = step.state().suspense().filter(is_of).cloned().collect();
    for ExecutionUnmatched { exec_id: own, commission, commission_currency, .. } in waiting {
        let (Some(currency), Some(booked)) = (commission_currency, anywhere(step, venue, exec_id)) else { return };
        if charge(step, &booked, commission, currency) {
            let (account_id, reason) = (Some(booked.account_id), reason.to_owned());
            step.emit(Event::SuspenseResolved(Box::new(SuspenseResolved { venue, exec_id: own, order_id, account_id, reason })));
        }
    }
}
