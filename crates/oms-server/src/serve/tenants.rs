//! Where the desks of a process lie: the first in the data folder itself, every other in a folder of its own below.

use super::demo::{execute, new_id};
use super::settings::Desk;
use super::tenant::{open, start};
use crate::cli::{Serve, Stored, Tenant as Verb};
use crate::config::Settings;
use crate::exit::{Failure, Outcome, written};
use oms_api::auth;
use oms_api::tenants::MAX_TENANTS;
use oms_model::command::{Actor, Command};
use oms_model::{ApiKeyId, Source, TenantId, UserId};
use oms_runtime::MarketBook;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The longest name of a tenant.
const MAX_SLUG: usize = 40;

/// The folder of every tenant but the first.
#[must_use]
pub fn folder(data: &Path) -> PathBuf {
    data.join("tenants")
}

/// Whether it can name a tenant: small letters, digits and hyphens, beginning with a letter.
#[must_use]
pub fn is_slug(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    name.len() <= MAX_SLUG && name.bytes().all(plain) && name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.ends_with('-')
}

/// The names of the tenants below a data folder, sorted.
///
/// # Errors
/// [`Failure::Usage`] where the folder cannot be read.
pub fn names(data: &Path) -> Result<Vec<String>, Failure> {
    let folder = folder(data);
    let failed = |error: std::io::Error| Failure::Usage(format!("{}: {error}", folder.display()));
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        // What was founded in part has a name that is none.
        if is_slug(&name) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// `oms tenant`.
///
/// # Errors
/// See [`found`].
pub fn run(verb: &Verb, settings: Settings) -> Outcome {
    let of = |stored: &Stored| {
        Desk::of(&Serve { demo: false, data: stored.data.clone(), listen: None, fix: None, speed: None, seed: None }, settings)
    };
    let Verb::Create { name, stored } = verb;
    let (tenant_id, api_key) = (TenantId::from_u128(new_id()?), new_key()?);
    found(&of(stored)?, name, tenant_id, Some(&api_key))?;
    let text = if stored.json {
        format!("{}\n", serde_json::json!({"name": name, "tenant_id": tenant_id.to_string(), "api_key": api_key}))
    } else {
        format!("tenant   {name}  {tenant_id}\nAPI key  {api_key}   (shown this once)\n")
    };
    written(std::io::stdout().lock().write_all(text.as_bytes()))
}

fn new_key() -> Result<String, Failure> {
    let mut entropy = [0; 32];
    getrandom::fill(&mut entropy).map_err(|error| Failure::Fault(format!("the system has no randomness: {error}")))?;
    Ok(auth::new_key(entropy))
}

/// Founds a tenant: a log of its own that names it and, where one is given, has a key. In the data folder itself where there is no log yet,
/// else below it. The folder takes its name at the very end, so that a tenant is there wholly or not at all.
///
/// # Errors
/// [`Failure::Usage`] for a name that is none or is taken, [`Failure::Refused`] where there are too many.
pub fn found(desk: &Desk, slug: &str, tenant_id: TenantId, api_key: Option<&str>) -> Outcome {
    if !is_slug(slug) {
        let wanted = "small letters, digits and hyphens, beginning with a letter and not ending with a hyphen";
        return Err(Failure::Usage(format!("{slug:?} is no name of a tenant: at most {MAX_SLUG} of {wanted}")));
    }
    let first = !desk.log_dir().exists();
    let known = names(&desk.data)?;
    if known.len() + usize::from(!first) >= MAX_TENANTS {
        return Err(Failure::Refused(format!("there are {MAX_TENANTS} tenants")));
    }
    let place = folder(&desk.data).join(slug);
    if !first && place.exists() {
        return Err(Failure::Usage(format!("there is a tenant called {slug}")));
    }
    let failed = |error: std::io::Error| Failure::Fault(format!("{}: {error}", place.display()));
    let unfinished = folder(&desk.data).join(format!("{slug}.unfinished"));
    if unfinished.exists() {
        // What a crash left there has a key that nobody was shown.
        fs::remove_dir_all(&unfinished).map_err(failed)?;
    }
    fs::create_dir_all(&unfinished).map_err(failed)?;
    write(&desk.at(unfinished.clone())?, slug, tenant_id, api_key)?;
    let (from, to) = if first { (unfinished.join("log"), desk.log_dir()) } else { (unfinished.clone(), place.clone()) };
    fs::rename(from, &to).map_err(failed)?;
    if first {
        fs::remove_dir_all(&unfinished).map_err(failed)?;
    }
    fs::File::open(to.parent().unwrap_or(&desk.data)).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// The log of a new tenant.
fn write(desk: &Desk, slug: &str, tenant_id: TenantId, api_key: Option<&str>) -> Outcome {
    let partition = start(desk, open(desk)?, &Arc::new(MarketBook::new()))?;
    let handle = partition.handle().clone();
    let actor = Actor { tenant_id, user_id: UserId::default(), api_key_id: None, source: Source::System };
    execute(&handle, actor, Command::CreateTenant { tenant_id, slug: slug.to_owned() })?;
    if let Some(key) = api_key {
        let (api_key_id, user_id) = (ApiKeyId::from_u128(new_id()?), UserId::from_u128(new_id()?));
        let (prefix, sha256) = (auth::key_prefix(key), auth::key_hash(key));
        execute(&handle, actor, Command::CreateApiKey { api_key_id, user_id, prefix, sha256 })?;
    }
    partition.stop().map(drop).ok_or_else(|| Failure::Fault("the new log cannot be closed".to_owned()))
}

impl Desk {
    /// The same settings for the desk of another tenant in this folder: no demo, of what speaks FIX what names this tenant,
    /// and no connection to a broker: those settings are the first tenant's.
    ///
    /// # Errors
    /// [`Failure::Usage`].
    pub fn at(&self, data: PathBuf) -> Result<Self, Failure> {
        let mut settings = self.settings.clone();
        let name = data.file_name().and_then(|name| name.to_str());
        settings.fix.sessions.retain(|session| name.is_some_and(|name| session.tenant == name));
        settings.fix.sessions.iter_mut().for_each(|session| session.tenant.clear());
        settings.fix.venues.retain(|venue| name.is_some_and(|name| venue.tenant == name));
        settings.fix.venues.iter_mut().for_each(|venue| venue.tenant.clear());
        if settings.fix.sessions.is_empty() {
            settings.fix.listen.clear();
        }
        settings.ib.venues.clear();
        // Its log is another, and its signatures say so.
        if let Some(name) = name {
            settings.audit.origin = format!("{}/{}", settings.audit.origin, name.trim_end_matches(".unfinished"));
        }
        let listen = Some(self.listen.to_string());
        let flags = Serve { demo: false, data: Some(data), listen, fix: None, speed: None, seed: None };
        Ok(Self { speed: self.speed, ..Self::of(&flags, settings)? })
    }

    /// Whether every tenant that a FIX session or venue names is there.
    ///
    /// # Errors
    /// [`Failure::Usage`] naming the one that is not.
    pub fn require_tenants(&self) -> Outcome {
        let (fix, known) = (&self.settings.fix, names(&self.data)?);
        let sessions = fix.sessions.iter().map(|session| ("sessions", &session.comp_id, &session.tenant));
        let venues = fix.venues.iter().map(|venue| ("venues", &venue.venue, &venue.tenant));
        match sessions.chain(venues).find(|(.., tenant)| !tenant.is_empty() && !known.contains(tenant)) {
            Some((what, which, tenant)) => {
                Err(Failure::Usage(format!("fix.{what}: {which}: there is no tenant called {tenant:?} besides the first, whose need none")))
            }
            None => Ok(()),
        }
    }

    /// The desks of every tenant but the first.
    ///
    /// # Errors
    /// [`Failure::Usage`].
    pub fn others(&self) -> Result<Vec<Self>, Failure> {
        names(&self.data)?.into_iter().map(|name| self.at(folder(&self.data).join(name))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn desk(name: &str) -> Desk {
        let data = std::env::temp_dir().join(format!("oms-tenants-{}-{name}", std::process::id()));
        let flags = Serve { demo: false, data: Some(data), listen: None, fix: None, speed: None, seed: None };
        Desk::of(&flags, config::load(None, std::iter::empty()).unwrap().settings).unwrap()
    }

    #[test]
    fn a_tenant_is_there_wholly_or_not_at_all() {
        let desk = desk("found");
        let found = |desk: &Desk, slug: &str, n: u128| found(desk, slug, TenantId::from_u128(n), Some(&new_key()?));
        for bad in ["", "A", "1a", "a_b", "a/b", "..", "a-", "a.unfinished", &"a".repeat(41)] {
            assert_eq!(found(&desk, bad, 1).err().unwrap().code(), 2, "{bad}");
        }
        found(&desk, "alpha", 1).unwrap();
        assert!(desk.log_dir().exists() && names(&desk.data).unwrap().is_empty(), "the first lies in the folder itself");
        // A crash while the second was founded left something behind.
        fs::create_dir_all(folder(&desk.data).join("beta.unfinished/log")).unwrap();
        assert!(names(&desk.data).unwrap().is_empty(), "what was not finished is not there");
        found(&desk, "beta", 2).unwrap();
        assert_eq!(found(&desk, "beta", 3).err().unwrap().code(), 2);
        assert_eq!(names(&desk.data).unwrap(), ["beta"]);
        let others: Vec<PathBuf> = desk.others().unwrap().iter().map(Desk::log_dir).collect();
        assert_eq!(others, [folder(&desk.data).join("beta/log")]);
        assert!(others[0].exists());
        let origins: Vec<String> = desk.others().unwrap().into_iter().map(|other| other.settings.audit.origin).collect();
        assert_eq!(origins, ["oms.local/desk/beta"], "its signatures are not those of another log");
        fs::remove_dir_all(&desk.data).unwrap();
    }
}
