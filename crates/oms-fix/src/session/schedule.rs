//! When a session is open, in a time zone with its daylight saving.
//!
//! A local time that a clock change skips is taken as the same instant after it; one that occurs
//! twice is its first occurrence.

use std::collections::BTreeSet;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// Days that are looked ahead for the next opening.
const LOOKAHEAD_DAYS: i64 = 400;

/// The days and times of a session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Pattern {
    /// One session a day. An end at or before the start is on the next day.
    Daily {
        /// Local time of the start.
        start: Time,
        /// Local time of the end.
        end: Time,
        /// Days on which a session starts.
        days: Vec<Weekday>,
    },
    /// One session a week.
    Weekly {
        /// Day and local time of the start.
        start: (Weekday, Time),
        /// Day and local time of the end.
        end: (Weekday, Time),
    },
}

/// When a session is open.
#[derive(Clone, Debug)]
pub struct Schedule {
    zone: TimeZone,
    pattern: Pattern,
    holidays: BTreeSet<Date>,
}

/// One opening of a session, in nanoseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// Its first instant.
    pub start_ns: i64,
    /// The first instant after it.
    pub end_ns: i64,
}

/// A schedule that cannot be kept.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ScheduleError {
    /// The time zone is not known.
    #[error("{0} is no time zone")]
    Zone(String),
    /// No day is left.
    #[error("a daily session needs a day")]
    NoDay,
    /// Not a time of day.
    #[error("{0:?} is not a time such as 08:00 or SUN 17:00")]
    Time(String),
    /// Not a day.
    #[error("{0:?} is not a day such as MON or 2026-12-25")]
    Day(String),
    /// A daily and a weekly session at once.
    #[error("a session opens and closes at times of day, on days, or from one day of the week to another")]
    Mixed,
}

impl Schedule {
    /// A schedule in a zone of the IANA time zone database. No session starts on a holiday.
    ///
    /// # Errors
    /// [`ScheduleError`].
    pub fn new(zone: &str, pattern: Pattern, holidays: impl IntoIterator<Item = Date>) -> Result<Self, ScheduleError> {
        let zone = TimeZone::get(zone).map_err(|_| ScheduleError::Zone(zone.to_owned()))?;
        if matches!(&pattern, Pattern::Daily { days, .. } if days.is_empty()) {
            return Err(ScheduleError::NoDay);
        }
        Ok(Self { zone, pattern, holidays: holidays.into_iter().collect() })
    }

    /// Reads a schedule: `opens` and `closes` are times of day (`08:00`, `17:00:30`), for a session each of `days` (`MON` to
    /// `SUN`; every day where none is given), or days with times (`SUN 17:00`) for one a week. An end at or before the start
    /// is on the next day: the same for both is a session around the clock whose numbers begin anew once a day.
    ///
    /// # Errors
    /// [`ScheduleError`].
    pub fn read(zone: &str, opens: &str, closes: &str, days: &[String], holidays: &[String]) -> Result<Self, ScheduleError> {
        let pattern = match (moment(opens)?, moment(closes)?) {
            ((None, start), (None, end)) if days.is_empty() => {
                Pattern::Daily { start, end, days: Weekday::Monday.cycle_forward().take(7).collect() }
            }
            ((None, start), (None, end)) => {
                Pattern::Daily { start, end, days: days.iter().map(|day| weekday(day)).collect::<Result<_, _>>()? }
            }
            ((Some(first), start), (Some(last), end)) if days.is_empty() => Pattern::Weekly { start: (first, start), end: (last, end) },
            _ => return Err(ScheduleError::Mixed),
        };
        let holiday = |text: &String| text.parse::<Date>().map_err(|_| ScheduleError::Day(text.clone()));
        Self::new(zone, pattern, holidays.iter().map(holiday).collect::<Result<Vec<_>, _>>()?)
    }

    /// The opening that contains an instant.
    #[must_use]
    pub fn window(&self, utc_ns: i64) -> Option<Window> {
        let today = self.local_date(utc_ns)?;
        // A weekly session may have started up to a week ago.
        (0..=7)
            .filter_map(|back| self.starting_on(add_days(today, -back)?))
            .find(|window| window.start_ns <= utc_ns && utc_ns < window.end_ns)
    }

    /// The first opening that starts after an instant.
    #[must_use]
    pub fn next(&self, utc_ns: i64) -> Option<Window> {
        let today = self.local_date(utc_ns)?;
        (0..=LOOKAHEAD_DAYS).filter_map(|ahead| self.starting_on(add_days(today, ahead)?)).find(|window| utc_ns < window.start_ns)
    }

    fn local_date(&self, utc_ns: i64) -> Option<Date> {
        let time = Timestamp::from_nanosecond(utc_ns.into()).ok()?;
        Some(time.to_zoned(self.zone.clone()).date())
    }

    fn starting_on(&self, date: Date) -> Option<Window> {
        if self.holidays.contains(&date) {
            return None;
        }
        let (start, end, days) = match &self.pattern {
            Pattern::Daily { start, end, days } => {
                days.contains(&date.weekday()).then_some(())?;
                (*start, *end, i64::from(end <= start))
            }
            Pattern::Weekly { start, end } => {
                (date.weekday() == start.0).then_some(())?;
                let days = i64::from(end.0.to_monday_zero_offset() - start.0.to_monday_zero_offset()).rem_euclid(7);
                (start.1, end.1, if days == 0 && end.1 <= start.1 { 7 } else { days })
            }
        };
        let instant = |date: Date, time: Time| {
            let zoned = date.to_datetime(time).to_zoned(self.zone.clone()).ok()?;
            i64::try_from(zoned.timestamp().as_nanosecond()).ok()
        };
        let window = Window { start_ns: instant(date, start)?, end_ns: instant(add_days(date, days)?, end)? };
        (window.start_ns < window.end_ns).then_some(window)
    }
}

/// A time of day, perhaps with a day of the week before it.
fn moment(text: &str) -> Result<(Option<Weekday>, Time), ScheduleError> {
    let (day, time) = text.trim().rsplit_once(' ').map_or((None, text.trim()), |(day, time)| (Some(day.trim()), time));
    let parsed = time.parse().map_err(|_| ScheduleError::Time(text.to_owned()))?;
    Ok((day.map(weekday).transpose()?, parsed))
}

fn weekday(text: &str) -> Result<Weekday, ScheduleError> {
    Ok(match text.to_ascii_uppercase().as_str() {
        "MON" => Weekday::Monday,
        "TUE" => Weekday::Tuesday,
        "WED" => Weekday::Wednesday,
        "THU" => Weekday::Thursday,
        "FRI" => Weekday::Friday,
        "SAT" => Weekday::Saturday,
        "SUN" => Weekday::Sunday,
        _ => return Err(ScheduleError::Day(text.to_owned())),
    })
}

fn add_days(date: Date, days: i64) -> Option<Date> {
    date.checked_add(days.days()).ok()
}

#[cfg(test)]
mod tests;
