//! The signing key, in a file that only its owner may read.

use super::AuditError;
use oms_audit::{SignerKey, VerifierKey};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The key in `dir`, which is made from `seed` where there is none. `open` undoes what `seal` does to the file's text, so
/// that it need not lie open.
///
/// # Errors
/// [`AuditError::File`]; [`AuditError::Note`] where it is no key, or that of another origin.
pub fn signer(
    dir: &Path,
    origin: &str,
    seed: impl FnOnce() -> std::io::Result<[u8; 32]>,
    seal: impl FnOnce(&str) -> std::io::Result<String>,
    open: impl FnOnce(String) -> std::io::Result<String>,
) -> Result<SignerKey, AuditError> {
    let path = dir.join("key");
    let failed = AuditError::file(&path);
    let bad = AuditError::note(&path);
    std::fs::create_dir_all(dir).map_err(AuditError::file(dir))?;
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let key = SignerKey::parse(open(text).map_err(failed)?.trim()).map_err(&bad)?;
            if key.verifier().name() == origin { Ok(key) } else { Err(bad(oms_audit::note::NoteError::OtherKey { id: 0 })) }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let key = SignerKey::new(origin, &seed().map_err(&failed)?).map_err(bad)?;
            write_new(&path, 0o600, &seal(&key.secret_text()).map_err(&failed)?).map_err(&failed)?;
            let public = dir.join("key.pub");
            write_new(&public, 0o644, &format!("{}\n", key.verifier())).map_err(AuditError::file(&public))?;
            File::open(dir).and_then(|dir| dir.sync_all()).map_err(AuditError::file(dir))?;
            Ok(key)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Writes a whole file or none.
fn write_new(path: &Path, mode: u32, text: &str) -> std::io::Result<()> {
    let unfinished = path.with_extension("tmp");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)
}

/// The public key in `dir`.
///
/// # Errors
/// [`AuditError::File`], [`AuditError::Note`].
pub fn public(dir: &Path) -> Result<VerifierKey, AuditError> {
    let path = dir.join("key.pub");
    let text = std::fs::read_to_string(&path).map_err(AuditError::file(&path))?;
    VerifierKey::parse(text.trim()).map_err(AuditError::note(&path))
}
