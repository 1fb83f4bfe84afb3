//! What tests build requests from: a scene of venues with quotes as text, and plans as text.

use crate::{PlannedLeg, RoutePlan, RouteRequest, VenueStats, VenueView, plan};
use core::fmt::Write as _;
use oms_model::event::Candidate;
use oms_model::instrument::Venue;
use oms_model::market::{Level, Market, VenueQuote};
use oms_model::policy::SorPolicy;
use oms_model::{Mic, OrdType, Price, Qty, Side, SorMode, Time, TimeInForce};

/// The time of every decision unless a test says otherwise.
pub(crate) const NOW: Time = Time(1_000_000_000_000);

pub(crate) fn mic(code: &str) -> Mic {
    code.parse().unwrap()
}

pub(crate) fn price(text: &str) -> Price {
    text.parse().unwrap()
}

pub(crate) fn qty(text: &str) -> Qty {
    text.parse().unwrap()
}

/// `99.90x300`, or nothing.
fn level(text: &str) -> Option<Level> {
    let (px, size) = text.split_once('x')?;
    Some(Level { price: price(px), size: qty(size), at: NOW })
}

/// A venue with what is known of it.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    pub(crate) venue: Venue,
    pub(crate) stats: VenueStats,
    pub(crate) connected: bool,
    pub(crate) killed: bool,
    pub(crate) halted: bool,
    pub(crate) restricted: bool,
    pub(crate) in_doubt: bool,
    pub(crate) quote: VenueQuote,
}

/// A healthy venue without fees: 200 us and half of the orders filled before anything was measured.
pub(crate) fn spot(code: &str, bid: &str, ask: &str) -> Spot {
    let venue = Venue {
        venue: mic(code),
        latency_prior_ns: 200_000,
        fill_prior_ppm: 500_000,
        fill_prior_weight: 10,
        enabled: true,
        ..Venue::default()
    };
    let quote = VenueQuote { venue: venue.venue, bid: level(bid), ask: level(ask), halted: false };
    Spot { venue, stats: VenueStats::default(), connected: true, killed: false, halted: false, restricted: false, in_doubt: false, quote }
}

impl Spot {
    pub(crate) fn fees(mut self, maker: &str, taker: &str) -> Self {
        (self.venue.maker_fee, self.venue.taker_fee) = (price(maker), price(taker));
        self
    }
    pub(crate) fn latency(mut self, prior_ns: u64) -> Self {
        self.venue.latency_prior_ns = prior_ns;
        self
    }
    pub(crate) fn fill(mut self, prior_ppm: u32) -> Self {
        self.venue.fill_prior_ppm = prior_ppm;
        self
    }
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

/// A request with what it borrows.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) side: Side,
    pub(crate) ord_type: OrdType,
    pub(crate) qty: Qty,
    pub(crate) price: Option<Price>,
    pub(crate) time_in_force: TimeInForce,
    pub(crate) lot: Qty,
    pub(crate) mode: SorMode,
    pub(crate) named: Option<Mic>,
    pub(crate) policy: SorPolicy,
    pub(crate) failed: Vec<(Mic, u32)>,
    pub(crate) spots: Vec<Spot>,
}

/// A market order of 100 to buy, lots of 1, to the best venue.
pub(crate) fn scene(spots: Vec<Spot>) -> Scene {
    Scene {
        side: Side::Buy,
        ord_type: OrdType::Market,
        qty: qty("100"),
        price: None,
        time_in_force: TimeInForce::Day,
        lot: qty("1"),
        mode: SorMode::SingleBest,
        named: None,
        policy: SorPolicy::default(),
        failed: Vec::new(),
        spots,
    }
}

impl Scene {
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
    pub(crate) fn limit(self, side: Side, at: &str) -> Self {
        self.with(|s| (s.side, s.ord_type, s.price) = (side, OrdType::Limit, Some(price(at))))
    }
    pub(crate) fn sized(self, units: &str) -> Self {
        self.with(|s| s.qty = qty(units))
    }
    pub(crate) fn tif(self, tif: TimeInForce) -> Self {
        self.with(|s| s.time_in_force = tif)
    }
    pub(crate) fn mode(self, mode: SorMode) -> Self {
        self.with(|s| s.mode = mode)
    }

    fn market(&self) -> Market {
        let mut market = Market::default();
        for quote in self.spots.iter().map(|spot| spot.quote) {
            market.set_quote(quote.venue, true, quote.bid);
            market.set_quote(quote.venue, false, quote.ask);
            market.quotes.iter_mut().filter(|q| q.venue == quote.venue).for_each(|q| q.halted = quote.halted);
        }
        market
    }

    pub(crate) fn plan(&self) -> RoutePlan {
        let market = self.market();
        let venues: Vec<VenueView<'_>> = self
            .spots
            .iter()
            .map(|spot| VenueView {
                venue: &spot.venue,
                stats: &spot.stats,
                connected: spot.connected,
                killed: spot.killed,
                halted: spot.halted,
                restricted: spot.restricted,
                maintenance: false,
                in_doubt: spot.in_doubt,
            })
            .collect();
        plan(&RouteRequest {
            side: self.side,
            ord_type: self.ord_type,
            qty: self.qty,
            price: self.price,
            time_in_force: self.time_in_force,
            lot: self.lot,
            mode: self.mode,
            named: self.named,
            market: &market,
            venues: &venues,
            policy: &self.policy,
            failed: &self.failed,
            now: NOW,
        })
    }

    /// The plan's legs as text, see [`legs`].
    pub(crate) fn legs(&self) -> String {
        legs(&self.plan())
    }

    /// A value of each candidate, in the order of the candidates.
    pub(crate) fn each<T>(&self, value: impl Fn(&Candidate) -> T) -> Vec<(String, T)> {
        self.plan().candidates.iter().map(|c| (c.venue.to_string(), value(c))).collect()
    }
}

/// The candidate of this venue.
pub(crate) fn at<'a>(plan: &'a RoutePlan, venue: &str) -> &'a Candidate {
    plan.candidates.iter().find(|c| c.venue == mic(venue)).unwrap()
}

/// The legs in one line, with what was not placed.
pub(crate) fn legs(plan: &RoutePlan) -> String {
    let mut parts: Vec<String> = plan.legs.iter().map(leg).collect();
    if !plan.unplaced.is_zero() {
        parts.push(format!("unplaced {}", plan.unplaced));
    }
    parts.join(", ")
}

fn leg(leg: &PlannedLeg) -> String {
    let price = leg.price.map_or(String::from("-"), |price| price.to_string());
    format!("{} {} {} {price} {}", leg.venue, leg.qty, leg.ord_type, leg.time_in_force)
}

/// The whole plan, one line for each candidate and leg.
pub(crate) fn text(plan: &RoutePlan) -> String {
    let shown = |px: Option<Price>, size: Qty| px.map_or(String::from("-"), |px| format!("{px}x{size}"));
    let price = |px: Option<Price>| px.map_or(String::from("-"), |px| px.to_string());
    let mut out = format!("market {} {}\n", price(plan.bid), price(plan.ask));
    for c in &plan.candidates {
        let excluded = c.excluded.map_or(String::new(), |reason| format!(" {reason}"));
        let (bid, ask) = (shown(c.bid, c.bid_size), shown(c.ask, c.ask_size));
        writeln!(
            out,
            "{} {bid} {ask} age {} | price {} latency {} ({} ns) fill {} fee {} ({}) = {}{excluded}",
            c.venue, c.quote_age_ns, c.price_score, c.latency_score, c.latency_ns, c.fill_score, c.fee_score, c.fee, c.score
        )
        .unwrap();
    }
    writeln!(out, "{}", legs(plan)).unwrap();
    out
}
