//! Secrets that settings name instead of holding.

use crate::Secret;
use std::path::Path;

/// Why a reference leads to nothing. It shows the reference, never what it leads to.
#[derive(Debug, thiserror::Error)]
pub enum NoReference {
    /// The environment has no such variable.
    #[error("the environment has no {0}")]
    Environment(String),
    /// The file cannot be read.
    #[error("{0}: {1}")]
    File(String, std::io::Error),
}

/// The secret that a setting means: `env:NAME` is a variable of the environment, `file:PATH` the contents of a file without
/// the newline at its end, anything else is the secret itself.
///
/// # Errors
/// [`NoReference`].
pub fn resolve(setting: &str) -> Result<Secret, NoReference> {
    if let Some(name) = setting.strip_prefix("env:") {
        return std::env::var(name).map(|text| Secret::new(text.into_bytes())).map_err(|_| NoReference::Environment(name.to_owned()));
    }
    if let Some(path) = setting.strip_prefix("file:") {
        let mut bytes = std::fs::read(Path::new(path)).map_err(|error| NoReference::File(path.to_owned(), error))?;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        return Ok(Secret::new(bytes));
    }
    Ok(Secret::of(setting))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_names_its_secret_or_is_it() {
        let path = std::env::temp_dir().join(format!("oms-reference-{}", std::process::id()));
        std::fs::write(&path, "from a file\n").unwrap();
        assert_eq!(resolve(&format!("file:{}", path.display())).unwrap().expose(), b"from a file");
        std::fs::remove_file(&path).unwrap();
        assert!(resolve(&format!("file:{}", path.display())).is_err());
        assert_eq!(resolve("plain").unwrap().expose(), b"plain");
        let home = std::env::var("PATH").unwrap();
        assert_eq!(resolve("env:PATH").unwrap().expose(), home.as_bytes());
        assert_eq!(resolve("env:OMS_NO_SUCH_VARIABLE").unwrap_err().to_string(), "the environment has no OMS_NO_SUCH_VARIABLE");
    }
}
