//! `oms sim fix`: the paper venues, reached by FIX.

mod admin;
mod faults;

use crate::cli::SimFix;
use crate::config::Settings;
use crate::exit::{Failure, Outcome, written};
use crate::{logging, paper};
use faults::Switches;
use oms_fix::exchange::{self, Line, Reports, ReportsOut, VenueSession};
use oms_fix::store::JournalStore;
use oms_fix::transport::{Engine, Listener, ListenerConfig};
use oms_model::{InstrumentId, Mic, Price, Qty, Time};
use oms_runtime::port::{MarketSink, VenuePort};
use oms_runtime::{Clock as _, SystemClock};
use oms_store::EmbeddedJournal;
use oms_venues::floor::{FloorConfig, Ledgers, SharedFloor};
use oms_venues::market::PaperMarket;
use oms_venues::paper::faults::{Faults, Link};
use oms_venues::paper::profile::VenueProfile;
use oms_venues::replay::Speed;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;

/// The venues as flags and settings have them.
struct Plan {
    listener: ListenerConfig,
    admin: Option<SocketAddr>,
    /// Each venue, and what its client is called.
    venues: BTreeMap<Mic, (VenueProfile, String)>,
    data: PathBuf,
    speed: Speed,
    seed: u64,
    faults: BTreeMap<Mic, Faults>,
}

fn usage(flag: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::Usage(format!("--{flag}: {error}"))
}

fn address(flag: &str, text: &str) -> Result<SocketAddr, Failure> {
    text.parse().map_err(|_| usage(flag, &format!("{text:?} is not an address and port such as 127.0.0.1:9890")))
}

impl Plan {
    fn of(flags: &SimFix, settings: &Settings) -> Result<Self, Failure> {
        let mut listener = ListenerConfig::new(address("listen", &flags.listen)?);
        listener.allowed =
            flags.allowed.iter().map(|text| text.parse()).collect::<Result<_, _>>().map_err(|error| usage("allow", &error))?;
        if !listener.address.ip().is_loopback() && listener.allowed.is_empty() {
            return Err(usage("listen", &format!("{} is not on loopback: say with --allow from where clients may come", listener.address)));
        }
        let admin = flags.admin.as_deref().map(|text| address("admin", text)).transpose()?;
        if let Some(admin) = admin.filter(|admin| !admin.ip().is_loopback()) {
            return Err(usage("admin", &format!("faults are switched on loopback only, not on {admin}")));
        }
        let venues = venues(flags)?;
        let mut faults: BTreeMap<Mic, Faults> = venues.keys().map(|mic| (*mic, Faults::none())).collect();
        for text in &flags.faults {
            faults::read(text, &mut faults).map_err(|error| usage("fault", &format!("{text:?}: {error}")))?;
        }
        let speed = flags.speed.as_deref().unwrap_or(&settings.paper.speed);
        Ok(Self {
            listener,
            admin,
            venues,
            data: flags.data.clone().unwrap_or_else(|| settings.server.data.join("sim-fix")),
            speed: speed.parse().map_err(|error| usage("speed", &error))?,
            seed: flags.seed.unwrap_or(settings.paper.seed),
            faults,
        })
    }

    /// The recorded market, with the venues on it.
    fn floor(&self, settings: &Settings, now: Time) -> Result<FloorConfig, Failure> {
        let (recording, fee) = (paper::recording(&settings.paper)?, paper::fee(&settings.paper)?);
        let instruments = recording.symbols().iter().cloned().zip((1..).map(InstrumentId)).collect();
        let ledgers = self.data.join("venues");
        // Venues that remember orders may not fill them in the past.
        let skipped = match self.speed {
            Speed::Times(times) if !ledgers.exists() => i64::from(settings.paper.skip_s) * 1_000_000_000 / i64::from(times.max(1)),
            _ => 0,
        };
        folder(&ledgers)?;
        Ok(FloorConfig {
            venues: self.venues.values().map(|(profile, _)| profile.clone().charging(fee)).collect(),
            seed: self.seed,
            speed: self.speed,
            refresh_ns: settings.paper.refresh_ms.saturating_mul(1_000_000),
            ..FloorConfig::new(Arc::new(recording), instruments, now.plus(-skipped), Ledgers::Folder(ledgers))
        })
    }
}

fn folder(path: &Path) -> Outcome {
    std::fs::create_dir_all(path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

fn venues(flags: &SimFix) -> Result<BTreeMap<Mic, (VenueProfile, String)>, Failure> {
    let client = |given: &str| match given {
        "" => Err(usage("client", &"a client must be called something")),
        given => Ok(given.to_owned()),
    };
    let mut venues = BTreeMap::new();
    if flags.venues.is_empty() {
        for profile in oms_venues::paper::profile::VENUES {
            venues.insert(profile.mic, (profile, client(&flags.client)?));
        }
    }
    for text in &flags.venues {
        let (mic, name) = text.split_once('=').unwrap_or((text, &flags.client));
        let profile = mic.parse().ok().and_then(VenueProfile::of);
        let profile = profile.ok_or_else(|| usage("venue", &format!("there is no paper venue {mic:?}")))?;
        if venues.insert(profile.mic, (profile, client(name)?)).is_some() {
            return Err(usage("venue", &format!("{mic} is there twice")));
        }
    }
    Ok(venues)
}

/// Nobody is told of the market by FIX.
struct Unheard;

impl MarketSink for Unheard {
    fn quote(&self, _: InstrumentId, _: Mic, _: bool, _: Option<(Price, Qty)>, _: Time) {}
    fn trade(&self, _: InstrumentId, _: Option<Mic>, _: Price, _: Qty, _: Time) {}
}

/// Runs the venues until it is told to stop.
///
/// # Errors
/// See [`Failure`].
pub fn run(flags: &SimFix, settings: &Settings) -> Outcome {
    let plan = Plan::of(flags, settings)?;
    logging::start(&settings.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("fix").enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Fault(format!("no threads: {error}")))?;
    folder(&plan.data)?;
    let refused = |error: &dyn std::fmt::Display| Failure::Refused(format!("{}: {error}", plan.data.display()));
    // Its lock keeps a second process from the ledgers too.
    let journal = EmbeddedJournal::open_dir(&plan.data.join("fix"), oms_store::Config::default()).map_err(|error| refused(&error))?;
    let store = JournalStore::open(Box::new(journal)).map_err(|error| refused(&error))?;
    let mics: Vec<Mic> = plan.venues.keys().copied().collect();
    let (reports, mut out) = exchange::reports(&mics);
    let floor = plan.floor(settings, SystemClock.now())?;
    let market = PaperMarket::start(floor, Arc::new(Unheard), Arc::new(reports) as Arc<Reports>).map_err(|error| refused(&error))?;
    let result = runtime.block_on(open(&plan, &store, &market, &mut out));
    market.stop();
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    result
}

/// Opens the sessions, and runs them until the process is told to stop.
async fn open(plan: &Plan, store: &JournalStore, market: &PaperMarket, out: &mut ReportsOut) -> Outcome {
    let stop = crate::serve::Stop::listen()?;
    let engine = Engine::new();
    let mut sessions = BTreeMap::new();
    for port in market.floor().ports() {
        let venue = port.venue();
        let client = plan.venues.get(&venue).map_or("", |(_, client)| client.as_str());
        let session = exchange::open(&engine, store, Box::new(port), out, exchange::session_config(venue, client));
        sessions.insert(venue, session.map_err(|error| Failure::Refused(format!("{venue}: {error}")))?);
    }
    let switches = Arc::new(Switches { floor: market.floor().clone(), sessions });
    for (venue, faults) in plan.faults.iter().filter(|(_, faults)| **faults != Faults::none()) {
        switches.set(*venue, *faults).await.map_err(Failure::Fault)?;
    }
    let listener = engine.listen(plan.listener.clone()).await.map_err(|error| usage("listen", &error))?;
    let admin = match plan.admin {
        Some(address) => Some(TcpListener::bind(address).await.map_err(|error| usage("admin", &format!("{address}: {error}")))?),
        None => None,
    };
    greet(plan, &listener, admin.as_ref())?;
    let serving = admin.map(|listener| tokio::spawn(admin::serve(listener, Arc::clone(&switches))));
    let mut ended = tokio::task::JoinSet::new();
    for session in switches.sessions.values().cloned() {
        ended.spawn(async move { session.handle.ended().await });
    }
    let failed = tokio::select! {
        () = stop.wait() => false,
        _ = ended.join_next() => true,
    };
    if failed {
        // A venue that cannot store what it says says nothing more.
        return Err(Failure::Fault("a session has ended: what it says cannot be stored any more".to_owned()));
    }
    tracing::info!("stopping");
    drop(listener);
    if let Some(serving) = serving {
        serving.abort();
    }
    let mut leaving = tokio::task::JoinSet::new();
    for id in engine.ids() {
        let engine = engine.clone();
        leaving.spawn(async move { engine.remove(&id).await });
    }
    while leaving.join_next().await.is_some() {}
    Ok(())
}

fn greet(plan: &Plan, listener: &Listener, admin: Option<&TcpListener>) -> Outcome {
    let mut text = format!("oms {}: the paper venues are open\n\n", env!("CARGO_PKG_VERSION"));
    text.push_str(&format!("  FIX 4.4   on {}\n", listener.address()));
    for (mic, (profile, client)) in &plan.venues {
        text.push_str(&format!("  {mic}      for {client}: {}\n", profile.name));
    }
    if let Some(address) = admin.and_then(|admin| admin.local_addr().ok()) {
        text.push_str(&format!("  faults    on http://{address}/venues\n"));
    }
    text.push_str(&format!("  data in   {}\n  market    recorded quotes and trades, {}\n\n", plan.data.display(), plan.speed));
    let mut out = std::io::stdout().lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

#[cfg(test)]
mod tests;
