//! What is so: the fold of the control log.

mod fold;
mod parts;

pub use parts::StateParts;

use crate::event::{EMAIL, Hash, NAME};
use crate::net::{Net, lets_in, place};
use crate::personal::{Personal, Subject};
use crate::scope::{Role, Scopes};
use core::net::IpAddr;
use oms_model::{ApiKeyId, InvitationId, SessionId, TenantId, Time, UserId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One second in the unit of [`Time`].
pub const SECOND: i64 = 1_000_000_000;
/// How long the answer to an idempotency key is kept.
pub const REPEATABLE: i64 = 24 * 3_600 * SECOND;
/// Failures that cost nothing: people mistype.
pub const FREE_FAILURES: u32 = 3;
/// The longest wait after a failure.
pub const MAX_DELAY: i64 = 15 * 60 * SECOND;
/// Failures are forgotten after so long without another.
pub const FORGET_AFTER: i64 = 24 * 3_600 * SECOND;
/// Places of failures that are remembered; beyond it the oldest is forgotten.
pub const MAX_FAILURES: usize = 100_000;

/// A firm or desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// What it is called.
    pub name: String,
    /// Its time zone; empty: UTC.
    pub time_zone: String,
    /// Whether its members may sign in.
    pub enabled: bool,
    /// From where they may come.
    pub nets: Vec<Net>,
    /// Since when it is there.
    pub created_at: Time,
    /// Counts its changes, from 1.
    pub version: u32,
}

/// A tenant that is being made, or was lately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Founding {
    /// What it was to be called.
    pub name: String,
    /// What its desk is called.
    pub slug: String,
    /// The idempotency key of the request, with its place.
    pub request: Option<u128>,
    /// Of the request's payload.
    pub fingerprint: Hash,
    /// When it was asked for.
    pub asked_at: Time,
    /// When it was there.
    pub founded_at: Option<Time>,
}

/// A second factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totp {
    /// The secret, sealed.
    pub secret: Box<[u8]>,
    /// Whether it counts.
    pub confirmed: bool,
    /// No code of this time step or an earlier one counts.
    pub last_step: u64,
    /// Hashes of the recovery codes that are left.
    pub recovery: Vec<Hash>,
}

/// A person or machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Lower case; empty where they were erased.
    pub email: Personal,
    /// What they are called; empty where they were erased.
    pub name: Personal,
    /// Their time zone; empty: the tenant's.
    pub time_zone: String,
    /// PHC string.
    pub password: Option<String>,
    /// The second factor, also one that is not confirmed yet.
    pub totp: Option<Totp>,
    /// An account for emergencies.
    pub break_glass: bool,
    /// Since when they are there.
    pub created_at: Time,
    /// When the password was last changed.
    pub password_at: Time,
    /// When they were erased.
    pub erased_at: Option<Time>,
    /// Those of the invitations that they followed whose address is sealed.
    pub invitations: Vec<InvitationId>,
}

impl User {
    /// What is shown in the place of what is erased.
    pub const ERASED: &'static str = "erased";

    /// The address as it is shown.
    #[must_use]
    pub fn shown_email(&self) -> &str {
        if self.erased_at.is_some() { Self::ERASED } else { &self.email }
    }

    /// The name as it is shown.
    #[must_use]
    pub fn shown_name(&self) -> &str {
        if self.erased_at.is_some() { Self::ERASED } else { &self.name }
    }

    /// The second factor, where it counts.
    #[must_use]
    pub fn second_factor(&self) -> Option<&Totp> {
        self.totp.as_ref().filter(|totp| totp.confirmed)
    }
}

/// What somebody is in a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// As what.
    pub role: Role,
    /// What they may do besides.
    pub extra: Scopes,
    /// Since when they are this.
    pub since: Time,
}

impl Member {
    /// All that they may do.
    #[must_use]
    pub fn scopes(&self) -> Scopes {
        self.role.scopes() | self.extra
    }
}

/// Asks somebody to join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Which tenant.
    pub tenant_id: TenantId,
    /// Whom.
    pub email: Personal,
    /// As what.
    pub role: Role,
    /// What they may do besides.
    pub extra: Scopes,
    /// Of its token.
    pub sha256: Hash,
    /// Until when it is good.
    pub expires_at: Time,
}

/// Where somebody is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub user_id: UserId,
    /// For which tenant.
    pub tenant_id: TenantId,
    /// Whether it is kept by a cookie.
    pub cookie: bool,
    /// When a second factor was last shown.
    pub mfa_at: Option<Time>,
    /// Since when.
    pub opened_at: Time,
    /// When its tokens were last renewed; when it was opened where they never were.
    pub refreshed_at: Time,
    /// The number of the refresh token that is good.
    pub generation: u64,
    /// Until when.
    pub expires_at: Time,
    /// From where it was last opened or renewed.
    pub ip: Option<IpAddr>,
    /// By which client.
    pub user_agent: String,
}

/// A machine's credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// For which tenant.
    pub tenant_id: TenantId,
    /// Whose.
    pub user_id: UserId,
    /// What it is called.
    pub name: String,
    /// Its first characters.
    pub prefix: String,
    /// Of the key.
    pub sha256: Hash,
    /// Of the key before, and until when that is good.
    pub old: Option<(Hash, Time)>,
    /// What it may do.
    pub scopes: Scopes,
    /// Until when it is good.
    pub expires_at: Option<Time>,
    /// From where it may be used.
    pub nets: Vec<Net>,
    /// Since when it is there.
    pub created_at: Time,
    /// When it was last used, to the hour.
    pub used_at: Option<Time>,
}

impl ApiKey {
    /// Whether the secret with this hash opens it at `now`.
    #[must_use]
    pub fn opens(&self, sha256: &Hash, now: Time) -> bool {
        let alive = self.expires_at.is_none_or(|at| now < at);
        alive && (self.sha256 == *sha256 || self.old.is_some_and(|(old, until)| old == *sha256 && now < until))
    }
}

/// A key that signs access tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// Its public half.
    pub public: Hash,
    /// Its private half, sealed.
    pub secret: Box<[u8]>,
    /// From when on it signs.
    pub sign_from: Time,
    /// From when on what it signed is not good any more.
    pub good_until: Time,
}

/// How often somebody failed to prove who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failures {
    /// In a row.
    pub count: u32,
    /// The last one.
    pub last: Time,
}

impl Failures {
    /// Until when nothing more is taken.
    #[must_use]
    pub fn until(&self) -> Time {
        // One second after the fourth failure, twice as long after each more: the longest is reached long before 2^20 s.
        let delay = match self.count.saturating_sub(FREE_FAILURES) {
            0 => 0,
            beyond => SECOND.saturating_mul(1 << (beyond - 1).min(20)).min(MAX_DELAY),
        };
        self.last.plus(delay)
    }
}

/// Who has which address.
fn named(users: &BTreeMap<UserId, User>) -> BTreeMap<String, UserId> {
    users.iter().filter(|(_, user)| !user.email.is_empty()).map(|(id, user)| (user.email.text().to_owned(), *id)).collect()
}

/// An account as it was given, and the place that tried.
pub type Attempt = (Hash, Option<IpAddr>);

/// The state of the control partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    tenants: BTreeMap<TenantId, Tenant>,
    foundings: BTreeMap<TenantId, Founding>,
    users: BTreeMap<UserId, User>,
    emails: BTreeMap<String, UserId>,
    members: BTreeMap<(TenantId, UserId), Member>,
    invitations: BTreeMap<InvitationId, Invitation>,
    bootstrap: Option<(Hash, Time)>,
    sessions: BTreeMap<SessionId, Session>,
    /// The sessions by when they are over.
    ending: BTreeSet<(Time, SessionId)>,
    keys: BTreeMap<ApiKeyId, ApiKey>,
    /// Every hash by which a key may be found, also an old one.
    key_hashes: BTreeMap<Hash, ApiKeyId>,
    failures: BTreeMap<Attempt, Failures>,
    /// The attempts in the order in which they first failed.
    failed: VecDeque<Attempt>,
    /// Whose keys are still to be destroyed.
    doomed: BTreeSet<Subject>,
    signing: BTreeMap<String, SigningKey>,
    mac_key: Option<Box<[u8]>>,
    batches: u64,
}

impl State {
    /// How many batches it is made of.
    #[must_use]
    pub const fn batches(&self) -> u64 {
        self.batches
    }

    /// Every tenant.
    pub fn tenants(&self) -> impl Iterator<Item = (TenantId, &Tenant)> {
        self.tenants.iter().map(|(id, tenant)| (*id, tenant))
    }

    /// A tenant.
    #[must_use]
    pub fn tenant(&self, id: TenantId) -> Option<&Tenant> {
        self.tenants.get(&id)
    }

    /// How a tenant was made, or is being made; not where that was long ago.
    #[must_use]
    pub fn founding(&self, id: TenantId) -> Option<&Founding> {
        self.foundings.get(&id)
    }

    /// The founding that a request with this idempotency key asked for.
    #[must_use]
    pub fn founding_asked(&self, request: u128, now: Time) -> Option<(TenantId, &Founding)> {
        let asked = |(_, one): &(&TenantId, &Founding)| one.request == Some(request) && now < one.asked_at.plus(REPEATABLE);
        self.foundings.iter().find(asked).map(|(id, one)| (*id, one))
    }

    /// A user.
    #[must_use]
    pub fn user(&self, id: UserId) -> Option<&User> {
        self.users.get(&id)
    }

    /// A user who is not erased.
    #[must_use]
    pub fn person(&self, id: UserId) -> Option<&User> {
        self.users.get(&id).filter(|user| user.erased_at.is_none())
    }

    /// Whose keys are still to be destroyed.
    pub fn doomed(&self) -> impl Iterator<Item = Subject> {
        self.doomed.iter().copied()
    }

    /// Opens every name and address that is sealed and not read yet; `read` answers `None` where it is erased.
    ///
    /// # Errors
    /// The first that `read` has.
    pub fn open<E>(&mut self, mut read: impl FnMut(Subject, &'static str, &[u8]) -> Result<Option<String>, E>) -> Result<(), E> {
        let mut one = |subject, what, personal: &mut Personal| {
            if personal.sealed().is_empty() || !personal.text().is_empty() {
                return Ok(());
            }
            let text = read(subject, what, personal.sealed())?;
            personal.open(text.unwrap_or_default());
            Ok(())
        };
        for (id, user) in &mut self.users {
            one((*id).into(), EMAIL, &mut user.email)?;
            one((*id).into(), NAME, &mut user.name)?;
        }
        for (id, invitation) in &mut self.invitations {
            one((*id).into(), EMAIL, &mut invitation.email)?;
        }
        self.emails = named(&self.users);
        Ok(())
    }

    /// Every user.
    pub fn users(&self) -> impl Iterator<Item = (UserId, &User)> {
        self.users.iter().map(|(id, user)| (*id, user))
    }

    /// The user with this e-mail, in lower case.
    #[must_use]
    pub fn user_named(&self, email: &str) -> Option<(UserId, &User)> {
        let id = self.emails.get(email)?;
        Some((*id, self.users.get(id)?))
    }

    /// What somebody is in a tenant.
    #[must_use]
    pub fn member(&self, tenant_id: TenantId, user_id: UserId) -> Option<&Member> {
        self.members.get(&(tenant_id, user_id))
    }

    /// The members of a tenant.
    pub fn members(&self, tenant_id: TenantId) -> impl Iterator<Item = (UserId, &Member)> {
        let range = (tenant_id, UserId::from_u128(0))..=(tenant_id, UserId::from_u128(u128::MAX));
        self.members.range(range).map(|((_, user_id), member)| (*user_id, member))
    }

    /// The tenants that somebody is a member of.
    pub fn memberships(&self, user_id: UserId) -> impl Iterator<Item = (TenantId, &Member)> {
        self.members.iter().filter(move |((_, user), _)| *user == user_id).map(|((tenant, _), member)| (*tenant, member))
    }

    /// An invitation that is still open.
    #[must_use]
    pub fn invitation(&self, id: InvitationId) -> Option<&Invitation> {
        self.invitations.get(&id)
    }

    /// Every invitation that is still open.
    pub fn all_invitations(&self) -> impl Iterator<Item = (InvitationId, &Invitation)> {
        self.invitations.iter().map(|(id, one)| (*id, one))
    }

    /// The open invitations of a tenant.
    pub fn invitations(&self, tenant_id: TenantId) -> impl Iterator<Item = (InvitationId, &Invitation)> {
        self.invitations.iter().filter(move |(_, one)| one.tenant_id == tenant_id).map(|(id, one)| (*id, one))
    }

    /// The open invitation whose token has this hash.
    #[must_use]
    pub fn invitation_of(&self, sha256: &Hash, now: Time) -> Option<(InvitationId, &Invitation)> {
        self.invitations.iter().find(|(_, one)| one.sha256 == *sha256 && now < one.expires_at).map(|(id, one)| (*id, one))
    }

    /// Whether the bootstrap link has this hash and is good.
    #[must_use]
    pub fn bootstraps(&self, sha256: &Hash, now: Time) -> bool {
        self.bootstrap.is_some_and(|(known, until)| known == *sha256 && now < until)
    }

    /// A session that is not over at `now`.
    #[must_use]
    pub fn session(&self, id: SessionId, now: Time) -> Option<&Session> {
        self.sessions.get(&id).filter(|session| now < session.expires_at)
    }

    /// The sessions of a user that are not over.
    pub fn sessions(&self, user_id: UserId, now: Time) -> impl Iterator<Item = (SessionId, &Session)> {
        let open = move |(_, one): &(&SessionId, &Session)| one.user_id == user_id && now < one.expires_at;
        self.sessions.iter().filter(open).map(|(id, one)| (*id, one))
    }

    /// A key.
    #[must_use]
    pub fn key(&self, id: ApiKeyId) -> Option<&ApiKey> {
        self.keys.get(&id)
    }

    /// The keys of a tenant.
    pub fn keys(&self, tenant_id: TenantId) -> impl Iterator<Item = (ApiKeyId, &ApiKey)> {
        self.keys.iter().filter(move |(_, key)| key.tenant_id == tenant_id).map(|(id, key)| (*id, key))
    }

    /// The key that a secret with this hash opens at `now`.
    #[must_use]
    pub fn key_opened(&self, sha256: &Hash, now: Time) -> Option<(ApiKeyId, &ApiKey)> {
        let id = self.key_hashes.get(sha256)?;
        self.keys.get(id).filter(|key| key.opens(sha256, now)).map(|key| (*id, key))
    }

    /// What somebody may do in a tenant at this moment, from an address: nothing where they are no member, the tenant is
    /// closed, or its list does not have the address.
    #[must_use]
    pub fn scopes(&self, tenant_id: TenantId, user_id: UserId, ip: Option<IpAddr>) -> Option<Scopes> {
        let tenant = self.tenants.get(&tenant_id)?;
        let member = self.members.get(&(tenant_id, user_id))?;
        (tenant.enabled && lets_in(&tenant.nets, ip)).then(|| member.scopes())
    }

    /// Until when no more is taken from this place for this account; `None` where it is.
    #[must_use]
    pub fn locked(&self, account: &Hash, ip: Option<IpAddr>, now: Time) -> Option<Time> {
        let failures = self.failures.get(&(*account, ip.map(place)))?;
        (now < failures.until()).then(|| failures.until())
    }

    /// Failures of this account from this place.
    #[must_use]
    pub fn failures(&self, account: &Hash, ip: Option<IpAddr>) -> Option<&Failures> {
        self.failures.get(&(*account, ip.map(place)))
    }

    /// The keys that sign access tokens, by what tokens call them.
    pub fn signing_keys(&self) -> impl Iterator<Item = (&str, &SigningKey)> {
        self.signing.iter().map(|(kid, key)| (kid.as_str(), key))
    }

    /// The key that signs at `now`: the newest whose time has come.
    #[must_use]
    pub fn signing_key(&self, now: Time) -> Option<(&str, &SigningKey)> {
        let ready = self.signing_keys().filter(|(_, key)| key.sign_from <= now && now < key.good_until);
        ready.max_by_key(|(_, key)| key.sign_from)
    }

    /// The key that refresh tokens and cookies are authenticated with, sealed.
    #[must_use]
    pub fn mac_key(&self) -> Option<&[u8]> {
        self.mac_key.as_deref()
    }
}
