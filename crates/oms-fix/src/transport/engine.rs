//! The sessions that run, and how connections find them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::address::{Network, allows};
use super::clock;
use super::connect::Dialer;
use super::driver::Driver;
use super::task::{Attached, Task};
use super::{Command, SessionHandle, SessionSpec, Shared};
use crate::session::Session;
use crate::session::config::{Role, SessionId};

/// Commands that may wait for a session.
const COMMANDS: usize = 1024;

/// Why a session was not added.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AddError {
    /// There is one between the same two already.
    #[error("there is a session {0} already")]
    Duplicate(SessionId),
    /// An initiator needs somewhere to connect to.
    #[error("the initiator {0} has no endpoint")]
    NoEndpoint(SessionId),
}

struct Entry {
    handle: SessionHandle,
    attach: mpsc::Sender<Attached>,
    role: Role,
    allowed: Vec<Network>,
    client_certificate: Option<[u8; 32]>,
    task: JoinHandle<()>,
}

/// The sessions that run. A clone is the same. When all clones and listeners are gone, acceptors end with
/// their connection, and every session ends with the last of its handles.
#[derive(Clone, Default)]
pub struct Engine {
    sessions: Arc<Mutex<BTreeMap<SessionId, Entry>>>,
}

impl Engine {
    /// Without sessions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn sessions(&self) -> MutexGuard<'_, BTreeMap<SessionId, Entry>> {
        // Each change is one insertion or removal; a panic elsewhere leaves the map whole.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a session, on the current tokio runtime.
    ///
    /// # Errors
    /// [`AddError`].
    pub fn add(&self, spec: SessionSpec) -> Result<SessionHandle, AddError> {
        let (id, role) = (spec.config.id.clone(), spec.config.role);
        if role == Role::Initiator && spec.endpoints.is_empty() {
            return Err(AddError::NoEndpoint(id));
        }
        let mut sessions = self.sessions();
        if sessions.get(&id).is_some_and(|entry| !entry.task.is_finished()) {
            return Err(AddError::Duplicate(id));
        }
        let (commands, received) = mpsc::channel(COMMANDS);
        let (attach, attached) = mpsc::channel(1);
        let stored = spec.store.stored();
        let shared = Shared::new(stored, spec.store.acted());
        let seed = clock::now().mono ^ id.target.bytes().fold(0, |seed: u64, byte| seed.rotate_left(8) ^ u64::from(byte));
        let dialer = Dialer::new(spec.endpoints, spec.reconnect, seed);
        let session = Session::new(Arc::new(spec.config), stored);
        let driver = Driver::new(session, spec.limits, spec.store, spec.application, shared.clone());
        let task = tokio::spawn(Task::new(driver, received).run(attached, dialer));
        let handle = SessionHandle { id: id.clone(), commands, shared };
        let (allowed, client_certificate) = (spec.allowed, spec.client_certificate);
        sessions.insert(id, Entry { handle: handle.clone(), attach, role, allowed, client_certificate, task });
        Ok(handle)
    }

    /// Ends a session: it logs out, and its task ends. Returns once it has. False if there is none.
    pub async fn remove(&self, id: &SessionId) -> bool {
        let Some(entry) = self.sessions().remove(id) else { return false };
        // If it has ended already there is nobody to tell.
        let _ = entry.handle.commands.send(Command::Stop).await;
        let _ = entry.task.await;
        true
    }

    /// A running session.
    #[must_use]
    pub fn session(&self, id: &SessionId) -> Option<SessionHandle> {
        self.sessions().get(id).map(|entry| entry.handle.clone())
    }

    /// All sessions that were added and not removed.
    #[must_use]
    pub fn ids(&self) -> Vec<SessionId> {
        self.sessions().keys().cloned().collect()
    }

    /// Where a connection with this Logon belongs; `None`: it is to be closed without a word.
    pub(super) fn find(&self, id: &SessionId, address: IpAddr, certificate: Option<[u8; 32]>) -> Option<mpsc::Sender<Attached>> {
        let sessions = self.sessions();
        let entry = sessions.get(id).filter(|entry| entry.role == Role::Acceptor)?;
        let known = entry.client_certificate.is_none_or(|expected| certificate == Some(expected));
        (known && entry.handle.is_open() && allows(&entry.allowed, address)).then(|| entry.attach.clone())
    }
}
