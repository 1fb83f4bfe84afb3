//! From one master key to another.

use super::{Master, Wrapped};
use crate::{Secret, VaultError};
use std::sync::Arc;

/// Wraps with one master key and unwraps by it or by the one from before, until everything was wrapped anew.
pub struct Moving {
    from: Arc<dyn Master>,
    to: Arc<dyn Master>,
}

impl Moving {
    /// From one to the other.
    #[must_use]
    pub fn new(from: Arc<dyn Master>, to: Arc<dyn Master>) -> Self {
        Self { from, to }
    }
}

impl Master for Moving {
    fn current(&self) -> Result<String, VaultError> {
        self.to.current()
    }

    fn wrap(&self, key: &Secret, owner: &str) -> Result<Wrapped, VaultError> {
        self.to.wrap(key, owner)
    }

    fn unwrap(&self, wrapped: &Wrapped, owner: &str) -> Result<Secret, VaultError> {
        match self.from.unwrap(wrapped, owner) {
            Err(VaultError::NoKey(_)) => self.to.unwrap(wrapped, owner),
            unwrapped => unwrapped,
        }
    }
}
