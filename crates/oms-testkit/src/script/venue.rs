//! Lines about venues: what they lack, whether they are there, and what they say of a leg.

use super::parse::Line;
use super::run::Run;
use crate::fixture::VENUES;
use oms_model::command::Command;
use oms_model::report::{ReportBody, VenueFill};
use oms_model::{ExecId, IntentKind, Liquidity, Mic, WireId};

impl Run {
    /// No venue has something of its own any more.
    pub(super) fn lacking(&mut self, lack: impl Fn(&mut oms_model::instrument::Venue)) -> String {
        for venue in VENUES {
            let mut lacking = crate::fixture::configured(venue);
            lack(&mut lacking);
            self.desk.command(Command::ConfigureVenue(Box::new(lacking)));
        }
        String::new()
    }

    pub(super) fn session(&mut self, line: &mut Line<'_>, body: impl Fn(Mic) -> ReportBody) -> String {
        let venue: Mic = line.value();
        self.desk.report(venue, body(venue));
        String::new()
    }

    pub(super) fn venue_says(&mut self, verb: &str, line: &mut Line<'_>) -> String {
        let (id, leg, venue, revision) = self.leg(line.word());
        let (order, request) = (WireId::derive(leg, 0), WireId::derive(leg, revision));
        let body = match verb {
            "ack" => ReportBody::Accepted { wire_id: order, broker_order_id: None },
            "reject" => ReportBody::Rejected { wire_id: order, text: line.rest() },
            "fill" => {
                let fill = self.fill(line);
                // Under the id of the request that changed it.
                ReportBody::Fill { wire_id: if line.take("replaced") { request } else { order }, fill }
            }
            "expire" => ReportBody::Expired { wire_id: order },
            "cancel-ack" => ReportBody::Canceled { wire_id: request, text: line.rest() },
            "cancel-unasked" => ReportBody::Canceled { wire_id: order, text: line.rest() },
            "cancel-reject" => ReportBody::CancelRejected { wire_id: request, text: line.rest() },
            "replace-ack" => {
                let wire_id = if line.take("of") { WireId::derive(leg, line.value()) } else { request };
                ReportBody::Replaced { wire_id, order_qty: line.take("at").then(|| line.value()) }
            }
            "replace-reject" => ReportBody::ReplaceRejected { wire_id: request, text: line.rest() },
            "unknown" | "not-sent" | "resolve" => {
                let intent: IntentKind = line.word().to_ascii_uppercase().parse().unwrap();
                let wire_id = if intent == IntentKind::New { order } else { request };
                let reason = "as the script says".to_owned();
                match verb {
                    "unknown" => ReportBody::Unknown { wire_id, intent, reason },
                    "not-sent" => ReportBody::NotSent { wire_id, intent, reason },
                    _ => {
                        let outcome = line.value();
                        ReportBody::Resolved { wire_id, intent, outcome, broker_order_id: None, evidence: reason }
                    }
                }
            }
            other => panic!("{other:?} is no verb"),
        };
        self.desk.report(venue, body);
        id
    }

    fn fill(&mut self, line: &mut Line<'_>) -> VenueFill {
        let last_qty = line.value();
        assert!(line.take("@"), "a price follows");
        let last_px = line.value();
        let own = format!("E{}", self.next_exec());
        let exec_id = if line.take("exec") { line.word().to_owned() } else { own };
        VenueFill {
            exec_id: ExecId::new(&exec_id).unwrap(),
            last_qty,
            last_px,
            liquidity: Liquidity::Removed,
            fee_per_unit: crate::fixture::dec("0.003"),
        }
    }
}
