//! From settings and flags to what the parts of a desk are made with.

use crate::calendars;
use crate::cli::Serve;
use crate::config::{self, Settings};
use crate::exit::{Failure, Outcome};
use crate::paper;
use crate::serve::fix::FixDesk;
use crate::serve::fix_venues;
use crate::serve::ib_venues::{self, IbProfile};
use oms_fix::venue::VenueProfile;
use oms_model::{InstrumentId, Symbol, Time};
use oms_venues::floor::{FloorConfig, Ledgers};
use oms_venues::paper::profile::VENUES;
use oms_venues::replay::{Recording, Speed};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Threads for HTTP where the settings leave it open.
const MOST_THREADS: usize = 4;

/// A desk as it is to be run.
pub struct Desk {
    /// Whether it is a demo.
    pub demo: bool,
    /// Its folder.
    pub data: PathBuf,
    /// The folder that the settings name, flags aside.
    pub configured_data: PathBuf,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where gRPC listens; `None`: it does not.
    pub grpc: Option<SocketAddr>,
    /// Threads that serve HTTP.
    pub threads: usize,
    /// Its partition's loop.
    pub partition: oms_runtime::Config,
    /// Its engine.
    pub engine: oms_engine::Config,
    /// Its log.
    pub journal: oms_store::Config,
    /// The accounts of the installation.
    pub identity: oms_auth::Config,
    /// Its interface.
    pub api: oms_api::Config,
    /// Its clients that speak FIX; `None`: it takes none.
    pub fix: Option<FixDesk>,
    /// Its venues that speak FIX.
    pub fix_venues: Vec<VenueProfile>,
    /// Its gateways of Interactive Brokers.
    pub ib_venues: Vec<IbProfile>,
    /// How fast its market is replayed.
    pub speed: Speed,
    /// Everything else.
    pub settings: Settings,
}

/// Whether a desk could be run with these settings.
///
/// # Errors
/// [`Failure::Usage`].
pub fn check(settings: &Settings) -> Outcome {
    let flags = Serve { demo: false, data: None, listen: None, fix: None, speed: None, seed: None };
    Desk::of(&flags, settings.clone())?;
    EnvFilter::try_new(&settings.log.filter).map_err(|error| Failure::Usage(format!("log.filter: {error}")))?;
    super::demo::limits(&settings.demo).map(drop)
}

impl Desk {
    /// Flags stand above settings.
    ///
    /// # Errors
    /// [`Failure::Usage`] naming the setting.
    pub fn of(flags: &Serve, mut settings: Settings) -> Result<Self, Failure> {
        let given = flags.listen.as_deref().unwrap_or(&settings.server.listen);
        let listen: SocketAddr =
            given.parse().map_err(|_| Failure::Usage(format!("{given:?} is not an address and port such as 127.0.0.1:8080")))?;
        if flags.demo && !listen.ip().is_loopback() {
            return Err(Failure::Usage(format!("a demo desk listens on loopback only, not on {listen}: its key lies in a file")));
        }
        let grpc = grpc(&settings.grpc, flags.demo)?;
        if let Some(fix) = &flags.fix {
            settings.fix.listen.clone_from(fix);
        }
        if settings.audit.interval_s == 0 {
            return Err(Failure::Usage("audit.interval_s must be at least 1, not 0".to_owned()));
        }
        if !oms_audit::note::is_name(&settings.audit.origin) {
            let text = format!("audit.origin: {:?} is not a name such as \"oms.example/desk\": no spaces, no plus", settings.audit.origin);
            return Err(Failure::Usage(text));
        }
        super::tls::Files::of(&settings.tls)?;
        super::tls::Files::of(&super::tls::of_grpc(&settings))?;
        super::vault::master(&settings.vault)?;
        let fix = FixDesk::of(&settings.fix, flags.demo)?;
        let fix_venues = fix_venues::profiles(&settings.fix)?;
        let ib_venues = ib_venues::profiles(&settings.ib)?;
        if let Some(twice) = ib_venues.iter().find(|ib| fix_venues.iter().any(|fix| fix.venue == ib.config.venue)) {
            return Err(Failure::Usage(format!("ib.venues: {}: a venue that speaks FIX has this name", twice.config.venue)));
        }
        let configured_data = settings.server.data.clone();
        if let Some(data) = &flags.data {
            settings.server.data.clone_from(data);
        }
        if let Some(seed) = flags.seed {
            settings.paper.seed = seed;
        }
        let speed = flags.speed.as_deref().unwrap_or(&settings.paper.speed);
        let speed: Speed = speed.parse().map_err(|error| Failure::Usage(format!("paper.speed: {error}")))?;
        let calendars = Arc::new(calendars::by_listing(&settings.calendars)?);
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            demo: flags.demo,
            data: settings.server.data.clone(),
            configured_data,
            listen,
            grpc,
            threads: if settings.server.threads == 0 { processors.min(MOST_THREADS) } else { settings.server.threads },
            partition: oms_runtime::Config {
                queue: at_least("engine.queue", settings.engine.queue, 1)?,
                max_group: at_least("engine.max_group", settings.engine.max_group, 1)?,
                snapshot_on_stop: settings.engine.snapshot_on_stop,
                ..oms_runtime::Config::default()
            },
            engine: oms_engine::Config {
                send_within_ns: i64::from(settings.engine.send_within_ms) * 1_000_000,
                day_end_utc_s: config::day_second("engine.day_end_utc", &settings.engine.day_end_utc)?,
                day_open_utc_s: config::day_second("engine.day_open_utc", &settings.engine.day_open_utc)?,
                on_close_lead_ns: i64::from(settings.engine.on_close_lead_s) * 1_000_000_000,
                calendars: Arc::clone(&calendars),
                maintenance: Arc::new(calendars::maintenance(&settings.calendars)?),
            },
            journal: journal(&settings)?,
            identity: identity(&settings.identity, flags.demo)?,
            api: oms_api::Config { calendars, ..api(&settings)? },
            fix,
            fix_venues,
            ib_venues,
            speed,
            settings,
        })
    }

    /// The folder of the log.
    #[must_use]
    pub fn log_dir(&self) -> PathBuf {
        self.data.join("log")
    }

    /// The folder of the data keys.
    #[must_use]
    pub fn vault_dir(&self) -> PathBuf {
        self.data.join("vault")
    }

    /// The folder of the audit.
    #[must_use]
    pub fn audit_dir(&self) -> PathBuf {
        self.data.join("audit")
    }

    /// The folder of the messages of FIX sessions.
    #[must_use]
    pub fn fix_dir(&self) -> PathBuf {
        self.data.join("fix")
    }

    /// The folder of the logs of gateways of Interactive Brokers.
    #[must_use]
    pub fn ib_dir(&self) -> PathBuf {
        self.data.join("ib")
    }

    /// The file of the market's bars.
    #[must_use]
    pub fn bars_path(&self) -> PathBuf {
        self.data.join("bars.sqlite")
    }

    /// The file of the views.
    #[must_use]
    pub fn views_path(&self) -> PathBuf {
        self.data.join("views.sqlite")
    }

    /// The paper venues on the recorded market.
    ///
    /// # Errors
    /// [`Failure::Usage`] where the market or the charges of the settings are none; [`Failure::Fault`].
    pub fn floor(&self, instruments: Vec<(Symbol, InstrumentId)>, now: Time) -> Result<FloorConfig, Failure> {
        let recording = paper::recording(&self.settings.paper)?;
        let fee = paper::fee(&self.settings.paper)?;
        let ledgers = self.data.join("venues");
        // Venues that remember orders may not fill them in the past.
        let start = if ledgers.exists() { now } else { now.plus(-self.skipped_ns()) };
        std::fs::create_dir_all(&ledgers).map_err(|error| Failure::Usage(format!("{}: {error}", ledgers.display())))?;
        let paper = &self.settings.paper;
        Ok(FloorConfig {
            venues: VENUES.into_iter().map(|profile| profile.charging(fee)).collect(),
            seed: paper.seed,
            speed: self.speed,
            refresh_ns: paper.refresh_ms.saturating_mul(1_000_000),
            ..FloorConfig::new(Arc::new(recording), instruments, start, Ledgers::Folder(ledgers))
        })
    }

    /// The demo's venues for what the recording lacks, on seeded books.
    ///
    /// # Errors
    /// [`Failure::Fault`].
    pub fn classes_floor(&self, instruments: Vec<(Symbol, InstrumentId)>, now: Time) -> Result<FloorConfig, Failure> {
        const SECONDS: u32 = 1_800;
        let paper = &self.settings.paper;
        let start_ns = now.0.max(0).unsigned_abs();
        let slice = oms_venues::synthetic::slice(&super::demo::classes::books(), paper.seed, start_ns, SECONDS);
        let recording = Recording::from_slice(slice).map_err(|error| Failure::Fault(format!("the seeded markets: {error}")))?;
        let ledgers = self.data.join("venues");
        std::fs::create_dir_all(&ledgers).map_err(|error| Failure::Usage(format!("{}: {error}", ledgers.display())))?;
        Ok(FloorConfig {
            venues: super::demo::classes::profiles(),
            seed: paper.seed,
            speed: self.speed,
            refresh_ns: paper.refresh_ms.saturating_mul(1_000_000),
            ..FloorConfig::new(Arc::new(recording), instruments, now, Ledgers::Folder(ledgers))
        })
    }

    /// How long the part of the recording that is skipped would take at this speed.
    fn skipped_ns(&self) -> i64 {
        match self.speed {
            Speed::Times(times) => i64::from(self.settings.paper.skip_s) * 1_000_000_000 / i64::from(times.max(1)),
            Speed::AsFastAsPossible => 0,
        }
    }
}

fn grpc(grpc: &config::Grpc, demo: bool) -> Result<Option<SocketAddr>, Failure> {
    if grpc.listen.is_empty() {
        return Ok(None);
    }
    let bad = |_| Failure::Usage(format!("grpc.listen: {:?} is not an address and port such as 127.0.0.1:9090", grpc.listen));
    let listen: SocketAddr = grpc.listen.parse().map_err(bad)?;
    if demo && !listen.ip().is_loopback() {
        return Err(Failure::Usage(format!("a demo desk listens on loopback only, not on {listen}: its key lies in a file")));
    }
    Ok(Some(listen))
}

fn at_least(name: &str, value: usize, least: usize) -> Result<usize, Failure> {
    if value >= least { Ok(value) } else { Err(Failure::Usage(format!("{name} must be at least {least}, not {value}"))) }
}

fn journal(settings: &Settings) -> Result<oms_store::Config, Failure> {
    let mib = settings.journal.segment_mib;
    if !(1..=2_048).contains(&mib) {
        return Err(Failure::Usage(format!("journal.segment_mib must be 1 to 2048, not {mib}")));
    }
    let check = match settings.journal.check {
        config::Check::Everything => oms_store::OpenCheck::Everything,
        config::Check::Tail => oms_store::OpenCheck::Tail,
    };
    Ok(oms_store::Config { segment_bytes: mib << 20, check, ..oms_store::Config::default() })
}

/// The accounts of the installation.
fn identity(identity: &config::Identity, demo: bool) -> Result<oms_auth::Config, Failure> {
    let cost = oms_auth::password::Cost {
        memory_kib: identity.password_memory_kib,
        passes: identity.password_passes,
        ..oms_auth::password::Cost::DEFAULT
    };
    let names = pairs("identity.external_names", &identity.external_names)?;
    let external = (!identity.external_issuer.is_empty()).then(|| oms_auth::oidc::Config {
        issuer: identity.external_issuer.clone(),
        jwks_uri: identity.external_jwks_uri.clone(),
        audience: identity.external_audience.clone(),
        tenant_claim: identity.external_tenant_claim.clone(),
        scope_claim: identity.external_scope_claim.clone(),
        names,
    });
    if external.as_ref().is_some_and(|external| external.issuer == identity.issuer) {
        return Err(Failure::Usage("identity.external_issuer must be another one than identity.issuer".to_owned()));
    }
    Ok(oms_auth::Config {
        issuer: identity.issuer.clone(),
        audience: identity.audience.clone(),
        access_s: identity.access_s.into(),
        refresh_s: identity.refresh_s.into(),
        cookie_s: identity.cookie_s.into(),
        step_up_s: identity.step_up_s.into(),
        signing_s: identity.signing_s.into(),
        cost,
        hash_at_once: at_least("identity.passwords_at_once", identity.passwords_at_once, 1)?,
        key_prefix: if demo { oms_auth::key::DEMO_PREFIX } else { oms_auth::key::LIVE_PREFIX },
        external,
    })
}

/// `a=b, c=d`.
fn pairs(name: &str, text: &str) -> Result<std::collections::BTreeMap<String, String>, Failure> {
    let bad = |part: &str| Failure::Usage(format!("{name}: {part:?} is not NAME=MEANING"));
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| part.split_once('=').map(|(a, b)| (a.trim().to_owned(), b.trim().to_owned())).ok_or_else(|| bad(part))).collect()
}

/// Texts that are separated by commas.
fn listed<T>(name: &str, text: &str, read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Failure> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| read(part).ok_or_else(|| Failure::Usage(format!("{name}: {part:?} is none")))).collect()
}

fn api(settings: &Settings) -> Result<oms_api::Config, Failure> {
    let api = &settings.api;
    Ok(oms_api::Config {
        max_body: at_least("api.max_body_bytes", api.max_body_bytes, 1_024)?,
        max_requests: at_least("api.max_requests", api.max_requests, 1)?,
        protected_requests: api.protected_requests,
        max_streams: api.max_streams,
        max_connections: at_least("api.max_connections", api.max_connections, 1)?,
        head_timeout: Duration::from_millis(api.head_timeout_ms),
        body_timeout: Duration::from_millis(api.body_timeout_ms),
        read_wait: Duration::from_millis(api.read_wait_ms),
        drain: Duration::from_millis(api.drain_ms),
        trusted_proxies: listed("api.trusted_proxies", &api.trusted_proxies, |part| part.parse().ok())?,
        allowed_origins: listed("api.allowed_origins", &api.allowed_origins, |part| part.contains("://").then(|| part.to_owned()))?,
        secure: api.secure,
        rates: oms_api::rate::Rates {
            read: api.reads_per_s,
            write: api.writes_per_s,
            cancel: api.cancels_per_s,
            entrance: api.sign_ins_per_min,
            tenant: api.tenant_times,
        },
        ..oms_api::Config::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        config::load(None, std::iter::empty()).unwrap().settings
    }

    fn flags() -> Serve {
        Serve { demo: true, data: None, listen: None, fix: None, speed: None, seed: None }
    }

    #[test]
    fn the_default_settings_make_a_desk() {
        check(&settings()).unwrap();
        let desk = Desk::of(&flags(), settings()).unwrap();
        assert_eq!((desk.speed, desk.journal.segment_bytes, desk.engine.day_end_utc_s), (Speed::Times(1), 64 << 20, 75_600));
    }

    #[test]
    fn a_demo_desk_takes_loopback_only() {
        let demo = Serve { listen: Some("0.0.0.0:8080".to_owned()), ..flags() };
        assert_eq!(Desk::of(&demo, settings()).err().unwrap().code(), 2);
        assert!(Desk::of(&Serve { demo: false, ..demo }, settings()).is_ok());
        assert!(Desk::of(&Serve { listen: Some("[::1]:0".to_owned()), ..flags() }, settings()).is_ok());
    }

    #[test]
    fn grpc_listens_where_it_is_told_and_in_a_demo_on_loopback_only() {
        let with = |listen: &str, demo: bool| {
            let mut settings = settings();
            settings.grpc.listen = listen.to_owned();
            Desk::of(&Serve { demo, ..flags() }, settings).map(|desk| desk.grpc)
        };
        assert_eq!(with("", true).ok().unwrap(), None);
        assert_eq!(with("0.0.0.0:9090", false).ok().unwrap().unwrap().port(), 9090);
        assert_eq!(with("0.0.0.0:9090", true).err().unwrap().code(), 2);
        assert!(with("9090", false).err().unwrap().to_string().contains("grpc.listen"));
        let mut no_certificate = settings();
        no_certificate.grpc.clients = "clients.pem".to_owned();
        assert!(check(&no_certificate).unwrap_err().to_string().contains("tls"), "who must show a certificate must see one");
    }

    #[test]
    fn flags_stand_above_settings() {
        let flags = Serve { speed: Some("20x".to_owned()), seed: Some(9), data: Some("elsewhere".into()), ..flags() };
        let desk = Desk::of(&flags, settings()).unwrap();
        assert_eq!((desk.speed, desk.settings.paper.seed), (Speed::Times(20), 9));
        assert_eq!(desk.views_path(), PathBuf::from("elsewhere/views.sqlite"));
    }

    #[test]
    fn only_venues_without_a_past_begin_in_it() {
        let data = std::env::temp_dir().join(format!("oms-floor-{}", std::process::id()));
        let flags = Serve { data: Some(data.clone()), speed: Some("2x".to_owned()), ..flags() };
        let desk = Desk::of(&flags, settings()).unwrap();
        let now = Time(1_000_000_000_000);
        assert_eq!(desk.floor(Vec::new(), now).unwrap().start, now.plus(-90_000_000_000));
        assert_eq!(desk.floor(Vec::new(), now).unwrap().start, now);
        std::fs::remove_dir_all(data).unwrap();
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let mut bad = settings();
        bad.engine.queue = 0;
        assert!(check(&bad).unwrap_err().to_string().contains("engine.queue"));
        let mut bad = settings();
        bad.paper.speed = "200x".to_owned();
        assert!(check(&bad).unwrap_err().to_string().contains("paper.speed"));
        let mut bad = settings();
        bad.demo.limits.insert("MAX_ORDER_QTY".to_owned(), "lots".to_owned());
        assert!(check(&bad).unwrap_err().to_string().contains("MAX_ORDER_QTY"));
    }
}
