//! The session's side of a venue: what comes is taken in, answered where FIX wants an answer, and handed on.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use oms_model::logged::Quoted;
use oms_model::report::{Report, ReportBody};
use oms_model::{Mic, Time, WireId};
use oms_runtime::Clock;

use super::dialect::Dialect;
use super::figures::{VenueFigures, count};
use super::ledger::{Ledger, Status, Subject};
use super::order;
use super::pump::{Item, Queue};
use super::said::Said;
use crate::codec::scan::View;
use crate::codec::value::parse_uint;
use crate::session::config::SessionId;
use crate::session::outbox::{Event, Kept, Outgoing};
use crate::session::{BusinessReason, business_reject};
use crate::tags;
use crate::transport::Application;

/// Why a question is not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// The venue does not take such questions.
    NotTaken(String),
    /// It missed a number, and the question may have been passed over with it: it is to be asked again.
    PassedOver,
    /// It refused this one, or the session was lost.
    Refused(String),
}

/// Answers to one question so far.
#[derive(Default)]
pub(super) struct Answers {
    pub(super) rows: Vec<Status>,
    pub(super) whole: bool,
    /// Why there will be none.
    pub(super) refused: Option<NoAnswer>,
    /// The order that is asked about, for venues that do not repeat the id of a question.
    pub(super) about: Option<WireId>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) ledger: Ledger,
    /// What was handed to the session and has no number yet.
    pub(super) tokens: BTreeMap<u64, Subject>,
    last_token: u64,
    pub(super) answers: BTreeMap<String, Answers>,
}

impl State {
    pub(super) fn new(ledger: Ledger) -> Self {
        Self { ledger, ..Self::default() }
    }

    /// A name for a message that is handed to the session. None is 0, which is that of no message.
    pub(super) fn token(&mut self, subject: Subject) -> u64 {
        self.last_token += 1;
        self.tokens.insert(self.last_token, subject);
        self.last_token
    }
}

/// What the sessions of one venue and its port share.
pub(super) struct Shared {
    pub(super) venue: Mic,
    pub(super) dialect: Arc<Dialect>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) figures: Arc<VenueFigures>,
    state: Mutex<State>,
    /// An answer came, or will not come.
    pub(super) answered: Condvar,
}

impl Shared {
    pub(super) fn new(venue: Mic, dialect: Arc<Dialect>, clock: Arc<dyn Clock>, state: State) -> Self {
        let figures = Arc::new(VenueFigures::default());
        Self { venue, dialect, clock, figures, state: Mutex::new(state), answered: Condvar::new() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Each change is whole before the lock is let go; a panic elsewhere leaves it so.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn report(&self, transact_time: Time, body: ReportBody) -> Report {
        Report { venue: self.venue, transact_time, body }
    }

    /// What a message of the venue makes to be reported. `always`: also what was known, since it may not have been passed on.
    pub(super) fn hear(&self, view: View<'_>, always: bool, replies: &mut Vec<Outgoing>) -> Vec<Report> {
        let said = Said::new(view, &self.dialect);
        let mut state = self.lock();
        match said.msg_type() {
            b"8" if said.is(150, b"I") => {
                self.answer(&mut state, &said);
                Vec::new()
            }
            b"8" | b"9" => {
                let heard = state.ledger.take(&said);
                if let Some(why) = heard.dont_know.filter(|_| !always && self.dialect.can.dont_know_trade) {
                    count(&self.figures.dont_know);
                    tracing::error!(venue = %self.venue, ?why, text = %Quoted(&said.text()), "a trade is not known");
                    replies.push(order::dont_know(&self.dialect, &said, why));
                }
                // What is said again in answer to a question, and is known, was told.
                let told = always || heard.is_news || !said.is_again();
                heard.reports.into_iter().filter(|_| told).map(|(at, body)| self.report(at, body)).collect()
            }
            b"j" | tags::REJECT => self.refused(&mut state, &said).into_iter().collect(),
            tags::SEQUENCE_RESET => {
                state.ledger.hole();
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn answer(&self, state: &mut State, said: &Said<'_>) {
        let Some(status) = state.ledger.status(said) else { return };
        let named = said.str(790).or_else(|| said.str(584)).map(str::to_owned);
        let by_order = |answers: &BTreeMap<String, Answers>| {
            answers.iter().find(|(_, waiting)| waiting.about.as_ref() == Some(&status.wire_id)).map(|(id, _)| id.clone())
        };
        let id = named.or_else(|| by_order(&state.answers));
        let Some(answers) = id.and_then(|id| state.answers.get_mut(&id)) else { return };
        answers.rows.push(status);
        // One of several is not all: LastRptRequested(912) tells, or TotNumReports(911).
        answers.whole = match (said.get(912), said.get(911).and_then(parse_uint)) {
            (Some(last), _) => last == b"Y",
            (None, Some(total)) => total <= answers.rows.len() as u64,
            (None, None) => answers.about.is_some(),
        };
        self.answered.notify_all();
    }

    /// The venue refused a message of ours without saying what it was: its number tells.
    fn refused(&self, state: &mut State, said: &Said<'_>) -> Option<Report> {
        count(&self.figures.peer_refused);
        let text = said.text();
        let seq = said.get(tags::REF_SEQ_NUM).and_then(parse_uint);
        let carried = seq.and_then(|seq| state.ledger.carried(seq).cloned());
        tracing::warn!(venue = %self.venue, seq, text = %Quoted(&text), "the venue refused a message");
        match carried? {
            Subject::Intent(wire_id) => {
                let body = state.ledger.refused_message(&wire_id, text);
                Some(self.report(said.at(), body))
            }
            Subject::Question(id) => {
                // Reason 3: it does not take messages of this type at all.
                let unsupported = said.is(380, b"3") || said.is(373, b"11");
                self.refuse_question(state, &id, if unsupported { NoAnswer::NotTaken(text) } else { NoAnswer::Refused(text) });
                None
            }
        }
    }

    fn refuse_question(&self, state: &mut State, id: &str, why: NoAnswer) {
        if let Some(answers) = state.answers.get_mut(id) {
            answers.refused = Some(why);
            self.answered.notify_all();
        }
    }

    fn numbered(&self, token: u64, seq: u64) {
        let mut state = self.lock();
        if let Some(subject) = state.tokens.remove(&token) {
            if matches!(subject, Subject::Intent(_)) {
                count(&self.figures.sent);
            }
            state.ledger.number(seq, subject);
        }
    }

    /// A message was given up before it left, which is certain.
    fn not_sent(&self, token: u64) -> Option<Report> {
        let mut state = self.lock();
        match state.tokens.remove(&token)? {
            Subject::Intent(wire_id) => {
                count(&self.figures.not_sent);
                let intent = state.ledger.kind(&wire_id);
                state.ledger.not_sent(&wire_id);
                let reason = "the session gave it up before it left: not logged on, late, or too many".to_owned();
                Some(self.report(self.clock.now(), ReportBody::NotSent { wire_id, intent, reason }))
            }
            Subject::Question(id) => {
                self.refuse_question(&mut state, &id, NoAnswer::Refused("the question did not leave".to_owned()));
                None
            }
        }
    }

    /// The session is lost: no question is answered any more.
    fn lost(&self) {
        let mut state = self.lock();
        state.ledger.lost();
        for answers in state.answers.values_mut() {
            answers.refused.get_or_insert_with(|| NoAnswer::Refused("the session was lost".to_owned()));
        }
        self.answered.notify_all();
    }

    /// The venue asks for numbers again: what they carried never arrived, and is not sent again.
    fn skipped(&self, session: &SessionId, begin: u64, end: u64) -> Vec<Report> {
        let mut state = self.lock();
        for answers in state.answers.values_mut().filter(|answers| !answers.whole) {
            answers.refused.get_or_insert(NoAnswer::PassedOver);
        }
        self.answered.notify_all();
        let skipped = state.ledger.skipped(begin, end);
        self.figures.resends.fetch_add(1, Ordering::Relaxed);
        self.figures.never_arrived.fetch_add(skipped.len() as u64, Ordering::Relaxed);
        tracing::warn!(%session, begin, end, orders = skipped.len(), "the venue asks for messages again; orders are not sent again");
        let not_sent = |wire_id: WireId| {
            let intent = state.ledger.kind(&wire_id);
            let reason = "the venue asked for its number again: it never arrived, and a gap fill took its place".to_owned();
            self.report(self.clock.now(), ReportBody::NotSent { wire_id, intent, reason })
        };
        skipped.into_iter().map(not_sent).collect()
    }

    fn tested(&self, id: &str) {
        if let Some(answers) = self.lock().answers.get_mut(id) {
            answers.whole = true;
            self.answered.notify_all();
        }
    }
}

/// The application of a venue's session for orders.
pub(super) struct Line {
    pub(super) shared: Arc<Shared>,
    pub(super) queue: Arc<Queue>,
}

impl Application for Line {
    fn deliver(&mut self, _: &SessionId, message: &View<'_>, replies: &mut Vec<Outgoing>) {
        // Everything is kept; this is not called.
        replies.push(business_reject(message, BusinessReason::ApplicationNotAvailable, None));
    }

    fn keeps(&self) -> bool {
        true
    }

    fn take(&mut self, session: &SessionId, kept: &Kept, message: &View<'_>, replies: &mut Vec<Outgoing>) -> bool {
        match message.msg_type() {
            b"8" | b"9" | b"j" | tags::REJECT | tags::RESEND_REQUEST | tags::SEQUENCE_RESET | tags::LOGON => {
                count(&self.shared.figures.received);
                let reports = self.shared.hear(*message, false, replies);
                self.queue.push(Item { ordinal: Some(kept.ordinal), reports });
                true
            }
            other => {
                count(&self.shared.figures.refused);
                tracing::warn!(%session, msg_type = %Quoted(&String::from_utf8_lossy(other)), "the venue sent what is not taken from it");
                replies.push(business_reject(message, BusinessReason::UnsupportedMessageType, None));
                false
            }
        }
    }

    fn event(&mut self, session: &SessionId, event: &Event) {
        let shared = &self.shared;
        match event {
            Event::LoggedOn { .. } => {
                count(&shared.figures.logons);
                tracing::info!(%session, "logged on");
            }
            Event::LoggedOut { reason } => {
                tracing::warn!(%session, %reason, "the venue's session is down");
                shared.lost();
                let down = shared.report(shared.clock.now(), ReportBody::SessionDown { reason: reason.to_string() });
                self.queue.push(Item { ordinal: None, reports: vec![down] });
            }
            Event::ResendAsked { begin, end } => {
                let reports = shared.skipped(session, *begin, *end);
                self.queue.push(Item { ordinal: None, reports });
            }
            Event::Numbered { token, seq } | Event::Released { token, seq } => shared.numbered(*token, *seq),
            Event::NotSent { token } => {
                if let Some(report) = shared.not_sent(*token) {
                    self.queue.push(Item { ordinal: None, reports: vec![report] });
                }
            }
            Event::Answered { test_req_id } => shared.tested(test_req_id),
            Event::Reset => {
                tracing::warn!(%session, "the numbers begin anew");
                shared.lock().ledger.begin_anew();
            }
            other => log(session, &shared.figures, other),
        }
    }
}

/// What is only counted and logged.
pub(super) fn log(session: &SessionId, figures: &VenueFigures, event: &Event) {
    match event {
        Event::Dropped { reason, detail } => tracing::warn!(%session, %reason, detail = %Quoted(detail), "a connection was let go"),
        Event::GapFound { begin, end } => {
            count(&figures.gaps);
            tracing::warn!(%session, begin, end, "messages are missing");
        }
        Event::Rejected { seq, reason, tag } => {
            count(&figures.refused);
            tracing::error!(%session, seq, ?reason, tag, "a message of the venue was refused; its dialect may lack something");
        }
        Event::LogoutText { text } => tracing::warn!(%session, text = %Quoted(text), "the venue logs out"),
        _ => (),
    }
}
