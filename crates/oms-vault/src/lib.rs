//! Secrets at rest: envelope encryption, and erasure by destroying keys.
//!
//! - A [`Secret`] cannot be printed, and its memory is wiped when it is dropped.
//! - What is encrypted is encrypted with AES-256-GCM and bound to its place ([`Place`]): moved to another tenant, table,
//!   column or row it cannot be read.
//! - Each tenant, and each person whose data are kept, has data keys of its own ([`Keys`]). They lie in files, wrapped by a
//!   master key that does not ([`Master`]): from a file, the environment, or the transit engine of Vault or `OpenBao`.
//! - A person's data are erased by destroying the person's keys: what was encrypted with them stays where it is, in a log
//!   whose hashes still fit, and can be read by nobody.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")
)]

mod keys;
mod master;
mod reference;
mod seal;
mod secret;

pub use keys::{Keys, Owner, Rewrapped};
pub use master::{LocalMaster, Master, Moving, Transit, Wrapped};
pub use reference::{NoReference, resolve};
pub use seal::{Place, Sealed, open_bare};
pub use secret::Secret;

use std::io;

/// Why something cannot be encrypted or read. No error tells anything of a secret.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// A file cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// The system gives no randomness.
    #[error("the system gives no randomness: {0}")]
    Randomness(String),
    /// It is not what this crate wrote.
    #[error("{0} is malformed")]
    Malformed(&'static str),
    /// It was changed, stands in another place, or is encrypted with another key.
    #[error("it cannot be decrypted: it was changed, stands in another place, or has another key")]
    Refused,
    /// The key was destroyed, so that what it encrypted is erased.
    #[error("the key was destroyed: what it encrypted is erased")]
    Destroyed,
    /// There is no such key.
    #[error("there is no key {0}")]
    NoKey(String),
    /// The master key's service does not do what was asked.
    #[error("the master key's service: {0}")]
    Service(String),
}

/// `N` random bytes.
pub(crate) fn random<const N: usize>() -> Result<zeroize::Zeroizing<[u8; N]>, VaultError> {
    let mut bytes = zeroize::Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|error| VaultError::Randomness(error.to_string()))?;
    Ok(bytes)
}
