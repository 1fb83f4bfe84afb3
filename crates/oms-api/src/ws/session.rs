//! One connection, from its first message to its end.

mod farewell;

use super::entry::{self, Named};
use super::request::{self, Op};
use super::topics::Subscription;
use super::{CLOSE_SILENT, CLOSE_UNAUTHENTICATED, through_socket};
use crate::api::{Api, until};
use crate::auth::{self, Held};
use crate::call::{Call, Placed};
use crate::json::{Fields, Writer, parse};
use axum::extract::ws::{Message, WebSocket};
use http::{HeaderMap, HeaderValue};
use oms_identity::Principal;
use oms_model::{Code, OrderId, Refusal, Seq, TraceId};
use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future as _, poll_fn};
use std::net::IpAddr;
use std::sync::PoisonError;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// How long an engine that is too busy is left alone.
const PAUSE: Duration = Duration::from_millis(50);
/// Close codes of RFC 6455.
const GOING_AWAY: u16 = 1001;
const PROTOCOL: u16 = 1002;
const UNSUPPORTED: u16 = 1003;
const TOO_LARGE: u16 = 1009;
const INTERNAL: u16 = 1011;

/// Why a connection ends.
enum End {
    /// The peer has gone, or has said goodbye.
    Gone,
    /// We end it.
    Close(u16, String),
    Slow,
}

/// Messages in the current second.
struct Rate {
    since: Instant,
    count: u32,
}

impl Rate {
    fn take(&mut self, most: u32) -> bool {
        if self.since.elapsed() >= Duration::from_secs(1) {
            *self = Self { since: Instant::now(), count: 0 };
        }
        self.count = self.count.saturating_add(1);
        self.count <= most
    }
}

/// Where a connection comes from.
pub(super) struct From {
    /// Who it is; `None` until the first message says it.
    pub(super) principal: Option<Principal>,
    /// The other end.
    pub(super) peer: Option<IpAddr>,
}

struct Session {
    api: Api,
    socket: WebSocket,
    principal: Option<Principal>,
    held: Option<Held>,
    peer: Option<IpAddr>,
    subscriptions: BTreeMap<u32, Subscription>,
    numbered: u32,
    running: JoinSet<Vec<u8>>,
    /// The orders to cancel when the connection goes; `None` where it may go without that.
    placed: Option<Placed>,
    opened: Instant,
    heard: Instant,
    said: Instant,
    /// When the log was last looked at.
    looked: Instant,
    rate: Rate,
    protected: Rate,
    closing: watch::Receiver<bool>,
    /// Among the sockets of its tenant, to the very end.
    _place: OwnedSemaphorePermit,
}

/// What a connection waits for.
enum Woken {
    Received(Option<Result<Message, axum::Error>>),
    Answered(Vec<u8>),
    /// Something to tell, or the time to say that there is nothing.
    Look,
    LogClosed,
    Closing,
    /// The credential is not good any more, or allows less.
    Revoked,
}

/// Serves a connection until it ends.
pub(super) async fn run(api: Api, socket: WebSocket, from: From, place: OwnedSemaphorePermit) {
    let now = Instant::now();
    let mut session = Session {
        closing: api.closing(),
        held: from.principal.map(|principal| Held::new(&api, principal)),
        api,
        socket,
        principal: from.principal,
        peer: from.peer,
        subscriptions: BTreeMap::new(),
        numbered: 0,
        running: JoinSet::new(),
        placed: None,
        opened: now,
        heard: now,
        said: now,
        looked: now,
        rate: Rate { since: now, count: 0 },
        protected: Rate { since: now, count: 0 },
        _place: place,
    };
    let end = match session.serve().await {
        Ok(never) => match never {},
        Err(end) => end,
    };
    session.end(end).await;
}

impl Session {
    async fn serve(&mut self) -> Result<std::convert::Infallible, End> {
        loop {
            let seen = self.api.handle().durable();
            self.looked = Instant::now();
            let more = self.tell().await?;
            self.keep_alive().await?;
            match self.wait(seen, more).await {
                Woken::Received(None | Some(Ok(Message::Close(_)))) => return Err(End::Gone),
                Woken::Received(Some(Err(error))) => return Err(broken(&error)),
                Woken::Received(Some(Ok(message))) => {
                    self.heard = Instant::now();
                    match message {
                        Message::Text(text) => self.receive(text.as_str()).await?,
                        Message::Binary(_) => return Err(End::Close(UNSUPPORTED, "messages are text".into())),
                        Message::Ping(_) | Message::Pong(_) | Message::Close(_) => (),
                    }
                }
                Woken::Answered(answer) => self.send(answer).await?,
                Woken::Look => (),
                Woken::Revoked => {
                    return Err(End::Close(CLOSE_UNAUTHENTICATED, self.resume("the credential is not valid any more, or allows less")));
                }
                Woken::LogClosed | Woken::Closing => return Err(End::Close(GOING_AWAY, self.resume("the server is ending"))),
            }
        }
    }

    /// Tells every subscription's client what is new. Whether there may be more at once.
    async fn tell(&mut self) -> Result<bool, End> {
        let mut any = false;
        let numbers: Vec<u32> = self.subscriptions.keys().copied().collect();
        for number in numbers {
            let Some(subscription) = self.subscriptions.get_mut(&number) else { continue };
            let told = match subscription.next(&self.api).await {
                Ok((messages, more)) => {
                    any |= more;
                    messages
                }
                // What is too busy now is asked again.
                Err(refusal) if refusal.code == Code::Overloaded => {
                    sleep(PAUSE).await;
                    any = true;
                    continue;
                }
                Err(refusal) => return Err(End::Close(INTERNAL, self.resume(&refusal.message))),
            };
            for message in told {
                self.send(message).await?;
            }
        }
        Ok(any)
    }

    /// Asks whether the client is there, and gives one up that is silent or does not say who it is.
    async fn keep_alive(&mut self) -> Result<(), End> {
        let heartbeat = self.api.config().heartbeat;
        if self.principal.is_none() && self.opened.elapsed() >= self.api.config().sockets.auth_time {
            return Err(End::Close(CLOSE_UNAUTHENTICATED, "no credential came in time".into()));
        }
        if self.heard.elapsed() >= heartbeat * 2 {
            return Err(End::Close(CLOSE_SILENT, self.resume("nothing was heard for two heartbeats")));
        }
        if self.said.elapsed() >= heartbeat {
            self.said = Instant::now();
            let mut w = Writer::with_capacity(64);
            w.object(|w| {
                w.string("type", "heartbeat");
                w.number("sequence", self.api.handle().durable().0);
            });
            self.put(Message::Ping(axum::body::Bytes::new())).await?;
            self.send(w.finish()).await?;
        }
        Ok(())
    }

    fn deadline(&self) -> Instant {
        let heartbeat = self.api.config().heartbeat;
        let auth = self.principal.is_none().then(|| self.opened + self.api.config().sockets.auth_time);
        let due = self.subscriptions.values().filter_map(Subscription::due);
        let usual = (self.said + heartbeat).min(self.heard + heartbeat * 2);
        due.chain(auth).fold(usual, Instant::min)
    }

    async fn wait(&mut self, seen: Seq, more: bool) -> Woken {
        let deadline = self.deadline();
        let follows = self.subscriptions.values().any(Subscription::follows);
        let (feed, rested) = (self.api.handle().feed().clone(), self.looked + self.api.rest());
        let grown = async move {
            if more {
                return Woken::Look;
            }
            if !follows {
                return std::future::pending().await;
            }
            sleep_until(rested).await;
            if feed.beyond(seen).await.is_ok() { Woken::Look } else { Woken::LogClosed }
        };
        let held = &mut self.held;
        let lost = async move {
            match held {
                Some(held) => held.lost().await,
                None => std::future::pending().await,
            }
        };
        let subscriptions = &mut self.subscriptions;
        let moved = async move {
            let mut waits: Vec<_> = subscriptions.values_mut().map(|one| Box::pin(one.moved())).collect();
            poll_fn(|cx| {
                let ready = waits.iter_mut().any(|wait| wait.as_mut().poll(cx).is_ready());
                if ready { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        };
        tokio::select! {
            _ = until(&mut self.closing, |closing| *closing) => Woken::Closing,
            received = self.socket.recv() => Woken::Received(received),
            Some(answered) = self.running.join_next() => answered.map_or(Woken::Look, Woken::Answered),
            woken = grown => woken,
            () = moved => Woken::Look,
            () = lost => Woken::Revoked,
            () = sleep_until(deadline) => Woken::Look,
        }
    }

    async fn send(&mut self, document: Vec<u8>) -> Result<(), End> {
        // What is written here is JSON, which is UTF-8.
        let text = String::from_utf8(document).map_err(|_| End::Close(INTERNAL, "an answer is not text".into()))?;
        self.put(Message::Text(text.into())).await
    }

    /// A client that takes one message in half of the bound is patient enough for us; else the other half is for the farewell.
    async fn put(&mut self, message: Message) -> Result<(), End> {
        match timeout(self.api.config().slow_client / 2, self.socket.send(message)).await {
            Ok(Ok(())) => {
                self.said = Instant::now();
                Ok(())
            }
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::Slow),
        }
    }

    async fn receive(&mut self, text: &str) -> Result<(), End> {
        self.api.metrics().socket_message();
        let trace_id = self.api.new_trace();
        let value = match parse(text.as_bytes(), self.api.config().max_depth) {
            Ok(value) => value,
            Err(error) => {
                let refusal = Refusal::new(Code::ValidationError, format!("the message is not valid: {error}")).with("at", error.at);
                return self.refuse(&Named::default(), &refusal, trace_id, Op::Ping).await;
            }
        };
        let (id, op) = request::named(&value);
        let named = Named { id: id.map(str::to_owned), op: op.map(str::to_owned) };
        let (fields, op) = match request::read(&value) {
            Ok(read) => read,
            Err(refusal) => return self.refuse(&named, &refusal, trace_id, Op::Ping).await,
        };
        let handled = match self.principal {
            None if op != Op::Auth => Err(Refusal::new(Code::Unauthenticated, "the first message must be auth")),
            _ => self.handle(&named, &fields, op).await?,
        };
        match handled {
            Ok(()) => Ok(()),
            Err(refusal) => self.refuse(&named, &refusal, trace_id, op).await,
        }
    }

    /// Answers with a refusal; one about who the client is ends the connection.
    async fn refuse(&mut self, named: &Named, refusal: &Refusal, trace_id: TraceId, op: Op) -> Result<(), End> {
        // What cannot be read counts too, as an ordinary message.
        let most = self.api.config().sockets.max_rate.saturating_mul(2);
        if !op.is_protected() && refusal.code == Code::ValidationError && !self.rate.take(most) {
            return Err(End::Close(PROTOCOL, "too many messages that are not valid".into()));
        }
        self.send(named.refuse(refusal, trace_id)).await?;
        if refusal.code == Code::Unauthenticated {
            return Err(End::Close(CLOSE_UNAUTHENTICATED, refusal.message.clone()));
        }
        Ok(())
    }

    async fn handle(&mut self, named: &Named, fields: &Fields<'_, '_>, op: Op) -> Result<Result<(), Refusal>, End> {
        let most = self.api.config().sockets.max_rate;
        let rate = if op.is_protected() { &mut self.protected } else { &mut self.rate };
        if !rate.take(most) {
            return Ok(Err(request::too_many(&format!("more than {most} messages"))));
        }
        let principal = match self.principal.map_or(Ok(Principal::NOBODY), |principal| auth::still(&self.api, &principal)) {
            Ok(principal) => through_socket(principal),
            Err(refusal) => return Ok(Err(refusal)),
        };
        let done = match op {
            Op::Auth => self.authenticate(fields).await.map(|()| named.say(200, b"{}")),
            Op::Ping => Ok(named.say(200, format!("{{\"sequence\":{}}}", self.api.handle().durable()).as_bytes())),
            Op::Unsubscribe => self.unsubscribe(fields).map(|()| named.say(200, b"{}")),
            Op::Subscribe | Op::OpenView => return self.subscribe(named, fields, principal, op).await,
            Op::MoveView => self.move_view(fields).map(|()| named.say(200, b"{}")),
            Op::Enter(entry) => match self.enter(entry, op, named, fields, principal).await {
                Ok(None) => return Ok(Ok(())),
                Ok(Some(answer)) => Ok(answer),
                Err(refusal) => Err(refusal),
            },
        };
        match done {
            Ok(answer) => self.send(answer).await.map(Ok),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    async fn authenticate(&mut self, fields: &Fields<'_, '_>) -> Result<(), Refusal> {
        if let Some(key) = fields.string("key")? {
            let mut headers = HeaderMap::new();
            let (name, value) =
                if auth::is_well_formed(key) { ("x-api-key", key.to_owned()) } else { ("authorization", format!("Bearer {key}")) };
            headers.insert(name, HeaderValue::from_str(&value).map_err(|_| auth::invalid())?);
            let (api, principal) = self.api.neighbours().desk_of(&self.api, &headers, self.peer).await?;
            let principal = through_socket(principal);
            if self.principal.is_some_and(|known| known.actor() != principal.actor()) {
                return Err(fields.bad("key", "is another's than the connection's"));
            }
            self.settle(api)?;
            self.held = Some(Held::new(&self.api, principal));
            self.principal = Some(principal);
        } else if self.principal.is_none() {
            return Err(Refusal::new(Code::Unauthenticated, "auth carries no key"));
        }
        self.bind(fields)
    }

    /// The desk that answers from now on. A connection that did not say at once who it is began at the first one's; nothing was
    /// asked of that yet.
    fn settle(&mut self, api: Api) -> Result<(), Refusal> {
        if self.principal.is_none() && !self.api.is(&api) {
            self._place = api.admit_socket().ok_or_else(|| Refusal::new(Code::Overloaded, "there are too many sockets"))?;
            self.closing = api.closing();
            self.api = api;
        }
        Ok(())
    }

    /// Takes `cancel_on_disconnect`: it holds for the orders that are placed from now on.
    fn bind(&mut self, fields: &Fields<'_, '_>) -> Result<(), Refusal> {
        match fields.bool("cancel_on_disconnect")? {
            Some(true) if self.placed.is_none() => self.placed = Some(Placed::default()),
            Some(false) => self.placed = None,
            _ => (),
        }
        Ok(())
    }

    fn unsubscribe(&mut self, fields: &Fields<'_, '_>) -> Result<(), Refusal> {
        let number: u32 = fields.required("subscription", fields.count("subscription")?)?;
        let found = self.subscriptions.remove(&number).map(drop);
        found.ok_or_else(|| Refusal::new(Code::NotFound, "there is no such subscription").with("subscription", number))
    }

    fn move_view(&mut self, fields: &Fields<'_, '_>) -> Result<(), Refusal> {
        let number: u32 = fields.required("subscription", fields.count("subscription")?)?;
        let found = self.subscriptions.get(&number);
        let found = found.ok_or_else(|| Refusal::new(Code::NotFound, "there is no such subscription").with("subscription", number))?;
        found.turn_to(fields)
    }

    async fn subscribe(
        &mut self,
        named: &Named,
        fields: &Fields<'_, '_>,
        principal: Principal,
        op: Op,
    ) -> Result<Result<(), Refusal>, End> {
        let most = self.api.config().sockets.max_subscriptions;
        if self.subscriptions.len() >= most {
            return Ok(Err(Refusal::new(Code::Overloaded, format!("a socket has {most} subscriptions at most"))));
        }
        if let Err(refusal) = self.bind(fields) {
            return Ok(Err(refusal));
        }
        let number = self.numbered.saturating_add(1);
        let call = Call::of_message(&self.api, principal, String::new(), HeaderMap::new(), String::new(), None);
        let begun = match op {
            Op::OpenView => Subscription::view(&call, number, fields),
            _ => Subscription::begin(&call, number, fields).await,
        };
        let (subscription, body, pieces) = match begun {
            Ok(begun) => begun,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.numbered = number;
        self.send(named.say(200, &body)).await?;
        for piece in pieces {
            self.send(piece).await?;
        }
        self.subscriptions.insert(number, subscription);
        Ok(Ok(()))
    }

    /// Has order entry done: the answer where it is ready at once.
    async fn enter(
        &mut self,
        what: request::Entry,
        op: Op,
        named: &Named,
        fields: &Fields<'_, '_>,
        principal: Principal,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        let most = self.api.config().sockets.max_in_flight;
        if self.running.len() >= if op.is_protected() { most.saturating_mul(2) } else { most } {
            return Err(Refusal::new(Code::Overloaded, format!("{most} requests of this socket are being worked on")));
        }
        if matches!(what, request::Entry::Place | request::Entry::Execute) {
            self.room_for_placed().await?;
        }
        let order = fields.string("order")?.unwrap_or_default().to_owned();
        let headers = request::headers(fields)?;
        let call = Call::of_message(&self.api, principal, order, headers, request::body(fields)?, self.placed.clone());
        let work = entry::answer(self.api.clone(), what, call, named.clone());
        // Its first step hands the command to the engine, so that commands keep the order of their messages.
        let mut work = Box::pin(tokio::task::unconstrained(work));
        match poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await {
            Poll::Ready(answer) => Ok(Some(answer)),
            Poll::Pending => {
                self.running.spawn(work);
                Ok(None)
            }
        }
    }

    /// Forgets placed orders that are done, where there are too many to remember.
    async fn room_for_placed(&mut self) -> Result<(), Refusal> {
        let Some(placed) = &self.placed else { return Ok(()) };
        let most = self.api.config().sockets.max_orders;
        let all: Vec<OrderId> = {
            let placed = placed.lock().unwrap_or_else(PoisonError::into_inner);
            if placed.len() < most {
                return Ok(());
            }
            placed.iter().copied().collect()
        };
        let done = self.api.handle().inspect(move |state, _| -> BTreeSet<OrderId> {
            all.into_iter().filter(|id| state.order(*id).is_none_or(|order| order.state.is_done())).collect()
        });
        let done = done.await?;
        let mut placed = placed.lock().unwrap_or_else(PoisonError::into_inner);
        placed.retain(|id| !done.contains(id));
        if placed.len() < most {
            return Ok(());
        }
        Err(Refusal::new(Code::Overloaded, format!("{most} orders of this socket work, which is all that it can cancel at its end")))
    }

    /// Words with the sequence that every subscription can be resumed from.
    fn resume(&self, words: &str) -> String {
        match self.subscriptions.values().filter_map(Subscription::told).min() {
            Some(seq) => format!("resume from {seq}: {words}"),
            None => words.to_owned(),
        }
    }
}

fn broken(error: &axum::Error) -> End {
    let text = error.to_string();
    if text.starts_with("IO error") {
        return End::Gone;
    }
    // The library tells them apart by their words alone.
    End::Close(if text.starts_with("Space limit exceeded") { TOO_LARGE } else { PROTOCOL }, text)
}
