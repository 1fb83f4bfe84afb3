//! Signing in, and staying so.

use super::{ACCESS, Client, Identity, Principal, by_of, hash, internal, lock, new_id};
use crate::password::Compared;
use crate::totp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oms_identity::decide::email;
use oms_identity::event::SessionOpened;
use oms_identity::net::place;
use oms_identity::state::SECOND;
use oms_identity::{Asked, Command, Event, Hash, Scopes};
use oms_model::{Code, Refusal, SessionId, TenantId, Time, UserId};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// How long a password that was right waits for the second factor.
const CHALLENGE: i64 = 5 * 60 * SECOND;
/// Codes that may be tried for one password.
const TRIES: u32 = 5;
/// Challenges that may be open.
const MAX_CHALLENGES: usize = 10_000;

/// A password that was right, until the second factor is shown.
pub(super) struct Challenge {
    account: Hash,
    user_id: UserId,
    tenant_id: TenantId,
    cookie: bool,
    tries: u32,
    until: Time,
}

/// Those that are open, by the hash of what the client was given.
pub(super) type Challenges = BTreeMap<Hash, Challenge>;

/// What came of a password.
#[derive(Clone, PartialEq, Eq)]
pub enum SignIn {
    /// They are signed in.
    Done(Box<Signed>),
    /// The second factor is asked for.
    TotpNeeded {
        /// To be sent with the code.
        challenge: String,
        /// Good for so long, seconds.
        expires_in: i64,
    },
}

/// A session and what proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Where they are signed in.
    pub session_id: SessionId,
    /// Who.
    pub user_id: UserId,
    /// For which tenant.
    pub tenant_id: TenantId,
    /// What they may do.
    pub scopes: Scopes,
    /// How it is proven.
    pub proof: Proof,
}

/// How a session is proven.
#[derive(Clone, PartialEq, Eq)]
pub enum Proof {
    /// By tokens.
    Tokens {
        /// A JWT.
        access: String,
        /// Its life, seconds.
        access_s: i64,
        /// What renews it.
        refresh: String,
        /// Its life, seconds.
        refresh_s: i64,
    },
    /// By a cookie.
    Cookie {
        /// Its value.
        value: String,
        /// The token that goes with requests that change something.
        csrf: String,
        /// Its life, seconds.
        life_s: i64,
    },
}

/// Secrets are not printed.
impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tokens { .. } => "Tokens",
            Self::Cookie { .. } => "Cookie",
        })
    }
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Done(_) => "Done",
            Self::TotpNeeded { .. } => "TotpNeeded",
        })
    }
}

/// Holds the turn of an account and a place.
struct Turn<'i> {
    identity: &'i Identity,
    attempt: (Hash, Option<IpAddr>),
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        lock(&self.identity.inner.trying).remove(&self.attempt);
    }
}

fn wrong() -> Refusal {
    Refusal::new(Code::Unauthenticated, "the e-mail address or the password is not right")
}

fn wrong_code() -> Refusal {
    Refusal::new(Code::Unauthenticated, "the code is not valid, or was used")
}

fn wait(seconds: i64) -> Refusal {
    Refusal::new(Code::RateLimited, "too many attempts failed").with("retry_after_s", seconds.max(1))
}

impl Identity {
    /// The turn to prove something for an account, where no attempt is under way and none has to be waited for.
    fn turn(&self, account: Hash, ip: Option<IpAddr>) -> Result<Turn<'_>, Refusal> {
        let now = self.now();
        let attempt = (account, ip.map(place));
        if !lock(&self.inner.trying).insert(attempt) {
            return Err(wait(1));
        }
        let turn = Turn { identity: self, attempt };
        match self.state().locked(&account, ip, now) {
            Some(until) => Err(wait((until.0 - now.0 + SECOND - 1) / SECOND)),
            None => Ok(turn),
        }
    }

    async fn failed(&self, client: &Client, account: Hash, refusal: Refusal) -> Refusal {
        match self.execute_for_nobody(client, Command::FailSignIn { account }).await {
            Ok(_) => refusal,
            // What cannot be counted must not be tried.
            Err(error) => error,
        }
    }

    /// Signs somebody in by e-mail and password, for one of their tenants.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, whatever is wrong; `RATE_LIMITED` after failures; `VALIDATION_ERROR` where the tenant has to be
    /// named; `FORBIDDEN`, `OVERLOADED`.
    pub async fn login(
        &self,
        client: &Client,
        name: &str,
        password: String,
        tenant_id: Option<TenantId>,
        cookie: bool,
    ) -> Result<SignIn, Refusal> {
        let name = email(name)?;
        let account = hash(&name);
        let _turn = self.turn(account, client.ip)?;
        let user_id = self.proven(client, &name, account, password).await?;
        let tenant_id = self.tenant_of(user_id, tenant_id)?;
        let second = self.state().user(user_id).is_some_and(|user| user.second_factor().is_some());
        if second {
            return self.challenge(Challenge { account, user_id, tenant_id, cookie, tries: 0, until: self.now().plus(CHALLENGE) });
        }
        self.sign_in(client, user_id, tenant_id, cookie, false, account).await.map(|signed| SignIn::Done(Box::new(signed)))
    }

    /// Whose password it is. The turn must be held.
    async fn proven(&self, client: &Client, name: &str, account: Hash, password: String) -> Result<UserId, Refusal> {
        let known = self.state().user_named(name).map(|(user_id, user)| (user_id, user.password.clone()));
        let stored = known.as_ref().and_then(|(_, password)| password.clone());
        let compared = self.inner.hasher.compare(password.clone(), stored).await?;
        let (Some((user_id, _)), false) = (known, compared == Compared::Wrong) else {
            return Err(self.failed(client, account, wrong()).await);
        };
        if compared == Compared::Stale {
            let password = self.inner.hasher.hash(password).await?;
            self.execute_for_nobody(client, Command::Rehash { user_id, password }).await?;
        }
        Ok(user_id)
    }

    /// Whose password it is, counted as an attempt to sign in.
    pub(super) async fn prove(&self, client: &Client, name: &str, password: String) -> Result<UserId, Refusal> {
        let account = hash(name);
        let _turn = self.turn(account, client.ip)?;
        self.proven(client, name, account, password).await
    }

    fn tenant_of(&self, user_id: UserId, named: Option<TenantId>) -> Result<TenantId, Refusal> {
        let state = self.state();
        let mut all = state.memberships(user_id).map(|(tenant_id, _)| tenant_id);
        match (named, all.next(), all.next()) {
            (Some(named), _, _) if state.member(named, user_id).is_some() => Ok(named),
            (None, Some(only), None) => Ok(only),
            (None, Some(_), Some(_)) => {
                let names: Vec<String> = state.memberships(user_id).map(|(tenant_id, _)| tenant_id.to_string()).collect();
                let refusal = Refusal::new(Code::ValidationError, "tenant_id is required: the user is a member of several tenants");
                Err(refusal.with("field", "tenant_id").with("known", names.join(", ")))
            }
            _ => Err(Refusal::new(Code::Forbidden, "the user is no member of the tenant")),
        }
    }

    fn challenge(&self, challenge: Challenge) -> Result<SignIn, Refusal> {
        let token = URL_SAFE_NO_PAD.encode(super::entropy::<32>()?);
        let now = self.now();
        let mut challenges = lock(&self.inner.challenges);
        challenges.retain(|_, one| now < one.until);
        if challenges.len() >= MAX_CHALLENGES {
            return Err(Refusal::new(Code::Overloaded, "too many people are signing in"));
        }
        challenges.insert(hash(&token), challenge);
        Ok(SignIn::TotpNeeded { challenge: token, expires_in: CHALLENGE / SECOND })
    }

    /// The second step of signing in: a code of the authenticator, or a recovery code.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `RATE_LIMITED`, `OVERLOADED`.
    pub async fn login_totp(&self, client: &Client, challenge: &str, code: &str) -> Result<Signed, Refusal> {
        let (token, now) = (hash(challenge), self.now());
        let (account, user_id, tenant_id, cookie) = {
            let mut challenges = lock(&self.inner.challenges);
            let over = || Refusal::new(Code::Unauthenticated, "the challenge is over; sign in again");
            let one = challenges.get_mut(&token).filter(|one| now < one.until && one.tries < TRIES).ok_or_else(over)?;
            (one.account, one.user_id, one.tenant_id, one.cookie)
        };
        let _turn = self.turn(account, client.ip)?;
        // Counted before it is looked at, so that a crash or a race gives no further try.
        if let Some(one) = lock(&self.inner.challenges).get_mut(&token) {
            one.tries += 1;
        }
        if let Err(refusal) = self.use_code(client, user_id, code).await {
            return Err(self.failed(client, account, refusal).await);
        }
        lock(&self.inner.challenges).remove(&token);
        self.sign_in(client, user_id, tenant_id, cookie, true, account).await
    }

    /// Takes a code of the authenticator or a recovery code, once.
    pub(super) async fn use_code(&self, client: &Client, user_id: UserId, code: &str) -> Result<(), Refusal> {
        let command = if code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()) {
            let secret = self.totp_secret(user_id)?;
            let step = totp::matching_step(&secret, code, self.now().0 / SECOND).ok_or_else(wrong_code)?;
            Command::UseTotp { user_id, step }
        } else {
            Command::UseRecoveryCode { user_id, sha256: hash(&totp::plain_recovery_code(code)) }
        };
        self.execute_for_nobody(client, command).await.map(drop)
    }

    pub(super) fn totp_secret(&self, user_id: UserId) -> Result<Vec<u8>, Refusal> {
        let sealed = self.state().user(user_id).and_then(|user| user.totp.as_ref().map(|totp| totp.secret.clone()));
        let sealed = sealed.ok_or_else(wrong_code)?;
        self.inner.secrets.open(&super::account::totp_aad(user_id), &sealed).map_err(|error| internal(&error))
    }

    async fn sign_in(
        &self,
        client: &Client,
        user_id: UserId,
        tenant_id: TenantId,
        cookie: bool,
        mfa: bool,
        account: Hash,
    ) -> Result<Signed, Refusal> {
        let now = self.now();
        let session_id = SessionId::from_u128(new_id(now)?);
        let config = self.config();
        let life = if cookie { config.cookie_s } else { config.refresh_s };
        let session = SessionOpened { session_id, user_id, tenant_id, cookie, mfa, expires_at: now.plus(life * SECOND) };
        let asked = Asked { by: by_of(None, client, tenant_id), scopes: Scopes::NONE };
        let events = self.inner.log.execute(asked, client.trace_id, Command::OpenSession { session, account }).await?;
        if events.iter().any(|event| matches!(event, Event::BreakGlassUsed(_))) {
            tracing::error!(%user_id, %session_id, alarm = "break_glass", "an account for emergencies was used");
        }
        self.signed(session_id, user_id, tenant_id, client.ip, cookie.then_some(()).map_or(Some(1), |()| None))
    }

    /// What proves a session: the tokens of a generation, or the cookie where there is none.
    fn signed(
        &self,
        session_id: SessionId,
        user_id: UserId,
        tenant_id: TenantId,
        ip: Option<IpAddr>,
        generation: Option<u64>,
    ) -> Result<Signed, Refusal> {
        let scopes = super::scopes(&self.state(), tenant_id, user_id, ip)?;
        let (config, maker) = (self.config(), &self.inner.maker);
        let proof = match generation {
            None => Proof::Cookie { value: maker.cookie(session_id), csrf: maker.csrf(session_id), life_s: config.cookie_s },
            Some(generation) => {
                let now = self.now().0 / SECOND;
                let claims = json!({
                    "iss": config.issuer, "aud": config.audience, "sub": user_id.to_string(), "tid": tenant_id.to_string(),
                    "sid": session_id.to_string(), "jti": URL_SAFE_NO_PAD.encode(super::entropy::<16>()?),
                    "iat": now, "nbf": now, "exp": now + config.access_s, "scope": scopes.to_string(),
                });
                Proof::Tokens {
                    access: self.sign(ACCESS, &claims)?,
                    access_s: config.access_s,
                    refresh: maker.refresh(session_id, generation),
                    refresh_s: config.refresh_s,
                }
            }
        };
        Ok(Signed { session_id, user_id, tenant_id, scopes, proof })
    }

    /// Renews the tokens of a session. A refresh token that was used before ends the session, unless the answer to it may
    /// just have been lost.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `OVERLOADED`.
    pub async fn refresh(&self, client: &Client, token: &str) -> Result<Signed, Refusal> {
        let over = || Refusal::new(Code::Unauthenticated, "the refresh token is not valid");
        let (session_id, generation) = self.inner.maker.read_refresh(token).ok_or_else(over)?;
        let now = self.now();
        let session = self.state().session(session_id, now).cloned().ok_or_else(over)?;
        let expires_at = now.plus(self.config().refresh_s * SECOND);
        let asked = Asked { by: by_of(None, client, session.tenant_id), scopes: Scopes::NONE };
        let command = Command::RefreshSession { session_id, generation, expires_at };
        let events = self.inner.log.execute(asked, client.trace_id, command).await?;
        if events.iter().any(|event| matches!(event, Event::SessionRevoked(_))) {
            tracing::error!(%session_id, user_id = %session.user_id, alarm = "refresh_reuse", "a refresh token was used a second time");
            return Err(over());
        }
        self.signed(session_id, session.user_id, session.tenant_id, client.ip, Some(generation + 1))
    }

    /// Ends the session that somebody is in.
    ///
    /// # Errors
    /// `STATE_CONFLICT` where the credential is of no session; `OVERLOADED`.
    pub async fn logout(&self, by: &Principal, client: &Client) -> Result<(), Refusal> {
        let session_id = by.session_id().ok_or_else(|| Refusal::new(Code::StateConflict, "the credential is of no session"))?;
        let command = Command::RevokeSession { session_id, reason: "signed out".to_owned() };
        self.execute(by, client, command).await.map(drop)
    }

    /// Shows the second factor again.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `STATE_CONFLICT`, `RATE_LIMITED`, `OVERLOADED`.
    pub async fn step_up(&self, by: &Principal, client: &Client, code: &str) -> Result<(), Refusal> {
        let session_id = by.session_id().ok_or_else(|| Refusal::new(Code::StateConflict, "the credential is of no session"))?;
        let account = self.account_of(by.user_id)?;
        let _turn = self.turn(account, client.ip)?;
        if let Err(refusal) = self.use_code(client, by.user_id, code).await {
            return Err(self.failed(client, account, refusal).await);
        }
        self.execute(by, client, Command::StepUp { session_id }).await.map(drop)
    }

    pub(super) fn account_of(&self, user_id: UserId) -> Result<Hash, Refusal> {
        self.state().user(user_id).map(|user| hash(&user.email)).ok_or_else(super::invalid)
    }
}
