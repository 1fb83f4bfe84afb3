//! Credentials. A key says which tenant and user a request comes from; nothing else does.
//!
//! A key is `oms_test_`, 30 random base-62 characters and their CRC-32 in 6 more, so that a mistyped
//! or truncated key is refused without a look-up and a leaked one is recognised by scanners.
//! Only the SHA-256 of a key is ever stored.

use crate::api::Api;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use oms_auth::{Identity, Presented};
use oms_identity::{Credential, Principal, Role, StepUp};
use oms_model::event::ApiKeyCreated;
use oms_model::{ApiKeyId, Code, Refusal, Source, UserId};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;
use tokio::sync::watch;

pub use oms_auth::key::{is_well_formed, key_hash, key_prefix};

/// What the keys of a demo desk begin with.
pub const PREFIX: &str = oms_auth::key::DEMO_PREFIX;
/// The header that carries the CSRF token of a session.
pub const CSRF: &str = "x-csrf-token";
/// The cookie of a session, where it goes over TLS alone.
pub const COOKIE: &str = "__Host-oms_session";
/// And where it does not: on a loopback address.
pub const PLAIN_COOKIE: &str = "oms_session";

/// The key of a demo desk made of this entropy.
#[must_use]
pub fn new_key(entropy: [u8; 32]) -> String {
    oms_auth::key::new_key(PREFIX, entropy)
}

/// Whom a key stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyHolder {
    /// The key's id.
    pub api_key_id: ApiKeyId,
    /// The user that it acts for.
    pub user_id: UserId,
    sha256: [u8; 32],
}

/// Every valid key of the tenant, by the first bytes of its hash.
#[derive(Clone, Debug, Default)]
pub struct KeyRing {
    keys: BTreeMap<[u8; 8], Vec<KeyHolder>>,
}

fn head(hash: &[u8; 32]) -> [u8; 8] {
    hash.first_chunk().copied().unwrap_or_default()
}

impl KeyRing {
    /// Takes a key in.
    pub fn add(&mut self, key: &ApiKeyCreated) {
        let holders = self.keys.entry(head(&key.sha256)).or_default();
        if !holders.iter().any(|holder| holder.sha256 == key.sha256) {
            holders.push(KeyHolder { api_key_id: key.api_key_id, user_id: key.user_id, sha256: key.sha256 });
        }
    }

    /// Who holds the key with this hash. The comparison takes as long for a wrong key as for a right one.
    #[must_use]
    pub fn holder(&self, hash: &[u8; 32]) -> Option<KeyHolder> {
        self.keys.get(&head(hash))?.iter().find(|holder| same(&holder.sha256, hash)).copied()
    }
}

fn same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    let difference = one.iter().zip(other).fold(0_u8, |sum, (a, b)| sum | (a ^ b));
    std::hint::black_box(difference) == 0
}

/// What a request carries to say who it is of. `changes`: whether it changes something.
///
/// # Errors
/// `UNAUTHENTICATED` where there is nothing, or more than one thing: then it would be a matter of taste who asks.
pub fn presented(headers: &HeaderMap, changes: bool) -> Result<Presented<'_>, Refusal> {
    let keys = headers.get_all("x-api-key").iter().map(|value| (true, value));
    let mut given = keys.chain(headers.get_all(AUTHORIZATION).iter().map(|value| (false, value)));
    match (given.next(), given.next()) {
        (Some((true, key)), None) => key.to_str().ok().filter(|key| is_well_formed(key)).map(Presented::Key).ok_or_else(invalid),
        (Some((false, value)), None) => value.to_str().ok().and_then(bearer).map(Presented::Bearer).ok_or_else(invalid),
        (Some(_), Some(_)) => Err(Refusal::new(Code::Unauthenticated, "the request carries more than one credential")),
        (None, _) => {
            let none = || Refusal::new(Code::Unauthenticated, "the request carries no credential");
            let mut cookies = cookies(headers).filter(|(name, _)| *name == COOKIE || *name == PLAIN_COOKIE);
            let (_, value) = cookies.next().ok_or_else(none)?;
            if cookies.next().is_some() {
                return Err(invalid());
            }
            let csrf = headers.get(CSRF).and_then(|value| value.to_str().ok());
            Ok(Presented::Cookie { value, csrf, changes })
        }
    }
}

/// Whether a request carries a credential at all.
#[must_use]
pub fn carries(headers: &HeaderMap) -> bool {
    let cookie = || cookies(headers).any(|(name, _)| name == COOKIE || name == PLAIN_COOKIE);
    headers.contains_key("x-api-key") || headers.contains_key(AUTHORIZATION) || cookie()
}

/// Whether the only credential of a request is a cookie.
#[must_use]
pub fn has_only_cookie(headers: &HeaderMap) -> bool {
    carries(headers) && !headers.contains_key("x-api-key") && !headers.contains_key(AUTHORIZATION)
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let lines = headers.get_all(http::header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='))
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whom the credential of a request stands for. `peer` is the other end of its connection.
///
/// # Errors
/// `UNAUTHENTICATED`, `FORBIDDEN`, `OVERLOADED`.
pub async fn authenticate(api: &Api, headers: &HeaderMap, peer: Option<IpAddr>, changes: bool) -> Result<Principal, Refusal> {
    let ip = client_ip(api, headers, peer);
    let presented = presented(headers, changes)?;
    if let Some(identity) = api.identity()
        && let Some(principal) = identity.authenticate(presented, ip).await?
    {
        return Ok(principal);
    }
    let (Presented::Key(key) | Presented::Bearer(key)) = presented else { return Err(invalid()) };
    let hash = key_hash(key);
    let mut catalog = api.catalog();
    let holder = match catalog.keys.holder(&hash) {
        Some(holder) => holder,
        None if is_well_formed(key) => {
            // The key may have been made a moment ago.
            catalog = api.catalog_now().await?;
            catalog.keys.holder(&hash).ok_or_else(invalid)?
        }
        None => return Err(invalid()),
    };
    // Keys of the desk's own log are from before there were scopes: they are an administrator's.
    Ok(Principal {
        tenant_id: catalog.tenant_id,
        user_id: holder.user_id,
        credential: Credential::DeskKey(holder.api_key_id),
        scopes: Role::Admin.scopes(),
        step_up: StepUp::NotNeeded,
        source: Source::Rest,
        ip,
    })
}

/// Whether a credential that was good still is: for connections that stay.
///
/// # Errors
/// `UNAUTHENTICATED`, `FORBIDDEN`.
pub fn still(api: &Api, principal: &Principal) -> Result<Principal, Refusal> {
    api.identity().map_or(Ok(*principal), |identity| identity.still(principal))
}

/// The credential that a connection lives by.
pub(crate) struct Held {
    api: Api,
    principal: Principal,
    changed: Option<watch::Receiver<u64>>,
}

impl Held {
    /// How often it is looked at where nothing changes: it may run out.
    const LOOK: Duration = Duration::from_secs(1);

    pub(crate) fn new(api: &Api, principal: Principal) -> Self {
        Self { api: api.clone(), principal, changed: api.identity().map(Identity::changed) }
    }

    /// Completes once the credential is not good any more, or allows less than when the connection began.
    pub(crate) async fn lost(&mut self) {
        let Some(changed) = &mut self.changed else { return std::future::pending().await };
        loop {
            let as_before = still(&self.api, &self.principal).is_ok_and(|now| now.scopes == self.principal.scopes);
            if !as_before {
                return;
            }
            match tokio::time::timeout(Self::LOOK, changed.changed()).await {
                Ok(Ok(())) | Err(_) => (),
                // Nothing changes any more: the server is ending, which the connection hears of.
                Ok(Err(_)) => return std::future::pending().await,
            }
        }
    }
}

/// Where a request comes from: the peer, or what the last proxy says where the peer is one that is trusted.
#[must_use]
pub fn client_ip(api: &Api, headers: &HeaderMap, peer: Option<IpAddr>) -> Option<IpAddr> {
    const FORWARDED: &str = "x-forwarded-for";
    let trusted = &api.config().trusted_proxies;
    let mut ip = peer?;
    // From the nearest proxy outwards, as long as each is trusted: what is further out anybody could have written.
    let said = headers.get_all(FORWARDED).iter().filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(",");
    for hop in said.rsplit(',') {
        if !trusted.contains(&ip) {
            break;
        }
        let Ok(next) = hop.trim().parse() else { break };
        ip = next;
    }
    Some(ip)
}

/// The credential is not valid; the answer does not say in what.
#[must_use]
pub fn invalid() -> Refusal {
    Refusal::new(Code::Unauthenticated, "the credential is not valid")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn key(n: u8) -> String {
        new_key([n; 32])
    }

    #[test]
    fn only_a_recorded_key_has_a_holder() {
        let mut ring = KeyRing::default();
        let user_id = UserId::from_u128(9);
        ring.add(&ApiKeyCreated { user_id, sha256: key_hash(&key(1)), ..ApiKeyCreated::default() });
        assert_eq!(ring.holder(&key_hash(&key(1))).unwrap().user_id, user_id);
        assert_eq!(ring.holder(&key_hash(&key(2))), None);
        let mut near = key_hash(&key(1));
        near[31] ^= 1;
        assert_eq!(ring.holder(&near), None);
    }

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_request_has_one_credential_wherever_it_stands() {
        let (key, bearer) = (key(1), format!("bearer {}", key(1)));
        let read = |lines: &[(&'static str, &str)]| match presented(&headers(lines), true) {
            Ok(Presented::Key(text)) => format!("key {text}"),
            Ok(Presented::Bearer(text)) => format!("bearer {text}"),
            Ok(Presented::Cookie { value, csrf, changes }) => format!("cookie {value} {csrf:?} {changes}"),
            Err(refusal) => refusal.code.to_string(),
        };
        assert_eq!(read(&[("x-api-key", &key)]), format!("key {key}"));
        assert_eq!(read(&[("authorization", &bearer)]), bearer);
        assert_eq!(read(&[("cookie", "a=b; oms_session=s"), ("x-csrf-token", "t")]), "cookie s Some(\"t\") true");
        assert_eq!(read(&[("cookie", "oms_session=s"), ("authorization", &bearer)]), bearer, "a header stands above a cookie");
        for bad in [
            &[][..],
            &[("x-api-key", "oms_test_short")],
            &[("x-api-key", &key), ("x-api-key", &key)],
            &[("authorization", &bearer), ("authorization", &bearer)],
            &[("x-api-key", &key), ("authorization", &bearer)],
            &[("authorization", "Basic YTpi")],
            &[("cookie", "oms_session=s; oms_session=t")],
            &[("cookie", "oms_session=s; __Host-oms_session=t")],
            &[("x-user-id", "1"), ("x-tenant-id", "1")],
        ] {
            assert_eq!(read(bad), "UNAUTHENTICATED", "{bad:?}");
        }
    }
}
