//! One venue's side: hands over, asks, and asks again until there is evidence.

use super::{FIRST_PAUSE, LONGEST_PAUSE, Link, Outside, Work, keep_back};
use crate::simulator::coverage::Mark;
use crate::simulator::mutant::Mutant;
use crate::simulator::venue::Message;
use oms_model::report::ReportBody;
use oms_model::{IntentKind, Mic, OrderId, Outcome, Time, WireId};
use oms_runtime::port::{Answer, Handed, RequestState, VenueOrder, VenueState};

/// A leg of which something is to be found out.
#[derive(Clone, Debug)]
pub(crate) struct Resolve {
    order_id: OrderId,
    wire_id: WireId,
    /// Whether the order itself was not answered.
    new_unanswered: bool,
    /// The cancel or replace that was not answered.
    request: Option<(IntentKind, u32)>,
    pause: i64,
    next: Option<Time>,
}

impl Resolve {
    pub(super) fn new(order_id: OrderId, wire_id: WireId, new_unanswered: bool, request: Option<(IntentKind, u32)>) -> Self {
        Self { order_id, wire_id, new_unanswered, request, pause: FIRST_PAUSE, next: None }
    }
}

fn outcome_of(state: VenueState) -> Outcome {
    match state {
        VenueState::Live => Outcome::Live,
        VenueState::Filled => Outcome::Filled,
        VenueState::Canceled => Outcome::Canceled,
        VenueState::Rejected => Outcome::Rejected,
        VenueState::Expired => Outcome::Expired,
    }
}

impl Link {
    pub(super) fn handle(&mut self, mic: Mic, work: Work, outside: &mut Outside<'_>) {
        match work {
            Work::Send(order, kills) => {
                if kills != outside.kill_epoch && outside.mutant != Some(Mutant::KillIgnoredAtHandOut) {
                    return keep_back(mic, order.wire_id, outside);
                }
                let (wire_id, deadline) = (order.wire_id.clone(), order.deadline);
                self.hand(mic, wire_id, IntentKind::New, deadline, Message::New(order), outside);
            }
            Work::Cancel(request) => {
                let (wire_id, deadline) = (request.wire_id.clone(), request.deadline);
                self.hand(mic, wire_id, IntentKind::Cancel, deadline, Message::Cancel(request), outside);
            }
            Work::Replace(request) => {
                let (wire_id, deadline) = (request.wire_id.clone(), request.deadline);
                self.hand(mic, wire_id, IntentKind::Replace, deadline, Message::Replace(request), outside);
            }
            Work::Resolve(doubt) => {
                self.doubts.retain(|known| known.order_id != doubt.order_id);
                self.doubts.push(doubt);
            }
            Work::Claim(body) => outside.report(mic, body),
            Work::Reconcile => {
                self.up = false;
                self.next_barrier = outside.now;
            }
        }
    }

    fn hand(&self, mic: Mic, wire_id: WireId, intent: IntentKind, deadline: Time, message: Message, outside: &mut Outside<'_>) {
        let late = outside.now > deadline && outside.mutant != Some(Mutant::DeadlineIgnored);
        let handed = if !self.up {
            Handed::NotSent("the session is down".to_owned())
        } else if late {
            outside.coverage.mark(Mark::TooLate);
            Handed::NotSent("its deadline had passed before it could be handed over".to_owned())
        } else {
            outside.hand(mic, message)
        };
        match handed {
            Handed::Over => (),
            Handed::NotSent(reason) => outside.report(mic, ReportBody::NotSent { wire_id, intent, reason }),
            Handed::Unknown(reason) if outside.mutant == Some(Mutant::BrokenSendIsNotSent) => {
                outside.report(mic, ReportBody::NotSent { wire_id, intent, reason });
            }
            Handed::Unknown(reason) => outside.report(mic, ReportBody::Unknown { wire_id, intent, reason }),
        }
    }

    /// The barrier: a complete answer of the venue shows that the session works, then everything in doubt is asked,
    /// and every leg that works is compared.
    pub(super) fn reconcile(&mut self, mic: Mic, live: &[Resolve], outside: &mut Outside<'_>) {
        if outside.now < self.next_barrier {
            return;
        }
        let answer = outside.ask(mic, |venue, scene| venue.take_all(scene));
        let mut answered = matches!(answer, Answer::Complete(()));
        let doubted: Vec<WireId> = self.doubts.iter().map(|doubt| doubt.wire_id.clone()).collect();
        if answered {
            for doubt in std::mem::take(&mut self.doubts) {
                self.ask(mic, doubt, outside);
            }
        }
        if outside.mutant != Some(Mutant::LiveLegsNotReconciled) {
            let asked: Vec<&WireId> = live.iter().map(|leg| &leg.wire_id).chain(&doubted).collect();
            answered = answered && tell_executions(mic, &asked, outside);
            for leg in live.iter().filter(|leg| !doubted.contains(&leg.wire_id)) {
                answered = answered && compare(mic, leg, outside);
            }
            answered = answered && tell_later(mic, outside);
        }
        if answered && self.doubts.is_empty() {
            self.up = true;
            self.barrier_pause = FIRST_PAUSE;
            outside.report(mic, ReportBody::SessionUp);
            return;
        }
        self.next_barrier = outside.now.plus(self.barrier_pause);
        self.barrier_pause = (self.barrier_pause * 2).min(LONGEST_PAUSE);
    }

    pub(super) fn ask_due(&mut self, mic: Mic, outside: &mut Outside<'_>) {
        let now = outside.now;
        let (due, later): (Vec<Resolve>, Vec<Resolve>) =
            std::mem::take(&mut self.doubts).into_iter().partition(|doubt| doubt.next.is_none_or(|at| at <= now));
        self.doubts = later;
        for doubt in due {
            self.ask(mic, doubt, outside);
        }
    }

    /// Asks about one leg; what is still not known is asked again later.
    fn ask(&mut self, mic: Mic, mut doubt: Resolve, outside: &mut Outside<'_>) {
        let known = match outside.query(mic, &doubt.wire_id) {
            Answer::Complete(found) => tell(mic, &doubt, found.as_ref(), outside),
            Answer::Incomplete(_) | Answer::Failed(_) => false,
        };
        if !known {
            doubt.next = Some(outside.now.plus(doubt.pause));
            doubt.pause = (doubt.pause * 2).min(LONGEST_PAUSE);
            self.doubts.push(doubt);
        }
    }
}

/// A replace that the venue took is told before executions that only its quantity explains.
fn tell_replaced(mic: Mic, leg: &Resolve, order: &VenueOrder, outside: &mut Outside<'_>) {
    let Some((IntentKind::Replace, revision)) = leg.request else { return };
    let wire_id = WireId::derive(leg.order_id, revision);
    if order.requests.contains(&(wire_id.clone(), RequestState::Accepted)) {
        outside.report(mic, ReportBody::Replaced { wire_id, order_qty: Some(order.order_qty) });
    }
}

fn tell_fills(mic: Mic, wire_id: &WireId, order: &VenueOrder, outside: &mut Outside<'_>) {
    for (at, fill) in &order.fills {
        if !outside.orders.books.knows(mic, &fill.exec_id) {
            outside.coverage.mark(Mark::FoundFill);
        }
        outside.report_of(mic, *at, ReportBody::Fill { wire_id: wire_id.clone(), fill: fill.clone() });
    }
}

/// Reports every execution that is not in the log, of orders that are not asked about one by one. Whether the venue
/// answered.
fn tell_executions(mic: Mic, asked: &[&WireId], outside: &mut Outside<'_>) -> bool {
    let answer = outside.ask(mic, |venue, scene| {
        venue.take_all(scene);
        let fills = |held: &super::super::venue::Held| -> Vec<_> {
            held.fills.iter().map(|(at, fill)| (held.first.clone(), *at, fill.clone())).collect()
        };
        venue.book.iter().flat_map(fills).collect::<Vec<_>>()
    });
    let Answer::Complete(executions) = answer else { return false };
    for (wire_id, at, fill) in executions {
        if !outside.orders.books.knows(mic, &fill.exec_id) && !asked.contains(&&wire_id) {
            outside.coverage.mark(Mark::FoundFill);
            outside.report_of(mic, at, ReportBody::Fill { wire_id, fill });
        }
    }
    true
}

/// Reports once more everything that the venue said about executions after it had told them. Whether it answered.
fn tell_later(mic: Mic, outside: &mut Outside<'_>) -> bool {
    let Answer::Complete(said) = outside.ask(mic, |venue, _| venue.said_later().to_vec()) else { return false };
    for report in said {
        outside.report_of(mic, report.transact_time, report.body);
    }
    true
}

/// Compares a leg that nobody doubts with what the venue has of it. Whether the venue answered.
fn compare(mic: Mic, leg: &Resolve, outside: &mut Outside<'_>) -> bool {
    let found = match outside.query(mic, &leg.wire_id) {
        Answer::Complete(found) => found,
        Answer::Incomplete(_) | Answer::Failed(_) => return false,
    };
    // A venue that does not know it proves nothing: it may not have been handed over yet.
    let Some(order) = found else { return true };
    tell_replaced(mic, leg, &order, outside);
    tell_fills(mic, &leg.wire_id, &order, outside);
    tell_end(mic, &leg.wire_id, order.state, outside);
    true
}

/// A leg that nobody doubts may have ended.
fn tell_end(mic: Mic, wire_id: &WireId, state: VenueState, outside: &mut Outside<'_>) {
    let (wire_id, text) = (wire_id.clone(), "found when the venue was asked".to_owned());
    match state {
        VenueState::Live | VenueState::Filled => (),
        VenueState::Canceled => outside.report(mic, ReportBody::Canceled { wire_id, text }),
        VenueState::Rejected => outside.report(mic, ReportBody::Rejected { wire_id, text }),
        VenueState::Expired => outside.report(mic, ReportBody::Expired { wire_id }),
    }
}

/// Reports the evidence of a complete answer. Whether it settles everything that was asked.
fn tell(mic: Mic, doubt: &Resolve, found: Option<&VenueOrder>, outside: &mut Outside<'_>) -> bool {
    let Some(order) = found else {
        if doubt.new_unanswered {
            let evidence = "a complete answer of the venue does not know the order";
            resolved(mic, &doubt.wire_id, IntentKind::New, Outcome::NotSent, None, evidence, outside);
        }
        // A venue that acknowledged an order and no longer knows it proves nothing.
        return doubt.new_unanswered;
    };
    // A gateway that tells the executions first makes the desk find out by them, and by the replace that comes after.
    if outside.rng.chance(800) {
        tell_replaced(mic, doubt, order, outside);
    }
    tell_fills(mic, &doubt.wire_id, order, outside);
    let outcome = outcome_of(order.state);
    if doubt.new_unanswered {
        let evidence = format!("the venue answers that the order is {outcome}");
        resolved(mic, &doubt.wire_id, IntentKind::New, outcome, Some(order), &evidence, outside);
    }
    if doubt.request.is_none() && !doubt.new_unanswered {
        tell_end(mic, &doubt.wire_id, order.state, outside);
    }
    doubt.request.is_none_or(|(intent, revision)| tell_request(mic, doubt, order, outcome, intent, revision, outside))
}

fn tell_request(
    mic: Mic,
    doubt: &Resolve,
    order: &VenueOrder,
    outcome: Outcome,
    intent: IntentKind,
    revision: u32,
    outside: &mut Outside<'_>,
) -> bool {
    let wire_id = WireId::derive(doubt.order_id, revision);
    let mut seen = order.requests.iter().find(|(id, _)| *id == wire_id).map(|(_, state)| *state);
    let text = "the venue's answer to a query".to_owned();
    if outside.mutant == Some(Mutant::PendingCancelIsCanceled) && seen == Some(RequestState::Pending) && intent == IntentKind::Cancel {
        seen = Some(RequestState::Accepted);
        outside.report(mic, ReportBody::Canceled { wire_id: wire_id.clone(), text: text.clone() });
    }
    match (seen, intent) {
        (Some(RequestState::Accepted), IntentKind::Replace) => {
            outside.report(mic, ReportBody::Replaced { wire_id: wire_id.clone(), order_qty: Some(order.order_qty) });
        }
        (Some(RequestState::Accepted), IntentKind::Cancel) if outcome == Outcome::Canceled => {
            outside.report(mic, ReportBody::Canceled { wire_id, text });
            return true;
        }
        (Some(RequestState::Rejected), IntentKind::Cancel) => {
            outside.report(mic, ReportBody::CancelRejected { wire_id: wire_id.clone(), text });
        }
        (Some(RequestState::Rejected), IntentKind::Replace) => {
            outside.report(mic, ReportBody::ReplaceRejected { wire_id: wire_id.clone(), text });
        }
        (None, _) => {
            let evidence = "a complete answer of the venue does not know the request";
            resolved(mic, &wire_id, intent, Outcome::NotSent, None, evidence, outside);
        }
        (Some(RequestState::Pending | RequestState::Accepted), _) if outcome == Outcome::Live => return false,
        (Some(_), _) => (),
    }
    if matches!(outcome, Outcome::Canceled | Outcome::Expired) {
        let evidence = format!("the venue answers that the order is {outcome}");
        resolved(mic, &wire_id, intent, outcome, Some(order), &evidence, outside);
    }
    if outcome == Outcome::Rejected {
        // What a person booked of it kept it working here.
        tell_end(mic, &doubt.wire_id, order.state, outside);
    }
    true
}

fn resolved(
    mic: Mic,
    wire_id: &WireId,
    intent: IntentKind,
    outcome: Outcome,
    order: Option<&VenueOrder>,
    evidence: &str,
    outside: &mut Outside<'_>,
) {
    outside.report(
        mic,
        ReportBody::Resolved {
            wire_id: wire_id.clone(),
            intent,
            outcome,
            broker_order_id: order.map(|order| order.broker_order_id.clone()),
            evidence: evidence.to_owned(),
        },
    );
}
