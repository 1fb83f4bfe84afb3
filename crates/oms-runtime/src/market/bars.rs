//! Bars of the market: how a price moved and what was traded, by the minute, by five and by the day (UTC).
//!
//! The price is the middle of the best bid and offer or, where a side is missing, the last trade. A stretch in which nothing
//! was received has no bar. Bars are in memory, and a [keeper](super::BarKeeper) writes them down; the oldest go first.

use oms_model::market::Market;
use oms_model::{Price, Qty, Time};
use std::collections::VecDeque;

/// The most bars of one instrument and span.
pub const MAX_BARS: usize = 500;
/// Instruments with a higher number have no bars: a bound on their memory, about 300 MB if all of them move all the time.
pub const MAX_BARRED: usize = 4_096;

const MINUTE_NS: i64 = 60_000_000_000;

/// How long a bar is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// A minute.
    Minute,
    /// Five minutes.
    FiveMinutes,
    /// A day, UTC.
    Day,
}

impl Span {
    /// Every span.
    pub const ALL: [Self; 3] = [Self::Minute, Self::FiveMinutes, Self::Day];

    /// As requests write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minute => "1m",
            Self::FiveMinutes => "5m",
            Self::Day => "1d",
        }
    }

    /// Its length, minutes.
    #[must_use]
    pub const fn minutes(self) -> u32 {
        match self {
            Self::Minute => 1,
            Self::FiveMinutes => 5,
            Self::Day => 1_440,
        }
    }

    /// Its length, nanoseconds.
    #[must_use]
    pub const fn ns(self) -> i64 {
        // A u32 always fits.
        self.minutes() as i64 * MINUTE_NS
    }

    const fn index(self) -> usize {
        match self {
            Self::Minute => 0,
            Self::FiveMinutes => 1,
            Self::Day => 2,
        }
    }
}

/// How the price moved in one stretch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bar {
    /// When the stretch began.
    pub at: Time,
    /// The first price.
    pub open: Price,
    /// The highest.
    pub high: Price,
    /// The lowest.
    pub low: Price,
    /// The last.
    pub close: Price,
    /// What was traded.
    pub volume: Qty,
}

/// The bars of one span, oldest first.
#[derive(Default)]
struct Row {
    bars: VecDeque<Bar>,
    /// So many of the newest were not asked for since they changed.
    unkept: usize,
}

/// The bars of one instrument, of every span.
#[derive(Default)]
pub(super) struct Bars([Row; 3]);

impl Bars {
    /// Takes in that the market is so since `at`, and that `traded` changed hands with it. What is older than the bar that
    /// goes on is not put into one that is over.
    pub(super) fn take(&mut self, market: &Market, traded: Qty, at: Time) {
        let Some(price) = market.mid().or(market.last.map(|last| last.price)) else { return };
        for (Row { bars, unkept }, span) in self.0.iter_mut().zip(Span::ALL) {
            let begins = Time(at.0.div_euclid(span.ns()).saturating_mul(span.ns()));
            match bars.back_mut() {
                Some(bar) if begins < bar.at => (),
                Some(bar) if begins == bar.at => {
                    bar.high = bar.high.max(price);
                    bar.low = bar.low.min(price);
                    bar.close = price;
                    bar.volume = bar.volume.saturating_add(traded);
                    *unkept = 1.max(*unkept);
                }
                _ => {
                    if bars.len() == MAX_BARS {
                        bars.pop_front();
                    }
                    bars.push_back(Bar { at: begins, open: price, high: price, low: price, close: price, volume: traded });
                    *unkept = (*unkept + 1).min(bars.len());
                }
            }
        }
    }

    /// The newest bars of a span, oldest first.
    pub(super) fn last(&self, span: Span, most: usize) -> Vec<Bar> {
        let Some(Row { bars, .. }) = self.0.get(span.index()) else { return Vec::new() };
        bars.iter().skip(bars.len().saturating_sub(most)).copied().collect()
    }

    /// Takes back bars, oldest first, where there are none yet.
    pub(super) fn restore(&mut self, span: Span, bars: &[Bar]) {
        if let Some(row) = self.0.get_mut(span.index()).filter(|row| row.bars.is_empty()) {
            row.bars = bars.iter().skip(bars.len().saturating_sub(MAX_BARS)).copied().collect();
        }
    }

    /// The bars that have changed since this was last asked, or all.
    pub(super) fn unkept(&mut self, all: bool, mut visit: impl FnMut(Span, Bar)) {
        for (row, span) in self.0.iter_mut().zip(Span::ALL) {
            let changed = if all { row.bars.len() } else { std::mem::take(&mut row.unkept) };
            row.bars.iter().skip(row.bars.len().saturating_sub(changed)).for_each(|bar| visit(span, *bar));
            row.unkept = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::MarketBook;
    use crate::port::MarketSink as _;
    use oms_model::{InstrumentId, Mic};

    const ONE: InstrumentId = InstrumentId(1);
    const XNYS: Mic = Mic::of(b"XNYS");

    fn price(units: i64) -> Price {
        Price::from_units(units).unwrap()
    }

    fn quote(book: &MarketBook, bid: i64, ask: i64, second: i64) {
        for (bid_side, units) in [(true, bid), (false, ask)] {
            book.quote(ONE, XNYS, bid_side, Some((price(units), Qty::from_units(1).unwrap())), Time(second * 1_000_000_000));
        }
    }

    fn trade(book: &MarketBook, units: i64, qty: i64, second: i64) {
        book.trade(ONE, Some(XNYS), price(units), Qty::from_units(qty).unwrap(), Time(second * 1_000_000_000));
    }

    fn shown(book: &MarketBook, span: Span) -> Vec<(i64, [String; 5])> {
        let shown =
            |bar: Bar| (bar.at.0 / 1_000_000_000, [bar.open, bar.high, bar.low, bar.close].map(|price| price.to_string()), bar.volume);
        let flat = |(at, [open, high, low, close], volume): (i64, [String; 4], Qty)| (at, [open, high, low, close, volume.to_string()]);
        book.bars(ONE, span, MAX_BARS).into_iter().map(shown).map(flat).collect()
    }

    fn row(at: i64, numbers: [&str; 5]) -> (i64, [String; 5]) {
        (at, numbers.map(str::to_owned))
    }

    #[test]
    fn the_price_moves_within_its_minute_and_opens_the_next() {
        let book = MarketBook::new();
        trade(&book, 7, 5, 1);
        quote(&book, 10, 12, 2);
        quote(&book, 14, 16, 30);
        quote(&book, 8, 10, 59);
        trade(&book, 9, 3, 59);
        quote(&book, 9, 11, 60);
        quote(&book, 9, 11, 400);
        // Until both sides are there the price is the last trade; a bid that moves first moves the middle too.
        assert_eq!(
            shown(&book, Span::Minute),
            [row(0, ["7", "15", "7", "9", "8"]), row(60, ["9.5", "10", "9.5", "10", "0"]), row(360, ["10", "10", "10", "10", "0"])]
        );
        assert_eq!(shown(&book, Span::FiveMinutes), [row(0, ["7", "15", "7", "10", "8"]), row(300, ["10", "10", "10", "10", "0"])]);
        assert_eq!(shown(&book, Span::Day), [row(0, ["7", "15", "7", "10", "8"])]);
        assert_eq!(book.bars(ONE, Span::Minute, 1).len(), 1);
        assert!(book.bars(InstrumentId(2), Span::Minute, 1).is_empty());
    }

    #[test]
    fn what_comes_late_changes_no_bar_that_is_over() {
        let book = MarketBook::new();
        quote(&book, 10, 12, 120);
        let before = shown(&book, Span::Minute);
        trade(&book, 99, 1, 30);
        assert_eq!(shown(&book, Span::Minute), before);
        assert_eq!(before.len(), 1);
    }

    #[test]
    fn there_are_never_more_than_the_bound() {
        let book = MarketBook::new();
        for minute in 0..i64::try_from(MAX_BARS).unwrap() + 3 {
            quote(&book, 10, 12, minute * 60);
        }
        let bars = book.bars(ONE, Span::Minute, usize::MAX);
        assert_eq!((bars.len(), bars[0].at.0), (MAX_BARS, 3 * MINUTE_NS));
        let far = InstrumentId(u32::try_from(MAX_BARRED).unwrap());
        book.trade(far, None, price(1), Qty::from_units(1).unwrap(), Time(1));
        assert!(book.bars(far, Span::Day, 1).is_empty());
    }
}
