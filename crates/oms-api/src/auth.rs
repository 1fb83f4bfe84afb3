//! Credentials. A key says which tenant and user a request comes from; nothing else does.
//!
//! A key is `oms_test_`, 30 random base-62 characters and their CRC-32 in 6 more, so that a mistyped
//! or truncated key is refused without a look-up and a leaked one is recognised by scanners.
//! Only the SHA-256 of a key is ever stored.

use crate::api::Api;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use oms_identity::{Credential, Principal, Role, StepUp};
use oms_model::event::ApiKeyCreated;
use oms_model::{ApiKeyId, Code, Refusal, Source, UserId};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What every key begins with.
pub const PREFIX: &str = "oms_test_";
/// Random characters after it.
const RANDOM: usize = 30;
/// Characters of checksum after those.
const CHECK: usize = 6;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The key made of this entropy: 178 bits of it are used.
#[must_use]
pub fn new_key(entropy: [u8; 32]) -> String {
    let mut key = String::with_capacity(PREFIX.len() + RANDOM + CHECK);
    key.push_str(PREFIX);
    // Fifteen characters hold 89 bits, so two halves of 128 bits leave no bias that matters.
    let (one, two) = entropy.split_at(16);
    for half in [one, two] {
        let bits = <[u8; 16]>::try_from(half).map_or(0, u128::from_be_bytes);
        push_base62(&mut key, bits, RANDOM / 2);
    }
    let check = crc32fast::hash(key.as_bytes());
    push_base62(&mut key, check.into(), CHECK);
    key
}

fn push_base62(key: &mut String, mut bits: u128, digits: usize) {
    for _ in 0..digits {
        let digit = usize::try_from(bits % 62).unwrap_or_default();
        key.push(char::from(BASE62.get(digit).copied().unwrap_or(b'0')));
        bits /= 62;
    }
}

/// Whether `key` has the form of a key and its checksum is right.
#[must_use]
pub fn is_well_formed(key: &str) -> bool {
    let Some(rest) = key.strip_prefix(PREFIX) else { return false };
    if rest.len() != RANDOM + CHECK || !rest.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return false;
    }
    let Some((body, check)) = key.split_at_checked(key.len() - CHECK) else { return false };
    let mut expected = String::with_capacity(CHECK);
    push_base62(&mut expected, crc32fast::hash(body.as_bytes()).into(), CHECK);
    expected == check
}

/// What is stored of a key.
#[must_use]
pub fn key_hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// The first characters of a key, by which people recognise it.
#[must_use]
pub fn key_prefix(key: &str) -> String {
    key.chars().take(PREFIX.len() + 6).collect()
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

/// The key that a request carries.
///
/// # Errors
/// `UNAUTHENTICATED` where there is none, or it is not the form of a key.
pub fn presented(headers: &HeaderMap) -> Result<&str, Refusal> {
    let key = match (headers.get("x-api-key"), headers.get(AUTHORIZATION)) {
        (Some(value), _) => value.to_str().ok(),
        (None, Some(value)) => value.to_str().ok().and_then(bearer),
        (None, None) => return Err(Refusal::new(Code::Unauthenticated, "the request carries no credential")),
    };
    key.filter(|key| is_well_formed(key)).ok_or_else(invalid)
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whom the credential of a request stands for. `peer` is the other end of its connection.
///
/// # Errors
/// `UNAUTHENTICATED`, `OVERLOADED`.
pub async fn authenticate(api: &Api, headers: &HeaderMap, peer: Option<IpAddr>) -> Result<Principal, Refusal> {
    let ip = client_ip(api, headers, peer);
    let hash = key_hash(presented(headers)?);
    let mut catalog = api.catalog();
    let holder = match catalog.keys.holder(&hash) {
        Some(holder) => holder,
        None => {
            // The key may have been made a moment ago.
            catalog = api.catalog_now().await?;
            catalog.keys.holder(&hash).ok_or_else(invalid)?
        }
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
    fn a_key_has_its_form_and_its_checksum() {
        let key = key(7);
        assert_eq!(key.len(), 9 + 36);
        assert!(is_well_formed(&key));
        for at in 0..key.len() {
            let mut bytes = key.clone().into_bytes();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            assert!(!is_well_formed(&String::from_utf8(bytes).unwrap()), "a wrong character at {at} is seen");
        }
        assert!(!is_well_formed(&key[..44]));
        assert!(!is_well_formed(""));
        assert!(!is_well_formed("oms_test_ö"));
    }

    #[test]
    fn different_entropy_gives_different_keys() {
        let mut one = [0; 32];
        one[15] = 1;
        let mut two = [0; 32];
        two[31] = 1;
        assert_ne!(new_key(one), new_key(two));
        assert_ne!(new_key(one), new_key([0; 32]));
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

    #[test]
    fn a_key_comes_in_either_header() {
        let mut headers = HeaderMap::new();
        assert_eq!(presented(&headers).unwrap_err().code, Code::Unauthenticated);
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("bearer {}", key(1))).unwrap());
        assert_eq!(presented(&headers).unwrap(), key(1));
        headers.insert("x-api-key", HeaderValue::from_str(&key(2)).unwrap());
        assert_eq!(presented(&headers).unwrap(), key(2));
        headers.insert("x-api-key", HeaderValue::from_static("oms_test_short"));
        assert_eq!(presented(&headers).unwrap_err().code, Code::Unauthenticated);
    }
}
