//! How the session of a client is set up.

use std::time::Duration;

use oms_identity::{Role, Scope, Scopes, scope_of};
use oms_model::command::{Command, NewOrder};
use oms_model::{AccountId, Code, Refusal, UserId};
use sha2::{Digest as _, Sha256};

use super::catalog::Catalog;
use crate::session::config::{Config, SessionId};
use crate::transport::Network;

/// Of which orders a drop copy is told: of those that every filter lets pass that is given.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CopyFilter {
    /// Of these accounts, by name or id; empty: of all.
    pub accounts: Vec<String>,
    /// Of these users; empty: of all.
    pub users: Vec<UserId>,
}

impl CopyFilter {
    pub(super) fn takes(&self, account_id: AccountId, user_id: UserId, catalog: &Catalog) -> bool {
        let (name, id) = (catalog.account_name(account_id), account_id.to_string());
        let account = self.accounts.is_empty() || self.accounts.iter().any(|wanted| *wanted == name || *wanted == id);
        account && (self.users.is_empty() || self.users.contains(&user_id))
    }
}

/// The session of one client.
#[derive(Clone, Debug)]
pub struct ClientProfile {
    /// Its set-up as a session.
    pub config: Config,
    /// For whom its orders are. Each session has a user of its own: it is told of that user's orders by FIX, and of no others.
    pub user_id: UserId,
    /// What it may do, by the words of every other door: what its messages ask for is held to it.
    pub scopes: Scopes,
    /// It is a drop copy: it is told of these orders, from whichever door they come, and sends none.
    pub copies: Option<CopyFilter>,
    /// The only account that its orders are for, by name or id; `None`: any, which the order names.
    pub account: Option<String>,
    /// From where it may connect; empty: from everywhere.
    pub allowed: Vec<Network>,
    /// SHA-256 of the certificate that it must show; `None`: any that the listener takes.
    pub client_certificate: Option<[u8; 32]>,
    /// Its orders are canceled where it has been gone for so long; `None`: they work on.
    pub cancel_after: Option<Duration>,
}

impl ClientProfile {
    /// What a session may do that nothing is said of: trade, and ask how its orders stand.
    pub const SCOPES: Scopes = Role::Trader.scopes();

    /// Whether the session may do something.
    ///
    /// # Errors
    /// `FORBIDDEN`, naming what it may not.
    pub(super) fn may(&self, scope: Scope) -> Result<(), Refusal> {
        if self.scopes.has(scope) { Ok(()) } else { Err(Refusal::new(Code::Forbidden, format!("the session is not allowed {scope}"))) }
    }

    /// Whether the session may give a command.
    ///
    /// # Errors
    /// As [`ClientProfile::may`].
    pub(super) fn may_give(&self, command: &Command) -> Result<(), Refusal> {
        self.may(scope_of(command))
    }

    /// Holds an order to the session's account.
    ///
    /// # Errors
    /// As [`ClientProfile::account_of`].
    pub(super) fn scope(&self, mut order: Box<NewOrder>, catalog: &Catalog) -> Result<Box<NewOrder>, Refusal> {
        order.account_id = self.account_of(order.account_id, catalog)?;
        Ok(order)
    }

    /// The account that something of the session is for.
    ///
    /// # Errors
    /// `FORBIDDEN` where it names another one, `NOT_FOUND` where the session's own is not there.
    pub(super) fn account_of(&self, asked: Option<AccountId>, catalog: &Catalog) -> Result<Option<AccountId>, Refusal> {
        let Some(name) = &self.account else { return Ok(asked) };
        let own = catalog.account(name.as_bytes())?;
        if asked.is_some_and(|asked| asked != own) {
            return Err(Refusal::new(Code::Forbidden, "the session is not for this Account(1)"));
        }
        Ok(Some(own))
    }
}

/// The user that a session is where none is named: the same at every start.
#[must_use]
pub fn user_of(id: &SessionId) -> UserId {
    let hash: [u8; 32] = Sha256::digest(format!("fix session {id}")).into();
    UserId::from_u128(hash.first_chunk().copied().map_or(0, u128::from_be_bytes))
}
