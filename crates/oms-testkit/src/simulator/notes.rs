//! What happened, in lines for people. Off unless somebody reads them.

use oms_model::WireId;
use oms_model::event::{Batch, Event};
use oms_model::report::ReportBody;

/// The lines of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    pub on: bool,
    pub lines: Vec<String>,
}

impl Notes {
    pub fn add(&mut self, line: impl FnOnce() -> String) {
        if self.on {
            self.lines.push(line());
        }
    }

    /// The digits of an id that differ, with the revision.
    pub fn short(wire_id: &WireId) -> String {
        match wire_id.parts() {
            Some((order, revision)) => format!("#{}-{revision}", Self::order(order)),
            None => wire_id.to_string(),
        }
    }

    /// An order id as the sequence and place that it was derived from.
    pub fn order(id: oms_model::OrderId) -> String {
        let bits = id.as_u128();
        format!("{}.{}", (bits & 0xFFFF_FFFF) ^ (crate::fixture::TENANT.as_u128() & 0xFFFF_FFFF), bits >> 64 & 0xFFF)
    }

    pub fn of_report(body: &ReportBody) -> String {
        let id = body.wire_id().map(Self::short).unwrap_or_default();
        let what = match body {
            ReportBody::Accepted { .. } => "accepted".to_owned(),
            ReportBody::Rejected { .. } => "rejected".to_owned(),
            ReportBody::Fill { fill, .. } => format!("fill {} @ {} exec {}", fill.last_qty, fill.last_px, fill.exec_id),
            ReportBody::Busted { exec_ref, exec_id, .. } => format!("bust of {exec_ref} by {exec_id}"),
            ReportBody::Corrected { exec_ref, fill, .. } => {
                format!("{exec_ref} is {} @ {} by {}", fill.last_qty, fill.last_px, fill.exec_id)
            }
            ReportBody::Commission { exec_id, commission, .. } => format!("{exec_id} cost {commission}"),
            ReportBody::Canceled { .. } => "canceled".to_owned(),
            ReportBody::CancelRejected { .. } => "cancel rejected".to_owned(),
            ReportBody::Replaced { .. } => "replaced".to_owned(),
            ReportBody::ReplaceRejected { .. } => "replace rejected".to_owned(),
            ReportBody::Expired { .. } => "expired".to_owned(),
            ReportBody::Unknown { intent, .. } => format!("unknown {intent}"),
            ReportBody::NotSent { intent, reason, .. } => format!("not sent {intent}: {reason}"),
            ReportBody::Resolved { intent, outcome, .. } => format!("resolved {intent} {outcome}"),
            ReportBody::SessionUp => "session up".to_owned(),
            ReportBody::SessionDown { .. } => "session down".to_owned(),
        };
        format!("{what} {id}")
    }

    pub fn of_batch(batch: &Batch) -> String {
        let shown = |event: &Event| {
            let id = event.order_id().map(|id| format!(" #{}", Self::order(id))).unwrap_or_default();
            let more = match event {
                Event::OrderCreated(e) => format!(
                    " {} {} {} {} @ {}{}",
                    e.cl_ord_id,
                    e.side,
                    e.order_qty,
                    e.time_in_force,
                    e.price.map_or("-".into(), |p| p.to_string()),
                    e.venue.map(|v| format!(" at {v}")).unwrap_or_default()
                ),
                Event::OrderSent(e) => format!(" {} r{}", e.intent, e.revision),
                Event::OrderRejected(e) => format!(" by {} {}", e.by, e.text),
                Event::OrderPartiallyFilled(e) | Event::OrderFilled(e) => format!(" {}", e.last_qty),
                Event::OrderStateSynced(e) => format!(" {} place {}", e.state, e.place_qty),
                Event::OrderReplaceRequested(e) => format!(" qty {} price {:?}", e.terms.order_qty, e.terms.price),
                Event::OrderReplaced(e) => format!(" qty {} r{}", e.terms.order_qty, e.revision),
                Event::OrderInDoubt(e) => format!(" {} r{}: {}", e.intent, e.revision, e.reason),
                Event::OrderOutcomeResolved(e) => format!(" {} {}", e.intent, e.outcome),
                Event::OrderAnomaly(e) => format!(" {}", e.anomaly),
                Event::BrokerConnected(e) | Event::BrokerDisconnected(e) => format!(" {}", e.venue),
                Event::CancelRejected(e) | Event::ReplaceRejected(e) => format!(" by {} {}", e.by, e.text),
                Event::OrderCanceled(e) | Event::OrderExpired(e) => format!(" by {}", e.by),
                Event::KillSwitchEngaged(e) | Event::KillSwitchReleased(e) => format!(" {}", e.scope),
                _ => String::new(),
            };
            format!("{}{id}{more}", event.name())
        };
        let quiet = |event: &&Event| !matches!(event, Event::RiskChecked(_) | Event::RouteDecided(_) | Event::IdempotencyRecorded(_));
        let events: Vec<String> = batch.events.iter().filter(quiet).map(shown).collect();
        format!("  {}: {}", batch.first_seq, events.join("; "))
    }
}
