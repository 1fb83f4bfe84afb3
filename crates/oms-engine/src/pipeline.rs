//! The way of a client's order in, task by task, as the log tells it.
//!
//! The engine does the tasks in this order, each only where those before it did not refuse the order, and the events of
//! the first batch say what came of each. So nothing about them is stored a second time: what is read here is what was
//! decided, for every order of every log. See `decide/create.rs` for the tasks themselves.

use oms_model::event::{Batch, Event};
use oms_model::{EndedBy, OrderId, Seq};

/// A task on the way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// What the order names is there: instrument, account, policy; its `cl_ord_id` is new. What fails here is answered
    /// and records no order.
    ValidateTransaction,
    /// Its type, time in force and terms agree with each other.
    ValidateOrder,
    /// The rules of its asset class, of quotes and of what the engine is to work.
    BusinessRules,
    /// It is recorded; from here on it has a state.
    Transition,
    /// The gate, with every check.
    Risk,
    /// The router decides, and the legs are released.
    Route,
    /// The batch of all this is in the log.
    Persist,
    /// Followers have what is in the log: answers, views, streams, gateways.
    Publish,
}

impl Task {
    /// All, in the order in which they are done.
    pub const ALL: [Self; 8] = [
        Self::ValidateTransaction,
        Self::ValidateOrder,
        Self::BusinessRules,
        Self::Transition,
        Self::Risk,
        Self::Route,
        Self::Persist,
        Self::Publish,
    ];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ValidateTransaction => "VALIDATE_TRANSACTION",
            Self::ValidateOrder => "VALIDATE_ORDER",
            Self::BusinessRules => "BUSINESS_RULES",
            Self::Transition => "TRANSITION",
            Self::Risk => "RISK",
            Self::Route => "ROUTE",
            Self::Persist => "PERSIST",
            Self::Publish => "PUBLISH",
        }
    }
}

/// What came of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskOutcome {
    /// Done.
    Passed,
    /// It refused the order, and ended the way in.
    Failed,
    /// Not done: its precondition did not hold.
    Skipped,
}

impl TaskOutcome {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "PASSED",
            Self::Failed => "FAILED",
            Self::Skipped => "SKIPPED",
        }
    }
}

/// A task and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskResult {
    /// Which.
    pub task: Task,
    /// What came of it.
    pub outcome: TaskOutcome,
    /// The event that says so; `None` where the task was skipped.
    pub seq: Option<Seq>,
    /// Why, in words; empty where there is nothing to add.
    pub text: String,
}

/// The tasks of the client order `order_id`, from the batch that created it; nothing where another batch did.
#[must_use]
pub fn results(batch: &Batch, order_id: OrderId) -> Vec<TaskResult> {
    let told = Told::of(batch, order_id);
    let Some(created) = told.created else { return Vec::new() };
    Task::ALL.into_iter().map(|task| told.result(task, created)).collect()
}

/// What a batch says about an order that it creates.
#[derive(Default)]
struct Told<'a> {
    created: Option<Seq>,
    last: Seq,
    refused: Option<(Seq, EndedBy, &'a str)>,
    checked: Option<(Seq, usize)>,
    routed: Option<(Seq, usize)>,
}

impl<'a> Told<'a> {
    fn of(batch: &'a Batch, order_id: OrderId) -> Self {
        let mut told = Self { last: batch.last_seq(), ..Self::default() };
        for (seq, event) in (batch.first_seq.0..).map(Seq).zip(&batch.events) {
            match event {
                Event::OrderCreated(e) if e.order_id == order_id && e.parent_order_id.is_none() => told.created = Some(seq),
                Event::OrderRejected(e) if e.order_id == order_id => told.refused = Some((seq, e.by, &e.text)),
                Event::RiskChecked(e) if e.order_id == order_id => told.checked = Some((seq, e.results.len())),
                Event::RouteDecided(e) if e.order_id == order_id => told.routed = Some((seq, e.legs.len())),
                _ => (),
            }
        }
        told
    }

    fn result(&self, task: Task, created: Seq) -> TaskResult {
        let passed = |seq, text: String| TaskResult { task, outcome: TaskOutcome::Passed, seq: Some(seq), text };
        let skipped = |text: &str| TaskResult { task, outcome: TaskOutcome::Skipped, seq: None, text: text.to_owned() };
        if let Some((seq, by, text)) = self.refused
            && let Some(culprit) = culprit(by)
        {
            if task == culprit {
                return TaskResult { task, outcome: TaskOutcome::Failed, seq: Some(seq), text: text.to_owned() };
            }
            let judges = matches!(task, Task::ValidateOrder | Task::BusinessRules | Task::Risk | Task::Route);
            if judges && task as u8 > culprit as u8 {
                return skipped("the order was refused before");
            }
        }
        match (task, self.checked, self.routed) {
            (Task::ValidateTransaction | Task::ValidateOrder | Task::BusinessRules, ..) => passed(created, String::new()),
            (Task::Transition, ..) => passed(created, "NEW".to_owned()),
            (Task::Risk, Some((seq, checks)), _) => passed(seq, format!("{checks} checks")),
            (Task::Risk, None, _) => skipped("no check was asked for"),
            (Task::Route, _, Some((seq, legs))) => passed(seq, format!("{legs} legs")),
            (Task::Route, _, None) => skipped("it waits: a person, a trigger or an algorithm decides when it goes on"),
            (Task::Persist | Task::Publish, ..) => passed(self.last, String::new()),
        }
    }
}

/// The task that refused an order.
const fn culprit(by: EndedBy) -> Option<Task> {
    match by {
        EndedBy::Validation => Some(Task::ValidateOrder),
        EndedBy::Rules => Some(Task::BusinessRules),
        EndedBy::Risk => Some(Task::Risk),
        EndedBy::Router => Some(Task::Route),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
