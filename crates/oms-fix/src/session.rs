//! The session: a state machine without clock, socket or disk.
//!
//! [`Session::step`] takes what happened and the time, and adds to an [`Outbox`] what is to be done
//! about it. Whoever drives it makes the batch durable first, then sends the bytes and lets the
//! deliveries have effects; so no number is ever used twice, whatever fails in between.
//!
//! Where FIX leaves a choice, the texts, the order of fields and the reasons of rejects are those that
//! the public session acceptance scripts expect.

pub mod config;
mod inbound;
mod liveness;
mod logon;
pub mod outbox;
mod resend;
pub mod schedule;
mod send;
mod sequence;
pub mod throttle;
mod write;

pub use send::{BusinessReason, business_reject};

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::codec::frame::Garbled;
use crate::codec::scan::Span;
use config::{Config, Role, SessionId};
use outbox::{Event, Outbox, Outgoing, Page, Reason};
use schedule::Window;
use throttle::Bucket;

/// The time, as whoever drives a session reads it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Now {
    /// Nanoseconds of a clock that never goes back; its zero has no meaning.
    pub mono: u64,
    /// Nanoseconds since 1970, UTC.
    pub utc: i64,
}

/// What happens to a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input<'a> {
    /// There is a connection.
    Connected,
    /// The connection is gone.
    Disconnected,
    /// A message whose length and checksum are right.
    Received(&'a [u8]),
    /// Bytes that are no message.
    Garbled(Garbled),
    /// A deadline has passed.
    Timer,
    /// Messages that were asked from the store.
    Page(&'a Page),
    /// The session is to log out.
    Logout(&'a str),
    /// The connection is to end at once, for this reason.
    Abort(Reason),
    /// The next outbound number is to be this one, told to the counterparty by SequenceReset-Reset
    /// if it is logged on.
    SetNextOut(u64),
    /// The next inbound number is to be this one.
    SetNextIn(u64),
    /// Both numbers go back to 1: by a Logon with ResetSeqNumFlag(141) if logged on.
    Reset,
    /// The counterparty is asked by a TestRequest(1) with this id whether it is there, if it is logged on.
    Test(&'a str),
}

/// What a store holds of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stored {
    /// The next inbound number.
    pub next_in: u64,
    /// The next outbound number.
    pub next_out: u64,
    /// When the numbers last were 1, in nanoseconds since 1970; `None` for a new session.
    pub created: Option<i64>,
}

impl Default for Stored {
    fn default() -> Self {
        Self { next_in: 1, next_out: 1, created: None }
    }
}

/// How far a connection has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// There is none.
    Down,
    /// An acceptor's that waits for Logon.
    AwaitingLogon,
    /// An initiator's that has sent Logon.
    LogonSent,
    /// Both sides are logged on.
    Up,
    /// This side has sent Logout.
    LogoutSent,
}

/// Messages that are missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Gap {
    /// The first that was missing.
    begin: u64,
    /// The last that is known to be missing.
    end: u64,
    /// The last that was asked for.
    asked: u64,
    /// When it was asked, or when something last came.
    since: u64,
    attempts: u32,
}

/// A ResendRequest that is being answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Answer {
    /// The first number that nothing was sent for yet.
    open: u64,
    end: u64,
}

/// One session. See the module for how it is driven.
#[derive(Debug)]
pub struct Session {
    config: Arc<Config>,
    phase: Phase,
    next_in: u64,
    next_out: u64,
    created: Option<i64>,
    /// HeartBtInt(108) in nanoseconds; 0: none.
    heart_bt_int: u64,
    last_sent: u64,
    last_received: u64,
    /// TestRequests since something was received.
    test_requests: u32,
    /// When the phase began.
    phase_since: u64,
    /// Whether this side has sent ResetSeqNumFlag(141) and waits for the answer.
    sent_reset: bool,
    /// NextExpectedMsgSeqNum(789) was in the Logon of this connection.
    sent_next_expected: bool,
    garbled: u32,
    gap: Option<Gap>,
    /// Messages above the gap; an empty one was dealt with already.
    stash: BTreeMap<u64, Vec<u8>>,
    stash_bytes: usize,
    answer: Option<Answer>,
    asked: VecDeque<(u64, u64)>,
    held: [VecDeque<Outgoing>; 2],
    buckets: Buckets,
    window: Option<Window>,
    next_window: Option<Window>,
    spans: Vec<Span>,
}

#[derive(Debug)]
struct Buckets {
    out: Option<Bucket>,
    out_cancels: Option<Bucket>,
    inbound: Option<Bucket>,
    inbound_cancels: Option<Bucket>,
}

impl Session {
    /// A session as its store knows it, without a connection.
    #[must_use]
    pub fn new(config: Arc<Config>, stored: Stored) -> Self {
        let rates = config.throttles;
        let bucket = |rate: Option<throttle::Rate>| rate.map(Bucket::new);
        let buckets = Buckets {
            out: bucket(rates.out),
            out_cancels: bucket(rates.out_cancels),
            inbound: bucket(rates.inbound),
            inbound_cancels: bucket(rates.inbound_cancels),
        };
        Self {
            phase: Phase::Down,
            next_in: stored.next_in,
            next_out: stored.next_out,
            created: stored.created,
            heart_bt_int: 0,
            last_sent: 0,
            last_received: 0,
            test_requests: 0,
            phase_since: 0,
            sent_reset: false,
            sent_next_expected: false,
            garbled: 0,
            gap: None,
            stash: BTreeMap::new(),
            stash_bytes: 0,
            answer: None,
            asked: VecDeque::new(),
            held: [VecDeque::new(), VecDeque::new()],
            buckets,
            window: None,
            next_window: None,
            spans: Vec::new(),
            config,
        }
    }

    /// Its set-up.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Who it is between.
    #[must_use]
    pub fn id(&self) -> &SessionId {
        &self.config.id
    }

    /// How far its connection has come.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The number expected next.
    #[must_use]
    pub fn next_in(&self) -> u64 {
        self.next_in
    }

    /// The number given next.
    #[must_use]
    pub fn next_out(&self) -> u64 {
        self.next_out
    }

    /// When the numbers last were 1, in nanoseconds since 1970; 0 for a session that never began.
    #[must_use]
    pub fn numbering(&self) -> i64 {
        self.created.unwrap_or_default()
    }

    /// Bytes of memory held for messages above a gap.
    #[must_use]
    pub fn stashed_bytes(&self) -> usize {
        self.stash_bytes
    }

    /// Takes in what happened.
    pub fn step(&mut self, input: Input<'_>, now: Now, out: &mut Outbox) {
        self.roll(now, out);
        match input {
            Input::Connected => self.connected(now, out),
            Input::Disconnected => self.leave(Reason::Lost, String::new(), now, out),
            Input::Received(message) => self.received(message, now, out),
            Input::Garbled(why) => self.on_garbled(why, now, out),
            Input::Timer => self.timer(now, out),
            Input::Page(page) => self.page(page, now, out),
            Input::Logout(text) => self.ask_logout(text, now, out),
            Input::Abort(reason) => self.leave(reason, String::new(), now, out),
            Input::SetNextOut(next) => self.set_next_out(next, now, out),
            Input::SetNextIn(next) => self.set_next_in(next, out),
            Input::Reset => self.ask_reset(now, out),
            Input::Test(id) => self.ask_whether_there(id, now, out),
        }
    }

    fn connected(&mut self, now: Now, out: &mut Outbox) {
        self.phase_since = now.mono;
        (self.last_received, self.test_requests, self.garbled) = (now.mono, 0, 0);
        if self.config.schedule.is_some() && self.window.is_none() {
            self.phase = Phase::AwaitingLogon;
            return self.leave(Reason::Closed, String::new(), now, out);
        }
        match self.config.role {
            Role::Acceptor => self.phase = Phase::AwaitingLogon,
            Role::Initiator => self.send_logon(now, out),
        }
    }

    /// Ends the connection. Everything that belongs to it alone is forgotten.
    fn leave(&mut self, reason: Reason, detail: String, now: Now, out: &mut Outbox) {
        let phase = std::mem::replace(&mut self.phase, Phase::Down);
        match phase {
            Phase::Down => return,
            Phase::AwaitingLogon | Phase::LogonSent => out.events.push(Event::Dropped { reason, detail }),
            Phase::Up | Phase::LogoutSent => out.events.push(Event::LoggedOut { reason }),
        }
        out.disconnect = Some(reason);
        out.fetch = None;
        (self.gap, self.answer) = (None, None);
        (self.sent_reset, self.sent_next_expected) = (false, false);
        self.asked.clear();
        self.stash.clear();
        self.stash_bytes = 0;
        for held in &mut self.held {
            out.events.extend(held.drain(..).map(|message| Event::NotSent { token: message.token }));
        }
        let was_up = matches!(phase, Phase::Up | Phase::LogoutSent);
        if was_up && (self.config.reset_on.disconnect || self.config.reset_on.logout && reason == Reason::LoggedOut) {
            self.reset(now, out);
        }
        self.roll(now, out);
    }

    /// Both numbers go back to 1. Nothing sent before can be asked for again.
    fn reset(&mut self, now: Now, out: &mut Outbox) {
        (self.next_in, self.next_out) = (1, 1);
        self.created = Some(now.utc);
        (self.gap, self.answer) = (None, None);
        self.asked.clear();
        self.stash.clear();
        self.stash_bytes = 0;
        out.reset(now.utc);
        out.events.push(Event::Reset);
    }

    fn expect(&mut self, next: u64, out: &mut Outbox) {
        self.next_in = next;
        out.batch.next_in = Some(next);
    }

    fn set_next_in(&mut self, next: u64, out: &mut Outbox) {
        let (from, to) = (self.next_in, next.max(1));
        self.gap = None;
        self.stash = self.stash.split_off(&to);
        self.stash_bytes = self.stash.values().map(Vec::len).sum();
        self.expect(to, out);
        out.events.push(Event::SequenceReset { from, to });
    }
}

#[cfg(test)]
mod tests;
