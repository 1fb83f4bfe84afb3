//! `oms serve`: the desk, from its log outwards, and back again at the end.

mod demo;
mod fault;
mod figures;
mod fix;
mod greeting;
pub mod identity;
pub mod key;
mod settings;
pub mod tenants;

use crate::cli::Serve;
use crate::config::Settings;
use crate::exit::{Failure, Outcome};
use crate::logging;
use oms_api::{Api, Parts, Tenants};
use oms_auth::Identity;
use oms_model::{Event, InstrumentId, Symbol};
use oms_runtime::feed::Follower;
use oms_runtime::history::{Bounds, History};
use oms_runtime::view_follower::{self, ViewFollower};
use oms_runtime::{Clock, Config as EngineConfig, Handle, MarketBook, Partition, SystemClock, gateway};
use oms_store::{EmbeddedJournal, Journal};
use oms_venues::floor::SharedFloor;
use oms_venues::market::PaperMarket;
use oms_venues::otc::{self, Otc};
pub use settings::{Desk, check};
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

    if !desk.demo && !desk.log_dir().exists() {
        // Nothing is left behind, so that the tenant can still be founded here.
        return Err(no_tenant());
    }
    let accounts = http.block_on(identity::open(&desk))?;
    let first = Tenant::open(&desk, &http, &accounts)?;
    let tenants = Tenants::default();
    let mut running = vec![first];
    for settings in desk.others()? {
        running.push(Tenant::open(&settings, &http, &accounts)?);
    }
    for tenant in &running {
        tenants.serve(tenant.api.clone()).map_err(|error| Failure::Refused(error.to_string()))?;
    }
    http.block_on(identity::adopt(&accounts, &tenants))?;
    let served = http.block_on(async {
        let address = listener.local_addr().map_err(|error| Failure::Fault(error.to_string()))?;
        greeting::print(address, &desk, &running);
        oms_api::serve(listener, tenants, stop.wait()).await.map_err(|error| Failure::Fault(format!("the listener failed: {error}")))
    });
    for tenant in &mut running {
        if let Some(fix) = tenant.fix.take() {
            http.block_on(fix.stop());
        }
    }
    tracing::info!("stopping");
    http.shutdown_timeout(std::time::Duration::from_secs(1));
    // All are stopped, whatever one of them says.
    let stopped: Vec<Outcome> = running.into_iter().map(Tenant::stop).collect();
    served.and_then(|()| stopped.into_iter().collect())
}

/// One tenant's desk, from its log outwards. It shares nothing with another's but the threads that serve requests.
pub(crate) struct Tenant {
    partition: Partition,
    views: ViewFollower,
    venues: Venues,
    fix: Option<fix::Running>,
    /// The demo's key.
    key: Option<String>,
    api: Api,
}

impl Tenant {
    fn open(desk: &Desk, http: &Runtime, accounts: &Identity) -> Result<Self, Failure> {
        if !desk.demo && !desk.log_dir().exists() {
            // Nothing is left behind, so that the tenant can still be founded here.
            return Err(no_tenant());
        }
        let journal = open(desk)?;
        let history = History::of(journal.as_ref(), Bounds::default());
        let market = Arc::new(MarketBook::new());
        let partition = start(desk, journal, &market)?;
        let handle = partition.handle().clone();
        let key = if desk.demo { Some(demo::set_up(&handle, desk)?) } else { None };
        require_tenant(&handle)?;
        let (views, reader) = views(&handle, desk)?;
        let venues = Venues::open(&partition, &handle, &market, desk)?;
        if let Some(market) = &venues.market {
            http.spawn(list_new(handle.feed().follow(handle.durable()), market.floor().clone()));
        }

        let fix = fix::Running::open(desk, &handle, &history, http)?;

        let parts = Parts {
            handle,
            views: reader,
            watermark: views.watermark.clone(),
            history,
            config: desk.api.clone(),
            telemetry: partition.telemetry().clone(),
            expositions: figures::of(venues.market.as_ref(), &market, fix.as_ref()),
            probes: Vec::new(),
            fix: fix.as_ref().map(|fix| Box::new(fix::Shown(fix.clients.clone())) as Box<dyn oms_api::fix::FixSessions>),
            identity: Some(accounts.clone()),
        };
        let api = http.block_on(Api::start(parts)).map_err(|refusal| Failure::Fault(refusal.message))?;
        Ok(Self { partition, views, venues, fix, key, api })
    }

    /// The way back: nothing more leaves, what was decided is durable, the views have it all.
    fn stop(self) -> Outcome {
        if let Some((market, otc)) = self.venues.classes {
            otc.stop();
            market.stop();
        }
        if let Some(market) = self.venues.market {
            market.stop();
        }
        drop(self.api);
        let stopped = self.partition.stop();
        if let Some(gateway) = self.venues.gateway {
            gateway.join();
        }
        self.views.join();
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

/// Instruments that are listed while the desk runs are traded on the replayed market from then on.
async fn list_new(mut log: Follower, floor: SharedFloor) {
    loop {
        let batch = match log.next().await {
            Ok(batch) => batch,
            Err(error) => {
                tracing::debug!(%error, "new instruments are no longer looked for");
                return;
            }
        };
        for event in &batch.events {
            if let Event::InstrumentListed(instrument) = event {
                floor.trade(&instrument.symbol, instrument.instrument_id);
            }
        }
    }
}

fn require_tenant(handle: &Handle) -> Outcome {
    let known = handle.inspect_blocking(|state, _| state.tenant_id() != oms_model::TenantId::default());
    match known.map_err(|refusal| Failure::Fault(refusal.message))? {
        true => Ok(()),
        false => Err(no_tenant()),
    }
}

fn no_tenant() -> Failure {
    Failure::Usage("this desk has no tenant yet: found one with `oms tenant create NAME`, or start it with --demo".to_owned())
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
    gateway: Option<gateway::Running>,
}

impl Venues {
    fn open(partition: &Partition, handle: &Handle, market: &Arc<MarketBook>, desk: &Desk) -> Result<Self, Failure> {
        if !desk.settings.paper.enabled {
            return Ok(Self { market: None, classes: None, gateway: None });
        }
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
        let ports = paper.ports().into_iter().chain(classes.iter().flat_map(|(other, _)| other.ports())).collect();
        let running = gateway::start(handle, ports, &clock, partition.telemetry(), partition.kill_epoch());
        let gateway = running.map_err(|refusal| Failure::Fault(refusal.message))?;
        Ok(Self { market: Some(paper), classes, gateway: Some(gateway) })
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
