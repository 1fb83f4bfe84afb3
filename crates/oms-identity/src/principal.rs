//! Who a request comes from, as its credential alone says.

use crate::scope::{Scope, Scopes};
use core::net::IpAddr;
use oms_model::command::Actor;
use oms_model::{ApiKeyId, Code, Refusal, SessionId, Source, TenantId, UserId};

/// What a request was signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// An API key.
    ApiKey(ApiKeyId),
    /// An API key that the desk's own log has, from before there were users.
    DeskKey(ApiKeyId),
    /// An access token (a JWT of ours) of a session.
    Token(SessionId),
    /// The cookie of a session: requests that change something need its CSRF token too.
    Cookie(SessionId),
    /// A token of the external issuer that is configured.
    External,
    /// Nothing: the request is anybody's.
    Nothing,
}

/// Whether the second factor was shown lately, for what asks for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepUp {
    /// A machine, or somebody without a second factor.
    NotNeeded,
    /// It was.
    Done,
    /// Too long ago.
    Needed,
}

/// Who asks: made by the authenticator from a credential, and by nothing else. It selects the tenant; what a body or a
/// path says of a tenant never does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Principal {
    /// For which tenant.
    pub tenant_id: TenantId,
    /// Which person or machine.
    pub user_id: UserId,
    /// With what.
    pub credential: Credential,
    /// What it allows: the role's scopes and the extra ones, cut to those of the credential.
    pub scopes: Scopes,
    /// Whether the second factor was shown lately.
    pub step_up: StepUp,
    /// Through which door.
    pub source: Source,
    /// From where; `None` where the door has no addresses.
    pub ip: Option<IpAddr>,
}

impl Principal {
    /// Anybody: may nothing.
    pub const NOBODY: Self = Self {
        tenant_id: TenantId::from_u128(0),
        user_id: UserId::from_u128(0),
        credential: Credential::Nothing,
        scopes: Scopes::NONE,
        step_up: StepUp::NotNeeded,
        source: Source::Rest,
        ip: None,
    };

    /// Whose key or session it is, as the engine records it.
    #[must_use]
    pub const fn actor(&self) -> Actor {
        Actor { tenant_id: self.tenant_id, user_id: self.user_id, api_key_id: self.api_key_id(), source: self.source }
    }

    /// The key, where it is one.
    #[must_use]
    pub const fn api_key_id(&self) -> Option<ApiKeyId> {
        match self.credential {
            Credential::ApiKey(id) | Credential::DeskKey(id) => Some(id),
            Credential::Token(_) | Credential::Cookie(_) | Credential::External | Credential::Nothing => None,
        }
    }

    /// The session, where it is of one.
    #[must_use]
    pub const fn session_id(&self) -> Option<SessionId> {
        match self.credential {
            Credential::Token(id) | Credential::Cookie(id) => Some(id),
            Credential::ApiKey(_) | Credential::DeskKey(_) | Credential::External | Credential::Nothing => None,
        }
    }

    /// It may.
    ///
    /// # Errors
    /// `FORBIDDEN` naming the scope that is missing.
    pub fn require(&self, scope: Scope) -> Result<(), Refusal> {
        if self.scopes.has(scope) { Ok(()) } else { Err(forbidden(scope)) }
    }

    /// The second factor was shown lately, where there is one.
    ///
    /// # Errors
    /// `FORBIDDEN` with the detail `step_up`.
    pub fn require_step_up(&self) -> Result<(), Refusal> {
        if self.step_up != StepUp::Needed {
            return Ok(());
        }
        Err(Refusal::new(Code::Forbidden, "show the second factor again first: POST /api/v1/auth/step-up").with("step_up", "totp"))
    }
}

/// The credential lacks a scope.
#[must_use]
pub fn forbidden(scope: Scope) -> Refusal {
    Refusal::new(Code::Forbidden, format!("the credential lacks the scope {scope}")).with("scope", scope)
}
