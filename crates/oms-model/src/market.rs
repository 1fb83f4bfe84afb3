//! The market as a decision sees it: each venue's own last quote, and the best of them.

use crate::amount::{Price, Qty};
use crate::ids::{Mic, Time};
use crate::terms::Side;

/// One side of a quote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// Price per unit.
    pub price: Price,
    /// Displayed quantity.
    pub size: Qty,
    /// When we received it.
    pub at: Time,
}

/// A price that a decision saw, and how old it was by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeenPrice {
    /// Price per unit.
    pub price: Price,
    /// When we received it.
    pub at: Time,
}

/// What the gate saw of a market: enough to judge the same order again under other rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// National best bid.
    pub bid: Option<SeenPrice>,
    /// National best offer.
    pub ask: Option<SeenPrice>,
    /// Last trade.
    pub last: Option<SeenPrice>,
}

impl Seen {
    /// Of this market.
    #[must_use]
    pub fn of(market: &Market) -> Self {
        let seen = |level: Option<Level>| level.map(|Level { price, at, .. }| SeenPrice { price, at });
        Self { bid: seen(market.bid), ask: seen(market.ask), last: seen(market.last) }
    }

    /// A market that looks the same to the gate: best prices without venues or sizes.
    #[must_use]
    pub fn to_market(self) -> Market {
        let level = |seen: Option<SeenPrice>| seen.map(|SeenPrice { price, at }| Level { price, size: Qty::ZERO, at });
        Market { bid: level(self.bid), ask: level(self.ask), last: level(self.last), ..Market::default() }
    }
}

/// A venue's own last known quote. A side that was never seen, or was withdrawn, is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VenueQuote {
    /// The venue.
    pub venue: Mic,
    /// Best bid.
    pub bid: Option<Level>,
    /// Best offer.
    pub ask: Option<Level>,
    /// Whether the venue has halted the instrument or is closed.
    pub halted: bool,
}

impl VenueQuote {
    /// The side that an order of `side` would trade against.
    #[must_use]
    pub fn opposite(&self, side: Side) -> Option<Level> {
        if side.is_buy() { self.ask } else { self.bid }
    }
}

/// The market in one instrument.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Market {
    /// Each venue's quote, in the order of venues.
    pub quotes: Vec<VenueQuote>,
    /// National best bid: the highest bid of all venues, the larger size first among equals.
    pub bid: Option<Level>,
    /// National best offer: the lowest.
    pub ask: Option<Level>,
    /// Last trade price and when we received it.
    pub last: Option<Level>,
    /// Quantity traded since the feed began; it begins again at zero with each feed.
    pub volume: Qty,
}

impl Market {
    /// The middle of the national best bid and offer, rounded down; `None` where a side is missing.
    #[must_use]
    pub fn mid(&self) -> Option<Price> {
        let (bid, ask) = (self.bid?.price.raw(), self.ask?.price.raw());
        Some(Price::from_raw(bid + (ask - bid) / 2))
    }

    /// Whether the instrument can be traded nowhere: every venue that quotes it has halted it.
    #[must_use]
    pub fn is_halted(&self) -> bool {
        !self.quotes.is_empty() && self.quotes.iter().all(|quote| quote.halted)
    }

    /// Receives a venue's quote of one side; `None` withdraws it. Keeps the best of all venues.
    pub fn set_quote(&mut self, venue: Mic, bid_side: bool, level: Option<Level>) {
        let at = match self.quotes.iter().position(|q| q.venue == venue) {
            Some(at) => at,
            None => {
                let at = self.quotes.partition_point(|q| q.venue < venue);
                self.quotes.insert(at, VenueQuote { venue, ..VenueQuote::default() });
                at
            }
        };
        if let Some(quote) = self.quotes.get_mut(at) {
            if bid_side {
                quote.bid = level;
            } else {
                quote.ask = level;
            }
        }
        if bid_side {
            self.bid = self.quotes.iter().filter_map(|q| q.bid).max_by_key(|l| (l.price, l.size));
        } else {
            self.ask = self.quotes.iter().filter_map(|q| q.ask).min_by_key(|l| (l.price, core::cmp::Reverse(l.size)));
        }
    }

    /// Receives a trade print.
    pub fn set_last(&mut self, price: Price, size: Qty, at: Time) {
        self.last = Some(Level { price, size, at });
        self.volume = self.volume.saturating_add(size.max(Qty::ZERO));
    }
}
