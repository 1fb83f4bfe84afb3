//! Settings: the compiled-in default, a file, the environment, in this order.
//!
//! The default file is the reference: a key that it does not have is refused, wherever it comes from.

use crate::exit::Failure;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The reference, with its comments.
pub const DEFAULT: &str = include_str!("config.default.toml");

/// Shorter names of settings that people type.
const ALIASES: [(&str, &str); 2] = [("OMS_URL", "client.url"), ("OMS_API_KEY", "client.api_key")];

/// Endings of keys whose values are never shown.
const SECRET: [&str; 4] = ["key", "secret", "password", "token"];

/// Every setting.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The process.
    pub server: Server,
    /// Logging.
    pub log: Log,
    /// The partition's loop.
    pub engine: Engine,
    /// When markets are open.
    pub calendars: Calendars,
    /// The log.
    pub journal: Journal,
    /// Signed checkpoints of the log.
    pub audit: Audit,
    /// The interface.
    pub api: Api,
    /// gRPC.
    pub grpc: Grpc,
    /// How its connections are encrypted.
    pub tls: Tls,
    /// The keys that secrets at rest are encrypted with.
    pub vault: Vault,
    /// Accounts.
    pub identity: Identity,
    /// Clients that speak FIX.
    pub fix: Fix,
    /// Gateways of Interactive Brokers.
    pub ib: Ib,
    /// The paper venues.
    pub paper: Paper,
    /// A new demo desk.
    pub demo: Demo,
    /// The commands that talk to a desk.
    pub client: Client,
}

/// See `config.default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the default file says what each means")]
pub struct Server {
    pub listen: String,
    pub data: PathBuf,
    pub threads: usize,
}

/// See `config.default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the default file says what each means")]
pub struct Log {
    pub format: LogFormat,
    pub filter: String,
}

/// For whom lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// See `config.default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the default file says what each means")]
pub struct Engine {
    pub queue: usize,
    pub max_group: usize,
    pub snapshot_on_stop: bool,
    pub send_within_ms: u32,
    pub day_end_utc: String,
    pub day_open_utc: String,
    pub on_close_lead_s: u32,
}

/// See `config.default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the default file says what each means")]
pub struct Calendars {
    pub listings: String,
    pub maintenance: String,
    pub file: String,
}

/// See `config.default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the default file says what each means")]
pub struct Journal {
    pub segment_mib: u64,
    pub check: Check,
}

/// See `config.default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the default file says what each means")]
pub struct Audit {
    pub enabled: bool,
    pub origin: String,
    pub interval_s: u32,
}

/// How much of the log is verified at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Check {
    /// All of it.
    Everything,
    /// Its last segment.
    Tail,
}

/// See `config.default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the default file says what each means")]
pub struct Api {
    pub max_body_bytes: usize,
    pub max_requests: usize,
    pub protected_requests: usize,
    pub max_streams: usize,
    pub max_connections: usize,
    pub head_timeout_ms: u64,
    pub body_timeout_ms: u64,
    pub read_wait_ms: u64,
    pub drain_ms: u64,
    pub trusted_proxies: String,
    pub allowed_origins: String,
    pub secure: bool,
    pub reads_per_s: u32,
    pub writes_per_s: u32,
    pub cancels_per_s: u32,
    pub sign_ins_per_min: u32,
    pub tenant_times: u32,
}

/// See `config.default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the default file says what each means")]
pub struct Identity {
    pub issuer: String,
    pub audience: String,
    pub access_s: u32,
    pub refresh_s: u32,
    pub cookie_s: u32,
    pub step_up_s: u32,
    pub signing_s: u32,
    pub password_memory_kib: u32,
    pub password_passes: u32,
    pub passwords_at_once: usize,
    pub external_issuer: String,
    pub external_jwks_uri: String,
    pub external_audience: String,
    pub external_tenant_claim: String,
    pub external_scope_claim: String,
    pub external_names: String,
}

/// See `config.default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the default file says what each means")]
pub struct Grpc {
    pub listen: String,
    pub clients: String,
}

/// See `config.default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the default file says what each means")]
pub struct Tls {
    pub certificate: String,
    pub key: String,
    pub clients: String,
}

/// See `config.default.toml`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the default file says what each means")]
pub struct Vault {
    pub master_key: String,
    pub transit_url: String,
    pub transit_mount: String,
    pub transit_ca: String,
    pub transit_token: String,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Its token is never shown.
        f.debug_struct("Vault").field("transit_url", &self.transit_url).finish_non_exhaustive()
    }
}

/// See `config.default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the default file says what each means")]
pub struct Fix {
    pub listen: String,
    pub comp_id: String,
    pub tls_certificate: String,
    pub tls_key: String,
    pub tls_clients: String,
    pub sessions: Vec<FixSession>,
    pub venues: Vec<FixVenue>,
}

/// See `config.default.toml`. What is not said has its default there.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "the default file says what each means")]
pub struct FixSession {
    pub comp_id: String,
    pub tenant: String,
    pub kind: String,
    pub scopes: Vec<String>,
    pub accounts: Vec<String>,
    pub users: Vec<String>,
    pub username: String,
    pub password: String,
    pub user_id: String,
    pub account: String,
    pub allowed: Vec<String>,
    pub certificate_sha256: String,
    pub reset_on_logon: bool,
    pub cancel_on_disconnect_s: Option<u32>,
    pub orders_per_second: Option<u32>,
    pub opens: String,
    pub closes: String,
    pub days: Vec<String>,
    pub zone: String,
    pub holidays: Vec<String>,
}

impl std::fmt::Debug for FixSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Its password is never shown.
        f.debug_struct("FixSession").field("comp_id", &self.comp_id).finish_non_exhaustive()
    }
}

/// See `config.default.toml`. What is not said has its default there.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "the default file says what each means")]
pub struct FixVenue {
    pub venue: String,
    pub tenant: String,
    pub endpoints: Vec<String>,
    pub comp_id: String,
    pub own_comp_id: String,
    pub username: String,
    pub password: String,
    pub account: String,
    pub heartbeat_s: Option<u32>,
    pub reset_on_logon: bool,
    pub orders_per_second: Option<u32>,
    pub cancels_per_second: Option<u32>,
    pub patience_ms: Option<u64>,
    pub tls_roots: String,
    pub tls_name: String,
    pub tls_certificate: String,
    pub tls_key: String,
    pub dialect: String,
    pub dialect_file: String,
    pub drop_copy: Option<FixDropCopy>,
    pub opens: String,
    pub closes: String,
    pub days: Vec<String>,
    pub zone: String,
    pub holidays: Vec<String>,
}

impl std::fmt::Debug for FixVenue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Its password is never shown.
        f.debug_struct("FixVenue").field("venue", &self.venue).finish_non_exhaustive()
    }
}

/// See `config.default.toml`. What is not said has its default there.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "the default file says what each means")]
pub struct FixDropCopy {
    pub endpoints: Vec<String>,
    pub comp_id: String,
    pub own_comp_id: String,
    pub username: String,
    pub password: String,
}

/// See `config.default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the default file says what each means")]
pub struct Ib {
    pub venues: Vec<IbVenue>,
}

/// See `config.default.toml`. What is not said has its default there.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "the default file says what each means")]
pub struct IbVenue {
    pub venue: String,
    pub host: String,
    pub port: u16,
    pub client_id: i32,
    pub account: String,
    pub live: bool,
    pub dialect: String,
    pub exchange: String,
    pub futures_exchange: String,
    pub fx_exchange: String,
    pub crypto_exchange: String,
    pub short_as_sell: bool,
    pub market_data: Vec<String>,
    pub messages_per_second: Option<usize>,
    pub patience_ms: Option<u32>,
    pub restart_utc: String,
}

/// See `config.default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the default file says what each means")]
pub struct Paper {
    pub enabled: bool,
    pub market: String,
    pub fee_per_share: String,
    pub speed: String,
    pub seed: u64,
    pub skip_s: u32,
    pub refresh_ms: u64,
}

/// See `config.default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the default file says what each means")]
pub struct Demo {
    pub limits: BTreeMap<String, String>,
}

/// See `config.default.toml`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the default file says what each means")]
pub struct Client {
    pub url: String,
    pub api_key: String,
    pub cacert: String,
    pub timeout_ms: u64,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Its key is never shown.
        f.debug_struct("Client").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Settings with where each came from.
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    table: Table,
    sources: BTreeMap<String, String>,
}

/// Reads the settings.
///
/// # Errors
/// [`Failure::Usage`] naming the key and where it stands.
pub fn load(file: Option<&Path>, environment: impl Iterator<Item = (String, String)>) -> Result<Loaded, Failure> {
    let mut table: Table = DEFAULT.parse().map_err(|error| Failure::Usage(format!("the default settings: {error}")))?;
    let mut sources = BTreeMap::new();
    if let Some(path) = file {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| Failure::Usage(format!("{shown}: {error}")))?;
        let given: Table = text.parse().map_err(|error| Failure::Usage(format!("{shown}: {error}")))?;
        merge(&mut table, given, "", &shown.to_string(), &mut sources)?;
    }
    for (name, value) in environment {
        let Some(path) = path_of(&name, &table)? else { continue };
        let slot = slot(&mut table, &path).ok_or_else(|| Failure::Usage(format!("{name}: no such setting")))?;
        *slot = typed(&value, slot).map_err(|kind| Failure::Usage(format!("{name}: {value:?} is not {kind}")))?;
        sources.insert(path, name);
    }
    let settings: Settings =
        table.clone().try_into().map_err(|error: toml::de::Error| Failure::Usage(format!("settings: {}", one_line(&error))))?;
    Ok(Loaded { settings, table, sources })
}

fn one_line(error: &toml::de::Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Lays `given` over `table`, which has every key that there is.
fn merge(table: &mut Table, given: Table, at: &str, source: &str, sources: &mut BTreeMap<String, String>) -> Result<(), Failure> {
    for (key, value) in given {
        let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
        let Some(known) = table.get_mut(&key) else {
            let near = nearest(&key, table.keys().map(String::as_str)).map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
            return Err(Failure::Usage(format!("{source}: unknown key {path:?}{near}")));
        };
        match (known, value) {
            (Value::Table(known), Value::Table(value)) => merge(known, value, &path, source, sources)?,
            (known, value) if known.same_type(&value) => {
                *known = value;
                sources.insert(path, source.to_owned());
            }
            (known, value) => {
                return Err(Failure::Usage(format!("{source}: {path:?} must be a {}, not a {}", known.type_str(), value.type_str())));
            }
        }
    }
    Ok(())
}

/// The setting that an environment variable names; `None` where it is none of ours.
fn path_of(name: &str, table: &Table) -> Result<Option<String>, Failure> {
    if let Some((_, path)) = ALIASES.iter().find(|(alias, _)| *alias == name) {
        return Ok(Some((*path).to_owned()));
    }
    let Some(rest) = name.strip_prefix("OMS_") else { return Ok(None) };
    let paths = paths(table);
    if let Some(path) = paths.iter().find(|path| path.replace('.', "_").to_uppercase() == rest) {
        return Ok(Some(path.clone()));
    }
    // A variable of a section of ours that names nothing in it is a typing mistake; others belong to others.
    let section = table.keys().find(|section| rest.starts_with(&format!("{}_", section.to_uppercase())));
    section.map_or(Ok(None), |section| Err(Failure::Usage(format!("{name}: the section {section:?} has no such setting"))))
}

/// Every setting, as `section.key`.
fn paths(table: &Table) -> Vec<String> {
    let mut paths = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) => paths.extend(self::paths(inner).into_iter().map(|path| format!("{key}.{path}"))),
            _ => paths.push(key.clone()),
        }
    }
    paths
}

fn slot<'t>(table: &'t mut Table, path: &str) -> Option<&'t mut Value> {
    match path.split_once('.') {
        None => table.get_mut(path),
        Some((section, rest)) => slot(table.get_mut(section)?.as_table_mut()?, rest),
    }
}

/// Text as a value of the type that the setting has.
fn typed(text: &str, like: &Value) -> Result<Value, &'static str> {
    match like {
        Value::Integer(_) => text.parse().map(Value::Integer).map_err(|_| "a whole number"),
        Value::Boolean(_) => text.parse().map(Value::Boolean).map_err(|_| "true or false"),
        _ => Ok(Value::String(text.to_owned())),
    }
}

/// The known word that is one or two letters away.
fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    known
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= 2)
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many letters must be changed, added or taken away (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (j, y) in b.chars().enumerate() {
            let above = row.get(j + 1).copied().unwrap_or(usize::MAX);
            let here = (diagonal + usize::from(x != y)).min(left + 1).min(above.saturating_add(1));
            diagonal = above;
            left = here;
            next.push(here);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

impl Loaded {
    /// Every setting in force and where it came from; secrets are masked.
    #[must_use]
    pub fn rows(&self) -> Vec<(String, String, String)> {
        let row = |path: String| {
            let value = path.split('.').try_fold(&Value::Table(self.table.clone()), |value, key| value.get(key)).cloned();
            let source = self.sources.get(&path).cloned().unwrap_or_else(|| "default".to_owned());
            (path.clone(), value.map_or_else(String::new, |value| shown(&path, &value)), source)
        };
        paths(&self.table).into_iter().map(row).collect()
    }
}

/// A value for people; a secret is only said to be set.
fn shown(path: &str, value: &Value) -> String {
    let name = path.rsplit('.').next().unwrap_or(path);
    let secret = SECRET.iter().any(|ending| name == *ending || name.ends_with(&format!("_{ending}")));
    match value {
        Value::String(text) if secret && !text.is_empty() => "\"********\"".to_owned(),
        Value::Array(all) => format!("[{}]", all.iter().map(|one| shown(path, one)).collect::<Vec<_>>().join(", ")),
        Value::Table(table) => {
            let fields: Vec<String> = table.iter().map(|(key, value)| format!("{key} = {}", shown(key, value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        _ => value.to_string(),
    }
}

/// Seconds after midnight of a time of day such as `21:00`, which the setting `name` is.
///
/// # Errors
/// [`Failure::Usage`].
pub fn day_second(name: &str, text: &str) -> Result<i64, Failure> {
    let parsed = text.split_once(':').and_then(|(hour, minute)| Some((hour.parse::<i64>().ok()?, minute.parse::<i64>().ok()?)));
    match parsed {
        Some((hour @ 0..=23, minute @ 0..=59)) => Ok((hour * 60 + minute) * 60),
        _ => Err(Failure::Usage(format!("{name}: {text:?} is not a time of day such as \"21:00\""))),
    }
}

#[cfg(test)]
pub(crate) mod tests;
