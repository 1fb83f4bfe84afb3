//! What is traded, where it can be sent, and the accounts it is traded for.

use crate::amount::{Decimal, Notional, ONE, Price, Qty};
use crate::ids::{AccountId, InstrumentId, Mic, SecurityId, Symbol, Tenor, Time};
use crate::terms::{AssetClass, OptionRight, SecurityIdSource, SettlMethod};

/// A three-letter currency code (ISO 4217).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(pub [u8; 3]);

impl Currency {
    /// United States dollar.
    pub const USD: Self = Self(*b"USD");
    /// The currency with this code; `None` where it is not three upper-case letters.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        <[u8; 3]>::try_from(code.as_bytes()).ok().filter(|code| code.iter().all(u8::is_ascii_uppercase)).map(Self)
    }
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
    /// Currency units for one point of price (FIX 231): 100 for an option on 100 shares. One where it is absent.
    pub multiplier: Option<Decimal>,
    /// What an option or a future is on.
    pub underlying: Option<Symbol>,
    /// The end of trading of an option or a future (FIX 541, 1079).
    pub expiry: Option<Time>,
    /// FIX 202, of an option.
    pub strike: Option<Price>,
    /// FIX 201, of an option.
    pub right: Option<OptionRight>,
    /// FIX 1193, of an option or a future.
    pub settl_method: Option<SettlMethod>,
    /// Days from trade to settlement: T+n.
    pub settl_days: u32,
    /// The base currency of a currency pair; its `currency` is the other one, in which its price is.
    pub base_currency: Option<Currency>,
    /// FIX 6215: when an FX or money-market deal begins, or how long it runs.
    pub tenor: Option<Tenor>,
    /// FIX 64: the day on which the tenor settles.
    pub value_date: Option<Time>,
    /// Whether its price is a rate, percent a year: then a deal is worth its quantity, whatever the rate.
    pub rate_quoted: bool,
    /// A fund's cut-off, seconds after midnight UTC: an order that comes later is priced at the next valuation.
    pub cut_off_utc_s: Option<u32>,
    /// A fund's last net asset value per unit.
    pub nav: Option<Price>,
    /// The valuation point of that value.
    pub nav_at: Option<Time>,
    /// Its identifiers in other lists.
    pub external_ids: Vec<ExternalId>,
    /// What is traded of it in a day on average.
    pub adv_qty: Option<Qty>,
}

/// An instrument's identifier in somebody else's list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExternalId {
    /// Whose list.
    pub source: SecurityIdSource,
    /// The identifier.
    pub security_id: SecurityId,
}

/// What a quantity of an instrument at a price is worth.
///
/// Counts 10^-9 of the multiplier; zero stands for one. Below zero it is an instrument that is quoted as a rate: the
/// price says nothing about its value. Eight bytes, because every client order keeps one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Valuation(i64);

impl Valuation {
    /// From the stored number.
    #[must_use]
    pub const fn from_raw(raw: i64) -> Self {
        Self(raw)
    }
    /// The stored number.
    #[must_use]
    pub const fn raw(self) -> i64 {
        self.0
    }

    /// Money that was worked out as price times quantity, with the multiplier; `None` on overflow. Of what is quoted as
    /// a rate, prices say nothing about profit.
    #[must_use]
    pub fn money(self, plain: Notional) -> Option<Notional> {
        match self.0 {
            0 => Some(plain),
            rate if rate < 0 => Some(Notional::ZERO),
            multiplier => plain.at_rate(Decimal::from_raw(multiplier.into())),
        }
    }

    /// The same in another currency of which one unit of the instrument's buys `rate`, rounded up at 10^-9; `None` where
    /// it is out of range.
    #[must_use]
    pub fn at_rate(self, rate: Decimal) -> Option<Self> {
        let one = i128::from(ONE);
        if rate.raw() == one {
            return Some(self);
        }
        let multiplier = if self.0 == 0 { one } else { i128::from(self.0.unsigned_abs()) };
        let scaled = multiplier.checked_mul(rate.raw())?.checked_add(one - 1)?.checked_div(one)?;
        let scaled = i64::try_from(scaled).ok().filter(|scaled| *scaled > 0)?;
        Some(Self(if self.0 < 0 { -scaled } else { scaled }))
    }

    /// The value, rounded away from zero at 10^-18; `None` on overflow.
    #[must_use]
    pub fn notional(self, price: Price, qty: Qty) -> Option<Notional> {
        let plain = if self.0 < 0 { Price::from_raw(ONE).notional(qty)? } else { price.notional(qty)? };
        if self.0 == 0 {
            return Some(plain);
        }
        let (one, scaled) = (i128::from(ONE), plain.raw().checked_mul(i128::from(self.0.unsigned_abs())));
        // A large value times a large multiplier may leave the range although the result does not.
        let value = match scaled {
            Some(scaled) => scaled / one + i128::from(scaled % one != 0) * scaled.signum(),
            None => (plain.raw() / one + plain.raw().signum()).checked_mul(i128::from(self.0.unsigned_abs()))?,
        };
        Some(Notional::from_raw(value))
    }
}

impl Instrument {
    /// Whether `price` is a whole number of the ticks that hold there.
    #[must_use]
    pub fn is_on_tick(&self, price: Price) -> bool {
        self.tick_at(price).is_some_and(|tick| tick.is_positive() && price.raw() % tick.raw() == 0)
    }
    /// How deals in it are valued.
    #[must_use]
    pub fn valuation(&self) -> Valuation {
        let multiplier = self.multiplier.map_or(0, |m| i64::try_from(m.raw()).unwrap_or(i64::MAX));
        if self.rate_quoted { Valuation(if multiplier == 0 { -ONE } else { -multiplier }) } else { Valuation(multiplier) }
    }

    /// Whether it has expired at `now`.
    #[must_use]
    pub fn is_expired(&self, now: Time) -> bool {
        self.expiry.is_some_and(|at| at <= now)
    }

    /// Whether fractions of a unit are traded.
    #[must_use]
    pub fn is_fractional(&self) -> bool {
        self.lot.raw() % i128::from(ONE) != 0
    }

    /// A fund's last cut-off at or before `at`; `at` itself where it has none.
    #[must_use]
    pub fn cut_off_before(&self, at: Time) -> Time {
        const DAY: i64 = 86_400_000_000_000;
        let Some(seconds) = self.cut_off_utc_s else { return at };
        let today = at.0 - at.0.rem_euclid(DAY) + i64::from(seconds) * 1_000_000_000;
        Time(if today <= at.0 { today } else { today.saturating_sub(DAY) })
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
    /// The currencies beside its own that it holds and may trade in.
    pub currencies: Vec<Currency>,
    /// Whether it may trade in any currency of which a rate is recorded.
    pub converts: bool,
    /// Its money at the start, in the tenant's risk currency; with profit and loss it is the equity.
    pub capital: Option<Decimal>,
}

impl Account {
    /// Whether it may trade in a currency.
    #[must_use]
    pub fn trades_in(&self, currency: Currency) -> bool {
        self.converts || currency == self.currency || self.currencies.contains(&currency)
    }
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
    /// Whether it has no STOP and STOP_LIMIT orders of its own.
    pub lacks_stops: bool,
    /// Whether it has no GTD: an order stays there until it is canceled, and its end is kept here.
    pub lacks_gtd: bool,
}
