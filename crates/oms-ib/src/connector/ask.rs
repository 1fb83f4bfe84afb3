//! The desk's questions, answered by a whole look that began after everything that they are about had left.

use std::collections::BTreeMap;

use oms_model::report::VenueFill;
use oms_model::{Time, WireId};
use oms_runtime::port::{Answer, VenueOrder, VenueState};

use super::{Action, Connector, Now, RunRefused, WhatIf};
use crate::reconcile::book::Run;

/// Questions at once.
const MAX_QUESTIONS: usize = 1_024;

/// A question of the desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// The order that was sent with this as its first id.
    Order(WireId),
    /// Every order that works there.
    Open,
    /// Every execution since then.
    Executions(Time),
}

/// Its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// To [`Question::Order`].
    Order(Answer<Option<VenueOrder>>),
    /// To [`Question::Open`].
    Open(Answer<Vec<VenueOrder>>),
    /// To [`Question::Executions`].
    Executions(Answer<Vec<(WireId, Time, VenueFill)>>),
    /// To [`Connector::reconcile`]: the run, and whether the request had been made before.
    Run(Result<(Box<Run>, bool), RunRefused>),
    /// To [`Connector::what_if`]: what the broker says, or why it does not.
    WhatIf(Result<Box<WhatIf>, String>),
}

#[derive(Debug)]
struct Asking {
    question: Question,
    at: i64,
    until: i64,
    /// What had left when it was asked.
    stamp: u64,
}

/// Questions that wait.
#[derive(Debug, Default)]
pub(super) struct Asked {
    count: u64,
    waiting: BTreeMap<u64, Asking>,
}

impl Asked {
    /// The number of one more question.
    pub(super) fn number(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    pub(super) fn due(&self) -> Option<i64> {
        self.waiting.values().map(|asking| asking.until).min()
    }
}

fn failed(question: &Question, reason: &str) -> Answered {
    let reason = reason.to_owned();
    match question {
        Question::Order(_) => Answered::Order(Answer::Failed(reason)),
        Question::Open => Answered::Open(Answer::Failed(reason)),
        Question::Executions(_) => Answered::Executions(Answer::Failed(reason)),
    }
}

fn answer<T>(found: T, is_whole: bool) -> Answer<T> {
    if is_whole { Answer::Complete(found) } else { Answer::Incomplete(found) }
}

impl Connector {
    /// Asks. The number of the question, under which its answer comes: at once, if it can.
    pub fn ask(&mut self, now: Now, question: Question) -> u64 {
        self.pass(now);
        let number = self.asked.number();
        let reason = match (self.link.is_working(), self.link.line_lost) {
            (false, _) => Some(format!("the gateway is down: {}", self.link.reason)),
            (true, true) => Some("the gateway has lost the broker".to_owned()),
            (true, false) => (MAX_QUESTIONS <= self.asked.waiting.len()).then(|| "too many questions wait".to_owned()),
        };
        if let Some(reason) = reason {
            self.act(Action::Answer(number, failed(&question, &reason)));
            return number;
        }
        let until = self.now.mono.saturating_add(self.config.timing.patience.saturating_mul(3));
        let asking = Asking { question, at: self.now.mono, until, stamp: self.stamp };
        self.asked.waiting.insert(number, asking);
        self.turn(now);
        number
    }

    /// Answers what can be answered; looks where a look is wanting.
    pub(super) fn serve(&mut self) {
        let numbers: Vec<u64> = self.asked.waiting.keys().copied().collect();
        let mut wants_look = false;
        for number in numbers {
            let Some(asking) = self.asked.waiting.get(&number) else { continue };
            match self.answered(asking) {
                Some(answered) => self.give(number, answered),
                None if asking.until <= self.now.mono => {
                    let answered = self.half(&asking.question);
                    self.give(number, answered);
                }
                None => wants_look |= self.wants_look(asking),
            }
        }
        if wants_look {
            self.look_now();
        }
    }

    fn give(&mut self, number: u64, answered: Answered) {
        self.asked.waiting.remove(&number);
        self.act(Action::Answer(number, answered));
    }

    /// Whether the last whole look is one that the question can be answered by.
    fn is_looked(&self, asking: &Asking) -> bool {
        let fresh = self.config.timing.fresh;
        self.looks.whole.is_some_and(|whole| asking.stamp <= whole.stamp && asking.at.saturating_sub(fresh) <= whole.at)
    }

    /// One that no look is good enough for yet. A second look after an order of which there is no trace comes by itself.
    fn wants_look(&self, asking: &Asking) -> bool {
        !self.looks.is_under_way() && !self.is_looked(asking)
    }

    fn answered(&self, asking: &Asking) -> Option<Answered> {
        if !self.is_looked(asking) {
            return None;
        }
        match &asking.question {
            Question::Order(wire_id) => self.one(wire_id).map(Answered::Order),
            Question::Open => {
                let open = self.ledger.live().filter(|order| order.heard && !self.missing.contains(&order.order_id));
                Some(Answered::Open(Answer::Complete(open.map(super::ledger::Standing::shown).collect())))
            }
            Question::Executions(since) => {
                let (found, is_whole) = self.ledger.executions_since(*since);
                Some(Answered::Executions(answer(found, is_whole)))
            }
        }
    }

    /// What is known of one order, once it is enough.
    fn one(&self, wire_id: &WireId) -> Option<Answer<Option<VenueOrder>>> {
        if self.pace.waits(wire_id) {
            return None;
        }
        let Some(order) = self.ledger.get(wire_id) else {
            // What the log does not have never left.
            return Some(answer(None, !self.ledger.has_forgotten()));
        };
        if !order.heard {
            return self.lost.contains(&order.order_id).then_some(Answer::Complete(None));
        }
        let is_known = order.state != VenueState::Live || !self.missing.contains(&order.order_id);
        Some(answer(Some(order.shown()), is_known && order.agrees() && !order.is_doubled() && !order.is_ending()))
    }

    /// What is known without a look that would prove it.
    fn half(&self, question: &Question) -> Answered {
        match question {
            Question::Order(wire_id) => Answered::Order(Answer::Incomplete(
                self.ledger.get(wire_id).filter(|order| order.heard).map(super::ledger::Standing::shown),
            )),
            Question::Open => {
                let open = self.ledger.live().filter(|order| order.heard);
                Answered::Open(Answer::Incomplete(open.map(super::ledger::Standing::shown).collect()))
            }
            Question::Executions(since) => Answered::Executions(Answer::Incomplete(self.ledger.executions_since(*since).0)),
        }
    }

    /// A look did not end. What waits for it is answered by what is known, or not at all.
    pub(super) fn answer_unfinished(&mut self, heard: bool) {
        let numbers: Vec<u64> = self.asked.waiting.keys().copied().collect();
        for number in numbers {
            let Some(asking) = self.asked.waiting.get(&number) else { continue };
            let answered = if heard { self.half(&asking.question) } else { failed(&asking.question, "the gateway does not answer") };
            self.give(number, answered);
        }
    }

    /// The session is lost.
    pub(super) fn fail_questions(&mut self, reason: &str) {
        for (number, asking) in std::mem::take(&mut self.asked.waiting) {
            self.act(Action::Answer(number, failed(&asking.question, reason)));
        }
    }
}
