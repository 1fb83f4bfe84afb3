//! What a connector is told.

use oms_model::{Mic, Time};

use crate::codec::{PROTO_VERSIONS, TEXT_VERSIONS};

/// Nanoseconds of a millisecond.
pub(super) const MS: i64 = 1_000_000;
/// Nanoseconds of a second.
pub(super) const SECOND: i64 = 1_000 * MS;
/// The oldest text version that is offered; gateways that are older than what is spoken here are told so.
const OLDEST_TEXT: u16 = 157;

/// Which of the two dialects is offered. They are not tried in turn: a gateway was seen to hang after an abandoned handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offer {
    /// Protocol buffers: server versions 213 to 225.
    #[default]
    Proto,
    /// Text, for older gateways: up to server version 178.
    Text,
}

impl Offer {
    /// The oldest and newest server version that are offered.
    #[must_use]
    pub const fn versions(self) -> (u16, u16) {
        match self {
            Self::Proto => (*PROTO_VERSIONS.start(), *PROTO_VERSIONS.end()),
            Self::Text => (OLDEST_TEXT, *TEXT_VERSIONS.end()),
        }
    }
}

/// How long things may take, nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Connecting and the handshake together.
    pub attempt: i64,
    /// The shortest pause between attempts.
    pub first_pause: i64,
    /// The longest pause between attempts.
    pub longest_pause: i64,
    /// The longest pause after a connection that was refused outright: it costs the gateway nothing.
    pub refused_pause: i64,
    /// The time is asked when nothing came for so long.
    pub idle: i64,
    /// A peer of whom nothing came for so long is dead.
    pub dead: i64,
    /// The lists that a question needs.
    pub patience: i64,
    /// The least time between two looks after which an order of which there is no trace never arrived.
    pub second_look: i64,
    /// The first answer to an order.
    pub acknowledge: i64,
    /// An order for the market that is only held counts as taken after so long: until then a refusal may follow.
    pub held: i64,
    /// A look is good for questions that come so long after it.
    pub fresh: i64,
    /// All open orders are looked at this often, for those that people enter.
    pub look_around: i64,
    /// The three sides are compared at least this often while orders may flow.
    pub reconcile: i64,
    /// Messages in one second; the gateway disconnects above 50.
    pub per_second: usize,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            attempt: 10 * SECOND,
            first_pause: SECOND,
            longest_pause: 60 * SECOND,
            refused_pause: 2 * SECOND,
            idle: 5 * SECOND,
            dead: 10 * SECOND,
            patience: 5 * SECOND,
            second_look: 500 * MS,
            acknowledge: 3 * SECOND,
            held: SECOND,
            fresh: SECOND,
            look_around: 60 * SECOND,
            reconcile: 900 * SECOND,
            per_second: 45,
        }
    }
}

/// A time of day, each day, in which the gateway restarts: nothing new is sent in it, and a lost session is no alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// When it begins, seconds after midnight UTC.
    pub from_s: u32,
    /// When it ends; before `from_s` it is on the next day.
    pub to_s: u32,
}

impl Window {
    /// Whether a time lies in it.
    #[must_use]
    pub fn contains(self, at: Time) -> bool {
        const DAY_S: i64 = 86_400;
        let second = u32::try_from((at.0 / SECOND).rem_euclid(DAY_S)).unwrap_or(0);
        if self.from_s <= self.to_s { (self.from_s..self.to_s).contains(&second) } else { second >= self.from_s || second < self.to_s }
    }
}

/// What a connector is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What the desk calls it.
    pub venue: Mic,
    /// The client id: always the same, so that the gateway itself sees to it that an earlier session has ended.
    pub client_id: i32,
    /// The account of every order. The login must have it.
    pub account: String,
    /// Whether it may be a live account: one whose name does not begin with `D`.
    pub is_live: bool,
    /// The dialect.
    pub offer: Offer,
    /// `SELL` stands for selling short too, as it does at accounts that clear with the broker. Otherwise it is refused.
    pub short_as_sell: bool,
    /// How long things may take.
    pub timing: Timing,
    /// When the gateway restarts each day.
    pub window: Option<Window>,
    /// Of the jitter between attempts.
    pub seed: u64,
}

impl Config {
    /// A paper account in the default dialect.
    #[must_use]
    pub fn new(venue: Mic, client_id: i32, account: &str) -> Self {
        Self {
            venue,
            client_id,
            account: account.to_owned(),
            is_live: false,
            offer: Offer::default(),
            short_as_sell: false,
            timing: Timing::default(),
            window: None,
            seed: 1,
        }
    }
}

/// Whether the broker's name of an account is that of a paper account.
#[must_use]
pub fn is_paper(account: &str) -> bool {
    account.starts_with('D')
}
