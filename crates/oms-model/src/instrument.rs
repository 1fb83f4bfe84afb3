//! What is traded, where it can be sent, and the accounts it is traded for.

use crate::amount::{Price, Qty};
use crate::ids::{AccountId, InstrumentId, Mic, Symbol};
use crate::terms::AssetClass;

/// A three-letter currency code (ISO 4217).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(pub [u8; 3]);

impl Currency {
    /// United States dollar.
    pub const USD: Self = Self(*b"USD");
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl Default for Currency {
    fn default() -> Self {
        Self::USD
    }
}

/// One step of a tick table: from `from` upwards prices are multiples of `tick`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TickStep {
    /// The lowest price of the step.
    pub from: Price,
    /// The price increment.
    pub tick: Price,
}

/// An instrument.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instrument {
    /// Its place in the tenant's list.
    pub instrument_id: InstrumentId,
    /// Ticker.
    pub symbol: Symbol,
    /// Where it is listed.
    pub listing: Mic,
    /// Kind.
    pub asset_class: AssetClass,
    /// The currency of its prices.
    pub currency: Currency,
    /// The tick table, lowest step first. Example: [SEC Rule 612](https://www.sec.gov/rules/final/34-51808.pdf) has
    /// 0.0001 below one dollar and 0.01 from there.
    pub ticks: Vec<TickStep>,
    /// Quantities are multiples of it.
    pub lot: Qty,
    /// Smallest order.
    pub min_qty: Qty,
    /// Largest order.
    pub max_qty: Qty,
    /// Whether orders are taken.
    pub active: bool,
}

impl Instrument {
    /// Whether `price` is a whole number of the ticks that hold there.
    #[must_use]
    pub fn is_on_tick(&self, price: Price) -> bool {
        self.tick_at(price).is_some_and(|tick| tick.is_positive() && price.raw() % tick.raw() == 0)
    }
    /// The price increment that holds at `price`; `None` where the table has no step for it.
    #[must_use]
    pub fn tick_at(&self, price: Price) -> Option<Price> {
        self.ticks.iter().rev().find(|step| step.from <= price).map(|step| step.tick)
    }
}

/// An account to trade for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub account_id: AccountId,
    /// Shown name.
    pub name: String,
    /// Base currency.
    pub currency: Currency,
    /// Whether orders are taken.
    pub active: bool,
}

/// An execution venue as the router knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Venue {
    /// Its code.
    pub venue: Mic,
    /// Shown name.
    pub name: String,
    /// Charge per unit for adding liquidity; a rebate is negative.
    pub maker_fee: Price,
    /// Charge per unit for removing liquidity; a rebate is negative.
    pub taker_fee: Price,
    /// Acknowledgement latency expected before any was measured, nanoseconds.
    pub latency_prior_ns: u64,
    /// Fills per submission expected before any was seen, parts per million.
    pub fill_prior_ppm: u32,
    /// Weight of that prior, in submissions.
    pub fill_prior_weight: u32,
    /// Whether orders may be routed there.
    pub enabled: bool,
}
