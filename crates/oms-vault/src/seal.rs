//! One encrypted value.
//!
//! ```text
//! u8  format, 1
//! u32 version of the data key, big-endian
//! 12  nonce
//! n   ciphertext
//! 16  tag
//! ```
//!
//! Nonces are random. A data key is used for at most 2^32 values (NIST SP 800-38D section 8.3); [`crate::Keys::renew`] makes
//! the next one.

use crate::{Secret, VaultError, random};
use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};

/// Bytes of a key.
pub(crate) const KEY: usize = 32;
/// Bytes of a nonce.
const NONCE: usize = 12;
/// Bytes before the nonce.
const HEAD: usize = 5;
/// The format that is written.
const FORMAT: u8 = 1;

/// Where a value stands. It can be read there alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'p> {
    /// Whose it is.
    pub tenant: &'p str,
    /// The table, or the kind of event.
    pub table: &'p str,
    /// The column, or the field.
    pub column: &'p str,
    /// The row, or the id of what it belongs to.
    pub row: &'p str,
}

impl Place<'_> {
    /// The bytes that are authenticated with the value: each part with its length before it, so that no two places share them.
    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for part in [self.tenant, self.table, self.column, self.row] {
            out.extend_from_slice(&(part.len() as u64).to_be_bytes());
            out.extend_from_slice(part.as_bytes());
        }
        out
    }
}

/// An encrypted value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// The bytes to store.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads stored bytes.
    ///
    /// # Errors
    /// [`VaultError::Malformed`].
    pub fn read(bytes: &[u8]) -> Result<Self, VaultError> {
        match bytes {
            [FORMAT, rest @ ..] if rest.len() >= HEAD - 1 + NONCE + 16 => Ok(Self(bytes.to_vec())),
            _ => Err(VaultError::Malformed("an encrypted value")),
        }
    }

    /// The version of the data key that it is encrypted with.
    #[must_use]
    pub fn key_version(&self) -> u32 {
        match self.0.as_slice() {
            [_, a, b, c, d, ..] => u32::from_be_bytes([*a, *b, *c, *d]),
            _ => 0,
        }
    }
}

/// The additional data: the place, and what stands before the nonce.
fn bound(place: &[u8], head: &[u8]) -> Vec<u8> {
    [head, place].concat()
}

pub(crate) fn seal(key: &[u8; KEY], version: u32, place: &Place<'_>, secret: &[u8]) -> Result<Sealed, VaultError> {
    let mut out = vec![FORMAT];
    out.extend_from_slice(&version.to_be_bytes());
    out.extend(seal_raw(key, &bound(&place.bytes(), &out), secret)?);
    Ok(Sealed(out))
}

pub(crate) fn open(key: &[u8; KEY], place: &Place<'_>, sealed: &Sealed) -> Result<Secret, VaultError> {
    let (head, rest) = sealed.0.split_at_checked(HEAD).ok_or(VaultError::Malformed("an encrypted value"))?;
    open_raw(key, &bound(&place.bytes(), head), rest)
}

/// Nonce, ciphertext and tag.
pub(crate) fn seal_raw(key: &[u8; KEY], bound: &[u8], secret: &[u8]) -> Result<Vec<u8>, VaultError> {
    let nonce = random::<NONCE>()?;
    let cipher = Aes256Gcm::new(&(*key).into());
    let payload = Payload { msg: secret, aad: bound };
    let text = cipher.encrypt(&Nonce::from(*nonce), payload).map_err(|_| VaultError::Malformed("a value that is too long"))?;
    Ok([nonce.as_slice(), &text].concat())
}

/// Opens nonce, ciphertext and tag, sealed with `key` itself and bound to `bound`: what was encrypted so before it had data keys.
///
/// # Errors
/// [`VaultError::Refused`]; [`VaultError::Malformed`] where it is too short, or the key is none.
pub fn open_bare(key: &Secret, bound: &[u8], sealed: &[u8]) -> Result<Secret, VaultError> {
    let key = key.expose().try_into().map_err(|_| VaultError::Malformed("a key"))?;
    open_raw(key, bound, sealed)
}

pub(crate) fn open_raw(key: &[u8; KEY], bound: &[u8], sealed: &[u8]) -> Result<Secret, VaultError> {
    let (nonce, text) = sealed.split_first_chunk::<NONCE>().ok_or(VaultError::Malformed("an encrypted value"))?;
    let cipher = Aes256Gcm::new(&(*key).into());
    let opened = cipher.decrypt(&Nonce::from(*nonce), Payload { msg: text, aad: bound });
    opened.map(Secret::new).map_err(|_| VaultError::Refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'static> = Place { tenant: "t", table: "users", column: "email", row: "7" };

    #[test]
    fn a_value_is_read_in_its_place_alone() {
        let sealed = seal(&[3; 32], 9, &PLACE, b"a@b.example").unwrap();
        assert_eq!(sealed.key_version(), 9);
        assert_eq!(open(&[3; 32], &PLACE, &sealed).unwrap().expose(), b"a@b.example");
        assert_eq!(Sealed::read(sealed.bytes()).unwrap(), sealed);
        let elsewhere = [
            Place { tenant: "u", ..PLACE },
            Place { table: "user", ..PLACE },
            Place { column: "name", ..PLACE },
            Place { row: "8", ..PLACE },
            // Parts do not run into each other.
            Place { table: "userse", column: "mail", ..PLACE },
        ];
        for place in elsewhere {
            assert!(matches!(open(&[3; 32], &place, &sealed), Err(VaultError::Refused)), "{place:?}");
        }
        assert!(matches!(open(&[4; 32], &PLACE, &sealed), Err(VaultError::Refused)));
    }

    #[test]
    fn every_byte_of_it_is_bound() {
        let sealed = seal(&[3; 32], 9, &PLACE, b"secret").unwrap();
        for at in 0..sealed.bytes().len() {
            let mut changed = sealed.bytes().to_vec();
            changed[at] ^= 1;
            let read = Sealed::read(&changed).and_then(|sealed| open(&[3; 32], &PLACE, &sealed));
            assert!(read.is_err(), "byte {at}");
            assert!(Sealed::read(&sealed.bytes()[..at]).and_then(|sealed| open(&[3; 32], &PLACE, &sealed)).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn equal_values_do_not_look_equal() {
        assert_ne!(seal(&[3; 32], 1, &PLACE, b"secret").unwrap(), seal(&[3; 32], 1, &PLACE, b"secret").unwrap());
    }

    #[test]
    fn the_cipher_is_aes_256_gcm() {
        // Test case 16 of the GCM specification (McGrew and Viega), its nonce and ciphertext with its tag as they are stored.
        let bytes =
            |text: &str| (0..text.len() / 2).map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap()).collect::<Vec<u8>>();
        let key: [u8; 32] = bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308").try_into().unwrap();
        let stored = bytes(
            "cafebabefacedbaddecaf888\
             522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662\
             76fc6ece0f4e1768cddf8853bb2d551b",
        );
        let opened = open_raw(&key, &bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2"), &stored).unwrap();
        let plain =
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
        assert_eq!(opened.expose(), bytes(plain));
    }
}
