//! One venue: hands to it what its client asks, and tells the client what it says.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use oms_model::logged::{Quoted, Withheld};
use oms_model::report::{Report, ReportBody};
use oms_model::{Mic, Time};
use oms_runtime::port::{Answer, Handed, VenueOrder, VenuePort};
use oms_runtime::{Clock as _, SystemClock};
use tokio::sync::mpsc;

use super::book::{Book, Step};
use super::restore::{self, Restored, Waiting};
use super::{VenueFigures, read, tell};
use crate::codec::scan::{View, scan};
use crate::desk::request::tag;
use crate::dictionary::fix44;
use crate::session::config::SessionId;
use crate::session::outbox::{Event, Kept, Mark, Outgoing};
use crate::session::{BusinessReason, business_reject};
use crate::tags;
use crate::transport::{Application, PostFailure, SessionHandle};

/// Messages and reports that are worked off together.
const TOGETHER: usize = 256;
/// Messages that were worked off may stay unmarked up to so many.
const UNMARKED: u64 = 1_024;

fn count(figure: &AtomicU64) {
    figure.fetch_add(1, Ordering::Relaxed);
}

/// A message on its way to the venue.
pub(super) struct Inbound {
    pub(super) kept: Kept,
    pub(super) bytes: Vec<u8>,
}

/// The session's side of it.
pub(super) struct Door {
    inbox: mpsc::Sender<Inbound>,
    figures: Arc<VenueFigures>,
}

impl Door {
    pub(super) fn new(inbox: mpsc::Sender<Inbound>, figures: Arc<VenueFigures>) -> Self {
        Self { inbox, figures }
    }

    fn refuse(&self, message: &View<'_>, reason: BusinessReason, replies: &mut Vec<Outgoing>) -> bool {
        count(&self.figures.refused);
        replies.push(business_reject(message, reason, None));
        false
    }
}

impl Application for Door {
    fn deliver(&mut self, _: &SessionId, message: &View<'_>, replies: &mut Vec<Outgoing>) {
        self.refuse(message, BusinessReason::ApplicationNotAvailable, replies);
    }

    fn keeps(&self) -> bool {
        true
    }

    fn take(&mut self, session: &SessionId, kept: &Kept, message: &View<'_>, replies: &mut Vec<Outgoing>) -> bool {
        match message.msg_type() {
            b"D" | b"F" | b"G" | b"H" | b"AF" => {
                if self.inbox.try_send(Inbound { kept: *kept, bytes: message.bytes().to_vec() }).is_err() {
                    return self.refuse(message, BusinessReason::ApplicationNotAvailable, replies);
                }
                count(&self.figures.received);
                true
            }
            // Neither a refusal nor a dispute of ours is answered.
            b"j" | b"Q" => {
                let text = message.get(tags::TEXT).map(String::from_utf8_lossy).unwrap_or_default();
                tracing::warn!(%session, text = %Withheld(&text), "the client does not accept a message");
                false
            }
            _ => self.refuse(message, BusinessReason::UnsupportedMessageType, replies),
        }
    }

    fn event(&mut self, session: &SessionId, event: &Event) {
        match event {
            Event::LoggedOn { .. } => tracing::info!(%session, "logged on"),
            Event::LoggedOut { reason } => tracing::info!(%session, %reason, "logged out"),
            Event::Dropped { reason, detail } => tracing::warn!(%session, %reason, detail = %Quoted(detail), "a connection was let go"),
            Event::Rejected { seq, .. } => tracing::warn!(%session, seq, "a message was refused"),
            Event::PeerRejected { ref_seq, text } => {
                tracing::warn!(%session, ref_seq, text = %Withheld(text), "the client refused a message")
            }
            Event::ResendAsked { begin, end } => tracing::info!(%session, begin, end, "messages are sent again"),
            _ => (),
        }
    }
}

/// A venue and its session, running.
pub(super) struct Venue {
    mic: Mic,
    port: Box<dyn VenuePort>,
    session: SessionHandle,
    book: Book,
    inbox: mpsc::Receiver<Inbound>,
    reports: mpsc::Receiver<Report>,
    out: Vec<Outgoing>,
    /// What was told at the start, and may be reported once more.
    told: BTreeSet<String>,
    handled: Option<u64>,
    marked: Option<u64>,
    figures: Arc<VenueFigures>,
}

impl Venue {
    pub(super) fn new(
        port: Box<dyn VenuePort>,
        session: SessionHandle,
        restored: Restored,
        inbox: mpsc::Receiver<Inbound>,
        reports: mpsc::Receiver<Report>,
        handled: Option<u64>,
        figures: Arc<VenueFigures>,
    ) -> Self {
        let Restored { book, out, told, waiting } = restored;
        let mic = port.venue();
        let mut venue = Self { mic, port, session, book, inbox, reports, out, told, handled, marked: handled, figures };
        // Answers that were due at once and not given.
        for inbound in waiting {
            venue.answer_again(&inbound);
        }
        venue
    }

    /// Runs until the session or the venue ends.
    pub(super) async fn run(mut self) {
        let (mut inbound, mut reports) = (Vec::with_capacity(TOGETHER), Vec::with_capacity(TOGETHER));
        while self.post().await {
            tokio::select! {
                count = self.reports.recv_many(&mut reports, TOGETHER) => {
                    if count == 0 {
                        return;
                    }
                    for report in reports.drain(..) {
                        self.report(&report).await;
                    }
                }
                count = self.inbox.recv_many(&mut inbound, TOGETHER) => {
                    // What the venue has was durable before.
                    if count == 0 || self.session.settled().await.is_err() {
                        return;
                    }
                    for message in inbound.drain(..) {
                        self.take(&message).await;
                    }
                }
            }
        }
    }

    /// Tells what is due. False where the session has ended.
    async fn post(&mut self) -> bool {
        let lag = self.handled.unwrap_or_default() - self.marked.unwrap_or_default();
        if self.out.is_empty() && lag < UNMARKED {
            return true;
        }
        let (messages, mark) = (std::mem::take(&mut self.out), Mark { handled: self.handled, cursor: None });
        self.figures.told.fetch_add(messages.len() as u64, Ordering::Relaxed);
        match self.session.post(messages, mark).await {
            Ok(()) => {
                self.marked = self.handled;
                true
            }
            Err(PostFailure::NotLoggedOn(_) | PostFailure::Ended(_)) => false,
        }
    }

    async fn report(&mut self, report: &Report) {
        match &report.body {
            // The line broke, or the venue's memory did: whoever is there notices.
            ReportBody::SessionDown { reason } => {
                tracing::warn!(venue = %self.mic, %reason, "the line is cut");
                // A session that has ended has no line.
                let _ = self.session.cut().await;
            }
            body if restore::key(body).is_some_and(|key| self.told.remove(&key)) => (),
            _ => self.out.extend(self.book.report(report)),
        }
    }

    // ---- what is asked

    async fn take(&mut self, inbound: &Inbound) {
        let broken = with_view(inbound, |view| self.ask(view, &inbound.kept));
        self.handled = Some(inbound.kept.ordinal);
        if broken {
            let _ = self.session.cut().await;
        }
    }

    /// True where the line broke while the venue was handed something.
    fn ask(&mut self, view: &View<'_>, kept: &Kept) -> bool {
        let now = SystemClock.now();
        let name = format!("{}-{}", kept.numbering, kept.seq);
        let (wire_id, new, handed) = match view.msg_type() {
            b"H" => {
                self.status(view, now);
                return false;
            }
            b"AF" => {
                self.mass_status(view, now);
                return false;
            }
            _ => match self.book.take(view, &name, now) {
                Step::New(order) => (order.wire_id.clone(), true, self.port.send(&order)),
                Step::Cancel(request) => (request.wire_id.clone(), false, self.port.cancel(&request)),
                Step::Replace(request) => (request.wire_id.clone(), false, self.port.replace(&request)),
                Step::Status => {
                    self.status(view, now);
                    return false;
                }
                step @ (Step::Answer(_) | Step::Again(_)) => {
                    count(&self.figures.refused);
                    self.answer(step);
                    return false;
                }
            },
        };
        match handed {
            Handed::Over => false,
            Handed::Unknown(_) => true,
            Handed::NotSent(text) => {
                let body = match (new, view.msg_type()) {
                    (true, _) => ReportBody::Rejected { wire_id, text },
                    (false, b"F") => ReportBody::CancelRejected { wire_id, text },
                    (false, _) => ReportBody::ReplaceRejected { wire_id, text },
                };
                count(&self.figures.refused);
                self.out.extend(self.book.report(&Report { venue: self.mic, transact_time: now, body }));
                false
            }
        }
    }

    fn answer(&mut self, step: Step) {
        match step {
            Step::Answer(message) => self.out.push(message),
            Step::Again(message) => {
                count(&self.figures.again);
                self.out.push(message);
            }
            Step::New(_) | Step::Cancel(_) | Step::Replace(_) | Step::Status => (),
        }
    }

    /// A message of the last run that was not dealt with. What the venue was to have, it was asked about.
    fn answer_again(&mut self, waiting: &Waiting) {
        let inbound = &waiting.inbound;
        with_view(inbound, |view| match (view.msg_type(), &waiting.step) {
            (b"H", _) | (_, Some(Step::Status)) => self.status(view, SystemClock.now()),
            (b"AF", _) => self.mass_status(view, SystemClock.now()),
            _ => (),
        });
        if let Some(step) = &waiting.step {
            self.answer(step.clone());
        }
        self.handled = Some(inbound.kept.ordinal);
    }

    /// OrderStatusRequest(H): what the venue says. No answer of it is none of ours.
    fn status(&mut self, view: &View<'_>, now: Time) {
        let Ok(name) = read::id(view, tags::CL_ORD_ID) else {
            return self.out.push(business_reject(view, BusinessReason::ConditionallyRequiredFieldMissing, None));
        };
        let first = self.book.named(&name).map_or_else(|| name.clone(), |order| order.first.clone());
        let mut body = match self.port.query(&first) {
            Answer::Complete(Some(found)) => tell::status(self.mic, &found, self.book.named(&name), view, now),
            Answer::Complete(None) => {
                self.book.is_unknown(&name);
                let mut body = tell::unknown(view, Some(name.as_str().as_bytes()), "there is no such order", now);
                body.uint(103, 5);
                body
            }
            Answer::Incomplete(_) | Answer::Failed(_) => return,
        };
        body.put(790, view.get_filled(tag::ORD_STATUS_REQ_ID).unwrap_or_default());
        self.out.push(body.finish());
    }

    /// OrderMassStatusRequest(AF): every order that works, or those in one security.
    fn mass_status(&mut self, view: &View<'_>, now: Time) {
        let symbol = match view.get(tag::MASS_STATUS_REQ_TYPE) {
            Some(b"7") => None,
            Some(b"1") => view.get_filled(tag::SYMBOL),
            _ => {
                let text = "only all orders (7) or those of one security (1) can be meant";
                return self.out.push(business_reject(view, BusinessReason::Other, Some(text)));
            }
        };
        let (found, complete) = match self.port.open_orders() {
            Answer::Complete(found) => (found, true),
            Answer::Incomplete(found) => (found, false),
            Answer::Failed(_) => return,
        };
        let meant = |found: &VenueOrder| {
            let order = self.book.named(&found.wire_id);
            symbol.is_none_or(|symbol| order.is_some_and(|order| order.symbol.as_str().as_bytes() == symbol))
        };
        let found: Vec<VenueOrder> = found.into_iter().filter(meant).collect();
        let mut bodies: Vec<_> = found.iter().map(|one| tell::status(self.mic, one, self.book.named(&one.wire_id), view, now)).collect();
        if bodies.is_empty() && complete {
            bodies.push(tell::unknown(view, None, "no orders work", now));
        }
        let (count, last) = (found.len() as u64, bodies.len().saturating_sub(1));
        for (at, mut body) in bodies.into_iter().enumerate() {
            body.put(584, view.get_filled(tag::MASS_STATUS_REQ_ID).unwrap_or_default());
            // An answer that breaks off has no last report.
            body.uint(911, count).put(912, if complete && at == last { b"Y" } else { b"N" });
            self.out.push(body.finish());
        }
    }
}

/// Reads a message again that the session let pass.
pub(super) fn with_view<T>(inbound: &Inbound, act: impl FnOnce(&View<'_>) -> T) -> T {
    let mut spans = Vec::new();
    let readable = scan(&inbound.bytes, fix44(), usize::MAX, &mut spans).is_ok();
    act(&View::new(&inbound.bytes, if readable { &spans } else { &[] }))
}
