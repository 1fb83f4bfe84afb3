//! A state in parts, for whoever stores it: what follows from the rest is left out, and worked out again.

use super::{ApiKey, Attempt, Failures, Founding, Invitation, Member, Session, SigningKey, State, Tenant, User, named};
use crate::event::Hash;
use crate::personal::Subject;
use oms_model::{ApiKeyId, InvitationId, SessionId, TenantId, Time, UserId};

/// All that a [`State`] is made of, each list in the order of its keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the part of the state with its name")]
pub struct StateParts {
    pub batches: u64,
    pub tenants: Vec<(TenantId, Tenant)>,
    pub users: Vec<(UserId, User)>,
    pub members: Vec<((TenantId, UserId), Member)>,
    pub invitations: Vec<(InvitationId, Invitation)>,
    pub bootstrap: Option<(Hash, Time)>,
    pub sessions: Vec<(SessionId, Session)>,
    pub keys: Vec<(ApiKeyId, ApiKey)>,
    /// In the order in which they first failed.
    pub failures: Vec<(Attempt, Failures)>,
    pub signing: Vec<(String, SigningKey)>,
    pub mac_key: Option<Box<[u8]>>,
    pub doomed: Vec<Subject>,
    pub foundings: Vec<(TenantId, Founding)>,
}

impl From<State> for StateParts {
    fn from(state: State) -> Self {
        let State {
            tenants,
            foundings,
            users,
            emails: _,
            members,
            invitations,
            bootstrap,
            sessions,
            ending: _,
            keys,
            key_hashes: _,
            failures,
            failed,
            doomed,
            signing,
            mac_key,
            batches,
        } = state;
        Self {
            batches,
            tenants: tenants.into_iter().collect(),
            users: users.into_iter().collect(),
            members: members.into_iter().collect(),
            invitations: invitations.into_iter().collect(),
            bootstrap,
            sessions: sessions.into_iter().collect(),
            keys: keys.into_iter().collect(),
            failures: failed.into_iter().filter_map(|attempt| Some((attempt, *failures.get(&attempt)?))).collect(),
            signing: signing.into_iter().collect(),
            mac_key,
            doomed: doomed.into_iter().collect(),
            foundings: foundings.into_iter().collect(),
        }
    }
}

impl From<StateParts> for State {
    fn from(parts: StateParts) -> Self {
        let StateParts {
            batches,
            tenants,
            users,
            members,
            invitations,
            bootstrap,
            sessions,
            keys,
            failures,
            signing,
            mac_key,
            doomed,
            foundings,
        } = parts;
        let hashes = |(id, key): &(ApiKeyId, ApiKey)| {
            let old = key.old.map(|(old, _)| (old, *id));
            core::iter::once((key.sha256, *id)).chain(old)
        };
        let users = users.into_iter().collect();
        Self {
            batches,
            tenants: tenants.into_iter().collect(),
            emails: named(&users),
            users,
            members: members.into_iter().collect(),
            invitations: invitations.into_iter().collect(),
            bootstrap,
            ending: sessions.iter().map(|(id, session)| (session.expires_at, *id)).collect(),
            sessions: sessions.into_iter().collect(),
            key_hashes: keys.iter().flat_map(hashes).collect(),
            keys: keys.into_iter().collect(),
            failed: failures.iter().map(|(attempt, _)| *attempt).collect(),
            failures: failures.into_iter().collect(),
            doomed: doomed.into_iter().collect(),
            foundings: foundings.into_iter().collect(),
            signing: signing.into_iter().collect(),
            mac_key,
        }
    }
}
