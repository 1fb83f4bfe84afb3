//! The market that the router sees.

use super::World;
use crate::fixture::{VENUES, dec};
use crate::simulator::rng::Rng;
use oms_model::market::Level;
use oms_model::{InstrumentId, Mic, Price, Qty};

impl World {
    pub(super) fn quote_all(&mut self, instrument: InstrumentId) {
        for mic in VENUES {
            let mut rng = Rng::new(u64::from(mic.as_u32()));
            self.quote(instrument, mic, &mut rng);
        }
    }

    pub(super) fn refresh_quotes(&mut self, rng: &mut Rng) {
        for instrument in [InstrumentId(0), InstrumentId(1)] {
            for mic in VENUES {
                if rng.chance(800) {
                    self.quote(instrument, mic, rng);
                }
            }
        }
    }

    /// The market trades, at times far from where it did before.
    pub(super) fn print(&mut self, rng: &mut Rng) {
        let instrument = InstrumentId(u32::try_from(rng.below(2)).unwrap_or(0));
        let cents = if rng.chance(200) { 1_900 + rng.below(200) } else { 1_990 + rng.below(20) };
        let price = Price::from_raw(i64::try_from(cents * 10_000_000).unwrap_or(0));
        let size = dec::<Qty>(rng.pick(&["100", "400", "2000"]));
        self.notes.add(|| format!("  a trade of {size} at {price}"));
        self.markets.0.entry(instrument).or_default().set_last(price, size, self.now);
        self.moved.insert(instrument);
    }

    pub(super) fn quote(&mut self, instrument: InstrumentId, mic: Mic, rng: &mut Rng) {
        let cents = 1_995 + rng.below(10);
        let price = |cents: u64| Price::from_raw(i64::try_from(cents * 10_000_000).unwrap_or(0));
        let size = |rng: &mut Rng| dec::<Qty>(rng.pick(&["100", "300", "500"]));
        let at = self.now;
        let (bid, ask) = (Level { price: price(cents), size: size(rng), at }, Level { price: price(cents + 2), size: size(rng), at });
        let market = self.markets.0.entry(instrument).or_default();
        market.set_quote(mic, true, Some(bid));
        market.set_quote(mic, false, rng.chance(950).then_some(ask));
        self.moved.insert(instrument);
    }
}
