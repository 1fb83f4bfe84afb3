//! What says who somebody is: it stands in the log sealed with a key of their own, and goes with that key.

use core::fmt;
use core::ops::Deref;
use oms_model::{InvitationId, UserId};

/// A name or an address. What is stored of it is what was sealed; of what was stored before anything was, the text.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Personal {
    text: String,
    sealed: Box<[u8]>,
}

impl Personal {
    /// What was sealed, and is not opened: nothing can be read of it.
    #[must_use]
    pub fn of_sealed(sealed: Box<[u8]>) -> Self {
        Self { text: String::new(), sealed }
    }

    /// The text; empty where it is not opened, or erased.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What was sealed; empty where nothing was.
    #[must_use]
    pub fn sealed(&self) -> &[u8] {
        &self.sealed
    }

    /// Stored as this from now on.
    pub fn seal(&mut self, sealed: Box<[u8]>) {
        self.sealed = sealed;
    }

    /// Read as this from now on.
    pub fn open(&mut self, text: String) {
        self.text = text;
    }
}

impl From<String> for Personal {
    fn from(text: String) -> Self {
        Self { text, sealed: Box::default() }
    }
}

impl From<&str> for Personal {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl Deref for Personal {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}{}", self.text, if self.sealed.is_empty() { "" } else { " sealed" })
    }
}

/// Whose a name or an address is, by an id that says nothing of them: a user's, or an invitation's of somebody who is none yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(pub u128);

impl From<UserId> for Subject {
    fn from(id: UserId) -> Self {
        Self(id.as_u128())
    }
}

impl From<InvitationId> for Subject {
    fn from(id: InvitationId) -> Self {
        Self(id.as_u128())
    }
}
