//! FIX sessions as the interface shows and steers them. Whoever runs them implements [`FixSessions`]; the interface knows
//! no FIX.

use oms_model::command::Actor;
use oms_model::{Refusal, Time, UserId};
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

/// What an action comes to, once it was taken on.
pub type Acted = Pin<Box<dyn Future<Output = Result<FixSession, Refusal>> + Send>>;

/// The sessions of a desk.
pub trait FixSessions: Send + Sync {
    /// All of them, by the client's name.
    fn all(&self) -> Vec<FixSession>;
    /// What was done to one last, oldest first; `None` where there is no such session.
    fn deeds(&self, client: &str) -> Option<Vec<FixDeed>>;
    /// Does something to one, after who did it and why was recorded.
    ///
    /// # Errors
    /// `NOT_FOUND`, `OVERLOADED` where the session has ended.
    fn act(&self, client: &str, action: FixAction, actor: &Actor, reason: String) -> Acted;
}
