//! What says who somebody is, sealed with a key of their own. To erase them is to destroy that key: what the log holds of it
//! stays where it is and can be read by nobody.

use crate::seal::{SealError, VaultBox};
use oms_identity::Subject;
use oms_vault::{Owner, Place, Sealed, Secret, VaultError};

/// Seals the names and addresses of people.
pub trait People: Send + Sync {
    /// Seals what stands under this name for somebody.
    ///
    /// # Errors
    /// [`SealError`]: also where they are erased.
    fn seal(&self, subject: Subject, what: &str, text: &str) -> Result<Box<[u8]>, SealError>;

    /// Opens it; `None` where they are erased.
    ///
    /// # Errors
    /// [`SealError`].
    fn open(&self, subject: Subject, what: &str, sealed: &[u8]) -> Result<Option<String>, SealError>;

    /// Erases somebody for good. Doing it again changes nothing.
    ///
    /// # Errors
    /// [`SealError`]: then it is not known to be done.
    fn erase(&self, subject: Subject) -> Result<(), SealError>;
}

impl People for VaultBox {
    fn seal(&self, subject: Subject, what: &str, text: &str) -> Result<Box<[u8]>, SealError> {
        let row = row(subject);
        let sealed = self.keys().seal(Owner::Subject(subject.0), &place(what, &row), &Secret::new(text.as_bytes().to_vec()))?;
        Ok(sealed.bytes().into())
    }

    fn open(&self, subject: Subject, what: &str, sealed: &[u8]) -> Result<Option<String>, SealError> {
        let row = row(subject);
        let opened = Sealed::read(sealed).and_then(|one| self.keys().open_sealed(Owner::Subject(subject.0), &place(what, &row), &one));
        match opened {
            Ok(text) => text.expose_text().map(|text| Some(text.to_owned())).ok_or(SealError::Refused),
            Err(VaultError::Destroyed) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn erase(&self, subject: Subject) -> Result<(), SealError> {
        Ok(self.keys().destroy(subject.0)?)
    }
}

fn row(subject: Subject) -> String {
    format!("{:032x}", subject.0)
}

fn place<'p>(what: &'p str, row: &'p str) -> Place<'p> {
    Place { tenant: "", table: "control", column: what, row }
}

#[cfg(test)]
mod tests;
