//! A connection between the connector and the gateway.

use oms_ib::codec::Dialect;
use oms_ib::codec::frame::{Framer, MAX_REPLY};
use oms_ib::sim::gateway::SessionId;

/// What happens to what the gateway tells unasked, each in a thousand. What it answers to a question is spared, so that a
/// whole look is one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pushes {
    pub lost: u16,
    pub late: u16,
    pub duplicate: u16,
    pub reorder: u16,
}

/// One connection.
pub(super) struct Wire {
    /// What the connector sends, as the gateway cuts it.
    pub ours: Framer,
    /// What the gateway sends, as the connector's socket cuts it.
    pub theirs: Framer,
    pub session: Option<(SessionId, Dialect)>,
    /// It had a session once: what comes behind its end is of no interest.
    pub is_shaken: bool,
    /// What waits while the gateway is frozen.
    pub unread: Vec<u8>,
    /// The connector's end is closed.
    pub is_closed: bool,
}

impl Wire {
    pub fn new() -> Self {
        let (ours, theirs) = (Framer::server(), Framer::client(MAX_REPLY));
        Self { ours, theirs, session: None, is_shaken: false, unread: Vec::new(), is_closed: false }
    }

    /// Whether anything can still come of it.
    pub fn is_over(&self) -> bool {
        self.is_closed && self.session.is_none() && (self.is_shaken || self.unread.is_empty())
    }
}
