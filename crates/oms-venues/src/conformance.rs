//! What every implementation of the venue port must do, as a suite over a rig.
//!
//! A rig is a port, a way to move the venue's market, and switches for what may go wrong. Each case
//! gets a fresh one and answers what it found wrong. `venue_port_suite!` makes one test per case.

mod faults;
mod orders;

use std::collections::BTreeMap;
use std::fmt;

use oms_model::report::{Report, ReportBody, VenueFill};
use oms_model::{ExecId, InstrumentId, OrdType, OrderId, Price, Qty, Side, Symbol, Time, TimeInForce, WireId};
use oms_runtime::port::{Answer, Handed, VenueOrder, VenuePort, WireCancel, WireOrder, WireReplace};

use crate::paper::faults::Faults;

pub use faults::*;
pub use orders::*;

/// A venue under test.
pub trait Rig {
    /// The port under test.
    fn port(&mut self) -> &mut dyn VenuePort;
    /// What is traded there.
    fn instrument(&self) -> (InstrumentId, Symbol);
    /// What time it is.
    fn now(&self) -> Time;
    /// Sets the venue's own quote of one side.
    fn quote(&mut self, side: Side, shown: Option<(Price, Qty)>);
    /// Prints a trade at the venue.
    fn trade(&mut self, price: Price, qty: Qty);
    /// Lets time pass until nothing is under way; answers the reports that came.
    fn settle(&mut self) -> Vec<Report>;
    /// Sets the fault switches.
    fn set_faults(&mut self, faults: Faults);
    /// The process that holds our end, and whatever of the venue lives in it, dies and starts again.
    fn restart(&mut self);
}

/// What a case found wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation(pub String);

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The outcome of a case.
pub type Outcome = Result<(), Violation>;

/// One rule of the port.
pub type Case = fn(&mut dyn Rig) -> Outcome;

/// Every case with its name.
pub const CASES: &[(&str, Case)] = &[
    ("new_is_accepted_and_filled", new_is_accepted_and_filled),
    ("partial_fill_rests_and_fills_later", partial_fill_rests_and_fills_later),
    ("cancel_ends_the_order", cancel_ends_the_order),
    ("cancel_is_refused_when_too_late_or_unknown", cancel_is_refused_when_too_late_or_unknown),
    ("replace_changes_terms_and_id", replace_changes_terms_and_id),
    ("replace_is_refused_and_changes_nothing", replace_is_refused_and_changes_nothing),
    ("duplicate_cl_ord_id_is_one_order", duplicate_cl_ord_id_is_one_order),
    ("ioc_takes_what_is_there", ioc_takes_what_is_there),
    ("fok_takes_all_or_nothing", fok_takes_all_or_nothing),
    ("market_without_quote_is_refused", market_without_quote_is_refused),
    ("stop_waits_for_its_trade", stop_waits_for_its_trade),
    ("query_knows_and_does_not_know", query_knows_and_does_not_know),
    ("deadline_passed_is_not_sent", deadline_passed_is_not_sent),
    ("outage_is_not_empty", outage_is_not_empty),
    ("half_open_is_not_empty", half_open_is_not_empty),
    ("incomplete_is_not_complete", incomplete_is_not_complete),
    ("duplicates_carry_the_same_exec_id", duplicates_carry_the_same_exec_id),
    ("lost_answers_are_found_by_asking", lost_answers_are_found_by_asking),
    ("late_and_reordered_answers_say_the_same", late_and_reordered_answers_say_the_same),
    ("reject_storm_refuses_and_remembers", reject_storm_refuses_and_remembers),
    ("restart_remembers_everything", restart_remembers_everything),
    ("every_fault_at_once", every_fault_at_once),
];

/// One test per case over fresh rigs: `venue_port_suite!(paper, rig())`.
#[macro_export]
macro_rules! venue_port_suite {
    ($name:ident, $rig:expr) => {
        mod $name {
            #[allow(unused_imports, reason = "the expression may name things of the caller")]
            use super::*;

            #[test]
            fn every_case_of_the_venue_port_suite() {
                let mut wrong = Vec::new();
                for (case, run) in $crate::conformance::CASES {
                    let mut rig = $rig;
                    if let Err(violation) = run(&mut rig) {
                        wrong.push(format!("{case}: {violation}"));
                    }
                }
                assert!(wrong.is_empty(), "{}", wrong.join("\n"));
            }
        }
    };
}

fn violated<T>(what: impl Into<String>) -> Result<T, Violation> {
    Err(Violation(what.into()))
}

fn expect(holds: bool, what: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { violated(what()) }
}

fn equal<T: PartialEq + fmt::Debug>(what: &str, found: T, wanted: T) -> Outcome {
    expect(found == wanted, || format!("{what}: found {found:?}, wanted {wanted:?}"))
}

/// A price in cents.
fn cents(cents: i64) -> Price {
    Price::from_raw(cents * 10_000_000)
}

fn shares(shares: i64) -> Qty {
    Qty::from_raw(i128::from(shares) * 1_000_000_000)
}

fn wire(order: u128, revision: u32) -> WireId {
    WireId::derive(OrderId::from_u128(order), revision)
}

/// One minute from now: no case takes as long.
fn deadline(rig: &dyn Rig) -> Time {
    rig.now().plus(3_600_000_000_000)
}

/// A limit order for the day.
fn limit(rig: &dyn Rig, order: u128, side: Side, qty: i64, price_cents: i64) -> WireOrder {
    let (instrument, symbol) = rig.instrument();
    WireOrder {
        wire_id: wire(order, 0),
        instrument,
        symbol,
        side,
        ord_type: OrdType::Limit,
        order_qty: shares(qty),
        cash_order_qty: None,
        quote_ref: None,
        price: Some(cents(price_cents)),
        stop_px: None,
        time_in_force: TimeInForce::Day,
        expire_at: None,
        deadline: deadline(rig),
    }
}

fn cancel_of(rig: &dyn Rig, order: u128, revision: u32, orig: u32) -> WireCancel {
    WireCancel { wire_id: wire(order, revision), orig_wire_id: wire(order, orig), deadline: deadline(rig) }
}

fn replace_of(rig: &dyn Rig, order: u128, revision: u32, orig: u32, qty: i64, price_cents: i64) -> WireReplace {
    WireReplace {
        wire_id: wire(order, revision),
        orig_wire_id: wire(order, orig),
        order_qty: shares(qty),
        price: Some(cents(price_cents)),
        stop_px: None,
        deadline: deadline(rig),
    }
}

/// Hands over what must go over.
fn send(rig: &mut dyn Rig, order: &WireOrder) -> Outcome {
    let handed = rig.port().send(order);
    equal("handing over", handed, Handed::Over)
}

fn complete<T: fmt::Debug>(answer: Answer<T>) -> Result<T, Violation> {
    match answer {
        Answer::Complete(all) => Ok(all),
        Answer::Incomplete(some) => violated(format!("an incomplete answer where a complete one was due: {some:?}")),
        Answer::Failed(reason) => violated(format!("no answer: {reason}")),
    }
}

/// The order that must be known.
fn known(rig: &mut dyn Rig, order: u128) -> Result<VenueOrder, Violation> {
    match complete(rig.port().query(&wire(order, 0)))? {
        Some(order) => Ok(order),
        None => violated(format!("order {order} is not known")),
    }
}

fn fills(reports: &[Report]) -> Vec<(WireId, VenueFill)> {
    let fill = |report: &Report| match &report.body {
        ReportBody::Fill { wire_id, fill } => Some((wire_id.clone(), fill.clone())),
        _ => None,
    };
    reports.iter().filter_map(fill).collect()
}

fn traded(fills: &[(Time, VenueFill)]) -> Qty {
    fills.iter().fold(Qty::ZERO, |sum, (_, fill)| sum.saturating_add(fill.last_qty))
}

/// The kinds of the reports about one wire id, in order. What executions cost is told by some venues and not by others.
fn story(reports: &[Report], wire_id: &WireId) -> Vec<&'static str> {
    let about = reports.iter().map(|report| &report.body).filter(|body| body.wire_id() == Some(wire_id));
    about.filter(|body| !matches!(body, ReportBody::Commission { .. })).map(kind).collect()
}

fn kind(body: &ReportBody) -> &'static str {
    match body {
        ReportBody::Accepted { .. } => "accepted",
        ReportBody::Rejected { .. } => "rejected",
        ReportBody::Fill { .. } => "fill",
        ReportBody::Busted { .. } => "busted",
        ReportBody::Corrected { .. } => "corrected",
        ReportBody::Commission { .. } => "commission",
        ReportBody::Canceled { .. } => "canceled",
        ReportBody::CancelRejected { .. } => "cancel rejected",
        ReportBody::Replaced { .. } => "replaced",
        ReportBody::ReplaceRejected { .. } => "replace rejected",
        ReportBody::Expired { .. } => "expired",
        ReportBody::Unknown { .. } => "unknown",
        ReportBody::NotSent { .. } => "not sent",
        ReportBody::Resolved { .. } => "resolved",
        ReportBody::SessionUp => "session up",
        ReportBody::SessionDown { .. } => "session down",
    }
}

/// Executions that the venue tells, by their id; a repeated id is a violation.
fn executions(rig: &mut dyn Rig) -> Result<BTreeMap<ExecId, (WireId, VenueFill)>, Violation> {
    let mut by_id = BTreeMap::new();
    for (wire_id, _, fill) in complete(rig.port().executions_since(Time(i64::MIN)))? {
        let exec_id = fill.exec_id.clone();
        if by_id.insert(exec_id.clone(), (wire_id, fill)).is_some() {
            return violated(format!("execution {exec_id} is told twice in one answer"));
        }
    }
    Ok(by_id)
}

#[cfg(test)]
mod tests;
