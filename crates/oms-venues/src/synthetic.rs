//! Markets that nobody recorded: seeded order books for the classes that the recording lacks.
//!
//! The result is a slice like any other and is replayed like one. Prices walk one tick at a time within a band, so
//! that a demo of any length stays near where it began. The same seed gives the same ticks.

use oms_model::Symbol;

use crate::paper::prng::Prng;
use crate::replay::{RawKind, RawTick, Slice};

/// Ticks that a walk stays from its beginning at most.
const BAND: i64 = 40;
/// Of a million seconds, how many see a trade.
const TRADE_PPM: u32 = 300_000;
/// Milliseconds between two ticks of one book.
const STEP_MS: u32 = 1_000;

/// One book. Prices count 10^-4 currency units, as slices do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntheticBook {
    /// In what.
    pub symbol: Symbol,
    /// Where.
    pub venue: [u8; 4],
    /// Where the middle begins.
    pub mid_e4: u32,
    /// The price increment.
    pub tick_e4: u32,
    /// Half of the spread, in ticks, at least one.
    pub half_spread: u32,
    /// Displayed on each side, whole units.
    pub size: u32,
}

/// A slice of `seconds` of these books.
#[must_use]
pub fn slice(books: &[SyntheticBook], seed: u64, start_ns: u64, seconds: u32) -> Slice {
    let mut venues: Vec<[u8; 4]> = books.iter().map(|book| book.venue).collect();
    venues.sort_unstable();
    venues.dedup();
    let venue_of = |book: &SyntheticBook| venues.iter().position(|mic| *mic == book.venue).unwrap_or_default();
    let mut rng = Prng::new(seed);
    let mut walks = vec![0_i64; books.len()];
    let mut ticks = Vec::new();
    for second in 0..seconds {
        for (at, (book, walk)) in books.iter().zip(&mut walks).enumerate() {
            let step = i64::try_from(rng.below(3)).unwrap_or(1) - 1;
            *walk = (*walk + step).clamp(-BAND, BAND);
            let mid = i64::from(book.mid_e4) + *walk * i64::from(book.tick_e4);
            let half = i64::from(book.half_spread.max(1)) * i64::from(book.tick_e4);
            let price = |px: i64| u32::try_from(px.max(i64::from(book.tick_e4))).unwrap_or(u32::MAX);
            let (bid, ask) = (price(mid - half), price(mid + half));
            let millis = second * STEP_MS;
            let index = |n: usize| u8::try_from(n).unwrap_or(u8::MAX);
            let tick = |kind, price_e4, size| RawTick { millis, symbol: index(at), venue: index(venue_of(book)), kind, price_e4, size };
            ticks.push(tick(RawKind::Bid, bid, book.size));
            ticks.push(tick(RawKind::Ask, ask, book.size));
            if second == 0 || rng.chance(TRADE_PPM) {
                ticks.push(tick(RawKind::Trade, if rng.chance(500_000) { ask } else { bid }, 1 + book.size / 10));
            }
        }
    }
    let symbols = books.iter().map(|book| book.symbol.to_string()).collect();
    Slice { start_ns, length_ns: u64::from(seconds) * 1_000_000_000, symbols, venues, ticks }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::Recording;

    fn books() -> Vec<SyntheticBook> {
        let book = |symbol: &str, venue, mid_e4, tick_e4| SyntheticBook {
            symbol: Symbol::new(symbol).unwrap(),
            venue,
            mid_e4,
            tick_e4,
            half_spread: 1,
            size: 50,
        };
        vec![book("OPT", *b"XCBO", 25_000, 500), book("FUT", *b"XCME", 16_500_000, 2_500)]
    }

    #[test]
    fn the_same_seed_gives_the_same_market_and_another_a_different_one() {
        assert_eq!(slice(&books(), 7, 0, 60), slice(&books(), 7, 0, 60));
        assert_ne!(slice(&books(), 7, 0, 60), slice(&books(), 8, 0, 60));
    }

    #[test]
    fn every_price_is_on_its_tick_the_market_never_crosses_and_it_can_be_replayed() {
        let books = books();
        let made = slice(&books, 3, 0, 600);
        for (at, book) in books.iter().enumerate() {
            let of = |kind| made.ticks.iter().filter(move |tick| usize::from(tick.symbol) == at && tick.kind == kind);
            assert!(of(RawKind::Bid).chain(of(RawKind::Ask)).all(|tick| tick.price_e4 % book.tick_e4 == 0));
            assert!(of(RawKind::Bid).zip(of(RawKind::Ask)).all(|(bid, ask)| bid.price_e4 < ask.price_e4));
            assert!(of(RawKind::Trade).count() > 60);
        }
        let recording = Recording::from_slice(made).unwrap();
        assert_eq!(recording.symbols().len(), 2);
    }
}
