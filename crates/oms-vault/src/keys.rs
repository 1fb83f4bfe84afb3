//! Data keys in files, wrapped.
//!
//! ```text
//! oms data keys 1
//! owner tenant 0199...
//! key 1 local:1 <wrapped>
//! key 2 local:2 <wrapped>
//! ```
//!
//! The file of an owner whose keys were destroyed says so, so that no new key is made under the old name unseen.

use crate::master::{Master, Wrapped};
use crate::seal::{self, KEY, Place, Sealed};
use crate::{Secret, VaultError, random};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zeroize::Zeroizing;

const FIRST: &str = "oms data keys 1";
const DESTROYED: &str = "destroyed";
const BAD: VaultError = VaultError::Malformed("a file of data keys");
/// Owners whose keys are kept unwrapped.
const MAX_KEPT: usize = 10_000;

/// Whose keys they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// The desk's own.
    Desk,
    /// A tenant's, by its id.
    Tenant(u128),
    /// A person's, whose data they encrypt, by an id that says nothing of the person.
    Subject(u128),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Desk => f.write_str("desk"),
            Self::Tenant(id) => write!(f, "tenant-{id:032x}"),
            Self::Subject(id) => write!(f, "subject-{id:032x}"),
        }
    }
}

impl Owner {
    fn parse(text: &str) -> Option<Self> {
        if text == "desk" {
            return Some(Self::Desk);
        }
        let (kind, id) = text.split_once('-')?;
        let id = u128::from_str_radix(id, 16).ok()?;
        let owner = match kind {
            "tenant" => Self::Tenant(id),
            "subject" => Self::Subject(id),
            _ => return None,
        };
        (owner.to_string() == text).then_some(owner)
    }
}

/// What a job of wrapping anew came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rewrapped {
    /// Keys that were wrapped by an older master key and are no more.
    pub rewrapped: u64,
    /// Keys that had the current one already.
    pub current: u64,
    /// Owners whose keys were destroyed.
    pub destroyed: u64,
}

type Versions = BTreeMap<u32, Zeroizing<[u8; KEY]>>;

/// The data keys of a desk.
pub struct Keys {
    dir: PathBuf,
    master: Arc<dyn Master>,
    kept: Mutex<BTreeMap<Owner, Versions>>,
}

/// A file of keys, as it is stored.
enum Stored {
    Keys(BTreeMap<u32, Wrapped>),
    Destroyed,
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> VaultError + use<> {
    let path = path.display().to_string();
    move |error| VaultError::File { path: path.clone(), error }
}

impl Stored {
    fn parse(text: &str, owner: Owner) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        (lines.next()? == FIRST && lines.next()? == format!("owner {owner}")).then_some(())?;
        let mut keys = BTreeMap::new();
        for line in lines {
            if line == DESTROYED {
                return Some(Self::Destroyed);
            }
            let mut words = line.strip_prefix("key ")?.split(' ');
            let (version, master, text) = (words.next()?.parse().ok()?, words.next()?.to_owned(), words.next()?.to_owned());
            (words.next().is_none() && keys.insert(version, Wrapped { master, text }).is_none()).then_some(())?;
        }
        (!keys.is_empty()).then_some(Self::Keys(keys))
    }

    fn text(&self, owner: Owner) -> String {
        let mut text = format!("{FIRST}\nowner {owner}\n");
        match self {
            Self::Destroyed => text.push_str(&format!("{DESTROYED}\n")),
            Self::Keys(keys) => {
                keys.iter().for_each(|(version, wrapped)| text.push_str(&format!("key {version} {} {}\n", wrapped.master, wrapped.text)));
            }
        }
        text
    }
}

impl Keys {
    /// The keys in `dir`, which is made where it is not there.
    ///
    /// # Errors
    /// [`VaultError::File`].
    pub fn open(dir: &Path, master: Arc<dyn Master>) -> Result<Self, VaultError> {
        std::fs::create_dir_all(dir).map_err(failed(dir))?;
        Ok(Self { dir: dir.to_owned(), master, kept: Mutex::default() })
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<Owner, Versions>> {
        // Every change to it is one insertion or removal.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, owner: Owner) -> PathBuf {
        self.dir.join(format!("{owner}.keys"))
    }

    fn stored(&self, owner: Owner) -> Result<Option<Stored>, VaultError> {
        let path = self.path(owner);
        match std::fs::read_to_string(&path) {
            Ok(text) => Stored::parse(&text, owner).map(Some).ok_or(BAD),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&path)(error)),
        }
    }

    /// Writes a whole file or none, durably.
    fn store(&self, owner: Owner, stored: &Stored) -> Result<(), VaultError> {
        let path = self.path(owner);
        let unfinished = path.with_extension("tmp");
        let write = || {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
            file.write_all(stored.text(owner).as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&unfinished, &path)?;
            File::open(&self.dir)?.sync_all()
        };
        write().map_err(failed(&path))
    }

    /// Does something with the unwrapped keys of an owner.
    fn with<T>(
        &self,
        owner: Owner,
        kept: &mut BTreeMap<Owner, Versions>,
        work: impl FnOnce(&Versions) -> T,
    ) -> Result<Option<T>, VaultError> {
        if let Some(versions) = kept.get(&owner) {
            return Ok(Some(work(versions)));
        }
        let keys = match self.stored(owner)? {
            None => return Ok(None),
            Some(Stored::Destroyed) => return Err(VaultError::Destroyed),
            Some(Stored::Keys(keys)) => keys,
        };
        let mut versions = Versions::new();
        for (version, wrapped) in keys {
            let key = self.master.unwrap(&wrapped, &bound(owner, version))?;
            versions.insert(version, Zeroizing::new(key.expose().try_into().map_err(|_| BAD)?));
        }
        if kept.len() == MAX_KEPT {
            kept.pop_first();
        }
        Ok(Some(work(kept.entry(owner).or_insert(versions))))
    }

    /// Encrypts a value for its place with the newest key of `owner`, which is made where there is none.
    ///
    /// # Errors
    /// [`VaultError::Destroyed`] where the owner's keys were destroyed; others of files and master key.
    pub fn seal(&self, owner: Owner, place: &Place<'_>, secret: &Secret) -> Result<Sealed, VaultError> {
        let mut kept = self.kept();
        let sealing = |versions: &Versions| {
            let (version, key) = versions.iter().next_back().ok_or(BAD)?;
            seal::seal(key, *version, place, secret.expose())
        };
        if let Some(sealed) = self.with(owner, &mut kept, sealing)? {
            return sealed;
        }
        self.add(owner, &mut kept)?;
        self.with(owner, &mut kept, sealing)?.ok_or(BAD)?
    }

    /// Reads a value in its place.
    ///
    /// # Errors
    /// [`VaultError::Destroyed`] where it is erased, [`VaultError::Refused`], [`VaultError::NoKey`]; others of files and
    /// master key.
    pub fn open_sealed(&self, owner: Owner, place: &Place<'_>, sealed: &Sealed) -> Result<Secret, VaultError> {
        let missing = || VaultError::NoKey(format!("{} of {owner}", sealed.key_version()));
        let opening = |versions: &Versions| {
            let key = versions.get(&sealed.key_version()).ok_or_else(missing)?;
            seal::open(key, place, sealed)
        };
        self.with(owner, &mut self.kept(), opening)?.ok_or_else(missing)?
    }

    /// Adds the next version of an owner's key; what was encrypted with earlier ones can still be read.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn renew(&self, owner: Owner) -> Result<u32, VaultError> {
        self.add(owner, &mut self.kept())
    }

    fn add(&self, owner: Owner, kept: &mut BTreeMap<Owner, Versions>) -> Result<u32, VaultError> {
        let mut keys = match self.stored(owner)? {
            None => BTreeMap::new(),
            Some(Stored::Destroyed) => return Err(VaultError::Destroyed),
            Some(Stored::Keys(keys)) => keys,
        };
        let version = keys.keys().next_back().map_or(1, |last| last + 1);
        let key = Secret::new(random::<KEY>()?.to_vec());
        keys.insert(version, self.master.wrap(&key, &bound(owner, version))?);
        self.store(owner, &Stored::Keys(keys))?;
        kept.remove(&owner);
        Ok(version)
    }

    /// Destroys the keys of a person: everything that they encrypted is erased, wherever copies of it lie. Doing it again
    /// changes nothing. Copies of the key file, such as backups, must be let go of too.
    ///
    /// # Errors
    /// [`VaultError::File`]: then it is not known to be done.
    pub fn destroy(&self, subject: u128) -> Result<(), VaultError> {
        let owner = Owner::Subject(subject);
        let mut kept = self.kept();
        kept.remove(&owner);
        let path = self.path(owner);
        // Where the file system writes in place, the wrapped keys are gone from the device too.
        match OpenOptions::new().write(true).open(&path) {
            Ok(mut file) => {
                let wipe = |file: &mut File| {
                    let len = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
                    file.write_all(&vec![b'0'; len])?;
                    file.sync_all()
                };
                // A wiped file that was not replaced yet is malformed, and is replaced by the next try.
                wipe(&mut file).map_err(failed(&path))?;
            }
            Err(error) if error.kind() == ErrorKind::NotFound => (),
            Err(error) => return Err(failed(&path)(error)),
        }
        self.store(owner, &Stored::Destroyed)
    }

    /// Wraps every key anew that is not wrapped by the current master key. What they encrypt does not change. It can be
    /// interrupted and run again.
    ///
    /// # Errors
    /// [`VaultError`]; what was done before is done.
    pub fn rewrap(&self) -> Result<Rewrapped, VaultError> {
        let current = self.master.current()?;
        let mut done = Rewrapped::default();
        let kept = self.kept();
        for entry in std::fs::read_dir(&self.dir).map_err(failed(&self.dir))? {
            let name = entry.map_err(failed(&self.dir))?.file_name();
            let Some(owner) = name.to_str().and_then(|name| Owner::parse(name.strip_suffix(".keys")?)) else { continue };
            match self.stored(owner)? {
                None => (),
                Some(Stored::Destroyed) => done.destroyed += 1,
                Some(Stored::Keys(mut keys)) => {
                    let mut changed = false;
                    for (version, wrapped) in &mut keys {
                        if wrapped.master == current {
                            done.current += 1;
                            continue;
                        }
                        let bound = bound(owner, *version);
                        *wrapped = self.master.wrap(&self.master.unwrap(wrapped, &bound)?, &bound)?;
                        done.rewrapped += 1;
                        changed = true;
                    }
                    if changed {
                        self.store(owner, &Stored::Keys(keys))?;
                    }
                }
            }
        }
        drop(kept);
        Ok(done)
    }
}

/// What a wrapped key is bound to.
fn bound(owner: Owner, version: u32) -> String {
    format!("{owner} {version}")
}

#[cfg(test)]
mod tests;
