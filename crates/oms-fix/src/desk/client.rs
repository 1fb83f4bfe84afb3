//! One client: hands what it asks to the engine, and tells it what the log says.

mod door;

use std::collections::VecDeque;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use oms_engine::input::IdempotencyKey;
use oms_identity::Scope;
use oms_model::command::{Actor, Command, CommandOutcome, OrderRef, Placed};
use oms_model::{Code, Refusal, Seq, Source, TenantId, TraceId};
use oms_runtime::{Answer, Clock as _, Follower, Handle, Request, SystemClock};
use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::answer;
use super::book::Book;
use super::catalog::Catalog;
use super::profile::ClientProfile;
use super::quotes::{self, Quotes};
use super::report;
use super::request::{self, Ask, Subject};
use super::{DeskParts, words};
use crate::codec::scan::{View, scan};
use crate::dictionary::Place;
use crate::session::Phase;
use crate::session::outbox::{Kept, Mark, Outgoing};
use crate::transport::{PostFailure, SessionHandle};

pub use door::ClientFigures;
use door::count;
pub(super) use door::{Door, Inbound};

/// Messages that are with the engine, or wait for what came of them to be told.
const UNDER_WAY: usize = 1_024;
/// Messages that wait to be sent, beyond which the log is not followed further.
const WAITING: usize = 1_024;
/// Batches of the log that are looked at in one go.
const TOGETHER: usize = 256;
/// How long what was dealt with may stay unstored while nothing is sent.
const MARK_AFTER: Duration = Duration::from_secs(5);

/// Where a message stands.
enum Stage {
    /// The engine has it.
    Asked(oneshot::Receiver<Result<Answer, Refusal>>),
    /// The engine has answered, and it is told once the log was followed to here.
    Answered(Result<Answer, Refusal>, Seq),
    /// It is about orders as they stand, once the log was followed to where it was when its turn came.
    Look(Ask, Option<Seq>),
    /// Nothing is to be asked: why it is refused.
    Refused(Refusal),
}

struct Item {
    /// `None`: the desk asks by itself.
    kept: Option<Kept>,
    subject: Subject,
    key: Option<IdempotencyKey>,
    stage: Stage,
}

/// Where a client begins.
pub(super) struct Start {
    pub(super) cursor: Seq,
    pub(super) mark: Mark,
    /// Messages of the last run that were not dealt with.
    pub(super) waiting: Vec<Inbound>,
    pub(super) received: mpsc::Receiver<Inbound>,
}

type Posting = Pin<Box<dyn Future<Output = Result<(), PostFailure>> + Send>>;

pub(super) struct Client {
    profile: ClientProfile,
    handle: Handle,
    tenant_id: TenantId,
    session: SessionHandle,
    phase: watch::Receiver<Phase>,
    follower: Follower,
    book: Book,
    catalog: Catalog,
    quotes: Quotes,
    figures: Arc<ClientFigures>,
    before: VecDeque<Inbound>,
    inbox: mpsc::Receiver<Inbound>,
    queue: VecDeque<Item>,
    out: Vec<Outgoing>,
    /// Up to where the log was followed.
    position: Seq,
    handled: Option<u64>,
    stored: Mark,
    stored_at: Instant,
    posting: Option<(Posting, Mark, usize)>,
    /// When its orders are canceled, if it does not come back.
    cancel_at: Option<Instant>,
}

impl Client {
    #[allow(clippy::too_many_arguments, reason = "each is another part of where it begins")]
    pub(super) fn new(
        profile: ClientProfile,
        parts: &DeskParts,
        session: SessionHandle,
        follower: Follower,
        book: Book,
        catalog: Catalog,
        quotes: Quotes,
        figures: Arc<ClientFigures>,
        start: Start,
    ) -> Self {
        // A desk that was away is a client that was: what it had working may work unseen.
        let cancel_at = profile.cancel_after.map(|after| Instant::now() + after);
        Self {
            handle: parts.handle.clone(),
            tenant_id: parts.tenant_id,
            phase: session.phase(),
            session,
            follower,
            book,
            catalog,
            quotes,
            figures,
            before: start.waiting.into(),
            inbox: start.received,
            queue: VecDeque::new(),
            out: Vec::new(),
            position: start.cursor,
            handled: start.mark.handled,
            stored: start.mark,
            stored_at: Instant::now(),
            posting: None,
            cancel_at,
            profile,
        }
    }

    /// Runs until the desk or the session ends.
    pub(super) async fn run(mut self) {
        while self.turn().await {}
    }

    /// One thing that happens, and what follows. False at the end.
    async fn turn(&mut self) -> bool {
        while let Some(inbound) = if self.may_take() { self.before.pop_front() } else { None } {
            self.take(&inbound);
        }
        self.settle();
        self.start_post();
        let (may_take, may_follow) = (self.may_take(), self.out.len() < WAITING);
        let deadline = self.deadline();
        tokio::select! {
            biased;
            done = posted(&mut self.posting) => return self.posted(done),
            answered = first_answer(&mut self.queue) => match answered {
                Some((at, result)) => self.answered(at, result),
                // The engine has stopped: what came of it is learned at the next start.
                None => return false,
            },
            inbound = self.inbox.recv(), if may_take => match inbound {
                Some(inbound) => self.take(&inbound),
                None => return false,
            },
            batch = self.follower.next(), if may_follow => match batch {
                Ok(batch) => self.follow(&batch),
                Err(error) => {
                    tracing::info!(session = %self.session.id(), %error, "the log is followed no further");
                    return false;
                }
            },
            changed = self.phase.changed() => {
                self.phase_changed();
                return changed.is_ok();
            }
            () = wait(deadline) => self.tick(),
        }
        true
    }

    fn is_up(&self) -> bool {
        *self.phase.borrow() == Phase::Up
    }

    /// What comes behind a mass cancel waits for it, so that it means no order that was sent after it.
    fn may_take(&self) -> bool {
        let mass = |item: &Item| matches!(item.stage, Stage::Look(Ask::MassCancel(_), _));
        self.queue.len() < UNDER_WAY && !self.queue.iter().any(mass)
    }

    fn phase_changed(&mut self) {
        let up = *self.phase.borrow_and_update() == Phase::Up;
        self.cancel_at = if up { None } else { self.cancel_at.or(self.profile.cancel_after.map(|after| Instant::now() + after)) };
    }

    fn deadline(&self) -> Option<Instant> {
        let unstored = self.posting.is_none() && self.mark() != self.stored;
        [unstored.then(|| self.stored_at + MARK_AFTER), self.cancel_at].into_iter().flatten().min()
    }

    fn tick(&mut self) {
        if self.cancel_at.is_some_and(|at| at <= Instant::now()) {
            self.cancel_at = None;
            tracing::warn!(session = %self.session.id(), "the client is gone: its orders are canceled");
            let stage = Stage::Look(Ask::MassCancel(None), None);
            self.queue.push_back(Item { kept: None, subject: Subject::default(), key: None, stage });
        }
        if self.posting.is_none() && self.out.is_empty() && self.stored_at + MARK_AFTER <= Instant::now() {
            self.post();
        }
    }

    // ---- what comes in

    fn take(&mut self, inbound: &Inbound) {
        let kept = inbound.kept;
        let mut spans = Vec::new();
        // It was read once by the session; what cannot be read is nothing that it let pass.
        let readable = scan(&inbound.bytes, super::dictionary(), usize::MAX, &mut spans).is_ok();
        let view = View::new(&inbound.bytes, if readable { &spans } else { &[] });
        let subject = Subject::of(&view, kept.seq, kept.numbering);
        let key = self.key(&view, &kept);
        let stage = match request::read(&view, &subject, &self.catalog, SystemClock.now()).and_then(|ask| self.check(&subject, ask)) {
            Ok(ask) => {
                if matches!(ask, Ask::Quote(_)) {
                    self.quotes.ask(trace_of(&key), &subject);
                }
                self.ask(ask, &key)
            }
            Err(refusal) => Stage::Refused(refusal),
        };
        self.queue.push_back(Item { kept: Some(kept), subject, key: Some(key), stage });
    }

    /// A name for the message that is the same whenever it comes, and a mark of what it says.
    fn key(&self, view: &View<'_>, kept: &Kept) -> IdempotencyKey {
        let name = format!("fix {} {} {}", self.session.id(), kept.numbering, kept.seq);
        let name: [u8; 32] = Sha256::digest(name).into();
        let mut says = Sha256::new().chain_update(view.msg_type());
        // The header tells when and how often it was sent.
        let body = |tag: i32| super::dictionary().field(tag).is_none_or(|field| field.place == Place::Body);
        for span in view.spans().iter().filter(|span| body(span.tag)) {
            says.update(view.field(span));
        }
        IdempotencyKey { key: name.first_chunk().copied().map_or(0, u128::from_be_bytes), fingerprint: says.finalize().into() }
    }

    /// A request is one that the session may make, about an order of this session, and about the one that it describes.
    fn check(&self, subject: &Subject, ask: Ask) -> Result<Ask, Refusal> {
        match ask {
            Ask::Status | Ask::MassStatus(_) => self.profile.may(Scope::OrdersView)?,
            Ask::Pass => self.profile.may(Scope::OrdersPlace)?,
            // What the others ask for is a command, and held to the scope of that.
            _ => (),
        }
        let ask = match ask {
            Ask::Create(order) => return self.profile.scope(order, &self.catalog).map(Ask::Create),
            Ask::Quote(mut request) => {
                if self.quotes.is_taken(&subject.req_id) {
                    return Err(Refusal::new(Code::StateConflict, "there is an open request with this QuoteReqID(131)"));
                }
                request.account_id = self.profile.account_of(request.account_id, &self.catalog)?;
                return Ok(Ask::Quote(request));
            }
            Ask::Accept { quote_id, .. } if !self.quotes.is_live(quote_id) => return Err(request::no_quote()),
            Ask::Cancel { .. } | Ask::Replace { .. } => ask,
            other => return Ok(other),
        };
        let under_way = |item: &&Item| matches!(item.subject.msg_type, b'D' | b'G') && item.subject.cl_ord_id == subject.orig;
        let (symbol, side) = match (self.book.named(&subject.orig), self.queue.iter().rev().find(under_way)) {
            (Some(order), _) => (self.catalog.symbol(order.instrument_id).as_bytes().to_vec(), vec![words::side(order.side)]),
            (None, Some(item)) => (item.subject.symbol.clone(), item.subject.side.clone()),
            (None, None) => return Err(Refusal::new(Code::NotFound, "there is no such order of this session")),
        };
        if (symbol, side) != (subject.symbol.clone(), subject.side.clone()) {
            return Err(Refusal::new(Code::ValidationError, "Symbol(55) and Side(54) are not those of the order"));
        }
        Ok(ask)
    }

    fn ask(&self, ask: Ask, key: &IdempotencyKey) -> Stage {
        let named = |cl_ord_id, request| Command::Named { cl_ord_id, request: Box::new(request) };
        let command = match ask {
            Ask::Create(order) => Command::CreateOrder(order),
            Ask::Cancel { cl_ord_id, orig } => named(cl_ord_id, Command::CancelOrder { order: OrderRef::ClOrdId(orig), if_version: None }),
            Ask::Replace { cl_ord_id, orig, change } => {
                named(cl_ord_id, Command::ReplaceOrder { order: OrderRef::ClOrdId(orig), change, if_version: None })
            }
            Ask::Quote(request) => Command::RequestQuote(request),
            Ask::Accept { quote_id, side, order_qty, cl_ord_id } => {
                Command::AcceptQuote { quote_id, side, order_qty, cl_ord_id: Some(cl_ord_id) }
            }
            look => return Stage::Look(look, None),
        };
        self.submit(command, Some(*key))
    }

    fn submit(&self, command: Command, idempotency: Option<IdempotencyKey>) -> Stage {
        // What the desk does by itself, when the client is gone, is no message's and needs no leave.
        if let Some(refusal) = idempotency.and_then(|_| self.profile.may_give(&command).err()) {
            return Stage::Refused(refusal);
        }
        let actor = Actor { tenant_id: self.tenant_id, user_id: self.profile.user_id, api_key_id: None, source: Source::Fix };
        let trace_id = idempotency.map(|key| trace_of(&key)).unwrap_or_default();
        match self.handle.submit(Request { actor, trace_id, idempotency, command }) {
            Ok(receiver) => Stage::Asked(receiver),
            Err(refusal) => Stage::Refused(refusal),
        }
    }

    // ---- what comes of it

    fn answered(&mut self, at: usize, result: Result<Answer, Refusal>) {
        let until = match &result {
            Ok(answer) if answer.batch.events.is_empty() => Seq(answer.batch.first_seq.0.saturating_sub(1)),
            Ok(answer) => answer.batch.last_seq(),
            Err(_) => self.position,
        };
        if let Some(item) = self.queue.get_mut(at) {
            item.stage = Stage::Answered(result, until);
        }
    }

    /// Tells what is due, in the order in which it was asked.
    fn settle(&mut self) {
        let now = SystemClock.now();
        while let Some(mut item) = self.due() {
            match item.stage {
                Stage::Asked(_) => return,
                Stage::Refused(refusal) => self.refuse(&item.subject, &refusal, now),
                Stage::Answered(result, _) => self.tell(&item.subject, item.kept.is_some(), result, now),
                Stage::Look(Ask::MassCancel(symbol), _) => {
                    let instrument = symbol.as_ref().map(|symbol| self.catalog.instrument(symbol));
                    item.stage = if instrument == Some(None) {
                        Stage::Refused(Refusal::new(Code::UnknownSymbol, "Symbol(55) names no instrument"))
                    } else {
                        let meant = self.book.working().filter(|order| instrument.is_none_or(|one| one == Some(order.instrument_id)));
                        let orders = meant.map(|order| order.order_id).collect();
                        self.submit(Command::CancelOrders { orders }, item.key)
                    };
                    self.queue.push_front(item);
                    continue;
                }
                Stage::Look(Ask::Withdraw, _) => {
                    item.stage = match self.quotes.request(&item.subject.req_id) {
                        Some(quote_req_id) => self.submit(Command::CancelQuoteRequest { quote_req_id }, item.key),
                        None => Stage::Refused(Refusal::new(Code::NotFound, "there is no open request with this QuoteReqID(131)")),
                    };
                    self.queue.push_front(item);
                    continue;
                }
                Stage::Look(Ask::Pass, _) => self.out.push(quotes::passed(&item.subject, now)),
                Stage::Look(Ask::MassStatus(symbol), _) => {
                    let symbol = symbol.as_ref().map(oms_model::Symbol::as_str);
                    self.out.extend(answer::mass_status(&item.subject, symbol, &self.book, &self.catalog, now));
                }
                Stage::Look(..) => self.out.push(answer::status(&item.subject, &self.book, &self.catalog, now)),
            }
            if let (b'R', Some(key)) = (item.subject.msg_type, &item.key) {
                self.quotes.answered(trace_of(key));
            }
            self.handled = item.kept.map(|kept| kept.ordinal).or(self.handled);
        }
    }

    /// The first message, if it is its turn to be told about.
    fn due(&mut self) -> Option<Item> {
        let until = match &mut self.queue.front_mut()?.stage {
            Stage::Asked(_) => return None,
            Stage::Answered(_, until) => *until,
            Stage::Look(_, until) => *until.get_or_insert_with(|| self.handle.durable()),
            Stage::Refused(_) => self.position,
        };
        if until <= self.position { self.queue.pop_front() } else { None }
    }

    fn refuse(&mut self, subject: &Subject, refusal: &Refusal, now: oms_model::Time) {
        count(&self.figures.refused, 1);
        self.out.push(answer::refusal(subject, refusal, &self.book, now));
    }

    /// What led to events was told by the log; the rest is told here.
    fn tell(&mut self, subject: &Subject, is_asked: bool, result: Result<Answer, Refusal>, now: oms_model::Time) {
        let refusal = match result.map(|answer| answer.outcome) {
            Ok(CommandOutcome::Orders(placed)) => match placed.into_iter().next() {
                Some(Placed::Invalid(refusal)) => refusal,
                _ => return,
            },
            Ok(CommandOutcome::Pending { orders }) if subject.msg_type == b'q' => {
                let orders: Vec<_> = orders.into_iter().map(|(order_id, _)| order_id).collect();
                return self.out.push(answer::mass_cancel(subject, &orders, &self.book, now));
            }
            Ok(CommandOutcome::Done) if subject.msg_type == b'q' => {
                return self.out.push(answer::mass_cancel(subject, &[], &self.book, now));
            }
            Ok(CommandOutcome::Refused(refusal)) | Err(refusal) => refusal,
            Ok(_) => return,
        };
        if !is_asked {
            tracing::error!(session = %self.session.id(), %refusal, "the orders of a client that is gone were not canceled");
            return;
        }
        let known = subject.again && refusal.code == Code::DuplicateClOrdId && self.book.named(&subject.cl_ord_id).is_some();
        if known && subject.msg_type == b'D' {
            // It was sent again in case it had not come. It had.
            return self.out.push(answer::status(subject, &self.book, &self.catalog, now));
        }
        self.refuse(subject, &refusal, now);
    }

    fn follow(&mut self, batch: &oms_model::Batch) {
        self.fold(batch);
        // What is there already is told together.
        for _ in 0..TOGETHER {
            if WAITING <= self.out.len() {
                break;
            }
            let Ok(Some(batch)) = self.follower.try_next() else { break };
            self.fold(&batch);
        }
    }

    fn fold(&mut self, batch: &oms_model::Batch) {
        report::follow(&mut self.book, &mut self.catalog, batch, &mut self.out);
        self.quotes.follow(&self.catalog, batch, &mut self.out);
        self.position = batch.last_seq();
        // Answers that were due here are told before what the log says next.
        self.settle();
    }

    // ---- what goes out

    fn mark(&self) -> Mark {
        Mark { handled: self.handled, cursor: Some(self.position.0) }
    }

    fn start_post(&mut self) {
        if self.posting.is_none() && !self.out.is_empty() && self.is_up() {
            self.post();
        }
    }

    fn post(&mut self) {
        let (session, messages, mark) = (self.session.clone(), std::mem::take(&mut self.out), self.mark());
        let count = messages.len();
        let posting: Posting = Box::pin(async move { session.post(messages, mark).await });
        self.posting = Some((posting, mark, count));
    }

    /// False where the session has ended.
    fn posted(&mut self, result: Result<(), PostFailure>) -> bool {
        let Some((_, mark, sent)) = self.posting.take() else { return true };
        self.stored_at = Instant::now();
        match result {
            Ok(()) => {
                self.stored = mark;
                count(&self.figures.sent, sent);
                true
            }
            Err(PostFailure::NotLoggedOn(messages)) => {
                // They are told at the next Logon, before what follows them.
                let later = std::mem::replace(&mut self.out, messages);
                self.out.extend(later);
                true
            }
            Err(PostFailure::Ended(_)) => false,
        }
    }
}

/// How the batch is known that a message led to.
fn trace_of(key: &IdempotencyKey) -> TraceId {
    TraceId::from_u128(key.key)
}

async fn posted(posting: &mut Option<(Posting, Mark, usize)>) -> Result<(), PostFailure> {
    match posting {
        Some((posting, ..)) => posting.await,
        None => pending().await,
    }
}

/// The answer of the engine that comes first; `None`: it has stopped.
async fn first_answer(queue: &mut VecDeque<Item>) -> Option<(usize, Result<Answer, Refusal>)> {
    for (at, item) in queue.iter_mut().enumerate() {
        if let Stage::Asked(receiver) = &mut item.stage {
            return receiver.await.ok().map(|result| (at, result));
        }
    }
    pending().await
}

async fn wait(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests;
