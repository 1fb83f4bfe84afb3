//! Who is connected, and how much each may ask.

use std::collections::BTreeMap;

use oms_model::Time;

use super::{Gateway, SessionId, Told};
use crate::codec::{ManagedAccounts, NextValidId, Reply};

/// Client ids at most, as the real gateway has it.
const MAX_SESSIONS: usize = 32;
/// The window in which requests are counted, nanoseconds.
const PACING_NS: i64 = 1_000_000_000;
/// How often code 100 is said before the connection is closed.
const PACING_STRIKES: u32 = 3;

/// What is known about a connection.
#[derive(Debug)]
pub(super) struct Session {
    /// Set once the session has begun.
    pub(super) client: Option<i32>,
    pub(super) positions: bool,
    pub(super) account_data: Option<String>,
    pub(super) summaries: BTreeMap<i32, Vec<String>>,
    pub(super) multis: BTreeMap<i32, String>,
    pub(super) pnls: BTreeMap<i32, String>,
    pub(super) auto_bind: bool,
    /// When the last message that was told at once is due.
    pub(super) told_until: Time,
    /// Requests in the window.
    window: Time,
    requests: u32,
    strikes: u32,
}

impl Session {
    /// One whose handshake has just ended.
    pub(super) const fn new(now: Time) -> Self {
        Self {
            client: None,
            positions: false,
            account_data: None,
            summaries: BTreeMap::new(),
            multis: BTreeMap::new(),
            pnls: BTreeMap::new(),
            auto_bind: false,
            told_until: now,
            window: now,
            requests: 0,
            strikes: 0,
        }
    }
}

impl Gateway {
    /// Counts a request. False: it is too many, and nothing comes of it.
    pub(super) fn is_paced(&mut self, id: SessionId) -> bool {
        let (now, limit) = (self.now, self.faults.pacing);
        let Some(session) = self.sessions.get_mut(&id) else { return false };
        if now.since(session.window) >= PACING_NS {
            (session.window, session.requests) = (now, 0);
        }
        session.requests += 1;
        if limit == 0 || session.requests <= limit {
            return true;
        }
        session.strikes += 1;
        let too_often = session.strikes > PACING_STRIKES;
        self.notice(id, -1, 100, "Max rate of messages per second has been exceeded:max=50 rec=51 (1)");
        if too_often {
            self.close(id);
        }
        false
    }

    pub(super) fn start(&mut self, session: SessionId, client: i32) {
        let taken = self.sessions.values().any(|other| other.client == Some(client)) || self.lingering.contains_key(&client);
        if taken {
            self.notice(session, -1, 326, "Unable to connect as the client id is already in use. Retry with a unique client id.");
            self.close(session);
            return;
        }
        if self.sessions.values().filter(|session| session.client.is_some()).count() >= MAX_SESSIONS {
            self.close(session);
            return;
        }
        if let Some(known) = self.sessions.get_mut(&session) {
            known.client = Some(client);
        }
        let accounts = self.accounts.iter().map(|account| account.name.as_str()).collect::<Vec<_>>().join(",");
        self.tell(session, Reply::ManagedAccounts(ManagedAccounts { accounts }));
        self.tell_next_id(session);
        for (code, farm) in [
            (2104, "Market data farm connection is OK:usfarm"),
            (2106, "HMDS data farm connection is OK:ushmds"),
            (2158, "Sec-def data farm connection is OK:secdefil"),
        ] {
            self.notice(session, -1, code, farm);
        }
    }

    pub(super) fn tell_next_id(&mut self, session: SessionId) {
        let back = std::mem::take(&mut self.faults.rollback);
        let order_id = (self.order_ids.saturating_add(1) - back).max(1);
        self.tell(session, Reply::NextValidId(NextValidId { order_id }));
    }

    /// Ends a session from here.
    pub(super) fn close(&mut self, session: SessionId) {
        self.forget(session);
        self.push(self.now, Told::Close(session));
    }

    pub(super) fn forget(&mut self, session: SessionId) {
        let Some(known) = self.sessions.remove(&session) else { return };
        self.subscriptions.retain(|(owner, _), _| *owner != session);
        if let Some(client) = known.client
            && self.faults.linger > 0
        {
            self.lingering.insert(client, self.now.plus(self.faults.linger));
        }
    }
}
