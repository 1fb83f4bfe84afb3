//! A master key that the machine holds: in a file, or in the environment.

use super::{Master, Wrapped};
use crate::seal::{KEY, open_raw, seal_raw};
use crate::{Secret, VaultError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

const BAD: VaultError = VaultError::Malformed("a master key");

/// One or more versions of a key; the highest wraps, the others only unwrap until everything was wrapped anew.
pub struct LocalMaster {
    name: &'static str,
    versions: BTreeMap<u32, Zeroizing<[u8; KEY]>>,
}

impl LocalMaster {
    /// Reads a line for each version: its number, a colon, and the base64 of 32 random bytes. Empty lines and such that begin
    /// with `#` say nothing.
    ///
    /// # Errors
    /// [`VaultError::Malformed`], which does not show the text.
    pub fn parse(text: &Secret) -> Result<Self, VaultError> {
        let mut versions = BTreeMap::new();
        let lines = text.expose_text().ok_or(BAD)?.lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (version, key) = line.split_once(':').ok_or(BAD)?;
            let version: u32 = version.trim().parse().map_err(|_| BAD)?;
            let bytes = Zeroizing::new(STANDARD.decode(key.trim()).map_err(|_| BAD)?);
            let key = Zeroizing::new(<[u8; KEY]>::try_from(bytes.as_slice()).map_err(|_| BAD)?);
            if version == 0 || versions.insert(version, key).is_some() {
                return Err(BAD);
            }
        }
        if versions.is_empty() { Err(BAD) } else { Ok(Self { name: "local", versions }) }
    }

    /// A key that an installation keeps for itself, where nobody names one: 32 bytes.
    ///
    /// # Errors
    /// [`VaultError::Malformed`].
    pub fn own(key: &Secret) -> Result<Self, VaultError> {
        let key = Zeroizing::new(<[u8; KEY]>::try_from(key.expose()).map_err(|_| BAD)?);
        Ok(Self { name: "own", versions: BTreeMap::from([(1, key)]) })
    }

    /// A line of a new version, as [`LocalMaster::parse`] reads it.
    ///
    /// # Errors
    /// [`VaultError::Randomness`].
    pub fn generate(version: u32) -> Result<Secret, VaultError> {
        let key = crate::random::<KEY>()?;
        Ok(Secret::new(format!("{version}:{}\n", STANDARD.encode(key.as_slice())).into_bytes()))
    }
}

/// What a wrapped key is bound to.
fn bound(master: &str, owner: &str) -> Vec<u8> {
    format!("oms data key\n{master}\n{owner}").into_bytes()
}

impl Master for LocalMaster {
    fn current(&self) -> Result<String, VaultError> {
        self.versions.keys().next_back().map(|version| format!("{}:{version}", self.name)).ok_or(BAD)
    }

    fn wrap(&self, key: &Secret, owner: &str) -> Result<Wrapped, VaultError> {
        let (version, master) = self.versions.iter().next_back().ok_or(BAD)?;
        let name = format!("{}:{version}", self.name);
        let wrapped = seal_raw(master, &bound(&name, owner), key.expose())?;
        Ok(Wrapped { text: STANDARD.encode(wrapped), master: name })
    }

    fn unwrap(&self, wrapped: &Wrapped, owner: &str) -> Result<Secret, VaultError> {
        let version = wrapped.master.strip_prefix(self.name).and_then(|text| text.strip_prefix(':')?.parse::<u32>().ok());
        let master = version.and_then(|version| self.versions.get(&version)).ok_or_else(|| VaultError::NoKey(wrapped.master.clone()))?;
        let bytes = STANDARD.decode(&wrapped.text).map_err(|_| VaultError::Malformed("a wrapped key"))?;
        open_raw(master, &bound(&wrapped.master, owner), &bytes)
    }
}
