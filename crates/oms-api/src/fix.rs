//! FIX sessions as the interface shows and steers them. Whoever runs them implements [`FixSessions`]; the interface knows
//! no FIX.

use oms_model::command::Actor;
use oms_model::{OrderId, Refusal, Time, UserId};
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;

/// A session as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FixSession {
    /// With whom it is: CLIENT, VENUE, or DROP_COPY of a venue.
    pub kind: &'static str,
    /// What the client is called, or the venue.
    pub client: String,
    /// What the desk is called by it.
    pub desk: String,
    /// For whom its orders are; of no meaning for a venue.
    pub user_id: UserId,
    /// Whether both sides are logged on.
    pub logged_on: bool,
    /// Whether the next Logon is taken.
    pub open: bool,
    /// MsgSeqNum(34) expected next.
    pub next_in: u64,
    /// MsgSeqNum(34) given next.
    pub next_out: u64,
    /// Counts since the start of the desk, with their names.
    pub counts: Vec<(&'static str, u64)>,
}

/// What is done to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FixAction {
    /// Take the next Logon.
    Logon,
    /// Log out, and take no Logon until told to.
    Logout,
    /// Begin both numbers anew, by agreement with a client that is logged on.
    Reset,
    /// Set the next numbers; one that is logged on is told of the outbound one.
    Numbers {
        /// Expected next.
        next_in: Option<u64>,
        /// Given next.
        next_out: Option<u64>,
    },
}

/// What somebody has done to a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FixDeed {
    /// When.
    pub at: Time,
    /// Who, in words.
    pub actor: String,
    /// What.
    pub action: String,
    /// Why; empty where no reason was given.
    pub reason: String,
}

/// Whose messages are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FixAbout {
    /// The order and its legs.
    pub orders: BTreeSet<OrderId>,
    /// Not before.
    pub from: Time,
    /// Not after.
    pub until: Time,
    /// The most messages.
    pub most: usize,
}

/// A message that went over a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FixMessage {
    /// Where it stands in the log of the sessions.
    pub entry: u64,
    /// With whom the session is, as in [`FixSession::client`].
    pub client: String,
    /// Whether it came; it was sent otherwise.
    pub inbound: bool,
    /// When it came or, where it was sent, its SendingTime(52).
    pub at: Option<Time>,
    /// Its name, such as `NewOrderSingle`; empty where the dictionary knows none.
    pub name: String,
    /// Tag, name and value of each field, in their order.
    pub fields: Vec<(i32, String, String)>,
    /// As it went over the line, with `|` for the separator.
    pub raw: String,
}

/// The messages about an order, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FixMessages {
    /// The messages.
    pub messages: Vec<FixMessage>,
    /// Whether these are all.
    pub complete: bool,
}

/// What an action comes to, once it was taken on.
pub type Acted = Pin<Box<dyn Future<Output = Result<FixSession, Refusal>> + Send>>;

/// The sessions of a desk.
pub trait FixSessions: Send + Sync {
    /// All of them, by the client's name.
    fn all(&self) -> Vec<FixSession>;
    /// What was done to one last, oldest first; `None` where there is no such session.
    fn deeds(&self, client: &str) -> Option<Vec<FixDeed>>;
    /// The messages about an order and its legs. May read much of the log of the sessions: not for a thread that may not
    /// block.
    ///
    /// # Errors
    /// `INTERNAL` where the log cannot be read.
    fn messages(&self, about: &FixAbout) -> Result<FixMessages, Refusal>;
    /// Does something to one, after who did it and why was recorded.
    ///
    /// # Errors
    /// `NOT_FOUND`, `OVERLOADED` where the session has ended.
    fn act(&self, client: &str, action: FixAction, actor: &Actor, reason: String) -> Acted;
}
