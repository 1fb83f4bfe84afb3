//! Keeps the bars of a market over restarts: what the file has comes back first, then what changes is written.
//!
//! A thread of its own writes, so that neither feeds nor orders wait for it. A stretch in which the desk was down has no bar, and
//! a bar that was under way when it was killed lacks the last seconds of it.

use super::{Bar, MAX_BARS, MarketBook, Span};
use oms_model::{InstrumentId, Time};
use oms_store::bars::{BarError, BarStore, KeptBar};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often changed bars are written; a kill takes so much of them.
const EVERY: Duration = Duration::from_secs(5);

/// The thread that writes. Where it is dropped instead of stopped it writes once more and ends by itself.
#[derive(Debug)]
pub struct BarKeeper {
    stop: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl BarKeeper {
    /// Takes back what the file at `path` has and begins to write. `now`: bars that began later are of a clock that was wrong,
    /// and stay away.
    ///
    /// # Errors
    /// [`BarError`]: the market goes on without what was.
    pub fn start(book: &Arc<MarketBook>, path: &Path, now: Time) -> Result<Self, BarError> {
        let store = BarStore::open(path)?;
        restore(book, &store, now)?;
        Self::spawn(book.clone(), store).map_err(BarError::Io)
    }

    fn spawn(book: Arc<MarketBook>, mut store: BarStore) -> io::Result<Self> {
        let (stop, stopped) = sync_channel(1);
        let work = move || {
            let mut failed = false;
            loop {
                let ends = !matches!(stopped.recv_timeout(EVERY), Err(RecvTimeoutError::Timeout));
                // What could not be written is written with all the rest the next time.
                match store.save(&kept(&book.unkept_bars(failed)), MAX_BARS) {
                    Ok(()) => failed = false,
                    Err(error) => {
                        if !failed {
                            tracing::warn!(%error, "bars of the market cannot be kept");
                        }
                        failed = true;
                    }
                }
                if ends {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("oms-bars".to_owned()).spawn(work)?;
        Ok(Self { stop, thread })
    }

    /// Writes what has changed, and ends.
    pub fn stop(self) {
        drop(self.stop);
        // A thread that panicked has nothing more to write.
        let _ = self.thread.join();
    }
}

fn restore(book: &MarketBook, store: &BarStore, now: Time) -> Result<(), BarError> {
    let mut of: Option<(InstrumentId, Span)> = None;
    let mut bars = Vec::new();
    store.all(&mut |kept| {
        let Some(span) = Span::ALL.into_iter().find(|span| span.minutes() == kept.minutes) else { return };
        if of.is_some_and(|of| of != (kept.instrument, span)) {
            flush(book, of, &mut bars);
        }
        of = Some((kept.instrument, span));
        let [open, high, low, close] = kept.prices;
        if kept.at <= now {
            bars.push(Bar { at: kept.at, open, high, low, close, volume: kept.volume });
        }
    })?;
    flush(book, of, &mut bars);
    Ok(())
}

fn flush(book: &MarketBook, of: Option<(InstrumentId, Span)>, bars: &mut Vec<Bar>) {
    if let Some((instrument, span)) = of {
        book.restore_bars(instrument, span, bars);
    }
    bars.clear();
}

fn kept(bars: &[(InstrumentId, Span, Bar)]) -> Vec<KeptBar> {
    let one = |(instrument, span, bar): &(InstrumentId, Span, Bar)| KeptBar {
        instrument: *instrument,
        minutes: span.minutes(),
        at: bar.at,
        prices: [bar.open, bar.high, bar.low, bar.close],
        volume: bar.volume,
    };
    bars.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::MarketSink as _;
    use oms_model::{Price, Qty};

    const ONE: InstrumentId = InstrumentId(1);
    const MINUTE: i64 = 60_000_000_000;

    fn trade(book: &MarketBook, units: i64, at: i64) {
        book.trade(ONE, None, Price::from_units(units).unwrap(), Qty::from_units(2).unwrap(), Time(at));
    }

    fn minutes(book: &MarketBook) -> Vec<(i64, String, String)> {
        let shown = |bar: Bar| (bar.at.0 / MINUTE, bar.close.to_string(), bar.volume.to_string());
        book.bars(ONE, Span::Minute, MAX_BARS).into_iter().map(shown).collect()
    }

    fn row(minute: i64, close: &str, volume: &str) -> (i64, String, String) {
        (minute, close.to_owned(), volume.to_owned())
    }

    #[test]
    fn bars_go_on_after_a_restart_with_a_gap_where_nothing_was_heard() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bars.sqlite");
        let book = Arc::new(MarketBook::new());
        let keeper = BarKeeper::start(&book, &path, Time(0)).unwrap();
        trade(&book, 10, 0);
        trade(&book, 12, 2 * MINUTE);
        keeper.stop();

        let book = Arc::new(MarketBook::new());
        let keeper = BarKeeper::start(&book, &path, Time(2 * MINUTE + 1)).unwrap();
        assert_eq!(minutes(&book), [row(0, "10", "2"), row(2, "12", "2")]);
        assert_eq!(book.version(ONE), 0, "the market itself does not come back");
        // The bar that was under way goes on; the next comes after a gap.
        trade(&book, 13, 2 * MINUTE + 2);
        trade(&book, 14, 9 * MINUTE);
        keeper.stop();

        let book = Arc::new(MarketBook::new());
        BarKeeper::start(&book, &path, Time(9 * MINUTE)).unwrap().stop();
        assert_eq!(minutes(&book), [row(0, "10", "2"), row(2, "13", "4"), row(9, "14", "2")]);
        let days = book.bars(ONE, Span::Day, MAX_BARS);
        assert_eq!((days.len(), days[0].open.to_string(), days[0].volume.to_string()), (1, "10".to_owned(), "8".to_owned()));
    }

    #[test]
    fn bars_of_a_clock_that_was_wrong_stay_away_and_what_is_dropped_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bars.sqlite");
        let book = Arc::new(MarketBook::new());
        let keeper = BarKeeper::start(&book, &path, Time(0)).unwrap();
        trade(&book, 10, 0);
        trade(&book, 99, 500 * MINUTE);
        let BarKeeper { stop, thread } = keeper;
        drop(stop);
        thread.join().unwrap();

        let book = Arc::new(MarketBook::new());
        let keeper = BarKeeper::start(&book, &path, Time(3 * MINUTE)).unwrap();
        assert_eq!(minutes(&book), [row(0, "10", "2")]);
        trade(&book, 11, 3 * MINUTE);
        assert_eq!(minutes(&book), [row(0, "10", "2"), row(3, "11", "2")]);
        keeper.stop();
    }

    #[test]
    fn only_what_changed_is_written_again() {
        let book = MarketBook::new();
        trade(&book, 10, 0);
        trade(&book, 12, MINUTE);
        // Two minutes, the five and the day.
        assert_eq!(book.unkept_bars(false).len(), 4);
        assert_eq!(book.unkept_bars(false), []);
        trade(&book, 13, MINUTE + 1);
        assert_eq!(book.unkept_bars(false).len(), 3);
        assert_eq!(book.unkept_bars(true).len(), 4);
    }
}
