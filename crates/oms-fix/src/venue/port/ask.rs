//! Questions to a venue, and what its answers are worth.

use std::sync::PoisonError;
use std::time::Instant;

use oms_model::WireId;
use oms_runtime::port::{Answer, VenueOrder, VenueState};

use super::FixPort;
use crate::session::outbox::Outgoing;
use crate::venue::figures::count;
use crate::venue::ledger::{Status, Subject};
use crate::venue::line::{Answers, NoAnswer, State};
use crate::venue::order::Scribe;

/// How often a question is asked that was passed over with what the venue had missed before it.
const TRIES: u32 = 4;

/// What came of a question.
pub(super) enum Asked {
    Rows(Vec<Status>, bool),
    /// The venue does not take such questions.
    NotTaken(String),
    PassedOver,
    Failed(String),
}

impl FixPort {
    fn question(&mut self) -> String {
        self.questions += 1;
        format!("Q{}-{}", self.shared.clock.now().0, self.questions)
    }

    /// Waits for the answers to a question.
    fn wait(&self, id: &str) -> Answers {
        let until = Instant::now() + self.profile.patience;
        let mut state = self.shared.lock();
        while state.answers.get(id).is_some_and(|answers| !answers.whole && answers.refused.is_none()) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.shared.answered.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let answers = state.answers.remove(id).unwrap_or_default();
        drop(state);
        if !answers.whole {
            count(&self.shared.figures.unanswered);
        }
        answers
    }

    /// Asks a question and waits for its answer: the rows, and whether they are all. One that was passed over with what the
    /// venue had missed before it is asked again.
    pub(super) fn ask(&mut self, about: Option<&WireId>, put: impl Fn(&State, &Scribe<'_>, &str) -> Outgoing) -> Asked {
        for _ in 0..TRIES {
            match self.ask_once(about, &put) {
                Asked::PassedOver => (),
                other => return other,
            }
        }
        Asked::Failed("the venue misses one number after the other".to_owned())
    }

    fn ask_once(&mut self, about: Option<&WireId>, put: &impl Fn(&State, &Scribe<'_>, &str) -> Outgoing) -> Asked {
        if !self.is_up() {
            return Asked::Failed("the session is down".to_owned());
        }
        let id = self.question();
        let message = {
            let mut state = self.shared.lock();
            let mut message = put(&state, &self.scribe(self.shared.clock.now()), &id);
            message.token = state.token(Subject::Question(id.clone()));
            state.answers.insert(id.clone(), Answers { about: about.cloned(), ..Answers::default() });
            message
        };
        if self.runtime.block_on(self.session.hand(message)).is_err() {
            self.shared.lock().answers.remove(&id);
            return Asked::Failed("the session has ended".to_owned());
        }
        let Answers { rows, whole, refused, .. } = self.wait(&id);
        match refused {
            Some(NoAnswer::NotTaken(reason)) => Asked::NotTaken(reason),
            Some(NoAnswer::Refused(reason)) => Asked::Failed(reason),
            Some(NoAnswer::PassedOver) if !whole => Asked::PassedOver,
            _ if rows.is_empty() => Asked::Failed("no answer in time".to_owned()),
            _ => Asked::Rows(rows, whole),
        }
    }

    /// The barrier: an answered TestRequest(1). Everything that the venue said before its answer has come, and everything of
    /// ours before the question was taken by it or asked for again.
    pub(in crate::venue) fn barrier(&mut self) -> Result<(), String> {
        for _ in 0..TRIES {
            if self.barrier_once()? {
                return Ok(());
            }
        }
        Err("the venue misses one number after the other".to_owned())
    }

    /// False where the question may have been passed over.
    fn barrier_once(&mut self) -> Result<bool, String> {
        if !self.is_up() {
            return Err("the session is down".to_owned());
        }
        let id = self.question();
        self.shared.lock().answers.insert(id.clone(), Answers::default());
        if self.runtime.block_on(self.session.test(&id)).is_err() {
            self.shared.lock().answers.remove(&id);
            return Err("the session has ended".to_owned());
        }
        let answers = self.wait(&id);
        match answers.refused {
            _ if answers.whole => Ok(true),
            Some(NoAnswer::PassedOver) => Ok(false),
            Some(NoAnswer::NotTaken(reason) | NoAnswer::Refused(reason)) => Err(reason),
            None => Err("no answer in time".to_owned()),
        }
    }

    /// What the numbers prove of an order, for a venue that is not asked about orders.
    pub(super) fn by_numbers(&mut self, wire_id: &WireId) -> Answer<Option<VenueOrder>> {
        if let Err(reason) = self.barrier() {
            return Answer::Failed(reason);
        }
        let state = self.shared.lock();
        let Some(order) = state.ledger.get(wire_id) else {
            // What the session's log does not have never left.
            return if state.ledger.has_forgotten() { Answer::Incomplete(None) } else { Answer::Complete(None) };
        };
        if !order.heard {
            return if order.sending.is_certainly_not_there() { Answer::Complete(None) } else { Answer::Incomplete(None) };
        }
        let may_be_gone = order.silent && order.state == VenueState::Live && self.profile.dialect.can.cancel_on_disconnect;
        let shown = Some(order.shown());
        if may_be_gone || !state.ledger.is_whole() { Answer::Incomplete(shown) } else { Answer::Complete(shown) }
    }

    /// The orders that a complete or incomplete answer names.
    pub(super) fn agree(&self, rows: &[Status], whole: bool) -> (Vec<VenueOrder>, bool) {
        let mut state = self.shared.lock();
        let (mut found, mut agree) = (Vec::new(), whole);
        for status in rows.iter().filter(|status| status.state.is_some()) {
            let Some((order, same)) = state.ledger.agreed(status) else { continue };
            agree &= same;
            found.push(order);
        }
        (found, agree)
    }
}
