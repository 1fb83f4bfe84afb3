//! Price bands (limit up, limit down), and the short-sale price test that begins by itself.

use crate::book::RiskBook;
use crate::check::{Inquiry, pass, refuse};
use oms_model::compliance::PriceBand;
use oms_model::event::{PriorCloseSet, ShortSaleTriggered};
use oms_model::limit::{Check, CheckResult, Scope};
use oms_model::{Code, Decimal, InstrumentId, OrdType, Price, Time};
use std::collections::BTreeMap;

/// What is known of prices that may not be left.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bands {
    pub(crate) bands: BTreeMap<InstrumentId, PriceBand>,
    pub(crate) prior_closes: BTreeMap<InstrumentId, Price>,
    /// The price test that began by itself, with what it says.
    pub(crate) triggered: BTreeMap<InstrumentId, ShortSaleTriggered>,
}

impl RiskBook {
    /// The price bands, by instrument, those that have ended included.
    pub fn price_bands(&self) -> impl Iterator<Item = &PriceBand> {
        self.bands.bands.values()
    }

    /// The price band that holds for an instrument.
    #[must_use]
    pub fn price_band(&self, instrument_id: InstrumentId, now: Time) -> Option<&PriceBand> {
        self.bands.bands.get(&instrument_id).filter(|band| band.until.is_none_or(|until| now < until))
    }

    /// A price band was recorded.
    pub fn set_price_band(&mut self, band: &PriceBand) {
        self.bands.bands.insert(band.instrument_id, *band);
    }

    /// A price band was taken away.
    pub fn remove_price_band(&mut self, instrument_id: InstrumentId) {
        self.bands.bands.remove(&instrument_id);
    }

    /// A closing price became known.
    pub fn set_prior_close(&mut self, instrument_id: InstrumentId, price: Price) {
        self.bands.prior_closes.insert(instrument_id, price);
    }

    /// The last closing price of an instrument.
    #[must_use]
    pub fn prior_close(&self, instrument_id: InstrumentId) -> Option<Price> {
        self.bands.prior_closes.get(&instrument_id).copied()
    }

    /// Instruments of which a closing price is known, behind `after`, by id.
    pub fn prior_closes_after(&self, after: Option<InstrumentId>) -> impl Iterator<Item = PriorCloseSet> + '_ {
        let from = after.map_or(core::ops::Bound::Unbounded, core::ops::Bound::Excluded);
        let known = self.bands.prior_closes.range((from, core::ops::Bound::Unbounded));
        known.map(|(instrument_id, price)| PriorCloseSet { instrument_id: *instrument_id, price: *price })
    }

    /// The short-sale price test began by itself.
    pub fn trigger_short_sale(&mut self, triggered: &ShortSaleTriggered) {
        self.bands.triggered.insert(triggered.instrument_id, *triggered);
    }

    /// Every price test that began by itself, those that have ended included.
    pub fn triggered_short_sales(&self) -> impl Iterator<Item = &ShortSaleTriggered> {
        self.bands.triggered.values()
    }

    /// Whether a short sale of an instrument must be above the best bid.
    #[must_use]
    pub fn is_short_sale_restricted(&self, instrument_id: InstrumentId, now: Time) -> bool {
        self.short_sale_restricted.contains(&instrument_id)
            || self.bands.triggered.get(&instrument_id).is_some_and(|triggered| now < triggered.until)
    }
}

/// The price that an order trades at worst when it comes to the market: its limit, or the quote that it would meet. One that
/// waits for a trigger, or for the close, meets the band that holds then, at its venue.
fn price(inquiry: &Inquiry<'_>) -> Option<Price> {
    match inquiry.order.ord_type {
        OrdType::Limit => inquiry.order.price,
        OrdType::Market | OrdType::MarketToLimit => crate::collar::opposite(inquiry).map(|level| level.price),
        _ => None,
    }
}

/// A purchase above the upper price, or a sale below the lower one.
pub(crate) fn check(inquiry: &Inquiry<'_>) -> CheckResult {
    let order = &inquiry.order;
    let band = inquiry.book.price_band(order.instrument_id, inquiry.ctx.now);
    let (Some(band), Some(price), true) = (band, price(inquiry), crate::collar::concerns(inquiry)) else {
        return inquiry.not_applicable(Check::PriceBand);
    };
    let scope = Scope::Instrument(order.instrument_id);
    let (limit, beyond) = if order.side.is_buy() { (band.upper, price > band.upper) } else { (band.lower, price < band.lower) };
    let found = CheckResult {
        scope,
        value: Some(Decimal::from(price)),
        limit: Some(Decimal::from(limit)),
        until: band.until,
        ..CheckResult::default()
    };
    if beyond {
        let CheckResult { check, verdict, code, .. } = refuse(Check::PriceBand, Code::PriceBand, scope);
        CheckResult { check, verdict, code, ..found }
    } else {
        let CheckResult { check, verdict, .. } = pass(Check::PriceBand);
        CheckResult { check, verdict, ..found }
    }
}
