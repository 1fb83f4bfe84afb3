//! One's own account: joining, password, second factor, keys.

use super::{Client, Identity, Principal, entropy, hash, internal, new_id};
use crate::key::{key_hash, key_prefix, new_key};
use crate::password;
use crate::totp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oms_identity::decide::{email, no_such};
use oms_identity::event::{ApiKeyCreated, ApiKeyRotated, Invited, TenantCreated, UserCreated};
use oms_identity::state::SECOND;
use oms_identity::{Command, Joining, Net, Role, Scopes, Subject};
use oms_model::{ApiKeyId, Code, InvitationId, Refusal, TenantId, Time, UserId};

/// How long an invitation is good where nobody says so, seconds.
pub const INVITATION_S: i64 = 7 * 24 * 3_600;
/// How long a bootstrap link is good, seconds.
pub const BOOTSTRAP_S: i64 = 24 * 3_600;
const INVITATION: &str = "oms_inv_";
const BOOTSTRAP: &str = "oms_boot_";

/// What a sealed second factor belongs to.
pub(super) fn totp_aad(user_id: UserId) -> String {
    format!("control/totp/{user_id}")
}

/// A second factor that was handed out.
#[derive(Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// In base 32, to be typed.
    pub secret: String,
    /// To be scanned.
    pub uri: String,
}

/// A key that was made: shown once.
#[derive(Clone, PartialEq, Eq)]
pub struct NewKey {
    /// Its id.
    pub api_key_id: ApiKeyId,
    /// The key.
    pub key: String,
}

fn one_time(prefix: &str) -> Result<String, Refusal> {
    Ok(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(entropy::<32>()?)))
}

impl Identity {
    /// A one-time link for the first administrator: its token.
    ///
    /// # Errors
    /// `STATE_CONFLICT` where there are users.
    pub async fn issue_bootstrap(&self) -> Result<String, Refusal> {
        let token = one_time(BOOTSTRAP)?;
        let expires_at = self.now().plus(BOOTSTRAP_S * SECOND);
        self.execute_as_console(Command::IssueBootstrap { sha256: hash(&token), expires_at }).await?;
        Ok(token)
    }

    /// Asks somebody to join a tenant: the invitation and its token, which is shown once.
    ///
    /// # Errors
    /// As [`oms_identity::decide()`].
    pub async fn invite(
        &self,
        by: &Principal,
        client: &Client,
        whom: (&str, Role, Scopes),
        tenant_id: TenantId,
        life_s: i64,
    ) -> Result<(InvitationId, String, Time), Refusal> {
        let token = one_time(INVITATION)?;
        let now = self.now();
        let invitation_id = InvitationId::from_u128(new_id(now)?);
        let expires_at = now.plus(life_s.saturating_mul(SECOND));
        let (email, role, extra) = whom;
        let invited = Invited { invitation_id, tenant_id, email: email.into(), role, extra, sha256: hash(&token), expires_at };
        self.execute(by, client, Command::Invite(invited)).await?;
        Ok((invitation_id, token, expires_at))
    }

    /// Joins by a bootstrap link (`tenant` names what is made) or an invitation.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` where the token is not good, `VALIDATION_ERROR`, `OVERLOADED`.
    pub async fn register(&self, client: &Client, token: &str, by: Registration) -> Result<UserId, Refusal> {
        let sha256 = hash(token);
        let now = self.now();
        if token.starts_with(BOOTSTRAP) {
            return self.bootstrap(client, sha256, by).await;
        }
        let invited = self.state().invitation_of(&sha256, now).map(|(_, one)| one.email.clone());
        let invited = invited.ok_or_else(|| Refusal::new(Code::Unauthenticated, "the invitation is not valid, or was used"))?;
        let known = self.state().user_named(&invited).is_some();
        let joining = if known {
            // Somebody who is here already joins with the password that they have.
            Joining::Known(self.prove(client, &invited, by.password).await?)
        } else {
            password::check(&by.password, &invited)?;
            let user_id = UserId::from_u128(new_id(now)?);
            Joining::New { user_id, name: by.name, password: self.inner.hasher.hash(by.password).await? }
        };
        let user_id = match &joining {
            Joining::New { user_id, .. } | Joining::Known(user_id) => *user_id,
        };
        self.execute_for_nobody(client, Command::AcceptInvitation { sha256, joining }).await?;
        Ok(user_id)
    }

    async fn bootstrap(&self, client: &Client, sha256: [u8; 32], by: Registration) -> Result<UserId, Refusal> {
        let now = self.now();
        // Looked at before the work of hashing; decided when it is used.
        if !self.state().bootstraps(&sha256, now) {
            return Err(Refusal::new(Code::Unauthenticated, "the link is not valid, or was used"));
        }
        let required =
            |what: &str| Refusal::new(Code::ValidationError, format!("{what} is required with a bootstrap link")).with("field", what);
        let name = by.email.ok_or_else(|| required("email"))?;
        let tenant_name = by.tenant_name.ok_or_else(|| required("tenant_name"))?;
        let name = email(&name)?;
        password::check(&by.password, &name)?;
        let user_id = UserId::from_u128(new_id(now)?);
        // The tenant that is there already, where the desk has one without users.
        let first = self.state().tenants().next().map(|(tenant_id, _)| tenant_id);
        let tenant_id = match first {
            Some(tenant_id) => tenant_id,
            None => TenantId::from_u128(new_id(now)?),
        };
        let password = Some(self.inner.hasher.hash(by.password).await?);
        let user = UserCreated { user_id, email: name.into(), name: by.name.into(), password, break_glass: false };
        let tenant = TenantCreated { tenant_id, name: tenant_name };
        self.execute_for_nobody(client, Command::Bootstrap { sha256, tenant, user }).await?;
        Ok(user_id)
    }

    /// A user with a password, for the console: an account for emergencies, or the first where no link is wanted.
    ///
    /// # Errors
    /// As [`oms_identity::decide()`].
    pub async fn create_user(&self, name: &str, email_text: &str, password: String, break_glass: bool) -> Result<UserId, Refusal> {
        let address = email(email_text)?;
        password::check(&password, &address)?;
        let user_id = UserId::from_u128(new_id(self.now())?);
        let password = Some(self.inner.hasher.hash(password).await?);
        let user = UserCreated { user_id, email: address.into(), name: name.into(), password, break_glass };
        self.execute_as_console(Command::CreateUser(user)).await?;
        Ok(user_id)
    }

    /// Sets another password. Every other session ends.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `VALIDATION_ERROR`, `FORBIDDEN` (step-up), `RATE_LIMITED`, `OVERLOADED`.
    pub async fn change_password(&self, by: &Principal, client: &Client, current: String, new: String) -> Result<(), Refusal> {
        by.require_step_up()?;
        let address = self.state().user(by.user_id).map(|user| user.email.clone()).ok_or_else(super::invalid)?;
        self.prove(client, &address, current).await?;
        password::check(&new, &address)?;
        let password = self.inner.hasher.hash(new).await?;
        let command = Command::SetPassword { user_id: by.user_id, password, keep: by.session_id() };
        self.execute(by, client, command).await.map(drop)
    }

    /// Hands a second factor out; it counts once [`Identity::confirm_totp`] has seen a code of it.
    ///
    /// # Errors
    /// `STATE_CONFLICT`, `OVERLOADED`.
    pub async fn enrol_totp(&self, by: &Principal, client: &Client) -> Result<Enrolled, Refusal> {
        let secret: [u8; totp::SECRET_LEN] = entropy()?;
        let address = self.state().user(by.user_id).map(|user| user.email.clone()).ok_or_else(super::invalid)?;
        let sealed = self.inner.secrets.seal(&totp_aad(by.user_id), &secret).map_err(|error| internal(&error))?;
        self.execute(by, client, Command::EnrolTotp { user_id: by.user_id, secret: sealed }).await?;
        Ok(Enrolled { secret: totp::base32(&secret), uri: totp::uri(&secret, &address) })
    }

    /// Confirms the second factor with a code of it: the recovery codes, shown once.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `STATE_CONFLICT`, `OVERLOADED`.
    pub async fn confirm_totp(&self, by: &Principal, client: &Client, code: &str) -> Result<Vec<String>, Refusal> {
        let secret = self.totp_secret(by.user_id)?;
        let step = totp::matching_step(&secret, code, self.now().0 / SECOND);
        let step = step.ok_or_else(|| Refusal::new(Code::Unauthenticated, "the code is not valid"))?;
        let codes = (0..totp::RECOVERY_CODES).map(|_| entropy().map(totp::recovery_code)).collect::<Result<Vec<String>, Refusal>>()?;
        let recovery = codes.iter().map(|code| hash(&totp::plain_recovery_code(code))).collect();
        self.execute(by, client, Command::ConfirmTotp { user_id: by.user_id, step, recovery }).await?;
        Ok(codes)
    }

    /// Takes the second factor away, with the password and a code of it.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `STATE_CONFLICT`, `RATE_LIMITED`, `OVERLOADED`.
    pub async fn disable_totp(&self, by: &Principal, client: &Client, password: String, code: &str) -> Result<(), Refusal> {
        let address = self.state().user(by.user_id).map(|user| user.email.clone()).ok_or_else(super::invalid)?;
        self.prove(client, &address, password).await?;
        let confirmed = self.state().user(by.user_id).is_some_and(|user| user.second_factor().is_some());
        if confirmed {
            self.use_code(client, by.user_id, code).await?;
        }
        self.execute(by, client, Command::DisableTotp { user_id: by.user_id }).await.map(drop)
    }

    /// Makes a key of whoever asks.
    ///
    /// # Errors
    /// As [`oms_identity::decide()`]; `FORBIDDEN` (step-up).
    pub async fn create_key(&self, by: &Principal, client: &Client, asked: KeyAsked) -> Result<NewKey, Refusal> {
        by.require_step_up()?;
        let now = self.now();
        let (key, api_key_id) = (new_key(self.config().key_prefix, entropy()?), ApiKeyId::from_u128(new_id(now)?));
        let created = ApiKeyCreated {
            api_key_id,
            tenant_id: by.tenant_id,
            user_id: asked.user_id.unwrap_or(by.user_id),
            name: asked.name,
            prefix: key_prefix(&key),
            sha256: key_hash(&key),
            scopes: asked.scopes,
            expires_at: asked.expires_at,
            nets: asked.nets,
        };
        self.execute(by, client, Command::CreateApiKey(created)).await?;
        Ok(NewKey { api_key_id, key })
    }

    /// Gives a key a new secret; the old one is good for `overlap_s` more.
    ///
    /// # Errors
    /// As [`oms_identity::decide()`]; `FORBIDDEN` (step-up).
    pub async fn rotate_key(&self, by: &Principal, client: &Client, api_key_id: ApiKeyId, overlap_s: i64) -> Result<NewKey, Refusal> {
        by.require_step_up()?;
        if self.state().key(api_key_id).is_none_or(|key| key.tenant_id != by.tenant_id) {
            return Err(no_such("key"));
        }
        let key = new_key(self.config().key_prefix, entropy()?);
        let old_until = self.now().plus(overlap_s.saturating_mul(SECOND));
        let rotated = ApiKeyRotated { api_key_id, prefix: key_prefix(&key), sha256: key_hash(&key), old_until };
        self.execute(by, client, Command::RotateApiKey(rotated)).await?;
        Ok(NewKey { api_key_id, key })
    }
}

impl Identity {
    /// Erases somebody: nothing here says any more who they were, and what the log has of it can be read by nobody.
    ///
    /// # Errors
    /// As [`oms_identity::decide()`]; `INTERNAL` where the key cannot be destroyed: it is tried again, and may be asked for again.
    pub async fn erase_user(&self, by: &Principal, client: &Client, user_id: UserId) -> Result<(), Refusal> {
        by.require_step_up()?;
        self.execute(by, client, Command::EraseUser { user_id }).await?;
        self.destroy_keys().await
    }

    /// [`Identity::erase_user`] for the console of the machine.
    ///
    /// # Errors
    /// As [`Identity::erase_user`].
    pub async fn erase_user_as_console(&self, user_id: UserId) -> Result<(), Refusal> {
        self.execute_as_console(Command::EraseUser { user_id }).await?;
        self.destroy_keys().await
    }

    /// Destroys the keys of everybody who is erased, and of addresses whose invitation came to nothing. That it is to be done
    /// is in the log before it is, and that it was done after: a crash between leaves it to the next start.
    pub(super) async fn destroy_keys(&self) -> Result<(), Refusal> {
        let doomed: Vec<Subject> = self.state().doomed().collect();
        for subject in doomed {
            let identity = self.clone();
            let destroyed = tokio::task::spawn_blocking(move || identity.inner.log.erase(subject)).await;
            destroyed.map_err(|error| internal(&error))?.map_err(|error| internal(&error))?;
            self.execute_as_console(Command::ConfirmDestroyed { subject }).await?;
        }
        Ok(())
    }
}

/// What somebody says who joins.
#[derive(Clone, Default)]
pub struct Registration {
    /// What they are called.
    pub name: String,
    /// Their password.
    pub password: String,
    /// Their address: of a bootstrap link alone, an invitation has it.
    pub email: Option<String>,
    /// The tenant that a bootstrap link makes.
    pub tenant_name: Option<String>,
}

/// A key as it is asked for.
#[derive(Clone, Debug, Default)]
pub struct KeyAsked {
    /// Whose; that of whoever asks where it is `None`.
    pub user_id: Option<UserId>,
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// Until when.
    pub expires_at: Option<Time>,
    /// From where.
    pub nets: Vec<Net>,
}

/// Secrets are not printed.
macro_rules! unprinted {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}
unprinted!(Enrolled, NewKey, Registration);
