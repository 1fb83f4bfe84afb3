//! Secrets at rest: TOTP secrets and signing keys stand in the log sealed, never as they are. What seals them is the vault, with
//! the desk's own data key.
//!
//! Where no master key is set, one of the installation's own lies beside the control log. Before there was a vault that key
//! sealed the secrets itself; they are still opened with it. Once a master key is set, the data keys are wrapped by that one, and
//! the key from before lies sealed as any other secret.

use oms_vault::{Keys, LocalMaster, Master, Moving, Owner, Place, Sealed, Secret, VaultError, open_bare};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

/// Why something could not be sealed or opened.
#[derive(Debug, Error)]
pub enum SealError {
    /// It was sealed with another key or for something else, or was changed.
    #[error("what was sealed cannot be opened: another key, another purpose, or damage")]
    Refused,
    /// The installation's own key cannot be read or made.
    #[error("the master key {path}: {error}")]
    Key {
        /// Where it should be.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// The vault does not do it.
    #[error("the vault: {0}")]
    Vault(#[from] VaultError),
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
    /// [`SealError`].
    fn open(&self, aad: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError>;
}

impl<T: SecretBox + ?Sized> SecretBox for Arc<T> {
    fn seal(&self, aad: &str, plaintext: &[u8]) -> Result<Box<[u8]>, SealError> {
        (**self).seal(aad, plaintext)
    }

    fn open(&self, aad: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        (**self).open(aad, sealed)
    }
}

/// The version of the form from before there was a vault: this byte, nonce, ciphertext, tag.
const BEFORE: u8 = 1;
/// The installation's own key, beside the control log.
const OWN: &str = "master.key";
/// The same once a master key was set: sealed.
const OWN_SEALED: &str = "master.key.sealed";

/// The vault's data key of the desk, for the secrets of accounts.
pub struct VaultBox {
    keys: Keys,
    /// What sealed secrets before there was a vault.
    before: Option<Secret>,
}

fn place(aad: &str) -> Place<'_> {
    Place { tenant: "", table: "control", column: "secret", row: aad }
}

impl VaultBox {
    /// With the data keys in `dir`. They are wrapped by `master`; where there is none, by a key of the installation's own in
    /// `control`, which is made where it is not there.
    ///
    /// # Errors
    /// [`SealError`]: also where others than its owner may read the own key.
    pub fn open_dir(dir: &Path, control: &Path, master: Option<Arc<dyn Master>>) -> Result<Self, SealError> {
        let own = OwnKey { path: control.join(OWN), sealed: control.join(OWN_SEALED) };
        let Some(master) = master else {
            let key = match own.read()? {
                Some(key) => key,
                None => own.make()?,
            };
            let keys = Keys::open(dir, Arc::new(LocalMaster::own(&key)?))?;
            return Ok(Self { keys, before: Some(key) });
        };
        if let Some(key) = own.read()? {
            own.hand_over(&key, dir, &master)?;
        }
        let keys = Keys::open(dir, master)?;
        let before = own.read_sealed(&keys)?;
        Ok(Self { keys, before })
    }
}

impl VaultBox {
    /// The data keys.
    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }
}

impl SecretBox for VaultBox {
    fn seal(&self, aad: &str, plaintext: &[u8]) -> Result<Box<[u8]>, SealError> {
        let sealed = self.keys.seal(Owner::Desk, &place(aad), &Secret::new(plaintext.to_vec()))?;
        Ok(sealed.bytes().into())
    }

    fn open(&self, aad: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let opened = Sealed::read(sealed).and_then(|sealed| self.keys.open_sealed(Owner::Desk, &place(aad), &sealed));
        match (opened, &self.before, sealed) {
            (Ok(secret), _, _) => Ok(secret.expose().to_vec()),
            // Both forms begin alike, and each opens with its own key alone.
            (Err(VaultError::Refused | VaultError::NoKey(_) | VaultError::Malformed(_)), Some(key), [BEFORE, rest @ ..]) => {
                open_bare(key, aad.as_bytes(), rest).map(|secret| secret.expose().to_vec()).map_err(|_| SealError::Refused)
            }
            (Err(VaultError::Refused | VaultError::Malformed(_)), _, _) => Err(SealError::Refused),
            (Err(error), _, _) => Err(error.into()),
        }
    }
}

/// The installation's own key: 32 bytes in a file that its owner alone can read, or sealed by the vault.
struct OwnKey {
    path: PathBuf,
    sealed: PathBuf,
}

impl OwnKey {
    fn failed(&self) -> impl Fn(io::Error) -> SealError {
        let path = self.path.display().to_string();
        move |error| SealError::Key { path: path.clone(), error }
    }

    fn read(&self) -> Result<Option<Secret>, SealError> {
        use std::os::unix::fs::PermissionsExt as _;
        let read = || {
            let file = File::open(&self.path)?;
            if file.metadata()?.permissions().mode() & 0o077 != 0 {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, "others than its owner may read it (chmod 600)"));
            }
            let mut bytes = Vec::with_capacity(33);
            file.take(33).read_to_end(&mut bytes)?;
            let whole = bytes.len() == 32;
            whole.then(|| Secret::new(bytes)).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is not 32 bytes long"))
        };
        match read() {
            Ok(key) => Ok(Some(key)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed()(error)),
        }
    }

    /// The key is durable before anything is sealed with it.
    fn make(&self) -> Result<Secret, SealError> {
        if self.sealed.exists() {
            let gone = io::Error::other("it was handed over to the master key that vault.master_key named, which names none now");
            return Err(self.failed()(gone));
        }
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| self.failed()(io::Error::other(error)))?;
        write(&self.path, &key).map_err(self.failed())?;
        Ok(Secret::new(key.to_vec()))
    }

    /// Has the data keys wrapped by `master` from now on, and leaves the own key sealed. It can be interrupted anywhere: what
    /// was done is found done, and the rest is done at the next start.
    fn hand_over(&self, key: &Secret, dir: &Path, master: &Arc<dyn Master>) -> Result<(), SealError> {
        let keys = Keys::open(dir, Arc::new(Moving::new(Arc::new(LocalMaster::own(key)?), Arc::clone(master))))?;
        keys.rewrap()?;
        let sealed = keys.seal(Owner::Desk, &place(OWN), key)?;
        write(&self.sealed, sealed.bytes()).map_err(self.failed())?;
        fs::remove_file(&self.path).and_then(|()| sync(&self.path)).map_err(self.failed())
    }

    fn read_sealed(&self, keys: &Keys) -> Result<Option<Secret>, SealError> {
        match fs::read(&self.sealed) {
            Ok(bytes) => Ok(Some(keys.open_sealed(Owner::Desk, &place(OWN), &Sealed::read(&bytes)?)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed()(error)),
        }
    }
}

fn sync(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

/// Writes a whole file or none, durably, for its owner alone.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("tmp");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => (),
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    sync(path)
}

#[cfg(test)]
pub(crate) mod tests;
