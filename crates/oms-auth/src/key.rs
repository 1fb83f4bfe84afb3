//! The form of an API key.
//!
//! A key is a prefix, 30 random base-62 characters and their CRC-32 in 6 more, so that a mistyped or truncated key is
//! refused without a look-up and a leaked one is recognised by scanners. Only the SHA-256 of a key is ever stored.

use sha2::{Digest, Sha256};

/// What keys of a demo desk begin with.
pub const DEMO_PREFIX: &str = "oms_test_";
/// What every other key begins with.
pub const LIVE_PREFIX: &str = "oms_live_";
/// Random characters after it.
const RANDOM: usize = 30;
/// Characters of checksum after those.
const CHECK: usize = 6;
/// Characters after the prefix by which people recognise a key.
const SHOWN: usize = 6;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The key made of this entropy: 178 bits of it are used.
#[must_use]
pub fn new_key(prefix: &str, entropy: [u8; 32]) -> String {
    let mut key = String::with_capacity(prefix.len() + RANDOM + CHECK);
    key.push_str(prefix);
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
    let Some(rest) = key.strip_prefix(DEMO_PREFIX).or_else(|| key.strip_prefix(LIVE_PREFIX)) else { return false };
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
    key.chars().take(DEMO_PREFIX.len() + SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_form_and_its_checksum() {
        for prefix in [DEMO_PREFIX, LIVE_PREFIX] {
            let key = new_key(prefix, [7; 32]);
            assert_eq!(key.len(), 9 + 36);
            assert!(is_well_formed(&key));
            for at in 0..key.len() {
                let mut bytes = key.clone().into_bytes();
                bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
                assert!(!is_well_formed(&String::from_utf8(bytes).unwrap()), "a wrong character at {at} is seen");
            }
            assert!(!is_well_formed(&key[..44]));
        }
        assert!(!is_well_formed("") && !is_well_formed("oms_test_ö"));
    }

    #[test]
    fn different_entropy_gives_different_keys() {
        let (mut one, mut two) = ([0; 32], [0; 32]);
        (one[15], two[31]) = (1, 1);
        assert_ne!(new_key(DEMO_PREFIX, one), new_key(DEMO_PREFIX, two));
        assert_ne!(new_key(DEMO_PREFIX, one), new_key(DEMO_PREFIX, [0; 32]));
    }
}
