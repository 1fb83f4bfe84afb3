//! Secrets at rest: TOTP secrets and signing keys stand in the log sealed, never as they are.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use thiserror::Error;

/// Why something could not be sealed or opened.
#[derive(Debug, Error)]
pub enum SealError {
    /// It was sealed with another key or for something else, or was changed.
    #[error("what was sealed cannot be opened: another key, another purpose, or damage")]
    Refused,
    /// The key cannot be read or made.
    #[error("the master key {path}: {error}")]
    Key {
        /// Where it should be.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// The system has no randomness.
    #[error("no randomness: {0}")]
    Entropy(#[from] getrandom::Error),
}

/// Seals secrets for one purpose each: what was sealed for one (`aad`) does not open for another.
pub trait SecretBox: Send + Sync {
    /// Seals.
    ///
    /// # Errors
    /// [`SealError`].
    fn seal(&self, aad: &str, plaintext: &[u8]) -> Result<Box<[u8]>, SealError>;
    /// Opens what [`SecretBox::seal`] sealed for the same purpose.
    ///
    /// # Errors
    /// [`SealError::Refused`].
    fn open(&self, aad: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError>;
}

/// The version of the form: nonce, ciphertext, tag.
const VERSION: u8 = 1;

/// AES-256-GCM with a key of its own, which lies in a file that its owner alone can read. Nonces are random: good for
/// 2^32 secrets of one key, more than a control log ever has.
pub struct KeyFile {
    key: LessSafeKey,
}

impl KeyFile {
    /// With this key.
    ///
    /// # Errors
    /// [`SealError::Refused`]: it is not one.
    pub fn of(key: [u8; 32]) -> Result<Self, SealError> {
        let key = UnboundKey::new(&AES_256_GCM, &key).map_err(|_| SealError::Refused)?;
        Ok(Self { key: LessSafeKey::new(key) })
    }

    /// With the key in this file, which is made where there is none.
    ///
    /// # Errors
    /// [`SealError::Key`]: also where others than its owner may read it.
    pub fn read_or_make(path: &Path) -> Result<Self, SealError> {
        let failed = |error| SealError::Key { path: path.display().to_string(), error };
        match read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::of(make(path).map_err(failed)?),
            read => Self::of(read.map_err(failed)?),
        }
    }
}

fn read(path: &Path) -> io::Result<[u8; 32]> {
    use std::os::unix::fs::PermissionsExt as _;
    let file = File::open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "others than its owner may read it (chmod 600)"));
    }
    let mut bytes = Vec::with_capacity(33);
    file.take(33).read_to_end(&mut bytes)?;
    bytes.try_into().map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not 32 bytes long"))
}

/// The key is durable before anything is sealed with it.
fn make(path: &Path) -> io::Result<[u8; 32]> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    let unfinished = path.with_extension("tmp");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => (),
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(&key)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(key)
}

impl SecretBox for KeyFile {
    fn seal(&self, aad: &str, plaintext: &[u8]) -> Result<Box<[u8]>, SealError> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + plaintext.len() + AES_256_GCM.tag_len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        let mut body = plaintext.to_vec();
        let aad = Aad::from(aad.as_bytes());
        self.key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut body).map_err(|_| SealError::Refused)?;
        sealed.append(&mut body);
        Ok(sealed.into())
    }

    fn open(&self, aad: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (version, rest) = sealed.split_first().ok_or(SealError::Refused)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).filter(|_| *version == VERSION).ok_or(SealError::Refused)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Refused)?;
        let mut body = body.to_vec();
        let opened = self.key.open_in_place(nonce, Aad::from(aad.as_bytes()), &mut body).map_err(|_| SealError::Refused)?;
        Ok(opened.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn what_is_sealed_opens_for_its_purpose_alone() {
        let one = KeyFile::of([1; 32]).unwrap();
        let sealed = one.seal("totp:7", b"secret").unwrap();
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
        assert_eq!(one.open("totp:7", &sealed).unwrap(), b"secret");
        assert!(one.open("totp:8", &sealed).is_err() && KeyFile::of([2; 32]).unwrap().open("totp:7", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(one.open("totp:7", &changed).is_err(), "byte {at}");
        }
        assert!(one.open("totp:7", &[]).is_err() && one.open("totp:7", &sealed[..20]).is_err());
        assert_ne!(one.seal("a", b"x").unwrap(), one.seal("a", b"x").unwrap());
    }

    #[test]
    fn a_key_file_is_its_owners_alone() {
        let dir = std::env::temp_dir().join(format!("oms-seal-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let path = dir.join("master.key");
        let sealed = KeyFile::read_or_make(&path).unwrap().seal("a", b"x").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(KeyFile::read_or_make(&path).unwrap().open("a", &sealed).unwrap(), b"x");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(KeyFile::read_or_make(&path).is_err());
        fs::remove_dir_all(&dir).unwrap();
    }
}
