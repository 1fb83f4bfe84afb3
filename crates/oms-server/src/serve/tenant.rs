//! One tenant's desk: opened from its log outwards, and closed again.

use super::settings::Desk;
use super::venues::Venues;
use super::{audit, demo, fault, figures, fix, fix_venues, ib_venues};
use crate::exit::{Failure, Outcome};
use oms_api::{Api, Parts};
use oms_auth::Identity;
use oms_fix::store::JournalStore;
use oms_fix::transport::Engine;
use oms_fix::venue::VenueSession;
use oms_model::Event;
use oms_runtime::feed::Follower;
use oms_runtime::history::{Bounds, History};
use oms_runtime::market::BarKeeper;
use oms_runtime::view_follower::{self, ViewFollower};
use oms_runtime::{Clock, Config as EngineConfig, Handle, MarketBook, Partition, SystemClock};
use oms_store::{EmbeddedJournal, Journal};
use oms_venues::floor::SharedFloor;
use std::path::PathBuf;
use std::sync::Arc;

/// One tenant's desk, from its log outwards. It shares nothing with another's but the threads that serve requests.
pub(super) struct Tenant {
    pub partition: Partition,
    pub views: ViewFollower,
    pub venues: Venues,
    pub fix: Option<fix::Running>,
    /// The demo's key.
    pub key: Option<String>,
    pub api: Api,
    /// The folder that it lies in.
    pub place: PathBuf,
    auditing: Option<oms_publish::audit::Running>,
    bars: Option<BarKeeper>,
}

impl Tenant {
    pub fn open(desk: &Desk, http: &tokio::runtime::Handle, accounts: &Identity, engine: &Engine) -> Result<Self, Failure> {
        require_log(desk)?;
        let journal = open(desk)?;
        let history = History::of(journal.as_ref(), Bounds::default());
        let auditing = audit::start(desk, journal.as_ref())?;
        let shown_audit = auditing.as_ref().map(|running| audit::Shown::new(running.trail(), journal.as_ref()));
        let market = Arc::new(MarketBook::new());
        // Before any feed: what was comes first.
        let bars = keep_bars(desk, &market);
        let partition = start(desk, journal, &market)?;
        let handle = partition.handle().clone();
        let key = if desk.demo { Some(demo::set_up(&handle, desk)?) } else { None };
        require_tenant(&handle)?;
        let (views, reader) = views(&handle, desk)?;
        let stored = fix::store(desk)?;
        let store = stored.as_ref().map(|(store, _)| store.clone());
        let venues = Venues::open(&partition, &handle, &market, desk, stored, &reader)?;
        let sessions = venues.fix.as_ref().map(|fix| fix.sessions.clone()).unwrap_or_default();
        if let Some(market) = &venues.market {
            http.spawn(list_new(handle.feed().follow(handle.durable()), market.floor().clone()));
        }
        let fix = fix::Running::open(desk, &handle, &history, http, store.as_ref(), engine)?;

        let signing = auditing.iter().map(|running| Box::new(audit::Signing(running.trail())) as Box<dyn oms_api::Probe>);
        let parts = Parts {
            handle,
            views: reader,
            watermark: views.watermark.clone(),
            history,
            config: desk.api.clone(),
            venues: venues.gateway.as_ref().map(|gateway| gateway.venues().to_vec()).unwrap_or_default(),
            telemetry: partition.telemetry().clone(),
            expositions: figures::of(venues.market.as_ref(), &market, fix.as_ref(), &sessions, &venues.ib.handles, auditing.as_ref()),
            probes: fix_venues::probes(&sessions).into_iter().chain(ib_venues::probes(&venues.ib.handles)).chain(signing).collect(),
            fix: shown(fix.as_ref(), sessions, store),
            brokers: ib_venues::Shown::of(&venues.ib.handles),
            identity: Some(accounts.clone()),
            audit: shown_audit.map(|shown| Arc::new(shown) as Arc<dyn oms_api::audit::Audit>),
        };
        let api = http.block_on(Api::start(parts)).map_err(|refusal| Failure::Fault(refusal.message))?;
        Ok(Self { partition, views, venues, fix, key, api, place: desk.data.clone(), auditing, bars })
    }

    /// The way back: nothing more leaves, what was decided is durable, the views have it all.
    pub fn stop(self) -> Outcome {
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
        if let Some(fix) = self.venues.fix {
            fix.stop();
        }
        self.venues.ib.stop();
        if let Some(bars) = self.bars {
            bars.stop();
        }
        self.views.join();
        // Last of all: what was decided until the end is signed.
        if let Some(auditing) = self.auditing {
            auditing.stop();
        }
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

/// Bars are for people to look at: a desk trades without those of before.
fn keep_bars(desk: &Desk, market: &Arc<MarketBook>) -> Option<BarKeeper> {
    let kept = BarKeeper::start(market, &desk.bars_path(), SystemClock.now());
    kept.inspect_err(|error| tracing::warn!(%error, "bars of the market begin anew and are not kept")).ok()
}

pub(super) fn open(desk: &Desk) -> Result<Box<dyn Journal>, Failure> {
    let dir = desk.log_dir();
    std::fs::create_dir_all(&desk.data).map_err(|error| Failure::Usage(format!("{}: {error}", desk.data.display())))?;
    let journal = EmbeddedJournal::open_dir(&dir, desk.journal.clone());
    Ok(Box::new(journal.map_err(|error| Failure::Refused(format!("the log in {}: {error}", dir.display())))?))
}

pub(super) fn start(desk: &Desk, journal: Box<dyn Journal>, market: &Arc<MarketBook>) -> Result<Partition, Failure> {
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

/// The FIX sessions as the interface sees them, where there are any.
fn shown(
    fix: Option<&fix::Running>,
    venues: Vec<VenueSession>,
    store: Option<Arc<JournalStore>>,
) -> Option<Box<dyn oms_api::fix::FixSessions>> {
    if fix.is_none() && venues.is_empty() {
        return None;
    }
    let clients = fix.map(|fix| fix.clients.clone()).unwrap_or_default();
    Some(Box::new(fix::Shown { clients, venues, store }))
}

fn require_tenant(handle: &Handle) -> Outcome {
    let known = handle.inspect_blocking(|state, _| state.tenant_id() != oms_model::TenantId::default());
    match known.map_err(|refusal| Failure::Fault(refusal.message))? {
        true => Ok(()),
        false => Err(no_tenant()),
    }
}

/// A desk that was never founded is refused before anything is written, so that its tenant can still be founded there.
pub(super) fn require_log(desk: &Desk) -> Outcome {
    if desk.demo || desk.log_dir().exists() { Ok(()) } else { Err(no_tenant()) }
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
