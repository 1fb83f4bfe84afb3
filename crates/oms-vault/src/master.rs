//! Master keys: they wrap data keys and encrypt nothing else.

mod local;
mod moving;
mod transit;

pub use local::LocalMaster;
pub use moving::Moving;
pub use transit::Transit;

use crate::{Secret, VaultError};

/// A data key as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapped {
    /// Which master key wrapped it: its name and version, as text without spaces.
    pub master: String,
    /// The wrapped key, as text without spaces.
    pub text: String,
}

/// A master key with its versions.
pub trait Master: Send + Sync {
    /// Name and version that wraps now.
    ///
    /// # Errors
    /// [`VaultError::Service`].
    fn current(&self) -> Result<String, VaultError>;
    /// Wraps a data key, bound to whose it is.
    ///
    /// # Errors
    /// [`VaultError`].
    fn wrap(&self, key: &Secret, owner: &str) -> Result<Wrapped, VaultError>;
    /// The data key; by any version that still exists.
    ///
    /// # Errors
    /// [`VaultError`].
    fn unwrap(&self, wrapped: &Wrapped, owner: &str) -> Result<Secret, VaultError>;
}

#[cfg(test)]
mod tests;
