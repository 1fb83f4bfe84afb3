//! A paper dealer: what it answers to a request for quotes.
//!
//! Pure: the same seed, request and reference give the same answer. It quotes both sides around the market, or around
//! its own model price where there is no market, never inside its smallest spread, rounded away from the middle.

use oms_model::command::NewQuote;
use oms_model::event::QuoteRequested;
use oms_model::instrument::Instrument;
use oms_model::{Mic, Price, QuoteRef, Symbol};
use std::collections::BTreeMap;

use crate::paper::prng::Prng;

/// How a dealer behaves, faults included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DealerProfile {
    /// The venue that an accepted quote is dealt at.
    pub venue: Mic,
    /// Its name, for people.
    pub name: &'static str,
    /// The smallest half spread, hundredths of a basis point of the reference.
    pub half_spread_e2: u32,
    /// What chance adds to it at most, hundredths of a basis point.
    pub jitter_e2: u32,
    /// How long its quotes live, milliseconds.
    pub life_ms: u32,
    /// How long it thinks before it answers, nanoseconds. A fault where it is long.
    pub think_ns: u64,
    /// Of a million requests, how many it does not answer.
    pub silent_ppm: u32,
    /// Of a million quotes, how many it takes back half way through their life.
    pub withdraw_ppm: u32,
}

/// What a dealer does about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The quote.
    pub quote: NewQuote,
    /// Whether it will be taken back half way through its life.
    pub withdraws: bool,
}

/// A dealer.
#[derive(Clone, Debug)]
pub struct Dealer {
    /// How it behaves.
    pub profile: DealerProfile,
    seed: u64,
    /// Its own value of what no market prices.
    models: BTreeMap<Symbol, Price>,
}

/// Hundredths of a basis point in one.
const ONE_E2: i128 = 1_000_000;

impl Dealer {
    /// A dealer on a seed.
    #[must_use]
    pub fn new(profile: DealerProfile, seed: u64) -> Self {
        let seed = seed ^ u64::from(profile.venue.as_u32()) << 17;
        Self { profile, seed, models: BTreeMap::new() }
    }

    /// The same dealer with a value of its own for an instrument.
    #[must_use]
    pub fn valuing(mut self, symbol: Symbol, price: Price) -> Self {
        self.models.insert(symbol, price);
        self
    }

    /// Whether the request is for this dealer too.
    #[must_use]
    pub fn is_asked(&self, request: &QuoteRequested) -> bool {
        request.dealers.is_empty() || request.dealers.contains(&self.profile.venue)
    }

    /// Its answer to a request; `None`: it has no price, or is silent. `market` is the middle of the market.
    #[must_use]
    pub fn answer(&self, request: &QuoteRequested, instrument: &Instrument, market: Option<Price>) -> Option<Answer> {
        let id = request.quote_req_id.as_u128();
        let mut rng = Prng::new(self.seed ^ (id >> 64) as u64 ^ id as u64);
        if rng.chance(self.profile.silent_ppm) {
            return None;
        }
        let reference = market.or_else(|| self.models.get(&instrument.symbol).copied())?;
        let half = u64::from(self.profile.half_spread_e2) + rng.below(u64::from(self.profile.jitter_e2) + 1);
        let away = i128::from(reference.raw()).checked_mul(i128::from(half))? / ONE_E2;
        let raw = |px: i128| i64::try_from(px).ok().map(Price::from_raw);
        let bid = rounded(instrument, raw(i128::from(reference.raw()) - away)?, false)?;
        let offer = rounded(instrument, raw(i128::from(reference.raw()) + away)?, true)?;
        let quote = NewQuote {
            quote_req_id: request.quote_req_id,
            dealer: self.profile.venue,
            quote_ref: QuoteRef::new(&format!("{}-{id:032x}", self.profile.venue)).ok()?,
            bid_px: bid.is_positive().then_some(bid),
            bid_size: request.order_qty,
            offer_px: Some(offer),
            offer_size: request.order_qty,
            life_ms: self.profile.life_ms,
            replaces: None,
        };
        Some(Answer { quote, withdraws: rng.chance(self.profile.withdraw_ppm) })
    }
}

/// A price on the tick table: down for a bid, up for an offer, so that rounding never narrows the spread.
fn rounded(instrument: &Instrument, price: Price, up: bool) -> Option<Price> {
    let tick = instrument.tick_at(price)?.raw();
    let below = price.raw().checked_sub(price.raw().rem_euclid(tick))?;
    let raw = if up && below != price.raw() { below.checked_add(tick)? } else { below };
    Some(Price::from_raw(raw))
}

#[cfg(test)]
mod tests {
    use super::*;
    use oms_model::instrument::TickStep;
    use oms_model::{Qty, QuoteReqId};

    fn profile() -> DealerProfile {
        DealerProfile {
            venue: Mic::of(b"DLRA"),
            name: "dealer",
            half_spread_e2: 1_000,
            jitter_e2: 500,
            life_ms: 2_000,
            think_ns: 0,
            silent_ppm: 0,
            withdraw_ppm: 0,
        }
    }

    fn note() -> Instrument {
        let ticks = vec![TickStep { from: Price::ZERO, tick: "0.01".parse().unwrap() }];
        Instrument { symbol: Symbol::new("NOTE").unwrap(), ticks, lot: Qty::from_units(1).unwrap(), ..Instrument::default() }
    }

    fn request(id: u128) -> QuoteRequested {
        QuoteRequested { quote_req_id: QuoteReqId::from_u128(id), order_qty: Qty::from_units(10).unwrap(), ..QuoteRequested::default() }
    }

    #[test]
    fn the_same_request_gets_the_same_answer_and_another_one_its_own() {
        let dealer = Dealer::new(profile(), 7);
        let market = Some("100.123".parse().unwrap());
        assert_eq!(dealer.answer(&request(1), &note(), market), dealer.answer(&request(1), &note(), market));
        let spreads: std::collections::BTreeSet<_> =
            (0..50).map(|id| dealer.answer(&request(id), &note(), market).unwrap().quote.offer_px).collect();
        assert!(spreads.len() > 3, "chance moves the spread");
    }

    #[test]
    fn the_spread_is_never_smaller_than_it_should_be_and_prices_are_on_the_tick() {
        let dealer = Dealer::new(profile(), 7);
        for id in 0..500 {
            let mid = Price::from_raw(100_000_000_000 + i64::try_from(id).unwrap() * 1_234_567);
            let quote = dealer.answer(&request(id), &note(), Some(mid)).unwrap().quote;
            let (bid, offer) = (quote.bid_px.unwrap(), quote.offer_px.unwrap());
            // A thousandth of a hundredth of a basis point each: 10 basis points.
            let least = i128::from(mid.raw()) * 1_000 / 1_000_000;
            assert!(i128::from(mid.raw() - bid.raw()) >= least && i128::from(offer.raw() - mid.raw()) >= least);
            assert!(bid.raw() % 10_000_000 == 0 && offer.raw() % 10_000_000 == 0);
        }
    }

    #[test]
    fn without_a_market_it_values_by_its_model_and_without_that_it_is_silent() {
        let dealer = Dealer::new(profile(), 7);
        assert_eq!(dealer.answer(&request(1), &note(), None), None);
        let dealer = dealer.valuing(Symbol::new("NOTE").unwrap(), "98".parse().unwrap());
        let quote = dealer.answer(&request(1), &note(), None).unwrap().quote;
        assert!(quote.bid_px < Some("98".parse().unwrap()) && quote.offer_px > Some("98".parse().unwrap()));
    }

    #[test]
    fn only_who_is_asked_answers_and_faults_happen_as_often_as_they_say() {
        let asked = |dealers| QuoteRequested { dealers, ..request(1) };
        let dealer = Dealer::new(profile(), 7);
        assert!(dealer.is_asked(&asked(vec![])) && dealer.is_asked(&asked(vec![Mic::of(b"DLRA")])));
        assert!(!dealer.is_asked(&asked(vec![Mic::of(b"DLRB")])));
        let moody = Dealer::new(DealerProfile { silent_ppm: 500_000, withdraw_ppm: 500_000, ..profile() }, 7);
        let market = Some("100".parse().unwrap());
        let answers: Vec<_> = (0..1_000).filter_map(|id| moody.answer(&request(id), &note(), market)).collect();
        assert!((400..600).contains(&answers.len()));
        let withdrawn = answers.iter().filter(|answer| answer.withdraws).count();
        assert!((150..350).contains(&withdrawn));
    }
}
