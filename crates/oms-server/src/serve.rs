//! `oms serve`: the desk, from its log outwards, and back again at the end.

mod demo;
mod fault;
mod figures;
mod fix;
mod fix_venues;
mod greeting;
pub mod key;
mod settings;

use crate::cli::Serve;
use crate::config::Settings;
use crate::exit::{Failure, Outcome};
use crate::logging;
use fix_venues::FixVenues;
use oms_api::{Api, Parts};
use oms_fix::store::JournalStore;
use oms_fix::venue::VenueSession;
use oms_model::{InstrumentId, Mic, Symbol};
use oms_runtime::history::{Bounds, History};
use oms_runtime::port::VenuePort;
use oms_runtime::view_follower::{self, ViewFollower};
use oms_runtime::{Clock, Config as EngineConfig, Handle, MarketBook, Partition, SystemClock, gateway};
use oms_store::{EmbeddedJournal, Journal};
use oms_venues::market::PaperMarket;
use oms_venues::otc::{self, Otc};
use settings::Desk;
pub use settings::check;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// Runs a desk until it is told to stop.
///
/// # Errors
/// See [`Failure`].
pub fn run(flags: &Serve, settings: Settings) -> Outcome {
    let desk = Desk::of(flags, settings)?;
    logging::start(&desk.settings.log)?;
    fault::abort_on_engine_panic();
    let http = http_runtime(&desk)?;
    let stop = http.block_on(async { Stop::listen() })?;
    let listener = http.block_on(TcpListener::bind(&desk.listen)).map_err(|error| Failure::Usage(format!("{}: {error}", desk.listen)))?;

    let journal = open(&desk)?;
    let history = History::of(journal.as_ref(), Bounds::default());
    let market = Arc::new(MarketBook::new());
    let partition = start(&desk, journal, &market)?;
    let handle = partition.handle().clone();
    let key = if desk.demo { Some(demo::set_up(&handle, &desk)?) } else { None };
    require_tenant(&handle)?;
    let (views, reader) = views(&handle, &desk)?;
    let store = fix::store(&desk)?;
    let venues = Venues::open(&partition, &handle, &market, &desk, store.as_ref())?;
    let sessions = venues.fix.as_ref().map(|fix| fix.sessions.clone()).unwrap_or_default();
    let fix = fix::Running::open(&desk, &handle, &history, &http, store.as_ref())?;
    drop(store);

    let parts = Parts {
        handle,
        views: reader,
        watermark: views.watermark.clone(),
        history,
        config: desk.api.clone(),
        telemetry: partition.telemetry().clone(),
        expositions: figures::of(venues.market.as_ref(), &market, fix.as_ref(), &sessions),
        probes: fix_venues::probes(&sessions),
        fix: shown(fix.as_ref(), sessions),
    };
    let served = http.block_on(async {
        let api = Api::start(parts).await.map_err(|refusal| Failure::Fault(refusal.message))?;
        let address = listener.local_addr().map_err(|error| Failure::Fault(error.to_string()))?;
        greeting::print(address, key.as_deref(), &desk, fix.as_ref().map(fix::Running::address), partition.recovery());
        oms_api::serve(listener, api, stop.wait()).await.map_err(|error| Failure::Fault(format!("the listener failed: {error}")))
    });
    if let Some(fix) = fix {
        http.block_on(fix.stop());
    }
    stop_in_order(http, venues, partition, views)?;
    served
}

/// The FIX sessions as the interface sees them, where there are any.
fn shown(fix: Option<&fix::Running>, venues: Vec<VenueSession>) -> Option<Box<dyn oms_api::fix::FixSessions>> {
    if fix.is_none() && venues.is_empty() {
        return None;
    }
    let clients = fix.map(|fix| fix.clients.clone()).unwrap_or_default();
    Some(Box::new(fix::Shown { clients, venues }))
}

/// The way back: nothing more comes in, nothing more leaves, what was decided is durable, the views have it all.
fn stop_in_order(http: Runtime, venues: Venues, partition: Partition, views: ViewFollower) -> Outcome {
    tracing::info!("stopping");
    http.shutdown_timeout(std::time::Duration::from_secs(1));
    if let Some((market, otc)) = venues.classes {
        otc.stop();
        market.stop();
    }
    if let Some(market) = venues.market {
        market.stop();
    }
    let stopped = partition.stop();
    if let Some(gateway) = venues.gateway {
        gateway.join();
    }
    if let Some(fix) = venues.fix {
        fix.stop();
    }
    views.join();
    match stopped {
        None => Err(Failure::Fault("the engine had failed before the stop".to_owned())),
        Some(stopped) => {
            if let Some(reason) = &stopped.snapshot_failed {
                tracing::warn!(%reason, "no snapshot was written; the next start reads the whole log");
            }
            tracing::info!(sequence = stopped.journal.tip().last_seq, "stopped");
            // The process ends: giving back a large state piece by piece would only make the end longer.
            std::mem::forget(stopped.engine);
            Ok(())
        }
    }
}

fn http_runtime(desk: &Desk) -> Result<Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(desk.threads).thread_name("http").enable_all();
    builder.build().map_err(|error| Failure::Fault(format!("no threads for the interface: {error}")))
}

fn open(desk: &Desk) -> Result<Box<dyn Journal>, Failure> {
    let dir = desk.log_dir();
    std::fs::create_dir_all(&desk.data).map_err(|error| Failure::Usage(format!("{}: {error}", desk.data.display())))?;
    let journal = EmbeddedJournal::open_dir(&dir, desk.journal.clone());
    Ok(Box::new(journal.map_err(|error| Failure::Refused(format!("the log in {}: {error}", dir.display())))?))
}

fn start(desk: &Desk, journal: Box<dyn Journal>, market: &Arc<MarketBook>) -> Result<Partition, Failure> {
    let config = EngineConfig { engine: desk.engine.clone(), ..desk.partition.clone() };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    oms_runtime::start(journal, config, clock, market.clone(), Box::new(fault::stop_the_process))
        .map_err(|error| Failure::Refused(format!("the desk cannot start: {error}")))
}

fn require_tenant(handle: &Handle) -> Outcome {
    let known = handle.inspect_blocking(|state, _| state.tenant_id() != oms_model::TenantId::default());
    match known.map_err(|refusal| Failure::Fault(refusal.message))? {
        true => Ok(()),
        false => Err(Failure::Usage("this log has no tenant and no key yet; start it once with --demo".to_owned())),
    }
}

fn views(handle: &Handle, desk: &Desk) -> Result<(ViewFollower, oms_store::views::ViewReader), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Fault(format!("the views: {error}"));
    let views = view_follower::open(handle.feed(), &desk.views_path()).map_err(|error| failed(&error))?;
    let reader = views.reader();
    let follower = view_follower::start(handle.feed(), views).map_err(|error| failed(&error))?;
    Ok((follower, reader))
}

/// The venues and whoever hands orders to them.
struct Venues {
    market: Option<PaperMarket>,
    /// Everything that the recording lacks: the demo's other classes.
    classes: Option<(PaperMarket, Otc)>,
    /// Those that speak FIX.
    fix: Option<FixVenues>,
    gateway: Option<gateway::Running>,
}

impl Venues {
    fn open(
        partition: &Partition,
        handle: &Handle,
        market: &Arc<MarketBook>,
        desk: &Desk,
        store: Option<&Arc<JournalStore>>,
    ) -> Result<Self, Failure> {
        let (fix, mut ports) = FixVenues::open(desk, handle, store)?.map_or((None, Vec::new()), |(fix, ports)| (Some(fix), ports));
        let mut venues = Self { market: None, classes: None, fix, gateway: None };
        if desk.settings.paper.enabled {
            venues.open_paper(handle, market, desk, &mut ports)?;
        }
        if !ports.is_empty() {
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            let running = gateway::start(handle, ports, &clock, partition.telemetry(), partition.kill_epoch());
            venues.gateway = Some(running.map_err(|refusal| Failure::Fault(refusal.message))?);
        }
        Ok(venues)
    }

    /// The paper venues; one of a name that speaks FIX gives way to it.
    fn open_paper(
        &mut self,
        handle: &Handle,
        market: &Arc<MarketBook>,
        desk: &Desk,
        ports: &mut Vec<Box<dyn VenuePort>>,
    ) -> Result<(), Failure> {
        let instruments = handle.inspect_blocking(|state, _| {
            state
                .instruments()
                .iter()
                .map(|instrument| (instrument.symbol.clone(), instrument.instrument_id))
                .collect::<Vec<(Symbol, InstrumentId)>>()
        });
        let instruments = instruments.map_err(|refusal| Failure::Fault(refusal.message))?;
        let floor = desk.floor(instruments.clone(), SystemClock.now())?;
        let paper = PaperMarket::start(floor, market.clone(), Arc::new(handle.clone()))
            .map_err(|error| Failure::Refused(format!("the paper venues: {error}")))?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let classes = if desk.demo { Some(Self::open_classes(handle, market, desk, instruments, &clock)?) } else { None };
        let all = paper.ports().into_iter().chain(classes.iter().flat_map(|(other, _)| other.ports()));
        let by_fix = |venue: Mic| desk.fix_venues.iter().any(|profile| profile.venue == venue);
        ports.extend(all.filter(|port| !by_fix(port.venue())));
        (self.market, self.classes) = (Some(paper), classes);
        Ok(())
    }

    /// The demo's venues for what is no share: seeded books, a transfer agent, dealers.
    fn open_classes(
        handle: &Handle,
        market: &Arc<MarketBook>,
        desk: &Desk,
        instruments: Vec<(Symbol, InstrumentId)>,
        clock: &Arc<dyn Clock>,
    ) -> Result<(PaperMarket, Otc), Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::Refused(format!("the paper venues of other classes: {error}"));
        let floor = desk.classes_floor(instruments.clone(), clock.now())?;
        let paper = PaperMarket::start(floor, market.clone(), Arc::new(handle.clone())).map_err(|error| failed(&error))?;
        paper.floor().list_everywhere(instruments.iter().map(|(symbol, _)| symbol));
        paper.floor().list_fund(demo::classes::PTAG, &demo::classes::FUND.parse().unwrap_or_default());
        let otc = otc::start(handle, paper.floor().clone(), clock, demo::classes::otc(desk.settings.paper.seed));
        Ok((paper, otc.map_err(|refusal| failed(&refusal))?))
    }
}

/// The signals that ask the process to stop.
struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    fn listen() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = |error: std::io::Error| Failure::Fault(format!("signals cannot be caught: {error}"));
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
        })
    }

    async fn wait(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
        }
    }
}
