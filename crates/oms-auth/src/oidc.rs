//! An external issuer (OpenID Connect): its tokens are taken where its keys prove them and its claims name a tenant and
//! scopes. Users of it have no account here: their id is derived from issuer and subject.

use crate::identity::{Identity, elsewhere, internal, invalid};
use crate::jwt::{PublicKey, Unproven, check_claims};
use oms_identity::net::lets_in;
use oms_identity::state::SECOND;
use oms_identity::{Credential, Principal, Role, Scopes, StepUp};
use oms_model::{Code, Refusal, Source, TenantId, Time, UserId};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long the issuer's keys are kept before they are asked for again.
const KEEP: i64 = 10 * 60 * SECOND;
/// They are not asked for more often, whatever keys tokens name.
const PAUSE: i64 = 10 * SECOND;
/// How much clocks may differ, seconds.
const SKEW_S: i64 = 60;
/// How long the issuer may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most bytes of its answer.
const MAX_BODY: u64 = 256 * 1024;
/// The most keys that it may have.
const MAX_KEYS: usize = 64;

/// Whose tokens are taken, and what their claims mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The issuer, as its tokens name it.
    pub issuer: String,
    /// Where its keys are; found by its discovery document where it is empty.
    pub jwks_uri: String,
    /// For whom tokens have to be.
    pub audience: String,
    /// The claim that names the tenant, by its id.
    pub tenant_claim: String,
    /// The claim with roles or scopes: a text with spaces between them, or a list. A dot goes one level down.
    pub scope_claim: String,
    /// What the issuer's names mean here; a name that is not in it stands for itself.
    pub names: BTreeMap<String, String>,
}

#[derive(Default)]
struct Keys {
    by_kid: BTreeMap<String, PublicKey>,
    fetched_at: Option<Time>,
    tried_at: Option<Time>,
}

/// The issuer, with its keys as they were last seen.
pub struct External {
    config: Config,
    keys: Arc<Mutex<Keys>>,
    /// One look at a time.
    looking: tokio::sync::Mutex<()>,
}

impl External {
    /// Nothing is known of its keys yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config, keys: Arc::default(), looking: tokio::sync::Mutex::default() }
    }

    /// As its tokens name it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.config.issuer
    }

    /// The key with this name. A token may leave the name out where there is one key alone (OpenID Connect Core 10.1).
    fn known(&self, kid: Option<&str>, now: Time) -> Option<PublicKey> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = keys.fetched_at.is_some_and(|at| now < at.plus(KEEP));
        let only = || keys.by_kid.values().next().filter(|_| keys.by_kid.len() == 1);
        let found = match kid {
            Some(kid) => keys.by_kid.get(kid),
            None => only(),
        };
        found.filter(|_| fresh).cloned()
    }

    async fn key(&self, kid: Option<&str>, now: Time) -> Result<PublicKey, Refusal> {
        if let Some(key) = self.known(kid, now) {
            return Ok(key);
        }
        let _alone = self.looking.lock().await;
        if let Some(key) = self.known(kid, now) {
            return Ok(key);
        }
        let due = {
            let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
            let due = keys.tried_at.is_none_or(|at| at.plus(PAUSE) <= now);
            if due {
                keys.tried_at = Some(now);
            }
            due
        };
        if due {
            let config = self.config.clone();
            let fetched = tokio::task::spawn_blocking(move || fetch(&config)).await.map_err(|error| internal(&error))?;
            match fetched {
                Ok(by_kid) => {
                    let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
                    (keys.by_kid, keys.fetched_at) = (by_kid, Some(now));
                }
                Err(error) => tracing::warn!(issuer = self.config.issuer, %error, "the keys of the external issuer cannot be read"),
            }
        }
        self.known(kid, now).ok_or_else(invalid)
    }

    /// Whom a token of this issuer stands for.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `FORBIDDEN` where it names no tenant of ours, or the address is not on its list.
    pub async fn principal(&self, token: Unproven<'_>, identity: &Identity, ip: Option<IpAddr>) -> Result<Principal, Refusal> {
        let now = identity.now();
        let key = self.key(token.kid(), now).await?;
        let claims = token.proven(&key).map_err(|_| invalid())?;
        let Config { issuer, audience, tenant_claim, .. } = &self.config;
        check_claims(&claims, issuer, audience, now.0 / SECOND, SKEW_S).map_err(|_| invalid())?;
        let subject = claims.get("sub").and_then(Value::as_str).filter(|sub| !sub.is_empty()).ok_or_else(invalid)?;
        let tenant_id: Option<TenantId> = claim(&claims, tenant_claim).and_then(Value::as_str).and_then(|text| text.parse().ok());
        let no_tenant = || Refusal::new(Code::Forbidden, format!("the token names no tenant in {tenant_claim}"));
        let tenant_id = tenant_id.ok_or_else(no_tenant)?;
        let state = identity.state();
        let tenant = state.tenant(tenant_id).filter(|tenant| tenant.enabled).ok_or_else(no_tenant)?;
        if !lets_in(&tenant.nets, ip) {
            return Err(elsewhere(ip));
        }
        Ok(Principal {
            tenant_id,
            user_id: user_id(issuer, subject),
            credential: Credential::External,
            scopes: self.scopes(&claims),
            // The issuer asks for the second factor, as it likes.
            step_up: StepUp::NotNeeded,
            source: Source::Rest,
            ip,
        })
    }

    /// What the claims give. `tenants:admin` is given here alone, never by somebody else.
    fn scopes(&self, claims: &Value) -> Scopes {
        let names: Vec<&str> = match claim(claims, &self.config.scope_claim) {
            Some(Value::String(text)) => text.split_ascii_whitespace().collect(),
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let meant = names.iter().map(|name| self.config.names.get(*name).map_or(*name, String::as_str));
        let given = meant.fold(Scopes::NONE, |all, name| {
            let scopes = name.parse::<Role>().map(Role::scopes).ok();
            all | scopes.or_else(|| Scopes::parse(name).ok()).unwrap_or_default()
        });
        given & Role::Admin.scopes()
    }
}

/// The claim at a path whose parts are separated by dots.
fn claim<'c>(claims: &'c Value, path: &str) -> Option<&'c Value> {
    path.split('.').try_fold(claims, |value, name| value.get(name))
}

/// The same user for the same issuer and subject, and nobody else's: a UUIDv8 of their hash.
fn user_id(issuer: &str, subject: &str) -> UserId {
    let digest = Sha256::digest(format!("{issuer}\n{subject}").as_bytes());
    let bits = digest.first_chunk::<16>().map_or(0, |bytes| u128::from_be_bytes(*bytes));
    UserId::from_u128(bits & !(0xf << 76 | 0b11 << 62) | 0x8 << 76 | 0b10 << 62)
}

fn fetch(config: &Config) -> Result<BTreeMap<String, PublicKey>, String> {
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).max_redirects(0).build().into();
    let get = |url: &str| -> Result<Value, String> {
        let mut response = agent.get(url).call().map_err(|error| format!("{url}: {error}"))?;
        let text = response.body_mut().with_config().limit(MAX_BODY).read_to_string().map_err(|error| format!("{url}: {error}"))?;
        serde_json::from_str(&text).map_err(|error| format!("{url}: {error}"))
    };
    let jwks_uri = if config.jwks_uri.is_empty() {
        let document = get(&format!("{}/.well-known/openid-configuration", config.issuer.trim_end_matches('/')))?;
        if document.get("issuer").and_then(Value::as_str) != Some(&config.issuer) {
            return Err("the discovery document is of another issuer".to_owned());
        }
        document.get("jwks_uri").and_then(Value::as_str).ok_or("the discovery document names no jwks_uri")?.to_owned()
    } else {
        config.jwks_uri.clone()
    };
    let document = get(&jwks_uri)?;
    let keys = document.get("keys").and_then(Value::as_array).ok_or("there are no keys")?;
    // A key without a name is found where a token names none.
    let kid = |jwk: &Value| jwk.get("kid").and_then(Value::as_str).unwrap_or_default().to_owned();
    let named = |jwk: &Value| Some((kid(jwk), PublicKey::of_jwk(jwk)?));
    Ok(keys.iter().take(MAX_KEYS).filter_map(named).collect())
}
