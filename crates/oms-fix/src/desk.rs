//! Clients at the desk: sessions whose messages are orders, and what comes of them.
//!
//! - The edge translates; every decision is the engine's.
//! - A message is stored in the same atomic step as its number, until it was dealt with. What it asks is a command whose
//!   idempotency key is the message's own name (session, numbering, MsgSeqNum), so asking again after a crash gives the
//!   same answer and is never a second order ([ADR 9](../../../docs/adr/0009-fix-clients-follow-the-log.md)).
//! - Reports are a follower of the desk's log: each follows from one event. How far it has come is stored in the same
//!   atomic step as the messages that it sent and their numbers, so no report is lost, repeated or numbered twice.

mod answer;
pub(crate) mod body;
mod book;
mod catalog;
mod client;
mod profile;
mod quotes;
mod report;
pub(crate) mod request;
mod strategy;
pub(crate) mod words;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use oms_model::quote::QuoteRequest;
use oms_model::{QuoteId, QuoteReqId, Refusal, Seq, TenantId, UserId};
use oms_runtime::history::{AsOf, History, HistoryError};
use oms_runtime::{Feed, Handle};
use tokio::sync::mpsc;

use crate::dictionary::{Dictionary, fix44};
use crate::session::config::{Config, SessionId};
use crate::session::outbox::{Mark, Outbox};
use crate::store::{JournalStore, MessageStore as _, SessionJournal, StoreError};
use crate::transport::{AddError, Engine, SessionHandle, SessionSpec};
pub use client::ClientFigures;
use client::{Client, Door, Inbound, Start};
pub use profile::{ClientProfile, CopyFilter, user_of};

/// What messages of clients are checked against: FIX 4.4, with the parameters of strategies.
///
/// # Panics
/// If what is added to it is wrong, which a test would have told.
#[must_use]
#[allow(clippy::expect_used, reason = "the text is a part of the program and read by its tests")]
pub fn dictionary() -> &'static Dictionary {
    static DESK: OnceLock<Dictionary> = OnceLock::new();
    DESK.get_or_init(|| fix44().with_overlay(strategy::OVERLAY).expect("the overlay is read by the tests"))
}

/// Messages of one session that may wait for the desk; more are refused.
const INBOX: usize = 4_096;

/// Why the sessions were not started.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The message store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The desk's log as it was when the last report was sent.
    #[error("the desk's log where the last report was sent: {0}")]
    History(#[from] HistoryError),
    /// The desk does not answer.
    #[error("the desk does not answer: {0}")]
    Desk(Refusal),
    /// Two sessions between the same two.
    #[error(transparent)]
    Add(#[from] AddError),
}

/// What the sessions of clients need of the desk.
#[derive(Clone)]
pub struct DeskParts {
    /// The door, and the log.
    pub handle: Handle,
    /// The past, to begin where the last report was sent.
    pub history: History,
    /// Whose desk it is.
    pub tenant_id: TenantId,
}

/// One session as it is shown.
#[derive(Clone)]
pub struct ClientSession {
    /// Who it is between.
    pub id: SessionId,
    /// For whom its orders are.
    pub user_id: UserId,
    /// A way to it.
    pub handle: SessionHandle,
    /// What it counts.
    pub figures: Arc<ClientFigures>,
}

/// The sessions of clients. A clone is the same.
#[derive(Clone, Default)]
pub struct Clients {
    sessions: Arc<Mutex<BTreeMap<String, ClientSession>>>,
}

impl Clients {
    /// Runs the session of a client. Blocks while the log is read; must be called within a tokio runtime that may block.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn add(
        &self,
        engine: &Engine,
        store: &JournalStore,
        parts: &DeskParts,
        profile: ClientProfile,
    ) -> Result<ClientSession, DeskError> {
        let id = profile.config.id.clone();
        let mut journal = store.session(&id);
        let progress = journal.progress();
        // A session that never sent anything has nothing to tell of what was before it.
        let cursor = progress.mark.cursor.map_or_else(|| parts.handle.durable(), Seq);
        let Begin { follow_after, book, catalog, open, live } = begin(parts, cursor, &profile)?;
        let quotes = quotes::Quotes::of(&open, &live, store, &id)?;
        let figures = Arc::new(ClientFigures::default());
        if progress.mark.cursor.is_none() {
            // From where it is told must be known before anything can happen that it is told of.
            begin_at(&mut journal, cursor)?;
        }
        let (inbox, received) = mpsc::channel(INBOX);
        let waiting: Vec<Inbound> = store.unhandled(&id)?.into_iter().map(|(kept, bytes)| Inbound { kept, bytes }).collect();
        let door = Door::new(inbox, figures.clone(), profile.copies.is_some());
        let config = Config { dictionary: dictionary(), ..profile.config.clone() };
        let mut spec = SessionSpec::new(config, Box::new(journal), Box::new(door));
        spec.allowed.clone_from(&profile.allowed);
        spec.client_certificate = profile.client_certificate;
        let session = engine.add(spec)?;
        let start = Start { cursor, mark: progress.mark, waiting, received };
        let feed: Feed = parts.handle.feed().clone();
        let user_id = profile.user_id;
        let client = Client::new(profile, parts, session.clone(), feed.follow(follow_after), book, catalog, quotes, figures.clone(), start);
        tokio::spawn(client.run());
        let shown = ClientSession { id: id.clone(), user_id, handle: session, figures };
        self.lock().insert(id.target.clone(), shown.clone());
        Ok(shown)
    }

    /// Logs all of them out at once, and ends them. Must be called within the runtime that they run on.
    pub async fn stop(&self, engine: &Engine) {
        let all: Vec<SessionId> = std::mem::take(&mut *self.lock()).into_values().map(|session| session.id).collect();
        let mut leaving = tokio::task::JoinSet::new();
        for id in all {
            let engine = engine.clone();
            leaving.spawn(async move { engine.remove(&id).await });
        }
        while leaving.join_next().await.is_some() {}
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, ClientSession>> {
        // Each change is one insertion; a panic elsewhere leaves the map whole.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of them, by the name of the client.
    #[must_use]
    pub fn all(&self) -> Vec<ClientSession> {
        self.lock().values().cloned().collect()
    }

    /// The session with a client.
    #[must_use]
    pub fn get(&self, client: &str) -> Option<ClientSession> {
        self.lock().get(client).cloned()
    }
}

/// Stores from where a new session follows the desk's log.
fn begin_at(journal: &mut SessionJournal, cursor: Seq) -> Result<(), StoreError> {
    let mut outbox = Outbox::default();
    outbox.batch.mark = Mark { handled: None, cursor: Some(cursor.0) };
    let stored = journal.commit(&outbox)?;
    tokio::task::block_in_place(|| stored.wait_blocking())
}

/// The orders, names and requests for quotes as they were when the last report was sent.
struct Begin {
    /// From where the log is followed.
    follow_after: Seq,
    book: book::Book,
    catalog: catalog::Catalog,
    open: Vec<QuoteRequest>,
    live: Vec<(QuoteId, QuoteReqId)>,
}

fn begin(parts: &DeskParts, cursor: Seq, profile: &ClientProfile) -> Result<Begin, DeskError> {
    let moment = parts.history.moment(AsOf::Seq(cursor))?;
    let (user_id, follow_after) = (profile.user_id, moment.seq);
    let whose = profile.copies.clone().map_or(book::Whose::Own(user_id), book::Whose::Copies);
    Ok(parts.history.read(moment, |state| {
        let catalog = catalog::Catalog::of(state);
        let (open, live) = quotes::Quotes::open(state, user_id);
        Begin { follow_after, book: book::Book::of(state, whose, &catalog), catalog, open, live }
    })?)
}
