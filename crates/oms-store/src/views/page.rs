//! The opaque cursor of a page: the sort key of its last row, bound to the query that gave it.
//!
//! It is base64url of: version, hash of the query, the values, a checksum. It holds nothing that the rows of the
//! page do not, and what a forged one could do is only to start elsewhere.

use rusqlite::types::Value;
use sha2::{Digest, Sha256};

use super::query::QueryError;

const VERSION: u8 = 1;
/// Characters at most; the longest key is far below.
const MAX_CURSOR: usize = 4096;

/// What tells a query from another.
pub(super) type QueryHash = [u8; 8];

/// The hash of a statement and what is bound to it.
pub(super) fn hash(parts: &[&str], values: &[Value]) -> QueryHash {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update((part.len() as u64).to_be_bytes());
        sha.update(part.as_bytes());
    }
    sha.update(encode(values));
    let digest = sha.finalize();
    let mut hash = QueryHash::default();
    for (to, from) in hash.iter_mut().zip(digest) {
        *to = from;
    }
    hash
}

/// The cursor behind the row with this sort key.
pub(super) fn seal(hash: QueryHash, key: &[Value]) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend(hash);
    bytes.extend(encode(key));
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    to_base64url(&bytes)
}

/// The sort key of a cursor.
pub(super) fn open(cursor: &str, hash: QueryHash, keys: usize) -> Result<Vec<Value>, QueryError> {
    if cursor.len() > MAX_CURSOR {
        return Err(QueryError::BadCursor);
    }
    let bytes = from_base64url(cursor).ok_or(QueryError::BadCursor)?;
    let (body, crc) = bytes.split_last_chunk::<4>().ok_or(QueryError::BadCursor)?;
    if crc32fast::hash(body).to_be_bytes() != *crc {
        return Err(QueryError::BadCursor);
    }
    let rest = body.strip_prefix(&[VERSION]).ok_or(QueryError::BadCursor)?;
    let (found, rest) = rest.split_first_chunk::<8>().ok_or(QueryError::BadCursor)?;
    if *found != hash {
        return Err(QueryError::OtherCursor);
    }
    match decode(rest) {
        Some(key) if key.len() == keys => Ok(key),
        _ => Err(QueryError::BadCursor),
    }
}

/// Values one after another, each with its type and length.
pub(super) fn encode(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    for value in values {
        let (tag, integer, bytes): (u8, [u8; 8], &[u8]) = match value {
            Value::Null => (0, [0; 8], &[]),
            Value::Integer(integer) => (1, integer.to_be_bytes(), &[]),
            Value::Text(text) => (2, [0; 8], text.as_bytes()),
            Value::Blob(blob) => (3, [0; 8], blob),
            // No column holds a float.
            Value::Real(_) => (4, [0; 8], &[]),
        };
        out.push(tag);
        match tag {
            1 => out.extend(integer),
            2 | 3 => {
                out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
                out.extend(bytes);
            }
            _ => (),
        }
    }
    out
}

fn decode(mut bytes: &[u8]) -> Option<Vec<Value>> {
    let mut values = Vec::new();
    while let Some((tag, rest)) = bytes.split_first() {
        let (value, rest) = match tag {
            0 => (Value::Null, rest),
            1 => {
                let (integer, rest) = rest.split_first_chunk::<8>()?;
                (Value::Integer(i64::from_be_bytes(*integer)), rest)
            }
            2 | 3 => {
                let (len, rest) = rest.split_first_chunk::<4>()?;
                let (taken, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
                let value = if *tag == 2 { Value::Text(String::from_utf8(taken.to_vec()).ok()?) } else { Value::Blob(taken.to_vec()) };
                (value, rest)
            }
            _ => return None,
        };
        values.push(value);
        bytes = rest;
    }
    Some(values)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// RFC 4648 section 5, without padding.
fn to_base64url(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            let digit = bits >> (18 - 6 * at) & 0x3F;
            text.push(char::from(ALPHABET.get(digit as usize).copied().unwrap_or_default()));
        }
    }
    text
}

fn from_base64url(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for chunk in text.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for byte in chunk {
            let digit = ALPHABET.iter().position(|letter| letter == byte)?;
            bits = bits << 6 | digit as u32;
        }
        bits <<= 6 * (4 - chunk.len());
        let taken = chunk.len().checked_sub(1).filter(|taken| *taken > 0)?;
        let [_, quantum @ ..] = bits.to_be_bytes();
        bytes.extend(quantum.iter().take(taken));
        // What does not fill a byte is zero, so that every cursor has one form.
        if quantum.iter().skip(taken).any(|byte| *byte != 0) {
            return None;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_is_rfc_4648s() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"f", "Zg"),
            (b"fo", "Zm8"),
            (b"foo", "Zm9v"),
            (b"foob", "Zm9vYg"),
            (b"fooba", "Zm9vYmE"),
            (b"foobar", "Zm9vYmFy"),
            (&[0xFB, 0xFF, 0xFE], "-__-"),
        ] {
            assert_eq!(to_base64url(bytes), text);
            assert_eq!(from_base64url(text).as_deref(), Some(bytes));
        }
        for text in ["Z", "Zh", "Zm9", "Zm9v+", "Zg==", "Zm 9"] {
            assert_eq!(from_base64url(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_cursor_opens_for_its_query_alone() {
        let key = vec![Value::Null, Value::Integer(i64::MIN), Value::Text("AAPL".into()), Value::Blob(vec![0x80; 16])];
        let (mine, other) = (hash(&["orders", "a = ?"], &[Value::Integer(1)]), hash(&["orders", "a = ?"], &[Value::Integer(2)]));
        let cursor = seal(mine, &key);
        assert_eq!(open(&cursor, mine, 4), Ok(key));
        assert_eq!(open(&cursor, other, 4), Err(QueryError::OtherCursor));
        assert_eq!(open(&cursor, mine, 3), Err(QueryError::BadCursor), "another number of columns");
        for at in 0..cursor.len() {
            let mut text = cursor.clone().into_bytes();
            text[at] = if text[at] == b'A' { b'B' } else { b'A' };
            let text = String::from_utf8(text).unwrap();
            assert_eq!(open(&text, mine, 4), Err(QueryError::BadCursor), "character {at} changed");
            assert_eq!(open(&cursor[..at], mine, 4), Err(QueryError::BadCursor), "cut at {at}");
        }
        assert_eq!(open(&"A".repeat(MAX_CURSOR + 1), mine, 4), Err(QueryError::BadCursor));
    }

    #[test]
    fn parts_and_values_do_not_run_into_each_other() {
        assert_ne!(hash(&["ab", "c"], &[]), hash(&["a", "bc"], &[]));
        let text = |text: &str| Value::Text(text.into());
        assert_ne!(hash(&[], &[text("ab"), text("c")]), hash(&[], &[text("a"), text("bc")]));
    }
}
