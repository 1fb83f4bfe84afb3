//! What is asked of the control partition, and what comes of it: a refusal, or facts.

mod access;
mod sign_in;

use crate::event::{
    AllowListSet, ApiKeyCreated, ApiKeyRotated, By, Event, Hash, Invited, MacKeySet, MemberSet, ProfileChanged, SessionOpened,
    SigningKeyAdded, TenantChanged, TenantCreated, TenantFounding, UserCreated,
};
use crate::personal::Subject;
use crate::scope::{Role, Scope, Scopes};
use crate::state::{SECOND, State};
use oms_model::{ApiKeyId, Code, InvitationId, Refusal, SessionId, TenantId, Time, UserId};

/// The most tenants.
pub const MAX_TENANTS: usize = 10_000;
/// The most open invitations of a tenant.
pub const MAX_INVITATIONS: usize = 1_000;
/// The most sessions of a user; the oldest ends when one more is opened.
pub const MAX_SESSIONS: usize = 32;
/// The most keys of a user in a tenant.
pub const MAX_KEYS: usize = 100;
/// The most ranges in a list of addresses.
pub const MAX_NETS: usize = 256;
/// The longest name, bytes.
pub const MAX_NAME: usize = 128;
/// The longest e-mail address (RFC 5321).
pub const MAX_EMAIL: usize = 254;
/// The longest that an invitation is good.
pub const MAX_INVITATION: i64 = 30 * 24 * 3_600 * SECOND;
/// The longest that the secret before a rotation is good.
pub const MAX_OVERLAP: i64 = 7 * 24 * 3_600 * SECOND;
/// A key's use is recorded this often at most.
pub const USED_EVERY: i64 = 3_600 * SECOND;

/// Who asks, and what they may do.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Who, and from where.
    pub by: By,
    /// What their credential allows.
    pub scopes: Scopes,
}

impl Asked {
    /// The console of the machine itself: whoever can write the log may do everything.
    #[must_use]
    pub fn console() -> Self {
        Self { by: By { source: oms_model::Source::Cli, ..By::default() }, scopes: Scopes::ALL }
    }

    /// It may change this tenant: its own, or any with `tenants:admin`.
    fn may_manage(&self, tenant_id: TenantId) -> Result<(), Refusal> {
        if self.scopes.has(Scope::TenantsAdmin) {
            return Ok(());
        }
        // Somebody else's tenant is not there.
        if self.by.tenant_id != tenant_id {
            return Err(no_such("tenant"));
        }
        if self.scopes.has(Scope::TenantsManage) { Ok(()) } else { Err(crate::principal::forbidden(Scope::TenantsManage)) }
    }

    /// Nobody gives what they have not.
    fn may_give(&self, scopes: Scopes) -> Result<(), Refusal> {
        let beyond = scopes.without(self.scopes);
        if beyond.is_empty() {
            return Ok(());
        }
        Err(Refusal::new(Code::Forbidden, format!("nobody gives what they have not: {beyond}")).with("scope", beyond))
    }
}

/// How somebody joins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Joining {
    /// As somebody new, with this password's hash.
    New {
        /// Their id.
        user_id: UserId,
        /// What they are called.
        name: String,
        /// PHC string.
        password: String,
    },
    /// As a user that there is; the edge has seen their password.
    Known(UserId),
}

/// What is asked. Secrets come as hashes or sealed, and were checked by the edge, which alone knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each carries the fact that it asks for, or names what it is about")]
pub enum Command {
    /// No facts where a request with the same idempotency key asked for one before: that one is gone on with.
    FoundTenant(TenantFounding),
    CreateTenant(TenantCreated),
    ChangeTenant(TenantChanged),
    SetAllowList(AllowListSet),
    IssueBootstrap {
        sha256: Hash,
        expires_at: Time,
    },
    Bootstrap {
        sha256: Hash,
        tenant: TenantCreated,
        user: UserCreated,
    },
    Invite(Invited),
    RevokeInvitation {
        tenant_id: TenantId,
        invitation_id: InvitationId,
    },
    AcceptInvitation {
        sha256: Hash,
        joining: Joining,
    },
    CreateUser(UserCreated),
    SetMember(MemberSet),
    RemoveMember {
        tenant_id: TenantId,
        user_id: UserId,
    },
    /// Everything that says who they are goes; so do memberships, keys and sessions.
    EraseUser {
        user_id: UserId,
    },
    /// The key was destroyed.
    ConfirmDestroyed {
        subject: Subject,
    },
    ChangeProfile(ProfileChanged),
    /// Every session but `keep` ends.
    SetPassword {
        user_id: UserId,
        password: String,
        keep: Option<SessionId>,
    },
    Rehash {
        user_id: UserId,
        password: String,
    },
    EnrolTotp {
        user_id: UserId,
        secret: Box<[u8]>,
    },
    ConfirmTotp {
        user_id: UserId,
        step: u64,
        recovery: Vec<Hash>,
    },
    UseTotp {
        user_id: UserId,
        step: u64,
    },
    UseRecoveryCode {
        user_id: UserId,
        sha256: Hash,
    },
    DisableTotp {
        user_id: UserId,
    },
    OpenSession {
        session: SessionOpened,
        account: Hash,
    },
    RefreshSession {
        session_id: SessionId,
        generation: u64,
        expires_at: Time,
    },
    RevokeSession {
        session_id: SessionId,
        reason: String,
    },
    RevokeSessionsOf {
        user_id: UserId,
        keep: Option<SessionId>,
        reason: String,
    },
    StepUp {
        session_id: SessionId,
    },
    FailSignIn {
        account: Hash,
    },
    CreateApiKey(ApiKeyCreated),
    RotateApiKey(ApiKeyRotated),
    RevokeApiKey {
        api_key_id: ApiKeyId,
    },
    UseApiKey {
        api_key_id: ApiKeyId,
    },
    AddSigningKey(SigningKeyAdded),
    RetireSigningKey {
        kid: String,
    },
    SetMacKey(MacKeySet),
}

/// There is no such thing for whoever asks.
#[must_use]
pub fn no_such(what: &str) -> Refusal {
    Refusal::new(Code::NotFound, format!("there is no such {what}"))
}

fn invalid(what: &str, why: &str) -> Refusal {
    Refusal::new(Code::ValidationError, format!("{what} {why}")).with("field", what)
}

fn conflict(message: &str) -> Refusal {
    Refusal::new(Code::StateConflict, message)
}

fn too_many(what: &str, most: usize) -> Refusal {
    Refusal::new(Code::StateConflict, format!("there are {most} {what} already")).with("most", most)
}

fn name(field: &str, text: &str) -> Result<(), Refusal> {
    let good = !text.trim().is_empty() && text.len() <= MAX_NAME && !text.chars().any(char::is_control);
    if good { Ok(()) } else { Err(invalid(field, &format!("must be 1 to {MAX_NAME} bytes of text without control characters"))) }
}

/// The form of an e-mail address in which it is compared: lower case, without spaces around it.
///
/// # Errors
/// `VALIDATION_ERROR` where it is none.
pub fn email(text: &str) -> Result<String, Refusal> {
    let text = text.trim().to_lowercase();
    let bad = || invalid("email", "must be an e-mail address");
    let (local, domain) = text.rsplit_once('@').ok_or_else(bad)?;
    let graphic = text.chars().all(|c| !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>' | '"' | ',' | ';'));
    let good =
        graphic && !local.is_empty() && !local.contains('@') && !domain.is_empty() && !domain.starts_with('.') && text.len() <= MAX_EMAIL;
    if good { Ok(text) } else { Err(bad()) }
}

fn time_zone(text: &str) -> Result<(), Refusal> {
    let good = text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'+' | b'-'));
    if good { Ok(()) } else { Err(invalid("time_zone", "must be the name of a time zone, such as Europe/Berlin")) }
}

/// What comes of a command at `now`. Facts are folded by [`State::apply`].
///
/// # Errors
/// `VALIDATION_ERROR`, `FORBIDDEN`, `NOT_FOUND`, `STATE_CONFLICT`, `UNAUTHENTICATED`, `RATE_LIMITED`.
pub fn decide(state: &State, now: Time, asked: &Asked, command: Command) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::FoundTenant(e) => found_tenant(state, now, asked, e),
        Command::CreateTenant(e) => create_tenant(state, asked, e),
        Command::ChangeTenant(e) => change_tenant(state, asked, e),
        Command::SetAllowList(e) => set_allow_list(state, asked, e),
        Command::IssueBootstrap { sha256, expires_at } => issue_bootstrap(state, now, asked, sha256, expires_at),
        Command::Bootstrap { sha256, tenant, user } => bootstrap(state, now, sha256, tenant, user),
        Command::CreateUser(e) => create_user(state, asked, e),
        Command::Invite(_)
        | Command::RevokeInvitation { .. }
        | Command::AcceptInvitation { .. }
        | Command::SetMember(_)
        | Command::RemoveMember { .. }
        | Command::EraseUser { .. }
        | Command::CreateApiKey(_)
        | Command::RotateApiKey(_)
        | Command::RevokeApiKey { .. }
        | Command::UseApiKey { .. } => access::decide(state, now, asked, command),
        Command::AddSigningKey(e) => match state.signing_keys().any(|(kid, _)| kid == e.kid) {
            false => Ok(vec![e.into()]),
            true => Err(conflict("there is a signing key with this kid")),
        },
        Command::RetireSigningKey { kid } => match state.signing_keys().any(|(known, _)| known == kid) {
            true => Ok(vec![crate::event::SigningKeyRetired { kid }.into()]),
            false => Err(no_such("signing key")),
        },
        Command::SetMacKey(e) => Ok(vec![e.into()]),
        Command::ConfirmDestroyed { subject } => match state.doomed().any(|doomed| doomed == subject) {
            true => Ok(vec![crate::event::KeyDestroyed { subject }.into()]),
            false => Ok(Vec::new()),
        },
        other => sign_in::decide(state, now, asked, other),
    }
}

fn create_tenant(state: &State, asked: &Asked, e: TenantCreated) -> Result<Vec<Event>, Refusal> {
    if !asked.scopes.has(Scope::TenantsAdmin) {
        return Err(crate::principal::forbidden(Scope::TenantsAdmin));
    }
    new_tenant(state, e.tenant_id, &e.name)?;
    Ok(vec![e.into()])
}

fn found_tenant(state: &State, now: Time, asked: &Asked, e: TenantFounding) -> Result<Vec<Event>, Refusal> {
    if !asked.scopes.has(Scope::TenantsAdmin) {
        return Err(crate::principal::forbidden(Scope::TenantsAdmin));
    }
    if let Some((_, known)) = e.request.and_then(|request| state.founding_asked(request, now)) {
        if known.fingerprint == e.fingerprint {
            return Ok(Vec::new());
        }
        return Err(Refusal::new(Code::IdempotencyConflict, "the idempotency key was used with another payload"));
    }
    new_tenant(state, e.tenant_id, &e.name)?;
    Ok(vec![e.into()])
}

fn new_tenant(state: &State, tenant_id: TenantId, called: &str) -> Result<(), Refusal> {
    name("name", called)?;
    if state.tenant(tenant_id).is_some() || state.tenants().any(|(_, one)| one.name == called) {
        return Err(conflict("there is a tenant with this name or id"));
    }
    if state.tenants().count() >= MAX_TENANTS {
        return Err(too_many("tenants", MAX_TENANTS));
    }
    Ok(())
}

/// Two users with one id would be one, with the addresses of both.
fn new_user_id(state: &State, user_id: UserId) -> Result<(), Refusal> {
    let is_new = state.user(user_id).is_none();
    is_new.then_some(()).ok_or_else(|| conflict("there is a user with this id"))
}

fn change_tenant(state: &State, asked: &Asked, e: TenantChanged) -> Result<Vec<Event>, Refusal> {
    asked.may_manage(e.tenant_id)?;
    let tenant = state.tenant(e.tenant_id).ok_or_else(|| no_such("tenant"))?;
    name("name", &e.name)?;
    time_zone(&e.time_zone)?;
    if state.tenants().any(|(id, one)| id != e.tenant_id && one.name == e.name) {
        return Err(conflict("there is a tenant with this name"));
    }
    // Whoever runs the installation closes a tenant; a tenant that closed itself could not open again.
    if e.enabled != tenant.enabled && !asked.scopes.has(Scope::TenantsAdmin) {
        return Err(crate::principal::forbidden(Scope::TenantsAdmin));
    }
    Ok(vec![e.into()])
}

fn set_allow_list(state: &State, asked: &Asked, e: AllowListSet) -> Result<Vec<Event>, Refusal> {
    asked.may_manage(e.tenant_id)?;
    state.tenant(e.tenant_id).ok_or_else(|| no_such("tenant"))?;
    if e.nets.len() > MAX_NETS {
        return Err(invalid("nets", &format!("has more than {MAX_NETS} ranges")));
    }
    // A list without whoever sets it would lock them out of the very request that could repair it.
    if asked.by.ip.is_some() && asked.by.tenant_id == e.tenant_id && !crate::net::lets_in(&e.nets, asked.by.ip) {
        return Err(conflict("the list does not have the address that it is set from"));
    }
    Ok(vec![e.into()])
}

fn issue_bootstrap(state: &State, now: Time, asked: &Asked, sha256: Hash, expires_at: Time) -> Result<Vec<Event>, Refusal> {
    if !asked.scopes.has(Scope::TenantsAdmin) {
        return Err(crate::principal::forbidden(Scope::TenantsAdmin));
    }
    if state.users().next().is_some() {
        return Err(conflict("there are users already: invite more, or make them with `oms admin user`"));
    }
    if expires_at <= now {
        return Err(invalid("expires_at", "has passed"));
    }
    Ok(vec![crate::event::BootstrapIssued { sha256, expires_at }.into()])
}

fn bootstrap(state: &State, now: Time, sha256: Hash, tenant: TenantCreated, mut user: UserCreated) -> Result<Vec<Event>, Refusal> {
    if !state.bootstraps(&sha256, now) {
        return Err(Refusal::new(Code::Unauthenticated, "the link is not valid, or was used"));
    }
    // A desk that ran before there were users is the first tenant.
    let known = state.tenant(tenant.tenant_id).is_some();
    if !known {
        new_tenant(state, tenant.tenant_id, &tenant.name)?;
    }
    new_user_id(state, user.user_id)?;
    name("name", &user.name)?;
    user.email = email(&user.email)?.into();
    if state.user_named(&user.email).is_some() {
        return Err(conflict("there is a user with this e-mail"));
    }
    let member =
        MemberSet { tenant_id: tenant.tenant_id, user_id: user.user_id, role: Role::Admin, extra: Scopes::of(&[Scope::TenantsAdmin]) };
    let used = crate::event::BootstrapUsed { user_id: user.user_id };
    let mut events: Vec<Event> = Vec::new();
    if !known {
        events.push(tenant.into());
    }
    events.extend([user.into(), member.into(), used.into()]);
    Ok(events)
}

fn create_user(state: &State, asked: &Asked, mut e: UserCreated) -> Result<Vec<Event>, Refusal> {
    if !asked.scopes.has(Scope::TenantsAdmin) {
        return Err(crate::principal::forbidden(Scope::TenantsAdmin));
    }
    name("name", &e.name)?;
    e.email = email(&e.email)?.into();
    new_user_id(state, e.user_id)?;
    if state.user_named(&e.email).is_some() {
        return Err(conflict("there is a user with this e-mail"));
    }
    Ok(vec![e.into()])
}

#[cfg(test)]
mod tests;
