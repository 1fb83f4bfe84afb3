//! What venues do by themselves, and the way of their reports to the engine.

use super::World;
use crate::fixture::{TENANT, VENUES};
use crate::hold;
use crate::simulator::mutant::Mutant;
use crate::simulator::node::Asker;
use crate::simulator::notes::Notes;
use crate::simulator::plan::Kind;
use crate::simulator::rng::Rng;
use oms_engine::input::InputBody;
use oms_model::command::Actor;
use oms_model::instrument::Currency;
use oms_model::position::Holding;
use oms_model::report::{Report, ReportBody};
use oms_model::{ExecId, IntentKind, Notional, OrdState, Source};
use oms_runtime::port::VenueState;

impl World {
    pub(super) fn venue(&mut self, kind: Kind, rng: &mut Rng) {
        let mic = rng.pick(&VENUES);
        let since = self.reversible_since();
        let before = self.venues.get(&mic).map_or(0, |venue| venue.outbox.len());
        let done = self.with_venue(mic, rng, |venue, scene| match kind {
            Kind::Take => {
                venue.decide_all(scene);
                venue.take_all(scene);
                None
            }
            Kind::Trade => {
                let at = venue.any_live(scene.rng);
                if let Some(at) = at {
                    let all = scene.rng.chance(400);
                    venue.execute(at, all, scene);
                }
                None
            }
            Kind::Unasked | Kind::Expire => {
                if let Some(at) = venue.any_live(scene.rng) {
                    venue.end(at, if kind == Kind::Expire { VenueState::Expired } else { VenueState::Canceled }, scene);
                }
                None
            }
            Kind::Later => {
                venue.later(since, scene);
                None
            }
            Kind::Foreign if venue.line => Some(venue.foreign(scene)),
            Kind::Disconnect if venue.line => {
                venue.break_line(scene);
                None
            }
            Kind::Disconnect => {
                venue.line = true;
                None
            }
            _ => None,
        });
        if let Some(Some(fill)) = done {
            self.foreign.insert((mic, fill.exec_id));
        }
        let Some(venue) = self.venues.get(&mic) else { return };
        for report in venue.outbox.iter().skip(before) {
            self.notes.add(|| format!("  {mic}: {}", Notes::of_report(&report.body)));
        }
        if kind == Kind::Disconnect {
            let up = venue.line;
            self.notes.add(|| format!("  the line to {mic} is {}", if up { "up" } else { "down" }));
            if !up && let Some(node) = self.node.as_mut() {
                let body = ReportBody::SessionDown { reason: "the line broke".to_owned() };
                node.door.push_back(Report { venue: mic, transact_time: self.now, body });
            }
        }
    }

    /// One report of each venue arrives, with what befalls it on the way.
    pub(super) fn pump_reports(&mut self, rng: &mut Rng) {
        for mic in VENUES {
            let Some(venue) = self.venues.get_mut(&mic) else { continue };
            let at = if rng.chance(self.rates.overtake) { rng.place(venue.outbox.len()) } else { 0 };
            self.coverage.faults += u64::from(at > 0);
            let Some(report) = venue.outbox.get(at).cloned() else { continue };
            if rng.chance(self.rates.repeat) {
                self.coverage.faults += 1;
            } else {
                venue.outbox.remove(at);
            }
            if rng.chance(self.rates.lose) {
                self.coverage.faults += 1;
                self.notes.add(|| format!("  lost: {}", Notes::of_report(&report.body)));
                continue;
            }
            if let Some(node) = self.node.as_mut() {
                node.door.push_back(report);
            }
        }
    }

    /// The execution that a report tells, where it is of an order that is not ours.
    fn foreign_exec(&self, report: &Report) -> Option<ExecId> {
        let ReportBody::Fill { fill, .. } = &report.body else { return None };
        self.foreign.contains(&(report.venue, fill.exec_id.clone())).then(|| fill.exec_id.clone())
    }

    /// The charge that a report tells, where it is for an execution that is not ours.
    fn foreign_charge(&self, report: &Report) -> Option<(ExecId, Notional, Currency)> {
        let ReportBody::Commission { exec_id, commission, currency, .. } = &report.body else { return None };
        self.foreign.contains(&(report.venue, exec_id.clone())).then(|| (exec_id.clone(), *commission, *currency))
    }

    /// Reports that wait enter.
    pub(super) fn pump_door(&mut self, most: usize, rng: &mut Rng) {
        for _ in 0..most {
            let Some(node) = self.node.as_mut() else { return };
            let Some(report) = node.door.pop_front() else { return };
            let (foreign, report_venue) = (self.foreign_exec(&report), report.venue);
            let charge = self.foreign_charge(&report);
            if let Some(report) = self.mistranslated(report, rng) {
                self.notes.add(|| format!("  {} says {}", report.venue, Notes::of_report(&report.body)));
                let from = Actor { tenant_id: TENANT, source: Source::Venue, ..Actor::default() };
                self.enter(from, InputBody::Report(report), Asker::Nobody);
            }
            if let (Some(exec_id), Some(node)) = (foreign, self.node.as_ref()) {
                let state = node.engine.state();
                let kept = state.suspense().any(|execution| execution.exec_id == exec_id)
                    || state.holdings_after(None).any(|holding| holding.find(&exec_id, report_venue, None).is_some())
                    // Somebody decided that it is not ours: told again, it does not wait again.
                    || state.is_dismissed(report_venue, &exec_id);
                hold!(
                    20,
                    kept || self.mutant == Some(Mutant::RepeatedFillBooked),
                    "execution {exec_id} matches no order and is kept nowhere"
                );
            }
            if let (Some((exec_id, commission, currency)), Some(node)) = (charge, self.node.as_ref()) {
                let state = node.engine.state();
                let booked = |holding: &Holding| {
                    let found = holding.find(&exec_id, report_venue, None);
                    // One that came to what stood there already changed nothing.
                    found.is_some_and(|(booking, _)| booking.commission_currency.is_some() || booking.fee == commission)
                };
                let kept = state.holdings_after(None).any(booked)
                    || state.suspense().chain(state.dismissals()).any(|one| one.is_charge_of(report_venue, &exec_id, commission, currency));
                hold!(22, kept, "a charge of {commission} for execution {exec_id} of {report_venue} is kept nowhere");
            }
        }
    }

    /// What a planted bug makes of a report.
    fn mistranslated(&mut self, mut report: Report, rng: &mut Rng) -> Option<Report> {
        let state = self.node.as_ref()?.engine.state();
        let leg = report.body.wire_id().and_then(oms_model::WireId::parts).and_then(|(order_id, _)| state.order(order_id));
        let known = leg.is_some();
        let done = leg.is_some_and(|leg| leg.state.is_done());
        let answered = leg.is_some_and(|leg| leg.state != OrdState::Unack);
        match (self.mutant, &mut report.body) {
            (Some(Mutant::RepeatedFillBooked), ReportBody::Fill { fill, .. }) => {
                fill.exec_id = ExecId::new(&format!("{}x{}", fill.exec_id, rng.below(1_000))).unwrap_or_default();
            }
            (Some(Mutant::LateFillDropped), ReportBody::Fill { .. }) if done => return None,
            (Some(Mutant::BustDropped), ReportBody::Busted { .. }) if known => return None,
            (Some(Mutant::BustOfAnother), ReportBody::Busted { exec_ref, wire_id, .. }) => {
                let order_id = wire_id.parts().map(|(order_id, _)| order_id);
                let execs = order_id.and_then(|id| state.entry(id)).map_or(&[][..], |entry| entry.execs());
                if let Some(other) = execs.iter().find(|exec_id| *exec_id != exec_ref) {
                    exec_ref.clone_from(other);
                }
            }
            (Some(Mutant::CorrectionAdded), ReportBody::Corrected { wire_id, fill, .. }) => {
                report.body = ReportBody::Fill { wire_id: wire_id.clone(), fill: fill.clone() };
            }
            (Some(Mutant::ChargeDoubled), ReportBody::Commission { commission, .. }) => {
                *commission = commission.saturating_add(*commission);
            }
            (Some(Mutant::ForeignChargeDropped), ReportBody::Commission { .. }) if !known => return None,
            (Some(Mutant::ForeignFillDropped), ReportBody::Fill { .. }) if !known => return None,
            (Some(Mutant::EndEvidenceDropped), ReportBody::Resolved { intent: IntentKind::New, .. }) if answered => return None,
            (Some(Mutant::CancelRejectIsCancel), ReportBody::CancelRejected { wire_id, text }) => {
                report.body = ReportBody::Canceled { wire_id: wire_id.clone(), text: text.clone() };
            }
            _ => (),
        }
        Some(report)
    }
}
