//! Signed notes (c2sp.org/signed-note) with one Ed25519 signature of ours; those of others, such as witnesses, may stand beside it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use std::fmt;

/// The algorithm byte of Ed25519.
const ED25519: u8 = 0x01;
/// What a signature line begins with: an em dash and a space.
const DASH: &str = "\u{2014} ";
/// What the text of a private key begins with.
const PRIVATE: &str = "PRIVATE+KEY+";
/// The most signature lines of a note.
const MAX_SIGNATURES: usize = 16;
/// Between text and signatures, after the newline that ends the text.
const BREAK: &str = "\n\n";

/// A note, a key or a text that is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The note has no text, no signature, or a malformed line.
    #[error("it is not a signed note")]
    Malformed,
    /// No signature is by this key.
    #[error("it carries no signature by the key with the id {id:08x}")]
    OtherKey {
        /// The id of the key.
        id: u32,
    },
    /// The signature by this key does not fit the text.
    #[error("its signature does not fit its text")]
    BadSignature,
    /// The text of a key is malformed, or does not have the id that it says.
    #[error("it is not a key of a signed note")]
    BadKey,
}

/// Whether a name may stand in a key and a signature line.
#[must_use]
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 255 && name.chars().all(|c| c.is_ascii_graphic() && c != '+')
}

fn key_id(name: &str, public: &[u8; 32]) -> u32 {
    let digest = Sha256::new().chain_update(name).chain_update([b'\n', ED25519]).chain_update(public).finalize();
    digest.iter().take(4).fold(0, |id, byte| id << 8 | u32::from(*byte))
}

/// The bytes of base64 that is written in the one canonical way.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(text).ok()?;
    (STANDARD.encode(&bytes) == text).then_some(bytes)
}

pub(crate) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// A public key with the name of who signs with it.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    key: VerifyingKey,
}

impl VerifierKey {
    fn new(name: &str, key: VerifyingKey) -> Self {
        Self { name: name.to_owned(), id: key_id(name, key.as_bytes()), key }
    }

    /// Reads `name+id+base64`, the form of signed notes.
    ///
    /// # Errors
    /// [`NoteError::BadKey`].
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else { return Err(NoteError::BadKey) };
        let bytes = base64(key).ok_or(NoteError::BadKey)?;
        let [ED25519, public @ ..] = bytes.as_slice() else { return Err(NoteError::BadKey) };
        let public: &[u8; 32] = public.try_into().map_err(|_| NoteError::BadKey)?;
        let key = VerifyingKey::from_bytes(public).map_err(|_| NoteError::BadKey)?;
        let parsed = Self::new(name, key);
        if is_name(name) && format!("{:08x}", parsed.id) == id { Ok(parsed) } else { Err(NoteError::BadKey) }
    }

    /// Who signs with it; for a checkpoint it is the origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Checks the signature of a note by this key and answers its text, which ends with a newline.
    ///
    /// # Errors
    /// See [`NoteError`].
    pub fn open<'n>(&self, note: &'n str) -> Result<&'n str, NoteError> {
        let at = note.rfind(BREAK).ok_or(NoteError::Malformed)?;
        let (text, lines) = (note.get(..=at).unwrap_or_default(), note.get(at + BREAK.len()..).unwrap_or_default());
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        if text.len() < 2 || text.chars().any(|c| c.is_control() && c != '\n') {
            return Err(NoteError::Malformed);
        }
        let mut ours = None;
        for (count, line) in lines.split('\n').enumerate() {
            let (name, signature) = line.strip_prefix(DASH).and_then(|rest| rest.split_once(' ')).ok_or(NoteError::Malformed)?;
            let bytes = base64(signature).filter(|bytes| bytes.len() > 4 && is_name(name)).ok_or(NoteError::Malformed)?;
            if count == MAX_SIGNATURES {
                return Err(NoteError::Malformed);
            }
            let (id, signature) = bytes.split_at(4);
            if name == self.name && id == self.id.to_be_bytes() && ours.replace(signature.to_vec()).is_some() {
                return Err(NoteError::Malformed);
            }
        }
        let signature = ours.ok_or(NoteError::OtherKey { id: self.id })?;
        let signature = Signature::from_slice(&signature).map_err(|_| NoteError::BadSignature)?;
        // Strict: no second encoding of a signature is taken.
        self.key.verify_strict(text.as_bytes(), &signature).map_err(|_| NoteError::BadSignature)?;
        Ok(text)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![ED25519];
        bytes.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{:08x}+{}", self.name, self.id, to_base64(&bytes))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A private key with its name. It cannot be printed, and is wiped when dropped.
pub struct SignerKey {
    name: String,
    key: SigningKey,
}

impl SignerKey {
    /// The key whose private half are these 32 bytes, which must come from a source of randomness.
    ///
    /// # Errors
    /// [`NoteError::BadKey`] where the name may not stand in a note.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        if !is_name(name) {
            return Err(NoteError::BadKey);
        }
        Ok(Self { name: name.to_owned(), key: SigningKey::from_bytes(seed) })
    }

    /// Reads `PRIVATE+KEY+name+id+base64`, the form that Go's package `note` writes.
    ///
    /// # Errors
    /// [`NoteError::BadKey`].
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.strip_prefix(PRIVATE).ok_or(NoteError::BadKey)?.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else { return Err(NoteError::BadKey) };
        let bytes = base64(key).ok_or(NoteError::BadKey)?;
        let [ED25519, seed @ ..] = bytes.as_slice() else { return Err(NoteError::BadKey) };
        let key = Self::new(name, seed.try_into().map_err(|_| NoteError::BadKey)?)?;
        if format!("{:08x}", key.verifier().id) == id { Ok(key) } else { Err(NoteError::BadKey) }
    }

    /// What [`SignerKey::parse`] reads. It is for the file of the key and nothing else.
    #[must_use]
    pub fn secret_text(&self) -> String {
        let mut bytes = vec![ED25519];
        bytes.extend_from_slice(self.key.as_bytes());
        format!("{PRIVATE}{}+{:08x}+{}", self.name, self.verifier().id, to_base64(&bytes))
    }

    /// Its public half.
    #[must_use]
    pub fn verifier(&self) -> VerifierKey {
        VerifierKey::new(&self.name, self.key.verifying_key())
    }

    /// Signs a text that ends with a newline: equal texts give equal notes.
    ///
    /// # Errors
    /// [`NoteError::Malformed`] for any other text.
    pub fn sign(&self, text: &str) -> Result<String, NoteError> {
        if text.len() < 2 || !text.ends_with('\n') {
            return Err(NoteError::Malformed);
        }
        let mut bytes = key_id(&self.name, self.key.verifying_key().as_bytes()).to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.key.sign(text.as_bytes()).to_bytes());
        Ok(format!("{text}\n{DASH}{} {}\n", self.name, to_base64(&bytes)))
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignerKey").field("verifier", &self.verifier()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
