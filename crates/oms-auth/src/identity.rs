//! The service behind every interface: who a credential stands for, and how one gets it.

mod account;
mod rotation;
mod sign_in;

pub use account::{Enrolled, INVITATION_S, KeyAsked, NewKey, Registration};
pub use sign_in::{Proof, SignIn, Signed};

use crate::jwt::{self, PublicKey, Unproven};
use crate::key::{self, LIVE_PREFIX};
use crate::log::{Clock, ControlLog};
use crate::mac::Maker;
use crate::oidc::{self, External};
use crate::password::{Cost, Hasher};
use crate::seal::SecretBox;
use oms_identity::event::{By, MAX_AGENT};
use oms_identity::net::lets_in;
use oms_identity::state::SECOND;
use oms_identity::{Asked, Command, Credential, Event, Hash, Principal, Scopes, State, StepUp};
use oms_model::{ApiKeyId, Code, Refusal, SessionId, Source, TenantId, Time, TraceId, UserId};
use rotation::Signers;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sign_in::Challenges;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLockReadGuard};
use tokio::sync::watch;

/// The type of our access tokens (RFC 9068).
const ACCESS: &str = "at+jwt";

/// How identities are kept.
#[derive(Clone, Debug)]
pub struct Config {
    /// Who our tokens say made them.
    pub issuer: String,
    /// For whom they are.
    pub audience: String,
    /// How long an access token is good, seconds.
    pub access_s: i64,
    /// How long a refresh token is good, seconds.
    pub refresh_s: i64,
    /// How long a session of the screens lasts, seconds.
    pub cookie_s: i64,
    /// For how long a second factor that was shown counts, seconds.
    pub step_up_s: i64,
    /// How long a key signs before the next one does, seconds.
    pub signing_s: i64,
    /// The work of a password's hash.
    pub cost: Cost,
    /// Passwords that are hashed at once.
    pub hash_at_once: usize,
    /// What new API keys begin with.
    pub key_prefix: &'static str,
    /// Somebody else whose tokens are taken.
    pub external: Option<oidc::Config>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            issuer: "oms".to_owned(),
            audience: "oms".to_owned(),
            access_s: 15 * 60,
            refresh_s: 7 * 24 * 3_600,
            cookie_s: 12 * 3_600,
            step_up_s: 15 * 60,
            signing_s: 30 * 24 * 3_600,
            cost: Cost::DEFAULT,
            hash_at_once: 2,
            key_prefix: LIVE_PREFIX,
            external: None,
        }
    }
}

/// Where a request comes from.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// Its address.
    pub ip: Option<IpAddr>,
    /// What it calls itself.
    pub user_agent: String,
    /// The trace of the request.
    pub trace_id: TraceId,
}

/// What a request carries to say who it is of.
#[derive(Clone, Copy, Debug)]
pub enum Presented<'r> {
    /// An API key.
    Key(&'r str),
    /// `Authorization: Bearer`: an access token, or a key.
    Bearer(&'r str),
    /// A session's cookie.
    Cookie {
        /// Its value.
        value: &'r str,
        /// The CSRF token that came in a header.
        csrf: Option<&'r str>,
        /// Whether the request changes something, and so needs that token.
        changes: bool,
    },
}

/// Identities. Cheap to clone.
#[derive(Clone)]
pub struct Identity {
    inner: Arc<Inner>,
}

struct Inner {
    log: ControlLog,
    secrets: Box<dyn SecretBox>,
    config: Config,
    clock: Clock,
    hasher: Hasher,
    maker: Maker,
    signers: Mutex<Signers>,
    challenges: Mutex<Challenges>,
    /// Passwords that are being tried: one at a time for an account and a place, so that none passes by the lock.
    trying: Mutex<BTreeSet<(Hash, Option<IpAddr>)>>,
    /// When the use of a key was last reported.
    used: Mutex<BTreeMap<ApiKeyId, Time>>,
    external: Option<External>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is whole before the lock is given back.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The credential is not valid; the answer does not say in what.
#[must_use]
pub fn invalid() -> Refusal {
    Refusal::new(Code::Unauthenticated, "the credential is not valid")
}

pub(crate) fn internal(error: &dyn std::fmt::Display) -> Refusal {
    tracing::error!(%error, "identities");
    Refusal::new(Code::Internal, "the identity service failed")
}

/// SHA-256, as the control log stores it of secrets.
#[must_use]
pub fn hash(secret: &str) -> Hash {
    Sha256::digest(secret.as_bytes()).into()
}

/// So many random bytes.
///
/// # Errors
/// `INTERNAL`: the system has none.
pub fn entropy<const N: usize>() -> Result<[u8; N], Refusal> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| internal(&error))?;
    Ok(bytes)
}

/// A new id: a UUIDv7, whose first bits are the time.
///
/// # Errors
/// `INTERNAL`: the system has no randomness.
pub fn new_id(now: Time) -> Result<u128, Refusal> {
    let random = u128::from_be_bytes(entropy()?);
    let millis = u128::from(u64::try_from(now.0 / 1_000_000).unwrap_or_default()) & 0xffff_ffff_ffff;
    Ok(millis << 80 | 0x7 << 76 | (random >> 52 & 0xfff) << 64 | 0b10 << 62 | random & ((1 << 62) - 1))
}

impl Identity {
    /// Over this log. Makes the keys that are missing.
    ///
    /// # Errors
    /// `INTERNAL`: secrets cannot be opened or made; `OVERLOADED`: the log cannot be written.
    pub async fn open(log: ControlLog, secrets: Box<dyn SecretBox>, config: Config, clock: Clock) -> Result<Self, Refusal> {
        let maker = rotation::mac_key(&log, secrets.as_ref()).await?;
        let inner = Inner {
            hasher: Hasher::new(config.cost, config.hash_at_once)?,
            external: config.external.clone().map(External::new),
            log,
            secrets,
            config,
            clock,
            maker,
            signers: Mutex::default(),
            challenges: Mutex::default(),
            trying: Mutex::default(),
            used: Mutex::default(),
        };
        let identity = Self { inner: Arc::new(inner) };
        identity.tend().await?;
        Ok(identity)
    }

    /// What is so now. Hold it briefly.
    pub fn state(&self) -> RwLockReadGuard<'_, State> {
        self.inner.log.state()
    }

    /// Changes with everything that happens here: whoever keeps a connection looks at its credential again then.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.inner.log.changed()
    }

    /// How it is configured.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Time {
        (self.inner.clock)()
    }

    /// Has a command decided for somebody.
    ///
    /// # Errors
    /// As [`oms_identity::decide()`]; `OVERLOADED`.
    pub async fn execute(&self, by: &Principal, client: &Client, command: Command) -> Result<Vec<Event>, Refusal> {
        let asked = Asked { by: by_of(Some(by), client, by.tenant_id), scopes: by.scopes };
        self.inner.log.execute(asked, client.trace_id, command).await
    }

    /// Has a command decided for the console of the machine.
    ///
    /// # Errors
    /// As [`Identity::execute`].
    pub async fn execute_as_console(&self, command: Command) -> Result<Vec<Event>, Refusal> {
        self.inner.log.execute(Asked::console(), TraceId::default(), command).await
    }

    /// Has a command decided for somebody who is not signed in; its secret is its right.
    async fn execute_for_nobody(&self, client: &Client, command: Command) -> Result<Vec<Event>, Refusal> {
        let asked = Asked { by: by_of(None, client, TenantId::default()), scopes: Scopes::NONE };
        self.inner.log.execute(asked, client.trace_id, command).await
    }

    /// Whom a credential stands for; `None` where it is a key that is not of the control log.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `FORBIDDEN` where the address or the CSRF token is not right.
    pub async fn authenticate(&self, presented: Presented<'_>, ip: Option<IpAddr>) -> Result<Option<Principal>, Refusal> {
        match presented {
            Presented::Key(key) => self.of_key(key, ip),
            Presented::Bearer(key) if key::is_well_formed(key) => self.of_key(key, ip),
            Presented::Bearer(token) => self.of_token(token, ip).await.map(Some),
            Presented::Cookie { value, csrf, changes } => self.of_cookie(value, csrf, changes, ip).map(Some),
        }
    }

    /// Whether what was made of a credential earlier still holds, and with which scopes: for connections that stay.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `FORBIDDEN`.
    pub fn still(&self, principal: &Principal) -> Result<Principal, Refusal> {
        let (state, now) = (self.state(), self.now());
        match principal.credential {
            Credential::ApiKey(id) => match state.key(id) {
                Some(key) if key.expires_at.is_none_or(|at| now < at) => {
                    let scopes = scopes(&state, key.tenant_id, key.user_id, principal.ip)? & key.scopes;
                    Ok(Principal { scopes: scopes & principal.scopes, ..*principal })
                }
                Some(_) | None => Err(invalid()),
            },
            Credential::Token(id) | Credential::Cookie(id) => {
                let session = state.session(id, now).ok_or_else(invalid)?;
                let scopes = scopes(&state, session.tenant_id, session.user_id, principal.ip)?;
                Ok(Principal { scopes: scopes & principal.scopes, ..*principal })
            }
            // Keys of the desk's own log are never taken back; what an issuer said is not taken back either.
            Credential::DeskKey(_) | Credential::External | Credential::Nothing => Ok(*principal),
        }
    }

    fn of_key(&self, key: &str, ip: Option<IpAddr>) -> Result<Option<Principal>, Refusal> {
        if !key::is_well_formed(key) {
            return Err(invalid());
        }
        let (state, now) = (self.state(), self.now());
        let sha256 = key::key_hash(key);
        let Some((api_key_id, key)) = state.key_opened(&sha256, now) else { return Ok(None) };
        if !lets_in(&key.nets, ip) {
            return Err(elsewhere(ip));
        }
        let scopes = scopes(&state, key.tenant_id, key.user_id, ip)? & key.scopes;
        let principal = Principal {
            tenant_id: key.tenant_id,
            user_id: key.user_id,
            credential: Credential::ApiKey(api_key_id),
            scopes,
            step_up: StepUp::NotNeeded,
            source: Source::Rest,
            ip,
        };
        let unreported = key.used_at.is_none_or(|at| at.plus(oms_identity::decide::USED_EVERY) <= now);
        drop(state);
        if unreported {
            self.report_use(&principal, api_key_id, now);
        }
        Ok(Some(principal))
    }

    /// Says that a key was used, without waiting for it; rarely, and where the log is busy another time.
    fn report_use(&self, principal: &Principal, api_key_id: ApiKeyId, now: Time) {
        let mut used = lock(&self.inner.used);
        if used.get(&api_key_id).is_some_and(|at| now < at.plus(oms_identity::decide::USED_EVERY)) {
            return;
        }
        used.retain(|_, at| now < at.plus(oms_identity::decide::USED_EVERY));
        used.insert(api_key_id, now);
        let asked = Asked {
            by: by_of(Some(principal), &Client { ip: principal.ip, ..Client::default() }, principal.tenant_id),
            scopes: Scopes::NONE,
        };
        // It is a note for people, and told again in an hour.
        drop(self.inner.log.submit(asked, TraceId::default(), Command::UseApiKey { api_key_id }));
    }

    async fn of_token(&self, token: &str, ip: Option<IpAddr>) -> Result<Principal, Refusal> {
        let unproven = Unproven::read(token).map_err(|_| invalid())?;
        if let Some(external) = &self.inner.external
            && unproven.issuer() == Some(external.issuer())
        {
            return external.principal(unproven, self, ip).await;
        }
        let now = self.now();
        let kid = unproven.kid().ok_or_else(invalid)?;
        let state = self.state();
        let (_, key) = state.signing_keys().find(|(known, key)| *known == kid && now < key.good_until).ok_or_else(invalid)?;
        if unproven.typ() != Some(ACCESS) {
            return Err(invalid());
        }
        let claims = unproven.proven(&PublicKey::EdDsa(key.public)).map_err(|_| invalid())?;
        let Config { issuer, audience, .. } = &self.inner.config;
        jwt::check_claims(&claims, issuer, audience, now.0 / SECOND, 0).map_err(|_| invalid())?;
        let session_id: SessionId = id(&claims, "sid")?;
        let (tenant_id, user_id): (TenantId, UserId) = (id(&claims, "tid")?, id(&claims, "sub")?);
        let session = state.session(session_id, now).ok_or_else(invalid)?;
        if (session.tenant_id, session.user_id, session.cookie) != (tenant_id, user_id, false) {
            return Err(invalid());
        }
        let step_up = self.shown_lately(&state, session_id, now);
        let scopes = scopes(&state, tenant_id, user_id, ip)?;
        let credential = Credential::Token(session_id);
        Ok(Principal { tenant_id, user_id, credential, scopes, step_up, source: Source::Rest, ip })
    }

    fn of_cookie(&self, value: &str, csrf: Option<&str>, changes: bool, ip: Option<IpAddr>) -> Result<Principal, Refusal> {
        let session_id = self.inner.maker.read_cookie(value).ok_or_else(invalid)?;
        let (state, now) = (self.state(), self.now());
        let session = state.session(session_id, now).filter(|session| session.cookie).ok_or_else(invalid)?;
        if changes && !csrf.is_some_and(|csrf| self.inner.maker.is_csrf(session_id, csrf)) {
            return Err(
                Refusal::new(Code::Forbidden, "the X-CSRF-Token of the session is missing or not right").with("header", "X-CSRF-Token")
            );
        }
        let (tenant_id, user_id) = (session.tenant_id, session.user_id);
        let step_up = self.shown_lately(&state, session_id, now);
        let scopes = scopes(&state, tenant_id, user_id, ip)?;
        let credential = Credential::Cookie(session_id);
        Ok(Principal { tenant_id, user_id, credential, scopes, step_up, source: Source::Rest, ip })
    }

    /// The CSRF token of the session whose cookie somebody goes by; `None` where they go by something else.
    #[must_use]
    pub fn csrf(&self, of: &Principal) -> Option<String> {
        match of.credential {
            Credential::Cookie(session_id) => Some(self.inner.maker.csrf(session_id)),
            _ => None,
        }
    }

    fn shown_lately(&self, state: &State, session_id: SessionId, now: Time) -> StepUp {
        let Some(session) = state.session(session_id, now) else { return StepUp::Needed };
        if state.user(session.user_id).is_none_or(|user| user.second_factor().is_none()) {
            return StepUp::NotNeeded;
        }
        let fresh = session.mfa_at.is_some_and(|at| now < at.plus(self.inner.config.step_up_s * SECOND));
        if fresh { StepUp::Done } else { StepUp::Needed }
    }
}

/// What somebody may do in a tenant now, or why nothing.
pub(crate) fn scopes(state: &State, tenant_id: TenantId, user_id: UserId, ip: Option<IpAddr>) -> Result<Scopes, Refusal> {
    let tenant = state.tenant(tenant_id).filter(|tenant| tenant.enabled).ok_or_else(invalid)?;
    let member = state.member(tenant_id, user_id).ok_or_else(invalid)?;
    if lets_in(&tenant.nets, ip) { Ok(member.scopes()) } else { Err(elsewhere(ip)) }
}

pub(crate) fn elsewhere(ip: Option<IpAddr>) -> Refusal {
    let refusal = Refusal::new(Code::Forbidden, "the credential may not be used from this address");
    match ip {
        Some(ip) => refusal.with("address", ip),
        None => refusal,
    }
}

fn id<T: FromStr>(claims: &Value, name: &str) -> Result<T, Refusal> {
    claims.get(name).and_then(Value::as_str).and_then(|text| text.parse().ok()).ok_or_else(invalid)
}

fn by_of(principal: Option<&Principal>, client: &Client, tenant_id: TenantId) -> By {
    let mut user_agent: String = client.user_agent.chars().filter(|c| !c.is_control()).collect();
    let cut = (0..=MAX_AGENT.min(user_agent.len())).rev().find(|at| user_agent.is_char_boundary(*at)).unwrap_or(0);
    user_agent.truncate(cut);
    By {
        tenant_id,
        user_id: principal.map(|principal| principal.user_id),
        api_key_id: principal.and_then(Principal::api_key_id),
        session_id: principal.and_then(Principal::session_id),
        source: Source::Rest,
        ip: client.ip,
        user_agent,
    }
}

#[cfg(test)]
mod tests;
