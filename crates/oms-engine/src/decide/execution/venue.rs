//! What a venue says about an execution after it told it.

use super::effect::{self, Booked};
use crate::decide::report;
use crate::step::Step;
use oms_model::event::{Event, ExecutionReversed};
use oms_model::position::Booking;
use oms_model::report::VenueFill;
use oms_model::{Anomaly, ExecId, Mic, Order, Reversal, Time};

pub(super) fn booked(step: &Step<'_>, leg: &Order, exec_id: &ExecId) -> Option<Booked> {
    let holding = step.state().holding(leg.account_id, leg.instrument_id)?;
    let (booking, _) = holding.find(exec_id, leg.venue?, Some(leg.order_id))?;
    Some(Booked { account_id: leg.account_id, instrument_id: leg.instrument_id, booking: booking.clone() })
}

/// Whether this id was booked on the order: an execution, a reversal or a correction.
fn is_known(step: &Step<'_>, leg: &Order, exec_id: &ExecId) -> bool {
    step.state().entry(leg.order_id).is_some_and(|entry| entry.execs().binary_search(exec_id).is_ok())
}

/// An execution is told again. The books keep the first account; one with other figures is a break that is raised.
pub(crate) fn told_again(step: &mut Step<'_>, leg: &Order, fill: &VenueFill) {
    let Some(booked) = booked(step, leg, &fill.exec_id) else { return };
    let Booking { qty, price, .. } = booked.booking;
    // After a correction the account before it may still come late.
    if (qty, price) != (fill.last_qty, fill.last_px) && booked.booking.corrections.is_empty() {
        let detail =
            format!("execution {} is told as {} at {}, and is booked as {qty} at {price}", fill.exec_id, fill.last_qty, fill.last_px);
        report::anomaly(step, leg.order_id, Anomaly::UnexpectedReport, detail);
    }
}

/// The market took an execution of a leg back.
pub(crate) fn busted(step: &mut Step<'_>, leg: &Order, exec_ref: ExecId, exec_id: ExecId, text: String) {
    if is_known(step, leg, &exec_id) {
        return;
    }
    if let Some(booked) = booked(step, leg, &exec_ref) {
        return effect::reverse(step, &booked, Reversal::Bust, Some(exec_id), text);
    }
    let detail = format!("{exec_id} takes execution {exec_ref} back, which is not in the books: {text}");
    step.emit(Event::ExecutionBusted(Box::new(ExecutionReversed {
        exec_id: exec_ref,
        venue: leg.venue.unwrap_or_default(),
        order_id: leg.order_id,
        root_order_id: leg.root_order_id,
        account_id: leg.account_id,
        instrument_id: leg.instrument_id,
        side: leg.side,
        reference: Some(exec_id),
        reason: text,
        ..ExecutionReversed::default()
    })));
    report::anomaly(step, leg.order_id, Anomaly::UnknownExecution, detail);
}

/// The market corrected an execution of a leg. Where the execution itself has not come yet, this is it.
pub(crate) fn corrected(
    step: &mut Step<'_>,
    leg: &Order,
    revision: u32,
    transact_time: Time,
    exec_ref: ExecId,
    fill: VenueFill,
    text: String,
) {
    if is_known(step, leg, &fill.exec_id) {
        return;
    }
    // Under the id of a replace it shows that the venue took the replace, as a fill does.
    report::replaced(step, leg, revision, None);
    let Some(booked) = booked(step, leg, &exec_ref) else {
        if is_known(step, leg, &exec_ref) {
            let detail = format!("{} corrects execution {exec_ref}, which was taken back or is of an older day: {text}", fill.exec_id);
            return report::anomaly(step, leg.order_id, Anomaly::UnknownExecution, detail);
        }
        return report::filled(step, leg, revision, transact_time, VenueFill { exec_id: exec_ref, ..fill });
    };
    match with_figures(&booked.booking, &fill) {
        Some(changed) => effect::correct(step, &booked, &changed, Some(fill.exec_id), text),
        None => {
            let detail = format!("{} corrects execution {exec_ref} without a usable quantity or price", fill.exec_id);
            report::anomaly(step, leg.order_id, Anomaly::UnexpectedReport, detail);
        }
    }
}

/// The execution with the figures of a correction; `None` where they are none.
fn with_figures(booking: &Booking, fill: &VenueFill) -> Option<Booking> {
    fill.last_px.notional(fill.last_qty).filter(|_| fill.last_qty.is_positive())?;
    let fee = fill.fee_per_unit.notional(fill.last_qty).unwrap_or(booking.fee);
    Some(Booking { qty: fill.last_qty, price: fill.last_px, fee, ..booking.clone() })
}

/// A bust of an execution whose order left the hot state. Whether the execution was found.
pub(crate) fn busted_later(step: &mut Step<'_>, venue: Mic, exec_ref: &ExecId, exec_id: &ExecId, text: &str) -> bool {
    let Some(booked) = anywhere(step, venue, exec_ref) else { return false };
    effect::reverse(step, &booked, Reversal::Bust, Some(exec_id.clone()), text.chars().take(500).collect());
    true
}

/// A correction of an execution whose order left the hot state. Whether the execution was found.
pub(crate) fn corrected_later(step: &mut Step<'_>, venue: Mic, exec_ref: &ExecId, fill: &VenueFill, text: &str) -> bool {
    let Some(booked) = anywhere(step, venue, exec_ref) else { return false };
    let Some(changed) = with_figures(&booked.booking, fill) else { return false };
    if changed != booked.booking && !booked.booking.corrections.contains(&fill.exec_id) {
        effect::correct(step, &booked, &changed, Some(fill.exec_id.clone()), text.chars().take(500).collect());
    }
    true
}

/// An execution by its venue and id alone, of the open day or the last closed one.
pub(super) fn anywhere(step: &Step<'_>, venue: Mic, exec_id: &ExecId) -> Option<Booked> {
    let (account_id, instrument_id, booking, _) = step.state().find_execution(exec_id, venue)?;
    Some(Booked { account_id, instrument_id, booking: booking.clone() })
}
