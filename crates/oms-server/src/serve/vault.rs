//! The data keys of a desk, as the settings say.

use crate::config::Vault;
use crate::exit::Failure;
use oms_vault::{Keys, LocalMaster, Master, Transit, resolve};
use std::path::Path;
use std::sync::Arc;

/// The master key; `None` where nothing is encrypted.
///
/// # Errors
/// [`Failure::Usage`], which shows no secret.
pub fn master(settings: &Vault) -> Result<Option<Arc<dyn Master>>, Failure> {
    let bad = |what: &str, error: &dyn std::fmt::Display| Failure::Usage(format!("vault.{what}: {error}"));
    let named = settings.master_key.as_str();
    if named.is_empty() {
        return Ok(None);
    }
    if let Some(key) = named.strip_prefix("transit:") {
        let token = resolve(&settings.transit_token).map_err(|error| bad("transit_token", &error))?;
        let roots = match settings.transit_ca.as_str() {
            "" => Vec::new(),
            path => std::fs::read(path).map_err(|error| bad("transit_ca", &error))?,
        };
        let transit = Transit::new(&settings.transit_url, &settings.transit_mount, key, token, &roots);
        return Ok(Some(Arc::new(transit.map_err(|error| bad("transit_ca", &error))?)));
    }
    if !named.starts_with("file:") && !named.starts_with("env:") {
        return Err(bad("master_key", &"must begin with file:, env: or transit:; the key itself does not stand in settings"));
    }
    let text = resolve(named).map_err(|error| bad("master_key", &error))?;
    let master = LocalMaster::parse(&text).map_err(|error| bad("master_key", &error))?;
    Ok(Some(Arc::new(master)))
}

/// The data keys in `dir`; `None` where nothing is encrypted.
///
/// # Errors
/// [`Failure::Usage`].
pub fn keys(settings: &Vault, dir: &Path) -> Result<Option<Keys>, Failure> {
    let Some(master) = master(settings)? else { return Ok(None) };
    Keys::open(dir, master).map(Some).map_err(|error| Failure::Usage(format!("vault: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(master_key: &str) -> Vault {
        let vault = crate::config::load(None, std::iter::empty()).unwrap().settings.vault;
        Vault { master_key: master_key.to_owned(), ..vault }
    }

    #[test]
    fn a_master_key_is_named_and_never_written_into_settings() {
        assert!(master(&settings("")).unwrap().is_none());
        let error = master(&settings("1:aHVudGVyMg==")).err().unwrap().to_string();
        assert!(error.contains("vault.master_key") && !error.contains("aHVudGVyMg"), "{error}");
        let path = std::env::temp_dir().join(format!("oms-master-{}", std::process::id()));
        std::fs::write(&path, LocalMaster::generate(4).unwrap().expose()).unwrap();
        let found = master(&settings(&format!("file:{}", path.display()))).unwrap().unwrap();
        assert_eq!(found.current().unwrap(), "local:4");
        std::fs::write(&path, "4:c2hvcnQ=").unwrap();
        let error = master(&settings(&format!("file:{}", path.display()))).err().unwrap().to_string();
        assert!(error.contains("malformed") && !error.contains("c2hvcnQ"), "{error}");
        std::fs::remove_file(path).unwrap();
        assert!(master(&settings("transit:oms")).unwrap().is_some());
    }
}
