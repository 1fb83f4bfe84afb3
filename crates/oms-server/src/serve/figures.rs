//! The venues' and the market's figures for `/metrics`.

use super::{fix, fix_venues, ib_venues};
use oms_api::Exposition;
use oms_api::metrics::Page;
use oms_fix::venue::VenueSession;
use oms_ib::port::IbHandle;
use oms_model::Mic;
use oms_runtime::MarketBook;
use oms_venues::floor::SharedFloor;
use oms_venues::market::PaperMarket;
use oms_venues::paper::VenueStats;
use std::sync::Arc;

/// Everything that the wiring knows and the interface does not.
#[must_use]
pub fn of(
    paper: Option<&PaperMarket>,
    market: &Arc<MarketBook>,
    fix: Option<&fix::Running>,
    venues: &[VenueSession],
    ib: &[IbHandle],
    audit: Option<&oms_publish::audit::Running>,
) -> Vec<Box<dyn Exposition>> {
    let mut all: Vec<Box<dyn Exposition>> = vec![Box::new(Ticks(market.clone()))];
    if let Some(paper) = paper {
        all.push(Box::new(PaperVenues(paper.floor().clone())));
    }
    if let Some(fix) = fix {
        all.push(Box::new(fix::Figures(fix.clients.clone())));
    }
    if !venues.is_empty() {
        all.push(Box::new(fix_venues::Figures(venues.to_vec())));
    }
    if !ib.is_empty() {
        all.push(Box::new(ib_venues::Figures(ib.to_vec())));
    }
    if let Some(audit) = audit {
        all.push(Box::new(super::audit::Signing(audit.trail())));
    }
    all
}

struct Ticks(Arc<MarketBook>);

impl Exposition for Ticks {
    fn expose(&self, page: &mut Page) {
        page.counter("oms_market_ticks_total", "Quotes and trades received.", [("", self.0.ticks())]);
    }
}

struct PaperVenues(SharedFloor);

/// One figure of a venue.
type Figure = fn(&VenueStats) -> u64;

const FIGURES: [(&str, &str, Figure); 5] = [
    ("oms_paper_accepted_total", "New orders that the paper venue took.", |stats| stats.accepted),
    ("oms_paper_rejected_total", "New orders that the paper venue refused.", |stats| stats.rejected),
    ("oms_paper_fills_total", "Executions at the paper venue.", |stats| stats.fills),
    ("oms_paper_duplicates_total", "Requests that the paper venue had seen before; above zero is a fault.", |stats| stats.duplicates_seen),
    ("oms_paper_lost_requests_total", "Requests that the line to the paper venue lost.", |stats| stats.lost_requests),
];

impl Exposition for PaperVenues {
    fn expose(&self, page: &mut Page) {
        let stats: Vec<(Mic, VenueStats)> = self.0.lock().venues().map(|(mic, venue)| (mic, venue.stats())).collect();
        let labels: Vec<String> = stats.iter().map(|(mic, _)| format!("venue=\"{mic}\"")).collect();
        for (name, help, figure) in FIGURES {
            page.counter(name, help, labels.iter().zip(&stats).map(|(label, (_, stats))| (label.as_str(), figure(stats))));
        }
    }
}
