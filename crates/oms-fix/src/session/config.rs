//! How a session is set up.

use std::fmt;
use std::ops::RangeInclusive;

use super::schedule::Schedule;
use super::throttle::Rate;
use crate::codec::encode::Fields;
use crate::codec::value::Precision;
use crate::dictionary::{Checks, Dictionary, fix44};

/// Who a session is between, as this side writes it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionId {
    /// BeginString(8).
    pub begin_string: String,
    /// SenderCompID(49) of this side.
    pub sender: String,
    /// TargetCompID(56) of this side: who the counterparty is.
    pub target: String,
}

impl SessionId {
    /// A session of FIX 4.4.
    #[must_use]
    pub fn fix44(sender: &str, target: &str) -> Self {
        Self { begin_string: "FIX.4.4".to_owned(), sender: sender.to_owned(), target: target.to_owned() }
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}->{}", self.begin_string, self.sender, self.target)
    }
}

/// Who dials.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The counterparty connects to this side and sends Logon first.
    Acceptor,
    /// This side connects and sends Logon first.
    Initiator,
}

/// A password. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a password.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Compares without telling by the time it takes where the first difference is.
    pub(super) fn is(&self, given: &[u8]) -> bool {
        let own = self.bytes();
        own.len() == given.len() && own.iter().zip(given).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Username(553) and Password(554): sent by an initiator, demanded by an acceptor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credentials {
    /// Username(553).
    pub username: String,
    /// Password(554).
    pub password: Secret,
}

/// When the sequence numbers go back to 1, beside the start of a scheduled session.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ResetOn {
    /// At every Logon that an acceptor takes; an initiator asks for it with ResetSeqNumFlag(141).
    pub logon: bool,
    /// After every Logout.
    pub logout: bool,
    /// After every disconnect.
    pub disconnect: bool,
}

/// What becomes of application messages while nobody is logged on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum WhenDown {
    /// They are refused: an order that goes out late is another order.
    #[default]
    Refuse,
    /// They are numbered and stored; the counterparty finds the gap at its next Logon and asks.
    Store,
}

/// Bounds on what is received.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Largest message in bytes. Default 64 KiB.
    pub message: usize,
    /// Most fields of a message. Default 4,096.
    pub fields: usize,
    /// Most garbled messages between two good ones. Default 100.
    pub garbled: u32,
    /// Most messages kept above a gap. Default 10,000.
    pub stash: usize,
    /// Most bytes kept above a gap. Default 8 MiB.
    pub stash_bytes: usize,
    /// Most ResendRequests that wait for their turn; more are ignored. Default 64.
    pub resends: usize,
    /// Most messages held back by the throttle; more are refused. Default 10,000.
    pub held: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { message: 64 << 10, fields: 4096, garbled: 100, stash: 10_000, stash_bytes: 8 << 20, resends: 64, held: 10_000 }
    }
}

/// How long is waited, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timeouts {
    /// For a Logon or its answer. Default 10 s.
    pub logon: u64,
    /// For the answer to a Logout. Default 5 s.
    pub logout: u64,
    /// For progress after a ResendRequest, before it is sent again. Default 30 s.
    pub resend: u64,
    /// How often a ResendRequest is sent for the same gap before the session is ended. Default 3.
    pub resend_attempts: u32,
}

impl Default for Timeouts {
    fn default() -> Self {
        const SECOND: u64 = 1_000_000_000;
        Self { logon: 10 * SECOND, logout: 5 * SECOND, resend: 30 * SECOND, resend_attempts: 3 }
    }
}

/// Rates above which application messages wait or are refused. Cancels have a budget of their own, so
/// that a burst of orders never stands in the way of taking them back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Throttles {
    /// What is sent: messages wait, cancels first.
    pub out: Option<Rate>,
    /// Cancels that are sent.
    pub out_cancels: Option<Rate>,
    /// What is received: messages are refused with a BusinessMessageReject.
    pub inbound: Option<Rate>,
    /// Cancels that are received.
    pub inbound_cancels: Option<Rate>,
}

/// The set-up of one session.
#[derive(Clone, Debug)]
pub struct Config {
    /// Who it is between.
    pub id: SessionId,
    /// Who dials.
    pub role: Role,
    /// What messages are checked against.
    pub dictionary: &'static Dictionary,
    /// What is checked.
    pub checks: Checks,
    /// HeartBtInt(108) of an initiator, in seconds. Default 30. An acceptor takes the one of the Logon.
    pub heart_bt_int: u32,
    /// What an acceptor takes. Default 0 to 3,600; 0 means no heartbeats.
    pub heart_bt_limits: RangeInclusive<u32>,
    /// How far SendingTime(52) may be from the clock, in seconds; `None`: it is not looked at. Default
    /// 120. Whole seconds are compared, as many counterparties send no more; the bound itself is out.
    pub sending_time_window: Option<u32>,
    /// Digits of the times that are written.
    pub precision: Precision,
    /// When the numbers go back to 1.
    pub reset_on: ResetOn,
    /// When the session is open; `None`: always.
    pub schedule: Option<Schedule>,
    /// What becomes of messages while nobody is logged on.
    pub when_down: WhenDown,
    /// Bounds on what is received.
    pub bounds: Bounds,
    /// How long is waited.
    pub timeouts: Timeouts,
    /// Most messages asked for by one ResendRequest; `None`: all at once.
    pub resend_chunk: Option<u64>,
    /// Whether NextExpectedMsgSeqNum(789) is sent in the Logon.
    pub next_expected: bool,
    /// Whether LastMsgSeqNumProcessed(369) is sent in every header.
    pub last_processed: bool,
    /// Types that are never sent again but skipped by a gap fill, as orders that would be stale.
    pub never_resend: Vec<Vec<u8>>,
    /// Whether messages of the session that are evidence of what became of others - ResendRequest(2), Reject(3),
    /// SequenceReset(4) in its reset form, a Logon(A) with a NextExpectedMsgSeqNum(789) that is behind - are delivered to
    /// the application as well, so that one that keeps its messages has them in the same atomic step as their number.
    pub keeps_evidence: bool,
    /// Rates.
    pub throttles: Throttles,
    /// Who may log on, or as whom this side does.
    pub credentials: Option<Credentials>,
    /// Further fields of an initiator's Logon, as a counterparty wants them.
    pub logon_fields: Fields,
}

impl Config {
    /// The defaults for a session of FIX 4.4.
    #[must_use]
    pub fn new(id: SessionId, role: Role) -> Self {
        Self {
            id,
            role,
            dictionary: fix44(),
            checks: Checks::default(),
            heart_bt_int: 30,
            heart_bt_limits: 0..=3600,
            sending_time_window: Some(120),
            precision: Precision::Millis,
            reset_on: ResetOn::default(),
            schedule: None,
            when_down: WhenDown::default(),
            bounds: Bounds::default(),
            timeouts: Timeouts::default(),
            resend_chunk: None,
            next_expected: false,
            last_processed: false,
            never_resend: Vec::new(),
            keeps_evidence: false,
            throttles: Throttles::default(),
            credentials: None,
            logon_fields: Fields::new(),
        }
    }
}
