//! What the engine may be told once, at its start.

use oms_calendar::{Calendar, Phase};
use oms_model::asset_class::{CalendarKind, rules_of};
use oms_model::instrument::Instrument;
use oms_model::{Mic, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

const DAY_NS: i64 = 86_400_000_000_000;

/// Settings of the engine. They shape decisions, never the fold of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// An intent that was not handed over within this time is not handed over at all; nanoseconds.
    pub send_within_ns: i64,
    /// End of the trading day, seconds after midnight UTC: DAY orders expire then, where no calendar says otherwise.
    pub day_end_utc_s: i64,
    /// Beginning of the trading day, seconds after midnight UTC: OPG orders are released then, where no calendar says
    /// otherwise.
    pub day_open_utc_s: i64,
    /// How long before the end of the day orders on close are released; nanoseconds. Later ones are refused.
    pub on_close_lead_ns: i64,
    /// When the markets are open, by where an instrument is listed. One that is listed elsewhere trades around the clock.
    pub calendars: Arc<BTreeMap<Mic, Calendar>>,
    /// When venues are in maintenance: the session hours of a calendar are its windows.
    pub maintenance: Arc<BTreeMap<Mic, Calendar>>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            send_within_ns: 2_000_000_000,
            day_end_utc_s: 21 * 3600,
            day_open_utc_s: 14 * 3600 + 1800,
            on_close_lead_ns: 60_000_000_000,
            calendars: Arc::default(),
            maintenance: Arc::default(),
        }
    }
}

pub use oms_risk::Opening;

impl Config {
    /// The calendar that an instrument trades by. Funds wait for their valuation, and what is quoted on request has its
    /// dealer's hours.
    fn calendar(&self, instrument: Option<&Instrument>) -> Option<&Calendar> {
        let instrument = instrument?;
        let by_session = matches!(rules_of(instrument.asset_class).calendar, CalendarKind::Session | CalendarKind::Continuous);
        self.calendars.get(&instrument.listing).filter(|_| by_session)
    }

    /// Whether the market of an instrument is in its session.
    #[must_use]
    pub fn opening(&self, instrument: Option<&Instrument>, now: Time) -> Opening {
        match self.calendar(instrument) {
            Some(calendar) if calendar.phase(now) != Phase::Core => calendar.next_open(now).map_or(Opening::Never, Opening::At),
            _ => Opening::Open,
        }
    }

    /// The end of the maintenance that a venue is in at `now`; `None` where it is in none.
    #[must_use]
    pub fn maintenance_until(&self, venue: Mic, now: Time) -> Option<Time> {
        self.maintenance.get(&venue)?.open_until(now)
    }

    /// When the first of `venues` takes orders again, where all of them are in maintenance.
    pub(crate) fn all_in_maintenance(&self, venues: impl Iterator<Item = Mic>, now: Time) -> Option<Time> {
        if self.maintenance.is_empty() {
            return None;
        }
        let mut first: Option<Time> = None;
        for venue in venues {
            let until = self.maintenance_until(venue, now)?;
            first = Some(first.map_or(until, |known| known.min(until)));
        }
        first
    }

    /// Whether an instrument's market is in its session; one without a calendar always is.
    #[must_use]
    pub fn in_session(&self, instrument: &Instrument, now: Time) -> bool {
        self.opening(Some(instrument), now) == Opening::Open
    }

    /// The end of the trading day that `now` belongs to, or of the next one where the market has closed.
    #[must_use]
    pub fn day_end(&self, instrument: Option<&Instrument>, now: Time) -> Time {
        if let Some(day) = self.calendar(instrument).and_then(|calendar| calendar.day(now)) {
            return day.close;
        }
        let midnight = now.0 - now.0.rem_euclid(DAY_NS);
        if instrument.is_some_and(|instrument| rules_of(instrument.asset_class).calendar == CalendarKind::Continuous) {
            return Time(midnight.saturating_add(DAY_NS));
        }
        let end = midnight.saturating_add(self.day_end_utc_s.saturating_mul(1_000_000_000));
        Time(if end > now.0 { end } else { end.saturating_add(DAY_NS) })
    }

    /// When orders on the close of that day are released, and their cut-off.
    #[must_use]
    pub fn on_close(&self, instrument: Option<&Instrument>, now: Time) -> Time {
        self.day_end(instrument, now).plus(-self.on_close_lead_ns)
    }

    /// The beginning of the trading day that [`Config::day_end`] ends; without a calendar, of the one of the same date.
    #[must_use]
    pub fn day_open(&self, instrument: Option<&Instrument>, now: Time) -> Time {
        if let Some(day) = self.calendar(instrument).and_then(|calendar| calendar.day(now)) {
            return day.open;
        }
        let midnight = now.0 - now.0.rem_euclid(DAY_NS);
        Time(midnight.saturating_add(self.day_open_utc_s.saturating_mul(1_000_000_000)))
    }
}
