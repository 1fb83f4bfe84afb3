//! One venue's side of the gateway: hands over, asks, and asks again until there is evidence.

use super::not_sent;
use crate::clock::Clock;
use crate::handle::Handle;
use crate::port::{Answer, Handed, ReportSink, RequestState, VenueOrder, VenuePort, VenueState, WireCancel, WireOrder, WireReplace};
use crate::telemetry::Telemetry;
use oms_model::report::{Report, ReportBody};
use oms_model::{IntentKind, Mic, OrderId, Outcome, Time, WireId};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// First pause between two questions about the same leg; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Longest pause between two questions about the same leg.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Longest pause between two questions whether a session works: one that is down says so at once, and is wanted back soon.
const LONGEST_BARRIER_PAUSE: Duration = Duration::from_secs(1);

/// A leg of which something is in doubt.
#[derive(Clone, Debug)]
pub(super) struct Resolve {
    order_id: OrderId,
    wire_id: WireId,
    /// The id that the venue knows it by now.
    current: WireId,
    /// Whether the order itself was not answered.
    new_unanswered: bool,
    /// The cancel or replace that was not answered.
    request: Option<(IntentKind, u32)>,
    pause: Duration,
    next: Option<Instant>,
}

impl Resolve {
    pub(super) fn new(
        order_id: OrderId,
        wire_id: WireId,
        current: WireId,
        new_unanswered: bool,
        request: Option<(IntentKind, u32)>,
    ) -> Self {
        Self { order_id, wire_id, current, new_unanswered, request, pause: FIRST_PAUSE, next: None }
    }
}

/// Something to be done at a venue.
pub(super) enum Work {
    /// A new order, with the kill switches engaged before it: one more, and it does not leave.
    Send(WireOrder, u64),
    Cancel(WireCancel),
    Replace(WireReplace),
    Resolve(Resolve),
    /// The session was lost: nothing is handed over until everything in doubt has its evidence.
    Reconcile,
    /// The desk has got to know the venue: that its session is up was told to nobody where it was up before.
    Introduce,
}

pub(super) struct Worker {
    port: Box<dyn VenuePort>,
    venue: Mic,
    handle: Handle,
    clock: Arc<dyn Clock>,
    telemetry: Arc<Telemetry>,
    kill_epoch: Arc<AtomicU64>,
    work: Receiver<Vec<Work>>,
    doubts: Vec<Resolve>,
    up: bool,
    barrier_pause: Duration,
    next_barrier: Instant,
}

impl Worker {
    pub(super) fn new(
        port: Box<dyn VenuePort>,
        handle: Handle,
        clock: Arc<dyn Clock>,
        telemetry: Arc<Telemetry>,
        kill_epoch: Arc<AtomicU64>,
        work: Receiver<Vec<Work>>,
        doubts: Vec<Resolve>,
    ) -> Self {
        let venue = port.venue();
        let next_barrier = Instant::now();
        Self { port, venue, handle, clock, telemetry, kill_epoch, work, doubts, up: false, barrier_pause: FIRST_PAUSE, next_barrier }
    }

    pub(super) fn run(mut self) {
        loop {
            if !self.up {
                self.reconcile();
            }
            match self.work.recv_timeout(self.wait()) {
                Ok(work) => work.into_iter().for_each(|work| self.handle_work(work)),
                Err(RecvTimeoutError::Timeout) => (),
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.up {
                self.ask_due();
            }
        }
    }

    fn wait(&self) -> Duration {
        let now = Instant::now();
        if !self.up {
            return self.next_barrier.saturating_duration_since(now);
        }
        let due = self.doubts.iter().filter_map(|doubt| doubt.next).min();
        let none = if self.doubts.is_empty() { LONGEST_PAUSE } else { Duration::ZERO };
        due.map_or(none, |at| at.saturating_duration_since(now)).min(LONGEST_PAUSE)
    }

    fn handle_work(&mut self, work: Work) {
        match work {
            Work::Send(order, kills_seen) => {
                let killed = self.kill_epoch.load(Ordering::SeqCst) != kills_seen;
                let refused = killed.then(|| Handed::NotSent("a kill switch was engaged".to_owned()));
                let refused = refused.or_else(|| self.last_look(order.deadline));
                let handed = refused.unwrap_or_else(|| self.port.send(&order));
                self.handed(&order.wire_id, IntentKind::New, order.deadline, handed);
            }
            Work::Cancel(request) => {
                let handed = self.last_look(request.deadline).unwrap_or_else(|| self.port.cancel(&request));
                self.handed(&request.wire_id, IntentKind::Cancel, request.deadline, handed);
            }
            Work::Replace(request) => {
                let handed = self.last_look(request.deadline).unwrap_or_else(|| self.port.replace(&request));
                self.handed(&request.wire_id, IntentKind::Replace, request.deadline, handed);
            }
            Work::Resolve(doubt) => {
                self.doubts.retain(|known| known.order_id != doubt.order_id);
                self.doubts.push(doubt);
            }
            Work::Reconcile => {
                self.up = false;
                self.next_barrier = Instant::now();
            }
            Work::Introduce if self.up => self.report(ReportBody::SessionUp),
            Work::Introduce => (),
        }
    }

    /// Why an intent may not leave any more.
    fn last_look(&self, deadline: Time) -> Option<Handed> {
        if !self.up {
            return Some(Handed::NotSent("the session is down".to_owned()));
        }
        (self.clock.now() > deadline).then(|| Handed::NotSent("its deadline had passed before it could be handed over".to_owned()))
    }

    fn handed(&self, wire_id: &WireId, intent: IntentKind, deadline: Time, handed: Handed) {
        match handed {
            Handed::Over => {
                let left = u64::try_from(deadline.since(self.clock.now())).unwrap_or(0);
                self.telemetry.send.record_ns(2_000_000_000_u64.saturating_sub(left));
            }
            Handed::NotSent(reason) => not_sent(&self.handle, self.venue, self.clock.now(), wire_id, intent, &reason),
            Handed::Unknown(reason) => self.report(ReportBody::Unknown { wire_id: wire_id.clone(), intent, reason }),
        }
    }

    fn report(&self, body: ReportBody) {
        // A partition that has stopped asks again at its next start.
        let _ = self.handle.report(Report { venue: self.venue, transact_time: self.clock.now(), body });
    }

    /// The barrier: a complete answer of the venue shows that the session works, then everything in doubt is asked.
    fn reconcile(&mut self) {
        if Instant::now() < self.next_barrier {
            return;
        }
        let answered = match self.port.open_orders() {
            Answer::Complete(_) => true,
            Answer::Incomplete(_) | Answer::Failed(_) => false,
        };
        if answered {
            for doubt in std::mem::take(&mut self.doubts) {
                self.ask(doubt);
            }
        }
        if answered && self.doubts.is_empty() {
            self.up = true;
            self.barrier_pause = FIRST_PAUSE;
            self.report(ReportBody::SessionUp);
            return;
        }
        self.next_barrier = Instant::now() + self.barrier_pause;
        self.barrier_pause = (self.barrier_pause * 2).min(LONGEST_BARRIER_PAUSE);
    }

    fn ask_due(&mut self) {
        let now = Instant::now();
        let (due, later) = std::mem::take(&mut self.doubts).into_iter().partition(|doubt| doubt.next.is_none_or(|at| at <= now));
        self.doubts = later;
        let due: Vec<Resolve> = due;
        for doubt in due {
            self.ask(doubt);
        }
    }

    /// Asks about one leg; what is still not known is asked again later.
    fn ask(&mut self, mut doubt: Resolve) {
        let known = match self.port.query(&doubt.wire_id) {
            Answer::Complete(found) => self.tell(&doubt, found.as_ref()),
            Answer::Incomplete(_) | Answer::Failed(_) => false,
        };
        if !known {
            doubt.next = Some(Instant::now() + doubt.pause);
            doubt.pause = (doubt.pause * 2).min(LONGEST_PAUSE);
            self.doubts.push(doubt);
        }
    }

    /// Reports the evidence of a complete answer. Whether it settles everything that was asked.
    fn tell(&self, doubt: &Resolve, found: Option<&VenueOrder>) -> bool {
        let Some(order) = found else {
            if doubt.new_unanswered {
                let evidence = "a complete answer of the venue does not know the order";
                self.resolved(&doubt.wire_id, IntentKind::New, Outcome::NotSent, None, evidence);
            }
            // A venue that acknowledged an order and no longer knows it proves nothing.
            return doubt.new_unanswered;
        };
        // First what the order is by now: executions beyond its old quantity would else look like too many.
        if let Some((IntentKind::Replace, revision)) = doubt.request {
            let wire_id = WireId::derive(doubt.order_id, revision);
            if order.requests.contains(&(wire_id.clone(), RequestState::Accepted)) {
                self.report(ReportBody::Replaced { wire_id, order_qty: Some(order.order_qty) });
            }
        }
        for (at, fill) in &order.fills {
            let body = ReportBody::Fill { wire_id: doubt.wire_id.clone(), fill: fill.clone() };
            let _ = self.handle.report(Report { venue: self.venue, transact_time: *at, body });
        }
        let outcome = match order.state {
            VenueState::Live => Outcome::Live,
            VenueState::Filled => Outcome::Filled,
            VenueState::Canceled => Outcome::Canceled,
            VenueState::Rejected => Outcome::Rejected,
            VenueState::Expired => Outcome::Expired,
        };
        if doubt.new_unanswered {
            let evidence = format!("the venue answers that the order is {outcome}");
            self.resolved(&doubt.wire_id, IntentKind::New, outcome, Some(order), &evidence);
        }
        match doubt.request {
            Some((intent, revision)) => self.tell_request(doubt, order, outcome, intent, revision),
            None => {
                self.tell_end(doubt, order.state);
                true
            }
        }
    }

    /// A leg that nothing was asked of may have ended while the venue was not heard.
    fn tell_end(&self, doubt: &Resolve, state: VenueState) {
        let wire_id = doubt.current.clone();
        match state {
            VenueState::Canceled => self.report(ReportBody::Canceled { wire_id, text: "the venue's answer to a query".to_owned() }),
            VenueState::Expired => self.report(ReportBody::Expired { wire_id }),
            VenueState::Rejected => self.report(ReportBody::Rejected { wire_id, text: "the venue's answer to a query".to_owned() }),
            VenueState::Live | VenueState::Filled => (),
        }
    }

    fn tell_request(&self, doubt: &Resolve, order: &VenueOrder, outcome: Outcome, intent: IntentKind, revision: u32) -> bool {
        let wire_id = WireId::derive(doubt.order_id, revision);
        let seen = order.requests.iter().find(|(id, _)| *id == wire_id).map(|(_, state)| *state);
        let text = "the venue's answer to a query".to_owned();
        match (seen, intent) {
            (Some(RequestState::Accepted), IntentKind::Replace) => {
                self.report(ReportBody::Replaced { wire_id: wire_id.clone(), order_qty: Some(order.order_qty) });
            }
            (Some(RequestState::Accepted), IntentKind::Cancel) if outcome == Outcome::Canceled => {
                self.report(ReportBody::Canceled { wire_id: wire_id.clone(), text });
                return true;
            }
            (Some(RequestState::Rejected), IntentKind::Cancel) => {
                self.report(ReportBody::CancelRejected { wire_id: wire_id.clone(), text });
            }
            (Some(RequestState::Rejected), IntentKind::Replace) => {
                self.report(ReportBody::ReplaceRejected { wire_id: wire_id.clone(), text });
            }
            (None, _) => {
                let evidence = "a complete answer of the venue does not know the request";
                self.resolved(&wire_id, intent, Outcome::NotSent, None, evidence);
            }
            (Some(RequestState::Pending | RequestState::Accepted), _) if outcome == Outcome::Live => return false,
            (Some(_), _) => (),
        }
        match outcome {
            Outcome::Canceled | Outcome::Expired => {
                let evidence = format!("the venue answers that the order is {outcome}");
                self.resolved(&wire_id, intent, outcome, Some(order), &evidence);
            }
            // What a person booked of it kept it working here.
            Outcome::Rejected => self.tell_end(doubt, order.state),
            Outcome::Live | Outcome::Filled | Outcome::NotSent => (),
        }
        true
    }

    fn resolved(&self, wire_id: &WireId, intent: IntentKind, outcome: Outcome, order: Option<&VenueOrder>, evidence: &str) {
        self.report(ReportBody::Resolved {
            wire_id: wire_id.clone(),
            intent,
            outcome,
            broker_order_id: order.map(|order| order.broker_order_id.clone()),
            evidence: evidence.to_owned(),
        });
    }
}
