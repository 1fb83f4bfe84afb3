//! The demo desk's API key, kept beside its log so that a restart can show it again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Bytes of a key file that are read at most.
const MAX: u64 = 256;

/// Where the key of a demo desk is kept.
#[must_use]
pub fn path(data: &Path) -> PathBuf {
    data.join("demo-api-key")
}

/// The key of the demo desk in `data`.
///
/// # Errors
/// There is none, or it is not a key.
pub fn read(data: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path(data))?.take(MAX).read_to_string(&mut text)?;
    let key = text.trim().to_owned();
    if oms_api::auth::is_well_formed(&key) {
        return Ok(key);
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "the file does not hold an API key"))
}

/// The key of the demo desk in `data`, made where there is none. It is durable before it is recorded anywhere else,
/// so that a crash leaves no recorded key that nobody has.
///
/// # Errors
/// The system has no randomness, or the file cannot be written.
pub fn read_or_make(data: &Path) -> io::Result<String> {
    match read(data) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => (),
        other => return other,
    }
    let mut entropy = [0; 32];
    getrandom::fill(&mut entropy).map_err(io::Error::other)?;
    let key = oms_api::auth::new_key(entropy);
    let unfinished = data.join("demo-api-key.tmp");
    // What a crash left there was shown to nobody.
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => (),
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    writeln!(file, "{key}")?;
    file.sync_all()?;
    fs::rename(&unfinished, path(data))?;
    File::open(data)?.sync_all()?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_key_is_made_once_and_is_for_its_owner_alone() {
        let data = std::env::temp_dir().join(format!("oms-key-{}", std::process::id()));
        fs::create_dir_all(&data).unwrap();
        assert_eq!(read(&data).unwrap_err().kind(), io::ErrorKind::NotFound);
        let key = read_or_make(&data).unwrap();
        assert!(oms_api::auth::is_well_formed(&key));
        assert_eq!(read_or_make(&data).unwrap(), key, "a restart shows the same key");
        assert_eq!(fs::metadata(path(&data)).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(path(&data), "oms_test_broken").unwrap();
        assert_eq!(read_or_make(&data).unwrap_err().kind(), io::ErrorKind::InvalidData, "a broken file is not replaced silently");
        fs::remove_dir_all(&data).unwrap();
    }
}
