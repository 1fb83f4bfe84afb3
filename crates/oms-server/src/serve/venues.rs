//! The venues of a desk, and whoever hands orders to them.

use super::demo;
use super::fix::Stored;
use super::fix_venues::FixVenues;
use super::ib_venues::IbVenues;
use super::settings::Desk;
use crate::exit::Failure;
use oms_model::{InstrumentId, Mic, Symbol};
use oms_runtime::port::VenuePort;
use oms_runtime::{Clock, Handle, MarketBook, Partition, SystemClock, gateway};
use oms_store::views::ViewReader;
use oms_venues::market::PaperMarket;
use oms_venues::otc::{self, Otc};
use std::sync::Arc;

/// The venues and whoever hands orders to them.
pub(super) struct Venues {
    pub market: Option<PaperMarket>,
    /// Everything that the recording lacks: the demo's other classes.
    pub classes: Option<(PaperMarket, Otc)>,
    /// Those that speak FIX.
    pub fix: Option<FixVenues>,
    /// Gateways of Interactive Brokers.
    pub ib: IbVenues,
    pub gateway: Option<gateway::Running>,
}

impl Venues {
    pub fn open(
        partition: &Partition,
        handle: &Handle,
        market: &Arc<MarketBook>,
        desk: &Desk,
        stored: Option<Stored>,
        views: &ViewReader,
    ) -> Result<Self, Failure> {
        let (fix, mut ports) = FixVenues::open(desk, handle, stored)?.map_or((None, Vec::new()), |(fix, ports)| (Some(fix), ports));
        let (ib, ib_ports) = IbVenues::open(desk, handle, market, views)?;
        ports.extend(ib_ports);
        let mut venues = Self { market: None, classes: None, fix, ib, gateway: None };
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

    /// The paper venues; one of the name of a real one gives way to it.
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
        let is_real = |venue: Mic| {
            desk.fix_venues.iter().any(|profile| profile.venue == venue)
                || desk.ib_venues.iter().any(|profile| profile.config.venue == venue)
        };
        ports.extend(all.filter(|port| !is_real(port.venue())));
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
