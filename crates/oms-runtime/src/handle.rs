//! What the edges hold: a bounded door to one tenant's partition.

use crate::feed::Feed;
use crate::market::MarketBook;
use crate::port::{DurableSink, ReportSink, SinkClosed};
use oms_engine::input::{IdempotencyKey, Preview};
use oms_engine::state::State;
use oms_model::command::{Actor, Command, CommandOutcome, NewOrder};
use oms_model::event::Batch;
use oms_model::report::Report;
use oms_model::{Code, Refusal, Seq, TraceId};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use tokio::sync::oneshot;

/// A command with who asks and what makes its answer repeatable.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who.
    pub actor: Actor,
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// What makes the answer repeatable.
    pub idempotency: Option<IdempotencyKey>,
    /// What is asked.
    pub command: Command,
}

/// A durable answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What came of the command.
    pub outcome: CommandOutcome,
    /// The events it led to; empty (no events, `first_seq` the next sequence) where a refusal recorded nothing.
    /// Whatever an edge renders it renders from here, so that a replay gives the same bytes.
    pub batch: Arc<Batch>,
    /// Whether this is the answer to an earlier request with the same idempotency key.
    pub replayed: bool,
}

pub(crate) type Inspect = Box<dyn FnOnce(&State, &MarketBook) -> Box<dyn FnOnce() + Send> + Send>;

pub(crate) enum Door {
    Command {
        request: Box<Request>,
        reply: oneshot::Sender<Result<Answer, Refusal>>,
    },
    Report(Report),
    Preview {
        actor: Actor,
        order: Box<NewOrder>,
        reply: oneshot::Sender<Preview>,
    },
    Inspect(Inspect),
    /// A watched instrument has moved; says no more than that there is something to look at.
    Moved,
    Stop,
}

/// A door to one tenant's partition. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    pub(crate) door: SyncSender<Door>,
    pub(crate) feed: Feed,
    pub(crate) market: Arc<MarketBook>,
}

fn stopped() -> Refusal {
    Refusal::new(Code::Overloaded, "the engine is not taking requests")
}

fn inspection<T: Send + 'static>(read: impl FnOnce(&State, &MarketBook) -> T + Send + 'static, reply: oneshot::Sender<T>) -> Door {
    Door::Inspect(Box::new(move |state, market| {
        let value = read(state, market);
        // The asker may have gone; that is its business.
        Box::new(move || drop(reply.send(value)))
    }))
}

impl Handle {
    fn knock(&self, door: Door) -> Result<(), Refusal> {
        self.door.try_send(door).map_err(|error| match error {
            TrySendError::Full(_) => Refusal::new(Code::Overloaded, "too many requests are waiting; nothing was done"),
            TrySendError::Disconnected(_) => stopped(),
        })
    }

    /// Submits a command and waits until its outcome is durable.
    ///
    /// # Errors
    /// `OVERLOADED` where the queue is full or the engine has stopped: nothing was done, or, where the engine
    /// stopped while it worked on it, the outcome is not known and the same idempotency key will tell.
    pub async fn execute(&self, request: Request) -> Result<Answer, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.knock(Door::Command { request: Box::new(request), reply })?;
        answer.await.map_err(|_| stopped())?
    }

    /// Submits a command without waiting: commands that one caller submits are decided in the order of its calls. What
    /// comes of it is received later; where nothing ever is, the engine has stopped and the outcome is not known.
    ///
    /// # Errors
    /// `OVERLOADED` where the queue is full or the engine has stopped: nothing was done.
    pub fn submit(&self, request: Request) -> Result<oneshot::Receiver<Result<Answer, Refusal>>, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.knock(Door::Command { request: Box::new(request), reply })?;
        Ok(answer)
    }

    /// [`Handle::execute`] for callers without an async runtime.
    ///
    /// # Errors
    /// As [`Handle::execute`].
    pub fn execute_blocking(&self, request: Request) -> Result<Answer, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.knock(Door::Command { request: Box::new(request), reply })?;
        answer.blocking_recv().map_err(|_| stopped())?
    }

    /// What would happen to an order.
    ///
    /// # Errors
    /// `OVERLOADED` where the queue is full or the engine has stopped.
    pub async fn preview(&self, actor: Actor, order: NewOrder) -> Result<Preview, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.knock(Door::Preview { actor, order: Box::new(order), reply })?;
        answer.await.map_err(|_| stopped())
    }

    /// Reads the hot state between two inputs. The answer is released once everything that `read` saw is durable.
    ///
    /// # Errors
    /// `OVERLOADED` where the queue is full or the engine has stopped.
    pub async fn inspect<T: Send + 'static>(&self, read: impl FnOnce(&State, &MarketBook) -> T + Send + 'static) -> Result<T, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.knock(inspection(read, reply))?;
        answer.await.map_err(|_| stopped())
    }

    /// [`Handle::inspect`] for callers without an async runtime.
    ///
    /// # Errors
    /// As [`Handle::inspect`].
    pub fn inspect_blocking<T: Send + 'static>(&self, read: impl FnOnce(&State, &MarketBook) -> T + Send + 'static) -> Result<T, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.knock(inspection(read, reply))?;
        answer.blocking_recv().map_err(|_| stopped())
    }

    /// The committed log.
    #[must_use]
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// The market as it is now.
    #[must_use]
    pub fn market(&self) -> &Arc<MarketBook> {
        &self.market
    }

    /// The last durable sequence.
    #[must_use]
    pub fn durable(&self) -> Seq {
        self.feed.durable()
    }
}

impl ReportSink for Handle {
    fn report(&self, report: Report) -> Result<(), SinkClosed> {
        self.door.send(Door::Report(report)).map_err(|_| SinkClosed)
    }
}

impl DurableSink for Handle {
    fn settled(&self) -> Result<(), SinkClosed> {
        // Its answer is released once everything that was decided before it is durable.
        let (reply, answer) = oneshot::channel();
        self.door.send(inspection(|_, _| (), reply)).map_err(|_| SinkClosed)?;
        answer.blocking_recv().map_err(|_| SinkClosed)
    }
}
